/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order.h - the canonical order (RFC 4034 6.1) of many names at once.
 *
 * A name becomes a key whose octets compare as the name does, so that a hundred
 * thousand of them are sorted without taking labels apart at each comparison.
 */
#ifndef CONFIG_ORDER_H
#define CONFIG_ORDER_H

#include "base/arena.h"
#include "dns/name.h"

enum { NAME_KEY_MAX = 2 * NAME_OCTETS_MAX };

struct name_order {
	uint64_t head; /* the first octets in which not all keys are the same */
	const uint8_t *key;
	uint32_t len;
	uint32_t place; /* where the name stood */
};

/* Sets key, length and place; `name` in lower case. False when the arena is full. */
bool name_order_make(struct arena *arena, struct name name, uint32_t place, struct name_order *out);

/* Sorts; equal names keep their order. False when the arena is full. */
bool names_order(struct arena *arena, struct name_order *list, size_t count);

bool name_order_equal(const struct name_order *a, const struct name_order *b);

#endif
