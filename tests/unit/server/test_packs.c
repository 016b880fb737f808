/* SPDX-License-Identifier: Apache-2.0 */
/* Images in files: what was written is read, and nothing that is not whole is believed. */
#include "unit.h"

#include "server/keeper/packs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NUMBER = 7, ITEMS = 3, LARGE = (3 << 20) + 17 };

static char path[64];
static struct folder *folder;
static struct pack_item items[ITEMS];
static uint8_t large[LARGE];

struct faults {
	unsigned steps, fails_at;
	bool is_over; /* every step after it fails too: the disk is gone */
};

static int fault(void *context, enum file_step step, const char *name)
{
	struct faults *faults = context;

	(void)step;
	(void)name;
	faults->steps++;
	if (faults->steps == faults->fails_at) return 28;
	return faults->is_over && faults->steps > faults->fails_at ? 5 : 0;
}

static int begin(void **state)
{
	static const uint8_t names[ITEMS][7] = {"\1a\3net", "\1b\3net", "\1c\3net"};
	static uint8_t small[100];

	(void)state;
	strcpy(path, "/tmp/lockstep-packs-XXXXXX");
	assert_non_null(mkdtemp(path));
	assert_int_equal(folder_open(path, &folder, NULL), OK);
	for (size_t i = 0; i < LARGE; i++) large[i] = (uint8_t)(i * 31 + (i >> 8));
	memset(small, 's', sizeof small);
	for (size_t i = 0; i < ITEMS; i++)
		items[i] = (struct pack_item){
			.entry = {.zone = {.wire = names[i], .len = 7},
				  .seq = 10 + i,
				  .serial = (uint32_t)(100 + i),
				  .digest = {.count = i, .sum = {(uint8_t)i}}},
			.image = i == 1 ? span_of(large, LARGE) : span_of(small, 40 + i),
		};
	return 0;
}

static enum code remove_it(void *context, const char *name, struct error *err)
{
	(void)context;
	return folder_remove(folder, name, err);
}

static int end(void **state)
{
	(void)state;
	folder_set_fault(folder, NULL, NULL);
	assert_int_equal(folder_list(folder, remove_it, NULL, NULL), OK);
	folder_close(folder);
	return rmdir(path);
}

static enum code count_it(void *context, const char *name, struct error *err)
{
	(void)name;
	(void)err;
	++*(size_t *)context;
	return OK;
}

static size_t file_count(void)
{
	size_t count = 0;

	assert_int_equal(folder_list(folder, count_it, &count, NULL), OK);
	return count;
}

TEST(what_was_packed_is_found)
{
	struct pack_entry entry;
	struct pack pack;
	size_t at = 0;

	assert_int_equal(pack_write(folder, NUMBER, items, ITEMS, NULL), OK);
	assert_int_equal(pack_open(folder, NUMBER, &pack, NULL), OK);
	for (size_t i = 0; i < ITEMS; i++) {
		assert_true(pack_next(&pack, &at, &entry));
		CHECK(name_equal(entry.zone, items[i].entry.zone));
		CHECK(entry.seq == 10 + i && entry.serial == 100 + i);
		CHECK(zone_digest_equal(&entry.digest, &items[i].entry.digest));
		CHECK(entry.offset % PACK_ALIGNMENT == 0 && entry.len == items[i].image.len);
		CHECK(memcmp(pack.map.ptr + entry.offset, items[i].image.ptr, entry.len) == 0);
		CHECK(entry.checksum == pack_checksum(items[i].image));
		CHECK(!pack_check(pack.file, entry.offset, entry.len, entry.checksum, NULL));
	}
	CHECK(!pack_next(&pack, &at, &entry));
	pack_close(&pack);
}

TEST(a_name_is_never_used_twice)
{
	assert_int_equal(pack_write(folder, NUMBER, items, ITEMS, NULL), OK);
	assert_int_equal(pack_write(folder, NUMBER, items, 1, NULL), E_EXISTS);
	CHECK(file_count() == 1);
}

TEST(names_of_packs_and_of_nothing_else)
{
	char name[PACK_NAME_MAX];
	uint64_t number;

	CHECK(pack_number(pack_name(UINT64_MAX - 1, name), &number) && number == UINT64_MAX - 1);
	CHECK(!pack_number("pack-", &number) && !pack_number("pack-12", &number));
	CHECK(!pack_number("pack-00000000000000001", &number));
	CHECK(!pack_number("back-0000000000000001", &number));
	CHECK(!pack_number("pack-000000000000000g", &number) && !pack_number("", &number));
}

static void poke(uint64_t offset, uint8_t with)
{
	char name[PACK_NAME_MAX], whole[128];

	snprintf(whole, sizeof whole, "%s/%s", path, pack_name(NUMBER, name));
	int fd = open(whole, O_RDWR);
	uint8_t octet;
	assert_int_equal(pread(fd, &octet, 1, (off_t)offset), 1);
	octet ^= with;
	assert_int_equal(pwrite(fd, &octet, 1, (off_t)offset), 1);
	close(fd);
}

TEST(an_image_that_was_altered_does_not_match)
{
	struct pack pack;

	assert_int_equal(pack_write(folder, NUMBER, items, ITEMS, NULL), OK);
	const struct pack_entry *entry = &items[1].entry;
	for (uint64_t at = 0; at < LARGE; at += LARGE / 4 - 1) {
		poke(entry->offset + at, 1);
		assert_int_equal(pack_open(folder, NUMBER, &pack, NULL), OK);
		CHECK(pack_check(pack.file, entry->offset, entry->len, entry->checksum, NULL) ==
		      E_DAMAGED);
		CHECK(!pack_check(pack.file, items[2].entry.offset, items[2].entry.len,
				  items[2].entry.checksum, NULL));
		pack_close(&pack);
		poke(entry->offset + at, 1);
	}
}

/* Every octet of header, table and footer that says something is proven. */
TEST(a_table_that_was_altered_is_not_read)
{
	struct pack pack;
	uint64_t len;

	assert_int_equal(pack_write(folder, NUMBER, items, ITEMS, NULL), OK);
	assert_int_equal(pack_open(folder, NUMBER, &pack, NULL), OK);
	uint64_t table_at = (uint64_t)(pack.table.ptr - pack.map.ptr);
	len = pack.map.len;
	size_t table_len = pack.table.len;
	pack_close(&pack);
	for (uint64_t at = 0; at < len; at++) {
		if (at == 20) at = table_at;
		if (at == table_at + table_len) at = len - PACK_ALIGNMENT;
		poke(at, 0x40);
		enum code code = pack_open(folder, NUMBER, &pack, NULL);
		CHECK(code == E_DAMAGED || (at < 20 && code == E_UNSUPPORTED));
		CHECK(!pack.file && !pack.map.ptr);
		poke(at, 0x40);
	}
	assert_int_equal(pack_open(folder, NUMBER, &pack, NULL), OK);
	pack_close(&pack);
}

TEST(a_pack_that_was_cut_off_is_not_read)
{
	char name[PACK_NAME_MAX], whole[128];
	struct pack pack;

	items[1].image.len = 200;
	assert_int_equal(pack_write(folder, NUMBER, items, ITEMS, NULL), OK);
	assert_int_equal(pack_open(folder, NUMBER, &pack, NULL), OK);
	off_t len = (off_t)pack.map.len;
	pack_close(&pack);
	snprintf(whole, sizeof whole, "%s/%s", path, pack_name(NUMBER, name));
	while (len-- > 0) {
		assert_int_equal(truncate(whole, len), 0);
		assert_int_equal(pack_open(folder, NUMBER, &pack, NULL), E_DAMAGED);
	}
}

/* Whatever step fails first, nothing is there that would be believed. */
TEST(a_disk_that_fails_leaves_no_pack)
{
	struct faults faults = {0};
	struct pack pack;
	unsigned steps;

	folder_set_fault(folder, fault, &faults);
	assert_int_equal(pack_write(folder, NUMBER, items, ITEMS, NULL), OK);
	steps = faults.steps;
	CHECK(steps > 6);
	assert_int_equal(folder_remove(folder, "pack-0000000000000007", NULL), OK);
	for (unsigned at = 1; at <= steps; at++)
		for (int is_over = 0; is_over < 2; is_over++) {
			faults = (struct faults){.fails_at = at, .is_over = is_over};
			assert_int_equal(pack_write(folder, NUMBER, items, ITEMS, NULL), E_IO);
			faults = (struct faults){0};
			if (!is_over)
				CHECK(file_count() == 0);
			else if (at < steps && pack_open(folder, NUMBER, &pack, NULL) == OK)
				pack_close(&pack); /* only the last sync is missing: it is whole */
			assert_int_equal(folder_remove(folder, "pack-0000000000000007", NULL), OK);
		}
}

/* Before the footer is written, the octets that it vouches for are on the disk. */
TEST(a_pack_has_no_end_before_its_octets_are_on_the_disk)
{
	struct faults faults = {0};
	struct pack pack;
	unsigned sync_at = 0;

	folder_set_fault(folder, fault, &faults);
	for (unsigned at = 1; !sync_at; at++) {
		faults = (struct faults){.fails_at = at, .is_over = true};
		enum code code = pack_write(folder, NUMBER, items, ITEMS, NULL);
		faults = (struct faults){0};
		assert_int_equal(code, E_IO);
		if (file_count() && pack_open(folder, NUMBER, &pack, NULL) == OK) {
			pack_close(&pack);
			sync_at = at;
		}
		(void)!folder_remove(folder, "pack-0000000000000007", NULL);
	}
	/* create, writes, sync, footer: the first failure that leaves a whole file is after it. */
	CHECK(sync_at > 5);
}

#define PACK_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PACK_TEST(what_was_packed_is_found),
		PACK_TEST(a_name_is_never_used_twice),
		PACK_TEST(names_of_packs_and_of_nothing_else),
		PACK_TEST(an_image_that_was_altered_does_not_match),
		PACK_TEST(a_table_that_was_altered_is_not_read),
		PACK_TEST(a_pack_that_was_cut_off_is_not_read),
		PACK_TEST(a_disk_that_fails_leaves_no_pack),
		PACK_TEST(a_pack_has_no_end_before_its_octets_are_on_the_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
