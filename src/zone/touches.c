/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners come in canonical order, so the names above one are the path to the one before
 * it, as far as both agree; what is missing on the way is added (as in image_build.c).
 * What exists afterwards is settled from the last name to the first, the children of a
 * name before it.
 */
#include "zone/touches.h"

#include "zone/change_side.h"
#include "zone/path.h"
#include "zone/view_layers.h"

#include <assert.h>

enum { TOUCHES_MIN = 16 };

struct finding {
	const struct view *view;
	struct touches *touches;
	struct arena *arena;
	struct change_side removed, added;
	struct path path;                  /* of the last owner */
	size_t index[LABEL_COUNT_MAX + 1]; /* of the names on it, the apex at 0 */
};

static enum code touch_add(struct finding *f, struct name name, unsigned depth, struct error *err)
{
	struct touches *touches = f->touches;

	if (touches->count == touches->capacity) {
		size_t capacity = touches->capacity ? 2 * touches->capacity : TOUCHES_MIN;
		struct touch *list =
			arena_grow(f->arena, touches->list, touches->capacity * sizeof *list,
				   capacity * sizeof *list);
		if (!list)
			return error_set(err, E_NOMEM, "no memory for %zu changed names", capacity);
		touches->list = list;
		touches->capacity = capacity;
	}
	f->index[depth] = touches->count;
	struct touch *touch = &touches->list[touches->count++];
	*touch = (struct touch){.name = name, .parent = depth ? f->index[depth - 1] : 0};
	/* What is not below a name that exists does not exist: most new names cost no search. */
	if (depth && !touches->list[touch->parent].before.octets) return OK;
	switch (view_probe(f->view, name, &touch->before)) {
	case PROBE_FOUND: break;
	case PROBE_NOTHING: touch->before = (struct node){0}; break;
	case PROBE_DAMAGED: return view_damaged(f->view, err);
	}
	touch->has_wildcard_child = touch->before.octets && touch->before.has_wildcard_child;
	return OK;
}

/* Steps a walk over a name's records; E_DAMAGED when what comes is no record. */
static enum code walk_step(const struct finding *f, struct record_walk *walk, struct error *err)
{
	if (record_walk_next(walk) || !walk->is_damaged) return OK;
	return view_damaged(f->view, err);
}

static enum code removed_check(const struct record_walk *old, const struct record *removed,
			       struct error *err)
{
	if (old->has_record && record_compare(&old->record, removed) == 0 &&
	    old->record.ttl == removed->ttl && removed->class == CLASS_IN)
		return OK;
	return change_conflict(removed, "a record to remove is not in the zone", err);
}

/* Takes the first of what was there, is removed and is added, which has one at least. */
static enum code owner_step(struct finding *f, struct record_walk *old, bool is_removal,
			    bool is_addition, struct error *err)
{
	const struct record *removed = &f->removed.record, *added = &f->added.record;
	struct records *after = &f->touches->after;
	int order = !is_addition ? -1 : is_removal ? record_compare(removed, added) : 1;
	const struct record *change = order <= 0 ? removed : added;
	enum code code;

	if (old->has_record &&
	    (!(is_addition || is_removal) || record_compare(&old->record, change) < 0)) {
		code = records_add(after, &old->record, (struct place){0}, err);
		return code ? code : walk_step(f, old, err);
	}
	if (order <= 0) {
		if ((code = removed_check(old, removed, err))) return code;
		code = change_side_next(&f->removed, err);
		return code ? code : walk_step(f, old, err);
	}
	if (old->has_record && record_compare(&old->record, added) == 0)
		return change_conflict(added, "a record to add is in the zone already", err);
	if ((code = records_add(after, added, (struct place){0}, err))) return code;
	return change_side_next(&f->added, err);
}

/* The name's records after the change: the last touch is that of `owner`. */
static enum code owner_change(struct finding *f, struct name owner, struct error *err)
{
	struct touch *touch = &f->touches->list[f->touches->count - 1];
	struct record_walk old = {.node = &touch->before};
	enum code code = OK;

	touch->is_changed = true;
	touch->after.from = f->touches->after.count;
	if (touch->before.octets) code = walk_step(f, &old, err);
	while (!code) {
		bool is_removal = f->removed.wire && name_equal(f->removed.record.owner, owner);
		bool is_addition = f->added.wire && name_equal(f->added.record.owner, owner);
		if (!is_removal && !is_addition && !old.has_record) break;
		code = owner_step(f, &old, is_removal, is_addition, err);
	}
	touch->after.to = f->touches->after.count;
	return code;
}

/* The names above an owner that are not there yet, and then itself. */
static enum code owner_add(struct finding *f, const struct record *first, struct error *err)
{
	struct path last = f->path;
	enum code code;

	if (!path_set(&f->path, first->owner, view_apex(f->view)))
		return change_conflict(first, "a record outside of the zone", err);
	if (f->path.depth == 0) return owner_change(f, first->owner, err);
	for (unsigned depth = paths_shared(&last, &f->path) + 1; depth <= f->path.depth; depth++) {
		code = touch_add(f, path_name(&f->path, depth), depth, err);
		if (code) return code;
	}
	return owner_change(f, first->owner, err);
}

/*
 * Does a name that nothing touches exist below `touches[i]`? Both walks go up, so each
 * step passes a touched name or ends; the names that a layer hides cost a step, too.
 */
static enum code others_exist_below(const struct finding *f, size_t i, bool *exist,
				    struct error *err)
{
	const struct touches *touches = f->touches;
	const struct touch *top = &touches->list[i];
	struct view_cursor walk;
	struct node node;

	*exist = false;
	if (!view_seek(f->view, top->name, &walk)) return view_damaged(f->view, err);
	while (view_next(f->view, &walk, &node)) {
		if (!name_is_below(node.owner, top->name)) return OK;
		int order = 1;
		while (order > 0 && ++i < touches->count)
			order = name_compare(node.owner, touches->list[i].name);
		*exist = i == touches->count || order != 0;
		if (*exist) return OK;
	}
	return walk.damaged ? view_damaged(f->view, err) : OK;
}

static enum code existence_settle(struct finding *f, struct error *err)
{
	struct touches *touches = f->touches;
	enum code code;

	for (size_t i = touches->count; i-- > 0;) {
		struct touch *touch = &touches->list[i];
		bool has_records = touch->is_changed
					   ? touch->after.to > touch->after.from
					   : touch->before.octets && !touch->before.is_empty;
		/* Its touched children have said so already. */
		touch->exists |= i == 0 || has_records;
		if (!touch->exists && touch->before.octets &&
		    (code = others_exist_below(f, i, &touch->exists, err)))
			return code;
		if (i == 0) break;
		struct touch *parent = &touches->list[touch->parent];
		parent->exists |= touch->exists;
		if (name_is_wildcard(touch->name)) parent->has_wildcard_child = touch->exists;
	}
	return OK;
}

enum code touches_find(const struct view *before, const struct change *change, struct arena *arena,
		       struct touches *out, struct error *err)
{
	struct finding f = {.view = before, .touches = out, .arena = arena};
	struct name apex = view_apex(before);
	enum code code;

	*out = (struct touches){0};
	records_init(&out->after, arena);
	path_set(&f.path, apex, apex);
	if ((code = change_sides_open(change, &f.removed, &f.added, err))) return code;
	if ((code = touch_add(&f, apex, 0, err))) return code;
	while (f.removed.wire || f.added.wire) {
		bool is_removal = change_sides_order(&f.removed, &f.added) <= 0;
		struct record first = is_removal ? f.removed.record : f.added.record;
		if ((code = owner_add(&f, &first, err))) return code;
	}
	out->after.sorted = true;
	return existence_settle(&f, err);
}
