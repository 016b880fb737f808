/* SPDX-License-Identifier: Apache-2.0 */
#include "server/keeper/packer.h"
#include "server/keeper/storing.h"

#include "host/clock.h"
#include "host/random.h"

#include <stdio.h>
#include <stdlib.h>

static void due(void *context, instant_ns now)
{
	struct keeper_event event = {.kind = KEEPER_TICK};

	(void)now;
	zone_feed(context, &event);
}

struct zone *zone_new(struct keeper *k, const struct zone_policy *policy)
{
	struct zone *zone = calloc(1, sizeof *zone);
	size_t peers = policy->secondary_count;

	if (!zone) return NULL;
	zone->keeper = k;
	if (peers) {
		zone->notifies = calloc(peers, sizeof *zone->notifies);
		zone->notify_exchanges = calloc(peers, sizeof *zone->notify_exchanges);
	}
	zone->timer = (struct timer){.due = due, .context = zone};
	if (peers && (!zone->notifies || !zone->notify_exchanges)) {
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
	timer_cancel(zone->keeper->loop, &zone->exchange_timer);
	zone_reading_leave(zone);
	zone_files_clear(&zone->files);
	incoming_clear(&zone->incoming);
	incoming_clear(&zone->received);
	arena_free(zone->work);
	arena_free(zone->said);
	free(zone->machine.problem);
	free(zone->authors.head);
	free(zone->authors.next);
	free(zone->notify_exchanges);
	free(zone->notifies);
	free(zone);
}

/* The front is told that it has everything when each file was tried once. */
static void first_load_note(struct zone *zone, bool may_begin)
{
	struct keeper *k = zone->keeper;
	const struct keeper_zone *machine = &zone->machine;
	bool loads = (zone->stored.loads_first || (may_begin && !machine->head.exists)) &&
		     machine->stage != KEEPER_IDLE && !zone->is_gone;

	if (loads == zone->stored.loads_first) return;
	zone->stored.loads_first = loads;
	k->restore.loading_first += loads ? 1 : (size_t)-1;
	if (!k->restore.loading_first && !zone->is_gone) front_continue(k);
}

void zone_let_go(struct zone *zone)
{
	struct keeper *k = zone->keeper;

	zone->is_gone = true;
	first_load_note(zone, false);
	timer_cancel(k->loop, &zone->timer);
	timer_cancel(k->loop, &zone->exchange_timer);
	zone_reading_leave(zone);
	zone_storing_leave(zone);
	zone_asking_leave(zone);
	zone_packing_leave(zone);
	if (zone->stored.job_count) return;
	if (k->slots.list[zone->slot] == zone) k->slots.list[zone->slot] = NULL;
	zone_free(zone);
}

enum code zone_work_begin(struct zone *zone, struct error *err)
{
	arena_free(zone->work);
	arena_free(zone->said);
	zone->said = arena_new(ZONE_SAID_OCTETS_MAX);
	zone->diagnostics = (struct diagnostics){.arena = zone->said};
	zone->records = NULL;
	zone->work = arena_new(ZONE_WORK_OCTETS_MAX);
	if (zone->work && zone->said)
		zone->records = arena_alloc(zone->work, sizeof *zone->records);
	if (!zone->records) return error_set(err, E_NOMEM, "no memory for a new version");
	records_init(zone->records, zone->work);
	return OK;
}

void zone_work_end(struct zone *zone)
{
	arena_free(zone->work);
	zone->work = NULL;
	zone->records = NULL;
	zone_reading_end(zone);
	incoming_clear(&zone->received);
	if (zone->diagnostics.count || zone->diagnostics.error_count) return;
	arena_free(zone->said);
	zone->said = NULL;
	zone->diagnostics = (struct diagnostics){0};
}

static char *problem_room(struct keeper *k)
{
	if (!k->feeding.problem_room && !(k->feeding.problem_room = malloc(PROBLEM_TEXT_MAX)))
		process_fail(k->process, "no memory for a zone's problem");
	return k->feeding.problem_room;
}

void zone_problem_note(struct zone *zone, const char *sentence)
{
	struct keeper *k = zone->keeper;

	if (!zone->machine.problem) {
		zone->machine.problem = problem_room(k);
		k->feeding.problem_room = NULL;
	}
	snprintf(zone->machine.problem, PROBLEM_TEXT_MAX, "%s", sentence);
	if (!zone->machine.problem_since) zone->machine.problem_since = clock_now();
}

static void tell_changed(const struct zone *zone, enum event event)
{
	const struct keeper_version *head = &zone->machine.head;
	char digest[ZONE_DIGEST_TEXT_MAX];

	LOG(event, log_text("zone", zone->machine.policy->label), log_uint("serial", head->serial),
	    log_uint("records", head->digest.count),
	    log_text("digest", zone_digest_print(&head->digest, digest)),
	    log_text("by", head->author));
}

static void tell_problem(const struct zone *zone, enum event event)
{
	LOG(event, log_text("zone", zone->machine.policy->label),
	    log_uint("serial", zone->machine.head.serial),
	    log_text("reason", zone->machine.problem));
}

static void tell(struct zone *zone, const struct keeper_action *action)
{
	const struct keeper_zone *machine = &zone->machine;
	const struct zone_policy *policy = machine->policy;

	switch (action->tell) {
	case TELL_LOADED: tell_changed(zone, EVENT_ZONE_LOADED); break;
	case TELL_CHANGED: tell_changed(zone, EVENT_ZONE_CHANGED); break;
	case TELL_UNCHANGED: LOG(EVENT_ZONE_UNCHANGED, log_text("zone", policy->label)); break;
	case TELL_REFUSED: tell_problem(zone, EVENT_ZONE_REFUSED); break;
	case TELL_EXPIRED: tell_problem(zone, EVENT_ZONE_EXPIRED); break;
	case TELL_CURRENT:
		LOG(EVENT_ZONE_CURRENT, log_text("zone", policy->label),
		    log_uint("serial", machine->head.serial),
		    log_text("primary", policy->primaries[action->peer]->label));
		break;
	case TELL_EXCHANGE_FAILED:
		LOG(EVENT_EXCHANGE_FAILED, log_text("zone", policy->label),
		    log_text("primary", policy->primaries[action->peer]->label),
		    log_text("reason", machine->problem));
		break;
	case TELL_NOTIFY_FAILED:
		LOG(EVENT_NOTIFY_FAILED, log_text("zone", policy->label),
		    log_text("secondary", policy->secondaries[action->peer]->label),
		    log_text("reason", zone->notify_problem));
		break;
	}
	zone_answer_waiting(zone, action->tell);
}

static void perform(struct zone *zone, const struct keeper_action *action)
{
	switch (action->kind) {
	case KEEPER_READ_FILE: zone_look_at_file(zone); break;
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

/* The event's author is kept for as long as the machine may want him. */
static void lend(struct zone *zone, struct keeper_event *event)
{
	enum keeper_stage stage = zone->machine.stage;
	bool is_candidate = event->author && stage != KEEPER_STORING && stage != KEEPER_PUBLISHING;

	event->problem_room = zone->machine.problem ? NULL : problem_room(zone->keeper);
	if (!is_candidate) return;
	free(zone->authors.next);
	event->author = zone->authors.next = strdup(event->author);
	if (!event->author) process_fail(zone->keeper->process, "no memory for an author");
}

static void take_back(struct zone *zone)
{
	struct keeper_zone *machine = &zone->machine;

	if (machine->problem == zone->keeper->feeding.problem_room)
		zone->keeper->feeding.problem_room = NULL;
	if (machine->problem && !machine->problem_since) {
		free(machine->problem);
		machine->problem = NULL;
	}
	if (zone->authors.next && machine->head.author == zone->authors.next) {
		free(zone->authors.head);
		zone->authors.head = zone->authors.next;
		zone->authors.next = NULL;
	}
}

/* A linear congruential step, of which the upper half is even enough. */
static uint32_t jitter_draw(struct keeper *k)
{
	if (!k->feeding.jitter) k->feeding.jitter = random_u64();
	k->feeding.jitter = k->feeding.jitter * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(k->feeding.jitter >> 32);
}

void zone_feed(struct zone *zone, struct keeper_event *event)
{
	struct keeper *k = zone->keeper;
	struct keeper_actions actions;

	event->now = clock_now();
	event->now_unix_s = clock_unix_s();
	event->jitter = jitter_draw(k);
	event->crypto = k->crypto;
	event->arena = zone->work;
	event->diagnostics = &zone->diagnostics;
	lend(zone, event);
	keeper_step(&zone->machine, event, &actions);
	take_back(zone);
	for (size_t i = 0; i < actions.count; i++) perform(zone, &actions.list[i]);
	timer_set(k->loop, &zone->timer, keeper_zone_wake_at(&zone->machine));
	first_load_note(zone, event->kind == KEEPER_START);
	if (zone->incoming.is_whole && zone->machine.stage == KEEPER_IDLE) zone_deliver(zone);
}
