/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configuring.c - a configuration into force, whole.
 *
 * A policy is immutable: the next one is read beside it, the zones move over one by
 * one, then the old one goes. A zone whose role or file changed begins anew with what
 * the store has of it; one that is gone is withdrawn, and stays in the store.
 */
#include "server/keeper/configuring.h"

#include "config/pack.h"
#include "host/clock.h"
#include "host/memfd.h"
#include "server/config_files.h"
#include "server/keeper/starting.h"
#include "server/keeper/storing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DIAGNOSTICS_OCTETS_MAX = 1 << 20 };

/* Reads the configuration file; what is wrong with it is in `said` and `diagnostics`. */
static enum code policy_read(const char *path, struct arena **arena, struct arena *said,
			     struct diagnostics *diagnostics, const struct policy **policy)
{
	enum code code = E_NOMEM;

	*diagnostics = (struct diagnostics){.arena = said};
	*arena = arena_new(POLICY_OCTETS_MAX);
	if (*arena) code = config_files_load(path, *arena, diagnostics, policy);
	if (!code) return OK;
	arena_free(*arena);
	*arena = NULL;
	return code;
}

/* A later reload will have to read the file: whoever may not is told so at the start. */
static bool may_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) close(fd);
	return fd >= 0;
}

/* What the supervisor had read for it. False: there is none, or it cannot be used. */
static bool policy_take(struct keeper *k)
{
	struct process *process = k->process;
	struct span packed;
	enum code code;

	if (process->policy_fd < 0 || !may_read(process->config_path)) return false;
	code = memfd_map(process->policy_fd, process->policy_len, &packed, NULL);
	close(process->policy_fd);
	process->policy_fd = -1;
	if (code) return false;
	k->policy_arena = arena_new(POLICY_OCTETS_MAX);
	code = k->policy_arena ? policy_unpack(span_of(packed.ptr, process->policy_len),
					       k->policy_arena, &k->policy, NULL)
			       : E_NOMEM;
	memfd_unmap(packed);
	if (!code) return true;
	arena_free(k->policy_arena);
	k->policy_arena = NULL;
	return false;
}

enum code keeper_configure(struct keeper *k)
{
	struct arena *said = arena_new(DIAGNOSTICS_OCTETS_MAX);
	struct diagnostics diagnostics;
	enum code code = E_NOMEM;

	if (policy_take(k))
		code = OK;
	else if (said)
		code = policy_read(k->process->config_path, &k->policy_arena, said, &diagnostics,
				   &k->policy);
	if (said && code) diagnostics_show(&diagnostics);
	arena_free(said);
	k->applied_unix_s = clock_unix_s();
	return code;
}

static enum code slot_take(struct keeper *k, struct zone *zone)
{
	if (k->slots.count == k->slots.capacity) {
		uint32_t capacity = k->slots.capacity ? 2 * k->slots.capacity : 64;
		struct zone **grown = realloc(k->slots.list, capacity * sizeof(struct zone *));
		if (!grown) return E_NOMEM;
		k->slots.list = grown;
		k->slots.capacity = capacity;
	}
	zone->slot = k->slots.count;
	k->slots.list[k->slots.count++] = zone;
	return OK;
}

static struct zone *zone_make(struct keeper *k, const struct zone_policy *policy)
{
	struct zone *zone = zone_new(k, policy);

	if (!zone || slot_take(k, zone))
		process_fail(k->process, "no memory for zone %s", policy->label);
	zone->stored.restore_due = true;
	return zone;
}

/*
 * A zone that begins anew under another policy. The front goes on with the version that
 * it has until the new one's first.
 */
static struct zone *zone_begin_anew(struct zone *former, const struct zone_policy *policy)
{
	struct keeper *k = former->keeper;
	struct zone *zone = zone_new(k, policy);

	if (!zone) process_fail(k->process, "no memory for zone %s", policy->label);
	zone->stored.restore_due = true;
	zone->slot = former->slot;
	k->slots.list[zone->slot] = zone;
	zone_hand_over(former, zone);
	zone_answer_gone(former);
	zone_let_go(former);
	return zone;
}

enum code keeper_zones_start(struct keeper *k, struct error *err)
{
	k->zones = calloc(k->policy->zone_count + 1, sizeof(struct zone *));
	if (!k->zones) return error_set(err, E_NOMEM, "no memory for the zones");
	k->zone_count = k->policy->zone_count;
	for (size_t i = 0; i < k->zone_count; i++) k->zones[i] = zone_make(k, &k->policy->zones[i]);
	return keeper_zones_restore(k, err);
}

static bool texts_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool remotes_equal(const struct remote **a, size_t a_count, const struct remote **b,
			  size_t b_count)
{
	if (a_count != b_count) return false;
	for (size_t i = 0; i < a_count; i++)
		if (!texts_equal(a[i]->label, b[i]->label)) return false;
	return true;
}

/* The machine may go on under the new policy: nothing that it counts or reads has changed. */
static bool zone_goes_on(const struct zone_policy *before, const struct zone_policy *after)
{
	return before->role == after->role && texts_equal(before->file, after->file) &&
	       remotes_equal(before->primaries, before->primary_count, after->primaries,
			     after->primary_count) &&
	       remotes_equal(before->secondaries, before->secondary_count, after->secondaries,
			     after->secondary_count);
}

static void zone_leave(struct zone *zone)
{
	zone_answer_gone(zone);
	LOG(EVENT_ZONE_REMOVED, log_text("zone", zone->machine.policy->label));
	zone_withdraw(zone);
	zone_let_go(zone);
}

/* Both lists are in canonical order: one walk along them says who stays, comes and goes. */
static void zones_move(struct keeper *k, const struct policy *after, struct zone **zones)
{
	size_t old = 0;

	for (size_t i = 0; i < after->zone_count; i++) {
		const struct zone_policy *policy = &after->zones[i];
		int order = 1;
		while (old < k->zone_count &&
		       (order = name_compare(k->zones[old]->machine.policy->name, policy->name)) <
			       0)
			zone_leave(k->zones[old++]);
		struct zone *same = old < k->zone_count && order == 0 ? k->zones[old++] : NULL;
		zones[i] = same; /* under its old policy if it cannot go on under the new one */
		if (!same || !zone_goes_on(same->machine.policy, policy)) continue;
		same->machine.policy = policy;
		same->machine.limits = &after->limits;
	}
	while (old < k->zone_count) zone_leave(k->zones[old++]);
}

/* From here on nothing can fail but memory, and then a new keeper begins with the new file. */
static void policy_switch(struct keeper *k, struct arena *arena, const struct policy *after)
{
	struct zone **zones = calloc(after->zone_count + 1, sizeof(struct zone *));
	struct arena *before = k->policy_arena;

	if (!zones) process_fail(k->process, "no memory for the zones");
	zones_move(k, after, zones);
	free(k->zones);
	k->zones = zones;
	k->policy = after;
	k->policy_arena = arena;
	k->zone_count = 0;
	for (size_t i = 0; i < after->zone_count; i++)
		if (!zones[i])
			zones[i] = zone_make(k, &after->zones[i]);
		else if (zones[i]->machine.policy != &after->zones[i])
			zones[i] = zone_begin_anew(zones[i], &after->zones[i]);
	k->zone_count = after->zone_count;
	k->applied_unix_s = clock_unix_s();
	k->config_problem[0] = '\0';
	front_policy_changed(k);
	courier_policy_changed(k);
	k->restore.from = 0;
	keeper_restore(k);
	arena_free(before);
}

/* What needs other sockets, folders or users is the supervisor's to do. */
static bool needs_supervisor(const struct policy *before, const struct policy *after)
{
	const struct server_policy *a = &before->server, *b = &after->server;
	bool same = texts_equal(a->user, b->user) && texts_equal(a->state, b->state) &&
		    texts_equal(a->control, b->control) && a->listen_count == b->listen_count &&
		    a->listen_interface_count == b->listen_interface_count &&
		    a->workers == b->workers;

	for (size_t i = 0; same && i < a->listen_count; i++)
		same = endpoint_equal(&a->listen[i], &b->listen[i]);
	for (size_t i = 0; same && i < a->listen_interface_count; i++)
		same = texts_equal(a->listen_interfaces[i].name, b->listen_interfaces[i].name) &&
		       a->listen_interfaces[i].port == b->listen_interfaces[i].port;
	return !same;
}

static void plan_again(struct keeper *k)
{
	struct message_empty body = {0};
	struct channel *supervisor = k->process->peers[PROCESS_SUPERVISOR];

	if (supervisor && channel_send(supervisor, MESSAGE_PLAN_AGAIN, &body, (struct span){0}, -1))
		process_fail(k->process, "the supervisor takes no more messages");
}

/* The first error stands for all, which `config check` shows. */
static void refuse(struct keeper *k, const struct diagnostics *diagnostics)
{
	const struct diagnostic *first = NULL;
	char more[64] = "";

	for (size_t i = 0; i < diagnostics->count && !first; i++)
		if (!diagnostics->list[i].warning) first = &diagnostics->list[i];
	if (diagnostics->error_count > 1)
		snprintf(more, sizeof more, " (and %zu more)", diagnostics->error_count - 1);
	if (!first)
		snprintf(k->config_problem, sizeof k->config_problem, "%s: no memory to read it",
			 k->process->config_path);
	else if (first->place.line)
		snprintf(k->config_problem, sizeof k->config_problem, "%s:%u:%u: %s%s",
			 first->place.file, first->place.line, first->place.column, first->text,
			 more);
	else
		snprintf(k->config_problem, sizeof k->config_problem, "%s: %s%s", first->place.file,
			 first->text, more);
	LOG(EVENT_CONFIG_REFUSED, log_text("reason", k->config_problem));
}

static void put_into_force(struct keeper *k, struct arena *arena, const struct policy *after)
{
	bool widen = needs_supervisor(k->policy, after);

	policy_switch(k, arena, after);
	LOG(EVENT_CONFIG_APPLIED, log_text("file", k->process->config_path),
	    log_uint("zones", k->zone_count));
	if (widen) plan_again(k);
}

void keeper_reload(struct keeper *k)
{
	struct arena *said = arena_new(DIAGNOSTICS_OCTETS_MAX), *arena;
	struct diagnostics diagnostics;
	const struct policy *after;

	if (!said) return;
	if (policy_read(k->process->config_path, &arena, said, &diagnostics, &after))
		refuse(k, &diagnostics);
	else
		put_into_force(k, arena, after);
	arena_free(said);
	for (size_t i = 0; i < k->zone_count; i++) {
		struct keeper_event event = {.kind = KEEPER_RELOAD};
		zone_feed(k->zones[i], &event);
	}
}

static void change_tell(void *context, const struct config_change *change)
{
	char text[CONFIG_CHANGE_TEXT_MAX];

	json_text(context, config_change_print(change, text));
}

/* Answers with the errors of a configuration that was not taken. */
static void refused_reply(struct client *client, const struct diagnostics *diagnostics)
{
	struct json *j = reply_begin(client);

	json_object_begin(j);
	json_key(j, "refused");
	json_bool(j, true);
	json_key(j, "diagnostics");
	diagnostics_json(diagnostics, j);
	json_object_end(j);
	reply_end(client, EXIT_FAILED);
}

static void changes_reply(struct client *client, const struct policy *before,
			  const struct policy *after, const struct diagnostics *diagnostics)
{
	struct json *j = reply_begin(client);

	json_object_begin(j);
	json_key(j, "changes");
	json_array_begin(j);
	config_difference(before, after, change_tell, j);
	json_array_end(j);
	json_key(j, "diagnostics");
	diagnostics_json(diagnostics, j);
	json_object_end(j);
	reply_end(client, EXIT_DONE);
}

void config_diff_reply(struct client *client)
{
	struct keeper *k = client->keeper;
	struct arena *said = arena_new(DIAGNOSTICS_OCTETS_MAX), *arena = NULL;
	struct diagnostics diagnostics;
	const struct policy *after;

	if (!said)
		reply_error(client, E_NOMEM, "no memory to read the configuration");
	else if (policy_read(k->process->config_path, &arena, said, &diagnostics, &after))
		refused_reply(client, &diagnostics);
	else
		changes_reply(client, k->policy, after, &diagnostics);
	arena_free(arena);
	arena_free(said);
}

void config_apply_reply(struct client *client)
{
	struct keeper *k = client->keeper;
	struct arena *said = arena_new(DIAGNOSTICS_OCTETS_MAX), *arena;
	struct diagnostics diagnostics;
	const struct policy *after;

	if (!said) {
		reply_error(client, E_NOMEM, "no memory to read the configuration");
		return;
	}
	if (policy_read(k->process->config_path, &arena, said, &diagnostics, &after)) {
		refuse(k, &diagnostics);
		refused_reply(client, &diagnostics);
	} else {
		/* Told before it is done: afterwards the old policy is gone. */
		changes_reply(client, k->policy, after, &diagnostics);
		put_into_force(k, arena, after);
	}
	arena_free(said);
}
