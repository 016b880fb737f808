/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile and unlucky YAML: what is refused, in which words, and that nothing hangs. */
#include "unit.h"

#include "base/writer.h"
#include "config/yaml.h"

#include <stdio.h>
#include <stdlib.h>

struct reading {
	struct arena *arena;
	struct diagnostics diagnostics;
	const struct node *root;
	enum code code;
	char told[4096];
};

static struct reading reading;

static void read_octets(const void *octets, size_t len, size_t arena_max)
{
	struct yaml_source source = {.file = "x.yaml", .text = span_of(octets, len), .number = 7};
	size_t at = 0;

	reading = (struct reading){.arena = arena_new(arena_max)};
	reading.diagnostics.arena = arena_new(1 << 20);
	reading.code = yaml_parse(&source, reading.arena, &reading.diagnostics, &reading.root);
	for (size_t i = 0; i < reading.diagnostics.count && at < sizeof reading.told - 256; i++) {
		const struct diagnostic *d = &reading.diagnostics.list[i];
		at += (size_t)snprintf(reading.told + at, sizeof reading.told - at, "%s%u:%u: %s",
				       i ? "\n" : "", d->place.line, d->place.column, d->text);
	}
}

static void read_text(const char *text)
{
	read_octets(text, strlen(text), (size_t)64 << 20);
}

static void end(void)
{
	arena_free(reading.arena);
	arena_free(reading.diagnostics.arena);
}

/* The shape of a tree: [a b] {k v}, a scalar with "line:column" before it. */
static void print_node(const struct node *node, struct writer *w)
{
	char place[32];

	if (node->kind == NODE_SCALAR) {
		write_bytes(
			w, place,
			(size_t)snprintf(place, sizeof place, "%u:%u", node->line, node->column));
		write_span(w, node_text(node));
		return;
	}
	write_text(w, node->kind == NODE_LIST ? "[" : node->kind == NODE_MAP ? "{" : "!");
	const struct node *child = node->kind == NODE_BAD ? NULL : node->first;
	for (; child; child = child->next) {
		if (child != node->first) write_text(w, " ");
		print_node(child, w);
	}
	if (node->kind != NODE_BAD) write_text(w, node->kind == NODE_LIST ? "]" : "}");
}

static void check_tree(const char *text, const char *shape)
{
	char out[1024] = "";
	struct writer w = writer_of(out, sizeof out - 1);

	read_text(text);
	assert_string_equal(reading.told, "");
	CHECK(reading.code == OK && reading.root && reading.root->source == 7);
	print_node(reading.root, &w);
	assert_string_equal(out, shape);
	end();
}

TEST(nodes_know_their_place_in_octets)
{
	check_tree("a: [b, \"c\", 'd']\n", "{1:1a [1:5b 1:8c 1:13d]}");
	check_tree("\xc3\xa9: x\nb:\n  - {c: \xe2\x82\xac, d: e}\n",
		   "{1:1\xc3\xa9 1:5x 2:1b [{3:6c 3:9\xe2\x82\xac 3:14"
		   "d 3:17e}]}");
	check_tree("\xef\xbb\xbf"
		   "a: b\r\nc: d\r\n",
		   "{1:4a 1:7b 2:1c 2:4d}");
	check_tree("a:\nb: ~\nc: \"\"\n", "{1:1a 1:1 2:1b 2:4~ 3:1c 3:4}");
	check_tree("a: 2001:db8::1\nb: [::1, 1:20]\n", "{1:1a 1:4"
						       "2001:db8::1 2:1b [2:5::1 2:10"
						       "1:20]}");
	check_tree("%YAML 1.1\n---\nno: yes\n", "{3:1no 3:5yes}");
}

TEST(nothing_is_left_of_an_empty_text)
{
	static const char *const texts[] = {"", "\n", "# only a remark\n", "---\n...\n"};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		read_text(texts[i]);
		CHECK(reading.code == OK && reading.diagnostics.count == 0);
		CHECK(!reading.root || node_is_empty(reading.root));
		end();
	}
}

TEST(what_must_be_quoted_is_told_so)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
		{"n: [*.example, b]\n",
		 "1:5: a text that begins with \"*\" must be put in quotes: \"*.example\""},
		{"n: [*, b]\n", "1:5: a text that begins with \"*\" must be put in quotes"},
		{"a: b\nn: *\n", "2:4: a text that begins with \"*\" must be put in quotes"},
		{"n: @\n", "1:4: a text that begins with \"@\" must be put in quotes"},
		{"n: [a, @x]\n",
		 "1:8: a text that begins with \"@\" must be put in quotes: \"@x\""},
		{"n: &x y\n", "1:4: a text that begins with \"&\" must be put in quotes: \"&x\""},
		{"n: `x`\n", "1:4: a text that begins with \"`\" must be put in quotes: \"`x`\""},
		{"n: !x\n", "1:4: tags of YAML are not taken; a text that begins with \"!\" must "
			    "be put in quotes"},
		{"n: !!str x\n", "1:4: tags of YAML are not taken; a text that begins with \"!\" "
				 "must be put in quotes"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		read_text(rows[i].text);
		assert_string_equal(reading.told, rows[i].told);
		end();
	}
}

TEST(an_alias_stands_for_nothing_and_reading_goes_on)
{
	char out[256] = "";
	struct writer w = writer_of(out, sizeof out - 1);

	read_text("a: *b\nc: [*d, e]\n");
	CHECK(reading.code == OK && reading.diagnostics.error_count == 2);
	print_node(reading.root, &w);
	assert_string_equal(out, "{1:1a ! 2:1c [! 2:9e]}");
	end();
}

/* Ten references to ten references ...: each level is refused where it stands. */
TEST(a_billion_laughs_stay_a_few_lines)
{
	char text[4096] = "a0: &a0 [x, x]\n";
	size_t len = strlen(text);

	for (int i = 1; i < 30; i++)
		len += (size_t)snprintf(text + len, sizeof text - len,
					"a%d: &a%d [*a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1,
					i - 1);
	read_octets(text, len, 1 << 20);
	CHECK(reading.diagnostics.error_count >= 30);
	end();
}

TEST(what_is_no_text_is_refused_at_its_octet)
{
	static const struct {
		const char *text;
		size_t len;
		const char *told;
	} rows[] = {
		{"a: b\nc\0: d\n", 11, "2:2: octet 0x00 is a control character"},
		{"a: \x1b[2J\n", 8, "1:4: octet 0x1b is a control character"},
		{"a: \x7f\n", 5, "1:4: octet 0x7f is a control character"},
		{"a: b\rc: d\n", 10, "1:5: octet 0x0d is a control character"},
		{"\xff\xfe"
		 "a\0:\0",
		 6, "1:1: octet 0xff is not UTF-8"},
		{"a: \xc0\xaf\n", 6, "1:4: octet 0xc0 is not UTF-8"},
		{"a: \xed\xa0\x80\n", 7, "1:4: octet 0xed is not UTF-8"},
		{"a: \xe2\x82", 5, "1:4: octet 0xe2 is not UTF-8"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		read_octets(rows[i].text, rows[i].len, 1 << 20);
		assert_string_equal(reading.told, rows[i].told);
		CHECK(reading.code == E_SYNTAX && !reading.root);
		end();
	}
}

TEST(what_is_not_yaml_is_told_with_its_place)
{
	static const struct {
		const char *text, *place;
	} rows[] = {
		{"a: \"b\nc: d\n", "1:4: not YAML: "}, {"a:\n\tb: c\n", "2:1: not YAML: "},
		{"a: [b, c\n", "2:1: not YAML: "},     {"a: b: c\n", "1:5: not YAML: "},
		{"a: {b: c}}\n", "1:10: not YAML: "},  {"a: b\n c\nd\n", "3:1: not YAML: "},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		read_text(rows[i].text);
		CHECK(reading.code == E_SYNTAX);
		CHECK(strncmp(reading.told, rows[i].place, strlen(rows[i].place)) == 0);
		end();
	}
}

TEST(a_file_holds_one_document)
{
	read_text("a: b\n---\nc: d\n");
	assert_string_equal(reading.told,
			    "2:1: a second document begins behind this place; a file holds one");
	CHECK(reading.code == E_SYNTAX);
	end();
}

TEST(nesting_has_an_end)
{
	static const char *const units[] = {"[", "{a: ", "- ", "? "};
	char *text = malloc(8 * 100000 + 1);

	CHECK(text);
	for (size_t u = 0; u < ARRAY_COUNT(units); u++) {
		size_t len = 0;
		for (int i = 0; i < 100000; i++) {
			memcpy(text + len, units[u], strlen(units[u]));
			len += strlen(units[u]);
		}
		read_octets(text, len, 1 << 20);
		CHECK(reading.code == E_SYNTAX);
		CHECK(strstr(reading.told, "nested deeper than any setting goes"));
		end();
	}
	free(text);
}

/* A place costs its own line to find, not the text: a megabyte in one line is no square. */
TEST(a_long_line_is_read_once)
{
	enum { ITEM_COUNT = 300000 };
	char *text = malloc(4 * ITEM_COUNT + 16);
	size_t len = 0;

	CHECK(text);
	text[len++] = '[';
	for (int i = 0; i < ITEM_COUNT; i++) {
		memcpy(text + len, "ab, ", 4);
		len += 4;
	}
	text[len++] = ']';
	read_octets(text, len, (size_t)64 << 20);
	CHECK(reading.code == OK && reading.root->len == ITEM_COUNT);
	const struct node *last = reading.root->first;
	while (last->next) last = last->next;
	CHECK(last->line == 1 && last->column == 4 * ITEM_COUNT - 2);
	end();
	free(text);
}

TEST(an_arena_that_is_full_is_told)
{
	static const char text[] = "a: [b, c, 'it''s', {d: e}]\nf: |\n  g\n  h\n";

	for (size_t max = 16; max < 1024; max += 16) {
		read_octets(text, sizeof text - 1, max);
		CHECK(reading.code == OK || reading.code == E_NOMEM);
		end();
	}
}

TEST(lines_are_found_by_their_number)
{
	struct span text = span_of_text("one\r\ntwo\n\nfour");

	CHECK(span_is_text(text_line(text, 1), "one"));
	CHECK(span_is_text(text_line(text, 2), "two"));
	CHECK(text_line(text, 3).len == 0);
	CHECK(span_is_text(text_line(text, 4), "four"));
	CHECK(text_line(text, 5).len == 0 && text_line(text, 0).len == 0);
	CHECK(text_line((struct span){0}, 1).len == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_know_their_place_in_octets),
		cmocka_unit_test(nothing_is_left_of_an_empty_text),
		cmocka_unit_test(what_must_be_quoted_is_told_so),
		cmocka_unit_test(an_alias_stands_for_nothing_and_reading_goes_on),
		cmocka_unit_test(a_billion_laughs_stay_a_few_lines),
		cmocka_unit_test(what_is_no_text_is_refused_at_its_octet),
		cmocka_unit_test(what_is_not_yaml_is_told_with_its_place),
		cmocka_unit_test(a_file_holds_one_document),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(a_long_line_is_read_once),
		cmocka_unit_test(an_arena_that_is_full_is_told),
		cmocka_unit_test(lines_are_found_by_their_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
