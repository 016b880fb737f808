/* SPDX-License-Identifier: Apache-2.0 */
/* suggest.h - "did you mean": the known word nearest to what was typed. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base/span.h"

/*
 * The candidate with the fewest edits (insert, delete, replace, swap of neighbours;
 * case does not count) from `typed`, if that is at most a third of its length;
 * NULL when none is that near. The first of equals wins.
 */
const char *suggest(struct span typed, const char *const *candidates, size_t count);

#endif
