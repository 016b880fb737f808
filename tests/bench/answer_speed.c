/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_speed - how fast one thread answers from a zone and sends it out.
 *
 *   answer_speed FILE ORIGIN [ROUNDS [KIND BATCH]]
 *   answer_speed FILE ORIGIN ROUNDS axfr
 *
 * Asks for each name of the zone, for a name below each, and for AXFR with and without
 * TSIG; then by the batch, in random order, of one KIND (referral, exact, nxdomain,
 * nodata, each also with "-do") and so many at a time, or of all kinds and sizes. No
 * socket: what is measured is the builder. Prints the best round of each.
 *
 * Instructions of a question, where the machine counts none:
 *
 *   valgrind --tool=callgrind --toggle-collect=answer_batch answer_speed FILE ORIGIN 1 exact 32
 */
#include "dns/zone_text.h"
#include "engine/answer/batch.h"
#include "engine/answer/fast_cache.h"
#include "engine/front/transfer.h"
#include "zone/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	ARENA_OCTETS_MAX = 1 << 30,
	TEXT_OCTETS_MAX = 256 << 20,
	TABLE_ZONES = 8,
	REQUEST_OCTETS_MAX = 320,
	QUESTIONS_MAX = 1 << 17,
	GENERAL_RECORDS_MAX = 1 << 20, /* larger zones are only asked by the batch */
};

static struct arena *arena;
static struct records records;
static struct directory directory;
static struct answer_server server;
static struct tsig_key key;
static const struct access_item anybody = {.any_address = true};
static uint8_t reply[MESSAGE_OCTETS_MAX];

/* Of processor time: what others run beside us should not count. */
static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(enum code code, const char *what)
{
	if (code == OK) return;
	fprintf(stderr, "answer_speed: %s: %s\n", what, code_name(code));
	exit(1);
}

static enum code sink(void *context, const struct record *record, struct place place)
{
	return records_add(context, record, place, NULL);
}

static struct name name_text(const char *text)
{
	struct name_buffer *name = arena_alloc(arena, sizeof *name);

	must(name_from_text(span_of_text(text), NULL, name, NULL), text);
	return name_of(name);
}

static struct view load(const char *path, struct name apex)
{
	struct diagnostics diagnostics = {.arena = arena};
	struct zone_text_parser parser = {.origin = apex,
					  .sink = sink,
					  .context = &records,
					  .arena = arena,
					  .diagnostics = &diagnostics};
	struct zone_digest digest = {0};
	struct view view;
	FILE *file = fopen(path, "rb");
	char *text = malloc(TEXT_OCTETS_MAX);

	if (!file || !text) must(E_IO, path);
	size_t len = fread(text, 1, TEXT_OCTETS_MAX, file);
	fclose(file);
	records_init(&records, arena);
	must(zone_text_parse(&parser, path, span_of(text, len)), path);
	free(text);
	must(records_sort(&records, NULL), path);
	must(zone_check(&records, apex, &diagnostics), path);
	size_t size = image_size(&records, apex);
	struct writer out = writer_of(aligned_alloc(64, (size + 63) / 64 * 64), size);
	must(image_build(&records, apex, 42, &digest, &out, NULL), path);
	struct span octets = writer_span(&out);
	must(view_open(&octets, 1, &view, NULL), path);
	return view;
}

static void publish(const char *path, const char *origin)
{
	struct publication *zone = arena_alloc(arena, sizeof *zone);
	struct zone_policy *policy = arena_alloc(arena, sizeof *policy);
	size_t size = directory_table_size(TABLE_ZONES);

	directory_init(&directory, (struct siphash_key){1, 2}, 1, arena_alloc(arena, size), size);
	zone->name = policy->name = name_text(origin);
	policy->allow_query = policy->allow_transfer = (struct access_list){&anybody, 1};
	zone->policy = policy;
	publication_set_expire(zone, INSTANT_NEVER);
	zone->view = load(path, zone->name);
	must(directory_publish(&directory, zone, NULL), origin);
	key = (struct tsig_key){.name = name_text("bench.key."),
				.algorithm = TSIG_HMAC_SHA256,
				.secret = span_of_text("0123456789abcdef0123456789abcdef"),
				.label = "bench"};
	server = (struct answer_server){
		.directory = &directory, .crypto = crypto_new(NULL), .keys = &key, .key_count = 1};
}

static struct writer request_of(struct name name, uint16_t type, uint8_t *octets)
{
	struct message_writer mw;
	struct question question = {.type = type, .class = CLASS_IN};
	const struct header header = {.id = 1};

	name_copy(&question.name, name);
	message_begin(&mw, octets, REQUEST_OCTETS_MAX);
	if (!message_add_question(&mw, &question)) must(E_LIMIT, "request");
	if (!edns_begin(&mw, UDP_OCTETS_MAX, true)) must(E_LIMIT, "request");
	message_finish(&mw, &header);
	return mw.w;
}

/* Every record's own name and type, or a name below it; the requests are made before. */
static double answer_all(bool below)
{
	static struct answer result;
	struct span *requests = calloc(records.count, sizeof *requests);
	uint8_t *octets = malloc(records.count * REQUEST_OCTETS_MAX);

	if (!requests || !octets) must(E_NOMEM, "requests");
	for (size_t i = 0; i < records.count; i++) {
		struct record record = records_get(&records, i);
		struct name_buffer child;
		if (!name_wildcard_child(record.owner, &child)) name_copy(&child, record.owner);
		struct writer request = request_of(below ? name_of(&child) : record.owner,
						   record.type, octets + i * REQUEST_OCTETS_MAX);
		requests[i] = writer_span(&request);
	}
	double start = now_s();
	for (size_t i = 0; i < records.count; i++) {
		struct answer_request r = {
			.wire = requests[i], .address = {.family = 4}, .transport = TRANSPORT_UDP};
		struct writer out = writer_of(reply, sizeof reply);
		answer(&server, &r, &out, &result);
		if (out.len == 0) must(E_IO, "silence");
	}
	double rate = (double)records.count / (now_s() - start);
	free(requests);
	free(octets);
	return rate;
}

/* Nanoseconds a record; `*octets_sent` is what the messages take. */
static double transfer_all(struct name apex, bool is_signed, uint64_t *octets_sent)
{
	static struct answer result;
	uint8_t octets[MESSAGE_OCTETS_MAX];
	struct writer request = request_of(apex, RRTYPE_AXFR, octets);
	struct writer out = writer_of(reply, sizeof reply);
	struct tsig_mac mac;
	struct transfer_out transfer;

	request.cap = sizeof octets;
	if (is_signed) must(tsig_sign_request(server.crypto, &key, 1, &request, &mac), "signing");
	struct answer_request r = {.wire = writer_span(&request),
				   .address = {.family = 4},
				   .transport = TRANSPORT_TCP,
				   .now_unix_s = 1};
	answer(&server, &r, &out, &result);
	if (result.kind != ANSWER_TRANSFER) must(E_REFUSED, "transfer");
	double start = now_s();
	must(transfer_out_begin(&transfer, &server, &result, NULL), "transfer");
	do {
		must(transfer_out_next(&transfer, 1, &out, NULL), "transfer");
	} while (out.len > 0);
	transfer_out_end(&transfer);
	*octets_sent = transfer.octets;
	return (now_s() - start) * 1e9 / (double)transfer.record_count;
}

static void transfers_measure(struct name apex, int rounds)
{
	for (int is_signed = 0; is_signed < 2; is_signed++) {
		double best = 0;
		uint64_t octets = 0;
		for (int i = 0; i < rounds; i++) {
			double ns = transfer_all(apex, is_signed, &octets);
			if (i == 0 || ns < best) best = ns;
		}
		printf("%-28s %10.1f ns, %.1f octets\n",
		       is_signed ? "AXFR, a record, signed" : "AXFR, a record", best,
		       (double)octets / (double)(records.count + 1));
	}
}

/* ---- by the batch ---- */

static const char *const kinds[] = {"referral",    "exact",    "nxdomain",    "nodata",
				    "referral-do", "exact-do", "nxdomain-do", "nodata-do"};

enum kind { REFERRAL, EXACT, NXDOMAIN, NODATA, KIND_COUNT };

struct questions {
	size_t count;
	struct span wires[QUESTIONS_MAX];
	uint8_t octets[QUESTIONS_MAX][REQUEST_OCTETS_MAX + ANSWER_SLACK_OCTETS];
};

static uint32_t random_below(uint32_t n)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 16) % n);
}

/* What a record of the zone gives to ask for; false: nothing of this kind. */
static bool question_of(enum kind kind, struct name apex, const struct record *record,
			struct name_buffer *name, uint16_t *type)
{
	bool is_apex = name_equal(record->owner, apex);
	char text[64];

	*type = record->type;
	name_copy(name, record->owner);
	switch (kind) {
	case REFERRAL: *type = RRTYPE_A; return record->type == RRTYPE_NS && !is_apex;
	case EXACT: return record->type == RRTYPE_A || (record->type == RRTYPE_TXT && is_apex);
	case NODATA: *type = RRTYPE_CAA; return record->type == RRTYPE_A;
	default:
		snprintf(text, sizeof text, "nx%x", random_below(UINT32_MAX));
		*type = RRTYPE_A;
		return name_from_text(span_of_text(text), &apex, name, NULL) == OK;
	}
}

static void questions_make(struct questions *q, enum kind kind, bool dnssec_ok, struct name apex)
{
	const struct header header = {.id = 1};

	q->count = 0;
	for (size_t tries = 0; tries < 20 * (size_t)QUESTIONS_MAX && q->count < QUESTIONS_MAX;
	     tries++) {
		struct record record = records_get(&records, random_below((uint32_t)records.count));
		struct question question = {.class = CLASS_IN};
		struct message_writer mw;
		if (!question_of(kind, apex, &record, &question.name, &question.type)) continue;
		message_begin(&mw, q->octets[q->count], REQUEST_OCTETS_MAX);
		if (!message_add_question(&mw, &question)) must(E_LIMIT, "request");
		if (!edns_begin(&mw, UDP_OCTETS_MAX, dnssec_ok)) must(E_LIMIT, "request");
		q->wires[q->count] = message_finish(&mw, &header);
		q->count++;
	}
}

/* Nanoseconds a question; *fast is the share that the fast path answered. */
static double batches_answer(const struct questions *q, size_t size, double *fast)
{
	static struct answer_batch batch;
	static uint8_t replies[ANSWER_BATCH_MAX][UDP_OCTETS_MAX];
	size_t answered = 0, asked = 0;

	static struct fast_cache cache;
	batch.server = &server;
	batch.cache = &cache;
	double start = now_s();
	for (size_t at = 0; at + size <= q->count; at += size, asked += size) {
		for (size_t i = 0; i < size; i++) {
			batch.items[i].wire = q->wires[at + i];
			batch.items[i].reply = replies[i];
		}
		batch.count = size;
		answered += (size_t)__builtin_popcountll(answer_batch(&batch));
	}
	*fast = asked ? (double)answered / (double)asked : 0;
	return (now_s() - start) * 1e9 / (double)(asked ? asked : 1);
}

static void batches_measure(struct name apex, int rounds, const char *kind_wanted,
			    size_t size_wanted)
{
	static const size_t sizes[] = {1, 8, 32, 64};
	static struct questions questions;

	for (unsigned k = 0; k < ARRAY_COUNT(kinds); k++) {
		if (kind_wanted && strcmp(kind_wanted, kinds[k])) continue;
		questions_make(&questions, k % KIND_COUNT, k >= KIND_COUNT, apex);
		if (questions.count == 0) continue;
		for (size_t s = 0; s < ARRAY_COUNT(sizes); s++) {
			double fast = 0, best = 0;
			if (kind_wanted && sizes[s] != size_wanted) continue;
			for (int i = 0; i < rounds; i++) {
				double ns = batches_answer(&questions, sizes[s], &fast);
				if (i == 0 || ns < best) best = ns;
			}
			printf("%-12s by %-3zu %8.1f ns, %5.1f %% of %zu fast\n", kinds[k],
			       sizes[s], best, 100 * fast, questions.count);
		}
	}
}

static void general_measure(int rounds)
{
	double best[2] = {0};
	static const char *const what[] = {"answers, names that exist",
					   "answers, names that do not"};

	for (int i = 0; i < rounds; i++) {
		double rates[] = {answer_all(false), answer_all(true)};
		for (size_t k = 0; k < ARRAY_COUNT(rates); k++)
			if (rates[k] > best[k]) best[k] = rates[k];
	}
	for (size_t k = 0; k < ARRAY_COUNT(best); k++)
		printf("%-28s %10.0f /s\n", what[k], best[k]);
}

int main(int argc, char **argv)
{
	int rounds = argc > 3 ? atoi(argv[3]) : 5;

	bool only_transfers = argc == 5 && strcmp(argv[4], "axfr") == 0;

	if (argc < 3 || (argc == 5 && !only_transfers)) {
		fprintf(stderr, "usage: answer_speed FILE ORIGIN [ROUNDS [axfr | KIND BATCH]]\n");
		return 2;
	}
	arena = arena_new(ARENA_OCTETS_MAX);
	publish(argv[1], argv[2]);
	struct name apex = name_text(argv[2]);
	if (argc > 5) {
		batches_measure(apex, rounds, argv[4], (size_t)atoi(argv[5]));
		return 0;
	}
	transfers_measure(apex, rounds);
	if (only_transfers) return 0;
	if (records.count < GENERAL_RECORDS_MAX) general_measure(rounds);
	batches_measure(apex, rounds, NULL, 0);
	return 0;
}
