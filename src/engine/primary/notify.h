/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - telling one secondary of one zone that there is a new version.
 *
 * RFC 1996, with what RFC leaves open: the first NOTIFY goes at once, a newer version
 * waits for the answer of the one under way, and an unanswered one is sent again,
 * ever more slowly, until it is answered or the zone changes. Told only once served.
 */
#ifndef ENGINE_PRIMARY_NOTIFY_H
#define ENGINE_PRIMARY_NOTIFY_H

#include "base/instant.h"
#include "dns/record.h"

#define NOTIFY_RETRY_MIN (5 * NS_PER_S)
#define NOTIFY_RETRY_MAX (600 * NS_PER_S)

enum notify_state { NOTIFY_QUIET, NOTIFY_UNDER_WAY, NOTIFY_WAITING };

struct notify {
	enum notify_state state;
	uint32_t serial;      /* of the newest version we serve */
	uint32_t sent_serial; /* of the NOTIFY under way or last sent */
	bool confirmed;       /* the peer has answered for `sent_serial` */
	uint32_t failure_count;
	instant_ns next_at; /* when to send again; INSTANT_NEVER when there is no need */
};

enum notify_event_kind {
	NOTIFY_SERVED,   /* `serial` is served here now */
	NOTIFY_ANSWERED, /* the peer answered NOERROR */
	NOTIFY_FAILED,   /* no answer, or another rcode */
	NOTIFY_ORDER,    /* an admin wants it sent now */
	NOTIFY_TICK,
};

struct notify_event {
	enum notify_event_kind kind;
	instant_ns now;
	uint32_t serial;
};

void notify_init(struct notify *n);

/* True: send a NOTIFY with `sent_serial` now. */
bool notify_step(struct notify *n, const struct notify_event *event);

/* What was to be sent could not be, through no fault of the peer's: it is due at `at`. */
void notify_postpone(struct notify *n, instant_ns at);

#endif
