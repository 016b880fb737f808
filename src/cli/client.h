/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - asking the running server through its control socket. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/cli.h"

#include <jansson.h>
#include <stdio.h>

/*
 * Sends the invocation's command, with `request` (taken over) as its arguments, and
 * reads the answer. Pieces of text go to standard output as they come. `*result` is
 * the caller's to free; NULL when the answer was an error, which was printed, or was
 * printed already because of --json. Returns the exit status.
 */
int client_ask(const struct invocation *invocation, json_t *request, json_t **result);

/* The errors and warnings of an answer, with their lines and carets. */
void diagnostics_print(const json_t *diagnostics, FILE *out);

/* A field of an object; "" or 0 when it is missing. */
const char *field_text(const json_t *object, const char *key);
json_int_t field_int(const json_t *object, const char *key);

#endif
