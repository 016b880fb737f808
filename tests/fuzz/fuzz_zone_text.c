/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every kernel reads the same records and errors from a text, and so do parts that are
 * parsed side by side; and the records of a text without errors, printed, are a text that
 * gives the same records.
 *
 * An octet of 0xff ends the zone file; what follows is the file that each $INCLUDE brings.
 */
#include "fuzz.h"

#include "../unit/dns/aside_help.h"

enum { PRINTED_MAX = 1 << 20, RECORDS_MAX = 2000, ARENA_MAX = 256 << 20 };

static const uint8_t apex[] = "\7example";

struct outcome {
	enum code code;
	size_t error_count;
	size_t record_count;
	struct writer printed;
	struct span included;
};

static enum code record_take(void *context, const struct record *record, struct place place)
{
	struct outcome *outcome = context;

	assert(place.line > 0 && place.column > 0);
	assert(record->class == CLASS_IN && record->ttl <= TTL_MAX);
	struct error err;
	if (rdata_check(record->type, record->rdata, &err)) {
		fprintf(stderr, "read, but not well-formed: %s\n", err.text);
		abort();
	}
	zone_text_print(record, &outcome->printed);
	return ++outcome->record_count == RECORDS_MAX || outcome->printed.overflow ? E_LIMIT : OK;
}

static enum code file_bring(void *context, const char *path, const char *from, struct span *text,
			    const char **name, struct error *err)
{
	const struct outcome *outcome = context;

	if (strcmp(path, from) == 0) return error_set(err, E_NOT_FOUND, "not this one");
	*text = outcome->included;
	*name = "included";
	return OK;
}

static void parse(const struct text_kernel *kernel, struct span text, struct outcome *outcome)
{
	struct arena *arena = arena_new(ARENA_MAX);
	struct diagnostics diagnostics = {.arena = arena};
	struct zone_text_parser parser = {.origin = {.wire = apex, .len = sizeof apex},
					  .include = file_bring,
					  .sink = record_take,
					  .context = outcome,
					  .arena = arena,
					  .diagnostics = &diagnostics};

	assert(arena);
	outcome->code = zone_text_parse_with(kernel, &parser, "zone", text);
	outcome->error_count = diagnostics.error_count;
	assert(outcome->code != E_SYNTAX || diagnostics.error_count > 0);
	arena_free(arena);
}

static void outcome_start(struct outcome *outcome, uint8_t *printed, struct span included)
{
	*outcome =
		(struct outcome){.printed = writer_of(printed, PRINTED_MAX), .included = included};
}

static void check_alike(const struct outcome *a, const struct outcome *b)
{
	assert(a->code == b->code);
	assert(a->error_count == b->error_count);
	assert(a->record_count == b->record_count);
	assert(span_equal(writer_span(&a->printed), writer_span(&b->printed)));
}

/* Parts of a few octets, whose size the input's own length gives. */
static void check_parts(struct span text, struct span included, size_t size)
{
	bool agrees = aside_agrees((struct name){apex, sizeof apex}, text, included, 1 + size % 61,
				   size, NULL);

	assert(agrees);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t printed[3][PRINTED_MAX];
	const struct text_kernel *kernels[TEXT_KERNELS_MAX];
	const uint8_t *end = size ? memchr(data, 0xff, size) : NULL;
	struct span text = span_of(data, end ? (size_t)(end - data) : size);
	struct span included = end ? span_of(end + 1, size - text.len - 1) : (struct span){0};
	struct outcome first, other;
	size_t count = text_kernels(kernels);

	outcome_start(&first, printed[0], included);
	parse(kernels[0], text, &first);
	for (size_t i = 1; i < count; i++) {
		outcome_start(&other, printed[1], included);
		parse(kernels[i], text, &other);
		check_alike(&first, &other);
	}
	if (first.code != E_LIMIT) check_parts(text, included, size);
	if (first.code) return 0;
	outcome_start(&other, printed[2], (struct span){0});
	parse(text_kernel_best(), writer_span(&first.printed), &other);
	check_alike(&first, &other);
	return 0;
}
