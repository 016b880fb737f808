/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_probe.h - a name's node by its hash, in line: an answer may need a dozen of them.
 *
 * What is found is not yet known to be whole: whoever walks its RRsets sees to it, or asks
 * node_check. image_probe (image_format.h) has done so.
 */
#ifndef ZONE_IMAGE_PROBE_H
#define ZONE_IMAGE_PROBE_H

#include "zone/image_format.h"
#include "zone/view.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The bucket's slots with this tag, one bit each. */
static inline unsigned bucket_slots(const uint8_t *bucket, uint8_t tag)
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

static inline const uint8_t *image_bucket(const struct image *image, uint32_t number)
{
	return image->bytes.ptr + (size_t)image->buckets_at * IMAGE_UNIT +
	       (size_t)number * IMAGE_LINE;
}

static inline const uint8_t *image_bucket_home(const struct image *image, uint64_t hash)
{
	return image_bucket(image, hash_home(hash, image->bucket_count));
}

static inline uint32_t bucket_place(const uint8_t *bucket, unsigned slot)
{
	return load_u32(bucket + BUCKET_PLACES + slot * IMAGE_UNIT);
}

/* Mostly they are the same octets; letters of either case are looked at only then. */
static inline bool owner_is(struct name owner, struct name name)
{
	size_t len = owner.len, at = 0;

	if (len != name.len) return false;
	if (len < 8) return name_equal(owner, name);
	while (at + 8 < len && load_u64(owner.wire + at) == load_u64(name.wire + at)) at += 8;
	if (at + 8 >= len && load_u64(owner.wire + len - 8) == load_u64(name.wire + len - 8))
		return true;
	return name_equal(owner, name);
}

static inline enum probe bucket_probe(const struct image *image, const uint8_t *bucket,
				      uint64_t hash, struct name name, struct node *out)
{
	for (unsigned left = bucket_slots(bucket, hash_tag(hash)); left; left &= left - 1) {
		uint32_t at = bucket_place(bucket, (unsigned)__builtin_ctz(left));
		if (at == 0) continue;
		if (!node_open(image, at, out)) return PROBE_DAMAGED;
		if (owner_is(out->owner, name)) return PROBE_FOUND;
	}
	return PROBE_NOTHING;
}

/* The name's node or tombstone in one image. */
static inline enum probe image_probe_quick(const struct image *image, uint64_t hash,
					   struct name name, struct node *out)
{
	const uint8_t *home = image_bucket_home(image, hash);
	enum probe found = bucket_probe(image, home, hash, name, out);

	if (found != PROBE_NOTHING ||
	    likely(!(load_u32(home + BUCKET_FILTER) & hash_filter_bit(hash))))
		return found;
	return bucket_probe(image, image_bucket(image, hash_second(hash, image->bucket_count)),
			    hash, name, out);
}

/* The node of a name of this hash; of several layers the newest that has it decides. */
static inline bool view_probe_quick(const struct view *view, uint64_t hash, struct name name,
				    struct node *out)
{
	for (unsigned i = 0; i < view->layer_count; i++) {
		enum probe found = image_probe_quick(&view->layers[i], hash, name, out);
		if (found != PROBE_NOTHING) return found == PROBE_FOUND && !out->is_tombstone;
	}
	return false;
}

#endif
