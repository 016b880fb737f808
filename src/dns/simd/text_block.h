/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_block.h - zone text in blocks of 64 octets, classified into sets of bits.
 *
 * The splitter of zone text walks over bits instead of octets. Each kernel gives
 * the same bits; which one runs is decided by the processor, per parse.
 */
#ifndef DNS_SIMD_TEXT_BLOCK_H
#define DNS_SIMD_TEXT_BLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { TEXT_BLOCK_OCTETS = 64 };

/* One bit for each octet, the lowest for the first. No octet is in two of the sets. */
struct text_block {
	uint64_t blank; /* space, tab, carriage return */
	uint64_t newline;
	uint64_t special; /* " ( ) ; \ and all other control octets below 0x20 */
};

struct text_kernel {
	const char *name; /* "plain", "sse2", "avx2" */

	/* Classifies `count` blocks that follow each other from `octets` on, unaligned. */
	void (*classify)(const uint8_t *octets, size_t count, struct text_block *blocks);
};

/* The kernels this processor can run, the plain one first, the fastest last. */
enum { TEXT_KERNELS_MAX = 3 };
size_t text_kernels(const struct text_kernel *kernels[static TEXT_KERNELS_MAX]);

/* The fastest of them. */
const struct text_kernel *text_kernel_best(void);

extern const struct text_kernel text_kernel_plain;
#if defined(__x86_64__)
extern const struct text_kernel text_kernel_sse2;
extern const struct text_kernel text_kernel_avx2;
#endif

#endif
