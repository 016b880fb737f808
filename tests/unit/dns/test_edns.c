/* SPDX-License-Identifier: Apache-2.0 */
#include "message_help.h"

static uint8_t octets[MESSAGE_OCTETS_MAX];
static struct query query;

/* The rcode of a query with these options. */
static enum rcode options_rcode(struct span options)
{
	struct writer w = writer_of(octets, sizeof octets);

	put_query(&w, 1);
	put_opt(&w, options);
	return request_rcode(&w, &query);
}

/* The same for a response. */
static enum rcode response_rcode(struct span options, struct edns *edns)
{
	struct writer w = writer_of(octets, sizeof octets);
	static struct message message;
	struct tsig tsig;

	put_header(&w, 0x8000, 1, 0, 0, 1);
	write_span(&w, OCTETS(QUESTION));
	put_opt(&w, options);
	CHECK(message_parse(writer_span(&w), &message));
	return message_read_meta(&message, edns, &tsig);
}

TEST(opt_tells_size_and_dnssec_ok)
{
	CHECK(options_rcode(OCTETS("")) == RCODE_NOERROR && query.edns.present);
	CHECK(query.edns.udp_size == 1232 && query.edns.dnssec_ok && query.edns.version == 0);
	CHECK(query.edns.seen == 0);
}

/* RFC 6891 6.2.3, and case A3. */
TEST(a3_a_size_below_512_counts_as_512)
{
	static const uint16_t sizes[] = {0, 1, 511, 512, 513, 65535};

	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		struct writer w = writer_of(octets, sizeof octets);

		put_query(&w, 1);
		put_record(&w, OCTETS("\0"), RRTYPE_OPT, sizes[i], 0, OCTETS(""));
		CHECK(request_rcode(&w, &query) == RCODE_NOERROR && !query.edns.dnssec_ok);
		CHECK(query.edns.udp_size == (sizes[i] < 512 ? 512 : sizes[i]));
	}
}

/* RFC 6891 6.1.1. */
TEST(a3_two_opt_or_one_in_the_wrong_place_are_a_formerr)
{
	struct writer w = writer_of(octets, sizeof octets);

	put_query(&w, 2);
	put_opt(&w, OCTETS(""));
	put_opt(&w, OCTETS(""));
	CHECK(request_rcode(&w, &query) == RCODE_FORMERR);

	for (int section = SECTION_ANSWER; section < SECTION_COUNT; section++) {
		w = writer_of(octets, sizeof octets);
		put_query(&w, 0);
		patch_u16(&w, 4 + 2 * (size_t)section, 1);
		put_opt(&w, OCTETS(""));
		bool right = section == SECTION_ADDITIONAL;
		CHECK(request_rcode(&w, &query) == (right ? RCODE_NOERROR : RCODE_FORMERR));
	}

	static const char *const owners[] = {"\1a", "\xc0\x0c", "\xc0\x14"};
	for (size_t i = 0; i < ARRAY_COUNT(owners); i++) {
		w = writer_of(octets, sizeof octets);
		put_query(&w, 1);
		put_record(&w, span_of(owners[i], i == 0 ? 3 : 2), RRTYPE_OPT, 1232, 0, OCTETS(""));
		CHECK(request_rcode(&w, &query) == RCODE_FORMERR && !query.edns.present);
	}
}

/* RFC 6891 6.1.3: BADVERS, and the answer has an OPT of our version. */
TEST(a3_another_version_is_badvers_and_its_options_are_not_read)
{
	struct writer w = writer_of(octets, sizeof octets);
	struct message_writer mw;
	struct message answer;
	struct edns edns;
	struct tsig tsig;
	uint8_t room[512];

	put_query(&w, 1);
	put_record(&w, OCTETS("\0"), RRTYPE_OPT, 4096, 0x00018000, OCTETS("\0\x0a\xff\xff"));
	CHECK(request_rcode(&w, &query) == RCODE_BADVERS && query.edns.present);
	CHECK(query.edns.version == 1 && query.edns.seen == 0);
	CHECK(message_parse(query_write_error(&query, &mw, room, sizeof room, 1232), &answer));
	CHECK(answer.header.rcode == 0 && answer.has_question);
	CHECK(message_read_meta(&answer, &edns, &tsig) == RCODE_NOERROR);
	CHECK(edns_rcode(&answer.header, &edns) == RCODE_BADVERS && edns.version == 0);
	CHECK(edns.dnssec_ok && edns.udp_size == 1232);
}

TEST(a3_a_malformed_record_behind_another_version_is_still_a_formerr)
{
	struct writer w = writer_of(octets, sizeof octets);

	put_query(&w, 2);
	put_record(&w, OCTETS("\0"), RRTYPE_OPT, 4096, 0x00010000, OCTETS(""));
	write_u16(&w, 0);
	CHECK(request_rcode(&w, &query) == RCODE_FORMERR);
}

TEST(a3_an_option_beyond_the_end_is_a_formerr)
{
	static const struct {
		const char *options;
		size_t len;
	} bad[] = {
		{"\0", 1},
		{"\0\3", 2},
		{"\0\3\0", 3},
		{"\0\3\0\1", 4},
		{"\xff\xff\xff\xff", 4},
		{"\0\3\0\0\0\x0c\0\2x", 9},
	};

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		CHECK(options_rcode(span_of(bad[i].options, bad[i].len)) == RCODE_FORMERR);
		CHECK(!query.edns.present);
	}
}

TEST(a3_each_option_is_honoured_once)
{
	CHECK(options_rcode(OCTETS("\0\x0a\0\x08"
				   "first..."
				   "\0\x0a\0\x08"
				   "second.."
				   "\0\3\0\0"
				   "\0\3\0\1x"
				   "\0\x0c\0\2\0\0"
				   "\0\x0c\0\0")) == RCODE_NOERROR);
	CHECK(edns_has(&query.edns, EDNS_SLOT_COOKIE) && edns_has(&query.edns, EDNS_SLOT_NSID));
	CHECK(edns_has(&query.edns, EDNS_SLOT_PADDING) && !edns_has(&query.edns, EDNS_SLOT_EDE));
	CHECK(span_is_text(query.edns.values[EDNS_SLOT_COOKIE], "first..."));
	CHECK(query.edns.values[EDNS_SLOT_NSID].len == 0);
	CHECK(query.edns.values[EDNS_SLOT_PADDING].len == 2);
}

/* Empty options of a code that nobody knows, then NSID as the 32nd or 33rd. */
TEST(a3_at_most_32_options_are_looked_at)
{
	static uint8_t options[4 * 2000];

	for (size_t i = 0; i < sizeof options; i += 4) put_u16(options + i, 65001);
	CHECK(options_rcode(span_of(options, sizeof options)) == RCODE_NOERROR);
	for (size_t place = 31; place <= 33; place++) {
		put_u16(options + 4 * (place - 1), EDNS_NSID);
		CHECK(options_rcode(span_of(options, 4 * place)) == RCODE_NOERROR);
		CHECK(edns_has(&query.edns, EDNS_SLOT_NSID) == (place <= EDNS_OPTION_COUNT_MAX));
		put_u16(options + 4 * (place - 1), 65001);
	}
}

/* Every option of the table at its limits; RFC 7873 5.2.2 for the gap in cookies. */
TEST(a3_wrong_lengths_are_a_formerr_in_a_query_and_absent_in_a_response)
{
	static const struct {
		uint16_t code, len;
		bool in_query, in_response;
	} rows[] = {
		{EDNS_NSID, 0, true, true},
		{EDNS_NSID, 300, true, true},
		{EDNS_COOKIE, 0, false, false},
		{EDNS_COOKIE, 7, false, false},
		{EDNS_COOKIE, 8, true, true},
		{EDNS_COOKIE, 9, false, false},
		{EDNS_COOKIE, 15, false, false},
		{EDNS_COOKIE, 16, true, true},
		{EDNS_COOKIE, 40, true, true},
		{EDNS_COOKIE, 41, false, false},
		{EDNS_EXPIRE, 0, true, false},
		{EDNS_EXPIRE, 1, false, false},
		{EDNS_EXPIRE, 4, false, true},
		{EDNS_EXPIRE, 5, false, false},
		{EDNS_TCP_KEEPALIVE, 0, true, false},
		{EDNS_TCP_KEEPALIVE, 1, false, false},
		{EDNS_TCP_KEEPALIVE, 2, false, true},
		{EDNS_TCP_KEEPALIVE, 3, false, false},
		{EDNS_PADDING, 400, true, true},
		{EDNS_EDE, 1, false, false},
		{EDNS_EDE, 2, true, true},
		{EDNS_ZONEVERSION, 0, true, false},
		{EDNS_ZONEVERSION, 6, false, true},
		{EDNS_REPORT_CHANNEL, 0, true, false},
		{EDNS_REPORT_CHANNEL, 255, true, true},
		{EDNS_REPORT_CHANNEL, 256, true, false},
		{65001, 300, true, false},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		static uint8_t options[512];
		struct edns edns;

		memset(options, 0, sizeof options);
		put_u16(options, rows[i].code);
		put_u16(options + 2, rows[i].len);
		struct span all = span_of(options, 4u + rows[i].len);
		CHECK((options_rcode(all) == RCODE_NOERROR) == rows[i].in_query);
		CHECK(response_rcode(all, &edns) == RCODE_NOERROR);
		CHECK((edns.seen != 0) == rows[i].in_response);
	}
}

/* RFC 7871 6 and 7.1.2. */
TEST(a3_a_client_subnet_is_checked_even_though_it_is_not_used)
{
	static const struct {
		const char *value;
		size_t len;
		bool good;
	} rows[] = {
		{"\0\1\x18\0\xc0\0\2", 7, true},
		{"\0\1\x17\0\xc0\0\2", 7, true},
		{"\0\1\x17\0\xc0\0\3", 7, false},
		{"\0\1\x18\0\xc0\0", 6, false},
		{"\0\1\x18\0\xc0\0\2\1", 8, false},
		{"\0\1\x21\0\1\2\3\4\x80", 9, false},
		{"\0\1\x18\x08\xc0\0\2", 7, false},
		{"\0\1\0\0", 4, true},
		{"\0\0\0\0", 4, true},
		{"\0\0\x08\0\1", 5, false},
		{"\0\2\x38\0\1\2\3\4\5\6\7", 11, true},
		{"\0\2\x81\0\1\2\3\4\5\6\7", 11, false},
		{"\0\3\0\0", 4, false},
		{"\0\1\0", 3, false},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		uint8_t options[64];
		struct writer w = writer_of(options, sizeof options);

		write_u16(&w, EDNS_CLIENT_SUBNET);
		write_u16(&w, (uint16_t)rows[i].len);
		write_bytes(&w, rows[i].value, rows[i].len);
		CHECK((options_rcode(writer_span(&w)) == RCODE_NOERROR) == rows[i].good);
	}
	struct edns edns;
	CHECK(response_rcode(OCTETS("\0\x08\0\7\0\1\x18\x10\xc0\0\2"), &edns) == RCODE_NOERROR);
	CHECK(edns_has(&edns, EDNS_SLOT_CLIENT_SUBNET));
	CHECK(response_rcode(OCTETS("\0\x08\0\7\0\1\x18\x21\xc0\0\2"), &edns) == RCODE_NOERROR);
	CHECK(!edns_has(&edns, EDNS_SLOT_CLIENT_SUBNET));
}

static struct message_writer mw;
static uint8_t room[600];

static void begin(size_t cap)
{
	struct question question = {.type = RRTYPE_SOA, .class = CLASS_IN};

	name_copy(&question.name, name_literal(OCTETS("\7example\3com\0")));
	message_begin(&mw, room, cap);
	CHECK(message_add_question(&mw, &question));
}

TEST(options_are_written_and_read_back)
{
	struct header header = {.qr = true, .rcode = RCODE_BADCOOKIE};
	struct message message;
	struct edns edns;
	struct tsig tsig;

	begin(512);
	CHECK(edns_begin(&mw, 1232, true));
	CHECK(edns_add_option(&mw, EDNS_NSID, span_of_text("ns1")));
	CHECK(edns_add_option(&mw, EDNS_EXPIRE, OCTETS("\0\1\0\0")));
	CHECK(edns_add_ede(&mw, EDE_NOT_READY, "the zone is loading"));
	CHECK(message_parse(message_finish(&mw, &header), &message));
	CHECK(message_read_meta(&message, &edns, &tsig) == RCODE_NOERROR);
	CHECK(edns.present && edns.dnssec_ok && edns.udp_size == 1232);
	CHECK(edns_rcode(&message.header, &edns) == RCODE_BADCOOKIE);
	CHECK(span_is_text(edns.values[EDNS_SLOT_NSID], "ns1"));
	CHECK(span_equal(edns.values[EDNS_SLOT_EXPIRE], OCTETS("\0\1\0\0")));
	CHECK(span_equal(edns.values[EDNS_SLOT_EDE], OCTETS("\0\x0ethe zone is loading")));
}

TEST(an_option_that_does_not_fit_leaves_the_message_good)
{
	struct header header = {.qr = true};
	struct message message;
	struct edns edns;
	struct tsig tsig;

	for (size_t left = 0; left <= 7; left++) {
		begin(29 + OPT_OCTETS + left);
		CHECK(edns_begin(&mw, 512, false));
		CHECK(edns_add_option(&mw, EDNS_NSID, span_of_text("ns1")) == (left == 7));
		CHECK(message_parse(message_finish(&mw, &header), &message));
		CHECK(message_read_meta(&message, &edns, &tsig) == RCODE_NOERROR);
		CHECK(edns_has(&edns, EDNS_SLOT_NSID) == (left == 7));
	}
	begin(29 + OPT_OCTETS - 1);
	CHECK(!edns_begin(&mw, 512, false) && mw.opt_at == 0);
}

/* RFC 8914 2: extra text is optional; ours has a limit. */
TEST(extended_errors_take_no_text_or_much)
{
	static char text[EDE_TEXT_MAX + 10];
	struct header header = {.qr = true};
	struct message message;
	struct edns edns;
	struct tsig tsig;

	memset(text, 'x', sizeof text - 1);
	static const char *const texts[] = {NULL, "", text};
	static const size_t lens[] = {2, 2, 2 + EDE_TEXT_MAX};
	for (size_t i = 0; i < 3; i++) {
		begin(sizeof room);
		CHECK(edns_begin(&mw, 512, false));
		CHECK(edns_add_ede(&mw, EDE_STALE_ANSWER, texts[i]));
		CHECK(message_parse(message_finish(&mw, &header), &message));
		CHECK(message_read_meta(&message, &edns, &tsig) == RCODE_NOERROR);
		CHECK(edns.values[EDNS_SLOT_EDE].len == lens[i]);
	}
	CHECK(strcmp(ede_words(EDE_STALE_ANSWER), "Stale Answer") == 0);
	CHECK(ede_words(49151) == NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opt_tells_size_and_dnssec_ok),
		cmocka_unit_test(a3_a_size_below_512_counts_as_512),
		cmocka_unit_test(a3_two_opt_or_one_in_the_wrong_place_are_a_formerr),
		cmocka_unit_test(a3_another_version_is_badvers_and_its_options_are_not_read),
		cmocka_unit_test(a3_a_malformed_record_behind_another_version_is_still_a_formerr),
		cmocka_unit_test(a3_an_option_beyond_the_end_is_a_formerr),
		cmocka_unit_test(a3_each_option_is_honoured_once),
		cmocka_unit_test(a3_at_most_32_options_are_looked_at),
		cmocka_unit_test(
			a3_wrong_lengths_are_a_formerr_in_a_query_and_absent_in_a_response),
		cmocka_unit_test(a3_a_client_subnet_is_checked_even_though_it_is_not_used),
		cmocka_unit_test(options_are_written_and_read_back),
		cmocka_unit_test(an_option_that_does_not_fit_leaves_the_message_good),
		cmocka_unit_test(extended_errors_take_no_text_or_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
