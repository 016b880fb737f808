/* SPDX-License-Identifier: Apache-2.0 */
/* Zones as rows: finding and listing them. */
#include "store/state.h"

#include <assert.h>
#include <stdio.h>

void bind_digest(struct statement *s, const struct zone_digest *digest)
{
	bind_u64(s, digest->count);
	bind_octets(s, span_of(digest->sum, sizeof digest->sum));
}

bool column_digest(struct statement *s, struct zone_digest *digest)
{
	digest->count = column_u64(s);
	struct span sum = column_octets(s);
	if (sum.len != sizeof digest->sum) return false;
	memcpy(digest->sum, sum.ptr, sum.len);
	return true;
}

void bind_origin(struct statement *s, enum change_source source, const char *author,
		 const char *reason, uint64_t time_unix_s)
{
	bind_u64(s, source);
	bind_text(s, author);
	bind_text(s, reason);
	bind_u64(s, time_unix_s);
}

static bool head_read(struct statement *s, struct stored_zone *zone)
{
	struct stored_version *head = &zone->head;

	head->serial = (uint32_t)column_u64(s);
	bool whole = column_digest(s, &head->digest);
	head->source = (enum change_source)column_u64(s);
	head->author = column_text(s);
	head->reason = column_text(s);
	head->time_unix_s = column_u64(s);
	return whole || !zone->has_version;
}

static bool timers_read(struct statement *s, struct stored_zone *zone)
{
	struct zone_timers *timers = &zone->timers;

	zone->has_timers = !column_is_null(s);
	timers->confirmed_unix_s = column_u64(s);
	timers->confirmed_at = (instant_ns)column_u64(s);
	struct span boot = column_octets(s);
	timers->refresh_s = (uint32_t)column_u64(s);
	timers->retry_s = (uint32_t)column_u64(s);
	timers->expire_s = (uint32_t)column_u64(s);
	timers->failure_count = (uint32_t)column_u64(s);
	if (boot.len == sizeof timers->boot) memcpy(timers->boot, boot.ptr, boot.len);
	return !zone->has_timers || boot.len == sizeof timers->boot;
}

/* A name must be whole before anybody trusts it to be one. */
static bool name_column(struct statement *s, struct name *name)
{
	struct reader r = reader_of(column_octets(s));

	return name_read_plain(&r, name) && reader_done(&r);
}

enum code zone_row_read(struct statement *s, struct zone_row *row, struct error *err)
{
	struct stored_zone *zone = &row->zone;

	*row = (struct zone_row){.id = column_u64(s)};
	row->snapshot_octets = column_u64(s);
	row->tail_count = column_u64(s);
	row->tail_octets = column_u64(s);
	zone->key.view = column_text(s);
	bool whole = name_column(s, &zone->key.name);
	zone->entry.owner = (enum zone_owner)column_u64(s);
	zone->entry.origin = column_text(s);
	zone->entry.role = (uint32_t)column_u64(s);
	zone->entry.flags = (uint32_t)column_u64(s);
	zone->head.seq = column_u64(s);
	zone->has_version = zone->head.seq > 0;
	zone->has_file_serial = !column_is_null(s);
	zone->file_serial = (uint32_t)column_u64(s);
	zone->fold_due = column_u64(s) != 0;
	whole = head_read(s, zone) && whole;
	whole = timers_read(s, zone) && whole;
	if (whole) return OK;
	return error_set(err, E_DAMAGED,
			 "row %llu of the zones in the store is damaged; restore the state folder "
			 "from a backup",
			 (unsigned long long)row->id);
}

static enum code zone_row_find(struct store *store, struct zone_key key, struct statement *s,
			       struct zone_row *row, struct error *err)
{
	char label[ZONE_LABEL_MAX];
	struct name_buffer lower;
	bool found;

	name_lower(key.name, &lower);
	bind_text(s, key.view);
	bind_octets(s, span_of(lower.wire, lower.len));
	enum code code = statement_step(s, &found, err);
	if (code) return store_note(store, code, err);
	if (!found)
		return error_set(err, E_NOT_FOUND, "zone %s is not in the store",
				 zone_label(key.name, label));
	return zone_row_read(s, row, err);
}

enum code zone_find(struct store *store, struct zone_key key, struct zone_row *row,
		    struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_ZONE_FIND);
	enum code code = zone_row_find(store, key, &s, row, err);

	statement_end(&s);
	return code;
}

enum code zone_copy(const struct stored_zone *from, struct arena *arena, struct stored_zone *to,
		    struct error *err)
{
	*to = *from;
	to->key.view = arena_copy_text(arena, span_of_text(from->key.view));
	to->key.name.wire = arena_copy(arena, span_of(from->key.name.wire, from->key.name.len));
	to->entry.origin = arena_copy_text(arena, span_of_text(from->entry.origin));
	to->head.author = arena_copy_text(arena, span_of_text(from->head.author));
	to->head.reason = arena_copy_text(arena, span_of_text(from->head.reason));
	if (to->key.view && to->key.name.wire && to->entry.origin && to->head.author &&
	    to->head.reason)
		return OK;
	return error_set(err, E_NOMEM, "no memory for a zone of the store");
}

enum code store_zone(struct store *store, struct zone_key key, struct arena *arena,
		     struct stored_zone *out, struct error *err)
{
	struct zone_row row;
	enum code code = store_ready(store, err);

	if (code) return code;
	struct statement s = statement_begin(store->db, SQL_ZONE_FIND);
	code = zone_row_find(store, key, &s, &row, err);
	if (!code) code = zone_copy(&row.zone, arena, out, err);
	statement_end(&s);
	return code;
}

enum code store_each_zone(struct store *store,
			  enum code (*visit)(void *context, const struct stored_zone *zone,
					     struct error *err),
			  void *context, struct error *err)
{
	struct zone_row row;
	bool found = true;
	enum code code = store_ready(store, err);

	if (code) return code;
	struct statement s = statement_begin(store->db, SQL_ZONE_LIST);
	while (!code) {
		if ((code = store_note(store, statement_step(&s, &found, err), err)) || !found)
			break;
		code = zone_row_read(&s, &row, err);
		if (!code) code = visit(context, &row.zone, err);
	}
	statement_end(&s);
	return code;
}

static enum code file_read_row(struct statement *s, struct arena *arena, struct zone_file *file,
			       struct error *err)
{
	file->path = arena_copy_text(arena, span_of_text(column_text(s)));
	file->identity.len = column_u64(s);
	file->identity.inode = column_u64(s);
	file->identity.modified_ns = (int64_t)column_u64(s);
	file->identity.changed_ns = (int64_t)column_u64(s);
	file->checksum = column_u64(s);
	return file->path ? OK : error_set(err, E_NOMEM, "no memory for a zone's files");
}

enum code store_zone_files(struct store *store, struct zone_key key, struct arena *arena,
			   struct zone_file **files, size_t *count, struct error *err)
{
	struct zone_row row;
	bool found = true;
	size_t capacity = 0;
	enum code code = store_ready(store, err);

	*files = NULL;
	*count = 0;
	if (!code) code = zone_find(store, key, &row, err);
	if (code) return code;
	struct statement s = statement_begin(store->db, SQL_FILE_LIST);
	bind_u64(&s, row.id);
	while (!code) {
		if ((code = store_note(store, statement_step(&s, &found, err), err)) || !found)
			break;
		if (*count == capacity) {
			size_t larger = capacity ? 2 * capacity : 4;
			struct zone_file *list = arena_grow(arena, *files, capacity * sizeof *list,
							    larger * sizeof *list);
			if (!list) {
				code = error_set(err, E_NOMEM, "no memory for a zone's files");
				break;
			}
			*files = list;
			capacity = larger;
		}
		code = file_read_row(&s, arena, &(*files)[*count], err);
		*count += !code;
	}
	statement_end(&s);
	return code;
}
