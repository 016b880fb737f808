/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Octets that pass the check print, and their text makes the same octets again; text
 * that is taken makes octets that pass the check; what a message holds, expanded, too.
 * Input: the type, then one octet that says what the rest is.
 */
#include "fuzz.h"

#include "../unit/dns/words.h"

#include <assert.h>

enum { WORDS_MAX = 8192, TEXT_MAX = 4 * RDATA_OCTETS_MAX + 1024, INPUT_MAX = 8192 };

static struct token words[WORDS_MAX];
static uint8_t first[RDATA_OCTETS_MAX], second[RDATA_OCTETS_MAX], text[TEXT_MAX];

static bool parse(uint16_t type, struct span line, struct writer *w)
{
	struct error err = {.code = OK};
	size_t bad = 0, count = words_split(line, words, WORDS_MAX);
	enum code code = rdata_from_tokens(type, words, count, words_origin(), w, &bad, &err);

	assert(!code || (err.code == code && err.text[0] && bad <= count && w->len == 0));
	return code == OK;
}

static void check_forms(uint16_t type, struct span rdata)
{
	struct writer w = writer_of(text, sizeof text), again = writer_of(second, sizeof second);

	rdata_print(type, rdata, &w);
	assert(!w.overflow && parse(type, writer_span(&w), &again));
	assert(span_equal(writer_span(&again), rdata));

	again = writer_of(second, sizeof second);
	rdata_canonical(type, rdata, &again);
	assert(again.len == rdata.len && rdata_check(type, writer_span(&again), NULL) == OK);
	assert(rdata_compare(type, rdata, writer_span(&again)) == 0);

	struct reader r = reader_of(rdata);
	again = writer_of(second, sizeof second);
	assert(rdata_read(type, &r, (uint16_t)rdata.len, &again, NULL) == OK);
	assert(reader_done(&r) && span_equal(writer_span(&again), rdata));
}

static void check_names(uint16_t type, struct span rdata)
{
	uint16_t offsets[RDATA_NAME_COUNT_MAX];
	size_t count = rdata_compressible_names(type, rdata, offsets);
	struct name host;

	for (size_t i = 0; i < count; i++) {
		struct reader r = reader_of(rdata);
		struct name name;
		reader_skip(&r, offsets[i]);
		assert(name_read_plain(&r, &name));
		assert(i == 0 || offsets[i] > offsets[i - 1]);
	}
	if (rdata_additional_name(type, rdata, &host)) assert(!name_is_root(host));
}

static void check_wire(uint16_t type, struct span rdata)
{
	struct writer w = writer_of(text, sizeof text);

	if (rdata_check(type, rdata, NULL) == OK) {
		check_forms(type, rdata);
		check_names(type, rdata);
		return;
	}
	struct error err = {.code = OK};
	assert(rdata_check(type, rdata, &err) == E_SYNTAX && err.text[0]);
	/* Nobody should, but nothing breaks. */
	rdata_print(type, rdata, &w);
	rdata_compare(type, rdata, span_of("", 0));
}

static void check_message(uint16_t type, struct span message)
{
	struct reader r = reader_of(message);
	struct writer w = writer_of(first, sizeof first);
	uint8_t at = read_u8(&r);

	reader_skip(&r, at);
	if (r.failed) return;
	if (rdata_read(type, &r, (uint16_t)reader_left(&r), &w, NULL) == OK)
		check_forms(type, writer_span(&w));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	uint16_t type = read_u16(&r);
	uint8_t form = read_u8(&r);
	struct span rest = read_rest(&r);
	struct writer w = writer_of(first, sizeof first);

	if (r.failed || rest.len > INPUT_MAX || rrtype_is_meta(type)) return 0;
	if (form == 'w') check_wire(type, rest);
	if (form == 'm') check_message(type, rest);
	if (form == 't' && parse(type, rest, &w)) {
		assert(rdata_check(type, writer_span(&w), NULL) == OK);
		check_wire(type, writer_span(&w));
	}
	return 0;
}
