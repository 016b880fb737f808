/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast.h - one question on the fast path, shared by its files.
 *
 * Here and in fast_write.h packets are touched without base/reader.h and writer.h, for
 * each octet is looked at once: fast_read checks that it lies in the message, and each
 * write that it fits. False from any step means: not for us, answer() does it.
 */
#ifndef ENGINE_ANSWER_FAST_H
#define ENGINE_ANSWER_FAST_H

#include "dns/simd/fold.h"
#include "engine/front/directory.h"
#include "engine/limits.h"

enum {
	FAST_LABELS_MAX = 40,  /* of a question: enough for every reverse name */
	FAST_TARGETS_MAX = 13, /* whose addresses come along */
};

/* A name that the RRset points to, in this zone. */
struct fast_target {
	struct name name;
	uint64_t hash;
	uint16_t at;      /* where it begins in the message */
	uint16_t pointer; /* as in struct rrset_target, with the octets in front of it */
	uint8_t kept;
	bool is_below_cut; /* of a referral: its glue must be there */
};

struct fast {
	struct directory_search zone_search;
	struct publication *zone;
	struct view_search name_search;
	struct view_lookup found;
	uint16_t type;
	uint16_t octets_max; /* of the response without OPT */
	bool has_edns, dnssec_ok;
	bool wants_nsid;
	const uint8_t *cookie; /* of the client, in the request; NULL: none */
	uint8_t label_count;
	uint8_t name_len;
	uint8_t starts[FAST_LABELS_MAX]; /* of the labels in the name */
	uint8_t lower[NAME_OCTETS_MAX + FOLD_BLOCK_OCTETS];
};

struct answer_server;
struct answer_item;
struct answer_batch;

/* Header, question and OPT; the zone's table is on its way. */
bool fast_read(struct answer_batch *batch, size_t index);

/* The response from what was found. */
bool fast_build(struct answer_batch *batch, size_t index);

/* Options that OPT will have: their octets, for which room is to be kept; and adding them. */
size_t fast_options_octets(const struct answer_server *server, const struct fast *f);
uint8_t *fast_options_write(const struct answer_batch *batch, size_t index, uint8_t *p);

#endif
