/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reading.c - zone files become candidates beside the loop.
 *
 * Zones wait in the order of their wishes. So many are read, or are candidates that were
 * read, as have room together: a bound on zones and one on octets. What a file takes is
 * known only when it was looked at, so a large one is looked at, comes back, and waits
 * until there is room for it.
 *
 * A reading owns all that it touches. The zone may go meanwhile, or its policy: what was
 * read is dropped then.
 */
#include "server/keeper/zones.h"

#include "host/machine.h"

#include <stdio.h>
#include <stdlib.h>

/* Of a file of text: the text itself, the records made of it, and their order. */
enum { WORK_OF_TEXT = 3, SMALL_WORK = WORK_OF_TEXT * (256 << 10), SHOWN_TEXT = 4 << 20 };

enum { ENDS_OF_TURN_MAX = 64 }; /* then other sources have their turn */

enum outcome { READ, BROKEN, UNCHANGED, NEEDS_ROOM };

struct file_reading {
	struct work job;
	struct keeper *keeper;
	struct zone *zone; /* NULL: it is gone */
	struct name_buffer origin;
	char *path;
	struct zone_files files; /* the zone's meanwhile */
	bool may_be_unchanged;   /* the last one that was read was taken */
	bool wants_digest;
	size_t octets; /* that it may take */
	struct zone_progress progress;
	/* results */
	enum outcome outcome;
	struct zone_load load;
	struct arena *work, *said;
	struct diagnostics diagnostics;
	struct error err;
};

static void reading_free(struct file_reading *r)
{
	if (!r) return;
	zone_files_clear(&r->files);
	zone_files_clear(&r->load.files);
	free(r->load.denied);
	arena_free(r->work);
	arena_free(r->said);
	free(r->path);
	free(r);
}

/* --- on a thread of its own --- */

static enum outcome look(struct file_reading *r)
{
	struct file_identity identity;

	if (r->may_be_unchanged && zone_files_unchanged(&r->files, r->path)) return UNCHANGED;
	if (file_identify(r->path, &identity, NULL) == OK &&
	    identity.len > r->octets / WORK_OF_TEXT) {
		r->octets = (size_t)identity.len * WORK_OF_TEXT;
		return NEEDS_ROOM;
	}
	return READ;
}

static void reading_run(struct work *work)
{
	struct file_reading *r = (struct file_reading *)(void *)work;
	enum code code;

	r->outcome = look(r);
	if (r->outcome != READ) return;
	r->load = (struct zone_load){
		.path = r->path,
		.origin = name_of(&r->origin),
		.work = r->work = arena_new(ZONE_WORK_OCTETS_MAX),
		.diagnostics = &r->diagnostics,
		.parallel = workers_parallel(r->keeper->reads.workers),
		.crypto = r->wants_digest ? r->keeper->crypto : NULL,
		.progress = &r->progress,
	};
	r->said = arena_new(ZONE_SAID_OCTETS_MAX);
	r->diagnostics.arena = r->said;
	if (r->work && r->said)
		code = zone_load(&r->load, &r->err);
	else
		code = error_set(&r->err, E_NOMEM, "no memory for a new version");
	if (!code) return;
	r->outcome = BROKEN;
	arena_free(r->work);
	r->work = NULL;
}

/* --- back on the keeper's --- */

/* The keeper's walls may be why a file could not be read: then it is started anew. */
static const char *problem_of(struct file_reading *r, char text[static ERROR_TEXT_MAX])
{
	if (!r->load.denied || !process_read_also(r->keeper->process, r->load.denied))
		return r->err.text;
	snprintf(text, ERROR_TEXT_MAX,
		 "%s is outside of the folders that this process may read; it is started anew "
		 "with this one among them",
		 r->load.denied);
	return text;
}

/* The zone takes over what is said of its file. */
static void said_take(struct zone *zone, struct file_reading *r)
{
	zone->files = r->load.files;
	r->load.files = (struct zone_files){0};
	if (!r->said) return;
	arena_free(zone->said);
	zone->said = r->said;
	zone->diagnostics = r->diagnostics;
	r->said = NULL;
}

static void feed_broken(struct zone *zone, struct file_reading *r)
{
	char text[ERROR_TEXT_MAX];
	struct keeper_event event = {.kind = KEEPER_FILE_BROKEN, .problem = problem_of(r, text)};

	said_take(zone, r);
	zone_feed(zone, &event);
}

static void feed_read(struct zone *zone, struct file_reading *r)
{
	char author[256];
	struct keeper_event event = {.kind = KEEPER_FILE_READ,
				     .records = r->load.records,
				     .author = author,
				     .is_checked = true,
				     .has_digest = r->wants_digest,
				     .digest = r->load.digest};

	snprintf(author, sizeof author, "file %s", r->path);
	said_take(zone, r);
	arena_free(zone->work);
	zone->work = r->work;
	zone->records = r->load.records;
	r->work = NULL;
	zone_feed(zone, &event);
}

static void feed_unchanged(struct zone *zone, struct file_reading *r)
{
	struct keeper_event event = {.kind = KEEPER_FILE_UNCHANGED};

	zone->files = r->files;
	r->files = (struct zone_files){0};
	zone_feed(zone, &event);
}

/* --- who reads, and who waits --- */

static void count(struct zone *zone, size_t octets)
{
	struct keeper_reads *reads = &zone->keeper->reads;

	if (zone->reading.is_counted) {
		reads->octets -= zone->reading.octets;
		reads->zone_count--;
	}
	zone->reading.is_counted = octets > 0;
	zone->reading.octets = octets;
	if (!octets) return;
	reads->octets += octets;
	reads->zone_count++;
}

static void wait_in_line(struct zone *zone, bool in_front)
{
	struct keeper_reads *reads = &zone->keeper->reads;
	struct zone *next = in_front ? reads->first : NULL;
	struct zone *previous = in_front ? NULL : reads->last;

	zone->reading.is_waiting = true;
	zone->reading.next = next;
	zone->reading.previous = previous;
	*(next ? &next->reading.previous : &reads->last) = zone;
	*(previous ? &previous->reading.next : &reads->first) = zone;
}

static void leave_line(struct zone *zone)
{
	struct keeper_reads *reads = &zone->keeper->reads;
	struct zone *next = zone->reading.next, *previous = zone->reading.previous;

	if (!zone->reading.is_waiting) return;
	zone->reading.is_waiting = false;
	*(next ? &next->reading.previous : &reads->last) = previous;
	*(previous ? &previous->reading.next : &reads->first) = next;
}

static struct file_reading *reading_new(struct zone *zone)
{
	struct file_reading *r = calloc(1, sizeof *r);
	const struct keeper_zone *machine = &zone->machine;

	if (!r || !(r->path = strdup(machine->policy->file))) {
		reading_free(r);
		return NULL;
	}
	r->job.run = reading_run;
	r->keeper = zone->keeper;
	r->zone = zone;
	name_copy(&r->origin, machine->policy->name);
	r->files = zone->files;
	zone->files = (struct zone_files){0};
	r->may_be_unchanged = !machine->problem_since;
	r->wants_digest = !machine->head.exists;
	r->octets = zone->reading.octets;
	return r;
}

static void begin(struct zone *zone)
{
	struct file_reading *r = reading_new(zone);

	if (!r) {
		struct keeper_event event = {.kind = KEEPER_FILE_BROKEN,
					     .problem = "no memory to read the zone file"};
		zone_feed(zone, &event);
		return;
	}
	zone->reading.job = r;
	workers_submit(zone->keeper->reads.workers, &r->job);
}

/* One that is larger than all the room goes alone. */
static bool has_room(const struct keeper_reads *reads, size_t octets)
{
	if (reads->zone_count == 0) return true;
	if (reads->zone_count >= ZONES_IN_WORK_MAX) return false;
	return reads->octets < ZONES_IN_WORK_OCTETS_MAX &&
	       octets <= ZONES_IN_WORK_OCTETS_MAX - reads->octets;
}

static void reads_go_on(struct keeper *k)
{
	struct keeper_reads *reads = &k->reads;
	struct zone *zone;

	while (!reads->is_stopping && (zone = reads->first) &&
	       has_room(reads, zone->reading.octets)) {
		leave_line(zone);
		count(zone, zone->reading.octets);
		begin(zone);
	}
}

void zone_read_file(struct zone *zone)
{
	if (zone->reading.is_waiting || zone->reading.job) return;
	count(zone, 0);
	zone->reading.octets = SMALL_WORK;
	wait_in_line(zone, false);
	reads_go_on(zone->keeper);
}

void zone_reading_end(struct zone *zone)
{
	if (!zone->reading.is_counted || zone->reading.job) return;
	bool was_large = zone->reading.octets > SMALL_WORK;
	count(zone, 0);
	if (was_large) memory_give_back();
	reads_go_on(zone->keeper);
}

void zone_reading_leave(struct zone *zone)
{
	struct file_reading *r = zone->reading.job;

	leave_line(zone);
	if (r) {
		r->zone = NULL;
		atomic_store(&r->progress.unwanted, true);
		zone->reading.job = NULL;
	}
	zone_reading_end(zone);
}

bool zone_is_being_read(const struct zone *zone)
{
	return zone->reading.job != NULL;
}

bool zone_reading_shown(const struct zone *zone, unsigned *percent)
{
	const struct file_reading *r = zone->reading.job;

	*percent = 0;
	if (zone->reading.is_waiting) return zone->reading.octets > SMALL_WORK;
	if (!r) return false;
	*percent = zone_progress_percent(&r->progress);
	return atomic_load(&r->progress.octets_total) >= SHOWN_TEXT;
}

static void reading_done(struct file_reading *r)
{
	struct zone *zone = r->zone;

	if (!zone) return;
	zone->reading.job = NULL;
	switch (r->outcome) {
	case READ:
		count(zone, arena_used(r->work));
		feed_read(zone, r);
		break;
	case BROKEN: feed_broken(zone, r); break;
	case UNCHANGED: feed_unchanged(zone, r); break;
	case NEEDS_ROOM:
		count(zone, 0);
		zone->files = r->files;
		r->files = (struct zone_files){0};
		zone->reading.octets = r->octets;
		wait_in_line(zone, true);
		break;
	}
}

static void reads_done(void *context)
{
	struct keeper *k = context;
	struct work *work = NULL;

	for (unsigned i = 0; i < ENDS_OF_TURN_MAX; i++) {
		if (!(work = workers_next(k->reads.workers))) break;
		struct file_reading *r = (struct file_reading *)(void *)work;
		reading_done(r);
		reading_free(r);
	}
	if (work) wakeup_ring(&k->reads.wakeup);
	reads_go_on(k);
}

enum code keeper_reads_start(struct keeper *k, struct error *err)
{
	struct keeper_reads *reads = &k->reads;
	enum code code;

	reads->wakeup = (struct wakeup){.rung = reads_done, .context = k};
	if ((code = wakeup_open(k->loop, &reads->wakeup, err))) return code;
	return workers_start(processor_count(), &reads->wakeup, &reads->workers, err);
}

void keeper_reads_stop(struct keeper *k)
{
	struct keeper_reads *reads = &k->reads;
	struct work *work;

	if (!reads->workers) return;
	reads->is_stopping = true;
	for (uint32_t i = 0; i < k->slots.count; i++)
		if (k->slots.list[i]) zone_reading_leave(k->slots.list[i]);
	workers_stop(reads->workers);
	while ((work = workers_next(reads->workers)))
		reading_free((struct file_reading *)(void *)work);
	workers_free(reads->workers);
	wakeup_close(k->loop, &reads->wakeup);
	reads->workers = NULL;
}
