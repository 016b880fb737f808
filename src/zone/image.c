/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/image_format.h"

#include <inttypes.h>

uint64_t image_checksum(struct span octets)
{
	return XXH3_64bits(octets.ptr, octets.len);
}

struct name image_apex(const struct image *image)
{
	return (struct name){.wire = image->bytes.ptr + HEADER_APEX, .len = image->apex_len};
}

uint32_t image_serial(const struct image *image)
{
	return load_u32(image->bytes.ptr + HEADER_SERIAL);
}

uint64_t image_record_count(const struct image *image)
{
	return load_u64(image->bytes.ptr + HEADER_RECORD_COUNT);
}

uint32_t image_node_count(const struct image *image)
{
	return load_u32(image->bytes.ptr + HEADER_NODE_COUNT);
}

void image_digest(const struct image *image, struct zone_digest *out)
{
	out->count = load_u64(image->bytes.ptr + HEADER_DIGEST_COUNT);
	memcpy(out->sum, image->bytes.ptr + HEADER_DIGEST_SUM, sizeof out->sum);
}

uint64_t image_version(const struct image *image)
{
	const uint8_t *p = image->bytes.ptr;

	return XXH3_64bits_withSeed(p + HEADER_RECORD_COUNT, HEADER_IMAGE_LEN - HEADER_RECORD_COUNT,
				    load_u32(p + HEADER_SERIAL));
}

uint64_t image_over(const struct image *image)
{
	return load_u64(image->bytes.ptr + HEADER_OVER);
}

/* The places of the parts, from lengths that may lie. */
static bool parts_find(struct image *image, uint32_t head_len)
{
	const uint8_t *p = image->bytes.ptr;
	struct reader r = reader_of(span_of(p + HEADER_APEX, head_len - HEADER_APEX));
	uint64_t units = image->bytes.len / IMAGE_UNIT;
	struct name apex;

	if (!name_read_plain(&r, &apex) || head_len % IMAGE_UNIT) return false;
	if (image->bytes.len % IMAGE_UNIT || load_u32(p + HEADER_IMAGE_LEN) != units) return false;
	image->apex_len = apex.len;
	image->nodes_at = head_len / IMAGE_UNIT;
	image->nodes_end = load_u32(p + HEADER_NODES_END);
	image->bucket_count = load_u32(p + HEADER_BUCKET_COUNT);
	uint64_t buckets = (uint64_t)image->bucket_count * LINE_UNITS;
	if (image->nodes_at >= image->nodes_end || buckets == 0 || buckets > units) return false;
	image->buckets_at = (uint32_t)(units - buckets);
	return image->buckets_at % LINE_UNITS == 0 && image->nodes_end <= image->buckets_at;
}

enum code image_open(struct span bytes, struct image *out, struct error *err)
{
	const uint8_t *p = bytes.ptr;

	if (bytes.len < HEADER_APEX || memcmp(p, IMAGE_MAGIC, HEADER_FORMAT) != 0)
		return error_set(err, E_DAMAGED, "%zu octets that are no image of a zone",
				 bytes.len);
	if (load_u32(p + HEADER_FORMAT) != IMAGE_FORMAT)
		return error_set(err, E_UNSUPPORTED, "an image of format %" PRIu32 ", not %d",
				 load_u32(p + HEADER_FORMAT), IMAGE_FORMAT);
	uint32_t head_len = load_u32(p + HEADER_LEN);
	if (head_len < HEADER_APEX || head_len > bytes.len ||
	    load_u64(p + HEADER_CHECKSUM) !=
		    image_checksum(
			    span_of(p + HEADER_BODY_CHECKSUM, head_len - HEADER_BODY_CHECKSUM)))
		return error_set(err, E_DAMAGED,
				 "an image whose header does not match its checksum");
	*out = (struct image){.bytes = bytes, .seed = load_u64(p + HEADER_SEED)};
	if (!parts_find(out, head_len))
		return error_set(err, E_DAMAGED,
				 "an image whose lengths are not those of its %zu octets",
				 bytes.len);
	struct node apex;
	if (!node_open(out, out->nodes_at, &apex) || !node_check(&apex) ||
	    !name_equal(apex.owner, image_apex(out)))
		return error_set(err, E_DAMAGED, "an image whose first name is not the zone's");
	return OK;
}

enum code image_verify(const struct image *image, struct error *err)
{
	size_t head_len = (size_t)image->nodes_at * IMAGE_UNIT;
	struct span body = span_of(image->bytes.ptr + head_len, image->bytes.len - head_len);
	char text[NAME_TEXT_MAX];

	if (image_checksum(body) == load_u64(image->bytes.ptr + HEADER_BODY_CHECKSUM)) return OK;
	return error_set(err, E_DAMAGED,
			 "the image of zone %s, serial %" PRIu32 ", does not match its checksum",
			 name_to_text(image_apex(image), text), image_serial(image));
}

static bool is_name(struct span octets)
{
	struct reader r = reader_of(octets);
	struct name name;

	return name_read_plain(&r, &name) && reader_done(&r);
}

bool node_is_sound(const struct image *image, const struct node *node)
{
	return node_check(node) && is_name(span_of(node->owner.wire, node->owner.len)) &&
	       name_is_below(node->owner, image_apex(image));
}

bool image_step(const struct image *image, uint32_t *place, struct node *out)
{
	struct node next;
	uint32_t at = image->nodes_at;

	if (*place) {
		if (!node_open(image, *place, &next)) return false;
		at = node_end_of(&next);
		if (at == image->nodes_end) {
			*place = 0;
			return false;
		}
	}
	*place = at;
	if (!node_open(image, at, &next) || !node_is_sound(image, &next)) return false;
	*out = next;
	return true;
}

bool node_links(const struct node *node, struct node_links *out)
{
	*out = (struct node_links){0};
	if (!node->has_links) return false;
	size_t at =
		round_up((size_t)(node->owner.wire - node->octets) + node->owner.len, IMAGE_UNIT);
	const uint8_t *p = node->octets + at;
	out->nsec = (struct name){.wire = p + 2, .len = p[0]};
	out->nsec3 = (struct name){.wire = p + 2 + p[0], .len = p[1]};
	if ((p[0] == 0 || is_name(span_of(out->nsec.wire, p[0]))) &&
	    (p[1] == 0 || is_name(span_of(out->nsec3.wire, p[1]))))
		return true;
	*out = (struct node_links){0};
	return false;
}

bool node_next_rrset(const struct node *node, struct rrset_cursor *cursor)
{
	return node_rrset_step(node, cursor);
}

bool node_check(const struct node *node)
{
	struct rrset_cursor cursor = {0};

	while (node_rrset_step(node, &cursor)) continue;
	return cursor.at == node->rrsets.len;
}

/* Octets of the RRset that stands here, with `left` of them; all if it has more. */
static inline size_t rrset_octets(const uint8_t *p, size_t left)
{
	uint8_t flags = p[RRSET_FLAGS];
	size_t len = RRSET_DATA, names = flags & RRSET_NAME_COUNT;

	if (unlikely(flags & RRSET_IS_WIDE || left < RRSET_DATA)) {
		struct rrset rrset;
		return rrset_open(p, left, &rrset, &len) ? len : left;
	}
	len += load_u16(p + RRSET_DATA_LEN);
	if (flags & RRSET_HAS_PLAN)
		len += (size_t)p[RRSET_COUNT] * names *
		       (flags & RRSET_HAS_HASHES ? PLAN_HASH + PLAN_ENTRY : PLAN_ENTRY);
	return len < left ? round_up(len, IMAGE_UNIT) : left;
}

/* Steps over what is of other types; in ascending order of types but for the SOA. */
static void types_skip(const struct node *node, uint16_t type, struct rrset_cursor *cursor)
{
	while (cursor->at < node->rrsets.len) {
		size_t left = node->rrsets.len - cursor->at;
		const uint8_t *p = node->rrsets.ptr + cursor->at;
		if (load_u32(p) & RRSET_IS_SHARED) return;
		uint16_t found = load_u16(p);
		if (found == type) return;
		cursor->at += found > type && found != RRTYPE_SOA ? left : rrset_octets(p, left);
	}
}

static inline bool rrset_find(const struct node *node, uint16_t type, bool any, uint16_t covered,
			      struct rrset *out)
{
	struct rrset_cursor cursor = {0};

	types_skip(node, type, &cursor);
	while (node_rrset_step(node, &cursor)) {
		if (cursor.rrset.type == type && (any || cursor.rrset.covered == covered)) {
			*out = cursor.rrset;
			return true;
		}
		types_skip(node, type, &cursor);
	}
	return false;
}

bool node_rrset(const struct node *node, uint16_t type, struct rrset *out)
{
	return rrset_find(node, type, true, 0, out);
}

bool node_signatures(const struct node *node, uint16_t covered, struct rrset *out)
{
	return rrset_find(node, RRTYPE_RRSIG, false, covered, out);
}

bool rrset_next(const struct rrset *rrset, size_t *at, struct span *rdata)
{
	struct reader r = reader_of(rrset->data);

	if (*at >= rrset->data.len) return false;
	r.at = *at;
	struct span data = read_span(&r, read_u16(&r));
	if (r.failed) return false;
	if (rrset->name_count) {
		struct reader names = reader_of(data);
		struct name name;
		reader_skip(&names, rrset->name_at);
		for (unsigned i = 0; i < rrset->name_count; i++)
			if (!name_read_plain(&names, &name)) return false;
	}
	*at = r.at;
	*rdata = data;
	return true;
}

bool rrset_target(const struct rrset *rrset, unsigned index, struct rrset_target *out)
{
	return rrset_plan_read(rrset, index, out);
}
