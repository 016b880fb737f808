/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in OPT: NSID, COOKIE, keepalive and EDE; and errors, which carry it too. */
#include "answer_fixture.h"

static struct world world;

/* RFC 9018 A.1. */
static const uint8_t first_secret[] =
	"\xe5\xe9\x73\xe5\xa6\xb2\xa4\x3f\x48\xe7\xdc\x84\x9e\x37\xbf\xcf";

#define CLIENT "2464c4abcf10c957"
#define SERVER "010000005cf79f111f8130c3eee29480"
#define MADE   UINT64_C(1559731985)

static int setup(void **state)
{
	(void)state;
	world_open(&world);
	world_publish(&world, "example.", "@ SOA n a 1 1 1 1 60\n@ NS n\nn A 192.0.2.1\n");
	world.server.cookie_secrets = (struct cookie_secrets){{cookie_secret(first_secret)}, 1};
	world.now_unix_s = MADE;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

TEST(rfc9018_a_1_a_client_without_a_server_cookie_gets_one)
{
	CHECK_ANSWER(&world, "n.example. TXT from=198.51.100.100 cookie=" CLIENT " tcp",
		     "NOERROR aa edns cookie=" CLIENT SERVER "\n"
		     "au example. 60 IN SOA n.example. a.example. 1 1 1 1 60\n");
	CHECK(!world.result.cookie_is_good);
}

TEST(rfc9018_a_2_a_good_cookie_is_taken_and_renewed)
{
	world.now_unix_s = 1559734385;
	CHECK_ANSWER(&world, "n.example. A from=198.51.100.100 cookie=" CLIENT SERVER,
		     "NOERROR aa edns cookie=" CLIENT "010000005cf7a871d4a564a1442aca77\n"
		     "an n.example. 3600 IN A 192.0.2.1\n");
	CHECK(world.result.cookie_is_good);
}

TEST(rfc9018_a_3_the_reserved_octets_may_be_anything)
{
	world.now_unix_s = 1559727985;
	world_ask(&world, "n.example. A from=203.0.113.203 "
			  "cookie=fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5");
	CHECK(world.result.cookie_is_good);
}

TEST(rfc9018_a_4_ipv6_and_a_secret_that_went_before)
{
	static const uint8_t old[] =
		"\xdd\x3b\xdf\x93\x44\xb6\x78\xb1\x85\xa6\xf5\xcb\x60\xfc\xa7\x15";
	static const uint8_t now[] =
		"\x44\x55\x36\xbc\xd2\x51\x32\x98\x07\x5a\x5d\x37\x96\x63\xc9\x62";
	static const char question[] = "n.example. A from=2001:db8:220:1:59de:d0f4:8769:82b8 "
				       "cookie=22681ab97d52c298010000005cf7c57926556bd0934c72f8";

	world.server.cookie_secrets =
		(struct cookie_secrets){{cookie_secret(now), cookie_secret(old)}, 2};
	world.now_unix_s = 1559741961;
	CHECK_ANSWER(&world, question,
		     "NOERROR aa edns cookie=22681ab97d52c298010000005cf7c609a6bb79d16625507a\n"
		     "an n.example. 3600 IN A 192.0.2.1\n");
	CHECK(world.result.cookie_is_good);
	world.server.cookie_secrets.count = 1;
	world_ask(&world, question);
	CHECK(!world.result.cookie_is_good);
}

TEST(rfc9018_4_3_a_cookie_lives_for_an_hour_and_may_come_five_minutes_early)
{
	static const struct {
		int64_t after;
		bool good;
	} cases[] = {{0, true}, {3600, true}, {3601, false}, {-300, true}, {-301, false}};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		world.now_unix_s = MADE + (uint64_t)cases[i].after;
		world_ask(&world, "n.example. A from=198.51.100.100 cookie=" CLIENT SERVER);
		CHECK(world.result.cookie_is_good == cases[i].good);
	}
}

TEST(rfc9018_4_4_a_cookie_is_bound_to_client_version_and_hash)
{
	static const char *const bad[] = {
		"from=198.51.100.101 cookie=" CLIENT SERVER,
		"from=198.51.100.100 cookie=3464c4abcf10c957" SERVER,
		"from=198.51.100.100 cookie=" CLIENT "020000005cf79f111f8130c3eee29480",
		"from=198.51.100.100 cookie=" CLIENT "010000005cf79f111f8130c3eee29481",
		"from=198.51.100.100 cookie=" CLIENT "010000005cf79f111f8130c3eee2948000",
		"from=198.51.100.100 cookie=" CLIENT "010000005cf79f11",
	};
	char question[256];

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		snprintf(question, sizeof question, "n.example. A %s", bad[i]);
		world_ask(&world, question);
		/* Whoever shows a cookie, good or not, gets a good one. */
		CHECK(!world.result.cookie_is_good && world.result.rcode == RCODE_NOERROR);
		assert_non_null(strstr(world.text, "c957010000005cf79f11"));
	}
}

TEST(rfc7873_5_2_2_cookies_of_a_wrong_length_are_formerr)
{
	CHECK_ANSWER(&world, "n.example. A cookie=24", "FORMERR\n");
	CHECK_ANSWER(&world, "n.example. A cookie=" CLIENT "01020304050607", "FORMERR\n");
	CHECK_ANSWER(&world, "n.example. A cookie=" CLIENT SERVER SERVER "01", "FORMERR\n");
}

TEST(rfc7873_5_4_a_question_may_be_left_out_to_get_a_cookie)
{
	CHECK_ANSWER(&world, ". A bare from=198.51.100.100 cookie=" CLIENT,
		     "NOERROR edns cookie=" CLIENT SERVER "\n");
	CHECK_ANSWER(&world, ". A bare edns", "FORMERR edns\n");
	CHECK_ANSWER(&world, ". A bare", "FORMERR\n");
	CHECK_ANSWER(&world, ". SOA bare notify cookie=" CLIENT " from=198.51.100.100",
		     "FORMERR edns cookie=" CLIENT SERVER "\n");
}

TEST(secrets_of_a_day_are_accepted_the_day_after_and_not_later)
{
	struct siphash_key seed = {1, 2};
	const uint64_t day = 86400;
	struct cookie_secrets a = cookie_secrets_of_day(seed, 7 * day),
			      b = cookie_secrets_of_day(seed, 8 * day - 1),
			      c = cookie_secrets_of_day(seed, 8 * day),
			      d = cookie_secrets_of_day((struct siphash_key){1, 3}, 7 * day);

	CHECK(a.count == 2 && memcmp(&a, &b, sizeof a) == 0);
	CHECK(memcmp(&a.list[0], &c.list[1], sizeof a.list[0]) == 0);
	CHECK(memcmp(&a.list[0], &c.list[0], sizeof a.list[0]) != 0);
	CHECK(memcmp(&a.list[0], &d.list[0], sizeof a.list[0]) != 0);
	CHECK(a.list[0].k0 != a.list[0].k1);
}

TEST(rfc9018_5_servers_that_have_the_same_secret_take_each_others_cookies)
{
	uint8_t both[2 * COOKIE_SECRET_OCTETS] = {9};

	memcpy(both + COOKIE_SECRET_OCTETS, first_secret, COOKIE_SECRET_OCTETS);
	world.server.cookie_secrets = cookie_secrets_of(span_of(both, sizeof both));
	world_ask(&world, "n.example. A from=198.51.100.100 cookie=" CLIENT SERVER);
	CHECK(world.result.cookie_is_good);
	world.server.cookie_secrets = cookie_secrets_of(span_of(both, COOKIE_SECRET_OCTETS));
	world_ask(&world, "n.example. A from=198.51.100.100 cookie=" CLIENT SERVER);
	CHECK(!world.result.cookie_is_good);
}

TEST(a_server_without_secrets_knows_no_cookies)
{
	world.server.cookie_secrets.count = 0;
	CHECK_ANSWER(&world, "n.example. A cookie=" CLIENT,
		     "NOERROR aa edns\nan n.example. 3600 IN A 192.0.2.1\n");
}

TEST(rfc7828_3_3_keepalive_is_told_over_tcp_to_who_asks)
{
	world.server.keepalive = 100;
	CHECK_ANSWER(&world, "n.example. A keepalive tcp",
		     "NOERROR aa edns keepalive=100\nan n.example. 3600 IN A 192.0.2.1\n");
	CHECK_ANSWER(&world, "n.example. A keepalive",
		     "NOERROR aa edns\nan n.example. 3600 IN A 192.0.2.1\n");
	CHECK_ANSWER(&world, "n.example. A edns tcp",
		     "NOERROR aa edns\nan n.example. 3600 IN A 192.0.2.1\n");
	world.server.keepalive = 0;
	CHECK_ANSWER(&world, "n.example. A keepalive tcp",
		     "NOERROR aa edns\nan n.example. 3600 IN A 192.0.2.1\n");
}

/* The order that reply.h tells. */
TEST(options_stand_in_their_order)
{
	struct message message;
	struct edns edns;
	struct tsig tsig;

	world.server.keepalive = 100;
	world_ask(&world, "else. A nsid keepalive tcp cookie=" CLIENT);
	CHECK(message_parse(world.wire, &message));
	CHECK(message_read_meta(&message, &edns, &tsig) == RCODE_NOERROR);
	CHECK(edns.values[EDNS_SLOT_NSID].ptr < edns.values[EDNS_SLOT_COOKIE].ptr);
	CHECK(edns.values[EDNS_SLOT_COOKIE].ptr < edns.values[EDNS_SLOT_TCP_KEEPALIVE].ptr);
	CHECK(edns.values[EDNS_SLOT_TCP_KEEPALIVE].ptr < edns.values[EDNS_SLOT_EDE].ptr);
}

TEST(rfc6891_6_1_3_another_version_is_badvers)
{
	CHECK_ANSWER(&world, "n.example. A version=1", "BADVERS edns\n");
	CHECK_ANSWER(&world, "n.example. A version=255 do nsid", "BADVERS edns do\n");
}

TEST(errors_carry_nsid_and_cookie)
{
	CHECK_ANSWER(&world, "n.example. MAILA nsid", "NOTIMP edns nsid=ns1.example.net\n");
	CHECK_ANSWER(&world, "n.example. TKEY from=198.51.100.100 cookie=" CLIENT,
		     "REFUSED edns cookie=" CLIENT SERVER "\n");
}

/* RFC 8945 5.2: what was understood and proven is answered with a signature, errors too. */
TEST(rfc8945_5_2_errors_to_a_signed_request_are_signed)
{
	struct tsig_key key = {.name = world_name(&world, "k."),
			       .algorithm = TSIG_HMAC_SHA256,
			       .secret = span_of_text("0123456789abcdef"),
			       .label = "k"};
	static const struct {
		const char *question, *with_key, *without;
	} cases[] = {
		{"n.example. MAILA", "NOTIMP tsig\n", "NOTAUTH unsigned-tsig\n"},
		{"n.example. TKEY", "REFUSED tsig\n", "NOTAUTH unsigned-tsig\n"},
		{"n.example. A version=1", "BADVERS edns tsig\n", "NOTAUTH edns unsigned-tsig\n"},
		{"n.example. OPT", "FORMERR\n", "FORMERR\n"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		for (unsigned known = 0; known < 2; known++) {
			struct ask ask;
			struct tsig_mac mac;
			world.server.keys = &key;
			world.server.key_count = known;
			ask_parse(cases[i].question, &ask);
			struct writer w = ask_write(&ask, SECTION_QUESTION, NULL, world.request);
			CHECK(tsig_sign_request(world.crypto, &key, world.now_unix_s, &w, &mac) ==
			      OK);
			assert_string_equal(world_answer(&world, &ask, writer_span(&w)),
					    known ? cases[i].with_key : cases[i].without);
		}
	}
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		EACH(rfc9018_a_1_a_client_without_a_server_cookie_gets_one),
		EACH(rfc9018_a_2_a_good_cookie_is_taken_and_renewed),
		EACH(rfc9018_a_3_the_reserved_octets_may_be_anything),
		EACH(rfc9018_a_4_ipv6_and_a_secret_that_went_before),
		EACH(rfc9018_4_3_a_cookie_lives_for_an_hour_and_may_come_five_minutes_early),
		EACH(rfc9018_4_4_a_cookie_is_bound_to_client_version_and_hash),
		EACH(rfc7873_5_2_2_cookies_of_a_wrong_length_are_formerr),
		EACH(rfc7873_5_4_a_question_may_be_left_out_to_get_a_cookie),
		EACH(secrets_of_a_day_are_accepted_the_day_after_and_not_later),
		EACH(rfc9018_5_servers_that_have_the_same_secret_take_each_others_cookies),
		EACH(a_server_without_secrets_knows_no_cookies),
		EACH(rfc7828_3_3_keepalive_is_told_over_tcp_to_who_asks),
		EACH(options_stand_in_their_order),
		EACH(rfc6891_6_1_3_another_version_is_badvers),
		EACH(errors_carry_nsid_and_cookie),
		EACH(rfc8945_5_2_errors_to_a_signed_request_are_signed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
