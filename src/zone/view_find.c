/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a name means, over the layers of a view. A layer that has a name has all names above
 * it (touches.h), so a layer that lacks one has nothing below it and is asked no more. All
 * layers have one seed, so each name is hashed once.
 */
#include "zone/view_layers.h"

/* Which layers are still asked, as a bit each. */
static unsigned all_layers(const struct view *view)
{
	return (1u << view->layer_count) - 1;
}

/* The newest layer that has the name decides, with a node or with a tombstone. */
static enum probe layers_probe(const struct view *view, unsigned *asked, uint64_t hash,
			       struct name name, struct node *out)
{
	for (unsigned i = 0; i < view->layer_count; i++) {
		if (!(*asked & 1u << i)) continue;
		enum probe found = image_probe(&view->layers[i], hash, name, out);
		if (found == PROBE_FOUND && out->is_tombstone) return PROBE_NOTHING;
		if (found != PROBE_NOTHING) return found;
		*asked &= ~(1u << i);
	}
	return PROBE_NOTHING;
}

/* RFC 4592 2.2.1: a name that does not exist may come from the wildcard below its closest
 * encloser, and from no other. */
static enum view_result find_wildcard(const struct view *view, unsigned asked, uint64_t hash,
				      struct name encloser, struct view_lookup *out)
{
	struct name_buffer wildcard;

	if (!out->encloser.has_wildcard_child) return VIEW_NOTHING;
	if (!name_wildcard_child(encloser, &wildcard)) return VIEW_DAMAGED;
	enum probe found = layers_probe(view, &asked, hash_label(hash, wildcard.wire),
					name_of(&wildcard), &out->node);
	return found == PROBE_FOUND ? VIEW_WILDCARD : VIEW_DAMAGED;
}

/*
 * RFC 1034 4.3.2 step 3: label by label from the apex down, until something decides. The
 * hashes of the highest names on the path are known.
 */
static enum view_result find(const struct view *view, const struct path *path,
			     const uint64_t *hashes, unsigned known, struct view_lookup *out)
{
	const struct image *newest = &view->layers[0];
	unsigned asked = all_layers(view);
	uint64_t hash = newest->seed;
	struct node next;

	if (!node_open(newest, newest->nodes_at, &out->node)) return VIEW_DAMAGED;
	for (unsigned depth = 1; depth <= path->depth; depth++) {
		if (out->node.has_dname) return VIEW_DNAME;
		unsigned asked_above = asked;
		uint64_t parent = hash;
		struct name name = path_name(path, depth);
		hash = depth <= known ? hashes[depth - 1] : hash_label(parent, name.wire);
		enum probe found = layers_probe(view, &asked, hash, name, &next);
		if (found != PROBE_FOUND) {
			out->encloser = out->node;
			out->node.octets = NULL;
			if (found == PROBE_DAMAGED) return VIEW_DAMAGED;
			return find_wildcard(view, asked_above, parent, path_name(path, depth - 1),
					     out);
		}
		out->node = next;
		if (next.is_cut) return VIEW_CUT;
	}
	return VIEW_EXACT;
}

void view_find(const struct view *view, struct name name, struct view_lookup *out)
{
	struct name_buffer lower;
	struct path path;

	out->result = VIEW_OUTSIDE;
	out->node.octets = out->encloser.octets = NULL;
	name_lower(name, &lower);
	if (!path_set(&path, name_of(&lower), view_apex(view))) return;
	out->result = find(view, &path, NULL, 0, out);
	if (out->result == VIEW_DAMAGED) out->node.octets = out->encloser.octets = NULL;
}

enum probe view_probe(const struct view *view, struct name name, struct node *out)
{
	const struct image *newest = &view->layers[0];
	unsigned asked = all_layers(view);
	struct name_buffer lower;
	struct path path;

	name_lower(name, &lower);
	if (!path_set(&path, name_of(&lower), view_apex(view))) return PROBE_NOTHING;
	if (path.depth > 0)
		return layers_probe(view, &asked, path_hash(newest->seed, &path), path.name, out);
	return node_open(newest, newest->nodes_at, out) ? PROBE_FOUND : PROBE_DAMAGED;
}

enum probe layer_probe(const struct image *layer, struct name name, struct node *out)
{
	struct name_buffer lower;
	struct path path;

	name_lower(name, &lower);
	if (!path_set(&path, name_of(&lower), image_apex(layer))) return PROBE_NOTHING;
	return image_probe(layer, path_hash(layer->seed, &path), path.name, out);
}

bool view_find_exact(const struct view *view, struct name name, struct node *out)
{
	return view_probe(view, name, out) == PROBE_FOUND;
}

void view_search_begin(struct view_search *search, const struct view *view, struct name name)
{
	uint64_t hash = view->layers[0].seed;

	search->view = view;
	search->known = 0;
	search->is_inside = path_set(&search->path, name, view_apex(view));
	if (!search->is_inside) return;
	while (search->known < VIEW_SEARCH_DEPTHS && search->known < search->path.depth) {
		hash = hash_label(hash, path_wire(&search->path, search->known + 1));
		search->hashes[search->known++] = hash;
		for (unsigned i = 0; i < view->layer_count; i++)
			image_probe_begin(&view->layers[i], hash);
	}
}

void view_search_touch(struct view_search *search)
{
	const struct view *view = search->view;
	bool is_there = true;

	/* Nothing is below a name that no layer has. */
	for (unsigned depth = 0; is_there && depth < search->known; depth++) {
		is_there = false;
		for (unsigned i = 0; i < view->layer_count; i++)
			is_there |= image_probe_touch(&view->layers[i], search->hashes[depth]);
	}
}

void view_search_end(struct view_search *search, struct view_lookup *out)
{
	out->result = VIEW_OUTSIDE;
	out->node.octets = out->encloser.octets = NULL;
	if (!search->is_inside) return;
	out->result = find(search->view, &search->path, search->hashes, search->known, out);
	if (out->result == VIEW_DAMAGED) out->node.octets = out->encloser.octets = NULL;
}
