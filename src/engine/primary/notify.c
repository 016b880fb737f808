/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/primary/notify.h"

void notify_init(struct notify *n)
{
	*n = (struct notify){.next_at = INSTANT_NEVER};
}

static bool send(struct notify *n)
{
	n->state = NOTIFY_UNDER_WAY;
	n->sent_serial = n->serial;
	n->confirmed = false;
	n->next_at = INSTANT_NEVER;
	return true;
}

static bool answered(struct notify *n)
{
	if (n->state != NOTIFY_UNDER_WAY) return false;
	n->failure_count = 0;
	if (n->serial != n->sent_serial) return send(n);
	n->state = NOTIFY_QUIET;
	n->confirmed = true;
	return false;
}

static bool failed(struct notify *n, instant_ns now)
{
	duration_ns wait = NOTIFY_RETRY_MIN << (n->failure_count < 7 ? n->failure_count : 7);

	if (n->state != NOTIFY_UNDER_WAY) return false;
	if (n->serial != n->sent_serial) return send(n);
	n->failure_count++;
	n->state = NOTIFY_WAITING;
	n->next_at = now + (wait < NOTIFY_RETRY_MAX ? wait : NOTIFY_RETRY_MAX);
	return false;
}

void notify_postpone(struct notify *n, instant_ns at)
{
	n->state = NOTIFY_WAITING;
	n->next_at = at;
}

bool notify_step(struct notify *n, const struct notify_event *e)
{
	switch (e->kind) {
	case NOTIFY_SERVED:
		n->serial = e->serial;
		n->failure_count = 0;
		return n->state != NOTIFY_UNDER_WAY && send(n);
	case NOTIFY_ORDER: return n->state != NOTIFY_UNDER_WAY && send(n);
	case NOTIFY_ANSWERED: return answered(n);
	case NOTIFY_FAILED: return failed(n, e->now);
	case NOTIFY_TICK: return n->state == NOTIFY_WAITING && e->now >= n->next_at && send(n);
	}
	return false;
}
