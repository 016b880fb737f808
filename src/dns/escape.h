/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape.h - \X and \DDD of presentation format (RFC 1035 5.1), and words quoted
 * inside sentences of errors.
 */
#ifndef DNS_ESCAPE_H
#define DNS_ESCAPE_H

#include "base/span.h"
#include "base/writer.h"

enum { QUOTED_MAX = 80, QUOTED_OCTETS_MAX = 64 };

/* Reads the escape whose backslash is at `at`. Returns its length, 2 or 4; 0: it is none. */
size_t escape_read(struct span text, size_t at, uint8_t *octet);

/*
 * Writes `text` with its escapes resolved. False when one of them is wrong: then
 * `*bad` is the place of its backslash.
 */
bool unescape(struct span text, struct writer *w, size_t *bad);

/* None of a label's octets needs an escape. */
bool label_is_plain(struct span octets);

/* Octets of a label as they stand in a name's text. */
void escape_label(struct span octets, struct writer *w);

/* One octet inside the quotes of a character-string. */
void escape_octet(uint8_t octet, struct writer *w);

/* A character-string in quotes. */
void escape_string(struct span octets, struct writer *w);

/* "found" with quotes, cut to QUOTED_OCTETS_MAX, unprintable octets as "?"; returns `out`. */
const char *quote(struct span found, char out[static QUOTED_MAX]);

/* The same without the quotes: for numbers. */
const char *quote_bare(struct span found, char out[static QUOTED_MAX]);

#endif
