/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mac.h"

#include "crypto/context.h"

#include <assert.h>

struct mac {
	EVP_MAC_CTX *ctx;
	bool failed;
};

struct mac *mac_new(struct crypto *crypto, enum digest_algorithm algorithm)
{
	assert(algorithm < DIGEST_COUNT);
	struct mac *mac = OPENSSL_zalloc(sizeof *mac);

	if (!mac) return NULL;
	mac->ctx = EVP_MAC_CTX_dup(crypto->mac_templates[algorithm]);
	mac->failed = true; /* until it begins */
	if (!mac->ctx) {
		OPENSSL_free(mac);
		return NULL;
	}
	return mac;
}

void mac_free(struct mac *mac)
{
	if (!mac) return;
	EVP_MAC_CTX_free(mac->ctx);
	OPENSSL_free(mac);
}

void mac_begin(struct mac *mac, struct span secret)
{
	/* NULL would mean "the secret of before". */
	const uint8_t *key = secret.ptr ? secret.ptr : (const uint8_t *)"";

	mac->failed = !EVP_MAC_init(mac->ctx, key, secret.len, NULL);
}

void mac_begin_again(struct mac *mac)
{
	mac->failed = !EVP_MAC_init(mac->ctx, NULL, 0, NULL);
}

void mac_add(struct mac *mac, struct span octets)
{
	if (octets.len == 0) return;
	if (!mac->failed && !EVP_MAC_update(mac->ctx, octets.ptr, octets.len)) mac->failed = true;
}

bool mac_end(struct mac *mac, uint8_t *out)
{
	size_t len;
	bool whole = !mac->failed &&
		     EVP_MAC_final(mac->ctx, out, &len, EVP_MAC_CTX_get_mac_size(mac->ctx));

	mac->failed = true; /* until it begins again */
	return whole;
}

struct mac *mac_borrow(struct crypto *crypto, enum digest_algorithm algorithm)
{
	assert(algorithm < DIGEST_COUNT);
	return crypto->mac_scratch[algorithm];
}
