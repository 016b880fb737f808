/* SPDX-License-Identifier: Apache-2.0 */
#include "host/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What root may keep: to bind low ports; to read a configuration that belongs to others. */
static uint64_t capabilities_of(enum sandbox_profile profile)
{
	if (profile == SANDBOX_SUPERVISE) return UINT64_C(1) << CAP_NET_BIND_SERVICE;
	return profile == SANDBOX_READ ? UINT64_C(1) << CAP_DAC_READ_SEARCH : 0;
}

static bool capabilities_read(uint64_t *permitted)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0) return false;
	*permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return true;
}

static bool capabilities_keep_only(uint64_t keep)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	uint64_t permitted;

	if (!capabilities_read(&permitted)) return false;
	permitted &= keep;
	struct __user_cap_data_struct data[2] = {
		{(uint32_t)permitted, (uint32_t)permitted, 0},
		{(uint32_t)(permitted >> 32), (uint32_t)(permitted >> 32), 0},
	};
	return syscall(SYS_capset, &head, data) == 0 &&
	       prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0;
}

/* Needs CAP_SETPCAP, thus comes first; without it no_new_privs closes the way back alone. */
static void bounding_set_empty(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static enum code user_become(const struct user *user, bool keeps_capabilities, struct error *err)
{
	if (geteuid() == user->uid && getuid() == user->uid && getegid() == user->gid) return OK;
	if (geteuid() != 0)
		return error_set(err, E_REFUSED,
				 "only root can become user %u: start as root, or as that user, or "
				 "leave server: user: out",
				 (unsigned)user->uid);
	int parent_death_signal = 0;
	prctl(PR_GET_PDEATHSIG, &parent_death_signal);
	if (keeps_capabilities) prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return error_set(err, E_IO, "cannot become user %u: %s", (unsigned)user->uid,
				 strerror(errno));
	/* A change of user clears it: to end with the parent. */
	prctl(PR_SET_PDEATHSIG, parent_death_signal);
	return OK;
}

enum code sandbox_enter(const struct sandbox_plan *plan, struct walls *walls, struct error *err)
{
	uint64_t keep = capabilities_of(plan->profile);
	enum code code;

	*walls = (struct walls){0};
	bounding_set_empty();
	if (plan->user && (code = user_become(plan->user, keep != 0, err))) return code;
	if (!capabilities_keep_only(keep))
		return error_set(err, E_IO, "cannot drop capabilities: %s", strerror(errno));
	walls->standing |= WALL_CAPABILITIES;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) walls->standing |= WALL_NO_NEW_PRIVS;
	if (plan->profile != SANDBOX_SUPERVISE) {
		/* A change of user clears what was set at the start of the process. */
		memory_keep_private();
		if (sandbox_landlock(plan, &walls->landlock_abi)) walls->standing |= WALL_LANDLOCK;
	}
	if (sandbox_seccomp(plan->profile)) walls->standing |= WALL_SECCOMP;
	return OK;
}

/* Landlock is handed down to what one starts, so the supervisor has to do without. */
static unsigned walls_of(enum sandbox_profile profile)
{
	unsigned walls = WALL_NO_NEW_PRIVS | WALL_CAPABILITIES | WALL_SECCOMP;

	return profile == SANDBOX_SUPERVISE ? walls : walls | WALL_LANDLOCK;
}

static void words_print(unsigned set, unsigned landlock_abi, char *text, size_t cap)
{
	static const struct {
		enum wall wall;
		const char *name;
	} words[] = {
		{WALL_NO_NEW_PRIVS, "no_new_privs"},
		{WALL_CAPABILITIES, "capabilities"},
		{WALL_LANDLOCK, "landlock"},
		{WALL_SECCOMP, "seccomp"},
	};
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		char abi[16] = "";
		if (!(set & words[i].wall)) continue;
		if (words[i].wall == WALL_LANDLOCK && landlock_abi)
			snprintf(abi, sizeof abi, "(%u)", landlock_abi);
		int n = snprintf(text + len, cap - len, "%s%s%s", len ? " " : "", words[i].name,
				 abi);
		if (n < 0 || (size_t)n >= cap - len) return;
		len += (size_t)n;
	}
}

char *walls_print(const struct walls *walls, char *text, size_t cap)
{
	words_print(walls->standing, walls->landlock_abi, text, cap);
	if (!*text) snprintf(text, cap, "none");
	return text;
}

char *walls_missing_print(const struct walls *walls, enum sandbox_profile profile, char *text,
			  size_t cap)
{
	words_print(walls_of(profile) & ~walls->standing, 0, text, cap);
	return text;
}
