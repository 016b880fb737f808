/* SPDX-License-Identifier: Apache-2.0 */
/* The front over TCP (RFC 7766): streams in any pieces, and who may stay connected. */
#include "front_stage.h"

#include "server/front/worker.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

TEST(messages_in_one_segment_and_octets_one_by_one_are_the_same)
{
	static const char *const questions[] = {"a.example. SOA", "a.example. NS",
						"serial.a.example. TXT"};
	uint8_t octets[512];
	size_t len = 0;

	begin();
	for (size_t i = 0; i < ARRAY_COUNT(questions); i++) {
		struct span question = client_question(stage, questions[i]);
		memcpy(octets + len, question.ptr, question.len);
		len += question.len;
	}
	int fd = client_open(TRANSPORT_TCP, &stage->tcp);
	client_send(fd, span_of(octets, len));
	for (size_t i = 0; i < ARRAY_COUNT(questions); i++)
		CHECK(client_message(stage, fd).len > 12);
	for (size_t i = 0; i < len; i++) client_send(fd, span_of(octets + i, 1));
	for (size_t i = 0; i < ARRAY_COUNT(questions); i++)
		CHECK(client_message(stage, fd).len > 12);
	/* RFC 7766 6.2.3: what came before the client's end is still answered. */
	client_send(fd, span_of(octets, len));
	shutdown(fd, SHUT_WR);
	for (size_t i = 0; i < ARRAY_COUNT(questions); i++)
		CHECK(client_message(stage, fd).len > 12);
	CHECK(client_message(stage, fd).len == 0);
	close(fd);
	CHECK(stage_stats(stage)[METRIC_QUERIES_TCP] == 3 * ARRAY_COUNT(questions));
}

/* More replies than the sockets hold: we stop reading, and go on when the client does. */
TEST(a_client_that_reads_late_gets_every_answer)
{
	enum { QUESTIONS = 3000 };
	size_t asked = 0, answered = 0;

	begin();
	int fd = client_open(TRANSPORT_TCP, &stage->tcp);
	while (asked < QUESTIONS) {
		struct pollfd ready = {.fd = fd, .events = POLLOUT};
		struct span question = client_question(stage, "a.example. ANY do nsid");
		if (poll(&ready, 1, 0) == 0 && answered < asked) {
			CHECK(client_message(stage, fd).len > 12);
			answered++;
			continue;
		}
		client_send(fd, question);
		asked++;
	}
	for (; answered < asked; answered++) CHECK(client_message(stage, fd).len > 12);
	close(fd);
}

TEST(who_announces_less_than_a_header_is_put_out)
{
	begin();
	int fd = client_open(TRANSPORT_TCP, &stage->tcp);
	client_send(fd, span_of("\0\5hello", 7));
	CHECK(client_message(stage, fd).len == 0);
	close(fd);
	CHECK(stage_serial(stage, "a.example.") == 1);
}

/* Whichever workers they come to. */
TEST(the_idlest_connection_of_an_address_makes_room)
{
	enum { MAX = 4, COUNT = 3 * MAX };
	int fds[COUNT];

	stage_policy(stage, "limits: {tcp-connections-per-address: 4}\n"
			    "zones: [{name: a.example, role: primary}]\n");
	stage_segment(stage);
	stage_serve(stage, 0, "a.example.", 1);
	stage_roster_end(stage);
	for (int i = 0; i < COUNT; i++) {
		fds[i] = client_open(TRANSPORT_TCP, &stage->tcp);
		client_send(fds[i], client_question(stage, "a.example. SOA"));
		CHECK(client_message(stage, fds[i]).len > 12);
	}
	const uint64_t *stats = stage_stats(stage);
	while (stats[METRIC_TCP_OPEN] > MAX) stats = stage_stats(stage);
	CHECK(stats[METRIC_TCP_OPEN] == MAX && stats[METRIC_TCP_EVICTED] == COUNT - MAX);
	CHECK(stats[METRIC_TCP_ACCEPTED] == COUNT && stats[METRIC_TCP_REFUSED] == 0);
	for (int i = 0; i < COUNT; i++) close(fds[i]);
}

/* Whichever worker they come to. */
TEST(the_cap_on_connections_is_one_for_all_workers)
{
	enum { MAX = 10, COUNT = 3 * MAX };
	int fds[COUNT];

	stage_policy(stage, "limits: {tcp-connections: 10}\n"
			    "zones: [{name: a.example, role: primary}]\n");
	stage_segment(stage);
	stage_serve(stage, 0, "a.example.", 1);
	stage_roster_end(stage);
	for (int i = 0; i < COUNT; i++) {
		fds[i] = client_open(TRANSPORT_TCP, &stage->tcp);
		client_send(fds[i], client_question(stage, "a.example. SOA"));
		CHECK(client_message(stage, fds[i]).len > 12);
	}
	const uint64_t *stats = stage_stats(stage);
	while (stats[METRIC_TCP_OPEN] > MAX) stats = stage_stats(stage);
	CHECK(stats[METRIC_TCP_OPEN] == MAX && stats[METRIC_TCP_EVICTED] == COUNT - MAX);
	CHECK(stats[METRIC_TCP_ACCEPTED] == COUNT && stats[METRIC_TCP_REFUSED] == 0);
	for (int i = 0; i < COUNT; i++) close(fds[i]);
}

TEST(more_connections_find_more_places)
{
	enum { COUNT = 3 * STREAMS_MIN };
	int fds[COUNT];

	stage_policy(stage, "limits: {tcp-connections-per-address: 10000}\n"
			    "zones: [{name: a.example, role: primary}]\n");
	stage_segment(stage);
	stage_serve(stage, 0, "a.example.", 1);
	stage_roster_end(stage);
	for (int turn = 0; turn < 2; turn++) {
		for (int i = 0; i < COUNT; i++) {
			if (turn == 0) fds[i] = client_open(TRANSPORT_TCP, &stage->tcp);
			client_send(fds[i], client_question(stage, "a.example. SOA"));
			CHECK(client_message(stage, fds[i]).len > 12);
		}
	}
	const uint64_t *stats = stage_stats(stage);
	CHECK(stats[METRIC_TCP_OPEN] == COUNT && stats[METRIC_TCP_EVICTED] == 0);
	for (int i = 0; i < COUNT; i++) close(fds[i]);
}

TEST(an_idle_connection_is_closed)
{
	stage_policy(stage, "limits: {tcp-idle: 1s}\n"
			    "zones: [{name: a.example, role: primary}]\n");
	stage_roster_end(stage);
	int idle = client_open(TRANSPORT_TCP, &stage->tcp);
	int half = client_open(TRANSPORT_TCP, &stage->tcp);
	client_send(half, span_of("\0\100half a message", 16));
	CHECK(client_message(stage, idle).len == 0 && client_message(stage, half).len == 0);
	CHECK(stage_stats(stage)[METRIC_TCP_TIMED_OUT] == 2);
	close(idle);
	close(half);
}

/*
 * Clients in a process of their own: they may have descriptors when the front has none.
 * Who is turned away, because that worker had no connection to close, comes again.
 */
static void clients_run(int count)
{
	uint8_t octets[512];

	for (int answered = 0; answered < count;) {
		struct span question = client_question(stage, "a.example. SOA");
		int fd = client_open(TRANSPORT_TCP, &stage->tcp);
		size_t done;
		if (socket_send(fd, question, &done)) continue;
		answered += client_receive(fd, octets, sizeof octets).len > 12;
	}
}

TEST(when_descriptors_run_out_the_idlest_connection_goes)
{
	enum { FREE_DESCRIPTORS = 8, CLIENTS = 5 * FREE_DESCRIPTORS };
	struct rlimit before, tight;
	int status, end = 0;

	begin();
	for (int left = FREE_DESCRIPTORS; left > 0; end++) left -= fcntl(end, F_GETFD) < 0;
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	tight = before;
	tight.rlim_cur = (rlim_t)end;
	CHECK(setrlimit(RLIMIT_NOFILE, &tight) == 0);
	pid_t child = fork();
	if (child == 0) {
		if (setrlimit(RLIMIT_NOFILE, &before)) _exit(1);
		clients_run(CLIENTS);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	const uint64_t *stats = stage_stats(stage);
	CHECK(stats[METRIC_TCP_ACCEPTED] >= CLIENTS && stats[METRIC_TCP_EVICTED] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
		ROW(messages_in_one_segment_and_octets_one_by_one_are_the_same),
		ROW(a_client_that_reads_late_gets_every_answer),
		ROW(who_announces_less_than_a_header_is_put_out),
		ROW(the_idlest_connection_of_an_address_makes_room),
		ROW(the_cap_on_connections_is_one_for_all_workers),
		ROW(more_connections_find_more_places),
		ROW(an_idle_connection_is_closed),
		ROW(when_descriptors_run_out_the_idlest_connection_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
