/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storing.c - the store's jobs, one after the other for each candidate.
 *
 * A candidate becomes a batch; where it is a snapshot, the store's second thread writes
 * its draft first. Batches of many zones share one commit. A zone that is gone
 * lives on until its last job is done.
 */
#include "server/keeper/storing.h"

#include "host/clock.h"
#include "host/machine.h"

#include <stdio.h>
#include <stdlib.h>

enum { RESTORES_MAX = 64, RECOVERY_WAIT_MAX_SHIFT = 6 };

#define RECOVERY_WAIT_MIN  (1 * NS_PER_S)
#define UPKEEP_QUIET       (1 * NS_PER_S)
#define RESTORE_OCTETS_MAX ZONE_WORK_OCTETS_MAX

/* What the job is to its zone. */
enum purpose {
	FOR_RESTORE,
	FOR_IMAGE, /* the head's, again */
	FOR_FILES,
	FOR_CANDIDATE,
	FOR_TIMERS,
	FOR_UPKEEP,
	FOR_RECOVERY,
	FOR_COPY,
};

struct job {
	struct store_job store;
	enum purpose purpose;
	struct zone *zone;       /* lives until the job is done; NULL: it is for no zone */
	struct name_buffer name; /* of the zone: the policy may be gone before the job is done */
	struct arena *arena;     /* of a restore: handed to the zone */
	struct client *client;
	char *path; /* of a copy; malloc'ed */
};

static struct zone_key zone_key_of(const struct zone *zone)
{
	return (struct zone_key){VIEW_DEFAULT, zone->machine.policy->name};
}

static struct job *job_new(struct zone *zone, enum purpose purpose, enum store_job_kind kind)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job) return NULL;
	job->purpose = purpose;
	job->store.kind = kind;
	job->store.context = job;
	if (!zone) return job;
	job->zone = zone;
	name_copy(&job->name, zone->machine.policy->name);
	job->store.key = (struct zone_key){VIEW_DEFAULT, name_of(&job->name)};
	return job;
}

static void job_free(struct job *job)
{
	if (!job) return;
	batch_free(job->store.batch);
	arena_free(job->arena);
	free(job->path);
	free(job);
}

/* `zone` (NULL: none) lends its memory to the job until it is back. */
static enum code submit(struct keeper *k, struct zone *zone, struct job *job, struct error *err)
{
	enum code code = store_thread_submit(k->store.thread, &job->store, err);

	if (code)
		job_free(job);
	else if (zone)
		zone->stored.job_count++;
	return code;
}

static void candidate_failed(struct zone *zone, const struct error *err)
{
	struct keeper_event event = {.kind = KEEPER_STORE_FAILED, .problem = err->text};

	zone_feed(zone, &event);
}

/* --- commits --- */

/* The first commit since the start brings along whose zone it is. */
static enum code put_entry(struct zone *zone, struct batch *batch, struct error *err)
{
	const struct zone_policy *policy = zone->machine.policy;
	char origin[PATH_TEXT_MAX];
	struct zone_entry entry = {
		.owner = OWNER_CONFIG, .origin = origin, .role = (uint32_t)policy->role};

	if (zone->stored.entry_is_known) return OK;
	snprintf(origin, sizeof origin, "%s:%u", policy->origin.file, policy->origin.line);
	return batch_claim_zone(batch, zone_key_of(zone), &entry, err);
}

static struct zone_timers timers_of(const struct zone *zone)
{
	const struct secondary *secondary = &zone->machine.secondary;
	instant_ns age = clock_now() - secondary->confirmed_at;
	struct zone_timers timers = {
		.confirmed_unix_s = clock_unix_s() - (uint64_t)(age / NS_PER_S),
		.confirmed_at = secondary->confirmed_at,
		.refresh_s = (uint32_t)(secondary->intervals.refresh_ns / NS_PER_S),
		.retry_s = (uint32_t)(secondary->intervals.retry_ns / NS_PER_S),
		.expire_s = (uint32_t)(secondary->intervals.expire_ns / NS_PER_S),
		.failure_count = secondary->failure_count,
	};

	memcpy(timers.boot, zone->keeper->boot, sizeof timers.boot);
	return timers;
}

static enum code put_files(struct zone *zone, struct batch *batch, struct error *err)
{
	struct zone_file files[ZONE_FILES_MAX];
	size_t count = zone->files.count;

	/* More than that are read again at the next start. */
	if (zone->machine.candidate.change.source != CHANGE_FROM_FILE || count > ZONE_FILES_MAX)
		return OK;
	for (size_t i = 0; i < count; i++)
		files[i] =
			(struct zone_file){zone->files.list[i].path, zone->files.list[i].identity,
					   zone->files.list[i].checksum};
	return batch_put_files(batch, zone_key_of(zone), zone->files.serial, files, count, err);
}

static enum code put_candidate(struct zone *zone, struct batch *batch, struct error *err)
{
	const struct keeper_candidate *candidate = &zone->machine.candidate;
	struct stored_version version = {
		.seq = zone->stored.seq + 1,
		.serial = candidate->serial,
		.digest = candidate->digest,
		.source = candidate->change.source,
		.author = candidate->author,
		.reason = "",
		.time_unix_s = candidate->change.time_unix_s,
	};

	if (!candidate->as_snapshot)
		return batch_put_change(batch, zone_key_of(zone), version.seq, &candidate->change,
					err);
	return batch_put_snapshot(batch, zone_key_of(zone), &version, NULL, err);
}

void zone_store(struct zone *zone)
{
	struct keeper *k = zone->keeper;
	struct job *job = NULL;
	struct error err = {0};
	enum code code;

	if (k->store.problem[0]) {
		code = error_set(&err, E_IO, "%s", k->store.problem);
		goto out;
	}
	job = job_new(zone, FOR_CANDIDATE, STORE_COMMIT);
	code = job ? batch_new(&job->store.batch, &err)
		   : error_set(&err, E_NOMEM, "no memory to store a change");
	if (!code) code = put_entry(zone, job->store.batch, &err);
	if (!code) code = put_candidate(zone, job->store.batch, &err);
	if (!code) code = put_files(zone, job->store.batch, &err);
	if (code) goto out;
	if (zone->machine.candidate.as_snapshot) {
		job->store.records = zone->records;
		job->store.digest = &zone->machine.candidate.digest;
	}
	code = submit(k, zone, job, &err);
	job = NULL;
out:
	job_free(job);
	if (code) candidate_failed(zone, &err);
}

void zone_store_timers(struct zone *zone)
{
	struct job *job = job_new(zone, FOR_TIMERS, STORE_COMMIT);
	struct zone_timers timers = timers_of(zone);

	/* Losing them costs a SOA question after a restart: nobody is told. */
	if (!job || zone->keeper->store.problem[0] || batch_new(&job->store.batch, NULL) ||
	    batch_put_timers(job->store.batch, zone_key_of(zone), &timers, NULL))
		job_free(job);
	else if (submit(zone->keeper, zone, job, NULL))
		return;
}

/* --- restoring --- */

/*
 * A version is committed before its timers: where a crash came between, it counts from when
 * it was received; a zone that was ours, from now.
 */
instant_ns confirmed_at(const struct keeper *k, const struct stored_zone *zone)
{
	const struct zone_timers *timers = &zone->timers;
	uint64_t now = clock_unix_s();
	uint64_t then = zone->has_timers ? timers->confirmed_unix_s : 0;
	bool newer = zone->head.source == CHANGE_FROM_TRANSFER && zone->head.time_unix_s > then;

	if (newer) then = zone->head.time_unix_s;
	if (!then || then > now) then = now;
	uint64_t age = now - then;
	if (!newer && zone->has_timers && memcmp(timers->boot, k->boot, sizeof k->boot) == 0)
		return timers->confirmed_at;
	if (age > INT64_MAX / (uint64_t)NS_PER_S / 2) age = INT64_MAX / (uint64_t)NS_PER_S / 2;
	return clock_now() - (duration_ns)age * NS_PER_S;
}

/* A zone file that is still the one which was loaded need not be read. */
static void files_restore(struct zone *zone, const struct store_job *store)
{
	zone_files_clear(&zone->files);
	for (size_t i = 0; i < store->file_count; i++)
		if (!zone_files_add(&zone->files, store->files[i].path, &store->files[i].identity,
				    store->files[i].checksum)) {
			zone_files_clear(&zone->files);
			return;
		}
}

void zone_start_empty(struct zone *zone)
{
	struct keeper_event event = {.kind = KEEPER_START};

	zone->stored.files_are_known = true; /* there are none */
	zone_feed(zone, &event);
	zone_publish_nothing(zone);
}

static void restored(struct zone *zone, struct job *job)
{
	struct keeper_event event = {.kind = KEEPER_START};
	struct store_job *store = &job->store;

	arena_free(zone->work);
	zone->work = job->arena;
	job->arena = NULL;
	zone->records = arena_alloc(zone->work, sizeof *zone->records);
	if (!zone->records) process_fail(zone->keeper->process, "no memory to restore zones");
	*zone->records = store->set;
	zone->stored.files_are_known = true;
	if (store->zone.has_version) {
		/* Also of a version that is damaged: the next one comes after it. */
		zone->stored.seq = store->zone.head.seq;
		event.serial = store->zone.head.serial;
		event.has_serial = true;
	}
	if (store->code == OK) {
		files_restore(zone, store);
		event.records = zone->records;
		event.digest = store->version.digest;
		event.time_unix_s = store->version.time_unix_s;
		event.source = store->version.source;
		event.author = store->version.author;
		event.confirmed_at = confirmed_at(zone->keeper, &store->zone);
	} else if (store->code != E_NOT_FOUND) {
		LOG(EVENT_ZONE_DAMAGED, log_text("zone", zone->machine.policy->label),
		    log_error(&store->err));
		zone_problem_note(zone, store->err.text);
	}
	zone_feed(zone, &event);
	if (!zone->machine.head.exists) zone_publish_nothing(zone);
	if (zone->machine.stage == KEEPER_IDLE) zone_work_end(zone);
}

/* A job that fills an arena of its own. */
static enum code load_begin(struct zone *zone, enum purpose purpose, enum store_job_kind kind)
{
	struct job *job = job_new(zone, purpose, kind);

	if (!job) return E_NOMEM;
	job->arena = arena_new(RESTORE_OCTETS_MAX);
	job->store.arena = job->arena;
	if (!job->arena) {
		job_free(job);
		return E_NOMEM;
	}
	return submit(zone->keeper, zone, job, NULL);
}

void keeper_restore(struct keeper *k)
{
	for (; k->restore.from < k->zone_count && k->restore.under_way < RESTORES_MAX;
	     k->restore.from++) {
		struct zone *zone = k->zones[k->restore.from];
		if (!zone->stored.restore_due) continue;
		if (load_begin(zone, FOR_RESTORE, STORE_LOAD))
			process_fail(k->process, "no memory to restore zones");
		zone->stored.restore_due = false;
		k->restore.under_way++;
	}
	if (!k->restore.under_way && k->restore.from == k->zone_count && k->front)
		front_continue(k);
}

/* --- which files were loaded --- */

static void files_go_on(struct keeper *k)
{
	struct keeper_restore *restore = &k->restore;

	while (restore->files && restore->files_under_way < RESTORES_MAX) {
		struct zone *zone = restore->files;
		restore->files = zone->stored.next;
		if (load_begin(zone, FOR_FILES, STORE_FILES))
			process_fail(k->process, "no memory to look at zone files");
		restore->files_under_way++;
	}
}

void zone_look_at_file(struct zone *zone)
{
	struct keeper_restore *restore = &zone->keeper->restore;

	if (zone->stored.files_are_known) {
		zone_read_file(zone);
		return;
	}
	zone->stored.next = NULL;
	*(restore->files ? &restore->files_last->stored.next : &restore->files) = zone;
	restore->files_last = zone;
	files_go_on(zone->keeper);
}

static void files_found(struct zone *zone, const struct store_job *store)
{
	zone->stored.files_are_known = true;
	if (store->code == OK) files_restore(zone, store);
	zone_read_file(zone);
}

void zone_storing_leave(struct zone *zone)
{
	struct keeper_restore *restore = &zone->keeper->restore;
	struct zone **link = &restore->files, *previous = NULL;

	while (*link && *link != zone) {
		previous = *link;
		link = &previous->stored.next;
	}
	if (!*link) return;
	*link = zone->stored.next;
	if (restore->files_last == zone) restore->files_last = previous;
}

/* --- an image again --- */

void zone_restore_image(struct zone *zone)
{
	if (zone->stored.image_is_damaged) return;
	if (load_begin(zone, FOR_IMAGE, STORE_LOAD))
		process_fail(zone->keeper->process, "no memory to build an image");
	zone->stored.image_is_damaged = true;
}

/* Of another version the image is a new one in any case. */
static void image_restored(struct zone *zone, struct job *job)
{
	const struct store_job *store = &job->store;
	struct error err = store->err;
	enum code code = store->code;

	zone->stored.image_is_damaged = false;
	if (!code && (store->zone.head.seq != zone->stored.seq || !zone->machine.head.exists))
		return;
	if (!code) code = zone_rebuild(zone, &store->set, job->arena, &err);
	if (code)
		LOG(EVENT_ZONE_DAMAGED, log_text("zone", zone->machine.policy->label),
		    log_error(&err));
}

/* --- what comes back --- */

static void recovery_try(void *context, instant_ns now)
{
	struct keeper *k = context;
	struct job *job = job_new(NULL, FOR_RECOVERY, STORE_RECOVER);

	(void)now;
	if (!job || submit(k, NULL, job, NULL))
		timer_set_after(k->loop, &k->store.recovery_timer, NS_PER_S);
}

static void store_failed(struct keeper *k, const struct error *err)
{
	if (k->store.problem[0]) return;
	snprintf(k->store.problem, sizeof k->store.problem, "%s", err->text);
	LOG(EVENT_STORE_FAILED, log_error(err));
	k->store.recovery_count = 0;
	k->store.recovery_timer = (struct timer){.due = recovery_try, .context = k};
	timer_set_after(k->loop, &k->store.recovery_timer, RECOVERY_WAIT_MIN);
}

/* Zones whose candidate was refused by the disk look again: their files, their primaries. */
static void recovered(struct keeper *k, const struct store_job *job)
{
	if (job->code || !job->writable) {
		unsigned shift = k->store.recovery_count < RECOVERY_WAIT_MAX_SHIFT
					 ? k->store.recovery_count
					 : RECOVERY_WAIT_MAX_SHIFT;
		k->store.recovery_count++;
		timer_set_after(k->loop, &k->store.recovery_timer, RECOVERY_WAIT_MIN << shift);
		return;
	}
	k->store.problem[0] = '\0';
	LOG(EVENT_STORE_RECOVERED, log_uint("tries", k->store.recovery_count + 1));
	/* What it holds now is not what is served: a new keeper begins with what it holds. */
	if (job->recovery != RECOVERED_SAME)
		process_fail(k->process, "the store came back with other versions than are served");
	for (size_t i = 0; i < k->zone_count; i++) {
		struct keeper_event reload = {.kind = KEEPER_RELOAD},
				    ask = {.kind = KEEPER_REFRESH};
		zone_feed(k->zones[i], &reload);
		zone_feed(k->zones[i], &ask);
	}
}

static void committed(struct zone *zone, struct job *job)
{
	struct keeper_event event = {.kind = KEEPER_STORED};
	struct error err = job->store.err;
	enum code code = job->store.code;

	if (!code) code = batch_outcome(job->store.batch, &err);
	if (code) {
		candidate_failed(zone, &err);
		return;
	}
	zone->stored.seq++;
	zone->stored.entry_is_known = true;
	zone_feed(zone, &event);
}

static void copied(struct job *job)
{
	struct client *client = job->client;

	if (!client) return;
	client->copying = NULL;
	if (job->store.code) {
		reply_error(client, job->store.code, "%s", job->store.err.text);
		return;
	}
	struct json *j = reply_begin(client);
	json_object_begin(j);
	json_key(j, "file");
	json_text(j, job->path);
	json_object_end(j);
	reply_end(client, EXIT_DONE);
}

/* The zone that the job is for, if it is still wanted; one that is not goes with its last job. */
static struct zone *zone_of(const struct job *job)
{
	struct zone *zone = job->zone;

	if (!zone) return NULL;
	zone->stored.job_count--;
	if (!zone->is_gone) return zone;
	zone_let_go(zone);
	return NULL;
}

static void job_done(struct keeper *k, struct job *job)
{
	struct zone *zone = zone_of(job);

	switch (job->purpose) {
	case FOR_RESTORE:
		k->restore.under_way--;
		if (zone) restored(zone, job);
		keeper_restore(k);
		break;
	case FOR_IMAGE:
		if (zone) image_restored(zone, job);
		break;
	case FOR_FILES:
		k->restore.files_under_way--;
		if (zone) files_found(zone, &job->store);
		files_go_on(k);
		break;
	case FOR_CANDIDATE:
		if (zone) committed(zone, job);
		break;
	case FOR_TIMERS: break;
	case FOR_UPKEEP:
		if (job->store.more) timer_set_after(k->loop, &k->store.upkeep_timer, 0);
		break;
	case FOR_RECOVERY: recovered(k, &job->store); break;
	case FOR_COPY: copied(job); break;
	}
	if (job->store.code == E_IO && job->purpose != FOR_COPY) store_failed(k, &job->store.err);
}

static void upkeep(void *context, instant_ns now)
{
	struct keeper *k = context;
	struct job *job = job_new(NULL, FOR_UPKEEP, STORE_UPKEEP);

	(void)now;
	if (job && submit(k, NULL, job, NULL)) return;
}

static void jobs_done(void *context, unsigned events)
{
	struct keeper *k = context;
	struct store_job *done;

	(void)events;
	while ((done = store_thread_next(k->store.thread))) {
		struct job *job = done->context;
		job_done(k, job);
		if (job->purpose == FOR_CANDIDATE)
			timer_set_after(k->loop, &k->store.upkeep_timer, UPKEEP_QUIET);
		job_free(job);
	}
}

void store_copy_begin_for(struct client *client, const char *path)
{
	struct keeper *k = client->keeper;
	struct job *job = job_new(NULL, FOR_COPY, STORE_COPY);
	struct error err = {0};

	if (job) job->path = strdup(path);
	if (!job || !job->path) {
		job_free(job);
		reply_error(client, E_NOMEM, "no memory");
		return;
	}
	job->store.path = job->path;
	job->client = client;
	client->copying = &job->client;
	if (submit(k, NULL, job, &err)) {
		client->copying = NULL;
		reply_error(client, err.code, "%s", err.text);
	}
}

enum code keeper_store_open(struct keeper *k, struct error *err)
{
	struct store_options options = {.path = k->policy->server.state};

	if (!boot_id(k->boot)) memset(k->boot, 0, sizeof k->boot);
	return store_open(&options, k->crypto, &k->store.opened, err);
}

enum code keeper_store_run(struct keeper *k, struct error *err)
{
	enum code code = store_thread_start(k->store.opened, &k->store.thread, err);

	if (code) {
		store_close(k->store.opened);
		return code;
	}
	k->store.upkeep_timer = (struct timer){.due = upkeep, .context = k};
	k->store.watch = (struct watch){.fd = store_thread_fd(k->store.thread),
					.wishes = LOOP_READ,
					.ready = jobs_done,
					.context = k};
	return loop_add(k->loop, &k->store.watch, err);
}

/* Everything that was submitted is done; what became durable is found again by the next start. */
void keeper_store_close(struct keeper *k)
{
	struct store_job *done;

	if (!k->store.thread) return;
	timer_cancel(k->loop, &k->store.upkeep_timer);
	timer_cancel(k->loop, &k->store.recovery_timer);
	loop_remove(k->loop, &k->store.watch);
	store_thread_stop(k->store.thread);
	while ((done = store_thread_next(k->store.thread))) {
		zone_of(done->context);
		job_free(done->context);
	}
	store_thread_free(k->store.thread);
}
