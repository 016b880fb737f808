/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever is signed verifies, as request, response and stream; a flipped bit does not,
 * but for the header's id, which a forwarder may change, and the case of the two names.
 * Input: algorithm, key of one octet, two octets that choose the bit, and a message.
 */
#include "fuzz.h"

#include "dns/message_query.h"

#include <assert.h>

#define TIME UINT64_C(1700000000)

static struct crypto *crypto;

static bool meta_read(struct span wire, struct message *message, struct tsig *tsig)
{
	struct edns edns;

	return message_parse(wire, message) &&
	       message_read_meta(message, &edns, tsig) == RCODE_NOERROR;
}

static bool is_free_to_change(const struct tsig *tsig, const struct tsig_key *key, size_t at,
			      uint8_t mask)
{
	size_t owner_end = tsig->at + key->name.len, algorithm_at = owner_end + 10;

	if (at < 2) return true;
	if (mask != 0x20) return false;
	return (at >= tsig->at && at < owner_end) ||
	       (at >= algorithm_at && at < algorithm_at + tsig->algorithm.len);
}

static void flip_and_verify(struct span wire, const struct tsig *tsig, const struct tsig_key *key,
			    uint16_t choice)
{
	static uint8_t copy[MESSAGE_OCTETS_MAX];
	size_t at = tsig->at + choice / 8 % (wire.len - tsig->at);
	uint8_t mask = (uint8_t)(1 << choice % 8);
	struct message message;
	struct tsig flipped;

	if (choice & 0x8000) at = choice / 8 % wire.len;
	memcpy(copy, wire.ptr, wire.len);
	copy[at] ^= mask;
	if (!meta_read(span_of(copy, wire.len), &message, &flipped) || !flipped.present) return;
	struct tsig_check check = tsig_verify_request(crypto, tsig_key_find(key, 1, &flipped),
						      &message, &flipped, TIME);
	assert(check.verdict != TSIG_OK || is_free_to_change(tsig, key, at, mask));
}

/* The message as first and, unsigned, second and third of a stream. */
static void stream_of(struct span plain, const struct tsig_key *key, const struct tsig_mac *mac)
{
	static uint8_t room[MESSAGE_OCTETS_MAX];
	struct tsig_stream out, in;
	struct message message;
	struct tsig tsig;

	enum code code = tsig_stream_begin(&out, crypto, key, mac);
	assert(!code);
	code = tsig_stream_begin(&in, crypto, key, mac);
	assert(!code);
	for (int i = 0; i < 4; i++) {
		struct writer w = writer_of(room, sizeof room);

		write_span(&w, plain);
		code = tsig_stream_sign(&out, i == 3, TIME, &w);
		assert(!code);
		bool read = meta_read(writer_span(&w), &message, &tsig);
		assert(read && tsig.present == (i == 0 || i == 3));
		struct tsig_check check = tsig_stream_verify(&in, &message, &tsig, TIME);
		assert(check.verdict == TSIG_OK && check.proven == tsig.present);
	}
	tsig_stream_end(&out);
	tsig_stream_end(&in);
}

static void sign_and_verify(struct span plain, const struct tsig_key *key, uint16_t choice)
{
	static uint8_t room[MESSAGE_OCTETS_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct message message;
	struct tsig request, response;
	struct tsig_mac mac;

	if (!meta_read(plain, &message, &request) || request.present) return;
	write_span(&w, plain);
	if (tsig_sign_request(crypto, key, TIME, &w, &mac)) return;
	bool read = meta_read(writer_span(&w), &message, &request);
	assert(read && request.present);
	struct tsig_check check = tsig_verify_request(crypto, key, &message, &request, TIME);
	assert(check.verdict == TSIG_OK && check.proven);
	flip_and_verify(writer_span(&w), &request, key, choice);
	stream_of(plain, key, &mac);

	static uint8_t answer[MESSAGE_OCTETS_MAX];
	w = writer_of(answer, sizeof answer);
	write_span(&w, plain);
	enum code code = tsig_sign_response(crypto, key, &request, TSIG_OK, TIME, &w);
	assert(!code);
	read = meta_read(writer_span(&w), &message, &response);
	assert(read && response.present);
	check = tsig_verify_response(crypto, key, &mac, &message, &response, TIME);
	assert(check.verdict == TSIG_OK);
	check = tsig_verify_request(crypto, key, &message, &response, TIME);
	assert(check.verdict == TSIG_BADSIG);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	uint8_t algorithm = read_u8(&r);
	uint8_t secret[1] = {read_u8(&r)};
	uint16_t choice = read_u16(&r);
	struct tsig_key key = {
		.name = {.wire = (const uint8_t *)"\3Key\4test", .len = 10},
		.algorithm = algorithm % TSIG_ALGORITHM_COUNT,
		.secret = span_of(secret, sizeof secret),
		.label = "key.test",
	};

	if (!crypto) crypto = crypto_new(NULL);
	assert(crypto);
	struct span plain = read_rest(&r);
	if (plain.len + tsig_octets(&key) <= MESSAGE_OCTETS_MAX)
		sign_and_verify(plain, &key, choice);
	return 0;
}
