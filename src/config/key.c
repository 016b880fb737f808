/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TSIG keys. What is told of a secret never shows it: neither in the sentence nor in
 * the line below.
 */
#include "config/load.h"

#include "base/encoding.h"

enum { SECRET_BITS_PER_OCTET = 8 };

/* A key's name as it is compared: lower case, without its last dot. NULL: not a name. */
static const char *key_label(struct load *load, const struct node *node, struct span text)
{
	struct name root = name_root();
	struct name_buffer name, lower;
	char label[NAME_TEXT_MAX];
	struct error err = {0};

	if (name_from_text(text, &root, &name, &err) != OK) {
		load_error(load, node, "name of a key: %s", err.text);
		return NULL;
	}
	name_lower(name_of(&name), &lower);
	name_to_text(name_of(&lower), label);
	if (name_is_root(name_of(&lower)) || span_is_text(text, "@")) {
		load_error(load, node, "\"%.*s\" cannot be the name of a key", (int)text.len,
			   (const char *)text.ptr);
		return NULL;
	}
	return load_keep_text(load, span_of(label, strlen(label) - 1));
}

const struct tsig_key *key_find(struct load *load, const struct node *node, struct span text)
{
	struct name root = name_root();
	struct name_buffer name, lower;
	char label[NAME_TEXT_MAX];
	size_t place = SIZE_MAX;

	if (name_from_text(text, &root, &name, NULL) == OK) {
		name_lower(name_of(&name), &lower);
		name_to_text(name_of(&lower), label);
		place = labels_find(&load->keys, span_of(label, strlen(label) - 1));
	}
	if (place != SIZE_MAX) return &load->key_list[place];
	tell_missing(load, &load->keys, "key", node);
	return NULL;
}

static bool secret_decode(struct load *load, const struct node *node, struct span text,
			  struct span *secret, const char *where)
{
	uint8_t octets[CONFIG_SECRET_OCTETS_MAX];
	struct writer w = writer_of(octets, sizeof octets);
	bool right = base64_decode(text, &w);

	if (w.overflow) {
		load_secret_error(load, node, "%s holds more than %d octets", where,
				  CONFIG_SECRET_OCTETS_MAX);
		return false;
	}
	if (!right || w.len == 0) {
		load_secret_error(load, node, "%s is not base64", where);
		return false;
	}
	secret->ptr = arena_copy(load->arena, writer_span(&w));
	secret->len = w.len;
	memset(octets, 0, sizeof octets);
	if (!secret->ptr) load->exhausted = true;
	if (w.len * SECRET_BITS_PER_OCTET < CONFIG_SECRET_BITS_MIN)
		load_warning(load, node, "%s has only %zu bits; fewer than %d can be guessed",
			     where, w.len * SECRET_BITS_PER_OCTET, CONFIG_SECRET_BITS_MIN);
	return !load->exhausted;
}

bool read_secret(struct load *load, const struct setting *setting, const struct node *node,
		 void *object)
{
	struct source *source = &load->sources[node->source];
	struct span text;

	if (source->others_can_read && !source->others_told) {
		source->others_told = true;
		load_secret_error(load, node,
				  "%s holds a secret and every user of this host can read it; "
				  "take that away (chmod o= %s), or move the secret to a file of "
				  "its own (secret-file)",
				  source->path, source->path);
	}
	if (!node_scalar(load, setting, node, &text)) return false;
	return secret_decode(load, node, text, setting_value(setting, object), "the secret");
}

static struct span trimmed(struct span text)
{
	while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1])) text.len--;
	while (text.len && strchr(" \t\r\n", text.ptr[0]))
		text = span_of(text.ptr + 1, text.len - 1);
	return text;
}

bool read_secret_file(struct load *load, const struct setting *setting, const struct node *node,
		      void *object)
{
	struct config_file file = {0};
	struct error err = {0};
	struct span text;
	const char *path;
	enum code code;

	if (!node_scalar(load, setting, node, &text)) return false;
	path = path_join(load, load->scratch, node_source(load, node)->folder, text);
	if (!path) return false;
	code = load->loader->read(load->loader->context, path, &file, &err);
	if (code != OK) {
		if (code == E_NOMEM) load->exhausted = true;
		load_error(load, node, "%s", err.text);
		return false;
	}
	if (file.others_can_read)
		load_error(load, node,
			   "every user of this host can read %s; take that away (chmod o= %s)",
			   path, path);
	return secret_decode(load, node, trimmed(file.text), setting_value(setting, object), path);
}

/* A key that is wrong still exists, so that what names it is not told as well. */
static void key_load(struct load *load, const struct entry *entry, struct tsig_key *key)
{
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_KEYS, &count);
	const struct node *secret = entry_value(entry, CHAPTER_KEYS, "secret");
	const struct node *file = entry_value(entry, CHAPTER_KEYS, "secret-file");

	for (size_t i = 0; i < count; i++) {
		const struct node *node = entry->values[i];
		if (!node)
			value_read_standard(load, &settings[i], key);
		else if (node != file || !secret)
			value_read(load, &settings[i], node, key);
	}
	if (secret && file)
		load_error(load, file, "a key has either secret or secret-file, not both");
	if (!secret && !file)
		load_error(load, entry->map, "a key without a secret; add secret-file or secret");
}

static bool key_name(struct load *load, struct tsig_key *key, const char *label)
{
	struct name root = name_root();
	struct name_buffer name;

	key->label = label;
	if (name_from_text(span_of_text(label), &root, &name, NULL) != OK) return false;
	key->name.wire = arena_copy(load->arena, span_of(name.wire, name.len));
	key->name.len = name.len;
	if (!key->name.wire) load->exhausted = true;
	return key->name.wire;
}

void load_keys(struct load *load)
{
	struct labels *keys = &load->keys;

	if (!labels_make(load, CHAPTER_KEYS, keys, key_label)) return;
	load->key_list = load_keep(load, keys->count, sizeof *load->key_list);
	for (size_t i = 0; i < keys->all && !load->exhausted; i++) {
		struct tsig_key nameless = {0};
		bool named = i < keys->count;
		if (named && !key_name(load, &load->key_list[i], keys->texts[i])) return;
		key_load(load, keys->entries[i], named ? &load->key_list[i] : &nameless);
	}
	load->policy->keys = load->key_list;
	load->policy->key_count = keys->count;
}

bool read_keys(struct load *load, const struct setting *setting, const struct node *node,
	       void *object)
{
	const struct tsig_key **list;
	struct items items;
	struct span text;
	size_t count = 0;

	if (!node_items(load, setting, node, &items)) return false;
	list = load_keep(load, items.count, sizeof *list);
	if (!list) return false;
	for (; items.count; items.count--, items.first = items.first->next) {
		if (!node_scalar(load, setting, items.first, &text)) continue;
		const struct tsig_key *key = key_find(load, items.first, text);
		if (key) list[count++] = key;
	}
	setting_list_set(setting, object, list, count);
	return true;
}
