/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/rdata_table.h"

#include "dns/decimal.h"
#include "dns/mnemonic_hash.h"
#include "dns/rdata_words.h"

#include <assert.h>

/* Codes below DENSE_COUNT and the few from HIGH on have a slot; nothing is registered between. */
enum { DENSE_COUNT = 512, HIGH = 32768, HIGH_COUNT = 2 };
#define SLOT(code) ((code) < DENSE_COUNT ? (code) : (code) - (unsigned)HIGH + DENSE_COUNT)

enum row_id {
#define RR(mnemonic, code, rfc, ...) ROW_##mnemonic,
#include "dns/rrtypes.def"
#undef RR
	ROW_COUNT,
};

#define F(kind, name)                          FIELD_##kind,
#define RR(mnemonic, code, rfc, ...)           RR_NAMED(, #mnemonic, code, rfc, __VA_ARGS__)
#define RR_NAMED(id, mnemonic, code, rfc, ...) {code, sizeof mnemonic - 1, mnemonic, {__VA_ARGS__}},
static const struct rrtype_row rows[ROW_COUNT + 1] = {
#include "dns/rrtypes.def"
	[ROW_COUNT] = {.kinds = {FIELD_OPAQUE}},
};
#define RR_NAMED(id, mnemonic, code, rfc, ...) mnemonic,
static const char *const mnemonics[ROW_COUNT] = {
#include "dns/rrtypes.def"
};
#undef F
#undef RR

#define RR(mnemonic, code, rfc, ...) [SLOT(code)] = ROW_##mnemonic + 1,
static const uint8_t slots[DENSE_COUNT + HIGH_COUNT] = {
#include "dns/rrtypes.def"
};
#undef RR
static_assert(ROW_COUNT < UINT8_MAX, "slots hold a row's number plus one");

enum {
#define KIND(kind, octets, flags, expected) FLAGS_##kind = (flags),
#include "dns/rdata_kinds.def"
#undef KIND
};
#define F(kind, name)                | FLAGS_##kind
#define RR(mnemonic, code, rfc, ...) 0 __VA_ARGS__,
static const uint8_t row_flags[ROW_COUNT + 1] = {
#include "dns/rrtypes.def"
};
#undef F
#undef RR

#define F(kind, name)                #name,
#define RR(mnemonic, code, rfc, ...) {__VA_ARGS__},
static const char *const field_names[ROW_COUNT + 1][FIELD_COUNT_MAX] = {
#include "dns/rrtypes.def"
	[ROW_COUNT] = {"data"},
};
#undef F
#undef RR

#define KIND(kind, octets, flags, expected) octets,
const uint8_t field_octets[FIELD_KIND_COUNT] = {
	0,
#include "dns/rdata_kinds.def"
};
#undef KIND

#define KIND(kind, octets, flags, expected) flags,
const uint8_t field_flags[FIELD_KIND_COUNT] = {
	0,
#include "dns/rdata_kinds.def"
};
#undef KIND

static unsigned row_number(uint16_t type)
{
	unsigned slot = type;

	if (type >= DENSE_COUNT) {
		if (type < HIGH || type >= HIGH + HIGH_COUNT) return ROW_COUNT;
		slot = SLOT(type);
	}
	return slots[slot] ? slots[slot] - 1u : ROW_COUNT;
}

const struct rrtype_row *rrtype_row(uint16_t type)
{
	return &rows[row_number(type)];
}

unsigned rrtype_flags(uint16_t type)
{
	return row_flags[row_number(type)];
}

const char *rrtype_field_name(uint16_t type, unsigned field)
{
	assert(field < FIELD_COUNT_MAX);
	return field_names[row_number(type)][field];
}

const char *field_expected(enum field_kind kind)
{
	static const char *const texts[FIELD_KIND_COUNT] = {
		"the end",
#define KIND(kind, octets, flags, expected) expected,
#include "dns/rdata_kinds.def"
#undef KIND
	};
	assert(kind < FIELD_KIND_COUNT);
	return texts[kind];
}

const char *const *rrtype_mnemonics(size_t *count)
{
	*count = ARRAY_COUNT(mnemonics);
	return mnemonics;
}

bool rrtype_is_meta(uint16_t type)
{
	return (type >= 128 && type <= 255) || type == RRTYPE_OPT;
}

/* The first four and the last four octets, or all three; whatever the machine's byte order. */
static uint64_t mnemonic_octets(const uint8_t *p, size_t len)
{
	if (len < 4) return (uint64_t)p[0] | (uint64_t)p[len / 2] << 8 | (uint64_t)p[len - 1] << 16;

	const uint8_t *q = p + len - 4;
	uint32_t head =
		(uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	uint32_t tail =
		(uint32_t)q[0] | (uint32_t)q[1] << 8 | (uint32_t)q[2] << 16 | (uint32_t)q[3] << 24;
	return head | (uint64_t)tail << 32;
}

/* The same sum as in mnemonic_hash.py. */
static unsigned mnemonic_hash(uint64_t octets, size_t len)
{
	const uint64_t upper_case = UINT64_C(0xdfdfdfdfdfdfdfdf);
	return (unsigned)(((octets & upper_case) + len) * MNEMONIC_FACTOR >> MNEMONIC_SHIFT);
}

/* Up to eight octets are compared at once; the few longer ones differ in the middle too. */
static bool mnemonic_find(struct span text, uint16_t *type)
{
	uint64_t octets = mnemonic_octets(text.ptr, text.len);
	unsigned slot = mnemonic_slots[mnemonic_hash(octets, text.len)];

	if (!slot || rows[slot - 1].mnemonic_len != text.len) return false;
	if ((octets ^ mnemonic_octets_of[slot - 1].octets) & ~mnemonic_octets_of[slot - 1].letters)
		return false;
	if (text.len > sizeof octets && !word_is(text, rows[slot - 1].mnemonic)) return false;
	*type = rows[slot - 1].code;
	return true;
}

bool rrtype_from_text(struct span text, uint16_t *type)
{
	uint64_t number;

	if (text.len == 0) return false;
	if (mnemonic_find(text, type)) return true;
	if (text.len < 5 || !word_is(span_of(text.ptr, 4), "TYPE")) return false;
	if (!decimal_read(span_of(text.ptr + 4, text.len - 4), UINT16_MAX, &number)) return false;
	*type = (uint16_t)number;
	return true;
}

char *rrtype_to_text(uint16_t type, char text[static RRTYPE_TEXT_MAX])
{
	const struct rrtype_row *row = rrtype_row(type);
	struct writer w = writer_of(text, RRTYPE_TEXT_MAX);

	write_bytes(&w, row->mnemonic_len ? row->mnemonic : "TYPE",
		    row->mnemonic_len ? row->mnemonic_len : 4);
	if (!row->mnemonic_len) decimal_print(type, &w);
	write_u8(&w, 0);
	return text;
}
