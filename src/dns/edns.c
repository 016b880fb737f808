/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/edns.h"

#include <assert.h>

enum {
	FLAG_DNSSEC_OK = 0x8000,          /* RFC 3225 3, in the lower half of the TTL */
	OPT_RDATA_LEN_AT = 1 + 2 + 2 + 4, /* behind owner, type, class and TTL */
	COOKIE_CLIENT_OCTETS = 8,
	COOKIE_WITH_SERVER_MIN = 16,
	FAMILY_IPV4 = 1, /* of the address family registry, as RFC 7871 6 uses it */
	FAMILY_IPV6 = 2,
};

static_assert(EDNS_SLOT_COUNT <= 16, "`seen` has 16 bits");

static const struct option_row {
	uint16_t code;
	struct {
		uint16_t min, max;
	} len[2]; /* in queries, in responses */
} option_rows[EDNS_SLOT_COUNT] = {
#define EDNS_OPTION(name, code, rfc, query_min, query_max, response_min, response_max)             \
	{code, {{query_min, query_max}, {response_min, response_max}}},
#include "dns/edns_options.def"
#undef EDNS_OPTION
};

const char *ede_words(uint16_t code)
{
	switch (code) {
#define EDE(name, number, words)                                                                   \
	case number:                                                                               \
		return words;
#include "dns/ede.def"
#undef EDE
	default: return NULL;
	}
}

/* RFC 7873 4: a client cookie of 8 octets, alone or with a server cookie of 8 to 32. */
static bool cookie_is_well_formed(struct span value)
{
	return value.len == COOKIE_CLIENT_OCTETS || value.len >= COOKIE_WITH_SERVER_MIN;
}

/* RFC 7871 6: as many octets as the prefix needs, and none of the bits behind it set. */
static bool client_subnet_is_well_formed(struct span value, bool is_response)
{
	struct reader r = reader_of(value);
	uint16_t family = read_u16(&r);
	uint8_t source = read_u8(&r), scope = read_u8(&r);
	unsigned max = family == FAMILY_IPV4 ? 32 : family == FAMILY_IPV6 ? 128 : 0;
	struct span address = read_rest(&r);

	if (family > FAMILY_IPV6 || source > max || scope > max) return false;
	if (!is_response && scope != 0) return false;
	if (address.len != (source + 7u) / 8) return false;
	return source % 8 == 0 || (uint8_t)(address.ptr[address.len - 1] << source % 8) == 0;
}

static bool option_is_well_formed(enum edns_slot slot, struct span value, bool is_response)
{
	const struct option_row *row = &option_rows[slot];

	if (value.len < row->len[is_response].min || value.len > row->len[is_response].max)
		return false;
	switch (slot) {
	case EDNS_SLOT_COOKIE: return cookie_is_well_formed(value);
	case EDNS_SLOT_CLIENT_SUBNET: return client_subnet_is_well_formed(value, is_response);
	default: return true;
	}
}

static bool options_read(struct reader r, bool is_response, struct edns *out)
{
	for (int count = 0; count < EDNS_OPTION_COUNT_MAX && reader_left(&r); count++) {
		uint16_t code = read_u16(&r);
		struct span value = read_span(&r, read_u16(&r));
		enum edns_slot slot = 0;

		if (r.failed) return false;
		while (slot < EDNS_SLOT_COUNT && option_rows[slot].code != code) slot++;
		if (slot == EDNS_SLOT_COUNT || edns_has(out, slot)) continue;
		if (!option_is_well_formed(slot, value, is_response)) {
			if (is_response) continue;
			return false;
		}
		out->values[slot] = value;
		out->seen = (uint16_t)(out->seen | 1u << slot);
	}
	return true;
}

enum rcode edns_read(const struct message *message, const struct message_record *record,
		     struct edns *out)
{
	struct span rdata = message_rdata(message, record);

	out->present = false;
	out->seen = 0;
	if (record->at >= message->wire.len || message->wire.ptr[record->at] != 0)
		return RCODE_FORMERR;
	out->udp_size = record->class < UDP_OCTETS_MIN ? UDP_OCTETS_MIN : record->class;
	out->rcode_high = (uint8_t)(record->ttl >> 24);
	out->version = (uint8_t)(record->ttl >> 16);
	out->dnssec_ok = record->ttl & FLAG_DNSSEC_OK;
	out->present = true;
	if (out->version != EDNS_VERSION) return RCODE_BADVERS;
	out->present = options_read(reader_of(rdata), message->header.qr, out);
	return out->present ? RCODE_NOERROR : RCODE_FORMERR;
}

bool edns_begin(struct message_writer *mw, uint16_t udp_size, bool dnssec_ok)
{
	assert(mw->opt_at == 0);
	size_t at = mw->w.len;
	struct record opt = {
		.owner = name_root(),
		.type = RRTYPE_OPT,
		.class = udp_size,
		.ttl = dnssec_ok ? FLAG_DNSSEC_OK : 0,
	};

	if (!message_add_record(mw, SECTION_ADDITIONAL, &opt)) return false;
	mw->opt_at = at;
	return true;
}

bool edns_add_option(struct message_writer *mw, uint16_t code, struct span value)
{
	assert(mw->opt_at != 0);
	size_t before = mw->w.len, rdata_at = mw->opt_at + OPT_OCTETS;

	if (value.len > UINT16_MAX) return false;
	write_u16(&mw->w, code);
	write_u16(&mw->w, (uint16_t)value.len);
	write_span(&mw->w, value);
	if (mw->w.overflow) {
		writer_rewind(&mw->w, before);
		return false;
	}
	patch_u16(&mw->w, mw->opt_at + OPT_RDATA_LEN_AT, (uint16_t)(mw->w.len - rdata_at));
	return true;
}

bool edns_add_ede(struct message_writer *mw, enum ede code, const char *text)
{
	uint8_t octets[2 + EDE_TEXT_MAX];
	struct writer w = writer_of(octets, sizeof octets);
	size_t len = text ? strlen(text) : 0;

	write_u16(&w, (uint16_t)code);
	write_bytes(&w, text, len < EDE_TEXT_MAX ? len : EDE_TEXT_MAX);
	return edns_add_option(mw, EDNS_EDE, writer_span(&w));
}
