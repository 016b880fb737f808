/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - one thread that answers, with everything of its own but the zones.
 *
 * It is made and freed by the control thread, in between it belongs to its own. While
 * it waits it holds nothing of the directory, so it delays nobody's grace.
 */
#ifndef SERVER_FRONT_WORKER_H
#define SERVER_FRONT_WORKER_H

#include "engine/answer/batch.h"
#include "engine/answer/fast_cache.h"
#include "engine/stream/stream_set.h"
#include "host/datagram.h"
#include "host/socket.h"
#include "server/front/front.h"
#include "server/front/refusals.h"
#include "server/metrics.h"

#include <assert.h>

enum {
	REQUEST_OCTETS_MAX = 4096, /* of a UDP request: one that is longer is none of ours */
	UDP_BATCHES_PER_TURN = 8, /* of a socket, then the others, TCP and timers have their turn */
	ACCEPTS_PER_TURN = 16,
	STREAMS_MIN = 64, /* places for connections to begin with */
};

struct connection;

/* A UDP socket of this worker. */
struct udp_source {
	struct worker *worker;
	struct watch watch;
	struct datagrams *datagrams;
};

/* A listening socket that all workers share. */
struct tcp_source {
	struct worker *worker;
	struct watch watch;
	struct acceptor acceptor;
	struct timer pause; /* not watched until it is due: there was no room */
	bool has_asked;     /* another worker to close a connection */
};

/* Who is connected; grows with the connections. */
struct places {
	struct stream_set set;
	void *memory;                 /* of the set */
	struct connection *by_slot[]; /* as many as the set's capacity */
};

static_assert((int)DATAGRAMS_MAX <= (int)ANSWER_BATCH_MAX,
	      "what is received at once is answered at once");

/* What is answered at once, and its octets. */
struct batch {
	struct answer_batch answers;
	uint8_t requests[DATAGRAMS_MAX][REQUEST_OCTETS_MAX + ANSWER_SLACK_OCTETS];
	uint8_t replies[DATAGRAMS_MAX][UDP_OCTETS_MAX];
};

struct worker {
	struct front_shared *shared;
	unsigned index;
	pthread_t thread;
	struct loop *loop;
	struct crypto *crypto;
	struct wakeup wakeup;    /* rung when one of these is set */
	_Atomic bool is_stopped; /* end the thread */
	_Atomic bool must_evict; /* close a connection: another worker has none to close */
	_Atomic(_Atomic uint32_t *) must_evict_of; /* close one that is counted there; NULL: none */
	struct udp_source *udp;
	size_t udp_count;
	struct tcp_source *tcp;
	size_t tcp_count;
	struct places *places;
	struct refusals refusals;
	struct batch *batch;
	struct cookie_secrets cookies; /* of the configuration, or of `cookie_day` */
	uint64_t cookie_day;
	uint32_t turn;            /* of RRsets that rotate: one a request */
	struct fast_cache *cache; /* lent to the batch */
	uint8_t *in, *out; /* lent to the connection whose turn it is: STREAM_IN_OCTETS_MAX, */
			   /* STREAM_OUT_OCTETS */
	_Atomic uint64_t counters[METRIC_COUNT];
};

/* Sockets and memory for worker `index`. */
must_use enum code worker_open(struct worker *worker, struct front_shared *shared, unsigned index,
			       struct error *err);
must_use enum code worker_start(struct worker *worker, struct error *err);

/* Ends the thread; it may still be rung. */
void worker_stop(struct worker *worker);

/* Closes its connections and frees all. */
void worker_close(struct worker *worker);

/*
 * Asks another worker to close its idlest connection, soon. False: no other has any.
 */
bool worker_ask_eviction(const struct worker *worker);

/* Asks the others to close the idlest connection of a source, which has too many. */
void worker_ask_eviction_of(const struct worker *worker, _Atomic uint32_t *source_count);

/* One thread writes each counter, any may read it. */
static inline void worker_count(struct worker *worker, enum metric metric, uint64_t n)
{
	_Atomic uint64_t *counter = &worker->counters[metric];

	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

#endif
