/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/decimal.h"
#include "dns/fields/fields.h"

#include "base/encoding.h"

enum { HIT_OCTETS_MAX = 255 };

/*
 * Wire form: lengths of HIT and key around the algorithm, then both. In text the key is
 * one word, since names may follow it.
 */
enum code host_identity_from_text(struct words *in)
{
	struct writer *w = in->w;
	size_t start = w->len, hit = start + 4;
	uint64_t algorithm;

	if (!decimal_read(words_front(in), UINT8_MAX, &algorithm)) return words_expected(in);
	in->at++;
	write_u8(w, 0);
	write_u8(w, (uint8_t)algorithm);
	write_u16(w, 0);
	if (!base16_decode(words_front(in), w) ||
	    (!w->overflow && (w->len == hit || w->len - hit > HIT_OCTETS_MAX)))
		return words_expected_text(in, "a host identity tag in hexadecimal");
	in->at++;
	size_t key = w->len;
	if (!base64_decode(words_front(in), w) || (!w->overflow && w->len == key))
		return words_expected_text(in, "a public key in base64, one word");
	in->at++;
	if (w->overflow || w->len - key > UINT16_MAX) {
		w->overflow = true;
		return OK;
	}
	w->ptr[start] = (uint8_t)(key - hit);
	patch_u16(w, start + 2, (uint16_t)(w->len - key));
	return OK;
}

bool host_identity_print(struct reader *r, struct writer *w)
{
	uint8_t hit_len = read_u8(r), algorithm = read_u8(r);
	uint16_t key_len = read_u16(r);

	decimal_print(algorithm, w);
	write_u8(w, ' ');
	base16_encode(read_span(r, hit_len), w);
	write_u8(w, ' ');
	base64_encode(read_span(r, key_len), w);
	return !r->failed;
}

bool host_identity_check(struct reader *r)
{
	uint8_t hit_len = read_u8(r);

	read_u8(r);
	uint16_t key_len = read_u16(r);
	reader_skip(r, (size_t)hit_len + key_len);
	return !r->failed && hit_len && key_len;
}
