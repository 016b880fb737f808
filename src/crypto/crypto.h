/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto.h - our face over libcrypto; the only folder that sees its headers.
 *
 * Finding an algorithm costs libcrypto several times what using it does, so a
 * `struct crypto` finds all of them once and is passed down. It has scratch of its
 * own: one for each thread. libcrypto allocates by itself; that is allowed only here.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "base/error.h"
#include "base/span.h"

struct crypto;

/*
 * Finds every algorithm. Called before a process closes its walls: libcrypto may
 * initialise itself. Its configuration file is not read, so no setting that was made
 * for another program alters this one. NULL, and `err` says which algorithm is
 * missing or that memory ran out.
 */
struct crypto *crypto_new(struct error *err) must_use;

/* Accepts NULL. Everything made from it (digest_new, mac_new) is freed before it. */
void crypto_free(struct crypto *crypto);

/* Equal, in a time that depends on the length only. */
bool secret_equal(struct span a, struct span b);

/* Overwrites with zeros, and no compiler takes it for dead code. */
void secret_wipe(void *octets, size_t len);

#endif
