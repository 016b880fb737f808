/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_text.h - zone files: RFC 1035 section 5, RFC 2308 4 ($TTL), $GENERATE.
 *
 * The parser reads the whole text from memory and hands each record to a sink. It
 * goes on after an error, so that a person sees all of them; a text with an error
 * gives no zone. It knows nothing of files: an includer brings them.
 */
#ifndef DNS_ZONE_TEXT_H
#define DNS_ZONE_TEXT_H

#include "base/diagnostic.h"
#include "dns/record.h"

enum {
	INCLUDE_DEPTH_MAX = 10,
	INCLUDE_COUNT_MAX = 10000,       /* in one zone */
	GENERATE_COUNT_MAX = 65536,      /* records of one $GENERATE */
	GENERATE_TOTAL_MAX = 16 * 65536, /* records of all of them in one zone */
	ZONE_TEXT_LINE_MAX = 1 << 20,    /* octets of one record, parentheses included */
};

struct zone_text_parser {
	struct name origin; /* the zone's apex */
	uint32_t default_ttl;
	bool has_default_ttl; /* false: a first record without TTL and $TTL is an error */

	/*
	 * Brings the text of an $INCLUDE; `path` as written, `from` the file that says so.
	 * The text stays valid until parsing ends. NULL: $INCLUDE is an error.
	 */
	enum code (*include)(void *context, const char *path, const char *from, struct span *text,
			     const char **name, struct error *err);

	/* One record; borrowed for the call. A code other than OK ends parsing with it. */
	enum code (*sink)(void *context, const struct record *record, struct place place);
	void *context;

	struct arena *arena;             /* scratch for the time of parsing */
	struct diagnostics *diagnostics; /* what is wrong, by file:line:column */
};

/* E_SYNTAX when there was an error (the diagnostics say which), else OK or the sink's code. */
enum code zone_text_parse(const struct zone_text_parser *parser, const char *file,
			  struct span text);

/*
 * Prints records as a standard zone file that any server loads: $ORIGIN-free,
 * absolute names, one record a line. The caller prints them in canonical order.
 */
void zone_text_print(const struct record *record, struct writer *w);

#endif
