/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.h - messages between two of our processes.
 *
 * A SOCK_SEQPACKET pair: whole messages, in order, never mixed. Nothing here
 * blocks: what the kernel does not take at once waits in a queue with a cap.
 *
 * What arrives is checked against a table (messages.def): known kind, length
 * within its bounds, descriptor if and only if the kind has one, sender and
 * receiver are roles that may. The first violation ends the channel.
 */
#ifndef SERVER_CHANNEL_H
#define SERVER_CHANNEL_H

#include "base/error.h"
#include "base/span.h"
#include "host/loop.h"
#include "server/messages.h"

enum {
	MESSAGE_LEN_MAX = 72 * 1024, /* a whole DNS message and what is said about it */
	CHANNEL_QUEUE_MAX = 4 << 20, /* octets that wait for a slow peer */
};

/* One that arrived; borrowed for the callback. */
struct channel_message {
	uint32_t kind;
	const void *body; /* the kind's struct, aligned */
	struct span tail; /* what follows it */
	int fd; /* -1: none. Set it to -1 to keep it, else it is closed after the callback. */
};

struct channel_events {
	void (*received)(void *context, struct channel_message *message);
	/*
	 * It is over, and no other callback follows; the channel still is to be freed.
	 * E_IO: the peer's end is closed. E_DAMAGED: the peer broke the rules.
	 */
	void (*closed)(void *context, enum code code, const char *why);
	/* There is room again after an E_LIMIT; may be NULL. */
	void (*has_room)(void *context);
	void *context;
};

struct channel;

/* Both ends of a new pair, close-on-exec, with wide kernel buffers. */
must_use enum code channel_pair(int ends[2], struct error *err);

/*
 * Takes over `fd` (closed by channel_free, or here on failure). `own` and `peer`
 * are the roles at either end. The table must outlive the channel.
 */
must_use enum code channel_open(struct loop *loop, int fd, enum process_role own,
				enum process_role peer, const struct message_table *table,
				const struct channel_events *events, struct channel **channel,
				struct error *err);

/* Closes it and forgets what was queued. Fine within its own callbacks, and for NULL. */
void channel_free(struct channel *channel);

/*
 * Sends the kind's struct `message`, whose head is filled in here, and its tail. `fd`
 * (-1: none) is duplicated or sent before this returns: the caller keeps his. Asserts
 * that the table admits the message: what we send wrongly is our own mistake.
 *
 * E_LIMIT  the queue is full: nothing was sent; has_room() will tell when to try
 *          again. E_IO the peer is gone; closed() tells, or told.
 */
must_use enum code channel_send(struct channel *channel, uint32_t kind, const void *message,
				struct span tail, int fd);

/* Octets that wait in the queue. While some do, has_room() can be asked for, as after E_LIMIT. */
size_t channel_queued(const struct channel *channel);
void channel_want_room(struct channel *channel);

#endif
