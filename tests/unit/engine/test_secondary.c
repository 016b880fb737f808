/* SPDX-License-Identifier: Apache-2.0 */
/* The secondary's timers: RFC 1034 4.3.5, RFC 1996, RFC 1982, several primaries. */
#include "unit.h"

#include "engine/secondary/secondary.h"

#define S NS_PER_S

static struct secondary_intervals hour = {3600 * S, 600 * S, 86400 * S};

static enum secondary_action feed(struct secondary *s, enum secondary_event_kind kind,
				  instant_ns now, uint32_t serial)
{
	return secondary_step(s, &(struct secondary_event){.kind = kind,
							   .now = now,
							   .serial = serial,
							   .has_serial = true,
							   .intervals = hour});
}

/* A machine that holds serial 10, confirmed at second 0, with nothing under way. */
static struct secondary holding(size_t primaries)
{
	struct secondary s;

	secondary_init(&s, primaries);
	assert_int_equal(secondary_step(&s, &(struct secondary_event){.kind = SECONDARY_START}),
			 SECONDARY_TRANSFER);
	assert_int_equal(feed(&s, SECONDARY_TRANSFERRED, 0, 10), SECONDARY_NONE);
	return s;
}

TEST(a_zone_never_held_is_fetched_at_once_and_retried_soon)
{
	struct secondary s;

	secondary_init(&s, 1);
	assert_int_equal(secondary_step(&s, &(struct secondary_event){.kind = SECONDARY_START}),
			 SECONDARY_TRANSFER);
	instant_ns now = 0;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(feed(&s, SECONDARY_FAILED, now, 0), SECONDARY_NONE);
		CHECK(s.next_at > now && s.next_at - now <= 60 * S);
		now = s.next_at;
		assert_int_equal(feed(&s, SECONDARY_TICK, now, 0), SECONDARY_TRANSFER);
	}
}

TEST(a_restored_version_is_checked_at_once_and_keeps_its_age)
{
	struct secondary s;

	secondary_init(&s, 1);
	struct secondary_event start = {.kind = SECONDARY_START,
					.now = 5000 * S,
					.has_version = true,
					.serial = 10,
					.confirmed_at = 1000 * S,
					.intervals = hour};
	assert_int_equal(secondary_step(&s, &start), SECONDARY_ASK_SOA);
	CHECK(secondary_expires_at(&s) == 1000 * S + 86400 * S);
}

TEST(refresh_asks_for_the_serial_and_transfers_only_a_newer_one)
{
	struct secondary s = holding(1);

	CHECK(s.next_at == 3600 * S);
	assert_int_equal(feed(&s, SECONDARY_TICK, s.next_at - 1, 0), SECONDARY_NONE);
	assert_int_equal(feed(&s, SECONDARY_TICK, s.next_at, 0), SECONDARY_ASK_SOA);
	assert_int_equal(feed(&s, SECONDARY_SOA, 3601 * S, 10), SECONDARY_NONE);
	CHECK(s.confirmed_at == 3601 * S && s.next_at == 7201 * S);

	assert_int_equal(feed(&s, SECONDARY_TICK, s.next_at, 0), SECONDARY_ASK_SOA);
	assert_int_equal(feed(&s, SECONDARY_SOA, 7202 * S, 11), SECONDARY_TRANSFER);
	CHECK(s.confirmed_at == 3601 * S);
	assert_int_equal(feed(&s, SECONDARY_TRANSFERRED, 7203 * S, 11), SECONDARY_NONE);
	CHECK(s.serial == 11 && s.confirmed_at == 7203 * S);
}

/* RFC 1982: 4294967295 is older than 1. */
TEST(serials_wrap_around)
{
	struct secondary s = holding(1);

	s.serial = UINT32_MAX;
	feed(&s, SECONDARY_TICK, s.next_at, 0);
	assert_int_equal(feed(&s, SECONDARY_SOA, 3601 * S, 1), SECONDARY_TRANSFER);
}

TEST(an_older_serial_neither_confirms_nor_replaces)
{
	struct secondary s = holding(1);

	feed(&s, SECONDARY_TICK, s.next_at, 0);
	assert_int_equal(feed(&s, SECONDARY_SOA, 3601 * S, 9), SECONDARY_NONE);
	CHECK(s.confirmed_at == 0 && s.serial == 10);
	CHECK(s.next_at == (3601 + 600) * S);
}

TEST(a_failure_tries_the_next_primary_at_once_then_waits_for_retry)
{
	struct secondary s = holding(3);

	assert_int_equal(feed(&s, SECONDARY_TICK, 3600 * S, 0), SECONDARY_ASK_SOA);
	CHECK(s.primary == 0);
	assert_int_equal(feed(&s, SECONDARY_FAILED, 3605 * S, 0), SECONDARY_ASK_SOA);
	CHECK(s.primary == 1);
	assert_int_equal(feed(&s, SECONDARY_FAILED, 3610 * S, 0), SECONDARY_ASK_SOA);
	CHECK(s.primary == 2);
	assert_int_equal(feed(&s, SECONDARY_FAILED, 3615 * S, 0), SECONDARY_NONE);
	CHECK(s.next_at == 4215 * S);
}

TEST(the_primary_that_served_last_is_asked_first)
{
	struct secondary s = holding(2);

	feed(&s, SECONDARY_TICK, 3600 * S, 0);
	feed(&s, SECONDARY_FAILED, 3601 * S, 0);
	assert_int_equal(feed(&s, SECONDARY_SOA, 3602 * S, 10), SECONDARY_NONE);
	feed(&s, SECONDARY_TICK, s.next_at, 0);
	CHECK(s.primary == 1);
}

/* RFC 1996 3.11. */
TEST(notify_asks_at_once_unless_it_brings_nothing_new)
{
	struct secondary s = holding(2);

	assert_int_equal(feed(&s, SECONDARY_NOTIFY, 10 * S, 10), SECONDARY_NONE);
	struct secondary_event notify = {.kind = SECONDARY_NOTIFY,
					 .now = 10 * S,
					 .primary = 1,
					 .serial = 11,
					 .has_serial = true};
	assert_int_equal(secondary_step(&s, &notify), SECONDARY_ASK_SOA);
	CHECK(s.primary == 1);
}

/* RFC 1996 4.3: it is the one that sent it which has the news; another may lag. */
TEST(the_primary_that_told_is_asked_when_the_other_is_through)
{
	struct secondary s = holding(3);
	struct secondary_event notify = {
		.kind = SECONDARY_NOTIFY, .primary = 2, .serial = 11, .has_serial = true};

	feed(&s, SECONDARY_TICK, s.next_at, 0);
	assert_int_equal(secondary_step(&s, &notify), SECONDARY_NONE);
	assert_int_equal(feed(&s, SECONDARY_SOA, 3601 * S, 10), SECONDARY_ASK_SOA);
	CHECK(s.primary == 2);
	assert_int_equal(feed(&s, SECONDARY_SOA, 3602 * S, 11), SECONDARY_TRANSFER);
	assert_int_equal(feed(&s, SECONDARY_TRANSFERRED, 3603 * S, 11), SECONDARY_NONE);

	/* Also when the one that is asked fails, and another one confirms. */
	notify.primary = 1;
	notify.serial = 12;
	feed(&s, SECONDARY_TICK, s.next_at, 0);
	assert_int_equal(secondary_step(&s, &notify), SECONDARY_NONE);
	assert_int_equal(feed(&s, SECONDARY_FAILED, 7300 * S, 0), SECONDARY_ASK_SOA);
	CHECK(s.primary == 0);
	assert_int_equal(feed(&s, SECONDARY_SOA, 7301 * S, 11), SECONDARY_ASK_SOA);
	CHECK(s.primary == 1);
	assert_int_equal(feed(&s, SECONDARY_SOA, 7302 * S, 11), SECONDARY_NONE);
}

TEST(a_plain_order_does_not_take_back_a_forced_one)
{
	struct secondary s = holding(1);
	struct secondary_event order = {.kind = SECONDARY_ORDER, .forced = true};

	feed(&s, SECONDARY_TICK, s.next_at, 0);
	assert_int_equal(secondary_step(&s, &order), SECONDARY_NONE);
	order.forced = false;
	assert_int_equal(secondary_step(&s, &order), SECONDARY_NONE);
	assert_int_equal(feed(&s, SECONDARY_FAILED, 3601 * S, 0), SECONDARY_TRANSFER);
}

TEST(a_storm_of_notifies_is_one_question_now_and_one_afterwards)
{
	struct secondary s = holding(1);

	assert_int_equal(feed(&s, SECONDARY_NOTIFY, 10 * S, 11), SECONDARY_ASK_SOA);
	for (uint32_t i = 12; i < 1000; i++)
		assert_int_equal(feed(&s, SECONDARY_NOTIFY, 10 * S, i), SECONDARY_NONE);
	assert_int_equal(feed(&s, SECONDARY_SOA, 11 * S, 11), SECONDARY_TRANSFER);
	assert_int_equal(feed(&s, SECONDARY_TRANSFERRED, 12 * S, 11), SECONDARY_ASK_SOA);
	assert_int_equal(feed(&s, SECONDARY_SOA, 13 * S, 11), SECONDARY_NONE);
}

TEST(an_answer_nobody_asked_for_changes_nothing)
{
	struct secondary s = holding(1), before = s;

	assert_int_equal(feed(&s, SECONDARY_SOA, 20 * S, 4000), SECONDARY_NONE);
	assert_int_equal(feed(&s, SECONDARY_TRANSFERRED, 20 * S, 4000), SECONDARY_NONE);
	assert_int_equal(feed(&s, SECONDARY_FAILED, 20 * S, 0), SECONDARY_NONE);
	assert_memory_equal(&s, &before, sizeof s);
}

TEST(force_takes_whatever_the_primary_has)
{
	struct secondary s = holding(1);
	struct secondary_event order = {.kind = SECONDARY_ORDER, .now = 5 * S, .forced = true};

	assert_int_equal(secondary_step(&s, &order), SECONDARY_TRANSFER);
	assert_int_equal(feed(&s, SECONDARY_TRANSFERRED, 6 * S, 3), SECONDARY_NONE);
	CHECK(s.serial == 3 && !s.forced);
}

TEST(expire_counts_from_the_last_confirmation)
{
	struct secondary s = holding(1);

	CHECK(secondary_expires_at(&s) == 86400 * S);
	feed(&s, SECONDARY_TICK, 3600 * S, 0);
	feed(&s, SECONDARY_FAILED, 3601 * S, 0);
	CHECK(secondary_expires_at(&s) == 86400 * S);
	s.intervals.expire_ns = INT64_MAX;
	s.confirmed_at = 1;
	CHECK(secondary_expires_at(&s) == INSTANT_NEVER);
}

TEST(jitter_only_ever_asks_earlier_and_by_a_tenth_at_most)
{
	for (uint32_t jitter = 0; jitter < 0x10000; jitter += 257) {
		struct secondary s = holding(1);
		feed(&s, SECONDARY_TICK, 3600 * S, 0);
		struct secondary_event e = {
			.kind = SECONDARY_SOA, .now = 0, .serial = 10, .jitter = jitter};
		secondary_step(&s, &e);
		CHECK(s.next_at <= 3600 * S && s.next_at >= 3240 * S);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_never_held_is_fetched_at_once_and_retried_soon),
		cmocka_unit_test(a_restored_version_is_checked_at_once_and_keeps_its_age),
		cmocka_unit_test(refresh_asks_for_the_serial_and_transfers_only_a_newer_one),
		cmocka_unit_test(serials_wrap_around),
		cmocka_unit_test(an_older_serial_neither_confirms_nor_replaces),
		cmocka_unit_test(a_failure_tries_the_next_primary_at_once_then_waits_for_retry),
		cmocka_unit_test(the_primary_that_served_last_is_asked_first),
		cmocka_unit_test(notify_asks_at_once_unless_it_brings_nothing_new),
		cmocka_unit_test(the_primary_that_told_is_asked_when_the_other_is_through),
		cmocka_unit_test(a_plain_order_does_not_take_back_a_forced_one),
		cmocka_unit_test(a_storm_of_notifies_is_one_question_now_and_one_afterwards),
		cmocka_unit_test(an_answer_nobody_asked_for_changes_nothing),
		cmocka_unit_test(force_takes_whatever_the_primary_has),
		cmocka_unit_test(expire_counts_from_the_last_confirmation),
		cmocka_unit_test(jitter_only_ever_asks_earlier_and_by_a_tenth_at_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
