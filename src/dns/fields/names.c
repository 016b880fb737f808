/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/fields/fields.h"

enum code name_field_from_text(struct words *in)
{
	struct name_buffer name;

	if (!words_left(in)) return words_expected(in);
	enum code code = name_from_text(words_front(in), &in->origin, &name, in->err);
	if (code) return code;
	write_bytes(in->w, name.wire, name.len);
	in->at++;
	return OK;
}

bool name_field_print(struct reader *r, struct writer *w)
{
	struct name name;

	if (!name_read_plain(r, &name)) return false;
	name_print(name, w);
	return true;
}

enum code names_from_text(struct words *in)
{
	while (words_left(in) && !in->w->overflow) {
		enum code code = name_field_from_text(in);
		if (code) return code;
	}
	in->at = in->count;
	return OK;
}

bool names_print(struct reader *r, struct writer *w)
{
	while (reader_left(r)) {
		if (!name_field_print(r, w)) return false;
		if (reader_left(r)) write_u8(w, ' ');
	}
	return !r->failed;
}

bool names_check(struct reader *r)
{
	struct name name;

	while (reader_left(r))
		if (!name_read_plain(r, &name)) return false;
	return !r->failed;
}
