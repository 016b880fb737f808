/* SPDX-License-Identifier: Apache-2.0 */
/* One conversation with a peer, and everything a lying one can say in it. */
#include "unit.h"

#include "dns/message_writer.h"
#include "engine/courier/exchange.h"

#define S NS_PER_S

static const uint8_t zone_wire[] = "\7example\3org";
static const struct name zone = {zone_wire, 13};
static const uint8_t secret[32] = "not a secret, thirty-two octets";
static struct tsig_key keys[2];
static const struct tsig_key *key_list[2] = {&keys[0], &keys[1]};
static const struct endpoint addresses[2] = {
	{{4, {192, 0, 2, 1}}, 53},
	{{4, {192, 0, 2, 2}}, 53},
};
static struct remote remote;
static struct limit_policy limits;
static struct crypto *crypto;
static struct exchange e;
static uint8_t reply[65535], records[EXCHANGE_RECORD_ROOM];

static int setup(void **state)
{
	(void)state;
	keys[0] = (struct tsig_key){
		{(const uint8_t *)"\3old", 5}, TSIG_HMAC_SHA256, {secret, 32}, "old"};
	keys[1] = (struct tsig_key){
		{(const uint8_t *)"\3new", 5}, TSIG_HMAC_SHA256, {secret, 32}, "new"};
	remote = (struct remote){.label = "east", .addresses = addresses, .address_count = 2};
	limits = (struct limit_policy){.transfer_idle_ns = 10 * S, .zone_octets = 1 << 20};
	if (!crypto) crypto = crypto_new(NULL);
	return crypto ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	exchange_clear(&e);
	return 0;
}

static enum exchange_action feed(enum exchange_event_kind kind, instant_ns now, struct span message)
{
	return exchange_step(&e, &(struct exchange_event){.kind = kind,
							  .now = now,
							  .now_unix_s = 1000000,
							  .random = 4711,
							  .message = message,
							  .problem = "refused"});
}

static enum exchange_action begin(enum exchange_kind kind)
{
	exchange_init(&e, kind, &remote, zone, &limits, crypto);
	return feed(EXCHANGE_START, 0, (struct span){0});
}

static void begin_transfer(void)
{
	assert_int_equal(begin(EXCHANGE_TRANSFER), EXCHANGE_CONNECT);
	assert_int_equal(feed(EXCHANGE_CONNECTED, 1, (struct span){0}), EXCHANGE_WRITE);
}

/* "ns. host. SERIAL 1 2 3 4" */
static struct span soa_rdata(uint32_t serial)
{
	static uint8_t rdata[4][31];
	static unsigned turn;
	uint8_t *p = rdata[turn++ % 4];

	memcpy(p, "\2ns\0\4host\0", 10);
	put_u32(p + 10, serial);
	for (size_t i = 0; i < 4; i++) put_u32(p + 14 + 4 * i, (uint32_t)i + 1);
	return span_of(p, 30);
}

struct row {
	const char *owner; /* wire, without its root octet */
	uint16_t type;
	uint32_t serial; /* of an SOA; else the address's last octet */
	uint16_t class;
	uint32_t ttl;
};

static void add(struct message_writer *mw, const struct row *row)
{
	uint8_t wire[64], address[4] = {192, 0, 2, (uint8_t)row->serial};
	size_t len = strlen(row->owner);

	memcpy(wire, row->owner, len + 1);
	struct record record = {.owner = {wire, (uint8_t)(len + 1)},
				.type = row->type,
				.class = row->class ? row->class : CLASS_IN,
				.ttl = row->ttl ? row->ttl : 300};
	record.rdata = row->type == RRTYPE_SOA ? soa_rdata(row->serial) : span_of(address, 4);
	assert_true(message_add_record(mw, SECTION_ANSWER, &record));
}

static struct header answer_header(void)
{
	return (struct header){.id = 4711,
			       .qr = true,
			       .aa = true,
			       .opcode = e.kind == EXCHANGE_NOTIFY ? OPCODE_NOTIFY : OPCODE_QUERY};
}

static struct span answer(const struct row *rows, size_t count, struct header header)
{
	struct question question = {.class = CLASS_IN,
				    .type = e.kind == EXCHANGE_TRANSFER ? RRTYPE_AXFR : RRTYPE_SOA};
	struct message_writer mw;

	name_copy(&question.name, zone);
	message_begin(&mw, reply, sizeof reply);
	assert_true(message_add_question(&mw, &question));
	for (size_t i = 0; i < count; i++) add(&mw, &rows[i]);
	return message_finish(&mw, &header);
}

#define ZONE "\7example\3org"
#define WWW  "\3www\7example\3org"
#define SOA(n)                                                                                     \
	{                                                                                          \
		ZONE, RRTYPE_SOA, n, 0, 0                                                          \
	}
#define A(n)                                                                                       \
	{                                                                                          \
		WWW, RRTYPE_A, n, 0, 0                                                             \
	}

static enum exchange_action take(const struct row *rows, size_t count)
{
	enum exchange_action action =
		feed(EXCHANGE_MESSAGE, 2, answer(rows, count, answer_header()));

	while (action == EXCHANGE_COLLECT) {
		struct writer w = writer_of(records, sizeof records);
		action = exchange_records(&e, &w, 3);
	}
	return action;
}

#define TAKE(...)                                                                                  \
	take((const struct row[]){__VA_ARGS__},                                                    \
	     sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row))

TEST(a_serial_is_asked_three_times_at_each_address)
{
	instant_ns now = 0;

	assert_int_equal(begin(EXCHANGE_SOA), EXCHANGE_SEND);
	for (size_t i = 1; i < 6; i++) {
		CHECK(e.address == (i - 1) / 3);
		CHECK(e.deadline > now);
		assert_int_equal(feed(EXCHANGE_TICK, e.deadline - 1, (struct span){0}),
				 EXCHANGE_WAIT);
		now = e.deadline;
		assert_int_equal(feed(EXCHANGE_TICK, now, (struct span){0}), EXCHANGE_SEND);
	}
	assert_int_equal(feed(EXCHANGE_TICK, e.deadline, (struct span){0}), EXCHANGE_END);
	assert_int_equal(e.outcome, EXCHANGE_SILENT);
	assert_string_equal(e.error.text, "192.0.2.1@53: no answer");
}

TEST(a_serial_is_read_from_the_zones_own_soa)
{
	begin(EXCHANGE_SOA);
	assert_int_equal(TAKE(SOA(77)), EXCHANGE_END);
	CHECK(e.outcome == EXCHANGE_DONE && e.answer_serial == 77);

	begin(EXCHANGE_SOA);
	assert_int_equal(TAKE({"\3org", RRTYPE_SOA, 5, 0, 0}), EXCHANGE_END);
	CHECK(e.outcome == EXCHANGE_FAILED);
}

/* RFC 5452 9: whoever guesses wrong is as if he had sent nothing. */
TEST(an_answer_that_does_not_match_is_ignored_over_udp)
{
	struct row soa = SOA(77);
	struct header header;

	begin(EXCHANGE_SOA);
	header = answer_header();
	header.id++;
	assert_int_equal(feed(EXCHANGE_MESSAGE, 1, answer(&soa, 1, header)), EXCHANGE_WAIT);
	header = answer_header();
	header.qr = false;
	assert_int_equal(feed(EXCHANGE_MESSAGE, 1, answer(&soa, 1, header)), EXCHANGE_WAIT);
	assert_int_equal(feed(EXCHANGE_MESSAGE, 1, span_of("\x12\x67", 2)), EXCHANGE_WAIT);
	CHECK(e.deadline != INSTANT_NEVER);
	assert_int_equal(TAKE(SOA(77)), EXCHANGE_END);
	CHECK(e.outcome == EXCHANGE_DONE);
}

TEST(a_refusal_is_told_with_the_peers_rcode)
{
	struct header header;

	begin(EXCHANGE_SOA);
	header = answer_header();
	header.rcode = RCODE_REFUSED;
	assert_int_equal(feed(EXCHANGE_MESSAGE, 1, answer(NULL, 0, header)), EXCHANGE_END);
	CHECK(e.outcome == EXCHANGE_REFUSED);
	assert_string_equal(e.error.text, "east answers REFUSED to our request (unsigned)");
}

TEST(a_truncated_answer_is_asked_again_over_tcp)
{
	struct header header;

	begin(EXCHANGE_SOA);
	header = answer_header();
	header.tc = true;
	assert_int_equal(feed(EXCHANGE_MESSAGE, 1, answer(NULL, 0, header)), EXCHANGE_CONNECT);
	assert_int_equal(feed(EXCHANGE_CONNECTED, 2, (struct span){0}), EXCHANGE_WRITE);
	assert_int_equal(TAKE(SOA(5)), EXCHANGE_END);
	CHECK(e.outcome == EXCHANGE_DONE && e.answer_serial == 5);
}

TEST(a_transfer_is_whole_when_the_soa_comes_again)
{
	begin_transfer();
	assert_int_equal(TAKE(SOA(9), A(1)), EXCHANGE_WAIT);
	assert_int_equal(TAKE(A(2), A(3)), EXCHANGE_WAIT);
	assert_int_equal(TAKE(SOA(9)), EXCHANGE_END);
	CHECK(e.outcome == EXCHANGE_DONE && e.answer_serial == 9);
	CHECK(e.transfer.record_count == 4);
}

static void is_broken(enum exchange_action action, const char *why)
{
	assert_int_equal(action, EXCHANGE_END);
	assert_int_equal(e.outcome, EXCHANGE_FAILED);
	if (!strstr(e.error.text, why)) fail_msg("\"%s\" does not say \"%s\"", e.error.text, why);
}

/* reliability C1: what is no whole zone never becomes a version. */
TEST(c1_a_transfer_with_wrong_soas_is_broken)
{
	begin_transfer();
	is_broken(TAKE(A(1), SOA(9)), "the first record is not the zone's SOA");
	begin_transfer();
	is_broken(TAKE(SOA(9), A(1), SOA(10)), "the closing SOA differs");
	begin_transfer();
	is_broken(TAKE(SOA(9), {WWW, RRTYPE_SOA, 9, 0, 0}), "an SOA of another zone");
	begin_transfer();
	is_broken(TAKE(SOA(9), A(1), SOA(9), A(2)), "after the closing SOA");
	begin_transfer();
	is_broken(TAKE(SOA(9), A(1), SOA(9), SOA(9)), "after the closing SOA");
}

TEST(c1_a_transfer_that_ends_early_is_broken_and_not_begun_elsewhere)
{
	begin_transfer();
	assert_int_equal(TAKE(SOA(9), A(1)), EXCHANGE_WAIT);
	is_broken(feed(EXCHANGE_BROKEN_OFF, 3, (struct span){0}), "192.0.2.1@53: refused");
	begin_transfer();
	assert_int_equal(TAKE(SOA(9), A(1)), EXCHANGE_WAIT);
	is_broken(feed(EXCHANGE_TICK, e.deadline, (struct span){0}), "the connection went silent");
}

/* reliability C2. */
TEST(c2_foreign_records_and_wrong_headers_break_a_transfer)
{
	struct header header;

	begin_transfer();
	is_broken(TAKE(SOA(9), {"\3www\7example\3com", RRTYPE_A, 1, 0, 0}),
		  "it is not in the zone");
	begin_transfer();
	is_broken(TAKE(SOA(9), {WWW, RRTYPE_A, 1, CLASS_CH, 0}), "its class is not IN");
	begin_transfer();
	is_broken(TAKE(SOA(9), {WWW, RRTYPE_ANY, 1, 0, 0}), "its type cannot stand in a zone");
	begin_transfer();
	header = answer_header();
	header.id = 1;
	is_broken(feed(EXCHANGE_MESSAGE, 2, answer(NULL, 0, header)), "answers something else");
	begin_transfer();
	header = answer_header();
	header.tc = true;
	is_broken(feed(EXCHANGE_MESSAGE, 2, answer(NULL, 0, header)), "truncated");
	begin_transfer();
	is_broken(feed(EXCHANGE_MESSAGE, 2, span_of(reply, 30)), "malformed");
}

/* reliability C4. */
TEST(c4_a_zone_over_the_limit_is_broken_off)
{
	begin_transfer();
	limits.zone_octets = 1000;
	begin_transfer();
	assert_int_equal(TAKE(SOA(9)), EXCHANGE_WAIT);
	enum exchange_action action = EXCHANGE_WAIT;
	for (uint32_t i = 0; i < 40 && action == EXCHANGE_WAIT; i++) action = TAKE(A(i));
	is_broken(action, "larger than limits: zone-size");
}

TEST(an_unreachable_address_gives_way_to_the_next)
{
	assert_int_equal(begin(EXCHANGE_TRANSFER), EXCHANGE_CONNECT);
	assert_int_equal(feed(EXCHANGE_BROKEN_OFF, 1, (struct span){0}), EXCHANGE_CONNECT);
	CHECK(e.address == 1);
	assert_int_equal(feed(EXCHANGE_TICK, e.deadline, (struct span){0}), EXCHANGE_END);
	CHECK(e.outcome == EXCHANGE_SILENT);
}

/* Signs the answer as a server that knows the key of the request. */
static struct span signed_answer(const struct tsig_key *key, enum tsig_verdict verdict,
				 struct header header)
{
	struct row soa = SOA(77);
	struct message request;
	struct edns edns;
	struct tsig tsig;
	struct span plain = answer(&soa, header.rcode ? 0 : 1, header);
	struct writer w = {.ptr = reply, .cap = sizeof reply, .len = plain.len};

	assert_true(message_parse(span_of(e.request, e.request_len), &request));
	assert_int_equal(message_read_meta(&request, &edns, &tsig), RCODE_NOERROR);
	assert_true(tsig.present);
	assert_int_equal(tsig_sign_response(crypto, key, &tsig, verdict, 1000000, &w), OK);
	return writer_span(&w);
}

TEST(a_signed_answer_is_taken_an_unsigned_one_waits_for_better)
{
	struct row soa = SOA(78);

	remote.keys = key_list;
	remote.key_count = 1;
	begin(EXCHANGE_SOA);
	assert_int_equal(feed(EXCHANGE_MESSAGE, 1, answer(&soa, 1, answer_header())),
			 EXCHANGE_WAIT);
	CHECK(e.deadline != INSTANT_NEVER);
	assert_int_equal(
		feed(EXCHANGE_MESSAGE, 1, signed_answer(&keys[0], TSIG_OK, answer_header())),
		EXCHANGE_END);
	CHECK(e.outcome == EXCHANGE_DONE && e.answer_serial == 77);
}

TEST(a_key_that_the_peer_does_not_know_gives_way_to_the_next)
{
	struct header header;

	remote.keys = key_list;
	remote.key_count = 2;
	begin(EXCHANGE_SOA);
	header = answer_header();
	header.rcode = RCODE_NOTAUTH;
	assert_int_equal(feed(EXCHANGE_MESSAGE, 1, signed_answer(&keys[0], TSIG_BADKEY, header)),
			 EXCHANGE_SEND);
	CHECK(e.key == 1);
	assert_int_equal(
		feed(EXCHANGE_MESSAGE, 1, signed_answer(&keys[1], TSIG_OK, answer_header())),
		EXCHANGE_END);
	CHECK(e.outcome == EXCHANGE_DONE);
}

TEST(a_wrong_secret_is_named)
{
	struct header header;

	remote.keys = key_list;
	remote.key_count = 1;
	begin(EXCHANGE_SOA);
	header = answer_header();
	header.rcode = RCODE_NOTAUTH;
	assert_int_equal(feed(EXCHANGE_MESSAGE, 1, signed_answer(&keys[0], TSIG_BADSIG, header)),
			 EXCHANGE_END);
	assert_string_equal(e.error.text,
			    "east holds another secret for key old (it answers TSIG BADSIG)");
}

/* RFC 1996 3.7: the answer to a NOTIFY. */
TEST(a_notify_carries_the_serial_and_ends_with_its_answer)
{
	struct message message;

	exchange_init(&e, EXCHANGE_NOTIFY, &remote, zone, &limits, crypto);
	e.serial = 42;
	assert_int_equal(feed(EXCHANGE_START, 0, (struct span){0}), EXCHANGE_SEND);
	assert_true(message_parse(span_of(e.request, e.request_len), &message));
	CHECK(message.header.opcode == OPCODE_NOTIFY && message.header.aa);
	CHECK(message.header.count[SECTION_ANSWER] == 1);
	assert_int_equal(feed(EXCHANGE_MESSAGE, 1, answer(NULL, 0, answer_header())), EXCHANGE_END);
	CHECK(e.outcome == EXCHANGE_DONE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_serial_is_asked_three_times_at_each_address),
		CASE(a_serial_is_read_from_the_zones_own_soa),
		CASE(an_answer_that_does_not_match_is_ignored_over_udp),
		CASE(a_refusal_is_told_with_the_peers_rcode),
		CASE(a_truncated_answer_is_asked_again_over_tcp),
		CASE(a_transfer_is_whole_when_the_soa_comes_again),
		CASE(c1_a_transfer_with_wrong_soas_is_broken),
		CASE(c1_a_transfer_that_ends_early_is_broken_and_not_begun_elsewhere),
		CASE(c2_foreign_records_and_wrong_headers_break_a_transfer),
		CASE(c4_a_zone_over_the_limit_is_broken_off),
		CASE(an_unreachable_address_gives_way_to_the_next),
		CASE(a_signed_answer_is_taken_an_unsigned_one_waits_for_better),
		CASE(a_key_that_the_peer_does_not_know_gives_way_to_the_next),
		CASE(a_wrong_secret_is_named),
		CASE(a_notify_carries_the_serial_and_ends_with_its_answer),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	crypto_free(crypto);
	return failed;
}
