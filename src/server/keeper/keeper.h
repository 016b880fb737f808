/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.h - the keeper process: the truth, and the way a change takes into it.
 *
 * It runs one keeper machine (engine/keeper) for each zone: turns files, answers of
 * the courier and the front, commits and timers into its events, and its actions into
 * reading, storing, building and telling. It decides nothing. One thread, beside it
 * the store's and those that read zone files.
 *
 *   keeper.c      the process: start, channels, stop
 *   zones.c       the machines: events in, actions out
 *   reading.c     zone files
 *   storing.c     commits
 *   publishing.c  images, segments, the front
 *   exchanges.c   the courier
 *   configuring.c the configuration: into force, and again
 *   control.c     clients of the control socket; commands.c and status.c answer them
 */
#ifndef SERVER_KEEPER_KEEPER_H
#define SERVER_KEEPER_KEEPER_H

#include "config/config.h"
#include "engine/keeper/keeper.h"
#include "host/loop.h"
#include "host/workers.h"
#include "server/channel.h"
#include "server/keeper/segments.h"
#include "server/log.h"
#include "server/messages.h"
#include "server/process.h"
#include "store/store.h"
#include "store/thread.h"

struct client;
struct zone;

/* The store, which works beside the loop. */
struct keeper_store {
	struct store_thread *thread;
	struct watch watch;
	struct timer upkeep_timer, recovery_timer;
	unsigned recovery_count;
	char problem[ERROR_TEXT_MAX]; /* why no change is accepted; "" */
};

/* What the front is still to be told, and what it has not confirmed. */
struct keeper_roster {
	struct zone *awaiting; /* zones whose publication the front has not confirmed */
	size_t unsent_from;    /* zones before this index are sent */
	bool is_open;          /* the front was not told yet that it has everything */
};

/* Zones by the number that stands for them in messages; never given twice. */
struct keeper_slots {
	struct zone **list;
	uint32_t count, capacity;
};

/* How far the start has come. */
struct keeper_restore {
	size_t from;      /* zones before this index have begun */
	size_t under_way; /* at the store */
};

/* Zone files that are read, beside the loop too, and those that wait for their turn. */
struct keeper_reads {
	struct workers *workers;
	struct wakeup wakeup;
	struct zone *first, *last; /* that wait */
	size_t zone_count, octets; /* of those whose file is read or a candidate */
	bool is_stopping;
};

struct keeper {
	struct process *process;
	struct loop *loop;
	struct crypto *crypto;
	struct channel *front, *courier; /* NULL while the other process is down */
	struct arena *policy_arena;
	const struct policy *policy;
	struct zone **zones; /* in canonical order of their names */
	size_t zone_count;
	struct keeper_slots slots;
	struct keeper_restore restore;
	struct keeper_roster roster;
	struct keeper_store store;
	struct keeper_reads reads;
	struct segments segments;
	uint64_t image_seed;
	uint64_t generation; /* of the newest publication */
	uint64_t last_exchange;
	uint8_t boot[16]; /* which boot of the machine this is */
	struct client *clients;
	struct message_processes processes;
	char *problem_room; /* for the next zone that has a problem */
	uint64_t started_unix_s;
	uint64_t applied_unix_s;             /* the configuration in force */
	char config_problem[ERROR_TEXT_MAX]; /* why the newest one is not; "" */
};

/* The keeper process. */
int keeper_main(struct process *process);

/* The zone of this name; NULL. */
struct zone *keeper_zone_find(const struct keeper *k, struct name name);

#endif
