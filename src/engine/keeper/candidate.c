/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/keeper/candidate.h"

/* The set's SOA with another serial; it is the first record of a sorted zone. */
static enum code soa_set_serial(struct records *set, const struct soa *soa, uint32_t serial,
				struct error *err)
{
	struct record first = records_get(set, 0);
	size_t len = record_len(&first);
	size_t serial_at =
		(size_t)first.owner.len + 10 + (size_t)soa->mname.len + (size_t)soa->rname.len;

	if (soa->serial == serial) return OK;
	uint8_t *wire = arena_copy(set->arena, span_of(set->entries[0].wire, len));
	if (!wire) return error_set(err, E_NOMEM, "no memory for the SOA record");
	put_u32(wire + serial_at, serial);
	set->entries[0].wire = wire;
	return OK;
}

static enum code guard(struct keeper_zone *zone, const struct keeper_event *event, struct soa *soa,
		       struct error *err)
{
	struct records *set = event->records;

	if (set->wire_len > zone->limits->zone_octets)
		return error_set(err, E_LIMIT,
				 "the zone has %zu octets, more than limits: zone-size %llu",
				 set->wire_len, (unsigned long long)zone->limits->zone_octets);
	if (!event->is_checked && zone_check(set, zone->policy->name, event->diagnostics)) {
		const struct diagnostics *found = event->diagnostics;
		const struct diagnostic *worst = NULL;
		for (size_t i = 0; i < found->count && !worst; i++)
			if (!found->list[i].warning) worst = &found->list[i];
		if (worst && worst->place.line)
			return error_set(err, E_CONFLICT, "%s:%u: %s", worst->place.file,
					 worst->place.line, worst->text);
		return error_set(err, E_CONFLICT, "%s",
				 worst ? worst->text : "it is no zone: the checks failed");
	}
	if (!records_soa(set, zone->policy->name, soa))
		return error_set(err, E_CONFLICT, "it has no SOA record");
	return OK;
}

/* The reader's, unless the set has got another serial than it was read with. */
static enum code digest_of(const struct keeper_event *event, bool same_serial,
			   struct zone_digest *out, struct error *err)
{
	if (event->has_digest && same_serial)
		*out = event->digest;
	else if (!zone_digest_of(event->records, event->crypto, out))
		return error_set(err, E_NOMEM, "the digest could not be computed");
	return OK;
}

/* before - removed + added = after. */
static enum code digest_after(struct zone_digest *digest, const struct change *change,
			      struct crypto *crypto, struct error *err)
{
	struct reader removed = reader_of(change->removed), added = reader_of(change->added);
	struct record record;
	bool ok = true;

	while (ok && reader_left(&removed) && record_read(&removed, &record))
		ok = zone_digest_remove(digest, crypto, &record);
	while (ok && reader_left(&added) && record_read(&added, &record))
		ok = zone_digest_add(digest, crypto, &record);
	return ok ? OK : error_set(err, E_NOMEM, "the digest could not be computed");
}

/* The serial of the candidate whose content was compared under the head's serial. */
static enum code serial_choose(const struct keeper_zone *zone, const struct keeper_event *event,
			       enum change_source source, bool content_differs, uint32_t own,
			       uint32_t *out, struct error *err)
{
	uint32_t head = zone->head.serial;

	*out = own;
	if (source == CHANGE_FROM_TRANSFER) {
		if (own == head && !content_differs) return E_EXISTS;
		if (zone->secondary.forced || serial_newer(own, head)) return OK;
		return error_set(
			err, E_REFUSED,
			"serial %u was received, which is not newer than %u, which is held", own,
			head);
	}
	if (content_differs)
		return serial_for_file(zone->policy->serial, head, own, event->now_unix_s, out,
				       err);
	return serial_newer(own, head) ? OK : E_EXISTS; /* only its serial was raised, or nothing */
}

static enum code difference(struct keeper_zone *zone, const struct keeper_event *event,
			    enum change_source source, const struct soa *soa, struct error *err)
{
	struct keeper_candidate *candidate = &zone->candidate;
	struct records *before = arena_alloc(event->arena, sizeof *before);
	struct change *change = &candidate->change;
	enum code code;

	if (!before) return error_set(err, E_NOMEM, "no memory to compare the versions");
	records_init(before, event->arena);
	if ((code = view_records(&zone->head.view, before, err))) return code;
	if ((code = soa_set_serial(event->records, soa, zone->head.serial, err))) return code;
	if ((code = change_between(before, event->records, event->arena, change, err))) return code;

	bool content_differs = change->removed_count || change->added_count;
	code = serial_choose(zone, event, source, content_differs, soa->serial, &candidate->serial,
			     err);
	if (code) return code;

	if ((code = soa_set_serial(event->records,
				   &(struct soa){.mname = soa->mname,
						 .rname = soa->rname,
						 .serial = zone->head.serial},
				   candidate->serial, err)))
		return code;
	if ((code = change_between(before, event->records, event->arena, change, err))) return code;
	candidate->digest = zone->head.digest;
	if ((code = digest_after(&candidate->digest, change, event->crypto, err))) return code;

	size_t size = change->removed.len + change->added.len, quarter = before->wire_len / 4;
	size_t limit = quarter > CHANGE_OCTETS_MIN ? quarter : CHANGE_OCTETS_MIN;
	/* A change leads from one serial to another. */
	candidate->as_snapshot =
		size > limit || size > CHANGE_OCTETS_MAX || candidate->serial == zone->head.serial;
	change->from_serial = zone->head.serial;
	return OK;
}

/* The file's own, or the primary's; after a version that was damaged never one behind it. */
static enum code first_serial(struct keeper_zone *zone, const struct keeper_event *event,
			      enum change_source source, const struct soa *soa, struct error *err)
{
	struct keeper_candidate *candidate = &zone->candidate;
	enum code code;

	candidate->serial = soa->serial;
	if (!zone->has_floor || source != CHANGE_FROM_FILE) return OK;
	/* Who keeps the serials himself has not changed the file since. */
	if (zone->policy->serial == SERIAL_FILE && soa->serial == zone->serial_floor) return OK;
	code = serial_for_file(zone->policy->serial, zone->serial_floor, soa->serial,
			       event->now_unix_s, &candidate->serial, err);
	return code ? code : soa_set_serial(event->records, soa, candidate->serial, err);
}

enum code candidate_make(struct keeper_zone *zone, const struct keeper_event *event,
			 enum change_source source, struct error *err)
{
	struct keeper_candidate *candidate = &zone->candidate;
	struct soa soa;
	enum code code;

	*candidate = (struct keeper_candidate){.records = event->records,
					       .is_transfer = source == CHANGE_FROM_TRANSFER};
	if ((code = guard(zone, event, &soa, err))) return code;
	if (zone->head.exists) {
		if ((code = difference(zone, event, source, &soa, err))) return code;
	} else {
		candidate->first = candidate->as_snapshot = true;
		if ((code = first_serial(zone, event, source, &soa, err))) return code;
		bool same_serial = candidate->serial == soa.serial;
		if ((code = digest_of(event, same_serial, &candidate->digest, err))) return code;
	}
	candidate->author = event->author;
	candidate->change.to_serial = candidate->serial;
	candidate->change.digest_after = candidate->digest;
	candidate->change.source = source;
	candidate->change.author = candidate->author;
	candidate->change.reason = "";
	candidate->change.time_unix_s = event->now_unix_s;
	return OK;
}
