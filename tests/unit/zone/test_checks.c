/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/fixture.h"

#include "zone/checks.h"

#include <stdio.h>

#define APEX       "example. 1 SOA ns.example. h.example. 1 2 3 4 5", "example. 1 NS ns.example."
#define NS_ADDRESS "ns.example. 1 A 192.0.2.53"

struct checked {
	struct arena *arena;
	struct records set;
	struct diagnostics diagnostics;
	enum code code;
};

static struct checked check_lines(const char *const *lines, size_t count)
{
	struct checked c = {.arena = arena_new(1 << 22)};
	struct name_buffer apex;

	c.diagnostics.arena = c.arena;
	records_init(&c.set, c.arena);
	add_lines(&c.set, lines, count);
	CHECK(records_sort(&c.set, NULL) == OK);
	c.code = zone_check(&c.set, name_in(&apex, "example."), &c.diagnostics);
	return c;
}

static size_t count_until_null(const char *const *lines)
{
	size_t count = 0;

	while (lines[count]) count++;
	return count;
}

/* Exactly one diagnostic, at this line of the file, with these words. */
struct row {
	const char *lines[8];
	uint32_t line;
	const char *said;
};

static void rows_hold(const struct row *rows, size_t count, bool warnings)
{
	for (size_t i = 0; i < count; i++) {
		struct checked c = check_lines(rows[i].lines, count_until_null(rows[i].lines));
		if (c.diagnostics.count != 1)
			fail_msg("row %zu: %zu diagnostics, the first: %s", i, c.diagnostics.count,
				 c.diagnostics.count ? c.diagnostics.list[0].text : "-");
		const struct diagnostic *d = &c.diagnostics.list[0];
		if (!strstr(d->text, rows[i].said)) assert_string_equal(d->text, rows[i].said);
		CHECK(d->warning == warnings && d->place.line == rows[i].line);
		assert_string_equal(d->place.file, "test.zone");
		CHECK(c.code == (warnings ? OK : E_CONFLICT));
		arena_free(c.arena);
	}
}

TEST(a_sound_zone_passes_without_a_word)
{
	static const char *const lines[] = {
		APEX,
		NS_ADDRESS,
		"example. 1 DNSKEY 257 3 13 AAAA",
		"example. 1 MX 10 mail.example.",
		"example. 1 NS ns.other.",
		"mail.example. 1 AAAA 2001:db8::1",
		"*.w.example. 1 A 192.0.2.1",
		"alias.example. 1 CNAME nowhere.example.",
		"alias.example. 1 NSEC child.example. CNAME RRSIG NSEC",
		"alias.example. 1 RRSIG CNAME 13 2 1 20300101000000 20200101000000 1 example. AAAA",
		"alias.example. 9 RRSIG NSEC 13 2 9 20300101000000 20200101000000 1 example. AAAA",
		"child.example. 1 NS ns.child.example.",
		"child.example. 1 NS anything.w.example.",
		"child.example. 1 NS host.sister.example.",
		"child.example. 1 DS 1 13 99 AAAA",
		"ns.child.example. 1 A 192.0.2.1",
		"sister.example. 1 NS ns.other.",
		"old.example. 1 DNAME new.example.",
		"old.example. 1 TXT allowed",
		"none.example. 1 MX 0 .",
	};
	struct checked c = check_lines(lines, ARRAY_COUNT(lines));

	if (c.diagnostics.count) assert_string_equal(c.diagnostics.list[0].text, "");
	CHECK(c.code == OK && c.diagnostics.error_count == 0);
	arena_free(c.arena);
}

TEST(what_is_no_zone_is_refused_at_its_place)
{
	static const struct row rows[] = {
		{{"example. 1 NS ns.other."}, 0, "zone example. has no SOA"},
		{{"example. 1 SOA ns.other. h.other. 1 2 3 4 5"}, 0, "zone example. has no NS"},
		{{APEX, NS_ADDRESS, "example. 1 SOA ns.example. h.example. 2 2 3 4 5"},
		 4,
		 "example. SOA is a second record beside example. SOA (test.zone:1)"},
		{{APEX, NS_ADDRESS, "a.example. 1 SOA ns.other. h.other. 1 2 3 4 5"},
		 4,
		 "a.example. SOA stands below"},
		{{APEX, NS_ADDRESS, "a.example. 1 CNAME ns.example.", "A.example. 1 A 192.0.2.1"},
		 5,
		 "A.example. A stands beside a.example. CNAME (test.zone:4); a CNAME must be "
		 "alone"},
		{{APEX, NS_ADDRESS, "a.example. 1 TXT x", "a.example. 1 CNAME ns.example."},
		 4,
		 "a.example. TXT stands beside a.example. CNAME (test.zone:5)"},
		{{APEX, NS_ADDRESS, "a.example. 1 CNAME b.example.",
		  "a.example. 1 CNAME c.example."},
		 5,
		 "is a second record beside a.example. CNAME (test.zone:4)"},
		{{APEX, NS_ADDRESS, "a.example. 1 DNAME b.other.", "a.example. 1 DNAME c.other."},
		 5,
		 "is a second record beside a.example. DNAME (test.zone:4)"},
		{{APEX, NS_ADDRESS, "b.a.example. 1 A 192.0.2.1", "a.example. 1 DNAME c.other."},
		 4,
		 "b.a.example. A stands below a.example. DNAME (test.zone:5)"},
		{{APEX, NS_ADDRESS, "a.example. 1 DNAME b.other.", "a.example. 1 NS ns.other."},
		 4,
		 "a.example. DNAME stands beside a.example. NS (test.zone:5)"},
		{{APEX, NS_ADDRESS, "www.other. 1 A 192.0.2.1"},
		 4,
		 "www.other. A is outside the zone example."},
		{{APEX, NS_ADDRESS, "example. 1 DS 1 13 99 AAAA"},
		 4,
		 "belongs into the parent zone"},
	};
	rows_hold(rows, ARRAY_COUNT(rows), false);
}

TEST(what_is_odd_is_warned_of_at_its_place)
{
	static const struct row rows[] = {
		{{APEX}, 2, "points to ns.example., which does not exist in this zone"},
		{{APEX, "ns.example. 1 TXT x"}, 2, "points to ns.example., which has no address"},
		{{APEX, "a.ns.example. 1 A 192.0.2.1"}, 2, "ns.example., which has no address"},
		{{APEX, "ns.example. 1 CNAME a.example.", "a.example. 1 A 192.0.2.1"},
		 2,
		 "points to ns.example., which is an alias"},
		{{APEX, NS_ADDRESS, "example. 1 MX 1 a.b.example.", "b.example. 1 DNAME b.other."},
		 4,
		 "example. MX points to a.b.example., which is an alias"},
		{{APEX, NS_ADDRESS, "*.w.example. 1 CNAME x.other.",
		  "example. 1 MX 1 a.b.w.example."},
		 5,
		 "a.b.w.example., which is an alias"},
		{{APEX, NS_ADDRESS, "c.example. 1 NS ns.c.example."},
		 4,
		 "points to ns.c.example., which lies below this delegation"},
		{{APEX, NS_ADDRESS, "c.example. 1 NS ns.other.", "www.c.example. 1 TXT x"},
		 5,
		 "www.c.example. TXT is hidden by the delegation c.example. NS (test.zone:4)"},
		{{APEX, NS_ADDRESS, "c.example. 1 NS ns.other.", "c.example. 1 MX 1 mail.other."},
		 5,
		 "c.example. MX is hidden by the delegation c.example. NS (test.zone:4)"},
		{{APEX, NS_ADDRESS, "a.example. 300 A 192.0.2.2", "a.example. 20 A 192.0.2.1"},
		 4,
		 "a.example. A has TTL 300, unlike the 20 of a.example. A (test.zone:5); 20 is"},
	};
	rows_hold(rows, ARRAY_COUNT(rows), true);
}

TEST(the_highest_cut_hides_what_lies_below_other_cuts_too)
{
	static const char *const lines[] = {
		APEX,
		NS_ADDRESS,
		"c.example. 1 NS ns.other.",
		"d.c.example. 1 NS ns.other.",
		"e.c.example. 1 DNAME other.",
		"x.e.c.example. 1 TXT x",
	};
	struct checked c = check_lines(lines, ARRAY_COUNT(lines));

	CHECK(c.code == OK && c.diagnostics.count == 3 && c.diagnostics.error_count == 0);
	for (size_t i = 0; i < 3; i++) {
		CHECK(c.diagnostics.list[i].place.line == 5 + i);
		CHECK(strstr(c.diagnostics.list[i].text,
			     "hidden by the delegation c.example. NS (test.zone:4)"));
	}
	arena_free(c.arena);
}

/* RFC 2181 5.2; RRSIGs keep the TTLs of what they cover (RFC 4034 3). */
TEST(the_lowest_ttl_is_set_on_the_whole_rrset)
{
	static const char *const lines[] = {
		APEX,
		NS_ADDRESS,
		"a.example. 300 A 192.0.2.1",
		"a.example. 20 A 192.0.2.2",
		"a.example. 600 A 192.0.2.3",
		"a.example. 7 TXT x",
		"a.example. 20 RRSIG A 13 2 20 20300101000000 20200101000000 1 example. AAAA",
		"a.example. 30 RRSIG A 13 2 20 20300101000000 20200101000000 2 example. AAAA",
		"a.example. 7 RRSIG TXT 13 2 7 20300101000000 20200101000000 1 example. AAAA",
	};
	static const uint32_t ttls[] = {1, 1, 20, 20, 20, 7, 20, 20, 7, 1};
	struct checked c = check_lines(lines, ARRAY_COUNT(lines));
	size_t wire_len = c.set.wire_len;

	CHECK(c.code == OK && c.diagnostics.count == 2 && c.set.count == ARRAY_COUNT(ttls));
	for (size_t i = 0; i < c.set.count; i++) {
		struct record record = records_get(&c.set, i);
		CHECK(record.ttl == ttls[i]);
		wire_len -= record_len(&record);
		if (record.type == RRTYPE_A && record.ttl == 20)
			CHECK(records_place(&c.set, i).line == 4 + record.rdata.ptr[3] - 1u);
	}
	CHECK(wire_len == 0 && c.set.sorted);
	CHECK(records_sort(&c.set, NULL) == OK && c.set.count == ARRAY_COUNT(ttls));
	arena_free(c.arena);
}

TEST(one_owner_has_the_case_of_its_first_record)
{
	static const char *const lines[] = {
		APEX,
		NS_ADDRESS,
		"a.EXAMPLE. 9 TXT x",
		"A.example. 9 A 192.0.2.1",
	};
	struct checked c = check_lines(lines, ARRAY_COUNT(lines));

	CHECK(c.code == OK && c.diagnostics.count == 0 && c.set.count == 5);
	for (size_t i = 2; i < 4; i++)
		CHECK(memcmp(c.set.entries[i].wire, "\1A\7example", 11) == 0);
	CHECK(records_place(&c.set, 3).line == 4);
	arena_free(c.arena);
}

/* NSEC3 owners stand below the apex even where that has a DNAME. */
TEST(hashes_may_stand_below_an_apex_with_dname)
{
	static const char *const lines[] = {
		"example. 1 SOA ns.other. h.other. 1 2 3 4 5",
		"example. 1 NS ns.other.",
		"example. 1 DNAME other.",
		"0p9m.example. 1 NSEC3 \\# 13 01000000000400112233000140",
	};
	struct checked c = check_lines(lines, ARRAY_COUNT(lines));

	CHECK(c.code == OK && c.diagnostics.count == 0);
	arena_free(c.arena);
}

TEST(sets_over_their_limits_are_refused)
{
	struct arena *arena = arena_new(1 << 24);
	struct diagnostics diagnostics = {.arena = arena};
	struct name_buffer owner, apex;
	struct records set;
	uint8_t data[4];

	records_init(&set, arena);
	add_line(&set, "example. 1 SOA ns.other. h.other. 1 2 3 4 5", 0);
	add_line(&set, "example. 1 NS ns.other.", 0);
	struct record record = {name_in(&owner, "a.example."), RRTYPE_A, CLASS_IN, 1,
				span_of(data, 4)};
	for (uint32_t i = 0; i < RECORDS_PER_RRSET_MAX; i++) {
		put_u32(data, i);
		CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	}
	record.owner = name_in(&owner, "b.example.");
	for (uint16_t i = 0; i < TYPES_PER_NAME_MAX; i++) {
		record.type = (uint16_t)(65280 + i - (i == 255 ? 300 : 0));
		CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	}
	CHECK(records_sort(&set, NULL) == OK);
	CHECK(zone_check(&set, name_in(&apex, "example."), &diagnostics) == OK);
	record.type = 64000;
	CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	record.owner = name_in(&owner, "a.example.");
	record.type = RRTYPE_A;
	put_u32(data, RECORDS_PER_RRSET_MAX);
	CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	CHECK(records_sort(&set, NULL) == OK);
	CHECK(zone_check(&set, name_of(&apex), &diagnostics) == E_CONFLICT);
	CHECK(diagnostics.error_count == 2);
	CHECK(strstr(diagnostics.list[0].text, "a.example. A has 20001 records"));
	CHECK(strstr(diagnostics.list[1].text, "is one of 257 types"));
	arena_free(arena);
}

TEST(rfc9276_3_2_a_chain_with_too_many_iterations_is_refused)
{
	static const struct row rows[] = {
		{{APEX, NS_ADDRESS, "example. 1 NSEC3PARAM 1 0 51 -"},
		 4,
		 "asks for 51 iterations of its hash, and 50 is the most"},
		{{APEX, NS_ADDRESS, "example. 1 NSEC3PARAM 1 0 65535 abcd"}, 4, "65535"},
	};
	static const char *const most[] = {APEX, NS_ADDRESS, "example. 1 NSEC3PARAM 1 0 50 -"};

	rows_hold(rows, ARRAY_COUNT(rows), false);
	struct checked c = check_lines(most, ARRAY_COUNT(most));
	CHECK(c.code == OK && c.diagnostics.count == 0);
	arena_free(c.arena);
}

TEST(a_record_that_fits_no_message_is_refused)
{
	struct arena *arena = arena_new(1 << 20);
	struct diagnostics diagnostics = {.arena = arena};
	struct name_buffer owner, apex;
	struct records set;
	static uint8_t data[RECORD_DATA_OCTETS_MAX + 1];
	struct record record = {name_in(&owner, "a.example."), 65280, CLASS_IN, 1,
				span_of(data, RECORD_DATA_OCTETS_MAX)};

	records_init(&set, arena);
	add_line(&set, "example. 1 SOA ns.other. h.other. 1 2 3 4 5", 0);
	add_line(&set, "example. 1 NS ns.other.", 0);
	CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	CHECK(records_sort(&set, NULL) == OK);
	CHECK(zone_check(&set, name_in(&apex, "example."), &diagnostics) == OK);
	record.rdata.len++;
	CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	CHECK(records_sort(&set, NULL) == OK);
	CHECK(zone_check(&set, name_of(&apex), &diagnostics) == E_CONFLICT);
	CHECK(diagnostics.error_count == 1);
	CHECK(strstr(diagnostics.list[0].text, "a.example. TYPE65280 has 65242 octets of data"));
	arena_free(arena);
}

TEST(classes_and_types_of_messages_are_refused)
{
	struct arena *arena = arena_new(1 << 20);
	struct diagnostics diagnostics = {.arena = arena};
	struct name_buffer owner, apex;
	struct records set;
	struct record record = {name_in(&owner, "a.example."), RRTYPE_A, CLASS_IN, 1,
				span_of("\xc0\0\2\1", 4)};

	records_init(&set, arena);
	add_line(&set, "example. 1 SOA ns.other. h.other. 1 2 3 4 5", 0);
	add_line(&set, "example. 1 NS ns.other.", 0);
	CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	record.class = CLASS_CH;
	CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	record.owner = name_in(&owner, "b.example.");
	record.class = CLASS_IN;
	record.type = 255;
	CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	CHECK(records_sort(&set, NULL) == OK && set.count == 5);
	CHECK(zone_check(&set, name_in(&apex, "example."), &diagnostics) == E_CONFLICT);
	CHECK(diagnostics.error_count == 2 && strstr(diagnostics.list[0].text, "class IN"));
	CHECK(strstr(diagnostics.list[1].text, "b.example. ANY is a type for messages"));
	arena_free(arena);
}

/* A hundred warnings fill the list; the one error must still be in it. */
TEST(warnings_never_hide_an_error)
{
	struct arena *arena = arena_new(1 << 22);
	struct diagnostics diagnostics = {.arena = arena};
	struct name_buffer apex;
	struct records set;
	char line[128];

	records_init(&set, arena);
	add_line(&set, "example. 1 SOA ns.other. h.other. 1 2 3 4 5", 1);
	for (int i = 0; i < 300; i++) {
		snprintf(line, sizeof line, "example. 1 NS ns%d.example.", i);
		add_line(&set, line, 2);
	}
	add_line(&set, "z.other. 1 A 192.0.2.1", 3);
	CHECK(records_sort(&set, NULL) == OK);
	CHECK(zone_check(&set, name_in(&apex, "example."), &diagnostics) == E_CONFLICT);
	CHECK(diagnostics.count == 1 && diagnostics.list[0].place.line == 3);
	arena_free(arena);
}

/* Octets, places and everything that was said, as one text. */
static size_t checked_print(struct records *set, const struct diagnostics *said, enum code code,
			    char *out, size_t cap)
{
	size_t len = (size_t)snprintf(out, cap, "%d %zu\n", (int)code, said->error_count);

	for (size_t i = 0; i < said->count && len < cap; i++)
		len += diagnostic_print(&said->list[i], out + len, cap - len);
	for (size_t i = 0; i < set->count && len + 2048 < cap; i++) {
		print_line(set, i, out + len, 2048);
		len += strlen(out + len);
	}
	return len;
}

static void run_backwards(void *context, size_t count, void (*part)(void *of, size_t i), void *of)
{
	(void)context;
	while (count > 0) part(of, --count);
}

/* Records that collide: cuts, glue, DNAMEs and what is below them, TTLs and case that differ. */
static void draw_collisions(struct records *set, uint64_t *seed, size_t count)
{
	static const char *const data[] = {
		"A 192.0.2.1",   "A 192.0.2.2",      "AAAA 2001:db8::1",
		"NS a.example.", "NS b.b.example.",  "MX 1 c.example.",
		"TXT x",         "CNAME a.example.", "DNAME other.test.",
	};

	add_line(set, "example. 1 SOA a.example. h.example. 1 2 3 4 5", 1);
	if (draw(seed, 20)) add_line(set, "example. 1 NS a.example.", 2);
	for (size_t i = 0; i < count; i++) {
		char owner[128] = "example.", line[256];
		bool good = draw(seed, 30) != 0;
		for (uint32_t labels = draw(seed, 4); labels; labels--) {
			char longer[128];
			snprintf(longer, sizeof longer, "%c.%s",
				 (draw(seed, 4) ? 'a' : 'A') + (int)draw(seed, 6), owner);
			memcpy(owner, longer, sizeof owner);
		}
		snprintf(line, sizeof line, "%s %u %s", owner, draw(seed, 8) ? 5 : draw(seed, 3),
			 data[draw(seed, good ? 5 : 9)]);
		add_line(set, line, (uint32_t)i + 3);
	}
}

TEST(a_set_is_checked_in_parts_as_it_is_as_a_whole)
{
	enum { PRINTED_MAX = 1 << 19 };
	static const struct parallel parallel = {run_backwards, NULL, 2};
	static char whole[PRINTED_MAX], parts[PRINTED_MAX];
	struct name_buffer apex;
	size_t good = 0;

	name_in(&apex, "example.");
	for (uint64_t run = 0; run < 400; run++) {
		for (unsigned in_parts = 0; in_parts < 2; in_parts++) {
			struct arena *arena = arena_new(1 << 24);
			struct diagnostics said = {.arena = arena};
			struct records set;
			uint64_t seed = run;
			records_init(&set, arena);
			draw_collisions(&set, &seed, draw(&seed, run % 4 ? 30 : 150));
			CHECK(records_sort(&set, NULL) == OK);
			enum code code =
				zone_check_parts(&set, name_of(&apex), in_parts ? &parallel : NULL,
						 1 + draw(&seed, 20), &said);
			checked_print(&set, &said, code, in_parts ? parts : whole, PRINTED_MAX);
			good += code == OK;
			arena_free(arena);
		}
		assert_string_equal(whole, parts);
	}
	CHECK(good > 20 && good < 780);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_checked_in_parts_as_it_is_as_a_whole),
		cmocka_unit_test(a_sound_zone_passes_without_a_word),
		cmocka_unit_test(what_is_no_zone_is_refused_at_its_place),
		cmocka_unit_test(what_is_odd_is_warned_of_at_its_place),
		cmocka_unit_test(the_highest_cut_hides_what_lies_below_other_cuts_too),
		cmocka_unit_test(the_lowest_ttl_is_set_on_the_whole_rrset),
		cmocka_unit_test(one_owner_has_the_case_of_its_first_record),
		cmocka_unit_test(hashes_may_stand_below_an_apex_with_dname),
		cmocka_unit_test(sets_over_their_limits_are_refused),
		cmocka_unit_test(rfc9276_3_2_a_chain_with_too_many_iterations_is_refused),
		cmocka_unit_test(a_record_that_fits_no_message_is_refused),
		cmocka_unit_test(classes_and_types_of_messages_are_refused),
		cmocka_unit_test(warnings_never_hide_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
