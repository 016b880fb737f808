/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.h - octets that somebody else owns.
 *
 * A span borrows: whoever hands one out says how long it stays valid.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *ptr;
	size_t len;
};

static inline struct span span_of(const void *ptr, size_t len)
{
	return (struct span){.ptr = ptr, .len = len};
}

/* The octets of a C string, without its terminating zero. */
static inline struct span span_of_text(const char *text)
{
	return (struct span){.ptr = (const uint8_t *)text, .len = strlen(text)};
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool span_is_text(struct span a, const char *text)
{
	return span_equal(a, span_of_text(text));
}

#endif
