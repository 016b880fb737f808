/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting into canonical order, made for millions of records that share long ends.
 *
 * Names are compared from the root, so each record gets a key of octets that compare
 * as RFC 4034 6.1 wants: its labels from the root on without the end that all owners
 * share, then its type. Eight octets of the key at a time are sorted as one integer;
 * records that tie there get their next eight. So each octet is looked at about once,
 * and only the data of one RRset is compared by record_compare. Ties go by the order
 * in which the records came.
 */
#include "zone/records_sort.h"

#include <assert.h>

enum {
	SMALL = 24,    /* below this, insertion wins */
	SMALL_TIE = 6, /* so few ties are not worth new keys */
};

struct key {
	uint64_t octets;
	size_t at, from;
};

static void key_put(struct key *key, uint8_t octet)
{
	if (key->at >= key->from && key->at < key->from + KEY_OCTETS)
		key->octets |= (uint64_t)octet << 8 * (KEY_OCTETS - 1 - (key->at - key->from));
	key->at++;
}

/*
 * A label ends in 0; so that nothing in it sorts as low, 0 and 1 are written as
 * 1 1 and 1 2. A name ends in one more 0, below everything that could follow.
 */
static void key_put_label(struct key *key, const uint8_t *label)
{
	for (size_t i = 1; i <= label[0]; i++) {
		uint8_t octet = label[i];
		if (octet >= 'A' && octet <= 'Z') octet = (uint8_t)(octet | 0x20);
		if (octet <= 1) {
			key_put(key, 1);
			octet++;
		}
		key_put(key, octet);
	}
	key_put(key, 0);
}

bool item_key(const struct sort *sort, struct item *item, size_t from)
{
	const struct record_entry *entry = &sort->set->entries[item->index];
	size_t own_len = entry->owner_len - sort->shared_len;
	uint8_t starts[LABEL_COUNT_MAX];
	size_t count = 0;
	struct key key = {.from = from};

	for (size_t at = 0; at < own_len; at += (size_t)entry->wire[at] + 1)
		starts[count++] = (uint8_t)at;
	while (count > 0 && key.at <= from + KEY_OCTETS)
		key_put_label(&key, entry->wire + starts[--count]);
	if (count == 0) {
		const uint8_t *type = entry->wire + entry->owner_len;
		bool is_soa = type[0] == 0 && type[1] == RRTYPE_SOA;
		key_put(&key, 0);
		key_put(&key, is_soa ? 0 : 1);
		if (!is_soa) {
			key_put(&key, type[0]);
			key_put(&key, type[1]);
		}
	}
	item->key = key.octets;
	return key.at <= from + KEY_OCTETS;
}

static bool item_before(const struct sort *sort, const struct item *a, const struct item *b)
{
	if (!sort->by_record) return a->key < b->key;
	struct record x = records_get(sort->set, a->index);
	struct record y = records_get(sort->set, b->index);
	int order = record_compare(&x, &y);
	return order ? order < 0 : a->index < b->index;
}

static void sort_by_insertion(const struct sort *sort, struct item *items, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct item item = items[i];
		size_t at = i;
		for (; at > 0 && item_before(sort, &item, &items[at - 1]); at--)
			items[at] = items[at - 1];
		items[at] = item;
	}
}

static void heap_sink(const struct sort *sort, struct item *items, size_t at, size_t count)
{
	struct item item = items[at];

	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && item_before(sort, &items[child], &items[child + 1]))
			child++;
		if (!item_before(sort, &item, &items[child])) break;
		items[at] = items[child];
	}
	items[at] = item;
}

static void sort_by_heap(const struct sort *sort, struct item *items, size_t count)
{
	for (size_t i = count / 2; i > 0; i--) heap_sink(sort, items, i - 1, count);
	for (size_t end = count; end > 1; end--) {
		struct item last = items[end - 1];
		items[end - 1] = items[0];
		items[0] = last;
		heap_sink(sort, items, 0, end - 1);
	}
}

static uint64_t middle_of(uint64_t a, uint64_t b, uint64_t c)
{
	if (a > b) return b > c ? b : a < c ? a : c;
	return a > c ? a : b < c ? b : c;
}

/* Splits into keys at most and at least the pivot; returns where the second part begins. */
static size_t items_split(struct item *items, size_t count)
{
	uint64_t pivot = middle_of(items[0].key, items[count / 2].key, items[count - 1].key);
	size_t low = 0, high = count - 1;

	for (;; low++, high--) {
		while (items[low].key < pivot) low++;
		while (items[high].key > pivot) high--;
		if (low >= high) break;
		struct item item = items[low];
		items[low] = items[high];
		items[high] = item;
	}
	assert(low > 0 && low < count);
	return low;
}

/* Quicksort on the keys; after too many bad splits (`depth` is used up) the heap takes over. */
static void sort_by_key(const struct sort *sort, struct item *items, size_t count, unsigned depth)
{
	while (count > SMALL) {
		if (depth-- == 0) {
			sort_by_heap(sort, items, count);
			return;
		}
		size_t split = items_split(items, count);
		if (split < count - split) {
			sort_by_key(sort, items, split, depth);
			items += split;
			count -= split;
		} else {
			sort_by_key(sort, items + split, count - split, depth);
			count = split;
		}
	}
	sort_by_insertion(sort, items, count);
}

static void sort_by_record(struct sort sort, struct item *items, size_t count)
{
	sort.by_record = true;
	if (count <= SMALL)
		sort_by_insertion(&sort, items, count);
	else
		sort_by_heap(&sort, items, count);
}

/* Asks for the record of an item some steps on: its entry first, later its octets. */
static void item_prefetch(const struct sort *sort, const struct item *items, size_t count, size_t i)
{
	enum { STEPS = 12 };
	const struct record_entry *entries = sort->set->entries;

	if (i + 2 * STEPS < count) __builtin_prefetch(&entries[items[i + 2 * STEPS].index]);
	if (i + STEPS < count) __builtin_prefetch(entries[items[i + STEPS].index].wire);
}

/* Goes as deep as a key has groups of eight octets: some 65. */
void items_sort(const struct sort *sort, struct item *items, size_t count, size_t from)
{
	unsigned depth = 2 * (unsigned)(64 - __builtin_clzll(count | 1));
	size_t next;

	sort_by_key(sort, items, count, depth);
	for (size_t i = 0; i < count; i = next) {
		for (next = i + 1; next < count && items[next].key == items[i].key; next++)
			item_prefetch(sort, items, count, next);
		item_prefetch(sort, items, count, i);
		if (next - i == 1) continue;
		/* Keys tell their own end, so they all end here when one does. */
		if (next - i <= SMALL_TIE || item_key(sort, &items[i], from)) {
			sort_by_record(*sort, items + i, next - i);
			continue;
		}
		for (size_t k = i; k < next; k++) {
			item_prefetch(sort, items, next, k);
			item_key(sort, &items[k], from + KEY_OCTETS);
		}
		items_sort(sort, items + i, next - i, from + KEY_OCTETS);
	}
}

struct name records_shared_end(const struct records *set, struct name end)
{
	for (size_t i = 0; i < set->count && !name_is_root(end); i++) {
		struct name owner = records_get(set, i).owner;
		while (!name_is_below(owner, end)) end = name_parent(end);
	}
	return end;
}

/* Puts each entry where its item is, along the cycles of the permutation. */
static void entries_permute(struct record_entry *entries, struct item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct record_entry first = entries[i];
		size_t at = i;
		while (items[at].index != i) {
			size_t from = items[at].index;
			entries[at] = entries[from];
			items[at].index = (uint32_t)at;
			at = from;
		}
		entries[at] = first;
		items[at].index = (uint32_t)at;
	}
}

static void duplicates_drop(struct records *set)
{
	size_t kept = 1;

	for (size_t i = 1; i < set->count; i++) {
		struct record last = records_get(set, kept - 1);
		struct record next = records_get(set, i);
		records_prefetch(set, i);
		if (record_compare(&last, &next) == 0 && last.class == next.class)
			set->wire_len -= record_len(&next);
		else
			set->entries[kept++] = set->entries[i];
	}
	set->count = kept;
}

int records_order(const struct records *set)
{
	int found = -1;

	for (size_t i = 1; i < set->count; i++) {
		struct record last = records_get(set, i - 1);
		struct record next = records_get(set, i);
		int order = record_compare(&last, &next);
		records_prefetch(set, i);
		if (order > 0) return order;
		if (order == 0) found = 0;
	}
	return found;
}

enum code records_sort(struct records *set, struct error *err)
{
	int order = records_order(set);

	if (order > 0) {
		struct name end = records_shared_end(set, records_get(set, 0).owner);
		struct sort sort = {.set = set, .shared_len = end.len};
		struct item *items = arena_alloc_array(set->arena, set->count, sizeof *items);
		if (!items)
			return error_set(err, E_NOMEM, "no memory to sort %zu records", set->count);
		for (size_t i = 0; i < set->count; i++) {
			items[i].index = (uint32_t)i;
			item_key(&sort, &items[i], 0);
		}
		items_sort(&sort, items, set->count, 0);
		entries_permute(set->entries, items, set->count);
	}
	if (order >= 0) duplicates_drop(set);
	set->sorted = true;
	return OK;
}
