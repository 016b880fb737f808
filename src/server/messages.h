/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages.h - what our processes say to each other, as C structs.
 *
 * One binary, so one layout; still every receiver checks kind, length and ranges,
 * because a process that parses strangers' bytes may have fallen (DESIGN section 3).
 * Names are wire form with their length; texts end in a zero within their array.
 */
#ifndef SERVER_MESSAGES_H
#define SERVER_MESSAGES_H

#include "base/address.h"
#include "base/instant.h"
#include "dns/name.h"
#include "engine/courier/exchange.h"
#include "zone/view.h"

enum message_kind {
	MESSAGE_NONE,
#define MESSAGE(kind, type, tail_max, descriptor, from, to) MESSAGE_##kind,
#include "server/messages.def"
#undef MESSAGE
	MESSAGE_KIND_COUNT,
};

enum process_role {
	PROCESS_SUPERVISOR,
	PROCESS_KEEPER,
	PROCESS_COURIER,
	PROCESS_FRONT,
	PROCESS_COUNT,
};

/* "front" */
const char *process_role_name(enum process_role role);

/* Every message begins with this; channel_send() fills it in. */
struct message_head {
	uint16_t kind;
	uint16_t reserved;
	uint32_t len; /* octets of the whole message */
};

struct message_empty {
	struct message_head head;
};

struct message_peer {
	struct message_head head;
	uint32_t role;
};

struct message_log_level {
	struct message_head head;
	uint32_t level; /* enum log_level, server/log.h */
};

enum { WALLS_TEXT_MAX = 128, DEATH_TEXT_MAX = 64 };

/* One process, as `status` shows it. */
struct process_state {
	int32_t pid; /* 0: not running */
	uint32_t restart_count;
	uint64_t started_unix_s;
	uint64_t died_unix_s;       /* last time; 0: never */
	char death[DEATH_TEXT_MAX]; /* "signal 11", "exit status 1" */
	char walls[WALLS_TEXT_MAX]; /* "no_new_privs landlock(4) seccomp" */
};

struct message_processes {
	struct message_head head;
	struct process_state states[PROCESS_COUNT];
};

struct message_ready {
	struct message_head head;
	char walls[WALLS_TEXT_MAX];
};

struct message_policy {
	struct message_head head;
	uint64_t len; /* octets in the descriptor */
};

struct message_segment {
	struct message_head head;
	uint32_t id;
	uint32_t is_file; /* a pack, not memory */
	uint64_t len;
};

struct message_generation {
	struct message_head head;
	uint64_t generation;
};

/* Where an image lies: in a segment that was sent before. */
struct message_layer {
	uint32_t segment;
	uint32_t reserved;
	uint64_t offset;
	uint64_t len;
};

/* A zone as it is to be answered from now on. */
struct message_publish {
	struct message_head head;
	uint64_t generation;
	uint32_t slot;
	uint32_t layer_count; /* 0: configured, but there is no version to serve */
	struct message_layer layers[VIEW_LAYERS_MAX]; /* the newest first */
	instant_ns expires_at;
	struct name_buffer zone;
};

/* Many zones at once: the descriptor holds `count` entries, one behind the other. */
struct message_roster {
	struct message_head head;
	uint64_t generation; /* of each of them */
	uint64_t len;        /* octets of the entries */
	uint32_t count;
};

/* Its layers follow, then its name, with zeros up to a multiple of 8. */
struct roster_entry {
	uint32_t slot;
	uint16_t layer_count;
	uint16_t name_len;
	instant_ns expires_at;
};

struct message_withdraw {
	struct message_head head;
	uint64_t generation;
	uint32_t slot;
};

struct message_notify {
	struct message_head head;
	struct endpoint from;
	struct name_buffer zone;
	uint32_t primary; /* index into the zone's primaries */
	uint32_t serial;
	uint8_t has_serial; /* a process that has fallen may send anything: no bool */
};

struct message_transfer_sent {
	struct message_head head;
	struct endpoint to;
	struct name_buffer zone;
	uint32_t serial;
	uint8_t complete;
	uint64_t record_count, octets;
	duration_ns duration_ns;
	char key[64]; /* label; "" for an unsigned one */
};

/* Counters since the front started; one row each in server/metrics.def. */
struct message_front_stats {
	struct message_head head;
	uint64_t counters[64];
};

struct message_exchange {
	struct message_head head;
	uint64_t id;
	uint32_t kind;
	uint32_t remote; /* index into the policy's remotes */
	uint32_t serial; /* NOTIFY: what is served */
	struct name_buffer zone;
};

struct message_exchange_id {
	struct message_head head;
	uint64_t id;
};

struct message_soa_answer {
	struct message_head head;
	uint64_t id;
	uint32_t serial;
};

struct message_records {
	struct message_head head;
	uint64_t id;
	/* records in uncompressed wire form follow */
};

struct message_exchange_end {
	struct message_head head;
	uint64_t id;
	uint32_t outcome;
	uint64_t record_count, octets; /* of a transfer */
	struct endpoint peer;          /* the address that was used last */
	char key[64];                  /* label of the key that signed; "" for none */
	char text[ERROR_TEXT_MAX];
};

/* What a row of messages.def asks of a message. */
struct message_rule {
	const char *name;
	uint32_t len_min; /* octets of its struct */
	uint32_t len_max;
	bool has_fd;
	uint32_t from, to; /* bit 1 << enum process_role */
};

struct message_table {
	const struct message_rule *rules; /* by kind; the first is none */
	size_t count;
};

/* All rows of messages.def. */
extern const struct message_table message_table;

#endif
