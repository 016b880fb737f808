/* SPDX-License-Identifier: Apache-2.0 */
#include "config/setting.h"

#include "base/suggest.h"

#include <assert.h>

/* In the order of the enums that hold them: a word's place is its value. */
static const char *const role_words[] = {"primary", "secondary", NULL};
static const char *const serial_words[] = {"increment", "unixtime", "dateserial", "file", NULL};
static const char *const switch_words[] = {"no", "yes", NULL};
static const char *const algorithm_words[] = {
#define TSIG_ALGORITHM(name, text, digest, mac_len) text,
#include "dns/tsig_algorithms.def"
#undef TSIG_ALGORITHM
	NULL,
};

static const struct kind kinds[] = {
#define KIND(kind, words, list, expected) [KIND_##kind] = {words, list, expected},
#include "config/kinds.def"
#undef KIND
};

static const struct chapter_info chapters[CHAPTER_COUNT] = {
	[CHAPTER_TOP] = {NULL, NULL, "a configuration", "Beside the sections."},
	[CHAPTER_SERVER] = {"server", NULL, "server", "The server itself."},
	[CHAPTER_KEYS] = {"keys", "key", "a key",
			  "TSIG keys shared with peers and clients (RFC 8945)."},
	[CHAPTER_REMOTES] = {"remotes", "remote", "a remote",
			     "The other servers: primaries and secondaries."},
	[CHAPTER_ACLS] = {"acls", "acl", "an acl",
			  "Allow lists with a name, to be used in other allow lists."},
	[CHAPTER_TEMPLATES] = {"templates", "template", "a template",
			       "What zones have in common. A template has the settings of a zone, "
			       "but `template`."},
	[CHAPTER_ZONES] = {"zones", "zone", "a zone", "The zones that are served."},
	[CHAPTER_LIMITS] = {"limits", NULL, "limits", "How much of everything there may be."},
};

/* Sorted by chapter, as settings.def has them. */
static const struct setting settings[] = {
#define SETTING_LIST(chapter, key, kind, struct_name, member, counter, standard, min, max, reach,  \
		     effect, doc)                                                                  \
	{CHAPTER_##chapter,                                                                        \
	 key,                                                                                      \
	 KIND_##kind,                                                                              \
	 offsetof(struct struct_name, member),                                                     \
	 offsetof(struct struct_name, counter),                                                    \
	 standard,                                                                                 \
	 min,                                                                                      \
	 max,                                                                                      \
	 REACH_##reach,                                                                            \
	 EFFECT_##effect,                                                                          \
	 doc},
#define SETTING(chapter, key, kind, struct_name, member, standard, min, max, reach, effect, doc)   \
	SETTING_LIST(chapter, key, kind, struct_name, member, member, standard, min, max, reach,   \
		     effect, doc)
#include "config/settings.def"
#undef SETTING
#undef SETTING_LIST
};

const struct setting *chapter_settings(enum chapter chapter, size_t *count)
{
	size_t first = 0, end;

	if (chapter == CHAPTER_TEMPLATES) chapter = CHAPTER_ZONES;
	while (first < ARRAY_COUNT(settings) && settings[first].chapter != chapter) first++;
	for (end = first; end < ARRAY_COUNT(settings); end++)
		if (settings[end].chapter != chapter) break;
	*count = end - first;
	assert(*count > 0 && *count <= CHAPTER_SETTINGS_MAX);
	return &settings[first];
}

const struct chapter_info *chapter_info(enum chapter chapter)
{
	return &chapters[chapter];
}

const struct kind *setting_kind(const struct setting *setting)
{
	return &kinds[setting->kind];
}

const struct setting *setting_find(enum chapter chapter, struct span key)
{
	size_t count;
	const struct setting *rows = chapter_settings(chapter, &count);

	for (size_t i = 0; i < count; i++)
		if (span_is_text(key, rows[i].key)) return &rows[i];
	return NULL;
}

const char *setting_suggest(enum chapter chapter, struct span key)
{
	const char *keys[CHAPTER_SETTINGS_MAX + CHAPTER_COUNT];
	size_t count, row_count;
	const struct setting *rows = chapter_settings(chapter, &row_count);

	for (count = 0; count < row_count; count++) keys[count] = rows[count].key;
	if (chapter == CHAPTER_TOP)
		for (int i = CHAPTER_TOP + 1; i < CHAPTER_COUNT; i++)
			keys[count++] = chapters[i].key;
	return suggest(key, keys, count);
}

bool setting_reaches(const struct setting *setting, enum zone_role role)
{
	if (setting->reach == REACH_PRIMARY) return role == ROLE_PRIMARY;
	if (setting->reach == REACH_SECONDARY) return role == ROLE_SECONDARY;
	return true;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

size_t word_find(const char *const *words, struct span text)
{
	for (size_t i = 0; words[i]; i++) {
		size_t k = 0;
		while (k < text.len && words[i][k] && lower(text.ptr[k]) == (uint8_t)words[i][k])
			k++;
		if (k == text.len && words[i][k] == '\0') return i;
	}
	return SIZE_MAX;
}
