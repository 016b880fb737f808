/* SPDX-License-Identifier: Apache-2.0 */
/* storing.h - the keeper and its store: commits, restored versions, recovery. */
#ifndef SERVER_KEEPER_STORING_H
#define SERVER_KEEPER_STORING_H

#include "server/keeper/control.h"

/* Opens the store in the state folder: nobody else has the folder from then on. */
enum code keeper_store_open(struct keeper *k, struct error *err) must_use;
/* Starts its threads: from then on it takes jobs, and only those. */
enum code keeper_store_run(struct keeper *k, struct error *err) must_use;
void keeper_store_close(struct keeper *k);

/*
 * When a primary last confirmed the copy, on this boot's monotonic clock; by the wall clock
 * when that is another boot's.
 */
instant_ns confirmed_at(const struct keeper *k, const struct stored_zone *zone);

/* The store has no version of it. */
void zone_start_empty(struct zone *zone);

/* Looks at the zone file, once it is known which one was loaded last. */
void zone_look_at_file(struct zone *zone);

/* Its image turned out to be damaged: another one is made of what the store has. */
void zone_restore_image(struct zone *zone);

/* The zone goes. */
void zone_storing_leave(struct zone *zone);

/* Starts zones that are `restore_due` with what the store has of them, some at a time. */
void keeper_restore(struct keeper *k);

/* Makes the candidate durable; the machine hears STORED or STORE_FAILED. */
void zone_store(struct zone *zone);

/* When a primary last confirmed the copy. */
void zone_store_timers(struct zone *zone);

/* A copy of the database at `path`; the client is answered when it is whole. */
void store_copy_begin_for(struct client *client, const char *path);

#endif
