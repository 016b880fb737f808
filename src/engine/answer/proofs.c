/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/denial.h"
#include "engine/answer/reply.h"

/* False when nothing is to be proven, or nothing can be. */
static bool begin(struct reply *r, const struct publication *zone, struct denial *d)
{
	if (!r->dnssec_ok) return false;
	if (denial_begin(d, &zone->view, r->server->crypto)) return true;
	if (d->ede_text && !r->ede_text) {
		r->ede = d->ede;
		r->ede_text = d->ede_text;
	}
	return false;
}

static void finish(struct reply *r, const struct denial *d)
{
	struct rrset rrset;

	for (unsigned i = 0; i < d->link_count; i++)
		if (node_rrset(&d->links[i], d->type, &rrset))
			reply_require(r, SECTION_AUTHORITY, d->links[i].owner, &d->links[i],
				      &rrset);
	if (d->ede_text && !r->ede_text) {
		r->ede = d->ede;
		r->ede_text = d->ede_text;
	}
}

void reply_prove_no_name(struct reply *r, struct name encloser)
{
	struct denial d;

	if (!begin(r, r->zone, &d)) return;
	denial_of_name(&d, r->qname, encloser);
	finish(r, &d);
}

void reply_prove_no_type(struct reply *r, struct name name, const struct node *node)
{
	struct denial d;

	if (!begin(r, r->zone, &d)) return;
	denial_of_type(&d, name, node);
	finish(r, &d);
}

void reply_prove_no_type_of_wildcard(struct reply *r, struct name encloser,
				     const struct node *wildcard)
{
	struct denial d;

	if (!begin(r, r->zone, &d)) return;
	denial_of_wildcard_type(&d, r->qname, encloser, wildcard);
	finish(r, &d);
}

void reply_note_expansion(struct reply *r, struct name encloser)
{
	r->expansions[r->expansion_count++] = (struct reply_expansion){
		.zone = r->zone, .name = r->qname, .encloser_labels = name_label_count(encloser)};
}

void reply_prove_expansions(struct reply *r)
{
	struct denial d;

	for (size_t i = 0; i < r->expansion_count; i++) {
		const struct reply_expansion *expansion = &r->expansions[i];
		if (!begin(r, expansion->zone, &d)) continue;
		denial_of_expanded(&d, expansion->name, expansion->encloser_labels);
		finish(r, &d);
	}
	r->expansion_count = 0;
}
