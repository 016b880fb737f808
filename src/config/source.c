/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files become entries: the includer brings each, yaml.c makes its nodes, and what is
 * said of one item is put into the places of its settings. Keys nobody knows, keys
 * written twice and items of the wrong shape are told here.
 */
#include "config/load.h"

#include <stdio.h>

/* Where a file that cannot be had was asked for; `from` NULL: the main file. */
static void tell_file(struct load *load, const struct node *from, const char *path,
		      const char *text)
{
	if (from)
		load_error(load, from, "%s", text);
	else
		diagnose(load->diagnostics,
			 (struct place){.file = arena_copy_text(load->diagnostics->arena,
								span_of_text(path))},
			 (struct span){0}, "%s", text);
	load->broken = true;
}

const char *path_join(struct load *load, struct arena *arena, const char *folder, struct span text)
{
	bool relative = text.len == 0 || text.ptr[0] != '/';
	size_t folder_len = relative ? strlen(folder) : 0;
	uint8_t *path;

	while (folder_len && folder[folder_len - 1] == '/') folder_len--;
	while (relative && text.len > 2 && text.ptr[0] == '.' && text.ptr[1] == '/')
		text = span_of(text.ptr + 2, text.len - 2);
	path = arena_alloc_bytes(arena, folder_len + text.len + 2);
	if (!path) {
		load->exhausted = true;
		return NULL;
	}
	struct writer w = writer_of(path, folder_len + text.len + 2);
	write_bytes(&w, folder, folder_len);
	if (relative) write_u8(&w, '/');
	write_span(&w, text);
	write_u8(&w, '\0');
	return (const char *)path;
}

/* The folder of a file that was included, so its path is absolute. */
static const char *folder_of(struct load *load, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	const char *folder = arena_copy_text(load->scratch, span_of(path, len));

	if (!folder) load->exhausted = true;
	return folder;
}

static struct source *source_add(struct load *load)
{
	if (load->source_count == load->source_capacity) {
		size_t capacity = load->source_capacity ? 2 * load->source_capacity : 16;
		struct source *grown =
			arena_grow(load->scratch, load->sources, load->source_count * sizeof *grown,
				   capacity * sizeof *grown);
		if (!grown) {
			load->exhausted = true;
			return NULL;
		}
		load->sources = grown;
		load->source_capacity = capacity;
	}
	struct source *source = &load->sources[load->source_count++];
	*source = (struct source){0};
	return source;
}

static struct entry *entry_add(struct load *load, enum chapter chapter, const struct node *map)
{
	struct entries *entries = &load->chapters[chapter];
	size_t setting_count;

	chapter_settings(chapter, &setting_count);
	if (entries->count == entries->capacity) {
		size_t capacity = entries->capacity ? 2 * entries->capacity : 16;
		struct entry *grown =
			arena_grow(load->scratch, entries->list, entries->count * sizeof *grown,
				   capacity * sizeof *grown);
		if (!grown) {
			load->exhausted = true;
			return NULL;
		}
		entries->list = grown;
		entries->capacity = capacity;
	}
	struct entry *entry = &entries->list[entries->count];
	entry->map = map;
	entry->values = load_scratch(load, setting_count, sizeof *entry->values);
	if (!entry->values) return NULL;
	entries->count++;
	return entry;
}

static void tell_unknown(struct load *load, enum chapter chapter, const struct node *key)
{
	const char *near = setting_suggest(chapter, node_text(key));

	if (chapter == CHAPTER_TEMPLATES && span_is_text(node_text(key), "template"))
		load_error(load, key, "a template takes no template");
	else if (near)
		load_error(load, key, "unknown key \"%.*s\" in %s; did you mean \"%s\"?",
			   (int)key->len, key->text, chapter_info(chapter)->where, near);
	else
		load_error(load, key, "unknown key \"%.*s\" in %s", (int)key->len, key->text,
			   chapter_info(chapter)->where);
}

static void tell_twice(struct load *load, const struct node *key, const struct node *first)
{
	load_error(load, key, "\"%.*s\" stands here a second time; the first is at %s:%u",
		   (int)key->len, key->text, node_source(load, first)->path, first->line);
}

/* Puts the values of a map into the places of their settings. */
static void entry_fill(struct load *load, enum chapter chapter, struct entry *entry,
		       const struct node *map)
{
	size_t count;
	const struct setting *settings = chapter_settings(chapter, &count);

	for (const struct node *key = map->first; key && key->next; key = key->next->next) {
		const struct setting *setting = NULL;
		if (key->kind == NODE_BAD) continue;
		if (key->kind != NODE_SCALAR) {
			load_error(load, key, "a key of %s is one word",
				   chapter_info(chapter)->where);
			continue;
		}
		setting = setting_find(chapter, node_text(key));
		if (!setting || (chapter == CHAPTER_TEMPLATES && setting->kind == KIND_TEMPLATE)) {
			tell_unknown(load, chapter, key);
			continue;
		}
		if (entry->values[setting - settings])
			tell_twice(load, key, entry->values[setting - settings]);
		else
			entry->values[setting - settings] = key->next;
	}
}

static void load_item(struct load *load, enum chapter chapter, const struct node *item)
{
	struct entry *entry;

	if (item->kind == NODE_BAD) return;
	if (item->kind != NODE_MAP) {
		load_error(load, item, "%s is a map such as {name: ...}",
			   chapter_info(chapter)->where);
		return;
	}
	entry = entry_add(load, chapter, item);
	if (entry) entry_fill(load, chapter, entry, item);
}

static void load_chapter(struct load *load, enum chapter chapter, const struct node *node)
{
	const struct chapter_info *info = chapter_info(chapter);

	if (node->kind == NODE_BAD || node_is_empty(node)) return;
	if (info->one) {
		const struct node *item = node->kind == NODE_LIST ? node->first : node;
		size_t count = node->kind == NODE_LIST ? node->len : 1;
		for (; count--; item = item->next) load_item(load, chapter, item);
		return;
	}
	if (node->kind != NODE_MAP) {
		load_error(load, node, "%s is a map of settings", info->key);
		return;
	}
	struct entries *entries = &load->chapters[chapter];
	struct entry *entry = entries->count ? entries->list : entry_add(load, chapter, node);
	if (entry) entry_fill(load, chapter, entry, node);
}

static enum chapter chapter_find(struct span key)
{
	for (int i = CHAPTER_TOP + 1; i < CHAPTER_COUNT; i++)
		if (span_is_text(key, chapter_info((enum chapter)i)->key)) return (enum chapter)i;
	return CHAPTER_TOP;
}

static void load_file(struct load *load, const char *path, uint16_t parent,
		      const struct node *from);

/* A file within itself never ends, a file twice has each name twice: both are told as such. */
static bool source_is_new(struct load *load, const char *path, uint16_t parent,
			  const struct node *from)
{
	uint64_t hash = octets_hash(span_of_text(path));

	for (uint16_t i = parent;; i = load->sources[i].parent) {
		if (strcmp(load->sources[i].path, path) == 0) {
			load_error(load, from, "%s includes itself", path);
			load->broken = true;
			return false;
		}
		if (load->sources[i].parent == i) break;
	}
	for (size_t i = 0; i < load->source_count; i++) {
		if (load->sources[i].path_hash != hash || strcmp(load->sources[i].path, path) != 0)
			continue;
		load_error(load, from, "%s is included a second time; the first is in %s", path,
			   load->sources[load->sources[i].parent].path);
		return false;
	}
	return true;
}

static void load_include(struct load *load, const struct node *pattern)
{
	const char *const *paths = NULL;
	size_t count = 0;
	struct error err = {0};
	uint16_t parent = pattern->source;
	const char *absolute =
		path_join(load, load->scratch, load->sources[parent].folder, node_text(pattern));

	if (!absolute) return;
	if (load->sources[parent].depth == CONFIG_INCLUDE_DEPTH_MAX) {
		load_error(load, pattern, "files include each other more than %d deep",
			   CONFIG_INCLUDE_DEPTH_MAX);
		return;
	}
	enum code code = load->loader->expand(load->loader->context, absolute, load->scratch,
					      &paths, &count, &err);
	if (code == E_NOMEM)
		load->exhausted = true;
	else if (code != OK)
		tell_file(load, pattern, absolute, err.text);
	for (size_t i = 0; code == OK && i < count && !load->exhausted; i++)
		if (source_is_new(load, paths[i], parent, pattern))
			load_file(load, paths[i], parent, pattern);
}

static void load_includes(struct load *load, const struct node *node)
{
	const struct setting *setting = setting_find(CHAPTER_TOP, span_of_text("include"));
	struct items items;
	struct span text;

	if (!node_items(load, setting, node, &items)) return;
	for (; items.count; items.count--, items.first = items.first->next)
		if (node_scalar(load, setting, items.first, &text)) load_include(load, items.first);
}

/* The keys beside each other at the top of a file. */
static void load_top(struct load *load, const struct node *root)
{
	const struct node *seen[CHAPTER_COUNT] = {0};
	const struct node *include = NULL;

	if (root->kind != NODE_MAP) {
		if (root->kind != NODE_BAD && !node_is_empty(root))
			load_error(load, root,
				   "a configuration is a map of sections such as "
				   "server: and zones:");
		return;
	}
	for (const struct node *key = root->first; key && key->next; key = key->next->next) {
		if (key->kind != NODE_SCALAR) {
			load_error(load, key, "a key of a configuration is one word");
			continue;
		}
		enum chapter chapter = chapter_find(node_text(key));
		bool is_include = span_is_text(node_text(key), "include");
		if (chapter == CHAPTER_TOP && !is_include) {
			tell_unknown(load, CHAPTER_TOP, key);
			continue;
		}
		if (seen[chapter]) {
			tell_twice(load, key, seen[chapter]);
			continue;
		}
		seen[chapter] = key;
		if (is_include)
			include = key->next;
		else
			load_chapter(load, chapter, key->next);
	}
	/* Last, so that what this file says stands before what it includes. */
	if (include) load_includes(load, include);
}

static bool source_read(struct load *load, const char *path, struct source *source,
			const struct node *from)
{
	struct config_file file = {0};
	struct error err = {0};
	enum code code = load->loader->read(load->loader->context, path, &file, &err);

	if (code == E_NOMEM) load->exhausted = true;
	if (code != OK) {
		tell_file(load, from, path, err.text);
		return false;
	}
	source->text = file.text;
	source->others_can_read = file.others_can_read;
	source->path = arena_copy_text(load->diagnostics->arena, span_of_text(path));
	source->origin = load_keep_text(load, span_of_text(path));
	source->path_hash = octets_hash(span_of_text(path));
	source->folder = from ? folder_of(load, path) : load->loader->folder;
	if (!source->path) load->exhausted = true;
	return !load->exhausted;
}

static void load_file(struct load *load, const char *path, uint16_t parent, const struct node *from)
{
	const struct node *root = NULL;
	size_t number = load->source_count;
	struct source source = {0}, *kept;

	if (number == CONFIG_FILES_MAX) {
		load_error(load, from, "more than %d files", CONFIG_FILES_MAX);
		return;
	}
	if (!source_read(load, path, &source, from)) return;
	source.parent = from ? parent : (uint16_t)number;
	source.depth = from ? (uint16_t)(load->sources[parent].depth + 1) : 0;
	kept = source_add(load);
	if (!kept) return;
	*kept = source;
	struct yaml_source yaml = {source.path, source.text, (uint16_t)number};
	enum code code = yaml_parse(&yaml, load->scratch, load->diagnostics, &root);
	if (code == E_NOMEM) load->exhausted = true;
	if (code == E_SYNTAX) load->broken = true;
	if (root && !load->exhausted) load_top(load, root);
}

void load_files(struct load *load, const char *path)
{
	load_file(load, path, 0, NULL);
}
