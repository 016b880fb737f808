/* SPDX-License-Identifier: Apache-2.0 */
#include "config/load.h"

#include "engine/answer/cookie.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_MAX = 512, LINE_COPY_MAX = 4096 };

const struct source *node_source(const struct load *load, const struct node *node)
{
	return &load->sources[node->source];
}

struct place node_place(struct load *load, const struct node *node)
{
	struct place place = {
		.file = node_source(load, node)->path,
		.line = node->line,
		.column = node->column,
	};

	if (node->kind == NODE_SCALAR) place.width = node->len + (node->quoted ? 2 : 0);
	return place;
}

/* Octets from behind `secret:` on, 0 when the line has none. */
static size_t secret_at(struct span line)
{
	static const char word[] = "secret";
	enum { WORD_LEN = sizeof word - 1 };

	for (size_t i = 0; i + WORD_LEN < line.len; i++) {
		size_t end = i + WORD_LEN;
		if (memcmp(line.ptr + i, word, WORD_LEN) != 0) continue;
		while (end < line.len && strchr("\"' \t", line.ptr[end])) end++;
		if (end < line.len && line.ptr[end] == ':') return end + 1;
	}
	return 0;
}

/* A copy of the line in which a secret cannot be read; as long as the line. */
static struct span line_without_secret(struct span line, uint8_t copy[static LINE_COPY_MAX])
{
	size_t at = secret_at(line);

	if (at == 0) return line;
	if (line.len > LINE_COPY_MAX) return (struct span){0};
	memcpy(copy, line.ptr, line.len);
	for (; at < line.len && !strchr(",}", line.ptr[at]); at++)
		if (!strchr(" \t\"'", line.ptr[at])) copy[at] = '*';
	return span_of(copy, line.len);
}

static void tell(struct load *load, const struct node *node, bool warning, bool secret,
		 const char *format, va_list args)
{
	uint8_t copy[LINE_COPY_MAX];
	char text[MESSAGE_MAX];
	struct span line = {0};
	struct place place = node_place(load, node);

	vsnprintf(text, sizeof text, format, args);
	for (char *c = text; *c; c++) /* an escape in double quotes can bring any octet */
		if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
	if (!secret && load->diagnostics->count < DIAGNOSTICS_MAX)
		line = line_without_secret(text_line(node_source(load, node)->text, place.line),
					   copy);
	if (warning)
		diagnose_warning(load->diagnostics, place, line, "%s", text);
	else
		diagnose(load->diagnostics, place, line, "%s", text);
}

void load_error(struct load *load, const struct node *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(load, node, false, false, format, args);
	va_end(args);
}

void load_warning(struct load *load, const struct node *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(load, node, true, true, format, args);
	va_end(args);
}

void load_secret_error(struct load *load, const struct node *node, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(load, node, false, true, format, args);
	va_end(args);
}

void *load_keep(struct load *load, size_t count, size_t size)
{
	void *p = arena_alloc_array(load->arena, count, size);

	if (!p) load->exhausted = true;
	return p;
}

void *load_scratch(struct load *load, size_t count, size_t size)
{
	void *p = arena_alloc_array(load->scratch, count, size);

	if (!p) load->exhausted = true;
	return p;
}

const char *load_keep_text(struct load *load, struct span text)
{
	const char *copy = arena_copy_text(load->arena, text);

	if (!copy) load->exhausted = true;
	return copy;
}

/* The one map that the chapter is: a value written twice was told when it was entered. */
static void load_map(struct load *load, enum chapter chapter, void *object)
{
	size_t count;
	const struct setting *settings = chapter_settings(chapter, &count);
	const struct entries *entries = &load->chapters[chapter];

	for (size_t i = 0; i < count; i++) {
		const struct node *node = entries->count ? entries->list[0].values[i] : NULL;
		if (node)
			value_read(load, &settings[i], node, object);
		else
			value_read_standard(load, &settings[i], object);
	}
}

/* Pairs of which the first may not be above the second. */
static void check_order(struct load *load, const char *low_key, const char *high_key)
{
	const struct entries *entries = &load->chapters[CHAPTER_LIMITS];
	const struct setting *low = setting_find(CHAPTER_LIMITS, span_of_text(low_key));
	const struct setting *high = setting_find(CHAPTER_LIMITS, span_of_text(high_key));
	const duration_ns *low_ns = setting_value_of(low, &load->policy->limits);
	const duration_ns *high_ns = setting_value_of(high, &load->policy->limits);
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_LIMITS, &count);

	if (*low_ns <= *high_ns || entries->count == 0) return;
	const struct node *node = entries->list[0].values[low - settings];
	if (!node) node = entries->list[0].values[high - settings];
	if (node) load_error(load, node, "%s is longer than %s", low_key, high_key);
}

/* RFC 9018 4.4: one secret, or the one that makes cookies and another that is accepted. */
static void check_cookie_secret(struct load *load)
{
	const struct entries *entries = &load->chapters[CHAPTER_SERVER];
	size_t len = load->policy->server.cookie_secret.len;

	if (entries->count == 0) return;
	const struct entry *entry = &entries->list[0];
	const struct node *secret = entry_value(entry, CHAPTER_SERVER, "cookie-secret");
	const struct node *file = entry_value(entry, CHAPTER_SERVER, "cookie-secret-file");
	if (secret && file)
		load_error(load, file,
			   "cookie-secret and cookie-secret-file; one of them is enough");
	if (len == 0 || len == COOKIE_SECRET_OCTETS || len == 2 * COOKIE_SECRET_OCTETS) return;
	load_error(load, secret ? secret : file,
		   "a secret for cookies of %zu octets; it has %d, or %d with another that is "
		   "accepted",
		   len, COOKIE_SECRET_OCTETS, 2 * COOKIE_SECRET_OCTETS);
}

static void load_chapters(struct load *load)
{
	struct server_policy *server = &load->policy->server;

	server->name = load->loader->host_name;
	load_map(load, CHAPTER_SERVER, server);
	check_cookie_secret(load);
	load_map(load, CHAPTER_LIMITS, &load->policy->limits);
	check_order(load, "refresh-min", "refresh-max");
	check_order(load, "retry-min", "retry-max");
	load_keys(load);
	if (!load->exhausted) load_remotes(load);
	if (!load->exhausted) load_acls(load);
	if (!load->exhausted) load_templates(load);
	if (!load->exhausted) load_zones(load);
}

/* The file's place in the order of reading; the whole of a file stands before its lines. */
static size_t source_order(const struct load *load, const char *path)
{
	size_t i = 0;

	while (i < load->source_count && load->sources[i].path != path) i++;
	return i;
}

static bool place_is_before(const struct load *load, const struct place *a, const struct place *b)
{
	size_t a_order = source_order(load, a->file), b_order = source_order(load, b->file);

	if (a_order != b_order) return a_order < b_order;
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* Sections are checked one after another; people read files from the top. */
static void diagnostics_order(const struct load *load, size_t first)
{
	struct diagnostic *list = load->diagnostics->list;

	for (size_t i = first + 1; i < load->diagnostics->count; i++) {
		struct diagnostic moved = list[i];
		size_t k = i;
		for (; k > first && place_is_before(load, &moved.place, &list[k - 1].place); k--)
			list[k] = list[k - 1];
		list[k] = moved;
	}
}

enum code config_load(const struct config_loader *loader, const char *path, struct arena *arena,
		      struct diagnostics *diagnostics, const struct policy **policy)
{
	struct load load = {.loader = loader, .arena = arena, .diagnostics = diagnostics};
	size_t errors_before = diagnostics->error_count, first = diagnostics->count;
	enum code code = E_NOMEM;

	*policy = NULL;
	load.scratch = arena_new(loader->scratch_max ? loader->scratch_max : CONFIG_SCRATCH_MAX);
	if (!load.scratch) goto out;
	load.policy = load_keep(&load, 1, sizeof *load.policy);
	if (!load.policy) goto out;
	load.policy->arena = arena;
	load.policy->path = load_keep_text(&load, span_of_text(path));
	if (!load.exhausted) load_files(&load, load.policy->path);
	if (!load.exhausted && !load.broken) load_chapters(&load);
	if (load.exhausted) goto out;
	diagnostics_order(&load, first);
	code = diagnostics->error_count > errors_before ? E_SYNTAX : OK;
	if (code == OK) *policy = load.policy;
out:
	arena_free(load.scratch);
	return code;
}

/* NULL where `server: control` does not stand, or is wrong. */
static const char *control_read(struct load *load, const struct setting *control)
{
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_SERVER, &count);
	const struct entries *entries = &load->chapters[CHAPTER_SERVER];
	const struct node *node =
		entries->count ? entries->list[0].values[control - settings] : NULL;
	struct server_policy server = {0};

	if (node && !load->exhausted && value_read(load, control, node, &server))
		return server.control;
	return NULL;
}

const char *config_control(const struct config_loader *loader, const char *path,
			   struct arena *arena)
{
	const struct setting *control = setting_find(CHAPTER_SERVER, span_of_text("control"));
	struct diagnostics unheard = {.arena = arena};
	struct load load = {.loader = loader, .arena = arena, .diagnostics = &unheard};
	const char *found = NULL;

	load.scratch = arena_new(loader->scratch_max ? loader->scratch_max : CONFIG_SCRATCH_MAX);
	if (!load.scratch) return NULL;
	load_files(&load, path);
	if (!load.exhausted) {
		found = control_read(&load, control);
		if (!found) found = control->standard;
	}
	arena_free(load.scratch);
	return found;
}
