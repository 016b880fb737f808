/* SPDX-License-Identifier: Apache-2.0 */
/* The twin in plain C, which says what the others must do, and the choice. */
#include "dns/simd/text_block.h"

enum octet_class { WORD, BLANK, NEWLINE, SPECIAL };

static enum octet_class octet_class(uint8_t octet)
{
	switch (octet) {
	case ' ':
	case '\t':
	case '\r': return BLANK;
	case '\n': return NEWLINE;
	case '"':
	case '(':
	case ')':
	case ';':
	case '\\': return SPECIAL;
	default: return octet < 0x20 ? SPECIAL : WORD;
	}
}

static void classify_plain(const uint8_t *octets, size_t count, struct text_block *blocks)
{
	for (size_t i = 0; i < count; i++, octets += TEXT_BLOCK_OCTETS) {
		uint64_t sets[4] = {0};

		for (unsigned bit = 0; bit < TEXT_BLOCK_OCTETS; bit++)
			sets[octet_class(octets[bit])] |= UINT64_C(1) << bit;
		blocks[i] = (struct text_block){
			.blank = sets[BLANK], .newline = sets[NEWLINE], .special = sets[SPECIAL]};
	}
}

const struct text_kernel text_kernel_plain = {.name = "plain", .classify = classify_plain};

size_t text_kernels(const struct text_kernel *kernels[static TEXT_KERNELS_MAX])
{
	size_t count = 0;

	kernels[count++] = &text_kernel_plain;
#if defined(__x86_64__)
	kernels[count++] = &text_kernel_sse2;
	if (__builtin_cpu_supports("avx2")) kernels[count++] = &text_kernel_avx2;
#endif
	return count;
}

const struct text_kernel *text_kernel_best(void)
{
	const struct text_kernel *kernels[TEXT_KERNELS_MAX];

	return kernels[text_kernels(kernels) - 1];
}
