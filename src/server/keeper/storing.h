/* SPDX-License-Identifier: Apache-2.0 */
/* storing.h - the keeper and its store: commits, restored versions, recovery. */
#ifndef SERVER_KEEPER_STORING_H
#define SERVER_KEEPER_STORING_H

#include "server/keeper/zones.h"

/* Opens the store in the state folder and starts its thread. */
enum code keeper_store_open(struct keeper *k, struct error *err) must_use;
void keeper_store_close(struct keeper *k);

/* Each zone of the policy is known to the store, and owned by the configuration, before it runs. */
enum code store_claim(struct keeper *k, struct error *err) must_use;

/*
 * The newest version into zone->records, and what belongs to it into a START event.
 * E_NOT_FOUND: there is none. Before the zone's first change only.
 */
enum code zone_restore(struct zone *zone, struct keeper_event *event, struct error *err) must_use;

/* Makes the candidate durable; the machine hears STORED or STORE_FAILED. */
void zone_store(struct zone *zone);

/* When a primary last confirmed the copy: with the next commit. */
void zone_store_timers(struct zone *zone);

/* The zone is about to be freed: answers that are still to come find nobody. */
void zone_store_forget(struct zone *zone);

#endif
