/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_format.h - where everything lies in an image; for its writer and its reader.
 *
 *   header    120 octets and the apex, then zeros up to a multiple of 4
 *   nodes     in canonical order, each a multiple of 4 octets
 *   buckets   64 octets each, at a multiple of 64: the index of all names by hash
 *
 *   bucket    12 tags of 8 bits, a filter of 32 bits, 12 places of 32 bits
 *   node      u32 length / 4, u16 RRset count, u8 flags, u8 owner length, owner,
 *             RRsets, zeros up to a multiple of 4
 *   RRset     u16 type, u16 record count, u32 TTL, u32 data length,
 *             u8 place and u8 number of compressible names, data
 *   data      u16 length (big-endian, as in a message) and RDATA, for each record
 *
 * Places are counted in units of 4 octets from the image's start, so 32 bits reach
 * 16 GiB; 0 is none. Integers are the machine's own: an image from a machine of the
 * other byte order has another format number and is compiled anew.
 *
 * A name is found in its home bucket, or in its second one if it had no room; then a
 * bit of the home's filter is set, so that a name that does not exist costs one line.
 */
#ifndef ZONE_IMAGE_FORMAT_H
#define ZONE_IMAGE_FORMAT_H

#include "zone/image.h"
#include "zone/path.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

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

	NODE_RRSET_COUNT = 4,
	NODE_FLAGS = 6,
	NODE_OWNER_LEN = 7,
	NODE_OWNER = 8,

	RRSET_COUNT = 2,
	RRSET_TTL = 4,
	RRSET_DATA_LEN = 8,
	RRSET_NAME_AT = 12,
	RRSET_NAME_COUNT = 13,
	RRSET_DATA = 14,

	NODE_IS_APEX = 1,
	NODE_IS_CUT = 2,
	NODE_HAS_DNAME = 4,
	NODE_HAS_WILDCARD_CHILD = 8,
	NODE_IS_TOMBSTONE = 16,
	NODE_HAS_LINKS = 32,
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
static inline uint64_t path_hash(const struct image *image, const struct path *path)
{
	uint64_t hash = image->seed;

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

/* The RRsets lie behind the links, which are a length of each and then their octets. */
static inline bool node_skip_links(struct node *node)
{
	const uint8_t *p = node->rrsets.ptr;
	size_t len = node->rrsets.len < 2 ? SIZE_MAX : 2u + p[0] + p[1];

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
	if (left < NODE_OWNER) return false;
	uint64_t len = (uint64_t)load_u32(p) * IMAGE_UNIT;
	uint8_t flags = p[NODE_FLAGS], owner_len = p[NODE_OWNER_LEN];
	if (len > left || len < NODE_OWNER + (uint64_t)owner_len || owner_len < image->apex_len)
		return false;
	out->octets = p;
	out->owner.wire = p + NODE_OWNER;
	out->owner.len = owner_len;
	out->rrset_count = load_u16(p + NODE_RRSET_COUNT);
	out->is_apex = flags & NODE_IS_APEX;
	out->is_cut = flags & NODE_IS_CUT;
	out->has_dname = flags & NODE_HAS_DNAME;
	out->has_wildcard_child = flags & NODE_HAS_WILDCARD_CHILD;
	out->is_tombstone = flags & NODE_IS_TOMBSTONE;
	out->has_links = flags & NODE_HAS_LINKS;
	out->rrsets.ptr = p + NODE_OWNER + owner_len;
	out->rrsets.len = (size_t)len - NODE_OWNER - owner_len;
	return !out->has_links || node_skip_links(out);
}

/*
 * The nodes of one image in canonical order. *place 0 starts. False at the end, when it
 * is 0 again, and where the image is damaged, when it is not.
 */
bool image_step(const struct image *image, uint32_t *place, struct node *out);

/* Every RRset that the node says it has lies in it. */
bool node_is_whole(const struct node *node);

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

/* In image.c, so that the code of the long hash is there once. */
uint64_t image_checksum(struct span octets);

/*
 * Fills the buckets, which are zero, of an image with the names of its nodes. False
 * when some name found no place under this seed: the buckets are to be zeroed then.
 */
bool image_index_fill(uint8_t *octets, const struct image *image);

#endif
