/* SPDX-License-Identifier: Apache-2.0 */
/*
 * starting.c - which image of which pack is the newest version of a zone.
 *
 * The tables of all packs are read once, and one row of the store for each zone. Where
 * name, version and digest agree, the image is published as it lies; nothing of it is read
 * before it answers. The digest is that of the version's content: a pack that knows a
 * version which the store does not, because the store was restored from a backup, is not
 * believed.
 */
#include "server/keeper/starting.h"

#include "server/keeper/packer.h"
#include "server/keeper/storing.h"

#include <stdio.h>
#include <stdlib.h>

#define IMAGES_FOLDER "images"

enum { PACKS_MAX = 65536 };

/* An image that a pack has of a configured zone. */
struct found {
	struct segment *segment;
	uint64_t seq, offset, len;
	struct zone_digest digest;
	uint32_t next; /* an older one of the same zone, from 1; 0: none */
};

/* Zones by name: a table of places in the policy, which are those in keeper.zones, from 1. */
struct finder {
	struct keeper *keeper;
	uint32_t *buckets;
	size_t mask;
	size_t next; /* the place behind the one that was found last: most come in this order */
	uint32_t *newest; /* by zone: its newest `found`, from 1 */
	bool *is_stored;  /* by zone: the store has a row of it */
	struct found *found;
	uint32_t found_count, found_capacity;
};

static uint64_t hash_of(struct name name)
{
	struct name_buffer lower;

	name_lower(name, &lower);
	return octets_checksum(span_of(lower.wire, lower.len));
}

static void finder_close(struct finder *f)
{
	free(f->buckets);
	free(f->newest);
	free(f->is_stored);
	free(f->found);
}

static enum code finder_open(struct finder *f, struct keeper *k, struct error *err)
{
	size_t count = 64;

	while (count < 2 * k->zone_count) count *= 2;
	*f = (struct finder){
		.keeper = k,
		.buckets = calloc(count, sizeof *f->buckets),
		.mask = count - 1,
		.newest = calloc(k->zone_count + 1, sizeof *f->newest),
		.is_stored = calloc(k->zone_count + 1, sizeof *f->is_stored),
	};
	if (!f->buckets || !f->newest || !f->is_stored)
		return error_set(err, E_NOMEM, "no memory to find zones");
	for (size_t i = 0; i < k->zone_count; i++) {
		size_t at = hash_of(k->policy->zones[i].name) & f->mask;
		while (f->buckets[at]) at = (at + 1) & f->mask;
		f->buckets[at] = (uint32_t)i + 1;
	}
	return OK;
}

/* False: no zone of this name is configured. */
static bool zone_find(struct finder *f, struct name name, size_t *place)
{
	const struct policy *policy = f->keeper->policy;
	size_t at;

	*place = f->next;
	if (f->next < policy->zone_count && name_equal(policy->zones[f->next].name, name)) {
		f->next++;
		return true;
	}
	for (at = hash_of(name) & f->mask; f->buckets[at]; at = (at + 1) & f->mask) {
		*place = f->buckets[at] - 1;
		if (!name_equal(policy->zones[*place].name, name)) continue;
		f->next = *place + 1;
		return true;
	}
	return false;
}

static enum code found_add(struct finder *f, struct segment *segment,
			   const struct pack_entry *entry, struct error *err)
{
	size_t place;

	if (!zone_find(f, entry->zone, &place)) return OK;
	if (f->found_count == f->found_capacity) {
		uint32_t capacity = f->found_capacity ? 2 * f->found_capacity : 1024;
		struct found *grown = realloc(f->found, capacity * sizeof *grown);
		if (!grown) return error_set(err, E_NOMEM, "no memory for the tables of packs");
		f->found = grown;
		f->found_capacity = capacity;
	}
	f->found[f->found_count++] = (struct found){
		.segment = segment,
		.seq = entry->seq,
		.offset = entry->offset,
		.len = entry->len,
		.digest = entry->digest,
		.next = f->newest[place],
	};
	f->newest[place] = f->found_count;
	return OK;
}

/* --- packs --- */

struct numbers {
	uint64_t list[PACKS_MAX];
	size_t count;
};

static enum code number_note(void *context, const char *name, struct error *err)
{
	struct numbers *numbers = context;
	uint64_t number;
	size_t at;

	(void)err;
	if (!pack_number(name, &number) || numbers->count == PACKS_MAX) return OK;
	/* In ascending order; there are few. */
	for (at = numbers->count++; at > 0 && numbers->list[at - 1] > number; at--)
		numbers->list[at] = numbers->list[at - 1];
	numbers->list[at] = number;
	return OK;
}

static void pack_refuse(struct folder *folder, uint64_t number, const struct error *err)
{
	char name[PACK_NAME_MAX];

	LOG(EVENT_PACK_REFUSED, log_error(err));
	/* On a disk that fails it may be whole the next time. */
	if (err->code != E_IO && err->code != E_NOMEM)
		(void)!folder_remove(folder, pack_name(number, name), NULL);
}

static enum code pack_take(struct finder *f, struct folder *folder, uint64_t number,
			   struct error *err)
{
	struct pack_entry entry;
	struct segment *segment;
	struct error why;
	struct pack pack;
	enum code code;
	size_t at = 0;

	if (pack_open(folder, number, &pack, &why)) {
		pack_refuse(folder, number, &why);
		return OK;
	}
	code = segments_add_pack(&f->keeper->segments, &pack, number, &segment, err);
	while (!code && pack_next(&segment->pack, &at, &entry))
		code = found_add(f, segment, &entry, err);
	return code;
}

/* Without a folder for packs the server works, and starts more slowly. */
static struct folder *images_open(const char *state)
{
	struct folder *parent, *folder = NULL;
	struct error err;
	enum code code = folder_open(state, &parent, &err);

	if (code) return NULL;
	code = folder_open_inside(parent, IMAGES_FOLDER, &folder, &err);
	folder_close(parent);
	if (!code) return folder;
	LOG(EVENT_PACK_FAILED, log_error(&err));
	return NULL;
}

static enum code packs_take(struct finder *f, struct folder *folder, struct error *err)
{
	struct numbers *numbers = calloc(1, sizeof *numbers);
	enum code code;

	if (!numbers) return error_set(err, E_NOMEM, "no memory to list packs");
	code = folder_list(folder, number_note, numbers, err);
	for (size_t i = 0; !code && i < numbers->count; i++)
		code = pack_take(f, folder, numbers->list[i], err);
	if (numbers->count) f->keeper->packer.last_number = numbers->list[numbers->count - 1];
	free(numbers);
	return code;
}

/* --- zones --- */

static void start_from(struct zone *zone, const struct found *found,
		       const struct stored_zone *stored, const struct view *view)
{
	struct keeper *k = zone->keeper;
	const struct image_places places = {
		.list = {{found->segment->id, found->offset, found->len}}, .count = 1};
	struct keeper_event event = {
		.kind = KEEPER_START,
		.view = view,
		.has_serial = true,
		.serial = stored->head.serial,
		.digest = stored->head.digest,
		.time_unix_s = stored->head.time_unix_s,
		.source = stored->head.source,
		.author = stored->head.author,
		.confirmed_at = confirmed_at(k, stored),
	};

	segments_hold_all(&k->segments, &places);
	zone->published.places = places;
	zone->packing.has_been = true;
	zone->stored.restore_due = false;
	zone_feed(zone, &event);
}

static bool is_version(const struct found *found, const struct stored_version *version)
{
	return found->seq == version->seq && zone_digest_equal(&found->digest, &version->digest);
}

/* The image must be one of this very version, too: only its header is read. */
static bool image_is_usable(const struct zone *zone, const struct found *found,
			    const struct stored_version *version, struct view *view,
			    struct error *err)
{
	struct span octets = span_of(found->segment->map.ptr + found->offset, (size_t)found->len);

	if (view_open(&octets, 1, view, err)) return false;
	if (name_equal(view_apex(view), zone->machine.policy->name) &&
	    view_serial(view) == version->serial)
		return true;
	error_set(err, E_DAMAGED, "the image of another zone or version stands where it should");
	return false;
}

static void image_not_used(const struct zone *zone, const struct found *found,
			   const struct stored_version *version, const struct error *err)
{
	char name[PACK_NAME_MAX];

	if (err->code)
		LOG(EVENT_IMAGE_DAMAGED, log_text("zone", zone->machine.policy->label),
		    log_text("pack", pack_name(found->segment->number, name)), log_error(err));
	else if (found->seq < version->seq)
		LOG(EVENT_IMAGE_OLD, log_text("zone", zone->machine.policy->label),
		    log_uint("versions", version->seq - found->seq));
	else
		LOG(EVENT_IMAGE_UNKNOWN, log_text("zone", zone->machine.policy->label),
		    log_text("pack", pack_name(found->segment->number, name)),
		    log_uint("serial", version->serial));
}

static enum code zone_visit(void *context, const struct stored_zone *stored, struct error *err)
{
	struct finder *f = context;
	struct error why = {0};
	struct view view;
	size_t place;

	(void)err;
	if (strcmp(stored->key.view, VIEW_DEFAULT) != 0 || !zone_find(f, stored->key.name, &place))
		return OK;
	struct zone *zone = f->keeper->zones[place];
	if (!stored->has_version) return OK;
	f->is_stored[place] = true;
	zone->stored.seq = stored->head.seq;
	for (uint32_t at = f->newest[place]; at; at = f->found[at - 1].next) {
		const struct found *found = &f->found[at - 1];
		if (!is_version(found, &stored->head) ||
		    !image_is_usable(zone, found, &stored->head, &view, &why))
			continue;
		start_from(zone, found, stored, &view);
		return OK;
	}
	if (f->newest[place])
		image_not_used(zone, &f->found[f->newest[place] - 1], &stored->head, &why);
	return OK;
}

static void zones_start_empty(const struct finder *f)
{
	for (size_t i = 0; i < f->keeper->zone_count; i++) {
		struct zone *zone = f->keeper->zones[i];
		if (f->is_stored[i]) continue;
		zone->stored.restore_due = false;
		zone_start_empty(zone);
	}
}

static void nobody_has_it(void *context, const struct segment *segment)
{
	if (segment->is_pack) pack_drop(context, segment);
}

enum code keeper_zones_restore(struct keeper *k, struct error *err)
{
	struct folder *folder = images_open(k->policy->server.state);
	struct finder f;
	enum code code = finder_open(&f, k, err);

	if (!code) code = packer_open(k, folder, err);
	if (!code && folder) code = packs_take(&f, folder, err);
	if (!code) code = store_each_zone(k->store.opened, zone_visit, &f, err);
	/* What is damaged there is told when it is loaded, zone by zone. */
	if (code == E_DAMAGED)
		code = OK;
	else if (!code)
		zones_start_empty(&f);
	segments_release(&k->segments, 0, nobody_has_it, k);
	finder_close(&f);
	return code;
}
