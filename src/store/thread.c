/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job goes from stage to stage: to the keeper of the database, to the scribe, and
 * back where a result is to be committed. One lock guards the lists; it is never
 * held while anything is done.
 */
#include "store/thread.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum stage { STAGE_DATABASE, STAGE_SCRIBE, STAGE_DONE, STAGE_COUNT };

struct job_list {
	struct store_job *first, *last;
};

struct store_thread {
	struct store *store;   /* STAGE_DATABASE's */
	struct crypto *crypto; /* STAGE_SCRIBE's */
	uint64_t fold_after;   /* STAGE_DATABASE's: the zone that was folded last */
	struct store_job *copying;
	int event;

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t wake[STAGE_DONE];
	struct job_list lists[STAGE_COUNT];
	size_t under_way;
	bool writable;
	bool stopping;

	pthread_t threads[STAGE_DONE];
	bool started[STAGE_DONE];
};

/* True when it was empty: then whoever works on it may be waiting. */
static bool list_append(struct job_list *list, struct store_job *job)
{
	bool was_empty = !list->first;

	job->next = NULL;
	if (was_empty)
		list->first = job;
	else
		list->last->next = job;
	list->last = job;
	return was_empty;
}

static struct store_job *list_take(struct job_list *list)
{
	struct store_job *job = list->first;

	if (job) list->first = job->next;
	return job;
}

/* Hands the job on. */
static void move_on(struct store_thread *thread, struct store_job *job, enum stage to)
{
	uint64_t one = 1;

	pthread_mutex_lock(&thread->lock);
	bool was_empty = list_append(&thread->lists[to], job);
	if (to == STAGE_DONE) {
		job->writable = thread->writable;
		thread->under_way--;
		/* The counter of an eventfd cannot overflow here, so the write cannot fail. */
		if (was_empty) (void)!write(thread->event, &one, sizeof one);
		if (thread->stopping)
			for (int i = 0; i < STAGE_DONE; i++) pthread_cond_signal(&thread->wake[i]);
	} else if (was_empty) {
		pthread_cond_signal(&thread->wake[to]);
	}
	pthread_mutex_unlock(&thread->lock);
}

/* ---- the scribe ---- */

static enum code text_into(struct arena *arena, const char **text, struct error *err)
{
	*text = arena_copy_text(arena, span_of_text(*text));
	return *text ? OK : error_set(err, E_NOMEM, "no memory for a zone");
}

static void load_decode(struct store_thread *thread, struct store_job *job)
{
	job->code = fetched_decode(job->fetched, thread->crypto, job->arena, &job->set,
				   &job->version, &job->err);
	if (!job->code) job->code = text_into(job->arena, &job->version.author, &job->err);
	if (!job->code) job->code = text_into(job->arena, &job->version.reason, &job->err);
	fetched_free(job->fetched);
	job->fetched = NULL;
}

/*
 * A zone whose text does not give the zone again, or that is damaged, stays as it
 * is and is not tried again before it changes. When only the disk or memory
 * refused, it stays due.
 */
static enum stage fold_write(struct store_thread *thread, struct store_job *job)
{
	struct draft *draft = NULL;
	enum code code;

	job->code = fold_draft(thread->store, job->fetched, thread->crypto, &draft, &job->err);
	if (job->code == OK || job->code == E_DAMAGED || job->code == E_SYNTAX) {
		code = batch_new(&job->batch, &job->err);
		if (!code) code = batch_fold(job->batch, job->fetched, draft, &job->err);
		if (!code) return STAGE_DATABASE;
		job->code = code;
	}
	fetched_free(job->fetched);
	job->fetched = NULL;
	return STAGE_DONE;
}

/* An error here is the job's; its batch has not been tried. */
static enum stage commit_draft(struct store_thread *thread, struct store_job *job)
{
	struct draft *draft;

	job->code = draft_of_records(thread->store, job->key.name, job->records, job->digest,
				     thread->crypto, &draft, &job->err);
	if (job->code) return STAGE_DONE;
	batch_give_draft(job->batch, draft);
	return STAGE_DATABASE;
}

static enum stage scribe_do(struct store_thread *thread, struct store_job *job)
{
	switch (job->kind) {
	case STORE_COMMIT: return commit_draft(thread, job);
	case STORE_LOAD: load_decode(thread, job); return STAGE_DONE;
	case STORE_UPKEEP: return fold_write(thread, job);
	default: break;
	}
	return STAGE_DONE;
}

static void *scribe_run(void *context)
{
	struct store_thread *thread = context;

	for (;;) {
		pthread_mutex_lock(&thread->lock);
		while (!thread->lists[STAGE_SCRIBE].first &&
		       !(thread->stopping && thread->under_way == 0))
			pthread_cond_wait(&thread->wake[STAGE_SCRIBE], &thread->lock);
		struct store_job *job = list_take(&thread->lists[STAGE_SCRIBE]);
		pthread_mutex_unlock(&thread->lock);
		if (!job) return NULL;
		move_on(thread, job, scribe_do(thread, job));
	}
}

/* ---- the keeper of the database ---- */

static bool is_commit(const struct store_job *job)
{
	return job->kind == STORE_COMMIT || (job->kind == STORE_UPKEEP && job->batch);
}

static void writable_note(struct store_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	thread->writable = store_is_writable(thread->store);
	pthread_mutex_unlock(&thread->lock);
}

static void commit_finish(struct store_job *job)
{
	struct error err;
	enum code code = batch_outcome(job->batch, &err);

	/* A fold that failed has told why already. */
	if (code && (job->kind == STORE_COMMIT || !job->code)) {
		job->code = code;
		job->err = err;
	} else if (job->kind == STORE_COMMIT) {
		job->code = OK;
	}
	if (job->kind != STORE_UPKEEP) return;
	/* The zone changed its form meanwhile: nothing is wrong. */
	if (job->code == E_CONFLICT || job->code == E_NOT_FOUND) job->code = OK;
	job->more = true;
	batch_free(job->batch);
	fetched_free(job->fetched);
	job->batch = NULL;
	job->fetched = NULL;
}

static void commit_group(struct store_thread *thread, struct store_job **jobs, size_t count)
{
	struct batch *batches[COMMIT_GROUP_MAX];

	for (size_t i = 0; i < count; i++) batches[i] = jobs[i]->batch;
	store_commit(thread->store, batches, count);
	writable_note(thread);
	for (size_t i = 0; i < count; i++) {
		commit_finish(jobs[i]);
		move_on(thread, jobs[i], STAGE_DONE);
	}
	/* After the answers: nobody waits for it but the next commit. */
	if (store_checkpoint(thread->store, LOG_LEN_DUE, NULL)) writable_note(thread);
}

static enum stage upkeep(struct store_thread *thread, struct store_job *job)
{
	job->more = false;
	job->code = store_checkpoint(thread->store, 0, &job->err);
	if (job->code) return STAGE_DONE;
	job->code = store_fold_find(thread->store, &thread->fold_after, &job->fetched, &job->err);
	if (!job->code) return STAGE_SCRIBE;
	if (job->code != E_NOT_FOUND) return STAGE_DONE;
	job->code = OK;
	thread->fold_after = 0;
	return STAGE_DONE;
}

static enum code load_fetch(struct store *store, struct store_job *job)
{
	enum code code = store_zone(store, job->key, job->arena, &job->zone, &job->err);

	if (!code)
		code = store_zone_files(store, job->key, job->arena, &job->files, &job->file_count,
					&job->err);
	if (!code) code = store_fetch(store, job->key, &job->fetched, &job->err);
	return code;
}

static enum stage database_do(struct store_thread *thread, struct store_job *job)
{
	struct store *store = thread->store;

	switch (job->kind) {
	case STORE_LOAD:
		job->code = load_fetch(store, job);
		return job->code ? STAGE_DONE : STAGE_SCRIBE;
	case STORE_FILES:
		job->code = store_zone_files(store, job->key, job->arena, &job->files,
					     &job->file_count, &job->err);
		return STAGE_DONE;
	case STORE_CHANGES:
		job->code = store_changes(store, job->key, job->from, job->octets_max, job->arena,
					  &job->changes, &job->change_count, &job->err);
		return STAGE_DONE;
	case STORE_UPKEEP: return upkeep(thread, job);
	case STORE_RECOVER:
		job->code = store_recover(store, &job->recovery, &job->err);
		return STAGE_DONE;
	case STORE_COPY:
		job->code = store_copy_begin(store, job->path, &job->err);
		if (job->code) return STAGE_DONE;
		thread->copying = job;
		return STAGE_DATABASE;
	case STORE_STATUS:
		store_status(store, job->status);
		job->code = OK;
		return STAGE_DONE;
	default: break;
	}
	return STAGE_DONE;
}

/* One piece of the copy under way, if there is one. */
static void copy_go_on(struct store_thread *thread, bool stopping)
{
	struct store_job *job = thread->copying;
	bool done = false;

	if (!job) return;
	if (stopping) {
		store_copy_end(thread->store);
		job->code = error_set(&job->err, E_AGAIN, "the copy was given up: the server ends");
	} else {
		job->code = store_copy_step(thread->store, &done, &job->err);
		if (!job->code && !done) return;
	}
	thread->copying = NULL;
	move_on(thread, job, STAGE_DONE);
}

/* What is next: one job, or the commits that stand at the front. Waits unless a copy is to go on.
 */
static size_t jobs_take(struct store_thread *thread, struct store_job **jobs, bool *stopping)
{
	struct job_list *list = &thread->lists[STAGE_DATABASE];
	size_t count = 0;

	pthread_mutex_lock(&thread->lock);
	while (!list->first && !thread->copying && !(thread->stopping && thread->under_way == 0))
		pthread_cond_wait(&thread->wake[STAGE_DATABASE], &thread->lock);
	while (list->first && count < COMMIT_GROUP_MAX && (count == 0 || is_commit(list->first))) {
		jobs[count++] = list_take(list);
		if (!is_commit(jobs[count - 1])) break;
	}
	*stopping = thread->stopping;
	pthread_mutex_unlock(&thread->lock);
	return count;
}

static void *database_run_jobs(void *context)
{
	struct store_thread *thread = context;
	struct store_job *jobs[COMMIT_GROUP_MAX];

	for (;;) {
		bool stopping;
		size_t count = jobs_take(thread, jobs, &stopping);
		if (count == 0 && !thread->copying) return NULL;
		if (count && is_commit(jobs[0])) {
			commit_group(thread, jobs, count);
		} else if (count) {
			enum stage to = database_do(thread, jobs[0]);
			writable_note(thread);
			if (to != STAGE_DATABASE) move_on(thread, jobs[0], to);
		}
		copy_go_on(thread, stopping);
	}
}

/* ---- the caller's side ---- */

static enum code threads_start(struct store_thread *thread, struct error *err)
{
	void *(*const bodies[STAGE_DONE])(void *) = {database_run_jobs, scribe_run};
	sigset_t all, before;
	int number = 0;

	/* Signals are for the thread with the event loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (int i = 0; !number && i < STAGE_DONE; i++) {
		number = pthread_create(&thread->threads[i], NULL, bodies[i], thread);
		thread->started[i] = number == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return number ? error_set(err, E_NOMEM, "cannot start the store's threads: %s",
				  strerrordesc_np(number))
		      : OK;
}

enum code store_thread_start(struct store *store, struct store_thread **out, struct error *err)
{
	struct store_thread *thread = calloc(1, sizeof *thread);
	enum code code;

	if (!thread) return error_set(err, E_NOMEM, "no memory for the store's threads");
	thread->writable = store_is_writable(store);
	pthread_mutex_init(&thread->lock, NULL);
	for (int i = 0; i < STAGE_DONE; i++) pthread_cond_init(&thread->wake[i], NULL);
	thread->store = store;
	thread->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	thread->crypto = crypto_new(err);
	if (thread->event < 0)
		code = error_set(err, E_IO, "cannot make an eventfd: %s", strerrordesc_np(errno));
	else
		code = thread->crypto ? threads_start(thread, err) : E_NOMEM;
	if (code) {
		store_thread_stop(thread);
		thread->store = NULL; /* it stays the caller's */
		store_thread_free(thread);
		return code;
	}
	*out = thread;
	return OK;
}

const struct store *store_thread_store(const struct store_thread *thread)
{
	return thread->store;
}

int store_thread_fd(const struct store_thread *thread)
{
	return thread->event;
}

enum code store_thread_submit(struct store_thread *thread, struct store_job *job, struct error *err)
{
	enum stage to = job->kind == STORE_COMMIT && job->records ? STAGE_SCRIBE : STAGE_DATABASE;
	enum code code = OK;

	job->fetched = NULL;
	if (job->kind == STORE_LOAD) job->zone = (struct stored_zone){0};
	if (job->kind == STORE_UPKEEP) job->batch = NULL;
	pthread_mutex_lock(&thread->lock);
	assert(!thread->stopping);
	if (thread->under_way >= STORE_JOBS_MAX) {
		code = error_set(err, E_BUSY, "the store has %d jobs under way", STORE_JOBS_MAX);
	} else {
		thread->under_way++;
		if (list_append(&thread->lists[to], job)) pthread_cond_signal(&thread->wake[to]);
	}
	pthread_mutex_unlock(&thread->lock);
	return code;
}

struct store_job *store_thread_next(struct store_thread *thread)
{
	uint64_t count;

	pthread_mutex_lock(&thread->lock);
	struct store_job *job = list_take(&thread->lists[STAGE_DONE]);
	if (!job) (void)!read(thread->event, &count, sizeof count);
	pthread_mutex_unlock(&thread->lock);
	return job;
}

void store_thread_stop(struct store_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	thread->stopping = true;
	for (int i = 0; i < STAGE_DONE; i++) pthread_cond_signal(&thread->wake[i]);
	pthread_mutex_unlock(&thread->lock);
	for (int i = 0; i < STAGE_DONE; i++) {
		if (thread->started[i]) pthread_join(thread->threads[i], NULL);
		thread->started[i] = false;
	}
}

void store_thread_free(struct store_thread *thread)
{
	if (!thread) return;
	assert(!thread->started[STAGE_DATABASE] && !thread->started[STAGE_SCRIBE]);
	store_close(thread->store);
	crypto_free(thread->crypto);
	if (thread->event >= 0) close(thread->event);
	for (int i = 0; i < STAGE_DONE; i++) pthread_cond_destroy(&thread->wake[i]);
	pthread_mutex_destroy(&thread->lock);
	free(thread);
}
