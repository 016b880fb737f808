/* SPDX-License-Identifier: Apache-2.0 */
/* From the workers to the control thread; and the table of what is counted. */
#include "unit.h"

#include "server/front/mailbox.h"
#include "server/metrics.h"

#include <stdatomic.h>
#include <stdio.h>

enum { POSTERS = 3, NOTES_EACH = 2000 };

static struct mailbox mailbox;
static struct loop *loop;
static size_t rings;

static void rung(void *context)
{
	(void)context;
	rings++;
}

static int setup(void **state)
{
	(void)state;
	rings = 0;
	CHECK(loop_new(&loop, NULL) == OK);
	CHECK(mailbox_open(&mailbox, loop, rung, NULL, NULL) == OK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mailbox_close(&mailbox, loop);
	loop_free(loop);
	return 0;
}

static struct note notify_of(const char *zone, uint32_t primary, uint32_t serial)
{
	struct note note = {.kind = NOTE_NOTIFY, .notify = {.primary = primary, .serial = serial}};

	CHECK(name_from_text(span_of_text(zone), NULL, &note.notify.zone, NULL) == OK);
	return note;
}

static bool post_notify(const char *zone, uint32_t primary, uint32_t serial)
{
	struct note note = notify_of(zone, primary, serial);

	return mailbox_post(&mailbox, &note);
}

TEST(notes_come_out_in_their_order_and_ring_once)
{
	struct note note;

	CHECK(!mailbox_take(&mailbox, &note));
	CHECK(post_notify("a.", 0, 1) && post_notify("b.", 0, 2));
	loop_turn(loop, true);
	CHECK(rings == 1);
	CHECK(mailbox_take(&mailbox, &note) && note.notify.serial == 1);
	CHECK(mailbox_take(&mailbox, &note) && note.notify.serial == 2);
	CHECK(!mailbox_take(&mailbox, &note));
}

/* RFC 1996 4.4: of several, the newest is enough. */
TEST(a_notify_takes_the_place_of_the_one_before)
{
	struct note note;

	CHECK(post_notify("a.", 0, 1) && post_notify("a.", 1, 2) && post_notify("b.", 0, 3));
	CHECK(post_notify("A.", 0, 4));
	CHECK(mailbox_take(&mailbox, &note) && note.notify.serial == 4);
	CHECK(mailbox_take(&mailbox, &note) && note.notify.serial == 2);
	CHECK(mailbox_take(&mailbox, &note) && note.notify.serial == 3);
	CHECK(!mailbox_take(&mailbox, &note));
}

TEST(what_does_not_fit_is_lost_and_the_poster_knows)
{
	const struct note sent = {.kind = NOTE_TRANSFER_SENT};
	struct note note;
	char zone[32];

	for (unsigned i = 0; i < MAILBOX_NOTES_MAX; i++) {
		snprintf(zone, sizeof zone, "z%u.", i);
		CHECK(post_notify(zone, 0, i));
	}
	CHECK(!post_notify("one-more.", 0, 1) && !mailbox_post(&mailbox, &sent));
	CHECK(post_notify("z7.", 0, 1000)); /* still fits: in its place */
	loop_turn(loop, true);
	CHECK(rings == 1);
	for (unsigned i = 0; i < MAILBOX_NOTES_MAX; i++) {
		CHECK(mailbox_take(&mailbox, &note));
		CHECK(note.notify.serial == (i == 7 ? 1000 : i));
	}
	CHECK(mailbox_post(&mailbox, &sent) && mailbox_post(&mailbox, &sent));
	CHECK(mailbox_take(&mailbox, &note) && mailbox_take(&mailbox, &note));
	CHECK(!mailbox_take(&mailbox, &note));
}

static _Atomic unsigned posters_done;

static void *poster_run(void *context)
{
	struct note note = {.kind = NOTE_TRANSFER_SENT,
			    .sent = {.serial = *(unsigned *)context, .record_count = 0}};

	while (note.sent.record_count < NOTES_EACH)
		if (mailbox_post(&mailbox, &note)) note.sent.record_count++;
	atomic_fetch_add(&posters_done, 1);
	wakeup_ring(&mailbox.wakeup);
	return NULL;
}

TEST(no_note_of_several_threads_is_lost_or_mixed_up)
{
	static unsigned numbers[POSTERS] = {0, 1, 2};
	uint64_t next[POSTERS] = {0};
	pthread_t threads[POSTERS];
	struct note note;

	atomic_store(&posters_done, 0);
	for (int i = 0; i < POSTERS; i++)
		CHECK(pthread_create(&threads[i], NULL, poster_run, &numbers[i]) == 0);
	while (atomic_load(&posters_done) < POSTERS || mailbox.count > 0) {
		loop_turn(loop, true);
		while (mailbox_take(&mailbox, &note))
			CHECK(note.sent.record_count == next[note.sent.serial]++);
	}
	for (int i = 0; i < POSTERS; i++) {
		pthread_join(threads[i], NULL);
		CHECK(next[i] == NOTES_EACH);
	}
}

/* ---- metrics ---- */

static char json_text_of[1 << 14];

static void sink(void *context, struct span chunk)
{
	(void)context;
	strncat(json_text_of, (const char *)chunk.ptr, chunk.len);
}

TEST(every_metric_has_a_name_of_its_own_and_is_written_with_its_value)
{
	struct message_front_stats stats;
	struct json json;
	char pair[128];

	for (uint64_t i = 0; i < ARRAY_COUNT(stats.counters); i++) stats.counters[i] = 1000 + i;
	json_text_of[0] = '\0';
	json_init(&json, sink, NULL);
	metrics_write(&stats, &json);
	json_end(&json);
	for (enum metric metric = 0; metric < METRIC_COUNT; metric++) {
		snprintf(pair, sizeof pair, "\"%s\":%u", metric_name(metric), 1000 + metric);
		CHECK(strstr(json_text_of, pair));
		CHECK(strlen(metric_words(metric)) > 10);
		for (enum metric other = 0; other < metric; other++)
			CHECK(strcmp(metric_name(other), metric_name(metric)) != 0);
	}
	CHECK(metric_is_gauge(METRIC_TCP_OPEN) && !metric_is_gauge(METRIC_QUERIES_UDP));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		ROW(notes_come_out_in_their_order_and_ring_once),
		ROW(a_notify_takes_the_place_of_the_one_before),
		ROW(what_does_not_fit_is_lost_and_the_poster_knows),
		ROW(no_note_of_several_threads_is_lost_or_mixed_up),
		cmocka_unit_test(every_metric_has_a_name_of_its_own_and_is_written_with_its_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
