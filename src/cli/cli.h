/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h - the commands: words in, an exit status out.
 *
 * Every command is a row of server/commands.def and one function here.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>

enum cli_exit {
#define EXIT_STATUS(identifier, number, text) CLI_##identifier = (number),
#include "server/commands.def"
};

enum cli_option {
#define OPTION(identifier, long_form, short_form, value, text) OPTION_##identifier,
#include "server/commands.def"
	OPTION_COUNT,
};

enum { ARGUMENTS_MAX = 8 };

struct command;

/* One command line, taken apart. */
struct invocation {
	const struct command *command;
	const char *options[OPTION_COUNT]; /* "" for a switch that is set, NULL: not given */
	const char *arguments[ARGUMENTS_MAX];
	size_t argument_count;
};

enum {
#define COMMAND(identifier, words, arguments, where, summary, text) COMMAND_##identifier,
#include "server/commands.def"
	COMMAND_COUNT,
};

struct command {
	const char *words;     /* "zone reload" */
	const char *arguments; /* synopsis */
	bool asks_server;
	const char *summary, *text;
	int (*run)(const struct invocation *invocation);
};

/* All commands, in the order of the table. */
const struct command *cli_commands(size_t *count);

struct option_row {
	const char *long_form, *short_form, *value, *text;
};

const struct option_row *cli_options(void);

/* Runs the command line; returns the exit status. */
int cli_main(int argc, char **argv);

/*
 * Says on standard error, or in JSON on standard output where --json was given, what is
 * wrong with the command line; returns CLI_USAGE.
 */
int cli_usage(const char *format, ...) printf_like(1, 2);

/* Says likewise why it failed; returns CLI_FAILED. */
int cli_failed(const char *format, ...) printf_like(1, 2);

/* Says likewise why no server answers; returns CLI_NO_SERVER. */
int cli_no_server(const char *format, ...) printf_like(1, 2);

#define COMMAND(identifier, words, arguments, where, summary, text)                                \
	int command_##identifier(const struct invocation *invocation);
#include "server/commands.def"

#endif
