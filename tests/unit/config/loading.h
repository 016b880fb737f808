/* SPDX-License-Identifier: Apache-2.0 */
/* loading.h - configurations from memory: files are rows of an array. */
#ifndef TESTS_CONFIG_LOADING_H
#define TESTS_CONFIG_LOADING_H

#include "base/arena.h"
#include "config/config.h"

struct memory_file {
	const char *path;
	const char *text;
	bool others_can_read;
};

/* One load and what came of it. */
struct loading {
	struct memory_file files[16];
	size_t file_count;
	struct arena *arena, *scratch;
	struct diagnostics diagnostics;
	const struct policy *policy;
	enum code code;
	char text[65536]; /* the diagnostics as people read them */
};

static inline enum code loading_read(void *context, const char *path, struct config_file *file,
				     struct error *err)
{
	struct loading *l = context;

	for (size_t i = 0; i < l->file_count; i++) {
		if (strcmp(l->files[i].path, path) != 0) continue;
		file->text = span_of_text(l->files[i].text);
		file->others_can_read = l->files[i].others_can_read;
		return OK;
	}
	return error_set(err, E_NOT_FOUND, "%s: no such file", path);
}

/* A pattern with a star stands for every file that begins and ends as it does. */
static inline enum code loading_expand(void *context, const char *pattern, struct arena *arena,
				       const char *const **paths, size_t *count, struct error *err)
{
	struct loading *l = context;
	const char **list = arena_alloc_array(arena, 16, sizeof *list);
	const char *star = strchr(pattern, '*');

	if (!list) return error_set(err, E_NOMEM, "no memory");
	*paths = list;
	*count = 0;
	if (!star) list[(*count)++] = arena_copy_text(arena, span_of_text(pattern));
	for (size_t i = 0; star && i < l->file_count; i++) {
		size_t len = strlen(l->files[i].path), tail = strlen(star + 1);
		size_t head = (size_t)(star - pattern);
		if (len >= head + tail && strncmp(l->files[i].path, pattern, head) == 0 &&
		    strcmp(l->files[i].path + len - tail, star + 1) == 0)
			list[(*count)++] = l->files[i].path;
	}
	return OK;
}

static inline void loading_add(struct loading *l, const char *path, const char *text)
{
	l->files[l->file_count++] = (struct memory_file){path, text, false};
}

/* Loads the first file; `policy_max` and `scratch_max` bound the arenas, 0: enough. */
static inline void loading_run(struct loading *l, size_t policy_max, size_t scratch_max)
{
	struct config_loader loader = {
		.read = loading_read,
		.expand = loading_expand,
		.context = l,
		.folder = "/etc/lockstep",
		.host_name = "host.example",
		.scratch_max = scratch_max,
	};
	size_t len = 0;

	l->arena = arena_new(policy_max ? policy_max : (size_t)1 << 30);
	l->scratch = arena_new((size_t)64 << 20);
	l->diagnostics = (struct diagnostics){.arena = l->scratch};
	l->code = config_load(&loader, l->files[0].path, l->arena, &l->diagnostics, &l->policy);
	for (size_t i = 0; i < l->diagnostics.count; i++)
		len += diagnostic_print(&l->diagnostics.list[i], l->text + len,
					sizeof l->text - len);
}

static inline void loading_end(struct loading *l)
{
	arena_free(l->arena);
	arena_free(l->scratch);
	l->arena = l->scratch = NULL;
}

#endif
