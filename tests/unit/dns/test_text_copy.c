/* SPDX-License-Identifier: Apache-2.0 */
/* The quick way of reading a name's text agrees with the plain one. */
#include "unit.h"

#include "dns/name.h"
#include "dns/simd/text_copy.h"

#include <stdlib.h>

/* The octets stand at the end of their memory, so that a read too far is seen. */
static void check_alike(const char *text, size_t len)
{
	uint8_t *exact = malloc(len), fast[TEXT_COPY_MAX], plain[TEXT_COPY_MAX];
	uint64_t fast_dots, plain_dots;

	assert_non_null(exact);
	memcpy(exact, text, len);
	bool is_fast = text_copy(fast, exact, len, &fast_dots);
	bool is_plain = text_copy_plain(plain, exact, len, &plain_dots);
	free(exact);
	CHECK(is_fast == is_plain);
	CHECK(fast_dots == plain_dots);
	assert_memory_equal(fast, plain, len);
}

TEST(each_length_and_place_is_copied_alike)
{
	char text[TEXT_COPY_MAX];

	for (size_t len = 1; len <= TEXT_COPY_MAX; len++) {
		for (size_t i = 0; i < len; i++) text[i] = (char)('a' + i % 26);
		check_alike(text, len);
		for (size_t at = 0; at < len; at++) {
			char was = text[at];
			text[at] = '.';
			check_alike(text, len);
			text[at] = '\\';
			check_alike(text, len);
			text[at] = was;
		}
		memset(text, '.', len);
		check_alike(text, len);
	}
}

/* RFC 1035 5.1: \X is X, so a name whose first octet is escaped is the same name. */
static void check_escaped_alike(const char *text, const struct name *origin)
{
	char escaped[200] = "\\";
	struct name_buffer fast, slow;
	struct error err;

	strcat(escaped, text);
	enum code code = name_from_text(span_of_text(text), origin, &fast, &err);
	CHECK(name_from_text(span_of_text(escaped), origin, &slow, &err) == code);
	if (code) return;
	assert_int_equal(fast.len, slow.len);
	assert_memory_equal(fast.wire, slow.wire, fast.len);
}

TEST(names_read_alike_with_and_without_an_escape)
{
	char text[140], label[66];
	struct name_buffer buffer;
	struct error err;

	CHECK(name_from_text(span_of_text("origin.example."), NULL, &buffer, &err) == OK);
	struct name origin = name_of(&buffer);
	for (size_t len = 1; len <= 65; len++) {
		memset(label, 'x', len);
		label[len] = '\0';
		check_escaped_alike(label, &origin);
		for (size_t dot = 1; dot <= len; dot++) {
			memcpy(text, label, len + 1);
			text[dot] = '.';
			text[dot == len ? len + 1 : len] = '\0';
			check_escaped_alike(text, &origin);
			strcat(text, ".");
			check_escaped_alike(text, NULL);
			strcat(text, label);
			check_escaped_alike(text, &origin);
		}
	}
}

TEST(a_long_origin_is_not_appended_past_the_limit)
{
	struct name_buffer origin_buffer, out;
	struct error err;
	char text[256] = "";

	for (unsigned i = 0; i < 3; i++) {
		memset(text + 60 * i, 'o', 59);
		text[60 * i + 59] = '.';
	}
	strcpy(text + 180, "xxxxxxxxxx.");
	CHECK(name_from_text(span_of_text(text), NULL, &origin_buffer, &err) == OK);
	struct name origin = name_of(&origin_buffer);
	assert_int_equal(origin.len, 192);
	memset(text, 'a', 63);
	CHECK(name_from_text(span_of(text, 62), &origin, &out, &err) == OK && out.len == 255);
	CHECK(name_from_text(span_of(text, 63), &origin, &out, &err) == E_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_length_and_place_is_copied_alike),
		cmocka_unit_test(names_read_alike_with_and_without_an_escape),
		cmocka_unit_test(a_long_origin_is_not_appended_past_the_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
