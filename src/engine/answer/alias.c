/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/reply.h"

/* The alias' target becomes qname, if no step has been there and there are steps left. */
static bool move_to(struct reply *r, struct name target)
{
	if (r->step == ALIAS_STEPS_MAX) return false;
	for (unsigned i = 0; i <= r->step; i++) {
		if (name_equal(name_of(&r->names[i]), target)) return false;
	}
	r->step++;
	name_copy(&r->names[r->step], target);
	r->qname = name_of(&r->names[r->step]);
	return true;
}

/* The name that the first record consists of. */
static bool alias_target(const struct rrset *rrset, struct name *target)
{
	struct span rdata;
	size_t at = 0;

	if (!rrset_next(rrset, &at, &rdata)) return false;
	struct reader reader = reader_of(rdata);
	return name_read_plain(&reader, target);
}

bool reply_follow_cname(struct reply *r, const struct node *node, const struct rrset *cname)
{
	struct name target;

	if (!alias_target(cname, &target)) {
		reply_damaged(r);
		return false;
	}
	return reply_require(r, SECTION_ANSWER, r->qname, node, cname) && move_to(r, target);
}

/* RFC 6672 2.2: `target` in place of `owner` at the end of qname; false when it is too long. */
static bool substitute(struct name qname, struct name owner, struct name target,
		       struct name_buffer *out)
{
	size_t prefix_len = (size_t)(qname.len - owner.len);

	if (prefix_len + target.len > NAME_OCTETS_MAX) return false;
	memcpy(out->wire, qname.wire, prefix_len);
	memcpy(out->wire + prefix_len, target.wire, target.len);
	out->len = (uint8_t)(prefix_len + target.len);
	return true;
}

bool reply_follow_dname(struct reply *r, const struct node *node)
{
	struct rrset dname;
	struct name target;
	struct name_buffer substituted;

	if (!node_rrset(node, RRTYPE_DNAME, &dname) || !alias_target(&dname, &target)) {
		reply_damaged(r);
		return false;
	}
	struct name owner = reply_owner(r, node->owner);
	if (!reply_require(r, SECTION_ANSWER, owner, node, &dname)) return false;
	if (!substitute(r->qname, owner, target, &substituted)) {
		r->header.rcode = RCODE_YXDOMAIN;
		return false;
	}
	/* RFC 6672 3.1: for clients that do not know DNAME, with its TTL; nobody signs it. */
	struct record cname = {.owner = r->qname,
			       .type = RRTYPE_CNAME,
			       .class = CLASS_IN,
			       .ttl = dname.ttl,
			       .rdata = span_of(substituted.wire, substituted.len)};
	if (!reply_require_record(r, SECTION_ANSWER, &cname)) return false;
	if (r->qtype == RRTYPE_CNAME || r->qtype == RRTYPE_ANY) return false;
	return move_to(r, name_of(&substituted));
}
