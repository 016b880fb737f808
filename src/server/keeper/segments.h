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

/* The segment of this id; NULL. */
struct segment *segments_find(const struct segments *segments, uint32_t id);

/* A front is there anew, and has none of them. */
void segments_forget_sent(struct segments *segments);

/* The image's octets; valid until its segment is dropped. */
struct span segments_bytes(const struct segments *segments, const struct image_place *place);

/* From `generation` on nobody is given this image any more. */
void segments_retire(struct segments *segments, const struct image_place *place,
		     uint64_t generation);

/* Keeps the image's octets from being dropped until they are let go, as often as they were held. */
void segments_hold(struct segments *segments, const struct image_place *place);
void segments_let_go(struct segments *segments, const struct image_place *place);

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
