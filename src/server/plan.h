/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h - what the supervisor has to know of the configuration.
 *
 * A short-lived confined process parses the configuration and writes this struct into
 * shared memory. The supervisor believes it no more than any other process.
 */
#ifndef SERVER_PLAN_H
#define SERVER_PLAN_H

#include "base/address.h"
#include "base/error.h"
#include "engine/policy.h"

enum {
	PLAN_LISTEN_MAX = 256,
	PLAN_INTERFACES_MAX = 64,
	PLAN_INTERFACE_TEXT_MAX = 16,
	PLAN_USER_TEXT_MAX = 64,
	PLAN_PATH_TEXT_MAX = 4096,
	PLAN_CONTROL_TEXT_MAX = 108, /* what a Unix socket's address holds */
	PLAN_FOLDERS_MAX = 256,
	PLAN_FOLDERS_TEXT_MAX = 64 << 10,
	PLAN_WORKERS_MAX = 256,
};

/* Texts end in a zero within their array. */
struct plan {
	uint32_t workers; /* 0: one a processor */
	uint32_t listen_count;
	uint32_t interface_count; /* with listen_count 0 as well: every address of the host */
	uint32_t folder_count;
	uint32_t folders_len;
	uint32_t reads_everything; /* there are more folders than fit */
	uint64_t policy_len;       /* octets of the packed policy beside it; 0: there is none */
	struct endpoint listen[PLAN_LISTEN_MAX];
	struct {
		char name[PLAN_INTERFACE_TEXT_MAX];
		uint16_t port;
	} interfaces[PLAN_INTERFACES_MAX];
	char user[PLAN_USER_TEXT_MAX]; /* "": stay who we are */
	char state[PLAN_PATH_TEXT_MAX];
	char control[PLAN_CONTROL_TEXT_MAX];
	char folders[PLAN_FOLDERS_TEXT_MAX]; /* that the keeper reads, one after the other */
};

/*
 * Fills a zeroed `plan` from a policy, folders of its zone files included; plan_file_add() adds
 * more. E_LIMIT or E_RANGE name the setting that does not fit.
 */
must_use enum code plan_of_policy(const struct policy *policy, struct plan *plan,
				  struct error *err);

/*
 * Adds the folder of a file, and of what it is a symbolic link to, once. One too many
 * makes it `reads_everything`.
 */
void plan_file_add(struct plan *plan, const char *file);

/* The n-th folder; NULL after the last. */
const char *plan_folder(const struct plan *plan, size_t n);

/* E_DAMAGED: it is not one that plan_of_policy() could have made. */
must_use enum code plan_check(const struct plan *plan, struct error *err);

#endif
