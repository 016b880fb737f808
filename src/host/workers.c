/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lock guards all lists and is never held while anything runs. A spread lies on the
 * stack of who spreads, in the list as long as it has parts that nobody has taken.
 */
#include "host/workers.h"

#include "host/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct spread {
	void (*part)(void *of, size_t i);
	void *of;
	size_t next, count;
	size_t running;
	struct spread *following;
};

struct work_list {
	struct work *first, *last;
};

struct workers {
	pthread_mutex_t lock; /* of all that follows but the threads */
	pthread_cond_t wake;  /* there is something to do, or the end has come */
	pthread_cond_t ended; /* the last part of some spread has */
	struct work_list waiting, done;
	struct spread *spreads;
	bool stopping;

	const struct wakeup *wakeup;
	struct parallel parallel;
	pthread_t threads[WORKERS_MAX];
	unsigned thread_count;
};

static void list_append(struct work_list *list, struct work *work)
{
	work->next = NULL;
	if (list->first)
		list->last->next = work;
	else
		list->first = work;
	list->last = work;
}

static struct work *list_take(struct work_list *list)
{
	struct work *work = list->first;

	if (work) list->first = work->next;
	return work;
}

static void spread_leave_list(struct workers *workers, const struct spread *spread)
{
	struct spread **link = &workers->spreads;

	while (*link != spread) link = &(*link)->following;
	*link = spread->following;
}

/* Runs one part; called, and returns, with the lock held. */
static void spread_run_one(struct workers *workers, struct spread *spread)
{
	size_t i = spread->next++;

	if (spread->next == spread->count) spread_leave_list(workers, spread);
	spread->running++;
	pthread_mutex_unlock(&workers->lock);
	spread->part(spread->of, i);
	pthread_mutex_lock(&workers->lock);
	spread->running--;
	if (!spread->running && spread->next == spread->count)
		pthread_cond_broadcast(&workers->ended);
}

static void spread_run(void *context, size_t count, void (*part)(void *of, size_t i), void *of)
{
	struct workers *workers = context;
	struct spread spread = {.part = part, .of = of, .count = count};

	if (!count) return;
	pthread_mutex_lock(&workers->lock);
	spread.following = workers->spreads;
	workers->spreads = &spread;
	pthread_cond_broadcast(&workers->wake);
	while (spread.next < spread.count) spread_run_one(workers, &spread);
	while (spread.running) pthread_cond_wait(&workers->ended, &workers->lock);
	pthread_mutex_unlock(&workers->lock);
}

/* Called, and returns, with the lock held. */
static void work_run(struct workers *workers, struct work *work)
{
	pthread_mutex_unlock(&workers->lock);
	work->run(work);
	pthread_mutex_lock(&workers->lock);
	bool was_empty = !workers->done.first;
	list_append(&workers->done, work);
	if (was_empty && workers->wakeup) wakeup_ring(workers->wakeup);
}

static void *thread_run(void *context)
{
	struct workers *workers = context;

	pthread_mutex_lock(&workers->lock);
	for (;;) {
		struct work *work;
		if (workers->spreads)
			spread_run_one(workers, workers->spreads);
		else if (!workers->stopping && (work = list_take(&workers->waiting)))
			work_run(workers, work);
		else if (workers->stopping)
			break;
		else
			pthread_cond_wait(&workers->wake, &workers->lock);
	}
	pthread_mutex_unlock(&workers->lock);
	return NULL;
}

enum code workers_start(unsigned count, const struct wakeup *done, struct workers **out,
			struct error *err)
{
	struct workers *workers = calloc(1, sizeof *workers);

	if (!workers) return error_set(err, E_NOMEM, "no memory for threads");
	workers->wakeup = done;
	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->wake, NULL);
	pthread_cond_init(&workers->ended, NULL);
	if (count > WORKERS_MAX) count = WORKERS_MAX;
	while (workers->thread_count < count) {
		pthread_t *thread = &workers->threads[workers->thread_count];
		int number = pthread_create(thread, NULL, thread_run, workers);
		if (number) {
			workers_stop(workers);
			workers_free(workers);
			return error_set(err, E_IO, "cannot start a thread: %s", strerror(number));
		}
		workers->thread_count++;
	}
	/* Who spreads runs parts as well. */
	workers->parallel = (struct parallel){spread_run, workers, count ? count : 1};
	*out = workers;
	return OK;
}

void workers_submit(struct workers *workers, struct work *work)
{
	pthread_mutex_lock(&workers->lock);
	list_append(&workers->waiting, work);
	pthread_cond_signal(&workers->wake);
	pthread_mutex_unlock(&workers->lock);
}

struct work *workers_next(struct workers *workers)
{
	pthread_mutex_lock(&workers->lock);
	struct work *work = list_take(&workers->done);
	pthread_mutex_unlock(&workers->lock);
	return work;
}

const struct parallel *workers_parallel(const struct workers *workers)
{
	return &workers->parallel;
}

void workers_stop(struct workers *workers)
{
	struct work *work;

	if (!workers) return;
	pthread_mutex_lock(&workers->lock);
	workers->stopping = true;
	pthread_cond_broadcast(&workers->wake);
	pthread_mutex_unlock(&workers->lock);
	for (unsigned i = 0; i < workers->thread_count; i++)
		pthread_join(workers->threads[i], NULL);
	workers->thread_count = 0;
	while ((work = list_take(&workers->waiting))) list_append(&workers->done, work);
}

void workers_free(struct workers *workers)
{
	if (!workers) return;
	pthread_cond_destroy(&workers->ended);
	pthread_cond_destroy(&workers->wake);
	pthread_mutex_destroy(&workers->lock);
	free(workers);
}
