/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checks.h - is this set of records a zone?
 *
 * The same checks for a zone file, a transfer and every change (DESIGN: guard).
 * Places come from the records' lines where they have some, else the sentence names
 * owner and type.
 */
#ifndef ZONE_CHECKS_H
#define ZONE_CHECKS_H

#include "dns/message.h"
#include "zone/records.h"

enum {
	RECORDS_PER_RRSET_MAX = 20000,
	TYPES_PER_NAME_MAX = 256,
	/* A message with header, question, the record's owner as a pointer and fields, and OPT. */
	AROUND_RECORD_DATA_OCTETS = HEADER_OCTETS + NAME_OCTETS_MAX + 4 + 2 + 10 + 11,
	RECORD_DATA_OCTETS_MAX = MESSAGE_OCTETS_MAX - AROUND_RECORD_DATA_OCTETS,
};

/*
 * Checks a sorted set. Errors: no SOA or more than one, SOA not at the apex, no apex
 * NS, data beside CNAME (RFC 2181 10.1; RRSIG, NSEC, NSEC3, KEY may stand there),
 * several CNAME or DNAME at one name, data below a DNAME (RFC 6672 2.4), DNAME at a cut
 * (2.3), records outside the zone, class other than IN, meta types, DS at the apex,
 * records, RRsets and names over their limits. Warnings: unequal TTLs in one RRset (RFC 2181
 * 5.2; the lowest is taken), NS or MX that points to an alias or to nothing in this
 * zone, data hidden below a cut that is not glue (addresses count as glue).
 *
 * Owners that are written in several cases get that of their first record, without a
 * word: so a set that passed is to the letter what its image gives back.
 *
 * E_CONFLICT when there was an error: then the set is as it was, and no warnings were
 * looked for. OK when there were only warnings. E_NOMEM when the set's arena has no
 * room for the records that were aligned: some have been.
 */
enum code zone_check(struct records *set, struct name apex, struct diagnostics *diagnostics);

/* The same in parts of about so many records, side by side. */
enum code zone_check_parts(struct records *set, struct name apex, const struct parallel *parallel,
			   size_t part_records, struct diagnostics *diagnostics);

#endif
