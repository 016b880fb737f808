/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.h - layers of a zone, and what a change touches, written as one layer.
 *
 * Some of the newest layers of a view (or all, or none) become one image with what the
 * touched names are after a change; the layers below stay as they are. It is read in
 * canonical order and written as it goes, so it takes no memory but the image's.
 */
#ifndef ZONE_MERGE_H
#define ZONE_MERGE_H

#include "zone/image_write.h"
#include "zone/touches.h"
#include "zone/view_layers.h"

/* The last name that the new layer takes out of a chain, and where it leads. */
struct merge_hidden {
	struct name name, link; /* borrowed from the layers below; len 0: none */
};

struct merge {
	struct name apex;
	uint64_t seed;
	struct view upper, lower; /* what becomes one, what stays below */
	struct touches touches;
	size_t touched; /* how many are done */
	struct view_cursor walk;
	struct node head; /* of `upper`; without octets at the end */
	struct name last; /* the name that was handed out last */
	struct merge_hidden nsec, nsec3;
};

/* `newest` of the view's layers are merged; `touches` may be NULL. All is borrowed. */
enum code merge_begin(struct merge *merge, const struct view *view, unsigned newest,
		      const struct touches *touches, struct error *err);

/* What stands in the new layer next. */
struct merge_item {
	struct name name;
	const struct touch *touch; /* NULL: as `node` has it */
	struct node node;
	bool is_tombstone;
	struct node_links links;
};

/* False at the end, and at an error, when `*code` is not OK. */
bool merge_next(struct merge *merge, struct merge_item *item, enum code *code, struct error *err);

/* E_CONFLICT when the records that the change leaves are no RRset. */
enum code merge_item_write(const struct merge *merge, const struct merge_item *item,
			   struct image_writer *iw, struct error *err);

/*
 * All of a merge that has just begun, as an image in `arena` with these facts; what it was
 * made over is filled in. E_LIMIT and E_DAMAGED as image_write_finish, E_NOMEM.
 */
enum code merge_write(struct merge *merge, const struct image_facts *facts, struct arena *arena,
		      struct span *octets, struct error *err);

#endif
