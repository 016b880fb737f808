/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - how the server and its zones are, in JSON; the commands make text of it. */
#include "server/keeper/control.h"

#include "host/clock.h"

#include <stdio.h>

/* What a zone suffers from, most urgent first. */
enum zone_state {
	ZONE_GOOD,
	ZONE_ALONE,   /* a primary that nobody copies */
	ZONE_REFUSED, /* its newest file or transfer was not taken */
	ZONE_STALE,   /* a secondary that no primary confirms */
	ZONE_EXPIRED,
	ZONE_LOADING, /* nothing to serve yet: its first version is on its way */
	ZONE_EMPTY,   /* nothing to serve */
};

static const char *const state_names[] = {
	[ZONE_GOOD] = "good",   [ZONE_ALONE] = "alone",     [ZONE_REFUSED] = "refused",
	[ZONE_STALE] = "stale", [ZONE_EXPIRED] = "expired", [ZONE_LOADING] = "loading",
	[ZONE_EMPTY] = "empty",
};

static enum zone_state state_of(const struct zone *zone)
{
	const struct keeper_zone *machine = &zone->machine;
	const struct zone_policy *policy = machine->policy;

	if (!machine->head.exists)
		return machine->stage == KEEPER_READING || machine->stage == KEEPER_STORING
			       ? ZONE_LOADING
			       : ZONE_EMPTY;
	if (machine->expired) return ZONE_EXPIRED;
	if (machine->problem_since)
		return policy->role == ROLE_SECONDARY ? ZONE_STALE : ZONE_REFUSED;
	if (policy->role == ROLE_PRIMARY && !policy->secondary_count && !policy->secondaries_none)
		return ZONE_ALONE;
	return ZONE_GOOD;
}

/* A good one is while a new version of it is being loaded, if that takes its time. */
static bool is_of_interest(const struct zone *zone)
{
	unsigned percent;

	return state_of(zone) != ZONE_GOOD || zone_reading_shown(zone, &percent);
}

bool status_is_good(const struct keeper *k)
{
	if (k->config_problem[0] || k->store.problem[0]) return false;
	for (size_t i = 0; i < k->zone_count; i++)
		if (state_of(k->zones[i]) != ZONE_GOOD) return false;
	return true;
}

/* Instants are of no use to people: the wall clock's second nearest to it. */
static uint64_t unix_of(instant_ns at)
{
	return (uint64_t)((int64_t)clock_unix_s() + (at - clock_now()) / NS_PER_S);
}

static void key_uint(struct json *j, const char *key, uint64_t value)
{
	json_key(j, key);
	json_uint(j, value);
}

static void key_text(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	json_text(j, text);
}

static const char *source_name(enum change_source source)
{
	return source == CHANGE_FROM_FILE ? "file" : "transfer";
}

/* What every listing of zones shows. */
static void zone_summary_write(const struct zone *zone, struct json *j)
{
	const struct keeper_zone *machine = &zone->machine;
	const struct zone_policy *policy = machine->policy;
	unsigned percent;

	key_text(j, "name", policy->label);
	key_text(j, "role", policy->role == ROLE_PRIMARY ? "primary" : "secondary");
	json_key(j, "serial");
	if (machine->head.exists)
		json_uint(j, machine->head.serial);
	else
		json_text(j, NULL);
	key_text(j, "state", state_names[state_of(zone)]);
	if (zone_reading_shown(zone, &percent)) key_uint(j, "loading_percent", percent);
	if (machine->head.exists) {
		key_uint(j, "changed_unix", machine->head.time_unix_s);
		key_text(j, "changed_by", machine->head.author);
	}
	if (machine->problem_since) {
		key_text(j, "problem", machine->problem);
		key_uint(j, "problem_since_unix", unix_of(machine->problem_since));
	}
	if (policy->role == ROLE_SECONDARY && machine->head.exists)
		key_uint(j, "expires_unix", unix_of(keeper_zone_expires_at(machine)));
	json_key(j, "from");
	json_format(j, "%s:%u", policy->origin.file, policy->origin.line);
}

void zone_list_write(const struct keeper *k, struct json *j)
{
	json_object_begin(j);
	json_key(j, "zones");
	json_array_begin(j);
	for (size_t i = 0; i < k->zone_count; i++) {
		json_object_begin(j);
		zone_summary_write(k->zones[i], j);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static void remote_write(const struct remote *remote, struct json *j)
{
	char text[ADDRESS_TEXT_MAX];

	key_text(j, "name", remote->label);
	json_key(j, "address");
	json_array_begin(j);
	for (size_t i = 0; i < remote->address_count; i++)
		json_text(j, endpoint_print(&remote->addresses[i], text));
	json_array_end(j);
	json_key(j, "keys");
	json_array_begin(j);
	for (size_t i = 0; i < remote->key_count; i++) json_text(j, remote->keys[i]->label);
	json_array_end(j);
}

static void primaries_write(const struct zone *zone, struct json *j)
{
	static const char *const waits[] = {
		[SECONDARY_IDLE] = "idle",
		[SECONDARY_ASKING] = "asking",
		[SECONDARY_TRANSFERRING] = "transferring",
	};
	const struct secondary *secondary = &zone->machine.secondary;

	key_text(j, "refresh", waits[secondary->waiting]);
	if (secondary->next_at != INSTANT_NEVER)
		key_uint(j, "next_refresh_unix", unix_of(secondary->next_at));
	if (secondary->has_version) key_uint(j, "confirmed_unix", unix_of(secondary->confirmed_at));
	json_key(j, "primaries");
	json_array_begin(j);
	for (size_t i = 0; i < zone->machine.policy->primary_count; i++) {
		json_object_begin(j);
		remote_write(zone->machine.policy->primaries[i], j);
		json_key(j, "in_use");
		json_bool(j, i == secondary->primary);
		json_object_end(j);
	}
	json_array_end(j);
}

static const char *notify_state_name(const struct notify *notify)
{
	if (notify->state == NOTIFY_UNDER_WAY) return "under way";
	if (notify->state == NOTIFY_WAITING) return "unanswered";
	return notify->confirmed ? "answered" : "not sent";
}

static void secondaries_write(const struct zone *zone, struct json *j)
{
	json_key(j, "secondaries");
	json_array_begin(j);
	for (size_t i = 0; i < zone->machine.policy->secondary_count; i++) {
		const struct notify *notify = &zone->notifies[i];
		json_object_begin(j);
		remote_write(zone->machine.policy->secondaries[i], j);
		key_text(j, "notify", notify_state_name(notify));
		key_uint(j, "notified_serial", notify->sent_serial);
		json_object_end(j);
	}
	json_array_end(j);
}

void zone_status_write(const struct zone *zone, struct json *j)
{
	static const char *const stages[] = {
		[KEEPER_RESTORING] = "restoring",   [KEEPER_IDLE] = "idle",
		[KEEPER_READING] = "reading",       [KEEPER_STORING] = "storing",
		[KEEPER_PUBLISHING] = "publishing",
	};
	const struct keeper_version *head = &zone->machine.head;
	char digest[ZONE_DIGEST_TEXT_MAX];

	json_object_begin(j);
	zone_summary_write(zone, j);
	if (zone->machine.policy->file) key_text(j, "file", zone->machine.policy->file);
	key_text(j, "stage", stages[zone->machine.stage]);
	if (head->exists) {
		key_text(j, "changed_from", source_name(head->source));
		key_uint(j, "records", head->digest.count);
		key_text(j, "digest", zone_digest_print(&head->digest, digest));
		key_uint(j, "image_octets", image_places_octets(&zone->published.places));
	}
	if (zone->machine.policy->role == ROLE_SECONDARY) primaries_write(zone, j);
	secondaries_write(zone, j);
	json_key(j, "diagnostics");
	diagnostics_json(&zone->diagnostics, j);
	json_object_end(j);
}

static void processes_write(const struct keeper *k, struct json *j)
{
	json_key(j, "processes");
	json_array_begin(j);
	for (uint32_t role = 0; role < PROCESS_COUNT; role++) {
		const struct process_state *state = &k->processes.states[role];
		json_object_begin(j);
		key_text(j, "name", process_role_name(role));
		json_key(j, "pid");
		json_int(j, state->pid);
		key_uint(j, "restarts", state->restart_count);
		key_uint(j, "started_unix", state->started_unix_s);
		if (state->died_unix_s) {
			key_uint(j, "died_unix", state->died_unix_s);
			key_text(j, "death", state->death);
		}
		key_text(j, "walls", state->walls);
		json_object_end(j);
	}
	json_array_end(j);
}

static void store_write(const struct keeper *k, struct json *j)
{
	json_key(j, "store");
	json_object_begin(j);
	key_text(j, "path", k->policy->server.state);
	json_key(j, "writable");
	json_bool(j, !k->store.problem[0]);
	if (k->store.problem[0]) key_text(j, "reason", k->store.problem);
	uint64_t left;
	if (k->packer.folder && !folder_free_space(k->packer.folder, &left, NULL))
		key_uint(j, "free_octets", left);
	json_object_end(j);
}

static void images_write(const struct keeper *k, struct json *j)
{
	struct segments_sum memory = segments_sum(&k->segments, false);
	struct segments_sum packs = segments_sum(&k->segments, true);

	key_uint(j, "image_octets", memory.live + packs.live);
	json_key(j, "images");
	json_object_begin(j);
	key_uint(j, "segments", memory.count);
	key_uint(j, "segment_octets", memory.octets);
	key_uint(j, "segment_octets_live", memory.live);
	key_uint(j, "packs", packs.count);
	key_uint(j, "pack_octets", packs.octets);
	key_uint(j, "pack_octets_live", packs.live);
	key_uint(j, "zones_to_pack", k->packer.waiting);
	if (k->packer.problem[0]) key_text(j, "problem", k->packer.problem);
	json_object_end(j);
}

static void config_write(const struct keeper *k, struct json *j)
{
	json_key(j, "config");
	json_object_begin(j);
	key_text(j, "path", k->policy->path);
	key_uint(j, "applied_unix", k->applied_unix_s);
	if (k->config_problem[0]) key_text(j, "problem", k->config_problem);
	json_object_end(j);
}

void status_write(struct keeper *k, struct json *j, bool everything)
{
	size_t good = 0;

	for (size_t i = 0; i < k->zone_count; i++) good += state_of(k->zones[i]) == ZONE_GOOD;
	json_object_begin(j);
	key_text(j, "server", k->policy->server.name);
	key_text(j, "version", LOCKSTEP_VERSION);
	key_uint(j, "started_unix", k->started_unix_s);
	json_key(j, "answering");
	json_bool(j, k->front && !k->roster.is_open);
	key_uint(j, "zones", k->zone_count);
	key_uint(j, "zones_good", good);
	images_write(k, j);
	config_write(k, j);
	store_write(k, j);
	processes_write(k, j);
	json_key(j, "problems");
	json_array_begin(j);
	for (size_t i = 0; i < k->zone_count; i++) {
		if (!everything && !is_of_interest(k->zones[i])) continue;
		json_object_begin(j);
		zone_summary_write(k->zones[i], j);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}
