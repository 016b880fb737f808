/* SPDX-License-Identifier: Apache-2.0 */
/* From the disk: rows and files of one zone's newest version, and its changes. */
#include "store/fetched.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Changes as they come out of the rows. */
struct change_list {
	struct arena *arena;
	struct change *changes;
	uint64_t *checksums;
	size_t count;
	size_t capacity;
	uint64_t first_seq; /* of changes[0] */
	uint64_t octets;
};

static enum code no_memory(struct error *err)
{
	return error_set(err, E_NOMEM, "no memory to read a zone from the store");
}

static enum code list_reserve(struct change_list *list, struct error *err)
{
	size_t capacity = list->capacity ? 2 * list->capacity : 16;
	struct change *changes;
	uint64_t *checksums;

	if (list->count < list->capacity) return OK;
	changes = arena_grow(list->arena, list->changes, list->capacity * sizeof *changes,
			     capacity * sizeof *changes);
	checksums = arena_grow(list->arena, list->checksums, list->capacity * sizeof *checksums,
			       capacity * sizeof *checksums);
	if (!changes || !checksums) return no_memory(err);
	list->changes = changes;
	list->checksums = checksums;
	list->capacity = capacity;
	return OK;
}

/* The chunks behind the first. */
static enum code chunks_read(struct store *store, uint64_t zone, uint64_t seq, struct writer *body,
			     struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_CHANGE_CHUNKS);
	bool found = true;
	enum code code = OK;
	uint64_t part = 1;

	bind_u64(&s, zone);
	bind_u64(&s, seq);
	for (; !code; part++) {
		if ((code = statement_step(&s, &found, err)) || !found) break;
		if (column_u64(&s) != part) body->overflow = true;
		write_span(body, column_octets(&s));
	}
	statement_end(&s);
	return code;
}

/*
 * One row, its body put together. What is not plausible is cut to an empty body:
 * then the checksum does not match, and the one who verifies has the words for it.
 */
static enum code change_row_read(struct store *store, uint64_t zone, struct statement *s,
				 struct change_list *list, struct error *err)
{
	enum code code = list_reserve(list, err);

	if (code) return code;
	struct change *change = &list->changes[list->count];
	*change = (struct change){0};
	uint64_t seq = column_u64(s);
	change->from_serial = (uint32_t)column_u64(s);
	change->to_serial = (uint32_t)column_u64(s);
	change->removed_count = column_u64(s);
	change->added_count = column_u64(s);
	uint64_t removed_len = column_u64(s), len = column_u64(s);
	list->checksums[list->count] = column_u64(s);
	bool whole = column_digest(s, &change->digest_after) && len <= CHANGE_OCTETS_MAX &&
		     removed_len <= len;
	change->source = (enum change_source)column_u64(s);
	change->author = arena_copy_text(list->arena, span_of_text(column_text(s)));
	change->reason = arena_copy_text(list->arena, span_of_text(column_text(s)));
	change->time_unix_s = column_u64(s);
	if (!whole) len = removed_len = 0;
	struct writer body = writer_of(arena_alloc_bytes(list->arena, len), len);
	if (!body.ptr || !change->author || !change->reason) return no_memory(err);
	write_span(&body, column_octets(s));
	if (body.len < len && !body.overflow && (code = chunks_read(store, zone, seq, &body, err)))
		return code;
	if (body.overflow || body.len != len) removed_len = body.len = 0;
	change->removed = span_of(body.ptr, (size_t)removed_len);
	change->added = span_of(body.ptr + removed_len, body.len - (size_t)removed_len);
	if (list->count++ == 0) list->first_seq = seq;
	list->octets += len;
	return OK;
}

/* All of the zone's changes above version `after`; those above its head are damage. */
static enum code changes_read(struct store *store, uint64_t zone, uint64_t after,
			      struct change_list *list, struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_CHANGES_FROM);
	bool found = true;
	enum code code = OK;

	bind_u64(&s, zone);
	bind_u64(&s, after);
	while (!code) {
		if ((code = statement_step(&s, &found, err)) || !found) break;
		code = change_row_read(store, zone, &s, list, err);
	}
	statement_end(&s);
	return store_note(store, code, err);
}

static enum code damaged(struct zone_key key, struct error *err, const char *what)
{
	char label[ZONE_LABEL_MAX];

	return error_set(err, E_DAMAGED,
			 "zone %s: %s; restore the state folder from a backup, or have the zone "
			 "anew: `lockstep zone refresh --force` for a secondary, `zone reload` for "
			 "a zone file",
			 zone_label(key.name, label), what);
}

static enum code snapshot_file_open(struct store *store, struct fetched *fetched, const char *name,
				    struct error *err)
{
	char what[FILE_NAME_MAX + 64], place[FILE_NAME_MAX + 64];

	snprintf(what, sizeof what, "snapshot file snapshots/%.255s is missing", name);
	snprintf(place, sizeof place, "snapshot file snapshots/%.255s", name);
	fetched->place = arena_copy_text(fetched->arena, span_of_text(place));
	if (!fetched->place) return no_memory(err);
	if (strlen(name) > FILE_NAME_MAX || strchr(name, '/'))
		return damaged(fetched->key, err, "the name of its snapshot file is damaged");
	enum code code = old_file_open(store->snapshots, name, &fetched->file, err);
	return code == E_NOT_FOUND ? damaged(fetched->key, err, what) : code;
}

static enum code snapshot_row_read(struct store *store, struct statement *s,
				   struct fetched *fetched, struct error *err)
{
	fetched->snapshot_seq = column_u64(s);
	fetched->snapshot_serial = (uint32_t)column_u64(s);
	if (!column_digest(s, &fetched->snapshot_digest))
		return damaged(fetched->key, err, "the digest of its snapshot is damaged");
	fetched->format = (enum draft_format)column_u64(s);
	fetched->len = column_u64(s);
	fetched->checksum = column_u64(s);
	if (!column_is_null(s)) return snapshot_file_open(store, fetched, column_text(s), err);
	column_text(s);
	fetched->place = "its snapshot";
	struct span body = column_octets(s);
	fetched->body = span_of(arena_copy(fetched->arena, body), body.len);
	return fetched->body.ptr ? OK : no_memory(err);
}

static enum code snapshot_fetch(struct store *store, uint64_t zone, struct fetched *fetched,
				struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_SNAPSHOT_NEWEST);
	bool found;

	bind_u64(&s, zone);
	enum code code = store_note(store, statement_step(&s, &found, err), err);
	if (!code && !found) code = damaged(fetched->key, err, "its snapshot is missing");
	if (!code) code = snapshot_row_read(store, &s, fetched, err);
	statement_end(&s);
	return code;
}

/* Everything of the zone whose row the statement stands on. */
static enum code fetch_row(struct store *store, struct statement *s, struct fetched **out,
			   struct error *err)
{
	struct arena *arena = arena_new(DECODE_OCTETS_MAX);
	struct fetched *fetched = arena ? arena_alloc(arena, sizeof *fetched) : NULL;
	struct stored_zone zone;
	struct zone_row row;
	char label[ZONE_LABEL_MAX];

	if (!fetched) {
		arena_free(arena);
		return no_memory(err);
	}
	fetched->arena = arena;
	enum code code = zone_row_read(s, &row, err);
	if (!code) code = zone_copy(&row.zone, arena, &zone, err);
	if (!code && !zone.has_version)
		code = error_set(err, E_NOT_FOUND, "zone %s has no version in the store",
				 zone_label(zone.key.name, label));
	if (!code) {
		fetched->key = zone.key;
		fetched->head = zone.head;
		code = snapshot_fetch(store, row.id, fetched, err);
	}
	struct change_list list = {.arena = arena};
	if (!code) code = changes_read(store, row.id, fetched->snapshot_seq, &list, err);
	fetched->changes = list.changes;
	fetched->checksums = list.checksums;
	fetched->change_count = list.count;
	if (code)
		fetched_free(fetched);
	else
		*out = fetched;
	return code;
}

static enum code no_such_zone(struct zone_key key, struct error *err)
{
	char label[ZONE_LABEL_MAX];

	return error_set(err, E_NOT_FOUND, "zone %s is not in the store",
			 zone_label(key.name, label));
}

enum code store_fetch(struct store *store, struct zone_key key, struct fetched **out,
		      struct error *err)
{
	struct name_buffer lower;
	bool found;
	enum code code = store_ready(store, err);

	if (code) return code;
	name_lower(key.name, &lower);
	struct statement s = statement_begin(store->db, SQL_ZONE_FIND);
	bind_text(&s, key.view);
	bind_octets(&s, span_of(lower.wire, lower.len));
	code = store_note(store, statement_step(&s, &found, err), err);
	if (!code) code = found ? fetch_row(store, &s, out, err) : no_such_zone(key, err);
	statement_end(&s);
	return code;
}

void fetched_free(struct fetched *fetched)
{
	if (!fetched) return;
	old_file_close(fetched->file);
	arena_free(fetched->arena);
}

struct zone_key fetched_key(const struct fetched *fetched)
{
	return fetched->key;
}

enum code store_load(struct store *store, struct zone_key key, struct arena *arena,
		     struct records *set, struct stored_version *version, struct error *err)
{
	struct fetched *fetched = NULL;
	enum code code = store_fetch(store, key, &fetched, err);

	if (!code) code = fetched_decode(fetched, store->crypto, arena, set, version, err);
	if (!code) {
		version->author = arena_copy_text(arena, span_of_text(version->author));
		version->reason = arena_copy_text(arena, span_of_text(version->reason));
		if (!version->author || !version->reason) code = no_memory(err);
	}
	fetched_free(fetched);
	return code;
}

enum code store_fold_find(struct store *store, uint64_t *after, struct fetched **out,
			  struct error *err)
{
	bool found;
	enum code code = store_ready(store, err);

	if (code) return code;
	struct statement s = statement_begin(store->db, SQL_ZONE_FOLD_DUE);
	bind_u64(&s, *after);
	code = store_note(store, statement_step(&s, &found, err), err);
	if (!code && !found) code = error_set(err, E_NOT_FOUND, "no zone is due to be folded");
	if (!code) {
		*after = column_u64(&s);
		s.column = -1;
		code = fetch_row(store, &s, out, err);
	}
	statement_end(&s);
	return code;
}

/* The version that the oldest wanted change leads from. */
static enum code history_seek(struct store *store, const struct zone_row *row, uint32_t from,
			      uint64_t *after, struct error *err)
{
	struct statement s = statement_begin(store->db, SQL_CHANGE_BY_SERIAL);
	bool found;

	bind_u64(&s, row->id);
	bind_u64(&s, from);
	enum code code = store_note(store, statement_step(&s, &found, err), err);
	uint64_t seq = !code && found ? column_u64(&s) : 0;
	statement_end(&s);
	if (code) return code;
	if (!seq)
		return error_set(err, E_NOT_FOUND, "the store has no change from serial %u", from);
	*after = seq - 1;
	return OK;
}

/* As changes_verify, where there is no snapshot to begin at. */
static enum code history_verify(struct store *store, const struct zone_row *row,
				struct zone_key key, const struct change_list *list,
				struct error *err)
{
	struct zone_digest digest = {0};
	uint32_t serial = list->count ? list->changes[0].from_serial : 0;
	char what[64];

	if (list->count == 0 || list->first_seq + list->count - 1 != row->zone.head.seq)
		return damaged(key, err, "a change is missing from its history");
	for (size_t i = 0; i < list->count; i++) {
		const struct change *change = &list->changes[i];
		snprintf(what, sizeof what, "change %u to %u is damaged", change->from_serial,
			 change->to_serial);
		bool whole = change_checksum(change, list->first_seq + i) == list->checksums[i] &&
			     change->from_serial == serial;
		if (whole && i > 0)
			whole = !digest_follow(&digest, change, store->crypto, NULL) &&
				zone_digest_equal(&digest, &change->digest_after);
		if (!whole) return damaged(key, err, what);
		digest = change->digest_after;
		serial = change->to_serial;
	}
	return OK;
}

enum code store_changes(struct store *store, struct zone_key key, uint32_t from,
			uint64_t octets_max, struct arena *arena, struct change **changes,
			size_t *count, struct error *err)
{
	struct change_list list = {.arena = arena};
	struct zone_row row;
	uint64_t after = 0;
	enum code code = store_ready(store, err);

	if (!code) code = zone_find(store, key, &row, err);
	if (!code) code = history_seek(store, &row, from, &after, err);
	if (!code) code = changes_read(store, row.id, after, &list, err);
	if (!code) code = history_verify(store, &row, key, &list, err);
	if (!code && list.octets > octets_max)
		code = error_set(err, E_LIMIT, "the changes from serial %u have %" PRIu64 " octets",
				 from, list.octets);
	*changes = list.changes;
	*count = list.count;
	return code;
}
