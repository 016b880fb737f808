/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.h - sets of records for tests: from lines of text, or drawn by a seed. */
#ifndef TESTS_UNIT_ZONE_FIXTURE_H
#define TESTS_UNIT_ZONE_FIXTURE_H

#include "unit.h"

#include "zone/records.h"

#include <stdio.h>

/* The same numbers on every machine, so a failure can be seen again. */
static inline uint32_t draw(uint64_t *state, uint32_t below)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ z >> 31) >> 16) % below;
}

static inline struct name name_in(struct name_buffer *buffer, const char *text)
{
	struct name root = name_root();

	CHECK(name_from_text(span_of_text(text), &root, buffer, NULL) == OK);
	return name_of(buffer);
}

/* "OWNER TTL TYPE DATA...", names relative to the root, words parted by one space. */
static inline void record_from_line(const char *line, struct name_buffer *owner, uint8_t *data,
				    size_t data_cap, struct record *out)
{
	struct token words[32];
	size_t count = 0;

	for (const char *p = line; *p;) {
		size_t len = strcspn(p, " ");
		CHECK(count < 32);
		words[count++] = (struct token){.text = p, .len = (uint32_t)len};
		p += len + (p[len] == ' ');
	}
	CHECK(count >= 4);
	struct name root = name_root();
	CHECK(name_from_text(span_of(words[0].text, words[0].len), &root, owner, NULL) == OK);
	*out = (struct record){.owner = name_of(owner), .class = CLASS_IN};
	for (uint32_t i = 0; i < words[1].len; i++)
		out->ttl = out->ttl * 10 + (uint32_t)(words[1].text[i] - '0');
	CHECK(rrtype_from_text(span_of(words[2].text, words[2].len), &out->type));
	struct writer w = writer_of(data, data_cap);
	struct error err;
	size_t bad;
	if (rdata_from_tokens(out->type, words + 3, count - 3, root, &w, &bad, &err))
		fail_msg("%s: %s", line, err.text);
	out->rdata = writer_span(&w);
}

/* Line `n` of the file "test.zone"; 0: from nowhere. */
static inline void add_line(struct records *set, const char *line, uint32_t n)
{
	struct name_buffer owner;
	uint8_t data[1024];
	struct record record;

	record_from_line(line, &owner, data, sizeof data, &record);
	CHECK(records_add(set, &record, (struct place){.file = "test.zone", .line = n}, NULL) ==
	      OK);
}

static inline void add_lines(struct records *set, const char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) add_line(set, lines[i], (uint32_t)i + 1);
}

static inline void print_line(const struct records *set, size_t i, char *out, size_t cap)
{
	struct record record = records_get(set, i);
	struct writer w = writer_of(out, cap - 1);

	record_print(&record, &w);
	out[w.len] = '\0';
}

/* Both sets hold the same records to the letter, in the same order. */
static inline bool sets_identical(const struct records *a, const struct records *b)
{
	if (a->count != b->count || a->wire_len != b->wire_len) return false;
	for (size_t i = 0; i < a->count; i++) {
		struct record x = records_get(a, i), y = records_get(b, i);
		size_t len = record_len(&x);
		if (len != record_len(&y) ||
		    memcmp(a->entries[i].wire, b->entries[i].wire, len) != 0)
			return false;
	}
	return true;
}

/* A name at most `depth` labels below `apex`, of few labels, so that names meet often. */
static inline void draw_name(uint64_t *seed, const char *apex, unsigned depth, char *out)
{
	static const char *const labels[] = {"a", "b", "*", "A", "a-1", "\\000", "\\001x"};
	unsigned count = draw(seed, depth + 1);

	*out = '\0';
	for (unsigned i = 0; i < count; i++) {
		strcat(out, labels[draw(seed, draw(seed, 8) ? 3 : ARRAY_COUNT(labels))]);
		strcat(out, ".");
	}
	strcat(out, apex);
}

/* A sorted zone "example." of at most 60 records below its SOA. */
static inline void draw_zone(struct records *set, uint64_t *seed, uint32_t serial)
{
	char owner[512], line[700];

	snprintf(line, sizeof line, "example. 1 SOA ns.example. h.example. %u 2 3 4 5", serial);
	add_line(set, line, 1);
	for (uint32_t i = draw(seed, 60); i > 0; i--) {
		draw_name(seed, "example.", 3, owner);
		snprintf(line, sizeof line, "%s %u %s 192.0.2.%u", owner, draw(seed, 2) + 1,
			 draw(seed, 4) ? "A" : "TXT", draw(seed, 3));
		add_line(set, line, 1);
	}
	CHECK(records_sort(set, NULL) == OK);
}

#endif
