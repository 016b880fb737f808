/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front/worker.h"

#include "crypto/crypto.h"
#include "engine/stream/stream.h"
#include "host/machine.h"
#include "server/front/connection.h"
#include "server/front/request.h"

#include <stdlib.h>

/* How long another worker may take to close a connection for us. */
#define EVICTION_PAUSE_NS (10 * NS_PER_MS)

/* ---- UDP ---- */

/* Of a request that the fast path left. */
static void datagram_answer(struct udp_source *source, const struct batch_view *view,
			    const struct datagram *in, size_t i)
{
	struct worker *worker = source->worker;
	uint8_t *octets = worker->batch->replies[i];
	struct writer out = writer_of(octets, UDP_OCTETS_MAX);
	struct answer result;

	if (in->was_cut) {
		worker_count(worker, METRIC_REQUESTS_CUT, 1);
		return;
	}
	struct endpoint peer = datagrams_peer(source->datagrams, i);
	request_answer(worker, view, span_of(in->ptr, in->len), TRANSPORT_UDP, &peer, &out,
		       &result);
	if (result.kind == ANSWER_REPLY) datagrams_reply(source->datagrams, i, octets, out.len);
}

static struct address datagram_address(const void *context, size_t i)
{
	return datagrams_peer(context, i).address;
}

static void datagrams_answer(struct udp_source *source, const struct datagram *list, size_t count)
{
	struct worker *worker = source->worker;
	struct answer_batch *answers = &worker->batch->answers;
	struct batch_view view;

	batch_begin(worker, &view);
	for (size_t i = 0; i < count; i++) {
		answers->items[i].wire = span_of(list[i].ptr, list[i].was_cut ? 0 : list[i].len);
		answers->items[i].reply = worker->batch->replies[i];
	}
	answers->address = datagram_address;
	answers->context = source->datagrams;
	uint64_t fast = requests_answer_fast(worker, &view, TRANSPORT_UDP, count);
	requests_count_fast(worker, TRANSPORT_UDP, fast);
	for (size_t i = 0; i < count; i++) {
		if (fast >> i & 1)
			datagrams_reply(source->datagrams, i, answers->items[i].reply,
					answers->items[i].reply_len);
		else
			datagram_answer(source, &view, &list[i], i);
	}
	batch_end(worker);
	worker_count(worker, METRIC_REPLIES_UNSENT, datagrams_send(source->datagrams));
}

/* Until none waits: that is cheaper to learn here than from the loop. */
static void udp_ready(void *context, unsigned events)
{
	struct udp_source *source = context;
	const struct datagram *list;

	(void)events;
	for (int i = 0; i < UDP_BATCHES_PER_TURN; i++) {
		size_t count = datagrams_receive(source->datagrams, &list);
		if (count == 0) return;
		datagrams_answer(source, list, count);
	}
}

/* ---- TCP ---- */

static void tcp_pause(struct tcp_source *source, duration_ns pause)
{
	struct loop *loop = source->worker->loop;

	loop_remove(loop, &source->watch);
	timer_set_after(loop, &source->pause, pause);
}

static void tcp_resume(void *context, instant_ns now)
{
	struct tcp_source *source = context;
	struct loop *loop = source->worker->loop;

	(void)now;
	if (loop_add(loop, &source->watch, NULL))
		timer_set_after(loop, &source->pause, ACCEPTOR_PAUSE_NS);
}

/*
 * No descriptor is free for the connection that waits, and none of ours can be closed for
 * it. Another worker may have one; if that did not help, it is turned away.
 */
static bool connection_refuse(struct tcp_source *source)
{
	source->has_asked = !source->has_asked && worker_ask_eviction(source->worker);
	if (source->has_asked) {
		tcp_pause(source, EVICTION_PAUSE_NS);
		return false;
	}
	worker_count(source->worker, METRIC_TCP_REFUSED, 1);
	if (acceptor_refuse(&source->acceptor)) return true;
	tcp_pause(source, ACCEPTOR_PAUSE_NS);
	return false;
}

/* False: nothing more can be accepted now. */
static bool connection_accept(struct tcp_source *source)
{
	struct worker *worker = source->worker;
	struct endpoint peer, local;
	int fd;

	switch (acceptor_take(&source->acceptor, &fd, &peer, &local)) {
	case OK:
		source->has_asked = false;
		connection_open(worker, fd, &peer);
		return true;
	case E_AGAIN: return false;
	case E_LIMIT: return connection_evict(worker) || connection_refuse(source);
	default: tcp_pause(source, ACCEPTOR_PAUSE_NS); return false;
	}
}

static void tcp_ready(void *context, unsigned events)
{
	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++)
		if (!connection_accept(context)) return;
}

/* ---- the thread ---- */

static void worker_rung(void *context)
{
	struct worker *worker = context;

	if (atomic_load(&worker->is_stopped)) loop_stop(worker->loop);
	if (atomic_exchange(&worker->must_evict, false)) connection_evict(worker);
	connection_evict_of(worker, atomic_exchange(&worker->must_evict_of, NULL));
}

bool worker_ask_eviction(const struct worker *worker)
{
	unsigned count = worker->shared->process->worker_count;

	for (unsigned i = 1; i < count; i++) {
		struct worker *other = &worker->shared->workers[(worker->index + i) % count];
		if (!atomic_load_explicit(&other->counters[METRIC_TCP_OPEN], memory_order_relaxed))
			continue;
		atomic_store(&other->must_evict, true);
		wakeup_ring(&other->wakeup);
		return true;
	}
	return false;
}

void worker_ask_eviction_of(const struct worker *worker, _Atomic uint32_t *source_count)
{
	unsigned count = worker->shared->process->worker_count;

	for (unsigned i = 1; i < count; i++) {
		struct worker *other = &worker->shared->workers[(worker->index + i) % count];
		atomic_store(&other->must_evict_of, source_count);
		wakeup_ring(&other->wakeup);
	}
}

static void *worker_run(void *context)
{
	struct worker *worker = context;

	thread_pin(worker->index);
	loop_run(worker->loop);
	return NULL;
}

enum code worker_start(struct worker *worker, struct error *err)
{
	if (pthread_create(&worker->thread, NULL, worker_run, worker))
		return error_set(err, E_NOMEM, "cannot start thread %u of the front",
				 worker->index);
	return OK;
}

/* ---- making one ---- */

static enum code udp_open(struct worker *worker, const struct listener *listener, struct error *err)
{
	struct udp_source *source = &worker->udp[worker->udp_count];
	const struct datagram_room room = {worker->batch->requests[0], REQUEST_OCTETS_MAX,
					   sizeof worker->batch->requests[0]};
	enum code code = datagrams_new(listener->fd, &room, &source->datagrams, err);

	if (code) return code;
	source->worker = worker;
	source->watch = (struct watch){listener->fd, LOOP_READ, udp_ready, source};
	worker->udp_count++;
	return loop_add(worker->loop, &source->watch, err);
}

static enum code tcp_open(struct worker *worker, const struct listener *listener, struct error *err)
{
	struct tcp_source *source = &worker->tcp[worker->tcp_count++];

	source->worker = worker;
	source->watch = (struct watch){listener->fd, LOOP_READ | LOOP_SHARED, tcp_ready, source};
	source->pause = (struct timer){.due = tcp_resume, .context = source};
	acceptor_open(&source->acceptor, listener->fd);
	return loop_add(worker->loop, &source->watch, err);
}

static enum code sockets_open(struct worker *worker, struct error *err)
{
	const struct process *process = worker->shared->process;
	size_t count = process->listener_count;
	enum code code = OK;

	worker->udp = calloc(count + 1, sizeof *worker->udp);
	worker->tcp = calloc(count + 1, sizeof *worker->tcp);
	if (!worker->udp || !worker->tcp)
		return error_set(err, E_NOMEM, "no memory for %zu sockets", count);
	for (size_t i = 0; i < count && !code; i++) {
		const struct listener *listener = &process->listeners[i];
		if (listener->transport == TRANSPORT_TCP)
			code = tcp_open(worker, listener, err);
		else if (listener->worker == worker->index)
			code = udp_open(worker, listener, err);
	}
	return code;
}

enum code worker_open(struct worker *worker, struct front_shared *shared, unsigned index,
		      struct error *err)
{
	enum code code;

	worker->shared = shared;
	worker->index = index;
	worker->wakeup = (struct wakeup){.rung = worker_rung, .context = worker};
	if ((code = loop_new(&worker->loop, err))) return code;
	refusals_open(&worker->refusals, worker->loop);
	if (!(worker->crypto = crypto_new(err))) return E_NOMEM;
	worker->batch = calloc(1, sizeof *worker->batch);
	worker->in = malloc(STREAM_IN_OCTETS_MAX + ANSWER_SLACK_OCTETS);
	worker->out = malloc(STREAM_OUT_OCTETS);
	/* Zeroed pages cost nothing until something is kept in them. */
	worker->cache = calloc(1, sizeof *worker->cache);
	if (!worker->batch || !worker->in || !worker->out || !worker->cache ||
	    !connections_reserve(worker, STREAMS_MIN))
		return error_set(err, E_NOMEM, "no memory for worker %u of the front", index);
	worker->batch->answers.cache = worker->cache;
	if ((code = wakeup_open(worker->loop, &worker->wakeup, err))) return code;
	return sockets_open(worker, err);
}

void worker_stop(struct worker *worker)
{
	atomic_store(&worker->is_stopped, true);
	wakeup_ring(&worker->wakeup);
	pthread_join(worker->thread, NULL);
}

void worker_close(struct worker *worker)
{
	connections_close(worker);
	refusals_close(&worker->refusals);
	for (size_t i = 0; i < worker->udp_count; i++) datagrams_free(worker->udp[i].datagrams);
	for (size_t i = 0; i < worker->tcp_count; i++) acceptor_close(&worker->tcp[i].acceptor);
	wakeup_close(worker->loop, &worker->wakeup);
	free(worker->udp);
	free(worker->tcp);
	free(worker->batch);
	free(worker->cache);
	free(worker->in);
	free(worker->out);
	crypto_free(worker->crypto);
	loop_free(worker->loop);
}
