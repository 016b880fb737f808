/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brief.h - what the supervisor gives a process at its start, as sealed memory.
 *
 * Descriptor 3 of a process is its brief. Behind the struct stand `listener_count`
 * listeners, then the folders that it may read, as in struct plan. The reader of the
 * configuration has no brief: its descriptor 3 is the plan that it fills in, 4 the policy.
 */
#ifndef SERVER_BRIEF_H
#define SERVER_BRIEF_H

#include "host/child.h"
#include "host/machine.h"
#include "server/process.h"

enum {
	BRIEF_FD = CHILD_FD_FIRST,
	BRIEF_LISTENERS_MAX = 2048,
	/* The supervisor's own. */
	CALLERS_MAX = 16, /* clients of the control socket while the keeper is down */
	CALLER_OCTETS_MAX = 4096,
	READ_ALSO_MAX = 16, /* folders that the keeper asked for itself */
};

/* argv of a process; the reader's has the configuration's path behind it. */
#define PROCESS_ARGUMENT "--process"
#define READER_NAME      "reader"

struct brief {
	uint32_t role; /* enum process_role */
	uint32_t worker_count;
	uint32_t log_level;
	uint32_t listener_count;
	uint32_t folder_count;
	uint32_t folders_len;
	uint32_t reads_everything;
	uint32_t has_user;
	struct user user;
	int32_t peers[PROCESS_COUNT]; /* channels; -1: none now */
	int32_t policy;               /* packed policy for the keeper; -1: none */
	uint64_t policy_len;
	struct siphash_key cookie_seed; /* of the front; the same as long as the supervisor lives */
	char config[PLAN_PATH_TEXT_MAX];
	char state[PLAN_PATH_TEXT_MAX];
};

#endif
