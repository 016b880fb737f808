/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.h - the store beside an event loop: jobs in, results out, nobody waits.
 *
 * Two threads. The first owns the store: every commit that is waiting when it turns
 * to them shares one transaction. The second, the scribe, does what is long and needs
 * no database: turning octets into records, writing snapshots, proving them. Jobs
 * belong to the caller and must stay where they are until they come back. They come
 * back in the order in which they are done, which is not always that of submission;
 * commits keep theirs.
 */
#ifndef STORE_THREAD_H
#define STORE_THREAD_H

#include "store/store.h"

enum {
	STORE_JOBS_MAX = 4096,  /* under way at a time */
	COMMIT_GROUP_MAX = 256, /* batches in one transaction */
};

enum store_job_kind {
	/* `batch`, which stays the caller's. With `records`, which stay as they are until it is
	 * done, a draft of them for zone `key` is made first, for the batch's snapshot. */
	STORE_COMMIT,
	/* Zone `key`, into `zone`, `files`, `set` and `version` in `arena`. Of a zone without a
	 * version (E_NOT_FOUND) or a damaged one (E_DAMAGED), `zone` and `files` are filled all the
	 * same: its head tells seq and serial that the next version must be above. zone.key.view is
	 * NULL when there is no such zone. */
	STORE_LOAD,
	STORE_FILES,   /* of zone `key`, into `files` in `arena` */
	STORE_CHANGES, /* of zone `key` from serial `from`, into `changes` in `arena` */
	/* A checkpoint, and one zone folded. For quiet moments; `more`: there is more to do. */
	STORE_UPKEEP,
	STORE_RECOVER, /* after a job came back with `writable` false; fills `recovery` */
	STORE_COPY,    /* to `path`; commits go on meanwhile */
	STORE_STATUS,  /* fills `status` */
};

struct store_job {
	enum store_job_kind kind;
	void *context; /* the caller's */

	struct zone_key key;
	struct batch *batch;
	const struct records *records;
	const struct zone_digest *digest; /* of `records` */
	struct arena *arena;              /* nobody else uses it until the job is back */
	uint32_t from;
	uint64_t octets_max;
	const char *path;

	/* results; E_IO while the store waits for STORE_RECOVER */
	enum code code;
	struct error err;
	bool writable; /* the store takes changes */
	struct stored_zone zone;
	struct zone_file *files;
	size_t file_count;
	struct records set;
	struct stored_version version;
	struct change *changes;
	size_t change_count;
	enum recovery recovery;
	bool more;
	struct store_status *status; /* given by the caller */

	struct fetched *fetched; /* the threads' own */
	struct store_job *next;
};

struct store_thread;

/*
 * Starts both threads; to be called before the process closes its walls. On success
 * the store belongs to them.
 */
enum code store_thread_start(struct store *store, struct store_thread **out,
			     struct error *err) must_use;

/* For drafts, which any thread may make. */
const struct store *store_thread_store(const struct store_thread *thread);

/* Readable when store_thread_next has something. */
int store_thread_fd(const struct store_thread *thread);

/* E_BUSY: too many jobs are under way; the job was not taken. */
enum code store_thread_submit(struct store_thread *thread, struct store_job *job,
			      struct error *err) must_use;

/* A job that is done; NULL when there is none. */
struct store_job *store_thread_next(struct store_thread *thread);

/*
 * Waits until every job is done and both threads have ended; a copy under way is
 * given up. Nothing may be submitted any more; results still wait.
 */
void store_thread_stop(struct store_thread *thread);

/* Accepts NULL. After store_thread_stop; closes the store. */
void store_thread_free(struct store_thread *thread);

#endif
