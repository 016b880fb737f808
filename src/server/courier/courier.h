/* SPDX-License-Identifier: Apache-2.0 */
/*
 * courier.h - the process that talks to peers, as client: it asks serials, fetches
 * zones, sends NOTIFY. It connects to configured peers and to nobody else, listens
 * nowhere and sees no file. What it learns goes to the keeper as records, not packets.
 */
#ifndef SERVER_COURIER_COURIER_H
#define SERVER_COURIER_COURIER_H

#include "engine/courier/exchange.h"
#include "engine/stream/stream.h"
#include "host/loop.h"
#include "server/channel.h"
#include "server/messages.h"
#include "server/process.h"

enum {
	CONVERSATIONS_MAX = 512, /* at one time; each has a socket */
	CONVERSATIONS_WAITING_MAX = 1 << 20,
};

/* One exchange and its socket. */
struct conversation {
	struct courier *courier;
	struct exchange exchange;
	uint64_t id;
	uint32_t remote;
	bool is_transfer;
	bool connecting;
	bool ended;         /* told to the keeper; freed soon */
	bool collecting;    /* the keeper has no room for the records of the message in `in`; the
			       socket is not watched meanwhile */
	struct watch watch; /* fd -1: no socket */
	struct timer timer;
	size_t in_len, in_at;  /* stream octets received, and taken of them */
	size_t out_at;         /* octets of the framed request that went out */
	uint8_t in[2 + 65535]; /* one framed message, or one datagram */
	uint8_t out[2 + EXCHANGE_REQUEST_MAX];
	uint8_t records[EXCHANGE_RECORD_ROOM];
	struct conversation *next;
};

/* An exchange that the keeper asked for and that has not begun. */
struct waiting {
	struct message_exchange order;
	struct waiting *next;
};

struct courier {
	struct process *process;
	struct loop *loop;
	struct crypto *crypto;
	struct channel *keeper;
	struct arena *arena; /* of the policy */
	const struct policy *policy;
	struct conversation *running;
	size_t running_count, transfer_count;
	struct waiting *waiting, **waiting_end;
	size_t waiting_count;
};

/* The courier process. */
int courier_main(struct process *process);

/* Begins what waits, as far as limits allow. */
void courier_begin_waiting(struct courier *c);

/* Starts one; it frees itself when it ends. E_NOMEM: it did not start. */
enum code conversation_start(struct courier *c, const struct message_exchange *order) must_use;

/* Ends it without a word to the keeper. */
void conversation_free(struct conversation *conversation);

/* The keeper has room again. */
void conversation_continue(struct conversation *conversation);

/* Tells the keeper that an exchange ended before it began. */
void courier_refuse(struct courier *c, const struct message_exchange *order, const char *why);

#endif
