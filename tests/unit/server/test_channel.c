/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "server/channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KIND_NUMBER = 1, KIND_FILE, KIND_BYTES, KIND_FOREIGN, KIND_COUNT };
enum { TAIL_MAX = 60000 };

struct number {
	struct message_head head;
	uint64_t value;
};

#define KEEPER (1U << PROCESS_KEEPER)
#define FRONT  (1U << PROCESS_FRONT)

static const struct message_rule rules[KIND_COUNT] = {
	[KIND_NUMBER] = {"NUMBER", sizeof(struct number), sizeof(struct number), false,
			 KEEPER | FRONT, KEEPER | FRONT},
	[KIND_FILE] = {"FILE", sizeof(struct message_empty), sizeof(struct message_empty), true,
		       KEEPER, FRONT},
	[KIND_BYTES] = {"BYTES", sizeof(struct number), sizeof(struct number) + TAIL_MAX, false,
			KEEPER, FRONT},
	[KIND_FOREIGN] = {"FOREIGN", sizeof(struct message_empty), sizeof(struct message_empty),
			  false, FRONT, KEEPER},
};
static const struct message_table table = {rules, KIND_COUNT};

/* One end and what happened at it. */
struct end {
	struct channel *channel;
	uint64_t expected;
	size_t received;
	int kept_fd;
	int rooms;
	bool frees_itself;
	enum code closed;
	char why[256];
};

struct bench {
	struct loop *loop;
	struct end keeper, front;
};

static void received(void *context, struct channel_message *m)
{
	struct end *end = context;

	end->received++;
	if (m->kind == KIND_NUMBER || m->kind == KIND_BYTES) {
		const struct number *n = m->body;
		CHECK(n->value == end->expected);
		for (size_t i = 0; i < m->tail.len; i++) CHECK(m->tail.ptr[i] == (uint8_t)n->value);
		end->expected++;
	}
	if (m->kind == KIND_FILE) {
		end->kept_fd = m->fd;
		m->fd = -1;
	}
	if (end->frees_itself) {
		channel_free(end->channel);
		end->channel = NULL;
	}
}

static void closed(void *context, enum code code, const char *why)
{
	struct end *end = context;

	CHECK(end->closed == OK);
	end->closed = code;
	snprintf(end->why, sizeof end->why, "%s", why);
}

static void has_room(void *context)
{
	((struct end *)context)->rooms++;
}

static void end_open(struct bench *b, struct end *end, int fd, enum process_role own,
		     enum process_role peer)
{
	struct channel_events events = {received, closed, has_room, end};

	end->kept_fd = -1;
	CHECK(channel_open(b->loop, fd, own, peer, &table, &events, &end->channel, NULL) == OK);
}

/* A keeper's and a front's end; `raw` non-NULL: the keeper's is a bare descriptor. */
static void bench_open(struct bench *b, int *raw)
{
	int ends[2];

	*b = (struct bench){.loop = NULL};
	CHECK(loop_new(&b->loop, NULL) == OK);
	CHECK(channel_pair(ends, NULL) == OK);
	if (raw)
		*raw = ends[0];
	else
		end_open(b, &b->keeper, ends[0], PROCESS_KEEPER, PROCESS_FRONT);
	end_open(b, &b->front, ends[1], PROCESS_FRONT, PROCESS_KEEPER);
}

static void bench_close(struct bench *b)
{
	channel_free(b->keeper.channel);
	channel_free(b->front.channel);
	loop_free(b->loop);
}

static void turns(struct bench *b, int count)
{
	while (count-- > 0) loop_turn(b->loop, false);
}

TEST(messages_arrive_whole_and_in_order)
{
	struct bench b;
	uint8_t tail[TAIL_MAX];

	bench_open(&b, NULL);
	for (uint64_t i = 0; i < 10; i++) {
		struct number n = {.value = i};
		memset(tail, (int)i, sizeof tail);
		CHECK(channel_send(b.keeper.channel, KIND_BYTES, &n,
				   span_of(tail, (size_t)i * 6666), -1) == OK);
	}
	turns(&b, 3);
	CHECK(b.front.received == 10 && b.front.expected == 10);
	bench_close(&b);
}

TEST(a_descriptor_travels_and_the_sender_keeps_his)
{
	struct bench b;
	struct message_empty empty = {0};
	int pipe_ends[2];
	char c;

	bench_open(&b, NULL);
	CHECK(pipe(pipe_ends) == 0);
	CHECK(channel_send(b.keeper.channel, KIND_FILE, &empty, span_of(NULL, 0), pipe_ends[1]) ==
	      OK);
	CHECK(close(pipe_ends[1]) == 0);
	turns(&b, 2);
	CHECK(b.front.kept_fd >= 0 && write(b.front.kept_fd, "x", 1) == 1);
	CHECK(read(pipe_ends[0], &c, 1) == 1 && c == 'x');
	close(b.front.kept_fd);
	CHECK(read(pipe_ends[0], &c, 1) == 0);
	close(pipe_ends[0]);
	bench_close(&b);
}

TEST(a_full_queue_refuses_and_tells_when_there_is_room)
{
	static uint8_t tail[TAIL_MAX];
	struct bench b;
	struct number n = {.value = 0};
	size_t accepted = 0;

	bench_open(&b, NULL);
	memset(tail, 0, sizeof tail);
	for (;;) {
		memset(tail, (int)accepted, sizeof tail);
		n.value = accepted;
		enum code code = channel_send(b.keeper.channel, KIND_BYTES, &n,
					      span_of(tail, sizeof tail), -1);
		if (code == E_LIMIT) break;
		CHECK(code == OK && ++accepted < 1000);
	}
	CHECK(channel_queued(b.keeper.channel) <= CHANNEL_QUEUE_MAX);
	CHECK(accepted > CHANNEL_QUEUE_MAX / sizeof tail / 2 && b.keeper.rooms == 0);
	turns(&b, 400);
	CHECK(b.front.received == accepted && b.keeper.rooms == 1);
	CHECK(channel_queued(b.keeper.channel) == 0);
	bench_close(&b);
}

TEST(room_may_be_asked_for_before_the_queue_is_full)
{
	static uint8_t tail[TAIL_MAX];
	struct bench b;
	struct number n = {.value = 0};

	bench_open(&b, NULL);
	while (channel_queued(b.keeper.channel) <= CHANNEL_QUEUE_MAX / 2) {
		memset(tail, (int)n.value, sizeof tail);
		CHECK(channel_send(b.keeper.channel, KIND_BYTES, &n, span_of(tail, sizeof tail),
				   -1) == OK);
		n.value++;
	}
	channel_want_room(b.keeper.channel);
	turns(&b, 400);
	CHECK(b.front.received == n.value && b.keeper.rooms == 1);
	bench_close(&b);
}

TEST(a_queued_descriptor_arrives_too)
{
	static uint8_t tail[TAIL_MAX];
	struct bench b;
	struct number n = {.value = 0};
	struct message_empty empty = {0};
	int pipe_ends[2];

	bench_open(&b, NULL);
	while (channel_queued(b.keeper.channel) == 0) {
		memset(tail, (int)n.value, sizeof tail);
		CHECK(channel_send(b.keeper.channel, KIND_BYTES, &n, span_of(tail, sizeof tail),
				   -1) == OK);
		n.value++;
	}
	CHECK(pipe(pipe_ends) == 0);
	CHECK(channel_send(b.keeper.channel, KIND_FILE, &empty, span_of(NULL, 0), pipe_ends[1]) ==
	      OK);
	CHECK(close(pipe_ends[1]) == 0);
	turns(&b, 100);
	CHECK(b.front.kept_fd >= 0 && write(b.front.kept_fd, "x", 1) == 1);
	close(b.front.kept_fd);
	close(pipe_ends[0]);
	bench_close(&b);
}

TEST(what_was_said_before_the_end_is_heard)
{
	struct bench b;
	struct number n = {.value = 0};

	bench_open(&b, NULL);
	CHECK(channel_send(b.keeper.channel, KIND_NUMBER, &n, span_of(NULL, 0), -1) == OK);
	channel_free(b.keeper.channel);
	b.keeper.channel = NULL;
	turns(&b, 3);
	CHECK(b.front.received == 1 && b.front.closed == E_IO);
	CHECK(channel_send(b.front.channel, KIND_NUMBER, &n, span_of(NULL, 0), -1) == E_IO);
	bench_close(&b);
}

TEST(a_channel_may_be_freed_in_its_own_callback)
{
	struct bench b;
	struct number n = {.value = 0};

	bench_open(&b, NULL);
	b.front.frees_itself = true;
	for (int i = 0; i < 3; i++)
		CHECK(channel_send(b.keeper.channel, KIND_NUMBER, &n, span_of(NULL, 0), -1) == OK);
	turns(&b, 3);
	CHECK(b.front.received == 1 && b.keeper.closed == E_IO);
	bench_close(&b);
}

/* Sends octets as a fallen keeper would; the front's end must end with `why`. */
static void front_refuses(const void *bytes, size_t len, int fd, const char *why)
{
	struct bench b;
	int raw;
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof fd)];
	} control = {.bytes = {0}};
	struct iovec part = {(void *)(uintptr_t)bytes, len};
	struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};

	bench_open(&b, &raw);
	if (fd >= 0) {
		head.msg_control = &control;
		head.msg_controllen = sizeof control;
		struct cmsghdr *c = CMSG_FIRSTHDR(&head);
		*c = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	CHECK(sendmsg(raw, &head, 0) == (ssize_t)len);
	turns(&b, 2);
	CHECK(b.front.closed == E_DAMAGED && b.front.received == 0);
	CHECK(strstr(b.front.why, why) && strstr(b.front.why, "from the keeper"));
	CHECK(send(raw, "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE);
	close(raw);
	bench_close(&b);
}

TEST(what_does_not_fit_its_row_ends_the_channel)
{
	uint8_t *big = calloc(1, 2 * MESSAGE_LEN_MAX);
	struct number n = {.value = 0};

	n.head = (struct message_head){KIND_NUMBER, 0, sizeof n - 1};
	front_refuses(&n, sizeof n - 1, -1, "too short");
	front_refuses(&n, sizeof n, -1, "head is damaged");
	front_refuses(&n, 3, -1, "head is damaged");
	n.head = (struct message_head){KIND_NUMBER, 1, sizeof n};
	front_refuses(&n, sizeof n, -1, "head is damaged");
	n.head = (struct message_head){KIND_COUNT, 0, sizeof n};
	front_refuses(&n, sizeof n, -1, "kind is unknown");
	n.head = (struct message_head){MESSAGE_NONE, 0, sizeof n};
	front_refuses(&n, sizeof n, -1, "kind is unknown");
	n.head = (struct message_head){KIND_FOREIGN, 0, sizeof n};
	front_refuses(&n, sizeof n, -1, "may not send");
	n.head = (struct message_head){KIND_NUMBER, 0, sizeof n};
	front_refuses(&n, sizeof n, 1, "descriptor");
	n.head = (struct message_head){KIND_FILE, 0, sizeof(struct message_empty)};
	front_refuses(&n, sizeof(struct message_empty), -1, "descriptor");

	struct message_head head = {KIND_NUMBER, 0, sizeof n + 1};
	memcpy(big, &head, sizeof head);
	front_refuses(big, sizeof n + 1, -1, "too long");
	head = (struct message_head){KIND_BYTES, 0, sizeof n + TAIL_MAX + 1};
	memcpy(big, &head, sizeof head);
	front_refuses(big, sizeof n + TAIL_MAX + 1, -1, "too long");
	head.len = MESSAGE_LEN_MAX + 1;
	memcpy(big, &head, sizeof head);
	front_refuses(big, MESSAGE_LEN_MAX + 1, -1, "head is damaged");
	free(big);
}

/* The rows that ship: each has somebody to send it and somebody to receive it. */
TEST(each_row_of_the_table_has_a_sender_and_a_receiver)
{
	CHECK(message_table.count == MESSAGE_KIND_COUNT);
	for (size_t kind = MESSAGE_NONE + 1; kind < message_table.count; kind++) {
		const struct message_rule *rule = &message_table.rules[kind];
		CHECK(rule->name && rule->from && rule->to && rule->from != rule->to);
		CHECK(rule->len_min >= sizeof(struct message_head));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_whole_and_in_order),
		cmocka_unit_test(a_descriptor_travels_and_the_sender_keeps_his),
		cmocka_unit_test(a_full_queue_refuses_and_tells_when_there_is_room),
		cmocka_unit_test(room_may_be_asked_for_before_the_queue_is_full),
		cmocka_unit_test(a_queued_descriptor_arrives_too),
		cmocka_unit_test(what_was_said_before_the_end_is_heard),
		cmocka_unit_test(a_channel_may_be_freed_in_its_own_callback),
		cmocka_unit_test(what_does_not_fit_its_row_ends_the_channel),
		cmocka_unit_test(each_row_of_the_table_has_a_sender_and_a_receiver),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
