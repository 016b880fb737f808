/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ip_text.h"

#include "base/encoding.h"

enum { GROUP_COUNT = 8 };

bool ipv4_from_text(struct span text, uint8_t out[static IPV4_OCTETS])
{
	if (text.len == 0) return false;

	const uint8_t *p = text.ptr, *end = p + text.len;
	for (unsigned i = 0; i < IPV4_OCTETS; i++) {
		if (i && (p == end || *p++ != '.')) return false;
		const uint8_t *first = p;
		unsigned value = 0;
		while (p < end && (uint8_t)(*p - '0') < 10 && p - first < 3)
			value = value * 10 + (*p++ - (unsigned)'0');
		if (p == first || value > UINT8_MAX || (*first == '0' && p - first > 1))
			return false;
		out[i] = (uint8_t)value;
	}
	return p == end;
}

/* One group of one to four digits; 0 when there is none. */
static size_t group_read(struct span text, uint16_t *group)
{
	unsigned value = 0;
	size_t len = 0;

	for (; len < text.len && len < 4; len++) {
		unsigned digit = base16_values[text.ptr[len]];
		if (digit > 15) break;
		value = value << 4 | digit;
	}
	*group = (uint16_t)value;
	return len;
}

/* Groups up to the end or to "::"; `*count` of them. False: something else stands there. */
static bool groups_read(struct span text, size_t *at, uint8_t *out, unsigned *count)
{
	while (*at < text.len) {
		struct span rest = span_of(text.ptr + *at, text.len - *at);
		uint16_t group;
		size_t len = group_read(rest, &group);
		if (len == 0) return false;
		if (len < rest.len && rest.ptr[len] == '.') {
			if (*count > GROUP_COUNT - 2) return false;
			if (!ipv4_from_text(rest, out + 2 * *count)) return false;
			*count += 2;
			*at = text.len;
			return true;
		}
		if (*count == GROUP_COUNT) return false;
		put_u16(out + 2 * (*count)++, group);
		*at += len;
		if (*at == text.len) return true;
		if (text.ptr[*at] != ':' || *at + 1 == text.len) return false;
		if (text.ptr[*at + 1] == ':') return true;
		*at += 1;
	}
	return true;
}

bool ipv6_from_text(struct span text, uint8_t out[static IPV6_OCTETS])
{
	uint8_t tail[IPV6_OCTETS];
	unsigned count = 0, tail_count = 0;
	size_t at = 0;

	if (text.len < 2) return false;
	if (text.ptr[0] != ':' && !groups_read(text, &at, out, &count)) return false;
	if (at == text.len) return count == GROUP_COUNT;

	/* Here stands "::" or a wrong first colon. */
	if (text.ptr[at] != ':' || at + 1 == text.len || text.ptr[at + 1] != ':') return false;
	at += 2;
	if (!groups_read(text, &at, tail, &tail_count) || at != text.len) return false;
	if (count + tail_count >= GROUP_COUNT) return false;
	memset(out + 2 * count, 0, 2 * (GROUP_COUNT - count - tail_count));
	memcpy(out + 2 * (GROUP_COUNT - tail_count), tail, 2 * tail_count);
	return true;
}

static void octet_print(uint8_t octet, struct writer *w)
{
	if (octet >= 100) write_u8(w, (uint8_t)('0' + octet / 100));
	if (octet >= 10) write_u8(w, (uint8_t)('0' + octet / 10 % 10));
	write_u8(w, (uint8_t)('0' + octet % 10));
}

bool ipv4_print(struct span address, struct writer *w)
{
	if (address.len != IPV4_OCTETS) return false;
	for (unsigned i = 0; i < IPV4_OCTETS; i++) {
		if (i) write_u8(w, '.');
		octet_print(address.ptr[i], w);
	}
	return true;
}

static void group_print(unsigned group, struct writer *w)
{
	static const char digits[] = "0123456789abcdef";
	int shift = 12;

	while (shift > 0 && !(group >> shift)) shift -= 4;
	for (; shift >= 0; shift -= 4) write_u8(w, (uint8_t)digits[group >> shift & 15]);
}

/* The first of the longest runs of zero groups; a single group is no run (RFC 5952 4.2). */
static void zero_run_find(const uint16_t groups[static GROUP_COUNT], unsigned *start,
			  unsigned *length)
{
	*start = GROUP_COUNT;
	*length = 1;
	for (unsigned i = 0; i < GROUP_COUNT; i++) {
		unsigned run = 0;
		while (i + run < GROUP_COUNT && !groups[i + run]) run++;
		if (run <= *length) continue;
		*start = i;
		*length = run;
	}
}

bool ipv6_print(struct span address, struct writer *w)
{
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
	uint16_t groups[GROUP_COUNT];
	unsigned start, length;

	if (address.len != IPV6_OCTETS) return false;
	if (memcmp(address.ptr, mapped, sizeof mapped) == 0) {
		write_text(w, "::ffff:");
		return ipv4_print(span_of(address.ptr + sizeof mapped, IPV4_OCTETS), w);
	}
	for (unsigned i = 0; i < GROUP_COUNT; i++)
		groups[i] = (uint16_t)(address.ptr[2 * i] << 8 | address.ptr[2 * i + 1]);
	zero_run_find(groups, &start, &length);
	for (unsigned i = 0; i < GROUP_COUNT; i++) {
		if (i == start) {
			write_text(w, "::");
			i += length - 1;
			continue;
		}
		if (i && i != start + length) write_u8(w, ':');
		group_print(groups[i], w);
	}
	return true;
}
