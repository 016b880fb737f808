/* SPDX-License-Identifier: Apache-2.0 */
/* request.h - one request, whichever way it came. */
#ifndef SERVER_FRONT_REQUEST_H
#define SERVER_FRONT_REQUEST_H

#include "server/front/worker.h"

/* What a worker works with between directory_reader_begin and _end. */
struct batch_view {
	struct front_policy *policy;
	struct answer_server server;
	bool is_complete; /* a zone that is not there is none of ours */
	instant_ns now;
	uint64_t now_unix_s;
};

/* Begins and ends a batch: the view is valid in between. */
void batch_begin(struct worker *worker, struct batch_view *view);
void batch_end(struct worker *worker);

/*
 * Answers into `out` (as answer() does), counts it, logs what was refused and hands on a
 * NOTIFY. With ANSWER_SILENCE nothing is to be sent.
 */
void request_answer(struct worker *worker, const struct batch_view *view, struct span wire,
		    enum transport transport, const struct endpoint *from, struct writer *out,
		    struct answer *result);

/*
 * Answers what the fast path can of the first `count` items of the worker's batch, which
 * have their wire, room for the reply, and who sent them. Bit i is set where items[i] was
 * answered; the others are for request_answer. Those whose reply goes out are to be counted.
 */
uint64_t requests_answer_fast(struct worker *worker, const struct batch_view *view,
			      enum transport transport, size_t count);
void requests_count_fast(struct worker *worker, enum transport transport, uint64_t fast);

#endif
