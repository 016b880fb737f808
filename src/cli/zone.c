/* SPDX-License-Identifier: Apache-2.0 */
/* zone.c - having something done to zones: reload, refresh, notify, export. */
#include "cli/client.h"

#include <stdio.h>
#include <string.h>

static json_t *request_for(const struct invocation *invocation)
{
	json_t *request = json_object();

	if (invocation->argument_count)
		json_object_set_new(request, "name", json_string(invocation->arguments[0]));
	if (invocation->options[OPTION_FORCE]) json_object_set_new(request, "force", json_true());
	return request;
}

/* How it ended for one zone: good news on standard output, bad on standard error. */
static void outcome_show(const json_t *zone)
{
	const char *name = field_text(zone, "name"), *state = field_text(zone, "state");
	long long serial = (long long)field_int(zone, "serial");

	if (strcmp(state, "served") == 0) {
		printf("%s: serial %lld is served\n", name, serial);
	} else if (strcmp(state, "unchanged") == 0) {
		printf("%s: nothing new; serial %lld stays\n", name, serial);
	} else if (strcmp(state, "current") == 0) {
		printf("%s: serial %lld is current\n", name, serial);
	} else if (json_array_size(json_object_get(zone, "diagnostics"))) {
		diagnostics_print(json_object_get(zone, "diagnostics"), stderr);
	} else {
		fprintf(stderr, "%s: %s\n", name, field_text(zone, "problem"));
	}
	if (strcmp(state, "refused") == 0 && json_object_get(zone, "serial"))
		fprintf(stderr, "%s: refused; serial %lld is served on\n", name, serial);
	if (strcmp(state, "refused") == 0 && !json_object_get(zone, "serial"))
		fprintf(stderr, "%s: refused; there is no version to serve\n", name);
}

static int outcomes(const struct invocation *invocation)
{
	json_t *result, *zone;
	size_t i;
	int exit_status = client_ask(invocation, request_for(invocation), &result);

	json_array_foreach(json_object_get(result, "zones"), i, zone) outcome_show(zone);
	json_decref(result);
	return exit_status;
}

int command_ZONE_RELOAD(const struct invocation *invocation)
{
	return outcomes(invocation);
}

int command_ZONE_REFRESH(const struct invocation *invocation)
{
	return outcomes(invocation);
}

int command_ZONE_NOTIFY(const struct invocation *invocation)
{
	json_t *result;
	int exit_status = client_ask(invocation, request_for(invocation), &result);

	if (result)
		printf("NOTIFY goes to %lld secondar%s\n", (long long)field_int(result, "notified"),
		       field_int(result, "notified") == 1 ? "y" : "ies");
	json_decref(result);
	return exit_status;
}

int command_ZONE_EXPORT(const struct invocation *invocation)
{
	json_t *result;
	int exit_status = client_ask(invocation, request_for(invocation), &result);

	json_decref(result);
	return exit_status;
}

int command_STATS(const struct invocation *invocation)
{
	json_t *result, *value;
	const char *name;
	int exit_status = client_ask(invocation, json_object(), &result);

	json_object_foreach(result, name, value)
		printf("%-32s %lld\n", name, (long long)json_integer_value(value));
	json_decref(result);
	return exit_status;
}
