/* SPDX-License-Identifier: Apache-2.0 */
/* What the front holds for the keeper: what it takes, what it refuses, and when it frees. */
#include "front_supply.h"

#include "server/front/roster.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

enum { SEGMENT_OCTETS = 1 << 20, READER_COUNT = 3 };

static const char policy_ab[] = "zones:\n"
				"  - {name: a.example, role: primary}\n"
				"  - {name: b.example, role: primary}\n";
static const char policy_abc[] = "zones:\n"
				 "  - {name: a.example, role: primary}\n"
				 "  - {name: b.example, role: primary}\n"
				 "  - {name: c.example, role: primary}\n";
static const char policy_b[] = "zones:\n"
			       "  - {name: b.example, role: primary}\n";

static struct world world;
static struct roster roster;
static struct supply_segment segment;
static struct error err;

static void take_policy(const char *yaml)
{
	struct message_policy body;
	int fd = supply_policy(yaml, &body);

	if (roster_take_policy(&roster, &body, fd, &err)) fail_msg("%s", err.text);
	close(fd);
}

static void take_segment(uint32_t id)
{
	supply_segment_open(&segment, id, SEGMENT_OCTETS);
	if (roster_take_segment(&roster, &segment.body, segment.reader_fd, &err))
		fail_msg("%s", err.text);
}

static struct message_publish image(uint32_t slot, const char *origin, uint32_t serial)
{
	struct message_publish body =
		supply_image(&world, &segment, slot, origin, supply_text(origin, serial));

	body.generation = serial;
	return body;
}

static void take(const struct message_publish *body)
{
	if (roster_publish(&roster, body, &err)) fail_msg("%s", err.text);
}

static void take_image(uint32_t slot, const char *origin, uint32_t serial)
{
	struct message_publish body = image(slot, origin, serial);

	take(&body);
}

static struct publication *find(const char *name)
{
	return directory_find_exact(roster.directory, world_name(&world, name));
}

/* The serial that is served; 0: the zone is not there or has no version. */
static uint32_t serial_of(const char *name)
{
	const struct publication *zone = find(name);

	return zone && publication_is_loaded(zone) ? view_serial(&zone->view) : 0;
}

static void serve(void)
{
	roster_serve(&roster);
	CHECK(roster_reclaim(&roster));
}

static int setup(void **state)
{
	(void)state;
	world_open(&world);
	if (roster_open(&roster, READER_COUNT, &err)) fail_msg("%s", err.text);
	roster_keeper_changed(&roster);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	roster_close(&roster);
	if (segment.fd) supply_segment_close(&segment);
	segment = (struct supply_segment){0};
	world_close(&world);
	return 0;
}

TEST(what_was_published_is_served_and_released)
{
	take_policy(policy_ab);
	take_segment(1);
	take_image(0, "a.example.", 7);
	take_image(1, "b.example.", 5); /* a roster does not come in order of generations */
	serve();
	CHECK(serial_of("a.example.") == 7 && serial_of("b.example.") == 5);
	CHECK(roster.serving == 7 && roster.released == 7);
	take_image(1, "b.example.", 9);
	serve();
	CHECK(serial_of("b.example.") == 9);
	CHECK(roster.serving == 9 && roster.released == 9);
}

TEST(a_zone_without_an_image_is_known_and_not_loaded)
{
	struct message_publish body = supply_image(&world, NULL, 3, "a.example.", NULL);

	take_policy(policy_ab);
	take(&body);
	serve();
	CHECK(find("a.example.") && serial_of("a.example.") == 0);
}

TEST(a_new_expire_instant_needs_no_new_version)
{
	take_policy(policy_ab);
	take_segment(1);
	struct message_publish body = image(0, "a.example.", 1);
	take(&body);
	serve();
	struct publication *before = find("a.example.");
	uint64_t local = roster.local;
	body.expires_at = 100;
	body.generation = 2;
	take(&body);
	serve();
	CHECK(find("a.example.") == before && roster.local == local);
	CHECK(publication_is_expired(before, 100) && !publication_is_expired(before, 99));
	CHECK(roster.serving == 2 && roster.released == 2);
}

TEST(a_pinned_version_holds_back_what_is_released)
{
	take_policy(policy_ab);
	take_segment(1);
	take_image(0, "a.example.", 1);
	serve();
	struct publication *pinned = find("a.example.");
	publication_pin(pinned);
	take_image(0, "a.example.", 2);
	roster_serve(&roster);
	CHECK(!roster_reclaim(&roster));
	CHECK(roster.serving == 2 && roster.released == 1);
	roster_drop_segment(&roster, &segment.body);
	struct message_publish late = image(1, "b.example.", 3);
	CHECK(roster_publish(&roster, &late, &err) == E_NOT_FOUND);
	CHECK(!roster_reclaim(&roster));
	CHECK(view_serial(&pinned->view) == 1 && image_verify(&pinned->view.layers[0], NULL) == OK);
	publication_unpin(pinned);
	CHECK(roster_reclaim(&roster));
	CHECK(roster.released == 2);
}

TEST(generations_served_while_one_is_held_back_are_released_together)
{
	take_policy(policy_ab);
	take_segment(1);
	take_image(0, "a.example.", 1);
	serve();
	struct publication *pinned = find("a.example.");
	publication_pin(pinned);
	for (uint32_t serial = 2; serial < 9; serial++) {
		take_image(0, "a.example.", serial);
		roster_serve(&roster);
		CHECK(!roster_reclaim(&roster));
		CHECK(roster.released == 1);
	}
	publication_unpin(pinned);
	CHECK(roster_reclaim(&roster));
	CHECK(roster.serving == 8 && roster.released == 8);
}

TEST(zones_move_to_a_new_policy_and_let_the_old_one_go)
{
	take_policy(policy_ab);
	take_segment(1);
	take_image(0, "a.example.", 1);
	take_image(1, "b.example.", 1);
	serve();
	take_policy(policy_b);
	serve();
	CHECK(serial_of("a.example.") == 1 && serial_of("b.example.") == 1);
	CHECK(roster.former && roster.former->publication_count == 1); /* a.example's */
	roster_withdraw(&roster, &(struct message_withdraw){.slot = 0});
	serve();
	CHECK(!roster.former && serial_of("a.example.") == 0 && serial_of("b.example.") == 1);
	roster_withdraw(&roster, &(struct message_withdraw){.slot = 1});
}

TEST(a_pinned_policy_outlives_its_zones)
{
	take_policy(policy_ab);
	serve();
	struct front_policy *pinned = atomic_load(&roster.policy);
	front_policy_pin(pinned);
	take_policy(policy_b);
	serve();
	CHECK(roster.former == pinned);
	assert_string_equal(pinned->policy->zones[0].label, "a.example.");
	front_policy_unpin(pinned);
	CHECK(roster_reclaim(&roster) && !roster.former);
}

/* A new keeper counts slots and segments from the beginning. */
TEST(a_new_keeper_replaces_what_the_former_one_published)
{
	take_policy(policy_abc);
	take_segment(1);
	take_image(0, "a.example.", 1);
	take_image(1, "b.example.", 1);
	take_image(2, "c.example.", 1);
	serve();
	roster_keeper_changed(&roster);
	CHECK(roster_reclaim(&roster));
	CHECK(serial_of("a.example.") == 1);
	supply_segment_close(&segment);

	take_policy(policy_abc);
	take_segment(1); /* the same id is another segment */
	take_image(0, "b.example.", 20);
	serve();
	CHECK(serial_of("a.example.") == 1 && serial_of("b.example.") == 20);
	take_image(1, "a.example.", 21);
	roster_end(&roster, &(struct message_generation){.generation = 22});
	serve();
	CHECK(serial_of("a.example.") == 21 && !find("c.example."));
	CHECK(roster.serving == 22 && roster.released == 22);
}

TEST(a_new_keepers_generations_may_be_lower)
{
	take_policy(policy_ab);
	take_segment(1);
	take_image(0, "a.example.", 1000);
	serve();
	roster_keeper_changed(&roster);
	supply_segment_close(&segment);
	take_policy(policy_ab);
	take_segment(9);
	take_image(0, "a.example.", 3);
	serve();
	CHECK(serial_of("a.example.") == 3 && roster.serving == 3 && roster.released == 3);
}

TEST(the_directory_grows_with_the_zones)
{
	static char yaml[1 << 16];
	size_t len = (size_t)snprintf(yaml, sizeof yaml, "zones:\n");
	char name[32];

	for (unsigned i = 0; i < 1000; i++)
		len += (size_t)snprintf(yaml + len, sizeof yaml - len,
					"  - {name: z%u, role: primary}\n", i);
	take_policy(yaml);
	take_segment(1);
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "z%u.", i);
		struct message_publish body = supply_image(&world, NULL, i, name, NULL);
		take(&body);
	}
	serve();
	CHECK(directory_zone_count(roster.directory) == 1000);
	CHECK(find("z0.") && find("z999."));
}

static void check_refused(enum code code, enum code expected, const char *text)
{
	if (code != expected) fail_msg("%s: %s", code_name(code), text);
	assert_string_equal(err.text, text);
	serve();
	CHECK(serial_of("a.example.") == 1);
}

TEST(what_breaks_a_rule_is_refused_and_changes_nothing)
{
	struct message_publish body, good;

	take_policy(policy_ab);
	take_segment(1);
	take_image(0, "a.example.", 1);
	good = image(1, "b.example.", 1);

	body = good;
	body.slot = 0;
	check_refused(roster_publish(&roster, &body, &err), E_CONFLICT,
		      "zone b.example. comes in slot 0, which is not its own");
	body = image(0, "a.example.", 2);
	body.slot = 1;
	check_refused(roster_publish(&roster, &body, &err), E_CONFLICT,
		      "zone a.example. comes in slot 1, which is not its own");
	body = good;
	body.slot = UINT32_MAX;
	check_refused(roster_publish(&roster, &body, &err), E_RANGE,
		      "slot 4294967295 is above the 16777215 that there may be");
	body = good;
	body.layers[0].segment = 2;
	check_refused(roster_publish(&roster, &body, &err), E_NOT_FOUND,
		      "zone b.example.: segment 2 was not sent");
	body = good;
	body.layers[0].offset = SEGMENT_OCTETS - body.layers[0].len + 1;
	check_refused(roster_publish(&roster, &body, &err), E_RANGE,
		      "zone b.example.: its image ends outside of segment 1");
	body = good;
	body.layers[0].offset = UINT64_MAX - 1;
	check_refused(roster_publish(&roster, &body, &err), E_RANGE,
		      "zone b.example.: its image ends outside of segment 1");
	body = good;
	body.layers[0].len = UINT64_MAX;
	check_refused(roster_publish(&roster, &body, &err), E_RANGE,
		      "zone b.example.: its image ends outside of segment 1");
	body = good;
	body.layers[0].offset += 64;
	CHECK(roster_publish(&roster, &body, &err) == E_DAMAGED);
	body = good;
	body.layers[0].len = 1;
	CHECK(roster_publish(&roster, &body, &err) == E_DAMAGED);
	body = image(0, "a.example.", 2);
	body.slot = 1;
	body.zone = good.zone;
	check_refused(roster_publish(&roster, &body, &err), E_CONFLICT,
		      "zone b.example.: the image is that of another zone");
	name_copy(&body.zone, world_name(&world, "c.example."));
	check_refused(roster_publish(&roster, &body, &err), E_NOT_FOUND,
		      "zone c.example. is published and not configured");
	body.zone.len--;
	check_refused(roster_publish(&roster, &body, &err), E_DAMAGED,
		      "the zone in slot 1 has no name");
	body = good;
	body.zone.wire[0] = 0xc0;
	check_refused(roster_publish(&roster, &body, &err), E_DAMAGED,
		      "the zone in slot 1 has no name");
	body.zone.len = 0;
	check_refused(roster_publish(&roster, &body, &err), E_DAMAGED,
		      "the zone in slot 1 has no name");
	check_refused(roster_take_segment(&roster, &segment.body, segment.reader_fd, &err),
		      E_EXISTS, "segment 1 was sent already");
	take(&good);
	serve();
	CHECK(serial_of("b.example.") == 1);
}

/* Publications as entries of one message. */
struct entries {
	uint8_t octets[4096];
	size_t len;
	uint32_t count;
};

static void entry_add(struct entries *e, const struct message_publish *publish)
{
	struct roster_entry entry = {.slot = publish->slot,
				     .layer_count = (uint16_t)publish->layer_count,
				     .name_len = publish->zone.len,
				     .expires_at = publish->expires_at};

	memcpy(e->octets + e->len, &entry, sizeof entry);
	e->len += sizeof entry;
	memcpy(e->octets + e->len, publish->layers,
	       publish->layer_count * sizeof publish->layers[0]);
	e->len += publish->layer_count * sizeof publish->layers[0];
	memcpy(e->octets + e->len, publish->zone.wire, publish->zone.len);
	e->len += (publish->zone.len + 7U) / 8 * 8;
	e->count++;
}

static enum code take_entries(const struct entries *e, size_t len, uint32_t count)
{
	struct message_roster body = {.generation = 9, .len = len, .count = count};
	int fd;

	CHECK(memfd_open("test-roster", len, &fd, NULL) == OK);
	CHECK(memfd_write(fd, 0, span_of(e->octets, len), NULL) == OK);
	enum code code = roster_take_roster(&roster, &body, fd, &err);
	close(fd);
	return code;
}

TEST(many_zones_come_in_one_message)
{
	struct entries e = {0};

	take_policy(policy_abc);
	take_segment(1);
	for (uint32_t i = 0; i < 3; i++) {
		static const char *const names[] = {"a.example.", "c.example.", "b.example."};
		struct message_publish body = image(i, names[i], i + 1);
		entry_add(&e, &body);
	}
	CHECK(take_entries(&e, e.len, e.count) == OK);
	serve();
	CHECK(serial_of("a.example.") == 1 && serial_of("c.example.") == 2);
	CHECK(serial_of("b.example.") == 3 && roster.serving == 9);
}

TEST(a_roster_that_is_not_whole_is_refused)
{
	struct entries e = {0};
	struct message_publish a, b;

	take_policy(policy_ab);
	take_segment(1);
	a = image(0, "a.example.", 1);
	b = image(1, "b.example.", 1);
	entry_add(&e, &a);
	entry_add(&e, &b);
	for (size_t len = 1; len < e.len; len++) CHECK(take_entries(&e, len, 2) == E_DAMAGED);
	CHECK(take_entries(&e, e.len, 3) == E_DAMAGED);
	for (size_t at = 4; at < 8; at++) { /* how many layers, and how long the name is */
		struct entries lie = e;
		lie.octets[at] = 0xff;
		CHECK(take_entries(&lie, lie.len, 2) != OK);
	}
	CHECK(take_entries(&e, e.len, 2) == OK);
	serve();
	CHECK(serial_of("a.example.") == 1 && serial_of("b.example.") == 1);
}

TEST(a_file_of_images_is_mapped_like_memory)
{
	char path[] = "/tmp/lockstep-pack-XXXXXX";
	struct message_segment body = {.id = 7, .is_file = 1, .len = SEGMENT_OCTETS};
	int fd = mkstemp(path), folder = open("/tmp", O_RDONLY | O_DIRECTORY);

	CHECK(fd >= 0 && folder >= 0 && unlink(path) == 0);
	CHECK(ftruncate(fd, SEGMENT_OCTETS - 1) == 0);
	CHECK(roster_take_segment(&roster, &body, fd, &err) == E_DAMAGED);
	CHECK(roster_take_segment(&roster, &body, folder, &err) == E_DAMAGED);
	CHECK(ftruncate(fd, SEGMENT_OCTETS) == 0);
	body.is_file = 0; /* its size is not sealed */
	CHECK(roster_take_segment(&roster, &body, fd, &err) == E_DAMAGED);
	take_policy(policy_ab);
	segment = (struct supply_segment){.body = {.id = 7, .is_file = 1, .len = SEGMENT_OCTETS},
					  .fd = fd,
					  .reader_fd = folder};
	if (roster_take_segment(&roster, &segment.body, fd, &err)) fail_msg("%s", err.text);
	struct message_publish publish = image(0, "a.example.", 4);
	take(&publish);
	serve();
	CHECK(serial_of("a.example.") == 4);
}

/* A front that is new was not sent what went before it began. */
TEST(what_was_never_sent_may_be_dropped_and_withdrawn)
{
	take_policy(policy_ab);
	take_segment(1);
	take_image(0, "a.example.", 1);
	serve();
	for (uint32_t i = 1; i; i *= 2) {
		roster_drop_segment(&roster, &(struct message_segment){.id = i + 1});
		roster_withdraw(&roster, &(struct message_withdraw){.slot = i, .generation = 5});
	}
	serve();
	CHECK(serial_of("a.example.") == 1 && roster.serving == 5 && roster.released == 5);
	roster_drop_segment(&roster, &segment.body);
	roster_drop_segment(&roster, &segment.body);
	roster_withdraw(&roster, &(struct message_withdraw){.slot = 0});
	roster_withdraw(&roster, &(struct message_withdraw){.slot = 0});
	serve();
	CHECK(!find("a.example.") && !roster.mappings);
}

TEST(memory_that_is_no_segment_is_refused)
{
	struct message_segment body = {.id = 4, .len = SEGMENT_OCTETS};
	int ends[2];

	CHECK(pipe(ends) == 0);
	CHECK(roster_take_segment(&roster, &body, ends[0], &err) == E_DAMAGED);
	take_segment(5);
	body.len = SEGMENT_OCTETS + 1;
	CHECK(roster_take_segment(&roster, &body, segment.reader_fd, &err) == E_DAMAGED);
	CHECK(roster_take_policy(&roster, &(struct message_policy){.len = 100}, ends[0], &err) ==
	      E_DAMAGED);
	CHECK(roster_take_policy(&roster, &(struct message_policy){.len = 100}, segment.reader_fd,
				 &err) == E_DAMAGED);
	CHECK(!atomic_load(&roster.policy));
	close(ends[0]);
	close(ends[1]);
}

TEST(a_zone_before_the_policy_is_refused)
{
	struct message_publish body = supply_image(&world, NULL, 0, "a.example.", NULL);

	CHECK(roster_publish(&roster, &body, &err) == E_CONFLICT);
	assert_string_equal(err.text, "a zone came before the policy");
}

/* ---- with readers ---- */

static _Atomic bool readers_stop;
static _Atomic uint64_t looks;

/* What a worker may do with a version: read all of it. */
static void look_at(const struct publication *zone)
{
	struct node node;
	struct rrset soa;
	size_t at = 0;
	struct span rdata;

	if (!publication_is_loaded(zone)) return;
	bool found = view_find_exact(&zone->view, zone->name, &node) &&
		     node_rrset(&node, RRTYPE_SOA, &soa) && rrset_next(&soa, &at, &rdata);
	/* A failed check may not leave this thread by a jump. */
	if (!found || zone->policy->name.len != zone->name.len) abort();
	struct reader r = reader_of(rdata);
	r.at = rdata.len - 20;
	if (read_u32(&r) != view_serial(&zone->view)) abort();
}

static void *reader_run(void *context)
{
	unsigned index = *(unsigned *)context;
	struct publication *pinned = NULL;
	struct front_policy *pinned_policy = NULL;
	struct name_buffer name;

	if (name_from_text(span_of_text("a.example."), NULL, &name, NULL)) abort();
	for (unsigned turn = 0; !atomic_load(&readers_stop); turn++) {
		directory_reader_begin(roster.directory, index);
		struct front_policy *policy = atomic_load(&roster.policy);
		struct publication *zone = directory_find(roster.directory, name_of(&name));
		if (policy->policy->zone_count == 0) abort();
		if (zone) look_at(zone);
		if (zone && !pinned && turn % 16 == index) {
			publication_pin(pinned = zone);
			front_policy_pin(pinned_policy = policy);
		}
		directory_reader_end(roster.directory, index);
		if (pinned) look_at(pinned);
		if (pinned && turn % 16 == 15) {
			if (pinned_policy->policy->zone_count == 0) abort();
			publication_unpin(pinned);
			front_policy_unpin(pinned_policy);
			pinned = NULL;
		}
		atomic_fetch_add(&looks, 1);
	}
	if (pinned) {
		publication_unpin(pinned);
		front_policy_unpin(pinned_policy);
	}
	return NULL;
}

static void await_looks(void)
{
	uint64_t from = atomic_load(&looks);

	while (atomic_load(&looks) < from + 8) sched_yield();
}

TEST(readers_see_whole_versions_while_everything_changes)
{
	static unsigned indexes[READER_COUNT] = {0, 1, 2};
	pthread_t threads[READER_COUNT];

	take_policy(policy_ab);
	serve();
	atomic_store(&readers_stop, false);
	for (int i = 0; i < READER_COUNT; i++)
		CHECK(pthread_create(&threads[i], NULL, reader_run, &indexes[i]) == 0);
	for (uint32_t round = 1; round <= 60; round++) {
		struct message_withdraw withdraw = {.slot = 0, .generation = round};
		if (round % 20 == 10) roster_keeper_changed(&roster);
		take_policy(round % 2 ? policy_ab : policy_abc);
		take_segment(round);
		take_image(0, "a.example.", round);
		take_image(1, "b.example.", round);
		roster_serve(&roster);
		roster_reclaim(&roster);
		roster_drop_segment(&roster, &segment.body);
		supply_segment_close(&segment);
		segment = (struct supply_segment){0};
		await_looks();
		if (round % 7 == 0) {
			roster_withdraw(&roster, &withdraw);
			roster_serve(&roster);
			await_looks();
		}
		roster_reclaim(&roster);
	}
	atomic_store(&readers_stop, true);
	for (int i = 0; i < READER_COUNT; i++) pthread_join(threads[i], NULL);
	CHECK(roster_reclaim(&roster));
	CHECK(!roster.former && roster.released == roster.serving);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		ROW(what_was_published_is_served_and_released),
		ROW(a_zone_without_an_image_is_known_and_not_loaded),
		ROW(a_new_expire_instant_needs_no_new_version),
		ROW(a_pinned_version_holds_back_what_is_released),
		ROW(generations_served_while_one_is_held_back_are_released_together),
		ROW(zones_move_to_a_new_policy_and_let_the_old_one_go),
		ROW(a_pinned_policy_outlives_its_zones),
		ROW(a_new_keeper_replaces_what_the_former_one_published),
		ROW(a_new_keepers_generations_may_be_lower),
		ROW(the_directory_grows_with_the_zones),
		ROW(what_breaks_a_rule_is_refused_and_changes_nothing),
		ROW(many_zones_come_in_one_message),
		ROW(a_roster_that_is_not_whole_is_refused),
		ROW(a_file_of_images_is_mapped_like_memory),
		ROW(what_was_never_sent_may_be_dropped_and_withdrawn),
		ROW(memory_that_is_no_segment_is_refused),
		ROW(a_zone_before_the_policy_is_refused),
		ROW(readers_see_whole_versions_while_everything_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
