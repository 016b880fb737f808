/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_set.h - all connections of a worker: who may come in, and who has to go.
 *
 * When the set is full the idlest connection makes room for a new one; when one
 * source has as many as it may, the idlest of its own. Connections that have proved a
 * key stay: nobody is put out by strangers. Every step costs a constant, but the walk
 * along one source's connections, which has the source's cap as its bound.
 *
 * A source is an IPv4 address or an IPv6 /64 (one host has a whole /64).
 */
#ifndef ENGINE_STREAM_STREAM_SET_H
#define ENGINE_STREAM_STREAM_SET_H

#include "base/address.h"
#include "base/siphash.h"

#define STREAM_SLOT_NONE UINT32_MAX

struct stream_link {
	struct stream_link *newer, *older;
};

struct stream_member {
	struct stream_link by_age;    /* in `strangers`, or alone for a proven one */
	struct stream_link by_source; /* in its bucket */
	struct address source;        /* family 0: the slot is free */
	bool proven;
	uint32_t next_free;
};

struct stream_set {
	struct stream_member *members;
	struct stream_link *buckets; /* one a member */
	uint32_t capacity;
	uint32_t count;
	uint32_t first_free;
	struct stream_link strangers;
	struct siphash_key key;
};

struct stream_admission {
	bool admitted;
	uint32_t slot;    /* the new connection's */
	uint32_t evicted; /* close this one first (it may be the same slot); STREAM_SLOT_NONE */
};

/* The source that an address belongs to. */
struct address stream_source(const struct address *address);

/* Octets for a set of `capacity` connections. */
size_t stream_set_size(uint32_t capacity);

/*
 * `memory` of stream_set_size octets, aligned for any type, is lent to the set, which may
 * not be moved afterwards. `key` is random.
 */
void stream_set_init(struct stream_set *set, uint32_t capacity, void *memory,
		     struct siphash_key key);

/*
 * Decides about a new connection. `count_max` (at most the capacity) and `per_source_max`
 * come from the policy in force; 0 for the latter: only in place of one of its own.
 */
struct stream_admission stream_set_admit(struct stream_set *set, const struct address *address,
					 uint32_t count_max, uint32_t per_source_max);

/* The source of this address has a connection in the set. */
bool stream_set_has(struct stream_set *set, const struct address *address);

/* A message came, or the client took octets: it is the least idle now. */
void stream_set_touch(struct stream_set *set, uint32_t slot);

/* It signed a message with a key of ours. */
void stream_set_prove(struct stream_set *set, uint32_t slot);

/* It was closed (not needed for one that stream_set_admit or _idlest gave back). */
void stream_set_leave(struct stream_set *set, uint32_t slot);

/*
 * The idlest stranger, which leaves the set and is to be closed, e.g. when the process
 * ran out of descriptors; STREAM_SLOT_NONE when there is none.
 */
uint32_t stream_set_idlest(struct stream_set *set);

#endif
