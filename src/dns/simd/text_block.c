/* SPDX-License-Identifier: Apache-2.0 */
/* The twin in plain C, which says what the others must do, and the choice. */
#include "dns/simd/text_block.h"

/* A word's octet is in no set. The control octets stand as numbers in the table. */
enum { BLANK = 1, SPECIAL = 4 };

/* clang-format off */
static const uint8_t octet_class[256] = {
	4, 4, 4, 4, 4, 4, 4, 4, 4, 1, 2, 4, 4, 1, 4, 4, /* tab 1, newline 2, return 1 */
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	[' '] = BLANK, ['"'] = SPECIAL, ['('] = SPECIAL, [')'] = SPECIAL, [';'] = SPECIAL,
	['\\'] = SPECIAL,
};
/* clang-format on */

/* One bit of each of eight octets, gathered: the product puts bit 8n of `octets` at 56 + n. */
static uint64_t bits_gather(uint64_t octets, unsigned bit)
{
	uint64_t lowest = octets >> bit & UINT64_C(0x0101010101010101);
	return lowest * UINT64_C(0x0102040810204080) >> 56;
}

static void classify_plain(const uint8_t *octets, size_t count, struct text_block *blocks)
{
	for (size_t i = 0; i < count; i++, octets += TEXT_BLOCK_OCTETS) {
		struct text_block block = {0};

		for (unsigned at = 0; at < TEXT_BLOCK_OCTETS; at += 8) {
			uint64_t classes = 0;
			for (unsigned k = 0; k < 8; k++)
				classes |= (uint64_t)octet_class[octets[at + k]] << 8 * k;
			block.blank |= bits_gather(classes, 0) << at;
			block.newline |= bits_gather(classes, 1) << at;
			block.special |= bits_gather(classes, 2) << at;
		}
		blocks[i] = block;
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
