/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - the truth: which zones there are, and every version that became durable.
 *
 * The state folder holds lockstep.db (SQLite, WAL, one connection) and snapshots/,
 * files that a row of the database names. What a commit reported as done survives
 * any crash and power cut. A version becomes durable as a change or as a snapshot:
 *
 *   change    removed and added records in wire form, with checksum and digest;
 *   snapshot  the whole content: up to SNAPSHOT_ROW_MAX octets in a row, else in a
 *             file with a name never used before, synced, its folder synced, then
 *             its row. It comes as records in wire form or as plain zone text that
 *             any DNS server loads; text follows large wire forms in the background
 *             (store_fold).
 *
 * Writes come in batches that are committed together. Everything read is verified:
 * checksums, the chain of serials and the chain of digests.
 *
 * A struct store is used by one thread at a time: its own, once store_thread_start
 * (thread.h) has it. Drafts and batches are made anywhere.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/instant.h"
#include "crypto/crypto.h"
#include "host/file.h"
#include "zone/change.h"

#define VIEW_DEFAULT "default"

enum {
	SNAPSHOT_ROW_MAX = 1 << 20,
	VIEW_TEXT_MAX = 64,
	STORE_BATCH_OPERATIONS_MAX = 4096,
	STORE_BATCH_OCTETS_MAX = 64 << 20,
	ZONE_FILES_MAX = 1024,  /* a zone file and its includes */
	LOG_LEN_DUE = 16 << 20, /* octets of write-ahead log that want a checkpoint */

	/* Changes that stay behind a new snapshot, for IXFR. */
	KEPT_CHANGES_MAX = 64,
	KEPT_CHANGE_OCTETS_MAX = 1 << 20,

	/* A zone is folded when its changes since the snapshot are more than these. */
	FOLD_CHANGES_MAX = 1000,
	FOLD_OCTETS_MAX = 16 << 20,
};

struct store;

/* A zone's identity. `name` in any case; kept and compared in lower case. */
struct zone_key {
	const char *view;
	struct name name;
};

enum zone_owner {
	OWNER_CONFIG,  /* `origin`: file and line */
	OWNER_ADDED,   /* by a command: who */
	OWNER_CATALOG, /* which */
};

/* Which zone, and whose it is. */
struct zone_entry {
	enum zone_owner owner;
	const char *origin; /* for people: "lockstep.yaml:12" */
	uint32_t role;      /* the caller's numbers, kept as they come */
	uint32_t flags;
};

/* A version and where it came from. */
struct stored_version {
	uint64_t seq; /* counts the versions of this zone from 1 */
	uint32_t serial;
	struct zone_digest digest;
	enum change_source source;
	const char *author;
	const char *reason;
	uint64_t time_unix_s;
};

/* When a primary last confirmed a secondary's copy, and the SOA's intervals in force. */
struct zone_timers {
	uint64_t confirmed_unix_s;
	instant_ns confirmed_at; /* on the monotonic clock of the boot `boot` */
	uint8_t boot[16];
	uint32_t refresh_s, retry_s, expire_s;
	uint32_t failure_count;
};

/* One of the files that a zone was loaded from. */
struct zone_file {
	const char *path;
	struct file_identity identity;
	uint64_t checksum; /* octets_checksum of its content */
};

/* A zone as it stands. Borrowed from the store for as long as each function says. */
struct stored_zone {
	struct zone_key key;
	struct zone_entry entry;
	bool has_version;
	struct stored_version head;
	bool has_file_serial;
	uint32_t file_serial; /* of the SOA in the zone file as it was loaded last */
	bool has_timers;
	struct zone_timers timers;
	bool fold_due;
};

/* ---- opening ---- */

struct store_options {
	const char *path;  /* the state folder */
	const char *vfs;   /* of SQLite, for tests; NULL: the system's */
	file_fault *fault; /* of the files, for tests; NULL: none */
	void *fault_context;
	bool create_anew; /* make an empty store even if the folder holds other things */
	size_t row_max;   /* what a row holds of a snapshot, for tests; 0: SNAPSHOT_ROW_MAX */
};

/*
 * Locks the state folder, opens the store and removes snapshot files that no row
 * names. A folder that is empty gets a new store; one that is not, but lacks
 * lockstep.db, does not: its zones may be elsewhere. `crypto` is borrowed.
 *
 * E_BUSY         another server has the folder (its process id is told).
 * E_NOT_FOUND    no such folder, or no store in a folder that is not empty.
 * E_UNSUPPORTED  the store's format is newer, or it is another program's.
 * E_DAMAGED      SQLite cannot read it.
 */
enum code store_open(const struct store_options *options, struct crypto *crypto, struct store **out,
		     struct error *err) must_use;

/* Accepts NULL. Brings the write-ahead log in, then gives up the lock. */
void store_close(struct store *store);

/* ---- state ---- */

struct store_status {
	bool writable;
	char reason[ERROR_TEXT_MAX]; /* why not */
	uint64_t commit_count;       /* transactions since the store was made */
	uint64_t log_octets;
	uint64_t free_octets; /* on the state folder's file system; 0: unknown */
};

void store_status(const struct store *store, struct store_status *out);
bool store_is_writable(const struct store *store);

enum recovery {
	RECOVERED_SAME,   /* the store holds what was acknowledged, and nothing else */
	RECOVERED_AHEAD,  /* also the commit that failed: publish the heads that are newer */
	RECOVERED_BEHIND, /* the disk lost acknowledged commits: store what is served again */
};

/*
 * After an I/O error the store takes no changes and reads nothing. This closes it,
 * drops the kernel's cached pages, opens it again, sees what it holds, and proves
 * with a write that it holds more; then it is writable. OK at once when it is already.
 * On any error it stays as it was: try again later, with a pause that grows. Unless
 * RECOVERED_SAME, the caller compares every zone's head with what is served.
 */
enum code store_recover(struct store *store, enum recovery *outcome, struct error *err) must_use;

/* ---- drafts: snapshots on their way ---- */

enum draft_format {
	DRAFT_RECORDS, /* in uncompressed wire form, one behind the other, any order */
	DRAFT_TEXT,    /* a zone file */
};

struct draft;

/*
 * An empty draft; small ones stay in memory, larger ones become a new file at once.
 * May be called from any thread while the store is open; so may all of draft_*, for
 * one draft by one thread at a time. `zone` is for the file's name.
 */
enum code draft_new(const struct store *store, struct name zone, enum draft_format format,
		    struct draft **out, struct error *err) must_use;

/* E_IO: the disk refuses; free the draft. */
enum code draft_append(struct draft *draft, struct span octets, struct error *err) must_use;

/* The same for every record of a set, in the draft's format. */
enum code draft_append_records(struct draft *draft, const struct records *set,
			       struct error *err) must_use;

uint64_t draft_len(const struct draft *draft);

/* Accepts NULL. Removes the file of a draft that was not committed. */
void draft_free(struct draft *draft);

/*
 * A draft of a whole zone, in the form that suits its size: text that was read back
 * and found to have the set's `digest` when it fits a row, else wire form, which becomes
 * text later.
 */
enum code draft_of_records(const struct store *store, struct name zone, const struct records *set,
			   const struct zone_digest *digest, struct crypto *crypto,
			   struct draft **out, struct error *err) must_use;

/* ---- batches: what is to be durable together ---- */

struct batch;

enum code batch_new(struct batch **out, struct error *err) must_use;

/* Accepts NULL. Frees the drafts that came to nothing. */
void batch_free(struct batch *batch);

/*
 * Operations, carried out in order. Keys, texts and identities are copied; spans of
 * a change are borrowed until the batch is freed. E_LIMIT: the batch is full.
 */

/* Fails with E_EXISTS, naming the owner, when the zone is there. */
enum code batch_add_zone(struct batch *batch, struct zone_key key, const struct zone_entry *entry,
			 struct error *err) must_use;

/* Adds the zone, or sets its entry when it has this owner already; E_EXISTS when it has another. */
enum code batch_claim_zone(struct batch *batch, struct zone_key key, const struct zone_entry *entry,
			   struct error *err) must_use;

/* Fails with E_NOT_FOUND when the zone is not there; so do all that follow. */
enum code batch_set_zone(struct batch *batch, struct zone_key key, const struct zone_entry *entry,
			 struct error *err) must_use;

/* The zone with all its versions. */
enum code batch_remove_zone(struct batch *batch, struct zone_key key, struct error *err) must_use;

/*
 * Version `seq` as a change to version `seq` - 1, which must be the head with serial
 * change->from_serial; the digest must follow from the head's. Else E_CONFLICT. That
 * what it removes was there and what it adds was not is the caller's to know.
 * E_LIMIT above CHANGE_OCTETS_MAX.
 */
enum code batch_put_change(struct batch *batch, struct zone_key key, uint64_t seq,
			   const struct change *change, struct error *err) must_use;

/*
 * A version as a whole. Its seq must be above the head's, and the digest that of the
 * draft's content where draft_of_records made it (E_CONFLICT). The draft is the
 * batch's from now on, also when this fails; NULL: it is still to be made, and
 * batch_give_draft brings it before the commit. Older versions are dropped.
 */
enum code batch_put_snapshot(struct batch *batch, struct zone_key key,
			     const struct stored_version *version, struct draft *draft,
			     struct error *err) must_use;

/* The draft of the snapshot that has none yet; the batch's from now on. */
void batch_give_draft(struct batch *batch, struct draft *draft);

enum code batch_put_timers(struct batch *batch, struct zone_key key,
			   const struct zone_timers *timers, struct error *err) must_use;

/* Replaces what is known of the zone's files. `serial` is the zone file's own. */
enum code batch_put_files(struct batch *batch, struct zone_key key, uint32_t serial,
			  const struct zone_file *files, size_t count, struct error *err) must_use;

/* How it went; `err` may be NULL. */
enum code batch_outcome(const struct batch *batch, struct error *err);

/*
 * Commits batches in one transaction, each with an outcome of its own: one that
 * conflicts is left out as a whole, the others go on. When the transaction fails,
 * all of them fail with E_IO, and the store takes no more changes (store_recover).
 * When this returns, what went well is on the disk.
 */
void store_commit(struct store *store, struct batch *const *batches, size_t count);

/* ---- reading ---- */

/* Calls `visit` for each zone until it returns another code than OK; borrowed for the call. */
enum code store_each_zone(struct store *store,
			  enum code (*visit)(void *context, const struct stored_zone *zone,
					     struct error *err),
			  void *context, struct error *err) must_use;

/* One zone; what it points to lies in `arena`. E_NOT_FOUND. */
enum code store_zone(struct store *store, struct zone_key key, struct arena *arena,
		     struct stored_zone *out, struct error *err) must_use;

/* The files that the zone was loaded from, in `arena`. E_NOT_FOUND: no such zone. */
enum code store_zone_files(struct store *store, struct zone_key key, struct arena *arena,
			   struct zone_file **files, size_t *count, struct error *err) must_use;

/* What a load needs from the disk: rows, and the snapshot file, open. */
struct fetched;

/*
 * Fetches the newest version. Quick; the work is in fetched_decode, which any
 * thread may do. E_NOT_FOUND: no such zone, or it has no version. E_DAMAGED names
 * what does not match, and what to do.
 */
enum code store_fetch(struct store *store, struct zone_key key, struct fetched **out,
		      struct error *err) must_use;

/*
 * Turns it into a sorted set in `arena`, verified to the digest. `version` (may be
 * NULL) borrows from `fetched`. The set does not.
 */
enum code fetched_decode(const struct fetched *fetched, struct crypto *crypto, struct arena *arena,
			 struct records *set, struct stored_version *version,
			 struct error *err) must_use;
void fetched_free(struct fetched *fetched);

/* Both at once; `version` lies in `arena`. */
enum code store_load(struct store *store, struct zone_key key, struct arena *arena,
		     struct records *set, struct stored_version *version,
		     struct error *err) must_use;

/*
 * The changes that lead from serial `from` to the head, oldest first, in `arena`,
 * verified. E_NOT_FOUND: the store does not go back that far. E_LIMIT: they are
 * more than `octets_max`.
 */
enum code store_changes(struct store *store, struct zone_key key, uint32_t from,
			uint64_t octets_max, struct arena *arena, struct change **changes,
			size_t *count, struct error *err) must_use;

/* ---- upkeep ---- */

/* Moves the write-ahead log into the database when it has at least `log_len_min` octets. */
enum code store_checkpoint(struct store *store, uint64_t log_len_min, struct error *err) must_use;

/*
 * Folding gives a zone a new snapshot in text and drops what that replaces: wire
 * forms, and changes that grew larger than the zone. In three steps, so that the
 * long one may run elsewhere: find and fetch a zone that is due after `*after` (the
 * id of the last; 0 to begin), make the draft, commit. E_NOT_FOUND: none is due.
 */
enum code store_fold_find(struct store *store, uint64_t *after, struct fetched **out,
			  struct error *err) must_use;
enum code fold_draft(const struct store *store, const struct fetched *fetched,
		     struct crypto *crypto, struct draft **out, struct error *err) must_use;

/* Owns the draft, which may be NULL when it could not be made: then the zone stays as it is. */
enum code batch_fold(struct batch *batch, const struct fetched *fetched, struct draft *draft,
		     struct error *err) must_use;

/* Whose it is; borrowed. */
struct zone_key fetched_key(const struct fetched *fetched);

/* A copy of the database for looking inside, in pieces. `path` must not exist (E_EXISTS). */
enum code store_copy_begin(struct store *store, const char *path, struct error *err) must_use;
enum code store_copy_step(struct store *store, bool *done, struct error *err) must_use;

/* Gives up a copy that is not done; it is removed. */
void store_copy_end(struct store *store);

/* XXH3, as it stands in zone_file.checksum. */
uint64_t octets_checksum(struct span octets);

#endif
