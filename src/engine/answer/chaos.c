/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/reply.h"

enum { TXT_OCTETS_MAX = 255 };

/* RFC 4892 3: who and what answers, under names that every server knows. */
static const char *chaos_text(const struct answer_server *server, struct name qname)
{
	static const struct name version_bind = {(const uint8_t *)"\7version\4bind", 14};
	static const struct name version_server = {(const uint8_t *)"\7version\6server", 16};
	static const struct name hostname_bind = {(const uint8_t *)"\10hostname\4bind", 15};
	static const struct name id_server = {(const uint8_t *)"\2id\6server", 11};

	if (name_equal(qname, version_bind) || name_equal(qname, version_server))
		return server->version;
	if (name_equal(qname, hostname_bind) || name_equal(qname, id_server)) return server->name;
	return NULL;
}

void reply_chaos(struct reply *r)
{
	const char *text = chaos_text(r->server, r->qname);
	uint8_t rdata[1 + TXT_OCTETS_MAX];
	size_t len = text ? strlen(text) : 0;

	if (!text) {
		reply_fail(r, RCODE_REFUSED, EDE_NOT_AUTHORITATIVE, "nothing is told about this");
		return;
	}
	r->header.aa = true;
	if (r->qtype != RRTYPE_TXT && r->qtype != RRTYPE_ANY) return;
	if (len > TXT_OCTETS_MAX) len = TXT_OCTETS_MAX;
	rdata[0] = (uint8_t)len;
	memcpy(rdata + 1, text, len);
	struct record record = {.owner = r->qname,
				.type = RRTYPE_TXT,
				.class = CLASS_CH,
				.rdata = span_of(rdata, len + 1)};
	reply_require_record(r, SECTION_ANSWER, &record);
}
