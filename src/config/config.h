/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - the configuration: bytes in, policy out.
 *
 * Files come through a loader, so nothing here opens one. A configuration is taken
 * whole or not at all; every error of it is told at once, each with its place. Rules
 * of the format are in settings.def, kinds.def and the manual page lockstep.yaml(5).
 *
 * Not taken of YAML: anchors and aliases (templates fill in what zones share), tags,
 * several documents in a file. A text that begins with "*", "@", "&", "!", "`" or "%"
 * stands in quotes.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/diagnostic.h"
#include "base/error.h"
#include "base/json.h"
#include "base/writer.h"
#include "config/limits.h"
#include "config/setting.h"

struct config_file {
	struct span text;     /* valid until config_load returns */
	bool others_can_read; /* users that are neither its owner nor in its group */
};

struct config_loader {
	/* Brings a file: the main one by the path given to config_load, others by absolute paths.
	 */
	enum code (*read)(void *context, const char *path, struct config_file *file,
			  struct error *err);

	/*
	 * The paths that a pattern (absolute, with * ? [ ]) stands for, in a fixed order,
	 * allocated in `arena`. A pattern without those stands for itself, whether it
	 * exists or not; one with them may stand for nothing. E_NOMEM when the arena is full.
	 */
	enum code (*expand)(void *context, const char *pattern, struct arena *arena,
			    const char *const **paths, size_t *count, struct error *err);
	void *context;

	const char *folder;    /* of the main file, absolute: its relative paths start there */
	const char *host_name; /* stands in for `server: name`; NULL: unknown, so hidden */
	size_t scratch_max;    /* octets for reading; 0: CONFIG_SCRATCH_MAX */
};

/*
 * Reads the configuration whose main file is at `path`. The policy lies in `arena`.
 *
 * E_SYNTAX  there are errors: `diagnostics` has them, `policy` is NULL. Warnings alone
 *           are no error.
 * E_NOMEM   an arena is full; `policy` is NULL.
 */
enum code config_load(const struct config_loader *loader, const char *path, struct arena *arena,
		      struct diagnostics *diagnostics, const struct policy **policy) must_use;

/*
 * The path of the control socket, in `arena`, as far as the files can be read: a mistake
 * elsewhere in them must not keep people from a server that runs with the configuration
 * before. The default where they do not say it; NULL when the arena is full.
 */
const char *config_control(const struct config_loader *loader, const char *path,
			   struct arena *arena);

enum config_format { CONFIG_YAML, CONFIG_JSON };

/*
 * Writes the configuration in force, defaults and templates resolved, acls written
 * out, through a sink in chunks. Secrets are masked unless asked for; with them the
 * text loads again and gives the same policy.
 */
void config_export(const struct policy *policy, enum config_format format, bool with_secrets,
		   void (*sink)(void *context, struct span chunk), void *context);

enum config_change_kind { CONFIG_ADDED, CONFIG_REMOVED, CONFIG_CHANGED };

/* One difference between two policies. */
struct config_change {
	enum config_change_kind kind;
	enum chapter chapter;
	const char *label;             /* of the key, remote or zone; NULL in server and limits */
	const struct setting *setting; /* what changed; NULL: the whole item came or went */
	/* The chapter's struct on either side: struct zone_policy, ... NULL where there is none. */
	const void *before, *after;
};

/*
 * Tells each difference: server, limits, keys, remotes, zones, in this order. A change
 * of a remote or a key is told there, not at each zone that names it. The change is
 * borrowed for the call, what it points at lies in the policies.
 */
void config_difference(const struct policy *before, const struct policy *after,
		       void (*sink)(void *context, const struct config_change *change),
		       void *context);

enum { SIZE_TEXT_MAX = 32 };

/* Writes a size as settings have it, exactly: "64K", "4G", "1232"; returns `text`. */
char *size_print(uint64_t octets, char text[static SIZE_TEXT_MAX]);

enum { CONFIG_CHANGE_TEXT_MAX = 512 };

/* "zone example.com: secondaries changed from [west] to [east, west]"; returns `text`. */
char *config_change_print(const struct config_change *change,
			  char text[static CONFIG_CHANGE_TEXT_MAX]);

/*
 * What `key` means: "zones.file", "server" or just "file", which tells every setting of
 * that name. E_NOT_FOUND says what may have been meant.
 */
enum code config_explain(struct span key, struct writer *out, struct error *err);

/* Each setting as chapter.key, one a line, for completion. */
void config_keys(struct writer *out);

/* JSON Schema (draft 2020-12) of a configuration file, for editors. */
void config_schema(struct json *out);

/* The settings as the middle part of the manual page lockstep.yaml(5), in man(7) macros. */
void config_manual(struct writer *out);

#endif
