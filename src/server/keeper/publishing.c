/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publishing.c - images built, placed, and told to the front.
 *
 * A publication is one message without a descriptor; the segment it points into was
 * sent before it on the same ordered channel. What the channel has no room for stays
 * `unsent` and follows when it has.
 */
#include "server/keeper/zones.h"

#include "config/pack.h"
#include "server/keeper/control.h"
#include "server/keeper/packing.h"

#include <assert.h>

/* The sets, the image and its scratch are gone when the candidate is; the octets stay in a segment.
 */
static enum code image_place_new(struct zone *zone, struct image_place *place, struct error *err)
{
	struct keeper *k = zone->keeper;
	struct keeper_zone *machine = &zone->machine;
	const struct records *set = machine->candidate.records;
	size_t len = image_size(set, machine->policy->name);
	enum code code;

	if (len == 0) return error_set(err, E_LIMIT, "the zone is too large for an image");
	uint8_t *octets = arena_alloc_bytes(zone->work, len);
	if (!octets) return error_set(err, E_NOMEM, "no memory for an image of %zu octets", len);
	struct writer w = writer_of(octets, len);
	code = image_build(set, machine->policy->name, k->image_seed, &machine->head.digest, &w,
			   err);
	if (code) return code;
	return segments_place(&k->segments, writer_span(&w), place, err);
}

static enum code segment_send(struct keeper *k, uint32_t id)
{
	struct segment *segment = segments_find(&k->segments, id);
	enum code code;

	if (segment->sent) return OK;
	struct message_segment body = {.id = segment->id, .len = segment->map.len};
	code = channel_send(k->front, MESSAGE_SEGMENT, &body, (struct span){0}, segment->reader_fd);
	segment->sent = code == OK;
	return code;
}

static bool publication_send(struct zone *zone)
{
	struct keeper *k = zone->keeper;
	struct message_publish body = {
		.slot = zone->slot,
		.layer_count = zone->published.place.len > 0,
		.layers = {{.segment = zone->published.place.segment,
			    .offset = zone->published.place.offset,
			    .len = zone->published.place.len}},
		.expires_at = keeper_zone_expires_at(&zone->machine),
	};

	if (!k->front) return false;
	/*
	 * Numbered anew as it goes out: what the front says of the numbers before it, perhaps
	 * at this moment, is not said of this one.
	 */
	body.generation = k->generation + 1;
	if (zone->published.place.len && segment_send(k, zone->published.place.segment))
		return false;
	name_copy(&body.zone, zone->machine.policy->name);
	if (channel_send(k->front, MESSAGE_PUBLISH, &body, (struct span){0}, -1)) return false;
	zone->published.generation = k->generation = body.generation;
	zone->published.is_unsent = false;
	return true;
}

/* Zones go out in the order in which they were published. */
static void publication_queue(struct zone *zone)
{
	struct keeper *k = zone->keeper;

	zone->published.generation = ++k->generation;
	zone->published.is_unsent = true;
	if (k->roster.is_open || !publication_send(zone)) k->roster.unsent_from = 0;
}

static void await_front(struct zone *zone)
{
	struct keeper *k = zone->keeper;

	if (zone->published.awaits_front) return;
	zone->published.awaits_front = true;
	zone->published.next = k->roster.awaiting;
	k->roster.awaiting = zone;
}

static void await_front_no_more(struct zone *zone)
{
	struct zone **link = &zone->keeper->roster.awaiting;

	if (!zone->published.awaits_front) return;
	while (*link != zone) link = &(*link)->published.next;
	*link = zone->published.next;
	zone->published.awaits_front = false;
}

void zone_publish(struct zone *zone)
{
	struct keeper *k = zone->keeper;
	struct image_place place, before = zone->published.place;
	struct error err = {0};
	enum code code = image_place_new(zone, &place, &err);

	if (!code) {
		struct span octets = segments_bytes(&k->segments, &place);
		code = view_open(&octets, 1, &zone->machine.head.view, &err);
	}
	/* The version is durable: a new keeper builds it again, with a new keeper's memory. */
	if (code) process_fail(k->process, "zone %s: %s", zone->machine.policy->label, err.text);
	zone->published.place = place;
	await_front(zone);
	publication_queue(zone);
	segments_retire(&k->segments, &before, zone->published.generation);
}

void zone_publish_expiry(struct zone *zone)
{
	publication_queue(zone);
}

void zone_publish_nothing(struct zone *zone)
{
	struct image_place before = zone->published.place;

	zone->published.place = (struct image_place){0};
	publication_queue(zone);
	segments_retire(&zone->keeper->segments, &before, zone->published.generation);
}

void zone_hand_over(struct zone *former, struct zone *zone)
{
	zone->published.place = former->published.place;
	zone->published.generation = former->published.generation;
	zone->published.is_unsent = former->published.is_unsent;
	former->published.place = (struct image_place){0};
	await_front_no_more(former);
}

void zone_withdraw(struct zone *zone)
{
	struct keeper *k = zone->keeper;
	struct message_withdraw body = {.generation = ++k->generation, .slot = zone->slot};

	segments_retire(&k->segments, &zone->published.place, k->generation);
	await_front_no_more(zone);
	/* A front that cannot be told is behind by more than a queue: a new one knows better. */
	if (k->front && channel_send(k->front, MESSAGE_WITHDRAW, &body, (struct span){0}, -1))
		process_peer_failed(k->process, PROCESS_FRONT);
}

void front_continue(struct keeper *k)
{
	for (; k->roster.unsent_from < k->zone_count; k->roster.unsent_from++) {
		struct zone *zone = k->zones[k->roster.unsent_from];
		/* What the front serves of a zone stays until we know what the store has. */
		if (zone->machine.stage == KEEPER_RESTORING) continue;
		if (zone->published.is_unsent && !publication_send(zone)) return;
	}
	if (!k->roster.is_open || k->restore.under_way || k->restore.from < k->zone_count) return;
	struct message_generation end = {.generation = k->generation};
	if (!channel_send(k->front, MESSAGE_ROSTER_END, &end, (struct span){0}, -1))
		k->roster.is_open = false;
}

void front_policy_changed(struct keeper *k)
{
	if (k->front && packed_policy_send(k->front, MESSAGE_FRONT_POLICY, k->policy, PACK_FRONT))
		process_peer_failed(k->process, PROCESS_FRONT);
}

void front_greet(struct keeper *k)
{
	segments_forget_sent(&k->segments);
	for (size_t i = 0; i < k->zone_count; i++) k->zones[i]->published.is_unsent = true;
	k->roster.unsent_from = 0;
	k->roster.is_open = true;
	front_policy_changed(k);
	front_continue(k);
}

static void served(struct zone *zone)
{
	struct keeper_event event = {.kind = KEEPER_SERVING};

	zone_feed(zone, &event);
	zone_answer_served(zone);
}

/* Each of them is served: their machines go on. They may publish again at once. */
static void serving(struct keeper *k, uint64_t generation)
{
	struct zone *waiting = k->roster.awaiting;

	k->roster.awaiting = NULL;
	while (waiting) {
		struct zone *zone = waiting;

		waiting = zone->published.next;
		zone->published.awaits_front = false;
		if (zone->published.is_unsent || zone->published.generation > generation)
			await_front(zone);
		else
			served(zone);
	}
}

static void segment_drop(void *context, uint32_t id)
{
	struct keeper *k = context;
	struct message_segment body = {.id = id};

	if (k->front && channel_send(k->front, MESSAGE_SEGMENT_DROP, &body, (struct span){0}, -1))
		process_peer_failed(k->process, PROCESS_FRONT);
}

static void notify_received(struct keeper *k, const struct message_notify *body)
{
	struct zone *zone = NULL;

	if (body->zone.len) zone = keeper_zone_find(k, name_of(&body->zone));
	if (!zone || body->primary >= zone->machine.policy->primary_count) return;
	struct keeper_event event = {.kind = KEEPER_NOTIFY_RECEIVED,
				     .peer = body->primary,
				     .serial = body->serial,
				     .has_serial = body->has_serial};
	LOG(EVENT_NOTIFY_RECEIVED, log_text("zone", zone->machine.policy->label),
	    log_text("primary", zone->machine.policy->primaries[body->primary]->label),
	    log_uint("serial", body->serial));
	zone_feed(zone, &event);
}

static void transfer_sent(struct keeper *k, const struct message_transfer_sent *body)
{
	struct zone *zone = body->zone.len ? keeper_zone_find(k, name_of(&body->zone)) : NULL;

	if (!zone) return;
	LOG(body->complete ? EVENT_TRANSFER_SENT : EVENT_TRANSFER_BROKEN_OFF,
	    log_text("zone", zone->machine.policy->label), log_endpoint("to", &body->to),
	    log_uint("serial", body->serial), log_uint("records", body->record_count),
	    log_uint("octets", body->octets), log_duration("took", body->duration_ns),
	    log_span("key", span_of(body->key, strnlen(body->key, sizeof body->key))));
}

void front_received(struct keeper *k, const struct channel_message *message)
{
	switch (message->kind) {
	case MESSAGE_SERVING:
		serving(k, ((const struct message_generation *)message->body)->generation);
		break;
	case MESSAGE_RELEASED:
		segments_release(&k->segments,
				 ((const struct message_generation *)message->body)->generation,
				 segment_drop, k);
		break;
	case MESSAGE_NOTIFY_RECEIVED: notify_received(k, message->body); break;
	case MESSAGE_TRANSFER_SENT: transfer_sent(k, message->body); break;
	case MESSAGE_FRONT_STATS: stats_answer(k, message->body); break;
	default: break; /* the channel's table lets nothing else through */
	}
}
