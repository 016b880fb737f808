/* SPDX-License-Identifier: Apache-2.0 */
/* configuring.h - a configuration into force: at the start, and again while the server runs. */
#ifndef SERVER_KEEPER_CONFIGURING_H
#define SERVER_KEEPER_CONFIGURING_H

#include "server/keeper/control.h"

/* Reads the configuration at the start; what is wrong is printed. */
enum code keeper_configure(struct keeper *k) must_use;

/* Makes the zones of the policy and starts each with what the store has of it. */
enum code keeper_zones_start(struct keeper *k, struct error *err) must_use;

/*
 * Reads the configuration file again and puts it into force as a whole, then looks
 * at every zone file. With errors everything stays; status and log tell them.
 */
void keeper_reload(struct keeper *k);

/* Commands: what apply would change, and apply. */
void config_diff_reply(struct client *client);
void config_apply_reply(struct client *client);

#endif
