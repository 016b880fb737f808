/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we can read we can write, and reading that again gives the same. What a server
 * answers to anything is a message with the request's id, and its question if it had one.
 */
#include "fuzz.h"

#include "dns/message_query.h"

#include <assert.h>

enum { RECORD_COUNT_MAX = 4096, DATA_OCTETS_MAX = 1 << 22 };

/* All records of a message, expanded. */
struct listing {
	size_t count;
	struct record records[RECORD_COUNT_MAX];
	enum section sections[RECORD_COUNT_MAX];
	struct name_buffer owners[RECORD_COUNT_MAX];
	struct writer data;
	uint8_t octets[DATA_OCTETS_MAX];
};

static bool listing_read(struct span wire, struct message *message, struct listing *out)
{
	struct message_record raw;

	out->count = 0;
	out->data = writer_of(out->octets, sizeof out->octets);
	if (!message_parse(wire, message) || message->header.count[SECTION_QUESTION] > 1)
		return false;
	struct message_cursor cursor = message_cursor_of(message);
	while (message_next_record(&cursor, &raw)) {
		struct record *record = &out->records[out->count];

		if (out->count == RECORD_COUNT_MAX) return false;
		if (message_expand_record(message, &raw, &out->data, record, NULL)) return false;
		out->owners[out->count] = raw.owner;
		record->owner = name_of(&out->owners[out->count]);
		out->sections[out->count++] = raw.section;
	}
	return message_cursor_is_done(&cursor);
}

static bool octets_equal(struct name a, struct name b)
{
	return span_equal(span_of(a.wire, a.len), span_of(b.wire, b.len));
}

static void listings_compare(const struct listing *a, const struct listing *b)
{
	assert(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct record *x = &a->records[i], *y = &b->records[i];

		assert(a->sections[i] == b->sections[i]);
		assert(octets_equal(x->owner, y->owner));
		assert(x->type == y->type && x->class == y->class && x->ttl == y->ttl);
		assert(span_equal(x->rdata, y->rdata));
	}
}

/* False when it does not fit, which only a message better compressed than ours does. */
static bool listing_write(const struct message *message, const struct listing *listing,
			  struct message_writer *mw)
{
	static uint8_t room[MESSAGE_OCTETS_MAX];

	message_begin(mw, room, sizeof room);
	if (message->has_question && !message_add_question(mw, &message->question)) return false;
	for (size_t i = 0; i < listing->count; i++)
		if (!message_add_record(mw, listing->sections[i], &listing->records[i]))
			return false;
	return true;
}

static void write_and_read_again(struct span wire)
{
	static struct listing first, again;
	static struct message_writer mw;
	struct message message, copy;

	if (!listing_read(wire, &message, &first)) return;
	if (!listing_write(&message, &first, &mw)) return;
	bool read = listing_read(message_finish(&mw, &message.header), &copy, &again);
	assert(read);
	listings_compare(&first, &again);
	/* All of the header but the bit Z. */
	assert(memcmp(wire.ptr, copy.wire.ptr, 3) == 0);
	assert((wire.ptr[3] & ~0x40) == copy.wire.ptr[3]);
	assert(memcmp(wire.ptr + 4, copy.wire.ptr + 4, 8) == 0);
	assert(message.has_question == copy.has_question);
	assert(!copy.has_question ||
	       octets_equal(name_of(&message.question.name), name_of(&copy.question.name)));
}

/* The whole response to QUERY_BAD, with OPT if the request had a sound one. */
static struct span query_write_error(const struct query *query, struct message_writer *mw,
				     void *octets, size_t cap, uint16_t udp_size)
{
	struct header header = query_response_header(query);

	query_begin_response(query, mw, octets, cap);
	if (query->edns.present) {
		bool fits = edns_begin(mw, udp_size, query->edns.dnssec_ok);
		if (!fits) return (struct span){0};
	}
	return message_finish(mw, &header);
}

static void answer_as_a_server(struct span wire)
{
	static uint8_t room[UDP_OCTETS_MIN];
	static struct message_writer mw;
	struct query query;
	struct message answer;
	struct edns edns;
	struct tsig tsig;
	enum query_verdict verdict = query_parse(wire, &query);

	if (verdict == QUERY_IGNORE) return;
	assert((verdict == QUERY_OK) ==
	       (query.rcode == RCODE_NOERROR && query.message.has_question));
	bool read = message_parse(query_write_error(&query, &mw, room, sizeof room, 1232), &answer);
	assert(read && answer.header.qr && answer.header.id == query.message.header.id);
	assert(answer.has_question == query.message.has_question);
	enum rcode rcode = message_read_meta(&answer, &edns, &tsig);
	assert(rcode == RCODE_NOERROR && edns.present == query.edns.present);
	assert(edns_rcode(&answer.header, &edns) == query.rcode);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > MESSAGE_OCTETS_MAX) return 0;
	write_and_read_again(span_of(data, size));
	answer_as_a_server(span_of(data, size));
	return 0;
}
