/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_format.h - where everything lies in an image; for its writer and its reader.
 *
 *   header    120 octets and the apex, then zeros up to a multiple of 4
 *   nodes     in canonical order, each a multiple of 4 octets
 *   chains    nothing when no node has NSEC or NSEC3, else from a multiple of 64 on: u32
 *             number of the owners of NSEC, of those of NSEC3, their places in canonical
 *             order, zeros up to a multiple of 64, then blocks (image_chain.c)
 *   buckets   64 octets each, at a multiple of 64: the index of all names by hash
 *
 *   node      u16 length / 4, u8 flags, u8 owner length; u32 length / 4 when the first is
 *             0; owner; links, if it has some: a length of each and then their octets;
 *             RRsets; each of these parts is a multiple of 4 octets, zeros at its end
 *   RRset     u16 type, u8 number of records, u8 flags, u32 TTL, u16 data length, data,
 *             plan. A wide one has 0, and before the data length, of u32, a number of u16.
 *             Or in 4 octets the place of an RRset in an earlier node that is the same in
 *             all of this, and the topmost bit.
 *   data      u16 length (big-endian, as in a message) and RDATA, for each record. So they
 *             are sent in any rotation without being read.
 *   plan      for each compressible name how it is sent (struct rrset_target): u8 kept, u16
 *             pointer and in its topmost bit whether it is local; where one name of the
 *             RRset is, u64 hash before each
 *   bucket    12 tags of 8 bits, a filter of 32 bits, 12 places of 32 bits
 *
 * Places are counted in units of 4 octets from the image's start, so 32 bits reach
 * 16 GiB; 0 is none. Integers are the machine's own: an image from a machine of the
 * other byte order has another format number and is compiled anew.
 *
 * Nothing of another name is in a node, or follows from one: an RRset that is shared is
 * equal, octet for octet.
 *
 * A name is found in its home bucket, or in its second one if it had no room; then a
 * bit of the home's filter is set, so that a name that does not exist costs one line.
 */
#ifndef ZONE_IMAGE_FORMAT_H
#define ZONE_IMAGE_FORMAT_H

#include "base/attributes.h"
#include "zone/image.h"
#include "zone/path.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Set in what stands for an RRset of an earlier node; so these lie in the first 8 GiB. */
#define RRSET_IS_SHARED UINT32_C(0x80000000)

#define IMAGE_MAGIC      "LKSTEPIM"
#define IMAGE_OCTETS_MAX ((uint64_t)UINT32_MAX * IMAGE_UNIT)

enum {
	IMAGE_UNIT = 4,
	IMAGE_LINE = 64,
	LINE_UNITS = IMAGE_LINE / IMAGE_UNIT,

	HEADER_MAGIC = 0,
	HEADER_FORMAT = 8,
	HEADER_LEN = 12,
	HEADER_CHECKSUM = 16, /* of all of the header behind it */
	HEADER_BODY_CHECKSUM = 24,
	HEADER_SEED = 32,
	HEADER_RECORD_COUNT = 40,
	HEADER_DIGEST_COUNT = 48,
	HEADER_DIGEST_SUM = 56,
	HEADER_IMAGE_LEN = 88, /* this, the nodes' end and plain length in units */
	HEADER_SERIAL = 92,
	HEADER_NODES_END = 96,
	HEADER_BUCKET_COUNT = 100,
	HEADER_NODE_COUNT = 104,
	HEADER_PLAIN_LEN = 108, /* what the nodes would take if none shared anything */
	HEADER_OVER = 112,      /* image_version of the layer below; 0: this is a base */
	HEADER_APEX = 120,

	SLOT_COUNT = 12,
	BUCKET_FILTER = 12,
	BUCKET_PLACES = 16,

	NODE_FLAGS = 2,
	NODE_OWNER_LEN = 3,
	NODE_HEAD = 4,
	NODE_LARGE_HEAD = 8,

	/* What a node is; bit 0 is kept for one whose answer is computed. */
	NODE_IS_CUT = 2,
	NODE_HAS_DNAME = 4,
	NODE_HAS_WILDCARD_CHILD = 8,
	NODE_IS_TOMBSTONE = 16,
	NODE_HAS_LINKS = 32,
	NODE_IS_LOWER = 64, /* its owner has no letter in upper case */

	RRSET_COUNT = 2,
	RRSET_FLAGS = 3,
	RRSET_TTL = 4,
	RRSET_DATA_LEN = 8,
	RRSET_DATA = 10,
	RRSET_WIDE_COUNT = 8,
	RRSET_WIDE_DATA_LEN = 10,
	RRSET_WIDE_DATA = 14,

	RRSET_NAME_COUNT = 3, /* these bits: compressible names of each record, 0 to 2 */
	RRSET_NAME_AT_2 = 4,  /* which stand behind two octets */
	RRSET_HAS_PLAN = 8,
	RRSET_HAS_HASHES = 16,
	RRSET_IS_WIDE = 32,

	PLAN_NAMES_MAX = 64, /* an RRset with more of them has no plan */
	PLAN_HASH = 8,
	PLAN_ENTRY = 3,
	PLAN_LOCAL = 0x8000,

	CHAIN_KIND_COUNT = 2, /* of NSEC and of NSEC3 */
	CHAIN_PLACES = CHAIN_KIND_COUNT * 4,
	BLOCK_KEYS = 4,
	BLOCK_ENTRIES = 15,
};

static inline uint16_t load_u16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t load_u32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t load_u64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline void store_u16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof v);
}

static inline void store_u32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof v);
}

static inline void store_u64(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof v);
}

static inline size_t round_up(size_t len, size_t multiple)
{
	return (len + multiple - 1) / multiple * multiple;
}

/*
 * The hash of a name from that of its parent and its first label, length octet
 * included, in lower case; the apex has the image's seed. So one pass over a name
 * gives the hashes of all its ancestors, and without the seed nobody can make names
 * that meet.
 */
static inline uint64_t hash_label(uint64_t parent, const uint8_t *label)
{
	return XXH3_64bits_withSeed(label, (size_t)label[0] + 1, parent);
}

/* The path's name must be in lower case. */
static inline uint64_t path_hash(uint64_t seed, const struct path *path)
{
	uint64_t hash = seed;

	for (unsigned depth = 1; depth <= path->depth; depth++)
		hash = hash_label(hash, path_wire(path, depth));
	return hash;
}

static inline uint8_t hash_tag(uint64_t hash)
{
	return (uint8_t)hash;
}

static inline uint32_t hash_filter_bit(uint64_t hash)
{
	return UINT32_C(1) << (hash >> 8 & 31);
}

static inline uint32_t hash_home(uint64_t hash, uint32_t bucket_count)
{
	return (uint32_t)((hash >> 32) * bucket_count >> 32);
}

/* Another bucket than the home, where there is another. */
static inline uint32_t hash_second(uint64_t hash, uint32_t bucket_count)
{
	uint64_t other = hash * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	uint32_t second = (uint32_t)(other * (bucket_count - 1) >> 32);

	return second + (bucket_count > 1 && second >= hash_home(hash, bucket_count));
}

/* Steps over the links. */
static inline bool node_skip_links(struct node *node)
{
	const uint8_t *p = node->rrsets.ptr;
	size_t len = node->rrsets.len < 2 ? SIZE_MAX : round_up(2u + p[0] + p[1], IMAGE_UNIT);

	if (len > node->rrsets.len) return false;
	node->rrsets.ptr += len;
	node->rrsets.len -= len;
	return true;
}

/*
 * Reads the node at this place and checks that it lies in the image and its owner in
 * it, but not that the owner is a name.
 */
static inline bool node_open(const struct image *image, uint32_t at, struct node *out)
{
	if (at < image->nodes_at || at >= image->nodes_end) return false;

	uint64_t left = (uint64_t)(image->nodes_end - at) * IMAGE_UNIT;
	const uint8_t *p = image->bytes.ptr + (size_t)at * IMAGE_UNIT;
	uint64_t len = (uint64_t)load_u16(p) * IMAGE_UNIT;
	size_t head = NODE_HEAD;
	uint8_t flags = p[NODE_FLAGS], owner_len = p[NODE_OWNER_LEN];
	if (unlikely(len == 0)) {
		head = NODE_LARGE_HEAD;
		if (left < head) return false;
		len = (uint64_t)load_u32(p + NODE_HEAD) * IMAGE_UNIT;
	}
	size_t rrsets = round_up(head + owner_len, IMAGE_UNIT);
	if (len > left || len < rrsets || owner_len < image->apex_len) return false;
	out->octets = p;
	out->at = at;
	out->owner.wire = p + head;
	out->owner.len = owner_len;
	out->is_apex = owner_len == image->apex_len;
	out->is_cut = flags & NODE_IS_CUT;
	out->has_dname = flags & NODE_HAS_DNAME;
	out->has_wildcard_child = flags & NODE_HAS_WILDCARD_CHILD;
	out->is_tombstone = flags & NODE_IS_TOMBSTONE;
	out->has_links = flags & NODE_HAS_LINKS;
	out->is_lower = flags & NODE_IS_LOWER;
	out->rrsets.ptr = p + rrsets;
	out->rrsets.len = (size_t)len - rrsets;
	if (out->has_links && !node_skip_links(out)) return false;
	out->is_empty = out->rrsets.len == 0;
	return true;
}

/* Where the node that was opened at this place ends. */
static inline uint32_t node_end_of(const struct node *node)
{
	const uint8_t *end = node->rrsets.ptr + node->rrsets.len;

	return node->at + (uint32_t)((size_t)(end - node->octets) / IMAGE_UNIT);
}

/* Reads an RRset that stands here, with at most `left` octets (4 at least); *len is what it takes.
 */
static inline bool rrset_open(const uint8_t *p, size_t left, struct rrset *out, size_t *len)
{
	bool is_wide = p[RRSET_FLAGS] & RRSET_IS_WIDE;
	size_t data_at = is_wide ? RRSET_WIDE_DATA : RRSET_DATA;

	if (left < data_at) return false;
	uint8_t flags = p[RRSET_FLAGS];
	size_t data_len =
		is_wide ? load_u32(p + RRSET_WIDE_DATA_LEN) : load_u16(p + RRSET_DATA_LEN);
	out->type = load_u16(p);
	out->covered = 0;
	out->count = is_wide ? load_u16(p + RRSET_WIDE_COUNT) : p[RRSET_COUNT];
	out->name_at = flags & RRSET_NAME_AT_2 ? 2 : 0;
	out->name_count = flags & RRSET_NAME_COUNT;
	out->ttl = load_u32(p + RRSET_TTL);
	out->data = span_of(p + data_at, data_len);
	out->plan = NULL;
	out->has_hashes = flags & RRSET_HAS_HASHES;
	*len = data_at + data_len;
	if (flags & RRSET_HAS_PLAN) {
		out->plan = p + *len;
		*len += (size_t)out->count * out->name_count *
			(out->has_hashes ? PLAN_HASH + PLAN_ENTRY : PLAN_ENTRY);
	}
	*len = round_up(*len, IMAGE_UNIT);
	/* Behind the length of the first record's data, whose first field it is (RFC 4034 3.1). */
	if (out->type == RRTYPE_RRSIG && data_len >= 4 && *len <= left)
		out->covered = (uint16_t)(p[data_at + 2] << 8 | p[data_at + 3]);
	return *len <= left;
}

/* node_next_rrset, in line for those who read many. */
static inline bool node_rrset_step(const struct node *node, struct rrset_cursor *cursor)
{
	size_t left = node->rrsets.len - cursor->at, len = IMAGE_UNIT, shared_len;
	const uint8_t *p = node->rrsets.ptr + cursor->at;

	if (left == 0) return false;
	uint32_t head = load_u32(p);
	if (head & RRSET_IS_SHARED) {
		/* It stands in a node before this one, so it is at an earlier place. */
		uint32_t at = head & ~RRSET_IS_SHARED;
		if (at >= node->at) return false;
		size_t back = (size_t)(node->at - at) * IMAGE_UNIT;
		p = node->octets - back;
		if (load_u32(p) & RRSET_IS_SHARED ||
		    !rrset_open(p, back, &cursor->rrset, &shared_len))
			return false;
	} else if (!rrset_open(p, left, &cursor->rrset, &len)) {
		return false;
	}
	cursor->at += len;
	return true;
}

/* rrset_target, likewise. */
static inline bool rrset_plan_read(const struct rrset *rrset, unsigned index,
				   struct rrset_target *out)
{
	if (!rrset->plan || index >= (unsigned)rrset->count * rrset->name_count) return false;

	const uint8_t *p = rrset->plan;
	out->hash = 0;
	if (rrset->has_hashes) {
		p += (size_t)index * (PLAN_HASH + PLAN_ENTRY);
		out->hash = load_u64(p);
		p += PLAN_HASH;
	} else {
		p += (size_t)index * PLAN_ENTRY;
	}
	uint16_t pointer = load_u16(p + 1);
	out->kept = p[0];
	out->pointer = pointer & (uint16_t)~PLAN_LOCAL;
	out->is_local = pointer & PLAN_LOCAL;
	return true;
}

/*
 * The nodes of one image in canonical order. *place 0 starts. False at the end, when it
 * is 0 again, and where the image is damaged, when it is not.
 */
bool image_step(const struct image *image, uint32_t *place, struct node *out);

/* All that is in the node is RRsets. */
bool node_check(const struct node *node);

/* And its owner is a name in the zone. */
bool node_is_sound(const struct image *image, const struct node *node);

enum probe { PROBE_FOUND, PROBE_NOTHING, PROBE_DAMAGED };

/*
 * The node of a name in lower case with this hash (hash_label, path_hash) in one image, or
 * its tombstone; whole when it is found.
 */
enum probe image_probe(const struct image *image, uint64_t hash, struct name name,
		       struct node *out);

/* Asks memory for what image_probe will read: first the bucket, then, when that has come, the
 * nodes. False when the bucket says that there is no such name. */
void image_probe_begin(const struct image *image, uint64_t hash);
bool image_probe_touch(const struct image *image, uint64_t hash);

/* How far a search in a chain may go: to a name, to what is before it, to the end. */
enum bound { BOUND_UP_TO, BOUND_BEFORE, BOUND_NONE };

/*
 * The last owner in one image's chain of NSEC or NSEC3 (`type`) within the bound. NOTHING:
 * there is none. What is found is whole and has that type.
 */
enum probe image_chain_find(const struct image *image, uint16_t type, struct name name,
			    enum bound bound, struct node *out);

/* Which of the chains a node with this owner and type belongs to; CHAIN_KIND_COUNT: none. */
unsigned chain_kind(struct name owner, uint16_t type, uint8_t apex_len);

/* What chains of so many owners take in an image. */
uint64_t image_chain_octets(const uint32_t counts[static CHAIN_KIND_COUNT]);

/* The same at most, however they fall in two. */
uint64_t image_chain_room(uint64_t owners);

/* How many there are in both chains, as the image says. */
uint64_t image_chain_owners(const struct image *image);

/* Appends the chains of an image whose nodes are written, `image->bytes` up to them. */
void image_chain_write(const struct image *image, const uint32_t counts[static CHAIN_KIND_COUNT],
		       struct writer *out);

/*
 * The plan of an RRset of `owner` (whose records' data is `data`), into room for
 * PLAN_NAMES_MAX entries. Returns its octets; *has_hashes as RRSET_HAS_HASHES.
 */
size_t plan_make(const struct rrset *rrset, struct name owner, struct name apex, uint64_t seed,
		 uint8_t *plan, bool *has_hashes);

/* In image.c, so that the code of the long hash is there once. */
uint64_t image_checksum(struct span octets);

/*
 * Fills the buckets, which are zero, of an image with the names of its nodes. False
 * when some name found no place: then there are too few.
 */
bool image_index_fill(uint8_t *octets, const struct image *image);

#endif
