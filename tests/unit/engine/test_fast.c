/* SPDX-License-Identifier: Apache-2.0 */
/* The fast path says what the general builder says, and is taken where it ought to be. */
#include "unit.h"

#include "../fuzz/fast_worlds.h"
#include "dns/nsec3.h"
#include "zone/delta.h"

enum { BATCHES = 3000, RANDOM_WORLDS = 60, RANDOM_BATCHES = 60, RANDOM_OWNERS = 60 };

static uint8_t octets[ANSWER_BATCH_MAX][FAST_REQUEST_OCTETS_MAX + ANSWER_SLACK_OCTETS];
static struct answer_request requests[ANSWER_BATCH_MAX];

static void ask_batches(struct fast_world *w, struct fast_dice *dice, unsigned batches)
{
	for (unsigned i = 0; i < batches; i++) {
		enum transport transport = fast_roll(dice, 4) ? TRANSPORT_UDP : TRANSPORT_TCP;
		size_t count = 1 + fast_roll(dice, ANSWER_BATCH_MAX);
		for (size_t k = 0; k < count; k++) {
			size_t len = fast_random_request(dice, w, octets[k]);
			if (fast_roll(dice, 20) == 0) {
				octets[k][fast_roll(dice, (uint32_t)len)] ^=
					(uint8_t)(1 << fast_roll(dice, 8));
				len -= fast_roll(dice, 2);
			}
			requests[k] = (struct answer_request){
				.wire = span_of(octets[k], len),
				.address = address_of_ipv4(
					(const uint8_t[]){192, 0, (uint8_t)fast_roll(dice, 4), 1}),
				.transport = transport,
				.now = 5,
				.now_unix_s = 1700000000,
			};
		}
		fast_world_ask(w, requests, count);
	}
}

TEST(the_fast_path_says_what_the_general_builder_says)
{
	struct fast_world *worlds[] = {fast_world_of_all(), fast_world_of_root()};
	struct fast_dice dice = {.state = 4711};

	for (size_t i = 0; i < ARRAY_COUNT(worlds); i++) {
		ask_batches(worlds[i], &dice, BATCHES);
		CHECK(worlds[i]->fast_count > worlds[i]->general_count / 2);
		fast_world_free(worlds[i]);
	}
}

/* ---- texts at random ---- */

struct text {
	char octets[1 << 18];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void print(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len =
		vsnprintf(text->octets + text->len, sizeof text->octets - text->len, format, args);
	va_end(args);
	CHECK(len >= 0 && (size_t)len < sizeof text->octets - text->len);
	text->len += (size_t)len;
}

/* One to four labels out of few, so that names end alike, with letters of either case. */
static const char *random_owner(struct fast_dice *dice, char text[static 64])
{
	static const char *const labels[] = {"a", "b", "Cc", "ns", "A"};
	unsigned count = 1 + fast_roll(dice, 4);

	text[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		if (i > 0) strcat(text, ".");
		strcat(text, fast_roll(dice, i == 0 ? 6 : 12) == 0
				     ? "*"
				     : labels[fast_roll(dice, ARRAY_COUNT(labels))]);
	}
	return text;
}

static const char *random_target(struct fast_dice *dice, const char *owner, char text[static 160])
{
	char other[64];

	switch (fast_roll(dice, 6)) {
	case 0: snprintf(text, 160, "ns.elsewhere.test."); break;
	case 1: snprintf(text, 160, "%s", owner); break;
	case 2: snprintf(text, 160, "%s.%s", random_owner(dice, other), owner); break;
	case 3: snprintf(text, 160, "@"); break;
	default: random_owner(dice, text); break;
	}
	return text;
}

/* What an owner is to the chain that proves what is not there. */
struct owner {
	char text[64];
	struct name_buffer name;
	bool is_cut, has_ds;
};

static void random_records(struct fast_dice *dice, struct text *text, struct owner *told)
{
	const char *owner = told->text;
	char target[160];
	unsigned kind = fast_roll(dice, 10), count = 1 + fast_roll(dice, 5);

	for (unsigned i = 0; i < count; i++) switch (kind) {
		case 0:
		case 1: print(text, "%s NS %s\n", owner, random_target(dice, owner, target)); break;
		case 2:
			print(text, "%s MX %u %s\n", owner, i, random_target(dice, owner, target));
			break;
		case 3: print(text, "%s TXT \"%u\"\n", owner, i); break;
		case 4:
			print(text, "%s PTR %s\n", owner, random_target(dice, owner, target));
			break;
		case 5:
			if (i == 0)
				print(text, "%s CNAME %s\n", owner,
				      random_target(dice, owner, target));
			return;
		default:
			print(text, "%s A 192.0.2.%u\n", owner, i);
			if (kind > 7) print(text, "%s AAAA 2001:db8::%u\n", owner, i);
		}
	told->is_cut = kind <= 1;
	told->has_ds = kind == 0;
	if (kind == 0) print(text, "%s DS 1 13 2 %064u\n", owner, count);
}

/* ---- signed zones at random ---- */

struct chain {
	size_t count;
	struct name_buffer names[8 * RANDOM_OWNERS];
};

static void chain_add(struct chain *chain, struct name name)
{
	size_t at = chain->count;

	for (size_t i = 0; i < chain->count; i++)
		if (name_equal(name_of(&chain->names[i]), name)) return;
	CHECK(chain->count < ARRAY_COUNT(chain->names));
	chain->count++;
	for (; at > 0 && name_compare(name, name_of(&chain->names[at - 1])) < 0; at--)
		chain->names[at] = chain->names[at - 1];
	name_copy(&chain->names[at], name);
}

static bool is_occluded(const struct owner *owners, size_t count, const struct owner *owner)
{
	for (size_t i = 0; i < count; i++)
		if (&owners[i] != owner && owners[i].is_cut &&
		    name_is_below(name_of(&owner->name), name_of(&owners[i].name)))
			return true;
	return false;
}

static void print_nsec(struct fast_dice *dice, struct text *text, struct name apex,
		       const struct owner *owners, size_t count)
{
	static struct chain chain;
	char owner[NAME_TEXT_MAX], next[NAME_TEXT_MAX];
	bool is_damaged = fast_roll(dice, 4) == 0;

	chain.count = 0;
	chain_add(&chain, apex);
	for (size_t i = 0; i < count; i++)
		if (!is_occluded(owners, count, &owners[i]))
			chain_add(&chain, name_of(&owners[i].name));
	for (size_t i = 0; i < chain.count; i++) {
		if (is_damaged && i > 0 && fast_roll(dice, 10) == 0) continue;
		name_to_text(name_of(&chain.names[i]), owner);
		name_to_text(name_of(&chain.names[(i + 1) % chain.count]), next);
		print(text, "%s 60 NSEC %s A\n", owner, next);
		if (fast_roll(dice, 20)) print(text, "%s 60" FAST_RRSIG("NSEC", "@"), owner);
	}
}

struct hashing {
	const char *salt; /* in text: pairs of digits, or none */
	uint8_t salt_octets[10];
	size_t salt_len;
	uint16_t iterations;
	bool opt_out, is_used, is_damaged;
};

static void chain_hash(struct chain *chain, struct name apex, const struct owner *owners,
		       size_t count, const struct hashing *h)
{
	/* Too many are refused, whatever their chain says. */
	struct nsec3_params params = {
		.algorithm = NSEC3_SHA1,
		.iterations = h->iterations > NSEC3_ITERATIONS_MAX ? 0 : h->iterations,
		.salt = span_of(h->salt_octets, h->salt_len)};
	static struct chain plain;
	struct crypto *crypto = crypto_new(NULL);

	plain.count = chain->count = 0;
	chain_add(&plain, apex);
	for (size_t i = 0; i < count; i++) {
		struct name name = name_of(&owners[i].name);
		if (is_occluded(owners, count, &owners[i])) continue;
		if (h->opt_out && owners[i].is_cut && !owners[i].has_ds) continue;
		for (; name.len > apex.len; name = name_parent(name)) chain_add(&plain, name);
	}
	for (size_t i = 0; i < plain.count; i++) {
		uint8_t hash[NSEC3_HASH_OCTETS];
		struct name_buffer name;
		CHECK(nsec3_hash(crypto, &params, name_of(&plain.names[i]), hash));
		CHECK(nsec3_owner(hash, apex, &name));
		chain_add(chain, name_of(&name));
	}
	crypto_free(crypto);
}

static void print_nsec3(struct fast_dice *dice, struct text *text, struct name apex,
			const struct owner *owners, size_t count, const struct hashing *h)
{
	static struct chain chain;
	char owner[NAME_TEXT_MAX], next[NAME_TEXT_MAX];

	chain_hash(&chain, apex, owners, count, h);
	if (h->is_used) print(text, "@ NSEC3PARAM 1 0 %u %s\n", h->iterations, h->salt);
	for (size_t i = 0; i < chain.count; i++) {
		if (h->is_damaged && fast_roll(dice, 10) == 0) continue;
		name_to_text(name_of(&chain.names[i]), owner);
		name_to_text(name_of(&chain.names[(i + 1) % chain.count]), next);
		next[NSEC3_LABEL_OCTETS] = '\0';
		print(text, "%s 60 NSEC3 1 %u %u %s %s A\n", owner, h->opt_out, h->iterations,
		      h->salt, next);
		if (fast_roll(dice, 20)) print(text, "%s 60" FAST_RRSIG("NSEC3", "@"), owner);
	}
}

static struct hashing random_hashing(struct fast_dice *dice, bool is_used)
{
	static const struct hashing salts[] = {
		{"-", {0}, 0},
		{"aabb", {0xaa, 0xbb}, 2},
		{"00112233445566778899",
		 {0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99},
		 10}};
	static const uint16_t iterations[] = {0, 0, 0, 1, 10, 50, NSEC3_ITERATIONS_MAX + 1};
	struct hashing h = salts[fast_roll(dice, ARRAY_COUNT(salts))];

	h.iterations = iterations[fast_roll(dice, ARRAY_COUNT(iterations))];
	h.opt_out = fast_roll(dice, 2);
	h.is_damaged = fast_roll(dice, 4) == 0;
	h.is_used = is_used;
	return h;
}

static void random_sign(struct fast_dice *dice, struct text *text, struct name apex,
			const struct owner *owners, size_t count)
{
	unsigned kind = fast_roll(dice, 8);

	if (kind == 0) return;
	print(text, "@" FAST_RRSIG("SOA", "@") "@" FAST_RRSIG("NS", "@"));
	for (size_t i = 0; i < count; i++) {
		if (fast_roll(dice, 2)) print(text, "%s" FAST_RRSIG("A", "@"), owners[i].text);
		if (owners[i].has_ds) print(text, "%s" FAST_RRSIG("DS", "@"), owners[i].text);
	}
	if (kind <= 3) print_nsec(dice, text, apex, owners, count);
	if (kind <= 3) return;
	struct hashing hashing = random_hashing(dice, true);
	print_nsec3(dice, text, apex, owners, count, &hashing);
	if (kind < 7) return;
	/* While parameters change there is a chain of others. */
	hashing = random_hashing(dice, fast_roll(dice, 2));
	print_nsec3(dice, text, apex, owners, count, &hashing);
}

/* ---- random zones ---- */

static const char *random_zone(struct fast_dice *dice, struct fast_world *w, const char *origin)
{
	static struct text text;
	static struct owner owners[RANDOM_OWNERS];
	struct name apex = fast_world_name(w, origin);
	size_t count = 0;

	text.len = 0;
	print(&text, "@ SOA %s %s 1 1 1 1 %u\n@ NS ns\n@ NS ns.elsewhere.test.\n",
	      random_target(dice, "a", (char[160]){0}), random_target(dice, "b", (char[160]){0}),
	      fast_roll(dice, 2) ? 60 : 86400);
	for (unsigned i = 0; i < RANDOM_OWNERS; i++) {
		struct owner *owner = &owners[count];
		bool is_new = true;
		random_owner(dice, owner->text);
		CHECK(name_from_text(span_of_text(owner->text), &apex, &owner->name, NULL) == OK);
		for (size_t k = 0; k < count; k++)
			if (!strcasecmp(owner->text, owners[k].text)) is_new = false;
		if (!is_new) continue;
		owner->is_cut = owner->has_ds = false;
		random_records(dice, &text, owner);
		count++;
	}
	random_sign(dice, &text, apex, owners, count);
	return text.octets;
}

static struct fast_world *random_world(struct fast_dice *dice)
{
	static const char *const origins[] = {"z.", ".", "a.z."};
	struct fast_world *w = fast_world_new();

	for (unsigned zone = 0; zone < ARRAY_COUNT(origins); zone++)
		if (fast_roll(dice, 2))
			fast_world_add(w, origins[zone], random_zone(dice, w, origins[zone]));
	if (w->name_count == 0) fast_world_add(w, "z.", fast_zone_unsigned);
	return w;
}

TEST(zones_at_random_are_answered_alike)
{
	struct fast_dice dice = {.state = 20261122};
	uint64_t fast = 0, general = 0;

	for (unsigned i = 0; i < RANDOM_WORLDS; i++) {
		struct fast_world *w = random_world(&dice);
		ask_batches(w, &dice, RANDOM_BATCHES);
		CHECK(w->fast_count > 0);
		fast += w->fast_count;
		general += w->general_count;
		fast_world_free(w);
	}
	CHECK(fast > general / 2);
}

/* ---- layers ---- */

/* What makes a zone too large to be written whole at each change. */
static const char filler[] = "$GENERATE 1-4000 filler$ TXT \"some octets and some more of them\"\n";

static void zone_parse(struct fast_world *w, const char *zone, const char *origin,
		       struct records *out)
{
	struct diagnostics diagnostics = {.arena = w->arena};
	struct zone_text_parser parser = {.origin = fast_world_name(w, origin),
					  .default_ttl = 3600,
					  .has_default_ttl = true,
					  .sink = fast_world_sink,
					  .context = out,
					  .arena = w->arena,
					  .diagnostics = &diagnostics};
	char *copy = arena_alloc(w->arena, strlen(zone) + sizeof filler);

	strcpy(copy, zone);
	strcat(copy, filler);
	records_init(out, w->arena);
	CHECK(zone_text_parse(&parser, "layer", span_of_text(copy)) == OK);
	CHECK(records_sort(out, NULL) == OK);
}

TEST(layers_are_answered_alike)
{
	struct fast_dice dice = {.state = 1511};

	for (unsigned i = 0; i < 8; i++) {
		struct fast_world *w = fast_world_new();
		struct records before, after;
		struct change change = {0};
		struct view_update update;
		struct publication *zone = fast_world_add(w, "z.", NULL);
		struct zone_digest digest = {0};
		zone_parse(w, random_zone(&dice, w, "z."), "z.", &before);
		zone_parse(w, random_zone(&dice, w, "z."), "z.", &after);
		size_t size = image_size(&before, zone->name);
		struct writer out = writer_of(arena_alloc(w->arena, size), size);
		CHECK(image_build(&before, zone->name, 42, &digest, &out, NULL) == OK);
		struct span layers[2] = {[1] = writer_span(&out)};
		CHECK(view_open(&layers[1], 1, &zone->view, NULL) == OK);
		CHECK(change_between(&before, &after, w->arena, &change, NULL) == OK);
		CHECK(zone_digest_of(&after, w->server.crypto, &change.digest_after));
		CHECK(view_apply(&zone->view, &change, 0, w->arena, &update, NULL) == OK);
		CHECK(update.stay == 1);
		layers[0] = update.octets;
		CHECK(view_open(layers, 2, &zone->view, NULL) == OK);
		const struct records *sets[] = {&before, &after};
		for (size_t k = 0; k < ARRAY_COUNT(sets); k++)
			for (size_t n = 0; n < sets[k]->count; n++) {
				struct name owner = records_get(sets[k], n).owner;
				if (owner.wire[0] < 6) w->names[w->name_count++] = owner;
			}
		ask_batches(w, &dice, RANDOM_BATCHES);
		CHECK(w->fast_count > 0);
		fast_world_free(w);
	}
}

/* ---- what ought to be fast ---- */

struct expectation {
	const char *name;
	uint16_t type;
	bool dnssec_ok;
};

enum ask { ASK_PLAIN, ASK_EDNS, ASK_COOKIE };

static bool is_fast(struct fast_world *w, const struct expectation *e, enum ask ask,
		    enum transport transport)
{
	static const uint8_t cookie[COOKIE_CLIENT_OCTETS] = {1, 2, 3};
	struct question question = {.type = e->type, .class = CLASS_IN};
	const struct header header = {.id = 1, .rd = true};
	struct message_writer mw;

	CHECK(name_from_text(span_of_text(e->name), NULL, &question.name, NULL) == OK);
	message_begin(&mw, octets[0], FAST_REQUEST_OCTETS_MAX);
	CHECK(message_add_question(&mw, &question));
	if (ask != ASK_PLAIN) CHECK(edns_begin(&mw, UDP_OCTETS_MAX, e->dnssec_ok));
	if (ask == ASK_COOKIE) {
		CHECK(edns_add_option(&mw, EDNS_COOKIE, span_of(cookie, sizeof cookie)));
		CHECK(edns_add_option(&mw, EDNS_NSID, (struct span){0}));
	}
	requests[0] = (struct answer_request){
		.wire = message_finish(&mw, &header),
		.address = address_of_ipv4((const uint8_t[]){192, 0, 2, 1}),
		.transport = transport,
	};
	return fast_world_ask(w, requests, 1) == 1;
}

/* Otherwise all could go to the general builder, and nobody would see it. */
static void check_fast(struct fast_world *w, const struct expectation *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool fast = is_fast(w, &list[i], ASK_EDNS, TRANSPORT_UDP) &&
			    is_fast(w, &list[i], ASK_EDNS, TRANSPORT_TCP) &&
			    is_fast(w, &list[i], ASK_COOKIE, TRANSPORT_UDP) &&
			    (list[i].dnssec_ok || is_fast(w, &list[i], ASK_PLAIN, TRANSPORT_UDP));
		if (!fast) fail_msg("%s %u is not answered fast", list[i].name, list[i].type);
	}
}

TEST(ordinary_questions_are_answered_fast)
{
	static const struct expectation in_all[] = {
		{"www.example.", RRTYPE_A, false},      {"WWW.eXample.", RRTYPE_AAAA, true},
		{"example.", RRTYPE_TXT, false},        {"www.example.", RRTYPE_TXT, false},
		{"nothing.example.", RRTYPE_A, false},  {"below.www.example.", RRTYPE_A, true},
		{"x.wild.example.", RRTYPE_TXT, false}, {"x.y.wild.example.", RRTYPE_A, false},
		{"www.few.test.", RRTYPE_CNAME, false}, {"ns.few.test.", RRTYPE_A, false},
		{"www.signed.", RRTYPE_A, false},       {"ns1.signed.", RRTYPE_A, true},
		{"nothing.hashed.", RRTYPE_A, false},   {"sec.hashed.", RRTYPE_DS, true},
		{"b.signed.", RRTYPE_A, true},          {"bb.signed.", RRTYPE_A, true},
		{"x.cut.signed.", RRTYPE_A, true},      {"x.wild.signed.", RRTYPE_A, true},
		{"x.wild.signed.", RRTYPE_MX, true},
	};
	static const struct expectation with_names[] = {
		{"example.", RRTYPE_NS, false},         {"example.", RRTYPE_MX, true},
		{"example.", RRTYPE_SOA, false},        {"a.b.cut.example.", RRTYPE_A, false},
		{"lone.example.", RRTYPE_NS, true},     {"sibling.example.", RRTYPE_A, true},
		{"signedcut.example.", RRTYPE_A, true}, {"x.wild.example.", RRTYPE_MX, false},
		{"ptr.example.", RRTYPE_PTR, false},    {"mx.signed.", RRTYPE_MX, true},
		{"x.sec.signed.", RRTYPE_A, true},
	};
	static const struct expectation in_root[] = {
		{"example.com.", RRTYPE_A, true}, {"www.example.net.", RRTYPE_AAAA, false},
		{"uk.", RRTYPE_NS, true},         {"org.", RRTYPE_A, false},
		{".", RRTYPE_NS, false},          {".", RRTYPE_A, false},
	};
	struct fast_world *all = fast_world_of_all(), *root = fast_world_of_root();

	check_fast(all, in_all, ARRAY_COUNT(in_all));
	check_fast(all, with_names, ARRAY_COUNT(with_names));
	check_fast(root, in_root, ARRAY_COUNT(in_root));
	fast_world_free(all);
	fast_world_free(root);
}

TEST(what_hashes_prove_is_answered_fast)
{
	static const struct expectation questions[] = {
		{"nothing.h.", RRTYPE_A, true},   {"a.b.c.nothing.h.", RRTYPE_A, true},
		{"www.h.", RRTYPE_MX, true},      {"x.cut.h.", RRTYPE_A, true},
		{"cut.h.", RRTYPE_DS, true},      {"deep.h.", RRTYPE_A, true},
		{"x.wild.h.", RRTYPE_AAAA, true}, {"x.wild.h.", RRTYPE_A, true},
		{"h.", RRTYPE_CAA, true},
	};
	struct owner owners[] = {{.text = "www"},
				 {.text = "cut", .is_cut = true},
				 {.text = "nodes.deep"},
				 {.text = "*.wild"}};
	static struct text text;

	for (unsigned i = 0; i < 6; i++) {
		struct fast_dice dice = {.state = 1 + i};
		struct hashing hashing = random_hashing(&dice, true);
		struct fast_world *w = fast_world_new();
		struct name apex = fast_world_name(w, "h.");
		hashing.iterations = (uint16_t)(i * 10);
		hashing.opt_out = i & 1;
		hashing.is_damaged = false;
		text.len = 0;
		print(&text, "@ SOA ns admin 1 1 1 1 60\n@ NS ns.elsewhere.test.\nwww A 192.0.2.1\n"
			     "cut NS ns.cut\nns.cut A 192.0.2.2\nnodes.deep A 192.0.2.3\n"
			     "*.wild A 192.0.2.4\n");
		for (size_t k = 0; k < ARRAY_COUNT(owners); k++)
			CHECK(name_from_text(span_of_text(owners[k].text), &apex, &owners[k].name,
					     NULL) == OK);
		print_nsec3(&dice, &text, apex, owners, ARRAY_COUNT(owners), &hashing);
		fast_world_add(w, "h.", text.octets);
		check_fast(w, questions, ARRAY_COUNT(questions));
		fast_world_free(w);
	}
}

TEST(every_kernel_folds_alike)
{
	uint8_t from[FOLD_BLOCK_OCTETS], plain[FOLD_BLOCK_OCTETS], best[FOLD_BLOCK_OCTETS];

	for (unsigned octet = 0; octet < 256; octet++)
		for (unsigned at = 0; at < sizeof from; at++) {
			for (unsigned i = 0; i < sizeof from; i++)
				from[i] = (uint8_t)(i == at ? octet : octet * 31 + i * 7);
			fold_block_plain(from, plain);
			fold_block(from, best);
			CHECK(memcmp(plain, best, sizeof plain) == 0);
			for (unsigned i = 0; i < sizeof from; i++) {
				uint8_t c = from[i];
				CHECK(plain[i] == (c >= 'A' && c <= 'Z' ? c | 0x20 : c));
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fast_path_says_what_the_general_builder_says),
		cmocka_unit_test(zones_at_random_are_answered_alike),
		cmocka_unit_test(layers_are_answered_alike),
		cmocka_unit_test(ordinary_questions_are_answered_fast),
		cmocka_unit_test(what_hashes_prove_is_answered_fast),
		cmocka_unit_test(every_kernel_folds_alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
