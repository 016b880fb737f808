/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock by its system calls (landlock(7)), with numbers of our own: the headers
 * of the machine that builds may be older than the kernel that runs.
 */
#include "host/sandbox.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

enum { ASK_VERSION = 1, RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };

#define FS_EXECUTE     (UINT64_C(1) << 0)
#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_READ_DIR    (UINT64_C(1) << 3)
#define FS_REMOVE_DIR  (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR    (UINT64_C(1) << 7)
#define FS_MAKE_REG    (UINT64_C(1) << 8)
#define FS_FIRST_ALL   ((UINT64_C(1) << 13) - 1) /* every right of the first version */
#define FS_REFER       (UINT64_C(1) << 13)       /* since 2 */
#define FS_TRUNCATE    (UINT64_C(1) << 14)       /* since 3 */
#define FS_IOCTL_DEV   (UINT64_C(1) << 15)       /* since 5 */

#define NET_BIND_TCP    (UINT64_C(1) << 0) /* since 4 */
#define NET_CONNECT_TCP (UINT64_C(1) << 1)

#define SCOPE_ABSTRACT_SOCKET (UINT64_C(1) << 0) /* since 6 */
#define SCOPE_SIGNAL          (UINT64_C(1) << 1)

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

struct port_rule {
	uint64_t allowed;
	uint64_t port;
};

static struct ruleset ruleset_of(enum sandbox_profile profile, unsigned abi)
{
	struct ruleset set = {.fs = FS_FIRST_ALL};

	if (abi >= 2) set.fs |= FS_REFER;
	if (abi >= 3) set.fs |= FS_TRUNCATE;
	if (abi >= 5) set.fs |= FS_IOCTL_DEV;
	if (abi >= 4) {
		set.net = NET_BIND_TCP;
		if (profile != SANDBOX_CONNECT) set.net |= NET_CONNECT_TCP;
	}
	if (abi >= 6) set.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
	return set;
}

static size_t ruleset_len(unsigned abi)
{
	if (abi >= 6) return sizeof(struct ruleset);
	return abi >= 4 ? offsetof(struct ruleset, scoped) : offsetof(struct ruleset, net);
}

static uint64_t rights_of(const struct sandbox_path *path, bool is_folder)
{
	uint64_t rights = FS_READ_FILE | FS_READ_DIR;

	if (path->right == SANDBOX_PATH_WRITE)
		rights |= FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_DIR | FS_REMOVE_FILE |
			  FS_MAKE_DIR | FS_MAKE_REG | FS_REFER;
	if (!is_folder) rights &= FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE;
	return rights;
}

static bool path_allow(int rules, const struct sandbox_path *path, uint64_t handled)
{
	int fd = open(path->path, O_PATH | O_CLOEXEC);
	struct stat status;
	bool added = false;

	if (fd < 0) return true;
	if (fstat(fd, &status) == 0) {
		struct path_rule rule = {rights_of(path, S_ISDIR(status.st_mode)) & handled, fd};
		added = syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0) == 0;
	}
	close(fd);
	return added;
}

/* A connection from a chosen address binds to port 0 first. */
static bool any_port_allow(int rules)
{
	struct port_rule rule = {NET_BIND_TCP, 0};

	return syscall(SYS_landlock_add_rule, rules, RULE_NET_PORT, &rule, 0) == 0;
}

bool sandbox_landlock(const struct sandbox_plan *plan, unsigned *abi)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);

	*abi = version > 0 ? (unsigned)version : 0;
	if (*abi == 0) return false;
	struct ruleset set = ruleset_of(plan->profile, *abi);
	int rules = (int)syscall(SYS_landlock_create_ruleset, &set, ruleset_len(*abi), 0);
	if (rules < 0) return false;

	bool done = true;
	for (size_t i = 0; i < plan->path_count && done; i++)
		done = path_allow(rules, &plan->paths[i], set.fs);
	if (plan->profile == SANDBOX_CONNECT && set.net) done = done && any_port_allow(rules);
	done = done && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	return done;
}
