/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - a streaming writer of JSON (RFC 8259).
 *
 * Commas and colons come by themselves. What is written goes to a chunk that the
 * sink takes whenever it is full, so a document of any length needs no memory of
 * its own. Octets that are not valid UTF-8 are written as U+FFFD; control
 * characters are escaped, so a document never contains a newline: one a line.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/attributes.h"
#include "base/span.h"

enum { JSON_DEPTH_MAX = 32, JSON_CHUNK = 4096 };

struct json {
	void (*sink)(void *context, struct span chunk);
	void *context;
	uint32_t filled; /* bit per depth: something stands there already */
	uint8_t depth;
	bool after_key;
	size_t len;
	uint8_t chunk[JSON_CHUNK];
};

void json_init(struct json *j, void (*sink)(void *context, struct span chunk), void *context);

/* Hands the last chunk to the sink; asserts that every object and array was closed. */
void json_end(struct json *j);

void json_object_begin(struct json *j);
void json_object_end(struct json *j);
void json_array_begin(struct json *j);
void json_array_end(struct json *j);
void json_key(struct json *j, const char *key);

void json_text(struct json *j, const char *text); /* NULL writes null */
void json_span(struct json *j, struct span text);
void json_format(struct json *j, const char *format, ...)
	printf_like(2, 3); /* a string, at most 1023 octets */
void json_uint(struct json *j, uint64_t value);
void json_int(struct json *j, int64_t value);
void json_bool(struct json *j, bool value);

#endif
