/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/image_format.h"

/* Moves of names to their other buckets, for one name that has no room, before giving up. */
enum { MOVES_MAX = 500 };

struct index {
	uint8_t *buckets;
	const struct image *image;
	uint64_t random;
};

static uint64_t owner_hash(const struct image *image, struct name owner)
{
	struct name_buffer lower;
	struct path path = {0};

	name_lower(owner, &lower);
	path_set(&path, name_of(&lower), image_apex(image));
	return path_hash(image->seed, &path);
}

static uint8_t *bucket_of(const struct index *index, uint32_t bucket)
{
	return index->buckets + (size_t)bucket * IMAGE_LINE;
}

static void slot_set(uint8_t *bucket, unsigned slot, uint64_t hash, uint32_t at)
{
	bucket[slot] = hash_tag(hash);
	store_u32(bucket + BUCKET_PLACES + slot * IMAGE_UNIT, at);
}

static bool bucket_put(uint8_t *bucket, uint64_t hash, uint32_t at)
{
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
		if (load_u32(bucket + BUCKET_PLACES + slot * IMAGE_UNIT)) continue;
		slot_set(bucket, slot, hash, at);
		return true;
	}
	return false;
}

/* Puts the name in one of its buckets, moving others to their second ones as needed. */
static bool index_put(struct index *index, uint64_t hash, uint32_t at)
{
	uint32_t count = index->image->bucket_count, from = UINT32_MAX;

	for (unsigned moves = 0; moves < MOVES_MAX; moves++) {
		uint32_t home = hash_home(hash, count), second = hash_second(hash, count);
		if (home != from && bucket_put(bucket_of(index, home), hash, at)) return true;
		uint8_t *filter = bucket_of(index, home) + BUCKET_FILTER;
		uint32_t target = from == second ? home : second;
		uint8_t *bucket = bucket_of(index, target);
		if (target == second) store_u32(filter, load_u32(filter) | hash_filter_bit(hash));
		if (target == second && bucket_put(bucket, hash, at)) return true;

		index->random = index->random * UINT64_C(6364136223846793005) + 1;
		unsigned slot = (unsigned)((index->random >> 32) * SLOT_COUNT >> 32);
		uint32_t moved = load_u32(bucket + BUCKET_PLACES + slot * IMAGE_UNIT);
		struct node node;
		slot_set(bucket, slot, hash, at);
		if (!node_open(index->image, moved, &node)) return false;
		hash = owner_hash(index->image, node.owner);
		at = moved;
		from = target;
	}
	return false;
}

bool image_index_fill(uint8_t *octets, const struct image *image)
{
	/* Names wait here while their buckets come from memory. */
	enum { WAITING = 16 };
	struct {
		uint64_t hash;
		uint32_t at;
	} waiting[WAITING];
	struct index index = {
		.buckets = octets + (size_t)image->buckets_at * IMAGE_UNIT,
		.image = image,
	};
	struct node node;
	uint32_t place = 0;
	size_t in = 0, out = 0;
	bool more = true;

	while (more || out < in) {
		more = more && image_step(image, &place, &node);
		if (more) {
			uint64_t hash = owner_hash(image, node.owner);
			__builtin_prefetch(bucket_of(&index, hash_home(hash, image->bucket_count)));
			waiting[in % WAITING].hash = hash;
			waiting[in++ % WAITING].at = place;
		}
		if (in == out || (more && in - out < WAITING)) continue;
		if (!index_put(&index, waiting[out % WAITING].hash, waiting[out % WAITING].at))
			return false;
		out++;
	}
	return place == 0;
}
