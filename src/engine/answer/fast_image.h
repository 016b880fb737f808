/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast_image.h - nodes by a hash that is ready, in line: an answer may need a dozen of them.
 *
 * What is found here is not yet known to be whole: whoever walks its RRsets sees to it.
 */
#ifndef ENGINE_ANSWER_FAST_IMAGE_H
#define ENGINE_ANSWER_FAST_IMAGE_H

#include "zone/image_format.h"
#include "zone/view.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The bucket's slots with this tag, one bit each. */
static inline unsigned fast_slots(const uint8_t *bucket, uint8_t tag)
{
	unsigned slots = 0;

#if defined(__SSE2__)
	__m128i tags = _mm_loadu_si128((const __m128i *)(const void *)bucket);
	slots = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag)));
#else
	for (unsigned i = 0; i < SLOT_COUNT; i++) slots |= (unsigned)(bucket[i] == tag) << i;
#endif
	return slots & ((1u << SLOT_COUNT) - 1);
}

/* Mostly they are the same octets; letters of either case are looked at only then. */
static inline bool fast_names_equal(struct name a, struct name b)
{
	size_t len = a.len, at = 0;

	if (len != b.len) return false;
	if (len < 8) return name_equal(a, b);
	while (at + 8 < len && load_u64(a.wire + at) == load_u64(b.wire + at)) at += 8;
	if (at + 8 >= len && load_u64(a.wire + len - 8) == load_u64(b.wire + len - 8)) return true;
	return name_equal(a, b);
}

static inline const uint8_t *fast_bucket(const struct image *image, uint32_t number)
{
	return image->bytes.ptr + (size_t)image->buckets_at * IMAGE_UNIT +
	       (size_t)number * IMAGE_LINE;
}

static inline bool fast_bucket_find(const struct image *image, const uint8_t *bucket, uint64_t hash,
				    struct name name, struct node *out)
{
	for (unsigned left = fast_slots(bucket, hash_tag(hash)); left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctz(left);
		uint32_t at = load_u32(bucket + BUCKET_PLACES + slot * IMAGE_UNIT);
		if (at && node_open(image, at, out) && fast_names_equal(out->owner, name))
			return true;
	}
	return false;
}

static inline bool fast_image_find(const struct image *image, uint64_t hash, struct name name,
				   struct node *out)
{
	const uint8_t *home = fast_bucket(image, hash_home(hash, image->bucket_count));

	if (fast_bucket_find(image, home, hash, name, out)) return true;
	if (likely(!(load_u32(home + BUCKET_FILTER) & hash_filter_bit(hash)))) return false;
	const uint8_t *second = fast_bucket(image, hash_second(hash, image->bucket_count));
	return fast_bucket_find(image, second, hash, name, out);
}

/* The node of a name of this hash; of several layers the newest that has it decides. */
static inline bool fast_view_find(const struct view *view, uint64_t hash, struct name name,
				  struct node *out)
{
	for (unsigned i = 0; i < view->layer_count; i++)
		if (fast_image_find(&view->layers[i], hash, name, out)) return !out->is_tombstone;
	return false;
}

static inline void fast_view_touch(const struct view *view, uint64_t hash)
{
	for (unsigned i = 0; i < view->layer_count; i++)
		__builtin_prefetch(fast_bucket(&view->layers[i],
					       hash_home(hash, view->layers[i].bucket_count)));
}

#endif
