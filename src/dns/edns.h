/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edns.h - EDNS(0): the OPT record and its options (RFC 6891).
 *
 * Of each option the first one counts. Only the first 32 options are looked at, so a
 * message full of empty ones costs no more than any other.
 */
#ifndef DNS_EDNS_H
#define DNS_EDNS_H

#include "dns/message_writer.h"

enum {
	EDNS_VERSION = 0,
	EDNS_OPTION_COUNT_MAX = 32,
	OPT_OCTETS = 11,        /* the record without options */
	OPTION_HEAD_OCTETS = 4, /* an option without its value */
	EDE_TEXT_MAX = 255,     /* octets of extra text that are sent; more are cut off */
};

/* Codes of options: EDNS_NSID, ... */
enum edns_code {
#define EDNS_OPTION(name, code, ...) EDNS_##name = (code),
#include "dns/edns_options.def"
#undef EDNS_OPTION
};

/* Places of the known options in `struct edns`. */
enum edns_slot {
#define EDNS_OPTION(name, ...) EDNS_SLOT_##name,
#include "dns/edns_options.def"
#undef EDNS_OPTION
	EDNS_SLOT_COUNT,
};

/* Codes of RFC 8914: EDE_STALE_ANSWER, ... */
enum ede {
#define EDE(name, code, words) EDE_##name = (code),
#include "dns/ede.def"
#undef EDE
};

/* The words of the registry, or NULL for a code without a row. */
const char *ede_words(uint16_t code);

struct edns {
	bool present;
	bool dnssec_ok;
	uint8_t version;
	uint8_t rcode_high;                  /* the upper 8 of the 12 bits of the rcode */
	uint16_t udp_size;                   /* at least 512 */
	uint16_t seen;                       /* bit (1 << slot): the option was there */
	struct span values[EDNS_SLOT_COUNT]; /* defined where `seen`; borrowed from the message */
};

static inline bool edns_has(const struct edns *edns, enum edns_slot slot)
{
	return edns->seen >> slot & 1;
}

/* The rcode of a message with its extension, if any. */
static inline uint16_t edns_rcode(const struct header *header, const struct edns *edns)
{
	return (uint16_t)(header->rcode | (edns->present ? edns->rcode_high << 4 : 0));
}

/*
 * Reads an OPT record. RCODE_NOERROR; RCODE_FORMERR when its owner is not the root, an
 * option is cut off, or one in a query has a length or form its RFC forbids: then `out`
 * is not present; RCODE_BADVERS: present, but options of another version are not read.
 * In a response such an option counts as absent: a peer's slip in a side matter shall
 * not cost us its zone.
 */
enum rcode edns_read(const struct message *message, const struct message_record *record,
		     struct edns *out);

/*
 * Writes OPT as the last record so far; false when it does not fit. Options follow, no
 * other record; message_finish puts the rcode in.
 */
bool edns_begin(struct message_writer *mw, uint16_t udp_size, bool dnssec_ok) must_use;

/* Adds one option; false when it does not fit: the message is as before, and still good. */
bool edns_add_option(struct message_writer *mw, uint16_t code, struct span value);

/* Adds an extended error; `text` (UTF-8) may be NULL. False as above. */
bool edns_add_ede(struct message_writer *mw, enum ede code, const char *text);

#endif
