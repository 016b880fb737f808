/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/reply.h"

/* The primary that the request comes from; false when it is none of the zone's. */
static bool find_primary(struct reply *r, const struct zone_policy *policy, size_t *primary)
{
	for (*primary = 0; *primary < policy->primary_count; (*primary)++) {
		const struct access_item item = {.remote = policy->primaries[*primary]};
		const struct access_list list = {&item, 1};
		struct access_verdict verdict = access_check(&list, &r->requester);
		if (verdict.allowed) return true;
		if (!r->result->remote_without_key)
			r->result->remote_without_key = verdict.remote_without_key;
	}
	return false;
}

/*
 * RFC 1996 3. Whether the zone answers at the moment does not matter: one that is not
 * loaded or has expired needs the news most.
 */
void reply_notify(struct reply *r)
{
	const struct question *question = &r->result->query.message.question;
	struct answer_notify *notify = &r->result->notify;
	const struct publication *zone;

	if (question->class != CLASS_IN || question->type != RRTYPE_SOA) {
		reply_fail(r, RCODE_FORMERR, EDE_NOT_SUPPORTED, "NOTIFY is about IN SOA");
		return;
	}
	if (!(zone = reply_exact_zone(r))) return;
	if (!find_primary(r, zone->policy, &notify->primary)) {
		reply_fail(r, RCODE_REFUSED, EDE_PROHIBITED, "not from a primary of this zone");
		return;
	}
	r->result->remote_without_key = NULL;
	r->header.aa = true;
	notify->received = true;
	/* RFC 1996 3.7: the primary may tell its SOA, which is no more than a hint. */
	notify->has_serial = reply_request_serial(r, SECTION_ANSWER, &notify->serial);
}
