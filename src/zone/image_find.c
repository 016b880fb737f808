/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/image_format.h"

enum probe { PROBE_FOUND, PROBE_NOTHING, PROBE_DAMAGED };

/* A bit for each slot with this tag. */
static unsigned tags_match(const uint8_t *bucket, uint8_t tag)
{
	unsigned found = 0;

	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		found |= (unsigned)(bucket[slot] == tag) << slot;
	return found;
}

static enum probe bucket_probe(const struct image *image, const uint8_t *bucket, uint64_t hash,
			       struct name name, struct node *out)
{
	for (unsigned left = tags_match(bucket, hash_tag(hash)); left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctz(left);
		uint32_t at = load_u32(bucket + BUCKET_PLACES + slot * IMAGE_UNIT);
		if (at == 0) continue;
		if (!node_open(image, at, out)) return PROBE_DAMAGED;
		if (name_equal(out->owner, name)) return PROBE_FOUND;
	}
	return PROBE_NOTHING;
}

/* The node of a name in lower case with this hash. */
static enum probe probe(const struct image *image, uint64_t hash, struct name name,
			struct node *out)
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
static enum image_result find_wildcard(const struct image *image, uint64_t hash,
				       struct name encloser, struct image_lookup *out)
{
	struct name_buffer wildcard;

	if (!out->encloser.has_wildcard_child) return IMAGE_NOTHING;
	if (!name_wildcard_child(encloser, &wildcard)) return IMAGE_DAMAGED;
	enum probe found =
		probe(image, hash_label(hash, wildcard.wire), name_of(&wildcard), &out->node);
	return found == PROBE_FOUND ? IMAGE_WILDCARD : IMAGE_DAMAGED;
}

static bool apex_open(const struct image *image, struct node *out)
{
	return node_open(image, image->nodes_at, out) && name_equal(out->owner, image->apex);
}

/* RFC 1034 4.3.2 step 3: label by label from the apex down, until something decides. */
static enum image_result find(const struct image *image, const struct path *path,
			      struct image_lookup *out)
{
	uint64_t hash = image->seed;
	struct node next;

	if (!apex_open(image, &out->node)) return IMAGE_DAMAGED;
	for (unsigned depth = 1; depth <= path->depth; depth++) {
		if (out->node.has_dname) return IMAGE_DNAME;
		uint64_t parent = hash;
		struct name name = path_name(path, depth);
		hash = hash_label(parent, name.wire);
		enum probe found = probe(image, hash, name, &next);
		if (found != PROBE_FOUND) {
			out->encloser = out->node;
			out->node = (struct node){0};
			if (found == PROBE_DAMAGED) return IMAGE_DAMAGED;
			return find_wildcard(image, parent, path_name(path, depth - 1), out);
		}
		out->node = next;
		if (next.is_cut) return IMAGE_CUT;
	}
	return IMAGE_EXACT;
}

void image_find(const struct image *image, struct name name, struct image_lookup *out)
{
	struct name_buffer lower;
	struct path path;

	*out = (struct image_lookup){.result = IMAGE_OUTSIDE};
	name_lower(name, &lower);
	if (!path_set(&path, name_of(&lower), image->apex)) return;
	out->result = find(image, &path, out);
	if (out->result == IMAGE_DAMAGED) *out = (struct image_lookup){.result = IMAGE_DAMAGED};
}

bool image_find_exact(const struct image *image, struct name name, struct node *out)
{
	struct name_buffer lower;
	struct path path;

	name_lower(name, &lower);
	if (!path_set(&path, name_of(&lower), image->apex)) return false;
	if (path.depth == 0) return apex_open(image, out);
	return probe(image, path_hash(image, &path), path.name, out) == PROBE_FOUND;
}
