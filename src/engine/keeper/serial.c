/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/keeper/serial.h"

#include "dns/record.h"

/* YYYYMMDD00 of the day. */
static uint32_t date_serial(uint64_t now_unix_s)
{
	int64_t year;
	unsigned month, day;

	date_from_days((int64_t)(now_unix_s / 86400), &year, &month, &day);
	return (uint32_t)year * 1000000 + month * 10000 + day * 100;
}

uint32_t serial_next(enum serial_policy policy, uint32_t current, uint64_t now_unix_s)
{
	uint32_t wanted = current + 1;

	if (policy == SERIAL_UNIXTIME) wanted = (uint32_t)now_unix_s;
	if (policy == SERIAL_DATESERIAL) wanted = date_serial(now_unix_s);
	if (!serial_newer(wanted, current)) wanted = current + 1;
	return wanted ? wanted : 1; /* RFC 1982 allows 0; some secondaries do not */
}

enum code serial_for_file(enum serial_policy policy, uint32_t current, uint32_t in_file,
			  uint64_t now_unix_s, uint32_t *out, struct error *err)
{
	if (policy == SERIAL_FILE) {
		if (!serial_newer(in_file, current))
			return error_set(err, E_REFUSED,
					 "the content differs but its serial %u is not newer than "
					 "%u, which is served; raise the serial in the file "
					 "(serial: file)",
					 in_file, current);
		*out = in_file;
		return OK;
	}
	*out = serial_next(policy, current, now_unix_s);
	if (serial_newer(in_file, *out)) *out = in_file;
	return OK;
}
