/* SPDX-License-Identifier: Apache-2.0 */
/* reading.c - from a zone file, and all it includes, to a sorted set of records. */
#include "server/keeper/zones.h"

#include "dns/zone_text.h"

#include <stdio.h>
#include <stdlib.h>

struct reading {
	struct zone *zone;
	struct arena *arena;
	struct records *records;
	struct loaded_file *files;
	size_t file_count;
};

/* Every file is still the one that was read last, and that one was taken. */
static bool is_unchanged(const struct zone *zone)
{
	if (zone->machine.problem_since) return false;
	for (size_t i = 0; i < zone->file_count; i++) {
		struct file_identity now;
		if (file_identify(zone->files[i].path, &now, NULL)) return false;
		if (!file_identity_equal(&now, &zone->files[i].identity)) return false;
	}
	return zone->file_count > 0;
}

static void files_forget(struct loaded_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++) free(files[i].path);
	free(files);
}

void zone_files_forget(struct zone *zone)
{
	files_forget(zone->files, zone->file_count);
	zone->files = NULL;
	zone->file_count = 0;
}

static enum code read_one(struct reading *reading, const char *path, struct span *text,
			  struct error *err)
{
	struct file_identity identity;
	enum code code =
		file_read(path, ZONE_FILE_OCTETS_MAX, reading->arena, text, &identity, err);

	if (code) return code;
	struct loaded_file *grown =
		realloc(reading->files, (reading->file_count + 1) * sizeof *grown);
	char *copy = strdup(path);
	if (grown) reading->files = grown;
	if (!grown || !copy) {
		free(copy);
		return error_set(err, E_NOMEM, "no memory to read %s", path);
	}
	grown[reading->file_count++] = (struct loaded_file){copy, identity};
	return OK;
}

/* A relative path starts from the folder of the file that says it. */
static enum code include(void *context, const char *path, const char *from, struct span *text,
			 const char **name, struct error *err)
{
	struct reading *reading = context;
	const char *slash = strrchr(from, '/');
	char whole[PATH_TEXT_MAX];
	int needed;

	if (path[0] == '/' || !slash)
		needed = snprintf(whole, sizeof whole, "%s", path);
	else
		needed = snprintf(whole, sizeof whole, "%.*s/%s", (int)(slash - from), from, path);
	if (needed < 0 || (size_t)needed >= sizeof whole)
		return error_set(err, E_RANGE, "a path of more than %zu octets", sizeof whole - 1);
	*name = arena_copy_text(reading->arena, span_of_text(whole));
	if (!*name) return error_set(err, E_NOMEM, "no memory to read %s", whole);
	return read_one(reading, whole, text, err);
}

static enum code sink(void *context, const struct record *record, struct place place)
{
	struct reading *reading = context;

	return records_add(reading->records, record, place, NULL);
}

static enum code parse(struct reading *reading, struct error *err)
{
	struct zone *zone = reading->zone;
	const char *path = zone->machine.policy->file;
	struct zone_text_parser parser = {
		.origin = zone->machine.policy->name,
		.include = include,
		.sink = sink,
		.context = reading,
		.arena = reading->arena,
		.diagnostics = &zone->diagnostics,
	};
	struct span text;
	enum code code = read_one(reading, path, &text, err);

	if (code) return code;
	code = zone_text_parse(&parser, path, text);
	if (code == E_NOMEM) return error_set(err, code, "no memory to read %s", path);
	if (code && zone->diagnostics.count) {
		const struct diagnostic *first = &zone->diagnostics.list[0];
		for (size_t i = 0; first->warning && i < zone->diagnostics.count; i++)
			first = &zone->diagnostics.list[i];
		return error_set(err, E_SYNTAX, "%s:%u:%u: %s", first->place.file,
				 first->place.line, first->place.column, first->text);
	}
	return code ? error_set(err, code, "%s could not be read", path) : OK;
}

void zone_read_file(struct zone *zone)
{
	struct reading reading = {.zone = zone};
	struct keeper_event event = {.kind = KEEPER_FILE_READ};
	struct error err = {0};
	char author[256];

	if (is_unchanged(zone)) {
		event.kind = KEEPER_FILE_UNCHANGED;
		zone_feed(zone, &event);
		return;
	}
	enum code code = zone_work_begin(zone, &err);
	if (!code) {
		reading.arena = zone->work;
		reading.records = zone->records;
		code = parse(&reading, &err);
		if (!code) code = records_sort(zone->records, &err);
	}
	zone_files_forget(zone);
	zone->files = reading.files;
	zone->file_count = reading.file_count;
	if (code) {
		event.kind = KEEPER_FILE_BROKEN;
		event.problem = err.text;
	} else {
		snprintf(author, sizeof author, "file %s", zone->machine.policy->file);
		event.author = author;
		event.records = zone->records;
	}
	zone_feed(zone, &event);
}
