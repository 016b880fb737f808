/* SPDX-License-Identifier: Apache-2.0 */
#include "zone/fixture.h"

#include "zone/change.h"

static struct crypto *crypto;

static struct zone_digest digest_of_lines(const char *const *lines, size_t count)
{
	struct zone_digest digest = {0};

	for (size_t i = 0; i < count; i++) {
		struct name_buffer owner;
		uint8_t data[1024];
		struct record record;
		record_from_line(lines[i], &owner, data, sizeof data, &record);
		CHECK(zone_digest_add(&digest, crypto, &record));
	}
	return digest;
}

/* The digest of one record is SHA-256 over its canonical wire form (computed by sha256sum). */
TEST(one_record_gives_its_sha256)
{
	static const char *const lines[] = {"WWW.Example. 300 MX 10 Mail.Example.",
					    "www.example. 300 MX 10 mail.example."};
	char text[ZONE_DIGEST_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		struct zone_digest digest = digest_of_lines(&lines[i], 1);
		CHECK(digest.count == 1);
		assert_string_equal(zone_digest_print(&digest, text), "eece599152cc");
		CHECK(digest.sum[31] == 0x6d);
	}
}

TEST(every_part_of_a_record_counts)
{
	static const char *const lines[] = {
		"a.example. 1 A 192.0.2.1",
		"b.example. 1 A 192.0.2.1",
		"a.example. 2 A 192.0.2.1",
		"a.example. 1 A 192.0.2.2",
		"a.example. 1 TYPE65400 \\# 4 c0000201",
	};

	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		for (size_t k = 0; k < ARRAY_COUNT(lines); k++) {
			struct zone_digest a = digest_of_lines(lines + i, 1);
			struct zone_digest b = digest_of_lines(lines + k, 1);
			CHECK(zone_digest_equal(&a, &b) == (i == k));
		}
}

static void draw_record(uint64_t *seed, struct name_buffer *owner, uint8_t *data,
			struct record *out)
{
	char name[512], line[700];

	draw_name(seed, "example.", 5, name);
	snprintf(line, sizeof line, "%s %u MX %u %s", name, draw(seed, 9), draw(seed, 9), name);
	record_from_line(line, owner, data, 1024, out);
}

/* before - removed + added = after, in any order, with sums that carry and borrow far. */
TEST(sums_do_not_know_the_order)
{
	enum { COUNT = 40 };
	static struct name_buffer owners[COUNT];
	static uint8_t data[COUNT][1024];
	static struct record records[COUNT];

	for (uint64_t run = 0; run < 100; run++) {
		struct zone_digest up = {0}, down = {0}, half = {0};
		uint64_t seed = run;
		for (size_t i = 0; i < COUNT; i++)
			draw_record(&seed, &owners[i], data[i], &records[i]);
		for (size_t i = 0; i < COUNT; i++)
			CHECK(zone_digest_add(&up, crypto, &records[i]) &&
			      zone_digest_add(&down, crypto, &records[COUNT - 1 - i]));
		CHECK(zone_digest_equal(&up, &down) && up.count == COUNT);
		for (size_t i = 0; i < COUNT / 2; i++)
			CHECK(zone_digest_add(&half, crypto, &records[i]) &&
			      zone_digest_remove(&up, crypto, &records[COUNT - 1 - i]));
		CHECK(zone_digest_equal(&up, &half));
		for (size_t i = 0; i < COUNT / 2; i++)
			CHECK(zone_digest_remove(&up, crypto, &records[i]));
		CHECK(zone_digest_equal(&up, &(struct zone_digest){0}));
	}
}

TEST(the_sum_wraps_at_two_to_the_256)
{
	static const char *const line[] = {"a.example. 1 A 192.0.2.1"};
	struct zone_digest one = digest_of_lines(line, 1), below = one, zero = {0};
	struct name_buffer owner;
	uint8_t data[16];
	struct record record;

	record_from_line(line[0], &owner, data, sizeof data, &record);
	/* 2^256 - one, so that adding the record carries out of the top. */
	for (size_t i = 0; i < 32; i++) below.sum[i] = (uint8_t)~one.sum[i];
	for (size_t i = 32; i-- > 0 && ++below.sum[i] == 0;) continue;
	CHECK(zone_digest_add(&below, crypto, &record));
	CHECK(memcmp(below.sum, zero.sum, 32) == 0);
	CHECK(zone_digest_remove(&zero, crypto, &record));
	CHECK(zone_digest_add(&zero, crypto, &record));
	CHECK(zone_digest_equal(&zero, &(struct zone_digest){0}));
}

TEST(data_of_every_length_is_hashed_whole)
{
	static uint8_t data[RDATA_OCTETS_MAX];
	static const size_t lens[] = {0, 1, 400, 501, 502, 503, 600, 65534, 65535};
	struct name_buffer owner;
	struct record record = {
		.owner = name_in(&owner, "a.example."), .type = 65400, .class = CLASS_IN};

	for (size_t i = 0; i < ARRAY_COUNT(lens); i++) {
		struct zone_digest a = {0}, b = {0};
		record.rdata = span_of(data, lens[i]);
		CHECK(zone_digest_add(&a, crypto, &record));
		if (lens[i]) data[lens[i] - 1] ^= 1;
		CHECK(zone_digest_add(&b, crypto, &record));
		CHECK(zone_digest_equal(&a, &b) == (lens[i] == 0));
	}
}

static void run_backwards(void *context, size_t count, void (*part)(void *of, size_t i), void *of)
{
	(void)context;
	while (count > 0) part(of, --count);
}

static const struct parallel parallel = {run_backwards, NULL, 2};

/* DESIGN 7: a change costs only its own records. */
TEST(before_less_removed_plus_added_is_after)
{
	for (uint64_t run = 0; run < 300; run++) {
		struct arena *arena = arena_new(1 << 22);
		struct records before, after, removed, added;
		struct zone_digest digest, scratch;
		struct change change;
		uint64_t seed = run;
		records_init(&before, arena);
		records_init(&after, arena);
		records_init(&removed, arena);
		records_init(&added, arena);
		draw_zone(&before, &seed, 1);
		draw_zone(&after, &seed, 2);
		CHECK(change_between(&before, &after, arena, &change, NULL) == OK);
		CHECK(records_add_wire(&removed, change.removed, NULL) == OK);
		CHECK(records_add_wire(&added, change.added, NULL) == OK);
		CHECK(zone_digest_of(&before, crypto, &digest));
		for (size_t i = 0; i < removed.count; i++) {
			struct record record = records_get(&removed, i);
			CHECK(zone_digest_remove(&digest, crypto, &record));
		}
		for (size_t i = 0; i < added.count; i++) {
			struct record record = records_get(&added, i);
			CHECK(zone_digest_add(&digest, crypto, &record));
		}
		CHECK(zone_digest_of(&after, crypto, &scratch));
		CHECK(zone_digest_equal(&digest, &scratch));
		CHECK(zone_digest_of_parts(&after, crypto, &parallel, 1 + draw(&seed, 9), &digest));
		CHECK(zone_digest_equal(&digest, &scratch));
		arena_free(arena);
	}
}

static int start(void **state __attribute__((unused)))
{
	crypto = crypto_new(NULL);
	return crypto ? 0 : -1;
}

static int stop(void **state __attribute__((unused)))
{
	crypto_free(crypto);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_record_gives_its_sha256),
		cmocka_unit_test(every_part_of_a_record_counts),
		cmocka_unit_test(sums_do_not_know_the_order),
		cmocka_unit_test(the_sum_wraps_at_two_to_the_256),
		cmocka_unit_test(before_less_removed_plus_added_is_after),
		cmocka_unit_test(data_of_every_length_is_hashed_whole),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
