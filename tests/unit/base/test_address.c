/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/address.h"
#include "base/attributes.h"

static struct address address(const char *text)
{
	struct address a;

	if (!address_parse(span_of_text(text), &a)) fail_msg("%s is an address", text);
	return a;
}

TEST(addresses_print_as_rfc5952_4_wants)
{
	static const char *const pairs[][2] = {
		{"192.0.2.1", "192.0.2.1"},
		{"0.0.0.0", "0.0.0.0"},
		{"255.255.255.255", "255.255.255.255"},
		{"::", "::"},
		{"::1", "::1"},
		{"1::", "1::"},
		{"2001:DB8::0001", "2001:db8::1"},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
		{"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
		{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
		{"1:2:3:4:5:6:192.0.2.33", "1:2:3:4:5:6:c000:221"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
		char text[ADDRESS_TEXT_MAX];
		struct address a = address(pairs[i][0]);
		assert_string_equal(address_print(&a, text), pairs[i][1]);
	}
}

TEST(a_mapped_address_is_ipv4)
{
	char text[ADDRESS_TEXT_MAX];
	struct address a = address("::ffff:192.0.2.1"), b = address("192.0.2.1");
	const uint8_t octets[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 1};
	struct address c = address_of_ipv6(octets);
	struct prefix p;

	CHECK(address_equal(&a, &b) && address_equal(&b, &c) && c.family == 4);
	CHECK(prefix_parse(span_of_text("::ffff:192.0.2.0/120"), &p));
	assert_string_equal(prefix_print(&p, text), "192.0.2.0/24");
	CHECK(prefix_contains(&p, &a));
	CHECK(!prefix_parse(span_of_text("::ffff:192.0.2.0/90"), &p));
}

TEST(malformed_addresses_are_refused)
{
	static const char *const bad[] = {
		"",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"1.2.3.04",
		"1.2.3.",
		".1.2.3",
		"1.2.3.4 ",
		"+1.2.3.4",
		"0x1.2.3.4",
		":",
		":::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1::2::3",
		"1:2:3:4::5:6:7:8",
		":1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:",
		"12345::",
		"g::",
		"::1.2.3.4.5",
		"::1.2.3.4:1",
		"1:2:3:4:5:6:7:1.2.3.4",
		"fe80::1%eth0",
		"[::1]",
		"::1@53",
	};
	struct address a;

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		if (address_parse(span_of_text(bad[i]), &a)) fail_msg("%s was taken", bad[i]);
	}
}

TEST(endpoints_take_a_port_or_the_one_that_is_usual)
{
	char text[ADDRESS_TEXT_MAX];
	struct endpoint a, b;

	CHECK(endpoint_parse(span_of_text("2001:db8::1"), 53, &a) && a.port == 53);
	assert_string_equal(endpoint_print(&a, text), "2001:db8::1@53");
	CHECK(endpoint_parse(span_of_text("2001:db8::1@5300"), 53, &b) && b.port == 5300);
	CHECK(!endpoint_equal(&a, &b));
	b.port = 53;
	CHECK(endpoint_equal(&a, &b));
	static const char *const bad[] = {"192.0.2.1@", "192.0.2.1@0",   "192.0.2.1@65536",
					  "@53",        "192.0.2.1@5x3", "192.0.2.1@-1"};
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		CHECK(!endpoint_parse(span_of_text(bad[i]), 53, &a));
}

TEST(a_prefix_contains_what_its_bits_say)
{
	static const struct {
		const char *prefix, *address;
		bool contains;
	} rows[] = {
		{"0.0.0.0/0", "203.0.113.9", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "203.0.113.9", false},
		{"203.0.113.0/28", "203.0.113.15", true},
		{"203.0.113.0/28", "203.0.113.16", false},
		{"203.0.113.128/25", "203.0.113.127", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.0", false},
		{"2001:db8::/33", "2001:db8:7fff::", true},
		{"2001:db8::/33", "2001:db8:8000::", false},
		{"2001:db8::1/128", "2001:db8::1", true},
		{"2001:db8::1/128", "2001:db8::", false},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct prefix p;
		char text[ADDRESS_TEXT_MAX];
		struct address a = address(rows[i].address);
		CHECK(prefix_parse(span_of_text(rows[i].prefix), &p));
		CHECK(prefix_contains(&p, &a) == rows[i].contains);
		struct prefix again;
		CHECK(prefix_parse(span_of_text(prefix_print(&p, text)), &again));
		CHECK(memcmp(&p, &again, sizeof p) == 0);
	}
}

TEST(a_prefix_with_bits_beyond_its_length_is_refused)
{
	static const char *const bad[] = {
		"192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "2001:db8::1/64", "::/129",
		"10.0.0.0/08",  "128.0.0.0/0",  "/8",         "10.0.0.0/8/8",   "10.0.0.0/-8"};
	struct prefix p;

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		if (prefix_parse(span_of_text(bad[i]), &p)) fail_msg("%s was taken", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_print_as_rfc5952_4_wants),
		cmocka_unit_test(a_mapped_address_is_ipv4),
		cmocka_unit_test(malformed_addresses_are_refused),
		cmocka_unit_test(endpoints_take_a_port_or_the_one_that_is_usual),
		cmocka_unit_test(a_prefix_contains_what_its_bits_say),
		cmocka_unit_test(a_prefix_with_bits_beyond_its_length_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
