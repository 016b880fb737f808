/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/model.h"

#include "zone/change.h"
#include "zone/delta.h"

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

/* A digest that tells versions apart, and costs nothing. */
static struct zone_digest digest_of(const struct records *set)
{
	struct zone_digest digest = {.count = set->count};
	uint64_t sum = 0;

	for (size_t i = 0; i < set->count; i++)
		sum += model_hash(records_get(set, i).owner) ^ records_get(set, i).ttl;
	struct record soa = records_get(set, 0);
	memcpy(digest.sum, soa.rdata.ptr, sizeof digest.sum);
	memcpy(digest.sum, &sum, sizeof sum);
	return digest;
}

static struct span image_make(const struct records *set, struct arena *arena)
{
	struct name_buffer apex;
	struct zone_digest digest = digest_of(set);
	size_t len = image_size(set, name_in(&apex, "example."));
	struct writer w = writer_of(arena_alloc(arena, len), len);

	CHECK(image_build(set, name_of(&apex), 77, &digest, &w, NULL) == OK);
	return writer_span(&w);
}

static void pair_start(struct zone_pair *pair, uint64_t seed, size_t lines_max)
{
	memset(pair, 0, sizeof *pair);
	pair->model.seed = seed;
	pair->model.lines_max = lines_max;
	pair->model.has_nsec = seed & 1;
	pair->model.has_nsec3 = seed & 2;
	pair->model.is_signed = seed & 4;
	for (unsigned i = 0; i < 2; i++) pair->arenas[i] = arena_new(1 << 26);
	for (unsigned i = 0; i < lines_max / 3; i++) model_step(&pair->model);
	records_init(&pair->set, pair->arenas[0]);
	model_records(&pair->model, &pair->set);
	pair_layers_set(pair, image_make(&pair->set, pair->arenas[0]), 0);
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
	struct image_facts facts = {.serial = change.to_serial,
				    .record_count = change.digest_after.count,
				    .digest = change.digest_after};
	struct touches touches;
	struct merge merge;
	struct span octets;
	struct error err;

	if (touches_find(&pair->view, &change, arena, &touches, &err)) fail_msg("%s", err.text);
	CHECK(merge_begin(&merge, &pair->view, newest, &touches, &err) == OK);
	if (merge_write(&merge, &facts, arena, &octets, &err)) fail_msg("%s", err.text);
	pair_layers_set(pair, octets, pair->view.layer_count - newest);
}

/* Merges the oldest layers, a few nodes at a time. */
static void pair_merge(struct zone_pair *pair, unsigned oldest, uint64_t *seed)
{
	struct view layers = view_oldest(&pair->view, oldest);
	unsigned rest = pair->view.layer_count - oldest;
	struct span spans[VIEW_LAYERS_MAX];
	size_t room = view_merge_room(&layers);
	struct writer w = writer_of(malloc(room), room);
	struct view_merge merge;
	struct error err;
	enum code code;

	CHECK(view_merge_begin(&merge, &layers, &w, &err) == OK);
	while (view_merge_step(&merge, draw(seed, 20) + 1, &code, &err)) CHECK(code == OK);
	if (code) fail_msg("%s", err.text);
	CHECK(merge.done <= merge.total);
	for (unsigned i = 0; i < oldest; i++) free(pair->octets[rest + i]);
	for (unsigned i = 0; i < rest; i++) spans[i] = pair->view.layers[i].bytes;
	spans[rest] = writer_span(&w);
	pair->octets[rest] = w.ptr;
	if (view_open(spans, rest + 1, &pair->view, &err)) fail_msg("%s", err.text);
}

static bool nodes_agree(const struct node *a, const struct node *b)
{
	struct rrset_cursor x = {0}, y = {0};

	if (!name_equal(a->owner, b->owner) || a->rrset_count != b->rrset_count ||
	    a->is_apex != b->is_apex || a->is_cut != b->is_cut || a->has_dname != b->has_dname ||
	    a->has_wildcard_child != b->has_wildcard_child)
		return false;
	if (a->rrset_count && memcmp(a->owner.wire, b->owner.wire, a->owner.len) != 0) return false;
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
	struct span octets = image_make(&pair->set, arena);
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
	for (uint64_t seed = 0; seed < 24; seed++) {
		struct zone_pair pair;
		pair_start(&pair, seed, 60);
		for (unsigned step = 0; step < 200; step++) {
			unsigned layers = pair.view.layer_count;
			unsigned newest = draw(&pair.model.seed, 10) ? layers > 1 : layers;
			if (draw(&pair.model.seed, 6) == 0 && layers < VIEW_LAYERS_MAX) newest = 0;
			if (draw(&pair.model.seed, 6) == 0) newest = layers - 1;
			pair_change(&pair, newest);
			versions_agree(&pair);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_are_the_zone_that_the_changes_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
