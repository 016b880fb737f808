/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/reply.h"

static bool is_service(uint16_t type)
{
	return type == RRTYPE_SVCB || type == RRTYPE_HTTPS;
}

/* RFC 9460 2.5.2: "." is the owner itself, but for an alias, which then leads nowhere. */
static bool is_own_service(uint16_t type, struct span rdata)
{
	struct reader r = reader_of(rdata);
	uint16_t priority = read_u16(&r);

	return is_service(type) && priority > 0 && read_u8(&r) == 0 && !r.failed;
}

/* Remembers the names that the RRset's data points at, within the zone and each once. */
static void collect_targets(struct reply *r, const struct rrset *rrset)
{
	struct span rdata;
	struct name target;
	size_t at = 0;

	while (rrset_next(rrset, &at, &rdata)) {
		size_t i = 0;
		if (is_own_service(rrset->type, rdata))
			target = r->qname;
		else if (!rdata_additional_name(rrset->type, rdata, &target))
			continue;
		if (!name_is_below(target, view_apex(&r->zone->view))) continue;
		while (i < r->target_count && !name_equal(r->targets[i], target)) i++;
		if (i == ADDITIONAL_TARGETS_MAX) return;
		if (i == r->target_count) r->targets[r->target_count++] = target;
	}
}

void reply_rrset(struct reply *r, const struct node *node, const struct rrset *rrset)
{
	if (reply_require(r, SECTION_ANSWER, r->qname, node, rrset)) collect_targets(r, rrset);
}

static bool is_of_signer(uint16_t type)
{
	return type == RRTYPE_RRSIG || type == RRTYPE_NSEC || type == RRTYPE_NSEC3;
}

/* RFC 8482 4.1. */
static void reply_first_rrset(struct reply *r, const struct node *node)
{
	struct rrset_cursor cursor = {0};
	struct rrset first = {0};

	while (node_next_rrset(node, &cursor)) {
		if (r->qtype == RRTYPE_RRSIG && cursor.rrset.type != RRTYPE_RRSIG) continue;
		if (first.count == 0 || is_of_signer(first.type)) first = cursor.rrset;
		if (r->qtype == RRTYPE_RRSIG || !is_of_signer(first.type)) break;
	}
	if (first.count > 0) reply_require(r, SECTION_ANSWER, r->qname, node, &first);
}

void reply_rrsets(struct reply *r, const struct node *node)
{
	struct rrset_cursor cursor = {0};

	if (r->request->transport == TRANSPORT_UDP) {
		reply_first_rrset(r, node);
		return;
	}
	while (node_next_rrset(node, &cursor)) {
		bool is_signature = cursor.rrset.type == RRTYPE_RRSIG;
		if (r->qtype == RRTYPE_RRSIG && !is_signature) continue;
		/* They come beside what they cover. */
		if (r->qtype == RRTYPE_ANY && is_signature && r->dnssec_ok) continue;
		if (!reply_require(r, SECTION_ANSWER, r->qname, node, &cursor.rrset)) return;
		collect_targets(r, &cursor.rrset);
	}
}

void reply_negative(struct reply *r, enum rcode rcode)
{
	const struct view *view = &r->zone->view;
	struct node apex;
	struct rrset rrset;
	struct span rdata;
	struct soa soa;
	size_t at = 0;

	reply_prove_expansions(r);
	r->header.rcode = (uint16_t)rcode;
	if (!view_find_exact(view, view_apex(view), &apex) ||
	    !node_rrset(&apex, RRTYPE_SOA, &rrset) || !rrset_next(&rrset, &at, &rdata) ||
	    !soa_read(rdata, &soa)) {
		reply_damaged(r);
		return;
	}
	/* RFC 2308 3: how long the absence may be believed. */
	if (rrset.ttl > soa.minimum) rrset.ttl = soa.minimum;
	reply_require(r, SECTION_AUTHORITY, reply_owner(r, view_apex(view)), &apex, &rrset);
}

/*
 * Where the target's addresses stand: its own node, or the glue below a cut. A target
 * that a wildcard would stand for is left to the client to ask for.
 */
static bool find_addresses(const struct view *view, struct name target, struct node *out)
{
	struct view_lookup found;

	view_find(view, target, &found);
	*out = found.node;
	if (found.result == VIEW_EXACT) return true;
	return found.result == VIEW_CUT && view_find_exact(view, target, out);
}

void reply_additional(struct reply *r)
{
	/* RFC 9460 4.1: what an alias of a service leads to, too. */
	const uint16_t types[] = {RRTYPE_A, RRTYPE_AAAA, r->qtype};
	size_t type_count = is_service(r->qtype) ? 3 : 2;
	struct node node;
	struct rrset rrset;

	/* Which sets stand there already is then no longer known. */
	if (r->set_count == REPLY_SETS_MAX) return;
	for (size_t i = 0; i < r->target_count; i++) {
		if (!find_addresses(&r->zone->view, r->targets[i], &node)) continue;
		for (size_t t = 0; t < type_count; t++) {
			if (!node_rrset(&node, types[t], &rrset)) continue;
			reply_add(r, SECTION_ADDITIONAL, r->targets[i], &node, &rrset);
		}
	}
}
