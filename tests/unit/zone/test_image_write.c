/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/image_fixture.h"

#include "zone/image_format.h"
#include "zone/image_write.h"

static struct writer room_in(struct arena *arena, size_t len)
{
	uint8_t *octets = arena_alloc_bytes(arena, len);

	CHECK(octets != NULL);
	return writer_of(octets, len);
}

/* ---- plans ---- */

enum { SPOTS_MAX = 1024 };

/* An answer as it goes out by its plan, and where labels begin in the names of the RRset. */
struct sent {
	uint8_t octets[8192];
	struct writer w;
	size_t spots[SPOTS_MAX], spot_count;
	size_t question_end, rrset_at;
};

static void write_pointer(struct writer *w, size_t to)
{
	CHECK(to < 0x4000);
	write_u16(w, (uint16_t)(0xc000 | to));
}

static struct name_buffer read_at(const struct sent *sent, size_t at)
{
	struct reader r = reader_of(writer_span(&sent->w));
	struct name_buffer name;

	r.at = at;
	CHECK(name_read(&r, &name));
	return name;
}

/* Rule 4 of docs/decisions/0013, the plainest way: every end of the name, the longest first. */
static void target_is_right(const struct sent *sent, struct name name, struct name above,
			    const struct rrset_target *target)
{
	for (struct name end = name; end.len > 1; end = name_parent(end)) {
		unsigned kept = (unsigned)name.len - end.len;
		if (name_is_below(above, end)) {
			CHECK(target->pointer == end.len && target->kept == kept);
			return;
		}
		for (size_t i = 0; i < sent->spot_count; i++) {
			struct name_buffer there = read_at(sent, sent->spots[i]);
			if (!name_equal(name_of(&there), end)) continue;
			CHECK(target->pointer == 256 + sent->spots[i] - sent->rrset_at);
			CHECK(target->kept == kept);
			return;
		}
	}
	CHECK(target->pointer == 0 && target->kept == name.len);
}

static void name_send(struct sent *sent, struct name name, const struct rrset_target *target)
{
	size_t at = sent->w.len;

	write_bytes(&sent->w, name.wire, target->kept);
	if (target->pointer >= 256)
		write_pointer(&sent->w, sent->rrset_at + target->pointer - 256);
	else if (target->pointer)
		write_pointer(&sent->w, sent->question_end - target->pointer);
	struct name_buffer back = read_at(sent, at);
	CHECK(name_equal(name_of(&back), name));
	for (size_t i = 0; i + 1 < target->kept; i += name.wire[i] + 1u)
		sent->spots[sent->spot_count++] = at + i;
}

/* `above` is what the question ends with. */
static void rrset_send(struct sent *sent, const struct rrset *rrset, struct name owner,
		       struct name above, const struct image *image)
{
	struct rrset_target target;
	struct span rdata;
	unsigned index = 0;

	sent->rrset_at = sent->w.len;
	sent->spot_count = 0;
	for (size_t at = 0; rrset_next(rrset, &at, &rdata);) {
		struct reader r = reader_of(rdata);
		if (owner.len == 1)
			write_u8(&sent->w, 0);
		else
			write_pointer(&sent->w, sent->question_end - above.len);
		write_bytes(&sent->w, "typeclttttrd", 10);
		write_span(&sent->w, read_span(&r, rrset->name_at));
		for (unsigned i = 0; i < rrset->name_count; i++) {
			struct name_buffer lower;
			struct path path = {0};
			struct name name;
			CHECK(name_read_plain(&r, &name));
			CHECK(rrset_target(rrset, index++, &target));
			target_is_right(sent, name, above, &target);
			name_send(sent, name, &target);
			name_lower(name, &lower);
			CHECK(target.is_local == name_is_below(name, image_apex(image)));
			if (!target.is_local) continue;
			CHECK(path_set(&path, name_of(&lower), image_apex(image)));
			CHECK(target.hash == path_hash(image->seed, &path));
		}
		write_span(&sent->w, read_rest(&r));
		CHECK(!r.failed);
	}
	CHECK(!rrset_target(rrset, index, &target));
}

/* The question is the owner or below it; of a wildcard, below what follows "*.". */
static void plan_is_right(const struct node *node, const struct rrset *rrset,
			  const struct image *image, bool is_below)
{
	static struct sent sent;
	struct name above = node->owner;

	if (name_is_wildcard(above)) {
		above = name_parent(above);
		is_below = true;
	}

	sent.w = writer_of(sent.octets, sizeof sent.octets);
	write_bytes(&sent.w, "123456789012", 12);
	if (is_below) write_bytes(&sent.w, "\1q\2rs", 5);
	write_bytes(&sent.w, above.wire, above.len);
	sent.question_end = sent.w.len;
	write_bytes(&sent.w, "tycl", 4);
	rrset_send(&sent, rrset, node->owner, above, image);
}

TEST(names_go_out_as_the_rule_of_decision_0013_says)
{
	static const char *const apexes[] = {"example.", "Sub.example.", "."};
	static const char *const types[] = {"NS", "PTR", "MX", "MINFO", "CNAME"};

	for (uint64_t run = 0; run < 600; run++) {
		struct arena *arena = arena_new(1 << 22);
		const char *apex = apexes[run % 3], *below = run % 3 == 2 ? "" : apex;
		struct records set;
		uint64_t seed = run;
		char owner[512], target[512], other[512], line[2000];
		records_init(&set, arena);
		draw_name(&seed, below, 3, target);
		snprintf(line, sizeof line, "%s 9 SOA Ns.%s h.example. 42 2 3 4 5", apex, target);
		add_line(&set, line, 1);
		draw_name(&seed, below, 3, owner);
		for (uint32_t i = 1 + draw(&seed, 12); i > 0; i--) {
			uint32_t type = draw(&seed, 5);
			draw_name(&seed, draw(&seed, 4) ? below : "A.other.", 4, target);
			draw_name(&seed, draw(&seed, 4) ? below : "a.Other.", 4, other);
			if (!*target) strcpy(target, ".");
			if (!*other) strcpy(other, "a.");
			snprintf(line, sizeof line, "%s 1 %s %s%s %s", *owner ? owner : ".",
				 types[type], type == 2 ? "7 " : "", target,
				 type == 3 ? other : "");
			line[strlen(line) - (type != 3)] = '\0';
			add_line(&set, line, 1);
		}
		CHECK(records_sort(&set, NULL) == OK);
		struct image image = image_of(&set, apex, run);
		struct node node;
		uint32_t place = 0;
		while (image_step(&image, &place, &node))
			for (struct rrset_cursor c = {0}; node_next_rrset(&node, &c);)
				plan_is_right(&node, &c.rrset, &image, run % 2);
		CHECK(place == 0);
		arena_free(arena);
	}
}

TEST(an_rrset_of_many_names_has_no_plan)
{
	struct arena *arena = arena_new(1 << 20);
	struct records set;
	struct name_buffer name;
	struct rrset_target target;
	struct rrset rrset;
	struct node node;

	records_init(&set, arena);
	add_line(&set, "example. 1 SOA ns.example. h.example. 1 2 3 4 5", 1);
	for (unsigned i = 0; i < PLAN_NAMES_MAX + 1; i++) {
		char line[64];
		snprintf(line, sizeof line, "many.example. 1 NS n%u.example.", i);
		add_line(&set, line, 1);
		snprintf(line, sizeof line, "most.example. 1 NS n%u.example.", i);
		if (i > 0) add_line(&set, line, 1);
	}
	add_line(&set, "x.example. 1 A 192.0.2.1", 1);
	CHECK(records_sort(&set, NULL) == OK);
	struct image image = image_of(&set, "example.", 5);
	CHECK(view_find_exact(&VIEW_OF(&image), name_in(&name, "most.example."), &node));
	CHECK(node_rrset(&node, RRTYPE_NS, &rrset));
	CHECK(rrset_target(&rrset, PLAN_NAMES_MAX - 1, &target) && target.is_local);
	CHECK(!rrset_target(&rrset, PLAN_NAMES_MAX, &target));
	CHECK(view_find_exact(&VIEW_OF(&image), name_in(&name, "many.example."), &node));
	CHECK(node_rrset(&node, RRTYPE_NS, &rrset) && !rrset_target(&rrset, 0, &target));
	CHECK(view_find_exact(&VIEW_OF(&image), name_in(&name, "x.example."), &node));
	CHECK(node_rrset(&node, RRTYPE_A, &rrset) && !rrset_target(&rrset, 0, &target));
	arena_free(arena);
}

/* ---- chains ---- */

static bool is_hash_owner(struct name owner, struct name apex)
{
	if (owner.wire[0] != 32 || owner.len != 33 + apex.len) return false;
	for (unsigned i = 1; i <= 32; i++)
		if (!strchr("0123456789abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUV",
			    owner.wire[i]))
			return false;
	return true;
}

/* The last owner of the type within the bound. */
static struct name last_before(const struct records *set, struct name apex, uint16_t type,
			       struct name name, enum bound bound)
{
	struct name found = {0};

	for (size_t i = 0; i < set->count; i++) {
		struct record record = records_get(set, i);
		int order = bound == BOUND_NONE ? -1 : name_compare(record.owner, name);
		if (record.type != type || order > (bound == BOUND_BEFORE ? -1 : 0)) continue;
		if (type == RRTYPE_NSEC3 && !is_hash_owner(record.owner, apex)) continue;
		found = record.owner;
	}
	return found;
}

static void chain_agrees(const struct records *set, const struct image *image, uint16_t type,
			 struct name name)
{
	for (enum bound bound = BOUND_UP_TO; bound <= BOUND_NONE; bound++) {
		struct name expected = last_before(set, image_apex(image), type, name, bound);
		struct node node;
		enum probe probe = image_chain_find(image, type, name, bound, &node);
		CHECK(probe == (expected.len ? PROBE_FOUND : PROBE_NOTHING));
		if (expected.len) CHECK(name_equal(node.owner, expected));
	}
}

/* Names that have much in common, so that keys are equal; octets 0 and 1; upper case. */
static void draw_owner(uint64_t *seed, bool is_hash, char *out)
{
	static const char *const labels[] = {"a",     "A",      "b",         "\\000",
					     "\\001", "\\001x", "customers", "customers-Of-the-",
					     "*",     "zz"};

	*out = '\0';
	if (is_hash && draw(seed, 8)) {
		unsigned same = draw(seed, 2) ? 31 : 4;
		for (unsigned i = 0; i < 32; i++)
			out[i] =
				i < same ? 'v' : "0123456789abcdefghijklmnopqrstuV"[draw(seed, 32)];
		if (draw(seed, 20) == 0) out[31] = 'w';
		out[32] = '\0';
		strcat(out, ".");
		return;
	}
	for (uint32_t i = draw(seed, 4); i > 0; i--) {
		strcat(out, labels[draw(seed, ARRAY_COUNT(labels))]);
		if (draw(seed, 2)) sprintf(out + strlen(out), "%06u", draw(seed, 3000));
		strcat(out, ".");
	}
}

TEST(every_link_of_a_chain_is_found_and_what_it_covers)
{
	static const unsigned counts[] = {0, 1, 2, 15, 16, 17, 225, 226, 900, 4000};

	for (uint64_t run = 0; run < 60; run++) {
		struct arena *arena = arena_new(1 << 24);
		unsigned records = counts[run % ARRAY_COUNT(counts)];
		struct records set;
		struct name_buffer name;
		uint64_t seed = run;
		char owner[512], line[700];
		records_init(&set, arena);
		add_line(&set, "Example. 9 SOA Ns.example. h.example. 42 2 3 4 5", 1);
		for (unsigned i = 0; i < records; i++) {
			bool is_hash = draw(&seed, 2);
			draw_owner(&seed, is_hash, owner);
			snprintf(line, sizeof line, "%sexample. 9 %s", owner,
				 is_hash ? "NSEC3 1 0 0 - 00000000000000000000000000000000 A"
					 : "NSEC a.example. A");
			add_line(&set, line, 1);
		}
		CHECK(records_sort(&set, NULL) == OK);
		struct image image = image_of(&set, "Example.", run);
		CHECK(image_verify(&image, NULL) == OK);
		for (unsigned i = 0; i < 300; i++) {
			bool is_hash = draw(&seed, 2);
			draw_owner(&seed, is_hash, owner);
			strcat(owner, "eXample.");
			chain_agrees(&set, &image, is_hash ? RRTYPE_NSEC3 : RRTYPE_NSEC,
				     name_in(&name, owner));
		}
		arena_free(arena);
	}
}

/* ---- nodes ---- */

static struct image image_copied(const struct image *from, struct arena *arena)
{
	struct image_facts facts = {.serial = image_serial(from),
				    .record_count = image_record_count(from)};
	struct image_room room = {0};
	struct image_writer iw;
	struct image copy;
	struct node node;
	uint32_t place = 0;

	image_digest(from, &facts.digest);
	image_room_image(&room, from);
	struct writer w = room_in(arena, image_room_octets(&room, image_apex(from)));
	image_write_begin(&iw, image_apex(from), from->seed, &facts, &w);
	while (image_step(from, &place, &node)) image_write_copy(&iw, &node);
	CHECK(image_write_finish(&iw, NULL) == OK);
	CHECK(image_open(writer_span(&w), &copy, NULL) == OK);
	return copy;
}

TEST(nodes_of_one_image_make_another_that_is_the_same)
{
	for (uint64_t run = 0; run < 300; run++) {
		struct arena *arena = arena_new(1 << 22);
		struct records set, whole, again;
		uint64_t seed = run;
		records_init(&set, arena);
		records_init(&whole, arena);
		records_init(&again, arena);
		draw_odd_zone(&set, &seed, "example.", 200, 2 + run % 4);
		struct image image = image_of(&set, "example.", run);
		struct image copy = image_copied(&image, arena);
		CHECK(view_records(&VIEW_OF(&image), &whole, NULL) == OK);
		CHECK(view_records(&VIEW_OF(&copy), &again, NULL) == OK);
		CHECK(sets_identical(&whole, &again));
		/* What equal RRsets are found depends on the room there is to remember them. */
		struct image third = image_copied(&copy, arena);
		CHECK(third.bytes.len <= copy.bytes.len + 64 && image_verify(&third, NULL) == OK);
		arena_free(arena);
	}
}

TEST(what_is_gone_says_so_and_where_the_chain_goes_on)
{
	struct arena *arena = arena_new(1 << 20);
	struct name_buffer apex, gone, other, prior, hash;
	struct image_facts facts = {.serial = 5, .record_count = 7};
	struct image_room room = {0};
	struct node_links links, none = {0};
	struct image_writer iw;
	struct image image;
	struct node node;

	name_in(&apex, "example.");
	name_in(&gone, "*.Gone.example.");
	name_in(&other, "other.example.");
	links.nsec = name_in(&prior, "A.example.");
	links.nsec3 = name_in(&hash, "0123456789abcdefghijklmnopqrstuv.example.");
	image_room_node(&room, name_of(&apex), NULL);
	image_room_node(&room, name_of(&gone), &links);
	image_room_node(&room, name_of(&gone), &links);
	image_room_node(&room, name_of(&other), &none);
	image_room_rrset(&room, RRTYPE_A, 1, 4);
	struct writer w = room_in(arena, image_room_octets(&room, name_of(&apex)));
	image_write_begin(&iw, name_of(&apex), 9, &facts, &w);
	image_write_node(&iw, name_of(&apex), false);
	image_write_node(&iw, name_parent(name_of(&gone)), false);
	image_write_tombstone(&iw, name_of(&gone), &links);
	image_write_node(&iw, name_of(&other), true);
	links.nsec3.len = 0;
	image_write_links(&iw, &links);
	image_write_rrset(&iw, RRTYPE_A, 60);
	image_write_rdata(&iw, span_of("\300\0\2\1", 4));
	CHECK(image_write_finish(&iw, NULL) == OK);

	CHECK(image_open(writer_span(&w), &image, NULL) == OK);
	image = image_copied(&image, arena);
	CHECK(image_node_count(&image) == 4 && image_record_count(&image) == 7);
	CHECK(view_find_exact(&VIEW_OF(&image), name_parent(name_of(&gone)), &node));
	CHECK(!node.has_wildcard_child && !node.is_tombstone && !node_links(&node, &links));
	CHECK(links.nsec.len == 0 && links.nsec3.len == 0);
	uint32_t place = 0;
	for (unsigned i = 0; i < 3; i++) CHECK(image_step(&image, &place, &node));
	CHECK(node.is_tombstone && node.is_empty && name_equal(node.owner, name_of(&gone)));
	CHECK(node_links(&node, &links) && name_equal(links.nsec, name_of(&prior)) &&
	      name_equal(links.nsec3, name_of(&hash)));
	CHECK(image_step(&image, &place, &node) && !node.is_tombstone && !node.is_empty);
	CHECK(node.has_wildcard_child && node_links(&node, &links) && links.nsec3.len == 0);
	arena_free(arena);
}

TEST(equal_rrsets_stand_once)
{
	struct arena *arena = arena_new(1 << 22);
	struct records shared, alone, again;
	struct name_buffer name;
	struct node node;
	struct rrset rrset;
	char line[128];

	records_init(&shared, arena);
	records_init(&alone, arena);
	records_init(&again, arena);
	add_line(&shared, "example. 1 SOA ns.example. h.example. 1 2 3 4 5", 1);
	add_line(&alone, "example. 1 SOA ns.example. h.example. 1 2 3 4 5", 1);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(line, sizeof line, "n%03u.example. 7 NS ns%u.hoster.test.", i, i % 40);
		add_line(&shared, line, 1);
		snprintf(line, sizeof line, "n%03u.example. 7 NS ns%03u.hoster.test.", i, i);
		add_line(&alone, line, 1);
	}
	/* The same data with another TTL is another RRset, and a name is sent as it stands. */
	add_line(&shared, "ttl.example. 8 NS ns5.hoster.test.", 1);
	add_line(&shared, "upper.example. 7 NS NS5.hoster.test.", 1);
	CHECK(records_sort(&shared, NULL) == OK && records_sort(&alone, NULL) == OK);
	struct image image = image_of(&shared, "example.", 5);
	CHECK(image.bytes.len + 20 * 1000 < image_of(&alone, "example.", 5).bytes.len);
	CHECK(view_find_exact(&VIEW_OF(&image), name_in(&name, "ttl.example."), &node));
	CHECK(node_rrset(&node, RRTYPE_NS, &rrset) && rrset.ttl == 8);
	CHECK(view_records(&VIEW_OF(&image), &again, NULL) == OK &&
	      sets_identical(&shared, &again));
	arena_free(arena);
}

TEST(a_small_zone_has_a_small_image)
{
	static const char *const lines[] = {
		"small.example. 3600 SOA ns1.hoster.test. hostmaster.hoster.test. 1 2 3 4 5",
		"small.example. 3600 NS ns1.hoster.test.",
		"small.example. 3600 NS ns2.hoster.test.",
		"small.example. 3600 A 192.0.2.1",
		"www.small.example. 3600 A 192.0.2.1",
	};
	struct arena *arena = arena_new(1 << 20);
	struct records set;

	records_init(&set, arena);
	add_lines(&set, lines, ARRAY_COUNT(lines));
	CHECK(records_sort(&set, NULL) == OK);
	CHECK(image_of(&set, "small.example.", 5).bytes.len <= 448);
	arena_free(arena);
}

/* Heads of RRsets and nodes have room for small numbers; larger ones take longer heads. */
TEST(large_rrsets_and_nodes_come_back_to_the_letter)
{
	static const struct {
		unsigned records, octets;
	} rows[] = {{255, 4}, {256, 4}, {1, 65533}, {2, 32764}, {2, 40000}, {7, 60000}, {4000, 80}};
	struct arena *arena = arena_new(1 << 26);
	static uint8_t data[RDATA_OCTETS_MAX];
	struct name_buffer owner;
	struct records set, again;
	char text[64];

	records_init(&set, arena);
	records_init(&again, arena);
	add_line(&set, "example. 1 SOA ns.example. h.example. 1 2 3 4 5", 1);
	for (unsigned i = 0; i < ARRAY_COUNT(rows); i++)
		for (unsigned k = 0; k < 3 * rows[i].records; k++) {
			snprintf(text, sizeof text, "%c%u.example.", 'a' + (int)(k % 3), i);
			store_u32(data, k / 3);
			struct record record = {name_in(&owner, text), (uint16_t)(65300 + k % 2),
						CLASS_IN, 1, span_of(data, rows[i].octets)};
			CHECK(records_add(&set, &record, (struct place){0}, NULL) == OK);
		}
	CHECK(records_sort(&set, NULL) == OK);
	struct image image = image_of(&set, "example.", 5);
	CHECK(view_records(&VIEW_OF(&image), &again, NULL) == OK && sets_identical(&set, &again));
	struct image copy = image_copied(&image, arena);
	records_init(&again, arena);
	CHECK(view_records(&VIEW_OF(&copy), &again, NULL) == OK && sets_identical(&set, &again));
	arena_free(arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_out_as_the_rule_of_decision_0013_says),
		cmocka_unit_test(an_rrset_of_many_names_has_no_plan),
		cmocka_unit_test(every_link_of_a_chain_is_found_and_what_it_covers),
		cmocka_unit_test(nodes_of_one_image_make_another_that_is_the_same),
		cmocka_unit_test(what_is_gone_says_so_and_where_the_chain_goes_on),
		cmocka_unit_test(equal_rrsets_stand_once),
		cmocka_unit_test(a_small_zone_has_a_small_image),
		cmocka_unit_test(large_rrsets_and_nodes_come_back_to_the_letter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
