/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/targets.h"

/* What stands at exactly one name. */
struct found {
	bool exists; /* records here or below */
	bool has_address, has_alias, has_dname, has_ns;
};

static struct found find(const struct records *set, struct name name)
{
	size_t i = records_seek(set, name, RRTYPE_SOA);
	struct found found = {0};

	if (i == set->count || !name_is_below(records_get(set, i).owner, name)) return found;
	found.exists = true;
	for (; i < set->count; i++) {
		struct record record = records_get(set, i);
		if (!name_equal(record.owner, name)) break;
		found.has_address |= record.type == RRTYPE_A || record.type == RRTYPE_AAAA;
		found.has_alias |= record.type == RRTYPE_CNAME;
		found.has_dname |= record.type == RRTYPE_DNAME;
		found.has_ns |= record.type == RRTYPE_NS;
	}
	return found;
}

static enum target judge_node(struct found found)
{
	if (found.has_address) return TARGET_GOOD;
	return found.has_alias ? TARGET_ALIAS : TARGET_NO_ADDRESS;
}

/* The way from the apex down to a name that has no address itself, as a query for it goes (RFC 1034
 * 4.3.2). */
static enum target judge_downwards(const struct records *set, struct name apex, struct name owner,
				   struct name name)
{
	unsigned below = name_label_count(name) - name_label_count(apex);
	struct name encloser = apex;

	for (unsigned up = below; up > 0; up--) {
		struct name at = name_without_labels(name, up - 1);
		struct found found = find(set, at);
		if (!found.exists) {
			struct name_buffer wildcard;
			if (name_wildcard_child(encloser, &wildcard))
				found = find(set, name_of(&wildcard));
			return found.exists ? judge_node(found) : TARGET_MISSING;
		}
		if (found.has_ns) return name_is_below(owner, at) ? TARGET_NO_GLUE : TARGET_GOOD;
		if (found.has_dname && up > 1) return TARGET_ALIAS;
		if (up == 1) return judge_node(found);
		encloser = at;
	}
	return judge_node(find(set, apex));
}

static unsigned slot_of(struct name name)
{
	unsigned sum = name.len;

	for (unsigned i = 0; i < name.len; i++) sum = sum * 31 + name.wire[i];
	return (sum ^ sum >> 8 ^ sum >> 16) % TARGETS_KEPT;
}

enum target target_judge(struct targets *targets, struct name owner, struct name name)
{
	if (name_is_root(name) || !name_is_below(name, targets->apex)) return TARGET_GOOD;

	struct name *kept = &targets->kept[slot_of(name)];
	if (kept->len && name_equal(*kept, name)) return TARGET_GOOD;
	if (find(targets->set, name).has_address) {
		*kept = name;
		return TARGET_GOOD;
	}
	return judge_downwards(targets->set, targets->apex, owner, name);
}
