/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c - what clients of the control socket can have done; one function a command. */
#include "server/keeper/configuring.h"
#include "server/keeper/storing.h"

#include "dns/zone_text.h"
#include "server/metrics.h"

#include <stdlib.h>

/* The zone that the request names, or an answer that says why there is none. */
static struct zone *zone_named(struct client *client, const json_t *request)
{
	const char *text = json_string_value(json_object_get(request, "name"));
	struct name_buffer name;
	struct name root = name_root();
	struct error err;

	if (!text) {
		reply_error(client, E_SYNTAX, "this command needs the name of a zone");
		return NULL;
	}
	if (name_from_text(span_of_text(text), &root, &name, &err)) {
		reply_error(client, E_SYNTAX, "\"%s\" is not a name: %s", text, err.text);
		return NULL;
	}
	struct zone *zone = keeper_zone_find(client->keeper, name_of(&name));
	if (!zone)
		reply_error(client, E_NOT_FOUND,
			    "there is no zone \"%s\" here; \"lockstep zone list\" shows all", text);
	return zone;
}

static bool is_true(const json_t *request, const char *key)
{
	return json_is_true(json_object_get(request, key));
}

static void run_status(struct client *client, const json_t *request)
{
	bool good = status_is_good(client->keeper);

	status_write(client->keeper, reply_begin(client), is_true(request, "everything"));
	reply_end(client, good ? EXIT_DONE : EXIT_NOT_IN_STEP);
}

static void run_zone_list(struct client *client, const json_t *request)
{
	(void)request;
	zone_list_write(client->keeper, reply_begin(client));
	reply_end(client, EXIT_DONE);
}

static void run_zone_status(struct client *client, const json_t *request)
{
	const struct zone *zone = zone_named(client, request);

	if (!zone) return;
	zone_status_write(zone, reply_begin(client));
	reply_end(client, EXIT_DONE);
}

/* Zones whose outcome the answer will list, one after the other as they come. */
static void outcomes_begin(struct client *client)
{
	struct json *j = reply_begin(client);

	client->exit = EXIT_DONE;
	client->pending = 1; /* ours, until every zone was told what to do */
	json_object_begin(j);
	json_key(j, "zones");
	json_array_begin(j);
}

static void outcomes_begun(struct client *client)
{
	if (--client->pending) return;
	json_array_end(&client->json);
	json_object_end(&client->json);
	reply_end(client, client->exit);
}

static void reload(struct client *client, struct zone *zone)
{
	struct keeper_event event = {.kind = KEEPER_RELOAD};
	enum keeper_stage stage = zone->machine.stage;

	client_wait_for(client, zone,
			stage == KEEPER_STORING || stage == KEEPER_PUBLISHING ||
				zone_is_being_read(zone));
	zone_feed(zone, &event);
}

static void run_zone_reload(struct client *client, const json_t *request)
{
	struct keeper *k = client->keeper;
	struct zone *zone = NULL;

	if (json_object_get(request, "name")) {
		zone = zone_named(client, request);
		if (!zone) return;
		if (!zone->machine.policy->file) {
			reply_error(client, E_REFUSED, "zone %s has no file",
				    zone->machine.policy->label);
			return;
		}
	}
	outcomes_begin(client);
	if (zone) reload(client, zone);
	for (size_t i = 0; !zone && i < k->zone_count; i++)
		if (k->zones[i]->machine.policy->file) reload(client, k->zones[i]);
	outcomes_begun(client);
}

static void refresh(struct client *client, struct zone *zone, bool forced)
{
	struct keeper_event event = {.kind = KEEPER_REFRESH, .forced = forced};

	client_wait_for(client, zone, false);
	zone_feed(zone, &event);
}

static void run_zone_refresh(struct client *client, const json_t *request)
{
	struct keeper *k = client->keeper;
	bool forced = is_true(request, "force");
	struct zone *zone = NULL;

	if (json_object_get(request, "name")) {
		zone = zone_named(client, request);
		if (!zone) return;
		if (zone->machine.policy->role != ROLE_SECONDARY) {
			reply_error(client, E_REFUSED, "this server is the primary of %s",
				    zone->machine.policy->label);
			return;
		}
	}
	outcomes_begin(client);
	if (zone) refresh(client, zone, forced);
	for (size_t i = 0; !zone && i < k->zone_count; i++)
		if (k->zones[i]->machine.policy->role == ROLE_SECONDARY)
			refresh(client, k->zones[i], forced);
	outcomes_begun(client);
}

static void notify(struct zone *zone)
{
	struct keeper_event event = {.kind = KEEPER_NOTIFY_ORDER};

	zone_feed(zone, &event);
}

static void run_zone_notify(struct client *client, const json_t *request)
{
	struct keeper *k = client->keeper;
	size_t told = 0;

	if (json_object_get(request, "name")) {
		struct zone *zone = zone_named(client, request);
		if (!zone) return;
		notify(zone);
		told = zone->machine.policy->secondary_count;
	} else {
		for (size_t i = 0; i < k->zone_count; i++) {
			notify(k->zones[i]);
			told += k->zones[i]->machine.policy->secondary_count;
		}
	}
	struct json *j = reply_begin(client);
	json_object_begin(j);
	json_key(j, "notified");
	json_uint(j, told);
	json_object_end(j);
	reply_end(client, EXIT_DONE);
}

/* --- zone export: a zone may be larger than what a client's queue may hold --- */

enum { EXPORT_PIECE = 128 << 10, EXPORT_LINE_MAX = 512 << 10 };

struct exporting {
	struct keeper *keeper;
	struct view view;
	struct image_places places; /* kept from being dropped until the end */
	struct view_cursor walk;
	struct node node;
	struct rrset_cursor rrset;
	size_t record_at;
	uint64_t record_count; /* written so far */
	uint8_t text[EXPORT_PIECE + EXPORT_LINE_MAX];
};

static void run_zone_export(struct client *client, const json_t *request)
{
	struct zone *zone = zone_named(client, request);

	if (!zone) return;
	if (!zone->machine.head.exists) {
		reply_error(client, E_NOT_FOUND, "zone %s has no version yet",
			    zone->machine.policy->label);
		return;
	}
	struct exporting *e = calloc(1, sizeof *e);
	if (!e) {
		reply_error(client, E_NOMEM, "no memory to export");
		return;
	}
	e->keeper = client->keeper;
	e->places = zone->published.places;
	e->view = zone->machine.head.view;
	segments_hold_all(&client->keeper->segments, &e->places);
	client->exporting = e;
	export_continue(client);
}

/* Fills the piece; false at the zone's end. */
static bool export_piece(struct exporting *e, struct writer *w)
{
	while (w->len < EXPORT_PIECE) {
		struct span rdata;
		if (e->node.octets && rrset_next(&e->rrset.rrset, &e->record_at, &rdata)) {
			zone_text_print(&(struct record){.owner = e->node.owner,
							 .type = e->rrset.rrset.type,
							 .class = CLASS_IN,
							 .ttl = e->rrset.rrset.ttl,
							 .rdata = rdata},
					w);
			e->record_count++;
			continue;
		}
		e->record_at = 0;
		if (e->node.octets && node_next_rrset(&e->node, &e->rrset)) continue;
		e->rrset = (struct rrset_cursor){0};
		if (!view_next(&e->view, &e->walk, &e->node)) return false;
	}
	return true;
}

void export_continue(struct client *client)
{
	struct exporting *e = client->exporting;
	struct writer w = writer_of(e->text, sizeof e->text);
	bool more = export_piece(e, &w);
	struct json *j = &client->json;

	json_init(j, client_sink, client);
	json_object_begin(j);
	json_key(j, "text");
	json_span(j, writer_span(&w));
	json_object_end(j);
	json_end(j);
	client_sink(client, span_of("\n", 1));
	if (more) return;
	bool whole = e->record_count == view_record_count(&e->view);
	export_end(client);
	if (!whole) {
		reply_error(client, E_DAMAGED,
			    "the zone's image is damaged: the text is not whole; a restart builds "
			    "the image anew from the store");
		return;
	}
	j = reply_begin(client);
	json_object_begin(j);
	json_object_end(j);
	reply_end(client, EXIT_DONE);
}

void export_end(struct client *client)
{
	if (!client->exporting) return;
	segments_let_go_all(&client->exporting->keeper->segments, &client->exporting->places);
	free(client->exporting);
	client->exporting = NULL;
}

static void run_config_diff(struct client *client, const json_t *request)
{
	(void)request;
	config_diff_reply(client);
}

static void run_config_apply(struct client *client, const json_t *request)
{
	(void)request;
	config_apply_reply(client);
}

static void run_key_list(struct client *client, const json_t *request)
{
	const struct policy *policy = client->keeper->policy;
	struct json *j = reply_begin(client);

	(void)request;
	json_object_begin(j);
	json_key(j, "keys");
	json_array_begin(j);
	for (size_t i = 0; i < policy->key_count; i++) {
		const struct tsig_key *key = &policy->keys[i];
		json_object_begin(j);
		json_key(j, "name");
		json_text(j, key->label);
		json_key(j, "algorithm");
		json_text(j, tsig_algorithm_text(key->algorithm));
		json_key(j, "bits");
		json_uint(j, 8 * key->secret.len);
		json_key(j, "remotes");
		json_array_begin(j);
		for (size_t r = 0; r < policy->remote_count; r++)
			for (size_t n = 0; n < policy->remotes[r].key_count; n++)
				if (policy->remotes[r].keys[n] == key)
					json_text(j, policy->remotes[r].label);
		json_array_end(j);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
	reply_end(client, EXIT_DONE);
}

/* The front counts; it is asked, and its answer is the client's. */
static void run_stats(struct client *client, const json_t *request)
{
	struct keeper *k = client->keeper;
	struct message_empty ask = {0};

	(void)request;
	if (!k->front || channel_send(k->front, MESSAGE_STATS_ASK, &ask, (struct span){0}, -1))
		reply_error(client, E_BUSY, "the front process is being started; try again");
	else
		client->wants_stats = true;
}

void stats_answer(struct keeper *k, const struct message_front_stats *stats)
{
	for (struct client *client = k->clients; client; client = client->next) {
		if (!client->wants_stats) continue;
		client->wants_stats = false;
		metrics_write(stats, reply_begin(client));
		reply_end(client, EXIT_DONE);
	}
}

void stats_unavailable(struct keeper *k)
{
	for (struct client *client = k->clients; client; client = client->next) {
		if (!client->wants_stats) continue;
		client->wants_stats = false;
		reply_error(client, E_BUSY, "the front process ended; try again");
	}
}

static void run_store_copy(struct client *client, const json_t *request)
{
	const char *path = json_string_value(json_object_get(request, "file"));

	if (!path || path[0] != '/')
		reply_error(client, E_SYNTAX, "store copy needs an absolute path");
	else
		store_copy_begin_for(client, path);
}

void command_run(struct client *client, const json_t *request)
{
	static const struct {
		const char *words;
		void (*run)(struct client *client, const json_t *request);
	} commands[] = {
		{"status", run_status},
		{"zone list", run_zone_list},
		{"zone status", run_zone_status},
		{"zone reload", run_zone_reload},
		{"zone refresh", run_zone_refresh},
		{"zone notify", run_zone_notify},
		{"zone export", run_zone_export},
		{"config diff", run_config_diff},
		{"config apply", run_config_apply},
		{"key list", run_key_list},
		{"stats", run_stats},
		{"store copy", run_store_copy},
	};
	const char *words = json_string_value(json_object_get(request, "command"));

	for (size_t i = 0; words && i < ARRAY_COUNT(commands); i++) {
		if (strcmp(words, commands[i].words) != 0) continue;
		commands[i].run(client, request);
		return;
	}
	reply_error(client, E_SYNTAX, "this server knows no command \"%s\"", words ? words : "");
}
