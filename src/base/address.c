/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include "base/ip_text.h"

#include <stdio.h>

enum { MAPPED_BITS = 96 };

static const uint8_t mapped_prefix[MAPPED_BITS / 8] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct address address_of_ipv4(const uint8_t octets[static 4])
{
	struct address address = {.family = 4};

	memcpy(address.octets, octets, IPV4_OCTETS);
	return address;
}

struct address address_of_ipv6(const uint8_t octets[static 16])
{
	struct address address = {.family = 6};

	if (memcmp(octets, mapped_prefix, sizeof mapped_prefix) == 0)
		return address_of_ipv4(octets + sizeof mapped_prefix);
	memcpy(address.octets, octets, IPV6_OCTETS);
	return address;
}

/* A decimal number that fills the text, without sign or superfluous zero. */
static bool decimal_parse(struct span text, uint32_t max, uint32_t *out)
{
	uint32_t value = 0;

	if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0')) return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
		value = value * 10 + (uint32_t)(text.ptr[i] - '0');
		if (value > max) return false;
	}
	*out = value;
	return true;
}

/* Splits at the first `mark`; false when there is none. */
static bool span_split(struct span text, uint8_t mark, struct span *before, struct span *after)
{
	const uint8_t *at = text.len ? memchr(text.ptr, mark, text.len) : NULL;

	if (!at) return false;
	size_t len = (size_t)(at - text.ptr);
	*before = span_of(text.ptr, len);
	*after = span_of(at + 1, text.len - len - 1);
	return true;
}

bool address_parse(struct span text, struct address *out)
{
	uint8_t octets[IPV6_OCTETS];

	if (ipv4_from_text(text, octets)) {
		*out = address_of_ipv4(octets);
		return true;
	}
	if (!ipv6_from_text(text, octets)) return false;
	*out = address_of_ipv6(octets);
	return true;
}

bool endpoint_parse(struct span text, uint16_t port, struct endpoint *out)
{
	struct span address = text, number;
	uint32_t value = port;

	if (span_split(text, '@', &address, &number) &&
	    (!decimal_parse(number, UINT16_MAX, &value) || value == 0))
		return false;
	out->port = (uint16_t)value;
	return address_parse(address, &out->address);
}

static unsigned address_bits(const struct address *address)
{
	return address->family == 4 ? 8 * IPV4_OCTETS : 8 * IPV6_OCTETS;
}

/* The first `bits` bits of both are the same; bits beyond them do not count. */
static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, part = bits % 8;

	if (memcmp(a, b, whole) != 0) return false;
	return part == 0 || (a[whole] ^ b[whole]) >> (8 - part) == 0;
}

static bool zero_beyond(const struct address *address, unsigned bits)
{
	for (unsigned i = bits; i < address_bits(address); i++) {
		if (address->octets[i / 8] >> (7 - i % 8) & 1) return false;
	}
	return true;
}

bool prefix_parse(struct span text, struct prefix *out)
{
	struct span address = text, number;
	bool has_bits = span_split(text, '/', &address, &number);
	uint32_t bits;

	if (!address_parse(address, &out->address)) return false;
	bits = address_bits(&out->address);
	if (has_bits && !decimal_parse(number, 8 * IPV6_OCTETS, &bits)) return false;
	/* A mapped address in the notation of IPv6 counts its bits from there. */
	if (has_bits && out->address.family == 4 && memchr(address.ptr, ':', address.len)) {
		if (bits < MAPPED_BITS) return false;
		bits -= MAPPED_BITS;
	}
	if (bits > address_bits(&out->address) || !zero_beyond(&out->address, bits)) return false;
	out->bits = (uint8_t)bits;
	return true;
}

char *address_print(const struct address *address, char text[static ADDRESS_TEXT_MAX])
{
	struct writer w = writer_of(text, ADDRESS_TEXT_MAX);

	if (address->family == 4)
		ipv4_print(span_of(address->octets, IPV4_OCTETS), &w);
	else if (address->family == 6)
		ipv6_print(span_of(address->octets, IPV6_OCTETS), &w);
	else
		write_text(&w, "none");
	write_u8(&w, 0);
	return text;
}

char *endpoint_print(const struct endpoint *endpoint, char text[static ADDRESS_TEXT_MAX])
{
	size_t len = strlen(address_print(&endpoint->address, text));

	snprintf(text + len, ADDRESS_TEXT_MAX - len, "@%u", endpoint->port);
	return text;
}

char *prefix_print(const struct prefix *prefix, char text[static ADDRESS_TEXT_MAX])
{
	size_t len = strlen(address_print(&prefix->address, text));

	if (prefix->bits != address_bits(&prefix->address))
		snprintf(text + len, ADDRESS_TEXT_MAX - len, "/%u", prefix->bits);
	return text;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family && bits_equal(a->octets, b->octets, address_bits(a));
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && address_equal(&a->address, &b->address);
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
	return prefix->address.family == address->family &&
	       bits_equal(prefix->address.octets, address->octets, prefix->bits);
}
