/* SPDX-License-Identifier: Apache-2.0 */
#include "base/instant.h"

#include <inttypes.h>
#include <stdio.h>

static const struct unit {
	const char *name;
	duration_ns length;
} units[] = {
	{"w", 7 * 86400 * NS_PER_S}, {"d", 86400 * NS_PER_S}, {"h", 3600 * NS_PER_S},
	{"m", 60 * NS_PER_S},        {"s", NS_PER_S},         {"ms", NS_PER_MS},
};
enum { UNIT_COUNT = sizeof units / sizeof units[0] };

static size_t digits_parse(struct span text, size_t at, uint64_t *value)
{
	*value = 0;
	for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++) {
		if (*value > INT64_MAX / 10 - 1) return 0;
		*value = *value * 10 + (uint64_t)(text.ptr[at] - '0');
	}
	return at;
}

static int unit_parse(struct span text, size_t at, size_t *end)
{
	size_t len = 0;

	while (at + len < text.len && (text.ptr[at + len] | 0x20) >= 'a' &&
	       (text.ptr[at + len] | 0x20) <= 'z')
		len++;
	*end = at + len;
	for (int i = 0; i < UNIT_COUNT; i++) {
		bool same = strlen(units[i].name) == len;
		for (size_t k = 0; same && k < len; k++)
			same = (text.ptr[at + k] | 0x20) == (uint8_t)units[i].name[k];
		if (same) return i;
	}
	return -1;
}

bool duration_parse(struct span text, duration_ns *out)
{
	duration_ns total = 0;
	int last = -1;
	size_t at = 0;

	if (text.len == 0) return false;
	while (at < text.len) {
		uint64_t value;
		size_t end = digits_parse(text, at, &value);
		duration_ns part;

		if (end <= at) return false;
		int unit = 4;
		if (end < text.len) {
			at = end;
			unit = unit_parse(text, at, &end);
		} else if (at != 0) {
			return false; /* "1h30": thirty of what? */
		}
		if (unit <= last) return false;
		last = unit;
		if (__builtin_mul_overflow((int64_t)value, units[unit].length, &part) ||
		    __builtin_add_overflow(total, part, &total))
			return false;
		at = end;
	}
	*out = total;
	return true;
}

static char *duration_print_units(duration_ns duration, int unit_count_max, const char *gap,
				  char text[static DURATION_TEXT_MAX])
{
	size_t len = 0;
	int printed = 0;

	if (duration < 0) duration = 0;
	for (int i = 0; i < UNIT_COUNT; i++) {
		int64_t n = duration / units[i].length;

		duration %= units[i].length;
		if (printed && ++printed > unit_count_max) break;
		if (n == 0) continue;
		len += (size_t)snprintf(text + len, DURATION_TEXT_MAX - len, "%s%" PRId64 "%s",
					printed ? gap : "", n, units[i].name);
		if (!printed) printed = 1;
	}
	if (len == 0) snprintf(text, DURATION_TEXT_MAX, "0s");
	return text;
}

char *duration_print(duration_ns duration, char text[static DURATION_TEXT_MAX])
{
	return duration_print_units(duration, UNIT_COUNT, "", text);
}

char *duration_print_short(duration_ns duration, char text[static DURATION_TEXT_MAX])
{
	return duration_print_units(duration, 2, " ", text);
}

/* Eras of 400 years that begin on 1 March, so that a leap day ends its year. */
int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

void date_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day_of_year + 2) / 153;

	*day = (unsigned)(day_of_year - (153 * shifted + 2) / 5 + 1);
	*month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);
	*year = year_of_era + era * 400 + (*month <= 2);
}

char *utc_print(uint64_t unix_s, char text[static UTC_TEXT_MAX])
{
	int64_t year;
	unsigned month, day;
	uint64_t second = unix_s % 86400;

	if (unix_s > 253402300799u) unix_s = 253402300799u; /* the end of the year 9999 */
	date_from_days((int64_t)(unix_s / 86400), &year, &month, &day);
	snprintf(text, UTC_TEXT_MAX, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02uZ", year % 10000,
		 month % 100, day % 100, (unsigned)(second / 3600), (unsigned)(second / 60 % 60),
		 (unsigned)(second % 60));
	return text;
}
