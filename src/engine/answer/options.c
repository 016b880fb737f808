/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/reply.h"

#include <assert.h>

enum { KEEPALIVE_OCTETS = 2 };

/* False when the option has no place: then it is not told. */
static bool reserve(struct reply *r, size_t value_len)
{
	if (!message_reserve(&r->mw, OPTION_HEAD_OCTETS + value_len)) return false;
	r->options.octets += OPTION_HEAD_OCTETS + value_len;
	return true;
}

/* RFC 7873 5.2: whoever shows a cookie gets a good one, whatever is said besides. */
static void cookie_look(struct reply *r)
{
	const struct edns *edns = &r->result->query.edns;
	const struct cookie_secrets *secrets = &r->server->cookie_secrets;

	if (secrets->count == 0 || !edns_has(edns, EDNS_SLOT_COOKIE)) return;
	r->result->cookie_is_good = cookie_is_good(secrets, edns->values[EDNS_SLOT_COOKIE],
						   &r->request->address, r->request->now_unix_s);
	r->options.cookie = reserve(r, COOKIE_OCTETS);
}

void reply_reserve_options(struct reply *r)
{
	const struct edns *edns = &r->result->query.edns;
	const struct answer_server *server = r->server;

	if (!edns->present) return;
	bool fits = message_reserve(&r->mw, OPT_OCTETS);
	assert(fits); /* the caller gave it place */
	(void)fits;
	r->options.octets = OPT_OCTETS;
	if (edns->version != EDNS_VERSION) return; /* its options were not read */
	if (server->name && edns_has(edns, EDNS_SLOT_NSID))
		r->options.nsid = reserve(r, strlen(server->name));
	cookie_look(r);
	/* RFC 7828 3.2.1, 3.3.1: over UDP it means nothing. */
	if (server->keepalive && r->request->transport != TRANSPORT_UDP &&
	    edns_has(edns, EDNS_SLOT_TCP_KEEPALIVE))
		r->options.keepalive = reserve(r, KEEPALIVE_OCTETS);
}

static void cookie_add(struct reply *r)
{
	uint8_t cookie[COOKIE_OCTETS];
	struct span value = r->result->query.edns.values[EDNS_SLOT_COOKIE];

	cookie_make(&r->server->cookie_secrets, value.ptr, &r->request->address,
		    r->request->now_unix_s, cookie);
	edns_add_option(&r->mw, EDNS_COOKIE, span_of(cookie, sizeof cookie));
}

void reply_write_options(struct reply *r)
{
	uint8_t keepalive[KEEPALIVE_OCTETS];

	if (!r->result->query.edns.present) return;
	message_release(&r->mw, r->options.octets);
	bool fits = edns_begin(&r->mw, UDP_OCTETS_MAX, r->dnssec_ok);
	assert(fits);
	(void)fits;
	if (r->options.nsid) edns_add_option(&r->mw, EDNS_NSID, span_of_text(r->server->name));
	if (r->options.cookie) cookie_add(r);
	if (r->options.keepalive) {
		put_u16(keepalive, r->server->keepalive);
		edns_add_option(&r->mw, EDNS_TCP_KEEPALIVE, span_of(keepalive, sizeof keepalive));
	}
	if (r->ede_text) edns_add_ede(&r->mw, r->ede, r->ede_text);
}
