/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels for x86-64, whose every processor has SSE2; AVX2 only by function
 * attribute, so that the same program runs on those without it.
 */
#include "dns/simd/text_block.h"

#if defined(__x86_64__)
#include <immintrin.h>

struct masks {
	uint32_t blank, newline, special;
};

static inline struct masks masks_sse2(const uint8_t *octets)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)octets);
	__m128i newline = _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'));
	__m128i blank = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')),
				     _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\t')),
						  _mm_cmpeq_epi8(v, _mm_set1_epi8('\r'))));
	/* ( and ) differ in the lowest bit only. */
	__m128i paren = _mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(1)), _mm_set1_epi8(')'));
	__m128i mark = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
				    _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(';')),
						 _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
	__m128i special = _mm_or_si128(_mm_or_si128(paren, mark),
				       _mm_andnot_si128(_mm_or_si128(blank, newline), control));

	return (struct masks){.blank = (uint32_t)_mm_movemask_epi8(blank),
			      .newline = (uint32_t)_mm_movemask_epi8(newline),
			      .special = (uint32_t)_mm_movemask_epi8(special)};
}

static void classify_sse2(const uint8_t *octets, size_t count, struct text_block *blocks)
{
	for (size_t i = 0; i < count; i++, octets += TEXT_BLOCK_OCTETS) {
		struct text_block block = {0};

		for (unsigned at = 0; at < TEXT_BLOCK_OCTETS; at += 16) {
			struct masks m = masks_sse2(octets + at);
			block.blank |= (uint64_t)m.blank << at;
			block.newline |= (uint64_t)m.newline << at;
			block.special |= (uint64_t)m.special << at;
		}
		blocks[i] = block;
	}
}

const struct text_kernel text_kernel_sse2 = {.name = "sse2", .classify = classify_sse2};

__attribute__((target("avx2"))) static inline struct masks masks_avx2(const uint8_t *octets)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)octets);
	__m256i newline = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\n'));
	__m256i blank =
		_mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(' ')),
				_mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\t')),
						_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\r'))));
	__m256i paren =
		_mm256_cmpeq_epi8(_mm256_or_si256(v, _mm256_set1_epi8(1)), _mm256_set1_epi8(')'));
	__m256i mark =
		_mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')),
				_mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(';')),
						_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'))));
	__m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
	__m256i special =
		_mm256_or_si256(_mm256_or_si256(paren, mark),
				_mm256_andnot_si256(_mm256_or_si256(blank, newline), control));

	return (struct masks){.blank = (uint32_t)_mm256_movemask_epi8(blank),
			      .newline = (uint32_t)_mm256_movemask_epi8(newline),
			      .special = (uint32_t)_mm256_movemask_epi8(special)};
}

__attribute__((target("avx2"))) static void classify_avx2(const uint8_t *octets, size_t count,
							  struct text_block *blocks)
{
	for (size_t i = 0; i < count; i++, octets += TEXT_BLOCK_OCTETS) {
		struct masks low = masks_avx2(octets), high = masks_avx2(octets + 32);

		blocks[i] =
			(struct text_block){.blank = low.blank | (uint64_t)high.blank << 32,
					    .newline = low.newline | (uint64_t)high.newline << 32,
					    .special = low.special | (uint64_t)high.special << 32};
	}
}

const struct text_kernel text_kernel_avx2 = {.name = "avx2", .classify = classify_avx2};
#endif
