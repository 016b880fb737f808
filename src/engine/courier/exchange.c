/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/courier/exchange.h"

#include <stdio.h>

void exchange_init(struct exchange *e, enum exchange_kind kind, const struct remote *remote,
		   struct name zone, const struct limit_policy *limits, struct crypto *crypto)
{
	*e = (struct exchange){.kind = kind,
			       .remote = remote,
			       .crypto = crypto,
			       .idle_ns = limits->transfer_idle_ns,
			       .deadline = INSTANT_NEVER,
			       .stream = kind == EXCHANGE_TRANSFER};
	name_copy(&e->zone, zone);
	transfer_in_init(&e->transfer, zone, limits->zone_octets);
}

void exchange_clear(struct exchange *e)
{
	if (e->checks_stream) tsig_stream_end(&e->stream_check);
	e->checks_stream = false;
}

static const struct tsig_key *key_of(const struct exchange *e)
{
	return e->remote->key_count ? e->remote->keys[e->key] : NULL;
}

static enum exchange_action end(struct exchange *e, enum exchange_outcome outcome)
{
	e->outcome = outcome;
	e->deadline = INSTANT_NEVER;
	return EXCHANGE_END;
}

/* RFC 1996 3.6: the NOTIFY's answer section may carry the new SOA; its serial is a hint. */
static bool add_soa_hint(struct exchange *e, struct message_writer *mw)
{
	uint8_t rdata[22] = {0};

	put_u32(rdata + 2, e->serial); /* root, root, serial; the other numbers stay 0 */
	return message_add_record(mw, SECTION_ANSWER,
				  &(struct record){.owner = name_of(&e->zone),
						   .type = RRTYPE_SOA,
						   .class = CLASS_IN,
						   .rdata = span_of(rdata, sizeof rdata)});
}

static bool request_build(struct exchange *e, const struct exchange_event *event)
{
	const struct tsig_key *key = key_of(e);
	struct question question = {
		.class = CLASS_IN, .type = e->kind == EXCHANGE_TRANSFER ? RRTYPE_AXFR : RRTYPE_SOA};
	struct header header = {.id = event->random,
				.opcode = e->kind == EXCHANGE_NOTIFY ? OPCODE_NOTIFY : OPCODE_QUERY,
				.aa = e->kind == EXCHANGE_NOTIFY};
	struct message_writer mw;

	question.name = e->zone;
	message_begin(&mw, e->request, sizeof e->request);
	if (!message_add_question(&mw, &question)) return false;
	if (e->kind == EXCHANGE_NOTIFY && !add_soa_hint(e, &mw)) return false;
	struct span request = message_finish(&mw, &header);
	struct writer w = {.ptr = e->request, .cap = sizeof e->request, .len = request.len};
	e->id = event->random;
	if (key && tsig_sign_request(e->crypto, key, event->now_unix_s, &w, &e->request_mac))
		return false;
	e->request_len = (uint16_t)w.len;
	exchange_clear(e);
	if (!key || !e->stream) return true;
	if (tsig_stream_begin(&e->stream_check, e->crypto, key, &e->request_mac)) return false;
	e->checks_stream = true;
	return true;
}

/* Sends the request for the first time or again, the way this exchange goes. */
static enum exchange_action ask(struct exchange *e, const struct exchange_event *event)
{
	if (e->stream && !e->connected) {
		e->deadline = event->now + EXCHANGE_CONNECT_WAIT;
		return EXCHANGE_CONNECT;
	}
	if (!request_build(e, event)) {
		error_set(&e->error, E_NOMEM, "the request could not be built or signed");
		return end(e, EXCHANGE_FAILED);
	}
	if (e->stream) {
		e->deadline = event->now + e->idle_ns;
		return EXCHANGE_WRITE;
	}
	e->deadline = event->now + (EXCHANGE_FIRST_WAIT << e->attempt);
	e->attempt++;
	return EXCHANGE_SEND;
}

static enum exchange_action ask_next_address(struct exchange *e, const struct exchange_event *event)
{
	e->connected = false;
	e->attempt = 0;
	if (e->address + 1 >= e->remote->address_count) return end(e, EXCHANGE_SILENT);
	e->address++;
	e->stream = e->kind == EXCHANGE_TRANSFER;
	return ask(e, event);
}

static enum exchange_action silence(struct exchange *e, const struct exchange_event *event,
				    const char *problem)
{
	char text[ADDRESS_TEXT_MAX];

	if (!e->stream && e->attempt < EXCHANGE_ATTEMPTS_MAX && !problem) return ask(e, event);
	if (e->error.code == OK || problem)
		error_set(&e->error, E_IO, "%s: %s",
			  endpoint_print(&e->remote->addresses[e->address], text),
			  problem        ? problem
			  : e->connected ? "the connection went silent"
			  : e->stream    ? "no connection in time"
					 : "no answer");
	if (e->transfer.opened) return end(e, EXCHANGE_FAILED); /* begun here, not to be mixed */
	return ask_next_address(e, event);
}

/* What the peer's rcode means, in its and our words. */
static enum exchange_action refused(struct exchange *e, uint16_t rcode)
{
	char text[RCODE_TEXT_MAX];
	const struct tsig_key *key = key_of(e);

	rcode_to_text(rcode, text);
	if (key)
		error_set(&e->error, E_REFUSED, "%s answers %s to our request (signed with key %s)",
			  e->remote->label, text, key->label);
	else
		error_set(&e->error, E_REFUSED, "%s answers %s to our request (unsigned)",
			  e->remote->label, text);
	return end(e, EXCHANGE_REFUSED);
}

static enum exchange_action tsig_failed(struct exchange *e, const struct exchange_event *event,
					const struct tsig_check *check, uint16_t rcode)
{
	char text[RCODE_TEXT_MAX];
	const char *label = key_of(e)->label, *peer = e->remote->label;

	switch (check->verdict) {
	case TSIG_BADKEY:
		error_set(&e->error, E_AUTH, "%s does not know key %s (TSIG BADKEY)", peer, label);
		if (check->said_by_peer && e->key + 1 < e->remote->key_count) {
			e->key++;
			e->attempt = 0;
			e->connected = false;
			return ask(e, event);
		}
		return end(e, check->said_by_peer ? EXCHANGE_REFUSED : EXCHANGE_FAILED);
	case TSIG_BADTIME:
		error_set(&e->error, E_AUTH,
			  "%s: its clock is %lld s %s ours (TSIG BADTIME, key %s)", peer,
			  (long long)(check->peer_ahead_s < 0 ? -check->peer_ahead_s
							      : check->peer_ahead_s),
			  check->peer_ahead_s < 0 ? "behind" : "ahead of", label);
		return end(e, EXCHANGE_REFUSED);
	case TSIG_BADSIG:
		error_set(&e->error, E_AUTH,
			  check->said_by_peer
				  ? "%s holds another secret for key %s (it answers TSIG BADSIG)"
				  : "%s: a message whose signature is wrong (TSIG BADSIG, key %s)",
			  peer, label);
		break;
	case TSIG_NONE:
		error_set(&e->error, E_AUTH,
			  "%s: an unsigned answer (%s) to a request signed with key %s", peer,
			  rcode_to_text(rcode, text), label);
		break;
	default:
		error_set(&e->error, E_AUTH, "%s: a TSIG record that is malformed or cut (key %s)",
			  peer, label);
		break;
	}
	return end(e, check->said_by_peer ? EXCHANGE_REFUSED : EXCHANGE_FAILED);
}

/* The answer to what we asked: id, direction, opcode and, where there is one, question. */
static bool is_answer(const struct exchange *e, const struct message *message)
{
	const struct header *h = &message->header;

	if (!h->qr || h->id != e->id) return false;
	if (h->opcode != (e->kind == EXCHANGE_NOTIFY ? OPCODE_NOTIFY : OPCODE_QUERY)) return false;
	if (!message->has_question) /* RFC 5936 2.2: only the first message must carry it */
		return e->stream || h->rcode != RCODE_NOERROR;
	return name_equal(name_of(&message->question.name), name_of(&e->zone)) &&
	       message->question.class == CLASS_IN &&
	       message->question.type == (e->kind == EXCHANGE_TRANSFER ? RRTYPE_AXFR : RRTYPE_SOA);
}

static bool soa_serial(const struct exchange *e, const struct message *message, uint32_t *serial)
{
	struct message_cursor cursor = message_cursor_of(message);
	struct message_record in;
	uint8_t room[TRANSFER_SOA_MAX];

	while (message_next_record(&cursor, &in) && in.section == SECTION_ANSWER) {
		struct writer w = writer_of(room, sizeof room);
		struct record record;
		struct soa soa;

		if (in.type != RRTYPE_SOA || in.class != CLASS_IN ||
		    !name_equal(name_of(&in.owner), name_of(&e->zone)))
			continue;
		if (message_expand_record(message, &in, &w, &record, NULL) ||
		    !soa_read(record.rdata, &soa))
			return false;
		*serial = soa.serial;
		return true;
	}
	return false;
}

static enum exchange_action soa_answer(struct exchange *e, const struct exchange_event *event,
				       const struct message *message)
{
	if (message->header.tc && !e->stream) {
		e->stream = true;
		return ask(e, event);
	}
	if (!message->header.aa) {
		error_set(&e->error, E_REFUSED, "%s does not serve this zone (its answer lacks AA)",
			  e->remote->label);
		return end(e, EXCHANGE_REFUSED);
	}
	if (!soa_serial(e, message, &e->answer_serial)) {
		error_set(&e->error, E_SYNTAX, "%s: an answer without the zone's SOA",
			  e->remote->label);
		return end(e, EXCHANGE_FAILED);
	}
	return end(e, EXCHANGE_DONE);
}

static enum exchange_action answered(struct exchange *e, const struct exchange_event *event,
				     const struct message *message, uint16_t rcode)
{
	if (rcode != RCODE_NOERROR) return refused(e, rcode);
	switch (e->kind) {
	case EXCHANGE_SOA: return soa_answer(e, event, message);
	case EXCHANGE_NOTIFY: return end(e, EXCHANGE_DONE);
	default: break;
	}
	if (message->header.tc) {
		error_set(&e->error, E_SYNTAX, "%s: a truncated message in a transfer",
			  e->remote->label);
		return end(e, EXCHANGE_FAILED);
	}
	transfer_in_message(&e->transfer, message);
	e->deadline = event->now + e->idle_ns;
	return EXCHANGE_COLLECT;
}

static enum exchange_action malformed(struct exchange *e)
{
	char text[ADDRESS_TEXT_MAX];

	/* Over UDP it may be forged: the right answer may still come. */
	if (!e->stream) return EXCHANGE_WAIT;
	error_set(&e->error, E_SYNTAX,
		  "%s: a malformed message, or one that answers something else",
		  endpoint_print(&e->remote->addresses[e->address], text));
	return end(e, EXCHANGE_FAILED);
}

static enum exchange_action message_take(struct exchange *e, const struct exchange_event *event)
{
	const struct tsig_key *key = key_of(e);
	struct message message;
	struct edns edns;
	struct tsig tsig;

	if (!message_parse(event->message, &message) || !is_answer(e, &message))
		return malformed(e);
	if (message_read_meta(&message, &edns, &tsig) != RCODE_NOERROR) return malformed(e);
	uint16_t rcode = edns_rcode(&message.header, &edns);
	if (key) {
		struct tsig_check check =
			e->checks_stream ? tsig_stream_verify(&e->stream_check, &message, &tsig,
							      event->now_unix_s)
					 : tsig_verify_response(e->crypto, key, &e->request_mac,
								&message, &tsig, event->now_unix_s);
		e->is_proven = check.proven;
		/* In a stream messages between signed ones go without (RFC 8945 5.3.1). */
		if (check.verdict != TSIG_OK) {
			instant_ns deadline = e->deadline;
			enum exchange_action action = tsig_failed(e, event, &check, rcode);
			if (e->stream || check.said_by_peer) return action;
			/* Perhaps forged: the right answer may still come (RFC 8945 5.4). */
			e->deadline = deadline;
			return EXCHANGE_WAIT;
		}
	}
	return answered(e, event, &message, rcode);
}

enum exchange_action exchange_step(struct exchange *e, const struct exchange_event *event)
{
	switch (event->kind) {
	case EXCHANGE_START: return ask(e, event);
	case EXCHANGE_CONNECTED: e->connected = true; return ask(e, event);
	case EXCHANGE_MESSAGE: return message_take(e, event);
	case EXCHANGE_BROKEN_OFF: return silence(e, event, event->problem);
	case EXCHANGE_TICK:
		return event->now >= e->deadline ? silence(e, event, NULL) : EXCHANGE_WAIT;
	}
	return EXCHANGE_WAIT;
}

/* The last message of a signed stream must be signed itself. */
static enum exchange_action whole(struct exchange *e)
{
	if (e->checks_stream && !e->is_proven) {
		error_set(&e->error, E_AUTH, "%s: the transfer's last message is not signed",
			  e->remote->label);
		return end(e, EXCHANGE_FAILED);
	}
	e->answer_serial = e->transfer.serial;
	return end(e, EXCHANGE_DONE);
}

enum exchange_action exchange_records(struct exchange *e, struct writer *out, instant_ns now)
{
	switch (transfer_in_records(&e->transfer, out, &e->error)) {
	case TRANSFER_ROOM: return EXCHANGE_COLLECT;
	case TRANSFER_MORE: e->deadline = now + e->idle_ns; return EXCHANGE_WAIT;
	case TRANSFER_WHOLE: return whole(e);
	case TRANSFER_BROKEN: break;
	}
	error_prefix(&e->error, "transfer from %s", e->remote->label);
	return end(e, EXCHANGE_FAILED);
}
