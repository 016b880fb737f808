/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/tsig.h"

#include <assert.h>

enum {
	ARCOUNT_AT = 10,        /* in the header */
	OTHER_TIME_OCTETS = 6,  /* RFC 8945 5.2.3 */
	FIXED_OCTETS = 10 + 16, /* type to data length; time to other length */
	TIMERS_OCTETS = 6 + 2,  /* time signed, fudge */
	VARIABLES_OCTETS_MAX = 2 * NAME_OCTETS_MAX + 6 + TIMERS_OCTETS + 4,
};

size_t tsig_octets(const struct tsig_key *key)
{
	struct name_buffer algorithm;

	tsig_algorithm_name(key->algorithm, &algorithm);
	return (size_t)key->name.len + FIXED_OCTETS + algorithm.len + tsig_mac_len(key->algorithm) +
	       OTHER_TIME_OCTETS;
}

void tsig_mac_keep(const struct tsig *tsig, struct tsig_mac *out)
{
	assert(tsig->mac.len <= MAC_LEN_MAX);
	out->len = (uint8_t)tsig->mac.len;
	if (out->len) memcpy(out->octets, tsig->mac.ptr, out->len);
}

/* RFC 8945 4.3.1 and 5.3.1: the MAC before this one, with its length. */
static void digest_prior(struct mac *mac, const struct tsig_mac *prior)
{
	uint8_t len[2];

	put_u16(len, prior->len);
	mac_add(mac, span_of(len, sizeof len));
	mac_add(mac, span_of(prior->octets, prior->len));
}

/* RFC 8945 4.3.2: the message as it was before TSIG was added to it. */
static void digest_message(struct mac *mac, struct span wire, const struct tsig *tsig)
{
	uint8_t header[HEADER_OCTETS];
	struct reader arcount = reader_of(wire);

	memcpy(header, wire.ptr, sizeof header);
	reader_skip(&arcount, ARCOUNT_AT);
	put_u16(header, tsig->original_id);
	put_u16(header + ARCOUNT_AT, (uint16_t)(read_u16(&arcount) - 1));
	mac_add(mac, span_of(header, sizeof header));
	mac_add(mac, span_of(wire.ptr + HEADER_OCTETS, tsig->at - HEADER_OCTETS));
}

static void write_timers(struct writer *w, const struct tsig *tsig)
{
	write_u48(w, tsig->time_signed_unix_s);
	write_u16(w, tsig->fudge_s);
}

/* RFC 8945 4.3.3. */
static void digest_variables(struct mac *mac, const struct tsig_key *key, const struct tsig *tsig)
{
	uint8_t octets[VARIABLES_OCTETS_MAX];
	struct writer w = writer_of(octets, sizeof octets);
	struct name_buffer name;

	name_lower(key->name, &name);
	write_bytes(&w, name.wire, name.len);
	write_u16(&w, CLASS_ANY);
	write_u32(&w, 0); /* TTL */
	tsig_algorithm_name(key->algorithm, &name);
	write_bytes(&w, name.wire, name.len);
	write_timers(&w, tsig);
	write_u16(&w, tsig->error);
	write_u16(&w, (uint16_t)tsig->other.len);
	mac_add(mac, writer_span(&w));
	mac_add(mac, tsig->other);
}

/* RFC 8945 4.3.4: messages of a stream behind the first. */
static void digest_timers(struct mac *mac, const struct tsig *tsig)
{
	uint8_t octets[TIMERS_OCTETS];
	struct writer w = writer_of(octets, sizeof octets);

	write_timers(&w, tsig);
	mac_add(mac, writer_span(&w));
}

/* Writes the record and counts it; the names are the record's own. All or nothing. */
static enum code tsig_append(struct writer *w, struct name key_name, const struct tsig *tsig)
{
	size_t before = w->len;
	struct reader r = reader_of(writer_span(w));
	uint16_t arcount;

	reader_skip(&r, ARCOUNT_AT);
	arcount = read_u16(&r);
	write_bytes(w, key_name.wire, key_name.len);
	write_u16(w, RRTYPE_TSIG);
	write_u16(w, CLASS_ANY);
	write_u32(w, 0); /* TTL */
	size_t len_at = w->len;
	write_u16(w, 0);
	write_bytes(w, tsig->algorithm.wire, tsig->algorithm.len);
	write_timers(w, tsig);
	write_u16(w, (uint16_t)tsig->mac.len);
	write_span(w, tsig->mac);
	write_u16(w, tsig->original_id);
	write_u16(w, tsig->error);
	write_u16(w, (uint16_t)tsig->other.len);
	write_span(w, tsig->other);
	if (w->overflow || w->len > MESSAGE_OCTETS_MAX || arcount == UINT16_MAX) {
		writer_rewind(w, before);
		return E_LIMIT;
	}
	patch_u16(w, len_at, (uint16_t)(w->len - len_at - sizeof(uint16_t)));
	patch_u16(w, ARCOUNT_AT, (uint16_t)(arcount + 1));
	return OK;
}

/*
 * Signs with a MAC that has begun and taken what comes before the message. `tsig`
 * brings time, fudge, error and other data; the rest is filled here.
 */
static enum code tsig_sign(struct mac *running, bool timers_only, const struct tsig_key *key,
			   struct tsig *tsig, struct writer *message, struct tsig_mac *mac)
{
	struct name_buffer algorithm;
	struct span wire = writer_span(message);
	struct reader id = reader_of(wire);

	assert(wire.len >= HEADER_OCTETS);
	tsig->original_id = read_u16(&id);
	tsig->at = wire.len;
	mac_add(running, wire);
	if (timers_only)
		digest_timers(running, tsig);
	else
		digest_variables(running, key, tsig);
	if (!mac_end(running, mac->octets)) return E_NOMEM;

	mac->len = (uint8_t)tsig_mac_len(key->algorithm);
	tsig->mac = span_of(mac->octets, mac->len);
	tsig_algorithm_name(key->algorithm, &algorithm);
	tsig->algorithm = name_of(&algorithm);
	return tsig_append(message, key->name, tsig);
}

static struct mac *mac_begin_borrowed(struct crypto *crypto, const struct tsig_key *key)
{
	struct mac *mac = mac_borrow(crypto, tsig_digest(key->algorithm));

	mac_begin(mac, key->secret);
	return mac;
}

enum code tsig_sign_request(struct crypto *crypto, const struct tsig_key *key, uint64_t now_unix_s,
			    struct writer *message, struct tsig_mac *mac)
{
	struct tsig tsig = {.time_signed_unix_s = now_unix_s, .fudge_s = TSIG_FUDGE_S};

	return tsig_sign(mac_begin_borrowed(crypto, key), false, key, &tsig, message, mac);
}

/* RFC 8945 5.2.1 and 5.2.2: whoever has no key or the wrong one gets no MAC to play with. */
static enum code tsig_append_unsigned(const struct tsig *request, uint16_t error,
				      uint64_t now_unix_s, struct writer *message)
{
	struct reader id = reader_of(writer_span(message));
	struct tsig tsig = {
		.algorithm = request->algorithm,
		.time_signed_unix_s = now_unix_s,
		.fudge_s = TSIG_FUDGE_S,
		.original_id = read_u16(&id),
		.error = error,
	};

	return tsig_append(message, name_of(&request->key_name), &tsig);
}

enum code tsig_sign_response(struct crypto *crypto, const struct tsig_key *key,
			     const struct tsig *request, enum tsig_verdict verdict,
			     uint64_t now_unix_s, struct writer *message)
{
	struct tsig tsig = {.time_signed_unix_s = now_unix_s, .fudge_s = TSIG_FUDGE_S};
	uint8_t octets[OTHER_TIME_OCTETS];
	struct writer our_time = writer_of(octets, sizeof octets);
	struct tsig_mac mac;

	switch (verdict) {
	case TSIG_OK: break;
	case TSIG_BADTIME: /* with its own time, lest the answer too looked out of time */
		write_u48(&our_time, now_unix_s);
		tsig.time_signed_unix_s = request->time_signed_unix_s;
		tsig.fudge_s = request->fudge_s;
		tsig.error = TSIG_ERROR_BADTIME;
		tsig.other = writer_span(&our_time);
		break;
	case TSIG_BADTRUNC: tsig.error = TSIG_ERROR_BADTRUNC; break;
	case TSIG_BADKEY:
		return tsig_append_unsigned(request, TSIG_ERROR_BADKEY, now_unix_s, message);
	case TSIG_BADSIG:
		return tsig_append_unsigned(request, TSIG_ERROR_BADSIG, now_unix_s, message);
	default: return OK;
	}
	tsig_mac_keep(request, &mac);
	struct mac *running = mac_begin_borrowed(crypto, key);
	digest_prior(running, &mac);
	return tsig_sign(running, false, key, &tsig, message, &mac);
}

/* RFC 8945 5.2.2.1. */
static bool mac_len_is_allowed(enum tsig_algorithm algorithm, size_t len)
{
	size_t half = digest_len(tsig_digest(algorithm)) / 2;
	size_t min = half > TSIG_MAC_OCTETS_MIN ? half : TSIG_MAC_OCTETS_MIN;

	return len >= min && len <= tsig_mac_len(algorithm);
}

/* RFC 8945 5.2.3; a positive difference: the peer's clock is ahead of ours. */
static enum tsig_verdict time_check(const struct tsig *tsig, uint64_t now_unix_s,
				    int64_t *peer_ahead_s)
{
	int64_t ahead = (int64_t)tsig->time_signed_unix_s - (int64_t)now_unix_s;

	if (ahead >= -(int64_t)tsig->fudge_s && ahead <= tsig->fudge_s) return TSIG_OK;
	*peer_ahead_s = ahead;
	return TSIG_BADTIME;
}

/* Compares with the MAC that `running` ends with, after what comes before the message. */
static enum tsig_verdict mac_check(struct mac *running, bool timers_only,
				   const struct tsig_key *key, const struct message *message,
				   const struct tsig *tsig)
{
	uint8_t octets[MAC_LEN_MAX];

	assert(tsig->at >= HEADER_OCTETS && tsig->at <= message->wire.len);
	digest_message(running, message->wire, tsig);
	if (timers_only)
		digest_timers(running, tsig);
	else
		digest_variables(running, key, tsig);
	if (!mac_end(running, octets)) return TSIG_FAILED;
	bool right = secret_equal(span_of(octets, tsig->mac.len), tsig->mac);
	secret_wipe(octets, sizeof octets);
	return right ? TSIG_OK : TSIG_BADSIG;
}

struct tsig_check tsig_verify_request(struct crypto *crypto, const struct tsig_key *key,
				      const struct message *message, const struct tsig *tsig,
				      uint64_t now_unix_s)
{
	struct tsig_check check = {0};

	if (!tsig->present) return (struct tsig_check){.verdict = TSIG_NONE};
	if (!key || !tsig_is_of_key(tsig, key)) return (struct tsig_check){.verdict = TSIG_BADKEY};
	if (!mac_len_is_allowed(key->algorithm, tsig->mac.len))
		return (struct tsig_check){.verdict = TSIG_FORMERR};
	check.verdict = mac_check(mac_begin_borrowed(crypto, key), false, key, message, tsig);
	if (check.verdict) return check;
	check.proven = true;
	check.verdict = time_check(tsig, now_unix_s, &check.peer_ahead_s);
	return check;
}

/* What the peer found wrong, once its MAC is proven; its clock from the other data. */
static struct tsig_check error_check(const struct tsig *tsig, uint64_t now_unix_s)
{
	struct tsig_check check = {.proven = true, .said_by_peer = true};
	struct reader other = reader_of(tsig->other);

	switch (tsig->error) {
	case TSIG_ERROR_BADTIME:
		check.verdict = TSIG_BADTIME;
		check.peer_ahead_s = (int64_t)read_u48(&other) - (int64_t)now_unix_s;
		if (reader_done(&other)) return check;
		return (struct tsig_check){.verdict = TSIG_FORMERR, .proven = true};
	case TSIG_ERROR_BADTRUNC: check.verdict = TSIG_BADTRUNC; break;
	case TSIG_ERROR_BADKEY: check.verdict = TSIG_BADKEY; break;
	case TSIG_ERROR_BADSIG: check.verdict = TSIG_BADSIG; break;
	default: check.verdict = TSIG_FORMERR; break;
	}
	return check;
}

/* One signed message of a response; `running` has taken what comes before it. */
static struct tsig_check response_check(struct mac *running, bool timers_only,
					const struct tsig_key *key, const struct message *message,
					const struct tsig *tsig, uint64_t now_unix_s)
{
	struct tsig_check check = {0};

	if (!tsig_is_of_key(tsig, key)) return (struct tsig_check){.verdict = TSIG_BADKEY};
	if (tsig->mac.len == 0 &&
	    (tsig->error == TSIG_ERROR_BADKEY || tsig->error == TSIG_ERROR_BADSIG)) {
		check = error_check(tsig, now_unix_s);
		check.proven = false;
		return check;
	}
	if (!mac_len_is_allowed(key->algorithm, tsig->mac.len))
		return (struct tsig_check){.verdict = TSIG_FORMERR};
	check.verdict = mac_check(running, timers_only, key, message, tsig);
	if (check.verdict) return check;
	if (tsig->error) return error_check(tsig, now_unix_s);
	check.proven = true;
	check.verdict = time_check(tsig, now_unix_s, &check.peer_ahead_s);
	return check;
}

struct tsig_check tsig_verify_response(struct crypto *crypto, const struct tsig_key *key,
				       const struct tsig_mac *request_mac,
				       const struct message *message, const struct tsig *tsig,
				       uint64_t now_unix_s)
{
	if (!tsig->present) return (struct tsig_check){.verdict = TSIG_NONE};
	struct mac *running = mac_begin_borrowed(crypto, key);
	digest_prior(running, request_mac);
	return response_check(running, false, key, message, tsig, now_unix_s);
}

enum code tsig_stream_begin(struct tsig_stream *stream, struct crypto *crypto,
			    const struct tsig_key *key, const struct tsig_mac *request_mac)
{
	*stream = (struct tsig_stream){
		.crypto = crypto,
		.key = key,
		.running = mac_new(crypto, tsig_digest(key->algorithm)),
	};
	if (!stream->running) return E_NOMEM;
	mac_begin(stream->running, key->secret);
	digest_prior(stream->running, request_mac);
	return OK;
}

void tsig_stream_end(struct tsig_stream *stream)
{
	mac_free(stream->running);
	stream->running = NULL;
}

/* A signed message is behind us: its MAC is the first thing the next one covers. */
static void tsig_stream_go_on(struct tsig_stream *stream, const struct tsig_mac *mac)
{
	stream->begun = true;
	stream->unsigned_count = 0;
	mac_begin_again(stream->running);
	digest_prior(stream->running, mac);
}

enum code tsig_stream_sign(struct tsig_stream *stream, bool sign, uint64_t now_unix_s,
			   struct writer *message)
{
	struct tsig tsig = {.time_signed_unix_s = now_unix_s, .fudge_s = TSIG_FUDGE_S};
	struct tsig_mac mac;
	enum code code;

	if (!sign && stream->begun && stream->unsigned_count < TSIG_UNSIGNED_COUNT_MAX) {
		stream->unsigned_count++;
		mac_add(stream->running, writer_span(message));
		return OK;
	}
	code = tsig_sign(stream->running, stream->begun, stream->key, &tsig, message, &mac);
	if (!code) tsig_stream_go_on(stream, &mac);
	return code;
}

struct tsig_check tsig_stream_verify(struct tsig_stream *stream, const struct message *message,
				     const struct tsig *tsig, uint64_t now_unix_s)
{
	struct tsig_check check = {.verdict = stream->verdict};
	struct tsig_mac mac;

	if (check.verdict) return check;
	if (!tsig->present) {
		if (!stream->begun || ++stream->unsigned_count > TSIG_UNSIGNED_COUNT_MAX)
			check.verdict = stream->verdict = TSIG_NONE;
		else
			mac_add(stream->running, message->wire);
		return check;
	}
	check = response_check(stream->running, stream->begun, stream->key, message, tsig,
			       now_unix_s);
	stream->verdict = check.verdict;
	if (check.verdict) return check;
	tsig_mac_keep(tsig, &mac);
	tsig_stream_go_on(stream, &mac);
	return check;
}
