/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of NSEC or NSEC3 over the layers of a view. What a layer has in the chain it
 * finds itself; what it takes out of the chain below it says where that chain leads then.
 */
#include "zone/view_layers.h"

bool name_fits_chain(struct name name, uint16_t type, struct name apex)
{
	return chain_kind(name, type, apex.len) < CHAIN_KIND_COUNT;
}

bool node_is_in_chain(const struct node *node, uint16_t type, struct name apex)
{
	struct rrset rrset;

	return node->octets && !node->is_tombstone && name_fits_chain(node->owner, type, apex) &&
	       node_rrset(node, type, &rrset);
}

/* The last owner in the chain of one layer that lies within the bound; len 0: none. */
static bool layer_find(const struct image *layer, uint16_t type, struct name name, enum bound bound,
		       struct name *out)
{
	struct node node;
	enum probe found = image_chain_find(layer, type, name, bound, &node);

	*out = found == PROBE_FOUND ? node.owner : (struct name){0};
	return found != PROBE_DAMAGED;
}

/* What a layer makes of an owner in the chain of the layers below it. */
static bool layer_step(const struct image *layer, uint16_t type, struct name *name)
{
	struct node node;
	struct node_links links;

	switch (layer_probe(layer, *name, &node)) {
	case PROBE_NOTHING: return true;
	case PROBE_DAMAGED: return false;
	case PROBE_FOUND: break;
	}
	if (node_is_in_chain(&node, type, image_apex(layer))) return true;
	node_links(&node, &links);
	*name = type == RRTYPE_NSEC ? links.nsec : links.nsec3;
	return true;
}

/* From the base up: what was found below, as each layer has it, or what it has itself, if that
 * lies behind. */
static bool chain_find(const struct view *view, uint16_t type, struct name name, enum bound bound,
		       struct name *out)
{
	struct name own;

	*out = (struct name){0};
	for (unsigned i = view->layer_count; i-- > 0;) {
		const struct image *layer = &view->layers[i];
		if (out->len && !layer_step(layer, type, out)) return false;
		if (!layer_find(layer, type, name, bound, &own)) return false;
		if (own.len && (out->len == 0 || name_compare(own, *out) > 0)) *out = own;
	}
	return true;
}

bool view_chain_before(const struct view *view, uint16_t type, struct name name, struct name *out)
{
	return chain_find(view, type, name, BOUND_BEFORE, out);
}

/* Without layers what the index says is the node that is asked for. */
static bool base_find(const struct image *base, uint16_t type, struct name name, struct node *out)
{
	enum probe found = image_chain_find(base, type, name, BOUND_UP_TO, out);

	if (found == PROBE_NOTHING) found = image_chain_find(base, type, name, BOUND_NONE, out);
	if (found != PROBE_FOUND) out->octets = NULL;
	return found == PROBE_FOUND;
}

bool view_chain_find(const struct view *view, uint16_t type, struct name name, struct node *out)
{
	struct name owner;

	if (view->layer_count == 1) return base_find(&view->layers[0], type, name, out);
	out->octets = NULL;
	if (!chain_find(view, type, name, BOUND_UP_TO, &owner)) return false;
	if (owner.len == 0 && !chain_find(view, type, name, BOUND_NONE, &owner)) return false;
	return owner.len && view_find_exact(view, owner, out);
}
