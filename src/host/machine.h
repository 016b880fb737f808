/* SPDX-License-Identifier: Apache-2.0 */
/* machine.h - what this process may take of the machine: processors, descriptors, a user. */
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

#include "base/error.h"
#include "base/span.h"

#include <sys/types.h>

/* Processors that we may run on; at least 1. */
unsigned processor_count(void);

/*
 * Binds the calling thread to the n-th of them, counted round. False: the kernel
 * would not; the thread then runs anywhere, which is slower and no error.
 */
bool thread_pin(unsigned n);

/* Raises the soft limit of open descriptors to the hard one, and returns it. */
size_t descriptors_raise(void);

/*
 * No core file and no ptrace by others of our user, and files that we make are not for
 * others to read: memory holds keys, zones may be private.
 */
void memory_keep_private(void);

/* Gives memory that was freed, and that the allocator keeps, back to the system: takes its time. */
void memory_give_back(void);

struct user {
	uid_t uid;
	gid_t gid;
};

/* By name or number. E_NOT_FOUND says so. Uses the name service: before any wall stands. */
must_use enum code user_find(const char *name, struct user *user, struct error *err);

enum { BOOT_ID_OCTETS = 16 };

/* Which boot of the machine this is; false where the kernel does not tell, and nothing is written.
 */
bool boot_id(uint8_t id[static BOOT_ID_OCTETS]);

#endif
