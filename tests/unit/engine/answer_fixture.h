/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_fixture.h - zones from their text, questions and responses as text.
 *
 * A question is "NAME TYPE" and words: tcp, rd, cd, do, edns, edns=SIZE, nsid, ch,
 * from=ADDRESS, cookie=HEX, keepalive, version=N, bare (without the question itself). A response is
 *one line of its header and one line a record:
 *
 *	NXDOMAIN aa edns do ede=18
 *	au example. 300 IN SOA ...
 */
#ifndef TESTS_ENGINE_ANSWER_FIXTURE_H
#define TESTS_ENGINE_ANSWER_FIXTURE_H

#include "unit.h"

#include "base/attributes.h"
#include "base/encoding.h"
#include "crypto/crypto.h"
#include "dns/zone_text.h"
#include "engine/answer/answer.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORLD_OCTETS_MAX = 256 << 20, RESPONSE_TEXT_MAX = 1 << 20, WORLD_ZONES_MAX = 64 };

#define WORLD_NOW_UNIX_S UINT64_C(1800000000)

struct world {
	struct arena *arena;
	struct crypto *crypto;
	struct directory *directory;
	struct answer_server server;
	struct zone_policy *policies[WORLD_ZONES_MAX];
	size_t zone_count;
	uint64_t generation;
	uint64_t now_unix_s;
	uint32_t turn;
	struct answer result;
	uint8_t request[MESSAGE_OCTETS_MAX];
	uint8_t response[MESSAGE_OCTETS_MAX];
	struct span wire; /* the last response */
	char text[RESPONSE_TEXT_MAX];
};

static const struct access_item access_item_any = {.any_address = true};

static inline void world_open(struct world *w)
{
	void *memory = NULL;
	size_t size = directory_table_size(WORLD_ZONES_MAX);

	memset(w, 0, sizeof *w);
	w->now_unix_s = WORLD_NOW_UNIX_S;
	CHECK((w->arena = arena_new(WORLD_OCTETS_MAX)) != NULL);
	CHECK((w->crypto = crypto_new(NULL)) != NULL);
	CHECK(posix_memalign(&memory, CACHE_LINE_OCTETS, sizeof *w->directory) == 0);
	w->directory = memory;
	directory_init(w->directory, (struct siphash_key){5, 6}, 1, arena_alloc(w->arena, size),
		       size);
	w->server = (struct answer_server){.directory = w->directory,
					   .crypto = w->crypto,
					   .name = "ns1.example.net",
					   .version = "lockstep 0.1.0"};
}

static inline void world_close(struct world *w)
{
	free(w->directory);
	crypto_free(w->crypto);
	arena_free(w->arena);
}

static inline enum code world_sink(void *context, const struct record *record, struct place place)
{
	return records_add(context, record, place, NULL);
}

/* The records of a zone's text, sorted. */
static inline void world_records(struct world *w, struct name origin, const char *text,
				 struct records *set)
{
	struct diagnostics diagnostics = {.arena = w->arena};
	struct zone_text_parser parser = {.origin = origin,
					  .default_ttl = 3600,
					  .has_default_ttl = true,
					  .sink = world_sink,
					  .context = set,
					  .arena = w->arena,
					  .diagnostics = &diagnostics};

	records_init(set, w->arena);
	if (zone_text_parse(&parser, "test", span_of_text(text)) != OK)
		fail_msg("zone text: %s in %s", diagnostics.list[0].text, text);
	CHECK(records_sort(set, NULL) == OK);
}

static inline struct name world_name(struct world *w, const char *text)
{
	struct name_buffer *name = arena_alloc(w->arena, sizeof *name);

	if (name_from_text(span_of_text(text), NULL, name, NULL)) fail_msg("%s is a name", text);
	return name_of(name);
}

static inline struct view world_view(struct world *w, struct name apex, const struct records *set)
{
	struct zone_digest digest;
	struct view view;
	struct span octets;
	struct error err = {0};
	size_t size = image_size(set, apex);
	struct writer out = writer_of(arena_alloc(w->arena, size), size);

	CHECK(size > 0 && zone_digest_of(set, w->crypto, &digest));
	if (image_build(set, apex, 42, &digest, &out, &err)) fail_msg("image: %s", err.text);
	octets = writer_span(&out);
	if (view_open(&octets, 1, &view, &err)) fail_msg("image: %s", err.text);
	return view;
}

/* Publishes a zone of this text; NULL: known, but not loaded. Everybody may ask and transfer. */
static inline struct publication *world_publish(struct world *w, const char *origin,
						const char *text)
{
	struct publication *zone = arena_alloc(w->arena, sizeof *zone);
	struct zone_policy *policy = arena_alloc(w->arena, sizeof *policy);
	struct records set;

	zone->name = policy->name = world_name(w, origin);
	policy->label = origin;
	policy->allow_query = policy->allow_transfer = (struct access_list){&access_item_any, 1};
	zone->policy = w->policies[w->zone_count++] = policy;
	publication_set_expire(zone, INSTANT_NEVER);
	if (text) {
		world_records(w, zone->name, text, &set);
		zone->view = world_view(w, zone->name, &set);
	}
	CHECK(directory_publish(w->directory, zone, NULL) == OK);
	directory_serve(w->directory, ++w->generation);
	return zone;
}

/* The policy of the zone published last, to be changed. */
static inline struct zone_policy *world_policy(struct world *w)
{
	return w->policies[w->zone_count - 1];
}

/* ---- questions ---- */

struct ask {
	struct header header;
	struct question question;
	bool edns, dnssec_ok, nsid, keepalive, bare;
	uint8_t version;
	uint8_t cookie[64];
	size_t cookie_len;
	uint16_t udp_size;
	enum transport transport;
	struct address address;
};

static inline void ask_word(struct ask *ask, const char *word)
{
	if (!strcmp(word, "tcp"))
		ask->transport = TRANSPORT_TCP;
	else if (!strcmp(word, "rd"))
		ask->header.rd = true;
	else if (!strcmp(word, "cd"))
		ask->header.cd = true;
	else if (!strcmp(word, "do"))
		ask->edns = ask->dnssec_ok = true;
	else if (!strcmp(word, "nsid"))
		ask->edns = ask->nsid = true;
	else if (!strcmp(word, "edns"))
		ask->edns = true;
	else if (!strcmp(word, "ch"))
		ask->question.class = CLASS_CH;
	else if (!strcmp(word, "hs"))
		ask->question.class = CLASS_HS;
	else if (!strcmp(word, "any-class"))
		ask->question.class = CLASS_ANY;
	else if (!strcmp(word, "notify"))
		ask->header.opcode = OPCODE_NOTIFY;
	else if (!strcmp(word, "update"))
		ask->header.opcode = OPCODE_UPDATE;
	else if (!strcmp(word, "status"))
		ask->header.opcode = OPCODE_STATUS;
	else if (!strncmp(word, "edns=", 5)) {
		ask->edns = true;
		ask->udp_size = (uint16_t)atoi(word + 5);
	} else if (!strcmp(word, "keepalive")) {
		ask->edns = ask->keepalive = true;
	} else if (!strcmp(word, "bare")) {
		ask->bare = true;
	} else if (!strncmp(word, "version=", 8)) {
		ask->edns = true;
		ask->version = (uint8_t)atoi(word + 8);
	} else if (!strncmp(word, "cookie=", 7)) {
		struct writer w = writer_of(ask->cookie, sizeof ask->cookie);
		ask->edns = true;
		CHECK(base16_decode(span_of_text(word + 7), &w));
		ask->cookie_len = w.len;
	} else if (!strncmp(word, "from=", 5))
		CHECK(address_parse(span_of_text(word + 5), &ask->address));
	else
		fail_msg("%s is no word of a question", word);
}

static inline void ask_parse(const char *text, struct ask *ask)
{
	char words[NAME_TEXT_MAX + 256], *save = NULL;

	*ask = (struct ask){.header = {.id = 0x1234}, .udp_size = 1232};
	ask->question.class = CLASS_IN;
	ask->address = address_of_ipv4((const uint8_t[]){192, 0, 2, 1});
	snprintf(words, sizeof words, "%s", text);
	const char *name = strtok_r(words, " ", &save), *type = strtok_r(NULL, " ", &save);
	if (name_from_text(span_of_text(name), NULL, &ask->question.name, NULL))
		fail_msg("%s is a name", name);
	if (!rrtype_from_text(span_of_text(type), &ask->question.type))
		fail_msg("%s is a type", type);
	for (char *word; (word = strtok_r(NULL, " ", &save));) ask_word(ask, word);
}

/* Writes the question, and one record (may be NULL) into a section of it. */
static inline struct writer ask_write(const struct ask *ask, enum section section,
				      const struct record *extra, uint8_t *octets)
{
	struct message_writer mw;

	message_begin(&mw, octets, MESSAGE_OCTETS_MAX);
	if (!ask->bare) CHECK(message_add_question(&mw, &ask->question));
	if (extra) CHECK(message_add_record(&mw, section, extra));
	if (ask->edns) CHECK(edns_begin(&mw, ask->udp_size, ask->dnssec_ok));
	if (ask->nsid) CHECK(edns_add_option(&mw, EDNS_NSID, (struct span){0}));
	if (ask->cookie_len)
		CHECK(edns_add_option(&mw, EDNS_COOKIE, span_of(ask->cookie, ask->cookie_len)));
	if (ask->keepalive) CHECK(edns_add_option(&mw, EDNS_TCP_KEEPALIVE, (struct span){0}));
	if (ask->version) mw.w.ptr[mw.opt_at + 6] = ask->version;
	message_finish(&mw, &ask->header);
	return mw.w;
}

/* ---- responses ---- */

static inline void print_header(const struct message *message, struct writer *out)
{
	const struct header *header = &message->header;
	struct edns edns;
	struct tsig tsig;
	char text[RCODE_TEXT_MAX];

	CHECK(message_read_meta(message, &edns, &tsig) == RCODE_NOERROR);
	write_text(out, rcode_to_text(edns_rcode(header, &edns), text));
	if (header->aa) write_text(out, " aa");
	if (header->tc) write_text(out, " tc");
	if (header->rd) write_text(out, " rd");
	if (header->ra) write_text(out, " ra");
	if (header->ad) write_text(out, " ad");
	if (header->cd) write_text(out, " cd");
	if (edns.present) write_text(out, " edns");
	if (edns.present && edns.dnssec_ok) write_text(out, " do");
	if (edns.present && edns_has(&edns, EDNS_SLOT_NSID)) {
		write_text(out, " nsid=");
		write_span(out, edns.values[EDNS_SLOT_NSID]);
	}
	if (edns.present && edns_has(&edns, EDNS_SLOT_COOKIE)) {
		write_text(out, " cookie=");
		base16_encode(edns.values[EDNS_SLOT_COOKIE], out);
	}
	if (edns.present && edns_has(&edns, EDNS_SLOT_TCP_KEEPALIVE)) {
		struct reader r = reader_of(edns.values[EDNS_SLOT_TCP_KEEPALIVE]);
		char number[24];
		snprintf(number, sizeof number, " keepalive=%u", read_u16(&r));
		write_text(out, number);
	}
	if (edns.present && edns_has(&edns, EDNS_SLOT_EDE)) {
		struct reader r = reader_of(edns.values[EDNS_SLOT_EDE]);
		char number[16];
		snprintf(number, sizeof number, " ede=%u", read_u16(&r));
		write_text(out, number);
	}
	if (tsig.present) write_text(out, tsig.mac.len ? " tsig" : " unsigned-tsig");
	write_u8(out, '\n');
}

/* The message as text; the test fails when it is malformed. */
static inline const char *response_text(struct world *w, struct span wire)
{
	static const char *const sections[] = {"", "an ", "au ", "ad "};
	static uint8_t data[1 << 20];
	struct writer out = writer_of(w->text, sizeof w->text - 1);
	struct message message;
	struct message_record raw;
	struct record record;

	CHECK(message_parse(wire, &message));
	print_header(&message, &out);
	struct message_cursor cursor = message_cursor_of(&message);
	while (message_next_record(&cursor, &raw)) {
		struct writer rdata = writer_of(data, sizeof data);
		if (raw.type == RRTYPE_OPT || raw.type == RRTYPE_TSIG) continue;
		CHECK(message_expand_record(&message, &raw, &rdata, &record, NULL) == OK);
		write_text(&out, sections[raw.section]);
		size_t line = out.len;
		record_print(&record, &out);
		for (; line < out.len; line++)
			if (out.ptr[line] == '\t') out.ptr[line] = ' ';
	}
	CHECK(message_cursor_is_done(&cursor) && !out.overflow);
	w->text[out.len] = '\0';
	return w->text;
}

/* Hands octets over and checks what holds for every response. "" is silence. */
static inline const char *world_answer(struct world *w, const struct ask *ask, struct span wire)
{
	struct answer_request request = {.wire = wire,
					 .address = ask->address,
					 .transport = ask->transport,
					 .now_unix_s = w->now_unix_s,
					 .turn = w->turn};
	struct writer out = writer_of(w->response, sizeof w->response);
	struct header header;

	directory_reader_begin(w->directory, 0);
	answer(&w->server, &request, &out, &w->result);
	directory_reader_end(w->directory, 0);
	w->wire = writer_span(&out);
	if (w->result.kind != ANSWER_REPLY) {
		CHECK(out.len == 0);
		return w->result.kind == ANSWER_TRANSFER ? "TRANSFER" : "";
	}
	CHECK(header_read(w->wire, &header));
	CHECK(header.qr && header.id == ask->header.id && header.opcode == ask->header.opcode);
	if (ask->transport == TRANSPORT_UDP) {
		size_t max = !ask->edns || ask->udp_size < 512 ? 512 : ask->udp_size;
		if (max > 1232) max = 1232;
		CHECK(out.len <= max || w->result.query.tsig.present);
	}
	return response_text(w, w->wire);
}

static inline const char *world_ask(struct world *w, const char *question)
{
	struct ask ask;

	ask_parse(question, &ask);
	struct writer request = ask_write(&ask, SECTION_QUESTION, NULL, w->request);
	return world_answer(w, &ask, writer_span(&request));
}

/* The response is exactly this: the parts are put together. */
#define CHECK_ANSWER(world, question, expected)                                                    \
	assert_string_equal(world_ask(world, question), expected)

#endif
