/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h - the one bounded reader of wire form.
 *
 * Sticky: after the first read past the end, `failed` is set, every further read
 * gives zeros, and the position no longer moves. So a parser may read a whole
 * structure and ask once. Integers are big-endian (RFC 1035 2.3.2).
 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/span.h"

struct reader {
	const uint8_t *ptr;
	size_t len;
	size_t at;
	bool failed;
};

static inline struct reader reader_of(struct span bytes)
{
	return (struct reader){.ptr = bytes.ptr, .len = bytes.len};
}

static inline size_t reader_left(const struct reader *r)
{
	return r->failed ? 0 : r->len - r->at;
}

/* Everything was read and nothing was missing. */
static inline bool reader_done(const struct reader *r)
{
	return !r->failed && r->at == r->len;
}

static inline bool reader_has(struct reader *r, size_t n)
{
	if (r->failed || n > r->len - r->at) {
		r->failed = true;
		return false;
	}
	return true;
}

static inline uint8_t read_u8(struct reader *r)
{
	if (!reader_has(r, 1)) return 0;
	return r->ptr[r->at++];
}

static inline uint16_t read_u16(struct reader *r)
{
	if (!reader_has(r, 2)) return 0;
	const uint8_t *p = r->ptr + r->at;
	r->at += 2;
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t read_u32(struct reader *r)
{
	if (!reader_has(r, 4)) return 0;
	const uint8_t *p = r->ptr + r->at;
	r->at += 4;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t read_u48(struct reader *r)
{
	uint64_t high = read_u16(r);
	return high << 32 | read_u32(r);
}

static inline uint64_t read_u64(struct reader *r)
{
	uint64_t high = read_u32(r);
	return high << 32 | read_u32(r);
}

/* The next `n` octets, borrowed; an empty span when there are fewer. */
static inline struct span read_span(struct reader *r, size_t n)
{
	if (!reader_has(r, n)) return (struct span){0};
	struct span s = {.ptr = r->ptr + r->at, .len = n};
	r->at += n;
	return s;
}

static inline struct span read_rest(struct reader *r)
{
	return read_span(r, reader_left(r));
}

static inline void reader_skip(struct reader *r, size_t n)
{
	if (reader_has(r, n)) r->at += n;
}

#endif
