/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - a zone file looked at without a server: what would a reload say? */
#include "cli/cli.h"

#include "cli/show.h"
#include "dns/zone_text.h"
#include "host/file.h"
#include "server/config_files.h"
#include "zone/checks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CHECK_OCTETS_MAX ((size_t)64 << 30)

enum { PATH_TEXT_MAX = 4096 };

struct checking {
	struct arena *arena;
	struct records records;
	struct diagnostics diagnostics;
};

static enum code include(void *context, const char *path, const char *from, struct span *text,
			 const char **name, struct error *err)
{
	struct checking *checking = context;
	const char *slash = strrchr(from, '/');
	struct file_identity identity;
	char whole[PATH_TEXT_MAX];

	if (path[0] == '/' || !slash)
		snprintf(whole, sizeof whole, "%s", path);
	else
		snprintf(whole, sizeof whole, "%.*s/%s", (int)(slash - from), from, path);
	*name = arena_copy_text(checking->arena, span_of_text(whole));
	if (!*name) return error_set(err, E_NOMEM, "no memory to read %s", whole);
	return file_read(whole, CHECK_OCTETS_MAX, checking->arena, text, &identity, err);
}

static enum code sink(void *context, const struct record *record, struct place place)
{
	struct checking *checking = context;

	return records_add(&checking->records, record, place, NULL);
}

static enum code check_file(struct checking *checking, const char *path, struct name origin,
			    struct error *err)
{
	struct zone_text_parser parser = {
		.origin = origin,
		.include = include,
		.sink = sink,
		.context = checking,
		.arena = checking->arena,
		.diagnostics = &checking->diagnostics,
	};
	struct file_identity identity;
	struct span text;
	enum code code = file_read(path, CHECK_OCTETS_MAX, checking->arena, &text, &identity, err);

	if (code) return code;
	code = zone_text_parse(&parser, path, text);
	if (code) return error_set(err, code, "%s is no zone file", path);
	if ((code = records_sort(&checking->records, err))) return code;
	code = zone_check(&checking->records, origin, &checking->diagnostics);
	return code ? error_set(err, code, "%s is not a zone that can be served", path) : OK;
}

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
		json_uint(j, checking->records.count);
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
	records_init(&checking.records, checking.arena);
	enum code code = check_file(&checking, path, name_of(&origin), &err);
	if (!code) records_soa(&checking.records, name_of(&origin), &soa);
	if (code && !checking.diagnostics.error_count) {
		cli_failed("%s", err.text);
	} else if (invocation->options[OPTION_JSON]) {
		result_json(&checking, code == OK, &soa);
	} else {
		diagnostics_show(&checking.diagnostics);
		if (!code)
			printf("%s: good, serial %u, %s records\n", path, soa.serial,
			       number_show(checking.records.count, number));
	}
	arena_free(checking.arena);
	return code ? CLI_FAILED : CLI_DONE;
}
