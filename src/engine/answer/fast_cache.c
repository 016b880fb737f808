/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/answer/fast_cache.h"

static uint64_t key_hash(const struct fast_cache_key *key)
{
	uint64_t hash = ((uint64_t)(uintptr_t)key->node ^ key->id << 40) + key->dnssec_ok +
			2u * key->is_no_type;

	return hash * UINT64_C(0x9e3779b97f4a7c15);
}

/* The upper half has the best bits; 0 is left for what is empty. */
static uint32_t hash_tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 20) | 1;
}

static uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* The two places that it may have. */
static size_t first_slot(uint64_t hash)
{
	return hash >> (64 - CACHE_SLOT_BITS) & ~(size_t)1;
}

static bool is_it(const struct fast_template *t, const struct fast_cache_key *key)
{
	return t->id == key->id && t->node == key->node && t->dnssec_ok == key->dnssec_ok &&
	       t->is_no_type == key->is_no_type;
}

static const struct fast_template *template_find(const struct fast_cache *cache, uint64_t hash,
						 const struct fast_cache_key *key)
{
	size_t first = first_slot(hash);

	for (size_t slot = first; slot < first + 2; slot++)
		if (cache->kept[slot] == hash_tag_of(hash) && is_it(&cache->templates[slot], key))
			return &cache->templates[slot];
	return NULL;
}

bool fast_cache_take(struct fast_cache *cache, struct fast_cache_key *key, struct fast_out *out)
{
	uint64_t hash = key_hash(key);
	uint32_t *seen = &cache->seen[first_slot(hash) / 2];
	const struct fast_template *t = template_find(cache, hash, key);

	key->is_wanted = !t && *seen == hash_tag_of(hash);
	if (!t) *seen = hash_tag_of(hash);
	if (!t || t->labels & key->label || t->len > out->max - out->len) return false;
	uint8_t *body = out->start + out->len;
	memcpy(body, t->octets, t->len);
	for (unsigned i = 0; i < t->pointer_count; i++) {
		uint8_t *pointer = body + t->pointers[i];
		put_u16(pointer, (uint16_t)(get_u16(pointer) + key->name_len));
	}
	out->len += t->len;
	memcpy(out->counts, t->counts, sizeof out->counts);
	return true;
}

/* Notes the pointer that ends the name at `at`, if one does; returns where the name ends. */
static size_t name_note(struct fast_template *t, size_t at)
{
	while (at < t->len && t->octets[at] && t->octets[at] < 0xc0) at += t->octets[at] + 1u;
	if (at >= t->len || !t->octets[at]) return at + 1;
	if (t->pointer_count < CACHE_POINTERS_MAX) t->pointers[t->pointer_count] = (uint16_t)at;
	t->pointer_count++;
	return at + 2;
}

/* Notes the pointers of the record at `at`; returns where the next one begins. */
static size_t record_note(struct fast_template *t, size_t at)
{
	at = name_note(t, at);
	uint16_t type = get_u16(t->octets + at);
	size_t rdata = at + FAST_RECORD_FIXED_OCTETS;
	size_t end = rdata + get_u16(t->octets + rdata - 2);

	if (type == RRTYPE_NS || type == RRTYPE_SOA) rdata = name_note(t, rdata);
	if (type == RRTYPE_SOA) name_note(t, rdata);
	return end;
}

void fast_cache_keep(struct fast_cache *cache, const struct fast_cache_key *key,
		     const struct fast_out *out, size_t at, uint64_t labels)
{
	uint64_t hash = key_hash(key);
	size_t slot = first_slot(hash), len = out->len - at;

	if (!key->is_wanted || len > CACHE_OCTETS_MAX) return;
	/* One bit of the name's length is chance enough to choose by, when both are taken. */
	if (cache->kept[slot] && (!cache->kept[slot + 1] || key->name_len & 1)) slot++;
	struct fast_template *t = &cache->templates[slot];
	cache->kept[slot] = 0;
	*t = (struct fast_template){.id = key->id,
				    .node = key->node,
				    .labels = labels,
				    .dnssec_ok = key->dnssec_ok,
				    .is_no_type = key->is_no_type,
				    .len = (uint16_t)len};
	memcpy(t->octets, out->start + at, len);
	memcpy(t->counts, out->counts, sizeof t->counts);
	for (size_t next = 0; next < len;) next = record_note(t, next);
	if (t->pointer_count > CACHE_POINTERS_MAX) return;
	for (unsigned i = 0; i < t->pointer_count; i++) {
		uint8_t *pointer = t->octets + t->pointers[i];
		put_u16(pointer, (uint16_t)(get_u16(pointer) - key->name_len));
	}
	cache->kept[slot] = hash_tag_of(hash);
}
