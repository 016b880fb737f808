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

	if (value < 0) return words_expected(in);
	write_u8(in->w, (uint8_t)value);
	in->at++;
	return OK;
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
