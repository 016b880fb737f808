/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h - a zone as a list of lines, changed at random, its chains of NSEC and NSEC3
 * made anew each time: what layers of images are compared with.
 */
#ifndef TESTS_UNIT_ZONE_MODEL_H
#define TESTS_UNIT_ZONE_MODEL_H

#include "zone/image_fixture.h"

#include "zone/change.h"

#include <stdio.h>
#include <stdlib.h>

enum { MODEL_LINES_MAX = 4096, MODEL_NAME_MAX = 64, MODEL_HASH_LEN = 32 };

/* The data of every line; the model sees to it that the chains fit. */
static const char *const model_data[] = {
	"A 192.0.2.1",
	"A 192.0.2.2",
	"AAAA 2001:db8::1",
	"TXT x",
	"TXT y",
	"MX 5 mail.example.",
	"NS ns.example.",
	"NS ns.cut.example.",
	"DS 1 13 200 0011",
	"DNAME other.",
	"CNAME a.example.",
	"SRV 0 0 53 a.example.",
};

struct model_line {
	char owner[MODEL_NAME_MAX];
	unsigned data;
};

struct model {
	uint64_t seed;
	uint32_t serial;
	bool has_nsec, has_nsec3, is_signed;
	bool is_loose;    /* links say nothing of the next one, so none changes when that goes */
	unsigned ttls[8]; /* by a hash of owner and type */
	size_t count, lines_max;
	unsigned bulk_count; /* names with much data, which never change */
	struct model_line lines[MODEL_LINES_MAX];
};

static inline uint64_t model_hash(struct name name)
{
	struct name_buffer lower;
	uint64_t hash = UINT64_C(14695981039346656037);

	name_lower(name, &lower);
	for (unsigned i = 0; i < lower.len; i++)
		hash = (hash ^ lower.wire[i]) * UINT64_C(1099511628211);
	return hash;
}

/* In place of the hash of NSEC3, whose form it has (RFC 5155 3). */
static inline void model_hash_label(uint64_t hash, char *out)
{
	for (unsigned i = 0; i < MODEL_HASH_LEN; i++) {
		unsigned digit = draw(&hash, 32);
		out[i] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
	}
	out[MODEL_HASH_LEN] = '\0';
}

static inline void model_name(struct model *model, unsigned depth, char *out)
{
	static const char *const labels[] = {"a", "b", "*", "c", "d", "_tcp", "\\000", "zz"};
	char *end = out;

	for (unsigned count = draw(&model->seed, depth + 1); count > 0; count--) {
		if (model->lines_max > 100 && count == 1 && draw(&model->seed, 4))
			end += sprintf(end, "n%u.", draw(&model->seed, 5000));
		else
			end += sprintf(end, "%s.", labels[draw(&model->seed, ARRAY_COUNT(labels))]);
	}
	strcpy(end, "example.");
}

static inline size_t model_find(const struct model *model, const char *owner, unsigned data)
{
	size_t i = 0;

	while (i < model->count &&
	       (model->lines[i].data != data || strcmp(model->lines[i].owner, owner) != 0))
		i++;
	return i;
}

static inline void model_add(struct model *model, const char *owner, unsigned data)
{
	if (model->count == model->lines_max || model_find(model, owner, data) < model->count)
		return;
	strcpy(model->lines[model->count].owner, owner);
	model->lines[model->count++].data = data;
}

static inline void model_remove(struct model *model, size_t i)
{
	model->lines[i] = model->lines[--model->count];
}

/* Every line at or below a name. */
static inline void model_prune(struct model *model, const char *owner)
{
	struct name_buffer top, name;

	for (size_t i = model->count; i-- > 0;)
		if (name_is_below(name_in(&name, model->lines[i].owner), name_in(&top, owner)))
			model_remove(model, i);
}

/* One step: some lines come, some go; now and then a whole subtree, a TTL or a chain. */
static inline void model_step(struct model *model)
{
	char owner[MODEL_NAME_MAX];

	model->serial++;
	for (unsigned n = draw(&model->seed, 6); n > 0; n--) {
		model_name(model, 3, owner);
		/* It grows fast when it is small. */
		if (draw(&model->seed, (uint32_t)model->lines_max) >= model->count * 2 / 3)
			model_add(model, owner, draw(&model->seed, ARRAY_COUNT(model_data)));
		else
			model_remove(model, draw(&model->seed, (uint32_t)model->count));
	}
	if (draw(&model->seed, 12) == 0) {
		model_name(model, 2, owner);
		if (strcmp(owner, "example.") != 0 || draw(&model->seed, 10) == 0)
			model_prune(model, owner);
	}
	if (draw(&model->seed, 25) == 0) model->ttls[draw(&model->seed, 8)]++;
	if (model->lines_max > 100) return;
	if (draw(&model->seed, 30) == 0) model->has_nsec = !model->has_nsec;
	if (draw(&model->seed, 30) == 0) model->has_nsec3 = !model->has_nsec3;
	if (draw(&model->seed, 40) == 0) model->is_signed = !model->is_signed;
}

static inline unsigned model_ttl(const struct model *model, struct name owner, uint16_t type)
{
	return 300 + model->ttls[(model_hash(owner) + type) % 8];
}

static inline void model_data_add(const struct model *model, struct records *set)
{
	struct name_buffer owner;
	char line[400];

	snprintf(line, sizeof line, "example. 9 SOA ns.example. h.example. %u 2 3 4 5",
		 model->serial);
	add_line(set, line, 0);
	for (size_t i = 0; i < model->count; i++) {
		const char *text = model_data[model->lines[i].data];
		uint16_t type;
		CHECK(rrtype_from_text(span_of(text, strcspn(text, " ")), &type));
		snprintf(line, sizeof line, "%s %u %s", model->lines[i].owner,
			 model_ttl(model, name_in(&owner, model->lines[i].owner), type), text);
		add_line(set, line, 0);
	}
	for (unsigned i = 0; i < model->bulk_count; i++) {
		snprintf(line, sizeof line, "bulk%u.example. 5 TXT %0250u", i, i);
		add_line(set, line, 0);
	}
	CHECK(records_sort(set, NULL) == OK);
}

/* Not below a cut, so that it has a place in the chain (RFC 4035 2.3). */
static inline bool model_is_authoritative(const struct records *set, struct name name)
{
	for (; name_label_count(name) > 2; name = name_parent(name)) {
		struct name parent = name_parent(name);
		if (name_label_count(parent) > 1 && owns(set, parent, RRTYPE_NS)) return false;
	}
	return true;
}

/* A link of the chain with this next name, and what the last one was made of. */
static inline void model_link(const struct model *model, struct records *set, const char *owner,
			      const char *next, bool is_nsec3)
{
	char line[2 * NAME_TEXT_MAX + 100];

	if (model->is_loose) next = is_nsec3 ? "00000000000000000000000000000000" : "example.";
	if (is_nsec3)
		snprintf(line, sizeof line, "%.32s.example. 60 NSEC3 1 0 0 - %.32s A RRSIG", owner,
			 next);
	else
		snprintf(line, sizeof line, "%s 60 NSEC %s A RRSIG NSEC", owner, next);
	add_line(set, line, 0);
}

static inline int model_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static inline void model_nsec_add(const struct model *model, const struct records *data,
				  struct records *set)
{
	char first[NAME_TEXT_MAX], last[NAME_TEXT_MAX] = "", text[NAME_TEXT_MAX];
	struct name owner = {0};

	for (size_t i = 0; i < data->count; i++) {
		struct record record = records_get(data, i);
		if (owner.len && name_equal(owner, record.owner)) continue;
		owner = record.owner;
		if (!model_is_authoritative(data, owner)) continue;
		name_to_text(owner, text);
		if (*last)
			model_link(model, set, last, text, false);
		else
			strcpy(first, text);
		strcpy(last, text);
	}
	model_link(model, set, last, first, false);
}

/* One for each name, those without records too (RFC 5155 7.1). */
static inline void model_nsec3_add(const struct model *model, const struct records *data,
				   struct records *set)
{
	static char hashes[2 * MODEL_LINES_MAX][MODEL_HASH_LEN + 1];
	size_t count = 0;

	for (size_t i = 0; i < data->count; i++) {
		struct name name = records_get(data, i).owner;
		if (!model_is_authoritative(data, name)) continue;
		for (; name_label_count(name) > 0 && count < ARRAY_COUNT(hashes);
		     name = name_parent(name))
			model_hash_label(model_hash(name), hashes[count++]);
	}
	qsort(hashes, count, sizeof hashes[0], model_compare);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && !strcmp(hashes[i], hashes[next]);) next++;
		const char *to = hashes[next < count ? next : 0];
		model_link(model, set, hashes[i], to, true);
	}
}

/* A signature for each RRset; what it says does not matter here. */
static inline void model_sign(const struct records *data, struct records *set)
{
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX], line[NAME_TEXT_MAX + 200];

	for (size_t i = 0; i < data->count; i++) {
		struct record record = records_get(data, i);
		name_to_text(record.owner, owner);
		if (!model_is_authoritative(data, record.owner)) continue;
		snprintf(line, sizeof line,
			 "%s %u RRSIG %s 13 1 60 20300101000000 20260101000000 7 example. c2ln",
			 owner, record.ttl, rrtype_to_text(record.type, type));
		add_line(set, line, 0);
	}
}

/* The whole zone, sorted. */
static inline void model_records(const struct model *model, struct records *set)
{
	struct records data;

	records_init(&data, set->arena);
	model_data_add(model, &data);
	model_data_add(model, set);
	if (model->has_nsec) model_nsec_add(model, &data, set);
	if (model->has_nsec3) model_nsec3_add(model, &data, set);
	if (model->is_signed) {
		CHECK(records_sort(set, NULL) == OK);
		records_init(&data, set->arena);
		for (size_t i = 0; i < set->count; i++) {
			struct record record = records_get(set, i);
			CHECK(records_add(&data, &record, (struct place){0}, NULL) == OK);
		}
		CHECK(records_sort(&data, NULL) == OK);
		model_sign(&data, set);
	}
	CHECK(records_sort(set, NULL) == OK);
}

/* The owner that view_chain_find is to tell, from the list; len 0: there is none. */
static inline struct name model_chain_find(const struct records *set, uint16_t type,
					   struct name name)
{
	struct name found = {0}, last = {0};

	for (size_t i = 0; i < set->count; i++) {
		struct record record = records_get(set, i);
		if (record.type != type) continue;
		last = record.owner;
		if (name_compare(record.owner, name) <= 0) found = record.owner;
	}
	return found.len ? found : last;
}

#endif
