/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.c - the process: what it is connected to, how it starts and ends. */
#include "server/keeper/keeper.h"

#include "host/clock.h"
#include "host/random.h"
#include "server/keeper/configuring.h"
#include "server/keeper/control.h"
#include "server/keeper/packer.h"
#include "server/keeper/storing.h"

#include <stdlib.h>

struct zone *keeper_zone_find(const struct keeper *k, struct name name)
{
	size_t low = 0, high = k->zone_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = name_compare(k->zones[middle]->machine.policy->name, name);
		if (order == 0) return k->zones[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void front_up(void *context, struct channel *channel)
{
	struct keeper *k = context;

	k->front = channel;
	front_greet(k);
}

static void front_down(void *context)
{
	struct keeper *k = context;

	k->front = NULL;
	stats_unavailable(k);
}

static void courier_up(void *context, struct channel *channel)
{
	struct keeper *k = context;

	k->courier = channel;
	courier_greet(k);
}

static void courier_down(void *context)
{
	struct keeper *k = context;

	k->courier = NULL;
	courier_lost(k);
}

static void from_front(void *context, struct channel_message *message)
{
	front_received(context, message);
}

static void front_room(void *context)
{
	front_continue(context);
}

static void from_courier(void *context, struct channel_message *message)
{
	courier_received(context, message);
}

static void courier_room(void *context)
{
	courier_continue(context);
}

static void from_supervisor(void *context, struct channel_message *message)
{
	struct keeper *k = context;

	switch (message->kind) {
	case MESSAGE_RELOAD: keeper_reload(k); break;
	case MESSAGE_PROCESSES: memcpy(&k->processes, message->body, sizeof k->processes); break;
	case MESSAGE_CONTROL_CLIENT:
		client_new(k, message->fd);
		message->fd = -1;
		break;
	default: break;
	}
}

static void stop(void *context)
{
	struct keeper *k = context;

	process_end(k->process, PROCESS_EXIT_DONE);
}

static void keeper_free(struct keeper *k)
{
	clients_free(k);
	keeper_reads_stop(k);
	packer_close(k);
	keeper_store_close(k);
	for (uint32_t i = 0; i < k->slots.count; i++) zone_free(k->slots.list[i]);
	free(k->zones);
	free(k->slots.list);
	segments_clear(&k->segments);
	free(k->feeding.problem_room);
	arena_free(k->policy_arena);
	crypto_free(k->crypto);
}

static void keeper_start(struct keeper *k)
{
	struct error err;

	k->crypto = crypto_new(&err);
	if (!k->crypto) process_refuse(k->process, "%s", err.text);
	if (keeper_configure(k)) process_refuse(k->process, "the configuration is not usable");
	if (keeper_store_open(k, &err)) process_refuse(k->process, "%s", err.text);
	if (keeper_reads_start(k, &err)) process_refuse(k->process, "%s", err.text);
	if (keeper_zones_start(k, &err)) process_refuse(k->process, "%s", err.text);
	if (keeper_store_run(k, &err)) process_refuse(k->process, "%s", err.text);
	keeper_restore(k);
	process_ready(k->process);
}

int keeper_main(struct process *process)
{
	struct keeper k = {
		.process = process,
		.loop = process->loop,
		.image_seed = random_u64(),
		/* Above every generation of a keeper that ran before in this boot. */
		.roster.generation = (uint64_t)clock_now(),
		.started_unix_s = clock_unix_s(),
	};
	struct process_events events = {
		.peers[PROCESS_FRONT] = {front_up, front_down, from_front, front_room},
		.peers[PROCESS_COURIER] = {courier_up, courier_down, from_courier, courier_room},
		.peers[PROCESS_SUPERVISOR] = {.received = from_supervisor},
		.stop = stop,
		.context = &k,
	};
	int status;

	segments_init(&k.segments);
	keeper_start(&k);
	status = process_run(process, &events);
	keeper_free(&k);
	return status;
}
