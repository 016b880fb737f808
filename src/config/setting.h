/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setting.h - what may stand in a configuration: chapters and their settings.
 *
 * A chapter is what stands under one key at the top, such as `zones:`. (The manual says
 * section; in code that word belongs to DNS messages.)
 *
 * Made from settings.def and kinds.def; the parser, `config export`, `config diff`,
 * `config explain`, the JSON schema and the manual page all read these tables.
 */
#ifndef CONFIG_SETTING_H
#define CONFIG_SETTING_H

#include "engine/policy.h"

enum chapter {
	CHAPTER_TOP, /* what stands beside the chapters: include */
	CHAPTER_SERVER,
	CHAPTER_KEYS,
	CHAPTER_REMOTES,
	CHAPTER_ACLS,
	CHAPTER_TEMPLATES, /* has the settings of a zone; a template's name is a label */
	CHAPTER_ZONES,
	CHAPTER_LIMITS,
	CHAPTER_COUNT,
};

enum setting_kind {
#define KIND(kind, words, list, expected) KIND_##kind,
#include "config/kinds.def"
#undef KIND
	KIND_COUNT_OF_KINDS,
};

/* The zones that a setting means something to. */
enum setting_reach {
	REACH_ALL,
	REACH_PRIMARY,   /* zones of role primary; a template's reaches these only */
	REACH_SECONDARY, /* likewise */
	/* A template's reaches zones of role primary only, any zone may say it itself. */
	REACH_PRIMARY_TEMPLATE,
};

/* When a change of a setting becomes true. */
enum setting_effect {
	EFFECT_APPLY,   /* with `config apply` */
	EFFECT_FRONT,   /* likewise; the front restarts by itself for it */
	EFFECT_SERVICE, /* when the service is restarted */
};

enum { CHAPTER_SETTINGS_MAX = 16 };

struct setting {
	enum chapter chapter;
	const char *key;
	enum setting_kind kind;
	uint16_t at;       /* offset of the value in the chapter's struct */
	uint16_t count_at; /* of the count behind a list */
	const char *standard;
	const char *min, *max;
	enum setting_reach reach;
	enum setting_effect effect;
	const char *doc;
};

struct kind {
	const char *const *words; /* ended by NULL */
	bool list;
	const char *expected;
};

struct chapter_info {
	const char *key;   /* NULL for CHAPTER_TOP */
	const char *one;   /* what an item of it is called; NULL: the chapter is one map */
	const char *where; /* what a key stands in, for a sentence: "a zone", "server" */
	const char *doc;
};

/* A named allow list; it exists while a configuration is read and is no part of the policy. */
struct acl {
	const char *label;
	struct access_list list;
};

struct config_top {
	const char *const *include;
	size_t include_count;
};

/* The settings of a chapter, in the order of the table; a template's are those of a zone. */
const struct setting *chapter_settings(enum chapter chapter, size_t *count);
const struct chapter_info *chapter_info(enum chapter chapter);
const struct kind *setting_kind(const struct setting *setting);

/* NULL when the chapter has no such key. */
const struct setting *setting_find(enum chapter chapter, struct span key);

/* The nearest key of the chapter, or, for CHAPTER_TOP, also the nearest chapter; or NULL. */
const char *setting_suggest(enum chapter chapter, struct span key);

/* The setting means something to a zone of this role. */
bool setting_reaches(const struct setting *setting, enum zone_role role);

/* The place of the value within the chapter's struct, and of its count. */
static inline void *setting_value(const struct setting *setting, void *object)
{
	return (uint8_t *)object + setting->at;
}

static inline const void *setting_value_of(const struct setting *setting, const void *object)
{
	return (const uint8_t *)object + setting->at;
}

/* Of a setting that is a count, a size (octets) or a duration (nanoseconds). */
static inline uint64_t setting_quantity(const struct setting *setting, const void *object)
{
	const void *value = setting_value_of(setting, object);

	return setting->kind == KIND_COUNT ? *(const uint32_t *)value : *(const uint64_t *)value;
}

static inline size_t setting_count_of(const struct setting *setting, const void *object)
{
	size_t count;

	memcpy(&count, (const uint8_t *)object + setting->count_at, sizeof count);
	return count;
}

static inline void setting_list_set(const struct setting *setting, void *object, const void *list,
				    size_t count)
{
	memcpy((uint8_t *)object + setting->at, &list, sizeof list);
	memcpy((uint8_t *)object + setting->count_at, &count, sizeof count);
}

/* The place of a word in a list ended by NULL; SIZE_MAX when it is not there. */
size_t word_find(const char *const *words, struct span text);

#endif
