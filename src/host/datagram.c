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

struct datagrams {
	int fd;
	bool is_wildcard;
	struct endpoint local;
	struct mmsghdr heads[DATAGRAMS_MAX];
	struct iovec parts[DATAGRAMS_MAX];
	struct sockaddr_storage peers[DATAGRAMS_MAX];
	struct {
		alignas(struct cmsghdr) uint8_t bytes[CONTROL_LEN];
	} controls[DATAGRAMS_MAX];
};

static_assert(CMSG_SPACE(sizeof(struct in_pktinfo)) <= CONTROL_LEN,
	      "either family's packet information fits");

enum code datagrams_new(int fd, struct datagrams **out, struct error *err)
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
	for (size_t i = 0; i < DATAGRAMS_MAX; i++) {
		d->heads[i].msg_hdr.msg_iov = &d->parts[i];
		d->heads[i].msg_hdr.msg_iovlen = 1;
		d->heads[i].msg_hdr.msg_name = &d->peers[i];
	}
	*out = d;
	return OK;
}

void datagrams_free(struct datagrams *datagrams)
{
	free(datagrams);
}

/* Which address was asked, from the kernel's packet information (RFC 3542 6.2). */
static void local_read(struct msghdr *head, struct datagram *to)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(head);

	for (; c; c = CMSG_NXTHDR(head, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			to->local.address.family = 4;
			memcpy(to->local.address.octets, &info.ipi_spec_dst, 4);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			to->local.address.family = 6;
			memcpy(to->local.address.octets, &info.ipi6_addr, 16);
			if (to->scope == 0 && address_is_link_local(&to->local.address))
				to->scope = info.ipi6_ifindex;
		}
	}
}

size_t datagrams_receive(struct datagrams *d, struct datagram *list, size_t count)
{
	if (count > DATAGRAMS_MAX) count = DATAGRAMS_MAX;
	for (size_t i = 0; i < count; i++) {
		struct msghdr *head = &d->heads[i].msg_hdr;
		d->parts[i] = (struct iovec){list[i].ptr, list[i].cap};
		head->msg_namelen = sizeof d->peers[i];
		head->msg_control = d->is_wildcard ? d->controls[i].bytes : NULL;
		head->msg_controllen = d->is_wildcard ? CONTROL_LEN : 0;
		head->msg_flags = 0;
	}
	int n = recvmmsg(d->fd, d->heads, (unsigned)count, MSG_DONTWAIT, NULL);
	if (n <= 0) return 0;

	for (size_t i = 0; i < (size_t)n; i++) {
		struct msghdr *head = &d->heads[i].msg_hdr;
		list[i].len = d->heads[i].msg_len;
		list[i].was_cut = head->msg_flags & MSG_TRUNC;
		list[i].peer = sockaddr_endpoint(&d->peers[i], &list[i].scope);
		list[i].local = d->local;
		if (d->is_wildcard) local_read(head, &list[i]);
	}
	return (size_t)n;
}

/* The address to send from; none where the socket itself has one. */
static void local_write(struct datagrams *d, size_t i, const struct datagram *from)
{
	struct msghdr *head = &d->heads[i].msg_hdr;
	struct cmsghdr *c = (struct cmsghdr *)d->controls[i].bytes;

	if (!d->is_wildcard || address_is_wildcard(&from->local.address)) {
		head->msg_control = NULL;
		head->msg_controllen = 0;
		return;
	}
	memset(d->controls[i].bytes, 0, CONTROL_LEN);
	head->msg_control = c;
	if (from->local.address.family == 4) {
		struct in_pktinfo info = {0};
		memcpy(&info.ipi_spec_dst, from->local.address.octets, 4);
		*c = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
		memcpy(CMSG_DATA(c), &info, sizeof info);
		head->msg_controllen = CMSG_SPACE(sizeof info);
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = from->scope};
		memcpy(&info.ipi6_addr, from->local.address.octets, 16);
		*c = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO};
		memcpy(CMSG_DATA(c), &info, sizeof info);
		head->msg_controllen = CMSG_SPACE(sizeof info);
	}
}

size_t datagrams_send(struct datagrams *d, const struct datagram *list, size_t count)
{
	size_t taken = 0;

	assert(count <= DATAGRAMS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct msghdr *head = &d->heads[i].msg_hdr;
		d->parts[i] = (struct iovec){list[i].ptr, list[i].len};
		head->msg_namelen =
			sockaddr_from_endpoint(&list[i].peer, list[i].scope, &d->peers[i]);
		head->msg_flags = 0;
		local_write(d, i, &list[i]);
	}
	for (size_t next = 0; next < count;) {
		int n = sendmmsg(d->fd, d->heads + next, (unsigned)(count - next),
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			taken += (size_t)n;
			next += (size_t)n;
		} else if (errno == EAGAIN || errno == ENOBUFS) {
			break;
		} else if (errno != EINTR) {
			next++; /* the kernel refused this one; the others may be fine */
		}
	}
	return taken;
}
