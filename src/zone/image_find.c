/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/image_format.h"

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

/* `name` is in lower case. */
static bool owner_is(const struct node *node, struct name name)
{
	const uint8_t *a = node->owner.wire, *b = name.wire;
	size_t len = name.len;

	if (node->owner.len != len) return false;
	if (!node->is_lower || len < 8) return name_equal(node->owner, name);
	for (size_t i = 0; i + 8 < len; i += 8)
		if (load_u64(a + i) != load_u64(b + i)) return false;
	return load_u64(a + len - 8) == load_u64(b + len - 8);
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
			if (owner_is(out, name))
				return node_check(out) ? PROBE_FOUND : PROBE_DAMAGED;
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

static const uint8_t *bucket_home(const struct image *image, uint64_t hash)
{
	const uint8_t *buckets = image->bytes.ptr + (size_t)image->buckets_at * IMAGE_UNIT;

	return buckets + (size_t)hash_home(hash, image->bucket_count) * IMAGE_LINE;
}

void image_probe_begin(const struct image *image, uint64_t hash)
{
	__builtin_prefetch(bucket_home(image, hash));
}

bool image_probe_touch(const struct image *image, uint64_t hash)
{
	const uint8_t *bucket = bucket_home(image, hash);
	uint64_t left[2] = {
		tags_match(bucket, 0, hash_tag(hash)),
		tags_match(bucket, 8, hash_tag(hash)) & UINT32_MAX,
	};

	for (unsigned half = 0; half < 2; half++)
		for (uint64_t slots = left[half]; slots; slots &= slots - 1) {
			unsigned slot = half * 8 + (unsigned)__builtin_ctzll(slots) / 8;
			uint32_t at = load_u32(bucket + BUCKET_PLACES + slot * IMAGE_UNIT);
			if (at < image->nodes_end)
				__builtin_prefetch(image->bytes.ptr + (size_t)at * IMAGE_UNIT);
		}
	return left[0] || left[1] || load_u32(bucket + BUCKET_FILTER) & hash_filter_bit(hash);
}
