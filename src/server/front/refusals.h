/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refusals.h - transfers and NOTIFYs that were refused, in the log.
 *
 * An admin looks here when a secondary gets nothing: who asked, with which key, and
 * which it should have used. Strangers can cause any number of them, so a worker logs
 * REFUSALS_BURST at once and one a second after that; what was left out is counted and
 * owned up to.
 */
#ifndef SERVER_FRONT_REFUSALS_H
#define SERVER_FRONT_REFUSALS_H

#include "engine/answer/answer.h"
#include "host/loop.h"

enum { REFUSALS_BURST = 10 };

#define REFUSALS_PACE_NS   NS_PER_S        /* for one more line */
#define REFUSALS_REPORT_NS (10 * NS_PER_S) /* until the count of those left out is logged */

struct refusals {
	struct loop *loop;
	struct timer report;
	instant_ns full_at; /* when the bucket will hold REFUSALS_BURST lines again */
	uint64_t unlogged;
};

void refusals_open(struct refusals *refusals, struct loop *loop);
void refusals_close(struct refusals *refusals);

/* What a request was refused. */
enum refusal { REFUSAL_NONE, REFUSAL_TRANSFER, REFUSAL_NOTIFY };

/* Within the batch in which it was answered. */
enum refusal refusal_of(const struct answer *answer);
void refusal_log(struct refusals *refusals, enum refusal refusal, const struct directory *directory,
		 const struct answer *answer, const struct endpoint *from);

#endif
