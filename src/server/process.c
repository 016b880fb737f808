/* SPDX-License-Identifier: Apache-2.0 */
#include "server/process.h"
#include "host/memfd.h"
#include "host/sandbox.h"
#include "server/brief.h"
#include "server/log.h"

#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

/* One peer and its process, as the context of a channel. */
struct line {
	struct process *process;
	enum process_role peer;
};

static struct line lines[PROCESS_COUNT];

bool process_is_meant(int argc, char **argv)
{
	return argc >= 3 && strcmp(argv[1], PROCESS_ARGUMENT) == 0;
}

/* --- life and death --- */

static _Noreturn void process_exit(enum event event, int status, const char *format, va_list args)
{
	char text[ERROR_TEXT_MAX];

	vsnprintf(text, sizeof text, format, args);
	LOG(event, log_text("error", text));
	/* Not exit(): nothing that libraries want to do at the end is ours to wait for. */
	_exit(status);
}

void process_fail(struct process *process, const char *format, ...)
{
	va_list args;

	(void)process;
	va_start(args, format);
	process_exit(EVENT_PROCESS_FAILED, PROCESS_EXIT_FAILED, format, args);
}

void process_refuse(struct process *process, const char *format, ...)
{
	va_list args;

	(void)process;
	va_start(args, format);
	process_exit(EVENT_PROCESS_REFUSED, PROCESS_EXIT_REFUSED, format, args);
}

void process_end(struct process *process, int exit_status)
{
	process->exit_status = exit_status;
	loop_stop(process->loop);
}

/* The supervisor's queue is for a few small messages; when it is full, all is lost anyway. */
static void tell_supervisor(struct process *process, enum message_kind kind, const void *message)
{
	struct channel *supervisor = process->peers[PROCESS_SUPERVISOR];

	if (supervisor && channel_send(supervisor, kind, message, span_of(NULL, 0), -1) == E_LIMIT)
		process_fail(process, "the supervisor does not read its messages");
}

void process_ready(struct process *process)
{
	struct message_ready ready = {.head = {0}};

	snprintf(ready.walls, sizeof ready.walls, "%s", process->walls);
	tell_supervisor(process, MESSAGE_READY, &ready);
}

void process_peer_failed(struct process *process, enum process_role peer)
{
	struct message_peer body = {.role = peer};

	assert(peer < PROCESS_COUNT && peer != PROCESS_SUPERVISOR);
	if (process->told[peer]) return;
	process->told[peer] = true;
	tell_supervisor(process, MESSAGE_PEER_BROKE, &body);
}

/* Whether the file stands in the folder or below it. */
static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	if (strncmp(path, folder, len) != 0) return false;
	return path[len] == '/' || (len > 0 && folder[len - 1] == '/');
}

static const char *brief_folders(const struct process *process)
{
	return (const char *)(process->listeners + process->listener_count);
}

bool process_read_also(struct process *process, const char *path)
{
	const struct brief *brief = (const struct brief *)process->brief.ptr;
	const struct message_empty body = {.head = {0}};
	const char *folder = brief_folders(process);
	struct channel *supervisor = process->peers[PROCESS_SUPERVISOR];

	if (path[0] != '/' || strlen(path) >= PLAN_PATH_TEXT_MAX) return false;
	if (brief->reads_everything || is_below(path, process->state_path)) return false;
	for (uint32_t i = 0; i < brief->folder_count; i++, folder += strlen(folder) + 1)
		if (is_below(path, folder)) return false;
	return channel_send(supervisor, MESSAGE_READ_ALSO, &body, span_of_text(path), -1) == OK;
}

/* --- channels --- */

static void line_open(struct process *process, enum process_role peer, int fd);

static void peer_arrived(struct process *process, struct channel_message *message)
{
	const struct message_peer *body = message->body;
	enum process_role peer = body->role;

	if (body->role >= PROCESS_COUNT || peer == PROCESS_SUPERVISOR || peer == process->role)
		return;
	if (process->peers[peer]) {
		channel_free(process->peers[peer]);
		process->peers[peer] = NULL;
		const struct process_peer_events *events = &process->events.peers[peer];
		if (events->down) events->down(process->events.context);
	}
	line_open(process, peer, message->fd);
	message->fd = -1;
}

static void stop_asked(struct process *process)
{
	if (process->is_stopping) return;
	process->is_stopping = true;
	if (process->events.stop)
		process->events.stop(process->events.context);
	else
		process_end(process, PROCESS_EXIT_DONE);
}

static void line_received(void *context, struct channel_message *message)
{
	const struct line *line = context;
	struct process *process = line->process;
	const struct process_peer_events *events = &process->events.peers[line->peer];
	const struct message_log_level *level = message->body;

	switch (message->kind) {
	case MESSAGE_PEER: peer_arrived(process, message); break;
	case MESSAGE_STOP: stop_asked(process); break;
	case MESSAGE_LOG_LEVEL:
		if (level->level < LEVEL_COUNT) log_level_set((enum log_level)level->level);
		break;
	default:
		if (events->received) events->received(process->events.context, message);
	}
}

static void line_closed(void *context, enum code code, const char *why)
{
	const struct line *line = context;
	struct process *process = line->process;
	const struct process_peer_events *events = &process->events.peers[line->peer];

	/* Whoever starts us again is gone: end, as the signal that comes with it would. */
	if (line->peer == PROCESS_SUPERVISOR) _exit(PROCESS_EXIT_FAILED);
	if (code == E_DAMAGED) {
		LOG(EVENT_CHANNEL_BROKEN, log_text("peer", process_role_name(line->peer)),
		    log_text("error", why));
		process_peer_failed(process, line->peer);
	}
	channel_free(process->peers[line->peer]);
	process->peers[line->peer] = NULL;
	if (events->down) events->down(process->events.context);
}

static void line_has_room(void *context)
{
	const struct line *line = context;
	const struct process_peer_events *events = &line->process->events.peers[line->peer];

	if (events->has_room) events->has_room(line->process->events.context);
}

static void line_open(struct process *process, enum process_role peer, int fd)
{
	const struct channel_events channel_events = {line_received, line_closed, line_has_room,
						      &lines[peer]};
	const struct process_peer_events *events = &process->events.peers[peer];
	struct error err;

	lines[peer] = (struct line){process, peer};
	process->told[peer] = false;
	if (channel_open(process->loop, fd, process->role, peer, &message_table, &channel_events,
			 &process->peers[peer], &err))
		process_fail(process, "%s", err.text);
	if (events->up) events->up(process->events.context, process->peers[peer]);
}

int process_run(struct process *process, const struct process_events *events)
{
	const struct brief *brief = (const struct brief *)process->brief.ptr;

	process->events = *events;
	for (enum process_role peer = 0; peer < PROCESS_COUNT; peer++)
		if (!process->peers[peer] && brief->peers[peer] >= 0)
			line_open(process, peer, brief->peers[peer]);
	loop_run(process->loop);
	return process->exit_status;
}

/* --- the start --- */

static void walls_tell(const struct walls *walls, enum sandbox_profile profile,
		       char text[static WALLS_TEXT_MAX])
{
	char missing[WALLS_TEXT_MAX];

	LOG(EVENT_WALLS, log_text("walls", walls_print(walls, text, WALLS_TEXT_MAX)));
	if (*walls_missing_print(walls, profile, missing, sizeof missing))
		LOG(EVENT_WALLS_MISSING, log_text("missing", missing));
}

static enum sandbox_profile profile_of(enum process_role role)
{
	static const enum sandbox_profile profiles[PROCESS_COUNT] = {
		[PROCESS_SUPERVISOR] = SANDBOX_SUPERVISE,
		[PROCESS_KEEPER] = SANDBOX_KEEP,
		[PROCESS_COURIER] = SANDBOX_CONNECT,
		[PROCESS_FRONT] = SANDBOX_NETWORK,
	};

	return profiles[role];
}

static enum code walls_put_up(struct process *process, const struct brief *brief,
			      const char *folders, struct error *err)
{
	struct sandbox_path paths[PLAN_FOLDERS_MAX + 2] = {{brief->state, SANDBOX_PATH_WRITE}};
	struct sandbox_plan plan = {.profile = profile_of(process->role),
				    .user = brief->has_user ? &brief->user : NULL,
				    .paths = paths};
	struct walls walls;
	enum code code;

	if (process->role == PROCESS_KEEPER) {
		plan.path_count = 1;
		if (brief->reads_everything)
			paths[plan.path_count++] = (struct sandbox_path){"/", SANDBOX_PATH_READ};
		for (uint32_t i = 0; i < brief->folder_count; i++, folders += strlen(folders) + 1)
			paths[plan.path_count++] =
				(struct sandbox_path){folders, SANDBOX_PATH_READ};
	}
	if ((code = sandbox_enter(&plan, &walls, err))) return code;
	walls_tell(&walls, plan.profile, process->walls);
	return OK;
}

static enum code brief_read(struct process *process, const struct brief **out, struct error *err)
{
	const struct brief *brief;
	enum code code = memfd_map(BRIEF_FD, sizeof *brief, &process->brief, err);

	if (code) return code;
	brief = (const struct brief *)process->brief.ptr;
	if (process->brief.len <
	    sizeof *brief + brief->listener_count * sizeof(struct listener) + brief->folders_len)
		return error_set(err, E_DAMAGED, "the brief is too short");
	close(BRIEF_FD);
	process->worker_count = brief->worker_count;
	process->policy_fd = brief->policy;
	process->policy_len = brief->policy_len;
	process->cookie_seed = brief->cookie_seed;
	process->config_path = brief->config;
	process->state_path = brief->state;
	process->listeners = (const struct listener *)(brief + 1);
	process->listener_count = brief->listener_count;
	log_level_set((enum log_level)brief->log_level);
	*out = brief;
	return OK;
}

static int role_run(const struct process_programs *programs, enum process_role role)
{
	struct process process = {.role = role};
	const struct brief *brief = NULL;
	struct error err;

	if (brief_read(&process, &brief, &err) || loop_new(&process.loop, &err) ||
	    walls_put_up(&process, brief, brief_folders(&process), &err)) {
		LOG(EVENT_PROCESS_REFUSED, log_error(&err));
		return PROCESS_EXIT_REFUSED;
	}
	/* From here on it can tell the supervisor; it listens as soon as it runs. */
	line_open(&process, PROCESS_SUPERVISOR, brief->peers[PROCESS_SUPERVISOR]);
	return programs->mains[role](&process);
}

/* Parses the configuration behind walls and leaves the plan in the memory it was given. */
static int reader_run(const struct process_programs *programs, const char *config)
{
	static struct plan plan;
	const struct sandbox_path all = {"/", SANDBOX_PATH_READ};
	const struct sandbox_plan sandbox = {SANDBOX_READ, NULL, &all, 1};
	struct walls walls;
	struct error err;

	if (sandbox_enter(&sandbox, &walls, &err)) goto failed;
	if (programs->read(config, &plan, BRIEF_FD + 1)) return EXIT_FAILURE;
	if (memfd_write(BRIEF_FD, 0, span_of(&plan, sizeof plan), &err)) goto failed;
	return EXIT_SUCCESS;
failed:
	LOG(EVENT_PROCESS_REFUSED, log_error(&err));
	return PROCESS_EXIT_REFUSED;
}

static int command_line_run(const struct process_programs *programs, int argc, char **argv)
{
	static char title[32];
	enum process_role role = 0;

	assert(process_is_meant(argc, argv));
	if (fcntl(BRIEF_FD, F_GETFD) < 0) {
		fputs("lockstep: processes are started by \"lockstep serve\"\n", stderr);
		return EXIT_USAGE;
	}
	snprintf(title, sizeof title, "lockstep-%.16s", argv[2]);
	prctl(PR_SET_NAME, title);
	log_open(title + strlen("lockstep-"));
	if (strcmp(argv[2], READER_NAME) == 0 && argc == 4) return reader_run(programs, argv[3]);
	while (role < PROCESS_COUNT && strcmp(process_role_name(role), argv[2]) != 0) role++;
	if (role == PROCESS_COUNT || !programs->mains[role]) return EXIT_USAGE;
	return role_run(programs, role);
}

void process_main(const struct process_programs *programs, int argc, char **argv)
{
	_exit(command_line_run(programs, argc, argv));
}
