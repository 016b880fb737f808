/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roster.h - what the front holds on behalf of the keeper: segments, policies and the
 * zones as they are published.
 *
 * Owned by the control thread; workers read the directory and the policy in force,
 * both within a batch (directory_reader_begin), and pin what they need for longer.
 *
 * Nothing that a worker may still read is freed: publications go when the directory
 * hands them back, segments and policies when no publication refers to them any more.
 * What a former keeper sent stays until the new one has replaced or withdrawn it.
 *
 * The keeper is believed no more than its messages show to be whole: an error says
 * that it broke a rule, nothing was changed, and what was served goes on.
 */
#ifndef SERVER_FRONT_ROSTER_H
#define SERVER_FRONT_ROSTER_H

#include "engine/front/directory.h"
#include "server/messages.h"

enum { ROSTER_SLOTS_MAX = 1 << 24 };

/* A policy and who still reads it. */
struct front_policy {
	const struct policy *policy;
	struct arena *arena;
	size_t publication_count; /* that refer to it; the control thread's */
	_Atomic uint32_t pins;    /* transfers that sign with one of its keys */
	uint64_t retired_at;      /* in the directory's generations */
	struct front_policy *next;
};

struct mapping;
struct served;

struct roster {
	struct directory *directory;
	_Atomic(struct front_policy *) policy; /* in force; NULL before the first */
	struct front_policy *former;           /* policies that wait to be freed */
	struct mapping *mappings;              /* most recently used first */
	struct served **slots;                 /* of the keeper that is there now */
	uint32_t slot_capacity;
	size_t policy_at;     /* of the policy's zones: what was published last stands before it */
	uint32_t epoch;       /* counts keepers: each numbers slots and segments anew */
	bool changed;         /* something was published or withdrawn and not yet served */
	uint64_t local;       /* the directory's generation; never the keeper's number */
	uint64_t generation;  /* the keeper's newest that is served or waits for it */
	uint64_t serving;     /* the keeper's newest that is served */
	uint64_t released;    /* the keeper's newest that no reader holds back */
	uint64_t await_local; /* when this is released, so is await_generation; 0: none waits */
	uint64_t await_generation;
};

/* `reader_count` workers will read. E_NOMEM leaves nothing to be closed. */
must_use enum code roster_open(struct roster *roster, unsigned reader_count, struct error *err);

/* Frees everything. No worker runs, and nothing is pinned. */
void roster_close(struct roster *roster);

/* A keeper is there anew. */
void roster_keeper_changed(struct roster *roster);

/*
 * The policy in force from now on, packed in the descriptor. Zones that it names move
 * over to it; those that it does not name keep the former one until they are withdrawn.
 */
must_use enum code roster_take_policy(struct roster *roster, const struct message_policy *body,
				      int fd, struct error *err);

/* The descriptor is mapped; it may be closed afterwards. */
must_use enum code roster_take_segment(struct roster *roster, const struct message_segment *body,
				       int fd, struct error *err);
/* Nothing is published in it any more. One that this front was never sent is nothing to it. */
void roster_drop_segment(struct roster *roster, const struct message_segment *body);

must_use enum code roster_publish(struct roster *roster, const struct message_publish *body,
				  struct error *err);
/* Many publications at once, in the descriptor. An error leaves those before it published. */
must_use enum code roster_take_roster(struct roster *roster, const struct message_roster *body,
				      int fd, struct error *err);
/* The zone in this slot is gone. One that was never published is nothing to us. */
void roster_withdraw(struct roster *roster, const struct message_withdraw *body);

/* The keeper has named all of its zones: those that only a former one named are withdrawn. */
void roster_end(struct roster *roster, const struct message_generation *body);

/* All that was taken so far is what each batch sees that begins from now on. */
void roster_serve(struct roster *roster);

/* Frees what nobody reads any more. False: something waits, call again in a while. */
bool roster_reclaim(struct roster *roster);

/*
 * For a worker: the policy of a transfer, kept beyond the batch in which it was read.
 */
void front_policy_pin(struct front_policy *policy);
void front_policy_unpin(struct front_policy *policy);

#endif
