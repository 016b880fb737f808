/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of settings as text: for a person, for a shell, for the manual. */
#include "config/config.h"

enum { LINE_OCTETS_MAX = 78, FACTS_MAX = 640 };

static const char *const effects[] = {
	[EFFECT_APPLY] = "with config apply",
	[EFFECT_FRONT] = "with config apply, for which the front restarts by itself",
	[EFFECT_SERVICE] = "when the service is restarted",
};

static bool is_quantity(const struct setting *setting)
{
	return setting->kind == KIND_COUNT || setting->kind == KIND_SIZE ||
	       setting->kind == KIND_DURATION;
}

static void range_write(const struct setting *setting, struct writer *w)
{
	if (is_quantity(setting)) {
		write_text(w, ", from ");
		write_text(w, setting->min);
		write_text(w, " to ");
		write_text(w, setting->max);
	} else if (setting->max) {
		write_text(w, ", at most ");
		write_text(w, setting->max);
		write_text(w, setting_kind(setting)->list ? " of them" : " octets");
	}
}

/* What may be written, what stands otherwise, and when a change becomes true. */
static void facts_write(const struct setting *setting, struct writer *w)
{
	const struct kind *kind = setting_kind(setting);

	write_text(w, "Value: ");
	for (size_t i = 0; kind->words && kind->words[i]; i++) {
		if (i) write_text(w, kind->words[i + 1] ? ", " : " or ");
		write_text(w, kind->words[i]);
	}
	if (!kind->words) write_text(w, kind->expected);
	if (kind->list) write_text(w, "; or a list of these");
	range_write(setting, w);
	write_text(w, ".");
	if (setting->standard) {
		write_text(w, " Default: ");
		write_text(w, setting->standard);
		write_text(w, ".");
	}
	if (setting->reach == REACH_PRIMARY) write_text(w, " Only in zones of role primary.");
	if (setting->reach == REACH_SECONDARY) write_text(w, " Only in zones of role secondary.");
	if (setting->reach == REACH_PRIMARY_TEMPLATE)
		write_text(w, " In a template it is for zones of role primary.");
	write_text(w, " A change takes effect ");
	write_text(w, effects[setting->effect]);
	write_text(w, ".");
}

/* Words in lines of LINE_OCTETS_MAX, each behind two spaces. */
static void write_wrapped(struct writer *w, struct span text)
{
	size_t column = 0;

	while (text.len) {
		const uint8_t *space = memchr(text.ptr, ' ', text.len);
		size_t len = space ? (size_t)(space - text.ptr) : text.len;
		if (column && column + 1 + len > LINE_OCTETS_MAX) {
			write_u8(w, '\n');
			column = 0;
		}
		write_text(w, column ? " " : "  ");
		write_bytes(w, text.ptr, len);
		column += column ? len + 1 : len + 2;
		len += space != NULL;
		text = span_of(text.ptr + len, text.len - len);
	}
	write_u8(w, '\n');
}

static void path_write(enum chapter chapter, const struct setting *setting, struct writer *w)
{
	const char *key = chapter_info(chapter)->key;

	if (key) {
		write_text(w, key);
		write_u8(w, '.');
	}
	write_text(w, setting->key);
}

static void explain_setting(enum chapter chapter, const struct setting *setting, struct writer *w)
{
	uint8_t facts[FACTS_MAX];
	struct writer f = writer_of(facts, sizeof facts);

	path_write(chapter, setting, w);
	write_u8(w, '\n');
	write_wrapped(w, span_of_text(setting->doc));
	facts_write(setting, &f);
	write_wrapped(w, writer_span(&f));
}

static void explain_chapter(enum chapter chapter, struct writer *w)
{
	size_t count;
	const struct setting *settings = chapter_settings(chapter, &count);

	write_text(w, chapter_info(chapter)->key);
	write_u8(w, '\n');
	write_wrapped(w, span_of_text(chapter_info(chapter)->doc));
	for (size_t i = 0; i < count; i++) {
		write_u8(w, '\n');
		explain_setting(chapter, &settings[i], w);
	}
}

/* Chapters of the file in the order of the table, the templates' settings told as a zone's. */
static bool chapter_has_own(enum chapter chapter)
{
	return chapter != CHAPTER_TEMPLATES;
}

/* "zones.file", "file"; in a chapter or in all. Returns how many there are. */
static size_t explain_key(struct span chapter_key, struct span key, struct writer *w)
{
	size_t found = 0;

	for (int i = CHAPTER_TOP; i < CHAPTER_COUNT; i++) {
		enum chapter chapter = (enum chapter)i;
		const struct setting *setting = setting_find(chapter, key);
		bool asked = chapter_key.len && chapter_info(chapter)->key &&
			     span_is_text(chapter_key, chapter_info(chapter)->key);
		if (!setting || (chapter_key.len ? !asked : !chapter_has_own(chapter))) continue;
		if (found++) write_u8(w, '\n');
		explain_setting(chapter, setting, w);
	}
	return found;
}

/* The nearest setting of a chapter, then of any; for "file" of one the same of another. */
static const struct setting *setting_near(struct span key, enum chapter asked)
{
	const char *near = asked == CHAPTER_TOP ? NULL : setting_suggest(asked, key);

	if (near) return setting_find(asked, span_of_text(near));
	for (int i = CHAPTER_COUNT - 1; i >= 0 && !near; i--) {
		if (i == CHAPTER_TEMPLATES) continue;
		near = setting_suggest((enum chapter)i, key);
		if (near) return setting_find((enum chapter)i, span_of_text(near));
	}
	return NULL;
}

static enum chapter chapter_find(struct span key)
{
	for (int i = CHAPTER_TOP + 1; i < CHAPTER_COUNT; i++)
		if (span_is_text(key, chapter_info((enum chapter)i)->key)) return (enum chapter)i;
	return CHAPTER_TOP;
}

static enum code tell_unknown(struct span key, struct span chapter, struct span rest,
			      struct error *err)
{
	const struct setting *near = setting_near(rest, chapter_find(chapter));
	uint8_t path[64];
	struct writer w = writer_of(path, sizeof path);

	if (near)
		path_write(near->chapter, near, &w);
	else if (setting_suggest(CHAPTER_TOP, key))
		write_text(&w, setting_suggest(CHAPTER_TOP, key));
	else
		return error_set(err, E_NOT_FOUND, "there is no setting \"%.*s\"", (int)key.len,
				 (const char *)key.ptr);
	return error_set(err, E_NOT_FOUND, "there is no setting \"%.*s\"; did you mean \"%.*s\"?",
			 (int)key.len, (const char *)key.ptr, (int)w.len, (const char *)path);
}

enum code config_explain(struct span key, struct writer *out, struct error *err)
{
	const uint8_t *dot = key.len ? memchr(key.ptr, '.', key.len) : NULL;
	struct span chapter = {0}, rest = key;
	enum chapter whole = chapter_find(key);

	if (whole != CHAPTER_TOP) explain_chapter(whole, out);
	/* What remotes call keys has the name of a chapter. */
	if (whole != CHAPTER_TOP && whole != CHAPTER_KEYS) return OK;
	if (whole == CHAPTER_KEYS) write_u8(out, '\n');
	if (dot) {
		chapter = span_of(key.ptr, (size_t)(dot - key.ptr));
		rest = span_of(dot + 1, key.len - chapter.len - 1);
	}
	if (explain_key(chapter, rest, out)) return OK;
	return tell_unknown(key, chapter, rest, err);
}

void config_keys(struct writer *out)
{
	for (int i = CHAPTER_TOP; i < CHAPTER_COUNT; i++) {
		size_t count;
		const struct setting *settings = chapter_settings((enum chapter)i, &count);
		for (size_t k = 0; k < count; k++) {
			if (i == CHAPTER_TEMPLATES && settings[k].kind == KIND_TEMPLATE) continue;
			path_write((enum chapter)i, &settings[k], out);
			write_u8(out, '\n');
		}
	}
}

/* Text for roff: `so` in bold, hyphens and backslashes as themselves. */
static void roff_write(struct writer *w, struct span text)
{
	bool bold = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (c == '`') {
			bold = !bold;
			write_text(w, bold ? "\\fB" : "\\fP");
		} else if (c == '-' || c == '\\') {
			write_text(w, c == '-' ? "\\-" : "\\e");
		} else {
			write_u8(w, c);
		}
	}
	write_u8(w, '\n');
}

static void manual_setting(const struct setting *setting, struct writer *w)
{
	uint8_t facts[FACTS_MAX];
	struct writer f = writer_of(facts, sizeof facts);

	write_text(w, ".TP\n.B ");
	roff_write(w, span_of_text(setting->key));
	roff_write(w, span_of_text(setting->doc));
	facts_write(setting, &f);
	write_text(w, ".br\n");
	roff_write(w, writer_span(&f));
}

void config_manual(struct writer *out)
{
	for (int i = CHAPTER_TOP; i < CHAPTER_COUNT; i++) {
		const struct chapter_info *info = chapter_info((enum chapter)i);
		size_t count;
		const struct setting *settings = chapter_settings((enum chapter)i, &count);
		write_text(out, ".SS ");
		write_text(out, info->key ? info->key : "Beside the sections");
		write_u8(out, '\n');
		if (info->key) roff_write(out, span_of_text(info->doc));
		for (size_t k = 0; chapter_has_own((enum chapter)i) && k < count; k++)
			manual_setting(&settings[k], out);
	}
}
