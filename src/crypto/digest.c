/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include "crypto/context.h"

#include <assert.h>
#include <openssl/err.h>

struct digest {
	EVP_MD_CTX *ctx;
	const EVP_MD *md;
	bool failed;
};

static const struct digest_row {
	const char *libcrypto_name;
	size_t len;
} digest_rows[DIGEST_COUNT] = {
#define DIGEST(name, libcrypto_name, len) [DIGEST_##name] = {libcrypto_name, len},
#include "crypto/digests.def"
#undef DIGEST
};

#define DIGEST(name, libcrypto_name, len) static_assert((len) <= DIGEST_LEN_MAX, #name);
#include "crypto/digests.def"
#undef DIGEST

size_t digest_len(enum digest_algorithm algorithm)
{
	assert(algorithm < DIGEST_COUNT);
	return digest_rows[algorithm].len;
}

const char *digest_libcrypto_name(enum digest_algorithm algorithm)
{
	assert(algorithm < DIGEST_COUNT);
	return digest_rows[algorithm].libcrypto_name;
}

bool digest_compute(struct crypto *crypto, enum digest_algorithm algorithm, struct span octets,
		    uint8_t *out)
{
	assert(algorithm < DIGEST_COUNT);
	EVP_MD_CTX *ctx = crypto->digest_scratch[algorithm];

	return EVP_DigestInit_ex2(ctx, crypto->digests[algorithm], NULL) &&
	       EVP_DigestUpdate(ctx, octets.ptr, octets.len) && EVP_DigestFinal_ex(ctx, out, NULL);
}

struct digest *digest_new(struct crypto *crypto, enum digest_algorithm algorithm)
{
	assert(algorithm < DIGEST_COUNT);
	struct digest *digest = OPENSSL_zalloc(sizeof *digest);

	if (!digest) return NULL;
	digest->md = crypto->digests[algorithm];
	digest->ctx = EVP_MD_CTX_new();
	if (!digest->ctx) {
		OPENSSL_free(digest);
		return NULL;
	}
	return digest;
}

void digest_free(struct digest *digest)
{
	if (!digest) return;
	EVP_MD_CTX_free(digest->ctx);
	OPENSSL_free(digest);
}

void digest_begin(struct digest *digest)
{
	digest->failed = !EVP_DigestInit_ex2(digest->ctx, digest->md, NULL);
}

void digest_add(struct digest *digest, struct span octets)
{
	if (!digest->failed && !EVP_DigestUpdate(digest->ctx, octets.ptr, octets.len))
		digest->failed = true;
}

bool digest_end(struct digest *digest, uint8_t *out)
{
	bool whole = !digest->failed && EVP_DigestFinal_ex(digest->ctx, out, NULL);

	digest->failed = true; /* until it begins again */
	return whole;
}
