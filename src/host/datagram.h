/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datagram.h - UDP messages by the batch.
 *
 * One system call for up to DATAGRAMS_MAX messages each way. A reply goes to where its
 * message came from, and leaves from the address that was asked, also when the socket
 * is bound to a wildcard. Addresses stay as the kernel wrote them until somebody asks.
 */
#ifndef HOST_DATAGRAM_H
#define HOST_DATAGRAM_H

#include "base/address.h"
#include "base/error.h"

enum { DATAGRAMS_MAX = 64 };

/* Where the messages go: DATAGRAMS_MAX times `cap` octets, each `stride` behind the former. */
struct datagram_room {
	uint8_t *octets;
	size_t cap, stride;
};

struct datagram {
	const uint8_t *ptr;
	size_t len;
	bool was_cut; /* it was longer than there was room */
};

/* Scratch for the kernel's structures; one a socket, one thread at a time. */
struct datagrams;

/*
 * For a bound socket, which is borrowed as is the room; sockets may share a room, as long
 * as the messages of one are answered before those of another are received. E_NOMEM, or
 * E_IO when the socket has no local address.
 */
must_use enum code datagrams_new(int fd, const struct datagram_room *room,
				 struct datagrams **datagrams, struct error *err);
void datagrams_free(struct datagrams *datagrams);

/* Receives messages and returns how many; 0 when none waits. Those before are forgotten. */
size_t datagrams_receive(struct datagrams *datagrams, const struct datagram **list);

/* Of message `i` of those received last: who sent it, and to which address. */
struct endpoint datagrams_peer(const struct datagrams *datagrams, size_t i);
struct endpoint datagrams_local(const struct datagrams *datagrams, size_t i);

/* Adds to what is sent next the reply to message `i`, one for each; borrows its octets. */
void datagrams_reply(struct datagrams *datagrams, size_t i, const uint8_t *octets, size_t len);

/*
 * Sends the replies and returns how many the kernel did not take. Those it refuses one
 * by one (no route, filtered) are skipped; when its buffer is full the rest is dropped,
 * as UDP may.
 */
size_t datagrams_send(struct datagrams *datagrams);

#endif
