/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/courier/transfer_in.h"

#include <inttypes.h>

void transfer_in_init(struct transfer_in *t, struct name zone, uint64_t octets_max)
{
	*t = (struct transfer_in){.octets_max = octets_max};
	name_copy(&t->zone, zone);
}

void transfer_in_message(struct transfer_in *t, const struct message *message)
{
	t->message = *message;
	t->cursor = message_cursor_of(&t->message);
}

/* "record 17 (www.example.org. A): ..." */
static enum transfer_verdict broken(const struct transfer_in *t, const struct message_record *in,
				    struct error *err, const char *what)
{
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];

	error_set(err, E_SYNTAX, "record %" PRIu64 " (%s %s): %s", t->record_count + 1,
		  name_to_text(name_of(&in->owner), owner), rrtype_to_text(in->type, type), what);
	return TRANSFER_BROKEN;
}

/* RFC 5936 2.2: the first record is the zone's SOA, and so is the last. */
static enum transfer_verdict soa_take(struct transfer_in *t, const struct message_record *in,
				      const struct record *record, struct error *err)
{
	struct soa soa;

	if (!name_equal(record->owner, name_of(&t->zone)))
		return broken(t, in, err, "an SOA of another zone stands in this one");
	if (t->opened) {
		if (!span_equal(record->rdata, span_of(t->soa, t->soa_len)))
			return broken(t, in, err, "the closing SOA differs from the opening one");
		t->closed = true;
		return TRANSFER_MORE;
	}
	if (record->rdata.len > sizeof t->soa || !soa_read(record->rdata, &soa))
		return broken(t, in, err, "malformed SOA");
	memcpy(t->soa, record->rdata.ptr, record->rdata.len);
	t->soa_len = (uint16_t)record->rdata.len;
	t->serial = soa.serial;
	t->opened = true;
	return TRANSFER_MORE;
}

static const char *record_fault(const struct transfer_in *t, const struct message_record *in)
{
	if (in->section != SECTION_ANSWER) return "it stands outside the answer section";
	if (t->closed) return "it comes after the closing SOA";
	if (in->class != CLASS_IN) return "its class is not IN";
	if (!name_is_below(name_of(&in->owner), name_of(&t->zone))) return "it is not in the zone";
	if (rrtype_is_meta(in->type)) return "its type cannot stand in a zone";
	if (!t->opened && in->type != RRTYPE_SOA) return "the first record is not the zone's SOA";
	if (in->ttl > TTL_MAX) return "its TTL is above 2147483647 (RFC 2181 8)";
	return NULL;
}

/* One record into `out` in wire form: owner and fixed part first, then the data in place. */
static enum transfer_verdict record_take(struct transfer_in *t, const struct message_record *in,
					 struct writer *out, struct error *err)
{
	size_t start = out->len;
	struct record record;

	write_bytes(out, in->owner.wire, in->owner.len);
	write_u16(out, in->type);
	write_u16(out, in->class);
	write_u32(out, in->ttl);
	size_t len_at = out->len;
	write_u16(out, 0);
	enum code code = message_expand_record(&t->message, in, out, &record, err);
	if (code == E_LIMIT || out->overflow) {
		writer_rewind(out, start);
		return TRANSFER_ROOM;
	}
	if (code) {
		char sentence[ERROR_TEXT_MAX];
		memcpy(sentence, err->text, sizeof sentence);
		return broken(t, in, err, sentence);
	}
	patch_u16(out, len_at, (uint16_t)record.rdata.len);
	if (in->type == RRTYPE_SOA) {
		if (soa_take(t, in, &record, err) == TRANSFER_BROKEN) return TRANSFER_BROKEN;
		if (t->closed) {
			writer_rewind(out, start); /* the zone has it already */
			return TRANSFER_MORE;
		}
	}
	t->octets += out->len - start;
	t->record_count++;
	return TRANSFER_MORE;
}

enum transfer_verdict transfer_in_records(struct transfer_in *t, struct writer *out,
					  struct error *err)
{
	struct message_record in;
	struct message_cursor before = t->cursor;

	while (message_next_record(&t->cursor, &in)) {
		/* What follows the records of the zone is OPT and TSIG, read by others. */
		if (in.section == SECTION_ADDITIONAL &&
		    (in.type == RRTYPE_OPT || in.type == RRTYPE_TSIG))
			continue;
		const char *fault = record_fault(t, &in);
		if (fault) return broken(t, &in, err, fault);
		enum transfer_verdict verdict = record_take(t, &in, out, err);
		if (verdict == TRANSFER_ROOM) t->cursor = before;
		if (verdict != TRANSFER_MORE) return verdict;
		if (t->octets > t->octets_max) {
			error_set(err, E_LIMIT,
				  "the zone is larger than limits: zone-size, which is %" PRIu64,
				  t->octets_max);
			return TRANSFER_BROKEN;
		}
		before = t->cursor;
	}
	if (!message_cursor_is_done(&t->cursor)) {
		error_set(err, E_SYNTAX, "a malformed message after record %" PRIu64,
			  t->record_count);
		return TRANSFER_BROKEN;
	}
	return t->closed ? TRANSFER_WHOLE : TRANSFER_MORE;
}
