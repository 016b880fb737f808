/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/records_sort.h"

enum { ENTRIES_MIN = 16, FILES_MIN = 4 };

void records_init(struct records *set, struct arena *arena)
{
	records_init_apart(set, arena, arena);
}

void records_init_apart(struct records *set, struct arena *arena, struct arena *index)
{
	*set = (struct records){.arena = arena, .index = index};
}

static enum code no_memory(const struct records *set, struct error *err)
{
	return error_set(err, E_NOMEM,
			 "the memory for this zone is used up after %zu records (%zu octets)",
			 set->count, set->wire_len);
}

static enum code entries_reserve(struct records *set, struct error *err)
{
	if (set->count < set->capacity) return OK;
	if (set->count >= RECORDS_MAX)
		return error_set(err, E_LIMIT, "more than %zu records in one zone", set->count);

	size_t capacity = set->capacity ? 2 * set->capacity : ENTRIES_MIN;
	struct record_entry *entries =
		arena_grow(set->index, set->entries, set->capacity * sizeof *entries,
			   capacity * sizeof *entries);
	if (!entries) return no_memory(set, err);
	set->entries = entries;
	set->capacity = capacity;
	return OK;
}

/* Records come file by file, so the name is nearly always the newest one. */
enum code records_file_index(struct records *set, const char *file, uint16_t *index,
			     struct error *err)
{
	for (size_t i = set->file_count; i > 0; i--) {
		if (strcmp(set->files[i - 1], file) != 0) continue;
		*index = (uint16_t)(i - 1);
		return OK;
	}
	size_t count = set->file_count;
	if (count >= RECORD_FILES_MAX)
		return error_set(err, E_LIMIT, "more than %zu files for one zone, the last is %s",
				 count, file);
	/* Capacities are FILES_MIN and its doubles, so a full list has one of these lengths. */
	if (count == 0 || (count >= FILES_MIN && (count & (count - 1)) == 0)) {
		size_t capacity = count ? 2 * count : FILES_MIN;
		const char **files = arena_grow(set->arena, set->files, count * sizeof *files,
						capacity * sizeof *files);
		if (!files) return no_memory(set, err);
		set->files = files;
	}
	const char *copy = arena_copy_text(set->arena, span_of_text(file));
	if (!copy) return no_memory(set, err);
	set->files[count] = copy;
	set->file_count++;
	*index = (uint16_t)count;
	return OK;
}

static void entry_append(struct records *set, struct record_entry entry, size_t len)
{
	set->entries[set->count++] = entry;
	set->wire_len += len;
	set->sorted = false;
}

enum code records_add(struct records *set, const struct record *record, struct place place,
		      struct error *err)
{
	struct record_entry entry = {.owner_len = record->owner.len};
	size_t len = record_len(record);
	enum code code = entries_reserve(set, err);

	if (code) return code;
	if (place.file && place.line) {
		code = records_file_index(set, place.file, &entry.file, err);
		if (code) return code;
		entry.line = place.line;
	}
	uint8_t *wire = arena_alloc_bytes(set->arena, len);
	if (!wire) return no_memory(set, err);
	struct writer w = writer_of(wire, len);
	record_write(record, &w);
	entry.wire = wire;
	entry_append(set, entry, len);
	return OK;
}

enum code records_add_wire(struct records *set, struct span wire, struct error *err)
{
	struct reader r = reader_of(wire);
	size_t count = set->count, wire_len = set->wire_len;
	bool sorted = set->sorted;
	enum code code = OK;

	while (reader_left(&r) > 0) {
		struct record record;
		size_t at = r.at;
		if ((code = entries_reserve(set, err))) goto out;
		if (!record_read(&r, &record)) {
			code = error_set(err, E_SYNTAX, "octets %zu and on are no record", at);
			goto out;
		}
		if ((code = rdata_check(record.type, record.rdata, err))) {
			char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
			error_prefix(err, "record %zu, %s %s", set->count - count + 1,
				     name_to_text(record.owner, owner),
				     rrtype_to_text(record.type, type));
			goto out;
		}
		struct record_entry entry = {.wire = wire.ptr + at, .owner_len = record.owner.len};
		entry_append(set, entry, r.at - at);
	}
out:
	if (code) {
		set->count = count;
		set->wire_len = wire_len;
		set->sorted = sorted;
	}
	return code;
}

struct place records_place(const struct records *set, size_t i)
{
	assert(i < set->count);
	const struct record_entry *entry = &set->entries[i];

	if (entry->line == 0) return (struct place){0};
	return (struct place){.file = set->files[entry->file], .line = entry->line};
}

/* SOA before all others, as record_compare has it. */
static uint32_t type_rank(uint16_t type)
{
	return type == RRTYPE_SOA ? 0 : type + UINT32_C(1);
}

size_t records_seek(const struct records *set, struct name owner, uint16_t type)
{
	size_t from = 0, to = set->count;

	assert(set->sorted);
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		struct record record = records_get(set, middle);
		int order = name_compare(record.owner, owner);
		if (order < 0 || (order == 0 && type_rank(record.type) < type_rank(type)))
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

bool records_soa(const struct records *set, struct name apex, struct soa *out)
{
	size_t i = records_seek(set, apex, RRTYPE_SOA);

	if (i == set->count) return false;
	struct record record = records_get(set, i);
	return record.type == RRTYPE_SOA && name_equal(record.owner, apex) &&
	       soa_read(record.rdata, out);
}
