/* SPDX-License-Identifier: Apache-2.0 */
/* fetched.h - a zone as the disk gave it, not yet proven; for this folder only. */
#ifndef STORE_FETCHED_H
#define STORE_FETCHED_H

#include "store/state.h"

struct fetched {
	struct arena *arena; /* owns all but the file */
	struct zone_key key;
	struct stored_version head;

	uint64_t snapshot_seq;
	uint32_t snapshot_serial;
	struct zone_digest snapshot_digest;
	enum draft_format format;
	uint64_t len;
	uint64_t checksum;
	struct span body;
	struct old_file *file; /* NULL: `body` is all of it */
	const char *place;     /* for sentences: "its snapshot", or "snapshot file PATH" */

	struct change *changes; /* that follow the snapshot, oldest first */
	uint64_t *checksums;
	size_t change_count;
};

/* Each change is whole, follows the one before it, and the last leads to the head. */
enum code changes_verify(const struct fetched *fetched, struct crypto *crypto, struct error *err);

#endif
