/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secondary.h - when a secondary asks its primaries, and when its copy dies.
 *
 * One machine a zone: RFC 1034 4.3.5 (refresh, retry, expire), RFC 1996 (NOTIFY),
 * RFC 1982 (serials), several primaries tried in order. Pure: time, jitter and
 * answers come with the event; what is to be done goes out as at most one action.
 */
#ifndef ENGINE_SECONDARY_SECONDARY_H
#define ENGINE_SECONDARY_SECONDARY_H

#include "base/instant.h"
#include "engine/policy.h"

/* Intervals of the SOA in force, clamped as the policy says. */
struct secondary_intervals {
	duration_ns refresh_ns, retry_ns, expire_ns;
};

struct secondary_intervals secondary_intervals_of(const struct soa *soa,
						  const struct limit_policy *limits);

enum secondary_wait { SECONDARY_IDLE, SECONDARY_ASKING, SECONDARY_TRANSFERRING };

struct secondary {
	size_t primary_count;
	size_t primary; /* the one asked now or next; the one that served us last stays first */
	size_t tried;   /* primaries that failed since the last success */
	enum secondary_wait waiting;
	bool has_version;
	uint32_t serial;
	struct secondary_intervals intervals;
	instant_ns confirmed_at; /* a primary last said that our serial is current, or brought it */
	instant_ns next_at;      /* when to ask next; INSTANT_NEVER while waiting */
	bool notified;           /* a NOTIFY came while we waited: ask again afterwards, */
	size_t notified_by;      /* this primary: another may not have the news yet */
	bool forced;             /* take what the primary has, whatever its serial */
	uint32_t failure_count;  /* since the last success */
};

enum secondary_event_kind {
	SECONDARY_START,       /* a version may be restored: `has_version`, `serial`, `soa`,
				  `confirmed_at` */
	SECONDARY_TICK,        /* time went by */
	SECONDARY_NOTIFY,      /* from primary `primary`, with `serial` if `has_serial` */
	SECONDARY_ORDER,       /* an admin wants it now; `forced`: whatever the serial */
	SECONDARY_SOA,         /* `primary` serves `serial` */
	SECONDARY_TRANSFERRED, /* a version was received, stored and accepted: `serial`, `soa` */
	SECONDARY_FAILED,      /* the exchange under way came to nothing */
};

struct secondary_event {
	enum secondary_event_kind kind;
	instant_ns now;
	uint32_t jitter; /* random, for intervals that many zones share */
	size_t primary;
	uint32_t serial;
	bool has_serial;
	bool has_version;
	bool forced;
	instant_ns confirmed_at;
	struct secondary_intervals intervals;
};

enum secondary_action {
	SECONDARY_NONE,
	SECONDARY_ASK_SOA,  /* of secondary.primary */
	SECONDARY_TRANSFER, /* from secondary.primary */
};

/* A machine for `primary_count` (at least 1) primaries that has never held the zone. */
void secondary_init(struct secondary *s, size_t primary_count);

enum secondary_action secondary_step(struct secondary *s, const struct secondary_event *event);

/* When a copy that nobody confirms any more may no longer be served (RFC 1034 4.3.5). */
instant_ns secondary_expires_at(const struct secondary *s);

#endif
