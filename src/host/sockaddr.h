/* SPDX-License-Identifier: Apache-2.0 */
/* sockaddr.h - between our endpoints and the kernel's socket addresses. */
#ifndef HOST_SOCKADDR_H
#define HOST_SOCKADDR_H

#include "base/address.h"

#include <sys/socket.h>

/*
 * Fills `to` and returns its length; `scope` is the interface of a link-local
 * address, else 0. The address must have a family.
 */
socklen_t sockaddr_from_endpoint(const struct endpoint *endpoint, uint32_t scope,
				 struct sockaddr_storage *to);

/* Family 0 when it is neither IPv4 nor IPv6. `scope` may be NULL. */
struct endpoint sockaddr_endpoint(const struct sockaddr_storage *from, uint32_t *scope);

/* 0.0.0.0 or :: */
bool address_is_wildcard(const struct address *address);
/* fe80::/10, which means nothing without an interface */
bool address_is_link_local(const struct address *address);

#endif
