/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/zone_text_scan.h"

#include "dns/zone_text.h"
#include "dns/zone_text_split.h"

#include <stdarg.h>
#include <stdio.h>

void zone_scan_start(struct zone_scan *scan, const char *file, struct span text,
		     const struct text_kernel *kernel, struct token_list *words,
		     struct arena *arena, struct diagnostics *diagnostics)
{
	scan->file = file;
	scan->text = text;
	scan->at = 0;
	scan->line = 1;
	scan->end = text.len;
	scan->entry_at = 0;
	scan->entry_line = 1;
	scan->begins_blank = false;
	scan->has_inner_quote = false;
	scan->words = words;
	scan->kernel = kernel;
	scan->arena = arena;
	scan->diagnostics = diagnostics;
	scan->window_first = 0;
	scan->window_count = 0;
}

bool words_reserve(struct token_list *words, size_t count, struct arena *arena)
{
	if (words->capacity - words->count >= count) return true;

	size_t capacity = words->capacity ? words->capacity : 64;
	while (capacity - words->count < count) capacity *= 2;
	struct token *list = arena_grow(arena, words->list, words->capacity * sizeof *list,
					capacity * sizeof *list);
	if (!list) return false;
	words->list = list;
	words->capacity = capacity;
	return true;
}

/* The last block, filled up with ends of lines, so the last line needs none. */
static void window_fill_last(struct zone_scan *scan, size_t block)
{
	uint8_t last[TEXT_BLOCK_OCTETS];
	size_t from = block * TEXT_BLOCK_OCTETS;

	memset(last, '\n', sizeof last);
	if (from < scan->text.len) memcpy(last, scan->text.ptr + from, scan->text.len - from);
	scan->kernel->classify(last, 1, scan->window);
	scan->window_count = 1;
}

const struct text_block *zone_scan_window(struct zone_scan *scan, size_t block)
{
	size_t whole = scan->text.len / TEXT_BLOCK_OCTETS;

	scan->window_first = block;
	if (block >= whole) {
		window_fill_last(scan, block);
		return scan->window;
	}
	scan->window_count = whole - block;
	if (scan->window_count > SCAN_WINDOW_BLOCKS) scan->window_count = SCAN_WINDOW_BLOCKS;
	scan->kernel->classify(scan->text.ptr + block * TEXT_BLOCK_OCTETS, scan->window_count,
			       scan->window);
	return scan->window;
}

/* Words that begin in one block: every other octet. */
enum { WORDS_OF_BLOCK_MAX = TEXT_BLOCK_OCTETS / 2 };

/* Stands for the end of a word that ends in a later block. */
#define LAST_BIT (UINT64_C(1) << 63)

enum split { SPLIT_DONE, SPLIT_NOT_PLAIN, SPLIT_NO_MEMORY };

/*
 * Splits a line that has nothing but words and blanks. `inside` carries a word over the
 * border of two blocks; its length is put right where it ends.
 */
static enum split split_plain(struct zone_scan *scan)
{
	struct token_list *words = scan->words;
	size_t line_at = scan->at, block = line_at / TEXT_BLOCK_OCTETS;
	uint64_t live = ~UINT64_C(0) << line_at % TEXT_BLOCK_OCTETS;
	uint64_t inside = 0;

	for (;; block++, live = ~UINT64_C(0)) {
		const struct text_block *sets = zone_scan_block(scan, block);
		size_t base = block * TEXT_BLOCK_OCTETS;
		uint64_t newline = sets->newline & live;
		uint64_t of_line = live & (newline ^ (newline - 1)); /* all, without a newline */

		if (sets->special & of_line) return SPLIT_NOT_PLAIN;
		if (base > line_at + ZONE_TEXT_LINE_MAX) return SPLIT_NOT_PLAIN;
		if (unlikely(words->capacity - words->count < WORDS_OF_BLOCK_MAX) &&
		    !words_reserve(words, WORDS_OF_BLOCK_MAX, scan->arena))
			return SPLIT_NO_MEMORY;

		uint64_t word = ~(sets->blank | sets->newline) & of_line;
		uint64_t starts = word & ~(word << 1 | inside);
		uint64_t ends = ~word & (word << 1 | inside);
		struct token *next = words->list + words->count;
		const char *text = (const char *)scan->text.ptr + base;
		if (inside && ends) {
			next[-1].len = (uint32_t)(text + __builtin_ctzll(ends) - next[-1].text);
			ends &= ends - 1;
		}
		for (; starts; starts &= starts - 1, ends &= ends - 1, next++) {
			unsigned at = (unsigned)__builtin_ctzll(starts);
			next->text = text + at;
			next->len = (unsigned)__builtin_ctzll(ends | LAST_BIT) - at;
			next->line = scan->line;
			next->column = (uint32_t)(base + at - line_at) + 1;
			next->quoted = false;
		}
		words->count = (size_t)(next - words->list);
		inside = word >> 63;
		if (newline) {
			scan->at = base + (unsigned)__builtin_ctzll(newline) + 1;
			scan->line++;
			return SPLIT_DONE;
		}
	}
}

enum code zone_scan_next(struct zone_scan *scan)
{
	scan->words->count = 0;
	while (scan->at < scan->end && !diagnostics_full(scan->diagnostics)) {
		scan->entry_at = scan->at;
		scan->entry_line = scan->line;
		uint8_t first = scan->text.ptr[scan->at];
		scan->begins_blank = first == ' ' || first == '\t' || first == '\r';

		scan->has_inner_quote = false;
		enum split split = split_plain(scan);
		if (split == SPLIT_NO_MEMORY) return E_NOMEM;
		if (split == SPLIT_NOT_PLAIN) {
			enum code code = zone_split(scan);
			if (code) return code;
		}
		if (scan->words->count) break;
	}
	return OK;
}

/* The word's line as far as an excerpt shows it. */
static struct span line_around(const struct zone_scan *scan, const struct token *word)
{
	const uint8_t *start = (const uint8_t *)word->text - (word->column - 1);
	size_t len = (size_t)(scan->text.ptr + scan->text.len - start);

	if (len > word->column + EXCERPT_MAX) len = word->column + EXCERPT_MAX;
	const uint8_t *end = memchr(start, '\n', len);
	if (end) len = (size_t)(end - start);
	if (len && start[len - 1] == '\r') len--;
	return span_of(start, len);
}

void zone_scan_complain(struct zone_scan *scan, const struct token *word, const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	struct place place = {
		.file = scan->file, .line = word->line, .column = word->column, .width = word->len};
	diagnose(scan->diagnostics, place, line_around(scan, word), "%s", text);
}
