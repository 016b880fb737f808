/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidate.h - from a set of records to a change that the store can take.
 *
 * The guard's checks, the serial, the difference and the digest. Used by the
 * pipeline only.
 */
#ifndef ENGINE_KEEPER_CANDIDATE_H
#define ENGINE_KEEPER_CANDIDATE_H

#include "engine/keeper/keeper.h"

/*
 * Fills zone->candidate from event->records. E_EXISTS: there is nothing new in it.
 * Any other code: refused, and `err` says why in a sentence for the operator; with
 * places in event->diagnostics where the checks found some.
 */
enum code candidate_make(struct keeper_zone *zone, const struct keeper_event *event,
			 enum change_source source, struct error *err);

#endif
