/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever octets come as a request: the response is a message that reads well, has the
 * request's id and question and never more octets than the client takes; asking again
 * gives the same; and a transfer that begins ends.
 *
 * The first octet of the input chooses transport and address, the rest is the request.
 */
#include "fuzz.h"

#include "../unit/engine/answer_names_check.h"

#include "dns/zone_text.h"
#include "engine/front/transfer.h"

#include <assert.h>
#include <stdlib.h>

enum { ARENA_OCTETS = 64 << 20, TABLE_OCTETS = 1 << 16, MESSAGES_MAX = 1000 };

#define NOW_UNIX_S UINT64_C(1800000000)

static const char parent_text[] =
	"@ 3600 SOA ns1 admin 7 3600 600 86400 300\n@ NS ns1\n@ NS ns.elsewhere.test.\n"
	"ns1 A 192.0.2.53\nns1 AAAA 2001:db8::53\nwww A 192.0.2.80\n@ MX 10 mail\n"
	"mail A 192.0.2.25\nalias CNAME www\nout CNAME www.other.test.\nloop CNAME loop\n"
	"c0 CNAME c1\nc1 CNAME c2\nc2 CNAME x.dname\n*.wild TXT wild\n*.wild MX 5 mail\n"
	"dname DNAME wild\nsrv SRV 0 5 5060 mail\ncut NS ns.cut\ncut NS ns.sibling\n"
	"ns.cut A 192.0.2.60\nsibling NS ns.sibling\nns.sibling A 192.0.2.61\nent.a.b TXT x\n"
	"$GENERATE 1-60 many A 192.0.2.$\n$GENERATE 1-40 cut NS ns$.cut\n"
	"$GENERATE 1-40 ns$.cut A 192.0.2.$\n";
static const char child_text[] = "@ SOA ns admin 1 1 1 1 60\n@ NS ns\nns A 192.0.2.1\nwww CNAME "
				 "alias.example.\n";

#define SIG(type, labels)                                                                          \
	" RRSIG " type " 13 " labels " 3600 20270101000000 20260101000000 1 z. AAAA\n"
/* One that is signed, after a fashion: links that match, cover, are missing. */
static const char nsec_text[] = "@ SOA a b 1 1 1 1 60\n@ NS ns.else.\n@" SIG(
	"SOA", "1") "@ NSEC *.b SOA NS RRSIG NSEC\n"
		    "*.b TXT x\n*.b" SIG("TXT",
					 "2") "*.b NSEC c TXT RRSIG NSEC\nc NS ns.else.\n"
					      "c NSEC x.e NS RRSIG NSEC\nx.e CNAME *.b\nx.e NSEC @ "
					      "CNAME RRSIG NSEC\nf HTTPS 1 .\nf A 1.2.3.4\n";
static const char nsec3_text[] =
	"@ SOA a b 1 1 1 1 60\n@ NS ns.else.\n@ NSEC3PARAM 1 0 12 aabbccdd\n*.w TXT x\nc NS d\n"
	"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 aabbccdd r53bq7cc2uvmubfu5ocmm6pers9tk9en "
	"NS\n"
	"r53bq7cc2uvmubfu5ocmm6pers9tk9en NSEC3 1 0 12 aabbccdd 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom "
	"A\n";

static struct names_check names_check;
static const struct access_item anybody = {.any_address = true};
static struct tsig_key key;
static struct remote primary;
static const struct remote *primaries[] = {&primary};
static struct directory directory;
static struct answer_server server;
static struct arena *arena;

static enum code sink(void *context, const struct record *record, struct place place)
{
	return records_add(context, record, place, NULL);
}

static struct name name_text(const char *text)
{
	struct name_buffer *name = arena_alloc(arena, sizeof *name);

	enum code code = name_from_text(span_of_text(text), NULL, name, NULL);
	assert(code == OK);
	(void)code;
	return name_of(name);
}

static struct view build(struct name apex, const char *text)
{
	struct diagnostics diagnostics = {.arena = arena};
	struct records set;
	struct zone_text_parser parser = {.origin = apex,
					  .default_ttl = 3600,
					  .has_default_ttl = true,
					  .sink = sink,
					  .context = &set,
					  .arena = arena,
					  .diagnostics = &diagnostics};
	struct zone_digest digest = {0};
	struct view view;

	records_init(&set, arena);
	if (zone_text_parse(&parser, "fuzz", span_of_text(text))) abort();
	if (records_sort(&set, NULL)) abort();
	size_t size = image_size(&set, apex);
	struct writer out = writer_of(arena_alloc(arena, size), size);
	if (image_build(&set, apex, 42, &digest, &out, NULL)) abort();
	struct span octets = writer_span(&out);
	if (view_open(&octets, 1, &view, NULL)) abort();
	return view;
}

static void publish(const char *origin, const char *text)
{
	struct publication *zone = arena_alloc(arena, sizeof *zone);
	struct zone_policy *policy = arena_alloc(arena, sizeof *policy);

	zone->name = policy->name = name_text(origin);
	zone->policy = policy;
	policy->allow_query = policy->allow_transfer = (struct access_list){&anybody, 1};
	policy->primaries = primaries;
	policy->primary_count = ARRAY_COUNT(primaries);
	publication_set_expire(zone, INSTANT_NEVER);
	if (text) zone->view = build(zone->name, text);
	if (directory_publish(&directory, zone, NULL)) abort();
}

static void prepare(void)
{
	if (arena) return;
	arena = arena_new(ARENA_OCTETS);
	directory_init(&directory, (struct siphash_key){1, 2}, 1, arena_alloc(arena, TABLE_OCTETS),
		       TABLE_OCTETS);
	publish("example.", parent_text);
	publish("child.example.", child_text);
	publish("later.example.", NULL);
	publish("z.", nsec_text);
	publish("y.", nsec3_text);
	key = (struct tsig_key){.name = name_text("fuzz.key."),
				.algorithm = TSIG_HMAC_SHA256,
				.secret = span_of_text("0123456789abcdef"),
				.label = "fuzz.key"};
	primary.from_any = true;
	server = (struct answer_server){.directory = &directory,
					.crypto = crypto_new(NULL),
					.keys = &key,
					.key_count = 1,
					.name = "fuzz.example",
					.cookie_secrets = {{{1, 2}, {3, 4}}, 2},
					.keepalive = 100,
					.version = "lockstep"};
}

/* RFC 2181 5: no record stands there twice; each owner, type and data are compared. */
static void check_no_repetition(const struct message *message)
{
	enum { COMPARED_MAX = 100 };
	static struct message_record list[COMPARED_MAX];
	struct message_cursor cursor = message_cursor_of(message);
	size_t count = 0;

	while (count < COMPARED_MAX && message_next_record(&cursor, &list[count])) {
		const struct message_record *b = &list[count++];
		for (size_t i = 0; i + 1 < count; i++) {
			const struct message_record *a = &list[i];
			assert(a->type != b->type ||
			       !name_equal(name_of(&a->owner), name_of(&b->owner)) ||
			       !span_equal(message_rdata(message, a), message_rdata(message, b)));
		}
	}
}

/* Every record of a message of ours is well-formed, and nothing stands behind the last. */
static void check_records(struct span wire, const struct message *message)
{
	static uint8_t room[1 << 17];
	struct message_cursor cursor = message_cursor_of(message);
	struct message_record raw;
	struct record record;

	while (message_next_record(&cursor, &raw)) {
		struct writer w = writer_of(room, sizeof room);
		if (raw.type == RRTYPE_OPT || raw.type == RRTYPE_TSIG) continue;
		enum code code = message_expand_record(message, &raw, &w, &record, NULL);
		assert(code == OK);
		(void)code;
	}
	assert(message_cursor_is_done(&cursor) && wire.len >= HEADER_OCTETS);
}

static size_t octets_max(const struct answer_request *request, const struct query *query)
{
	if (request->transport != TRANSPORT_UDP) return MESSAGE_OCTETS_MAX;
	if (query->tsig.present) return UDP_OCTETS_MAX;
	if (!query->edns.present || query->edns.udp_size < UDP_OCTETS_MIN) return UDP_OCTETS_MIN;
	return query->edns.udp_size < UDP_OCTETS_MAX ? query->edns.udp_size : UDP_OCTETS_MAX;
}

static void check_reply(const struct answer_request *request, struct span reply,
			const struct answer *result)
{
	const struct query *query = &result->query;
	const struct name_buffer *asked = &query->message.question.name;
	struct message message;
	struct edns edns;
	struct tsig tsig;

	assert(reply.len <= octets_max(request, query));
	bool read = message_parse(reply, &message);
	assert(read && message.header.qr && !message.header.ra);
	assert(memcmp(reply.ptr, request->wire.ptr, 2) == 0);
	assert(message.header.opcode == (request->wire.ptr[2] >> 3 & 15));
	assert(message.has_question == query->message.has_question);
	if (message.has_question) {
		assert(message.question.name.len == asked->len);
		assert(memcmp(message.question.name.wire, asked->wire, asked->len) == 0);
		assert(message.question.type == query->message.question.type);
		assert(message.question.class == query->message.question.class);
	}
	check_records(reply, &message);
	check_no_repetition(&message);
	/* TC: what must be there did not fit, so nothing is there, or it is glue (RFC 9471 3). */
	assert(message.header.tc == result->truncated);
	assert(!message.header.tc || request->transport == TRANSPORT_UDP);
	assert(!message.header.tc || message.header.count[SECTION_ANSWER] == 0 ||
	       message.header.count[SECTION_AUTHORITY] > 0);
	if (message.has_question) check_names(&message, &names_check);
	enum rcode rcode = message_read_meta(&message, &edns, &tsig);
	assert(rcode == RCODE_NOERROR && edns.present == query->edns.present);
	assert(edns_rcode(&message.header, &edns) == result->rcode);
	assert(!tsig.present || query->tsig.present);
	assert(result->key == NULL || tsig.present);
}

static void run_transfer(const struct answer *result)
{
	static uint8_t room[MESSAGE_OCTETS_MAX];
	struct transfer_out transfer;
	struct writer out = writer_of(room, sizeof room);
	struct message message;
	unsigned count = 0;

	enum code code = transfer_out_begin(&transfer, &server, result, NULL);
	assert(code == OK);
	do {
		assert(++count < MESSAGES_MAX);
		code = transfer_out_next(&transfer, NOW_UNIX_S, &out, NULL);
		assert(code == OK);
		if (out.len == 0) break;
		bool read = message_parse(writer_span(&out), &message);
		assert(read);
		check_records(writer_span(&out), &message);
	} while (true);
	assert(transfer.record_count == view_record_count(&result->zone->view) + 1);
	transfer_out_end(&transfer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[2][MESSAGE_OCTETS_MAX];
	static struct answer first, again;
	struct writer out = writer_of(room[0], sizeof room[0]);
	struct writer out_again = writer_of(room[1], sizeof room[1]);

	if (size == 0 || size > MESSAGE_OCTETS_MAX) return 0;
	prepare();
	struct answer_request request = {
		.wire = span_of(data + 1, size - 1),
		.address = address_of_ipv4((const uint8_t[]){192, 0, 2, data[0]}),
		.transport = data[0] & 1 ? TRANSPORT_TCP : TRANSPORT_UDP,
		.now_unix_s = NOW_UNIX_S,
	};
	answer(&server, &request, &out, &first);
	answer(&server, &request, &out_again, &again);
	assert(first.kind == again.kind && span_equal(writer_span(&out), writer_span(&out_again)));
	switch (first.kind) {
	case ANSWER_REPLY: check_reply(&request, writer_span(&out), &first); break;
	case ANSWER_SILENCE: assert(out.len == 0); break;
	case ANSWER_TRANSFER: run_transfer(&first); break;
	}
	return 0;
}
