/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - help, version: out of the tables. */
#include "cli/cli.h"
#include "cli/show.h"

#include <stdio.h>
#include <string.h>

static const char *const exit_statuses[] = {
#define EXIT_STATUS(identifier, number, text) #number " " text,
#include "server/commands.def"
};

static int help_all(void)
{
	size_t count;
	const struct command *commands = cli_commands(&count);

	puts("lockstep - primary and secondary DNS server\n\nusage: lockstep COMMAND [OPTION "
	     "...]\n");
	for (size_t i = 0; i < count; i++) {
		char usage[80];
		snprintf(usage, sizeof usage, "%s %s", commands[i].words, commands[i].arguments);
		printf("  %-44s %s\n", usage, commands[i].summary);
	}
	puts("\noptions:");
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &cli_options()[i];
		char usage[80];
		snprintf(usage, sizeof usage, "%s%s%s%s%s", row->short_form ? row->short_form : "",
			 row->short_form ? ", " : "", row->long_form, row->value ? " " : "",
			 row->value ? row->value : "");
		printf("  %-44s %s\n", usage, row->text);
	}
	fputs("\nexit status:", stdout);
	for (size_t i = 0; i < ARRAY_COUNT(exit_statuses); i++)
		printf("%s %s", i ? "," : "", exit_statuses[i]);
	putchar('\n');
	return CLI_DONE;
}

static void help_json(const struct command *const *commands, size_t count)
{
	struct json json, *j = &json;

	json_begin_stdout(j);
	json_object_begin(j);
	json_key(j, "commands");
	json_array_begin(j);
	for (size_t i = 0; i < count; i++) {
		json_object_begin(j);
		json_key(j, "command");
		json_text(j, commands[i]->words);
		json_key(j, "arguments");
		json_text(j, commands[i]->arguments);
		json_key(j, "summary");
		json_text(j, commands[i]->summary);
		json_key(j, "text");
		json_text(j, commands[i]->text);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
	json_end_stdout(j);
}

/* The command of these words, or all that begin with this noun. */
static size_t commands_find(const char *typed, const struct command *found[static COMMAND_COUNT])
{
	size_t count, n = 0, len = strlen(typed);
	const struct command *commands = cli_commands(&count);

	for (size_t i = 0; i < count; i++) {
		const char *words = commands[i].words;
		if (strncmp(words, typed, len) == 0 && (!words[len] || words[len] == ' ' || !len))
			found[n++] = &commands[i];
	}
	return n;
}

static void help_show(const struct command *const *commands, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *arguments = commands[i]->arguments;
		printf("%susage: lockstep %s%s%s\n\n%s\n", i ? "\n" : "", commands[i]->words,
		       *arguments ? " " : "", arguments, commands[i]->summary);
		if (*commands[i]->text) printf("\n%s\n", commands[i]->text);
	}
}

int command_HELP(const struct invocation *invocation)
{
	const struct command *found[COMMAND_COUNT];
	char typed[128] = "";

	if (invocation->argument_count)
		snprintf(typed, sizeof typed, "%s%s%s", invocation->arguments[0],
			 invocation->argument_count > 1 ? " " : "",
			 invocation->argument_count > 1 ? invocation->arguments[1] : "");
	size_t count = commands_find(typed, found);
	if (!count) return cli_usage("no command \"%s\"; \"lockstep help\" lists all", typed);
	if (invocation->options[OPTION_JSON])
		help_json(found, count);
	else if (*typed)
		help_show(found, count);
	else
		return help_all();
	return CLI_DONE;
}

int command_VERSION(const struct invocation *invocation)
{
	struct json json, *j = &json;

	if (!invocation->options[OPTION_JSON]) {
		puts("lockstep " LOCKSTEP_VERSION);
		return CLI_DONE;
	}
	json_begin_stdout(j);
	json_object_begin(j);
	json_key(j, "version");
	json_text(j, LOCKSTEP_VERSION);
	json_object_end(j);
	json_end_stdout(j);
	return CLI_DONE;
}
