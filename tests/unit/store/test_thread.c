/* SPDX-License-Identifier: Apache-2.0 */
#include "store/stage.h"

#include "store/thread.h"

#include <poll.h>

static struct stage stage;
static struct store_thread *thread;

static int set_up(void **state)
{
	(void)state;
	stage_begin(&stage);
	stage_open(&stage);
	CHECK(store_thread_start(stage.store, &thread, &err) == OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_thread_stop(thread);
	store_thread_free(thread);
	thread = NULL;
	stage.store = NULL;
	stage_end(&stage);
	return 0;
}

/* Waits as an event loop does. */
static struct store_job *next_job(void)
{
	struct pollfd ready = {.fd = store_thread_fd(thread), .events = POLLIN};
	struct store_job *job;

	while (!(job = store_thread_next(thread))) CHECK(poll(&ready, 1, 60000) == 1);
	return job;
}

static void submit(struct store_job *job)
{
	CHECK(store_thread_submit(thread, job, &err) == OK);
}

static enum code do_job(struct store_job *job)
{
	submit(job);
	CHECK(next_job() == job);
	return job->code;
}

static struct store_job *job_new(enum store_job_kind kind)
{
	struct store_job *job = arena_alloc(stage.arena, sizeof *job);

	CHECK(job);
	job->kind = kind;
	return job;
}

static struct store_job *commit_job(void)
{
	struct store_job *job = job_new(STORE_COMMIT);

	job->batch = batch_make();
	return job;
}

static void add(const char *zone)
{
	struct store_job *job = commit_job();

	CHECK(batch_add_zone(job->batch, key_of(zone), &entry_config, &err) == OK);
	CHECK(do_job(job) == OK && job->writable);
	batch_free(job->batch);
}

static void put(const char *zone, const struct records *set, uint64_t seq)
{
	struct stored_version version = version_of(&stage, zone, set, seq);
	struct store_job *job = commit_job();

	job->key = key_of(zone);
	job->records = set;
	job->digest = &version.digest;
	CHECK(batch_put_snapshot(job->batch, key_of(zone), &version, NULL, &err) == OK);
	CHECK(do_job(job) == OK);
	batch_free(job->batch);
}

static struct store_job *loaded(const char *zone)
{
	struct store_job *job = job_new(STORE_LOAD);

	job->key = key_of(zone);
	job->arena = arena_new((size_t)1 << 28);
	CHECK(do_job(job) == OK);
	return job;
}

static uint64_t commit_count(void)
{
	struct store_status status;
	struct store_job *job = job_new(STORE_STATUS);

	job->status = &status;
	CHECK(do_job(job) == OK && status.writable);
	return status.commit_count;
}

TEST(a_zone_goes_in_and_comes_out)
{
	struct records *one = zone_make(&stage, "example.com.", 1, 1, 30000);
	struct records *two = zone_make(&stage, "example.com.", 2, 2, 30000);
	struct store_job *job = commit_job();

	add("example.com.");
	put("example.com.", one, 1);
	CHECK(batch_put_change(job->batch, key_of("example.com."), 2, change_make(&stage, one, two),
			       &err) == OK);
	CHECK(do_job(job) == OK);
	batch_free(job->batch);
	job = loaded("example.com.");
	CHECK(sets_equal(&job->set, two) && job->version.seq == 2);
	CHECK(strcmp(job->version.author, "file /etc/example.com.zone") == 0);
	arena_free(job->arena);
	job = job_new(STORE_CHANGES);
	job->key = key_of("example.com.");
	job->from = 1;
	job->octets_max = 1 << 20;
	job->arena = stage.arena;
	CHECK(do_job(job) == OK && job->change_count == 1 && job->changes[0].to_serial == 2);
	job = job_new(STORE_LOAD);
	job->key = key_of("example.org.");
	job->arena = stage.arena;
	CHECK(do_job(job) == E_NOT_FOUND && !job->zone.key.view);
	add("example.org.");
	CHECK(do_job(job) == E_NOT_FOUND && job->zone.key.view && !job->zone.has_version);
}

TEST(commits_that_wait_together_share_a_transaction)
{
	enum { COUNT = 500 };
	struct store_job *jobs[COUNT];
	uint64_t before = commit_count();

	for (int i = 0; i < COUNT; i++) {
		char zone[32];
		snprintf(zone, sizeof zone, "zone%d.example.", i / 2);
		jobs[i] = commit_job();
		CHECK(batch_add_zone(jobs[i]->batch, key_of(zone), &entry_config, &err) == OK);
	}
	for (int i = 0; i < COUNT; i++) submit(jobs[i]);
	for (int i = 0; i < COUNT; i++) {
		CHECK(next_job() == jobs[i]);
		CHECK(jobs[i]->code == (i % 2 ? E_EXISTS : OK));
		batch_free(jobs[i]->batch);
	}
	CHECK(commit_count() < before + COUNT / 2);
}

TEST(upkeep_folds_what_is_due_while_changes_go_on)
{
	enum { ZONES = 5 };
	struct records *before[ZONES];
	uint32_t serial = 1;
	struct store_job *upkeep = job_new(STORE_UPKEEP);
	char zone[32], name[FILE_NAME_MAX + 1];

	for (unsigned i = 0; i < ZONES; i++) {
		snprintf(zone, sizeof zone, "zone%u.example.", i);
		before[i] = zone_make(&stage, zone, 1, 1, 20000);
		add(zone);
		put(zone, before[i], 1);
	}
	submit(upkeep);
	for (bool folding = true; folding;) {
		struct store_job *job = commit_job();
		unsigned i = ++serial % ZONES;
		snprintf(zone, sizeof zone, "zone%u.example.", i);
		struct soa soa;
		CHECK(records_soa(before[i], key_of(zone).name, &soa));
		struct records *set = zone_make(&stage, zone, soa.serial + 1, serial % 9, 20000);
		CHECK(batch_put_change(job->batch, key_of(zone), soa.serial + 1,
				       change_make(&stage, before[i], set), &err) == OK);
		before[i] = set;
		submit(job);
		for (struct store_job *back = NULL; back != job;) {
			back = next_job();
			CHECK(back->code == OK);
			if (back != upkeep) continue;
			folding = upkeep->more;
			if (folding) submit(upkeep);
		}
		batch_free(job->batch);
	}
	for (unsigned i = 0; i < ZONES; i++) {
		snprintf(zone, sizeof zone, "zone%u.example.", i);
		struct store_job *job = loaded(zone);
		CHECK(sets_equal(&job->set, before[i]));
		arena_free(job->arena);
	}
	CHECK(snapshot_files(&stage, name) <= ZONES);
	CHECK(do_job(upkeep) == OK && !upkeep->more);
}

TEST(the_queue_is_bounded)
{
	struct store_job *jobs = arena_alloc_array(stage.arena, STORE_JOBS_MAX + 1, sizeof *jobs);
	struct store_status status;
	size_t taken = 0, back = 0;

	/* The status is quickly told, so more than the maximum go in before one is refused. */
	for (size_t i = 0; i <= STORE_JOBS_MAX; i++) {
		jobs[i].kind = STORE_STATUS;
		jobs[i].status = &status;
		enum code code = store_thread_submit(thread, &jobs[i], &err);
		CHECK(code == OK || code == E_BUSY);
		taken += code == OK;
	}
	while (back < taken) {
		CHECK(next_job()->code == OK);
		back++;
	}
	CHECK(store_thread_next(thread) == NULL && taken >= STORE_JOBS_MAX);
}

TEST(a_copy_is_made_beside_the_commits)
{
	struct store_job *copy = job_new(STORE_COPY), *again = job_new(STORE_COPY);
	char path[100];
	bool done = false;

	snprintf(path, sizeof path, "%s/copy.db", stage.path);
	for (unsigned i = 0; i < 20; i++) {
		char zone[32];
		snprintf(zone, sizeof zone, "zone%u.example.", i);
		add(zone);
		put(zone, zone_make(&stage, zone, 1, 1, 3000), 1);
	}
	copy->path = again->path = path;
	submit(copy);
	for (unsigned i = 0; !done; i++) {
		struct store_job *job = commit_job();
		char zone[32];
		snprintf(zone, sizeof zone, "more%u.example.", i);
		CHECK(batch_add_zone(job->batch, key_of(zone), &entry_config, &err) == OK);
		submit(job);
		for (struct store_job *back = NULL; back != job;) {
			back = next_job();
			CHECK(back->code == OK);
			done = done || back == copy;
		}
		batch_free(job->batch);
	}
	CHECK(do_job(again) == E_EXISTS);
	CHECK(access(path, R_OK) == 0);
}

TEST(what_was_submitted_before_the_end_is_done)
{
	struct records *set = zone_make(&stage, "zone0.example.", 1, 1, 30000);
	struct store_job *upkeep = job_new(STORE_UPKEEP);
	size_t count = 0;

	add("zone0.example.");
	put("zone0.example.", set, 1);
	submit(upkeep);
	for (int i = 1; i <= 50; i++) {
		struct store_job *job = commit_job();
		char zone[32];
		snprintf(zone, sizeof zone, "zone%d.example.", i);
		CHECK(batch_add_zone(job->batch, key_of(zone), &entry_config, &err) == OK);
		submit(job);
	}
	store_thread_stop(thread);
	for (struct store_job *job; (job = store_thread_next(thread)); count++) {
		CHECK(job->code == OK);
		if (job != upkeep) batch_free(job->batch);
	}
	CHECK(count == 51);
}

#define THREAD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		THREAD_TEST(a_zone_goes_in_and_comes_out),
		THREAD_TEST(commits_that_wait_together_share_a_transaction),
		THREAD_TEST(upkeep_folds_what_is_due_while_changes_go_on),
		THREAD_TEST(the_queue_is_bounded),
		THREAD_TEST(a_copy_is_made_beside_the_commits),
		THREAD_TEST(what_was_submitted_before_the_end_is_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
