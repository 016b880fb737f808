/* SPDX-License-Identifier: Apache-2.0 */
/*
 * However a client cuts its octets and takes ours: the messages come out as they went
 * in, the replies go out as they were written, and both buffers keep their bounds.
 *
 * The input begins with a script: one octet its length, then a step each: kind in the
 * low two bits, size in the others. What follows is what the client sends.
 */
#include "fuzz.h"

#include "engine/stream/stream.h"

#include <assert.h>

enum { REPLIES_OCTETS_MAX = 1 << 22, STEPS_MAX = 1 << 16 };

static uint8_t in_memory[2][STREAM_IN_OCTETS_MAX], out_memory[STREAM_OUT_OCTETS];
static uint8_t replies[REPLIES_OCTETS_MAX];

struct run {
	struct stream stream;
	struct span input;  /* what the client will send */
	size_t fed_len;     /* so much of it was */
	size_t message_at;  /* where the next message begins in it */
	size_t written_len; /* of replies, framed */
	size_t sent_len;
	bool closed;
	instant_ns now;
};

/* What is read from the socket is what there is room for. */
static void feed(struct run *run, size_t len)
{
	struct writer room = stream_room(&run->stream);

	if (len > run->input.len - run->fed_len) len = run->input.len - run->fed_len;
	if (len > room.cap) len = room.cap;
	if (len == 0) return;
	memcpy(room.ptr, run->input.ptr + run->fed_len, len);
	run->fed_len += len;
	stream_received(&run->stream, len);
}

/* The message is the next one of the input, octet for octet. */
static void check_message(struct run *run, struct span message)
{
	const uint8_t *p = run->input.ptr + run->message_at;

	assert(run->message_at + 2 + message.len <= run->fed_len);
	assert(message.len >= STREAM_MESSAGE_MIN && (size_t)(p[0] << 8 | p[1]) == message.len);
	assert(memcmp(p + 2, message.ptr, message.len) == 0);
	run->message_at += 2 + message.len;
}

static void reply(struct run *run, size_t len, bool last)
{
	struct writer w;

	if (run->written_len + len + 2 > sizeof replies || !stream_reply_begin(&run->stream, &w))
		len = 0;
	assert(len <= STREAM_MESSAGE_MAX);
	if (len > 0) {
		assert(w.cap >= len);
		memset(w.ptr, (int)(run->written_len & 0xff), len);
		put_u16(replies + run->written_len, (uint16_t)len);
		memset(replies + run->written_len + 2, (int)(run->written_len & 0xff), len);
		run->written_len += 2 + len;
	}
	stream_reply_end(&run->stream, len, last, run->now);
}

static void take(struct run *run, size_t reply_len)
{
	struct span message;

	switch (stream_next(&run->stream, run->now, &message)) {
	case STREAM_MESSAGE:
		check_message(run, message);
		if (reply_len % 5 == 0) reply(run, reply_len, false);
		reply(run, reply_len, true);
		return;
	case STREAM_GROW: {
		uint8_t *other = in_memory[run->stream.in.ptr == in_memory[0]];
		size_t needed = stream_in_needed(&run->stream);
		assert(needed > run->stream.in.cap && needed <= STREAM_IN_OCTETS_MAX);
		stream_lend(&run->stream.in, other, needed);
		return;
	}
	case STREAM_CLOSE:
		assert(run->stream.broken || run->stream.ended);
		if (run->stream.broken)
			assert(run->input.ptr[run->message_at] == 0 &&
			       run->input.ptr[run->message_at + 1] < STREAM_MESSAGE_MIN);
		run->closed = true;
		return;
	case STREAM_READ: assert(stream_room(&run->stream).cap > 0); return;
	case STREAM_WAIT: assert(stream_room(&run->stream).cap == 0); return;
	}
}

static void send(struct run *run, size_t len)
{
	struct span unsent = stream_unsent(&run->stream);

	assert(unsent.len < STREAM_UNSENT_MAX + 2 + STREAM_MESSAGE_MAX);
	assert(unsent.len == run->written_len - run->sent_len);
	assert(unsent.len == 0 || memcmp(unsent.ptr, replies + run->sent_len, unsent.len) == 0);
	if (len > unsent.len) len = unsent.len;
	stream_sent(&run->stream, len, run->now);
	run->sent_len += len;
}

static void step(struct run *run, uint8_t what)
{
	size_t size = what >> 2;

	switch (what & 3) {
	case 0: feed(run, size * size); break;
	case 1: take(run, size * size * 16); break;
	case 2: send(run, size * size * 32); break;
	default: run->now += (instant_ns)size * NS_PER_S; break;
	}
	assert(run->stream.pending_count == 0);
	instant_ns deadline = stream_deadline(&run->stream);
	assert(deadline != INSTANT_NEVER && deadline <= run->now + 30 * NS_PER_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.closed = false};

	if (size == 0 || size < 1 + (size_t)data[0]) return 0;
	run.input = span_of(data + 1 + data[0], size - 1 - data[0]);
	stream_init(&run.stream, 30 * NS_PER_S, 0);
	stream_lend(&run.stream.out, out_memory, sizeof out_memory);
	for (size_t i = 0; i < data[0] && !run.closed; i++) step(&run, data[1 + i]);
	/* The rest in large pieces, to its end. */
	for (size_t i = 0; i < STEPS_MAX && !run.closed; i++) {
		if (run.fed_len == run.input.len) stream_end(&run.stream);
		feed(&run, 4096);
		send(&run, 8192);
		take(&run, 20);
	}
	assert(run.closed);
	return 0;
}
