/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/reply.h"

#include <assert.h>

enum {
	TSIG_FIXED_OCTETS = 10 + 16, /* the record's and its data's fields of fixed length */
	TSIG_OTHER_OCTETS = 6,       /* our time, with BADTIME */
	QUESTION_FIXED_OCTETS = 4,   /* type and class */
};

/*
 * What the node says about qname; true when it is an alias and the search goes on.
 * `encloser` is that of a wildcard's node, else NULL.
 */
static bool answer_at(struct reply *r, const struct node *node, const struct name *encloser)
{
	struct rrset rrset;
	bool all = (r->qtype == RRTYPE_ANY && !node->is_empty);

	r->header.aa = true;
	if (all || node_rrset(node, r->qtype, &rrset)) {
		if (encloser) reply_note_expansion(r, *encloser);
		if (all || r->qtype == RRTYPE_RRSIG)
			reply_rrsets(r, node);
		else
			reply_rrset(r, node, &rrset);
		return false;
	}
	if (node_rrset(node, RRTYPE_CNAME, &rrset)) {
		if (encloser) reply_note_expansion(r, *encloser);
		return reply_follow_cname(r, node, &rrset);
	}
	reply_negative(r, RCODE_NOERROR);
	if (encloser)
		reply_prove_no_type_of_wildcard(r, *encloser, node);
	else
		reply_prove_no_type(r, r->qname, node);
	return false;
}

/* RFC 5155 7.2.8: the owner of an NSEC3 and of nothing else is no name of the zone. */
static bool is_only_hash(const struct node *node)
{
	struct rrset_cursor cursor = {0};
	struct rrset nsec3;

	if (node->is_apex || node->has_wildcard_child) return false;
	if (!node_rrset(node, RRTYPE_NSEC3, &nsec3)) return false;
	while (node_next_rrset(node, &cursor))
		if (cursor.rrset.type != RRTYPE_NSEC3 && cursor.rrset.covered != RRTYPE_NSEC3)
			return false;
	return true;
}

/* view_find, but that owners of NSEC3 are not there: their closest encloser is the apex. */
static void find_name(const struct view *view, struct name name, struct view_lookup *found)
{
	struct name_buffer wildcard;

	view_find(view, name, found);
	const struct node *hash = found->result == VIEW_EXACT ? &found->node : &found->encloser;
	if (found->result != VIEW_EXACT && found->result != VIEW_NOTHING) return;
	if (!is_only_hash(hash)) return;
	found->result = VIEW_DAMAGED;
	if (!view_find_exact(view, view_apex(view), &found->encloser)) return;
	found->result = VIEW_NOTHING;
	if (!found->encloser.has_wildcard_child) return;
	if (name_wildcard_child(view_apex(view), &wildcard) &&
	    view_find_exact(view, name_of(&wildcard), &found->node))
		found->result = VIEW_WILDCARD;
}

/* RFC 1034 4.3.2 as RFC 4592 and RFC 6672 left it: from the zone nearest to qname downwards. */
static void answer_query(struct reply *r)
{
	struct view_lookup found;
	struct name encloser;

	while (reply_choose_zone(r)) {
		find_name(&r->zone->view, r->qname, &found);
		switch (found.result) {
		case VIEW_CUT:
			/* RFC 4035 3.1.4.1: DS is the parent's data at the cut itself. */
			if (r->qtype == RRTYPE_DS && name_equal(found.node.owner, r->qname))
				answer_at(r, &found.node, NULL);
			else
				reply_referral(r, &found.node);
			return;
		case VIEW_DNAME:
			r->header.aa = true;
			if (!reply_follow_dname(r, &found.node)) return;
			break;
		case VIEW_EXACT:
			if (!answer_at(r, &found.node, NULL)) return;
			break;
		case VIEW_WILDCARD:
			encloser = reply_owner(r, found.encloser.owner);
			if (!answer_at(r, &found.node, &encloser)) return;
			break;
		case VIEW_NOTHING:
			r->header.aa = true;
			reply_negative(r, RCODE_NXDOMAIN);
			reply_prove_no_name(r, reply_owner(r, found.encloser.owner));
			return;
		case VIEW_OUTSIDE:
		case VIEW_DAMAGED: reply_damaged(r); return;
		}
	}
}

static void answer_question(struct reply *r)
{
	uint16_t class = r->result->query.message.question.class;

	if (r->header.opcode == OPCODE_NOTIFY) {
		reply_notify(r);
	} else if (r->header.opcode != OPCODE_QUERY) {
		r->header.rcode = RCODE_NOTIMP;
	} else if (class == CLASS_CH) {
		reply_chaos(r);
	} else if (class != CLASS_IN) {
		reply_fail(r, RCODE_REFUSED, EDE_NOT_AUTHORITATIVE, "no zone of this class");
	} else if (r->qtype == RRTYPE_AXFR || r->qtype == RRTYPE_IXFR) {
		reply_transfer(r);
	} else {
		answer_query(r);
		reply_prove_expansions(r);
		reply_additional(r);
	}
}

/* RFC 8945 5.2: who signed it; false when the request is not to be obeyed. */
static bool signature_is_good(struct reply *r)
{
	struct answer *result = r->result;
	const struct query *query = &result->query;

	if (!query->tsig.present) return true;
	result->tsig = tsig_verify_request(r->server->crypto, r->signing_key, &query->message,
					   &query->tsig, r->request->now_unix_s);
	switch (result->tsig.verdict) {
	case TSIG_OK: result->key = r->requester.key = r->signing_key; return true;
	case TSIG_NONE:
	case TSIG_FORMERR: r->header.rcode = RCODE_FORMERR; return false;
	case TSIG_FAILED: r->header.rcode = RCODE_SERVFAIL; return false;
	case TSIG_BADKEY:
	case TSIG_BADSIG:
	case TSIG_BADTIME:
	case TSIG_BADTRUNC: r->header.rcode = RCODE_NOTAUTH; return false;
	}
	return false;
}

/* Octets of the TSIG that the response will carry, at most. */
static size_t signature_octets(const struct reply *r)
{
	const struct tsig *tsig = &r->result->query.tsig;

	if (!tsig->present) return 0;
	if (r->signing_key) return tsig_octets(r->signing_key);
	return TSIG_FIXED_OCTETS + TSIG_OTHER_OCTETS + (size_t)tsig->key_name.len +
	       tsig->algorithm.len;
}

/*
 * What the client takes (RFC 6891 6.2.3, 6.2.5). The question, OPT and TSIG go out in
 * any case: who asked with as much takes as much.
 */
static size_t reply_octets_max(const struct reply *r, size_t always)
{
	const struct edns *edns = &r->result->query.edns;
	size_t octets = edns->present ? edns->udp_size : UDP_OCTETS_MIN;

	if (r->request->transport != TRANSPORT_UDP) return MESSAGE_OCTETS_MAX;
	if (octets > UDP_OCTETS_MAX) octets = UDP_OCTETS_MAX;
	return octets > always ? octets : always;
}

/* The message with its question, and room kept for what comes last. */
static void begin(struct reply *r, struct writer *out)
{
	const struct query *query = &r->result->query;
	size_t tsig = signature_octets(r);
	size_t always = HEADER_OCTETS + QUESTION_FIXED_OCTETS + (size_t)r->qname.len + tsig;

	if (query->edns.present) always += OPT_OCTETS;
	size_t octets_max = reply_octets_max(r, always);
	assert(out->cap >= octets_max);
	query_begin_response(query, &r->mw, out->ptr, octets_max);
	answer_names_begin(r->names_written, name_of(&r->names[0]));
	bool fits = message_reserve(&r->mw, tsig);
	assert(fits);
	(void)fits;
	reply_reserve_options(r);
}

static void finish(struct reply *r, struct writer *out)
{
	const struct query *query = &r->result->query;

	reply_write_options(r);
	r->result->rcode = r->header.rcode;
	r->result->truncated = r->header.tc;
	message_finish(&r->mw, &r->header);
	if (query->tsig.present &&
	    tsig_sign_response(r->server->crypto, r->signing_key, &query->tsig,
			       r->result->tsig.verdict, r->request->now_unix_s, &r->mw.w) != OK)
		r->result->kind = ANSWER_SILENCE;
	else
		out->len = r->mw.w.len;
}

/* The question's name; the root stands where there is none. */
static void take_question(struct reply *r)
{
	const struct message *message = &r->result->query.message;

	name_copy(&r->names[0],
		  message->has_question ? name_of(&message->question.name) : name_root());
	r->qname = name_of(&r->names[0]);
	if (message->has_question) r->qtype = message->question.type;
}

static void answer_request(struct reply *r, struct writer *out)
{
	struct query *query = &r->result->query;
	const struct answer_server *server = r->server;

	/* RFC 8945 5.2: a signature counts in a message that was understood as a whole. */
	if (query->rcode == RCODE_FORMERR) query->tsig.present = false;
	r->requester = (struct requester){r->request->address, r->request->transport, NULL};
	if (query->tsig.present)
		r->signing_key = tsig_key_find(server->keys, server->key_count, &query->tsig);
	r->header = query_response_header(query);
	r->dnssec_ok = query->edns.present && query->edns.dnssec_ok;
	take_question(r);
	begin(r, out);
	if (signature_is_good(r) && query->verdict == QUERY_OK) answer_question(r);
	if (r->result->kind == ANSWER_REPLY) finish(r, out);
}

void answer(const struct answer_server *server, const struct answer_request *request,
	    struct writer *out, struct answer *result)
{
	struct answer_names names;
	struct reply r = {
		.server = server, .request = request, .result = result, .names_written = &names};

	memset(result, 0, offsetof(struct answer, query));
	result->tsig.verdict = TSIG_NONE;
	out->len = 0;
	if (query_parse(request->wire, &result->query) == QUERY_IGNORE)
		result->kind = ANSWER_SILENCE;
	else
		answer_request(&r, out);
}
