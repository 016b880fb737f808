/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - a zone file looked at without a server: what would a reload say? */
#include "cli/cli.h"

#include "cli/show.h"
#include "host/machine.h"
#include "host/workers.h"
#include "server/config_files.h"
#include "server/zone_file.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK_OCTETS_MAX ((size_t)64 << 30)

struct checking {
	struct arena *arena;
	struct diagnostics diagnostics;
	struct zone_progress progress;
	struct zone_load load;
	struct workers *workers;
};

static void result_json(const struct checking *checking, bool good, const struct soa *soa)
{
	struct json json, *j = &json;

	json_begin_stdout(j);
	json_object_begin(j);
	json_key(j, "good");
	json_bool(j, good);
	if (good) {
		json_key(j, "serial");
		json_uint(j, soa->serial);
		json_key(j, "records");
		json_uint(j, checking->load.records->count);
	}
	json_key(j, "diagnostics");
	diagnostics_json(&checking->diagnostics, j);
	json_object_end(j);
	json_end_stdout(j);
}

int command_CHECK(const struct invocation *invocation)
{
	const char *path = invocation->arguments[0], *text = invocation->options[OPTION_ORIGIN];
	struct checking checking = {.arena = arena_new(CHECK_OCTETS_MAX)};
	struct name_buffer origin;
	struct name root = name_root();
	struct soa soa = {0};
	struct error err = {0};
	char number[NUMBER_TEXT_MAX];

	if (!checking.arena) return cli_failed("no memory");
	if (!text || name_from_text(span_of_text(text), &root, &origin, &err)) {
		arena_free(checking.arena);
		return text ? cli_usage("--origin \"%s\" is not a name: %s", text, err.text)
			    : cli_usage("which zone is it? --origin NAME");
	}
	checking.diagnostics.arena = checking.arena;
	if (workers_start(processor_count() - 1, NULL, &checking.workers, NULL))
		checking.workers = NULL;
	checking.load = (struct zone_load){
		.path = path,
		.origin = name_of(&origin),
		.work = checking.arena,
		.diagnostics = &checking.diagnostics,
		.parallel = checking.workers ? workers_parallel(checking.workers) : NULL,
		.progress = &checking.progress,
	};
	enum code code = zone_load(&checking.load, &err);
	if (!code) records_soa(checking.load.records, name_of(&origin), &soa);
	if (code && !checking.diagnostics.error_count) {
		cli_failed("%s", err.text);
	} else if (invocation->options[OPTION_JSON]) {
		result_json(&checking, code == OK, &soa);
	} else {
		diagnostics_show(&checking.diagnostics);
		if (!code)
			printf("%s: good, serial %u, %s records\n", path, soa.serial,
			       number_show(checking.load.records->count, number));
	}
	workers_stop(checking.workers);
	workers_free(checking.workers);
	zone_files_clear(&checking.load.files);
	free(checking.load.denied);
	arena_free(checking.arena);
	return code ? CLI_FAILED : CLI_DONE;
}
