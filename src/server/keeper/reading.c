/* SPDX-License-Identifier: Apache-2.0 */
/* reading.c - from a zone file, and all it includes, to a sorted set of records. */
#include "server/keeper/zones.h"

#include "dns/zone_text.h"

#include <stdio.h>
#include <stdlib.h>

/* Every file is still the one that was read last, and that one was taken. */
static bool is_unchanged(const struct zone *zone)
{
	if (zone->machine.problem_since) return false;
	/* The store may remember the files of another configuration. */
	if (zone->files.count && strcmp(zone->files.list[0].path, zone->machine.policy->file) != 0)
		return false;
	for (size_t i = 0; i < zone->files.count; i++) {
		struct file_identity now;
		if (file_identify(zone->files.list[i].path, &now, NULL)) return false;
		if (!file_identity_equal(&now, &zone->files.list[i].identity)) return false;
	}
	return zone->files.count > 0;
}

void zone_files_forget(struct zone *zone)
{
	for (size_t i = 0; i < zone->files.count; i++) free(zone->files.list[i].path);
	free(zone->files.list);
	zone->files.list = NULL;
	zone->files.count = 0;
}

bool zone_file_remember(struct zone *zone, const char *path, const struct file_identity *identity,
			uint64_t checksum)
{
	struct loaded_file *grown =
		realloc(zone->files.list, (zone->files.count + 1) * sizeof *grown);

	if (!grown) return false;
	zone->files.list = grown;
	grown[zone->files.count] = (struct loaded_file){strdup(path), *identity, checksum};
	if (!grown[zone->files.count].path) return false;
	zone->files.count++;
	return true;
}

static enum code read_one(struct zone *zone, const char *path, struct span *text, struct error *err)
{
	struct file_identity identity;
	enum code code = file_read(path, ZONE_FILE_OCTETS_MAX, zone->work, text, &identity, err);

	if (code == E_IO && process_read_also(zone->keeper->process, path))
		return error_set(err, E_IO,
				 "%s is outside of the folders that this process may read; it is "
				 "started anew with this one among them",
				 path);
	if (code) return code;
	if (!zone_file_remember(zone, path, &identity, octets_checksum(*text)))
		return error_set(err, E_NOMEM, "no memory to read %s", path);
	return OK;
}

/* A relative path starts from the folder of the file that says it. */
static enum code include(void *context, const char *path, const char *from, struct span *text,
			 const char **name, struct error *err)
{
	struct zone *zone = context;
	const char *slash = strrchr(from, '/');
	char whole[PATH_TEXT_MAX];
	int needed;

	if (path[0] == '/' || !slash)
		needed = snprintf(whole, sizeof whole, "%s", path);
	else
		needed = snprintf(whole, sizeof whole, "%.*s/%s", (int)(slash - from), from, path);
	if (needed < 0 || (size_t)needed >= sizeof whole)
		return error_set(err, E_RANGE, "a path of more than %zu octets", sizeof whole - 1);
	*name = arena_copy_text(zone->work, span_of_text(whole));
	if (!*name) return error_set(err, E_NOMEM, "no memory to read %s", whole);
	return read_one(zone, whole, text, err);
}

static enum code sink(void *context, const struct record *record, struct place place)
{
	struct zone *zone = context;
	struct soa soa;

	if (record->type == RRTYPE_SOA && soa_read(record->rdata, &soa))
		zone->files.serial = soa.serial;
	return records_add(zone->records, record, place, NULL);
}

/* The first error of the file, for those who see one line only. */
static enum code first_error(const struct zone *zone, struct error *err)
{
	const struct diagnostics *all = &zone->diagnostics;
	const struct diagnostic *first = &all->list[0];

	for (size_t i = 0; i < all->count && first->warning; i++) first = &all->list[i];
	return error_set(err, E_SYNTAX, "%s:%u:%u: %s", first->place.file, first->place.line,
			 first->place.column, first->text);
}

static enum code parse(struct zone *zone, struct error *err)
{
	const char *path = zone->machine.policy->file;
	struct zone_text_parser parser = {
		.origin = zone->machine.policy->name,
		.include = include,
		.sink = sink,
		.context = zone,
		.arena = zone->work,
		.diagnostics = &zone->diagnostics,
	};
	struct span text;
	enum code code = read_one(zone, path, &text, err);

	if (code) return code;
	code = zone_text_parse(&parser, path, text);
	if (code == OK) return records_sort(zone->records, err);
	if (code == E_NOMEM) return error_set(err, code, "no memory to read %s", path);
	if (zone->diagnostics.error_count && zone->diagnostics.count) return first_error(zone, err);
	return error_set(err, code, "%s could not be read", path);
}

void zone_read_file(struct zone *zone)
{
	struct keeper_event event = {.kind = KEEPER_FILE_READ};
	struct error err = {0};
	char author[256];

	if (is_unchanged(zone)) {
		event.kind = KEEPER_FILE_UNCHANGED;
		zone_feed(zone, &event);
		return;
	}
	zone_files_forget(zone);
	enum code code = zone_work_begin(zone, &err);
	if (!code) code = parse(zone, &err);
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
