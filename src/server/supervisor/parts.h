/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parts.h - the supervisor from the inside; only this folder includes it.
 *
 *   supervisor.c      start, signals, orderly end
 *   reading.c         the plan: from a process that parses the configuration
 *   ports.c           listening sockets
 *   wards.c           the processes: started, told, started again
 *   control_socket.c  its clients, and an answer while the keeper is down
 */
#ifndef SERVER_SUPERVISOR_PARTS_H
#define SERVER_SUPERVISOR_PARTS_H

#include "host/child.h"
#include "host/loop.h"
#include "host/machine.h"
#include "server/brief.h"
#include "server/channel.h"
#include "server/plan.h"

#define RESTART_MIN_NS     (100 * NS_PER_MS)
#define RESTART_MAX_NS     (10 * NS_PER_S)
#define HEALTHY_NS         (60 * NS_PER_S) /* so long, and the next restart is a first one */
#define STOP_PATIENCE_NS   (5 * NS_PER_S)  /* for everybody; then they are killed */
#define KEEPER_PATIENCE_NS (2 * NS_PER_S)  /* for front and courier, before the keeper is told */
#define CALLER_PATIENCE_NS (5 * NS_PER_S)
#define ADDRESS_PATIENCE_S 3 /* for an address that the host is about to have */

struct supervisor;

/* One address: a UDP socket for each worker, one TCP socket for all. */
struct port {
	struct endpoint at;
	int udp[PLAN_WORKERS_MAX];
	int tcp;
};

struct ports {
	struct port *list[PLAN_LISTEN_MAX];
	size_t count;
	uint32_t worker_count;
};

/* A process that we look after. */
struct ward {
	struct supervisor *supervisor;
	enum process_role role;
	struct child child; /* pid 0: none */
	struct watch watch;
	struct channel *channel;
	struct timer restart;
	duration_ns backoff_ns;
	instant_ns started_at;
	bool is_ready;
	bool is_renewed; /* it was told to end, to come back with another brief */
	struct process_state state;
};

struct caller {
	struct supervisor *supervisor;
	struct watch watch; /* fd -1: free */
	struct timer patience;
	size_t len;
	char request[CALLER_OCTETS_MAX];
};

struct control {
	char path[PLAN_CONTROL_TEXT_MAX];
	struct acceptor acceptor;
	struct watch watch;
	struct timer pause;
	struct caller callers[CALLERS_MAX];
};

/* The process that reads the configuration while the server runs. */
struct reading {
	struct child child;
	struct watch watch;
	int plan_fd, policy_fd;
	bool again;        /* it was asked for once more meanwhile */
	bool after_sighup; /* the keeper is to be told when it is done */
};

/* What the plan cannot know: files that a zone file includes from elsewhere. */
struct read_also {
	char paths[READ_ALSO_MAX][PLAN_PATH_TEXT_MAX];
	size_t count;
};

struct supervisor {
	struct loop *loop;
	const char *config_path;
	struct plan plan;
	int policy_fd; /* what plan_obtain read, packed, for the first keeper; -1: none */
	bool has_user;
	struct user user;
	struct siphash_key
		cookie_seed; /* random, so that a front that starts again takes cookies */
	struct ports ports;
	struct ward wards[PROCESS_COUNT]; /* the supervisor's own has only a state */
	struct control control;
	struct reading reading;
	struct read_also read_also;
	struct signals signals;
	struct timer patience;
	int notify_fd;
	bool was_ready;
	bool states_changed; /* the keeper was not told yet */
	bool is_stopping;
	bool keeper_told; /* while stopping: to stop */
	int exit_status;
};

/* --- supervisor.c --- */

/* Begins the orderly end; the server will return `exit_status`. */
void supervisor_stop(struct supervisor *s, int exit_status);
/* A process is gone while stopping: goes on with the end. */
void supervisor_stop_continue(struct supervisor *s);
/* The front answers. */
void supervisor_ready(struct supervisor *s);

/* --- reading.c --- */

/* Waits for the plan, at the start. E_SYNTAX: the configuration is wrong, and was told. */
must_use enum code plan_obtain(struct supervisor *s, struct error *err);

/* Reads it again without waiting; then opens, closes and renews what differs. */
void plan_read_again(struct supervisor *s);
/* The keeper may read the folder of this file from its next start on, which is now. */
void plan_read_also(struct supervisor *s, struct span path);
void reading_end(struct supervisor *s);

/* --- ports.c --- */

/*
 * Opens what the plan names and keeps what is open already. With `first`, any address
 * that was asked for and cannot be had is an error, and nothing stays open; later it
 * is told in the log. `changed` when anything was opened or closed.
 */
must_use enum code ports_open(struct ports *ports, const struct plan *plan, bool first,
			      bool *changed, struct error *err);
void ports_close(struct ports *ports);

/* --- wards.c --- */

void wards_init(struct supervisor *s);
/* Starts a process; when that fails it is tried again later. */
void ward_start(struct ward *w);
/* Tells it to end and, unless the server stops, starts it anew. */
void ward_renew(struct ward *w);
void ward_tell_to_stop(struct ward *w);
void ward_kill(struct ward *w);
/* Tells the keeper how the processes are, as soon as it can hear it. */
void wards_tell_states(struct supervisor *s);
bool wards_are_gone(const struct supervisor *s);

/* --- control_socket.c --- */

must_use enum code control_open(struct supervisor *s, struct error *err);
void control_close(struct supervisor *s);

#endif
