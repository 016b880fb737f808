/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/fields/time.h"
#include "dns/decimal.h"
#include "dns/fields/fields.h"

#include "base/instant.h"

enum { TIME_DIGITS = 14, DAY_S = 86400 };

static uint64_t unit_seconds(uint8_t unit)
{
	switch (unit | 0x20) {
	case 's': return 1;
	case 'm': return 60;
	case 'h': return 3600;
	case 'd': return DAY_S;
	case 'w': return 7 * DAY_S;
	default: return 0;
	}
}

bool period_read(struct span text, uint32_t *seconds)
{
	uint64_t sum = 0, number = 0;
	bool digits = false, units = false;

	if (likely(decimal_read(text, UINT32_MAX, &number))) {
		*seconds = (uint32_t)number;
		return true;
	}
	number = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if ((uint8_t)(c - '0') < 10) {
			number = number * 10 + (c - (unsigned)'0');
			if (number > UINT32_MAX) return false;
			digits = true;
			continue;
		}
		uint64_t unit = unit_seconds(c);
		if (!unit || !digits) return false;
		sum += number * unit;
		if (sum > UINT32_MAX) return false;
		number = 0;
		digits = false;
		units = true;
	}
	/* A bare number behind a unit ("1h30") could be minutes or seconds: not guessed. */
	if (digits || !units) return false;
	*seconds = (uint32_t)sum;
	return true;
}

enum code period_from_text(struct words *in)
{
	uint32_t seconds;

	if (!period_read(words_front(in), &seconds)) return words_expected_number(in, UINT32_MAX);
	write_u32(in->w, seconds);
	in->at++;
	return OK;
}

static unsigned digits_value(const uint8_t *p, unsigned count)
{
	unsigned value = 0;
	while (count--) value = value * 10 + (*p++ - (unsigned)'0');
	return value;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (unsigned)(month == 2 && leap);
}

/* Seconds since 1970, wrapped to 32 bits: RFC 4034 3.1.5 reads them by RFC 1982. */
static bool date_read(struct span text, uint32_t *seconds)
{
	const uint8_t *p = text.ptr;

	if (text.len != TIME_DIGITS || !decimal_is(text)) return false;
	unsigned year = digits_value(p, 4), month = digits_value(p + 4, 2);
	unsigned day = digits_value(p + 6, 2), hour = digits_value(p + 8, 2);
	unsigned minute = digits_value(p + 10, 2), second = digits_value(p + 12, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1) return false;
	if (day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59)
		return false;
	uint64_t days = (uint64_t)days_from_date(year, month, day);
	*seconds = (uint32_t)(days * DAY_S + hour * 3600 + minute * 60 + second);
	return true;
}

enum code time_from_text(struct words *in)
{
	struct span word = words_front(in);
	uint32_t seconds;
	uint64_t number;

	if (date_read(word, &seconds))
		write_u32(in->w, seconds);
	else if (decimal_read(word, UINT32_MAX, &number))
		write_u32(in->w, (uint32_t)number);
	else
		return words_expected(in);
	in->at++;
	return OK;
}

bool time_print(struct reader *r, struct writer *w)
{
	uint32_t seconds = read_u32(r);
	unsigned month, day;
	int64_t year;

	date_from_days(seconds / DAY_S, &year, &month, &day);
	decimal_print_wide((uint64_t)year, 4, w);
	decimal_print_wide(month, 2, w);
	decimal_print_wide(day, 2, w);
	decimal_print_wide(seconds / 3600 % 24, 2, w);
	decimal_print_wide(seconds / 60 % 60, 2, w);
	decimal_print_wide(seconds % 60, 2, w);
	return true;
}
