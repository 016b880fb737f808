/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/image_write.h"
#include "zone/image_format.h"

#include <assert.h>
#include <inttypes.h>

/* How often the index is made larger for names that find no room in it. */
enum { GROWTHS_MAX = 4 };

static void fail(struct image_writer *iw, enum code code)
{
	if (!iw->code) iw->code = code;
}

static void write_zeros(struct writer *w, size_t len)
{
	uint8_t *p = writer_take(w, len);

	if (p) memset(p, 0, len);
}

/* What was written at this place of `out`; NULL once something did not fit. */
static uint8_t *written(const struct image_writer *iw, size_t at)
{
	return iw->out->overflow ? NULL : iw->out->ptr + at;
}

static void pad(struct image_writer *iw, size_t multiple)
{
	size_t len = iw->out->len - iw->start;

	write_zeros(iw->out, round_up(len, multiple) - len);
}

static size_t header_len(struct name apex)
{
	return round_up(HEADER_APEX + (size_t)apex.len, IMAGE_UNIT);
}

/* Names fill 85 % of the slots: 10.2 of 12. */
static uint64_t bucket_count(uint64_t nodes)
{
	return (nodes * 5 + 50) / 51;
}

static uint64_t bucket_count_next(uint64_t count)
{
	return count + count / 16 + 1;
}

void image_write_begin(struct image_writer *iw, struct name apex, uint64_t seed,
		       const struct image_facts *facts, struct writer *out)
{
	*iw = (struct image_writer){.out = out, .start = out->len, .apex = apex, .seed = seed};
	write_zeros(out, header_len(apex));
	uint8_t *p = written(iw, iw->start);
	if (!p) return;
	memcpy(p + HEADER_MAGIC, IMAGE_MAGIC, HEADER_FORMAT - HEADER_MAGIC);
	store_u32(p + HEADER_FORMAT, IMAGE_FORMAT);
	store_u32(p + HEADER_LEN, (uint32_t)header_len(apex));
	store_u64(p + HEADER_SEED, seed);
	store_u64(p + HEADER_RECORD_COUNT, facts->record_count);
	store_u64(p + HEADER_DIGEST_COUNT, facts->digest.count);
	memcpy(p + HEADER_DIGEST_SUM, facts->digest.sum, sizeof facts->digest.sum);
	store_u32(p + HEADER_SERIAL, facts->serial);
	store_u64(p + HEADER_OVER, facts->over);
	memcpy(p + HEADER_APEX, apex.wire, apex.len);
}

static void rrset_end(struct image_writer *iw)
{
	uint8_t *p = written(iw, iw->rrset);

	if (!iw->rrset || !p) return;
	assert(iw->rdata_count > 0);
	store_u16(p + RRSET_COUNT, (uint16_t)iw->rdata_count);
	store_u32(p + RRSET_DATA_LEN, (uint32_t)(iw->out->len - iw->rrset - RRSET_DATA));
	iw->rrset = 0;
}

static void node_end(struct image_writer *iw)
{
	if (!iw->node) return;
	rrset_end(iw);
	pad(iw, IMAGE_UNIT);
	uint8_t *p = written(iw, iw->node);
	if (!p) return;
	store_u32(p, (uint32_t)((iw->out->len - iw->node) / IMAGE_UNIT));
	store_u16(p + NODE_RRSET_COUNT, (uint16_t)iw->rrset_count);
	iw->plain_octets += iw->out->len - iw->node;
	iw->node = 0;
}

/* The node above the one at hand is told that it has a wildcard, where it is in this image. */
static void parent_mark(struct image_writer *iw, struct name owner, unsigned depth)
{
	struct name parent = name_parent(owner);
	uint8_t *p = written(iw, iw->start);

	if (!p || !iw->ancestors[depth - 1]) return;
	p += (size_t)iw->ancestors[depth - 1] * IMAGE_UNIT;
	struct name above = {.wire = p + NODE_OWNER, .len = p[NODE_OWNER_LEN]};
	if (name_equal(above, parent)) p[NODE_FLAGS] |= NODE_HAS_WILDCARD_CHILD;
}

static void node_begin(struct image_writer *iw, struct name owner, unsigned flags)
{
	uint8_t head[NODE_OWNER] = {0};
	unsigned depth = name_label_count(owner) - name_label_count(iw->apex);

	node_end(iw);
	assert((iw->node_count == 0) == (owner.len == iw->apex.len));
	if (depth == 0) flags |= NODE_IS_APEX;
	if (depth > 0 && name_is_wildcard(owner) && !(flags & NODE_IS_TOMBSTONE))
		parent_mark(iw, owner, depth);
	if (iw->out->len - iw->start > IMAGE_OCTETS_MAX) fail(iw, E_LIMIT);
	iw->node = iw->out->len;
	iw->ancestors[depth] = (uint32_t)((iw->node - iw->start) / IMAGE_UNIT);
	iw->rrset_count = 0;
	iw->node_count++;
	head[NODE_FLAGS] = (uint8_t)flags;
	head[NODE_OWNER_LEN] = owner.len;
	write_bytes(iw->out, head, sizeof head);
	write_bytes(iw->out, owner.wire, owner.len);
}

void image_write_node(struct image_writer *iw, struct name owner, bool has_wildcard_child)
{
	node_begin(iw, owner, has_wildcard_child ? NODE_HAS_WILDCARD_CHILD : 0);
}

void image_write_tombstone(struct image_writer *iw, struct name owner,
			   const struct node_links *links)
{
	node_begin(iw, owner, NODE_IS_TOMBSTONE);
	image_write_links(iw, links);
}

void image_write_links(struct image_writer *iw, const struct node_links *links)
{
	uint8_t *p = written(iw, iw->node);

	assert(iw->rrset_count == 0);
	if (!p || (links->nsec.len == 0 && links->nsec3.len == 0)) return;
	p[NODE_FLAGS] |= NODE_HAS_LINKS;
	write_u8(iw->out, links->nsec.len);
	write_u8(iw->out, links->nsec3.len);
	write_bytes(iw->out, links->nsec.wire, links->nsec.len);
	write_bytes(iw->out, links->nsec3.wire, links->nsec3.len);
}

/* What having such an RRset makes of a node. */
static uint8_t flags_of(uint16_t type, bool is_apex)
{
	if (type == RRTYPE_NS && !is_apex) return NODE_IS_CUT;
	return type == RRTYPE_DNAME ? NODE_HAS_DNAME : 0;
}

void image_write_rrset(struct image_writer *iw, uint16_t type, uint32_t ttl)
{
	uint8_t head[RRSET_DATA] = {0};

	assert(iw->node || iw->out->overflow);
	rrset_end(iw);
	uint8_t *node = written(iw, iw->node);
	if (!node) return;
	node[NODE_FLAGS] |= flags_of(type, node[NODE_FLAGS] & NODE_IS_APEX);
	iw->rrset = iw->out->len;
	iw->rrset_count++;
	iw->rdata_count = 0;
	store_u16(head, type);
	store_u32(head + RRSET_TTL, ttl);
	write_bytes(iw->out, head, sizeof head);
}

/*
 * Where the compressible names of each record of a type stand: `count` in a row from
 * `at` on, as all types of RFC 1035 have them. Types without have none of both.
 */
static void names_find(uint16_t type, struct span rdata, uint8_t *at, uint8_t *count)
{
	uint16_t offsets[RDATA_NAME_COUNT_MAX];
	size_t found = rdata_compressible_names(type, rdata, offsets);

	*at = found ? (uint8_t)offsets[0] : 0;
	*count = (uint8_t)found;
}

void image_write_rdata(struct image_writer *iw, struct span rdata)
{
	uint8_t *p = written(iw, iw->rrset);

	if (!p) return;
	assert(iw->rrset);
	if (iw->rdata_count++ == 0)
		names_find(load_u16(p), rdata, &p[RRSET_NAME_AT], &p[RRSET_NAME_COUNT]);
	if (iw->rdata_count > UINT16_MAX) fail(iw, E_LIMIT);
	write_u16(iw->out, (uint16_t)rdata.len);
	write_span(iw->out, rdata);
}

void image_write_rrset_copy(struct image_writer *iw, const struct rrset *rrset)
{
	struct span rdata;
	size_t at = 0;

	image_write_rrset(iw, rrset->type, rrset->ttl);
	while (rrset_next(rrset, &at, &rdata)) image_write_rdata(iw, rdata);
	if (at == 0 || at < rrset->data.len) fail(iw, E_DAMAGED);
}

void image_write_copy(struct image_writer *iw, const struct node *node)
{
	struct rrset_cursor cursor = {0};
	struct node_links links;
	unsigned flags = node->has_wildcard_child ? NODE_HAS_WILDCARD_CHILD : 0;

	if (node->is_tombstone) flags |= NODE_IS_TOMBSTONE;
	node_begin(iw, node->owner, flags);
	if (node_links(node, &links)) image_write_links(iw, &links);
	while (node_next_rrset(node, &cursor)) image_write_rrset_copy(iw, &cursor.rrset);
}

/* Appends the buckets, of which there are more each time that a name finds no room. */
static bool index_write(struct image_writer *iw, struct image *image)
{
	size_t at = iw->out->len;
	uint64_t buckets = bucket_count(iw->node_count);

	for (unsigned i = 0; i <= GROWTHS_MAX && buckets <= UINT32_MAX; i++) {
		writer_rewind(iw->out, at);
		write_zeros(iw->out, (size_t)buckets * IMAGE_LINE);
		if (iw->out->overflow) return false;
		image->bucket_count = (uint32_t)buckets;
		if (image_index_fill(iw->out->ptr + iw->start, image)) return true;
		buckets = bucket_count_next(buckets);
	}
	return false;
}

static void header_complete(const struct image_writer *iw, const struct image *image)
{
	uint8_t *p = iw->out->ptr + iw->start;
	size_t head_len = header_len(iw->apex), len = iw->out->len - iw->start;

	store_u32(p + HEADER_IMAGE_LEN, (uint32_t)(len / IMAGE_UNIT));
	store_u32(p + HEADER_NODES_END, image->nodes_end);
	store_u32(p + HEADER_BUCKET_COUNT, image->bucket_count);
	store_u32(p + HEADER_NODE_COUNT, iw->node_count);
	store_u32(p + HEADER_PLAIN_LEN, (uint32_t)(iw->plain_octets / IMAGE_UNIT));
	store_u64(p + HEADER_BODY_CHECKSUM, image_checksum(span_of(p + head_len, len - head_len)));
	store_u64(p + HEADER_CHECKSUM, image_checksum(span_of(p + HEADER_BODY_CHECKSUM,
							      head_len - HEADER_BODY_CHECKSUM)));
}

static enum code limit_error(const struct image_writer *iw, struct error *err)
{
	char text[NAME_TEXT_MAX];

	return error_set(err, E_LIMIT,
			 "no room for the image of zone %s: more than %zu octets, or 16 GiB, or "
			 "65,535 records in a set",
			 name_to_text(iw->apex, text), iw->out->cap - iw->start);
}

enum code image_write_finish(struct image_writer *iw, struct error *err)
{
	char text[NAME_TEXT_MAX];

	assert(iw->node_count > 0);
	node_end(iw);
	size_t nodes_end = iw->out->len - iw->start;
	pad(iw, IMAGE_LINE);
	if (iw->plain_octets > IMAGE_OCTETS_MAX || iw->out->overflow) fail(iw, E_LIMIT);
	if (iw->code == E_DAMAGED)
		return error_set(err, E_DAMAGED, "a layer of zone %s contradicts itself",
				 name_to_text(iw->apex, text));
	struct image image = {
		.bytes = span_of(iw->out->ptr + iw->start, iw->out->len - iw->start),
		.seed = iw->seed,
		.apex_len = iw->apex.len,
		.nodes_at = (uint32_t)(header_len(iw->apex) / IMAGE_UNIT),
		.nodes_end = (uint32_t)(nodes_end / IMAGE_UNIT),
		.buckets_at = (uint32_t)((iw->out->len - iw->start) / IMAGE_UNIT),
	};
	if (iw->code || !index_write(iw, &image) || iw->out->len - iw->start > IMAGE_OCTETS_MAX)
		return limit_error(iw, err);
	header_complete(iw, &image);
	return OK;
}

void image_room_node(struct image_room *room, struct name owner, const struct node_links *links)
{
	room->nodes++;
	room->octets += round_up(NODE_OWNER + (size_t)owner.len, IMAGE_UNIT);
	if (links) room->octets += round_up(2u + links->nsec.len + links->nsec3.len, IMAGE_UNIT);
}

void image_room_rrset(struct image_room *room, size_t record_count, size_t data_octets)
{
	room->octets += round_up(RRSET_DATA + 2 * record_count + data_octets, IMAGE_UNIT);
}

void image_room_image(struct image_room *room, const struct image *image)
{
	room->nodes += image_node_count(image);
	room->octets += (uint64_t)load_u32(image->bytes.ptr + HEADER_PLAIN_LEN) * IMAGE_UNIT;
}

size_t image_room_octets(const struct image_room *room, struct name apex)
{
	uint64_t buckets = bucket_count(room->nodes);

	for (unsigned i = 0; i < GROWTHS_MAX; i++) buckets = bucket_count_next(buckets);
	uint64_t len = header_len(apex) + room->octets + IMAGE_LINE + buckets * IMAGE_LINE;
	return len <= IMAGE_OCTETS_MAX ? len : 0;
}
