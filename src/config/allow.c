/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allow lists: acls are written out into the lists that name them, so that whoever
 * checks one reads it from the front and is done. Lists that are the same are kept
 * once, however many zones have them.
 */
#include "config/load.h"

#include <assert.h>

#include "base/suggest.h"

static const char *const condition_keys[] = {"address", "key", "transport", "deny"};
enum condition { CONDITION_ADDRESS, CONDITION_KEY, CONDITION_TRANSPORT, CONDITION_DENY };
enum { CONDITION_COUNT = CONDITION_DENY + 1 };

static const char *const transport_words[] = {"udp", "tcp", NULL};
static_assert(ARRAY_COUNT(transport_words) == TRANSPORT_COUNT + 1, "a word for each transport");

/* Adds an item to the list being made, which is on top of those it is made within. */
static bool allow_push(struct load *load, const struct access_item *item)
{
	if (load->allow.count == load->allow.capacity) {
		size_t capacity = load->allow.capacity ? 2 * load->allow.capacity : 64;
		struct access_item *grown =
			arena_grow(load->scratch, load->allow.items,
				   load->allow.count * sizeof *grown, capacity * sizeof *grown);
		if (!grown) {
			load->exhausted = true;
			return false;
		}
		load->allow.items = grown;
		load->allow.capacity = capacity;
	}
	/* Member by member over zeros: equal items are equal octets, which the pool compares. */
	struct access_item *new = &load->allow.items[load->allow.count++];
	memset(new, 0, sizeof *new);
	new->deny = item->deny;
	new->any_address = item->any_address;
	new->prefix = item->prefix;
	new->remote = item->remote;
	new->key = item->key;
	new->transports = item->transports;
	new->acl = item->acl;
	return true;
}

/* Ends the list that began at `base`: kept once, and taken off. */
static bool allow_keep(struct load *load, size_t base, struct access_list *list)
{
	size_t count = load->allow.count - base;

	load->allow.count = base;
	*list = (struct access_list){0};
	if (count == 0) return true;
	list->items = pool_keep(load, load->allow.items + base, count * sizeof *list->items);
	list->count = list->items ? count : 0;
	return list->items;
}

/* Room for `count` more in the list that began at `base`, and in all lists together. */
static bool allow_has_room(struct load *load, const struct node *node, size_t base, size_t count)
{
	load->allow.total += count;
	if (load->allow.count - base + count > ALLOW_ITEMS_MAX) {
		load_error(load, node, "an allow list with more than %d items, acls written out",
			   ALLOW_ITEMS_MAX);
		return false;
	}
	if (load->allow.total > ALLOW_ITEMS_TOTAL_MAX) {
		load_error(load, node, "allow lists with more than %d items together",
			   ALLOW_ITEMS_TOTAL_MAX);
		return false;
	}
	return true;
}

static const struct prefix *prefix_keep(struct load *load, const struct prefix *prefix)
{
	return pool_keep(load, prefix, sizeof *prefix);
}

static bool acl_resolve(struct load *load, const struct node *node, size_t place)
{
	const struct setting *setting = setting_find(CHAPTER_ACLS, span_of_text("items"));
	const struct node *items = entry_value(load->acls.entries[place], CHAPTER_ACLS, "items");

	if (load->acl_states[place] == ACL_READ) return true;
	if (load->acl_states[place] == ACL_UNDER_WAY) {
		load_error(load, node, "acl \"%s\" contains itself", load->acls.texts[place]);
		return false;
	}
	if (load->allow.acl_depth == ACL_DEPTH_MAX) {
		load_error(load, node, "acls within acls, more than %d deep", ACL_DEPTH_MAX);
		return false;
	}
	load->acl_states[place] = ACL_UNDER_WAY;
	load->allow.acl_depth++;
	if (items) value_read(load, setting, items, &load->acl_list[place]);
	load->allow.acl_depth--;
	load->acl_states[place] = ACL_READ;
	return true;
}

/* Writes an acl out. What it refuses cannot be made the opposite of by a deny around it. */
static void allow_acl(struct load *load, const struct node *node, size_t base, bool deny,
		      size_t place)
{
	const struct acl *acl = &load->acl_list[place];

	if (!acl_resolve(load, node, place)) return;
	if (!allow_has_room(load, node, base, acl->list.count)) return;
	for (size_t i = 0; i < acl->list.count; i++) {
		struct access_item item = acl->list.items[i];
		if (deny && item.deny) {
			load_error(load, node,
				   "acl \"%s\" has deny items, so it cannot stand behind deny",
				   acl->label);
			return;
		}
		item.deny |= deny;
		if (!item.acl) item.acl = acl->label;
		if (!allow_push(load, &item)) return;
	}
}

static void tell_nobody(struct load *load, const struct node *node)
{
	struct span text = node_text(node);
	const char *near = NULL;

	if (labels_find(&load->keys, text) != SIZE_MAX) {
		load_error(load, node, "\"%.*s\" is a key; write {key: %.*s}", (int)node->len,
			   node->text, (int)node->len, node->text);
		return;
	}
	if (!diagnostics_full(load->diagnostics)) {
		near = suggest(text, load->acls.texts, load->acls.count);
		if (!near) near = suggest(text, load->remotes.texts, load->remotes.count);
	}
	if (near)
		load_error(load, node,
			   "\"%.*s\" is no address, acl or remote; did you mean \"%s\"?",
			   (int)node->len, node->text, near);
	else
		load_error(load, node, "\"%.*s\" is no address, acl or remote", (int)node->len,
			   node->text);
}

static void allow_word(struct load *load, const struct setting *setting, const struct node *node,
		       size_t base, bool deny)
{
	struct access_item item = {.deny = deny};
	struct prefix prefix = {0};
	struct span text;
	size_t place;

	if (!node_scalar(load, setting, node, &text)) return;
	place = labels_find(&load->acls, text);
	if (place != SIZE_MAX) {
		allow_acl(load, node, base, deny, place);
		return;
	}
	place = labels_find(&load->remotes, text);
	if (place != SIZE_MAX)
		item.remote = &load->remote_list[place];
	else if (span_is_text(text, "any"))
		item.any_address = true;
	else if (prefix_parse(text, &prefix))
		item.prefix = prefix_keep(load, &prefix);
	else if (prefix_looks_meant(text)) {
		tell_prefix(load, setting, node, text);
		return;
	} else {
		tell_nobody(load, node);
		return;
	}
	if (!load->exhausted && allow_has_room(load, node, base, 1)) allow_push(load, &item);
}

/* The values of one condition; a list of them means one of these. */
struct conditions {
	const struct prefix *prefixes[CONDITION_VALUES_MAX];
	size_t prefix_count;
	bool any_address;
	const struct tsig_key *keys[CONDITION_VALUES_MAX];
	size_t key_count;
	uint8_t transports;
};

static void condition_value(struct load *load, const struct setting *setting,
			    enum condition condition, const struct node *node,
			    struct conditions *all)
{
	struct prefix prefix = {0};
	struct span text;

	if (!node_scalar(load, setting, node, &text)) return;
	if (condition == CONDITION_KEY) {
		const struct tsig_key *key = key_find(load, node, text);
		if (key) all->keys[all->key_count++] = key;
	} else if (condition == CONDITION_TRANSPORT) {
		size_t word = word_find(transport_words, text);
		if (word == SIZE_MAX)
			load_error(load, node, "unknown transport \"%.*s\"; there are: udp, tcp",
				   (int)node->len, node->text);
		else
			all->transports |= (uint8_t)(1u << word);
	} else if (span_is_text(text, "any")) {
		all->any_address = true;
	} else if (prefix_parse(text, &prefix)) {
		all->prefixes[all->prefix_count++] = prefix_keep(load, &prefix);
	} else {
		tell_prefix(load, setting, node, text);
	}
}

static void condition_read(struct load *load, const struct setting *setting,
			   enum condition condition, const struct node *node,
			   struct conditions *all)
{
	struct items items;

	if (!node_items(load, setting, node, &items)) return;
	if (items.count == 0 || items.count > CONDITION_VALUES_MAX) {
		load_error(load, node, "%s: from 1 to %d values, found %zu",
			   condition_keys[condition], CONDITION_VALUES_MAX, items.count);
		return;
	}
	for (; items.count; items.count--, items.first = items.first->next)
		condition_value(load, setting, condition, items.first, all);
}

/* Conditions that must all hold: an item for each pair of an address and a key. */
static void allow_conditions(struct load *load, const struct node *node, size_t base, bool deny,
			     const struct conditions *all)
{
	bool any = all->any_address || all->prefix_count == 0;
	size_t prefix_count = any ? 1 : all->prefix_count;
	size_t key_count = all->key_count ? all->key_count : 1;

	if (load->exhausted || !allow_has_room(load, node, base, prefix_count * key_count)) return;
	for (size_t i = 0; i < prefix_count; i++) {
		for (size_t k = 0; k < key_count; k++) {
			struct access_item item = {
				.deny = deny,
				.any_address = all->any_address,
				.prefix = any ? NULL : all->prefixes[i],
				.key = all->key_count ? all->keys[k] : NULL,
				.transports = all->transports,
			};
			if (!allow_push(load, &item)) return;
		}
	}
}

static void allow_items(struct load *load, const struct setting *setting, const struct node *node,
			size_t base, bool deny);

static bool condition_find(struct load *load, const struct node *key, enum condition *out)
{
	const char *near;

	for (int i = 0; i < CONDITION_COUNT; i++) {
		if (key->kind != NODE_SCALAR || !span_is_text(node_text(key), condition_keys[i]))
			continue;
		*out = (enum condition)i;
		return true;
	}
	if (key->kind != NODE_SCALAR) {
		load_error(load, key, "a condition of an allow list is one word");
		return false;
	}
	near = suggest(node_text(key), condition_keys, CONDITION_COUNT);
	if (near)
		load_error(load, key, "unknown condition \"%.*s\"; did you mean \"%s\"?",
			   (int)key->len, key->text, near);
	else
		load_error(load, key,
			   "unknown condition \"%.*s\"; there are: address, key, "
			   "transport, deny",
			   (int)key->len, key->text);
	return false;
}

static void allow_map(struct load *load, const struct setting *setting, const struct node *node,
		      size_t base, bool deny)
{
	struct conditions all = {0};
	const struct node *seen[CONDITION_COUNT] = {0};
	size_t errors = load->diagnostics->error_count;
	enum condition condition;

	for (const struct node *key = node->first; key && key->next; key = key->next->next) {
		if (!condition_find(load, key, &condition)) continue;
		if (seen[condition])
			load_error(load, key, "\"%s\" stands here a second time",
				   condition_keys[condition]);
		seen[condition] = key;
		if (condition != CONDITION_DENY)
			condition_read(load, setting, condition, key->next, &all);
	}
	const struct node *refused = seen[CONDITION_DENY];
	if (refused && node->len > 2)
		load_error(load, node, "deny stands alone: {deny: {address: ..., key: ...}}");
	else if (refused && deny)
		load_error(load, refused, "deny within deny");
	else if (refused)
		allow_items(load, setting, refused->next, base, true);
	else if (node->len == 0)
		load_error(load, node, "an item without a condition; `any` is everybody");
	else if (load->diagnostics->error_count == errors)
		allow_conditions(load, node, base, deny, &all);
}

static void allow_items(struct load *load, const struct setting *setting, const struct node *node,
			size_t base, bool deny)
{
	struct items items;

	if (!node_items(load, setting, node, &items)) return;
	for (; items.count && !load->exhausted; items.count--, items.first = items.first->next) {
		if (items.first->kind == NODE_MAP)
			allow_map(load, setting, items.first, base, deny);
		else
			allow_word(load, setting, items.first, base, deny);
	}
}

bool read_allow(struct load *load, const struct setting *setting, const struct node *node,
		void *object)
{
	struct access_list list;
	size_t base = load->allow.count;

	allow_items(load, setting, node, base, false);
	if (!allow_keep(load, base, &list)) return false;
	setting_list_set(setting, object, list.items, list.count);
	return true;
}

bool allow_with_secondaries(struct load *load, struct zone_policy *zone)
{
	size_t base = load->allow.count;
	const struct access_list *list = &zone->allow_transfer;

	if (zone->secondary_count == 0) return true;
	if (load->allow.last_secondaries == zone->secondaries &&
	    load->allow.last_allowed.items == list->items &&
	    load->allow.last_allowed.count == list->count) {
		zone->allow_transfer = load->allow.last_joined;
		return true;
	}
	load->allow.last_secondaries = zone->secondaries;
	load->allow.last_allowed = *list;
	for (size_t i = 0; i < zone->secondary_count; i++)
		if (!allow_push(load, &(struct access_item){.remote = zone->secondaries[i]}))
			return false;
	for (size_t i = 0; i < list->count; i++)
		if (!allow_push(load, &list->items[i])) return false;
	if (!allow_keep(load, base, &load->allow.last_joined)) return false;
	zone->allow_transfer = load->allow.last_joined;
	return true;
}

static void check_namespace(struct load *load, size_t place)
{
	const char *label = load->acls.texts[place];
	size_t remote = labels_find(&load->remotes, span_of_text(label));

	if (remote == SIZE_MAX) return;
	const struct node *first =
		entry_value(load->remotes.entries[remote], CHAPTER_REMOTES, "name");
	load_error(load, entry_value(load->acls.entries[place], CHAPTER_ACLS, "name"),
		   "\"%s\" is an acl here and a remote at %s:%u; allow lists could mean either",
		   label, node_source(load, first)->path, first->line);
}

void load_acls(struct load *load)
{
	const struct setting *setting = setting_find(CHAPTER_ACLS, span_of_text("items"));
	struct labels *acls = &load->acls;

	if (!labels_make(load, CHAPTER_ACLS, acls, label_read)) return;
	load->acl_list = load_scratch(load, acls->count, sizeof *load->acl_list);
	load->acl_states = load_scratch(load, acls->count, sizeof *load->acl_states);
	for (size_t i = 0; i < acls->count && !load->exhausted; i++) {
		load->acl_list[i].label = acls->texts[i];
		check_namespace(load, i);
	}
	for (size_t i = 0; i < acls->all && !load->exhausted; i++) {
		const struct entry *entry = acls->entries[i];
		const struct node *items = entry_value(entry, CHAPTER_ACLS, "items");
		struct acl nameless = {0};
		if (!items)
			load_error(load, entry->map, "an acl without items");
		else if (i < acls->count)
			acl_resolve(load, items, i);
		else
			value_read(load, setting, items, &nameless);
	}
}
