/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "host/clock.h"
#include "host/loop.h"
#include "host/random.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMER_COUNT = 300 };

struct row {
	struct timer timer;
	struct loop *loop;
	instant_ns *last;
	int *fired;
};

static void row_due(void *context, instant_ns now)
{
	struct row *row = context;

	CHECK(row->timer.at <= now && row->timer.at >= *row->last && !row->timer.is_set);
	*row->last = row->timer.at;
	if (++*row->fired == TIMER_COUNT / 2) loop_stop(row->loop);
}

TEST(timers_fire_in_order_and_cancelled_ones_never)
{
	static struct row rows[TIMER_COUNT];
	struct loop *loop;
	instant_ns last = 0;
	int fired = 0;

	CHECK(loop_new(&loop, NULL) == OK);
	for (int i = 0; i < TIMER_COUNT; i++) {
		rows[i] = (struct row){{.due = row_due, .context = &rows[i]}, loop, &last, &fired};
		timer_set_after(loop, &rows[i].timer, (int64_t)random_below(5000) * 1000);
	}
	/* Moved ones keep the order too. */
	for (int i = 0; i < TIMER_COUNT; i += 3)
		timer_set_after(loop, &rows[i].timer, (int64_t)random_below(9000) * 1000);
	for (int i = 1; i < TIMER_COUNT; i += 2) timer_cancel(loop, &rows[i].timer);
	loop_run(loop);
	loop_turn(loop, false);
	CHECK(fired == TIMER_COUNT / 2);
	for (int i = 0; i < TIMER_COUNT; i++) CHECK(!rows[i].timer.is_set);
	loop_free(loop);
}

struct count {
	struct loop *loop;
	struct timer timer;
	int times;
	int stop_at;
};

static void count_due(void *context, instant_ns now)
{
	struct count *count = context;

	timer_set(count->loop, &count->timer, now);
	if (++count->times == count->stop_at) loop_stop(count->loop);
}

TEST(a_timer_that_is_always_due_does_not_hold_the_turn)
{
	struct count count = {.timer = {.due = count_due}};

	CHECK(loop_new(&count.loop, NULL) == OK);
	count.timer.context = &count;
	timer_set(count.loop, &count.timer, 0);
	loop_turn(count.loop, true);
	CHECK(count.times == LOOP_TIMERS_MAX);
	loop_turn(count.loop, true);
	CHECK(count.times == 2 * LOOP_TIMERS_MAX);
	loop_free(count.loop);
}

TEST(never_and_overflow_mean_not_set)
{
	struct count count = {.timer = {.due = count_due}};

	CHECK(loop_new(&count.loop, NULL) == OK);
	timer_set(count.loop, &count.timer, INSTANT_NEVER);
	CHECK(!count.timer.is_set);
	timer_set_after(count.loop, &count.timer, INT64_MAX);
	CHECK(!count.timer.is_set);
	timer_cancel(count.loop, &count.timer);
	loop_turn(count.loop, false);
	CHECK(count.times == 0);
	loop_free(count.loop);
}

struct pair {
	struct loop *loop;
	struct watch watches[2];
	int seen;
};

/* Whoever comes first takes the other out of the loop. */
static void pair_ready(void *context, unsigned events)
{
	struct pair *pair = context;

	CHECK(events & LOOP_READ);
	pair->seen++;
	loop_remove(pair->loop, &pair->watches[0]);
	loop_remove(pair->loop, &pair->watches[1]);
}

TEST(what_was_removed_within_a_turn_is_not_called)
{
	struct pair pair = {.seen = 0};
	int ends[2];

	CHECK(loop_new(&pair.loop, NULL) == OK);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
	for (int i = 0; i < 2; i++) {
		pair.watches[i] = (struct watch){ends[i], LOOP_READ, pair_ready, &pair};
		CHECK(loop_add(pair.loop, &pair.watches[i], NULL) == OK);
		CHECK(write(ends[i], "x", 1) == 1);
	}
	loop_turn(pair.loop, true);
	loop_turn(pair.loop, false);
	CHECK(pair.seen == 1);
	close(ends[0]);
	close(ends[1]);
	loop_free(pair.loop);
}

static void signal_arrived(void *context, int number)
{
	int *seen = context;

	*seen = number;
}

TEST(a_signal_is_an_event)
{
	struct loop *loop;
	sigset_t set;
	int seen = 0;
	struct signals signals = {.arrived = signal_arrived, .context = &seen};

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(loop_new(&loop, NULL) == OK);
	CHECK(signals_open(loop, &signals, &set, NULL) == OK);
	raise(SIGUSR1);
	CHECK(seen == 0);
	loop_turn(loop, true);
	CHECK(seen == SIGUSR1);
	signals_close(loop, &signals);
	loop_free(loop);
}

static void *ring_thrice(void *wakeup)
{
	for (int i = 0; i < 3; i++) wakeup_ring(wakeup);
	return NULL;
}

static void rung(void *context)
{
	++*(int *)context;
}

TEST(rings_of_another_thread_are_heard_as_one)
{
	struct loop *loop;
	int times = 0;
	struct wakeup wakeup = {.rung = rung, .context = &times};
	pthread_t thread;

	CHECK(loop_new(&loop, NULL) == OK);
	CHECK(wakeup_open(loop, &wakeup, NULL) == OK);
	CHECK(pthread_create(&thread, NULL, ring_thrice, &wakeup) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	loop_turn(loop, true);
	loop_turn(loop, false);
	CHECK(times == 1);
	wakeup_close(loop, &wakeup);
	loop_free(loop);
}

TEST(random_numbers_stay_below_their_limit)
{
	bool seen[7] = {false};

	for (int i = 0; i < 1000; i++) {
		uint64_t n = random_below(7);
		CHECK(n < 7);
		seen[n] = true;
	}
	for (int i = 0; i < 7; i++) CHECK(seen[i]);
	CHECK(random_below(1) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order_and_cancelled_ones_never),
		cmocka_unit_test(a_timer_that_is_always_due_does_not_hold_the_turn),
		cmocka_unit_test(never_and_overflow_mean_not_set),
		cmocka_unit_test(what_was_removed_within_a_turn_is_not_called),
		cmocka_unit_test(a_signal_is_an_event),
		cmocka_unit_test(rings_of_another_thread_are_heard_as_one),
		cmocka_unit_test(random_numbers_stay_below_their_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
