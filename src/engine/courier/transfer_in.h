/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer_in.h - a zone coming in by AXFR (RFC 5936), message by message.
 *
 * Knows nothing of connections or signatures: the exchange hands it messages that
 * were proven already. A version exists only when the closing SOA equals the opening
 * one octet for octet; until then nothing it gave out may be used.
 */
#ifndef ENGINE_COURIER_TRANSFER_IN_H
#define ENGINE_COURIER_TRANSFER_IN_H

#include "dns/message.h"

enum { TRANSFER_SOA_MAX = 600 }; /* two names of 255, five numbers, owner and fixed part fit */

struct transfer_in {
	struct name_buffer zone;
	uint64_t octets_max; /* wire octets of all records */
	uint64_t octets;
	uint64_t record_count;
	bool opened; /* the first SOA was read */
	bool closed; /* the last was too */
	uint32_t serial;
	uint16_t soa_len;
	uint8_t soa[TRANSFER_SOA_MAX]; /* the opening SOA's data */
	/* the message being read */
	struct message message;
	struct message_cursor cursor;
};

enum transfer_verdict {
	TRANSFER_ROOM,   /* the writer is full: empty it and call again */
	TRANSFER_MORE,   /* the message is read to its end: the next one, please */
	TRANSFER_WHOLE,  /* the closing SOA came and nothing follows it */
	TRANSFER_BROKEN, /* `err` says at which record, and why */
};

void transfer_in_init(struct transfer_in *t, struct name zone, uint64_t octets_max);

/* Begins with the next message; it stays borrowed until it is read to its end. */
void transfer_in_message(struct transfer_in *t, const struct message *message);

/*
 * Writes the next records of the message in uncompressed wire form to `out` (at
 * least 66 KiB of room to begin with, so that any one record fits). The closing SOA
 * is not written again.
 */
enum transfer_verdict transfer_in_records(struct transfer_in *t, struct writer *out,
					  struct error *err);

#endif
