/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "base/suggest.h"
#include "cli/show.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SERVER true
#define LOCAL  false

static const struct command commands[] = {
#define COMMAND(identifier, words, arguments, where, summary, text)                                \
	{words, arguments, where, summary, text, command_##identifier},
#include "server/commands.def"
};

enum { MESSAGE_TEXT_MAX = 1024 };

static const struct option_row option_rows[] = {
#define OPTION(identifier, long_form, short_form, value, text) {long_form, short_form, value, text},
#include "server/commands.def"
};

const struct command *cli_commands(size_t *count)
{
	*count = ARRAY_COUNT(commands);
	return commands;
}

const struct option_row *cli_options(void)
{
	return option_rows;
}

/* --json stands among the words: what goes wrong before they are understood is told so too. */
static bool answers_json;

static int complain(enum cli_exit status, const char *code, const char *format, va_list args)
{
	char text[MESSAGE_TEXT_MAX];
	struct json json, *j = &json;

	vsnprintf(text, sizeof text, format, args);
	if (!answers_json) {
		fprintf(stderr, "lockstep: %s\n", text);
		return (int)status;
	}
	json_begin_stdout(j);
	json_object_begin(j);
	json_key(j, "error");
	json_object_begin(j);
	json_key(j, "code");
	json_text(j, code);
	json_key(j, "message");
	json_text(j, text);
	json_object_end(j);
	json_key(j, "exit");
	json_int(j, status);
	json_object_end(j);
	json_end_stdout(j);
	return (int)status;
}

int cli_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int status = complain(CLI_USAGE, "usage", format, args);
	va_end(args);
	return status;
}

int cli_failed(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int status = complain(CLI_FAILED, "failed", format, args);
	va_end(args);
	return status;
}

int cli_no_server(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int status = complain(CLI_NO_SERVER, "no-server", format, args);
	va_end(args);
	return status;
}

/* How many of the words make the command's name; 0 when they are not it. */
static int words_match(const struct command *command, int count, const char *const *words)
{
	const char *name = command->words;

	for (int used = 0; used < count; used++) {
		size_t len = strlen(words[used]);
		if (strncmp(name, words[used], len) != 0) return 0;
		if (name[len] == '\0') return used + 1;
		if (name[len] != ' ') return 0;
		name += len + 1;
	}
	return 0;
}

/* The verbs of a noun with commas between them; "" when it is none. */
static const char *verbs_join(const char *noun, char text[static MESSAGE_TEXT_MAX])
{
	size_t noun_len = strlen(noun), len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
		const char *words = commands[i].words;
		if (strncmp(words, noun, noun_len) != 0 || words[noun_len] != ' ') continue;
		int n = snprintf(text + len, MESSAGE_TEXT_MAX - len, "%s%s", len ? ", " : "",
				 words + noun_len + 1);
		if (n > 0 && (size_t)n < MESSAGE_TEXT_MAX - len) len += (size_t)n;
	}
	return text;
}

static int unknown_command(int count, const char *const *words)
{
	const char *names[ARRAY_COUNT(commands)];
	char typed[128], verbs[MESSAGE_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_COUNT(commands); i++) names[i] = commands[i].words;
	if (count == 1 && *verbs_join(words[0], verbs))
		return cli_usage("\"%s\" what? %s", words[0], verbs);
	snprintf(typed, sizeof typed, "%s%s%s", words[0], count > 1 ? " " : "",
		 count > 1 ? words[1] : "");
	const char *near = suggest(span_of_text(typed), names, ARRAY_COUNT(commands));
	if (!near) near = suggest(span_of_text(words[0]), names, ARRAY_COUNT(commands));
	if (near) return cli_usage("no command \"%s\"; did you mean \"%s\"?", typed, near);
	if (*verbs_join(words[0], verbs))
		return cli_usage("no command \"%s\"; there is %s %s", typed, words[0], verbs);
	return cli_usage("no command \"%s\"; \"lockstep help\" lists all", typed);
}

static int option_find(const char *word, size_t len)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		if (strlen(row->long_form) == len && strncmp(row->long_form, word, len) == 0)
			return i;
		if (row->short_form && strlen(row->short_form) == len &&
		    strncmp(row->short_form, word, len) == 0)
			return i;
	}
	return -1;
}

static int unknown_option(const char *word)
{
	const char *names[OPTION_COUNT];

	for (int i = 0; i < OPTION_COUNT; i++) names[i] = option_rows[i].long_form;
	const char *near = suggest(span_of_text(word), names, OPTION_COUNT);
	if (near) return cli_usage("no option \"%s\"; did you mean \"%s\"?", word, near);
	return cli_usage("no option \"%s\"; \"lockstep help\" lists all", word);
}

/* --name VALUE, --name=VALUE or --name; moves *i to the last word it took. */
static int option_take(struct invocation *invocation, int argc, char **argv, int *i)
{
	const char *word = argv[*i], *equals = strchr(word, '=');
	int option = option_find(word, equals ? (size_t)(equals - word) : strlen(word));

	if (option < 0) return unknown_option(word);
	const struct option_row *row = &option_rows[option];
	if (!row->value) {
		if (equals) return cli_usage("%s takes no value", row->long_form);
		invocation->options[option] = "";
		return CLI_DONE;
	}
	if (!equals && *i + 1 >= argc) return cli_usage("%s needs a %s", word, row->value);
	invocation->options[option] = equals ? equals + 1 : argv[++*i];
	return CLI_DONE;
}

/* The synopsis says how many arguments there may be: FILE, [NAME], options aside. */
static void arguments_allowed(const char *synopsis, size_t *min, size_t *max)
{
	*min = *max = 0;
	for (const char *p = synopsis; *p;) {
		size_t len = strcspn(p, " ");
		bool optional = *p == '[';
		bool is_option = strncmp(p + optional, "--", 2) == 0;
		if (is_option && !strchr(p, ']') && p[len] == ' ') /* its value belongs to it */
			len += 1 + strcspn(p + len + 1, " ");
		else if (is_option && optional)
			len = strcspn(p, "]") + 1;
		else if (!is_option) {
			++*max;
			if (!optional) ++*min;
		}
		p += len;
		p += strspn(p, " ");
	}
}

static int run(struct invocation *invocation)
{
	const struct command *command = invocation->command;
	size_t min, max;

	if (invocation->options[OPTION_HELP]) {
		invocation->arguments[0] = command->words;
		invocation->argument_count = 1;
		return command_HELP(invocation);
	}
	arguments_allowed(command->arguments, &min, &max);
	if (invocation->argument_count < min || invocation->argument_count > max)
		return cli_usage("usage: lockstep %s %s", command->words, command->arguments);
	return command->run(invocation);
}

int cli_main(int argc, char **argv)
{
	struct invocation invocation = {0};
	const char *words[ARGUMENTS_MAX];
	int count = 0;
	bool only_words = false;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], option_rows[OPTION_JSON].long_form) == 0) answers_json = true;
	for (int i = 1; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
		} else if (!only_words && argv[i][0] == '-' && argv[i][1]) {
			int status = option_take(&invocation, argc, argv, &i);
			if (status) return status;
		} else if (count == ARGUMENTS_MAX) {
			return cli_usage("too many words");
		} else {
			words[count++] = argv[i];
		}
	}
	if (count == 0) return command_HELP(&invocation);
	int used = 0;
	for (size_t i = 0; i < ARRAY_COUNT(commands) && !used; i++) {
		used = words_match(&commands[i], count, words);
		if (used) invocation.command = &commands[i];
	}
	if (!used) return unknown_command(count, words);
	for (int i = used; i < count; i++)
		invocation.arguments[invocation.argument_count++] = words[i];
	return run(&invocation);
}
