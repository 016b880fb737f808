/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners of NSEC, or of NSEC3, in canonical order, and a tree of blocks over them.
 *
 * A block is one line of memory: what its names and the one behind them begin with, as a
 * number of octets (u16, then zeros up to 4), and of each of up to 15 names the next four
 * octets (as a number, so that the order is kept). Whoever gets to a block has a name that
 * lies between its first and the one behind it, so that name begins in the same way.
 * Equal numbers are told apart by the names themselves. The lowest level has a key for each
 * owner; a level above one for the first of each block below, the topmost is one block.
 *
 * "Begins" means the form in which names are in canonical order octet by octet: labels from
 * the apex down, in lower case, each ended by 0; octets 0 and 1 are 1 followed by 1 or 2.
 */
#include "zone/image_format.h"

#include <assert.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { ORDERED_MAX = 2 * NAME_OCTETS_MAX, KEY_OCTETS = 4, LEVELS_MAX = 9, HASH_LABEL = 32 };

/* A name in the form that has its order. */
struct ordered {
	unsigned len;
	uint8_t octets[ORDERED_MAX + KEY_OCTETS]; /* and zeros for one key */
};

struct chain {
	const struct image *image;
	const uint8_t *places;
	const uint8_t *blocks; /* the lowest level first */
	uint32_t count;
};

unsigned chain_kind(struct name owner, uint16_t type, uint8_t apex_len)
{
	if (type == RRTYPE_NSEC) return 0;
	if (type != RRTYPE_NSEC3 || owner.wire[0] != HASH_LABEL ||
	    owner.len != HASH_LABEL + 1 + apex_len)
		return CHAIN_KIND_COUNT;
	for (unsigned i = 1; i <= HASH_LABEL; i++) {
		uint8_t digit = owner.wire[i], letter = digit | 0x20;
		if ((digit < '0' || digit > '9') && (letter < 'a' || letter > 'v'))
			return CHAIN_KIND_COUNT;
	}
	return 1;
}

static uint32_t blocks_for(uint32_t entries)
{
	return entries / BLOCK_ENTRIES + (entries % BLOCK_ENTRIES != 0);
}

static uint64_t tree_octets(uint32_t count)
{
	uint64_t blocks = 0;

	for (uint32_t level = count; level > 0; level = level > 1 ? level : 0) {
		level = blocks_for(level);
		blocks += level;
	}
	return blocks * IMAGE_LINE;
}

static uint64_t places_octets(const uint32_t counts[static CHAIN_KIND_COUNT])
{
	uint64_t count = (uint64_t)counts[0] + counts[1];

	return round_up(CHAIN_PLACES + count * IMAGE_UNIT, IMAGE_LINE);
}

uint64_t image_chain_octets(const uint32_t counts[static CHAIN_KIND_COUNT])
{
	if (counts[0] == 0 && counts[1] == 0) return 0;
	return places_octets(counts) + tree_octets(counts[0]) + tree_octets(counts[1]);
}

uint64_t image_chain_room(uint64_t owners)
{
	uint32_t counts[CHAIN_KIND_COUNT] = {(uint32_t)owners};

	return owners ? image_chain_octets(counts) + LEVELS_MAX * IMAGE_LINE : 0;
}

uint64_t image_chain_owners(const struct image *image)
{
	size_t from = round_up((size_t)image->nodes_end * IMAGE_UNIT, IMAGE_LINE);
	const uint8_t *p = image->bytes.ptr + from;

	if (from >= (size_t)image->buckets_at * IMAGE_UNIT) return 0;
	return (uint64_t)load_u32(p) + load_u32(p + 4);
}

/* False when there is no such chain; *is_damaged then says whether there should be one. */
static bool chain_open(const struct image *image, unsigned kind, struct chain *out,
		       bool *is_damaged)
{
	size_t from = round_up((size_t)image->nodes_end * IMAGE_UNIT, IMAGE_LINE);
	size_t end = (size_t)image->buckets_at * IMAGE_UNIT;
	const uint8_t *p = image->bytes.ptr + from;

	*is_damaged = false;
	if (from >= end) return false;
	uint32_t counts[CHAIN_KIND_COUNT] = {load_u32(p), load_u32(p + 4)};
	*is_damaged = image_chain_octets(counts) != end - from;
	if (*is_damaged || counts[kind] == 0) return false;
	*out = (struct chain){
		.image = image,
		.places = p + CHAIN_PLACES + (kind ? (size_t)counts[0] * IMAGE_UNIT : 0),
		.blocks = p + places_octets(counts) + (kind ? tree_octets(counts[0]) : 0),
		.count = counts[kind],
	};
	return true;
}

/* Eight octets of a label in the form that has their order; false where one becomes two. */
static bool order_eight(const uint8_t *from, uint8_t *to)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t octets = load_u64(from), low = octets & ~tops;

	/* The top bit of each octet that is at least 2; one that has it is. */
	if ((((low + ones * (0x80 - 2)) | octets) & tops) != tops) return false;
	uint64_t upper = (low + ones * (0x80 - 'A')) & ~(low + ones * (0x80 - 'Z' - 1));
	octets |= (upper & ~octets & tops) >> 2;
	store_u64(to, octets);
	return true;
}

/* False when the name does not end where labels do. */
static bool order(struct name name, unsigned apex_len, struct ordered *out)
{
	uint8_t starts[LABEL_COUNT_MAX + 1];
	unsigned labels = 0, at = 0, end = name.len - apex_len;
	uint8_t *p = out->octets;

	for (; at < end && labels < LABEL_COUNT_MAX; at += name.wire[at] + 1u)
		starts[labels++] = (uint8_t)at;
	if (at != end) return false;
	while (labels-- > 0) {
		const uint8_t *label = name.wire + starts[labels];
		unsigned i = 1;
		for (; i + 7 <= label[0] && order_eight(label + i, p); i += 8) p += 8;
		for (; i <= label[0]; i++) {
			uint8_t octet = label[i];
			if ((uint8_t)(octet - 'A') < 26) octet |= 0x20;
			if (octet <= 1) {
				*p++ = 1;
				octet++;
			}
			*p++ = octet;
		}
		*p++ = 0;
	}
	out->len = (unsigned)(p - out->octets);
	memset(p, 0, KEY_OCTETS);
	return true;
}

static int ordered_compare(const struct ordered *a, const struct ordered *b)
{
	int difference = memcmp(a->octets, b->octets, a->len < b->len ? a->len : b->len);

	return difference ? difference : (int)a->len - (int)b->len;
}

/* The octets of a name behind what its block has in common. */
static uint32_t key_of(const struct ordered *name, unsigned common)
{
	const uint8_t *p = name->octets + common;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool owner_open(const struct chain *chain, uint32_t index, struct node *out)
{
	return node_open(chain->image, load_u32(chain->places + (size_t)index * IMAGE_UNIT), out);
}

static bool owner_order(const struct chain *chain, uint32_t index, struct ordered *out)
{
	struct node node;

	return owner_open(chain, index, &node) && order(node.owner, chain->image->apex_len, out);
}

static bool block_write(const struct chain *chain, uint32_t first, uint32_t entries, uint32_t step,
			uint8_t *out)
{
	/* Without a 64-bit sum the last block of a huge chain would seem to be followed. */
	uint64_t behind = (uint64_t)first + (uint64_t)entries * step;
	uint32_t bound = behind < chain->count ? (uint32_t)behind : chain->count - 1;
	struct ordered name, last;
	unsigned common = 0;

	if (!owner_order(chain, first, &name) || !owner_order(chain, bound, &last)) return false;
	while (common < name.len && common < last.len && name.octets[common] == last.octets[common])
		common++;
	store_u16(out, (uint16_t)common);
	for (uint32_t i = 0; i < entries; i++) {
		if (!owner_order(chain, first + i * step, &name)) return false;
		store_u32(out + BLOCK_KEYS + i * KEY_OCTETS, key_of(&name, common));
	}
	return true;
}

static void tree_write(const struct chain *chain, uint8_t *out)
{
	uint32_t step = 1;

	for (uint32_t entries = chain->count; entries > 0;) {
		uint32_t blocks = blocks_for(entries);
		for (uint32_t b = 0; b < blocks; b++, out += IMAGE_LINE) {
			uint32_t from = b * BLOCK_ENTRIES, left = entries - from;
			bool whole =
				block_write(chain, from * step,
					    left < BLOCK_ENTRIES ? left : BLOCK_ENTRIES, step, out);
			assert(whole);
		}
		entries = blocks > 1 ? blocks : 0;
		step *= BLOCK_ENTRIES;
	}
}

/* The nodes were written a moment ago, so they are sound. */
static void places_write(const struct image *image, uint8_t *const places[static CHAIN_KIND_COUNT])
{
	size_t counts[CHAIN_KIND_COUNT] = {0};
	struct node node;

	for (uint32_t at = image->nodes_at; at < image->nodes_end; at = node_end_of(&node)) {
		struct rrset_cursor cursor = {0};
		bool is_open = node_open(image, at, &node);
		assert(is_open);
		while (node_next_rrset(&node, &cursor)) {
			unsigned kind = chain_kind(node.owner, cursor.rrset.type, image->apex_len);
			if (kind == CHAIN_KIND_COUNT) continue;
			store_u32(places[kind] + counts[kind]++ * IMAGE_UNIT, at);
		}
	}
}

void image_chain_write(const struct image *image, const uint32_t counts[static CHAIN_KIND_COUNT],
		       struct writer *out)
{
	size_t len = image_chain_octets(counts), places_len = places_octets(counts);
	uint8_t *p = writer_take(out, len);

	if (len == 0 || !p) return;
	memset(p, 0, len);
	store_u32(p, counts[0]);
	store_u32(p + 4, counts[1]);
	uint8_t *places[CHAIN_KIND_COUNT] = {p + CHAIN_PLACES,
					     p + CHAIN_PLACES + (size_t)counts[0] * IMAGE_UNIT};
	uint8_t *blocks[CHAIN_KIND_COUNT] = {p + places_len,
					     p + places_len + tree_octets(counts[0])};
	places_write(image, places);
	for (unsigned kind = 0; kind < CHAIN_KIND_COUNT; kind++) {
		struct chain chain = {
			.image = image, .places = places[kind], .count = counts[kind]};
		tree_write(&chain, blocks[kind]);
	}
}

/* How many of the keys are below, and how many are not above. */
static void keys_count(const uint8_t *block, uint32_t key, unsigned entries, unsigned *below,
		       unsigned *not_above)
{
#if defined(__SSE2__)
	/* All of the line at once; what comes before the keys is the lowest bit. */
	const __m128i sign = _mm_set1_epi32(INT32_MIN);
	const __m128i wanted = _mm_xor_si128(_mm_set1_epi32((int)key), sign);
	unsigned less = 0, equal = 0, end = 1u << entries;

	for (unsigned i = 0; i < IMAGE_LINE / sizeof(__m128i); i++) {
		__m128i keys = _mm_loadu_si128((const __m128i *)(const void *)block + i);
		keys = _mm_xor_si128(keys, sign);
		__m128 lt = _mm_castsi128_ps(_mm_cmplt_epi32(keys, wanted));
		__m128 eq = _mm_castsi128_ps(_mm_cmpeq_epi32(keys, wanted));
		less |= (unsigned)_mm_movemask_ps(lt) << (4 * i);
		equal |= (unsigned)_mm_movemask_ps(eq) << (4 * i);
	}
	/* They are in order, so those in front are counted. */
	*below = (unsigned)__builtin_ctz(~(less >> 1) | end);
	*not_above = (unsigned)__builtin_ctz(~((less | equal) >> 1) | end);
#else
	*below = *not_above = 0;
	for (unsigned i = 0; i < entries; i++) {
		uint32_t other = load_u32(block + BLOCK_KEYS + i * KEY_OCTETS);
		*below += other < key;
		*not_above += other <= key;
	}
#endif
}

/*
 * The last of the block's entries that is not behind the name: its first one is not, so
 * says the level above.
 */
static bool block_search(const struct chain *chain, const uint8_t *block, uint32_t first,
			 unsigned entries, uint32_t step, const struct ordered *name,
			 unsigned *found)
{
	unsigned common = load_u16(block), low, high;

	if (common > name->len) return false;
	keys_count(block, key_of(name, common), entries, &low, &high);
	if (low > 0) low--;
	/* Entry `low` is not behind the name, `high` is; between them keys are equal. */
	while (high > low + 1) {
		unsigned middle = (low + high) / 2;
		struct ordered other;
		if (!owner_order(chain, first + middle * step, &other)) return false;
		if (ordered_compare(&other, name) <= 0)
			low = middle;
		else
			high = middle;
	}
	*found = low;
	return high > 0;
}

/* The index of the last owner that is not behind a name that lies between the first and last. */
static bool tree_search(const struct chain *chain, const struct ordered *name, uint32_t *index)
{
	uint32_t counts[LEVELS_MAX], step = 1, entry = 0;
	const uint8_t *levels[LEVELS_MAX], *p = chain->blocks;
	unsigned level = 0;

	counts[0] = chain->count;
	for (levels[0] = p; counts[level] > BLOCK_ENTRIES; step *= BLOCK_ENTRIES, level++) {
		counts[level + 1] = blocks_for(counts[level]);
		p += (size_t)counts[level + 1] * IMAGE_LINE;
		levels[level + 1] = p;
	}
	for (;; level--, step /= BLOCK_ENTRIES) {
		uint32_t from = entry * BLOCK_ENTRIES, left = counts[level] - from;
		const uint8_t *block = levels[level] + (size_t)entry * IMAGE_LINE;
		unsigned found;
		if (level == 0) __builtin_prefetch(chain->places + (size_t)from * IMAGE_UNIT);
		if (!block_search(chain, block, from * step,
				  left < BLOCK_ENTRIES ? left : BLOCK_ENTRIES, step, name, &found))
			return false;
		entry = from + found;
		if (level == 0) break;
	}
	*index = entry;
	return true;
}

/* The index of the last owner within the bound; `count` when there is none. */
static bool bound_search(const struct chain *chain, struct name name, enum bound bound,
			 uint32_t *index)
{
	struct ordered wanted, other;

	*index = chain->count - 1;
	if (bound == BOUND_NONE) return true;
	if (!order(name, chain->image->apex_len, &wanted) || !owner_order(chain, 0, &other))
		return false;
	if (ordered_compare(&wanted, &other) < 0) {
		*index = chain->count;
		return true;
	}
	if (!owner_order(chain, *index, &other)) return false;
	if (ordered_compare(&wanted, &other) < 0 && !tree_search(chain, &wanted, index))
		return false;
	if (bound == BOUND_UP_TO) return true;
	if (!owner_order(chain, *index, &other)) return false;
	if (ordered_compare(&wanted, &other) == 0) *index = *index == 0 ? chain->count : *index - 1;
	return true;
}

enum probe image_chain_find(const struct image *image, uint16_t type, struct name name,
			    enum bound bound, struct node *out)
{
	struct chain chain;
	struct rrset rrset;
	bool is_damaged;
	uint32_t index;

	if (!chain_open(image, type == RRTYPE_NSEC3, &chain, &is_damaged))
		return is_damaged ? PROBE_DAMAGED : PROBE_NOTHING;
	if (!bound_search(&chain, name, bound, &index)) return PROBE_DAMAGED;
	if (index == chain.count) return PROBE_NOTHING;
	if (!owner_open(&chain, index, out) || !node_is_sound(image, out) ||
	    !node_rrset(out, type, &rrset))
		return PROBE_DAMAGED;
	return PROBE_FOUND;
}
