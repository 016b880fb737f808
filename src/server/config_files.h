/* SPDX-License-Identifier: Apache-2.0 */
/* config_files.h - the configuration from the files that hold it (config/config.h reads none). */
#ifndef SERVER_CONFIG_FILES_H
#define SERVER_CONFIG_FILES_H

#include "config/config.h"

#define CONFIG_FILE_DEFAULT "/etc/lockstep/lockstep.yaml"

/* -c FILE, else LOCKSTEP_CONFIG, else the default. */
const char *config_path(const char *from_command_line);

/*
 * Reads `path` and all it includes. Codes as config_load; a file that cannot be read
 * is an error with its place among `diagnostics`.
 */
enum code config_files_load(const char *path, struct arena *arena, struct diagnostics *diagnostics,
			    const struct policy **policy) must_use;

/*
 * The same; tells each path that is read, and each pattern that is looked up, so that
 * their folders can be opened to others.
 */
enum code config_files_load_seen(const char *path, struct arena *arena,
				 struct diagnostics *diagnostics, const struct policy **policy,
				 void (*seen)(void *context, const char *path),
				 void *context) must_use;

/*
 * The control socket that `path` names, whatever else is wrong in it (config_control), in
 * `arena`. E_IO: the file cannot be read.
 */
enum code config_files_control(const char *path, struct arena *arena, const char **control,
			       struct error *err) must_use;

/* Prints every diagnostic with its line and caret, and the number of errors that were not kept. */
void diagnostics_show(const struct diagnostics *diagnostics);

#endif
