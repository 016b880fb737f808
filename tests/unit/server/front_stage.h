/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front_stage.h - a front in a thread of its own, with us as keeper, supervisor and
 * clients around it.
 */
#ifndef TESTS_SERVER_FRONT_STAGE_H
#define TESTS_SERVER_FRONT_STAGE_H

#include "front_supply.h"

#include "host/clock.h"
#include "host/loop.h"
#include "host/socket.h"
#include "server/brief.h"
#include "server/channel.h"
#include "server/front/front.h"
#include "server/log.h"
#include "server/metrics.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

enum {
	STAGE_WORKERS = 2,
	STAGE_NOTES_MAX = 64,
	STAGE_SEGMENT_OCTETS = 32 << 20,
	CLIENT_PATIENCE_MS = 5000,
};

struct stage {
	struct world world;
	struct loop *loop;
	struct channel *keeper, *supervisor;
	struct supply_segment segment;
	uint32_t last_segment;
	uint64_t generation;
	/* what the front said to the keeper that is there */
	uint64_t serving, released;
	struct message_notify notifies[STAGE_NOTES_MAX];
	size_t notify_count;
	struct message_transfer_sent transfers[STAGE_NOTES_MAX];
	size_t transfer_count;
	struct message_front_stats stats;
	bool has_stats;
	bool is_ready, keeper_failed; /* to the supervisor */
	/* the front */
	struct listener listeners[2 * STAGE_WORKERS + 2];
	struct endpoint udp, tcp, wildcard; /* where it answers; UDP on every address */
	struct brief brief;
	struct process process;
	pthread_t thread;
	int status;
};

static void stage_received(void *context, struct channel_message *message)
{
	struct stage *s = context;

	switch (message->kind) {
	case MESSAGE_SERVING:
		CHECK(((const struct message_generation *)message->body)->generation > s->serving);
		s->serving = ((const struct message_generation *)message->body)->generation;
		break;
	case MESSAGE_RELEASED:
		s->released = ((const struct message_generation *)message->body)->generation;
		CHECK(s->released <= s->serving);
		break;
	case MESSAGE_NOTIFY_RECEIVED:
		CHECK(s->notify_count < STAGE_NOTES_MAX);
		memcpy(&s->notifies[s->notify_count++], message->body, sizeof s->notifies[0]);
		break;
	case MESSAGE_TRANSFER_SENT:
		CHECK(s->transfer_count < STAGE_NOTES_MAX);
		memcpy(&s->transfers[s->transfer_count++], message->body, sizeof s->transfers[0]);
		break;
	case MESSAGE_FRONT_STATS:
		memcpy(&s->stats, message->body, sizeof s->stats);
		s->has_stats = true;
		break;
	case MESSAGE_READY: s->is_ready = true; break;
	case MESSAGE_PEER_BROKE:
		CHECK(((const struct message_peer *)message->body)->role == PROCESS_KEEPER);
		s->keeper_failed = true;
		break;
	default: fail_msg("message %u", message->kind);
	}
}

static void stage_closed(void *context, enum code code, const char *why)
{
	(void)context;
	if (code != E_IO) fail_msg("%s", why);
}

static inline struct channel *stage_channel(struct stage *s, int fd, enum process_role own)
{
	const struct channel_events events = {stage_received, stage_closed, NULL, s};
	struct channel *channel;

	CHECK(channel_open(s->loop, fd, own, PROCESS_FRONT, &message_table, &events, &channel,
			   NULL) == OK);
	return channel;
}

static void *stage_run(void *context)
{
	struct stage *s = context;

	s->status = front_main(&s->process);
	for (int peer = 0; peer < PROCESS_COUNT; peer++) channel_free(s->process.peers[peer]);
	return NULL;
}

/* UDP and TCP on 127.0.0.1, and UDP on every address. */
static inline void stage_listen(struct stage *s)
{
	struct listener *listener = s->listeners;
	int fds[STAGE_WORKERS];
	struct error err;

	s->udp = (struct endpoint){.address = address_of_ipv4((const uint8_t[]){127, 0, 0, 1})};
	s->tcp = s->udp;
	s->wildcard = (struct endpoint){.address = {.family = 4}};
	if (socket_listen_udp(&s->udp, STAGE_WORKERS, fds, &err)) fail_msg("%s", err.text);
	s->udp = socket_local(fds[0]);
	for (uint32_t i = 0; i < STAGE_WORKERS; i++)
		*listener++ = (struct listener){s->udp, TRANSPORT_UDP, i, fds[i]};
	if (socket_listen_udp(&s->wildcard, STAGE_WORKERS, fds, &err)) fail_msg("%s", err.text);
	s->wildcard = socket_local(fds[0]);
	for (uint32_t i = 0; i < STAGE_WORKERS; i++)
		*listener++ = (struct listener){s->wildcard, TRANSPORT_UDP, i, fds[i]};
	*listener = (struct listener){s->tcp, TRANSPORT_TCP, 0, -1};
	if (socket_listen_tcp(&s->tcp, &listener->fd, &err)) fail_msg("%s", err.text);
	s->tcp = socket_local(listener->fd);
	s->process.listeners = s->listeners;
	s->process.listener_count = (size_t)(listener + 1 - s->listeners);
}

static inline void stage_keeper_begin(struct stage *s)
{
	s->generation = s->serving = s->released = 0;
	s->last_segment = 0;
	s->keeper_failed = false;
}

static inline struct stage *stage_open(void)
{
	struct stage *s = calloc(1, sizeof *s);
	int keeper[2], supervisor[2];

	CHECK(s != NULL);
	log_level_set(LEVEL_ERROR);
	world_open(&s->world);
	CHECK(loop_new(&s->loop, NULL) == OK && loop_new(&s->process.loop, NULL) == OK);
	CHECK(channel_pair(keeper, NULL) == OK && channel_pair(supervisor, NULL) == OK);
	s->keeper = stage_channel(s, keeper[0], PROCESS_KEEPER);
	s->supervisor = stage_channel(s, supervisor[0], PROCESS_SUPERVISOR);
	s->brief.peers[PROCESS_KEEPER] = keeper[1];
	s->brief.peers[PROCESS_SUPERVISOR] = supervisor[1];
	s->brief.peers[PROCESS_COURIER] = s->brief.peers[PROCESS_FRONT] = -1;
	s->process.role = PROCESS_FRONT;
	s->process.worker_count = STAGE_WORKERS;
	s->process.brief = span_of(&s->brief, sizeof s->brief);
	stage_listen(s);
	CHECK(pthread_create(&s->thread, NULL, stage_run, s) == 0);
	return s;
}

static inline void stage_send(struct stage *s, enum message_kind kind, const void *body, int fd)
{
	if (channel_send(s->keeper, kind, body, span_of(NULL, 0), fd))
		fail_msg("message %d", (int)kind);
}

/* Waits until the front has said what makes `condition` true. */
#define STAGE_AWAIT(s, condition)                                                                  \
	while (!(condition)) loop_turn((s)->loop, true)

static inline void stage_segment(struct stage *s)
{
	if (s->segment.fd) supply_segment_close(&s->segment);
	supply_segment_open(&s->segment, ++s->last_segment, STAGE_SEGMENT_OCTETS);
	stage_send(s, MESSAGE_SEGMENT, &s->segment.body, s->segment.reader_fd);
}

static inline void stage_policy(struct stage *s, const char *yaml)
{
	struct message_policy body;
	int fd = supply_policy(yaml, &body);

	stage_send(s, MESSAGE_FRONT_POLICY, &body, fd);
	close(fd);
}

/* Publishes a zone of this text, and does not wait. */
static inline struct message_publish stage_publish(struct stage *s, uint32_t slot,
						   const char *origin, const char *text)
{
	struct message_publish body = supply_image(&s->world, &s->segment, slot, origin, text);

	body.generation = ++s->generation;
	stage_send(s, MESSAGE_PUBLISH, &body, -1);
	return body;
}

static inline void stage_serve(struct stage *s, uint32_t slot, const char *origin, uint32_t serial)
{
	stage_publish(s, slot, origin, supply_text(origin, serial));
	STAGE_AWAIT(s, s->serving == s->generation);
}

static inline void stage_roster_end(struct stage *s)
{
	struct message_generation body = {.generation = ++s->generation};

	stage_send(s, MESSAGE_ROSTER_END, &body, -1);
	STAGE_AWAIT(s, s->serving == s->generation);
}

/* The keeper dies. */
static inline void stage_keeper_dies(struct stage *s)
{
	channel_free(s->keeper);
	s->keeper = NULL;
}

/* The supervisor brings another one. */
static inline void stage_keeper_comes(struct stage *s)
{
	struct message_peer body = {.role = PROCESS_KEEPER};
	int ends[2];

	CHECK(channel_pair(ends, NULL) == OK);
	s->keeper = stage_channel(s, ends[0], PROCESS_KEEPER);
	CHECK(channel_send(s->supervisor, MESSAGE_PEER, &body, span_of(NULL, 0), ends[1]) == OK);
	close(ends[1]);
	stage_keeper_begin(s);
}

static inline const uint64_t *stage_stats(struct stage *s)
{
	struct message_empty body = {0};

	s->has_stats = false;
	stage_send(s, MESSAGE_STATS_ASK, &body, -1);
	STAGE_AWAIT(s, s->has_stats);
	return s->stats.counters;
}

static inline void stage_close(struct stage *s)
{
	struct message_empty body = {0};

	CHECK(channel_send(s->supervisor, MESSAGE_STOP, &body, span_of(NULL, 0), -1) == OK);
	CHECK(pthread_join(s->thread, NULL) == 0 && s->status == PROCESS_EXIT_DONE);
	channel_free(s->keeper);
	channel_free(s->supervisor);
	for (size_t i = 0; i < s->process.listener_count; i++) close(s->listeners[i].fd);
	loop_free(s->process.loop);
	loop_free(s->loop);
	if (s->segment.fd) supply_segment_close(&s->segment);
	world_close(&s->world);
	free(s);
}

/* ---- clients ---- */

static inline int client_open(enum transport transport, const struct endpoint *to)
{
	struct pollfd ready = {.events = POLLOUT};
	struct error err;

	if (socket_connect(transport, to, NULL, &ready.fd, &err)) fail_msg("%s", err.text);
	CHECK(poll(&ready, 1, -1) == 1);
	return ready.fd;
}

static inline void client_send(int fd, struct span octets)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	size_t done;

	while (octets.len > 0) {
		CHECK(poll(&ready, 1, -1) == 1);
		enum code code = socket_send(fd, octets, &done);
		CHECK(code == OK || code == E_AGAIN);
		octets = span_of(octets.ptr + done, octets.len - done);
	}
}

/* What comes next; empty when the other side has closed. */
static inline struct span client_receive(int fd, uint8_t *to, size_t cap)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	size_t done;

	CHECK(poll(&ready, 1, -1) == 1);
	if (socket_receive(fd, to, cap, &done)) return span_of(NULL, 0);
	return span_of(to, done);
}

/* Exactly `len` octets; false when the other side closes before. */
static inline bool client_receive_all(int fd, uint8_t *to, size_t len)
{
	while (len > 0) {
		struct span piece = client_receive(fd, to, len);
		if (piece.len == 0) return false;
		to += piece.len;
		len -= piece.len;
	}
	return true;
}

/* The next message of a stream; empty when the connection is closed. */
static inline struct span client_message(struct stage *s, int fd)
{
	uint8_t len[2];

	if (!client_receive_all(fd, len, 2)) return span_of(NULL, 0);
	size_t octets = (size_t)(len[0] << 8 | len[1]);
	if (!client_receive_all(fd, s->world.response, octets)) return span_of(NULL, 0);
	return span_of(s->world.response, octets);
}

/* A question in words (answer_fixture.h), framed as TCP wants it; borrowed until the next. */
static inline struct span client_question(struct stage *s, const char *words)
{
	struct ask ask;

	ask_parse(words, &ask);
	struct writer w = ask_write(&ask, SECTION_QUESTION, NULL, s->world.request + 2);
	put_u16(s->world.request, (uint16_t)w.len);
	return span_of(s->world.request, w.len + 2);
}

/* Asks over UDP and returns the response as text; asks again when it gets lost. */
static inline const char *stage_ask(struct stage *s, const char *words)
{
	struct pollfd ready = {.fd = client_open(TRANSPORT_UDP, &s->udp), .events = POLLIN};
	struct span question = client_question(s, words);

	do client_send(ready.fd, span_of(question.ptr + 2, question.len - 2));
	while (poll(&ready, 1, CLIENT_PATIENCE_MS) == 0);
	struct span answer = client_receive(ready.fd, s->world.response, sizeof s->world.response);
	const char *text = response_text(&s->world, answer);
	close(ready.fd);
	return text;
}

/* The serial that the front answers with; 0: none. */
static inline uint32_t stage_serial(struct stage *s, const char *origin)
{
	char words[300];
	unsigned serial = 0;

	snprintf(words, sizeof words, "serial.%s TXT", origin);
	const char *text = strchr(stage_ask(s, words), '"');
	if (text) CHECK(sscanf(text, "\"%u\"", &serial) == 1);
	return serial;
}

/* ---- how most tests begin ---- */

static const char stage_policy_text[] =
	"server: {name: ns1.example.net}\n"
	"keys:\n"
	"  - {name: xfer, secret: \"c2VjcmV0LWZvci10ZXN0cw==\"}\n"
	"remotes:\n"
	"  - {name: upstream, address: [127.0.0.1]}\n"
	"  - {name: signer, address: [127.0.0.9], keys: xfer}\n"
	"zones:\n"
	"  - {name: a.example, role: primary, allow-transfer: [any]}\n"
	"  - {name: b.example, role: primary, allow-transfer: [{key: xfer}]}\n"
	"  - {name: c.example, role: secondary, primaries: upstream}\n";

static struct stage *stage;

static inline int stage_setup(void **state)
{
	(void)state;
	stage = stage_open();
	return 0;
}

static inline int stage_teardown(void **state)
{
	(void)state;
	stage_close(stage);
	return 0;
}

/* a.example with serial 1 is served, and the roster is complete. */
static inline void begin(void)
{
	stage_policy(stage, stage_policy_text);
	stage_segment(stage);
	stage_serve(stage, 0, "a.example.", 1);
	stage_roster_end(stage);
}

#endif
