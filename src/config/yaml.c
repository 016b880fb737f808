/* SPDX-License-Identifier: Apache-2.0 */
#include "config/yaml.h"

#include <libfyaml.h>
#include <stdio.h>

struct tree {
	const struct yaml_source *source;
	struct arena *arena;
	struct diagnostics *diagnostics;
	struct node *root;
	size_t node_count;
	size_t document_count;
	/* The lists and maps that are open, each with its last child. */
	struct node *open[YAML_DEPTH_MAX];
	struct node *last[YAML_DEPTH_MAX];
	size_t depth;
	/* Where the line of the last place begins, so that a long line is searched once. */
	size_t line_start;
	int line;
	bool stopped; /* nothing after this can be understood */
	bool exhausted;
};

struct span text_line(struct span text, uint32_t line)
{
	const uint8_t *at = text.ptr, *end;

	if (line == 0 || text.len == 0) return (struct span){0};
	end = text.ptr + text.len;
	while (--line) {
		const uint8_t *feed = memchr(at, '\n', (size_t)(end - at));
		if (!feed) return (struct span){0};
		at = feed + 1;
	}
	const uint8_t *feed = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
	if (!feed) feed = end;
	if (feed > at && feed[-1] == '\r') feed--;
	return span_of(at, (size_t)(feed - at));
}

/* Line and column of an octet of the text, both from 1. */
static struct place place_at(const struct yaml_source *source, size_t offset, size_t width)
{
	struct place place = {.file = source->file, .line = 1, .width = (uint32_t)width};
	const uint8_t *at = source->text.ptr, *target = source->text.ptr + offset, *feed;

	while (at < target && (feed = memchr(at, '\n', (size_t)(target - at)))) {
		place.line++;
		at = feed + 1;
	}
	place.column = (uint32_t)(target - at) + 1;
	return place;
}

static void tree_fail(struct tree *tree, size_t offset, size_t width, const char *text)
{
	struct place place = place_at(tree->source, offset, width);

	if (diagnostics_full(tree->diagnostics)) tree->stopped = true;
	diagnose(tree->diagnostics, place, text_line(tree->source->text, place.line), "%s", text);
}

static void tree_exhaust(struct tree *tree)
{
	tree->exhausted = true;
	tree->stopped = true;
}

/* A value that YAML reads as something else: its first octet means something to YAML. */
static void tree_fail_quotes(struct tree *tree, size_t offset, size_t width)
{
	struct span text = tree->source->text;
	char sentence[160];

	if (width > 40) width = 40;
	if (width < 2)
		snprintf(sentence, sizeof sentence,
			 "a text that begins with \"%c\" must be put in quotes", text.ptr[offset]);
	else
		snprintf(sentence, sizeof sentence,
			 "a text that begins with \"%c\" must be put in quotes: \"%.*s\"",
			 text.ptr[offset], (int)width, (const char *)text.ptr + offset);
	tree_fail(tree, offset, width, sentence);
}

/* Octets of the character of UTF-8 at `p`, 0 when it is none or one that no text has. */
static size_t character_len(const uint8_t *p, size_t left)
{
	uint8_t first = p[0];

	if (first == '\r') return left > 1 && p[1] == '\n'; /* no line ends in it alone */
	if (first < 0x20) return first == '\t' || first == '\n';
	if (first < 0x7f) return 1;
	size_t len = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
	if (len == 0 || len > left) return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80) return 0;
	if (first == 0xe0 && p[1] < 0xa0) return 0;
	if (first == 0xed && p[1] > 0x9f) return 0;
	if (first == 0xf0 && p[1] < 0x90) return 0;
	if (first == 0xf4 && p[1] > 0x8f) return 0;
	return len;
}

/* libfyaml ends in silence at a zero and takes what looks like UTF-16 for that. */
static void check_characters(struct tree *tree)
{
	struct span text = tree->source->text;
	char sentence[96];
	size_t len;

	for (size_t at = 0; at < text.len; at += len) {
		len = character_len(text.ptr + at, text.len - at);
		if (len) continue;
		snprintf(sentence, sizeof sentence,
			 text.ptr[at] < 0x80 ? "octet 0x%02x is a control character"
					     : "octet 0x%02x is not UTF-8",
			 text.ptr[at]);
		tree_fail(tree, at, 1, sentence);
		tree->stopped = true;
		return;
	}
}

/* Appends a node to the list or map that is open. */
static struct node *tree_add(struct tree *tree, enum node_kind kind, const struct fy_mark *mark)
{
	struct node *node;

	if (tree->node_count++ == YAML_NODES_MAX) {
		tree_fail(tree, mark ? mark->input_pos : 0, 1,
			  "the file holds more values than any configuration needs");
		tree->stopped = true;
		return NULL;
	}
	node = arena_alloc(tree->arena, sizeof *node);
	if (!node) {
		tree_exhaust(tree);
		return NULL;
	}
	node->kind = (uint8_t)kind;
	node->source = tree->source->number;
	if (!tree->depth) {
		tree->root = node;
		return node;
	}
	size_t top = tree->depth - 1;
	if (tree->last[top])
		tree->last[top]->next = node;
	else
		tree->open[top]->first = node;
	tree->last[top] = node;
	tree->open[top]->len++;
	return node;
}

/* What has no text of its own stands where its key or its list stands. */
static void node_place(struct tree *tree, struct node *node, const struct fy_mark *mark,
		       const struct node *before)
{
	const uint8_t *text = tree->source->text.ptr;

	if (!mark) {
		if (!before) before = tree->depth ? tree->open[tree->depth - 1] : NULL;
		node->line = before ? before->line : 1;
		node->column = before ? before->column : 1;
		return;
	}
	if (mark->line != tree->line || mark->input_pos < tree->line_start) {
		tree->line = mark->line;
		tree->line_start = mark->input_pos;
		while (tree->line_start > 0 && text[tree->line_start - 1] != '\n')
			tree->line_start--;
	}
	node->line = (uint32_t)mark->line + 1;
	node->column = (uint32_t)(mark->input_pos - tree->line_start) + 1;
}

static struct node *tree_add_placed(struct tree *tree, enum node_kind kind,
				    const struct fy_mark *mark)
{
	struct node *before = tree->depth ? tree->last[tree->depth - 1] : NULL;
	struct node *node = tree_add(tree, kind, mark);

	if (node) node_place(tree, node, mark, before);
	return node;
}

/* A plain value within one line is what stands there: asking libfyaml for it costs more. */
static const char *plain_text(struct tree *tree, struct fy_token *token, size_t *len)
{
	const struct fy_mark *start = fy_token_start_mark(token), *end = fy_token_end_mark(token);
	struct span source = tree->source->text;

	if (!start || !end || start->line != end->line || start->input_pos > end->input_pos ||
	    end->input_pos > source.len)
		return fy_token_get_text(token, len);
	*len = end->input_pos - start->input_pos;
	return (const char *)source.ptr + start->input_pos;
}

static void tree_add_scalar(struct tree *tree, struct fy_event *event)
{
	struct fy_token *token = event->scalar.value;
	struct node *node = tree_add_placed(tree, NODE_SCALAR, fy_event_start_mark(event));
	enum fy_scalar_style style = fy_token_scalar_style(token);
	struct span source = tree->source->text;
	const char *text;
	size_t len = 0;

	if (!node) return;
	node->quoted = style != FYSS_PLAIN;
	if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && node->column > 1)
		node->column--; /* the mark stands behind the quote */
	text = node->quoted ? fy_token_get_text(token, &len) : plain_text(tree, token, &len);
	if (!text) len = 0;
	node->len = (uint32_t)len;
	node->text = "";
	if (len == 0) return;
	if ((const uint8_t *)text >= source.ptr && (const uint8_t *)text < source.ptr + source.len)
		node->text = text;
	else
		node->text = arena_copy_text(tree->arena, span_of(text, len));
	if (!node->text) tree_exhaust(tree);
}

static void tree_open(struct tree *tree, struct fy_event *event, enum node_kind kind)
{
	const struct fy_mark *mark = fy_event_start_mark(event);
	struct node *node = tree_add_placed(tree, kind, mark);

	if (!node) return;
	if (tree->depth == YAML_DEPTH_MAX) {
		tree_fail(tree, mark ? mark->input_pos : 0, 1,
			  "nested deeper than any setting goes");
		tree->stopped = true;
		return;
	}
	tree->open[tree->depth] = node;
	tree->last[tree->depth] = NULL;
	tree->depth++;
}

/* The name of an anchor or alias as it stands in the text, its mark included. */
static void refuse_alias(struct tree *tree, struct fy_token *name)
{
	const struct fy_mark *start = name ? fy_token_start_mark(name) : NULL;
	const struct fy_mark *end = name ? fy_token_end_mark(name) : NULL;

	if (!start || !end || start->input_pos == 0) {
		tree_fail(tree, 0, 0, "anchors and aliases of YAML are not taken");
		return;
	}
	size_t at = start->input_pos;
	if (tree->source->text.ptr[at] != '&' && tree->source->text.ptr[at] != '*') at--;
	tree_fail_quotes(tree, at, end->input_pos - at);
}

static void refuse_tag(struct tree *tree, struct fy_token *tag)
{
	const struct fy_mark *start = fy_token_start_mark(tag);
	const struct fy_mark *end = fy_token_end_mark(tag);
	size_t at = start ? start->input_pos : 0;

	tree_fail(
		tree, at, start && end ? end->input_pos - at : 1,
		"tags of YAML are not taken; a text that begins with \"!\" must be put in quotes");
}

static void refuse_document(struct tree *tree, struct fy_event *event)
{
	const struct fy_mark *mark = fy_event_start_mark(event);

	tree_fail(tree, mark ? mark->input_pos : 0, 3,
		  "a second document begins behind this place; a file holds one");
	tree->stopped = true;
}

static void tree_take(struct tree *tree, struct fy_event *event)
{
	switch (event->type) {
	case FYET_DOCUMENT_START:
		if (tree->document_count++ > 0) refuse_document(tree, event);
		break;
	case FYET_MAPPING_START:
		if (event->mapping_start.anchor) refuse_alias(tree, event->mapping_start.anchor);
		if (event->mapping_start.tag) refuse_tag(tree, event->mapping_start.tag);
		tree_open(tree, event, NODE_MAP);
		break;
	case FYET_SEQUENCE_START:
		if (event->sequence_start.anchor) refuse_alias(tree, event->sequence_start.anchor);
		if (event->sequence_start.tag) refuse_tag(tree, event->sequence_start.tag);
		tree_open(tree, event, NODE_LIST);
		break;
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END: tree->depth--; break;
	case FYET_SCALAR:
		if (event->scalar.anchor) refuse_alias(tree, event->scalar.anchor);
		if (event->scalar.tag) refuse_tag(tree, event->scalar.tag);
		tree_add_scalar(tree, event);
		break;
	case FYET_ALIAS:
		refuse_alias(tree, event->alias.anchor);
		tree_add_placed(tree, NODE_BAD, fy_event_start_mark(event));
		break;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END: break;
	}
}

/* The octet that libfyaml's line and column, both from 1 and in characters, mean. */
static size_t offset_of(struct span text, int line, int column)
{
	struct span found = text_line(text, line > 0 ? (uint32_t)line : 1);
	size_t at = 0;

	if (!found.ptr) return text.len;
	for (; column > 1 && at < found.len; column--) {
		at++;
		while (at < found.len && (found.ptr[at] & 0xc0) == 0x80) at++;
	}
	return (size_t)(found.ptr - text.ptr) + at;
}

/* Octets up to where a plain value would end. */
static size_t plain_len(struct span text, size_t at)
{
	size_t end = at;

	while (end < text.len && !strchr(" \t\r\n,[]{}", text.ptr[end])) end++;
	return end - at;
}

static void explain_failure(struct tree *tree, int line, int column, const char *message)
{
	struct span text = tree->source->text;
	size_t at = offset_of(text, line, column);
	char sentence[160];

	tree->stopped = true;
	/* "*" alone is an alias without a name: the place is behind it. */
	if (at > 0 && text.ptr[at - 1] == '*' && strstr(message, "alias")) at--;
	if (at < text.len && strchr("*&@`%", text.ptr[at])) {
		tree_fail_quotes(tree, at, plain_len(text, at));
		return;
	}
	snprintf(sentence, sizeof sentence, "not YAML: %s", message);
	tree_fail(tree, at, 1, sentence);
}

/* libfyaml ends at its first error. */
static void tree_explain(struct tree *tree, struct fy_diag *diag)
{
	void *iterator = NULL;
	struct fy_diag_error *failure = fy_diag_errors_iterate(diag, &iterator);

	if (failure)
		explain_failure(tree, failure->line, failure->column, failure->msg);
	else
		tree_exhaust(tree);
}

static void discard(struct fy_diag *diag, void *user, const char *text, size_t len)
{
	(void)diag, (void)user, (void)text, (void)len;
}

static void tree_read(struct tree *tree, struct fy_parser *parser, struct fy_diag *diag)
{
	struct span text = tree->source->text;

	if (fy_parser_set_string(parser, (const char *)text.ptr, text.len) != 0) {
		tree_exhaust(tree);
		return;
	}
	while (!tree->stopped) {
		struct fy_event *event = fy_parser_parse(parser);
		if (!event) {
			tree_explain(tree, diag);
			return;
		}
		bool end = event->type == FYET_STREAM_END;
		tree_take(tree, event);
		fy_parser_event_free(parser, event);
		if (end) return;
	}
}

static void tree_build(struct tree *tree)
{
	struct fy_diag_cfg diag_settings;
	struct fy_diag *diag;
	struct fy_parser *parser = NULL;

	fy_diag_cfg_default(&diag_settings);
	diag_settings.fp = NULL;
	diag_settings.output_fn = discard;
	diag = fy_diag_create(&diag_settings);
	if (diag) {
		fy_diag_set_collect_errors(diag, true);
		parser = fy_parser_create(&(struct fy_parse_cfg){
			.flags = FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
			.diag = diag,
		});
	}
	if (parser)
		tree_read(tree, parser, diag);
	else
		tree_exhaust(tree);
	if (parser) fy_parser_destroy(parser);
	if (diag) fy_diag_destroy(diag);
}

enum code yaml_parse(const struct yaml_source *source, struct arena *arena,
		     struct diagnostics *diagnostics, const struct node **root)
{
	struct tree tree = {
		.source = source, .arena = arena, .diagnostics = diagnostics, .line = -1};

	*root = NULL;
	if (source->text.len > YAML_OCTETS_MAX) {
		diagnose(diagnostics, (struct place){.file = source->file}, (struct span){0},
			 "the file is larger than %d MiB", YAML_OCTETS_MAX >> 20);
		return E_SYNTAX;
	}
	check_characters(&tree);
	if (!tree.stopped && source->text.len) tree_build(&tree);
	*root = tree.root;
	if (tree.exhausted) return E_NOMEM;
	return tree.stopped ? E_SYNTAX : OK;
}
