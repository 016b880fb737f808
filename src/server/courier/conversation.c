/* SPDX-License-Identifier: Apache-2.0 */
/* conversation.c - the exchange machine's actions as system calls, and readiness as its events. */
#include "server/courier/courier.h"

#include "host/clock.h"
#include "host/random.h"
#include "host/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void feed(struct conversation *conversation, struct exchange_event event);

static void socket_close(struct conversation *conversation)
{
	if (conversation->watch.fd < 0) return;
	if (!conversation->collecting)
		loop_remove(conversation->courier->loop, &conversation->watch);
	close(conversation->watch.fd);
	conversation->collecting = false;
	conversation->watch.fd = -1;
	conversation->in_len = conversation->in_at = 0;
}

void conversation_free(struct conversation *conversation)
{
	struct courier *c = conversation->courier;
	struct conversation **link = &c->running;

	while (*link != conversation) link = &(*link)->next;
	*link = conversation->next;
	c->running_count--;
	if (conversation->is_transfer) c->transfer_count--;
	socket_close(conversation);
	timer_cancel(c->loop, &conversation->timer);
	exchange_clear(&conversation->exchange);
	free(conversation);
}

static void end_tell(struct conversation *conversation)
{
	const struct exchange *e = &conversation->exchange;
	const struct remote *remote = e->remote;
	struct message_exchange_end body = {
		.id = conversation->id,
		.outcome = e->outcome,
		.record_count = e->transfer.record_count,
		.octets = e->transfer.octets,
		.peer = remote->addresses[e->address],
	};

	if (remote->key_count)
		snprintf(body.key, sizeof body.key, "%s", remote->keys[e->key]->label);
	if (e->outcome != EXCHANGE_DONE) snprintf(body.text, sizeof body.text, "%s", e->error.text);
	if (channel_send(conversation->courier->keeper, MESSAGE_EXCHANGE_END, &body,
			 (struct span){0}, -1))
		process_peer_failed(conversation->courier->process, PROCESS_KEEPER);
}

/* The callers up to the loop still hold it: it is freed in a turn of its own. */
static void finish(struct conversation *conversation)
{
	struct courier *c = conversation->courier;
	struct message_soa_answer answer = {.id = conversation->id,
					    .serial = conversation->exchange.answer_serial};
	const struct exchange *e = &conversation->exchange;

	if (e->kind == EXCHANGE_SOA && e->outcome == EXCHANGE_DONE) {
		if (channel_send(c->keeper, MESSAGE_SOA_ANSWER, &answer, (struct span){0}, -1))
			process_peer_failed(c->process, PROCESS_KEEPER);
	} else {
		end_tell(conversation);
	}
	conversation->ended = true;
	socket_close(conversation);
	timer_set_after(c->loop, &conversation->timer, 0);
}

static void broken_off(struct conversation *conversation, const char *problem)
{
	socket_close(conversation);
	feed(conversation,
	     (struct exchange_event){.kind = EXCHANGE_BROKEN_OFF, .problem = problem});
}

/* Octets of the request go out as the socket takes them. */
static void request_write(struct conversation *conversation)
{
	size_t len = 2 + (size_t)conversation->exchange.request_len;

	while (conversation->out_at < len) {
		size_t done;
		enum code code = socket_send(conversation->watch.fd,
					     span_of(conversation->out + conversation->out_at,
						     len - conversation->out_at),
					     &done);
		if (code == E_AGAIN) break;
		if (code) {
			broken_off(conversation, "the connection broke off");
			return;
		}
		conversation->out_at += done;
	}
	loop_change(conversation->courier->loop, &conversation->watch,
		    LOOP_READ | (conversation->out_at < len ? LOOP_WRITE : 0));
}

static void request_begin(struct conversation *conversation)
{
	const struct exchange *e = &conversation->exchange;

	put_u16(conversation->out, e->request_len);
	memcpy(conversation->out + 2, e->request, e->request_len);
	conversation->out_at = 0;
	request_write(conversation);
}

/*
 * The message in `in` stays as it is until the keeper has room. It is not the peer who
 * is slow: no deadline runs, and not even its end is heard before the message is read.
 */
static void collect_later(struct conversation *conversation)
{
	struct courier *c = conversation->courier;

	conversation->collecting = true;
	loop_remove(c->loop, &conversation->watch);
	timer_cancel(c->loop, &conversation->timer);
	channel_want_room(c->keeper);
}

/* The records of the message in `in` to the keeper, as far as it has room. */
static void collect(struct conversation *conversation)
{
	struct courier *c = conversation->courier;
	struct message_records body = {.id = conversation->id};
	enum exchange_action action;

	do {
		struct writer w = writer_of(conversation->records, sizeof conversation->records);
		/* A full queue holds what two messages bring: ask before they are read. */
		if (channel_queued(c->keeper) > CHANNEL_QUEUE_MAX / 2) {
			collect_later(conversation);
			return;
		}
		action = exchange_records(&conversation->exchange, &w, clock_now());
		if (w.len && channel_send(c->keeper, MESSAGE_RECORDS, &body, writer_span(&w), -1)) {
			process_peer_failed(c->process, PROCESS_KEEPER);
			return;
		}
	} while (action == EXCHANGE_COLLECT);
	if (action == EXCHANGE_END) {
		finish(conversation);
		return;
	}
	timer_set(c->loop, &conversation->timer, conversation->exchange.deadline);
}

/* Every whole message that is in `in`, until it has ended or must wait. */
static void messages_take(struct conversation *conversation)
{
	while (!conversation->ended && !conversation->collecting && conversation->watch.fd >= 0 &&
	       conversation->in_len - conversation->in_at >= 2) {
		const uint8_t *p = conversation->in + conversation->in_at;
		size_t len = (size_t)(p[0] << 8 | p[1]);
		if (conversation->in_len - conversation->in_at < 2 + len) break;
		conversation->in_at += 2 + len;
		feed(conversation, (struct exchange_event){.kind = EXCHANGE_MESSAGE,
							   .message = span_of(p + 2, len)});
	}
}

static void stream_read(struct conversation *conversation)
{
	size_t done;
	enum code code;

	memmove(conversation->in, conversation->in + conversation->in_at,
		conversation->in_len - conversation->in_at);
	conversation->in_len -= conversation->in_at;
	conversation->in_at = 0;
	code = socket_receive(conversation->watch.fd, conversation->in + conversation->in_len,
			      sizeof conversation->in - conversation->in_len, &done);
	if (code == E_AGAIN) return;
	if (code || done == 0) {
		broken_off(conversation,
			   code ? "the connection broke off" : "the peer closed the connection");
		return;
	}
	conversation->in_len += done;
	messages_take(conversation);
}

static void datagram_read(struct conversation *conversation)
{
	size_t done;
	enum code code = socket_receive(conversation->watch.fd, conversation->in,
					sizeof conversation->in, &done);

	if (code == E_AGAIN) return;
	if (code)
		broken_off(conversation, "nobody listens there (port unreachable)");
	else
		feed(conversation,
		     (struct exchange_event){.kind = EXCHANGE_MESSAGE,
					     .message = span_of(conversation->in, done)});
}

static void connected(struct conversation *conversation)
{
	const struct exchange *e = &conversation->exchange;
	struct error err;

	conversation->connecting = false;
	if (socket_connect_result(conversation->watch.fd, &e->remote->addresses[e->address],
				  &err)) {
		broken_off(conversation, "no connection");
		return;
	}
	loop_change(conversation->courier->loop, &conversation->watch, LOOP_READ);
	feed(conversation, (struct exchange_event){.kind = EXCHANGE_CONNECTED});
}

static void ready(void *context, unsigned events)
{
	struct conversation *conversation = context;

	if (conversation->connecting) {
		connected(conversation);
	} else if (conversation->exchange.stream) {
		if (events & LOOP_WRITE && !(events & LOOP_READ))
			request_write(conversation);
		else
			stream_read(conversation);
	} else {
		datagram_read(conversation);
	}
}

static bool socket_open(struct conversation *conversation, enum transport transport)
{
	const struct exchange *e = &conversation->exchange;
	struct error err;
	int fd;

	socket_close(conversation);
	if (socket_connect(transport, &e->remote->addresses[e->address], &e->remote->source, &fd,
			   &err)) {
		feed(conversation,
		     (struct exchange_event){.kind = EXCHANGE_BROKEN_OFF, .problem = err.text});
		return false;
	}
	conversation->connecting = transport == TRANSPORT_TCP;
	conversation->watch =
		(struct watch){.fd = fd,
			       .wishes = conversation->connecting ? LOOP_WRITE : LOOP_READ,
			       .ready = ready,
			       .context = conversation};
	if (!loop_add(conversation->courier->loop, &conversation->watch, &err)) return true;
	close(fd);
	conversation->watch.fd = -1;
	feed(conversation,
	     (struct exchange_event){.kind = EXCHANGE_BROKEN_OFF, .problem = err.text});
	return false;
}

/* Each attempt leaves from a new port: an answer must guess it (RFC 5452 9.2). */
static void datagram_send(struct conversation *conversation)
{
	const struct exchange *e = &conversation->exchange;
	size_t done;

	if (!socket_open(conversation, TRANSPORT_UDP)) return;
	/* A datagram that the kernel refuses is as good as lost: the next attempt follows. */
	if (socket_send(conversation->watch.fd, span_of(e->request, e->request_len), &done)) return;
}

static void feed(struct conversation *conversation, struct exchange_event event)
{
	struct exchange *e = &conversation->exchange;

	event.now = clock_now();
	event.now_unix_s = clock_unix_s();
	event.random = random_u16();
	enum exchange_action action = exchange_step(e, &event);
	timer_set(conversation->courier->loop, &conversation->timer, e->deadline);
	switch (action) {
	case EXCHANGE_WAIT: break;
	case EXCHANGE_SEND: datagram_send(conversation); break;
	case EXCHANGE_CONNECT: socket_open(conversation, TRANSPORT_TCP); break;
	case EXCHANGE_WRITE: request_begin(conversation); break;
	case EXCHANGE_COLLECT: collect(conversation); break;
	case EXCHANGE_END: finish(conversation); break;
	}
}

static void due(void *context, instant_ns now)
{
	struct conversation *conversation = context;
	struct courier *c = conversation->courier;

	(void)now;
	if (conversation->ended) {
		conversation_free(conversation);
		courier_begin_waiting(c);
		return;
	}
	feed(conversation, (struct exchange_event){.kind = EXCHANGE_TICK});
}

void conversation_continue(struct conversation *conversation)
{
	if (!conversation->collecting || conversation->ended) return;
	if (loop_add(conversation->courier->loop, &conversation->watch, NULL)) {
		broken_off(conversation, "the socket cannot be watched");
		return;
	}
	conversation->collecting = false;
	collect(conversation);
	messages_take(conversation);
}

enum code conversation_start(struct courier *c, const struct message_exchange *order)
{
	struct conversation *conversation = malloc(sizeof *conversation);
	const struct remote *remote = &c->policy->remotes[order->remote];

	if (!conversation) return E_NOMEM;
	memset(conversation, 0, offsetof(struct conversation, in));
	conversation->courier = c;
	conversation->id = order->id;
	conversation->remote = order->remote;
	conversation->is_transfer = order->kind == EXCHANGE_TRANSFER;
	conversation->watch.fd = -1;
	conversation->timer = (struct timer){.due = due, .context = conversation};
	exchange_init(&conversation->exchange, order->kind, remote, name_of(&order->zone),
		      &c->policy->limits, c->crypto);
	conversation->exchange.serial = order->serial;
	conversation->next = c->running;
	c->running = conversation;
	c->running_count++;
	if (conversation->is_transfer) c->transfer_count++;
	feed(conversation, (struct exchange_event){.kind = EXCHANGE_START});
	return OK;
}
