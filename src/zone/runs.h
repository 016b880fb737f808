/* SPDX-License-Identifier: Apache-2.0 */
/* runs.h - a sorted set cut into owners, and an owner into RRsets. */
#ifndef ZONE_RUNS_H
#define ZONE_RUNS_H

#include "zone/records.h"

/* Records [from, to) of the set. */
struct run {
	size_t from, to;
};

/* The records of one owner, whose first is `from`. */
struct run owner_run(const struct records *set, size_t from);

/*
 * The records of one RRset, whose first is `from`, among those before `end`. RRSIGs
 * fall apart by the type they cover, as each of these sets has the TTL of what it
 * covers (RFC 4034 3).
 */
struct run rrset_run(const struct records *set, size_t from, size_t end);

#endif
