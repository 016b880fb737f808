/* SPDX-License-Identifier: Apache-2.0 */
/* Zone files: RFC 1035 section 5, RFC 2308 4, RFC 3597 5, $GENERATE. */
#include "unit.h"

#include "dns/zone_text_parse.h"

#include <stdio.h>

enum { SHOWN_MAX = 1 << 16 };

/* A file that an $INCLUDE may bring. */
struct file {
	const char *name, *text;
};

static struct arena *arena;
static struct diagnostics told;
static const struct file *files; /* ended by a name of NULL */
static char shown[SHOWN_MAX];
static struct writer shown_w;
static struct place last_place;
static enum code sink_code;

static int each_test_begins(void **state)
{
	(void)state;
	arena = arena_new(256u << 20);
	told = (struct diagnostics){.arena = arena};
	files = NULL;
	sink_code = OK;
	return arena ? 0 : -1;
}

static int each_test_ends(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static enum code record_show(void *context, const struct record *record, struct place place)
{
	(void)context;
	record_print(record, &shown_w);
	last_place = place;
	return sink_code;
}

static enum code file_bring(void *context, const char *path, const char *from, struct span *text,
			    const char **name, struct error *err)
{
	(void)context;
	(void)from;
	for (const struct file *file = files; file && file->name; file++) {
		if (strcmp(file->name, path) != 0) continue;
		*text = span_of_text(file->text);
		*name = file->name;
		return OK;
	}
	return error_set(err, E_NOT_FOUND, "no file \"%s\"", path);
}

static enum code parse_span(const struct text_kernel *kernel, struct span text)
{
	struct name_buffer origin;
	struct zone_text_parser parser = {.include = files ? file_bring : NULL,
					  .sink = record_show,
					  .arena = arena,
					  .diagnostics = &told};

	CHECK(name_from_text(span_of_text("example.com."), NULL, &origin, NULL) == OK);
	parser.origin = name_of(&origin);
	told.count = told.error_count = 0;
	shown_w = writer_of(shown, sizeof shown - 1);
	enum code code = zone_text_parse_with(kernel, &parser, "example.com.zone", text);
	shown[shown_w.len] = '\0';
	return code;
}

static enum code parse(const char *text)
{
	return parse_span(text_kernel_best(), span_of_text(text));
}

/* The text gives these records and no error. */
static void check_records(const char *text, const char *records)
{
	enum code code = parse(text);

	if (told.count) print_error("line %u: %s\n", told.list[0].place.line, told.list[0].text);
	assert_int_equal(code, OK);
	assert_string_equal(shown, records);
}

/* The text has one error, at this place; its sentence holds `part`. */
static void check_error(const char *text, uint32_t line, uint32_t column, const char *part)
{
	assert_int_equal(parse(text), E_SYNTAX);
	if (told.error_count != 1 || !strstr(told.list[0].text, part))
		print_error("%zu errors, the first: %s\n", told.error_count, told.list[0].text);
	assert_int_equal(told.error_count, 1);
	assert_non_null(strstr(told.list[0].text, part));
	assert_int_equal(told.list[0].place.line, line);
	assert_int_equal(told.list[0].place.column, column);
}

/* RFC 1035 5.3, with a last word that makes it a zone of today. */
TEST(the_example_of_rfc_1035_reads)
{
	static const struct file isi[] = {
		{"<SUBSYS>ISI-MAILBOXES.TXT",
		 "MOE     MB      A\nLARRY   MB      A\nCURLEY  MB      A\n"
		 "STOOGES MG      MOE\n        MG      LARRY\n        MG      CURLEY\n"},
		{NULL, NULL}};

	files = isi;
	check_records(
		"$ORIGIN EXAMPLE.COM.\n$TTL 60\n"
		"@   IN  SOA     VENERA      Action\\.domains (\n"
		"                                 20     ; SERIAL\n"
		"                                 7200   ; REFRESH\n"
		"                                 600    ; RETRY\n"
		"                                 3600000; EXPIRE\n"
		"                                 60)    ; MINIMUM\n"
		"\n"
		"        NS      A.ISI.EDU.\n"
		"        MX      10      VENERA\n"
		"\n"
		"A       A       26.3.0.103\n"
		"\n"
		"VENERA  A       10.1.0.52\n"
		"        A       128.9.0.32\n"
		"\n"
		"$INCLUDE <SUBSYS>ISI-MAILBOXES.TXT\n",
		"EXAMPLE.COM.\t60\tIN\tSOA\tVENERA.EXAMPLE.COM. Action\\.domains.EXAMPLE.COM. "
		"20 7200 600 3600000 60\n"
		"EXAMPLE.COM.\t60\tIN\tNS\tA.ISI.EDU.\n"
		"EXAMPLE.COM.\t60\tIN\tMX\t10 VENERA.EXAMPLE.COM.\n"
		"A.EXAMPLE.COM.\t60\tIN\tA\t26.3.0.103\n"
		"VENERA.EXAMPLE.COM.\t60\tIN\tA\t10.1.0.52\n"
		"VENERA.EXAMPLE.COM.\t60\tIN\tA\t128.9.0.32\n"
		"MOE.EXAMPLE.COM.\t60\tIN\tMB\tA.EXAMPLE.COM.\n"
		"LARRY.EXAMPLE.COM.\t60\tIN\tMB\tA.EXAMPLE.COM.\n"
		"CURLEY.EXAMPLE.COM.\t60\tIN\tMB\tA.EXAMPLE.COM.\n"
		"STOOGES.EXAMPLE.COM.\t60\tIN\tMG\tMOE.EXAMPLE.COM.\n"
		"STOOGES.EXAMPLE.COM.\t60\tIN\tMG\tLARRY.EXAMPLE.COM.\n"
		"STOOGES.EXAMPLE.COM.\t60\tIN\tMG\tCURLEY.EXAMPLE.COM.\n");
}

/* RFC 1035 5.1: [<TTL>] [<class>] <type> <RDATA> and [<class>] [<TTL>] <type> <RDATA>. */
TEST(ttl_and_class_stand_in_either_order)
{
	check_records("a 60 IN A 192.0.2.1\nb IN 60 A 192.0.2.1\nc 60 A 192.0.2.1\n"
		      "d in A 192.0.2.1\ne CLASS1 1m a 192.0.2.1\n 7 TYPE1 192.0.2.2",
		      "a.example.com.\t60\tIN\tA\t192.0.2.1\n"
		      "b.example.com.\t60\tIN\tA\t192.0.2.1\n"
		      "c.example.com.\t60\tIN\tA\t192.0.2.1\n"
		      "d.example.com.\t60\tIN\tA\t192.0.2.1\n"
		      "e.example.com.\t60\tIN\tA\t192.0.2.1\n"
		      "e.example.com.\t7\tIN\tA\t192.0.2.2\n");
}

TEST(an_owner_may_look_like_a_ttl_a_class_or_a_type)
{
	check_records("$TTL 5\n3600 A 192.0.2.1\nIN IN A 192.0.2.1\nA A 192.0.2.1\n"
		      "  IN A 192.0.2.2\n",
		      "3600.example.com.\t5\tIN\tA\t192.0.2.1\n"
		      "IN.example.com.\t5\tIN\tA\t192.0.2.1\n"
		      "A.example.com.\t5\tIN\tA\t192.0.2.1\n"
		      "A.example.com.\t5\tIN\tA\t192.0.2.2\n");
}

/* RFC 2308 4: $TTL is for what follows it; RFC 1035 5.1: else the last explicit one. */
TEST(a_missing_ttl_is_that_of_the_directive_or_else_the_last_one)
{
	check_records("a 7 A 192.0.2.1\nb A 192.0.2.1\n$TTL 1h30m\nc A 192.0.2.1\n"
		      "d 8 A 192.0.2.1\ne A 192.0.2.1\n$ttl 1W2D3H4M5S\nf A 192.0.2.1\n",
		      "a.example.com.\t7\tIN\tA\t192.0.2.1\n"
		      "b.example.com.\t7\tIN\tA\t192.0.2.1\n"
		      "c.example.com.\t5400\tIN\tA\t192.0.2.1\n"
		      "d.example.com.\t8\tIN\tA\t192.0.2.1\n"
		      "e.example.com.\t5400\tIN\tA\t192.0.2.1\n"
		      "f.example.com.\t788645\tIN\tA\t192.0.2.1\n");
	check_error("a A 192.0.2.1\n", 1, 3, "no TTL");
	check_error("a A 192.0.2.1\nb A 192.0.2.2\n", 1, 3, "no TTL");
}

TEST(names_without_a_final_dot_end_in_the_origin)
{
	check_records(
		"$TTL 5\n@ NS a\n$ORIGIN sub\na NS @\n$ORIGIN b.example.com.\na.example.com. NS "
		"x.\n@ NS \\@\n$ORIGIN .\nexample.com NS org\n",
		"example.com.\t5\tIN\tNS\ta.example.com.\n"
		"a.sub.example.com.\t5\tIN\tNS\tsub.example.com.\n"
		"a.example.com.\t5\tIN\tNS\tx.\n"
		"b.example.com.\t5\tIN\tNS\t\\@.b.example.com.\n"
		"example.com.\t5\tIN\tNS\torg.\n");
}

TEST(the_same_word_is_another_owner_after_origin)
{
	check_records("$TTL 5\na NS x.\n$ORIGIN b.example.com.\na NS x.\n",
		      "a.example.com.\t5\tIN\tNS\tx.\na.b.example.com.\t5\tIN\tNS\tx.\n");
}

TEST(the_owner_of_the_last_record_survives_directives_and_comments)
{
	check_records("$TTL 5\na NS x.\n\n; c\n$ORIGIN b.example.com.\n NS y.\n",
		      "a.example.com.\t5\tIN\tNS\tx.\na.example.com.\t5\tIN\tNS\ty.\n");
}

TEST(line_ends_and_byte_order_marks_of_other_systems_are_fine)
{
	check_records("\xef\xbb\xbf$TTL 5\r\na\tNS x. ; c\r\n\r\n TXT ( \"b\"\r\n c )",
		      "a.example.com.\t5\tIN\tNS\tx.\na.example.com.\t5\tIN\tTXT\t\"b\" \"c\"\n");
	check_records("", "");
}

/* RFC 3597 5 */
TEST(unknown_types_and_generic_data_read)
{
	check_records("a 5 IN TYPE65280 \\# 4 0A00 0001\nb 5 CLASS1 A \\# 4 ( c000\n 0201 )\n"
		      "c 5 TYPE65280 \\# 0\n",
		      "a.example.com.\t5\tIN\tTYPE65280\t\\# 4 0a000001\n"
		      "b.example.com.\t5\tIN\tA\t192.0.2.1\n"
		      "c.example.com.\t5\tIN\tTYPE65280\t\\# 0\n");
}

TEST(a_record_knows_its_file_line_and_column)
{
	static const struct file f[] = {{"inner", "\nabc 5 NS x.\n"}, {NULL, NULL}};

	CHECK(parse("\n\n  \nabc 5 NS x.\n") == OK);
	CHECK(last_place.line == 4 && last_place.column == 1 && last_place.width == 3);
	CHECK(strcmp(last_place.file, "example.com.zone") == 0);
	CHECK(parse("b 5 NS x.\n\tNS y.\n") == OK && last_place.column == 2);
	files = f;
	CHECK(parse("$ORIGIN b.example.com.\n@ 5 NS x.\n$INCLUDE inner\n") == OK);
	CHECK(last_place.line == 2 && last_place.column == 1);
	CHECK(strcmp(last_place.file, "inner") == 0);
}

TEST(what_is_no_type_is_told_with_its_column_and_a_proposal)
{
	check_error("a 5 IN AAA 2001:db8::1\n", 1, 8, "did you mean AAAA?");
	check_error("$TTL 5\n a 192.0.2.1\n", 2, 2, "no record before it");
	check_error("a 5 NS x.\n www 5 A 192.0.2.1\n", 2, 2,
		    "expected an RR type, found \"www\"; the line begins with a blank");
	check_error("a 5\n", 1, 4, "expected an RR type, found the end of the line");
	check_error("a\n", 1, 2, "expected an RR type, found the end of the line");
	check_error("a 5 CH TXT x\n", 1, 5, "class \"CH\": only zones of class IN");
	check_error("a 5 CLASS3 TXT x\n", 1, 5, "only zones of class IN");
	check_error("a 5 IN 6 NS x.\n", 1, 8, "expected an RR type, found \"6\"");
	check_error("a 5 \"NS\" x.\n", 1, 6, "expected an RR type");
	check_error("a 5 NS x.\n $TTL 5\n", 2, 2, "directive \"$TTL\" must begin in the first");
}

/* RFC 6895 3.1, RFC 3597 5: data is never of these types. */
TEST(types_of_messages_are_no_data)
{
	check_error("a 5 ANY \\# 0\n", 1, 5, "never stands in a zone");
	check_error("a 5 AXFR \\# 0\n", 1, 5, "never stands in a zone");
	check_error("a 5 OPT \\# 0\n", 1, 5, "never stands in a zone");
	check_error("a 5 TYPE0 \\# 0\n", 1, 5, "never stands in a zone");
	check_error("a 5 TYPE249 \\# 0\n", 1, 5, "never stands in a zone");
}

/* RFC 9460 2.1 is the only place for them. */
TEST(quotes_inside_words_are_for_service_parameters)
{
	check_records("a 5 HTTPS 1 . alpn=\"h2,h3\"\n$GENERATE 1-1 b 5 HTTPS 1 . alpn=\"h$\"\n",
		      "a.example.com.\t5\tIN\tHTTPS\t1 . alpn=\"h2,h3\"\n"
		      "b.example.com.\t5\tIN\tHTTPS\t1 . alpn=\"h1\"\n");
	check_records("a 5 TXT x=\\\"y\\\"\n", "a.example.com.\t5\tIN\tTXT\t\"x=\\\"y\\\"\"\n");
	check_error("a 5 TXT b k=\"x y\"\n", 1, 11, "a quote inside a word");
	check_error("a=\"b\" 5 NS x.\n", 1, 1, "a quote inside a word");
	check_error("$GENERATE 1-2 a 5 TXT k=\"x y\"\n", 1, 23, "a quote inside a word");
}

TEST(a_path_keeps_its_limit)
{
	static const struct file f[] = {{"a", ""}, {NULL, NULL}};
	char text[5000] = "$INCLUDE ";

	files = f;
	memset(text + 9, 'x', 4097);
	check_error(text, 1, 10, "a path of 4097 octets, at most 4096");
}

/* RFC 2181 8 */
TEST(a_ttl_keeps_its_range)
{
	check_records("a 2147483647 NS x.\nb 0 NS x.\n", "a.example.com.\t2147483647\tIN\tNS\tx.\n"
							 "b.example.com.\t0\tIN\tNS\tx.\n");
	check_error("a 2147483648 NS x.\n", 1, 3, "TTL from 0 to 2147483647");
	check_error("a 99999999999999999999w NS x.\n", 1, 3, "TTL from 0 to 2147483647");
	check_error("a 1h30 NS x.\n", 1, 3, "found \"1h30\"");
	check_error("$TTL -1\n", 1, 6, "found \"-1\"");
	check_error("$TTL 4000w\n", 1, 6, "found \"4000w\"");
}

TEST(data_errors_point_at_the_guilty_word)
{
	check_error("a 5 A 192.0.2\n", 1, 7, "\"192.0.2\"");
	check_error("a 5 MX ten x.\n", 1, 8, "\"ten\"");
	check_error("a 5 MX 10\n", 1, 10, "exchange");
	check_error("a 5 MX (\n 10 ; c\n \"x\" y )\n", 3, 6, "\"y\"");
	check_error("a 5 TXT \"a\\256\"\n", 1, 10, "\\DDD");
	check_error("a 5 A \\# 3 c00002\n", 1, 7, "A");
}

/* RFC 1035 2.3.4 */
TEST(names_keep_their_limits)
{
	char text[400];
	const char *label63 = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789-";

	snprintf(text, sizeof text, "%sx 5 NS x.\n", label63);
	check_error(text, 1, 1, "label of 64 octets");
	snprintf(text, sizeof text, "a 5 NS %sx.\n", label63);
	check_error(text, 1, 8, "label of 64 octets");
	snprintf(text, sizeof text, "%s.%s.%s.%.49s 5 NS x.\n", label63, label63, label63, label63);
	CHECK(parse(text) == OK);
	snprintf(text, sizeof text, "%s.%s.%s.%.50s 5 NS x.\n", label63, label63, label63, label63);
	check_error(text, 1, 1, "name of 256 octets");
	check_error("a..b 5 NS x.\n", 1, 1, "empty label");
	check_error("\"a\" 5 NS x.\n", 1, 2, "quoted");
}

TEST(a_record_outside_the_zone_is_an_error_with_both_names)
{
	check_error("a.example.org. 5 NS x.\n NS y.\n", 1, 1,
		    "\"a.example.org.\" is not in the zone \"example.com.\"");
	check_error("$ORIGIN com.\n@ 5 NS x.\n", 2, 1,
		    "\"com.\" is not in the zone \"example.com.\"");
	check_error("badexample.com. 5 NS x.\n", 1, 1, "is not in the zone");
	check_records("a.EXAMPLE.Com. 5 NS x.\n", "a.EXAMPLE.Com.\t5\tIN\tNS\tx.\n");
}

TEST(all_errors_are_told_and_good_records_still_arrive)
{
	CHECK(parse("a 5 A 1\nb 5 A 192.0.2.1\nc 5 FOO x\n) d\n$BAR\ne \"f\nb NS x.\n") ==
	      E_SYNTAX);
	assert_int_equal(told.error_count, 5);
	static const uint32_t lines[] = {1, 3, 4, 5, 6};
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		assert_int_equal(told.list[i].place.line, lines[i]);
	assert_string_equal(shown, "b.example.com.\t5\tIN\tA\t192.0.2.1\n"
				   "b.example.com.\t5\tIN\tNS\tx.\n");
}

TEST(parsing_ends_when_no_further_error_is_kept)
{
	struct writer w = writer_of(arena_alloc_bytes(arena, 10000), 10000);

	for (unsigned i = 0; i < 1000; i++) write_text(&w, "a 5 X\n");
	CHECK(parse_span(text_kernel_best(), writer_span(&w)) == E_SYNTAX);
	CHECK(told.error_count == DIAGNOSTICS_MAX && told.count == DIAGNOSTICS_MAX);
}

TEST(the_code_of_the_sink_ends_parsing)
{
	sink_code = E_LIMIT;
	CHECK(parse("a 5 NS x.\nb 5 NS x.\n") == E_LIMIT);
	assert_string_equal(shown, "a.example.com.\t5\tIN\tNS\tx.\n");
}

TEST(an_error_shows_its_line)
{
	char text[500];

	check_error("www  3600  IN  A  192.0.2\r\n", 1, 19, "");
	diagnostic_print(&told.list[0], text, sizeof text);
	CHECK(strstr(text, "example.com.zone:1:19: ") == text);
	CHECK(strstr(text, "\nwww  3600  IN  A  192.0.2\n                  ^~~~~~~\n") != NULL);
}

TEST(an_unknown_directive_is_told_with_a_proposal)
{
	check_error("$ORGIN x.\n", 1, 1, "did you mean $ORIGIN?");
	check_error("$FOOBAR x.\n", 1, 1, "unknown directive \"$FOOBAR\"");
	check_error("$TTL\n", 1, 5, "expected $TTL");
	check_error("$ORIGIN a b\n", 1, 11, "expected $ORIGIN NAME");
	check_error("$ORIGIN a..b\n", 1, 9, "empty label");
}

/* RFC 1035 5.1: the included file never changes the origin of the one that includes it. */
TEST(an_included_file_leaves_origin_and_owner_as_they_were)
{
	static const struct file f[] = {
		{"one", "c 5 NS x.\n$ORIGIN z\nd NS x.\n"},
		{"two", "  NS y.\n@ NS z.\n"},
		{NULL, NULL},
	};

	files = f;
	check_records(
		"a 5 NS x.\n$INCLUDE one\n NS q.\nb NS x.\n$include \"two\" sub ; c\n NS r.\n",
		"a.example.com.\t5\tIN\tNS\tx.\n"
		"c.example.com.\t5\tIN\tNS\tx.\n"
		"d.z.example.com.\t5\tIN\tNS\tx.\n"
		"a.example.com.\t5\tIN\tNS\tq.\n"
		"b.example.com.\t5\tIN\tNS\tx.\n"
		"b.example.com.\t5\tIN\tNS\ty.\n"
		"sub.example.com.\t5\tIN\tNS\tz.\n"
		"b.example.com.\t5\tIN\tNS\tr.\n");
}

TEST(a_ttl_from_an_included_file_is_told_when_a_record_relies_on_it)
{
	static const struct file f[] = {{"ttl", "\xef\xbb\xbf$TTL 60\n"}, {NULL, NULL}};

	files = f;
	check_records("$TTL 5\n$INCLUDE ttl\na NS x.\nb NS x.\n",
		      "a.example.com.\t60\tIN\tNS\tx.\nb.example.com.\t60\tIN\tNS\tx.\n");
	CHECK(told.count == 1 && told.list[0].warning && told.list[0].place.line == 3);
	check_records("$INCLUDE ttl\n$TTL 7\na NS x.\n", "a.example.com.\t7\tIN\tNS\tx.\n");
	CHECK(told.count == 0);
}

TEST(errors_of_an_included_file_name_that_file)
{
	static const struct file f[] = {{"inner", "\na 5 A x\n"}, {NULL, NULL}};

	files = f;
	check_error("$INCLUDE inner\nb 5 NS x.\n", 2, 7, "\"x\"");
	assert_string_equal(told.list[0].place.file, "inner");
	assert_string_equal(shown, "b.example.com.\t5\tIN\tNS\tx.\n");
	check_error("$INCLUDE \"no such\"\n", 1, 11, "no file \"no such\"");
	check_error("$INCLUDE inner sub x\n", 1, 20, "expected $INCLUDE FILE [ORIGIN]");
	files = NULL;
	check_error("$INCLUDE inner\n", 1, 1, "not possible");
}

TEST(files_that_include_each_other_are_told)
{
	static const struct file f[] = {
		{"a", "$INCLUDE b\n"}, {"b", "$INCLUDE a\n"}, {"c", "$INCLUDE c\n"}, {NULL, NULL}};

	files = f;
	check_error("$INCLUDE a\n", 1, 10, "\"a\" includes itself by way of \"b\"");
	assert_string_equal(told.list[0].place.file, "b");
	check_error("$INCLUDE c\n", 1, 10, "\"c\" includes itself");
}

TEST(includes_go_ten_deep)
{
	static const struct file f[] = {
		{"1", "$INCLUDE 2\n"}, {"2", "$INCLUDE 3\n"}, {"3", "$INCLUDE 4\n"},
		{"4", "$INCLUDE 5\n"}, {"5", "$INCLUDE 6\n"}, {"6", "$INCLUDE 7\n"},
		{"7", "$INCLUDE 8\n"}, {"8", "$INCLUDE 9\n"}, {"9", "$INCLUDE 10\n"},
		{"10", "a 5 NS x.\n"}, {"0", "$INCLUDE 1\n"}, {NULL, NULL},
	};

	files = f;
	check_records("$INCLUDE 1\n", "a.example.com.\t5\tIN\tNS\tx.\n");
	check_error("$INCLUDE 0\n", 1, 1, "more than 10 files");
	assert_string_equal(told.list[0].place.file, "9");
}

TEST(includes_cannot_multiply_without_end)
{
	static struct file f[] = {{"1", NULL}, {"2", NULL}, {"3", ""}, {NULL, NULL}};
	char one[4000] = "", two[4000] = "";

	for (unsigned i = 0; i < 200; i++) {
		strcat(one, "$INCLUDE 2\n");
		strcat(two, "$INCLUDE 3\n");
	}
	f[0].text = one;
	f[1].text = two;
	files = f;
	CHECK(parse("$INCLUDE 1\n") == E_SYNTAX);
	CHECK(strstr(told.list[0].text, "more than 10000 times $INCLUDE") != NULL);
}

TEST(generate_makes_a_record_for_each_number)
{
	check_records("$TTL 5\n$GENERATE 1-2 host$ A 192.0.2.$\n",
		      "host1.example.com.\t5\tIN\tA\t192.0.2.1\n"
		      "host2.example.com.\t5\tIN\tA\t192.0.2.2\n");
	check_records("$ORIGIN 2.example.com.\n$generate 0-4/2 $ 1h IN CNAME $.0-127\n",
		      "0.2.example.com.\t3600\tIN\tCNAME\t0.0-127.2.example.com.\n"
		      "2.2.example.com.\t3600\tIN\tCNAME\t2.0-127.2.example.com.\n"
		      "4.2.example.com.\t3600\tIN\tCNAME\t4.0-127.2.example.com.\n");
	check_records("$TTL 5\n$GENERATE 7-7 a$$ MX \"$ m$\"\n",
		      "a\\$.example.com.\t5\tIN\tMX\t7 m7.example.com.\n");
	check_records("$TTL 5\n$GENERATE 7-7 a\\$b TXT \"x $\" ${1}\n",
		      "a\\$b.example.com.\t5\tIN\tTXT\t\"x 7\" \"8\"\n");
}

TEST(generate_shapes_its_numbers)
{
	check_records(
		"$TTL 5\n$GENERATE 26-26 ${-1}.${0,4,d}.${0,4,o}.${0,4,x}.${0,0,X}.${+2,3} NS x.\n",
		"25.0026.0032.001a.1A.028.example.com.\t5\tIN\tNS\tx.\n");
	check_records("$TTL 5\n$GENERATE 26-26 ${0,3,n}.a.${0,7,N}.b.${0,0,n} NS x.\n",
		      "a.1.a.A.1.0.0.b.a.1.example.com.\t5\tIN\tNS\tx.\n");
}

TEST(generate_tells_its_error_once)
{
	check_error("$TTL 5\n$GENERATE 1-500 h$ A 192.0.2.$\n", 2, 22, "$ = 256: ");
	check_error("$TTL 5\n$GENERATE 0-9 h${-1} A 192.0.2.1\n", 2, 15, "-1 is out of the range");
	check_error("$TTL 5\n$GENERATE 0-9 h..$ A 192.0.2.1\n", 2, 15, "empty label");
	check_error("$TTL 5\n$GENERATE 0-9 h$.example.org. A 192.0.2.1\n", 2, 15,
		    "not in the zone");
	check_error("$TTL 5\n$GENERATE 0-9 h$ FOO 192.0.2.1\n", 2, 18, "expected an RR type");
	check_error("$TTL 5\n$GENERATE 0-9 h$ MX \"0 (\"\n", 2, 22, "is not closed");
	check_error("$GENERATE 0-9 h$ A\n", 1, 19, "too few words");
}

TEST(generate_refuses_ranges_and_shapes_that_are_none)
{
	static const char *const ranges[] = {"1",     "-",     "1-",  "-1",           "2-1",
					     "1-2/",  "1-2/0", "a-b", "1-2147483648", "1-2/x",
					     "1-2-3", "0x1-2"};
	static const char *const shapes[] = {"${",       "${}",     "${x}",     "${1",
					     "${1,}",    "${1,2,}", "${1,2,y}", "${1,2,d,}",
					     "${1,256}", "${1,-1}", "${--1}"};
	char text[100];

	for (size_t i = 0; i < ARRAY_COUNT(ranges); i++) {
		snprintf(text, sizeof text, "$TTL 5\n$GENERATE %s h$ NS x.\n", ranges[i]);
		check_error(text, 2, 11, "expected a range");
	}
	for (size_t i = 0; i < ARRAY_COUNT(shapes); i++) {
		snprintf(text, sizeof text, "$TTL 5\n$GENERATE 1-2 h%s NS x.\n", shapes[i]);
		check_error(text, 2, 15, "expected ${OFFSET,WIDTH,BASE}");
	}
}

static enum code record_count(void *context, const struct record *record, struct place place)
{
	(void)record;
	(void)place;
	++*(size_t *)context;
	return OK;
}

TEST(generate_has_limits)
{
	size_t count = 0;
	struct name_buffer origin;
	struct zone_text_parser parser = {
		.sink = record_count, .context = &count, .arena = arena, .diagnostics = &told};
	const char *text = "$TTL 5\n$GENERATE 1-65536 $.${0,255}.x NS x.\n";

	CHECK(name_from_text(span_of_text("example.com."), NULL, &origin, NULL) == OK);
	parser.origin = name_of(&origin);
	check_error("$TTL 5\n$GENERATE 0-65536 h$ NS x.\n", 2, 11,
		    "65537 records: more than 65536");
	check_error(text, 2, 19, "label of 255 octets");
	told.count = told.error_count = 0;
	text = "$TTL 5\n$GENERATE 1-65536 $ NS x.\n";
	CHECK(zone_text_parse(&parser, "x", span_of_text(text)) == OK && count == 65536);
}

static enum code record_print_portable(void *context, const struct record *record,
				       struct place place)
{
	(void)place;
	zone_text_print(record, context);
	return OK;
}

/* The line, as other servers are to read it. */
static void check_printed(const char *text, const char *printed)
{
	struct writer w = writer_of(shown, sizeof shown - 1);
	struct name_buffer origin;
	struct zone_text_parser parser = {
		.sink = record_print_portable, .context = &w, .arena = arena, .diagnostics = &told};

	CHECK(name_from_text(span_of_text("example.com."), NULL, &origin, NULL) == OK);
	parser.origin = name_of(&origin);
	CHECK(zone_text_parse(&parser, "x", span_of_text(text)) == OK);
	shown[w.len] = '\0';
	assert_string_equal(shown, printed);
}

TEST(known_types_are_printed_by_name)
{
	check_printed("a 1h MX 5 b\n", "a.example.com.\t3600\tIN\tMX\t5 b.example.com.\n");
	check_printed("a 5 TYPE65280 \\# 2 abcd\n",
		      "a.example.com.\t5\tIN\tTYPE65280\t\\# 2 abcd\n");
	check_printed("a 5 NSEC b A TYPE65280\n",
		      "a.example.com.\t5\tIN\tNSEC\tb.example.com. A TYPE65280\n");
}

/* RFC 3597 5: what another server may not know it still reads so. */
TEST(types_that_not_all_servers_know_are_printed_as_octets)
{
	check_printed("a 5 MB b\n", "a.example.com.\t5\tIN\tTYPE7\t\\# 15 "
				    "0162076578616d706c6503636f6d00\n");
	check_printed("a 5 WALLET \\# 2 0141\n", "a.example.com.\t5\tIN\tTYPE262\t\\# 2 0141\n");
	check_printed("a 5 NSEC b. A WALLET\n",
		      "a.example.com.\t5\tIN\tTYPE47\t\\# 9 016200000140010102\n");
	check_printed("a 5 RRSIG WALLET 13 1 5 20261222120000 20261122120000 1 . QUE=\n",
		      "a.example.com.\t5\tIN\tTYPE46\t\\# 21 "
		      "01060d01000000056b2a66406b02d9400001004141\n");
}

/* Lines of zones, and lines that nearly are. */
static const char *const pieces[] = {
	"a",
	"www.example.com.",
	"@",
	"*",
	" ",
	"\t",
	"\n",
	"\n",
	" 60 ",
	" IN ",
	" A ",
	" NS ",
	" TXT ",
	" MX ",
	"10 ",
	"192.0.2.1",
	"x.",
	"\"q s\"",
	"(",
	")",
	";c",
	"\\",
	"\\065",
	"\"",
	"$TTL ",
	"$ORIGIN ",
	"$GENERATE 1-3 ",
	"$",
	"${0,2,x}",
	"\\# 4 ",
	"c0000201",
	"\r\n",
	"xn--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	"\xc3\xa9",
	"\n 5 NS ns.example.net.\n",
	"\na 5 A 192.0.2.7\n",
};

TEST(every_kernel_gives_the_same_records_and_errors)
{
	const struct text_kernel *kernels[TEXT_KERNELS_MAX];
	size_t count = text_kernels(kernels);
	uint32_t seed = 7;
	char text[6000], expected[SHOWN_MAX];

	for (unsigned round = 0; round < 400; round++) {
		struct writer w = writer_of(text, sizeof text);
		arena_reset(arena);
		told.list = NULL;
		told.capacity = 0;
		for (unsigned i = 0; i < 1 + round / 8; i++) {
			seed = seed * 1664525 + 1013904223;
			write_text(&w, pieces[(seed >> 16) % ARRAY_COUNT(pieces)]);
		}
		enum code code = parse_span(kernels[0], writer_span(&w));
		size_t errors = told.error_count;
		strcpy(expected, shown);
		for (size_t i = 1; i < count; i++) {
			assert_int_equal(parse_span(kernels[i], writer_span(&w)), code);
			assert_string_equal(shown, expected);
			assert_int_equal(told.error_count, errors);
		}
	}
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, each_test_begins, each_test_ends)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(the_example_of_rfc_1035_reads),
		WITH_ARENA(ttl_and_class_stand_in_either_order),
		WITH_ARENA(an_owner_may_look_like_a_ttl_a_class_or_a_type),
		WITH_ARENA(a_missing_ttl_is_that_of_the_directive_or_else_the_last_one),
		WITH_ARENA(names_without_a_final_dot_end_in_the_origin),
		WITH_ARENA(the_same_word_is_another_owner_after_origin),
		WITH_ARENA(the_owner_of_the_last_record_survives_directives_and_comments),
		WITH_ARENA(line_ends_and_byte_order_marks_of_other_systems_are_fine),
		WITH_ARENA(unknown_types_and_generic_data_read),
		WITH_ARENA(a_record_knows_its_file_line_and_column),
		WITH_ARENA(what_is_no_type_is_told_with_its_column_and_a_proposal),
		WITH_ARENA(types_of_messages_are_no_data),
		WITH_ARENA(quotes_inside_words_are_for_service_parameters),
		WITH_ARENA(a_path_keeps_its_limit),
		WITH_ARENA(a_ttl_keeps_its_range),
		WITH_ARENA(data_errors_point_at_the_guilty_word),
		WITH_ARENA(names_keep_their_limits),
		WITH_ARENA(a_record_outside_the_zone_is_an_error_with_both_names),
		WITH_ARENA(all_errors_are_told_and_good_records_still_arrive),
		WITH_ARENA(parsing_ends_when_no_further_error_is_kept),
		WITH_ARENA(the_code_of_the_sink_ends_parsing),
		WITH_ARENA(an_error_shows_its_line),
		WITH_ARENA(an_unknown_directive_is_told_with_a_proposal),
		WITH_ARENA(an_included_file_leaves_origin_and_owner_as_they_were),
		WITH_ARENA(a_ttl_from_an_included_file_is_told_when_a_record_relies_on_it),
		WITH_ARENA(errors_of_an_included_file_name_that_file),
		WITH_ARENA(files_that_include_each_other_are_told),
		WITH_ARENA(includes_go_ten_deep),
		WITH_ARENA(includes_cannot_multiply_without_end),
		WITH_ARENA(generate_makes_a_record_for_each_number),
		WITH_ARENA(generate_shapes_its_numbers),
		WITH_ARENA(generate_tells_its_error_once),
		WITH_ARENA(generate_refuses_ranges_and_shapes_that_are_none),
		WITH_ARENA(generate_has_limits),
		WITH_ARENA(known_types_are_printed_by_name),
		WITH_ARENA(types_that_not_all_servers_know_are_printed_as_octets),
		WITH_ARENA(every_kernel_gives_the_same_records_and_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
