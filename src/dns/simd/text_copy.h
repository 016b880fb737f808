/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_copy.h - copies a name's text and finds its dots on the way.
 *
 * Reads exactly the text. x86-64 always has SSE2, so nothing is chosen at run time;
 * the plain twin is what other processors use and what the tests compare with.
 */
#ifndef DNS_SIMD_TEXT_COPY_H
#define DNS_SIMD_TEXT_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TEXT_COPY_MAX = 64 };

/*
 * Copies `len` octets, 1 to TEXT_COPY_MAX; `to` has room for that many, whatever `len`.
 * One bit of `*dots` for each dot, the lowest for the first octet. False: there is a
 * backslash, and the result is of no use.
 */
static inline bool text_copy_plain(uint8_t *to, const uint8_t *text, size_t len, uint64_t *dots)
{
	bool escaped = false;

	*dots = 0;
	for (size_t i = 0; i < len; i++) {
		to[i] = text[i];
		escaped |= text[i] == '\\';
		*dots |= (uint64_t)(text[i] == '.') << i;
	}
	return !escaped;
}

#if defined(__x86_64__)
#include <emmintrin.h>

static inline uint64_t load8(const uint8_t *from)
{
	uint64_t octets;
	memcpy(&octets, from, sizeof octets);
	return octets;
}

static inline uint64_t load4(const uint8_t *from)
{
	uint32_t octets;
	memcpy(&octets, from, sizeof octets);
	return octets;
}

/* 1 to 15 octets, zeros behind them: two loads that overlap, or three octets. */
static inline __m128i load_short(const uint8_t *from, size_t len)
{
	uint64_t low, high = 0;

	if (len > 8) {
		low = load8(from);
		high = load8(from + len - 8) >> 8 * (16 - len);
	} else if (len >= 4) {
		low = load4(from) | load4(from + len - 4) << 8 * (len - 4);
	} else {
		low = from[0] | (uint64_t)from[len / 2] << 8 * (len / 2) |
		      (uint64_t)from[len - 1] << 8 * (len - 1);
	}
	return _mm_set_epi64x((long long)high, (long long)low);
}

static inline uint64_t octets_equal_mask(__m128i octets, char octet)
{
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8(octet)));
}

static inline bool text_copy(uint8_t *to, const uint8_t *text, size_t len, uint64_t *dots)
{
	uint64_t escapes = 0;
	size_t at = 0;

	*dots = 0;
	for (; at + 16 <= len; at += 16) {
		__m128i octets = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
		_mm_storeu_si128((__m128i *)(void *)(to + at), octets);
		*dots |= octets_equal_mask(octets, '.') << at;
		escapes |= octets_equal_mask(octets, '\\');
	}
	if (at < len) {
		__m128i octets = load_short(text + at, len - at);
		_mm_storeu_si128((__m128i *)(void *)(to + at), octets);
		*dots |= octets_equal_mask(octets, '.') << at;
		escapes |= octets_equal_mask(octets, '\\');
	}
	return escapes == 0;
}
#else
static inline bool text_copy(uint8_t *to, const uint8_t *text, size_t len, uint64_t *dots)
{
	return text_copy_plain(to, text, len, dots);
}
#endif

#endif
