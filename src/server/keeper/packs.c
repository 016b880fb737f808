/* SPDX-License-Identifier: Apache-2.0 */
#include "server/keeper/packs.h"

#include "store/store.h"
#include "zone/image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PACK_PREFIX "pack-"

enum { PIECE = 1 << 20, NUMBER_DIGITS = 16 };

static const char magic[8] = "LSPACK\r\n";
static const uint32_t order_mark = 0x01020304;

/* At the begin of the file. */
struct pack_header {
	char magic[8];
	uint32_t order;
	uint32_t format;
	uint32_t image_format;
	uint32_t reserved[11];
};

/* At its end: what it says is on the disk. */
struct pack_footer {
	uint64_t table_at, table_len;
	uint64_t table_checksum;
	uint64_t reserved[3];
	char magic[8];
	uint64_t checksum; /* of all before it */
};

/* A row of the table; the name follows it, with zeros up to a multiple of 8. */
struct pack_row {
	uint64_t seq, offset, len, checksum, digest_count;
	uint8_t digest_sum[32];
	uint32_t serial;
	uint32_t name_len;
};

_Static_assert(sizeof(struct pack_header) == PACK_ALIGNMENT, "a header is one line");
_Static_assert(sizeof(struct pack_footer) == PACK_ALIGNMENT, "so is a footer");

static size_t row_len(size_t name_len)
{
	return sizeof(struct pack_row) + (name_len + 7) / 8 * 8;
}

char *pack_name(uint64_t number, char text[static PACK_NAME_MAX])
{
	snprintf(text, PACK_NAME_MAX, PACK_PREFIX "%016" PRIx64, number);
	return text;
}

bool pack_number(const char *name, uint64_t *number)
{
	const char *digits = name + strlen(PACK_PREFIX);
	char *end;

	if (strncmp(name, PACK_PREFIX, strlen(PACK_PREFIX)) != 0) return false;
	*number = strtoull(digits, &end, 16);
	return *end == '\0' && end - digits == NUMBER_DIGITS;
}

uint64_t pack_checksum(struct span octets)
{
	uint64_t sums[2] = {0};

	if (octets.len <= PIECE) return octets_checksum(octets);
	for (size_t at = 0; at < octets.len; at += PIECE) {
		size_t left = octets.len - at;
		sums[1] = octets_checksum(span_of(octets.ptr + at, left < PIECE ? left : PIECE));
		sums[0] = octets_checksum(span_of(sums, sizeof sums));
	}
	return sums[0];
}

enum code pack_check(const struct old_file *file, uint64_t offset, uint64_t len, uint64_t checksum,
		     struct error *err)
{
	uint64_t sums[2] = {0};
	uint8_t *piece = malloc(len < PIECE ? (size_t)len : PIECE);
	enum code code = piece ? OK : error_set(err, E_NOMEM, "no memory to check an image");

	for (uint64_t at = 0; !code && at < len; at += PIECE) {
		size_t n = len - at < PIECE ? (size_t)(len - at) : PIECE;
		if ((code = old_file_read(file, offset + at, piece, n, err))) break;
		sums[1] = octets_checksum(span_of(piece, n));
		sums[0] = len <= PIECE ? sums[1] : octets_checksum(span_of(sums, sizeof sums));
	}
	free(piece);
	if (!code && sums[0] != checksum)
		code = error_set(err, E_DAMAGED, "its octets do not match their checksum");
	return code;
}

/* ---- writing ---- */

/* Small pieces become large writes. */
struct output {
	struct new_file *file;
	uint64_t at;
	uint8_t *buffer;
	size_t len;
};

static enum code output_flush(struct output *out, struct error *err)
{
	enum code code = new_file_append(out->file, span_of(out->buffer, out->len), err);

	out->len = 0;
	return code;
}

static enum code output_put(struct output *out, struct span octets, struct error *err)
{
	enum code code;

	out->at += octets.len;
	if (octets.len > PIECE - out->len && (code = output_flush(out, err))) return code;
	if (octets.len > PIECE) return new_file_append(out->file, octets, err);
	if (octets.len) memcpy(out->buffer + out->len, octets.ptr, octets.len);
	out->len += octets.len;
	return OK;
}

static enum code output_align(struct output *out, size_t alignment, struct error *err)
{
	static const uint8_t zeros[PACK_ALIGNMENT];
	size_t over = out->at % alignment;

	return over ? output_put(out, span_of(zeros, alignment - over), err) : OK;
}

static enum code images_put(struct output *out, struct pack_item *items, size_t count,
			    struct error *err)
{
	enum code code = OK;

	for (size_t i = 0; !code && i < count; i++) {
		struct pack_entry *entry = &items[i].entry;
		entry->offset = out->at;
		entry->len = items[i].image.len;
		entry->checksum = pack_checksum(items[i].image);
		code = output_put(out, items[i].image, err);
		if (!code) code = output_align(out, PACK_ALIGNMENT, err);
	}
	return code;
}

static uint8_t *table_make(const struct pack_item *items, size_t count, size_t *len)
{
	uint8_t *table, *p;

	*len = 0;
	for (size_t i = 0; i < count; i++) *len += row_len(items[i].entry.zone.len);
	if (!(table = p = calloc(1, *len ? *len : 1))) return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct pack_entry *entry = &items[i].entry;
		struct pack_row row = {.seq = entry->seq,
				       .offset = entry->offset,
				       .len = entry->len,
				       .checksum = entry->checksum,
				       .digest_count = entry->digest.count,
				       .serial = entry->serial,
				       .name_len = entry->zone.len};
		memcpy(row.digest_sum, entry->digest.sum, sizeof row.digest_sum);
		memcpy(p, &row, sizeof row);
		memcpy(p + sizeof row, entry->zone.wire, entry->zone.len);
		p += row_len(entry->zone.len);
	}
	return table;
}

static enum code body_put(struct output *out, struct pack_item *items, size_t count,
			  struct pack_footer *footer, struct error *err)
{
	struct pack_header header = {
		.order = order_mark, .format = PACK_FORMAT, .image_format = IMAGE_FORMAT};
	uint8_t *table = NULL;
	size_t len;
	enum code code;

	memcpy(header.magic, magic, sizeof magic);
	memcpy(footer->magic, magic, sizeof magic);
	code = output_put(out, span_of(&header, sizeof header), err);
	if (!code) code = images_put(out, items, count, err);
	if (!code && !(table = table_make(items, count, &len)))
		code = error_set(err, E_NOMEM, "no memory for the table of a pack");
	if (!code) {
		footer->table_at = out->at;
		footer->table_len = len;
		footer->table_checksum = octets_checksum(span_of(table, len));
		code = output_put(out, span_of(table, len), err);
	}
	if (!code) code = output_align(out, PACK_ALIGNMENT, err);
	if (!code) code = output_flush(out, err);
	free(table);
	return code;
}

enum code pack_write(const struct folder *folder, uint64_t number, struct pack_item *items,
		     size_t count, struct error *err)
{
	struct pack_footer footer = {0};
	struct output out = {.buffer = malloc(PIECE)};
	char name[PACK_NAME_MAX];
	enum code code;

	if (!out.buffer) return error_set(err, E_NOMEM, "no memory to write a pack");
	code = new_file_create(folder, pack_name(number, name), &out.file, err);
	if (code) goto out;
	code = body_put(&out, items, count, &footer, err);
	if (!code) code = new_file_sync(out.file, err);
	footer.checksum = octets_checksum(span_of(&footer, offsetof(struct pack_footer, checksum)));
	if (!code) code = new_file_append(out.file, span_of(&footer, sizeof footer), err);
	if (!code) code = new_file_sync(out.file, err);
	if (!code) code = folder_sync(folder, err);
	if (code) (void)!folder_remove(folder, name, NULL);
out:
	new_file_close(out.file);
	free(out.buffer);
	return code;
}

/* ---- reading ---- */

static enum code whole_check(struct pack *pack, const char *path, struct error *err)
{
	struct pack_header header;
	struct pack_footer footer;
	uint64_t len = pack->map.len;

	if (len < sizeof header + sizeof footer)
		return error_set(err, E_DAMAGED, "%s: it is cut off", path);
	memcpy(&header, pack->map.ptr, sizeof header);
	memcpy(&footer, pack->map.ptr + len - sizeof footer, sizeof footer);
	if (memcmp(header.magic, magic, sizeof magic) != 0)
		return error_set(err, E_DAMAGED, "%s: it is no pack of images", path);
	if (header.order != order_mark)
		return error_set(err, E_UNSUPPORTED, "%s: its byte order is another machine's",
				 path);
	if (header.format != PACK_FORMAT || header.image_format != IMAGE_FORMAT)
		return error_set(err, E_UNSUPPORTED,
				 "%s: it has format %u.%u, this server reads %d.%d", path,
				 header.format, header.image_format, PACK_FORMAT, IMAGE_FORMAT);
	if (memcmp(footer.magic, magic, sizeof magic) != 0 ||
	    footer.checksum !=
		    octets_checksum(span_of(&footer, offsetof(struct pack_footer, checksum))))
		return error_set(err, E_DAMAGED, "%s: its end is not there", path);
	if (footer.table_at > len - sizeof footer ||
	    footer.table_len > len - sizeof footer - footer.table_at)
		return error_set(err, E_DAMAGED, "%s: its table lies outside of it", path);
	pack->table = span_of(pack->map.ptr + footer.table_at, footer.table_len);
	if (octets_checksum(pack->table) != footer.table_checksum)
		return error_set(err, E_DAMAGED, "%s: its table does not match its checksum", path);
	return OK;
}

enum code pack_open(const struct folder *folder, uint64_t number, struct pack *out,
		    struct error *err)
{
	char name[PACK_NAME_MAX];
	enum code code;

	*out = (struct pack){0};
	code = old_file_open(folder, pack_name(number, name), &out->file, err);
	if (!code && old_file_len(out->file) == 0)
		code = error_set(err, E_DAMAGED, "%s: it is empty", name);
	if (!code) code = old_file_map(out->file, &out->map, err);
	if (!code) code = whole_check(out, name, err);
	if (code) pack_close(out);
	return code;
}

void pack_close(struct pack *pack)
{
	old_file_close(pack->file);
	*pack = (struct pack){0};
}

bool pack_next(const struct pack *pack, size_t *at, struct pack_entry *entry)
{
	size_t left = pack->table.len - *at;
	uint64_t images_end = (uint64_t)(pack->table.ptr - pack->map.ptr);
	struct pack_row row;

	if (left < sizeof row) return false;
	memcpy(&row, pack->table.ptr + *at, sizeof row);
	if (row.name_len > NAME_OCTETS_MAX || row_len(row.name_len) > left ||
	    row.offset > images_end || row.len > images_end - row.offset)
		return false;
	struct reader r = reader_of(span_of(pack->table.ptr + *at + sizeof row, row.name_len));
	*entry = (struct pack_entry){.seq = row.seq,
				     .serial = row.serial,
				     .digest.count = row.digest_count,
				     .offset = row.offset,
				     .len = row.len,
				     .checksum = row.checksum};
	memcpy(entry->digest.sum, row.digest_sum, sizeof row.digest_sum);
	if (!name_read_plain(&r, &entry->zone) || !reader_done(&r)) return false;
	*at += row_len(row.name_len);
	return true;
}
