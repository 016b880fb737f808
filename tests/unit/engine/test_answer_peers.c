/* SPDX-License-Identifier: Apache-2.0 */
/* What other servers ask: signed requests (RFC 8945), NOTIFY (RFC 1996), transfers. */
#include "answer_fixture.h"

static const char zone_text[] = "@ SOA n a 100 1 1 1 60\n@ NS n\nn A 192.0.2.1\n";

static struct world world;
static struct tsig_key keys[3];
static struct tsig_key stranger; /* a name that the server does not know */
static struct remote primary;
static const struct remote *primaries[] = {&primary};
static const struct tsig_key *primary_keys[] = {&keys[1]};
static struct prefix primary_from;

static struct tsig_key key_of(const char *name, enum tsig_algorithm algorithm, const char *secret)
{
	return (struct tsig_key){.name = world_name(&world, name),
				 .algorithm = algorithm,
				 .secret = span_of_text(secret),
				 .label = name};
}

static int setup(void **state)
{
	(void)state;
	world_open(&world);
	world_publish(&world, "example.", zone_text);
	keys[0] = key_of("one.key.", TSIG_HMAC_SHA256, "0123456789abcdef0123456789abcdef");
	keys[1] = key_of("two.key.", TSIG_HMAC_SHA512, "another secret of the same server");
	keys[2] = key_of("three.key.", TSIG_HMAC_SHA1, "a third");
	stranger = key_of("nobody.key.", TSIG_HMAC_SHA256, "0123456789abcdef");
	world.server.keys = keys;
	world.server.key_count = ARRAY_COUNT(keys);
	CHECK(prefix_parse(span_of_text("198.51.100.0/24"), &primary_from));
	primary = (struct remote){.label = "east", .from = &primary_from, .from_count = 1};
	world_policy(&world)->primaries = primaries;
	world_policy(&world)->primary_count = 1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

/* Asks with a signature made at `unix_s`; `mac` is what the response's covers. */
static const char *ask_signed_at(const char *question, const struct tsig_key *key, uint64_t unix_s,
				 struct tsig_mac *mac)
{
	struct ask ask;

	ask_parse(question, &ask);
	struct writer request = ask_write(&ask, SECTION_QUESTION, NULL, world.request);
	CHECK(tsig_sign_request(world.crypto, key, unix_s, &request, mac) == OK);
	return world_answer(&world, &ask, writer_span(&request));
}

static const char *ask_signed(const char *question, const struct tsig_key *key)
{
	struct tsig_mac mac;

	return ask_signed_at(question, key, WORLD_NOW_UNIX_S, &mac);
}

/* The response's TSIG as the client judges it. */
static struct tsig_check judge(const struct tsig_key *key, const struct tsig_mac *mac)
{
	struct message message;
	struct edns edns;
	struct tsig tsig;

	CHECK(message_parse(world.wire, &message));
	CHECK(message_read_meta(&message, &edns, &tsig) == RCODE_NOERROR);
	return tsig_verify_response(world.crypto, key, mac, &message, &tsig, WORLD_NOW_UNIX_S);
}

/* ---- RFC 8945 ---- */

TEST(rfc8945_5_3_a_signed_request_gets_a_signed_answer)
{
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
		struct tsig_mac mac;
		assert_string_equal(
			ask_signed_at("n.example. A", &keys[i], WORLD_NOW_UNIX_S + 299, &mac),
			"NOERROR aa tsig\nan n.example. 3600 IN A 192.0.2.1\n");
		CHECK(judge(&keys[i], &mac).verdict == TSIG_OK && world.result.key == &keys[i]);
	}
}

TEST(rfc8945_5_2_1_an_unknown_key_is_badkey)
{
	struct tsig_mac mac;

	assert_string_equal(ask_signed_at("n.example. A", &stranger, WORLD_NOW_UNIX_S, &mac),
			    "NOTAUTH unsigned-tsig\n");
	CHECK(judge(&stranger, &mac).verdict == TSIG_BADKEY);
	CHECK(world.result.key == NULL && world.result.tsig.verdict == TSIG_BADKEY);
}

TEST(rfc8945_5_2_2_a_wrong_secret_is_badsig)
{
	struct tsig_key wrong = keys[0];
	struct tsig_mac mac;

	wrong.secret = span_of_text("0123456789abcdef0123456789abcdeF");
	assert_string_equal(ask_signed_at("n.example. A edns", &wrong, WORLD_NOW_UNIX_S, &mac),
			    "NOTAUTH edns unsigned-tsig\n");
	CHECK(judge(&wrong, &mac).verdict == TSIG_BADSIG && world.result.key == NULL);
}

TEST(rfc8945_5_2_3_a_wrong_clock_is_badtime_and_signed)
{
	struct tsig_mac mac;

	assert_string_equal(ask_signed_at("n.example. A", &keys[0], WORLD_NOW_UNIX_S - 412, &mac),
			    "NOTAUTH tsig\n");
	CHECK(judge(&keys[0], &mac).verdict == TSIG_BADTIME);
	CHECK(world.result.key == NULL && world.result.tsig.peer_ahead_s == -412);
}

TEST(a_signature_always_fits)
{
	char question[NAME_TEXT_MAX];
	char label[64];

	memset(label, 'x', sizeof label);
	snprintf(question, sizeof question, "%.63s.%.63s.%.63s.%.50s.example. A", label, label,
		 label, label);
	assert_non_null(strstr(ask_signed(question, &keys[1]), "tsig"));
	CHECK(world.wire.len <= UDP_OCTETS_MAX);
	snprintf(question, sizeof question, "%.63s.%.63s.%.63s.%.50s.key.", label, label, label,
		 label);
	struct tsig_key far = key_of(question, TSIG_HMAC_SHA512, "secret");
	keys[2] = far;
	assert_string_equal(ask_signed("n.example. A", &far),
			    "NOERROR aa tsig\nan n.example. 3600 IN A 192.0.2.1\n");
	assert_string_equal(ask_signed("n.example. TXT nsid", &far),
			    "NOERROR aa edns nsid=ns1.example.net tsig\n"
			    "au example. 60 IN SOA n.example. a.example. 100 1 1 1 60\n");
	keys[2] = stranger;
	snprintf(question, sizeof question, "%.63s.%.63s.%.63s.%.50s.example. A do", label, label,
		 label, label);
	assert_string_equal(ask_signed(question, &far), "NOTAUTH edns do unsigned-tsig\n");
}

TEST(errors_of_a_signed_request_are_signed)
{
	assert_string_equal(ask_signed("www.elsewhere. A", &keys[0]), "REFUSED tsig\n");
	assert_string_equal(ask_signed("example. SOA update", &keys[0]), "NOTIMP tsig\n");
}

TEST(access_by_key)
{
	static struct access_item item;

	item = (struct access_item){.key = &keys[1]};
	world_policy(&world)->allow_query = (struct access_list){&item, 1};
	CHECK_ANSWER(&world, "n.example. A", "REFUSED\n");
	assert_string_equal(ask_signed("n.example. A", &keys[0]), "REFUSED tsig\n");
	assert_string_equal(ask_signed("n.example. A", &keys[1]),
			    "NOERROR aa tsig\nan n.example. 3600 IN A 192.0.2.1\n");
}

/* ---- RFC 1996 ---- */

TEST(rfc1996_4_7_a_notify_from_a_primary_is_taken)
{
	CHECK_ANSWER(&world, "example. SOA notify from=198.51.100.7", "NOERROR aa\n");
	CHECK(world.result.notify.received && !world.result.notify.has_serial);
	CHECK(world.result.notify.primary == 0);
	assert_string_equal(ask_signed("eXample. SOA notify from=198.51.100.7", &keys[0]),
			    "NOERROR aa tsig\n");
	CHECK(world.result.notify.received);
}

TEST(rfc1996_3_7_the_serial_in_a_notify_is_a_hint)
{
	struct records set;
	struct ask ask;

	world_records(&world, world_name(&world, "example."), "@ SOA n a 4711 1 1 1 60\n", &set);
	struct record soa = records_get(&set, 0);
	ask_parse("example. SOA notify from=198.51.100.7", &ask);
	struct writer request = ask_write(&ask, SECTION_ANSWER, &soa, world.request);
	assert_string_equal(world_answer(&world, &ask, writer_span(&request)), "NOERROR aa\n");
	CHECK(world.result.notify.has_serial && world.result.notify.serial == 4711);
	soa.owner = world_name(&world, "other.");
	request = ask_write(&ask, SECTION_ANSWER, &soa, world.request);
	world_answer(&world, &ask, writer_span(&request));
	CHECK(world.result.notify.received && !world.result.notify.has_serial);
}

TEST(rfc1996_3_10_a_notify_from_anybody_else_is_refused)
{
	CHECK_ANSWER(&world, "example. SOA notify from=203.0.113.1", "REFUSED\n");
	CHECK(!world.result.notify.received && world.result.remote_without_key == NULL);
	primary.keys = primary_keys;
	primary.key_count = 1;
	CHECK_ANSWER(&world, "example. SOA notify from=198.51.100.7", "REFUSED\n");
	CHECK(!world.result.notify.received && world.result.remote_without_key == &primary);
	ask_signed("example. SOA notify from=198.51.100.7", &keys[0]);
	CHECK(!world.result.notify.received);
	assert_string_equal(ask_signed("example. SOA notify from=198.51.100.7", &keys[1]),
			    "NOERROR aa tsig\n");
	CHECK(world.result.notify.received);
}

TEST(a_notify_of_a_zone_that_is_not_ours_is_notauth)
{
	CHECK_ANSWER(&world, "n.example. SOA notify from=198.51.100.7", "NOTAUTH\n");
	CHECK_ANSWER(&world, "test. SOA notify from=198.51.100.7 edns", "NOTAUTH edns ede=20\n");
	CHECK_ANSWER(&world, "example. A notify from=198.51.100.7", "FORMERR\n");
	CHECK_ANSWER(&world, "example. SOA notify ch from=198.51.100.7", "FORMERR\n");
	CHECK(!world.result.notify.received);
}

TEST(a_zone_that_is_not_loaded_takes_notify)
{
	world_publish(&world, "later.", NULL);
	world_policy(&world)->primaries = primaries;
	world_policy(&world)->primary_count = 1;
	CHECK_ANSWER(&world, "later. SOA notify from=198.51.100.7", "NOERROR aa\n");
	CHECK(world.result.notify.received);
}

/* ---- RFC 5936, RFC 1995 ---- */

TEST(rfc5936_4_axfr_goes_over_tcp)
{
	CHECK_ANSWER(&world, "example. AXFR tcp", "TRANSFER");
	CHECK_ANSWER(&world, "example. AXFR edns", "FORMERR edns ede=21\n");
}

TEST(rfc5936_2_2_1_errors_of_axfr)
{
	CHECK_ANSWER(&world, "n.example. AXFR tcp", "NOTAUTH\n");
	CHECK_ANSWER(&world, "test. AXFR tcp", "NOTAUTH\n");
	world_publish(&world, "later.", NULL);
	CHECK_ANSWER(&world, "later. AXFR tcp edns", "SERVFAIL edns ede=14\n");
	world_policy(&world)->allow_transfer = (struct access_list){0};
	CHECK_ANSWER(&world, "later. AXFR tcp edns", "REFUSED edns ede=18\n");
	publication_set_expire(directory_find(world.directory, world_name(&world, "example.")), 0);
	CHECK_ANSWER(&world, "example. AXFR tcp edns", "SERVFAIL edns ede=24\n");
}

TEST(a_transfer_without_the_remotes_key_names_it)
{
	static struct access_item item;

	item = (struct access_item){.remote = &primary};
	primary.keys = primary_keys;
	primary.key_count = 1;
	world_policy(&world)->allow_transfer = (struct access_list){&item, 1};
	CHECK_ANSWER(&world, "example. AXFR tcp from=198.51.100.9", "REFUSED\n");
	CHECK(world.result.remote_without_key == &primary);
	assert_string_equal(ask_signed("example. AXFR tcp from=198.51.100.9", &keys[0]),
			    "REFUSED tsig\n");
	CHECK(world.result.remote_without_key == &primary);
	assert_string_equal(ask_signed("example. AXFR tcp from=198.51.100.9", &keys[1]),
			    "TRANSFER");
	assert_string_equal(ask_signed("example. AXFR tcp from=203.0.113.1", &keys[1]),
			    "REFUSED tsig\n");
	CHECK(world.result.remote_without_key == NULL);
}

static const char *ask_ixfr(const char *question, uint32_t serial)
{
	struct records set;
	struct ask ask;
	char text[64];

	snprintf(text, sizeof text, "@ SOA n a %u 1 1 1 60\n", serial);
	world_records(&world, world_name(&world, "example."), text, &set);
	struct record soa = records_get(&set, 0);
	ask_parse(question, &ask);
	struct writer request = ask_write(&ask, SECTION_AUTHORITY, &soa, world.request);
	return world_answer(&world, &ask, writer_span(&request));
}

#define CURRENT "an example. 3600 IN SOA n.example. a.example. 100 1 1 1 60\n"

TEST(rfc1995_2_a_client_that_is_not_older_gets_the_soa)
{
	assert_string_equal(ask_ixfr("example. IXFR tcp", 100), "NOERROR aa\n" CURRENT);
	assert_string_equal(ask_ixfr("example. IXFR tcp", 101), "NOERROR aa\n" CURRENT);
	assert_string_equal(ask_ixfr("example. IXFR tcp", 99), "TRANSFER");
	/* RFC 1982: across the wrap, and where the order is undefined. */
	assert_string_equal(ask_ixfr("example. IXFR tcp", UINT32_MAX), "TRANSFER");
	assert_string_equal(ask_ixfr("example. IXFR tcp", 100 + (UINT32_C(1) << 31)),
			    "NOERROR aa\n" CURRENT);
}

TEST(rfc1995_2_over_udp_the_answer_is_the_soa)
{
	assert_string_equal(ask_ixfr("example. IXFR", 99), "NOERROR aa\n" CURRENT);
	assert_string_equal(ask_ixfr("example. IXFR", 100), "NOERROR aa\n" CURRENT);
}

TEST(rfc1995_3_ixfr_without_the_clients_soa_is_a_format_error)
{
	CHECK_ANSWER(&world, "example. IXFR tcp", "FORMERR\n");
	CHECK_ANSWER(&world, "example. IXFR", "FORMERR\n");
}

TEST(ixfr_is_a_transfer_and_needs_its_permission)
{
	world_policy(&world)->allow_transfer = (struct access_list){0};
	assert_string_equal(ask_ixfr("example. IXFR tcp", 99), "REFUSED\n");
	assert_string_equal(ask_ixfr("example. IXFR", 100), "REFUSED\n");
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		EACH(rfc8945_5_3_a_signed_request_gets_a_signed_answer),
		EACH(rfc8945_5_2_1_an_unknown_key_is_badkey),
		EACH(rfc8945_5_2_2_a_wrong_secret_is_badsig),
		EACH(rfc8945_5_2_3_a_wrong_clock_is_badtime_and_signed),
		EACH(a_signature_always_fits),
		EACH(errors_of_a_signed_request_are_signed),
		EACH(access_by_key),
		EACH(rfc1996_4_7_a_notify_from_a_primary_is_taken),
		EACH(rfc1996_3_7_the_serial_in_a_notify_is_a_hint),
		EACH(rfc1996_3_10_a_notify_from_anybody_else_is_refused),
		EACH(a_notify_of_a_zone_that_is_not_ours_is_notauth),
		EACH(a_zone_that_is_not_loaded_takes_notify),
		EACH(rfc5936_4_axfr_goes_over_tcp),
		EACH(rfc5936_2_2_1_errors_of_axfr),
		EACH(a_transfer_without_the_remotes_key_names_it),
		EACH(rfc1995_2_a_client_that_is_not_older_gets_the_soa),
		EACH(rfc1995_2_over_udp_the_answer_is_the_soa),
		EACH(rfc1995_3_ixfr_without_the_clients_soa_is_a_format_error),
		EACH(ixfr_is_a_transfer_and_needs_its_permission),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
