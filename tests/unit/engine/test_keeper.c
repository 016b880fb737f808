/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline: guard, store, publish, notify, and never in another order. */
#include "unit.h"

#include "dns/zone_text.h"
#include "engine/keeper/keeper.h"

#define S NS_PER_S

#define HEAD(serial)                                                                               \
	"@ 3600 IN SOA ns h " serial " 3600 600 86400 300\n@ 3600 NS ns\nns 3600 A 192.0.2.1\n"

static const uint8_t name_wire[] = "\7example\3org";
static const struct name zone_name = {name_wire, 13};
static struct crypto *crypto;
static struct limit_policy limits = {.zone_octets = 1 << 20,
				     .refresh_min_ns = S,
				     .refresh_max_ns = 1000000 * S,
				     .retry_min_ns = S,
				     .retry_max_ns = 1000000 * S};
static struct remote remotes[20];
static const struct remote *peers[20];
static struct zone_policy policy;
static struct notify notifies[20];
static struct keeper_zone zone;
static struct keeper_actions actions;
static struct arena *arena, *said, *images;
static struct diagnostics diagnostics;
static struct records records;

static void begin(enum zone_role role, size_t secondary_count)
{
	if (!crypto) crypto = crypto_new(NULL);
	arena_free(images);
	images = arena_new(64 << 20);
	for (size_t i = 0; i < 20; i++) {
		remotes[i] = (struct remote){.label = "peer"};
		peers[i] = &remotes[i];
	}
	policy = (struct zone_policy){.name = zone_name,
				      .label = "example.org.",
				      .role = role,
				      .file = role == ROLE_PRIMARY ? "/zones/example.org" : NULL,
				      .primaries = peers,
				      .primary_count = role == ROLE_SECONDARY,
				      .secondaries = peers,
				      .secondary_count = secondary_count};
	keeper_zone_init(&zone, &policy, &limits, notifies);
}

static enum code sink(void *context, const struct record *record, struct place place)
{
	return records_add(context, record, place, NULL);
}

static struct records *parse(const char *text)
{
	struct zone_text_parser parser = {.origin = zone_name,
					  .sink = sink,
					  .context = &records,
					  .diagnostics = &diagnostics};

	arena_free(arena);
	arena_free(said);
	arena = arena_new(64 << 20);
	said = arena_new(1 << 20);
	diagnostics = (struct diagnostics){.arena = said};
	parser.arena = arena;
	records_init(&records, arena);
	assert_int_equal(zone_text_parse(&parser, "zone", span_of_text(text)), OK);
	assert_int_equal(records_sort(&records, NULL), OK);
	return &records;
}

static char problem_room[PROBLEM_TEXT_MAX];

static void step(struct keeper_event event)
{
	event.arena = arena;
	event.crypto = crypto;
	event.diagnostics = &diagnostics;
	if (!event.author) event.author = "somebody";
	event.problem_room = problem_room;
	keeper_step(&zone, &event, &actions);
}

static size_t count_of(enum keeper_action_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < actions.count; i++) count += actions.list[i].kind == kind;
	return count;
}

static bool told(enum keeper_tell what)
{
	for (size_t i = 0; i < actions.count; i++)
		if (actions.list[i].kind == KEEPER_TELL && actions.list[i].tell == what)
			return true;
	return false;
}

/* What the keeper process does with PUBLISH: an image of its own for the head. */
static void build_image(void)
{
	size_t len = image_size(zone.candidate.records, zone_name);
	uint8_t *octets = arena_alloc(images, len);
	struct writer w = writer_of(octets, len);

	assert_int_equal(
		image_build(zone.candidate.records, zone_name, 1, &zone.head.digest, &w, NULL), OK);
	struct span layer = writer_span(&w);
	assert_int_equal(view_open(&layer, 1, &zone.head.view, NULL), OK);
}

/* From STORE on, everything goes well. */
static void store_and_serve(void)
{
	assert_int_equal(count_of(KEEPER_STORE), 1);
	assert_int_equal(count_of(KEEPER_PUBLISH) + count_of(KEEPER_SEND_NOTIFY), 0);
	step((struct keeper_event){.kind = KEEPER_STORED});
	assert_int_equal(count_of(KEEPER_PUBLISH), 1);
	assert_int_equal(count_of(KEEPER_SEND_NOTIFY), 0);
	build_image();
	step((struct keeper_event){.kind = KEEPER_SERVING});
	assert_int_equal(count_of(KEEPER_FINISHED), 1);
}

static void load(const char *text)
{
	step((struct keeper_event){.kind = zone.stage == KEEPER_RESTORING ? KEEPER_START
									  : KEEPER_RELOAD});
	assert_int_equal(count_of(KEEPER_READ_FILE), 1);
	step((struct keeper_event){.kind = KEEPER_FILE_READ, .records = parse(text)});
}

static void begin_loaded(size_t secondary_count)
{
	begin(ROLE_PRIMARY, secondary_count);
	load(HEAD("7"));
	CHECK(zone.candidate.first && zone.candidate.as_snapshot && zone.candidate.serial == 7);
	store_and_serve();
	CHECK(zone.head.exists && zone.head.serial == 7 && zone.served);
}

TEST(a_first_version_is_a_snapshot_with_the_files_serial)
{
	begin_loaded(0);
	CHECK(zone.head.digest.count == 3);
}

TEST(secondaries_are_told_when_it_is_served_and_not_before)
{
	begin_loaded(3);
	CHECK(count_of(KEEPER_SEND_NOTIFY) == 3 && actions.list[1].serial == 7);
}

/* More secondaries than there is room for actions: the others are due at once. */
TEST(every_secondary_is_told_however_many_there_are)
{
	size_t told_count;

	begin_loaded(20);
	told_count = count_of(KEEPER_SEND_NOTIFY);
	CHECK(told_count < 20 && keeper_zone_wake_at(&zone) == 0);
	step((struct keeper_event){.kind = KEEPER_TICK});
	told_count += count_of(KEEPER_SEND_NOTIFY);
	CHECK(told_count == 20);
}

/* RFC 1996 3.6: whoever is being told of 7 is told of 8 afterwards, be it the twentieth. */
TEST(a_newer_version_is_remembered_for_those_who_are_being_told)
{
	begin_loaded(20);
	step((struct keeper_event){.kind = KEEPER_TICK});
	for (size_t i = 0; i < 19; i++)
		step((struct keeper_event){.kind = KEEPER_NOTIFY_ANSWERED, .peer = i});
	load(HEAD("8"));
	store_and_serve();
	CHECK(actions.count == KEEPER_ACTIONS_MAX);
	step((struct keeper_event){.kind = KEEPER_NOTIFY_ANSWERED, .peer = 19});
	CHECK(count_of(KEEPER_SEND_NOTIFY) == 1 && actions.list[0].serial == 8);
}

TEST(an_order_to_tell_names_the_version_that_is_served)
{
	begin_loaded(20);
	step((struct keeper_event){.kind = KEEPER_TICK});
	for (size_t i = 0; i < 20; i++)
		step((struct keeper_event){.kind = KEEPER_NOTIFY_ANSWERED, .peer = i});
	load(HEAD("8"));
	step((struct keeper_event){.kind = KEEPER_STORED});
	CHECK(zone.head.serial == 8 && zone.stage == KEEPER_PUBLISHING);
	for (int i = 0; i < 2; i++) {
		step((struct keeper_event){.kind = i ? KEEPER_TICK : KEEPER_NOTIFY_ORDER});
		CHECK(count_of(KEEPER_SEND_NOTIFY) > 0);
		for (size_t n = 0; n < actions.count; n++) CHECK(actions.list[n].serial == 7);
	}
}

TEST(nothing_happens_before_it_is_known_what_the_store_has)
{
	begin(ROLE_PRIMARY, 3);
	for (int kind = KEEPER_START + 1; kind <= KEEPER_NOTIFY_ORDER; kind++) {
		step((struct keeper_event){.kind = (enum keeper_event_kind)kind, .forced = true});
		CHECK(actions.count == 0 && zone.stage == KEEPER_RESTORING);
	}
	begin(ROLE_SECONDARY, 3);
	step((struct keeper_event){.kind = KEEPER_NOTIFY_RECEIVED});
	step((struct keeper_event){.kind = KEEPER_REFRESH, .forced = true});
	CHECK(actions.count == 0);
	step((struct keeper_event){.kind = KEEPER_START, .records = parse(HEAD("7"))});
	CHECK(count_of(KEEPER_PUBLISH) == 1 && count_of(KEEPER_FETCH) == 1);
}

TEST(an_edit_under_the_old_serial_gets_the_next_one_and_is_a_change)
{
	begin_loaded(1);
	load(HEAD("7") "www 300 A 192.0.2.80\n");
	CHECK(!zone.candidate.as_snapshot && zone.candidate.serial == 8);
	CHECK(zone.candidate.change.from_serial == 7 && zone.candidate.change.to_serial == 8);
	CHECK(zone.candidate.change.removed_count == 1 && zone.candidate.change.added_count == 2);
	store_and_serve();
	CHECK(zone.head.serial == 8 && zone.head.digest.count == 4);
}

TEST(the_digest_of_a_change_equals_the_one_computed_anew)
{
	struct zone_digest anew = {0};

	begin_loaded(0);
	load(HEAD("7") "www 300 A 192.0.2.80\n");
	for (size_t i = 0; i < records.count; i++) {
		struct record record = records_get(&records, i);
		CHECK(zone_digest_add(&anew, crypto, &record));
	}
	CHECK(zone_digest_equal(&zone.candidate.digest, &anew));
}

TEST(a_file_that_says_nothing_new_changes_nothing)
{
	begin_loaded(0);
	load(HEAD("7"));
	CHECK(told(TELL_UNCHANGED) && count_of(KEEPER_STORE) == 0 &&
	      count_of(KEEPER_FINISHED) == 1);
	load(HEAD("6"));
	CHECK(told(TELL_UNCHANGED) && zone.head.serial == 7);
}

TEST(a_raised_serial_alone_is_a_new_version)
{
	begin_loaded(0);
	load(HEAD("10"));
	CHECK(zone.candidate.serial == 10);
	store_and_serve();
	CHECK(zone.head.serial == 10);
}

TEST(serial_file_refuses_other_content_under_an_old_serial)
{
	begin_loaded(0);
	policy.serial = SERIAL_FILE;
	load(HEAD("7") "www 300 A 192.0.2.80\n");
	CHECK(told(TELL_REFUSED) && zone.head.serial == 7);
	CHECK(strstr(zone.problem, "its serial 7 is not newer than 7"));
	load(HEAD("9") "www 300 A 192.0.2.80\n");
	store_and_serve();
	CHECK(zone.head.serial == 9 && zone.problem_since == 0);
}

TEST(what_is_no_zone_is_refused_with_its_place)
{
	begin_loaded(0);
	load(HEAD("8") "www 300 A 192.0.2.80\nwww 300 CNAME ns\n");
	CHECK(told(TELL_REFUSED) && count_of(KEEPER_STORE) == 0);
	CHECK(strstr(zone.problem, "zone:"));
	CHECK(zone.head.serial == 7 && zone.stage == KEEPER_IDLE);
}

TEST(a_commit_that_fails_leaves_the_version_before_it)
{
	begin_loaded(1);
	load(HEAD("7") "www 300 A 192.0.2.80\n");
	step((struct keeper_event){.kind = KEEPER_STORE_FAILED, .problem = "disk full"});
	CHECK(count_of(KEEPER_PUBLISH) == 0 && count_of(KEEPER_SEND_NOTIFY) == 0);
	CHECK(told(TELL_REFUSED) && zone.head.serial == 7 &&
	      strcmp(zone.problem, "disk full") == 0);
	load(HEAD("7") "www 300 A 192.0.2.80\n");
	store_and_serve();
	CHECK(zone.head.serial == 8 && zone.problem_since == 0);
}

TEST(a_reload_while_one_is_under_way_waits_for_its_turn)
{
	begin_loaded(0);
	load(HEAD("7") "www 300 A 192.0.2.80\n");
	for (int i = 0; i < 10; i++) {
		step((struct keeper_event){.kind = KEEPER_RELOAD});
		CHECK(actions.count == 0);
	}
	step((struct keeper_event){.kind = KEEPER_STORED});
	build_image();
	step((struct keeper_event){.kind = KEEPER_SERVING});
	CHECK(count_of(KEEPER_READ_FILE) == 1);
}

TEST(a_zone_over_its_limit_is_refused)
{
	begin(ROLE_PRIMARY, 0);
	limits.zone_octets = 50;
	load(HEAD("7"));
	limits.zone_octets = 1 << 20;
	CHECK(told(TELL_REFUSED) && strstr(zone.problem, "zone-size") && !zone.head.exists);
}

/* --- a secondary --- */

static void begin_secondary(size_t secondary_count)
{
	begin(ROLE_SECONDARY, secondary_count);
	step((struct keeper_event){.kind = KEEPER_START});
	CHECK(count_of(KEEPER_FETCH) == 1);
	step((struct keeper_event){.kind = KEEPER_RECEIVED, .records = parse(HEAD("7"))});
	store_and_serve();
	CHECK(zone.head.serial == 7 && keeper_zone_expires_at(&zone) == 86400 * S);
}

TEST(a_transfer_is_stored_then_served_then_told_onwards)
{
	begin_secondary(2);
	CHECK(count_of(KEEPER_SEND_NOTIFY) == 2 && count_of(KEEPER_STORE_TIMERS) == 1);
}

TEST(a_newer_serial_is_fetched_an_equal_one_confirms)
{
	begin_secondary(0);
	step((struct keeper_event){
		.kind = KEEPER_NOTIFY_RECEIVED, .serial = 8, .has_serial = true, .now = 10 * S});
	CHECK(count_of(KEEPER_ASK_SOA) == 1);
	step((struct keeper_event){.kind = KEEPER_SOA_ANSWERED, .serial = 7, .now = 11 * S});
	CHECK(told(TELL_CURRENT) && count_of(KEEPER_PUBLISH_EXPIRY) == 1);
	CHECK(keeper_zone_expires_at(&zone) == (86400 + 11) * S);
}

TEST(a_primary_that_lags_is_told_and_confirms_nothing)
{
	begin_secondary(0);
	step((struct keeper_event){.kind = KEEPER_REFRESH});
	step((struct keeper_event){.kind = KEEPER_SOA_ANSWERED, .serial = 6, .now = S});
	CHECK(told(TELL_EXCHANGE_FAILED) && !told(TELL_CURRENT));
	CHECK(strstr(zone.problem, "peer serves serial 6, which is not newer than 7"));
	CHECK(keeper_zone_expires_at(&zone) == 86400 * S);
}

TEST(a_received_version_that_is_not_newer_is_refused_unless_forced)
{
	begin_secondary(0);
	step((struct keeper_event){.kind = KEEPER_REFRESH, .forced = true});
	CHECK(count_of(KEEPER_FETCH) == 1);
	step((struct keeper_event){.kind = KEEPER_RECEIVED, .records = parse(HEAD("3"))});
	store_and_serve();
	CHECK(zone.head.serial == 3);

	step((struct keeper_event){
		.kind = KEEPER_NOTIFY_RECEIVED, .serial = 9, .has_serial = true});
	step((struct keeper_event){.kind = KEEPER_SOA_ANSWERED, .serial = 9});
	CHECK(count_of(KEEPER_FETCH) == 1);
	step((struct keeper_event){.kind = KEEPER_RECEIVED, .records = parse(HEAD("2"))});
	CHECK(told(TELL_REFUSED) && zone.head.serial == 3);
}

/* What is there already is no new version, and no reason to wait for ever. */
TEST(an_order_that_brings_the_same_version_confirms_it)
{
	begin_secondary(0);
	step((struct keeper_event){.kind = KEEPER_REFRESH, .forced = true, .now = S});
	step((struct keeper_event){
		.kind = KEEPER_RECEIVED, .records = parse(HEAD("7")), .now = 2 * S});
	CHECK(told(TELL_UNCHANGED) && count_of(KEEPER_STORE) == 0);
	CHECK(count_of(KEEPER_STORE_TIMERS) == 1 && count_of(KEEPER_PUBLISH_EXPIRY) == 1);
	CHECK(zone.secondary.waiting == SECONDARY_IDLE && !zone.secondary.forced);
	CHECK(keeper_zone_expires_at(&zone) == (86400 + 2) * S);
}

/* The store takes a change only from one serial to another. */
TEST(an_order_that_brings_other_content_under_the_serial_replaces_the_version)
{
	begin_secondary(0);
	step((struct keeper_event){.kind = KEEPER_REFRESH, .forced = true});
	step((struct keeper_event){.kind = KEEPER_RECEIVED,
				   .records = parse(HEAD("7") "www 300 A 192.0.2.80\n")});
	CHECK(zone.candidate.as_snapshot && zone.candidate.serial == 7);
	store_and_serve();
	CHECK(zone.head.serial == 7 && zone.head.digest.count == 4);
}

TEST(a_primary_that_serves_an_older_serial_is_named)
{
	begin_secondary(0);
	step((struct keeper_event){.kind = KEEPER_TICK, .now = 3600 * S});
	step((struct keeper_event){.kind = KEEPER_SOA_ANSWERED, .serial = 5, .now = 3601 * S});
	CHECK(told(TELL_EXCHANGE_FAILED) && zone.secondary.waiting == SECONDARY_IDLE);
	CHECK(strstr(zone.problem, "peer serves serial 5, which is not newer than 7"));
	CHECK(zone.problem_since == 3601 * S && keeper_zone_expires_at(&zone) == 86400 * S);
	step((struct keeper_event){.kind = KEEPER_SOA_ANSWERED, .serial = 7, .now = 3602 * S});
	CHECK(actions.count == 0 && zone.problem_since); /* nobody asked */
	step((struct keeper_event){.kind = KEEPER_TICK, .now = zone.secondary.next_at});
	step((struct keeper_event){.kind = KEEPER_SOA_ANSWERED, .serial = 7, .now = 4300 * S});
	CHECK(told(TELL_CURRENT) && zone.problem_since == 0);
}

TEST(a_broken_transfer_keeps_the_version_and_is_tried_again)
{
	begin_secondary(0);
	step((struct keeper_event){
		.kind = KEEPER_NOTIFY_RECEIVED, .serial = 8, .has_serial = true});
	step((struct keeper_event){.kind = KEEPER_SOA_ANSWERED, .serial = 8});
	step((struct keeper_event){
		.kind = KEEPER_EXCHANGE_FAILED, .problem = "broken off", .now = S});
	CHECK(told(TELL_EXCHANGE_FAILED) && zone.head.serial == 7);
	CHECK(keeper_zone_wake_at(&zone) == 601 * S);
}

TEST(a_copy_that_nobody_confirms_expires_and_a_confirmation_revives_it)
{
	begin_secondary(0);
	step((struct keeper_event){.kind = KEEPER_TICK, .now = 86400 * S});
	CHECK(told(TELL_EXPIRED) && zone.expired);
	step((struct keeper_event){.kind = KEEPER_SOA_ANSWERED, .serial = 7, .now = 86401 * S});
	CHECK(!zone.expired && count_of(KEEPER_PUBLISH_EXPIRY) == 1);
}

TEST(a_transfer_nobody_waits_for_is_nothing)
{
	begin_secondary(0);
	step((struct keeper_event){.kind = KEEPER_RECEIVED, .records = parse(HEAD("9"))});
	CHECK(actions.count == 0 && zone.head.serial == 7);
}

/* Promise 4, also when the store was damaged. */
TEST(a_version_after_a_damaged_one_does_not_go_back)
{
	begin(ROLE_PRIMARY, 0);
	step((struct keeper_event){.kind = KEEPER_START, .has_serial = true, .serial = 9});
	assert_int_equal(count_of(KEEPER_READ_FILE), 1);
	step((struct keeper_event){.kind = KEEPER_FILE_READ, .records = parse(HEAD("7"))});
	CHECK(zone.candidate.first && zone.candidate.serial == 10);
	store_and_serve();
	CHECK(zone.head.serial == 10);
}

TEST(a_restored_version_is_served_at_its_age_and_then_checked)
{
	begin(ROLE_SECONDARY, 0);
	step((struct keeper_event){.kind = KEEPER_START,
				   .records = parse(HEAD("7")),
				   .now = 100 * S,
				   .confirmed_at = 40 * S});
	CHECK(count_of(KEEPER_PUBLISH) == 1 && count_of(KEEPER_ASK_SOA) == 1);
	CHECK(keeper_zone_expires_at(&zone) == (86400 + 40) * S);
	build_image();
	step((struct keeper_event){.kind = KEEPER_SERVING, .now = 100 * S});
	CHECK(zone.served && zone.secondary.waiting == SECONDARY_ASKING);
}

static int free_all(void **state)
{
	(void)state;
	arena_free(arena);
	arena_free(said);
	arena_free(images);
	crypto_free(crypto);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_version_is_a_snapshot_with_the_files_serial),
		cmocka_unit_test(secondaries_are_told_when_it_is_served_and_not_before),
		cmocka_unit_test(every_secondary_is_told_however_many_there_are),
		cmocka_unit_test(a_newer_version_is_remembered_for_those_who_are_being_told),
		cmocka_unit_test(an_order_to_tell_names_the_version_that_is_served),
		cmocka_unit_test(nothing_happens_before_it_is_known_what_the_store_has),
		cmocka_unit_test(an_edit_under_the_old_serial_gets_the_next_one_and_is_a_change),
		cmocka_unit_test(the_digest_of_a_change_equals_the_one_computed_anew),
		cmocka_unit_test(a_file_that_says_nothing_new_changes_nothing),
		cmocka_unit_test(a_raised_serial_alone_is_a_new_version),
		cmocka_unit_test(serial_file_refuses_other_content_under_an_old_serial),
		cmocka_unit_test(what_is_no_zone_is_refused_with_its_place),
		cmocka_unit_test(a_commit_that_fails_leaves_the_version_before_it),
		cmocka_unit_test(a_reload_while_one_is_under_way_waits_for_its_turn),
		cmocka_unit_test(a_zone_over_its_limit_is_refused),
		cmocka_unit_test(a_transfer_is_stored_then_served_then_told_onwards),
		cmocka_unit_test(a_newer_serial_is_fetched_an_equal_one_confirms),
		cmocka_unit_test(a_primary_that_lags_is_told_and_confirms_nothing),
		cmocka_unit_test(a_received_version_that_is_not_newer_is_refused_unless_forced),
		cmocka_unit_test(an_order_that_brings_the_same_version_confirms_it),
		cmocka_unit_test(
			an_order_that_brings_other_content_under_the_serial_replaces_the_version),
		cmocka_unit_test(a_primary_that_serves_an_older_serial_is_named),
		cmocka_unit_test(a_broken_transfer_keeps_the_version_and_is_tried_again),
		cmocka_unit_test(a_copy_that_nobody_confirms_expires_and_a_confirmation_revives_it),
		cmocka_unit_test(a_transfer_nobody_waits_for_is_nothing),
		cmocka_unit_test(a_version_after_a_damaged_one_does_not_go_back),
		cmocka_unit_test(a_restored_version_is_served_at_its_age_and_then_checked),
	};
	return cmocka_run_group_tests(tests, NULL, free_all);
}
