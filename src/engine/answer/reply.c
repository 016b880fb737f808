/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/reply.h"

enum { SOA_OCTETS_MAX = 2 * NAME_OCTETS_MAX + 5 * 4 };

void reply_fail(struct reply *r, enum rcode rcode, enum ede ede, const char *text)
{
	r->header.rcode = (uint16_t)rcode;
	r->ede = ede;
	r->ede_text = text;
}

static void rewind_to(struct reply *r, const struct message_mark *mark)
{
	message_rewind(&r->mw, mark);
	answer_names_rewind(r->names_written, mark->len);
}

static void take_back(struct reply *r)
{
	message_truncate(&r->mw);
	answer_names_rewind(r->names_written, r->mw.w.len);
	r->target_count = 0;
	r->closed = true;
}

void reply_damaged(struct reply *r)
{
	take_back(r);
	r->header.aa = r->header.tc = false;
	reply_fail(r, RCODE_SERVFAIL, EDE_OTHER, "the zone's image is damaged");
}

void reply_truncate(struct reply *r)
{
	take_back(r);
	r->header.tc = true;
}

/* Nothing points at an owner that is a wildcard, only at what it stands below. */
static struct name source_below(struct name owner)
{
	return name_is_wildcard(owner) ? name_parent(owner) : owner;
}

bool reply_require_record(struct reply *r, enum section section, const struct record *record)
{
	if (r->closed) return false;
	if (answer_names_add(r->names_written, &r->mw, section, record, source_below(record->owner),
			     true))
		return true;
	reply_truncate(r);
	return false;
}

/*
 * What of `owner` is the node's own name, or for a wildcard's node the name that it stands
 * below; false when the node is another's.
 */
static bool source_of(struct name owner, const struct node *node, struct name *source)
{
	*source = source_below(owner);
	if (name_equal(owner, node->owner)) return true;
	if (!name_is_wildcard(node->owner)) return false;
	struct name encloser = name_parent(node->owner);
	if (!name_is_below(owner, encloser)) return false;
	*source = (struct name){owner.wire + owner.len - encloser.len, encloser.len};
	return true;
}

/* How many records of the RRset stand behind all others. */
static unsigned turned(const struct reply *r, const struct rrset *rrset)
{
	if (!r->zone->policy || r->zone->policy->rotate == SWITCH_NO || rrset->count == 0 ||
	    rrset->type == RRTYPE_RRSIG)
		return 0;
	return r->request->turn % rrset->count;
}

static bool add_records(struct reply *r, enum section section, struct name owner,
			const struct node *node, const struct rrset *rrset)
{
	struct record record = {
		.owner = owner, .type = rrset->type, .class = CLASS_IN, .ttl = rrset->ttl};
	struct name source;
	unsigned first = turned(r, rrset), index = 0;
	size_t at = 0;
	bool is_first = true;

	if (!source_of(owner, node, &source)) {
		reply_damaged(r);
		return false;
	}
	for (; rrset_next(rrset, &at, &record.rdata); index++) {
		if (index < first) continue;
		if (!answer_names_add(r->names_written, &r->mw, section, &record, source, is_first))
			return false;
		is_first = false;
	}
	if (at != rrset->data.len || is_first) {
		reply_damaged(r); /* half an RRset would be a lie (RFC 2181 5) */
		return false;
	}
	for (at = index = 0; index < first && rrset_next(rrset, &at, &record.rdata); index++) {
		if (!answer_names_add(r->names_written, &r->mw, section, &record, source, false))
			return false;
	}
	return true;
}

/* RFC 4034 3: signatures have the TTL of what they cover, a lowered one too. */
static bool add_signatures(struct reply *r, enum section section, struct name owner,
			   const struct node *node, const struct rrset *rrset)
{
	struct rrset signatures;

	if (!r->dnssec_ok || !node_signatures(node, rrset->type, &signatures)) return true;
	signatures.ttl = rrset->ttl;
	return add_records(r, section, owner, node, &signatures);
}

/* The RRset of this node stands in the response already. */
static bool has_set(const struct reply *r, const struct node *node, const struct rrset *rrset)
{
	for (size_t i = 0; i < r->set_count; i++) {
		const struct reply_set *set = &r->sets[i];
		if (set->node == node->octets && set->type == rrset->type &&
		    set->covered == rrset->covered)
			return true;
	}
	return false;
}

bool reply_add(struct reply *r, enum section section, struct name owner, const struct node *node,
	       const struct rrset *rrset)
{
	struct message_mark mark = message_mark(&r->mw);

	if (r->closed) return false;
	if (name_equal(owner, node->owner) && has_set(r, node, rrset)) return true;
	if (!add_records(r, section, owner, node, rrset) ||
	    !add_signatures(r, section, owner, node, rrset)) {
		if (!r->closed) rewind_to(r, &mark);
		return false;
	}
	if (r->set_count < REPLY_SETS_MAX && name_equal(owner, node->owner))
		r->sets[r->set_count++] =
			(struct reply_set){node->octets, rrset->type, rrset->covered};
	return true;
}

bool reply_require(struct reply *r, enum section section, struct name owner,
		   const struct node *node, const struct rrset *rrset)
{
	if (reply_add(r, section, owner, node, rrset)) return true;
	if (!r->closed) reply_truncate(r);
	return false;
}

struct name reply_owner(const struct reply *r, struct name ancestor)
{
	if (!name_is_below(r->qname, ancestor)) return name_root();
	return (struct name){r->qname.wire + r->qname.len - ancestor.len, ancestor.len};
}

bool reply_request_serial(const struct reply *r, enum section section, uint32_t *serial)
{
	const struct message *message = &r->result->query.message;
	struct message_cursor cursor = message_cursor_of(message);
	struct message_record record;
	uint8_t octets[SOA_OCTETS_MAX];
	struct writer w = writer_of(octets, sizeof octets);
	struct record expanded;
	struct soa soa;

	do {
		if (!message_next_record(&cursor, &record) || record.section > section)
			return false;
	} while (record.section < section);
	if (record.type != RRTYPE_SOA || record.class != CLASS_IN) return false;
	if (!name_equal(name_of(&record.owner), name_of(&r->names[0]))) return false;
	if (message_expand_record(message, &record, &w, &expanded, NULL) != OK) return false;
	if (!soa_read(expanded.rdata, &soa)) return false;
	*serial = soa.serial;
	return true;
}
