/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_writer.h - writing messages (RFC 1035 4.1), names compressed.
 *
 * A name is compressed against what stands in the message octet for octet, so every
 * name keeps its case: a question's random case (0x20) comes back, and a zone arrives
 * at a secondary as it left. The table of what stands there has a fixed size and each
 * label is looked up once, so no set of names makes writing slow.
 *
 * A record is written whole or not at all. Order of use: begin, question, records
 * section by section, OPT (edns.h), finish, TSIG (tsig.h).
 */
#ifndef DNS_MESSAGE_WRITER_H
#define DNS_MESSAGE_WRITER_H

#include "dns/message.h"

enum {
	COMPRESSION_SLOT_COUNT = 64,
	COMPRESSION_PROBE_COUNT = 8,    /* slots looked at for one label */
	COMPRESSION_OFFSET_MAX = 16383, /* what the 14 bits of a pointer can say */
};

/* "At `at` stands a label, and behind it the name that begins at `parent`." */
struct compression_slot {
	uint16_t at;     /* 0: free */
	uint16_t parent; /* 0: the root */
	uint16_t tag;
	uint16_t used; /* how often it was pointed at */
};

struct message_writer {
	struct writer w;
	size_t reserved; /* octets at the end that records may not use */
	uint16_t count[SECTION_COUNT];
	enum section section;   /* where records go now */
	size_t records_at;      /* behind the question */
	size_t opt_at;          /* where OPT begins; 0: there is none */
	uint16_t last_owner_at; /* of the last record; 0: it cannot be pointed at */
	struct name_buffer last_owner;
	struct compression_slot slots[COMPRESSION_SLOT_COUNT];
};

/*
 * Begins a message in `cap` octets (12 at least, at most MESSAGE_OCTETS_MAX count),
 * which the caller lends until the message was sent. The header is zeros until
 * message_finish.
 */
void message_begin(struct message_writer *mw, void *octets, size_t cap);

/* False when it does not fit; then nothing was written. */
bool message_add_question(struct message_writer *mw, const struct question *question) must_use;

/*
 * Adds to the section or a later one than the record before. False when the record
 * does not fit as a whole: then the message is as it was before the call.
 */
bool message_add_record(struct message_writer *mw, enum section section,
			const struct record *record) must_use;

/*
 * Keeps octets free for what comes last (OPT, TSIG). False when they are not there.
 * message_release gives back as many of the reserved ones as it is told.
 */
bool message_reserve(struct message_writer *mw, size_t octets) must_use;
void message_release(struct message_writer *mw, size_t octets);

/* A place to go back to, e.g. before an RRset that must be there as a whole or not at all. */
struct message_mark {
	size_t len;
	uint16_t count[SECTION_COUNT];
	enum section section;
};

struct message_mark message_mark(const struct message_writer *mw);
void message_rewind(struct message_writer *mw, const struct message_mark *mark);

/* Takes back everything behind the question; OPT may then be written (again), and TC set. */
void message_truncate(struct message_writer *mw);

/*
 * Gives back the whole reserve and writes the header: its counts are the writer's own, the
 * upper bits of `rcode` go to OPT. An rcode above 15 needs one. Returns the message,
 * which is then only extended by tsig_sign_*.
 */
struct span message_finish(struct message_writer *mw, const struct header *header);

#endif
