/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - what each process of the server is given, and how it lives.
 *
 * A process is this binary, started by the supervisor as "lockstep --process ROLE".
 * process_main() reads its brief, puts up the walls and calls the role's main, which
 * sets up what it needs, calls process_run() and returns its exit status. The main
 * thread owns the process, its loop and its channels; other threads only log.
 *
 *   int front_main(struct process *process)
 *   {
 *           struct process_events events = {
 *                   .peers[PROCESS_KEEPER] = {.up = ..., .down = ..., .received = ...},
 *                   .stop = ..., .context = &front};
 *           ...
 *           return process_run(process, &events);
 *   }
 */
#ifndef SERVER_PROCESS_H
#define SERVER_PROCESS_H

#include "base/address.h"
#include "base/siphash.h"
#include "host/loop.h"
#include "host/socket.h"
#include "server/channel.h"
#include "server/plan.h"

enum {
	/* Exit statuses of a process: what the supervisor makes of them. */
	PROCESS_EXIT_DONE = 0,    /* it was told to stop */
	PROCESS_EXIT_FAILED = 70, /* it cannot go on; a new one may */
	PROCESS_EXIT_REFUSED = 78 /* it cannot start, nor could another: the admin is needed */
};

/* A socket that the front was given. UDP ones are one a worker, TCP ones for all of them. */
struct listener {
	struct endpoint at;
	uint32_t transport; /* enum transport */
	uint32_t worker;    /* of a UDP socket: 0 .. worker_count-1 */
	int32_t fd;
};

/* What happens on the channel to one peer. Each may be NULL. */
struct process_peer_events {
	/* It is there, at the start or again; the channel is owned by the process. */
	void (*up)(void *context, struct channel *channel);
	/* It is gone, and `channel` is no more; another will come. */
	void (*down)(void *context);
	void (*received)(void *context, struct channel_message *message);
	void (*has_room)(void *context);
};

struct process_events {
	/* PROCESS_SUPERVISOR: what is not dealt with here (RELOAD, CONTROL_CLIENT, PROCESSES). */
	struct process_peer_events peers[PROCESS_COUNT];
	/* End in an orderly way, then call process_end(). NULL: end at once. */
	void (*stop)(void *context);
	void *context;
};

/* Everything here is set before the role's main runs; it may read all and write nothing. */
struct process {
	enum process_role role;
	struct loop *loop;
	uint32_t worker_count;
	const char *config_path;
	const char *state_path;
	const struct listener *listeners; /* of the front; empty for the others */
	size_t listener_count;
	char walls[WALLS_TEXT_MAX];

	/* NULL: not there now, or never; only the supervisor is before process_run() */
	struct channel *peers[PROCESS_COUNT];
	bool told[PROCESS_COUNT]; /* the supervisor knows that this peer failed */
	struct process_events events;
	bool is_stopping;
	int exit_status;
	struct span brief; /* the sealed memory that all of this came in */
	int policy_fd;     /* of the keeper: the policy, packed; -1: it reads the files itself */
	uint64_t policy_len;
	struct siphash_key cookie_seed; /* of the front: cookie_secrets_of_day */
};

/* The mains of the roles, for whoever starts processes (src/main.c, or a test). */
struct process_programs {
	int (*mains[PROCESS_COUNT])(struct process *process); /* none of the supervisor */
	/*
	 * Reads the configuration at `path` into `plan`, and packed for the keeper into the
	 * memory `policy_fd`; prints what is wrong with it.
	 */
	enum code (*read)(const char *path, struct plan *plan, int policy_fd);
};

/* Whether this command line is that of a process which the supervisor started. */
bool process_is_meant(int argc, char **argv);

/*
 * Runs the process that the command line names, and ends the program with its exit
 * status: behind walls there is nothing that exit handlers may still do.
 */
_Noreturn void process_main(const struct process_programs *programs, int argc, char **argv);

/* Serves channels, timers and watches until process_end(); returns the exit status. */
must_use int process_run(struct process *process, const struct process_events *events);

/* Ends process_run() after the current callback. */
void process_end(struct process *process, int exit_status);

/* Tells the supervisor that the process does its work now; also before process_run(). */
void process_ready(struct process *process);

/*
 * Asks the supervisor to end `peer` and start it anew: it broke a rule, or no longer
 * takes what it must be told. Its channel stays until down() is called.
 */
void process_peer_failed(struct process *process, enum process_role peer);

/*
 * For the keeper, when `path` (absolute) could not be read: false, when its walls are
 * not why. Otherwise the supervisor is asked to open its folder, and the keeper will be
 * told to stop, to come back with wider walls.
 */
bool process_read_also(struct process *process, const char *path);

/* Logs why it cannot go on, and ends; a new process will be started. */
_Noreturn void process_fail(struct process *process, const char *format, ...) printf_like(2, 3);

/* The same where a new process could not start either: before "ready", the server ends. */
_Noreturn void process_refuse(struct process *process, const char *format, ...) printf_like(2, 3);

#endif
