/* SPDX-License-Identifier: Apache-2.0 */
#include "store/stage.h"

#include <fcntl.h>
#include <sqlite3.h>

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

/* ---- the folder ---- */

TEST(a_missing_state_folder_is_told_and_not_made)
{
	struct store_options options = {.path = "/nowhere/lockstep"};
	struct store *store = NULL;

	CHECK(store_open(&options, stage.crypto, &store, &err) == E_NOT_FOUND);
	CHECK(strstr(err.text, "/nowhere/lockstep does not exist") && strstr(err.text, "make it"));
}

TEST(a_second_server_is_told_who_holds_the_folder)
{
	struct store *store = NULL;
	char words[64];

	snprintf(words, sizeof words, "in use by process %ld", (long)getpid());
	CHECK(store_open(&stage.options, stage.crypto, &store, &err) == E_BUSY);
	CHECK(strstr(err.text, words));
}

TEST(a_folder_that_lost_its_database_is_not_taken_for_a_new_one)
{
	struct store *store = NULL;
	char path[100];

	stage_close(&stage);
	snprintf(path, sizeof path, "%s/lockstep.db", stage.path);
	CHECK(unlink(path) == 0);
	CHECK(store_open(&stage.options, stage.crypto, &store, &err) == E_NOT_FOUND);
	CHECK(strstr(err.text, "holds snapshots but no lockstep.db"));
	CHECK(access(path, F_OK) != 0);

	/* An empty file in its place is no better. */
	CHECK(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0);
	CHECK(store_open(&stage.options, stage.crypto, &store, &err) == E_NOT_FOUND);
	stage.options.create_anew = true;
	stage_open(&stage);
}

TEST(a_newer_format_is_refused_with_both_numbers)
{
	struct store *store = NULL;

	stage_close(&stage);
	meddle("UPDATE meta SET value = 7 WHERE key = 'schema'");
	CHECK(store_open(&stage.options, stage.crypto, &store, &err) == E_UNSUPPORTED);
	CHECK(strstr(err.text, "has format 7") && strstr(err.text, "knows 1"));
}

TEST(another_programs_database_is_refused)
{
	struct store *store = NULL;

	stage_close(&stage);
	meddle("PRAGMA application_id = 1");
	CHECK(store_open(&stage.options, stage.crypto, &store, &err) == E_UNSUPPORTED);
	CHECK(strstr(err.text, "another program"));
}

TEST(a_file_that_is_no_database_is_damage)
{
	struct store *store = NULL;
	char path[100];

	stage_close(&stage);
	snprintf(path, sizeof path, "%s/lockstep.db", stage.path);
	int fd = open(path, O_WRONLY | O_TRUNC);
	CHECK(write(fd,
		    "this is not what it was before, and longer than a header of SQLite's "
		    "one hundred octets, so that it is read as one",
		    115) == 115);
	close(fd);
	CHECK(store_open(&stage.options, stage.crypto, &store, &err) == E_DAMAGED);
	CHECK(strstr(err.text, "lockstep.db"));
}

/* ---- zones ---- */

struct seen {
	size_t count;
	uint32_t serials;
};

static enum code see(void *context, const struct stored_zone *zone, struct error *e)
{
	struct seen *seen = context;

	(void)e;
	CHECK(strcmp(zone->key.view, VIEW_DEFAULT) == 0);
	seen->count++;
	seen->serials += zone->has_version ? zone->head.serial : 0;
	return OK;
}

TEST(a_zone_has_one_owner)
{
	struct zone_entry other = {.owner = OWNER_ADDED, .origin = "anna"};
	struct batch *batch = batch_make();

	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(batch_add_zone(batch, key_of("Example.COM."), &other, &err) == OK);
	CHECK(commit(&stage, batch) == E_EXISTS);
	CHECK(strstr(err.text,
		     "zone example.com. belongs to the configuration (lockstep.yaml:12)"));
}

TEST(an_owner_may_claim_again_and_nobody_else)
{
	struct zone_entry moved = {.owner = OWNER_CONFIG, .origin = "lockstep.yaml:99", .role = 0};
	struct zone_entry other = {.owner = OWNER_CATALOG, .origin = "cat.example."};
	struct stored_zone zone;

	for (int i = 0; i < 2; i++) {
		struct batch *batch = batch_make();
		CHECK(batch_claim_zone(batch, key_of("example.com."), i ? &moved : &entry_config,
				       &err) == OK);
		CHECK(commit(&stage, batch) == OK);
	}
	struct batch *batch = batch_make();
	CHECK(batch_claim_zone(batch, key_of("example.com."), &other, &err) == OK);
	CHECK(commit(&stage, batch) == E_EXISTS && strstr(err.text, "(lockstep.yaml:99) already"));
	CHECK(store_zone(stage.store, key_of("example.com."), stage.arena, &zone, &err) == OK);
	CHECK(zone.entry.role == 0 && strcmp(zone.entry.origin, "lockstep.yaml:99") == 0);
}

TEST(a_views_zone_is_another_zone)
{
	struct zone_key inside = key_of("example.com.");
	struct batch *batch = batch_make();
	struct seen seen = {0};

	CHECK(add_zone(&stage, "example.com.") == OK);
	inside.view = "inside";
	CHECK(batch_add_zone(batch, inside, &entry_config, &err) == OK);
	CHECK(commit(&stage, batch) == OK);
	batch = batch_make();
	CHECK(batch_remove_zone(batch, inside, &err) == OK);
	CHECK(commit(&stage, batch) == OK);
	CHECK(store_each_zone(stage.store, see, &seen, &err) == OK && seen.count == 1);
}

TEST(what_was_noted_of_a_zone_is_there_after_a_restart)
{
	struct zone_timers timers = {.confirmed_unix_s = 1795358101,
				     .confirmed_at = 123456789012345,
				     .boot = "0123456789abcde",
				     .refresh_s = 3600,
				     .retry_s = 600,
				     .expire_s = 4294967295,
				     .failure_count = 2};
	struct zone_file files[2] = {
		{"/etc/example.com.zone", {100, 7, -1, 8}, 0xfedcba9876543210},
		{"/etc/common", {200, 9, 10, 11}, 12},
	};
	struct zone_file *read = NULL;
	struct zone_entry changed = {OWNER_CATALOG, "catalog cat.example.", 0, 5};
	struct batch *batch = batch_make();
	struct stored_zone zone;
	size_t count = 0;

	CHECK(batch_add_zone(batch, key_of("Example.com."), &entry_config, &err) == OK);
	CHECK(batch_put_timers(batch, key_of("example.com."), &timers, &err) == OK);
	CHECK(batch_put_files(batch, key_of("example.com."), 4000000000, files, 2, &err) == OK);
	CHECK(batch_put_files(batch, key_of("example.com."), 4000000001, files, 2, &err) == OK);
	CHECK(batch_set_zone(batch, key_of("example.com."), &changed, &err) == OK);
	CHECK(commit(&stage, batch) == OK);
	stage_close(&stage);
	stage_open(&stage);
	CHECK(store_zone(stage.store, key_of("EXAMPLE.com."), stage.arena, &zone, &err) == OK);
	CHECK(zone.entry.owner == OWNER_CATALOG && zone.entry.role == 0 && zone.entry.flags == 5);
	CHECK(strcmp(zone.entry.origin, "catalog cat.example.") == 0 && !zone.has_version);
	CHECK(zone.has_timers && memcmp(&zone.timers, &timers, sizeof timers) == 0);
	CHECK(zone.has_file_serial && zone.file_serial == 4000000001);
	CHECK(store_zone_files(stage.store, key_of("example.com."), stage.arena, &read, &count,
			       &err) == OK);
	CHECK(count == 2 && strcmp(read[1].path, "/etc/common") == 0);
	CHECK(file_identity_equal(&read[0].identity, &files[0].identity));
	CHECK(read[0].checksum == 0xfedcba9876543210);
	CHECK(store_zone(stage.store, key_of("example.org."), stage.arena, &zone, &err) ==
	      E_NOT_FOUND);
}

/* ---- versions ---- */

TEST(snapshots_come_back_to_the_octet_in_every_form)
{
	static const struct {
		unsigned last;
		size_t files;
	} rows[] = {{10, 0}, {9000, 0}, {60000, 1}};
	char name[FILE_NAME_MAX + 1];

	CHECK(add_zone(&stage, "example.com.") == OK);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct records *set =
			zone_make(&stage, "example.com.", (uint32_t)i + 1, 1, rows[i].last);
		struct stored_version version;
		CHECK(put_snapshot(&stage, "example.com.", set, i + 1) == OK);
		CHECK(snapshot_files(&stage, name) == rows[i].files);
		for (int folded = 0; folded < 2; folded++) {
			stage_close(&stage);
			stage_open(&stage);
			struct records *back = load(&stage, "example.com.", &version);
			CHECK(back && sets_equal(back, set));
			CHECK(version.seq == i + 1 && version.serial == i + 1);
			CHECK(strcmp(version.author, "transfer from west") == 0);
			CHECK(version.time_unix_s == 1795358101);
			/* The small one is text already; the others become text now. */
			CHECK(fold_all(&stage) == (folded ? 0 : i > 0));
		}
	}
	CHECK(snapshot_files(&stage, name) == 1 && strncmp(name, "example.com-", 12) == 0);
	CHECK(strcmp(name + strlen(name) - 5, ".zone") == 0);
}

TEST(a_spool_in_any_order_is_a_version_at_once)
{
	struct records *set = zone_make(&stage, "example.com.", 5, 1, 100);
	struct draft *draft = NULL;
	char name[FILE_NAME_MAX + 1];

	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(draft_new(stage.store, key_of("example.com.").name, DRAFT_RECORDS, &draft, &err) ==
	      OK);
	for (int copies = 0; copies < 400; copies++) {
		for (size_t i = set->count; i > 0; i--) {
			struct record record = records_get(set, i - 1);
			CHECK(draft_append(draft,
					   span_of(set->entries[i - 1].wire, record_len(&record)),
					   &err) == OK);
		}
	}
	CHECK(draft_len(draft) == 400 * set->wire_len);
	CHECK(put_draft(&stage, "example.com.", set, 1, draft) == OK);
	CHECK(snapshot_files(&stage, name) == 1);
	struct records *back = load(&stage, "example.com.", NULL);
	CHECK(back && sets_equal(back, set));
	CHECK(fold_all(&stage) == 1);
	CHECK(snapshot_files(&stage, name) == 0);
	back = load(&stage, "example.com.", NULL);
	CHECK(back && sets_equal(back, set));
}

TEST(a_draft_that_is_not_committed_leaves_no_file)
{
	struct records *set = zone_make(&stage, "example.com.", 5, 1, 60000);
	struct draft *draft = NULL;
	char name[FILE_NAME_MAX + 1];

	CHECK(draft_make(&stage, "example.com.", set, &draft) == OK);
	CHECK(snapshot_files(&stage, name) == 1);
	CHECK(put_draft(&stage, "example.com.", set, 1, draft) == E_NOT_FOUND);
	CHECK(snapshot_files(&stage, name) == 0);
}

TEST(changes_lead_from_version_to_version)
{
	struct records *sets[41];
	struct stored_version version;

	CHECK(add_zone(&stage, "example.com.") == OK);
	sets[0] = zone_make(&stage, "example.com.", 100, 1, 50);
	CHECK(put_snapshot(&stage, "example.com.", sets[0], 7) == OK);
	for (unsigned i = 1; i <= 40; i++) {
		/* Hosts come, go, and come again. */
		sets[i] = zone_make(&stage, "example.com.", 100 + i, i % 7, 50 + i % 5);
		CHECK(put_change(&stage, "example.com.", 7 + i,
				 change_make(&stage, sets[i - 1], sets[i])) == OK);
		struct records *back = load(&stage, "example.com.", &version);
		CHECK(back && sets_equal(back, sets[i]));
		CHECK(version.seq == 7 + i && version.serial == 100 + i);
	}
	CHECK(strcmp(version.reason, "mx2 is new") == 0 && version.source == CHANGE_FROM_FILE);
	stage_close(&stage);
	stage_open(&stage);
	struct records *back = load(&stage, "example.com.", &version);
	CHECK(back && sets_equal(back, sets[40]));
}

/* RFC 2181 5.2: a TTL is content; so is the case of an owner that somebody chose. */
TEST(records_that_differ_in_ttl_or_case_only_come_and_go)
{
	static const char *const texts[] = {
		"$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nwww 60 A 192.0.2.2\n",
		"$TTL 60\n@ SOA ns h 2 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nwww 90 A 192.0.2.2\n",
		"$TTL 60\n@ SOA ns h 3 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nWWW 90 A 192.0.2.2\n",
		"$TTL 60\n@ SOA ns h 4 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
		"$TTL 60\n@ SOA ns h 5 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nwww 60 A 192.0.2.2\n",
	};
	struct records *before = NULL;

	CHECK(add_zone(&stage, "example.com.") == OK);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct records *set = records_parse(&stage, "example.com.", texts[i]);
		CHECK((before ? put_change(&stage, "example.com.", i + 1,
					   change_make(&stage, before, set))
			      : put_snapshot(&stage, "example.com.", set, 1)) == OK);
		struct records *back = load(&stage, "example.com.", NULL);
		CHECK(back && sets_equal(back, set));
		before = set;
	}
}

TEST(a_large_change_lies_in_chunks)
{
	struct records *small = zone_make(&stage, "example.com.", 1, 1, 2);
	struct records *large = zone_make(&stage, "example.com.", 2, 1, 50000);
	struct records *huge = zone_make(&stage, "example.com.", 3, 1, 120000);
	struct batch *batch = batch_make();

	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(put_snapshot(&stage, "example.com.", small, 1) == OK);
	CHECK(put_change(&stage, "example.com.", 2, change_make(&stage, small, large)) == OK);
	struct records *back = load(&stage, "example.com.", NULL);
	CHECK(back && sets_equal(back, large));
	CHECK(batch_put_change(batch, key_of("example.com."), 3, change_make(&stage, small, huge),
			       &err) == E_LIMIT);
	batch_free(batch);
}

TEST(a_change_that_does_not_fit_is_refused_as_a_whole)
{
	struct records *one = zone_make(&stage, "example.com.", 1, 1, 2);
	struct records *two = zone_make(&stage, "example.com.", 2, 1, 3);
	struct records *three = zone_make(&stage, "example.com.", 3, 1, 4);
	struct change *change = change_make(&stage, one, two);
	struct change *next = change_make(&stage, two, three);
	struct batch *batch = batch_make();

	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(put_change(&stage, "example.com.", 1, change) == E_CONFLICT);
	CHECK(put_snapshot(&stage, "example.com.", one, 1) == OK);
	CHECK(put_change(&stage, "example.com.", 3, change) == E_CONFLICT);
	CHECK(put_change(&stage, "example.com.", 2, next) == E_CONFLICT);
	CHECK(strstr(err.text, "from version 1 (serial 2)") && strstr(err.text, "(serial 1)"));
	change->digest_after.sum[31] ^= 1;
	CHECK(put_change(&stage, "example.com.", 2, change) == E_CONFLICT);
	CHECK(strstr(err.text, "does not lead to its digest"));
	change->digest_after.sum[31] ^= 1;
	CHECK(put_snapshot(&stage, "example.com.", two, 1) == E_CONFLICT);

	/* The first of two is right, but they are one batch. */
	CHECK(batch_put_change(batch, key_of("example.com."), 2, change, &err) == OK);
	CHECK(batch_put_change(batch, key_of("example.com."), 4, next, &err) == OK);
	CHECK(commit(&stage, batch) == E_CONFLICT);
	struct records *back = load(&stage, "example.com.", NULL);
	CHECK(back && sets_equal(back, one));
	CHECK(store_is_writable(stage.store));
}

TEST(batches_of_one_commit_stand_and_fall_by_themselves)
{
	struct records *set = zone_make(&stage, "a.example.", 1, 1, 2);
	struct stored_version version = version_of(&stage, "a.example.", set, 1);
	struct batch *batches[3];
	struct store_status before, after;

	for (int i = 0; i < 3; i++) batches[i] = batch_make();
	store_status(stage.store, &before);
	CHECK(batch_add_zone(batches[0], key_of("a.example."), &entry_config, &err) == OK);
	CHECK(batch_add_zone(batches[1], key_of("a.example."), &entry_config, &err) == OK);
	struct draft *draft = NULL;
	CHECK(draft_make(&stage, "a.example.", set, &draft) == OK);
	CHECK(batch_put_snapshot(batches[2], key_of("a.example."), &version, draft, &err) == OK);
	store_commit(stage.store, batches, 3);
	CHECK(batch_outcome(batches[0], NULL) == OK);
	CHECK(batch_outcome(batches[1], NULL) == E_EXISTS);
	CHECK(batch_outcome(batches[2], NULL) == OK);
	store_status(stage.store, &after);
	CHECK(after.commit_count == before.commit_count + 1);
	for (int i = 0; i < 3; i++) batch_free(batches[i]);
	struct records *back = load(&stage, "a.example.", NULL);
	CHECK(back && sets_equal(back, set));
}

TEST(a_batch_is_bounded)
{
	struct batch *batch = batch_make();
	int count = 0;

	while (count < 1 << 20 && !batch_remove_zone(batch, key_of("a.example."), &err)) count++;
	CHECK(count == STORE_BATCH_OPERATIONS_MAX);
	batch_free(batch);
}

TEST(folding_keeps_content_and_recent_changes)
{
	struct records *before = zone_make(&stage, "example.com.", 1, 1, 5), *set = NULL;
	unsigned serial = 1;
	struct stored_zone zone;
	struct change *changes;
	size_t count;

	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(put_snapshot(&stage, "example.com.", before, 1) == OK);
	do {
		serial++;
		set = zone_make(&stage, "example.com.", serial, serial % 2 ? 1 : 2,
				50 + serial % 3);
		CHECK(put_change(&stage, "example.com.", serial,
				 change_make(&stage, before, set)) == OK);
		before = set;
		CHECK(store_zone(stage.store, key_of("example.com."), stage.arena, &zone, &err) ==
		      OK);
	} while (!zone.fold_due && serial < 2000);
	CHECK(serial > KEPT_CHANGES_MAX + 1 && serial < 2000);
	CHECK(fold_all(&stage) == 1 && fold_all(&stage) == 0);
	struct records *back = load(&stage, "example.com.", NULL);
	CHECK(back && sets_equal(back, set));
	CHECK(store_changes(stage.store, key_of("example.com."), serial - KEPT_CHANGES_MAX, 1 << 20,
			    stage.arena, &changes, &count, &err) == OK);
	CHECK(count == KEPT_CHANGES_MAX && changes[count - 1].to_serial == serial);
	CHECK(changes[0].from_serial == serial - KEPT_CHANGES_MAX);
	CHECK(store_changes(stage.store, key_of("example.com."), serial - KEPT_CHANGES_MAX - 1,
			    1 << 20, stage.arena, &changes, &count, &err) == E_NOT_FOUND);
	CHECK(store_changes(stage.store, key_of("example.com."), serial - 4, 10, stage.arena,
			    &changes, &count, &err) == E_LIMIT);

	/* And the next change follows the folded version. */
	before = zone_make(&stage, "example.com.", serial + 1, 1, 7);
	CHECK(put_change(&stage, "example.com.", serial + 1, change_make(&stage, set, before)) ==
	      OK);
	back = load(&stage, "example.com.", NULL);
	CHECK(back && sets_equal(back, before));
}

TEST(a_fold_that_comes_too_late_changes_nothing)
{
	struct records *one = zone_make(&stage, "example.com.", 1, 1, 9000);
	struct records *two = zone_make(&stage, "example.com.", 2, 2, 9000);
	struct fetched *fetched = NULL;
	struct draft *draft = NULL;
	struct batch *batch = batch_make();
	uint64_t after = 0;

	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(put_snapshot(&stage, "example.com.", one, 1) == OK);
	CHECK(store_fold_find(stage.store, &after, &fetched, &err) == OK);
	CHECK(fold_draft(stage.store, fetched, stage.crypto, &draft, &err) == OK);
	CHECK(put_snapshot(&stage, "example.com.", two, 2) == OK);
	CHECK(batch_fold(batch, fetched, draft, &err) == OK);
	CHECK(commit(&stage, batch) == E_CONFLICT);
	fetched_free(fetched);
	struct records *back = load(&stage, "example.com.", NULL);
	CHECK(back && sets_equal(back, two));
}

TEST(a_change_during_a_fold_is_not_lost)
{
	struct records *one = zone_make(&stage, "example.com.", 1, 1, 9000);
	struct records *two = zone_make(&stage, "example.com.", 2, 2, 9000);
	struct fetched *fetched = NULL;
	struct draft *draft = NULL;
	struct batch *batch = batch_make();
	uint64_t after = 0;

	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(put_snapshot(&stage, "example.com.", one, 1) == OK);
	CHECK(store_fold_find(stage.store, &after, &fetched, &err) == OK);
	CHECK(fold_draft(stage.store, fetched, stage.crypto, &draft, &err) == OK);
	CHECK(put_change(&stage, "example.com.", 2, change_make(&stage, one, two)) == OK);
	CHECK(batch_fold(batch, fetched, draft, &err) == OK);
	CHECK(commit(&stage, batch) == OK);
	fetched_free(fetched);
	struct records *back = load(&stage, "example.com.", NULL);
	CHECK(back && sets_equal(back, two));
}

/* Its name, seq and serial are those of before, its content is not. */
TEST(a_fold_of_a_zone_that_was_made_anew_changes_nothing)
{
	struct records *old = zone_make(&stage, "example.com.", 1, 1, 9000);
	struct records *new = zone_make(&stage, "example.com.", 1, 2, 9000);
	struct fetched *fetched = NULL;
	struct draft *draft = NULL;
	struct batch *batch = batch_make();
	uint64_t after = 0;

	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(put_snapshot(&stage, "example.com.", old, 1) == OK);
	CHECK(store_fold_find(stage.store, &after, &fetched, &err) == OK);
	CHECK(fold_draft(stage.store, fetched, stage.crypto, &draft, &err) == OK);
	CHECK(batch_remove_zone(batch, key_of("example.com."), &err) == OK);
	CHECK(batch_add_zone(batch, key_of("example.com."), &entry_config, &err) == OK);
	CHECK(commit(&stage, batch) == OK);
	CHECK(put_snapshot(&stage, "example.com.", new, 1) == OK);
	batch = batch_make();
	CHECK(batch_fold(batch, fetched, draft, &err) == OK);
	CHECK(commit(&stage, batch) == E_CONFLICT);
	fetched_free(fetched);
	struct records *back = load(&stage, "example.com.", NULL);
	CHECK(back && sets_equal(back, new));
}

TEST(a_batch_that_is_undone_removes_no_file)
{
	struct records *one = zone_make(&stage, "example.com.", 1, 1, 30000);
	struct records *two = zone_make(&stage, "example.com.", 2, 1, 10);
	struct stored_version version = version_of(&stage, "example.com.", two, 2);
	struct batch *batch = batch_make();
	struct draft *draft = NULL;
	char name[FILE_NAME_MAX + 1];

	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(put_snapshot(&stage, "example.com.", one, 1) == OK);
	CHECK(draft_make(&stage, "example.com.", two, &draft) == OK);
	CHECK(batch_put_snapshot(batch, key_of("example.com."), &version, draft, &err) == OK);
	CHECK(batch_remove_zone(batch, key_of("example.org."), &err) == OK);
	CHECK(commit(&stage, batch) == E_NOT_FOUND);
	CHECK(snapshot_files(&stage, name) == 1);
	struct records *back = load(&stage, "example.com.", NULL);
	CHECK(back && sets_equal(back, one));
}

TEST(a_snapshot_with_another_digest_is_refused)
{
	struct records *set = zone_make(&stage, "example.com.", 1, 1, 10);
	struct stored_version version = version_of(&stage, "example.com.", set, 1);
	struct batch *batch = batch_make();
	struct draft *draft = NULL;

	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(draft_make(&stage, "example.com.", set, &draft) == OK);
	version.digest.sum[0] ^= 1;
	CHECK(batch_put_snapshot(batch, key_of("example.com."), &version, draft, &err) == OK);
	CHECK(commit(&stage, batch) == E_CONFLICT && strstr(err.text, "digest"));

	/* Of a spool it shows when it is read. */
	batch = batch_make();
	CHECK(draft_new(stage.store, key_of("example.com.").name, DRAFT_RECORDS, &draft, &err) ==
	      OK);
	CHECK(draft_append_records(draft, set, &err) == OK);
	CHECK(batch_put_snapshot(batch, key_of("example.com."), &version, draft, &err) == OK);
	CHECK(commit(&stage, batch) == OK);
	CHECK(!load(&stage, "example.com.", NULL) && err.code == E_DAMAGED);
	CHECK(strstr(err.text, "its snapshot does not match its digest"));
}

TEST(a_zone_that_was_removed_leaves_nothing)
{
	struct records *set = zone_make(&stage, "example.com.", 1, 1, 60000);
	struct batch *batch = batch_make();
	char name[FILE_NAME_MAX + 1];

	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(put_snapshot(&stage, "example.com.", set, 1) == OK);
	CHECK(batch_remove_zone(batch, key_of("example.com."), &err) == OK);
	CHECK(commit(&stage, batch) == OK);
	CHECK(snapshot_files(&stage, name) == 0);
	CHECK(add_zone(&stage, "example.com.") == OK);
	CHECK(!load(&stage, "example.com.", NULL) && strstr(err.text, "has no version"));
	stage_close(&stage);
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	char path[100];
	snprintf(path, sizeof path, "%s/lockstep.db", stage.path);
	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_prepare_v2(db,
				 "SELECT (SELECT count(*) FROM versions) + (SELECT count(*) FROM "
				 "changes) + (SELECT count(*) FROM snapshots)",
				 -1, &s, NULL) == SQLITE_OK);
	CHECK(sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int(s, 0) == 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
}

TEST(files_that_no_row_names_go_at_the_start_and_strangers_stay)
{
	char path[200], name[FILE_NAME_MAX + 1];
	static const char *const names[] = {"example.com-0123456789abcdef.zone",
					    "example.com-0123456789abcdef.records",
					    "example.com-0123456789abcdeg.zone", "notes.zone"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		snprintf(path, sizeof path, "%s/snapshots/%s", stage.path, names[i]);
		CHECK(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0);
	}
	stage_close(&stage);
	stage_open(&stage);
	CHECK(snapshot_files(&stage, name) == 2);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_missing_state_folder_is_told_and_not_made),
		STORE_TEST(a_second_server_is_told_who_holds_the_folder),
		STORE_TEST(a_folder_that_lost_its_database_is_not_taken_for_a_new_one),
		STORE_TEST(a_newer_format_is_refused_with_both_numbers),
		STORE_TEST(another_programs_database_is_refused),
		STORE_TEST(a_file_that_is_no_database_is_damage),
		STORE_TEST(a_zone_has_one_owner),
		STORE_TEST(an_owner_may_claim_again_and_nobody_else),
		STORE_TEST(a_views_zone_is_another_zone),
		STORE_TEST(what_was_noted_of_a_zone_is_there_after_a_restart),
		STORE_TEST(snapshots_come_back_to_the_octet_in_every_form),
		STORE_TEST(a_spool_in_any_order_is_a_version_at_once),
		STORE_TEST(a_draft_that_is_not_committed_leaves_no_file),
		STORE_TEST(changes_lead_from_version_to_version),
		STORE_TEST(records_that_differ_in_ttl_or_case_only_come_and_go),
		STORE_TEST(a_large_change_lies_in_chunks),
		STORE_TEST(a_change_that_does_not_fit_is_refused_as_a_whole),
		STORE_TEST(batches_of_one_commit_stand_and_fall_by_themselves),
		STORE_TEST(a_batch_is_bounded),
		STORE_TEST(folding_keeps_content_and_recent_changes),
		STORE_TEST(a_fold_that_comes_too_late_changes_nothing),
		STORE_TEST(a_change_during_a_fold_is_not_lost),
		STORE_TEST(a_fold_of_a_zone_that_was_made_anew_changes_nothing),
		STORE_TEST(a_batch_that_is_undone_removes_no_file),
		STORE_TEST(a_snapshot_with_another_digest_is_refused),
		STORE_TEST(a_zone_that_was_removed_leaves_nothing),
		STORE_TEST(files_that_no_row_names_go_at_the_start_and_strangers_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
