/* SPDX-License-Identifier: Apache-2.0 */
/* targets.h - does a name that an NS or MX points to have an address in this zone? */
#ifndef ZONE_TARGETS_H
#define ZONE_TARGETS_H

#include "zone/records.h"

enum target {
	TARGET_GOOD,       /* it has one, or this zone cannot know */
	TARGET_ALIAS,      /* CNAME or DNAME: RFC 2181 10.3 forbids it */
	TARGET_NO_ADDRESS, /* it exists, without A and AAAA */
	TARGET_MISSING,    /* it does not exist */
	TARGET_NO_GLUE,    /* it lies below the cut that it serves, and has no address here */
};

enum { TARGETS_KEPT = 256 };

/*
 * Many records point to few names, so the last ones with an address are kept. Zeroed
 * but for one sorted set and its apex.
 */
struct targets {
	const struct records *set;
	struct name apex;
	struct name kept[TARGETS_KEPT];
};

/* `owner` is the name with the NS or MX, `name` where it points. */
enum target target_judge(struct targets *targets, struct name owner, struct name name);

#endif
