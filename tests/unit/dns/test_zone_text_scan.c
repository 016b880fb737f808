/* SPDX-License-Identifier: Apache-2.0 */
/* The lexical rules of RFC 1035 5.1, by each kernel. */
#include "unit.h"

#include "dns/zone_text.h"
#include "dns/zone_text_scan.h"

#include <stdio.h>
#include <stdlib.h>

enum { SHOWN_MAX = 4096 };

static struct arena *arena;
static struct diagnostics told;
static struct token_list words;

static int each_test_begins(void **state)
{
	(void)state;
	arena = arena_new(512u << 20);
	told = (struct diagnostics){.arena = arena};
	words = (struct token_list){0};
	return arena ? 0 : -1;
}

static int each_test_ends(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void entry_show(const struct zone_scan *scan, struct writer *w)
{
	if (scan->begins_blank) write_u8(w, '_');
	for (size_t i = 0; i < scan->words->count; i++) {
		const struct token *word = &scan->words->list[i];
		write_u8(w, word->quoted ? '"' : '[');
		write_bytes(w, word->text, word->len);
		write_u8(w, word->quoted ? '"' : ']');
	}
	write_u8(w, '\n');
}

/* The entries as lines: [word] "quoted", and "_" before those that begin with a blank. */
static const char *split_with(const struct text_kernel *kernel, struct span text)
{
	static char shown[SHOWN_MAX];
	struct writer w = writer_of(shown, sizeof shown - 1);
	struct zone_scan scan;

	told.count = told.error_count = 0;
	zone_scan_start(&scan, "test.zone", text, kernel, &words, arena, &told);
	while (zone_scan_next(&scan) == OK && scan.words->count) entry_show(&scan, &w);
	shown[w.len] = '\0';
	return shown;
}

static const char *split(const char *text)
{
	return split_with(text_kernel_best(), span_of_text(text));
}

/* The text has one error, at this place, and these words are what is left of it. */
static void check_error(const char *text, uint32_t line, uint32_t column, const char *sentence,
			const char *left)
{
	assert_string_equal(split(text), left);
	assert_int_equal(told.error_count, 1);
	assert_string_equal(told.list[0].text, sentence);
	assert_int_equal(told.list[0].place.line, line);
	assert_int_equal(told.list[0].place.column, column);
	assert_string_equal(told.list[0].place.file, "test.zone");
}

TEST(blanks_separate_words_and_lines_separate_entries)
{
	assert_string_equal(split("a b\tc\n  d \t e  \nf"), "[a][b][c]\n_[d][e]\n[f]\n");
	assert_string_equal(split(""), "");
	assert_string_equal(split("\n \n\t\n\r\n"), "");
	assert_string_equal(split("a\r\nb c\r\n"), "[a]\n[b][c]\n");
	CHECK(told.error_count == 0);
}

TEST(words_know_their_place)
{
	struct zone_scan scan;
	const char *text = "a b\n\n; comment\n  (c ; x\n \"d e\" )";

	zone_scan_start(&scan, "x", span_of_text(text), text_kernel_best(), &words, arena, &told);
	CHECK(zone_scan_next(&scan) == OK && words.count == 2);
	CHECK(words.list[1].line == 1 && words.list[1].column == 3);
	CHECK(zone_scan_next(&scan) == OK && words.count == 2);
	CHECK(words.list[0].line == 4 && words.list[0].column == 4);
	CHECK(words.list[1].line == 5 && words.list[1].column == 3 && words.list[1].quoted);
	CHECK(words.list[1].text == strchr(text, 'd'));
	CHECK(zone_scan_next(&scan) == OK && words.count == 0);
}

TEST(words_may_cross_blocks_of_every_length)
{
	char text[400], expected[500];

	for (unsigned before = 0; before < 130; before++) {
		for (unsigned len = 1; len < 140; len += 7) {
			memset(text, ' ', sizeof text);
			text[0] = 'x';
			memset(text + 1 + before, 'y', len);
			memcpy(text + 1 + before + len, " z", 3);
			int joined = before == 0;
			snprintf(expected, sizeof expected, "[x%s%.*s][z]\n", joined ? "" : "][",
				 (int)len, text + 1 + before);
			assert_string_equal(split(text), expected);
		}
	}
}

TEST(a_comment_ends_with_its_line)
{
	assert_string_equal(split("a ; b ( \" \\\nc;d\n;e\n"), "[a]\n[c]\n");
	CHECK(told.error_count == 0);
}

TEST(parentheses_join_lines)
{
	assert_string_equal(split("a ( b ; one\n\n c\n) d\ne"), "[a][b][c][d]\n[e]\n");
	assert_string_equal(split("a(b)c\n(\n)\nd ()"), "[a][b][c]\n[d]\n");
	assert_string_equal(split("(a\nb) (\nc)\n"), "[a][b][c]\n");
	CHECK(told.error_count == 0);
}

TEST(quotes_keep_blanks_comments_and_parentheses)
{
	assert_string_equal(split("a \"b ; ( c\" \"\" d\n"), "[a]\"b ; ( c\"\"\"[d]\n");
	assert_string_equal(split("\"a\\\"b\" \"\\\\\"\"c\"d\n"), "\"a\\\"b\"\"\\\\\"\"c\"[d]\n");
	assert_string_equal(split("\"caf\xc3\xa9\t!\"\r\n"), "\"caf\xc3\xa9\t!\"\n");
	CHECK(told.error_count == 0);
}

/* RFC 9460 2.1 and appendix A: the quoted value belongs to the word of its key. */
TEST(a_quote_behind_an_equals_sign_stays_in_its_word)
{
	assert_string_equal(split("alpn=\"h2, h3\" no-default-alpn\n"),
			    "[alpn=\"h2, h3\"][no-default-alpn]\n");
	assert_string_equal(split("k=\"a\\\"b\"c"), "[k=\"a\\\"b\"c]\n");
}

TEST(a_quote_inside_a_word_is_an_error)
{
	check_error("a b\"c\" d\ne", 1, 4, "a quote inside a word: put all of the word in quotes",
		    "[e]\n");
	check_error("a \"say \"hi\"\"\ne", 1, 11,
		    "a quote inside a word: put all of the word in quotes", "[e]\n");
}

TEST(escapes_keep_what_would_end_a_word)
{
	assert_string_equal(split("a\\ b \\; \\\" \\( \\\\ \\. c\\032\n"),
			    "[a\\ b][\\;][\\\"][\\(][\\\\][\\.][c\\032]\n");
	CHECK(told.error_count == 0);
}

TEST(a_quote_that_is_not_closed_is_one_error_and_ends_with_its_line)
{
	check_error("a \"b c\nd \"e\"\n", 1, 3, "the quote is not closed on its line",
		    "[d]\"e\"\n");
	check_error("a\nb k=\"c", 2, 5, "the quote is not closed on its line", "[a]\n");
	check_error("a \"b\\\nc", 1, 5, "a \"\\\" at the end of the line escapes nothing", "[c]\n");
}

TEST(a_closing_parenthesis_without_an_opening_one_is_one_error)
{
	check_error("a ) b )\nc\n", 1, 3, "a \")\" without a \"(\" before it", "[c]\n");
}

TEST(an_open_parenthesis_does_not_hide_the_records_behind_it)
{
	check_error("soa ( 1 ; serial\n  2\n\n; 4\nwww a\nftp a\n", 1, 5, "\"(\" is not closed",
		    "[www][a]\n[ftp][a]\n");
	check_error("soa ( 1\n 2\nwww b ( c\n)\nend", 1, 5,
		    "\"(\" is not closed before the next record begins", "[www][b][c]\n[end]\n");
	check_error("a\nb (", 2, 3, "\"(\" is not closed", "[a]\n");
}

TEST(parentheses_do_not_nest)
{
	check_error("a ( b ( c ) d )\ne", 1, 7, "a \"(\" inside parentheses: they do not nest",
		    "[e]\n");
	check_error("a (\n (\n c ) ) \ne", 2, 2, "a \"(\" inside parentheses: they do not nest",
		    "[e]\n");
}

TEST(control_octets_are_errors_with_their_place)
{
	static const char nul[] = "a b\nc d\0e\0\nf\n";

	assert_string_equal(split_with(text_kernel_best(), span_of(nul, sizeof nul - 1)),
			    "[a][b]\n[f]\n");
	CHECK(told.error_count == 1 && told.list[0].place.line == 2);
	CHECK(told.list[0].place.column == 4);
	check_error("a\x01z\nb", 1, 2, "a control octet in the text: write it as \\DDD", "[b]\n");
	check_error("\"a\x1f\"\nb", 1, 3, "a control octet in the text: write it as \\DDD",
		    "[b]\n");
	check_error("a\\\x07\nb", 1, 3, "a control octet in the text: write it as \\DDD", "[b]\n");
}

static struct span repeated(const char *what, size_t count, const char *end)
{
	size_t len = strlen(what);
	uint8_t *text = arena_alloc_bytes(arena, len * count + strlen(end));

	assert_non_null(text);
	for (size_t i = 0; i < count; i++) memcpy(text + i * len, what, len);
	memcpy(text + len * count, end, strlen(end));
	return span_of(text, len * count + strlen(end));
}

TEST(a_line_longer_than_any_record_is_skipped)
{
	static const char *const fillers[] = {"x", "x ", "\"x\" ", "\\x", " "};

	for (size_t i = 0; i < ARRAY_COUNT(fillers); i++) {
		struct span text = repeated(fillers[i], 3 * ZONE_TEXT_LINE_MAX, "\na\n");
		assert_string_equal(split_with(text_kernel_best(), text), "[a]\n");
		CHECK(told.error_count == 1 && told.list[0].place.line == 1);
		assert_string_equal(told.list[0].text,
				    "more than 1048576 octets, as no record has");
	}
}

TEST(the_longest_line_is_not_too_long)
{
	struct span text = repeated("x", ZONE_TEXT_LINE_MAX, "\n");

	split_with(text_kernel_best(), text);
	CHECK(told.error_count == 0);
	split_with(&text_kernel_plain, text);
	CHECK(told.error_count == 0);
}

TEST(a_hundred_thousand_open_parentheses_are_one_error)
{
	struct span text = repeated("(", 100000, "\na\n");

	assert_string_equal(split_with(text_kernel_best(), text), "[a]\n");
	CHECK(told.error_count == 1);
}

TEST(a_parenthesis_that_swallows_a_large_file_is_told_at_its_place)
{
	struct span text = repeated("a ( b\n c\n", 1 << 20, "");

	split_with(text_kernel_best(), text);
	CHECK(told.error_count == DIAGNOSTICS_MAX && told.count == DIAGNOSTICS_MAX);
	CHECK(told.list[1].place.line == 3 && told.list[1].place.column == 3);
	text = repeated(" c\n", 1 << 20, "");
	memcpy((uint8_t *)(uintptr_t)text.ptr, "a(\n", 3);
	split_with(text_kernel_best(), text);
	CHECK(told.error_count == 1 && told.list[0].place.line == 1);
	assert_string_equal(told.list[0].text, "\"(\" is not closed within 1048576 octets");
}

TEST(every_kernel_knows_every_octet)
{
	const struct text_kernel *kernels[TEXT_KERNELS_MAX];
	size_t count = text_kernels(kernels);

	for (unsigned octet = 0; octet < 256; octet++) {
		uint8_t octets[2 * TEXT_BLOCK_OCTETS];
		struct text_block expected[2], found[2];
		memset(octets, 'x', sizeof octets);
		octets[octet % sizeof octets] = (uint8_t)octet;
		kernels[0]->classify(octets, 2, expected);
		uint64_t all = expected[0].blank | expected[0].newline | expected[0].special |
			       expected[1].blank | expected[1].newline | expected[1].special;
		CHECK((all != 0) == (octet <= 0x20 || strchr("\"();\\", (int)octet) != NULL));
		for (size_t i = 1; i < count; i++) {
			kernels[i]->classify(octets, 2, found);
			assert_memory_equal(found, expected, sizeof found);
		}
	}
}

/* Text of the octets that matter, so that all paths are taken often. */
static struct span random_text(uint32_t *seed, uint8_t *to, size_t max)
{
	static const char octets[] = "abcxyz.019   \t\n\n\n\";()\\\r=$@\0\x01\xc3";
	size_t len;

	*seed = *seed * 1664525 + 1013904223;
	len = (*seed >> 8) % max;
	unsigned plain = *seed >> 28;
	for (size_t i = 0; i < len; i++) {
		*seed = *seed * 1664525 + 1013904223;
		unsigned pick = *seed >> 24;
		to[i] = (uint8_t)octets[pick % (pick / 16 < plain ? 16 : sizeof octets - 1)];
	}
	return span_of(to, len);
}

TEST(every_kernel_splits_random_text_alike)
{
	const struct text_kernel *kernels[TEXT_KERNELS_MAX];
	size_t count = text_kernels(kernels);
	uint32_t seed = 1;
	uint8_t text[700];
	char expected[SHOWN_MAX];

	for (unsigned round = 0; round < 3000; round++) {
		struct span random = random_text(&seed, text, sizeof text);
		strcpy(expected, split_with(kernels[0], random));
		size_t errors = told.error_count;
		for (size_t i = 1; i < count; i++) {
			assert_string_equal(split_with(kernels[i], random), expected);
			assert_int_equal(told.error_count, errors);
		}
	}
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, each_test_begins, each_test_ends)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(blanks_separate_words_and_lines_separate_entries),
		WITH_ARENA(words_know_their_place),
		WITH_ARENA(words_may_cross_blocks_of_every_length),
		WITH_ARENA(a_comment_ends_with_its_line),
		WITH_ARENA(parentheses_join_lines),
		WITH_ARENA(quotes_keep_blanks_comments_and_parentheses),
		WITH_ARENA(a_quote_behind_an_equals_sign_stays_in_its_word),
		WITH_ARENA(a_quote_inside_a_word_is_an_error),
		WITH_ARENA(escapes_keep_what_would_end_a_word),
		WITH_ARENA(a_quote_that_is_not_closed_is_one_error_and_ends_with_its_line),
		WITH_ARENA(a_closing_parenthesis_without_an_opening_one_is_one_error),
		WITH_ARENA(an_open_parenthesis_does_not_hide_the_records_behind_it),
		WITH_ARENA(parentheses_do_not_nest),
		WITH_ARENA(control_octets_are_errors_with_their_place),
		WITH_ARENA(a_line_longer_than_any_record_is_skipped),
		WITH_ARENA(the_longest_line_is_not_too_long),
		WITH_ARENA(a_hundred_thousand_open_parentheses_are_one_error),
		WITH_ARENA(a_parenthesis_that_swallows_a_large_file_is_told_at_its_place),
		WITH_ARENA(every_kernel_knows_every_octet),
		WITH_ARENA(every_kernel_splits_random_text_alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
