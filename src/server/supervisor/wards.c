/* SPDX-License-Identifier: Apache-2.0 */
#include "host/clock.h"
#include "host/memfd.h"
#include "server/log.h"
#include "server/supervisor/parts.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Descriptors for a child that starts; closed here as soon as it has them. */
struct outfit {
	struct brief brief;
	struct listener listeners[BRIEF_LISTENERS_MAX];
	int fds[3 + PROCESS_COUNT + BRIEF_LISTENERS_MAX];
	size_t fd_count;
	size_t own_count; /* the first ones are only the child's; the rest stay with us */
	int supervisor_end;
	int peer_ends[PROCESS_COUNT]; /* for those that run already; -1: none */
};

static bool is_running(const struct ward *w)
{
	return w->child.pid > 0;
}

bool wards_are_gone(const struct supervisor *s)
{
	for (enum process_role role = 0; role < PROCESS_COUNT; role++)
		if (is_running(&s->wards[role])) return false;
	return true;
}

void wards_tell_states(struct supervisor *s)
{
	struct message_processes body = {.head = {0}};
	struct ward *keeper = &s->wards[PROCESS_KEEPER];

	if (!keeper->channel) return;
	for (enum process_role role = 0; role < PROCESS_COUNT; role++)
		body.states[role] = s->wards[role].state;
	s->states_changed =
		channel_send(keeper->channel, MESSAGE_PROCESSES, &body, span_of(NULL, 0), -1) != OK;
}

/* --- what a process says --- */

void ward_kill(struct ward *w)
{
	if (is_running(w)) child_signal(&w->child, SIGKILL);
}

static void ready_received(struct ward *w, const struct message_ready *ready)
{
	memcpy(w->state.walls, ready->walls, sizeof w->state.walls);
	w->state.walls[sizeof w->state.walls - 1] = '\0';
	w->is_ready = true;
	LOG(EVENT_PROCESS_READY, log_text("process", process_role_name(w->role)));
	wards_tell_states(w->supervisor);
	/* Commands are answered by the keeper: "ready" means both. */
	if (w->supervisor->wards[PROCESS_FRONT].is_ready &&
	    w->supervisor->wards[PROCESS_KEEPER].is_ready)
		supervisor_ready(w->supervisor);
}

static void peer_broke_received(struct ward *w, const struct message_peer *body)
{
	struct supervisor *s = w->supervisor;

	if (body->role >= PROCESS_COUNT || body->role == w->role || s->is_stopping) return;
	LOG(EVENT_PROCESS_BROKE, log_text("process", process_role_name(body->role)),
	    log_text("told_by", process_role_name(w->role)));
	ward_kill(&s->wards[body->role]);
}

static void log_level_wished(struct supervisor *s, const struct message_log_level *body)
{
	const struct message_log_level level = {.level = body->level};

	if (level.level >= LEVEL_COUNT) return;
	log_level_set((enum log_level)level.level);
	for (enum process_role role = 0; role < PROCESS_COUNT; role++) {
		struct ward *w = &s->wards[role];
		if (w->channel && channel_send(w->channel, MESSAGE_LOG_LEVEL, &level,
					       span_of(NULL, 0), -1) == E_LIMIT)
			ward_kill(w);
	}
}

static void ward_received(void *context, struct channel_message *message)
{
	struct ward *w = context;

	switch (message->kind) {
	case MESSAGE_READY: ready_received(w, message->body); break;
	case MESSAGE_PEER_BROKE: peer_broke_received(w, message->body); break;
	case MESSAGE_PLAN_AGAIN: plan_read_again(w->supervisor); break;
	case MESSAGE_READ_ALSO: plan_read_also(w->supervisor, message->tail); break;
	case MESSAGE_LOG_LEVEL_WISH: log_level_wished(w->supervisor, message->body); break;
	default: break;
	}
}

static void ward_closed(void *context, enum code code, const char *why)
{
	struct ward *w = context;

	if (code == E_DAMAGED)
		LOG(EVENT_PROCESS_BROKE, log_text("process", process_role_name(w->role)),
		    log_text("error", why));
	channel_free(w->channel);
	w->channel = NULL;
	/* Nobody reaches it any more; if it is on its way out, this does not matter. */
	if (!w->supervisor->is_stopping) ward_kill(w);
}

static void ward_has_room(void *context)
{
	struct ward *w = context;

	if (w->role == PROCESS_KEEPER && w->supervisor->states_changed)
		wards_tell_states(w->supervisor);
}

/* --- its end --- */

static void death_describe(const struct child_end *end, char text[static DEATH_TEXT_MAX])
{
	const char *name = end->was_signal ? sigabbrev_np(end->value) : NULL;

	if (end->was_signal)
		snprintf(text, DEATH_TEXT_MAX, "signal %d%s%s%s", end->value, name ? " (SIG" : "",
			 name ? name : "", name ? ")" : "");
	else
		snprintf(text, DEATH_TEXT_MAX, "exit status %d", end->value);
}

static void restart_later(struct ward *w)
{
	struct supervisor *s = w->supervisor;

	if (loop_now(s->loop) - w->started_at >= HEALTHY_NS) w->backoff_ns = 0;
	timer_set_after(s->loop, &w->restart,
			w->backoff_ns > RESTART_MIN_NS ? w->backoff_ns : RESTART_MIN_NS);
	w->backoff_ns = w->backoff_ns ? 2 * w->backoff_ns : 2 * RESTART_MIN_NS;
	if (w->backoff_ns > RESTART_MAX_NS) w->backoff_ns = RESTART_MAX_NS;
}

static void ward_ended(struct ward *w, const struct child_end *end)
{
	struct supervisor *s = w->supervisor;
	bool has_refused = !s->was_ready && !end->was_signal && end->value == PROCESS_EXIT_REFUSED;
	bool comes_back = !s->is_stopping && !w->is_renewed && !has_refused;
	char death[DEATH_TEXT_MAX];
	int pid = w->state.pid;

	death_describe(end, death);
	/* A renewal is no death: people look for trouble in these figures. */
	if (comes_back) {
		memcpy(w->state.death, death, sizeof w->state.death);
		w->state.died_unix_s = clock_unix_s();
		w->state.restart_count++;
	}
	w->state.pid = 0;
	w->state.walls[0] = '\0';
	w->is_ready = false;
	LOG(comes_back ? EVENT_PROCESS_DIED : EVENT_PROCESS_ENDED,
	    log_text("process", process_role_name(w->role)), log_int("pid", pid),
	    log_text("death", death));
	if (s->is_stopping) {
		supervisor_stop_continue(s);
	} else if (w->is_renewed) {
		timer_set(s->loop, &w->restart, loop_now(s->loop));
	} else if (has_refused) {
		supervisor_stop(s, EXIT_FAILURE);
	} else {
		restart_later(w);
	}
	w->is_renewed = false;
	wards_tell_states(s);
}

static void ward_watch(void *context, unsigned events)
{
	struct ward *w = context;
	struct loop *loop = w->supervisor->loop;
	struct child child = w->child;
	struct child_end end;

	(void)events;
	loop_remove(loop, &w->watch);
	if (child_reap(&child, &end)) {
		enum code code = loop_add(loop, &w->watch, NULL);
		assert(!code);
		return;
	}
	w->child = child;
	channel_free(w->channel);
	w->channel = NULL;
	ward_ended(w, &end);
}

/* --- its start --- */

static void outfit_add(struct outfit *o, int fd)
{
	assert(o->fd_count < ARRAY_COUNT(o->fds));
	o->fds[o->fd_count++] = fd;
}

/* Channels to those that run, and to us. */
static enum code channels_make(struct outfit *o, const struct ward *w, struct error *err)
{
	const struct supervisor *s = w->supervisor;

	for (enum process_role role = 0; role < PROCESS_COUNT; role++) {
		bool is_us = role == PROCESS_SUPERVISOR;
		int ends[2];
		enum code code;
		if (role == w->role || (!is_us && !s->wards[role].channel)) continue;
		if ((code = channel_pair(ends, err))) return code;
		if (is_us)
			o->supervisor_end = ends[0];
		else
			o->peer_ends[role] = ends[0];
		o->brief.peers[role] = BRIEF_FD + (int)o->fd_count;
		outfit_add(o, ends[1]);
	}
	return OK;
}

static void listener_add(struct outfit *o, const struct port *port, enum transport transport,
			 uint32_t worker, int fd)
{
	if (o->brief.listener_count == BRIEF_LISTENERS_MAX) return;
	o->listeners[o->brief.listener_count++] =
		(struct listener){.at = port->at,
				  .transport = transport,
				  .worker = worker,
				  .fd = BRIEF_FD + (int)o->fd_count};
	outfit_add(o, fd);
}

static void listeners_add(struct outfit *o, const struct ports *ports)
{
	for (size_t i = 0; i < ports->count; i++) {
		const struct port *port = ports->list[i];
		listener_add(o, port, TRANSPORT_TCP, 0, port->tcp);
		for (uint32_t worker = 0; worker < ports->worker_count; worker++)
			listener_add(o, port, TRANSPORT_UDP, worker, port->udp[worker]);
	}
}

static void brief_fill(struct brief *b, const struct ward *w)
{
	const struct supervisor *s = w->supervisor;

	b->role = w->role;
	b->worker_count = s->ports.worker_count;
	b->log_level = log_level_now();
	b->has_user = s->has_user;
	b->user = s->user;
	snprintf(b->config, sizeof b->config, "%s", s->config_path);
	memcpy(b->state, s->plan.state, sizeof b->state);
	if (w->role == PROCESS_FRONT) b->cookie_seed = s->cookie_seed;
	if (w->role != PROCESS_KEEPER) return;
	b->folder_count = s->plan.folder_count;
	b->folders_len = s->plan.folders_len;
	b->reads_everything = s->plan.reads_everything;
}

/* Makes the brief as sealed memory, in the place that was kept for it. */
static enum code brief_make(struct outfit *o, const struct plan *plan, struct error *err)
{
	size_t listeners_len = o->brief.listener_count * sizeof(struct listener);
	size_t len = sizeof o->brief + listeners_len + o->brief.folders_len;
	enum code code = memfd_open("lockstep-brief", len, &o->fds[0], err);

	if (!code) code = memfd_write(o->fds[0], 0, span_of(&o->brief, sizeof o->brief), err);
	if (!code)
		code = memfd_write(o->fds[0], sizeof o->brief, span_of(o->listeners, listeners_len),
				   err);
	if (!code)
		code = memfd_write(o->fds[0], sizeof o->brief + listeners_len,
				   span_of(plan->folders, o->brief.folders_len), err);
	return code;
}

/* The first keeper begins with what was read just now; those after it read the files anew. */
static void policy_add(struct outfit *o, struct supervisor *s)
{
	o->brief.policy = BRIEF_FD + (int)o->fd_count;
	o->brief.policy_len = s->plan.policy_len;
	outfit_add(o, s->policy_fd);
	o->own_count = o->fd_count;
	s->policy_fd = -1;
}

static enum code outfit_make(struct outfit *o, const struct ward *w, struct error *err)
{
	struct supervisor *s = w->supervisor;
	enum code code;

	o->supervisor_end = -1;
	o->brief.policy = -1;
	for (enum process_role role = 0; role < PROCESS_COUNT; role++)
		o->brief.peers[role] = o->peer_ends[role] = -1;
	outfit_add(o, -1); /* the brief's place */
	code = channels_make(o, w, err);
	o->own_count = o->fd_count;
	if (code) return code;
	brief_fill(&o->brief, w);
	if (w->role == PROCESS_KEEPER && s->policy_fd >= 0) policy_add(o, s);
	if (w->role == PROCESS_FRONT) listeners_add(o, &s->ports);
	return brief_make(o, &s->plan, err);
}

static void outfit_clear(struct outfit *o)
{
	for (size_t i = 0; i < o->own_count; i++)
		if (o->fds[i] >= 0) close(o->fds[i]);
	if (o->supervisor_end >= 0) close(o->supervisor_end);
	for (enum process_role role = 0; role < PROCESS_COUNT; role++)
		if (o->peer_ends[role] >= 0) close(o->peer_ends[role]);
	free(o);
}

/* The others get their ends; who does not even take that is stuck, and starts anew. */
static void peers_tell(const struct outfit *o, const struct ward *w)
{
	const struct message_peer body = {.role = w->role};

	for (enum process_role role = 0; role < PROCESS_COUNT; role++) {
		struct ward *peer = &w->supervisor->wards[role];
		if (o->peer_ends[role] < 0 || !peer->channel) continue;
		if (channel_send(peer->channel, MESSAGE_PEER, &body, span_of(NULL, 0),
				 o->peer_ends[role]) == E_LIMIT)
			ward_kill(peer);
	}
}

static enum code ward_adopt(struct ward *w, struct outfit *o, struct error *err)
{
	const struct channel_events events = {ward_received, ward_closed, ward_has_room, w};
	struct loop *loop = w->supervisor->loop;
	int end = o->supervisor_end;
	enum code code;

	w->watch = (struct watch){w->child.pid_fd, LOOP_READ, ward_watch, w};
	if ((code = loop_add(loop, &w->watch, err))) return code;
	o->supervisor_end = -1;
	code = channel_open(loop, end, PROCESS_SUPERVISOR, w->role, &message_table, &events,
			    &w->channel, err);
	/* Without a channel it is of no use, but its end is seen to like any other. */
	if (code) ward_kill(w);
	return OK;
}

static enum code ward_launch(struct ward *w, struct error *err)
{
	const char *arguments[] = {"lockstep", PROCESS_ARGUMENT, process_role_name(w->role), NULL};
	struct outfit *o = calloc(1, sizeof *o);
	enum code code;

	if (!o) return error_set(err, E_NOMEM, "no memory to start a process");
	if ((code = outfit_make(o, w, err))) goto out;
	struct child_plan plan = {arguments, o->fds, o->fd_count};
	if ((code = child_start(&plan, &w->child, err))) goto out;
	if ((code = ward_adopt(w, o, err))) {
		struct child_end end;
		ward_kill(w);
		while (child_reap(&w->child, &end) == E_AGAIN) {
		}
		goto out;
	}
	peers_tell(o, w);
out:
	outfit_clear(o);
	return code;
}

void ward_start(struct ward *w)
{
	struct supervisor *s = w->supervisor;
	struct error err;

	w->started_at = loop_now(s->loop);
	if (ward_launch(w, &err)) {
		LOG(EVENT_PROCESS_START_FAILED, log_text("process", process_role_name(w->role)),
		    log_error(&err));
		restart_later(w);
		return;
	}
	w->state.pid = w->child.pid;
	w->state.started_unix_s = clock_unix_s();
	LOG(EVENT_PROCESS_STARTED, log_text("process", process_role_name(w->role)),
	    log_int("pid", w->state.pid));
	wards_tell_states(s);
}

static void restart_due(void *context, instant_ns now)
{
	struct ward *w = context;

	(void)now;
	if (w->supervisor->is_stopping) return;
	if (!is_running(w))
		ward_start(w);
	else if (w->is_renewed)
		ward_kill(w); /* it was told to end, and had its time */
}

void ward_tell_to_stop(struct ward *w)
{
	const struct message_empty stop = {.head = {0}};

	if (!is_running(w)) return;
	if (!w->channel ||
	    channel_send(w->channel, MESSAGE_STOP, &stop, span_of(NULL, 0), -1) == E_LIMIT)
		ward_kill(w);
}

void ward_renew(struct ward *w)
{
	if (!is_running(w)) return;
	w->is_renewed = true;
	timer_set_after(w->supervisor->loop, &w->restart, STOP_PATIENCE_NS);
	ward_tell_to_stop(w);
}

void wards_init(struct supervisor *s)
{
	for (enum process_role role = 0; role < PROCESS_COUNT; role++) {
		struct ward *w = &s->wards[role];
		w->supervisor = s;
		w->role = role;
		w->restart = (struct timer){.due = restart_due, .context = w};
	}
	s->wards[PROCESS_SUPERVISOR].state.pid = getpid();
	s->wards[PROCESS_SUPERVISOR].state.started_unix_s = clock_unix_s();
}
