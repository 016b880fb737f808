/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h - one conversation with one peer: asking its serial, fetching a zone,
 * telling it of a new version.
 *
 * Pure: sockets, time and randomness belong to the courier process. It feeds events
 * and does what the answer says: send a datagram, connect, send on the connection,
 * collect records, or end.
 *
 *   SOA, NOTIFY: UDP, three attempts at each address; TCP when the answer is truncated.
 *   Transfer:    TCP; the next address when one cannot be connected.
 *   Keys:        the first signs; when the peer knows it not (BADKEY), the next.
 */
#ifndef ENGINE_COURIER_EXCHANGE_H
#define ENGINE_COURIER_EXCHANGE_H

#include "base/instant.h"
#include "dns/message_query.h"
#include "engine/courier/transfer_in.h"
#include "engine/policy.h"

enum {
	EXCHANGE_ATTEMPTS_MAX = 3, /* datagrams to one address */
	EXCHANGE_REQUEST_MAX = 1024,
	EXCHANGE_RECORD_ROOM = 68 << 10, /* what exchange_records needs to begin with */
};

#define EXCHANGE_FIRST_WAIT   (1 * NS_PER_S) /* doubles with each attempt */
#define EXCHANGE_CONNECT_WAIT (5 * NS_PER_S)

enum exchange_kind { EXCHANGE_SOA, EXCHANGE_TRANSFER, EXCHANGE_NOTIFY, EXCHANGE_KIND_COUNT };

enum exchange_outcome {
	EXCHANGE_DONE,    /* SOA answered (`answer_serial`), NOTIFY accepted, transfer whole */
	EXCHANGE_FAILED,  /* the answer was wrong */
	EXCHANGE_REFUSED, /* the peer said no: an rcode, an unknown key */
	EXCHANGE_SILENT,  /* no answer, or no connection */
	EXCHANGE_OUTCOME_COUNT,
};

struct exchange {
	enum exchange_kind kind;
	const struct remote *remote; /* borrowed, like its keys */
	struct crypto *crypto;
	struct name_buffer zone;
	uint32_t serial; /* NOTIFY: what is served here */
	size_t address;  /* index into remote->addresses */
	size_t key;      /* index into remote->keys */
	uint32_t attempt;
	bool stream; /* the request went, or goes, over TCP */
	bool connected;
	instant_ns deadline;
	duration_ns idle_ns; /* longest silence on a connection */
	uint16_t id;
	uint16_t request_len;
	uint8_t request[EXCHANGE_REQUEST_MAX];
	struct tsig_mac request_mac;
	struct tsig_stream stream_check; /* of a signed request over TCP */
	bool checks_stream;
	bool is_proven; /* the message taken last was signed, or proved those before it */
	struct transfer_in transfer;
	/* the result */
	enum exchange_outcome outcome;
	uint32_t answer_serial;
	struct error error;
};

enum exchange_event_kind {
	EXCHANGE_START,
	EXCHANGE_CONNECTED,
	EXCHANGE_MESSAGE,    /* `message`: a datagram from the peer, or one message of the stream */
	EXCHANGE_BROKEN_OFF, /* `problem`: no connection, or it ended */
	EXCHANGE_TICK,
};

struct exchange_event {
	enum exchange_event_kind kind;
	instant_ns now;
	uint64_t now_unix_s;
	uint16_t random; /* for the message id */
	struct span message;
	const char *problem;
};

enum exchange_action {
	EXCHANGE_WAIT,    /* until the deadline */
	EXCHANGE_SEND,    /* request[0..request_len) as a datagram to remote->addresses[address] */
	EXCHANGE_CONNECT, /* to that address, closing a connection that is open */
	EXCHANGE_WRITE,   /* the request on the connection */
	EXCHANGE_COLLECT, /* call exchange_records until it is not COLLECT */
	EXCHANGE_END,     /* `outcome` stands; `error` says why it is not DONE */
};

/* Borrows `remote` and `crypto` until the exchange is cleared. */
void exchange_init(struct exchange *e, enum exchange_kind kind, const struct remote *remote,
		   struct name zone, const struct limit_policy *limits, struct crypto *crypto);

/* Frees what the signature check holds. */
void exchange_clear(struct exchange *e);

enum exchange_action exchange_step(struct exchange *e, const struct exchange_event *event);

/*
 * The next records of the message of the last event, in wire form, into `out`
 * (EXCHANGE_RECORD_ROOM to begin with). COLLECT: hand them on, empty it, call again.
 */
enum exchange_action exchange_records(struct exchange *e, struct writer *out, instant_ns now);

#endif
