/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/reply.h"

bool reply_is_allowed(struct reply *r, const struct access_list *list)
{
	struct access_verdict verdict = access_check(list, &r->requester);

	if (verdict.allowed) return true;
	r->result->remote_without_key = verdict.remote_without_key;
	reply_fail(r, RCODE_REFUSED, EDE_PROHIBITED, "not allowed to this address or key");
	return false;
}

static bool zone_is_usable(const struct reply *r, const struct publication *zone)
{
	return publication_is_loaded(zone) && !publication_is_expired(zone, r->request->now);
}

bool reply_zone_is_usable(struct reply *r, const struct publication *zone)
{
	if (!publication_is_loaded(zone))
		reply_fail(r, RCODE_SERVFAIL, EDE_NOT_READY, "the zone is not loaded yet");
	else if (!zone_is_usable(r, zone))
		reply_fail(r, RCODE_SERVFAIL, EDE_INVALID_DATA, "the zone has expired");
	return zone_is_usable(r, zone);
}

/*
 * RFC 4035 3.1.4.1: DS is asked of the parent, if it is served here and delegates the
 * name; otherwise the child says that it has none.
 */
static struct publication *parent_for_ds(const struct reply *r, struct publication *child)
{
	struct view_lookup found;

	if (r->qtype != RRTYPE_DS || name_is_root(r->qname)) return child;
	struct publication *parent = directory_find(r->server->directory, name_parent(r->qname));
	if (!parent || !zone_is_usable(r, parent)) return child;
	view_find(&parent->view, r->qname, &found);
	if (found.result != VIEW_CUT || !name_equal(found.node.owner, r->qname)) return child;
	return parent;
}

/* An alias leads into another zone: nothing is said about one that may not be used. */
static bool follow_into_zone(struct reply *r, const struct publication *zone)
{
	if (!zone || !zone_is_usable(r, zone)) return false;
	r->zone = zone;
	return access_check(&zone->policy->allow_query, &r->requester).allowed;
}

bool reply_choose_zone(struct reply *r)
{
	struct publication *zone = directory_find(r->server->directory, r->qname);

	if (zone) zone = parent_for_ds(r, zone);
	if (r->step > 0) return follow_into_zone(r, zone);
	r->result->zone = zone;
	r->zone = zone;
	if (!zone) {
		reply_fail(r, RCODE_REFUSED, EDE_NOT_AUTHORITATIVE, "no zone of ours");
		return false;
	}
	return reply_is_allowed(r, &zone->policy->allow_query) && reply_zone_is_usable(r, zone);
}

const struct publication *reply_exact_zone(struct reply *r)
{
	struct publication *zone = directory_find_exact(r->server->directory, r->qname);

	r->result->zone = zone;
	r->zone = zone;
	if (!zone) reply_fail(r, RCODE_NOTAUTH, EDE_NOT_AUTHORITATIVE, "no zone of ours");
	return zone;
}
