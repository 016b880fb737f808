/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/reply.h"

/* RFC 1995 2, 4: "this is the version there is": the whole answer is our SOA. */
static void reply_soa(struct reply *r)
{
	struct node apex;
	struct rrset soa;

	if (!view_find_exact(&r->zone->view, view_apex(&r->zone->view), &apex) ||
	    !node_rrset(&apex, RRTYPE_SOA, &soa)) {
		reply_damaged(r);
		return;
	}
	r->header.aa = true;
	reply_require(r, SECTION_ANSWER, r->qname, &apex, &soa);
}

/*
 * AXFR (RFC 5936 2.2) and IXFR (RFC 1995 2). Over UDP there is no AXFR, and the answer
 * to IXFR is our SOA, from which the client sees whether to come over TCP. Over TCP an
 * old client gets the whole zone.
 */
void reply_transfer(struct reply *r)
{
	bool over_udp = r->request->transport == TRANSPORT_UDP;
	bool incremental = r->qtype == RRTYPE_IXFR;
	uint32_t serial = 0;

	if (over_udp && !incremental) {
		reply_fail(r, RCODE_FORMERR, EDE_NOT_SUPPORTED, "AXFR goes over TCP");
		return;
	}
	if (incremental && !reply_request_serial(r, SECTION_AUTHORITY, &serial)) {
		reply_fail(r, RCODE_FORMERR, EDE_OTHER, "IXFR tells the client's SOA");
		return;
	}
	const struct publication *zone = reply_exact_zone(r);
	if (!zone || !reply_is_allowed(r, &zone->policy->allow_transfer)) return;
	if (!reply_zone_is_usable(r, zone)) return;
	if (incremental && (over_udp || !serial_newer(view_serial(&zone->view), serial)))
		reply_soa(r);
	else
		r->result->kind = ANSWER_TRANSFER;
}
