/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - status, zone list, zone status: what the server's JSON says, for people. */
#include "cli/client.h"
#include "cli/show.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void upper(const char *from, char *to, size_t cap)
{
	size_t i = 0;

	for (; from[i] && i + 1 < cap; i++) to[i] = (char)toupper((unsigned char)from[i]);
	to[i] = '\0';
}

/* "STALE   east: connection refused for 3h; expires in 6d 21h" */
static void state_show(const json_t *zone, char *text, size_t cap)
{
	char state[16], since[DURATION_TEXT_MAX], until[DURATION_TEXT_MAX];
	const char *problem = field_text(zone, "problem");
	int len;

	upper(field_text(zone, "state"), state, sizeof state);
	if (json_object_get(zone, "loading_percent")) {
		snprintf(text, cap, "%-8s%lld %%", "LOADING",
			 (long long)field_int(zone, "loading_percent"));
		return;
	}
	len = snprintf(text, cap, "%-8s", state);
	if (strcmp(state, "ALONE") == 0) snprintf(text + len, cap - (size_t)len, "no secondary");
	if ((strcmp(state, "EMPTY") == 0 || strcmp(state, "LOADING") == 0) && !*problem)
		snprintf(text + len, cap - (size_t)len, "nothing to serve yet");
	if (!*problem) return;
	len += snprintf(
		text + len, cap - (size_t)len, "%s, for %s", problem,
		since_show((unsigned long long)field_int(zone, "problem_since_unix"), since));
	if (json_object_get(zone, "expires_unix") && len > 0 && (size_t)len < cap &&
	    strcmp(state, "EXPIRED") != 0)
		snprintf(text + len, cap - (size_t)len, "; expires in %s",
			 until_show((unsigned long long)field_int(zone, "expires_unix"), until));
}

static void zone_row(struct table *table, const json_t *zone)
{
	char serial[16] = "-", changed[TABLE_CELL_MAX] = "-", state[TABLE_CELL_MAX];
	char since[DURATION_TEXT_MAX];

	if (json_is_integer(json_object_get(zone, "serial")))
		snprintf(serial, sizeof serial, "%llu",
			 (unsigned long long)field_int(zone, "serial"));
	if (json_object_get(zone, "changed_unix"))
		snprintf(changed, sizeof changed, "%s, %s",
			 since_show((unsigned long long)field_int(zone, "changed_unix"), since),
			 field_text(zone, "changed_by"));
	state_show(zone, state, sizeof state);
	table_row(table, (const char *[]){field_text(zone, "name"), field_text(zone, "role"),
					  serial, changed, state});
}

static void zones_table(const json_t *zones)
{
	struct table table;
	size_t i;
	json_t *zone;

	table_begin(&table, 5, (const char *[]){"ZONE", "ROLE", "SERIAL", "CHANGED", "STATE"});
	json_array_foreach(zones, i, zone) zone_row(&table, zone);
	table_end(&table);
}

/* What lies where: the images that answer, and the disk that the store needs. */
static void images_show(const json_t *status, const json_t *store)
{
	const json_t *images = json_object_get(status, "images");
	char octets[NUMBER_TEXT_MAX], left[NUMBER_TEXT_MAX];

	printf("images %s",
	       octets_show((unsigned long long)field_int(status, "image_octets"), octets));
	if (field_int(images, "packs"))
		printf(" in %lld pack%s", field_int(images, "packs"),
		       field_int(images, "packs") == 1 ? "" : "s");
	if (json_object_get(store, "free_octets"))
		printf("   state %s, %s free", field_text(store, "path"),
		       octets_show((unsigned long long)field_int(store, "free_octets"), left));
	printf("\n");
	if (*field_text(images, "problem"))
		printf("IMAGES  they are not packed, the next start takes longer: %s\n",
		       field_text(images, "problem"));
}

static void head_show(const json_t *status)
{
	const json_t *config = json_object_get(status, "config"),
		     *store = json_object_get(status, "store");
	char up[DURATION_TEXT_MAX], applied[DURATION_TEXT_MAX], zones[NUMBER_TEXT_MAX],
		good[NUMBER_TEXT_MAX];

	printf("%s  lockstep %s  up %s  %s  %s zone%s, %s good\n", field_text(status, "server"),
	       field_text(status, "version"),
	       since_show((unsigned long long)field_int(status, "started_unix"), up),
	       json_is_true(json_object_get(status, "answering")) ? "serving" : "NOT SERVING YET",
	       number_show((unsigned long long)field_int(status, "zones"), zones),
	       field_int(status, "zones") == 1 ? "" : "s",
	       number_show((unsigned long long)field_int(status, "zones_good"), good));
	printf("config %s applied %s ago   ", field_text(config, "path"),
	       since_show((unsigned long long)field_int(config, "applied_unix"), applied));
	images_show(status, store);
	if (*field_text(config, "problem"))
		printf("CONFIG  the newest configuration is not in force: %s\n",
		       field_text(config, "problem"));
	if (!json_is_true(json_object_get(store, "writable")))
		printf("STORE   no change is accepted, answers go on: %s\n",
		       field_text(store, "reason"));
}

/* The supervisor answers for a keeper that is down, and knows nothing of zones. */
static void head_show_without_keeper(const json_t *status)
{
	printf("lockstep %s  %s\nKEEPER  no change is accepted, answers go on: %s\n",
	       field_text(status, "version"),
	       json_is_true(json_object_get(status, "answering")) ? "serving" : "NOT SERVING",
	       field_text(status, "keeper"));
}

static void processes_show(const json_t *status)
{
	size_t i;
	json_t *process;

	json_array_foreach(json_object_get(status, "processes"), i, process)
	{
		json_int_t restarts = field_int(process, "restarts");
		char ago[DURATION_TEXT_MAX];
		if (!restarts) continue;
		printf("%s restarted %lld time%s, %s ago (%s)\n", field_text(process, "name"),
		       (long long)restarts, restarts == 1 ? "" : "s",
		       since_show((unsigned long long)field_int(process, "died_unix"), ago),
		       field_text(process, "death"));
	}
}

static void good_show(json_int_t good, size_t problems)
{
	char number[NUMBER_TEXT_MAX];

	if (!good) return;
	number_show((unsigned long long)good, number);
	if (problems)
		printf("%s more %s good (lockstep zone list)\n", number, good == 1 ? "is" : "are");
	else
		printf("\n%s\n", good == 1 ? "the zone is good" : "all are good");
}

/* Zones that are good, and listed all the same: they are being loaded anew. */
static json_int_t good_among(const json_t *zones)
{
	json_int_t count = 0;
	size_t i;
	json_t *zone;

	json_array_foreach(zones, i, zone) count += strcmp(field_text(zone, "state"), "good") == 0;
	return count;
}

int command_STATUS(const struct invocation *invocation)
{
	json_t *request = json_object(), *status;
	int exit_status;

	if (invocation->options[OPTION_JSON])
		json_object_set_new(request, "everything", json_true());
	exit_status = client_ask(invocation, request, &status);
	if (!status) return exit_status;
	const json_t *problems = json_object_get(status, "problems");
	if (*field_text(status, "keeper"))
		head_show_without_keeper(status);
	else
		head_show(status);
	processes_show(status);
	if (json_array_size(problems)) {
		putchar('\n');
		zones_table(problems);
	}
	good_show(field_int(status, "zones_good") - good_among(problems),
		  json_array_size(problems));
	json_decref(status);
	return exit_status;
}

int command_ZONE_LIST(const struct invocation *invocation)
{
	json_t *result;
	int exit_status = client_ask(invocation, json_object(), &result);

	if (!result) return exit_status;
	zones_table(json_object_get(result, "zones"));
	json_decref(result);
	return exit_status;
}

static void line(const char *name, const char *value)
{
	if (*value) printf("%-12s %s\n", name, value);
}

static void remotes_show(const char *title, const json_t *remotes)
{
	size_t i, n;
	json_t *remote, *one;

	json_array_foreach(remotes, i, remote)
	{
		printf("%-12s %s", i ? "" : title, field_text(remote, "name"));
		json_array_foreach(json_object_get(remote, "address"), n, one)
			printf(" %s", json_string_value(one));
		json_array_foreach(json_object_get(remote, "keys"), n, one)
			printf("%s%s", n ? ", " : "  key ", json_string_value(one));
		if (*field_text(remote, "notify"))
			printf("  NOTIFY %s (serial %lld)", field_text(remote, "notify"),
			       (long long)field_int(remote, "notified_serial"));
		if (json_is_true(json_object_get(remote, "in_use"))) printf("  asked next");
		putchar('\n');
	}
}

static void version_show(const json_t *zone)
{
	char since[DURATION_TEXT_MAX], records[NUMBER_TEXT_MAX];

	if (!json_is_integer(json_object_get(zone, "serial"))) {
		line("serial", "none: there is no version yet");
		return;
	}
	printf("%-12s %lld\n", "serial", (long long)field_int(zone, "serial"));
	printf("%-12s %s records, digest %s\n", "content",
	       number_show((unsigned long long)field_int(zone, "records"), records),
	       field_text(zone, "digest"));
	printf("%-12s %s ago, %s\n", "changed",
	       since_show((unsigned long long)field_int(zone, "changed_unix"), since),
	       field_text(zone, "changed_by"));
}

static void timers_show(const json_t *zone)
{
	char text[DURATION_TEXT_MAX];

	if (json_object_get(zone, "confirmed_unix"))
		printf("%-12s %s ago\n", "confirmed",
		       since_show((unsigned long long)field_int(zone, "confirmed_unix"), text));
	if (json_object_get(zone, "next_refresh_unix"))
		printf("%-12s in %s\n", "next refresh",
		       until_show((unsigned long long)field_int(zone, "next_refresh_unix"), text));
	else
		line("refresh", field_text(zone, "refresh"));
	if (json_object_get(zone, "expires_unix"))
		printf("%-12s in %s\n", "expires",
		       until_show((unsigned long long)field_int(zone, "expires_unix"), text));
}

void diagnostics_print(const json_t *diagnostics, FILE *out)
{
	size_t i;
	json_t *one;

	json_array_foreach(diagnostics, i, one) fputs(field_text(one, "shown"), out);
}

int command_ZONE_STATUS(const struct invocation *invocation)
{
	json_t *request = json_object(), *zone;
	int exit_status;

	json_object_set_new(request, "name", json_string(invocation->arguments[0]));
	exit_status = client_ask(invocation, request, &zone);
	if (!zone) return exit_status;
	line("zone", field_text(zone, "name"));
	line("role", field_text(zone, "role"));
	line("state", field_text(zone, "state"));
	version_show(zone);
	timers_show(zone);
	line("file", field_text(zone, "file"));
	line("from", field_text(zone, "from"));
	remotes_show("primaries", json_object_get(zone, "primaries"));
	remotes_show("secondaries", json_object_get(zone, "secondaries"));
	line("problem", field_text(zone, "problem"));
	diagnostics_print(json_object_get(zone, "diagnostics"), stdout);
	json_decref(zone);
	return exit_status;
}
