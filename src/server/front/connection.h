/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.h - a TCP connection of a worker: requests in, replies and transfers out.
 *
 * Its buffers are the worker's while it has its turn; what waits for the client at the
 * end of a turn moves into memory of its own, which is exactly as large. Transfers go
 * out one after the other, as far as the client takes them.
 */
#ifndef SERVER_FRONT_CONNECTION_H
#define SERVER_FRONT_CONNECTION_H

#include "server/front/worker.h"

/*
 * Takes over a descriptor: it is served from now on, or closed. The limits on connections
 * are for all workers together.
 */
void connection_open(struct worker *worker, int fd, const struct endpoint *peer);

/* Closes the idlest; false when there is none that may go. */
bool connection_evict(struct worker *worker);

/* Closes the idlest of those that are counted here, if there is one. NULL: none is meant. */
void connection_evict_of(struct worker *worker, _Atomic uint32_t *source_count);

/* Places for so many connections. False: no memory; everything is as it was. */
bool connections_reserve(struct worker *worker, uint32_t capacity);

/* Closes all of them and frees their places. */
void connections_close(struct worker *worker);

#endif
