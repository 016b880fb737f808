/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/front/transfer.h"

#include <assert.h>

static enum code transfer_damaged(const struct transfer_out *t, const char *what, struct error *err)
{
	char zone[NAME_TEXT_MAX];

	return error_set(err, E_DAMAGED, "the image of %s, serial %u, %s; it will be rebuilt",
			 name_to_text(t->zone->name, zone), view_serial(&t->zone->view), what);
}

enum code transfer_out_begin(struct transfer_out *transfer, const struct answer_server *server,
			     const struct answer *result, struct error *err)
{
	const struct query *query = &result->query;
	const struct view *view = &result->zone->view;
	struct tsig_mac mac;
	struct node apex;

	memset(transfer, 0, sizeof *transfer);
	transfer->zone = result->zone;
	transfer->question = query->message.question;
	transfer->header = query_response_header(query);
	transfer->header.aa = true; /* RFC 5936 2.2.1: and none of the others */
	transfer->header.cd = false;
	transfer->has_edns = query->edns.present;
	transfer->dnssec_ok = query->edns.present && query->edns.dnssec_ok;
	if (!view_find_exact(view, view_apex(view), &apex) ||
	    !node_rrset(&apex, RRTYPE_SOA, &transfer->soa))
		return transfer_damaged(transfer, "has no SOA", err);
	if (result->key) {
		tsig_mac_keep(&query->tsig, &mac);
		if (tsig_stream_begin(&transfer->tsig, server->crypto, result->key, &mac) != OK)
			return error_set(err, E_NOMEM, "no memory to sign a transfer with %s",
					 result->key->label);
		transfer->is_signed = true;
	}
	publication_pin(transfer->zone);
	return OK;
}

void transfer_out_end(struct transfer_out *transfer)
{
	if (transfer->is_signed) tsig_stream_end(&transfer->tsig);
	publication_unpin(transfer->zone);
}

static void take_soa(struct transfer_out *t)
{
	size_t at = 0;

	t->record = (struct record){.owner = view_apex(&t->zone->view),
				    .type = RRTYPE_SOA,
				    .class = CLASS_IN,
				    .ttl = t->soa.ttl};
	t->waits = rrset_next(&t->soa, &at, &t->record.rdata);
}

/* The next record of the image in its order but the apex' SOA; false at the end. */
static bool take_record(struct transfer_out *t)
{
	for (;;) {
		if (t->in_rrset && rrset_next(&t->cursor.rrset, &t->rdata_at, &t->record.rdata)) {
			t->waits = true;
			return true;
		}
		t->in_rrset = false;
		if (t->node.octets && node_next_rrset(&t->node, &t->cursor)) {
			t->record.type = t->cursor.rrset.type;
			t->record.ttl = t->cursor.rrset.ttl;
			t->rdata_at = 0;
			t->in_rrset = !(t->node.is_apex && t->record.type == RRTYPE_SOA);
			continue;
		}
		if (!view_next(&t->zone->view, &t->walk, &t->node)) return false;
		t->record.owner = t->node.owner;
		t->cursor = (struct rrset_cursor){0};
	}
}

/* Sees to it that a record waits, unless all were written. */
static enum code advance(struct transfer_out *t, struct error *err)
{
	switch (t->stage) {
	case TRANSFER_OUT_OPENING:
		take_soa(t);
		t->stage = TRANSFER_OUT_RECORDS;
		break;
	case TRANSFER_OUT_RECORDS:
		if (take_record(t)) return OK;
		/* Only a whole zone may look like one. */
		if (t->record_count != view_record_count(&t->zone->view))
			return transfer_damaged(t, "has lost records", err);
		take_soa(t);
		t->stage = TRANSFER_OUT_CLOSING;
		break;
	case TRANSFER_OUT_CLOSING: t->stage = TRANSFER_OUT_DONE; return OK;
	case TRANSFER_OUT_DONE: return OK;
	}
	return t->waits ? OK : transfer_damaged(t, "has an SOA without data", err);
}

static enum code fill(struct transfer_out *t, struct message_writer *mw, struct error *err)
{
	uint64_t before = t->record_count;
	enum code code;

	while (mw->w.len < TRANSFER_MESSAGE_OCTETS) {
		if (!t->waits && (code = advance(t, err))) return code;
		if (!t->waits) break;
		if (!message_add_record(mw, SECTION_ANSWER, &t->record)) break;
		t->waits = false;
		t->record_count++;
	}
	if (t->record_count == before && t->waits) {
		char owner[NAME_TEXT_MAX];
		return error_set(err, E_RANGE,
				 "a record of %s has %zu octets and fits into no message",
				 name_to_text(t->record.owner, owner), t->record.rdata.len);
	}
	return OK;
}

enum code transfer_out_next(struct transfer_out *transfer, uint64_t now_unix_s, struct writer *out,
			    struct error *err)
{
	struct transfer_out *t = transfer;
	struct message_writer mw;
	bool is_first = t->message_count == 0, fits = true;
	size_t tail = is_first && t->has_edns ? OPT_OCTETS : 0;
	enum code code;

	assert(out->cap >= MESSAGE_OCTETS_MAX);
	out->len = 0;
	if (t->stage == TRANSFER_OUT_DONE) return OK;
	message_begin(&mw, out->ptr, MESSAGE_OCTETS_MAX);
	if (is_first) fits = message_add_question(&mw, &t->question);
	if (t->is_signed) fits = message_reserve(&mw, tsig_octets(t->tsig.key)) && fits;
	fits = message_reserve(&mw, tail) && fits;
	if ((code = fill(t, &mw, err))) return code;
	if (mw.count[SECTION_ANSWER] == 0) return OK;

	message_release(&mw, tail);
	if (tail) fits = edns_begin(&mw, UDP_OCTETS_MAX, t->dnssec_ok) && fits;
	assert(fits);
	message_finish(&mw, &t->header);
	if (t->is_signed && tsig_stream_sign(&t->tsig, true, now_unix_s, &mw.w) != OK)
		return error_set(err, E_NOMEM, "no memory to sign a transfer with %s",
				 t->tsig.key->label);
	t->message_count++;
	t->octets += mw.w.len;
	out->len = mw.w.len;
	return OK;
}
