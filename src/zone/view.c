/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/view_layers.h"

#include <assert.h>
#include <inttypes.h>

enum code view_damaged(const struct view *view, struct error *err)
{
	char text[NAME_TEXT_MAX];

	return error_set(err, E_DAMAGED, "the image of zone %s, serial %" PRIu32 ", is damaged",
			 name_to_text(view_apex(view), text), view_serial(view));
}

/* Was `layer` made over the version that `below` completes? No layer: it is a base. */
static bool layer_fits(const struct image *layer, const struct image *below)
{
	if (!below) return image_over(layer) == 0;
	return image_over(layer) == image_version(below) && layer->seed == below->seed &&
	       name_equal(image_apex(layer), image_apex(below));
}

enum code view_open(const struct span *layers, size_t count, struct view *out, struct error *err)
{
	char text[NAME_TEXT_MAX];

	assert(count > 0 && count <= VIEW_LAYERS_MAX);
	*out = (struct view){.layer_count = (unsigned)count};
	for (size_t i = 0; i < count; i++) {
		enum code code = image_open(layers[i], &out->layers[i], err);
		if (code) return code;
	}
	for (size_t i = 0; i < count; i++) {
		const struct image *layer = &out->layers[i];
		if (layer_fits(layer, i + 1 < count ? layer + 1 : NULL)) continue;
		return error_set(err, E_CONFLICT,
				 "layer %zu of zone %s, serial %" PRIu32
				 ", was not made over the one below it",
				 i + 1, name_to_text(image_apex(layer), text), image_serial(layer));
	}
	return OK;
}

struct name view_apex(const struct view *view)
{
	return image_apex(&view->layers[0]);
}

uint32_t view_serial(const struct view *view)
{
	return image_serial(&view->layers[0]);
}

uint64_t view_record_count(const struct view *view)
{
	return image_record_count(&view->layers[0]);
}

void view_digest(const struct view *view, struct zone_digest *out)
{
	image_digest(&view->layers[0], out);
}

static bool head_step(const struct view *view, struct view_cursor *cursor, unsigned i)
{
	if (image_step(&view->layers[i], &cursor->at[i], &cursor->heads[i])) return true;
	cursor->heads[i].octets = NULL;
	return cursor->at[i] == 0;
}

static bool heads_start(const struct view *view, struct view_cursor *cursor)
{
	cursor->started = true;
	for (unsigned i = 0; i < view->layer_count; i++)
		if (!head_step(view, cursor, i)) return false;
	return true;
}

/* The lowest of the heads, of equal ones the newest; the older ones are passed with it. */
static bool heads_take(const struct view *view, struct view_cursor *cursor, struct node *out)
{
	unsigned lowest = 0, passed = 0;

	for (unsigned i = 0; i < view->layer_count; i++) {
		const struct node *head = &cursor->heads[i];
		if (!head->octets) continue;
		int order = passed ? name_compare(head->owner, cursor->heads[lowest].owner) : -1;
		if (order > 0) continue;
		if (order < 0) {
			lowest = i;
			passed = 0;
		}
		passed |= 1u << i;
	}
	if (!passed) return false;
	*out = cursor->heads[lowest];
	for (unsigned i = 0; i < view->layer_count; i++)
		if (passed & 1u << i && !head_step(view, cursor, i)) cursor->damaged = true;
	return true;
}

static bool only_next(const struct view *view, struct view_cursor *cursor, struct node *out)
{
	if (cursor->started && cursor->at[0] == 0) return false;
	cursor->started = true;
	if (image_step(&view->layers[0], &cursor->at[0], out)) return true;
	cursor->damaged = cursor->at[0] != 0;
	return false;
}

bool view_next_entry(const struct view *view, struct view_cursor *cursor, struct node *out)
{
	if (cursor->damaged) return false;
	if (view->layer_count == 1) return only_next(view, cursor, out);
	if (!cursor->started && !heads_start(view, cursor)) {
		cursor->damaged = true;
		return false;
	}
	return heads_take(view, cursor, out);
}

bool view_next(const struct view *view, struct view_cursor *cursor, struct node *out)
{
	while (view_next_entry(view, cursor, out))
		if (!out->is_tombstone) return true;
	return false;
}

bool view_seek(const struct view *view, struct name name, struct view_cursor *out)
{
	*out = (struct view_cursor){.started = true};
	for (unsigned i = 0; i < view->layer_count; i++) {
		const struct image *layer = &view->layers[i];
		struct node node;
		enum probe found = layer_probe(layer, name, &node);
		if (found == PROBE_DAMAGED) return false;
		if (found == PROBE_NOTHING) continue;
		out->at[i] = (uint32_t)((size_t)(node.octets - layer->bytes.ptr) / IMAGE_UNIT);
		if (view->layer_count > 1 && !head_step(view, out, i)) return false;
	}
	return true;
}

bool record_walk_next(struct record_walk *walk)
{
	struct rrset *rrset = &walk->cursor.rrset;

	walk->has_record = false;
	while (!walk->has_rrset || !rrset_next(rrset, &walk->at, &walk->record.rdata)) {
		walk->is_damaged |= walk->has_rrset && walk->at != rrset->data.len;
		if (walk->is_damaged || !node_next_rrset(walk->node, &walk->cursor)) return false;
		walk->has_rrset = true;
		walk->at = 0;
	}
	walk->record.owner = walk->node->owner;
	walk->record.type = rrset->type;
	walk->record.class = CLASS_IN;
	walk->record.ttl = rrset->ttl;
	walk->is_damaged = rdata_check(rrset->type, walk->record.rdata, NULL) != OK;
	walk->has_record = !walk->is_damaged;
	return walk->has_record;
}

static enum code nodes_records(const struct view *view, struct records *out, struct error *err)
{
	struct view_cursor walk = {0};
	struct node node;

	while (view_next(view, &walk, &node)) {
		struct record_walk records = {.node = &node};
		while (record_walk_next(&records)) {
			enum code code = records_add(out, &records.record, (struct place){0}, err);
			if (code) return code;
		}
		if (records.is_damaged) return view_damaged(view, err);
	}
	if (walk.damaged || out->count != view_record_count(view)) return view_damaged(view, err);
	return OK;
}

enum code view_records(const struct view *view, struct records *out, struct error *err)
{
	enum code code = nodes_records(view, out, err);

	/* Linear, as they lie in order; where damage gave them another, they are sorted. */
	return code ? code : records_sort(out, err);
}
