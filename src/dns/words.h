/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h - the words of one record on their way to RDATA.
 *
 * A field's parser looks at the word in front, writes octets, and steps over the word
 * when it was right; so on an error `at` is the word to blame.
 */
#ifndef DNS_WORDS_H
#define DNS_WORDS_H

#include "dns/rdata_table.h"

struct words {
	const struct token *tokens;
	size_t count;
	size_t at;
	struct name origin;
	struct writer *w;
	struct error *err;
	uint16_t type;
	uint8_t field;        /* the number of the field that is read now */
	enum field_kind kind; /* and its kind */
};

static inline bool words_left(const struct words *in)
{
	return in->at < in->count;
}

/* The word in front; an empty one at the end. */
static inline struct span words_front(const struct words *in)
{
	if (!words_left(in)) return span_of("", 0);
	return span_of(in->tokens[in->at].text, in->tokens[in->at].len);
}

/* The word in front is this one, octet by octet, and not in quotes: for "-", "." and "\#". */
static inline bool words_front_is(const struct words *in, const char *text)
{
	return words_left(in) && !in->tokens[in->at].quoted && span_is_text(words_front(in), text);
}

/*
 * Sentences about the word in front. `words_expected` says what the field wants and
 * quotes the word, or says that the data ends here.
 */
enum code words_expected(const struct words *in);
enum code words_expected_number(const struct words *in, uint64_t max);
enum code words_expected_text(const struct words *in, const char *expected);
enum code words_bad_escape(const struct words *in, size_t at);

#endif
