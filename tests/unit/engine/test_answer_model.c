/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second answerer that is too simple to be wrong in the same way: it knows a plain
 * list of records and compares names. Random small zones are asked random questions;
 * rcode, AA and every record of every section must agree.
 */
#include "answer_fixture.h"

enum { RECORDS = 60, ZONES = 3, WORLDS = 150, QUESTIONS = 400, LINES_MAX = 400, LINE_MAX = 200 };

struct line {
	char text[LINE_MAX];
};

struct lines {
	size_t count;
	struct line list[LINES_MAX];
};

struct model_zone {
	struct name apex;
	struct records records;
};

static struct world world;
static struct model_zone zones[ZONES];
static struct lines expected, got;
static uint32_t seed;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* ---- random zones ---- */

/* A name of up to four labels out of four, below one of the apexes or nowhere. */
static struct name random_name(void)
{
	static const char *const tops[] = {"z.", "a.z.", "y.", "z.", "z.", "n."};
	static const char *const labels[] = {"a.", "b.", "c.", "*."};
	char text[64] = "";
	unsigned count = random_below(4);

	for (unsigned i = 0; i < count; i++) strcat(text, labels[random_below(i == 0 ? 4 : 3)]);
	strcat(text, tops[random_below(ARRAY_COUNT(tops))]);
	return world_name(&world, text);
}

static bool zone_has(const struct model_zone *zone, struct name owner, uint16_t type)
{
	for (size_t i = 0; i < zone->records.count; i++) {
		struct record record = records_get(&zone->records, i);
		if (name_equal(record.owner, owner) && (type == RRTYPE_ANY || record.type == type))
			return true;
	}
	return false;
}

/* What would make of the set something that is no zone (zone/checks.h). */
static bool fits_zone(const struct model_zone *zone, struct name owner, uint16_t type)
{
	bool at_apex = name_equal(owner, zone->apex);

	if (zone_has(zone, owner, RRTYPE_CNAME)) return false;
	if (type == RRTYPE_CNAME && zone_has(zone, owner, RRTYPE_ANY)) return false;
	if (type == RRTYPE_DNAME && zone_has(zone, owner, RRTYPE_DNAME)) return false;
	if (type == RRTYPE_DS && at_apex) return false;
	if (type == RRTYPE_DNAME && !at_apex && zone_has(zone, owner, RRTYPE_NS)) return false;
	if (type == RRTYPE_NS && !at_apex && zone_has(zone, owner, RRTYPE_DNAME)) return false;
	for (size_t i = 0; i < zone->records.count; i++) {
		struct record record = records_get(&zone->records, i);
		if (name_equal(record.owner, owner)) continue;
		if (type == RRTYPE_DNAME && name_is_below(record.owner, owner)) return false;
		if (record.type == RRTYPE_DNAME && name_is_below(owner, record.owner)) return false;
	}
	return true;
}

static void add_random(struct model_zone *zone)
{
	static const uint16_t types[] = {RRTYPE_A,  RRTYPE_AAAA,  RRTYPE_TXT, RRTYPE_MX,
					 RRTYPE_NS, RRTYPE_CNAME, RRTYPE_A,   RRTYPE_CNAME,
					 RRTYPE_NS, RRTYPE_DNAME, RRTYPE_DS};
	uint8_t octets[64] = {0};
	struct writer w = writer_of(octets, sizeof octets);
	struct name owner = random_name(), target = random_name();
	uint16_t type = types[random_below(ARRAY_COUNT(types))];

	if (!name_is_below(owner, zone->apex) || !fits_zone(zone, owner, type)) return;
	if (type == RRTYPE_MX) write_u16(&w, 10);
	switch (type) {
	case RRTYPE_A: write_u32(&w, random_below(3)); break;
	case RRTYPE_AAAA: writer_take(&w, 16); break;
	case RRTYPE_TXT: write_bytes(&w, "\1t", 2); break;
	case RRTYPE_DS: write_bytes(&w, "\0\1\15\2", 4), writer_take(&w, 32); break;
	default: write_bytes(&w, target.wire, target.len); break;
	}
	struct record record = {owner, type, CLASS_IN, 3600, writer_span(&w)};
	CHECK(records_add(&zone->records, &record, (struct place){0}, NULL) == OK);
}

static void build_world(void)
{
	static const char *const apexes[ZONES] = {"z.", "a.z.", "y."};

	for (size_t i = 0; i < ZONES; i++) {
		struct model_zone *zone = &zones[i];
		struct publication *p = world_publish(&world, apexes[i], NULL);
		char text[128];
		zone->apex = p->name;
		snprintf(text, sizeof text, "@ 3600 SOA n.%s a.%s %u 1 1 1 60\n@ 3600 NS b.%s\n",
			 apexes[i], apexes[i], (unsigned)i, apexes[i]);
		world_records(&world, zone->apex, text, &zone->records);
		for (unsigned n = random_below(RECORDS); n > 0; n--) add_random(zone);
		zone->records.sorted = false;
		CHECK(records_sort(&zone->records, NULL) == OK);
		p->view = world_view(&world, zone->apex, &zone->records);
	}
}

/* ---- the model ---- */

static void add_line(struct lines *lines, const char *text, size_t len)
{
	CHECK(lines->count < LINES_MAX && len < LINE_MAX);
	memcpy(lines->list[lines->count].text, text, len);
	lines->list[lines->count++].text[len] = '\0';
}

static void expect(const char *section, struct name owner, uint32_t ttl,
		   const struct record *record)
{
	char text[LINE_MAX];
	struct writer w = writer_of(text, sizeof text);
	struct record shown = *record;

	shown.owner = owner;
	shown.ttl = ttl;
	write_text(&w, section);
	write_u8(&w, ' ');
	size_t len = w.len;
	record_print(&shown, &w);
	for (; len < w.len; len++)
		if (text[len] == '\t') text[len] = ' ';
	add_line(&expected, text, w.len - 1);
}

/* All records of a name and type, under another owner; returns how many. */
static unsigned expect_set(const struct model_zone *zone, const char *section, struct name at,
			   uint16_t type, struct name owner)
{
	unsigned count = 0;

	for (size_t i = 0; i < zone->records.count; i++) {
		struct record record = records_get(&zone->records, i);
		if (!name_equal(record.owner, at)) continue;
		if (type != RRTYPE_ANY && record.type != type) continue;
		expect(section, owner, record.ttl, &record);
		count++;
	}
	return count;
}

static const struct model_zone *zone_of(struct name name)
{
	const struct model_zone *best = NULL;

	for (size_t i = 0; i < ZONES; i++) {
		if (!name_is_below(name, zones[i].apex)) continue;
		if (!best || zones[i].apex.len > best->apex.len) best = &zones[i];
	}
	return best;
}

/* Something has this name or a name below it (RFC 4592 2.2.2). */
static bool exists(const struct model_zone *zone, struct name name)
{
	for (size_t i = 0; i < zone->records.count; i++)
		if (name_is_below(records_get(&zone->records, i).owner, name)) return true;
	return false;
}

/* The highest name between apex and `name` that is a cut, or above `name` has DNAME. */
static bool interrupted(const struct model_zone *zone, struct name name, struct name *at,
			uint16_t *type)
{
	unsigned labels = name_label_count(name), apex = name_label_count(zone->apex);

	for (unsigned depth = apex; depth <= labels; depth++) {
		*at = name_without_labels(name, labels - depth);
		*type = RRTYPE_NS;
		if (depth > apex && zone_has(zone, *at, RRTYPE_NS)) return true;
		*type = RRTYPE_DNAME;
		if (depth < labels && zone_has(zone, *at, RRTYPE_DNAME)) return true;
	}
	return false;
}

static struct name target_of(const struct model_zone *zone, struct name owner, uint16_t type)
{
	for (size_t i = 0; i < zone->records.count; i++) {
		struct record record = records_get(&zone->records, i);
		if (name_equal(record.owner, owner) && record.type == type)
			return (struct name){record.rdata.ptr, (uint8_t)record.rdata.len};
	}
	fail_msg("no such record");
	return name_root();
}

static void expect_addresses(const struct model_zone *zone, struct name target)
{
	expect_set(zone, "ad", target, RRTYPE_A, target);
	expect_set(zone, "ad", target, RRTYPE_AAAA, target);
}

/* The addresses of what NS (at a cut: whatever stands there) and MX point at. */
static void expect_targets(const struct model_zone *zone, struct name at, uint16_t qtype, bool glue)
{
	for (size_t i = 0; i < zone->records.count; i++) {
		struct record record = records_get(&zone->records, i);
		size_t skip = record.type == RRTYPE_MX ? 2 : 0;
		struct name target = {record.rdata.ptr + skip, (uint8_t)(record.rdata.len - skip)},
			    in;
		uint16_t type;
		if (!name_equal(record.owner, at)) continue;
		if (record.type != RRTYPE_MX && record.type != RRTYPE_NS) continue;
		if (qtype != RRTYPE_ANY && qtype != record.type) continue;
		if (!name_is_below(target, zone->apex)) continue;
		if (!glue && interrupted(zone, target, &in, &type) && type == RRTYPE_DNAME)
			continue;
		expect_addresses(zone, target);
	}
}

static void expect_negative(const struct model_zone *zone)
{
	for (size_t i = 0; i < zone->records.count; i++) {
		struct record record = records_get(&zone->records, i);
		if (record.type == RRTYPE_SOA) expect("au", zone->apex, 60, &record);
	}
}

static bool ds_is_at(const struct model_zone *zone, struct name name)
{
	struct name at;
	uint16_t type;

	return zone && interrupted(zone, name, &at, &type) && type == RRTYPE_NS &&
	       name_equal(at, name);
}

/* One name; false at the end, else `next` is where the alias leads. */
static bool model_step(const struct model_zone *zone, struct name qname, uint16_t qtype,
		       uint16_t *rcode, struct name_buffer *next)
{
	struct name at, source = qname;
	struct name_buffer wildcard;
	uint16_t type;
	bool stopped = interrupted(zone, qname, &at, &type);

	if (stopped && type == RRTYPE_DNAME) {
		struct name target = target_of(zone, at, RRTYPE_DNAME);
		expect_set(zone, "an", at, RRTYPE_DNAME, at);
		size_t prefix = (size_t)(qname.len - at.len);
		memcpy(next->wire, qname.wire, prefix);
		memcpy(next->wire + prefix, target.wire, target.len);
		next->len = (uint8_t)(prefix + target.len);
		struct record cname = {.type = RRTYPE_CNAME,
				       .class = CLASS_IN,
				       .rdata = span_of(next->wire, next->len)};
		expect("an", qname, 3600, &cname);
		return qtype != RRTYPE_CNAME && qtype != RRTYPE_ANY;
	}
	if (stopped && (qtype != RRTYPE_DS || !name_equal(at, qname))) {
		expect_set(zone, "au", at, RRTYPE_NS, at);
		expect_targets(zone, at, RRTYPE_NS, true);
		return false;
	}
	if (!exists(zone, qname)) {
		struct name encloser = name_parent(qname);
		while (!exists(zone, encloser)) encloser = name_parent(encloser);
		CHECK(name_wildcard_child(encloser, &wildcard));
		source = name_of(&wildcard);
		if (!exists(zone, source)) {
			*rcode = RCODE_NXDOMAIN;
			expect_negative(zone);
			return false;
		}
	}
	if (expect_set(zone, "an", source, qtype, qname)) {
		expect_targets(zone, source, qtype, false);
		return false;
	}
	if (expect_set(zone, "an", source, RRTYPE_CNAME, qname)) {
		name_copy(next, target_of(zone, source, RRTYPE_CNAME));
		return true;
	}
	expect_negative(zone);
	return false;
}

static void model_answer(struct name qname, uint16_t qtype)
{
	struct name_buffer seen[ALIAS_STEPS_MAX + 1], next;
	uint16_t rcode = RCODE_NOERROR, type;
	struct name at;
	bool aa = false;
	char text[LINE_MAX], rcode_text[RCODE_TEXT_MAX];

	expected.count = 0;
	name_copy(&seen[0], qname);
	for (unsigned step = 0;; step++) {
		struct name name = name_of(&seen[step]);
		const struct model_zone *zone = zone_of(name), *parent = zone_of(name_parent(name));
		if (!zone && step == 0) rcode = RCODE_REFUSED;
		if (!zone) break;
		if (qtype == RRTYPE_DS && name_equal(zone->apex, name) && ds_is_at(parent, name))
			zone = parent;
		bool cut = interrupted(zone, name, &at, &type) && type == RRTYPE_NS &&
			   !(qtype == RRTYPE_DS && name_equal(at, name));
		if (step == 0) aa = !cut;
		if (!model_step(zone, name, qtype, &rcode, &next)) break;
		bool again = step == ALIAS_STEPS_MAX;
		for (unsigned i = 0; i <= step; i++)
			again = again || name_equal(name_of(&seen[i]), name_of(&next));
		if (again) break;
		seen[step + 1] = next;
	}
	int len = snprintf(text, sizeof text, "%s%s", rcode_to_text(rcode, rcode_text),
			   aa ? " aa" : "");
	add_line(&expected, text, (size_t)len);
}

/* ---- comparison ---- */

static void sort_lines(struct lines *lines)
{
	for (size_t i = 1; i < lines->count; i++) {
		struct line line = lines->list[i];
		size_t to = i;
		for (; to > 0 && strcmp(lines->list[to - 1].text, line.text) > 0; to--)
			lines->list[to] = lines->list[to - 1];
		lines->list[to] = line;
	}
}

/* A record stands in an answer once, and not in the additional section if anywhere else. */
static void drop_repeated(struct lines *lines)
{
	size_t kept = 0;

	for (size_t i = 0; i < lines->count; i++) {
		bool repeated = false;
		for (size_t j = 0; j < lines->count && !repeated; j++) {
			if (j < i && !strcmp(lines->list[i].text, lines->list[j].text))
				repeated = true;
			if (!memcmp(lines->list[i].text, "ad ", 3) &&
			    !memcmp(lines->list[j].text, "an ", 3))
				repeated = repeated || !strcmp(lines->list[i].text + 3,
							       lines->list[j].text + 3);
		}
		if (!repeated) lines->list[kept++] = lines->list[i];
	}
	lines->count = kept;
}

static void split(const char *text, struct lines *lines)
{
	lines->count = 0;
	for (const char *end; (end = strchr(text, '\n')); text = end + 1)
		add_line(lines, text, (size_t)(end - text));
}

static void compare(const char *question)
{
	sort_lines(&got);
	drop_repeated(&expected);
	sort_lines(&expected);
	for (size_t i = 0; i < got.count || i < expected.count; i++) {
		const char *a = i < got.count ? got.list[i].text : "(nothing)";
		const char *b = i < expected.count ? expected.list[i].text : "(nothing)";
		if (strcmp(a, b) != 0)
			fail_msg("%s\nanswered: %s\nexpected: %s\n%s", question, a, b, world.text);
	}
}

TEST(every_answer_is_what_a_plain_list_of_records_says)
{
	static const uint16_t types[] = {RRTYPE_A,     RRTYPE_TXT,   RRTYPE_MX, RRTYPE_NS,
					 RRTYPE_CNAME, RRTYPE_DNAME, RRTYPE_DS, RRTYPE_SOA,
					 RRTYPE_AAAA,  RRTYPE_ANY};

	for (unsigned round = 1; round <= WORLDS; round++) {
		seed = round;
		world_open(&world);
		build_world();
		for (unsigned i = 0; i < QUESTIONS; i++) {
			char question[NAME_TEXT_MAX + 32], name[NAME_TEXT_MAX],
				type[RRTYPE_TEXT_MAX];
			struct name qname = random_name();
			uint16_t qtype = types[random_below(ARRAY_COUNT(types))];
			snprintf(question, sizeof question, "%s %s tcp", name_to_text(qname, name),
				 rrtype_to_text(qtype, type));
			split(world_ask(&world, question), &got);
			model_answer(qname, qtype);
			compare(question);
		}
		world_close(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_is_what_a_plain_list_of_records_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
