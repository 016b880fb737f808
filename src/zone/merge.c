/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/merge.h"

#include "zone/change_side.h"

static bool head_step(struct merge *merge)
{
	if (view_next_entry(&merge->upper, &merge->walk, &merge->head)) return true;
	merge->head.octets = NULL;
	return !merge->walk.damaged;
}

enum code merge_begin(struct merge *merge, const struct view *view, unsigned newest,
		      const struct touches *touches, struct error *err)
{
	*merge = (struct merge){.apex = view_apex(view),
				.seed = view->layers[0].seed,
				.upper = {.layer_count = newest},
				.lower = {.layer_count = view->layer_count - newest}};
	memcpy(merge->upper.layers, view->layers, newest * sizeof *view->layers);
	memcpy(merge->lower.layers, view->layers + newest,
	       merge->lower.layer_count * sizeof *view->layers);
	if (touches) merge->touches = *touches;
	if (newest && !head_step(merge)) return view_damaged(&merge->upper, err);
	return OK;
}

/* The next touched name, the next name of the layers, or both in one. */
static bool item_take(struct merge *merge, struct merge_item *item, bool *is_damaged)
{
	const struct touch *touch = NULL;
	int order = 1;

	if (merge->touched < merge->touches.count) touch = &merge->touches.list[merge->touched];
	if (!touch && !merge->head.octets) return false;
	if (touch) order = merge->head.octets ? name_compare(touch->name, merge->head.owner) : -1;
	if (order <= 0) {
		*item = (struct merge_item){.name = touch->name,
					    .touch = touch,
					    .node = touch->before,
					    .is_tombstone = !touch->exists};
		/* In the letters of its own records, not of a name below it. */
		if (touch->is_changed && touch->after.to > touch->after.from)
			item->name = records_get(&merge->touches.after, touch->after.from).owner;
		else if (touch->before.octets)
			item->name = touch->before.owner;
		merge->touched++;
	} else {
		*item = (struct merge_item){.name = merge->head.owner,
					    .node = merge->head,
					    .is_tombstone = merge->head.is_tombstone};
	}
	*is_damaged = order >= 0 && !head_step(merge);
	return true;
}

static bool records_have(const struct records *set, struct run run, uint16_t type)
{
	for (size_t i = run.from; i < run.to; i++)
		if (records_get(set, i).type == type) return true;
	return false;
}

/* Whether the new layer has the name in the chain itself. */
static bool item_is_in_chain(const struct merge *merge, const struct merge_item *item,
			     uint16_t type)
{
	const struct touch *touch = item->touch;

	if (item->is_tombstone) return false;
	if (!touch || !touch->is_changed) return node_is_in_chain(&item->node, type, merge->apex);
	return name_fits_chain(item->name, type, merge->apex) &&
	       records_have(&merge->touches.after, touch->after, type);
}

/*
 * The link of a name that the layers below have in the chain and the new one does not.
 * Names come in order, so when the one before it in the chain is taken out as well, it is
 * the last one that was, and leads where that one leads: no link leads to a name that the
 * layer hides.
 */
static bool link_find(struct merge *merge, const struct merge_item *item, const struct node *below,
		      uint16_t type, struct name *link)
{
	struct merge_hidden *hidden = type == RRTYPE_NSEC ? &merge->nsec : &merge->nsec3;

	if (!node_is_in_chain(below, type, merge->apex) || item_is_in_chain(merge, item, type))
		return true;
	if (!view_chain_before(&merge->lower, type, below->owner, link)) return false;
	if (link->len && hidden->name.len && name_equal(*link, hidden->name)) *link = hidden->link;
	*hidden = (struct merge_hidden){.name = below->owner, .link = *link};
	return true;
}

/* What the item has to say to the layers below; false in `is_needed` when that is nothing. */
static bool item_settle(struct merge *merge, struct merge_item *item, bool *is_needed)
{
	struct node below;

	*is_needed = !item->is_tombstone;
	if (merge->lower.layer_count == 0) return true;
	if (*is_needed && item_is_in_chain(merge, item, RRTYPE_NSEC) &&
	    item_is_in_chain(merge, item, RRTYPE_NSEC3))
		return true;
	switch (view_probe(&merge->lower, item->name, &below)) {
	case PROBE_DAMAGED: return false;
	case PROBE_NOTHING: return true;
	case PROBE_FOUND: break;
	}
	*is_needed = true;
	return link_find(merge, item, &below, RRTYPE_NSEC, &item->links.nsec) &&
	       link_find(merge, item, &below, RRTYPE_NSEC3, &item->links.nsec3);
}

/* Whose octets lie: the walk of the upper layers, or what it was compared with. */
static enum code merge_damaged(const struct merge *merge, struct error *err)
{
	return view_damaged(merge->upper.layer_count ? &merge->upper : &merge->lower, err);
}

bool merge_next(struct merge *merge, struct merge_item *item, enum code *code, struct error *err)
{
	bool is_damaged = false, is_needed = false;

	*code = OK;
	while (!is_needed) {
		if (!item_take(merge, item, &is_damaged)) return false;
		/* The writer trusts this order. */
		is_damaged |= merge->last.len ? name_compare(merge->last, item->name) >= 0
					      : item->name.len != merge->apex.len;
		merge->last = item->name;
		if (is_damaged || !item_settle(merge, item, &is_needed)) {
			*code = merge_damaged(merge, err);
			return false;
		}
	}
	return true;
}

static enum code rrset_write(const struct records *set, struct run run, struct image_writer *iw,
			     struct error *err)
{
	struct record first = records_get(set, run.from);

	image_write_rrset(iw, first.type, first.ttl);
	for (size_t i = run.from; i < run.to; i++) {
		struct record record = records_get(set, i);
		if (record.ttl != first.ttl)
			return change_conflict(&record, "the change leaves several TTLs", err);
		image_write_rdata(iw, record.rdata);
	}
	return OK;
}

static void rrsets_copy(const struct node *node, struct image_writer *iw)
{
	for (struct rrset_cursor cursor = {0}; node_next_rrset(node, &cursor);)
		image_write_rrset_copy(iw, &cursor.rrset);
}

enum code merge_item_write(const struct merge *merge, const struct merge_item *item,
			   struct image_writer *iw, struct error *err)
{
	const struct touch *touch = item->touch;
	bool has_links = item->links.nsec.len || item->links.nsec3.len;
	enum code code = OK;

	if (item->is_tombstone) {
		image_write_tombstone(iw, item->name, &item->links);
		return OK;
	}
	if (!touch && !has_links && !item->node.has_links) {
		image_write_copy(iw, &item->node);
		return OK;
	}
	image_write_node(iw, item->name,
			 touch ? touch->has_wildcard_child : item->node.has_wildcard_child);
	if (has_links) image_write_links(iw, &item->links);
	if (!touch || !touch->is_changed) {
		if (item->node.octets) rrsets_copy(&item->node, iw);
		return OK;
	}
	for (size_t i = touch->after.from; i < touch->after.to && !code;) {
		struct run rrset = rrset_run(&merge->touches.after, i, touch->after.to);
		code = rrset_write(&merge->touches.after, rrset, iw, err);
		i = rrset.to;
	}
	return code;
}

static void record_run_room(const struct records *set, struct run run, struct image_room *room)
{
	for (size_t i = run.from; i < run.to;) {
		struct run rrset = rrset_run(set, i, run.to);
		size_t octets = 0;
		for (; i < rrset.to; i++) octets += records_get(set, i).rdata.len;
		image_room_rrset(room, records_get(set, rrset.from).type, rrset.to - rrset.from,
				 octets);
	}
}

static void touches_room(const struct touches *touches, struct image_room *room)
{
	for (size_t i = 0; i < touches->count; i++) {
		const struct touch *touch = &touches->list[i];
		image_room_node(room, touch->name, NULL);
		if (touch->is_changed) {
			record_run_room(&touches->after, touch->after, room);
		} else if (touch->before.octets) {
			for (struct rrset_cursor c = {0}; node_next_rrset(&touch->before, &c);)
				image_room_rrset(room, c.rrset.type, c.rrset.count,
						 c.rrset.data.len);
		}
	}
}

static enum code merge_room(const struct merge *merge, size_t *octets, struct error *err)
{
	struct merge walk = *merge;
	struct merge_item item;
	struct image_room room = {0};
	enum code code = OK;

	for (unsigned i = 0; i < merge->upper.layer_count; i++)
		image_room_image(&room, &merge->upper.layers[i]);
	touches_room(&merge->touches, &room);
	/* Links are found anew and may be longer than those that were there. */
	while (merge->lower.layer_count && merge_next(&walk, &item, &code, err))
		if (item.links.nsec.len || item.links.nsec3.len)
			image_room_node(&room, item.name, &item.links);
	*octets = image_room_octets(&room, merge->apex);
	return code;
}

static enum code layer_write(struct merge *merge, const struct image_facts *facts,
			     struct writer *out, struct error *err)
{
	struct image_facts over = *facts;
	struct image_writer iw;
	struct merge_item item;
	enum code code;

	if (merge->lower.layer_count) over.over = image_version(&merge->lower.layers[0]);
	image_write_begin(&iw, merge->apex, merge->seed, &over, out);
	while (merge_next(merge, &item, &code, err))
		if ((code = merge_item_write(merge, &item, &iw, err))) return code;
	return code ? code : image_write_finish(&iw, err);
}

enum code merge_write(struct merge *merge, const struct image_facts *facts, struct arena *arena,
		      struct span *octets, struct error *err)
{
	char text[NAME_TEXT_MAX];
	size_t room;
	enum code code = merge_room(merge, &room, err);

	if (code) return code;
	if (room == 0)
		return error_set(err, E_LIMIT, "the image of zone %s would be larger than 16 GiB",
				 name_to_text(merge->apex, text));
	uint8_t *bytes = arena_alloc_bytes(arena, room);
	if (!bytes) return error_set(err, E_NOMEM, "no memory for a layer of %zu octets", room);
	struct writer w = writer_of(bytes, room);
	if ((code = layer_write(merge, facts, &w, err))) return code;
	*octets = writer_span(&w);
	return OK;
}
