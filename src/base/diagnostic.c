/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diagnostic.h"

#include <stdarg.h>
#include <stdio.h>

static const char *text_format(struct arena *arena, const char *format, va_list args)
{
	char text[1024];
	int needed = vsnprintf(text, sizeof text, format, args);

	if (needed < 0) return NULL;
	if (needed >= (int)sizeof text) memcpy(text + sizeof text - 4, "...", 4);
	return arena_copy_text(arena, span_of_text(text));
}

/* Keeps the part of a long line around the column, so that the caret stands under it. */
static void excerpt_set(struct diagnostics *all, struct diagnostic *d, struct span line)
{
	size_t from = 0;

	if (line.len == 0 || d->place.column == 0) return;
	if (line.len > EXCERPT_MAX && d->place.column > EXCERPT_MAX / 2)
		from = d->place.column - EXCERPT_MAX / 2;
	if (from >= line.len) return;
	size_t len = line.len - from < EXCERPT_MAX ? line.len - from : EXCERPT_MAX;
	d->excerpt = arena_copy_text(all->arena, span_of(line.ptr + from, len));
	d->excerpt_column = (uint32_t)from + 1;
}

/* The place's name may go with the text that was read; the last one is often the same. */
static const char *file_name(const struct diagnostics *all, const char *name)
{
	const char *last = all->count ? all->list[all->count - 1].place.file : NULL;

	if (last && strcmp(last, name) == 0) return last;
	return arena_copy_text(all->arena, span_of_text(name));
}

/* A new last one; NULL when no more are kept. */
static struct diagnostic *diagnostic_new(struct diagnostics *all)
{
	if (all->count == DIAGNOSTICS_MAX) return NULL;
	if (all->count == all->capacity) {
		size_t capacity = all->capacity ? 2 * all->capacity : 8;
		struct diagnostic *list =
			arena_grow(all->arena, all->list, all->capacity * sizeof *list,
				   capacity * sizeof *list);
		if (!list) return NULL;
		all->list = list;
		all->capacity = capacity;
	}
	return &all->list[all->count];
}

static void diagnostic_add(struct diagnostics *all, bool warning, struct place place,
			   struct span line, const char *format, va_list args)
{
	if (!warning) all->error_count++;
	struct diagnostic *d = diagnostic_new(all);
	if (!d) return;
	*d = (struct diagnostic){.place = place, .warning = warning};
	d->text = text_format(all->arena, format, args);
	if (!d->text) d->text = "no memory for this message";
	if (place.file) d->place.file = file_name(all, place.file);
	excerpt_set(all, d, line);
	all->count++;
}

void diagnose(struct diagnostics *all, struct place place, struct span line, const char *format,
	      ...)
{
	va_list args;

	va_start(args, format);
	diagnostic_add(all, false, place, line, format, args);
	va_end(args);
}

void diagnose_warning(struct diagnostics *all, struct place place, struct span line,
		      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	diagnostic_add(all, true, place, line, format, args);
	va_end(args);
}

void diagnostics_append(struct diagnostics *all, const struct diagnostics *part)
{
	all->error_count += part->error_count;
	for (size_t i = 0; i < part->count; i++) {
		const struct diagnostic *from = &part->list[i];
		struct diagnostic *d = diagnostic_new(all);
		if (!d) return;
		*d = *from;
		d->text = arena_copy_text(all->arena, span_of_text(from->text));
		if (!d->text) d->text = "no memory for this message";
		if (from->place.file) d->place.file = file_name(all, from->place.file);
		if (from->excerpt)
			d->excerpt = arena_copy_text(all->arena, span_of_text(from->excerpt));
		all->count++;
	}
}

bool diagnostics_full(const struct diagnostics *all)
{
	return all->error_count >= DIAGNOSTICS_MAX;
}

struct out {
	char *ptr;
	size_t cap, len;
};

static void out_char(struct out *o, char c)
{
	if (o->len + 1 < o->cap) o->ptr[o->len++] = c;
}

static void out_text(struct out *o, const char *text)
{
	while (*text) out_char(o, *text++);
}

/* The line with tabs kept and other control octets shown as "?", then the caret below it. */
static void excerpt_print(const struct diagnostic *d, struct out *o)
{
	size_t before = d->place.column - d->excerpt_column;
	size_t len = strlen(d->excerpt);
	size_t width = d->place.width ? d->place.width : 1;

	for (size_t i = 0; i < len; i++) {
		char c = d->excerpt[i];
		out_char(o, ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f ? '?' : c);
	}
	out_char(o, '\n');
	for (size_t i = 0; i < before; i++)
		out_char(o, i < len && d->excerpt[i] == '\t' ? '\t' : ' ');
	out_char(o, '^');
	for (size_t i = 1; i < width && before + i < len; i++) out_char(o, '~');
	out_char(o, '\n');
}

size_t diagnostic_print(const struct diagnostic *d, char *out, size_t cap)
{
	struct out o = {.ptr = out, .cap = cap};
	char number[16];

	if (cap == 0) return 0;
	out_text(&o, d->place.file ? d->place.file : "-");
	if (d->place.line) {
		snprintf(number, sizeof number, ":%u", (unsigned)d->place.line);
		out_text(&o, number);
	}
	if (d->place.line && d->place.column) {
		snprintf(number, sizeof number, ":%u", (unsigned)d->place.column);
		out_text(&o, number);
	}
	out_text(&o, d->warning ? ": warning: " : ": ");
	out_text(&o, d->text);
	out_char(&o, '\n');
	if (d->excerpt) excerpt_print(d, &o);
	out[o.len] = '\0';
	return o.len;
}

static void json_field(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	json_text(j, text);
}

void diagnostics_json(const struct diagnostics *all, struct json *j)
{
	char shown[2048];

	json_array_begin(j);
	for (size_t i = 0; i < all->count; i++) {
		const struct diagnostic *d = &all->list[i];
		json_object_begin(j);
		json_field(j, "file", d->place.file);
		json_key(j, "line");
		json_uint(j, d->place.line);
		json_key(j, "column");
		json_uint(j, d->place.column);
		json_field(j, "level", d->warning ? "warning" : "error");
		json_field(j, "message", d->text);
		diagnostic_print(d, shown, sizeof shown);
		json_field(j, "shown", shown);
		json_object_end(j);
	}
	json_array_end(j);
}
