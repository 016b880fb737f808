/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry that is wrong is told once: `bad` silences what follows in it, and its words
 * are dropped at its end, so that one slip does not become ten errors.
 */
#include "dns/zone_text_split.h"

#include "dns/zone_text.h"

#include <assert.h>

/* Some octets that only a damaged file has; text in other languages is not among them. */
static const char control_octet[] = "a control octet in the text: write it as \\DDD";

struct split_state {
	struct zone_scan *scan;
	const uint8_t *entry, *at, *end;
	const uint8_t *line_start;
	uint32_t line;
	uint32_t depth;      /* of parentheses */
	struct token opener; /* the first "(", when depth > 0 */
	bool bad;
};

static struct token token_at(const struct split_state *s, const uint8_t *at, size_t len)
{
	return (struct token){.text = (const char *)at,
			      .len = (uint32_t)len,
			      .line = s->line,
			      .column = (uint32_t)(at - s->line_start) + 1};
}

static void complain(struct split_state *s, const uint8_t *at, size_t len, const char *text)
{
	if (!s->bad) {
		struct token token = token_at(s, at, len);
		zone_scan_complain(s->scan, &token, "%s", text);
	}
	s->bad = true;
}

static bool word_add(struct split_state *s, const uint8_t *from, const uint8_t *to, bool quoted)
{
	struct token_list *words = s->scan->words;

	if (unlikely(words->count == words->capacity) && !words_reserve(words, 1, s->scan->arena))
		return false;
	struct token *word = &words->list[words->count++];
	word->text = (const char *)from;
	word->len = (uint32_t)(to - from);
	word->line = s->line;
	word->column = (uint32_t)(from - s->line_start) + 1;
	word->quoted = quoted;
	return true;
}

static const uint8_t *line_end(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *newline = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
	return newline ? newline : end;
}

/* Continues at the line that begins at `start`, whose number is `line`. */
static void go_to_line(struct split_state *s, const uint8_t *start, uint32_t line)
{
	s->at = s->line_start = start;
	s->line = line;
}

/* Steps to the next octet that is none of a word's, or none of a quoted word's. */
static void skip_plain(struct split_state *s, bool quoted)
{
	const uint8_t *text = s->scan->text.ptr;
	size_t at = (size_t)(s->at - text), block = at / TEXT_BLOCK_OCTETS;
	uint64_t live = ~UINT64_C(0) << at % TEXT_BLOCK_OCTETS;
	uint64_t stop;

	for (;; block++, live = ~UINT64_C(0)) {
		const struct text_block *sets = zone_scan_block(s->scan, block);
		stop = (sets->special | sets->newline | (quoted ? 0 : sets->blank)) & live;
		if (stop) break;
	}
	at = block * TEXT_BLOCK_OCTETS + (unsigned)__builtin_ctzll(stop);
	s->at = at < s->scan->text.len ? text + at : s->end;
}

/* Steps over a backslash and what it escapes, which is never the end of a line. */
static void skip_escape(struct split_state *s)
{
	const uint8_t *next = s->at + 1;

	if (next < s->end && *next != '\n' && *next != '\r') {
		if (*next < 0x20 && *next != '\t') complain(s, next, 1, control_octet);
		s->at = next + 1;
		return;
	}
	complain(s, s->at, 1, "a \"\\\" at the end of the line escapes nothing");
	s->at = next;
}

/*
 * From behind the opening quote to the closing one. A quote that is not closed ends
 * with its line; false, and the error is told.
 */
static bool skip_quoted(struct split_state *s)
{
	const uint8_t *quote = s->at - 1;

	for (;;) {
		skip_plain(s, true);
		if (s->at == s->end || *s->at == '\n') break;
		if (*s->at == '"') return true;
		if (*s->at == '\\') {
			skip_escape(s);
			continue;
		}
		if (*s->at < 0x20) complain(s, s->at, 1, control_octet);
		s->at++;
	}
	complain(s, quote, 1, "the quote is not closed on its line");
	return false;
}

/* A quoted word; the quotes are not part of it. */
static bool take_quoted(struct split_state *s)
{
	const uint8_t *from = ++s->at;

	if (!skip_quoted(s)) return true;
	if (!word_add(s, from, s->at, true)) return false;
	s->at++;
	return true;
}

/*
 * A word. A quote inside is right only behind "=" (RFC 9460 2.1: key="value"), where it
 * belongs to the word; elsewhere servers read it differently, so it is none.
 */
static bool take_word(struct split_state *s)
{
	const uint8_t *from = s->at;

	for (;;) {
		skip_plain(s, false);
		if (s->at == s->end) break;
		if (*s->at == '\\') {
			skip_escape(s);
		} else if (*s->at == '"') {
			if (s->at[-1] != '=')
				complain(s, s->at, 1,
					 "a quote inside a word: put all of the word in quotes");
			s->scan->has_inner_quote = true;
			s->at++;
			if (!skip_quoted(s)) return true;
			s->at++;
		} else {
			break;
		}
	}
	return word_add(s, from, s->at, false);
}

/* The next line that begins with a word: there an entry begins, whatever came before. */
static void go_to_next_entry(struct split_state *s, const uint8_t *line_start, uint32_t line)
{
	for (;;) {
		const uint8_t *newline = line_end(line_start, s->end);
		if (newline == s->end) {
			go_to_line(s, s->end, line);
			return;
		}
		line_start = newline + 1;
		line++;
		if (line_start < s->end && *line_start != ';' && *line_start != ' ' &&
		    *line_start != '\t' && *line_start != '\r' && *line_start != '\n' &&
		    *line_start != ')') {
			go_to_line(s, line_start, line);
			return;
		}
	}
}

/* Leaves an entry whose "(" has no ")": goes on behind the lines that seem to belong to it. */
static void abandon(struct split_state *s, const char *text)
{
	if (!s->bad) zone_scan_complain(s->scan, &s->opener, "%s", text);
	s->bad = true;
	s->depth = 0;
	go_to_next_entry(s, (const uint8_t *)s->opener.text - (s->opener.column - 1),
			 s->opener.line);
}

static bool line_begins_entry(const struct split_state *s)
{
	uint8_t first = *s->line_start;
	return s->line != s->opener.line && first != ' ' && first != '\t' && first != '\r' &&
	       first != '(' && first != ')';
}

/* False: the entry ends here. */
static bool take_open(struct split_state *s)
{
	if (s->depth == 0) {
		s->opener = token_at(s, s->at, 1);
	} else if (line_begins_entry(s)) {
		abandon(s, "\"(\" is not closed before the next record begins");
		return false;
	} else {
		complain(s, s->at, 1, "a \"(\" inside parentheses: they do not nest");
	}
	s->depth++;
	s->at++;
	return true;
}

static void take_close(struct split_state *s)
{
	if (s->depth)
		s->depth--;
	else
		complain(s, s->at, 1, "a \")\" without a \"(\" before it");
	s->at++;
}

/* One step; false when memory ran out. `*more` turns false where the entry ends. */
static bool split_step(struct split_state *s, bool *more)
{
	switch (*s->at) {
	case ' ':
	case '\t':
	case '\r': s->at++; return true;
	case '\n':
		go_to_line(s, s->at + 1, s->line + 1);
		*more = s->depth > 0;
		return true;
	case ';': s->at = line_end(s->at, s->end); return true;
	case '"': return take_quoted(s);
	case '(': *more = take_open(s); return true;
	case ')': take_close(s); return true;
	default: break;
	}
	if (*s->at >= 0x20) return take_word(s);
	complain(s, s->at, 1, control_octet);
	s->at++;
	return true;
}

/* An entry longer than any record can be: a line, or a "(" that swallows the rest. */
static void leave_too_long(struct split_state *s)
{
	static_assert(ZONE_TEXT_LINE_MAX == 1 << 20, "the messages name the limit");
	if (s->depth) {
		abandon(s, "\"(\" is not closed within 1048576 octets");
		return;
	}
	complain(s, s->line_start, 1, "more than 1048576 octets, as no record has");
	const uint8_t *newline = line_end(s->at, s->end);
	go_to_line(s, newline < s->end ? newline + 1 : s->end, s->line + 1);
}

enum code zone_split(struct zone_scan *scan)
{
	const uint8_t *entry = scan->text.ptr + scan->at;
	struct split_state s = {.scan = scan,
				.entry = entry,
				.at = entry,
				.end = scan->text.ptr + scan->text.len,
				.line_start = entry,
				.line = scan->line};
	bool more = true;

	scan->words->count = 0;
	scan->has_inner_quote = false;
	while (more && s.at < s.end) {
		if (!split_step(&s, &more)) return E_NOMEM;
		if (more && s.at - s.entry > ZONE_TEXT_LINE_MAX) {
			leave_too_long(&s);
			more = false;
		}
	}
	if (s.depth) abandon(&s, "\"(\" is not closed");
	if (s.bad) scan->words->count = 0;
	scan->at = (size_t)(s.at - scan->text.ptr);
	scan->line = s.line;
	return OK;
}
