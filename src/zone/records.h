/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.h - all records of one version of a zone, or of one side of a change.
 *
 * A set in the making: records come in any order (zone file, transfer, image), are
 * then sorted into canonical order with duplicates dropped, and are read from there
 * on. Octets lie in the arena in uncompressed wire form.
 */
#ifndef ZONE_RECORDS_H
#define ZONE_RECORDS_H

#include "base/arena.h"
#include "base/diagnostic.h"
#include "base/parallel.h"
#include "dns/record.h"

#include <assert.h>

/* Indexes fit 32 and 16 bits. */
#define RECORDS_MAX UINT32_MAX
enum { RECORD_FILES_MAX = UINT16_MAX };

struct record_entry {
	const uint8_t *wire; /* the record's uncompressed wire form (dns/record.h) */
	uint32_t line;       /* where it stands in a zone file; 0: nowhere */
	uint16_t file;       /* index into `files`; means nothing when `line` is 0 */
	uint16_t owner_len;
};

struct records {
	struct arena *arena; /* owns everything below but what a run or `index` does */
	struct arena *index; /* owns the entries; the same unless it was said otherwise */
	struct record_entry *entries;
	size_t count;
	size_t capacity;
	size_t wire_len; /* octets of all records together */
	const char **files;
	size_t file_count;
	bool sorted;
};

/* `arena` is borrowed and must outlive the set. */
void records_init(struct records *set, struct arena *arena);

/* The same with the entries in an arena of their own. */
void records_init_apart(struct records *set, struct arena *arena, struct arena *index);

/* Copies the record. E_NOMEM when the arena is full, E_LIMIT above RECORDS_MAX or
 * RECORD_FILES_MAX: the set is as it was. */
enum code records_add(struct records *set, const struct record *record, struct place place,
		      struct error *err);

/*
 * Adds every record of a run of wire forms (a change's side, a spool) without copying
 * it, so the run must outlive the set. Owners, lengths and data are checked: E_SYNTAX
 * names the record; the set is as it was after any error.
 */
enum code records_add_wire(struct records *set, struct span wire, struct error *err);

/*
 * Canonical order (record_compare); of records that are equal but for TTL and case the
 * first stays. Linear for a set in order, else it takes 16 octets a record from the
 * arena for good: E_NOMEM leaves the set as it was.
 */
enum code records_sort(struct records *set, struct error *err) must_use;

/*
 * Makes `out`, which is empty, the sorted set of all parts one behind the other: what
 * records_sort would make of it. Octets of records that had to change places are laid
 * anew, in order. The parts come from records_init_apart, each with arenas that nothing
 * else uses: whatever the outcome, those are gone, and the parts with them.
 */
enum code records_join(struct records *parts, size_t count, const struct parallel *parallel,
		       struct records *out, struct error *err) must_use;

/* Record `i`; borrowed. Its entry says where type, class, TTL and data length stand. */
static inline struct record records_get(const struct records *set, size_t i)
{
	assert(i < set->count);
	const struct record_entry *entry = &set->entries[i];
	const uint8_t *fixed = entry->wire + entry->owner_len;

	return (struct record){
		.owner = {.wire = entry->wire, .len = (uint8_t)entry->owner_len},
		.type = (uint16_t)(fixed[0] << 8 | fixed[1]),
		.class = (uint16_t)(fixed[2] << 8 | fixed[3]),
		.ttl = (uint32_t)fixed[4] << 24 | (uint32_t)fixed[5] << 16 |
		       (uint32_t)fixed[6] << 8 | fixed[7],
		.rdata = span_of(fixed + 10, (size_t)(fixed[8] << 8 | fixed[9])),
	};
}

/* Index of the first record of a sorted set that is not before this owner and type (SOA comes
 * before all types); `count` when there is none. */
size_t records_seek(const struct records *set, struct name owner, uint16_t type);

/*
 * For a walk in order: asks for the octets of a record some steps after `i`, which lie
 * anywhere when records came in another order.
 */
static inline void records_prefetch(const struct records *set, size_t i)
{
	enum { STEPS = 16 };

	if (i + STEPS < set->count) __builtin_prefetch(set->entries[i + STEPS].wire);
}

/* Where the record was read; `file` is NULL when that is nowhere. */
struct place records_place(const struct records *set, size_t i);

/* The zone's SOA in a sorted set (owner equal to `apex`); false when there is none. */
bool records_soa(const struct records *set, struct name apex, struct soa *out);

#endif
