/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/keeper/keeper.h"

#include "engine/keeper/candidate.h"

#include <assert.h>
#include <stdio.h>

void keeper_zone_init(struct keeper_zone *zone, const struct zone_policy *policy,
		      const struct limit_policy *limits, struct notify *notifies)
{
	*zone = (struct keeper_zone){.policy = policy, .limits = limits, .notifies = notifies};
	for (size_t i = 0; i < policy->secondary_count; i++) notify_init(&notifies[i]);
	if (policy->role == ROLE_SECONDARY) secondary_init(&zone->secondary, policy->primary_count);
}

static bool has_room(const struct keeper_actions *actions)
{
	return actions->count < KEEPER_ACTIONS_MAX;
}

static struct keeper_action *act(struct keeper_actions *actions, enum keeper_action_kind kind)
{
	assert(has_room(actions));
	struct keeper_action *action = &actions->list[actions->count++];
	*action = (struct keeper_action){.kind = kind};
	return action;
}

static void tell(struct keeper_actions *actions, enum keeper_tell what, size_t peer)
{
	struct keeper_action *action = act(actions, KEEPER_TELL);

	action->tell = what;
	action->peer = peer;
}

static void problem_set(struct keeper_zone *zone, const struct keeper_event *event,
			const char *sentence)
{
	if (!zone->problem_since) zone->problem_since = event->now;
	if (!zone->problem) zone->problem = event->problem_room;
	assert(zone->problem);
	snprintf(zone->problem, PROBLEM_TEXT_MAX, "%s", sentence);
}

static void problem_clear(struct keeper_zone *zone)
{
	zone->problem_since = 0;
}

instant_ns keeper_zone_expires_at(const struct keeper_zone *zone)
{
	if (zone->policy->role == ROLE_PRIMARY) return INSTANT_NEVER;
	return secondary_expires_at(&zone->secondary);
}

instant_ns keeper_zone_wake_at(const struct keeper_zone *zone)
{
	instant_ns at = INSTANT_NEVER;

	if (zone->policy->role == ROLE_SECONDARY) {
		at = zone->secondary.next_at;
		if (!zone->expired && keeper_zone_expires_at(zone) < at)
			at = keeper_zone_expires_at(zone);
	}
	for (size_t i = 0; i < zone->policy->secondary_count; i++)
		if (zone->notifies[i].next_at < at) at = zone->notifies[i].next_at;
	return at;
}

/* Feeds the secondary's machine and turns its answer into ours. */
static void secondary_feed(struct keeper_zone *zone, const struct keeper_event *event,
			   struct secondary_event change, struct keeper_actions *actions)
{
	change.now = event->now;
	change.jitter = event->jitter;
	enum secondary_action wanted = secondary_step(&zone->secondary, &change);
	if (wanted == SECONDARY_NONE) return;
	act(actions, wanted == SECONDARY_ASK_SOA ? KEEPER_ASK_SOA : KEEPER_FETCH)->peer =
		zone->secondary.primary;
}

static void read_file(struct keeper_zone *zone, struct keeper_actions *actions)
{
	zone->reload_wanted = false;
	zone->stage = KEEPER_READING;
	act(actions, KEEPER_READ_FILE);
}

/* The candidate came to an end, good or bad: what waited for it goes on. */
static void finish(struct keeper_zone *zone, struct keeper_actions *actions)
{
	zone->stage = KEEPER_IDLE;
	zone->candidate = (struct keeper_candidate){0};
	act(actions, KEEPER_FINISHED);
	if (zone->reload_wanted) read_file(zone, actions);
}

static void refuse(struct keeper_zone *zone, const struct keeper_event *event, const char *sentence,
		   struct keeper_actions *actions)
{
	problem_set(zone, event, sentence);
	tell(actions, TELL_REFUSED, 0);
	if (zone->candidate.is_transfer)
		secondary_feed(zone, event, (struct secondary_event){.kind = SECONDARY_FAILED},
			       actions);
	finish(zone, actions);
}

static bool view_soa(const struct view *view, struct soa *soa)
{
	struct node apex;
	struct rrset rrset;
	struct span rdata;
	size_t at = 0;

	return view_find_exact(view, view_apex(view), &apex) &&
	       node_rrset(&apex, RRTYPE_SOA, &rrset) && rrset_next(&rrset, &at, &rdata) &&
	       soa_read(rdata, soa);
}

/* The restored version's, whichever way it came; false when there is none. */
static bool restored_soa(const struct keeper_zone *zone, const struct keeper_event *event,
			 struct soa *soa)
{
	if (event->view) return view_soa(event->view, soa);
	return event->records && records_soa(event->records, zone->policy->name, soa);
}

static void start(struct keeper_zone *zone, const struct keeper_event *event,
		  struct keeper_actions *actions)
{
	struct soa soa;

	assert(zone->stage == KEEPER_RESTORING);
	zone->stage = KEEPER_IDLE;
	zone->has_floor = event->has_serial;
	zone->serial_floor = event->serial;
	if (restored_soa(zone, event, &soa)) {
		zone->head.exists = true;
		zone->head.serial = soa.serial;
		zone->head.digest = event->digest;
		zone->head.time_unix_s = event->time_unix_s;
		zone->head.source = event->source;
		zone->head.author = event->author;
		if (event->view) zone->head.view = *event->view;
		zone->candidate.records = event->view ? NULL : event->records;
		zone->stage = KEEPER_PUBLISHING;
		act(actions, KEEPER_PUBLISH);
		zone->reload_wanted = zone->policy->file != NULL;
	} else if (zone->policy->file) {
		read_file(zone, actions);
	}
	if (zone->policy->role == ROLE_SECONDARY) {
		struct secondary_event started = {.kind = SECONDARY_START};
		if (zone->head.exists) {
			started.has_version = true;
			started.serial = zone->head.serial;
			started.confirmed_at = event->confirmed_at;
			started.intervals = secondary_intervals_of(&soa, zone->limits);
		}
		secondary_feed(zone, event, started, actions);
	}
}

/*
 * The transfer counts as done only now: a NOTIFY that came meanwhile starts the next
 * one when this one is out of the way.
 */
static void transferred(struct keeper_zone *zone, const struct keeper_event *event,
			struct keeper_actions *actions)
{
	struct soa soa;
	bool found = records_soa(zone->candidate.records, zone->policy->name, &soa);

	assert(found);
	secondary_feed(zone, event,
		       (struct secondary_event){
			       .kind = SECONDARY_TRANSFERRED,
			       .serial = soa.serial,
			       .intervals = secondary_intervals_of(&soa, zone->limits),
		       },
		       actions);
	zone->expired = false;
	act(actions, KEEPER_STORE_TIMERS);
	act(actions, KEEPER_PUBLISH_EXPIRY);
}

/* Step 1 and 2 of the way in: the guard has its say, then the store gets what differs. */
static void consider(struct keeper_zone *zone, const struct keeper_event *event,
		     enum change_source source, struct keeper_actions *actions)
{
	struct error err = {0};
	enum code code = candidate_make(zone, event, source, &err);

	if (code == E_EXISTS) {
		problem_clear(zone);
		tell(actions, TELL_UNCHANGED, 0);
		if (zone->candidate.is_transfer) transferred(zone, event, actions);
		finish(zone, actions);
	} else if (code) {
		refuse(zone, event, err.text, actions);
	} else {
		zone->stage = KEEPER_STORING;
		act(actions, KEEPER_STORE);
	}
}

static void received(struct keeper_zone *zone, const struct keeper_event *event,
		     struct keeper_actions *actions)
{
	if (zone->secondary.waiting != SECONDARY_TRANSFERRING) return; /* nobody waits for it */
	assert(zone->stage == KEEPER_IDLE);
	consider(zone, event, CHANGE_FROM_TRANSFER, actions);
}

static void stored(struct keeper_zone *zone, const struct keeper_event *event,
		   struct keeper_actions *actions)
{
	struct keeper_candidate *candidate = &zone->candidate;
	bool first = !zone->head.exists;

	if (zone->stage != KEEPER_STORING) return;
	zone->head.exists = true;
	zone->head.serial = candidate->serial;
	zone->head.digest = candidate->digest;
	zone->head.time_unix_s = event->now_unix_s;
	zone->head.source = candidate->change.source;
	zone->head.author = candidate->author;
	zone->stage = KEEPER_PUBLISHING;
	problem_clear(zone);
	act(actions, KEEPER_PUBLISH);
	tell(actions, first ? TELL_LOADED : TELL_CHANGED, 0);
}

static void send_notify(struct keeper_zone *zone, size_t peer, struct keeper_actions *actions)
{
	struct keeper_action *action = act(actions, KEEPER_SEND_NOTIFY);

	action->peer = peer;
	action->serial = zone->notifies[peer].sent_serial;
}

/* One secondary after another; those for whom there is no room are due at once. */
static void notify_all(struct keeper_zone *zone, const struct keeper_event *event,
		       enum notify_event_kind kind, struct keeper_actions *actions)
{
	for (size_t i = 0; i < zone->policy->secondary_count; i++) {
		struct notify *notify = &zone->notifies[i];
		struct notify_event change = {
			.kind = kind, .now = event->now, .serial = zone->head.serial};
		if (!notify_step(notify, &change)) continue;
		if (has_room(actions))
			send_notify(zone, i, actions);
		else
			notify_postpone(notify, event->now);
	}
}

static void serving(struct keeper_zone *zone, const struct keeper_event *event,
		    struct keeper_actions *actions)
{
	if (zone->stage != KEEPER_PUBLISHING) return;
	zone->served = true;
	if (zone->candidate.is_transfer) transferred(zone, event, actions);
	finish(zone, actions);
	notify_all(zone, event, NOTIFY_SERVED, actions);
}

static void tick(struct keeper_zone *zone, const struct keeper_event *event,
		 struct keeper_actions *actions)
{
	if (zone->policy->role == ROLE_SECONDARY) {
		if (!zone->expired && event->now >= keeper_zone_expires_at(zone)) {
			zone->expired = true;
			tell(actions, TELL_EXPIRED, 0);
		}
		secondary_feed(zone, event, (struct secondary_event){.kind = SECONDARY_TICK},
			       actions);
	}
	notify_all(zone, event, NOTIFY_TICK, actions);
}

/* Said aloud, because nothing else would be: it is no failure of the exchange. */
static void problem_set_older(struct keeper_zone *zone, const struct keeper_event *event,
			      size_t peer, struct keeper_actions *actions)
{
	char sentence[PROBLEM_TEXT_MAX];

	snprintf(sentence, sizeof sentence,
		 "%s serves serial %u, which is not newer than %u, which is held here "
		 "(zone refresh --force takes it all the same)",
		 zone->policy->primaries[peer]->label, event->serial, zone->secondary.serial);
	problem_set(zone, event, sentence);
	tell(actions, TELL_EXCHANGE_FAILED, peer);
}

static void soa_answered(struct keeper_zone *zone, const struct keeper_event *event,
			 struct keeper_actions *actions)
{
	size_t peer = zone->secondary.primary;
	uint32_t ours = zone->secondary.serial;

	if (zone->secondary.waiting != SECONDARY_ASKING) return; /* nobody asked */
	secondary_feed(zone, event,
		       (struct secondary_event){.kind = SECONDARY_SOA, .serial = event->serial},
		       actions);
	if (event->serial == ours) {
		zone->expired = false;
		problem_clear(zone);
		act(actions, KEEPER_PUBLISH_EXPIRY);
		act(actions, KEEPER_STORE_TIMERS);
		tell(actions, TELL_CURRENT, peer);
	} else if (!serial_newer(event->serial, ours)) {
		problem_set_older(zone, event, peer, actions);
	}
}

static void notify_outcome(struct keeper_zone *zone, const struct keeper_event *event,
			   struct keeper_actions *actions)
{
	bool answered = event->kind == KEEPER_NOTIFY_ANSWERED;
	struct notify_event change = {.kind = answered ? NOTIFY_ANSWERED : NOTIFY_FAILED,
				      .now = event->now};

	if (event->peer >= zone->policy->secondary_count) return;
	if (!answered) tell(actions, TELL_NOTIFY_FAILED, event->peer);
	if (notify_step(&zone->notifies[event->peer], &change))
		send_notify(zone, event->peer, actions);
}

static void exchange_failed(struct keeper_zone *zone, const struct keeper_event *event,
			    struct keeper_actions *actions)
{
	size_t peer = zone->secondary.primary;

	problem_set(zone, event, event->problem);
	tell(actions, TELL_EXCHANGE_FAILED, peer);
	secondary_feed(zone, event, (struct secondary_event){.kind = SECONDARY_FAILED}, actions);
}

static void step_secondary(struct keeper_zone *zone, const struct keeper_event *event,
			   struct keeper_actions *actions)
{
	if (zone->policy->role != ROLE_SECONDARY) return;
	switch (event->kind) {
	case KEEPER_NOTIFY_RECEIVED:
		secondary_feed(zone, event,
			       (struct secondary_event){.kind = SECONDARY_NOTIFY,
							.primary = event->peer,
							.serial = event->serial,
							.has_serial = event->has_serial},
			       actions);
		break;
	case KEEPER_REFRESH:
		secondary_feed(
			zone, event,
			(struct secondary_event){.kind = SECONDARY_ORDER, .forced = event->forced},
			actions);
		break;
	case KEEPER_SOA_ANSWERED: soa_answered(zone, event, actions); break;
	case KEEPER_RECEIVED: received(zone, event, actions); break;
	case KEEPER_EXCHANGE_FAILED: exchange_failed(zone, event, actions); break;
	default: break;
	}
}

void keeper_step(struct keeper_zone *zone, const struct keeper_event *event,
		 struct keeper_actions *actions)
{
	actions->count = 0;
	if (zone->stage == KEEPER_RESTORING && event->kind != KEEPER_START) {
		/* The start looks at the file and asks the primaries anyway. */
		if (event->kind == KEEPER_REFRESH) zone->secondary.forced |= event->forced;
		return;
	}
	switch (event->kind) {
	case KEEPER_START: start(zone, event, actions); break;
	case KEEPER_RELOAD:
		if (!zone->policy->file) break;
		zone->reload_wanted = true;
		if (zone->stage == KEEPER_IDLE) read_file(zone, actions);
		break;
	case KEEPER_FILE_UNCHANGED:
		if (zone->stage != KEEPER_READING) break;
		tell(actions, TELL_UNCHANGED, 0);
		finish(zone, actions);
		break;
	case KEEPER_FILE_READ:
		if (zone->stage == KEEPER_READING) consider(zone, event, CHANGE_FROM_FILE, actions);
		break;
	case KEEPER_FILE_BROKEN:
		if (zone->stage == KEEPER_READING) refuse(zone, event, event->problem, actions);
		break;
	case KEEPER_STORED: stored(zone, event, actions); break;
	case KEEPER_STORE_FAILED:
		if (zone->stage == KEEPER_STORING) refuse(zone, event, event->problem, actions);
		break;
	case KEEPER_SERVING: serving(zone, event, actions); break;
	case KEEPER_TICK: tick(zone, event, actions); break;
	case KEEPER_NOTIFY_ANSWERED:
	case KEEPER_NOTIFY_FAILED: notify_outcome(zone, event, actions); break;
	case KEEPER_NOTIFY_ORDER:
		if (zone->served) notify_all(zone, event, NOTIFY_ORDER, actions);
		break;
	default: step_secondary(zone, event, actions); break;
	}
}
