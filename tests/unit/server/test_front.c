/* SPDX-License-Identifier: Apache-2.0 */
/* The front as a process: what clients get, and what the keeper is told. */
#include "front_stage.h"

#include "server/front/worker.h"

TEST(zones_are_answered_over_udp_and_tcp)
{
	begin();
	assert_string_equal(stage_ask(stage, "serial.a.example. TXT"),
			    "NOERROR aa\nan serial.a.example. 3600 IN TXT \"1\"\n");
	int fd = client_open(TRANSPORT_TCP, &stage->tcp);
	client_send(fd, client_question(stage, "no.a.example. A"));
	assert_string_equal(response_text(&stage->world, client_message(stage, fd)),
			    "NXDOMAIN aa\nau a.example. 300 IN SOA ns.a.example. admin.a.example. "
			    "1 3600 600 86400 300\n");
	close(fd);
	assert_string_equal(stage_ask(stage, "id.server. TXT ch"),
			    "NOERROR aa\nan id.server. 0 CH TXT \"ns1.example.net\"\n");
}

TEST(a_new_version_is_answered_as_soon_as_it_is_said_to_be_served)
{
	begin();
	for (uint32_t serial = 2; serial < 12; serial++) {
		stage_serve(stage, 0, "a.example.", serial);
		for (int i = 0; i < 2 * STAGE_WORKERS; i++) /* of any worker */
			CHECK(stage_serial(stage, "a.example.") == serial);
	}
	STAGE_AWAIT(stage, stage->released == stage->generation);
}

/* A client that is told REFUSED goes elsewhere for a long time; a lost question is repeated. */
TEST(an_unknown_zone_is_refused_only_when_the_roster_is_complete)
{
	struct message message;

	stage_policy(stage, stage_policy_text);
	stage_segment(stage);
	stage_serve(stage, 0, "a.example.", 1);
	CHECK(stage_serial(stage, "a.example.") == 1 && !stage->is_ready);
	int fd = client_open(TRANSPORT_UDP, &stage->udp);
	struct span question = client_question(stage, "b.example. SOA");
	client_send(fd, span_of(question.ptr + 2, question.len - 2));
	question = client_question(stage, "a.example. SOA"); /* to the same worker, after it */
	client_send(fd, span_of(question.ptr + 2, question.len - 2));
	CHECK(message_parse(client_receive(fd, stage->world.response, UDP_OCTETS_MAX), &message));
	CHECK(name_equal(name_of(&message.question.name), world_name(&stage->world, "a.example.")));
	close(fd);
	stage_roster_end(stage);
	STAGE_AWAIT(stage, stage->is_ready);
	assert_string_equal(stage_ask(stage, "b.example. SOA"), "REFUSED\n");
}

TEST(an_answer_leaves_from_the_address_that_was_asked)
{
	struct endpoint other = {address_of_ipv4((const uint8_t[]){127, 0, 0, 77}),
				 stage->wildcard.port};

	begin();
	int fd = client_open(TRANSPORT_UDP, &other); /* takes answers from there only */
	struct span question = client_question(stage, "a.example. SOA");
	client_send(fd, span_of(question.ptr + 2, question.len - 2));
	CHECK(client_receive(fd, stage->world.response, sizeof stage->world.response).len > 12);
	close(fd);
}

TEST(a_zone_answers_until_it_expires)
{
	struct message_publish body;

	begin();
	body = supply_image(&stage->world, &stage->segment, 1, "c.example.",
			    supply_text("c.example.", 5));
	body.generation = ++stage->generation;
	body.expires_at = clock_now() + 3600 * NS_PER_S;
	stage_send(stage, MESSAGE_PUBLISH, &body, -1);
	STAGE_AWAIT(stage, stage->serving == stage->generation);
	CHECK(stage_serial(stage, "c.example.") == 5);
	body.generation = ++stage->generation;
	body.expires_at = clock_now();
	stage_send(stage, MESSAGE_PUBLISH, &body, -1);
	STAGE_AWAIT(stage, stage->serving == stage->generation);
	assert_string_equal(stage_ask(stage, "c.example. SOA"), "SERVFAIL\n");
}

TEST(a_withdrawn_zone_is_none_of_ours)
{
	struct message_withdraw body = {.slot = 0};

	begin();
	body.generation = ++stage->generation;
	stage_send(stage, MESSAGE_WITHDRAW, &body, -1);
	STAGE_AWAIT(stage, stage->released == stage->generation);
	assert_string_equal(stage_ask(stage, "a.example. SOA"), "REFUSED\n");
}

/* ---- the keeper dies and lies ---- */

TEST(the_front_answers_while_the_keeper_is_down)
{
	begin();
	stage_keeper_dies(stage);
	CHECK(stage_serial(stage, "a.example.") == 1);
	stage_keeper_comes(stage);
	CHECK(stage_serial(stage, "a.example.") == 1);
	/* The same numbers of slots and segments mean other things now. */
	stage_policy(stage, stage_policy_text);
	stage_segment(stage);
	stage_serve(stage, 0, "b.example.", 7);
	CHECK(stage_serial(stage, "a.example.") == 1);
	CHECK(stage_serial(stage, "b.example.") == 7);
	stage_roster_end(stage);
	assert_string_equal(stage_ask(stage, "a.example. SOA"), "REFUSED\n");
	STAGE_AWAIT(stage, stage->released == stage->generation);
}

TEST(a_keeper_that_breaks_a_rule_is_reported_and_not_heard_any_more)
{
	begin();
	struct message_publish body = {.slot = 9,
				       .generation = 99,
				       .layer_count = 1,
				       .layers = {{.segment = 77, .len = 64}}};
	name_copy(&body.zone, world_name(&stage->world, "b.example."));
	stage_send(stage, MESSAGE_PUBLISH, &body, -1);
	STAGE_AWAIT(stage, stage->keeper_failed);
	struct message_withdraw withdraw = {.slot = 0, .generation = 100};
	stage_send(stage, MESSAGE_WITHDRAW, &withdraw, -1);
	stage_keeper_dies(stage);
	stage_keeper_comes(stage);
	CHECK(stage_serial(stage, "a.example.") == 1);
	begin();
	CHECK(stage_serial(stage, "a.example.") == 1 && !stage->keeper_failed);
}

/* ---- transfers ---- */

enum { LARGE_RECORDS = 60000 };

/* A zone whose transfer is larger than what lies between two sockets. */
static const char *large_text(const char *origin, uint32_t serial)
{
	static char text[LARGE_RECORDS * 80];
	size_t len = (size_t)snprintf(text, sizeof text, "%s", supply_text(origin, serial));

	for (int i = 0; i < LARGE_RECORDS; i++)
		len += (size_t)snprintf(text + len, sizeof text - len,
					"host%d.%s TXT \"%05d and some words to fill it\"\n", i,
					origin, i);
	return text;
}

static void publish_large(uint32_t serial)
{
	stage_segment(stage);
	stage_publish(stage, 0, "a.example.", large_text("a.example.", serial));
	STAGE_AWAIT(stage, stage->serving == stage->generation);
}

/* Waits until the first octets of an answer are there. */
static void await_answer(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	CHECK(poll(&ready, 1, -1) == 1);
}

static void verify(struct tsig_stream *stream, const struct message *message)
{
	struct edns edns;
	struct tsig tsig;

	CHECK(message_read_meta(message, &edns, &tsig) == RCODE_NOERROR);
	CHECK(tsig_stream_verify(stream, message, &tsig, clock_unix_s()).verdict == TSIG_OK);
}

/*
 * Reads a whole transfer, signed where a stream is given, and returns its records, SOA
 * twice; 0 when it broke off.
 */
static size_t transfer_read(int fd, uint32_t serial, struct tsig_stream *stream)
{
	size_t record_count = 0, soa_count = 0;
	struct message_record record;
	struct message message;

	while (soa_count < 2) {
		struct span wire = client_message(stage, fd);
		if (wire.len == 0) return 0;
		CHECK(message_parse(wire, &message) && message.header.rcode == RCODE_NOERROR);
		if (stream) verify(stream, &message);
		struct message_cursor cursor = message_cursor_of(&message);
		while (message_next_record(&cursor, &record)) {
			record_count += record.type != RRTYPE_OPT && record.type != RRTYPE_TSIG;
			if (record.type != RRTYPE_SOA) continue;
			struct span rdata = message_rdata(&message, &record);
			struct reader r = reader_of(rdata);
			r.at = rdata.len - 20;
			CHECK(read_u32(&r) == serial);
			soa_count++;
		}
		CHECK(message_cursor_is_done(&cursor));
	}
	return record_count;
}

TEST(a_zone_goes_out_whole_and_the_keeper_hears_of_it)
{
	begin();
	int fd = client_open(TRANSPORT_TCP, &stage->tcp);
	client_send(fd, client_question(stage, "a.example. AXFR"));
	CHECK(transfer_read(fd, 1, NULL) == 5);
	STAGE_AWAIT(stage, stage->transfer_count == 1);
	const struct message_transfer_sent *sent = &stage->transfers[0];
	CHECK(sent->complete && sent->serial == 1 && sent->record_count == 5 && sent->octets > 100);
	CHECK(name_equal(name_of(&sent->zone), world_name(&stage->world, "a.example.")));
	struct endpoint own = socket_local(fd);
	CHECK(endpoint_equal(&sent->to, &own) && sent->key[0] == '\0');
	/* The connection stays, for the next question (RFC 7766 6.2.3). */
	client_send(fd, client_question(stage, "a.example. SOA"));
	CHECK(client_message(stage, fd).len > 0);
	close(fd);
}

TEST(a_transfer_ends_with_the_version_it_began_with)
{
	struct message_segment old;
	uint64_t before;

	begin();
	publish_large(2);
	STAGE_AWAIT(stage, stage->released == stage->generation);
	before = stage->generation;
	old = stage->segment.body;
	int fd = client_open(TRANSPORT_TCP, &stage->tcp);
	client_send(fd, client_question(stage, "a.example. AXFR"));
	await_answer(fd); /* it has begun, and as nobody reads it is stuck soon */
	publish_large(3);
	stage_send(stage, MESSAGE_SEGMENT_DROP, &old, -1);
	CHECK(stage_serial(stage, "a.example.") == 3);
	stage_stats(stage);
	CHECK(stage->released == before && stage->transfer_count == 0);
	CHECK(transfer_read(fd, 2, NULL) == LARGE_RECORDS + 5);
	STAGE_AWAIT(stage, stage->released == stage->generation);
	STAGE_AWAIT(stage, stage->transfer_count == 1);
	CHECK(stage->transfers[0].complete && stage->transfers[0].serial == 2);
	CHECK(stage->transfers[0].record_count == LARGE_RECORDS + 5);
	close(fd);
}

TEST(a_transfer_that_the_client_leaves_is_told_as_broken_off)
{
	begin();
	publish_large(2);
	int fd = client_open(TRANSPORT_TCP, &stage->tcp);
	client_send(fd, client_question(stage, "a.example. AXFR"));
	CHECK(client_message(stage, fd).len > 0);
	close(fd);
	STAGE_AWAIT(stage, stage->transfer_count == 1);
	CHECK(!stage->transfers[0].complete && stage->transfers[0].serial == 2);
	stage_serve(stage, 0, "a.example.", 3);
	STAGE_AWAIT(stage, stage->released == stage->generation);
}

TEST(transfers_on_one_connection_follow_each_other)
{
	static uint8_t both[128];

	begin();
	publish_large(2);
	struct span question = client_question(stage, "a.example. AXFR");
	memcpy(both, question.ptr, question.len);
	memcpy(both + question.len, question.ptr, question.len);
	int fd = client_open(TRANSPORT_TCP, &stage->tcp);
	client_send(fd, span_of(both, 2 * question.len));
	for (int i = 0; i < 2; i++) CHECK(transfer_read(fd, 2, NULL) == LARGE_RECORDS + 5);
	STAGE_AWAIT(stage, stage->transfer_count == 2);
	close(fd);
}

static struct tsig_key key_of_policy(void)
{
	return (struct tsig_key){.name = world_name(&stage->world, "xfer."),
				 .algorithm = TSIG_HMAC_SHA256,
				 .secret = span_of_text("secret-for-tests"),
				 .label = "xfer"};
}

/* Signs what client_question() wrote. */
static struct span question_sign(struct span question, const struct tsig_key *key,
				 struct tsig_mac *mac)
{
	struct writer w = writer_of(stage->world.request + 2, sizeof stage->world.request - 2);

	w.len = question.len - 2;
	CHECK(tsig_sign_request(stage->world.crypto, key, clock_unix_s(), &w, mac) == OK);
	put_u16(stage->world.request, (uint16_t)w.len);
	return span_of(stage->world.request, w.len + 2);
}

/* RFC 8945 5.3.1: the stream's signatures end under the key it began with. */
TEST(a_signed_transfer_outlives_the_policy_that_holds_its_key)
{
	struct tsig_key key = key_of_policy();
	struct tsig_stream stream;
	struct tsig_mac mac;

	begin();
	stage_segment(stage);
	stage_publish(stage, 1, "b.example.", large_text("b.example.", 4));
	STAGE_AWAIT(stage, stage->serving == stage->generation);
	int fd = client_open(TRANSPORT_TCP, &stage->tcp);
	client_send(fd, question_sign(client_question(stage, "b.example. AXFR"), &key, &mac));
	CHECK(tsig_stream_begin(&stream, stage->world.crypto, &key, &mac) == OK);
	await_answer(fd);
	stage_policy(stage, "zones: [{name: a.example, role: primary}]\n");
	stage_policy(stage, "zones: [{name: b.example, role: primary}]\n");
	stage_policy(stage, "zones: [{name: a.example, role: primary}]\n");
	stage_stats(stage);
	CHECK(transfer_read(fd, 4, &stream) == LARGE_RECORDS + 5);
	STAGE_AWAIT(stage, stage->transfer_count == 1);
	CHECK(stage->transfers[0].complete);
	assert_string_equal(stage->transfers[0].key, "xfer");
	/* Now the zone is closed to it. */
	client_send(fd, question_sign(client_question(stage, "b.example. AXFR"), &key, &mac));
	assert_string_equal(response_text(&stage->world, client_message(stage, fd)),
			    "NOTAUTH unsigned-tsig\n");
	tsig_stream_end(&stream);
	close(fd);
}

TEST(who_may_not_transfer_is_refused_and_counted)
{
	struct tsig_key key = key_of_policy();
	struct tsig_mac mac;

	begin();
	stage_serve(stage, 1, "b.example.", 4);
	int fd = client_open(TRANSPORT_TCP, &stage->tcp);
	client_send(fd, client_question(stage, "b.example. AXFR"));
	assert_string_equal(response_text(&stage->world, client_message(stage, fd)), "REFUSED\n");
	key.secret = span_of_text("another secret");
	client_send(fd, question_sign(client_question(stage, "b.example. AXFR"), &key, &mac));
	assert_string_equal(response_text(&stage->world, client_message(stage, fd)),
			    "NOTAUTH unsigned-tsig\n");
	close(fd);
	const uint64_t *stats = stage_stats(stage);
	CHECK(stats[METRIC_TRANSFERS_REFUSED] == 2 && stats[METRIC_SIGNATURES_REFUSED] == 1);
	CHECK(stats[METRIC_REPLIES_REFUSED] == 1 && stats[METRIC_REPLIES_NOTAUTH] == 1);
}

/* ---- NOTIFY ---- */

/* RFC 1996 3: from a primary it is handed on, from anybody else refused. */
TEST(a_notify_from_a_primary_reaches_the_keeper)
{
	begin();
	stage_serve(stage, 1, "c.example.", 5);
	assert_string_equal(stage_ask(stage, "c.example. SOA notify"), "NOERROR aa\n");
	STAGE_AWAIT(stage, stage->notify_count == 1);
	const struct message_notify *notify = &stage->notifies[0];
	CHECK(notify->primary == 0 && !notify->has_serial);
	CHECK(name_equal(name_of(&notify->zone), world_name(&stage->world, "c.example.")));
	struct address own = address_of_ipv4((const uint8_t[]){127, 0, 0, 1});
	CHECK(address_equal(&notify->from.address, &own) && notify->from.port != 0);
	assert_string_equal(stage_ask(stage, "a.example. SOA notify"), "REFUSED\n");
	assert_string_equal(stage_ask(stage, "x.example. SOA notify"), "NOTAUTH\n");
	const uint64_t *stats = stage_stats(stage);
	CHECK(stats[METRIC_NOTIFIES_RECEIVED] == 1 && stats[METRIC_NOTIFIES_REFUSED] == 2);
	CHECK(stage->notify_count == 1);
}

TEST(a_notify_waits_for_a_keeper_that_is_down)
{
	begin();
	stage_serve(stage, 1, "c.example.", 5);
	stage_keeper_dies(stage);
	/* Said three times, it is still one piece of news; the first is perhaps on its way. */
	for (int i = 0; i < 3; i++)
		assert_string_equal(stage_ask(stage, "c.example. SOA notify"), "NOERROR aa\n");
	stage_keeper_comes(stage);
	begin();
	STAGE_AWAIT(stage, stage->notify_count >= 1);
	stage_stats(stage);
	CHECK(stage->notify_count <= 2);
}

/* ---- what the log says ---- */

static const char *log_take(int fd)
{
	static char text[1 << 18];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	CHECK(n >= 0);
	text[n] = '\0';
	return text;
}

static size_t log_count(const char *text, const char *what)
{
	size_t count = 0;

	while ((text = strstr(text, what))) {
		count++;
		text++;
	}
	return count;
}

static void transfer_ask(const char *words, const struct tsig_key *key)
{
	int fd = client_open(TRANSPORT_TCP, &stage->tcp);
	struct tsig_mac mac;
	struct span question = client_question(stage, words);

	if (key) question = question_sign(question, key, &mac);
	client_send(fd, question);
	CHECK(client_message(stage, fd).len >= 12);
	close(fd);
}

TEST(the_log_says_who_was_refused_and_which_key_it_should_have_used)
{
	static const char signed_only[] =
		"keys: [{name: xfer, secret: \"c2VjcmV0LWZvci10ZXN0cw==\"}]\n"
		"remotes: [{name: west, address: [127.0.0.1], keys: xfer}]\n"
		"zones:\n"
		"  - {name: a.example, role: primary, secondaries: west}\n"
		"  - {name: c.example, role: secondary, primaries: west}\n";
	struct tsig_key key = key_of_policy();
	int fd, before = dup(STDERR_FILENO);

	CHECK(memfd_open("log", 1 << 18, &fd, NULL) == OK && dup2(fd, STDERR_FILENO) >= 0);
	log_level_set(LEVEL_WARNING);
	stage_policy(stage, signed_only);
	stage_segment(stage);
	stage_serve(stage, 0, "a.example.", 1);
	stage_serve(stage, 1, "c.example.", 1);
	stage_roster_end(stage);
	transfer_ask("a.example. AXFR", NULL);
	key.secret = span_of_text("wrong");
	transfer_ask("a.example. AXFR", &key);
	key.name = world_name(&stage->world, "other.");
	transfer_ask("a.example. IXFR", &key); /* FORMERR, but the key comes first */
	transfer_ask("x.example. AXFR", NULL);
	stage_ask(stage, "c.example. SOA notify");
	stage_ask(stage, "a.example. SOA notify");
	stage_close(stage);
	dup2(before, STDERR_FILENO);
	const char *text = log_take(fd);
	CHECK(strstr(text, "transfer-refused") && strstr(text, "zone=a.example. from=127.0.0.1@"));
	CHECK(strstr(text, "reason=\"it must use a key\" key=\"\" remote=west wanted-key=xfer\n"));
	CHECK(strstr(text, "reason=\"its key has another secret here\" key=xfer. remote=west "
			   "wanted-key=xfer\n"));
	CHECK(strstr(text, "reason=\"its key is unknown\" key=other. remote=west "
			   "wanted-key=xfer\n"));
	CHECK(strstr(text, "zone=x.example. ") && strstr(text, "reason=\"no zone of ours\""));
	CHECK(log_count(text, "transfer-refused") == 4 && log_count(text, "notify-refused") == 2);
	CHECK(strstr(text, "reason=\"it is none of the zone's primaries\""));
	close(before);
	close(fd);
	stage = stage_open();
}

TEST(strangers_cannot_flood_the_log)
{
	enum { FLOOD = 300 };
	int fd, before = dup(STDERR_FILENO);
	size_t logged, told = 0;
	unsigned count;

	CHECK(memfd_open("log", 1 << 18, &fd, NULL) == OK && dup2(fd, STDERR_FILENO) >= 0);
	log_level_set(LEVEL_WARNING);
	begin();
	for (int i = 0; i < FLOOD; i++) stage_ask(stage, "a.example. SOA notify");
	stage_close(stage);
	dup2(before, STDERR_FILENO);
	const char *text = log_take(fd);
	logged = log_count(text, "notify-refused");
	for (const char *at = text; (at = strstr(at, "refusals-unlogged")); at++) {
		const char *number = strstr(at, "count=");
		CHECK(number && sscanf(number, "count=%u", &count) == 1);
		told += count;
	}
	CHECK(logged >= REFUSALS_BURST && logged < FLOOD / 2 && logged + told == FLOOD);
	close(before);
	close(fd);
	stage = stage_open();
}

/* ---- strangers ---- */

TEST(no_octets_end_the_service)
{
	uint8_t octets[600];
	uint64_t random = 88172645463325252;

	begin();
	int udp = client_open(TRANSPORT_UDP, &stage->udp);
	for (int i = 0; i < 2000; i++) {
		struct span question = client_question(stage, "a.example. SOA edns");
		size_t len = question.len - 2;
		memcpy(octets, question.ptr + 2, len);
		for (int n = 0; n < 1 + i % 4; n++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			octets[random % len] = (uint8_t)(random >> 32);
		}
		if (i % 5 == 0) len = random % sizeof octets;
		client_send(udp, span_of(octets, len));
		if (i % 40) continue;
		int tcp = client_open(TRANSPORT_TCP, &stage->tcp);
		client_send(tcp, span_of(octets, len));
		close(tcp);
	}
	static uint8_t huge[60000];
	client_send(udp, span_of(huge, sizeof huge));
	close(udp);
	CHECK(stage_serial(stage, "a.example.") == 1);
}

TEST(the_keeper_is_told_what_was_counted)
{
	begin();
	stage_ask(stage, "a.example. SOA");
	stage_ask(stage, "no.a.example. SOA");
	stage_ask(stage, "elsewhere. SOA");
	stage_ask(stage, "a.example. SOA status");
	const uint64_t *stats = stage_stats(stage);
	CHECK(stats[METRIC_QUERIES_UDP] == 4 && stats[METRIC_QUERIES_TCP] == 0);
	CHECK(stats[METRIC_REPLIES_NOERROR] == 1 && stats[METRIC_REPLIES_NXDOMAIN] == 1);
	CHECK(stats[METRIC_REPLIES_REFUSED] == 1 && stats[METRIC_REPLIES_NOTIMP] == 1);
	CHECK(stats[METRIC_ZONES] == 1 && stats[METRIC_WORKERS] == STAGE_WORKERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
		ROW(zones_are_answered_over_udp_and_tcp),
		ROW(a_new_version_is_answered_as_soon_as_it_is_said_to_be_served),
		ROW(an_unknown_zone_is_refused_only_when_the_roster_is_complete),
		ROW(an_answer_leaves_from_the_address_that_was_asked),
		ROW(a_zone_answers_until_it_expires),
		ROW(a_withdrawn_zone_is_none_of_ours),
		ROW(the_front_answers_while_the_keeper_is_down),
		ROW(a_keeper_that_breaks_a_rule_is_reported_and_not_heard_any_more),
		ROW(a_zone_goes_out_whole_and_the_keeper_hears_of_it),
		ROW(a_transfer_ends_with_the_version_it_began_with),
		ROW(a_transfer_that_the_client_leaves_is_told_as_broken_off),
		ROW(transfers_on_one_connection_follow_each_other),
		ROW(a_signed_transfer_outlives_the_policy_that_holds_its_key),
		ROW(who_may_not_transfer_is_refused_and_counted),
		ROW(a_notify_from_a_primary_reaches_the_keeper),
		ROW(a_notify_waits_for_a_keeper_that_is_down),
		ROW(the_log_says_who_was_refused_and_which_key_it_should_have_used),
		ROW(strangers_cannot_flood_the_log),
		ROW(no_octets_end_the_service),
		ROW(the_keeper_is_told_what_was_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
