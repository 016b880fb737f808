/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h - a configuration while it is read; only this folder includes it.
 *
 * First every file becomes nodes and every item an `struct entry`, then chapters are
 * resolved in the order in which they refer to each other: keys, remotes, acls,
 * templates, zones. An error is told and reading goes on; memory that ran out is
 * remembered in `exhausted` and everything after it may be skipped.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config.h"
#include "config/yaml.h"

struct source {
	const char *path;   /* as places name it; in the arena of the diagnostics */
	const char *origin; /* the same in the policy's arena */
	uint64_t path_hash;
	const char *folder; /* absolute: where its relative paths start */
	struct span text;
	bool others_can_read;
	bool others_told; /* that was told already */
	uint16_t parent;  /* the file that includes it; its own number: the main file */
	uint16_t depth;
};

/* An item of a chapter, or the one map that the chapter is. */
struct entry {
	const struct node *map;
	const struct node **values; /* by the setting's place in its chapter; NULL: not written */
};

struct entries {
	struct entry *list;
	size_t count, capacity;
};

/* Items of a chapter by their labels; for references and "did you mean". */
struct labels {
	const char **texts; /* sorted */
	const struct entry **entries;
	uint32_t *slots; /* place in `texts` plus one, 0: free */
	size_t slot_count;
	size_t count; /* of items with a label of their own */
	size_t all;   /* behind them in `entries`: those without, to be checked all the same */
};

/* Octets that are kept once however often they come: lists that many zones share. */
struct pool {
	struct pool_slot {
		const void *octets;
		size_t len;
	} * slots;
	size_t slot_count, count;
};

enum acl_state { ACL_UNREAD, ACL_UNDER_WAY, ACL_READ };

/* Allow lists being made, one within the other: the inner one is on top. */
struct allow_builder {
	struct access_item *items;
	size_t count, capacity;
	size_t total; /* items of all lists so far, to bound the work */
	size_t acl_depth;
	/* The last allow-transfer with secondaries: most zones have the same. */
	const void *last_secondaries;
	struct access_list last_allowed, last_joined;
};

/* What was said of a setting. */
enum said { SAID_NOTHING, SAID_RIGHT, SAID_WRONG };

/* What zones take from: a zone half made. */
struct zone_template {
	struct zone_policy zone;
	enum said said[CHAPTER_SETTINGS_MAX];
};

struct load {
	const struct config_loader *loader;
	struct arena *arena;   /* the policy's */
	struct arena *scratch; /* for the time of reading */
	struct diagnostics *diagnostics;
	struct source *sources;
	size_t source_count, source_capacity;
	struct entries chapters[CHAPTER_COUNT];
	struct labels keys, remotes, acls, templates;
	struct pool pool;
	struct policy *policy;
	struct tsig_key *key_list; /* in the order of `keys` */
	struct remote *remote_list;
	struct acl *acl_list;
	enum acl_state *acl_states;
	struct allow_builder allow;
	struct zone_template *template_list;
	struct zone_template defaults; /* what no template says */
	bool broken;                   /* a file is not YAML: nothing is resolved */
	bool exhausted;
};

/* Telling what is wrong; `node` is the place. */
void load_error(struct load *load, const struct node *node, const char *format, ...)
	printf_like(3, 4);
void load_warning(struct load *load, const struct node *node, const char *format, ...)
	printf_like(3, 4);

/* The same at the place of a secret: the line is not shown. */
void load_secret_error(struct load *load, const struct node *node, const char *format, ...)
	printf_like(3, 4);

struct place node_place(struct load *load, const struct node *node);
const struct source *node_source(const struct load *load, const struct node *node);

/* Zeroed memory of the policy, or for the time of reading; NULL and `exhausted` when full. */
void *load_keep(struct load *load, size_t count, size_t size);
void *load_scratch(struct load *load, size_t count, size_t size);
const char *load_keep_text(struct load *load, struct span text);

uint64_t octets_hash(struct span octets);

/* The octets, kept once in the policy's arena, aligned for anything. */
const void *pool_keep(struct load *load, const void *octets, size_t len);

/*
 * Gives each item of a chapter its label. `read_label` reads the text of a name, tells
 * what is wrong with it and returns NULL then; a name that is missing or stands a
 * second time is told here.
 */
bool labels_make(struct load *load, enum chapter chapter, struct labels *labels,
		 const char *(*read_label)(struct load *load, const struct node *node,
					   struct span text));

/* The place of an item, or SIZE_MAX. */
size_t labels_find(const struct labels *labels, struct span text);

/* The same name a second time: both places are told. */
void tell_second(struct load *load, const char *what, const struct node *second,
		 const struct node *first);

/* "remote "wset" does not exist; did you mean "west"?" */
void tell_missing(struct load *load, const struct labels *labels, const char *what,
		  const struct node *node);

/* The node of an item's setting, NULL when it is not written. */
const struct node *entry_value(const struct entry *entry, enum chapter chapter, const char *key);

/* source.c: reads the main file and all it includes into entries. */
void load_files(struct load *load, const char *path);

/* An absolute path: `text` within `folder` unless it is absolute already. */
const char *path_join(struct load *load, struct arena *arena, const char *folder, struct span text);

/* value.c: reads one value into its place in `object`; false when it is wrong or not there. */
bool value_read(struct load *load, const struct setting *setting, const struct node *node,
		void *object);

/* The same from the setting's default, which is right by construction. */
void value_read_standard(struct load *load, const struct setting *setting, void *object);

/* A scalar with a text: tells the error where it is something else. */
bool node_scalar(struct load *load, const struct setting *setting, const struct node *node,
		 struct span *text);

/* The items of a list, or the one item that stands for it. */
struct items {
	const struct node *first;
	size_t count;
};
bool node_items(struct load *load, const struct setting *setting, const struct node *node,
		struct items *items);

/* What is wrong with an address or prefix. */
void tell_prefix(struct load *load, const struct setting *setting, const struct node *node,
		 struct span text);

/* Digits, dots, colons and a slash: not a name gone wrong. */
bool prefix_looks_meant(struct span text);

/* A label as written, when it keeps the rules of labels. */
const char *label_read(struct load *load, const struct node *node, struct span text);

/* key.c */
void load_keys(struct load *load);
bool read_keys(struct load *load, const struct setting *setting, const struct node *node,
	       void *object);
bool read_secret(struct load *load, const struct setting *setting, const struct node *node,
		 void *object);
bool read_secret_file(struct load *load, const struct setting *setting, const struct node *node,
		      void *object);
const struct tsig_key *key_find(struct load *load, const struct node *node, struct span text);

/* remote.c */
void load_remotes(struct load *load);
bool read_from(struct load *load, const struct setting *setting, const struct node *node,
	       void *object);
/* False when an item is wrong; the others are in the list. */
bool read_remotes(struct load *load, const struct setting *setting, const struct node *node,
		  void *object);

/* allow.c: acls and allow lists. */
void load_acls(struct load *load);
bool read_allow(struct load *load, const struct setting *setting, const struct node *node,
		void *object);

/* Puts the zone's secondaries before its allow-transfer; false when memory ran out. */
bool allow_with_secondaries(struct load *load, struct zone_policy *zone);

/* zone.c: templates and zones. */
void load_templates(struct load *load);
void load_zones(struct load *load);

/* Sorts pointers, keeping the order of equals; `spare` has room for as many. */
void pointers_sort(const void **list, const void **spare, size_t count,
		   int (*compare)(const void *a, const void *b));

#endif
