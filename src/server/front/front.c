/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front/front.h"

#include "host/random.h"
#include "server/front/worker.h"
#include "server/log.h"

#include <stdlib.h>

#define RECLAIM_PAUSE_MIN_NS NS_PER_MS
#define RECLAIM_PAUSE_MAX_NS NS_PER_S

/* So long requests wait for the zones that the keeper has still to name. */
#define ROSTER_PATIENCE_NS (200 * NS_PER_MS)

/* ---- workers ---- */

/* They want a policy for each batch; until they start, requests wait in the kernel. */
static void workers_start(struct front *front)
{
	struct process *process = front->process;
	struct worker *workers = calloc(process->worker_count, sizeof *workers);
	struct error err;

	if (!workers) process_fail(process, "no memory for the workers");
	front->shared.workers = workers;
	for (uint32_t i = 0; i < process->worker_count; i++)
		if (worker_open(&workers[i], &front->shared, i, &err))
			process_fail(process, "%s", err.text);
	for (uint32_t i = 0; i < process->worker_count; i++)
		if (worker_start(&workers[i], &err)) process_fail(process, "%s", err.text);
	front->worker_count = process->worker_count;
}

/* The zones that the keeper has named so far are better than none. */
static void workers_due(void *context, instant_ns now)
{
	struct front *front = context;

	(void)now;
	if (!front->shared.workers) workers_start(front);
}

/* First all threads end, for each may ring another. */
static void workers_stop(struct front *front)
{
	struct worker *workers = front->shared.workers;

	for (unsigned i = 0; i < front->worker_count; i++) worker_stop(&workers[i]);
	for (unsigned i = 0; i < front->worker_count; i++) worker_close(&workers[i]);
	free(workers);
}

/* ---- to the keeper ---- */

/* False: it takes nothing now; has_room() will be called. */
static bool tell(struct front *front, enum message_kind kind, const void *message)
{
	if (!front->keeper) return false;
	return channel_send(front->keeper, kind, message, span_of(NULL, 0), -1) == OK;
}

static bool generation_tell(struct front *front, enum message_kind kind, uint64_t generation,
			    uint64_t *told)
{
	const struct message_generation body = {.generation = generation};

	if (generation <= *told) return true;
	if (!tell(front, kind, &body)) return false;
	*told = generation;
	return true;
}

static bool note_tell(struct front *front, const struct note *note)
{
	switch (note->kind) {
	case NOTE_NOTIFY: return tell(front, MESSAGE_NOTIFY_RECEIVED, &note->notify);
	case NOTE_TRANSFER_SENT: return tell(front, MESSAGE_TRANSFER_SENT, &note->sent);
	}
	return true;
}

/*
 * A NOTIFY was answered, so its primary sends it no more: while the keeper is down, or
 * does not know its zones yet, it waits.
 */
static void notes_tell(struct front *front)
{
	while (front->has_roster &&
	       (front->holds_note || mailbox_take(&front->mailbox, &front->held))) {
		front->holds_note = !note_tell(front, &front->held);
		if (front->holds_note) return;
	}
}

/* Everything that the keeper has to know and was not told. */
static void keeper_tell(struct front *front)
{
	if (generation_tell(front, MESSAGE_SERVING, front->roster.serving, &front->told_serving) &&
	    generation_tell(front, MESSAGE_RELEASED, front->roster.released, &front->told_released))
		notes_tell(front);
}

static void reclaim(struct front *front)
{
	bool is_done = roster_reclaim(&front->roster);

	keeper_tell(front);
	if (is_done) {
		front->reclaim_pause = 0;
		timer_cancel(front->loop, &front->reclaim);
		return;
	}
	/* Batches end within microseconds; what takes longer is a transfer, whose end is told. */
	front->reclaim_pause *= 2;
	if (front->reclaim_pause < RECLAIM_PAUSE_MIN_NS)
		front->reclaim_pause = RECLAIM_PAUSE_MIN_NS;
	if (front->reclaim_pause > RECLAIM_PAUSE_MAX_NS)
		front->reclaim_pause = RECLAIM_PAUSE_MAX_NS;
	timer_set_after(front->loop, &front->reclaim, front->reclaim_pause);
}

static void reclaim_due(void *context, instant_ns now)
{
	(void)now;
	reclaim(context);
}

static void mailbox_rung(void *context)
{
	reclaim(context);
}

static void stats_tell(struct front *front)
{
	struct message_front_stats body = {0};

	for (unsigned i = 0; i < front->worker_count; i++)
		for (enum metric metric = 0; metric < METRIC_COUNT; metric++)
			body.counters[metric] += atomic_load_explicit(
				&front->shared.workers[i].counters[metric], memory_order_relaxed);
	body.counters[METRIC_ZONES] = directory_zone_count(front->roster.directory);
	body.counters[METRIC_WORKERS] = front->worker_count;
	/* A keeper whose queue is full asks again. */
	tell(front, MESSAGE_FRONT_STATS, &body);
}

/* ---- from the keeper ---- */

/* The end of a turn: all that came in it is served as one generation. */
static void flush_due(void *context, instant_ns now)
{
	struct front *front = context;

	(void)now;
	roster_serve(&front->roster);
	if (front->has_roster && atomic_load(&front->roster.policy)) {
		atomic_store(&front->shared.is_complete, true);
		timer_cancel(front->loop, &front->patience);
		if (!front->shared.workers) workers_start(front);
		if (!front->is_ready) process_ready(front->process);
		front->is_ready = true;
	}
	front->reclaim_pause = 0;
	reclaim(front);
}

static enum code message_take(struct front *front, struct channel_message *message,
			      struct error *err)
{
	struct roster *roster = &front->roster;

	switch (message->kind) {
	case MESSAGE_FRONT_POLICY:
		return roster_take_policy(roster, message->body, message->fd, err);
	case MESSAGE_SEGMENT: return roster_take_segment(roster, message->body, message->fd, err);
	case MESSAGE_SEGMENT_DROP: roster_drop_segment(roster, message->body); return OK;
	case MESSAGE_PUBLISH: return roster_publish(roster, message->body, err);
	case MESSAGE_ROSTER: return roster_take_roster(roster, message->body, message->fd, err);
	case MESSAGE_WITHDRAW: roster_withdraw(roster, message->body); return OK;
	case MESSAGE_ROSTER_END:
		roster_end(roster, message->body);
		front->has_roster = true;
		return OK;
	case MESSAGE_STATS_ASK: stats_tell(front); return OK;
	default: return OK; /* the channel's table lets nothing else through */
	}
}

static void received(void *context, struct channel_message *message)
{
	struct front *front = context;
	struct error err;
	enum code code;

	if (front->is_deaf) return;
	code = message_take(front, message, &err);
	if (code == E_NOMEM) process_fail(front->process, "%s", err.text);
	if (code) {
		/* What is served goes on; a new keeper begins with a new roster. */
		LOG(EVENT_CHANNEL_BROKEN, log_text("peer", process_role_name(PROCESS_KEEPER)),
		    log_error(&err));
		front->is_deaf = true;
		process_peer_failed(front->process, PROCESS_KEEPER);
		return;
	}
	if (message->kind == MESSAGE_FRONT_POLICY && !front->shared.workers)
		timer_set_after(front->loop, &front->patience, ROSTER_PATIENCE_NS);
	timer_set_after(front->loop, &front->flush, 0);
}

static void keeper_up(void *context, struct channel *channel)
{
	struct front *front = context;

	front->keeper = channel;
	front->is_deaf = front->has_roster = false;
	front->told_serving = front->told_released = 0;
	roster_keeper_changed(&front->roster);
	reclaim(front);
}

static void keeper_down(void *context)
{
	struct front *front = context;

	front->keeper = NULL;
	front->has_roster = false;
}

static void has_room(void *context)
{
	keeper_tell(context);
}

/* ---- the process ---- */

static void front_open(struct front *front, struct process *process)
{
	struct error err;

	*front = (struct front){.process = process,
				.loop = process->loop,
				.flush = {.due = flush_due, .context = front},
				.reclaim = {.due = reclaim_due, .context = front},
				.patience = {.due = workers_due, .context = front},
				.shared = {.process = process,
					   .roster = &front->roster,
					   .mailbox = &front->mailbox,
					   .source_key = {random_u64(), random_u64()}}};
	if (roster_open(&front->roster, process->worker_count, &err) ||
	    mailbox_open(&front->mailbox, front->loop, mailbox_rung, front, &err))
		process_fail(process, "%s", err.text);
}

static void front_close(struct front *front)
{
	workers_stop(front);
	timer_cancel(front->loop, &front->flush);
	timer_cancel(front->loop, &front->reclaim);
	timer_cancel(front->loop, &front->patience);
	mailbox_close(&front->mailbox, front->loop);
	roster_close(&front->roster);
}

int front_main(struct process *process)
{
	struct front *front = calloc(1, sizeof *front);
	int status;

	if (!front) process_fail(process, "no memory for the front");
	front_open(front, process);
	const struct process_events events = {
		.peers[PROCESS_KEEPER] = {keeper_up, keeper_down, received, has_room},
		.context = front,
	};
	status = process_run(process, &events);
	front_close(front);
	free(front);
	return status;
}
