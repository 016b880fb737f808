/* SPDX-License-Identifier: Apache-2.0 */
/*
 * publishing.c - images built, placed, and told to the front.
 *
 * A publication is one message without a descriptor; the segment it points into was
 * sent before it on the same ordered channel. What the channel has no room for stays
 * `unsent` and follows when it has.
 */
#include "server/keeper/zones.h"

#include "host/memfd.h"
#include "server/keeper/control.h"
#include "server/keeper/packer.h"
#include "server/keeper/packing.h"
#include "zone/delta.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	ROSTER_ZONES_MIN = 4,       /* fewer go out one by one */
	ROSTER_ZONES_MAX = 1 << 16, /* in one message */
};

static const struct image_places nowhere;

/* Builds the image of `set` in `arena` and copies it into a segment. */
static enum code whole_place(struct zone *zone, const struct records *set, struct arena *arena,
			     struct image_places *places, struct error *err)
{
	struct keeper *k = zone->keeper;
	struct keeper_zone *machine = &zone->machine;
	size_t len = image_size(set, machine->policy->name);
	enum code code;

	if (len == 0) return error_set(err, E_LIMIT, "the zone is too large for an image");
	uint8_t *octets = arena_alloc_bytes(arena, len);
	if (!octets) return error_set(err, E_NOMEM, "no memory for an image of %zu octets", len);
	struct writer w = writer_of(octets, len);
	code = image_build(set, machine->policy->name, k->image_seed, &machine->head.digest, &w,
			   err);
	if (code) return code;
	places->count = 1;
	return segments_place(&k->segments, writer_span(&w), &places->list[0], err);
}

/*
 * What the candidate changed, as a layer over those that are served. False: the zone is to
 * be built whole, because the layers have grown, or as it is small, or for any other reason.
 */
static bool layer_place(struct zone *zone, struct image_places *places)
{
	const struct keeper_candidate *candidate = &zone->machine.candidate;
	const struct image_places *before = &zone->published.places;
	struct view_update update;

	/* What is served may still be a former zone's of this name, which we have no view of. */
	if (candidate->first || candidate->as_snapshot || before->count == 0 ||
	    zone->machine.head.view.layer_count == 0)
		return false;
	if (view_apply(&zone->machine.head.view, &candidate->change, 0, zone->work, &update,
		       NULL) ||
	    update.is_merge_due)
		return false;
	if (segments_place(&zone->keeper->segments, update.octets, &places->list[0], NULL))
		return false;
	places->count = 1;
	for (unsigned i = before->count - update.stay; i < before->count; i++)
		places->list[places->count++] = before->list[i];
	return true;
}

/* --- what goes out --- */

static enum code segment_send(struct keeper *k, uint32_t id)
{
	struct segment *segment = segments_find(&k->segments, id);
	enum code code;

	if (segment->sent) return OK;
	struct message_segment body = {
		.id = segment->id, .is_file = segment->is_pack, .len = segment->map.len};
	code = channel_send(k->front, MESSAGE_SEGMENT, &body, (struct span){0}, segment->reader_fd);
	segment->sent = code == OK;
	return code;
}

static bool segments_send(struct keeper *k, const struct image_places *places)
{
	for (unsigned i = 0; i < places->count; i++)
		if (segment_send(k, places->list[i].segment)) return false;
	return true;
}

static struct message_layer layer_of(const struct image_place *place)
{
	return (struct message_layer){
		.segment = place->segment, .offset = place->offset, .len = place->len};
}

/* It went out with this number: what the front had before is read until that is released. */
static void sent_note(struct zone *zone, uint64_t generation)
{
	struct zone_published *published = &zone->published;

	published->generation = generation;
	published->is_unsent = false;
	for (unsigned i = 0; i < published->sent.count; i++)
		if (!image_places_have(&published->places, &published->sent.list[i]))
			segments_retire(&zone->keeper->segments, &published->sent.list[i],
					generation);
	published->sent = published->places;
}

/*
 * Numbered as it goes out: what the front says of the numbers before it, perhaps at this
 * moment, is not said of this one.
 */
static bool publication_send(struct zone *zone)
{
	struct keeper *k = zone->keeper;
	const struct image_places *places = &zone->published.places;
	struct message_publish body = {
		.generation = k->roster.generation + 1,
		.slot = zone->slot,
		.layer_count = (uint16_t)places->count,
		.expires_at = keeper_zone_expires_at(&zone->machine),
	};

	if (!segments_send(k, places)) return false;
	for (unsigned i = 0; i < places->count; i++) body.layers[i] = layer_of(&places->list[i]);
	name_copy(&body.zone, zone->machine.policy->name);
	if (channel_send(k->front, MESSAGE_PUBLISH, &body, (struct span){0}, -1)) return false;
	sent_note(zone, ++k->roster.generation);
	return true;
}

static struct zone *unsent_take(struct keeper *k)
{
	struct zone *zone = k->roster.unsent;

	k->roster.unsent = zone->published.next_unsent;
	if (!k->roster.unsent) k->roster.unsent_last = NULL;
	k->roster.unsent_count--;
	return zone;
}

static void unsent_append(struct zone *zone)
{
	struct keeper_roster *roster = &zone->keeper->roster;

	if (zone->published.is_unsent) return;
	zone->published.is_unsent = true;
	zone->published.next_unsent = NULL;
	if (roster->unsent)
		roster->unsent_last->published.next_unsent = zone;
	else
		roster->unsent = zone;
	roster->unsent_last = zone;
	roster->unsent_count++;
}

static void unsent_remove(struct zone *zone)
{
	struct keeper_roster *roster = &zone->keeper->roster;
	struct zone **link = &roster->unsent, *previous = NULL;

	if (!zone->published.is_unsent) return;
	while (*link != zone) {
		previous = *link;
		link = &previous->published.next_unsent;
	}
	*link = zone->published.next_unsent;
	if (roster->unsent_last == zone) roster->unsent_last = previous;
	roster->unsent_count--;
	zone->published.is_unsent = false;
}

static size_t entry_len(const struct zone *zone)
{
	return sizeof(struct roster_entry) +
	       zone->published.places.count * sizeof(struct message_layer) +
	       ((size_t)zone->machine.policy->name.len + 7) / 8 * 8;
}

static uint8_t *entry_write(uint8_t *to, const struct zone *zone)
{
	struct name name = zone->machine.policy->name;
	const struct image_places *places = &zone->published.places;
	struct roster_entry entry = {.slot = zone->slot,
				     .layer_count = (uint16_t)places->count,
				     .name_len = name.len,
				     .expires_at = keeper_zone_expires_at(&zone->machine)};
	uint8_t *p = to;

	memcpy(p, &entry, sizeof entry);
	p += sizeof entry;
	for (unsigned i = 0; i < places->count; i++) {
		struct message_layer layer = layer_of(&places->list[i]);
		memcpy(p, &layer, sizeof layer);
		p += sizeof layer;
	}
	memcpy(p, name.wire, name.len);
	return to + entry_len(zone);
}

/* Hands the entries over; nothing of it lasts when the channel does not take it. */
static enum code roster_hand_over(struct keeper *k, struct span entries, size_t count)
{
	struct message_roster body = {.generation = k->roster.generation + 1,
				      .len = entries.len,
				      .count = (uint32_t)count};
	int fd = -1, reader = -1;
	enum code code = memfd_open("lockstep-roster", entries.len, &fd, NULL);

	if (!code) code = memfd_write(fd, 0, entries, NULL);
	if (!code) code = memfd_reader(fd, &reader, NULL);
	if (!code) code = channel_send(k->front, MESSAGE_ROSTER, &body, (struct span){0}, reader);
	if (reader >= 0) close(reader);
	if (fd >= 0) close(fd);
	return code;
}

/* The zones at the head of the queue in one message. */
static bool roster_send(struct keeper *k)
{
	size_t count = 0, len = 0;
	struct zone *zone = k->roster.unsent;

	for (; zone && count < ROSTER_ZONES_MAX; zone = zone->published.next_unsent, count++) {
		if (!segments_send(k, &zone->published.places)) return false;
		len += entry_len(zone);
	}
	uint8_t *entries = calloc(1, len), *end = entries;
	if (!entries) process_fail(k->process, "no memory to tell the front of %zu zones", count);
	zone = k->roster.unsent;
	for (size_t i = 0; i < count; i++, zone = zone->published.next_unsent)
		end = entry_write(end, zone);
	enum code code = roster_hand_over(k, span_of(entries, len), count);
	free(entries);
	if (code) return false;
	k->roster.generation++;
	for (size_t i = 0; i < count; i++) sent_note(unsent_take(k), k->roster.generation);
	return true;
}

static bool unsent_send(struct keeper *k)
{
	while (k->roster.unsent) {
		if (k->roster.unsent_count >= ROSTER_ZONES_MIN) {
			if (!roster_send(k)) return false;
		} else if (publication_send(k->roster.unsent)) {
			unsent_take(k);
		} else {
			return false;
		}
	}
	return true;
}

/* Zones go out in the order in which they were published; at the start many at once. */
static void publication_queue(struct zone *zone)
{
	struct keeper *k = zone->keeper;

	unsent_append(zone);
	if (k->front) unsent_send(k);
}

/* What nobody was told of has no reader but us. */
static void places_set(struct zone *zone, const struct image_places *places)
{
	struct zone_published *published = &zone->published;

	for (unsigned i = 0; i < published->places.count; i++) {
		const struct image_place *place = &published->places.list[i];
		if (!image_places_have(&published->sent, place) &&
		    !image_places_have(places, place))
			segments_let_go(&zone->keeper->segments, place);
	}
	published->places = *places;
}

static enum code view_set(struct zone *zone, const struct image_places *places, struct error *err)
{
	struct view view;
	enum code code = segments_view(&zone->keeper->segments, places, &view, err);

	if (!code) zone->machine.head.view = view;
	return code;
}

/* --- zones whose publication the front has not confirmed --- */

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

/* --- what is published --- */

void zone_publish(struct zone *zone)
{
	const struct records *set = zone->machine.candidate.records;
	struct image_places places;
	struct error err = {0};
	enum code code = OK;

	/* The set, the image and its scratch go with the candidate; the octets stay. */
	if (set) {
		if (!layer_place(zone, &places))
			code = whole_place(zone, set, zone->work, &places, &err);
		if (!code) code = view_set(zone, &places, &err);
		/* The version is durable: a new keeper builds it with a new keeper's memory. */
		if (code)
			process_fail(zone->keeper->process, "zone %s: %s",
				     zone->machine.policy->label, err.text);
		places_set(zone, &places);
		zone_pack_later(zone);
	}
	await_front(zone);
	publication_queue(zone);
}

enum code zone_move(struct zone *zone, const struct image_place *place, struct error *err)
{
	const struct image_places places = {.list = {*place}, .count = 1};
	enum code code = view_set(zone, &places, err);

	if (code) return code;
	places_set(zone, &places);
	unsent_append(zone);
	return OK;
}

enum code zone_rebuild(struct zone *zone, const struct records *set, struct arena *arena,
		       struct error *err)
{
	struct image_places places;
	enum code code = whole_place(zone, set, arena, &places, err);

	if (!code) code = view_set(zone, &places, err);
	if (code) return code;
	places_set(zone, &places);
	publication_queue(zone);
	zone_pack_later(zone);
	return OK;
}

void zone_publish_expiry(struct zone *zone)
{
	publication_queue(zone);
}

void zone_publish_nothing(struct zone *zone)
{
	places_set(zone, &nowhere);
	publication_queue(zone);
}

void zone_hand_over(struct zone *former, struct zone *zone)
{
	zone->published.places = former->published.places;
	zone->published.sent = former->published.sent;
	zone->published.generation = former->published.generation;
	former->published.places = former->published.sent = nowhere;
	zone_publishing_leave(former);
}

void zone_publishing_leave(struct zone *zone)
{
	unsent_remove(zone);
	await_front_no_more(zone);
}

void zone_withdraw(struct zone *zone)
{
	struct keeper *k = zone->keeper;
	struct message_withdraw body = {.generation = ++k->roster.generation, .slot = zone->slot};

	zone_publishing_leave(zone);
	places_set(zone, &nowhere);
	for (unsigned i = 0; i < zone->published.sent.count; i++)
		segments_retire(&k->segments, &zone->published.sent.list[i], k->roster.generation);
	zone->published.sent = nowhere;
	/* A front that cannot be told is behind by more than a queue: a new one knows better. */
	if (k->front && channel_send(k->front, MESSAGE_WITHDRAW, &body, (struct span){0}, -1))
		process_peer_failed(k->process, PROCESS_FRONT);
}

void front_continue(struct keeper *k)
{
	if (!k->front || !unsent_send(k)) return;
	if (!k->roster.is_open || k->restore.under_way || k->restore.from < k->zone_count ||
	    k->restore.loading_first)
		return;
	struct message_generation end = {.generation = k->roster.generation};
	if (channel_send(k->front, MESSAGE_ROSTER_END, &end, (struct span){0}, -1)) return;
	k->roster.is_open = false;
	packer_begin(k);
}

void front_policy_changed(struct keeper *k)
{
	if (k->front && packed_policy_send(k->front, MESSAGE_FRONT_POLICY, k->policy, PACK_FRONT))
		process_peer_failed(k->process, PROCESS_FRONT);
}

void front_greet(struct keeper *k)
{
	segments_forget_sent(&k->segments);
	/* What the front serves of a zone stays until we know what the store has. */
	for (size_t i = 0; i < k->zone_count; i++)
		if (k->zones[i]->machine.stage != KEEPER_RESTORING) unsent_append(k->zones[i]);
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

static void segment_drop(void *context, const struct segment *segment)
{
	struct keeper *k = context;
	struct message_segment body = {.id = segment->id};

	if (segment->is_pack) pack_drop(k, segment);
	if (segment->sent && k->front &&
	    channel_send(k->front, MESSAGE_SEGMENT_DROP, &body, (struct span){0}, -1))
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
