/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front/request.h"

#include "host/clock.h"

enum { SECONDS_PER_DAY = 86400, KEEPALIVE_UNIT_NS = 100000000 };

/* What the configuration says, or what the supervisor's seed makes of the day. */
static const struct cookie_secrets *cookies_of(struct worker *worker, struct span configured,
					       uint64_t now_unix_s)
{
	uint64_t day = now_unix_s / SECONDS_PER_DAY;

	if (configured.len > 0) {
		worker->cookies = cookie_secrets_of(configured);
		worker->cookie_day = 0;
	} else if (worker->cookie_day != day) {
		worker->cookies =
			cookie_secrets_of_day(worker->shared->process->cookie_seed, now_unix_s);
		worker->cookie_day = day;
	}
	return &worker->cookies;
}

/* RFC 7828 3.1: in tenths of a second, of which 0 would mean "close now". */
static uint16_t keepalive_of(duration_ns idle_ns)
{
	int64_t units = (int64_t)idle_ns / KEEPALIVE_UNIT_NS;

	return (uint16_t)(units < 1 ? 1 : units > UINT16_MAX ? UINT16_MAX : units);
}

void batch_begin(struct worker *worker, struct batch_view *view)
{
	struct roster *roster = worker->shared->roster;

	/* First the mark, then the look: what is seen here is not freed before batch_end. */
	directory_reader_begin(roster->directory, worker->index);
	view->policy = atomic_load(&roster->policy);
	view->is_complete = atomic_load(&worker->shared->is_complete);
	view->now = clock_now(); /* a turn of the loop has several batches */
	view->now_unix_s = clock_unix_s();
	const struct policy *policy = view->policy->policy;
	view->server = (struct answer_server){
		.directory = roster->directory,
		.crypto = worker->crypto,
		.keys = policy->keys,
		.key_count = policy->key_count,
		.name = policy->server.name,
		.version = "lockstep " LOCKSTEP_VERSION,
		.cookie_secrets =
			*cookies_of(worker, policy->server.cookie_secret, view->now_unix_s),
		.keepalive = keepalive_of(policy->limits.tcp_idle_ns)};
}

void batch_end(struct worker *worker)
{
	directory_reader_end(worker->shared->roster->directory, worker->index);
}

static enum metric metric_of_rcode(uint16_t rcode)
{
	switch (rcode) {
	case RCODE_NOERROR: return METRIC_REPLIES_NOERROR;
	case RCODE_NXDOMAIN: return METRIC_REPLIES_NXDOMAIN;
	case RCODE_FORMERR: return METRIC_REPLIES_FORMERR;
	case RCODE_SERVFAIL: return METRIC_REPLIES_SERVFAIL;
	case RCODE_NOTIMP: return METRIC_REPLIES_NOTIMP;
	case RCODE_REFUSED: return METRIC_REPLIES_REFUSED;
	case RCODE_NOTAUTH: return METRIC_REPLIES_NOTAUTH;
	default: return METRIC_REPLIES_OTHER;
	}
}

/* False: there is no room for it. */
static bool notify_hand_on(struct worker *worker, const struct answer *result,
			   const struct endpoint *from)
{
	struct note note = {.kind = NOTE_NOTIFY,
			    .notify = {.from = *from,
				       .primary = (uint32_t)result->notify.primary,
				       .serial = result->notify.serial,
				       .has_serial = result->notify.has_serial}};

	name_copy(&note.notify.zone, result->zone->name);
	if (!mailbox_post(worker->shared->mailbox, &note)) return false;
	worker_count(worker, METRIC_NOTIFIES_RECEIVED, 1);
	return true;
}

static void refusal_note(struct worker *worker, const struct batch_view *view,
			 const struct answer *result, const struct endpoint *from)
{
	enum refusal refusal = refusal_of(result);

	if (refusal == REFUSAL_NONE) return;
	worker_count(worker,
		     refusal == REFUSAL_NOTIFY ? METRIC_NOTIFIES_REFUSED : METRIC_TRANSFERS_REFUSED,
		     1);
	refusal_log(&worker->refusals, refusal, view->server.directory, result, from);
}

static void reply_count(struct worker *worker, const struct answer *result)
{
	worker_count(worker, metric_of_rcode(result->rcode), 1);
	if (result->truncated) worker_count(worker, METRIC_REPLIES_TRUNCATED, 1);
	if (result->query.tsig.present && result->tsig.verdict != TSIG_NONE &&
	    result->tsig.verdict != TSIG_OK)
		worker_count(worker, METRIC_SIGNATURES_REFUSED, 1);
}

/*
 * Who gets no answer asks again: about a zone that the keeper has perhaps still to name,
 * or with a NOTIFY that could not be handed on.
 */
static bool is_premature(struct worker *worker, const struct batch_view *view,
			 const struct answer *result, const struct endpoint *from)
{
	if (result->notify.received) return !notify_hand_on(worker, result, from);
	return !view->is_complete && !result->zone &&
	       (result->rcode == RCODE_REFUSED || result->rcode == RCODE_NOTAUTH);
}

uint64_t requests_answer_fast(struct worker *worker, const struct batch_view *view,
			      enum transport transport, size_t count)
{
	struct answer_batch *answers = &worker->batch->answers;

	answers->server = &view->server;
	answers->transport = transport;
	answers->now = view->now;
	answers->now_unix_s = view->now_unix_s;
	answers->count = count;
	return answer_batch(answers);
}

void requests_count_fast(struct worker *worker, enum transport transport, uint64_t fast)
{
	const struct answer_item *items = worker->batch->answers.items;
	unsigned replies = (unsigned)__builtin_popcountll(fast), names_missing = 0;

	if (!fast) return;
	for (uint64_t left = fast; left; left &= left - 1)
		names_missing += items[__builtin_ctzll(left)].rcode == RCODE_NXDOMAIN;
	worker_count(worker, transport == TRANSPORT_UDP ? METRIC_QUERIES_UDP : METRIC_QUERIES_TCP,
		     replies);
	worker_count(worker, METRIC_REPLIES_NOERROR, replies - names_missing);
	worker_count(worker, METRIC_REPLIES_NXDOMAIN, names_missing);
}

void request_answer(struct worker *worker, const struct batch_view *view, struct span wire,
		    enum transport transport, const struct endpoint *from, struct writer *out,
		    struct answer *result)
{
	const struct answer_request request = {.wire = wire,
					       .address = from->address,
					       .transport = transport,
					       .now = view->now,
					       .now_unix_s = view->now_unix_s,
					       .turn = worker->turn++};

	worker_count(worker, transport == TRANSPORT_UDP ? METRIC_QUERIES_UDP : METRIC_QUERIES_TCP,
		     1);
	answer(&view->server, &request, out, result);
	if (result->kind == ANSWER_REPLY && is_premature(worker, view, result, from))
		result->kind = ANSWER_SILENCE;
	switch (result->kind) {
	case ANSWER_SILENCE: worker_count(worker, METRIC_UNANSWERED, 1); break;
	case ANSWER_REPLY:
		reply_count(worker, result);
		refusal_note(worker, view, result, from);
		break;
	case ANSWER_TRANSFER: break;
	}
}
