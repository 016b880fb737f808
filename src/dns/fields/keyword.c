/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/decimal.h"
#include "dns/fields/fields.h"

struct keyword {
	const char *text;
	uint16_t value;
};

/* IANA "DNS Security Algorithm Numbers". */
static const struct keyword algorithms[] = {
	{"DELETE", 0},
	{"RSAMD5", 1},
	{"DH", 2},
	{"DSA", 3},
	{"ECC", 4},
	{"RSASHA1", 5},
	{"DSA-NSEC3-SHA1", 6},
	{"NSEC3DSA", 6},
	{"RSASHA1-NSEC3-SHA1", 7},
	{"NSEC3RSASHA1", 7},
	{"RSASHA256", 8},
	{"RSASHA512", 10},
	{"ECC-GOST", 12},
	{"ECCGOST", 12},
	{"ECDSAP256SHA256", 13},
	{"ECDSAP384SHA384", 14},
	{"ED25519", 15},
	{"ED448", 16},
	{"SM2SM3", 17},
	{"ECC-GOST12", 23},
	{"INDIRECT", 252},
	{"PRIVATEDNS", 253},
	{"PRIVATEOID", 254},
};

/* RFC 4398 2.1. */
static const struct keyword cert_types[] = {
	{"PKIX", 1}, {"SPKI", 2},   {"PGP", 3},     {"IPKIX", 4}, {"ISPKI", 5},
	{"IPGP", 6}, {"ACPKIX", 7}, {"IACPKIX", 8}, {"URI", 253}, {"OID", 254},
};

/* RFC 9859 6.2. */
static const struct keyword schemes[] = {{"NOTIFY", 1}};

/* A number up to `max` or a word of the table; -1: neither. */
static int keyword_find(struct span text, const struct keyword *words, size_t count, uint16_t max)
{
	uint64_t number;

	if (decimal_read(text, max, &number)) return (int)number;
	for (size_t i = 0; i < count; i++)
		if (word_is(text, words[i].text)) return words[i].value;
	return -1;
}

enum code algorithm_from_text(struct words *in)
{
	int value = keyword_find(words_front(in), algorithms, ARRAY_COUNT(algorithms), UINT8_MAX);

	if (value < 0) return words_expected_number(in, UINT8_MAX);
	write_u8(in->w, (uint8_t)value);
	in->at++;
	return OK;
}

enum code cert_type_from_text(struct words *in)
{
	int value = keyword_find(words_front(in), cert_types, ARRAY_COUNT(cert_types), UINT16_MAX);

	if (value < 0) return words_expected_number(in, UINT16_MAX);
	write_u16(in->w, (uint16_t)value);
	in->at++;
	return OK;
}

static bool keyword_print(uint16_t value, const struct keyword *words, size_t count,
			  struct writer *w)
{
	for (size_t i = 0; i < count; i++) {
		if (words[i].value != value) continue;
		write_text(w, words[i].text);
		return true;
	}
	decimal_print(value, w);
	return true;
}

bool cert_type_print(struct reader *r, struct writer *w)
{
	return keyword_print(read_u16(r), cert_types, ARRAY_COUNT(cert_types), w);
}

enum code scheme_from_text(struct words *in)
{
	int value = keyword_find(words_front(in), schemes, ARRAY_COUNT(schemes), UINT8_MAX);

	if (value < 0) return words_expected_number(in, UINT8_MAX);
	write_u8(in->w, (uint8_t)value);
	in->at++;
	return OK;
}

bool scheme_print(struct reader *r, struct writer *w)
{
	return keyword_print(read_u8(r), schemes, ARRAY_COUNT(schemes), w);
}

enum code type_from_text(struct words *in)
{
	uint16_t type;

	if (!rrtype_from_text(words_front(in), &type)) return words_expected(in);
	write_u16(in->w, type);
	in->at++;
	return OK;
}

bool type_print(struct reader *r, struct writer *w)
{
	char text[RRTYPE_TEXT_MAX];

	write_text(w, rrtype_to_text(read_u16(r), text));
	return true;
}
