/* SPDX-License-Identifier: Apache-2.0 */
/*
 * $GENERATE, as BIND documents it: one line that stands for many. "$" in the owner and
 * in the data is the number, "$$" and "\$" are a dollar sign, ${OFFSET,WIDTH,BASE}
 * shapes the number. A single quoted word of data stands for the words inside it.
 */
#include "dns/decimal.h"
#include "dns/escape.h"
#include "dns/zone_text_parse.h"

enum { GENERATE_TEXT_MAX = 8192, GENERATE_WIDTH_MAX = 255, NUMBER_MAX = INT32_MAX };

/* START-STOP[/STEP] */
struct range {
	uint32_t start, stop, step;
};

struct generate {
	struct zone_text *p;
	struct record_head head;
	struct writer text;      /* the data made, or the owner */
	struct diagnostics told; /* what the data's words break, before it is told */
	int64_t number;
};

struct shape {
	int64_t offset;
	uint32_t width;
	char base; /* d o x X n N */
};

static bool number_read(struct span text, uint32_t *out)
{
	uint64_t number;

	if (!decimal_read(text, NUMBER_MAX, &number)) return false;
	*out = (uint32_t)number;
	return true;
}

/* The part of `text` before the octet `end`; `*rest` is what stands behind it. */
static struct span cut_at(struct span text, uint8_t end, struct span *rest)
{
	const uint8_t *at = text.len ? memchr(text.ptr, end, text.len) : NULL;
	size_t len = at ? (size_t)(at - text.ptr) : text.len;

	*rest = at ? span_of(at + 1, text.len - len - 1) : (struct span){0};
	return span_of(text.ptr, len);
}

static bool range_read(struct zone_text *p, struct range *range)
{
	struct span rest, text = word_span(&p->scan->words->list[1]);
	bool has_step = memchr(text.ptr, '/', text.len) != NULL;
	struct span step, bounds = cut_at(text, '/', &step);
	struct span start = cut_at(bounds, '-', &rest);
	char found[QUOTED_MAX];

	range->step = 1;
	if (!number_read(start, &range->start) || !number_read(rest, &range->stop) ||
	    (has_step && !number_read(step, &range->step)) || range->step == 0 ||
	    range->stop < range->start) {
		zone_text_complain(p, 1, "expected a range START-STOP or START-STOP/STEP, found %s",
				   quote(text, found));
		return false;
	}
	uint32_t count = (range->stop - range->start) / range->step + 1;
	if (count > GENERATE_COUNT_MAX || count > GENERATE_TOTAL_MAX - p->generate_count) {
		zone_text_complain(p, 1,
				   "%u records: more than %d for one $GENERATE, or %d for all",
				   (unsigned)count, GENERATE_COUNT_MAX, GENERATE_TOTAL_MAX);
		return false;
	}
	p->generate_count += count;
	return true;
}

/* OFFSET[,WIDTH[,BASE]] between braces. */
static bool shape_read(struct span text, struct shape *shape)
{
	struct span width, base, offset = cut_at(text, ',', &width);
	bool negative = offset.len && offset.ptr[0] == '-';
	bool has_width = width.ptr != NULL;
	uint32_t number;

	width = cut_at(width, ',', &base);
	if (negative || (offset.len && offset.ptr[0] == '+'))
		offset = span_of(offset.ptr + 1, offset.len - 1);
	if (!number_read(offset, &number)) return false;
	*shape = (struct shape){.offset = negative ? -(int64_t)number : number, .base = 'd'};
	if (has_width && (!number_read(width, &shape->width) || shape->width > GENERATE_WIDTH_MAX))
		return false;
	if (!base.ptr) return true;
	if (base.len != 1 || !strchr("doxXnN", base.ptr[0])) return false;
	shape->base = (char)base.ptr[0];
	return true;
}

/* The digits, lowest first, each a label; the width counts digits and dots. */
static void nibbles_write(uint64_t number, uint32_t width, const char *digits, struct writer *w)
{
	uint32_t written = 0;

	do {
		write_u8(w, (uint8_t)digits[number & 15]);
		number >>= 4;
		written++;
		if (number || written < width) {
			write_u8(w, '.');
			written++;
		}
	} while (number || written < width);
}

static void number_write(uint64_t number, const struct shape *shape, struct writer *w)
{
	const char *digits =
		shape->base == 'X' || shape->base == 'N' ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned radix = shape->base == 'd' ? 10 : shape->base == 'o' ? 8 : 16;
	uint8_t text[GENERATE_WIDTH_MAX + 1];
	size_t at = sizeof text;

	if (shape->base == 'n' || shape->base == 'N') {
		nibbles_write(number, shape->width, digits, w);
		return;
	}
	do {
		text[--at] = (uint8_t)digits[number % radix];
		number /= radix;
	} while (number);
	while (sizeof text - at < shape->width) text[--at] = '0';
	write_bytes(w, text + at, sizeof text - at);
}

/* What stands for the "$" at the front of `text`; returns how much of it was used. */
static enum code dollar_expand(struct generate *g, struct span text, size_t *used,
			       struct error *err)
{
	struct shape shape = {.base = 'd'};
	char found[QUOTED_MAX];

	*used = 1;
	if (text.len > 1 && text.ptr[1] == '$') {
		*used = 2;
		write_text(&g->text, "$");
		return OK;
	}
	if (text.len > 1 && text.ptr[1] == '{') {
		const uint8_t *end = memchr(text.ptr, '}', text.len);
		size_t len = end ? (size_t)(end - text.ptr) + 1 : text.len;
		if (!end || !shape_read(span_of(text.ptr + 2, len - 3), &shape))
			return error_set(err, E_SYNTAX,
					 "expected ${OFFSET,WIDTH,BASE} with a width up to %d and "
					 "a base of d, o, x, X, n or N, found %s",
					 GENERATE_WIDTH_MAX, quote(span_of(text.ptr, len), found));
		*used = len;
	}
	int64_t number = g->number + shape.offset;
	if (number < 0 || number > NUMBER_MAX)
		return error_set(err, E_RANGE, "%lld is out of the range from 0 to %d",
				 (long long)number, NUMBER_MAX);
	number_write((uint64_t)number, &shape, &g->text);
	return OK;
}

/*
 * Writes the word with the number put in. `opened`: it was quoted, and its inside is
 * to be read as words, so \" in it becomes a quote.
 */
static enum code word_expand(struct generate *g, const struct token *word, bool opened,
			     struct error *err)
{
	struct span text = word_span(word);
	enum code code;

	for (size_t i = 0, used = 1; i < text.len; i += used) {
		used = 1;
		if (text.ptr[i] == '$') {
			code = dollar_expand(g, span_of(text.ptr + i, text.len - i), &used, err);
			if (code) return code;
		} else if (text.ptr[i] == '\\' && i + 1 < text.len) {
			used = 2;
			if (opened && text.ptr[i + 1] == '"')
				write_u8(&g->text, '"');
			else
				write_bytes(&g->text, text.ptr + i, 2);
		} else {
			write_u8(&g->text, text.ptr[i]);
		}
	}
	if (!g->text.overflow) return OK;
	return error_set(err, E_LIMIT, "more than %d octets of text for one record",
			 GENERATE_TEXT_MAX);
}

static enum code owner_make(struct generate *g, struct name_buffer *owner, struct error *err)
{
	struct name origin = name_of(&g->p->state.origin);
	enum code code;

	writer_rewind(&g->text, 0);
	code = word_expand(g, &g->p->scan->words->list[2], false, err);
	if (code) return code;
	return name_from_text(writer_span(&g->text), &origin, owner, err);
}

/* Makes the text of the data, and splits it into words again. */
static enum code data_split(struct generate *g, struct error *err)
{
	struct zone_text *p = g->p;
	const struct token_list *words = p->scan->words;
	bool opened = g->head.next + 1 == words->count && words->list[g->head.next].quoted;
	struct zone_scan scan;
	enum code code;

	writer_rewind(&g->text, 0);
	for (size_t i = g->head.next; i < words->count; i++) {
		bool quoted = words->list[i].quoted && !opened;
		if (i > g->head.next) write_u8(&g->text, ' ');
		if (quoted) write_u8(&g->text, '"');
		code = word_expand(g, &words->list[i], opened, err);
		if (code) return code;
		if (quoted) write_u8(&g->text, '"');
	}
	g->told = (struct diagnostics){.arena = p->parser->arena};
	zone_scan_start(&scan, p->file->name, writer_span(&g->text), p->kernel, &p->made_words,
			p->parser->arena, &g->told);
	code = zone_scan_next(&scan);
	if (code == OK && g->told.count)
		return error_set(err, E_SYNTAX, "%s", g->told.list[0].text);
	return code;
}

/* One record. Errors are told at the template's word, once for the directive: `*wrong`. */
static enum code record_make(struct generate *g, bool *wrong)
{
	struct zone_text *p = g->p;
	struct name_buffer owner;
	struct error err;
	size_t bad;
	enum code code = owner_make(g, &owner, &err);

	*wrong = true;
	if (code) {
		zone_text_complain(p, 2, "$ = %lld: %s", (long long)g->number, err.text);
		return OK;
	}
	if (!zone_text_in_zone(p, name_of(&owner), &p->scan->words->list[2])) return OK;
	code = data_split(g, &err);
	if (code == E_NOMEM) return code;
	struct writer w = writer_of(p->rdata, RDATA_OCTETS_MAX);
	if (!code)
		code = rdata_from_tokens(g->head.type, p->made_words.list, p->made_words.count,
					 name_of(&p->state.origin), &w, &bad, &err);
	if (code) {
		zone_text_complain(p, g->head.next, "$ = %lld: %s", (long long)g->number, err.text);
		return OK;
	}
	*wrong = false;
	return zone_text_hand(p, name_of(&owner), &g->head, writer_span(&w),
			      &p->scan->words->list[0]);
}

enum code zone_text_generate(struct zone_text *p)
{
	struct generate g = {.p = p};
	struct range range;
	bool wrong = false;
	enum code code = OK;

	if (!range_read(p, &range) || !zone_text_head(p, 3, &g.head) ||
	    !zone_text_quotes_fit(p, g.head.type))
		return OK;
	if (!p->made_text) p->made_text = arena_alloc_bytes(p->parser->arena, GENERATE_TEXT_MAX);
	if (!p->made_text) return E_NOMEM;
	g.text = writer_of(p->made_text, GENERATE_TEXT_MAX);

	for (uint64_t number = range.start; number <= range.stop; number += range.step) {
		g.number = (int64_t)number;
		code = record_make(&g, &wrong);
		if (code || wrong) break;
	}
	return code;
}
