/* SPDX-License-Identifier: Apache-2.0 */
/* words.h - one line of presentation format, cut into words as the zone parser does it. */
#ifndef TESTS_DNS_WORDS_H
#define TESTS_DNS_WORDS_H

#include "dns/rdata.h"

/*
 * Splits at spaces. A word in quotes loses them, one with quotes further in keeps them.
 * The words borrow from `text`. At most `max` words; returns their number.
 */
static inline size_t words_split(struct span text, struct token *tokens, size_t max)
{
	const char *at = (const char *)text.ptr, *end = at + text.len;
	size_t count = 0;

	while (at < end && count < max) {
		bool quoted = *at == '"', inside = quoted;
		if (*at == ' ') {
			at++;
			continue;
		}
		const char *start = at += quoted;
		for (; at < end && (inside || *at != ' '); at++) {
			if (*at == '\\' && at + 1 < end) {
				at++;
				continue;
			}
			if (*at == '"') inside = !inside;
			if (quoted && !inside) break;
		}
		tokens[count++] = (struct token){
			.text = start, .len = (uint32_t)(at - start), .quoted = quoted};
		at += quoted && at < end;
	}
	return count;
}

static inline struct name words_origin(void)
{
	static const uint8_t wire[] = "\7example\3net";
	return (struct name){.wire = wire, .len = sizeof wire};
}

#endif
