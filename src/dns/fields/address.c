/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/fields/fields.h"

#include "base/ip_text.h"

enum code ipv4_field_from_text(struct words *in)
{
	uint8_t address[IPV4_OCTETS];

	if (!ipv4_from_text(words_front(in), address)) return words_expected(in);
	write_bytes(in->w, address, sizeof address);
	in->at++;
	return OK;
}

enum code ipv6_field_from_text(struct words *in)
{
	uint8_t address[IPV6_OCTETS];

	if (!ipv6_from_text(words_front(in), address)) return words_expected(in);
	write_bytes(in->w, address, sizeof address);
	in->at++;
	return OK;
}
