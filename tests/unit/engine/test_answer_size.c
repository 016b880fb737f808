/* SPDX-License-Identifier: Apache-2.0 */
/* What does not fit: RFC 2181 9, RFC 6891 6.2, RFC 9471, and how signatures travel. */
#include "answer_fixture.h"

#define SIGNATURE                                                                                  \
	" 13 2 3600 20270101000000 20260101000000 1 example. "                                     \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==" \
	"\n"

static struct world world;
static char zone_text[1 << 18];
static size_t zone_len;

static void add(const char *format, ...) printf_like(1, 2);

static void add(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	zone_len +=
		(size_t)vsnprintf(zone_text + zone_len, sizeof zone_text - zone_len, format, args);
	va_end(args);
}

static int setup(void **state)
{
	(void)state;
	world_open(&world);
	zone_len = 0;
	add("@ SOA n a 1 1 1 1 60\n@ NS n\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static void publish(void)
{
	world_publish(&world, "example.", zone_text);
}

/* Records of one section of the last response. */
static unsigned count(enum section section)
{
	struct header header;

	CHECK(header_read(world.wire, &header));
	return header.count[section];
}

/* Header and question have 27 octets, each address 16, OPT 11. */
static void many_addresses(unsigned address_count)
{
	for (unsigned i = 0; i < address_count; i++) add("m A 192.0.2.%u\n", i);
	publish();
}

TEST(rfc1035_2_3_4_without_edns_512_octets_are_the_limit)
{
	many_addresses(30);
	world_ask(&world, "m.example. A");
	CHECK(!world.result.truncated && world.wire.len == 27 + 30 * 16);
}

TEST(rfc2181_9_an_rrset_that_does_not_fit_is_left_out_whole)
{
	many_addresses(31);
	CHECK_ANSWER(&world, "m.example. A", "NOERROR aa tc\n");
	CHECK_ANSWER(&world, "m.example. A edns=512", "NOERROR aa tc edns\n");
	world_ask(&world, "m.example. A edns=600");
	CHECK(!world.result.truncated && count(SECTION_ANSWER) == 31);
	world_ask(&world, "m.example. A tcp");
	CHECK(!world.result.truncated && count(SECTION_ANSWER) == 31);
}

/* RFC 6891 6.2.3: less than 512 means 512. */
TEST(rfc6891_6_2_3_the_client_cannot_ask_for_less_than_512_nor_more_than_1232)
{
	many_addresses(80);
	world_ask(&world, "n.example. A edns=0");
	CHECK(!world.result.truncated);
	CHECK_ANSWER(&world, "m.example. A edns=65535", "NOERROR aa tc edns\n");
	zone_len = 0;
	add("@ SOA n a 2 1 1 1 60\n@ NS n\n");
	many_addresses(74);
	world_ask(&world, "m.example. A edns=65535");
	CHECK(!world.result.truncated && world.wire.len == 27 + 74 * 16 + 11);
}

TEST(what_fits_with_opt_is_sent_and_one_record_more_is_not)
{
	for (unsigned size = 512; size <= 1232; size += 5) {
		unsigned fitting = (size - 27 - 11) / 16;
		char question[64];
		zone_len = 0;
		world.zone_count = 0;
		add("@ SOA n a %u 1 1 1 60\n@ NS n\n", size);
		for (unsigned i = 0; i <= fitting; i++) add("o A 192.0.2.%u\n", i);
		many_addresses(fitting);
		snprintf(question, sizeof question, "m.example. A edns=%u", size);
		world_ask(&world, question);
		CHECK(!world.result.truncated && world.wire.len == 27 + fitting * 16 + 11);
		question[0] = 'o';
		CHECK_ANSWER(&world, question, "NOERROR aa tc edns\n");
	}
}

TEST(an_alias_chain_that_does_not_fit_leaves_no_half_answer)
{
	add("c CNAME m\n");
	many_addresses(31);
	CHECK_ANSWER(&world, "c.example. A", "NOERROR aa tc\n");
}

TEST(additional_addresses_never_truncate)
{
	add("mx MX 1 m\n");
	many_addresses(40);
	CHECK_ANSWER(&world, "mx.example. MX",
		     "NOERROR aa\nan mx.example. 3600 IN MX 1 m.example.\n");
	world_ask(&world, "mx.example. MX tcp");
	CHECK(count(SECTION_ADDITIONAL) == 40);
}

TEST(thirteen_targets_are_looked_up_and_no_more)
{
	for (unsigned i = 0; i < 40; i++) add("mx MX %u t%u\nt%u A 192.0.2.%u\n", i, i, i, i);
	publish();
	world_ask(&world, "mx.example. MX tcp");
	CHECK(count(SECTION_ANSWER) == 40 && count(SECTION_ADDITIONAL) == ADDITIONAL_TARGETS_MAX);
}

/* RFC 9471 3: all of the glue below the cut, or TC. */
TEST(rfc9471_3_glue_in_the_delegated_zone_that_does_not_fit_truncates)
{
	for (unsigned i = 0; i < 10; i++)
		add("cut NS n%u.cut\nn%u.cut A 192.0.2.%u\nn%u.cut AAAA 2001:db8::%u\n", i, i, i, i,
		    i);
	publish();
	world_ask(&world, "x.cut.example. A");
	CHECK(world.result.truncated);
	CHECK(count(SECTION_AUTHORITY) == 10 && count(SECTION_ADDITIONAL) > 0);
	world_ask(&world, "x.cut.example. A edns=1232");
	CHECK(!world.result.truncated && count(SECTION_ADDITIONAL) == 20 + 1);
}

TEST(rfc9471_3_glue_of_siblings_is_left_out_without_tc)
{
	add("sibling NS n0.sibling\n");
	for (unsigned i = 0; i < 10; i++)
		add("cut NS n%u.sibling\nn%u.sibling A 192.0.2.%u\nn%u.sibling AAAA 2001:db8::%u\n",
		    i, i, i, i, i);
	publish();
	world_ask(&world, "x.cut.example. A");
	CHECK(!world.result.truncated);
	CHECK(count(SECTION_AUTHORITY) == 10 && count(SECTION_ADDITIONAL) > 0);
	CHECK(count(SECTION_ADDITIONAL) < 20);
	world_ask(&world, "x.cut.example. A edns=1232");
	CHECK(count(SECTION_ADDITIONAL) == 20 + 1);
}

TEST(a_referral_whose_servers_do_not_fit_is_truncated)
{
	for (unsigned i = 0; i < 40; i++) add("cut NS name-server-number-%u.elsewhere.test.\n", i);
	publish();
	CHECK_ANSWER(&world, "x.cut.example. A", "NOERROR tc\n");
}

/* RFC 4035 3.1.1: signatures stand beside what they sign, for who asks for them. */
TEST(rfc4035_3_1_1_signatures_come_with_do)
{
	add("w 600 A 192.0.2.1\nw 600 RRSIG A" SIGNATURE "w 300 TXT x\nw 300 RRSIG TXT" SIGNATURE);
	add("@ RRSIG SOA" SIGNATURE);
	publish();
	CHECK_ANSWER(&world, "w.example. A", "NOERROR aa\nan w.example. 600 IN A 192.0.2.1\n");
	CHECK_ANSWER(&world, "w.example. A edns",
		     "NOERROR aa edns\nan w.example. 600 IN A 192.0.2.1\n");
	CHECK_ANSWER(&world, "w.example. A do",
		     "NOERROR aa edns do\n"
		     "an w.example. 600 IN A 192.0.2.1\n"
		     "an w.example. 600 IN RRSIG A" SIGNATURE);
	CHECK_ANSWER(&world, "w.example. MX do",
		     "NOERROR aa edns do ede=12\n"
		     "au example. 60 IN SOA n.example. a.example. 1 1 1 1 60\n"
		     "au example. 60 IN RRSIG SOA" SIGNATURE);
	CHECK_ANSWER(&world, "w.example. RRSIG",
		     "NOERROR aa\nan w.example. 600 IN RRSIG A" SIGNATURE);
	CHECK_ANSWER(&world, "w.example. RRSIG tcp",
		     "NOERROR aa\n"
		     "an w.example. 600 IN RRSIG A" SIGNATURE
		     "an w.example. 300 IN RRSIG TXT" SIGNATURE);
	static const char all[] =
		"an w.example. 600 IN A 192.0.2.1\n"
		"an w.example. 600 IN RRSIG A" SIGNATURE "an w.example. 300 IN TXT \"x\"\n"
		"an w.example. 300 IN RRSIG TXT" SIGNATURE;
	assert_non_null(strstr(world_ask(&world, "w.example. ANY do tcp"), all));
	world_ask(&world, "w.example. ANY tcp");
	CHECK(count(SECTION_ANSWER) == 4);
}

TEST(an_rrset_whose_signature_does_not_fit_is_left_out_with_it)
{
	add("m RRSIG A" SIGNATURE);
	many_addresses(24); /* 27 + 24 * 16 + 11 = 422, and 113 of signature */
	CHECK_ANSWER(&world, "m.example. A do edns=512", "NOERROR aa tc edns do\n");
	world_ask(&world, "m.example. A do edns=600");
	CHECK(!world.result.truncated && count(SECTION_ANSWER) == 25);
}

TEST(nsid_has_its_place_even_if_the_answer_has_none)
{
	many_addresses(74);
	world_ask(&world, "m.example. A nsid edns=1232");
	CHECK(world.result.truncated);
	CHECK(strstr(world.text, "nsid=ns1.example.net") != NULL);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		EACH(rfc1035_2_3_4_without_edns_512_octets_are_the_limit),
		EACH(rfc2181_9_an_rrset_that_does_not_fit_is_left_out_whole),
		EACH(rfc6891_6_2_3_the_client_cannot_ask_for_less_than_512_nor_more_than_1232),
		EACH(what_fits_with_opt_is_sent_and_one_record_more_is_not),
		EACH(an_alias_chain_that_does_not_fit_leaves_no_half_answer),
		EACH(additional_addresses_never_truncate),
		EACH(thirteen_targets_are_looked_up_and_no_more),
		EACH(rfc9471_3_glue_in_the_delegated_zone_that_does_not_fit_truncates),
		EACH(rfc9471_3_glue_of_siblings_is_left_out_without_tc),
		EACH(a_referral_whose_servers_do_not_fit_is_truncated),
		EACH(rfc4035_3_1_1_signatures_come_with_do),
		EACH(an_rrset_whose_signature_does_not_fit_is_left_out_with_it),
		EACH(nsid_has_its_place_even_if_the_answer_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
