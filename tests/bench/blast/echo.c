/* SPDX-License-Identifier: Apache-2.0 */
/* The physical limit: receives a batch, sets QR, sends it back. Ends with a signal. */
#include "blast.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { BATCH = 32, DATAGRAM_MAX = 512 };

static struct mmsghdr messages[BATCH];
static struct iovec iovecs[BATCH];
static struct sockaddr_in peers[BATCH];
static uint8_t buffers[BATCH][DATAGRAM_MAX];

void echo_serve(const struct options *o)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(o->port)};
	int octets = 4 << 20;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0)
		die("cannot listen on port %u: %s", o->port, strerror(errno));
	for (;;) {
		for (int i = 0; i < BATCH; i++) {
			iovecs[i] = (struct iovec){buffers[i], DATAGRAM_MAX};
			messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i],
							      .msg_namelen = sizeof peers[i],
							      .msg_iov = &iovecs[i],
							      .msg_iovlen = 1};
		}
		int count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < count; i++) {
			iovecs[i].iov_len = messages[i].msg_len;
			if (messages[i].msg_len >= HEADER_OCTETS) buffers[i][2] |= 0x80;
		}
		for (int sent = 0; sent < count;) {
			int more = sendmmsg(fd, messages + sent, (unsigned)(count - sent), 0);
			if (more <= 0) break;
			sent += more;
		}
	}
}
