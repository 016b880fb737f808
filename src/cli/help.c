/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - help, version: out of the tables. */
#include "cli/cli.h"

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

int command_HELP(const struct invocation *invocation)
{
	size_t count;
	const struct command *commands = cli_commands(&count);

	if (!invocation->argument_count) return help_all();
	for (size_t i = 0; i < count; i++) {
		char typed[128];
		snprintf(typed, sizeof typed, "%s%s%s", invocation->arguments[0],
			 invocation->argument_count > 1 ? " " : "",
			 invocation->argument_count > 1 ? invocation->arguments[1] : "");
		if (strcmp(commands[i].words, typed) != 0) continue;
		printf("usage: lockstep %s %s\n\n%s\n", commands[i].words, commands[i].arguments,
		       commands[i].summary);
		if (*commands[i].text) printf("\n%s\n", commands[i].text);
		return CLI_DONE;
	}
	return cli_usage("no command \"%s\"; \"lockstep help\" lists all",
			 invocation->arguments[0]);
}

int command_VERSION(const struct invocation *invocation)
{
	(void)invocation;
	puts("lockstep " LOCKSTEP_VERSION);
	return CLI_DONE;
}
