/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer_write.h - the records of a transfer, written into a message straight from an image.
 *
 * Names are compressed octet for octet (decision 0001) against what a table of one message
 * knows: a slot for each hash of a label and of the place of what follows it. The newest
 * takes the slot, and is compared before it is pointed at. So each label is looked up once.
 */
#ifndef ENGINE_FRONT_TRANSFER_WRITE_H
#define ENGINE_FRONT_TRANSFER_WRITE_H

#include "dns/message_writer.h"
#include "zone/image.h"

enum { TRANSFER_SLOT_BITS = 10, TRANSFER_SLOT_COUNT = 1 << TRANSFER_SLOT_BITS };

/* Where the labels of a name begin; behind the last one, its root label. */
struct transfer_labels {
	uint8_t count;
	uint8_t starts[LABEL_COUNT_MAX + 1];
};

/* Whose records are written. */
struct transfer_owner {
	struct name name; /* borrowed */
	struct transfer_labels labels;
	bool is_local;        /* it ends octet for octet as the apex does */
	unsigned local_count; /* labels before that */
	uint16_t at;          /* where it stands in the message under way; 0: not yet, or
			       * it cannot be pointed at */
};

struct transfer_slot {
	uint16_t at;     /* where a label stands; 0: free */
	uint16_t parent; /* and what follows it; 0: the root */
};

struct transfer_message {
	uint8_t *start;
	size_t len, max;
	uint16_t count;
	struct name apex;
	uint16_t apex_at; /* 0: it cannot be pointed at */
	struct transfer_slot slots[TRANSFER_SLOT_COUNT];
};

/* Goes on in a message that has a header, and perhaps the question; up to its reserve. */
void transfer_message_begin(struct transfer_message *m, const struct message_writer *mw,
			    struct name apex);

/* What was written belongs to the message now, in its answer section. */
void transfer_message_end(const struct transfer_message *m, struct message_writer *mw);

/* False when the octets are no name at or below the apex: the image is damaged. */
bool transfer_owner_read(struct transfer_owner *owner, struct name name, struct name apex) must_use;

enum transfer_put {
	TRANSFER_PUT_ALL,
	TRANSFER_PUT_FULL,    /* the next record needs another message */
	TRANSFER_PUT_DAMAGED, /* the data are no records; the message is to be thrown away */
};

/*
 * Writes the records of an RRset from the octet `*at` of its data on, which is behind the last
 * one written afterwards. All of it is to lie in an image before its index: some octets more
 * are read than are used.
 */
enum transfer_put transfer_put_rrset(struct transfer_message *m, struct transfer_owner *owner,
				     const struct rrset *rrset, size_t *at);

#endif
