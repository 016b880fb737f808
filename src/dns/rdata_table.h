/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdata_table.h - the rows of rrtypes.def as data, for the files that make text and
 * wire form of them; everybody else uses rdata.h.
 */
#ifndef DNS_RDATA_TABLE_H
#define DNS_RDATA_TABLE_H

#include "base/attributes.h"
#include "dns/rdata.h"

/* What the RFCs say of a name's place. */
enum {
	FIELD_COMPRESS = 1, /* may be compressed when sent: RFC 3597 4, types of RFC 1035 only */
	FIELD_EXPAND = 2,   /* is expanded when received: RFC 3597 4 */
	FIELD_LOWER = 4,    /* lower case in canonical form: RFC 4034 6.2 with RFC 6840 5.1 */
	FIELD_HOST = 8,     /* its addresses go along in the additional section */
};

enum field_kind {
	FIELD_END,
#define KIND(kind, octets, flags, expected) FIELD_##kind,
#include "dns/rdata_kinds.def"
#undef KIND
	FIELD_KIND_COUNT,
};

enum { FIELD_COUNT_MAX = 9, MNEMONIC_OCTETS_MAX = 10 };

struct rrtype_row {
	uint16_t code;
	uint8_t mnemonic_len;
	char mnemonic[MNEMONIC_OCTETS_MAX + 1];
	uint8_t kinds[FIELD_COUNT_MAX + 1]; /* ended by FIELD_END */
};

/* The row of a type; for one that is not in the table a row with one opaque field. */
const struct rrtype_row *rrtype_row(uint16_t type);

/* The flags of all fields of a type together. */
unsigned rrtype_flags(uint16_t type);

/* The name that rrtypes.def gives to a field. */
const char *rrtype_field_name(uint16_t type, unsigned field);

/* Octets of a field that any value of its size fits; 0 for all other kinds. */
extern const uint8_t field_octets[FIELD_KIND_COUNT];
extern const uint8_t field_flags[FIELD_KIND_COUNT];

/* Completes "expected ...". */
const char *field_expected(enum field_kind kind);

#endif
