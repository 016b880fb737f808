/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/layers_fixture.h"

/* The zone of RFC 4592 2.2.1, and what becomes of it. */
#define RFC_4592                                                                                   \
	"example. 3600 NS ns.example.com.", "example. 3600 NS ns.example.net.",                    \
		"*.example. 3600 TXT wildcard", "*.example. 3600 MX 10 host1.example.",            \
		"sub.*.example. 3600 TXT not", "host1.example. 3600 A 192.0.2.1",                  \
		"_ssh._tcp.host1.example. 3600 SRV 0 0 22 host1.example.",                         \
		"_ssh._tcp.host2.example. 3600 SRV 0 0 22 host1.example.",                         \
		"subdel.example. 3600 NS ns.example.com."

static const char *const rfc_4592[] = {
	"example. 3600 SOA ns.example. h.example. 1 2 3 4 5",
	RFC_4592,
};

static enum view_result find_text(const struct view *view, const char *text,
				  struct view_lookup *out)
{
	struct name_buffer name;

	view_find(view, name_in(&name, text), out);
	return out->result;
}

static bool name_is(const struct node *node, const char *text)
{
	struct name_buffer name;

	return node->octets && name_equal(node->owner, name_in(&name, text));
}

static void rfc_4592_holds(const struct view *view)
{
	struct view_lookup found;

	CHECK(find_text(view, "host3.example.", &found) == VIEW_WILDCARD);
	CHECK(name_is(&found.node, "*.example.") && name_is(&found.encloser, "example."));
	CHECK(find_text(view, "foo.bar.example.", &found) == VIEW_WILDCARD);
	CHECK(find_text(view, "host1.example.", &found) == VIEW_EXACT);
	CHECK(find_text(view, "sub.*.example.", &found) == VIEW_EXACT);
	CHECK(find_text(view, "_telnet._tcp.host1.example.", &found) == VIEW_NOTHING);
	CHECK(name_is(&found.encloser, "_tcp.host1.example."));
	CHECK(find_text(view, "host.subdel.example.", &found) == VIEW_CUT);
	CHECK(find_text(view, "ghost.*.example.", &found) == VIEW_NOTHING);
	CHECK(name_is(&found.encloser, "*.example."));
	CHECK(find_text(view, "host2.example.", &found) == VIEW_EXACT &&
	      name_is(&found.node, "host2.example."));
	CHECK(find_text(view, "x.host2.example.", &found) == VIEW_NOTHING);
}

TEST(rfc_4592_2_2_1_a_wildcard_comes_and_goes_in_a_layer)
{
	static const char *const without[] = {
		"example. 3600 SOA ns.example. h.example. 2 2 3 4 5",
		"example. 3600 NS ns.example.com.",
		"host1.example. 3600 A 192.0.2.1",
		"subdel.example. 3600 NS ns.example.com.",
	};
	static const char *const again[] = {
		"example. 3600 SOA ns.example. h.example. 3 2 3 4 5",
		RFC_4592,
	};
	struct view_lookup found;
	struct layered l;

	layered_start(&l, rfc_4592, ARRAY_COUNT(rfc_4592));
	rfc_4592_holds(&l.view);
	layered_step(&l, 0, without, ARRAY_COUNT(without));
	CHECK(find_text(&l.view, "host3.example.", &found) == VIEW_NOTHING);
	CHECK(name_is(&found.encloser, "example.") && !found.encloser.has_wildcard_child);
	CHECK(find_text(&l.view, "sub.*.example.", &found) == VIEW_NOTHING);
	CHECK(find_text(&l.view, "host1.example.", &found) == VIEW_EXACT);
	CHECK(find_text(&l.view, "x.subdel.example.", &found) == VIEW_CUT);
	layered_step(&l, 0, again, ARRAY_COUNT(again));
	CHECK(l.view.layer_count == 3);
	rfc_4592_holds(&l.view);
	arena_free(l.arena);
}

/* RFC 4592 4.2 and 2.2.2: an asterisk without records is an empty non-terminal, and still a
 * source of synthesis, with nothing in it. */
TEST(rfc_4592_a_wildcard_may_be_an_empty_non_terminal)
{
	static const char *const before[] = {"example. 9 SOA ns.example. h.example. 1 2 3 4 5"};
	static const char *const after[] = {"example. 9 SOA ns.example. h.example. 2 2 3 4 5",
					    "a.*.example. 9 A 192.0.2.1"};
	static const char *const end[] = {"example. 9 SOA ns.example. h.example. 3 2 3 4 5"};
	struct view_lookup found;
	struct rrset rrset;
	struct layered l;

	layered_start(&l, before, ARRAY_COUNT(before));
	layered_step(&l, 0, after, ARRAY_COUNT(after));
	CHECK(find_text(&l.view, "x.example.", &found) == VIEW_WILDCARD);
	CHECK(!node_rrset(&found.node, RRTYPE_A, &rrset));
	layered_step(&l, 0, end, ARRAY_COUNT(end));
	CHECK(find_text(&l.view, "x.example.", &found) == VIEW_NOTHING);
	CHECK(find_text(&l.view, "*.example.", &found) == VIEW_NOTHING);
	arena_free(l.arena);
}

/* RFC 4592 2.2.2: a name exists as long as there is one below it, in whatever layer. */
TEST(empty_non_terminals_come_and_go_with_what_is_below)
{
	static const char *const versions[][3] = {
		{"example. 9 SOA ns.example. h.example. 1 2 3 4 5", "x.b.a.example. 9 A 192.0.2.1"},
		{"example. 9 SOA ns.example. h.example. 2 2 3 4 5", "x.b.a.example. 9 A 192.0.2.1",
		 "y.a.example. 9 A 192.0.2.1"},
		{"example. 9 SOA ns.example. h.example. 3 2 3 4 5", "y.a.example. 9 A 192.0.2.1"},
		{"example. 9 SOA ns.example. h.example. 4 2 3 4 5"},
	};
	static const enum view_result expected[][2] = {{VIEW_EXACT, VIEW_EXACT},
						       {VIEW_EXACT, VIEW_EXACT},
						       {VIEW_EXACT, VIEW_NOTHING},
						       {VIEW_NOTHING, VIEW_NOTHING}};
	static const size_t counts[] = {2, 3, 2, 1};
	struct view_lookup found;
	struct layered l;

	layered_start(&l, versions[0], counts[0]);
	for (size_t i = 1; i < ARRAY_COUNT(versions); i++) {
		layered_step(&l, i == 3, versions[i], counts[i]);
		CHECK(find_text(&l.view, "a.example.", &found) == expected[i][0]);
		CHECK(find_text(&l.view, "b.a.example.", &found) == expected[i][1]);
	}
	arena_free(l.arena);
}

static void layer_names(const struct image *layer, char *out, size_t cap)
{
	char text[NAME_TEXT_MAX];
	struct node node;
	uint32_t place = 0;

	*out = '\0';
	while (image_step(layer, &place, &node)) {
		strncat(out, node.is_tombstone ? "-" : "", cap - strlen(out) - 1);
		strncat(out, name_to_text(node.owner, text), cap - strlen(out) - 1);
		strncat(out, " ", cap - strlen(out) - 1);
	}
}

#define SIGNED_ZONE(serial)                                                                        \
	"example. 9 SOA ns.example. h.example. " serial " 2 3 4 5", "example. 9 NS ns.example.",   \
		"example. 9 NSEC b.example. A", "b.example. 9 A 192.0.2.1",                        \
		"f.example. 9 NSEC ns.example. A", "f.example. 9 MX 5 ns.example.",                \
		"ns.example. 9 A 192.0.2.9", "ns.example. 9 NSEC sub.example. A",                  \
		"sub.example. 9 NS x.sub.example.", "sub.example. 9 NSEC example. NS",             \
		"x.sub.example. 9 A 192.0.2.8"

/* DESIGN 5: the names that point at the server, or lie below the cut, are left alone. */
TEST(a_layer_holds_what_changed_its_neighbour_in_the_chain_and_what_is_above)
{
	static const char *const before[] = {
		SIGNED_ZONE("1"),
		"b.example. 9 NSEC f.example. A",
	};
	static const char *const added[] = {
		SIGNED_ZONE("2"),
		"b.example. 9 NSEC c.d.example. A",
		"c.d.example. 9 A 192.0.2.3",
		"c.d.example. 9 NSEC f.example. A",
	};
	static const char *const removed[] = {
		SIGNED_ZONE("3"),
		"b.example. 9 NSEC f.example. A",
	};
	char names[500];
	struct layered l;

	layered_start(&l, before, ARRAY_COUNT(before));
	layered_step(&l, 0, added, ARRAY_COUNT(added));
	layer_names(&l.view.layers[0], names, sizeof names);
	assert_string_equal(names, "example. b.example. d.example. c.d.example. ");
	layered_step(&l, 0, removed, ARRAY_COUNT(removed));
	layer_names(&l.view.layers[0], names, sizeof names);
	assert_string_equal(names, "example. b.example. -d.example. -c.d.example. ");
	layered_step(&l, 2, before, ARRAY_COUNT(before));
	layer_names(&l.view.layers[0], names, sizeof names);
	/* Nothing is below them any more that they would have to hide. */
	assert_string_equal(names, "example. b.example. ");
	arena_free(l.arena);
}

TEST(the_address_of_a_server_is_one_name_however_many_cuts_point_at_it)
{
	static const char *const before[] = {
		"example. 9 SOA ns.example. h.example. 1 2 3 4 5", "a.example. 9 NS ns.example.",
		"b.example. 9 NS ns.example.", "ns.example. 9 A 192.0.2.1"};
	static const char *const after[] = {
		"example. 9 SOA ns.example. h.example. 2 2 3 4 5", "a.example. 9 NS ns.example.",
		"b.example. 9 NS ns.example.", "ns.example. 9 A 192.0.2.2"};
	char names[200];
	struct layered l;

	layered_start(&l, before, ARRAY_COUNT(before));
	layered_step(&l, 0, after, ARRAY_COUNT(after));
	layer_names(&l.view.layers[0], names, sizeof names);
	assert_string_equal(names, "example. ns.example. ");
	arena_free(l.arena);
}

/* Ten links of a chain go at once, and their neighbour is asked for through two layers. */
TEST(a_search_in_a_chain_takes_one_step_a_layer_over_whatever_was_removed)
{
	char lines[14][80];
	const char *pointers[14] = {"example. 9 SOA ns.example. h.example. 1 2 3 4 5",
				    "example. 9 NSEC example. A", "z.example. 9 NSEC example. A"};
	static const char *const two[] = {
		"example. 9 SOA ns.example. h.example. 2 2 3 4 5", "example. 9 NSEC example. A",
		"z.example. 9 NSEC example. A", "n0.example. 9 NSEC example. A"};
	static const char *const three[] = {"example. 9 SOA ns.example. h.example. 3 2 3 4 5",
					    "n0.example. 9 A 192.0.2.1",
					    "example. 9 NSEC example. A"};
	struct name_buffer name;
	struct node node;
	struct layered l;

	for (unsigned i = 0; i < 11; i++) {
		snprintf(lines[i], sizeof lines[i], "n%x.example. 9 NSEC example. A", i);
		pointers[3 + i] = lines[i];
	}
	layered_start(&l, pointers, ARRAY_COUNT(pointers));
	CHECK(view_chain_find(&l.view, RRTYPE_NSEC, name_in(&name, "a.na.example."), &node));
	CHECK(name_is(&node, "na.example."));
	layered_step(&l, 0, two, ARRAY_COUNT(two));
	CHECK(view_chain_find(&l.view, RRTYPE_NSEC, name_in(&name, "a.na.example."), &node));
	CHECK(name_is(&node, "n0.example."));
	layered_step(&l, 0, three, ARRAY_COUNT(three));
	CHECK(l.view.layer_count == 3);
	CHECK(view_chain_find(&l.view, RRTYPE_NSEC, name_in(&name, "a.na.example."), &node));
	CHECK(name_is(&node, "example."));
	CHECK(view_chain_find(&l.view, RRTYPE_NSEC, name_in(&name, "zz.example."), &node));
	CHECK(name_is(&node, "example."));
	CHECK(!view_chain_find(&l.view, RRTYPE_NSEC3, name_in(&name, "zz.example."), &node));
	arena_free(l.arena);
}

/* Layers of another order, zone, seed or version are not read as one. */
TEST(layers_that_were_not_made_over_each_other_are_refused)
{
	static const char *const lines[][2] = {
		{"example. 9 SOA ns.example. h.example. 1 2 3 4 5", "a.example. 9 A 192.0.2.1"},
		{"example. 9 SOA ns.example. h.example. 2 2 3 4 5", "a.example. 9 A 192.0.2.2"},
		{"example. 9 SOA ns.example. h.example. 3 2 3 4 5", "a.example. 9 A 192.0.2.3"},
	};
	static const char *const other[] = {"example. 9 SOA ns.example. h.example. 1 2 3 4 5",
					    "b.example. 9 A 192.0.2.1"};
	struct span s[VIEW_LAYERS_MAX], seeded, another;
	struct records set, other_set;
	struct layered l;
	struct view view;
	struct error err;

	layered_start(&l, lines[0], 2);
	layered_step(&l, 0, lines[1], 2);
	layered_step(&l, 0, lines[2], 2);
	for (unsigned i = 0; i < VIEW_LAYERS_MAX; i++) s[i] = l.view.layers[i].bytes;
	set_from(&set, l.arena, lines[0], 2);
	set_from(&other_set, l.arena, other, 2);
	seeded = image_octets(&set, name_of(&l.apex), LAYERED_SEED + 1, l.arena);
	another = image_octets(&other_set, name_of(&l.apex), LAYERED_SEED, l.arena);

	CHECK(view_open(s, 3, &view, &err) == OK && view_serial(&view) == 3);
	CHECK(view_open(&s[2], 1, &view, &err) == OK && view_serial(&view) == 1);
	CHECK(view_open(&s[1], 2, &view, &err) == OK && view_serial(&view) == 2);
	CHECK(view_open(s, 1, &view, &err) == E_CONFLICT);
	CHECK(view_open(s, 2, &view, &err) == E_CONFLICT);
	CHECK(strstr(err.text, "layer 2 of zone example., serial 2") != NULL);
	CHECK(view_open((struct span[]){s[0], s[2]}, 2, &view, &err) == E_CONFLICT);
	CHECK(view_open((struct span[]){s[1], s[0]}, 2, &view, &err) == E_CONFLICT);
	CHECK(view_open((struct span[]){s[1], seeded}, 2, &view, &err) == E_CONFLICT);
	CHECK(view_open((struct span[]){s[1], another}, 2, &view, &err) == E_CONFLICT);
	arena_free(l.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_4592_2_2_1_a_wildcard_comes_and_goes_in_a_layer),
		cmocka_unit_test(rfc_4592_a_wildcard_may_be_an_empty_non_terminal),
		cmocka_unit_test(empty_non_terminals_come_and_go_with_what_is_below),
		cmocka_unit_test(
			a_layer_holds_what_changed_its_neighbour_in_the_chain_and_what_is_above),
		cmocka_unit_test(the_address_of_a_server_is_one_name_however_many_cuts_point_at_it),
		cmocka_unit_test(
			a_search_in_a_chain_takes_one_step_a_layer_over_whatever_was_removed),
		cmocka_unit_test(layers_that_were_not_made_over_each_other_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
