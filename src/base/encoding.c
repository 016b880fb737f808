/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encoding.h"

/* clang-format off */
const uint8_t base16_values[256] = {
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
         0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 16, 16, 16, 16, 16, 16,
        16, 10, 11, 12, 13, 14, 15, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 10, 11, 12, 13, 14, 15, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
};
/* clang-format on */

bool base16_decode(struct span text, struct writer *w)
{
	unsigned seen = 0;

	if (text.len % 2) return false;
	uint8_t *out = writer_take(w, text.len / 2);
	if (!out) return true;
	for (size_t i = 0; i < text.len; i += 2) {
		unsigned high = base16_values[text.ptr[i]], low = base16_values[text.ptr[i + 1]];
		seen |= high | low;
		*out++ = (uint8_t)(high << 4 | low);
	}
	return seen < 16;
}

void base16_encode(struct span bytes, struct writer *w)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *out = writer_take(w, bytes.len * 2);

	if (!out) return;
	for (size_t i = 0; i < bytes.len; i++) {
		*out++ = (uint8_t)digits[bytes.ptr[i] >> 4];
		*out++ = (uint8_t)digits[bytes.ptr[i] & 15];
	}
}

static int base32hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9') return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'v' ? c - 'a' + 10 : -1;
}

/* Eight digits as five octets; false when one is none. */
static bool base32hex_decode_group(const uint8_t *text, struct writer *w)
{
	uint64_t bits = 0;
	int bad = 0;

	for (unsigned i = 0; i < 8; i++) {
		int value = base32hex_value(text[i]);
		bad |= value;
		bits = bits << 5 | (uint64_t)(value & 31);
	}
	uint8_t *to = bad < 0 ? NULL : writer_take(w, 5);
	for (unsigned i = 0; to && i < 5; i++) to[i] = (uint8_t)(bits >> (32 - 8 * i));
	return bad >= 0;
}

bool base32hex_decode(struct span text, struct writer *w)
{
	uint32_t bits = 0;
	unsigned count = 0;
	size_t i = 0;

	for (; i + 8 <= text.len; i += 8)
		if (!base32hex_decode_group(text.ptr + i, w)) return false;
	for (; i < text.len; i++) {
		int value = base32hex_value(text.ptr[i]);
		if (value < 0) return false;
		bits = bits << 5 | (uint32_t)value;
		count += 5;
		if (count >= 8) {
			count -= 8;
			write_u8(w, (uint8_t)(bits >> count));
			bits &= (1u << count) - 1;
		}
	}
	return count < 5 && bits == 0;
}

void base32hex_encode(struct span bytes, struct writer *w)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	uint32_t bits = 0;
	unsigned count = 0;
	size_t i = 0;

	for (; i + 5 <= bytes.len; i += 5) {
		const uint8_t *p = bytes.ptr + i;
		uint64_t group = (uint64_t)p[0] << 32 | (uint32_t)p[1] << 24 |
				 (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
		uint8_t *to = writer_take(w, 8);
		for (unsigned k = 0; to && k < 8; k++)
			to[k] = (uint8_t)digits[group >> (35 - 5 * k) & 31];
	}
	for (; i < bytes.len; i++) {
		bits = bits << 8 | bytes.ptr[i];
		for (count += 8; count >= 5; count -= 5)
			write_u8(w, (uint8_t)digits[bits >> (count - 5) & 31]);
		bits &= (1u << count) - 1;
	}
	if (count) write_u8(w, (uint8_t)digits[bits << (5 - count) & 31]);
}

/* 0..63 for a digit of base64, 64 for anything else. */
/* clang-format off */
static const uint8_t base64_values[256] = {
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64, 64, 63,
        52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64,
        64,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
        15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64,
        64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
        41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
};
/* clang-format on */

/* The last group: two or three digits and their padding, the unused bits zero. */
static bool base64_decode_last(const uint8_t *p, struct writer *w)
{
	uint8_t a = base64_values[p[0]], b = base64_values[p[1]], c = base64_values[p[2]];

	if (a > 63 || b > 63 || p[3] != '=') return false;
	write_u8(w, (uint8_t)(a << 2 | b >> 4));
	if (p[2] == '=') return (b & 15) == 0;
	if (c > 63 || (c & 3)) return false;
	write_u8(w, (uint8_t)((b & 15) << 4 | c >> 2));
	return true;
}

bool base64_decode(struct span text, struct writer *w)
{
	if (text.len % 4) return false;
	if (text.len == 0) return true;

	const uint8_t *p = text.ptr, *last = text.ptr + text.len - 4;
	uint8_t *out = writer_take(w, (text.len / 4 - 1) * 3);
	if (!out) return true;
	for (; p < last; p += 4, out += 3) {
		uint8_t a = base64_values[p[0]], b = base64_values[p[1]];
		uint8_t c = base64_values[p[2]], d = base64_values[p[3]];
		if ((a | b | c | d) > 63) return false;
		out[0] = (uint8_t)(a << 2 | b >> 4);
		out[1] = (uint8_t)(b << 4 | c >> 2);
		out[2] = (uint8_t)(c << 6 | d);
	}
	if (last[3] == '=') return base64_decode_last(last, w);
	uint8_t a = base64_values[p[0]], b = base64_values[p[1]];
	uint8_t c = base64_values[p[2]], d = base64_values[p[3]];
	if ((a | b | c | d) > 63) return false;
	write_u8(w, (uint8_t)(a << 2 | b >> 4));
	write_u8(w, (uint8_t)(b << 4 | c >> 2));
	write_u8(w, (uint8_t)(c << 6 | d));
	return true;
}

void base64_encode(struct span bytes, struct writer *w)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *out = writer_take(w, (bytes.len + 2) / 3 * 4);

	if (!out) return;
	for (size_t i = 0; i < bytes.len; i += 3, out += 4) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t bits = (uint32_t)bytes.ptr[i] << 16;
		if (n > 1) bits |= (uint32_t)bytes.ptr[i + 1] << 8;
		if (n > 2) bits |= bytes.ptr[i + 2];
		out[0] = (uint8_t)digits[bits >> 18];
		out[1] = (uint8_t)digits[bits >> 12 & 63];
		out[2] = n > 1 ? (uint8_t)digits[bits >> 6 & 63] : '=';
		out[3] = n > 2 ? (uint8_t)digits[bits & 63] : '=';
	}
}
