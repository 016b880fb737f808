/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/arena.h"
#include "base/diagnostic.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/instant.h"
#include "base/json.h"
#include "base/reader.h"
#include "base/siphash.h"
#include "base/suggest.h"
#include "base/writer.h"

TEST(a_read_past_the_end_fails_and_stays_failed)
{
	struct reader r = reader_of(span_of("\x01\x02\x03", 3));

	CHECK(read_u16(&r) == 0x0102);
	CHECK(read_u16(&r) == 0 && r.failed);
	CHECK(read_u8(&r) == 0 && reader_left(&r) == 0 && !reader_done(&r));
}

TEST(what_does_not_fit_is_not_written_and_can_be_taken_back)
{
	uint8_t bytes[4];
	struct writer w = writer_of(bytes, sizeof bytes);

	write_u16(&w, 0x0102);
	write_u32(&w, 7);
	write_u8(&w, 9);
	CHECK(w.overflow && w.len == 2);
	writer_rewind(&w, 2);
	write_u16(&w, 0x0304);
	CHECK(!w.overflow && memcmp(bytes, "\x01\x02\x03\x04", 4) == 0);
}

TEST(an_arena_keeps_its_limit)
{
	struct arena *arena = arena_new(10000);

	CHECK(arena_alloc(arena, 4000) != NULL);
	CHECK(arena_alloc(arena, 4000) != NULL);
	CHECK(arena_alloc(arena, 4000) == NULL);
	CHECK(arena_alloc(arena, SIZE_MAX - 8) == NULL);
	CHECK(arena_used(arena) <= 10000);
	arena_reset(arena);
	CHECK(arena_alloc(arena, 3000) != NULL);
	arena_free(arena);
	arena_free(NULL);
}

TEST(a_growing_array_keeps_its_content)
{
	struct arena *arena = arena_new(1 << 20);
	uint32_t *list = NULL;

	for (size_t n = 1; n <= 4096; n *= 2) {
		list = arena_grow(arena, list, n / 2 * sizeof *list, n * sizeof *list);
		for (size_t i = n / 2; i < n; i++) list[i] = (uint32_t)i;
	}
	for (size_t i = 0; i < 4096; i++) CHECK(list[i] == i);
	arena_free(arena);
}

TEST(durations_read_and_print)
{
	char text[DURATION_TEXT_MAX];
	duration_ns d;

	CHECK(duration_parse(span_of_text("90"), &d) && d == 90 * NS_PER_S);
	CHECK(duration_parse(span_of_text("1h30m"), &d) && d == 5400 * NS_PER_S);
	CHECK(duration_parse(span_of_text("2W"), &d) && d == 14 * 86400 * NS_PER_S);
	CHECK(duration_parse(span_of_text("250ms"), &d) && d == 250 * NS_PER_MS);
	CHECK(strcmp(duration_print(5400 * NS_PER_S, text), "1h30m") == 0);
	CHECK(strcmp(duration_print(0, text), "0s") == 0);
	CHECK(strcmp(duration_print_short((6 * 86400 + 21 * 3600 + 5) * NS_PER_S, text),
		     "6d 21h") == 0);
	static const char *const bad[] = {"",     "h",  "1x",   "1m1h",
					  "1h30", "-1", "1h1h", "99999999999999w"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK(!duration_parse(span_of_text(bad[i]), &d));
}

TEST(dates_count_from_1970_both_ways)
{
	char text[UTC_TEXT_MAX];

	CHECK(strcmp(utc_print(1795358101, text), "2026-11-22T14:35:01Z") == 0);
	CHECK(days_from_date(2000, 2, 29) == 11016);
	for (int64_t day = -800000; day < 800000; day += 373) {
		int64_t y;
		unsigned m, d;
		date_from_days(day, &y, &m, &d);
		CHECK(days_from_date(y, m, d) == day);
	}
}

/* The example of the SipHash paper, appendix A. */
TEST(siphash_gives_the_papers_value)
{
	struct siphash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	uint8_t message[15];

	for (size_t i = 0; i < 15; i++) message[i] = (uint8_t)i;
	CHECK(siphash(key, span_of(message, 15)) == UINT64_C(0xa129ca6149be45e5));
}

/* RFC 4648 section 10. */
TEST(encodings_give_the_rfcs_vectors)
{
	static const struct {
		const char *plain, *b64, *b32hex, *b16;
	} rows[] = {
		{"", "", "", ""},
		{"f", "Zg==", "co", "66"},
		{"fo", "Zm8=", "cpng", "666f"},
		{"foo", "Zm9v", "cpnmu", "666f6f"},
		{"foob", "Zm9vYg==", "cpnmuog", "666f6f62"},
		{"fooba", "Zm9vYmE=", "cpnmuoj1", "666f6f6261"},
		{"foobar", "Zm9vYmFy", "cpnmuoj1e8", "666f6f626172"},
	};
	uint8_t bytes[64];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span plain = span_of_text(rows[i].plain);
		struct writer w = writer_of(bytes, sizeof bytes);
		base64_encode(plain, &w);
		CHECK(span_is_text(writer_span(&w), rows[i].b64));
		w.len = 0;
		base32hex_encode(plain, &w);
		CHECK(span_is_text(writer_span(&w), rows[i].b32hex));
		w.len = 0;
		base16_encode(plain, &w);
		CHECK(span_is_text(writer_span(&w), rows[i].b16));
		w.len = 0;
		CHECK(base64_decode(span_of_text(rows[i].b64), &w) &&
		      span_equal(writer_span(&w), plain));
		w.len = 0;
		CHECK(base32hex_decode(span_of_text(rows[i].b32hex), &w) &&
		      span_equal(writer_span(&w), plain));
		w.len = 0;
		CHECK(base16_decode(span_of_text(rows[i].b16), &w) &&
		      span_equal(writer_span(&w), plain));
	}
}

TEST(encodings_refuse_what_is_not_theirs)
{
	static const char *const bad64[] = {
		"Zg", "Zg=", "Zh==", "Zm9=", "====", "Z===", "Zm=v", "Zm9v Zg=="};
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof bytes);

	for (size_t i = 0; i < sizeof bad64 / sizeof bad64[0]; i++)
		CHECK(!base64_decode(span_of_text(bad64[i]), &w));
	CHECK(!base16_decode(span_of_text("abc"), &w) && !base16_decode(span_of_text("0g"), &w));
	CHECK(!base32hex_decode(span_of_text("cp="), &w) &&
	      !base32hex_decode(span_of_text("w0"), &w));
	CHECK(!base32hex_decode(span_of_text("1"), &w) &&
	      !base32hex_decode(span_of_text("cp1"), &w));
}

static void collect(void *context, struct span chunk)
{
	struct writer *w = context;
	write_span(w, chunk);
}

TEST(json_escapes_what_strangers_send)
{
	uint8_t bytes[512];
	struct writer w = writer_of(bytes, sizeof bytes);
	struct json j;

	json_init(&j, collect, &w);
	json_object_begin(&j);
	json_key(&j, "name");
	json_span(&j, span_of("a\"\\\n\x01\xff\xc3\xa4", 8));
	json_key(&j, "list");
	json_array_begin(&j);
	json_uint(&j, 1);
	json_bool(&j, true);
	json_text(&j, NULL);
	json_array_end(&j);
	json_object_end(&j);
	json_end(&j);
	CHECK(span_is_text(
		writer_span(&w),
		"{\"name\":\"a\\\"\\\\\\n\\u0001\\ufffd\xc3\xa4\",\"list\":[1,true,null]}"));
}

TEST(the_nearest_word_is_suggested)
{
	static const char *const words[] = {"primaries", "primary", "secondaries", "file"};

	CHECK(suggest(span_of_text("primarys"), words, 4) == words[1]);
	CHECK(suggest(span_of_text("seconderies"), words, 4) == words[2]);
	CHECK(suggest(span_of_text("flie"), words, 4) == words[3]);
	CHECK(suggest(span_of_text("zzz"), words, 4) == NULL);
}

TEST(a_diagnostic_points_at_its_place)
{
	struct arena *arena = arena_new(1 << 20);
	struct diagnostics all = {.arena = arena};
	char text[512];

	diagnose(&all, (struct place){"a.zone", 7, 8, 3}, span_of_text("www\tIN\tXYZ 1"),
		 "unknown type \"%s\"", "XYZ");
	CHECK(all.error_count == 1 && all.count == 1);
	diagnostic_print(&all.list[0], text, sizeof text);
	assert_string_equal(text,
			    "a.zone:7:8: unknown type \"XYZ\"\nwww\tIN\tXYZ 1\n   \t  \t^~~\n");
	for (int i = 0; i < 200; i++)
		diagnose(&all, (struct place){"a.zone", 8, 0, 0}, span_of_text("x"), "again");
	CHECK(all.count == DIAGNOSTICS_MAX && all.error_count == 201 && diagnostics_full(&all));
	arena_free(arena);
}

TEST(an_error_gains_its_place)
{
	struct error err;

	CHECK(error_set(&err, E_IO, "no such file") == E_IO);
	CHECK(error_prefix(&err, "%s:%d", "a.zone", 3) == E_IO);
	assert_string_equal(err.text, "a.zone:3: no such file");
	CHECK(error_set(NULL, E_LIMIT, "x") == E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_past_the_end_fails_and_stays_failed),
		cmocka_unit_test(what_does_not_fit_is_not_written_and_can_be_taken_back),
		cmocka_unit_test(an_arena_keeps_its_limit),
		cmocka_unit_test(a_growing_array_keeps_its_content),
		cmocka_unit_test(durations_read_and_print),
		cmocka_unit_test(dates_count_from_1970_both_ways),
		cmocka_unit_test(siphash_gives_the_papers_value),
		cmocka_unit_test(encodings_give_the_rfcs_vectors),
		cmocka_unit_test(encodings_refuse_what_is_not_theirs),
		cmocka_unit_test(json_escapes_what_strangers_send),
		cmocka_unit_test(the_nearest_word_is_suggested),
		cmocka_unit_test(a_diagnostic_points_at_its_place),
		cmocka_unit_test(an_error_gains_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
