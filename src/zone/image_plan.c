/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the names of an RRset go out (docs/decisions/0013, rule 4), worked out once for all
 * answers whose question ends with the RRset's owner.
 */
#include "zone/image_format.h"

#include <assert.h>

enum {
	FIXED_OCTETS = 10,  /* of a record: type, class, TTL and data length */
	POINTER_OCTETS = 2, /* RFC 1035 4.1.4 */
	POINTER_REACH = 0x3fff,
	PLAN_IN_RRSET = 256,
};

/* A name that was placed. */
struct placed {
	struct name name;
	uint16_t at;  /* behind the first octet of the RRset */
	uint8_t kept; /* octets of it that stand there */
};

struct plan {
	struct name apex;
	struct name above; /* what every question ends with; the root: nothing to point at */
	uint64_t seed;
	struct placed placed[PLAN_NAMES_MAX];
	size_t count;
	struct rrset_target targets[PLAN_NAMES_MAX];
	bool has_local;
};

/* Octets of the longest name that both end with; 1 when that is the root. */
static unsigned shared_end(struct name a, struct name b)
{
	while (a.len > 1 && b.len > 1) {
		if (a.len == b.len) {
			if (name_equal(a, b)) return a.len;
			a = name_parent(a);
		} else if (a.len > b.len) {
			a = name_parent(a);
		} else {
			b = name_parent(b);
		}
	}
	return 1;
}

/* Where the name at this place of the RRset points. */
static void target_find(const struct plan *plan, struct name name, struct rrset_target *out)
{
	unsigned longest = shared_end(name, plan->above);

	*out = (struct rrset_target){.kept = name.len};
	if (longest > 1) out->pointer = (uint16_t)longest;
	for (size_t i = 0; i < plan->count; i++) {
		const struct placed *placed = &plan->placed[i];
		unsigned end = shared_end(name, placed->name), from = placed->name.len - end;
		if (end <= longest || from >= placed->kept || placed->at + from > POINTER_REACH)
			continue;
		longest = end;
		out->pointer = (uint16_t)(PLAN_IN_RRSET + placed->at + from);
	}
	if (out->pointer) out->kept = (uint8_t)(name.len - longest);
}

static void target_hash(struct plan *plan, struct name name, struct rrset_target *out)
{
	struct name_buffer lower;
	struct path path;

	name_lower(name, &lower);
	if (!path_set(&path, name_of(&lower), plan->apex)) return;
	out->is_local = true;
	out->hash = path_hash(plan->seed, &path);
	plan->has_local = true;
}

/* All names of the RRset in the order of its records; false when one is no name. */
static bool names_place(struct plan *plan, const struct rrset *rrset, unsigned owner_octets)
{
	size_t at = 0, place = 0;
	struct span rdata;

	while (rrset_next(rrset, &at, &rdata)) {
		struct reader r = reader_of(rdata);
		place += owner_octets + FIXED_OCTETS + rrset->name_at;
		reader_skip(&r, rrset->name_at);
		for (unsigned i = 0; i < rrset->name_count; i++, plan->count++) {
			struct rrset_target *target = &plan->targets[plan->count];
			struct placed *placed = &plan->placed[plan->count];
			if (!name_read_plain(&r, &placed->name)) return false;
			target_find(plan, placed->name, target);
			target_hash(plan, placed->name, target);
			placed->at = (uint16_t)place;
			placed->kept = place > POINTER_REACH ? 0 : target->kept;
			place += target->kept + (target->pointer ? POINTER_OCTETS : 0u);
		}
		place += reader_left(&r);
	}
	return at == rrset->data.len;
}

size_t plan_make(const struct rrset *rrset, struct name owner, struct name apex, uint64_t seed,
		 uint8_t *plan, bool *has_hashes)
{
	struct plan made = {.apex = apex, .above = owner, .seed = seed};
	uint8_t *p = plan;

	*has_hashes = false;
	if (rrset->name_count == 0 || rrset->count * rrset->name_count > PLAN_NAMES_MAX) return 0;
	if (name_is_wildcard(owner)) made.above = name_parent(owner);
	if (!names_place(&made, rrset, name_is_root(owner) ? 1 : POINTER_OCTETS)) return 0;
	assert(made.count == (size_t)rrset->count * rrset->name_count);
	for (size_t i = 0; i < made.count; i++) {
		const struct rrset_target *target = &made.targets[i];
		unsigned pointer = target->pointer | (target->is_local ? PLAN_LOCAL : 0u);
		if (made.has_local) {
			store_u64(p, target->hash);
			p += PLAN_HASH;
		}
		p[0] = target->kept;
		store_u16(p + 1, (uint16_t)pointer);
		p += PLAN_ENTRY;
	}
	*has_hashes = made.has_local;
	return (size_t)(p - plan);
}
