/* SPDX-License-Identifier: Apache-2.0 */
#include "host/random.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>

void random_bytes(void *to, size_t len)
{
	uint8_t *at = to;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);
		/* With flags 0 and valid memory, an interrupted wait is the only failure. */
		assert(n > 0 || errno == EINTR);
		if (n < 0) continue;
		at += n;
		len -= (size_t)n;
	}
}

uint16_t random_u16(void)
{
	uint16_t value;

	random_bytes(&value, sizeof value);
	return value;
}

uint64_t random_u64(void)
{
	uint64_t value;

	random_bytes(&value, sizeof value);
	return value;
}

uint64_t random_below(uint64_t limit)
{
	assert(limit > 0);
	/* Values under this remainder would make small results likelier. */
	uint64_t uneven = -limit % limit;
	uint64_t value;

	do value = random_u64();
	while (value < uneven);
	return value % limit;
}
