/* SPDX-License-Identifier: Apache-2.0 */
/* One AXFR: asks, and walks all records until the second SOA. */
#include "../question.h"
#include "blast.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TYPE_SOA = 6, TYPE_AXFR = 252, IN_OCTETS = 4 << 20 };

struct transfer {
	uint64_t records, octets, messages;
	unsigned soas;
	const char *complaint;
};

/* Name in text (dots, no escapes) to wire form; returns its length. */
static size_t name_write(const char *text, uint8_t *to)
{
	size_t at = 0;

	while (*text && strcmp(text, ".") != 0) {
		size_t len = strcspn(text, ".");
		if (len == 0 || len > 63 || at + len + 2 > 255) die("%s: not a name", text);
		to[at++] = (uint8_t)len;
		memcpy(to + at, text, len);
		at += len;
		text += len + (text[len] == '.');
	}
	to[at++] = 0;
	return at;
}

static void ask(int fd, const char *zone)
{
	uint8_t query[2 + HEADER_OCTETS + QUESTION_OCTETS_MAX] = {0};
	size_t len = 2 + HEADER_OCTETS;

	query[3] = 1; /* the id */
	query[7] = 1; /* one question */
	len += name_write(zone, query + len);
	query[len + 1] = TYPE_AXFR;
	query[len + 3] = 1; /* IN */
	len += 4;
	query[0] = (uint8_t)((len - 2) >> 8);
	query[1] = (uint8_t)(len - 2);
	if (send(fd, query, len, MSG_NOSIGNAL) != (ssize_t)len) die("cannot ask for the transfer");
}

static const char *message_walk(struct transfer *t, const uint8_t *message, size_t len)
{
	size_t at = HEADER_OCTETS;

	if (len < HEADER_OCTETS || message[3] & 0x0f) return "refused";
	for (unsigned i = message[5]; i > 0; i--) {
		if (!name_walk(message, len, &at) || len - at < 4) return "a broken question";
		at += 4;
	}
	unsigned count = (unsigned)message[6] << 8 | message[7];
	for (unsigned i = 0; i < count; i++) {
		struct record_head head;
		if (!record_walk(message, len, &at, &head)) return "a record is cut off";
		t->soas += head.type == TYPE_SOA;
	}
	t->records += count;
	t->octets += len;
	t->messages++;
	return NULL;
}

static void transfer(struct transfer *t, int fd, int timeout_ms)
{
	static uint8_t in[IN_OCTETS];
	size_t in_len = 0;

	while (t->soas < 2 && !t->complaint) {
		struct pollfd poller = {fd, POLLIN, 0};
		size_t at = 0;
		if (poll(&poller, 1, timeout_ms) <= 0) {
			t->complaint = "nothing came for too long";
			return;
		}
		ssize_t got = recv(fd, in + in_len, IN_OCTETS - in_len, MSG_DONTWAIT);
		if (got <= 0) {
			t->complaint = "the connection was closed";
			return;
		}
		in_len += (size_t)got;
		while (in_len - at >= 2 && !t->complaint) {
			size_t len = (size_t)in[at] << 8 | in[at + 1];
			if (in_len - at - 2 < len) break;
			t->complaint = message_walk(t, in + at + 2, len);
			at += 2 + len;
		}
		in_len -= at;
		memmove(in, in + at, in_len);
	}
}

void axfr_run(const struct options *o)
{
	struct cpu_time before, after;
	struct transfer t = {0};
	int fd = socket_connected(SOCK_STREAM, o->port, 0);

	fcntl(fd, F_SETFL, 0);
	cpu_time_read(o, &before);
	uint64_t begin_ns = clock_ns();
	ask(fd, o->zone);
	transfer(&t, fd, (int)(o->timeout_seconds * 1e3));
	uint64_t end_ns = clock_ns();
	/* The sender may still be tidying up; that is its cost too. */
	usleep(20000);
	cpu_time_read(o, &after);
	close(fd);
	printf("{\"mode\": \"axfr\", \"seconds\": %.6f, \"records\": %llu, \"octets\": %llu, "
	       "\"messages\": %llu, \"server_ns\": %llu, \"own_ns\": %llu, \"complaint\": "
	       "\"%s\"}\n",
	       (double)(end_ns - begin_ns) / 1e9, (unsigned long long)t.records,
	       (unsigned long long)t.octets, (unsigned long long)t.messages,
	       (unsigned long long)(after.ns - before.ns),
	       (unsigned long long)(after.own_ns - before.own_ns), t.complaint ? t.complaint : "");
}
