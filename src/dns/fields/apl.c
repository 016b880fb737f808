/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/decimal.h"
#include "dns/escape.h"
#include "dns/fields/fields.h"

#include "base/ip_text.h"

enum { FAMILY_IPV4 = 1, FAMILY_IPV6 = 2, NEGATION = 0x80, ADDRESS_LEN = 0x7f };

static size_t family_octets(unsigned family)
{
	return family == FAMILY_IPV4 ? IPV4_OCTETS : family == FAMILY_IPV6 ? IPV6_OCTETS : 0;
}

/* Splits off what stands before `mark`; false when the mark is not there. */
static bool part_take(struct span *text, uint8_t mark, struct span *part)
{
	const uint8_t *at = text->len ? memchr(text->ptr, mark, text->len) : NULL;

	if (!at) return false;
	*part = span_of(text->ptr, (size_t)(at - text->ptr));
	*text = span_of(at + 1, text->len - part->len - 1);
	return true;
}

static enum code prefix_from_text(struct words *in)
{
	struct span rest = words_front(in), family_text, address_text;
	uint8_t address[IPV6_OCTETS], negation = 0;
	uint64_t family, bits;

	if (rest.len && rest.ptr[0] == '!') {
		negation = NEGATION;
		rest = span_of(rest.ptr + 1, rest.len - 1);
	}
	if (!part_take(&rest, ':', &family_text) || !part_take(&rest, '/', &address_text))
		return words_expected(in);
	if (!decimal_read(family_text, FAMILY_IPV6, &family) || !family)
		return words_expected_text(in, "the address family 1 or 2");
	if (family == FAMILY_IPV4 ? !ipv4_from_text(address_text, address)
				  : !ipv6_from_text(address_text, address))
		return words_expected_text(in, family == FAMILY_IPV4 ? "an IPv4 prefix"
								     : "an IPv6 prefix");
	size_t len = family_octets((unsigned)family);
	if (!decimal_read(rest, 8 * len, &bits))
		return words_expected_text(in, family == FAMILY_IPV4
						       ? "a prefix length from 0 to 32"
						       : "a prefix length from 0 to 128");
	while (len && !address[len - 1]) len--;
	write_u16(in->w, (uint16_t)family);
	write_u8(in->w, (uint8_t)bits);
	write_u8(in->w, (uint8_t)(negation | len));
	write_bytes(in->w, address, len);
	in->at++;
	return OK;
}

enum code prefixes_from_text(struct words *in)
{
	while (words_left(in)) {
		enum code code = prefix_from_text(in);
		if (code) return code;
	}
	return OK;
}

/* Families without a text of their own are for \#. */
static bool prefix_print(struct reader *r, struct writer *w)
{
	uint16_t family = read_u16(r);
	uint8_t bits = read_u8(r), octet = read_u8(r);
	struct span part = read_span(r, octet & ADDRESS_LEN);
	uint8_t address[IPV6_OCTETS] = {0};

	if (r->failed || !family_octets(family) || part.len > family_octets(family)) return false;
	if (part.len) memcpy(address, part.ptr, part.len);
	if (octet & NEGATION) write_u8(w, '!');
	decimal_print(family, w);
	write_u8(w, ':');
	if (family == FAMILY_IPV4)
		ipv4_print(span_of(address, IPV4_OCTETS), w);
	else
		ipv6_print(span_of(address, IPV6_OCTETS), w);
	write_u8(w, '/');
	decimal_print(bits, w);
	return true;
}

bool prefixes_print(struct reader *r, struct writer *w)
{
	while (reader_left(r)) {
		if (!prefix_print(r, w)) return false;
		if (reader_left(r)) write_u8(w, ' ');
	}
	return true;
}

/* RFC 3123 4: zeros at the end of an address are left out. */
static bool prefix_check(struct reader *r)
{
	uint16_t family = read_u16(r);
	uint8_t bits = read_u8(r);
	struct span part = read_span(r, read_u8(r) & ADDRESS_LEN);
	size_t octets = family_octets(family);

	if (r->failed || (part.len && !part.ptr[part.len - 1])) return false;
	return !octets || (part.len <= octets && bits <= 8 * octets);
}

bool prefixes_check(struct reader *r)
{
	while (reader_left(r))
		if (!prefix_check(r)) return false;
	return !r->failed;
}
