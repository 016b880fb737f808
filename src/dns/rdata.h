/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdata.h - RR types and their data: one table row drives everything.
 *
 * rrtypes.def lists each type with its fields; from these kinds come parsing and
 * printing of text, the wire check, compression and decompression, the canonical
 * form and the places of names. Unknown types and types written with \# follow
 * RFC 3597. "RDATA" below is uncompressed unless it says otherwise.
 */
#ifndef DNS_RDATA_H
#define DNS_RDATA_H

#include "dns/name.h"

enum { RDATA_OCTETS_MAX = 65535, RDATA_NAME_COUNT_MAX = 16, RRTYPE_TEXT_MAX = 16 };

/* RRTYPE_A = 1, ... made from rrtypes.def; all IANA types. */
enum rrtype {
#define RR(mnemonic, code, rfc, ...) RRTYPE_##mnemonic = code,
#include "dns/rrtypes.def"
#undef RR
};

/* RFC 6895 3.1: 128 to 255 and OPT: for questions and messages, never in a zone. */
bool rrtype_is_meta(uint16_t type);

/* Mnemonic or TYPEnnn (RFC 3597 5), any case. */
bool rrtype_from_text(struct span text, uint16_t *type);
char *rrtype_to_text(uint16_t type, char text[static RRTYPE_TEXT_MAX]);

/* All mnemonics in the table's order, e.g. for "did you mean"; `count` is filled. */
const char *const *rrtype_mnemonics(size_t *count);

/*
 * A word of a zone file or command line: octets as they stand, escapes not yet
 * resolved; quotes are not part of it. A word that only contains quotes further in
 * keeps them, up to the closing one and what follows it: key="va lue" is one word.
 */
struct token {
	const char *text;
	uint32_t len;
	uint32_t line, column; /* from 1; 0 where there is none */
	bool quoted;
};

/*
 * Reads the data of one record from its words. Relative names end in `origin`.
 * `\# LEN HEX...` is taken for every type, known ones included, and checked.
 * On error `err` says what was found and what was expected, and `*bad` is the index
 * of the word it speaks of (== count: something is missing at the end).
 */
enum code rdata_from_tokens(uint16_t type, const struct token *tokens, size_t count,
			    struct name origin, struct writer *w, size_t *bad, struct error *err);

/*
 * Prints the data in presentation format. Every known type in its own form, unknown
 * ones as \# (RFC 3597 5). The RDATA must have passed rdata_check.
 */
void rdata_print(uint16_t type, struct span rdata, struct writer *w);

/* The data is well-formed for its type: nothing missing, nothing over. `err` may be NULL. */
enum code rdata_check(uint16_t type, struct span rdata, struct error *err);

/*
 * Reads `len` octets of data at the reader's position inside a message, expands
 * compressed names where RFC 3597 4 allows them, checks, and writes RDATA.
 */
enum code rdata_read(uint16_t type, struct reader *message, uint16_t len, struct writer *w,
		     struct error *err);

/* Canonical form (RFC 4034 6.2, RFC 6840 5.1): names of the listed types in lower case. */
void rdata_canonical(uint16_t type, struct span rdata, struct writer *w);

/* Canonical order of the data of two records of one type (RFC 4034 6.3): <0, 0, >0. */
int rdata_compare(uint16_t type, struct span a, struct span b);

/*
 * The places of names that may be compressed when a message is written (RFC 3597 4:
 * types of RFC 1035 only). Fills offsets from the start of the RDATA, ascending;
 * returns their number.
 */
size_t rdata_compressible_names(uint16_t type, struct span rdata,
				uint16_t offsets[static RDATA_NAME_COUNT_MAX]);

/*
 * The name whose addresses belong in the additional section (NS, MX, SRV, SVCB, ...),
 * false when the type has none or it is the root.
 */
bool rdata_additional_name(uint16_t type, struct span rdata, struct name *out);

#endif
