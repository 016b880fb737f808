/* SPDX-License-Identifier: Apache-2.0 */
#include "server/keeper/zones.h"

#include "host/clock.h"
#include "host/random.h"

#include <stdlib.h>

static void due(void *context, instant_ns now)
{
	struct keeper_event event = {.kind = KEEPER_TICK};

	(void)now;
	zone_feed(context, &event);
}

static void read_due(void *context, instant_ns now)
{
	(void)now;
	zone_read_file(context);
}

struct zone *zone_new(struct keeper *k, const struct zone_policy *policy)
{
	struct zone *zone = calloc(1, sizeof *zone);
	size_t peers = policy->secondary_count ? policy->secondary_count : 1;

	if (!zone) return NULL;
	zone->keeper = k;
	zone->slot = k->slot_count++;
	zone->notifies = calloc(peers, sizeof *zone->notifies);
	zone->notify_exchanges = calloc(peers, sizeof *zone->notify_exchanges);
	zone->said = arena_new(ZONE_SAID_OCTETS_MAX);
	zone->timer = (struct timer){.due = due, .context = zone};
	zone->read_timer = (struct timer){.due = read_due, .context = zone};
	if (!zone->notifies || !zone->notify_exchanges || !zone->said) {
		zone_free(zone);
		return NULL;
	}
	keeper_zone_init(&zone->machine, policy, &k->policy->limits, zone->notifies);
	return zone;
}

void zone_free(struct zone *zone)
{
	if (!zone) return;
	timer_cancel(zone->keeper->loop, &zone->timer);
	timer_cancel(zone->keeper->loop, &zone->read_timer);
	timer_cancel(zone->keeper->loop, &zone->exchange_timer);
	zone_files_forget(zone);
	incoming_clear(&zone->incoming);
	incoming_clear(&zone->received);
	arena_free(zone->work);
	arena_free(zone->said);
	free(zone->notify_exchanges);
	free(zone->notifies);
	free(zone);
}

enum code zone_work_begin(struct zone *zone, struct error *err)
{
	arena_free(zone->work);
	arena_reset(zone->said);
	zone->diagnostics = (struct diagnostics){.arena = zone->said};
	zone->records = NULL;
	zone->work = arena_new(ZONE_WORK_OCTETS_MAX);
	if (zone->work) zone->records = arena_alloc(zone->work, sizeof *zone->records);
	if (!zone->records) return error_set(err, E_NOMEM, "no memory for a new version");
	records_init(zone->records, zone->work);
	return OK;
}

void zone_work_end(struct zone *zone)
{
	arena_free(zone->work);
	zone->work = NULL;
	zone->records = NULL;
	incoming_clear(&zone->received);
}

static void tell_changed(const struct zone *zone, enum event_id id)
{
	const struct keeper_version *head = &zone->machine.head;
	char digest[ZONE_DIGEST_TEXT_MAX];

	log_event(id, "zone=%s serial=%u records=%llu digest=%s by=\"%s\"",
		  zone->machine.policy->label, head->serial, (unsigned long long)head->digest.count,
		  zone_digest_print(&head->digest, digest), head->author);
}

static void tell(struct zone *zone, const struct keeper_action *action)
{
	const struct keeper_zone *machine = &zone->machine;
	const struct zone_policy *policy = machine->policy;

	switch (action->tell) {
	case TELL_LOADED: tell_changed(zone, EVENT_ZONE_LOADED); break;
	case TELL_CHANGED: tell_changed(zone, EVENT_ZONE_CHANGED); break;
	case TELL_UNCHANGED: log_event(EVENT_ZONE_UNCHANGED, "zone=%s", policy->label); break;
	case TELL_REFUSED:
		log_event(EVENT_ZONE_REFUSED, "zone=%s serial=%u reason=\"%s\"", policy->label,
			  machine->head.serial, machine->problem);
		break;
	case TELL_CURRENT:
		log_event(EVENT_ZONE_CURRENT, "zone=%s serial=%u primary=%s", policy->label,
			  machine->head.serial, policy->primaries[action->peer]->label);
		break;
	case TELL_EXPIRED:
		log_event(EVENT_ZONE_EXPIRED, "zone=%s serial=%u reason=\"%s\"", policy->label,
			  machine->head.serial, machine->problem);
		break;
	case TELL_EXCHANGE_FAILED:
		log_event(EVENT_EXCHANGE_FAILED, "zone=%s primary=%s reason=\"%s\"", policy->label,
			  policy->primaries[action->peer]->label, machine->problem);
		break;
	case TELL_NOTIFY_FAILED:
		log_event(EVENT_NOTIFY_FAILED, "zone=%s secondary=%s", policy->label,
			  policy->secondaries[action->peer]->label);
		break;
	}
	zone_answer_waiting(zone, action->tell);
}

static void perform(struct zone *zone, const struct keeper_action *action)
{
	switch (action->kind) {
	/* In a turn of its own: between the files of many zones others are served. */
	case KEEPER_READ_FILE: timer_set_after(zone->keeper->loop, &zone->read_timer, 0); break;
	case KEEPER_STORE: zone_store(zone); break;
	case KEEPER_PUBLISH: zone_publish(zone); break;
	case KEEPER_PUBLISH_EXPIRY: zone_publish_expiry(zone); break;
	case KEEPER_STORE_TIMERS: zone_store_timers(zone); break;
	case KEEPER_ASK_SOA: zone_ask_soa(zone, action->peer); break;
	case KEEPER_FETCH: zone_fetch(zone, action->peer); break;
	case KEEPER_SEND_NOTIFY: zone_send_notify(zone, action->peer, action->serial); break;
	case KEEPER_FINISHED: zone_work_end(zone); break;
	case KEEPER_TELL: tell(zone, action); break;
	}
}

void zone_feed(struct zone *zone, struct keeper_event *event)
{
	struct keeper *k = zone->keeper;
	struct keeper_actions actions;

	event->now = clock_boottime();
	event->now_unix_s = clock_unix();
	event->jitter = random_u32();
	event->crypto = k->crypto;
	event->arena = zone->work;
	event->diagnostics = &zone->diagnostics;
	keeper_step(&zone->machine, event, &actions);
	for (size_t i = 0; i < actions.count; i++) perform(zone, &actions.list[i]);
	timer_set(k->loop, &zone->timer, keeper_zone_wake_at(&zone->machine));
	if (zone->incoming.is_whole && zone->machine.stage == KEEPER_IDLE) zone_deliver(zone);
}
