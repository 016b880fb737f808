/* SPDX-License-Identifier: Apache-2.0 */
/* Finding things by their octets while a configuration is read, and sorting them. */
#include "base/siphash.h"
#include "base/suggest.h"
#include "config/load.h"

enum { SLOTS_FIRST = 256 };

/* The octets come from a file that the admin wrote: the key need not be secret. */
static const struct siphash_key label_key = {UINT64_C(0x6c6f636b73746570), 1};

uint64_t octets_hash(struct span octets)
{
	return siphash(label_key, octets);
}

static size_t slots_for(size_t count)
{
	size_t slots = SLOTS_FIRST;

	while (slots < 2 * count) slots *= 2;
	return slots;
}

static struct pool_slot *pool_slot(const struct pool *pool, const void *octets, size_t len)
{
	size_t mask = pool->slot_count - 1;
	size_t at = (size_t)octets_hash(span_of(octets, len)) & mask;

	while (pool->slots[at].octets &&
	       (pool->slots[at].len != len || memcmp(pool->slots[at].octets, octets, len) != 0))
		at = (at + 1) & mask;
	return &pool->slots[at];
}

static bool pool_grow(struct load *load, struct pool *pool)
{
	struct pool bigger = {.slot_count = slots_for(2 * pool->count + 1), .count = pool->count};

	bigger.slots = load_scratch(load, bigger.slot_count, sizeof *bigger.slots);
	if (!bigger.slots) return false;
	for (size_t i = 0; i < pool->slot_count; i++) {
		struct pool_slot *old = &pool->slots[i];
		if (old->octets) *pool_slot(&bigger, old->octets, old->len) = *old;
	}
	*pool = bigger;
	return true;
}

const void *pool_keep(struct load *load, const void *octets, size_t len)
{
	struct pool *pool = &load->pool;

	if (2 * pool->count >= pool->slot_count && !pool_grow(load, pool)) return NULL;
	struct pool_slot *slot = pool_slot(pool, octets, len);
	if (slot->octets) return slot->octets;
	void *copy = load_keep(load, 1, len);
	if (!copy) return NULL;
	memcpy(copy, octets, len);
	*slot = (struct pool_slot){copy, len};
	pool->count++;
	return copy;
}

static uint32_t *label_slot(const struct labels *labels, struct span text)
{
	size_t mask = labels->slot_count - 1;
	size_t at = (size_t)octets_hash(text) & mask;

	while (labels->slots[at] && !span_is_text(text, labels->texts[labels->slots[at] - 1]))
		at = (at + 1) & mask;
	return &labels->slots[at];
}

size_t labels_find(const struct labels *labels, struct span text)
{
	if (labels->count == 0) return SIZE_MAX;
	uint32_t place = *label_slot(labels, text);
	return place ? place - 1 : SIZE_MAX;
}

void tell_missing(struct load *load, const struct labels *labels, const char *what,
		  const struct node *node)
{
	const char *near = NULL;

	/* Where nobody will read it, it is not searched for. */
	if (!diagnostics_full(load->diagnostics))
		near = suggest(node_text(node), labels->texts, labels->count);
	if (near)
		load_error(load, node, "%s \"%.*s\" does not exist; did you mean \"%s\"?", what,
			   (int)node->len, node->text, near);
	else if (span_is_text(node_text(node), "none"))
		load_error(load, node, "%s \"none\" does not exist; [] says that there are none",
			   what);
	else
		load_error(load, node, "%s \"%.*s\" does not exist", what, (int)node->len,
			   node->text);
}

const struct node *entry_value(const struct entry *entry, enum chapter chapter, const char *key)
{
	size_t count;
	const struct setting *settings = chapter_settings(chapter, &count);

	return entry->values[setting_find(chapter, span_of_text(key)) - settings];
}

/* An item with its label, while they are sorted. */
struct labelled {
	const char *label; /* NULL: none of its own */
	const struct entry *entry;
};

/* Those without a label go behind. */
static int labelled_compare(const void *a, const void *b)
{
	const struct labelled *x = a, *y = b;

	if (!x->label || !y->label) return !x->label - !y->label;
	return strcmp(x->label, y->label);
}

static const char *entry_label(struct load *load, enum chapter chapter, const struct entry *entry,
			       const char *(*read_label)(struct load *load, const struct node *node,
							 struct span text))
{
	const struct node *name = entry_value(entry, chapter, "name");
	const struct setting *setting = setting_find(chapter, span_of_text("name"));
	struct span text;

	if (!name) {
		load_error(load, entry->map, "%s without a name", chapter_info(chapter)->where);
		return NULL;
	}
	if (!node_scalar(load, setting, name, &text)) return NULL;
	return read_label(load, name, text);
}

void tell_second(struct load *load, const char *what, const struct node *second,
		 const struct node *first)
{
	load_error(load, second, "%s \"%.*s\" stands here a second time; the first is at %s:%u",
		   what, (int)second->len, second->text, node_source(load, first)->path,
		   first->line);
}

/* Sorted, so that of two with one name the one read first comes first. */
static void labels_put(struct load *load, enum chapter chapter, struct labels *labels,
		       const struct labelled **list, size_t count)
{
	for (size_t i = 0; i < count && list[i]->label; i++) {
		uint32_t *slot = label_slot(labels, span_of_text(list[i]->label));
		if (*slot) {
			tell_second(load, chapter_info(chapter)->one,
				    entry_value(list[i]->entry, chapter, "name"),
				    entry_value(labels->entries[*slot - 1], chapter, "name"));
			continue;
		}
		labels->texts[labels->count] = list[i]->label;
		labels->entries[labels->count] = list[i]->entry;
		*slot = (uint32_t)++labels->count;
	}
	labels->all = labels->count;
	for (size_t i = 0; i < count; i++) {
		bool first = list[i]->label && (i == 0 || !list[i - 1]->label ||
						strcmp(list[i - 1]->label, list[i]->label) != 0);
		if (!first) labels->entries[labels->all++] = list[i]->entry;
	}
}

bool labels_make(struct load *load, enum chapter chapter, struct labels *labels,
		 const char *(*read_label)(struct load *load, const struct node *node,
					   struct span text))
{
	const struct entries *entries = &load->chapters[chapter];
	size_t count = entries->count;
	struct labelled *items = load_scratch(load, count + 1, sizeof *items);
	const void **list = load_scratch(load, count + 1, sizeof *list);
	const void **spare = load_scratch(load, count + 1, sizeof *spare);

	labels->slot_count = slots_for(count);
	labels->slots = load_scratch(load, labels->slot_count, sizeof *labels->slots);
	labels->texts = load_scratch(load, count + 1, sizeof *labels->texts);
	labels->entries = load_scratch(load, count + 1, sizeof *labels->entries);
	if (load->exhausted) return false;
	for (size_t i = 0; i < count; i++) {
		items[i].entry = &entries->list[i];
		items[i].label = entry_label(load, chapter, items[i].entry, read_label);
		list[i] = &items[i];
	}
	pointers_sort(list, spare, count, labelled_compare);
	labels_put(load, chapter, labels, (const struct labelled **)list, count);
	return !load->exhausted;
}

static void merge(const void **from, size_t len, size_t middle, const void **to,
		  int (*compare)(const void *a, const void *b))
{
	size_t left = 0, right = middle;

	for (size_t i = 0; i < len; i++) {
		if (right == len || (left < middle && compare(from[left], from[right]) <= 0))
			to[i] = from[left++];
		else
			to[i] = from[right++];
	}
}

/* Merges runs of doubling length; what is in order already is not touched. */
void pointers_sort(const void **list, const void **spare, size_t count,
		   int (*compare)(const void *a, const void *b))
{
	for (size_t run = 1; run < count; run *= 2) {
		for (size_t at = 0; at + run < count; at += 2 * run) {
			size_t len = count - at < 2 * run ? count - at : 2 * run;
			if (compare(list[at + run - 1], list[at + run]) <= 0) continue;
			merge(list + at, len, run, spare, compare);
			memcpy(list + at, spare, len * sizeof *list);
		}
	}
}
