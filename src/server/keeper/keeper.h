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
 *   starting.c    zones from packs, at the start
 *   publishing.c  images, segments, the front
 *   packer.c      images into packs, packs verified and compacted
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
	struct store *opened; /* the thread's, once there is one */
	struct store_thread *thread;
	struct watch watch;
	struct timer upkeep_timer, recovery_timer;
	unsigned recovery_count;
	char problem[ERROR_TEXT_MAX]; /* why no change is accepted; "" */
};

/* What the front is still to be told, and what it has not confirmed. */
struct keeper_roster {
	struct zone *awaiting;             /* zones whose publication the front has not confirmed */
	struct zone *unsent, *unsent_last; /* in the order in which they go out */
	size_t unsent_count;
	uint64_t generation; /* of the newest publication */
	bool is_open;        /* the front was not told yet that it has everything */
};

/* Images on their way into packs, and what watches over packs: packer.c. */
struct keeper_packer {
	struct folder *folder; /* NULL: no packs are written */
	struct workers *workers;
	struct wakeup wakeup;
	struct timer timer;
	struct zone *first, *last; /* zones whose image is to be packed */
	size_t waiting;
	uint64_t waiting_octets;
	struct packing *packing;   /* under way, or moving to the front; NULL */
	struct checking *checking; /* a pack that is being verified; NULL */
	uint64_t last_number;
	instant_ns retry_at; /* after a failure to write */
	char problem[ERROR_TEXT_MAX];
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
	/* Zones whose files are to be asked of the store, before they are looked at. */
	struct zone *files, *files_last;
	size_t files_under_way;
	size_t loading_first; /* zones that have no version yet and read their file */
};

/* Zone files that are read, beside the loop too, and those that wait for their turn. */
struct keeper_reads {
	struct workers *workers;
	struct wakeup wakeup;
	struct zone *first, *last; /* that wait */
	size_t zone_count, octets; /* of those whose file is read or a candidate */
	bool is_stopping;
};

/* Zones whose question to a primary the courier is to take. */
struct keeper_asking {
	struct zone *first, *last;
	uint64_t last_id; /* of an exchange */
	bool had_courier; /* without one, once it was there, a question fails at once */
};

/* What machines are given with each event. */
struct keeper_feeding {
	char *problem_room; /* for the next zone that has a problem */
	uint64_t jitter;    /* the state of a generator: spread is wanted, not secrecy */
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
	struct keeper_packer packer;
	struct keeper_asking asking;
	uint64_t image_seed;
	uint8_t boot[16]; /* which boot of the machine this is */
	struct client *clients;
	struct message_processes processes;
	struct keeper_feeding feeding;
	uint64_t started_unix_s;
	uint64_t applied_unix_s;             /* the configuration in force */
	char config_problem[ERROR_TEXT_MAX]; /* why the newest one is not; "" */
};

/* The keeper process. */
int keeper_main(struct process *process);

/* The zone of this name; NULL. */
struct zone *keeper_zone_find(const struct keeper *k, struct name name);

#endif
