/* SPDX-License-Identifier: Apache-2.0 */
/* RDATA as octets: checked, expanded, in canonical form and order. */
#include "dns/fields/fields.h"
#include "dns/rdata_table.h"

#include <assert.h>

/* Steps over one well-formed field that is not of fixed size. */
static bool field_check(enum field_kind kind, struct reader *r)
{
	struct name name;

	switch (kind) {
	case FIELD_NAME_STD:
	case FIELD_NAME_OLD:
	case FIELD_NAME_LOW:
	case FIELD_NAME_RAW:
	case FIELD_HOST_STD:
	case FIELD_HOST_OLD:
	case FIELD_HOST_LOW:
	case FIELD_HOST_RAW: return name_read_plain(r, &name);
	case FIELD_NAMES: return names_check(r);
	case FIELD_STRING: return string_check(r);
	case FIELD_STRING_OPT: return !reader_left(r) || string_check(r);
	case FIELD_STRINGS: return strings_check(r);
	case FIELD_DIGITS: return digits_check(r);
	case FIELD_COORDINATE: return coordinate_check(r);
	case FIELD_TAG: return tag_check(r);
	case FIELD_DIGEST: return digest_check(r);
	case FIELD_ZONE_DIGEST: return zone_digest_check(r);
	case FIELD_SALT: return string_check(r);
	case FIELD_HASH: return hash_check(r);
	case FIELD_HEX:
	case FIELD_BASE64:
	case FIELD_NSAP_ADDRESS:
	case FIELD_TEXT: return rest_check(r);
	case FIELD_BITMAP: return reader_left(r) && bitmap_check(r);
	case FIELD_BITMAP_OPT: return bitmap_check(r);
	case FIELD_ATM_ADDRESS: return atm_check(r);
	case FIELD_OLD_BITMAP: return old_bitmap_check(r);
	case FIELD_SERVICES: return services_check(r);
	case FIELD_LOCATION: return location_check(r);
	case FIELD_PREFIXES: return prefixes_check(r);
	case FIELD_PREFIXED: return prefixed_check(r);
	case FIELD_KEY_GATEWAY: return key_gateway_check(r);
	case FIELD_RELAY: return relay_check(r);
	case FIELD_HOST_IDENTITY: return host_identity_check(r);
	case FIELD_SERVICE_PARAMS: return service_params_check(r);
	case FIELD_TEXT_OPT:
	case FIELD_BASE64_OPT:
	case FIELD_BASE64_DASH:
	case FIELD_OPAQUE:
	case FIELD_META: reader_skip(r, reader_left(r)); return true;
	default: break;
	}
	assert(false && "a field of a kind that is not in the table");
	return false;
}

static bool field_step(enum field_kind kind, struct reader *r)
{
	unsigned octets = field_octets[kind];

	if (!octets) return field_check(kind, r);
	reader_skip(r, octets);
	return !r->failed;
}

static enum code field_refuse(uint16_t type, unsigned field, size_t len, struct error *err)
{
	char text[RRTYPE_TEXT_MAX];
	return error_set(err, E_SYNTAX,
			 "%s data of %zu octets: its field %s is cut short or wrong, expected %s",
			 rrtype_to_text(type, text), len, rrtype_field_name(type, field),
			 field_expected(rrtype_row(type)->kinds[field]));
}

static enum code rest_refuse(uint16_t type, size_t len, size_t rest, struct error *err)
{
	char text[RRTYPE_TEXT_MAX];
	return error_set(err, E_SYNTAX, "%s data of %zu octets, %zu of them behind its last field",
			 rrtype_to_text(type, text), len, rest);
}

enum code rdata_check(uint16_t type, struct span rdata, struct error *err)
{
	const uint8_t *kinds = rrtype_row(type)->kinds;
	struct reader r = reader_of(rdata);

	for (unsigned i = 0; kinds[i]; i++)
		if (!field_step(kinds[i], &r)) return field_refuse(type, i, rdata.len, err);
	return reader_done(&r) ? OK : rest_refuse(type, rdata.len, reader_left(&r), err);
}

/*
 * Field by field, since a name may point anywhere before it. The reader ends where the
 * data ends, so no name reaches behind it.
 */
static enum code fields_read(uint16_t type, struct reader *r, struct writer *w, struct error *err)
{
	const uint8_t *kinds = rrtype_row(type)->kinds;
	size_t start = r->at;

	for (unsigned i = 0; kinds[i]; i++) {
		struct name_buffer name;
		size_t at = r->at;
		if (field_flags[kinds[i]] & FIELD_EXPAND) {
			if (!name_read(r, &name)) return field_refuse(type, i, r->len - start, err);
			write_bytes(w, name.wire, name.len);
			continue;
		}
		if (!field_step(kinds[i], r)) return field_refuse(type, i, r->len - start, err);
		write_bytes(w, r->ptr + at, r->at - at);
	}
	return reader_done(r) ? OK : rest_refuse(type, r->len - start, reader_left(r), err);
}

enum code rdata_read(uint16_t type, struct reader *message, uint16_t len, struct writer *w,
		     struct error *err)
{
	struct reader r = *message;
	size_t start = w->len;
	char text[RRTYPE_TEXT_MAX];
	enum code code;

	reader_skip(message, len);
	if (message->failed)
		return error_set(err, E_SYNTAX, "the message ends inside %s data of %u octets",
				 rrtype_to_text(type, text), len);
	r.len = message->at;
	if (rrtype_flags(type) & FIELD_EXPAND) {
		code = fields_read(type, &r, w, err);
	} else {
		struct span rdata = read_rest(&r);
		code = rdata_check(type, rdata, err);
		if (!code) write_span(w, rdata);
	}
	if (!code && w->overflow)
		code = error_set(err, E_LIMIT, "%s data has no room in %zu octets",
				 rrtype_to_text(type, text), w->cap - start);
	if (code) message->failed = true;
	return code;
}

struct place_of_name {
	uint16_t at, len;
};

/* The places of names whose kind has the flag; none at all in data that is malformed there. */
static size_t names_find(uint16_t type, struct span rdata, unsigned flag,
			 struct place_of_name places[static RDATA_NAME_COUNT_MAX])
{
	const uint8_t *kinds = rrtype_row(type)->kinds;
	struct reader r = reader_of(rdata);
	size_t count = 0;

	if (!(rrtype_flags(type) & flag)) return 0;
	for (; *kinds; kinds++) {
		size_t at = r.at;
		if (!field_step(*kinds, &r)) break;
		if (!(field_flags[*kinds] & flag)) continue;
		if (*kinds == FIELD_PREFIXED) at += prefixed_name_at(rdata.ptr[at]);
		places[count++] = (struct place_of_name){(uint16_t)at, (uint16_t)(r.at - at)};
	}
	return count;
}

static uint8_t lower(uint8_t c)
{
	return (uint8_t)(c - 'A') < 26 ? c | 0x20 : c;
}

void rdata_canonical(uint16_t type, struct span rdata, struct writer *w)
{
	struct place_of_name places[RDATA_NAME_COUNT_MAX];
	size_t count = names_find(type, rdata, FIELD_LOWER, places);
	uint8_t *out = writer_take(w, rdata.len);

	if (!out || !rdata.len) return;
	memcpy(out, rdata.ptr, rdata.len);
	for (size_t i = 0; i < count; i++)
		for (size_t at = 0; at < places[i].len; at++)
			out[places[i].at + at] = lower(out[places[i].at + at]);
}

static int octets_compare(const uint8_t *a, const uint8_t *b, size_t from, size_t to)
{
	return to > from ? memcmp(a + from, b + from, to - from) : 0;
}

/*
 * Up to the first difference both data have the same fields at the same places, so the
 * places of names in `a` serve for both.
 */
int rdata_compare(uint16_t type, struct span a, struct span b)
{
	struct place_of_name places[RDATA_NAME_COUNT_MAX];
	size_t count = names_find(type, a, FIELD_LOWER, places);
	size_t common = a.len < b.len ? a.len : b.len, at = 0;

	for (size_t i = 0; i < count && places[i].at < common; i++) {
		size_t end = places[i].at + (size_t)places[i].len;
		int order = octets_compare(a.ptr, b.ptr, at, places[i].at);
		if (order) return order;
		for (at = places[i].at; at < end && at < common; at++)
			if (lower(a.ptr[at]) != lower(b.ptr[at]))
				return lower(a.ptr[at]) - lower(b.ptr[at]);
	}
	int order = octets_compare(a.ptr, b.ptr, at, common);
	if (order || a.len == b.len) return order;
	return a.len < b.len ? -1 : 1;
}

size_t rdata_compressible_names(uint16_t type, struct span rdata,
				uint16_t offsets[static RDATA_NAME_COUNT_MAX])
{
	struct place_of_name places[RDATA_NAME_COUNT_MAX];
	size_t count = names_find(type, rdata, FIELD_COMPRESS, places);

	for (size_t i = 0; i < count; i++) offsets[i] = places[i].at;
	return count;
}

bool rdata_additional_name(uint16_t type, struct span rdata, struct name *out)
{
	struct place_of_name places[RDATA_NAME_COUNT_MAX];

	if (names_find(type, rdata, FIELD_HOST, places) == 0 || places[0].len == 1) return false;
	*out = (struct name){.wire = rdata.ptr + places[0].at, .len = (uint8_t)places[0].len};
	return true;
}
