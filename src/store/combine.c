/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thousand changes applied one after another would copy the zone a thousand
 * times. Their net effect is applied once: all steps are sorted by record and age;
 * what happened to one record then stands together, and only its first and last
 * step count.
 */
#include "store/state.h"

#include <assert.h>
#include <stdlib.h>

struct step {
	struct record record;
	struct span wire;
	uint32_t age; /* steps before it */
	bool added;
};

static int step_compare(const void *left, const void *right)
{
	const struct step *a = left, *b = right;
	int order = record_compare(&a->record, &b->record);

	return order ? order : a->age < b->age ? -1 : a->age > b->age;
}

/* Appends one side's steps; `*count` moves on. */
static enum code steps_gather(struct step *steps, size_t cap, size_t *count, struct span side,
			      bool added, struct error *err)
{
	struct reader r = reader_of(side);

	while (reader_left(&r)) {
		size_t at = r.at;
		if (*count == cap)
			return error_set(err, E_SYNTAX, "changes hold more records than they say");
		struct step *step = &steps[*count];
		if (!record_read(&r, &step->record) ||
		    rdata_check(step->record.type, step->record.rdata, NULL))
			return error_set(err, E_SYNTAX, "a change holds what is no record");
		step->wire = span_of(side.ptr + at, r.at - at);
		step->added = added;
		step->age = (uint32_t)(*count)++;
	}
	return OK;
}

/* What happened to one record: it comes and goes in turn. */
static enum code group_combine(const struct step *steps, size_t count, struct change *out,
			       struct writer *removed, struct writer *added, struct error *err)
{
	const struct step *first = &steps[0], *last = &steps[count - 1];
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];

	for (size_t i = 1; i < count; i++) {
		if (steps[i].added != steps[i - 1].added) continue;
		return error_set(err, E_CONFLICT, "%s %s is %s twice",
				 name_to_text(first->record.owner, owner),
				 rrtype_to_text(first->record.type, type),
				 steps[i].added ? "added" : "removed");
	}
	if (!first->added) {
		write_span(removed, first->wire);
		out->removed_count++;
	}
	if (last->added) {
		write_span(added, last->wire);
		out->added_count++;
	}
	return OK;
}

static enum code steps_combine(const struct step *steps, size_t count, struct change *out,
			       struct writer *removed, struct writer *added, struct error *err)
{
	enum code code = OK;

	for (size_t from = 0, to; !code && from < count; from = to) {
		to = from + 1;
		while (to < count && record_compare(&steps[from].record, &steps[to].record) == 0)
			to++;
		code = group_combine(steps + from, to - from, out, removed, added, err);
	}
	return code;
}

enum code changes_combine(const struct change *changes, size_t count, struct arena *arena,
			  struct change *out, struct error *err)
{
	size_t octets = 0, gathered = 0, cap = 0;
	struct step *steps = NULL;
	enum code code = OK;

	assert(count > 0);
	*out = changes[count - 1];
	out->from_serial = changes[0].from_serial;
	if (count == 1) {
		out->removed.ptr = arena_copy(arena, out->removed);
		out->added.ptr = arena_copy(arena, out->added);
		return out->removed.ptr && out->added.ptr
			       ? OK
			       : error_set(err, E_NOMEM, "no memory for a change");
	}
	for (size_t i = 0; i < count; i++) {
		octets += changes[i].removed.len + changes[i].added.len;
		cap += (size_t)(changes[i].removed_count + changes[i].added_count);
	}
	/* Counts come from the disk; a record has more than 10 octets, so they cannot go mad. */
	if (cap > octets / 10) return error_set(err, E_SYNTAX, "changes miscount their records");

	struct writer removed = writer_of(arena_alloc_bytes(arena, octets), octets);
	struct writer added = writer_of(arena_alloc_bytes(arena, octets), octets);
	steps = malloc((cap ? cap : 1) * sizeof *steps);
	if (!steps || !removed.ptr || !added.ptr)
		code = error_set(err, E_NOMEM, "no memory for %zu changes", count);
	for (size_t i = 0; !code && i < count; i++) {
		code = steps_gather(steps, cap, &gathered, changes[i].removed, false, err);
		if (!code) code = steps_gather(steps, cap, &gathered, changes[i].added, true, err);
	}
	if (!code) {
		qsort(steps, gathered, sizeof *steps, step_compare);
		out->removed_count = out->added_count = 0;
		code = steps_combine(steps, gathered, out, &removed, &added, err);
		out->removed = writer_span(&removed);
		out->added = writer_span(&added);
	}
	free(steps);
	return code;
}
