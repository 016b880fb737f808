/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/attributes.h"
#include "host/loop.h"
#include "host/workers.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { WORKS = 500, PARTS = 100 };

struct counting {
	struct work work;
	atomic_uint runs;
	struct workers *workers;
	atomic_uint parts[PARTS];
};

static void run(struct work *work)
{
	struct counting *counting = (struct counting *)(void *)work;

	atomic_fetch_add(&counting->runs, 1);
}

static void part(void *of, size_t i)
{
	struct counting *counting = of;

	atomic_fetch_add(&counting->parts[i], 1);
}

static void run_spread(struct work *work)
{
	struct counting *counting = (struct counting *)(void *)work;

	parallel_run(workers_parallel(counting->workers), PARTS, part, counting);
	atomic_fetch_add(&counting->runs, 1);
}

static struct workers *started(unsigned count, const struct wakeup *done)
{
	struct workers *workers = NULL;
	struct error err;

	CHECK(workers_start(count, done, &workers, &err) == OK);
	return workers;
}

struct collecting {
	struct loop *loop;
	struct workers *workers;
	size_t count;
};

static void collect(void *context)
{
	struct collecting *collecting = context;

	while (workers_next(collecting->workers)) collecting->count++;
	if (collecting->count == WORKS) loop_stop(collecting->loop);
}

TEST(every_work_is_run_once_and_comes_back_to_the_loop)
{
	struct counting *works = calloc(WORKS, sizeof *works);
	struct collecting collecting = {0};
	struct error err;

	CHECK(works && loop_new(&collecting.loop, &err) == OK);
	struct wakeup wakeup = {.rung = collect, .context = &collecting};
	CHECK(wakeup_open(collecting.loop, &wakeup, &err) == OK);
	collecting.workers = started(3, &wakeup);
	for (size_t i = 0; i < WORKS; i++) {
		works[i].work.run = run;
		workers_submit(collecting.workers, &works[i].work);
	}
	loop_run(collecting.loop);
	for (size_t i = 0; i < WORKS; i++) CHECK(works[i].runs == 1);
	workers_stop(collecting.workers);
	CHECK(!workers_next(collecting.workers));
	workers_free(collecting.workers);
	wakeup_close(collecting.loop, &wakeup);
	loop_free(collecting.loop);
	free(works);
}

/* More spreads at a time than threads: each is finished by the thread that began it. */
TEST(every_part_of_every_spread_is_run_once)
{
	enum { SPREADS = 8 };
	struct counting *works = calloc(SPREADS, sizeof *works);

	CHECK(works != NULL);
	for (unsigned threads = 1; threads <= 4; threads++) {
		struct workers *workers = started(threads, NULL);
		size_t done = 0;
		for (size_t i = 0; i < SPREADS; i++) {
			works[i] = (struct counting){.work.run = run_spread, .workers = workers};
			workers_submit(workers, &works[i].work);
		}
		while (done < SPREADS) done += workers_next(workers) != NULL;
		for (size_t i = 0; i < SPREADS; i++) {
			CHECK(works[i].runs == 1);
			for (size_t k = 0; k < PARTS; k++) CHECK(works[i].parts[k] == 1);
		}
		workers_stop(workers);
		workers_free(workers);
	}
	free(works);
}

TEST(without_threads_whoever_spreads_runs_the_parts)
{
	struct workers *workers = started(0, NULL);
	struct counting counting = {0};

	parallel_run(workers_parallel(workers), PARTS, part, &counting);
	for (size_t k = 0; k < PARTS; k++) CHECK(counting.parts[k] == 1);
	parallel_run(NULL, PARTS, part, &counting);
	for (size_t k = 0; k < PARTS; k++) CHECK(counting.parts[k] == 2);
	workers_stop(workers);
	workers_free(workers);
}

/* Each work comes back exactly once, whether it had begun or not. */
TEST(a_stop_gives_back_what_had_not_begun)
{
	struct counting *works = calloc(WORKS, sizeof *works);
	struct workers *workers = started(2, NULL);
	size_t back = 0, ran = 0;
	struct work *work;

	CHECK(works != NULL);
	for (size_t i = 0; i < WORKS; i++) {
		works[i].work.run = run;
		workers_submit(workers, &works[i].work);
	}
	workers_stop(workers);
	while ((work = workers_next(workers))) {
		struct counting *counting = (struct counting *)(void *)work;
		CHECK(counting->runs <= 1);
		ran += counting->runs;
		back++;
	}
	CHECK(back == WORKS && ran <= WORKS);
	workers_free(workers);
	free(works);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_work_is_run_once_and_comes_back_to_the_loop),
		cmocka_unit_test(every_part_of_every_spread_is_run_once),
		cmocka_unit_test(without_threads_whoever_spreads_runs_the_parts),
		cmocka_unit_test(a_stop_gives_back_what_had_not_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
