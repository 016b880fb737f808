/* SPDX-License-Identifier: Apache-2.0 */
/* packing.h - the policy on its way to another process. */
#ifndef SERVER_KEEPER_PACKING_H
#define SERVER_KEEPER_PACKING_H

#include "config/pack.h"
#include "server/channel.h"

/* Sends what `audience` may know of the policy, in memory that the receiver maps. */
enum code packed_policy_send(struct channel *to, uint32_t kind, const struct policy *policy,
			     enum pack_audience audience) must_use;

#endif
