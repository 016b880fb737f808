/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchanges.c - what the courier does for us: questions, transfers in, NOTIFY out.
 *
 * An exchange's id names its zone's slot and is never used twice, so an answer that
 * comes after its exchange was given up finds nobody.
 */
#include "server/keeper/zones.h"

#include "server/keeper/packing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct zone *zone_of_exchange(const struct keeper *k, uint64_t id)
{
	uint32_t slot = (uint32_t)id;

	struct zone *zone = slot < k->slots.count ? k->slots.list[slot] : NULL;

	return zone && !zone->is_gone ? zone : NULL;
}

/* The remote's place in the policy, which both sides have. */
static uint32_t remote_index(const struct keeper *k, const struct remote *remote)
{
	return (uint32_t)(remote - k->policy->remotes);
}

/* 0: the courier is not there, or has enough to do. */
static uint64_t exchange_begin(struct zone *zone, enum exchange_kind kind,
			       const struct remote *remote, uint32_t serial)
{
	struct keeper *k = zone->keeper;
	struct message_exchange body = {
		.id = ++k->asking.last_id << 32 | zone->slot,
		.kind = kind,
		.remote = remote_index(k, remote),
		.serial = serial,
	};

	name_copy(&body.zone, zone->machine.policy->name);
	if (!k->courier || channel_send(k->courier, MESSAGE_EXCHANGE, &body, (struct span){0}, -1))
		return 0;
	return body.id;
}

static void exchange_failed(struct zone *zone, const char *problem)
{
	struct keeper_event event = {.kind = KEEPER_EXCHANGE_FAILED, .problem = problem};

	incoming_clear(&zone->incoming);
	zone->exchange = 0;
	zone_feed(zone, &event);
}

/*
 * What could not even begin fails in a turn of its own: the machine has not heard
 * the end of the event that asked for it.
 */
static void begin_later(void *context, instant_ns now)
{
	(void)now;
	exchange_failed(context, "the courier process is not there; it is being started again");
}

/* Those that wait for the courier's first start, or for room in its channel. */
static void asking_go_on(struct keeper *k)
{
	struct keeper_asking *asking = &k->asking;

	while (k->courier && asking->first) {
		struct zone *zone = asking->first;
		const struct remote *primary =
			zone->machine.policy->primaries[zone->machine.secondary.primary];
		zone->exchange = exchange_begin(zone, zone->asking.kind, primary, 0);
		if (!zone->exchange) return;
		asking->first = zone->asking.next;
		zone->asking.is_waiting = false;
	}
}

static void asking_append(struct zone *zone, enum exchange_kind kind)
{
	struct keeper_asking *asking = &zone->keeper->asking;

	zone->asking.kind = kind;
	if (zone->asking.is_waiting) return;
	zone->asking.is_waiting = true;
	zone->asking.next = NULL;
	*(asking->first ? &asking->last->asking.next : &asking->first) = zone;
	asking->last = zone;
}

void zone_asking_leave(struct zone *zone)
{
	struct keeper_asking *asking = &zone->keeper->asking;
	struct zone **link = &asking->first, *previous = NULL;

	if (!zone->asking.is_waiting) return;
	while (*link != zone) {
		previous = *link;
		link = &previous->asking.next;
	}
	*link = zone->asking.next;
	if (asking->last == zone) asking->last = previous;
	zone->asking.is_waiting = false;
}

static void ask_primary(struct zone *zone, enum exchange_kind kind, size_t peer)
{
	struct keeper *k = zone->keeper;

	incoming_clear(&zone->incoming);
	zone->exchange = 0;
	(void)peer; /* it is the one that the machine stands at */
	if (k->courier || !k->asking.had_courier) {
		asking_append(zone, kind);
		asking_go_on(k);
		return;
	}
	zone->exchange_timer = (struct timer){.due = begin_later, .context = zone};
	timer_set_after(zone->keeper->loop, &zone->exchange_timer, 0);
}

void zone_ask_soa(struct zone *zone, size_t peer)
{
	ask_primary(zone, EXCHANGE_SOA, peer);
}

void zone_fetch(struct zone *zone, size_t peer)
{
	ask_primary(zone, EXCHANGE_TRANSFER, peer);
}

void zone_send_notify(struct zone *zone, size_t peer, uint32_t serial)
{
	const struct remote *remote = zone->machine.policy->secondaries[peer];

	zone->notify_exchanges[peer] = exchange_begin(zone, EXCHANGE_NOTIFY, remote, serial);
	if (zone->notify_exchanges[peer]) return;
	/* As if the secondary had not answered: it is told again soon. */
	notify_postpone(&zone->notifies[peer], loop_now(zone->keeper->loop) + NS_PER_S);
}

void incoming_clear(struct incoming *incoming)
{
	arena_free(incoming->arena);
	free(incoming->chunks);
	free(incoming->author);
	*incoming = (struct incoming){0};
}

static enum code incoming_add(struct incoming *incoming, struct span octets)
{
	if (!incoming->arena) incoming->arena = arena_new(ZONE_WORK_OCTETS_MAX);
	if (!incoming->arena) return E_NOMEM;
	if (incoming->count == incoming->capacity) {
		size_t capacity = incoming->capacity ? 2 * incoming->capacity : 16;
		struct span *grown = realloc(incoming->chunks, capacity * sizeof *grown);
		if (!grown) return E_NOMEM;
		incoming->chunks = grown;
		incoming->capacity = capacity;
	}
	const uint8_t *copy = arena_copy(incoming->arena, octets);
	if (!copy) return E_NOMEM;
	incoming->chunks[incoming->count++] = span_of(copy, octets.len);
	return OK;
}

void zone_deliver(struct zone *zone)
{
	struct keeper_event event = {.kind = KEEPER_RECEIVED};
	struct error err = {0};
	enum code code = zone_work_begin(zone, &err);

	zone->received = zone->incoming;
	zone->incoming = (struct incoming){0};
	for (size_t i = 0; !code && i < zone->received.count; i++)
		code = records_add_wire(zone->records, zone->received.chunks[i], &err);
	if (!code) code = records_sort(zone->records, &err);
	if (code) {
		zone_work_end(zone);
		exchange_failed(zone, err.text);
		return;
	}
	event.records = zone->records;
	event.author = zone->received.author;
	zone_feed(zone, &event);
	if (zone->machine.stage == KEEPER_IDLE && zone->work) zone_work_end(zone);
}

static void notify_end(struct zone *zone, size_t peer, const struct message_exchange_end *end)
{
	struct keeper_event event = {
		.kind = KEEPER_NOTIFY_FAILED, .peer = peer, .problem = end->text};

	if (end->outcome == EXCHANGE_DONE) event.kind = KEEPER_NOTIFY_ANSWERED;
	zone->notify_exchanges[peer] = 0;
	zone->notify_problem = end->text;
	zone_feed(zone, &event);
}

static void exchange_end(struct zone *zone, const struct message_exchange_end *end)
{
	const struct zone_policy *policy = zone->machine.policy;

	for (size_t i = 0; i < policy->secondary_count; i++) {
		if (zone->notify_exchanges[i] != end->id) continue;
		notify_end(zone, i, end);
		return;
	}
	if (zone->exchange != end->id) return; /* given up meanwhile */
	if (end->outcome != EXCHANGE_DONE) {
		exchange_failed(zone, end->text);
		return;
	}
	zone->exchange = 0;
	if (zone->machine.secondary.waiting != SECONDARY_TRANSFERRING) return;
	free(zone->incoming.author);
	if (asprintf(&zone->incoming.author, "transfer from %s",
		     policy->primaries[zone->machine.secondary.primary]->label) < 0)
		process_fail(zone->keeper->process, "no memory for a transfer");
	zone->incoming.is_whole = true;
	if (zone->machine.stage == KEEPER_IDLE) zone_deliver(zone);
}

static void soa_answer(struct zone *zone, const struct message_soa_answer *answer)
{
	struct keeper_event event = {.kind = KEEPER_SOA_ANSWERED, .serial = answer->serial};

	if (zone->exchange != answer->id) return;
	zone->exchange = 0;
	zone_feed(zone, &event);
}

static void records_received(struct zone *zone, const struct channel_message *message)
{
	const struct message_records *body = message->body;
	struct message_exchange_id cancel = {.id = body->id};

	if (zone->exchange != body->id) return;
	if (!incoming_add(&zone->incoming, message->tail)) return;
	if (channel_send(zone->keeper->courier, MESSAGE_EXCHANGE_CANCEL, &cancel, (struct span){0},
			 -1))
		process_peer_failed(zone->keeper->process, PROCESS_COURIER);
	exchange_failed(zone, "no memory for the records of a transfer");
}

void courier_received(struct keeper *k, const struct channel_message *message)
{
	/* Each of these bodies has the exchange's id behind its head. */
	const struct message_exchange_id *id = message->body;
	struct zone *zone = zone_of_exchange(k, id->id);

	if (!zone) return;
	switch (message->kind) {
	case MESSAGE_SOA_ANSWER: soa_answer(zone, message->body); break;
	case MESSAGE_RECORDS: records_received(zone, message); break;
	case MESSAGE_EXCHANGE_END: exchange_end(zone, message->body); break;
	default: break;
	}
}

void courier_greet(struct keeper *k)
{
	if (packed_policy_send(k->courier, MESSAGE_COURIER_POLICY, k->policy, PACK_COURIER))
		process_peer_failed(k->process, PROCESS_COURIER);
	k->asking.had_courier = true;
	asking_go_on(k);
}

void courier_continue(struct keeper *k)
{
	asking_go_on(k);
}

/* Everything that was under way came to nothing. */
void courier_lost(struct keeper *k)
{
	struct message_exchange_end lost = {
		.outcome = EXCHANGE_FAILED,
		.text = "the courier process ended in the middle of it",
	};

	for (size_t i = 0; i < k->zone_count; i++) {
		struct zone *zone = k->zones[i];
		for (size_t n = 0; n < zone->machine.policy->secondary_count; n++)
			if (zone->notify_exchanges[n]) notify_end(zone, n, &lost);
		if (zone->exchange) exchange_failed(zone, lost.text);
	}
}

/* The courier forgot them with the policy before. Nothing failed: the machine goes on waiting. */
static void exchanges_begin_again(struct zone *zone)
{
	const struct secondary *secondary = &zone->machine.secondary;

	for (size_t i = 0; i < zone->machine.policy->secondary_count; i++)
		if (zone->notify_exchanges[i])
			zone_send_notify(zone, i, zone->notifies[i].sent_serial);
	if (zone->exchange)
		ask_primary(zone,
			    secondary->waiting == SECONDARY_ASKING ? EXCHANGE_SOA
								   : EXCHANGE_TRANSFER,
			    secondary->primary);
	timer_set(zone->keeper->loop, &zone->timer, keeper_zone_wake_at(&zone->machine));
}

void courier_policy_changed(struct keeper *k)
{
	if (!k->courier) return;
	courier_greet(k);
	for (size_t i = 0; i < k->zone_count; i++) exchanges_begin_again(k->zones[i]);
}
