/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first octet chooses. "P": the rest is a packed policy: what is taken of it packs
 * again. Else all of it is a configuration: what it means, its export means too, and a
 * policy that was packed arrives as it was sent.
 */
#include "fuzz.h"

#include "config/config.h"
#include "config/pack.h"

#include <assert.h>

enum { EXPORT_MAX = 1 << 22, ARENA_MAX = 1 << 26 };

static uint8_t exported[EXPORT_MAX], first[EXPORT_MAX], second[EXPORT_MAX];

/* libfyaml 0.7.12 loses a few KiB when it gives up on a malformed text. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static enum code read_file(void *context, const char *path, struct config_file *file,
			   struct error *err)
{
	const struct span *main_text = context;

	if (strcmp(path, "main.yaml") == 0)
		file->text = *main_text;
	else if (strstr(path, "secret"))
		file->text = span_of_text("c2VjcmV0LWZvci10ZXN0cw==\n");
	else
		return error_set(err, E_NOT_FOUND, "%s: no such file", path);
	return OK;
}

static enum code expand(void *context, const char *pattern, struct arena *arena,
			const char *const **paths, size_t *count, struct error *err)
{
	const char **list = arena_alloc_array(arena, 1, sizeof *list);

	(void)context;
	if (!list) return error_set(err, E_NOMEM, "no memory");
	list[0] = arena_copy_text(arena, span_of_text(pattern));
	*paths = list;
	*count = list[0] ? 1 : 0;
	return OK;
}

static const struct policy *load(struct span text, struct arena *arena,
				 struct diagnostics *diagnostics)
{
	struct config_loader loader = {
		.read = read_file,
		.expand = expand,
		.context = &text,
		.folder = "/etc/lockstep",
		.scratch_max = ARENA_MAX,
	};
	const struct policy *policy;
	enum code code = config_load(&loader, "main.yaml", arena, diagnostics, &policy);

	assert((code == OK) == (policy != NULL));
	assert(code == OK || code == E_NOMEM || diagnostics->error_count > 0);
	return policy;
}

static void collect(void *context, struct span chunk)
{
	write_span(context, chunk);
}

static void count_change(void *context, const struct config_change *change)
{
	(void)change;
	++*(size_t *)context;
}

static void check_export(const struct policy *policy, enum config_format format)
{
	struct writer w = writer_of(exported, sizeof exported);
	struct arena *arena = arena_new(2 * (size_t)ARENA_MAX);
	struct diagnostics diagnostics = {.arena = arena};
	size_t change_count = 0;

	assert(arena);
	config_export(policy, format, true, collect, &w);
	if (!w.overflow) {
		const struct policy *same = load(writer_span(&w), arena, &diagnostics);
		assert(same);
		config_difference(policy, same, count_change, &change_count);
		assert(change_count == 0);
	}
	arena_free(arena);
}

/* Packs, unpacks and packs again: the same octets. */
static void check_pack(const struct policy *policy, enum pack_audience audience)
{
	struct writer w = writer_of(first, sizeof first), again = writer_of(second, sizeof second);
	struct arena *arena = arena_new(2 * (size_t)ARENA_MAX);
	const struct policy *arrived;
	enum code code;

	assert(arena);
	if (policy_pack(policy, audience, &w, NULL) == OK) {
		code = policy_unpack(writer_span(&w), arena, &arrived, NULL);
		assert(code == OK);
		code = policy_pack(arrived, audience, &again, NULL);
		assert(code == OK && span_equal(writer_span(&w), writer_span(&again)));
	}
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(ARENA_MAX), *messages = arena_new(ARENA_MAX);
	struct diagnostics diagnostics = {.arena = messages};
	const struct policy *policy = NULL;
	bool packed = size > 0 && data[0] == 'P';

	assert(arena && messages);
	if (packed)
		(void)!policy_unpack(span_of(data + 1, size - 1), arena, &policy, NULL);
	else
		policy = load(span_of(data, size), arena, &diagnostics);
	for (int i = 0; policy && i < PACK_AUDIENCE_COUNT; i++)
		check_pack(policy, (enum pack_audience)i);
	if (policy && !packed) {
		check_export(policy, CONFIG_YAML);
		check_export(policy, CONFIG_JSON);
	}
	arena_free(arena);
	arena_free(messages);
	return 0;
}
