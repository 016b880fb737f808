/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/front/transfer_write.h"

#include "base/attributes.h"
#include "engine/limits.h"

#include <assert.h>

enum {
	POINTER_BITS = 0xc000,
	HEAD_OCTETS = 8,  /* type, class and TTL */
	COPY_OCTETS = 32, /* so many are copied at once, where there is room */
	WORD = sizeof(uint64_t),
	RECORD_OCTETS_MIN = 1 + HEAD_OCTETS + 2,
};

/* Thus no count of records comes to its end before the message does. */
_Static_assert(MESSAGE_OCTETS_MAX / RECORD_OCTETS_MIN < UINT16_MAX, "records in a message");

/* Of data, of which always some is behind what is read: an image ends with its index, and a
 * message has more room than can be pointed at. */
static inline uint64_t load_word(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return word;
}

/* The first `len` octets, 1 to 8, and nothing of what is behind them. */
static inline uint64_t load_few(const uint8_t *p, size_t len)
{
	unsigned behind = (unsigned)(WORD - len) * 8;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return load_word(p) << behind;
#else
	return load_word(p) >> behind;
#endif
}

static inline bool octets_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (; len > WORD; a += WORD, b += WORD, len -= WORD)
		if (load_word(a) != load_word(b)) return false;
	return load_few(a, len) == load_few(b, len);
}

static inline bool label_equal(const uint8_t *a, const uint8_t *b)
{
	return octets_equal(a, b, (size_t)*b + 1);
}

/* Somebody who aims at collisions gains a longer message, not time. */
static inline uint32_t label_home(const uint8_t *label, uint16_t parent)
{
	size_t len = (size_t)*label + 1;
	uint64_t hash = parent * UINT64_C(0x9e3779b97f4a7c15);

	for (; len > WORD; label += WORD, len -= WORD) {
		hash = (hash ^ load_word(label)) * UINT64_C(0xff51afd7ed558ccd);
		hash ^= hash >> 32;
	}
	hash = (hash ^ load_few(label, len)) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(hash >> (64 - TRANSFER_SLOT_BITS));
}

/* What is behind `len` octets may be written over too, for it is still to be written. */
static inline uint8_t *put_octets(const struct transfer_message *m, uint8_t *to,
				  const uint8_t *from, size_t len)
{
	if (likely(len <= COPY_OCTETS && (size_t)(m->start + m->max - to) >= COPY_OCTETS))
		memcpy(to, from, COPY_OCTETS);
	else
		memcpy(to, from, len);
	return to + len;
}

static inline uint8_t *put_pointer(uint8_t *to, uint16_t at)
{
	put_u16(to, (uint16_t)(POINTER_BITS | at));
	return to + sizeof at;
}

/* The name that begins here; false when there is none within `left` octets. */
static inline bool labels_read(struct transfer_labels *labels, const uint8_t *wire, size_t left)
{
	size_t at = 0;
	unsigned count = 0;

	if (left > NAME_OCTETS_MAX) left = NAME_OCTETS_MAX;
	for (; at < left && wire[at]; at += wire[at] + 1u) {
		if (wire[at] > LABEL_OCTETS_MAX) return false;
		labels->starts[count++] = (uint8_t)at;
	}
	if (at >= left) return false;
	labels->starts[count] = (uint8_t)at;
	labels->count = (uint8_t)count;
	return true;
}

static inline size_t labels_len(const struct transfer_labels *labels)
{
	return labels->starts[labels->count] + 1u;
}

/* Does the name end octet for octet as the apex does? Then `*count` labels are before it. */
static inline bool ends_in_apex(const struct transfer_labels *labels, const uint8_t *wire,
				struct name apex, unsigned *count)
{
	size_t len = labels_len(labels);
	unsigned i = labels->count;

	if (len < apex.len) return false;
	while (i > 0 && labels->starts[i] > len - apex.len) i--;
	*count = i;
	return labels->starts[i] == len - apex.len &&
	       octets_equal(wire + len - apex.len, apex.wire, apex.len);
}

/* A name on its way into the message. */
struct placement {
	const uint8_t *wire;
	const struct transfer_labels *labels;
	unsigned left;   /* so many of its labels are not known to stand in the message */
	uint16_t at;     /* where what follows them stands; 0: it is the root */
	uint16_t parent; /* where that without its first label does; 0: the root, or nobody knows */
	uint32_t home;   /* of the last one that is left */
};

/* Looks for the longest ending that stands in the message already. */
static inline void placement_find(const struct transfer_message *m, struct placement *p)
{
	for (; p->left > 0; p->left--) {
		const uint8_t *label = p->wire + p->labels->starts[p->left - 1];
		p->home = label_home(label, p->at);
		const struct transfer_slot *slot = &m->slots[p->home];
		/* Both at once: alone, each would be guessed wrongly every other time. */
		if ((slot->at == 0) | (slot->parent != p->at) ||
		    !label_equal(m->start + slot->at, label))
			return;
		p->parent = p->at;
		p->at = slot->at;
	}
}

/* Enters the labels that were left, now that they stand from `base` on. */
static inline void placement_enter(struct transfer_message *m, struct placement *p, size_t base)
{
	unsigned known = p->left;

	for (; p->left > 0; p->left--) {
		unsigned i = p->left - 1;
		size_t at = base + p->labels->starts[i];
		if (at > COMPRESSION_OFFSET_MAX) {
			p->at = p->parent = 0;
			return;
		}
		if (i + 1 < known) p->home = label_home(p->wire + p->labels->starts[i], p->at);
		m->slots[p->home] = (struct transfer_slot){.at = (uint16_t)at, .parent = p->at};
		p->parent = p->at;
		p->at = (uint16_t)at;
	}
}

/* Afterwards `p->at` is where it can be pointed at; 0: nowhere. */
static inline uint8_t *put_name(struct transfer_message *m, uint8_t *to, struct placement *p)
{
	size_t base = (size_t)(to - m->start);

	placement_find(m, p);
	to = put_octets(m, to, p->wire, p->labels->starts[p->left]);
	if (p->at)
		to = put_pointer(to, p->at);
	else
		*to++ = 0;
	placement_enter(m, p, base);
	return to;
}

/* Where the apex stands, once a name that ends in it does. */
static void apex_find(struct transfer_message *m)
{
	struct transfer_labels labels;
	bool is_name = labels_read(&labels, m->apex.wire, m->apex.len);
	struct placement p = {.wire = m->apex.wire, .labels = &labels, .left = labels.count};

	assert(is_name);
	placement_find(m, &p);
	m->apex_at = p.left == 0 ? p.at : 0;
}

void transfer_message_begin(struct transfer_message *m, const struct message_writer *mw,
			    struct name apex)
{
	struct transfer_labels labels;

	m->start = mw->w.ptr;
	m->len = mw->w.len;
	m->max = mw->w.cap;
	m->count = 0;
	m->apex = apex;
	m->apex_at = 0;
	memset(m->slots, 0, sizeof m->slots);
	if (mw->count[SECTION_QUESTION] == 0) return;

	bool is_name = labels_read(&labels, m->start + HEADER_OCTETS, m->len - HEADER_OCTETS);
	struct placement p = {
		.wire = m->start + HEADER_OCTETS, .labels = &labels, .left = labels.count};
	assert(is_name);
	placement_find(m, &p);
	placement_enter(m, &p, HEADER_OCTETS);
	apex_find(m);
}

void transfer_message_end(const struct transfer_message *m, struct message_writer *mw)
{
	mw->w.len = m->len;
	mw->section = SECTION_ANSWER;
	mw->count[SECTION_ANSWER] = m->count;
}

bool transfer_owner_read(struct transfer_owner *owner, struct name name, struct name apex)
{
	owner->name = name;
	owner->at = 0;
	if (!labels_read(&owner->labels, name.wire, name.len) ||
	    labels_len(&owner->labels) != name.len)
		return false;
	owner->is_local = ends_in_apex(&owner->labels, name.wire, apex, &owner->local_count);
	return owner->is_local || name_is_below(name, apex);
}

static inline uint8_t *put_owner(struct transfer_message *m, uint8_t *to,
				 struct transfer_owner *owner)
{
	if (likely(owner->at)) return put_pointer(to, owner->at);

	struct placement p = {
		.wire = owner->name.wire, .labels = &owner->labels, .left = owner->labels.count};
	if (likely(m->apex_at && owner->is_local)) {
		p.left = owner->local_count;
		p.at = m->apex_at;
	}
	to = put_name(m, to, &p);
	owner->at = p.at;
	if (m->apex_at == 0) apex_find(m);
	return to;
}

/* The parent of the name before, which often is that of the next one too. */
struct near {
	const uint8_t *wire;
	size_t len;
	uint16_t at; /* 0: there is none */
};

/* What is known of where a name in the data ends, before the table is asked. */
static inline void placement_begin(const struct transfer_message *m,
				   const struct transfer_owner *owner, const struct near *near,
				   struct placement *p)
{
	const uint8_t *rest = p->wire + p->labels->starts[1];
	size_t rest_len = labels_len(p->labels) - p->labels->starts[1];
	unsigned local_count;

	if (near->at && near->len == rest_len && octets_equal(near->wire, rest, rest_len)) {
		p->left = 1;
		p->at = near->at;
	} else if (owner->at && owner->name.len == rest_len &&
		   octets_equal(owner->name.wire, rest, rest_len)) {
		p->left = 1;
		p->at = owner->at;
	} else if (m->apex_at && ends_in_apex(p->labels, p->wire, m->apex, &local_count)) {
		p->left = local_count;
		p->at = m->apex_at;
	}
}

/* The data of one record, its length in front; NULL when its names are none. */
static inline uint8_t *put_data(struct transfer_message *m, uint8_t *to,
				const struct transfer_owner *owner, const struct rrset *rrset,
				struct span data, struct near *near)
{
	uint8_t *len_at = to;
	struct transfer_labels labels;

	to += sizeof(uint16_t);
	if (rrset->name_at > data.len) return NULL;
	to = put_octets(m, to, data.ptr, rrset->name_at);
	data.ptr += rrset->name_at;
	data.len -= rrset->name_at;
	for (unsigned i = 0; i < rrset->name_count; i++) {
		if (!labels_read(&labels, data.ptr, data.len)) return NULL;
		struct placement p = {.wire = data.ptr, .labels = &labels, .left = labels.count};
		size_t len = labels_len(&labels);
		if (labels.count) {
			placement_begin(m, owner, near, &p);
			to = put_name(m, to, &p);
			near->wire = data.ptr + labels.starts[1];
			near->len = len - labels.starts[1];
			near->at = p.parent;
		} else {
			*to++ = 0;
		}
		data.ptr += len;
		data.len -= len;
	}
	to = put_octets(m, to, data.ptr, data.len);
	put_u16(len_at, (uint16_t)(to - len_at - 2));
	return to;
}

static inline uint64_t record_head(const struct rrset *rrset)
{
	uint64_t head = (uint64_t)rrset->type << 48 | (uint64_t)CLASS_IN << 32 | rrset->ttl;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	head = __builtin_bswap64(head);
#endif
	return head;
}

enum transfer_put transfer_put_rrset(struct transfer_message *m, struct transfer_owner *owner,
				     const struct rrset *rrset, size_t *at)
{
	uint64_t head = record_head(rrset);
	struct near near = {0};
	size_t left = rrset->data.len - *at, len;

	for (const uint8_t *p = rrset->data.ptr + *at; left > 0; p += len, left -= len) {
		if (left < 2) return TRANSFER_PUT_DAMAGED;
		len = 2 + (size_t)(p[0] << 8 | p[1]);
		if (len > left) return TRANSFER_PUT_DAMAGED;
		/* No name takes more octets than it has. */
		if (m->len >= TRANSFER_MESSAGE_OCTETS ||
		    owner->name.len + sizeof head + len > m->max - m->len)
			return TRANSFER_PUT_FULL;
		uint8_t *to = put_owner(m, m->start + m->len, owner);
		memcpy(to, &head, sizeof head);
		to += sizeof head;
		if (rrset->name_count == 0)
			to = put_octets(m, to, p, len);
		else
			to = put_data(m, to, owner, rrset, span_of(p + 2, len - 2), &near);
		if (unlikely(!to)) return TRANSFER_PUT_DAMAGED;
		m->len = (size_t)(to - m->start);
		m->count++;
		*at += len;
	}
	return TRANSFER_PUT_ALL;
}
