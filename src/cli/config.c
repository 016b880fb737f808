/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - config check, diff, apply, explain, export; store copy; limits; serve. */
#include "cli/client.h"
#include "cli/show.h"

#include "server/config_files.h"
#include "server/supervisor.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXPLAIN_OCTETS_MAX = 64 << 10 };

static void to_stdout(void *context, struct span chunk)
{
	(void)context;
	fwrite(chunk.ptr, 1, chunk.len, stdout);
}

/* The file that the command names: an argument, else -c, else the default. */
static const char *file_of(const struct invocation *invocation)
{
	if (invocation->argument_count) return invocation->arguments[0];
	return config_path(invocation->options[OPTION_CONFIG]);
}

static void check_json(const struct diagnostics *diagnostics, bool good)
{
	struct json json, *j = &json;

	json_begin_stdout(j);
	json_object_begin(j);
	json_key(j, "good");
	json_bool(j, good);
	json_key(j, "diagnostics");
	diagnostics_json(diagnostics, j);
	json_object_end(j);
	json_end_stdout(j);
}

int command_CONFIG_CHECK(const struct invocation *invocation)
{
	const char *path = file_of(invocation);
	struct arena *arena = arena_new(POLICY_OCTETS_MAX);
	struct diagnostics diagnostics = {.arena = arena};
	const struct policy *policy;
	char zones[NUMBER_TEXT_MAX];

	if (!arena) return cli_failed("no memory");
	enum code code = config_files_load(path, arena, &diagnostics, &policy);
	if (invocation->options[OPTION_JSON]) {
		check_json(&diagnostics, code == OK);
	} else {
		diagnostics_show(&diagnostics);
		if (!code)
			printf("%s: good, %s zone%s\n", path,
			       number_show(policy->zone_count, zones),
			       policy->zone_count == 1 ? "" : "s");
	}
	arena_free(arena);
	return code ? CLI_FAILED : CLI_DONE;
}

int command_CONFIG_EXPORT(const struct invocation *invocation)
{
	struct arena *arena = arena_new(POLICY_OCTETS_MAX);
	struct diagnostics diagnostics = {.arena = arena};
	const struct policy *policy;

	bool as_json = invocation->options[OPTION_JSON];

	if (!arena) return cli_failed("no memory");
	enum code code = config_files_load(file_of(invocation), arena, &diagnostics, &policy);
	if (code && as_json)
		check_json(&diagnostics, false);
	else
		diagnostics_show(&diagnostics);
	if (!code)
		config_export(policy, as_json ? CONFIG_JSON : CONFIG_YAML, false, to_stdout, NULL);
	arena_free(arena);
	return code ? CLI_FAILED : CLI_DONE;
}

int command_CONFIG_EXPLAIN(const struct invocation *invocation)
{
	uint8_t *text = malloc(EXPLAIN_OCTETS_MAX);
	struct writer w = writer_of(text, text ? EXPLAIN_OCTETS_MAX : 0);
	struct error err;
	enum code code = config_explain(span_of_text(invocation->arguments[0]), &w, &err);
	struct json json;

	if (!code && invocation->options[OPTION_JSON]) {
		json_begin_stdout(&json);
		json_object_begin(&json);
		json_key(&json, "text");
		json_span(&json, writer_span(&w));
		json_object_end(&json);
		json_end_stdout(&json);
	} else if (!code) {
		fwrite(w.ptr, 1, w.len, stdout);
	}
	free(text);
	return code ? cli_failed("%s", err.text) : CLI_DONE;
}

/* What diff found and apply did: the changes, or why there are none. */
static int changes_show(const struct invocation *invocation, const char *none, const char *done)
{
	json_t *result, *change;
	size_t i;
	int exit_status = client_ask(invocation, json_object(), &result);

	if (!result) return exit_status;
	diagnostics_print(json_object_get(result, "diagnostics"), stderr);
	json_array_foreach(json_object_get(result, "changes"), i, change)
		printf("%s\n", json_string_value(change));
	if (json_is_true(json_object_get(result, "refused")))
		fputs("lockstep: refused; the configuration before stays in force\n", stderr);
	else if (!json_array_size(json_object_get(result, "changes")))
		puts(none);
	else if (done)
		puts(done);
	json_decref(result);
	return exit_status;
}

int command_CONFIG_DIFF(const struct invocation *invocation)
{
	return changes_show(invocation, "no difference", NULL);
}

int command_CONFIG_APPLY(const struct invocation *invocation)
{
	return changes_show(invocation, "no difference; it is in force already", "in force");
}

int command_STORE_COPY(const struct invocation *invocation)
{
	const char *file = invocation->arguments[0];
	char folder[PATH_MAX], path[2 * PATH_MAX];
	json_t *request = json_object(), *result;

	/* The server has another working folder than we. */
	if (file[0] == '/' || !getcwd(folder, sizeof folder))
		snprintf(path, sizeof path, "%s", file);
	else
		snprintf(path, sizeof path, "%s/%s", folder, file);
	json_object_set_new(request, "file", json_string(path));
	int exit_status = client_ask(invocation, request, &result);
	if (result) printf("%s: a copy of the store\n", field_text(result, "file"));
	json_decref(result);
	return exit_status;
}

int command_SERVE(const struct invocation *invocation)
{
	supervisor_main(config_path(invocation->options[OPTION_CONFIG]));
}
