/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/digest.h"

#include "base/encoding.h"

#include <assert.h>
#include <endian.h>

enum {
	SUM_LEN = 32,
	BEFORE_DATA_MAX = NAME_OCTETS_MAX + 10, /* owner, type, class, TTL, data length */
	SHORT_MAX = 512,                        /* nearly every record: little stack is touched */
	LONG_MAX = BEFORE_DATA_MAX + RDATA_OCTETS_MAX,
};

/* Who computes the hashes: a crypto's scratch, or a digest of one's own. */
struct hasher {
	struct crypto *crypto;
	struct digest *digest; /* NULL: the scratch */
};

static bool hash(const struct hasher *hasher, struct span octets, uint8_t out[static SUM_LEN])
{
	if (!hasher->digest) return digest_compute(hasher->crypto, DIGEST_SHA256, octets, out);
	digest_begin(hasher->digest);
	digest_add(hasher->digest, octets);
	return digest_end(hasher->digest, out);
}

/* SHA-256 over the canonical form, which is laid out as the wire form is. */
static bool canonical_hash(struct writer w, const struct hasher *hasher,
			   const struct record *record, uint8_t out[static SUM_LEN])
{
	struct name_buffer owner;

	name_lower(record->owner, &owner);
	write_bytes(&w, owner.wire, owner.len);
	write_u16(&w, record->type);
	write_u16(&w, record->class);
	write_u32(&w, record->ttl);
	write_u16(&w, (uint16_t)record->rdata.len);
	rdata_canonical(record->type, record->rdata, &w);
	assert(!w.overflow);
	return hash(hasher, writer_span(&w), out);
}

static bool long_hash(const struct hasher *hasher, const struct record *record,
		      uint8_t out[static SUM_LEN])
{
	uint8_t octets[LONG_MAX];

	return canonical_hash(writer_of(octets, sizeof octets), hasher, record, out);
}

static bool record_hash(const struct hasher *hasher, const struct record *record,
			uint8_t out[static SUM_LEN])
{
	uint8_t octets[SHORT_MAX];

	if (record_len(record) > sizeof octets) return long_hash(hasher, record, out);
	return canonical_hash(writer_of(octets, sizeof octets), hasher, record, out);
}

/* Modulo 2^256. */
static void sum_add(uint8_t sum[static SUM_LEN], const uint8_t more[static SUM_LEN])
{
	unsigned char carry = 0;

	for (size_t at = SUM_LEN; at > 0; at -= 8) {
		uint64_t a, b;
		memcpy(&a, sum + at - 8, sizeof a);
		memcpy(&b, more + at - 8, sizeof b);
		a = be64toh(a);
		b = be64toh(b);
		uint64_t part = a + carry, whole = part + b;
		carry = (unsigned char)((part < a) | (whole < b));
		whole = htobe64(whole);
		memcpy(sum + at - 8, &whole, sizeof whole);
	}
}

static bool digest_add_record(struct zone_digest *digest, const struct hasher *hasher,
			      const struct record *record)
{
	uint8_t hash[SUM_LEN];

	if (!record_hash(hasher, record, hash)) return false;
	sum_add(digest->sum, hash);
	digest->count++;
	return true;
}

bool zone_digest_add(struct zone_digest *digest, struct crypto *crypto, const struct record *record)
{
	return digest_add_record(digest, &(struct hasher){.crypto = crypto}, record);
}

bool zone_digest_remove(struct zone_digest *digest, struct crypto *crypto,
			const struct record *record)
{
	uint8_t hash[SUM_LEN];
	unsigned borrow = 0;

	if (!record_hash(&(struct hasher){.crypto = crypto}, record, hash)) return false;
	for (size_t i = SUM_LEN; i > 0; i--) {
		unsigned difference = (unsigned)digest->sum[i - 1] - hash[i - 1] - borrow;
		digest->sum[i - 1] = (uint8_t)difference;
		borrow = difference >> 8 & 1;
	}
	digest->count--;
	return true;
}

enum { PARTS_MAX = 64 };

struct digest_part {
	const struct records *set;
	struct crypto *crypto;
	size_t from, to;
	struct zone_digest digest;
	bool done;
};

static void part_digest(void *of, size_t i)
{
	struct digest_part *part = (struct digest_part *)of + i;
	struct hasher hasher = {part->crypto, digest_new(part->crypto, DIGEST_SHA256)};

	part->done = hasher.digest != NULL;
	for (size_t k = part->from; part->done && k < part->to; k++) {
		struct record record = records_get(part->set, k);
		records_prefetch(part->set, k);
		part->done = digest_add_record(&part->digest, &hasher, &record);
	}
	digest_free(hasher.digest);
}

bool zone_digest_of_parts(const struct records *set, struct crypto *crypto,
			  const struct parallel *parallel, size_t part_records,
			  struct zone_digest *out)
{
	struct digest_part parts[PARTS_MAX];
	struct zone_digest digest = {0};
	size_t count = parallel ? set->count / part_records + 1 : 1;

	assert(set->sorted);
	if (count > PARTS_MAX) count = PARTS_MAX;
	for (size_t i = 0; i < count; i++)
		parts[i] = (struct digest_part){.set = set,
						.crypto = crypto,
						.from = set->count * i / count,
						.to = set->count * (i + 1) / count};
	parallel_run(parallel, count, part_digest, parts);
	for (size_t i = 0; i < count; i++) {
		if (!parts[i].done) return false;
		sum_add(digest.sum, parts[i].digest.sum);
		digest.count += parts[i].digest.count;
	}
	*out = digest;
	return true;
}

bool zone_digest_of(const struct records *set, struct crypto *crypto, struct zone_digest *out)
{
	return zone_digest_of_parts(set, crypto, NULL, 0, out);
}

bool zone_digest_equal(const struct zone_digest *a, const struct zone_digest *b)
{
	return a->count == b->count && memcmp(a->sum, b->sum, SUM_LEN) == 0;
}

char *zone_digest_print(const struct zone_digest *digest, char text[static ZONE_DIGEST_TEXT_MAX])
{
	struct writer w = writer_of(text, ZONE_DIGEST_TEXT_MAX - 1);

	base16_encode(span_of(digest->sum, (ZONE_DIGEST_TEXT_MAX - 1) / 2), &w);
	text[w.len] = '\0';
	return text;
}
