/* SPDX-License-Identifier: Apache-2.0 */
/*
 * datagram.h - UDP messages by the batch.
 *
 * One system call for up to DATAGRAMS_MAX messages each way. An answer leaves from
 * the address that was asked, also when the socket is bound to a wildcard: hand
 * `local`, `peer` and `scope` back as they came.
 */
#ifndef HOST_DATAGRAM_H
#define HOST_DATAGRAM_H

#include "base/address.h"
#include "base/error.h"

enum { DATAGRAMS_MAX = 64 };

struct datagram {
	struct endpoint peer;
	struct endpoint local;
	uint32_t scope; /* the interface of a link-local peer, else 0 */
	bool was_cut;   /* received: was longer than `cap` */
	uint8_t *ptr;   /* the caller's octets */
	size_t cap;     /* room at `ptr`, for receiving */
	size_t len;
};

/* Scratch for the kernel's structures; one a socket, one thread at a time. */
struct datagrams;

/*
 * For a bound socket, which is borrowed. E_NOMEM, or E_IO when the socket has no
 * local address.
 */
must_use enum code datagrams_new(int fd, struct datagrams **datagrams, struct error *err);
void datagrams_free(struct datagrams *datagrams);

/*
 * Receives up to `count` messages (at most DATAGRAMS_MAX are looked at) into
 * list[i].ptr/cap and returns how many; 0 when none waits. Fills everything else.
 */
size_t datagrams_receive(struct datagrams *datagrams, struct datagram *list, size_t count);

/*
 * Sends `count` messages, at most DATAGRAMS_MAX, and returns how many the kernel
 * took. Those it refuses one by one (no route, filtered) are skipped; when its
 * buffer is full the rest is dropped, as UDP may.
 */
size_t datagrams_send(struct datagrams *datagrams, const struct datagram *list, size_t count);

#endif
