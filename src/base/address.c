/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <stdio.h>

enum { IPV4_OCTETS = 4, IPV6_OCTETS = 16, IPV6_GROUPS = 8, MAPPED_BITS = 96 };

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

static bool ipv4_parse(struct span text, uint8_t out[static IPV4_OCTETS])
{
	for (int i = 0; i < IPV4_OCTETS; i++) {
		struct span part = text, rest = {0};
		uint32_t value;
		if (span_split(text, '.', &part, &rest) == (i == IPV4_OCTETS - 1)) return false;
		if (!decimal_parse(part, 255, &value)) return false;
		out[i] = (uint8_t)value;
		text = rest;
	}
	return true;
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9') return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One group of one to four digits. */
static bool group_parse(struct span text, uint8_t out[static 2])
{
	uint32_t value = 0;

	if (text.len == 0 || text.len > 4) return false;
	for (size_t i = 0; i < text.len; i++) {
		int digit = hex_value(text.ptr[i]);
		if (digit < 0) return false;
		value = value << 4 | (uint32_t)digit;
	}
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return true;
}

/*
 * Reads groups that are parted by single colons, the last of which may be a dotted
 * IPv4 address when `tail`. Gives the octets read, 0 for an empty text, -1 when malformed.
 */
static int groups_parse(struct span text, bool tail, uint8_t out[static IPV6_OCTETS])
{
	int len = 0;
	bool more = text.len > 0;

	while (more) {
		struct span part = text, rest = {0};
		more = span_split(text, ':', &part, &rest);
		if (!more && tail && len <= IPV6_OCTETS - IPV4_OCTETS &&
		    ipv4_parse(part, out + len))
			return len + IPV4_OCTETS;
		if (len == IPV6_OCTETS || !group_parse(part, out + len)) return -1;
		len += 2;
		text = rest;
	}
	return len;
}

static bool ipv6_parse(struct span text, uint8_t out[static IPV6_OCTETS])
{
	uint8_t head[IPV6_OCTETS], last[IPV6_OCTETS];

	for (size_t i = 0; i + 1 < text.len; i++) {
		if (text.ptr[i] != ':' || text.ptr[i + 1] != ':') continue;
		struct span after = span_of(text.ptr + i + 2, text.len - i - 2);
		int before_len = groups_parse(span_of(text.ptr, i), false, head);
		int after_len = groups_parse(after, true, last);
		if (before_len < 0 || after_len < 0) return false;
		if (before_len + after_len > IPV6_OCTETS - 2) return false;
		memset(out, 0, IPV6_OCTETS);
		memcpy(out, head, (size_t)before_len);
		memcpy(out + IPV6_OCTETS - after_len, last, (size_t)after_len);
		return true;
	}
	if (groups_parse(text, true, head) != IPV6_OCTETS) return false;
	memcpy(out, head, IPV6_OCTETS);
	return true;
}

bool address_parse(struct span text, struct address *out)
{
	uint8_t octets[IPV6_OCTETS];

	if (ipv4_parse(text, octets)) {
		*out = address_of_ipv4(octets);
		return true;
	}
	if (!ipv6_parse(text, octets)) return false;
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

/* RFC 5952 4.2: the longest run of zero groups, the first of equals, never a single one. */
static int longest_zero_run(const uint16_t groups[static IPV6_GROUPS], int *len)
{
	int best = -1;

	*len = 1;
	for (int i = 0; i < IPV6_GROUPS; i++) {
		int n = 0;
		while (i + n < IPV6_GROUPS && groups[i + n] == 0) n++;
		if (n > *len) {
			best = i;
			*len = n;
		}
		if (n) i += n;
	}
	return best;
}

static void ipv6_print(const uint8_t octets[static IPV6_OCTETS], char text[static ADDRESS_TEXT_MAX])
{
	uint16_t groups[IPV6_GROUPS];
	int run_len, len = 0;

	for (int i = 0; i < IPV6_GROUPS; i++)
		groups[i] = (uint16_t)(octets[2 * i] << 8 | octets[2 * i + 1]);
	int run = longest_zero_run(groups, &run_len);
	for (int i = 0; i < IPV6_GROUPS; i++) {
		if (i == run) {
			len += snprintf(text + len, (size_t)(ADDRESS_TEXT_MAX - len), "::");
			i += run_len - 1;
			continue;
		}
		const char *colon = i == 0 || (run >= 0 && i == run + run_len) ? "" : ":";
		len += snprintf(text + len, (size_t)(ADDRESS_TEXT_MAX - len), "%s%x", colon,
				groups[i]);
	}
}

char *address_print(const struct address *address, char text[static ADDRESS_TEXT_MAX])
{
	const uint8_t *o = address->octets;

	if (address->family == 4)
		snprintf(text, ADDRESS_TEXT_MAX, "%u.%u.%u.%u", o[0], o[1], o[2], o[3]);
	else if (address->family == 6)
		ipv6_print(o, text);
	else
		snprintf(text, ADDRESS_TEXT_MAX, "none");
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
