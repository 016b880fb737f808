/* SPDX-License-Identifier: Apache-2.0 */
#include "base/suggest.h"

enum { WORD_MAX = 48 };

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static size_t min_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment distance, with three rows of the matrix. */
static size_t distance(struct span a, struct span b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t k = 0; k <= b.len; k++) above[k] = k;
	for (size_t i = 1; i <= a.len; i++) {
		row[0] = i;
		for (size_t k = 1; k <= b.len; k++) {
			uint8_t x = lower(a.ptr[i - 1]), y = lower(b.ptr[k - 1]);
			row[k] = min_of(min_of(above[k], row[k - 1]) + 1, above[k - 1] + (x != y));
			if (i > 1 && k > 1 && x == lower(b.ptr[k - 2]) && y == lower(a.ptr[i - 2]))
				row[k] = min_of(row[k], before[k - 2] + 1);
		}
		size_t *spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[b.len];
}

const char *suggest(struct span typed, const char *const *candidates, size_t count)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;

	if (typed.len > WORD_MAX) return NULL;
	for (size_t i = 0; i < count; i++) {
		struct span candidate = span_of_text(candidates[i]);
		if (candidate.len > WORD_MAX) continue;
		size_t d = distance(typed, candidate);
		if (d < best_distance && d * 3 <= candidate.len + 1) {
			best = candidates[i];
			best_distance = d;
		}
	}
	return best;
}
