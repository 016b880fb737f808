/* SPDX-License-Identifier: Apache-2.0 */
/* path.h - a name as the way to it from its zone's apex down. */
#ifndef ZONE_PATH_H
#define ZONE_PATH_H

#include "dns/name.h"

struct path {
	struct name name;                    /* borrowed */
	unsigned depth;                      /* labels below the apex */
	uint8_t starts[LABEL_COUNT_MAX + 1]; /* [d]: where its ancestor at depth d begins */
};

/* False when the name is not the apex or below it; the path is as it was. */
static inline bool path_set(struct path *path, struct name name, struct name apex)
{
	uint8_t upwards[LABEL_COUNT_MAX];
	unsigned count = 0, at = 0, end = (unsigned)name.len - apex.len;

	if (!name_is_below(name, apex)) return false;
	for (; at < end; at += name.wire[at] + 1u) upwards[count++] = (uint8_t)at;
	path->name = name;
	path->depth = count;
	path->starts[0] = (uint8_t)at;
	for (unsigned depth = 1; depth <= count; depth++)
		path->starts[depth] = upwards[count - depth];
	return true;
}

/* The ancestor at this depth; the name itself at its own, the apex at 0. */
static inline struct name path_name(const struct path *path, unsigned depth)
{
	unsigned start = path->starts[depth];

	return (struct name){.wire = path->name.wire + start,
			     .len = (uint8_t)(path->name.len - start)};
}

/* Labels below the apex that both have. */
static inline unsigned paths_shared(const struct path *a, const struct path *b)
{
	unsigned depth = 0;

	while (depth < a->depth && depth < b->depth) {
		const uint8_t *x = a->name.wire + a->starts[depth + 1];
		const uint8_t *y = b->name.wire + b->starts[depth + 1];
		struct name x_label = {.wire = x, .len = (uint8_t)(x[0] + 1)};
		struct name y_label = {.wire = y, .len = (uint8_t)(y[0] + 1)};
		if (!name_equal(x_label, y_label)) break;
		depth++;
	}
	return depth;
}

#endif
