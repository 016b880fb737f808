/* SPDX-License-Identifier: Apache-2.0 */
/*
 * touches.h - the names that a change touches, each as it is after it.
 *
 * Those are the owners of its records and every name above one of them, up to the apex:
 * so empty non-terminals come and go with what is below them, a parent learns of its
 * wildcard child, and a layer that has a name has all names above it, too.
 */
#ifndef ZONE_TOUCHES_H
#define ZONE_TOUCHES_H

#include "zone/change.h"
#include "zone/runs.h"
#include "zone/view.h"

struct touch {
	struct name name;   /* borrowed from the change or from an image */
	struct node before; /* without octets when the name did not exist */
	struct run after;   /* its records in the set, when it is changed */
	size_t parent;      /* index of the name above it; the apex is its own */
	bool is_changed;    /* by itself; else its records are those of `before` */
	bool exists;        /* after the change */
	bool has_wildcard_child;
};

struct touches {
	struct touch *list; /* in canonical order, the apex first; in the arena */
	size_t count;
	size_t capacity;
	struct records after; /* of all changed names, sorted */
};

/*
 * Finds them, strictly: each removed record must be there with its TTL, no added one may
 * be (E_CONFLICT names the record); E_SYNTAX when a side is malformed or miscounted,
 * E_DAMAGED when the view is, E_NOMEM when `arena`, which holds all of it, is full.
 */
enum code touches_find(const struct view *before, const struct change *change, struct arena *arena,
		       struct touches *out, struct error *err);

#endif
