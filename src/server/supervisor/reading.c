/* SPDX-License-Identifier: Apache-2.0 */
#include "host/memfd.h"
#include "server/log.h"
#include "server/supervisor/parts.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* Room for the packed policy: no memory before it is written to. */
#define POLICY_ROOM ((size_t)1 << 30)

static enum code reader_start(const char *config_path, struct reading *r, struct error *err)
{
	const char *arguments[] = {"lockstep", PROCESS_ARGUMENT, READER_NAME, config_path, NULL};
	enum code code = memfd_open("lockstep-plan", sizeof(struct plan), &r->plan_fd, err);

	if (code) return code;
	if ((code = memfd_open("lockstep-policy", POLICY_ROOM, &r->policy_fd, err))) goto no_policy;
	struct child_plan start = {arguments, (const int[]){r->plan_fd, r->policy_fd}, 2};
	if (!(code = child_start(&start, &r->child, err))) return OK;
	close(r->policy_fd);
no_policy:
	close(r->plan_fd);
	return code;
}

/* What the reader left behind. Closes `plan_fd`. */
static enum code plan_take(int plan_fd, const struct child_end *end, struct plan *plan,
			   struct error *err)
{
	struct span map = {0};
	enum code code;

	if (end->was_signal || end->value == PROCESS_EXIT_REFUSED) {
		code = error_set(err, E_IO,
				 "the process that reads the configuration ended with %s %d",
				 end->was_signal ? "signal" : "exit status", end->value);
		goto out;
	}
	if (end->value != EXIT_SUCCESS) {
		code = error_set(err, E_SYNTAX, "the configuration has errors");
		goto out;
	}
	if ((code = memfd_map(plan_fd, sizeof *plan, &map, err))) goto out;
	memcpy(plan, map.ptr, sizeof *plan);
	code = plan_check(plan, err);
out:
	memfd_unmap(map);
	close(plan_fd);
	return code;
}

enum code plan_obtain(struct supervisor *s, struct error *err)
{
	struct reading r;
	struct child_end end;
	enum code code = reader_start(s->config_path, &r, err);

	if (code) return code;
	while (child_reap(&r.child, &end)) {
		struct pollfd ended = {r.child.pid_fd, POLLIN, 0};
		poll(&ended, 1, -1);
	}
	code = plan_take(r.plan_fd, &end, &s->plan, err);
	if (code || s->plan.policy_len == 0 || memfd_reader(r.policy_fd, &s->policy_fd, NULL))
		s->policy_fd = -1;
	close(r.policy_fd);
	return code;
}

/* --- again, while the server runs --- */

static bool folders_differ(const struct plan *a, const struct plan *b)
{
	return a->reads_everything != b->reads_everything || a->folders_len != b->folders_len ||
	       memcmp(a->folders, b->folders, a->folders_len) != 0;
}

/* What cannot change while processes hold on to it. */
static void fixed_settings_check(const struct supervisor *s, const struct plan *plan)
{
	const struct {
		const char *name;
		bool differs;
	} rows[] = {
		{"workers", s->plan.workers != plan->workers},
		{"user", strcmp(s->plan.user, plan->user) != 0},
		{"state", strcmp(s->plan.state, plan->state) != 0},
		{"control", strcmp(s->plan.control, plan->control) != 0},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		if (rows[i].differs) LOG(EVENT_RESTART_NEEDED, log_text("setting", rows[i].name));
}

static void plan_apply(struct supervisor *s, struct plan *plan)
{
	bool ports_changed = false, folders_changed;
	struct error err;

	for (size_t i = 0; i < s->read_also.count; i++) plan_file_add(plan, s->read_also.paths[i]);
	folders_changed = folders_differ(&s->plan, plan);
	fixed_settings_check(s, plan);
	if (ports_open(&s->ports, plan, false, &ports_changed, &err))
		LOG(EVENT_PLAN_REFUSED, log_error(&err));
	memcpy(s->plan.folders, plan->folders, sizeof s->plan.folders);
	s->plan.folders_len = plan->folders_len;
	s->plan.folder_count = plan->folder_count;
	s->plan.reads_everything = plan->reads_everything;
	if (ports_changed) ward_renew(&s->wards[PROCESS_FRONT]);
	if (folders_changed) ward_renew(&s->wards[PROCESS_KEEPER]);
}

/* A keeper that starts, or that was told to come back, reads the newest anyway. */
static void keeper_tell_reload(struct supervisor *s)
{
	struct ward *keeper = &s->wards[PROCESS_KEEPER];
	const struct message_empty body = {.head = {0}};

	if (!keeper->channel || keeper->is_renewed) return;
	if (channel_send(keeper->channel, MESSAGE_RELOAD, &body, span_of(NULL, 0), -1) == E_LIMIT)
		ward_kill(keeper);
}

/* Does what waited for the reading, and reads again if that was asked for meanwhile. */
static void reading_finish(struct supervisor *s)
{
	struct reading *r = &s->reading;

	if (r->again) {
		r->again = false;
		plan_read_again(s);
		return;
	}
	/* With an error in it too: the keeper tells those who ask for its status. */
	if (r->after_sighup) keeper_tell_reload(s);
	r->after_sighup = false;
}

static void reading_ended(void *context, unsigned events)
{
	struct supervisor *s = context;
	struct reading *r = &s->reading;
	static struct plan plan;
	struct child child = r->child;
	struct child_end end;
	struct error err;

	(void)events;
	loop_remove(s->loop, &r->watch);
	if (child_reap(&child, &end)) {
		enum code code = loop_add(s->loop, &r->watch, NULL);
		assert(!code);
		return;
	}
	r->child.pid = 0;
	close(r->policy_fd);
	if (s->is_stopping) {
		close(r->plan_fd);
		return;
	}
	if (plan_take(r->plan_fd, &end, &plan, &err))
		LOG(EVENT_PLAN_REFUSED, log_error(&err));
	else
		plan_apply(s, &plan);
	reading_finish(s);
}

void plan_read_again(struct supervisor *s)
{
	struct reading *r = &s->reading;
	struct error err;

	if (s->is_stopping) return;
	if (r->child.pid > 0) {
		r->again = true;
		return;
	}
	if (reader_start(s->config_path, r, &err)) {
		LOG(EVENT_PLAN_REFUSED, log_error(&err));
		reading_finish(s);
		return;
	}
	r->watch = (struct watch){r->child.pid_fd, LOOP_READ, reading_ended, s};
	if (loop_add(s->loop, &r->watch, &err)) {
		LOG(EVENT_PLAN_REFUSED, log_error(&err));
		reading_end(s);
		reading_finish(s);
	}
}

void plan_read_also(struct supervisor *s, struct span path)
{
	struct read_also *also = &s->read_also;
	struct ward *keeper = &s->wards[PROCESS_KEEPER];

	if (path.len == 0 || path.len >= PLAN_PATH_TEXT_MAX || path.ptr[0] != '/' ||
	    memchr(path.ptr, '\0', path.len))
		return;
	if (also->count == READ_ALSO_MAX) {
		LOG(EVENT_READ_ALSO_REFUSED, log_span("path", path));
		return;
	}
	char *to = also->paths[also->count];
	memcpy(to, path.ptr, path.len);
	to[path.len] = '\0';
	uint32_t before = s->plan.folder_count;
	plan_file_add(&s->plan, to);
	if (s->plan.folder_count == before) return;
	also->count++;
	LOG(EVENT_READ_ALSO, log_span("path", path));
	if (!keeper->is_renewed) ward_renew(keeper);
}

void reading_end(struct supervisor *s)
{
	struct reading *r = &s->reading;
	struct child_end end;

	if (r->child.pid <= 0) return;
	child_signal(&r->child, SIGKILL);
	while (child_reap(&r->child, &end)) {
		struct pollfd ended = {r->child.pid_fd, POLLIN, 0};
		poll(&ended, 1, -1);
	}
	close(r->plan_fd);
	close(r->policy_fd);
	r->child.pid = 0;
}
