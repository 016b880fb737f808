/* SPDX-License-Identifier: Apache-2.0 */
#include "server/zone_file.h"

#include "dns/zone_text.h"

#include <stdio.h>
#include <stdlib.h>

void zone_files_clear(struct zone_files *files)
{
	for (size_t i = 0; i < files->count; i++) free(files->list[i].path);
	free(files->list);
	*files = (struct zone_files){0};
}

bool zone_files_add(struct zone_files *files, const char *path,
		    const struct file_identity *identity, uint64_t checksum)
{
	struct loaded_file *grown = realloc(files->list, (files->count + 1) * sizeof *grown);

	if (!grown) return false;
	files->list = grown;
	grown[files->count] = (struct loaded_file){strdup(path), *identity, checksum};
	if (!grown[files->count].path) return false;
	files->count++;
	return true;
}

bool zone_files_unchanged(const struct zone_files *files, const char *path)
{
	/* The store may remember the files of another configuration. */
	if (files->count == 0 || strcmp(files->list[0].path, path) != 0) return false;
	for (size_t i = 0; i < files->count; i++) {
		struct file_identity now;
		if (file_identify(files->list[i].path, &now, NULL)) return false;
		if (!file_identity_equal(&now, &files->list[i].identity)) return false;
	}
	return true;
}

enum { PERCENT_PARSED = 70 };

unsigned zone_progress_percent(const struct zone_progress *progress)
{
	uint64_t total = atomic_load_explicit(&progress->octets_total, memory_order_relaxed);
	uint64_t octets = atomic_load_explicit(&progress->octets, memory_order_relaxed);

	if (atomic_load_explicit(&progress->parsed, memory_order_relaxed)) return PERCENT_PARSED;
	if (octets > total) octets = total;
	return total ? (unsigned)(octets * PERCENT_PARSED / total) : 0;
}

/* One load under way: its texts are gone when it is done. */
struct loading {
	struct zone_load *load;
	struct arena *texts;
};

static enum code read_one(struct loading *loading, const char *path, struct span *text,
			  struct error *err)
{
	struct zone_load *load = loading->load;
	struct file_identity identity;
	enum code code =
		file_read(path, ZONE_FILE_OCTETS_MAX, loading->texts, text, &identity, err);

	if (code == E_IO && !load->denied) load->denied = strdup(path);
	if (code) return code;
	atomic_fetch_add_explicit(&load->progress->octets_total, text->len, memory_order_relaxed);
	if (!zone_files_add(&load->files, path, &identity, octets_checksum(*text)))
		return error_set(err, E_NOMEM, "no memory to read %s", path);
	return OK;
}

/* A relative path starts from the folder of the file that says it. */
static enum code include(void *context, const char *path, const char *from, struct span *text,
			 const char **name, struct error *err)
{
	struct loading *loading = context;
	const char *slash = strrchr(from, '/');
	char whole[PATH_TEXT_MAX];
	int needed;

	if (path[0] == '/' || !slash)
		needed = snprintf(whole, sizeof whole, "%s", path);
	else
		needed = snprintf(whole, sizeof whole, "%.*s/%s", (int)(slash - from), from, path);
	if (needed < 0 || (size_t)needed >= sizeof whole)
		return error_set(err, E_RANGE, "a path of more than %zu octets", sizeof whole - 1);
	*name = arena_copy_text(loading->texts, span_of_text(whole));
	if (!*name) return error_set(err, E_NOMEM, "no memory to read %s", whole);
	return read_one(loading, whole, text, err);
}

static enum code sink(void *context, const struct record *record, struct place place)
{
	struct loading *loading = context;

	return records_add(loading->load->records, record, place, NULL);
}

/* The first error, for those who see one line only. */
static enum code first_error(const struct zone_load *load, enum code code, struct error *err)
{
	const struct diagnostics *all = load->diagnostics;
	const struct diagnostic *first = NULL;

	for (size_t i = 0; i < all->count && !first; i++)
		if (!all->list[i].warning) first = &all->list[i];
	if (!first) return error_set(err, code, "%s could not be read", load->path);
	if (!first->place.line) return error_set(err, code, "%s", first->text);
	if (!first->place.column)
		return error_set(err, code, "%s:%u: %s", first->place.file, first->place.line,
				 first->text);
	return error_set(err, code, "%s:%u:%u: %s", first->place.file, first->place.line,
			 first->place.column, first->text);
}

static enum code parse(struct loading *loading, struct error *err)
{
	struct zone_load *load = loading->load;
	struct zone_text_parser parser = {
		.origin = load->origin,
		.include = include,
		.sink = sink,
		.context = loading,
		.arena = loading->texts,
		.diagnostics = load->diagnostics,
	};
	struct span text;
	enum code code = read_one(loading, load->path, &text, err);

	if (code) return code;
	code = zone_text_parse(&parser, load->path, text);
	if (code == E_SYNTAX) return first_error(load, code, err);
	return code ? error_set(err, code, "no memory to read %s", load->path) : OK;
}

/* From records in the order of the text to a zone. */
static enum code finish(struct zone_load *load, struct error *err)
{
	struct soa soa;
	enum code code = records_sort(load->records, err);

	if (code) return code;
	if ((code = zone_check(load->records, load->origin, load->diagnostics)))
		return first_error(load, code, err);
	if (records_soa(load->records, load->origin, &soa)) load->files.serial = soa.serial;
	if (load->crypto && !zone_digest_of(load->records, load->crypto, &load->digest))
		return error_set(err, E_NOMEM, "the digest could not be computed");
	return OK;
}

enum code zone_load(struct zone_load *load, struct error *err)
{
	struct loading loading = {.load = load, .texts = arena_new(SIZE_MAX)};
	enum code code = E_NOMEM;

	load->records = arena_alloc(load->work, sizeof *load->records);
	if (!loading.texts || !load->records) {
		error_set(err, code, "no memory to read %s", load->path);
		goto out;
	}
	records_init(load->records, load->work);
	code = parse(&loading, err);
	arena_free(loading.texts);
	loading.texts = NULL;
	atomic_store_explicit(&load->progress->parsed, true, memory_order_relaxed);
	if (!code) code = finish(load, err);
out:
	arena_free(loading.texts);
	return code;
}
