/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/name.h"

#include <assert.h>

/*
 * Letters are lowered eight at a time: the sums carry into the top bit of each octet
 * exactly where it is at least 'A', and where it is above 'Z'. A label's length octet
 * is at most 63, below 'A', so whole names may be lowered without looking at labels.
 */
#define OCTETS(x) (UINT64_C(0x0101010101010101) * (x))

static uint64_t lower8(uint64_t octets)
{
	uint64_t low7 = octets & OCTETS(0x7f);
	uint64_t from_a = low7 + OCTETS(0x80 - 'A'), above_z = low7 + OCTETS(0x7f - 'Z');
	uint64_t upper = (from_a ^ above_z) & ~octets & OCTETS(0x80);

	return octets | upper >> 2;
}

static uint64_t load8(const uint8_t *p)
{
	uint64_t octets;
	memcpy(&octets, p, sizeof octets);
	return octets;
}

static uint8_t lower(uint8_t c)
{
	return (uint8_t)(c - 'A') < 26 ? c | 0x20 : c;
}

struct name name_root(void)
{
	static const uint8_t root[1] = {0};
	return (struct name){.wire = root, .len = 1};
}

void name_copy(struct name_buffer *to, struct name from)
{
	to->len = from.len;
	memcpy(to->wire, from.wire, from.len);
}

/* Octets of labels in a row, and whether the root label ends them; 0: none, or malformed. */
static size_t labels_len(const uint8_t *p, size_t left, bool *ends)
{
	size_t len = 0;

	*ends = false;
	while (len < left && p[len] < 0xc0 && !*ends) {
		size_t octet = p[len];
		if (octet > LABEL_OCTETS_MAX || octet >= left - len) return 0;
		len += octet + 1;
		if (len > NAME_OCTETS_MAX) return 0;
		*ends = octet == 0;
	}
	return len;
}

bool name_read(struct reader *r, struct name_buffer *out)
{
	enum { POINTER_COUNT_MAX = LABEL_COUNT_MAX };
	size_t at = r->at, end = 0, len = 0;
	unsigned pointers = 0;
	bool ends;

	if (r->failed) return false;
	r->failed = true;
	for (;;) {
		size_t start = at, part = labels_len(r->ptr + at, r->len - at, &ends);
		if (len + part > NAME_OCTETS_MAX) return false;
		memcpy(out->wire + len, r->ptr + at, part);
		len += part;
		at += part;
		if (ends) break;
		if (r->len - at < 2 || r->ptr[at] < 0xc0 || pointers++ == POINTER_COUNT_MAX)
			return false;
		if (!end) end = at + 2;
		at = (size_t)(r->ptr[at] & 0x3f) << 8 | r->ptr[at + 1];
		if (at >= start) return false;
	}
	out->len = (uint8_t)len;
	r->at = end ? end : at;
	r->failed = false;
	return true;
}

bool name_read_plain(struct reader *r, struct name *out)
{
	size_t len = 0, left = reader_left(r);
	const uint8_t *wire = r->ptr + r->at;
	uint8_t octet;

	do {
		octet = len < left ? wire[len] : 0xff;
		len += (size_t)octet + 1;
		if (octet > LABEL_OCTETS_MAX || len > left || len > NAME_OCTETS_MAX) {
			r->failed = true;
			return false;
		}
	} while (octet);

	r->at += len;
	*out = (struct name){.wire = wire, .len = (uint8_t)len};
	return true;
}

unsigned name_label_count(struct name name)
{
	unsigned count = 0;

	for (const uint8_t *p = name.wire; *p; p += *p + 1) count++;
	return count;
}

static bool octets_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	if (len < 8) {
		for (size_t i = 0; i < len; i++)
			if (lower(a[i]) != lower(b[i])) return false;
		return true;
	}
	for (size_t i = 0; i + 8 < len; i += 8)
		if (lower8(load8(a + i)) != lower8(load8(b + i))) return false;
	return lower8(load8(a + len - 8)) == lower8(load8(b + len - 8));
}

bool name_equal(struct name a, struct name b)
{
	return a.len == b.len && octets_equal(a.wire, b.wire, a.len);
}

static int label_compare(const uint8_t *a, const uint8_t *b)
{
	unsigned a_len = *a++, b_len = *b++;
	unsigned common = a_len < b_len ? a_len : b_len;

	for (unsigned i = 0; i < common; i++) {
		int difference = lower(a[i]) - lower(b[i]);
		if (difference) return difference;
	}
	return (int)a_len - (int)b_len;
}

/* How many octets at the end are the same in both, but for case; the root's at least. */
static unsigned common_end(struct name a, struct name b)
{
	unsigned limit = a.len < b.len ? a.len : b.len, common = 1;
	const uint8_t *a_end = a.wire + a.len, *b_end = b.wire + b.len;

	while (common + 8 <= limit &&
	       lower8(load8(a_end - common - 8)) == lower8(load8(b_end - common - 8)))
		common += 8;
	while (common < limit && lower(a_end[-1 - (int)common]) == lower(b_end[-1 - (int)common]))
		common++;
	return common;
}

/* A place between two labels, and the label before it; none at the start. */
struct boundary {
	const uint8_t *at, *label;
	unsigned left; /* octets from here to the end */
};

static void boundary_reach(struct boundary *boundary, unsigned left)
{
	while (boundary->left > left) {
		unsigned label = *boundary->at + 1u;
		boundary->label = boundary->at;
		boundary->at += label;
		boundary->left -= label;
	}
}

/*
 * The labels that decide stand before the first boundary from which on both are the same.
 * Equal octets alone do not make one: a length may equal an octet inside a label.
 */
int name_compare(struct name a, struct name b)
{
	unsigned common = common_end(a, b);
	struct boundary in_a = {.at = a.wire, .left = a.len}, in_b = {.at = b.wire, .left = b.len};

	do {
		boundary_reach(&in_a, common);
		boundary_reach(&in_b, common);
		common = in_a.left < in_b.left ? in_a.left : in_b.left;
	} while (in_a.left != in_b.left);
	if (!in_a.label || !in_b.label) return (in_a.label != NULL) - (in_b.label != NULL);
	return label_compare(in_a.label, in_b.label);
}

bool name_is_below(struct name name, struct name ancestor)
{
	unsigned at = 0, left = name.len;

	while (left > ancestor.len) {
		unsigned label = name.wire[at] + 1u;
		at += label;
		left -= label;
	}
	return left == ancestor.len && octets_equal(name.wire + at, ancestor.wire, left);
}

struct name name_parent(struct name name)
{
	unsigned label = name.wire[0];

	if (!label) return name;
	return (struct name){.wire = name.wire + label + 1, .len = (uint8_t)(name.len - label - 1)};
}

struct name name_without_labels(struct name name, unsigned count)
{
	while (count--) {
		assert(!name_is_root(name));
		name = name_parent(name);
	}
	return name;
}

bool name_is_root(struct name name)
{
	return name.len == 1;
}

bool name_is_wildcard(struct name name)
{
	return name.wire[0] == 1 && name.wire[1] == '*';
}

bool name_wildcard_child(struct name name, struct name_buffer *out)
{
	if (name.len + 2 > NAME_OCTETS_MAX) return false;
	out->wire[0] = 1;
	out->wire[1] = '*';
	memcpy(out->wire + 2, name.wire, name.len);
	out->len = (uint8_t)(name.len + 2);
	return true;
}

void name_lower(struct name name, struct name_buffer *out)
{
	unsigned i = 0;

	out->len = name.len;
	for (; i + 8 <= name.len; i += 8) {
		uint64_t octets = lower8(load8(name.wire + i));
		memcpy(out->wire + i, &octets, sizeof octets);
	}
	for (; i < name.len; i++) out->wire[i] = lower(name.wire[i]);
}
