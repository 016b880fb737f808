/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Over UDP: connected sockets, each with its own window. Questions go out in trains: one
 * call and one walk through the kernel for up to 16 datagrams (UDP_SEGMENT), which reach
 * the server as if each had been sent alone. Answers come in with recvmmsg.
 */
#include "blast.h"

#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	RECEIVE_BATCH = 32,
	ANSWER_OCTETS_MAX = 4096,
	DRAIN_NS = 200000000,
	EXPIRE_EVERY_NS = 50000000,
};

struct port {
	int fd;
	struct slots slots;
};

struct udp {
	struct run run;
	struct port *ports;
	unsigned port_count;
	uint64_t expire_at_ns;
	struct mmsghdr messages[RECEIVE_BATCH];
	struct iovec iovecs[RECEIVE_BATCH];
	uint8_t buffers[RECEIVE_BATCH][ANSWER_OCTETS_MAX];
};

/* Returns whether anything came. */
static bool port_receive(struct udp *u, struct port *port)
{
	int count = recvmmsg(port->fd, u->messages, RECEIVE_BATCH, MSG_DONTWAIT, NULL);

	for (int i = 0; i < count; i++)
		answer_check(&port->slots, &u->run.questions, u->run.options, &u->run.tally,
			     u->buffers[i], u->messages[i].msg_len);
	return count > 0;
}

static bool train_send(struct port *port, const struct packet *first, unsigned count)
{
	union {
		struct cmsghdr head;
		uint8_t octets[CMSG_SPACE(sizeof(uint16_t))];
	} control = {.octets = {0}};
	struct iovec iovec = {(void *)(uintptr_t)first->octets, first->len * count};
	struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
	uint16_t segment = (uint16_t)first->len;

	if (count > 1) {
		message.msg_control = &control;
		message.msg_controllen = sizeof control.octets;
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_UDP;
		head->cmsg_type = UDP_SEGMENT;
		head->cmsg_len = CMSG_LEN(sizeof segment);
		memcpy(CMSG_DATA(head), &segment, sizeof segment);
	}
	return sendmsg(port->fd, &message, MSG_DONTWAIT) >= 0;
}

/* Fills the window; a train waits until a whole one fits. Returns whether anything went. */
static bool port_send(struct udp *u, struct port *port, uint64_t now_ns)
{
	const struct options *o = u->run.options;
	bool has_sent = false;

	while (port->slots.free_count >= o->train || port->slots.free_count == port->slots.count) {
		struct packet first;
		if (o->count && u->run.tally.sent - u->run.tally_at_begin.sent >= o->count) break;
		unsigned max =
			port->slots.free_count < o->train ? port->slots.free_count : o->train;
		unsigned count = questions_next_train(&u->run.questions, max, &first);
		for (unsigned i = 0; i < count; i++) {
			struct packet packet = {first.octets + i * first.len, first.len,
						first.number + i};
			uint16_t id = slots_take(&port->slots, &packet, now_ns);
			uint8_t *octets = (uint8_t *)(uintptr_t)packet.octets;
			octets[0] = (uint8_t)(id >> 8);
			octets[1] = (uint8_t)id;
		}
		u->run.tally.sent += count;
		has_sent = true;
		/* What the socket refuses counts as lost, when its time is over. */
		if (!train_send(port, &first, count)) break;
	}
	return has_sent;
}

static unsigned waiting_count(const struct udp *u)
{
	unsigned waiting = 0;

	for (unsigned i = 0; i < u->port_count; i++)
		waiting += u->ports[i].slots.count - u->ports[i].slots.free_count;
	return waiting;
}

static void expire(struct udp *u, uint64_t now_ns)
{
	uint64_t timeout_ns = (uint64_t)(u->run.options->timeout_seconds * 1e9);

	if (now_ns < u->expire_at_ns) return;
	u->expire_at_ns = now_ns + EXPIRE_EVERY_NS;
	for (unsigned i = 0; i < u->port_count; i++)
		u->run.tally.lost += slots_expire(&u->ports[i].slots, now_ns - timeout_ns);
}

static void pause_for_answers(const struct udp *u)
{
	struct pollfd polls[PORTS_MAX];

	for (unsigned i = 0; i < u->port_count; i++)
		polls[i] = (struct pollfd){u->ports[i].fd, POLLIN, 0};
	poll(polls, u->port_count, 1);
}

static void round_trip(struct udp *u, bool may_send)
{
	uint64_t now_ns = clock_ns();
	bool has_moved = false;

	for (unsigned i = 0; i < u->port_count; i++) {
		has_moved |= port_receive(u, &u->ports[i]);
		if (may_send) has_moved |= port_send(u, &u->ports[i], now_ns);
	}
	if (!has_moved) pause_for_answers(u);
	expire(u, now_ns);
}

void udp_run(const struct options *o)
{
	struct udp *u = calloc(1, sizeof *u);
	struct port *ports = calloc(o->sockets, sizeof *ports);

	if (!u || !ports) die("no memory for %u sockets", o->sockets);
	if (o->sockets > PORTS_MAX) die("at most %d sockets", PORTS_MAX);
	u->ports = ports;
	u->port_count = o->sockets;
	for (unsigned i = 0; i < o->sockets; i++) {
		ports[i].fd = socket_connected(SOCK_DGRAM, o->port, 0);
		slots_begin(&ports[i].slots, o->outstanding);
	}
	for (unsigned i = 0; i < RECEIVE_BATCH; i++) {
		u->iovecs[i] = (struct iovec){u->buffers[i], ANSWER_OCTETS_MAX};
		u->messages[i].msg_hdr = (struct msghdr){.msg_iov = &u->iovecs[i], .msg_iovlen = 1};
	}
	run_begin(&u->run, o, false);
	while (run_goes_on(&u->run, clock_ns())) round_trip(u, true);
	uint64_t drained_ns =
		clock_ns() +
		(o->count ? (uint64_t)(o->timeout_seconds * 1e9) + DRAIN_NS : DRAIN_NS);
	while (waiting_count(u) > 0 && clock_ns() < drained_ns) round_trip(u, false);
	u->run.tally.lost += waiting_count(u);
	run_end(&u->run);
	run_print(&u->run, "udp");
	for (unsigned i = 0; i < o->sockets; i++) close(ports[i].fd);
	free(ports);
	free(u);
}
