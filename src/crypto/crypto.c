/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crypto.h"

#include "crypto/context.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

static bool crypto_find_digest(struct crypto *crypto, enum digest_algorithm algorithm)
{
	EVP_MD *md = EVP_MD_fetch(NULL, digest_libcrypto_name(algorithm), NULL);

	crypto->digests[algorithm] = md;
	crypto->digest_scratch[algorithm] = EVP_MD_CTX_new();
	return md && crypto->digest_scratch[algorithm] &&
	       (size_t)EVP_MD_get_size(md) == digest_len(algorithm);
}

/* Naming the hash function makes libcrypto look it up, so it is done once, here. */
static bool crypto_find_mac(struct crypto *crypto, enum digest_algorithm algorithm)
{
	const char *name = digest_libcrypto_name(algorithm);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(crypto->hmac);
	OSSL_PARAM params[] = {
		{OSSL_MAC_PARAM_DIGEST, OSSL_PARAM_UTF8_STRING, NULL, strlen(name), 0},
		OSSL_PARAM_construct_end(),
	};
	char copy[16];

	memcpy(copy, name, strlen(name) + 1);
	params[0].data = copy;
	crypto->mac_templates[algorithm] = ctx;
	if (!ctx || !EVP_MAC_CTX_set_params(ctx, params)) return false;
	crypto->mac_scratch[algorithm] = mac_new(crypto, algorithm);
	return crypto->mac_scratch[algorithm] != NULL;
}

struct crypto *crypto_new(struct error *err)
{
	struct crypto *crypto = NULL;
	const char *missing = "memory";

	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL)) goto fail;
	crypto = OPENSSL_zalloc(sizeof *crypto);
	if (!crypto) goto fail;
	missing = "HMAC";
	crypto->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!crypto->hmac) goto fail;
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		missing = digest_libcrypto_name(a);
		if (!crypto_find_digest(crypto, a) || !crypto_find_mac(crypto, a)) goto fail;
	}
	return crypto;
fail:
	ERR_clear_error();
	crypto_free(crypto);
	error_set(err, E_UNSUPPORTED,
		  "libcrypto cannot give %s; check that OpenSSL 3 and its default provider are "
		  "installed whole",
		  missing);
	return NULL;
}

void crypto_free(struct crypto *crypto)
{
	if (!crypto) return;
	for (enum digest_algorithm a = 0; a < DIGEST_COUNT; a++) {
		mac_free(crypto->mac_scratch[a]);
		EVP_MAC_CTX_free(crypto->mac_templates[a]);
		EVP_MD_CTX_free(crypto->digest_scratch[a]);
		EVP_MD_free(crypto->digests[a]);
	}
	EVP_MAC_free(crypto->hmac);
	OPENSSL_free(crypto);
}

bool secret_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}

void secret_wipe(void *octets, size_t len)
{
	OPENSSL_cleanse(octets, len);
}
