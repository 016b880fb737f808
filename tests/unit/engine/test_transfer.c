/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 5936: a zone goes out whole, in order, in as many messages as it takes. */
#include "answer_fixture.h"

#include "engine/front/transfer.h"

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
	struct message_cursor cursor = message_cursor_of(&message);
	while (message_next_record(&cursor, &raw))
		if (raw.type != RRTYPE_OPT && raw.type != RRTYPE_TSIG) take_record(&message, &raw);
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

/* Whatever stands in the image: the client never gets two SOA around less than a zone. */
TEST(a_damaged_image_never_looks_like_a_whole_zone)
{
	struct publication *zone = publish_large(200);
	struct view view = zone->view;
	struct image image = view.layers[0];
	uint32_t seed = 3;
	unsigned broken = 0;

	for (unsigned round = 0; round < 2000; round++) {
		uint8_t *copy = malloc(image.bytes.len);
		struct writer out = writer_of(world.response, sizeof world.response);
		struct transfer_out transfer;
		struct answer result = {.zone = zone};
		memcpy(copy, image.bytes.ptr, image.bytes.len);
		seed = seed * 1664525 + 1013904223;
		copy[128 + (seed >> 8) % (image.bytes.len - 128)] ^= (uint8_t)(1 << round % 8);
		zone->view.layers[0].bytes.ptr = copy;
		result.query.message.question.name = (struct name_buffer){.len = 1};
		enum code code = transfer_out_begin(&transfer, &world.server, &result, NULL);
		for (unsigned i = 0; code == OK && i < 100; i++) {
			code = transfer_out_next(&transfer, WORLD_NOW_UNIX_S, &out, NULL);
			if (out.len == 0) break;
		}
		CHECK(code != OK || transfer.record_count == image_record_count(&image) + 1);
		broken += code != OK;
		if (atomic_load(&zone->pins)) transfer_out_end(&transfer);
		zone->view = view;
		free(copy);
	}
	CHECK(broken > 0);
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
		EACH(a_damaged_image_never_looks_like_a_whole_zone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
