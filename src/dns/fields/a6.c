/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/decimal.h"
#include "dns/fields/fields.h"

#include "base/ip_text.h"

enum { PREFIX_BITS_MAX = 128 };

/* RFC 2874 3.1: the suffix fills up to whole octets, its first bits are padding. */
static size_t suffix_octets(uint8_t prefix_len)
{
	return (PREFIX_BITS_MAX - prefix_len + 7u) / 8;
}

size_t prefixed_name_at(uint8_t prefix_len)
{
	return 1 + suffix_octets(prefix_len);
}

static bool is_padding_zero(const uint8_t address[static IPV6_OCTETS], uint8_t prefix_len)
{
	for (unsigned bit = 0; bit < prefix_len; bit++)
		if (address[bit / 8] & 0x80 >> bit % 8) return false;
	return true;
}

enum code prefixed_from_text(struct words *in)
{
	uint64_t prefix_len;

	if (!decimal_read(words_front(in), PREFIX_BITS_MAX, &prefix_len))
		return words_expected_text(in, "a prefix length from 0 to 128");
	write_u8(in->w, (uint8_t)prefix_len);
	in->at++;
	if (prefix_len < PREFIX_BITS_MAX) {
		uint8_t address[IPV6_OCTETS];
		size_t octets = suffix_octets((uint8_t)prefix_len);
		if (!ipv6_from_text(words_front(in), address))
			return words_expected_text(in, "an IPv6 address suffix");
		if (!is_padding_zero(address, (uint8_t)prefix_len))
			return words_expected_text(in,
						   "an address suffix, zero where the prefix is");
		write_bytes(in->w, address + IPV6_OCTETS - octets, octets);
		in->at++;
	}
	if (!prefix_len) return OK;
	return words_left(in) ? name_field_from_text(in) : words_expected_text(in, "a prefix name");
}

bool prefixed_print(struct reader *r, struct writer *w)
{
	uint8_t prefix_len = read_u8(r), address[IPV6_OCTETS] = {0};

	if (prefix_len > PREFIX_BITS_MAX) return false;
	decimal_print(prefix_len, w);
	if (prefix_len < PREFIX_BITS_MAX) {
		struct span suffix = read_span(r, suffix_octets(prefix_len));
		if (!suffix.len) return false;
		memcpy(address + IPV6_OCTETS - suffix.len, suffix.ptr, suffix.len);
		if (!is_padding_zero(address, prefix_len)) return false;
		write_u8(w, ' ');
		ipv6_print(span_of(address, IPV6_OCTETS), w);
	}
	if (!prefix_len) return !r->failed;
	write_u8(w, ' ');
	return name_field_print(r, w);
}

bool prefixed_check(struct reader *r)
{
	uint8_t prefix_len = read_u8(r);
	struct name name;

	if (r->failed || prefix_len > PREFIX_BITS_MAX) return false;
	reader_skip(r, suffix_octets(prefix_len));
	return prefix_len ? name_read_plain(r, &name) : !r->failed;
}
