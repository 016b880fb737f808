/* SPDX-License-Identifier: Apache-2.0 */
/* A zone text parsed in parts gives what one parse gives, to the octet. */
#include "unit.h"

#include "aside_help.h"

static const uint8_t apex_octets[] = "\7example";
static const struct name apex = {.wire = apex_octets, .len = sizeof apex_octets};

static uint64_t seed = 1;

static size_t below(size_t bound)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (size_t)(seed >> 33) % bound;
}

/* Lines of every kind: what carries over to other lines, what spans them, what is wrong. */
static const char *const lines[] = {
	"a IN A 192.0.2.1\n",
	"b 300 IN A 192.0.2.2\n",
	"c.example. TXT \"one; two\" three\n",
	" A 192.0.2.3\n",
	"\t60 AAAA 2001:db8::1\n",
	"$ORIGIN sub\n",
	"$ORIGIN example.\n",
	"$ORIGIN Sub.Example.\n",
	"$ORIGIN outside.test.\n",
	"$TTL 5m\n",
	"$TTL 10\n",
	"$INCLUDE other\n",
	"$INCLUDE other sub\n",
	"$GENERATE 1-3 g$ A 192.0.2.$\n",
	"( $INCLUDE other )\n",
	"d MX ( 10\nmail )\n",
	"e SOA ns h (\n 1 ; serial\n3600 600\n86400 300 )\nf A 192.0.2.4\n",
	"g TXT ( \"a\"\n$ORIGIN x.\nh )\n",
	"i TXT ( open\n",
	"j TXT \"open\n",
	"; comment\n",
	"\n",
	"   \n",
	"\r\n",
	"k A 192.0.2\n",
	"$BOGUS\n",
	"l\\010m TXT \\\"\n",
	"n TXT a\\\n",
	")\n",
	"\"q\" A 192.0.2.5\n",
	"o.outside. A 192.0.2.6\n",
	"* CNAME a\n",
	"p SVCB 1 . alpn=\"h2,h3\"\n",
	"$TTL\n",
	"$ORIGIN ..\n",
	"s 1 TXT \x01\n",
};

static size_t text_make(char *text, size_t line_count, bool good)
{
	size_t len = 0;

	if (below(2)) len = (size_t)sprintf(text, "$TTL 3600\n");
	for (size_t i = 0; i < line_count; i++) {
		const char *line = lines[below(good ? 16 : ARRAY_COUNT(lines))];
		strcpy(text + len, line);
		len += strlen(line);
	}
	if (len && below(4) == 0) len--; /* without the last end of line */
	return len;
}

TEST(random_texts_in_parts_of_random_sizes_give_the_same)
{
	enum { LINES_MAX = 40 };
	char *text = malloc(LINES_MAX * 64 + 64);
	size_t wanted, wanted_all = 0;

	CHECK(text != NULL);
	for (unsigned round = 0; round < 6000; round++) {
		size_t len = text_make(text, below(LINES_MAX), below(2));
		struct span included = span_of_text(below(2) ? "$TTL 7\nx A 192.0.2.9\n y A\n"
							     : "z 1 A 192.0.2.8\n");
		size_t octets = 1 + below(below(3) ? 20 : 200);
		if (!aside_agrees(apex, span_of((uint8_t *)text, len), included, octets, seed,
				  &wanted))
			fail_msg("round %u of text:\n%.*s", round, (int)len, text);
		wanted_all += wanted;
	}
	CHECK(wanted_all > 1000); /* parts are of use */
	free(text);
}

/* Text of an ordinary zone, where every part should be right at the first go. */
TEST(every_part_of_an_ordinary_text_is_wanted)
{
	struct asiding parts = {.seed = 7};
	char *text = malloc(1 << 20);
	size_t len = 0;

	CHECK(text && (parts.seen.w = writer_of(malloc(SEEN_MAX), SEEN_MAX)).ptr);
	len += (size_t)sprintf(text, "$TTL 3600\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n");
	for (unsigned i = 0; i < 3000; i++) {
		if (i % 500 == 0) len += (size_t)sprintf(text + len, "$ORIGIN o%u.example.\n", i);
		len += (size_t)sprintf(text + len, "n%u A 192.0.2.%u\n TXT \"%u\"\n", i, i % 256,
				       i);
	}
	struct span span = span_of((uint8_t *)text, len);
	CHECK(aside_parse(&parts, apex, span, 1000) == OK);
	CHECK(parts.part_count > 80 && parts.taken == parts.part_count);
	CHECK(parts.octets == len);
	CHECK(aside_agrees(apex, span, (struct span){0}, 1000, 3, NULL));
	free(parts.seen.w.ptr);
	free(text);
}

/* Parsing ends at the same error, wherever parts begin. */
TEST(the_hundredth_error_ends_parts_as_it_ends_one_parse)
{
	char *text = malloc(1 << 16);

	CHECK(text != NULL);
	for (unsigned good = 0; good < 4; good++) {
		size_t len = (size_t)sprintf(text, "$TTL 1\n");
		for (unsigned i = 0; i < 150; i++) {
			len += (size_t)sprintf(text + len, "bad%u A %u\n", i, i);
			for (unsigned k = 0; k < good; k++)
				len += (size_t)sprintf(text + len, "good%u A 192.0.2.1\n", i);
		}
		for (size_t octets = 5; octets < 3000; octets = octets * 3 / 2 + 1)
			CHECK(aside_agrees(apex, span_of((uint8_t *)text, len), (struct span){0},
					   octets, octets, NULL));
	}
	free(text);
}

static enum code never_begins(void *context, struct zone_text_part *part)
{
	(void)context;
	(void)part;
	return E_AGAIN;
}

TEST(who_has_no_more_interest_ends_the_parse)
{
	struct asiding asiding = {0};
	struct arena *arena = arena_new(1 << 20);
	struct diagnostics said = {.arena = arena};
	struct zone_text_aside aside = {.part_octets = 10,
					.begin = never_begins,
					.end = aside_end,
					.went_on = aside_went_on};
	struct zone_text_parser parser = {.origin = apex,
					  .sink = aside_sink,
					  .context = &asiding,
					  .aside = &aside,
					  .arena = arena,
					  .diagnostics = &said};

	CHECK(zone_text_parse(
		      &parser, "zone",
		      span_of_text("a 1 A 192.0.2.1\nb 1 A 192.0.2.1\nc 1 A 192.0.2.1\n")) ==
	      E_AGAIN);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_texts_in_parts_of_random_sizes_give_the_same),
		cmocka_unit_test(every_part_of_an_ordinary_text_is_wanted),
		cmocka_unit_test(the_hundredth_error_ends_parts_as_it_ends_one_parse),
		cmocka_unit_test(who_has_no_more_interest_ends_the_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
