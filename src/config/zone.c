/* SPDX-License-Identifier: Apache-2.0 */
/* Templates and zones. */
#include "config/load.h"
#include "config/order.h"

static const uint8_t hex_digits[] = "0123456789ABCDEF";

/* Reads what an entry says into `zone`; `wanted` NULL: everything. */
static void zone_read(struct load *load, const struct entry *entry, const bool *wanted,
		      struct zone_policy *zone, enum said *said)
{
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_ZONES, &count);

	for (size_t i = 0; i < count && !load->exhausted; i++) {
		const struct node *node = entry->values[i];
		if (!node || (wanted && !wanted[i])) continue;
		said[i] = value_read(load, &settings[i], node, zone) ? SAID_RIGHT : SAID_WRONG;
		if (said[i] == SAID_RIGHT && strcmp(settings[i].key, "secondaries") == 0)
			zone->secondaries_none = zone->secondary_count == 0;
	}
}

static void value_copy(const struct setting *setting, struct zone_policy *to,
		       const struct zone_policy *from)
{
	const void *value = setting_value_of(setting, from);

	if (setting_kind(setting)->list) {
		const void *list;
		memcpy(&list, value, sizeof list);
		setting_list_set(setting, to, list, setting_count_of(setting, from));
	} else if (setting_kind(setting)->words) {
		memcpy(setting_value(setting, to), value, sizeof(unsigned));
	} else {
		memcpy(setting_value(setting, to), value, sizeof(char *));
	}
	if (strcmp(setting->key, "secondaries") == 0) to->secondaries_none = from->secondaries_none;
}

void load_templates(struct load *load)
{
	struct labels *templates = &load->templates;
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_ZONES, &count);

	for (size_t i = 0; i < count; i++) {
		if (settings[i].standard) load->defaults.said[i] = SAID_RIGHT;
		value_read_standard(load, &settings[i], &load->defaults.zone);
	}
	if (!labels_make(load, CHAPTER_TEMPLATES, templates, label_read)) return;
	load->template_list = load_scratch(load, templates->all, sizeof *load->template_list);
	for (size_t i = 0; i < templates->all && !load->exhausted; i++)
		zone_read(load, templates->entries[i], NULL, &load->template_list[i].zone,
			  load->template_list[i].said);
}

static const struct zone_template *template_of(struct load *load, const struct entry *entry)
{
	const struct node *node = entry_value(entry, CHAPTER_ZONES, "template");
	const struct setting *setting = setting_find(CHAPTER_ZONES, span_of_text("template"));
	struct span text = span_of_text("default");
	size_t place;

	if (node && !node_scalar(load, setting, node, &text)) return NULL;
	place = labels_find(&load->templates, text);
	if (place != SIZE_MAX) return &load->template_list[place];
	if (node) tell_missing(load, &load->templates, "template", node);
	return NULL;
}

/* False when nothing says it, or what is said is no role. */
static bool zone_role(struct load *load, const struct entry *entry,
		      const struct zone_template *from_template, enum zone_role *role)
{
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_ZONES, &count);
	const struct setting *setting = setting_find(CHAPTER_ZONES, span_of_text("role"));
	struct zone_policy zone = {0};

	if (entry->values[setting - settings]) {
		if (!value_read(load, setting, entry->values[setting - settings], &zone))
			return false;
		*role = zone.role;
		return true;
	}
	if (from_template && from_template->said[setting - settings]) {
		*role = from_template->zone.role;
		return from_template->said[setting - settings] == SAID_RIGHT;
	}
	load_error(load, entry->map,
		   "a zone without a role; add `role: primary` or "
		   "`role: secondary`");
	return false;
}

static bool template_reaches(const struct setting *setting, enum zone_role role)
{
	if (setting->reach == REACH_PRIMARY_TEMPLATE) return role == ROLE_PRIMARY;
	return setting_reaches(setting, role);
}

static bool is_path_octet(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
	       c == '_';
}

/* The name as part of a path: no octet of it can mean anything to a file system. */
static void zone_print_path(struct name name, struct writer *w)
{
	if (name_is_root(name)) {
		write_text(w, "root");
		return;
	}
	for (size_t at = 0; name.wire[at]; at += name.wire[at] + 1u) {
		if (at) write_u8(w, '.');
		for (size_t i = 1; i <= name.wire[at]; i++) {
			uint8_t c = name.wire[at + i];
			if (is_path_octet(c)) {
				write_u8(w, c);
				continue;
			}
			write_u8(w, '%');
			write_u8(w, hex_digits[c >> 4]);
			write_u8(w, hex_digits[c & 15]);
		}
	}
}

/* Puts the zone's name where the pattern has {zone}. */
static void zone_file(struct load *load, const struct entry *entry, struct zone_policy *zone)
{
	static const char place[] = "{zone}";
	uint8_t path[CONFIG_PATH_MAX + 1];
	struct writer w = writer_of(path, sizeof path);
	const char *at = zone->file;

	if (!at) return;
	for (const char *next = strstr(at, place); next; next = strstr(at, place)) {
		write_bytes(&w, at, (size_t)(next - at));
		zone_print_path(zone->name, &w);
		at = next + sizeof place - 1;
	}
	write_text(&w, at);
	if (w.overflow || w.len > CONFIG_PATH_MAX)
		load_error(load, entry->map, "the path of the zone's file is longer than %d octets",
			   CONFIG_PATH_MAX);
	else
		zone->file = load_keep_text(load, writer_span(&w));
}

/* Tells what the zone says although it means nothing for its role; the rest is wanted. */
static void zone_wanted(struct load *load, const struct entry *entry, enum zone_role role,
			bool *wanted)
{
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_ZONES, &count);

	for (size_t i = 0; i < count; i++) {
		wanted[i] = setting_reaches(&settings[i], role);
		if (entry->values[i] && !wanted[i])
			load_error(load, entry->values[i],
				   "%s is for zones of role %s; this one is a %s", settings[i].key,
				   role == ROLE_PRIMARY ? "secondary" : "primary",
				   role == ROLE_PRIMARY ? "primary" : "secondary");
	}
}

/* What the zone leaves out comes from its template, else from the defaults. */
static void zone_fill(struct load *load, const struct zone_template *from_template,
		      const bool *wanted, struct zone_policy *zone, enum said *said)
{
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_ZONES, &count);

	for (size_t i = 0; i < count; i++) {
		const struct zone_template *from = NULL;
		if (said[i] || settings[i].kind == KIND_ROLE) continue;
		if (from_template && from_template->said[i] &&
		    template_reaches(&settings[i], zone->role))
			from = from_template;
		else if (load->defaults.said[i] && wanted[i])
			from = &load->defaults;
		if (!from) continue;
		value_copy(&settings[i], zone, &from->zone);
		said[i] = from->said[i];
	}
}

static void zone_load(struct load *load, const struct entry *entry, struct zone_policy *zone)
{
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_ZONES, &count);
	const struct setting *primaries = setting_find(CHAPTER_ZONES, span_of_text("primaries"));
	const struct zone_template *from_template = template_of(load, entry);
	bool wanted[CHAPTER_SETTINGS_MAX];
	enum said said[CHAPTER_SETTINGS_MAX] = {SAID_NOTHING};

	if (!zone_role(load, entry, from_template, &zone->role)) return;
	zone_wanted(load, entry, zone->role, wanted);
	zone_read(load, entry, wanted, zone, said);
	zone_fill(load, from_template, wanted, zone, said);
	if (zone->role == ROLE_SECONDARY && zone->primary_count == 0 &&
	    said[primaries - settings] != SAID_WRONG)
		load_error(load, entry->map,
			   "a secondary without primaries: nowhere to fetch the "
			   "zone from");
	if (zone->role == ROLE_PRIMARY && zone->serial == SERIAL_FILE && !zone->file &&
	    said[setting_find(CHAPTER_ZONES, span_of_text("file")) - settings] == SAID_NOTHING)
		load_error(load, entry->map, "a zone with `serial: file` but without a file");
	zone_file(load, entry, zone);
	allow_with_secondaries(load, zone);
}

static bool zone_name(struct load *load, const struct entry *entry, struct name *out)
{
	const struct setting *setting = setting_find(CHAPTER_ZONES, span_of_text("name"));
	const struct node *node = entry_value(entry, CHAPTER_ZONES, "name");
	struct name root = name_root();
	struct name_buffer name, lower;
	struct error err = {0};
	struct span text;

	if (!node) {
		load_error(load, entry->map, "a zone without a name");
		return false;
	}
	if (!node_scalar(load, setting, node, &text)) return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < 0x80) continue;
		load_error(load, node, "a zone's name is written in ASCII: its xn-- form");
		return false;
	}
	if (span_is_text(text, "@")) {
		load_error(load, node, "\"@\" is no name of a zone");
		return false;
	}
	if (name_from_text(text, &root, &name, &err) != OK) {
		load_error(load, node, "name of a zone: %s", err.text);
		return false;
	}
	name_lower(name_of(&name), &lower);
	out->wire = arena_copy(load->arena, span_of(lower.wire, lower.len));
	out->len = lower.len;
	if (!out->wire) load->exhausted = true;
	return out->wire;
}

static void zone_take(struct load *load, const struct entry *entry, struct name name,
		      struct zone_policy *zone)
{
	char text[NAME_TEXT_MAX];
	const struct node *map = entry->map;

	zone->name = name;
	zone->label = load_keep_text(load, span_of_text(name_to_text(name, text)));
	zone->origin = (struct place){
		.file = node_source(load, map)->origin, .line = map->line, .column = map->column};
	if (zone->label) zone_load(load, entry, zone);
}

/* All zones as they are written; those that have a name are in `order` as well. */
static size_t zones_read(struct load *load, struct zone_policy *zones, struct name_order *order)
{
	const struct entries *entries = &load->chapters[CHAPTER_ZONES];
	size_t count = 0;

	for (size_t i = 0; i < entries->count && !load->exhausted; i++) {
		struct name name = name_root();
		bool named = zone_name(load, &entries->list[i], &name);
		if (load->exhausted) break;
		zone_take(load, &entries->list[i], name, &zones[i]);
		if (!named) continue;
		if (name_order_make(load->scratch, name, (uint32_t)i, &order[count]))
			count++;
		else
			load->exhausted = true;
	}
	return count;
}

void load_zones(struct load *load)
{
	const struct entries *entries = &load->chapters[CHAPTER_ZONES];
	struct zone_policy *zones = load_scratch(load, entries->count, sizeof *zones), *sorted;
	struct name_order *order = load_scratch(load, entries->count, sizeof *order);

	if (load->exhausted) return;
	size_t count = zones_read(load, zones, order);
	sorted = load_keep(load, count, sizeof *sorted);
	if (load->exhausted || !names_order(load->scratch, order, count)) {
		load->exhausted = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		sorted[i] = zones[order[i].place];
		if (i == 0 || !name_order_equal(&order[i - 1], &order[i])) continue;
		const struct entry *first = &entries->list[order[i - 1].place];
		const struct entry *second = &entries->list[order[i].place];
		tell_second(load, "zone", entry_value(second, CHAPTER_ZONES, "name"),
			    entry_value(first, CHAPTER_ZONES, "name"));
	}
	load->policy->zones = sorted;
	load->policy->zone_count = count;
}
