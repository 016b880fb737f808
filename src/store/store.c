/* SPDX-License-Identifier: Apache-2.0 */
#include "store/state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

static const char database_name[] = "lockstep.db";
static const char database_log_name[] = "lockstep.db-wal";
static const char lock_name[] = "lock";
static const char snapshots_name[] = "snapshots";

/* A store's snapshot files end so, behind 16 random digits: a stranger's file is left alone. */
static bool is_snapshot_name(const char *name)
{
	const char *dash = strrchr(name, '-');

	if (!dash || strspn(dash + 1, "0123456789abcdef") != 16) return false;
	return strcmp(dash + 17, ".zone") == 0 || strcmp(dash + 17, ".records") == 0;
}

uint64_t octets_checksum(struct span octets)
{
	return XXH3_64bits(octets.ptr, octets.len);
}

const char *zone_label(struct name name, char text[static ZONE_LABEL_MAX])
{
	char whole[NAME_TEXT_MAX];

	name_to_text(name, whole);
	size_t len = strlen(whole);
	memcpy(text, whole, len < ZONE_LABEL_MAX ? len + 1 : ZONE_LABEL_MAX);
	if (len >= ZONE_LABEL_MAX) memcpy(text + ZONE_LABEL_MAX - 4, "...", 4);
	return text;
}

enum code names_add(struct file_names *names, const char *name, struct error *err)
{
	if (names->count == names->capacity) {
		size_t capacity = names->capacity ? 2 * names->capacity : 8;
		const char **list =
			arena_grow(names->arena, names->list, names->capacity * sizeof *list,
				   capacity * sizeof *list);
		if (!list) return error_set(err, E_NOMEM, "no memory for the names of files");
		names->list = list;
		names->capacity = capacity;
	}
	char *copy = arena_copy_text(names->arena, span_of_text(name));
	if (!copy) return error_set(err, E_NOMEM, "no memory for the names of files");
	names->list[names->count++] = copy;
	return OK;
}

/* ---- opening ---- */

struct folder_content {
	bool has_database, has_snapshots;
	char other[FILE_NAME_MAX + 1]; /* something else; "": nothing */
};

static enum code folder_look(void *context, const char *name, struct error *err)
{
	struct folder_content *content = context;

	(void)err;
	if (strcmp(name, database_name) == 0)
		content->has_database = true;
	else if (strcmp(name, lock_name) != 0 && strcmp(name, "lost+found") != 0)
		snprintf(content->other, sizeof content->other, "%s", name);
	if (strcmp(name, snapshots_name) == 0) content->has_snapshots = true;
	return OK;
}

/*
 * Decides whether a new store may be made. A start that finds its zones gone must
 * say so: an empty store would answer nothing and, on a primary, forget serials.
 */
static enum code creation_judge(struct store *store, bool create_anew, bool *create,
				struct error *err)
{
	struct folder_content content = {0};
	enum code code = folder_list(store->folder, folder_look, &content, err);

	if (code) return code;
	/* An empty database beside no snapshots is one whose making was interrupted. */
	*create = create_anew || !content.has_snapshots;
	if (content.has_database || create_anew || !content.other[0]) return OK;
	return error_set(err, E_NOT_FOUND,
			 "state folder %s holds %s but no %s: restore it from a backup, or empty "
			 "the folder to begin anew",
			 folder_path(store->folder), content.other, database_name);
}

static enum code unnamed_remove(void *context, const char *name, struct error *err)
{
	struct store *store = context;
	struct statement s;
	bool named;

	if (!is_snapshot_name(name)) return OK;
	s = statement_begin(store->db, SQL_SNAPSHOT_OF_FILE);
	bind_text(&s, name);
	enum code code = statement_step(&s, &named, err);
	statement_end(&s);
	if (code || named) return code;
	/* One that stays only takes room until the next start. */
	(void)!folder_remove(store->snapshots, name, NULL);
	return OK;
}

static enum code database_begin(struct store *store, bool create, struct error *err)
{
	enum code code = database_open(store->database_path, store->vfs, create, &store->db, err);

	if (!code) code = meta_get(store->db, "store", &store->id, err);
	if (!code) code = meta_get(store->db, "commit", &store->commit_count, err);
	return code;
}

static enum code store_begin(struct store *store, const struct store_options *options,
			     struct error *err)
{
	bool create;
	enum code code = folder_open(options->path, &store->folder, err);

	if (code == E_NOT_FOUND)
		return error_set(err, code,
				 "state folder %s does not exist: make it and give it to the "
				 "server's user, or name another under server: state:",
				 options->path);
	if (code) return code;
	folder_set_fault(store->folder, options->fault, options->fault_context);
	if ((code = folder_lock(store->folder, lock_name, err))) return code;
	if ((code = creation_judge(store, options->create_anew, &create, err))) return code;
	if ((code = database_begin(store, create, err))) return code;
	if ((code = folder_sync(store->folder, err))) return code;
	code = folder_open_inside(store->folder, snapshots_name, &store->snapshots, err);
	if (!code) code = folder_list(store->snapshots, unnamed_remove, store, err);
	store->writable = !code;
	return code;
}

enum code store_open(const struct store_options *options, struct crypto *crypto, struct store **out,
		     struct error *err)
{
	struct store *store = calloc(1, sizeof *store);
	enum code code = E_NOMEM;

	if (!store || asprintf(&store->database_path, "%s/%s", options->path, database_name) < 0 ||
	    (options->vfs && !(store->vfs = strdup(options->vfs))) ||
	    !(store->uncertain.arena = arena_new(1 << 20)))
		error_set(err, code, "no memory to open the state folder %s", options->path);
	else
		code = store_begin(store, options, err);
	if (code) {
		store_close(store);
		return code;
	}
	store->crypto = crypto;
	store->row_max = options->row_max ? options->row_max : SNAPSHOT_ROW_MAX;
	*out = store;
	return OK;
}

void store_close(struct store *store)
{
	if (!store) return;
	copy_end(store->copy);
	database_close(store->db, !store->writable);
	folder_close(store->snapshots);
	folder_close(store->folder);
	arena_free(store->uncertain.arena);
	free(store->database_path);
	free(store->vfs);
	free(store);
}

/* ---- state ---- */

bool store_is_writable(const struct store *store)
{
	return store->writable;
}

void store_status(const struct store *store, struct store_status *out)
{
	*out = (struct store_status){
		.writable = store->writable,
		.commit_count = store->commit_count,
		.log_octets = store->db ? database_log_len(store->db) : 0,
	};
	if (!store->writable) memcpy(out->reason, store->reason, sizeof out->reason);
	if (folder_free_space(store->folder, &out->free_octets, NULL)) out->free_octets = 0;
}

enum code store_fail(struct store *store, enum code code, const struct error *err)
{
	store->writable = false;
	snprintf(store->reason, sizeof store->reason, "%s", err->text);
	return code;
}

enum code store_note(struct store *store, enum code code, const struct error *err)
{
	struct error unknown = {.text = "the disk failed"};

	if (code && store->writable && database_has_failed(store->db))
		store_fail(store, code, err ? err : &unknown);
	return code;
}

enum code store_ready(const struct store *store, struct error *err)
{
	if (store->writable) return OK;
	return error_set(err, E_IO, "the store waits for its disk: %s", store->reason);
}

/* A failed commit may be on the disk: then its files are named and stay. */
static enum code uncertain_settle(struct store *store, struct error *err)
{
	enum code code = OK;

	for (size_t i = 0; !code && i < store->uncertain.count; i++)
		code = unnamed_remove(store, store->uncertain.list[i], err);
	if (code) return code;
	arena_reset(store->uncertain.arena);
	store->uncertain = (struct file_names){.arena = store->uncertain.arena};
	return OK;
}

/* A transaction of its own that changes nothing but the count of transactions. */
static enum code probe(struct store *store, struct error *err)
{
	enum code code = database_run(store->db, SQL_BEGIN, err);

	if (!code) code = meta_set(store->db, "commit", store->commit_count + 1, err);
	if (!code) code = database_run(store->db, SQL_COMMIT, err);
	if (!code) store->commit_count++;
	return code;
}

enum code store_recover(struct store *store, enum recovery *outcome, struct error *err)
{
	uint64_t acknowledged = store->commit_count, id = store->id;
	struct error why = {0};
	enum code code;

	*outcome = RECOVERED_SAME;
	if (store->writable) return OK;
	store_copy_end(store);
	database_close(store->db, true);
	store->db = NULL;
	folder_drop_cached(store->folder, database_name);
	folder_drop_cached(store->folder, database_log_name);

	code = database_begin(store, false, &why);
	if (!code && store->id != id)
		code = error_set(
			&why, E_CONFLICT,
			"%s is another store than the one this server began with: restart it",
			store->database_path);
	uint64_t found = store->commit_count;
	if (!code) code = uncertain_settle(store, &why);
	if (!code) code = probe(store, &why);
	if (code) {
		store->commit_count = acknowledged;
		store->id = id;
		store_fail(store, code, &why);
		return error_set(err, code, "%s", why.text);
	}
	if (found > acknowledged) *outcome = RECOVERED_AHEAD;
	if (found < acknowledged) *outcome = RECOVERED_BEHIND;
	store->writable = true;
	return OK;
}

/* ---- upkeep ---- */

enum code store_checkpoint(struct store *store, uint64_t log_len_min, struct error *err)
{
	enum code code = store_ready(store, err);

	if (code || database_log_len(store->db) < log_len_min) return code;
	return store_note(store, database_checkpoint(store->db, err), err);
}

enum code store_copy_begin(struct store *store, const char *path, struct error *err)
{
	enum code code = store_ready(store, err);

	if (code) return code;
	if (store->copy) return error_set(err, E_BUSY, "a copy of the store is being made already");
	return copy_begin(store->db, path, &store->copy, err);
}

enum code store_copy_step(struct store *store, bool *done, struct error *err)
{
	*done = false;
	if (!store->copy) return error_set(err, E_IO, "the copy was given up: the disk failed");
	enum code code = copy_step(store->copy, done, err);
	if (code || *done) store_copy_end(store);
	return code;
}

void store_copy_end(struct store *store)
{
	copy_end(store->copy);
	store->copy = NULL;
}
