/* SPDX-License-Identifier: Apache-2.0 */
#include "blast.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

void die(const char *format, ...)
{
	va_list values;

	fputs("blast: ", stderr);
	va_start(values, format);
	vfprintf(stderr, format, values);
	va_end(values);
	fputc('\n', stderr);
	exit(1);
}

uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* `source` makes another 127.0.0.x of it, so that ports do not run out; 0: the usual one. */
int socket_connected(int type, uint16_t port, unsigned source)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in from = {.sin_family = AF_INET};
	int one = 1, octets = 4 << 20;
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) die("no socket: %s", strerror(errno));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (type == SOCK_DGRAM) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &octets, sizeof octets);
	}
	if (source) {
		from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
		if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0)
			die("cannot use a source address of loopback: %s", strerror(errno));
	}
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
		die("cannot connect to port %u: %s", port, strerror(errno));
	return fd;
}

void run_begin(struct run *r, const struct options *o, bool has_length)
{
	*r = (struct run){.options = o, .sampler = {.fd = -1}};
	questions_read(&r->questions, o, has_length);
	r->begin_ns = clock_ns() + (uint64_t)(o->warm_seconds * 1e9);
	r->end_ns = o->seconds > 0 ? r->begin_ns + (uint64_t)(o->seconds * 1e9) : UINT64_MAX;
}

static void measuring_end(struct run *r, uint64_t now_ns)
{
	cpu_time_read(r->options, &r->cpu_at_end);
	sampler_end(&r->sampler, r->options);
	r->tally_at_end = r->tally;
	r->end_ns = now_ns;
	r->is_measuring = false;
}

bool run_goes_on(struct run *r, uint64_t now_ns)
{
	if (!r->is_measuring && now_ns >= r->begin_ns) {
		sampler_begin(&r->sampler, r->options);
		cpu_time_read(r->options, &r->cpu_at_begin);
		r->tally_at_begin = r->tally;
		r->begin_ns = clock_ns();
		if (r->options->seconds > 0)
			r->end_ns = r->begin_ns + (uint64_t)(r->options->seconds * 1e9);
		r->is_measuring = true;
	}
	uint64_t asked = r->tally.sent - r->tally_at_begin.sent;
	bool is_over = now_ns >= r->end_ns ||
		       (r->options->count && r->is_measuring && asked >= r->options->count);
	if (is_over && r->options->seconds > 0) measuring_end(r, now_ns);
	return !is_over;
}

/* A run that counts has to see its last answers first. */
void run_end(struct run *r)
{
	if (r->is_measuring) measuring_end(r, clock_ns());
}

static double per(double sum, uint64_t count)
{
	return count ? sum / (double)count : 0;
}

static void cpu_print(const struct run *r, uint64_t answered, double seconds)
{
	const struct cpu_time *a = &r->cpu_at_begin, *b = &r->cpu_at_end;
	uint64_t ticks = b->user_ticks - a->user_ticks + b->system_ticks - a->system_ticks;
	uint64_t samples = r->sampler.user + r->sampler.system;
	double ns = (double)(b->ns - a->ns);

	printf(" \"server_ns\": %.1f, \"server_cores\": %.3f, \"own_cores\": %.3f,\n",
	       per(ns, answered), ns / 1e9 / seconds,
	       (double)(b->own_ns - a->own_ns) / 1e9 / seconds);
	printf(" \"user_ticks\": %llu, \"ticks\": %llu, \"user_samples\": %llu, \"samples\": "
	       "%llu,\n",
	       (unsigned long long)(b->user_ticks - a->user_ticks), (unsigned long long)ticks,
	       (unsigned long long)r->sampler.user, (unsigned long long)samples);
}

void run_print(struct run *r, const char *mode)
{
	const struct tally *a = &r->tally_at_begin, *b = &r->tally_at_end;
	double seconds = (double)(r->end_ns - r->begin_ns) / 1e9;
	uint64_t answered = b->answered - a->answered;

	printf("{\"mode\": \"%s\", \"seconds\": %.6f, \"answered\": %llu, \"rate\": %.1f,\n", mode,
	       seconds, (unsigned long long)answered, (double)answered / seconds);
	cpu_print(r, answered, seconds);
	printf(" \"octets\": %.2f, \"truncated\": %llu, \"rcodes\": [",
	       per((double)(b->octets - a->octets), answered),
	       (unsigned long long)(b->truncated - a->truncated));
	for (size_t i = 0; i < 16; i++)
		printf("%s%llu", i ? ", " : "", (unsigned long long)(b->rcodes[i] - a->rcodes[i]));
	/* These over the whole run: an answer may be late, or bad, in any part of it. */
	printf("],\n \"all_sent\": %llu, \"all_answered\": %llu, \"all_lost\": %llu, "
	       "\"all_stray\": %llu, \"all_closed\": %llu, \"all_sampled\": %llu, "
	       "\"all_bad\": %llu,\n \"complaint\": \"",
	       (unsigned long long)r->tally.sent, (unsigned long long)r->tally.answered,
	       (unsigned long long)r->tally.lost, (unsigned long long)r->tally.stray,
	       (unsigned long long)r->tally.closed, (unsigned long long)r->tally.sampled,
	       (unsigned long long)r->tally.bad);
	for (const char *c = r->tally.complaint; *c; c++)
		if (*c >= ' ' && *c < 127 && *c != '"' && *c != '\\') putchar(*c);
	printf("\"}\n");
	questions_free(&r->questions);
}
