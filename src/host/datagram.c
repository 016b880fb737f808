/* SPDX-License-Identifier: Apache-2.0 */
#include "host/datagram.h"
#include "host/sockaddr.h"
#include "host/socket.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { CONTROL_LEN = CMSG_SPACE(sizeof(struct in6_pktinfo)) };

static_assert(CMSG_SPACE(sizeof(struct in_pktinfo)) <= CONTROL_LEN,
	      "either family's packet information fits");

/* Which address was asked, from the kernel's packet information (RFC 3542 6.2). */
struct control {
	alignas(struct cmsghdr) uint8_t bytes[CONTROL_LEN];
};

struct datagrams {
	int fd;
	bool is_wildcard;
	struct endpoint local;
	size_t received; /* whose heads the kernel has changed */
	size_t replies;
	struct datagram list[DATAGRAMS_MAX];
	struct mmsghdr in[DATAGRAMS_MAX], out[DATAGRAMS_MAX];
	struct iovec in_parts[DATAGRAMS_MAX], out_parts[DATAGRAMS_MAX];
	struct sockaddr_storage peers[DATAGRAMS_MAX];
	struct control controls[DATAGRAMS_MAX];
};

enum code datagrams_new(int fd, const struct datagram_room *room, struct datagrams **out,
			struct error *err)
{
	struct endpoint local = socket_local(fd);
	struct datagrams *d;

	if (local.address.family == 0)
		return error_set(err, E_IO, "descriptor %d is no bound socket", fd);
	d = calloc(1, sizeof *d);
	if (!d) return error_set(err, E_NOMEM, "no memory for a batch of messages");
	d->fd = fd;
	d->local = local;
	d->is_wildcard = address_is_wildcard(&local.address);
	d->received = DATAGRAMS_MAX;
	for (size_t i = 0; i < DATAGRAMS_MAX; i++) {
		uint8_t *octets = room->octets + i * room->stride;
		d->list[i].ptr = octets;
		d->in_parts[i] = (struct iovec){octets, room->cap};
		d->in[i].msg_hdr = (struct msghdr){
			.msg_name = &d->peers[i], .msg_iov = &d->in_parts[i], .msg_iovlen = 1};
		if (d->is_wildcard) d->in[i].msg_hdr.msg_control = d->controls[i].bytes;
		d->out[i].msg_hdr = (struct msghdr){.msg_iov = &d->out_parts[i], .msg_iovlen = 1};
	}
	*out = d;
	return OK;
}

void datagrams_free(struct datagrams *datagrams)
{
	free(datagrams);
}

size_t datagrams_receive(struct datagrams *d, const struct datagram **list)
{
	for (size_t i = 0; i < d->received; i++) {
		struct msghdr *head = &d->in[i].msg_hdr;
		head->msg_namelen = sizeof d->peers[i];
		head->msg_controllen = d->is_wildcard ? CONTROL_LEN : 0;
	}
	int n = recvmmsg(d->fd, d->in, DATAGRAMS_MAX, MSG_DONTWAIT, NULL);
	d->received = n > 0 ? (size_t)n : 0;
	d->replies = 0;
	for (size_t i = 0; i < d->received; i++) {
		d->list[i].len = d->in[i].msg_len;
		d->list[i].was_cut = d->in[i].msg_hdr.msg_flags & MSG_TRUNC;
	}
	*list = d->list;
	return d->received;
}

struct endpoint datagrams_peer(const struct datagrams *d, size_t i)
{
	assert(i < d->received);
	return sockaddr_endpoint(&d->peers[i], NULL);
}

struct endpoint datagrams_local(const struct datagrams *d, size_t i)
{
	struct endpoint local = d->local;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&d->in[i].msg_hdr);

	assert(i < d->received);
	if (c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		memcpy(local.address.octets, &info.ipi_spec_dst, sizeof info.ipi_spec_dst);
	} else if (c && c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		memcpy(local.address.octets, &info.ipi6_addr, sizeof info.ipi6_addr);
	}
	return local;
}

/*
 * What told the address that was asked tells the one to send from, too; but the route
 * chooses the interface, unless an address means nothing without one.
 */
static void control_turn(struct cmsghdr *c, const struct sockaddr_storage *peer)
{
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		info.ipi_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof info);
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)peer;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) || IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
			return;
		info.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof info);
	}
}

void datagrams_reply(struct datagrams *d, size_t i, const uint8_t *octets, size_t len)
{
	struct msghdr *in = &d->in[i].msg_hdr, *out = &d->out[d->replies].msg_hdr;
	union {
		const uint8_t *borrowed;
		void *base; /* the kernel only reads it */
	} part = {.borrowed = octets};

	assert(i < d->received && d->replies < DATAGRAMS_MAX);
	d->out_parts[d->replies++] = (struct iovec){part.base, len};
	out->msg_name = in->msg_name;
	out->msg_namelen = in->msg_namelen;
	if (!d->is_wildcard) return;
	struct cmsghdr *c = CMSG_FIRSTHDR(in);
	if (c) control_turn(c, &d->peers[i]);
	out->msg_control = c;
	out->msg_controllen = c ? in->msg_controllen : 0;
}

size_t datagrams_send(struct datagrams *d)
{
	size_t unsent = 0, next = 0;

	while (next < d->replies) {
		int n = sendmmsg(d->fd, d->out + next, (unsigned)(d->replies - next),
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			next += (size_t)n;
		} else if (errno == EAGAIN || errno == ENOBUFS) {
			unsent += d->replies - next;
			break;
		} else if (errno != EINTR) {
			unsent++;
			next++; /* the kernel refused this one; the others may be fine */
		}
	}
	d->replies = 0;
	return unsent;
}
