/* SPDX-License-Identifier: Apache-2.0 */
/* siphash.h - SipHash-2-4, the keyed hash for tables and cookies strangers can aim at. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/span.h"

struct siphash_key {
	uint64_t k0, k1;
};

uint64_t siphash(struct siphash_key key, struct span bytes);

#endif
