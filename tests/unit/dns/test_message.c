/* SPDX-License-Identifier: Apache-2.0 */
#include "message_help.h"

static uint8_t octets[MESSAGE_OCTETS_MAX + 64];

static struct writer fresh(void)
{
	return writer_of(octets, sizeof octets);
}

TEST(a_header_reads_bit_by_bit)
{
	static const struct {
		uint16_t flags;
		size_t place;
	} bits[] = {
		{0x8000, offsetof(struct header, qr)}, {0x0400, offsetof(struct header, aa)},
		{0x0200, offsetof(struct header, tc)}, {0x0100, offsetof(struct header, rd)},
		{0x0080, offsetof(struct header, ra)}, {0x0020, offsetof(struct header, ad)},
		{0x0010, offsetof(struct header, cd)},
	};

	for (size_t i = 0; i < ARRAY_COUNT(bits); i++) {
		struct writer w = fresh();
		struct header header;

		put_header(&w, bits[i].flags | 0x2805, 1, 2, 3, 4);
		CHECK(header_read(writer_span(&w), &header));
		CHECK(header.id == 0x4d2 && header.opcode == OPCODE_UPDATE && header.rcode == 5);
		for (size_t k = 0; k < ARRAY_COUNT(bits); k++)
			CHECK(*((const bool *)&header + bits[k].place) == (i == k));
		CHECK(header.count[SECTION_ZONE] == 1 && header.count[SECTION_PREREQUISITE] == 2);
		CHECK(header.count[SECTION_UPDATE] == 3 && header.count[SECTION_ADDITIONAL] == 4);
	}
}

TEST(records_come_in_order_with_their_section_and_expanded)
{
	struct writer w = fresh();
	struct message message;
	struct message_record record;
	struct record expanded;
	uint8_t room[64];
	struct writer rdata = writer_of(room, sizeof room);

	put_header(&w, 0x8400, 1, 1, 0, 1);
	write_span(&w, OCTETS(QUESTION));
	put_record(&w, OCTETS("\xc0\x0c"), RRTYPE_MX, CLASS_IN, 3600,
		   OCTETS("\0\x0a\4mail\xc0\x0c"));
	put_record(&w, OCTETS("\4mail\xc0\x0c"), RRTYPE_A, CLASS_IN, 0x80000000,
		   OCTETS("\xc0\0\2\1"));
	CHECK(message_parse(writer_span(&w), &message) && message.has_question);
	CHECK(name_equal(name_of(&message.question.name),
			 name_literal(OCTETS("\7example\3com\0"))));
	CHECK(message.question.type == RRTYPE_SOA && message.question.class == CLASS_IN);

	struct message_cursor cursor = message_cursor_of(&message);
	CHECK(message_next_record(&cursor, &record) && record.section == SECTION_ANSWER);
	CHECK(span_equal(message_rdata(&message, &record), OCTETS("\0\x0a\4mail\xc0\x0c")));
	CHECK(message_expand_record(&message, &record, &rdata, &expanded, NULL) == OK);
	CHECK(expanded.type == RRTYPE_MX && expanded.ttl == 3600 && expanded.owner.len == 13);
	CHECK(span_equal(expanded.rdata, OCTETS("\0\x0a\4mail\7example\3com\0")));

	CHECK(message_next_record(&cursor, &record) && record.section == SECTION_ADDITIONAL);
	CHECK(message_expand_record(&message, &record, &rdata, &expanded, NULL) == OK);
	CHECK(name_equal(expanded.owner, name_literal(OCTETS("\4mail\7example\3com\0"))));
	CHECK(expanded.ttl == 0); /* RFC 2181 8 */
	CHECK(!message_next_record(&cursor, &record) && message_cursor_is_done(&cursor));
}

TEST(data_that_is_malformed_or_finds_no_room_leaves_the_writer_as_it_was)
{
	struct writer w = fresh();
	struct message message;
	struct message_record record;
	struct record expanded;
	struct error err;
	uint8_t room[6];
	struct writer rdata = writer_of(room, sizeof room);

	put_header(&w, 0x8400, 0, 2, 0, 0);
	put_record(&w, OCTETS("\0"), RRTYPE_A, CLASS_IN, 1, OCTETS("\1\2\3"));
	put_record(&w, OCTETS("\0"), RRTYPE_A, CLASS_IN, 1, OCTETS("\1\2\3\4"));
	CHECK(message_parse(writer_span(&w), &message) && !message.has_question);
	struct message_cursor cursor = message_cursor_of(&message);
	write_u32(&rdata, 7);
	CHECK(message_next_record(&cursor, &record));
	CHECK(message_expand_record(&message, &record, &rdata, &expanded, &err) == E_SYNTAX);
	CHECK(!rdata.overflow && rdata.len == 4);
	CHECK(message_next_record(&cursor, &record));
	CHECK(message_expand_record(&message, &record, &rdata, &expanded, &err) == E_LIMIT);
	CHECK(!rdata.overflow && rdata.len == 4);
}

/* RFC 2136 2.4 and 2.5. */
TEST(only_class_any_and_none_may_bring_no_data)
{
	static const uint16_t classes[] = {CLASS_ANY, CLASS_NONE, CLASS_IN};

	for (size_t i = 0; i < 3; i++) {
		struct writer w = fresh(), rdata = writer_of(octets + 1000, 100);
		struct message message;
		struct message_record record;
		struct record expanded;

		put_header(&w, 0x2800, 1, 0, 1, 0);
		write_span(&w, OCTETS(QUESTION));
		put_record(&w, OCTETS("\xc0\x0c"), RRTYPE_MX, classes[i], 0, OCTETS(""));
		CHECK(message_parse(writer_span(&w), &message));
		struct message_cursor cursor = message_cursor_of(&message);
		CHECK(message_next_record(&cursor, &record) && record.section == SECTION_UPDATE);
		enum code code = message_expand_record(&message, &record, &rdata, &expanded, NULL);
		CHECK(classes[i] == CLASS_IN ? code == E_SYNTAX : code == OK);
		CHECK(code || expanded.rdata.len == 0);
	}
}

/* Case A1: names of questions and owners. */
TEST(a1_compression_loops_forward_pointers_and_long_chains_are_refused)
{
	static const struct {
		const char *name;
		size_t len;
	} owners[] = {
		{"\xc0\x1d", 2},    /* itself */
		{"\xc0\x1f", 2},    /* forward */
		{"\xff\xff", 2},    /* behind the message */
		{"\1a\xc0\x1d", 4}, /* its own beginning */
		{"\x40"
		 "a",
		 2}, /* a label type that nobody defined */
		{"\x80"
		 "a",
		 2},
		{"\xc0", 1}, /* half a pointer */
	};

	for (size_t i = 0; i < ARRAY_COUNT(owners); i++) {
		struct writer w = fresh();
		struct message message;
		struct message_record record;

		put_header(&w, 0x8400, 1, 1, 0, 0);
		write_span(&w, OCTETS(QUESTION));
		CHECK(w.len == 0x1d);
		put_record(&w, span_of(owners[i].name, owners[i].len), RRTYPE_A, CLASS_IN, 0,
			   OCTETS("\1\2\3\4"));
		CHECK(message_parse(writer_span(&w), &message));
		struct message_cursor cursor = message_cursor_of(&message);
		CHECK(!message_next_record(&cursor, &record));
		CHECK(!message_cursor_is_done(&cursor));
	}
}

/* Case A1: 2000 pointers, each to the one before. */
TEST(a1_a_chain_of_2000_pointers_ends_where_the_limit_of_hops_is)
{
	struct writer w = fresh();
	struct message message;
	struct message_record record;
	unsigned whole = 0;
	uint16_t target = HEADER_OCTETS;

	put_header(&w, 0x8400, 1, 2000, 0, 0);
	write_span(&w, OCTETS(QUESTION));
	for (int i = 0; i < 2000; i++) {
		uint8_t pointer[2] = {(uint8_t)(0xc0 | target >> 8), (uint8_t)target};

		target = (uint16_t)w.len;
		put_record(&w, span_of(pointer, 2), RRTYPE_A, CLASS_IN, 0, OCTETS("\1\2\3\4"));
		if (w.len > 0x3fff) break;
	}
	CHECK(message_parse(writer_span(&w), &message));
	struct message_cursor cursor = message_cursor_of(&message);
	while (message_next_record(&cursor, &record)) whole++;
	CHECK(whole <= LABEL_COUNT_MAX && !message_cursor_is_done(&cursor));
}

/* Case A1: the question has nothing to point at but the header. */
TEST(a1_a_pointer_into_the_header_is_no_question)
{
	struct writer w = fresh();
	struct query query;
	struct message_writer mw;
	uint8_t answer[UDP_OCTETS_MIN];
	struct header header;

	put_header(&w, 0, 1, 0, 0, 0);
	write_span(&w, OCTETS("\1a\xc0\x02\0\1\0\1"));
	CHECK(request_rcode(&w, &query) == RCODE_FORMERR && !query.message.has_question);
	CHECK(header_read(query_write_error(&query, &mw, answer, sizeof answer, 1232), &header));
	CHECK(header.count[SECTION_QUESTION] == 0 && header.rcode == RCODE_FORMERR);
}

/* Case A1: 255 octets are a name, 256 are none. */
TEST(a1_a_name_is_too_long_only_above_255_octets)
{
	for (size_t last = 61; last <= 62; last++) {
		struct writer w = fresh();
		struct query query;
		uint8_t label[64];

		memset(label, 'a', sizeof label);
		label[0] = 63;
		put_header(&w, 0, 1, 0, 0, 0);
		for (int i = 0; i < 3; i++) write_bytes(&w, label, 64);
		write_u8(&w, (uint8_t)last);
		write_bytes(&w, label + 1, last);
		write_span(&w, OCTETS("\0\0\1\0\1"));
		CHECK(request_rcode(&w, &query) == (last == 61 ? RCODE_NOERROR : RCODE_FORMERR));
	}
}

/* Case A1: also where names are only walked over. */
TEST(a1_an_owner_is_too_long_only_above_255_octets)
{
	for (size_t last = 61; last <= 62; last++) {
		struct writer w = fresh();
		struct query query;
		uint8_t owner[300];
		struct writer name = writer_of(owner, sizeof owner);

		memset(owner, 'a', sizeof owner);
		for (size_t i = 0; i < 3; i++) owner[64 * i] = 63;
		owner[192] = (uint8_t)last;
		name.len = 193 + last;
		write_u8(&name, 0);
		put_query(&w, 1);
		put_record(&w, writer_span(&name), RRTYPE_A, CLASS_IN, 0, OCTETS("\1\2\3\4"));
		CHECK(request_rcode(&w, &query) == (last == 61 ? RCODE_NOERROR : RCODE_FORMERR));
	}
}

/* Case A2. */
TEST(a2_counts_that_lie_are_a_formerr_in_every_section)
{
	for (int section = SECTION_ANSWER; section < SECTION_COUNT; section++) {
		static const uint16_t lies[] = {1, 2, 65535};

		for (size_t i = 0; i < ARRAY_COUNT(lies); i++) {
			struct writer w = fresh();
			struct query query;

			put_query(&w, 0);
			CHECK(request_rcode(&w, &query) == RCODE_NOERROR);
			patch_u16(&w, 4 + 2 * (size_t)section, lies[i]);
			CHECK(request_rcode(&w, &query) == RCODE_FORMERR);
			CHECK(query.message.has_question);
		}
	}
}

/* Case A2: the cost is one step per record that is there, and names are not collected. */
TEST(a2_reading_stops_at_the_first_bad_record)
{
	struct writer w = fresh();
	struct query query;
	struct message_record record;
	unsigned steps = 0;

	put_header(&w, 0, 1, 65535, 65535, 65535);
	write_span(&w, OCTETS(QUESTION));
	for (int i = 0; i < 100; i++)
		put_record(&w, OCTETS("\xc0\x0c"), RRTYPE_A, CLASS_IN, 0, OCTETS("\1\2\3\4"));
	put_record(&w, OCTETS("\xc0"), RRTYPE_A, CLASS_IN, 0, OCTETS("\1\2\3\4"));
	put_record(&w, OCTETS("\0"), 0xffff, CLASS_IN, 0, OCTETS("\1\2\3\4"));
	CHECK(request_rcode(&w, &query) == RCODE_FORMERR);
	struct message_cursor cursor = message_cursor_of(&query.message);
	while (message_skim_record(&cursor, &record)) steps++;
	CHECK(steps <= 102);
	CHECK(!message_skim_record(&cursor, &record) && !message_next_record(&cursor, &record));
}

TEST(every_cut_of_a_good_request_is_bad_or_ignored)
{
	struct writer w = fresh();
	struct query query;

	put_query(&w, 1);
	put_opt(&w, OCTETS("\0\x0a\0\x08"
			   "12345678"));
	CHECK(request_rcode(&w, &query) == RCODE_NOERROR && query.edns.present);
	for (size_t len = 0; len < w.len; len++) {
		struct span cut = span_of(memcpy(octets + 1000, octets, len), len);

		CHECK(query_parse(cut, &query) == (len < 12 ? QUERY_IGNORE : QUERY_BAD));
		CHECK(len < 12 || query.rcode == RCODE_FORMERR);
		CHECK(query.message.has_question == (len >= 12 + QUESTION_OCTETS));
	}
}

TEST(an_answer_to_a_malformed_request_claims_no_question_it_did_not_carry)
{
	static const uint16_t question_counts[] = {0, 2, 65535};

	for (size_t i = 0; i < ARRAY_COUNT(question_counts); i++) {
		struct writer w = fresh();
		struct query query;
		struct message_writer mw;
		struct message answer;

		put_header(&w, 0x0110, question_counts[i], 0, 0, 0);
		if (question_counts[i]) write_span(&w, OCTETS(QUESTION));
		if (question_counts[i]) write_span(&w, OCTETS(QUESTION));
		CHECK(request_rcode(&w, &query) == RCODE_FORMERR);
		struct span wire = query_write_error(&query, &mw, octets + 1000, 512, 1232);
		CHECK(wire.len == HEADER_OCTETS && message_parse(wire, &answer));
		CHECK(answer.header.id == 0x4d2 && answer.header.qr && answer.header.rd);
		CHECK(answer.header.cd && answer.header.rcode == RCODE_FORMERR);
	}
}

/* Case A7. */
TEST(a7_opcodes_without_an_answer_get_notimp_and_nothing_more_is_read)
{
	for (unsigned opcode = 0; opcode < 16; opcode++) {
		bool answered = opcode == 0 || opcode == 4 || opcode == 5;
		struct writer w = fresh();
		struct query query;
		struct message_writer mw;
		struct header header;

		put_header(&w, (uint16_t)(opcode << 11), 1, 0, 0, 0);
		write_span(&w, OCTETS(QUESTION));
		CHECK(request_rcode(&w, &query) == (answered ? RCODE_NOERROR : RCODE_NOTIMP));
		CHECK(query.message.has_question == answered);
		CHECK(opcode_is_answered((uint8_t)opcode) == answered);
		struct span answer = query_write_error(&query, &mw, octets + 1000, 512, 1232);
		CHECK(header_read(answer, &header) && header.opcode == opcode && header.qr);
	}
	CHECK(strcmp(opcode_name(OPCODE_NOTIFY), "NOTIFY") == 0 && opcode_name(3) == NULL);
}

/* Case A7. */
TEST(a7_types_that_nobody_can_ask_for_have_one_answer_each)
{
	for (uint32_t type = 0; type <= 65535; type++) {
		struct writer w = fresh();
		struct query query;
		enum rcode expected = RCODE_NOERROR;

		if (type == 0 || type == RRTYPE_OPT || (type >= 128 && type <= 255))
			expected = RCODE_FORMERR;
		if (type == RRTYPE_ANY || type == RRTYPE_AXFR || type == RRTYPE_IXFR)
			expected = RCODE_NOERROR;
		if (type == RRTYPE_MAILA || type == RRTYPE_MAILB) expected = RCODE_NOTIMP;
		if (type == RRTYPE_TKEY) expected = RCODE_REFUSED;
		put_query(&w, 0);
		patch_u16(&w, w.len - 4, (uint16_t)type);
		CHECK(request_rcode(&w, &query) == expected);
		CHECK(query.message.question.type == type);
	}
}

/* Case A7: which classes are served is decided where the zones are. */
TEST(a7_every_class_and_the_root_as_qname_come_through_as_they_are)
{
	static const uint16_t classes[] = {0,          CLASS_IN,  CLASS_CH, CLASS_HS,
					   CLASS_NONE, CLASS_ANY, 65535};

	for (size_t i = 0; i < ARRAY_COUNT(classes); i++) {
		struct writer w = fresh();
		struct query query;

		put_header(&w, 0, 1, 0, 0, 0);
		write_span(&w, OCTETS("\0\0\2"));
		write_u16(&w, classes[i]);
		CHECK(request_rcode(&w, &query) == RCODE_NOERROR);
		CHECK(query.message.question.class == classes[i]);
		CHECK(name_is_root(name_of(&query.message.question.name)));
	}
}

/* Case A8. */
TEST(a8_responses_and_runts_are_met_with_silence)
{
	struct writer w = fresh();
	struct query query;

	put_query(&w, 0);
	for (size_t len = 0; len < HEADER_OCTETS; len++)
		CHECK(query_parse(span_of(octets, len), &query) == QUERY_IGNORE);
	for (unsigned opcode = 0; opcode < 16; opcode++) {
		octets[2] = (uint8_t)(0x80 | opcode << 3);
		CHECK(query_parse(writer_span(&w), &query) == QUERY_IGNORE);
	}
}

/* Case A8. */
TEST(a8_octets_behind_the_last_record_are_a_formerr)
{
	struct writer w = fresh();
	struct query query;

	put_query(&w, 0);
	write_u8(&w, 0);
	CHECK(request_rcode(&w, &query) == RCODE_FORMERR && query.message.has_question);

	w = fresh();
	put_query(&w, 1);
	put_opt(&w, OCTETS(""));
	CHECK(request_rcode(&w, &query) == RCODE_NOERROR);
	write_u8(&w, 0);
	CHECK(request_rcode(&w, &query) == RCODE_FORMERR);
}

/* RFC 1996 3.7 and RFC 1995 3: both put a SOA into a request. */
TEST(records_in_other_sections_are_walked_over)
{
	struct writer w = fresh();
	struct query query;

	put_header(&w, 0x2400, 1, 1, 1, 1);
	write_span(&w, OCTETS(QUESTION));
	put_record(&w, OCTETS("\xc0\x0c"), RRTYPE_SOA, CLASS_IN, 0, OCTETS("anything"));
	put_record(&w, OCTETS("\xc0\x0c"), RRTYPE_SOA, CLASS_IN, 0, OCTETS("anything"));
	put_opt(&w, OCTETS(""));
	CHECK(request_rcode(&w, &query) == RCODE_NOERROR && query.edns.present);
}

TEST(rcodes_have_names_or_numbers)
{
	char text[RCODE_TEXT_MAX];

	CHECK(strcmp(rcode_to_text(RCODE_NXDOMAIN, text), "NXDOMAIN") == 0);
	CHECK(strcmp(rcode_to_text(16, text), "BADVERS") == 0);
	CHECK(strcmp(rcode_to_text(4095, text), "RCODE4095") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_reads_bit_by_bit),
		cmocka_unit_test(records_come_in_order_with_their_section_and_expanded),
		cmocka_unit_test(
			data_that_is_malformed_or_finds_no_room_leaves_the_writer_as_it_was),
		cmocka_unit_test(only_class_any_and_none_may_bring_no_data),
		cmocka_unit_test(a1_compression_loops_forward_pointers_and_long_chains_are_refused),
		cmocka_unit_test(a1_a_chain_of_2000_pointers_ends_where_the_limit_of_hops_is),
		cmocka_unit_test(a1_a_pointer_into_the_header_is_no_question),
		cmocka_unit_test(a1_a_name_is_too_long_only_above_255_octets),
		cmocka_unit_test(a1_an_owner_is_too_long_only_above_255_octets),
		cmocka_unit_test(a2_counts_that_lie_are_a_formerr_in_every_section),
		cmocka_unit_test(a2_reading_stops_at_the_first_bad_record),
		cmocka_unit_test(every_cut_of_a_good_request_is_bad_or_ignored),
		cmocka_unit_test(
			an_answer_to_a_malformed_request_claims_no_question_it_did_not_carry),
		cmocka_unit_test(a7_opcodes_without_an_answer_get_notimp_and_nothing_more_is_read),
		cmocka_unit_test(a7_types_that_nobody_can_ask_for_have_one_answer_each),
		cmocka_unit_test(a7_every_class_and_the_root_as_qname_come_through_as_they_are),
		cmocka_unit_test(a8_responses_and_runts_are_met_with_silence),
		cmocka_unit_test(a8_octets_behind_the_last_record_are_a_formerr),
		cmocka_unit_test(records_in_other_sections_are_walked_over),
		cmocka_unit_test(rcodes_have_names_or_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
