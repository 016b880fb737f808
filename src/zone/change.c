/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/change_side.h"

#include <assert.h>
#include <inttypes.h>

/* The same record to the letter: a zone file that changes a TTL or the case has changed. */
static bool records_identical(const struct record *a, const struct record *b)
{
	return a->ttl == b->ttl && a->class == b->class && a->owner.len == b->owner.len &&
	       memcmp(a->owner.wire, b->owner.wire, a->owner.len) == 0 &&
	       span_equal(a->rdata, b->rdata);
}

struct side {
	uint8_t *octets; /* NULL: only count */
	size_t len;
	uint64_t count;
};

static void side_add(struct side *side, const struct records *set, size_t i)
{
	struct record record = records_get(set, i);
	size_t len = record_len(&record);

	if (side->octets) memcpy(side->octets + side->len, set->entries[i].wire, len);
	side->len += len;
	side->count++;
}

/* Walks both sets once; each record that only one of them has goes to `removed` or `added`. */
static void sides_walk(const struct records *before, const struct records *after,
		       struct side *removed, struct side *added)
{
	size_t b = 0, a = 0;

	while (b < before->count && a < after->count) {
		struct record old = records_get(before, b), new = records_get(after, a);
		int order = record_compare(&old, &new);
		records_prefetch(before, b);
		records_prefetch(after, a);
		if (order < 0) {
			side_add(removed, before, b++);
		} else if (order > 0) {
			side_add(added, after, a++);
		} else {
			if (!records_identical(&old, &new)) {
				side_add(removed, before, b);
				side_add(added, after, a);
			}
			b++;
			a++;
		}
	}
	while (b < before->count) side_add(removed, before, b++);
	while (a < after->count) side_add(added, after, a++);
}

/* The SOA is the first record of a sorted zone, as nothing in it is above its apex. */
static uint32_t first_serial(const struct records *set)
{
	struct soa soa;

	if (set->count == 0) return 0;
	struct record record = records_get(set, 0);
	return record.type == RRTYPE_SOA && soa_read(record.rdata, &soa) ? soa.serial : 0;
}

enum code change_between(const struct records *before, const struct records *after,
			 struct arena *arena, struct change *out, struct error *err)
{
	struct side removed = {0}, added = {0};

	assert(before->sorted && after->sorted);
	sides_walk(before, after, &removed, &added);
	uint8_t *octets = arena_alloc_bytes(arena, removed.len + added.len);
	if (!octets)
		return error_set(err, E_NOMEM, "no memory for a change of %zu octets",
				 removed.len + added.len);
	*out = (struct change){
		.from_serial = first_serial(before),
		.to_serial = first_serial(after),
		.removed = span_of(octets, removed.len),
		.added = span_of(octets + removed.len, added.len),
		.removed_count = removed.count,
		.added_count = added.count,
	};
	removed = (struct side){.octets = octets};
	added = (struct side){.octets = octets + out->removed.len};
	sides_walk(before, after, &removed, &added);
	assert(removed.len == out->removed.len && added.len == out->added.len);
	return OK;
}

/*
 * The first index from `from` on whose record is not before `record`. Steps double
 * first, so that a large change costs no more than a merge, and a small one only
 * the logarithm of the zone.
 */
static size_t seek_forward(const struct records *set, size_t from, const struct record *record,
			   bool *equal)
{
	size_t to = from, step = 1;

	*equal = false;
	while (to < set->count) {
		struct record at = records_get(set, to);
		int order = record_compare(&at, record);
		*equal = order == 0;
		if (order == 0) return to;
		if (order > 0) break;
		from = to + 1;
		to = step < set->count - to ? to + step : set->count;
		step *= 2;
	}
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		struct record at = records_get(set, middle);
		int order = record_compare(&at, record);
		if (order == 0) {
			*equal = true;
			return middle;
		}
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Copies entries [from, end) of the set before. */
static void entries_append(struct records *after, const struct records *before, size_t from,
			   size_t end)
{
	if (from == end) return;
	assert(end - from <= after->capacity - after->count);
	memcpy(after->entries + after->count, before->entries + from,
	       (end - from) * sizeof *after->entries);
	after->count += end - from;
}

static void added_append(struct records *after, const struct change_side *added)
{
	assert(after->count < after->capacity);
	after->entries[after->count++] = (struct record_entry){
		.wire = added->wire,
		.owner_len = added->record.owner.len,
	};
	after->wire_len += record_len(&added->record);
}

/* Brings one record of the change, the lower of both sides, into `after`; `*at` is how far `before`
 * was copied. */
static enum code change_step(const struct records *before, struct change_side *removed,
			     struct change_side *added, size_t *at, struct records *after,
			     struct error *err)
{
	int order = change_sides_order(removed, added);
	const struct record *record = order <= 0 ? &removed->record : &added->record;
	bool equal;
	size_t place = seek_forward(before, *at, record, &equal);
	enum code code;

	entries_append(after, before, *at, place);
	*at = place;
	if (order <= 0) {
		struct record old;
		if (equal) old = records_get(before, place);
		if (!equal || old.ttl != record->ttl || old.class != record->class)
			return change_conflict(record, "a record to remove is not in the zone",
					       err);
		after->wire_len -= record_len(&old);
		*at = place + 1;
		equal = false;
		if ((code = change_side_next(removed, err))) return code;
	}
	if (order < 0) return OK;
	if (equal) return change_conflict(record, "a record to add is in the zone already", err);
	added_append(after, added);
	return change_side_next(added, err);
}

enum code change_apply(const struct records *before, const struct change *change,
		       struct records *after, struct error *err)
{
	struct change_side removed, added;
	size_t at = 0;
	enum code code;

	assert(before->sorted && after->count == 0);
	/* Each record has octets, so a count that was made up cannot ask for more memory than they.
	 */
	if (change->added_count > change->added.len)
		return error_set(err, E_SYNTAX, "%" PRIu64 " records cannot lie in %zu octets",
				 change->added_count, change->added.len);
	size_t capacity = before->count + (size_t)change->added_count;
	after->entries = arena_alloc_array(after->arena, capacity, sizeof *after->entries);
	if (!after->entries) return error_set(err, E_NOMEM, "no memory for %zu records", capacity);
	after->capacity = capacity;
	after->files = before->files;
	after->file_count = before->file_count;
	after->wire_len = before->wire_len;
	if ((code = change_sides_open(change, &removed, &added, err))) return code;
	while (removed.wire || added.wire) {
		code = change_step(before, &removed, &added, &at, after, err);
		if (code) return code;
	}
	entries_append(after, before, at, before->count);
	after->sorted = true;
	return OK;
}
