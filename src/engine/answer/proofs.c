/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/reply.h"

#include "dns/nsec3.h"

/* Links of other chains that are stepped over: while parameters change there are two. */
enum { OTHER_CHAIN_STEPS_MAX = 16 };

enum link { LINK_MISSING, LINK_MATCHES, LINK_COVERS };

/* The chain that denies what one zone does not have. */
struct prover {
	struct reply *r;
	const struct view *view;
	uint16_t type;              /* NSEC or NSEC3 */
	struct nsec3_params params; /* of NSEC3 */
};

static void tell_missing(struct reply *r, enum ede ede, const char *text)
{
	if (r->ede_text) return;
	r->ede = ede;
	r->ede_text = text;
}

/* RFC 5155 4.1.2: one with flags is to be ignored; of several each has a whole chain. */
static bool choose_nsec3(struct prover *p, const struct node *apex, bool *too_many)
{
	struct rrset rrset;
	struct span rdata;
	size_t at = 0;

	*too_many = false;
	if (!node_rrset(apex, RRTYPE_NSEC3PARAM, &rrset)) return false;
	while (rrset_next(&rrset, &at, &rdata)) {
		if (!nsec3_params_read(rdata, &p->params)) continue;
		if (p->params.algorithm != NSEC3_SHA1 || p->params.flags) continue;
		if (p->params.iterations <= NSEC3_ITERATIONS_MAX) return true;
		*too_many = true;
	}
	return false;
}

/* False when nothing is to be proven, or nothing can be. */
static bool prover_of(struct reply *r, const struct publication *zone, struct prover *p)
{
	struct node apex;
	struct rrset rrset;
	bool too_many;

	*p = (struct prover){.r = r, .view = &zone->view};
	if (!r->dnssec_ok || !view_find_exact(p->view, view_apex(p->view), &apex)) return false;
	p->type = RRTYPE_NSEC3;
	if (choose_nsec3(p, &apex, &too_many)) return true;
	p->type = RRTYPE_NSEC;
	if (node_rrset(&apex, RRTYPE_NSEC, &rrset)) return true;
	if (too_many)
		tell_missing(r, EDE_UNSUPPORTED_NSEC3_ITERATIONS, "too many iterations");
	else if (node_signatures(&apex, RRTYPE_SOA, &rrset))
		tell_missing(r, EDE_NSEC_MISSING, "the zone is signed without NSEC and NSEC3");
	return false;
}

/* The first record of the link that the chain has for `name`; its owner is a name. */
static bool chain_find(const struct prover *p, struct name name, struct node *node,
		       struct span *rdata)
{
	struct rrset rrset;
	struct name owner;
	size_t at = 0;

	if (!view_chain_find(p->view, p->type, name, node)) return false;
	struct reader r = reader_of(span_of(node->owner.wire, node->owner.len));
	if (!name_read_plain(&r, &owner) || !reader_done(&r)) return false;
	return node_rrset(node, p->type, &rrset) && rrset_next(&rrset, &at, rdata);
}

/* RFC 4034 4.1.1: the last one's next name is the apex. */
static enum link nsec_find(const struct prover *p, struct name name, struct node *node)
{
	struct span rdata;
	struct name next;

	if (!chain_find(p, name, node, &rdata)) return LINK_MISSING;
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

static enum link nsec3_find(const struct prover *p, struct name name, struct node *node)
{
	uint8_t hash[NSEC3_HASH_OCTETS], from[NSEC3_HASH_OCTETS];
	struct name_buffer owner;
	struct nsec3 nsec3;
	struct span rdata;

	if (!nsec3_hash(p->r->server->crypto, &p->params, name, hash)) return LINK_MISSING;
	memcpy(from, hash, sizeof from);
	for (unsigned step = 0; step < OTHER_CHAIN_STEPS_MAX; step++) {
		if (!nsec3_owner(from, view_apex(p->view), &owner)) return LINK_MISSING;
		if (!chain_find(p, name_of(&owner), node, &rdata)) return LINK_MISSING;
		if (!nsec3_read(rdata, &nsec3) || nsec3.next.len != NSEC3_HASH_OCTETS ||
		    !nsec3_owner_hash(node->owner, from))
			return LINK_MISSING;
		if (nsec3_params_equal(&nsec3.params, &p->params))
			return nsec3_relation(hash, from, nsec3.next.ptr);
		hash_decrement(from);
	}
	return LINK_MISSING;
}

static enum link link_find(const struct prover *p, struct name name, struct node *node)
{
	return p->type == RRTYPE_NSEC ? nsec_find(p, name, node) : nsec3_find(p, name, node);
}

/* Each link goes out once, whatever it proves. */
static void link_add(const struct prover *p, const struct node *node)
{
	struct rrset rrset;

	if (node_rrset(node, p->type, &rrset))
		reply_require(p->r, SECTION_AUTHORITY, node->owner, node, &rrset);
}

static void prove(const struct prover *p, struct name name, enum link wanted)
{
	struct node node;

	if (link_find(p, name, &node) == wanted)
		link_add(p, &node);
	else
		tell_missing(p->r, EDE_NSEC_MISSING, "a link of the chain is missing");
}

/*
 * RFC 5155 7.2.1: the closest encloser, and that the next name towards `name` is not
 * there. Where an opt-out span swallowed empty non-terminals the closest provable one
 * (7.2.4) takes its place; `encloser` becomes that.
 */
static bool prove_encloser(const struct prover *p, struct name name, struct name *encloser)
{
	unsigned labels = name_label_count(name), apex = name_label_count(view_apex(p->view));
	struct node node;

	for (unsigned depth = name_label_count(*encloser);; depth--) {
		*encloser = name_without_labels(name, labels - depth);
		if (link_find(p, *encloser, &node) == LINK_MATCHES) break;
		if (depth == apex) {
			tell_missing(p->r, EDE_NSEC_MISSING, "the apex has no NSEC3");
			return false;
		}
	}
	link_add(p, &node);
	prove(p, name_without_labels(name, labels - name_label_count(*encloser) - 1), LINK_COVERS);
	return true;
}

static void prove_no_wildcard(const struct prover *p, struct name encloser)
{
	struct name_buffer wildcard;

	if (name_wildcard_child(encloser, &wildcard)) prove(p, name_of(&wildcard), LINK_COVERS);
}

void reply_prove_no_name(struct reply *r, struct name encloser)
{
	struct prover p;

	if (!prover_of(r, r->zone, &p)) return;
	if (p.type == RRTYPE_NSEC)
		prove(&p, r->qname, LINK_COVERS);
	else if (!prove_encloser(&p, r->qname, &encloser))
		return;
	prove_no_wildcard(&p, encloser);
}

void reply_prove_no_type(struct reply *r, struct name name, const struct node *node)
{
	struct name encloser = name_parent(name);
	struct prover p;
	struct node found;

	if (!prover_of(r, r->zone, &p)) return;
	if (p.type == RRTYPE_NSEC)
		prove(&p, name, !node->is_empty ? LINK_MATCHES : LINK_COVERS);
	else if (link_find(&p, name, &found) == LINK_MATCHES)
		link_add(&p, &found);
	else if (!name_equal(name, view_apex(p.view)))
		prove_encloser(&p, name, &encloser);
	else
		tell_missing(r, EDE_NSEC_MISSING, "the apex has no NSEC3");
}

void reply_prove_no_type_of_wildcard(struct reply *r, struct name encloser,
				     const struct node *wildcard)
{
	struct name_buffer name;
	struct prover p;

	if (!prover_of(r, r->zone, &p) || !name_wildcard_child(encloser, &name)) return;
	if (p.type == RRTYPE_NSEC) {
		prove(&p, r->qname, LINK_COVERS);
		prove(&p, name_of(&name), !wildcard->is_empty ? LINK_MATCHES : LINK_COVERS);
	} else if (prove_encloser(&p, r->qname, &encloser)) {
		prove(&p, name_of(&name), LINK_MATCHES);
	}
}

static void prove_expansion(struct reply *r, const struct reply_expansion *expansion)
{
	unsigned labels = name_label_count(expansion->name);
	struct prover p;

	if (!prover_of(r, expansion->zone, &p)) return;
	if (p.type == RRTYPE_NSEC)
		prove(&p, expansion->name, LINK_COVERS);
	else
		prove(&p,
		      name_without_labels(expansion->name, labels - expansion->encloser_labels - 1),
		      LINK_COVERS);
}

void reply_note_expansion(struct reply *r, struct name encloser)
{
	r->expansions[r->expansion_count++] = (struct reply_expansion){
		.zone = r->zone, .name = r->qname, .encloser_labels = name_label_count(encloser)};
}

void reply_prove_expansions(struct reply *r)
{
	for (size_t i = 0; i < r->expansion_count; i++) prove_expansion(r, &r->expansions[i]);
	r->expansion_count = 0;
}
