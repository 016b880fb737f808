/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/attributes.h"
#include "engine/stream/stream.h"

enum { IDLE_S = 30, WIRE_MAX = 1 << 18 };

static uint8_t in_memory[STREAM_IN_OCTETS_MAX], out_memory[STREAM_OUT_OCTETS];
static uint8_t grown_memory[STREAM_IN_OCTETS_MAX];

static uint32_t random_next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static struct stream open_stream(size_t in_cap)
{
	struct stream s;

	stream_init(&s, IDLE_S * NS_PER_S, 0);
	CHECK(stream_lend(&s.in, in_memory, in_cap) == NULL);
	CHECK(stream_lend(&s.out, out_memory, sizeof out_memory) == NULL);
	return s;
}

/* Hands octets over as a socket would: as many as there is room for. */
static size_t feed(struct stream *s, const uint8_t *octets, size_t len)
{
	struct writer room = stream_room(s);

	if (len > room.cap) len = room.cap;
	if (len > 0) memcpy(room.ptr, octets, len);
	stream_received(s, len);
	return len;
}

/* A message of `len` octets that all say `mark`, with its length before it. */
static void add_framed(struct writer *w, uint16_t len, uint8_t mark)
{
	write_u16(w, len);
	memset(writer_take(w, len), mark, len);
}

static void reply(struct stream *s, size_t len, instant_ns now)
{
	struct writer w;

	CHECK(stream_reply_begin(s, &w));
	CHECK(w.cap >= STREAM_MESSAGE_MAX);
	memset(w.ptr, 'r', len);
	stream_reply_end(s, len, true, now);
}

/* RFC 7766 8: a message may come in any pieces, and several in one. */
TEST(rfc7766_8_messages_come_out_whole_however_they_are_split)
{
	static uint8_t wire[WIRE_MAX];
	static const uint16_t lens[] = {12, 13, 500, 510, 511, 512, 40, 65535, 12, 2000, 17};

	for (uint32_t seed = 1; seed <= 200; seed++) {
		uint32_t random = seed;
		struct writer w = writer_of(wire, sizeof wire);
		struct stream s = open_stream(STREAM_IN_OCTETS_MIN);
		size_t at = 0, count = 0;
		struct span message;
		for (size_t i = 0; i < ARRAY_COUNT(lens); i++) add_framed(&w, lens[i], (uint8_t)i);
		while (count < ARRAY_COUNT(lens)) {
			size_t piece = 1 + random_next(&random) % (seed % 2 ? 40 : 20000);
			if (piece > w.len - at) piece = w.len - at;
			at += feed(&s, wire + at, piece);
			enum stream_result result;
			while ((result = stream_next(&s, 0, &message)) == STREAM_MESSAGE) {
				CHECK(message.len == lens[count]);
				for (size_t i = 0; i < message.len; i++)
					CHECK(message.ptr[i] == count);
				stream_reply_end(&s, 0, true, 0);
				count++;
			}
			if (result == STREAM_GROW) {
				bool grown = s.in.ptr == grown_memory;
				stream_lend(&s.in, grown ? in_memory : grown_memory,
					    stream_in_needed(&s));
			} else {
				CHECK(result == STREAM_READ);
			}
		}
		CHECK(at == w.len && stream_take_back(&s.in) != NULL);
	}
}

/* RFC 1035 4.2.2: what announces less than a header is no DNS. */
TEST(what_waits_can_be_looked_at_before_it_is_taken)
{
	static uint8_t wire[1024];
	struct writer w = writer_of(wire, sizeof wire);
	struct stream s = open_stream(STREAM_IN_OCTETS_MIN);
	struct span seen[8], message;

	CHECK(stream_peek(&s, seen, 8) == 0);
	for (uint8_t i = 0; i < 5; i++) add_framed(&w, (uint16_t)(20 + i), i);
	add_framed(&w, 300, 9);
	CHECK(feed(&s, wire, w.len - 1) == w.len - 1);
	CHECK(stream_peek(&s, seen, 3) == 3);
	CHECK(stream_peek(&s, seen, 8) == 5); /* the last one lacks an octet */
	for (size_t i = 0; i < 5; i++) {
		CHECK(stream_next(&s, 0, &message) == STREAM_MESSAGE);
		CHECK(message.ptr == seen[i].ptr && message.len == seen[i].len &&
		      message.len == 20 + i);
	}
	CHECK(stream_peek(&s, seen, 8) == 0 && stream_next(&s, 0, &message) == STREAM_READ);
	s = open_stream(STREAM_IN_OCTETS_MIN);
	w = writer_of(wire, sizeof wire);
	add_framed(&w, 12, 1);
	add_framed(&w, 11, 2);
	add_framed(&w, 12, 3);
	feed(&s, wire, w.len);
	CHECK(stream_peek(&s, seen, 8) == 1); /* nothing behind what breaks the framing */
}

TEST(a_length_below_a_header_closes)
{
	for (uint8_t len = 0; len <= 12; len++) {
		struct stream s = open_stream(STREAM_IN_OCTETS_MIN);
		struct span message;
		const uint8_t octets[] = {0, len, 1};
		feed(&s, octets, 2);
		CHECK(stream_next(&s, 0, &message) == (len < 12 ? STREAM_CLOSE : STREAM_READ));
		CHECK((stream_room(&s).cap == 0) == (len < 12));
	}
}

TEST(an_idle_connection_needs_no_memory)
{
	struct stream s;
	struct span message;

	stream_init(&s, NS_PER_S, 0);
	CHECK(stream_room(&s).cap == 0);
	CHECK(stream_next(&s, 0, &message) == STREAM_GROW);
	CHECK(stream_in_needed(&s) == STREAM_IN_OCTETS_MIN);
	stream_lend(&s.in, in_memory, STREAM_IN_OCTETS_MIN);
	feed(&s, (const uint8_t *)"\0", 1);
	CHECK(stream_take_back(&s.in) == NULL);
	CHECK(stream_take_back(&s.out) == NULL && stream_unsent(&s).len == 0);
	struct writer w;
	CHECK(!stream_reply_begin(&s, &w));
}

TEST(a_reply_is_framed_and_goes_out_in_any_pieces)
{
	struct stream s = open_stream(STREAM_IN_OCTETS_MIN);
	struct writer w;
	struct span message;
	uint8_t wire[64], got[64];
	struct writer client = writer_of(wire, sizeof wire), taken = writer_of(got, sizeof got);

	add_framed(&client, 12, 'q');
	add_framed(&client, 12, 'q');
	feed(&s, wire, client.len);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(stream_next(&s, 0, &message) == STREAM_MESSAGE);
		CHECK(stream_reply_begin(&s, &w));
		memset(w.ptr, 'a' + (int)i, 15);
		stream_reply_end(&s, 15, true, 0);
	}
	while (stream_unsent(&s).len > 0) {
		write_span(&taken, span_of(stream_unsent(&s).ptr, 1));
		stream_sent(&s, 1, 0);
	}
	CHECK(taken.len == 34 &&
	      memcmp(got, "\0\017aaaaaaaaaaaaaaa\0\017bbbbbbbbbbbbbbb", 34) == 0);
	CHECK(stream_take_back(&s.out) == out_memory);
}

/* CVE-2024-0760: who asks and asks and never reads is not read from either. */
TEST(reading_stops_while_64_kib_are_unsent)
{
	struct stream s = open_stream(STREAM_IN_OCTETS_MIN);
	struct span message;
	uint8_t wire[14];
	struct writer client = writer_of(wire, sizeof wire);
	size_t taken = 0;

	add_framed(&client, 12, 'q');
	for (;;) {
		feed(&s, wire, client.len);
		if (stream_next(&s, 0, &message) != STREAM_MESSAGE) break;
		reply(&s, 1000, 0);
		taken++;
	}
	CHECK(stream_next(&s, 0, &message) == STREAM_WAIT);
	CHECK(stream_room(&s).cap == 0);
	CHECK(stream_unsent(&s).len >= STREAM_UNSENT_MAX);
	CHECK(taken == (STREAM_UNSENT_MAX + 1001) / 1002);

	struct writer w;
	CHECK(!stream_reply_begin(&s, &w));
	stream_sent(&s, 1002, 0);
	CHECK(feed(&s, wire, client.len) == client.len);
	CHECK(stream_next(&s, 0, &message) == STREAM_MESSAGE);
	reply(&s, STREAM_MESSAGE_MAX, 0);
	CHECK(stream_next(&s, 0, &message) == STREAM_WAIT);
}

TEST(reading_stops_while_a_hundred_messages_wait_for_their_answer)
{
	static uint8_t wire[14 * (STREAM_PENDING_MAX + 1)];
	struct writer client = writer_of(wire, sizeof wire);
	struct stream s = open_stream(sizeof in_memory);
	struct span message;

	for (unsigned i = 0; i <= STREAM_PENDING_MAX; i++) add_framed(&client, 12, 'q');
	feed(&s, wire, client.len);
	for (unsigned i = 0; i < STREAM_PENDING_MAX; i++)
		CHECK(stream_next(&s, 0, &message) == STREAM_MESSAGE);
	CHECK(stream_next(&s, 0, &message) == STREAM_WAIT);
	stream_reply_end(&s, 0, true, 0);
	CHECK(stream_next(&s, 0, &message) == STREAM_MESSAGE);
}

/* RFC 7766 6.2.3, 6.2.4: what was asked before the client closed its side is answered. */
TEST(a_client_that_closed_its_side_gets_its_answers)
{
	struct stream s = open_stream(STREAM_IN_OCTETS_MIN);
	struct span message;
	uint8_t wire[29];
	struct writer client = writer_of(wire, sizeof wire);

	add_framed(&client, 12, 'q');
	add_framed(&client, 12, 'q');
	write_u8(&client, 0);
	feed(&s, wire, client.len);
	stream_end(&s);
	CHECK(stream_room(&s).cap == 0);
	CHECK(stream_next(&s, 0, &message) == STREAM_MESSAGE);
	reply(&s, 30, 0);
	CHECK(stream_next(&s, 0, &message) == STREAM_MESSAGE);
	CHECK(stream_next(&s, 0, &message) == STREAM_WAIT);
	reply(&s, 30, 0);
	CHECK(stream_next(&s, 0, &message) == STREAM_WAIT);
	stream_sent(&s, 64, 0);
	CHECK(stream_next(&s, 0, &message) == STREAM_CLOSE);
}

/* RFC 7766 6.2.3. */
TEST(a_connection_without_messages_ends_to_the_second)
{
	struct stream s = open_stream(STREAM_IN_OCTETS_MIN);
	struct span message;
	uint8_t wire[16];
	struct writer client = writer_of(wire, sizeof wire);

	CHECK(stream_deadline(&s) == IDLE_S * NS_PER_S);
	add_framed(&client, 12, 'q');
	feed(&s, wire, 13);
	CHECK(stream_next(&s, 20 * NS_PER_S, &message) == STREAM_READ);
	assert_int_equal(stream_deadline(&s), IDLE_S * NS_PER_S); /* pieces do not count */
	feed(&s, wire + 13, 1);
	CHECK(stream_next(&s, 25 * NS_PER_S, &message) == STREAM_MESSAGE);
	CHECK(stream_deadline(&s) == INSTANT_NEVER);
	reply(&s, 100, 60 * NS_PER_S);
	assert_int_equal(stream_deadline(&s), 70 * NS_PER_S);
	stream_sent(&s, 102, 61 * NS_PER_S);
	assert_int_equal(stream_deadline(&s), (61 + IDLE_S) * NS_PER_S);
}

TEST(a_client_must_keep_a_pace_while_something_is_unsent)
{
	struct stream s = open_stream(STREAM_IN_OCTETS_MIN);
	struct span message;
	uint8_t wire[14];
	struct writer client = writer_of(wire, sizeof wire);

	add_framed(&client, 12, 'q');
	feed(&s, wire, client.len);
	CHECK(stream_next(&s, 0, &message) == STREAM_MESSAGE);
	reply(&s, 60000, NS_PER_S);
	assert_int_equal(stream_deadline(&s), NS_PER_S + STREAM_PACE_NS);
	stream_sent(&s, STREAM_PACE_OCTETS - 1, 5 * NS_PER_S);
	assert_int_equal(stream_deadline(&s), NS_PER_S + STREAM_PACE_NS);
	stream_sent(&s, 1, 6 * NS_PER_S);
	assert_int_equal(stream_deadline(&s), 6 * NS_PER_S + STREAM_PACE_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc7766_8_messages_come_out_whole_however_they_are_split),
		cmocka_unit_test(what_waits_can_be_looked_at_before_it_is_taken),
		cmocka_unit_test(a_length_below_a_header_closes),
		cmocka_unit_test(an_idle_connection_needs_no_memory),
		cmocka_unit_test(a_reply_is_framed_and_goes_out_in_any_pieces),
		cmocka_unit_test(reading_stops_while_64_kib_are_unsent),
		cmocka_unit_test(reading_stops_while_a_hundred_messages_wait_for_their_answer),
		cmocka_unit_test(a_client_that_closed_its_side_gets_its_answers),
		cmocka_unit_test(a_connection_without_messages_ends_to_the_second),
		cmocka_unit_test(a_client_must_keep_a_pace_while_something_is_unsent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
