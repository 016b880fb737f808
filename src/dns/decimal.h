/* SPDX-License-Identifier: Apache-2.0 */
/* decimal.h - numbers and keywords as words of presentation format. */
#ifndef DNS_DECIMAL_H
#define DNS_DECIMAL_H

#include "base/span.h"
#include "base/writer.h"

/* `text` is 1 to 20 digits and nothing else, and the number is at most `max`. */
bool decimal_read(struct span text, uint64_t max, uint64_t *out);

/* `text` is digits and nothing else, whatever the size of the number. */
bool decimal_is(struct span text);

void decimal_print(uint64_t value, struct writer *w);

/* With zeros in front, `width` digits at least (at most 20). */
void decimal_print_wide(uint64_t value, unsigned width, struct writer *w);

/* `text` is the keyword `word` (given in upper case), in any case. */
bool word_is(struct span text, const char *word);

#endif
