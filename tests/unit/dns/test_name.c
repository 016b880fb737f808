/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "dns/name.h"

static struct name_buffer buffers[8];
static unsigned next_buffer;

static struct name name(const char *text)
{
	struct name_buffer *buffer = &buffers[next_buffer++ % 8];
	struct name root = name_root();

	assert_int_equal(name_from_text(span_of_text(text), &root, buffer, NULL), OK);
	return name_of(buffer);
}

static const char *refusal(const char *text, const struct name *origin)
{
	static struct error err;
	struct name_buffer out;

	CHECK(name_from_text(span_of_text(text), origin, &out, &err) != OK);
	return err.text;
}

/* RFC 1035 5.1. */
TEST(escapes_and_origin_make_wire_form)
{
	static const struct {
		const char *text, *wire;
		size_t len;
	} cases[] = {
		{".", "\0", 1},
		{"@", "\7example\3net\0", 13},
		{"www", "\3www\7example\3net\0", 17},
		{"www.", "\3www\0", 5},
		{"a\\.b.c.", "\3a.b\1c\0", 7},
		{"\\065\\000\\255.", "\3A\0\377\0", 5},
		{"\\@", "\1@\7example\3net\0", 15},
		{"\\\\.", "\1\\\0", 3},
		{"*.", "\1*\0", 3},
		{"a\\..", "\2a.\0", 4},
	};
	struct name_buffer out;
	struct name origin = name("example.net.");

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct span text = span_of_text(cases[i].text);
		CHECK(name_from_text(text, &origin, &out, NULL) == OK);
		assert_int_equal(out.len, cases[i].len);
		assert_memory_equal(out.wire, cases[i].wire, cases[i].len);
	}
}

TEST(a_wrong_name_is_told_with_what_was_found)
{
	char label[80], longest[300];
	struct name origin = name("example.net.");

	memset(label, 'a', 64);
	memcpy(label + 64, ".", 2);
	CHECK(strncmp(refusal(label, &origin), "label of 64 octets, at most 63: \"aaaa", 37) == 0);
	memset(label, 'a', 70);
	label[70] = 0;
	CHECK(strncmp(refusal(label, &origin), "label of 70 octets, at most 63", 30) == 0);

	for (unsigned i = 0; i < 127; i++) memcpy(longest + 2 * i, "a.", 3);
	CHECK(name(longest).len == 255);
	memcpy(longest + 252, "aa.", 4);
	CHECK(strncmp(refusal(longest, NULL), "name of 256 octets, at most 255: ", 33) == 0);
	memcpy(longest + 240, "a", 2);
	struct name_buffer out;
	CHECK(name_from_text(span_of_text(longest), &origin, &out, NULL) == OK && out.len == 255);
	memcpy(longest + 240, "aa", 3);
	CHECK(strncmp(refusal(longest, &origin), "name of 256 octets, at most 255", 31) == 0);

	assert_string_equal(refusal("", &origin), "expected a domain name, found \"\"");
	assert_string_equal(refusal("www", NULL), "expected a final dot after \"www\"");
	assert_string_equal(refusal("@", NULL), "\"@\" needs an origin, and none is set");
	assert_string_equal(refusal("a..b", &origin),
			    "empty label (two dots, or a dot in front) in \"a..b\"");
	assert_string_equal(refusal(".a", &origin),
			    "empty label (two dots, or a dot in front) in \".a\"");
	assert_string_equal(refusal("a\\256", &origin),
			    "expected \\DDD from \\000 to \\255, or \\ and one character, "
			    "found \"\\256\"");
	CHECK(strstr(refusal("a\\", &origin), "found \"\\\""));
	CHECK(strstr(refusal("a\\12", &origin), "found \"\\12\""));
}

TEST(a_name_prints_so_that_it_reads_back)
{
	char text[NAME_TEXT_MAX];

	assert_string_equal(name_to_text(name("a\\.\\000\\\\b\\;\\032\\200.X."), text),
			    "a\\.\\000\\\\b\\;\\032\\200.X.");
	assert_string_equal(name_to_text(name_root(), text), ".");

	uint8_t wire[255];
	for (unsigned label = 0; label < 4; label++) {
		wire[label * 64] = label == 3 ? 61 : 63;
		for (unsigned i = 1; i < 64 && label * 64 + i < 255; i++)
			wire[label * 64 + i] = (uint8_t)(label * 63 + i);
	}
	wire[254] = 0;
	struct name all = {.wire = wire, .len = 255};
	struct name_buffer again;
	name_to_text(all, text);
	CHECK(name_from_text(span_of_text(text), NULL, &again, NULL) == OK);
	CHECK(again.len == 255 && memcmp(again.wire, wire, 255) == 0);

	memset(wire, 0xff, sizeof wire);
	for (unsigned label = 0; label < 4; label++) wire[label * 64] = label == 3 ? 61 : 63;
	wire[254] = 0;
	CHECK(strlen(name_to_text(all, text)) == 4 * 250 + 4);
}

/* Knot reads no other octet without its backslash, NSD no \#. */
TEST(only_letters_digits_and_four_signs_print_bare)
{
	static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				   "-_*/";
	char text[NAME_TEXT_MAX];

	for (unsigned c = 1; c < 256; c++) {
		uint8_t wire[3] = {1, (uint8_t)c, 0};
		name_to_text((struct name){.wire = wire, .len = 3}, text);
		assert_int_equal(text[0] == (char)c && text[1] == '.',
				 strchr(bare, (int)c) != NULL);
	}
	assert_string_equal(name_to_text(name("#.\\!."), text), "\\035.\\!.");
}

/* RFC 4034 6.1, its own example. */
TEST(canonical_order_is_the_rfcs)
{
	static const char *const sorted[] = {
		".",
		"example.",
		"a.example.",
		"yljkjljk.a.example.",
		"Z.a.example.",
		"zABC.a.EXAMPLE.",
		"z.example.",
		"\\001.z.example.",
		"*.z.example.",
		"\\200.z.example.",
	};

	for (size_t i = 0; i < ARRAY_COUNT(sorted); i++)
		for (size_t j = 0; j < ARRAY_COUNT(sorted); j++) {
			int order = name_compare(name(sorted[i]), name(sorted[j]));
			CHECK(i < j ? order < 0 : i > j ? order > 0 : order == 0);
		}
}

/* RFC 4343 3: ASCII letters only. */
TEST(only_the_case_of_ascii_letters_is_ignored)
{
	CHECK(name_equal(name("WWW.Example.NET."), name("www.eXAMPLE.net.")));
	CHECK(!name_equal(name("@."), name("`.")));
	CHECK(!name_equal(name("[."), name("{.")));
	CHECK(!name_equal(name("\\192."), name("\\224.")));
	CHECK(!name_equal(name("longer-than-eight@."), name("longer-than-eight`.")));
	CHECK(!name_equal(name("\\192longer-than-eight."), name("\\224longer-than-eight.")));
	CHECK(!name_equal(name("a.b."), name("a.c.")));
	CHECK(name_compare(name("A."), name("a.")) == 0);

	struct name_buffer lowered;
	name_lower(name("A@Z[\\192.Q."), &lowered);
	CHECK(memcmp(lowered.wire, name("a@z[\\192.q.").wire, lowered.len) == 0);
}

TEST(below_counts_whole_labels)
{
	CHECK(name_is_below(name("a.example."), name("EXAMPLE.")));
	CHECK(name_is_below(name("example."), name("example.")));
	CHECK(name_is_below(name("example."), name_root()));
	CHECK(!name_is_below(name("anexample."), name("example.")));
	CHECK(!name_is_below(name("example."), name("a.example.")));
	CHECK(!name_is_below(name("a.b."), name("a.c.")));
}

TEST(labels_are_counted_and_taken_away)
{
	struct name_buffer wild;

	CHECK(name_label_count(name_root()) == 0);
	CHECK(name_label_count(name("a.b.c.")) == 3);
	CHECK(name_equal(name_parent(name("a.b.")), name("b.")));
	CHECK(name_is_root(name_parent(name_root())));
	CHECK(name_equal(name_without_labels(name("a.b.c."), 2), name("c.")));
	CHECK(name_is_root(name_without_labels(name("a.b."), 2)));
	CHECK(name_is_wildcard(name("*.a.")) && !name_is_wildcard(name("**.a.")));
	CHECK(!name_is_wildcard(name_root()));
	CHECK(name_wildcard_child(name("a."), &wild) && name_equal(name_of(&wild), name("*.a.")));
}

static bool read_at(const char *octets, size_t len, size_t at, struct name_buffer *out, size_t *end)
{
	struct reader r = reader_of(span_of(octets, len));

	r.at = at;
	bool is_read = name_read(&r, out);
	CHECK(is_read == !r.failed);
	*end = r.at;
	return is_read;
}

/* RFC 1035 4.1.4: "prior occurrence". */
TEST(a_pointer_leads_strictly_backwards)
{
	static const char message[] = "\3net\0\7example\300\0\3www\300\5\300\17\300\23";
	struct name_buffer out;
	size_t end;

	CHECK(read_at(message, sizeof message - 1, 5, &out, &end) && end == 15);
	CHECK(name_equal(name_of(&out), name("example.net.")));
	CHECK(read_at(message, sizeof message - 1, 15, &out, &end) && end == 21);
	CHECK(name_equal(name_of(&out), name("www.example.net.")));
	CHECK(read_at(message, sizeof message - 1, 21, &out, &end) && end == 23);
	CHECK(name_equal(name_of(&out), name("www.example.net.")));

	/* To itself, forward, into itself, cut short, reserved label types. */
	CHECK(!read_at("\300\0", 2, 0, &out, &end));
	CHECK(!read_at("\300\2\0", 3, 0, &out, &end));
	CHECK(!read_at("\1a\300\0", 4, 0, &out, &end));
	CHECK(!read_at("\1a\300\2", 4, 0, &out, &end));
	CHECK(!read_at("\0\300", 2, 1, &out, &end));
	CHECK(!read_at("\1", 1, 0, &out, &end));
	CHECK(!read_at("\1a", 2, 0, &out, &end));
	CHECK(!read_at("", 0, 0, &out, &end));
	CHECK(!read_at("\100a\0", 3, 0, &out, &end));
	CHECK(!read_at("\200a\0", 3, 0, &out, &end));
}

TEST(an_expanded_name_keeps_its_limits)
{
	struct name_buffer out;
	char message[400];
	size_t end;

	/* Four labels of 63 make 257; three and one of 61 make 255. */
	memset(message, 'a', sizeof message);
	message[0] = message[64] = message[128] = 63;
	message[192] = 61;
	message[254] = 0;
	CHECK(read_at(message, 255, 0, &out, &end) && out.len == 255 && end == 255);
	message[192] = 62;
	message[255] = 0;
	CHECK(!read_at(message, 256, 0, &out, &end));

	/* A name of 255 octets reached by a pointer, and one label more before the pointer. */
	message[192] = 61;
	message[254] = 0;
	memcpy(message + 255, "\300\0\0\300\0", 5);
	CHECK(read_at(message, 257, 255, &out, &end) && out.len == 255 && end == 257);
	memcpy(message + 255, "\1a\300\0", 4);
	CHECK(!read_at(message, 259, 255, &out, &end));

	/* A long chain of pointers without a label: the cost is bounded. */
	char chain[2000] = {0};
	for (size_t at = 1; at + 1 < sizeof chain; at += 2) {
		size_t target = at == 1 ? 0 : at - 2;
		chain[at] = (char)(0xc0 | target >> 8);
		chain[at + 1] = (char)target;
	}
	CHECK(read_at(chain, sizeof chain, 1 + 2 * 126, &out, &end) && out.len == 1);
	CHECK(!read_at(chain, sizeof chain, 1 + 2 * 127, &out, &end));
}

TEST(a_plain_name_takes_no_pointer)
{
	struct reader r = reader_of(span_of("\1a\0\1b\300\0", 7));
	struct name out;

	CHECK(name_read_plain(&r, &out) && out.len == 3 && r.at == 3);
	CHECK(!name_read_plain(&r, &out) && r.failed);
	CHECK(!name_read_plain(&r, &out));
}

/* RFC 4592 2.1.1; a name of 254 octets has no room for "*.". */
TEST(a_wildcard_needs_room)
{
	char text[300];
	struct name_buffer out, wild;

	for (unsigned i = 0; i < 126; i++) memcpy(text + 2 * i, "a.", 3);
	CHECK(name_from_text(span_of_text(text), NULL, &out, NULL) == OK && out.len == 253);
	CHECK(name_wildcard_child(name_of(&out), &wild) && wild.len == 255);
	memcpy(text, "aa.", 3);
	for (unsigned i = 0; i < 125; i++) memcpy(text + 3 + 2 * i, "a.", 3);
	CHECK(name_from_text(span_of_text(text), NULL, &out, NULL) == OK && out.len == 254);
	CHECK(!name_wildcard_child(name_of(&out), &wild));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_and_origin_make_wire_form),
		cmocka_unit_test(a_wrong_name_is_told_with_what_was_found),
		cmocka_unit_test(a_name_prints_so_that_it_reads_back),
		cmocka_unit_test(only_letters_digits_and_four_signs_print_bare),
		cmocka_unit_test(canonical_order_is_the_rfcs),
		cmocka_unit_test(only_the_case_of_ascii_letters_is_ignored),
		cmocka_unit_test(below_counts_whole_labels),
		cmocka_unit_test(labels_are_counted_and_taken_away),
		cmocka_unit_test(a_pointer_leads_strictly_backwards),
		cmocka_unit_test(an_expanded_name_keeps_its_limits),
		cmocka_unit_test(a_plain_name_takes_no_pointer),
		cmocka_unit_test(a_wildcard_needs_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
