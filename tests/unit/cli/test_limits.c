/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "cli/limits.h"
#include "config/setting.h"

#include <ctype.h>

static const struct limit *limit_find(const char *name)
{
	size_t count;
	const struct limit *limits = limits_fixed(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(limits[i].name, name) == 0) return &limits[i];
	return NULL;
}

TEST(every_cap_has_a_name_of_its_own)
{
	size_t count;
	const struct limit *limits = limits_fixed(&count);

	CHECK(count > 0);
	for (size_t i = 0; i < count; i++) {
		CHECK(limit_find(limits[i].name) == &limits[i]);
		CHECK(!setting_find(CHAPTER_LIMITS, span_of_text(limits[i].name)));
		for (const char *p = limits[i].name; *p; p++)
			CHECK(islower(*p) || isdigit(*p) || *p == '-');
	}
}

TEST(every_cap_bounds_something_and_says_what)
{
	size_t count;
	const struct limit *limits = limits_fixed(&count);

	for (size_t i = 0; i < count; i++) {
		const char *text = limits[i].text;
		CHECK(limits[i].value > 0);
		CHECK(limits[i].unit < LIMIT_UNIT_COUNT);
		CHECK(isupper(*text) || *text == '$');
		CHECK(text[strlen(text) - 1] == '.');
		CHECK(strlen(text) < 200); /* of one line of the table */
	}
}

/* Two that are known from elsewhere: a row that names another constant is found here. */
TEST(a_row_has_the_value_of_its_constant)
{
	const struct limit *tsig = limit_find("tsig-unsigned"), *udp = limit_find("udp-answer");

	CHECK(tsig && tsig->value == 99); /* RFC 8945 5.3.1 */
	CHECK(udp && udp->value == 1232 && udp->unit == LIMIT_OCTETS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cap_has_a_name_of_its_own),
		cmocka_unit_test(every_cap_bounds_something_and_says_what),
		cmocka_unit_test(a_row_has_the_value_of_its_constant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
