/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Octets gather in a buffer that grows up to what a row holds. What fits it becomes
 * a row; at the first octet more, a file is made, and the buffer is emptied into it
 * each time it is full.
 */
#include "store/state.h"

#include "dns/zone_text.h"
#include "host/random.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

enum {
	BUFFER_MIN = 4096,
	LABEL_PART_MAX = 100, /* octets of a file's name that tell the zone */
};

struct draft {
	const struct folder *folder;
	enum draft_format format;
	size_t row_max;
	struct writer buffer; /* owned */
	uint64_t flushed;     /* octets in the file, before the buffer's */
	XXH3_state_t *checksum;
	struct new_file *file; /* NULL: all is in the buffer, or it is sealed */
	char name[FILE_NAME_MAX + 1];
	struct zone_digest digest;
	bool has_digest;
	bool has_file;
	bool sealed;
	bool kept;
};

/* "example.com-0123456789abcdef.zone": a name that was never used before. */
static void name_make(struct draft *draft, struct name zone)
{
	char label[NAME_TEXT_MAX];
	size_t len = strlen(name_to_text(zone, label));

	if (len > LABEL_PART_MAX) len = LABEL_PART_MAX;
	while (len > 1 && label[len - 1] == '.') len--;
	for (size_t i = 0; i < len; i++) {
		bool plain = (label[i] >= 'a' && label[i] <= 'z') ||
			     (label[i] >= '0' && label[i] <= '9') || strchr("-_.", label[i]);
		if (!plain) label[i] = '_';
	}
	if (label[0] == '.') label[0] = '_'; /* the root, or a file that ls hides */
	snprintf(draft->name, sizeof draft->name, "%.*s-%016llx.%s", (int)len, label,
		 (unsigned long long)random_u64(),
		 draft->format == DRAFT_TEXT ? "zone" : "records");
}

enum code draft_new(const struct store *store, struct name zone, enum draft_format format,
		    struct draft **out, struct error *err)
{
	struct draft *draft = calloc(1, sizeof *draft);
	struct name_buffer lower;

	if (!draft || !(draft->checksum = XXH3_createState())) {
		free(draft);
		return error_set(err, E_NOMEM, "no memory for a snapshot");
	}
	XXH3_64bits_reset(draft->checksum);
	draft->folder = store->snapshots;
	draft->format = format;
	draft->row_max = store->row_max;
	name_lower(zone, &lower);
	name_make(draft, name_of(&lower));
	*out = draft;
	return OK;
}

/* Empties the full buffer into the file, which the first time is made. */
static enum code flush(struct draft *draft, struct error *err)
{
	struct span octets = writer_span(&draft->buffer);
	enum code code = OK;

	if (!draft->has_file) {
		code = new_file_create(draft->folder, draft->name, &draft->file, err);
		draft->has_file = !code;
	}
	if (!code) code = new_file_append(draft->file, octets, err);
	if (code) return code;
	XXH3_64bits_update(draft->checksum, octets.ptr, octets.len);
	draft->flushed += octets.len;
	draft->buffer.len = 0;
	return OK;
}

/* Makes the buffer twice as large; one that is as large as can be is emptied. */
static enum code make_room(struct draft *draft, struct error *err)
{
	size_t cap = draft->buffer.cap ? 2 * draft->buffer.cap : BUFFER_MIN;

	if (draft->buffer.cap == draft->row_max) return flush(draft, err);
	if (cap > draft->row_max) cap = draft->row_max;
	uint8_t *larger = realloc(draft->buffer.ptr, cap);
	if (!larger) return error_set(err, E_NOMEM, "no memory for a snapshot");
	draft->buffer.ptr = larger;
	draft->buffer.cap = cap;
	return OK;
}

enum code draft_append(struct draft *draft, struct span octets, struct error *err)
{
	enum code code;

	assert(!draft->sealed);
	while (octets.len > 0) {
		size_t room = writer_room(&draft->buffer);
		size_t piece = octets.len < room ? octets.len : room;
		if (piece) write_bytes(&draft->buffer, octets.ptr, piece);
		octets.ptr += piece;
		octets.len -= piece;
		if (octets.len > 0 && (code = make_room(draft, err))) return code;
	}
	return OK;
}

/* A record's text is at most a few times its wire form, so it fits an empty buffer. */
static enum code append_text(struct draft *draft, const struct record *record, struct error *err)
{
	size_t before = draft->buffer.len;
	enum code code;

	for (;;) {
		if (draft->buffer.cap) zone_text_print(record, &draft->buffer);
		if (draft->buffer.cap && !draft->buffer.overflow) return OK;
		assert(before > 0 || draft->buffer.cap < draft->row_max);
		writer_rewind(&draft->buffer, before);
		if ((code = make_room(draft, err))) return code;
		before = draft->buffer.len;
	}
}

enum code draft_append_records(struct draft *draft, const struct records *set, struct error *err)
{
	enum code code = OK;

	for (size_t i = 0; !code && i < set->count; i++) {
		struct record record = records_get(set, i);
		if (draft->format == DRAFT_TEXT)
			code = append_text(draft, &record, err);
		else
			code = draft_append(
				draft, span_of(set->entries[i].wire, record_len(&record)), err);
	}
	return code;
}

uint64_t draft_len(const struct draft *draft)
{
	return draft->flushed + draft->buffer.len;
}

enum code draft_seal(struct draft *draft, struct sealed *out, struct error *err)
{
	enum code code = OK;

	if (!draft->sealed && draft->has_file) {
		if (draft->buffer.len) code = flush(draft, err);
		if (!code) code = new_file_sync(draft->file, err);
		if (code) return code;
		new_file_close(draft->file);
		draft->file = NULL;
	} else if (!draft->sealed) {
		XXH3_64bits_update(draft->checksum, draft->buffer.ptr, draft->buffer.len);
	}
	draft->sealed = true;
	*out = (struct sealed){
		.format = draft->format,
		.len = draft_len(draft),
		.checksum = XXH3_64bits_digest(draft->checksum),
		.file = draft->has_file ? draft->name : NULL,
		.octets = writer_span(&draft->buffer),
		.has_digest = draft->has_digest,
		.digest = draft->digest,
	};
	return OK;
}

void draft_keep(struct draft *draft)
{
	draft->kept = true;
}

void draft_free(struct draft *draft)
{
	if (!draft) return;
	new_file_close(draft->file);
	/* One that stays is removed at the next start. */
	if (draft->has_file && !draft->kept) (void)!folder_remove(draft->folder, draft->name, NULL);
	free(draft->buffer.ptr);
	XXH3_freeState(draft->checksum);
	free(draft);
}

/* All of a sealed draft, from the buffer or from the disk. */
static enum code octets_of(const struct draft *draft, const struct sealed *sealed,
			   struct arena *arena, struct span *out, struct error *err)
{
	struct old_file *file = NULL;

	*out = sealed->octets;
	if (!sealed->file) return OK;
	uint8_t *octets = arena_alloc_bytes(arena, sealed->len);
	if (!octets) return error_set(err, E_NOMEM, "no memory to read %s back", sealed->file);
	enum code code = old_file_open(draft->folder, sealed->file, &file, err);
	if (!code) code = old_file_read(file, 0, octets, sealed->len, err);
	old_file_close(file);
	*out = span_of(octets, sealed->len);
	return code;
}

enum code draft_verify(struct draft *draft, struct name zone, const struct zone_digest *digest,
		       struct crypto *crypto, struct error *err)
{
	struct arena *arena = arena_new(DECODE_OCTETS_MAX);
	struct zone_digest found;
	struct records set;
	struct sealed sealed;
	struct span text;
	enum code code = E_NOMEM;

	if (!arena) {
		error_set(err, code, "no memory to verify a snapshot");
		goto out;
	}
	records_init(&set, arena);
	if ((code = draft_seal(draft, &sealed, err))) goto out;
	if ((code = octets_of(draft, &sealed, arena, &text, err))) goto out;
	if ((code = text_read(zone, draft->name, text, &set, err))) goto out;
	if ((code = records_sort(&set, err))) goto out;
	if (!zone_digest_of(&set, crypto, &found))
		code = error_set(err, E_NOMEM, "libcrypto failed");
	else if (!zone_digest_equal(&found, digest))
		code = error_set(err, E_DAMAGED, "the zone's text does not give the zone again");
out:
	arena_free(arena);
	return code;
}

enum code draft_of_records(const struct store *store, struct name zone, const struct records *set,
			   const struct zone_digest *digest, struct crypto *crypto,
			   struct draft **out, struct error *err)
{
	bool small = set->wire_len <= store->row_max / 4;
	enum draft_format format = small ? DRAFT_TEXT : DRAFT_RECORDS;
	struct draft *draft = NULL;
	enum code code;

	*out = NULL;
	for (;;) {
		code = draft_new(store, zone, format, &draft, err);
		if (!code) code = draft_append_records(draft, set, err);
		if (!code && format == DRAFT_TEXT)
			code = draft_verify(draft, zone, digest, crypto, err);
		if (!code) break;
		draft_free(draft);
		draft = NULL;
		if (format == DRAFT_RECORDS) return code;
		/* Text that does not read back is no loss: the wire form is as good a truth. */
		format = DRAFT_RECORDS;
	}
	draft->digest = *digest;
	draft->has_digest = true;
	*out = draft;
	return OK;
}
