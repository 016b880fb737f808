/* SPDX-License-Identifier: Apache-2.0 */
/* path.h - a name as the way to it from its zone's apex down. */
#ifndef ZONE_PATH_H
#define ZONE_PATH_H

#include "dns/name.h"

struct path {
	struct name name;                    /* borrowed */
	unsigned depth;                      /* labels below the apex */
	uint8_t starts[LABEL_COUNT_MAX + 1]; /* of the name itself first, of the apex last */
};

/* False when the name is not the apex or below it. */
static inline bool path_set(struct path *path, struct name name, struct name apex)
{
	unsigned count = 0, at = 0, end = (unsigned)name.len - apex.len;

	if (name.len < apex.len) return false;
	for (; at < end; at += name.wire[at] + 1u) path->starts[count++] = (uint8_t)at;
	if (at != end || !name_equal((struct name){.wire = name.wire + at, .len = apex.len}, apex))
		return false;
	path->starts[count] = (uint8_t)at;
	path->name = name;
	path->depth = count;
	return true;
}

/* The first label, and all that follows, of the ancestor at this depth: the apex at 0. */
static inline const uint8_t *path_wire(const struct path *path, unsigned depth)
{
	return path->name.wire + path->starts[path->depth - depth];
}

static inline struct name path_name(const struct path *path, unsigned depth)
{
	unsigned start = path->starts[path->depth - depth];

	return (struct name){.wire = path->name.wire + start,
			     .len = (uint8_t)(path->name.len - start)};
}

/* Labels below the apex that both have. */
static inline unsigned paths_shared(const struct path *a, const struct path *b)
{
	unsigned depth = 0;

	while (depth < a->depth && depth < b->depth) {
		const uint8_t *x = path_wire(a, depth + 1);
		const uint8_t *y = path_wire(b, depth + 1);
		struct name x_label = {.wire = x, .len = (uint8_t)(x[0] + 1)};
		struct name y_label = {.wire = y, .len = (uint8_t)(y[0] + 1)};
		if (!name_equal(x_label, y_label)) break;
		depth++;
	}
	return depth;
}

#endif
