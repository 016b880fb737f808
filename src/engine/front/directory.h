/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory.h - the zones as they are published, for every worker to read.
 *
 * One writer (the front's control thread), up to DIRECTORY_READERS_MAX readers, no
 * locks. A reader looks up between directory_reader_begin and _end (one batch) and
 * may use what it found until the end, longer only if it pins it. The rules:
 *
 * 1. A publication is complete before it is published and constant afterwards, but
 *    for its expire instant and pins.
 * 2. What the writer takes out of the table was retired in the generation that
 *    directory_serve names next. It may be freed when no reader is inside a batch
 *    that it began before that generation was served, and nothing pins it.
 * 3. A reader announces its batch before it looks, the writer swaps before it looks
 *    for readers, all in sequentially consistent order: one of them sees the other.
 *
 * Memory is the caller's: the directory never frees, it hands back what may be freed.
 */
#ifndef ENGINE_FRONT_DIRECTORY_H
#define ENGINE_FRONT_DIRECTORY_H

#include "base/siphash.h"
#include "engine/policy.h"
#include "zone/view.h"

#include <stdalign.h>
#include <stdatomic.h>

enum {
	DIRECTORY_READERS_MAX = 256,
	CACHE_LINE_OCTETS = 64,
	PUBLICATION_NAME_MAX = 30,
	DIRECTORY_SUFFIXES_MAX = 4
};

/*
 * One zone as it is served. Everything it points at must outlive it. What each question
 * looks at stands first, a short name with it.
 */
struct publication {
	struct name name;
	const struct zone_policy *policy;
	_Atomic instant_ns expire_at; /* from then on it does not answer; INSTANT_NEVER: primary */
	bool anybody_may_ask;         /* allow-query is "any"; the directory's own */
	bool rotates;                 /* likewise: `rotate: yes` */
	uint8_t lower[PUBLICATION_NAME_MAX]; /* the name, where it fits; the directory's own */
	uint64_t id;                         /* no other publication has it; the directory's own */
	struct view view; /* no layers: the zone is known, but there is nothing to answer from */
	_Atomic uint32_t pins;
	/* the directory's own */
	uint64_t hash;
	uint64_t retired_at;
	struct publication *retired_next;
};

struct directory_table;

struct directory_reader {
	alignas(CACHE_LINE_OCTETS) _Atomic uint64_t seen; /* UINT64_MAX: between batches */
};

struct directory {
	_Atomic(struct directory_table *) table;
	_Atomic uint64_t depths[2]; /* bit i: some zone's name has i labels */
	_Atomic uint64_t serving;   /* the generation that a new batch sees at least */
	uint64_t seed;              /* of the hashes of names; nobody else's to know */
	/* the writer's own */
	uint64_t published; /* the last publication's id */
	uint32_t depth_counts[LABEL_COUNT_MAX + 1];
	struct publication *retired; /* in ascending order of retired_at */
	struct publication **retired_end;
	struct publication **fresh; /* from here on: since the last directory_serve */
	struct directory_table *fresh_tables;
	struct directory_table *retired_tables;
	unsigned reader_count;
	struct directory_reader readers[DIRECTORY_READERS_MAX];
};

/* Octets of a table that holds `zone_count` zones; give it some more to spare. */
size_t directory_table_size(size_t zone_count);

/* `memory` of directory_table_size octets, zeroed, aligned for any type, is lent to the directory.
 */
void directory_init(struct directory *directory, struct siphash_key key, unsigned reader_count,
		    void *memory, size_t size);

/* ---- the writer ---- */

/*
 * Publishes a zone, new or in place of its former version; from here on the directory
 * owns `publication` until it hands it back. E_LIMIT: the table is full, nothing
 * changed, directory_resize and try again.
 */
enum code directory_publish(struct directory *directory, struct publication *publication,
			    struct error *err);

/* The zone of exactly this name is no more. E_NOT_FOUND when there is none. */
enum code directory_withdraw(struct directory *directory, struct name name, struct error *err);

/* Moves on to a larger (or smaller) table of zeroed memory. E_RANGE: too small, nothing changed. */
enum code directory_resize(struct directory *directory, void *memory, size_t size,
			   struct error *err);

/* All that was published and withdrawn so far is generation `generation`, higher than any before.
 */
void directory_serve(struct directory *directory, uint64_t generation);

/* Every reader has passed a batch since this generation was served, and no pin holds an older one.
 */
uint64_t directory_released(const struct directory *directory);

/* One thing that nobody reads any more and the caller may free; NULL when there is none now. */
struct publication *directory_reap(struct directory *directory);
void *directory_reap_table(struct directory *directory);

size_t directory_zone_count(const struct directory *directory);

/* Every zone, in no order, for the writer: `at` starts at 0; NULL at the end. */
struct publication *directory_next(const struct directory *directory, size_t *at);

/* The expire instant moves, e.g. because the primary confirmed the serial. */
void publication_set_expire(struct publication *publication, instant_ns expire_at);

/* ---- readers ---- */

/* `reader` is below reader_count and used by one thread. */
void directory_reader_begin(struct directory *directory, unsigned reader);
void directory_reader_end(struct directory *directory, unsigned reader);

/* The zone whose name is the longest suffix of `name`; NULL when none is. */
struct publication *directory_find(const struct directory *directory, struct name name);

/* The zone of exactly this name; NULL when there is none. */
struct publication *directory_find_exact(const struct directory *directory, struct name name);

/*
 * directory_find in three steps, for a batch of questions: between the steps of one the
 * memory of the others is on its way. The caller has walked over the labels of `name`, which
 * is in lower case: starts[i] is where label i begins, the root label not counted.
 */
struct directory_search {
	struct name name; /* borrowed until the end */
	const struct directory_table *table;
	struct publication *found;
	unsigned count; /* of the suffixes that may be zones, the shortest first */
	uint8_t suffixes[DIRECTORY_SUFFIXES_MAX]; /* where in the name they begin */
	uint64_t hashes[DIRECTORY_SUFFIXES_MAX];
};

void directory_search_begin(const struct directory *directory, struct name name,
			    const uint8_t *starts, unsigned label_count,
			    struct directory_search *search);
void directory_search_touch(struct directory_search *search);

/* NULL when it is not found by these means; directory_find tells in any case. */
struct publication *directory_search_end(const struct directory_search *search);

/* Keeps a publication beyond the batch, e.g. while it is transferred out. */
void publication_pin(struct publication *publication);
void publication_unpin(struct publication *publication);

bool publication_is_loaded(const struct publication *publication);
bool publication_is_expired(const struct publication *publication, instant_ns now);

#endif
