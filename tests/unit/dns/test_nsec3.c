/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "crypto/crypto.h"
#include "dns/nsec3.h"

static struct crypto *crypto;

static int setup(void **state)
{
	(void)state;
	CHECK((crypto = crypto_new(NULL)) != NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	crypto_free(crypto);
	return 0;
}

static struct name_buffer name_text(const char *text)
{
	struct name_buffer name;

	CHECK(name_from_text(span_of_text(text), NULL, &name, NULL) == OK);
	return name;
}

static void check_owner(const struct nsec3_params *params, const char *name, const char *expected)
{
	struct name_buffer of = name_text(name), apex = name_text("example."), owner;
	uint8_t hash[NSEC3_HASH_OCTETS], back[NSEC3_HASH_OCTETS];
	char text[NAME_TEXT_MAX];

	CHECK(nsec3_hash(crypto, params, name_of(&of), hash));
	CHECK(nsec3_owner(hash, name_of(&apex), &owner));
	assert_string_equal(name_to_text(name_of(&owner), text), expected);
	CHECK(nsec3_owner_hash(name_of(&owner), back));
	assert_memory_equal(hash, back, sizeof hash);
}

TEST(rfc5155_appendix_a_hashes_of_the_example_zone)
{
	const struct nsec3_params params = {
		NSEC3_SHA1, 1, 12, {(const uint8_t *)"\xaa\xbb\xcc\xdd", 4}};

	check_owner(&params, "example.", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.");
	check_owner(&params, "a.example.", "35mthgpgcu1qg68fab165klnsnk3dpvl.example.");
	check_owner(&params, "ns1.EXAMPLE.", "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example.");
	check_owner(&params, "*.w.example.", "r53bq7cc2uvmubfu5ocmm6pers9tk9en.example.");
	check_owner(&params, "xx.example.", "t644ebqk9bibcna874givr6joj62mlhv.example.");
}

TEST(rfc9276_3_1_no_salt_and_no_iterations)
{
	const struct nsec3_params params = {.algorithm = NSEC3_SHA1};

	check_owner(&params, "example.", "3msev9usmd4br9s97v51r2tdvmr9iqo1.example.");
}

TEST(b4_the_longest_name_salt_and_iterations_are_hashed)
{
	uint8_t salt[255] = {0}, hash[NSEC3_HASH_OCTETS];
	struct name_buffer name = {.len = NAME_OCTETS_MAX};
	const struct nsec3_params params = {NSEC3_SHA1, 0, NSEC3_ITERATIONS_MAX,
					    span_of(salt, sizeof salt)};

	for (unsigned i = 0; i + 1 < NAME_OCTETS_MAX; i += 2)
		name.wire[i] = 1, name.wire[i + 1] = 'a';
	name.wire[NAME_OCTETS_MAX - 1] = 0;
	CHECK(nsec3_hash(crypto, &params, name_of(&name), hash));
}

TEST(b4_an_apex_of_223_octets_leaves_no_room_for_a_hash)
{
	uint8_t hash[NSEC3_HASH_OCTETS] = {0};
	struct name_buffer apex = {.len = 223}, owner;

	memset(apex.wire, 1, sizeof apex.wire);
	CHECK(!nsec3_owner(hash, name_of(&apex), &owner));
	apex.len = 222;
	CHECK(nsec3_owner(hash, name_of(&apex), &owner) && owner.len == NAME_OCTETS_MAX);
}

TEST(b4_what_is_no_hash_is_no_owner)
{
	uint8_t hash[NSEC3_HASH_OCTETS];
	struct name_buffer name = name_text("0p9mhaveqvm6t7vbl5lop2u3t2rp3to.example.");

	CHECK(!nsec3_owner_hash(name_of(&name), hash)); /* 31 */
	name = name_text("0p9mhaveqvm6t7vbl5lop2u3t2rp3tox.example.");
	CHECK(!nsec3_owner_hash(name_of(&name), hash)); /* x */
	name = name_text(".");
	CHECK(!nsec3_owner_hash(name_of(&name), hash));
	name = name_text("0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM.");
	CHECK(nsec3_owner_hash(name_of(&name), hash));
}

TEST(rfc5155_3_2_and_4_2_fields_are_read_and_what_is_cut_off_is_not)
{
	static const uint8_t octets[] = "\1\1\0\14\4\xaa\xbb\xcc\xdd\3xyz\0\1\2";
	struct nsec3 nsec3;
	struct nsec3_params params;

	CHECK(nsec3_params_read(span_of(octets, 9), &params));
	CHECK(params.algorithm == 1 && params.flags == 1 && params.iterations == 12);
	CHECK(params.salt.len == 4 && !nsec3_params_read(span_of(octets, 8), &params));
	CHECK(nsec3_read(span_of(octets, sizeof octets - 1), &nsec3));
	CHECK(span_is_text(nsec3.next, "xyz") && !nsec3_read(span_of(octets, 12), &nsec3));
	params.flags = 0;
	CHECK(nsec3_params_read(span_of(octets, 9), &params));
	CHECK(nsec3_params_equal(&params, &nsec3.params));
	params.iterations = 11;
	CHECK(!nsec3_params_equal(&params, &nsec3.params));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc5155_appendix_a_hashes_of_the_example_zone),
		cmocka_unit_test(rfc9276_3_1_no_salt_and_no_iterations),
		cmocka_unit_test(b4_the_longest_name_salt_and_iterations_are_hashed),
		cmocka_unit_test(b4_an_apex_of_223_octets_leaves_no_room_for_a_hash),
		cmocka_unit_test(b4_what_is_no_hash_is_no_owner),
		cmocka_unit_test(rfc5155_3_2_and_4_2_fields_are_read_and_what_is_cut_off_is_not),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
