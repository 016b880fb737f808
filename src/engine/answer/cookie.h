/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cookie.h - server cookies, so that a client can prove its address (RFC 7873, RFC 9018).
 *
 * Every server of one address that has the same secrets takes the others' cookies.
 */
#ifndef ENGINE_ANSWER_COOKIE_H
#define ENGINE_ANSWER_COOKIE_H

#include "base/address.h"
#include "base/siphash.h"

enum {
	COOKIE_CLIENT_OCTETS = 8,
	COOKIE_OCTETS = 24, /* the client's and the server's */
	COOKIE_SECRET_OCTETS = 16,
	COOKIE_SECRETS_MAX = 2,
	COOKIE_OLDEST_S = 3600, /* RFC 9018 4.3 */
	COOKIE_NEWEST_S = 300,
};

/* The first makes cookies, each is accepted. None: the server knows no cookies. */
struct cookie_secrets {
	struct siphash_key list[COOKIE_SECRETS_MAX];
	size_t count;
};

/* From the octets that other servers have as well. */
struct siphash_key cookie_secret(const uint8_t octets[static COOKIE_SECRET_OCTETS]);

/*
 * Made from a random seed when no secrets are configured: another one each day (UTC), and
 * that of the day before is accepted. Whoever has the seed has the same secrets.
 */
struct cookie_secrets cookie_secrets_of_day(struct siphash_key seed, uint64_t now_unix_s);

/* The configured ones: one, or two in a row, of COOKIE_SECRET_OCTETS each. */
struct cookie_secrets cookie_secrets_of(struct span octets);

/* The whole option's value for this client cookie; there must be a secret. */
void cookie_make(const struct cookie_secrets *secrets, const uint8_t *client_cookie,
		 const struct address *client, uint64_t now_unix_s,
		 uint8_t cookie[static COOKIE_OCTETS]);

/* The value that a client sent, of any length, holds a cookie of ours that is still good. */
bool cookie_is_good(const struct cookie_secrets *secrets, struct span value,
		    const struct address *client, uint64_t now_unix_s);

#endif
