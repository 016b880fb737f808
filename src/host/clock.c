/* SPDX-License-Identifier: Apache-2.0 */
#include "host/clock.h"

#include <assert.h>
#include <time.h>

static struct timespec clock_read(clockid_t id)
{
	struct timespec t;
	int failed = clock_gettime(id, &t);

	assert(!failed);
	(void)failed;
	return t;
}

instant_ns clock_now(void)
{
	struct timespec t = clock_read(CLOCK_BOOTTIME);

	return (instant_ns)t.tv_sec * NS_PER_S + t.tv_nsec;
}

uint64_t clock_unix_s(void)
{
	return (uint64_t)clock_read(CLOCK_REALTIME).tv_sec;
}

uint64_t clock_unix_ms(void)
{
	struct timespec t = clock_read(CLOCK_REALTIME);

	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}
