/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/message_query.h"

#include <assert.h>

static enum rcode meta_take(const struct message *message, const struct message_record *record,
			    bool is_last, struct edns *edns, struct tsig *tsig)
{
	switch (record->type) {
	case RRTYPE_OPT: /* RFC 6891 6.1.1: at most one, in the additional section */
		if (record->section != SECTION_ADDITIONAL || edns->present) return RCODE_FORMERR;
		return edns_read(message, record, edns);
	case RRTYPE_TSIG: /* RFC 8945 5.1: at most one, the last record of all */
		if (record->section != SECTION_ADDITIONAL || !is_last) return RCODE_FORMERR;
		return tsig_read(message, record, tsig) ? RCODE_NOERROR : RCODE_FORMERR;
	default: return RCODE_NOERROR;
	}
}

enum rcode message_read_meta(const struct message *message, struct edns *edns, struct tsig *tsig)
{
	struct message_cursor cursor = message_cursor_of(message);
	struct message_record record;
	enum rcode verdict = RCODE_NOERROR;

	edns->present = false;
	edns->seen = 0;
	tsig->present = false;
	while (message_skim_record(&cursor, &record)) {
		bool is_last = cursor.left[SECTION_ADDITIONAL] == 0;
		enum rcode rcode = meta_take(message, &record, is_last, edns, tsig);

		if (rcode == RCODE_FORMERR) return rcode;
		if (rcode != RCODE_NOERROR) verdict = rcode;
	}
	return message_cursor_is_done(&cursor) ? verdict : RCODE_FORMERR;
}

/*
 * RFC 6895 3.1: of the types that name no data, only ANY and the transfers are
 * questions. MAILA and MAILB were dropped (RFC 1035 3.2.3), and keys are not agreed
 * on by TKEY here.
 */
static enum rcode question_check(const struct message *message)
{
	uint16_t type = message->question.type;

	if (message->header.opcode != OPCODE_QUERY) return RCODE_NOERROR;
	switch (type) {
	case 0: return RCODE_FORMERR;
	case RRTYPE_ANY:
	case RRTYPE_AXFR:
	case RRTYPE_IXFR: return RCODE_NOERROR;
	case RRTYPE_MAILA:
	case RRTYPE_MAILB: return RCODE_NOTIMP;
	case RRTYPE_TKEY: return RCODE_REFUSED;
	default: return rrtype_is_meta(type) ? RCODE_FORMERR : RCODE_NOERROR;
	}
}

/* RFC 7873 5.4: no question at all but for a cookie. */
static bool asks_for_cookie(const struct query *query)
{
	return query->message.header.opcode == OPCODE_QUERY && query->edns.present &&
	       edns_has(&query->edns, EDNS_SLOT_COOKIE);
}

static enum query_verdict query_read(struct span wire, struct query *out)
{
	const struct header *header = &out->message.header;

	out->rcode = RCODE_NOTIMP;
	if (!opcode_is_answered(header->opcode)) return QUERY_BAD;
	out->rcode = RCODE_FORMERR;
	if (header->count[SECTION_QUESTION] > 1) return QUERY_BAD;
	if (!message_parse(wire, &out->message)) return QUERY_BAD;
	out->rcode = message_read_meta(&out->message, &out->edns, &out->tsig);
	if (out->rcode) return QUERY_BAD;
	if (!out->message.has_question) {
		if (!asks_for_cookie(out)) out->rcode = RCODE_FORMERR;
		return QUERY_BAD;
	}
	out->rcode = question_check(&out->message);
	return out->rcode ? QUERY_BAD : QUERY_OK;
}

enum query_verdict query_parse(struct span wire, struct query *out)
{
	out->message.wire = wire;
	out->message.has_question = false;
	out->edns.present = false;
	out->tsig.present = false;
	out->rcode = RCODE_FORMERR;
	out->verdict = QUERY_IGNORE;
	if (header_read(wire, &out->message.header) && !out->message.header.qr)
		out->verdict = query_read(wire, out);
	return out->verdict;
}

struct header query_response_header(const struct query *query)
{
	const struct header *request = &query->message.header;

	return (struct header){
		.id = request->id,
		.opcode = request->opcode,
		.qr = true,
		.rd = request->rd,
		.cd = request->cd,
		.rcode = (uint16_t)query->rcode,
	};
}

void query_begin_response(const struct query *query, struct message_writer *mw, void *octets,
			  size_t cap)
{
	assert(cap >= UDP_OCTETS_MIN);
	message_begin(mw, octets, cap);
	if (!query->message.has_question) return;
	bool fits = message_add_question(mw, &query->message.question);
	assert(fits); /* a name of 255 octets and four more, in 512 */
	(void)fits;
}
