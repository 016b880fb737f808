/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front/roster.h"

#include "config/pack.h"
#include "host/file.h"
#include "host/memfd.h"
#include "host/random.h"

#include <assert.h>
#include <stdlib.h>

enum { TABLE_ZONES_MIN = 64, SLOTS_MIN = 64 };

/* A segment of the keeper's memory. */
struct mapping {
	uint32_t id;
	uint32_t epoch; /* ids mean something together with it */
	bool dropped;
	size_t publication_count; /* that refer to it */
	struct span bytes;
	struct mapping *next;
};

/* A publication and what it lies in. */
struct served {
	struct publication publication; /* first: the directory hands back its address */
	struct front_policy *policy;
	struct mapping *mappings[VIEW_LAYERS_MAX]; /* of its layers */
	uint32_t slot;
	uint32_t epoch; /* of the keeper that named it last */
};

static struct served *served_of(struct publication *publication)
{
	return (struct served *)(void *)publication;
}

static void *table_new(size_t zone_count, size_t *size)
{
	*size = directory_table_size(zone_count);
	return calloc(1, *size);
}

enum code roster_open(struct roster *roster, unsigned reader_count, struct error *err)
{
	struct siphash_key key = {random_u64(), random_u64()};
	size_t size;
	void *table = table_new(TABLE_ZONES_MIN, &size);

	*roster = (struct roster){
		.directory = aligned_alloc(alignof(struct directory), sizeof(struct directory))};
	if (!table || !roster->directory) {
		free(table);
		free(roster->directory);
		return error_set(err, E_NOMEM, "no memory for the directory of zones");
	}
	directory_init(roster->directory, key, reader_count, table, size);
	return OK;
}

/* ---- what may go ---- */

static void served_free(struct served *served)
{
	served->policy->publication_count--;
	for (unsigned i = 0; i < served->publication.view.layer_count; i++)
		served->mappings[i]->publication_count--;
	free(served);
}

static bool may_be_named(const struct roster *roster, const struct mapping *mapping)
{
	return mapping->epoch == roster->epoch && !mapping->dropped;
}

static bool mapping_is_needed(const struct roster *roster, const struct mapping *mapping)
{
	return may_be_named(roster, mapping) || mapping->publication_count > 0;
}

static void mappings_reclaim(struct roster *roster)
{
	struct mapping **link = &roster->mappings;

	while (*link) {
		struct mapping *mapping = *link;
		if (mapping_is_needed(roster, mapping)) {
			link = &mapping->next;
			continue;
		}
		*link = mapping->next;
		memfd_unmap(mapping->bytes);
		free(mapping);
	}
}

static void policies_reclaim(struct roster *roster, uint64_t released)
{
	struct front_policy **link = &roster->former;

	while (*link) {
		struct front_policy *policy = *link;
		if (policy->retired_at > released || policy->publication_count > 0 ||
		    atomic_load(&policy->pins) > 0) {
			link = &policy->next;
			continue;
		}
		*link = policy->next;
		arena_free(policy->arena);
		free(policy);
	}
}

/*
 * The keeper's numbers are looked up one at a time: while one waits to be released,
 * those that are served after it are told together with the next.
 */
static void released_note(struct roster *roster, uint64_t released)
{
	for (int i = 0; i < 2; i++) {
		if (roster->await_local == 0 && roster->serving > roster->released) {
			roster->await_local = roster->local;
			roster->await_generation = roster->serving;
		}
		if (roster->await_local == 0 || roster->await_local > released) return;
		roster->released = roster->await_generation;
		roster->await_local = 0;
	}
}

bool roster_reclaim(struct roster *roster)
{
	struct publication *publication;
	void *table;

	while ((publication = directory_reap(roster->directory)))
		served_free(served_of(publication));
	while ((table = directory_reap_table(roster->directory))) free(table);
	uint64_t released = directory_released(roster->directory);
	policies_reclaim(roster, released);
	mappings_reclaim(roster);
	released_note(roster, released);
	return released >= roster->local;
}

void roster_serve(struct roster *roster)
{
	if (roster->changed) {
		/* Nothing of it was seen by a generation before, so none may be numbered 0. */
		directory_serve(roster->directory, ++roster->local);
		for (struct front_policy *p = roster->former; p; p = p->next)
			if (p->retired_at == UINT64_MAX) p->retired_at = roster->local;
		roster->changed = false;
	}
	roster->serving = roster->generation;
}

void roster_keeper_changed(struct roster *roster)
{
	roster->epoch++;
	roster->generation = roster->serving = roster->released = 0;
	roster->await_local = 0;
	if (roster->slots) memset(roster->slots, 0, roster->slot_capacity * sizeof *roster->slots);
}

/* ---- segments ---- */

/* The one that this keeper calls so, which becomes the first: the next publication lies there too.
 */
static struct mapping *mapping_find(struct roster *roster, uint32_t id)
{
	struct mapping **link = &roster->mappings;

	while (*link && ((*link)->id != id || !may_be_named(roster, *link))) link = &(*link)->next;
	struct mapping *found = *link;
	if (!found) return NULL;
	*link = found->next;
	found->next = roster->mappings;
	roster->mappings = found;
	return found;
}

enum code roster_take_segment(struct roster *roster, const struct message_segment *body, int fd,
			      struct error *err)
{
	struct mapping *mapping;
	enum code code;

	if (mapping_find(roster, body->id))
		return error_set(err, E_EXISTS, "segment %u was sent already", body->id);
	if (!(mapping = calloc(1, sizeof *mapping)))
		return error_set(err, E_NOMEM, "no memory for a segment");
	if (body->is_file)
		code = file_map(fd, body->len, &mapping->bytes, err);
	else
		code = memfd_map(fd, body->len, &mapping->bytes, err);
	if (code) {
		free(mapping);
		return code;
	}
	mapping->id = body->id;
	mapping->epoch = roster->epoch;
	mapping->next = roster->mappings;
	roster->mappings = mapping;
	return OK;
}

void roster_drop_segment(struct roster *roster, const struct message_segment *body)
{
	struct mapping *mapping = mapping_find(roster, body->id);

	if (mapping) mapping->dropped = true;
}

/* ---- policies ---- */

/* Puts `next` in the place of what is published under its name. */
static enum code served_publish(struct roster *roster, struct served *next, struct error *err)
{
	enum code code = directory_publish(roster->directory, &next->publication, err);

	if (code == E_LIMIT) {
		size_t size;
		size_t zone_count = 2 * directory_zone_count(roster->directory) + TABLE_ZONES_MIN;
		void *table = table_new(zone_count, &size);
		if (!table) return error_set(err, E_NOMEM, "no memory for %zu zones", zone_count);
		if ((code = directory_resize(roster->directory, table, size, err))) {
			free(table);
			return code;
		}
		code = directory_publish(roster->directory, &next->publication, err);
	}
	if (code) return code;
	next->policy->publication_count++;
	for (unsigned i = 0; i < next->publication.view.layer_count; i++)
		next->mappings[i]->publication_count++;
	roster->changed = true;
	return OK;
}

static struct served *served_new(struct front_policy *policy, const struct zone_policy *zone,
				 struct error *err)
{
	struct served *served = calloc(1, sizeof *served);

	if (!served) {
		error_set(err, E_NOMEM, "no memory to publish zone %s", zone->label);
		return NULL;
	}
	served->policy = policy;
	served->publication.policy = zone;
	served->publication.name = zone->name;
	return served;
}

/* The same version under another policy. */
static enum code served_move(struct roster *roster, struct served *former,
			     struct front_policy *policy, const struct zone_policy *zone,
			     struct error *err)
{
	struct served *next = served_new(policy, zone, err);
	enum code code;

	if (!next) return E_NOMEM;
	next->publication.view = former->publication.view;
	memcpy(next->mappings, former->mappings, sizeof next->mappings);
	next->slot = former->slot;
	next->epoch = former->epoch;
	publication_set_expire(&next->publication, atomic_load(&former->publication.expire_at));
	if ((code = served_publish(roster, next, err))) {
		free(next);
		return code;
	}
	if (former->epoch == roster->epoch) roster->slots[former->slot] = next;
	return OK;
}

static enum code zones_move(struct roster *roster, struct front_policy *policy, struct error *err)
{
	struct publication *publication;
	size_t at = 0;
	enum code code;

	while ((publication = directory_next(roster->directory, &at))) {
		const struct zone_policy *zone = policy_zone(policy->policy, publication->name);
		if (!zone) continue;
		code = served_move(roster, served_of(publication), policy, zone, err);
		if (code) return code;
	}
	return OK;
}

static enum code policy_read(const struct message_policy *body, int fd, struct front_policy *policy,
			     struct error *err)
{
	struct span packed = {0};
	enum code code = memfd_map(fd, body->len, &packed, err);

	if (code) return code;
	policy->arena = arena_new(POLICY_OCTETS_MAX);
	if (policy->arena)
		code = policy_unpack(span_of(packed.ptr, body->len), policy->arena, &policy->policy,
				     err);
	else
		code = error_set(err, E_NOMEM, "no memory for a policy");
	memfd_unmap(packed);
	return code;
}

enum code roster_take_policy(struct roster *roster, const struct message_policy *body, int fd,
			     struct error *err)
{
	struct front_policy *policy = calloc(1, sizeof *policy);
	struct front_policy *former;
	enum code code;

	if (!policy) return error_set(err, E_NOMEM, "no memory for a policy");
	if ((code = policy_read(body, fd, policy, err))) {
		arena_free(policy->arena);
		free(policy);
		return code;
	}
	policy->retired_at = UINT64_MAX;
	former = atomic_exchange(&roster->policy, policy);
	if (former) {
		former->next = roster->former;
		roster->former = former;
	}
	roster->changed = true;
	return zones_move(roster, policy, err);
}

void front_policy_pin(struct front_policy *policy)
{
	atomic_fetch_add(&policy->pins, 1);
}

void front_policy_unpin(struct front_policy *policy)
{
	uint32_t before = atomic_fetch_sub(&policy->pins, 1);

	assert(before > 0);
	(void)before;
}

/* ---- zones ---- */

static void generation_note(struct roster *roster, uint64_t generation)
{
	if (generation > roster->generation) roster->generation = generation;
}

static enum code slots_reserve(struct roster *roster, uint32_t slot, struct error *err)
{
	uint32_t capacity = roster->slot_capacity ? roster->slot_capacity : SLOTS_MIN;

	if (slot >= ROSTER_SLOTS_MAX)
		return error_set(err, E_RANGE, "slot %u is above the %d that there may be", slot,
				 ROSTER_SLOTS_MAX - 1);
	if (slot < roster->slot_capacity) return OK;
	while (capacity <= slot) capacity *= 2;
	struct served **grown = realloc(roster->slots, capacity * sizeof(struct served *));
	if (!grown) return error_set(err, E_NOMEM, "no memory for %u zones", capacity);
	memset(grown + roster->slot_capacity, 0,
	       (capacity - roster->slot_capacity) * sizeof(struct served *));
	roster->slots = grown;
	roster->slot_capacity = capacity;
	return OK;
}

/* The zone that a publication is about, as the policy in force has it. */
static enum code zone_find(struct roster *roster, const struct message_publish *body,
			   const struct zone_policy **zone, struct error *err)
{
	struct front_policy *policy = atomic_load(&roster->policy);
	struct reader r = reader_of(span_of(body->zone.wire, body->zone.len));
	char text[NAME_TEXT_MAX];
	struct name name;

	if (!name_read_plain(&r, &name) || !reader_done(&r))
		return error_set(err, E_DAMAGED, "the zone in slot %u has no name", body->slot);
	if (!policy) return error_set(err, E_CONFLICT, "a zone came before the policy");
	/* A roster has them in the policy's order. */
	size_t next = roster->policy_at;
	if (next < policy->policy->zone_count && name_equal(policy->policy->zones[next].name, name))
		*zone = &policy->policy->zones[next];
	else
		*zone = policy_zone(policy->policy, name);
	if (*zone) {
		roster->policy_at = (size_t)(*zone - policy->policy->zones) + 1;
		return OK;
	}
	return error_set(err, E_NOT_FOUND, "zone %s is published and not configured",
			 name_to_text(name, text));
}

/* One slot a zone, one zone a slot. `*former` is what is published under that name now. */
static enum code slot_check(struct roster *roster, uint32_t slot, const struct zone_policy *zone,
			    struct served **former, struct error *err)
{
	struct publication *found = directory_find_exact(roster->directory, zone->name);
	enum code code = slots_reserve(roster, slot, err);

	if (code) return code;
	*former = found ? served_of(found) : NULL;
	bool is_its_own = *former && (*former)->epoch == roster->epoch;
	if (roster->slots[slot] == (is_its_own ? *former : NULL)) return OK;
	return error_set(err, E_CONFLICT, "zone %s comes in slot %u, which is not its own",
			 zone->label, slot);
}

/* The octets of one layer, and the mapping that holds them. */
static enum code layer_find(struct roster *roster, const struct message_layer *layer,
			    const struct zone_policy *zone, struct mapping **mapping,
			    struct span *octets, struct error *err)
{
	*mapping = mapping_find(roster, layer->segment);
	if (!*mapping)
		return error_set(err, E_NOT_FOUND, "zone %s: segment %u was not sent", zone->label,
				 layer->segment);
	struct span bytes = (*mapping)->bytes;
	if (layer->offset > bytes.len || layer->len > bytes.len - layer->offset)
		return error_set(err, E_RANGE, "zone %s: its image ends outside of segment %u",
				 zone->label, layer->segment);
	*octets = span_of(bytes.ptr + layer->offset, layer->len);
	return OK;
}

static enum code view_find_layers(struct roster *roster, const struct message_publish *body,
				  const struct zone_policy *zone, struct mapping **mappings,
				  struct view *view, struct error *err)
{
	struct span layers[VIEW_LAYERS_MAX];
	enum code code;

	*view = (struct view){0};
	if (body->layer_count == 0) return OK;
	if (body->layer_count > VIEW_LAYERS_MAX)
		return error_set(err, E_RANGE, "zone %s: %u layers, at most %d", zone->label,
				 body->layer_count, VIEW_LAYERS_MAX);
	for (unsigned i = 0; i < body->layer_count; i++) {
		code = layer_find(roster, &body->layers[i], zone, &mappings[i], &layers[i], err);
		if (code) return code;
	}
	if ((code = view_open(layers, body->layer_count, view, err))) {
		error_prefix(err, "zone %s", zone->label);
		return code;
	}
	if (name_equal(view_apex(view), zone->name)) return OK;
	return error_set(err, E_CONFLICT, "zone %s: the image is that of another zone",
			 zone->label);
}

/* Nothing but the instant differs: no reader needs to be waited for. */
static bool is_same_version(const struct served *former, const struct front_policy *policy,
			    const struct view *view)
{
	const struct view *before = &former->publication.view;

	if (former->policy != policy || before->layer_count != view->layer_count) return false;
	for (unsigned i = 0; i < view->layer_count; i++)
		if (before->layers[i].bytes.ptr != view->layers[i].bytes.ptr) return false;
	return true;
}

enum code roster_publish(struct roster *roster, const struct message_publish *body,
			 struct error *err)
{
	struct front_policy *policy = atomic_load(&roster->policy);
	const struct zone_policy *zone;
	struct served *former, *next;
	struct mapping *mappings[VIEW_LAYERS_MAX] = {0};
	struct view view;
	enum code code;

	if ((code = zone_find(roster, body, &zone, err))) return code;
	if ((code = slot_check(roster, body->slot, zone, &former, err))) return code;
	if ((code = view_find_layers(roster, body, zone, mappings, &view, err))) return code;

	if (former && is_same_version(former, policy, &view)) {
		publication_set_expire(&former->publication, body->expires_at);
		next = former;
	} else {
		if (!(next = served_new(policy, zone, err))) return E_NOMEM;
		memcpy(next->mappings, mappings, sizeof mappings);
		next->publication.view = view;
		publication_set_expire(&next->publication, body->expires_at);
		if ((code = served_publish(roster, next, err))) {
			free(next);
			return code;
		}
	}
	next->slot = body->slot;
	next->epoch = roster->epoch;
	roster->slots[body->slot] = next;
	generation_note(roster, body->generation);
	return OK;
}

/* The next entry as a message of its own; false when there is no whole one. */
static bool entry_read(struct reader *r, struct message_publish *body)
{
	struct roster_entry entry;
	struct span head = read_span(r, sizeof entry);

	if (r->failed) return false;
	memcpy(&entry, head.ptr, sizeof entry);
	if (entry.layer_count > VIEW_LAYERS_MAX || entry.name_len > sizeof body->zone.wire)
		return false;
	struct span layers = read_span(r, entry.layer_count * sizeof body->layers[0]);
	struct span name = read_span(r, entry.name_len);
	reader_skip(r, (8U - entry.name_len % 8U) % 8U);
	if (r->failed) return false;
	body->slot = entry.slot;
	body->layer_count = entry.layer_count;
	body->expires_at = entry.expires_at;
	if (layers.len) memcpy(body->layers, layers.ptr, layers.len);
	memcpy(body->zone.wire, name.ptr, name.len);
	body->zone.len = (uint8_t)name.len;
	return true;
}

enum code roster_take_roster(struct roster *roster, const struct message_roster *body, int fd,
			     struct error *err)
{
	struct message_publish publish = {.generation = body->generation};
	struct span map;
	enum code code = memfd_map(fd, body->len, &map, err);

	if (code) return code;
	struct reader r = reader_of(span_of(map.ptr, body->len));
	for (uint32_t i = 0; !code && i < body->count; i++) {
		if (entry_read(&r, &publish))
			code = roster_publish(roster, &publish, err);
		else
			code = error_set(err, E_DAMAGED, "entry %u of a roster is not whole", i);
	}
	memfd_unmap(map);
	return code;
}

void roster_withdraw(struct roster *roster, const struct message_withdraw *body)
{
	struct served *served =
		body->slot < roster->slot_capacity ? roster->slots[body->slot] : NULL;

	generation_note(roster, body->generation);
	if (!served) return;
	enum code code = directory_withdraw(roster->directory, served->publication.name, NULL);
	assert(code == OK); /* a slot holds what is published */
	(void)code;
	roster->slots[body->slot] = NULL;
	roster->changed = true;
}

/* Withdraws the zones that no keeper of this epoch has named, or all of them. */
static void withdraw_others(struct roster *roster, bool all)
{
	struct publication *publication;
	size_t at = 0;

	while ((publication = directory_next(roster->directory, &at))) {
		if (!all && served_of(publication)->epoch == roster->epoch) continue;
		enum code code = directory_withdraw(roster->directory, publication->name, NULL);
		assert(code == OK); /* it is there: it was just found */
		(void)code;
		roster->changed = true;
	}
}

void roster_end(struct roster *roster, const struct message_generation *body)
{
	withdraw_others(roster, false);
	generation_note(roster, body->generation);
}

void roster_close(struct roster *roster)
{
	struct front_policy *policy = atomic_exchange(&roster->policy, NULL);

	if (policy) {
		policy->next = roster->former;
		roster->former = policy;
	}
	withdraw_others(roster, true);
	roster_keeper_changed(roster);
	roster->changed = true;
	roster_serve(roster);
	bool is_empty = roster_reclaim(roster);
	assert(is_empty && !roster->former && !roster->mappings);
	(void)is_empty;
	free(atomic_load(&roster->directory->table));
	free(roster->directory);
	free(roster->slots);
}
