/* SPDX-License-Identifier: Apache-2.0 */
/* image_fixture.h - images of small zones, and what a name means in them, the plainest way. */
#ifndef TESTS_UNIT_ZONE_IMAGE_FIXTURE_H
#define TESTS_UNIT_ZONE_IMAGE_FIXTURE_H

#include "zone/fixture.h"

#include "zone/image.h"
#include "zone/view.h"

/* The view of one image. */
#define VIEW_OF(image) ((struct view){.layers = {*(image)}, .layer_count = 1})

/* The image of a sorted set, in its arena. */
static inline struct image image_of(const struct records *set, const char *apex_text, uint64_t seed)
{
	struct name_buffer buffer;
	struct name apex = name_in(&buffer, apex_text);
	struct zone_digest digest = {.count = set->count, .sum = {1, 2, 3}};
	struct image image;
	struct error err;

	size_t len = image_size(set, apex);
	CHECK(len > 0);
	uint8_t *octets = arena_alloc(set->arena, len);
	CHECK(octets != NULL);
	struct writer w = writer_of(octets, len);
	if (image_build(set, apex, seed, &digest, &w, &err)) fail_msg("%s", err.text);
	CHECK(w.len <= len);
	if (image_open(writer_span(&w), &image, &err)) fail_msg("%s", err.text);
	return image;
}

/* A sorted zone in which names meet, ends and aliases collide and RRsets have one TTL. */
static inline void draw_odd_zone(struct records *set, uint64_t *seed, const char *apex,
				 unsigned records, unsigned depth)
{
	static const char *const data[] = {
		"1 A 192.0.2.1",   "1 A 192.0.2.2",  "1 A 192.0.2.3",     "2 NS ns.example.",
		"2 NS a.example.", "3 DNAME other.", "4 MX 5 B.example.", "5 TXT x",
		"5 TXT y",         "6 CNAME other.",
	};
	char owner[512], line[600];

	snprintf(line, sizeof line, "%s 9 SOA Ns.example. h.example. 42 2 3 4 5", apex);
	add_line(set, line, 1);
	for (uint32_t i = draw(seed, records); i > 0; i--) {
		draw_name(seed, strcmp(apex, ".") == 0 ? "" : apex, depth, owner);
		if (!*owner) strcpy(owner, ".");
		snprintf(line, sizeof line, "%s %s", owner, data[draw(seed, ARRAY_COUNT(data))]);
		add_line(set, line, 1);
	}
	CHECK(records_sort(set, NULL) == OK);
}

/* RFC 1034 4.3.2 and RFC 4592 over a list of records that is read from its start each time. */
struct meaning {
	enum view_result result;
	struct name node, encloser; /* len 0: none */
};

static inline bool owns(const struct records *set, struct name name, uint16_t type)
{
	for (size_t i = 0; i < set->count; i++) {
		struct record record = records_get(set, i);
		if (name_equal(record.owner, name) && record.type == type) return true;
	}
	return false;
}

static inline bool exists(const struct records *set, struct name name)
{
	for (size_t i = 0; i < set->count; i++)
		if (name_is_below(records_get(set, i).owner, name)) return true;
	return false;
}

/* `wildcard` holds the name of the source of synthesis for the caller. */
static inline struct meaning meaning_of(const struct records *set, struct name apex,
					struct name name, struct name_buffer *wildcard)
{
	struct meaning m = {.result = VIEW_OUTSIDE};

	if (!name_is_below(name, apex)) return m;
	unsigned below = name_label_count(name) - name_label_count(apex);
	for (unsigned up = below + 1; up-- > 0;) {
		struct name at = name_without_labels(name, up);
		m.node = at;
		m.result = VIEW_CUT;
		if (up < below && owns(set, at, RRTYPE_NS)) return m;
		m.result = VIEW_DNAME;
		if (up > 0 && owns(set, at, RRTYPE_DNAME)) return m;
	}
	m.result = VIEW_EXACT;
	if (exists(set, name)) return m;
	m.encloser = name;
	while (!exists(set, m.encloser)) m.encloser = name_parent(m.encloser);
	m.result = VIEW_NOTHING;
	m.node.len = 0;
	if (!name_wildcard_child(m.encloser, wildcard) || !exists(set, name_of(wildcard))) return m;
	m.result = VIEW_WILDCARD;
	m.node = name_of(wildcard);
	return m;
}

#endif
