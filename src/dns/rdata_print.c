/* SPDX-License-Identifier: Apache-2.0 */
/* From RDATA to presentation format. */
#include "dns/decimal.h"
#include "dns/escape.h"
#include "dns/fields/fields.h"
#include "dns/rdata_table.h"

#include "base/encoding.h"
#include "base/ip_text.h"

#include <assert.h>

static bool number_print(uint64_t value, struct writer *w)
{
	decimal_print(value, w);
	return true;
}

/* False: the octets are well-formed, but the field's own text cannot express them. */
static bool field_print(enum field_kind kind, struct reader *r, struct writer *w)
{
	switch (kind) {
	case FIELD_U8:
	case FIELD_ALGORITHM: return number_print(read_u8(r), w);
	case FIELD_U16: return number_print(read_u16(r), w);
	case FIELD_U32:
	case FIELD_PERIOD: return number_print(read_u32(r), w);
	case FIELD_U64: return number_print(read_u64(r), w);
	case FIELD_TIME: return time_print(r, w);
	case FIELD_IPV4: return ipv4_print(read_span(r, 4), w);
	case FIELD_IPV6: return ipv6_print(read_span(r, 16), w);
	case FIELD_TYPE: return type_print(r, w);
	case FIELD_CERT_TYPE: return cert_type_print(r, w);
	case FIELD_SCHEME: return scheme_print(r, w);
	case FIELD_EUI: return eui_print(read_span(r, 6), w);
	case FIELD_EUI_LONG: return eui_print(read_span(r, 8), w);
	case FIELD_LOCATOR: return locator_print(r, w);
	case FIELD_NAME_STD:
	case FIELD_NAME_OLD:
	case FIELD_NAME_LOW:
	case FIELD_NAME_RAW:
	case FIELD_HOST_STD:
	case FIELD_HOST_OLD:
	case FIELD_HOST_LOW:
	case FIELD_HOST_RAW: return name_field_print(r, w);
	case FIELD_NAMES: return names_print(r, w);
	case FIELD_STRING_OPT: return !reader_left(r) || string_print(r, w);
	case FIELD_STRING:
	case FIELD_DIGITS: return string_print(r, w);
	case FIELD_COORDINATE:
	case FIELD_TAG: return string_print_bare(r, w);
	case FIELD_TEXT:
	case FIELD_TEXT_OPT: return text_print(r, w);
	case FIELD_STRINGS: return strings_print(r, w);
	case FIELD_HEX:
	case FIELD_DIGEST:
	case FIELD_ZONE_DIGEST: return hex_print(r, w);
	case FIELD_SALT: return salt_print(r, w);
	case FIELD_HASH: return hash_print(r, w);
	case FIELD_BASE64:
	case FIELD_BASE64_OPT: return base64_print(r, w);
	case FIELD_BASE64_DASH: return base64_dash_print(r, w);
	case FIELD_NSAP_ADDRESS: return nsap_print(r, w);
	case FIELD_ATM_ADDRESS: return atm_print(r, w);
	case FIELD_BITMAP:
	case FIELD_BITMAP_OPT: return bitmap_print(r, w);
	case FIELD_OLD_BITMAP: return old_bitmap_print(r, w);
	case FIELD_SERVICES: return services_print(r, w);
	case FIELD_LOCATION: return location_print(r, w);
	case FIELD_PREFIXES: return prefixes_print(r, w);
	case FIELD_PREFIXED: return prefixed_print(r, w);
	case FIELD_KEY_GATEWAY: return key_gateway_print(r, w);
	case FIELD_RELAY: return relay_print(r, w);
	case FIELD_HOST_IDENTITY: return host_identity_print(r, w);
	case FIELD_SERVICE_PARAMS: return service_params_print(r, w);
	case FIELD_OPAQUE:
	case FIELD_META: return false;
	case FIELD_END:
	case FIELD_KIND_COUNT: break;
	}
	assert(false && "a field of a kind that is not in the table");
	return false;
}

/* RFC 3597 5. */
static void generic_print(struct span rdata, struct writer *w)
{
	write_text(w, "\\# ");
	decimal_print(rdata.len, w);
	if (!rdata.len) return;
	write_u8(w, ' ');
	base16_encode(rdata, w);
}

static bool fields_print(const uint8_t *kinds, struct span rdata, struct writer *w)
{
	struct reader r = reader_of(rdata);

	for (const uint8_t *kind = kinds; *kind; kind++) {
		size_t before = w->len;
		if (kind > kinds) write_u8(w, ' ');
		if (!field_print(*kind, &r, w)) return false;
		if (kind > kinds && !w->overflow && w->len == before + 1) writer_rewind(w, before);
	}
	return reader_done(&r);
}

void rdata_print(uint16_t type, struct span rdata, struct writer *w)
{
	size_t start = w->len;

	if (w->overflow || fields_print(rrtype_row(type)->kinds, rdata, w) || w->overflow) return;
	writer_rewind(w, start);
	generic_print(rdata, w);
}
