/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h - records of an answer, with names that point where decision 0013 says.
 *
 * Read in full, its four rules are:
 *
 * 1. An owner that is the question's name or one of its ancestors points into the
 *    question, which stands at octet 12. The root is one octet, here and everywhere.
 * 2. Another owner points at the first place where that very name begins: at a label of
 *    an owner or of a name in RDATA that stands in the message as a label, not as a
 *    pointer. Names in RDATA of types that RFC 1035 does not have are no such places.
 * 3. An owner that is new is written as far as it differs from the end of the
 *    question's name, and points there.
 * 4. A name in RDATA of the types of RFC 1035 points at the longest end of itself that
 *    is also an end of both the question's name and the owner of its RRset in the zone
 *    (of "*.x" that is x), or that begins at a label written before in RDATA of the same
 *    RRset; the question wins where both are as long.
 *
 * What lies behind octet 16383 cannot be pointed at: it counts as not written. A record
 * that does not come from an RRset of a zone is an RRset of its own owner.
 */
#ifndef ENGINE_ANSWER_NAMES_H
#define ENGINE_ANSWER_NAMES_H

#include "dns/message_writer.h"

enum {
	NAMES_BUCKET_COUNT = 256,
	NAMES_PLACE_MAX = (COMPRESSION_OFFSET_MAX + 1) / 2, /* a label takes two octets */
};

/* A label of the message, and the name that begins there. */
struct answer_place {
	uint16_t at;
	uint16_t next; /* the older one of its bucket, counted from 1; 0: none */
	uint32_t hash; /* of the name in lower case */
};

/* Not initialised as a whole, because of its size: answer_names_begin. */
struct answer_names {
	struct name question; /* borrowed */
	size_t set_at;        /* behind the first owner of the RRset that is being written */
	size_t place_count;
	uint16_t buckets[NAMES_BUCKET_COUNT]; /* the newest place of each, from 1 */
	struct answer_place places[NAMES_PLACE_MAX];
};

/* For a message that begins with a question of this name; which is borrowed. */
void answer_names_begin(struct answer_names *names, struct name question);

/* Forgets what stood behind the first `len` octets. */
void answer_names_rewind(struct answer_names *names, size_t len);

/*
 * Adds a record, the first of an RRset or a further one; `source` is the owner in the zone,
 * or what it stands below if it is a wildcard. False when it does not fit: then message and
 * names are to be rewound.
 */
bool answer_names_add(struct answer_names *names, struct message_writer *mw, enum section section,
		      const struct record *record, struct name source, bool is_first) must_use;

#endif
