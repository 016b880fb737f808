/* SPDX-License-Identifier: Apache-2.0 */
/* What each operation does to the rows, inside the transaction that store_commit opened. */
#include "store/batch.h"

#include <inttypes.h>

enum { CHUNK_LEN = 64 << 10 };

static const char *owner_name(enum zone_owner owner)
{
	switch (owner) {
	case OWNER_CONFIG: return "the configuration";
	case OWNER_ADDED: return "`zone add`";
	case OWNER_CATALOG: return "a catalog";
	}
	return "somebody";
}

static enum code zone_insert(struct store *store, const struct operation *operation,
			     struct error *err)
{
	const struct zone_entry *entry = &operation->entry;
	struct statement s = statement_begin(store->db, SQL_ZONE_ADD);
	char label[NAME_TEXT_MAX];

	bind_text(&s, operation->key.view);
	bind_octets(&s, span_of(operation->key.name.wire, operation->key.name.len));
	bind_text(&s, name_to_text(operation->key.name, label));
	bind_u64(&s, entry->owner);
	bind_text(&s, entry->origin);
	bind_u64(&s, entry->role);
	bind_u64(&s, entry->flags);
	return statement_run(&s, err);
}

static enum code zone_set(struct store *store, uint64_t zone, const struct zone_entry *entry,
			  struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_ZONE_SET);

	bind_u64(&s, zone);
	bind_u64(&s, entry->owner);
	bind_text(&s, entry->origin);
	bind_u64(&s, entry->role);
	bind_u64(&s, entry->flags);
	return statement_run(&s, err);
}

/* A zone has one owner; both are named when a second one comes. */
static enum code owned_already(struct store *store, const struct operation *operation,
			       struct error *err)
{
	char label[ZONE_LABEL_MAX];
	struct stored_zone there;
	struct arena *arena = arena_new(1 << 16);
	enum code code = arena ? store_zone(store, operation->key, arena, &there, err)
			       : error_set(err, E_NOMEM, "no memory for a zone");

	if (!code)
		code = error_set(err, E_EXISTS, "zone %s belongs to %s (%s) already",
				 zone_label(operation->key.name, label),
				 owner_name(there.entry.owner), there.entry.origin);
	arena_free(arena);
	return code;
}

/* Adding or claiming. */
static enum code zone_own(struct store *store, const struct operation *operation,
			  struct zone_row *row, struct error *err)
{
	enum code code = zone_find(store, operation->key, row, err);

	if (code == E_NOT_FOUND) {
		if ((code = zone_insert(store, operation, err))) return code;
		*row = (struct zone_row){.id = database_last_id(store->db)};
		return OK;
	}
	if (code) return code;
	if (operation->kind == OPERATION_CLAIM_ZONE &&
	    row->zone.entry.owner == operation->entry.owner)
		return zone_set(store, row->id, &operation->entry, err);
	return owned_already(store, operation, err);
}

/* The files of all the zone's snapshots go once this transaction is durable. */
static enum code files_forget(struct store *store, uint64_t zone, struct file_names *removed,
			      struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_SNAPSHOT_FILES);
	bool found = true;
	enum code code = OK;

	bind_u64(&s, zone);
	while (!code) {
		if ((code = statement_step(&s, &found, err)) || !found) break;
		code = names_add(removed, column_text(&s), err);
	}
	statement_end(&s);
	return code;
}

/* For statements that take the zone, or the zone and a number. */
static enum code run_for(struct store *store, enum sql which, uint64_t zone, struct error *err)
{
	struct statement s = statement_begin(store->db, which);

	bind_u64(&s, zone);
	return statement_run(&s, err);
}

static enum code run_for_number(struct store *store, enum sql which, uint64_t zone, uint64_t number,
				struct error *err)
{
	struct statement s = statement_begin(store->db, which);

	bind_u64(&s, zone);
	bind_u64(&s, number);
	return statement_run(&s, err);
}

static enum code zone_remove(struct store *store, uint64_t zone, struct file_names *removed,
			     struct error *err)
{
	enum code code = files_forget(store, zone, removed, err);

	return code ? code : run_for(store, SQL_ZONE_REMOVE, zone, err);
}

/* A tail that costs more to read than the zone does is due to be folded. */
static bool tail_is_due(const struct zone_row *row)
{
	uint64_t limit = row->snapshot_octets;

	if (limit < CHANGE_OCTETS_MIN) limit = CHANGE_OCTETS_MIN;
	if (limit > FOLD_OCTETS_MAX) limit = FOLD_OCTETS_MAX;
	return row->tail_octets > limit || row->tail_count > FOLD_CHANGES_MAX;
}

/* Writes head and tail as they now stand in `row`. */
static enum code head_set(struct store *store, const struct zone_row *row, struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_ZONE_SET_HEAD);

	bind_u64(&s, row->id);
	bind_u64(&s, row->zone.head.seq);
	bind_u64(&s, row->snapshot_octets);
	bind_u64(&s, row->tail_count);
	bind_u64(&s, row->tail_octets);
	bind_u64(&s, row->zone.fold_due);
	return statement_run(&s, err);
}

static enum code version_add(struct store *store, uint64_t zone,
			     const struct stored_version *version, struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_VERSION_ADD);

	bind_u64(&s, zone);
	bind_u64(&s, version->seq);
	bind_u64(&s, version->serial);
	bind_digest(&s, &version->digest);
	bind_origin(&s, version->source, version->author, version->reason, version->time_unix_s);
	return statement_run(&s, err);
}

/* Is it what follows the head, to the last record? */
static enum code change_judge(struct store *store, const struct operation *operation,
			      const struct zone_row *row, struct error *err)
{
	const struct stored_version *head = &row->zone.head;
	const struct change *change = &operation->change;
	struct zone_digest digest = head->digest;
	char label[ZONE_LABEL_MAX];

	zone_label(operation->key.name, label);
	if (operation->seq != head->seq + 1 || !row->zone.has_version ||
	    change->from_serial != head->serial)
		return error_set(err, E_CONFLICT,
				 "zone %s: a change from version %" PRIu64 " (serial %u) does not "
				 "fit the store, which holds version %" PRIu64 " (serial %u)",
				 label, operation->seq - 1, change->from_serial, head->seq,
				 head->serial);
	enum code code = digest_follow(&digest, change, store->crypto, err);
	if (code) {
		error_prefix(err, "zone %s", label);
		return code == E_SYNTAX ? E_CONFLICT : code;
	}
	if (!zone_digest_equal(&digest, &change->digest_after))
		return error_set(err, E_CONFLICT,
				 "zone %s: the change from serial %u to %u does not lead to its "
				 "digest",
				 label, change->from_serial, change->to_serial);
	return OK;
}

static enum code change_insert(struct store *store, uint64_t zone,
			       const struct operation *operation, struct span body,
			       struct error *err)
{
	const struct change *change = &operation->change;
	struct span first = span_of(body.ptr, body.len < CHUNK_LEN ? body.len : CHUNK_LEN);
	struct statement s = statement_begin(store->db, SQL_CHANGE_ADD);

	bind_u64(&s, zone);
	bind_u64(&s, operation->seq);
	bind_u64(&s, change->from_serial);
	bind_u64(&s, change->removed_count);
	bind_u64(&s, change->added_count);
	bind_u64(&s, change->removed.len);
	bind_u64(&s, body.len);
	bind_u64(&s, change_checksum(change, operation->seq));
	bind_octets(&s, first);
	enum code code = statement_run(&s, err);

	uint64_t part = 1;
	for (size_t at = first.len; !code && at < body.len; part++) {
		size_t len = body.len - at < CHUNK_LEN ? body.len - at : CHUNK_LEN;
		s = statement_begin(store->db, SQL_CHANGE_CHUNK_ADD);
		bind_u64(&s, zone);
		bind_u64(&s, operation->seq);
		bind_u64(&s, part);
		bind_octets(&s, span_of(body.ptr + at, len));
		code = statement_run(&s, err);
		at += len;
	}
	return code;
}

/* Both sides one behind the other. */
static enum code change_store(struct store *store, uint64_t zone, const struct operation *operation,
			      struct error *err)
{
	const struct change *change = &operation->change;
	size_t len = change->removed.len + change->added.len;
	struct arena *arena = arena_new(CHANGE_OCTETS_MAX);
	uint8_t *octets = arena ? arena_alloc_bytes(arena, len) : NULL;
	enum code code;

	if (octets) {
		struct writer body = writer_of(octets, len);
		write_span(&body, change->removed);
		write_span(&body, change->added);
		code = change_insert(store, zone, operation, writer_span(&body), err);
	} else {
		code = error_set(err, E_NOMEM, "no memory for a change");
	}
	arena_free(arena);
	return code;
}

static enum code put_change(struct store *store, const struct operation *operation,
			    struct zone_row *row, struct error *err)
{
	const struct change *change = &operation->change;
	struct stored_version version = {
		.seq = operation->seq,
		.serial = change->to_serial,
		.digest = change->digest_after,
		.source = change->source,
		.author = change->author,
		.reason = change->reason,
		.time_unix_s = change->time_unix_s,
	};
	enum code code = change_judge(store, operation, row, err);

	if (!code) code = version_add(store, row->id, &version, err);
	if (!code) code = change_store(store, row->id, operation, err);
	if (code) return code;
	row->zone.head = version;
	row->tail_count++;
	row->tail_octets += change->removed.len + change->added.len;
	row->zone.fold_due = row->zone.fold_due || tail_is_due(row);
	return head_set(store, row, err);
}

static enum code snapshot_add(struct store *store, uint64_t zone, uint64_t seq,
			      const struct sealed *sealed, struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_SNAPSHOT_ADD);

	bind_u64(&s, zone);
	bind_u64(&s, seq);
	bind_u64(&s, sealed->format);
	bind_u64(&s, sealed->len);
	bind_u64(&s, sealed->checksum);
	if (sealed->file) {
		bind_text(&s, sealed->file);
		bind_null(&s);
	} else {
		bind_null(&s);
		bind_octets(&s, sealed->octets);
	}
	return statement_run(&s, err);
}

/* Nothing before version `seq` stays. */
static enum code versions_replace(struct store *store, uint64_t zone, uint64_t seq,
				  struct file_names *removed, struct error *err)
{
	enum code code = files_forget(store, zone, removed, err);

	return code ? code : run_for_number(store, SQL_VERSIONS_REMOVE_BEFORE, zone, seq, err);
}

static enum code put_snapshot(struct store *store, const struct operation *operation,
			      struct zone_row *row, struct file_names *removed, struct error *err)
{
	const struct stored_version *version = &operation->version;
	char label[ZONE_LABEL_MAX];
	enum code code;

	if (version->seq <= row->zone.head.seq)
		return error_set(err, E_CONFLICT,
				 "zone %s: version %" PRIu64 " (serial %u) does not fit the store, "
				 "which holds version %" PRIu64 " (serial %u)",
				 zone_label(operation->key.name, label), version->seq,
				 version->serial, row->zone.head.seq, row->zone.head.serial);
	if (operation->sealed.has_digest &&
	    !zone_digest_equal(&operation->sealed.digest, &version->digest))
		return error_set(err, E_CONFLICT,
				 "zone %s: the content of version %" PRIu64 " (serial %u) does not "
				 "match its digest",
				 zone_label(operation->key.name, label), version->seq,
				 version->serial);
	if (row->zone.has_version &&
	    (code = versions_replace(store, row->id, version->seq, removed, err)))
		return code;
	code = version_add(store, row->id, version, err);
	if (!code) code = snapshot_add(store, row->id, version->seq, &operation->sealed, err);
	if (code) return code;
	row->zone.head = *version;
	row->zone.has_version = true;
	row->snapshot_octets = operation->sealed.len;
	row->tail_count = row->tail_octets = 0;
	row->zone.fold_due = operation->sealed.format == DRAFT_RECORDS;
	return head_set(store, row, err);
}

static enum code put_timers(struct store *store, uint64_t zone, const struct zone_timers *timers,
			    struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_TIMERS_SET);

	bind_u64(&s, zone);
	bind_u64(&s, timers->confirmed_unix_s);
	bind_u64(&s, (uint64_t)timers->confirmed_at);
	bind_octets(&s, span_of(timers->boot, sizeof timers->boot));
	bind_u64(&s, timers->refresh_s);
	bind_u64(&s, timers->retry_s);
	bind_u64(&s, timers->expire_s);
	bind_u64(&s, timers->failure_count);
	return statement_run(&s, err);
}

static enum code put_files(struct store *store, const struct operation *operation,
			   struct zone_row *row, struct error *err)
{
	uint64_t zone = row->id;
	enum code code =
		row->zone.has_file_serial ? run_for(store, SQL_FILES_REMOVE, zone, err) : OK;

	if (!code)
		code = run_for_number(store, SQL_ZONE_SET_FILE_SERIAL, zone, operation->file_serial,
				      err);
	for (size_t i = 0; !code && i < operation->file_count; i++) {
		const struct zone_file *file = &operation->files[i];
		struct statement s = statement_begin(store->db, SQL_FILE_ADD);
		bind_u64(&s, zone);
		bind_u64(&s, i);
		bind_text(&s, file->path);
		bind_u64(&s, file->identity.len);
		bind_u64(&s, file->identity.inode);
		bind_u64(&s, (uint64_t)file->identity.modified_ns);
		bind_u64(&s, (uint64_t)file->identity.changed_ns);
		bind_u64(&s, file->checksum);
		code = statement_run(&s, err);
	}
	row->zone.has_file_serial = true;
	return code;
}

/* What was folded is still a version of this zone: not removed, replaced, or made anew meanwhile.
 */
static enum code fold_judge(struct store *store, const struct operation *operation,
			    const struct zone_row *row, struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_VERSION_GET);
	struct zone_digest digest;
	bool found;

	bind_u64(&s, row->id);
	bind_u64(&s, operation->version.seq);
	enum code code = statement_step(&s, &found, err);
	if (!code &&
	    (!found || column_u64(&s) != operation->version.serial || !column_digest(&s, &digest) ||
	     !zone_digest_equal(&digest, &operation->version.digest)))
		code = error_set(err, E_CONFLICT, "the zone was replaced while it was folded");
	statement_end(&s);
	return code;
}

/* What the changes behind version `seq` come to. */
static enum code tail_measure(struct store *store, struct zone_row *row, uint64_t seq,
			      struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_CHANGES_SIZE);
	bool found;

	bind_u64(&s, row->id);
	bind_u64(&s, seq);
	enum code code = statement_step(&s, &found, err);
	if (!code) {
		row->tail_count = column_u64(&s);
		row->tail_octets = column_u64(&s);
	}
	statement_end(&s);
	return code;
}

/* The oldest version that stays for IXFR when `seq` has its snapshot. */
static enum code keep_from(struct store *store, uint64_t zone, uint64_t seq, uint64_t *oldest,
			   struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_CHANGE_KEEP_FROM);
	bool found;

	bind_u64(&s, zone);
	bind_u64(&s, seq);
	bind_u64(&s, KEPT_CHANGES_MAX);
	bind_u64(&s, KEPT_CHANGE_OCTETS_MAX);
	enum code code = statement_step(&s, &found, err);
	*oldest = seq;
	if (!code && !column_is_null(&s)) *oldest = column_u64(&s);
	statement_end(&s);
	return code;
}

static enum code fold(struct store *store, const struct operation *operation, struct zone_row *row,
		      struct file_names *removed, struct error *err)
{
	uint64_t seq = operation->version.seq, oldest;
	enum code code;

	row->zone.fold_due = false;
	if (!operation->draft) return run_for_number(store, SQL_ZONE_SET_FOLD_DUE, row->id, 0, err);
	if ((code = fold_judge(store, operation, row, err))) return code;
	if ((code = keep_from(store, row->id, seq, &oldest, err))) return code;
	if ((code = files_forget(store, row->id, removed, err))) return code;
	code = run_for(store, SQL_SNAPSHOTS_REMOVE, row->id, err);
	if (!code) code = run_for_number(store, SQL_VERSIONS_REMOVE_BEFORE, row->id, oldest, err);
	if (!code) code = snapshot_add(store, row->id, seq, &operation->sealed, err);
	if (!code) code = tail_measure(store, row, seq, err);
	row->snapshot_octets = operation->sealed.len;
	row->zone.fold_due = tail_is_due(row);
	return code ? code : head_set(store, row, err);
}

enum code operation_apply(struct store *store, const struct operation *operation,
			  struct zone_row *row, struct file_names *removed, struct error *err)
{
	uint64_t zone;
	enum code code;

	if (operation->kind == OPERATION_ADD_ZONE || operation->kind == OPERATION_CLAIM_ZONE)
		return zone_own(store, operation, row, err);
	if (row->id == 0 && (code = zone_find(store, operation->key, row, err))) return code;
	zone = row->id;
	switch (operation->kind) {
	case OPERATION_ADD_ZONE:
	case OPERATION_CLAIM_ZONE: break;
	case OPERATION_SET_ZONE: return zone_set(store, zone, &operation->entry, err);
	case OPERATION_REMOVE_ZONE: row->id = 0; return zone_remove(store, zone, removed, err);
	case OPERATION_PUT_CHANGE: return put_change(store, operation, row, err);
	case OPERATION_PUT_SNAPSHOT: return put_snapshot(store, operation, row, removed, err);
	case OPERATION_PUT_TIMERS: return put_timers(store, zone, &operation->timers, err);
	case OPERATION_PUT_FILES: return put_files(store, operation, row, err);
	case OPERATION_FOLD: return fold(store, operation, row, removed, err);
	}
	return E_UNSUPPORTED;
}
