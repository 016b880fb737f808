/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.h - the complete general builder: one request in, one response out.
 *
 * Knows every kind of request; whatever a faster path does must come out of it octet
 * for octet the same. Pure: the time comes with the request, the zones are read from
 * the directory inside the caller's batch (directory_reader_begin), nothing is
 * allocated but by libcrypto for TSIG.
 */
#ifndef ENGINE_ANSWER_ANSWER_H
#define ENGINE_ANSWER_ANSWER_H

#include "dns/message_query.h"
#include "engine/answer/cookie.h"
#include "engine/front/directory.h"
#include "engine/limits.h"

/* Who answers: one for each worker, because of `crypto`. */
struct answer_server {
	const struct directory *directory;
	struct crypto *crypto;
	const struct tsig_key *keys; /* of the policy in force */
	size_t key_count;
	const char *name;    /* NSID, id.server and hostname.bind; NULL: hidden */
	const char *version; /* "lockstep 0.1.0", for version.bind; NULL: hidden */
	struct cookie_secrets cookie_secrets;
	uint16_t keepalive; /* what clients of streams are told (RFC 7828), in 100 ms; 0: nothing */
};

/* One message and what the server layer knows about it; all of it borrowed. */
struct answer_request {
	struct span wire;
	struct address address;
	enum transport transport;
	instant_ns now;
	uint64_t now_unix_s;
	uint32_t turn; /* where RRsets of zones with `rotate: yes` begin; nothing else depends on it
			*/
};

enum answer_kind {
	ANSWER_REPLY,    /* send what was written */
	ANSWER_SILENCE,  /* send nothing: it was no request, or libcrypto failed */
	ANSWER_TRANSFER, /* nothing was written: transfer_out_begin (front/transfer.h) */
};

/* A NOTIFY from one of the zone's primaries: to be handed on. */
struct answer_notify {
	bool received;
	bool has_serial;
	uint32_t serial;
	size_t primary; /* index into the zone's primaries */
};

struct answer {
	enum answer_kind kind;
	uint16_t rcode;              /* all 12 bits */
	bool truncated;              /* TC is set */
	bool cookie_is_good;         /* the client has its address, or had it in the last hour */
	struct publication *zone;    /* of the question; NULL: none, or it was not asked for */
	const struct tsig_key *key;  /* that signed the request; NULL: none */
	struct tsig_check tsig;      /* why not, for the log */
	struct answer_notify notify; /* with ANSWER_REPLY */
	/* Refused because its key was missing: the remote whose address it has. */
	const struct remote *remote_without_key;
	struct query query; /* borrows from the request's octets */
};

/*
 * Answers one request into `out`, which has room for UDP_OCTETS_MAX octets, over TCP
 * for MESSAGE_OCTETS_MAX. Every string of octets is a request: what cannot be
 * understood gets an error or silence.
 */
void answer(const struct answer_server *server, const struct answer_request *request,
	    struct writer *out, struct answer *result);

#endif
