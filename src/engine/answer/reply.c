/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/reply.h"

enum { SOA_OCTETS_MAX = 2 * NAME_OCTETS_MAX + 5 * 4 };

void reply_fail(struct reply *r, enum rcode rcode, enum ede ede, const char *text)
{
	r->header.rcode = (uint16_t)rcode;
	r->ede = ede;
	r->ede_text = text;
}

void reply_damaged(struct reply *r)
{
	message_truncate(&r->mw);
	r->target_count = 0;
	r->header.aa = false;
	reply_fail(r, RCODE_SERVFAIL, EDE_OTHER, "the zone's image is damaged");
}

void reply_truncate(struct reply *r)
{
	message_truncate(&r->mw);
	r->target_count = 0;
	r->header.tc = true;
}

static bool add_records(struct reply *r, enum section section, struct name owner,
			const struct rrset *rrset)
{
	struct record record = {
		.owner = owner, .type = rrset->type, .class = CLASS_IN, .ttl = rrset->ttl};
	size_t at = 0;

	while (rrset_next(rrset, &at, &record.rdata)) {
		if (!message_add_record(&r->mw, section, &record)) return false;
	}
	/* Half an RRset would be a lie (RFC 2181 5). */
	if (at < rrset->data.len) reply_damaged(r);
	return true;
}

/* RFC 4034 3: signatures have the TTL of what they cover, a lowered one too. */
static bool add_signatures(struct reply *r, enum section section, struct name owner,
			   const struct node *node, const struct rrset *rrset)
{
	struct rrset signatures;

	if (!r->dnssec_ok || !node_signatures(node, rrset->type, &signatures)) return true;
	signatures.ttl = rrset->ttl;
	return add_records(r, section, owner, &signatures);
}

bool reply_add(struct reply *r, enum section section, struct name owner, const struct node *node,
	       const struct rrset *rrset)
{
	struct message_mark mark = message_mark(&r->mw);

	if (!add_records(r, section, owner, rrset) ||
	    !add_signatures(r, section, owner, node, rrset)) {
		message_rewind(&r->mw, &mark);
		return false;
	}
	if (r->set_count < REPLY_SETS_MAX && name_equal(owner, node->owner))
		r->sets[r->set_count++] =
			(struct reply_set){.node = node->octets, .type = rrset->type};
	return true;
}

bool reply_require(struct reply *r, enum section section, struct name owner,
		   const struct node *node, const struct rrset *rrset)
{
	if (reply_add(r, section, owner, node, rrset)) return true;
	reply_truncate(r);
	return false;
}

bool reply_has(const struct reply *r, const struct node *node, uint16_t type)
{
	for (size_t i = 0; i < r->set_count; i++) {
		const struct reply_set *set = &r->sets[i];
		if (set->node == node->octets && set->type == type) return true;
	}
	return false;
}

struct name reply_owner(const struct reply *r, struct name ancestor)
{
	unsigned above = name_label_count(r->qname) - name_label_count(ancestor);

	return name_without_labels(r->qname, above);
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
