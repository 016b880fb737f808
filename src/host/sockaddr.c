/* SPDX-License-Identifier: Apache-2.0 */
#include "host/sockaddr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>

socklen_t sockaddr_from_endpoint(const struct endpoint *endpoint, uint32_t scope,
				 struct sockaddr_storage *to)
{
	assert(endpoint->address.family == 4 || endpoint->address.family == 6);
	if (endpoint->address.family == 4) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)to;
		*v4 = (struct sockaddr_in){.sin_family = AF_INET,
					   .sin_port = htons(endpoint->port)};
		memcpy(&v4->sin_addr, endpoint->address.octets, 4);
		return sizeof *v4;
	}
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
	*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
				    .sin6_port = htons(endpoint->port),
				    .sin6_scope_id = scope};
	memcpy(&v6->sin6_addr, endpoint->address.octets, 16);
	return sizeof *v6;
}

struct endpoint sockaddr_endpoint(const struct sockaddr_storage *from, uint32_t *scope)
{
	struct endpoint endpoint = {0};

	if (scope) *scope = 0;
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
		endpoint.address.family = 4;
		memcpy(endpoint.address.octets, &v4->sin_addr, 4);
		endpoint.port = ntohs(v4->sin_port);
	} else if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
		bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
		const uint8_t *octets = v6->sin6_addr.s6_addr;
		endpoint.address.family = mapped ? 4 : 6;
		memcpy(endpoint.address.octets, mapped ? octets + 12 : octets, mapped ? 4 : 16);
		endpoint.port = ntohs(v6->sin6_port);
		if (scope) *scope = v6->sin6_scope_id;
	}
	return endpoint;
}

bool address_is_wildcard(const struct address *address)
{
	static const uint8_t zeros[16];

	return memcmp(address->octets, zeros, address->family == 4 ? 4 : 16) == 0;
}

bool address_is_link_local(const struct address *address)
{
	return address->family == 6 && address->octets[0] == 0xfe &&
	       (address->octets[1] & 0xc0) == 0x80;
}
