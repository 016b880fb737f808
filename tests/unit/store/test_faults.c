/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The promise of section 4 against a disk that fails at every step in turn: nothing
 * that was acknowledged is lost, nothing that was refused is half there, and the
 * store takes changes again by itself once the disk does.
 */
#include "store/disk.h"

#include <unistd.h>

enum { ZONE_COUNT = 2, VERSION_COUNT = 8, LARGE = 600 };

static const char *const zone_names[ZONE_COUNT] = {"small.example.", "large.example."};

static struct stage stage;

/* What each version of each zone is, and what leads to it from the one before. */
static struct records *contents[ZONE_COUNT][VERSION_COUNT];
static struct change *changes[ZONE_COUNT][VERSION_COUNT];

/* What the store said of each zone: the last version it acknowledged, and one it was asked for. */
struct account {
	unsigned acknowledged;
	unsigned asked;
};

static struct account accounts[ZONE_COUNT];

static int set_up(void **state)
{
	(void)state;
	stage_begin(&stage);
	disk_begin(&stage);
	stage.options.row_max = 16 << 10; /* the large zone is a file */
	for (unsigned v = 1; v < VERSION_COUNT; v++) {
		contents[0][v] = zone_make(&stage, zone_names[0], v, v, 20 + v);
		contents[1][v] = zone_make(&stage, zone_names[1], v, v, LARGE);
		for (unsigned z = 0; v > 1 && z < ZONE_COUNT; z++)
			changes[z][v] = change_make(&stage, contents[z][v - 1], contents[z][v]);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	disk_mend();
	stage_end(&stage);
	disk_end();
	return 0;
}

static void begin_anew(void)
{
	stage_close(&stage);
	run("rm -rf %s/*%s%s", stage.path, "", "");
	memset(accounts, 0, sizeof accounts);
}

/* Asks for the zone's next version, as a snapshot or as a change. */
static enum code ask_next(unsigned z, bool snapshot)
{
	struct account *account = &accounts[z];
	unsigned v = account->asked = account->acknowledged + 1;
	enum code code = snapshot ? put_snapshot(&stage, zone_names[z], contents[z][v], v)
				  : put_change(&stage, zone_names[z], v, changes[z][v]);

	if (!code) account->acknowledged = v;
	return code;
}

static enum code add_zones(void)
{
	struct batch *batch = batch_make();

	for (unsigned z = 0; z < ZONE_COUNT; z++)
		CHECK(batch_add_zone(batch, key_of(zone_names[z]), &entry_config, &err) == OK);
	enum code code = commit(&stage, batch);
	return code == E_EXISTS ? OK : code;
}

static enum code fold_one(void)
{
	struct fetched *fetched = NULL;
	struct draft *draft = NULL;
	uint64_t after = 0;
	enum code code = store_fold_find(stage.store, &after, &fetched, &err);

	if (code) return code == E_NOT_FOUND ? OK : code;
	code = fold_draft(stage.store, fetched, stage.crypto, &draft, &err);
	if (!code) {
		struct batch *batch = batch_make();
		CHECK(batch_fold(batch, fetched, draft, &err) == OK);
		code = commit(&stage, batch);
	}
	fetched_free(fetched);
	return code;
}

/* One after another all that a store does; `done` counts those that went well. */
static enum code work(unsigned *done, void (*each)(void))
{
	enum code code = OK;

	for (; !code && *done < 12; *done += !code) {
		switch (*done) {
		case 0: code = add_zones(); break;
		case 1: code = ask_next(0, true); break;
		case 2: code = ask_next(1, true); break;
		case 3: code = ask_next(0, false); break;
		case 4: code = ask_next(1, false); break;
		case 5: code = fold_one(); break;
		case 6: code = store_checkpoint(stage.store, 0, &err); break;
		case 7: code = ask_next(0, false); break;
		case 8: code = ask_next(1, true); break;
		case 9: code = ask_next(0, true); break;
		case 10: code = ask_next(1, false); break;
		case 11: code = ask_next(0, false); break;
		default: break;
		}
		if (!code && each) each();
	}
	return code;
}

/* The store holds what it acknowledged, or at most what it was asked for beyond that. */
static void check_content(struct stage *at, bool exact)
{
	for (unsigned z = 0; z < ZONE_COUNT; z++) {
		struct arena *arena = arena_new((size_t)1 << 28);
		struct stored_version version = {0};
		struct records set = {0};
		enum code code =
			store_load(at->store, key_of(zone_names[z]), arena, &set, &version, &err);
		if (code && code != E_NOT_FOUND) print_error("%s\n", err.text);
		CHECK(code == OK || code == E_NOT_FOUND);
		unsigned found = code ? 0 : version.serial;
		if (found != accounts[z].acknowledged) CHECK(!exact && found == accounts[z].asked);
		if (found) CHECK(sets_equal(&set, contents[z][found]));
		if (found > accounts[z].acknowledged) accounts[z].acknowledged = found;
		arena_free(arena);
	}
}

/* A folder as it is on a disk whose power went: it opens, and holds what it must. */
static void check_folder(const char *path)
{
	struct stage other = {.crypto = stage.crypto, .arena = stage.arena};
	struct account before[ZONE_COUNT];

	memcpy(before, accounts, sizeof accounts);
	strcpy(other.path, stage.path);
	strcat(other.path, ".cut");
	folder_copy(path, other.path);
	other.options.path = other.path;
	/* Before its first commit a store may be as good as not there. */
	other.options.create_anew = !accounts[0].acknowledged && !accounts[1].acknowledged;
	stage_open(&other);
	check_content(&other, false);
	stage_close(&other);
	folder_delete(other.path);
	memcpy(accounts, before, sizeof accounts);
}

/* One run: the disk fails at the n-th step. False when the work was done before that. */
static bool run_with_fault(long n, bool for_good, bool tear, int number)
{
	enum recovery outcome;
	unsigned done = 0;

	begin_anew();
	disk_mend();
	stage_open(&stage);
	disk_break(n, for_good, tear, number);
	enum code code = work(&done, NULL);
	bool failed = disk.has_failed;
	if (code) {
		CHECK(code == E_IO && failed && err.text[0]);
		check_folder(stage.path);
	}
	if (code && for_good && !store_is_writable(stage.store)) {
		CHECK(store_recover(stage.store, &outcome, &err) != OK);
		CHECK(add_zone(&stage, "other.example.") == E_IO);
		CHECK(strstr(err.text, "the store waits for its disk"));
	}
	disk_mend();
	CHECK(store_recover(stage.store, &outcome, &err) == OK);
	CHECK(outcome != RECOVERED_BEHIND);
	check_content(&stage, outcome == RECOVERED_SAME);
	while (work(&done, NULL)) {
		/* What is there already, although it was refused, conflicts; the rest goes on. */
		CHECK(outcome == RECOVERED_AHEAD && err.code == E_CONFLICT);
		done++;
	}
	stage_close(&stage);
	stage_open(&stage);
	check_content(&stage, true);
	return failed;
}

static void fail_at_every_step(bool for_good, bool tear, int number)
{
	long n = 1;

	while (run_with_fault(n, for_good, tear, number)) n++;
	CHECK(n > 50);
}

TEST(any_step_may_fail_once)
{
	fail_at_every_step(false, false, EIO);
}

TEST(any_step_may_be_torn_and_the_disk_stay_broken)
{
	fail_at_every_step(true, true, EIO);
}

TEST(the_disk_may_be_full_at_any_step)
{
	fail_at_every_step(true, false, ENOSPC);
}

TEST(opening_may_fail_at_any_step)
{
	unsigned done = 0;
	long n = 1;

	begin_anew();
	stage_open(&stage);
	CHECK(work(&done, NULL) == OK);
	for (bool failed = true; failed; n++) {
		struct store *store = NULL;
		stage_close(&stage);
		disk.reads = true;
		disk_break(n, false, false, EIO);
		enum code code = store_open(&stage.options, stage.crypto, &store, &err);
		failed = disk.has_failed;
		CHECK(failed || code == OK);
		disk.reads = false;
		disk_mend();
		store_close(store);
		stage_open(&stage);
		check_content(&stage, true);
	}
	CHECK(n > 5);
}

TEST(a_read_that_fails_is_no_damage)
{
	unsigned done = 0;
	enum recovery outcome;

	begin_anew();
	stage_open(&stage);
	CHECK(work(&done, NULL) == OK);
	for (long n = 1;; n++) {
		stage_close(&stage);
		stage_open(&stage);
		disk.reads = true;
		disk_break(n, false, false, EIO);
		struct records *set = load(&stage, zone_names[1], NULL);
		bool failed = disk.has_failed;
		disk.reads = false;
		disk_mend();
		if (!failed) break;
		CHECK(!set && err.code == E_IO);
		CHECK(store_recover(stage.store, &outcome, &err) == OK);
		check_content(&stage, true);
	}
}

static uint32_t random_state;

static uint32_t random_next(void)
{
	random_state = random_state * 1664525 + 1013904223;
	return random_state >> 8;
}

/* A file after a power cut: each sector as it was synced, or as it was written since. */
static void sectors_mix(const char *name)
{
	char written[120], synced[120], sector[2][512];

	snprintf(written, sizeof written, "%s/%s", stage.path, name);
	snprintf(synced, sizeof synced, "%s.mix/%s", stage.path, name);
	int from = open(written, O_RDONLY), to = open(synced, O_RDWR);
	for (off_t at = 0; from >= 0 && to >= 0; at += 512) {
		ssize_t n = pread(from, sector[0], 512, at);
		if (n <= 0) break;
		if (random_next() % 2) CHECK(pwrite(to, sector[0], (size_t)n, at) == n);
	}
	close(from);
	close(to);
}

/* Two cuts: all that was not synced is gone; or any part of it. */
static void cut_power(void)
{
	char path[100];

	check_folder(disk.mirror);
	strcpy(path, stage.path);
	strcat(path, ".mix");
	for (int i = 0; i < 4; i++) {
		folder_copy(disk.mirror, path);
		sectors_mix("lockstep.db");
		sectors_mix("lockstep.db-wal");
		check_folder(path);
	}
	folder_delete(path);
}

TEST(what_was_acknowledged_survives_a_power_cut)
{
	unsigned done = 0;

	begin_anew();
	disk_mirror(&stage);
	stage_open(&stage);
	CHECK(work(&done, cut_power) == OK);
	CHECK(done == 12);
	folder_delete(disk.mirror);
	disk.mirror[0] = '\0';
}

/* The commit fails after the disk has all of it: it is refused, and it is there. */
TEST(a_refused_commit_that_is_there_after_all_is_announced)
{
	bool seen = false;

	for (long n = 1; n < 200 && !seen; n++) {
		enum recovery outcome;
		unsigned done = 0;
		begin_anew();
		disk_mend();
		stage_open(&stage);
		disk_break(n, false, false, EIO);
		enum code code = work(&done, NULL);
		disk_mend();
		CHECK(store_recover(stage.store, &outcome, &err) == OK);
		if (!code || outcome != RECOVERED_AHEAD) continue;
		check_content(&stage, false);
		seen = true;
	}
	CHECK(seen);
}

/* A disk that loses what it said it had: the next versions come as snapshots above it. */
TEST(a_disk_that_forgot_is_noticed_and_healed)
{
	char kept[100];
	enum recovery outcome;

	strcpy(kept, stage.path);
	strcat(kept, ".kept");
	begin_anew();
	stage_open(&stage);
	CHECK(add_zones() == OK && ask_next(0, true) == OK);
	folder_copy(stage.path, kept);
	CHECK(ask_next(0, false) == OK && ask_next(0, false) == OK);
	disk_break(1, false, false, EIO);
	CHECK(ask_next(0, false) == E_IO);
	disk_mend();
	run("cp %s/lockstep.db* %s/%s", kept, stage.path, "");
	CHECK(store_recover(stage.store, &outcome, &err) == OK);
	CHECK(outcome == RECOVERED_BEHIND);
	CHECK(ask_next(0, false) == E_CONFLICT);
	CHECK(put_snapshot(&stage, zone_names[0], contents[0][3], 3) == OK);
	accounts[0] = (struct account){3, 3};
	check_content(&stage, true);
	folder_delete(kept);
}

TEST(another_store_in_its_place_is_not_taken)
{
	enum recovery outcome;
	char path[120];

	begin_anew();
	stage_open(&stage);
	CHECK(add_zones() == OK);
	disk_break(1, false, false, EIO);
	CHECK(ask_next(0, true) == E_IO);
	disk_mend();
	strcpy(path, stage.path);
	strcat(path, "/lockstep.db");
	run("rm -f %s/lockstep.db-wal %s%s", stage.path, path, "");
	CHECK(store_recover(stage.store, &outcome, &err) == E_NOT_FOUND);
	CHECK(!store_is_writable(stage.store));
}

#define FAULT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(any_step_may_fail_once),
		FAULT_TEST(any_step_may_be_torn_and_the_disk_stay_broken),
		FAULT_TEST(the_disk_may_be_full_at_any_step),
		FAULT_TEST(opening_may_fail_at_any_step),
		FAULT_TEST(a_read_that_fails_is_no_damage),
		FAULT_TEST(what_was_acknowledged_survives_a_power_cut),
		FAULT_TEST(a_refused_commit_that_is_there_after_all_is_announced),
		FAULT_TEST(a_disk_that_forgot_is_noticed_and_healed),
		FAULT_TEST(another_store_in_its_place_is_not_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
