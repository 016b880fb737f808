/* SPDX-License-Identifier: Apache-2.0 */
#include "server/config_files.h"

#include "host/file.h"

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

static enum code read_file(void *context, const char *path, struct config_file *file,
			   struct error *err)
{
	struct arena *arena = context;
	struct file_identity identity;
	struct stat st;
	enum code code =
		file_read(path, CONFIG_FILE_OCTETS_MAX, arena, &file->text, &identity, err);

	if (code) return code;
	if (stat(path, &st)) return error_set(err, E_IO, "%s: %m", path);
	file->others_can_read = st.st_mode & S_IROTH;
	return OK;
}

static enum code expand(void *context, const char *pattern, struct arena *arena,
			const char *const **paths, size_t *count, struct error *err)
{
	glob_t found = {0};
	enum code code = E_NOMEM;
	int result;

	(void)context;
	if (!strpbrk(pattern, "*?[")) {
		const char **one = arena_alloc_array(arena, 1, sizeof *one);
		if (one) one[0] = arena_copy_text(arena, span_of_text(pattern));
		if (!one || !one[0]) return error_set(err, E_NOMEM, "no memory");
		*paths = one;
		*count = 1;
		return OK;
	}
	result = glob(pattern, 0, NULL, &found);
	*count = result ? 0 : found.gl_pathc;
	if (result && result != GLOB_NOMATCH) {
		code = error_set(err, E_IO, "%s could not be looked up", pattern);
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
	char host_name[HOST_NAME_TEXT_MAX] = "", whole[PATH_MAX];
	struct config_loader loader = {.read = read_file, .expand = expand};
	enum code code = E_NOMEM;

	*policy = NULL;
	loader.context = arena_new(CONFIG_SCRATCH_MAX);
	if (!loader.context) return E_NOMEM;
	if (gethostname(host_name, sizeof host_name - 1) == 0) loader.host_name = host_name;
	if (!realpath(path, whole)) {
		diagnose(diagnostics, (struct place){.file = path}, (struct span){0},
			 "the configuration cannot be read: %m (name another with -c FILE)");
		code = E_SYNTAX;
		goto out;
	}
	char *slash = strrchr(whole, '/');
	*slash = '\0';
	loader.folder = whole[0] ? whole : "/";
	code = config_load(&loader, path, arena, diagnostics, policy);
out:
	arena_free(loader.context);
	return code;
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
