/* SPDX-License-Identifier: Apache-2.0 */
#include "host/machine.h"

#include "base/encoding.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

unsigned processor_count(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof set, &set) < 0 || CPU_COUNT(&set) < 1) return 1;
	return (unsigned)CPU_COUNT(&set);
}

bool thread_pin(unsigned n)
{
	cpu_set_t ours, one;

	CPU_ZERO(&ours);
	if (sched_getaffinity(0, sizeof ours, &ours) < 0 || CPU_COUNT(&ours) < 1) return false;
	n %= (unsigned)CPU_COUNT(&ours);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &ours) || n-- > 0) continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		return sched_setaffinity(0, sizeof one, &one) == 0;
	}
	return false;
}

size_t descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	return (size_t)(setrlimit(RLIMIT_NOFILE, &limit) < 0 ? before : limit.rlim_cur);
}

void memory_give_back(void)
{
	(void)malloc_trim(0);
}

void memory_keep_private(void)
{
	struct rlimit none = {0, 0};

	umask(S_IWGRP | S_IRWXO);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

static bool number_read(const char *text, unsigned long *number)
{
	char *end;

	if (*text < '0' || *text > '9') return false;
	errno = 0;
	*number = strtoul(text, &end, 10);
	return *end == '\0' && errno == 0 && *number < UINT32_MAX;
}

enum code user_find(const char *name, struct user *user, struct error *err)
{
	unsigned long number;

	errno = 0;
	const struct passwd *entry =
		number_read(name, &number) ? getpwuid((uid_t)number) : getpwnam(name);
	if (!entry)
		return error_set(err, E_NOT_FOUND,
				 "user \"%s\" does not exist%s%s; create it, or name another in "
				 "server: user:",
				 name, errno ? ": " : "", errno ? strerror(errno) : "");
	*user = (struct user){entry->pw_uid, entry->pw_gid};
	return OK;
}

bool boot_id(uint8_t id[static BOOT_ID_OCTETS])
{
	char text[64], digits[2 * BOOT_ID_OCTETS];
	size_t count = 0;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text);

	if (fd >= 0) close(fd);
	for (ssize_t i = 0; i < len && count < sizeof digits; i++)
		if (text[i] != '-' && text[i] != '\n') digits[count++] = text[i];
	struct writer w = writer_of(id, BOOT_ID_OCTETS);
	return count == sizeof digits && base16_decode(span_of(digits, count), &w);
}
