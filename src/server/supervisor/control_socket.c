/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket. Normally a connection goes to the keeper as it is; while the
 * keeper is not there, one request is answered here: `status` with what the
 * supervisor knows, anything else with an error.
 */
#include "base/json.h"
#include "base/writer.h"
#include "host/unix_socket.h"
#include "server/log.h"
#include "server/supervisor/parts.h"

#include <stdio.h>
#include <unistd.h>

enum { ANSWER_OCTETS_MAX = 8192, EXIT_NOT_IN_STEP = 3, EXIT_FAILED = 1 };

static void caller_free(struct caller *caller)
{
	struct loop *loop = caller->supervisor->loop;

	if (caller->watch.fd < 0) return;
	timer_cancel(loop, &caller->patience);
	loop_remove(loop, &caller->watch);
	close(caller->watch.fd);
	caller->watch.fd = -1;
}

static void caller_late(void *context, instant_ns now)
{
	(void)now;
	caller_free(context);
}

static void sink(void *context, struct span chunk)
{
	write_span(context, chunk);
}

static const char *keeper_describe(const struct supervisor *s, char *text, size_t cap)
{
	const struct process_state *keeper = &s->wards[PROCESS_KEEPER].state;

	if (keeper->restart_count == 0)
		snprintf(text, cap, "the keeper is starting");
	else
		snprintf(text, cap, "the keeper is starting again; it died last: %s",
			 keeper->death);
	return text;
}

static void process_write(struct json *j, enum process_role role, const struct process_state *state)
{
	json_object_begin(j);
	json_key(j, "name");
	json_text(j, process_role_name(role));
	json_key(j, "pid");
	json_int(j, state->pid);
	json_key(j, "restarts");
	json_uint(j, state->restart_count);
	json_key(j, "started_unix");
	json_uint(j, state->started_unix_s);
	if (state->died_unix_s) {
		json_key(j, "died_unix");
		json_uint(j, state->died_unix_s);
		json_key(j, "death");
		json_text(j, state->death);
	}
	json_key(j, "walls");
	json_text(j, state->walls);
	json_object_end(j);
}

static void status_write(const struct supervisor *s, struct json *j)
{
	char text[256];

	json_key(j, "result");
	json_object_begin(j);
	json_key(j, "version");
	json_text(j, LOCKSTEP_VERSION);
	json_key(j, "answering");
	json_bool(j, s->wards[PROCESS_FRONT].is_ready);
	json_key(j, "keeper");
	json_text(j, keeper_describe(s, text, sizeof text));
	json_key(j, "processes");
	json_array_begin(j);
	for (enum process_role role = 0; role < PROCESS_COUNT; role++)
		process_write(j, role, &s->wards[role].state);
	json_array_end(j);
	json_object_end(j);
	json_key(j, "exit");
	json_int(j, EXIT_NOT_IN_STEP);
}

static void busy_write(const struct supervisor *s, struct json *j)
{
	char text[256];

	json_key(j, "error");
	json_object_begin(j);
	json_key(j, "code");
	json_text(j, code_name(E_BUSY));
	json_key(j, "message");
	json_format(j, "%s; try again soon", keeper_describe(s, text, sizeof text));
	json_object_end(j);
	json_key(j, "exit");
	json_int(j, EXIT_FAILED);
}

static void caller_answer(struct caller *caller)
{
	const struct supervisor *s = caller->supervisor;
	bool asks_status = memmem(caller->request, caller->len, "\"status\"", 8) != NULL;
	uint8_t bytes[ANSWER_OCTETS_MAX];
	struct writer w = writer_of(bytes, sizeof bytes);
	struct json j;
	size_t done;

	json_init(&j, sink, &w);
	json_object_begin(&j);
	if (asks_status)
		status_write(s, &j);
	else
		busy_write(s, &j);
	json_object_end(&j);
	json_end(&j);
	write_text(&w, "\n");
	/* A new connection's buffer takes it whole; who closed already misses nothing. */
	enum code code = socket_send(caller->watch.fd, writer_span(&w), &done);
	(void)code;
	caller_free(caller);
}

static void caller_ready(void *context, unsigned events)
{
	struct caller *caller = context;
	size_t done;
	enum code code = socket_receive(caller->watch.fd, caller->request + caller->len,
					sizeof caller->request - caller->len, &done);

	(void)events;
	if (code == E_AGAIN) return;
	if (code || done == 0) {
		caller_free(caller);
		return;
	}
	caller->len += done;
	if (memchr(caller->request, '\n', caller->len) || caller->len == sizeof caller->request)
		caller_answer(caller);
}

/* Takes over `fd`. */
static void caller_new(struct supervisor *s, int fd)
{
	for (size_t i = 0; i < CALLERS_MAX; i++) {
		struct caller *caller = &s->control.callers[i];
		if (caller->watch.fd >= 0) continue;
		caller->len = 0;
		caller->watch = (struct watch){fd, LOOP_READ, caller_ready, caller};
		if (loop_add(s->loop, &caller->watch, NULL)) break;
		timer_set_after(s->loop, &caller->patience, CALLER_PATIENCE_NS);
		return;
	}
	LOG(EVENT_CONTROL_REFUSED, log_text("error", "too many wait while the keeper is down"));
	close(fd);
}

static void client_pass(struct supervisor *s, int fd)
{
	const struct message_empty body = {.head = {0}};
	struct ward *keeper = &s->wards[PROCESS_KEEPER];

	if (!keeper->channel || !keeper->is_ready) {
		caller_new(s, fd);
		return;
	}
	if (channel_send(keeper->channel, MESSAGE_CONTROL_CLIENT, &body, span_of(NULL, 0), fd))
		LOG(EVENT_CONTROL_REFUSED, log_text("error", "the keeper takes no more clients"));
	close(fd);
}

static void control_ready(void *context, unsigned events)
{
	struct supervisor *s = context;
	struct endpoint peer, local;
	int fd;

	(void)events;
	switch (acceptor_take(&s->control.acceptor, &fd, &peer, &local)) {
	case OK: client_pass(s, fd); return;
	case E_AGAIN: return;
	default: break;
	}
	LOG(EVENT_CONTROL_REFUSED, log_text("error", "no descriptor is free"));
	if (acceptor_refuse(&s->control.acceptor)) return;
	loop_change(s->loop, &s->control.watch, 0);
	timer_set_after(s->loop, &s->control.pause, ACCEPTOR_PAUSE_NS);
}

static void pause_over(void *context, instant_ns now)
{
	struct supervisor *s = context;

	(void)now;
	loop_change(s->loop, &s->control.watch, LOOP_READ);
}

enum code control_open(struct supervisor *s, struct error *err)
{
	struct control *c = &s->control;
	const struct user *user = s->has_user ? &s->user : NULL;
	char folder[PLAN_CONTROL_TEXT_MAX];
	enum code code;
	int fd;

	snprintf(folder, sizeof folder, "%s", s->plan.control);
	*strrchr(folder, '/') = '\0';
	if (*folder && (code = folder_ensure(folder, user, err))) return code;
	if ((code = unix_socket_listen(s->plan.control, user, &fd, err))) return code;
	memcpy(c->path, s->plan.control, sizeof c->path);
	acceptor_open(&c->acceptor, fd);
	c->pause = (struct timer){.due = pause_over, .context = s};
	for (size_t i = 0; i < CALLERS_MAX; i++)
		c->callers[i] = (struct caller){
			.supervisor = s,
			.watch = {.fd = -1},
			.patience = {.due = caller_late, .context = &c->callers[i]}};
	c->watch = (struct watch){fd, LOOP_READ, control_ready, s};
	return loop_add(s->loop, &c->watch, err);
}

void control_close(struct supervisor *s)
{
	struct control *c = &s->control;

	if (!*c->path) return;
	for (size_t i = 0; i < CALLERS_MAX; i++) caller_free(&c->callers[i]);
	timer_cancel(s->loop, &c->pause);
	loop_remove(s->loop, &c->watch);
	acceptor_close(&c->acceptor);
	close(c->acceptor.listen_fd);
	unlink(c->path);
	*c->path = '\0';
}
