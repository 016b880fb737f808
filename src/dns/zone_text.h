/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_text.h - zone files: RFC 1035 section 5, RFC 2308 4 ($TTL), $GENERATE.
 *
 * The parser reads the whole text from memory and hands each record to a sink. It
 * goes on after an error, so that a person sees all of them; a text with an error
 * gives no zone. It knows nothing of files: an includer brings them.
 *
 * Where servers read a text differently, it is an error (parentheses inside
 * parentheses, a quote inside a word) or a warning ($TTL of an included file).
 */
#ifndef DNS_ZONE_TEXT_H
#define DNS_ZONE_TEXT_H

#include "base/diagnostic.h"
#include "base/parallel.h"
#include "dns/record.h"

enum {
	INCLUDE_DEPTH_MAX = 10,
	INCLUDE_COUNT_MAX = 10000,       /* in one zone */
	GENERATE_COUNT_MAX = 65536,      /* records of one $GENERATE */
	GENERATE_TOTAL_MAX = 16 * 65536, /* records of all of them in one zone */
	ZONE_TEXT_LINE_MAX = 1 << 20,    /* octets of one record, parentheses included */
};

/* What a part of a text has for itself while it is parsed beside others. */
struct zone_text_part {
	struct arena *arena;            /* scratch */
	struct diagnostics diagnostics; /* empty, in an arena of its own */
	void *context;                  /* for the sink */
};

/*
 * How a long text is parsed in parts side by side. What comes of it, in the order in which
 * parts are ended and records sunk between them, is what one parse would have given: a
 * part that began with a wrong idea of $ORIGIN, $TTL or owner is ended unwanted, and
 * parsed again.
 */
struct zone_text_aside {
	const struct parallel *parallel;
	size_t part_octets; /* of text, about; shorter than two of them: one parse */

	/* For a part that begins; E_AGAIN ends parsing. The parse's own thread, as with `end`. */
	enum code (*begin)(void *context, struct zone_text_part *part);

	/* `wanted`: its records come next. It has no more use for `part`. */
	enum code (*end)(void *context, struct zone_text_part *part, bool wanted);

	/* So much more is parsed; by any thread. */
	void (*went_on)(void *context, size_t octets);
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

	const struct zone_text_aside *aside; /* with the same `context`; NULL: one parse */

	struct arena *arena;             /* scratch for the time of parsing */
	struct diagnostics *diagnostics; /* what is wrong, by file:line:column */
};

/*
 * Reads the text of `file`, the name that the diagnostics show. Records after an error
 * still go to the sink, which may add errors of its own by their places.
 *
 * E_SYNTAX  the diagnostics have an error more than before; they were told in the
 *           order of the text, and parsing ended when no further one was kept
 * E_NOMEM   the arena is full: 64 KiB for data, 24 octets a word of the longest record
 * others    the sink's own
 */
enum code zone_text_parse(const struct zone_text_parser *parser, const char *file,
			  struct span text) must_use;

/*
 * Prints a record of class IN as a line that BIND, Knot and NSD load: absolute names, no
 * $ORIGIN, and types that not all of them know in the form of RFC 3597. A zone is its
 * records in canonical order. record_print is for people: it names every type.
 */
void zone_text_print(const struct record *record, struct writer *w);

#endif
