/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address.h - network addresses as values, without the system's socket types.
 *
 * An IPv4 address that came in as IPv4-mapped IPv6 (::ffff:a.b.c.d) is IPv4 here.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/span.h"

enum { ADDRESS_TEXT_MAX = 64 };

struct address {
	uint8_t family;     /* 4 or 6; 0: none */
	uint8_t octets[16]; /* the first 4 for IPv4 */
};

struct endpoint {
	struct address address;
	uint16_t port;
};

struct prefix {
	struct address address;
	uint8_t bits; /* at most 32 or 128 */
};

/* From the octets of a socket address; a mapped IPv6 one becomes IPv4. */
struct address address_of_ipv4(const uint8_t octets[static 4]);
struct address address_of_ipv6(const uint8_t octets[static 16]);

/* Numeric only: "192.0.2.1", "2001:db8::1" (RFC 4291 2.2). */
bool address_parse(struct span text, struct address *out);

/* "ADDRESS" or "ADDRESS@PORT"; `port` where none is written. */
bool endpoint_parse(struct span text, uint16_t port, struct endpoint *out);

/* "ADDRESS" or "ADDRESS/BITS"; bits beyond the prefix must be zero. */
bool prefix_parse(struct span text, struct prefix *out);

/* RFC 5952 for IPv6, "none" for family 0. Each writes what its reader takes and returns `text`. */
char *address_print(const struct address *address, char text[static ADDRESS_TEXT_MAX]);
char *endpoint_print(const struct endpoint *endpoint, char text[static ADDRESS_TEXT_MAX]);
char *prefix_print(const struct prefix *prefix, char text[static ADDRESS_TEXT_MAX]);

bool address_equal(const struct address *a, const struct address *b);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
bool prefix_contains(const struct prefix *prefix, const struct address *address);

#endif
