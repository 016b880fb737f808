/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front/connection.h"

#include "engine/front/transfer.h"
#include "engine/stream/stream.h"
#include "host/clock.h"
#include "host/random.h"
#include "server/front/request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	MESSAGES_PER_TURN = ANSWER_BATCH_MAX, /* of one connection, then others have their turn */
	ROUNDS_PER_TURN = 4,                  /* of filling the worker's buffer and emptying it */
};

/* A transfer that was asked for; the first of a connection's is under way. */
struct outgoing {
	struct transfer_out transfer;
	struct front_policy *policy; /* pinned: it holds the key */
	instant_ns began_at;
	bool is_written; /* the last message is in the buffer */
	struct outgoing *next;
};

struct connection {
	struct worker *worker;
	struct watch watch;
	struct timer timer;
	struct stream stream;
	enum stream_result next; /* what the stream said last */
	struct endpoint peer;
	uint32_t slot;
	_Atomic uint32_t *source_count; /* of all workers */
	bool is_proven;
	struct outgoing *transfers, **transfers_end;
};

/* ---- buffers ---- */

/* What waits leaves the worker's memory. False: there is none for it. */
static bool buffer_park(struct stream_buffer *buffer, const uint8_t *lent)
{
	uint8_t *former;

	if (!buffer->ptr) return true;
	if (buffer->len == 0) {
		former = stream_take_back(buffer);
	} else if (buffer->ptr == lent) {
		uint8_t *own = malloc(buffer->len + ANSWER_SLACK_OCTETS);
		if (!own) return false;
		former = stream_lend(buffer, own, buffer->len);
	} else {
		return true;
	}
	if (former != lent) free(former);
	return true;
}

static void buffer_drop(struct stream_buffer *buffer, const uint8_t *lent)
{
	if (buffer->ptr != lent) free(buffer->ptr);
	*buffer = (struct stream_buffer){0};
}

/* ---- transfers ---- */

static struct note transfer_note(const struct connection *c, const struct outgoing *outgoing,
				 bool complete)
{
	const struct transfer_out *transfer = &outgoing->transfer;
	struct note note = {.kind = NOTE_TRANSFER_SENT,
			    .sent = {.to = c->peer,
				     .serial = view_serial(&transfer->zone->view),
				     .complete = complete,
				     .record_count = transfer->record_count,
				     .octets = transfer->octets}};

	note.sent.duration_ns = loop_now(c->worker->loop) - outgoing->began_at;
	name_copy(&note.sent.zone, transfer->zone->name);
	if (transfer->is_signed)
		snprintf(note.sent.key, sizeof note.sent.key, "%s", transfer->tsig.key->label);
	return note;
}

/* The first one is over. Its note goes out last: it makes the control thread free what can go. */
static void transfer_finish(struct connection *c, bool complete)
{
	struct worker *worker = c->worker;
	struct outgoing *outgoing = c->transfers;
	struct note note = transfer_note(c, outgoing, complete);

	c->transfers = outgoing->next;
	if (!c->transfers) c->transfers_end = &c->transfers;
	transfer_out_end(&outgoing->transfer);
	front_policy_unpin(outgoing->policy);
	free(outgoing);
	worker_count(worker, complete ? METRIC_TRANSFERS_COMPLETE : METRIC_TRANSFERS_BROKEN, 1);
	if (!mailbox_post(worker->shared->mailbox, &note))
		worker_count(worker, METRIC_NOTES_LOST, 1);
}

/* False: the connection is of no use any more, for the client waits for records. */
static bool transfer_begin(struct connection *c, const struct batch_view *view,
			   const struct answer *result)
{
	struct outgoing *outgoing = calloc(1, sizeof *outgoing);

	if (!outgoing) return false;
	if (transfer_out_begin(&outgoing->transfer, &view->server, result, NULL)) {
		free(outgoing);
		worker_count(c->worker, METRIC_TRANSFERS_BROKEN, 1);
		return false;
	}
	outgoing->policy = view->policy;
	outgoing->began_at = view->now;
	front_policy_pin(view->policy);
	*c->transfers_end = outgoing;
	c->transfers_end = &outgoing->next;
	return true;
}

/* Messages of the transfer under way, as far as there is room for them. */
static bool transfers_write(struct connection *c)
{
	instant_ns now = loop_now(c->worker->loop);
	struct outgoing *outgoing;
	struct writer out;

	while ((outgoing = c->transfers)) {
		if (outgoing->is_written) {
			if (stream_unsent(&c->stream).len > 0) return true;
			transfer_finish(c, true);
			continue;
		}
		if (!stream_reply_begin(&c->stream, &out)) return true;
		if (transfer_out_next(&outgoing->transfer, clock_unix_s(), &out, NULL))
			return false;
		outgoing->is_written = out.len == 0;
		stream_reply_end(&c->stream, out.len, outgoing->is_written, now);
	}
	return true;
}

/* ---- the end ---- */

/* Of one that has left the set. */
static void connection_free(struct connection *c)
{
	struct worker *worker = c->worker;

	loop_remove(worker->loop, &c->watch);
	close(c->watch.fd);
	timer_cancel(worker->loop, &c->timer);
	while (c->transfers) transfer_finish(c, false);
	buffer_drop(&c->stream.in, worker->in);
	buffer_drop(&c->stream.out, worker->out);
	worker->places->by_slot[c->slot] = NULL;
	worker_count(worker, METRIC_TCP_OPEN, (uint64_t)-1);
	atomic_fetch_sub(&worker->shared->tcp_open, 1);
	atomic_fetch_sub(c->source_count, 1);
	free(c);
}

static void connection_close(struct connection *c)
{
	stream_set_leave(&c->worker->places->set, c->slot);
	connection_free(c);
}

bool connection_evict(struct worker *worker)
{
	uint32_t slot = stream_set_idlest(&worker->places->set);

	if (slot == STREAM_SLOT_NONE) return false;
	worker_count(worker, METRIC_TCP_EVICTED, 1);
	connection_free(worker->places->by_slot[slot]);
	return true;
}

void connection_evict_of(struct worker *worker, _Atomic uint32_t *source_count)
{
	const struct places *places = worker->places;
	struct connection *idlest = NULL;

	for (uint32_t slot = 0; source_count && slot < places->set.capacity; slot++) {
		struct connection *c = places->by_slot[slot];
		if (!c || c->source_count != source_count || c->is_proven) continue;
		if (!idlest || c->stream.idle_from < idlest->stream.idle_from) idlest = c;
	}
	if (!idlest) return;
	worker_count(worker, METRIC_TCP_EVICTED, 1);
	connection_close(idlest);
}

/* ---- a turn ---- */

static bool message_answer(struct connection *c, const struct batch_view *view, struct span message)
{
	struct stream_set *streams = &c->worker->places->set;
	struct answer result;
	struct writer out;
	bool has_room = stream_reply_begin(&c->stream, &out);

	assert(has_room); /* the caller looked before it took the message */
	(void)has_room;
	request_answer(c->worker, view, message, TRANSPORT_TCP, &c->peer, &out, &result);
	stream_set_touch(streams, c->slot);
	if (result.key && !c->is_proven) {
		stream_set_prove(streams, c->slot);
		c->is_proven = true;
	}
	if (result.kind == ANSWER_TRANSFER) return transfer_begin(c, view, &result);
	stream_reply_end(&c->stream, result.kind == ANSWER_REPLY ? out.len : 0, true, view->now);
	return true;
}

static bool has_reply_room(const struct stream *stream)
{
	return stream->out.cap >= STREAM_OUT_OCTETS && stream->out.len < STREAM_UNSENT_MAX;
}

static struct address peer_address(const void *context, size_t i)
{
	const struct connection *c = context;

	(void)i;
	return c->peer.address;
}

/* The fast path on what waits. Which it answered, in the order in which they come. */
static uint64_t messages_answer_fast(struct connection *c, const struct batch_view *view)
{
	struct batch *batch = c->worker->batch;
	struct span waiting[MESSAGES_PER_TURN];
	size_t count = stream_peek(&c->stream, waiting, MESSAGES_PER_TURN);

	for (size_t i = 0; i < count; i++) {
		batch->answers.items[i].wire = waiting[i];
		batch->answers.items[i].reply = batch->replies[i];
	}
	batch->answers.address = peer_address;
	batch->answers.context = c;
	return count ? requests_answer_fast(c->worker, view, TRANSPORT_TCP, count) : 0;
}

/* The reply of a message that the fast path answered. */
static void reply_take(struct connection *c, size_t i, instant_ns now)
{
	const struct answer_item *item = &c->worker->batch->answers.items[i];
	struct writer out;
	bool has_room = stream_reply_begin(&c->stream, &out);

	assert(has_room && item->reply_len <= out.cap);
	(void)has_room;
	memcpy(out.ptr, item->reply, item->reply_len);
	stream_reply_end(&c->stream, item->reply_len, true, now);
}

/* Whole messages that came, as far as there is room for the replies. */
static bool messages_answer(struct connection *c)
{
	struct batch_view view;
	struct span message;
	uint64_t fast, taken = 0;
	bool is_fine = true;

	batch_begin(c->worker, &view);
	fast = messages_answer_fast(c, &view);
	for (size_t i = 0; i < MESSAGES_PER_TURN && is_fine; i++) {
		c->next = STREAM_WAIT;
		if (!has_reply_room(&c->stream)) break;
		c->next = stream_next(&c->stream, view.now, &message);
		if (c->next != STREAM_MESSAGE) break;
		if (fast >> i & 1) {
			reply_take(c, i, view.now);
			taken |= UINT64_C(1) << i;
		} else {
			is_fine = message_answer(c, &view, message);
		}
	}
	if (taken) stream_set_touch(&c->worker->places->set, c->slot);
	requests_count_fast(c->worker, TRANSPORT_TCP, taken);
	batch_end(c->worker);
	return is_fine;
}

/* False: the client is gone. */
static bool unsent_write(struct connection *c)
{
	struct stream *stream = &c->stream;

	while (stream_unsent(stream).len > 0) {
		size_t done;
		enum code code = socket_send(c->watch.fd, stream_unsent(stream), &done);
		if (code == E_AGAIN) return true;
		if (code) return false;
		stream_sent(stream, done, loop_now(c->worker->loop));
		stream_set_touch(&c->worker->places->set, c->slot);
	}
	return true;
}

/* Answers and sends in turns until there is nothing to do, or the client takes no more. */
static bool connection_exchange(struct connection *c)
{
	struct worker *worker = c->worker;

	for (int i = 0; i < ROUNDS_PER_TURN; i++) {
		if (c->stream.out.len == 0) {
			buffer_drop(&c->stream.out, worker->out);
			stream_lend(&c->stream.out, worker->out, STREAM_OUT_OCTETS);
		}
		if (!messages_answer(c) || !transfers_write(c)) return false;
		if (stream_unsent(&c->stream).len == 0) return true;
		if (!unsent_write(c)) return false;
		if (stream_unsent(&c->stream).len > 0) return true;
	}
	return true;
}

static unsigned wishes_of(const struct connection *c)
{
	bool reads = c->next == STREAM_READ || c->next == STREAM_GROW;
	bool waits_for_client = stream_unsent(&c->stream).len > 0;
	/* More than one turn's work is there: a socket with room calls again at once. */
	bool has_work = !reads || c->transfers;

	return (reads ? LOOP_READ : 0U) | (waits_for_client || has_work ? LOOP_WRITE : 0U);
}

static void deadline_watch(struct connection *c)
{
	instant_ns deadline = stream_deadline(&c->stream);

	/* One that is due too early looks again: cheaper than to move it with each message. */
	if (!c->timer.is_set || c->timer.at > deadline)
		timer_set(c->worker->loop, &c->timer, deadline);
}

static void connection_step(struct connection *c)
{
	struct worker *worker = c->worker;
	bool is_open = connection_exchange(c) && c->next != STREAM_CLOSE &&
		       buffer_park(&c->stream.in, worker->in) &&
		       buffer_park(&c->stream.out, worker->out);

	if (!is_open) {
		connection_close(c);
		return;
	}
	loop_change(worker->loop, &c->watch, wishes_of(c));
	deadline_watch(c);
}

/* False: it broke off. */
static bool octets_receive(struct connection *c)
{
	struct worker *worker = c->worker;
	size_t done;

	if (c->stream.in.ptr != worker->in)
		free(stream_lend(&c->stream.in, worker->in, STREAM_IN_OCTETS_MAX));
	struct writer room = stream_room(&c->stream);
	if (room.cap == 0) return true;
	enum code code = socket_receive(c->watch.fd, room.ptr, room.cap, &done);
	if (code == E_AGAIN) return true;
	if (code) return false;
	if (done == 0)
		stream_end(&c->stream);
	else
		stream_received(&c->stream, done);
	return true;
}

static void connection_ready(void *context, unsigned events)
{
	struct connection *c = context;
	bool is_over = events & LOOP_HANGUP && !(events & LOOP_READ);

	if (is_over || (events & LOOP_READ && !octets_receive(c)))
		connection_close(c);
	else
		connection_step(c);
}

static void connection_due(void *context, instant_ns now)
{
	struct connection *c = context;

	if (stream_deadline(&c->stream) > now) {
		deadline_watch(c);
		return;
	}
	worker_count(c->worker, METRIC_TCP_TIMED_OUT, 1);
	connection_close(c);
}

/* ---- the beginning ---- */

static struct limit_policy limits_now(struct worker *worker)
{
	struct batch_view view;

	batch_begin(worker, &view);
	struct limit_policy limits = view.policy->policy->limits;
	batch_end(worker);
	return limits;
}

/* How many more the server may have. */
static uint32_t places_left(const struct worker *worker, const struct limit_policy *limits)
{
	uint32_t open = atomic_load(&worker->shared->tcp_open);

	return open < limits->tcp_connections ? limits->tcp_connections - open : 0;
}

static void place_change(struct connection *c, struct places *to)
{
	struct stream_admission admission =
		stream_set_admit(&to->set, &c->peer.address, to->set.capacity, UINT32_MAX);

	assert(admission.admitted);
	if (c->is_proven) stream_set_prove(&to->set, admission.slot);
	to->by_slot[admission.slot] = c;
	c->slot = admission.slot;
}

/* The idlest first, so that it stays the idlest; then those that have proved a key. */
static void places_move(struct places *from, struct places *to)
{
	uint32_t slot;

	while ((slot = stream_set_idlest(&from->set)) != STREAM_SLOT_NONE) {
		place_change(from->by_slot[slot], to);
		from->by_slot[slot] = NULL;
	}
	for (slot = 0; slot < from->set.capacity; slot++)
		if (from->by_slot[slot]) place_change(from->by_slot[slot], to);
}

static void places_free(struct places *places)
{
	if (!places) return;
	free(places->memory);
	free(places);
}

bool connections_reserve(struct worker *worker, uint32_t capacity)
{
	struct siphash_key key = {random_u64(), random_u64()};
	struct places *places = calloc(1, sizeof *places + capacity * sizeof places->by_slot[0]);

	if (!places || !(places->memory = malloc(stream_set_size(capacity)))) {
		places_free(places);
		return false;
	}
	stream_set_init(&places->set, capacity, places->memory, key);
	if (worker->places) places_move(worker->places, places);
	places_free(worker->places);
	worker->places = places;
	return true;
}

void connections_close(struct worker *worker)
{
	for (uint32_t slot = 0; slot < worker->places->set.capacity; slot++)
		if (worker->places->by_slot[slot]) connection_close(worker->places->by_slot[slot]);
	places_free(worker->places);
}

static _Atomic uint32_t *source_count_of(struct worker *worker, const struct address *address)
{
	struct address source = stream_source(address);
	uint64_t hash = siphash(worker->shared->source_key, span_of(&source, sizeof source));

	return &worker->shared->source_counts[hash % SOURCE_COUNTS];
}

/*
 * A source that has as many as it may gets a new one in place of its idlest: of this
 * worker, if it has one here, else of another.
 */
static uint32_t per_source_max(struct worker *worker, const struct limit_policy *limits,
			       const struct endpoint *peer)
{
	_Atomic uint32_t *count = source_count_of(worker, &peer->address);

	if (atomic_load(count) < limits->tcp_connections_per_address) return UINT32_MAX;
	if (stream_set_has(&worker->places->set, &peer->address)) return 0;
	worker_ask_eviction_of(worker, count);
	return UINT32_MAX;
}

/* A place in the set, or STREAM_SLOT_NONE. */
static uint32_t slot_take(struct worker *worker, const struct limit_policy *limits,
			  const struct endpoint *peer)
{
	const struct stream_set *set = &worker->places->set;
	uint32_t count_max = set->count + places_left(worker, limits);

	/* One too many for a moment, where only others have connections to close. */
	if (count_max == 0 && worker_ask_eviction(worker)) count_max = 1;
	/* Without memory for more places the idlest connection has to go. */
	if (count_max > set->capacity && set->count == set->capacity)
		(void)connections_reserve(worker, 2 * set->capacity);
	struct stream_admission admission =
		stream_set_admit(&worker->places->set, &peer->address, count_max,
				 per_source_max(worker, limits, peer));
	if (admission.evicted != STREAM_SLOT_NONE) {
		worker_count(worker, METRIC_TCP_EVICTED, 1);
		connection_free(worker->places->by_slot[admission.evicted]);
	}
	return admission.admitted ? admission.slot : STREAM_SLOT_NONE;
}

void connection_open(struct worker *worker, int fd, const struct endpoint *peer)
{
	struct limit_policy limits = limits_now(worker);
	uint32_t slot = peer->address.family ? slot_take(worker, &limits, peer) : STREAM_SLOT_NONE;
	struct connection *c = slot == STREAM_SLOT_NONE ? NULL : calloc(1, sizeof *c);

	if (c) {
		c->worker = worker;
		c->watch = (struct watch){fd, LOOP_READ, connection_ready, c};
		c->timer = (struct timer){.due = connection_due, .context = c};
		c->next = STREAM_READ;
		c->peer = *peer;
		c->slot = slot;
		c->source_count = source_count_of(worker, &peer->address);
		c->transfers_end = &c->transfers;
		stream_init(&c->stream, limits.tcp_idle_ns, loop_now(worker->loop));
	}
	if (!c || loop_add(worker->loop, &c->watch, NULL)) {
		if (slot != STREAM_SLOT_NONE) stream_set_leave(&worker->places->set, slot);
		free(c);
		close(fd);
		worker_count(worker, METRIC_TCP_REFUSED, 1);
		return;
	}
	worker->places->by_slot[slot] = c;
	worker_count(worker, METRIC_TCP_ACCEPTED, 1);
	worker_count(worker, METRIC_TCP_OPEN, 1);
	atomic_fetch_add(&worker->shared->tcp_open, 1);
	atomic_fetch_add(c->source_count, 1);
	deadline_watch(c);
}
