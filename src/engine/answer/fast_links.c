/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/fast_links.h"

/* A name that stands in the message: its first octets, the others by a pointer. */
struct written {
	struct name name;
	uint16_t at;
	uint8_t kept;
};

/* What is written of an owner (0013): octets of its own, then a pointer or the root. */
struct owner {
	uint8_t kept;
	struct fast_owner end;
};

/* The last octets of `name` are `end`, a name, and begin with a label. */
static bool ends_with(struct name name, struct name end)
{
	unsigned at = (unsigned)name.len - end.len, start = 0;

	if (name.len < end.len || !name_equal((struct name){name.wire + at, end.len}, end))
		return false;
	while (start < at) start += name.wire[start] + 1u;
	return start == at;
}

/* Rule 2: the name begins among the octets that are kept there. */
static bool begins_in(const struct written *place, struct name name, struct owner *out)
{
	unsigned from = (unsigned)place->name.len - name.len;

	if (place->name.len < name.len || from >= place->kept) return false;
	if (!ends_with(place->name, name)) return false;
	*out = (struct owner){.end = fast_owner_at(place->at + from)};
	return true;
}

/* Rules 1 and 3: as much of its end as the question has. */
static struct owner owner_in_question(const struct fast *f, struct name name)
{
	struct name asked = {f->lower, f->name_len}, end = name;

	while (!ends_with(asked, end)) end = name_parent(end);
	return (struct owner){.kept = (uint8_t)(name.len - end.len),
			      .end = fast_owner_in_question(asked.len, end.len)};
}

static struct owner owner_find(const struct fast *f, struct name name, const struct fast_target *t,
			       unsigned target_count, const struct written *links,
			       unsigned link_count)
{
	struct owner owner = owner_in_question(f, name);

	if (owner.kept == 0) return owner;
	for (unsigned i = 0; i < target_count; i++) {
		struct written place = {t[i].name, t[i].at, t[i].kept};
		if (begins_in(&place, name, &owner)) return owner;
	}
	for (unsigned i = 0; i < link_count; i++)
		if (begins_in(&links[i], name, &owner)) return owner;
	return owner;
}

/* The link and its signatures; there is one record of a type that makes a chain. */
static bool link_write(struct fast_out *out, const struct node *node, uint16_t type,
		       const struct owner *owner)
{
	struct fast_owner again = owner->kept ? fast_owner_at(out->len) : owner->end;
	struct rrset set, signatures;

	if (!node_rrset(node, type, &set) || set.count != 1) return false;
	if (owner->kept > out->max - out->len) return false;
	fast_copy_few(out->start + out->len, node->owner.wire, owner->kept);
	out->len += owner->kept;
	if (!fast_write_plain(out, SECTION_AUTHORITY, owner->end, &set, set.ttl)) return false;
	if (!node_signatures(node, type, &signatures)) return true;
	return fast_write_plain(out, SECTION_AUTHORITY, again, &signatures, set.ttl);
}

bool fast_links_write(struct fast_out *out, const struct fast *f, const struct denial *d,
		      const struct fast_target *before, unsigned before_count)
{
	struct written places[DENIAL_LINKS_MAX];

	for (unsigned i = 0; i < d->link_count; i++) {
		const struct node *node = &d->links[i];
		struct owner owner = owner_find(f, node->owner, before, before_count, places, i);
		places[i] = (struct written){node->owner, (uint16_t)out->len, owner.kept};
		if (!link_write(out, node, d->type, &owner)) return false;
	}
	return true;
}
