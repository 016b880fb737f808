/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the only place that reads a clock.
 *
 * A loop reads it once a turn and hands the instant on; nobody below asks again.
 */
#ifndef HOST_CLOCK_H
#define HOST_CLOCK_H

#include "base/instant.h"

/* Now, on the monotonic clock that goes on while the machine sleeps. */
instant_ns clock_now(void);

/* Wall time since 1970 UTC. It may step; never compare two of them for a duration. */
uint64_t clock_unix_s(void);
uint64_t clock_unix_ms(void);

#endif
