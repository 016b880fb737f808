/* SPDX-License-Identifier: Apache-2.0 */
/* Batches: gathering operations, and committing several batches at a time. */
#include "store/batch.h"

#include <assert.h>
#include <stdlib.h>

enum { OPERATIONS_MIN = 4 };

enum code batch_new(struct batch **out, struct error *err)
{
	struct arena *arena = arena_new(STORE_BATCH_OCTETS_MAX);
	struct batch *batch = arena ? arena_alloc(arena, sizeof *batch) : NULL;

	if (!batch) {
		arena_free(arena);
		return error_set(err, E_NOMEM, "no memory for a commit");
	}
	batch->arena = arena;
	batch->code = E_AGAIN;
	*out = batch;
	return OK;
}

void batch_free(struct batch *batch)
{
	if (!batch) return;
	for (size_t i = 0; i < batch->count; i++) draft_free(batch->operations[i].draft);
	arena_free(batch->arena);
}

enum code batch_outcome(const struct batch *batch, struct error *err)
{
	if (batch->code && err) *err = batch->err;
	return batch->code;
}

static enum code batch_full(struct error *err)
{
	return error_set(err, E_LIMIT, "a commit holds at most %d operations and %d octets",
			 STORE_BATCH_OPERATIONS_MAX, STORE_BATCH_OCTETS_MAX);
}

static char *text_keep(struct batch *batch, const char *text)
{
	return arena_copy_text(batch->arena, span_of_text(text ? text : ""));
}

/* A new operation on the zone; NULL when the batch is full. */
static struct operation *operation_add(struct batch *batch, enum operation_kind kind,
				       struct zone_key key)
{
	struct name_buffer lower;

	assert(key.view[0] && strlen(key.view) < VIEW_TEXT_MAX);
	if (batch->count == STORE_BATCH_OPERATIONS_MAX) return NULL;
	if (batch->count == batch->capacity) {
		size_t capacity = batch->capacity ? 2 * batch->capacity : OPERATIONS_MIN;
		struct operation *list =
			arena_grow(batch->arena, batch->operations, batch->capacity * sizeof *list,
				   capacity * sizeof *list);
		if (!list) return NULL;
		batch->operations = list;
		batch->capacity = capacity;
	}
	name_lower(key.name, &lower);
	const uint8_t *name = arena_copy(batch->arena, span_of(lower.wire, lower.len));
	const char *view = text_keep(batch, key.view);
	if (!name || !view) return NULL;
	struct operation *operation = &batch->operations[batch->count++];
	*operation = (struct operation){
		.kind = kind,
		.key = {.view = view, .name = {.wire = name, .len = lower.len}},
	};
	return operation;
}

/* Takes back the operation that was added last. */
static enum code operation_drop(struct batch *batch, struct error *err)
{
	batch->count--;
	return batch_full(err);
}

static enum code put_entry(struct batch *batch, enum operation_kind kind, struct zone_key key,
			   const struct zone_entry *entry, struct error *err)
{
	struct operation *operation = operation_add(batch, kind, key);

	if (!operation) return batch_full(err);
	operation->entry = *entry;
	operation->entry.origin = text_keep(batch, entry->origin);
	return operation->entry.origin ? OK : operation_drop(batch, err);
}

enum code batch_add_zone(struct batch *batch, struct zone_key key, const struct zone_entry *entry,
			 struct error *err)
{
	return put_entry(batch, OPERATION_ADD_ZONE, key, entry, err);
}

enum code batch_claim_zone(struct batch *batch, struct zone_key key, const struct zone_entry *entry,
			   struct error *err)
{
	return put_entry(batch, OPERATION_CLAIM_ZONE, key, entry, err);
}

enum code batch_set_zone(struct batch *batch, struct zone_key key, const struct zone_entry *entry,
			 struct error *err)
{
	return put_entry(batch, OPERATION_SET_ZONE, key, entry, err);
}

enum code batch_remove_zone(struct batch *batch, struct zone_key key, struct error *err)
{
	return operation_add(batch, OPERATION_REMOVE_ZONE, key) ? OK : batch_full(err);
}

enum code batch_put_change(struct batch *batch, struct zone_key key, uint64_t seq,
			   const struct change *change, struct error *err)
{
	size_t len = change->removed.len + change->added.len;

	if (len > CHANGE_OCTETS_MAX)
		return error_set(err, E_LIMIT,
				 "a change has %zu octets, more than %d: it must be "
				 "stored as a snapshot",
				 len, CHANGE_OCTETS_MAX);
	struct operation *operation = operation_add(batch, OPERATION_PUT_CHANGE, key);
	if (!operation) return batch_full(err);
	operation->change = *change;
	operation->seq = seq;
	operation->change.author = text_keep(batch, change->author);
	operation->change.reason = text_keep(batch, change->reason);
	return operation->change.author && operation->change.reason ? OK
								    : operation_drop(batch, err);
}

static enum code put_version(struct batch *batch, enum operation_kind kind, struct zone_key key,
			     const struct stored_version *version, struct draft *draft,
			     struct error *err)
{
	struct operation *operation = operation_add(batch, kind, key);

	if (!operation) {
		draft_free(draft);
		return batch_full(err);
	}
	operation->draft = draft;
	operation->version = *version;
	operation->version.author = text_keep(batch, version->author);
	operation->version.reason = text_keep(batch, version->reason);
	if (operation->version.author && operation->version.reason) return OK;
	draft_free(draft);
	return operation_drop(batch, err);
}

enum code batch_put_snapshot(struct batch *batch, struct zone_key key,
			     const struct stored_version *version, struct draft *draft,
			     struct error *err)
{
	return put_version(batch, OPERATION_PUT_SNAPSHOT, key, version, draft, err);
}

void batch_give_draft(struct batch *batch, struct draft *draft)
{
	size_t i = 0;

	while (batch->operations[i].kind != OPERATION_PUT_SNAPSHOT || batch->operations[i].draft) {
		i++;
		assert(i < batch->count);
	}
	batch->operations[i].draft = draft;
}

enum code batch_fold(struct batch *batch, const struct fetched *fetched, struct draft *draft,
		     struct error *err)
{
	return put_version(batch, OPERATION_FOLD, fetched->key, &fetched->head, draft, err);
}

enum code batch_put_timers(struct batch *batch, struct zone_key key,
			   const struct zone_timers *timers, struct error *err)
{
	struct operation *operation = operation_add(batch, OPERATION_PUT_TIMERS, key);

	if (!operation) return batch_full(err);
	operation->timers = *timers;
	return OK;
}

enum code batch_put_files(struct batch *batch, struct zone_key key, uint32_t serial,
			  const struct zone_file *files, size_t count, struct error *err)
{
	struct zone_file *list = NULL;

	if (count > ZONE_FILES_MAX)
		return error_set(err, E_LIMIT, "a zone of %zu files, more than %d", count,
				 ZONE_FILES_MAX);
	struct operation *operation = operation_add(batch, OPERATION_PUT_FILES, key);
	if (!operation) return batch_full(err);
	list = arena_alloc_array(batch->arena, count, sizeof *list);
	if (!list) return operation_drop(batch, err);
	for (size_t i = 0; i < count; i++) {
		list[i] = files[i];
		list[i].path = text_keep(batch, files[i].path);
		if (!list[i].path) return operation_drop(batch, err);
	}
	operation->files = list;
	operation->file_count = count;
	operation->file_serial = serial;
	return OK;
}

/* ---- committing ---- */

static void all_fail(struct batch *const *batches, size_t count, const struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		batches[i]->code = E_IO;
		batches[i]->err = *err;
		batches[i]->err.code = E_IO;
	}
}

/* Every snapshot's octets and names are on the disk before any row can name them. */
static enum code drafts_seal(struct store *store, struct batch *const *batches, size_t count,
			     struct error *err)
{
	bool has_files = false;
	enum code code = OK;

	for (size_t b = 0; b < count; b++) {
		for (size_t i = 0; !code && i < batches[b]->count; i++) {
			struct operation *operation = &batches[b]->operations[i];
			if (!operation->draft) continue;
			code = draft_seal(operation->draft, &operation->sealed, err);
			has_files = has_files || operation->sealed.file;
		}
	}
	if (!code && has_files) code = folder_sync(store->snapshots, err);
	return code;
}

static bool is_same_zone(const struct zone_key *a, const struct zone_key *b)
{
	return name_equal(a->name, b->name) && strcmp(a->view, b->view) == 0;
}

/* One batch inside the transaction. An error returned ends the transaction; the batch's own failure
 * only the batch. */
static enum code batch_apply(struct store *store, struct batch *batch, struct file_names *removed,
			     struct error *err)
{
	size_t removed_before = removed->count;
	struct zone_row row = {0};
	enum code code = database_run(store->db, SQL_BATCH_BEGIN, err);

	if (code) return code;
	batch->code = OK;
	for (size_t i = 0; !batch->code && i < batch->count; i++) {
		const struct operation *operation = &batch->operations[i];
		if (i > 0 && !is_same_zone(&operation->key, &operation[-1].key)) row.id = 0;
		batch->code = operation_apply(store, operation, &row, removed, &batch->err);
	}
	if (batch->code) {
		*err = batch->err;
		if (database_has_failed(store->db)) return batch->code;
		removed->count = removed_before;
		if ((code = database_run(store->db, SQL_BATCH_UNDO, err))) return code;
	}
	return database_run(store->db, SQL_BATCH_END, err);
}

static enum code transaction(struct store *store, struct batch *const *batches, size_t count,
			     struct file_names *removed, struct error *err)
{
	enum code code = drafts_seal(store, batches, count, err);

	if (!code) code = database_run(store->db, SQL_BEGIN, err);
	for (size_t i = 0; !code && i < count; i++)
		code = batch_apply(store, batches[i], removed, err);
	if (!code) code = meta_set(store->db, "commit", store->commit_count + 1, err);
	if (!code) code = database_run(store->db, SQL_COMMIT, err);
	return code;
}

/*
 * The transaction failed, at its end perhaps after the disk had it. Files that it
 * names must stay until store_recover knows.
 */
static void commit_fail(struct store *store, struct batch *const *batches, size_t count,
			const struct error *err)
{
	for (size_t b = 0; b < count; b++) {
		for (size_t i = 0; i < batches[b]->count; i++) {
			const struct operation *operation = &batches[b]->operations[i];
			if (!operation->sealed.file) continue;
			draft_keep(operation->draft);
			/* A name that finds no room is one more file to remove at the next start.
			 */
			(void)!names_add(&store->uncertain, operation->sealed.file, NULL);
		}
	}
	store_fail(store, E_IO, err);
	all_fail(batches, count, err);
}

static void commit_succeed(struct store *store, struct batch *const *batches, size_t count,
			   const struct file_names *removed)
{
	store->commit_count++;
	for (size_t b = 0; b < count; b++) {
		if (batches[b]->code) continue;
		for (size_t i = 0; i < batches[b]->count; i++)
			if (batches[b]->operations[i].draft)
				draft_keep(batches[b]->operations[i].draft);
	}
	for (size_t i = 0; i < removed->count; i++)
		(void)!folder_remove(store->snapshots, removed->list[i], NULL);
}

void store_commit(struct store *store, struct batch *const *batches, size_t count)
{
	struct file_names removed = {.arena = arena_new(STORE_BATCH_OCTETS_MAX)};
	struct error err = {0};

	if (store_ready(store, &err)) {
		all_fail(batches, count, &err);
	} else if (!removed.arena) {
		error_set(&err, E_NOMEM, "no memory for a commit");
		all_fail(batches, count, &err);
	} else if (transaction(store, batches, count, &removed, &err)) {
		commit_fail(store, batches, count, &err);
	} else {
		commit_succeed(store, batches, count, &removed);
	}
	arena_free(removed.arena);
}
