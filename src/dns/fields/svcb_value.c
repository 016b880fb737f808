/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/fields/svcb_value.h"

#include "dns/decimal.h"
#include "dns/escape.h"

#include "base/encoding.h"
#include "base/ip_text.h"

#include <assert.h>

enum { KEY_MANDATORY = 0, KEY_ALPN = 1, KEY_NO_DEFAULT_ALPN = 2, ID_OCTETS_MAX = 255 };

static const struct {
	const char *name;
	enum param_format format;
} keys[] = {
	{"mandatory", PARAM_KEYS},        {"alpn", PARAM_IDS},
	{"no-default-alpn", PARAM_EMPTY}, {"port", PARAM_PORT},
	{"ipv4hint", PARAM_IPV4},         {"ech", PARAM_BASE64},
	{"ipv6hint", PARAM_IPV6},         {"dohpath", PARAM_TEXT},
	{"ohttp", PARAM_EMPTY},           {"tls-supported-groups", PARAM_GROUPS},
};

enum param_format param_format_of(uint16_t key)
{
	return key < ARRAY_COUNT(keys) ? keys[key].format : PARAM_OPAQUE;
}

int param_key_read(struct span text)
{
	uint64_t number;

	for (size_t key = 0; key < ARRAY_COUNT(keys); key++)
		if (span_is_text(text, keys[key].name)) return (int)key;
	if (!param_key_is_number(text)) return -1;
	struct span digits = span_of(text.ptr + 3, text.len - 3);
	if (digits.len > 1 && digits.ptr[0] == '0') return -1;
	return decimal_read(digits, UINT16_MAX, &number) ? (int)number : -1;
}

bool param_key_is_number(struct span text)
{
	return text.len > 3 && memcmp(text.ptr, "key", 3) == 0;
}

void param_key_print(uint16_t key, struct writer *w)
{
	if (key < ARRAY_COUNT(keys)) {
		write_text(w, keys[key].name);
		return;
	}
	write_text(w, "key");
	decimal_print(key, w);
}

const char *param_expected(enum param_format format)
{
	switch (format) {
	case PARAM_KEYS: return "parameter keys, each once, without \"mandatory\"";
	case PARAM_IDS: return "protocol ids of 1 to 255 octets, such as alpn=h2,h3";
	case PARAM_EMPTY: return "no value for this service parameter";
	case PARAM_PORT: return "a port from 0 to 65535";
	case PARAM_IPV4: return "IPv4 addresses with commas between";
	case PARAM_BASE64: return "base64";
	case PARAM_IPV6: return "IPv6 addresses with commas between";
	case PARAM_TEXT: return "a text that is not empty";
	case PARAM_GROUPS: return "numbers from 0 to 65535 with commas between";
	case PARAM_OPAQUE: return "a text with right escapes";
	}
	return "a value";
}

/* Takes the part up to the next comma; false when nothing is left. */
static bool item_take(struct span *list, struct span *item, bool *last)
{
	if (*last) return false;
	const uint8_t *comma = list->len ? memchr(list->ptr, ',', list->len) : NULL;
	*item = span_of(list->ptr, comma ? (size_t)(comma - list->ptr) : list->len);
	*last = !comma;
	if (comma) *list = span_of(comma + 1, list->len - item->len - 1);
	return true;
}

/* In order and each once, whatever the order in text (RFC 9460 8). */
static bool keys_from_text(struct span list, struct writer *w)
{
	enum { MANDATORY_COUNT_MAX = 64 };
	uint16_t found[MANDATORY_COUNT_MAX];
	size_t count = 0;
	struct span item;

	for (bool last = false; item_take(&list, &item, &last);) {
		int key = param_key_read(item);
		size_t at = count;
		if (key <= KEY_MANDATORY || count == MANDATORY_COUNT_MAX) return false;
		for (; at && found[at - 1] > key; at--) found[at] = found[at - 1];
		if (at && found[at - 1] == key) return false;
		found[at] = (uint16_t)key;
		count++;
	}
	for (size_t i = 0; i < count; i++) write_u16(w, found[i]);
	return true;
}

/* The next octet of a character-string; false: the end, or a wrong escape (then `*wrong`). */
static bool octet_take(struct span *text, uint8_t *octet, bool *wrong)
{
	size_t step = 1;

	if (!text->len) return false;
	*octet = text->ptr[0];
	if (*octet == '\\') step = escape_read(*text, 0, octet);
	*wrong = step == 0;
	*text = span_of(text->ptr + step, text->len - step);
	return !*wrong;
}

static bool id_close(struct writer *w, size_t len_at)
{
	if (w->overflow) return true;
	size_t len = w->len - len_at - 1;
	w->ptr[len_at] = (uint8_t)len;
	return len > 0 && len <= ID_OCTETS_MAX;
}

/*
 * A list inside a character-string (RFC 9460 appendix A.1): once the string's own escapes
 * are resolved, "\," and "\\" are octets of an id and "," parts two of them.
 */
static bool ids_from_text(struct span text, struct writer *w)
{
	size_t len_at = w->len;
	bool wrong = false;
	uint8_t octet;

	write_u8(w, 0);
	while (octet_take(&text, &octet, &wrong)) {
		if (octet == ',') {
			if (!id_close(w, len_at)) return false;
			len_at = w->len;
			write_u8(w, 0);
			continue;
		}
		if (octet == '\\' &&
		    (!octet_take(&text, &octet, &wrong) || (octet != ',' && octet != '\\')))
			return false;
		write_u8(w, octet);
	}
	return !wrong && id_close(w, len_at);
}

static bool addresses_from_text(struct span list, size_t octets, struct writer *w)
{
	uint8_t address[IPV6_OCTETS];
	struct span item;

	for (bool last = false; item_take(&list, &item, &last);) {
		if (octets == IPV4_OCTETS ? !ipv4_from_text(item, address)
					  : !ipv6_from_text(item, address))
			return false;
		write_bytes(w, address, octets);
	}
	return true;
}

static bool groups_from_text(struct span list, struct writer *w)
{
	struct span item;
	uint64_t group;

	for (bool last = false; item_take(&list, &item, &last);) {
		if (!decimal_read(item, UINT16_MAX, &group)) return false;
		write_u16(w, (uint16_t)group);
	}
	return true;
}

static bool port_from_text(struct span text, struct writer *w)
{
	uint64_t port;

	if (!decimal_read(text, UINT16_MAX, &port)) return false;
	write_u16(w, (uint16_t)port);
	return true;
}

bool param_from_text(enum param_format format, struct span value, struct writer *w)
{
	size_t bad;

	switch (format) {
	case PARAM_KEYS: return keys_from_text(value, w);
	case PARAM_IDS: return ids_from_text(value, w);
	case PARAM_EMPTY: return value.len == 0;
	case PARAM_PORT: return port_from_text(value, w);
	case PARAM_IPV4: return addresses_from_text(value, IPV4_OCTETS, w);
	case PARAM_BASE64: return value.len && base64_decode(value, w);
	case PARAM_IPV6: return addresses_from_text(value, IPV6_OCTETS, w);
	case PARAM_TEXT: return value.len && unescape(value, w, &bad);
	case PARAM_GROUPS: return groups_from_text(value, w);
	case PARAM_OPAQUE: return unescape(value, w, &bad);
	}
	return false;
}

static void ids_print(struct span value, struct writer *w)
{
	struct reader r = reader_of(value);

	write_u8(w, '"');
	while (reader_left(&r)) {
		struct span id = read_span(&r, read_u8(&r));
		for (size_t i = 0; i < id.len; i++) {
			uint8_t octet = id.ptr[i];
			/* The list's own backslash is one of the string's octets. */
			if (octet == ',' || octet == '\\') write_text(w, "\\\\");
			escape_octet(octet, w);
		}
		if (reader_left(&r)) write_u8(w, ',');
	}
	write_u8(w, '"');
}

static void list_print(enum param_format format, struct span value, struct writer *w)
{
	struct reader r = reader_of(value);

	while (reader_left(&r)) {
		switch (format) {
		case PARAM_KEYS: param_key_print(read_u16(&r), w); break;
		case PARAM_IPV4: ipv4_print(read_span(&r, IPV4_OCTETS), w); break;
		case PARAM_IPV6: ipv6_print(read_span(&r, IPV6_OCTETS), w); break;
		default: decimal_print(read_u16(&r), w); break;
		}
		if (reader_left(&r)) write_u8(w, ',');
	}
}

void param_print(enum param_format format, struct span value, struct writer *w)
{
	switch (format) {
	case PARAM_IDS: ids_print(value, w); return;
	case PARAM_KEYS:
	case PARAM_PORT:
	case PARAM_IPV4:
	case PARAM_IPV6:
	case PARAM_GROUPS: list_print(format, value, w); return;
	case PARAM_BASE64:
		write_u8(w, '"');
		base64_encode(value, w);
		write_u8(w, '"');
		return;
	case PARAM_TEXT:
	case PARAM_EMPTY:
	case PARAM_OPAQUE: escape_string(value, w); return;
	}
}

static bool are_ids(struct span value)
{
	struct reader r = reader_of(value);

	while (reader_left(&r))
		if (!read_span(&r, read_u8(&r)).len) return false;
	return value.len && !r.failed;
}

static bool are_ascending(struct span value)
{
	struct reader r = reader_of(value);

	for (int last = KEY_MANDATORY, key; reader_left(&r); last = key) {
		key = read_u16(&r);
		if (key <= last) return false;
	}
	return value.len && !r.failed;
}

static bool is_value(enum param_format format, struct span value)
{
	switch (format) {
	case PARAM_KEYS: return are_ascending(value);
	case PARAM_IDS: return are_ids(value);
	case PARAM_EMPTY: return value.len == 0;
	case PARAM_PORT: return value.len == 2;
	case PARAM_IPV4: return value.len && value.len % IPV4_OCTETS == 0;
	case PARAM_IPV6: return value.len && value.len % IPV6_OCTETS == 0;
	case PARAM_TEXT:
	case PARAM_BASE64: return value.len > 0;
	case PARAM_GROUPS: return value.len && value.len % 2 == 0;
	case PARAM_OPAQUE: return true;
	}
	return false;
}

/* Where the walk through ascending keys stands. */
struct walk {
	struct reader mandatory; /* keys that must still come */
	int wanted;              /* the first of them; -1: none */
	int last;
	bool has_alpn;
};

static const char *param_fault(struct walk *walk, uint16_t key, struct span value)
{
	if (key <= walk->last) return "is not in ascending order";
	if (!is_value(param_format_of(key), value)) return "has a value of the wrong format";
	if (key == KEY_NO_DEFAULT_ALPN && !walk->has_alpn) return "stands there without alpn";
	if (key == KEY_MANDATORY) walk->mandatory = reader_of(value);
	if (key == KEY_MANDATORY || key == walk->wanted)
		walk->wanted = reader_left(&walk->mandatory) ? read_u16(&walk->mandatory) : -1;
	walk->has_alpn |= key == KEY_ALPN;
	walk->last = key;
	return NULL;
}

struct params_fault params_check(struct reader *r)
{
	struct walk walk = {.wanted = -1, .last = -1};

	while (reader_left(r)) {
		uint16_t key = read_u16(r);
		struct span value = read_span(r, read_u16(r));
		if (r->failed) return (struct params_fault){"is cut short", key};
		if (walk.wanted >= 0 && key > walk.wanted) break;
		const char *fault = param_fault(&walk, key, value);
		if (fault) return (struct params_fault){fault, key};
	}
	if (walk.wanted < 0) return (struct params_fault){0};
	return (struct params_fault){"is mandatory, but not there", (uint16_t)walk.wanted};
}
