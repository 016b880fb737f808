/* SPDX-License-Identifier: Apache-2.0 */
/* ip_text.h - IPv4 and IPv6 addresses as text, without the C library's help. */
#ifndef BASE_IP_TEXT_H
#define BASE_IP_TEXT_H

#include "base/span.h"
#include "base/writer.h"

enum { IPV4_OCTETS = 4, IPV6_OCTETS = 16 };

/* Four decimal numbers without leading zeros. False: not an IPv4 address. */
bool ipv4_from_text(struct span text, uint8_t out[static IPV4_OCTETS]);

/* RFC 4291 2.2, its form with an IPv4 address at the end too; no zone index. */
bool ipv6_from_text(struct span text, uint8_t out[static IPV6_OCTETS]);

/* `address` has 4 octets; false and nothing written when it has not. */
bool ipv4_print(struct span address, struct writer *w);

/* RFC 5952: lower case, the longest run of zeros as "::", IPv4-mapped addresses mixed. */
bool ipv6_print(struct span address, struct writer *w);

#endif
