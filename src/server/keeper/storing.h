/* SPDX-License-Identifier: Apache-2.0 */
/* storing.h - the keeper and its store: commits, restored versions, recovery. */
#ifndef SERVER_KEEPER_STORING_H
#define SERVER_KEEPER_STORING_H

#include "server/keeper/control.h"

/* Opens the store in the state folder and starts its threads. */
enum code keeper_store_open(struct keeper *k, struct error *err) must_use;
void keeper_store_close(struct keeper *k);

/* Starts zones that are `restore_due` with what the store has of them, some at a time. */
void keeper_restore(struct keeper *k);

/* Makes the candidate durable; the machine hears STORED or STORE_FAILED. */
void zone_store(struct zone *zone);

/* When a primary last confirmed the copy. */
void zone_store_timers(struct zone *zone);

/* A copy of the database at `path`; the client is answered when it is whole. */
void store_copy_begin_for(struct client *client, const char *path);

#endif
