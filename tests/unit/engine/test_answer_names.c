/* SPDX-License-Identifier: Apache-2.0 */
/* Where names point in an answer: decision 0013, rule by rule and against a plain search. */
#include "answer_fixture.h"
#include "answer_names_check.h"

enum { ROUNDS = 200, QUESTIONS = 100, NAMES_MAX = 12 };

static struct world world;
static struct names_check names_check;

static int setup(void **state)
{
	(void)state;
	world_open(&world);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

/* The response's octets behind its question. */
static void check_tail(const char *question, const void *expected, size_t len)
{
	world_ask(&world, question);
	size_t at = HEADER_OCTETS + world.result.query.message.question.name.len + 4u;
	CHECK(world.wire.len - at == len);
	assert_memory_equal(world.wire.ptr + at, expected, len);
}

#define CHECK_TAIL(question, octets) check_tail(question, octets, sizeof(octets) - 1)

/* Type, class and a TTL of 3600. */
#define FIXED(type) "\0" type "\0\1\0\0\16\20"
#define IN_A        FIXED("\1")
#define IN_NS       FIXED("\2")
#define IN_CNAME    FIXED("\5")
#define IN_MX       FIXED("\17")
#define SOA_TEXT    "@ 3600 SOA n a 1 1 1 1 60\n@ NS n\n"

TEST(decision_0013_1_owners_above_the_question_point_into_it)
{
	world_publish(&world, "example.", SOA_TEXT "cut NS ns.cut\nns.cut A 192.0.2.1\n");
	/* "cut" at 14, "ns" at 43. */
	CHECK_TAIL("x.cut.example. A", "\300\16" IN_NS "\0\5\2ns\300\16"
				       "\300\53" IN_A "\0\4\300\0\2\1");
}

TEST(decision_0013_1_the_root_is_one_octet)
{
	world_publish(&world, ".", "@ 3600 SOA a. b. 1 1 1 1 60\n@ NS a.\na A 192.0.2.1\n");
	/* The target at 28. */
	CHECK_TAIL(". NS", "\0" IN_NS "\0\3\1a\0"
			   "\300\34" IN_A "\0\4\300\0\2\1");
}

TEST(decision_0013_2_other_owners_point_at_the_first_place_also_inside_a_name)
{
	world_publish(&world, "example.", SOA_TEXT "w CNAME a.b.other.\n");
	world_publish(&world, "other.", SOA_TEXT "a.b CNAME b\nb CNAME z.\n");
	/* "a" at 39, "b" at 41; the second target is written in full, and not the first. */
	CHECK_TAIL("w.example. A", "\300\14" IN_CNAME "\0\13\1a\1b\5other\0"
				   "\300\47" IN_CNAME "\0\11\1b\5other\0"
				   "\300\51" IN_CNAME "\0\3\1z\0");
}

TEST(decision_0013_3_a_new_owner_is_written_up_to_the_end_of_the_question)
{
	world_publish(&world, "example.", SOA_TEXT "s SRV 1 2 3 host\nhost A 192.0.2.1\n");
	/* No type of RFC 1035: what stands in SRV cannot be pointed at. */
	CHECK_TAIL("s.example. SRV", "\300\14" FIXED("\41") "\0\24\0\1\0\2\0\3\4host\7example\0"
							    "\4host\300\16" IN_A "\0\4\300\0\2\1");
}

TEST(decision_0013_4_names_in_rdata_point_at_the_question_or_into_their_rrset)
{
	world_publish(&world, "example.",
		      SOA_TEXT "m MX 1 a.mail.m\nm MX 2 b.mail.m\nm MX 3 mail.m\nm MX 4 m\n"
			       "m MX 5 x.test.\nm MX 6 y.TEST.\n");
	/* "mail" at 43; "test" at 116. */
	CHECK_TAIL("m.example. MX", "\300\14" IN_MX "\0\13\0\1\1a\4mail\300\14"
				    "\300\14" IN_MX "\0\6\0\2\1b\300\53"
				    "\300\14" IN_MX "\0\4\0\3\300\53"
				    "\300\14" IN_MX "\0\4\0\4\300\14"
				    "\300\14" IN_MX "\0\12\0\5\1x\4test\0"
				    "\300\14" IN_MX "\0\6\0\6\1y\300\164");
}

TEST(decision_0013_4_what_the_owner_does_not_share_is_not_pointed_at)
{
	world_publish(&world, "example.", SOA_TEXT "*.w MX 1 x.w\nmail MX 1 a.b\n");
	/* Also "x.w" of the question is no end of "w", the wildcard's encloser. */
	CHECK_TAIL("x.w.example. MX", "\300\14" IN_MX "\0\6\0\1\1x\300\16");
	CHECK_TAIL("*.w.example. MX", "\300\14" IN_MX "\0\6\0\1\1x\300\16");
}

TEST(decision_0013_letters_of_either_case_are_the_same)
{
	world_publish(&world, "example.", SOA_TEXT "m MX 1 A.Mail.M\nm MX 2 b.mAIL.m.EXAMPLE.\n");
	CHECK_TAIL("M.eXample. MX", "\300\14" IN_MX "\0\13\0\1\1A\4Mail\300\14"
				    "\300\14" IN_MX "\0\6\0\2\1b\300\53");
}

/* ---- against a plain search ---- */

static uint32_t seed;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static const char *random_name(char text[64])
{
	static const char *const tops[] = {"z.", "a.z.", "B.z.", "y."};
	static const char *const labels[] = {"a.", "B.", "cc.", "b."};

	text[0] = '\0';
	for (unsigned n = random_below(4); n > 0; n--) strcat(text, labels[random_below(4)]);
	return strcat(text, tops[random_below(ARRAY_COUNT(tops))]);
}

static const char *random_zone(char *text, size_t size)
{
	static const char *const forms[] = {"NS %s",  "MX 1 %s", "MX 2 %s",
					    "PTR %s", "PTR %s",  "A 192.0.2.1%.0s"};
	size_t at = (size_t)snprintf(text, size, "@ 3600 SOA a.b.z. b.z. 1 1 1 1 60\n@ NS a\n");

	for (unsigned n = 5 + random_below(40); n > 0; n--) {
		char target[64];
		at += (size_t)snprintf(text + at, size - at, "%s%s ",
				       (const char *[]){"a", "b", "a.b", "cc.a"}[random_below(4)],
				       (const char *[]){"", ".cc"}[random_below(2)]);
		at += (size_t)snprintf(text + at, size - at, forms[random_below(6)],
				       random_name(target));
		at += (size_t)snprintf(text + at, size - at, "\n");
	}
	snprintf(text + at, size - at, "al CNAME a.y.\nal.cc CNAME b.cc.z.\n");
	return text;
}

TEST(decision_0013_names_of_random_answers_point_where_a_plain_search_says)
{
	static const char *const types[] = {"A", "NS", "MX", "PTR", "ANY", "TXT"};
	char text[16384], question[128], name[64];

	for (unsigned round = 1; round <= ROUNDS; round++) {
		seed = round;
		world_close(&world);
		world_open(&world);
		world_publish(&world, "z.", random_zone(text, sizeof text));
		world_publish(&world, "y.", random_zone(text, sizeof text));
		for (unsigned i = 0; i < QUESTIONS; i++) {
			struct message message;
			random_name(name);
			if (random_below(8) == 0)
				strcpy(name, random_below(2) ? "al.z." : "Al.cC.y.");
			snprintf(question, sizeof question, "%s %s%s", name,
				 types[random_below(ARRAY_COUNT(types))],
				 random_below(2) ? " tcp" : "");
			world_ask(&world, question);
			CHECK(message_parse(world.wire, &message));
			check_names(&message, &names_check);
		}
	}
}

/* More than 16384 octets, of which the last can only be written in full. */
TEST(decision_0013_what_lies_behind_octet_16383_is_not_pointed_at)
{
	static char text[1 << 20];
	size_t at = (size_t)snprintf(text, sizeof text, SOA_TEXT);
	struct message message;

	for (unsigned i = 0; i < 900; i++)
		at += (size_t)snprintf(text + at, sizeof text - at,
				       "p PTR h.n%u.test.\np PTR n%u.test.\n", i, i);
	world_publish(&world, "example.", text);
	world_ask(&world, "p.example. PTR tcp");
	CHECK(world.wire.len > COMPRESSION_OFFSET_MAX + 1000 && !world.result.truncated);
	CHECK(message_parse(world.wire, &message));
	check_names(&message, &names_check);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		EACH(decision_0013_1_owners_above_the_question_point_into_it),
		EACH(decision_0013_1_the_root_is_one_octet),
		EACH(decision_0013_2_other_owners_point_at_the_first_place_also_inside_a_name),
		EACH(decision_0013_3_a_new_owner_is_written_up_to_the_end_of_the_question),
		EACH(decision_0013_4_names_in_rdata_point_at_the_question_or_into_their_rrset),
		EACH(decision_0013_4_what_the_owner_does_not_share_is_not_pointed_at),
		EACH(decision_0013_letters_of_either_case_are_the_same),
		EACH(decision_0013_names_of_random_answers_point_where_a_plain_search_says),
		EACH(decision_0013_what_lies_behind_octet_16383_is_not_pointed_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
