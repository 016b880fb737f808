/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of images are the zone that an image of all its records is, whatever changes and
 * merges made them; a change that is refused there is refused of the records, too; and
 * layers that are damaged lead nowhere outside of their octets.
 *
 * Input: one octet of mode, then steps. A step is an octet: below 0xe0 it brings or takes
 * away one record of a small zone, the others commit what came together with some of the
 * newest layers, or merge some of the oldest. In mode 1 two octets (how many places, and of
 * which layer) and then place and value of each damage stand before the steps; in mode 2 a
 * length and the two sides of a change.
 */
#include "fuzz.h"

#include "zone/change.h"
#include "zone/delta.h"
#include "zone/image_format.h"

#include <assert.h>
#include <stdlib.h>

enum { OWNER_COUNT = 16, VALUE_COUNT = 14, STEPS_MAX = 120, ARENA_MAX = 1 << 24 };

static const char *const owners[OWNER_COUNT] = {
	"example.",
	"a.example.",
	"b.a.example.",
	"*.a.example.",
	"x.*.a.example.",
	"*.example.",
	"c.example.",
	"d.c.example.",
	"e.d.c.example.",
	"f.e.d.c.example.",
	"00000000000000000000000000000000.example.",
	"1u000000000000000000000000000000.example.",
	"Vv000000000000000000000000000000.example.",
	"vv0.example.",
	"z.example.",
	"\\000.z.example.",
};

static const struct {
	uint16_t type;
	uint8_t len;
	char data[32];
} values[VALUE_COUNT] = {
	{RRTYPE_A, 4, "\300\0\2\1"},
	{RRTYPE_A, 4, "\300\0\2\2"},
	{RRTYPE_NS, 12, "\2ns\7example\0"},
	{RRTYPE_MX, 14, "\0\5\2ns\7example\0"},
	{RRTYPE_MX, 9, "\0\6\5other\0"},
	{RRTYPE_DNAME, 5, "\3new\0"},
	{RRTYPE_TXT, 3, "\2hi"},
	{RRTYPE_TXT, 1, "\0"},
	{RRTYPE_NSEC, 12, "\7example\0\0\1\x40"},
	{RRTYPE_NSEC, 15, "\1a\7example\0\0\2\x40\1"},
	{RRTYPE_NSEC3, 29, "\1\0\0\0\0\24hhhhhhhhhhhhhhhhhhhh\0\1\x40"},
	{RRTYPE_RRSIG, 24, "\0\1\15\1\0\0\1\54\1\1\1\1\1\1\1\1\1\1\1x\0sig"},
	{RRTYPE_RRSIG, 24, "\0\57\15\1\0\0\1\54\1\1\1\1\1\1\1\1\1\1\1x\0sig"},
	{RRTYPE_CNAME, 5, "\3new\0"},
};

struct zone {
	struct arena *arena;
	bool has[OWNER_COUNT][VALUE_COUNT];
	uint32_t serial;
	struct records set; /* what `view` should hold */
	struct view view;
	uint8_t *octets[VIEW_LAYERS_MAX]; /* of its layers; owned, each of its exact size */
};

static struct name owner_of(size_t i, struct name_buffer *buffer)
{
	assert(name_from_text(span_of_text(owners[i]), NULL, buffer, NULL) == OK);
	return name_of(buffer);
}

static void soa_add(const struct zone *zone, struct records *set, struct name apex)
{
	uint8_t data[43] = "\2ns\7example\0\1h\7example\0";
	struct record record = {apex, RRTYPE_SOA, CLASS_IN, 300, span_of(data, sizeof data)};

	put_u32(data + 23, zone->serial);
	assert(records_add(set, &record, (struct place){0}, NULL) == OK);
}

static void set_fill(const struct zone *zone, struct records *set)
{
	struct name_buffer buffer;

	records_init(set, zone->arena);
	soa_add(zone, set, owner_of(0, &buffer));
	for (size_t i = 0; i < OWNER_COUNT; i++)
		for (size_t j = 0; j < VALUE_COUNT; j++) {
			struct record record = {owner_of(i, &buffer), values[j].type, CLASS_IN, 300,
						span_of(values[j].data, values[j].len)};
			if (!zone->has[i][j]) continue;
			assert(rdata_check(record.type, record.rdata, NULL) == OK);
			assert(records_add(set, &record, (struct place){0}, NULL) == OK);
		}
	assert(records_sort(set, NULL) == OK);
}

static struct zone_digest digest_of(const struct zone *zone, const struct records *set)
{
	struct zone_digest digest = {.count = set->count};

	put_u32(digest.sum, zone->serial);
	return digest;
}

static struct span image_fresh(const struct zone *zone, const struct records *set)
{
	struct name_buffer apex;
	struct zone_digest digest = digest_of(zone, set);
	size_t len = image_size(set, owner_of(0, &apex));
	uint8_t *octets = arena_alloc(zone->arena, len);
	struct writer w = writer_of(octets, len);

	assert(octets && image_build(set, name_of(&apex), 7, &digest, &w, NULL) == OK);
	return writer_span(&w);
}

/* The newest layer, over those of the old ones that stay. */
static void layers_set(struct zone *zone, struct span newest, unsigned stay)
{
	struct span layers[VIEW_LAYERS_MAX];
	uint8_t *octets[VIEW_LAYERS_MAX] = {malloc(newest.len)};
	unsigned gone = zone->view.layer_count - stay;

	assert(octets[0]);
	memcpy(octets[0], newest.ptr, newest.len);
	layers[0] = span_of(octets[0], newest.len);
	for (unsigned i = 0; i < gone; i++) free(zone->octets[i]);
	for (unsigned i = 0; i < stay; i++) {
		octets[1 + i] = zone->octets[gone + i];
		layers[1 + i] = zone->view.layers[gone + i].bytes;
	}
	memcpy(zone->octets, octets, sizeof octets);
	assert(view_open(layers, 1 + stay, &zone->view, NULL) == OK);
}

/* As view_apply, but the layers that become one are the input's to choose. */
static enum code layer_make(const struct zone *zone, const struct change *change, unsigned newest,
			    struct span *out)
{
	struct image_facts facts = {change->to_serial, change->digest_after.count,
				    change->digest_after, 0};
	struct touches touches;
	struct merge merge;
	enum code code = touches_find(&zone->view, change, zone->arena, &touches, NULL);

	if (!code) code = merge_begin(&merge, &zone->view, newest, &touches, NULL);
	return code ? code : merge_write(&merge, &facts, zone->arena, out, NULL);
}

static void zone_commit(struct zone *zone, unsigned newest)
{
	struct records after;
	struct change change;
	struct span octets;

	if (newest > zone->view.layer_count) newest = zone->view.layer_count;
	if (newest == 0 && zone->view.layer_count == VIEW_LAYERS_MAX) newest = 1;
	zone->serial++;
	set_fill(zone, &after);
	assert(change_between(&zone->set, &after, zone->arena, &change, NULL) == OK);
	change.digest_after = digest_of(zone, &after);
	assert(layer_make(zone, &change, newest, &octets) == OK);
	layers_set(zone, octets, zone->view.layer_count - newest);
	zone->set = after;
}

static enum code base_make(const struct view *layers, struct writer *w)
{
	struct view_merge merge;
	enum code code = view_merge_begin(&merge, layers, w, NULL);

	while (!code && view_merge_step(&merge, 3, &code, NULL)) continue;
	return code;
}

static void zone_merge(struct zone *zone, unsigned oldest)
{
	struct span layers[VIEW_LAYERS_MAX];

	if (oldest > zone->view.layer_count) oldest = zone->view.layer_count;
	struct view lower = view_oldest(&zone->view, oldest);
	unsigned rest = zone->view.layer_count - oldest;
	size_t room = view_merge_room(&lower);
	struct writer w = writer_of(malloc(room), room);
	assert(w.ptr && base_make(&lower, &w) == OK);
	for (unsigned i = 0; i < oldest; i++) free(zone->octets[rest + i]);
	for (unsigned i = 0; i < rest; i++) layers[i] = zone->view.layers[i].bytes;
	layers[rest] = writer_span(&w);
	zone->octets[rest] = w.ptr;
	assert(view_open(layers, rest + 1, &zone->view, NULL) == OK);
}

static void nodes_agree(const struct node *a, const struct node *b)
{
	struct rrset_cursor x = {0}, y = {0};

	assert(!a->octets == !b->octets);
	if (!a->octets) return;
	assert(name_equal(a->owner, b->owner) && a->is_cut == b->is_cut);
	assert(a->has_dname == b->has_dname && !a->is_tombstone);
	assert(a->has_wildcard_child == b->has_wildcard_child);
	while (node_next_rrset(a, &x)) {
		assert(node_next_rrset(b, &y) && x.rrset.type == y.rrset.type);
		assert(span_equal(x.rrset.data, y.rrset.data));
	}
	assert(!node_next_rrset(b, &y));
}

static void chains_agree(const struct view *view, const struct view *fresh, struct name name)
{
	static const uint16_t types[] = {RRTYPE_NSEC, RRTYPE_NSEC3};
	struct node node, expected;

	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		bool found = view_chain_find(view, types[i], name, &node);
		assert(found == view_chain_find(fresh, types[i], name, &expected));
		if (found) nodes_agree(&node, &expected);
	}
}

static void zone_check_all(const struct zone *zone)
{
	struct span octets = image_fresh(zone, &zone->set);
	struct view_cursor walk = {0}, fresh_walk = {0};
	struct node node, expected;
	struct view fresh;

	assert(view_open(&octets, 1, &fresh, NULL) == OK);
	while (view_next(&fresh, &fresh_walk, &expected)) {
		assert(view_next(&zone->view, &walk, &node));
		nodes_agree(&node, &expected);
	}
	assert(!view_next(&zone->view, &walk, &node) && !walk.damaged);
	for (size_t i = 0; i < OWNER_COUNT; i++) {
		struct name_buffer buffer;
		struct view_lookup found, wanted;
		struct name name = owner_of(i, &buffer);
		view_find(&zone->view, name, &found);
		view_find(&fresh, name, &wanted);
		assert(found.result == wanted.result);
		nodes_agree(&found.node, &wanted.node);
		nodes_agree(&found.encloser, &wanted.encloser);
		chains_agree(&zone->view, &fresh, name);
	}
}

static void zone_run(struct zone *zone, struct reader *r)
{
	for (unsigned steps = 0; reader_left(r) && steps < STEPS_MAX; steps++) {
		uint8_t step = read_u8(r);
		if (step < OWNER_COUNT * VALUE_COUNT) {
			bool *has = &zone->has[step % OWNER_COUNT][step / OWNER_COUNT];
			*has = !*has;
			continue;
		}
		if (step & 16)
			zone_merge(zone, step % 3 + 1);
		else
			zone_commit(zone, step & 3);
		zone_check_all(zone);
	}
}

/* Nothing in it is true any more, but reading it harms nobody. */
static void damaged_read(const struct zone *zone)
{
	struct view_cursor walk = {0};
	struct records records;
	struct node node;
	size_t room = view_merge_room(&zone->view);
	uint8_t *octets = room <= ARENA_MAX ? malloc(room) : NULL;
	struct writer w = writer_of(octets, octets ? room : 0);

	while (view_next(&zone->view, &walk, &node)) {
		struct record_walk walked = {.node = &node};
		while (record_walk_next(&walked)) continue;
	}
	for (size_t i = 0; i < OWNER_COUNT; i++) {
		struct name_buffer buffer;
		struct view_lookup found;
		struct name name = owner_of(i, &buffer);
		view_find(&zone->view, name, &found);
		assert(found.result != VIEW_OUTSIDE);
		view_find_exact(&zone->view, name, &node);
		view_chain_find(&zone->view, RRTYPE_NSEC, name, &node);
		view_chain_find(&zone->view, RRTYPE_NSEC3, name, &node);
	}
	records_init(&records, zone->arena);
	enum code code = view_records(&zone->view, &records, NULL);
	assert(code == OK || code == E_DAMAGED || code == E_NOMEM);
	if (octets) code = base_make(&zone->view, &w);
	free(octets);
}

static void layer_sign(uint8_t *octets, size_t len)
{
	uint32_t head_len = load_u32(octets + HEADER_LEN);

	if (head_len < HEADER_APEX || head_len > len) return;
	store_u64(octets + HEADER_CHECKSUM,
		  image_checksum(
			  span_of(octets + HEADER_BODY_CHECKSUM, head_len - HEADER_BODY_CHECKSUM)));
}

static void damage_run(struct zone *zone, unsigned count, unsigned layer, struct reader damages)
{
	struct span layers[VIEW_LAYERS_MAX];
	struct records after;
	struct change change;
	struct span octets;

	layer %= zone->view.layer_count;
	size_t len = zone->view.layers[layer].bytes.len;
	for (unsigned i = 0; i < count; i++) {
		size_t at = read_u16(&damages) % len;
		zone->octets[layer][at] = read_u8(&damages);
	}
	layer_sign(zone->octets[layer], len);
	for (unsigned i = 0; i < zone->view.layer_count; i++)
		layers[i] = zone->view.layers[i].bytes;
	if (view_open(layers, zone->view.layer_count, &zone->view, NULL)) return;
	damaged_read(zone);
	zone->serial++;
	zone->has[9][0] = !zone->has[9][0];
	zone->has[1][1] = !zone->has[1][1];
	set_fill(zone, &after);
	assert(change_between(&zone->set, &after, zone->arena, &change, NULL) == OK);
	change.digest_after = digest_of(zone, &after);
	for (unsigned newest = 0; newest <= zone->view.layer_count; newest++)
		(void)layer_make(zone, &change, newest, &octets);
}

/* A change of any octets: what passes here passes there, and means the same. */
static void sides_run(struct zone *zone, struct span removed, struct span added)
{
	struct change change = {.from_serial = zone->serial, .removed = removed, .added = added};
	struct reader sides[2] = {reader_of(removed), reader_of(added)};
	uint64_t *counts[2] = {&change.removed_count, &change.added_count};
	struct records after, again;
	struct record record;
	struct view_update update;

	for (unsigned i = 0; i < 2; i++)
		while (record_read(&sides[i], &record)) {
			struct soa soa;
			++*counts[i];
			if (i && record.type == RRTYPE_SOA && soa_read(record.rdata, &soa))
				change.to_serial = soa.serial;
		}
	change.digest_after.count = zone->set.count - change.removed_count + change.added_count;
	if (view_apply(&zone->view, &change, 0, zone->arena, &update, NULL)) return;
	records_init(&after, zone->arena);
	records_init(&again, zone->arena);
	assert(change_apply(&zone->set, &change, &after, NULL) == OK);
	layers_set(zone, update.octets, update.stay);
	assert(view_records(&zone->view, &again, NULL) == OK);
	assert(after.count == again.count);
	for (size_t i = 0; i < after.count; i++) {
		struct record x = records_get(&after, i), y = records_get(&again, i);
		assert(record_compare(&x, &y) == 0 && x.ttl == y.ttl);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone zone = {.arena = arena_new(ARENA_MAX), .serial = 1};
	struct reader r = reader_of(span_of(data, size));
	unsigned mode = read_u8(&r) % 3;
	unsigned count = mode ? read_u8(&r) : 0, layer = mode == 1 ? read_u8(&r) : 0;
	struct span first = read_span(&r, mode == 1 ? 3u * count : count);
	struct span second = read_span(&r, mode == 2 ? read_u8(&r) : 0);

	assert(zone.arena);
	if (r.failed) goto out;
	set_fill(&zone, &zone.set);
	layers_set(&zone, image_fresh(&zone, &zone.set), 0);
	zone_run(&zone, &r);
	if (mode == 1) damage_run(&zone, count, layer, reader_of(first));
	if (mode == 2) sides_run(&zone, first, second);
out:
	for (unsigned i = 0; i < zone.view.layer_count; i++) free(zone.octets[i]);
	arena_free(zone.arena);
	return 0;
}
