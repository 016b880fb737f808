/* SPDX-License-Identifier: Apache-2.0 */
#include "server/keeper/packer.h"

#include "host/clock.h"
#include "server/keeper/storing.h"
#include "zone/delta.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MOVES_MAX = 2048, /* zones pointed to their pack in a turn */
	MERGE_NODES = 4096,
	BAD_MAX = 1024, /* damaged images of a pack that are told one by one */
	PACKER_THREADS = 1,
	NAMES_OCTETS_MAX = 16 << 20,
};

/* A zone's image on its way: where it was says whether it is still the one. */
struct packing_zone {
	uint32_t slot;
	struct image_places from;
	struct view view; /* of several layers: they become one on the way */
	uint8_t *merged;  /* that one; malloc'ed */
};

/* Images that become a pack. */
struct packing {
	struct work work; /* first: it is found by it */
	struct keeper *keeper;
	struct arena *names;
	struct pack_item *items;
	struct packing_zone *zones;
	size_t count, moved;
	uint64_t number, octets;
	uint32_t segment; /* of the pack, while zones move to it */
	/* results */
	struct pack pack;
	enum code code;
	struct error err;
};

/* A pack that is read through. */
struct checking {
	struct work work;
	struct keeper *keeper;
	uint32_t segment;
	struct pack pack;      /* borrowed from the segment, which is held meanwhile */
	uint64_t bad[BAD_MAX]; /* offsets */
	size_t bad_count;
	struct error err; /* of the first one */
};

static void turn_soon(struct keeper *k, duration_ns after)
{
	if (!k->packer.timer.is_set || k->packer.timer.at > clock_now() + after)
		timer_set_after(k->loop, &k->packer.timer, after);
}

/* --- zones that wait --- */

static void waiting_remove(struct zone *zone)
{
	struct keeper_packer *packer = &zone->keeper->packer;
	struct zone_packing *own = &zone->packing;

	if (!own->is_wanted) return;
	own->is_wanted = false;
	*(own->next ? &own->next->packing.previous : &packer->last) = own->previous;
	*(own->previous ? &own->previous->packing.next : &packer->first) = own->next;
	packer->waiting--;
	packer->waiting_octets -= own->octets;
}

static void waiting_append(struct zone *zone, instant_ns not_before)
{
	struct keeper_packer *packer = &zone->keeper->packer;
	struct zone_packing *own = &zone->packing;

	own->is_wanted = true;
	own->not_before = not_before;
	own->next = NULL;
	own->previous = packer->last;
	*(packer->last ? &packer->last->packing.next : &packer->first) = zone;
	packer->last = zone;
	packer->waiting++;
	packer->waiting_octets += own->octets = image_places_octets(&zone->published.places);
}

static duration_ns patience_of(const struct zone *zone)
{
	uint64_t octets = image_places_octets(&zone->published.places);

	return PACK_PATIENCE + (duration_ns)(octets >> 20) * PACK_PATIENCE_MIB;
}

/* Zones wait in the order of their last change; one that changes on and on keeps its place. */
void zone_pack_later(struct zone *zone)
{
	struct keeper *k = zone->keeper;
	instant_ns now = clock_now();

	if (!k->packer.folder) return;
	if (!zone->packing.is_wanted)
		zone->packing.wanted_since = now;
	else if (now - zone->packing.wanted_since > patience_of(zone))
		return;
	duration_ns quiet = zone->packing.has_been ? PACK_QUIET : PACK_FIRST;
	waiting_remove(zone);
	waiting_append(zone, now + quiet);
	turn_soon(k, quiet);
}

void zone_packing_leave(struct zone *zone)
{
	waiting_remove(zone);
}

/* Where it lies it shall not stay. */
static bool is_to_move(const struct zone *zone)
{
	const struct image_places *places = &zone->published.places;
	const struct segment *segment;

	if (!zone->machine.head.exists || !zone->stored.seq || !places->count) return false;
	if (places->count > 1) return true;
	segment = segments_find(&zone->keeper->segments, places->list[0].segment);
	return !segment->is_pack || segment->is_leaving;
}

/* --- writing a pack: in the thread --- */

static enum code layers_merge(struct packing_zone *zone, struct span *image, struct error *err)
{
	struct view_merge merge;
	size_t room = view_merge_room(&zone->view);
	enum code code;

	zone->merged = room ? malloc(room) : NULL;
	if (!zone->merged) return error_set(err, E_NOMEM, "no memory to merge a zone's layers");
	struct writer w = writer_of(zone->merged, room);
	code = view_merge_begin(&merge, &zone->view, &w, err);
	while (!code && view_merge_step(&merge, MERGE_NODES, &code, err)) continue;
	*image = writer_span(&w);
	return code;
}

static void packing_run(struct work *work)
{
	struct packing *p = (struct packing *)(void *)work;
	const struct folder *folder = p->keeper->packer.folder;

	p->code = OK;
	for (size_t i = 0; i < p->count && !p->code; i++)
		if (p->zones[i].from.count > 1)
			p->code = layers_merge(&p->zones[i], &p->items[i].image, &p->err);
	if (!p->code) p->code = pack_write(folder, p->number, p->items, p->count, &p->err);
	if (!p->code) p->code = pack_open(folder, p->number, &p->pack, &p->err);
}

/* --- writing a pack: before and after --- */

static void packing_free(struct packing *p)
{
	if (!p) return;
	for (size_t i = 0; i < p->count; i++) free(p->zones[i].merged);
	arena_free(p->names);
	pack_close(&p->pack);
	free(p->items);
	free(p->zones);
	free(p);
}

static struct packing *packing_new(struct keeper *k, size_t capacity)
{
	struct packing *p = calloc(1, sizeof *p);
	uint64_t by_clock = clock_unix_s() << 16; /* also above those that were removed */

	if (!p) return NULL;
	p->work.run = packing_run;
	p->keeper = k;
	p->names = arena_new(NAMES_OCTETS_MAX);
	p->items = calloc(capacity, sizeof *p->items);
	p->zones = calloc(capacity, sizeof *p->zones);
	if (!p->names || !p->items || !p->zones) {
		packing_free(p);
		return NULL;
	}
	k->packer.last_number++;
	if (k->packer.last_number < by_clock) k->packer.last_number = by_clock;
	p->number = k->packer.last_number;
	return p;
}

static bool packing_add(struct packing *p, struct zone *zone)
{
	struct segments *segments = &p->keeper->segments;
	const struct keeper_version *head = &zone->machine.head;
	struct name_buffer lower;

	name_lower(zone->machine.policy->name, &lower);
	uint8_t *wire = arena_copy(p->names, span_of(lower.wire, lower.len));
	if (!wire) return false;
	segments_hold_all(segments, &zone->published.places);
	p->zones[p->count] = (struct packing_zone){
		.slot = zone->slot, .from = zone->published.places, .view = head->view};
	p->items[p->count++] = (struct pack_item){
		.entry = {.zone = {.wire = wire, .len = lower.len},
			  .seq = zone->stored.seq,
			  .serial = head->serial,
			  .digest = head->digest},
		.image = segments_bytes(segments, &zone->published.places.list[0]),
	};
	p->octets += image_places_octets(&zone->published.places);
	return true;
}

/* As many zones as one pack takes, but no large one that may change again at once. */
static void packing_fill(struct packing *p, size_t most, instant_ns now)
{
	struct zone *next = p->keeper->packer.first;

	while (next && p->count < most) {
		struct zone *zone = next;
		uint64_t len = image_places_octets(&zone->published.places);
		next = zone->packing.next;
		if (is_to_move(zone)) {
			if (zone->packing.not_before > now && len > PACK_SMALL_OCTETS) continue;
			if (p->count && (len > PACK_ALONE_OCTETS || p->octets + len > PACK_OCTETS))
				return;
			if (!packing_add(p, zone)) return;
		}
		waiting_remove(zone);
		if (p->octets > PACK_ALONE_OCTETS && p->count == 1) return;
	}
}

static void items_let_go(struct packing *p)
{
	for (size_t i = 0; i < p->count; i++)
		segments_let_go_all(&p->keeper->segments, &p->zones[i].from);
}

static void failed(struct keeper *k, const struct error *err)
{
	if (!k->packer.problem[0]) LOG(EVENT_PACK_FAILED, log_error(err));
	k->packer.retry_at = clock_now() + PACK_RETRY;
	snprintf(k->packer.problem, sizeof k->packer.problem, "%s", err->text);
	turn_soon(k, PACK_RETRY);
}

/* They wait anew, as they would had they never been taken. */
static void packing_give_up(struct packing *p)
{
	struct keeper *k = p->keeper;

	for (size_t i = 0; i < p->count; i++) {
		struct zone *zone = k->slots.list[p->zones[i].slot];
		if (zone && !zone->is_gone && !zone->packing.is_wanted && is_to_move(zone))
			waiting_append(zone, clock_now());
	}
	items_let_go(p);
	failed(k, &p->err);
	k->packer.packing = NULL;
	packing_free(p);
}

static bool disk_has_room(struct keeper *k, uint64_t octets, struct error *err)
{
	uint64_t left;

	if (folder_free_space(k->packer.folder, &left, err)) return false;
	if (left >= octets + PACK_FREE_OCTETS) return true;
	error_set(err, E_LIMIT, "the disk of %s has %" PRIu64 " MiB left, which the store may need",
		  folder_path(k->packer.folder), left >> 20);
	return false;
}

/* Packs are few: it is enough, or nothing more comes, or the first one has waited long. */
static bool is_worth_it(struct keeper *k, instant_ns now)
{
	const struct keeper_packer *packer = &k->packer;
	instant_ns due = packer->last->packing.not_before;

	if (packer->waiting >= PACK_ZONES_MAX || packer->waiting_octets >= PACK_ALONE_OCTETS)
		return true;
	if (packer->first->packing.wanted_since + PACK_WAIT < due)
		due = packer->first->packing.wanted_since + PACK_WAIT;
	if (due <= now) return true;
	turn_soon(k, due - now);
	return false;
}

/* False: there is nothing to write now. */
static bool packing_begin(struct keeper *k, instant_ns now)
{
	struct keeper_packer *packer = &k->packer;
	struct packing *p;

	if (!packer->first || now < packer->retry_at || !is_worth_it(k, now)) return false;
	size_t most = packer->waiting < PACK_ZONES_MAX ? packer->waiting : PACK_ZONES_MAX;
	if (!(p = packing_new(k, most))) {
		turn_soon(k, PACK_RETRY);
		return false;
	}
	packing_fill(p, most, now);
	if (!p->count) {
		packing_free(p);
		if (packer->first) turn_soon(k, PACK_QUIET);
		return false;
	}
	packer->packing = p;
	if (disk_has_room(k, p->octets, &p->err))
		workers_submit(packer->workers, &p->work);
	else
		packing_give_up(p);
	return true;
}

/* Points some more zones to the pack. One that has another image by now stays where it is. */
static void packing_move(struct packing *p)
{
	struct keeper *k = p->keeper;
	struct error err;

	for (size_t n = 0; n < MOVES_MAX && p->moved < p->count; n++, p->moved++) {
		const struct pack_entry *entry = &p->items[p->moved].entry;
		struct zone *zone = k->slots.list[p->zones[p->moved].slot];
		struct image_place place = {p->segment, entry->offset, entry->len};
		if (!zone || !image_places_equal(&zone->published.places, &p->zones[p->moved].from))
			continue;
		segments_hold(&k->segments, &place);
		zone->packing.has_been = true;
		if (!zone_move(zone, &place, &err)) continue;
		/* Its octets are those that are served: that cannot be. */
		process_fail(k->process, "zone %s: %s", zone->machine.policy->label, err.text);
	}
	front_continue(k);
	turn_soon(k, 0);
	if (p->moved < p->count) return;
	items_let_go(p);
	LOG(EVENT_PACKED, log_uint("zones", p->count), log_uint("octets", p->octets));
	k->packer.packing = NULL;
	packing_free(p);
}

static void packing_done(struct packing *p)
{
	struct keeper *k = p->keeper;
	struct segment *segment;

	if (!p->code)
		p->code = segments_add_pack(&k->segments, &p->pack, p->number, &segment, &p->err);
	if (p->code) {
		packing_give_up(p);
		return;
	}
	k->packer.problem[0] = '\0';
	segment->is_verified = true; /* they were just written */
	p->segment = segment->id;
	packing_move(p);
}

/* --- packs that are verified --- */

static void checking_run(struct work *work)
{
	struct checking *c = (struct checking *)(void *)work;
	struct pack_entry entry;
	struct error err;
	size_t at = 0;

	while (c->bad_count < BAD_MAX && pack_next(&c->pack, &at, &entry)) {
		if (!pack_check(c->pack.file, entry.offset, entry.len, entry.checksum, &err))
			continue;
		if (!c->bad_count) c->err = err;
		c->bad[c->bad_count++] = entry.offset;
	}
}

static struct image_place whole_of(const struct segment *segment)
{
	return (struct image_place){.segment = segment->id, .len = 1};
}

static bool checking_begin(struct keeper *k)
{
	struct segment *segment = k->segments.list;
	struct checking *c;

	while (segment && (!segment->is_pack || segment->is_verified)) segment = segment->next;
	if (!segment || !(c = calloc(1, sizeof *c))) return false;
	struct image_place held = whole_of(segment);
	segments_hold(&k->segments, &held);
	c->work.run = checking_run;
	c->keeper = k;
	c->segment = segment->id;
	c->pack = segment->pack;
	k->packer.checking = c;
	workers_submit(k->packer.workers, &c->work);
	return true;
}

static bool is_bad(const struct checking *c, uint64_t offset)
{
	for (size_t i = 0; i < c->bad_count; i++)
		if (c->bad[i] == offset) return true;
	return c->bad_count == BAD_MAX;
}

static void checking_done(struct checking *c)
{
	struct keeper *k = c->keeper;
	struct segment *segment = segments_find(&k->segments, c->segment);
	struct image_place held = whole_of(segment);
	char name[PACK_NAME_MAX];

	k->packer.checking = NULL;
	segments_let_go(&k->segments, &held);
	segment->is_verified = true;
	for (size_t i = 0; c->bad_count && i < k->zone_count; i++) {
		struct zone *zone = k->zones[i];
		const struct image_place *place =
			image_places_in(&zone->published.places, segment->id);
		if (!place || !is_bad(c, place->offset)) continue;
		LOG(EVENT_IMAGE_DAMAGED, log_text("zone", zone->machine.policy->label),
		    log_text("pack", pack_name(segment->number, name)), log_error(&c->err));
		waiting_remove(zone);
		zone_restore_image(zone);
	}
	if (c->bad_count) segment_leave(k, segment);
	free(c);
	turn_soon(k, 0);
}

/* --- packs that go --- */

void segment_leave(struct keeper *k, struct segment *segment)
{
	instant_ns now = clock_now();

	segment->is_leaving = true;
	for (size_t i = 0; i < k->zone_count; i++) {
		struct zone *zone = k->zones[i];
		if (!image_places_in(&zone->published.places, segment->id) ||
		    zone->packing.is_wanted || zone->stored.image_is_damaged)
			continue;
		zone->packing.wanted_since = now;
		waiting_append(zone, now);
	}
	turn_soon(k, 0);
}

void pack_drop(struct keeper *k, const struct segment *segment)
{
	char name[PACK_NAME_MAX];

	/* One that stays is removed by the next start. */
	if (k->packer.folder)
		(void)!folder_remove(k->packer.folder, pack_name(segment->number, name), NULL);
}

static bool is_small(const struct segment *segment)
{
	return segment->is_pack && !segment->is_leaving && segment->live < PACK_SMALL_OCTETS;
}

/* The pack with most dead octets for its size. */
static struct segment *most_dead(const struct keeper *k)
{
	struct segment *worst = NULL;
	double most = 0;

	for (struct segment *s = k->segments.list; s; s = s->next) {
		double dead = s->is_pack && !s->is_leaving
				      ? (double)(s->used - s->live) / (double)s->used
				      : 0;
		if (dead > most) {
			most = dead;
			worst = s;
		}
	}
	return worst;
}

/* Bounds what is dead on the disk, and how many packs are mapped. */
static void compact(struct keeper *k)
{
	struct segments_sum packs = segments_sum(&k->segments, true);
	size_t small = 0;

	for (struct segment *s = k->segments.list; s; s = s->next) {
		if (s->is_pack && s->is_leaving && s->live) return; /* one after the other */
		small += is_small(s);
	}
	if (packs.octets - packs.live > packs.live + PACKS_DEAD_OCTETS) {
		struct segment *worst = most_dead(k);
		if (worst) segment_leave(k, worst);
	} else if (small > PACKS_SMALL_MAX) {
		for (struct segment *s = k->segments.list; s; s = s->next)
			if (is_small(s)) segment_leave(k, s);
	}
}

/* --- turns --- */

static void turn(void *context, instant_ns now)
{
	struct keeper *k = context;

	if (!k->packer.folder || k->roster.is_open || k->packer.checking) return;
	if (k->packer.packing) {
		if (k->packer.packing->segment) packing_move(k->packer.packing);
		return;
	}
	if (packing_begin(k, now) || checking_begin(k)) return;
	compact(k);
}

static void works_done(void *context)
{
	struct keeper *k = context;
	struct work *work;

	while ((work = workers_next(k->packer.workers)))
		if (work->run == packing_run)
			packing_done((struct packing *)(void *)work);
		else
			checking_done((struct checking *)(void *)work);
}

void packer_begin(struct keeper *k)
{
	if (k->packer.folder) turn_soon(k, PACK_QUIET);
}

enum code packer_open(struct keeper *k, struct folder *folder, struct error *err)
{
	struct keeper_packer *packer = &k->packer;
	enum code code;

	packer->folder = folder;
	packer->timer = (struct timer){.due = turn, .context = k};
	packer->wakeup = (struct wakeup){.rung = works_done, .context = k};
	if ((code = wakeup_open(k->loop, &packer->wakeup, err))) return code;
	return workers_start(PACKER_THREADS, &packer->wakeup, &packer->workers, err);
}

void packer_close(struct keeper *k)
{
	struct keeper_packer *packer = &k->packer;

	if (!packer->workers) return;
	workers_stop(packer->workers);
	timer_cancel(k->loop, &packer->timer);
	wakeup_close(k->loop, &packer->wakeup);
	packing_free(packer->packing);
	free(packer->checking);
	workers_free(packer->workers);
	folder_close(packer->folder);
}
