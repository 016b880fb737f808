/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - SHA-1 and SHA-2 (FIPS 180-4). */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include "crypto/crypto.h"

enum { DIGEST_LEN_MAX = 64 };

enum digest_algorithm {
#define DIGEST(name, libcrypto_name, len) DIGEST_##name,
#include "crypto/digests.def"
#undef DIGEST
	DIGEST_COUNT,
};

/* Octets of a result. */
size_t digest_len(enum digest_algorithm algorithm);

/*
 * The digest of one run of octets, the fast way: no context is made or copied.
 * Writes digest_len octets; false when libcrypto failed, and `out` is undefined.
 */
bool digest_compute(struct crypto *crypto, enum digest_algorithm algorithm, struct span octets,
		    uint8_t *out) must_use;

/* Over pieces. Begin, add any number, end; then it may begin again. */
struct digest;

/* NULL when memory ran out. */
struct digest *digest_new(struct crypto *crypto, enum digest_algorithm algorithm) must_use;
void digest_free(struct digest *digest);

void digest_begin(struct digest *digest);
void digest_add(struct digest *digest, struct span octets);

/* Writes digest_len octets; false when any step since digest_begin failed. */
bool digest_end(struct digest *digest, uint8_t *out) must_use;

#endif
