/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.h - what a version of a zone contains, in 40 octets.
 *
 * The number of records and the sum modulo 2^256 of SHA-256 over each record's
 * owner, type, class, TTL, data length and data: names in canonical form, TTL, SOA
 * and RRSIG included, duplicates once. A change costs only its own records:
 * before - removed + added = after. It finds accidents and tampering by those who
 * cannot write the zone; it is not a signature (that is ZONEMD, RFC 8976).
 */
#ifndef ZONE_DIGEST_H
#define ZONE_DIGEST_H

#include "crypto/digest.h"
#include "zone/records.h"

enum { ZONE_DIGEST_TEXT_MAX = 13 };

struct zone_digest {
	uint64_t count;
	uint8_t sum[32]; /* big-endian */
};

/* False when libcrypto failed: the digest is as it was. */
bool zone_digest_add(struct zone_digest *digest, struct crypto *crypto,
		     const struct record *record) must_use;
bool zone_digest_remove(struct zone_digest *digest, struct crypto *crypto,
			const struct record *record) must_use;

/* Every record of a sorted set, from nothing. False as above. Threads may share `crypto` here. */
bool zone_digest_of(const struct records *set, struct crypto *crypto,
		    struct zone_digest *out) must_use;

/* The same in parts of about so many records, side by side. */
bool zone_digest_of_parts(const struct records *set, struct crypto *crypto,
			  const struct parallel *parallel, size_t part_records,
			  struct zone_digest *out) must_use;

bool zone_digest_equal(const struct zone_digest *a, const struct zone_digest *b);

/* The first 12 hex digits of the sum: what two people read to each other. */
char *zone_digest_print(const struct zone_digest *digest, char text[static ZONE_DIGEST_TEXT_MAX]);

#endif
