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

/* What has been reached when the parts of a load are done; parsing goes by octets. */
enum { PERCENT_READ = 5, PERCENT_PARSED = 55, PERCENT_SORTED = 75, PERCENT_CHECKED = 85 };

unsigned zone_progress_percent(const struct zone_progress *progress)
{
	uint64_t total = atomic_load_explicit(&progress->octets_total, memory_order_relaxed);
	uint64_t octets = atomic_load_explicit(&progress->octets, memory_order_relaxed);
	unsigned reached = atomic_load_explicit(&progress->reached, memory_order_relaxed);

	if (reached) return reached;
	if (octets > total) octets = total;
	if (!total) return 0;
	return PERCENT_READ + (unsigned)(octets * (PERCENT_PARSED - PERCENT_READ) / total);
}

static void reach(struct zone_load *load, unsigned percent)
{
	atomic_store_explicit(&load->progress->reached, percent, memory_order_relaxed);
}

/* A text is parsed in parts of at least so much; so many at most for the largest. */
enum { PART_OCTETS_MIN = 512 << 10, PARTS_WANTED = 128, PART_RECORDS = 8192 };

/* Where a sink puts records: a part's set, or one for what stands between parts. */
struct sinking {
	struct records *set;     /* NULL: the next record opens one */
	struct loading *loading; /* NULL in a part */
};

/* One load under way: its texts are gone when it is done. */
struct loading {
	struct sinking sinking; /* first: the context of the parser is that of the sink */
	struct zone_load *load;
	struct arena *texts;
	struct records *sets; /* malloc'ed, each in arenas of its own, in the order of the text */
	size_t set_count, set_capacity;
};

/* A part while it is parsed. */
struct part {
	struct sinking sinking;
	struct records set;
	struct arena *scratch, *said;
};

/* A new last set; NULL when memory ran out, and the arenas are still the caller's. */
static struct records *set_append(struct loading *loading, const struct records *set)
{
	if (loading->set_count == loading->set_capacity) {
		size_t capacity = loading->set_capacity ? 2 * loading->set_capacity : 4;
		struct records *grown = realloc(loading->sets, capacity * sizeof *grown);
		if (!grown) return NULL;
		loading->sets = grown;
		loading->set_capacity = capacity;
	}
	loading->sets[loading->set_count] = *set;
	return &loading->sets[loading->set_count++];
}

static bool set_new(struct records *set)
{
	struct arena *arena = arena_new(ZONE_WORK_OCTETS_MAX);
	struct arena *index = arena_new(ZONE_WORK_OCTETS_MAX);

	records_init_apart(set, arena, index);
	if (arena && index) return true;
	arena_free(arena);
	arena_free(index);
	return false;
}

static void set_free(struct records *set)
{
	arena_free(set->arena);
	arena_free(set->index);
}

static void part_free(struct part *part)
{
	arena_free(part->scratch);
	arena_free(part->said);
	free(part);
}

static enum code part_begin(void *context, struct zone_text_part *out)
{
	struct loading *loading = context;
	struct part *part;

	if (atomic_load_explicit(&loading->load->progress->unwanted, memory_order_relaxed))
		return E_AGAIN;
	if (!(part = calloc(1, sizeof *part))) return E_NOMEM;
	part->scratch = arena_new(ZONE_WORK_OCTETS_MAX);
	part->said = arena_new(ZONE_WORK_OCTETS_MAX);
	if (!part->scratch || !part->said || !set_new(&part->set)) {
		part_free(part);
		return E_NOMEM;
	}
	part->sinking.set = &part->set;
	*out = (struct zone_text_part){
		.arena = part->scratch, .diagnostics = {.arena = part->said}, .context = part};
	return OK;
}

static enum code part_end(void *context, struct zone_text_part *own, bool wanted)
{
	struct loading *loading = context;
	struct part *part = own->context;
	enum code code = OK;

	if (wanted && !set_append(loading, &part->set)) code = E_NOMEM;
	if (wanted) loading->sinking.set = NULL;
	if (!wanted || code) set_free(&part->set);
	part_free(part);
	return code;
}

static void part_went_on(void *context, size_t octets)
{
	struct loading *loading = context;

	atomic_fetch_add_explicit(&loading->load->progress->octets, octets, memory_order_relaxed);
}

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

static enum code set_open(struct sinking *sinking)
{
	struct records set;

	if (!set_new(&set)) return E_NOMEM;
	sinking->set = set_append(sinking->loading, &set);
	if (sinking->set) return OK;
	set_free(&set);
	return E_NOMEM;
}

static enum code sink(void *context, const struct record *record, struct place place)
{
	struct sinking *sinking = context;

	if (unlikely(!sinking->set) && set_open(sinking)) return E_NOMEM;
	return records_add(sinking->set, record, place, NULL);
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
	struct zone_text_aside aside = {.parallel = load->parallel,
					.begin = part_begin,
					.end = part_end,
					.went_on = part_went_on};
	struct zone_text_parser parser = {
		.origin = load->origin,
		.include = include,
		.sink = sink,
		.context = loading,
		.aside = &aside,
		.arena = loading->texts,
		.diagnostics = load->diagnostics,
	};
	struct span text;
	enum code code = read_one(loading, load->path, &text, err);

	if (code) return code;
	aside.part_octets = text.len / PARTS_WANTED;
	if (aside.part_octets < PART_OCTETS_MIN) aside.part_octets = PART_OCTETS_MIN;
	code = zone_text_parse(&parser, load->path, text);
	if (code == E_SYNTAX) return first_error(load, code, err);
	if (code == E_AGAIN) return error_set(err, code, "%s is not wanted any more", load->path);
	return code ? error_set(err, code, "no memory to read %s", load->path) : OK;
}

/* All sets become one, in the arena that the caller keeps. */
static enum code join(struct loading *loading, struct error *err)
{
	struct zone_load *load = loading->load;
	struct records *set = load->records, *only = loading->sets;
	enum code code;

	if (loading->set_count != 1) {
		size_t count = loading->set_count;
		loading->set_count = 0;
		return records_join(loading->sets, count, load->parallel, set, err);
	}
	if ((code = records_sort(only, err))) return code;
	*set = *only;
	set->arena = set->index = load->work;
	if (!arena_adopt(load->work, only->arena))
		return error_set(err, E_NOMEM, "no memory to read %s", load->path);
	only->arena = NULL;
	if (!arena_adopt(load->work, only->index))
		return error_set(err, E_NOMEM, "no memory to read %s", load->path);
	loading->set_count = 0;
	return OK;
}

/* From a sorted set to a zone. */
static enum code finish(struct zone_load *load, struct error *err)
{
	struct soa soa;
	enum code code = zone_check_parts(load->records, load->origin, load->parallel, PART_RECORDS,
					  load->diagnostics);

	if (code) return first_error(load, code, err);
	if (records_soa(load->records, load->origin, &soa)) load->files.serial = soa.serial;
	reach(load, PERCENT_CHECKED);
	if (load->crypto && !zone_digest_of_parts(load->records, load->crypto, load->parallel,
						  PART_RECORDS, &load->digest))
		return error_set(err, E_NOMEM, "the digest could not be computed");
	return OK;
}

enum code zone_load(struct zone_load *load, struct error *err)
{
	struct loading loading = {.load = load, .texts = arena_new(SIZE_MAX)};
	enum code code = E_NOMEM;

	loading.sinking.loading = &loading;
	load->records = arena_alloc(load->work, sizeof *load->records);
	if (!loading.texts || !load->records) {
		error_set(err, code, "no memory to read %s", load->path);
		goto out;
	}
	records_init(load->records, load->work);
	code = parse(&loading, err);
	arena_free(loading.texts);
	loading.texts = NULL;
	reach(load, PERCENT_PARSED);
	if (!code) code = join(&loading, err);
	reach(load, PERCENT_SORTED);
	if (!code) code = finish(load, err);
out:
	for (size_t i = 0; i < loading.set_count; i++) set_free(&loading.sets[i]);
	free(loading.sets);
	arena_free(loading.texts);
	return code;
}
