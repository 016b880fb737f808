/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/image_format.h"
#include "zone/view.h"

/* Octets that are zero, as a set top bit each; exact. */
static uint64_t zero_octets(uint64_t octets)
{
	const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);

	return ~(((octets & low7) + low7) | octets | low7);
}

/* The slots with this tag among the eight from `first` on, as the top bits of their octets. */
static uint64_t tags_match(const uint8_t *bucket, unsigned first, uint8_t tag)
{
	uint64_t tags = load_u64(bucket + first);

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	tags = __builtin_bswap64(tags); /* slot 0 in the lowest octet */
#endif
	return zero_octets(tags ^ UINT64_C(0x0101010101010101) * tag);
}

static enum probe bucket_probe(const struct image *image, const uint8_t *bucket, uint64_t hash,
			       struct name name, struct node *out)
{
	/* Eight tags, then the last four of them with the filter behind them, which are cut off. */
	uint64_t left[2] = {
		tags_match(bucket, 0, hash_tag(hash)),
		tags_match(bucket, 8, hash_tag(hash)) & UINT32_MAX,
	};

	for (unsigned half = 0; half < 2; half++)
		for (; left[half]; left[half] &= left[half] - 1) {
			unsigned slot = half * 8 + (unsigned)__builtin_ctzll(left[half]) / 8;
			uint32_t at = load_u32(bucket + BUCKET_PLACES + slot * IMAGE_UNIT);
			if (at == 0) continue;
			if (!node_open(image, at, out)) return PROBE_DAMAGED;
			if (name_equal(out->owner, name))
				return node_is_whole(out) ? PROBE_FOUND : PROBE_DAMAGED;
		}
	return PROBE_NOTHING;
}

enum probe image_probe(const struct image *image, uint64_t hash, struct name name, struct node *out)
{
	const uint8_t *buckets = image->bytes.ptr + (size_t)image->buckets_at * IMAGE_UNIT;
	uint32_t home = hash_home(hash, image->bucket_count);
	const uint8_t *bucket = buckets + (size_t)home * IMAGE_LINE;
	enum probe found = bucket_probe(image, bucket, hash, name, out);

	if (found != PROBE_NOTHING || !(load_u32(bucket + BUCKET_FILTER) & hash_filter_bit(hash)))
		return found;
	bucket = buckets + (size_t)hash_second(hash, image->bucket_count) * IMAGE_LINE;
	return bucket_probe(image, bucket, hash, name, out);
}

/* RFC 4592 2.2.1: a name that does not exist may come from the wildcard below its closest encloser,
 * and from no other. */
static enum view_result find_wildcard(const struct image *image, uint64_t hash,
				      struct name encloser, struct view_lookup *out)
{
	struct name_buffer wildcard;

	if (!out->encloser.has_wildcard_child) return VIEW_NOTHING;
	if (!name_wildcard_child(encloser, &wildcard)) return VIEW_DAMAGED;
	enum probe found =
		image_probe(image, hash_label(hash, wildcard.wire), name_of(&wildcard), &out->node);
	return found == PROBE_FOUND ? VIEW_WILDCARD : VIEW_DAMAGED;
}

/* RFC 1034 4.3.2 step 3: label by label from the apex down, until something decides. */
static enum view_result find(const struct image *image, const struct path *path,
			     struct view_lookup *out)
{
	uint64_t hash = image->seed;
	struct node next;

	if (!node_open(image, image->nodes_at, &out->node)) return VIEW_DAMAGED;
	for (unsigned depth = 1; depth <= path->depth; depth++) {
		if (out->node.has_dname) return VIEW_DNAME;
		uint64_t parent = hash;
		struct name name = path_name(path, depth);
		hash = hash_label(parent, name.wire);
		enum probe found = image_probe(image, hash, name, &next);
		if (found != PROBE_FOUND) {
			out->encloser = out->node;
			out->node.octets = NULL;
			if (found == PROBE_DAMAGED) return VIEW_DAMAGED;
			return find_wildcard(image, parent, path_name(path, depth - 1), out);
		}
		out->node = next;
		if (next.is_cut) return VIEW_CUT;
	}
	return VIEW_EXACT;
}

void view_find(const struct view *view, struct name name, struct view_lookup *out)
{
	struct name_buffer lower;
	struct path path;
	const struct image *image = &view->layers[0];

	out->result = VIEW_OUTSIDE;
	out->node.octets = out->encloser.octets = NULL;
	name_lower(name, &lower);
	if (!path_set(&path, name_of(&lower), image_apex(image))) return;
	out->result = find(image, &path, out);
	if (out->result == VIEW_DAMAGED) out->node.octets = out->encloser.octets = NULL;
}

bool view_find_exact(const struct view *view, struct name name, struct node *out)
{
	struct name_buffer lower;
	struct path path;
	const struct image *image = &view->layers[0];

	name_lower(name, &lower);
	if (!path_set(&path, name_of(&lower), image_apex(image))) return false;
	if (path.depth == 0) return node_open(image, image->nodes_at, out);
	return image_probe(image, path_hash(image, &path), path.name, out) == PROBE_FOUND;
}
