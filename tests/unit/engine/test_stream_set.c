/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "engine/stream/stream_set.h"

#include <stdalign.h>

enum { CAPACITY = 64, SOURCES = 7 };

static alignas(max_align_t) uint8_t memory[1 << 16];

static void set_of(struct stream_set *set, uint32_t capacity)
{
	CHECK(stream_set_size(capacity) <= sizeof memory);
	stream_set_init(set, capacity, memory, (struct siphash_key){1, 2});
}

static struct address address(const char *text)
{
	struct address a;

	CHECK(address_parse(span_of_text(text), &a));
	return a;
}

static uint32_t admitted(struct stream_set *set, const char *text)
{
	struct address a = address(text);
	struct stream_admission admission = stream_set_admit(set, &a, CAPACITY, CAPACITY);

	CHECK(admission.admitted);
	return admission.slot;
}

TEST(a_full_set_puts_out_the_idlest)
{
	struct stream_set set;
	struct address next = address("192.0.2.4");

	set_of(&set, 3);
	uint32_t a = admitted(&set, "192.0.2.1"), b = admitted(&set, "192.0.2.2");
	admitted(&set, "192.0.2.3");
	stream_set_touch(&set, a);
	struct stream_admission admission = stream_set_admit(&set, &next, 3, 3);
	CHECK(admission.admitted && admission.evicted == b);
	CHECK(set.count == 3);
}

TEST(a_proven_connection_is_not_put_out_by_strangers)
{
	struct stream_set set;
	struct address stranger = address("198.51.100.9"), same = address("192.0.2.1");

	set_of(&set, 2);
	uint32_t a = admitted(&set, "192.0.2.1"), b = admitted(&set, "192.0.2.1");
	stream_set_prove(&set, a);
	stream_set_prove(&set, b);
	CHECK(!stream_set_admit(&set, &stranger, 2, 2).admitted);
	CHECK(!stream_set_admit(&set, &same, 2, 2).admitted);
	CHECK(stream_set_idlest(&set) == STREAM_SLOT_NONE);
	stream_set_leave(&set, a);
	CHECK(stream_set_admit(&set, &stranger, 2, 2).slot == a);
}

TEST(a_source_at_its_cap_puts_out_its_own)
{
	struct stream_set set;
	struct address other = address("192.0.2.9"), source = address("2001:db8::1");

	set_of(&set, CAPACITY);
	admitted(&set, "192.0.2.9");
	uint32_t first = admitted(&set, "2001:db8::1");
	admitted(&set, "2001:db8::ffff:1"); /* the same /64 */
	struct stream_admission admission = stream_set_admit(&set, &source, CAPACITY, 2);
	CHECK(admission.admitted && admission.evicted == first);
	CHECK(stream_set_admit(&set, &other, CAPACITY, 2).evicted == STREAM_SLOT_NONE);
}

/* A plain list in order of age decides the same. */
struct model_entry {
	uint32_t slot;
	uint8_t source;
	bool proven;
};

struct model {
	struct model_entry entries[CAPACITY]; /* the idlest first */
	uint32_t count;
};

static void model_remove(struct model *model, uint32_t index)
{
	memmove(model->entries + index, model->entries + index + 1,
		(model->count - index - 1) * sizeof *model->entries);
	model->count--;
}

static uint32_t model_victim(const struct model *model, int source)
{
	for (uint32_t i = 0; i < model->count; i++) {
		const struct model_entry *entry = &model->entries[i];
		if (!entry->proven && (source < 0 || entry->source == source)) return i;
	}
	return model->count;
}

/* True when the newcomer is admitted; `victim` is an index or STREAM_SLOT_NONE. */
static bool model_admit(const struct model *model, uint8_t source, uint32_t max,
			uint32_t source_max, uint32_t *victim)
{
	uint32_t same = 0;

	*victim = STREAM_SLOT_NONE;
	for (uint32_t i = 0; i < model->count; i++) same += model->entries[i].source == source;
	if (same >= source_max)
		*victim = model_victim(model, source);
	else if (model->count >= max)
		*victim = model_victim(model, -1);
	return *victim == STREAM_SLOT_NONE || *victim < model->count;
}

static void model_step(struct model *model, struct stream_set *set, uint32_t random)
{
	uint8_t source = (uint8_t)(random / 16 % SOURCES);
	struct address a = address_of_ipv4((const uint8_t[]){192, 0, 2, source});
	uint32_t index = model->count ? random / 16 % model->count : 0, victim;

	if (random % 16 < 8) {
		uint32_t source_max = 4 + random % 16 * 2;
		bool expected = model_admit(model, source, CAPACITY, source_max, &victim);
		struct stream_admission got = stream_set_admit(set, &a, CAPACITY, source_max);
		CHECK(got.admitted == expected);
		if (!expected) return;
		CHECK((got.evicted == STREAM_SLOT_NONE) == (victim == STREAM_SLOT_NONE));
		if (victim != STREAM_SLOT_NONE) {
			CHECK(got.evicted == model->entries[victim].slot);
			model_remove(model, victim);
		}
		model->entries[model->count++] = (struct model_entry){got.slot, source, false};
	} else if (model->count == 0) {
		return;
	} else if (random % 16 < 12) {
		struct model_entry entry = model->entries[index];
		stream_set_touch(set, entry.slot);
		model_remove(model, index);
		model->entries[model->count++] = entry;
	} else if (random % 16 < 13) {
		stream_set_prove(set, model->entries[index].slot);
		model->entries[index].proven = true;
	} else {
		stream_set_leave(set, model->entries[index].slot);
		model_remove(model, index);
	}
}

TEST(the_set_decides_as_a_plain_list_does)
{
	struct stream_set set;
	struct model model = {.count = 0};
	uint32_t seed = 7;

	set_of(&set, CAPACITY);
	for (unsigned step = 0; step < 100000; step++) {
		seed = seed * 1664525 + 1013904223;
		model_step(&model, &set, seed >> 8);
		CHECK(set.count == model.count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_set_puts_out_the_idlest),
		cmocka_unit_test(a_proven_connection_is_not_put_out_by_strangers),
		cmocka_unit_test(a_source_at_its_cap_puts_out_its_own),
		cmocka_unit_test(the_set_decides_as_a_plain_list_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
