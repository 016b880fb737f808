/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - unpredictable numbers from the kernel: message ids, keys, jitter. */
#ifndef HOST_RANDOM_H
#define HOST_RANDOM_H

#include "base/span.h"

/* Fills `to`. Waits for the kernel's pool in the first seconds of a boot, never later. */
void random_bytes(void *to, size_t len);

uint16_t random_u16(void);
uint64_t random_u64(void);

/* Evenly spread over 0 .. limit-1; `limit` is at least 1. */
uint64_t random_below(uint64_t limit);

#endif
