/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - the caps that no setting moves: the rows of every layer's limits. */
#ifndef CLI_LIMITS_H
#define CLI_LIMITS_H

#include <stddef.h>
#include <stdint.h>

enum limit_unit { LIMIT_COUNT, LIMIT_OCTETS, LIMIT_DURATION, LIMIT_UNIT_COUNT };

struct limit {
	const char *name;
	uint64_t value; /* durations in nanoseconds */
	enum limit_unit unit;
	const char *text;
};

/* All rows, from the lowest layer up. */
const struct limit *limits_fixed(size_t *count);

#endif
