/* SPDX-License-Identifier: Apache-2.0 */
#include "store/stage.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>

static struct stage stage;

static int set_up(void **state)
{
	(void)state;
	stage_begin(&stage);
	stage_open(&stage);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stage_end(&stage);
	return 0;
}

/* Runs SQL on the closed store's file, as damage or as another program. */
static void meddle(const char *sql)
{
	char path[100], *why = NULL;
	sqlite3 *db = NULL;

	snprintf(path, sizeof path, "%s/lockstep.db", stage.path);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) print_error("%s\n", why);
	CHECK(!why);
	sqlite3_close(db);
}

/* ---- damage ---- */

TEST(damage_is_named_and_hurts_one_zone_only)
{
	static const struct {
		const char *sql, *words;
	} rows[] = {
		{"UPDATE snapshots SET body = CAST(replace(body, '10.0', '11.0') AS BLOB)",
		 "its snapshot does not match its checksum"},
		{"UPDATE snapshots SET octets = octets + 1", "does not match its checksum"},
		{"DELETE FROM snapshots", "its snapshot is missing"},
		{"UPDATE changes SET body = zeroblob(length(body)) WHERE seq = 2",
		 "change 1 to 2 does not match its checksum"},
		{"UPDATE changes SET octets = 1 << 40 WHERE seq = 2",
		 "change 1 to 2 does not match its checksum"},
		{"UPDATE changes SET removed_octets = octets + 1 WHERE seq = 2",
		 "change 1 to 2 does not match its checksum"},
		{"DELETE FROM changes WHERE seq = 2", "does not match its checksum"},
		{"DELETE FROM changes WHERE seq = 3",
		 "version 3 is not what its snapshot and changes lead to"},
		{"UPDATE versions SET reason = 'x' WHERE seq = 2",
		 "change 1 to 2 does not match its checksum"},
		{"UPDATE versions SET digest_sum = zeroblob(32) WHERE seq = 1",
		 "change 1 to 2 does not lead to its digest"},
		{"UPDATE versions SET serial = 9 WHERE seq = 1",
		 "change 1 to 2 does not follow the version before it"},
		{"UPDATE zones SET head_seq = 2",
		 "version 2 is not what its snapshot and changes lead to"},
	};
	struct records *one = zone_make(&stage, "a.example.", 1, 1, 20);
	struct records *two = zone_make(&stage, "a.example.", 2, 2, 20);
	struct records *three = zone_make(&stage, "a.example.", 3, 3, 20);
	char copy[100];

	CHECK(add_zone(&stage, "a.example.") == OK);
	CHECK(put_snapshot(&stage, "a.example.", one, 1) == OK);
	CHECK(put_change(&stage, "a.example.", 2, change_make(&stage, one, two)) == OK);
	CHECK(put_change(&stage, "a.example.", 3, change_make(&stage, two, three)) == OK);
	stage_close(&stage);
	snprintf(copy, sizeof copy, "%s.whole", stage.path);
	folder_copy(stage.path, copy);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		folder_copy(copy, stage.path);
		meddle(rows[i].sql);
		stage_open(&stage);
		struct records *back = load(&stage, "a.example.", NULL);
		if (!back && !strstr(err.text, rows[i].words)) print_error("%s\n", err.text);
		CHECK(!back && err.code == E_DAMAGED && strstr(err.text, rows[i].words));
		CHECK(strstr(err.text, "zone a.example.: ") && strstr(err.text, "backup"));
		struct records *other = zone_make(&stage, "b.example.", 1, 1, 3);
		CHECK(add_zone(&stage, "b.example.") == OK);
		CHECK(put_snapshot(&stage, "b.example.", other, 1) == OK);

		/* A version that comes whole heals the zone; its serial was not forgotten. */
		CHECK(put_snapshot(&stage, "a.example.", three, 4) == OK);
		back = load(&stage, "a.example.", NULL);
		CHECK(back && sets_equal(back, three));
		stage_close(&stage);
	}
	folder_delete(copy);
}

/* Every octet of a change's row counts. */
TEST(any_octet_of_a_change_that_flips_is_found)
{
	struct records *one = zone_make(&stage, "a.example.", 1, 1, 3);
	struct records *two = zone_make(&stage, "a.example.", 2, 2, 4);
	struct change *change = change_make(&stage, one, two);
	size_t len = change->removed.len + change->added.len;
	struct change *changes;
	size_t count;

	CHECK(add_zone(&stage, "a.example.") == OK);
	CHECK(put_snapshot(&stage, "a.example.", one, 1) == OK);
	CHECK(put_change(&stage, "a.example.", 2, change) == OK);
	for (size_t i = 0; i < len; i += 7) {
		char sql[300];
		snprintf(sql, sizeof sql,
			 "UPDATE changes SET body = CAST(substr(body, 1, %zu) || "
			 "CASE substr(body, %zu, 1) WHEN x'55' THEN x'56' ELSE x'55' END || "
			 "substr(body, %zu) AS BLOB)",
			 i, i + 1, i + 2);
		stage_close(&stage);
		meddle(sql);
		stage_open(&stage);
		CHECK(!load(&stage, "a.example.", NULL) && err.code == E_DAMAGED);
		CHECK(store_changes(stage.store, key_of("a.example."), 1, 1 << 20, stage.arena,
				    &changes, &count, &err) == E_DAMAGED);
	}
}

/* Checksums and digests are right; the sums of a set do not tell what is in it twice. */
TEST(a_change_that_nobody_can_apply_is_named_when_it_is_read)
{
	struct records *one = zone_make(&stage, "a.example.", 1, 1, 3);
	struct records *two = zone_make(&stage, "a.example.", 2, 1, 4);
	struct change *first = change_make(&stage, one, two), *second;

	CHECK(add_zone(&stage, "a.example.") == OK);
	CHECK(put_snapshot(&stage, "a.example.", one, 1) == OK);
	CHECK(put_change(&stage, "a.example.", 2, first) == OK);
	/* From 2 to 3, but it adds what version 2 has. */
	struct records *four = zone_make(&stage, "a.example.", 3, 1, 4);
	struct records *other = zone_make(&stage, "a.example.", 2, 1, 3);
	second = change_make(&stage, other, four);
	second->digest_after = first->digest_after;
	struct zone_digest before = digest_of(&stage, other), after = digest_of(&stage, four);
	unsigned carry = 0;
	second->digest_after.count += after.count - before.count;
	for (size_t i = 32; i > 0; i--) {
		carry += 256u + second->digest_after.sum[i - 1] + after.sum[i - 1] -
			 before.sum[i - 1];
		second->digest_after.sum[i - 1] = (uint8_t)carry;
		carry = carry / 256 - 1;
	}
	CHECK(put_change(&stage, "a.example.", 3, second) == OK);
	CHECK(!load(&stage, "a.example.", NULL) && err.code == E_DAMAGED);
	CHECK(strstr(err.text, "host0000004.a.example. A is added twice"));
}

TEST(a_snapshot_file_is_proven_before_it_is_believed)
{
	struct records *set = zone_make(&stage, "a.example.", 1, 1, 60000);
	char name[FILE_NAME_MAX + 1], path[400];

	CHECK(add_zone(&stage, "a.example.") == OK);
	CHECK(put_snapshot(&stage, "a.example.", set, 1) == OK);
	for (int text = 0; text < 2; text++) {
		CHECK(snapshot_files(&stage, name) == 1);
		snprintf(path, sizeof path, "%s/snapshots/%s", stage.path, name);
		int fd = open(path, O_RDWR);
		char octet;
		CHECK(pread(fd, &octet, 1, 4321) == 1);
		CHECK(pwrite(fd, "\x7f", 1, 4321) == 1);
		CHECK(!load(&stage, "a.example.", NULL) && err.code == E_DAMAGED);
		CHECK(strstr(err.text, name) && strstr(err.text, "checksum"));
		CHECK(pwrite(fd, &octet, 1, 4321) == 1);
		struct records *back = load(&stage, "a.example.", NULL);
		CHECK(back && sets_equal(back, set));
		close(fd);
		if (!text) CHECK(fold_all(&stage) == 1);
	}
	CHECK(truncate(path, 100000) == 0);
	CHECK(!load(&stage, "a.example.", NULL) && strstr(err.text, "another length"));
	CHECK(unlink(path) == 0);
	CHECK(!load(&stage, "a.example.", NULL) && strstr(err.text, "is missing"));
	CHECK(store_is_writable(stage.store));
}

/* ---- crashes ---- */

TEST(a_killed_server_loses_nothing_that_it_acknowledged)
{
	int told[2];
	uint32_t last = 0, serial;

	stage_close(&stage);
	CHECK(pipe(told) == 0);
	pid_t child = fork();
	if (child == 0) {
		struct records *before = NULL;
		stage_open(&stage);
		add_zone(&stage, "example.com.");
		for (serial = 1; serial < 100000; serial++) {
			struct records *set = zone_make(&stage, "example.com.", serial, serial % 3,
							10 + serial % 5);
			enum code code = before ? put_change(&stage, "example.com.", serial,
							     change_make(&stage, before, set))
						: put_snapshot(&stage, "example.com.", set, 1);
			if (code || write(told[1], &serial, sizeof serial) < 0) _exit(1);
			before = set;
			if (serial % 50 == 0) (void)!store_checkpoint(stage.store, 0, &err);
		}
		_exit(0);
	}
	close(told[1]);
	while (read(told[0], &serial, sizeof serial) == sizeof serial) {
		last = serial;
		if (serial == 123) kill(child, SIGKILL);
	}
	close(told[0]);
	CHECK(waitpid(child, NULL, 0) == child);
	stage_open(&stage);
	struct stored_version version;
	struct records *back = load(&stage, "example.com.", &version);
	CHECK(back && last >= 123 && (version.serial == last || version.serial == last + 1));
	CHECK(sets_equal(back, zone_make(&stage, "example.com.", version.serial, version.serial % 3,
					 10 + version.serial % 5)));
}

TEST(a_copy_of_the_folder_at_any_commit_is_a_store)
{
	struct stage copy = {.crypto = stage.crypto, .arena = stage.arena};
	struct records *before = zone_make(&stage, "example.com.", 1, 1, 20);

	strcpy(copy.path, stage.path);
	strcat(copy.path, ".copy");
	copy.options.path = copy.path;
	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(put_snapshot(&stage, "example.com.", before, 1) == OK);
	for (uint32_t serial = 2; serial < 20; serial++) {
		struct records *set = zone_make(&stage, "example.com.", serial, serial % 4, 20);
		CHECK(put_change(&stage, "example.com.", serial,
				 change_make(&stage, before, set)) == OK);
		if (serial % 5 == 0) CHECK(store_checkpoint(stage.store, 0, &err) == OK);
		folder_copy(stage.path, copy.path);
		stage_open(&copy);
		struct records *back = load(&copy, "example.com.", NULL);
		CHECK(back && sets_equal(back, set));
		stage_close(&copy);
		before = set;
	}
	folder_delete(copy.path);
}

TEST(a_copy_for_looking_inside_is_consistent_and_overwrites_nothing)
{
	struct records *one = zone_make(&stage, "example.com.", 1, 1, 40000);
	struct records *two = zone_make(&stage, "example.com.", 2, 2, 40000);
	char path[100];
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	bool done = false;

	CHECK(add_zone(&stage, "example.com.") == OK);
	for (unsigned i = 0; i < 20; i++) {
		char name[32];
		snprintf(name, sizeof name, "zone%u.example.", i);
		CHECK(add_zone(&stage, name) == OK);
		CHECK(put_snapshot(&stage, name, zone_make(&stage, name, 1, 1, 3000), 1) == OK);
	}
	CHECK(put_snapshot(&stage, "example.com.", one, 1) == OK);
	snprintf(path, sizeof path, "%s/copy.db", stage.path);
	CHECK(store_copy_begin(stage.store, path, &err) == OK);
	CHECK(store_copy_begin(stage.store, path, &err) == E_BUSY);
	CHECK(store_copy_step(stage.store, &done, &err) == OK && !done);
	CHECK(put_change(&stage, "example.com.", 2, change_make(&stage, one, two)) == OK);
	while (!done) CHECK(store_copy_step(stage.store, &done, &err) == OK);
	CHECK(store_copy_begin(stage.store, path, &err) == E_EXISTS);
	CHECK(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
	CHECK(sqlite3_prepare_v2(db,
				 "SELECT label, serial FROM zones JOIN versions ON zone = id "
				 "AND seq = head_seq WHERE label = 'example.com.'",
				 -1, &s, NULL) == SQLITE_OK);
	CHECK(sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int(s, 1) == 2);
	sqlite3_finalize(s);
	CHECK(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL) == SQLITE_OK);
	CHECK(sqlite3_step(s) == SQLITE_ROW);
	CHECK(strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(damage_is_named_and_hurts_one_zone_only),
		STORE_TEST(any_octet_of_a_change_that_flips_is_found),
		STORE_TEST(a_change_that_nobody_can_apply_is_named_when_it_is_read),
		STORE_TEST(a_snapshot_file_is_proven_before_it_is_believed),
		STORE_TEST(a_killed_server_loses_nothing_that_it_acknowledged),
		STORE_TEST(a_copy_of_the_folder_at_any_commit_is_a_store),
		STORE_TEST(a_copy_for_looking_inside_is_consistent_and_overwrites_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
