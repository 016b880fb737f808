/* SPDX-License-Identifier: Apache-2.0 */
#include "config/emit.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

void emit_init(struct emitter *e, enum config_format format,
	       void (*sink)(void *context, struct span chunk), void *context)
{
	memset(e, 0, sizeof *e);
	e->format = format;
	e->sink = sink;
	e->context = context;
	e->flow_depth = UINT8_MAX;
	if (format == CONFIG_JSON) json_init(&e->json, sink, context);
}

void emit_init_line(struct emitter *e, void (*sink)(void *context, struct span chunk),
		    void *context)
{
	emit_init(e, CONFIG_YAML, sink, context);
	e->flow_depth = 0;
}

static void flush(struct emitter *e)
{
	if (e->len) e->sink(e->context, span_of(e->chunk, e->len));
	e->len = 0;
}

static void put(struct emitter *e, const void *octets, size_t len)
{
	const uint8_t *from = octets;

	while (len) {
		size_t room = sizeof e->chunk - e->len, n = len < room ? len : room;
		memcpy(e->chunk + e->len, from, n);
		e->len += n;
		from += n;
		len -= n;
		if (e->len == sizeof e->chunk) flush(e);
	}
}

static void put_text(struct emitter *e, const char *text)
{
	put(e, text, strlen(text));
}

void emit_end(struct emitter *e)
{
	assert(e->depth == 0);
	if (e->format == CONFIG_JSON) {
		json_end(&e->json);
		e->sink(e->context, span_of("\n", 1));
		return;
	}
	flush(e);
}

/* A new line as deep as the block that is open; a map behind a dash begins in its line. */
static void block_line(struct emitter *e)
{
	if (e->after_dash) {
		e->after_dash = false;
		return;
	}
	for (int i = 1; i < e->depth; i++) put_text(e, "  ");
}

/* What stands before a value or a key of the container that is open. */
static void separate(struct emitter *e)
{
	if (e->after_key) {
		e->after_key = false;
		put_text(e, " ");
		return;
	}
	if (e->depth == 0) return;
	struct emit_level *level = &e->levels[e->depth - 1];
	if (level->flow && level->filled) put_text(e, ", ");
	if (!level->flow) block_line(e);
	if (!level->flow && level->list) put_text(e, "- ");
	level->filled = true;
}

/* Sections, their lists and the items of these stand in blocks. */
static bool is_flow(const struct emitter *e)
{
	if (e->depth >= e->flow_depth) return true;
	return e->depth > 2 || (e->depth == 2 && !e->levels[1].list);
}

static void open(struct emitter *e, bool list)
{
	bool flow = is_flow(e);

	assert(e->depth < EMIT_DEPTH_MAX);
	if (flow) {
		separate(e);
		put_text(e, list ? "[" : "{");
	} else if (e->after_key) {
		e->after_key = false;
		put_text(e, "\n");
	} else if (e->depth) {
		separate(e);
		e->after_dash = true;
	}
	e->levels[e->depth++] = (struct emit_level){.list = list, .flow = flow};
}

static void end_line(struct emitter *e)
{
	if (e->depth && !e->levels[e->depth - 1].flow) put_text(e, "\n");
}

static void close(struct emitter *e, bool list)
{
	struct emit_level *level = &e->levels[--e->depth];

	assert(level->list == list);
	if (!level->flow) return;
	put_text(e, list ? "]" : "}");
	end_line(e);
}

void emit_map(struct emitter *e)
{
	if (e->format == CONFIG_JSON)
		json_object_begin(&e->json);
	else
		open(e, false);
}

void emit_map_end(struct emitter *e)
{
	if (e->format == CONFIG_JSON)
		json_object_end(&e->json);
	else
		close(e, false);
}

void emit_list(struct emitter *e)
{
	if (e->format == CONFIG_JSON)
		json_array_begin(&e->json);
	else
		open(e, true);
}

void emit_list_end(struct emitter *e)
{
	if (e->format == CONFIG_JSON)
		json_array_end(&e->json);
	else
		close(e, true);
}

void emit_key(struct emitter *e, const char *key)
{
	if (e->format == CONFIG_JSON) {
		json_key(&e->json, key);
		return;
	}
	separate(e);
	put_text(e, key);
	put_text(e, ":");
	e->after_key = true;
}

/* No reader of YAML takes it for a number, a boolean, a date or a part of YAML. */
static bool is_plain(struct span text)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on",
					    "off",  "null",  "y",   "n",  NULL};
	uint8_t first = text.len ? text.ptr[0] : 0;

	if (first != '/' && !((first | 0x20) >= 'a' && (first | 0x20) <= 'z')) return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		bool word = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
		if (!word && !memchr("./_-", c, 4)) return false;
	}
	return word_find(words, text) == SIZE_MAX;
}

void emit_text(struct emitter *e, struct span text)
{
	char escape[8];

	if (e->format == CONFIG_JSON) {
		json_span(&e->json, text);
		return;
	}
	separate(e);
	if (is_plain(text)) {
		put(e, text.ptr, text.len);
		end_line(e);
		return;
	}
	put_text(e, "\"");
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (c == '"' || c == '\\') put_text(e, "\\");
		if (c < 0x20 || c == 0x7f)
			put(e, escape, (size_t)snprintf(escape, sizeof escape, "\\x%02x", c));
		else
			put(e, &c, 1);
	}
	put_text(e, "\"");
	end_line(e);
}

void emit_uint(struct emitter *e, uint64_t value)
{
	char text[24];

	if (e->format == CONFIG_JSON) {
		json_uint(&e->json, value);
		return;
	}
	separate(e);
	put(e, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, value));
	end_line(e);
}
