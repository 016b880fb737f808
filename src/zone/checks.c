/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two walks over the set in canonical order: the first finds errors, the second
 * aligns TTLs and case and warns, so that a hundred warnings never hide an error.
 */
#include "zone/checks.h"

#include "dns/nsec3.h"
#include "zone/runs.h"
#include "zone/targets.h"

#include <assert.h>
#include <stdio.h>

enum { NOWHERE_LEN = 0, PLACE_TEXT_MAX = 512 };

/* The check of some owners that follow each other: of all, or of a part. */
struct check {
	struct records *set;
	size_t from, to;     /* their records */
	struct arena *arena; /* for records that are replaced */
	struct replacement *replacements;
	size_t replacement_count, replacement_capacity;
	struct diagnostics *diagnostics;
	struct targets targets;
	/* The cut and the DNAME that the names at hand may be below; length 0: none. */
	struct name cut, dname;
	size_t cut_at, dname_at; /* their records */
	bool has_soa, has_ns;
};

/* "OWNER TYPE WHAT", at the record's place. */
static void tell(struct check *check, bool warning, size_t i, const char *what)
{
	struct record record = records_get(check->set, i);
	struct place place = records_place(check->set, i);
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];

	name_to_text(record.owner, owner);
	rrtype_to_text(record.type, type);
	if (warning)
		diagnose_warning(check->diagnostics, place, (struct span){0}, "%s %s %s", owner,
				 type, what);
	else
		diagnose(check->diagnostics, place, (struct span){0}, "%s %s %s", owner, type,
			 what);
}

/* "OWNER TYPE WHAT OTHER-OWNER OTHER-TYPE (OTHER-PLACE)END", where two records collide. */
static void tell_both(struct check *check, bool warning, size_t i, const char *what, size_t other,
		      const char *end)
{
	struct record record = records_get(check->set, other);
	struct place place = records_place(check->set, other);
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX], where[PLACE_TEXT_MAX] = "";
	char text[NAME_TEXT_MAX + PLACE_TEXT_MAX + 256];

	if (place.file)
		snprintf(where, sizeof where, " (%.480s:%u)", place.file, (unsigned)place.line);
	snprintf(text, sizeof text, "%s %s %s%s%s", what, name_to_text(record.owner, owner),
		 rrtype_to_text(record.type, type), where, end);
	tell(check, warning, i, text);
}

/* A sentence about the zone as a whole. */
static void tell_zone(struct check *check, const char *what)
{
	const struct records *set = check->set;
	char apex[NAME_TEXT_MAX];

	diagnose(check->diagnostics, (struct place){.file = set->file_count ? set->files[0] : NULL},
		 (struct span){0}, "zone %s %s", name_to_text(check->targets.apex, apex), what);
}

static bool may_stand_beside_cname(uint16_t type)
{
	return type == RRTYPE_CNAME || type == RRTYPE_RRSIG || type == RRTYPE_NSEC ||
	       type == RRTYPE_NSEC3 || type == RRTYPE_KEY;
}

/* RFC 9276 3.2: whoever validates gives up above a limit, and so do we. */
static void check_iterations(struct check *check, size_t i, const struct record *record)
{
	struct nsec3_params params;
	char what[128];

	if (!nsec3_params_read(record->rdata, &params) || params.iterations <= NSEC3_ITERATIONS_MAX)
		return;
	snprintf(what, sizeof what,
		 "asks for %u iterations of its hash, and %d is the most: sign the zone with 0",
		 params.iterations, NSEC3_ITERATIONS_MAX);
	tell(check, false, i, what);
}

static void check_record(struct check *check, size_t i)
{
	struct record record = records_get(check->set, i);

	if (record.class != CLASS_IN)
		tell(check, false, i, "is not of class IN, the only one served");
	if (record.rdata.len > RECORD_DATA_OCTETS_MAX) {
		char what[128];
		snprintf(what, sizeof what,
			 "has %zu octets of data, and no message could carry more than %d",
			 record.rdata.len, RECORD_DATA_OCTETS_MAX);
		tell(check, false, i, what);
	}
	if (record.type == RRTYPE_NSEC3PARAM) check_iterations(check, i, &record);
}

static void check_rrset(struct check *check, struct run rrset, bool is_apex)
{
	uint16_t type = records_get(check->set, rrset.from).type;
	size_t count = rrset.to - rrset.from;

	for (size_t i = rrset.from; i < rrset.to; i++) check_record(check, i);
	if (rrtype_is_meta(type) || type == 0)
		tell(check, false, rrset.from, "is a type for messages, never for a zone");
	if (type == RRTYPE_SOA && !is_apex)
		tell(check, false, rrset.from, "stands below the zone's apex, where no SOA may be");
	if (type == RRTYPE_DS && is_apex)
		tell(check, false, rrset.from,
		     "stands at the zone's apex; it belongs into the parent zone (RFC 4035 2.4)");
	if (count > RECORDS_PER_RRSET_MAX) {
		char what[128];
		snprintf(what, sizeof what, "has %zu records, and %d is the most for one type",
			 count, RECORDS_PER_RRSET_MAX);
		tell(check, false, rrset.from, what);
	}
	if (count > 1 && (type == RRTYPE_SOA || type == RRTYPE_CNAME || type == RRTYPE_DNAME))
		tell_both(check, false, rrset.from + 1, "is a second record beside", rrset.from,
			  "; there may be only one");
}

/* What stands beside a CNAME or, at a cut, beside the NS. */
static void check_company(struct check *check, struct run owner, bool is_apex)
{
	size_t cname = owner.to, dname = owner.to, ns = owner.to;

	for (size_t i = owner.to; i > owner.from; i--) {
		uint16_t type = records_get(check->set, i - 1).type;
		if (type == RRTYPE_CNAME) cname = i - 1;
		if (type == RRTYPE_DNAME) dname = i - 1;
		if (type == RRTYPE_NS) ns = i - 1;
	}
	for (size_t i = owner.from; cname < owner.to && i < owner.to; i++) {
		if (may_stand_beside_cname(records_get(check->set, i).type)) continue;
		tell_both(check, false, i, "stands beside", cname,
			  "; a CNAME must be alone (RFC 2181 10.1)");
		break;
	}
	if (dname < owner.to && ns < owner.to && !is_apex)
		tell_both(check, false, dname, "stands beside", ns,
			  "; at a delegation there is no DNAME (RFC 6672 2.3)");
}

/* The hashes of NSEC3 stand below an apex with DNAME too; they are no data of their names. */
static bool is_hash_owner(const struct records *set, struct run owner)
{
	for (size_t i = owner.from; i < owner.to; i++) {
		uint16_t type = records_get(set, i).type;
		if (type != RRTYPE_NSEC3 && type != RRTYPE_RRSIG) return false;
	}
	return true;
}

/* Keeps which cut and which DNAME the names that follow may be below. */
static void enter_owner(struct check *check, struct run owner, bool is_apex)
{
	struct name name = records_get(check->set, owner.from).owner;

	if (check->cut.len && !name_is_below(name, check->cut)) check->cut.len = NOWHERE_LEN;
	if (check->dname.len && !name_is_below(name, check->dname)) check->dname.len = NOWHERE_LEN;
	if (check->cut.len) return;
	for (size_t i = owner.from; i < owner.to; i++) {
		uint16_t type = records_get(check->set, i).type;
		if (type == RRTYPE_NS && !is_apex) {
			check->cut = name;
			check->cut_at = i;
			return;
		}
		if (type == RRTYPE_DNAME && !check->dname.len) {
			check->dname = name;
			check->dname_at = i;
		}
	}
}

static void check_owner(struct check *check, struct run owner)
{
	struct name name = records_get(check->set, owner.from).owner;
	bool is_apex = name_equal(name, check->targets.apex);
	size_t type_count = 0;
	uint16_t last_type = 0;

	if (!name_is_below(name, check->targets.apex)) {
		char apex[NAME_TEXT_MAX], what[NAME_TEXT_MAX + 64];
		snprintf(what, sizeof what, "is outside the zone %s",
			 name_to_text(check->targets.apex, apex));
		tell(check, false, owner.from, what);
		return;
	}
	enter_owner(check, owner, is_apex);
	if (check->dname.len && !check->cut.len && !name_equal(name, check->dname) &&
	    !is_hash_owner(check->set, owner))
		tell_both(check, false, owner.from, "stands below", check->dname_at,
			  ", which redirects all names below it (RFC 6672 2.4)");
	check_company(check, owner, is_apex);
	for (size_t i = owner.from; i < owner.to;) {
		uint16_t type = records_get(check->set, i).type;
		struct run rrset = rrset_run(check->set, i, owner.to);
		check_rrset(check, rrset, is_apex);
		if (i == owner.from || type != last_type) type_count++;
		last_type = type;
		check->has_soa |= is_apex && type == RRTYPE_SOA;
		check->has_ns |= is_apex && type == RRTYPE_NS;
		i = rrset.to;
	}
	if (type_count > TYPES_PER_NAME_MAX) {
		char what[128];
		snprintf(what, sizeof what, "is one of %zu types at this name, and %d is the most",
			 type_count, TYPES_PER_NAME_MAX);
		tell(check, false, owner.from, what);
	}
}

/* The cut and the DNAME that the first owner may be below: those of the names above it. */
static void enter_part(struct check *check)
{
	const struct records *set = check->set;
	struct name apex = check->targets.apex;

	check->cut.len = check->dname.len = NOWHERE_LEN;
	if (check->from == 0 || check->from == check->to) return;
	struct name first = records_get(set, check->from).owner;
	if (!name_is_below(first, apex)) return;
	for (unsigned up = name_label_count(first) - name_label_count(apex); up > 0; up--) {
		struct name above = name_without_labels(first, up);
		size_t i = records_seek(set, above, RRTYPE_SOA);
		if (i < check->from && name_equal(records_get(set, i).owner, above))
			enter_owner(check, owner_run(set, i), name_equal(above, apex));
	}
}

static void find_errors(struct check *check)
{
	enter_part(check);
	for (size_t i = check->from; i < check->to;) {
		struct run owner = owner_run(check->set, i);
		check_owner(check, owner);
		i = owner.to;
	}
}

/* Another record in the place of one: a copy, as its octets may be borrowed. */
struct replacement {
	size_t i;
	const uint8_t *wire;
};

/*
 * It takes the place when all parts are through, as they look up names in the whole set:
 * until then it is as good as the one before, whose name and data it has.
 */
static bool record_replace(struct check *check, size_t i, const struct record *record)
{
	size_t len = record_len(record);
	uint8_t *wire = arena_alloc_bytes(check->arena, len);

	if (!wire) return false;
	if (check->replacement_count == check->replacement_capacity) {
		size_t before = check->replacement_capacity, capacity = before ? 2 * before : 16;
		struct replacement *grown =
			arena_grow(check->arena, check->replacements, before * sizeof *grown,
				   capacity * sizeof *grown);
		if (!grown) return false;
		check->replacements = grown;
		check->replacement_capacity = capacity;
	}
	struct writer w = writer_of(wire, len);
	record_write(record, &w);
	check->replacements[check->replacement_count++] = (struct replacement){i, wire};
	return true;
}

static void replacements_apply(struct check *check)
{
	for (size_t k = 0; k < check->replacement_count; k++)
		check->set->entries[check->replacements[k].i].wire = check->replacements[k].wire;
}

/* An image has each name once, so all records of an owner get the case of its first. */
static bool case_align(struct check *check, struct run owner)
{
	const struct records *set = check->set;
	struct name name = records_get(set, owner.from).owner;

	for (size_t i = owner.from + 1; i < owner.to; i++) {
		struct record record = records_get(set, i);
		if (memcmp(record.owner.wire, name.wire, name.len) == 0) continue;
		record.owner = name;
		if (!record_replace(check, i, &record)) return false;
	}
	return true;
}

/* RFC 2181 5.2: all records of an RRset have one TTL; the lowest can be wrong for nobody. */
static bool ttl_align(struct check *check, struct run rrset, struct name owner)
{
	struct record first = records_get(check->set, rrset.from);
	size_t other = rrset.from;
	uint32_t lowest = first.ttl;

	for (size_t i = rrset.from + 1; i < rrset.to; i++) {
		uint32_t ttl = records_get(check->set, i).ttl;
		if (ttl != first.ttl && other == rrset.from) other = i;
		if (ttl < lowest) lowest = ttl;
	}
	if (other == rrset.from) return true;
	char what[96], end[64];
	snprintf(what, sizeof what, "has TTL %u, unlike the %u of",
		 (unsigned)records_get(check->set, other).ttl, (unsigned)first.ttl);
	snprintf(end, sizeof end, "; %u is taken for all (RFC 2181 5.2)", (unsigned)lowest);
	tell_both(check, true, other, what, rrset.from, end);
	for (size_t i = rrset.from; i < rrset.to; i++) {
		struct record record = records_get(check->set, i);
		if (record.ttl == lowest) continue;
		record.ttl = lowest;
		record.owner = owner;
		if (!record_replace(check, i, &record)) return false;
	}
	return true;
}

/* Glue and what the parent says about the cut; all else there belongs to the child. */
static bool may_stand_below_cut(uint16_t type, bool is_cut)
{
	if (type == RRTYPE_A || type == RRTYPE_AAAA) return true;
	return is_cut && (type == RRTYPE_NS || type == RRTYPE_DS || type == RRTYPE_NSEC ||
			  type == RRTYPE_RRSIG);
}

static void warn_of_hidden(struct check *check, struct run owner)
{
	struct name name = records_get(check->set, owner.from).owner;
	bool is_cut = name_equal(name, check->cut);

	for (size_t i = owner.from; i < owner.to; i++) {
		if (may_stand_below_cut(records_get(check->set, i).type, is_cut)) continue;
		tell_both(check, true, i, "is hidden by the delegation", check->cut_at,
			  " and never answered");
		return;
	}
}

static void warn_of_target(struct check *check, size_t i)
{
	static const char *const said[] = {
		[TARGET_ALIAS] = "is an alias, which is forbidden there (RFC 2181 10.3)",
		[TARGET_NO_ADDRESS] = "has no address",
		[TARGET_MISSING] = "does not exist in this zone",
		[TARGET_NO_GLUE] = "lies below this delegation and has no address (glue) here",
	};
	struct record record = records_get(check->set, i);
	struct name target;
	char text[NAME_TEXT_MAX], what[NAME_TEXT_MAX + 128];

	if (!rdata_additional_name(record.type, record.rdata, &target)) return;
	enum target verdict = target_judge(&check->targets, record.owner, target);
	if (verdict == TARGET_GOOD) return;
	snprintf(what, sizeof what, "points to %s, which %s", name_to_text(target, text),
		 said[verdict]);
	tell(check, true, i, what);
}

static enum code align_and_warn(struct check *check)
{
	struct records *set = check->set;

	enter_part(check);
	for (size_t i = check->from; i < check->to;) {
		struct run owner = owner_run(set, i);
		struct name name = records_get(set, i).owner;
		bool is_apex = name_equal(name, check->targets.apex);
		enter_owner(check, owner, is_apex);
		if (check->cut.len) warn_of_hidden(check, owner);
		if (!case_align(check, owner)) return E_NOMEM;
		for (; i < owner.to;) {
			struct run rrset = rrset_run(set, i, owner.to);
			uint16_t type = records_get(set, i).type;
			if (!ttl_align(check, rrset, name)) return E_NOMEM;
			bool points = type == RRTYPE_NS || type == RRTYPE_MX;
			/* A full list takes no more warnings, so none need be looked for. */
			for (; points && i < rrset.to; i++)
				if (check->diagnostics->count < DIAGNOSTICS_MAX)
					warn_of_target(check, i);
			i = rrset.to;
		}
	}
	return OK;
}

/* --- parts side by side --- */

enum { PARTS_MAX = 64 };

struct check_part {
	struct check check;
	struct diagnostics said;
	struct arena *said_arena;
	enum code code;
};

struct checking {
	struct check *whole;
	const struct parallel *parallel;
	struct check_part *parts; /* as many as are worth it; one: `whole` itself */
	size_t count;
	struct arena *arena; /* of `parts` */
};

/* Cuts the set at owners. False when memory ran out. */
static bool parts_cut(struct checking *c, size_t part_records)
{
	const struct records *set = c->whole->set;
	size_t wanted = c->parallel ? set->count / part_records : 1, from = 0;

	if (wanted < 2) return true;
	if (wanted > PARTS_MAX) wanted = PARTS_MAX;
	c->arena = arena_new(SIZE_MAX);
	if (c->arena) c->parts = arena_alloc_array(c->arena, wanted, sizeof *c->parts);
	if (!c->parts) return false;
	for (size_t i = 0; i < wanted && from < set->count; i++) {
		struct check_part *part = &c->parts[c->count++];
		size_t to = set->count * (i + 1) / wanted;
		if (to < from + 1) to = from + 1;
		to = owner_run(set, to - 1).to;
		part->check = *c->whole;
		part->check.from = from;
		part->check.to = to;
		part->check.diagnostics = &part->said;
		part->check.arena = arena_new(SIZE_MAX);
		part->said_arena = part->said.arena = arena_new(SIZE_MAX);
		if (!part->check.arena || !part->said_arena) return false;
		from = to;
	}
	assert(from == set->count);
	return true;
}

static void part_find_errors(void *of, size_t i)
{
	find_errors(&((struct checking *)of)->parts[i].check);
}

static void part_align_and_warn(void *of, size_t i)
{
	struct check_part *part = &((struct checking *)of)->parts[i];

	part->code = align_and_warn(&part->check);
}

/* What the parts said becomes what the whole said. */
static void parts_said(struct checking *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct check_part *part = &c->parts[i];
		diagnostics_append(c->whole->diagnostics, &part->said);
		part->said.count = part->said.error_count = 0;
		c->whole->has_soa |= part->check.has_soa;
		c->whole->has_ns |= part->check.has_ns;
	}
}

static bool has_errors(struct checking *c)
{
	struct check *whole = c->whole;
	size_t errors = whole->diagnostics->error_count;

	if (c->count)
		parallel_run(c->parallel, c->count, part_find_errors, c);
	else
		find_errors(whole);
	parts_said(c);
	if (!whole->has_soa) tell_zone(whole, "has no SOA at its apex");
	if (!whole->has_ns) tell_zone(whole, "has no NS at its apex");
	return whole->diagnostics->error_count > errors;
}

static enum code parts_align_and_warn(struct checking *c)
{
	enum code code = OK;

	if (!c->count) {
		code = align_and_warn(c->whole);
		replacements_apply(c->whole);
		return code;
	}
	parallel_run(c->parallel, c->count, part_align_and_warn, c);
	parts_said(c);
	for (size_t i = 0; i < c->count; i++) {
		struct check_part *part = &c->parts[i];
		if (part->code) code = part->code;
		if (!arena_adopt(c->whole->arena, part->check.arena)) {
			code = E_NOMEM;
			continue;
		}
		part->check.arena = NULL;
		replacements_apply(&part->check);
	}
	return code;
}

static void parts_free(struct checking *c)
{
	for (size_t i = 0; i < c->count; i++) {
		arena_free(c->parts[i].check.arena);
		arena_free(c->parts[i].said_arena);
	}
	arena_free(c->arena);
}

enum code zone_check_parts(struct records *set, struct name apex, const struct parallel *parallel,
			   size_t part_records, struct diagnostics *diagnostics)
{
	struct check whole = {
		.set = set,
		.to = set->count,
		.arena = set->arena,
		.diagnostics = diagnostics,
		.targets = {.set = set, .apex = apex},
	};
	struct checking c = {.whole = &whole, .parallel = parallel};
	enum code code = OK;

	assert(set->sorted);
	if (!parts_cut(&c, part_records))
		code = E_NOMEM;
	else if (has_errors(&c))
		code = E_CONFLICT;
	else
		code = parts_align_and_warn(&c);
	if (code == E_NOMEM) tell_zone(&whole, "does not fit into its memory while it is checked");
	parts_free(&c);
	return code;
}

enum code zone_check(struct records *set, struct name apex, struct diagnostics *diagnostics)
{
	return zone_check_parts(set, apex, NULL, 0, diagnostics);
}
