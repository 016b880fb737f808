/* SPDX-License-Identifier: Apache-2.0 */
/* fast_write.h - a response as it is put together on the fast path. */
#ifndef ENGINE_ANSWER_FAST_WRITE_H
#define ENGINE_ANSWER_FAST_WRITE_H

#include "base/writer.h"
#include "dns/message.h"
#include "engine/answer/fast.h"

enum {
	FAST_POINTER_BITS = 0xc000,
	FAST_RECORD_FIXED_OCTETS = 8 + 2, /* type, class, TTL; length of the data */
};

struct fast_out {
	uint8_t *start;
	size_t len;
	size_t max;
	uint16_t counts[SECTION_COUNT];
};

/*
 * How the owner of an RRset is written: a pointer, for the root one octet of zero
 * (decision 0013).
 */
struct fast_owner {
	uint8_t octets[2];
	uint8_t len;
};

static inline struct fast_owner fast_owner_at(size_t at)
{
	return (struct fast_owner){{(uint8_t)(FAST_POINTER_BITS >> 8 | at >> 8), (uint8_t)at}, 2};
}

/* The last `name_len` octets of the question's name, `question_len` long. */
static inline struct fast_owner fast_owner_in_question(size_t question_len, size_t name_len)
{
	if (name_len <= 1) return (struct fast_owner){{0}, 1};
	return fast_owner_at(HEADER_OCTETS + question_len - name_len);
}

/* Type, class IN and TTL as they follow an owner. */
static inline uint64_t fast_head(uint16_t type, uint32_t ttl)
{
	uint64_t head = (uint64_t)type << 48 | (uint64_t)CLASS_IN << 32 | ttl;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	head = __builtin_bswap64(head);
#endif
	return head;
}

/* Addresses, with their length in front, are what is copied most. */
static inline void fast_copy(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len == 2 + 4)
		memcpy(to, from, 2 + 4);
	else if (len == 2 + 16)
		memcpy(to, from, 2 + 16);
	else
		memcpy(to, from, len);
}

/* Few octets, as a label has: two copies that overlap. */
static inline void fast_copy_few(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len > 16) {
		memcpy(to, from, len);
	} else if (len >= 8) {
		memcpy(to, from, 8);
		memcpy(to + len - 8, from + len - 8, 8);
	} else if (len >= 4) {
		memcpy(to, from, 4);
		memcpy(to + len - 4, from + len - 4, 4);
	} else if (len >= 2) {
		memcpy(to, from, 2);
		memcpy(to + len - 2, from + len - 2, 2);
	} else if (len) {
		*to = *from;
	}
}

/* Owner and head of a record; there is room. Returns where its data goes on. */
static inline uint8_t *fast_put_head(uint8_t *to, struct fast_owner owner, uint64_t head)
{
	memcpy(to, owner.octets, sizeof owner.octets);
	memcpy(to + owner.len, &head, sizeof head);
	return to + owner.len + sizeof head;
}

/* All records of an RRset whose data goes out as it stands. */
static inline bool fast_write_plain(struct fast_out *out, enum section section,
				    struct fast_owner owner, const struct rrset *set, uint32_t ttl)
{
	const uint8_t *p = set->data.ptr;
	uint64_t head = fast_head(set->type, ttl);
	size_t left = set->data.len, len;
	uint16_t count = 0;

	for (; left >= 2; left -= len, p += len, count++) {
		len = 2 + (size_t)(p[0] << 8 | p[1]);
		size_t record_len = owner.len + sizeof head + len;
		if (len > left || record_len > out->max - out->len) return false;
		fast_copy(fast_put_head(out->start + out->len, owner, head), p, len);
		out->len += record_len;
	}
	out->counts[section] = (uint16_t)(out->counts[section] + count);
	return left == 0;
}

#endif
