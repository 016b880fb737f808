/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Over TCP: connections that stay open, each with its own window of outstanding questions,
 * whose answers may come in any order (RFC 7766 section 6.2.1.1).
 */
#include "blast.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	EVENTS = 64,
	IN_OCTETS = 2 + MESSAGE_MAX + 65536,
	OUT_OCTETS = 65536,
	DRAIN_NS = 200000000,
	EXPIRE_EVERY_NS = 50000000,
};

struct connection {
	int fd;
	struct slots slots;
	uint8_t *in, *out;
	size_t in_len, out_len, out_at;
	bool waits_to_write;
};

struct tcp {
	struct run run;
	struct connection *connections;
	unsigned count;
	int epoll;
	uint64_t expire_at_ns;
};

static void connection_open(struct tcp *t, struct connection *c)
{
	int one = 1;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

	c->fd = socket_connected(SOCK_STREAM, t->run.options->port, 0);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	c->in_len = c->out_len = c->out_at = 0;
	c->waits_to_write = false;
	if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0) die("epoll refuses a socket");
}

/* What waited on it is lost, and another takes its place. */
static void connection_renew(struct tcp *t, struct connection *c)
{
	close(c->fd);
	t->run.tally.closed++;
	t->run.tally.lost += slots_expire(&c->slots, UINT64_MAX);
	connection_open(t, c);
}

static void wait_to_write(struct tcp *t, struct connection *c, bool waits)
{
	struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = c};

	if (waits == c->waits_to_write) return;
	c->waits_to_write = waits;
	epoll_ctl(t->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static bool connection_flush(struct tcp *t, struct connection *c)
{
	while (c->out_at < c->out_len) {
		ssize_t sent = send(c->fd, c->out + c->out_at, c->out_len - c->out_at,
				    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN && errno != ENOTCONN) return false;
		if (sent < 0) break;
		c->out_at += (size_t)sent;
	}
	wait_to_write(t, c, c->out_at < c->out_len);
	if (c->out_at == c->out_len) c->out_at = c->out_len = 0;
	return true;
}

/* Fills the window with one call; what is not yet written keeps it waiting. */
static bool connection_ask(struct tcp *t, struct connection *c, uint64_t now_ns)
{
	while (c->out_at == 0 && c->slots.free_count > 0) {
		struct packet packet = questions_next(&t->run.questions);
		if (c->out_len + packet.len > OUT_OCTETS) break;
		uint8_t *to = c->out + c->out_len;
		memcpy(to, packet.octets, packet.len);
		struct packet bare = {packet.octets + 2, packet.len - 2, packet.number};
		uint16_t id = slots_take(&c->slots, &bare, now_ns);
		to[2] = (uint8_t)(id >> 8);
		to[3] = (uint8_t)id;
		c->out_len += packet.len;
		t->run.tally.sent++;
	}
	return connection_flush(t, c);
}

static bool connection_read(struct tcp *t, struct connection *c)
{
	ssize_t got = recv(c->fd, c->in + c->in_len, IN_OCTETS - c->in_len, MSG_DONTWAIT);
	size_t at = 0;

	if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
	if (got < 0) return true;
	c->in_len += (size_t)got;
	while (c->in_len - at >= 2) {
		size_t len = (size_t)c->in[at] << 8 | c->in[at + 1];
		if (c->in_len - at - 2 < len) break;
		answer_check(&c->slots, &t->run.questions, t->run.options, &t->run.tally,
			     c->in + at + 2, len);
		at += 2 + len;
	}
	c->in_len -= at;
	memmove(c->in, c->in + at, c->in_len);
	return true;
}

static void expire(struct tcp *t, uint64_t now_ns)
{
	uint64_t timeout_ns = (uint64_t)(t->run.options->timeout_seconds * 1e9);

	if (now_ns < t->expire_at_ns) return;
	t->expire_at_ns = now_ns + EXPIRE_EVERY_NS;
	for (unsigned i = 0; i < t->count; i++) {
		unsigned lost = slots_expire(&t->connections[i].slots, now_ns - timeout_ns);
		t->run.tally.lost += lost;
		if (lost > 0) connection_renew(t, &t->connections[i]);
	}
}

static void round_trip(struct tcp *t, bool may_ask)
{
	struct epoll_event events[EVENTS];
	int ready = epoll_wait(t->epoll, events, EVENTS, 1);
	uint64_t now_ns = clock_ns();

	for (int i = 0; i < ready; i++) {
		struct connection *c = events[i].data.ptr;
		bool goes_on = connection_read(t, c);
		if (goes_on && may_ask) goes_on = connection_ask(t, c, now_ns);
		if (!goes_on) {
			connection_renew(t, c);
			if (may_ask) connection_ask(t, c, now_ns);
		}
	}
	expire(t, now_ns);
}

static unsigned waiting_count(const struct tcp *t)
{
	unsigned waiting = 0;

	for (unsigned i = 0; i < t->count; i++)
		waiting += t->connections[i].slots.count - t->connections[i].slots.free_count;
	return waiting;
}

void tcp_run(const struct options *o)
{
	struct tcp t = {.count = o->sockets};

	t.connections = calloc(o->sockets, sizeof *t.connections);
	t.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!t.connections || t.epoll < 0) die("no room for %u connections", o->sockets);
	run_begin(&t.run, o, true);
	for (unsigned i = 0; i < o->sockets; i++) {
		struct connection *c = &t.connections[i];
		c->in = malloc(IN_OCTETS);
		c->out = malloc(OUT_OCTETS);
		if (!c->in || !c->out) die("no memory for %u connections", o->sockets);
		slots_begin(&c->slots, o->outstanding);
		connection_open(&t, c);
		connection_ask(&t, c, clock_ns());
	}
	while (run_goes_on(&t.run, clock_ns())) {
		round_trip(&t, true);
		/* One that was renewed without asking, or whose questions were lost. */
		for (unsigned i = 0; i < t.count; i++)
			if (t.connections[i].slots.free_count == t.connections[i].slots.count)
				connection_ask(&t, &t.connections[i], clock_ns());
	}
	uint64_t drained_ns = clock_ns() + DRAIN_NS;
	while (waiting_count(&t) > 0 && clock_ns() < drained_ns) round_trip(&t, false);
	t.run.tally.lost += waiting_count(&t);
	run_end(&t.run);
	run_print(&t.run, "tcp");
	for (unsigned i = 0; i < t.count; i++) {
		close(t.connections[i].fd);
		free(t.connections[i].in);
		free(t.connections[i].out);
	}
	free(t.connections);
}
