/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/batch.h"

enum {
	QUESTION_AT = HEADER_OCTETS,
	QUESTION_TAIL_OCTETS = 4, /* type and class */
	FLAGS_QR_AND_OPCODE = 0xf800,
	OPT_TTL_DNSSEC_OK = 0x8000,
	COOKIE_WITH_SERVER_MIN = 16, /* RFC 7873 4 */
	COOKIE_WITH_SERVER_MAX = 40,
	TYPE_META_FIRST = 128, /* to TYPE_META_LAST: RFC 6895 3.1 */
	TYPE_META_LAST = 255,
};

#define COUNTS_ONE_QUESTION  (UINT64_C(1) << 48) /* QD, AN, NS, AR: 16 bits each */
#define COUNTS_WITH_ONE_MORE (COUNTS_ONE_QUESTION | 1)

static uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)get_u16(p) << 16 | get_u16(p + 2);
}

static uint64_t get_u64(const uint8_t *p)
{
	return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

/* The labels of the question's name, its octets in lower case. */
static bool name_take(struct fast *f, const uint8_t *wire, size_t left)
{
	unsigned count = 0, at = 0;

	while (wire[at]) {
		if (wire[at] > LABEL_OCTETS_MAX || count == FAST_LABELS_MAX) return false;
		f->starts[count++] = (uint8_t)at;
		at += wire[at] + 1u;
		if (at >= left || at >= NAME_OCTETS_MAX) return false;
	}
	f->label_count = (uint8_t)count;
	f->name_len = (uint8_t)(at + 1);
	for (unsigned block = 0; block <= at; block += FOLD_BLOCK_OCTETS)
		fold_block(wire + block, f->lower + block);
	return true;
}

/* COOKIE (RFC 7873 4) and NSID, as resolvers send them with every question; each once. */
static bool options_take(struct fast *f, const uint8_t *p, size_t left)
{
	while (left >= OPTION_HEAD_OCTETS) {
		uint16_t code = get_u16(p);
		size_t len = get_u16(p + 2);
		p += OPTION_HEAD_OCTETS;
		left -= OPTION_HEAD_OCTETS;
		if (len > left) return false;
		if (code == EDNS_NSID && !f->wants_nsid) {
			f->wants_nsid = true;
		} else if (code == EDNS_COOKIE && !f->cookie) {
			if (len != COOKIE_CLIENT_OCTETS &&
			    (len < COOKIE_WITH_SERVER_MIN || len > COOKIE_WITH_SERVER_MAX))
				return false;
			f->cookie = p;
		} else {
			return false;
		}
		p += len;
		left -= len;
	}
	return left == 0;
}

/* An OPT, and nothing else; RFC 6891 6.1.2, 6.1.3. */
static bool opt_take(struct fast *f, const uint8_t *p, size_t left)
{
	f->has_edns = true;
	if (left < OPT_OCTETS || p[0] != 0 || get_u16(p + 1) != RRTYPE_OPT) return false;
	uint16_t udp_size = get_u16(p + 3);
	uint32_t ttl = get_u32(p + 5);
	if ((uint8_t)(ttl >> 16) != EDNS_VERSION || get_u16(p + 9) != left - OPT_OCTETS)
		return false;
	f->dnssec_ok = ttl & OPT_TTL_DNSSEC_OK;
	if (udp_size > UDP_OCTETS_MIN) f->octets_max = udp_size;
	return left == OPT_OCTETS || options_take(f, p + OPT_OCTETS, left - OPT_OCTETS);
}

/* Questions that have rules of their own. */
static bool type_is_ordinary(uint16_t type)
{
	return type != 0 && type != RRTYPE_OPT && type != RRTYPE_RRSIG && type != RRTYPE_NSEC3 &&
	       (type < TYPE_META_FIRST || type > TYPE_META_LAST);
}

bool fast_read(struct answer_batch *batch, size_t index)
{
	struct fast *f = &batch->fast[index];
	struct span wire = batch->items[index].wire;
	const uint8_t *p = wire.ptr;

	if (wire.len < QUESTION_AT + 1 + QUESTION_TAIL_OCTETS) return false;
	if (get_u16(p + 2) & FLAGS_QR_AND_OPCODE) return false;
	uint64_t counts = get_u64(p + 4);
	if ((counts | 1) != COUNTS_WITH_ONE_MORE) return false;
	if (!name_take(f, p + QUESTION_AT, wire.len - QUESTION_AT)) return false;

	size_t at = QUESTION_AT + (size_t)f->name_len;
	if (wire.len - at < QUESTION_TAIL_OCTETS) return false;
	f->type = get_u16(p + at);
	if (get_u16(p + at + 2) != CLASS_IN || !type_is_ordinary(f->type)) return false;
	at += QUESTION_TAIL_OCTETS;
	f->has_edns = f->dnssec_ok = f->wants_nsid = false;
	f->cookie = NULL;
	f->octets_max = UDP_OCTETS_MIN;
	if (counts == COUNTS_WITH_ONE_MORE) {
		if (!opt_take(f, p + at, wire.len - at)) return false;
	} else if (at != wire.len) {
		return false;
	}
	if (f->octets_max > UDP_OCTETS_MAX || batch->transport != TRANSPORT_UDP)
		f->octets_max = UDP_OCTETS_MAX;
	directory_search_begin(batch->server->directory, (struct name){f->lower, f->name_len},
			       f->starts, f->label_count, &f->zone_search);
	return true;
}
