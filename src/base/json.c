/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void json_init(struct json *j, void (*sink)(void *context, struct span chunk), void *context)
{
	j->sink = sink;
	j->context = context;
	j->filled = 0;
	j->depth = 0;
	j->after_key = false;
	j->len = 0;
}

static void flush(struct json *j)
{
	if (j->len) j->sink(j->context, span_of(j->chunk, j->len));
	j->len = 0;
}

void json_end(struct json *j)
{
	assert(j->depth == 0 && !j->after_key);
	flush(j);
	j->filled = 0;
}

static void put(struct json *j, const void *from, size_t n)
{
	const uint8_t *p = from;

	while (n) {
		if (j->len == JSON_CHUNK) flush(j);
		size_t part = JSON_CHUNK - j->len < n ? JSON_CHUNK - j->len : n;
		memcpy(j->chunk + j->len, p, part);
		j->len += part;
		p += part;
		n -= part;
	}
}

/* Before each value and key: the comma that separates it from its elder sibling. */
static void separate(struct json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->filled >> j->depth & 1) put(j, ",", 1);
	j->filled |= UINT32_C(1) << j->depth;
}

static void open_with(struct json *j, const char *bracket)
{
	separate(j);
	put(j, bracket, 1);
	assert(j->depth + 1 < JSON_DEPTH_MAX);
	j->depth++;
	j->filled &= ~(UINT32_C(1) << j->depth);
}

static void close_with(struct json *j, const char *bracket)
{
	assert(j->depth > 0 && !j->after_key);
	j->depth--;
	put(j, bracket, 1);
}

void json_object_begin(struct json *j)
{
	open_with(j, "{");
}

void json_object_end(struct json *j)
{
	close_with(j, "}");
}

void json_array_begin(struct json *j)
{
	open_with(j, "[");
}

void json_array_end(struct json *j)
{
	close_with(j, "]");
}

/* The length of the valid UTF-8 sequence at `p` (RFC 3629 4), 0 when there is none. */
static size_t utf8_len(const uint8_t *p, size_t left)
{
	uint8_t first = p[0];
	size_t len = first < 0x80   ? 1
		     : first < 0xc2 ? 0
		     : first < 0xe0 ? 2
		     : first < 0xf0 ? 3
		     : first < 0xf5 ? 4
				    : 0;

	if (len > left) return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80) return 0;
	if (len == 3 && ((first == 0xe0 && p[1] < 0xa0) || (first == 0xed && p[1] > 0x9f)))
		return 0;
	if (len == 4 && ((first == 0xf0 && p[1] < 0x90) || (first == 0xf4 && p[1] > 0x8f)))
		return 0;
	return len;
}

static void string(struct json *j, struct span text)
{
	char escape[8];

	put(j, "\"", 1);
	for (size_t i = 0; i < text.len;) {
		const uint8_t *p = text.ptr + i;
		size_t len = utf8_len(p, text.len - i);

		if (*p == '"' || *p == '\\') {
			put(j, "\\", 1);
			put(j, p, 1);
		} else if (*p == '\n') {
			put(j, "\\n", 2);
		} else if (*p == '\t') {
			put(j, "\\t", 2);
		} else if (*p < 0x20 || *p == 0x7f) {
			put(j, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", *p));
		} else if (len == 0) {
			put(j, "\\ufffd", 6);
		} else {
			put(j, p, len);
		}
		i += len ? len : 1;
	}
	put(j, "\"", 1);
}

void json_key(struct json *j, const char *key)
{
	separate(j);
	string(j, span_of_text(key));
	put(j, ":", 1);
	j->after_key = true;
}

void json_span(struct json *j, struct span text)
{
	separate(j);
	string(j, text);
}

static void null(struct json *j)
{
	separate(j);
	put(j, "null", 4);
}

void json_text(struct json *j, const char *text)
{
	if (text)
		json_span(j, span_of_text(text));
	else
		null(j);
}

void json_format(struct json *j, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	json_text(j, text);
}

void json_uint(struct json *j, uint64_t value)
{
	char text[24];

	separate(j);
	put(j, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, value));
}

void json_int(struct json *j, int64_t value)
{
	char text[24];

	separate(j);
	put(j, text, (size_t)snprintf(text, sizeof text, "%" PRId64, value));
}

void json_bool(struct json *j, bool value)
{
	separate(j);
	if (value)
		put(j, "true", 4);
	else
		put(j, "false", 5);
}
