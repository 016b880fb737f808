/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.h - the change pipeline of one zone: guard, store, publish, notify.
 *
 * Every version of a zone goes this way and no other: a candidate (a zone file that
 * was read, a transfer that came in whole) is checked, gets its serial, becomes
 * durable, is served here, and only then is anybody told. The order is decided in
 * keeper_step; whoever runs the machine (the keeper process, the simulator) reads
 * files, commits, builds images and talks to peers as the actions say.
 *
 *   1. Nothing is published that was not stored.
 *   2. Nobody is notified of what is not served here.
 *   3. One candidate is under way at a time; what comes meanwhile waits as one wish.
 *   4. A candidate that fails leaves the version before it in place.
 */
#ifndef ENGINE_KEEPER_KEEPER_H
#define ENGINE_KEEPER_KEEPER_H

#include "engine/keeper/serial.h"
#include "engine/primary/notify.h"
#include "engine/secondary/secondary.h"
#include "zone/change.h"
#include "zone/checks.h"
#include "zone/view.h"

enum {
	KEEPER_ACTIONS_MAX = 16,
	PROBLEM_TEXT_MAX = ERROR_TEXT_MAX,
};

enum keeper_stage {
	KEEPER_RESTORING, /* until KEEPER_START says what the store has */
	KEEPER_IDLE,
	KEEPER_READING,    /* the zone file */
	KEEPER_STORING,    /* the candidate's commit is under way */
	KEEPER_PUBLISHING, /* sent to the front, not yet served */
};

/* The newest durable version. */
struct keeper_version {
	bool exists;
	uint32_t serial;
	struct zone_digest digest;
	struct view view;     /* octets belong to whoever runs the machine */
	uint64_t time_unix_s; /* when it was accepted */
	enum change_source source;
	const char *author; /* the runner's, as long as this is the newest version */
};

/* A candidate between the guard and the front. Its memory belongs to the runner. */
struct keeper_candidate {
	struct records *records;
	struct change change; /* against the head; sides empty when `first` */
	bool first;           /* there is no version before it */
	bool as_snapshot;     /* durable as a snapshot, not as a change */
	bool is_transfer;     /* of the transfer that the secondary's machine waits for */
	uint32_t serial;
	struct zone_digest digest;
	const char *author; /* the event's */
};

struct keeper_zone {
	const struct zone_policy *policy;
	const struct limit_policy *limits;
	enum keeper_stage stage;
	struct keeper_version head;
	struct keeper_candidate candidate;
	bool has_floor;             /* a version was here that cannot be read any more, */
	uint32_t serial_floor;      /* with this serial: a first one does not go back behind it */
	bool reload_wanted;         /* a reload was ordered while another candidate was under way */
	struct secondary secondary; /* role secondary */
	struct notify *notifies;    /* one per policy->secondaries, owned by the runner */
	bool served;                /* the head is what the front answers with */
	bool expired;
	instant_ns problem_since; /* 0: none */
	char *problem; /* why the newest candidate or exchange failed; NULL before the first */
};

enum keeper_event_kind {
	KEEPER_START,          /* `view` or `records`; neither: the store holds no version */
	KEEPER_RELOAD,         /* look at the zone file */
	KEEPER_FILE_UNCHANGED, /* it is the one that was loaded last */
	KEEPER_FILE_READ,      /* `records`, sorted */
	KEEPER_FILE_BROKEN,    /* `problem` */
	KEEPER_STORED,         /* the commit is durable */
	KEEPER_STORE_FAILED,   /* `problem` */
	KEEPER_SERVING,        /* the front answers with the version that was published last */
	KEEPER_TICK,
	KEEPER_NOTIFY_RECEIVED, /* from primary `peer` */
	KEEPER_REFRESH,         /* ordered; `forced` */
	KEEPER_SOA_ANSWERED,    /* `serial` */
	KEEPER_RECEIVED, /* `records`, sorted: a whole transfer; only while the stage is idle */
	KEEPER_EXCHANGE_FAILED, /* the SOA question or transfer under way; `problem` */
	KEEPER_NOTIFY_ANSWERED, /* by secondary `peer` */
	KEEPER_NOTIFY_FAILED,   /* by secondary `peer`; `problem` */
	KEEPER_NOTIFY_ORDER,    /* tell every secondary now */
};

struct keeper_event {
	enum keeper_event_kind kind;
	instant_ns now;
	uint64_t now_unix_s;
	uint32_t jitter;
	size_t peer;
	uint32_t serial;
	bool has_serial;
	bool forced;
	const struct view *view; /* of images that are there already; the runner's while served */
	struct records *records; /* runner's; stays valid until the stage is idle again */
	struct arena *arena;     /* same lifetime: the change and the sets made on the way */
	struct crypto *crypto;
	struct diagnostics *diagnostics; /* of the guard */
	const char *author; /* as `records`, longer if it becomes the newest version's */
	const char *problem;
	/*
	 * PROBLEM_TEXT_MAX octets of the runner's, for a zone that has none: `problem` may keep
	 * them. They go back when problem_since is 0.
	 */
	char *problem_room;
	/* KEEPER_FILE_READ: zone_check found no error in `records`, its warnings are told. */
	bool is_checked;
	bool has_digest;           /* KEEPER_FILE_READ: `digest` is of `records` */
	struct zone_digest digest; /* also KEEPER_START with a restored version, as all below */
	instant_ns confirmed_at;
	uint64_t time_unix_s;
	enum change_source source;
};

enum keeper_action_kind {
	KEEPER_READ_FILE,
	KEEPER_STORE, /* zone->candidate; answer with STORED or STORE_FAILED */
	/*
	 * Build the image of candidate.records (NULL: head.view is there), send it to the front:
	 * SERVING follows.
	 */
	KEEPER_PUBLISH,
	KEEPER_PUBLISH_EXPIRY, /* same image, new expire instant */
	KEEPER_STORE_TIMERS,   /* zone->secondary.confirmed_at is news */
	KEEPER_ASK_SOA,        /* of primary `peer` */
	KEEPER_FETCH,          /* a whole transfer from primary `peer` */
	KEEPER_SEND_NOTIFY,    /* to secondary `peer`, with `serial` */
	KEEPER_FINISHED,       /* the candidate is served, or came to nothing: its memory may go */
	KEEPER_TELL,           /* an event for the log and for people: `tell` */
};

enum keeper_tell {
	TELL_LOADED,    /* first version here */
	TELL_CHANGED,   /* a new version is durable */
	TELL_UNCHANGED, /* a reload found nothing new */
	TELL_REFUSED,   /* a candidate failed: zone->problem */
	TELL_CURRENT,   /* a primary confirmed our serial */
	TELL_EXPIRED,
	TELL_EXCHANGE_FAILED,
	TELL_NOTIFY_FAILED,
};

struct keeper_action {
	enum keeper_action_kind kind;
	enum keeper_tell tell;
	size_t peer;
	uint32_t serial;
};

struct keeper_actions {
	struct keeper_action list[KEEPER_ACTIONS_MAX];
	size_t count;
};

/* `notifies` has policy->secondary_count places; borrowed like the policy. */
void keeper_zone_init(struct keeper_zone *zone, const struct zone_policy *policy,
		      const struct limit_policy *limits, struct notify *notifies);

/* Fills `actions` anew. What does not fit is due at once: keeper_zone_wake_at says so. */
void keeper_step(struct keeper_zone *zone, const struct keeper_event *event,
		 struct keeper_actions *actions);

/* When KEEPER_TICK is due next; INSTANT_NEVER when nothing waits. */
instant_ns keeper_zone_wake_at(const struct keeper_zone *zone);

/* The instant at which the front must stop answering; INSTANT_NEVER for a primary. */
instant_ns keeper_zone_expires_at(const struct keeper_zone *zone);

#endif
