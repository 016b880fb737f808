/* SPDX-License-Identifier: Apache-2.0 */
#include "server/reader.h"

#include "config/pack.h"
#include "host/memfd.h"
#include "server/config_files.h"

#include <stdio.h>
#include <stdlib.h>

static void seen(void *context, const char *path)
{
	plan_file_add(context, path);
}

/* What is not handed on, the keeper reads itself. */
static void policy_hand_on(const struct policy *policy, struct plan *plan, int policy_fd)
{
	struct writer w = {0};
	size_t len = 0;

	if (policy_pack(policy, PACK_KEEPER, &w, &len) != E_LIMIT) return;
	uint8_t *octets = malloc(len);
	w = writer_of(octets, octets ? len : 0);
	if (!policy_pack(policy, PACK_KEEPER, &w, NULL) &&
	    !memfd_write(policy_fd, 0, writer_span(&w), NULL))
		plan->policy_len = len;
	free(octets);
}

enum code plan_read(const char *path, struct plan *plan, int policy_fd)
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
	if (!code) policy_hand_on(policy, plan, policy_fd);
	arena_free(arena);
	return code;
}
