/* SPDX-License-Identifier: Apache-2.0 */
#include "server/reader.h"

#include "server/config_files.h"

#include <stdio.h>

enum code plan_read(const char *path, struct plan *plan)
{
	struct arena *arena = arena_new(POLICY_OCTETS_MAX);
	struct diagnostics diagnostics = {.arena = arena};
	const struct policy *policy = NULL;
	struct error err;
	enum code code = E_NOMEM;

	if (!arena) return code;
	code = config_files_load(path, arena, &diagnostics, &policy);
	diagnostics_show(&diagnostics);
	if (!code && (code = plan_of_policy(policy, plan, &err)))
		fprintf(stderr, "%s: %s\n", path, err.text);
	if (!code) plan_folder_add(plan, path);
	arena_free(arena);
	return code;
}
