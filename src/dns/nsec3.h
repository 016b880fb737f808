/* SPDX-License-Identifier: Apache-2.0 */
/* nsec3.h - NSEC3 and NSEC3PARAM: the hash of a name, and owners made from it (RFC 5155). */
#ifndef DNS_NSEC3_H
#define DNS_NSEC3_H

#include "crypto/digest.h"
#include "dns/name.h"

enum {
	NSEC3_SHA1 = 1, /* the only hash algorithm there is: RFC 5155 11 */
	NSEC3_HASH_OCTETS = 20,
	NSEC3_LABEL_OCTETS = 32, /* of an owner: the hash in base32hex */
	NSEC3_OPT_OUT = 1,
	/* More than that is refused to those who ask (RFC 9276 3.2: validators may as well). */
	NSEC3_ITERATIONS_MAX = 50,
};

/* How a chain hashes; the same fields begin NSEC3 and NSEC3PARAM. Borrows from the RDATA. */
struct nsec3_params {
	uint8_t algorithm;
	uint8_t flags;
	uint16_t iterations; /* in addition to the first */
	struct span salt;
};

struct nsec3 {
	struct nsec3_params params;
	struct span next; /* hash */
};

/* False when the RDATA is malformed. Types are not looked at. */
bool nsec3_params_read(struct span rdata, struct nsec3_params *out);
bool nsec3_read(struct span rdata, struct nsec3 *out);

/* Both chains hash alike, whatever their flags. */
bool nsec3_params_equal(const struct nsec3_params *a, const struct nsec3_params *b);

/*
 * The hash of a name in any case (RFC 5155 5); `iterations` is not more than
 * NSEC3_ITERATIONS_MAX. False when libcrypto failed.
 */
bool nsec3_hash(struct crypto *crypto, const struct nsec3_params *params, struct name name,
		uint8_t hash[static NSEC3_HASH_OCTETS]) must_use;

/* The owner of the record with this hash; false when it would be longer than a name may be. */
bool nsec3_owner(const uint8_t hash[static NSEC3_HASH_OCTETS], struct name apex,
		 struct name_buffer *out);

/* The other way round; false when the first label is no hash. */
bool nsec3_owner_hash(struct name owner, uint8_t hash[static NSEC3_HASH_OCTETS]);

#endif
