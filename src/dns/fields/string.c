/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/decimal.h"
#include "dns/escape.h"
#include "dns/fields/fields.h"

enum { STRING_OCTETS_MAX = 255, DIGITS_MIN = 4 }; /* RFC 1183 3.1: the DNIC at least */

enum code string_from_text(struct words *in)
{
	struct writer *w = in->w;
	size_t start = w->len, bad;

	if (!words_left(in)) return words_expected(in);
	write_u8(w, 0);
	if (!unescape(words_front(in), w, &bad)) return words_bad_escape(in, bad);
	if (w->overflow) return OK;
	size_t len = w->len - start - 1;
	if (len > STRING_OCTETS_MAX)
		return error_set(in->err, E_RANGE,
				 "string of %zu octets, at most %d: split it into several strings",
				 len, STRING_OCTETS_MAX);
	w->ptr[start] = (uint8_t)len;
	in->at++;
	return OK;
}

bool string_check(struct reader *r)
{
	reader_skip(r, read_u8(r));
	return !r->failed;
}

bool string_print(struct reader *r, struct writer *w)
{
	escape_string(read_span(r, read_u8(r)), w);
	return !r->failed;
}

enum code strings_from_text(struct words *in)
{
	do {
		enum code code = string_from_text(in);
		if (code) return code;
	} while (words_left(in) && !in->w->overflow);
	in->at = in->count;
	return OK;
}

bool strings_check(struct reader *r)
{
	do {
		if (!string_check(r)) return false;
	} while (reader_left(r));
	return true;
}

bool strings_print(struct reader *r, struct writer *w)
{
	do {
		if (!string_print(r, w)) return false;
		if (reader_left(r)) write_u8(w, ' ');
	} while (reader_left(r));
	return true;
}

bool string_print_bare(struct reader *r, struct writer *w)
{
	write_span(w, read_span(r, read_u8(r)));
	return !r->failed;
}

/* A string of which `is_right` holds, given in one word. */
static enum code string_of_kind(struct words *in, bool (*is_right)(struct span))
{
	struct writer *w = in->w;
	size_t start = w->len;
	enum code code = string_from_text(in);

	if (code || w->overflow || is_right(span_of(w->ptr + start + 1, w->ptr[start])))
		return code;
	in->at--;
	return words_expected(in);
}

static bool string_of_kind_check(struct reader *r, bool (*is_right)(struct span))
{
	struct span string = read_span(r, read_u8(r));
	return !r->failed && is_right(string);
}

static bool is_digits(struct span string)
{
	return string.len >= DIGITS_MIN && decimal_is(string);
}

enum code digits_from_text(struct words *in)
{
	return string_of_kind(in, is_digits);
}

bool digits_check(struct reader *r)
{
	return string_of_kind_check(r, is_digits);
}

/* A sign, digits, and at most one dot. */
static bool is_coordinate(struct span string)
{
	size_t digits = 0, dots = 0;

	for (size_t i = 0; i < string.len; i++) {
		uint8_t c = string.ptr[i];
		if (i == 0 && (c == '-' || c == '+')) continue;
		digits += (uint8_t)(c - '0') < 10;
		dots += c == '.';
		if (c != '.' && (uint8_t)(c - '0') > 9) return false;
	}
	return digits > 0 && dots <= 1;
}

enum code coordinate_from_text(struct words *in)
{
	return string_of_kind(in, is_coordinate);
}

bool coordinate_check(struct reader *r)
{
	return string_of_kind_check(r, is_coordinate);
}

static bool is_tag(struct span string)
{
	for (size_t i = 0; i < string.len; i++) {
		uint8_t c = string.ptr[i];
		if ((uint8_t)(c - '0') > 9 && (uint8_t)((c | 0x20) - 'a') > 25) return false;
	}
	return string.len > 0;
}

enum code tag_from_text(struct words *in)
{
	return string_of_kind(in, is_tag);
}

bool tag_check(struct reader *r)
{
	return string_of_kind_check(r, is_tag);
}

enum code text_from_text(struct words *in, size_t octets_min)
{
	size_t start = in->w->len, bad;

	if (!words_left(in)) return words_expected(in);
	if (!unescape(words_front(in), in->w, &bad)) return words_bad_escape(in, bad);
	if (!in->w->overflow && in->w->len - start < octets_min) return words_expected(in);
	in->at++;
	return OK;
}

bool text_print(struct reader *r, struct writer *w)
{
	escape_string(read_rest(r), w);
	return true;
}
