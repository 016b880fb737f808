/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diagnostic.h - all that is wrong with a text, each with its place.
 *
 * Parsers of files (zone text, configuration) go on after an error and collect;
 * the command prints them all, with the line and a caret.
 */
#ifndef BASE_DIAGNOSTIC_H
#define BASE_DIAGNOSTIC_H

#include "base/arena.h"
#include "base/code.h"
#include "base/json.h"

enum { DIAGNOSTICS_MAX = 100, EXCERPT_MAX = 160 };

struct place {
	const char *file; /* as the user named it */
	uint32_t line;    /* from 1; 0: the file as a whole */
	uint32_t column;  /* from 1, in octets; 0: the line as a whole */
	uint32_t width;   /* octets to underline; 0 counts as 1 */
};

struct diagnostic {
	struct place place;
	const char *text;        /* one sentence: what was found, what was expected */
	const char *excerpt;     /* the line itself, cut to EXCERPT_MAX; NULL when there is none */
	uint32_t excerpt_column; /* the column of its first octet (a long line is cut both sides) */
	bool warning;
};

struct diagnostics {
	struct arena *arena; /* owns every text below */
	struct diagnostic *list;
	size_t count; /* errors and warnings together, at most DIAGNOSTICS_MAX */
	size_t capacity;
	size_t error_count; /* all of them, also those past the maximum */
};

/* `line` is the text of the place's line (without its end), or empty. Both copied. */
void diagnose(struct diagnostics *all, struct place place, struct span line, const char *format,
	      ...) printf_like(4, 5);
void diagnose_warning(struct diagnostics *all, struct place place, struct span line,
		      const char *format, ...) printf_like(4, 5);

/* Adds what was said of a part, as if it had been said here. Texts are copied. */
void diagnostics_append(struct diagnostics *all, const struct diagnostics *part);

/* No room for a further error is kept: a parser may stop. */
bool diagnostics_full(const struct diagnostics *all);

/*
 * Writes one diagnostic as people read it, ending in a newline:
 *   example.zone:7:18: expected an IPv4 address, found "192.0.2"
 *   www  3600  IN  A  192.0.2
 *                     ^~~~~~~
 * Returns the length; never more than `cap`, always ended by a zero.
 */
size_t diagnostic_print(const struct diagnostic *d, char *out, size_t cap);

/* An array of {file, line, column, level, message, shown}; `shown` is what diagnostic_print gives.
 */
void diagnostics_json(const struct diagnostics *all, struct json *j);

#endif
