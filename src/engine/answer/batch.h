/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h - the fast path: ordinary questions, up to 64 at a time.
 *
 * While the memory of one question is on its way the others are worked on. What it
 * answers it answers octet for octet as answer() does; whatever is odd it leaves to
 * that one. No allocation, no lock; the zones are read inside the caller's batch
 * (directory_reader_begin).
 */
#ifndef ENGINE_ANSWER_BATCH_H
#define ENGINE_ANSWER_BATCH_H

#include "engine/answer/answer.h"
#include "engine/answer/denial.h"
#include "engine/answer/fast.h"

enum {
	ANSWER_BATCH_MAX = 64,    /* as many as the result has bits */
	ANSWER_SLACK_OCTETS = 32, /* behind a request that may be read, whatever they hold */
};

/* One message that came. */
struct answer_item {
	struct span wire; /* with ANSWER_SLACK_OCTETS behind it */
	uint8_t *reply;   /* room for UDP_OCTETS_MAX octets */
	/* told where it was answered: */
	uint16_t reply_len;
	uint16_t rcode;
	struct publication *zone;
};

/* What the zone that was asked last proves with: mostly it is asked again. */
struct fast_chain {
	const struct publication *zone; /* NULL: none so far */
	bool is_needed;                 /* else nothing is to be proven, */
	bool is_missing;                /* or cannot be */
	struct denial denial;
};

/* Of one transport and one moment; made once and used again, as it is large. */
struct answer_batch {
	const struct answer_server *server;
	enum transport transport;
	instant_ns now;
	uint64_t now_unix_s;
	size_t count;
	struct answer_item items[ANSWER_BATCH_MAX];
	/* Who sent the item; asked only where it matters. */
	struct address (*address)(const void *context, size_t index);
	const void *context;
	struct fast_cache *cache; /* of this thread (fast_cache.h); NULL: none */
	/* further fields are the fast path's own */
	struct fast_chain chain;
	struct fast fast[ANSWER_BATCH_MAX];
};

/*
 * Answers what it can: bit i of the result is set when items[i] has its reply, with
 * ANSWER_REPLY, no TC, no key and no NOTIFY; whether its cookie is good was not looked at. The
 * others are as they were, for answer().
 */
uint64_t answer_batch(struct answer_batch *batch);

#endif
