/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h - waits for descriptors, instants, signals and other threads.
 *
 * One thread owns a loop and everything that is in it; only `wakeup_ring` may be
 * called from elsewhere. Watches and timers belong to the caller and must stay
 * where they are while they are in the loop. A turn does bounded work: at most
 * LOOP_EVENTS_MAX descriptors, then at most LOOP_TIMERS_MAX due timers; what is
 * left waits for the next turn, so no source starves another.
 */
#ifndef HOST_LOOP_H
#define HOST_LOOP_H

#include "base/error.h"
#include "base/instant.h"

#include <signal.h>

enum { LOOP_EVENTS_MAX = 64, LOOP_TIMERS_MAX = 64 };

enum loop_events {
	LOOP_READ = 1,
	LOOP_WRITE = 2,
	LOOP_HANGUP = 4, /* always reported: error, or the peer is gone in both directions */
	LOOP_SHARED = 8, /* wish only: several loops watch this descriptor, wake one of them */
};

struct loop;

struct watch {
	int fd;
	unsigned wishes; /* LOOP_READ, LOOP_WRITE; may be 0 */
	void (*ready)(void *context, unsigned events);
	void *context;
};

/* A due instant. Zeroed with `due` and `context` set is a timer that is not set. */
struct timer {
	void (*due)(void *context, instant_ns now);
	void *context;
	instant_ns at;
	struct timer *child, *next,
		*previous; /* the heap's; `previous` is the parent of a first child */
	bool is_set;
};

must_use enum code loop_new(struct loop **loop, struct error *err);
/* Closes no watched descriptor; the loop forgets them. */
void loop_free(struct loop *loop);

/* The instant at which the current turn began. */
instant_ns loop_now(const struct loop *loop);

/* Watches `watch->fd` for `watch->wishes`. E_IO leaves it unwatched. */
must_use enum code loop_add(struct loop *loop, struct watch *watch, struct error *err);
/* Changes the wishes of one that is watched (not of a shared one). */
void loop_change(struct loop *loop, struct watch *watch, unsigned wishes);
/* To be called before its descriptor is closed. No callback comes after this, also within a turn.
 */
void loop_remove(struct loop *loop, struct watch *watch);

/* Sets, or moves, a timer. Cannot fail; INSTANT_NEVER cancels. */
void timer_set(struct loop *loop, struct timer *timer, instant_ns at);
void timer_set_after(struct loop *loop, struct timer *timer, duration_ns after);
void timer_cancel(struct loop *loop, struct timer *timer);

/* Waits until something is ready and serves it, once. `wait` false: only looks. */
void loop_turn(struct loop *loop, bool wait);
/* Turns until loop_stop() is called from a callback. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Signals as events: blocks them for the thread (and those it starts) and reads them here. */
struct signals {
	struct watch watch;
	void (*arrived)(void *context, int signal_number);
	void *context;
};

must_use enum code signals_open(struct loop *loop, struct signals *signals, const sigset_t *set,
				struct error *err);
void signals_close(struct loop *loop, struct signals *signals);

/* How another thread gets this loop's attention; many rings before a turn are one. */
struct wakeup {
	struct watch watch;
	void (*rung)(void *context);
	void *context;
};

must_use enum code wakeup_open(struct loop *loop, struct wakeup *wakeup, struct error *err);
void wakeup_close(struct loop *loop, struct wakeup *wakeup);
void wakeup_ring(const struct wakeup *wakeup);

#endif
