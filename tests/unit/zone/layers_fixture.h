/* SPDX-License-Identifier: Apache-2.0 */
/* layers_fixture.h - versions of a small zone, each a layer over the one before. */
#ifndef TESTS_UNIT_ZONE_LAYERS_FIXTURE_H
#define TESTS_UNIT_ZONE_LAYERS_FIXTURE_H

#include "zone/image_fixture.h"

#include "zone/change.h"
#include "zone/delta.h"

enum { LAYERED_SEED = 77 };

struct layered {
	struct arena *arena;
	struct name_buffer apex;
	struct records set; /* of the newest version */
	struct view view;
};

/* Tells versions apart, and costs nothing. */
static inline struct zone_digest digest_of(const struct records *set)
{
	struct zone_digest digest = {.count = set->count};
	uint64_t sum = 0;

	for (size_t i = 0; i < set->count; i++)
		for (size_t at = 0; at < set->entries[i].owner_len + 10u; at++)
			sum = (sum ^ set->entries[i].wire[at]) * UINT64_C(1099511628211);
	memcpy(digest.sum, &sum, sizeof sum);
	return digest;
}

static inline struct span image_octets(const struct records *set, struct name apex, uint64_t seed,
				       struct arena *arena)
{
	struct zone_digest digest = digest_of(set);
	size_t len = image_size(set, apex);
	struct writer w = writer_of(arena_alloc(arena, len), len);
	struct error err;

	if (image_build(set, apex, seed, &digest, &w, &err)) fail_msg("%s", err.text);
	return writer_span(&w);
}

static inline void set_from(struct records *set, struct arena *arena, const char *const *lines,
			    size_t count)
{
	records_init(set, arena);
	add_lines(set, lines, count);
	CHECK(records_sort(set, NULL) == OK);
}

static inline void layered_start(struct layered *l, const char *const *lines, size_t count)
{
	*l = (struct layered){.arena = arena_new(1 << 24)};
	CHECK(l->arena != NULL);
	set_from(&l->set, l->arena, lines, count);
	name_copy(&l->apex, records_get(&l->set, 0).owner);
	struct span octets = image_octets(&l->set, name_of(&l->apex), LAYERED_SEED, l->arena);
	CHECK(view_open(&octets, 1, &l->view, NULL) == OK);
}

static inline void layered_change(struct layered *l, const struct records *after,
				  struct change *out)
{
	CHECK(change_between(&l->set, after, l->arena, out, NULL) == OK);
	out->digest_after = digest_of(after);
}

/* The image of what `change` touches together with so many of the newest layers. */
static inline struct span layer_octets(const struct view *view, const struct change *change,
				       unsigned newest, struct arena *arena)
{
	struct image_facts facts = {.serial = change->to_serial,
				    .record_count = change->digest_after.count,
				    .digest = change->digest_after};
	struct touches touches;
	struct merge merge;
	struct span octets;
	struct error err;

	if (touches_find(view, change, arena, &touches, &err)) fail_msg("%s", err.text);
	if (merge_begin(&merge, view, newest, &touches, &err)) fail_msg("%s", err.text);
	if (merge_write(&merge, &facts, arena, &octets, &err)) fail_msg("%s", err.text);
	return octets;
}

/* The next version, with so many of the newest layers written anew. */
static inline void layered_step(struct layered *l, unsigned newest, const char *const *lines,
				size_t count)
{
	struct span layers[VIEW_LAYERS_MAX];
	struct records after;
	struct change change;
	struct error err;
	unsigned stay = l->view.layer_count - newest;

	set_from(&after, l->arena, lines, count);
	layered_change(l, &after, &change);
	layers[0] = layer_octets(&l->view, &change, newest, l->arena);
	for (unsigned i = 0; i < stay; i++) layers[1 + i] = l->view.layers[newest + i].bytes;
	if (view_open(layers, 1 + stay, &l->view, &err)) fail_msg("%s", err.text);
	l->set = after;
}

#endif
