/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h - one version of a zone as it is read: a base image and what came over it.
 *
 * Up to three images, the newest first. A name's node is that of the newest layer that
 * has one; a tombstone there says that the name is no more. As a node holds only what
 * comes from its own name's records, nothing else of a lower layer has to be rewritten
 * when a name changes (but its neighbours in the chain of NSEC or NSEC3, and the empty
 * non-terminals above it).
 */
#ifndef ZONE_VIEW_H
#define ZONE_VIEW_H

#include "zone/image.h"
#include "zone/path.h"

enum {
	VIEW_LAYERS_MAX = 3,
	VIEW_SEARCH_DEPTHS = 6, /* labels below the apex that a search in steps fetches */
};

struct view {
	struct image layers[VIEW_LAYERS_MAX]; /* the newest first */
	unsigned layer_count;                 /* 0: there is nothing to answer from */
};

/*
 * Opens `count` images, the newest first, as one version; borrows their octets.
 * E_DAMAGED and E_UNSUPPORTED as image_open; E_CONFLICT: they are not layers of one zone
 * that were made over each other.
 */
enum code view_open(const struct span *layers, size_t count, struct view *out,
		    struct error *err) must_use;

/* Of a view with at least one layer: what all of them make together. */
struct name view_apex(const struct view *view);
uint32_t view_serial(const struct view *view);
uint64_t view_record_count(const struct view *view);
void view_digest(const struct view *view, struct zone_digest *out);

/* What a name means in a zone (RFC 1034 4.3.2 step 3, RFC 4592). */
enum view_result {
	VIEW_EXACT,    /* `node` is the name itself (it may be an empty non-terminal) */
	VIEW_CUT,      /* `node` is the highest zone cut at or above the name */
	VIEW_DNAME,    /* `node` is an ancestor with DNAME that redirects the name */
	VIEW_WILDCARD, /* `node` is "*." below `encloser`, the source of synthesis */
	VIEW_NOTHING,  /* the name does not exist; `encloser` is its closest encloser */
	VIEW_OUTSIDE,  /* the name is not below the apex */
	VIEW_DAMAGED,  /* no node is told: answer SERVFAIL */
};

/* A node that is not told has no octets. */
struct view_lookup {
	enum view_result result;
	struct node node;
	struct node encloser; /* for WILDCARD and NOTHING */
};

/*
 * Finds `name`. A cut above or at the name wins over everything below it
 * (occlusion), and is found at the name itself too: whoever wants DS there, or what
 * lies below, uses view_find_exact.
 */
void view_find(const struct view *view, struct name name, struct view_lookup *out);

/* The node of exactly this name, occluded or not; false when there is none. */
bool view_find_exact(const struct view *view, struct name name, struct node *out);

/*
 * The same find in three steps, for a batch of questions: between the steps of one the
 * memory of the others is on its way. `name` is in lower case and borrowed until the end.
 */
struct view_search {
	const struct view *view;
	/* further fields are the reader's own */
	struct path path;
	unsigned known; /* so many of the names on it have their hashes here */
	bool is_inside;
	uint64_t hashes[VIEW_SEARCH_DEPTHS]; /* of the names on it, the highest first */
};

void view_search_begin(struct view_search *search, const struct view *view, struct name name);
void view_search_touch(struct view_search *search);
void view_search_end(struct view_search *search, struct view_lookup *out);

/*
 * The link of the chain of NSEC (or NSEC3) that has `name` as owner, or covers it: of all
 * owners of this type the last one that is not behind `name`, and the last of all when
 * there is none. For NSEC3 `name` is a hash below the apex (RFC 5155 3), and only owners
 * of that form count. False: the zone has no such chain, or is damaged.
 */
bool view_chain_find(const struct view *view, uint16_t type, struct name name, struct node *out);

/* Where a walk over all names stands. Zeroed, it starts. */
struct view_cursor {
	bool damaged; /* it ended before the last name */
	/* further fields are the reader's own */
	bool started;
	uint32_t at[VIEW_LAYERS_MAX];
	struct node heads[VIEW_LAYERS_MAX]; /* of several layers: what comes next in each */
};

/* The next name in canonical order, the apex first. False at the end, and at damage. */
bool view_next(const struct view *view, struct view_cursor *cursor, struct node *out);

/*
 * All records into a fresh set, sorted, copied into its arena. E_DAMAGED when they
 * are not what the images were built from, as far as counts and well-formed data tell;
 * E_NOMEM when they do not fit. After an error the set is to be thrown away.
 */
enum code view_records(const struct view *view, struct records *out, struct error *err);

#endif
