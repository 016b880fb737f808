/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blast.h - the parts of blast, a load generator that is cheaper than any server.
 *
 * One thread asks the questions of a file as fast as a server on this machine answers, with
 * a bounded number of them outstanding, and holds each answer to what the file says.
 */
#ifndef BENCH_BLAST_H
#define BENCH_BLAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	HEADER_OCTETS = 12,
	OPT_OCTETS = 11,
	PORTS_MAX = 64,         /* sockets of one run */
	CONNECTIONS_MAX = 1024, /* TCP connections of one run */
	TRAIN_MAX = 32,         /* datagrams that are sent at once */
	WATCHED_MAX = 64,       /* processes whose time is counted */
	SAMPLE_EVERY = 61,      /* one answer in so many is compared and walked to its end */
	MESSAGE_MAX = 65535,
};

struct options {
	const char *questions;
	uint16_t port;
	double seconds;      /* measured; 0: until `count` are asked */
	double warm_seconds; /* before that */
	uint64_t count;
	unsigned sockets;     /* UDP sockets, or TCP connections */
	unsigned outstanding; /* per socket or connection */
	unsigned train;
	double timeout_seconds; /* then a question counts as lost */
	bool dnssec_ok;
	bool unchecked; /* only id and QR: for the echo server */
	const char *zone;
	int sample_cpu; /* -1: do not sample */
	pid_t watched[WATCHED_MAX];
	unsigned watched_count;
};

/*
 * All questions as packets, grouped by length and shuffled in trains, so that a train
 * is one run of memory of packets of one length. Over TCP each has its length in front.
 */
struct questions {
	uint8_t *packets;
	struct train *trains;
	struct expectation *expected; /* by number of the packet */
	size_t train_count, packet_count;
	size_t next_train, next_in_train; /* where the asking is */
	bool has_length;                  /* two octets in front of each: TCP */
};

struct train {
	uint64_t at; /* of the first packet, in `packets` */
	uint32_t first;
	uint16_t count, len; /* len with the two octets, if they are there */
};

struct expectation {
	uint8_t rcode, wants;
};

/* One question that waits for its answer; its id is the slot's number and its turn. */
struct slot {
	const uint8_t *packet; /* without the two octets; NULL: free */
	uint64_t sent_ns;
	uint32_t number;
	uint16_t turn;
	uint16_t packet_len;
};

enum { TURN_SHIFT = 10, SLOTS_MAX = 1 << TURN_SHIFT };

struct slots {
	struct slot slots[SLOTS_MAX];
	uint16_t free[SLOTS_MAX];
	unsigned free_count, count;
};

/* What is counted: over the whole run, and (by subtraction) over its measured part. */
struct tally {
	uint64_t sent, answered, lost, stray, bad, sampled, closed;
	uint64_t octets;
	uint64_t rcodes[16];
	uint64_t truncated;
	char complaint[160]; /* the first bad answer, in words */
};

struct packet {
	const uint8_t *octets;
	size_t len;
	uint32_t number;
};

/* --- questions.c --- */

/* Exits with a sentence when the file is not one of questions. */
void questions_read(struct questions *q, const struct options *o, bool has_length);

void questions_free(struct questions *q);

/* The next one in its train; goes round for ever. */
struct packet questions_next(struct questions *q);

/* The next train, at most `max` packets of it; they stand one behind the other. */
unsigned questions_next_train(struct questions *q, unsigned max, struct packet *first);

/* --- slots.c --- */
void slots_begin(struct slots *s, unsigned count);
/* There must be a free one. Returns the id that the question is asked with. */
uint16_t slots_take(struct slots *s, const struct packet *packet, uint64_t now_ns);
/* The slot that this id was given for and that still waits; NULL: none. */
struct slot *slots_find(struct slots *s, uint16_t id);
void slots_release(struct slots *s, struct slot *slot);
/* Gives up on what was asked before then; returns how many that were. */
unsigned slots_expire(struct slots *s, uint64_t before_ns);

/* --- check.c --- */

/* Counts the message and holds it to what its question wants. */
void answer_check(struct slots *slots, const struct questions *q, const struct options *o,
		  struct tally *t, const uint8_t *message, size_t len);

/* One record of a message; `at` moves behind it. False: it does not stand whole in it. */
struct record_head {
	uint16_t type, rdata_len;
	size_t rdata_at;
};
bool record_walk(const uint8_t *message, size_t len, size_t *at, struct record_head *head);
bool name_walk(const uint8_t *message, size_t len, size_t *at);

/* --- watch.c --- */
struct cpu_time {
	uint64_t ns;         /* all time of all watched processes, to the nanosecond */
	uint64_t user_ticks; /* of 10 ms, split by the kernel's 4 ms tick */
	uint64_t system_ticks;
	uint64_t own_ns;
};
void cpu_time_read(const struct options *o, struct cpu_time *time);

/*
 * Samples what runs on a core, 5,000 times a second: the split of user and system is then
 * known better than by ticks. Not every kernel and user may; then it stays off.
 */
struct sampler {
	int fd;
	void *ring;
	uint64_t user, system;
};
void sampler_begin(struct sampler *s, const struct options *o);
void sampler_end(struct sampler *s, const struct options *o);

/* --- run.c: the clock of a run and its report --- */
struct run {
	const struct options *options;
	struct questions questions;
	struct tally tally;
	uint64_t begin_ns, end_ns; /* of the measured part */
	bool is_measuring;
	struct tally tally_at_begin, tally_at_end;
	struct cpu_time cpu_at_begin, cpu_at_end;
	struct sampler sampler;
};
uint64_t clock_ns(void);
void run_begin(struct run *r, const struct options *o, bool has_length);
/* False when the run is over; takes note when its measured part begins. */
bool run_goes_on(struct run *r, uint64_t now_ns);
void run_end(struct run *r);
/* JSON on stdout; the run is over then. */
void run_print(struct run *r, const char *mode);
__attribute__((format(printf, 1, 2))) _Noreturn void die(const char *format, ...);
int socket_connected(int type, uint16_t port, unsigned source);

/* --- the modes --- */
void udp_run(const struct options *o);
void tcp_run(const struct options *o);
void tcp_once_run(const struct options *o);
void axfr_run(const struct options *o);
void echo_serve(const struct options *o);

#endif
