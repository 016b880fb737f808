/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - reading messages (RFC 1035 4.1).
 *
 * A `struct message` borrows the octets it was parsed from. Records are walked by a
 * cursor that reads each octet once and stops at the first bad record, so the cost
 * is linear in the octets that are there, whatever the counts in the header say.
 */
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include "dns/record.h"

enum {
	HEADER_OCTETS = 12,
	MESSAGE_OCTETS_MAX = 65535,
	UDP_OCTETS_MIN = 512, /* what every peer takes over UDP, RFC 1035 2.3.4 */
	RCODE_TEXT_MAX = 16,
};

enum opcode {
#define OPCODE(name, code, rfc, answered) OPCODE_##name = (code),
#include "dns/opcodes.def"
#undef OPCODE
};

enum rcode {
#define RCODE(name, code, rfc) RCODE_##name = (code),
#include "dns/rcodes.def"
};

/* "NXDOMAIN", or "RCODE12" for one without a name. */
char *rcode_to_text(uint16_t rcode, char text[static RCODE_TEXT_MAX]);

/* The opcode's name, or NULL. */
const char *opcode_name(uint8_t opcode);

/* The server answers this opcode otherwise than with NOTIMP. */
bool opcode_is_answered(uint8_t opcode);

/* The four parts behind the header; an UPDATE calls them otherwise (RFC 2136 2). */
enum section {
	SECTION_QUESTION,
	SECTION_ANSWER,
	SECTION_AUTHORITY,
	SECTION_ADDITIONAL,
	SECTION_COUNT,
	SECTION_ZONE = SECTION_QUESTION,
	SECTION_PREREQUISITE = SECTION_ANSWER,
	SECTION_UPDATE = SECTION_AUTHORITY,
};

/* RFC 1035 4.1.1; the bit Z is neither read nor written. */
struct header {
	uint16_t id;
	uint8_t opcode;
	uint16_t rcode; /* 4 bits as read; as written all 12, the upper ones go to OPT */
	bool qr, aa, tc, rd, ra, ad, cd;
	uint16_t count[SECTION_COUNT]; /* as read; a writer counts by itself */
};

struct question {
	struct name_buffer name; /* case as it came */
	uint16_t type;
	uint16_t class;
};

struct message {
	struct span wire; /* the whole message, borrowed */
	struct header header;
	bool has_question;
	struct question question; /* the first, when there is one */
	size_t records_at;        /* where the first record begins */
};

/* False when there are fewer than 12 octets; `out` is then undefined. */
bool header_read(struct span wire, struct header *out);

/*
 * Reads the header and all questions, keeps the first. False when one is missing or
 * malformed: then `header` is still right, if there were 12 octets, and `has_question`
 * is false.
 */
bool message_parse(struct span wire, struct message *out);

/* One record as it lies in a message. */
struct message_record {
	enum section section;
	struct name_buffer owner; /* expanded */
	uint16_t type;
	uint16_t class;
	uint32_t ttl; /* as it came */
	size_t at;    /* where the record begins */
	size_t rdata_at;
	uint16_t rdata_len; /* as it lies there, names perhaps compressed */
};

struct message_cursor {
	struct reader reader;
	uint16_t left[SECTION_COUNT]; /* records not yet read */
};

/* Before the first record of a message that message_parse took. */
struct message_cursor message_cursor_of(const struct message *message);

/*
 * The next record of the answer, authority and additional section, in this order.
 * False at the end and at a malformed record; message_cursor_is_done tells which.
 */
bool message_next_record(struct message_cursor *cursor, struct message_record *out);

/* The same but for the owner, which is neither expanded nor written to `out`; cheaper. */
bool message_skim_record(struct message_cursor *cursor, struct message_record *out);

/* Every record that was promised was read, and nothing stands behind the last. */
bool message_cursor_is_done(const struct message_cursor *cursor);

/* The record's data as it lies in the message. */
struct span message_rdata(const struct message *message, const struct message_record *record);

/*
 * Writes the data uncompressed and checked to `w`, and fills `out`, whose owner
 * borrows from `in` and whose data from `w`. A TTL above TTL_MAX becomes 0
 * (RFC 2181 8). A record of class ANY or NONE may have none (RFC 2136 2.4). E_SYNTAX or E_RANGE
 * when the data is not well-formed for its type, E_LIMIT when `w` is full; then `w` is as it was
 * before.
 */
enum code message_expand_record(const struct message *message, const struct message_record *in,
				struct writer *w, struct record *out, struct error *err);

#endif
