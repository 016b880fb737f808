/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/zone_text_parse.h"

#include "base/suggest.h"
#include "dns/escape.h"
#include "dns/fields/time.h"

#include <stdarg.h>
#include <stdio.h>

void zone_text_complain(struct zone_text *p, size_t at, const char *format, ...)
{
	const struct token_list *words = p->scan->words;
	struct token word = words->list[at < words->count ? at : words->count - 1];
	char text[ERROR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (at >= words->count) {
		word.text += word.len + (word.quoted ? 1 : 0);
		word.column += word.len + (word.quoted ? 1 : 0);
		word.len = 0;
	}
	zone_scan_complain(p->scan, &word, "%s", text);
}

/* Up to nine digits and nothing else: nearly every TTL. */
static inline bool digits_read(struct span text, uint32_t *number)
{
	uint32_t value = 0;

	if (text.len == 0 || text.len > 9) return false;
	for (size_t i = 0; i < text.len; i++) {
		uint32_t digit = text.ptr[i] - (uint32_t)'0';
		if (digit > 9) return false;
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}

bool zone_text_ttl(struct zone_text *p, size_t at, uint32_t *ttl)
{
	struct span text = word_span(&p->scan->words->list[at]);
	char found[QUOTED_MAX];

	if (likely(digits_read(text, ttl))) return true;
	if (period_read(text, ttl) && *ttl <= TTL_MAX) return true;
	zone_text_complain(p, at, "expected a TTL from 0 to %u, such as 3600 or 1h30m, found %s",
			   (unsigned)TTL_MAX, quote(text, found));
	return false;
}

/* A word where only TTL, class or type can stand, that is none of them. */
static void complain_type(struct zone_text *p, size_t at)
{
	struct span text = word_span(&p->scan->words->list[at]);
	char found[QUOTED_MAX];
	size_t count;
	const char *const *mnemonics = rrtype_mnemonics(&count);
	const char *near = suggest(text, mnemonics, count);
	uint16_t class;

	quote(text, found);
	if (class_from_text(text, &class))
		zone_text_complain(p, at, "class %s: only zones of class IN are served", found);
	else if (text.len && text.ptr[0] == '$')
		zone_text_complain(p, at, "directive %s must begin in the first column", found);
	else if (near)
		zone_text_complain(p, at, "expected an RR type, found %s; did you mean %s?", found,
				   near);
	else if (at == 0)
		zone_text_complain(p, at,
				   "expected an RR type, found %s; the line begins with a blank, "
				   "so it has the owner of the record before",
				   found);
	else
		zone_text_complain(p, at, "expected an RR type, found %s", found);
}

static bool type_read(struct zone_text *p, size_t at, uint16_t *type)
{
	const struct token *word = &p->scan->words->list[at];
	char found[QUOTED_MAX];

	if (word->quoted || !rrtype_from_text(word_span(word), type)) {
		complain_type(p, at);
		return false;
	}
	if (*type == 0 || rrtype_is_meta(*type)) {
		zone_text_complain(p, at, "type %s is for messages, it never stands in a zone",
				   quote(word_span(word), found));
		return false;
	}
	return true;
}

/* The TTL of a record that does not say one: RFC 2308 4, else RFC 1035 5.1. */
static bool ttl_from_state(struct zone_text *p, size_t at, uint32_t *ttl)
{
	struct zone_text_state *state = &p->state;

	if (state->has_default_ttl) {
		*ttl = state->default_ttl;
	} else if (state->has_ttl) {
		*ttl = state->ttl;
	} else if (p->is_guess) {
		p->has_stopped = true;
		return false;
	} else {
		/* Once: with the line that is missing all the others are right. */
		zone_text_complain(p, at, "no TTL: write one before the type, or $TTL above");
		*ttl = state->ttl = 0;
		state->has_ttl = true;
		return true;
	}
	if (unlikely(state->default_ttl_included)) {
		state->default_ttl_included = false;
		const struct token *word = &p->scan->words->list[at];
		struct place place = {.file = p->file->name,
				      .line = word->line,
				      .column = word->column,
				      .width = word->len};
		diagnose_warning(p->parser->diagnostics, place, (struct span){0},
				 "TTL %u comes from the $TTL of an included file, which not all "
				 "servers keep: repeat $TTL behind the $INCLUDE",
				 (unsigned)*ttl);
	}
	return true;
}

static bool is_in(const struct token *word)
{
	return word->len == 2 && (word->text[0] | 0x20) == 'i' && (word->text[1] | 0x20) == 'n';
}

static bool is_class_1(const struct token *word)
{
	uint16_t class;
	return class_from_text(word_span(word), &class) && class == CLASS_IN;
}

bool zone_text_head(struct zone_text *p, size_t at, struct record_head *head)
{
	const struct token_list *words = p->scan->words;
	bool has_ttl = false, has_class = false;

	for (;; at++) {
		if (at == words->count) {
			zone_text_complain(p, at, "expected an RR type, found the end of the line");
			return false;
		}
		const struct token *word = &words->list[at];
		if (!has_ttl && word->len && (uint8_t)(word->text[0] - '0') < 10 && !word->quoted) {
			if (!zone_text_ttl(p, at, &head->ttl)) return false;
			has_ttl = true;
		} else if (!has_class && !word->quoted && is_in(word)) {
			has_class = true;
		} else if (!has_class && !word->quoted && word->len > 5 && is_class_1(word)) {
			has_class = true;
		} else {
			break;
		}
	}
	if (!type_read(p, at, &head->type)) return false;
	head->next = at + 1;
	if (!has_ttl) return ttl_from_state(p, at, &head->ttl);
	p->state.ttl = head->ttl;
	p->state.has_ttl = true;
	return true;
}

/* A quote that no backslash hides. */
static bool has_quote(struct span word)
{
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] == '"') return true;
		if (word.ptr[i] == '\\') i++;
	}
	return false;
}

bool zone_text_quotes_fit(struct zone_text *p, uint16_t type)
{
	const struct token_list *words = p->scan->words;

	if (likely(!p->scan->has_inner_quote)) return true;
	if (type == RRTYPE_SVCB || type == RRTYPE_HTTPS) return true;
	for (size_t i = 0; i < words->count; i++) {
		if (words->list[i].quoted || !has_quote(word_span(&words->list[i]))) continue;
		zone_text_complain(p, i, "a quote inside a word: put all of the word in quotes");
		return false;
	}
	return true;
}

bool zone_text_in_zone(struct zone_text *p, struct name owner, const struct token *word)
{
	char found[NAME_TEXT_MAX], apex[NAME_TEXT_MAX];

	if (name_is_below(owner, p->parser->origin)) return true;
	name_to_text(owner, found);
	name_to_text(p->parser->origin, apex);
	zone_scan_complain(p->scan, word, "\"%.300s\" is not in the zone \"%.300s\"", found, apex);
	return false;
}

/*
 * Takes the owner from the entry's first word. After an error the state has an owner
 * all the same, so that the lines that follow with a blank are not told as well.
 */
static void owner_read(struct zone_text *p, const struct token *word)
{
	struct zone_text_state *state = &p->state;
	struct name origin = name_of(&state->origin);
	struct error err;

	if (state->owner_text.len == word->len && !word->quoted &&
	    memcmp(state->owner_text.ptr, word->text, word->len) == 0)
		return;

	state->has_owner = true;
	state->owner_outside = true;
	state->owner_text = (struct span){0};
	if (word->quoted) {
		zone_scan_complain(p->scan, word,
				   "expected the name of an owner, found a quoted string");
	} else if (name_from_text(word_span(word), &origin, &state->owner, &err)) {
		zone_scan_complain(p->scan, word, "%s", err.text);
	} else if (zone_text_in_zone(p, name_of(&state->owner), word)) {
		state->owner_outside = false;
		state->owner_text = word_span(word);
	}
}

enum code zone_text_hand(struct zone_text *p, struct name owner, const struct record_head *head,
			 struct span rdata, const struct token *first)
{
	struct record record = {.owner = owner,
				.type = head->type,
				.class = CLASS_IN,
				.ttl = head->ttl,
				.rdata = rdata};
	struct place place = {.file = p->file->name,
			      .line = first->line,
			      .column = first->column,
			      .width = first->len};

	return p->parser->sink(p->parser->context, &record, place);
}

static enum code record_parse(struct zone_text *p)
{
	struct token_list *words = p->scan->words;
	struct zone_text_state *state = &p->state;
	struct record_head head;
	struct error err;
	size_t bad;

	if (!p->scan->begins_blank) {
		owner_read(p, &words->list[0]);
	} else if (!state->has_owner && p->is_guess) {
		p->has_stopped = true;
		return OK;
	} else if (!state->has_owner) {
		state->has_owner = state->owner_outside = true;
		zone_text_complain(p, 0,
				   "no owner: the line begins with a blank, and there is no "
				   "record before it");
	}
	if (!zone_text_head(p, p->scan->begins_blank ? 0 : 1, &head)) return OK;
	if (!zone_text_quotes_fit(p, head.type)) return OK;

	struct writer w = writer_of(p->rdata, RDATA_OCTETS_MAX);
	if (rdata_from_tokens(head.type, words->list + head.next, words->count - head.next,
			      name_of(&state->origin), &w, &bad, &err)) {
		zone_text_complain(p, head.next + bad, "%s", err.text);
		return OK;
	}
	if (state->owner_outside) return OK;
	return zone_text_hand(p, name_of(&state->owner), &head, writer_span(&w), &words->list[0]);
}

/* Some editors begin a file with the byte order mark of UTF-8; it says nothing. */
static struct span without_mark(struct span text)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (text.len >= 3 && memcmp(text.ptr, mark, 3) == 0)
		return span_of(text.ptr + 3, text.len - 3);
	return text;
}

static bool is_directive(const struct zone_text *p)
{
	const struct token *first = &p->words.list[0];

	return first->len && first->text[0] == '$' && !p->scan->begins_blank && !first->quoted;
}

enum code zone_text_entries_parse(struct zone_text *p, size_t end)
{
	struct diagnostics *said = p->parser->diagnostics;
	enum code code;

	p->scan->end = end;
	while ((code = zone_scan_next(p->scan)) == OK && p->words.count) {
		size_t count = said->count, errors = said->error_count;
		if (likely(!is_directive(p)))
			code = record_parse(p);
		else if (!p->is_guess || zone_text_is_of_state(p))
			code = zone_text_directive(p);
		else
			p->has_stopped = true;
		if (unlikely(p->has_stopped)) {
			/* As if the entry had not been seen. */
			said->count = count;
			said->error_count = errors;
			p->scan->at = p->scan->entry_at;
			p->scan->line = p->scan->entry_line;
			break;
		}
		if (code) break;
	}
	return code;
}

enum code zone_text_file_parse(struct zone_text *p, const struct zone_text_file *file,
			       struct span text)
{
	const struct zone_text_aside *aside = p->parser->aside;
	const struct zone_text_file *outer_file = p->file;
	struct zone_scan *outer_scan = p->scan;
	struct zone_scan scan;
	enum code code;

	text = without_mark(text);
	zone_scan_start(&scan, file->name, text, p->kernel, &p->words, p->parser->arena,
			p->parser->diagnostics);
	p->file = file;
	p->scan = &scan;
	if (aside && text.len / 2 >= aside->part_octets)
		code = zone_text_parse_aside(p);
	else
		code = zone_text_entries_parse(p, text.len);
	p->file = outer_file;
	p->scan = outer_scan;
	return code;
}

enum code zone_text_parse_with(const struct text_kernel *kernel,
			       const struct zone_text_parser *parser, const char *file,
			       struct span text)
{
	struct zone_text p = {.parser = parser, .kernel = kernel};
	struct zone_text_file outermost = {.name = file};
	size_t errors_before = parser->diagnostics->error_count;

	p.state.has_default_ttl = parser->has_default_ttl;
	p.state.default_ttl = parser->default_ttl;
	name_copy(&p.state.origin, parser->origin);
	p.rdata = arena_alloc_bytes(parser->arena, RDATA_OCTETS_MAX);
	if (!p.rdata) return E_NOMEM;

	enum code code = zone_text_file_parse(&p, &outermost, text);
	if (code) return code;
	return parser->diagnostics->error_count == errors_before ? OK : E_SYNTAX;
}

enum code zone_text_parse(const struct zone_text_parser *parser, const char *file, struct span text)
{
	return zone_text_parse_with(text_kernel_best(), parser, file, text);
}
