/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - the configuration as the machines want it: immutable, resolved.
 *
 * Made whole by `config` from a file, lies in one arena, and is replaced whole by
 * the next one. Names are pointers here: a zone points at its remotes, these at
 * their keys.
 */
#ifndef ENGINE_POLICY_H
#define ENGINE_POLICY_H

#include "base/arena.h"
#include "base/diagnostic.h"
#include "base/instant.h"
#include "engine/access.h"

/* One peer (`remotes:`). */
struct remote {
	const char *label;
	const struct endpoint *addresses; /* where we send, in order of preference */
	size_t address_count;
	const struct prefix *from; /* where its requests come from */
	size_t from_count;
	bool from_any;
	struct endpoint source;       /* family 0: the kernel's choice */
	const struct tsig_key **keys; /* the first signs, each is accepted */
	size_t key_count;
};

enum zone_role { ROLE_PRIMARY, ROLE_SECONDARY };

/* Words of a setting that is on or off, in the order of its enum. */
enum switch_word { SWITCH_NO, SWITCH_YES };

enum serial_policy { SERIAL_INCREMENT, SERIAL_UNIXTIME, SERIAL_DATESERIAL, SERIAL_FILE };

struct zone_policy {
	struct name name;
	const char *label; /* the name as text, with its final dot */
	enum zone_role role;
	const char *file; /* absolute path; NULL: the store owns the data */
	enum serial_policy serial;
	enum switch_word rotate; /* RRsets begin with another record each time */
	const struct remote **primaries;
	size_t primary_count;
	const struct remote **secondaries;
	size_t secondary_count;
	bool secondaries_none; /* written as []: being alone is no problem to report */
	struct access_list allow_query;
	struct access_list allow_transfer; /* its first items are the secondaries, one each */
	struct place origin;               /* where the configuration says so */
};

/* An interface to answer on, whatever its addresses are. */
struct interface_endpoint {
	char name[16]; /* ended by a zero */
	uint16_t port;
};

struct server_policy {
	const char *name;    /* NSID and id.server; NULL: hidden */
	const char *user;    /* NULL: stay who we are */
	const char *state;   /* folder */
	const char *control; /* socket */
	const struct endpoint *listen;
	size_t listen_count; /* this and the interfaces 0: each address of the host by itself */
	const struct interface_endpoint *listen_interfaces;
	size_t listen_interface_count;
	uint32_t workers; /* 0: one per core */
	/* COOKIE_SECRET_OCTETS, or twice as many: then the second is only accepted. None: random.
	 */
	struct span cookie_secret;
};

/* Settings of `limits:`, one row each in config/limits.def. */
struct limit_policy {
	uint32_t tcp_connections;
	uint32_t tcp_connections_per_address;
	duration_ns tcp_idle_ns;
	uint32_t transfers_in; /* at one time, for the server */
	uint32_t transfers_in_per_remote;
	duration_ns
		transfer_idle_ns; /* a transfer in that brings nothing for so long is broken off */
	uint64_t zone_octets;     /* largest zone in wire form */
	duration_ns refresh_min_ns, refresh_max_ns; /* clamps of SOA refresh and retry */
	duration_ns retry_min_ns, retry_max_ns;
};

/* Octets of an arena for a policy; enough for a million zones. */
#define POLICY_OCTETS_MAX ((size_t)4 << 30)

struct policy {
	struct arena *arena; /* owns everything here */
	struct server_policy server;
	struct limit_policy limits;
	const struct tsig_key *keys; /* sorted by label */
	size_t key_count;
	const struct remote *remotes; /* likewise */
	size_t remote_count;
	const struct zone_policy *zones; /* sorted in canonical order of their names */
	size_t zone_count;
	const char *path; /* the file it came from */
};

/* The zone of exactly this name; NULL when there is none. */
const struct zone_policy *policy_zone(const struct policy *policy, struct name name);

#endif
