/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h - the short-lived process that reads the configuration for the supervisor. */
#ifndef SERVER_READER_H
#define SERVER_READER_H

#include "server/plan.h"

/* Reads the configuration at `path` into a plan; prints what is wrong with it. */
enum code plan_read(const char *path, struct plan *plan, int policy_fd);

#endif
