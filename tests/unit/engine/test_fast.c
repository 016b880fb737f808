/* SPDX-License-Identifier: Apache-2.0 */
/* The fast path says what the general builder says, and is taken where it ought to be. */
#include "unit.h"

#include "../fuzz/fast_worlds.h"

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

/* ---- random zones ---- */

struct text {
	char octets[1 << 16];
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
		strcat(text, i == 0 && fast_roll(dice, 6) == 0
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

static void random_records(struct fast_dice *dice, struct text *text, const char *owner)
{
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
	if (kind == 0) print(text, "%s DS 1 13 2 %064u\n", owner, count);
}

static struct fast_world *random_world(struct fast_dice *dice)
{
	static struct text text;
	static char owners[RANDOM_OWNERS][64];
	struct fast_world *w = fast_world_new();
	static const char *const origins[] = {"z.", ".", "a.z."};

	for (unsigned zone = 0; zone < ARRAY_COUNT(origins); zone++) {
		if (fast_roll(dice, 2)) continue;
		text.len = 0;
		print(&text, "@ SOA %s %s 1 1 1 1 60\n@ NS ns\n@ NS ns.elsewhere.test.\n",
		      random_target(dice, "a", (char[160]){0}),
		      random_target(dice, "b", (char[160]){0}));
		for (unsigned i = 0; i < RANDOM_OWNERS; i++) {
			bool is_new = true;
			random_owner(dice, owners[i]);
			for (unsigned k = 0; k < i; k++)
				if (!strcasecmp(owners[i], owners[k])) is_new = false;
			if (is_new) random_records(dice, &text, owners[i]);
		}
		fast_world_add(w, origins[zone], text.octets);
	}
	if (w->name_count == 0) fast_world_add(w, "z.", fast_zone_unsigned);
	return w;
}

TEST(zones_at_random_are_answered_alike)
{
	struct fast_dice dice = {.state = 20261122};

	for (unsigned i = 0; i < RANDOM_WORLDS; i++) {
		struct fast_world *w = random_world(&dice);
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

static bool is_fast(struct fast_world *w, const struct expectation *e, bool edns,
		    enum transport transport)
{
	struct question question = {.type = e->type, .class = CLASS_IN};
	const struct header header = {.id = 1, .rd = true};
	struct message_writer mw;

	CHECK(name_from_text(span_of_text(e->name), NULL, &question.name, NULL) == OK);
	message_begin(&mw, octets[0], FAST_REQUEST_OCTETS_MAX);
	CHECK(message_add_question(&mw, &question));
	if (edns) CHECK(edns_begin(&mw, UDP_OCTETS_MAX, e->dnssec_ok));
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
		bool fast = is_fast(w, &list[i], true, TRANSPORT_UDP) &&
			    is_fast(w, &list[i], true, TRANSPORT_TCP) &&
			    (list[i].dnssec_ok || is_fast(w, &list[i], false, TRANSPORT_UDP));
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
		cmocka_unit_test(ordinary_questions_are_answered_fast),
		cmocka_unit_test(every_kernel_folds_alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
