/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.h - clients of the control socket, and what is said to them.
 *
 * A request is one line of JSON: {"command": "zone reload", "name": "example.org."}.
 * The answer is one line or more: {"text": "..."} for each piece of a long text, then
 * one last line {"result": {...}, "exit": 0} or {"error": {"code": .., "message": ..},
 * "exit": 1}. `exit` is the status the command ends with. Commands are those of
 * commands.def. A client sends one request after the other.
 */
#ifndef SERVER_KEEPER_CONTROL_H
#define SERVER_KEEPER_CONTROL_H

#include "server/keeper/zones.h"

#include "base/json.h"

#include <jansson.h>

enum {
	CONTROL_REQUEST_OCTETS_MAX = 64 << 10,
	CONTROL_ANSWER_OCTETS_MAX = 64 << 20, /* that a client has not taken */
	CLIENTS_MAX = 64,
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_IN_STEP = 3,
};

/* A client that wants to know how a zone's candidate ends. */
struct waiter {
	struct client *client; /* NULL: it has left */
	bool after_this;       /* the candidate under way is not the one it means */
	struct waiter *next;
};

struct client {
	struct keeper *keeper;
	struct watch watch;
	struct client *next;
	size_t in_len;
	char in[CONTROL_REQUEST_OCTETS_MAX];
	char *out; /* malloc'ed */
	size_t out_len, out_cap, out_at;
	struct json json;
	size_t pending; /* zones it waits for */
	int exit;
	struct exporting *exporting; /* a zone on its way out as text */
	struct client **copying;     /* the copy of the store that it waits for */
	bool wants_stats;            /* waits for the front's counters */
	bool input_ended;            /* it asks nothing more; what it asked is answered */
	bool closing;                /* it is to go, whatever it waits for */
	char who[64];                /* "uid 1000" */
};

/* Takes the descriptor over. */
void client_new(struct keeper *k, int fd);
void client_free(struct client *client);
void clients_free(struct keeper *k);

/* Where the client's writers of JSON put their chunks. */
void client_sink(void *client, struct span chunk);

/* Opens {"result": and hands the writer out; an object is to be written. */
struct json *reply_begin(struct client *client);
/* Closes the answer and sends it. */
void reply_end(struct client *client, int exit);
void reply_error(struct client *client, enum code code, const char *format, ...) printf_like(3, 4);

/* `client` waits for the zone; its array of outcomes is open in client->json. */
void client_wait_for(struct client *client, struct zone *zone, bool after_this);

/* The front answers with the version of the zone that was published last. */
void zone_answer_served(struct zone *zone);

/* The zone is about to go: nobody hears of it any more. */
void zone_answer_gone(struct zone *zone);

/* --- commands.c --- */

/* Runs the command that the request names. */
void command_run(struct client *client, const json_t *request);

/* The next piece of text, when the one before is gone. */
void export_continue(struct client *client);
void export_end(struct client *client);

/* The front's counters came, or will not come, for those who asked. */
void stats_answer(struct keeper *k, const struct message_front_stats *stats);
void stats_unavailable(struct keeper *k);

/* --- status.c --- */

void status_write(struct keeper *k, struct json *j, bool everything);
void zone_status_write(const struct zone *zone, struct json *j);
void zone_list_write(const struct keeper *k, struct json *j);

/* Nothing is wrong that an admin should know of. */
bool status_is_good(const struct keeper *k);

#endif
