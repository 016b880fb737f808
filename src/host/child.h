/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h - other processes of this very program.
 *
 * A child is the same binary, started anew (/proc/self/exe, so also after a package
 * replaced the file), with an empty memory and only the descriptors it is given.
 * It dies with the thread that started it. Signals that end a server politely are
 * ignored in it: a child is told to stop by its parent, in order.
 */
#ifndef HOST_CHILD_H
#define HOST_CHILD_H

#include "base/error.h"
#include "base/span.h"

#include <sys/types.h>

enum { CHILD_FD_FIRST = 3, CHILD_FDS_MAX = 4096 };

struct child_plan {
	/* argv, argv[0] first, NULL last */
	const char *const *arguments;
	/*
	 * They become descriptors 3, 4, ... in this order. Standard input and output
	 * are /dev/null, standard error is ours.
	 */
	const int *descriptors;
	size_t descriptor_count;
};

struct child {
	pid_t pid;
	int pid_fd; /* readable when it has ended; for a loop */
};

/* How it ended: by exit with a status, or by a signal. */
struct child_end {
	bool was_signal;
	int value;
};

/* E_IO or E_LIMIT: no child. That a started one could not exec shows as exit status 127. */
must_use enum code child_start(const struct child_plan *plan, struct child *child,
			       struct error *err);

/* OK: it ended, and is reaped and closed. E_AGAIN: it runs. */
must_use enum code child_reap(struct child *child, struct child_end *end);

/* Signals exactly this process, also when its number was given to another since. */
void child_signal(const struct child *child, int signal_number);

#endif
