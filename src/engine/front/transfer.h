/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer.h - a zone going out: AXFR (RFC 5936), also as the answer to IXFR.
 *
 * Pulled message by message, as fast as the client takes them: opening SOA, all other
 * records in the image's order, closing SOA. The version it began with is pinned and
 * does not change under it. Nothing waits: each call fills one message or ends.
 */
#ifndef ENGINE_FRONT_TRANSFER_H
#define ENGINE_FRONT_TRANSFER_H

#include "engine/answer/answer.h"
#include "engine/front/transfer_write.h"

enum transfer_out_stage {
	TRANSFER_OUT_OPENING, /* the opening SOA comes next */
	TRANSFER_OUT_RECORDS,
	TRANSFER_OUT_CLOSING, /* the closing SOA comes next */
	TRANSFER_OUT_DONE,
};

struct transfer_out {
	struct publication *zone; /* pinned */
	struct question question;
	struct header header;
	bool has_edns, dnssec_ok;
	bool is_signed;
	struct tsig_stream tsig;
	enum transfer_out_stage stage;
	struct view_cursor walk;
	struct node node; /* where the walk over the zone stands */
	uint32_t ahead;   /* the place of a later one, whose memory is asked for */
	struct transfer_owner owner;
	struct rrset_cursor cursor;
	bool in_rrset;
	size_t rdata_at;
	struct rrset soa;      /* one record */
	uint64_t record_count; /* written so far, also in octets and messages */
	uint64_t octets;
	uint64_t message_count;
};

/*
 * Begins what answer() called for with ANSWER_TRANSFER; `result` may be forgotten
 * afterwards, `server`'s crypto and keys may not. E_DAMAGED: the image has no SOA, or one without
 * data; E_NOMEM: libcrypto. After an error nothing is to be ended.
 */
enum code transfer_out_begin(struct transfer_out *transfer, const struct answer_server *server,
			     const struct answer *result, struct error *err);

/*
 * Fills the next message (`out` has room for MESSAGE_OCTETS_MAX octets). `out->len` is
 * 0 when all was sent. After an error the connection is to be closed, so that the
 * client cannot take what it has for the zone: E_DAMAGED the image contradicts itself;
 * E_RANGE a record fits into no message; E_NOMEM libcrypto failed.
 */
enum code transfer_out_next(struct transfer_out *transfer, uint64_t now_unix_s, struct writer *out,
			    struct error *err);

/* Unpins the version; for a transfer that ended, failed or was broken off. */
void transfer_out_end(struct transfer_out *transfer);

#endif
