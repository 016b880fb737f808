/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_speed - what a version of a zone costs, from its records to its answers.
 *
 *   image_speed [NAMES [LOOKUPS]]
 *
 * The zone is a registry's: of ten names nine are delegations to two servers, one has
 * an address. Prints CPU time per record for each step, octets per name, and CPU time
 * per lookup of names drawn at random; "chained" lookups wait for the one before. A second
 * zone has NSEC at every name.
 */
#include "zone/change.h"
#include "zone/checks.h"
#include "zone/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SERVERS = 5000 };

static uint64_t seed = 1;
static size_t lookup_count = 2000000;

static uint64_t draw(uint64_t below)
{
	uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % below;
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void told(const char *what, double from, size_t count)
{
	printf("%-28s %8.1f ns\n", what, (now_ns() - from) / (double)count);
}

static void stop_if(bool failed, const char *what)
{
	if (!failed) return;
	fprintf(stderr, "image_speed: %s failed\n", what);
	exit(1);
}

/* The name of number `n`: letters that look like words, and unlike their neighbours'. */
static struct name name_of_number(uint64_t n, struct name_buffer *out)
{
	static const char *const parts[] = {"net",  "shop", "blue", "auto", "haus", "my",
					    "best", "web",  "data", "cafe", "zen",  "foto",
					    "ru",   "kin",  "alp",  "o"};
	char label[64];
	uint64_t mixed = n * UINT64_C(0x9e3779b97f4a7c15);

	int len = snprintf(label, sizeof label, "%s%s%llx", parts[mixed >> 60],
			   parts[mixed >> 56 & 15], (unsigned long long)n);
	out->wire[0] = (uint8_t)len;
	memcpy(out->wire + 1, label, (size_t)len);
	memcpy(out->wire + 1 + len, "\7example", 9);
	out->len = (uint8_t)(len + 10);
	return name_of(out);
}

static void add(struct records *set, struct name owner, uint16_t type, struct span rdata)
{
	struct record record = {owner, type, CLASS_IN, 3600, rdata};

	stop_if(records_add(set, &record, (struct place){0}, NULL), "records_add");
}

static void add_delegation(struct records *set, struct name owner)
{
	uint64_t server = draw(SERVERS);
	uint8_t text[64];

	for (int i = 1; i <= 2; i++) {
		int len = snprintf((char *)text + 1, 32, "ns%d", i);
		text[0] = (uint8_t)len;
		int host = snprintf((char *)text + len + 2, 32, "hoster%llu",
				    (unsigned long long)server);
		text[len + 1] = (uint8_t)host;
		memcpy(text + len + 2 + host, "\3net", 5);
		add(set, owner, RRTYPE_NS, span_of(text, (size_t)(len + host + 7)));
	}
}

static void zone_fill(struct records *set, struct name apex, size_t names)
{
	static const uint8_t soa[] =
		"\2ns\3net\0\1h\3net\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";

	add(set, apex, RRTYPE_SOA, span_of(soa, sizeof soa - 1));
	add(set, apex, RRTYPE_NS, span_of("\2ns\3net", 8));
	for (size_t i = 0; i < names; i++) {
		struct name_buffer owner;
		name_of_number(i, &owner);
		if (i % 10)
			add_delegation(set, name_of(&owner));
		else
			add(set, name_of(&owner), RRTYPE_A, span_of(&i, 4));
	}
}

/* One step for all questions of a batch, then the next. */
static void batches(const struct view *view, const uint8_t *questions, size_t room, bool hits)
{
	enum { BATCH = 64 };
	static struct view_search searches[BATCH];
	struct view_lookup lookup;

	double from = now_ns();
	for (size_t i = 0; i + BATCH <= lookup_count; i += BATCH) {
		for (size_t k = 0; k < BATCH; k++) {
			const uint8_t *question = questions + (i + k) * room;
			view_search_begin(&searches[k], view,
					  (struct name){question + 1, question[0]});
		}
		for (size_t k = 0; k < BATCH; k++) view_search_touch(&searches[k]);
		for (size_t k = 0; k < BATCH; k++) {
			view_search_end(&searches[k], &lookup);
			stop_if(!lookup.node.octets == hits, "lookup");
		}
	}
	told(hits ? "hit, in batches of 64" : "miss, in batches of 64", from, lookup_count);
}

/* The questions are made up before the clock starts: 32 octets each, in a row. */
static void lookups(const struct image *image, size_t names, bool hits)
{
	enum { ROOM = 32 };
	struct view view = {.layers = {*image}, .layer_count = 1};
	uint8_t *questions = malloc(lookup_count * ROOM);
	uint64_t found = 0;

	stop_if(!questions, "memory");
	for (size_t i = 0; i < lookup_count; i++) {
		struct name_buffer name;
		name_of_number(draw(names) + (hits ? 0 : names), &name);
		stop_if(name.len >= ROOM, "name");
		questions[i * ROOM] = name.len;
		memcpy(questions + i * ROOM + 1, name.wire, name.len);
	}
	for (int chained = 0; chained < 2; chained++) {
		double from = now_ns();
		for (size_t i = 0; i + 1 < lookup_count; i++) {
			const uint8_t *question =
				questions + (i + (chained ? found & 1 : 0)) * ROOM;
			struct view_lookup lookup;
			view_find(&view, (struct name){question + 1, question[0]}, &lookup);
			stop_if(!lookup.node.octets == hits, "lookup");
			found = (uintptr_t)lookup.node.octets >> 2;
		}
		told(hits      ? (chained ? "hit, chained" : "hit")
		     : chained ? "miss, chained"
			       : "miss",
		     from, lookup_count);
	}
	batches(&view, questions, ROOM, hits);
	free(questions);
}

/* All steps from a set to its image, whose octets the caller frees. */
static struct image image_make(struct records *set, struct name apex)
{
	struct diagnostics diagnostics = {.arena = set->arena};
	struct crypto *crypto = crypto_new(NULL);
	struct zone_digest digest;
	struct image image;

	double from = now_ns();
	stop_if(records_sort(set, NULL), "records_sort");
	told("sort", from, set->count);
	from = now_ns();
	stop_if(zone_check(set, apex, &diagnostics), "zone_check");
	told("check", from, set->count);
	from = now_ns();
	stop_if(!crypto || !zone_digest_of(set, crypto, &digest), "digest");
	told("digest", from, set->count);
	crypto_free(crypto);

	from = now_ns();
	size_t len = image_size(set, apex);
	told("image_size", from, set->count);
	uint8_t *octets = aligned_alloc(64, len / 64 * 64 + 64);
	stop_if(!octets, "memory");
	memset(octets, 0, len);
	struct writer w = writer_of(octets, len);
	from = now_ns();
	stop_if(image_build(set, apex, 42, &digest, &w, NULL), "image_build");
	told("image_build", from, set->count);
	from = now_ns();
	stop_if(image_open(writer_span(&w), &image, NULL) || image_verify(&image, NULL), "image");
	told("image_verify", from, set->count);
	return image;
}

/* Each host has NSEC; questions are for names between them. */
static void chain_lookups(struct name apex, size_t names)
{
	struct arena *arena = arena_new(SIZE_MAX / 2);
	struct zone_digest digest = {0};
	struct name_buffer name;
	struct records set;
	struct image image;
	struct node node;

	stop_if(!arena, "memory");
	records_init(&set, arena);
	add(&set, apex, RRTYPE_SOA,
	    span_of("\2ns\3net\0\1h\3net\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5", 35));
	add(&set, apex, RRTYPE_NSEC, span_of("\1a\0\0\1\2", 6));
	for (size_t i = 0; i < names; i++)
		add(&set, name_of_number(2 * i, &name), RRTYPE_NSEC, span_of("\1a\0\0\1\2", 6));
	stop_if(records_sort(&set, NULL), "records_sort");
	size_t len = image_size(&set, apex);
	uint8_t *octets = aligned_alloc(64, len / 64 * 64 + 64);
	stop_if(!octets, "memory");
	struct writer w = writer_of(octets, len);
	stop_if(image_build(&set, apex, 42, &digest, &w, NULL), "image_build");
	arena_free(arena);
	stop_if(image_open(writer_span(&w), &image, NULL), "image");
	struct view view = {.layers = {image}, .layer_count = 1};
	double from = now_ns();
	for (size_t i = 0; i < lookup_count / 4; i++) {
		name_of_number(2 * draw(names) + 1, &name);
		stop_if(!view_chain_find(&view, RRTYPE_NSEC, name_of(&name), &node), "chain");
	}
	told("covering NSEC, names made up", from, lookup_count / 4);
	from = now_ns();
	for (size_t i = 0; i < lookup_count / 4; i++) name_of_number(2 * draw(names) + 1, &name);
	told("of which names made up", from, lookup_count / 4);
	free(octets);
}

int main(int argc, char **argv)
{
	size_t names = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	struct arena *arena = arena_new(SIZE_MAX / 2);
	struct name apex = {(const uint8_t *)"\7example", 9};
	struct records set, again;
	struct change change;

	if (argc > 2) lookup_count = strtoul(argv[2], NULL, 10);
	stop_if(!arena || names == 0 || lookup_count == 0, "start");
	records_init(&set, arena);
	records_init(&again, arena);
	double from = now_ns();
	zone_fill(&set, apex, names);
	told("make up and add", from, set.count);
	printf("records that came in any order:\n");
	struct image image = image_make(&set, apex);

	from = now_ns();
	struct view view = {.layers = {image}, .layer_count = 1};
	stop_if(view_records(&view, &again, NULL), "image_records");
	told("image_records", from, set.count);
	from = now_ns();
	stop_if(change_between(&set, &again, arena, &change, NULL), "change_between");
	told("change_between", from, set.count);
	free((void *)(uintptr_t)image.bytes.ptr);

	printf("records that came in canonical order:\n");
	image = image_make(&again, apex);
	printf("%zu names, %zu records, image of %.1f octets a name, %.1f of them the index\n",
	       names, set.count, (double)image.bytes.len / (double)names,
	       64.0 * (double)image.bucket_count / (double)names);
	lookups(&image, names, true);
	lookups(&image, names, false);
	free((void *)(uintptr_t)image.bytes.ptr);
	arena_free(arena);
	chain_lookups(apex, names);
	return 0;
}
