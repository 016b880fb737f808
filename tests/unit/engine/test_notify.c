/* SPDX-License-Identifier: Apache-2.0 */
/* Telling a secondary: RFC 1996 3.6, and what DESIGN adds to it. */
#include "unit.h"

#include "engine/primary/notify.h"

static bool feed(struct notify *n, enum notify_event_kind kind, instant_ns now, uint32_t serial)
{
	return notify_step(n, &(struct notify_event){kind, now, serial});
}

TEST(the_first_goes_at_once_and_an_answer_ends_it)
{
	struct notify n;

	notify_init(&n);
	CHECK(feed(&n, NOTIFY_SERVED, 0, 7) && n.sent_serial == 7 && !n.confirmed);
	CHECK(!feed(&n, NOTIFY_ANSWERED, 1, 0) && n.confirmed);
	CHECK(n.next_at == INSTANT_NEVER && !feed(&n, NOTIFY_TICK, INT64_MAX - 1, 0));
}

TEST(a_newer_version_waits_for_the_answer_under_way)
{
	struct notify n;

	notify_init(&n);
	CHECK(feed(&n, NOTIFY_SERVED, 0, 7));
	for (uint32_t serial = 8; serial < 100; serial++)
		CHECK(!feed(&n, NOTIFY_SERVED, 1, serial));
	CHECK(feed(&n, NOTIFY_ANSWERED, 2, 0) && n.sent_serial == 99);
	CHECK(!feed(&n, NOTIFY_ANSWERED, 3, 0) && n.confirmed);
}

TEST(a_silent_peer_is_told_again_ever_more_slowly_and_for_ever)
{
	struct notify n;
	instant_ns now = 0, wait = 0;

	notify_init(&n);
	CHECK(feed(&n, NOTIFY_SERVED, now, 7));
	for (int i = 0; i < 40; i++) {
		CHECK(!feed(&n, NOTIFY_FAILED, now, 0));
		CHECK(n.next_at - now >= wait && n.next_at - now <= NOTIFY_RETRY_MAX);
		wait = n.next_at - now;
		now = n.next_at;
		CHECK(!feed(&n, NOTIFY_TICK, now - 1, 0));
		CHECK(feed(&n, NOTIFY_TICK, now, 0));
	}
	CHECK(wait == NOTIFY_RETRY_MAX);
}

TEST(a_newer_version_goes_at_once_to_a_peer_that_was_silent)
{
	struct notify n;

	notify_init(&n);
	CHECK(feed(&n, NOTIFY_SERVED, 0, 7));
	CHECK(!feed(&n, NOTIFY_FAILED, 0, 0));
	CHECK(feed(&n, NOTIFY_SERVED, 1, 8) && n.sent_serial == 8);
}

TEST(answers_nobody_waits_for_change_nothing)
{
	struct notify n, before;

	notify_init(&n);
	before = n;
	CHECK(!feed(&n, NOTIFY_ANSWERED, 1, 0) && !feed(&n, NOTIFY_FAILED, 1, 0));
	assert_memory_equal(&n, &before, sizeof n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_goes_at_once_and_an_answer_ends_it),
		cmocka_unit_test(a_newer_version_waits_for_the_answer_under_way),
		cmocka_unit_test(a_silent_peer_is_told_again_ever_more_slowly_and_for_ever),
		cmocka_unit_test(a_newer_version_goes_at_once_to_a_peer_that_was_silent),
		cmocka_unit_test(answers_nobody_waits_for_change_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
