/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/layers_fixture.h"
#include "zone/model.h"

#include <stdlib.h>

/* A zone in its making: what it should be, and the layers that it is. */
struct zone_pair {
	struct model model;
	struct arena *arenas[2]; /* the sets before and after a step */
	unsigned turn;
	struct records set; /* all records there should be */
	struct view view;
	uint8_t *octets[VIEW_LAYERS_MAX]; /* of the view's layers; owned */
};

static void pair_layers_set(struct zone_pair *pair, struct span newest, unsigned stay)
{
	struct span layers[VIEW_LAYERS_MAX];
	unsigned gone = pair->view.layer_count - stay;
	uint8_t *octets[VIEW_LAYERS_MAX] = {malloc(newest.len)};
	struct error err;

	CHECK(octets[0] != NULL && stay < VIEW_LAYERS_MAX);
	memcpy(octets[0], newest.ptr, newest.len);
	layers[0] = span_of(octets[0], newest.len);
	for (unsigned i = 0; i < pair->view.layer_count; i++) {
		if (i < gone) {
			free(pair->octets[i]);
			continue;
		}
		octets[1 + i - gone] = pair->octets[i];
		layers[1 + i - gone] = pair->view.layers[i].bytes;
	}
	memcpy(pair->octets, octets, sizeof octets);
	if (view_open(layers, 1 + stay, &pair->view, &err)) fail_msg("%s", err.text);
}

static void pair_start(struct zone_pair *pair, uint64_t seed, size_t lines_max)
{
	struct name_buffer apex;

	memset(pair, 0, sizeof *pair);
	pair->model.seed = seed;
	pair->model.lines_max = lines_max;
	pair->model.has_nsec = seed & 1;
	pair->model.has_nsec3 = seed & 2;
	pair->model.is_signed = seed & 4;
	pair->model.is_loose = seed & 8;
	for (unsigned i = 0; i < 2; i++) pair->arenas[i] = arena_new(1 << 26);
	for (unsigned i = 0; i < lines_max / 3; i++) model_step(&pair->model);
	records_init(&pair->set, pair->arenas[0]);
	model_records(&pair->model, &pair->set);
	pair_layers_set(
		pair,
		image_octets(&pair->set, name_in(&apex, "example."), LAYERED_SEED, pair->arenas[0]),
		0);
}

static void pair_end(struct zone_pair *pair)
{
	for (unsigned i = 0; i < pair->view.layer_count; i++) free(pair->octets[i]);
	for (unsigned i = 0; i < 2; i++) arena_free(pair->arenas[i]);
}

/* The model's next version and what leads to it; the set before stays until the next step. */
static struct arena *pair_step(struct zone_pair *pair, struct change *change)
{
	struct arena *arena = pair->arenas[pair->turn ^= 1];
	struct records after;

	arena_reset(arena);
	records_init(&after, arena);
	model_step(&pair->model);
	model_records(&pair->model, &after);
	CHECK(change_between(&pair->set, &after, arena, change, NULL) == OK);
	change->digest_after = digest_of(&after);
	pair->set = after;
	return arena;
}

/* The next version with so many of the newest layers written anew. */
static void pair_change(struct zone_pair *pair, unsigned newest)
{
	struct change change;
	struct arena *arena = pair_step(pair, &change);
	struct span octets = layer_octets(&pair->view, &change, newest, arena);

	pair_layers_set(pair, octets, pair->view.layer_count - newest);
}

/* In place of the oldest layers their base, which came to be meanwhile. */
static void pair_base_set(struct zone_pair *pair, unsigned oldest, struct writer *base)
{
	unsigned rest = pair->view.layer_count - oldest;
	struct span spans[VIEW_LAYERS_MAX];
	struct error err;

	for (unsigned i = 0; i < oldest; i++) free(pair->octets[rest + i]);
	for (unsigned i = 0; i < rest; i++) spans[i] = pair->view.layers[i].bytes;
	spans[rest] = writer_span(base);
	pair->octets[rest] = base->ptr;
	if (view_open(spans, rest + 1, &pair->view, &err)) fail_msg("%s", err.text);
}

/* Merges the oldest layers, a few nodes at a time. */
static void pair_merge(struct zone_pair *pair, unsigned oldest, uint64_t *seed)
{
	struct view layers = view_oldest(&pair->view, oldest);
	size_t room = view_merge_room(&layers);
	struct writer w = writer_of(malloc(room), room);
	struct view_merge merge;
	struct error err;
	enum code code;

	CHECK(view_merge_begin(&merge, &layers, &w, &err) == OK);
	while (view_merge_step(&merge, draw(seed, 20) + 1, &code, &err)) CHECK(code == OK);
	if (code) fail_msg("%s", err.text);
	CHECK(merge.done <= merge.total);
	pair_base_set(pair, oldest, &w);
}

static bool nodes_agree(const struct node *a, const struct node *b)
{
	struct rrset_cursor x = {0}, y = {0};

	if (!name_equal(a->owner, b->owner) || a->is_empty != b->is_empty ||
	    a->is_apex != b->is_apex || a->is_cut != b->is_cut || a->has_dname != b->has_dname ||
	    a->has_wildcard_child != b->has_wildcard_child)
		return false;
	if (!a->is_empty && memcmp(a->owner.wire, b->owner.wire, a->owner.len) != 0) return false;
	while (node_next_rrset(a, &x)) {
		struct span one, other;
		size_t i = 0, j = 0;
		if (!node_next_rrset(b, &y) || x.rrset.type != y.rrset.type ||
		    x.rrset.count != y.rrset.count || x.rrset.ttl != y.rrset.ttl)
			return false;
		while (rrset_next(&x.rrset, &i, &one))
			if (!rrset_next(&y.rrset, &j, &other) || !span_equal(one, other))
				return false;
	}
	return !node_next_rrset(b, &y);
}

static bool node_is(const struct node *node, struct name name)
{
	if (name.len == 0) return !node->octets;
	return node->octets && name_equal(node->owner, name);
}

/* In three steps it is found as in one. */
static void search_agrees(const struct view *view, struct name name,
			  const struct view_lookup *expected)
{
	struct name_buffer lower;
	struct view_search search;
	struct view_lookup found;

	name_lower(name, &lower);
	view_search_begin(&search, view, name_of(&lower));
	view_search_touch(&search);
	view_search_end(&search, &found);
	CHECK(found.result == expected->result);
	CHECK(found.node.octets == expected->node.octets);
	CHECK(found.encloser.octets == expected->encloser.octets);
}

static void lookup_agrees(const struct zone_pair *pair, struct name name)
{
	struct view_lookup lookup;
	struct name_buffer wildcard;
	struct node node;
	struct meaning m = meaning_of(&pair->set, view_apex(&pair->view), name, &wildcard);
	char text[NAME_TEXT_MAX];

	view_find(&pair->view, name, &lookup);
	if (lookup.result != m.result)
		fail_msg("%s: %d, not %d", name_to_text(name, text), lookup.result, m.result);
	CHECK(node_is(&lookup.node, m.node) && node_is(&lookup.encloser, m.encloser));
	search_agrees(&pair->view, name, &lookup);
	bool is_there = m.result != VIEW_OUTSIDE && exists(&pair->set, name);
	CHECK(view_find_exact(&pair->view, name, &node) == is_there);
	if (is_there) CHECK(node_is(&node, name) && !node.is_tombstone);
}

static void chain_agrees(const struct zone_pair *pair, uint16_t type, struct name name)
{
	struct name expected = model_chain_find(&pair->set, type, name);
	char text[NAME_TEXT_MAX], found[NAME_TEXT_MAX], wanted[NAME_TEXT_MAX];
	struct rrset rrset;
	struct node node;

	if (!view_chain_find(&pair->view, type, name, &node)) {
		if (expected.len) fail_msg("%s: no link", name_to_text(name, text));
		return;
	}
	if (!expected.len || !name_equal(node.owner, expected))
		fail_msg("%s: %s, not %s", name_to_text(name, text),
			 name_to_text(node.owner, found), name_to_text(expected, wanted));
	CHECK(node_rrset(&node, type, &rrset));
}

/* As an image made from the records, name by name, and as the records themselves. */
static void versions_agree(const struct zone_pair *pair)
{
	struct arena *arena = arena_new(1 << 26);
	struct span octets = image_octets(&pair->set, view_apex(&pair->view), LAYERED_SEED, arena);
	struct view_cursor walk = {0}, expected_walk = {0};
	struct node node, expected;
	struct view fresh;
	struct records records;
	struct zone_digest digest, wanted = digest_of(&pair->set);

	CHECK(view_open(&octets, 1, &fresh, NULL) == OK);
	while (view_next(&fresh, &expected_walk, &expected)) {
		CHECK(view_next(&pair->view, &walk, &node));
		CHECK(nodes_agree(&node, &expected));
	}
	CHECK(!view_next(&pair->view, &walk, &node) && !walk.damaged);
	records_init(&records, arena);
	CHECK(view_records(&pair->view, &records, NULL) == OK);
	CHECK(sets_identical(&records, &pair->set));
	CHECK(view_serial(&pair->view) == pair->model.serial);
	CHECK(view_record_count(&pair->view) == pair->set.count);
	view_digest(&pair->view, &digest);
	CHECK(zone_digest_equal(&digest, &wanted));
	arena_free(arena);
}

/* Nothing is kept that says nothing, and all names above a name are in its layer. */
static void layers_are_tidy(const struct view *view)
{
	for (unsigned i = 0; i < view->layer_count; i++) {
		unsigned below = view->layer_count - i - 1;
		struct node node, other;
		uint32_t place = 0;
		while (image_step(&view->layers[i], &place, &node)) {
			struct view lower = below ? view_oldest(view, below) : (struct view){0};
			if (node.is_tombstone)
				CHECK(below && view_find_exact(&lower, node.owner, &other));
			CHECK(below || !node.has_links);
			if (!node.is_apex)
				CHECK(layer_probe(&view->layers[i], name_parent(node.owner),
						  &other) == PROBE_FOUND);
		}
		CHECK(place == 0);
	}
}

static void questions_agree(struct zone_pair *pair, unsigned count)
{
	char text[MODEL_NAME_MAX], hash[MODEL_HASH_LEN + 1], link[MODEL_NAME_MAX];
	struct name_buffer buffer;

	for (unsigned i = 0; i < count; i++) {
		model_name(&pair->model, 4, text);
		struct name name = name_in(&buffer, text);
		lookup_agrees(pair, name);
		chain_agrees(pair, RRTYPE_NSEC, name);
		model_hash_label(i ? model_hash(name) + i / 2 : 0, hash);
		snprintf(link, sizeof link, "%s.example.", hash);
		chain_agrees(pair, RRTYPE_NSEC3, name_in(&buffer, link));
	}
	for (size_t i = 0; i < pair->set.count; i++) {
		struct name name = records_get(&pair->set, i).owner;
		if (i == 0 || draw(&pair->model.seed, 8) == 0) lookup_agrees(pair, name);
		if (draw(&pair->model.seed, 8) == 0) chain_agrees(pair, RRTYPE_NSEC, name);
	}
}

/* Hundreds of changes: sealed and merged at random, all is as it would be without layers. */
TEST(layers_are_the_zone_that_the_changes_made)
{
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct zone_pair pair;
		pair_start(&pair, seed, 60);
		for (unsigned step = 0; step < 150; step++) {
			unsigned layers = pair.view.layer_count;
			unsigned newest = draw(&pair.model.seed, 10) ? layers > 1 : layers;
			if (draw(&pair.model.seed, 6) == 0 && layers < VIEW_LAYERS_MAX) newest = 0;
			if (draw(&pair.model.seed, 6) == 0) newest = layers - 1;
			pair_change(&pair, newest);
			versions_agree(&pair);
			layers_are_tidy(&pair.view);
			questions_agree(&pair, 12);
			if (draw(&pair.model.seed, 15)) continue;
			pair_merge(&pair, draw(&pair.model.seed, pair.view.layer_count) + 1,
				   &pair.model.seed);
			versions_agree(&pair);
			questions_agree(&pair, 12);
		}
		pair_end(&pair);
	}
}

/* What the keeper does: view_apply decides, and a merge that is due goes on beside it. */
struct keeping {
	struct zone_pair pair;
	struct view_merge merge;
	struct view merged; /* the layers that it reads; none: no merge goes on */
	struct writer base;
	unsigned most_layers, merges;
};

static void keeping_merge(struct keeping *k, bool is_due, size_t nodes)
{
	struct error err;
	enum code code;

	if (k->merged.layer_count == 0) {
		if (!is_due) return;
		k->merged = view_oldest(&k->pair.view, 2);
		size_t room = view_merge_room(&k->merged);
		k->base = writer_of(malloc(room), room);
		CHECK(view_merge_begin(&k->merge, &k->merged, &k->base, &err) == OK);
	}
	if (view_merge_step(&k->merge, nodes, &code, &err)) return;
	CHECK(code == OK);
	pair_base_set(&k->pair, k->merged.layer_count, &k->base);
	k->merged.layer_count = 0;
	k->merges++;
}

static void keeping_change(struct keeping *k)
{
	struct zone_pair *pair = &k->pair;
	unsigned layers = pair->view.layer_count, merging = k->merged.layer_count;
	struct change change;
	struct view_update update;
	struct error err;
	struct arena *arena = pair_step(pair, &change);
	enum code code = view_apply(&pair->view, &change, merging, arena, &update, &err);

	if (code) fail_msg("%s", err.text);
	CHECK(update.stay < VIEW_LAYERS_MAX && update.stay <= layers && update.stay >= merging);
	CHECK(!(merging && update.is_merge_due));
	pair_layers_set(pair, update.octets, update.stay);
	if (pair->view.layer_count > k->most_layers) k->most_layers = pair->view.layer_count;
	if (layers == VIEW_LAYERS_MAX && update.stay == 2 && merging < 2)
		CHECK(image_node_count(&pair->view.layers[0]) <= TOP_NODES_MAX);
	keeping_merge(k, update.is_merge_due, 150);
}

TEST(a_large_zone_grows_a_top_a_delta_and_a_new_base_while_changes_come)
{
	for (uint64_t seed = 0; seed < 2; seed++) {
		struct keeping k = {0};
		pair_start(&k.pair, seed, 200);
		k.pair.model.bulk_count = 220;
		keeping_change(&k);
		while (k.pair.view.layers[0].bytes.len < ZONE_WHOLE_OCTETS_MAX) {
			CHECK(k.pair.view.layer_count == 1);
			keeping_change(&k);
		}
		for (unsigned step = 0; step < 150; step++) {
			keeping_change(&k);
			if (step % 25) continue;
			versions_agree(&k.pair);
			layers_are_tidy(&k.pair.view);
			questions_agree(&k.pair, 8);
		}
		while (k.merged.layer_count) keeping_merge(&k, false, 150);
		versions_agree(&k.pair);
		layers_are_tidy(&k.pair.view);
		CHECK(k.most_layers == VIEW_LAYERS_MAX && k.merges > 0);
		pair_end(&k.pair);
	}
}

TEST(a_small_zone_has_no_layers)
{
	struct keeping k = {0};

	pair_start(&k.pair, 3, 60);
	for (unsigned step = 0; step < 50; step++) {
		keeping_change(&k);
		CHECK(k.pair.view.layer_count == 1);
		versions_agree(&k.pair);
	}
	pair_end(&k.pair);
}

/* "hN.example." for each N below `count`, but those that `step` takes away or brings. */
static void hosts_fill(struct records *set, unsigned count, unsigned step)
{
	char line[100];

	snprintf(line, sizeof line, "example. 9 SOA ns.example. h.example. %u 2 3 4 5", step);
	add_line(set, line, 0);
	for (unsigned i = 0; i < count; i++) {
		bool is_new = i / 20 < step;
		if (is_new && i % 20 == 7) continue;
		snprintf(line, sizeof line, "h%u.example. 60 A 192.0.2.%d", i, is_new ? 2 : 1);
		add_line(set, line, 0);
	}
	CHECK(records_sort(set, NULL) == OK);
}

/* 20 names and the apex in each change: 12 of them fill a top. */
TEST(a_top_goes_into_the_delta_at_256_names_and_a_tenth_of_the_base_is_a_merge)
{
	enum { HOSTS = 6000 };
	struct zone_pair pair = {.arenas = {arena_new(1 << 26), arena_new(1 << 26)}};
	struct name_buffer apex;
	unsigned step = 0, tops = 0;
	struct view_update update = {0};

	records_init(&pair.set, pair.arenas[0]);
	hosts_fill(&pair.set, HOSTS, 0);
	pair_layers_set(&pair,
			image_octets(&pair.set, name_in(&apex, "example."), 7, pair.arenas[0]), 0);
	while (!update.is_merge_due) {
		struct arena *arena = pair.arenas[pair.turn ^= 1];
		struct records after;
		struct change change;
		arena_reset(arena);
		records_init(&after, arena);
		hosts_fill(&after, HOSTS, ++step);
		CHECK(change_between(&pair.set, &after, arena, &change, NULL) == OK);
		change.digest_after = digest_of(&after);
		unsigned layers = pair.view.layer_count;
		CHECK(view_apply(&pair.view, &change, 0, arena, &update, NULL) == OK);
		pair.set = after;
		pair_layers_set(&pair, update.octets, update.stay);
		pair.model.serial = step;
		uint32_t top = image_node_count(&pair.view.layers[0]);
		tops += layers == 3 && pair.view.layer_count == 2;
		CHECK(step > 12 || (pair.view.layer_count == 2 && top == 1 + 20 * step));
		CHECK(step != 13 || (pair.view.layer_count == 3 && top == 21));
		CHECK(step != 24 || (pair.view.layer_count == 3 && top == 241));
		CHECK(step != 25 || (pair.view.layer_count == 2 && top == 501));
	}
	CHECK(tops == 2 && step == 38 && image_node_count(&pair.view.layers[0]) == 761);
	versions_agree(&pair);
	pair_end(&pair);
}

static const char *const plain_lines[] = {
	"example. 9 SOA ns.example. h.example. 1 2 3 4 5",
	"example. 9 NS ns.example.",
	"a.example. 60 A 192.0.2.1",
	"a.example. 60 A 192.0.2.2",
};

/* One record as a side of a change. */
static struct span side_of(struct arena *arena, const char *const *lines, size_t count)
{
	struct records set;

	set_from(&set, arena, lines, count);
	struct writer w = writer_of(arena_alloc(arena, set.wire_len + 1), set.wire_len + 1);
	for (size_t i = 0; i < set.count; i++) {
		struct record record = records_get(&set, i);
		record_write(&record, &w);
	}
	return writer_span(&w);
}

static const struct {
	enum code code;
	const char *removed, *added;
	const char *said; /* part of the sentence */
} bad_changes[] = {
	{E_CONFLICT, "a.example. 60 A 192.0.2.3", NULL, "not in the zone: a.example. 60 A"},
	{E_CONFLICT, "a.example. 61 A 192.0.2.1", NULL, "not in the zone: a.example. 61 A"},
	{E_CONFLICT, "b.example. 60 A 192.0.2.1", NULL, "not in the zone: b.example. 60 A"},
	{E_CONFLICT, "a.example. 60 TXT x", NULL, "not in the zone: a.example. 60 TXT"},
	{E_CONFLICT, NULL, "a.example. 60 A 192.0.2.2", "in the zone already: a.example. 60 A"},
	{E_CONFLICT, NULL, "a.example. 61 A 192.0.2.3", "several TTLs: a.example. 61 A"},
	{E_CONFLICT, NULL, "a.example.net. 60 A 192.0.2.3", "outside of the zone: a.example.net."},
	{E_CONFLICT, NULL, "net. 60 A 192.0.2.3", "outside of the zone: net."},
};

TEST(a_change_that_does_not_fit_is_refused_and_the_record_named)
{
	static const char *const soas[] = {"example. 9 SOA ns.example. h.example. 1 2 3 4 5",
					   "example. 9 SOA ns.example. h.example. 2 2 3 4 5"};
	struct layered l;

	layered_start(&l, plain_lines, ARRAY_COUNT(plain_lines));
	for (size_t i = 0; i < ARRAY_COUNT(bad_changes); i++) {
		const char *removed[] = {soas[0], bad_changes[i].removed};
		const char *added[] = {soas[1], bad_changes[i].added};
		struct change change = {.from_serial = 1,
					.to_serial = 2,
					.removed_count = removed[1] ? 2 : 1,
					.added_count = added[1] ? 2 : 1};
		struct view_update update;
		struct error err;
		change.removed = side_of(l.arena, removed, change.removed_count);
		change.added = side_of(l.arena, added, change.added_count);
		change.digest_after.count = 4 - change.removed_count + change.added_count;
		CHECK(view_apply(&l.view, &change, 0, l.arena, &update, &err) ==
		      bad_changes[i].code);
		CHECK(update.octets.len == 0);
		if (!strstr(err.text, bad_changes[i].said)) fail_msg("%zu: %s", i, err.text);
	}
	arena_free(l.arena);
}

/* RFC 4343: what is below a name, or comes there, changes nothing of its letters. */
TEST(a_name_keeps_its_letters_when_a_name_below_it_comes)
{
	static const char *const before[] = {
		"example. 9 SOA ns.example. h.example. 1 2 3 4 5",
		"example. 9 NS ns.example.",
		"Up.example. 60 A 192.0.2.1",
		"a.Empty.example. 60 A 192.0.2.1",
	};
	static const char *const lines[] = {
		"example. 9 SOA ns.example. h.example. 2 2 3 4 5",
		"example. 9 NS ns.example.",
		"Up.example. 60 A 192.0.2.1",
		"x.uP.example. 60 TXT below",
		"a.Empty.example. 60 A 192.0.2.1",
		"b.eMPTY.example. 60 A 192.0.2.1",
	};
	struct layered l;
	struct records after;
	struct change change;
	struct view_update update;
	struct name_buffer name;
	struct view view;
	struct node node;

	layered_start(&l, before, ARRAY_COUNT(before));
	set_from(&after, l.arena, lines, ARRAY_COUNT(lines));
	layered_change(&l, &after, &change);
	CHECK(view_apply(&l.view, &change, 0, l.arena, &update, NULL) == OK && update.stay == 0);
	CHECK(view_open(&update.octets, 1, &view, NULL) == OK);
	CHECK(view_find_exact(&view, name_in(&name, "up.example."), &node));
	CHECK(memcmp(node.owner.wire, "\2Up", 3) == 0);
	CHECK(view_find_exact(&view, name_in(&name, "empty.example."), &node));
	CHECK(memcmp(node.owner.wire, "\5Empty", 6) == 0);
	arena_free(l.arena);
}

static enum code apply_changed(struct layered *l, struct change change, const char *said)
{
	struct view_update update;
	struct error err = {0};
	enum code code = view_apply(&l->view, &change, 0, l->arena, &update, &err);

	if (!strstr(err.text, said)) fail_msg("%s", err.text);
	return code;
}

TEST(a_change_of_another_version_or_without_its_serial_is_refused)
{
	static const char *const lines[] = {
		"example. 9 SOA ns.example. h.example. 2 2 3 4 5",
		"example. 9 NS ns.example.",
		"b.example. 60 A 192.0.2.1",
	};
	struct layered l;
	struct records after;
	struct change change, bad;

	layered_start(&l, plain_lines, ARRAY_COUNT(plain_lines));
	set_from(&after, l.arena, lines, ARRAY_COUNT(lines));
	layered_change(&l, &after, &change);
	CHECK(apply_changed(&l, change, "") == OK);
	bad = change;
	bad.from_serial = 7;
	CHECK(apply_changed(&l, bad, "is at serial 1, the change is from 7") == E_CONFLICT);
	bad = change;
	bad.to_serial = 3;
	CHECK(apply_changed(&l, bad, "without such an SOA") == E_CONFLICT);
	bad = change;
	bad.digest_after.count++;
	CHECK(apply_changed(&l, bad, "says that 4 are left") == E_CONFLICT);
	bad = change;
	bad.added_count++;
	bad.digest_after.count++;
	CHECK(apply_changed(&l, bad, "as many records added as it says") == E_SYNTAX);
	bad = change;
	bad.removed.len--;
	CHECK(apply_changed(&l, bad, "are no record") == E_SYNTAX);
	bad.removed_count = UINT64_MAX;
	CHECK(apply_changed(&l, bad, "") == E_CONFLICT);
	arena_free(l.arena);
}

TEST(a_change_that_finds_no_memory_is_told_so)
{
	static const char *const lines[] = {
		"example. 9 SOA ns.example. h.example. 2 2 3 4 5",
		"example. 9 NS ns.example.",
		"x.y.z.example. 60 A 192.0.2.1",
	};
	struct layered l;
	struct records after;
	struct change change;
	struct view_update update;
	enum code code = E_NOMEM;

	layered_start(&l, plain_lines, ARRAY_COUNT(plain_lines));
	set_from(&after, l.arena, lines, ARRAY_COUNT(lines));
	layered_change(&l, &after, &change);
	for (size_t limit = 0; code; limit += 64) {
		struct arena *arena = arena_new(limit);
		struct error err;
		code = view_apply(&l.view, &change, 0, arena, &update, &err);
		CHECK(code == OK || (code == E_NOMEM && limit < 8192));
		arena_free(arena);
	}
	arena_free(l.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_are_the_zone_that_the_changes_made),
		cmocka_unit_test(
			a_large_zone_grows_a_top_a_delta_and_a_new_base_while_changes_come),
		cmocka_unit_test(a_small_zone_has_no_layers),
		cmocka_unit_test(
			a_top_goes_into_the_delta_at_256_names_and_a_tenth_of_the_base_is_a_merge),
		cmocka_unit_test(a_change_that_does_not_fit_is_refused_and_the_record_named),
		cmocka_unit_test(a_name_keeps_its_letters_when_a_name_below_it_comes),
		cmocka_unit_test(a_change_of_another_version_or_without_its_serial_is_refused),
		cmocka_unit_test(a_change_that_finds_no_memory_is_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
