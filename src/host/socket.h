/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket.h - sockets that listen, connect and accept.
 *
 * Every descriptor made here is non-blocking, close-on-exec, and of one address
 * family (IPv6 sockets take no IPv4). Addresses are numeric.
 */
#ifndef HOST_SOCKET_H
#define HOST_SOCKET_H

#include "base/address.h"
#include "base/error.h"
#include "base/transport.h"

enum { SOCKET_GROUP_MAX = 256 };

/* "UDP" or "TCP" */
const char *transport_name(enum transport transport);

/*
 * Binds `count` UDP sockets to one address; the kernel spreads senders over them
 * (SO_REUSEPORT), so each worker has its own queue. The first is bound without
 * sharing, so a port that anybody has already is refused, also to ourselves.
 *
 * Answers to them may be fragmented by routers (no DF bit) and ignore what ICMP
 * says about the path: a forged "too big" shrinks nothing. Their size is limited
 * by the answer path instead (RFC 9715).
 *
 * A socket on a wildcard address learns for each datagram which address was asked.
 *
 * E_EXISTS the port is taken: the sentence names the holder where /proc tells.
 * E_NOT_FOUND the host does not have this address. E_REFUSED may not bind.
 * On failure nothing is open.
 */
must_use enum code socket_listen_udp(const struct endpoint *at, size_t count, int fds[],
				     struct error *err);

/* Binds and listens. Codes as above. */
must_use enum code socket_listen_tcp(const struct endpoint *at, int *fd, struct error *err);

/*
 * Starts to connect to `to`, from `source` when that has a family (port 0: any).
 * OK means under way: when the descriptor becomes writable, ask
 * socket_connect_result(). A connected UDP socket takes answers from `to` only.
 */
must_use enum code socket_connect(enum transport transport, const struct endpoint *to,
				  const struct endpoint *source, int *fd, struct error *err);

/* OK, or why the connection failed: E_IO with the peer and the reason. */
must_use enum code socket_connect_result(int fd, const struct endpoint *to, struct error *err);

/*
 * Sends from or receives into one buffer without blocking. OK with *done octets
 * (for receive, 0 is the peer's end of stream), E_AGAIN, or E_IO: it is over.
 */
must_use enum code socket_send(int fd, struct span bytes, size_t *done);
must_use enum code socket_receive(int fd, void *to, size_t cap, size_t *done);

/* The local end of a socket; family 0 when it has none. */
struct endpoint socket_local(int fd);

/*
 * Accepts without ever spinning when descriptors run out: one is held in reserve,
 * to take a waiting connection and close it, so that the queue moves.
 */
struct acceptor {
	int listen_fd; /* borrowed */
	int reserve_fd;
};

void acceptor_open(struct acceptor *acceptor, int listen_fd);
void acceptor_close(struct acceptor *acceptor);

/*
 * The next connection and both its ends.
 *
 * E_AGAIN nobody waits. E_LIMIT no descriptor is free and one waits: close an
 * idle connection and call again, or call acceptor_refuse(). E_IO the listening
 * socket is of no use any more.
 */
must_use enum code acceptor_take(struct acceptor *acceptor, int *fd, struct endpoint *peer,
				 struct endpoint *local);

/*
 * Takes the connection that waits and closes it at once. False: it could not even
 * do that; then watch the listening socket again only after a pause
 * (ACCEPTOR_PAUSE_NS), as it stays readable.
 */
must_use bool acceptor_refuse(struct acceptor *acceptor);

#define ACCEPTOR_PAUSE_NS ((int64_t)100 * 1000 * 1000)

#endif
