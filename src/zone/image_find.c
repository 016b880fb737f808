/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/image_probe.h"

enum probe image_probe(const struct image *image, uint64_t hash, struct name name, struct node *out)
{
	enum probe found = image_probe_quick(image, hash, name, out);

	return found == PROBE_FOUND && !node_check(out) ? PROBE_DAMAGED : found;
}

void image_probe_begin(const struct image *image, uint64_t hash)
{
	__builtin_prefetch(image_bucket_home(image, hash));
}

bool image_probe_touch(const struct image *image, uint64_t hash)
{
	const uint8_t *bucket = image_bucket_home(image, hash);
	unsigned slots = bucket_slots(bucket, hash_tag(hash));

	for (unsigned left = slots; left; left &= left - 1) {
		uint32_t at = bucket_place(bucket, (unsigned)__builtin_ctz(left));
		if (at < image->nodes_end)
			__builtin_prefetch(image->bytes.ptr + (size_t)at * IMAGE_UNIT);
	}
	return slots || load_u32(bucket + BUCKET_FILTER) & hash_filter_bit(hash);
}
