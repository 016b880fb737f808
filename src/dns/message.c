/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/message.h"

#include <stdio.h>

char *rcode_to_text(uint16_t rcode, char text[static RCODE_TEXT_MAX])
{
	switch (rcode) {
#define RCODE(name, code, rfc)                                                                     \
	case code:                                                                                 \
		snprintf(text, RCODE_TEXT_MAX, "%s", #name);                                       \
		break;
#include "dns/rcodes.def"
	default: snprintf(text, RCODE_TEXT_MAX, "RCODE%u", rcode); break;
	}
	return text;
}

const char *opcode_name(uint8_t opcode)
{
	switch (opcode) {
#define OPCODE(name, code, rfc, answered)                                                          \
	case code:                                                                                 \
		return #name;
#include "dns/opcodes.def"
#undef OPCODE
	default: return NULL;
	}
}

bool opcode_is_answered(uint8_t opcode)
{
	switch (opcode) {
#define OPCODE(name, code, rfc, answered)                                                          \
	case code:                                                                                 \
		return answered;
#include "dns/opcodes.def"
#undef OPCODE
	default: return false;
	}
}

bool header_read(struct span wire, struct header *out)
{
	struct reader r = reader_of(wire);
	uint16_t flags;

	*out = (struct header){.id = read_u16(&r)};
	flags = read_u16(&r);
	out->qr = flags & 0x8000;
	out->opcode = flags >> 11 & 0xf;
	out->aa = flags & 0x0400;
	out->tc = flags & 0x0200;
	out->rd = flags & 0x0100;
	out->ra = flags & 0x0080;
	out->ad = flags & 0x0020;
	out->cd = flags & 0x0010;
	out->rcode = flags & 0xf;
	for (int i = 0; i < SECTION_COUNT; i++) out->count[i] = read_u16(&r);
	return !r.failed;
}

/*
 * The first question goes to `message`, further ones are only walked over. Nothing
 * but the header stands before the first, so its name has nothing to point at.
 */
static bool questions_read(struct message *message, struct reader *r)
{
	struct question other;

	for (uint16_t i = 0; i < message->header.count[SECTION_QUESTION]; i++) {
		struct question *question = i == 0 ? &message->question : &other;

		size_t at = r->at;

		if (!name_read(r, &question->name)) return false;
		if (i == 0 && r->at - at != question->name.len) return false;
		question->type = read_u16(r);
		question->class = read_u16(r);
		if (r->failed) return false;
	}
	message->has_question = message->header.count[SECTION_QUESTION] > 0;
	return true;
}

bool message_parse(struct span wire, struct message *out)
{
	struct reader r = reader_of(wire);

	out->wire = wire;
	out->has_question = false;
	out->records_at = 0;
	if (!header_read(wire, &out->header)) return false;
	reader_skip(&r, HEADER_OCTETS);
	if (!questions_read(out, &r)) return false;
	out->records_at = r.at;
	return true;
}

struct message_cursor message_cursor_of(const struct message *message)
{
	struct message_cursor cursor = {.reader = reader_of(message->wire)};

	reader_skip(&cursor.reader, message->records_at);
	memcpy(cursor.left, message->header.count, sizeof cursor.left);
	cursor.left[SECTION_QUESTION] = 0;
	return cursor;
}

/* Takes one record off the first section that has some left; SECTION_COUNT at the end. */
static enum section cursor_take(struct message_cursor *cursor)
{
	enum section section = SECTION_ANSWER;

	if (cursor->reader.failed) return SECTION_COUNT;
	while (section < SECTION_COUNT && cursor->left[section] == 0) section++;
	if (section < SECTION_COUNT) cursor->left[section]--;
	return section;
}

/* What stands between the owner and the next record. */
static bool record_body_read(struct reader *r, struct message_record *out)
{
	out->type = read_u16(r);
	out->class = read_u16(r);
	out->ttl = read_u32(r);
	out->rdata_len = read_u16(r);
	out->rdata_at = r->at;
	reader_skip(r, out->rdata_len);
	return !r->failed;
}

bool message_next_record(struct message_cursor *cursor, struct message_record *out)
{
	out->section = cursor_take(cursor);
	out->at = cursor->reader.at;
	if (out->section == SECTION_COUNT || !name_read(&cursor->reader, &out->owner)) return false;
	return record_body_read(&cursor->reader, out);
}

/* Over a name as it stands: to its end or to its first pointer, which is not followed. */
static void name_skip(struct reader *r)
{
	size_t len = 0;
	uint8_t octet;

	do {
		octet = read_u8(r);
		if (octet >= 0xc0) {
			reader_skip(r, 1);
			return;
		}
		len += (size_t)octet + 1;
		if (octet > LABEL_OCTETS_MAX || len > NAME_OCTETS_MAX) r->failed = true;
		reader_skip(r, octet);
	} while (octet && !r->failed);
}

bool message_skim_record(struct message_cursor *cursor, struct message_record *out)
{
	out->section = cursor_take(cursor);
	out->at = cursor->reader.at;
	if (out->section == SECTION_COUNT) return false;
	name_skip(&cursor->reader);
	return record_body_read(&cursor->reader, out);
}

bool message_cursor_is_done(const struct message_cursor *cursor)
{
	for (int i = SECTION_ANSWER; i < SECTION_COUNT; i++)
		if (cursor->left[i]) return false;
	return reader_done(&cursor->reader);
}

struct span message_rdata(const struct message *message, const struct message_record *record)
{
	struct reader r = reader_of(message->wire);

	reader_skip(&r, record->rdata_at);
	return read_span(&r, record->rdata_len);
}

/* RFC 2136 2.4 and 2.5: a condition or deletion names a set or a name, and brings no data. */
static bool rdata_is_absent(const struct message_record *record)
{
	return record->rdata_len == 0 &&
	       (record->class == CLASS_ANY || record->class == CLASS_NONE);
}

enum code message_expand_record(const struct message *message, const struct message_record *in,
				struct writer *w, struct record *out, struct error *err)
{
	struct reader r = reader_of(message->wire);
	size_t before = w->len;
	enum code code;

	reader_skip(&r, in->rdata_at);
	code = rdata_is_absent(in) ? OK : rdata_read(in->type, &r, in->rdata_len, w, err);
	if (!code && w->overflow)
		code = error_set(err, E_LIMIT, "no room for the data of a record of %zu octets",
				 (size_t)in->rdata_len);
	if (code) {
		writer_rewind(w, before);
		return code;
	}
	out->owner = name_of(&in->owner);
	out->type = in->type;
	out->class = in->class;
	out->ttl = in->ttl > TTL_MAX ? 0 : in->ttl;
	out->rdata = span_of(w->ptr + before, w->len - before);
	return OK;
}
