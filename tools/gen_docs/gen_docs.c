/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: gen_docs lockstep.1 | lockstep.yaml.5 EXAMPLE | bash | zsh | fish | schema
 *
 * Writes what is named to standard output.
 */
#include "gen_docs.h"

#include "config/config.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_OCTETS_MAX = 256 << 10 };

#define SERVER true
#define LOCAL  false

static const struct command_row commands[] = {
#define COMMAND(identifier, words, arguments, where, summary, text)                                \
	{words, arguments, where, summary, text},
#include "server/commands.def"
};

static const struct option_row options[] = {
#define OPTION(identifier, long_form, short_form, value, text) {long_form, short_form, value, text},
#include "server/commands.def"
};

const struct command_row *command_rows(size_t *count)
{
	*count = ARRAY_COUNT(commands);
	return commands;
}

const struct option_row *option_rows(size_t *count)
{
	*count = ARRAY_COUNT(options);
	return options;
}

bool command_has_option(const struct command_row *command, const struct option_row *option)
{
	const char *at = strstr(command->arguments, option->long_form);

	return at && strchr(" ]", at[strlen(option->long_form)]); /* or the end */
}

bool option_is_general(const struct option_row *option)
{
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
		if (command_has_option(&commands[i], option)) return false;
	return true;
}

enum argument_kind command_argument(const struct command_row *command)
{
	const char *word = command->arguments + strspn(command->arguments, "[");

	if (strncmp(word, "FILE", 4) == 0) return ARGUMENT_FILE;
	if (strncmp(word, "KEY", 3) == 0) return ARGUMENT_SETTING;
	if (strncmp(word, "COMMAND", 7) == 0) return ARGUMENT_COMMAND;
	return ARGUMENT_NONE;
}

bool option_takes_file(const struct option_row *option)
{
	return option->value &&
	       (strcmp(option->value, "FILE") == 0 || strcmp(option->value, "PATH") == 0);
}

bool option_takes_algorithm(const struct option_row *option)
{
	return option->value && strcmp(option->value, "ALGORITHM") == 0;
}

const char *command_verb(const struct command_row *command, size_t *noun_len)
{
	const char *space = strchr(command->words, ' ');

	*noun_len = space ? (size_t)(space - command->words) : strlen(command->words);
	return space ? space + 1 : NULL;
}

bool command_opens_noun(const struct command_row *rows, size_t i)
{
	size_t len, other_len;

	command_verb(&rows[i], &len);
	for (size_t k = 0; k < i; k++) {
		command_verb(&rows[k], &other_len);
		if (len == other_len && strncmp(rows[k].words, rows[i].words, len) == 0)
			return false;
	}
	return true;
}

const char *setting_names(void)
{
	static char text[TEXT_OCTETS_MAX];
	struct writer w = writer_of(text, sizeof text - 1);

	config_keys(&w);
	text[w.len] = '\0';
	return text;
}

static void to_stdout(void *context, struct span chunk)
{
	(void)context;
	fwrite(chunk.ptr, 1, chunk.len, stdout);
}

static void schema(void)
{
	struct json json;

	json_init(&json, to_stdout, NULL);
	config_schema(&json);
	json_end(&json);
	putchar('\n');
}

/* A whole file; the program ends when it cannot be read. */
static const char *file_text(const char *path)
{
	static char text[TEXT_OCTETS_MAX];
	FILE *in = fopen(path, "r");
	size_t len = in ? fread(text, 1, sizeof text - 1, in) : 0;

	if (!len || !feof(in)) {
		fprintf(stderr, "gen_docs: cannot read %s\n", path);
		exit(1);
	}
	fclose(in);
	text[len] = '\0';
	return text;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "lockstep.1") == 0) {
		manual_lockstep(stdout);
	} else if (strcmp(what, "lockstep.yaml.5") == 0 && argc == 3) {
		manual_lockstep_yaml(stdout, file_text(argv[2]));
	} else if (strcmp(what, "bash") == 0) {
		completion_bash(stdout);
	} else if (strcmp(what, "zsh") == 0) {
		completion_zsh(stdout);
	} else if (strcmp(what, "fish") == 0) {
		completion_fish(stdout);
	} else if (strcmp(what, "schema") == 0) {
		schema();
	} else {
		fputs("usage: gen_docs lockstep.1 | lockstep.yaml.5 EXAMPLE | bash | zsh | fish | "
		      "schema\n",
		      stderr);
		return 2;
	}
	return fflush(stdout) || ferror(stdout);
}
