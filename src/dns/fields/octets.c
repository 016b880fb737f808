/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/decimal.h"
#include "dns/fields/fields.h"

#include "base/encoding.h"

enum { COUNTED_OCTETS_MAX = 255, LOCATOR_GROUPS = 4 };

/* One word with a length octet in front; false: it is not in this encoding. */
static bool counted_from_text(struct words *in, bool (*decode)(struct span, struct writer *))
{
	struct writer *w = in->w;
	size_t start = w->len;

	write_u8(w, 0);
	if (!decode(words_front(in), w)) return false;
	if (w->overflow) return true;
	size_t len = w->len - start - 1;
	if (len == 0 || len > COUNTED_OCTETS_MAX) return false;
	w->ptr[start] = (uint8_t)len;
	in->at++;
	return true;
}

enum code salt_from_text(struct words *in)
{
	if (words_front_is(in, "-")) {
		write_u8(in->w, 0);
		in->at++;
		return OK;
	}
	return counted_from_text(in, base16_decode) ? OK : words_expected(in);
}

bool salt_print(struct reader *r, struct writer *w)
{
	struct span salt = read_span(r, read_u8(r));

	if (salt.len)
		base16_encode(salt, w);
	else
		write_u8(w, '-');
	return !r->failed;
}

enum code hash_from_text(struct words *in)
{
	return counted_from_text(in, base32hex_decode) ? OK : words_expected(in);
}

bool hash_print(struct reader *r, struct writer *w)
{
	base32hex_encode(read_span(r, read_u8(r)), w);
	return !r->failed;
}

bool hash_check(struct reader *r)
{
	return read_span(r, read_u8(r)).len > 0;
}

/* RFC 7043 3.2, 4.2. */
enum code eui_from_text(struct words *in, unsigned octets)
{
	struct span word = words_front(in);

	if (word.len != octets * 3 - 1) return words_expected(in);
	for (unsigned i = 0; i < octets; i++) {
		if (i && word.ptr[3 * i - 1] != '-') return words_expected(in);
		if (!base16_decode(span_of(word.ptr + 3 * i, 2), in->w)) return words_expected(in);
	}
	in->at++;
	return OK;
}

bool eui_print(struct span octets, struct writer *w)
{
	for (size_t i = 0; i < octets.len; i++) {
		if (i) write_u8(w, '-');
		base16_encode(span_of(octets.ptr + i, 1), w);
	}
	return octets.len > 0;
}

/* One to four digits, as in IPv6 (RFC 6742 2.1.2); the groups are filled up on output. */
enum code locator_from_text(struct words *in)
{
	struct span word = words_front(in);
	size_t at = 0;

	for (unsigned group = 0; group < LOCATOR_GROUPS; group++) {
		uint8_t digits[4] = {'0', '0', '0', '0'};
		size_t len = 0;
		if (group && (at == word.len || word.ptr[at++] != ':')) return words_expected(in);
		while (at + len < word.len && word.ptr[at + len] != ':') len++;
		if (len == 0 || len > sizeof digits) return words_expected(in);
		memcpy(digits + sizeof digits - len, word.ptr + at, len);
		if (!base16_decode(span_of(digits, sizeof digits), in->w))
			return words_expected(in);
		at += len;
	}
	if (at != word.len) return words_expected(in);
	in->at++;
	return OK;
}

bool locator_print(struct reader *r, struct writer *w)
{
	for (unsigned group = 0; group < LOCATOR_GROUPS; group++) {
		if (group) write_u8(w, ':');
		base16_encode(read_span(r, 2), w);
	}
	return !r->failed;
}

/* Pairs of digits, dots anywhere between digits; at least one octet. */
static bool dotted_hex_decode(struct span text, struct writer *w)
{
	uint8_t pair[2];
	unsigned held = 0;
	bool any = false;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '.') continue;
		pair[held++] = text.ptr[i];
		if (held < sizeof pair) continue;
		if (!base16_decode(span_of(pair, sizeof pair), w)) return false;
		held = 0;
		any = true;
	}
	return any && !held;
}

/* RFC 1706 7. */
enum code nsap_from_text(struct words *in)
{
	struct span word = words_front(in);

	if (word.len < 2 || !word_is(span_of(word.ptr, 2), "0X")) return words_expected(in);
	if (!dotted_hex_decode(span_of(word.ptr + 2, word.len - 2), in->w))
		return words_expected(in);
	in->at++;
	return OK;
}

bool nsap_print(struct reader *r, struct writer *w)
{
	write_text(w, "0x");
	base16_encode(read_rest(r), w);
	return true;
}

/* "ATM Name System Specification" 1.0, 5.2: an AESA in hexadecimal, or E.164 digits. */
enum { ATM_AESA = 0, ATM_E164 = 1 };

enum code atm_from_text(struct words *in)
{
	struct span word = words_front(in);
	bool any = false;

	if (word.len && word.ptr[0] == '+') {
		write_u8(in->w, ATM_E164);
		for (size_t i = 1; i < word.len; i++) {
			if (word.ptr[i] == '.') continue;
			if ((uint8_t)(word.ptr[i] - '0') > 9) return words_expected(in);
			write_u8(in->w, word.ptr[i]);
			any = true;
		}
		if (!any) return words_expected(in);
	} else {
		write_u8(in->w, ATM_AESA);
		if (!dotted_hex_decode(word, in->w)) return words_expected(in);
	}
	in->at++;
	return OK;
}

bool atm_print(struct reader *r, struct writer *w)
{
	uint8_t format = read_u8(r);
	struct span address = read_rest(r);

	if (format == ATM_AESA) base16_encode(address, w);
	if (format != ATM_E164) return format == ATM_AESA;
	write_u8(w, '+');
	write_span(w, address);
	return true;
}

bool atm_check(struct reader *r)
{
	uint8_t format = read_u8(r);
	struct span address = read_rest(r);

	return address.len && (format != ATM_E164 || decimal_is(address));
}
