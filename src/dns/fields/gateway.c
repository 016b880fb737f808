/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/decimal.h"
#include "dns/fields/fields.h"

#include "base/ip_text.h"

enum gateway_type { GATEWAY_NONE, GATEWAY_IPV4, GATEWAY_IPV6, GATEWAY_NAME, GATEWAY_UNKNOWN };

enum { DISCOVERY_OPTIONAL = 0x80, RELAY_TYPE = 0x7f };

static enum code gateway_from_text(struct words *in, enum gateway_type type)
{
	switch (type) {
	case GATEWAY_NONE:
		if (!words_front_is(in, "."))
			return words_expected_text(in, "\".\", since type 0 is no gateway");
		in->at++;
		return OK;
	case GATEWAY_IPV4:
		if (!words_left(in)) return words_expected_text(in, "an IPv4 address");
		in->kind = FIELD_IPV4;
		return ipv4_field_from_text(in);
	case GATEWAY_IPV6:
		if (!words_left(in)) return words_expected_text(in, "an IPv6 address");
		in->kind = FIELD_IPV6;
		return ipv6_field_from_text(in);
	case GATEWAY_NAME: in->kind = FIELD_NAME_RAW; return name_field_from_text(in);
	case GATEWAY_UNKNOWN: break;
	}
	return words_expected(in);
}

/* False: an unknown type, whose gateway may be anything up to the end. */
static bool gateway_print(struct reader *r, enum gateway_type type, struct writer *w)
{
	switch (type) {
	case GATEWAY_NONE: write_u8(w, '.'); return true;
	case GATEWAY_IPV4: return ipv4_print(read_span(r, IPV4_OCTETS), w);
	case GATEWAY_IPV6: return ipv6_print(read_span(r, IPV6_OCTETS), w);
	case GATEWAY_NAME: return name_field_print(r, w);
	case GATEWAY_UNKNOWN: break;
	}
	return false;
}

static bool gateway_check(struct reader *r, enum gateway_type type)
{
	struct name name;

	switch (type) {
	case GATEWAY_NONE: break;
	case GATEWAY_IPV4: reader_skip(r, IPV4_OCTETS); break;
	case GATEWAY_IPV6: reader_skip(r, IPV6_OCTETS); break;
	case GATEWAY_NAME: return name_read_plain(r, &name);
	case GATEWAY_UNKNOWN: reader_skip(r, reader_left(r)); break;
	}
	return !r->failed;
}

static enum gateway_type gateway_type_of(unsigned octet)
{
	return octet < GATEWAY_UNKNOWN ? (enum gateway_type)octet : GATEWAY_UNKNOWN;
}

/* In wire form the algorithm stands between the gateway's type and the gateway. */
enum code key_gateway_from_text(struct words *in)
{
	uint64_t type, algorithm;

	if (!decimal_read(words_front(in), GATEWAY_UNKNOWN - 1, &type)) return words_expected(in);
	in->at++;
	if (!decimal_read(words_front(in), UINT8_MAX, &algorithm))
		return words_expected_text(in, "a key algorithm from 0 to 255");
	in->at++;
	write_u8(in->w, (uint8_t)type);
	write_u8(in->w, (uint8_t)algorithm);
	return gateway_from_text(in, gateway_type_of((unsigned)type));
}

bool key_gateway_print(struct reader *r, struct writer *w)
{
	uint8_t type = read_u8(r), algorithm = read_u8(r);

	decimal_print(type, w);
	write_u8(w, ' ');
	decimal_print(algorithm, w);
	write_u8(w, ' ');
	return gateway_print(r, gateway_type_of(type), w);
}

bool key_gateway_check(struct reader *r)
{
	uint8_t type = read_u8(r);

	read_u8(r);
	return gateway_check(r, gateway_type_of(type));
}

/* The D bit and the type share an octet. */
enum code relay_from_text(struct words *in)
{
	uint64_t optional, type;

	if (!decimal_read(words_front(in), 1, &optional)) return words_expected(in);
	in->at++;
	if (!decimal_read(words_front(in), GATEWAY_UNKNOWN - 1, &type))
		return words_expected_text(in, "a relay type from 0 to 3");
	in->at++;
	write_u8(in->w, (uint8_t)((optional ? DISCOVERY_OPTIONAL : 0) | (unsigned)type));
	return gateway_from_text(in, gateway_type_of((unsigned)type));
}

bool relay_print(struct reader *r, struct writer *w)
{
	uint8_t octet = read_u8(r);

	write_text(w, octet & DISCOVERY_OPTIONAL ? "1 " : "0 ");
	decimal_print(octet & RELAY_TYPE, w);
	write_u8(w, ' ');
	return gateway_print(r, gateway_type_of(octet & RELAY_TYPE), w);
}

bool relay_check(struct reader *r)
{
	return gateway_check(r, gateway_type_of(read_u8(r) & RELAY_TYPE));
}
