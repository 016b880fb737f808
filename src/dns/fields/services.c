/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/decimal.h"
#include "dns/fields/fields.h"

enum { PORT_COUNT = 65536 };

struct number {
	const char *text;
	uint16_t value;
};

static const struct number protocols[] = {{"ICMP", 1}, {"TCP", 6}, {"UDP", 17}};

/* Those of RFC 1010, which RFC 1035 3.4.2 points to, and a few that are still alive. */
static const struct number services[] = {
	{"ECHO", 7},       {"DISCARD", 9},     {"SYSTAT", 11},    {"DAYTIME", 13},
	{"NETSTAT", 15},   {"QOTD", 17},       {"CHARGEN", 19},   {"FTP-DATA", 20},
	{"FTP", 21},       {"SSH", 22},        {"TELNET", 23},    {"SMTP", 25},
	{"TIME", 37},      {"RLP", 39},        {"NICNAME", 43},   {"WHOIS", 43},
	{"DOMAIN", 53},    {"BOOTPS", 67},     {"BOOTPC", 68},    {"TFTP", 69},
	{"GOPHER", 70},    {"FINGER", 79},     {"HTTP", 80},      {"KERBEROS", 88},
	{"HOSTNAME", 101}, {"HOSTNAMES", 101}, {"ISO-TSAP", 102}, {"POP2", 109},
	{"POP3", 110},     {"SUNRPC", 111},    {"AUTH", 113},     {"NNTP", 119},
	{"NTP", 123},      {"IMAP", 143},      {"SNMP", 161},     {"BGP", 179},
	{"HTTPS", 443},
};

static bool number_find(struct span word, const struct number *table, size_t count, uint64_t max,
			uint64_t *value)
{
	if (decimal_read(word, max, value)) return true;
	for (size_t i = 0; i < count; i++) {
		if (!word_is(word, table[i].text)) continue;
		*value = table[i].value;
		return true;
	}
	return false;
}

enum code services_from_text(struct words *in)
{
	uint8_t bits[PORT_COUNT / 8];
	uint64_t value;
	size_t len = 0;

	if (!number_find(words_front(in), protocols, ARRAY_COUNT(protocols), UINT8_MAX, &value))
		return words_expected_text(in, "a protocol, number from 0 to 255, TCP or UDP");
	write_u8(in->w, (uint8_t)value);
	for (in->at++; words_left(in); in->at++) {
		if (!number_find(words_front(in), services, ARRAY_COUNT(services), PORT_COUNT - 1,
				 &value))
			return words_expected_text(in,
						   "a port, number from 0 to 65535 or mnemonic");
		if (value / 8 >= len) {
			memset(bits + len, 0, value / 8 + 1 - len);
			len = value / 8 + 1;
		}
		bits[value / 8] |= (uint8_t)(0x80 >> value % 8);
	}
	write_bytes(in->w, bits, len);
	return OK;
}

/* Empty octets at the end would get lost. */
bool services_print(struct reader *r, struct writer *w)
{
	decimal_print(read_u8(r), w);
	struct span bits = read_rest(r);
	if (bits.len && !bits.ptr[bits.len - 1]) return false;
	for (unsigned bit = 0; bit < bits.len * 8; bit++) {
		if (!(bits.ptr[bit / 8] & 0x80 >> bit % 8)) continue;
		write_u8(w, ' ');
		decimal_print(bit, w);
	}
	return true;
}

bool services_check(struct reader *r)
{
	read_u8(r);
	return !r->failed && read_rest(r).len <= PORT_COUNT / 8;
}
