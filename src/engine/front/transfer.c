/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/front/transfer.h"

#include "engine/limits.h"
#include "zone/image_format.h"

#include <assert.h>

enum { NODES_AHEAD = 8 };

static enum code transfer_damaged(const struct transfer_out *t, const char *what, struct error *err)
{
	char zone[NAME_TEXT_MAX];

	return error_set(err, E_DAMAGED, "the image of %s, serial %u, %s; it will be rebuilt",
			 name_to_text(t->zone->name, zone), view_serial(&t->zone->view), what);
}

/* The apex has one SOA; what more damage may have made of it is not sent. */
static bool soa_find(const struct view *view, struct rrset *soa)
{
	struct node apex;
	struct span rdata;
	size_t at = 0;

	if (!view_find_exact(view, view_apex(view), &apex) || !node_rrset(&apex, RRTYPE_SOA, soa) ||
	    !rrset_next(soa, &at, &rdata))
		return false;
	soa->data.len = at;
	return true;
}

enum code transfer_out_begin(struct transfer_out *transfer, const struct answer_server *server,
			     const struct answer *result, struct error *err)
{
	const struct query *query = &result->query;
	const struct view *view = &result->zone->view;
	struct tsig_mac mac;

	memset(transfer, 0, sizeof *transfer);
	transfer->zone = result->zone;
	transfer->question = query->message.question;
	transfer->header = query_response_header(query);
	transfer->header.aa = true; /* RFC 5936 2.2.1: and none of the others */
	transfer->header.cd = false;
	transfer->has_edns = query->edns.present;
	transfer->dnssec_ok = query->edns.present && query->edns.dnssec_ok;
	if (!soa_find(view, &transfer->soa)) return transfer_damaged(transfer, "has no SOA", err);
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

static enum transfer_put put_soa(struct transfer_out *t, struct transfer_message *m)
{
	struct transfer_owner apex;
	size_t at = 0;

	if (!transfer_owner_read(&apex, m->apex, m->apex)) return TRANSFER_PUT_DAMAGED;
	return transfer_put_rrset(m, &apex, &t->soa, &at);
}

/*
 * Asks memory for the RRset that a node some steps ahead shares: nodes come in a row, and so
 * into the cache, but what they share lies anywhere before.
 */
static void touch_ahead(struct transfer_out *t, const struct image *image)
{
	struct node node;

	if (!node_open(image, t->ahead, &node)) return;
	t->ahead = node_end_of(&node);
	uint32_t place = node.is_empty ? 0 : load_u32(node.rrsets.ptr);
	if (!(place & RRSET_IS_SHARED)) return;
	place &= ~RRSET_IS_SHARED;
	if (place >= node.at) return;
	const uint8_t *p = image->bytes.ptr + (size_t)place * IMAGE_UNIT;
	__builtin_prefetch(p);
	__builtin_prefetch(p + IMAGE_LINE);
}

/*
 * The next node of the only layer, as view_next tells it, but its RRsets are checked when they
 * are written, once. False at the end, and at damage.
 */
static bool only_next(struct transfer_out *t, const struct image *image)
{
	struct view_cursor *walk = &t->walk;
	struct node *node = &t->node;
	uint32_t at = walk->started ? node_end_of(node) : image->nodes_at;

	if (!walk->started) t->ahead = at;
	for (unsigned i = walk->started ? 1 : NODES_AHEAD; i > 0; i--) touch_ahead(t, image);
	walk->started = true;
	if (at == image->nodes_end) return false;
	walk->damaged = !node_open(image, at, node);
	return !walk->damaged;
}

/* False at the end, and at damage, when the walk is marked so. */
static bool take_node(struct transfer_out *t, struct name apex)
{
	const struct view *view = &t->zone->view;

	if (view->layer_count == 1) {
		if (!only_next(t, &view->layers[0])) return false;
	} else if (!view_next(view, &t->walk, &t->node)) {
		return false;
	}
	t->walk.damaged = !transfer_owner_read(&t->owner, t->node.owner, apex);
	t->cursor.at = 0;
	return !t->walk.damaged;
}

/* All records of the image in its order but the apex' SOA. */
static enum transfer_put put_records(struct transfer_out *t, struct transfer_message *m)
{
	t->owner.at = 0;
	for (;;) {
		if (t->in_rrset) {
			enum transfer_put put =
				transfer_put_rrset(m, &t->owner, &t->cursor.rrset, &t->rdata_at);
			if (put != TRANSFER_PUT_ALL) return put;
			t->in_rrset = false;
		}
		if (t->node.octets && node_rrset_step(&t->node, &t->cursor)) {
			t->in_rrset = !(t->node.is_apex && t->cursor.rrset.type == RRTYPE_SOA);
			t->rdata_at = 0;
		} else if (t->node.octets && t->cursor.at != t->node.rrsets.len) {
			return TRANSFER_PUT_DAMAGED;
		} else if (!take_node(t, m->apex)) {
			return t->walk.damaged ? TRANSFER_PUT_DAMAGED : TRANSFER_PUT_ALL;
		}
	}
}

static enum code too_large(const struct transfer_out *t, struct name apex, struct error *err)
{
	bool is_soa = t->stage != TRANSFER_OUT_RECORDS;
	const struct rrset *rrset = is_soa ? &t->soa : &t->cursor.rrset;
	size_t at = is_soa ? 0 : t->rdata_at;
	struct span rdata = {0};
	char owner[NAME_TEXT_MAX];

	if (!rrset_next(rrset, &at, &rdata)) return transfer_damaged(t, "contradicts itself", err);
	return error_set(err, E_RANGE, "a record of %s has %zu octets and fits into no message",
			 name_to_text(is_soa ? apex : t->owner.name, owner), rdata.len);
}

static enum code fill(struct transfer_out *t, struct transfer_message *m, struct error *err)
{
	enum transfer_put put = TRANSFER_PUT_ALL;

	for (; t->stage != TRANSFER_OUT_DONE; t->stage++) {
		if (t->stage == TRANSFER_OUT_RECORDS) {
			put = put_records(t, m);
		} else {
			/* Only a whole zone may look like one. */
			if (t->stage == TRANSFER_OUT_CLOSING &&
			    t->record_count + m->count != view_record_count(&t->zone->view))
				return transfer_damaged(t, "has lost records", err);
			put = put_soa(t, m);
		}
		if (put != TRANSFER_PUT_ALL) break;
	}
	if (put == TRANSFER_PUT_DAMAGED) return transfer_damaged(t, "contradicts itself", err);
	return m->count ? OK : too_large(t, m->apex, err);
}

enum code transfer_out_next(struct transfer_out *transfer, uint64_t now_unix_s, struct writer *out,
			    struct error *err)
{
	struct transfer_out *t = transfer;
	struct message_writer mw;
	struct transfer_message m;
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
	transfer_message_begin(&m, &mw, view_apex(&t->zone->view));
	if ((code = fill(t, &m, err))) return code;
	transfer_message_end(&m, &mw);

	message_release(&mw, tail);
	if (tail) fits = edns_begin(&mw, UDP_OCTETS_MAX, t->dnssec_ok) && fits;
	assert(fits);
	message_finish(&mw, &t->header);
	if (t->is_signed && tsig_stream_sign(&t->tsig, true, now_unix_s, &mw.w) != OK)
		return error_set(err, E_NOMEM, "no memory to sign a transfer with %s",
				 t->tsig.key->label);
	t->message_count++;
	t->record_count += m.count;
	t->octets += mw.w.len;
	out->len = mw.w.len;
	return OK;
}
