/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h - one resource record, and its uncompressed wire form (RFC 1035 4.1.3).
 *
 * The wire form is how records lie in changes, spooled transfers and messages
 * between processes.
 */
#ifndef DNS_RECORD_H
#define DNS_RECORD_H

#include "dns/rdata.h"

enum { CLASS_IN = 1, CLASS_CH = 3, CLASS_HS = 4, CLASS_NONE = 254, CLASS_ANY = 255 };

/* RFC 2181 8: a TTL above this counts as 0 on the wire, and is an error in a zone file. */
#define TTL_MAX UINT32_C(0x7fffffff)

struct record {
	struct name owner;
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	struct span rdata; /* uncompressed */
};

/* Octets of the record's uncompressed wire form. */
static inline size_t record_len(const struct record *record)
{
	return (size_t)record->owner.len + 10 + record->rdata.len;
}

void record_write(const struct record *record, struct writer *w);

/* Borrows from the reader's octets; false, and the reader failed, when malformed. Checks the
 * owner and lengths, not the data. */
bool record_read(struct reader *r, struct record *out);

/* Canonical order of a zone: owner, then type (SOA first at one owner), then data. <0, 0, >0. */
int record_compare(const struct record *a, const struct record *b);

/* As a line of a zone file, absolute owner, tabs between the fields, newline at the end. */
void record_print(const struct record *record, struct writer *w);

bool class_from_text(struct span text, uint16_t *class);

/* The fields of SOA data (RFC 1035 3.3.13). */
struct soa {
	struct name mname, rname;
	uint32_t serial, refresh, retry, expire, minimum;
};

bool soa_read(struct span rdata, struct soa *out);

/* RFC 1982 3.2. `a` is newer than `b`; false for equal and for undefined distance 2^31. */
bool serial_newer(uint32_t a, uint32_t b);

#endif
