/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parallel.h - parts of one work side by side, for layers that know no thread.
 *
 * Who has threads fills a struct parallel; who has work cuts it into parts that share
 * nothing. The outcome must not depend on the order of the parts, so with NULL, or with
 * any other runner, it is the same.
 */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include <stddef.h>

struct parallel {
	/* Calls part(of, i) for each i below `count`, in any order, and returns after the last. */
	void (*run)(void *context, size_t count, void (*part)(void *of, size_t i), void *of);
	void *context;
	size_t width; /* parts that run at one time, at most */
};

/* One after the other when `parallel` is NULL. */
static inline void parallel_run(const struct parallel *parallel, size_t count,
				void (*part)(void *of, size_t i), void *of)
{
	if (parallel && count > 1) {
		parallel->run(parallel->context, count, part, of);
		return;
	}
	for (size_t i = 0; i < count; i++) part(of, i);
}

/* How many parts are worth making. */
static inline size_t parallel_width(const struct parallel *parallel)
{
	return parallel && parallel->width ? parallel->width : 1;
}

#endif
