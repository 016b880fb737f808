/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A long text in parts that are parsed side by side.
 *
 * The text is cut at lines that begin with a word: there an entry begins, unless a
 * parenthesis is open. A first look at each part counts its lines and sees whether it has
 * directives; those of $ORIGIN and $TTL, which are few, are handled one after the other
 * and tell with which state the next part seems to begin. Then the parts are parsed, each
 * by that idea of the state, and stop before an entry that needs what they do not know
 * (the owner or TTL of a record before, an $INCLUDE, a $GENERATE).
 *
 * At last the parts are taken in order: one is right when the parse so far has come
 * exactly to its beginning with exactly its state. What is missing between the end of one
 * and the beginning of the next, or all of a part that was not right, is parsed in place.
 */
#include "dns/zone_text_parse.h"

enum { ROUND_MAX = 64 }; /* parts under way at a time */

/* A stretch of the text at whose beginning an entry seems to begin. */
struct stretch {
	size_t from, to;
	uint32_t line_count;
	bool has_directives;
	bool has_stop; /* a directive at which a part stops */
};

/* One part of a round. */
struct part {
	const struct stretch *stretch;
	struct zone_text_part own;
	struct zone_text_parser parser;
	struct zone_text_state guess, state; /* at its beginning and its end */
	size_t stop;
	uint32_t line, stop_line;
	enum code code;
};

struct aside {
	struct zone_text *p;
	const struct zone_text_aside *how;
	struct stretch *stretches;
	size_t count;
	struct part *parts; /* of the round */
};

static bool begins_entry(uint8_t first)
{
	return first > ' ' && first != ';' && first != '(' && first != ')' && first != '"';
}

/* Where the next entry seems to begin at or after `at`; the end of the text at the latest. */
static size_t entry_after(struct span text, size_t at)
{
	while (at < text.len) {
		const uint8_t *newline = memchr(text.ptr + at - 1, '\n', text.len - at + 1);
		if (!newline) return text.len;
		at = (size_t)(newline - text.ptr) + 1;
		if (at < text.len && begins_entry(text.ptr[at])) return at;
		at++;
	}
	return text.len;
}

static enum code cut(struct aside *a)
{
	struct span text = a->p->scan->text;
	size_t step = a->how->part_octets;

	a->stretches =
		arena_alloc_array(a->p->parser->arena, text.len / step + 1, sizeof *a->stretches);
	if (!a->stretches) return E_NOMEM;
	for (size_t from = 0; from < text.len; a->count++) {
		size_t to = text.len - from > step ? entry_after(text, from + step) : text.len;
		a->stretches[a->count] = (struct stretch){.from = from, .to = to};
		from = to;
	}
	return OK;
}

/* The line at `at` is a directive. */
static void see_directive(struct stretch *stretch, struct span text, size_t at)
{
	uint8_t second = at + 1 < text.len ? text.ptr[at + 1] | 0x20 : 0;

	stretch->has_directives = true;
	stretch->has_stop |= second == 'i' || second == 'g';
}

static void see_newlines(struct stretch *stretch, struct span text, size_t at, uint64_t newlines)
{
	stretch->line_count += (uint32_t)__builtin_popcountll(newlines);
	for (; newlines; newlines &= newlines - 1) {
		size_t next = at + (unsigned)__builtin_ctzll(newlines) + 1;
		if (next < stretch->to && text.ptr[next] == '$') see_directive(stretch, text, next);
	}
}

static void look(void *of, size_t i)
{
	struct aside *a = of;
	struct stretch *stretch = &a->stretches[i];
	struct span text = a->p->scan->text;
	size_t at = stretch->from;
	struct text_block blocks[SCAN_WINDOW_BLOCKS];

	if (text.ptr[at] == '$') see_directive(stretch, text, at);
	while (stretch->to - at >= TEXT_BLOCK_OCTETS) {
		size_t count = (stretch->to - at) / TEXT_BLOCK_OCTETS;
		if (count > SCAN_WINDOW_BLOCKS) count = SCAN_WINDOW_BLOCKS;
		a->p->kernel->classify(text.ptr + at, count, blocks);
		for (size_t k = 0; k < count; k++, at += TEXT_BLOCK_OCTETS)
			see_newlines(stretch, text, at, blocks[k].newline);
	}
	for (; at < stretch->to; at++)
		if (text.ptr[at] == '\n') see_newlines(stretch, text, at, 1);
}

/* --- the state with which a part seems to begin --- */

/* Handles the directives of a stretch that change the state `q` has. */
static void guess_on(struct zone_text *q, const struct stretch *stretch)
{
	struct span text = q->scan->text;

	for (size_t at = stretch->from; stretch->has_directives && at < stretch->to;) {
		const uint8_t *newline;
		q->scan->at = at;
		q->scan->end = at + 1;
		if (text.ptr[at] == '$' && zone_scan_next(q->scan) == OK && q->words.count &&
		    zone_text_is_of_state(q) && zone_text_directive(q))
			return;
		do {
			newline = memchr(text.ptr + at, '\n', stretch->to - at);
			if (!newline) return;
			at = (size_t)(newline - text.ptr) + 1;
		} while (at < stretch->to && text.ptr[at] != '$');
	}
}

/*
 * Gives the parts of a round their states and lines, from those of the parse, which has come to
 * the first. What is wrong with a directive is said by the part that has it.
 */
static void guess(struct aside *a, size_t count)
{
	struct zone_text *p = a->p;
	struct diagnostics unsaid = {.arena = a->parts[0].own.arena};
	struct zone_text_parser parser = *p->parser;
	struct zone_text q = {
		.parser = &parser, .kernel = p->kernel, .state = p->state, .file = p->file};
	struct zone_scan scan;
	uint32_t line = p->scan->line;

	parser.arena = a->parts[0].own.arena;
	parser.diagnostics = &unsaid;
	zone_scan_start(&scan, p->scan->file, p->scan->text, p->kernel, &q.words, parser.arena,
			&unsaid);
	q.scan = &scan;
	for (size_t i = 0; i < count; i++) {
		struct part *part = &a->parts[i];
		part->guess = q.state;
		part->line = line;
		line += part->stretch->line_count;
		guess_on(&q, part->stretch);
		q.state.has_owner = q.state.owner_outside = q.state.has_ttl = false;
		q.state.default_ttl_included = false;
		q.state.owner_text = (struct span){0};
	}
}

/* --- one part --- */

static void part_parse(void *of, size_t i)
{
	struct aside *a = of;
	struct part *part = &a->parts[i];
	const struct zone_text *p = a->p;
	uint8_t rdata[RDATA_OCTETS_MAX];
	struct zone_text q = {.parser = &part->parser,
			      .kernel = p->kernel,
			      .state = part->guess,
			      .file = p->file,
			      .rdata = rdata,
			      .is_guess = true};
	struct zone_scan scan;

	part->parser = *p->parser;
	part->parser.arena = part->own.arena;
	part->parser.diagnostics = &part->own.diagnostics;
	part->parser.context = part->own.context;
	zone_scan_start(&scan, p->scan->file, p->scan->text, p->kernel, &q.words, part->own.arena,
			&part->own.diagnostics);
	scan.at = part->stretch->from;
	scan.line = part->line;
	q.scan = &scan;
	part->code = zone_text_entries_parse(&q, part->stretch->to);
	part->state = q.state;
	part->stop = scan.at;
	part->stop_line = scan.line;
	a->how->went_on(p->parser->context, scan.at - part->stretch->from);
}

/* --- in order again --- */

static bool part_is_right(const struct zone_text *p, const struct part *part)
{
	const struct zone_text_state *now = &p->state, *guess = &part->guess;
	const struct diagnostics *said = p->parser->diagnostics;

	if (p->scan->at != part->stretch->from || p->scan->line != part->line) return false;
	if (now->origin.len != guess->origin.len ||
	    memcmp(now->origin.wire, guess->origin.wire, now->origin.len) != 0)
		return false;
	if (now->has_default_ttl != guess->has_default_ttl ||
	    now->default_ttl_included != guess->default_ttl_included)
		return false;
	if (now->has_default_ttl && now->default_ttl != guess->default_ttl) return false;
	/* Where the last error that is kept stands, parsing ends: to the octet. */
	return said->error_count + part->own.diagnostics.error_count < DIAGNOSTICS_MAX;
}

static void state_take_over(struct zone_text *p, const struct part *part)
{
	struct zone_text_state before = p->state;

	p->state = part->state;
	if (!part->state.has_owner) {
		p->state.owner = before.owner;
		p->state.owner_text = (struct span){0}; /* the origin may be another */
		p->state.has_owner = before.has_owner;
		p->state.owner_outside = before.owner_outside;
	}
	if (!part->state.has_ttl) {
		p->state.has_ttl = before.has_ttl;
		p->state.ttl = before.ttl;
	}
	p->scan->at = part->stop;
	p->scan->line = part->stop_line;
	diagnostics_append(p->parser->diagnostics, &part->own.diagnostics);
}

/* Brings the parse to the end of the part's stretch, with what the part has or without it. */
static enum code part_take(struct aside *a, struct part *part)
{
	struct zone_text *p = a->p;
	bool wanted = part_is_right(p, part);

	if (wanted) state_take_over(p, part);
	enum code code = a->how->end(p->parser->context, &part->own, wanted);
	if (!code && wanted) code = part->code;
	return code ? code : zone_text_entries_parse(p, part->stretch->to);
}

static enum code round_run(struct aside *a, size_t from, size_t count)
{
	void *context = a->p->parser->context;
	size_t begun = 0;
	enum code code = OK, end;

	for (; begun < count; begun++) {
		struct part *part = &a->parts[begun];
		*part = (struct part){.stretch = &a->stretches[from + begun]};
		if ((code = a->how->begin(context, &part->own))) break;
	}
	if (!code) {
		guess(a, count);
		parallel_run(a->how->parallel, count, part_parse, a);
	}
	for (size_t i = 0; i < begun; i++) {
		end = code ? a->how->end(context, &a->parts[i].own, false)
			   : part_take(a, &a->parts[i]);
		if (!code) code = end;
	}
	return code;
}

/* The parts that may go together from `from` on: none behind one that will stop early. */
static size_t round_count(const struct aside *a, size_t from)
{
	size_t count = 0;

	while (count < ROUND_MAX && from + count < a->count)
		if (a->stretches[from + count++].has_stop) break;
	return count;
}

enum code zone_text_parse_aside(struct zone_text *p)
{
	struct aside a = {.p = p, .how = p->parser->aside};
	enum code code = cut(&a);

	a.parts = arena_alloc_array(p->parser->arena, ROUND_MAX, sizeof *a.parts);
	if (!a.parts) return E_NOMEM;
	if (code) return code;
	parallel_run(a.how->parallel, a.count, look, &a);
	for (size_t i = 0; !code && i < a.count && !diagnostics_full(p->parser->diagnostics);) {
		size_t count = p->scan->at == a.stretches[i].from ? round_count(&a, i) : 1;
		if (count > 1) {
			code = round_run(&a, i, count);
		} else {
			code = zone_text_entries_parse(p, a.stretches[i].to);
			a.how->went_on(p->parser->context, a.stretches[i].to - a.stretches[i].from);
		}
		i += count;
	}
	return code;
}
