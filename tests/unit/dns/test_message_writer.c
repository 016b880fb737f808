/* SPDX-License-Identifier: Apache-2.0 */
#include "message_help.h"

#include "base/arena.h"

static uint8_t octets[MESSAGE_OCTETS_MAX + 64];
static struct message_writer mw;

static void question_of(struct question *question, struct span name)
{
	name_copy(&question->name, name_literal(name));
	question->type = RRTYPE_SOA;
	question->class = CLASS_IN;
}

static struct record record_of(struct span owner, uint16_t type, struct span rdata)
{
	return (struct record){.owner = name_literal(owner),
			       .type = type,
			       .class = CLASS_IN,
			       .ttl = 3600,
			       .rdata = rdata};
}

static bool add(struct span owner, uint16_t type, struct span rdata)
{
	struct record record = record_of(owner, type, rdata);

	return message_add_record(&mw, SECTION_ANSWER, &record);
}

static void begin(size_t cap)
{
	struct question question;

	question_of(&question, OCTETS("\7example\3com\0"));
	message_begin(&mw, octets, cap);
	CHECK(message_add_question(&mw, &question));
}

static struct span finish(void)
{
	struct header header = {.id = 7, .qr = true};

	return message_finish(&mw, &header);
}

/* Reads the `index`th record and expands it. */
static void read_back(struct span wire, unsigned index, struct message_record *raw,
		      struct record *out)
{
	static uint8_t room[MESSAGE_OCTETS_MAX];
	struct writer w = writer_of(room, sizeof room);
	static struct message message;

	CHECK(message_parse(wire, &message));
	struct message_cursor cursor = message_cursor_of(&message);
	for (unsigned i = 0; i <= index; i++) CHECK(message_next_record(&cursor, raw));
	CHECK(message_expand_record(&message, raw, &w, out, NULL) == OK);
}

TEST(a_header_is_written_bit_by_bit)
{
	struct header header = {.id = 0xbeef, .qr = true, .opcode = OPCODE_NOTIFY, .rcode = 9};
	bool *bits[] = {&header.aa, &header.tc, &header.rd, &header.ra, &header.ad, &header.cd};

	for (size_t i = 0; i < ARRAY_COUNT(bits); i++) {
		struct header again;

		*bits[i] = true;
		begin(512);
		CHECK(header_read(message_finish(&mw, &header), &again));
		header.count[SECTION_QUESTION] = 1;
		CHECK(again.id == header.id && again.qr && again.opcode == header.opcode);
		CHECK(again.aa == header.aa && again.tc == header.tc && again.rd == header.rd);
		CHECK(again.ra == header.ra && again.ad == header.ad && again.cd == header.cd);
		CHECK(again.rcode == 9 && memcmp(again.count, header.count, 8) == 0);
		*bits[i] = false;
	}
}

TEST(names_are_compressed_to_the_longest_ending_that_stands_there)
{
	begin(512);
	CHECK(add(OCTETS("\7example\3com\0"), RRTYPE_MX, OCTETS("\0\1\4mail\7example\3com\0")));
	CHECK(add(OCTETS("\4mail\7example\3com\0"), RRTYPE_NS, OCTETS("\2ns\3com\0")));
	CHECK(add(OCTETS("\0"), RRTYPE_NS, OCTETS("\0")));
	struct span wire = finish();
	CHECK(span_equal(span_of(wire.ptr + 29, wire.len - 29),
			 OCTETS("\xc0\x0c\0\x0f\0\1\0\0\x0e\x10\0\x09\0\1\4mail\xc0\x0c"
				"\xc0\x2b\0\2\0\1\0\0\x0e\x10\0\5\2ns\xc0\x14"
				"\0\0\2\0\1\0\0\x0e\x10\0\1\0")));
}

/* RFC 3597 4: a receiver that does not know the type could not expand it. */
TEST(only_names_in_types_of_rfc_1035_are_compressed)
{
	struct span srv = OCTETS("\0\1\0\1\0\x35\7example\3com\0");
	struct message_record raw;
	struct record record;

	begin(512);
	CHECK(add(OCTETS("\7example\3com\0"), RRTYPE_SRV, srv));
	CHECK(add(OCTETS("\7example\3com\0"), 65280, OCTETS("\7example\3com\0")));
	struct span wire = finish();
	read_back(wire, 0, &raw, &record);
	CHECK(raw.rdata_len == srv.len && span_equal(record.rdata, srv));
	read_back(wire, 1, &raw, &record);
	CHECK(raw.rdata_len == 13);
}

TEST(the_case_of_every_name_is_kept)
{
	struct message_record raw;
	struct record record;

	begin(512);
	CHECK(add(OCTETS("\7eXample\3com\0"), RRTYPE_NS, OCTETS("\2ns\7examplE\3com\0")));
	CHECK(add(OCTETS("\7example\3com\0"), RRTYPE_NS, OCTETS("\2NS\7examplE\3com\0")));
	struct span wire = finish();
	read_back(wire, 0, &raw, &record);
	CHECK(span_equal(span_of(record.owner.wire, record.owner.len), OCTETS("\7eXample\3com\0")));
	CHECK(span_equal(record.rdata, OCTETS("\2ns\7examplE\3com\0")));
	read_back(wire, 1, &raw, &record);
	CHECK(record.owner.wire[2] == 'x' && raw.rdata_len == 5);
	CHECK(span_equal(record.rdata, OCTETS("\2NS\7examplE\3com\0")));
}

TEST(a_record_is_written_whole_or_not_at_all)
{
	struct record record =
		record_of(OCTETS("\1a\7example\3com\0"), RRTYPE_NS, OCTETS("\2ns\3net\0"));

	begin(512);
	size_t before = mw.w.len;
	CHECK(message_add_record(&mw, SECTION_ANSWER, &record));
	size_t after = mw.w.len;
	for (size_t cap = before; cap < after; cap++) {
		begin(cap);
		CHECK(!message_add_record(&mw, SECTION_ADDITIONAL, &record));
		CHECK(mw.w.len == before && !mw.w.overflow);
		CHECK(mw.count[SECTION_ADDITIONAL] == 0 && mw.section == SECTION_QUESTION);
		for (size_t i = 0; i < COMPRESSION_SLOT_COUNT; i++) CHECK(mw.slots[i].at < before);
	}
	begin(after);
	CHECK(message_add_record(&mw, SECTION_ANSWER, &record) && mw.w.len == after);
}

TEST(what_was_taken_back_is_never_pointed_at)
{
	struct message_record raw;
	struct record record;

	begin(512);
	struct message_mark mark = message_mark(&mw);
	CHECK(add(OCTETS("\3www\7example\3com\0"), RRTYPE_NS, OCTETS("\2ns\3net\0")));
	message_rewind(&mw, &mark);
	CHECK(add(OCTETS("\3www\7example\3com\0"), RRTYPE_NS, OCTETS("\2ns\3net\0")));
	CHECK(memcmp(octets + mark.len, "\3www\xc0\x0c", 6) == 0);
	message_rewind(&mw, &mark);
	CHECK(add(OCTETS("\1x\3org\0"), RRTYPE_NS, OCTETS("\2ns\3net\0")));
	CHECK(add(OCTETS("\3www\7example\3com\0"), RRTYPE_NS, OCTETS("\2ns\3net\0")));
	struct span wire = finish();
	read_back(wire, 0, &raw, &record);
	CHECK(span_equal(record.rdata, OCTETS("\2ns\3net\0")));
	read_back(wire, 1, &raw, &record);
	CHECK(name_equal(record.owner, name_literal(OCTETS("\3www\7example\3com\0"))));
	CHECK(span_equal(record.rdata, OCTETS("\2ns\3net\0")) && raw.rdata_len == 2);
}

TEST(reserved_octets_are_kept_from_records_until_released)
{
	begin(29 + 16 + OPT_OCTETS);
	CHECK(message_reserve(&mw, OPT_OCTETS) && !message_reserve(&mw, 17));
	CHECK(!add(OCTETS("\7example\3com\0"), RRTYPE_TXT, OCTETS("\4text")));
	CHECK(add(OCTETS("\7example\3com\0"), RRTYPE_A, OCTETS("\1\2\3\4")));
	CHECK(!edns_begin(&mw, 1232, true));
	message_release(&mw, OPT_OCTETS);
	CHECK(edns_begin(&mw, 1232, true));
	CHECK(finish().len == 29 + 16 + OPT_OCTETS);
}

TEST(truncation_leaves_the_question_and_room_for_opt)
{
	struct header header = {.qr = true, .tc = true, .rcode = RCODE_BADVERS};
	struct message message;
	struct edns edns;
	struct tsig tsig;

	begin(512);
	CHECK(add(OCTETS("\1a\7example\3com\0"), RRTYPE_A, OCTETS("\1\2\3\4")));
	CHECK(edns_begin(&mw, 1232, false));
	message_truncate(&mw);
	CHECK(edns_begin(&mw, 1400, false));
	CHECK(message_parse(message_finish(&mw, &header), &message));
	CHECK(message.header.tc && message.header.count[SECTION_ANSWER] == 0);
	CHECK(message.header.count[SECTION_ADDITIONAL] == 1 && message.has_question);
	CHECK(message_read_meta(&message, &edns, &tsig) == RCODE_NOERROR);
	CHECK(edns.udp_size == 1400 && edns_rcode(&message.header, &edns) == RCODE_BADVERS);
}

/* Case A1, as a writer: CVE-2024-8508 let names of others make compression endless. */
TEST(a1_compression_works_with_a_table_of_fixed_size_and_stays_right)
{
	struct arena *arena = arena_new(1 << 20);
	struct record *records = arena_alloc_array(arena, 5000, sizeof *records);
	struct message_record raw;
	struct message message;
	struct message_cursor cursor;
	unsigned count = 0;
	uint32_t random = 1;

	CHECK(records != NULL);
	begin(MESSAGE_OCTETS_MAX);
	while (count < 5000) {
		struct record *record = &records[count];
		uint8_t wire[NAME_OCTETS_MAX];
		struct writer w = writer_of(wire, sizeof wire);

		for (unsigned labels = 0; labels < 1 + random % 60; labels++) {
			random = random * 1664525 + 1013904223;
			write_u8(&w, 1);
			write_u8(&w, (uint8_t)('a' + (random >> 28) % 3));
		}
		write_u8(&w, 0);
		const uint8_t *copy = arena_copy(arena, writer_span(&w));
		CHECK(copy != NULL);
		*record = record_of(span_of(copy, w.len), RRTYPE_NS, span_of(copy, w.len));
		if (!message_add_record(&mw, SECTION_ANSWER, record)) break;
		count++;
	}
	CHECK(count > 1000 && mw.w.len > MESSAGE_OCTETS_MAX - 600);
	CHECK(message_parse(finish(), &message));
	cursor = message_cursor_of(&message);
	for (unsigned i = 0; i < count; i++) {
		uint8_t room[NAME_OCTETS_MAX];
		struct writer w = writer_of(room, sizeof room);
		struct record again;

		CHECK(message_next_record(&cursor, &raw));
		CHECK(message_expand_record(&message, &raw, &w, &again, NULL) == OK);
		CHECK(span_equal(again.rdata, records[i].rdata));
		CHECK(span_equal(span_of(again.owner.wire, again.owner.len), again.rdata));
	}
	CHECK(message_cursor_is_done(&cursor));
	arena_free(arena);
}

TEST(a_name_of_127_labels_is_written_and_its_owner_pointed_at)
{
	uint8_t wire[NAME_OCTETS_MAX];
	struct message_record raw;
	struct record record;

	for (size_t i = 0; i < 254; i += 2) {
		wire[i] = 1;
		wire[i + 1] = (uint8_t)i;
	}
	wire[254] = 0;
	begin(MESSAGE_OCTETS_MAX);
	CHECK(add(span_of(wire, 255), RRTYPE_NS, span_of(wire, 255)));
	CHECK(add(span_of(wire, 255), RRTYPE_NS, span_of(wire, 255)));
	struct span whole = finish();
	for (unsigned i = 0; i < 2; i++) {
		read_back(whole, i, &raw, &record);
		CHECK(span_equal(record.rdata, span_of(wire, 255)));
		CHECK(span_equal(span_of(record.owner.wire, record.owner.len), record.rdata));
		CHECK(i == 0 || raw.rdata_at - raw.at == 12);
	}
}

/* RFC 1035 4.1.4: 14 bits. */
TEST(a_name_above_the_first_16_kib_is_never_a_target)
{
	static uint8_t text[256 * 66];
	struct message_record raw;
	struct record record;

	for (size_t i = 0; i < sizeof text; i += 256) text[i] = 255;
	for (size_t len = 63; len <= 66; len++) {
		begin(MESSAGE_OCTETS_MAX);
		CHECK(add(OCTETS("\7example\3com\0"), RRTYPE_TXT, span_of(text, 256 * len)));
		for (int i = 0; i < 40; i++)
			CHECK(add(OCTETS("\1b\1a\3org\0"), RRTYPE_NS, OCTETS("\1c\1a\3org\0")));
		struct span whole = finish();
		for (unsigned i = 1; i <= 40; i++) {
			read_back(whole, i, &raw, &record);
			CHECK(name_equal(record.owner, name_literal(OCTETS("\1b\1a\3org\0"))));
			CHECK(span_equal(record.rdata, OCTETS("\1c\1a\3org\0")));
		}
	}
}

TEST(a_message_never_exceeds_65535_octets)
{
	static uint8_t text[256 * 63];

	for (size_t i = 0; i < sizeof text; i += 256) text[i] = 255;
	begin(sizeof octets);
	while (add(OCTETS("\0"), RRTYPE_TXT, span_of(text, sizeof text))) continue;
	while (add(OCTETS("\0"), RRTYPE_TXT, OCTETS("\0"))) continue;
	CHECK(finish().len <= MESSAGE_OCTETS_MAX && mw.w.len > MESSAGE_OCTETS_MAX - 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_written_bit_by_bit),
		cmocka_unit_test(names_are_compressed_to_the_longest_ending_that_stands_there),
		cmocka_unit_test(only_names_in_types_of_rfc_1035_are_compressed),
		cmocka_unit_test(the_case_of_every_name_is_kept),
		cmocka_unit_test(a_record_is_written_whole_or_not_at_all),
		cmocka_unit_test(what_was_taken_back_is_never_pointed_at),
		cmocka_unit_test(reserved_octets_are_kept_from_records_until_released),
		cmocka_unit_test(truncation_leaves_the_question_and_room_for_opt),
		cmocka_unit_test(a1_compression_works_with_a_table_of_fixed_size_and_stays_right),
		cmocka_unit_test(a_name_of_127_labels_is_written_and_its_owner_pointed_at),
		cmocka_unit_test(a_name_above_the_first_16_kib_is_never_a_target),
		cmocka_unit_test(a_message_never_exceeds_65535_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
