/* SPDX-License-Identifier: Apache-2.0 */
#include "../question.h"
#include "blast.h"

#include <stdio.h>
#include <string.h>

enum { TYPE_RRSIG = 46, TYPE_NSEC = 47, TYPE_NSEC3 = 50, RECORD_FIXED_OCTETS = 10 };

static unsigned word_at(const uint8_t *message, size_t at)
{
	return (unsigned)message[at] << 8 | message[at + 1];
}

bool name_walk(const uint8_t *message, size_t len, size_t *at)
{
	while (*at < len) {
		unsigned octet = message[*at];
		if (octet >= 0xc0) {
			*at += 2;
			return *at <= len;
		}
		*at += 1 + octet;
		if (octet == 0) return true;
	}
	return false;
}

bool record_walk(const uint8_t *message, size_t len, size_t *at, struct record_head *head)
{
	if (!name_walk(message, len, at) || len - *at < RECORD_FIXED_OCTETS) return false;
	head->type = (uint16_t)word_at(message, *at);
	head->rdata_len = (uint16_t)word_at(message, *at + 8);
	head->rdata_at = *at + RECORD_FIXED_OCTETS;
	*at = head->rdata_at + head->rdata_len;
	return *at <= len;
}

/* The question as it was asked, all records whole, nothing behind them, and what DO brings. */
static const char *sample_complaint(const struct slot *slot, uint8_t wants, const struct options *o,
				    const uint8_t *message, size_t len)
{
	size_t question_len = slot->packet_len - HEADER_OCTETS - OPT_OCTETS;
	size_t at = HEADER_OCTETS + question_len;
	bool has_rrsig = false, has_denial = false;
	unsigned records = word_at(message, 6) + word_at(message, 8) + word_at(message, 10);

	if (len < at || memcmp(message + HEADER_OCTETS, slot->packet + HEADER_OCTETS, question_len))
		return "another question";
	for (unsigned i = 0; i < records; i++) {
		struct record_head head;
		if (!record_walk(message, len, &at, &head)) return "a record is cut off";
		has_rrsig |= head.type == TYPE_RRSIG;
		has_denial |= head.type == TYPE_NSEC || head.type == TYPE_NSEC3;
	}
	if (at != len) return "octets after the last record";
	if (!o->dnssec_ok) return NULL;
	if (wants & WANTS_RRSIG && !has_rrsig) return "no RRSIG";
	if (wants & WANTS_DENIAL && !has_denial) return "no NSEC or NSEC3";
	return NULL;
}

static const char *complaint(const struct expectation *e, const uint8_t *message)
{
	bool is_authoritative = message[2] & 0x04;
	unsigned answers = word_at(message, 6), authority = word_at(message, 8);

	if ((message[3] & 0x0f) != e->rcode) return "another rcode";
	if (word_at(message, 4) != 1) return "no question";
	if (e->wants & WANTS_AA && !is_authoritative) return "AA is not set";
	if (e->wants & WANTS_NO_AA && is_authoritative) return "AA is set";
	if (e->wants & WANTS_ANSWER && answers == 0) return "the answer section is empty";
	if (e->wants & WANTS_AUTHORITY && answers != 0) return "the answer section is not empty";
	if (e->wants & WANTS_AUTHORITY && authority == 0) return "the authority section is empty";
	return NULL;
}

static void complain(struct tally *t, const struct slot *slot, const uint8_t *message, size_t len,
		     const char *what)
{
	char name[96] = "";
	size_t used = 0;
	const uint8_t *label = slot->packet + HEADER_OCTETS;

	if (t->bad++) return;
	for (; *label && used + *label + 2 < sizeof name; label += 1 + *label)
		used += (size_t)snprintf(name + used, sizeof name - used, "%.*s.", *label,
					 (const char *)label + 1);
	snprintf(t->complaint, sizeof t->complaint, "%s: %s (rcode %d, %zu octets)", name, what,
		 len > 3 ? message[3] & 0x0f : -1, len);
}

void answer_check(struct slots *slots, const struct questions *q, const struct options *o,
		  struct tally *t, const uint8_t *message, size_t len)
{
	struct slot *slot =
		len < HEADER_OCTETS ? NULL : slots_find(slots, (uint16_t)word_at(message, 0));
	const char *what = NULL;

	if (!slot) {
		t->stray++;
		return;
	}
	t->answered++;
	t->octets += len;
	t->rcodes[message[3] & 0x0f]++;
	bool is_truncated = message[2] & 0x02;
	t->truncated += is_truncated;
	const struct expectation *e = &q->expected[slot->number];
	if (!(message[2] & 0x80)) {
		what = "QR is not set";
	} else if (!o->unchecked && !is_truncated) {
		what = complaint(e, message);
		if (!what && t->answered % SAMPLE_EVERY == 0) {
			t->sampled++;
			what = sample_complaint(slot, e->wants, o, message, len);
		}
	}
	if (what) complain(t, slot, message, len, what);
	slots_release(slots, slot);
}
