/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/delta.h"

#include <assert.h>
#include <inttypes.h>

struct view view_oldest(const struct view *view, unsigned oldest)
{
	struct view layers = {.layer_count = oldest};

	assert(oldest > 0 && oldest <= view->layer_count);
	memcpy(layers.layers, view->layers + view->layer_count - oldest,
	       oldest * sizeof *view->layers);
	return layers;
}

static uint64_t octets_of(const struct view *view)
{
	uint64_t octets = 0;

	for (unsigned i = 0; i < view->layer_count; i++) octets += view->layers[i].bytes.len;
	return octets;
}

/* How many of the newest layers become one with what the change touches. */
static unsigned newest_count(const struct view *view, unsigned merging, size_t touched)
{
	unsigned layers = view->layer_count;
	unsigned free = layers - (merging ? merging : 1); /* of merges, and not the base */

	if (merging == 0 && octets_of(view) < ZONE_WHOLE_OCTETS_MAX) return layers;
	if (free == 0) return 0;
	if (touched + image_node_count(&view->layers[0]) <= TOP_NODES_MAX) return 1;
	/* The top has grown: it goes into the delta, or becomes it, unless that must wait. */
	if (free > 1) return free;
	return layers < VIEW_LAYERS_MAX ? 0 : 1;
}

/* `second` is the node count of the layer over the base. */
static bool merge_is_due(const struct image *base, uint64_t second)
{
	return second >= DELTA_NODES_MAX || second * DELTA_BASE_RATIO >= image_node_count(base);
}

static enum code version_check(const struct view *before, const struct change *change,
			       struct error *err)
{
	uint64_t count = view_record_count(before);
	char text[NAME_TEXT_MAX];

	name_to_text(view_apex(before), text);
	if (change->from_serial != view_serial(before))
		return error_set(err, E_CONFLICT,
				 "zone %s is at serial %" PRIu32 ", the change is from %" PRIu32,
				 text, view_serial(before), change->from_serial);
	if (change->removed_count > count ||
	    count - change->removed_count + change->added_count != change->digest_after.count)
		return error_set(err, E_CONFLICT,
				 "zone %s has %" PRIu64 " records; the change removes %" PRIu64
				 ", adds %" PRIu64 " and says that %" PRIu64 " are left",
				 text, count, change->removed_count, change->added_count,
				 change->digest_after.count);
	return OK;
}

/* The apex is the first name, and its SOA the first of its records (record_compare). */
static enum code serial_check(const struct view *before, const struct touches *touches,
			      const struct change *change, struct error *err)
{
	const struct touch *apex = &touches->list[0];
	uint32_t serial = view_serial(before);
	bool is_zone = true;

	if (apex->is_changed) {
		struct record record = {0};
		struct soa soa = {0};
		if (apex->after.to > 0) record = records_get(&touches->after, 0);
		is_zone = record.type == RRTYPE_SOA && soa_read(record.rdata, &soa);
		serial = soa.serial;
	}
	if (is_zone && serial == change->to_serial) return OK;
	char text[NAME_TEXT_MAX];
	return error_set(err, E_CONFLICT,
			 "the change to serial %" PRIu32 " leaves zone %s without such an SOA",
			 change->to_serial, name_to_text(view_apex(before), text));
}

enum code view_apply(const struct view *before, const struct change *change, unsigned merging,
		     struct arena *arena, struct view_update *out, struct error *err)
{
	struct image_facts facts = {.serial = change->to_serial,
				    .record_count = change->digest_after.count,
				    .digest = change->digest_after};
	struct touches touches;
	struct merge merge;
	struct image layer;
	enum code code;

	assert(before->layer_count > 0 && merging < VIEW_LAYERS_MAX &&
	       merging <= before->layer_count);
	*out = (struct view_update){0};
	if ((code = version_check(before, change, err))) return code;
	if ((code = touches_find(before, change, arena, &touches, err))) return code;
	if ((code = serial_check(before, &touches, change, err))) return code;
	unsigned newest = newest_count(before, merging, touches.count);
	if ((code = merge_begin(&merge, before, newest, &touches, err))) return code;
	if ((code = merge_write(&merge, &facts, arena, &out->octets, err))) return code;
	out->stay = before->layer_count - newest;
	if (out->stay == 0 || merging) return OK;
	if (out->stay > 1)
		layer = before->layers[before->layer_count - 2];
	else if ((code = image_open(out->octets, &layer, err)))
		return code;
	out->is_merge_due =
		merge_is_due(&before->layers[before->layer_count - 1], image_node_count(&layer));
	return OK;
}

size_t view_merge_room(const struct view *layers)
{
	struct image_room room = {0};

	for (unsigned i = 0; i < layers->layer_count; i++)
		image_room_image(&room, &layers->layers[i]);
	return image_room_octets(&room, view_apex(layers));
}

enum code view_merge_begin(struct view_merge *merge, const struct view *layers, struct writer *out,
			   struct error *err)
{
	struct image_facts facts = {.serial = view_serial(layers),
				    .record_count = view_record_count(layers)};

	*merge = (struct view_merge){0};
	for (unsigned i = 0; i < layers->layer_count; i++)
		merge->total += image_node_count(&layers->layers[i]);
	view_digest(layers, &facts.digest);
	enum code code = merge_begin(&merge->merge, layers, layers->layer_count, NULL, err);
	image_write_begin(&merge->writer, merge->merge.apex, merge->merge.seed, &facts, out);
	return code;
}

bool view_merge_step(struct view_merge *merge, size_t node_count, enum code *code,
		     struct error *err)
{
	struct merge_item item;

	*code = OK;
	for (size_t i = 0; i < node_count; i++, merge->done++) {
		if (!merge_next(&merge->merge, &item, code, err)) {
			if (!*code) *code = image_write_finish(&merge->writer, err);
			return false;
		}
		*code = merge_item_write(&merge->merge, &item, &merge->writer, err);
		if (*code) return false;
	}
	return true;
}
