/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "dns/rdata.h"

#include "base/attributes.h"
#include "base/encoding.h"

enum { WORDS_MAX = 300 };

/* Words as the zone parser hands them out: split at spaces, quotes taken away. */
static size_t words_split(const char *text, struct token tokens[WORDS_MAX])
{
	size_t count = 0;

	while (*text) {
		if (*text == ' ') {
			text++;
			continue;
		}
		assert_true(count < WORDS_MAX);
		bool quoted = *text == '"';
		const char *start = text += quoted;
		while (*text && *text != (quoted ? '"' : ' '))
			text += *text == '\\' && text[1] ? 2 : 1;
		tokens[count++] = (struct token){
			.text = start, .len = (uint32_t)(text - start), .quoted = quoted};
		text += quoted && *text;
	}
	return count;
}

static enum code parse(uint16_t type, const char *text, struct writer *w, struct error *err,
		       size_t *bad)
{
	static const uint8_t origin[] = "\7example\3net";
	struct token tokens[WORDS_MAX];
	size_t count = words_split(text, tokens);

	return rdata_from_tokens(type, tokens, count,
				 (struct name){.wire = origin, .len = sizeof origin}, w, bad, err);
}

static void check_text(const char *mnemonic, const char *text, const char *hex, const char *printed)
{
	uint8_t wire[1000], expected[1000];
	char out[4000];
	struct writer w = writer_of(wire, sizeof wire), e = writer_of(expected, sizeof expected);
	struct writer p = writer_of(out, sizeof out - 1);
	struct error err;
	uint16_t type;
	size_t bad;

	CHECK(rrtype_from_text(span_of_text(mnemonic), &type));
	if (parse(type, text, &w, &err, &bad)) fail_msg("%s %s: %s", mnemonic, text, err.text);
	CHECK(base16_decode(span_of_text(hex), &e));
	assert_int_equal(w.len, e.len);
	assert_memory_equal(wire, expected, w.len);
	CHECK(rdata_check(type, writer_span(&w), &err) == OK);
	rdata_print(type, writer_span(&w), &p);
	out[p.len] = 0;
	assert_string_equal(out, printed ? printed : text);
}

TEST(common_types_read_and_print)
{
	check_text("A", "192.0.2.1", "c0000201", NULL);
	check_text("AAAA", "2001:db8::1", "20010db8000000000000000000000001", NULL);
	check_text("NS", "ns1", "036e7331076578616d706c65036e657400", "ns1.example.net.");
	check_text("MX", "10 .", "000a00", NULL);
	check_text("TXT", "a \"b c\" \"\"", "01610362206300", "\"a\" \"b c\" \"\"");
	check_text("SOA", "a. b. 1 1h 2m 3 1w",
		   "0161000162000000000100000e10000000780000000300093a80",
		   "a. b. 1 3600 120 3 604800");
	check_text("SRV", "1 2 3 a.", "000100020003016100", NULL);
	check_text("DS", "1 RSASHA256 255 AB cdE F", "000108ffabcdef", "1 8 255 abcdef");
	check_text("NSEC", "a. A NS TYPE1234 MX",
		   "0161000002600104"
		   "1b000000000000000000000000000000000000000000000000000020",
		   "a. A NS MX TYPE1234");
	check_text("DNSKEY", "257 3 13 AQ ID BA==", "0101030d01020304", "257 3 13 AQIDBA==");
	check_text("RRSIG", "A 13 2 3600 20300101000000 1 7 a. AQID",
		   "00010d0200000e1070dbd880000000010007016100010203",
		   "A 13 2 3600 20300101000000 19700101000001 7 a. AQID");
	check_text("TYPE65280", "\\# 3 01 0203", "010203", "\\# 3 010203");
	check_text("A", "\\# 4 c0000201", "c0000201", "192.0.2.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(common_types_read_and_print),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
