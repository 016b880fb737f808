/* SPDX-License-Identifier: Apache-2.0 */
#include "config/emit.h"

static void emit_settings(struct emitter *e, enum chapter chapter, const void *object)
{
	size_t count;
	const struct setting *settings = chapter_settings(chapter, &count);

	emit_map(e);
	for (size_t i = 0; i < count; i++) {
		if (!value_is_shown(&settings[i], object)) continue;
		emit_key(e, settings[i].key);
		value_emit(e, &settings[i], object);
	}
	emit_map_end(e);
}

/* A chapter that is a list of items, each `size` octets of `items`. */
static void emit_chapter(struct emitter *e, enum chapter chapter, const void *items, size_t count,
			 size_t size)
{
	if (count == 0) return;
	emit_key(e, chapter_info(chapter)->key);
	emit_list(e);
	for (size_t i = 0; i < count; i++)
		emit_settings(e, chapter, (const uint8_t *)items + i * size);
	emit_list_end(e);
}

void config_export(const struct policy *policy, enum config_format format, bool with_secrets,
		   void (*sink)(void *context, struct span chunk), void *context)
{
	struct emitter e;

	emit_init(&e, format, sink, context);
	e.with_secrets = with_secrets;
	emit_map(&e);
	emit_key(&e, "server");
	emit_settings(&e, CHAPTER_SERVER, &policy->server);
	emit_chapter(&e, CHAPTER_KEYS, policy->keys, policy->key_count, sizeof *policy->keys);
	emit_chapter(&e, CHAPTER_REMOTES, policy->remotes, policy->remote_count,
		     sizeof *policy->remotes);
	emit_chapter(&e, CHAPTER_ZONES, policy->zones, policy->zone_count, sizeof *policy->zones);
	emit_key(&e, "limits");
	emit_settings(&e, CHAPTER_LIMITS, &policy->limits);
	emit_map_end(&e);
	emit_end(&e);
}
