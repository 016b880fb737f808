/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/image_fixture.h"

#include "zone/change.h"
#include "zone/checks.h"
#include "zone/image_format.h"

static bool node_is(const struct node *node, struct name name)
{
	if (name.len == 0) return !node->octets;
	return node->octets && name_equal(node->owner, name);
}

static void lookup_agrees(const struct image *image, const struct records *set, struct name name)
{
	struct view_lookup lookup;
	struct name_buffer wildcard;
	struct node node;
	struct meaning m = meaning_of(set, image_apex(image), name, &wildcard);
	char text[NAME_TEXT_MAX];

	view_find(&VIEW_OF(image), name, &lookup);
	if (lookup.result != m.result)
		fail_msg("%s: %d, not %d", name_to_text(name, text), lookup.result, m.result);
	CHECK(node_is(&lookup.node, m.node) && node_is(&lookup.encloser, m.encloser));
	bool is_there = m.result != VIEW_OUTSIDE && exists(set, name);
	CHECK(view_find_exact(&VIEW_OF(image), name, &node) == is_there);
	if (!is_there) return;
	CHECK(name_equal(node.owner, name));
	CHECK(node.is_apex == name_equal(name, image_apex(image)));
	CHECK(node.is_cut == (!node.is_apex && owns(set, name, RRTYPE_NS)));
	CHECK(node.has_dname == owns(set, name, RRTYPE_DNAME));
	CHECK(node.has_wildcard_child ==
	      (name_wildcard_child(name, &wildcard) && exists(set, name_of(&wildcard))));
}

static void draw_question(uint64_t *seed, const char *apex, char *out)
{
	static const char *const labels[] = {"a", "B", "*", "c", "a-1", "\\000", "\\001X", "ab"};

	*out = '\0';
	for (uint32_t i = draw(seed, 6); i > 0; i--) {
		strcat(out, labels[draw(seed, ARRAY_COUNT(labels))]);
		strcat(out, ".");
	}
	strcat(out, draw(seed, 20) ? apex : "other.");
}

TEST(every_name_means_what_the_plain_reading_of_the_rfcs_says)
{
	static const char *const apexes[] = {"example.", "Sub.example.", "."};

	for (uint64_t run = 0; run < 3000; run++) {
		struct arena *arena = arena_new(1 << 22);
		const char *apex = apexes[run % 3];
		struct records set;
		struct name_buffer buffer;
		uint64_t seed = run;
		char text[512];
		records_init(&set, arena);
		draw_odd_zone(&set, &seed, apex, 3 + (uint32_t)run % 30, 2 + run % 4);
		struct image image = image_of(&set, apex, run * 7);
		for (size_t i = 0; i < set.count; i++)
			lookup_agrees(&image, &set, records_get(&set, i).owner);
		for (unsigned i = 0; i < 40; i++) {
			draw_question(&seed, strcmp(apex, ".") == 0 ? "" : apex, text);
			lookup_agrees(&image, &set, name_in(&buffer, *text ? text : "."));
		}
		arena_free(arena);
	}
}

/* Nodes in order, empty non-terminals before what is below them, and each record in its place. */
TEST(iteration_gives_all_names_in_canonical_order)
{
	for (uint64_t run = 0; run < 500; run++) {
		struct arena *arena = arena_new(1 << 22);
		struct records set, again;
		uint64_t seed = run;
		uint32_t nodes = 0;
		size_t at = 0;
		records_init(&set, arena);
		records_init(&again, arena);
		draw_odd_zone(&set, &seed, "example.", 40, 5);
		struct image image = image_of(&set, "example.", run);
		struct node node = {0}, last = {0};
		uint32_t place = 0;
		while (image_step(&image, &place, &node)) {
			CHECK(nodes == 0 ? node.is_apex : name_compare(last.owner, node.owner) < 0);
			CHECK(exists(&set, node.owner));
			last = node;
			nodes++;
			for (struct rrset_cursor c = {0}; node_next_rrset(&node, &c);)
				for (size_t n = 0, i = 0; n < c.rrset.count; n++, at++) {
					struct record record = records_get(&set, at);
					struct span rdata;
					CHECK(rrset_next(&c.rrset, &i, &rdata));
					CHECK(span_equal(rdata, record.rdata));
					CHECK(c.rrset.type == record.type);
					CHECK(c.rrset.ttl == record.ttl);
					CHECK(n + 1u < c.rrset.count || i == c.rrset.data.len);
				}
		}
		CHECK(place == 0 && nodes == image_node_count(&image) && at == set.count);
		CHECK(view_records(&VIEW_OF(&image), &again, NULL) == OK);
		CHECK(again.sorted && again.count == set.count && again.wire_len == set.wire_len);
		for (size_t i = 0; i < set.count; i++) {
			struct record a = records_get(&set, i), b = records_get(&again, i);
			CHECK(record_compare(&a, &b) == 0 && a.ttl == b.ttl);
		}
		arena_free(arena);
	}
}

TEST(an_image_tells_what_it_holds)
{
	static const char *const lines[] = {
		"Example. 300 SOA ns.example. h.example. 4000000000 2 3 4 5",
		"example. 300 NS ns.example.",
		"a.b.Example. 60 A 192.0.2.1",
	};
	struct arena *arena = arena_new(1 << 20);
	struct records set, again;
	struct zone_digest digest;
	struct name_buffer name;
	struct node node;

	records_init(&set, arena);
	records_init(&again, arena);
	add_lines(&set, lines, ARRAY_COUNT(lines));
	CHECK(records_sort(&set, NULL) == OK);
	struct image image = image_of(&set, "example.", 5);
	CHECK(image_serial(&image) == 4000000000 && image_record_count(&image) == 3 &&
	      image_node_count(&image) == 3);
	image_digest(&image, &digest);
	CHECK(digest.count == 3 && digest.sum[2] == 3 && image.seed == 5);
	CHECK(name_equal(image_apex(&image), name_in(&name, "example.")));
	CHECK(image_verify(&image, NULL) == OK);
	CHECK(view_find_exact(&VIEW_OF(&image), name_in(&name, "A.B.EXAMPLE."), &node));
	CHECK(memcmp(node.owner.wire, "\1a\1b\7Example", 13) == 0);
	CHECK(view_find_exact(&VIEW_OF(&image), name_in(&name, "b.example."), &node));
	CHECK(node.is_empty && memcmp(node.owner.wire, "\1b\7Example", 11) == 0);
	CHECK(view_records(&VIEW_OF(&image), &again, NULL) == OK);
	/* One owner has one case: that of its first record. */
	CHECK(memcmp(again.entries[1].wire, "\7Example", 9) == 0);
	arena_free(arena);
}

TEST(rrsigs_stand_by_the_type_they_cover)
{
	static const char *const lines[] = {
		"example. 300 SOA ns.example. h.example. 1 2 3 4 5",
		"example. 300 RRSIG SOA 13 1 300 20300101000000 20200101000000 1 example. AAAA",
		"example. 300 RRSIG SOA 13 1 300 20300101000000 20200101000000 2 example. AAAA",
		"example. 60 RRSIG NS 13 1 60 20300101000000 20200101000000 1 example. AAAA",
		"example. 60 NS ns.example.",
	};
	struct arena *arena = arena_new(1 << 20);
	struct records set, again;
	struct node node = {0};
	struct rrset rrset;
	uint32_t place = 0;

	records_init(&set, arena);
	records_init(&again, arena);
	add_lines(&set, lines, ARRAY_COUNT(lines));
	CHECK(records_sort(&set, NULL) == OK);
	struct image image = image_of(&set, "example.", 5);
	CHECK(image_step(&image, &place, &node) && !node.is_empty);
	CHECK(node_signatures(&node, RRTYPE_SOA, &rrset) && rrset.count == 2 && rrset.ttl == 300);
	CHECK(node_signatures(&node, RRTYPE_NS, &rrset) && rrset.count == 1 && rrset.ttl == 60);
	CHECK(rrset.type == RRTYPE_RRSIG && rrset.covered == RRTYPE_NS);
	CHECK(!node_signatures(&node, RRTYPE_A, &rrset));
	CHECK(node_rrset(&node, RRTYPE_RRSIG, &rrset) && rrset.covered == RRTYPE_NS);
	CHECK(node_rrset(&node, RRTYPE_SOA, &rrset) && rrset.covered == 0);
	CHECK(!node_rrset(&node, RRTYPE_A, &rrset));
	CHECK(view_records(&VIEW_OF(&image), &again, NULL) == OK && sets_identical(&set, &again));
	arena_free(arena);
}

/* RFC 3597 4: names are compressed in types of RFC 1035 only. */
TEST(the_places_of_compressible_names_are_known)
{
	static const struct {
		const char *line;
		uint8_t at, count;
	} rows[] = {
		{"example. 1 SOA ns.example. h.example. 1 2 3 4 5", 0, 2},
		{"example. 1 NS ns.example.", 0, 1},
		{"a.example. 1 CNAME ns.example.", 0, 1},
		{"b.example. 1 PTR ns.example.", 0, 1},
		{"c.example. 1 MX 7 ns.example.", 2, 1},
		{"c.example. 1 MINFO ns.example. ns.example.", 0, 2},
		{"d.example. 1 SRV 1 2 3 ns.example.", 0, 0},
		{"d.example. 1 DNAME ns.example.", 0, 0},
		{"d.example. 1 A 192.0.2.1", 0, 0},
		{"d.example. 1 TXT hello", 0, 0},
	};
	struct arena *arena = arena_new(1 << 20);
	struct records set;

	records_init(&set, arena);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) add_line(&set, rows[i].line, 1);
	CHECK(records_sort(&set, NULL) == OK);
	struct image image = image_of(&set, "example.", 5);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct name_buffer owner;
		struct record record;
		uint8_t data[256];
		struct node node;
		struct rrset rrset;
		record_from_line(rows[i].line, &owner, data, sizeof data, &record);
		CHECK(view_find_exact(&VIEW_OF(&image), record.owner, &node));
		CHECK(node_rrset(&node, record.type, &rrset));
		CHECK(rrset.name_at == rows[i].at && rrset.name_count == rows[i].count);
	}
	arena_free(arena);
}

TEST(a_set_that_was_not_checked_gives_no_image)
{
	static const struct {
		const char *lines[3];
		bool has_size;
	} rows[] = {
		{{"example. 1 NS ns.example."}, true},
		{{"a.example. 1 NS ns.example."}, false},
		{{"example. 1 SOA ns.example. h.example. 1 2 3 4 5", "other. 1 A 192.0.2.1"},
		 false},
		{{"example. 1 SOA ns.example. h.example. 1 2 3 4 5", "a.example. 1 A 192.0.2.1",
		  "a.example. 2 A 192.0.2.2"},
		 true},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct arena *arena = arena_new(1 << 20);
		struct name_buffer apex;
		struct records set;
		struct error err;
		uint8_t octets[1024];
		struct writer w = writer_of(octets, sizeof octets);
		records_init(&set, arena);
		for (size_t k = 0; k < 3 && rows[i].lines[k]; k++)
			add_line(&set, rows[i].lines[k], 1);
		CHECK(records_sort(&set, NULL) == OK);
		CHECK((image_size(&set, name_in(&apex, "example.")) > 0) == rows[i].has_size);
		CHECK(image_build(&set, name_of(&apex), 1, &(struct zone_digest){0}, &w, &err) ==
		      E_CONFLICT);
		CHECK(strstr(err.text, "not checked"));
		arena_free(arena);
	}
}

TEST(an_image_needs_the_room_that_it_said)
{
	struct arena *arena = arena_new(1 << 20);
	struct name_buffer apex;
	struct records set;
	uint8_t octets[4096];
	uint64_t seed = 2;

	records_init(&set, arena);
	draw_odd_zone(&set, &seed, "example.", 30, 3);
	size_t len = image_size(&set, name_in(&apex, "example."));
	CHECK(len > 0 && len < sizeof octets);
	struct writer whole = writer_of(octets, len);
	CHECK(image_build(&set, name_of(&apex), 1, &(struct zone_digest){0}, &whole, NULL) == OK);
	for (size_t room = 0; room < whole.len; room++) {
		struct writer w = writer_of(octets, room);
		CHECK(image_build(&set, name_of(&apex), 1, &(struct zone_digest){0}, &w, NULL) ==
		      E_LIMIT);
	}
	/* Behind something else, at an odd address. */
	struct writer w = writer_of(octets, len + 3);
	struct image image;
	write_bytes(&w, "abc", 3);
	CHECK(image_build(&set, name_of(&apex), 1, &(struct zone_digest){0}, &w, NULL) == OK);
	CHECK(image_open(span_of(octets + 3, w.len - 3), &image, NULL) == OK);
	CHECK(image_verify(&image, NULL) == OK);
	arena_free(arena);
}

/* Offsets of 32 bits in units of 4 octets end there. One record stands for thousands here. */
TEST(an_image_above_16_gib_is_refused)
{
	enum { COUNT = 262145 };
	struct arena *arena = arena_new(1 << 24);
	static uint8_t data[RDATA_OCTETS_MAX];
	struct name_buffer owner;
	struct records set;
	struct error err;
	uint8_t octets[64];
	struct writer w = writer_of(octets, sizeof octets);

	records_init(&set, arena);
	add_line(&set, "example. 1 SOA ns.example. h.example. 1 2 3 4 5", 1);
	struct record record = {name_in(&owner, "example."), 65400, CLASS_IN, 1,
				span_of(data, sizeof data)};
	CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	CHECK(records_sort(&set, NULL) == OK);
	struct record_entry *entries = arena_alloc_array(arena, COUNT, sizeof *entries);
	CHECK(entries);
	entries[0] = set.entries[0];
	for (size_t i = 1; i < COUNT; i++) entries[i] = set.entries[1];
	set.entries = entries;
	set.count = COUNT - 10;
	CHECK(image_size(&set, name_of(&owner)) > 0);
	set.count = COUNT;
	CHECK(image_size(&set, name_of(&owner)) == 0);
	CHECK(image_build(&set, name_of(&owner), 1, &(struct zone_digest){0}, &w, &err));
	arena_free(arena);
}

static void header_sign(uint8_t *octets)
{
	store_u64(octets + HEADER_CHECKSUM,
		  image_checksum(span_of(octets + HEADER_BODY_CHECKSUM,
					 load_u32(octets + HEADER_LEN) - HEADER_BODY_CHECKSUM)));
}

TEST(no_octet_of_an_image_changes_unseen)
{
	struct arena *arena = arena_new(1 << 20);
	struct records set, again;
	struct image image;
	struct error err;
	uint64_t seed = 6;

	records_init(&set, arena);
	draw_odd_zone(&set, &seed, "example.", 20, 3);
	struct span sound = image_of(&set, "example.", 3).bytes;
	uint8_t *octets = arena_copy(arena, sound);
	for (size_t i = 0; i < sound.len; i++) {
		octets[i] ^= 0x10;
		enum code code = image_open(span_of(octets, sound.len), &image, &err);
		if (i >= HEADER_FORMAT && i < HEADER_FORMAT + 4)
			CHECK(code == E_UNSUPPORTED);
		else if (code == OK)
			CHECK(i >= load_u32(sound.ptr + HEADER_LEN) &&
			      image_verify(&image, &err) == E_DAMAGED);
		else
			CHECK(code == E_DAMAGED);
		octets[i] ^= 0x10;
	}
	for (size_t len = 0; len < sound.len; len++)
		CHECK(image_open(span_of(octets, len), &image, &err) == E_DAMAGED);

	/* A header that is wrong and was signed all the same. */
	store_u64(octets + HEADER_RECORD_COUNT, set.count + 1);
	header_sign(octets);
	CHECK(image_open(span_of(octets, sound.len), &image, &err) == OK);
	records_init(&again, arena);
	CHECK(view_records(&VIEW_OF(&image), &again, &err) == E_DAMAGED);
	store_u64(octets + HEADER_RECORD_COUNT, set.count);
	store_u32(octets + HEADER_BUCKET_COUNT, UINT32_MAX);
	header_sign(octets);
	CHECK(image_open(span_of(octets, sound.len), &image, &err) == E_DAMAGED);
	arena_free(arena);
}

TEST(a_full_arena_is_told_by_image_records)
{
	struct arena *arena = arena_new(1 << 20);
	struct records set, again;
	uint64_t seed = 6;

	records_init(&set, arena);
	draw_odd_zone(&set, &seed, "example.", 40, 3);
	struct image image = image_of(&set, "example.", 3);
	for (size_t limit = 0; limit < 1000; limit += 100) {
		struct arena *small = arena_new(limit);
		CHECK(small);
		records_init(&again, small);
		CHECK(view_records(&VIEW_OF(&image), &again, NULL) == E_NOMEM);
		arena_free(small);
	}
	arena_free(arena);
}

/* Thousands of names fill buckets to 85 %, so that many lie in their second one. */
TEST(full_buckets_lose_no_name)
{
	for (uint32_t count = 1; count < 30000; count += count / 2 + 1) {
		struct arena *arena = arena_new(1 << 24);
		struct records set;
		struct name_buffer name;
		struct node node;
		char line[128];
		records_init(&set, arena);
		add_line(&set, "example. 1 SOA ns.example. h.example. 1 2 3 4 5", 1);
		for (uint32_t i = 1; i < count; i++) {
			snprintf(line, sizeof line, "n%u.example. 1 A 192.0.2.1", i);
			add_line(&set, line, 1);
		}
		CHECK(records_sort(&set, NULL) == OK);
		struct image image = image_of(&set, "example.", count);
		for (uint32_t i = 1; i < count; i++) {
			snprintf(line, sizeof line, "N%u.example.", i);
			CHECK(view_find_exact(&VIEW_OF(&image), name_in(&name, line), &node));
			CHECK(name_equal(node.owner, name_of(&name)));
		}
		arena_free(arena);
	}
}

TEST(names_of_the_greatest_length_and_depth_are_found)
{
	struct arena *arena = arena_new(1 << 22);
	char deep[600] = "", wide[600] = "";
	struct name_buffer name;
	struct view_lookup lookup;
	struct records set;

	for (int i = 0; i < 127; i++) strcat(deep, i ? "a." : "*.");
	for (int i = 0; i < 3; i++) {
		memset(wide + strlen(wide), 'w', i == 2 ? 61 : 63);
		strcat(wide, ".");
	}
	strcat(wide, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.");
	records_init(&set, arena);
	add_line(&set, ". 1 SOA ns.example. h.example. 1 2 3 4 5", 1);
	struct record record = {name_in(&name, deep), RRTYPE_A, CLASS_IN, 1,
				span_of("\xc0\0\2\1", 4)};
	CHECK(name.len == 255);
	CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	record.owner = name_in(&name, wide);
	CHECK(name.len == 253);
	CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
	CHECK(records_sort(&set, NULL) == OK);
	struct image image = image_of(&set, ".", 9);
	CHECK(image_node_count(&image) == 1 + 127 + 4);
	lookup_agrees(&image, &set, name_of(&name));
	lookup_agrees(&image, &set, name_in(&name, deep));
	deep[0] = 'b';
	view_find(&VIEW_OF(&image), name_in(&name, deep), &lookup);
	CHECK(lookup.result == VIEW_WILDCARD && lookup.node.owner.len == 255);
	wide[0] = 'x';
	view_find(&VIEW_OF(&image), name_in(&name, wide), &lookup);
	CHECK(lookup.result == VIEW_NOTHING && lookup.encloser.owner.len == 253 - 64);
	arena_free(arena);
}

/* RFC 4592 2.2.1, the zone and the questions of its example. */
TEST(wildcards_answer_as_in_the_example_of_rfc_4592)
{
	static const char *const lines[] = {
		"example. 1 SOA ns.example.com. h.example. 1 2 3 4 5",
		"example. 1 NS ns.example.com.",
		"*.example. 1 TXT wildcard",
		"*.example. 1 MX 10 host1.example.",
		"sub.*.example. 1 TXT not-a-wildcard",
		"host1.example. 1 A 192.0.2.1",
		"_ssh._tcp.host1.example. 1 TXT srv",
		"_ssh._tcp.host2.example. 1 TXT srv",
		"subdel.example. 1 NS ns.example.com.",
	};
	static const struct {
		const char *question;
		enum view_result result;
		const char *node;
	} rows[] = {
		{"host3.example.", VIEW_WILDCARD, "*.example."},
		{"foo.bar.example.", VIEW_WILDCARD, "*.example."},
		{"host1.example.", VIEW_EXACT, "host1.example."},
		{"sub.*.example.", VIEW_EXACT, "sub.*.example."},
		{"_telnet._tcp.host1.example.", VIEW_NOTHING, NULL},
		{"host.subdel.example.", VIEW_CUT, "subdel.example."},
		{"ghost.*.example.", VIEW_NOTHING, NULL},
		{"*.example.", VIEW_EXACT, "*.example."},
		{"_tcp.host2.example.", VIEW_EXACT, "_tcp.host2.example."},
	};
	struct arena *arena = arena_new(1 << 20);
	struct records set;

	records_init(&set, arena);
	add_lines(&set, lines, ARRAY_COUNT(lines));
	CHECK(records_sort(&set, NULL) == OK);
	struct image image = image_of(&set, "example.", 5);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct name_buffer question, node;
		struct view_lookup lookup;
		view_find(&VIEW_OF(&image), name_in(&question, rows[i].question), &lookup);
		CHECK(lookup.result == rows[i].result);
		CHECK(rows[i].node ? name_equal(lookup.node.owner, name_in(&node, rows[i].node))
				   : !lookup.node.octets);
	}
	arena_free(arena);
}

/* What passed the checks comes back to the letter, so a reload of the same file is no change. */
TEST(a_checked_set_comes_back_to_the_letter)
{
	unsigned passed = 0;

	for (uint64_t run = 0; run < 2000; run++) {
		struct arena *arena = arena_new(1 << 22);
		struct diagnostics diagnostics = {.arena = arena};
		struct records set, again;
		struct name_buffer apex;
		struct change change;
		uint64_t seed = run;
		records_init(&set, arena);
		records_init(&again, arena);
		draw_odd_zone(&set, &seed, "example.", 12, 4);
		add_line(&set, "example. 2 NS other.", 1);
		add_line(&set, "a.b.example. 8 A 192.0.2.1", 1);
		add_line(&set, "A.B.example. 7 AAAA ::1", 1);
		CHECK(records_sort(&set, NULL) == OK);
		if (zone_check(&set, name_in(&apex, "example."), &diagnostics) == OK) {
			struct image image = image_of(&set, "example.", run);
			CHECK(view_records(&VIEW_OF(&image), &again, NULL) == OK);
			CHECK(sets_identical(&again, &set));
			CHECK(change_between(&again, &set, arena, &change, NULL) == OK);
			CHECK(change.removed_count == 0 && change.added_count == 0);
			passed++;
		}
		arena_free(arena);
	}
	CHECK(passed > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_means_what_the_plain_reading_of_the_rfcs_says),
		cmocka_unit_test(iteration_gives_all_names_in_canonical_order),
		cmocka_unit_test(a_checked_set_comes_back_to_the_letter),
		cmocka_unit_test(an_image_tells_what_it_holds),
		cmocka_unit_test(rrsigs_stand_by_the_type_they_cover),
		cmocka_unit_test(the_places_of_compressible_names_are_known),
		cmocka_unit_test(a_set_that_was_not_checked_gives_no_image),
		cmocka_unit_test(an_image_needs_the_room_that_it_said),
		cmocka_unit_test(an_image_above_16_gib_is_refused),
		cmocka_unit_test(no_octet_of_an_image_changes_unseen),
		cmocka_unit_test(a_full_arena_is_told_by_image_records),
		cmocka_unit_test(full_buckets_lose_no_name),
		cmocka_unit_test(names_of_the_greatest_length_and_depth_are_found),
		cmocka_unit_test(wildcards_answer_as_in_the_example_of_rfc_4592),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
