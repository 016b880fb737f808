/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "words.h"

#include "base/attributes.h"
#include "base/encoding.h"

#include <stdio.h>

enum { WORDS_MAX = 70000 };

static struct token words[WORDS_MAX];
static uint8_t octets[2 * RDATA_OCTETS_MAX];
static struct error err;
static size_t bad;

static enum code parse(uint16_t type, const char *text, struct writer *w)
{
	size_t count = words_split(span_of_text(text), words, WORDS_MAX);
	return rdata_from_tokens(type, words, count, words_origin(), w, &bad, &err);
}

/* The octets stay until the next call. */
static struct span rdata(uint16_t type, const char *text)
{
	static uint8_t kept[4][2048];
	static unsigned next;
	struct writer w = writer_of(kept[next++ % 4], sizeof kept[0]);

	if (parse(type, text, &w)) fail_msg("%s: %s", text, err.text);
	return writer_span(&w);
}

static struct span hex(const char *text)
{
	static uint8_t kept[2048];
	struct writer w = writer_of(kept, sizeof kept);

	CHECK(base16_decode(span_of_text(text), &w));
	return writer_span(&w);
}

static const char *print(uint16_t type, struct span data)
{
	static char text[4096];
	struct writer w = writer_of(text, sizeof text - 1);

	rdata_print(type, data, &w);
	CHECK(!w.overflow);
	text[w.len] = '\0';
	return text;
}

/* IANA "Resource Record (RR) TYPEs". */
TEST(mnemonics_name_types_both_ways)
{
	static const struct {
		const char *text;
		uint16_t type;
	} known[] = {
		{"A", 1},        {"a", 1},
		{"NS", 2},       {"nsap-ptr", 23},
		{"OPT", 41},     {"Nsec3Param", 51},
		{"NXNAME", 128}, {"TSIG", 250},
		{"ANY", 255},    {"IPN", 264},
		{"TA", 32768},   {"DLV", 32769},
		{"TYPE0", 0},    {"type65535", 65535},
		{"TYPE1", 1},    {"TYPE00015", 15},
	};
	static const char *const unknown[] = {
		"",         "AA",     "AAA",       "TYPE",        "TYPE65536", "TYPE-1",
		"TYPEx",    "TYPE1x", "NSAP_PTR",  "NSEC3PARAMS", "B",         "\x01",
		"\x11\x11", "*",      "NSAP\rPTR", "CLASS1",      "TYPE 1",
	};
	char text[RRTYPE_TEXT_MAX];
	uint16_t type;

	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		CHECK(rrtype_from_text(span_of_text(known[i].text), &type));
		assert_int_equal(type, known[i].type);
	}
	for (size_t i = 0; i < ARRAY_COUNT(unknown); i++)
		if (rrtype_from_text(span_of_text(unknown[i]), &type)) fail_msg("%s", unknown[i]);
	for (uint32_t code = 0; code <= UINT16_MAX; code++) {
		CHECK(rrtype_from_text(span_of_text(rrtype_to_text((uint16_t)code, text)), &type));
		CHECK(type == code);
	}
	assert_string_equal(rrtype_to_text(65280, text), "TYPE65280");
	assert_string_equal(rrtype_to_text(23, text), "NSAP-PTR");
}

/* A word differs from a mnemonic in one octet only: the hash alone must not decide. */
TEST(a_word_that_is_almost_a_mnemonic_is_none)
{
	size_t count;
	const char *const *mnemonics = rrtype_mnemonics(&count);

	for (size_t i = 0; i < count; i++)
		for (size_t at = 0; at < strlen(mnemonics[i]); at++)
			for (unsigned bit = 0; bit < 8; bit++) {
				char word[RRTYPE_TEXT_MAX], back[RRTYPE_TEXT_MAX];
				uint16_t type;
				snprintf(word, sizeof word, "%s", mnemonics[i]);
				word[at] = (char)(word[at] ^ 1 << bit);
				struct span text = span_of(word, strlen(mnemonics[i]));
				if (!rrtype_from_text(text, &type)) continue;
				assert_int_equal(strcasecmp(rrtype_to_text(type, back), word), 0);
			}
}

/* RFC 6895 3.1. */
TEST(meta_types_are_no_data_of_a_zone)
{
	struct writer w = writer_of(octets, sizeof octets);

	CHECK(rrtype_is_meta(RRTYPE_OPT) && rrtype_is_meta(128) && rrtype_is_meta(255));
	CHECK(!rrtype_is_meta(127) && !rrtype_is_meta(256) && !rrtype_is_meta(RRTYPE_A));
	CHECK(parse(RRTYPE_TSIG, "\\# 1 00", &w) == E_SYNTAX && bad == 0);
	assert_string_equal(err.text, "TSIG is no type of data in a zone");
	CHECK(parse(200, "\\# 1 00", &w) == E_SYNTAX);
	CHECK(rdata_check(RRTYPE_OPT, hex("000a0000"), NULL) == OK);
}

/* RFC 3597 5. */
TEST(unknown_types_are_octets)
{
	struct writer w = writer_of(octets, sizeof octets);

	CHECK(span_equal(rdata(65280, "\\# 3 01 0203"), hex("010203")));
	CHECK(span_equal(rdata(65280, "\\# 3 0 1020 3"), hex("010203")));
	CHECK(rdata(65280, "\\# 0").len == 0);
	assert_string_equal(print(65280, hex("ABCDEF")), "\\# 3 abcdef");
	assert_string_equal(print(65280, span_of(NULL, 0)), "\\# 0");
	CHECK(parse(65280, "\\# 1 0", &w) == E_SYNTAX && bad == 2);
	CHECK(parse(65280, "\\# 2 00", &w) == E_SYNTAX && bad == 1);
	CHECK(parse(65280, "\\#", &w) == E_SYNTAX && bad == 1);
	CHECK(parse(65280, "\"\\#\" 0", &w) == E_SYNTAX && bad == 0);
}

TEST(a_quoted_backslash_hash_is_text)
{
	CHECK(span_equal(rdata(RRTYPE_TXT, "\"\\#\" 0"), hex("01230130")));
	CHECK(span_equal(rdata(RRTYPE_TXT, "\\#0"), hex("022330")));
}

/* What own text cannot express is printed in generic form, and reads back. */
TEST(shapes_without_text_print_as_octets)
{
	static const struct {
		uint16_t type;
		const char *hex;
	} cases[] = {
		{RRTYPE_WKS, "c0000201060000"},                   /* a zero at the end */
		{RRTYPE_LOC, "01ff"},                             /* another version */
		{RRTYPE_LOC, "00011613800000008000000000989680"}, /* 0e1 */
		{RRTYPE_APL, "0003080101"},                       /* another family */
		{RRTYPE_IPSECKEY, "0a0502"},                      /* another gateway type */
		{RRTYPE_AMTRELAY, "0a04ffff"},                    /* another relay type */
		{RRTYPE_A6, "04ffffffffffffffffffffffffffffffff0161"
			    "00"},     /* padding is not zero */
		{RRTYPE_ATMA, "0247"}, /* another format */
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct span data = hex(cases[i].hex);
		CHECK(rdata_check(cases[i].type, data, NULL) == OK);
		const char *text = print(cases[i].type, data);
		CHECK(strncmp(text, "\\# ", 3) == 0);
		CHECK(span_equal(rdata(cases[i].type, text), hex(cases[i].hex)));
	}
}

TEST(malformed_wire_form_is_refused)
{
	static const struct {
		uint16_t type;
		const char *hex;
	} cases[] = {
		{RRTYPE_A, "c00002"},
		{RRTYPE_NS, "c000"},
		{RRTYPE_TXT, ""},
		{RRTYPE_TXT, "0261"},
		{RRTYPE_NSEC, "00"},
		{RRTYPE_NSEC, "00000100"},
		{RRTYPE_NSEC, "00000140"
			      "000140"},
		{RRTYPE_NSEC, "000101400001"
			      "40"},
		{RRTYPE_NSEC, "000021"
			      "404040404040404040404040404040404040404040404040404040404040404040"},
		{RRTYPE_NXT, "0080"},
		{RRTYPE_NXT, "004000"},
		{RRTYPE_CAA, "0000"},
		{RRTYPE_CAA, "00012d"},
		{RRTYPE_LOC, "00a21613800000008000000000989680"},
		{RRTYPE_LOC, "001a1613800000008000000000989680"},
		{RRTYPE_LOC, "00121613ffffffff8000000000989680"},
		{RRTYPE_APL, "0001080100"},
		{RRTYPE_APL, "00012101ff"},
		{RRTYPE_APL, "00010805"
			     "0102030405"},
		{RRTYPE_A6, "81"},
		{RRTYPE_DS, "00010d02ab"},
		{RRTYPE_X25, "0331323"
			     "3"},
		{RRTYPE_GPOS, "01300130012d"},
		{RRTYPE_SVCB, "00010000030002003500010003026832"},
		{RRTYPE_SVCB, "0001000001000302683200010003026832"},
		{RRTYPE_SVCB, "00010000020000"},
		{RRTYPE_SVCB, "000100000000020003"},
		{RRTYPE_SVCB, "00010000000002000000"},
		{RRTYPE_SVCB, "0001000001000100"},
		{RRTYPE_SVCB, "000100000300010035"},
		{RRTYPE_SVCB, "0001000004000"
			      "0"},
		{RRTYPE_SVCB, "000100000400030"
			      "10203"},
		{RRTYPE_HIP, "000200000161"},
		{RRTYPE_NSEC3, "01000000"
			       "0000"},
		{RRTYPE_URI, "00010001"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		if (rdata_check(cases[i].type, hex(cases[i].hex), &err) != E_SYNTAX)
			fail_msg("%u %s is taken", cases[i].type, cases[i].hex);
}

/* RFC 3597 4, RFC 4034 6.2, RFC 6840 5.1: types whose names are lowered, and no other. */
TEST(canonical_form_lowers_the_names_of_the_listed_types_only)
{
	static const char *const lowered[] = {
		"NS X.",
		"MD X.",
		"MF X.",
		"CNAME X.",
		"SOA X. X. 1 2 3 4 5",
		"MB X.",
		"MG X.",
		"MR X.",
		"PTR X.",
		"MINFO X. X.",
		"MX 1 X.",
		"RP X. X.",
		"AFSDB 1 X.",
		"RT 1 X.",
		"SIG A 1 1 1 1 1 1 X. WFhY",
		"PX 1 X. X.",
		"NXT X. A",
		"NAPTR 1 1 X X X X.",
		"KX 1 X.",
		"SRV 1 1 1 X.",
		"DNAME X.",
		"A6 128 X.",
		"A6 8 ::1 X.",
		"RRSIG A 1 1 1 1 1 1 X. WFhY",
	};
	static const char *const kept[] = {
		"NSEC X. A",
		"HINFO X X",
		"TXT X",
		"HIP 1 58 WFhY X.",
		"IPSECKEY 1 3 1 X. WFhY",
		"LP 1 X.",
		"TALINK X. X.",
		"SVCB 1 X.",
		"HTTPS 1 X.",
		"DSYNC A 1 1 X.",
		"AMTRELAY 1 0 3 X.",
		"NSAP-PTR X.",
		"CAA 0 X X",
		"URI 1 1 X",
	};

	for (size_t i = 0; i < ARRAY_COUNT(lowered) + ARRAY_COUNT(kept); i++) {
		bool is_lowered = i < ARRAY_COUNT(lowered);
		const char *row = is_lowered ? lowered[i] : kept[i - ARRAY_COUNT(lowered)];
		const char *text = strchr(row, ' ') + 1;
		struct writer w = writer_of(octets, sizeof octets);
		uint16_t type;
		CHECK(rrtype_from_text(span_of(row, (size_t)(text - row - 1)), &type));
		struct span data = rdata(type, text);
		rdata_canonical(type, data, &w);
		if (is_lowered && strstr(print(type, writer_span(&w)), "X."))
			fail_msg("%s keeps its case", row);
		CHECK(span_equal(data, writer_span(&w)) == !is_lowered);
		CHECK(rdata_compare(type, data, writer_span(&w)) == 0);
	}
}

/* RFC 2874 3.1: octets of the address that look like letters are none. */
TEST(canonical_form_leaves_the_address_before_a_name_alone)
{
	struct writer w = writer_of(octets, sizeof octets);

	rdata_canonical(RRTYPE_A6, rdata(RRTYPE_A6, "96 ::4142:4344 X."), &w);
	CHECK(span_equal(writer_span(&w), hex("6041424344"
					      "017800")));
	CHECK(rdata_compare(RRTYPE_A6, rdata(RRTYPE_A6, "96 ::4142:4344 x."),
			    rdata(RRTYPE_A6, "96 ::6162:6364 x.")) < 0);
}

/* RFC 4034 6.3: octets without sign, and what is shorter goes first. */
TEST(data_is_ordered_by_its_octets)
{
	CHECK(rdata_compare(RRTYPE_A, hex("7f000001"), rdata(RRTYPE_A, "128.0.0.1")) < 0);
	CHECK(rdata_compare(RRTYPE_TXT, rdata(RRTYPE_TXT, "a"), rdata(RRTYPE_TXT, "a a")) < 0);
	CHECK(rdata_compare(RRTYPE_MX, rdata(RRTYPE_MX, "10 b."), rdata(RRTYPE_MX, "10 A.")) > 0);
	CHECK(rdata_compare(RRTYPE_MX, rdata(RRTYPE_MX, "10 b."), rdata(RRTYPE_MX, "9 c.")) > 0);
	CHECK(rdata_compare(RRTYPE_NSEC, rdata(RRTYPE_NSEC, "B. A"), rdata(RRTYPE_NSEC, "a. A")) <
	      0);
	CHECK(rdata_compare(RRTYPE_NULL, span_of(NULL, 0), span_of(NULL, 0)) == 0);
	CHECK(rdata_compare(RRTYPE_NULL, span_of(NULL, 0), hex("00")) < 0);
}

/* RFC 3597 4. */
TEST(only_names_of_rfc_1035_are_compressible)
{
	static const struct {
		const char *type, *text;
		size_t count;
		uint16_t offsets[2];
	} cases[] = {
		{"NS", "x.", 1, {0}},
		{"MX", "1 x.", 1, {2}},
		{"SOA", "x. yy. 1 2 3 4 5", 2, {0, 3}},
		{"MINFO", "x. yy.", 2, {0, 3}},
		{"CNAME", "x.", 1, {0}},
		{"PTR", "x.", 1, {0}},
		{"SRV", "1 1 1 x.", 0, {0}},
		{"RP", "x. yy.", 0, {0}},
		{"DNAME", "x.", 0, {0}},
		{"RRSIG", "A 1 1 1 1 1 1 x. WFhY", 0, {0}},
		{"NSEC", "x. A", 0, {0}},
		{"SVCB", "1 x.", 0, {0}},
		{"TXT", "x", 0, {0}},
	};
	uint16_t offsets[RDATA_NAME_COUNT_MAX], type;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		CHECK(rrtype_from_text(span_of_text(cases[i].type), &type));
		size_t count = rdata_compressible_names(type, rdata(type, cases[i].text), offsets);
		assert_int_equal(count, cases[i].count);
		for (size_t j = 0; j < count; j++)
			assert_int_equal(offsets[j], cases[i].offsets[j]);
	}
}

static enum code read(uint16_t type, const char *message_hex, uint16_t at, struct writer *w)
{
	struct span message = hex(message_hex);
	struct reader r = reader_of(message);

	reader_skip(&r, at);
	enum code code = rdata_read(type, &r, (uint16_t)(message.len - at), w, &err);
	CHECK(code ? r.failed : reader_done(&r));
	return code;
}

/* RFC 3597 4: well-known types, and RP AFSDB RT SIG PX NXT NAPTR SRV. */
TEST(compressed_names_are_expanded_where_the_rfc_allows_it)
{
	static const struct {
		const char *type, *message, *expanded;
	} right[] = {
		{"NS", "016100c000", "016100"},
		{"MX", "016100000a0162c000", "000a0162016100"},
		{"SOA", "016100c0000163c0000000000100000002000000030000000400000005",
		 "016100016301610000000001000000020000000300000004000000"
		 "05"},
		{"SRV", "016100000100020003c000", "000100020003016100"},
		{"NAPTR",
		 "016100000100020000"
		 "00c000",
		 "000100020000"
		 "00016100"},
		{"NXT", "016100c00040", "01610040"},
	};
	static const struct {
		const char *type, *message;
	} wrong[] = {
		{"DNAME", "016100c000"},    {"KX", "016100000ac000"}, {"NSEC", "016100c000000140"},
		{"SVCB", "0161000001c000"}, {"LP", "016100000ac000"}, {"NS", "016100c003"},
		{"NS", "016100c0"},         {"MX", "016100000a01"},   {"NS", "016100c00000"},
	};
	uint16_t type;

	for (size_t i = 0; i < ARRAY_COUNT(right); i++) {
		struct writer w = writer_of(octets, sizeof octets);
		CHECK(rrtype_from_text(span_of_text(right[i].type), &type));
		if (read(type, right[i].message, 3, &w))
			fail_msg("%s: %s", right[i].type, err.text);
		CHECK(span_equal(writer_span(&w), hex(right[i].expanded)));
	}
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		struct writer w = writer_of(octets, sizeof octets);
		CHECK(rrtype_from_text(span_of_text(wrong[i].type), &type));
		if (read(type, wrong[i].message, 3, &w) != E_SYNTAX) fail_msg("%s", wrong[i].type);
	}
}

TEST(a_name_does_not_reach_behind_its_data)
{
	struct span message = hex("0161000000");
	struct reader r = reader_of(message);
	struct writer w = writer_of(octets, sizeof octets);

	CHECK(rdata_read(RRTYPE_NS, &r, 2, &w, &err) == E_SYNTAX && r.failed);
	r = reader_of(message);
	CHECK(rdata_read(RRTYPE_NS, &r, 6, &w, &err) == E_SYNTAX && r.failed);
	assert_string_equal(err.text, "the message ends inside NS data of 6 octets");
	r = reader_of(message);
	CHECK(rdata_read(RRTYPE_NS, &r, 3, &w, &err) == OK && r.at == 3);
}

TEST(no_room_is_an_error_and_leaves_nothing)
{
	struct writer w = writer_of(octets, 5);
	struct span message = hex("0161000162c000");
	struct reader r = reader_of(message);

	write_u8(&w, 7);
	CHECK(parse(RRTYPE_AAAA, "::1", &w) == E_LIMIT && w.len == 1 && !w.overflow);
	assert_string_equal(err.text, "AAAA data is longer than 4 octets");
	CHECK(parse(RRTYPE_TXT, "a b c", &w) == E_LIMIT && w.len == 1);
	CHECK(parse(RRTYPE_HIP, "1 58 WFhY", &w) == E_LIMIT && w.len == 1);
	CHECK(parse(RRTYPE_SVCB, "1 . alpn=h2", &w) == E_LIMIT && w.len == 1);
	CHECK(parse(RRTYPE_NSEC3, "1 0 0 - 2t7b4g4v", &w) == E_LIMIT && w.len == 1);
	CHECK(parse(RRTYPE_A, "192.0.2.1", &w) == OK && w.len == 5);
	reader_skip(&r, 3);
	CHECK(rdata_read(RRTYPE_NS, &r, 4, &w, &err) == E_LIMIT);
}

/* RFC 1035 4.1.4: RDLENGTH has 16 bits. */
TEST(data_has_at_most_65535_octets)
{
	static char text[200000];
	struct writer w = writer_of(octets, sizeof octets);

	int len = snprintf(text, sizeof text, "\\# 65535 ");
	memset(text + len, '0', 2 * RDATA_OCTETS_MAX);
	CHECK(parse(65280, text, &w) == OK && w.len == RDATA_OCTETS_MAX);
	w = writer_of(octets, sizeof octets);
	memset(text, 'A', 87384);
	text[87384] = 0;
	CHECK(parse(RRTYPE_OPENPGPKEY, text, &w) == E_LIMIT);
	assert_string_equal(err.text, "OPENPGPKEY data is longer than 65535 octets");
	text[87380] = 0;
	CHECK(parse(RRTYPE_OPENPGPKEY, text, &w) == OK && w.len == RDATA_OCTETS_MAX);
}

TEST(an_error_names_the_word_to_blame)
{
	struct writer w = writer_of(octets, sizeof octets);

	CHECK(parse(RRTYPE_MX, "10", &w) == E_SYNTAX && bad == 1);
	CHECK(parse(RRTYPE_MX, "10 a. b", &w) == E_SYNTAX && bad == 2);
	CHECK(parse(RRTYPE_DS, "1 2 256 ab", &w) == E_RANGE && bad == 2);
	CHECK(parse(RRTYPE_DNSKEY, "1 2 3 AQID A=== AQID", &w) == E_SYNTAX && bad == 4);
	CHECK(rdata_from_tokens(RRTYPE_A, NULL, 0, words_origin(), &w, &bad, NULL) == E_SYNTAX &&
	      bad == 0);
}

TEST(octets_of_strangers_are_quoted_safely)
{
	struct writer w = writer_of(octets, sizeof octets);
	char text[100];

	CHECK(parse(RRTYPE_A, "\x1b[2J\xff", &w) == E_SYNTAX);
	assert_string_equal(err.text, "expected an IPv4 address, found \"?[2J?\"");
	memset(text, 'x', 99);
	text[99] = 0;
	CHECK(parse(RRTYPE_A, text, &w) == E_SYNTAX);
	CHECK(strstr(err.text, "xxx...\"") && strlen(err.text) < 110);
}

/* Strings come in pieces of any size, and a zero octet is a character like any other. */
TEST(zero_octets_in_words_are_refused_where_letters_are_wanted)
{
	static const struct token loc[] = {
		{.text = "1", .len = 1}, {.text = "\0", .len = 1}, {.text = "1", .len = 1},
		{.text = "W", .len = 1}, {.text = "0", .len = 1},
	};
	struct writer w = writer_of(octets, sizeof octets);

	CHECK(rdata_from_tokens(RRTYPE_LOC, loc, ARRAY_COUNT(loc), words_origin(), &w, &bad,
				&err) == E_SYNTAX &&
	      bad == 1);
}

/* RFC 1035 3.3.9, RFC 2782, RFC 9460 2.4: names whose addresses a reply carries along. */
TEST(hosts_are_named_for_the_additional_section)
{
	static const struct {
		const char *type, *text, *host;
	} cases[] = {
		{"NS", "x.", "\1x"},
		{"MX", "1 x.", "\1x"},
		{"SRV", "1 1 1 x.", "\1x"},
		{"AFSDB", "1 x.", "\1x"},
		{"KX", "1 x.", "\1x"},
		{"SVCB", "1 x. port=1", "\1x"},
		{"HTTPS", "0 x.", "\1x"},
		{"MX", "0 .", NULL},
		{"HTTPS", "1 .", NULL},
		{"CNAME", "x.", NULL},
		{"SOA", "x. x. 1 1 1 1 1", NULL},
		{"PTR", "x.", NULL},
		{"TXT", "x", NULL},
		{"NAPTR", "1 1 a \"\" \"\" x.", NULL},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		uint16_t type;
		struct name host;
		CHECK(rrtype_from_text(span_of_text(cases[i].type), &type));
		bool has = rdata_additional_name(type, rdata(type, cases[i].text), &host);
		CHECK(has == (cases[i].host != NULL));
		if (has) CHECK(host.len == 3 && memcmp(host.wire, cases[i].host, 3) == 0);
	}
}

/* RFC 4034 3.1.5 with RFC 1982: 2106 is not the end. */
TEST(signature_times_wrap_and_take_plain_seconds)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{"0", "19700101000000"},
		{"4294967295", "21060207062815"},
		{"21060207062816", "19700101000000"},
		{"21060207062817", "19700101000001"},
		{"20240229235959", "20240229235959"},
		{"20000229000000", "20000229000000"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char text[100];
		snprintf(text, sizeof text, "A 8 1 1 %s 0 1 . AQID", cases[i].text);
		CHECK(strstr(print(RRTYPE_RRSIG, rdata(RRTYPE_RRSIG, text)), cases[i].printed));
	}
	struct writer w = writer_of(octets, sizeof octets);
	CHECK(parse(RRTYPE_RRSIG, "A 8 1 1 20230229000000 0 1 . AQID", &w) == E_SYNTAX && bad == 4);
	CHECK(parse(RRTYPE_RRSIG, "A 8 1 1 21000229000000 0 1 . AQID", &w) == E_SYNTAX && bad == 4);
}

/* Base64 and hexadecimal digits are split anywhere, even inside a group. */
TEST(digits_are_joined_over_words)
{
	struct span whole = rdata(RRTYPE_DNSKEY, "1 3 8 AQIDBAUGBwg=");

	CHECK(span_equal(whole, rdata(RRTYPE_DNSKEY, "1 3 8 A Q I D B A U G B w g =")));
	CHECK(span_equal(whole, rdata(RRTYPE_DNSKEY, "1 3 8 AQIDB AUGBw g=")));
	whole = rdata(RRTYPE_TLSA, "1 1 0 0123456789");
	CHECK(span_equal(whole, rdata(RRTYPE_TLSA, "1 1 0 0 12 345 6 789")));
}

TEST(words_in_quotes_after_an_equals_sign_lose_them)
{
	struct span plain = rdata(RRTYPE_SVCB, "1 . alpn=h2,h3 port=8443");

	CHECK(span_equal(plain, rdata(RRTYPE_SVCB, "1 . port=\"8443\" alpn=\"h2,h3\"")));
	CHECK(span_equal(rdata(RRTYPE_SVCB, "1 . key65000=\"a b\""),
			 rdata(RRTYPE_SVCB, "1 . key65000=a\\032b")));
}

TEST(too_many_service_parameters_are_a_limit_and_not_a_crash)
{
	static char text[8192];
	struct writer w = writer_of(octets, sizeof octets);
	size_t len = (size_t)snprintf(text, sizeof text, "1 .");

	for (unsigned key = 2000; key > 2000 - 257; key--)
		len += (size_t)snprintf(text + len, sizeof text - len, " key%u", key);
	CHECK(parse(RRTYPE_SVCB, text, &w) == E_LIMIT && bad == 258);
	assert_string_equal(err.text, "more than 256 service parameters in one record");
	*strrchr(text, ' ') = '\0';
	CHECK(parse(RRTYPE_SVCB, text, &w) == OK);
	const struct span data = writer_span(&w);
	CHECK(rdata_check(RRTYPE_SVCB, data, NULL) == OK);

	/* In wire form more are well-formed; they print as octets. */
	write_u16(&w, 3000);
	write_u16(&w, 0);
	CHECK(rdata_check(RRTYPE_SVCB, writer_span(&w), NULL) == OK);
	CHECK(strncmp(print(RRTYPE_SVCB, writer_span(&w)), "\\# 1031 ", 8) == 0);
}

TEST(every_bitmap_window_can_be_used)
{
	static char text[5000];
	struct writer w = writer_of(octets, sizeof octets);
	size_t len = (size_t)snprintf(text, sizeof text, ".");

	for (unsigned type = 255; type <= UINT16_MAX; type += 256)
		len += (size_t)snprintf(text + len, sizeof text - len, " TYPE%u", type);
	CHECK(parse(RRTYPE_NSEC, text, &w) == OK && w.len == 1 + 256 * 34);
	CHECK(rdata_check(RRTYPE_NSEC, writer_span(&w), NULL) == OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mnemonics_name_types_both_ways),
		cmocka_unit_test(a_word_that_is_almost_a_mnemonic_is_none),
		cmocka_unit_test(meta_types_are_no_data_of_a_zone),
		cmocka_unit_test(unknown_types_are_octets),
		cmocka_unit_test(a_quoted_backslash_hash_is_text),
		cmocka_unit_test(shapes_without_text_print_as_octets),
		cmocka_unit_test(malformed_wire_form_is_refused),
		cmocka_unit_test(canonical_form_lowers_the_names_of_the_listed_types_only),
		cmocka_unit_test(canonical_form_leaves_the_address_before_a_name_alone),
		cmocka_unit_test(data_is_ordered_by_its_octets),
		cmocka_unit_test(only_names_of_rfc_1035_are_compressible),
		cmocka_unit_test(compressed_names_are_expanded_where_the_rfc_allows_it),
		cmocka_unit_test(a_name_does_not_reach_behind_its_data),
		cmocka_unit_test(no_room_is_an_error_and_leaves_nothing),
		cmocka_unit_test(data_has_at_most_65535_octets),
		cmocka_unit_test(an_error_names_the_word_to_blame),
		cmocka_unit_test(octets_of_strangers_are_quoted_safely),
		cmocka_unit_test(zero_octets_in_words_are_refused_where_letters_are_wanted),
		cmocka_unit_test(hosts_are_named_for_the_additional_section),
		cmocka_unit_test(signature_times_wrap_and_take_plain_seconds),
		cmocka_unit_test(digits_are_joined_over_words),
		cmocka_unit_test(words_in_quotes_after_an_equals_sign_lose_them),
		cmocka_unit_test(too_many_service_parameters_are_a_limit_and_not_a_crash),
		cmocka_unit_test(every_bitmap_window_can_be_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
