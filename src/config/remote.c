/* SPDX-License-Identifier: Apache-2.0 */
/* The other servers, and the lists that name them. */
#include "config/load.h"

enum { REMOTES_PER_LIST_MAX = 256 };

bool read_from(struct load *load, const struct setting *setting, const struct node *node,
	       void *object)
{
	struct remote *remote = object;
	struct prefix *list;
	struct items items;
	struct span text;

	if (!node_items(load, setting, node, &items)) return false;
	list = load_keep(load, items.count, sizeof *list);
	if (!list) return false;
	remote->from = list;
	for (; items.count; items.count--, items.first = items.first->next) {
		if (!node_scalar(load, setting, items.first, &text)) continue;
		if (span_is_text(text, "any"))
			remote->from_any = true;
		else if (prefix_parse(text, &list[remote->from_count]))
			remote->from_count++;
		else
			tell_prefix(load, setting, items.first, text);
	}
	return true;
}

/* Where nothing is said, its requests come from where ours go to. */
static void from_address(struct load *load, struct remote *remote)
{
	struct prefix *list = load_keep(load, remote->address_count, sizeof *list);

	if (!list) return;
	for (size_t i = 0; i < remote->address_count; i++) {
		list[i].address = remote->addresses[i].address;
		list[i].bits = list[i].address.family == 4 ? 32 : 128;
	}
	remote->from = list;
	remote->from_count = remote->address_count;
}

static void remote_load(struct load *load, const struct entry *entry, struct remote *remote)
{
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_REMOTES, &count);
	const struct node *from = entry_value(entry, CHAPTER_REMOTES, "from");
	const struct node *address = entry_value(entry, CHAPTER_REMOTES, "address");
	const struct node *keys = entry_value(entry, CHAPTER_REMOTES, "keys");

	for (size_t i = 0; i < count; i++)
		if (entry->values[i]) value_read(load, &settings[i], entry->values[i], remote);
	if (!address && !from) load_error(load, entry->map, "a remote without an address");
	if (!from) from_address(load, remote);
	if (remote->from_any && (!keys || (keys->kind == NODE_LIST && keys->len == 0)))
		load_error(load, from,
			   "\"from: any\" needs keys: else anybody could be this remote");
}

void load_remotes(struct load *load)
{
	struct labels *remotes = &load->remotes;

	if (!labels_make(load, CHAPTER_REMOTES, remotes, label_read)) return;
	load->remote_list = load_keep(load, remotes->count, sizeof *load->remote_list);
	for (size_t i = 0; i < remotes->all && !load->exhausted; i++) {
		struct remote nameless = {0};
		bool named = i < remotes->count;
		if (named) load->remote_list[i].label = remotes->texts[i];
		remote_load(load, remotes->entries[i], named ? &load->remote_list[i] : &nameless);
	}
	load->policy->remotes = load->remote_list;
	load->policy->remote_count = remotes->count;
}

static const struct remote *remote_of(struct load *load, const struct setting *setting,
				      const struct node *node)
{
	struct span text;
	size_t place;

	if (!node_scalar(load, setting, node, &text)) return NULL;
	place = labels_find(&load->remotes, text);
	if (place == SIZE_MAX) {
		tell_missing(load, &load->remotes, "remote", node);
		return NULL;
	}
	const struct remote *remote = &load->remote_list[place];
	if (remote->address_count == 0 &&
	    entry_value(load->remotes.entries[place], CHAPTER_REMOTES, "address") == NULL) {
		load_error(load, node, "remote \"%s\" has no address to send to", remote->label);
		return NULL;
	}
	return remote;
}

bool read_remotes(struct load *load, const struct setting *setting, const struct node *node,
		  void *object)
{
	const struct remote *list[REMOTES_PER_LIST_MAX];
	const void *kept = NULL;
	struct items items;
	size_t count = 0;
	bool right = true;

	if (!node_items(load, setting, node, &items)) return false;
	for (; items.count; items.count--, items.first = items.first->next) {
		const struct remote *remote = remote_of(load, setting, items.first);
		size_t same = 0;
		right &= remote != NULL;
		if (!remote) continue;
		while (same < count && list[same] != remote) same++;
		if (same < count)
			load_error(load, items.first, "\"%s\" stands in this list a second time",
				   remote->label);
		else if (count < REMOTES_PER_LIST_MAX)
			list[count++] = remote;
	}
	if (count) kept = pool_keep(load, list, count * sizeof *list);
	setting_list_set(setting, object, kept, count);
	return right && !load->exhausted;
}
