/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fold.h - names in lower case, sixteen octets at a time.
 *
 * A label's length octet is below 'A', so whole names are folded without looking at
 * their labels. Every x86-64 has SSE2; a name is too short for a wider kernel to pay
 * for being chosen at run time.
 */
#ifndef DNS_SIMD_FOLD_H
#define DNS_SIMD_FOLD_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { FOLD_BLOCK_OCTETS = 16 };

/* The twin in plain C, which says what the other must do. */
static inline void fold_block_plain(const uint8_t *from, uint8_t *to)
{
	for (unsigned at = 0; at < FOLD_BLOCK_OCTETS; at += 8) {
		const uint64_t ones = UINT64_C(0x0101010101010101);
		uint64_t octets;
		memcpy(&octets, from + at, sizeof octets);
		/* The top bit of each octet: at least 'A', and above 'Z'. */
		uint64_t low7 = octets & ones * 0x7f;
		uint64_t from_a = low7 + ones * (0x80 - 'A'), above_z = low7 + ones * (0x7f - 'Z');
		uint64_t upper = (from_a ^ above_z) & ~octets & ones * 0x80;
		octets |= upper >> 2;
		memcpy(to + at, &octets, sizeof octets);
	}
}

static inline void fold_block(const uint8_t *from, uint8_t *to)
{
#if defined(__SSE2__)
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)from);
	/* Signed comparison: 'A' becomes the least of all numbers. */
	__m128i moved = _mm_add_epi8(v, _mm_set1_epi8((char)(0x80 - 'A')));
	__m128i upper = _mm_cmplt_epi8(moved, _mm_set1_epi8((char)(0x80 + 26)));
	__m128i lower = _mm_or_si128(v, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
	_mm_storeu_si128((__m128i *)(void *)to, lower);
#else
	fold_block_plain(from, to);
#endif
}

#endif
