/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "dns/record.h"

#include "base/attributes.h"

static const uint8_t owner_wire[] = "\3www\7example\3net";

static struct record record_a(void)
{
	return (struct record){
		.owner = {.wire = owner_wire, .len = sizeof owner_wire},
		.type = RRTYPE_A,
		.class = CLASS_IN,
		.ttl = 3600,
		.rdata = span_of("\300\0\2\1", 4),
	};
}

TEST(a_record_reads_back_as_it_was_written)
{
	struct record a = record_a(), b;
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof bytes);

	record_write(&a, &w);
	CHECK(w.len == record_len(&a) && w.len == 17 + 10 + 4);
	struct reader r = reader_of(writer_span(&w));
	CHECK(record_read(&r, &b) && reader_done(&r));
	CHECK(name_equal(a.owner, b.owner) && record_compare(&a, &b) == 0);
	CHECK(b.type == RRTYPE_A && b.class == CLASS_IN && b.ttl == 3600);

	for (size_t len = 0; len < w.len; len++) {
		r = reader_of(span_of(bytes, len));
		CHECK(!record_read(&r, &b) && r.failed);
	}
}

TEST(a_record_prints_as_a_line)
{
	struct record a = record_a();
	char text[200];
	struct writer w = writer_of(text, sizeof text);

	record_print(&a, &w);
	write_u8(&w, 0);
	assert_string_equal(text, "www.example.net.\t3600\tIN\tA\t192.0.2.1\n");

	a.type = 65280;
	a.class = 7;
	w = writer_of(text, sizeof text);
	record_print(&a, &w);
	write_u8(&w, 0);
	assert_string_equal(text, "www.example.net.\t3600\tCLASS7\tTYPE65280\t\\# 4 c0000201\n");
}

/* Owner first, then SOA before all types, then the number of the type, then the data. */
TEST(the_order_of_a_zone_begins_with_its_soa)
{
	struct record a = record_a(), b = record_a();
	struct name root = name_root();

	CHECK(record_compare(&a, &b) == 0);
	b.rdata = span_of("\300\0\2\2", 4);
	CHECK(record_compare(&a, &b) < 0 && record_compare(&b, &a) > 0);
	b.type = RRTYPE_NS;
	CHECK(record_compare(&a, &b) < 0 && record_compare(&b, &a) > 0);
	b.type = RRTYPE_SOA;
	CHECK(record_compare(&a, &b) > 0 && record_compare(&b, &a) < 0);
	a.owner = root;
	CHECK(record_compare(&a, &b) < 0 && record_compare(&b, &a) > 0);
}

/* RFC 3597 5. */
TEST(classes_have_names_and_numbers)
{
	static const struct {
		const char *text;
		uint16_t class;
	} right[] = {{"IN", 1},     {"in", 1},        {"CH", 3},     {"HS", 4},
		     {"none", 254}, {"ANY", 255},     {"CLASS1", 1}, {"class65535", 65535},
		     {"CLASS0", 0}, {"CLASS0032", 32}};
	static const char *const wrong[] = {"",       "I",       "INN",        "CLASS",
					    "CLASSx", "CLASS-1", "CLASS65536", "TYPE1"};
	uint16_t class;

	for (size_t i = 0; i < ARRAY_COUNT(right); i++)
		CHECK(class_from_text(span_of_text(right[i].text), &class) &&
		      class == right[i].class);
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
		CHECK(!class_from_text(span_of_text(wrong[i]), &class));
}

TEST(soa_fields_read)
{
	static const uint8_t soa[] = "\1a\0\1b\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\377\377\377\377";
	struct soa out;

	CHECK(soa_read(span_of(soa, sizeof soa - 1), &out));
	CHECK(out.serial == 1 && out.refresh == 2 && out.retry == 3 && out.expire == 4);
	CHECK(out.minimum == UINT32_MAX && out.mname.len == 3 && out.rname.wire[1] == 'b');
	CHECK(!soa_read(span_of(soa, sizeof soa), &out));
	for (size_t len = 0; len < sizeof soa - 1; len++) CHECK(!soa_read(span_of(soa, len), &out));
}

/* RFC 1982 3.2. */
TEST(serials_compare_on_a_circle)
{
	CHECK(serial_newer(1, 0) && !serial_newer(0, 1));
	CHECK(!serial_newer(7, 7));
	CHECK(serial_newer(0, UINT32_MAX) && !serial_newer(UINT32_MAX, 0));
	CHECK(serial_newer(0x7fffffff, 0) && !serial_newer(0, 0x7fffffff));
	CHECK(!serial_newer(0x80000000, 0) && !serial_newer(0, 0x80000000));
	CHECK(serial_newer(0x80000000, 1) && !serial_newer(1, 0x80000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_reads_back_as_it_was_written),
		cmocka_unit_test(a_record_prints_as_a_line),
		cmocka_unit_test(the_order_of_a_zone_begins_with_its_soa),
		cmocka_unit_test(classes_have_names_and_numbers),
		cmocka_unit_test(soa_fields_read),
		cmocka_unit_test(serials_compare_on_a_circle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
