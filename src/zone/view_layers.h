/* SPDX-License-Identifier: Apache-2.0 */
/* view_layers.h - what those who write layers read of a view; view.h is for all others. */
#ifndef ZONE_VIEW_LAYERS_H
#define ZONE_VIEW_LAYERS_H

#include "zone/image_format.h"
#include "zone/view.h"

/*
 * As view_next, tombstones included. Where several layers have a name, the node is that of
 * the newest.
 */
bool view_next_entry(const struct view *view, struct view_cursor *cursor, struct node *out);

/*
 * Lets a walk begin behind `name`, which exists: what is below it comes next. False where
 * the view is damaged.
 */
bool view_seek(const struct view *view, struct name name, struct view_cursor *out);

/* As view_find_exact, but damage is told. */
enum probe view_probe(const struct view *view, struct name name, struct node *out);

/* The name's node or tombstone in one layer. */
enum probe layer_probe(const struct image *layer, struct name name, struct node *out);

/* Names that can be owners in the chain: of NSEC3, those right below the apex. */
bool name_fits_chain(struct name name, uint16_t type, struct name apex);

/* Is the node's name an owner in the chain of NSEC (or NSEC3)? */
bool node_is_in_chain(const struct node *node, uint16_t type, struct name apex);

/*
 * The last owner of the chain before `name`, without going round; len 0 when there is none.
 * False where the view is damaged.
 */
bool view_chain_before(const struct view *view, uint16_t type, struct name name, struct name *out);

/* A walk over the records of one node, in canonical order. Zeroed but for the node, it starts. */
struct record_walk {
	const struct node *node;
	struct rrset_cursor cursor;
	size_t at; /* in the RRset's data */
	bool has_rrset, has_record, is_damaged;
	struct record record;
};

/* False at the end and where the node is damaged; has_record then is false, too. */
bool record_walk_next(struct record_walk *walk);

enum code view_damaged(const struct view *view, struct error *err);

#endif
