/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 5936: a zone goes out whole, in order, in as many messages as it takes. */
#include "answer_fixture.h"

#include "engine/front/transfer.h"
#include "zone/change.h"
#include "zone/delta.h"

static struct world world;
static struct tsig_key key;
static char zone_text[1 << 20];

static int setup(void **state)
{
	(void)state;
	world_open(&world);
	key = (struct tsig_key){.name = world_name(&world, "xfer.key."),
				.algorithm = TSIG_HMAC_SHA256,
				.secret = span_of_text("a secret for transfers"),
				.label = "xfer"};
	world.server.keys = &key;
	world.server.key_count = 1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

/* What a client makes of a stream of messages. */
struct client {
	struct ask ask;
	struct tsig_mac mac;
	struct tsig_stream tsig;
	bool is_signed;
	size_t message_count;
	struct records *records; /* all but the closing SOA */
	size_t soa_count;
	uint8_t data[1 << 17];
	bool is_label[MESSAGE_OCTETS_MAX]; /* of the message at hand: a label begins here */
};

static struct client client;
static struct records received;

static void start(struct transfer_out *transfer, const char *question, bool is_signed)
{
	memset(&client, 0, sizeof client);
	ask_parse(question, &client.ask);
	struct writer request = ask_write(&client.ask, SECTION_QUESTION, NULL, world.request);
	client.is_signed = is_signed;
	if (is_signed) {
		CHECK(tsig_sign_request(world.crypto, &key, WORLD_NOW_UNIX_S, &request,
					&client.mac) == OK);
		CHECK(tsig_stream_begin(&client.tsig, world.crypto, &key, &client.mac) == OK);
	}
	assert_string_equal(world_answer(&world, &client.ask, writer_span(&request)), "TRANSFER");
	directory_reader_begin(world.directory, 0);
	CHECK(transfer_out_begin(transfer, &world.server, &world.result, NULL) == OK);
	directory_reader_end(world.directory, 0);
	memset(&world.result, 0xff, sizeof world.result);
	memset(world.request, 0xff, sizeof world.request);
	records_init(&received, world.arena);
	client.records = &received;
}

/* Every pointer goes backwards, to a label of a name before. Returns where the name ends. */
static size_t take_name(struct span wire, size_t at)
{
	size_t start = at, label = at;

	for (; wire.ptr[at]; at += wire.ptr[at] + 1u) {
		if (wire.ptr[at] < 0xc0) continue;
		size_t to = (size_t)(wire.ptr[at] & 0x3f) << 8 | wire.ptr[at + 1];
		CHECK(to < start && client.is_label[to]);
		break;
	}
	for (; label < at; label += wire.ptr[label] + 1u) client.is_label[label] = true;
	return at + (wire.ptr[at] ? 2 : 1);
}

static void take_names(struct span wire, const struct message_record *raw)
{
	size_t at = raw->rdata_at;

	take_name(wire, raw->at);
	switch (raw->type) {
	case RRTYPE_MX: take_name(wire, at + 2); break;
	case RRTYPE_NS:
	case RRTYPE_CNAME:
	case RRTYPE_PTR: CHECK(take_name(wire, at) == at + raw->rdata_len); break;
	case RRTYPE_SOA:
	case RRTYPE_MINFO: take_name(wire, take_name(wire, at)); break;
	default: break;
	}
}

static void take_record(const struct message *message, const struct message_record *raw)
{
	struct writer w = writer_of(client.data, sizeof client.data);
	struct record record;
	struct error err;

	CHECK(raw->section == SECTION_ANSWER);
	CHECK(message_expand_record(message, raw, &w, &record, &err) == OK);
	CHECK(client.soa_count < 2);
	if (record.type == RRTYPE_SOA) client.soa_count++;
	CHECK(client.soa_count > 0);
	if (client.soa_count < 2)
		CHECK(records_add(client.records, &record, (struct place){0}, NULL) == OK);
}

static void take_message(struct span wire)
{
	struct message message;
	struct message_record raw;
	struct edns edns;
	struct tsig tsig;

	CHECK(message_parse(wire, &message));
	const struct header *header = &message.header;
	CHECK(header->id == client.ask.header.id && header->qr && header->aa && !header->tc);
	CHECK(!header->ra && !header->ad && !header->cd && header->rcode == RCODE_NOERROR);
	CHECK(message.has_question == (client.message_count == 0));
	CHECK(header->count[SECTION_ANSWER] > 0);
	CHECK(message_read_meta(&message, &edns, &tsig) == RCODE_NOERROR);
	CHECK(edns.present == (client.message_count == 0 && client.ask.edns));
	CHECK(tsig.present == client.is_signed);
	if (client.is_signed) {
		struct tsig_check check =
			tsig_stream_verify(&client.tsig, &message, &tsig, WORLD_NOW_UNIX_S);
		CHECK(check.verdict == TSIG_OK && check.proven);
	}
	memset(client.is_label, 0, sizeof client.is_label);
	if (message.has_question) take_name(wire, HEADER_OCTETS);
	struct message_cursor cursor = message_cursor_of(&message);
	while (message_next_record(&cursor, &raw)) {
		if (raw.type == RRTYPE_OPT || raw.type == RRTYPE_TSIG) continue;
		take_names(wire, &raw);
		take_record(&message, &raw);
	}
	CHECK(message_cursor_is_done(&cursor));
	client.message_count++;
}

/* One message; false at the end. */
static bool next(struct transfer_out *transfer)
{
	struct writer out = writer_of(world.response, sizeof world.response);
	struct error err;

	if (transfer_out_next(transfer, WORLD_NOW_UNIX_S, &out, &err) != OK)
		fail_msg("transfer: %s", err.text);
	if (out.len == 0) return false;
	take_message(writer_span(&out));
	return true;
}

static void end(struct transfer_out *transfer)
{
	if (client.is_signed) tsig_stream_end(&client.tsig);
	transfer_out_end(transfer);
	CHECK(atomic_load(&transfer->zone->pins) == 0);
}

static void check_received(const struct publication *zone)
{
	struct zone_digest digest, told;

	CHECK(client.soa_count == 2 && received.count == view_record_count(&zone->view));
	CHECK(records_sort(&received, NULL) == OK &&
	      received.count == view_record_count(&zone->view));
	CHECK(zone_digest_of(&received, world.crypto, &digest));
	view_digest(&zone->view, &told);
	CHECK(zone_digest_equal(&digest, &told));
}

/* Octet for octet. */
static void check_same(const struct records *set)
{
	CHECK(client.soa_count == 2 && received.count == set->count);
	CHECK(records_sort(&received, NULL) == OK && received.count == set->count);
	for (size_t i = 0; i < set->count; i++) {
		struct record a = records_get(set, i), b = records_get(&received, i);
		CHECK(a.type == b.type && a.class == b.class && a.ttl == b.ttl);
		CHECK(span_equal(span_of(a.owner.wire, a.owner.len),
				 span_of(b.owner.wire, b.owner.len)));
		CHECK(span_equal(a.rdata, b.rdata));
	}
}

static void check_transfer(struct publication *zone, const char *question, bool is_signed)
{
	struct transfer_out transfer;

	start(&transfer, question, is_signed);
	CHECK(atomic_load(&zone->pins) == 1);
	while (next(&transfer)) continue;
	CHECK(!next(&transfer));
	CHECK(transfer.record_count == view_record_count(&zone->view) + 1);
	CHECK(transfer.message_count == client.message_count);
	check_received(zone);
	end(&transfer);
}

/* A zone of all kinds of names, about `count` records. */
static struct publication *publish_large(unsigned count)
{
	int len = snprintf(zone_text, sizeof zone_text,
			   "@ SOA n a 7 1 1 1 60\n@ NS n\nn A 192.0.2.1\n");

	for (unsigned i = 0; i < count; i++)
		len += snprintf(zone_text + len, sizeof zone_text - (size_t)len,
				"host-%u.area%u %u A 192.0.2.%u\nhost-%u.area%u %u MX 10 host-%u\n",
				i, i % 7, i % 5, i % 256, i, i % 7, i % 3, i / 2);
	return world_publish(&world, "example.", zone_text);
}

TEST(rfc5936_2_2_a_zone_arrives_as_it_is)
{
	check_transfer(world_publish(&world, "example.", "@ SOA n a 1 1 1 1 60\n@ NS n\n"),
		       "example. AXFR tcp", false);
	CHECK(client.message_count == 1);
	check_transfer(publish_large(5000), "example. AXFR tcp", false);
	CHECK(client.message_count > 5);
}

TEST(rfc8945_5_3_1_every_message_of_a_signed_transfer_is_signed)
{
	check_transfer(publish_large(5000), "example. AXFR tcp", true);
	CHECK(client.message_count > 5);
}

TEST(rfc5936_2_2_5_opt_comes_in_the_first_message)
{
	check_transfer(publish_large(5000), "example. AXFR tcp do", true);
}

TEST(messages_are_near_16_kib)
{
	struct transfer_out transfer;
	size_t octets = 0;

	publish_large(5000);
	start(&transfer, "example. AXFR tcp", false);
	while (next(&transfer)) {
		CHECK(transfer.octets - octets < TRANSFER_MESSAGE_OCTETS + 100);
		octets = transfer.octets;
	}
	CHECK(octets / client.message_count > TRANSFER_MESSAGE_OCTETS / 2);
	end(&transfer);
}

TEST(a_transfer_keeps_the_version_it_began_with)
{
	struct publication *zone = publish_large(3000);
	struct transfer_out transfer;

	start(&transfer, "example. AXFR tcp", true);
	CHECK(next(&transfer));
	world_publish(&world, "example.", "@ SOA n a 8 1 1 1 60\n@ NS n\n");
	CHECK(directory_reap(world.directory) == NULL);
	while (next(&transfer)) continue;
	check_received(zone);
	end(&transfer);
	CHECK(directory_reap(world.directory) == zone);
}

/* A set of one TXT record whose data has `rdata_len` octets. */
static struct publication *publish_giant(size_t rdata_len)
{
	struct publication *zone =
		world_publish(&world, "example.", "@ SOA n a 1 1 1 1 60\n@ NS n\n");
	uint8_t *rdata = arena_alloc(world.arena, rdata_len);
	struct record record = {.owner = world_name(&world, "giant.example."),
				.type = 65280,
				.class = CLASS_IN,
				.rdata = span_of(rdata, rdata_len)};
	struct records set;

	world_records(&world, zone->name, "@ SOA n a 1 1 1 1 60\n@ NS n\nz A 192.0.2.1\n", &set);
	CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	CHECK(records_sort(&set, NULL) == OK);
	zone->view = world_view(&world, zone->name, &set);
	return zone;
}

TEST(a_record_that_fills_a_message_goes_out_alone)
{
	check_transfer(publish_giant(65535 - 12 - 15 - 10), "example. AXFR tcp", false);
	CHECK(client.message_count == 3);
	check_transfer(publish_giant(65000), "example. AXFR tcp do", true);
}

/* NSD 4.15.1 looped here. */
TEST(a_record_that_fits_into_no_message_ends_the_transfer)
{
	struct writer out = writer_of(world.response, sizeof world.response);
	struct transfer_out transfer;
	struct error err;

	publish_giant(65535 - 12 - 15 - 10 + 1);
	start(&transfer, "example. AXFR tcp", false);
	CHECK(next(&transfer));
	CHECK(transfer_out_next(&transfer, WORLD_NOW_UNIX_S, &out, &err) == E_RANGE &&
	      out.len == 0);
	CHECK(client.soa_count == 1);
	end(&transfer);
}

/* What RFC 1035 4.1.4 allows, and what no shorter message could hold in the same order. */
TEST(names_take_two_octets_once_they_stand)
{
	struct transfer_out transfer;
	const size_t head = 10;

	world_publish(&world, "example.",
		      "@ SOA n a 7 1 1 1 60\n@ NS n.other.\n"
		      "a NS n.other.\na NS m.other.\nb NS n.a\nb NS m.other.\n"
		      "n.a A 192.0.2.1\nc MX 10 c\nc TXT x\n");
	start(&transfer, "example. AXFR tcp", false);
	while (next(&transfer)) continue;
	size_t octets = HEADER_OCTETS + 9 + 4;
	octets += 2 + head + 4 + 4 + 20;       /* SOA: n and a before the apex */
	octets += 2 + head + 9;                /* NS n.other. */
	octets += 2 + head + 4 + 2 + head + 2; /* a, which stands: m before other., n.other. */
	octets += 4 + head + 4;                /* n.a with its address */
	octets += 4 + head + 2 + 2 + head + 2; /* b: two names that stand */
	octets += 4 + head + 4 + 2 + head + 2; /* c: itself behind two octets, and TXT */
	octets += 2 + head + 2 + 2 + 20;
	assert_int_equal(transfer.octets, octets);
	end(&transfer);
}

/* RFC 1035 4.1.4: 14 bits. A record with names that begin before that and end behind. */
TEST(nothing_points_behind_what_a_pointer_can_say)
{
	struct publication *zone = world_publish(&world, "example.", "@ SOA n a 1 1 1 1 60\n");
	static char data[2 * TRANSFER_MESSAGE_OCTETS + 1];

	memset(data, '0', sizeof data - 1);
	for (int at = TRANSFER_MESSAGE_OCTETS - 150; at < TRANSFER_MESSAGE_OCTETS - 50; at++) {
		struct transfer_out transfer;
		struct records set;
		snprintf(zone_text, sizeof zone_text,
			 "@ SOA n a 1 1 1 1 60\na TYPE65280 \\# %d %.*s\n"
			 "b MINFO one.far.else. two.far.else.\n",
			 at, 2 * at, data);
		world_records(&world, zone->name, zone_text, &set);
		zone->view = world_view(&world, zone->name, &set);
		start(&transfer, "example. AXFR tcp", false);
		while (next(&transfer)) continue;
		check_same(&set);
		end(&transfer);
	}
}

/* ---- random zones ---- */

enum { POOL_NAMES = 40, ZONE_LINES = 900 };

static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)random_state * n >> 32);
}

static char pool_apex[64];
static char pool_names[POOL_NAMES][300];
static char pool_lines[ZONE_LINES][1100];
static unsigned pool_line_count;

static void swap_case(char *text)
{
	for (; *text; text++)
		if (random_below(3) == 0 && strchr("abcdefghijklmnopqrstuvwxyz", *text | 32))
			*text ^= 32;
}

/* A label that no other name of the pool has, now and then a very long one, below some name. */
static void pool_name(unsigned i, bool mixes)
{
	char label[64];
	int len = snprintf(label, sizeof label, "%c%u", "aXyzW"[random_below(5)], i);
	const char *parent = pool_apex;

	if (random_below(6) == 0)
		for (; len < 63 && random_below(40); len++) label[len] = 'q';
	label[len] = 0;
	if (i > 0 && random_below(3)) parent = pool_names[random_below(i)];
	if (random_below(8) == 0) parent = "Else.Where.";
	if (strlen(parent) > 150) parent = pool_apex;
	snprintf(pool_names[i], sizeof pool_names[i], "%s.%.200s", label,
		 strcmp(parent, ".") ? parent : "");
	if (mixes && random_below(8) == 0) swap_case(pool_names[i]);
}

/* Equal records have the same letters. */
static const char *target(unsigned owner, unsigned salt)
{
	static char text[2][300];
	static unsigned turn;
	char *to = text[turn++ % 2];
	uint32_t state = random_state;
	unsigned i = random_below(POOL_NAMES + 2);

	random_state = owner * 7919 + i * 31 + salt;
	snprintf(to, sizeof text[0], "%s",
		 i < POOL_NAMES    ? pool_names[i]
		 : i == POOL_NAMES ? "."
				   : pool_apex);
	if (random_below(8) == 0) swap_case(to);
	random_state = state * 22695477 + 1;
	return to;
}

static void pool_line(unsigned owner)
{
	static const char *const types[] = {"A",   "NS",    "MX",       "TXT", "CNAME",
					    "PTR", "MINFO", "TYPE9999", "SRV"};
	unsigned type = random_below(ARRAY_COUNT(types));
	char *line = pool_lines[pool_line_count++];
	size_t cap = sizeof pool_lines[0];
	int len = snprintf(line, cap, "%s %u %s ", pool_names[owner], owner % 3 * 1000 + type,
			   types[type]);

	line += len;
	cap -= (size_t)len;
	switch (type) {
	case 0: snprintf(line, cap, "192.0.2.%u\n", random_below(256)); break;
	case 2: snprintf(line, cap, "%u %s\n", random_below(3), target(owner, 2)); break;
	case 3: snprintf(line, cap, "%u\n", random_below(10000)); break;
	case 6: snprintf(line, cap, "%s %s\n", target(owner, 6), target(owner, 7)); break;
	case 7: snprintf(line, cap, "\\# 3 %06x\n", random_below(1 << 24)); break;
	case 8: snprintf(line, cap, "0 0 %u %s\n", random_below(3), target(owner, 8)); break;
	default: snprintf(line, cap, "%s\n", target(owner, type)); break;
	}
}

/* With `mixes`, the same labels stand in owners in several ways. */
static void pool_make(bool mixes)
{
	static const char *const apexes[] = {"example.", ".", "a.b.C.Example.", "x.",
					     "Label-Of-Sixteen.test."};

	snprintf(pool_apex, sizeof pool_apex, "%s", apexes[random_below(ARRAY_COUNT(apexes))]);
	pool_line_count = 0;
	for (unsigned i = 0; i < POOL_NAMES; i++) pool_name(i, mixes);
	for (unsigned count = 1 + random_below(ZONE_LINES - 1); count > 0; count--)
		pool_line(random_below(POOL_NAMES));
}

/* Some of the lines that lie in the zone. */
static void pool_set(unsigned serial, struct records *set)
{
	struct name apex = world_name(&world, pool_apex);
	int len = snprintf(zone_text, sizeof zone_text,
			   "%s 5 SOA n.Other. %s %u 1 1 1 60\n%s 5 NS n.other.\n", pool_apex,
			   pool_names[1], serial, pool_apex);

	for (unsigned i = 0; i < pool_line_count; i++) {
		char owner[300];
		snprintf(owner, sizeof owner, "%.*s", (int)strcspn(pool_lines[i], " "),
			 pool_lines[i]);
		if (!name_is_below(world_name(&world, owner), apex) || random_below(4) == 0)
			continue;
		len += snprintf(zone_text + len, sizeof zone_text - (size_t)len, "%s",
				pool_lines[i]);
	}
	world_records(&world, apex, zone_text, set);
}

/* The next version of the zone, as a layer. */
static void publish_layer(struct publication *zone, const struct records *before,
			  const struct records *after)
{
	struct span layers[VIEW_LAYERS_MAX];
	struct image_facts facts = {.record_count = after->count};
	struct touches touches;
	struct change change;
	struct merge merge;
	struct error err;

	CHECK(zone_digest_of(after, world.crypto, &facts.digest));
	if (change_between(before, after, world.arena, &change, &err)) fail_msg("%s", err.text);
	facts.serial = change.to_serial;
	change.digest_after = facts.digest;
	if (touches_find(&zone->view, &change, world.arena, &touches, &err) ||
	    merge_begin(&merge, &zone->view, 0, &touches, &err) ||
	    merge_write(&merge, &facts, world.arena, &layers[0], &err))
		fail_msg("%s", err.text);
	unsigned count = zone->view.layer_count;
	for (unsigned i = 0; i < count; i++) layers[1 + i] = zone->view.layers[i].bytes;
	if (view_open(layers, 1 + count, &zone->view, &err)) fail_msg("%s", err.text);
}

/* Decision 0001. */
TEST(all_zones_arrive_in_the_letters_they_were_written_in)
{
	for (unsigned round = 0; round < 120; round++) {
		struct transfer_out transfer;
		struct records sets[VIEW_LAYERS_MAX];
		unsigned last = round % VIEW_LAYERS_MAX;
		char question[400];

		random_state = round * UINT32_C(2654435761);
		world_close(&world);
		setup(NULL);
		pool_make(last == 0);
		pool_set(1, &sets[0]);
		struct publication *zone =
			world_publish(&world, pool_apex, "@ SOA n a 1 1 1 1 1\n");
		zone->view = world_view(&world, zone->name, &sets[0]);
		for (unsigned i = 1; i <= last; i++) {
			pool_set(1 + i, &sets[i]);
			publish_layer(zone, &sets[i - 1], &sets[i]);
		}
		if (random_below(2)) swap_case(pool_apex);
		snprintf(question, sizeof question, "%s AXFR tcp%s", pool_apex,
			 random_below(2) ? " do" : "");
		start(&transfer, question, random_below(2));
		while (next(&transfer)) continue;
		check_same(&sets[last]);
		end(&transfer);
	}
}

/* ---- damage ---- */

/* What is sent before the damage is found is well-formed too, and lies in the zone. */
static void check_framing(struct span wire, struct name apex)
{
	struct message message;
	struct message_record raw;

	CHECK(message_parse(wire, &message));
	struct message_cursor cursor = message_cursor_of(&message);
	while (message_next_record(&cursor, &raw)) CHECK(name_is_below(name_of(&raw.owner), apex));
	CHECK(message_cursor_is_done(&cursor));
}

/* Names that share data, with all kinds of names in it. */
static struct publication *publish_shared(void)
{
	struct records set;

	random_state = 4711;
	pool_make(true);
	pool_line_count = 0;
	while (pool_line_count < 300) pool_line(random_below(POOL_NAMES));
	pool_set(1, &set);
	struct publication *zone = world_publish(&world, pool_apex, "@ SOA n a 1 1 1 1 1\n");
	zone->view = world_view(&world, zone->name, &set);
	return zone;
}

/* Whatever stands in the image: the client never gets two SOA around less than a zone. */
static unsigned damage(struct publication *zone, unsigned rounds)
{
	struct view view = zone->view;
	struct image image = view.layers[0];
	unsigned broken = 0;

	random_state = 3;
	for (unsigned round = 0; round < rounds; round++) {
		uint8_t *copy = malloc(image.bytes.len);
		struct writer out = writer_of(world.response, sizeof world.response);
		struct transfer_out transfer;
		struct answer result = {.zone = zone};
		size_t head = (size_t)image.nodes_at * 4;
		memcpy(copy, image.bytes.ptr, image.bytes.len);
		for (unsigned flips = 1 + random_below(3); flips > 0; flips--)
			copy[head + random_below((uint32_t)(image.bytes.len - head))] ^=
				(uint8_t)(1 << random_below(8));
		zone->view.layers[0].bytes.ptr = copy;
		result.query.message.question.name = (struct name_buffer){.len = 1};
		enum code code = transfer_out_begin(&transfer, &world.server, &result, NULL);
		for (unsigned i = 0; code == OK && i < 100; i++) {
			code = transfer_out_next(&transfer, WORLD_NOW_UNIX_S, &out, NULL);
			if (code || out.len == 0) break;
			check_framing(writer_span(&out), zone->name);
		}
		CHECK(code != OK || transfer.record_count == image_record_count(&image) + 1);
		broken += code != OK;
		if (atomic_load(&zone->pins)) transfer_out_end(&transfer);
		zone->view = view;
		free(copy);
	}
	return broken;
}

TEST(a_damaged_image_never_looks_like_a_whole_zone)
{
	CHECK(damage(publish_large(200), 1500) > 0);
	CHECK(damage(publish_shared(), 1500) > 0);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		EACH(rfc5936_2_2_a_zone_arrives_as_it_is),
		EACH(rfc8945_5_3_1_every_message_of_a_signed_transfer_is_signed),
		EACH(rfc5936_2_2_5_opt_comes_in_the_first_message),
		EACH(messages_are_near_16_kib),
		EACH(a_transfer_keeps_the_version_it_began_with),
		EACH(a_record_that_fills_a_message_goes_out_alone),
		EACH(a_record_that_fits_into_no_message_ends_the_transfer),
		EACH(names_take_two_octets_once_they_stand),
		EACH(nothing_points_behind_what_a_pointer_can_say),
		EACH(all_zones_arrive_in_the_letters_they_were_written_in),
		EACH(a_damaged_image_never_looks_like_a_whole_zone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
