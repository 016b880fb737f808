/* SPDX-License-Identifier: Apache-2.0 */
#include "host/interfaces.h"
#include "host/sockaddr.h"

#include <assert.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>

static_assert(INTERFACE_NAME_MAX == IF_NAMESIZE, "a name of the kernel fits");

static struct address address_of(const struct ifaddrs *entry)
{
	struct sockaddr_storage copy = {0};

	if (!entry->ifa_addr || !(entry->ifa_flags & IFF_UP)) return (struct address){0};
	if (entry->ifa_addr->sa_family == AF_INET)
		memcpy(&copy, entry->ifa_addr, sizeof(struct sockaddr_in));
	else if (entry->ifa_addr->sa_family == AF_INET6)
		memcpy(&copy, entry->ifa_addr, sizeof(struct sockaddr_in6));
	return sockaddr_endpoint(&copy, NULL).address;
}

static bool is_listed(const struct host_address *list, size_t count, const struct address *address)
{
	for (size_t i = 0; i < count; i++)
		if (address_equal(&list[i].address, address)) return true;
	return false;
}

enum code interfaces_list(struct host_address *list, size_t max, size_t *count, struct error *err)
{
	struct ifaddrs *entries;
	enum code code = OK;

	*count = 0;
	if (getifaddrs(&entries) < 0)
		return error_set(err, E_IO, "cannot list the host's addresses: %s",
				 strerror(errno));
	for (const struct ifaddrs *entry = entries; entry; entry = entry->ifa_next) {
		struct address address = address_of(entry);
		if (address.family == 0 || address_is_link_local(&address) ||
		    is_listed(list, *count, &address))
			continue;
		if (*count == max) {
			code = error_set(err, E_LIMIT, "the host has more than %zu addresses", max);
			break;
		}
		struct host_address *to = &list[(*count)++];
		*to = (struct host_address){.address = address,
					    .is_loopback = entry->ifa_flags & IFF_LOOPBACK};
		snprintf(to->interface, sizeof to->interface, "%.15s", entry->ifa_name);
	}
	freeifaddrs(entries);
	return code;
}
