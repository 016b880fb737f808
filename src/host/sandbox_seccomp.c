/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of sandbox.def, and the calls whose arguments decide, as a filter. */
#include "host/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	N = 1 << SANDBOX_NETWORK,
	C = 1 << SANDBOX_CONNECT,
	K = 1 << SANDBOX_KEEP,
	R = 1 << SANDBOX_READ,
	ALL = N | C | K | R,
	SUPERVISOR = 1 << SANDBOX_SUPERVISE,
};

static const struct row {
	int call;
	unsigned profiles;
	bool kills;
} rows[] = {
#define ALLOW(call, profiles) {SCMP_SYS(call), profiles, false},
#define KILL(call)            {SCMP_SYS(call), ALL, true},
#define KILL_ALWAYS(call)     {SCMP_SYS(call), ALL | SUPERVISOR, true},
#include "host/sandbox.def"
#undef ALLOW
#undef KILL
#undef KILL_ALWAYS
};

/* Calls that this processor does not have are no fault. */
static bool rule_done(int result)
{
	return result == 0 || result == -EDOM || result == -EINVAL;
}

static bool rows_add(scmp_filter_ctx filter, enum sandbox_profile profile)
{
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		uint32_t action = rows[i].kills ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ALLOW;
		if (!(rows[i].profiles & 1U << profile)) continue;
		if (!rule_done(seccomp_rule_add(filter, action, rows[i].call, 0))) return false;
	}
	return true;
}

static bool allow_if(scmp_filter_ctx filter, int call, struct scmp_arg_cmp condition)
{
	return rule_done(seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &condition));
}

/* Memory that was data never becomes a program. */
static bool memory_rules_add(scmp_filter_ctx filter)
{
	struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);

	return allow_if(filter, SCMP_SYS(mmap), not_executable) &&
	       allow_if(filter, SCMP_SYS(mprotect), not_executable);
}

/* New threads, no new processes. */
static bool thread_rules_add(scmp_filter_ctx filter)
{
	const scmp_datum_t thread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
	const scmp_datum_t self = (scmp_datum_t)getpid();

	return allow_if(filter, SCMP_SYS(clone),
			(struct scmp_arg_cmp){0, SCMP_CMP_MASKED_EQ, thread, thread}) &&
	       allow_if(filter, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, self)) &&
	       allow_if(filter, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)) &&
	       allow_if(filter, SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0));
}

static bool descriptor_rules_add(scmp_filter_ctx filter, enum sandbox_profile profile)
{
	if (!allow_if(filter, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, TCGETS)) ||
	    !allow_if(filter, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, FIONREAD)))
		return false;
	if (profile != SANDBOX_CONNECT) return true;
	return allow_if(filter, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_INET)) &&
	       allow_if(filter, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_INET6));
}

/*
 * clone3 hides its flags in memory, so the C library is sent back to clone. That it
 * asks is no news, so this filter does not log; of two filters the stricter holds.
 */
static bool clone3_deny(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool done;

	if (!filter) return false;
	done = rule_done(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0)) &&
	       seccomp_load(filter) == 0;
	seccomp_release(filter);
	return done;
}

static bool calls_deny(enum sandbox_profile profile)
{
	bool supervises = profile == SANDBOX_SUPERVISE;
	scmp_filter_ctx filter = seccomp_init(supervises ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
	bool done = false;

	if (!filter) return false;
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	if (rows_add(filter, profile) &&
	    (supervises || (memory_rules_add(filter) && thread_rules_add(filter) &&
			    descriptor_rules_add(filter, profile))))
		done = seccomp_load(filter) == 0;
	seccomp_release(filter);
	return done;
}

bool sandbox_seccomp(enum sandbox_profile profile)
{
	return (profile == SANDBOX_SUPERVISE || clone3_deny()) && calls_deny(profile);
}
