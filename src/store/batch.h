/* SPDX-License-Identifier: Apache-2.0 */
/* batch.h - what a batch holds; for this folder only. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/fetched.h"

enum operation_kind {
	OPERATION_ADD_ZONE,
	OPERATION_CLAIM_ZONE,
	OPERATION_SET_ZONE,
	OPERATION_REMOVE_ZONE,
	OPERATION_PUT_CHANGE,
	OPERATION_PUT_SNAPSHOT,
	OPERATION_PUT_TIMERS,
	OPERATION_PUT_FILES,
	OPERATION_FOLD,
};

/* One thing to do. Draft and sealed belong to PUT_SNAPSHOT and FOLD. */
struct operation {
	enum operation_kind kind;
	struct zone_key key; /* lower case */
	struct draft *draft; /* owned; FOLD: may be NULL */
	struct sealed sealed;
	union {
		struct zone_entry entry;
		struct {
			struct change change;
			uint64_t seq;
		};
		struct stored_version version; /* FOLD: the head when it was fetched */
		struct zone_timers timers;
		struct {
			const struct zone_file *files;
			size_t file_count;
			uint32_t file_serial;
		};
	};
};

struct batch {
	struct arena *arena;
	struct operation *operations;
	size_t count;
	size_t capacity;
	enum code code;
	struct error err;
};

/*
 * Carries one operation out inside the open transaction; names of files that it makes
 * superfluous go to `removed`. `row` is that of the operation's zone as the operations before
 * left it, or has no id: then it is looked up.
 */
enum code operation_apply(struct store *store, const struct operation *operation,
			  struct zone_row *row, struct file_names *removed, struct error *err);

#endif
