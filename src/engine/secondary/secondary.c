/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secondary/secondary.h"

#include <assert.h>

/*
 * Retry of a zone that was never held: there is no SOA to say how often. Doubles
 * from the first to the last.
 */
#define FIRST_RETRY_MIN (1 * NS_PER_S)
#define FIRST_RETRY_MAX (60 * NS_PER_S)

static duration_ns clamp(uint32_t seconds, duration_ns min, duration_ns max)
{
	duration_ns d = (duration_ns)seconds * NS_PER_S;

	return d < min ? min : d > max ? max : d;
}

struct secondary_intervals secondary_intervals_of(const struct soa *soa,
						  const struct limit_policy *limits)
{
	return (struct secondary_intervals){
		.refresh_ns = clamp(soa->refresh, limits->refresh_min_ns, limits->refresh_max_ns),
		.retry_ns = clamp(soa->retry, limits->retry_min_ns, limits->retry_max_ns),
		.expire_ns = (duration_ns)soa->expire * NS_PER_S,
	};
}

void secondary_init(struct secondary *s, size_t primary_count)
{
	assert(primary_count > 0);
	*s = (struct secondary){.primary_count = primary_count, .next_at = INSTANT_NEVER};
}

instant_ns secondary_expires_at(const struct secondary *s)
{
	instant_ns at;

	if (!s->has_version) return INSTANT_NEVER;
	if (__builtin_add_overflow(s->confirmed_at, s->intervals.expire_ns, &at))
		return INSTANT_NEVER;
	return at;
}

/* Up to a tenth earlier, so that zones loaded together do not ask together for ever. */
static duration_ns jittered(duration_ns interval, uint32_t jitter)
{
	return interval - (duration_ns)((uint64_t)(interval / 10) * (jitter & 0xffff) / 0x10000);
}

static enum secondary_action ask(struct secondary *s)
{
	s->waiting = SECONDARY_ASKING;
	s->next_at = INSTANT_NEVER;
	if (s->primary == s->notified_by) s->notified = false;
	if (!s->has_version || s->forced) {
		s->waiting = SECONDARY_TRANSFERRING; /* whatever its serial is, we want it */
		return SECONDARY_TRANSFER;
	}
	return SECONDARY_ASK_SOA;
}

/* A NOTIFY during the exchange before is news: it deserves an exchange of its own. */
static enum secondary_action ask_if_notified(struct secondary *s)
{
	if (!s->notified) return SECONDARY_NONE;
	s->primary = s->notified_by;
	return ask(s);
}

/* What we hold was confirmed or brought just now. */
static enum secondary_action confirmed(struct secondary *s, const struct secondary_event *e)
{
	s->waiting = SECONDARY_IDLE;
	s->confirmed_at = e->now;
	s->failure_count = 0;
	s->tried = 0;
	s->forced = false;
	s->next_at = e->now + jittered(s->intervals.refresh_ns, e->jitter);
	return ask_if_notified(s);
}

/* The next primary at once; when all have failed, after RETRY (RFC 1034 4.3.5). */
static enum secondary_action failed(struct secondary *s, const struct secondary_event *e)
{
	duration_ns wait = s->intervals.retry_ns;

	s->waiting = SECONDARY_IDLE;
	s->primary = (s->primary + 1) % s->primary_count;
	if (++s->tried < s->primary_count) return ask(s);

	s->tried = 0;
	if (!s->has_version) {
		wait = FIRST_RETRY_MIN << (s->failure_count < 6 ? s->failure_count : 6);
		if (wait > FIRST_RETRY_MAX) wait = FIRST_RETRY_MAX;
	}
	s->failure_count++;
	s->next_at = e->now + jittered(wait, e->jitter);
	return ask_if_notified(s);
}

static enum secondary_action soa_answered(struct secondary *s, const struct secondary_event *e)
{
	if (s->waiting != SECONDARY_ASKING) return SECONDARY_NONE; /* nobody asked */
	if (e->serial == s->serial) return confirmed(s, e);
	/*
	 * An older serial is no confirmation: a primary that lags or was set back must not
	 * keep our copy alive, nor replace it (RFC 1982; --force does). Another may be newer.
	 */
	if (!serial_newer(e->serial, s->serial)) return failed(s, e);
	s->waiting = SECONDARY_TRANSFERRING;
	return SECONDARY_TRANSFER;
}

static enum secondary_action notified(struct secondary *s, const struct secondary_event *e)
{
	if (e->has_serial && s->has_version && !serial_newer(e->serial, s->serial))
		return SECONDARY_NONE; /* RFC 1996 3.11: nothing new in it */
	if (s->waiting != SECONDARY_IDLE) {
		s->notified = true;
		s->notified_by = e->primary < s->primary_count ? e->primary : s->primary;
		return SECONDARY_NONE;
	}
	s->primary = e->primary < s->primary_count ? e->primary : s->primary;
	s->tried = 0;
	return ask(s);
}

static enum secondary_action started(struct secondary *s, const struct secondary_event *e)
{
	s->has_version = e->has_version;
	s->serial = e->serial;
	s->intervals = e->intervals;
	s->confirmed_at = e->confirmed_at;
	return ask(s);
}

enum secondary_action secondary_step(struct secondary *s, const struct secondary_event *e)
{
	switch (e->kind) {
	case SECONDARY_START: return started(s, e);
	case SECONDARY_TICK:
		return s->waiting == SECONDARY_IDLE && e->now >= s->next_at ? ask(s)
									    : SECONDARY_NONE;
	case SECONDARY_NOTIFY: return notified(s, e);
	case SECONDARY_ORDER:
		s->forced |= e->forced;
		if (s->waiting == SECONDARY_IDLE) {
			s->tried = 0;
			return ask(s);
		}
		s->notified = true;
		s->notified_by = s->primary;
		return SECONDARY_NONE;
	case SECONDARY_SOA: return soa_answered(s, e);
	case SECONDARY_TRANSFERRED:
		if (s->waiting != SECONDARY_TRANSFERRING) return SECONDARY_NONE;
		s->has_version = true;
		s->serial = e->serial;
		s->intervals = e->intervals;
		return confirmed(s, e);
	case SECONDARY_FAILED: return s->waiting == SECONDARY_IDLE ? SECONDARY_NONE : failed(s, e);
	}
	return SECONDARY_NONE;
}
