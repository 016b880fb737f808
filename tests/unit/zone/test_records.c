/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/fixture.h"

#include "zone/records_sort.h"

#include <stdio.h>

static void line_is(const struct records *set, size_t i, const char *expected)
{
	char text[2048];

	CHECK(i < set->count);
	print_line(set, i, text, sizeof text);
	assert_string_equal(text, expected);
}

/* RFC 4034 6.1 has this order for its names; SOA goes before the other types of the apex. */
TEST(records_come_in_canonical_order)
{
	static const char *const lines[] = {
		"\\200.z.example. 1 A 192.0.2.8",
		"*.z.example. 1 A 192.0.2.7",
		"\\001.z.example. 1 A 192.0.2.6",
		"z.example. 1 A 192.0.2.5",
		"zABC.a.EXAMPLE. 1 A 192.0.2.4",
		"Z.a.example. 1 A 192.0.2.3",
		"yljkjljk.a.example. 1 A 192.0.2.2",
		"a.example. 1 A 192.0.2.1",
		"example. 1 NS ns.example.",
		"example. 1 A 192.0.2.9",
		"example. 1 A 10.0.0.1",
		"example. 1 SOA ns.example. h.example. 1 2 3 4 5",
	};
	struct arena *arena = arena_new(1 << 20);
	struct records set;

	records_init(&set, arena);
	add_lines(&set, lines, ARRAY_COUNT(lines));
	CHECK(records_sort(&set, NULL) == OK && set.count == ARRAY_COUNT(lines));
	line_is(&set, 0, "example.\t1\tIN\tSOA\tns.example. h.example. 1 2 3 4 5\n");
	line_is(&set, 1, "example.\t1\tIN\tA\t10.0.0.1\n");
	line_is(&set, 2, "example.\t1\tIN\tA\t192.0.2.9\n");
	line_is(&set, 3, "example.\t1\tIN\tNS\tns.example.\n");
	for (size_t i = 4; i < set.count; i++) CHECK(records_get(&set, i).rdata.ptr[3] == i - 3);
	CHECK(records_place(&set, 0).line == 12);
	assert_string_equal(records_place(&set, 0).file, "test.zone");
	arena_free(arena);
}

TEST(of_equal_records_the_first_stays)
{
	static const char *const lines[] = {
		"b.example. 7 MX 1 Mail.example.", "a.example. 1 A 192.0.2.1",
		"B.example. 8 MX 1 mail.example.", "b.example. 9 MX 1 MAIL.example.",
		"a.example. 2 A 192.0.2.1",        "a.example. 2 A 192.0.2.2",
	};
	struct arena *arena = arena_new(1 << 20);
	struct records set;

	records_init(&set, arena);
	add_lines(&set, lines, ARRAY_COUNT(lines));
	CHECK(records_sort(&set, NULL) == OK && set.count == 3);
	line_is(&set, 0, "a.example.\t1\tIN\tA\t192.0.2.1\n");
	line_is(&set, 1, "a.example.\t2\tIN\tA\t192.0.2.2\n");
	line_is(&set, 2, "b.example.\t7\tIN\tMX\t1 Mail.example.\n");
	struct record b = records_get(&set, 2);
	CHECK(set.wire_len == 2 * (11 + 10 + 4) + record_len(&b));
	arena_free(arena);
}

/* A set of `count` records with names of few labels; long ones share long ends. */
static void draw_set(struct records *set, uint64_t *seed, size_t count)
{
	char owner[512], line[600];

	for (size_t i = 0; i < count; i++) {
		draw_name(seed, draw(seed, 2) ? "example." : "a.very-long-shared-end.example.", 6,
			  owner);
		snprintf(line, sizeof line, "%s %u %s 192.0.2.%u", owner, draw(seed, 3),
			 draw(seed, 4) ? "A" : "TXT", draw(seed, 9));
		add_line(set, line, (uint32_t)i + 1);
	}
}

/* The plainest way: each record in front of the first that comes after it. */
static size_t sort_plainly(const struct records *set, size_t *order)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct record record = records_get(set, i);
		size_t at = count;
		int found = 1;
		while (at > 0) {
			struct record other = records_get(set, order[at - 1]);
			found = record_compare(&record, &other);
			if (found >= 0) break;
			at--;
		}
		if (at > 0 && found == 0) continue;
		memmove(order + at + 1, order + at, (count - at) * sizeof *order);
		order[at] = i;
		count++;
	}
	return count;
}

TEST(sorting_agrees_with_the_plainest_way)
{
	static size_t order[2000];

	for (uint64_t run = 0; run < 200; run++) {
		struct arena *arena = arena_new(1 << 22);
		struct records set, drawn;
		uint64_t seed = run;
		records_init(&set, arena);
		draw_set(&set, &seed, draw(&seed, run % 20 == 0 ? 2000 : 100));
		drawn = set;
		drawn.entries = arena_alloc_array(arena, set.count + 1, sizeof *drawn.entries);
		CHECK(drawn.entries);
		if (set.count) memcpy(drawn.entries, set.entries, set.count * sizeof *set.entries);
		size_t count = sort_plainly(&set, order);
		CHECK(records_sort(&set, NULL) == OK && set.sorted && set.count == count);
		for (size_t i = 0; i < count; i++)
			CHECK(set.entries[i].wire == drawn.entries[order[i]].wire &&
			      set.entries[i].line == order[i] + 1);
		arena_free(arena);
	}
}

/* Deals the records in their order to parts, which name files of their own. */
static size_t parts_deal(const struct records *set, uint64_t *seed, struct records *parts,
			 size_t part_max)
{
	static const char *const files[] = {"one", "two", "three"};
	size_t count = 0;

	for (size_t i = 0; i < set->count || !count; i++) {
		if (!count || (count < part_max && draw(seed, 20) == 0)) {
			struct arena *arena = arena_new(1 << 22), *index = arena_new(1 << 22);
			CHECK(arena && index);
			records_init_apart(&parts[count++], arena, index);
		}
		if (i == set->count) break;
		struct record record = records_get(set, i);
		struct place place = records_place(set, i);
		place.file = files[draw(seed, 3)];
		CHECK(records_add(&parts[count - 1], &record, place, NULL) == OK);
	}
	return count;
}

/* The last part runs first: what comes of parts must not depend on their order. */
static void run_backwards(void *context, size_t count, void (*part)(void *of, size_t i), void *of)
{
	(void)context;
	while (count > 0) part(of, --count);
}

TEST(parts_that_are_joined_are_what_one_sort_gives)
{
	static const struct parallel parallel = {run_backwards, NULL, 2};
	static struct records parts[64];

	for (uint64_t run = 0; run < 300; run++) {
		struct arena *arena = arena_new(1 << 24);
		struct records set, whole, joined;
		uint64_t seed = run;
		records_init(&set, arena);
		records_init(&whole, arena);
		records_init(&joined, arena);
		draw_set(&set, &seed, draw(&seed, run % 10 == 0 ? 3000 : 100));
		if (run % 3 == 0) CHECK(records_sort(&set, NULL) == OK); /* in order already */
		size_t count = parts_deal(&set, &seed, parts, 64);
		for (size_t i = 0; i < count; i++)
			for (size_t k = 0; k < parts[i].count; k++) {
				struct record record = records_get(&parts[i], k);
				CHECK(records_add(&whole, &record, records_place(&parts[i], k),
						  NULL) == OK);
			}
		CHECK(records_sort(&whole, NULL) == OK);
		CHECK(records_join_in(1 + draw(&seed, 200), parts, count,
				      run % 2 ? &parallel : NULL, &joined, NULL) == OK);
		CHECK(joined.sorted && sets_identical(&joined, &whole));
		CHECK(joined.wire_len == whole.wire_len);
		for (size_t i = 0; i < joined.count; i++) {
			struct place a = records_place(&joined, i), b = records_place(&whole, i);
			CHECK(a.line == b.line && (!a.line || strcmp(a.file, b.file) == 0));
		}
		arena_free(arena);
	}
}

TEST(a_join_without_memory_leaves_nothing_behind)
{
	static struct records parts[8];

	for (size_t limit = 0; limit < 60000; limit += 3001) {
		struct arena *drawn = arena_new(1 << 24), *arena = arena_new(limit);
		struct records set, joined;
		uint64_t seed = 5;
		records_init(&set, drawn);
		records_init(&joined, arena);
		draw_set(&set, &seed, 600);
		size_t count = parts_deal(&set, &seed, parts, 8);
		enum code code = records_join_in(50, parts, count, NULL, &joined, NULL);
		CHECK(code == OK || code == E_NOMEM);
		CHECK(limit > 3001 || code == E_NOMEM);
		for (size_t i = 0; i < count; i++) CHECK(!parts[i].arena && !parts[i].index);
		arena_free(arena);
		arena_free(drawn);
	}
}

/* Keys that tie, one RRset of thousands, and the order that defeats a median of three. */
TEST(sorting_is_quick_for_sets_made_to_be_slow)
{
	struct arena *arena = arena_new(1 << 26);
	struct records set;
	struct name_buffer owner;
	name_in(&owner, "example.");
	uint8_t data[4];
	struct record record = {name_of(&owner), RRTYPE_A, CLASS_IN, 1, span_of(data, 4)};

	records_init(&set, arena);
	for (uint32_t i = 0; i < 50000; i++) {
		put_u32(data, i % 2 ? i : 50000 - i);
		CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	}
	for (uint32_t i = 0; i < 50000; i++) {
		char line[600];
		snprintf(line, sizeof line, "x%06u.same-start-same-end.example. 1 A 192.0.2.1",
			 i % 2 ? i / 2 : 49999 - i / 2);
		add_line(&set, line, 0);
	}
	CHECK(records_sort(&set, NULL) == OK && set.count == 100000);
	for (size_t i = 1; i < set.count; i++) {
		struct record a = records_get(&set, i - 1), b = records_get(&set, i);
		CHECK(record_compare(&a, &b) < 0);
	}
	arena_free(arena);
}

TEST(a_full_arena_leaves_the_set_as_it_was)
{
	for (size_t limit = 0; limit < 40000; limit += 997) {
		struct arena *arena = arena_new(limit);
		struct records set;
		uint64_t seed = 3;
		enum code code = OK;
		CHECK(arena != NULL);
		records_init(&set, arena);
		size_t added = 0;
		while (!code) {
			struct name_buffer owner;
			char text[512];
			uint8_t data[4] = {1, 2, 3, (uint8_t)added};
			draw_name(&seed, "example.", 4, text);
			struct record record = {name_in(&owner, text), RRTYPE_A, CLASS_IN, 1,
						span_of(data, 4)};
			code = records_add(&set, &record, (struct place){"f", 1, 0, 0}, NULL);
			if (!code) added++;
		}
		CHECK(code == E_NOMEM && set.count == added);
		code = records_sort(&set, NULL);
		CHECK(code == OK || (code == E_NOMEM && set.count == added && !set.sorted));
		arena_free(arena);
	}
}

TEST(a_run_of_wire_forms_comes_in_whole_or_not_at_all)
{
	struct arena *arena = arena_new(1 << 20);
	struct records set, again;
	struct error err;
	uint8_t run[4096];
	struct writer w = writer_of(run, sizeof run);

	records_init(&set, arena);
	add_line(&set, "example. 1 SOA ns.example. h.example. 1 2 3 4 5", 1);
	add_line(&set, "a.example. 1 MX 5 mail.example.", 2);
	for (size_t i = 0; i < set.count; i++) {
		struct record record = records_get(&set, i);
		record_write(&record, &w);
	}
	struct record soa = records_get(&set, 0);
	size_t soa_len = record_len(&soa);
	records_init(&again, arena);
	CHECK(records_add_wire(&again, writer_span(&w), NULL) == OK);
	CHECK(again.entries[0].wire == run && records_sort(&again, NULL) == OK);
	CHECK(records_sort(&set, NULL) == OK && sets_identical(&set, &again));
	CHECK(records_place(&again, 1).file == NULL);
	for (size_t len = 0; len < w.len; len++) {
		enum code code = records_add_wire(&again, span_of(run, len), &err);
		bool whole = len == 0 || len == soa_len;
		CHECK(whole ? code == OK : code == E_SYNTAX);
		if (whole) again.count = 2;
		CHECK(again.count == 2);
	}
	run[w.len - 9] = 0xc0; /* a compression pointer in the data */
	CHECK(records_add_wire(&again, writer_span(&w), &err) == E_SYNTAX && again.count == 2);
	CHECK(strstr(err.text, "record 2, a.example. MX") == err.text);
	arena_free(arena);
}

TEST(records_are_found_by_owner_and_type)
{
	static const char *const lines[] = {
		"example. 1 A 192.0.2.1",   "example. 1 SOA ns.example. h.example. 77 2 3 4 5",
		"b.example. 1 A 192.0.2.1", "b.example. 1 MX 1 b.example.",
		"b.example. 1 TXT hello",
	};
	struct arena *arena = arena_new(1 << 20);
	struct name_buffer apex, b, c;
	struct records set;
	struct soa soa;

	records_init(&set, arena);
	add_lines(&set, lines, ARRAY_COUNT(lines));
	CHECK(records_sort(&set, NULL) == OK);
	name_in(&apex, "EXAMPLE.");
	name_in(&b, "B.example.");
	name_in(&c, "c.example.");
	CHECK(records_soa(&set, name_of(&apex), &soa) && soa.serial == 77);
	CHECK(!records_soa(&set, name_of(&b), &soa) && !records_soa(&set, name_of(&c), &soa));
	CHECK(records_seek(&set, name_of(&apex), RRTYPE_SOA) == 0);
	CHECK(records_seek(&set, name_of(&apex), RRTYPE_A) == 1);
	CHECK(records_seek(&set, name_of(&b), RRTYPE_SOA) == 2);
	CHECK(records_seek(&set, name_of(&b), RRTYPE_MX) == 3);
	CHECK(records_seek(&set, name_of(&b), RRTYPE_AAAA) == 5);
	CHECK(records_seek(&set, name_of(&c), RRTYPE_SOA) == 5);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_in_canonical_order),
		cmocka_unit_test(of_equal_records_the_first_stays),
		cmocka_unit_test(sorting_agrees_with_the_plainest_way),
		cmocka_unit_test(parts_that_are_joined_are_what_one_sort_gives),
		cmocka_unit_test(a_join_without_memory_leaves_nothing_behind),
		cmocka_unit_test(sorting_is_quick_for_sets_made_to_be_slow),
		cmocka_unit_test(a_full_arena_leaves_the_set_as_it_was),
		cmocka_unit_test(a_run_of_wire_forms_comes_in_whole_or_not_at_all),
		cmocka_unit_test(records_are_found_by_owner_and_type),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
