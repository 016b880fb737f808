/* SPDX-License-Identifier: Apache-2.0 */
/* records_sort.h - sorting, as the files of records see it. */
#ifndef ZONE_RECORDS_SORT_H
#define ZONE_RECORDS_SORT_H

#include "zone/records.h"

enum { KEY_OCTETS = 8 };

/* A record of a set, and eight octets of its key. */
struct item {
	uint64_t key;
	uint32_t index;
};

struct sort {
	const struct records *set;
	size_t shared_len; /* octets at the end of every owner */
	bool by_record;    /* ties of keys are decided by the records themselves */
};

/* Gives the item eight octets of its key, from `from` on; false when the key goes on after them. */
bool item_key(const struct sort *sort, struct item *item, size_t from);

/* Sorts items that agree in the first `from` octets of their keys and hold the next ones. */
void items_sort(const struct sort *sort, struct item *items, size_t count, size_t from);

/* The labels, root included, in which `end` and all owners end. */
struct name records_shared_end(const struct records *set, struct name end);

/* The order of neighbours: <0 when each is before the next, 0 with equal ones, else >0. */
int records_order(const struct records *set);

/* The file's index in the set, which gets it if it has not. Codes as records_add. */
enum code records_file_index(struct records *set, const char *file, uint16_t *index,
			     struct error *err);

/* records_join with stretches of the caller's choice, for tests. */
enum code records_join_in(size_t stretch_records, struct records *parts, size_t count,
			  const struct parallel *parallel, struct records *out,
			  struct error *err) must_use;

#endif
