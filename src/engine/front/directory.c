/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/front/directory.h"

#include <assert.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/*
 * Open addressing, linear probing. An entry's hash is written before its first
 * publication and never changes, so a reader that sees the publication sees the hash.
 * A withdrawn zone leaves `withdrawn` behind: the probe goes on over it.
 */
struct directory_entry {
	_Atomic(struct publication *) publication;
	uint64_t hash;
};

struct directory_table {
	struct directory_table *retired_next;
	uint64_t retired_at;
	size_t capacity; /* a power of two */
	size_t used;     /* entries that are not NULL, withdrawn ones included */
	size_t live;
	struct directory_entry entries[];
};

enum {
	TABLE_CAPACITY_MIN = 16,
	PUBLICATION_HOT_OCTETS =
		4 * CACHE_LINE_OCTETS, /* up to what finds names in its newest layer */
};

static struct publication withdrawn;

/* At most three quarters of the entries are used, so that every probe ends soon. */
static size_t table_used_max(size_t capacity)
{
	return capacity / 4 * 3;
}

static size_t table_octets(size_t capacity)
{
	return sizeof(struct directory_table) + capacity * sizeof(struct directory_entry);
}

size_t directory_table_size(size_t zone_count)
{
	size_t capacity = TABLE_CAPACITY_MIN;

	while (table_used_max(capacity) < zone_count) capacity *= 2;
	return table_octets(capacity);
}

static struct directory_table *table_make(void *memory, size_t size)
{
	struct directory_table *table = memory;
	size_t capacity = TABLE_CAPACITY_MIN;

	assert(size >= table_octets(capacity));
	while (table_octets(capacity * 2) <= size) capacity *= 2;
	table->capacity = capacity;
	return table;
}

void directory_init(struct directory *directory, struct siphash_key key, unsigned reader_count,
		    void *memory, size_t size)
{
	assert(reader_count <= DIRECTORY_READERS_MAX);
	memset(directory, 0, sizeof *directory);
	directory->seed = siphash(key, span_of("", 0));
	directory->reader_count = reader_count;
	directory->retired_end = directory->fresh = &directory->retired;
	for (unsigned i = 0; i < DIRECTORY_READERS_MAX; i++)
		atomic_init(&directory->readers[i].seen, UINT64_MAX);
	atomic_init(&directory->table, table_make(memory, size));
}

/* Of a name from that of its parent and its first label, length octet included. */
static uint64_t label_hash(uint64_t parent, const uint8_t *label)
{
	return XXH3_64bits_withSeed(label, (size_t)label[0] + 1, parent);
}

/*
 * hashes[i] is that of the name's last i labels: each is keyed by the one before, so
 * one pass gives all suffixes. Stops at `depth_max` labels and returns how many there are.
 */
static unsigned suffix_hashes(uint64_t seed, struct name name, unsigned depth_max,
			      uint64_t hashes[static LABEL_COUNT_MAX + 1])
{
	struct name_buffer lower;
	uint8_t starts[LABEL_COUNT_MAX];
	unsigned labels = 0;

	name_lower(name, &lower);
	for (unsigned at = 0; lower.wire[at]; at += 1u + lower.wire[at])
		starts[labels++] = (uint8_t)at;
	if (depth_max > labels) depth_max = labels;

	hashes[0] = seed;
	for (unsigned depth = 1; depth <= depth_max; depth++)
		hashes[depth] = label_hash(hashes[depth - 1], lower.wire + starts[labels - depth]);
	return depth_max;
}

static struct publication *table_find(const struct directory_table *table, uint64_t hash,
				      struct name name)
{
	for (size_t i = hash;; i++) {
		const struct directory_entry *entry = &table->entries[i & (table->capacity - 1)];
		struct publication *found = atomic_load(&entry->publication);
		if (!found) return NULL;
		if (entry->hash == hash && found != &withdrawn && name_equal(found->name, name))
			return found;
	}
}

/* ---- readers ---- */

void directory_reader_begin(struct directory *directory, unsigned reader)
{
	assert(reader < directory->reader_count);
	atomic_store(&directory->readers[reader].seen, atomic_load(&directory->serving));
}

void directory_reader_end(struct directory *directory, unsigned reader)
{
	assert(reader < directory->reader_count);
	atomic_store(&directory->readers[reader].seen, UINT64_MAX);
}

static bool depth_is_used(const uint64_t depths[static 2], unsigned depth)
{
	return depths[depth / 64] >> depth % 64 & 1;
}

/* Some zone's name has more labels than this. */
static bool deeper_is_used(const uint64_t depths[static 2], unsigned depth)
{
	if (depth >= 64) return depth < LABEL_COUNT_MAX && depths[1] >> (depth - 64) >> 1;
	return depths[0] >> depth >> 1 || depths[1];
}

struct publication *directory_find(const struct directory *directory, struct name name)
{
	uint64_t hashes[LABEL_COUNT_MAX + 1];
	uint64_t depths[2] = {atomic_load(&directory->depths[0]),
			      atomic_load(&directory->depths[1])};
	const struct directory_table *table = atomic_load(&directory->table);
	unsigned depth = LABEL_COUNT_MAX;

	while (depth > 0 && !depth_is_used(depths, depth)) depth--;
	depth = suffix_hashes(directory->seed, name, depth, hashes);
	unsigned label_count = name_label_count(name);
	for (;; depth--) {
		if (depth_is_used(depths, depth)) {
			struct name suffix = name_without_labels(name, label_count - depth);
			struct publication *found = table_find(table, hashes[depth], suffix);
			if (found) return found;
		}
		if (depth == 0) return NULL;
	}
}

struct publication *directory_find_exact(const struct directory *directory, struct name name)
{
	uint64_t hashes[LABEL_COUNT_MAX + 1];
	unsigned depth = suffix_hashes(directory->seed, name, LABEL_COUNT_MAX, hashes);

	return table_find(atomic_load(&directory->table), hashes[depth], name);
}

void directory_search_begin(const struct directory *directory, struct name name,
			    const uint8_t *starts, unsigned label_count,
			    struct directory_search *search)
{
	uint64_t depths[2] = {atomic_load(&directory->depths[0]),
			      atomic_load(&directory->depths[1])};
	const struct directory_table *table = atomic_load(&directory->table);
	uint64_t hash = directory->seed;
	unsigned count = 0;

	search->name = name;
	search->table = table;
	search->found = NULL;
	for (unsigned depth = 0;; depth++) {
		if (depth_is_used(depths, depth)) {
			if (count == DIRECTORY_SUFFIXES_MAX) {
				count = 0; /* so many levels of zones are not for us */
				break;
			}
			search->suffixes[count] =
				depth ? starts[label_count - depth] : (uint8_t)(name.len - 1);
			search->hashes[count++] = hash;
			__builtin_prefetch(&table->entries[hash & (table->capacity - 1)]);
		}
		/* Deeper down, where no zone is, nothing is worth its hash. */
		if (depth == label_count || !deeper_is_used(depths, depth)) break;
		hash = label_hash(hash, name.wire + starts[label_count - depth - 1]);
	}
	search->count = count;
}

/* The publication with this hash, whatever its name. */
static struct publication *table_guess(const struct directory_table *table, uint64_t hash)
{
	for (size_t i = hash;; i++) {
		const struct directory_entry *entry = &table->entries[i & (table->capacity - 1)];
		struct publication *found = atomic_load(&entry->publication);
		if (!found || (entry->hash == hash && found != &withdrawn)) return found;
	}
}

void directory_search_touch(struct directory_search *search)
{
	while (search->count > 0 && !search->found)
		search->found = table_guess(search->table, search->hashes[--search->count]);
	if (!search->found) return;
	const uint8_t *octets = (const uint8_t *)search->found;
	for (size_t at = 0; at < PUBLICATION_HOT_OCTETS; at += CACHE_LINE_OCTETS)
		__builtin_prefetch(octets + at);
}

struct publication *directory_search_end(const struct directory_search *search)
{
	struct publication *found = search->found;

	if (!found) return NULL;
	unsigned start = search->suffixes[search->count];
	const uint8_t *wire = search->name.wire + start;
	size_t len = (size_t)search->name.len - start;
	if (found->name.len != len) return NULL;
	if (len <= PUBLICATION_NAME_MAX) return memcmp(found->lower, wire, len) ? NULL : found;
	return name_equal(found->name, (struct name){wire, (uint8_t)len}) ? found : NULL;
}

void publication_pin(struct publication *publication)
{
	atomic_fetch_add(&publication->pins, 1);
}

void publication_unpin(struct publication *publication)
{
	uint32_t before = atomic_fetch_sub(&publication->pins, 1);

	assert(before > 0);
	(void)before;
}

bool publication_is_loaded(const struct publication *publication)
{
	return publication->view.layer_count > 0;
}

bool publication_is_expired(const struct publication *publication, instant_ns now)
{
	return now >= atomic_load_explicit(&publication->expire_at, memory_order_relaxed);
}

/* ---- the writer ---- */

void publication_set_expire(struct publication *publication, instant_ns expire_at)
{
	atomic_store_explicit(&publication->expire_at, expire_at, memory_order_relaxed);
}

static void depth_count(struct directory *directory, struct name name, int change)
{
	unsigned depth = name_label_count(name);
	_Atomic uint64_t *word = &directory->depths[depth / 64];
	uint64_t bit = UINT64_C(1) << depth % 64;

	directory->depth_counts[depth] += (uint32_t)change;
	if (directory->depth_counts[depth])
		atomic_fetch_or(word, bit);
	else
		atomic_fetch_and(word, ~bit);
}

static void retire(struct directory *directory, struct publication *publication)
{
	publication->retired_at = UINT64_MAX;
	publication->retired_next = NULL;
	*directory->retired_end = publication;
	directory->retired_end = &publication->retired_next;
}

/*
 * The entry that holds `name`, else one that may take it (left by a zone of the same
 * hash, or empty).
 */
static struct directory_entry *table_place(struct directory_table *table, uint64_t hash,
					   struct name name)
{
	struct directory_entry *reusable = NULL;

	for (size_t i = hash;; i++) {
		struct directory_entry *entry = &table->entries[i & (table->capacity - 1)];
		struct publication *found = atomic_load(&entry->publication);
		if (!found) return reusable ? reusable : entry;
		if (entry->hash != hash) continue;
		if (found == &withdrawn) {
			if (!reusable) reusable = entry;
		} else if (name_equal(found->name, name)) {
			return entry;
		}
	}
}

static bool is_anybody(const struct access_item *item)
{
	return !item->deny && item->any_address && !item->prefix && !item->remote && !item->key &&
	       !item->transports;
}

/* What is known about it before the first question. */
static void publication_complete(struct publication *publication)
{
	const struct zone_policy *policy = publication->policy;
	struct name_buffer lower;

	name_lower(publication->name, &lower);
	if (lower.len <= PUBLICATION_NAME_MAX) memcpy(publication->lower, lower.wire, lower.len);
	publication->anybody_may_ask = policy && policy->allow_query.count > 0 &&
				       is_anybody(&policy->allow_query.items[0]);
	publication->rotates = policy && policy->rotate == SWITCH_YES;
}

enum code directory_publish(struct directory *directory, struct publication *publication,
			    struct error *err)
{
	struct directory_table *table = atomic_load(&directory->table);
	uint64_t hashes[LABEL_COUNT_MAX + 1];
	unsigned depth = suffix_hashes(directory->seed, publication->name, LABEL_COUNT_MAX, hashes);
	struct directory_entry *entry = table_place(table, hashes[depth], publication->name);
	struct publication *former = atomic_load(&entry->publication);

	if (!former) {
		if (table->used >= table_used_max(table->capacity))
			return error_set(err, E_LIMIT, "the directory's table is full at %zu zones",
					 table->used);
		table->used++;
		entry->hash = hashes[depth];
	}
	publication->hash = hashes[depth];
	publication_complete(publication);
	publication->id = ++directory->published;
	atomic_store(&entry->publication, publication);
	if (former && former != &withdrawn) {
		retire(directory, former);
	} else {
		table->live++;
		depth_count(directory, publication->name, 1);
	}
	return OK;
}

enum code directory_withdraw(struct directory *directory, struct name name, struct error *err)
{
	struct directory_table *table = atomic_load(&directory->table);
	struct publication *former = directory_find_exact(directory, name);
	char text[NAME_TEXT_MAX];

	if (!former)
		return error_set(err, E_NOT_FOUND, "no zone %s is published",
				 name_to_text(name, text));
	atomic_store(&table_place(table, former->hash, name)->publication, &withdrawn);
	table->live--;
	depth_count(directory, former->name, -1);
	retire(directory, former);
	return OK;
}

enum code directory_resize(struct directory *directory, void *memory, size_t size,
			   struct error *err)
{
	struct directory_table *former = atomic_load(&directory->table);
	struct directory_table *table = table_make(memory, size);

	if (table_used_max(table->capacity) < former->live)
		return error_set(err, E_RANGE, "a directory's table for %zu zones cannot hold %zu",
				 table_used_max(table->capacity), former->live);
	for (size_t i = 0; i < former->capacity; i++) {
		struct publication *p = atomic_load(&former->entries[i].publication);
		if (!p || p == &withdrawn) continue;
		struct directory_entry *entry = table_place(table, p->hash, p->name);
		entry->hash = p->hash;
		atomic_store_explicit(&entry->publication, p, memory_order_relaxed);
	}
	table->used = table->live = former->live;
	atomic_store(&directory->table, table);
	former->retired_next = directory->fresh_tables;
	directory->fresh_tables = former;
	return OK;
}

void directory_serve(struct directory *directory, uint64_t generation)
{
	assert(generation > atomic_load(&directory->serving));
	for (struct publication *p = *directory->fresh; p; p = p->retired_next)
		p->retired_at = generation;
	directory->fresh = directory->retired_end;
	while (directory->fresh_tables) {
		struct directory_table *table = directory->fresh_tables;
		directory->fresh_tables = table->retired_next;
		table->retired_at = generation;
		table->retired_next = directory->retired_tables;
		directory->retired_tables = table;
	}
	atomic_store(&directory->serving, generation);
}

/* The oldest generation that a reader's batch may still see. */
static uint64_t oldest_seen(const struct directory *directory)
{
	uint64_t oldest = atomic_load(&directory->serving);

	for (unsigned i = 0; i < directory->reader_count; i++) {
		uint64_t seen = atomic_load(&directory->readers[i].seen);
		if (seen < oldest) oldest = seen;
	}
	return oldest;
}

uint64_t directory_released(const struct directory *directory)
{
	uint64_t released = oldest_seen(directory);

	for (const struct publication *p = directory->retired; p; p = p->retired_next) {
		if (p->retired_at > released) break;
		if (atomic_load(&p->pins) > 0) return p->retired_at - 1;
	}
	return released;
}

struct publication *directory_reap(struct directory *directory)
{
	uint64_t oldest = oldest_seen(directory);

	for (struct publication **link = &directory->retired; *link;
	     link = &(*link)->retired_next) {
		struct publication *p = *link;
		if (p->retired_at > oldest) return NULL;
		if (atomic_load(&p->pins) > 0) continue;
		*link = p->retired_next;
		if (directory->fresh == &p->retired_next) directory->fresh = link;
		if (directory->retired_end == &p->retired_next) directory->retired_end = link;
		return p;
	}
	return NULL;
}

void *directory_reap_table(struct directory *directory)
{
	uint64_t oldest = oldest_seen(directory);

	for (struct directory_table **link = &directory->retired_tables; *link;
	     link = &(*link)->retired_next) {
		struct directory_table *table = *link;
		if (table->retired_at > oldest) continue;
		*link = table->retired_next;
		return table;
	}
	return NULL;
}

size_t directory_zone_count(const struct directory *directory)
{
	return atomic_load(&directory->table)->live;
}

struct publication *directory_next(const struct directory *directory, size_t *at)
{
	const struct directory_table *table = atomic_load(&directory->table);

	while (*at < table->capacity) {
		struct publication *p = atomic_load(&table->entries[(*at)++].publication);
		if (p && p != &withdrawn) return p;
	}
	return NULL;
}
