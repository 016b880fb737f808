/* SPDX-License-Identifier: Apache-2.0 */
/* mac.h - HMAC (RFC 2104) with the hash functions of digest.h. */
#ifndef CRYPTO_MAC_H
#define CRYPTO_MAC_H

#include "crypto/digest.h"

enum { MAC_LEN_MAX = DIGEST_LEN_MAX };

/* Over pieces, for what does not lie in memory at one time. */
struct mac;

/* NULL when memory ran out. */
struct mac *mac_new(struct crypto *crypto, enum digest_algorithm algorithm) must_use;

/* Wipes the secret it holds. Accepts NULL. */
void mac_free(struct mac *mac);

/* `secret` is copied; any length. */
void mac_begin(struct mac *mac, struct span secret);

/* Begins once more with the secret of the last mac_begin; cheaper. */
void mac_begin_again(struct mac *mac);

void mac_add(struct mac *mac, struct span octets);

/* Writes digest_len octets; false when any step since the beginning failed. */
bool mac_end(struct mac *mac, uint8_t *out) must_use;

/*
 * One that `crypto` owns, for a MAC that is begun and ended at once; the next borrower
 * of this algorithm begins it anew.
 */
struct mac *mac_borrow(struct crypto *crypto, enum digest_algorithm algorithm);

#endif
