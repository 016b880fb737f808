/* SPDX-License-Identifier: Apache-2.0 */
/* From words to RDATA: fields in the order of their type's row, or RFC 3597's \# form. */
#include "dns/decimal.h"
#include "dns/escape.h"
#include "dns/fields/fields.h"
#include "dns/words.h"

#include <assert.h>

enum code words_expected_text(const struct words *in, const char *expected)
{
	char type[RRTYPE_TEXT_MAX], found[QUOTED_MAX];

	if (words_left(in))
		return error_set(in->err, E_SYNTAX, "expected %s, found %s", expected,
				 quote(words_front(in), found));
	return error_set(in->err, E_SYNTAX, "%s data ends before its %s: expected %s",
			 rrtype_to_text(in->type, type), rrtype_field_name(in->type, in->field),
			 expected);
}

enum code words_expected(const struct words *in)
{
	return words_expected_text(in, field_expected(in->kind));
}

/* A number that is only too large is told so. */
enum code words_expected_number(const struct words *in, uint64_t max)
{
	char found[QUOTED_MAX];

	if (!decimal_is(words_front(in))) return words_expected(in);
	return error_set(in->err, E_RANGE, "%s is out of range 0 to %llu",
			 quote_bare(words_front(in), found), (unsigned long long)max);
}

enum code words_bad_escape(const struct words *in, size_t at)
{
	struct span word = words_front(in);
	size_t len = word.len - at < 4 ? word.len - at : 4;
	char found[QUOTED_MAX];

	return error_set(in->err, E_SYNTAX,
			 "expected \\DDD from \\000 to \\255, or \\ and one character, found %s",
			 quote(span_of(word.ptr + at, len), found));
}

enum code number_from_text(struct words *in, unsigned octets)
{
	uint64_t max = octets == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * octets) - 1, value;

	if (!decimal_read(words_front(in), max, &value)) return words_expected_number(in, max);
	uint8_t *p = writer_take(in->w, octets);
	for (unsigned i = octets; p && i-- > 0; value >>= 8) p[i] = (uint8_t)value;
	in->at++;
	return OK;
}

static enum code field_from_text(struct words *in)
{
	switch (in->kind) {
	case FIELD_U8: return number_from_text(in, 1);
	case FIELD_U16: return number_from_text(in, 2);
	case FIELD_U32: return number_from_text(in, 4);
	case FIELD_U64: return number_from_text(in, 8);
	case FIELD_PERIOD: return period_from_text(in);
	case FIELD_TIME: return time_from_text(in);
	case FIELD_IPV4: return ipv4_field_from_text(in);
	case FIELD_IPV6: return ipv6_field_from_text(in);
	case FIELD_TYPE: return type_from_text(in);
	case FIELD_ALGORITHM: return algorithm_from_text(in);
	case FIELD_CERT_TYPE: return cert_type_from_text(in);
	case FIELD_SCHEME: return scheme_from_text(in);
	case FIELD_EUI: return eui_from_text(in, 6);
	case FIELD_EUI_LONG: return eui_from_text(in, 8);
	case FIELD_LOCATOR: return locator_from_text(in);
	case FIELD_NAME_STD:
	case FIELD_NAME_OLD:
	case FIELD_NAME_LOW:
	case FIELD_NAME_RAW:
	case FIELD_HOST_STD:
	case FIELD_HOST_OLD:
	case FIELD_HOST_LOW:
	case FIELD_HOST_RAW: return name_field_from_text(in);
	case FIELD_NAMES: return names_from_text(in);
	case FIELD_STRING: return string_from_text(in);
	case FIELD_STRING_OPT: return words_left(in) ? string_from_text(in) : OK;
	case FIELD_STRINGS: return strings_from_text(in);
	case FIELD_DIGITS: return digits_from_text(in);
	case FIELD_COORDINATE: return coordinate_from_text(in);
	case FIELD_TAG: return tag_from_text(in);
	case FIELD_TEXT: return text_from_text(in, 1);
	case FIELD_TEXT_OPT: return text_from_text(in, 0);
	case FIELD_HEX: return hex_from_text(in);
	case FIELD_SALT: return salt_from_text(in);
	case FIELD_HASH: return hash_from_text(in);
	case FIELD_DIGEST: return digest_from_text(in);
	case FIELD_ZONE_DIGEST: return zone_digest_from_text(in);
	case FIELD_BASE64: return base64_from_text(in);
	case FIELD_BASE64_OPT: return words_left(in) ? base64_from_text(in) : OK;
	case FIELD_BASE64_DASH: return base64_dash_from_text(in);
	case FIELD_NSAP_ADDRESS: return nsap_from_text(in);
	case FIELD_ATM_ADDRESS: return atm_from_text(in);
	case FIELD_BITMAP: return words_left(in) ? bitmap_from_text(in) : words_expected(in);
	case FIELD_BITMAP_OPT: return bitmap_from_text(in);
	case FIELD_OLD_BITMAP: return old_bitmap_from_text(in);
	case FIELD_SERVICES: return services_from_text(in);
	case FIELD_LOCATION: return location_from_text(in);
	case FIELD_PREFIXES: return prefixes_from_text(in);
	case FIELD_PREFIXED: return prefixed_from_text(in);
	case FIELD_KEY_GATEWAY: return key_gateway_from_text(in);
	case FIELD_RELAY: return relay_from_text(in);
	case FIELD_HOST_IDENTITY: return host_identity_from_text(in);
	case FIELD_SERVICE_PARAMS: return service_params_from_text(in);
	case FIELD_OPAQUE:
	case FIELD_META: return words_expected(in);
	case FIELD_END:
	case FIELD_KIND_COUNT: break;
	}
	assert(false && "a field of a kind that is not in the table");
	return E_SYNTAX;
}

/* RFC 3597 5: \# LENGTH HEX... */
static enum code generic_from_text(struct words *in, size_t start)
{
	uint64_t len;
	char found[QUOTED_MAX];

	in->at = 1;
	in->kind = FIELD_HEX;
	if (!decimal_read(words_front(in), RDATA_OCTETS_MAX, &len))
		return words_expected_text(in, "the number of octets, 0 to 65535, after \\#");
	in->at = 2;
	if (words_left(in)) {
		enum code code = hex_from_text(in);
		if (code) return code;
	}
	in->at = 1;
	if (!in->w->overflow && in->w->len - start != len)
		return error_set(in->err, E_SYNTAX, "\\# announces %s octets, %zu follow",
				 quote_bare(words_front(in), found), in->w->len - start);
	in->at = 0;
	if (in->w->overflow) return OK;
	return rdata_check(in->type, span_of(in->w->ptr + start, (size_t)len), in->err);
}

static enum code fields_from_text(struct words *in)
{
	const struct rrtype_row *row = rrtype_row(in->type);

	for (; row->kinds[in->field]; in->field++) {
		in->kind = row->kinds[in->field];
		enum code code = field_from_text(in);
		if (code || in->w->overflow) return code;
	}
	return words_left(in) ? words_expected_text(in, "the end of the record") : OK;
}

enum code rdata_from_tokens(uint16_t type, const struct token *tokens, size_t count,
			    struct name origin, struct writer *w, size_t *bad, struct error *err)
{
	struct words in = {.tokens = tokens,
			   .count = count,
			   .origin = origin,
			   .w = w,
			   .err = err,
			   .type = type};
	size_t start = w->len;
	bool had_room = !w->overflow;
	char text[RRTYPE_TEXT_MAX];
	enum code code;

	if (rrtype_is_meta(type))
		code = error_set(err, E_SYNTAX, "%s is no type of data in a zone",
				 rrtype_to_text(type, text));
	else if (words_front_is(&in, "\\#"))
		code = generic_from_text(&in, start);
	else
		code = fields_from_text(&in);
	if (!code && (w->overflow || w->len - start > RDATA_OCTETS_MAX))
		code = error_set(err, E_LIMIT, "%s data is longer than %zu octets",
				 rrtype_to_text(type, text),
				 w->cap - start < RDATA_OCTETS_MAX ? w->cap - start
								   : (size_t)RDATA_OCTETS_MAX);
	if (code) {
		*bad = in.at;
		if (had_room) writer_rewind(w, start);
	}
	return code;
}
