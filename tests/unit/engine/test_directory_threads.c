/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers look up while the writer replaces, withdraws, resizes and frees. A sanitizer
 * for addresses or threads sees what is freed too early; without one the marks do.
 */
#include "unit.h"

#include "engine/front/directory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { READERS = 3, ZONES = 40, STEPS = 40000, BATCH = 8, PINS_MAX = 4 };

#define MARK UINT32_C(0x600d600d)

/* `nodes_at` of the image carries the mark while the publication may be read. */
struct zone {
	struct publication publication;
	struct name_buffer name;
};

static struct directory *directory;
static struct name_buffer names[ZONES];
static _Atomic bool finished;
static _Atomic unsigned faults;

static void check(const struct publication *p)
{
	if (p && p->view.layers[0].nodes_at != MARK) atomic_fetch_add(&faults, 1);
}

static void drop_pins(struct publication **pins)
{
	for (size_t i = 0; i < PINS_MAX; i++) {
		check(pins[i]);
		if (pins[i]) publication_unpin(pins[i]);
		pins[i] = NULL;
	}
}

static void *read_all(void *argument)
{
	unsigned reader = (unsigned)(uintptr_t)argument;
	struct publication *pins[PINS_MAX] = {0};
	uint32_t seed = reader + 1;

	while (!atomic_load(&finished)) {
		directory_reader_begin(directory, reader);
		for (unsigned i = 0; i < BATCH; i++) {
			seed = seed * 1664525 + 1013904223;
			struct publication *p =
				directory_find(directory, name_of(&names[(seed >> 8) % ZONES]));
			check(p);
			if (!p || (seed >> 20) % 64 != 0 || pins[i % PINS_MAX]) continue;
			publication_pin(p);
			pins[i % PINS_MAX] = p;
		}
		directory_reader_end(directory, reader);
		if (seed >> 24 == 0) drop_pins(pins);
	}
	drop_pins(pins);
	return NULL;
}

static struct publication *new_zone(const struct name_buffer *name)
{
	struct zone *zone = calloc(1, sizeof *zone);

	zone->name = *name;
	zone->publication.name = name_of(&zone->name);
	zone->publication.view.layers[0].nodes_at = MARK;
	publication_set_expire(&zone->publication, INSTANT_NEVER);
	return &zone->publication;
}

static void reap(void)
{
	struct publication *p;
	void *table;

	while ((p = directory_reap(directory))) {
		p->view.layers[0].nodes_at = 0;
		free(p);
	}
	while ((table = directory_reap_table(directory))) free(table);
}

static void resize(size_t zone_count)
{
	size_t size = directory_table_size(zone_count);
	void *memory = calloc(1, size);

	if (directory_resize(directory, memory, size, NULL) != OK) free(memory);
}

static void write_all(void)
{
	uint32_t seed = 99;

	for (uint64_t step = 1; step <= STEPS; step++) {
		seed = seed * 1664525 + 1013904223;
		const struct name_buffer *name = &names[(seed >> 8) % ZONES];
		if (seed >> 28 < 4) {
			(void)directory_withdraw(directory, name_of(name), NULL);
		} else {
			struct publication *p = new_zone(name);
			if (directory_publish(directory, p, NULL) != OK) {
				resize(ZONES);
				CHECK(directory_publish(directory, p, NULL) == OK);
			}
		}
		if (step % 50 == 0) resize(step % 100 ? ZONES : 2 * ZONES);
		if (step % 3 == 0) directory_serve(directory, step);
		reap();
	}
}

TEST(readers_never_see_what_was_freed)
{
	pthread_t threads[READERS];
	void *memory = NULL;
	size_t size = directory_table_size(1);

	CHECK(posix_memalign(&memory, CACHE_LINE_OCTETS, sizeof *directory) == 0);
	directory = memory;
	directory_init(directory, (struct siphash_key){7, 8}, READERS, calloc(1, size), size);
	for (unsigned i = 0; i < ZONES; i++) {
		char text[32];
		snprintf(text, sizeof text, i % 2 ? "z%u." : "a.z%u.", i / 2);
		CHECK(name_from_text(span_of_text(text), NULL, &names[i], NULL) == OK);
	}
	for (unsigned i = 0; i < READERS; i++)
		CHECK(pthread_create(&threads[i], NULL, read_all, (void *)(uintptr_t)i) == 0);
	write_all();
	atomic_store(&finished, true);
	for (unsigned i = 0; i < READERS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(atomic_load(&faults) == 0);

	for (unsigned i = 0; i < ZONES; i++)
		(void)directory_withdraw(directory, name_of(&names[i]), NULL);
	directory_serve(directory, STEPS + 1);
	CHECK(directory_released(directory) == STEPS + 1);
	reap();
	CHECK(directory->retired == NULL && directory->retired_tables == NULL);
	free(atomic_load(&directory->table));
	free(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_never_see_what_was_freed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
