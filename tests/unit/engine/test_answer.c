/* SPDX-License-Identifier: Apache-2.0 */
#include "answer_fixture.h"

/* RFC 1034 6.2's shape: a zone with everything that a name can mean. */
static const char example_zone[] =
	"@            3600 SOA   ns1 admin 7 3600 600 86400 300\n"
	"@            3600 NS    ns1\n"
	"@            3600 NS    ns.elsewhere.test.\n"
	"ns1          3600 A     192.0.2.53\n"
	"ns1          3600 AAAA  2001:db8::53\n"
	"www          600  A     192.0.2.80\n"
	"www          600  A     192.0.2.81\n"
	"@            3600 MX    10 mail\n"
	"@            3600 MX    20 mx.elsewhere.test.\n"
	"mail         3600 A     192.0.2.25\n"
	"alias        3600 CNAME www\n"
	"alias2       3600 CNAME alias\n"
	"out          3600 CNAME www.elsewhere.test.\n"
	"dangling     3600 CNAME nothing\n"
	"loop1        3600 CNAME loop2\n"
	"loop2        3600 CNAME loop1\n"
	"self         3600 CNAME self\n"
	"a.b.c        3600 TXT   deep\n"
	"*.wild       3600 TXT   \"from the wildcard\"\n"
	"*.wild       3600 MX    10 mail\n"
	"sub.wild     3600 A     192.0.2.1\n"
	"below.ent.wild 3600 A   192.0.2.2\n"
	"*.wildalias  3600 CNAME www\n"
	"dname        1800 DNAME target.other\n"
	"x.target.other 3600 A   192.0.2.3\n"
	"_sip._tcp    3600 SRV   0 5 5060 mail\n"
	"cut          3600 NS    ns.cut\n"
	"cut          3600 NS    ns.sibling\n"
	"cut          3600 NS    ns.elsewhere.test.\n"
	"cut          3600 DS    1 13 2 "
	"0000000000000000000000000000000000000000000000000000000000000000\n"
	"ns.cut       3600 A     192.0.2.60\n"
	"ns.cut       3600 AAAA  2001:db8::60\n"
	"sibling      3600 NS    ns.sibling\n"
	"ns.sibling   3600 A     192.0.2.61\n"
	"tocut        3600 CNAME www.cut\n";

#define SOA_NEGATIVE "au example. 300 IN SOA ns1.example. admin.example. 7 3600 600 86400 300\n"

static struct world world;

static int setup(void **state)
{
	(void)state;
	world_open(&world);
	world_publish(&world, "example.", example_zone);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

TEST(rfc1034_4_3_2_exact_name_and_type)
{
	CHECK_ANSWER(&world, "www.example. A",
		     "NOERROR aa\n"
		     "an www.example. 600 IN A 192.0.2.80\n"
		     "an www.example. 600 IN A 192.0.2.81\n");
}

TEST(rfc2308_2_2_no_data)
{
	CHECK_ANSWER(&world, "www.example. AAAA", "NOERROR aa\n" SOA_NEGATIVE);
}

TEST(rfc2308_2_1_no_name)
{
	CHECK_ANSWER(&world, "nothing.example. A", "NXDOMAIN aa\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "x.www.example. A", "NXDOMAIN aa\n" SOA_NEGATIVE);
}

/* The SOA itself keeps its TTL; only the one that speaks of absence is lowered. */
TEST(rfc2308_3_only_the_negative_soa_has_the_minimum_as_ttl)
{
	CHECK_ANSWER(&world, "example. SOA",
		     "NOERROR aa\n"
		     "an example. 3600 IN SOA ns1.example. admin.example. 7 3600 600 86400 300\n");
}

TEST(rfc4592_2_2_2_empty_non_terminals_exist)
{
	CHECK_ANSWER(&world, "c.example. TXT", "NOERROR aa\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "b.c.example. TXT", "NOERROR aa\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "x.b.c.example. TXT", "NXDOMAIN aa\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "c.example. ANY", "NOERROR aa\n" SOA_NEGATIVE);
}

/* RFC 4343 4.1: and what points into the question has its letters. */
TEST(rfc4343_case_of_the_question_comes_back)
{
	CHECK_ANSWER(&world, "wWw.ExAmPlE. A",
		     "NOERROR aa\n"
		     "an wWw.ExAmPlE. 600 IN A 192.0.2.80\n"
		     "an wWw.ExAmPlE. 600 IN A 192.0.2.81\n");
	CHECK_ANSWER(&world, "nX.ExAmPlE. A",
		     "NXDOMAIN aa\n"
		     "au ExAmPlE. 300 IN SOA ns1.ExAmPlE. admin.ExAmPlE. 7 3600 600 86400 300\n");
	CHECK_ANSWER(&world, "a.SiBLing.eXample. A",
		     "NOERROR\n"
		     "au SiBLing.eXample. 3600 IN NS ns.SiBLing.eXample.\n"
		     "ad ns.SiBLing.eXample. 3600 IN A 192.0.2.61\n");
}

TEST(rfc4592_2_2_1_wildcards_stand_in_where_nothing_exists)
{
	CHECK_ANSWER(&world, "x.wild.example. TXT",
		     "NOERROR aa\nan x.wild.example. 3600 IN TXT \"from the wildcard\"\n");
	CHECK_ANSWER(&world, "x.y.wild.example. TXT",
		     "NOERROR aa\nan x.y.wild.example. 3600 IN TXT \"from the wildcard\"\n");
	CHECK_ANSWER(&world, "*.wild.example. TXT",
		     "NOERROR aa\nan *.wild.example. 3600 IN TXT \"from the wildcard\"\n");
	CHECK_ANSWER(&world, "x.wild.example. A", "NOERROR aa\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "wild.example. TXT", "NOERROR aa\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "sub.wild.example. TXT", "NOERROR aa\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "x.sub.wild.example. TXT", "NXDOMAIN aa\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "ent.wild.example. TXT", "NOERROR aa\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "x.ent.wild.example. TXT", "NXDOMAIN aa\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "x.wild.example. MX",
		     "NOERROR aa\n"
		     "an x.wild.example. 3600 IN MX 10 mail.example.\n"
		     "ad mail.example. 3600 IN A 192.0.2.25\n");
}

TEST(rfc1034_3_6_2_aliases_are_followed)
{
	CHECK_ANSWER(&world, "alias2.example. A",
		     "NOERROR aa\n"
		     "an alias2.example. 3600 IN CNAME alias.example.\n"
		     "an alias.example. 3600 IN CNAME www.example.\n"
		     "an www.example. 600 IN A 192.0.2.80\n"
		     "an www.example. 600 IN A 192.0.2.81\n");
	CHECK_ANSWER(&world, "alias.example. CNAME",
		     "NOERROR aa\nan alias.example. 3600 IN CNAME www.example.\n");
	CHECK_ANSWER(&world, "alias.example. ANY",
		     "NOERROR aa\nan alias.example. 3600 IN CNAME www.example.\n");
	CHECK_ANSWER(&world, "x.wildalias.example. AAAA",
		     "NOERROR aa\n"
		     "an x.wildalias.example. 3600 IN CNAME www.example.\n" SOA_NEGATIVE);
}

TEST(an_alias_that_leaves_our_zones_ends_the_answer)
{
	CHECK_ANSWER(&world, "out.example. A",
		     "NOERROR aa\nan out.example. 3600 IN CNAME www.elsewhere.test.\n");
}

/* RFC 6604 3: the rcode is that of the last name. */
TEST(rfc6604_3_an_alias_to_nothing_is_nxdomain)
{
	CHECK_ANSWER(&world, "dangling.example. A",
		     "NXDOMAIN aa\n"
		     "an dangling.example. 3600 IN CNAME nothing.example.\n" SOA_NEGATIVE);
}

TEST(alias_loops_end)
{
	CHECK_ANSWER(&world, "loop1.example. A",
		     "NOERROR aa\n"
		     "an loop1.example. 3600 IN CNAME loop2.example.\n"
		     "an loop2.example. 3600 IN CNAME loop1.example.\n");
	CHECK_ANSWER(&world, "self.example. A",
		     "NOERROR aa\nan self.example. 3600 IN CNAME self.example.\n");
}

TEST(an_alias_into_another_zone_of_ours_goes_on_there)
{
	world_publish(&world, "elsewhere.test.",
		      "@ SOA ns1 admin 1 1 1 1 60\n@ NS ns1.example.\nwww A 192.0.2.99\n");
	CHECK_ANSWER(&world, "out.example. A",
		     "NOERROR aa\n"
		     "an out.example. 3600 IN CNAME www.elsewhere.test.\n"
		     "an www.elsewhere.test. 3600 IN A 192.0.2.99\n");
	CHECK_ANSWER(&world, "out.example. AAAA",
		     "NOERROR aa\n"
		     "an out.example. 3600 IN CNAME www.elsewhere.test.\n"
		     "au elsewhere.test. 60 IN SOA ns1.elsewhere.test. admin.elsewhere.test. "
		     "1 1 1 1 60\n");
	/* A zone that this client may not see says nothing, not even that it is there. */
	world_policy(&world)->allow_query = (struct access_list){0};
	CHECK_ANSWER(&world, "out.example. A",
		     "NOERROR aa\nan out.example. 3600 IN CNAME www.elsewhere.test.\n");
}

TEST(eight_aliases_are_followed_and_no_more)
{
	char zone[4096], expected[4096];
	int at = snprintf(zone, sizeof zone, "@ SOA n a 1 1 1 1 1\n@ NS n\n"), len;

	for (int i = 0; i < 10; i++)
		at += snprintf(zone + at, sizeof zone - (size_t)at, "c%d CNAME c%d\n", i, i + 1);
	world_publish(&world, "chain.", zone);
	len = snprintf(expected, sizeof expected, "NOERROR aa\n");
	for (int i = 0; i <= ALIAS_STEPS_MAX; i++)
		len += snprintf(expected + len, sizeof expected - (size_t)len,
				"an c%d.chain. 3600 IN CNAME c%d.chain.\n", i, i + 1);
	CHECK_ANSWER(&world, "c0.chain. A", expected);
}

TEST(rfc6672_3_1_dname_with_its_alias)
{
	CHECK_ANSWER(&world, "x.dname.example. A",
		     "NOERROR aa\n"
		     "an dname.example. 1800 IN DNAME target.other.example.\n"
		     "an x.dname.example. 1800 IN CNAME x.target.other.example.\n"
		     "an x.target.other.example. 3600 IN A 192.0.2.3\n");
	CHECK_ANSWER(&world, "y.dname.example. A",
		     "NXDOMAIN aa\n"
		     "an dname.example. 1800 IN DNAME target.other.example.\n"
		     "an y.dname.example. 1800 IN CNAME y.target.other.example.\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "x.dname.example. CNAME",
		     "NOERROR aa\n"
		     "an dname.example. 1800 IN DNAME target.other.example.\n"
		     "an x.dname.example. 1800 IN CNAME x.target.other.example.\n");
}

TEST(rfc6672_2_3_a_dname_owner_is_not_redirected)
{
	CHECK_ANSWER(&world, "dname.example. A", "NOERROR aa\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "dname.example. DNAME",
		     "NOERROR aa\nan dname.example. 1800 IN DNAME target.other.example.\n");
}

#define LABEL50 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define LABEL60 LABEL50 "ffffffffff"

TEST(rfc6672_2_2_a_name_that_grows_too_long_is_yxdomain)
{
	CHECK_ANSWER(&world, LABEL50 "." LABEL60 "." LABEL60 "." LABEL60 ".dname.example. A",
		     "YXDOMAIN aa\nan dname.example. 1800 IN DNAME target.other.example.\n");
}

TEST(rfc1034_4_2_1_referrals_carry_glue)
{
	static const char referral[] = "NOERROR\n"
				       "au cut.example. 3600 IN NS ns.cut.example.\n"
				       "au cut.example. 3600 IN NS ns.sibling.example.\n"
				       "au cut.example. 3600 IN NS ns.elsewhere.test.\n"
				       "ad ns.cut.example. 3600 IN A 192.0.2.60\n"
				       "ad ns.cut.example. 3600 IN AAAA 2001:db8::60\n"
				       "ad ns.sibling.example. 3600 IN A 192.0.2.61\n";

	CHECK_ANSWER(&world, "cut.example. A", referral);
	CHECK_ANSWER(&world, "cut.example. NS", referral);
	CHECK_ANSWER(&world, "cut.example. SOA", referral);
	CHECK_ANSWER(&world, "cut.example. ANY", referral);
	CHECK_ANSWER(&world, "ns.cut.example. A", referral);
	CHECK_ANSWER(&world, "x.y.cut.example. A", referral);
}

TEST(an_alias_into_a_delegation_ends_in_a_referral_with_aa)
{
	CHECK_ANSWER(&world, "tocut.example. A",
		     "NOERROR aa\n"
		     "an tocut.example. 3600 IN CNAME www.cut.example.\n"
		     "au cut.example. 3600 IN NS ns.cut.example.\n"
		     "au cut.example. 3600 IN NS ns.sibling.example.\n"
		     "au cut.example. 3600 IN NS ns.elsewhere.test.\n"
		     "ad ns.cut.example. 3600 IN A 192.0.2.60\n"
		     "ad ns.cut.example. 3600 IN AAAA 2001:db8::60\n"
		     "ad ns.sibling.example. 3600 IN A 192.0.2.61\n");
}

#define DS_CUT                                                                                     \
	" cut.example. 3600 IN DS 1 13 2 "                                                         \
	"0000000000000000000000000000000000000000000000000000000000000000\n"

TEST(rfc4035_3_1_4_1_ds_is_answered_by_the_parent)
{
	CHECK_ANSWER(&world, "cut.example. DS", "NOERROR aa\nan" DS_CUT);
	CHECK_ANSWER(&world, "sibling.example. DS", "NOERROR aa\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "x.sibling.example. DS",
		     "NOERROR\n"
		     "au sibling.example. 3600 IN NS ns.sibling.example.\n"
		     "ad ns.sibling.example. 3600 IN A 192.0.2.61\n");
	/* With the child on the same server. */
	world_publish(&world, "cut.example.",
		      "@ SOA ns admin 9 1 1 1 60\n@ NS ns\nns A 192.0.2.60\nwww A 192.0.2.62\n");
	CHECK_ANSWER(&world, "cut.example. DS", "NOERROR aa\nan" DS_CUT);
	CHECK_ANSWER(&world, "www.cut.example. A",
		     "NOERROR aa\nan www.cut.example. 3600 IN A 192.0.2.62\n");
	CHECK_ANSWER(&world, "tocut.example. A",
		     "NOERROR aa\n"
		     "an tocut.example. 3600 IN CNAME www.cut.example.\n"
		     "an www.cut.example. 3600 IN A 192.0.2.62\n");
}

TEST(rfc4035_3_1_4_1_ds_without_the_parent_is_denied_by_the_child)
{
	CHECK_ANSWER(&world, "example. DS", "NOERROR aa\n" SOA_NEGATIVE);
	/* A grandparent knows no DS either. */
	world_publish(&world, "a.sibling.example.",
		      "@ 60 SOA ns admin 9 1 1 1 60\n@ NS ns\nns A 192.0.2.60\n");
	CHECK_ANSWER(&world, "a.sibling.example. DS",
		     "NOERROR aa\n"
		     "au a.sibling.example. 60 IN SOA ns.a.sibling.example. "
		     "admin.a.sibling.example. 9 1 1 1 60\n");
}

TEST(rfc4035_3_1_4_referrals_tell_ds_to_who_wants_dnssec)
{
	CHECK_ANSWER(&world, "cut.example. A do",
		     "NOERROR edns do\n"
		     "au cut.example. 3600 IN NS ns.cut.example.\n"
		     "au cut.example. 3600 IN NS ns.sibling.example.\n"
		     "au cut.example. 3600 IN NS ns.elsewhere.test.\n"
		     "au" DS_CUT "ad ns.cut.example. 3600 IN A 192.0.2.60\n"
		     "ad ns.cut.example. 3600 IN AAAA 2001:db8::60\n"
		     "ad ns.sibling.example. 3600 IN A 192.0.2.61\n");
}

TEST(rfc1035_3_3_additional_addresses)
{
	CHECK_ANSWER(&world, "example. NS",
		     "NOERROR aa\n"
		     "an example. 3600 IN NS ns.elsewhere.test.\n"
		     "an example. 3600 IN NS ns1.example.\n"
		     "ad ns1.example. 3600 IN A 192.0.2.53\n"
		     "ad ns1.example. 3600 IN AAAA 2001:db8::53\n");
	CHECK_ANSWER(&world, "_sip._tcp.example. SRV",
		     "NOERROR aa\n"
		     "an _sip._tcp.example. 3600 IN SRV 0 5 5060 mail.example.\n"
		     "ad mail.example. 3600 IN A 192.0.2.25\n");
}

TEST(a_zone_that_rotates_begins_with_the_record_whose_turn_it_is)
{
	static const char first[] = "an www.example. 600 IN A 192.0.2.80\n",
			  second[] = "an www.example. 600 IN A 192.0.2.81\n";
	char expected[2][256];

	snprintf(expected[0], sizeof expected[0], "NOERROR aa\n%s%s", first, second);
	snprintf(expected[1], sizeof expected[1], "NOERROR aa\n%s%s", second, first);
	world.turn = 1;
	CHECK_ANSWER(&world, "www.example. A", expected[0]);
	world_policy(&world)->rotate = SWITCH_YES;
	for (world.turn = 0; world.turn < 5; world.turn++)
		CHECK_ANSWER(&world, "www.example. A", expected[world.turn % 2]);
	world.turn = UINT32_MAX;
	CHECK_ANSWER(&world, "ns1.example. A",
		     "NOERROR aa\nan ns1.example. 3600 IN A 192.0.2.53\n");
	world.turn = 1;
	CHECK_ANSWER(&world, "cut.example. A",
		     "NOERROR\n"
		     "au cut.example. 3600 IN NS ns.sibling.example.\n"
		     "au cut.example. 3600 IN NS ns.elsewhere.test.\n"
		     "au cut.example. 3600 IN NS ns.cut.example.\n"
		     "ad ns.cut.example. 3600 IN A 192.0.2.60\n"
		     "ad ns.cut.example. 3600 IN AAAA 2001:db8::60\n"
		     "ad ns.sibling.example. 3600 IN A 192.0.2.61\n");
	world.turn = 0;
}

TEST(rfc9460_4_1_services_bring_addresses_and_what_an_alias_leads_to)
{
	world_publish(&world, "svc.",
		      "@ SOA a b 1 1 1 1 60\n@ NS ns.else.\n"
		      "@ HTTPS 0 pool\npool HTTPS 1 . port=443\npool A 192.0.2.1\n"
		      "far HTTPS 1 pool\nnowhere HTTPS 0 .\nnowhere A 192.0.2.2\n");
	CHECK_ANSWER(&world, "svc. HTTPS",
		     "NOERROR aa\nan svc. 3600 IN HTTPS 0 pool.svc.\n"
		     "ad pool.svc. 3600 IN A 192.0.2.1\n"
		     "ad pool.svc. 3600 IN HTTPS 1 . port=443\n");
	CHECK_ANSWER(&world, "pool.svc. HTTPS",
		     "NOERROR aa\nan pool.svc. 3600 IN HTTPS 1 . port=443\n"
		     "ad pool.svc. 3600 IN A 192.0.2.1\n");
	CHECK_ANSWER(&world, "far.svc. HTTPS",
		     "NOERROR aa\nan far.svc. 3600 IN HTTPS 1 pool.svc.\n"
		     "ad pool.svc. 3600 IN A 192.0.2.1\n"
		     "ad pool.svc. 3600 IN HTTPS 1 . port=443\n");
	CHECK_ANSWER(&world, "nowhere.svc. HTTPS",
		     "NOERROR aa\nan nowhere.svc. 3600 IN HTTPS 0 .\n");
}

/* Each type whose RFC speaks of additional addresses, as rrtypes.def knows them. */
TEST(every_type_that_names_a_host_brings_its_addresses)
{
	static const char *const data[] = {"NS h",   "MX 1 h", "SRV 1 2 3 h", "AFSDB 1 h",
					   "RT 1 h", "KX 1 h", "SVCB 1 h",    "HTTPS 1 h",
					   "MB h",   "MD h",   "MF h"};
	char text[256], question[64];

	for (size_t i = 0; i < ARRAY_COUNT(data); i++) {
		snprintf(text, sizeof text,
			 "@ SOA a b %zu 1 1 1 60\n@ NS ns.else.\n"
			 "x %s\nh A 192.0.2.1\nh AAAA 2001:db8::1\n",
			 i + 1, data[i]);
		world_publish(&world, "each.", text);
		snprintf(question, sizeof question, "x.each. %.*s", (int)strcspn(data[i], " "),
			 data[i]);
		world.zone_count = 1;
		assert_non_null(strstr(world_ask(&world, question),
				       "\nad h.each. 3600 IN A 192.0.2.1\n"
				       "ad h.each. 3600 IN AAAA 2001:db8::1\n"));
	}
}

TEST(b2_additional_addresses_stop_at_13_targets)
{
	char text[4096];
	int at = snprintf(text, sizeof text, "@ SOA a b 1 1 1 1 60\n@ NS ns.else.\n");

	for (int i = 0; i < 20; i++)
		at += snprintf(text + at, sizeof text - (size_t)at,
			       "m MX 1 h%d\nh%d A 192.0.2.1\ncut NS h%d\n", i, i, i);
	world_publish(&world, "many.", text);
	world_ask(&world, "m.many. MX tcp");
	struct header header;
	CHECK(header_read(world.wire, &header));
	CHECK(header.count[SECTION_ANSWER] == 20 && header.count[SECTION_ADDITIONAL] == 13);
	world_ask(&world, "x.cut.many. A tcp");
	CHECK(header_read(world.wire, &header));
	CHECK(header.count[SECTION_AUTHORITY] == 20 && header.count[SECTION_ADDITIONAL] == 13);
}

TEST(rfc8482_4_1_any_over_udp_gives_one_rrset)
{
	CHECK_ANSWER(&world, "ns1.example. ANY",
		     "NOERROR aa\nan ns1.example. 3600 IN A 192.0.2.53\n");
	CHECK_ANSWER(&world, "example. ANY",
		     "NOERROR aa\n"
		     "an example. 3600 IN SOA ns1.example. admin.example. 7 3600 600 86400 300\n");
}

TEST(rfc1035_3_2_3_any_over_tcp_gives_all_there_is)
{
	CHECK_ANSWER(&world, "example. ANY tcp",
		     "NOERROR aa\n"
		     "an example. 3600 IN SOA ns1.example. admin.example. 7 3600 600 86400 300\n"
		     "an example. 3600 IN NS ns.elsewhere.test.\n"
		     "an example. 3600 IN NS ns1.example.\n"
		     "an example. 3600 IN MX 10 mail.example.\n"
		     "an example. 3600 IN MX 20 mx.elsewhere.test.\n"
		     "ad ns1.example. 3600 IN A 192.0.2.53\n"
		     "ad ns1.example. 3600 IN AAAA 2001:db8::53\n"
		     "ad mail.example. 3600 IN A 192.0.2.25\n");
}

TEST(what_is_not_ours_is_refused)
{
	CHECK_ANSWER(&world, "www.elsewhere.test. A", "REFUSED\n");
	CHECK_ANSWER(&world, ". NS", "REFUSED\n");
	CHECK_ANSWER(&world, "www.elsewhere.test. A edns rd", "REFUSED rd edns ede=20\n");
	CHECK_ANSWER(&world, "www.example. A hs", "REFUSED\n");
	CHECK_ANSWER(&world, "www.example. A any-class", "REFUSED\n");
}

TEST(other_opcodes_are_not_implemented)
{
	CHECK_ANSWER(&world, "example. SOA update", "NOTIMP\n");
	struct ask ask;
	ask_parse("example. SOA status", &ask);
	struct writer request = ask_write(&ask, SECTION_QUESTION, NULL, world.request);
	assert_string_equal(world_answer(&world, &ask, writer_span(&request)), "NOTIMP\n");
}

TEST(access_is_refused_before_anything_is_told)
{
	world_publish(&world, "secret.", NULL);
	world_policy(&world)->allow_query = (struct access_list){0};
	CHECK_ANSWER(&world, "www.secret. A edns", "REFUSED edns ede=18\n");
}

TEST(rfc8914_4_15_a_zone_that_is_not_loaded_is_servfail)
{
	world_publish(&world, "later.", NULL);
	CHECK_ANSWER(&world, "www.later. A edns", "SERVFAIL edns ede=14\n");
	CHECK_ANSWER(&world, "www.later. A", "SERVFAIL\n");
}

TEST(rfc1034_4_3_5_an_expired_zone_is_servfail)
{
	struct publication *zone = directory_find(world.directory, world_name(&world, "example."));

	publication_set_expire(zone, 1);
	CHECK_ANSWER(&world, "example. DS", "NOERROR aa\n" SOA_NEGATIVE);
	publication_set_expire(zone, 0);
	CHECK_ANSWER(&world, "www.example. A edns", "SERVFAIL edns ede=24\n");
}

TEST(a_damaged_image_is_servfail_and_never_worse)
{
	struct publication *zone = directory_find(world.directory, world_name(&world, "example."));
	static const char *const questions[] = {"www.example. A",     "example. ANY",
						"x.example. A",       "x.cut.example. A",
						"x.dname.example. A", "x.wild.example. MX"};
	uint32_t seed = 1;

	for (unsigned round = 0; round < 3000; round++) {
		uint8_t *copy = malloc(zone->view.layers[0].bytes.len);
		struct view view = zone->view;
		struct image image = view.layers[0];
		memcpy(copy, image.bytes.ptr, image.bytes.len);
		for (unsigned i = 0; i < 1 + round % 7; i++) {
			seed = seed * 1664525 + 1013904223;
			copy[128 + (seed >> 8) % (image.bytes.len - 128)] = (uint8_t)(round + i);
		}
		zone->view.layers[0].bytes.ptr = copy;
		for (size_t i = 0; i < ARRAY_COUNT(questions); i++) {
			struct ask ask;
			ask_parse(questions[i], &ask);
			struct writer request =
				ask_write(&ask, SECTION_QUESTION, NULL, world.request);
			struct answer_request r = {.wire = writer_span(&request),
						   .address = ask.address};
			struct writer out = writer_of(world.response, sizeof world.response);
			answer(&world.server, &r, &out, &world.result);
			CHECK(out.len >= HEADER_OCTETS && out.len <= UDP_OCTETS_MIN);
		}
		zone->view = view;
		free(copy);
	}
}

TEST(rfc4892_3_version_and_identity)
{
	CHECK_ANSWER(&world, "version.bind. TXT ch",
		     "NOERROR aa\nan version.bind. 0 CH TXT \"lockstep 0.1.0\"\n");
	CHECK_ANSWER(&world, "Version.Server. TXT ch",
		     "NOERROR aa\nan Version.Server. 0 CH TXT \"lockstep 0.1.0\"\n");
	CHECK_ANSWER(&world, "id.server. TXT ch",
		     "NOERROR aa\nan id.server. 0 CH TXT \"ns1.example.net\"\n");
	CHECK_ANSWER(&world, "hostname.bind. ANY ch",
		     "NOERROR aa\nan hostname.bind. 0 CH TXT \"ns1.example.net\"\n");
	CHECK_ANSWER(&world, "hostname.bind. A ch", "NOERROR aa\n");
	CHECK_ANSWER(&world, "authors.bind. TXT ch", "REFUSED\n");
	CHECK_ANSWER(&world, "www.example. A ch", "REFUSED\n");
	world.server.name = world.server.version = NULL;
	CHECK_ANSWER(&world, "version.bind. TXT ch", "REFUSED\n");
	CHECK_ANSWER(&world, "id.server. TXT ch", "REFUSED\n");
}

TEST(rfc5001_2_1_nsid_is_told_when_asked)
{
	CHECK_ANSWER(&world, "nothing.example. A nsid",
		     "NXDOMAIN aa edns nsid=ns1.example.net\n" SOA_NEGATIVE);
	CHECK_ANSWER(&world, "nothing.example. A edns", "NXDOMAIN aa edns\n" SOA_NEGATIVE);
	world.server.name = NULL;
	CHECK_ANSWER(&world, "nothing.example. A nsid", "NXDOMAIN aa edns\n" SOA_NEGATIVE);
}

TEST(flags_are_copied_as_rfc1035_4_1_1_and_rfc4035_3_1_6_say)
{
	CHECK_ANSWER(&world, "nothing.example. A rd cd", "NXDOMAIN aa rd cd\n" SOA_NEGATIVE);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		EACH(rfc1034_4_3_2_exact_name_and_type),
		EACH(rfc2308_2_2_no_data),
		EACH(rfc2308_2_1_no_name),
		EACH(rfc2308_3_only_the_negative_soa_has_the_minimum_as_ttl),
		EACH(rfc4592_2_2_2_empty_non_terminals_exist),
		EACH(rfc4343_case_of_the_question_comes_back),
		EACH(rfc4592_2_2_1_wildcards_stand_in_where_nothing_exists),
		EACH(rfc1034_3_6_2_aliases_are_followed),
		EACH(an_alias_that_leaves_our_zones_ends_the_answer),
		EACH(rfc6604_3_an_alias_to_nothing_is_nxdomain),
		EACH(alias_loops_end),
		EACH(an_alias_into_another_zone_of_ours_goes_on_there),
		EACH(eight_aliases_are_followed_and_no_more),
		EACH(rfc6672_3_1_dname_with_its_alias),
		EACH(rfc6672_2_3_a_dname_owner_is_not_redirected),
		EACH(rfc6672_2_2_a_name_that_grows_too_long_is_yxdomain),
		EACH(rfc1034_4_2_1_referrals_carry_glue),
		EACH(an_alias_into_a_delegation_ends_in_a_referral_with_aa),
		EACH(rfc4035_3_1_4_1_ds_is_answered_by_the_parent),
		EACH(rfc4035_3_1_4_1_ds_without_the_parent_is_denied_by_the_child),
		EACH(rfc4035_3_1_4_referrals_tell_ds_to_who_wants_dnssec),
		EACH(rfc1035_3_3_additional_addresses),
		EACH(a_zone_that_rotates_begins_with_the_record_whose_turn_it_is),
		EACH(rfc9460_4_1_services_bring_addresses_and_what_an_alias_leads_to),
		EACH(every_type_that_names_a_host_brings_its_addresses),
		EACH(b2_additional_addresses_stop_at_13_targets),
		EACH(rfc8482_4_1_any_over_udp_gives_one_rrset),
		EACH(rfc1035_3_2_3_any_over_tcp_gives_all_there_is),
		EACH(what_is_not_ours_is_refused),
		EACH(other_opcodes_are_not_implemented),
		EACH(access_is_refused_before_anything_is_told),
		EACH(rfc8914_4_15_a_zone_that_is_not_loaded_is_servfail),
		EACH(rfc1034_4_3_5_an_expired_zone_is_servfail),
		EACH(a_damaged_image_is_servfail_and_never_worse),
		EACH(rfc4892_3_version_and_identity),
		EACH(rfc5001_2_1_nsid_is_told_when_asked),
		EACH(flags_are_copied_as_rfc1035_4_1_1_and_rfc4035_3_1_6_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
