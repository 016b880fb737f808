/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change.h - the only way in: what one version of a zone differs from the next.
 *
 * A change is closed: everything that differs is in it, SOA included. Its body is
 * what IXFR carries (RFC 1995 4): removed records, then added records, each side
 * beginning with its SOA, in uncompressed wire form.
 */
#ifndef ZONE_CHANGE_H
#define ZONE_CHANGE_H

#include "zone/digest.h"
#include "zone/records.h"

enum {
	CHANGE_OCTETS_MIN = 64 << 10, /* a body up to this size is always stored as a change, */
	CHANGE_OCTETS_MAX =
		4 << 20, /* one above this never; between: up to a quarter of the zone */
};

enum change_source {
	CHANGE_FROM_FILE,
	CHANGE_FROM_TRANSFER,
};

struct change {
	uint32_t from_serial;
	uint32_t to_serial;
	struct span removed; /* runs of wire records in canonical order */
	struct span added;
	uint64_t removed_count;
	uint64_t added_count;
	struct zone_digest digest_after;
	enum change_source source;
	const char *author;   /* "file /etc/...", "transfer from west", a login */
	const char *reason;   /* may be "" */
	uint64_t time_unix_s; /* when it was accepted */
};

/*
 * What leads from one sorted set to another; the body lies in `arena`. Records that
 * differ only in TTL or in the case of letters are removed and added. An equal pair
 * gives two empty sides. Serials are those of the SOAs (0 where there is none); the
 * digest and the words about the change are the caller's to fill.
 */
enum code change_between(const struct records *before, const struct records *after,
			 struct arena *arena, struct change *out, struct error *err);

/*
 * Applies the change strictly: each removed record must be there with its TTL, no
 * added one may be (E_CONFLICT names the record); E_SYNTAX when a side is malformed,
 * out of order or miscounted. After any error `after` is to be thrown away. It comes
 * fresh from records_init and becomes a sorted set that borrows from `before` and the
 * change. Costs a copy of the entries and a search for each record of the change.
 */
enum code change_apply(const struct records *before, const struct change *change,
		       struct records *after, struct error *err);

#endif
