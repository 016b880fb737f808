/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/attributes.h"
#include "engine/policy.h"

static struct tsig_key key_of(const char *wire, const char *secret)
{
	return (struct tsig_key){.name = {(const uint8_t *)wire, (uint8_t)(strlen(wire) + 1)},
				 .secret = span_of_text(secret),
				 .label = wire + 1};
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	if (!prefix_parse(span_of_text(text), &p)) fail_msg("%s is a prefix", text);
	return p;
}

static struct requester requester(const char *address, enum transport transport,
				  const struct tsig_key *key)
{
	struct requester r = {.transport = transport, .key = key};

	CHECK(address_parse(span_of_text(address), &r.address));
	return r;
}

static bool allows(const struct access_item *items, size_t count, const char *address,
		   const struct tsig_key *key)
{
	struct access_list list = {items, count};
	struct requester r = requester(address, TRANSPORT_TCP, key);

	return access_check(&list, &r).allowed;
}

TEST(an_empty_list_refuses)
{
	CHECK(!allows(NULL, 0, "192.0.2.1", NULL));
}

TEST(an_item_without_any_condition_fits_nobody)
{
	const struct access_item item = {0};

	CHECK(!allows(&item, 1, "192.0.2.1", NULL));
}

TEST(any_fits_everybody)
{
	const struct access_item item = {.any_address = true};

	CHECK(allows(&item, 1, "192.0.2.1", NULL));
	CHECK(allows(&item, 1, "2001:db8::1", NULL));
}

TEST(the_first_item_that_fits_decides)
{
	struct prefix all = prefix("10.0.0.0/8"), part = prefix("10.0.66.0/24");
	const struct access_item hole[] = {{.deny = true, .prefix = &part, .acl = "office"},
					   {.prefix = &all, .acl = "office"}};
	const struct access_item useless[] = {{.prefix = &all}, {.deny = true, .prefix = &part}};

	CHECK(!allows(hole, 2, "10.0.66.7", NULL));
	CHECK(allows(hole, 2, "10.0.67.7", NULL));
	CHECK(!allows(hole, 2, "11.0.0.1", NULL));
	CHECK(allows(useless, 2, "10.0.66.7", NULL));
}

TEST(a_list_of_denials_alone_refuses_everybody)
{
	struct prefix part = prefix("10.0.66.0/24");
	const struct access_item item = {.deny = true, .prefix = &part};

	CHECK(!allows(&item, 1, "10.0.66.7", NULL) && !allows(&item, 1, "192.0.2.1", NULL));
}

TEST(all_conditions_of_an_item_must_hold)
{
	struct tsig_key ddns = key_of("\4ddns", "s1"), other = key_of("\5other", "s2");
	struct prefix host = prefix("192.0.2.77");
	const struct access_item item = {.prefix = &host, .key = &ddns};

	CHECK(allows(&item, 1, "192.0.2.77", &ddns));
	CHECK(!allows(&item, 1, "192.0.2.78", &ddns));
	CHECK(!allows(&item, 1, "192.0.2.77", NULL));
	CHECK(!allows(&item, 1, "192.0.2.77", &other));
}

TEST(a_key_alone_fits_from_any_address)
{
	struct tsig_key ddns = key_of("\4ddns", "s1");
	const struct access_item item = {.key = &ddns};

	CHECK(allows(&item, 1, "203.0.113.5", &ddns) && !allows(&item, 1, "203.0.113.5", NULL));
}

TEST(a_key_is_known_by_its_content)
{
	struct tsig_key mine = key_of("\4ddns", "s1"), copy = key_of("\4DDNS", "s1");
	struct tsig_key changed = key_of("\4ddns", "s2"), stronger = mine;
	const struct access_item item = {.key = &mine};

	stronger.algorithm++;
	CHECK(allows(&item, 1, "192.0.2.1", &copy));
	CHECK(!allows(&item, 1, "192.0.2.1", &changed));
	CHECK(!allows(&item, 1, "192.0.2.1", &stronger));
}

/* The remote of DESIGN section 10: an address in `from` and, where it has keys, one of them. */
struct west {
	struct tsig_key keys[2];
	const struct tsig_key *accepted[2];
	struct prefix from;
	struct remote remote;
};

static void west_of(struct west *west, size_t key_count)
{
	west->keys[0] = key_of("\6xfer27", "s1");
	west->keys[1] = key_of("\6xfer26", "s2");
	west->accepted[0] = &west->keys[0];
	west->accepted[1] = &west->keys[1];
	west->from = prefix("203.0.113.0/28");
	west->remote = (struct remote){.label = "west",
				       .from = &west->from,
				       .from_count = 1,
				       .keys = west->accepted,
				       .key_count = key_count};
}

TEST(a_remote_needs_its_address_and_one_of_its_keys)
{
	struct west west;
	struct tsig_key other = key_of("\5other", "s3");

	west_of(&west, 2);
	const struct access_item item = {.remote = &west.remote};
	CHECK(allows(&item, 1, "203.0.113.9", &west.keys[0]));
	CHECK(allows(&item, 1, "203.0.113.9", &west.keys[1]));
	CHECK(!allows(&item, 1, "203.0.113.9", NULL));
	CHECK(!allows(&item, 1, "203.0.113.9", &other));
	CHECK(!allows(&item, 1, "203.0.113.16", &west.keys[0]));
	west_of(&west, 0);
	CHECK(allows(&item, 1, "203.0.113.9", NULL));
	CHECK(!allows(&item, 1, "203.0.113.16", NULL));
}

TEST(a_remote_from_any_address_is_known_by_its_key)
{
	struct west west;

	west_of(&west, 1);
	west.remote.from_any = true;
	const struct access_item item = {.remote = &west.remote};
	CHECK(allows(&item, 1, "2001:db8::9", &west.keys[0]));
	CHECK(!allows(&item, 1, "2001:db8::9", &west.keys[1]));
}

TEST(a_remote_without_its_key_is_named)
{
	struct west west;

	west_of(&west, 2);
	const struct access_item item = {.remote = &west.remote};
	const struct access_list list = {&item, 1};
	struct requester unsigned_one = requester("203.0.113.9", TRANSPORT_TCP, NULL);
	struct requester stranger = requester("192.0.2.1", TRANSPORT_TCP, NULL);
	struct requester west_itself = requester("203.0.113.9", TRANSPORT_TCP, &west.keys[1]);
	CHECK(access_check(&list, &unsigned_one).remote_without_key == &west.remote);
	CHECK(access_check(&list, &stranger).remote_without_key == NULL);
	CHECK(access_check(&list, &west_itself).remote_without_key == NULL);
}

TEST(another_item_may_admit_a_remote_without_its_key)
{
	struct west west;

	west_of(&west, 2);
	const struct access_item items[] = {{.remote = &west.remote}, {.any_address = true}};
	CHECK(allows(items, 2, "203.0.113.9", NULL));
}

/* Reliability B9: the same list, every transport, each condition on and off. */
TEST(every_transport_is_judged_by_the_same_conditions)
{
	struct tsig_key key = key_of("\4ddns", "s1");
	struct prefix host = prefix("192.0.2.77");
	static const char *const addresses[] = {"192.0.2.77", "192.0.2.78", "::ffff:192.0.2.77"};

	for (unsigned bits = 0; bits < 1 << TRANSPORT_COUNT; bits++) {
		const struct access_item item = {
			.prefix = &host, .key = &key, .transports = (uint8_t)bits};
		const struct access_item denial = {
			.deny = true, .any_address = true, .transports = (uint8_t)bits};
		const struct access_item denied[] = {denial, {.any_address = true}};
		const struct access_list list = {&item, 1}, without = {denied, 2};
		for (enum transport t = 0; t < TRANSPORT_COUNT; t++) {
			bool transport_fits = bits == 0 || (bits >> t & 1);
			for (size_t i = 0; i < 2 * ARRAY_COUNT(addresses); i++) {
				const char *address = addresses[i / 2];
				struct requester r = requester(address, t, i % 2 ? &key : NULL);
				bool expected = transport_fits && i % 2 && i / 2 != 1;
				CHECK(access_check(&list, &r).allowed == expected);
				CHECK(access_check(&without, &r).allowed == !transport_fits);
			}
		}
	}
}

TEST(a_zone_of_the_policy_is_found_by_exactly_its_name)
{
	static const char *const names[] = {"", "\3com", "\1A\3com", "\1b\3com", "\3org"};
	struct zone_policy zones[ARRAY_COUNT(names)] = {0};
	struct policy policy = {.zones = zones, .zone_count = ARRAY_COUNT(names)};
	const struct name lower = {(const uint8_t *)"\1a\3CoM", 7};
	const struct name below = {(const uint8_t *)"\1c\3com", 7};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		zones[i].name =
			(struct name){(const uint8_t *)names[i], (uint8_t)(strlen(names[i]) + 1)};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		CHECK(policy_zone(&policy, zones[i].name) == &zones[i]);
	CHECK(policy_zone(&policy, lower) == &zones[2]);
	CHECK(policy_zone(&policy, below) == NULL);
	policy.zone_count = 0;
	CHECK(policy_zone(&policy, lower) == NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_list_refuses),
		cmocka_unit_test(an_item_without_any_condition_fits_nobody),
		cmocka_unit_test(any_fits_everybody),
		cmocka_unit_test(the_first_item_that_fits_decides),
		cmocka_unit_test(a_list_of_denials_alone_refuses_everybody),
		cmocka_unit_test(all_conditions_of_an_item_must_hold),
		cmocka_unit_test(a_key_alone_fits_from_any_address),
		cmocka_unit_test(a_key_is_known_by_its_content),
		cmocka_unit_test(a_remote_needs_its_address_and_one_of_its_keys),
		cmocka_unit_test(a_remote_from_any_address_is_known_by_its_key),
		cmocka_unit_test(a_remote_without_its_key_is_named),
		cmocka_unit_test(another_item_may_admit_a_remote_without_its_key),
		cmocka_unit_test(every_transport_is_judged_by_the_same_conditions),
		cmocka_unit_test(a_zone_of_the_policy_is_found_by_exactly_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
