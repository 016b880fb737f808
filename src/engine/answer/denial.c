/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/denial.h"

#include <assert.h>

/* Links of other chains that are stepped over: while parameters change there are two. */
enum { OTHER_CHAIN_STEPS_MAX = 16 };

enum link { LINK_MISSING, LINK_MATCHES, LINK_COVERS };

static void tell_missing(struct denial *d, enum ede ede, const char *text)
{
	if (d->ede_text) return;
	d->ede = ede;
	d->ede_text = text;
}

/* RFC 5155 4.1.2: one with flags is to be ignored; of several each has a whole chain. */
static bool choose_nsec3(struct denial *d, const struct node *apex, bool *too_many)
{
	struct rrset rrset;
	struct span rdata;
	size_t at = 0;

	*too_many = false;
	if (!node_rrset(apex, RRTYPE_NSEC3PARAM, &rrset)) return false;
	while (rrset_next(&rrset, &at, &rdata)) {
		if (!nsec3_params_read(rdata, &d->params)) continue;
		if (d->params.algorithm != NSEC3_SHA1 || d->params.flags) continue;
		if (d->params.iterations <= NSEC3_ITERATIONS_MAX) return true;
		*too_many = true;
	}
	return false;
}

bool denial_begin(struct denial *d, const struct view *view, struct crypto *crypto)
{
	struct node apex;
	struct rrset rrset;
	bool too_many;

	d->view = view;
	d->crypto = crypto;
	d->link_count = 0;
	d->ede_text = NULL;
	if (!view_find_exact(view, view_apex(view), &apex)) return false;
	d->type = RRTYPE_NSEC3;
	if (choose_nsec3(d, &apex, &too_many)) return true;
	d->type = RRTYPE_NSEC;
	if (node_rrset(&apex, RRTYPE_NSEC, &rrset)) return true;
	if (too_many)
		tell_missing(d, EDE_UNSUPPORTED_NSEC3_ITERATIONS, "too many iterations");
	else if (node_signatures(&apex, RRTYPE_SOA, &rrset))
		tell_missing(d, EDE_NSEC_MISSING, "the zone is signed without NSEC and NSEC3");
	return false;
}

/* The first record of the link that the chain has for `name`; its owner is a name. */
static bool chain_find(const struct denial *d, struct name name, struct node *node,
		       struct span *rdata)
{
	struct rrset rrset;
	size_t at = 0;

	if (!view_chain_find(d->view, d->type, name, node)) return false;
	return node_rrset(node, d->type, &rrset) && rrset_next(&rrset, &at, rdata);
}

/* RFC 4034 4.1.1: the last one's next name is the apex. */
static enum link nsec_find(const struct denial *d, struct name name, struct node *node)
{
	struct span rdata;
	struct name next;

	if (!chain_find(d, name, node, &rdata)) return LINK_MISSING;
	struct reader r = reader_of(rdata);
	if (!name_read_plain(&r, &next)) return LINK_MISSING;
	int behind = name_compare(name, node->owner);
	if (behind == 0) return LINK_MATCHES;
	bool is_last = name_compare(next, node->owner) <= 0;
	return behind > 0 && (is_last || name_compare(name, next) < 0) ? LINK_COVERS : LINK_MISSING;
}

static int hash_compare(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, NSEC3_HASH_OCTETS);
}

static enum link nsec3_relation(const uint8_t *hash, const uint8_t *owner, const uint8_t *next)
{
	int behind = hash_compare(hash, owner), before = hash_compare(hash, next);

	if (behind == 0) return LINK_MATCHES;
	if (hash_compare(next, owner) <= 0)
		return behind > 0 || before < 0 ? LINK_COVERS : LINK_MISSING;
	return behind > 0 && before < 0 ? LINK_COVERS : LINK_MISSING;
}

static void hash_decrement(uint8_t *hash)
{
	for (size_t i = NSEC3_HASH_OCTETS; i > 0 && hash[i - 1]-- == 0; i--) continue;
}

static enum link nsec3_find(const struct denial *d, struct name name, struct node *node)
{
	uint8_t hash[NSEC3_HASH_OCTETS], from[NSEC3_HASH_OCTETS];
	struct name_buffer owner;
	struct nsec3 nsec3;
	struct span rdata;

	if (!nsec3_hash(d->crypto, &d->params, name, hash)) return LINK_MISSING;
	memcpy(from, hash, sizeof from);
	for (unsigned step = 0; step < OTHER_CHAIN_STEPS_MAX; step++) {
		if (!nsec3_owner(from, view_apex(d->view), &owner)) return LINK_MISSING;
		if (!chain_find(d, name_of(&owner), node, &rdata)) return LINK_MISSING;
		if (!nsec3_read(rdata, &nsec3) || nsec3.next.len != NSEC3_HASH_OCTETS ||
		    !nsec3_owner_hash(node->owner, from))
			return LINK_MISSING;
		if (nsec3_params_equal(&nsec3.params, &d->params))
			return nsec3_relation(hash, from, nsec3.next.ptr);
		hash_decrement(from);
	}
	return LINK_MISSING;
}

static enum link link_find(const struct denial *d, struct name name, struct node *node)
{
	return d->type == RRTYPE_NSEC ? nsec_find(d, name, node) : nsec3_find(d, name, node);
}

/* Each link goes out once, whatever it proves. */
static void link_add(struct denial *d, const struct node *node)
{
	for (unsigned i = 0; i < d->link_count; i++)
		if (d->links[i].octets == node->octets) return;
	assert(d->link_count < DENIAL_LINKS_MAX);
	d->links[d->link_count++] = *node;
}

static void prove(struct denial *d, struct name name, enum link wanted)
{
	struct node node;

	if (link_find(d, name, &node) == wanted)
		link_add(d, &node);
	else
		tell_missing(d, EDE_NSEC_MISSING, "a link of the chain is missing");
}

/*
 * RFC 5155 7.2.1: the closest encloser, and that the next name towards `name` is not
 * there. Where an opt-out span swallowed empty non-terminals the closest provable one
 * (7.2.4) takes its place; `encloser` becomes that.
 */
static bool prove_encloser(struct denial *d, struct name name, struct name *encloser)
{
	unsigned labels = name_label_count(name), apex = name_label_count(view_apex(d->view));
	struct node node;

	for (unsigned depth = name_label_count(*encloser);; depth--) {
		*encloser = name_without_labels(name, labels - depth);
		if (link_find(d, *encloser, &node) == LINK_MATCHES) break;
		if (depth == apex) {
			tell_missing(d, EDE_NSEC_MISSING, "the apex has no NSEC3");
			return false;
		}
	}
	link_add(d, &node);
	prove(d, name_without_labels(name, labels - name_label_count(*encloser) - 1), LINK_COVERS);
	return true;
}

static void prove_no_wildcard(struct denial *d, struct name encloser)
{
	struct name_buffer wildcard;

	if (name_wildcard_child(encloser, &wildcard)) prove(d, name_of(&wildcard), LINK_COVERS);
}

/* The node's own NSEC, without a search; an empty non-terminal has none. */
static void prove_no_type(struct denial *d, struct name name, const struct node *node)
{
	struct rrset nsec;

	if (node_rrset(node, RRTYPE_NSEC, &nsec))
		link_add(d, node);
	else
		prove(d, name, !node->is_empty ? LINK_MATCHES : LINK_COVERS);
}

void denial_of_name(struct denial *d, struct name name, struct name encloser)
{
	if (d->type == RRTYPE_NSEC)
		prove(d, name, LINK_COVERS);
	else if (!prove_encloser(d, name, &encloser))
		return;
	prove_no_wildcard(d, encloser);
}

void denial_of_type(struct denial *d, struct name name, const struct node *node)
{
	struct name encloser = name_parent(name);
	struct node found;

	if (d->type == RRTYPE_NSEC)
		prove_no_type(d, name, node);
	else if (link_find(d, name, &found) == LINK_MATCHES)
		link_add(d, &found);
	else if (!name_equal(name, view_apex(d->view)))
		prove_encloser(d, name, &encloser);
	else
		tell_missing(d, EDE_NSEC_MISSING, "the apex has no NSEC3");
}

void denial_of_wildcard_type(struct denial *d, struct name name, struct name encloser,
			     const struct node *wildcard)
{
	struct name_buffer source;

	if (!name_wildcard_child(encloser, &source)) return;
	if (d->type == RRTYPE_NSEC) {
		prove(d, name, LINK_COVERS);
		prove_no_type(d, name_of(&source), wildcard);
	} else if (prove_encloser(d, name, &encloser)) {
		prove(d, name_of(&source), LINK_MATCHES);
	}
}

void denial_of_expanded(struct denial *d, struct name name, unsigned encloser_labels)
{
	unsigned labels = name_label_count(name);

	if (d->type != RRTYPE_NSEC) name = name_without_labels(name, labels - encloser_labels - 1);
	prove(d, name, LINK_COVERS);
}
