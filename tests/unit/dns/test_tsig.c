/* SPDX-License-Identifier: Apache-2.0 */
#include "message_help.h"
#include "tsig_vectors.h"

#include "base/encoding.h"

#define TIME UINT64_C(1700000000)

static const uint8_t secret[32] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
				   17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};

static struct crypto *crypto;

static struct tsig_key key_of(enum tsig_algorithm algorithm)
{
	return (struct tsig_key){.name = name_literal(OCTETS("\10Transfer\3Key\4test\0")),
				 .algorithm = algorithm,
				 .secret = span_of(secret, sizeof secret),
				 .label = "transfer.key.test"};
}

/* A message in octets of its own, with its TSIG. */
struct sample {
	uint8_t octets[2048];
	struct writer w;
	struct message message;
	struct edns edns;
	struct tsig tsig;
};

static void sample_parse(struct sample *sample)
{
	CHECK(message_parse(writer_span(&sample->w), &sample->message));
	CHECK(message_read_meta(&sample->message, &sample->edns, &sample->tsig) == RCODE_NOERROR);
}

static void sample_read(struct sample *sample, const char *hex)
{
	sample->w = writer_of(sample->octets, sizeof sample->octets);
	CHECK(base16_decode(span_of_text(hex), &sample->w));
	sample_parse(sample);
}

/* The message as it was before TSIG was added. */
static void sample_strip(struct sample *sample)
{
	CHECK(sample->tsig.present);
	writer_rewind(&sample->w, sample->tsig.at);
	patch_u16(&sample->w, 10, (uint16_t)(sample->message.header.count[SECTION_ADDITIONAL] - 1));
}

static bool sample_is(const struct sample *sample, const char *hex)
{
	uint8_t octets[2048];
	struct writer w = writer_of(octets, sizeof octets);

	return base16_decode(span_of_text(hex), &w) &&
	       span_equal(writer_span(&w), writer_span(&sample->w));
}

/* A plain query, and its response, to be signed. */
static void sample_query(struct sample *sample)
{
	sample->w = writer_of(sample->octets, sizeof sample->octets);
	put_query(&sample->w, 0);
}

static void sample_response(struct sample *sample, uint8_t host)
{
	uint8_t address[4] = {192, 0, 2, host};

	sample->w = writer_of(sample->octets, sizeof sample->octets);
	put_header(&sample->w, 0x8400, 1, 1, 0, 0);
	write_span(&sample->w, OCTETS(QUESTION));
	put_record(&sample->w, OCTETS("\xc0\x0c"), RRTYPE_A, CLASS_IN, 60, span_of(address, 4));
}

static struct tsig_check request_check(const struct sample *sample, const struct tsig_key *key,
				       uint64_t now)
{
	return tsig_verify_request(crypto, key, &sample->message, &sample->tsig, now);
}

static const struct vector {
	enum tsig_algorithm algorithm;
	const char *request, *response;
} vectors[] = {
	{TSIG_HMAC_SHA1, hmac_sha1_request, hmac_sha1_response},
	{TSIG_HMAC_SHA224, hmac_sha224_request, hmac_sha224_response},
	{TSIG_HMAC_SHA256, hmac_sha256_request, hmac_sha256_response},
	{TSIG_HMAC_SHA384, hmac_sha384_request, hmac_sha384_response},
	{TSIG_HMAC_SHA512, hmac_sha512_request, hmac_sha512_response},
	{TSIG_HMAC_SHA256_128, hmac_sha256_128_request, hmac_sha256_128_response},
	{TSIG_HMAC_SHA384_192, hmac_sha384_192_request, hmac_sha384_192_response},
	{TSIG_HMAC_SHA512_256, hmac_sha512_256_request, hmac_sha512_256_response},
};

TEST(what_dnspython_signs_verifies_with_every_algorithm)
{
	CHECK(ARRAY_COUNT(vectors) == TSIG_ALGORITHM_COUNT);
	for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
		struct tsig_key key = key_of(vectors[i].algorithm);
		struct sample request, response;
		struct tsig_mac mac;

		key.name = name_literal(OCTETS("\10tRANSFER\3key\4TEST\0"));
		sample_read(&request, vectors[i].request);
		CHECK(tsig_key_find(&key, 1, &request.tsig) == &key);
		struct tsig_check check = request_check(&request, &key, TIME);
		CHECK(check.verdict == TSIG_OK && check.proven && !check.said_by_peer);
		tsig_mac_keep(&request.tsig, &mac);
		CHECK(mac.len == tsig_mac_len(vectors[i].algorithm));
		sample_read(&response, vectors[i].response);
		check = tsig_verify_response(crypto, &key, &mac, &response.message, &response.tsig,
					     TIME);
		CHECK(check.verdict == TSIG_OK && check.proven);
		mac.octets[0] ^= 1;
		check = tsig_verify_response(crypto, &key, &mac, &response.message, &response.tsig,
					     TIME);
		CHECK(check.verdict == TSIG_BADSIG && !check.proven);
	}
}

TEST(what_we_sign_is_octet_for_octet_what_dnspython_signs)
{
	for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
		struct tsig_key key = key_of(vectors[i].algorithm);
		struct sample request, response;
		struct tsig_mac mac;

		sample_read(&request, vectors[i].request);
		sample_strip(&request);
		CHECK(tsig_sign_request(crypto, &key, TIME, &request.w, &mac) == OK);
		CHECK(sample_is(&request, vectors[i].request));
		sample_parse(&request);
		CHECK(mac.len == request.tsig.mac.len);
		CHECK(memcmp(mac.octets, request.tsig.mac.ptr, mac.len) == 0);
		sample_read(&response, vectors[i].response);
		sample_strip(&response);
		CHECK(tsig_sign_response(crypto, &key, &request.tsig, TSIG_OK, TIME, &response.w) ==
		      OK);
		CHECK(sample_is(&response, vectors[i].response));
	}
}

static const char *const stream_vectors[] = {stream_1_signed, stream_2_unsigned, stream_3_unsigned,
					     stream_4_signed, stream_5_signed};
static const bool stream_is_signed[] = {true, false, false, true, true};

/* RFC 8945 5.3.1. */
TEST(a_stream_of_dnspython_with_unsigned_messages_verifies)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct tsig_stream stream;
	struct sample sample;
	struct tsig_mac mac;

	sample_read(&sample, hmac_sha256_request);
	tsig_mac_keep(&sample.tsig, &mac);
	CHECK(tsig_stream_begin(&stream, crypto, &key, &mac) == OK);
	for (size_t i = 0; i < 5; i++) {
		sample_read(&sample, stream_vectors[i]);
		struct tsig_check check =
			tsig_stream_verify(&stream, &sample.message, &sample.tsig, TIME);
		CHECK(check.verdict == TSIG_OK && check.proven == stream_is_signed[i]);
	}
	tsig_stream_end(&stream);
}

TEST(a_stream_that_we_sign_is_octet_for_octet_that_of_dnspython)
{
	static const uint64_t times[] = {TIME, TIME, TIME, TIME + 1, TIME + 2};
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct tsig_stream stream;
	struct sample sample;
	struct tsig_mac mac;

	sample_read(&sample, hmac_sha256_request);
	tsig_mac_keep(&sample.tsig, &mac);
	CHECK(tsig_stream_begin(&stream, crypto, &key, &mac) == OK);
	for (size_t i = 0; i < 5; i++) {
		sample_read(&sample, stream_vectors[i]);
		if (stream_is_signed[i]) sample_strip(&sample);
		CHECK(tsig_stream_sign(&stream, i > 0 && stream_is_signed[i], times[i],
				       &sample.w) == OK);
		CHECK(sample_is(&sample, stream_vectors[i]));
	}
	tsig_stream_end(&stream);
}

/* A stream from us to us: `drop`, `flip` and `swap` name a message to tamper with, -1 none. */
static enum tsig_verdict stream_verdict(int drop, int flip, int swap)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA512);
	struct tsig_mac mac = {.len = 64};
	struct tsig_stream out, in;
	static struct sample samples[6];
	struct tsig_check check = {0};

	CHECK(tsig_stream_begin(&out, crypto, &key, &mac) == OK);
	CHECK(tsig_stream_begin(&in, crypto, &key, &mac) == OK);
	for (int i = 0; i < 6; i++) {
		sample_response(&samples[i], (uint8_t)i);
		CHECK(tsig_stream_sign(&out, i == 3 || i == 5, TIME, &samples[i].w) == OK);
	}
	for (int i = 0; i < 6; i++) {
		int which = i == swap ? i + 1 : swap >= 0 && i == swap + 1 ? swap : i;

		if (which == drop) continue;
		if (which == flip) samples[which].octets[HEADER_OCTETS + 1] ^= 1;
		sample_parse(&samples[which]);
		check = tsig_stream_verify(&in, &samples[which].message, &samples[which].tsig,
					   TIME);
		if (check.verdict) break;
	}
	tsig_stream_end(&out);
	tsig_stream_end(&in);
	return check.verdict;
}

TEST(no_message_of_a_stream_can_be_lost_changed_or_moved)
{
	CHECK(stream_verdict(-1, -1, -1) == TSIG_OK);
	CHECK(stream_verdict(0, -1, -1) == TSIG_NONE);
	for (int i = 1; i < 5; i++) CHECK(stream_verdict(i, -1, -1) == TSIG_BADSIG);
	for (int i = 0; i < 6; i++) CHECK(stream_verdict(-1, i, -1) == TSIG_BADSIG);
	for (int i = 1; i < 5; i++) CHECK(stream_verdict(-1, -1, i) == TSIG_BADSIG);
}

TEST(a_stream_that_failed_stays_failed)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct tsig_mac mac = {.len = 32};
	struct tsig_stream stream;
	struct sample sample;

	CHECK(tsig_stream_begin(&stream, crypto, &key, &mac) == OK);
	sample_read(&sample, stream_1_signed);
	for (int i = 0; i < 3; i++)
		CHECK(tsig_stream_verify(&stream, &sample.message, &sample.tsig, TIME).verdict ==
		      TSIG_BADSIG);
	tsig_stream_end(&stream);
	tsig_stream_end(&stream);
}

/* RFC 8945 5.3.1: 99 are allowed, the hundredth is not, and we never send it. */
TEST(at_most_99_messages_in_a_row_are_unsigned)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA1);
	struct tsig_mac mac = {.len = 20};
	struct tsig_stream out, in, lax;
	struct sample sample;
	struct tsig_check check = {0};

	CHECK(tsig_stream_begin(&out, crypto, &key, &mac) == OK);
	CHECK(tsig_stream_begin(&in, crypto, &key, &mac) == OK);
	CHECK(tsig_stream_begin(&lax, crypto, &key, &mac) == OK);
	for (unsigned i = 0; i <= 300; i++) {
		sample_response(&sample, (uint8_t)i);
		CHECK(tsig_stream_sign(&out, false, TIME, &sample.w) == OK);
		sample_parse(&sample);
		CHECK(sample.tsig.present == (i % 100 == 0));
		check = tsig_stream_verify(&in, &sample.message, &sample.tsig, TIME);
		CHECK(check.verdict == TSIG_OK && check.proven == (i % 100 == 0));
		if (i == 0) check = tsig_stream_verify(&lax, &sample.message, &sample.tsig, TIME);
	}
	sample_response(&sample, 1);
	sample_parse(&sample);
	for (unsigned i = 1; i <= 100; i++) {
		check = tsig_stream_verify(&lax, &sample.message, &sample.tsig, TIME);
		CHECK(check.verdict == (i < 100 ? TSIG_OK : TSIG_NONE) && !check.proven);
	}
	tsig_stream_end(&out);
	tsig_stream_end(&in);
	tsig_stream_end(&lax);
}

TEST(the_first_message_of_a_stream_is_signed_even_unasked)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct tsig_mac mac = {.len = 32};
	struct tsig_stream stream;
	struct sample sample;

	sample_response(&sample, 1);
	sample_parse(&sample);
	CHECK(tsig_stream_begin(&stream, crypto, &key, &mac) == OK);
	CHECK(tsig_stream_verify(&stream, &sample.message, &sample.tsig, TIME).verdict ==
	      TSIG_NONE);
	tsig_stream_end(&stream);
	CHECK(tsig_stream_begin(&stream, crypto, &key, &mac) == OK);
	CHECK(tsig_stream_sign(&stream, false, TIME, &sample.w) == OK);
	sample_parse(&sample);
	CHECK(sample.tsig.present);
	tsig_stream_end(&stream);
}

TEST(a_request_without_tsig_or_with_an_unknown_key_is_told_so)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct tsig_key wrong[] = {key_of(TSIG_HMAC_SHA384), key_of(TSIG_HMAC_SHA256)};
	struct sample sample;

	wrong[1].name = name_literal(OCTETS("\10Transfer\3Kez\4test\0"));
	sample_query(&sample);
	sample_parse(&sample);
	CHECK(request_check(&sample, &key, TIME).verdict == TSIG_NONE);
	sample_read(&sample, hmac_sha256_request);
	CHECK(tsig_key_find(wrong, 2, &sample.tsig) == NULL);
	CHECK(request_check(&sample, NULL, TIME).verdict == TSIG_BADKEY);
	CHECK(request_check(&sample, &wrong[0], TIME).verdict == TSIG_BADKEY);
}

TEST(a_wrong_secret_is_a_badsig)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct sample sample;
	uint8_t other[32];

	memcpy(other, secret, sizeof other);
	other[31] ^= 1;
	key.secret = span_of(other, sizeof other);
	sample_read(&sample, hmac_sha256_request);
	struct tsig_check check = request_check(&sample, &key, TIME);
	CHECK(check.verdict == TSIG_BADSIG && !check.proven);
	key.secret = span_of(secret, 31);
	CHECK(request_check(&sample, &key, TIME).verdict == TSIG_BADSIG);
}

/* RFC 8945 5.2.3. */
TEST(a_clock_may_differ_by_the_fudge_and_the_difference_is_told)
{
	static const struct {
		int64_t now;
		enum tsig_verdict verdict;
		int64_t ahead;
	} clocks[] = {
		{0, TSIG_OK, 0},           {300, TSIG_OK, 0},         {-300, TSIG_OK, 0},
		{301, TSIG_BADTIME, -301}, {-412, TSIG_BADTIME, 412},
	};
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct sample sample;

	sample_read(&sample, hmac_sha256_request);
	for (size_t i = 0; i < ARRAY_COUNT(clocks); i++) {
		struct tsig_check check =
			request_check(&sample, &key, TIME + (uint64_t)clocks[i].now);

		CHECK(check.verdict == clocks[i].verdict && check.proven);
		CHECK(check.peer_ahead_s == clocks[i].ahead);
	}
}

/* RFC 8945 5.2: a wrong MAC is a BADSIG whatever the time says. */
TEST(time_is_looked_at_only_when_the_mac_is_right)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct sample sample;

	sample_read(&sample, hmac_sha256_request);
	sample.octets[sample.tsig.at - 1] ^= 1;
	CHECK(request_check(&sample, &key, TIME + 1000).verdict == TSIG_BADSIG);
}

/* RFC 8945 5.2.3: signed, the client's time, the server's in the other data. */
TEST(badtime_is_answered_as_dnspython_does_and_tells_the_clock)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct sample request, response;
	struct tsig_mac mac;

	sample_read(&request, hmac_sha256_request);
	tsig_mac_keep(&request.tsig, &mac);
	sample_read(&response, badtime_response);
	struct tsig_check check =
		tsig_verify_response(crypto, &key, &mac, &response.message, &response.tsig, TIME);
	CHECK(check.verdict == TSIG_BADTIME && check.proven && check.said_by_peer);
	CHECK(check.peer_ahead_s == 412);
	sample_strip(&response);
	CHECK(tsig_sign_response(crypto, &key, &request.tsig, TSIG_BADTIME, TIME + 412,
				 &response.w) == OK);
	CHECK(sample_is(&response, badtime_response));
}

/* RFC 8945 5.2.1, 5.2.2 and 5.3.2. */
TEST(badkey_and_badsig_are_answered_without_a_mac)
{
	static const struct {
		enum tsig_verdict verdict;
		uint16_t error;
	} errors[] = {{TSIG_BADKEY, TSIG_ERROR_BADKEY}, {TSIG_BADSIG, TSIG_ERROR_BADSIG}};
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);

	for (size_t i = 0; i < 2; i++) {
		struct sample request, response;
		struct tsig_mac mac;

		sample_read(&request, hmac_sha256_request);
		tsig_mac_keep(&request.tsig, &mac);
		sample_response(&response, 1);
		CHECK(tsig_sign_response(crypto, NULL, &request.tsig, errors[i].verdict, TIME,
					 &response.w) == OK);
		sample_parse(&response);
		CHECK(response.tsig.present && response.tsig.mac.len == 0);
		CHECK(response.tsig.error == errors[i].error);
		struct tsig_check check = tsig_verify_response(
			crypto, &key, &mac, &response.message, &response.tsig, TIME);
		CHECK(check.verdict == errors[i].verdict);
		CHECK(check.said_by_peer && !check.proven);
	}
}

TEST(badtrunc_is_answered_signed_and_other_verdicts_add_nothing)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct sample request, response;
	struct tsig_mac mac;

	sample_read(&request, hmac_sha256_request);
	tsig_mac_keep(&request.tsig, &mac);
	sample_response(&response, 1);
	CHECK(tsig_sign_response(crypto, &key, &request.tsig, TSIG_BADTRUNC, TIME, &response.w) ==
	      OK);
	sample_parse(&response);
	struct tsig_check check =
		tsig_verify_response(crypto, &key, &mac, &response.message, &response.tsig, TIME);
	CHECK(check.verdict == TSIG_BADTRUNC && check.proven && check.said_by_peer);

	sample_response(&response, 1);
	size_t before = response.w.len;
	CHECK(tsig_sign_response(crypto, &key, &request.tsig, TSIG_NONE, TIME, &response.w) == OK);
	CHECK(tsig_sign_response(crypto, &key, &request.tsig, TSIG_FORMERR, TIME, &response.w) ==
	      OK);
	CHECK(response.w.len == before);
}

TEST(an_error_field_counts_as_the_peers_word_only_if_the_mac_is_right_or_absent)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct sample request, response;
	struct tsig_mac mac;

	sample_read(&request, hmac_sha256_request);
	tsig_mac_keep(&request.tsig, &mac);
	sample_read(&response, hmac_sha256_response);
	response.octets[response.w.len - 3] = TSIG_ERROR_BADKEY;
	sample_parse(&response);
	CHECK(response.tsig.error == TSIG_ERROR_BADKEY);
	struct tsig_check check =
		tsig_verify_response(crypto, &key, &mac, &response.message, &response.tsig, TIME);
	CHECK(check.verdict == TSIG_BADSIG && !check.said_by_peer && !check.proven);
}

TEST(badtime_is_answered_with_the_fudge_of_the_request)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct sample request, response;

	sample_read(&request, hmac_sha256_request);
	request.tsig.fudge_s = 77;
	sample_response(&response, 1);
	CHECK(tsig_sign_response(crypto, &key, &request.tsig, TSIG_BADTIME, TIME + 78,
				 &response.w) == OK);
	sample_parse(&response);
	CHECK(response.tsig.fudge_s == 77 && response.tsig.time_signed_unix_s == TIME);
}

TEST(a_response_without_tsig_or_of_another_key_is_not_taken)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256), other = key_of(TSIG_HMAC_SHA384);
	struct tsig_mac mac = {.len = 32};
	struct sample sample;

	sample_response(&sample, 1);
	sample_parse(&sample);
	CHECK(tsig_verify_response(crypto, &key, &mac, &sample.message, &sample.tsig, TIME)
		      .verdict == TSIG_NONE);
	sample_read(&sample, hmac_sha256_response);
	struct tsig_check check =
		tsig_verify_response(crypto, &other, &mac, &sample.message, &sample.tsig, TIME);
	CHECK(check.verdict == TSIG_BADKEY && !check.said_by_peer);
}

/* A query with a TSIG whose MAC is the first `mac_len` octets of the right one, or longer. */
static void sample_with_mac_len(struct sample *sample, enum tsig_algorithm algorithm,
				size_t mac_len)
{
	struct tsig_key key = key_of(algorithm);
	uint8_t rdata[512], mac[256] = {0};
	struct writer w = writer_of(rdata, sizeof rdata);
	struct name_buffer name;
	struct tsig_mac right;

	sample_query(sample);
	CHECK(tsig_sign_request(crypto, &key, TIME, &sample->w, &right) == OK);
	sample_parse(sample);
	sample_strip(sample);
	memcpy(mac, right.octets, right.len);
	tsig_algorithm_name(algorithm, &name);
	write_bytes(&w, name.wire, name.len);
	write_u48(&w, TIME);
	write_u16(&w, TSIG_FUDGE_S);
	write_u16(&w, (uint16_t)mac_len);
	write_bytes(&w, mac, mac_len);
	write_u16(&w, sample->message.header.id);
	write_u32(&w, 0);
	put_record(&sample->w, span_of(key.name.wire, key.name.len), RRTYPE_TSIG, CLASS_ANY, 0,
		   writer_span(&w));
	patch_u16(&sample->w, 10, 1);
	sample_parse(sample);
}

/* Case A4; RFC 8945 5.2.2.1. */
TEST(a4_a_mac_is_whole_or_at_least_half_and_ten_octets)
{
	static const struct {
		enum tsig_algorithm algorithm;
		size_t min, max;
	} rows[] = {
		{TSIG_HMAC_SHA1, 10, 20},       {TSIG_HMAC_SHA224, 14, 28},
		{TSIG_HMAC_SHA256, 16, 32},     {TSIG_HMAC_SHA384, 24, 48},
		{TSIG_HMAC_SHA512, 32, 64},     {TSIG_HMAC_SHA256_128, 16, 16},
		{TSIG_HMAC_SHA384_192, 24, 24}, {TSIG_HMAC_SHA512_256, 32, 32},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct tsig_key key = key_of(rows[i].algorithm);

		for (size_t len = 0; len <= 200; len++) {
			bool allowed = len >= rows[i].min && len <= rows[i].max;
			struct sample sample;

			sample_with_mac_len(&sample, rows[i].algorithm, len);
			struct tsig_check check = request_check(&sample, &key, TIME);
			CHECK(check.verdict == (allowed ? TSIG_OK : TSIG_FORMERR));
			CHECK(check.proven == allowed);
		}
	}
}

/* The request's MAC enters the response's as it came, cut (RFC 8945 5.3). */
TEST(the_answer_to_a_cut_mac_covers_the_cut_one)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct sample request, response;
	struct tsig_mac mac;

	sample_with_mac_len(&request, TSIG_HMAC_SHA256, 16);
	tsig_mac_keep(&request.tsig, &mac);
	CHECK(mac.len == 16);
	sample_response(&response, 1);
	CHECK(tsig_sign_response(crypto, &key, &request.tsig, TSIG_OK, TIME, &response.w) == OK);
	sample_parse(&response);
	CHECK(response.tsig.mac.len == 32);
	CHECK(tsig_verify_response(crypto, &key, &mac, &response.message, &response.tsig, TIME)
		      .verdict == TSIG_OK);
}

/* Case A4: CVE-2020-8622 and others. */
TEST(a4_tsig_stands_once_at_the_end_and_is_well_formed)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct sample sample;
	struct tsig_mac mac;
	struct query query;

	sample_query(&sample); /* twice */
	CHECK(tsig_sign_request(crypto, &key, TIME, &sample.w, &mac) == OK);
	CHECK(request_rcode(&sample.w, &query) == RCODE_NOERROR && query.tsig.present);
	CHECK(tsig_sign_request(crypto, &key, TIME, &sample.w, &mac) == OK);
	CHECK(request_rcode(&sample.w, &query) == RCODE_FORMERR && !query.tsig.present);

	sample_query(&sample); /* before OPT */
	CHECK(tsig_sign_request(crypto, &key, TIME, &sample.w, &mac) == OK);
	put_opt(&sample.w, OCTETS(""));
	patch_u16(&sample.w, 10, 2);
	CHECK(request_rcode(&sample.w, &query) == RCODE_FORMERR);

	sample_query(&sample); /* in another section */
	CHECK(tsig_sign_request(crypto, &key, TIME, &sample.w, &mac) == OK);
	patch_u16(&sample.w, 10, 0);
	patch_u16(&sample.w, 6, 1);
	CHECK(request_rcode(&sample.w, &query) == RCODE_FORMERR);

	static const size_t behind_name[] = {2, 4}; /* class, TTL */
	for (size_t i = 0; i < ARRAY_COUNT(behind_name); i++) {
		sample_read(&sample, hmac_sha256_request);
		sample.octets[sample.tsig.at + key.name.len + behind_name[i]] ^= 1;
		CHECK(request_rcode(&sample.w, &query) == RCODE_FORMERR);
	}
}

/* Case A4: every length inside the record, one too small and one too large. */
TEST(a4_truncated_fields_are_a_formerr)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct sample sample;
	struct query query;

	sample_read(&sample, hmac_sha256_request);
	size_t rdata_len_at = sample.tsig.at + key.name.len + 8;
	const size_t lengths[] = {rdata_len_at, sample.w.len - 6 - 32 - 2, sample.w.len - 2};
	for (size_t i = 0; i < ARRAY_COUNT(lengths); i++)
		for (int by = -1; by <= 1; by += 2) {
			sample_read(&sample, hmac_sha256_request);
			uint8_t *low = &sample.octets[lengths[i] + 1];
			*low = (uint8_t)(*low + by);
			CHECK(request_rcode(&sample.w, &query) == RCODE_FORMERR);
			CHECK(!query.tsig.present);
		}
	sample_read(&sample, hmac_sha256_request);
	sample.octets[rdata_len_at + 2] = 0xc0; /* the algorithm's name compressed */
	CHECK(request_rcode(&sample.w, &query) == RCODE_FORMERR);
	for (size_t len = sample.w.len; len > HEADER_OCTETS; len--) {
		struct writer cut = writer_of(sample.octets, sizeof sample.octets);
		cut.len = len - 1;
		CHECK(request_rcode(&cut, &query) == RCODE_FORMERR && !query.tsig.present);
	}
}

/* Case A4: what a server signed cannot be sent back to it as a request. */
TEST(a4_a_badtime_answer_is_no_request)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct sample sample;
	struct query query;

	sample_read(&sample, badtime_response);
	CHECK(query_parse(writer_span(&sample.w), &query) == QUERY_IGNORE);
	sample.octets[2] &= 0x7f;
	CHECK(request_rcode(&sample.w, &query) == RCODE_NOERROR);
	CHECK(tsig_verify_request(crypto, &key, &query.message, &query.tsig, TIME).verdict ==
	      TSIG_BADSIG);
}

/*
 * All but two octets are covered: a forwarder may change the id in the header, and the
 * letters of the two names count without their case (RFC 8945 4.3.2, 4.3.3).
 */
TEST(a_flipped_bit_never_verifies)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA256);
	struct sample sample;
	unsigned passed = 0;

	sample_read(&sample, hmac_sha256_request);
	size_t rdata_at = sample.tsig.at + key.name.len + 10, len = sample.w.len;
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct query query;
		size_t at = bit / 8;
		bool is_name = (at >= sample.tsig.at && at < sample.tsig.at + key.name.len) ||
			       (at >= rdata_at && at < rdata_at + 13);
		uint8_t mask = (uint8_t)(1 << bit % 8);

		sample_read(&sample, hmac_sha256_request);
		sample.octets[at] ^= mask;
		if (query_parse(writer_span(&sample.w), &query) != QUERY_OK) continue;
		if (!query.tsig.present) continue;
		const struct tsig_key *found = tsig_key_find(&key, 1, &query.tsig);
		if (tsig_verify_request(crypto, found, &query.message, &query.tsig, TIME).verdict)
			continue;
		CHECK(at < 2 || (is_name && mask == 0x20));
		passed++;
	}
	CHECK(passed == 16 + 15 + 7); /* the id; letters of the key; letters of hmac-sha256 */
}

TEST(signing_leaves_the_message_alone_when_there_is_no_room)
{
	struct tsig_key key = key_of(TSIG_HMAC_SHA512_256);
	struct sample sample;
	struct tsig_mac mac;

	sample_query(&sample);
	size_t before = sample.w.len, needed = tsig_octets(&key) - 6;
	for (size_t room = 0; room <= needed; room++) {
		sample_query(&sample);
		sample.w.cap = before + room;
		enum code code = tsig_sign_request(crypto, &key, TIME, &sample.w, &mac);
		CHECK(code == (room < needed ? E_LIMIT : OK));
		CHECK(sample.w.len == before + (code ? 0 : needed) && !sample.w.overflow);
		CHECK(sample.octets[11] == (code ? 0 : 1));
	}
	sample_query(&sample);
	patch_u16(&sample.w, 10, UINT16_MAX); /* one more cannot be counted */
	CHECK(tsig_sign_request(crypto, &key, TIME, &sample.w, &mac) == E_LIMIT);
	CHECK(sample.w.len == before);
}

TEST(algorithms_and_errors_have_their_words)
{
	enum tsig_algorithm algorithm;
	char text[TSIG_ERROR_TEXT_MAX];
	size_t count;
	const char *const *texts = tsig_algorithm_texts(&count);

	CHECK(count == TSIG_ALGORITHM_COUNT);
	for (size_t i = 0; i < count; i++) {
		CHECK(tsig_algorithm_from_text(span_of_text(texts[i]), &algorithm));
		CHECK(algorithm == i && tsig_algorithm_text(algorithm) == texts[i]);
	}
	CHECK(tsig_algorithm_from_text(span_of_text("HMAC-sha256"), &algorithm));
	CHECK(algorithm == TSIG_HMAC_SHA256);
	static const char *const bad[] = {"",         "hmac-sha25", "hmac-sha2566",
					  "hmac-md5", "hmac\rsha1", "hmac-sha256."};
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		CHECK(!tsig_algorithm_from_text(span_of_text(bad[i]), &algorithm));
	CHECK(strcmp(tsig_error_to_text(TSIG_ERROR_BADTIME, text), "BADTIME") == 0);
	CHECK(strcmp(tsig_error_to_text(16, text), "BADSIG") == 0);
	CHECK(strcmp(tsig_error_to_text(65535, text), "ERROR65535") == 0);
}

static int crypto_set_up(void **state)
{
	(void)state;
	crypto = crypto_new(NULL);
	return crypto ? 0 : -1;
}

static int crypto_tear_down(void **state)
{
	(void)state;
	crypto_free(crypto);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_dnspython_signs_verifies_with_every_algorithm),
		cmocka_unit_test(what_we_sign_is_octet_for_octet_what_dnspython_signs),
		cmocka_unit_test(a_stream_of_dnspython_with_unsigned_messages_verifies),
		cmocka_unit_test(a_stream_that_we_sign_is_octet_for_octet_that_of_dnspython),
		cmocka_unit_test(no_message_of_a_stream_can_be_lost_changed_or_moved),
		cmocka_unit_test(a_stream_that_failed_stays_failed),
		cmocka_unit_test(at_most_99_messages_in_a_row_are_unsigned),
		cmocka_unit_test(the_first_message_of_a_stream_is_signed_even_unasked),
		cmocka_unit_test(a_request_without_tsig_or_with_an_unknown_key_is_told_so),
		cmocka_unit_test(a_wrong_secret_is_a_badsig),
		cmocka_unit_test(a_clock_may_differ_by_the_fudge_and_the_difference_is_told),
		cmocka_unit_test(time_is_looked_at_only_when_the_mac_is_right),
		cmocka_unit_test(badtime_is_answered_as_dnspython_does_and_tells_the_clock),
		cmocka_unit_test(badkey_and_badsig_are_answered_without_a_mac),
		cmocka_unit_test(badtrunc_is_answered_signed_and_other_verdicts_add_nothing),
		cmocka_unit_test(
			an_error_field_counts_as_the_peers_word_only_if_the_mac_is_right_or_absent),
		cmocka_unit_test(badtime_is_answered_with_the_fudge_of_the_request),
		cmocka_unit_test(a_response_without_tsig_or_of_another_key_is_not_taken),
		cmocka_unit_test(a4_a_mac_is_whole_or_at_least_half_and_ten_octets),
		cmocka_unit_test(the_answer_to_a_cut_mac_covers_the_cut_one),
		cmocka_unit_test(a4_tsig_stands_once_at_the_end_and_is_well_formed),
		cmocka_unit_test(a4_truncated_fields_are_a_formerr),
		cmocka_unit_test(a4_a_badtime_answer_is_no_request),
		cmocka_unit_test(a_flipped_bit_never_verifies),
		cmocka_unit_test(signing_leaves_the_message_alone_when_there_is_no_room),
		cmocka_unit_test(algorithms_and_errors_have_their_words),
	};

	return cmocka_run_group_tests(tests, crypto_set_up, crypto_tear_down);
}
