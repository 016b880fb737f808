/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records as every server reads them: BIND 9.18, Knot 3.2 and NSD 4.6 know the types
 * below by name. Newer and forgotten ones are written as RFC 3597 5 has it, and so is
 * data that names such a type, or a newer parameter of SVCB.
 */
#include "base/encoding.h"
#include "dns/decimal.h"
#include "dns/zone_text.h"

enum { SVCB_KEY_KNOWN_MAX = 6 }; /* ipv6hint: the keys of RFC 9460 itself */

static bool type_is_known(uint16_t type)
{
	switch (type) {
	case RRTYPE_A:
	case RRTYPE_NS:
	case RRTYPE_CNAME:
	case RRTYPE_SOA:
	case RRTYPE_PTR:
	case RRTYPE_HINFO:
	case RRTYPE_MINFO:
	case RRTYPE_MX:
	case RRTYPE_TXT:
	case RRTYPE_RP:
	case RRTYPE_AFSDB:
	case RRTYPE_RT:
	case RRTYPE_KEY:
	case RRTYPE_AAAA:
	case RRTYPE_LOC:
	case RRTYPE_SRV:
	case RRTYPE_NAPTR:
	case RRTYPE_KX:
	case RRTYPE_CERT:
	case RRTYPE_DNAME:
	case RRTYPE_APL:
	case RRTYPE_DS:
	case RRTYPE_SSHFP:
	case RRTYPE_IPSECKEY:
	case RRTYPE_RRSIG:
	case RRTYPE_NSEC:
	case RRTYPE_DNSKEY:
	case RRTYPE_DHCID:
	case RRTYPE_NSEC3:
	case RRTYPE_NSEC3PARAM:
	case RRTYPE_TLSA:
	case RRTYPE_SMIMEA:
	case RRTYPE_CDS:
	case RRTYPE_CDNSKEY:
	case RRTYPE_OPENPGPKEY:
	case RRTYPE_CSYNC:
	case RRTYPE_ZONEMD:
	case RRTYPE_SVCB:
	case RRTYPE_HTTPS:
	case RRTYPE_SPF:
	case RRTYPE_NID:
	case RRTYPE_L32:
	case RRTYPE_L64:
	case RRTYPE_LP:
	case RRTYPE_EUI48:
	case RRTYPE_EUI64:
	case RRTYPE_URI:
	case RRTYPE_CAA: return true;
	default: return false;
	}
}

/* Types without a row print as TYPEnnn anyhow. */
static bool type_prints_alike(uint16_t type)
{
	char text[RRTYPE_TEXT_MAX];

	return type_is_known(type) || strncmp(rrtype_to_text(type, text), "TYPE", 4) == 0;
}

/* RFC 4034 4.1.2: windows of 256 types. */
static bool bitmap_prints_alike(struct reader *r)
{
	while (reader_left(r)) {
		unsigned window = read_u8(r);
		struct span bits = read_span(r, read_u8(r));
		for (size_t i = 0; i < bits.len * 8; i++)
			if (bits.ptr[i / 8] >> (7 - i % 8) & 1 &&
			    !type_prints_alike((uint16_t)(window << 8 | i)))
				return false;
	}
	return true;
}

static bool params_print_alike(struct reader *r)
{
	struct name target;

	reader_skip(r, 2);
	name_read_plain(r, &target);
	while (reader_left(r)) {
		if (read_u16(r) > SVCB_KEY_KNOWN_MAX) return false;
		reader_skip(r, read_u16(r));
	}
	return true;
}

/* Nothing in the data has a name that other servers may not know. */
static bool data_prints_alike(uint16_t type, struct span rdata)
{
	struct reader r = reader_of(rdata);
	struct name next;

	switch (type) {
	case RRTYPE_RRSIG: return type_prints_alike(read_u16(&r));
	case RRTYPE_NSEC: name_read_plain(&r, &next); return bitmap_prints_alike(&r);
	case RRTYPE_NSEC3:
		reader_skip(&r, 4);
		reader_skip(&r, read_u8(&r)); /* salt */
		reader_skip(&r, read_u8(&r)); /* hash */
		return bitmap_prints_alike(&r);
	case RRTYPE_CSYNC: reader_skip(&r, 6); return bitmap_prints_alike(&r);
	case RRTYPE_SVCB:
	case RRTYPE_HTTPS: return params_print_alike(&r);
	default: return true;
	}
}

static void generic_print(const struct record *record, struct writer *w)
{
	name_print(record->owner, w);
	write_u8(w, '\t');
	decimal_print(record->ttl, w);
	write_text(w, "\tIN\tTYPE");
	decimal_print(record->type, w);
	write_text(w, "\t\\# ");
	decimal_print(record->rdata.len, w);
	if (record->rdata.len) write_u8(w, ' ');
	base16_encode(record->rdata, w);
	write_u8(w, '\n');
}

void zone_text_print(const struct record *record, struct writer *w)
{
	if (type_is_known(record->type) && data_prints_alike(record->type, record->rdata))
		record_print(record, w);
	else
		generic_print(record, w);
}
