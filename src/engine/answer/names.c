/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/names.h"

#include <assert.h>

enum { POINTER_BITS = 0xc000 };

/* A name taken apart: where its labels begin, and the hash of what begins there. */
struct parts {
	struct name name;
	unsigned count; /* labels without the root */
	uint8_t starts[LABEL_COUNT_MAX + 1];
	uint32_t hashes[LABEL_COUNT_MAX];
};

static uint32_t label_hash(const uint8_t *label, uint32_t hash)
{
	for (size_t i = 0; i <= *label; i++) hash = (hash ^ label[i]) * UINT32_C(0x01000193);
	return hash ^ hash >> 15;
}

static void parts_of(struct name name, struct parts *out)
{
	struct name_buffer lowered;
	size_t at = 0;

	name_lower(name, &lowered);
	out->name = name;
	for (out->count = 0; name.wire[at]; at += name.wire[at] + 1u)
		out->starts[out->count++] = (uint8_t)at;
	out->starts[out->count] = (uint8_t)at;
	uint32_t hash = UINT32_C(0x811c9dc5);
	for (unsigned i = out->count; i > 0; i--)
		out->hashes[i - 1] = hash = label_hash(lowered.wire + out->starts[i - 1], hash);
}

static struct name part_from(const struct parts *parts, unsigned label)
{
	uint8_t at = parts->starts[label];

	return (struct name){parts->name.wire + at, (uint8_t)(parts->name.len - at)};
}

/* The first label from which on the name is also the end of `other`; `count`: only the root is. */
static unsigned common_from(const struct parts *parts, struct name other)
{
	unsigned labels = name_label_count(other), first = 0;

	if (parts->count > labels) first = parts->count - labels;
	for (; first < parts->count; first++) {
		struct name end = part_from(parts, first);
		struct name there = name_without_labels(other, labels - (parts->count - first));
		if (name_equal(end, there)) break;
	}
	return first;
}

void answer_names_begin(struct answer_names *names, struct name question)
{
	names->question = question;
	names->set_at = 0;
	names->place_count = 0;
	memset(names->buckets, 0, sizeof names->buckets);
}

/* Places were entered in ascending order, so the last ones go, each the head of its bucket. */
void answer_names_rewind(struct answer_names *names, size_t len)
{
	while (names->place_count > 0 && names->places[names->place_count - 1].at >= len) {
		const struct answer_place *place = &names->places[--names->place_count];
		names->buckets[place->hash % NAMES_BUCKET_COUNT] = place->next;
	}
}

static void place_add(struct answer_names *names, size_t at, uint32_t hash)
{
	uint16_t *head = &names->buckets[hash % NAMES_BUCKET_COUNT];

	if (at > COMPRESSION_OFFSET_MAX) return;
	assert(names->place_count < NAMES_PLACE_MAX);
	names->places[names->place_count++] =
		(struct answer_place){.at = (uint16_t)at, .next = *head, .hash = hash};
	*head = (uint16_t)names->place_count;
}

/* The first place at `from` or behind it where this end of the name begins; 0: none. */
static uint16_t place_find(const struct answer_names *names, const struct writer *w,
			   const struct parts *parts, unsigned label, size_t from)
{
	uint32_t hash = parts->hashes[label];
	uint16_t first = 0;
	struct name_buffer there;

	for (unsigned i = names->buckets[hash % NAMES_BUCKET_COUNT]; i > 0;) {
		const struct answer_place *place = &names->places[i - 1];
		i = place->next;
		if (place->at < from) break;
		if (place->hash != hash) continue;
		struct reader r = reader_of(writer_span(w));
		reader_skip(&r, place->at);
		if (name_read(&r, &there) && name_equal(name_of(&there), part_from(parts, label)))
			first = place->at;
	}
	return first;
}

/* The labels before `end`, then a pointer to `target`; 0: what is left is the root. */
static void write_parts(struct answer_names *names, struct writer *w, const struct parts *parts,
			unsigned end, size_t target)
{
	size_t base = w->len;

	write_bytes(w, parts->name.wire, parts->starts[end]);
	if (target)
		write_u16(w, (uint16_t)(POINTER_BITS | target));
	else
		write_u8(w, 0);
	if (w->overflow) return;
	for (unsigned i = 0; i < end; i++)
		place_add(names, base + parts->starts[i], parts->hashes[i]);
}

/* Where the question's last labels stand that make a name of `len` octets; 0 for the root. */
static size_t in_question(const struct answer_names *names, size_t len)
{
	return len > 1 ? HEADER_OCTETS + names->question.len - len : 0;
}

static void write_owner(struct answer_names *names, struct writer *w, struct name owner)
{
	struct parts parts;

	if (name_is_below(names->question, owner)) {
		size_t target = in_question(names, owner.len);
		if (target)
			write_u16(w, (uint16_t)(POINTER_BITS | target));
		else
			write_u8(w, 0);
		return;
	}
	parts_of(owner, &parts);
	uint16_t place = place_find(names, w, &parts, 0, 0);
	if (place) {
		write_parts(names, w, &parts, 0, place);
		return;
	}
	unsigned end = common_from(&parts, names->question);
	write_parts(names, w, &parts, end, in_question(names, part_from(&parts, end).len));
}

static void write_rdata_name(struct answer_names *names, struct writer *w, struct name name,
			     struct name source)
{
	struct parts parts;

	parts_of(name, &parts);
	unsigned end = common_from(&parts, names->question),
		 of_source = common_from(&parts, source);
	if (of_source > end) end = of_source;
	for (unsigned i = 0; i < end; i++) {
		uint16_t place = place_find(names, w, &parts, i, names->set_at);
		if (!place) continue;
		write_parts(names, w, &parts, i, place);
		return;
	}
	write_parts(names, w, &parts, end, in_question(names, part_from(&parts, end).len));
}

static void write_rdata(struct answer_names *names, struct writer *w, const struct record *record,
			struct name source)
{
	struct span rdata = record->rdata;
	uint16_t offsets[RDATA_NAME_COUNT_MAX];
	size_t count = rdata_compressible_names(record->type, rdata, offsets), at = 0;

	for (size_t i = 0; i < count; i++) {
		struct reader r = reader_of(rdata);
		struct name name;
		reader_skip(&r, offsets[i]);
		bool is_name = name_read_plain(&r, &name);
		assert(is_name); /* rdata_compressible_names found it */
		(void)is_name;
		write_bytes(w, rdata.ptr + at, offsets[i] - at);
		write_rdata_name(names, w, name, source);
		at = r.at;
	}
	if (at < rdata.len) write_bytes(w, rdata.ptr + at, rdata.len - at);
}

bool answer_names_add(struct answer_names *names, struct message_writer *mw, enum section section,
		      const struct record *record, struct name source, bool is_first)
{
	struct writer *w = &mw->w;

	assert(section >= mw->section && section > SECTION_QUESTION && section < SECTION_COUNT);
	assert(record->rdata.len <= RDATA_OCTETS_MAX);
	if (mw->count[section] == UINT16_MAX) return false;
	write_owner(names, w, record->owner);
	if (is_first) names->set_at = w->len;
	write_u16(w, record->type);
	write_u16(w, record->class);
	write_u32(w, record->ttl);
	size_t rdata_len_at = w->len;
	write_u16(w, 0);
	write_rdata(names, w, record, source);
	if (w->overflow) return false;
	patch_u16(w, rdata_len_at, (uint16_t)(w->len - rdata_len_at - sizeof(uint16_t)));
	mw->section = section;
	mw->count[section]++;
	return true;
}
