/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aside_help.h - everything that a parse of zone text gives, as one text: records with
 * their places in order, what is told, how it ended. In one parse, or in parts that are
 * parsed in some order.
 */
#ifndef TESTS_ASIDE_HELP_H
#define TESTS_ASIDE_HELP_H

#include "dns/zone_text_parse.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEEN_MAX = 1 << 19, ASIDE_ARENA_MAX = 256 << 20 };

/* What one sink has seen. */
struct seen {
	struct writer w;
};

/* A part under way. */
struct aside_part {
	struct seen seen;
	struct arena *arena, *said;
};

struct asiding {
	struct seen seen;         /* first: it is the context of the sink too */
	struct span included;     /* what each $INCLUDE of another file brings */
	uint64_t seed;            /* of the order of parts */
	size_t part_count, taken; /* parts that were parsed, and that were wanted */
	size_t octets;            /* that parts said they have parsed */
};

static inline enum code aside_sink(void *context, const struct record *record, struct place place)
{
	struct seen *seen = context;
	char text[64];

	record_print(record, &seen->w);
	snprintf(text, sizeof text, "@%u:%u+%u ", (unsigned)place.line, (unsigned)place.column,
		 (unsigned)place.width);
	write_text(&seen->w, text);
	write_text(&seen->w, place.file);
	write_text(&seen->w, "\n");
	return seen->w.overflow ? E_LIMIT : OK;
}

static inline enum code aside_include(void *context, const char *path, const char *from,
				      struct span *text, const char **name, struct error *err)
{
	const struct asiding *asiding = context;

	if (strcmp(path, from) == 0) return error_set(err, E_NOT_FOUND, "not this one");
	*text = asiding->included;
	*name = "included";
	return OK;
}

static inline enum code aside_begin(void *context, struct zone_text_part *part)
{
	struct asiding *asiding = context;
	struct aside_part *own = calloc(1, sizeof *own);

	assert(own);
	own->seen.w = writer_of(malloc(SEEN_MAX), SEEN_MAX);
	own->arena = arena_new(ASIDE_ARENA_MAX);
	own->said = arena_new(ASIDE_ARENA_MAX);
	assert(own->seen.w.ptr && own->arena && own->said);
	*part = (struct zone_text_part){
		.arena = own->arena, .diagnostics = {.arena = own->said}, .context = own};
	asiding->part_count++;
	return OK;
}

static inline enum code aside_end(void *context, struct zone_text_part *part, bool wanted)
{
	struct asiding *asiding = context;
	struct aside_part *own = part->context;

	if (wanted) write_bytes(&asiding->seen.w, own->seen.w.ptr, own->seen.w.len);
	asiding->taken += wanted;
	arena_free(own->arena);
	arena_free(own->said);
	free(own->seen.w.ptr);
	free(own);
	return asiding->seen.w.overflow ? E_LIMIT : OK;
}

static inline void aside_went_on(void *context, size_t octets)
{
	((struct asiding *)context)->octets += octets;
}

/* In an order that the seed gives: what comes of it must not depend on it. */
static inline void aside_run(void *context, size_t count, void (*part)(void *of, size_t i),
			     void *of)
{
	struct asiding *asiding = context;
	size_t *order = malloc(count * sizeof *order);

	assert(order);
	for (size_t i = 0; i < count; i++) {
		asiding->seed = asiding->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		size_t at = (size_t)(asiding->seed >> 33) % (i + 1);
		order[i] = order[at];
		order[at] = i;
	}
	for (size_t i = 0; i < count; i++) part(of, order[i]);
	free(order);
}

/* Parses the text into asiding->seen; `part_octets` 0: in one parse. */
static inline enum code aside_parse(struct asiding *asiding, struct name apex, struct span text,
				    size_t part_octets)
{
	struct arena *arena = arena_new(ASIDE_ARENA_MAX);
	struct diagnostics said = {.arena = arena};
	struct parallel parallel = {aside_run, asiding, 2};
	struct zone_text_aside aside = {.parallel = &parallel,
					.part_octets = part_octets,
					.begin = aside_begin,
					.end = aside_end,
					.went_on = aside_went_on};
	struct zone_text_parser parser = {.origin = apex,
					  .include = aside_include,
					  .sink = aside_sink,
					  .context = asiding,
					  .aside = part_octets ? &aside : NULL,
					  .arena = arena,
					  .diagnostics = &said};
	char line[2048];

	assert(arena);
	enum code code = zone_text_parse(&parser, "zone", text);
	for (size_t i = 0; i < said.count; i++) {
		diagnostic_print(&said.list[i], line, sizeof line);
		write_text(&asiding->seen.w, line);
	}
	snprintf(line, sizeof line, "%d %zu %zu\n", (int)code, said.count, said.error_count);
	write_text(&asiding->seen.w, line);
	arena_free(arena);
	return code;
}

/* The same in parts of `part_octets` as in one parse; `wanted` says how many parts were used. */
static inline bool aside_agrees(struct name apex, struct span text, struct span included,
				size_t part_octets, uint64_t seed, size_t *wanted)
{
	struct asiding one = {.included = included}, parts = {.included = included, .seed = seed};
	bool agrees;

	one.seen.w = writer_of(malloc(SEEN_MAX), SEEN_MAX);
	parts.seen.w = writer_of(malloc(SEEN_MAX), SEEN_MAX);
	assert(one.seen.w.ptr && parts.seen.w.ptr);
	agrees = aside_parse(&one, apex, text, 0) == E_LIMIT;
	if (!agrees) {
		(void)!aside_parse(&parts, apex, text, part_octets);
		agrees = span_equal(writer_span(&one.seen.w), writer_span(&parts.seen.w));
		if (!agrees)
			fprintf(stderr, "one parse:\n%.*s\nin parts of %zu:\n%.*s\n",
				(int)one.seen.w.len, (char *)one.seen.w.ptr, part_octets,
				(int)parts.seen.w.len, (char *)parts.seen.w.ptr);
	}
	if (wanted) *wanted = parts.taken;
	free(one.seen.w.ptr);
	free(parts.seen.w.ptr);
	return agrees;
}

#endif
