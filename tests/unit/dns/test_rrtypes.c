/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of rrtypes/good.tsv and bad.tsv: what other implementations make of a text is
 * what we make of it, and what we refuse is told in these words.
 */
#include "unit.h"

#include "words.h"

#include "base/attributes.h"
#include "base/encoding.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	WORDS_MAX = 16384,
	ROWS_MAX = 1000,
	COLUMNS = 5,
	PRINTED_MAX = 4 * RDATA_OCTETS_MAX + 1024,
};

struct row {
	const char *columns[COLUMNS];
	uint16_t type;
	size_t line;
};

struct rows {
	struct row list[ROWS_MAX];
	size_t count;
};

static struct rows good, bad;
static struct token words[WORDS_MAX];
static uint8_t wire[RDATA_OCTETS_MAX], again[RDATA_OCTETS_MAX];
static char printed[PRINTED_MAX];

static void rows_load(struct rows *rows, const char *file)
{
	char path[4096], *line = NULL;
	size_t room = 0;

	snprintf(path, sizeof path, "%s/tests/unit/dns/rrtypes/%s", getenv("LOCKSTEP_SOURCE"),
		 file);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	for (size_t number = 1; getline(&line, &room, in) >= 0; number++) {
		line[strcspn(line, "\n")] = '\0';
		if (!*line || *line == '#') continue;
		assert_true(rows->count < ROWS_MAX);
		struct row *row = &rows->list[rows->count++];
		char *copy = strdup(line);
		for (size_t i = 0; i < COLUMNS; i++)
			row->columns[i] = copy ? strsep(&copy, "\t") : "";
		row->line = number;
		if (!rrtype_from_text(span_of_text(row->columns[0]), &row->type))
			fail_msg("%s:%zu: unknown type", file, number);
	}
	free(line);
	fclose(in);
}

static int rows_setup(void **state)
{
	(void)state;
	rows_load(&good, "good.tsv");
	rows_load(&bad, "bad.tsv");
	return 0;
}

static enum code parse(uint16_t type, const char *text, struct writer *w, size_t *word,
		       struct error *err)
{
	size_t count = words_split(span_of_text(text), words, WORDS_MAX);
	return rdata_from_tokens(type, words, count, words_origin(), w, word, err);
}

/* In memory of its own, so that a sanitizer sees a read behind its end. */
static struct span span_alone(struct span bytes)
{
	uint8_t *copy = malloc(bytes.len ? bytes.len : 1);
	assert_non_null(copy);
	if (bytes.len) memcpy(copy, bytes.ptr, bytes.len);
	return span_of(copy, bytes.len);
}

static void span_free(struct span bytes)
{
	free((void *)(uintptr_t)bytes.ptr);
}

static const char *print(uint16_t type, struct span rdata)
{
	struct writer w = writer_of(printed, sizeof printed - 1);

	rdata_print(type, rdata, &w);
	CHECK(!w.overflow);
	printed[w.len] = '\0';
	return printed;
}

static struct span row_wire(const struct row *row)
{
	struct writer w = writer_of(wire, sizeof wire);

	CHECK(base16_decode(span_of_text(row->columns[2]), &w));
	return writer_span(&w);
}

static void check_parses_to(const struct row *row, const char *text, struct span expected)
{
	struct writer w = writer_of(again, sizeof again);
	struct error err;
	size_t word;

	if (parse(row->type, text, &w, &word, &err))
		fail_msg("good.tsv:%zu: %s: word %zu: %s", row->line, text, word, err.text);
	if (!span_equal(writer_span(&w), expected))
		fail_msg("good.tsv:%zu: %s makes another wire form", row->line, text);
}

/* Whatever is well-formed prints, and its text reads back to the same octets. */
static void check_round_trip(uint16_t type, struct span rdata)
{
	struct writer w = writer_of(again, sizeof again);
	struct error err;
	size_t word;

	const char *text = print(type, rdata);
	if (parse(type, text, &w, &word, &err))
		fail_msg("type %u prints as %s, word %zu: %s", type, text, word, err.text);
	if (!span_equal(writer_span(&w), rdata))
		fail_msg("type %u: %s reads otherwise", type, text);
}

TEST(text_makes_the_wire_form_that_others_make)
{
	for (size_t i = 0; i < good.count; i++) {
		struct row *row = &good.list[i];
		struct span expected = row_wire(row);
		check_parses_to(row, row->columns[1], expected);
		CHECK(rdata_check(row->type, expected, NULL) == OK);
	}
}

TEST(wire_form_prints_in_its_own_form_and_reads_back)
{
	for (size_t i = 0; i < good.count; i++) {
		struct row *row = &good.list[i];
		struct span rdata = span_alone(row_wire(row));
		const char *text = print(row->type, rdata), *expected = row->columns[3];
		if (strcmp(expected, "=") == 0) expected = row->columns[1];
		if (strcmp(text, expected) != 0)
			fail_msg("good.tsv:%zu prints as %s", row->line, text);
		check_round_trip(row->type, rdata);
		span_free(rdata);
	}
}

/* RFC 3597 5: known types too. */
TEST(every_type_takes_octets_in_generic_form)
{
	for (size_t i = 0; i < good.count; i++) {
		struct row *row = &good.list[i];
		struct span rdata = row_wire(row);
		snprintf(printed, sizeof printed, "\\# %zu %s", rdata.len, row->columns[2]);
		check_parses_to(row, printed, rdata);
	}
}

TEST(a_truncated_wire_form_is_refused_or_a_shorter_right_one)
{
	for (size_t i = 0; i < good.count; i++) {
		struct row *row = &good.list[i];
		struct span whole = row_wire(row);
		for (size_t len = 0; len < whole.len; len++) {
			struct span part = span_alone(span_of(whole.ptr, len));
			struct error err = {.text = ""};
			if (rdata_check(row->type, part, &err) == OK)
				check_round_trip(row->type, part);
			else
				CHECK(err.code == E_SYNTAX && err.text[0]);
			span_free(part);
		}
	}
}

static uint64_t random_state = 88172645463325252;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % limit;
}

static void check_any_octets(uint16_t type, struct span octets)
{
	struct span rdata = span_alone(octets);
	struct name host;
	uint16_t offsets[RDATA_NAME_COUNT_MAX];
	struct writer w = writer_of(again, sizeof again);

	/* Also of what is malformed: it reads nothing it should not, and says nothing false. */
	rdata_canonical(type, rdata, &w);
	CHECK(w.len == rdata.len);
	rdata_compressible_names(type, rdata, offsets);
	rdata_additional_name(type, rdata, &host);
	print(type, rdata);
	CHECK(rdata_compare(type, rdata, rdata) == 0);
	if (rdata_check(type, rdata, NULL) == OK) check_round_trip(type, rdata);
	span_free(rdata);
}

TEST(changed_octets_are_refused_or_round_trip)
{
	for (size_t i = 0; i < good.count; i++) {
		uint8_t octets[1024];
		struct span whole = row_wire(&good.list[i]);
		CHECK(whole.len + 8 < sizeof octets);
		for (unsigned round = 0; round < 300; round++) {
			size_t len = whole.len;
			memcpy(octets, whole.ptr, len);
			if (round % 3 == 0) octets[len++] = (uint8_t)random_below(256);
			if (round % 5 == 0 && len) len -= random_below((uint32_t)len);
			for (unsigned n = random_below(4); n && len; n--)
				octets[random_below((uint32_t)len)] =
					(uint8_t)(random_below(2) ? random_below(256)
								  : random_below(5));
			check_any_octets(good.list[i].type, span_of(octets, len));
		}
	}
}

TEST(random_octets_are_refused_or_round_trip)
{
	size_t count;
	const char *const *mnemonics = rrtype_mnemonics(&count);

	for (size_t i = 0; i < count; i++) {
		uint16_t type;
		uint8_t octets[80];
		CHECK(rrtype_from_text(span_of_text(mnemonics[i]), &type));
		if (rrtype_is_meta(type)) continue;
		for (unsigned round = 0; round < 500; round++) {
			uint32_t len = random_below(sizeof octets), limit = round % 2 ? 256 : 4;
			for (uint32_t at = 0; at < len; at++)
				octets[at] = (uint8_t)random_below(limit);
			check_any_octets(type, span_of(octets, len));
		}
	}
}

/* RFC 4034 6.2: once lowered, nothing is left to lower. */
TEST(canonical_form_is_idempotent_and_equal_in_order)
{
	for (size_t i = 0; i < good.count; i++) {
		struct span rdata = row_wire(&good.list[i]);
		uint8_t once[1024], twice[1024];
		struct writer a = writer_of(once, sizeof once), b = writer_of(twice, sizeof twice);
		uint16_t type = good.list[i].type;
		rdata_canonical(type, rdata, &a);
		rdata_canonical(type, writer_span(&a), &b);
		CHECK(span_equal(writer_span(&a), writer_span(&b)));
		CHECK(rdata_check(type, writer_span(&a), NULL) == OK);
		CHECK(rdata_compare(type, rdata, writer_span(&a)) == 0);
	}
}

TEST(the_order_of_data_is_that_of_their_canonical_forms)
{
	for (size_t i = 0; i < good.count; i++)
		for (size_t j = 0; j < good.count; j++) {
			uint8_t a_octets[1024], b_octets[1024];
			uint16_t type = good.list[i].type;
			if (type != good.list[j].type) continue;
			struct writer a = writer_of(a_octets, sizeof a_octets);
			struct writer b = writer_of(b_octets, sizeof b_octets);
			rdata_canonical(type, row_wire(&good.list[i]), &a);
			struct span a_raw = span_alone(row_wire(&good.list[i]));
			rdata_canonical(type, row_wire(&good.list[j]), &b);
			size_t common = a.len < b.len ? a.len : b.len;
			int expected = memcmp(a_octets, b_octets, common);
			if (!expected) expected = (a.len > b.len) - (a.len < b.len);
			int order = rdata_compare(type, a_raw, row_wire(&good.list[j]));
			CHECK((order < 0) == (expected < 0) && (order > 0) == (expected > 0));
			span_free(a_raw);
		}
}

TEST(data_inside_a_message_reads_to_the_same_octets)
{
	for (size_t i = 0; i < good.count; i++) {
		struct span rdata = row_wire(&good.list[i]);
		uint8_t message[1024] = {0}, out[1024];
		memcpy(message + 12, rdata.ptr, rdata.len);
		struct span alone = span_alone(span_of(message, rdata.len + 12));
		struct reader r = reader_of(alone);
		struct writer w = writer_of(out, sizeof out);
		reader_skip(&r, 12);
		CHECK(rdata_read(good.list[i].type, &r, (uint16_t)rdata.len, &w, NULL) == OK);
		CHECK(reader_done(&r) && span_equal(writer_span(&w), rdata));
		span_free(alone);
	}
}

TEST(a_wrong_text_is_refused_in_these_words)
{
	for (size_t i = 0; i < bad.count; i++) {
		struct row *row = &bad.list[i];
		struct writer w = writer_of(wire, sizeof wire);
		struct error err;
		size_t word = SIZE_MAX;
		write_u8(&w, 0);
		if (parse(row->type, row->columns[1], &w, &word, &err) == OK)
			fail_msg("bad.tsv:%zu is taken", row->line);
		if (strcmp(err.text, row->columns[3]) != 0 ||
		    word != strtoul(row->columns[2], NULL, 10))
			fail_msg("bad.tsv:%zu: word %zu: %s", row->line, word, err.text);
		CHECK(w.len == 1 && !w.overflow);
	}
}

TEST(every_type_has_its_rows)
{
	enum { BAD_ROWS_MIN = 3 };
	size_t count;
	const char *const *mnemonics = rrtype_mnemonics(&count);

	for (size_t i = 0; i < count; i++) {
		size_t good_count = 0, bad_count = 0;
		uint16_t type;
		CHECK(rrtype_from_text(span_of_text(mnemonics[i]), &type));
		for (size_t j = 0; j < good.count; j++) good_count += good.list[j].type == type;
		for (size_t j = 0; j < bad.count; j++) bad_count += bad.list[j].type == type;
		if (rrtype_is_meta(type)) {
			CHECK(!good_count);
			continue;
		}
		if (!good_count || bad_count < BAD_ROWS_MIN)
			fail_msg("%s has %zu good rows and %zu bad ones", mnemonics[i], good_count,
				 bad_count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_makes_the_wire_form_that_others_make),
		cmocka_unit_test(wire_form_prints_in_its_own_form_and_reads_back),
		cmocka_unit_test(every_type_takes_octets_in_generic_form),
		cmocka_unit_test(a_truncated_wire_form_is_refused_or_a_shorter_right_one),
		cmocka_unit_test(changed_octets_are_refused_or_round_trip),
		cmocka_unit_test(random_octets_are_refused_or_round_trip),
		cmocka_unit_test(canonical_form_is_idempotent_and_equal_in_order),
		cmocka_unit_test(the_order_of_data_is_that_of_their_canonical_forms),
		cmocka_unit_test(data_inside_a_message_reads_to_the_same_octets),
		cmocka_unit_test(a_wrong_text_is_refused_in_these_words),
		cmocka_unit_test(every_type_has_its_rows),
	};
	return cmocka_run_group_tests(tests, rows_setup, NULL);
}
