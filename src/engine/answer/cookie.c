/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/cookie.h"

#include "base/writer.h"

#include <assert.h>

enum {
	COOKIE_VERSION = 1,
	/* RFC 9018 4: client cookie, version, three reserved octets, time, hash. */
	COOKIE_TIME_AT = COOKIE_CLIENT_OCTETS + 4,
	COOKIE_HASH_AT = COOKIE_TIME_AT + 4,
	ADDRESS_OCTETS_MAX = 16,
	SECONDS_PER_DAY = 86400,
};

static uint64_t load_little(const uint8_t *octets)
{
	uint64_t value = 0;

	for (unsigned i = 8; i > 0; i--) value = value << 8 | octets[i - 1];
	return value;
}

struct siphash_key cookie_secret(const uint8_t octets[static COOKIE_SECRET_OCTETS])
{
	return (struct siphash_key){load_little(octets), load_little(octets + 8)};
}

/* The keyed hash of something that nobody else hashes with this key. */
static struct siphash_key derive(struct siphash_key seed, uint64_t day)
{
	uint8_t octets[9];

	for (unsigned i = 0; i < 8; i++) octets[i] = (uint8_t)(day >> 8 * i);
	octets[8] = 0;
	uint64_t k0 = siphash(seed, span_of(octets, sizeof octets));
	octets[8] = 1;
	return (struct siphash_key){k0, siphash(seed, span_of(octets, sizeof octets))};
}

struct cookie_secrets cookie_secrets_of_day(struct siphash_key seed, uint64_t now_unix_s)
{
	uint64_t day = now_unix_s / SECONDS_PER_DAY;

	return (struct cookie_secrets){{derive(seed, day), derive(seed, day - 1)}, 2};
}

struct cookie_secrets cookie_secrets_of(struct span octets)
{
	struct cookie_secrets secrets = {.count = octets.len / COOKIE_SECRET_OCTETS};

	assert(secrets.count <= COOKIE_SECRETS_MAX);
	for (size_t i = 0; i < secrets.count; i++)
		secrets.list[i] = cookie_secret(octets.ptr + i * COOKIE_SECRET_OCTETS);
	return secrets;
}

/* RFC 9018 4.4, over what stands in front of the hash and the address. */
static void hash_write(struct siphash_key secret, const uint8_t *cookie,
		       const struct address *client, uint8_t hash[static 8])
{
	uint8_t octets[COOKIE_HASH_AT + ADDRESS_OCTETS_MAX];
	size_t address_len = client->family == 4 ? 4 : 16;

	memcpy(octets, cookie, COOKIE_HASH_AT);
	memcpy(octets + COOKIE_HASH_AT, client->octets, address_len);
	uint64_t value = siphash(secret, span_of(octets, COOKIE_HASH_AT + address_len));
	for (unsigned i = 0; i < 8; i++) hash[i] = (uint8_t)(value >> 8 * i);
}

void cookie_make(const struct cookie_secrets *secrets, const uint8_t *client_cookie,
		 const struct address *client, uint64_t now_unix_s,
		 uint8_t cookie[static COOKIE_OCTETS])
{
	assert(secrets->count > 0);
	memset(cookie, 0, COOKIE_OCTETS);
	memcpy(cookie, client_cookie, COOKIE_CLIENT_OCTETS);
	cookie[COOKIE_CLIENT_OCTETS] = COOKIE_VERSION;
	put_u32(cookie + COOKIE_TIME_AT, (uint32_t)now_unix_s);
	hash_write(secrets->list[0], cookie, client, cookie + COOKIE_HASH_AT);
}

/* RFC 9018 4.3, with RFC 1982's arithmetic: in 2106 the time begins again. */
static bool time_is_good(uint32_t made, uint32_t now)
{
	uint32_t age = now - made;

	return age <= COOKIE_OLDEST_S || -age <= COOKIE_NEWEST_S;
}

bool cookie_is_good(const struct cookie_secrets *secrets, struct span value,
		    const struct address *client, uint64_t now_unix_s)
{
	uint8_t hash[8], difference;

	if (value.len != COOKIE_OCTETS || value.ptr[COOKIE_CLIENT_OCTETS] != COOKIE_VERSION)
		return false;
	const uint8_t *at = value.ptr + COOKIE_TIME_AT;
	uint32_t made =
		(uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	if (!time_is_good(made, (uint32_t)now_unix_s)) return false;
	for (size_t i = 0; i < secrets->count; i++) {
		hash_write(secrets->list[i], value.ptr, client, hash);
		difference = 0;
		for (unsigned k = 0; k < sizeof hash; k++)
			difference |= (uint8_t)(hash[k] ^ value.ptr[COOKIE_HASH_AT + k]);
		if (difference == 0) return true;
	}
	return false;
}
