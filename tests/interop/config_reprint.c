/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_reprint - reads a configuration and prints what is in force.
 *
 *   config_reprint yaml|json < FILE
 *
 * Every secret file has the same secret and every include is empty, so that an example
 * loads without the files around it.
 */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 16 << 20, ARENA_MAX = 1 << 28 };

static enum code file_read(void *context, const char *path, struct config_file *file,
			   struct error *err)
{
	(void)err;
	file->text = strcmp(path, "stdin") == 0 ? *(const struct span *)context
						: span_of_text("c2VjcmV0LWZvci10ZXN0cw==");
	return OK;
}

static enum code nothing_included(void *context, const char *pattern, struct arena *arena,
				  const char *const **paths, size_t *count, struct error *err)
{
	(void)context, (void)pattern, (void)arena, (void)err;
	*paths = NULL;
	*count = 0;
	return OK;
}

static void print(void *context, struct span chunk)
{
	fwrite(chunk.ptr, 1, chunk.len, context);
}

int main(int argc, char **argv)
{
	static uint8_t octets[TEXT_MAX];
	struct span text = span_of(octets, fread(octets, 1, sizeof octets, stdin));
	struct arena *arena = arena_new(ARENA_MAX);
	struct diagnostics diagnostics = {.arena = arena};
	struct config_loader loader = {.read = file_read,
				       .expand = nothing_included,
				       .context = &text,
				       .folder = "/etc/lockstep"};
	const struct policy *policy;
	char told[2048];

	if (argc != 2 || !arena) return 2;
	enum code code = config_load(&loader, "stdin", arena, &diagnostics, &policy);
	for (size_t i = 0; i < diagnostics.count; i++) {
		diagnostic_print(&diagnostics.list[i], told, sizeof told);
		fputs(told, stderr);
	}
	if (policy)
		config_export(policy, strcmp(argv[1], "json") == 0 ? CONFIG_JSON : CONFIG_YAML,
			      true, print, stdout);
	arena_free(arena);
	return code != OK;
}
