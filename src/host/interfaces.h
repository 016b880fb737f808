/* SPDX-License-Identifier: Apache-2.0 */
/* interfaces.h - the addresses this host has. */
#ifndef HOST_INTERFACES_H
#define HOST_INTERFACES_H

#include "base/address.h"
#include "base/error.h"

enum { HOST_ADDRESSES_MAX = 256, INTERFACE_NAME_MAX = 16 };

struct host_address {
	char interface[INTERFACE_NAME_MAX];
	struct address address;
	bool is_loopback;
};

/*
 * The addresses of interfaces that are up, in the kernel's order, each once.
 * Link-local IPv6 addresses are left out: they mean nothing without an interface.
 * E_LIMIT when there are more than `max`: the first `max` are given.
 */
must_use enum code interfaces_list(struct host_address *list, size_t max, size_t *count,
				   struct error *err);

#endif
