/* SPDX-License-Identifier: Apache-2.0 */
/* $ORIGIN and $INCLUDE (RFC 1035 5.1), $TTL (RFC 2308 4). */
#include "base/suggest.h"
#include "dns/decimal.h"
#include "dns/escape.h"
#include "dns/zone_text_parse.h"

struct directive {
	const char *name;
	const char *form;
	enum code (*handle)(struct zone_text *p);
	size_t words_min, words_max; /* its own included */
};

static bool name_at(struct zone_text *p, size_t at, struct name_buffer *name)
{
	const struct token *word = &p->scan->words->list[at];
	struct name origin = name_of(&p->state.origin);
	struct error err;

	if (name_from_text(word_span(word), &origin, name, &err) == OK) return true;
	zone_text_complain(p, at, "%s", err.text);
	return false;
}

static enum code origin_handle(struct zone_text *p)
{
	struct name_buffer origin;

	if (!name_at(p, 1, &origin)) return OK;
	p->state.origin = origin;
	p->state.owner_text = (struct span){0};
	return OK;
}

static enum code ttl_handle(struct zone_text *p)
{
	uint32_t ttl;

	if (!zone_text_ttl(p, 1, &ttl)) return OK;
	p->state.default_ttl = ttl;
	p->state.has_default_ttl = true;
	p->state.default_ttl_included = false;
	return OK;
}

enum { INCLUDE_PATH_MAX = 4096 };

/* The path as a string, its escapes \X resolved. */
static char *path_copy(struct zone_text *p, const struct token *word)
{
	char *path = arena_copy_text(p->parser->arena, word_span(word));
	size_t len = 0;

	if (!path) return NULL;
	for (size_t i = 0; i < word->len; i++) {
		if (path[i] == '\\' && i + 1 < word->len) i++;
		path[len++] = path[i];
	}
	path[len] = '\0';
	return path;
}

/* The file is being read already: it would never end. */
static bool is_loop(struct zone_text *p, const char *name)
{
	for (const struct zone_text_file *file = p->file; file; file = file->from) {
		if (strcmp(file->name, name) != 0) continue;
		zone_text_complain(p, 1, "\"%s\" includes itself%s%s%s", name,
				   file == p->file ? "" : " by way of \"",
				   file == p->file ? "" : p->file->name,
				   file == p->file ? "" : "\"");
		return true;
	}
	return false;
}

static bool may_include(struct zone_text *p)
{
	if (!p->parser->include) {
		zone_text_complain(p, 0, "$INCLUDE is not possible here: there are no files");
		return false;
	}
	if (p->file->depth == INCLUDE_DEPTH_MAX) {
		zone_text_complain(p, 0, "more than %d files include each other",
				   INCLUDE_DEPTH_MAX);
		return false;
	}
	if (p->include_count == INCLUDE_COUNT_MAX) {
		zone_text_complain(p, 0, "more than %d times $INCLUDE in one zone",
				   INCLUDE_COUNT_MAX);
		return false;
	}
	p->include_count++;
	return true;
}

/*
 * The included file changes neither origin nor owner of the one that includes it. Its
 * $TTL stays, as in BIND; others go back, so the first record that relies on it is told.
 */
static enum code included_parse(struct zone_text *p, const struct name_buffer *origin,
				const char *name, struct span text)
{
	struct zone_text_state before = p->state;
	struct zone_text_file file = {.from = p->file, .name = name, .depth = p->file->depth + 1};

	p->state.origin = *origin;
	p->state.owner_text = (struct span){0};
	enum code code = zone_text_file_parse(p, &file, text);

	struct zone_text_state inner = p->state;
	p->state = before;
	p->state.ttl = inner.ttl;
	p->state.has_ttl = inner.has_ttl;
	if (inner.has_default_ttl &&
	    (!before.has_default_ttl || inner.default_ttl != before.default_ttl)) {
		p->state.default_ttl = inner.default_ttl;
		p->state.has_default_ttl = true;
		p->state.default_ttl_included = true;
	}
	return code;
}

static enum code include_handle(struct zone_text *p)
{
	const struct token_list *words = p->scan->words;
	struct name_buffer origin = p->state.origin;
	struct span text = {0};
	const char *name = NULL;
	struct error err;

	if (!may_include(p)) return OK;
	if (words->list[1].len > INCLUDE_PATH_MAX) {
		zone_text_complain(p, 1, "a path of %u octets, at most %d",
				   (unsigned)words->list[1].len, INCLUDE_PATH_MAX);
		return OK;
	}
	if (words->count > 2 && !name_at(p, 2, &origin)) return OK;
	char *path = path_copy(p, &words->list[1]);
	if (!path) return E_NOMEM;
	enum code code =
		p->parser->include(p->parser->context, path, p->file->name, &text, &name, &err);
	if (code) {
		zone_text_complain(p, 1, "%s", err.text);
		return code == E_NOMEM ? code : OK;
	}
	if (is_loop(p, name)) return OK;
	return included_parse(p, &origin, name, text);
}

static const struct directive directives[] = {
	{"$ORIGIN", "$ORIGIN NAME", origin_handle, 2, 2},
	{"$TTL", "$TTL 3600", ttl_handle, 2, 2},
	{"$INCLUDE", "$INCLUDE FILE [ORIGIN]", include_handle, 2, 3},
	{"$GENERATE", "$GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA",
	 zone_text_generate, 5, SIZE_MAX},
};

static void complain_unknown(struct zone_text *p, struct span found)
{
	const char *names[ARRAY_COUNT(directives)];
	char quoted[QUOTED_MAX];

	for (size_t i = 0; i < ARRAY_COUNT(directives); i++) names[i] = directives[i].name;
	const char *near = suggest(found, names, ARRAY_COUNT(names));
	zone_text_complain(p, 0,
			   "unknown directive %s%s%s%s; a name with \"$\" in front is written \\$",
			   quote(found, quoted), near ? ", did you mean " : "", near ? near : "",
			   near ? "?" : "");
}

bool zone_text_is_of_state(const struct zone_text *p)
{
	struct span found = word_span(&p->scan->words->list[0]);

	return word_is(found, "$ORIGIN") || word_is(found, "$TTL");
}

enum code zone_text_directive(struct zone_text *p)
{
	const struct token_list *words = p->scan->words;
	struct span found = word_span(&words->list[0]);

	for (size_t i = 0; i < ARRAY_COUNT(directives); i++) {
		const struct directive *d = &directives[i];
		if (!word_is(found, d->name)) continue;
		if (words->count >= d->words_min && words->count <= d->words_max)
			return d->handle(p);
		zone_text_complain(p, words->count < d->words_min ? words->count : d->words_max,
				   "too %s words for %s: expected %s",
				   words->count < d->words_min ? "few" : "many", d->name, d->form);
		return OK;
	}
	complain_unknown(p, found);
	return OK;
}
