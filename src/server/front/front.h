/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front.h - the process that answers: queries, transfers out, NOTIFY in.
 *
 * A control thread, which is the process's main thread, talks to the keeper and keeps
 * the roster; one thread a worker answers. They share the directory and the policy in
 * force (both lock-free), the mailbox, and counters; workers never touch a channel.
 *
 *   front.c       the process: the keeper's messages, and what it is told
 *   roster.c      segments, policies, zones as published, and when they may go
 *   mailbox.c     from the workers to the control thread
 *   worker.c      a thread: its loop, UDP by the batch
 *   connection.c  TCP
 *   request.c     one request of either transport
 *   refusals.c    requests to transfer and NOTIFYs that were refused, in the log
 *
 * The process opens no file and connects to nobody.
 */
#ifndef SERVER_FRONT_FRONT_H
#define SERVER_FRONT_FRONT_H

#include "server/front/mailbox.h"
#include "server/front/roster.h"
#include "server/process.h"

enum { SOURCE_COUNTS = 1 << 16 };

struct worker;

/* What workers see of the process; constant while they run, but for the atomics within. */
struct front_shared {
	const struct process *process;
	struct roster *roster; /* of it only `directory` and `policy` */
	struct mailbox *mailbox;
	struct worker *workers;    /* process->worker_count */
	_Atomic bool is_complete;  /* the keeper has named all its zones once */
	_Atomic uint32_t tcp_open; /* connections of all workers, */
	/* and those of them from sources of one hash each: more than one source's only by chance.
	 */
	_Atomic uint32_t source_counts[SOURCE_COUNTS];
	struct siphash_key source_key;
};

struct front {
	struct process *process;
	struct loop *loop;
	struct channel *keeper; /* NULL while it is down */
	bool is_deaf;           /* the keeper broke a rule: what it still says is not heard */
	bool has_roster;        /* the keeper that is there has named all its zones */
	bool is_ready;          /* the supervisor was told */
	struct roster roster;
	struct mailbox mailbox;
	struct note held; /* taken from the mailbox, not taken by the channel */
	bool holds_note;
	uint64_t told_serving, told_released;
	struct timer flush;   /* at the end of a turn in which something came */
	struct timer reclaim; /* something is not released yet */
	duration_ns reclaim_pause;
	struct timer patience; /* then workers start without the whole roster */
	struct front_shared shared;
	unsigned worker_count; /* that run: none until the roster is whole, or patience ends */
};

/* The main of the process. */
int front_main(struct process *process);

#endif
