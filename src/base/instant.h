/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instant.h - time as a value.
 *
 * Nothing below `host` reads a clock: every event brings its time. An instant is
 * nanoseconds on the monotonic clock that counts suspend (CLOCK_BOOTTIME); wall
 * time appears as `uint64_t ..._unix_s`, seconds since 1970 UTC.
 */
#ifndef BASE_INSTANT_H
#define BASE_INSTANT_H

#include "base/span.h"

typedef int64_t instant_ns;
typedef int64_t duration_ns;

#define NS_PER_MS ((duration_ns)1000000)
#define NS_PER_S  ((duration_ns)1000000000)

/* Never: later than every instant. */
#define INSTANT_NEVER INT64_MAX

enum { DURATION_TEXT_MAX = 32, UTC_TEXT_MAX = 24 };

/*
 * Reads "90", "1h30m", "2w", "500ms" (units ms s m h d w, each once, descending; a
 * bare number is seconds) into nanoseconds. False when it is not a duration or
 * leaves the range of `duration_ns`.
 */
bool duration_parse(struct span text, duration_ns *out);

/* Writes the exact duration ("1h30m", "250ms", "0s") and returns `text`. */
char *duration_print(duration_ns duration, char text[static DURATION_TEXT_MAX]);

/* Writes the one or two largest units, for people: "6d 21h", "412s", "3ms". */
char *duration_print_short(duration_ns duration, char text[static DURATION_TEXT_MAX]);

/* Writes "2026-11-22T14:35:01Z" and returns `text`. */
char *utc_print(uint64_t unix_s, char text[static UTC_TEXT_MAX]);

/* Days since 1970-01-01 of a Gregorian date, and the date of such a day. */
int64_t days_from_date(int64_t year, unsigned month, unsigned day);
void date_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);

#endif
