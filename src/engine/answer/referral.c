/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/reply.h"

/* The addresses of one name server as they stand in this zone; false when some do not fit. */
static bool add_glue(struct reply *r, struct name server)
{
	static const uint16_t types[] = {RRTYPE_A, RRTYPE_AAAA};
	struct node node;
	struct rrset rrset;
	bool complete = true;

	if (!view_find_exact(&r->zone->view, server, &node)) return true;
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		if (!node_rrset(&node, types[i], &rrset)) continue;
		if (!reply_add(r, SECTION_ADDITIONAL, server, &node, &rrset)) complete = false;
	}
	return complete;
}

/* Glue for the servers below the cut, or for the others that lie in this zone. */
static bool add_glue_of(struct reply *r, const struct node *cut, const struct rrset *ns,
			bool in_domain)
{
	struct span rdata;
	struct name server;
	bool complete = true;
	unsigned siblings = 0;
	size_t at = 0;

	while (rrset_next(ns, &at, &rdata)) {
		struct reader reader = reader_of(rdata);
		if (!name_read_plain(&reader, &server)) continue;
		if (!name_is_below(server, view_apex(&r->zone->view))) continue;
		if (name_is_below(server, cut->owner) != in_domain) continue;
		if (!in_domain && siblings++ == ADDITIONAL_TARGETS_MAX) break;
		if (!add_glue(r, server)) complete = false;
		if (!complete && in_domain) return false;
	}
	return complete;
}

/*
 * RFC 1034 4.3.2 step 3b, with DS or the proof that there is none (RFC 4035 3.1.4). RFC 9471
 * 3: all glue of servers below the cut, or TC; that of its siblings as far as it fits. With
 * TC what fitted stays: it is enough to go on.
 */
void reply_referral(struct reply *r, const struct node *cut)
{
	struct name owner = reply_owner(r, cut->owner);
	struct rrset ns, ds;

	reply_prove_expansions(r);
	if (!node_rrset(cut, RRTYPE_NS, &ns)) {
		reply_damaged(r);
		return;
	}
	if (!reply_require(r, SECTION_AUTHORITY, owner, cut, &ns)) return;
	if (r->dnssec_ok && node_rrset(cut, RRTYPE_DS, &ds))
		reply_require(r, SECTION_AUTHORITY, owner, cut, &ds);
	else
		reply_prove_no_type(r, owner, cut);
	if (r->closed) return;
	if (add_glue_of(r, cut, &ns, true))
		add_glue_of(r, cut, &ns, false);
	else
		r->header.tc = true;
}
