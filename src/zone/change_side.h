/* SPDX-License-Identifier: Apache-2.0 */
/* change_side.h - one side of a change, record by record; for those who apply it. */
#ifndef ZONE_CHANGE_SIDE_H
#define ZONE_CHANGE_SIDE_H

#include "zone/change.h"

struct change_side {
	struct reader reader;
	const uint8_t *wire; /* of `record`; NULL: the side is at its end */
	struct record record;
	uint64_t left; /* records that the change says are still to come */
	const char *what;
};

/* Both stand at their first records then. E_SYNTAX and E_CONFLICT as change_side_next. */
enum code change_sides_open(const struct change *change, struct change_side *removed,
			    struct change_side *added, struct error *err);

/*
 * Steps on. E_SYNTAX when what follows is no record or the side holds more or fewer than
 * it says, E_CONFLICT when it does not go up strictly in canonical order: then a record
 * would be looked for behind its place.
 */
enum code change_side_next(struct change_side *side, struct error *err);

/* Which of the records at hand comes first: <0 the removed one, 0 they are equal, >0 the
 * added one. One of the sides must have one. */
int change_sides_order(const struct change_side *removed, const struct change_side *added);

/* E_CONFLICT: "WHAT: OWNER TTL TYPE". */
enum code change_conflict(const struct record *record, const char *what, struct error *err);

#endif
