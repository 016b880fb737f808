/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of settings as JSON Schema (draft 2020-12), by which editors help. */
#include "config/config.h"

static void text_member(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	json_text(j, text);
}

/* To YAML a plain 1.10 is a number; to us every scalar is a text. */
static void scalar_type(struct json *j)
{
	json_key(j, "type");
	json_array_begin(j);
	json_text(j, "string");
	json_text(j, "number");
	json_array_end(j);
}

static void item_schema(struct json *j, const struct setting *setting)
{
	const struct kind *kind = setting_kind(setting);

	json_object_begin(j);
	if (setting->kind == KIND_ALLOW) {
		text_member(j, "$ref", "#/$defs/allow-item");
	} else if (kind->words) {
		json_key(j, "enum");
		json_array_begin(j);
		for (size_t i = 0; kind->words[i]; i++) json_text(j, kind->words[i]);
		json_array_end(j);
	} else {
		scalar_type(j);
	}
	json_object_end(j);
}

static void either(struct json *j)
{
	json_key(j, "anyOf");
	json_array_begin(j);
}

static void either_end(struct json *j)
{
	json_array_end(j);
}

static void array_open(struct json *j)
{
	json_object_begin(j);
	text_member(j, "type", "array");
	json_key(j, "items");
}

static void setting_schema(struct json *j, const struct setting *setting)
{
	json_object_begin(j);
	text_member(j, "description", setting->doc);
	if (setting->standard) text_member(j, "default", setting->standard);
	either(j);
	item_schema(j, setting);
	if (setting_kind(setting)->list) {
		array_open(j);
		item_schema(j, setting);
		json_object_end(j);
	}
	either_end(j);
	json_object_end(j);
}

static void settings_schema(struct json *j, enum chapter chapter)
{
	size_t count;
	const struct setting *settings = chapter_settings(chapter, &count);

	for (size_t i = 0; i < count; i++) {
		if (chapter == CHAPTER_TEMPLATES && settings[i].kind == KIND_TEMPLATE) continue;
		json_key(j, settings[i].key);
		setting_schema(j, &settings[i]);
	}
}

static void map_schema(struct json *j, enum chapter chapter)
{
	json_object_begin(j);
	text_member(j, "type", "object");
	json_key(j, "additionalProperties");
	json_bool(j, false);
	json_key(j, "properties");
	json_object_begin(j);
	settings_schema(j, chapter);
	json_object_end(j);
	if (chapter_info(chapter)->one) {
		json_key(j, "required");
		json_array_begin(j);
		json_text(j, "name");
		json_array_end(j);
	}
	json_object_end(j);
}

/* A chapter is a map, or a list of maps of which one may stand by itself; or is left empty. */
static void chapter_schema(struct json *j, enum chapter chapter)
{
	json_object_begin(j);
	text_member(j, "description", chapter_info(chapter)->doc);
	either(j);
	json_object_begin(j);
	text_member(j, "type", "null");
	json_object_end(j);
	map_schema(j, chapter);
	if (chapter_info(chapter)->one) {
		array_open(j);
		map_schema(j, chapter);
		json_object_end(j);
	}
	either_end(j);
	json_object_end(j);
}

static void condition_schema(struct json *j, const char *key)
{
	json_key(j, key);
	json_object_begin(j);
	json_key(j, "type");
	json_array_begin(j);
	json_text(j, "string");
	json_text(j, "array");
	json_array_end(j);
	json_object_end(j);
}

static void allow_schema(struct json *j)
{
	json_key(j, "allow-item");
	json_object_begin(j);
	either(j);
	json_object_begin(j);
	scalar_type(j);
	json_object_end(j);
	json_object_begin(j);
	text_member(j, "type", "object");
	json_key(j, "additionalProperties");
	json_bool(j, false);
	json_key(j, "properties");
	json_object_begin(j);
	condition_schema(j, "address");
	condition_schema(j, "key");
	condition_schema(j, "transport");
	json_key(j, "deny");
	json_bool(j, true);
	json_object_end(j);
	json_object_end(j);
	either_end(j);
	json_object_end(j);
}

void config_schema(struct json *out)
{
	json_object_begin(out);
	text_member(out, "$schema", "https://json-schema.org/draft/2020-12/schema");
	text_member(out, "title", "lockstep.yaml");
	text_member(out, "type", "object");
	json_key(out, "additionalProperties");
	json_bool(out, false);
	json_key(out, "properties");
	json_object_begin(out);
	settings_schema(out, CHAPTER_TOP);
	for (int i = CHAPTER_TOP + 1; i < CHAPTER_COUNT; i++) {
		json_key(out, chapter_info((enum chapter)i)->key);
		chapter_schema(out, (enum chapter)i);
	}
	json_object_end(out);
	json_key(out, "$defs");
	json_object_begin(out);
	allow_schema(out);
	json_object_end(out);
	json_object_end(out);
}
