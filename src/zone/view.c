/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/view.h"
#include "zone/image_format.h"

#include <assert.h>
#include <inttypes.h>

enum code view_open(const struct span *layers, size_t count, struct view *out, struct error *err)
{
	assert(count == 1);
	*out = (struct view){.layer_count = (unsigned)count};
	return image_open(layers[0], &out->layers[0], err);
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

bool view_next(const struct view *view, struct view_cursor *cursor, struct node *out)
{
	if (cursor->started && cursor->at[0] == 0) return false;
	cursor->started = true;
	if (image_step(&view->layers[0], &cursor->at[0], out)) return true;
	cursor->damaged = cursor->at[0] != 0;
	return false;
}

void view_search_begin(struct view_search *search, const struct view *view, struct name name)
{
	*search = (struct view_search){view, name};
}

void view_search_touch(struct view_search *search)
{
	(void)search;
}

void view_search_end(struct view_search *search, struct view_lookup *out)
{
	view_find(search->view, search->name, out);
}

bool view_chain_find(const struct view *view, uint16_t type, struct name name, struct node *out)
{
	struct view_cursor walk = {0};
	struct node node, last = {0};
	struct rrset rrset;

	out->octets = NULL;
	while (view_next(view, &walk, &node)) {
		if (!node_rrset(&node, type, &rrset)) continue;
		if (name_compare(node.owner, name) <= 0) *out = node;
		last = node;
	}
	if (walk.damaged || !last.octets) return false;
	if (!out->octets) *out = last;
	return true;
}

static enum code rrset_records(const struct node *node, const struct rrset *rrset,
			       struct records *out, struct error *err)
{
	struct record record = {
		.owner = node->owner, .type = rrset->type, .class = CLASS_IN, .ttl = rrset->ttl};
	size_t at = 0;

	while (rrset_next(rrset, &at, &record.rdata)) {
		if (rdata_check(record.type, record.rdata, NULL)) return E_DAMAGED;
		enum code code = records_add(out, &record, (struct place){0}, err);
		if (code) return code;
	}
	return at == rrset->data.len ? OK : E_DAMAGED;
}

static enum code nodes_records(const struct view *view, struct records *out, struct error *err)
{
	struct view_cursor walk = {0};
	struct node node;

	while (view_next(view, &walk, &node)) {
		struct rrset_cursor cursor = {0};
		while (node_next_rrset(&node, &cursor)) {
			enum code code = rrset_records(&node, &cursor.rrset, out, err);
			if (code) return code;
		}
	}
	return !walk.damaged && out->count == view_record_count(view) ? OK : E_DAMAGED;
}

enum code view_records(const struct view *view, struct records *out, struct error *err)
{
	char text[NAME_TEXT_MAX];
	enum code code = nodes_records(view, out, err);

	if (code == E_DAMAGED)
		return error_set(err, E_DAMAGED,
				 "the image of zone %s, serial %" PRIu32 ", is damaged",
				 name_to_text(view_apex(view), text), view_serial(view));
	/* Linear, as they lie in order; where damage gave them another, they are sorted. */
	return code ? code : records_sort(out, err);
}
