/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/image_write.h"
#include "zone/image_format.h"

#include <assert.h>
#include <inttypes.h>

/* How often the index is made larger for names that find no room in it. */
enum { GROWTHS_MAX = 4 };

/* Of the table of shared RRsets: one set for so much of the room that there is. */
enum {
	SHARED_ENTRY = 8,
	SHARED_SET = 4 * SHARED_ENTRY,
	SHARED_SETS_MAX = 16384,
	SHARED_ROOM = 256
};

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

/* Equal RRsets are looked for among the last ones, in sets of four by their hash. */
static void shared_begin(struct image_writer *iw)
{
	size_t room = writer_room(iw->out), sets = 1;

	iw->shared_sets = 0;
	if (room < SHARED_ROOM) return;
	while (sets < SHARED_SETS_MAX && 2 * sets * SHARED_ROOM <= room) sets *= 2;
	iw->shared = iw->out->cap - sets * SHARED_SET;
	memset(iw->out->ptr + iw->shared, 0, sets * SHARED_SET);
	iw->shared_sets = (uint32_t)sets;
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
	shared_begin(iw);
}

/*
 * The place of an RRset in an earlier node that is, octet for octet, the one that was
 * written last; 0 when none is known.
 */
static uint32_t shared_find(struct image_writer *iw, size_t at)
{
	const uint8_t *image = iw->out->ptr + iw->start, *rrset = iw->out->ptr + at;
	size_t len = iw->out->len - at;
	uint64_t hash = image_checksum(span_of(rrset, len));
	uint8_t *set = iw->out->ptr + iw->shared + (hash & (iw->shared_sets - 1)) * SHARED_SET;
	uint64_t place = (at - iw->start) / IMAGE_UNIT;
	uint32_t node = (uint32_t)((iw->node - iw->start) / IMAGE_UNIT);

	for (unsigned i = 0; i < SHARED_SET; i += SHARED_ENTRY) {
		uint32_t earlier = load_u32(set + i + 4);
		if (load_u32(set + i) == (uint32_t)(hash >> 32) && earlier && earlier < node &&
		    memcmp(image + (size_t)earlier * IMAGE_UNIT, rrset, len) == 0)
			return earlier;
	}
	if (place >= RRSET_IS_SHARED) return 0;
	memmove(set + SHARED_ENTRY, set, SHARED_SET - SHARED_ENTRY);
	store_u32(set, (uint32_t)(hash >> 32));
	store_u32(set + 4, (uint32_t)place);
	return 0;
}

/* Signatures and chains are never the same twice. */
static void rrset_share(struct image_writer *iw, size_t at, uint16_t type)
{
	uint8_t head[IMAGE_UNIT];

	if (iw->out->len > iw->shared) iw->shared_sets = 0;
	if (!iw->shared_sets || type == RRTYPE_RRSIG || type == RRTYPE_NSEC || type == RRTYPE_NSEC3)
		return;
	uint32_t place = shared_find(iw, at);
	if (!place) return;
	iw->node_saved += iw->out->len - at - sizeof head;
	writer_rewind(iw->out, at);
	store_u32(head, place | RRSET_IS_SHARED);
	write_bytes(iw->out, head, sizeof head);
}

/* Where the owner stands in a node that is written here. */
static struct name owner_of(const uint8_t *node, bool is_large)
{
	return (struct name){.wire = node + (is_large ? NODE_LARGE_HEAD : NODE_HEAD),
			     .len = node[NODE_OWNER_LEN]};
}

static void plan_write(struct image_writer *iw, uint8_t *p)
{
	uint8_t plan[PLAN_NAMES_MAX * (PLAN_HASH + PLAN_ENTRY)];
	uint8_t flags = p[RRSET_FLAGS];
	bool has_hashes;
	struct rrset rrset = {
		.type = load_u16(p),
		.count = (uint16_t)iw->rdata_count,
		.name_at = flags & RRSET_NAME_AT_2 ? 2 : 0,
		.name_count = flags & RRSET_NAME_COUNT,
		.data = span_of(iw->out->ptr + iw->rrset_data, iw->out->len - iw->rrset_data),
	};
	size_t len = plan_make(&rrset, owner_of(iw->out->ptr + iw->node, false), iw->apex, iw->seed,
			       plan, &has_hashes);

	if (len == 0) return;
	p[RRSET_FLAGS] |= has_hashes ? RRSET_HAS_PLAN | RRSET_HAS_HASHES : RRSET_HAS_PLAN;
	write_bytes(iw->out, plan, len);
}

/* Moves the data behind the longer head of an RRset that needs it. */
static void rrset_widen(struct image_writer *iw, uint8_t *p, size_t data_len)
{
	enum { LONGER = RRSET_WIDE_DATA - RRSET_DATA };

	if (!writer_take(iw->out, LONGER)) return;
	memmove(p + RRSET_WIDE_DATA, p + RRSET_DATA, data_len);
	p[RRSET_COUNT] = 0;
	p[RRSET_FLAGS] |= RRSET_IS_WIDE;
	store_u16(p + RRSET_WIDE_COUNT, (uint16_t)iw->rdata_count);
	store_u32(p + RRSET_WIDE_DATA_LEN, (uint32_t)data_len);
	iw->rrset_data += LONGER;
}

static void rrset_end(struct image_writer *iw)
{
	size_t at = iw->rrset, data_len = iw->out->len - iw->rrset_data;
	uint8_t *p = written(iw, at);

	iw->rrset = 0;
	if (!at || !p) return;
	assert(iw->rdata_count > 0);
	p[RRSET_COUNT] = (uint8_t)iw->rdata_count;
	store_u16(p + RRSET_DATA_LEN, (uint16_t)data_len);
	if (iw->rdata_count > UINT8_MAX || data_len > UINT16_MAX) rrset_widen(iw, p, data_len);
	if (iw->out->overflow) return;
	plan_write(iw, p);
	pad(iw, IMAGE_UNIT);
	if (!iw->out->overflow) rrset_share(iw, at, load_u16(p));
}

/* A longer head; places of what is in this node are no longer what they were. */
static void node_enlarge(struct image_writer *iw)
{
	size_t len = iw->out->len - iw->node;
	uint8_t *p = iw->out->ptr + iw->node;

	if (!writer_take(iw->out, NODE_LARGE_HEAD - NODE_HEAD)) return;
	memmove(p + NODE_LARGE_HEAD, p + NODE_HEAD, len - NODE_HEAD);
	store_u16(p, 0);
	store_u32(p + NODE_HEAD, (uint32_t)((iw->out->len - iw->node) / IMAGE_UNIT));
	shared_begin(iw);
}

static void node_end(struct image_writer *iw)
{
	if (!iw->node) return;
	rrset_end(iw);
	uint8_t *p = written(iw, iw->node);
	size_t units = (iw->out->len - iw->node) / IMAGE_UNIT;
	if (p && units > UINT16_MAX)
		node_enlarge(iw);
	else if (p)
		store_u16(p, (uint16_t)units);
	/* Without what it shared it might have been a large one. */
	iw->plain_octets += iw->out->len - iw->node + iw->node_saved;
	if (iw->node_saved) iw->plain_octets += NODE_LARGE_HEAD - NODE_HEAD;
	iw->node = 0;
}

/* The node above the one at hand is told that it has a wildcard, where it is in this image. */
static void parent_mark(struct image_writer *iw, struct name owner, unsigned depth)
{
	struct name parent = name_parent(owner);
	uint8_t *p = written(iw, iw->start);

	if (!p || !iw->ancestors[depth - 1]) return;
	p += (size_t)iw->ancestors[depth - 1] * IMAGE_UNIT;
	if (name_equal(owner_of(p, load_u16(p) == 0), parent))
		p[NODE_FLAGS] |= NODE_HAS_WILDCARD_CHILD;
}

static bool is_lower(struct name name)
{
	struct name_buffer lower;

	name_lower(name, &lower);
	return memcmp(lower.wire, name.wire, name.len) == 0;
}

static void node_begin(struct image_writer *iw, struct name owner, unsigned flags)
{
	uint8_t head[NODE_HEAD] = {0};
	unsigned depth = name_label_count(owner) - name_label_count(iw->apex);

	node_end(iw);
	assert((iw->node_count == 0) == (owner.len == iw->apex.len));
	if (depth > 0 && name_is_wildcard(owner) && !(flags & NODE_IS_TOMBSTONE))
		parent_mark(iw, owner, depth);
	if (is_lower(owner)) flags |= NODE_IS_LOWER;
	if (iw->out->len - iw->start > IMAGE_OCTETS_MAX) fail(iw, E_LIMIT);
	iw->node = iw->out->len;
	iw->ancestors[depth] = (uint32_t)((iw->node - iw->start) / IMAGE_UNIT);
	iw->node_saved = 0;
	iw->node_count++;
	head[NODE_FLAGS] = (uint8_t)flags;
	head[NODE_OWNER_LEN] = owner.len;
	write_bytes(iw->out, head, sizeof head);
	write_bytes(iw->out, owner.wire, owner.len);
	pad(iw, IMAGE_UNIT);
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

	if (!p || (links->nsec.len == 0 && links->nsec3.len == 0)) return;
	p[NODE_FLAGS] |= NODE_HAS_LINKS;
	write_u8(iw->out, links->nsec.len);
	write_u8(iw->out, links->nsec3.len);
	write_bytes(iw->out, links->nsec.wire, links->nsec.len);
	write_bytes(iw->out, links->nsec3.wire, links->nsec3.len);
	pad(iw, IMAGE_UNIT);
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
	struct name owner = owner_of(node, false);
	node[NODE_FLAGS] |= flags_of(type, owner.len == iw->apex.len);
	unsigned kind = chain_kind(owner, type, iw->apex.len);
	if (kind < CHAIN_KIND_COUNT) iw->chain_counts[kind]++;
	iw->rrset = iw->out->len;
	iw->rdata_count = 0;
	store_u16(head, type);
	store_u32(head + RRSET_TTL, ttl);
	write_bytes(iw->out, head, sizeof head);
	iw->rrset_data = iw->out->len;
}

/*
 * Compressible names stand in a row, at the start or behind two octets, as in all types
 * of RFC 1035.
 */
static uint8_t names_find(uint16_t type, struct span rdata)
{
	uint16_t offsets[RDATA_NAME_COUNT_MAX];
	size_t found = rdata_compressible_names(type, rdata, offsets);

	if (found == 0) return 0;
	assert(found <= 2 && (offsets[0] == 0 || offsets[0] == 2));
	return (uint8_t)(found | (offsets[0] ? RRSET_NAME_AT_2 : 0u));
}

void image_write_rdata(struct image_writer *iw, struct span rdata)
{
	uint8_t *p = written(iw, iw->rrset);

	if (!p) return;
	assert(iw->rrset);
	if (iw->rdata_count++ == 0) p[RRSET_FLAGS] = names_find(load_u16(p), rdata);
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
	if (at == 0 || at < rrset->data.len) {
		fail(iw, E_DAMAGED);
		iw->rrset = 0;
	}
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

	image->buckets_at = (uint32_t)((at - iw->start) / IMAGE_UNIT);
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
	struct image image = {
		.bytes = span_of(iw->out->ptr + iw->start, iw->out->len - iw->start),
		.seed = iw->seed,
		.apex_len = iw->apex.len,
		.nodes_at = (uint32_t)(header_len(iw->apex) / IMAGE_UNIT),
		.nodes_end = (uint32_t)((iw->out->len - iw->start) / IMAGE_UNIT),
	};
	pad(iw, IMAGE_LINE);
	if (iw->out->overflow || iw->plain_octets > IMAGE_OCTETS_MAX) fail(iw, E_LIMIT);
	if (iw->code == E_DAMAGED)
		return error_set(err, E_DAMAGED, "a layer of zone %s contradicts itself",
				 name_to_text(iw->apex, text));
	if (iw->code) return limit_error(iw, err);
	image_chain_write(&image, iw->chain_counts, iw->out);
	if (iw->out->len - iw->start > IMAGE_OCTETS_MAX || !index_write(iw, &image) ||
	    iw->out->len - iw->start > IMAGE_OCTETS_MAX)
		return limit_error(iw, err);
	header_complete(iw, &image);
	return OK;
}

void image_room_node(struct image_room *room, struct name owner, const struct node_links *links)
{
	room->nodes++;
	room->octets += round_up(NODE_LARGE_HEAD + (size_t)owner.len, IMAGE_UNIT);
	if (links) room->octets += round_up(2u + links->nsec.len + links->nsec3.len, IMAGE_UNIT);
}

/* RFC 3597 4: only the types of RFC 1035, codes up to that of MX and of TXT, have such names. */
static size_t plan_octets_max(uint16_t type, size_t record_count)
{
	size_t names = record_count * (type == RRTYPE_SOA || type == RRTYPE_MINFO ? 2 : 1);

	if (type == RRTYPE_A || type > RRTYPE_MX || names > PLAN_NAMES_MAX) return 0;
	return names * (PLAN_HASH + PLAN_ENTRY);
}

void image_room_rrset(struct image_room *room, uint16_t type, size_t record_count,
		      size_t data_octets)
{
	room->octets += round_up(RRSET_WIDE_DATA + 2 * record_count + data_octets +
					 plan_octets_max(type, record_count),
				 IMAGE_UNIT);
	room->links += type == RRTYPE_NSEC || type == RRTYPE_NSEC3;
}

void image_room_image(struct image_room *room, const struct image *image)
{
	room->nodes += image_node_count(image);
	room->octets += (uint64_t)load_u32(image->bytes.ptr + HEADER_PLAIN_LEN) * IMAGE_UNIT;
	room->links += image_chain_owners(image);
}

size_t image_room_octets(const struct image_room *room, struct name apex)
{
	uint64_t buckets = bucket_count(room->nodes);

	if (room->nodes > UINT32_MAX) return 0;
	for (unsigned i = 0; i < GROWTHS_MAX; i++) buckets = bucket_count_next(buckets);
	uint64_t len = header_len(apex) + room->octets + IMAGE_LINE + buckets * IMAGE_LINE;
	len += image_chain_room(room->links);
	return len <= IMAGE_OCTETS_MAX ? len : 0;
}
