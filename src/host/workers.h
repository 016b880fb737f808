/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workers.h - threads for what would keep an event loop from its turns.
 *
 * Work goes in, is run on one of the threads, and comes back to the loop in the order in
 * which it ends. A work may be spread: its own thread and those that are idle run its
 * parts side by side, before any new work is begun. So what was begun ends soon, and a
 * work that is spread never waits for a thread.
 *
 * The queue has no bound of its own: works belong to the caller, who has as many as he
 * allows himself.
 */
#ifndef HOST_WORKERS_H
#define HOST_WORKERS_H

#include "base/error.h"
#include "base/parallel.h"

enum { WORKERS_MAX = 64 };

struct workers;
struct wakeup;

/* Belongs to the caller and stays where it is until it came back. */
struct work {
	void (*run)(struct work *work); /* on a thread of the workers */
	struct work *next;
};

/*
 * Starts `count` threads (at most WORKERS_MAX; 0: only whoever spreads runs parts). When
 * a work ended, `done` (NULL: nobody) is rung. E_IO: the system has no more threads.
 */
enum code workers_start(unsigned count, const struct wakeup *done, struct workers **out,
			struct error *err) must_use;

void workers_submit(struct workers *workers, struct work *work);

/* A work that ended; NULL when there is none. */
struct work *workers_next(struct workers *workers);

/* How a work, or the thread that owns the workers, is spread; borrowed from them. */
const struct parallel *workers_parallel(const struct workers *workers);

/*
 * Waits for the works that run; those that had not begun come back as well, and the
 * caller knows which they are. Nothing may be submitted any more. Accepts NULL.
 */
void workers_stop(struct workers *workers);

/* After workers_stop. Accepts NULL. */
void workers_free(struct workers *workers);

#endif
