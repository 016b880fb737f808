/* SPDX-License-Identifier: Apache-2.0 */
#include "server/config_files.h"

#include "host/file.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFIG_FILE_OCTETS_MAX = 256 << 20, HOST_NAME_TEXT_MAX = 256 };

const char *config_path(const char *from_command_line)
{
	const char *path = from_command_line ? from_command_line : getenv("LOCKSTEP_CONFIG");

	return path ? path : CONFIG_FILE_DEFAULT;
}

/* What the loader's functions share. */
struct reading {
	struct arena *arena; /* the texts of the files */
	void (*seen)(void *context, const char *path);
	void *seen_context;
};

static void tell_seen(const struct reading *reading, const char *path)
{
	if (reading->seen) reading->seen(reading->seen_context, path);
}

static enum code read_file(void *context, const char *path, struct config_file *file,
			   struct error *err)
{
	const struct reading *reading = context;
	struct file_identity identity;
	struct stat st;
	enum code code = file_read(path, CONFIG_FILE_OCTETS_MAX, reading->arena, &file->text,
				   &identity, err);

	if (code) return code;
	tell_seen(reading, path);
	if (stat(path, &st)) return error_set(err, E_IO, "%s: %s", path, strerror(errno));
	file->others_can_read = st.st_mode & S_IROTH;
	return OK;
}

/* A folder that is not there has no files; one that cannot be looked into might have. */
static int glob_failed(const char *path, int number)
{
	(void)path;
	return number != ENOENT;
}

static enum code expand(void *context, const char *pattern, struct arena *arena,
			const char *const **paths, size_t *count, struct error *err)
{
	glob_t found = {0};
	enum code code = E_NOMEM;
	int result;

	tell_seen(context, pattern);
	if (!strpbrk(pattern, "*?[")) {
		const char **one = arena_alloc_array(arena, 1, sizeof *one);
		if (one) one[0] = arena_copy_text(arena, span_of_text(pattern));
		if (!one || !one[0]) return error_set(err, E_NOMEM, "no memory");
		*paths = one;
		*count = 1;
		return OK;
	}
	result = glob(pattern, 0, glob_failed, &found);
	*count = result ? 0 : found.gl_pathc;
	if (result && result != GLOB_NOMATCH) {
		code = error_set(err, E_IO, "%s could not be looked up: may its folder be read?",
				 pattern);
		goto out;
	}
	const char **list = arena_alloc_array(arena, *count + 1, sizeof *list);
	if (!list) goto out;
	for (size_t i = 0; i < *count; i++) {
		list[i] = arena_copy_text(arena, span_of_text(found.gl_pathv[i]));
		if (!list[i]) goto out;
	}
	*paths = list;
	code = OK;
out:
	globfree(&found);
	return code;
}

enum code config_files_load(const char *path, struct arena *arena, struct diagnostics *diagnostics,
			    const struct policy **policy)
{
	return config_files_load_seen(path, arena, diagnostics, policy, NULL, NULL);
}

/* The folder of the main file, with no links in it; in `whole`. */
static bool loader_place(struct config_loader *loader, const char *path, char whole[PATH_MAX])
{
	if (!realpath(path, whole)) return false;
	*strrchr(whole, '/') = '\0';
	loader->folder = whole[0] ? whole : "/";
	return true;
}

enum code config_files_load_seen(const char *path, struct arena *arena,
				 struct diagnostics *diagnostics, const struct policy **policy,
				 void (*seen)(void *context, const char *path), void *context)
{
	char host_name[HOST_NAME_TEXT_MAX] = "", whole[PATH_MAX];
	struct reading reading = {.seen = seen, .seen_context = context};
	struct config_loader loader = {.read = read_file, .expand = expand, .context = &reading};
	enum code code = E_NOMEM;

	*policy = NULL;
	reading.arena = arena_new(CONFIG_SCRATCH_MAX);
	if (!reading.arena) return E_NOMEM;
	if (gethostname(host_name, sizeof host_name - 1) == 0) loader.host_name = host_name;
	if (loader_place(&loader, path, whole)) {
		code = config_load(&loader, path, arena, diagnostics, policy);
	} else {
		diagnose(diagnostics, (struct place){.file = path}, (struct span){0},
			 "the configuration cannot be read: %s (name another with -c FILE)",
			 strerror(errno));
		code = E_SYNTAX;
	}
	arena_free(reading.arena);
	return code;
}

enum code config_files_control(const char *path, struct arena *arena, const char **control,
			       struct error *err)
{
	char whole[PATH_MAX];
	struct reading reading = {.arena = arena};
	struct config_loader loader = {.read = read_file, .expand = expand, .context = &reading};

	if (access(path, R_OK) || !loader_place(&loader, path, whole))
		return error_set(err, E_IO, "%s: %s", path, strerror(errno));
	*control = config_control(&loader, path, arena);
	return *control ? OK : error_set(err, E_NOMEM, "no memory to read %s", path);
}

void diagnostics_show(const struct diagnostics *diagnostics)
{
	char text[4096];

	for (size_t i = 0; i < diagnostics->count; i++) {
		diagnostic_print(&diagnostics->list[i], text, sizeof text);
		fputs(text, stderr);
	}
	if (diagnostics->error_count > DIAGNOSTICS_MAX)
		fprintf(stderr, "and %zu more errors\n",
			diagnostics->error_count - DIAGNOSTICS_MAX);
}
