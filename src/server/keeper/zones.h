/* SPDX-License-Identifier: Apache-2.0 */
/* zones.h - one zone in the keeper process: its machine and all that serves it. */
#ifndef SERVER_KEEPER_ZONES_H
#define SERVER_KEEPER_ZONES_H

#include "server/keeper/keeper.h"
#include "server/zone_file.h"

/* Zones whose files are being read, or are candidates that were read, at one time. */
enum { ZONES_IN_WORK_MAX = 1024 };
#define ZONES_IN_WORK_OCTETS_MAX ((size_t)512 << 20)

#define ZONE_SAID_OCTETS_MAX ((size_t)1 << 20) /* of diagnostics */

/* The records of a transfer, chunk by chunk as they come. */
struct incoming {
	struct arena *arena;
	struct span *chunks;
	size_t count, capacity;
	char *author;  /* malloc'ed: "transfer from west"; NULL while it comes */
	bool is_whole; /* waits for the candidate before it */
};

/* What the store has of a zone, and does for it. */
struct zone_stored {
	uint64_t seq;          /* of the newest version that is durable */
	bool entry_is_known;   /* where it is configured now */
	bool restore_due;      /* it has not begun with what the store has of it */
	bool files_are_known;  /* `files` of the zone are those of the newest version */
	bool image_is_damaged; /* it is being built from the store */
	bool loads_first;      /* it has no version, and its file is on its way to be one */
	unsigned job_count;    /* under way; they read `work` meanwhile */
	struct zone *next;     /* in keeper.restore.files */
};

/* What the front has of a zone, or is to have. */
struct zone_published {
	struct image_places places; /* the head's layers */
	struct image_places sent;   /* those that the front was told last */
	uint64_t generation;        /* of the newest publication that was sent */
	bool is_unsent;    /* the front does not know the newest: in keeper.roster.unsent */
	bool awaits_front; /* in keeper.roster.awaiting */
	struct zone *next, *next_unsent; /* there */
};

/* The wish that the head's image lay in a pack, in keeper.packer. */
struct zone_packing {
	bool is_wanted;
	bool has_been; /* in a pack, with this version or one before */
	instant_ns wanted_since, not_before;
	uint64_t octets;
	struct zone *next, *previous;
};

/* The zone's wish to have its file read, and what that takes meanwhile. */
struct zone_reading {
	struct file_reading *job;     /* under way; NULL: none */
	bool is_waiting;              /* in keeper.reads */
	bool is_counted;              /* in keeper.reads: until its candidate came to an end */
	size_t octets;                /* that are counted there, or will be */
	struct zone *next, *previous; /* there */
};

/* Who made the newest version, and the one that may become it; malloc'ed. */
struct zone_authors {
	char *head, *next;
};

/* A question to a primary that the courier has not taken yet, in keeper.asking. */
struct zone_asking {
	struct zone *next;
	enum exchange_kind kind;
	bool is_waiting;
};

struct zone {
	struct keeper_zone machine;
	struct keeper *keeper;
	uint32_t slot;              /* its place in the front's directory */
	bool is_gone;               /* not configured any more; lives on for its jobs */
	struct notify *notifies;    /* one per secondary, as the next; NULL: there are none */
	uint64_t *notify_exchanges; /* its NOTIFY under way, 0 none */
	struct zone_authors authors;
	struct zone_stored stored;
	struct zone_published published;
	struct zone_packing packing;
	struct zone_files files;
	struct zone_reading reading;
	struct timer timer, exchange_timer;
	struct zone_asking asking;
	uint64_t exchange;        /* the SOA question or transfer under way, 0 none */
	struct incoming incoming; /* the transfer under way */
	struct incoming received; /* the one that became the candidate, whose octets it lends */
	struct arena *work;       /* of the candidate under way */
	struct records *records;  /* in `work` */
	struct arena *said;       /* keeps `diagnostics` and what they quote; NULL: none */
	struct diagnostics diagnostics; /* of the candidate that was looked at last */
	const char *notify_problem;     /* of the NOTIFY whose end is being told */
	struct waiter *waiting;         /* clients that want to know how it ends */
};

/* --- zones.c --- */

/* A zone of the policy in force; NULL when memory ran out. It does nothing yet. */
struct zone *zone_new(struct keeper *k, const struct zone_policy *policy) must_use;
void zone_free(struct zone *zone);

/* Frees a zone that is not served any more, as soon as the store has done with it. */
void zone_let_go(struct zone *zone);

/* As if the newest candidate had failed, for what is no candidate. */
void zone_problem_note(struct zone *zone, const char *sentence);

/* Runs the machine on the event, whose times are filled in here, and does what it asks. */
void zone_feed(struct zone *zone, struct keeper_event *event);

/* Memory for a new candidate and for what is said of it; the one before is forgotten. */
enum code zone_work_begin(struct zone *zone, struct error *err) must_use;

/* The candidate came to an end. */
void zone_work_end(struct zone *zone);

/* --- reading.c: answers with FILE_READ, FILE_BROKEN or FILE_UNCHANGED --- */

/* The zone's turn comes when there is room; a wish that waits already is the same wish. */
void zone_read_file(struct zone *zone);

/* The file as it is now is not what will be reported: it was opened before. */
bool zone_is_being_read(const struct zone *zone);

/* Percent of the load under way; false: none is, or it is so short that nobody need know. */
bool zone_reading_shown(const struct zone *zone, unsigned *percent);

/* What was read is not needed any more; others may have its room. */
void zone_reading_end(struct zone *zone);

/* The zone goes: whatever is being read for it is dropped. */
void zone_reading_leave(struct zone *zone);

enum code keeper_reads_start(struct keeper *k, struct error *err) must_use;
void keeper_reads_stop(struct keeper *k);

/* --- publishing.c --- */
void zone_publish(struct zone *zone); /* SERVING follows when the front says so */
/* The same version from elsewhere: the image at `place`, whose octets are counted there. */
enum code zone_move(struct zone *zone, const struct image_place *place, struct error *err) must_use;
/* Builds the image of `set`, which is the head's content, in `arena`, and publishes it instead. */
enum code zone_rebuild(struct zone *zone, const struct records *set, struct arena *arena,
		       struct error *err) must_use;
void zone_publish_expiry(struct zone *zone);
/* It is configured, and there is no version of it: SERVFAIL, not REFUSED. */
void zone_publish_nothing(struct zone *zone);
void zone_withdraw(struct zone *zone);
/* What the front serves for `former` is now for `zone`, in the same slot, until it publishes. */
void zone_hand_over(struct zone *former, struct zone *zone);

/* Nothing of the zone goes out any more. */
void zone_publishing_leave(struct zone *zone);

/* A front is there anew: it gets the policy, every segment and every zone. */
void front_greet(struct keeper *k);
void front_policy_changed(struct keeper *k);
/* There is room in its channel again. */
void front_continue(struct keeper *k);
void front_received(struct keeper *k, const struct channel_message *message);

/* --- exchanges.c: answers with SOA_ANSWERED, RECEIVED, EXCHANGE_FAILED, NOTIFY_... --- */
void zone_ask_soa(struct zone *zone, size_t peer);
void zone_fetch(struct zone *zone, size_t peer);
void zone_send_notify(struct zone *zone, size_t peer, uint32_t serial);
/* The transfer that waited becomes the candidate. Only while the stage is idle. */
void zone_deliver(struct zone *zone);
void incoming_clear(struct incoming *incoming);

/* A courier is there anew and gets the policy; or the one before is gone, and what it did failed.
 */
void courier_greet(struct keeper *k);
void courier_lost(struct keeper *k);
/* There is room in its channel again. */
void courier_continue(struct keeper *k);
/* The zone goes: it asks nobody any more. */
void zone_asking_leave(struct zone *zone);
void courier_policy_changed(struct keeper *k);
void courier_received(struct keeper *k, const struct channel_message *message);

/* --- control.c --- */

/* The machine told something: clients that wait for this zone may have their answer. */
void zone_answer_waiting(struct zone *zone, enum keeper_tell tell);

#endif
