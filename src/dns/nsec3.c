/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/nsec3.h"

#include "base/encoding.h"

#include <assert.h>

enum { SALT_OCTETS_MAX = 255 };

static void read_params(struct reader *r, struct nsec3_params *out)
{
	out->algorithm = read_u8(r);
	out->flags = read_u8(r);
	out->iterations = read_u16(r);
	out->salt = read_span(r, read_u8(r));
}

bool nsec3_params_read(struct span rdata, struct nsec3_params *out)
{
	struct reader r = reader_of(rdata);

	read_params(&r, out);
	return !r.failed;
}

bool nsec3_read(struct span rdata, struct nsec3 *out)
{
	struct reader r = reader_of(rdata);

	read_params(&r, &out->params);
	out->next = read_span(&r, read_u8(&r));
	return !r.failed;
}

bool nsec3_params_equal(const struct nsec3_params *a, const struct nsec3_params *b)
{
	return a->algorithm == b->algorithm && a->iterations == b->iterations &&
	       span_equal(a->salt, b->salt);
}

bool nsec3_hash(struct crypto *crypto, const struct nsec3_params *params, struct name name,
		uint8_t hash[static NSEC3_HASH_OCTETS])
{
	uint8_t octets[NAME_OCTETS_MAX + SALT_OCTETS_MAX];
	struct writer w = writer_of(octets, sizeof octets);
	struct name_buffer lowered;

	assert(params->algorithm == NSEC3_SHA1 && params->iterations <= NSEC3_ITERATIONS_MAX);
	name_lower(name, &lowered);
	write_bytes(&w, lowered.wire, lowered.len);
	for (unsigned i = 0; i <= params->iterations; i++) {
		write_span(&w, params->salt);
		assert(!w.overflow);
		if (!digest_compute(crypto, DIGEST_SHA1, writer_span(&w), hash)) return false;
		w = writer_of(octets, sizeof octets);
		write_bytes(&w, hash, NSEC3_HASH_OCTETS);
	}
	return true;
}

bool nsec3_owner(const uint8_t hash[static NSEC3_HASH_OCTETS], struct name apex,
		 struct name_buffer *out)
{
	struct writer w = writer_of(out->wire, sizeof out->wire);

	write_u8(&w, NSEC3_LABEL_OCTETS);
	base32hex_encode(span_of(hash, NSEC3_HASH_OCTETS), &w);
	write_bytes(&w, apex.wire, apex.len);
	out->len = (uint8_t)w.len;
	return !w.overflow;
}

bool nsec3_owner_hash(struct name owner, uint8_t hash[static NSEC3_HASH_OCTETS])
{
	struct writer w = writer_of(hash, NSEC3_HASH_OCTETS);

	if (owner.wire[0] != NSEC3_LABEL_OCTETS) return false;
	return base32hex_decode(span_of(owner.wire + 1, NSEC3_LABEL_OCTETS), &w) &&
	       w.len == NSEC3_HASH_OCTETS;
}
