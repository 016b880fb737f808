/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two walks over the sorted set: the first counts, the second writes the nodes behind
 * the room of the index, which is filled last. As the set is in canonical order, the
 * ancestors of a name are the path to the name before it, as far as both agree; what
 * is missing on the way are empty non-terminals (RFC 4592 2.2.2).
 */
#include "zone/image_format.h"
#include "zone/runs.h"

#include <assert.h>
#include <inttypes.h>

/* Seeds tried before the set is refused; one in millions of sets needs a second. */
enum { SEEDS_MAX = 8 };

struct plan {
	uint64_t node_count, node_octets;
};

static size_t rrset_octets(const struct records *set, struct run rrset)
{
	size_t octets = RRSET_DATA;

	for (size_t i = rrset.from; i < rrset.to; i++) octets += 2 + records_get(set, i).rdata.len;
	return octets;
}

static void plan_node(struct plan *plan, size_t octets)
{
	plan->node_octets += round_up(octets, IMAGE_UNIT);
	plan->node_count++;
}

/* False when an owner is not below the apex or the apex has no records. */
static bool plan_make(const struct records *set, struct name apex, struct plan *plan)
{
	struct path last = {0}, path;

	*plan = (struct plan){0};
	for (size_t i = 0; i < set->count;) {
		struct run owner = owner_run(set, i);
		if (!path_set(&path, records_get(set, i).owner, apex)) return false;
		if (i == 0 && path.depth > 0) return false;
		for (unsigned depth = paths_shared(&last, &path) + 1; depth < path.depth; depth++)
			plan_node(plan, NODE_OWNER + (size_t)path_name(&path, depth).len);
		size_t octets = NODE_OWNER + (size_t)path.name.len;
		for (; i < owner.to;) {
			struct run rrset = rrset_run(set, i, owner.to);
			octets += rrset_octets(set, rrset);
			i = rrset.to;
		}
		plan_node(plan, octets);
		last = path;
	}
	return plan->node_count > 0;
}

static size_t header_len(struct name apex)
{
	return round_up(HEADER_APEX + (size_t)apex.len, IMAGE_LINE);
}

/* Names fill 85 % of the slots: 10.2 of 12. */
static uint64_t bucket_count(const struct plan *plan)
{
	return (plan->node_count * 5 + 50) / 51;
}

/* The whole image's octets; 0 when places cannot reach them. */
static uint64_t image_len(const struct plan *plan, struct name apex)
{
	uint64_t len = header_len(apex) + bucket_count(plan) * IMAGE_LINE + plan->node_octets;

	return len <= IMAGE_OCTETS_MAX ? len : 0;
}

size_t image_size(const struct records *set, struct name apex)
{
	struct plan plan;

	assert(set->sorted);
	return plan_make(set, apex, &plan) ? image_len(&plan, apex) : 0;
}

struct build {
	const struct records *set;
	struct writer *out;
	size_t node_at[LABEL_COUNT_MAX + 1]; /* of the ancestors of the name at hand */
	struct path path;
};

static void write_zeros(struct writer *w, size_t len)
{
	uint8_t *p = writer_take(w, len);

	if (p) memset(p, 0, len);
}

static enum code misfit(const struct record *record, const char *what, struct error *err)
{
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];

	return error_set(err, E_CONFLICT, "%s %s %s: this set was not checked",
			 name_to_text(record->owner, owner), rrtype_to_text(record->type, type),
			 what);
}

/*
 * Where the compressible names of each record of a type stand: `count` in a row from
 * `at` on, as all types of RFC 1035 have them. Types without have none of both.
 */
static void names_find(const struct record *record, uint8_t *at, uint8_t *count)
{
	uint16_t offsets[RDATA_NAME_COUNT_MAX];
	size_t found = rdata_compressible_names(record->type, record->rdata, offsets);

	*at = found ? (uint8_t)offsets[0] : 0;
	*count = (uint8_t)found;
}

static enum code rrset_write(struct build *build, struct run run, struct error *err)
{
	struct record first = records_get(build->set, run.from);
	struct writer *out = build->out;
	uint8_t head[RRSET_DATA];

	if (run.to - run.from > UINT16_MAX)
		return misfit(&first, "has more than 65,535 records", err);
	store_u16(head, first.type);
	store_u16(head + RRSET_COUNT, (uint16_t)(run.to - run.from));
	store_u32(head + RRSET_TTL, first.ttl);
	store_u32(head + RRSET_DATA_LEN, (uint32_t)(rrset_octets(build->set, run) - RRSET_DATA));
	names_find(&first, &head[RRSET_NAME_AT], &head[RRSET_NAME_COUNT]);
	write_bytes(out, head, sizeof head);
	for (size_t i = run.from; i < run.to; i++) {
		struct record record = records_get(build->set, i);
		if (record.ttl != first.ttl) return misfit(&record, "has several TTLs", err);
		if (record.class != CLASS_IN) return misfit(&record, "is not of class IN", err);
		write_u16(out, (uint16_t)record.rdata.len);
		write_span(out, record.rdata);
	}
	return OK;
}

/* What the records of a name make of it. */
static uint8_t flags_of(uint16_t type, bool is_apex)
{
	if (type == RRTYPE_NS && !is_apex) return NODE_IS_CUT;
	return type == RRTYPE_DNAME ? NODE_HAS_DNAME : 0;
}

/* Writes the node of the path's name at `depth`; an empty run for an empty non-terminal. */
static enum code node_write(struct build *build, unsigned depth, struct run run, struct error *err)
{
	struct writer *out = build->out;
	struct name owner = path_name(&build->path, depth);
	size_t at = out->len;
	uint8_t head[NODE_OWNER] = {0};
	uint16_t rrset_count = 0;

	build->node_at[depth] = at;
	if (depth == 0)
		head[NODE_FLAGS] = NODE_IS_APEX;
	else if (name_is_wildcard(owner))
		out->ptr[build->node_at[depth - 1] + NODE_FLAGS] |= NODE_HAS_WILDCARD_CHILD;
	write_bytes(out, head, sizeof head);
	write_bytes(out, owner.wire, owner.len);
	for (size_t i = run.from; i < run.to; rrset_count++) {
		struct run rrset = rrset_run(build->set, i, run.to);
		head[NODE_FLAGS] |= flags_of(records_get(build->set, i).type, depth == 0);
		enum code code = rrset_write(build, rrset, err);
		if (code) return code;
		i = rrset.to;
	}
	write_zeros(out, round_up(out->len - at, IMAGE_UNIT) - (out->len - at));
	store_u32(head, (uint32_t)((out->len - at) / IMAGE_UNIT));
	store_u16(head + NODE_RRSET_COUNT, rrset_count);
	head[NODE_OWNER_LEN] = owner.len;
	if (!out->overflow) memcpy(out->ptr + at, head, sizeof head);
	return OK;
}

static enum code nodes_write(struct build *build, struct name apex, struct error *err)
{
	const struct records *set = build->set;
	struct path last;
	enum code code;

	for (size_t i = 0; i < set->count;) {
		struct run owner = owner_run(set, i);
		last = build->path;
		path_set(&build->path, records_get(set, i).owner, apex);
		unsigned depth = i == 0 ? 0 : paths_shared(&last, &build->path) + 1;
		for (; depth < build->path.depth; depth++)
			if ((code = node_write(build, depth, (struct run){0}, err))) return code;
		if ((code = node_write(build, depth, owner, err))) return code;
		i = owner.to;
	}
	return OK;
}

/* Tries seeds until every name has a place, and completes the header. */
static enum code image_finish(uint8_t *octets, struct image *image, struct error *err)
{
	size_t head_len = (size_t)image->buckets_at * IMAGE_UNIT;
	size_t index_len = (size_t)image->bucket_count * IMAGE_LINE;
	unsigned tries = 0;

	while (!image_index_fill(octets, image)) {
		if (++tries == SEEDS_MAX)
			return error_set(err, E_LIMIT,
					 "%u names found no room in the index under %u seeds",
					 image->node_count, tries);
		memset(octets + head_len, 0, index_len);
		image->seed++;
	}
	store_u64(octets + HEADER_SEED, image->seed);
	store_u64(
		octets + HEADER_BODY_CHECKSUM,
		image_checksum(span_of(image->bytes.ptr + head_len, image->bytes.len - head_len)));
	store_u64(octets + HEADER_CHECKSUM,
		  image_checksum(
			  span_of(octets + HEADER_BODY_CHECKSUM, head_len - HEADER_BODY_CHECKSUM)));
	return OK;
}

static void header_write(uint8_t *octets, const struct image *image)
{
	memcpy(octets + HEADER_MAGIC, IMAGE_MAGIC, HEADER_FORMAT - HEADER_MAGIC);
	store_u32(octets + HEADER_FORMAT, IMAGE_FORMAT);
	store_u32(octets + HEADER_LEN, image->buckets_at * IMAGE_UNIT);
	store_u64(octets + HEADER_IMAGE_LEN, image->bytes.len);
	store_u64(octets + HEADER_RECORD_COUNT, image->record_count);
	store_u64(octets + HEADER_DIGEST_COUNT, image->digest.count);
	memcpy(octets + HEADER_DIGEST_SUM, image->digest.sum, sizeof image->digest.sum);
	store_u32(octets + HEADER_SERIAL, image->serial);
	store_u32(octets + HEADER_BUCKET_COUNT, image->bucket_count);
	store_u32(octets + HEADER_NODE_COUNT, image->node_count);
	memcpy(octets + HEADER_APEX, image->apex.wire, image->apex.len);
}

enum code image_build(const struct records *set, struct name apex, uint64_t seed,
		      const struct zone_digest *digest, struct writer *out, struct error *err)
{
	struct build build = {.set = set, .out = out};
	struct plan plan;
	struct soa soa;
	char text[NAME_TEXT_MAX];
	enum code code;

	assert(set->sorted);
	if (!plan_make(set, apex, &plan) || !records_soa(set, apex, &soa))
		return error_set(err, E_CONFLICT,
				 "zone %s has no SOA or records outside of it: it was not checked",
				 name_to_text(apex, text));
	uint64_t len = image_len(&plan, apex);
	if (len == 0)
		return error_set(err, E_LIMIT, "the image of zone %s would be larger than 16 GiB",
				 name_to_text(apex, text));
	if (len > writer_room(out))
		return error_set(err, E_LIMIT,
				 "no room for the image of zone %s: %" PRIu64 " octets",
				 name_to_text(apex, text), len);

	size_t head_len = header_len(apex), index_len = (size_t)bucket_count(&plan) * IMAGE_LINE;
	uint8_t *octets = out->ptr + out->len;
	struct image image = {
		.bytes = span_of(octets, (size_t)len),
		.apex = apex,
		.serial = soa.serial,
		.record_count = set->count,
		.node_count = (uint32_t)plan.node_count,
		.digest = *digest,
		.seed = seed,
		.bucket_count = (uint32_t)bucket_count(&plan),
		.buckets_at = (uint32_t)(head_len / IMAGE_UNIT),
		.nodes_at = (uint32_t)((head_len + index_len) / IMAGE_UNIT),
		.nodes_end = (uint32_t)(len / IMAGE_UNIT),
	};
	write_zeros(out, head_len + index_len);
	header_write(octets, &image);
	if ((code = nodes_write(&build, apex, err))) return code;
	assert(out->ptr + out->len == octets + len);
	return image_finish(octets, &image, err);
}
