/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h - one TCP connection (RFC 7766): octets in any pieces in, whole messages out.
 *
 * The machine frames (two octets of length before each message, RFC 1035 4.2.2),
 * bounds what lies between us and the client, and says when to stop reading and when
 * to give up. Whoever runs it reads, writes and closes the socket:
 *
 *	stream_room -> read -> stream_received -> stream_next until it gives no message
 *	for each message: stream_reply_begin, write the reply, stream_reply_end
 *	stream_unsent -> write -> stream_sent
 *
 * Replies may go out in any order (RFC 7766 6.2.1.1). Buffers are lent: an idle
 * connection needs none, most need a small one to read and none to write.
 */
#ifndef ENGINE_STREAM_STREAM_H
#define ENGINE_STREAM_STREAM_H

#include "base/attributes.h"
#include "base/instant.h"
#include "base/writer.h"
#include "engine/limits.h"

enum {
	STREAM_LENGTH_OCTETS = 2,
	STREAM_MESSAGE_MIN = 12, /* a header; whoever announces less does not speak DNS */
	STREAM_MESSAGE_MAX = 65535,
	STREAM_IN_OCTETS_MIN = 512, /* a buffer to begin reading with */
	STREAM_IN_OCTETS_MAX = STREAM_LENGTH_OCTETS + STREAM_MESSAGE_MAX,
	STREAM_OUT_OCTETS = STREAM_UNSENT_MAX + STREAM_LENGTH_OCTETS + STREAM_MESSAGE_MAX,
};

#define STREAM_PACE_NS (STREAM_PACE_S * NS_PER_S)

/* Octets [at, at + len) wait. `ptr` is borrowed; NULL: none is lent. */
struct stream_buffer {
	uint8_t *ptr;
	size_t cap;
	size_t at;
	size_t len;
};

struct stream {
	struct stream_buffer in;
	struct stream_buffer out;
	duration_ns idle_ns;
	instant_ns idle_from;   /* the last message or the last reply's end */
	instant_ns pace_from;   /* while something is unsent */
	size_t pace_octets;     /* taken by the client since then */
	uint32_t pending_count; /* messages handed out whose last reply has not ended */
	bool ended;             /* the client will send nothing more */
	bool broken;            /* the framing is lost */
};

enum stream_result {
	STREAM_MESSAGE, /* `message` is one: answer it and call again */
	STREAM_READ,    /* no whole message is there: read */
	STREAM_GROW,    /* the next message needs a larger buffer: stream_in_needed, stream_lend */
	STREAM_WAIT,    /* do not read before something was sent or answered */
	STREAM_CLOSE,   /* nothing more will come or go */
};

/* `idle_ns` is how long a connection may stay without a whole message. */
void stream_init(struct stream *stream, duration_ns idle_ns, instant_ns now);

/*
 * Lends memory to a buffer; what waits there moves along, so `cap` is at least that.
 * Returns the memory lent before, to be freed, or NULL.
 */
uint8_t *stream_lend(struct stream_buffer *buffer, uint8_t *memory, size_t cap);

/* Takes the memory back when nothing waits in it; NULL otherwise. */
uint8_t *stream_take_back(struct stream_buffer *buffer);

/* Where to read to, and how much; empty when reading is not wanted now. */
struct writer stream_room(struct stream *stream);
void stream_received(struct stream *stream, size_t len);

/* The client has closed its side; what came before it is still answered. */
void stream_end(struct stream *stream);

/*
 * Whole messages that wait, at most `count_max`, without taking them: stream_next gives
 * them in this order. They borrow from the input buffer until stream_room or stream_lend.
 */
size_t stream_peek(const struct stream *stream, struct span *messages, size_t count_max);

/* `message` borrows from the input buffer until stream_room or stream_lend. */
enum stream_result stream_next(struct stream *stream, instant_ns now, struct span *message);

/* Octets that the input buffer must have after STREAM_GROW. */
size_t stream_in_needed(const struct stream *stream);

/*
 * A writer for one reply. False when too much is unsent, or when fewer than
 * STREAM_OUT_OCTETS are lent to the output buffer; then try again after stream_sent.
 */
bool stream_reply_begin(struct stream *stream, struct writer *reply) must_use;

/* The reply has `len` octets, 0: there is none. `last`: the message is answered with it. */
void stream_reply_end(struct stream *stream, size_t len, bool last, instant_ns now);

/* What is to be written, and how much of it was. */
struct span stream_unsent(const struct stream *stream);
void stream_sent(struct stream *stream, size_t len, instant_ns now);

/* From this instant on the connection is to be closed; INSTANT_NEVER: we owe the client. */
instant_ns stream_deadline(const struct stream *stream);

#endif
