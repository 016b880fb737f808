/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack.h - a policy as flat octets, for a process that may know it, or a part of it.
 *
 *   front       server name and workers, limits; remotes, zones with their access
 *               lists; of the keys those that a query, transfer or NOTIFY can carry
 *   courier     limits; remotes with their keys; zones with primaries and secondaries
 *   keeper      everything
 *
 * Remotes and each zone's lists keep their places, so an index means the same in every
 * process. Lists that zones share are packed once and shared again by the reader.
 */
#ifndef CONFIG_PACK_H
#define CONFIG_PACK_H

#include "base/error.h"
#include "engine/policy.h"

enum pack_audience { PACK_FRONT, PACK_COURIER, PACK_KEEPER, PACK_AUDIENCE_COUNT };

/*
 * Appends the policy to `out`. E_LIMIT: it does not fit, `out` is as it was; E_NOMEM
 * likewise. `len`, where not NULL, is the room it takes, also when it does not fit.
 */
enum code policy_pack(const struct policy *policy, enum pack_audience audience, struct writer *out,
		      size_t *len) must_use;

/*
 * Makes a policy of what policy_pack wrote; the octets are copied and may go. Whatever
 * they are, the result is a policy whose pointers hold. E_DAMAGED: they are no packed
 * policy; E_NOMEM: the arena is full. `policy` is NULL then, the arena half filled.
 */
enum code policy_unpack(struct span packed, struct arena *arena, const struct policy **policy,
			struct error *err) must_use;

#endif
