/* SPDX-License-Identifier: Apache-2.0 */
/* starting.h - the first versions that are served: from packs, without building anything. */
#ifndef SERVER_KEEPER_STARTING_H
#define SERVER_KEEPER_STARTING_H

#include "server/keeper/zones.h"

/*
 * Opens the packs of the state folder and starts each zone of which a pack has the very
 * version that is the store's newest. Zones that the store has no version of start empty;
 * others stay `restore_due`. To be called while the store is open and has no thread yet.
 */
enum code keeper_zones_restore(struct keeper *k, struct error *err) must_use;

#endif
