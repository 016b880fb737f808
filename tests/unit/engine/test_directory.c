/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "engine/front/directory.h"

#include <stdio.h>
#include <stdlib.h>

enum { ZONES = 300, STEPS = 20000 };

static const struct siphash_key key = {3, 4};

static struct directory *directory_of(size_t zone_count, unsigned reader_count)
{
	struct directory *directory = NULL;
	size_t size = directory_table_size(zone_count);

	CHECK(posix_memalign((void **)&directory, CACHE_LINE_OCTETS, sizeof *directory) == 0);
	directory_init(directory, key, reader_count, calloc(1, size), size);
	return directory;
}

static struct publication *publication_of(const char *text)
{
	struct publication *p = calloc(1, sizeof *p);
	struct name_buffer *name = calloc(1, sizeof *name);

	if (name_from_text(span_of_text(text), NULL, name, NULL)) fail_msg("%s is a name", text);
	p->name = name_of(name);
	publication_set_expire(p, INSTANT_NEVER);
	return p;
}

static void publication_free(struct publication *p)
{
	union {
		const uint8_t *wire;
		void *buffer;
	} owner = {.wire = p->name.wire - offsetof(struct name_buffer, wire)};

	free(owner.buffer);
	free(p);
}

/* Frees what may be freed; returns how many publications. */
static unsigned reap(struct directory *directory)
{
	struct publication *p;
	unsigned count = 0;
	void *table;

	while ((p = directory_reap(directory))) {
		publication_free(p);
		count++;
	}
	while ((table = directory_reap_table(directory))) free(table);
	return count;
}

static void directory_end(struct directory *directory)
{
	struct publication *p;
	uint64_t generation = atomic_load(&directory->serving);

	for (;;) {
		size_t at = 0;
		if (!(p = directory_next(directory, &at))) break;
		CHECK(directory_withdraw(directory, p->name, NULL) == OK);
	}
	directory_serve(directory, generation + 1);
	reap(directory);
	free(atomic_load(&directory->table));
	free(directory);
}

static struct publication *find(struct directory *directory, const char *text)
{
	struct name_buffer name;

	CHECK(name_from_text(span_of_text(text), NULL, &name, NULL) == OK);
	return directory_find(directory, name_of(&name));
}

TEST(the_longest_suffix_is_found_whatever_the_case)
{
	struct directory *d = directory_of(4, 1);
	struct publication *com = publication_of("example.com."),
			   *sub = publication_of("a.b.Example.com.");

	CHECK(find(d, "example.com.") == NULL);
	CHECK(directory_publish(d, com, NULL) == OK && directory_publish(d, sub, NULL) == OK);
	CHECK(find(d, "EXAMPLE.com.") == com);
	CHECK(find(d, "b.example.com.") == com);
	CHECK(find(d, "A.b.example.COM.") == sub);
	CHECK(find(d, "www.a.b.example.com.") == sub);
	CHECK(find(d, "com.") == NULL && find(d, ".") == NULL);
	struct publication *root = publication_of(".");
	CHECK(directory_publish(d, root, NULL) == OK);
	CHECK(find(d, "com.") == root && find(d, ".") == root && find(d, "xexample.com.") == root);
	CHECK(directory_find_exact(d, com->name) == com);
	CHECK(directory_find_exact(d, name_parent(com->name)) == NULL);
	directory_end(d);
}

TEST(a_name_of_127_labels_is_looked_up)
{
	struct directory *d = directory_of(4, 1);
	char text[2 * LABEL_COUNT_MAX + 1];

	for (int i = 0; i < LABEL_COUNT_MAX; i++) memcpy(text + 2 * i, "a.", 3);
	struct publication *deep = publication_of(text), *top = publication_of("a.");
	CHECK(directory_publish(d, deep, NULL) == OK && directory_publish(d, top, NULL) == OK);
	CHECK(find(d, text) == deep && find(d, text + 2) == top);
	CHECK(directory_withdraw(d, deep->name, NULL) == OK);
	CHECK(find(d, text) == top);
	directory_end(d);
}

TEST(a_full_table_says_so_and_a_larger_one_takes_over)
{
	struct directory *d = directory_of(1, 1);
	struct error err;
	char text[32];
	unsigned count = 0;

	for (;; count++) {
		snprintf(text, sizeof text, "z%u.test.", count);
		struct publication *p = publication_of(text);
		enum code code = directory_publish(d, p, &err);
		if (code == OK) continue;
		CHECK(code == E_LIMIT && find(d, text) == NULL);
		size_t size = directory_table_size(2 * count);
		CHECK(directory_resize(d, calloc(1, size), size, &err) == OK);
		CHECK(directory_publish(d, p, &err) == OK);
		break;
	}
	for (unsigned i = 0; i <= count; i++) {
		snprintf(text, sizeof text, "www.z%u.test.", i);
		CHECK(find(d, text) != NULL);
	}
	CHECK(directory_zone_count(d) == count + 1);
	size_t small = directory_table_size(1);
	void *memory = calloc(1, small);
	CHECK(directory_resize(d, memory, small, &err) == E_RANGE);
	free(memory);
	directory_end(d);
}

TEST(nothing_is_freed_before_every_reader_has_passed)
{
	struct directory *d = directory_of(4, 2);

	directory_publish(d, publication_of("test."), NULL);
	directory_serve(d, 1);
	directory_reader_begin(d, 0);
	struct publication *before = find(d, "test.");
	directory_publish(d, publication_of("test."), NULL);
	CHECK(reap(d) == 0 && directory_released(d) == 1);
	directory_serve(d, 2);
	CHECK(find(d, "test.") != before);
	CHECK(reap(d) == 0 && directory_released(d) == 1);
	directory_reader_begin(d, 1); /* one that came later holds nothing back */
	CHECK(reap(d) == 0 && directory_released(d) == 1);
	directory_reader_end(d, 0);
	CHECK(directory_released(d) == 2 && reap(d) == 1);
	directory_reader_end(d, 1);
	CHECK(reap(d) == 0);
	directory_end(d);
}

TEST(a_batch_that_ends_and_begins_anew_has_passed)
{
	struct directory *d = directory_of(4, 1);

	directory_reader_begin(d, 0);
	directory_publish(d, publication_of("test."), NULL);
	directory_publish(d, publication_of("test."), NULL);
	directory_serve(d, 5);
	CHECK(reap(d) == 0 && directory_released(d) == 0);
	directory_reader_begin(d, 0);
	CHECK(directory_released(d) == 5 && reap(d) == 1);
	directory_reader_end(d, 0);
	directory_end(d);
}

TEST(a_pin_keeps_a_version_and_no_other)
{
	struct directory *d = directory_of(4, 1);

	directory_publish(d, publication_of("a.test."), NULL);
	directory_publish(d, publication_of("b.test."), NULL);
	directory_serve(d, 1);
	directory_reader_begin(d, 0);
	struct publication *pinned = find(d, "a.test.");
	publication_pin(pinned);
	directory_reader_end(d, 0);
	directory_publish(d, publication_of("a.test."), NULL);
	directory_serve(d, 2);
	directory_publish(d, publication_of("b.test."), NULL);
	directory_publish(d, publication_of("a.test."), NULL);
	directory_serve(d, 3);
	CHECK(directory_released(d) == 1);
	CHECK(reap(d) == 2);
	CHECK(directory_released(d) == 1);
	publication_unpin(pinned);
	CHECK(directory_released(d) == 3 && reap(d) == 1);
	directory_end(d);
}

TEST(a_replaced_table_is_kept_for_those_who_read_it)
{
	struct directory *d = directory_of(4, 1);
	size_t size = directory_table_size(100);

	directory_serve(d, 1);
	directory_reader_begin(d, 0);
	CHECK(directory_resize(d, calloc(1, size), size, NULL) == OK);
	directory_serve(d, 2);
	CHECK(directory_reap_table(d) == NULL);
	directory_reader_end(d, 0);
	void *table = directory_reap_table(d);
	CHECK(table != NULL && directory_reap_table(d) == NULL);
	free(table);
	directory_end(d);
}

TEST(a_zone_expires_to_the_nanosecond)
{
	struct publication *p = publication_of("test.");

	publication_set_expire(p, 100);
	CHECK(!publication_is_expired(p, 99) && publication_is_expired(p, 100));
	publication_set_expire(p, INSTANT_NEVER);
	CHECK(!publication_is_expired(p, INSTANT_NEVER - 1));
	CHECK(!publication_is_loaded(p));
	publication_free(p);
}

/* Names of one to four labels out of three, so that they lie below each other. */
static void random_name(uint32_t random, struct name_buffer *out)
{
	unsigned labels = random % 5;

	random /= 5;
	out->len = 0;
	for (unsigned i = 0; i < labels; i++, random /= 4) {
		out->wire[out->len++] = 1;
		out->wire[out->len++] = (uint8_t)("abcD"[random % 4]);
	}
	out->wire[out->len++] = 0;
}

static const struct publication *model_find(struct publication *const *zones, struct name name)
{
	const struct publication *best = NULL;

	for (unsigned i = 0; i < ZONES; i++) {
		if (!zones[i] || !name_is_below(name, zones[i]->name)) continue;
		if (!best || zones[i]->name.len > best->name.len) best = zones[i];
	}
	return best;
}

static struct publication **model_place(struct publication **zones, struct name name)
{
	struct publication **empty = NULL;

	for (unsigned i = 0; i < ZONES; i++) {
		if (!zones[i])
			empty = &zones[i];
		else if (name_equal(zones[i]->name, name))
			return &zones[i];
	}
	return empty;
}

TEST(the_directory_finds_what_a_plain_list_finds)
{
	struct directory *d = directory_of(1, 1);
	struct publication *zones[ZONES] = {0};
	uint32_t seed = 11;

	for (uint32_t step = 0; step < STEPS; step++) {
		struct name_buffer name;
		seed = seed * 1664525 + 1013904223;
		random_name(seed >> 8, &name);
		struct publication **place = model_place(zones, name_of(&name));
		if (step % 8 == 0 && place) {
			char text[NAME_TEXT_MAX];
			struct publication *p = publication_of(name_to_text(name_of(&name), text));
			if (directory_publish(d, p, NULL) == E_LIMIT) {
				size_t size = directory_table_size(directory_zone_count(d) + 8);
				CHECK(directory_resize(d, calloc(1, size), size, NULL) == OK);
				CHECK(directory_publish(d, p, NULL) == OK);
			}
			*place = p;
		} else if (step % 8 == 1) {
			bool there = place && *place;
			enum code code = directory_withdraw(d, name_of(&name), NULL);
			CHECK(code == (there ? OK : E_NOT_FOUND));
			if (there) *place = NULL;
		}
		CHECK(directory_find(d, name_of(&name)) == model_find(zones, name_of(&name)));
		if (step % 64 == 63) {
			directory_serve(d, step);
			reap(d);
		}
	}
	directory_end(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_suffix_is_found_whatever_the_case),
		cmocka_unit_test(a_name_of_127_labels_is_looked_up),
		cmocka_unit_test(a_full_table_says_so_and_a_larger_one_takes_over),
		cmocka_unit_test(nothing_is_freed_before_every_reader_has_passed),
		cmocka_unit_test(a_batch_that_ends_and_begins_anew_has_passed),
		cmocka_unit_test(a_pin_keeps_a_version_and_no_other),
		cmocka_unit_test(a_replaced_table_is_kept_for_those_who_read_it),
		cmocka_unit_test(a_zone_expires_to_the_nanosecond),
		cmocka_unit_test(the_directory_finds_what_a_plain_list_finds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
