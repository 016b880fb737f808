/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many parts of a set become one sorted set, side by side.
 *
 * Parts that are in order, and follow each other so, are only put together. Else some
 * records taken evenly from all parts, sorted, become borders: every record goes to the
 * stretch between two of them, in the order in which they came, and each stretch is
 * sorted by itself while it fits the cache. Equal records fall into the same stretch, so
 * duplicates are found there. The octets are laid in their new order on the way, so that
 * whoever walks over the set later walks over memory.
 */
#include "zone/records_sort.h"

#include <assert.h>

enum {
	STRETCH_RECORDS = 16384, /* about: they fit the cache */
	STRETCHES_MAX = 4096,
	SAMPLES = 16, /* for a stretch */
};

/* A record on its way to its stretch. */
struct moved {
	uint64_t key;
	uint32_t index; /* in its part */
	uint32_t part;
};

/* One part, in a step of its own. */
struct join_part {
	struct records *set;
	int order;
	struct name end;   /* shared by its owners */
	uint16_t *files;   /* of the part, as indexes of the whole */
	uint16_t *stretch; /* of each record */
	uint64_t *keys;
	size_t *at; /* for each stretch: how many, then where the next goes */
};

struct stretch {
	size_t from, to; /* in `moved` and in the entries made */
	size_t count;    /* entries made: duplicates are gone */
	size_t wire_len;
	struct arena *arena; /* of the octets laid anew */
	bool failed;
};

struct join {
	struct records *out;
	const struct parallel *parallel;
	struct join_part *parts;
	size_t part_count;
	size_t count; /* of all records */
	size_t stretch_records;
	struct arena *scratch;
	struct sort sort; /* of the borders */
	struct records borders;
	uint64_t *border_keys;
	struct stretch *stretches;
	size_t stretch_count;
	struct moved *moved;
};

static enum code no_memory(const struct join *j, struct error *err)
{
	return error_set(err, E_NOMEM, "no memory to sort %zu records", j->count);
}

/* --- parts that are in order already --- */

static void part_look(void *of, size_t i)
{
	struct join_part *part = &((struct join *)of)->parts[i];
	const struct records *set = part->set;

	part->order = records_order(set);
	if (set->count) part->end = records_shared_end(set, records_get(set, 0).owner);
}

/* As records_order, for the parts as a whole. */
static int parts_order(const struct join *j)
{
	int order = -1;

	for (size_t i = 0; i < j->part_count; i++) {
		if (j->parts[i].order > 0) return 1;
		if (j->parts[i].order == 0) order = 0;
		if (i == 0) continue;
		const struct records *before = j->parts[i - 1].set;
		struct record last = records_get(before, before->count - 1);
		struct record first = records_get(j->parts[i].set, 0);
		int border = record_compare(&last, &first);
		if (border > 0) return 1;
		if (border == 0) order = 0;
	}
	return order;
}

static enum code put_together(struct join *j, struct error *err)
{
	struct records *out = j->out;

	for (size_t i = 0; i < j->part_count; i++) {
		struct join_part *part = &j->parts[i];
		struct record_entry *to = out->entries + out->count;
		for (size_t k = 0; k < part->set->count; k++) {
			to[k] = part->set->entries[k];
			if (to[k].line) to[k].file = part->files[to[k].file];
		}
		out->count += part->set->count;
		out->wire_len += part->set->wire_len;
		if (!arena_adopt(out->arena, part->set->arena)) return no_memory(j, err);
		part->set->arena = NULL;
	}
	return OK;
}

/* --- borders --- */

/* Takes records evenly from all parts, sorts them, and keeps every SAMPLES-th. */
static enum code borders_find(struct join *j, struct error *err)
{
	size_t wanted = j->stretch_count * SAMPLES, step = j->count / wanted + 1, at = 0;
	struct records *borders = &j->borders;
	size_t kept = 0;
	enum code code;

	records_init(borders, j->scratch);
	borders->entries = arena_alloc_array(j->scratch, j->count / step + j->part_count + 1,
					     sizeof *borders->entries);
	if (!borders->entries) return no_memory(j, err);
	for (size_t i = 0; i < j->part_count; i++) {
		const struct records *set = j->parts[i].set;
		for (; at < set->count; at += step)
			borders->entries[borders->count++] = set->entries[at];
		at -= set->count;
	}
	if ((code = records_sort(borders, err))) return code;
	for (size_t k = SAMPLES; k < borders->count; k += SAMPLES)
		borders->entries[kept++] = borders->entries[k];
	borders->count = kept;
	j->stretch_count = kept + 1;
	j->border_keys = arena_alloc_array(j->scratch, kept + 1, sizeof *j->border_keys);
	if (!j->border_keys) return no_memory(j, err);
	j->sort = (struct sort){.set = borders, .shared_len = j->sort.shared_len};
	for (size_t k = 0; k < kept; k++) {
		struct item item = {.index = (uint32_t)k};
		item_key(&j->sort, &item, 0);
		j->border_keys[k] = item.key;
	}
	return OK;
}

/* How many borders are at or before the record. */
static size_t stretch_of(const struct join *j, const struct records *set, uint32_t i, uint64_t key)
{
	size_t from = 0, count = j->borders.count;

	while (count > 0) {
		size_t half = count / 2, middle = from + half;
		bool before = j->border_keys[middle] < key;
		if (unlikely(j->border_keys[middle] == key)) {
			struct record border = records_get(&j->borders, middle);
			struct record record = records_get(set, i);
			before = record_compare(&border, &record) <= 0;
		}
		from = before ? middle + 1 : from;
		count = before ? count - half - 1 : half;
	}
	return from;
}

/* --- from parts to stretches --- */

static void part_count(void *of, size_t i)
{
	struct join *j = of;
	struct join_part *part = &j->parts[i];
	struct sort sort = {.set = part->set, .shared_len = j->sort.shared_len};

	for (uint32_t k = 0; k < part->set->count; k++) {
		struct item item = {.index = k};
		records_prefetch(part->set, k);
		item_key(&sort, &item, 0);
		size_t to = stretch_of(j, part->set, k, item.key);
		part->keys[k] = item.key;
		part->stretch[k] = (uint16_t)to;
		part->at[to]++;
	}
}

static void part_move(void *of, size_t i)
{
	struct join *j = of;
	struct join_part *part = &j->parts[i];

	for (uint32_t k = 0; k < part->set->count; k++)
		j->moved[part->at[part->stretch[k]]++] =
			(struct moved){part->keys[k], k, (uint32_t)i};
}

/* Where each part's records of each stretch go: in the order of the parts. */
static void places_share_out(struct join *j)
{
	size_t at = 0;

	for (size_t s = 0; s < j->stretch_count; s++) {
		j->stretches[s].from = at;
		for (size_t i = 0; i < j->part_count; i++) {
			size_t count = j->parts[i].at[s];
			j->parts[i].at[s] = at;
			at += count;
		}
		j->stretches[s].to = at;
	}
	assert(at == j->count);
}

static enum code parts_move(struct join *j, struct error *err)
{
	for (size_t i = 0; i < j->part_count; i++) {
		struct join_part *part = &j->parts[i];
		size_t count = part->set->count;
		part->at = arena_alloc_array(j->scratch, j->stretch_count, sizeof *part->at);
		part->keys = arena_grow(j->scratch, NULL, 0, count * sizeof *part->keys);
		part->stretch = arena_grow(j->scratch, NULL, 0, count * sizeof *part->stretch);
		if (!part->at || !part->keys || !part->stretch) return no_memory(j, err);
	}
	j->stretches = arena_alloc_array(j->scratch, j->stretch_count, sizeof *j->stretches);
	j->moved = arena_grow(j->scratch, NULL, 0, j->count * sizeof *j->moved);
	if (!j->stretches || !j->moved) return no_memory(j, err);
	parallel_run(j->parallel, j->part_count, part_count, j);
	places_share_out(j);
	parallel_run(j->parallel, j->part_count, part_move, j);
	return OK;
}

/* --- one stretch --- */

/* Asks for a record some steps on: its entry first, later its octets. */
static void moved_prefetch(const struct join *j, const struct moved *moved, size_t count, size_t k)
{
	enum { STEPS = 16 };

	if (k + 2 * STEPS < count) {
		const struct moved *far = &moved[k + 2 * STEPS];
		__builtin_prefetch(&j->parts[far->part].set->entries[far->index]);
	}
	if (k + STEPS < count) {
		const struct moved *near = &moved[k + STEPS];
		const uint8_t *wire = j->parts[near->part].set->entries[near->index].wire;
		__builtin_prefetch(wire);
		__builtin_prefetch(wire + 64);
	}
}

/* The stretch as a set of its own, whose entries lie still in the order of the text. */
static bool stretch_gather(const struct join *j, const struct stretch *stretch, struct records *set,
			   struct item **items)
{
	size_t count = stretch->to - stretch->from;
	const struct moved *moved = j->moved + stretch->from;

	set->entries = arena_grow(set->arena, NULL, 0, count * sizeof *set->entries);
	*items = arena_grow(set->arena, NULL, 0, count * sizeof **items);
	if (!set->entries || !*items) return false;
	set->count = count;
	for (size_t k = 0; k < count; k++) {
		const struct join_part *part = &j->parts[moved[k].part];
		struct record_entry *entry = &set->entries[k];
		moved_prefetch(j, moved, count, k);
		*entry = part->set->entries[moved[k].index];
		if (entry->line) entry->file = part->files[entry->file];
		(*items)[k] = (struct item){moved[k].key, (uint32_t)k};
		struct record record = records_get(set, k);
		set->wire_len += record_len(&record);
	}
	return true;
}

/* Lays the records down in the order of the items, each once. */
static void stretch_lay(struct join *j, struct stretch *stretch, const struct records *set,
			const struct item *items, uint8_t *octets)
{
	struct record_entry *made = j->out->entries + stretch->from;
	struct record last = {0};

	for (size_t k = 0; k < set->count; k++) {
		struct record_entry entry = set->entries[items[k].index];
		struct record record = records_get(set, items[k].index);
		size_t len = record_len(&record);
		if (k && items[k].key == items[k - 1].key && record_compare(&last, &record) == 0 &&
		    last.class == record.class)
			continue;
		memcpy(octets, entry.wire, len);
		entry.wire = octets;
		made[stretch->count++] = entry;
		last = record;
		octets += len;
		stretch->wire_len += len;
	}
}

static void stretch_sort(void *of, size_t i)
{
	struct join *j = of;
	struct stretch *stretch = &j->stretches[i];
	size_t count = stretch->to - stretch->from;
	struct arena *scratch = arena_new(SIZE_MAX);
	struct item *items;
	struct records set;

	if (!count) {
		arena_free(scratch);
		return;
	}
	stretch->failed = true;
	stretch->arena = arena_new(SIZE_MAX);
	if (!scratch || !stretch->arena) goto out;
	records_init(&set, scratch);
	if (!stretch_gather(j, stretch, &set, &items)) goto out;
	struct sort sort = {.set = &set, .shared_len = j->sort.shared_len};
	items_sort(&sort, items, count, 0);
	uint8_t *octets = arena_alloc_bytes(stretch->arena, set.wire_len);
	if (!octets) goto out;
	stretch_lay(j, stretch, &set, items, octets);
	stretch->failed = false;
out:
	arena_free(scratch);
}

/* Closes the gaps that duplicates left. */
static enum code stretches_put_together(struct join *j, struct error *err)
{
	struct records *out = j->out;
	bool failed = false;

	for (size_t s = 0; s < j->stretch_count; s++) {
		struct stretch *stretch = &j->stretches[s];
		if (out->count != stretch->from)
			memmove(out->entries + out->count, out->entries + stretch->from,
				stretch->count * sizeof *out->entries);
		out->count += stretch->count;
		out->wire_len += stretch->wire_len;
		failed |= stretch->failed;
		if (stretch->arena && !failed && arena_adopt(out->arena, stretch->arena)) continue;
		failed |= stretch->arena != NULL;
		arena_free(stretch->arena);
	}
	return failed ? no_memory(j, err) : OK;
}

static enum code sort_all(struct join *j, struct error *err)
{
	struct name end = j->parts[0].end;
	enum code code;

	for (size_t i = 1; i < j->part_count; i++)
		while (!name_is_below(j->parts[i].end, end)) end = name_parent(end);
	j->sort.shared_len = end.len;
	j->stretch_count = j->count / j->stretch_records + 1;
	if (j->stretch_count > STRETCHES_MAX) j->stretch_count = STRETCHES_MAX;
	if ((code = borders_find(j, err)) || (code = parts_move(j, err))) return code;
	parallel_run(j->parallel, j->stretch_count, stretch_sort, j);
	return stretches_put_together(j, err);
}

/* --- all of it --- */

/* Parts without records are left out; files of all parts become files of the whole. */
static enum code parts_take(struct join *j, struct records *parts, size_t count, struct error *err)
{
	enum code code;

	j->parts = arena_alloc_array(j->scratch, count, sizeof *j->parts);
	if (!j->parts) return no_memory(j, err);
	for (size_t i = 0; i < count; i++) {
		struct join_part *part = &j->parts[j->part_count];
		if (!parts[i].count) continue;
		part->set = &parts[i];
		part->files =
			arena_alloc_array(j->scratch, parts[i].file_count + 1, sizeof *part->files);
		if (!part->files) return no_memory(j, err);
		for (size_t f = 0; f < parts[i].file_count; f++) {
			code = records_file_index(j->out, parts[i].files[f], &part->files[f], err);
			if (code) return code;
		}
		j->part_count++;
		j->count += parts[i].count;
	}
	if (j->count > RECORDS_MAX)
		return error_set(err, E_LIMIT, "more than %zu records in one zone",
				 (size_t)RECORDS_MAX);
	j->out->entries = arena_grow(j->out->index, NULL, 0, j->count * sizeof *j->out->entries);
	if (!j->out->entries) return no_memory(j, err);
	j->out->capacity = j->count;
	return OK;
}

static enum code join(struct join *j, struct records *parts, size_t count, struct error *err)
{
	enum code code = parts_take(j, parts, count, err);

	if (code) return code;
	if (j->part_count == 0) {
		j->out->sorted = true;
		return OK;
	}
	parallel_run(j->parallel, j->part_count, part_look, j);
	int order = parts_order(j);
	code = order > 0 ? sort_all(j, err) : put_together(j, err);
	if (!code && order == 0) return records_sort(j->out, err);
	j->out->sorted = true;
	return code;
}

enum code records_join_in(size_t stretch_records, struct records *parts, size_t count,
			  const struct parallel *parallel, struct records *out, struct error *err)
{
	struct join j = {.out = out,
			 .parallel = parallel,
			 .stretch_records = stretch_records,
			 .scratch = arena_new(SIZE_MAX)};
	enum code code = j.scratch ? join(&j, parts, count, err) : no_memory(&j, err);

	for (size_t i = 0; i < count; i++) {
		arena_free(parts[i].index);
		arena_free(parts[i].arena);
		parts[i] = (struct records){0};
	}
	arena_free(j.scratch);
	return code;
}

enum code records_join(struct records *parts, size_t count, const struct parallel *parallel,
		       struct records *out, struct error *err)
{
	return records_join_in(STRETCH_RECORDS, parts, count, parallel, out, err);
}
