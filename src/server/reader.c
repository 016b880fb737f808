/* SPDX-License-Identifier: Apache-2.0 */
#include "server/reader.h"

#include "server/config_files.h"

#include <stdio.h>

static void seen(void *context, const char *path)
{
	plan_file_add(context, path);
}

enum code plan_read(const char *path, struct plan *plan)
{
	struct arena *arena = arena_new(POLICY_OCTETS_MAX);
	struct diagnostics diagnostics = {.arena = arena};
	const struct policy *policy = NULL;
	struct error err;
	enum code code = E_NOMEM;

	if (!arena) return code;
	code = config_files_load_seen(path, arena, &diagnostics, &policy, seen, plan);
	diagnostics_show(&diagnostics);
	if (!code && (code = plan_of_policy(policy, plan, &err)))
		fprintf(stderr, "%s: %s\n", path, err.text);
	arena_free(arena);
	return code;
}
