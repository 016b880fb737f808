/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segments.h - the memory in which images are published.
 *
 * The keeper writes, the front reads: a segment is a memfd of sealed size, or a pack (a
 * file), handed over once and mapped once. Octets are never reused; when nothing in a
 * segment is published any more and the front has released it, the segment goes as a whole.
 */
#ifndef SERVER_KEEPER_SEGMENTS_H
#define SERVER_KEEPER_SEGMENTS_H

#include "server/keeper/packs.h"
#include "zone/view.h"

/* An image that is larger gets a segment of its own. */
#define SEGMENT_OCTETS ((size_t)64 << 20)

/* What the newest segment may hold of dead octets when nothing else is in it. */
#define SEGMENT_IDLE_OCTETS ((size_t)1 << 20)

struct segment {
	uint32_t id; /* never used twice while the keeper runs */
	int fd;
	int reader_fd;
	struct span map;
	size_t used;
	size_t live; /* octets of images that are published or not yet released */
	bool sent;   /* the front that is there has it */
	bool is_pack;
	bool is_leaving;  /* what is in it moves elsewhere, then it goes */
	bool is_verified; /* each image that is published from it */
	uint64_t number;  /* of the pack */
	struct pack pack;
	struct segment *next;
};

/* Where an image lies. len 0: nowhere. */
struct image_place {
	uint32_t segment;
	uint64_t offset;
	uint64_t len;
};

/* Where the layers of a zone's version lie, the newest first. None: nowhere. */
struct image_places {
	struct image_place list[VIEW_LAYERS_MAX];
	unsigned count;
};

struct segments {
	struct segment *list;    /* newest first */
	struct segment *filling; /* the one of memory that images are placed in; NULL */
	uint32_t last_id;
	struct retired_image *retired; /* the front may still read them */
	size_t retired_count, retired_capacity;
};

void segments_init(struct segments *segments);
void segments_clear(struct segments *segments);

/* Copies the image in. */
enum code segments_place(struct segments *segments, struct span image, struct image_place *place,
			 struct error *err) must_use;

/* A pack takes part from now on, with nothing in it published; takes `pack` over. */
enum code segments_add_pack(struct segments *segments, struct pack *pack, uint64_t number,
			    struct segment **out, struct error *err) must_use;

bool image_place_equal(const struct image_place *a, const struct image_place *b);
bool image_places_equal(const struct image_places *a, const struct image_places *b);
bool image_places_have(const struct image_places *places, const struct image_place *place);
uint64_t image_places_octets(const struct image_places *places);

/* One of the layers lies in this segment; NULL. */
const struct image_place *image_places_in(const struct image_places *places, uint32_t segment);

/* The segment of this id; NULL. */
struct segment *segments_find(const struct segments *segments, uint32_t id);

/* A front is there anew, and has none of them. */
void segments_forget_sent(struct segments *segments);

/* The image's octets; valid until its segment is dropped. */
struct span segments_bytes(const struct segments *segments, const struct image_place *place);

/* Opens the layers as one version. */
enum code segments_view(const struct segments *segments, const struct image_places *places,
			struct view *view, struct error *err) must_use;

/* From `generation` on nobody is given this image any more. */
void segments_retire(struct segments *segments, const struct image_place *place,
		     uint64_t generation);

/* Keeps the image's octets from being dropped until they are let go, as often as they were held. */
void segments_hold(struct segments *segments, const struct image_place *place);
void segments_let_go(struct segments *segments, const struct image_place *place);
void segments_hold_all(struct segments *segments, const struct image_places *places);
void segments_let_go_all(struct segments *segments, const struct image_places *places);

/*
 * The front reads nothing older than `generation`. Closes each segment that this leaves
 * empty; before that calls `drop` for it.
 */
void segments_release(struct segments *segments, uint64_t generation,
		      void (*drop)(void *context, const struct segment *segment), void *context);

/* How many there are of a kind, the octets in them, and those of them that are published. */
struct segments_sum {
	size_t count;
	uint64_t octets, live;
};

struct segments_sum segments_sum(const struct segments *segments, bool packs);

#endif
