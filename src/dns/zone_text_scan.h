/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_text_scan.h - cuts zone text into the words of one entry after the other.
 *
 * Knows the lexical rules of RFC 1035 5.1 and nothing of records: comments, quotes,
 * escapes, parentheses over lines. A line without any of these is split by bits, 64
 * octets at a time; any other goes octet by octet. Words point into the text.
 */
#ifndef DNS_ZONE_TEXT_SCAN_H
#define DNS_ZONE_TEXT_SCAN_H

#include "base/diagnostic.h"
#include "dns/rdata.h"
#include "dns/simd/text_block.h"

enum { SCAN_WINDOW_BLOCKS = 32 };

/* The words of one entry, in an array that is used again for the next. */
struct token_list {
	struct token *list;
	size_t count, capacity;
};

struct zone_scan {
	const char *file;
	struct span text;
	size_t at;       /* the first octet of the next line */
	uint32_t line;   /* its number, from 1 */
	size_t end;      /* entries begin before it; the text's length unless set */
	size_t entry_at; /* where the entry found last begins */
	uint32_t entry_line;

	bool begins_blank;        /* the entry's line begins with a blank: RFC 1035 5.1 <blank> */
	bool has_inner_quote;     /* one of its words is like key="value" */
	struct token_list *words; /* of the entry found last */

	const struct text_kernel *kernel;
	struct arena *arena; /* for the array of words */
	struct diagnostics *diagnostics;

	/* Classified blocks from `window_first` on. */
	size_t window_first, window_count;
	struct text_block window[SCAN_WINDOW_BLOCKS];
};

/* Starts at the first line; everything is borrowed until the scan is no longer used. */
void zone_scan_start(struct zone_scan *scan, const char *file, struct span text,
		     const struct text_kernel *kernel, struct token_list *words,
		     struct arena *arena, struct diagnostics *diagnostics);

/*
 * Finds the next entry that has words; none at the end of the text. What breaks the
 * lexical rules is told to the diagnostics and skipped: to the end of its entry, or,
 * when a parenthesis is never closed, to the next line that begins with a word.
 * OK or E_NOMEM.
 */
enum code zone_scan_next(struct zone_scan *scan) must_use;

/* An error at `word`, which lies in the scan's text. */
void zone_scan_complain(struct zone_scan *scan, const struct token *word, const char *format, ...)
	printf_like(3, 4);

/* The octets of the word. */
static inline struct span word_span(const struct token *word)
{
	return span_of(word->text, word->len);
}

/* Classifies the window that begins with `block`, and returns that block's sets. */
const struct text_block *zone_scan_window(struct zone_scan *scan, size_t block);

/* The sets of a block of the text; what follows the text's end reads as ends of lines. */
static inline const struct text_block *zone_scan_block(struct zone_scan *scan, size_t block)
{
	if (likely(block - scan->window_first < scan->window_count))
		return &scan->window[block - scan->window_first];
	return zone_scan_window(scan, block);
}

/* Room for `count` more words; false when memory ran out. */
bool words_reserve(struct token_list *words, size_t count, struct arena *arena) must_use;

#endif
