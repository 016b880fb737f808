/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/fixture.h"

#include "zone/change.h"

static size_t side_is_sorted(struct span side, uint64_t count)
{
	struct reader r = reader_of(side);
	struct record last = {0}, next;
	size_t n = 0;

	for (; reader_left(&r) > 0; n++, last = next) {
		CHECK(record_read(&r, &next));
		CHECK(n == 0 || record_compare(&last, &next) < 0);
	}
	CHECK(n == count);
	return n;
}

/* RFC 1995 4: what was removed and added leads from one version to the other, and back. */
TEST(a_change_leads_there_and_its_sides_swapped_lead_back)
{
	for (uint64_t seed = 0; seed < 2000; seed++) {
		struct arena *arena = arena_new(1 << 22);
		struct records before, after, there, back;
		struct change change, undo;
		uint64_t drawn = seed;
		records_init(&before, arena);
		records_init(&after, arena);
		records_init(&there, arena);
		records_init(&back, arena);
		draw_zone(&before, &drawn, 1);
		draw_zone(&after, &drawn, 2);
		CHECK(change_between(&before, &after, arena, &change, NULL) == OK);
		CHECK(change.from_serial == 1 && change.to_serial == 2);
		CHECK(side_is_sorted(change.removed, change.removed_count) > 0);
		CHECK(side_is_sorted(change.added, change.added_count) > 0);
		CHECK(change_apply(&before, &change, &there, NULL) == OK);
		CHECK(there.sorted && sets_identical(&there, &after));
		undo = change;
		undo.removed = change.added;
		undo.removed_count = change.added_count;
		undo.added = change.removed;
		undo.added_count = change.removed_count;
		CHECK(change_apply(&there, &undo, &back, NULL) == OK);
		CHECK(sets_identical(&back, &before));
		arena_free(arena);
	}
}

TEST(a_change_holds_only_what_differs)
{
	static const char *const before_lines[] = {
		"example. 1 SOA ns.example. h.example. 1 2 3 4 5",
		"a.example. 1 A 192.0.2.1",
		"b.example. 1 A 192.0.2.1",
		"c.example. 1 A 192.0.2.1",
	};
	static const char *const after_lines[] = {
		"example. 1 SOA ns.example. h.example. 1 2 3 4 5",
		"a.example. 2 A 192.0.2.1",
		"B.example. 1 A 192.0.2.1",
		"c.example. 1 A 192.0.2.1",
	};
	struct arena *arena = arena_new(1 << 20);
	struct records before, after;
	struct change change;

	records_init(&before, arena);
	records_init(&after, arena);
	add_lines(&before, before_lines, ARRAY_COUNT(before_lines));
	add_lines(&after, after_lines, ARRAY_COUNT(after_lines));
	CHECK(records_sort(&before, NULL) == OK && records_sort(&after, NULL) == OK);
	CHECK(change_between(&before, &before, arena, &change, NULL) == OK);
	CHECK(change.removed.len == 0 && change.added.len == 0 && change.added_count == 0);
	CHECK(change_between(&before, &after, arena, &change, NULL) == OK);
	CHECK(change.removed_count == 2 && change.added_count == 2);
	arena_free(arena);
}

TEST(the_first_version_is_a_change_from_nothing)
{
	struct arena *arena = arena_new(1 << 20);
	struct records nothing, zone, there;
	struct change change;
	uint64_t seed = 5;

	records_init(&nothing, arena);
	records_init(&zone, arena);
	records_init(&there, arena);
	CHECK(records_sort(&nothing, NULL) == OK);
	draw_zone(&zone, &seed, 9);
	CHECK(change_between(&nothing, &zone, arena, &change, NULL) == OK);
	CHECK(change.from_serial == 0 && change.to_serial == 9 && change.removed.len == 0);
	CHECK(change_apply(&nothing, &change, &there, NULL) == OK && sets_identical(&there, &zone));
	arena_free(arena);
}

static struct span side_of(const char *const *lines, size_t count, struct writer *w)
{
	size_t from = w->len;

	for (size_t i = 0; i < count; i++) {
		struct name_buffer owner;
		uint8_t data[256];
		struct record record;
		record_from_line(lines[i], &owner, data, sizeof data, &record);
		record_write(&record, w);
	}
	return span_of(w->ptr + from, w->len - from);
}

TEST(a_change_that_does_not_fit_is_refused_by_name)
{
	static const char *const zone[] = {
		"example. 1 SOA ns.example. h.example. 1 2 3 4 5",
		"a.example. 1 A 192.0.2.1",
		"b.example. 1 A 192.0.2.1",
	};
	static const struct {
		const char *removed[2], *added[2];
		const char *said; /* NULL: it fits */
	} rows[] = {
		{{"A.example. 1 A 192.0.2.1"}, {"c.example. 1 A 192.0.2.1"}, NULL},
		{{"a.example. 1 A 192.0.2.1"}, {"a.example. 3 A 192.0.2.1"}, NULL},
		{{"c.example. 1 A 192.0.2.1"}, {0}, "to remove is not in the zone: c.example. 1 A"},
		{{"0.example. 1 A 192.0.2.1"}, {0}, "to remove is not in the zone: 0.example. 1 A"},
		{{"a.example. 2 A 192.0.2.1"}, {0}, "to remove is not in the zone: a.example. 2 A"},
		{{0},
		 {"b.example. 2 A 192.0.2.1"},
		 "to add is in the zone already: b.example. 2 A"},
		{{"b.example. 1 A 192.0.2.1", "a.example. 1 A 192.0.2.1"},
		 {0},
		 "not in canonical order: a.example. 1 A"},
		{{0},
		 {"c.example. 1 A 192.0.2.1", "C.example. 1 A 192.0.2.1"},
		 "not in canonical order: C.example. 1 A"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct records before, after;
		struct error err;
		uint8_t octets[1024];
		struct writer w = writer_of(octets, sizeof octets);
		struct change change = {0};
		records_init(&before, arena);
		records_init(&after, arena);
		add_lines(&before, zone, ARRAY_COUNT(zone));
		CHECK(records_sort(&before, NULL) == OK);
		change.removed_count =
			(rows[i].removed[0] ? 1 : 0u) + (rows[i].removed[1] ? 1 : 0u);
		change.added_count = (rows[i].added[0] ? 1 : 0u) + (rows[i].added[1] ? 1 : 0u);
		change.removed = side_of(rows[i].removed, change.removed_count, &w);
		change.added = side_of(rows[i].added, change.added_count, &w);
		enum code code = change_apply(&before, &change, &after, &err);
		CHECK(code == (rows[i].said ? E_CONFLICT : OK));
		CHECK(!rows[i].said || strstr(err.text, rows[i].said));
		arena_free(arena);
	}
}

/* Stored bytes that lie: cut anywhere, counted wrong. */
TEST(a_malformed_change_is_refused)
{
	static const char *const line[] = {"c.example. 1 MX 1 a.example."};
	struct arena *arena = arena_new(1 << 22);
	struct records before, after;
	uint8_t octets[256];
	struct writer w = writer_of(octets, sizeof octets);
	uint64_t seed = 8;

	records_init(&before, arena);
	draw_zone(&before, &seed, 1);
	struct span side = side_of(line, 1, &w);
	for (uint64_t count = 0; count < 4; count++)
		for (size_t len = 0; len <= side.len; len++) {
			struct change change = {.added = span_of(side.ptr, len),
						.added_count = count};
			bool right = (len == 0 && count == 0) || (len == side.len && count == 1);
			records_init(&after, arena);
			CHECK(change_apply(&before, &change, &after, NULL) ==
			      (right ? OK : E_SYNTAX));
		}
	struct change change = {.added = side, .added_count = UINT64_MAX};
	records_init(&after, arena);
	CHECK(change_apply(&before, &change, &after, NULL) == E_SYNTAX);
	change.added_count = 1;
	octets[side.len - 11] = 0xff;
	records_init(&after, arena);
	CHECK(change_apply(&before, &change, &after, NULL) == E_SYNTAX);
	arena_free(arena);
}

TEST(a_full_arena_is_told)
{
	struct arena *arena = arena_new(1 << 22), *small = arena_new(64);
	struct records before, after, there;
	struct change change;
	uint64_t seed = 4;

	records_init(&before, arena);
	records_init(&after, arena);
	records_init(&there, small);
	draw_zone(&before, &seed, 1);
	draw_zone(&after, &seed, 2);
	CHECK(change_between(&before, &after, small, &change, NULL) == E_NOMEM);
	CHECK(change_between(&before, &after, arena, &change, NULL) == OK);
	CHECK(change_apply(&before, &change, &there, NULL) == E_NOMEM);
	arena_free(arena);
	arena_free(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_leads_there_and_its_sides_swapped_lead_back),
		cmocka_unit_test(a_change_holds_only_what_differs),
		cmocka_unit_test(the_first_version_is_a_change_from_nothing),
		cmocka_unit_test(a_change_that_does_not_fit_is_refused_by_name),
		cmocka_unit_test(a_malformed_change_is_refused),
		cmocka_unit_test(a_full_arena_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
