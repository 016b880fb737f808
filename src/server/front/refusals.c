/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front/refusals.h"

#include "server/log.h"

#include <stdio.h>

enum { REASON_TEXT_MAX = 96 };

static void report(void *context, instant_ns now)
{
	struct refusals *refusals = context;

	(void)now;
	LOG(EVENT_REFUSALS_UNLOGGED, log_uint("count", refusals->unlogged));
	refusals->unlogged = 0;
}

void refusals_open(struct refusals *refusals, struct loop *loop)
{
	*refusals = (struct refusals){.loop = loop, .report = {.due = report, .context = refusals}};
}

void refusals_close(struct refusals *refusals)
{
	if (!refusals->loop) return;
	timer_cancel(refusals->loop, &refusals->report);
	if (refusals->unlogged) report(refusals, 0);
}

/* Whether there is a token in the bucket, and takes it. */
static bool may_log(struct refusals *refusals)
{
	instant_ns now = loop_now(refusals->loop);
	instant_ns full_at = refusals->full_at > now ? refusals->full_at : now;

	if (full_at - now > (REFUSALS_BURST - 1) * REFUSALS_PACE_NS) {
		if (refusals->unlogged++ == 0)
			timer_set_after(refusals->loop, &refusals->report, REFUSALS_REPORT_NS);
		return false;
	}
	refusals->full_at = full_at + REFUSALS_PACE_NS;
	return true;
}

enum refusal refusal_of(const struct answer *answer)
{
	const struct message *message = &answer->query.message;

	if (answer->kind != ANSWER_REPLY || !message->has_question) return REFUSAL_NONE;
	if (answer->rcode != RCODE_REFUSED && answer->rcode != RCODE_NOTAUTH) return REFUSAL_NONE;
	if (message->header.opcode == OPCODE_NOTIFY) return REFUSAL_NOTIFY;
	if (message->header.opcode != OPCODE_QUERY) return REFUSAL_NONE;
	bool is_transfer =
		message->question.type == RRTYPE_AXFR || message->question.type == RRTYPE_IXFR;
	return is_transfer ? REFUSAL_TRANSFER : REFUSAL_NONE;
}

/*
 * The remote whose address asked, where the zone's list wants one of its keys: told also
 * when the signature was so wrong that nobody looked at the zone.
 */
static const struct remote *remote_expected(enum refusal refusal, const struct directory *directory,
					    const struct answer *answer,
					    const struct endpoint *from)
{
	const struct question *question = &answer->query.message.question;
	const struct publication *zone = directory_find_exact(directory, name_of(&question->name));
	const struct requester unsigned_one = {from->address, TRANSPORT_TCP, NULL};

	if (answer->remote_without_key || !zone) return answer->remote_without_key;
	if (refusal == REFUSAL_TRANSFER)
		return access_check(&zone->policy->allow_transfer, &unsigned_one)
			.remote_without_key;
	for (size_t i = 0; i < zone->policy->primary_count; i++) {
		const struct access_item item = {.remote = zone->policy->primaries[i]};
		const struct access_list list = {&item, 1};
		const struct remote *remote = access_check(&list, &unsigned_one).remote_without_key;
		if (remote) return remote;
	}
	return NULL;
}

static const char *reason_print(const struct answer *answer, const struct remote *expected,
				char text[static REASON_TEXT_MAX])
{
	int64_t ahead_s = answer->tsig.peer_ahead_s;

	switch (answer->tsig.verdict) {
	case TSIG_BADKEY: return "its key is unknown";
	case TSIG_BADSIG: return "its key has another secret here";
	case TSIG_BADTRUNC: return "its signature is cut too short";
	case TSIG_BADTIME:
		snprintf(text, REASON_TEXT_MAX, "its clock is %lld s %s",
			 (long long)(ahead_s < 0 ? -ahead_s : ahead_s),
			 ahead_s < 0 ? "behind" : "ahead");
		return text;
	case TSIG_NONE:
	case TSIG_OK:
	case TSIG_FORMERR:
	case TSIG_FAILED: break;
	}
	if (!answer->zone) return "no zone of ours";
	if (expected) return "it must use a key";
	return answer->query.message.header.opcode == OPCODE_NOTIFY
		       ? "it is none of the zone's primaries"
		       : "the zone does not allow it";
}

void refusal_log(struct refusals *refusals, enum refusal refusal, const struct directory *directory,
		 const struct answer *answer, const struct endpoint *from)
{
	char zone[NAME_TEXT_MAX], key[NAME_TEXT_MAX] = "", reason[REASON_TEXT_MAX];
	const struct tsig *tsig = &answer->query.tsig;

	if (!may_log(refusals)) return;
	const struct remote *expected = remote_expected(refusal, directory, answer, from);
	if (tsig->present) name_to_text(name_of(&tsig->key_name), key);
	LOG(refusal == REFUSAL_NOTIFY ? EVENT_NOTIFY_REFUSED : EVENT_TRANSFER_REFUSED,
	    log_text("zone", name_to_text(name_of(&answer->query.message.question.name), zone)),
	    log_endpoint("from", from), log_text("reason", reason_print(answer, expected, reason)),
	    log_text("key", key), log_text("remote", expected ? expected->label : ""),
	    log_text("wanted-key",
		     expected && expected->key_count ? expected->keys[0]->label : ""));
}
