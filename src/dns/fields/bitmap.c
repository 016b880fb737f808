/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/fields/fields.h"

enum { WINDOW_COUNT = 256, WINDOW_OCTETS_MAX = 32 };

/* A window's octets are meaningful up to `len`, the rest is not even set. */
struct windows {
	uint8_t len[WINDOW_COUNT];
	uint8_t bits[WINDOW_COUNT][WINDOW_OCTETS_MAX];
};

static void windows_add(struct windows *windows, uint16_t type)
{
	uint8_t *len = &windows->len[type >> 8], *bits = windows->bits[type >> 8];
	unsigned at = (type & 0xff) / 8;

	if (at >= *len) {
		memset(bits + *len, 0, at + 1u - *len);
		*len = (uint8_t)(at + 1);
	}
	bits[at] |= (uint8_t)(0x80 >> type % 8);
}

enum code bitmap_from_text(struct words *in)
{
	struct windows windows;

	memset(windows.len, 0, sizeof windows.len);
	for (; words_left(in); in->at++) {
		uint16_t type;
		if (!rrtype_from_text(words_front(in), &type))
			return words_expected_text(in, "an RR type");
		windows_add(&windows, type);
	}
	for (unsigned i = 0; i < WINDOW_COUNT; i++) {
		if (!windows.len[i]) continue;
		write_u8(in->w, (uint8_t)i);
		write_u8(in->w, windows.len[i]);
		write_bytes(in->w, windows.bits[i], windows.len[i]);
	}
	return OK;
}

bool bitmap_check(struct reader *r)
{
	int last = -1;

	while (reader_left(r)) {
		int window = read_u8(r);
		uint8_t len = read_u8(r);
		struct span bits = read_span(r, len);
		if (window <= last || len == 0 || len > WINDOW_OCTETS_MAX || !bits.len)
			return false;
		if (bits.ptr[len - 1] == 0) return false;
		last = window;
	}
	return !r->failed;
}

static void types_print(struct span bits, unsigned window, bool *first, struct writer *w)
{
	char text[RRTYPE_TEXT_MAX];

	for (unsigned bit = 0; bit < bits.len * 8; bit++) {
		if (!(bits.ptr[bit / 8] & 0x80 >> bit % 8)) continue;
		if (!*first) write_u8(w, ' ');
		*first = false;
		write_text(w, rrtype_to_text((uint16_t)(window << 8 | bit), text));
	}
}

bool bitmap_print(struct reader *r, struct writer *w)
{
	bool first = true;

	while (reader_left(r)) {
		unsigned window = read_u8(r);
		types_print(read_span(r, read_u8(r)), window, &first, w);
	}
	return !r->failed;
}

enum { OLD_BITMAP_OCTETS_MAX = 16 };

/* NXT: one bitmap without a window, types up to 127; bit zero is reserved (RFC 2535 5.2). */
enum code old_bitmap_from_text(struct words *in)
{
	uint8_t bits[OLD_BITMAP_OCTETS_MAX] = {0};
	size_t len = 0;

	for (; words_left(in); in->at++) {
		uint16_t type;
		if (!rrtype_from_text(words_front(in), &type) || type == 0 ||
		    type >= 8 * sizeof bits)
			return words_expected(in);
		bits[type / 8] |= (uint8_t)(0x80 >> type % 8);
		if (type / 8u >= len) len = type / 8u + 1;
	}
	write_bytes(in->w, bits, len);
	return OK;
}

bool old_bitmap_print(struct reader *r, struct writer *w)
{
	bool first = true;

	types_print(read_rest(r), 0, &first, w);
	return true;
}

bool old_bitmap_check(struct reader *r)
{
	struct span bits = read_rest(r);

	if (bits.len == 0) return true;
	return bits.len <= OLD_BITMAP_OCTETS_MAX && !(bits.ptr[0] & 0x80) && bits.ptr[bits.len - 1];
}
