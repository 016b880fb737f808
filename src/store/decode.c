/* SPDX-License-Identifier: Apache-2.0 */
/* What the disk gave, turned into records and proven. Any thread; no database. */
#include "store/fetched.h"

#include "dns/zone_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

uint64_t change_checksum(const struct change *change, uint64_t seq)
{
	uint8_t octets[128];
	struct writer w = writer_of(octets, sizeof octets);

	write_u64(&w, seq);
	write_u32(&w, change->from_serial);
	write_u32(&w, change->to_serial);
	write_u64(&w, change->removed.len);
	write_u64(&w, change->added.len);
	write_u64(&w, change->removed_count);
	write_u64(&w, change->added_count);
	write_u64(&w, change->digest_after.count);
	write_bytes(&w, change->digest_after.sum, sizeof change->digest_after.sum);
	write_u32(&w, change->source);
	write_u64(&w, change->time_unix_s);
	assert(!w.overflow);
	uint64_t sum = XXH3_64bits(w.ptr, w.len);
	sum = XXH3_64bits_withSeed(change->author, strlen(change->author), sum);
	sum = XXH3_64bits_withSeed(change->reason, strlen(change->reason), sum);
	sum = XXH3_64bits_withSeed(change->removed.ptr, change->removed.len, sum);
	return XXH3_64bits_withSeed(change->added.ptr, change->added.len, sum);
}

/* One side into or out of the digest. */
static enum code side_follow(struct zone_digest *digest, struct span side, uint64_t count,
			     bool added, struct crypto *crypto, struct error *err)
{
	struct reader r = reader_of(side);
	struct record record;
	uint64_t found = 0;

	for (; reader_left(&r) && record_read(&r, &record); found++) {
		if (rdata_check(record.type, record.rdata, err)) return E_SYNTAX;
		if (!(added ? zone_digest_add(digest, crypto, &record)
			    : zone_digest_remove(digest, crypto, &record)))
			return error_set(err, E_NOMEM, "libcrypto failed");
	}
	if (r.failed || found != count)
		return error_set(err, E_SYNTAX, "a change holds %" PRIu64 " records, not %" PRIu64,
				 found, count);
	return OK;
}

enum code digest_follow(struct zone_digest *digest, const struct change *change,
			struct crypto *crypto, struct error *err)
{
	enum code code =
		side_follow(digest, change->removed, change->removed_count, false, crypto, err);

	if (!code)
		code = side_follow(digest, change->added, change->added_count, true, crypto, err);
	return code;
}

struct text_sink {
	struct records *set;
	struct error *err;
};

static enum code text_record(void *context, const struct record *record, struct place place)
{
	struct text_sink *sink = context;

	(void)place; /* of a snapshot nobody wants to know the line */
	return records_add(sink->set, record, (struct place){0}, sink->err);
}

enum code text_read(struct name zone, const char *name, struct span text, struct records *set,
		    struct error *err)
{
	struct arena *scratch = arena_new(DECODE_OCTETS_MAX);
	struct diagnostics diagnostics = {.arena = scratch};
	struct text_sink sink = {set, err};
	struct zone_text_parser parser = {
		.origin = zone,
		.sink = text_record,
		.context = &sink,
		.arena = scratch,
		.diagnostics = &diagnostics,
	};

	if (!scratch) return error_set(err, E_NOMEM, "no memory to read %s", name);
	enum code code = zone_text_parse(&parser, name, text);
	if (code == E_SYNTAX && diagnostics.count > 0)
		error_set(err, code, "line %u: %s", diagnostics.list[0].place.line,
			  diagnostics.list[0].text);
	arena_free(scratch);
	return code;
}

static enum code damaged(const struct fetched *fetched, struct error *err, const char *what)
{
	char label[ZONE_LABEL_MAX];

	return error_set(err, E_DAMAGED,
			 "zone %s: %s %s; restore the state folder from a backup, or have the zone "
			 "anew: `lockstep zone refresh --force` for a secondary, `zone reload` for "
			 "a zone file",
			 zone_label(fetched->key.name, label), fetched->place, what);
}

/* As damaged, when reading says more than that it is. */
static enum code unreadable(const struct fetched *fetched, enum code code, struct error *err)
{
	char what[512] = "is not readable";

	if (code == E_NOMEM || code == E_IO) return code;
	if (err) snprintf(what, sizeof what, "does not read: %.480s", err->text);
	return damaged(fetched, err, what);
}

/* The snapshot's octets, as they were written. */
static enum code snapshot_octets(const struct fetched *fetched, struct arena *arena,
				 struct span *out, struct error *err)
{
	enum code code;

	*out = fetched->body;
	if (fetched->file) {
		if (old_file_len(fetched->file) != fetched->len)
			return damaged(fetched, err, "has another length than was written");
		uint8_t *octets = arena_alloc_bytes(arena, fetched->len);
		if (!octets) return error_set(err, E_NOMEM, "no memory to read %s", fetched->place);
		code = old_file_read(fetched->file, 0, octets, fetched->len, err);
		if (code) return unreadable(fetched, code, err);
		*out = span_of(octets, fetched->len);
	}
	if (out->len != fetched->len || octets_checksum(*out) != fetched->checksum)
		return damaged(fetched, err, "does not match its checksum");
	return OK;
}

/* Records of the wire form stay where they are, so that a large zone is there once. */
static enum code wire_read(const struct fetched *fetched, struct arena *arena, struct records *set,
			   struct error *err)
{
	struct span octets;
	enum code code = snapshot_octets(fetched, arena, &octets, err);

	if (code) return code;
	if (!fetched->file) {
		const uint8_t *copy = arena_copy(arena, octets);
		if (!copy) return error_set(err, E_NOMEM, "no memory for %s", fetched->place);
		octets.ptr = copy;
	}
	code = records_add_wire(set, octets, err);
	return code ? unreadable(fetched, code, err) : OK;
}

static enum code snapshot_text_read(const struct fetched *fetched, struct records *set,
				    struct error *err)
{
	struct arena *scratch = arena_new(DECODE_OCTETS_MAX);
	struct span text;

	if (!scratch) return error_set(err, E_NOMEM, "no memory to read %s", fetched->place);
	enum code code = snapshot_octets(fetched, scratch, &text, err);
	if (!code) {
		code = text_read(fetched->key.name, fetched->place, text, set, err);
		if (code) code = unreadable(fetched, code, err);
	}
	arena_free(scratch);
	return code;
}

static enum code snapshot_read(const struct fetched *fetched, struct crypto *crypto,
			       struct arena *arena, struct records *set, struct error *err)
{
	struct zone_digest found;
	enum code code;

	records_init(set, arena);
	if (fetched->format == DRAFT_TEXT)
		code = snapshot_text_read(fetched, set, err);
	else
		code = wire_read(fetched, arena, set, err);
	if (!code) code = records_sort(set, err);
	if (code) return code;
	if (!zone_digest_of(set, crypto, &found))
		return error_set(err, E_NOMEM, "libcrypto failed");
	if (!zone_digest_equal(&found, &fetched->snapshot_digest))
		return damaged(fetched, err, "does not match its digest");
	return OK;
}

enum code changes_verify(const struct fetched *fetched, struct crypto *crypto, struct error *err)
{
	struct zone_digest digest = fetched->snapshot_digest;
	uint32_t serial = fetched->snapshot_serial;
	struct fetched at_fault = *fetched;
	char place[64];

	at_fault.place = place;
	for (size_t i = 0; i < fetched->change_count; i++) {
		const struct change *change = &fetched->changes[i];
		uint64_t seq = fetched->snapshot_seq + 1 + i;
		snprintf(place, sizeof place, "change %u to %u", change->from_serial,
			 change->to_serial);
		if (change_checksum(change, seq) != fetched->checksums[i])
			return damaged(&at_fault, err, "does not match its checksum");
		if (change->from_serial != serial)
			return damaged(&at_fault, err, "does not follow the version before it");
		enum code code = digest_follow(&digest, change, crypto, err);
		if (code) return unreadable(&at_fault, code, err);
		if (!zone_digest_equal(&digest, &change->digest_after))
			return damaged(&at_fault, err, "does not lead to its digest");
		serial = change->to_serial;
	}
	snprintf(place, sizeof place, "version %" PRIu64, fetched->head.seq);
	if (fetched->snapshot_seq + fetched->change_count != fetched->head.seq ||
	    serial != fetched->head.serial || !zone_digest_equal(&digest, &fetched->head.digest))
		return damaged(&at_fault, err, "is not what its snapshot and changes lead to");
	return OK;
}

enum code fetched_decode(const struct fetched *fetched, struct crypto *crypto, struct arena *arena,
			 struct records *set, struct stored_version *version, struct error *err)
{
	struct change all = {0};
	struct records base;
	struct soa soa;
	enum code code;

	if (version) *version = fetched->head;
	if ((code = changes_verify(fetched, crypto, err))) return code;
	if ((code = snapshot_read(fetched, crypto, arena, &base, err))) return code;
	if (fetched->change_count) {
		code = changes_combine(fetched->changes, fetched->change_count, arena, &all, err);
		records_init(set, arena);
		if (!code) code = change_apply(&base, &all, set, err);
		if (code) return unreadable(fetched, code, err);
	} else {
		*set = base;
	}
	if (!records_soa(set, fetched->key.name, &soa) || soa.serial != fetched->head.serial)
		return damaged(fetched, err, "has no SOA record with the version's serial");
	return OK;
}

enum code fold_draft(const struct store *store, const struct fetched *fetched,
		     struct crypto *crypto, struct draft **out, struct error *err)
{
	struct arena *arena = arena_new(DECODE_OCTETS_MAX);
	struct draft *draft = NULL;
	struct records set;
	enum code code = E_NOMEM;

	if (!arena) {
		error_set(err, code, "no memory to write a snapshot anew");
		goto out;
	}
	if ((code = fetched_decode(fetched, crypto, arena, &set, NULL, err))) goto out;
	code = draft_new(store, fetched->key.name, DRAFT_TEXT, &draft, err);
	if (!code) code = draft_append_records(draft, &set, err);
	if (code) goto out;
	arena_reset(arena); /* a huge zone is not in memory twice */
	code = draft_verify(draft, fetched->key.name, &fetched->head.digest, crypto, err);
out:
	if (code) {
		draft_free(draft);
		draft = NULL;
	}
	*out = draft;
	arena_free(arena);
	return code;
}
