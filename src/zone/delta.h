/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta.h - the next version of a zone as a layer over what is there.
 *
 * A change costs what it holds, not what the zone holds: the names it touches become a
 * small image, the top, over a delta and a base (view.h). Each change writes the top anew;
 * when it has grown, top and delta become one; when the delta has grown, delta and base
 * are merged in the background. A small zone has no layers: it is written whole.
 */
#ifndef ZONE_DELTA_H
#define ZONE_DELTA_H

#include "zone/change.h"
#include "zone/merge.h"
#include "zone/view.h"

enum {
	ZONE_WHOLE_OCTETS_MAX = 64 << 10, /* images up to this are written whole */
	TOP_NODES_MAX = 256,              /* then it goes into the delta */
	DELTA_NODES_MAX = 64 << 10,       /* then it goes into the base, or before: */
	DELTA_BASE_RATIO = 10,            /* with this part of the base's nodes */
};

struct view_update {
	struct span octets; /* the newest layer, in the arena; to be copied to a segment */
	unsigned stay;      /* as many of the oldest layers stay below it */
	bool is_merge_due;  /* they have grown: view_merge is to be begun */
};

/*
 * What `change` makes of the version `before`, which has a layer. `merging` is the number
 * of the oldest layers that a view_merge reads at this time, and that stay therefore.
 *
 * E_CONFLICT  the change was made for another version, removes what is not there, adds
 *             what is, or leaves an RRset with several TTLs: the record is named.
 * E_SYNTAX    it is malformed.
 * E_DAMAGED   a layer is: the zone is to be compiled anew.
 * E_LIMIT     the image would be larger than 16 GiB.
 * E_NOMEM     `arena`, which all memory comes from, is full.
 */
enum code view_apply(const struct view *before, const struct change *change, unsigned merging,
		     struct arena *arena, struct view_update *out, struct error *err);

/*
 * The oldest layers of a zone made into one base, a piece at a time. The version is the
 * same, so a layer that was made over them in the meantime fits over their base.
 */
struct view_merge {
	struct merge merge;
	struct image_writer writer;
	uint64_t done, total; /* nodes; what the merge takes in all is at most `total` */
};

/* The `oldest` of the view's layers (at least 1) as a view of their own. */
struct view view_oldest(const struct view *view, unsigned oldest);

/* Octets that the base needs at most; 0 when they may be more than 16 GiB. */
size_t view_merge_room(const struct view *layers);

/* Borrows the layers and `out` until the end. E_DAMAGED as above. */
enum code view_merge_begin(struct view_merge *merge, const struct view *layers, struct writer *out,
			   struct error *err);

/*
 * Merges up to `node_count` nodes more. True while there is more to do; then, and after an
 * error, `*code` is not to be relied on: OK so far. At the end the base stands in `out`; the
 * last step takes longer, as it writes the index. After an error `out` is to be thrown away.
 */
bool view_merge_step(struct view_merge *merge, size_t node_count, enum code *code,
		     struct error *err);

#endif
