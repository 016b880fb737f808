/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/escape.h"

static bool is_digit(uint8_t c)
{
	return (uint8_t)(c - '0') < 10;
}

size_t escape_read(struct span text, size_t at, uint8_t *octet)
{
	const uint8_t *p = text.ptr + at + 1;
	size_t left = text.len - at - 1;

	if (left == 0) return 0;
	if (!is_digit(p[0])) {
		*octet = p[0];
		return 2;
	}
	if (left < 3 || !is_digit(p[1]) || !is_digit(p[2])) return 0;
	unsigned value = (p[0] - '0') * 100u + (p[1] - '0') * 10u + (p[2] - '0');
	if (value > UINT8_MAX) return 0;
	*octet = (uint8_t)value;
	return 4;
}

bool unescape(struct span text, struct writer *w, size_t *bad)
{
	if (!text.len || !memchr(text.ptr, '\\', text.len)) {
		write_span(w, text);
		return true;
	}
	for (size_t i = 0; i < text.len;) {
		uint8_t octet = text.ptr[i];
		size_t step = octet == '\\' ? escape_read(text, i, &octet) : 1;
		if (!step) {
			*bad = i;
			return false;
		}
		write_u8(w, octet);
		i += step;
	}
	return true;
}

static void write_ddd(struct writer *w, uint8_t c)
{
	uint8_t *p = writer_take(w, 4);

	if (!p) return;
	p[0] = '\\';
	p[1] = (uint8_t)('0' + c / 100);
	p[2] = (uint8_t)('0' + c / 10 % 10);
	p[3] = (uint8_t)('0' + c % 10);
}

/* NSD takes \# for RFC 3597's mark, also where it begins a name. */
static bool needs_ddd(uint8_t c)
{
	return c <= ' ' || c > '~' || c == '#';
}

/*
 * The octets that stand for themselves, a bit for each: in a label letters, digits and
 * "- _ * /", for Knot reads no other without a backslash; in a string all that can be
 * printed but the quote and the backslash.
 */
static const uint64_t plain_in_label[4] = {0x03ffa40000000000, 0x07fffffe87fffffe};
static const uint64_t plain_in_string[4] = {0xfffffffb00000000, 0x7fffffffefffffff};

static size_t plain_len(struct span octets, const uint64_t plain[static 4])
{
	size_t len = 0;

	while (len < octets.len && plain[octets.ptr[len] >> 6] >> (octets.ptr[len] & 63) & 1) len++;
	return len;
}

static void write_escaped(struct span octets, const uint64_t plain[static 4], struct writer *w)
{
	for (;;) {
		size_t len = plain_len(octets, plain);
		write_bytes(w, octets.ptr, len);
		if (len == octets.len) return;
		uint8_t c = octets.ptr[len];
		if (needs_ddd(c)) {
			write_ddd(w, c);
		} else {
			write_u8(w, '\\');
			write_u8(w, c);
		}
		octets = span_of(octets.ptr + len + 1, octets.len - len - 1);
	}
}

bool label_is_plain(struct span octets)
{
	return plain_len(octets, plain_in_label) == octets.len;
}

void escape_label(struct span octets, struct writer *w)
{
	write_escaped(octets, plain_in_label, w);
}

void escape_octet(uint8_t octet, struct writer *w)
{
	write_escaped(span_of(&octet, 1), plain_in_string, w);
}

void escape_string(struct span octets, struct writer *w)
{
	write_u8(w, '"');
	write_escaped(octets, plain_in_string, w);
	write_u8(w, '"');
}

static const char *quote_with(struct span found, const char *mark, char *out)
{
	size_t len = found.len < QUOTED_OCTETS_MAX ? found.len : QUOTED_OCTETS_MAX;
	struct writer w = writer_of(out, QUOTED_MAX);

	write_text(&w, mark);
	for (size_t i = 0; i < len; i++) {
		uint8_t c = found.ptr[i];
		write_u8(&w, c >= 0x20 && c <= 0x7e ? c : '?');
	}
	if (len < found.len) write_text(&w, "...");
	write_text(&w, mark);
	write_u8(&w, 0);
	return out;
}

const char *quote(struct span found, char out[static QUOTED_MAX])
{
	return quote_with(found, "\"", out);
}

const char *quote_bare(struct span found, char out[static QUOTED_MAX])
{
	return quote_with(found, "", out);
}
