/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/batch.h"

/* The same two in the same order as in options.c: NSID (RFC 5001), COOKIE (RFC 7873). */

static bool tells_name(const struct answer_server *server, const struct fast *f)
{
	return server->name && f->wants_nsid;
}

static bool tells_cookie(const struct answer_server *server, const struct fast *f)
{
	return server->cookie_secrets.count > 0 && f->cookie;
}

size_t fast_options_octets(const struct answer_server *server, const struct fast *f)
{
	size_t octets = 0;

	if (tells_name(server, f)) octets += OPTION_HEAD_OCTETS + strlen(server->name);
	if (tells_cookie(server, f)) octets += OPTION_HEAD_OCTETS + COOKIE_OCTETS;
	return octets;
}

static uint8_t *head_write(uint8_t *p, enum edns_code code, size_t len)
{
	put_u16(p, (uint16_t)code);
	put_u16(p + 2, (uint16_t)len);
	return p + OPTION_HEAD_OCTETS;
}

uint8_t *fast_options_write(const struct answer_batch *batch, size_t index, uint8_t *p)
{
	const struct answer_server *server = batch->server;
	const struct fast *f = &batch->fast[index];

	if (tells_name(server, f)) {
		size_t len = strlen(server->name);
		p = head_write(p, EDNS_NSID, len);
		memcpy(p, server->name, len);
		p += len;
	}
	if (tells_cookie(server, f)) {
		struct address address = batch->address(batch->context, index);
		p = head_write(p, EDNS_COOKIE, COOKIE_OCTETS);
		cookie_make(&server->cookie_secrets, f->cookie, &address, batch->now_unix_s, p);
		p += COOKIE_OCTETS;
	}
	return p;
}
