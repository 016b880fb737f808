/* SPDX-License-Identifier: Apache-2.0 */
/* fast_links.h - links of NSEC and NSEC3 on the fast path, whose owners are anywhere in the zone.
 */
#ifndef ENGINE_ANSWER_FAST_LINKS_H
#define ENGINE_ANSWER_FAST_LINKS_H

#include "engine/answer/denial.h"
#include "engine/answer/fast_write.h"

/*
 * Writes the links that were found, with their signatures, to the authority section. `before`
 * are all names of the zone that stand in the message behind its question, in their order.
 */
bool fast_links_write(struct fast_out *out, const struct fast *f, const struct denial *d,
		      const struct fast_target *before, unsigned before_count);

#endif
