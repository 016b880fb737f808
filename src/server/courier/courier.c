/* SPDX-License-Identifier: Apache-2.0 */
#include "server/courier/courier.h"

#include "config/pack.h"
#include "host/memfd.h"

#include <stdio.h>
#include <stdlib.h>

void courier_refuse(struct courier *c, const struct message_exchange *order, const char *why)
{
	struct message_exchange_end end = {.id = order->id, .outcome = EXCHANGE_FAILED};

	snprintf(end.text, sizeof end.text, "%s", why);
	if (c->keeper && channel_send(c->keeper, MESSAGE_EXCHANGE_END, &end, (struct span){0}, -1))
		process_peer_failed(c->process, PROCESS_KEEPER);
}

static size_t transfers_from(const struct courier *c, uint32_t remote)
{
	size_t count = 0;

	for (const struct conversation *one = c->running; one; one = one->next)
		count += one->is_transfer && !one->ended && one->remote == remote;
	return count;
}

static bool may_begin(const struct courier *c, const struct message_exchange *order)
{
	const struct limit_policy *limits = &c->policy->limits;

	if (c->running_count >= CONVERSATIONS_MAX) return false;
	return order->kind != EXCHANGE_TRANSFER ||
	       (c->transfer_count < limits->transfers_in &&
		transfers_from(c, order->remote) < limits->transfers_in_per_remote);
}

static void begin(struct courier *c, const struct message_exchange *order)
{
	if (order->remote >= c->policy->remote_count)
		courier_refuse(c, order, "the remote is not configured any more");
	else if (conversation_start(c, order))
		courier_refuse(c, order, "no memory for an exchange");
}

void courier_begin_waiting(struct courier *c)
{
	struct waiting **link = &c->waiting;

	while (*link && c->running_count < CONVERSATIONS_MAX) {
		struct waiting *waiting = *link;
		if (!may_begin(c, &waiting->order)) {
			link = &waiting->next;
			continue;
		}
		*link = waiting->next;
		if (!waiting->next) c->waiting_end = link;
		c->waiting_count--;
		begin(c, &waiting->order);
		free(waiting);
	}
}

static void order_take(struct courier *c, const struct message_exchange *order)
{
	struct waiting *waiting;

	if (!c->policy || order->kind >= EXCHANGE_KIND_COUNT || order->zone.len == 0) return;
	if (may_begin(c, order)) {
		begin(c, order);
		return;
	}
	waiting = c->waiting_count < CONVERSATIONS_WAITING_MAX ? malloc(sizeof *waiting) : NULL;
	if (!waiting) {
		courier_refuse(c, order, "too many exchanges wait already");
		return;
	}
	*waiting = (struct waiting){.order = *order};
	*c->waiting_end = waiting;
	c->waiting_end = &waiting->next;
	c->waiting_count++;
}

static void forget(struct courier *c, uint64_t id)
{
	for (struct conversation *one = c->running; one; one = one->next) {
		if (one->id != id) continue;
		conversation_free(one);
		courier_begin_waiting(c);
		return;
	}
	for (struct waiting **link = &c->waiting; *link; link = &(*link)->next) {
		struct waiting *waiting = *link;
		if (waiting->order.id != id) continue;
		*link = waiting->next;
		if (!waiting->next) c->waiting_end = link;
		c->waiting_count--;
		free(waiting);
		return;
	}
}

static void forget_everything(struct courier *c)
{
	while (c->running) conversation_free(c->running);
	while (c->waiting) {
		struct waiting *next = c->waiting->next;
		free(c->waiting);
		c->waiting = next;
	}
	c->waiting_end = &c->waiting;
	c->waiting_count = 0;
}

/* What runs was asked under the old policy: it ends, and the keeper asks anew where it cares. */
static void policy_take(struct courier *c, int fd)
{
	struct arena *arena = arena_new(POLICY_OCTETS_MAX);
	const struct policy *policy = NULL;
	struct span packed = {0};
	struct error err = {0};
	enum code code = arena ? memfd_map(fd, 0, &packed, &err) : E_NOMEM;

	if (!code) code = policy_unpack(packed, arena, &policy, &err);
	if (packed.ptr) memfd_unmap(packed);
	if (code) process_fail(c->process, "the keeper's policy cannot be read: %s", err.text);
	forget_everything(c);
	arena_free(c->arena);
	c->arena = arena;
	c->policy = policy;
}

static void received(void *context, struct channel_message *message)
{
	struct courier *c = context;

	switch (message->kind) {
	case MESSAGE_COURIER_POLICY: policy_take(c, message->fd); break;
	case MESSAGE_EXCHANGE: order_take(c, message->body); break;
	case MESSAGE_EXCHANGE_CANCEL:
		forget(c, ((const struct message_exchange_id *)message->body)->id);
		break;
	default: break;
	}
}

static void has_room(void *context)
{
	struct courier *c = context;

	for (struct conversation *one = c->running, *next; one; one = next) {
		next = one->next;
		conversation_continue(one);
	}
}

static void keeper_up(void *context, struct channel *channel)
{
	struct courier *c = context;

	c->keeper = channel;
}

/* Nobody waits for the answers of what runs: a new keeper asks anew. */
static void keeper_down(void *context)
{
	struct courier *c = context;

	c->keeper = NULL;
	forget_everything(c);
}

static void stop(void *context)
{
	struct courier *c = context;

	process_end(c->process, PROCESS_EXIT_DONE);
}

int courier_main(struct process *process)
{
	struct courier courier = {.process = process, .loop = process->loop};
	struct process_events events = {
		.peers[PROCESS_KEEPER] = {.up = keeper_up,
					  .down = keeper_down,
					  .received = received,
					  .has_room = has_room},
		.stop = stop,
		.context = &courier,
	};
	struct error err;
	int status;

	courier.waiting_end = &courier.waiting;
	courier.crypto = crypto_new(&err);
	if (!courier.crypto) process_refuse(process, "%s", err.text);
	process_ready(process);
	status = process_run(process, &events);
	forget_everything(&courier);
	arena_free(courier.arena);
	crypto_free(courier.crypto);
	return status;
}
