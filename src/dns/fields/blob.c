/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/fields/fields.h"

#include "base/encoding.h"

enum { DIGEST_MIN = 1, ZONE_DIGEST_MIN = 12 /* RFC 8976 2.2.4 */ };

/*
 * The words of a field are one text, split anywhere. Whole groups of a word are decoded
 * where they stand; a group that two words share is put together in `group`.
 */
struct pieces {
	bool (*decode)(struct span text, struct writer *w);
	unsigned group_len;
	unsigned held; /* of `group` */
	uint8_t group[4];
};

static bool piece_decode(struct pieces *pieces, struct span word, struct writer *w)
{
	while (pieces->held && word.len) {
		pieces->group[pieces->held++] = *word.ptr++;
		word.len--;
		if (pieces->held < pieces->group_len) continue;
		if (!pieces->decode(span_of(pieces->group, pieces->held), w)) return false;
		pieces->held = 0;
	}
	size_t rest = word.len % pieces->group_len;
	if (word.len > rest && !pieces->decode(span_of(word.ptr, word.len - rest), w)) return false;
	if (rest) {
		memcpy(pieces->group, word.ptr + word.len - rest, rest);
		pieces->held = (unsigned)rest;
	}
	return true;
}

static bool is_padded(struct span word)
{
	return word.len && word.ptr[word.len - 1] == '=';
}

/* All words up to the end; at least one octet. */
static enum code pieces_from_text(struct words *in, struct pieces pieces)
{
	size_t start = in->w->len;

	if (!words_left(in)) return words_expected(in);
	for (; words_left(in); in->at++) {
		struct span word = words_front(in);
		if (!piece_decode(&pieces, word, in->w)) return words_expected(in);
		if (!pieces.held && is_padded(word) && in->at + 1 < in->count) {
			in->at++;
			return words_expected_text(in, "nothing after \"=\", the end of base64");
		}
	}
	if (!pieces.held && (in->w->len > start || in->w->overflow)) return OK;
	in->at--;
	return words_expected(in);
}

enum code hex_from_text(struct words *in)
{
	return pieces_from_text(in, (struct pieces){.decode = base16_decode, .group_len = 2});
}

enum code base64_from_text(struct words *in)
{
	return pieces_from_text(in, (struct pieces){.decode = base64_decode, .group_len = 4});
}

bool rest_check(struct reader *r)
{
	return read_rest(r).len > 0;
}

bool hex_print(struct reader *r, struct writer *w)
{
	base16_encode(read_rest(r), w);
	return true;
}

bool base64_print(struct reader *r, struct writer *w)
{
	base64_encode(read_rest(r), w);
	return true;
}

/* Octets of a DS digest by its type (IANA "DS RR Type Digest Algorithms"); 0: any. */
static size_t digest_octets(uint8_t type)
{
	switch (type) {
	case 1: return 20; /* SHA-1 */
	case 2:            /* SHA-256 */
	case 3:            /* GOST R 34.11-94 */
	case 5:            /* GOST R 34.11-2012 */
	case 6: return 32; /* SM3 */
	case 4: return 48; /* SHA-384 */
	default: return 0;
	}
}

/* Octets of a zone's digest by its hash algorithm, RFC 8976 5.3; 0: any from the minimum on. */
static size_t zone_digest_octets(uint8_t type)
{
	return type == 1 ? 48 : type == 2 ? 64 : 0;
}

/* The octet before the digest says of which type it is. */
static enum code typed_digest_from_text(struct words *in, size_t (*octets)(uint8_t), size_t min)
{
	size_t start = in->w->len;
	enum code code = hex_from_text(in);

	if (code || in->w->overflow) return code;
	uint8_t type = in->w->ptr[start - 1];
	size_t expected = octets(type), found = in->w->len - start;
	if (found == expected || (!expected && found >= min)) return OK;
	in->at--;
	return error_set(in->err, E_SYNTAX,
			 "digest of %zu octets, expected %zu%s for digest type %u", found,
			 expected ? expected : min, expected ? "" : " or more", type);
}

static bool typed_digest_check(struct reader *r, size_t (*octets)(uint8_t), size_t min)
{
	if (r->failed || r->at == 0) return false;
	size_t expected = octets(r->ptr[r->at - 1]), found = read_rest(r).len;
	return expected ? found == expected : found >= min;
}

enum code digest_from_text(struct words *in)
{
	return typed_digest_from_text(in, digest_octets, DIGEST_MIN);
}

bool digest_check(struct reader *r)
{
	return typed_digest_check(r, digest_octets, DIGEST_MIN);
}

enum code zone_digest_from_text(struct words *in)
{
	return typed_digest_from_text(in, zone_digest_octets, ZONE_DIGEST_MIN);
}

bool zone_digest_check(struct reader *r)
{
	return typed_digest_check(r, zone_digest_octets, ZONE_DIGEST_MIN);
}

enum code base64_dash_from_text(struct words *in)
{
	if (!words_front_is(in, "-")) return base64_from_text(in);
	in->at++;
	return OK;
}

bool base64_dash_print(struct reader *r, struct writer *w)
{
	if (reader_left(r)) return base64_print(r, w);
	write_u8(w, '-');
	return true;
}
