/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/decimal.h"

#include <assert.h>

enum { DIGITS_MAX = 20 }; /* of 2^64 - 1 */

bool decimal_is(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((uint8_t)(text.ptr[i] - '0') > 9) return false;
	return text.len > 0;
}

bool decimal_read(struct span text, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (text.len == 0 || text.len > DIGITS_MAX) return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = text.ptr[i] - (unsigned)'0';
		if (digit > 9) return false;
		if (i == DIGITS_MAX - 1 && value > (UINT64_MAX - digit) / 10) return false;
		value = value * 10 + digit;
	}
	*out = value;
	return value <= max;
}

void decimal_print_wide(uint64_t value, unsigned width, struct writer *w)
{
	uint8_t digits[DIGITS_MAX];
	unsigned at = DIGITS_MAX;

	assert(width <= DIGITS_MAX);
	do {
		digits[--at] = (uint8_t)('0' + value % 10);
		value /= 10;
	} while (value);
	while (DIGITS_MAX - at < width) digits[--at] = '0';
	write_bytes(w, digits + at, DIGITS_MAX - at);
}

void decimal_print(uint64_t value, struct writer *w)
{
	decimal_print_wide(value, 1, w);
}

bool word_is(struct span text, const char *word)
{
	size_t i = 0;

	for (; i < text.len && word[i]; i++) {
		uint8_t c = text.ptr[i];
		if ((uint8_t)(c - 'a') < 26) c = (uint8_t)(c - 0x20);
		if (c != (uint8_t)word[i]) return false;
	}
	return i == text.len && !word[i];
}
