/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packer.h - images into packs, in the background; packs verified and compacted.
 *
 * A zone's image lies in memory first. When the zone has been quiet for a while, it is
 * written into a pack, beside the loop, together with those of other zones; once the pack
 * is on the disk, the front is pointed there and the memory goes back. What cannot be
 * written stays in memory: nothing depends on it but how soon the next start answers.
 *
 * A pack whose octets are dead for the greater part, and small ones that are many, are
 * left: what is still published from them is packed anew, then they are removed. So is
 * one in which an image turns out to be damaged; that zone is built from the store.
 */
#ifndef SERVER_KEEPER_PACKER_H
#define SERVER_KEEPER_PACKER_H

#include "server/keeper/zones.h"

enum {
	PACK_ZONES_MAX = 16384, /* in one pack */
	PACKS_SMALL_MAX = 16,
};

#define PACK_OCTETS       ((uint64_t)64 << 20) /* of images in one pack, */
#define PACK_ALONE_OCTETS ((uint64_t)16 << 20) /* above which an image has its own */
#define PACK_SMALL_OCTETS ((uint64_t)4 << 20)
#define PACKS_DEAD_OCTETS ((uint64_t)64 << 20)  /* beyond as many as are published */
#define PACK_FREE_OCTETS  ((uint64_t)256 << 20) /* that stay free for the store */
#define PACK_QUIET        (3 * NS_PER_S)        /* of a zone, and of all before a small pack; */
#define PACK_FIRST        (300 * NS_PER_MS)     /* of a zone that is in no pack yet */
#define PACK_WAIT         (30 * NS_PER_S)       /* at most, with zones that come and come */
#define PACK_PATIENCE     (60 * NS_PER_S)       /* with a zone that is never quiet, */
#define PACK_PATIENCE_MIB (1 * NS_PER_S)        /* more for each MiB of it */
#define PACK_RETRY        (60 * NS_PER_S)

/* Its thread; `folder` is that of the packs, taken over, NULL when there is none. */
enum code packer_open(struct keeper *k, struct folder *folder, struct error *err) must_use;
void packer_close(struct keeper *k);

/* The front answers: what was put off until then begins. */
void packer_begin(struct keeper *k);

/* Its head's image has changed its place, or is to. */
void zone_pack_later(struct zone *zone);
/* The zone goes. */
void zone_packing_leave(struct zone *zone);

/* Nothing is published from the pack any more: its file goes. */
void pack_drop(struct keeper *k, const struct segment *segment);

/* The images are to be had elsewhere. */
void segment_leave(struct keeper *k, struct segment *segment);

#endif
