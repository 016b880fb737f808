/* SPDX-License-Identifier: Apache-2.0 */
/* What goes out: the export, differences, explanations, the schema, the manual. */
#include "unit.h"

#include "config/yaml.h"
#include "loading.h"

#include <stdio.h>

static struct loading loading, again;
static char text[1 << 17];
static struct writer out;

static const char example[] =
	"server: {name: none, listen: [192.0.2.53, \"::1@5300\", eth0, wg0@5353], user: lockstep}\n"
	"keys:\n"
	"  - {name: b.example, secret: c2VjcmV0LWZvci10ZXN0cw==, algorithm: hmac-sha384-192}\n"
	"  - {name: a, secret: \"/////////////////////w==\"}\n"
	"remotes:\n"
	"  - {name: west, address: [198.51.100.1, \"2001:db8::1@5301\"], from: [any, "
	"192.0.2.0/24],\n"
	"     source: 192.0.2.53, keys: [b.example, a]}\n"
	"  - {name: \"on\", address: 192.0.2.1}\n"
	"  - {name: hq, from: \"2001:db8::/32\"}\n"
	"acls:\n"
	"  - {name: office, items: [{deny: 10.0.66.0/24}, 10.0.0.0/8, {deny: {key: a}}, hq]}\n"
	"templates:\n"
	"  - {name: default, file: \"zones/{zone}.zone\", serial: dateserial, secondaries: "
	"[west]}\n"
	"zones:\n"
	"  - {name: \"10\", role: primary, allow-transfer: [office, {key: a, address: any}]}\n"
	"  - {name: example.com, role: primary, secondaries: [],\n"
	"     allow-query: [{address: 192.0.2.1, transport: [tcp, udp]}, {transport: udp}, any]}\n"
	"  - {name: example.org, role: secondary, primaries: [\"on\", west], secondaries: west}\n"
	"  - {name: '\\042\\255.example', role: primary, file: \"a \\\" b: #\\\\ {zone}\"}\n"
	"  - {name: ., role: primary}\n"
	"limits: {zone-size: 1536K, tcp-idle: 1m30s, transfers-in: 7}\n";

static void collect(void *context, struct span chunk)
{
	(void)context;
	write_span(&out, chunk);
}

static const struct policy *load_into(struct loading *l, const char *what)
{
	*l = (struct loading){0};
	loading_add(l, "lockstep.yaml", what);
	loading_run(l, 0, 0);
	assert_string_equal(l->text, "");
	CHECK(l->policy);
	return l->policy;
}

static const char *export_of(const struct policy *policy, enum config_format format, bool secrets)
{
	out = writer_of(text, sizeof text - 1);
	config_export(policy, format, secrets, collect, NULL);
	CHECK(!out.overflow);
	text[out.len] = '\0';
	return text;
}

static size_t change_count;
static char changes[8192];

static void note_change(void *context, const struct config_change *change)
{
	char sentence[CONFIG_CHANGE_TEXT_MAX];
	size_t len = strlen(changes);

	(void)context;
	change_count++;
	snprintf(changes + len, sizeof changes - len, "%s%s", len ? "\n" : "",
		 config_change_print(change, sentence));
}

static const char *difference(const struct policy *before, const struct policy *after)
{
	change_count = 0;
	changes[0] = '\0';
	config_difference(before, after, note_change, NULL);
	return changes;
}

TEST(an_export_with_its_secrets_is_the_same_configuration)
{
	for (int format = CONFIG_YAML; format <= CONFIG_JSON; format++) {
		const struct policy *policy = load_into(&loading, example);
		const struct policy *same =
			load_into(&again, export_of(policy, (enum config_format)format, true));
		assert_string_equal(difference(policy, same), "");
		CHECK(same->zone_count == 5 && same->remote_count == 3);
		loading_end(&loading);
		loading_end(&again);
	}
}

TEST(an_export_reads_as_a_configuration)
{
	const struct policy *policy =
		load_into(&loading, "server: {name: ns1, workers: 2}\n"
				    "keys: {name: k, secret: c2VjcmV0LWZvci10ZXN0cw==}\n"
				    "remotes: {name: w, address: \"192.0.2.1@5301\", keys: k}\n"
				    "zones: {name: example.com, role: primary, secondaries: w}\n");
	const char *yaml = export_of(policy, CONFIG_YAML, false);
	static const char head[] = "server:\n"
				   "  name: ns1\n"
				   "  state: /var/lib/lockstep\n"
				   "  control: /run/lockstep/control.sock\n"
				   "  workers: 2\n"
				   "keys:\n"
				   "  - name: k\n"
				   "    algorithm: hmac-sha256\n"
				   "    secret: \"(hidden)\"\n"
				   "remotes:\n"
				   "  - name: w\n"
				   "    address: [\"192.0.2.1@5301\"]\n"
				   "    from: [\"192.0.2.1\"]\n"
				   "    keys: [k]\n"
				   "zones:\n"
				   "  - name: example.com\n"
				   "    role: primary\n"
				   "    serial: increment\n"
				   "    rotate: \"no\"\n"
				   "    secondaries: [w]\n"
				   "    allow-query: [any]\n"
				   "    allow-transfer: []\n"
				   "limits:\n"
				   "  tcp-connections: 10000\n";

	CHECK(strlen(yaml) > sizeof head);
	text[sizeof head - 1] = '\0';
	assert_string_equal(yaml, head);
	loading_end(&loading);
}

TEST(secrets_leave_only_when_asked_for)
{
	const struct policy *policy = load_into(&loading, example);

	CHECK(!strstr(export_of(policy, CONFIG_YAML, false), "c2Vj"));
	CHECK(!strstr(export_of(policy, CONFIG_JSON, false), "c2Vj"));
	CHECK(strstr(export_of(policy, CONFIG_JSON, true), "c2Vj"));
	loading_end(&loading);
}

TEST(a_difference_is_told_in_words_item_by_item)
{
	static const char before[] =
		"server: {user: a, workers: 2}\n"
		"keys: [{name: k, secret: c2VjcmV0LWZvci10ZXN0cw==}, {name: old, secret: "
		"c2VjcmV0LWZvci10ZXN0cw==}]\n"
		"remotes: [{name: east, address: 192.0.2.1}, {name: west, address: 192.0.2.2}]\n"
		"zones:\n"
		"  - {name: a, role: primary, secondaries: [west]}\n"
		"  - {name: b, role: primary, file: b.zone}\n"
		"  - {name: c, role: primary}\n";
	static const char after[] =
		"server: {listen: 192.0.2.53, user: a, workers: 3}\n"
		"keys: [{name: k, secret: d2VjcmV0LWZvci10ZXN0cw==}]\n"
		"remotes: [{name: west, address: 192.0.2.2, keys: k}, {name: east, address: "
		"192.0.2.1}]\n"
		"zones:\n"
		"  - {name: d.a, role: primary}\n"
		"  - {name: b, role: primary}\n"
		"  - {name: a, role: primary, secondaries: [east, west]}\n"
		"limits: {tcp-idle: 20s}\n";
	const struct policy *old = load_into(&loading, before);

	assert_string_equal(
		difference(old, load_into(&again, after)),
		"server: listen changed from nothing to [\"192.0.2.53\"] (the front restarts by "
		"itself)\n"
		"server: workers changed from 2 to 3 (when the service is restarted)\n"
		"limits: tcp-idle changed from \"10s\" to \"20s\"\n"
		"key k: secret changed\n"
		"key old removed\n"
		"remote west: keys changed from nothing to [k]\n"
		"zone a: secondaries changed from [west] to [east, west]\n"
		"zone d.a added\n"
		"zone b: file changed from /etc/lockstep/b.zone to nothing\n"
		"zone c removed");
	assert_string_equal(difference(old, old), "");
	loading_end(&loading);
	loading_end(&again);
}

TEST(each_kind_of_value_makes_a_difference)
{
	static const struct {
		const char *before, *after;
	} rows[] = {
		{"server: {name: a}", "server: {name: none}"},
		{"server: {listen: eth0}", "server: {listen: eth0@54}"},
		{"server: {listen: 192.0.2.1}", "server: {listen: 192.0.2.1@54}"},
		{"server: {state: /a}", "server: {state: /b}"},
		{"keys: {name: k, secret: \"/////////////////////w==\"}",
		 "keys: {name: k, secret: \"/////////////////////w==\", algorithm: hmac-sha1}"},
		{"remotes: {name: w, address: [192.0.2.1, 192.0.2.2], from: 192.0.2.1}",
		 "remotes: {name: w, address: [192.0.2.2, 192.0.2.1], from: 192.0.2.1}"},
		{"remotes: {name: w, from: 192.0.2.0/25}",
		 "remotes: {name: w, from: 192.0.2.0/24}"},
		{"remotes: {name: w, address: 192.0.2.0}",
		 "remotes: {name: w, address: 192.0.2.0, source: 192.0.2.9}"},
		{"zones: {name: a, role: primary}",
		 "zones: {name: a, role: primary, serial: unixtime}"},
		{"zones: {name: a, role: primary}",
		 "zones: {name: a, role: primary, secondaries: []}"},
		{"zones: {name: a, role: primary, allow-query: [10.0.0.0/8, any]}",
		 "zones: {name: a, role: primary, allow-query: [{deny: 10.0.0.0/8}, any]}"},
		{"zones: {name: a, role: primary, allow-query: {transport: udp}}",
		 "zones: {name: a, role: primary, allow-query: {transport: tcp}}"},
		{"limits: {zone-size: 1G}", "limits: {zone-size: 2G}"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct policy *before = load_into(&loading, rows[i].before);
		const struct policy *after = load_into(&again, rows[i].after);
		difference(before, after);
		CHECK(change_count == 1);
		difference(after, before);
		CHECK(change_count == 1);
		loading_end(&loading);
		loading_end(&again);
	}
}

TEST(a_change_of_role_tells_what_goes_with_it)
{
	const struct policy *before =
		load_into(&loading, "remotes: {name: w, address: 192.0.2.1}\n"
				    "zones: {name: a, role: primary, file: a.zone}\n");
	const struct policy *after =
		load_into(&again, "remotes: {name: w, address: 192.0.2.1}\n"
				  "zones: {name: a, role: secondary, primaries: w}\n");

	assert_string_equal(difference(before, after),
			    "zone a: role changed from primary to secondary\n"
			    "zone a: file changed from /etc/lockstep/a.zone to nothing\n"
			    "zone a: serial changed from increment to nothing\n"
			    "zone a: primaries changed from nothing to [w]");
	loading_end(&loading);
	loading_end(&again);
}

TEST(a_long_value_is_cut)
{
	char before[4096] = "zones: {name: a, role: primary, allow-query: [", *end = before;
	const struct policy *short_one, *long_one;

	end += strlen(before);
	for (int i = 0; i < 100; i++) end += sprintf(end, "192.0.2.%d, ", i);
	strcpy(end, "any]}");
	long_one = load_into(&loading, before);
	short_one = load_into(&again, "zones: {name: a, role: primary}");
	difference(short_one, long_one);
	CHECK(change_count == 1 && strlen(changes) < CONFIG_CHANGE_TEXT_MAX);
	CHECK(strcmp(changes + strlen(changes) - 3, "...") == 0);
	loading_end(&loading);
	loading_end(&again);
}

static const char *explain(const char *key, enum code expected)
{
	struct error err = {0};

	out = writer_of(text, sizeof text - 1);
	CHECK(config_explain(span_of_text(key), &out, &err) == expected && !out.overflow);
	text[out.len] = '\0';
	if (expected != OK) snprintf(text, sizeof text, "%s", err.text);
	return text;
}

TEST(a_setting_is_explained_with_value_default_and_effect)
{
	assert_string_equal(explain("limits.tcp-idle", OK),
			    "limits.tcp-idle\n"
			    "  A TCP connection without a query for so long is closed.\n"
			    "  Value: a duration such as 500ms, 30s, 1h30m or 2w, from 1s to 1h. "
			    "Default:\n"
			    "  10s. A change takes effect with config apply.\n");
	CHECK(strstr(explain("server", OK), "server\n  The server itself.\n\nserver.name\n") ==
	      text);
	CHECK(strstr(explain("name", OK), "zones.name\n") && strstr(text, "remotes.name\n"));
	CHECK(strstr(explain("keys", OK), "keys.secret-file\n") && strstr(text, "remotes.keys\n"));
	CHECK(strstr(explain("include", OK), "include\n"));
	CHECK(strstr(explain("templates.file", OK), "templates.file\n"));
	assert_string_equal(
		explain("zones.alow-query", E_NOT_FOUND),
		"there is no setting \"zones.alow-query\"; did you mean \"zones.allow-query\"?");
	assert_string_equal(explain("server.file", E_NOT_FOUND),
			    "there is no setting \"server.file\"; did you mean \"zones.file\"?");
	assert_string_equal(explain("zone.file", E_NOT_FOUND),
			    "there is no setting \"zone.file\"; did you mean \"zones.file\"?");
	assert_string_equal(explain("zonse", E_NOT_FOUND),
			    "there is no setting \"zonse\"; did you mean \"zones\"?");
	assert_string_equal(explain("wombat", E_NOT_FOUND), "there is no setting \"wombat\"");
	explain("", E_NOT_FOUND);
	explain(".", E_NOT_FOUND);
}

/* Each key that completion offers is one that can be explained, and is in the manual. */
TEST(every_setting_has_its_place_in_each_text)
{
	static char keys[8192], manual[1 << 16], schema[1 << 17];
	struct writer k = writer_of(keys, sizeof keys - 1),
		      m = writer_of(manual, sizeof manual - 1);
	struct json json;
	size_t count = 0;

	config_keys(&k);
	config_manual(&m);
	out = writer_of(schema, sizeof schema - 1);
	json_init(&json, collect, NULL);
	config_schema(&json);
	json_end(&json);
	CHECK(!k.overflow && !m.overflow && !out.overflow);
	for (char *line = strtok(keys, "\n"); line; line = strtok(NULL, "\n"), count++) {
		char quoted[64], bold[64];
		const char *dot = strchr(line, '.');
		snprintf(quoted, sizeof quoted, "\"%s\":{\"description\"", dot ? dot + 1 : line);
		snprintf(bold, sizeof bold, "\n.B %.3s", dot ? dot + 1 : line);
		explain(line, OK);
		CHECK(strstr(schema, quoted) && strstr(manual, bold));
	}
	CHECK(count > 40);
}

/* JSON is YAML, so our own reader tells whether the schema is well-formed. */
TEST(the_schema_is_json)
{
	struct json json;
	struct diagnostics diagnostics = {.arena = arena_new(1 << 22)};
	const struct node *root;

	out = writer_of(text, sizeof text - 1);
	json_init(&json, collect, NULL);
	config_schema(&json);
	json_end(&json);
	struct yaml_source source = {.file = "schema", .text = writer_span(&out)};
	enum code code = yaml_parse(&source, diagnostics.arena, &diagnostics, &root);
	CHECK(code == OK && diagnostics.count == 0 && root->kind == NODE_MAP);
	arena_free(diagnostics.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_export_with_its_secrets_is_the_same_configuration),
		cmocka_unit_test(an_export_reads_as_a_configuration),
		cmocka_unit_test(secrets_leave_only_when_asked_for),
		cmocka_unit_test(a_difference_is_told_in_words_item_by_item),
		cmocka_unit_test(each_kind_of_value_makes_a_difference),
		cmocka_unit_test(a_change_of_role_tells_what_goes_with_it),
		cmocka_unit_test(a_long_value_is_cut),
		cmocka_unit_test(a_setting_is_explained_with_value_default_and_effect),
		cmocka_unit_test(every_setting_has_its_place_in_each_text),
		cmocka_unit_test(the_schema_is_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
