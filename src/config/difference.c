/* SPDX-License-Identifier: Apache-2.0 */
#include "config/emit.h"

#include <stdio.h>

enum { VALUE_TEXT_MAX = 160 };

struct differ {
	void (*sink)(void *context, const struct config_change *change);
	void *context;
	enum chapter chapter;
};

static void settings_differ(const struct differ *d, const char *label, const void *before,
			    const void *after)
{
	size_t count;
	const struct setting *settings = chapter_settings(d->chapter, &count);

	for (size_t i = 0; i < count; i++) {
		bool was = value_is_shown(&settings[i], before);
		bool is = value_is_shown(&settings[i], after);
		if (was == is && (!is || value_equal(&settings[i], before, after))) continue;
		d->sink(d->context, &(struct config_change){.kind = CONFIG_CHANGED,
							    .chapter = d->chapter,
							    .label = label,
							    .setting = &settings[i],
							    .before = before,
							    .after = after});
	}
}

static void item_differs(const struct differ *d, enum config_change_kind kind, const char *label,
			 const void *before, const void *after)
{
	d->sink(d->context, &(struct config_change){.kind = kind,
						    .chapter = d->chapter,
						    .label = label,
						    .before = before,
						    .after = after});
}

/* Items of a chapter, in the order in which both sides have them. */
struct side {
	const void *items;
	size_t count, size;
};

static const void *side_item(const struct side *side, size_t i)
{
	return i < side->count ? (const uint8_t *)side->items + i * side->size : NULL;
}

static const char *item_label(enum chapter chapter, const void *item)
{
	if (chapter == CHAPTER_KEYS) return ((const struct tsig_key *)item)->label;
	if (chapter == CHAPTER_REMOTES) return ((const struct remote *)item)->label;
	return ((const struct zone_policy *)item)->label;
}

static int item_order(enum chapter chapter, const void *a, const void *b)
{
	if (!a || !b) return !a - !b;
	if (chapter == CHAPTER_ZONES)
		return name_compare(((const struct zone_policy *)a)->name,
				    ((const struct zone_policy *)b)->name);
	return strcmp(item_label(chapter, a), item_label(chapter, b));
}

/* Both sides are sorted: one walk over the two finds what came, went and changed. */
static void chapter_differs(struct differ *d, enum chapter chapter, struct side before,
			    struct side after)
{
	size_t i = 0, k = 0;

	d->chapter = chapter;
	while (i < before.count || k < after.count) {
		const void *old = side_item(&before, i), *new = side_item(&after, k);
		int order = item_order(chapter, old, new);
		if (order == 0)
			settings_differ(d, item_label(chapter, new), old, new);
		else if (order < 0)
			item_differs(d, CONFIG_REMOVED, item_label(chapter, old), old, NULL);
		else
			item_differs(d, CONFIG_ADDED, item_label(chapter, new), NULL, new);
		i += order <= 0;
		k += order >= 0;
	}
}

void config_difference(const struct policy *before, const struct policy *after,
		       void (*sink)(void *context, const struct config_change *change),
		       void *context)
{
	struct differ d = {.sink = sink, .context = context, .chapter = CHAPTER_SERVER};

	settings_differ(&d, NULL, &before->server, &after->server);
	d.chapter = CHAPTER_LIMITS;
	settings_differ(&d, NULL, &before->limits, &after->limits);
	chapter_differs(&d, CHAPTER_KEYS,
			(struct side){before->keys, before->key_count, sizeof *before->keys},
			(struct side){after->keys, after->key_count, sizeof *after->keys});
	chapter_differs(
		&d, CHAPTER_REMOTES,
		(struct side){before->remotes, before->remote_count, sizeof *before->remotes},
		(struct side){after->remotes, after->remote_count, sizeof *after->remotes});
	chapter_differs(&d, CHAPTER_ZONES,
			(struct side){before->zones, before->zone_count, sizeof *before->zones},
			(struct side){after->zones, after->zone_count, sizeof *after->zones});
}

/* Keeps as much as fits, and whether that was all. */
static void take_chunk(void *context, struct span chunk)
{
	struct writer *w = context;
	size_t room = writer_room(w);

	write_bytes(w, chunk.ptr, chunk.len < room ? chunk.len : room);
	if (chunk.len > room) w->overflow = true;
}

/* "[west, east]", cut when too long; "nothing" where there is no value. */
static const char *value_text(const struct setting *setting, const void *object,
			      char text[static VALUE_TEXT_MAX])
{
	struct writer w = writer_of(text, VALUE_TEXT_MAX - 4);
	struct emitter e;

	if (!value_is_shown(setting, object)) return "nothing";
	emit_init_line(&e, take_chunk, &w);
	value_emit(&e, setting, object);
	emit_end(&e);
	memcpy(text + w.len, w.overflow ? "..." : "", w.overflow ? 4 : 1);
	return text;
}

static const char *effect_text(enum setting_effect effect)
{
	if (effect == EFFECT_SERVICE) return " (when the service is restarted)";
	return effect == EFFECT_FRONT ? " (the front restarts by itself)" : "";
}

/* "zone example.com", "server"; a zone's final dot is left out. */
static void subject_print(const struct config_change *change, char *text, size_t cap)
{
	const struct chapter_info *info = chapter_info(change->chapter);
	size_t len = change->label ? strlen(change->label) : 0;

	if (change->chapter == CHAPTER_ZONES && len > 1) len--;
	if (change->label)
		snprintf(text, cap, "%s %.*s", info->one, (int)(len < 100 ? len : 100),
			 change->label);
	else
		snprintf(text, cap, "%s", info->key);
}

char *config_change_print(const struct config_change *change,
			  char text[static CONFIG_CHANGE_TEXT_MAX])
{
	char subject[128], before[VALUE_TEXT_MAX], after[VALUE_TEXT_MAX];
	const struct setting *setting = change->setting;

	subject_print(change, subject, sizeof subject);
	if (!setting)
		snprintf(text, CONFIG_CHANGE_TEXT_MAX, "%s %s", subject,
			 change->kind == CONFIG_ADDED ? "added" : "removed");
	else if (setting->kind == KIND_SECRET)
		snprintf(text, CONFIG_CHANGE_TEXT_MAX, "%s: secret changed", subject);
	else
		snprintf(text, CONFIG_CHANGE_TEXT_MAX, "%s: %s changed from %s to %s%s", subject,
			 setting->key, value_text(setting, change->before, before),
			 value_text(setting, change->after, after), effect_text(setting->effect));
	return text;
}
