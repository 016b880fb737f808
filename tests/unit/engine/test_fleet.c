/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small fleet on virtual time: a primary, its secondary, and that one's secondary, each
 * the machine that ships, with a toy of a store, a front and a courier. Datagrams and
 * connections are lost, disks refuse, machines crash and come back with what was durable.
 *
 *   1. What is served is durable, to the digest.
 *   2. Serials never go back, also over a crash.
 *   3. Nobody is told of a serial that is not served.
 *   4. When the faults stop everybody serves what the primary's file says within
 *      2 x max(refresh, retry) + 60 s, and of a burst of edits the last within 30 s, by NOTIFY.
 *
 * A broken rule is counted, not asserted: planted bugs must break one.
 */
#include "unit.h"

#include "dns/zone_text.h"
#include "engine/keeper/keeper.h"

#include <stdio.h>

#define S  NS_PER_S
#define MS NS_PER_MS

enum { NODES = 3, SEEDS = 200, PLANTED_SEEDS = 20, BURST = 10, EVENTS_MAX = 256 };

#define REFRESH   300 /* of the zone's SOA, in seconds; RETRY is less */
#define FAULTS_NS (1800 * S)
#define SETTLE_NS ((2 * REFRESH + 60) * S)
#define NOTIFY_NS (30 * S)

static const uint8_t name_wire[] = "\7example\3org";
static const struct name zone_name = {name_wire, 13};
static const struct limit_policy limits = {.zone_octets = 1 << 20,
					   .refresh_min_ns = S,
					   .refresh_max_ns = 1000000 * S,
					   .retry_min_ns = S,
					   .retry_max_ns = 1000000 * S};

/* What is done wrong on purpose. */
enum planted { NOTHING, STORED_TOO_EARLY, ANSWER_FORGOTTEN };

struct version {
	struct span wire;
	uint32_t serial;
	struct zone_digest digest;
	bool exists;
};

enum happening {
	EDIT, /* of the primary's zone file */
	CRASH,
	RISE,
	WAKE,
	READ,
	COMMITTED,
	SERVED,
	ASKED,  /* `peer` was asked for its serial */
	CAME,   /* a transfer from `peer` */
	FAILED, /* the question or the transfer */
	TOLD,   /* `peer` told us of `serial` */
	TOLD_END,
	RECOVERED, /* the disk */
};

struct event {
	instant_ns at;
	enum happening what;
	size_t node, peer;
	unsigned life; /* of the node: what a life before began comes to nothing */
	uint32_t serial;
	bool good;
};

struct server {
	struct zone_policy policy;
	struct keeper_zone machine;
	struct notify notify;
	char problem_room[PROBLEM_TEXT_MAX];
	unsigned life;
	bool is_up;
	struct version durable, served, received;
	instant_ns confirmed_at; /* durable */
	bool was_served;
	uint32_t served_before; /* the newest serial that was ever served */
};

static struct {
	uint64_t random;
	instant_ns now;
	bool faults;
	enum planted planted;
	struct server nodes[NODES];
	struct event events[EVENTS_MAX];
	size_t event_count;
	unsigned edit; /* what the zone file says */
	size_t broken; /* rules */
	struct arena *arena;
	struct diagnostics diagnostics;
} world;

static struct remote remotes[NODES] = {{.label = "first"}, {.label = "second"}, {.label = "third"}};
static const struct remote *peers[NODES] = {&remotes[0], &remotes[1], &remotes[2]};
static struct crypto *crypto;

static uint64_t draw(uint64_t below)
{
	uint64_t z = world.random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

static bool misfortune(uint64_t percent)
{
	return world.faults && draw(100) < percent;
}

static void later(struct event event, instant_ns after)
{
	assert_in_range(world.event_count, 0, EVENTS_MAX - 1);
	event.at = world.now + after;
	event.life = world.nodes[event.node].life;
	world.events[world.event_count++] = event;
}

static void rule(bool holds)
{
	world.broken += !holds;
}

static enum code sink(void *context, const struct record *record, struct place place)
{
	return records_add(context, record, place, NULL);
}

static struct records *records_empty(void)
{
	struct records *set = arena_alloc(world.arena, sizeof *set);

	records_init(set, world.arena);
	return set;
}

/* The zone file as it is now: always under serial 1. */
static struct records *file_records(void)
{
	char text[512];
	struct records *set = records_empty();
	struct zone_text_parser parser = {.origin = zone_name,
					  .sink = sink,
					  .context = set,
					  .arena = world.arena,
					  .diagnostics = &world.diagnostics};

	snprintf(text, sizeof text,
		 "@ 60 IN SOA ns h 1 %d 60 7200 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n"
		 "edit 60 TXT \"%u\"\n",
		 REFRESH, world.edit);
	assert_int_equal(zone_text_parse(&parser, "file", span_of_text(text)), OK);
	assert_int_equal(records_sort(set, NULL), OK);
	return set;
}

static struct records *version_records(const struct version *version)
{
	struct records *set = records_empty();

	assert_int_equal(records_add_wire(set, version->wire, NULL), OK);
	assert_int_equal(records_sort(set, NULL), OK);
	return set;
}

static struct version candidate_version(const struct server *node)
{
	const struct records *set = node->machine.candidate.records;
	struct writer w = writer_of(arena_alloc_bytes(world.arena, set->wire_len), set->wire_len);

	for (size_t i = 0; i < set->count; i++) {
		struct record record = records_get(set, i);
		write_bytes(&w, set->entries[i].wire, record_len(&record));
	}
	return (struct version){.wire = writer_span(&w),
				.serial = node->machine.candidate.serial,
				.digest = node->machine.candidate.digest,
				.exists = true};
}

static void feed(size_t at, struct keeper_event event);

/* --- the toys: what the keeper process has for each action --- */

static void publish(size_t at)
{
	struct server *node = &world.nodes[at];
	const struct records *set = node->machine.candidate.records;
	size_t len = image_size(set, zone_name);
	struct writer w = writer_of(arena_alloc(world.arena, len), len);

	assert_int_equal(image_build(set, zone_name, 1, &node->machine.head.digest, &w, NULL), OK);
	struct span octets = writer_span(&w);
	assert_int_equal(view_open(&octets, 1, &node->machine.head.view, NULL), OK);
	later((struct event){.what = SERVED, .node = at}, (instant_ns)draw(50) * MS);
}

static void store(size_t at)
{
	bool good = !misfortune(10);

	if (world.planted == STORED_TOO_EARLY)
		feed(at, (struct keeper_event){.kind = KEEPER_STORED});
	later((struct event){.what = COMMITTED, .node = at, .good = good},
	      (instant_ns)draw(200) * MS);
}

static void exchange(size_t at, size_t peer, enum happening what)
{
	if (misfortune(30))
		later((struct event){.what = FAILED, .node = at}, (instant_ns)draw(10000) * MS);
	else
		later((struct event){.what = what, .node = at, .peer = peer},
		      (instant_ns)draw(500) * MS);
}

/* The NOTIFY may be lost, or its answer. */
static void tell(size_t at, uint32_t serial)
{
	const struct server *node = &world.nodes[at];
	bool arrives = !misfortune(30), answered = arrives && !misfortune(30);
	instant_ns after = answered ? (instant_ns)draw(draw(2) ? 200 : 2000) * MS : 3 * S;

	rule(node->served.exists && !serial_newer(serial, node->served.serial));
	if (arrives)
		later((struct event){.what = TOLD, .node = at + 1, .serial = serial},
		      (instant_ns)draw(100) * MS);
	if (world.planted == ANSWER_FORGOTTEN) return;
	later((struct event){.what = TOLD_END, .node = at, .good = answered}, after);
}

/* Actions name a peer by its place in the node's policy: each node has one on either side. */
static void perform(size_t at, const struct keeper_action *action)
{
	struct server *node = &world.nodes[at];

	switch (action->kind) {
	case KEEPER_READ_FILE: later((struct event){.what = READ, .node = at}, MS); break;
	case KEEPER_STORE: store(at); break;
	case KEEPER_PUBLISH: publish(at); break;
	case KEEPER_STORE_TIMERS: node->confirmed_at = node->machine.secondary.confirmed_at; break;
	case KEEPER_ASK_SOA: exchange(at, at - 1, ASKED); break;
	case KEEPER_FETCH: exchange(at, at - 1, CAME); break;
	case KEEPER_SEND_NOTIFY: tell(at, action->serial); break;
	case KEEPER_PUBLISH_EXPIRY:
	case KEEPER_FINISHED:
	case KEEPER_TELL: break;
	}
}

static void feed(size_t at, struct keeper_event event)
{
	struct server *node = &world.nodes[at];
	struct keeper_actions actions;

	event.now = world.now;
	event.now_unix_s = 1000000000 + (uint64_t)(world.now / S);
	event.jitter = (uint32_t)draw(UINT32_MAX);
	event.arena = world.arena;
	event.crypto = crypto;
	event.diagnostics = &world.diagnostics;
	event.author = "somebody";
	event.problem_room = node->problem_room;
	keeper_step(&node->machine, &event, &actions);
	for (size_t i = 0; i < actions.count; i++) perform(at, &actions.list[i]);
	if (node->machine.stage != KEEPER_IDLE || !node->received.exists) return;
	struct records *set = version_records(&node->received);
	node->received.exists = false;
	feed(at, (struct keeper_event){.kind = KEEPER_RECEIVED, .records = set});
}

/* --- what happens --- */

static void rise(size_t at)
{
	struct server *node = &world.nodes[at];
	struct keeper_event start = {.kind = KEEPER_START};

	node->is_up = true;
	node->served.exists = node->received.exists = false;
	keeper_zone_init(&node->machine, &node->policy, &limits, &node->notify);
	if (node->durable.exists) {
		start.records = version_records(&node->durable);
		start.digest = node->durable.digest;
		start.confirmed_at = node->confirmed_at;
	}
	feed(at, start);
}

static void crash(size_t at)
{
	world.nodes[at].is_up = false;
	world.nodes[at].life++;
	later((struct event){.what = RISE, .node = at}, S + (instant_ns)draw(30) * S);
}

static void committed(size_t at, bool good)
{
	struct server *node = &world.nodes[at];

	if (!good) {
		later((struct event){.what = RECOVERED, .node = at}, 10 * S);
		feed(at,
		     (struct keeper_event){.kind = KEEPER_STORE_FAILED, .problem = "disk full"});
		return;
	}
	if (node->machine.stage == KEEPER_STORING) node->durable = candidate_version(node);
	feed(at, (struct keeper_event){.kind = KEEPER_STORED});
}

static void served(size_t at)
{
	struct server *node = &world.nodes[at];
	const struct keeper_version *head = &node->machine.head;

	rule(node->durable.exists && node->durable.serial == head->serial &&
	     zone_digest_equal(&node->durable.digest, &head->digest));
	rule(!node->was_served || !serial_newer(node->served_before, head->serial));
	node->was_served = true;
	node->served_before = head->serial;
	node->served = node->durable;
	feed(at, (struct keeper_event){.kind = KEEPER_SERVING});
}

static void reply(size_t at, size_t peer, enum happening what)
{
	struct server *node = &world.nodes[at];
	const struct server *other = &world.nodes[peer];
	bool answers = other->is_up && other->served.exists && !other->machine.expired;

	if (!answers) {
		feed(at,
		     (struct keeper_event){.kind = KEEPER_EXCHANGE_FAILED, .problem = "silent"});
	} else if (what == ASKED) {
		feed(at, (struct keeper_event){.kind = KEEPER_SOA_ANSWERED,
					       .serial = other->served.serial});
	} else {
		node->received = other->served;
		if (node->machine.stage != KEEPER_IDLE) return;
		struct records *set = version_records(&node->received);
		node->received.exists = false;
		feed(at, (struct keeper_event){.kind = KEEPER_RECEIVED, .records = set});
	}
}

static void edit(void)
{
	world.edit++;
	if (world.nodes[0].is_up) feed(0, (struct keeper_event){.kind = KEEPER_RELOAD});
}

static void happen(const struct event *e)
{
	struct keeper_event event = {.serial = e->serial, .has_serial = true};

	switch (e->what) {
	case EDIT: edit(); return;
	case CRASH: crash(e->node); return;
	case RISE: rise(e->node); return;
	case WAKE: event.kind = KEEPER_TICK; break;
	case READ:
		event.kind = KEEPER_FILE_READ;
		event.records = file_records();
		break;
	case COMMITTED: committed(e->node, e->good); return;
	case SERVED: served(e->node); return;
	case ASKED:
	case CAME: reply(e->node, e->peer, e->what); return;
	case FAILED:
		event.kind = KEEPER_EXCHANGE_FAILED;
		event.problem = "lost";
		break;
	case TOLD: event.kind = KEEPER_NOTIFY_RECEIVED; break;
	case TOLD_END:
		event.kind = e->good ? KEEPER_NOTIFY_ANSWERED : KEEPER_NOTIFY_FAILED;
		event.problem = "lost";
		break;
	case RECOVERED:
		feed(e->node, (struct keeper_event){.kind = KEEPER_RELOAD});
		event.kind = KEEPER_REFRESH;
		break;
	}
	feed(e->node, event);
}

/* The next event, or the next tick of a machine; false when `until` comes first. */
static bool next(struct event *e, instant_ns until)
{
	size_t first = world.event_count;

	*e = (struct event){.at = until, .what = WAKE};
	for (size_t i = 0; i < world.event_count; i++)
		if (world.events[i].at < e->at) *e = world.events[first = i];
	for (size_t i = 0; i < NODES; i++) {
		instant_ns at = keeper_zone_wake_at(&world.nodes[i].machine);
		if (!world.nodes[i].is_up || at >= e->at) continue;
		*e = (struct event){.at = at, .node = i, .life = world.nodes[i].life};
		e->what = WAKE;
		first = world.event_count;
	}
	if (e->at >= until) return false;
	if (first < world.event_count) world.events[first] = world.events[--world.event_count];
	return true;
}

static void run_until(instant_ns until)
{
	struct event e;

	while (next(&e, until)) {
		if (e.at > world.now) world.now = e.at;
		if (e.life == world.nodes[e.node].life) happen(&e);
	}
	world.now = until;
}

static bool is_in_step(void)
{
	const struct version *first = &world.nodes[0].served;
	bool same = true;

	for (size_t i = 0; i < NODES; i++) {
		const struct version *v = &world.nodes[i].served;
		same = same && v->exists && v->serial == first->serial &&
		       zone_digest_equal(&v->digest, &first->digest) &&
		       !world.nodes[i].machine.expired;
	}
	return same;
}

/* The primary serves its file: what it would read now differs from nothing. */
static bool file_is_served(void)
{
	char wanted[32];
	const struct version *v = &world.nodes[0].served;
	int len = snprintf(wanted, sizeof wanted, "%u", world.edit);

	return v->exists && memmem(v->wire.ptr, v->wire.len, wanted, (size_t)len);
}

static void nodes_begin(void)
{
	for (size_t i = 0; i < NODES; i++) {
		world.nodes[i].policy = (struct zone_policy){
			.name = zone_name,
			.label = "example.org.",
			.role = i ? ROLE_SECONDARY : ROLE_PRIMARY,
			.file = i ? NULL : "/zones/example.org",
			.primaries = i ? &peers[i - 1] : NULL,
			.primary_count = i > 0,
			.secondaries = i + 1 < NODES ? &peers[i + 1] : NULL,
			.secondary_count = i + 1 < NODES,
		};
		rise(i);
	}
}

/* How many rules were broken. */
static size_t run(uint64_t seed, enum planted planted)
{
	memset(&world, 0, sizeof world);
	world.random = seed;
	world.planted = planted;
	world.faults = true;
	world.edit = 1000;
	world.arena = arena_new((size_t)1 << 30);
	world.diagnostics.arena = world.arena;
	nodes_begin();
	while (world.now < FAULTS_NS) {
		run_until(world.now + (instant_ns)draw(60000) * MS);
		size_t node = (size_t)draw(NODES);
		if (draw(3) == 0 && world.nodes[node].is_up)
			crash(node);
		else
			edit();
	}
	world.faults = false;
	run_until(world.now + SETTLE_NS);
	rule(is_in_step() && file_is_served());
	for (int i = 0; i < BURST; i++) { /* quicker than a NOTIFY is answered */
		edit();
		run_until(world.now + (instant_ns)draw(300) * MS);
	}
	run_until(world.now + NOTIFY_NS);
	rule(is_in_step() && file_is_served());
	arena_free(world.arena);
	return world.broken;
}

TEST(every_fleet_keeps_the_rules)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		if (run(seed, NOTHING)) fail_msg("seed %u breaks a rule", (unsigned)seed);
	}
}

TEST(the_same_seed_is_the_same_story)
{
	run(7, NOTHING);
	instant_ns confirmed = world.nodes[2].confirmed_at;
	uint64_t random = world.random;
	run(7, NOTHING);
	CHECK(world.random == random && world.nodes[2].confirmed_at == confirmed);
}

TEST(serving_before_it_is_durable_is_caught)
{
	for (uint64_t seed = 1; seed <= PLANTED_SEEDS; seed++)
		CHECK(run(seed, STORED_TOO_EARLY) > 0);
}

TEST(a_notify_that_is_never_answered_for_is_caught)
{
	for (uint64_t seed = 1; seed <= PLANTED_SEEDS; seed++)
		CHECK(run(seed, ANSWER_FORGOTTEN) > 0);
}

static int end(void **state)
{
	(void)state;
	crypto_free(crypto);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fleet_keeps_the_rules),
		cmocka_unit_test(the_same_seed_is_the_same_story),
		cmocka_unit_test(serving_before_it_is_durable_is_caught),
		cmocka_unit_test(a_notify_that_is_never_answered_for_is_caught),
	};
	crypto = crypto_new(NULL);
	return cmocka_run_group_tests(tests, NULL, end);
}
