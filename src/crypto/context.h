/* SPDX-License-Identifier: Apache-2.0 */
/* context.h - what a struct crypto holds; only this folder includes it. */
#ifndef CRYPTO_CONTEXT_H
#define CRYPTO_CONTEXT_H

#include "crypto/digest.h"
#include "crypto/mac.h"

#include <openssl/evp.h>

struct crypto {
	EVP_MD *digests[DIGEST_COUNT];
	EVP_MD_CTX *digest_scratch[DIGEST_COUNT];
	EVP_MAC *hmac;
	EVP_MAC_CTX *mac_templates[DIGEST_COUNT]; /* hash function chosen, no secret yet */
	struct mac *mac_scratch[DIGEST_COUNT];
};

/* The digest's name in libcrypto. */
const char *digest_libcrypto_name(enum digest_algorithm algorithm);

#endif
