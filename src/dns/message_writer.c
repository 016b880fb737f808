/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/message_writer.h"

#include <assert.h>

enum {
	POINTER_BITS = 0xc000,
	RCODE_HEADER_MAX = 15,    /* 4 bits of the header; the upper 8 go to OPT */
	OPT_RCODE_AT = 1 + 2 + 2, /* behind OPT's owner, type and class: RFC 6891 6.1.3 */
};

void message_begin(struct message_writer *mw, void *octets, size_t cap)
{
	static const uint8_t zeros[HEADER_OCTETS];

	assert(cap >= HEADER_OCTETS);
	memset(mw, 0, sizeof *mw);
	mw->w = writer_of(octets, cap < MESSAGE_OCTETS_MAX ? cap : MESSAGE_OCTETS_MAX);
	write_bytes(&mw->w, zeros, sizeof zeros);
	mw->records_at = HEADER_OCTETS;
}

/*
 * Hash of a label and of where its parent stands. Somebody who aims at collisions
 * gains a longer message, not time.
 */
static uint32_t label_hash(const uint8_t *label, uint16_t parent)
{
	size_t len = (size_t)*label + 1;
	uint64_t hash = parent + UINT64_C(0x9e3779b97f4a7c15);

	for (; len >= 8; label += 8, len -= 8) {
		uint64_t octets;
		memcpy(&octets, label, 8);
		hash = (hash ^ octets) * UINT64_C(0xff51afd7ed558ccd);
		hash ^= hash >> 32;
	}
	uint64_t rest = 0;
	memcpy(&rest, label, len);
	hash = (hash ^ rest) * UINT64_C(0xff51afd7ed558ccd);
	return (uint32_t)(hash >> 32);
}

/* Where `label` stands before the name at `parent`; 0 when the table knows no such place. */
static uint16_t compression_find(struct message_writer *mw, const uint8_t *label, uint16_t parent,
				 uint32_t hash)
{
	for (uint32_t i = 0; i < COMPRESSION_PROBE_COUNT; i++) {
		struct compression_slot *slot = &mw->slots[(hash + i) % COMPRESSION_SLOT_COUNT];
		const uint8_t *there = mw->w.ptr + slot->at;

		if (slot->at == 0) return 0;
		if (slot->tag != hash >> 16 || slot->parent != parent || *there != *label) continue;
		if (memcmp(there, label, (size_t)*label + 1) != 0) continue;
		if (slot->used < UINT16_MAX) slot->used++;
		return slot->at;
	}
	return 0;
}

/* In a full neighbourhood the place that was of least use gives way. */
static void compression_add(struct message_writer *mw, uint16_t at, uint16_t parent, uint32_t hash)
{
	struct compression_slot *into = &mw->slots[hash % COMPRESSION_SLOT_COUNT];

	for (uint32_t i = 0; i < COMPRESSION_PROBE_COUNT; i++) {
		struct compression_slot *slot = &mw->slots[(hash + i) % COMPRESSION_SLOT_COUNT];

		if (slot->used < into->used || slot->at == 0) into = slot;
		if (slot->at == 0) break;
	}
	*into = (struct compression_slot){
		.at = at, .parent = parent, .tag = (uint16_t)(hash >> 16)};
}

/*
 * Writes a name, compressed against the longest ending that stands in the message.
 * Labels are looked up from the root leftwards, each with the place of its parent, up
 * to the first one that is not there; from that one on they are written and entered.
 * `*name_at` is where the name can be pointed at, 0 when nowhere. Returns the octets
 * of the name in `wire`.
 */
static size_t message_write_name(struct message_writer *mw, const uint8_t *wire, uint16_t *name_at)
{
	uint8_t starts[LABEL_COUNT_MAX + 1];
	uint32_t hashes[LABEL_COUNT_MAX];
	unsigned count = 0, written;
	uint16_t parent = 0;
	size_t base = mw->w.len, len = 0;

	for (; wire[len]; len += wire[len] + 1u) {
		assert(count < LABEL_COUNT_MAX);
		starts[count++] = (uint8_t)len;
	}
	starts[count] = (uint8_t)len++;
	for (written = count; written > 0; written--) {
		const uint8_t *label = wire + starts[written - 1];
		uint32_t hash = hashes[written - 1] = label_hash(label, parent);
		uint16_t found = compression_find(mw, label, parent, hash);

		if (!found) break;
		parent = found;
	}
	*name_at = 0;
	write_bytes(&mw->w, wire, starts[written]);
	if (parent)
		write_u16(&mw->w, (uint16_t)(POINTER_BITS | parent));
	else
		write_u8(&mw->w, 0);
	if (mw->w.overflow) return len;

	for (unsigned i = written; i > 0; i--) {
		size_t at = base + starts[i - 1];

		if (at > COMPRESSION_OFFSET_MAX) return len;
		if (i < written) hashes[i - 1] = label_hash(wire + starts[i - 1], parent);
		compression_add(mw, (uint16_t)at, parent, hashes[i - 1]);
		parent = (uint16_t)at;
	}
	*name_at = parent;
	return len;
}

/* Most records share their owner with the one before; then the table is not asked. */
static void message_write_owner(struct message_writer *mw, struct name owner)
{
	uint16_t at;

	if (mw->last_owner_at && mw->last_owner.len == owner.len &&
	    memcmp(mw->last_owner.wire, owner.wire, owner.len) == 0) {
		write_u16(&mw->w, (uint16_t)(POINTER_BITS | mw->last_owner_at));
		return;
	}
	message_write_name(mw, owner.wire, &at);
	mw->last_owner_at = at;
	if (at) name_copy(&mw->last_owner, owner);
}

bool message_add_question(struct message_writer *mw, const struct question *question)
{
	struct message_mark mark = message_mark(mw);

	assert(mw->section == SECTION_QUESTION);
	message_write_owner(mw, name_of(&question->name));
	write_u16(&mw->w, question->type);
	write_u16(&mw->w, question->class);
	if (mw->w.overflow) {
		message_rewind(mw, &mark);
		return false;
	}
	mw->count[SECTION_QUESTION]++;
	mw->records_at = mw->w.len;
	return true;
}

static void message_write_rdata(struct message_writer *mw, uint16_t type, struct span rdata)
{
	uint16_t offsets[RDATA_NAME_COUNT_MAX], name_at;
	size_t count = rdata_compressible_names(type, rdata, offsets), at = 0;

	for (size_t i = 0; i < count; i++) {
		write_bytes(&mw->w, rdata.ptr + at, offsets[i] - at);
		at = offsets[i] + message_write_name(mw, rdata.ptr + offsets[i], &name_at);
	}
	if (at < rdata.len) write_bytes(&mw->w, rdata.ptr + at, rdata.len - at);
}

bool message_add_record(struct message_writer *mw, enum section section,
			const struct record *record)
{
	struct message_mark mark = message_mark(mw);
	size_t rdata_len_at;

	assert(section >= mw->section && section > SECTION_QUESTION && section < SECTION_COUNT);
	assert(record->rdata.len <= RDATA_OCTETS_MAX);
	if (mw->count[section] == UINT16_MAX) return false;
	message_write_owner(mw, record->owner);
	write_u16(&mw->w, record->type);
	write_u16(&mw->w, record->class);
	write_u32(&mw->w, record->ttl);
	rdata_len_at = mw->w.len;
	write_u16(&mw->w, 0);
	message_write_rdata(mw, record->type, record->rdata);
	if (mw->w.overflow) {
		message_rewind(mw, &mark);
		return false;
	}
	patch_u16(&mw->w, rdata_len_at, (uint16_t)(mw->w.len - rdata_len_at - sizeof(uint16_t)));
	mw->section = section;
	mw->count[section]++;
	return true;
}

bool message_reserve(struct message_writer *mw, size_t octets)
{
	if (octets > writer_room(&mw->w)) return false;
	mw->w.cap -= octets;
	mw->reserved += octets;
	return true;
}

void message_release(struct message_writer *mw, size_t octets)
{
	assert(octets <= mw->reserved);
	mw->w.cap += octets;
	mw->reserved -= octets;
}

struct message_mark message_mark(const struct message_writer *mw)
{
	struct message_mark mark = {.len = mw->w.len, .section = mw->section};

	memcpy(mark.count, mw->count, sizeof mark.count);
	return mark;
}

void message_rewind(struct message_writer *mw, const struct message_mark *mark)
{
	assert(mark->len >= HEADER_OCTETS && mark->len <= mw->w.len);
	writer_rewind(&mw->w, mark->len);
	memcpy(mw->count, mark->count, sizeof mw->count);
	mw->section = mark->section;
	for (size_t i = 0; i < COMPRESSION_SLOT_COUNT; i++)
		if (mw->slots[i].at >= mark->len) mw->slots[i] = (struct compression_slot){0};
	if (mw->last_owner_at >= mark->len) mw->last_owner_at = 0;
	if (mw->opt_at >= mark->len) mw->opt_at = 0;
}

void message_truncate(struct message_writer *mw)
{
	struct message_mark mark = {.len = mw->records_at, .section = SECTION_QUESTION};

	mark.count[SECTION_QUESTION] = mw->count[SECTION_QUESTION];
	message_rewind(mw, &mark);
}

struct span message_finish(struct message_writer *mw, const struct header *header)
{
	struct writer head = writer_of(mw->w.ptr, HEADER_OCTETS);

	assert(!mw->w.overflow && (header->rcode <= RCODE_HEADER_MAX || mw->opt_at));
	message_release(mw, mw->reserved);
	write_u16(&head, header->id);
	write_u16(&head,
		  (uint16_t)(header->qr << 15 | (header->opcode & 0xf) << 11 | header->aa << 10 |
			     header->tc << 9 | header->rd << 8 | header->ra << 7 | header->ad << 5 |
			     header->cd << 4 | (header->rcode & RCODE_HEADER_MAX)));
	for (int i = 0; i < SECTION_COUNT; i++) write_u16(&head, mw->count[i]);
	if (mw->opt_at) mw->w.ptr[mw->opt_at + OPT_RCODE_AT] = (uint8_t)(header->rcode >> 4);
	return writer_span(&mw->w);
}
