/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A damaged image never leads outside its octets, never loops, and where nothing was
 * damaged it means what it meant.
 *
 * Input: one octet that says whether the header's checksum is made right again, one
 * with the number of damages, each of them a place (2 octets) and a value, then the
 * names that are asked for, uncompressed.
 */
#include "fuzz.h"

#include "zone/image.h"
#include "zone/image_format.h"
#include "zone/view.h"

#include <assert.h>
#include <stdlib.h>

static const char *const owners[] = {
	"example.",       "example.",     "*.w.example.",    "a.b.c.example.",
	"cut.example.",   "cut.example.", "ns.cut.example.", "old.example.",
	"x.old.example.", "w.example.",   "example.",        "w.example.",
};

static const struct {
	uint16_t type;
	uint8_t len;
	char data[48];
} values[] = {
	{RRTYPE_SOA, 43, "\2ns\7example\0\1h\7example\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"},
	{RRTYPE_NS, 12, "\2ns\7example\0"},
	{RRTYPE_TXT, 3, "\2hi"},
	{RRTYPE_MX, 14, "\0\5\2ns\7example\0"},
	{RRTYPE_NS, 5, "\3cut\0"},
	{RRTYPE_RRSIG, 24, "\0\2\15\1\0\0\0\1\1\1\1\1\1\1\1\1\1\1\1x\0sig"},
	{RRTYPE_A, 4, "\300\0\2\1"},
	{RRTYPE_DNAME, 5, "\3new\0"},
	{RRTYPE_A, 4, "\300\0\2\2"},
	{RRTYPE_A, 4, "\300\0\2\3"},
	{RRTYPE_NSEC, 6, "\1w\0\0\1\2"},
	{RRTYPE_NSEC, 4, "\0\0\1\100"},
};

static void set_fill(struct records *set)
{
	for (size_t i = 0; i < ARRAY_COUNT(owners); i++) {
		struct name_buffer owner;
		assert(name_from_text(span_of_text(owners[i]), NULL, &owner, NULL) == OK);
		struct record record = {name_of(&owner), values[i].type, CLASS_IN, 300,
					span_of(values[i].data, values[i].len)};
		assert(rdata_check(record.type, record.rdata, NULL) == OK);
		assert(records_add(set, &record, (struct place){0}, NULL) == OK);
	}
	assert(records_sort(set, NULL) == OK);
}

/* The sound image, made once and kept. */
static struct span sound_image(void)
{
	static struct arena *arena;
	static struct span image;

	if (image.ptr) return image;
	arena = arena_new(1 << 20);
	struct zone_digest digest = {.count = ARRAY_COUNT(owners)};
	struct name_buffer apex;
	struct records set;
	assert(arena && name_from_text(span_of_text("example."), NULL, &apex, NULL) == OK);
	records_init(&set, arena);
	set_fill(&set);
	size_t len = image_size(&set, name_of(&apex));
	uint8_t *octets = arena_alloc_bytes(arena, len);
	assert(octets);
	struct writer w = writer_of(octets, len);
	assert(image_build(&set, name_of(&apex), 7, &digest, &w, NULL) == OK);
	image = writer_span(&w);
	return image;
}

static void lies_within(const struct image *image, struct span octets)
{
	uintptr_t from = (uintptr_t)image->bytes.ptr, at = (uintptr_t)octets.ptr;

	assert(at >= from && at - from <= image->bytes.len);
	assert(octets.len <= image->bytes.len - (at - from));
}

static void node_walk(const struct image *image, const struct node *node)
{
	struct rrset_cursor cursor = {0};
	struct rrset same;

	lies_within(image, span_of(node->owner.wire, node->owner.len));
	while (node_next_rrset(node, &cursor)) {
		size_t at = 0;
		struct span rdata;
		lies_within(image, cursor.rrset.data);
		assert(node_rrset(node, cursor.rrset.type, &same));
		while (rrset_next(&cursor.rrset, &at, &rdata)) {
			lies_within(image, rdata);
			struct reader names = reader_of(rdata);
			struct name name;
			reader_skip(&names, cursor.rrset.name_count ? cursor.rrset.name_at : 0);
			for (unsigned i = 0; i < cursor.rrset.name_count; i++)
				assert(name_read_plain(&names, &name));
		}
		assert(at <= cursor.rrset.data.len);
	}
	assert(cursor.at == node->rrsets.len);
}

static struct view view_of(const struct image *image)
{
	return (struct view){.layers = {*image}, .layer_count = 1};
}

static size_t place_of(const struct image *image, const struct node *node)
{
	return node->octets ? (size_t)(node->octets - image->bytes.ptr) : 0;
}

static void all_walk(const struct image *image, bool is_sound)
{
	struct arena *arena = arena_new(1 << 20);
	struct node node;
	struct records set;
	uint32_t place = 0;
	uint32_t count = 0;

	assert(arena);
	while (image_step(image, &place, &node)) {
		struct name_buffer copy;
		name_copy(&copy, node.owner);
		assert(name_is_below(name_of(&copy), image_apex(image)));
		node_walk(image, &node);
		count++;
	}
	assert(!is_sound || (place == 0 && count == image_node_count(image)));
	records_init(&set, arena);
	struct view view = view_of(image);
	enum code code = view_records(&view, &set, NULL);
	assert(code == OK || code == E_DAMAGED || code == E_NOMEM);
	assert(!is_sound || (code == OK && set.count == ARRAY_COUNT(owners)));
	arena_free(arena);
}

static void names_ask(const struct image *image, const struct image *sound, bool is_sound,
		      struct span rest)
{
	struct reader r = reader_of(rest);
	struct view view = view_of(image), sound_view = view_of(sound);
	struct view_lookup lookup, expected;
	struct name name;

	while (name_read_plain(&r, &name)) {
		struct node node;
		view_find(&view, name, &lookup);
		if (lookup.node.octets) node_walk(image, &lookup.node);
		if (lookup.encloser.octets) node_walk(image, &lookup.encloser);
		if (view_find_exact(&view, name, &node)) {
			assert(name_equal(node.owner, name));
			node_walk(image, &node);
		}
		for (enum bound bound = BOUND_UP_TO; bound <= BOUND_NONE; bound++) {
			if (!name_is_below(name, image_apex(image))) continue;
			if (image_chain_find(image, RRTYPE_NSEC, name, bound, &node) == PROBE_FOUND)
				node_walk(image, &node);
		}
		if (!is_sound) continue;
		view_find(&sound_view, name, &expected);
		assert(lookup.result != VIEW_DAMAGED && lookup.result == expected.result);
		assert(place_of(image, &lookup.node) == place_of(sound, &expected.node));
		assert(place_of(image, &lookup.encloser) == place_of(sound, &expected.encloser));
	}
}

static void header_sign(uint8_t *octets, size_t len)
{
	uint32_t head_len = load_u32(octets + HEADER_LEN);

	if (head_len < HEADER_APEX || head_len > len) return;
	store_u64(octets + HEADER_CHECKSUM,
		  image_checksum(
			  span_of(octets + HEADER_BODY_CHECKSUM, head_len - HEADER_BODY_CHECKSUM)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span original = sound_image();
	struct reader r = reader_of(span_of(data, size));
	bool sign = read_u8(&r) & 1;
	unsigned damages = read_u8(&r);
	struct image image, sound;

	/* Of its exact size, so that a read behind it is seen. */
	uint8_t *octets = malloc(original.len);
	assert(octets && image_open(original, &sound, NULL) == OK);
	memcpy(octets, original.ptr, original.len);
	for (unsigned i = 0; i < damages && !r.failed; i++) {
		size_t at = read_u16(&r) % original.len;
		octets[at] = read_u8(&r);
	}
	if (sign) header_sign(octets, original.len);
	bool is_sound = memcmp(octets, original.ptr, original.len) == 0;
	enum code code = image_open(span_of(octets, original.len), &image, NULL);
	assert(!is_sound || code == OK);
	if (code == OK) {
		assert(!is_sound || image_verify(&image, NULL) == OK);
		image_verify(&image, NULL);
		all_walk(&image, is_sound);
		if (!r.failed) names_ask(&image, &sound, is_sound, read_rest(&r));
	}
	free(octets);
	return 0;
}
