/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As the set is in canonical order, the ancestors of a name are the path to the name
 * before it, as far as both agree; what is missing on the way are empty non-terminals
 * (RFC 4592 2.2.2).
 */
#include "zone/image_format.h"
#include "zone/image_write.h"
#include "zone/runs.h"

#include <assert.h>

/* Counts one owner's node and the empty non-terminals above it. */
static void room_owner(struct image_room *room, const struct records *set, struct run owner,
		       const struct path *path, unsigned depth)
{
	for (; depth < path->depth; depth++) image_room_node(room, path_name(path, depth), NULL);
	image_room_node(room, path->name, NULL);
	for (size_t i = owner.from; i < owner.to;) {
		struct run rrset = rrset_run(set, i, owner.to);
		size_t octets = 0;
		for (; i < rrset.to; i++) octets += records_get(set, i).rdata.len;
		image_room_rrset(room, records_get(set, rrset.from).type, rrset.to - rrset.from,
				 octets);
	}
}

size_t image_size(const struct records *set, struct name apex)
{
	struct image_room room = {0};
	struct path last = {0}, path;

	assert(set->sorted);
	for (size_t i = 0; i < set->count;) {
		struct run owner = owner_run(set, i);
		if (!path_set(&path, records_get(set, i).owner, apex)) return 0;
		if (i == 0 && path.depth > 0) return 0;
		room_owner(&room, set, owner, &path, i ? paths_shared(&last, &path) + 1 : 0);
		last = path;
		i = owner.to;
	}
	return room.nodes ? image_room_octets(&room, apex) : 0;
}

static enum code misfit(const struct record *record, const char *what, struct error *err)
{
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];

	return error_set(err, E_CONFLICT, "%s %s %s: this set was not checked",
			 name_to_text(record->owner, owner), rrtype_to_text(record->type, type),
			 what);
}

static enum code rrset_build(struct image_writer *iw, const struct records *set, struct run run,
			     struct error *err)
{
	struct record first = records_get(set, run.from);

	if (run.to - run.from > UINT16_MAX)
		return misfit(&first, "has more than 65,535 records", err);
	image_write_rrset(iw, first.type, first.ttl);
	for (size_t i = run.from; i < run.to; i++) {
		struct record record = records_get(set, i);
		if (record.ttl != first.ttl) return misfit(&record, "has several TTLs", err);
		if (record.class != CLASS_IN) return misfit(&record, "is not of class IN", err);
		image_write_rdata(iw, record.rdata);
	}
	return OK;
}

static enum code owner_build(struct image_writer *iw, const struct records *set, struct run owner,
			     struct error *err)
{
	image_write_node(iw, records_get(set, owner.from).owner, false);
	for (size_t i = owner.from; i < owner.to;) {
		struct run rrset = rrset_run(set, i, owner.to);
		enum code code = rrset_build(iw, set, rrset, err);
		if (code) return code;
		i = rrset.to;
	}
	return OK;
}

static enum code nodes_build(struct image_writer *iw, const struct records *set, struct name apex,
			     struct error *err)
{
	struct path paths[2];

	for (size_t i = 0, turn = 0; i < set->count; turn ^= 1) {
		struct run owner = owner_run(set, i);
		struct path *path = &paths[turn], *last = &paths[turn ^ 1];
		struct record first = records_get(set, i);
		if (!path_set(path, first.owner, apex))
			return misfit(&first, "is not in the zone", err);
		unsigned depth = i == 0 ? 0 : paths_shared(last, path) + 1;
		for (; depth < path->depth; depth++)
			image_write_node(iw, path_name(path, depth), false);
		enum code code = owner_build(iw, set, owner, err);
		if (code) return code;
		i = owner.to;
	}
	return OK;
}

enum code image_build(const struct records *set, struct name apex, uint64_t seed,
		      const struct zone_digest *digest, struct writer *out, struct error *err)
{
	struct image_facts facts = {.record_count = set->count, .digest = *digest};
	struct image_writer iw;
	struct soa soa;
	char text[NAME_TEXT_MAX];

	assert(set->sorted);
	if (!records_soa(set, apex, &soa))
		return error_set(err, E_CONFLICT, "zone %s has no SOA: it was not checked",
				 name_to_text(apex, text));
	facts.serial = soa.serial;
	image_write_begin(&iw, apex, seed, &facts, out);
	enum code code = nodes_build(&iw, set, apex, err);
	return code ? code : image_write_finish(&iw, err);
}
