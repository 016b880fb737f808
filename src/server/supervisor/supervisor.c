/* SPDX-License-Identifier: Apache-2.0 */
#include "server/supervisor.h"
#include "host/notify.h"
#include "host/random.h"
#include "host/sandbox.h"
#include "host/unix_socket.h"
#include "server/log.h"
#include "server/supervisor/parts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- the end --- */

void supervisor_stop_continue(struct supervisor *s)
{
	if (wards_are_gone(s)) {
		loop_stop(s->loop);
		return;
	}
	if (s->keeper_told || s->wards[PROCESS_FRONT].child.pid > 0 ||
	    s->wards[PROCESS_COURIER].child.pid > 0)
		return;
	/* Last, as the others' last words go to it. */
	s->keeper_told = true;
	timer_set_after(s->loop, &s->patience, STOP_PATIENCE_NS - KEEPER_PATIENCE_NS);
	ward_tell_to_stop(&s->wards[PROCESS_KEEPER]);
}

static void patience_over(void *context, instant_ns now)
{
	struct supervisor *s = context;

	(void)now;
	if (!s->keeper_told) {
		s->keeper_told = true;
		timer_set_after(s->loop, &s->patience, STOP_PATIENCE_NS - KEEPER_PATIENCE_NS);
		ward_tell_to_stop(&s->wards[PROCESS_KEEPER]);
		return;
	}
	for (enum process_role role = 0; role < PROCESS_COUNT; role++) {
		if (s->wards[role].child.pid <= 0) continue;
		LOG(EVENT_PROCESS_KILLED, log_text("process", process_role_name(role)));
		ward_kill(&s->wards[role]);
	}
}

void supervisor_stop(struct supervisor *s, int exit_status)
{
	if (s->is_stopping) return;
	s->is_stopping = true;
	s->exit_status = exit_status;
	LOG(EVENT_STOP, log_int("exit", exit_status));
	notify_send(s->notify_fd, "STOPPING=1");
	timer_set_after(s->loop, &s->patience, KEEPER_PATIENCE_NS);
	ward_tell_to_stop(&s->wards[PROCESS_FRONT]);
	ward_tell_to_stop(&s->wards[PROCESS_COURIER]);
	supervisor_stop_continue(s);
}

/* --- while it runs --- */

void supervisor_ready(struct supervisor *s)
{
	if (s->was_ready || s->is_stopping) return;
	s->was_ready = true;
	LOG(EVENT_READY, log_uint("addresses", s->ports.count));
	puts("ready");
	fflush(stdout);
	notify_send(s->notify_fd, "READY=1");
}

static void signal_arrived(void *context, int number)
{
	struct supervisor *s = context;

	if (number != SIGHUP) {
		/* Said twice: whoever says it does not want to wait. */
		if (s->is_stopping) {
			s->keeper_told = true;
			timer_set(s->loop, &s->patience, loop_now(s->loop));
		}
		supervisor_stop(s, EXIT_SUCCESS);
		return;
	}
	/* First the walls: what the keeper is to read may stand in a new folder. */
	s->reading.after_sighup = true;
	plan_read_again(s);
}

/* --- the start --- */

static enum code plan_accept(struct supervisor *s, struct error *err)
{
	uint32_t workers = s->plan.workers ? s->plan.workers : processor_count();
	const struct user *user = NULL;
	bool changed;
	enum code code;

	s->ports.worker_count = workers < PLAN_WORKERS_MAX ? workers : PLAN_WORKERS_MAX;
	random_bytes(&s->cookie_seed, sizeof s->cookie_seed);
	/* Who is not root stays who he is; a test or a container need not know the user. */
	s->has_user = geteuid() == 0 && *s->plan.user;
	if (s->has_user && (code = user_find(s->plan.user, &s->user, err))) return code;
	if (s->has_user) user = &s->user;
	if ((code = folder_ensure(s->plan.state, user, err)))
		return error_prefix(err, "server: state");
	if ((code = control_open(s, err))) return code;
	return ports_open(&s->ports, &s->plan, true, &changed, err);
}

static enum code confine(struct supervisor *s, struct error *err)
{
	const struct sandbox_plan plan = {.profile = SANDBOX_SUPERVISE,
					  .user = s->has_user ? &s->user : NULL};
	struct process_state *state = &s->wards[PROCESS_SUPERVISOR].state;
	struct walls walls;
	enum code code = sandbox_enter(&plan, &walls, err);

	if (!code) walls_print(&walls, state->walls, sizeof state->walls);
	return code;
}

static enum code signals_take(struct supervisor *s, struct error *err)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	s->signals = (struct signals){.arrived = signal_arrived, .context = s};
	return signals_open(s->loop, &s->signals, &set, err);
}

/* E_SYNTAX: told already by the process that read the configuration. */
static enum code start(struct supervisor *s, struct error *err)
{
	enum code code;

	descriptors_raise();
	if ((code = loop_new(&s->loop, err))) return code;
	wards_init(s);
	s->patience = (struct timer){.due = patience_over, .context = s};
	if ((code = plan_obtain(s, err))) return code;
	if ((code = plan_accept(s, err))) return code;
	if ((code = confine(s, err))) return code;
	if ((code = signals_take(s, err))) return code;
	ward_start(&s->wards[PROCESS_KEEPER]);
	ward_start(&s->wards[PROCESS_FRONT]);
	ward_start(&s->wards[PROCESS_COURIER]);
	return OK;
}

_Noreturn void supervisor_main(const char *config_path)
{
	struct supervisor *s = calloc(1, sizeof *s);
	struct error err;
	int exit_status = EXIT_FAILURE;

	log_open(process_role_name(PROCESS_SUPERVISOR));
	if (!s) _exit(EXIT_FAILURE);
	s->config_path = config_path;
	s->policy_fd = -1;
	s->notify_fd = notify_open();
	LOG(EVENT_START, log_text("version", LOCKSTEP_VERSION), log_text("config", config_path));
	enum code code = start(s, &err);
	if (!code) {
		loop_run(s->loop);
		exit_status = s->exit_status;
		LOG(EVENT_STOPPED, log_int("exit", exit_status));
	} else if (code != E_SYNTAX) {
		LOG(EVENT_START_FAILED, log_error(&err));
	}
	reading_end(s);
	control_close(s);
	ports_close(&s->ports);
	loop_free(s->loop);
	if (s->notify_fd >= 0) close(s->notify_fd);
	free(s);
	_exit(exit_status);
}
