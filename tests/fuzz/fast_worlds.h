/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fast_worlds.h - zones of every kind, and the claim about the fast path: what it answers,
 * answer() answers with the same octets and the same result.
 */
#ifndef TESTS_FUZZ_FAST_WORLDS_H
#define TESTS_FUZZ_FAST_WORLDS_H

#include "dns/zone_text.h"
#include "engine/answer/batch.h"
#include "engine/answer/fast_cache.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	FAST_WORLD_OCTETS = 64 << 20,
	FAST_WORLD_ZONES = 16,
	FAST_WORLD_NAMES_MAX = 4096,
	FAST_REQUEST_OCTETS_MAX = 1024,
	FAST_REPLY_ROOM = MESSAGE_OCTETS_MAX,
};

/* Asserts stay on, but a claim that fails here says where. */
#define FAST_MUST(condition)                                                                       \
	do {                                                                                       \
		if (condition) break;                                                              \
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                    \
		abort();                                                                           \
	} while (0)

struct fast_world {
	struct arena *arena;
	struct directory *directory;
	struct answer_server server;
	size_t name_count;
	struct name names[FAST_WORLD_NAMES_MAX]; /* owners, to be asked for */
	struct answer_batch batch;
	uint64_t fast_count, general_count;
};

static const struct access_item fast_anybody = {.any_address = true};
static struct prefix fast_prefix = {{4, {192, 0, 2, 0}}, 24};
static const struct access_item fast_neighbours = {.prefix = &fast_prefix};

static inline enum code fast_world_sink(void *context, const struct record *record,
					struct place place)
{
	return records_add(context, record, place, NULL);
}

static inline struct name fast_world_name(struct fast_world *w, const char *text)
{
	struct name_buffer *name = arena_alloc(w->arena, sizeof *name);

	FAST_MUST(name_from_text(span_of_text(text), NULL, name, NULL) == OK);
	return name_of(name);
}

static inline struct fast_world *fast_world_new(void)
{
	struct fast_world *w = calloc(1, sizeof *w);
	size_t size = directory_table_size(FAST_WORLD_ZONES);
	void *memory = NULL;

	FAST_MUST(w && (w->arena = arena_new(FAST_WORLD_OCTETS)));
	FAST_MUST((w->batch.cache = calloc(1, sizeof *w->batch.cache)));
	FAST_MUST(posix_memalign(&memory, CACHE_LINE_OCTETS, sizeof *w->directory) == 0);
	w->directory = memory;
	directory_init(w->directory, (struct siphash_key){7, 8}, 1, arena_alloc(w->arena, size),
		       size);
	w->server = (struct answer_server){.directory = w->directory,
					   .crypto = crypto_new(NULL),
					   .name = "fast.example",
					   .cookie_secrets = {{{1, 2}, {3, 4}}, 2},
					   .version = "lockstep"};
	FAST_MUST(w->server.crypto);
	return w;
}

static inline void fast_world_free(struct fast_world *w)
{
	free(w->directory);
	free(w->batch.cache);
	crypto_free(w->server.crypto);
	arena_free(w->arena);
	free(w);
}

/* A zone of this text; NULL: it is not loaded. */
static inline struct publication *fast_world_add(struct fast_world *w, const char *origin,
						 const char *text)
{
	struct publication *zone = arena_alloc(w->arena, sizeof *zone);
	struct zone_policy *policy = arena_alloc(w->arena, sizeof *policy);
	struct diagnostics diagnostics = {.arena = w->arena};
	struct records set;
	struct zone_text_parser parser = {.default_ttl = 3600,
					  .has_default_ttl = true,
					  .sink = fast_world_sink,
					  .context = &set,
					  .arena = w->arena,
					  .diagnostics = &diagnostics};
	struct zone_digest digest = {0};

	zone->name = policy->name = parser.origin = fast_world_name(w, origin);
	zone->policy = policy;
	policy->allow_query = (struct access_list){&fast_anybody, 1};
	publication_set_expire(zone, INSTANT_NEVER);
	if (text) {
		records_init(&set, w->arena);
		if (zone_text_parse(&parser, "fast", span_of_text(text))) {
			fprintf(stderr, "%s\n", diagnostics.list[0].text);
			abort();
		}
		FAST_MUST(records_sort(&set, NULL) == OK);
		size_t size = image_size(&set, zone->name);
		struct writer out = writer_of(arena_alloc(w->arena, size), size);
		struct error err = {0};
		if (image_build(&set, zone->name, 42, &digest, &out, &err)) {
			fprintf(stderr, "%s\n%s\n", err.text, text);
			abort();
		}
		struct span octets = writer_span(&out);
		FAST_MUST(view_open(&octets, 1, &zone->view, NULL) == OK);
		for (size_t i = 0; i < set.count && w->name_count < FAST_WORLD_NAMES_MAX; i++)
			w->names[w->name_count++] = records_get(&set, i).owner;
	}
	FAST_MUST(directory_publish(w->directory, zone, NULL) == OK);
	return zone;
}

static inline struct address fast_world_address(const void *context, size_t index)
{
	const struct answer_request *requests = context;

	return requests[index].address;
}

static inline void fast_compare(struct fast_world *w, const struct answer_request *request,
				const struct answer_item *item)
{
	static uint8_t room[FAST_REPLY_ROOM];
	static struct answer result;
	struct writer out = writer_of(room, sizeof room);

	answer(&w->server, request, &out, &result);
	bool equal = result.kind == ANSWER_REPLY && result.rcode == item->rcode &&
		     !result.truncated && result.zone == item->zone && !result.key &&
		     !result.notify.received && !result.remote_without_key &&
		     span_equal(writer_span(&out), span_of(item->reply, item->reply_len));
	if (equal) return;
	fprintf(stderr, "fast and general differ (rcode %u, %u)\n", item->rcode, result.rcode);
	const struct span octets[] = {request->wire, span_of(item->reply, item->reply_len),
				      writer_span(&out)};
	for (size_t i = 0; i < ARRAY_COUNT(octets); i++) {
		for (size_t k = 0; k < octets[i].len; k++)
			fprintf(stderr, "%02x", octets[i].ptr[k]);
		fprintf(stderr, "\n");
	}
	abort();
}

/*
 * Asks all of one transport as one batch, and one by one of answer(). Behind each request
 * there are ANSWER_SLACK_OCTETS.
 */
static inline uint64_t fast_world_ask(struct fast_world *w, const struct answer_request *requests,
				      size_t count)
{
	static uint8_t replies[ANSWER_BATCH_MAX][UDP_OCTETS_MAX];
	struct answer_batch *batch = &w->batch;

	batch->server = &w->server;
	batch->transport = requests[0].transport;
	batch->now = requests[0].now;
	batch->now_unix_s = requests[0].now_unix_s;
	batch->count = count;
	batch->address = fast_world_address;
	batch->context = requests;
	for (size_t i = 0; i < count; i++)
		batch->items[i] =
			(struct answer_item){.wire = requests[i].wire, .reply = replies[i]};
	directory_reader_begin(w->directory, 0);
	uint64_t fast = answer_batch(batch);
	for (size_t i = 0; i < count; i++)
		if (fast >> i & 1) fast_compare(w, &requests[i], &batch->items[i]);
	directory_reader_end(w->directory, 0);
	unsigned answered = (unsigned)__builtin_popcountll(fast);
	w->fast_count += answered;
	w->general_count += count - answered;
	return fast;
}

/* ---- zones ---- */

#define FAST_RRSIG(type, signer)                                                                   \
	" RRSIG " type " 13 2 3600 20300101000000 20200101000000 12345 " signer                    \
	" AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=" \
	"=\n"

static const char *const fast_zone_unsigned =
	"@ 3600 SOA ns1 admin 7 3600 600 86400 300\n@ NS ns1\n@ NS ns.elsewhere.test.\n"
	"@ MX 10 mail\n@ MX 20 mail.other.test.\n@ MX 30 @\n@ A 192.0.2.1\n@ TXT \"one\" \"two\"\n"
	"ns1 A 192.0.2.53\nns1 AAAA 2001:db8::53\nWww A 192.0.2.80\nwww AAAA 2001:db8::80\n"
	"mail A 192.0.2.25\nalias CNAME www\nout CNAME www.other.test.\nloop CNAME loop\n"
	"*.wild TXT wild\n*.wild MX 5 mail\n*.wild MX 6 x.wild\n*.wild NS here\n"
	"*.wi MX 5 a.wi\n*.wi MX 6 wi\nwi A 192.0.2.77\n*.w3 PTR deep.w3\n*.w3 A 192.0.2.3\n"
	"dname DNAME wild\nsrv SRV 0 5 5060 mail\nCut NS ns.cut\ncut NS ns.SIBLING\ncut NS cut\n"
	"cut NS a.b.ns.cut\ncut NS b.ns.cut\ncut NS ns.cut.elsewhere.test.\n"
	"ns.cut A 192.0.2.60\nns.cut AAAA 2001:db8::60\ncut A 192.0.2.61\na.b.ns.cut A 192.0.2.62\n"
	"sibling NS ns.sibling\nns.sibling A 192.0.2.61\nent.a.b TXT x\nptr PTR www\n"
	"signedcut NS ns1\nsignedcut DS 1 13 2 "
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
	"lone NS ns.lone\nglueless NS elsewhere.test.\nempty.nodes.below.here A 192.0.2.9\n"
	"mx MX 1 a.mx\nmx MX 2 mx\nmx MX 3 b.a.mx\nmx MX 4 a.mx\na.mx A 192.0.2.90\nmx A "
	"192.0.2.91\n"
	"caa CAA 0 issue \"ca.example\"\ndot MX 0 .\nminfo MINFO www mail\n"
	"type999 TYPE999 \\# 4 01020304\n$GENERATE 1-60 many A 192.0.2.$\n"
	"$GENERATE 1-9 wide NS ns$.wide\n$GENERATE 1-9 ns$.wide A 192.0.2.$\n"
	"$GENERATE 1-20 wider NS ns$.wider\n$GENERATE 1-20 ns$.wider A 192.0.2.$\n";

static const char *const fast_zone_child =
	"@ SOA ns admin 1 1 1 1 60\n@ NS ns\nns A 192.0.2.1\nwww CNAME alias.example.\n";

static const char *const fast_zone_root =
	"@ 86400 SOA a.root-servers.net. nstld.verisign-grs.com. 2018 1800 900 604800 86400\n"
	"@ NS a.root-servers.net.\n@ NS b.root-servers.net.\na.root-servers.net. A 198.41.0.4\n"
	"a.root-servers.net. AAAA 2001:503:ba3e::2:30\nb.root-servers.net. A 192.228.79.201\n"
	"com. NS a.gtld-servers.net.\ncom. NS b.gtld-servers.net.\ncom. NS c.gtld-servers.net.\n"
	"net. NS a.gtld-servers.net.\nnet. NS b.gtld-servers.net.\nNet. NS c.gtld-servers.net.\n"
	"a.gtld-servers.net. A 192.5.6.30\na.gtld-servers.net. AAAA 2001:503:a83e::2:30\n"
	"b.gtld-servers.net. A 192.33.14.30\nb.gtld-servers.net. AAAA 2001:503:231d::2:30\n"
	"c.gtld-servers.net. A 192.26.92.30\nuk. NS nsa.nic.uk.\nuk. NS nsb.nic.uk.\n"
	"uk. NS dns1.nic.uk.\nnsa.nic.uk. A 156.154.100.3\nnsa.nic.uk. AAAA 2001:502:ad09::3\n"
	"nsb.nic.uk. A 156.154.101.3\ndns1.nic.uk. A 213.248.216.1\n"
	"dns1.nic.uk. AAAA 2a01:618:400::1\nuk. DS 1 8 2 "
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
	"xn--p1ai. NS a.dns.ripn.net.\nxn--p1ai. NS xn--p1ai.\nxn--p1ai. A 192.0.2.4\n";

/* clang-format off: one record a line */
static const char *const fast_zone_nsec =
	"@ 3600 SOA ns1 admin 7 3600 600 86400 300\n"
	"@" FAST_RRSIG(
		"SOA",
		"signed.") "@ NS ns1\n"
			   "@" FAST_RRSIG(
				   "NS",
				   "signed.") "@ NSEC b.signed. NS SOA RRSIG NSEC\n"
					      "@" FAST_RRSIG(
						      "NSEC",
						      "signed.") "ns1 A 192.0.2.1\n"
								 "ns1" FAST_RRSIG(
									 "A",
									 "signed.") "ns1 NSEC "
										    "*.wild A "
										    "RRSIG NSEC\n"
										    "ns"
										    "1" FAST_RRSIG(
											    "NSEC",
											    "signed"
											    ".") "b"
												 " "
												 "T"
												 "X"
												 "T"
												 " "
												 "x"
												 "\n"
												 "b" FAST_RRSIG(
													 "TXT",
													 "signed.") "b NSEC cut TXT RRSIG NSEC\n"
														    "b" FAST_RRSIG(
															    "NSEC",
															    "signed.") "cut NS ns.cut\n"
																       "ns.cut A 192.0.2.9\n"
																       "cut NSEC mx NS\n"
																       "cut" FAST_RRSIG("NSEC",
																			"signed.") "mx MX 1 ns1\n"
																				   "mx MX 2 mx\n"
																				   "mx" FAST_RRSIG("MX",
																						   "signed.") "mx A 192.0.2.3\n"
																							      "mx" FAST_RRSIG("A",
																									      "signed.") "mx NSEC ns1 A MX\n"
																											 "mx" FAST_RRSIG("NSEC", "signed.") "sec NS ns.sec\n"
																															    "sec NS ns1\n"
																															    "ns.sec A 192.0.2.10\n"
																															    "sec DS 1 13 2 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
																															    "sec" FAST_RRSIG("DS", "signed.") "sec NSEC *.wild NS DS\n"
																																			      "sec" FAST_RRSIG("NSEC", "signed.") "*.wild A 192.0.2.5\n"
																																								  "*.wild" FAST_RRSIG(
																																									  "A",
																																									  "signed.") "*.wild NSEC @ A\n"
																																										     "*.wild" FAST_RRSIG(
																																											     "NSEC",
																																											     "signed.");
/* clang-format on */

/* clang-format off: one record a line */
static const char *const fast_zone_nsec3 =
	"@ 3600 SOA ns1 admin 7 3600 600 86400 300\n"
	"@" FAST_RRSIG(
		"SOA",
		"hashed.") "@ NS ns1\n"
			   "@" FAST_RRSIG(
				   "NS",
				   "hashed.") "@ NSEC3PARAM 1 0 0 -\n"
					      "@" FAST_RRSIG(
						      "NSEC3PARAM",
						      "hashed.") "ns1 A 192.0.2.1\n"
								 "ns1" FAST_RRSIG(
									 "A",
									 "hashed.") "cut NS "
										    "ns.cut\n"
										    "ns.cut A "
										    "192.0.2.9\n"
										    "sec NS "
										    "ns.sec\n"
										    "ns.sec A "
										    "192.0.2.10\n"
										    "sec DS 1 13 2 "
										    "00010203040506"
										    "0708090a0b0c0d"
										    "0e0f1011121314"
										    "15161718191a1b"
										    "1c1d1e1f\n"
										    "se"
										    "c" FAST_RRSIG(
											    "DS",
											    "hashed"
											    ".") "*"
												 "."
												 "w"
												 "i"
												 "l"
												 "d"
												 " "
												 "A"
												 " "
												 "1"
												 "9"
												 "2"
												 "."
												 "0"
												 "."
												 "2"
												 "."
												 "5"
												 "\n"
												 "*"
												 "."
												 "w"
												 "i"
												 "l"
												 "d" FAST_RRSIG(
													 "A",
													 "hashed.") "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 300 NSEC3 1 1 0 - "
														    "2t7b4g4vsa5smi47k61mv5bv1a22bojr NS SOA\n"
														    "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" FAST_RRSIG(
															    "NSEC3",
															    "hashed.") "2t7b4g4vsa5smi47k61mv5bv1a22bojr 300 NSEC3 1 1 0 - "
																       "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A\n"
																       "2t7b4g4vsa5smi47k61mv5bv1a22bojr" FAST_RRSIG(
																	       "NSEC3",
																	       "hashed.");
/* clang-format on */

static inline struct fast_world *fast_world_of_all(void)
{
	struct fast_world *w = fast_world_new();

	fast_world_add(w, "example.", fast_zone_unsigned);
	fast_world_add(w, "child.example.", fast_zone_child);
	fast_world_add(w, "later.example.", NULL);
	publication_set_expire(fast_world_add(w, "over.example.", fast_zone_child), 1);
	fast_world_add(w, "signed.", fast_zone_nsec);
	fast_world_add(w, "hashed.", fast_zone_nsec3);
	struct publication *few = fast_world_add(w, "few.test.", fast_zone_child);
	struct zone_policy *policy = arena_alloc(w->arena, sizeof *policy);
	*policy = *few->policy;
	policy->allow_query = (struct access_list){&fast_neighbours, 1};
	struct publication *same = arena_alloc(w->arena, sizeof *same);
	same->name = few->name;
	same->view = few->view;
	same->policy = policy;
	publication_set_expire(same, INSTANT_NEVER);
	FAST_MUST(directory_publish(w->directory, same, NULL) == OK);
	return w;
}

/* ---- chance ---- */

/* Octets of an input, or numbers of a generator. */
struct fast_dice {
	const uint8_t *data;
	size_t left;
	uint64_t state; /* 0: only the octets */
};

static inline uint32_t fast_roll(struct fast_dice *dice, uint32_t sides)
{
	if (dice->left > 0) {
		uint32_t value = *dice->data++;
		if (--dice->left > 0 && sides > 256) {
			value = value << 8 | *dice->data++;
			dice->left--;
		}
		return value % sides;
	}
	if (!dice->state) return 0;
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	dice->state ^= dice->state << 17;
	return (uint32_t)(dice->state >> 20) % sides;
}

/* A name of the zones, perhaps with other labels in front, perhaps without its first ones. */
static inline void fast_random_name(struct fast_dice *dice, const struct fast_world *w,
				    struct name_buffer *out)
{
	static const char *const labels[] = {"\1a",  "\1b",    "\1*", "\3www",
					     "\2ns", "\4deep", "\1\3"};
	struct name base = w->names[fast_roll(dice, (uint32_t)w->name_count)];
	unsigned shape = fast_roll(dice, 8);

	if (shape == 0) base = name_parent(base);
	out->len = 0;
	for (unsigned i = 0; shape >= 4 && i < shape - 3; i++) {
		const char *label = labels[fast_roll(dice, ARRAY_COUNT(labels))];
		size_t len = (size_t)label[0] + 1;
		if (out->len + len + base.len > NAME_OCTETS_MAX) break;
		memcpy(out->wire + out->len, label, len);
		out->len = (uint8_t)(out->len + len);
	}
	memcpy(out->wire + out->len, base.wire, base.len);
	out->len = (uint8_t)(out->len + base.len);
	if (fast_roll(dice, 3)) return;
	for (unsigned i = 0; i < out->len; i++)
		if ((out->wire[i] | 0x20) >= 'a' && (out->wire[i] | 0x20) <= 'z')
			out->wire[i] ^= fast_roll(dice, 2) ? 0x20 : 0;
}

/* Mostly none, or a cookie. */
static inline void fast_random_options(struct fast_dice *dice, struct message_writer *mw)
{
	static const uint8_t value[41] = "a cookie and more octets than it may have";
	static const size_t lens[] = {8, 8, 24, 16, 40, 7, 9, 41, 0};
	static const uint16_t codes[] = {EDNS_COOKIE,        EDNS_COOKIE,  EDNS_NSID,
					 EDNS_TCP_KEEPALIVE, EDNS_PADDING, 4711};

	for (unsigned count = fast_roll(dice, 6); count >= 4 && count < 8; count++) {
		uint16_t code = codes[fast_roll(dice, ARRAY_COUNT(codes))];
		size_t len = lens[fast_roll(dice, ARRAY_COUNT(lens))];
		if (code == EDNS_NSID || code == EDNS_TCP_KEEPALIVE) len &= 1;
		FAST_MUST(edns_add_option(mw, code, span_of(value, len)));
		if (fast_roll(dice, 2)) break;
	}
}

/* A request about something in the zones, in the form of most, rarely in another. */
static inline size_t fast_random_request(struct fast_dice *dice, const struct fast_world *w,
					 uint8_t *octets)
{
	static const uint16_t types[] = {
		RRTYPE_A,     RRTYPE_AAAA,  RRTYPE_NS,    RRTYPE_MX,   RRTYPE_SOA,
		RRTYPE_TXT,   RRTYPE_DS,    RRTYPE_CNAME, RRTYPE_PTR,  RRTYPE_SRV,
		RRTYPE_ANY,   RRTYPE_RRSIG, RRTYPE_NSEC,  RRTYPE_CAA,  RRTYPE_DNAME,
		RRTYPE_NSEC3, 999,          RRTYPE_A,     RRTYPE_AAAA, RRTYPE_NS,
	};
	static const uint16_t sizes[] = {1232, 4096, 512, 0, 600, 1100};
	struct question question = {.class = CLASS_IN};
	struct header header = {.id = (uint16_t)fast_roll(dice, 65536)};
	struct message_writer mw;
	unsigned shape = fast_roll(dice, 16);

	fast_random_name(dice, w, &question.name);
	question.type = types[fast_roll(dice, ARRAY_COUNT(types))];
	if (shape == 15) question.class = (uint16_t)fast_roll(dice, 5);
	header.rd = shape & 1;
	header.cd = header.ad = (shape & 6) == 6;
	if (shape == 14) header.opcode = (uint8_t)fast_roll(dice, 6);
	message_begin(&mw, octets, FAST_REQUEST_OCTETS_MAX);
	FAST_MUST(message_add_question(&mw, &question));
	if (fast_roll(dice, 4)) {
		uint16_t size = sizes[fast_roll(dice, ARRAY_COUNT(sizes))];
		FAST_MUST(edns_begin(&mw, size, fast_roll(dice, 2)));
		fast_random_options(dice, &mw);
	}
	return message_finish(&mw, &header).len;
}

static inline struct fast_world *fast_world_of_root(void)
{
	struct fast_world *w = fast_world_new();

	fast_world_add(w, ".", fast_zone_root);
	return w;
}

#endif
