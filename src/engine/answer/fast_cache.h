/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast_cache.h - what was built before: referrals and proofs of nothing that are asked for
 * again and again.
 *
 * All that follows the question depends on the node and on the length of the question's
 * name, which is added to each pointer (decision 0013): it is kept with that taken off. A
 * publication never changes, and no other has its id, so nothing has to be forgotten.
 */
#ifndef ENGINE_ANSWER_FAST_CACHE_H
#define ENGINE_ANSWER_FAST_CACHE_H

#include "engine/answer/fast_write.h"

enum {
	CACHE_SLOT_BITS = 12,
	CACHE_SLOTS = 1 << CACHE_SLOT_BITS, /* in pairs */
	CACHE_POINTERS_MAX = 60,
	CACHE_OCTETS_MAX = 864,
};

/* What is asked for, and after a miss whether it is worth keeping. */
struct fast_cache_key {
	uint64_t id;      /* of the publication */
	const void *node; /* that decides what follows the question */
	bool dnssec_ok;
	bool is_no_type;  /* the node lacks a type; else it is a cut, or all of a zone */
	uint8_t name_len; /* of the question */
	uint64_t label;   /* a bit for the question's label below the node's name, or none */
	bool is_wanted;
};

struct fast_template {
	uint64_t id;
	const void *node;
	uint64_t labels; /* of questions that might hold a name in the data: those are built */
	bool dnssec_ok, is_no_type;
	uint8_t pointer_count;
	uint16_t len;
	uint16_t counts[SECTION_COUNT];
	uint16_t pointers[CACHE_POINTERS_MAX]; /* where they stand */
	uint8_t octets[CACHE_OCTETS_MAX];
};

/* Zeroed, it is empty. Most of it is never touched where few names are asked for. */
struct fast_cache {
	uint32_t seen[CACHE_SLOTS / 2]; /* who was missed last: one who comes once is not kept */
	uint32_t kept[CACHE_SLOTS];
	struct fast_template templates[CACHE_SLOTS];
};

/* Adds all that follows the question; false: it is not there, or does not fit. */
bool fast_cache_take(struct fast_cache *cache, struct fast_cache_key *key, struct fast_out *out);

/* Keeps what was built behind the question, which ends at `at`, if it is wanted. */
void fast_cache_keep(struct fast_cache *cache, const struct fast_cache_key *key,
		     const struct fast_out *out, size_t at, uint64_t labels);

/* The bit of a label of either case. */
static inline uint64_t fast_label_bit(const uint8_t *label)
{
	unsigned len = label[0], last = label[len] | 0x20u, first = label[len ? 1 : 0] | 0x20u;

	return UINT64_C(1) << ((len * 29 + first * 7 + last) & 63);
}

#endif
