/* SPDX-License-Identifier: Apache-2.0 */
/*
 * denial.h - which links of a zone's chain of NSEC or NSEC3 prove that something is not
 * there; the general builder and the fast path write them out.
 */
#ifndef ENGINE_ANSWER_DENIAL_H
#define ENGINE_ANSWER_DENIAL_H

#include "dns/edns.h"
#include "dns/nsec3.h"
#include "zone/view.h"

enum { DENIAL_LINKS_MAX = 3 };

/* What one chain says about one name. */
struct denial {
	const struct view *view;
	struct crypto *crypto;
	uint16_t type;              /* NSEC or NSEC3 */
	struct nsec3_params params; /* of NSEC3 */
	unsigned link_count;
	struct node
		links[DENIAL_LINKS_MAX]; /* each once, in the order of reply.h; all have `type` */
	enum ede ede;
	const char *ede_text; /* NULL: no link is missing */
};

/*
 * The chain that is used: of NSEC3 where the apex has a usable NSEC3PARAM, else of NSEC.
 * False when nothing is to be proven or, with `ede_text`, nothing can be.
 */
bool denial_begin(struct denial *d, const struct view *view, struct crypto *crypto);

/* Each of these once after denial_begin. `encloser` is an ancestor of `name`. */

/* No such name below this closest encloser, nor a wildcard there. */
void denial_of_name(struct denial *d, struct name name, struct name encloser);

/* The node of `name` does not have the type that was asked for. */
void denial_of_type(struct denial *d, struct name name, const struct node *node);

/* The wildcard below `encloser` stands for `name` and does not have the type. */
void denial_of_wildcard_type(struct denial *d, struct name name, struct name encloser,
			     const struct node *wildcard);

/* What was answered for `name` came from the wildcard below its last `encloser_labels` labels. */
void denial_of_expanded(struct denial *d, struct name name, unsigned encloser_labels);

#endif
