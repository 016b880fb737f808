/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Over TCP with one question per connection: connect, ask, read, close. Connections come
 * from several addresses of loopback in turn, so that ports in TIME_WAIT are enough.
 */
#include "blast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, SOURCES = 64, ANSWER_MAX = 2 + 4096, EXPIRE_EVERY_NS = 50000000 };

struct visit {
	int fd;
	struct slots slots; /* of one */
	uint8_t out[2 + HEADER_OCTETS + 260 + OPT_OCTETS];
	size_t out_len;
	uint8_t in[ANSWER_MAX];
	size_t in_len;
	bool has_asked;
};

struct visits {
	struct run run;
	struct visit *visits;
	unsigned count;
	unsigned next_source;
	int epoll;
	uint64_t expire_at_ns;
};

static void visit_begin(struct visits *v, struct visit *visit)
{
	struct packet packet = questions_next(&v->run.questions);
	struct packet bare = {packet.octets + 2, packet.len - 2, packet.number};
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = visit};
	uint16_t id = slots_take(&visit->slots, &bare, clock_ns());

	memcpy(visit->out, packet.octets, packet.len);
	visit->out[2] = (uint8_t)(id >> 8);
	visit->out[3] = (uint8_t)id;
	visit->out_len = packet.len;
	visit->in_len = 0;
	visit->has_asked = false;
	visit->fd =
		socket_connected(SOCK_STREAM, v->run.options->port, 1 + v->next_source++ % SOURCES);
	v->run.tally.sent++;
	if (epoll_ctl(v->epoll, EPOLL_CTL_ADD, visit->fd, &event) < 0)
		die("epoll refuses a socket");
}

static void visit_end(struct visits *v, struct visit *visit, bool may_ask)
{
	v->run.tally.lost += slots_expire(&visit->slots, UINT64_MAX);
	close(visit->fd);
	visit->fd = -1;
	if (may_ask) visit_begin(v, visit);
}

/* True: it is over, well or not. */
static bool visit_step(struct visits *v, struct visit *visit, uint32_t events)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = visit};

	if (!visit->has_asked) {
		if (events & (EPOLLERR | EPOLLHUP)) return true;
		if (send(visit->fd, visit->out, visit->out_len, MSG_DONTWAIT | MSG_NOSIGNAL) !=
		    (ssize_t)visit->out_len)
			return true;
		visit->has_asked = true;
		epoll_ctl(v->epoll, EPOLL_CTL_MOD, visit->fd, &event);
		return false;
	}
	ssize_t got = recv(visit->fd, visit->in + visit->in_len, ANSWER_MAX - visit->in_len,
			   MSG_DONTWAIT);
	if (got <= 0) return !(got < 0 && errno == EAGAIN);
	visit->in_len += (size_t)got;
	if (visit->in_len < 2) return false;
	size_t len = (size_t)visit->in[0] << 8 | visit->in[1];
	if (visit->in_len < 2 + len) return visit->in_len == ANSWER_MAX;
	answer_check(&visit->slots, &v->run.questions, v->run.options, &v->run.tally, visit->in + 2,
		     len);
	return true;
}

static void expire(struct visits *v, uint64_t now_ns, bool may_ask)
{
	uint64_t timeout_ns = (uint64_t)(v->run.options->timeout_seconds * 1e9);

	if (now_ns < v->expire_at_ns) return;
	v->expire_at_ns = now_ns + EXPIRE_EVERY_NS;
	for (unsigned i = 0; i < v->count; i++) {
		struct visit *visit = &v->visits[i];
		if (visit->fd >= 0 && visit->slots.slots[0].sent_ns < now_ns - timeout_ns)
			visit_end(v, visit, may_ask);
	}
}

void tcp_once_run(const struct options *o)
{
	struct visits v = {.count = o->sockets};
	bool may_ask = true;
	unsigned open = o->sockets;

	v.visits = calloc(o->sockets, sizeof *v.visits);
	v.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!v.visits || v.epoll < 0) die("no room for %u connections", o->sockets);
	run_begin(&v.run, o, true);
	for (unsigned i = 0; i < v.count; i++) {
		slots_begin(&v.visits[i].slots, 1);
		visit_begin(&v, &v.visits[i]);
	}
	while (open > 0) {
		struct epoll_event events[EVENTS];
		int ready = epoll_wait(v.epoll, events, EVENTS, 1);
		may_ask = may_ask && run_goes_on(&v.run, clock_ns());
		for (int i = 0; i < ready; i++)
			if (visit_step(&v, events[i].data.ptr, events[i].events))
				visit_end(&v, events[i].data.ptr, may_ask);
		expire(&v, clock_ns(), may_ask);
		open = 0;
		for (unsigned i = 0; i < v.count && !may_ask; i++) open += v.visits[i].fd >= 0;
		if (may_ask) open = v.count;
	}
	run_end(&v.run);
	run_print(&v.run, "tcp-once");
	free(v.visits);
}
