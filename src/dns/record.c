/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/record.h"

#include "dns/decimal.h"

void record_write(const struct record *record, struct writer *w)
{
	write_bytes(w, record->owner.wire, record->owner.len);
	write_u16(w, record->type);
	write_u16(w, record->class);
	write_u32(w, record->ttl);
	write_u16(w, (uint16_t)record->rdata.len);
	write_span(w, record->rdata);
}

bool record_read(struct reader *r, struct record *out)
{
	if (!name_read_plain(r, &out->owner)) return false;
	out->type = read_u16(r);
	out->class = read_u16(r);
	out->ttl = read_u32(r);
	out->rdata = read_span(r, read_u16(r));
	return !r->failed;
}

int record_compare(const struct record *a, const struct record *b)
{
	int order = name_compare(a->owner, b->owner);

	if (order) return order;
	if (a->type != b->type) {
		if (a->type == RRTYPE_SOA) return -1;
		if (b->type == RRTYPE_SOA) return 1;
		return a->type < b->type ? -1 : 1;
	}
	return rdata_compare(a->type, a->rdata, b->rdata);
}

static const struct {
	const char *text;
	uint16_t class;
} classes[] = {
	{"IN", CLASS_IN},     {"CH", CLASS_CH},   {"HS", CLASS_HS},
	{"NONE", CLASS_NONE}, {"ANY", CLASS_ANY},
};

bool class_from_text(struct span text, uint16_t *class)
{
	for (size_t i = 0; i < ARRAY_COUNT(classes); i++) {
		if (!word_is(text, classes[i].text)) continue;
		*class = classes[i].class;
		return true;
	}
	uint64_t number;
	if (text.len < 6 || !word_is(span_of(text.ptr, 5), "CLASS")) return false;
	if (!decimal_read(span_of(text.ptr + 5, text.len - 5), UINT16_MAX, &number)) return false;
	*class = (uint16_t)number;
	return true;
}

static void class_print(uint16_t class, struct writer *w)
{
	for (size_t i = 0; i < ARRAY_COUNT(classes); i++) {
		if (classes[i].class != class) continue;
		write_text(w, classes[i].text);
		return;
	}
	write_text(w, "CLASS");
	decimal_print(class, w);
}

void record_print(const struct record *record, struct writer *w)
{
	char type[RRTYPE_TEXT_MAX];

	name_print(record->owner, w);
	write_u8(w, '\t');
	decimal_print(record->ttl, w);
	write_u8(w, '\t');
	class_print(record->class, w);
	write_u8(w, '\t');
	write_text(w, rrtype_to_text(record->type, type));
	write_u8(w, '\t');
	rdata_print(record->type, record->rdata, w);
	write_u8(w, '\n');
}

bool soa_read(struct span rdata, struct soa *out)
{
	struct reader r = reader_of(rdata);

	if (!name_read_plain(&r, &out->mname) || !name_read_plain(&r, &out->rname)) return false;
	out->serial = read_u32(&r);
	out->refresh = read_u32(&r);
	out->retry = read_u32(&r);
	out->expire = read_u32(&r);
	out->minimum = read_u32(&r);
	return reader_done(&r);
}

bool serial_newer(uint32_t a, uint32_t b)
{
	uint32_t ahead = a - b;
	return ahead != 0 && ahead < UINT32_C(0x80000000);
}
