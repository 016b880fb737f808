/* SPDX-License-Identifier: Apache-2.0 */
#include "host/socket.h"
#include "host/port_holder.h"
#include "host/sockaddr.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* A burst of one worker: about 2,000 small queries in the kernel's accounting. */
	UDP_BUFFER = 2 << 20,
	TCP_BACKLOG = 4096,
};

const char *transport_name(enum transport transport)
{
	return transport == TRANSPORT_UDP ? "UDP" : "TCP";
}

static int socket_new(enum transport transport, uint8_t family)
{
	int type = transport == TRANSPORT_UDP ? SOCK_DGRAM : SOCK_STREAM;

	return socket(family == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static bool option_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* Past net.core.*mem_max where we may, else as far as that goes. */
static void buffers_widen(int fd)
{
	if (!option_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, UDP_BUFFER))
		option_set(fd, SOL_SOCKET, SO_RCVBUF, UDP_BUFFER);
	if (!option_set(fd, SOL_SOCKET, SO_SNDBUFFORCE, UDP_BUFFER))
		option_set(fd, SOL_SOCKET, SO_SNDBUF, UDP_BUFFER);
}

static bool udp_options_set(int fd, const struct address *address)
{
	bool wildcard = address_is_wildcard(address);

	buffers_widen(fd);
	if (address->family == 4)
		return option_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT) &&
		       (!wildcard || option_set(fd, IPPROTO_IP, IP_PKTINFO, 1));
	return option_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
	       option_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT) &&
	       (!wildcard || option_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
}

static bool tcp_options_set(int fd, const struct address *address)
{
	/* Connections of a former process in TIME_WAIT do not stand in the way. */
	return option_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
	       option_set(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
	       (address->family == 4 || option_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
}

/* Turns errno of a failed bind into a code and a sentence. */
static enum code bind_failed(enum transport transport, const struct endpoint *at, struct error *err)
{
	int reason = errno;
	char where[ADDRESS_TEXT_MAX], who[PORT_HOLDER_TEXT_MAX];

	endpoint_print(at, where);
	switch (reason) {
	case EADDRINUSE:
		return error_set(err, E_EXISTS, "%s (%s) is taken by %s", where,
				 transport_name(transport), port_holder_print(transport, at, who));
	case EADDRNOTAVAIL:
		return error_set(err, E_NOT_FOUND, "this host has no address %s (%s)", where,
				 transport_name(transport));
	case EACCES:
		return error_set(err, E_REFUSED,
				 "may not bind %s (%s): ports below 1024 need root or "
				 "CAP_NET_BIND_SERVICE",
				 where, transport_name(transport));
	default:
		return error_set(err, E_IO, "cannot bind %s (%s): %s", where,
				 transport_name(transport), strerror(reason));
	}
}

static enum code udp_bind(const struct endpoint *at, bool is_first, int *out, struct error *err)
{
	struct sockaddr_storage address;
	socklen_t len = sockaddr_from_endpoint(at, 0, &address);
	int fd = socket_new(TRANSPORT_UDP, at->address.family);
	enum code code;

	if (fd < 0 || !udp_options_set(fd, &at->address) ||
	    (!is_first && !option_set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) ||
	    bind(fd, (struct sockaddr *)&address, len) < 0 ||
	    (is_first && !option_set(fd, SOL_SOCKET, SO_REUSEPORT, 1))) {
		code = bind_failed(TRANSPORT_UDP, at, err);
		if (fd >= 0) close(fd);
		return code;
	}
	*out = fd;
	return OK;
}

enum code socket_listen_udp(const struct endpoint *at, size_t count, int fds[], struct error *err)
{
	struct endpoint bound = *at;

	assert(count > 0 && count <= SOCKET_GROUP_MAX);
	for (size_t i = 0; i < count; i++) {
		enum code code = udp_bind(&bound, i == 0, &fds[i], err);
		if (code) {
			while (i > 0) close(fds[--i]);
			return code;
		}
		bound.port = socket_local(fds[i]).port; /* where port 0 asked for any */
	}
	return OK;
}

enum code socket_listen_tcp(const struct endpoint *at, int *out, struct error *err)
{
	struct sockaddr_storage address;
	socklen_t len = sockaddr_from_endpoint(at, 0, &address);
	int fd = socket_new(TRANSPORT_TCP, at->address.family);
	enum code code;

	if (fd < 0 || !tcp_options_set(fd, &at->address) ||
	    bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, TCP_BACKLOG) < 0) {
		code = bind_failed(TRANSPORT_TCP, at, err);
		if (fd >= 0) close(fd);
		return code;
	}
	*out = fd;
	return OK;
}

static bool source_bind(int fd, enum transport transport, const struct endpoint *source)
{
	struct sockaddr_storage address;
	socklen_t len;

	if (!source || source->address.family == 0) return true;
	/* The port is chosen at connect, so one source can have 28,000 ports per peer. */
	if (transport == TRANSPORT_TCP && source->port == 0)
		option_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	len = sockaddr_from_endpoint(source, 0, &address);
	return bind(fd, (struct sockaddr *)&address, len) == 0;
}

enum code socket_connect(enum transport transport, const struct endpoint *to,
			 const struct endpoint *source, int *out, struct error *err)
{
	char peer[ADDRESS_TEXT_MAX], own[ADDRESS_TEXT_MAX];
	struct sockaddr_storage address;
	socklen_t len = sockaddr_from_endpoint(to, 0, &address);
	int fd = socket_new(transport, to->address.family);
	enum code code;

	if (fd < 0) {
		bool ran_out = errno == EMFILE || errno == ENFILE || errno == ENOBUFS;
		return error_set(err, ran_out ? E_LIMIT : E_IO, "cannot open a socket to %s: %s",
				 endpoint_print(to, peer), strerror(errno));
	}
	if (!source_bind(fd, transport, source)) {
		code = error_set(err, E_IO, "cannot send from %s to %s: %s",
				 endpoint_print(source, own), endpoint_print(to, peer),
				 strerror(errno));
		goto failed;
	}
	if (transport == TRANSPORT_TCP) option_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (connect(fd, (struct sockaddr *)&address, len) < 0 && errno != EINPROGRESS) {
		code = error_set(err, E_IO, "cannot connect to %s: %s", endpoint_print(to, peer),
				 strerror(errno));
		goto failed;
	}
	*out = fd;
	return OK;
failed:
	close(fd);
	return code;
}

enum code socket_connect_result(int fd, const struct endpoint *to, struct error *err)
{
	char peer[ADDRESS_TEXT_MAX];
	int reason = 0;
	socklen_t len = sizeof reason;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &len) < 0) reason = errno;
	if (reason == 0) return OK;
	return error_set(err, E_IO, "cannot connect to %s: %s", endpoint_print(to, peer),
			 strerror(reason));
}

static enum code transfer_result(ssize_t n, size_t *done)
{
	*done = n > 0 ? (size_t)n : 0;
	if (n >= 0) return OK;
	return errno == EAGAIN || errno == EINTR ? E_AGAIN : E_IO;
}

enum code socket_send(int fd, struct span bytes, size_t *done)
{
	return transfer_result(send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT), done);
}

enum code socket_receive(int fd, void *to, size_t cap, size_t *done)
{
	return transfer_result(recv(fd, to, cap, MSG_DONTWAIT), done);
}

struct endpoint socket_local(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof address;

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0) return (struct endpoint){0};
	return sockaddr_endpoint(&address, NULL);
}

/* Any descriptor will do; a duplicate needs no right to open files. */
static int reserve_new(int listen_fd)
{
	return fcntl(listen_fd, F_DUPFD_CLOEXEC, 0);
}

void acceptor_open(struct acceptor *acceptor, int listen_fd)
{
	*acceptor = (struct acceptor){listen_fd, reserve_new(listen_fd)};
}

void acceptor_close(struct acceptor *acceptor)
{
	if (acceptor->reserve_fd >= 0) close(acceptor->reserve_fd);
	acceptor->reserve_fd = -1;
}

/* Errors of the connection that waited, not of the listening socket: accept(2). */
static bool is_of_the_connection(int reason)
{
	switch (reason) {
	case ECONNABORTED:
	case EINTR:
	case EPROTO:
	case ENOPROTOOPT:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENONET:
	case EPERM: return true;
	default: return false;
	}
}

enum code acceptor_take(struct acceptor *acceptor, int *out, struct endpoint *peer,
			struct endpoint *local)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof address;
	int fd = accept4(acceptor->listen_fd, (struct sockaddr *)&address, &len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EAGAIN || is_of_the_connection(errno)) return E_AGAIN;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			return E_LIMIT;
		return E_IO;
	}
	if (acceptor->reserve_fd < 0) acceptor->reserve_fd = reserve_new(acceptor->listen_fd);
	*peer = sockaddr_endpoint(&address, NULL);
	*local = socket_local(fd);
	*out = fd;
	return OK;
}

bool acceptor_refuse(struct acceptor *acceptor)
{
	if (acceptor->reserve_fd >= 0) close(acceptor->reserve_fd);
	int fd = accept4(acceptor->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	bool moved = fd >= 0 || errno == EAGAIN || is_of_the_connection(errno);
	if (fd >= 0) close(fd);
	acceptor->reserve_fd = reserve_new(acceptor->listen_fd);
	return moved;
}
