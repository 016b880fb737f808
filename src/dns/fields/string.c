/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/escape.h"
#include "dns/fields/fields.h"

enum { STRING_OCTETS_MAX = 255 };

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
