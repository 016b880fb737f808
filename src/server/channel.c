/* SPDX-License-Identifier: Apache-2.0 */
#include "server/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	MESSAGES_PER_TURN = 64,
	KERNEL_BUFFER = 1 << 20,
};

struct queued {
	struct queued *next;
	int fd;
	size_t len;
	uint8_t bytes[];
};

struct channel {
	struct loop *loop;
	struct watch watch;
	struct channel_events events;
	const struct message_table *table;
	enum process_role own, peer;
	struct queued *first, **last;
	size_t queued_len;
	bool wants_room;
	bool is_over;   /* closed() was called: nothing comes any more */
	bool in_turn;   /* a callback of ours is running */
	bool is_doomed; /* freed within it */
	struct {
		alignas(max_align_t) struct message_head head;
		uint8_t rest[MESSAGE_LEN_MAX - sizeof(struct message_head)];
	} in;
};

union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(int))];
};

enum code channel_pair(int ends[2], struct error *err)
{
	int size = KERNEL_BUFFER;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return error_set(err, E_IO, "cannot make a channel: %s", strerror(errno));
	for (int i = 0; i < 2; i++)
		if (setsockopt(ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
			setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	return OK;
}

static void queue_drop(struct channel *c)
{
	while (c->first) {
		struct queued *next = c->first->next;
		if (c->first->fd >= 0) close(c->first->fd);
		free(c->first);
		c->first = next;
	}
	c->last = &c->first;
	c->queued_len = 0;
}

static void channel_ready(void *context, unsigned events);

enum code channel_open(struct loop *loop, int fd, enum process_role own, enum process_role peer,
		       const struct message_table *table, const struct channel_events *events,
		       struct channel **out, struct error *err)
{
	struct channel *c = calloc(1, sizeof *c);
	enum code code;

	if (!c) {
		close(fd);
		return error_set(err, E_NOMEM, "no memory for a channel to the %s",
				 process_role_name(peer));
	}
	c->loop = loop;
	c->events = *events;
	c->table = table;
	c->own = own;
	c->peer = peer;
	c->last = &c->first;
	c->watch = (struct watch){fd, LOOP_READ, channel_ready, c};
	if ((code = loop_add(loop, &c->watch, err))) {
		close(fd);
		free(c);
		return code;
	}
	*out = c;
	return OK;
}

void channel_free(struct channel *c)
{
	if (!c || c->is_doomed) return;
	if (c->watch.fd >= 0) {
		loop_remove(c->loop, &c->watch);
		close(c->watch.fd);
		c->watch.fd = -1;
	}
	queue_drop(c);
	if (c->in_turn)
		c->is_doomed = true;
	else
		free(c);
}

static void channel_end(struct channel *c, enum code code, const char *why)
{
	if (c->is_over || c->is_doomed) return;
	c->is_over = true;
	loop_remove(c->loop, &c->watch);
	close(c->watch.fd);
	c->watch.fd = -1;
	queue_drop(c);
	c->events.closed(c->events.context, code, why);
}

/* One message to the kernel; errno tells why not. */
static bool kernel_takes(int to, const struct iovec *parts, size_t count, int fd)
{
	union control control = {0};
	struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = count};

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof control.bytes;
		struct cmsghdr *c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	return sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static bool is_full(int reason)
{
	/* ETOOMANYREFS: too many descriptors of ours are on their way; they will arrive. */
	return reason == EAGAIN || reason == ENOBUFS || reason == ENOMEM || reason == EINTR ||
	       reason == ETOOMANYREFS;
}

static enum code queue_append(struct channel *c, const struct iovec *parts, size_t count, int fd)
{
	struct queued *q;
	size_t len = 0;

	for (size_t i = 0; i < count; i++) len += parts[i].iov_len;
	if (len + sizeof *q > CHANNEL_QUEUE_MAX - c->queued_len || !(q = malloc(sizeof *q + len)))
		goto full;
	*q = (struct queued){.fd = -1, .len = len};
	if (fd >= 0 && (q->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
		free(q);
		goto full;
	}
	uint8_t *at = q->bytes;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].iov_len) memcpy(at, parts[i].iov_base, parts[i].iov_len);
		at += parts[i].iov_len;
	}
	*c->last = q;
	c->last = &q->next;
	c->queued_len += len + sizeof *q;
	loop_change(c->loop, &c->watch, LOOP_READ | LOOP_WRITE);
	return OK;
full:
	c->wants_room = true;
	return E_LIMIT;
}

enum code channel_send(struct channel *c, uint32_t kind, const void *message, struct span tail,
		       int fd)
{
	assert(kind < c->table->count);
	const struct message_rule *rule = &c->table->rules[kind];
	assert(tail.len <= rule->len_max - rule->len_min);
	assert((fd >= 0) == rule->has_fd);
	assert((rule->from & 1U << c->own) && (rule->to & 1U << c->peer));

	struct message_head head = {(uint16_t)kind, 0, rule->len_min + (uint32_t)tail.len};
	struct iovec parts[3] = {
		{&head, sizeof head},
		{(struct message_head *)(uintptr_t)message + 1, rule->len_min - sizeof head},
		{(void *)(uintptr_t)tail.ptr, tail.len},
	};
	if (c->is_over || c->is_doomed) return E_IO;
	if (!c->first && kernel_takes(c->watch.fd, parts, 3, fd)) return OK;
	if (!c->first && !is_full(errno)) return E_IO;
	return queue_append(c, parts, 3, fd);
}

size_t channel_queued(const struct channel *c)
{
	return c->queued_len;
}

void channel_want_room(struct channel *c)
{
	c->wants_room = true;
}

static void queue_send(struct channel *c)
{
	for (int i = 0; c->first && i < MESSAGES_PER_TURN; i++) {
		struct queued *q = c->first;
		struct iovec part = {q->bytes, q->len};
		if (!kernel_takes(c->watch.fd, &part, 1, q->fd)) {
			if (is_full(errno)) break;
			/* The peer is gone; what it still said is read before closed(). */
			queue_drop(c);
			break;
		}
		c->first = q->next;
		if (!c->first) c->last = &c->first;
		c->queued_len -= q->len + sizeof *q;
		if (q->fd >= 0) close(q->fd);
		free(q);
	}
	if (!c->first) loop_change(c->loop, &c->watch, LOOP_READ);
	if (c->wants_room && c->queued_len <= CHANNEL_QUEUE_MAX / 2) {
		c->wants_room = false;
		if (c->events.has_room) c->events.has_room(c->events.context);
	}
}

/* NULL when the table admits it, else what is wrong with it. */
static const char *message_fault(const struct channel *c, size_t len, int fd)
{
	const struct message_head *head = &c->in.head;

	if (len < sizeof *head || head->len != len || head->reserved != 0)
		return "its head is damaged";
	if (head->kind == MESSAGE_NONE || head->kind >= c->table->count)
		return "its kind is unknown";
	const struct message_rule *rule = &c->table->rules[head->kind];
	if (!(rule->from & 1U << c->peer)) return "this process may not send its kind";
	if (!(rule->to & 1U << c->own)) return "its kind is not for this process";
	if (len < rule->len_min) return "it is too short";
	if (len > rule->len_max) return "it is too long";
	if ((fd >= 0) != rule->has_fd) return "its kind and its descriptor do not fit";
	return NULL;
}

static int descriptor_of(struct msghdr *head)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		    c->cmsg_len == CMSG_LEN(sizeof fd))
			memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

static void message_deliver(struct channel *c, size_t len, int fd)
{
	const char *fault = message_fault(c, len, fd);
	uint32_t kind = c->in.head.kind;

	if (fault) {
		char why[200];
		bool known = len >= sizeof c->in.head && kind < c->table->count && kind > 0;
		snprintf(why, sizeof why, "message %s of %zu octets from the %s: %s",
			 known ? c->table->rules[kind].name : "?", len, process_role_name(c->peer),
			 fault);
		if (fd >= 0) close(fd);
		channel_end(c, E_DAMAGED, why);
		return;
	}
	size_t fixed_len = c->table->rules[kind].len_min;
	struct channel_message m = {.kind = kind,
				    .body = &c->in,
				    .tail = span_of((uint8_t *)&c->in + fixed_len, len - fixed_len),
				    .fd = fd};
	c->events.received(c->events.context, &m);
	if (m.fd >= 0) close(m.fd);
}

/* False when there is nothing more to read now. */
static bool message_receive(struct channel *c)
{
	union control control;
	struct iovec part = {&c->in, sizeof c->in};
	struct msghdr head = {.msg_iov = &part,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof control};
	ssize_t n = recvmsg(c->watch.fd, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
	if (n <= 0) {
		channel_end(c, E_IO, "the peer has ended");
		return false;
	}
	/* What was cut, or lost its descriptor, counts as no message at all. */
	bool was_cut = head.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
	message_deliver(c, was_cut ? 0 : (size_t)n, descriptor_of(&head));
	return !c->is_over && !c->is_doomed;
}

static void channel_ready(void *context, unsigned events)
{
	struct channel *c = context;

	c->in_turn = true;
	if (events & LOOP_WRITE) queue_send(c);
	if (events & (LOOP_READ | LOOP_HANGUP))
		for (int i = 0; i < MESSAGES_PER_TURN && !c->is_doomed && !c->is_over; i++)
			if (!message_receive(c)) break;
	c->in_turn = false;
	if (c->is_doomed) free(c);
}
