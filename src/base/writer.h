/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h - the one bounded writer of wire form.
 *
 * Sticky: what does not fit sets `overflow` and writes nothing, and nothing after
 * it is written either. `writer_rewind` to a remembered length takes back a piece
 * that did not fit as a whole. Integers are big-endian.
 */
#ifndef BASE_WRITER_H
#define BASE_WRITER_H

#include "base/span.h"

struct writer {
	uint8_t *ptr;
	size_t cap;
	size_t len;
	bool overflow;
};

static inline struct writer writer_of(void *ptr, size_t cap)
{
	return (struct writer){.ptr = ptr, .cap = cap};
}

static inline struct span writer_span(const struct writer *w)
{
	return (struct span){.ptr = w->ptr, .len = w->len};
}

static inline size_t writer_room(const struct writer *w)
{
	return w->overflow ? 0 : w->cap - w->len;
}

/* Back to an earlier length; clears an overflow that came after it. */
static inline void writer_rewind(struct writer *w, size_t len)
{
	if (len <= w->len) w->len = len;
	w->overflow = false;
}

/* Room for `n` octets, to be filled by the caller at once; NULL when they do not fit. */
static inline uint8_t *writer_take(struct writer *w, size_t n)
{
	if (w->overflow || n > w->cap - w->len) {
		w->overflow = true;
		return NULL;
	}
	uint8_t *p = w->ptr + w->len;
	w->len += n;
	return p;
}

static inline void write_u8(struct writer *w, uint8_t v)
{
	uint8_t *p = writer_take(w, 1);
	if (p) p[0] = v;
}

static inline void put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline void write_u16(struct writer *w, uint16_t v)
{
	uint8_t *p = writer_take(w, 2);
	if (p) put_u16(p, v);
}

static inline void write_u32(struct writer *w, uint32_t v)
{
	uint8_t *p = writer_take(w, 4);
	if (p) put_u32(p, v);
}

static inline void write_u48(struct writer *w, uint64_t v)
{
	write_u16(w, (uint16_t)(v >> 32));
	write_u32(w, (uint32_t)v);
}

static inline void write_u64(struct writer *w, uint64_t v)
{
	write_u32(w, (uint32_t)(v >> 32));
	write_u32(w, (uint32_t)v);
}

static inline void write_bytes(struct writer *w, const void *from, size_t n)
{
	uint8_t *p = writer_take(w, n);
	if (p && n) memcpy(p, from, n);
}

static inline void write_span(struct writer *w, struct span s)
{
	write_bytes(w, s.ptr, s.len);
}

static inline void write_text(struct writer *w, const char *text)
{
	write_bytes(w, text, strlen(text));
}

/* Overwrites two octets already written, e.g. a length that is known only now. */
static inline void patch_u16(struct writer *w, size_t at, uint16_t v)
{
	if (!w->overflow && at + 2 <= w->len) put_u16(w->ptr + at, v);
}

#endif
