/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - what the files of this folder know of a store; nobody else includes it. */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include "store/database.h"
#include "store/store.h"

/* What was written was within the limits of its day; this only stops a length gone mad. */
#define DECODE_OCTETS_MAX ((size_t)1 << 36)

/* Names of snapshot files: one list, grown in an arena. */
struct file_names {
	struct arena *arena;
	const char **list;
	size_t count;
	size_t capacity;
};

struct store {
	struct folder *folder;
	struct folder *snapshots; /* never changes while the store is open: read by other threads */
	size_t row_max;           /* nor does this: octets of a snapshot that a row holds */
	struct database *db;      /* NULL after it could not be opened again */
	struct crypto *crypto;
	char *database_path;
	char *vfs;
	uint64_t id;
	uint64_t commit_count; /* the last one that was acknowledged, or found at the start */
	struct copy *copy;
	struct file_names uncertain; /* files that a failed commit may have named after all */
	bool writable;
	char reason[ERROR_TEXT_MAX];
};

/* A row of `zones` with its head and timers. */
struct zone_row {
	uint64_t id;
	uint64_t snapshot_octets, tail_count, tail_octets;
	struct stored_zone zone; /* spans and texts as the statement lends them */
};

enum code names_add(struct file_names *names, const char *name, struct error *err);

/* Notes that the disk failed, so that nothing more is taken; returns the code. */
enum code store_fail(struct store *store, enum code code, const struct error *err);

/* Calls store_fail when `code` came from a database that failed; returns the code. */
enum code store_note(struct store *store, enum code code, const struct error *err);

/* E_IO, with the reason, while the store waits for store_recover. */
enum code store_ready(const struct store *store, struct error *err);

/* The row of a statement that selects ZONE_COLUMNS. E_DAMAGED when a value cannot be. */
enum code zone_row_read(struct statement *s, struct zone_row *row, struct error *err);

/*
 * The zone's row. What its texts point to is gone when this returns: for numbers
 * only. E_NOT_FOUND names the zone.
 */
enum code zone_find(struct store *store, struct zone_key key, struct zone_row *row,
		    struct error *err);

enum code zone_copy(const struct stored_zone *from, struct arena *arena, struct stored_zone *to,
		    struct error *err);

/* The three values that every statement about a version has in common. */
void bind_digest(struct statement *s, const struct zone_digest *digest);
bool column_digest(struct statement *s, struct zone_digest *digest);

/* source, author, reason, time */
void bind_origin(struct statement *s, enum change_source source, const char *author,
		 const char *reason, uint64_t time_unix_s);

/* XXH3 over everything that a change is, its body last. */
uint64_t change_checksum(const struct change *change, uint64_t seq);

/* digest - removed + added, which is change->digest_after for a change that is whole. */
enum code digest_follow(struct zone_digest *digest, const struct change *change,
			struct crypto *crypto, struct error *err);

/* One change that has the effect of all `count` in their order; lies in `arena`. */
enum code changes_combine(const struct change *changes, size_t count, struct arena *arena,
			  struct change *out, struct error *err);

/* What a draft is once all of it is there. */
struct sealed {
	enum draft_format format;
	uint64_t len;
	uint64_t checksum;
	const char *file; /* NULL: `octets` are all of it */
	struct span octets;
	bool has_digest; /* known when it was made of sorted records */
	struct zone_digest digest;
};

/* Writes what is left and syncs the file; not the folder. The draft takes no more. */
enum code draft_seal(struct draft *draft, struct sealed *out, struct error *err);

/* Its row may be there: its file stays when the draft is freed. */
void draft_keep(struct draft *draft);

/* Reads a draft of text back: does it give this digest? E_DAMAGED when not. */
enum code draft_verify(struct draft *draft, struct name zone, const struct zone_digest *digest,
		       struct crypto *crypto, struct error *err);

/* Parses zone text into a set that is not sorted yet; copies. `name` is for sentences. */
enum code text_read(struct name zone, const char *name, struct span text, struct records *set,
		    struct error *err);

/* The zone's name for sentences, cut short when it is very long. */
enum { ZONE_LABEL_MAX = 128 };
const char *zone_label(struct name name, char text[static ZONE_LABEL_MAX]);

#endif
