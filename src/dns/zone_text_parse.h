/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_text_parse.h - one parse of zone text, as its own files see it.
 *
 * A function here returns OK also after an error in the text, which it told to the
 * diagnostics; any other code ends the parse.
 */
#ifndef DNS_ZONE_TEXT_PARSE_H
#define DNS_ZONE_TEXT_PARSE_H

#include "dns/zone_text.h"
#include "dns/zone_text_scan.h"

/* All that an entry takes over from the entries before it. */
struct zone_text_state {
	struct name_buffer origin;
	struct name_buffer owner;
	struct span owner_text; /* as it stands in the text; empty: not to be compared with */
	bool has_owner;
	bool owner_outside; /* not in the zone: told once, its records are dropped */
	bool has_default_ttl, has_ttl;
	bool default_ttl_included; /* an included file said $TTL, and nothing relied on it yet */
	uint32_t default_ttl;      /* $TTL: RFC 2308 4 */
	uint32_t ttl;              /* the last that was written: RFC 1035 5.1 */
};

/* A file being read, and the one that includes it. */
struct zone_text_file {
	const struct zone_text_file *from;
	const char *name;
	unsigned depth;
};

struct zone_text {
	const struct zone_text_parser *parser;
	const struct text_kernel *kernel;
	struct zone_text_state state;
	const struct zone_text_file *file;
	struct zone_scan *scan; /* of `file` */
	struct token_list words;
	uint8_t *rdata;               /* RDATA_OCTETS_MAX of scratch */
	struct token_list made_words; /* of a record that $GENERATE makes, and its text */
	uint8_t *made_text;
	uint32_t include_count, generate_count;
	/* A part that began with an idea of the state: it stops before what it cannot know. */
	bool is_guess, has_stopped;
};

/* What stands between owner and data. */
struct record_head {
	uint32_t ttl;
	uint16_t type;
	size_t next; /* index of the first word of the data */
};

/* zone_text_parse with a kernel of the caller's choice, for tests. */
enum code zone_text_parse_with(const struct text_kernel *kernel,
			       const struct zone_text_parser *parser, const char *file,
			       struct span text) must_use;

/* Parses one file or the text of an $INCLUDE. */
enum code zone_text_file_parse(struct zone_text *p, const struct zone_text_file *file,
			       struct span text) must_use;

/* Parses the entries that begin before `end`. */
enum code zone_text_entries_parse(struct zone_text *p, size_t end) must_use;

/* Parses the text of p->scan in parts (zone_text_aside.c). */
enum code zone_text_parse_aside(struct zone_text *p) must_use;

/* The words are a directive that changes nothing but the state. */
bool zone_text_is_of_state(const struct zone_text *p);

/* Handles the directive in the scan's words. */
enum code zone_text_directive(struct zone_text *p) must_use;

/* Handles the $GENERATE in the scan's words. */
enum code zone_text_generate(struct zone_text *p) must_use;

/*
 * Reads TTL, class and type from the scan's words, from index `at` on. False: an error
 * was told.
 */
bool zone_text_head(struct zone_text *p, size_t at, struct record_head *head);

/*
 * Words like key="value" stand only where `type` has them, or are an error at the first
 * (RFC 9460 2.1). Type 0 has none.
 */
bool zone_text_quotes_fit(struct zone_text *p, uint16_t type);

/* The name is the zone's apex or below; else an error at `word` names both. */
bool zone_text_in_zone(struct zone_text *p, struct name owner, const struct token *word);

/* Gives the record to the sink, with the place of `first`; the code is the sink's. */
enum code zone_text_hand(struct zone_text *p, struct name owner, const struct record_head *head,
			 struct span rdata, const struct token *first) must_use;

/* An error at word `at` of the scan, or behind the last one when there is no such word. */
void zone_text_complain(struct zone_text *p, size_t at, const char *format, ...) printf_like(3, 4);

/* A TTL with or without units, "3600" or "1h30m", at word `at`. False: an error was told. */
bool zone_text_ttl(struct zone_text *p, size_t at, uint32_t *ttl);

#endif
