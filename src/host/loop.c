/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll, with one timerfd on CLOCK_BOOTTIME for the earliest timer: a timeout of
 * epoll_wait itself would stand still while the machine sleeps.
 *
 * Timers form a pairing heap made of the timers themselves, so setting one needs
 * no memory and cannot fail.
 */
#include "host/loop.h"
#include "host/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct loop {
	int epoll_fd;
	int timer_fd;
	instant_ns now;
	instant_ns armed_at; /* what the timerfd stands at */
	struct timer *earliest;
	bool stopped;
	int event_count; /* of the current turn; the rest of it may still be taken back */
	int event_next;
	struct epoll_event events[LOOP_EVENTS_MAX];
};

static uint32_t wishes_for_epoll(unsigned wishes)
{
	uint32_t events = 0;

	if (wishes & LOOP_READ) events |= EPOLLIN;
	if (wishes & LOOP_WRITE) events |= EPOLLOUT;
	if (wishes & LOOP_SHARED) events |= EPOLLEXCLUSIVE;
	return events;
}

enum code loop_new(struct loop **out, struct error *err)
{
	struct loop *loop = calloc(1, sizeof *loop);
	enum code code;

	if (!loop) return error_set(err, E_NOMEM, "no memory for an event loop");
	loop->timer_fd = -1;
	loop->armed_at = INSTANT_NEVER;
	loop->now = clock_now();
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) goto failed;
	loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->timer_fd < 0) goto failed;
	struct epoll_event wish = {.events = EPOLLIN, .data.ptr = loop}; /* no watch is there */
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->timer_fd, &wish) < 0) goto failed;
	*out = loop;
	return OK;
failed:
	code = error_set(err, E_IO, "cannot open an event loop: %s", strerror(errno));
	loop_free(loop);
	return code;
}

void loop_free(struct loop *loop)
{
	if (!loop) return;
	if (loop->timer_fd >= 0) close(loop->timer_fd);
	if (loop->epoll_fd >= 0) close(loop->epoll_fd);
	free(loop);
}

instant_ns loop_now(const struct loop *loop)
{
	return loop->now;
}

enum code loop_add(struct loop *loop, struct watch *watch, struct error *err)
{
	struct epoll_event wish = {.events = wishes_for_epoll(watch->wishes), .data.ptr = watch};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &wish) < 0)
		return error_set(err, E_IO, "cannot watch descriptor %d: %s", watch->fd,
				 strerror(errno));
	return OK;
}

void loop_change(struct loop *loop, struct watch *watch, unsigned wishes)
{
	struct epoll_event wish = {.events = wishes_for_epoll(wishes), .data.ptr = watch};

	if (watch->wishes == wishes) return;
	assert(!((watch->wishes | wishes) & LOOP_SHARED));
	watch->wishes = wishes;
	int failed = epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &wish);
	assert(!failed);
	(void)failed;
}

void loop_remove(struct loop *loop, struct watch *watch)
{
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	for (int i = loop->event_next; i < loop->event_count; i++)
		if (loop->events[i].data.ptr == watch) loop->events[i].data.ptr = NULL;
}

/* Makes the later of two heaps the first child of the earlier. */
static struct timer *heap_meld(struct timer *a, struct timer *b)
{
	if (!a) return b;
	if (!b) return a;
	if (b->at < a->at) {
		struct timer *swap = a;
		a = b;
		b = swap;
	}
	b->next = a->child;
	if (b->next) b->next->previous = b;
	b->previous = a;
	a->child = b;
	return a;
}

/* Melds a list of brothers two by two, then the pairs from the last to the first. */
static struct timer *heap_meld_all(struct timer *first)
{
	struct timer *pairs = NULL, *heap = NULL;

	while (first) {
		struct timer *a = first, *b = first->next;
		first = b ? b->next : NULL;
		a->next = a->previous = NULL;
		if (b) b->next = b->previous = NULL;
		a = heap_meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *pair = pairs;
		pairs = pair->next;
		pair->next = NULL;
		heap = heap_meld(heap, pair);
	}
	return heap;
}

void timer_cancel(struct loop *loop, struct timer *timer)
{
	if (!timer->is_set) return;
	if (loop->earliest == timer) {
		loop->earliest = heap_meld_all(timer->child);
	} else {
		if (timer->previous->child == timer)
			timer->previous->child = timer->next;
		else
			timer->previous->next = timer->next;
		if (timer->next) timer->next->previous = timer->previous;
		loop->earliest = heap_meld(loop->earliest, heap_meld_all(timer->child));
	}
	timer->child = timer->next = timer->previous = NULL;
	timer->is_set = false;
}

void timer_set(struct loop *loop, struct timer *timer, instant_ns at)
{
	timer_cancel(loop, timer);
	if (at == INSTANT_NEVER) return;
	timer->at = at;
	timer->is_set = true;
	loop->earliest = heap_meld(loop->earliest, timer);
}

void timer_set_after(struct loop *loop, struct timer *timer, duration_ns after)
{
	instant_ns at;

	if (__builtin_add_overflow(loop->now, after, &at)) at = INSTANT_NEVER;
	timer_set(loop, timer, at);
}

static void timers_arm(struct loop *loop)
{
	instant_ns at = loop->earliest ? loop->earliest->at : INSTANT_NEVER;
	struct itimerspec when = {0};

	if (at == loop->armed_at) return;
	/* All zeros would disarm, so an instant before the boot becomes its first one. */
	if (at != INSTANT_NEVER) {
		instant_ns positive = at > 0 ? at : 1;
		when.it_value.tv_sec = positive / NS_PER_S;
		when.it_value.tv_nsec = positive % NS_PER_S;
	}
	int failed = timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
	assert(!failed);
	(void)failed;
	loop->armed_at = at;
}

static void timers_run(struct loop *loop)
{
	for (int i = 0; i < LOOP_TIMERS_MAX && !loop->stopped; i++) {
		struct timer *timer = loop->earliest;
		if (!timer || timer->at > loop->now) return;
		timer_cancel(loop, timer);
		timer->due(timer->context, loop->now);
	}
}

static unsigned events_from_epoll(uint32_t events)
{
	unsigned ready = 0;

	if (events & EPOLLIN) ready |= LOOP_READ;
	if (events & EPOLLOUT) ready |= LOOP_WRITE;
	if (events & (EPOLLERR | EPOLLHUP)) ready |= LOOP_HANGUP;
	return ready;
}

static void timerfd_expired(struct loop *loop)
{
	uint64_t times;
	ssize_t n = read(loop->timer_fd, &times, sizeof times);

	(void)n; /* EAGAIN when it was set anew since: nothing to do either way */
	loop->armed_at = INSTANT_NEVER;
}

void loop_turn(struct loop *loop, bool wait)
{
	loop->stopped = false;
	timers_arm(loop);
	int n = epoll_wait(loop->epoll_fd, loop->events, LOOP_EVENTS_MAX, wait ? -1 : 0);
	assert(n >= 0 || errno == EINTR);

	loop->now = clock_now();
	loop->event_count = n > 0 ? n : 0;
	loop->event_next = 0;
	while (loop->event_next < loop->event_count && !loop->stopped) {
		struct epoll_event event = loop->events[loop->event_next++];
		struct watch *watch = event.data.ptr;
		if (event.data.ptr == loop)
			timerfd_expired(loop);
		else if (watch)
			watch->ready(watch->context, events_from_epoll(event.events));
	}
	loop->event_count = loop->event_next = 0;
	timers_run(loop);
}

void loop_run(struct loop *loop)
{
	do loop_turn(loop, true);
	while (!loop->stopped);
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

static void signals_read(void *context, unsigned events)
{
	struct signals *signals = context;
	struct signalfd_siginfo info;

	(void)events;
	if (read(signals->watch.fd, &info, sizeof info) != sizeof info) return;
	signals->arrived(signals->context, (int)info.ssi_signo);
}

enum code signals_open(struct loop *loop, struct signals *signals, const sigset_t *set,
		       struct error *err)
{
	int fd = -1;

	if (pthread_sigmask(SIG_BLOCK, set, NULL) != 0 ||
	    (fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC)) < 0)
		return error_set(err, E_IO, "cannot receive signals: %s", strerror(errno));
	signals->watch = (struct watch){fd, LOOP_READ, signals_read, signals};
	enum code code = loop_add(loop, &signals->watch, err);
	if (code) close(fd);
	return code;
}

void signals_close(struct loop *loop, struct signals *signals)
{
	loop_remove(loop, &signals->watch);
	close(signals->watch.fd);
}

static void wakeup_read(void *context, unsigned events)
{
	struct wakeup *wakeup = context;
	uint64_t rings;

	(void)events;
	if (read(wakeup->watch.fd, &rings, sizeof rings) != sizeof rings) return;
	wakeup->rung(wakeup->context);
}

enum code wakeup_open(struct loop *loop, struct wakeup *wakeup, struct error *err)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0) return error_set(err, E_IO, "cannot open an eventfd: %s", strerror(errno));
	wakeup->watch = (struct watch){fd, LOOP_READ, wakeup_read, wakeup};
	enum code code = loop_add(loop, &wakeup->watch, err);
	if (code) close(fd);
	return code;
}

void wakeup_close(struct loop *loop, struct wakeup *wakeup)
{
	loop_remove(loop, &wakeup->watch);
	close(wakeup->watch.fd);
}

void wakeup_ring(const struct wakeup *wakeup)
{
	uint64_t one = 1;
	ssize_t n = write(wakeup->watch.fd, &one, sizeof one);

	(void)n; /* a full counter is a ring that was not heard yet */
}
