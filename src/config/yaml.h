/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml.h - YAML text as a tree of nodes with places; the only face of libfyaml.
 *
 * Every scalar stays a text until a schema gives it a type. Anchors, aliases and tags
 * are refused, so a text can never stand for more than it is; several documents in a
 * text and nesting deeper than YAML_DEPTH_MAX are refused as well.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "base/arena.h"
#include "base/diagnostic.h"
#include "config/limits.h"

enum node_kind {
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAP,
	NODE_BAD, /* was reported already; nothing is known of what it was meant to be */
};

/* A map's children are key, value, key, value, ... */
struct node {
	union {
		const char *text;
		struct node *first;
	};
	struct node *next;
	uint32_t len; /* octets of a scalar, children of a list or map */
	uint32_t line;
	uint32_t column;
	uint16_t source; /* the caller's number for the text */
	uint8_t kind;
	bool quoted; /* in quotes or a block: an empty text is meant, not left out */
};

struct yaml_source {
	const char *file; /* as places name it; lives as long as the diagnostics */
	struct span text;
	uint16_t number;
};

static inline struct span node_text(const struct node *node)
{
	return (struct span){.ptr = (const uint8_t *)node->text, .len = node->len};
}

/* Nothing was written: `key:` with no value behind it. */
static inline bool node_is_empty(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->len == 0 && !node->quoted;
}

/*
 * Reads one text; the nodes lie in `arena` and may point into the text. `root` is NULL
 * for a text without content.
 *
 * OK        it was read to its end. Anchors, aliases and tags were told as errors.
 * E_SYNTAX  it is not YAML from some place on: the diagnostics say where, and `root` is
 *           what stood before that place, its last items cut short.
 * E_NOMEM   the arena is full.
 */
enum code yaml_parse(const struct yaml_source *source, struct arena *arena,
		     struct diagnostics *diagnostics, const struct node **root);

/* The line of a text that a place names, without its end; empty when there is none. */
struct span text_line(struct span text, uint32_t line);

#endif
