/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of the configuration, each with the words that tell it. */
#include "unit.h"

#include "loading.h"

#include <stdio.h>
#include <stdlib.h>

static struct loading loading;

static const struct policy *load(const char *text)
{
	loading = (struct loading){0};
	loading_add(&loading, "lockstep.yaml", text);
	loading_add(&loading, "/etc/lockstep/keys/a", " c2VjcmV0LWZvci10ZXN0cw==\n");
	loading_add(&loading, "/etc/lockstep/keys/bad", "c2VjcmV0LWZvci10ZXN0cw\n");
	loading_add(&loading, "/etc/lockstep/keys/open", "c2VjcmV0LWZvci10ZXN0cw==\n");
	loading.files[loading.file_count - 1].others_can_read = true;
	loading_run(&loading, 0, 0);
	return loading.policy;
}

static const struct policy *load_right(const char *text)
{
	const struct policy *policy = load(text);

	assert_string_equal(loading.text, "");
	CHECK(loading.code == OK && policy);
	return policy;
}

/* "LINE:COLUMN: text" of each diagnostic, without the line itself. */
static const char *told(void)
{
	static char text[16384];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < loading.diagnostics.count; i++) {
		const struct diagnostic *d = &loading.diagnostics.list[i];
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%u:%u: %s%s",
					i ? "\n" : "", d->place.line, d->place.column,
					d->warning ? "warning: " : "", d->text);
	}
	return text;
}

struct wrong {
	const char *text, *told;
};

static void check_wrong(const struct wrong *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		CHECK(!load(rows[i].text));
		assert_string_equal(told(), rows[i].told);
		CHECK(loading.code == E_SYNTAX);
		loading_end(&loading);
	}
}

#define CHECK_WRONG(...)                                                                           \
	do {                                                                                       \
		static const struct wrong rows[] = {__VA_ARGS__};                                  \
		check_wrong(rows, ARRAY_COUNT(rows));                                              \
	} while (0)

static const struct zone_policy *zone_of(const struct policy *policy, const char *text)
{
	struct name_buffer name;

	CHECK(name_from_text(span_of_text(text), NULL, &name, NULL) == OK);
	return policy_zone(policy, name_of(&name));
}

static const char example[] =
	"server:\n"
	"  name: ns1.example.net\n"
	"  listen: [192.0.2.53, \"2001:db8::53\", \"127.0.0.1@5300\", eth0@5353]\n"
	"  user: lockstep\n"
	"  state: state\n"
	"  workers: 2\n"
	"keys:\n"
	"  - {name: Xfer-2027., secret-file: keys/a}\n"
	"  - {name: xfer-2026, secret: \"c2VjcmV0LWZvci10ZXN0cw==\", algorithm: HMAC-SHA512}\n"
	"  - {name: ddns, secret-file: /etc/lockstep/keys/a}\n"
	"remotes:\n"
	"  - name: west\n"
	"    address: [198.51.100.1]\n"
	"    from: [203.0.113.0/28]\n"
	"    source: 192.0.2.53\n"
	"    keys: [xfer-2027, xfer-2026]\n"
	"  - {name: east, address: [\"192.0.2.1@5301\"], keys: xfer-2027}\n"
	"acls:\n"
	"  - {name: office, items: [{deny: 10.0.66.0/24}, 10.0.0.0/8]}\n"
	"templates:\n"
	"  - {name: default, file: \"zones/{zone}.zone\", serial: unixtime, secondaries: [west]}\n"
	"zones:\n"
	"  - name: example.com\n"
	"    role: primary\n"
	"    file: example.com.zone\n"
	"    secondaries: [east, west]\n"
	"    allow-transfer: [office, {key: ddns, address: 192.0.2.77}]\n"
	"  - name: example.org\n"
	"    role: secondary\n"
	"    primaries: east\n"
	"  - {name: 0/25.2.0.192.in-addr.arpa, role: primary}\n"
	"limits:\n"
	"  tcp-connections: 20000\n"
	"  zone-size: 512M\n"
	"  tcp-idle: 1m30s\n";

TEST(the_example_means_what_the_manual_says)
{
	const struct policy *policy = load_right(example);
	const struct server_policy *server = &policy->server;

	assert_string_equal(server->name, "ns1.example.net");
	assert_string_equal(server->state, "/etc/lockstep/state");
	assert_string_equal(server->control, "/run/lockstep/control.sock");
	CHECK(server->listen_count == 3 && server->listen[2].port == 5300);
	CHECK(server->listen_interface_count == 1 && server->listen_interfaces[0].port == 5353);
	assert_string_equal(server->listen_interfaces[0].name, "eth0");
	CHECK(server->workers == 2);
	CHECK(policy->limits.tcp_connections == 20000);
	CHECK(policy->limits.zone_octets == 512u << 20);
	CHECK(policy->limits.tcp_idle_ns == 90 * NS_PER_S);
	CHECK(policy->limits.transfer_idle_ns == 10 * NS_PER_S);
	CHECK(policy->key_count == 3 && policy->remote_count == 2 && policy->zone_count == 3);
	assert_string_equal(policy->keys[2].label, "xfer-2027");
	CHECK(policy->keys[1].algorithm == TSIG_HMAC_SHA512);
	CHECK(span_is_text(policy->keys[2].secret, "secret-for-tests"));
	assert_string_equal(policy->zones[0].label, "0/25.2.0.192.in-addr.arpa.");
	loading_end(&loading);
}

TEST(a_remotes_requests_come_from_its_address_unless_it_says_otherwise)
{
	const struct policy *policy = load_right(example);
	const struct remote *east = &policy->remotes[0], *west = &policy->remotes[1];

	assert_string_equal(east->label, "east");
	CHECK(east->addresses[0].port == 5301);
	CHECK(east->from_count == 1 && east->from[0].bits == 32);
	CHECK(address_equal(&east->from[0].address, &east->addresses[0].address));
	CHECK(west->from_count == 1 && west->from[0].bits == 28);
	CHECK(west->addresses[0].port == 53 && west->source.address.family == 4);
	CHECK(west->key_count == 2 && west->keys[0] == &policy->keys[2]);
	loading_end(&loading);
}

TEST(a_zones_value_replaces_the_templates_whole_value)
{
	const struct policy *policy = load_right(example);
	const struct zone_policy *com = zone_of(policy, "example.com.");
	const struct zone_policy *reverse = zone_of(policy, "0/25.2.0.192.in-addr.arpa.");

	CHECK(com->secondary_count == 2 && com->secondaries[0] == &policy->remotes[0]);
	CHECK(com->serial == SERIAL_UNIXTIME);
	assert_string_equal(com->file, "/etc/lockstep/example.com.zone");
	CHECK(reverse->secondary_count == 1 && reverse->secondaries[0] == &policy->remotes[1]);
	loading_end(&loading);
}

TEST(a_templates_file_serial_and_secondaries_reach_primaries_only)
{
	const struct policy *policy = load_right(example);
	const struct zone_policy *org = zone_of(policy, "example.org.");

	CHECK(org->role == ROLE_SECONDARY && org->primary_count == 1);
	CHECK(org->file == NULL && org->secondary_count == 0 && !org->secondaries_none);
	CHECK(org->allow_transfer.count == 0);
	loading_end(&loading);
	policy = load_right("remotes: {name: hq, address: 192.0.2.1}\n"
			    "templates: {name: default, primaries: hq, role: secondary}\n"
			    "zones: [{name: a}, {name: b, role: primary}]\n");
	CHECK(policy->zones[0].primary_count == 1 && policy->zones[1].primary_count == 0);
	loading_end(&loading);
}

TEST(who_may_transfer_are_the_secondaries_then_the_list)
{
	const struct policy *policy = load_right(example);
	const struct access_list *list = &zone_of(policy, "example.com.")->allow_transfer;

	CHECK(list->count == 5);
	CHECK(list->items[0].remote == &policy->remotes[0] &&
	      list->items[1].remote == &policy->remotes[1]);
	CHECK(list->items[2].deny && list->items[2].prefix->bits == 24);
	assert_string_equal(list->items[2].acl, "office");
	CHECK(!list->items[3].deny && list->items[3].prefix->bits == 8);
	CHECK(list->items[4].key == &policy->keys[0] && list->items[4].prefix->bits == 32);
	CHECK(list->items[4].acl == NULL);
	loading_end(&loading);
}

TEST(everybody_may_query_and_nobody_transfer_by_default)
{
	const struct policy *policy = load_right("zones: {name: a, role: primary}\n");
	const struct zone_policy *zone = &policy->zones[0];

	CHECK(zone->allow_query.count == 1 && zone->allow_query.items[0].any_address);
	CHECK(zone->allow_transfer.count == 0 && zone->file == NULL);
	CHECK(zone->serial == SERIAL_INCREMENT);
	CHECK(zone->origin.line == 1 && strcmp(zone->origin.file, "lockstep.yaml") == 0);
	assert_string_equal(policy->server.name, "host.example");
	loading_end(&loading);
}

TEST(an_empty_configuration_is_one)
{
	static const char *const texts[] = {"", "# nothing\n", "zones:\n", "zones: []\n", "{}"};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		CHECK(load_right(texts[i])->zone_count == 0);
		loading_end(&loading);
	}
}

TEST(the_servers_name_can_be_hidden)
{
	CHECK(load_right("server: {name: none}\n")->server.name == NULL);
	loading_end(&loading);
}

TEST(an_empty_list_of_secondaries_is_meant)
{
	const struct policy *policy =
		load_right("zones: [{name: a, role: primary, secondaries: []}]\n");

	CHECK(policy->zones[0].secondaries_none);
	loading_end(&loading);
}

TEST(a_zones_name_becomes_a_harmless_part_of_a_path)
{
	static const struct {
		const char *zone, *file;
	} rows[] = {
		{"example.com", "/etc/lockstep/z/example.com"},
		{"Example.COM.", "/etc/lockstep/z/example.com"},
		{".", "/etc/lockstep/z/root"},
		{"a_b-c.d", "/etc/lockstep/z/a_b-c.d"},
		{"0/25.2.0.192.in-addr.arpa", "/etc/lockstep/z/0%2F25.2.0.192.in-addr.arpa"},
		{"..\\/etc", NULL},
		{"a\\.\\.b.c", "/etc/lockstep/z/a%2E%2Eb.c"},
		{"a\\000\\255%.c", "/etc/lockstep/z/a%00%FF%25.c"},
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		snprintf(text, sizeof text,
			 "zones: {name: '%s', role: primary, file: './z/{zone}'}\n", rows[i].zone);
		const struct policy *policy = load(text);
		CHECK(!policy == !rows[i].file);
		if (policy) assert_string_equal(policy->zones[0].file, rows[i].file);
		loading_end(&loading);
	}
}

TEST(unknown_keys_are_told_with_the_nearest)
{
	CHECK_WRONG({"zone: []\n", "1:1: unknown key \"zone\" in a configuration; did you mean "
				   "\"zones\"?"},
		    {"server: {lisen: x}\n",
		     "1:10: unknown key \"lisen\" in server; did you mean \"listen\"?"},
		    {"zones: [{name: a, role: primary, alow-query: any}]\n",
		     "1:34: unknown key \"alow-query\" in a zone; did you mean \"allow-query\"?"},
		    {"limits: {wombats: 3}\n", "1:10: unknown key \"wombats\" in limits"},
		    {"templates: {name: t, template: u}\n", "1:22: a template takes no template"},
		    {"acls: {name: t, items: {adress: 192.0.2.1}}\n",
		     "1:25: unknown condition \"adress\"; did you mean \"address\"?"});
}

TEST(what_stands_twice_is_told_with_both_places)
{
	CHECK_WRONG({"server: {user: a, user: b}\n",
		     "1:19: \"user\" stands here a second time; the first is at lockstep.yaml:1"},
		    {"zones:\n  - name: a\n    role: primary\n    role: secondary\n",
		     "4:5: \"role\" stands here a second time; the first is at lockstep.yaml:3"},
		    {"zones: []\nzones: []\n",
		     "2:1: \"zones\" stands here a second time; the first is at lockstep.yaml:1"},
		    {"zones:\n  - {name: a.b, role: primary}\n  - {name: A.B., role: primary}\n",
		     "3:12: zone \"A.B.\" stands here a second time; the first is at "
		     "lockstep.yaml:2"},
		    {"remotes:\n  - {name: w, address: 192.0.2.1}\n"
		     "  - {name: w, address: 192.0.2.1}\n",
		     "3:12: remote \"w\" stands here a second time; the first is at "
		     "lockstep.yaml:2"},
		    {"keys:\n  - {name: k, secret-file: keys/a}\n"
		     "  - {name: K., secret-file: keys/a}\n",
		     "3:12: key \"K.\" stands here a second time; the first is at "
		     "lockstep.yaml:2"},
		    {"remotes: {name: w, address: 192.0.2.1}\nacls: {name: w, items: any}\n",
		     "2:14: \"w\" is an acl here and a remote at lockstep.yaml:1; allow lists "
		     "could mean either"});
}

TEST(references_must_exist)
{
	CHECK_WRONG({"remotes: {name: west, address: 192.0.2.1}\n"
		     "zones: {name: a, role: primary, secondaries: [wset]}\n",
		     "2:47: remote \"wset\" does not exist; did you mean \"west\"?"},
		    {"zones: {name: a, role: primary, secondaries: none}\n",
		     "1:46: remote \"none\" does not exist; [] says that there are none"},
		    {"zones: {name: a, role: secondary, primaries: hq}\n",
		     "1:46: remote \"hq\" does not exist"},
		    {"zones: {name: a, role: primary, template: tiny}\n",
		     "1:43: template \"tiny\" does not exist"},
		    {"remotes: {name: w, address: 192.0.2.1, keys: k}\n",
		     "1:46: key \"k\" does not exist"},
		    {"keys: {name: ddns, secret-file: keys/a}\n"
		     "zones: {name: a, role: primary, allow-transfer: ddns}\n",
		     "2:49: \"ddns\" is a key; write {key: ddns}"},
		    {"acls: {name: office, items: any}\n"
		     "zones: {name: a, role: primary, allow-query: [offce]}\n",
		     "2:47: \"offce\" is no address, acl or remote; did you mean \"office\"?"},
		    {"zones: {name: a, role: primary, allow-query: [us]}\n",
		     "1:47: \"us\" is no address, acl or remote"});
}

TEST(values_have_a_type)
{
	CHECK_WRONG(
		{"limits: {tcp-idle: fast}\n",
		 "1:20: tcp-idle: expected a duration such as 500ms, 30s, 1h30m or 2w, found "
		 "\"fast\""},
		{"limits: {zone-size: 3X}\n",
		 "1:21: zone-size: expected a size such as 65536, 512K, 64M or 2G, found \"3X\""},
		{"limits: {zone-size: 99999999999999999999G}\n",
		 "1:21: zone-size: expected a size such as 65536, 512K, 64M or 2G, found "
		 "\"99999999999999999999G\""},
		{"server: {workers: -1}\n", "1:19: workers: expected a number, found \"-1\""},
		{"server: {user: [a]}\n", "1:16: user: expected the name of a user, found a list"},
		{"server: {state: {zone}}\n",
		 "1:17: state: expected a path, found a map; a text that begins with \"{\" must "
		 "be put in quotes"},
		{"server: {state: }\n", "1:10: state has no value; expected a path"},
		{"server:\n  user:\n", "2:3: user has no value; expected the name of a user"},
		{"server: 5\n", "1:9: server is a map of settings"},
		{"zones: [a]\n", "1:9: a zone is a map such as {name: ...}"},
		{"- a\n", "1:1: a configuration is a map of sections such as server: and zones:"},
		{"server: {listen: 1.2.3.400}\n",
		 "1:18: listen: expected an address or an interface, with @PORT when that is not "
		 "53, found \"1.2.3.400\""},
		{"server: {listen: eth0@0}\n",
		 "1:18: listen: expected an address or an interface, with @PORT when that is not "
		 "53, found \"eth0@0\""},
		{"zones: {name: a, role: primry}\n",
		 "1:24: unknown role \"primry\"; did you mean \"primary\"?"},
		{"zones: {name: a, role: both}\n",
		 "1:24: unknown role \"both\"; there are: primary, secondary"},
		{"zones: {name: a, role: primary, allow-query: 10.0.66.1/24}\n",
		 "1:46: allow-query: 10.0.66.1/24 has bits beyond its prefix; did you mean "
		 "10.0.66.0/24?"},
		{"zones: {name: a, role: primary, allow-query: 10.0.0/24}\n",
		 "1:46: allow-query: \"10.0.0/24\" is no address or prefix"},
		{"zones: {name: a, role: primary, file: 'z/{name}'}\n",
		 "1:39: file: only {zone} may stand in braces, found \"z/{name}\""},
		{"zones: {name: a, role: primary, file: \"z\\0a\"}\n",
		 "1:39: file holds the control character 0x00"},
		{"zones: {name: \"\\xfc.de\", role: primary}\n",
		 "1:15: a zone's name is written in ASCII: its xn-- form"});
}

TEST(a_name_that_is_none_is_told_by_whom_it_names)
{
	CHECK(!load(
		"zones: {name: a..b, role: primary}\nkeys: {name: a..b, secret-file: keys/a}\n"));
	CHECK(strstr(told(), "1:15: name of a zone: ") && strstr(told(), "2:14: name of a key: "));
	loading_end(&loading);
}

TEST(quantities_have_a_range)
{
	CHECK_WRONG({"server: {workers: 0}\n", "1:19: workers is 0; the least is 1"},
		    {"server: {workers: 257}\n", "1:19: workers is 257; the most is 256"},
		    {"limits: {tcp-idle: 1ms}\n", "1:20: tcp-idle is 1ms; the least is 1s"},
		    {"limits: {zone-size: 2T}\n", "1:21: zone-size is 2T; the most is 1T"},
		    {"limits: {refresh-min: 3w, refresh-max: 2w}\n",
		     "1:23: refresh-min is longer than refresh-max"},
		    {"limits: {retry-min: 3w}\n", "1:21: retry-min is longer than retry-max"});
}

TEST(a_zone_says_what_its_role_needs_and_nothing_else)
{
	CHECK_WRONG({"zones: {name: a}\n",
		     "1:8: a zone without a role; add `role: primary` or `role: secondary`"},
		    {"zones: {role: primary}\n", "1:8: a zone without a name"},
		    {"zones: {name: a, role: secondary}\n",
		     "1:8: a secondary without primaries: nowhere to fetch the zone from"},
		    {"zones: {name: a, role: primary, serial: file}\n",
		     "1:8: a zone with `serial: file` but without a file"},
		    {"remotes: {name: w, address: 192.0.2.1}\n"
		     "zones: {name: a, role: secondary, primaries: w, file: x}\n",
		     "2:55: file is for zones of role primary; this one is a secondary"},
		    {"remotes: {name: w, address: 192.0.2.1}\n"
		     "zones: {name: a, role: primary, primaries: w}\n",
		     "2:44: primaries is for zones of role secondary; this one is a primary"},
		    {"remotes: {name: w, from: 192.0.2.1}\n"
		     "zones: {name: a, role: primary, secondaries: w}\n",
		     "2:46: remote \"w\" has no address to send to"},
		    {"remotes: {name: w, address: 192.0.2.1}\n"
		     "zones: {name: a, role: primary, secondaries: [w, w]}\n",
		     "2:50: \"w\" stands in this list a second time"});
}

TEST(remotes_say_where_they_are)
{
	CHECK_WRONG({"remotes: {name: w}\n", "1:10: a remote without an address"},
		    {"remotes: {name: w, from: any}\n",
		     "1:26: \"from: any\" needs keys: else anybody could be this remote"},
		    {"remotes: {name: w, address: 192.0.2.1, from: any, keys: []}\n",
		     "1:46: \"from: any\" needs keys: else anybody could be this remote"},
		    {"remotes: {name: w, address: 192.0.2.0/24}\n",
		     "1:29: address: expected an address, with @PORT when that is not 53, found "
		     "\"192.0.2.0/24\""},
		    {"remotes: {name: any, address: 192.0.2.1}\n",
		     "1:17: \"any\" cannot be a name: it means something else"},
		    {"remotes: {name: 192.0.2.1, address: 192.0.2.1}\n",
		     "1:17: \"192.0.2.1\" cannot be a name: it means something else"},
		    {"remotes: {name: a b, address: 192.0.2.1}\n",
		     "1:17: \"a b\" cannot be a name: it has up to 63 letters, digits, \"-\", "
		     "\"_\" and \".\", and begins with a letter or digit"});
}

TEST(keys_have_one_secret_that_only_few_can_read)
{
	CHECK_WRONG(
		{"keys: {name: k}\n", "1:7: a key without a secret; add secret-file or secret"},
		{"keys: {name: k, secret-file: keys/a, secret: c2VjcmV0LWZvci10ZXN0cw==}\n",
		 "1:30: a key has either secret or secret-file, not both"},
		{"keys: {name: k, secret: \"c2VjcmV0LWZvci10ZXN0cw\"}\n",
		 "1:25: the secret is not base64"},
		{"keys: {name: k, secret-file: keys/bad}\n",
		 "1:30: /etc/lockstep/keys/bad is not base64"},
		{"keys: {name: k, secret-file: keys/none}\n",
		 "1:30: /etc/lockstep/keys/none: no such file"},
		{"keys: {name: k, secret-file: keys/open}\n",
		 "1:30: every user of this host can read /etc/lockstep/keys/open; take that away "
		 "(chmod o= /etc/lockstep/keys/open)"},
		{"keys: {name: k, secret-file: keys/a, algorithm: hmac-sha265}\n",
		 "1:49: unknown algorithm \"hmac-sha265\"; did you mean \"hmac-sha256\"?"},
		{"keys: {name: ., secret-file: keys/a}\n",
		 "1:14: \".\" cannot be the name of a key"});
}

/* RFC 9018 4.4. */
TEST(a_secret_for_cookies_has_16_octets_and_may_be_followed_by_another)
{
	const struct policy *policy;

	CHECK_WRONG(
		{"server: {cookie-secret: c2VjcmV0LWZvci10ZXN0cw==, cookie-secret-file: keys/a}\n",
		 "1:71: cookie-secret and cookie-secret-file; one of them is enough"},
		{"server: {cookie-secret: AAAAAAAAAAAAAAAAAAAAAAAA}\n",
		 "1:25: a secret for cookies of 18 octets; it has 16, or 32 with another that is "
		 "accepted"});
	policy = load("server: {cookie-secret: MDEyMzQ1Njc4OWFiY2RlZg==}\n");
	CHECK(policy && span_is_text(policy->server.cookie_secret, "0123456789abcdef"));
	loading_end(&loading);
	policy = load("server: {cookie-secret: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=}\n");
	CHECK(policy && policy->server.cookie_secret.len == 32);
	loading_end(&loading);
}

TEST(a_zone_may_rotate_its_records)
{
	const struct policy *policy = load("zones: {name: a, role: primary, rotate: yes}\n");

	CHECK(policy && policy->zones[0].rotate == SWITCH_YES);
	loading_end(&loading);
	policy = load("zones: {name: a, role: primary}\n");
	CHECK(policy && policy->zones[0].rotate == SWITCH_NO);
	loading_end(&loading);
}

TEST(a_file_with_a_secret_must_not_be_readable_by_others)
{
	loading = (struct loading){0};
	loading_add(&loading, "lockstep.yaml",
		    "keys:\n  - {name: a, secret: c2VjcmV0LWZvci10ZXN0cw==}\n"
		    "  - {name: b, secret: c2VjcmV0LWZvci10ZXN0cw==}\n");
	loading.files[0].others_can_read = true;
	loading_run(&loading, 0, 0);
	assert_string_equal(told(),
			    "2:23: lockstep.yaml holds a secret and every user of this host can "
			    "read it; take that away (chmod o= lockstep.yaml), or move the secret "
			    "to a file of its own (secret-file)");
	CHECK(!strstr(loading.text, "c2Vj"));
	loading_end(&loading);
}

TEST(a_short_secret_is_a_warning)
{
	const struct policy *policy = load("keys: {name: k, secret: Zm9vYmFy}\n");

	CHECK(policy && policy->keys[0].secret.len == 6 && loading.code == OK);
	assert_string_equal(told(), "1:25: warning: the secret has only 48 bits; fewer than 128 "
				    "can be guessed");
	loading_end(&loading);
}

TEST(no_message_shows_a_secret)
{
	static const char *const texts[] = {
		"keys: {name: k, secret: c2VjcmV0LWZvci10ZXN0cw==, algorythm: x}\n",
		"keys: {name: k, \"secret\": 'c2VjcmV0LWZvci10ZXN0cw==', algorithm: x}\n",
		"keys: {name: k, secret: \"c2VjcmV0LWZvci10ZXN0cw=\"}\n",
		"server: {cookie-secret: c2VjcmV0LWZvci10ZXN0c3dlZXQ=, usr: x}\n",
		"server: {cookie-secret: c2VjcmV0LWZvci10ZXN0c3dlZXQ=}\n",
		"keys:\n  - name: k\n    secret: c2VjcmV0LWZvci10ZXN0cw==\n    secret: x\n",
	};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		CHECK(!load(texts[i]) && loading.diagnostics.count > 0);
		CHECK(!strstr(loading.text, "c2Vj"));
		loading_end(&loading);
	}
}

TEST(the_line_and_a_caret_show_the_place)
{
	load("zones:\n  - name: a\n    rolle: primary\n");
	assert_string_equal(loading.text,
			    "lockstep.yaml:2:5: a zone without a role; add `role: primary` or "
			    "`role: secondary`\n"
			    "  - name: a\n"
			    "    ^\n"
			    "lockstep.yaml:3:5: unknown key \"rolle\" in a zone; did you mean "
			    "\"role\"?\n"
			    "    rolle: primary\n"
			    "    ^~~~~\n");
	loading_end(&loading);
}

TEST(all_errors_are_told_from_the_top_of_the_file)
{
	load("limits: {tcp-idle: 0s}\nzones: [{name: a}, {name: b, role: x}]\nserver: {user: }\n");
	assert_string_equal(told(), "1:20: tcp-idle is 0s; the least is 1s\n"
				    "2:9: a zone without a role; add `role: primary` or `role: "
				    "secondary`\n"
				    "2:36: unknown role \"x\"; there are: primary, secondary\n"
				    "3:10: user has no value; expected the name of a user");
	loading_end(&loading);
}

TEST(allow_lists_say_one_thing_an_item)
{
	CHECK_WRONG({"acls: {name: l, items: {deny: any, transport: udp}}\n",
		     "1:24: deny stands alone: {deny: {address: ..., key: ...}}"},
		    {"acls: {name: l, items: {deny: {deny: any}}}\n", "1:32: deny within deny"},
		    {"acls: {name: l, items: {}}\n",
		     "1:24: an item without a condition; `any` is everybody"},
		    {"acls: {name: l, items: {transport: quick}}\n",
		     "1:36: unknown transport \"quick\"; there are: udp, tcp"},
		    {"acls: [{name: l, items: m}, {name: m, items: [l]}]\n",
		     "1:47: acl \"l\" contains itself"},
		    {"acls: [{name: l, items: {deny: any}}, {name: m, items: {deny: l}}]\n",
		     "1:63: acl \"l\" has deny items, so it cannot stand behind deny"},
		    {"acls: {name: l, items: {address: []}}\n",
		     "1:34: address: from 1 to 256 values, found 0"});
}

TEST(conditions_of_an_item_must_all_hold_and_lists_in_it_are_alternatives)
{
	const struct policy *policy = load_right(
		"keys: [{name: k, secret-file: keys/a}, {name: l, secret-file: keys/a}]\n"
		"acls: {name: x, items: [{deny: {transport: udp}}, any]}\n"
		"zones:\n"
		"  - name: a\n"
		"    role: primary\n"
		"    allow-query:\n"
		"      - {address: [192.0.2.1, \"2001:db8::/32\"], key: [k, l], transport: tcp}\n"
		"      - {deny: {key: k}}\n"
		"      - x\n");
	const struct access_list *list = &policy->zones[0].allow_query;

	CHECK(list->count == 7);
	for (size_t i = 0; i < 4; i++) {
		const struct access_item *item = &list->items[i];
		CHECK(item->prefix && item->key && item->transports == 1 << TRANSPORT_TCP);
		CHECK(item->key == &policy->keys[i % 2] && !item->any_address);
		CHECK(item->prefix->address.family == (i < 2 ? 4 : 6));
	}
	CHECK(list->items[4].deny && list->items[4].key && !list->items[4].prefix);
	CHECK(list->items[5].deny && list->items[5].transports == 1 << TRANSPORT_UDP);
	CHECK(list->items[6].any_address && strcmp(list->items[6].acl, "x") == 0);
	loading_end(&loading);
}

TEST(zones_with_the_same_list_share_it)
{
	const struct policy *policy = load_right(
		"remotes: {name: w, address: 192.0.2.1}\n"
		"zones:\n"
		"  - {name: a, role: primary, allow-transfer: 192.0.2.0/24, secondaries: w}\n"
		"  - {name: b, role: primary, secondaries: [w], allow-transfer: [192.0.2.0/24]}\n");

	CHECK(policy->zones[0].allow_transfer.items == policy->zones[1].allow_transfer.items);
	CHECK(policy->zones[0].secondaries == policy->zones[1].secondaries);
	loading_end(&loading);
}

TEST(zones_stand_in_canonical_order)
{
	/* RFC 4034 6.1 */
	const struct policy *policy = load_right(
		"templates: {name: default, role: primary}\n"
		"zones: [{name: z.example}, {name: '\\200.z.example'}, {name: example}, "
		"{name: '*.z.example'}, {name: yljkjljk.a.example}, {name: zABC.a.EXAMPLE}, "
		"{name: '\\001.z.example'}, {name: Z.a.example}, {name: a.example}]\n");
	static const char *const order[] = {
		"example.",         "a.example.",      "yljkjljk.a.example.",
		"z.a.example.",     "zabc.a.example.", "z.example.",
		"\\001.z.example.", "*.z.example.",    "\\200.z.example.",
	};

	CHECK(policy->zone_count == ARRAY_COUNT(order));
	for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
		assert_string_equal(policy->zones[i].label, order[i]);
		CHECK(i == 0 || name_compare(policy->zones[i - 1].name, policy->zones[i].name) < 0);
	}
	loading_end(&loading);
}

TEST(included_files_add_up)
{
	loading = (struct loading){0};
	loading_add(&loading, "lockstep.yaml",
		    "include: [conf.d/*.yaml]\nzones: {name: b, role: primary}\n");
	loading_add(&loading, "/etc/lockstep/conf.d/1.yaml",
		    "zones: {name: c, role: primary, file: c.zone}\n");
	loading_add(&loading, "/etc/lockstep/conf.d/2.yaml",
		    "include: ../more.yml\nserver: {workers: 3}\n");
	loading_add(&loading, "/etc/lockstep/conf.d/../more.yml",
		    "zones: {name: a, role: primary}\nserver: {user: dns}\n");
	loading_run(&loading, 0, 0);
	assert_string_equal(loading.text, "");
	CHECK(loading.policy->zone_count == 3 && loading.policy->server.workers == 3);
	assert_string_equal(loading.policy->server.user, "dns");
	assert_string_equal(loading.policy->zones[2].file, "/etc/lockstep/conf.d/c.zone");
	assert_string_equal(loading.policy->zones[2].origin.file, "/etc/lockstep/conf.d/1.yaml");
	loading_end(&loading);
}

TEST(one_name_in_two_files_is_told_at_both_places)
{
	loading = (struct loading){0};
	loading_add(&loading, "lockstep.yaml",
		    "include: a.yaml\nserver: {user: x}\nzones: {name: b, role: primary}\n");
	loading_add(&loading, "/etc/lockstep/a.yaml",
		    "zones: {name: b, role: primary}\nserver: {user: y}\n");
	loading_run(&loading, 0, 0);
	assert_string_equal(told(), "1:15: zone \"b\" stands here a second time; the first is at "
				    "lockstep.yaml:3\n"
				    "2:10: \"user\" stands here a second time; the first is at "
				    "lockstep.yaml:2");
	assert_string_equal(loading.diagnostics.list[0].place.file, "/etc/lockstep/a.yaml");
	loading_end(&loading);
}

TEST(files_that_include_each_other_end)
{
	loading = (struct loading){0};
	loading_add(&loading, "/etc/lockstep/lockstep.yaml", "include: [a.yaml, b.yaml]\n");
	loading_add(&loading, "/etc/lockstep/a.yaml", "include: a.yaml\n");
	loading_add(&loading, "/etc/lockstep/b.yaml", "include: ['*.yaml', none.yaml]\n");
	loading_run(&loading, 0, 0);
	assert_string_equal(told(),
			    "1:10: /etc/lockstep/a.yaml includes itself\n"
			    "1:11: /etc/lockstep/lockstep.yaml includes itself\n"
			    "1:11: /etc/lockstep/a.yaml is included a second time; the first is in "
			    "/etc/lockstep/lockstep.yaml\n"
			    "1:11: /etc/lockstep/b.yaml includes itself\n"
			    "1:21: /etc/lockstep/none.yaml: no such file");
	loading_end(&loading);
}

TEST(includes_have_a_depth)
{
	char texts[12][64], paths[12][64];

	loading = (struct loading){0};
	for (int i = 0; i < 12; i++) {
		snprintf(paths[i], sizeof paths[i], "/etc/lockstep/%d.yaml", i);
		snprintf(texts[i], sizeof texts[i], "include: %d.yaml\n", i + 1);
		loading_add(&loading, paths[i], texts[i]);
	}
	loading_run(&loading, 0, 0);
	assert_string_equal(told(), "1:10: files include each other more than 8 deep");
	loading_end(&loading);
}

TEST(a_main_file_that_is_not_there_is_told)
{
	loading = (struct loading){0};
	loading_add(&loading, "other.yaml", "");
	loading.files[0].path = "gone.yaml";
	loading.file_count = 0;
	loading_run(&loading, 0, 0);
	CHECK(loading.code == E_SYNTAX);
	assert_string_equal(loading.text, "gone.yaml: gone.yaml: no such file\n");
	loading_end(&loading);
}

/* Whatever memory there is: a policy, or a clean refusal. */
TEST(memory_that_runs_out_anywhere_is_told_and_nothing_else_happens)
{
	size_t succeeded = 0;

	for (size_t max = 256; max < 200000; max += max / 16) {
		for (int which = 0; which < 2; which++) {
			loading = (struct loading){0};
			loading_add(&loading, "lockstep.yaml", example);
			loading_add(&loading, "/etc/lockstep/keys/a", "c2VjcmV0LWZvci10ZXN0cw==");
			loading_run(&loading, which ? max : 0, which ? 0 : max);
			CHECK(loading.code == OK || loading.code == E_NOMEM);
			CHECK((loading.code == OK) == (loading.policy != NULL));
			CHECK(loading.diagnostics.error_count == 0);
			succeeded += loading.code == OK;
			loading_end(&loading);
		}
	}
	CHECK(succeeded > 4);
}

TEST(a_hundred_thousand_zones_load)
{
	enum { ZONE_COUNT = 100000, ROW_MAX = 128 };
	char *text = malloc((size_t)ZONE_COUNT * ROW_MAX);
	size_t len = 0;

	CHECK(text);
	len += (size_t)sprintf(text, "remotes: {name: west, address: 192.0.2.1}\nzones:\n");
	for (unsigned i = 0; i < ZONE_COUNT; i++)
		len += (size_t)sprintf(
			text + len, "  - {name: z%u.example, role: primary, secondaries: west}\n",
			i * 7919 % ZONE_COUNT);
	const struct policy *policy = load_right(text);
	CHECK(policy->zone_count == ZONE_COUNT);
	CHECK(zone_of(policy, "z99999.example.")->secondary_count == 1);
	loading_end(&loading);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_means_what_the_manual_says),
		cmocka_unit_test(a_remotes_requests_come_from_its_address_unless_it_says_otherwise),
		cmocka_unit_test(a_zones_value_replaces_the_templates_whole_value),
		cmocka_unit_test(a_templates_file_serial_and_secondaries_reach_primaries_only),
		cmocka_unit_test(who_may_transfer_are_the_secondaries_then_the_list),
		cmocka_unit_test(everybody_may_query_and_nobody_transfer_by_default),
		cmocka_unit_test(an_empty_configuration_is_one),
		cmocka_unit_test(the_servers_name_can_be_hidden),
		cmocka_unit_test(an_empty_list_of_secondaries_is_meant),
		cmocka_unit_test(a_zones_name_becomes_a_harmless_part_of_a_path),
		cmocka_unit_test(unknown_keys_are_told_with_the_nearest),
		cmocka_unit_test(what_stands_twice_is_told_with_both_places),
		cmocka_unit_test(references_must_exist),
		cmocka_unit_test(values_have_a_type),
		cmocka_unit_test(a_name_that_is_none_is_told_by_whom_it_names),
		cmocka_unit_test(quantities_have_a_range),
		cmocka_unit_test(a_zone_says_what_its_role_needs_and_nothing_else),
		cmocka_unit_test(remotes_say_where_they_are),
		cmocka_unit_test(keys_have_one_secret_that_only_few_can_read),
		cmocka_unit_test(a_secret_for_cookies_has_16_octets_and_may_be_followed_by_another),
		cmocka_unit_test(a_zone_may_rotate_its_records),
		cmocka_unit_test(a_file_with_a_secret_must_not_be_readable_by_others),
		cmocka_unit_test(a_short_secret_is_a_warning),
		cmocka_unit_test(no_message_shows_a_secret),
		cmocka_unit_test(the_line_and_a_caret_show_the_place),
		cmocka_unit_test(all_errors_are_told_from_the_top_of_the_file),
		cmocka_unit_test(allow_lists_say_one_thing_an_item),
		cmocka_unit_test(
			conditions_of_an_item_must_all_hold_and_lists_in_it_are_alternatives),
		cmocka_unit_test(zones_with_the_same_list_share_it),
		cmocka_unit_test(zones_stand_in_canonical_order),
		cmocka_unit_test(included_files_add_up),
		cmocka_unit_test(one_name_in_two_files_is_told_at_both_places),
		cmocka_unit_test(files_that_include_each_other_end),
		cmocka_unit_test(includes_have_a_depth),
		cmocka_unit_test(a_main_file_that_is_not_there_is_told),
		cmocka_unit_test(memory_that_runs_out_anywhere_is_told_and_nothing_else_happens),
		cmocka_unit_test(a_hundred_thousand_zones_load),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
