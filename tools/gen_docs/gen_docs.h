/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_docs.h - manual pages and shell completion from the tables that the program is
 * made from. Part of the build only.
 */
#ifndef TOOLS_GEN_DOCS_H
#define TOOLS_GEN_DOCS_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stdio.h>

/* Rows of server/commands.def. */
struct command_row {
	const char *words, *arguments;
	bool asks_server;
	const char *summary, *text;
};

struct option_row {
	const char *long_form, *short_form;
	const char *value; /* NULL: it is a switch */
	const char *text;
};

const struct command_row *command_rows(size_t *count);
const struct option_row *option_rows(size_t *count);

/* The option stands in the command's synopsis; one that stands in none goes with all. */
bool command_has_option(const struct command_row *command, const struct option_row *option);
bool option_is_general(const struct option_row *option);

/* What a command takes after its words, which is what a shell can complete. */
enum argument_kind {
	ARGUMENT_NONE, /* nothing that a shell knows */
	ARGUMENT_FILE,
	ARGUMENT_SETTING, /* as `config explain` takes it */
	ARGUMENT_COMMAND,
};

enum argument_kind command_argument(const struct command_row *command);
bool option_takes_file(const struct option_row *option);
bool option_takes_algorithm(const struct option_row *option);

/* Of "zone list": "zone", and where "list" begins; of "status": NULL. */
const char *command_verb(const struct command_row *command, size_t *noun_len);

/* True for the first command of its noun: each noun is completed once. */
bool command_opens_noun(const struct command_row *commands, size_t i);

/* The settings as chapter.key, one a line, ended by a zero; freed by nobody. */
const char *setting_names(void);

void manual_lockstep(FILE *out);
/* `example`: text of a configuration that stands in the page. */
void manual_lockstep_yaml(FILE *out, const char *example);

void completion_bash(FILE *out);
void completion_zsh(FILE *out);
void completion_fish(FILE *out);

#endif
