/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name that is read prints, and its text makes the same octets; order, equality and
 * ancestry agree with a model that goes label by label. Input: text ('t') or a message
 * ('m' and where the name begins); two names of it are compared.
 */
#include "fuzz.h"

#include "dns/name.h"

#include <assert.h>

static int lowered(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* The label that `count` others follow. */
static struct span label_from_end(struct name name, unsigned count)
{
	const uint8_t *p = name.wire;

	for (unsigned skip = name_label_count(name) - count - 1; skip; skip--) p += *p + 1;
	return span_of(p + 1, *p);
}

static int label_order(struct span a, struct span b)
{
	for (size_t i = 0; i < a.len && i < b.len; i++)
		if (lowered(a.ptr[i]) != lowered(b.ptr[i]))
			return lowered(a.ptr[i]) - lowered(b.ptr[i]);
	return (a.len > b.len) - (a.len < b.len);
}

/* RFC 4034 6.1 as it is written. `common` is the number of equal labels from the end. */
static int model_order(struct name a, struct name b, unsigned *common)
{
	unsigned a_count = name_label_count(a), b_count = name_label_count(b);

	for (*common = 0; *common < a_count && *common < b_count; ++*common) {
		int order = label_order(label_from_end(a, *common), label_from_end(b, *common));
		if (order) return order;
	}
	return (a_count > b_count) - (a_count < b_count);
}

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

static void check_pair(struct name a, struct name b)
{
	unsigned common;
	int order = sign(model_order(a, b, &common));

	assert(sign(name_compare(a, b)) == order && sign(name_compare(b, a)) == -order);
	assert(name_equal(a, b) == (order == 0));
	assert(name_is_below(a, b) == (common == name_label_count(b)));
}

static void check_one(struct name name)
{
	struct name_buffer again, low;
	char text[NAME_TEXT_MAX];
	struct reader r = reader_of(span_of(name.wire, name.len));
	struct name plain;

	assert(name.len >= 1 && name_read_plain(&r, &plain) && reader_done(&r));
	assert(name_label_count(name) <= LABEL_COUNT_MAX);
	name_to_text(name, text);
	assert(name_from_text(span_of_text(text), NULL, &again, NULL) == OK);
	assert(again.len == name.len && memcmp(again.wire, name.wire, name.len) == 0);

	name_lower(name, &low);
	check_pair(name, name_of(&low));
	check_pair(name, name_parent(name));
	check_pair(name_without_labels(name, name_label_count(name)), name);
	if (name_wildcard_child(name, &again)) {
		assert(name_is_wildcard(name_of(&again)));
		check_pair(name_of(&again), name);
	}
}

static void check_message(struct reader *r)
{
	struct name_buffer names[2];
	size_t start = read_u8(r);

	for (unsigned i = 0; i < 2; i++) {
		r->at = start < r->len ? start : r->len;
		size_t before = r->at;
		if (!name_read(r, &names[i])) return;
		assert(r->at > before && r->at <= r->len);
		check_one(name_of(&names[i]));
		start = r->at;
	}
	check_pair(name_of(&names[0]), name_of(&names[1]));
}

static void check_text(struct span text)
{
	static const uint8_t origin_wire[] = "\7Example\3net";
	struct name origin = {.wire = origin_wire, .len = sizeof origin_wire};
	struct name_buffer absolute, relative;
	struct error err = {.code = OK};

	bool is_name = name_from_text(text, &origin, &relative, &err) == OK;
	assert(is_name || err.text[0]);
	if (is_name) check_one(name_of(&relative));
	if (name_from_text(text, NULL, &absolute, &err) == OK) {
		assert(is_name);
		check_pair(name_of(&absolute), name_of(&relative));
		assert(name_equal(name_of(&absolute), name_of(&relative)));
	}
	if (is_name) check_pair(name_of(&relative), origin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	uint8_t form = read_u8(&r);

	if (form == 'm') check_message(&r);
	if (form == 't') check_text(read_rest(&r));
	return 0;
}
