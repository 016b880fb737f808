/* SPDX-License-Identifier: Apache-2.0 */
/* A policy on its way to another process: what arrives, what must not, what is refused. */
#include "unit.h"

#include "config/pack.h"
#include "loading.h"

#include <stdlib.h>

static struct loading loading;
static uint8_t octets[1 << 16];
static struct arena *arena;

static const char example[] =
	"server: {name: ns1, listen: [192.0.2.53, eth0@5300], user: dns, workers: 3}\n"
	"keys:\n"
	"  - {name: east-key, secret: ZWFzdC1zZWNyZXQtZWFzdC1zZWNyZXQ=}\n"
	"  - {name: query-key, secret: cXVlcnktc2VjcmV0LXF1ZXJ5LXNlY3I=}\n"
	"  - {name: spare-key, secret: c3BhcmUtc2VjcmV0LXNwYXJlLXNlY3I=}\n"
	"  - {name: west-key, secret: d2VzdC1zZWNyZXQtd2VzdC1zZWNyZXQ=}\n"
	"remotes:\n"
	"  - {name: east, address: 192.0.2.1, keys: east-key, source: 192.0.2.53}\n"
	"  - {name: idle, address: 192.0.2.3, keys: spare-key}\n"
	"  - {name: west, address: [\"2001:db8::2\", 192.0.2.2], from: [192.0.2.0/28], keys: "
	"west-key}\n"
	"acls: {name: office, items: [{deny: 10.0.66.0/24}, 10.0.0.0/8]}\n"
	"zones:\n"
	"  - {name: a.example, role: primary, secondaries: [west], allow-transfer: office}\n"
	"  - {name: b.example, role: secondary, primaries: [east, west]}\n"
	"  - {name: c.example, role: primary, secondaries: [],\n"
	"     allow-query: [{key: query-key, address: 192.0.2.0/24, transport: tcp}, office]}\n"
	"limits: {tcp-idle: 33s, tcp-connections: 77}\n";

static const struct policy *load_example(void)
{
	loading = (struct loading){0};
	loading_add(&loading, "lockstep.yaml", example);
	loading_run(&loading, 0, 0);
	assert_string_equal(loading.text, "");
	return loading.policy;
}

/* Packs and unpacks again. */
static const struct policy *carry(const struct policy *policy, enum pack_audience audience,
				  struct span *packed)
{
	struct writer w = writer_of(octets, sizeof octets);
	const struct policy *arrived;
	size_t len;

	CHECK(policy_pack(policy, audience, &w, &len) == OK && len == w.len);
	*packed = writer_span(&w);
	arena = arena_new(1 << 20);
	CHECK(policy_unpack(*packed, arena, &arrived, NULL) == OK && arrived);
	return arrived;
}

static void end(void)
{
	arena_free(arena);
	loading_end(&loading);
}

static bool has_octets(struct span all, const char *part)
{
	return memmem(all.ptr, all.len, part, strlen(part)) != NULL;
}

TEST(the_front_gets_zones_with_their_lists_and_the_keys_a_query_can_carry)
{
	struct span packed;
	const struct policy *policy = load_example();
	const struct policy *front = carry(policy, PACK_FRONT, &packed);
	const struct zone_policy *a = &front->zones[0], *b = &front->zones[1];

	CHECK(front->zone_count == 3 && front->remote_count == 3);
	assert_string_equal(front->server.name, "ns1");
	CHECK(front->server.workers == 3 && front->limits.tcp_idle_ns == 33 * NS_PER_S);
	assert_string_equal(a->label, "a.example.");
	CHECK(a->allow_transfer.count == 3 &&
	      a->allow_transfer.items[0].remote == &front->remotes[2]);
	CHECK(a->allow_transfer.items[1].deny && a->allow_transfer.items[1].prefix->bits == 24);
	assert_string_equal(a->allow_transfer.items[1].acl, "office");
	CHECK(b->role == ROLE_SECONDARY && b->primary_count == 2 &&
	      b->primaries[1]->from_count == 1);
	CHECK(front->zones[2].secondaries_none);
	const struct access_item *item = &front->zones[2].allow_query.items[0];
	assert_string_equal(item->key->label, "query-key");
	CHECK(item->prefix && item->transports == 1 << TRANSPORT_TCP);
	CHECK(front->key_count == 3 && front->remotes[1].key_count == 0);
	CHECK(!has_octets(packed, "spare-secret") && has_octets(packed, "west-secret"));
	CHECK(!has_octets(packed, "/var/lib") && front->server.listen_count == 0);
	end();
}

TEST(the_courier_gets_remotes_with_keys_and_no_lists)
{
	struct span packed;
	const struct policy *policy = load_example();
	const struct policy *courier = carry(policy, PACK_COURIER, &packed);

	CHECK(courier->key_count == 3 && courier->remote_count == 3 && courier->zone_count == 3);
	for (size_t i = 0; i < 3; i++) {
		const struct remote *was = &policy->remotes[i], *is = &courier->remotes[i];
		assert_string_equal(is->label, was->label);
		CHECK(is->address_count == was->address_count && is->key_count == 1);
		CHECK(endpoint_equal(&is->addresses[0], &was->addresses[0]));
		CHECK(endpoint_equal(&is->source, &was->source));
		CHECK(span_equal(is->keys[0]->secret, was->keys[0]->secret));
		CHECK(name_equal(is->keys[0]->name, was->keys[0]->name));
	}
	CHECK(courier->zones[0].secondaries[0] == &courier->remotes[2]);
	CHECK(courier->zones[0].allow_transfer.count == 0);
	CHECK(!has_octets(packed, "query-secret"));
	end();
}

static void count_change(void *context, const struct config_change *change)
{
	(void)change;
	++*(size_t *)context;
}

TEST(the_keeper_gets_everything)
{
	struct span packed;
	const struct policy *policy = load_example();
	const struct policy *keeper = carry(policy, PACK_KEEPER, &packed);
	size_t change_count = 0;

	config_difference(policy, keeper, count_change, &change_count);
	CHECK(change_count == 0);
	assert_string_equal(keeper->server.user, "dns");
	assert_string_equal(keeper->server.state, "/var/lib/lockstep");
	assert_string_equal(keeper->server.control, "/run/lockstep/control.sock");
	assert_string_equal(keeper->path, "lockstep.yaml");
	CHECK(keeper->server.listen_count == 1 && keeper->server.listen[0].port == 53);
	assert_string_equal(keeper->server.listen_interfaces[0].name, "eth0");
	CHECK(keeper->server.listen_interfaces[0].port == 5300);
	CHECK(keeper->key_count == policy->key_count && has_octets(packed, "spare-secret"));
	for (size_t i = 0; i < policy->zone_count; i++) {
		const struct zone_policy *was = &policy->zones[i], *is = &keeper->zones[i];
		CHECK(!was->file == !is->file && was->origin.line == is->origin.line);
		if (was->file) assert_string_equal(is->file, was->file);
		assert_string_equal(is->origin.file, was->origin.file);
	}
	end();
}

TEST(what_was_unpacked_packs_to_the_same_octets)
{
	static uint8_t second[1 << 16];

	for (int audience = 0; audience < PACK_AUDIENCE_COUNT; audience++) {
		struct span packed;
		struct writer w = writer_of(second, sizeof second);
		const struct policy *arrived =
			carry(load_example(), (enum pack_audience)audience, &packed);
		CHECK(policy_pack(arrived, (enum pack_audience)audience, &w, NULL) == OK);
		CHECK(span_equal(packed, writer_span(&w)));
		end();
	}
}

TEST(what_does_not_fit_tells_its_length_and_writes_nothing)
{
	uint8_t small[64] = "before";
	struct writer w = writer_of(small, sizeof small);
	size_t len = 0;

	w.len = 6;
	CHECK(policy_pack(load_example(), PACK_FRONT, &w, &len) == E_LIMIT);
	CHECK(w.len == 6 && !w.overflow && len > sizeof small);
	struct writer enough = writer_of(octets, len);
	CHECK(policy_pack(loading.policy, PACK_FRONT, &enough, NULL) == OK && enough.len == len);
	loading_end(&loading);
}

static enum code unpack(struct span packed, size_t max)
{
	struct arena *small = arena_new(max);
	const struct policy *policy;
	enum code code = policy_unpack(packed, small, &policy, NULL);

	CHECK((code == OK) == (policy != NULL));
	arena_free(small);
	return code;
}

/* From a copy of just that length, so that a sanitizer sees what is read beyond it. */
TEST(half_a_policy_is_none)
{
	struct span packed;

	carry(load_example(), PACK_FRONT, &packed);
	for (size_t len = 0; len < packed.len; len++) {
		uint8_t *cut = malloc(len + 1);
		memcpy(cut, packed.ptr, len);
		CHECK(unpack(span_of(cut, len), 1 << 20) == E_DAMAGED);
		free(cut);
	}
	octets[packed.len] = 0;
	CHECK(unpack(span_of(octets, packed.len + 1), 1 << 20) == E_DAMAGED);
	end();
}

TEST(every_altered_octet_is_refused_or_harmless)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff};
	struct span packed;

	carry(load_example(), PACK_FRONT, &packed);
	for (size_t i = 0; i < packed.len; i++) {
		for (size_t k = 0; k < sizeof masks; k++) {
			octets[i] ^= masks[k];
			enum code code = unpack(packed, 1 << 20);
			CHECK(code == OK || code == E_DAMAGED || code == E_NOMEM);
			octets[i] ^= masks[k];
		}
	}
	end();
}

TEST(an_arena_that_is_too_small_is_told)
{
	struct span packed;
	size_t refused = 0;

	carry(load_example(), PACK_FRONT, &packed);
	for (size_t max = 64; max < 8192; max += 64) {
		enum code code = unpack(packed, max);
		CHECK(code == OK || code == E_NOMEM);
		refused += code == E_NOMEM;
	}
	CHECK(refused > 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_front_gets_zones_with_their_lists_and_the_keys_a_query_can_carry),
		cmocka_unit_test(the_courier_gets_remotes_with_keys_and_no_lists),
		cmocka_unit_test(the_keeper_gets_everything),
		cmocka_unit_test(what_was_unpacked_packs_to_the_same_octets),
		cmocka_unit_test(what_does_not_fit_tells_its_length_and_writes_nothing),
		cmocka_unit_test(half_a_policy_is_none),
		cmocka_unit_test(every_altered_octet_is_refused_or_harmless),
		cmocka_unit_test(an_arena_that_is_too_small_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
