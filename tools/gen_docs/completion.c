/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion for bash, zsh and fish. Each script finds the words of the command that
 * are typed already, options and their values aside, and offers what may come next.
 */
#include "gen_docs.h"

#include "dns/tsig.h"

#include <string.h>

/* In single quotes, as bash and zsh (a quote ends, comes, begins) or fish read them. */
static void quoted(FILE *out, const char *text, const char *quote)
{
	for (; *text; text++)
		if (*text == '\'')
			fputs(quote, out);
		else
			fputc(*text, out);
}

static void algorithms_write(FILE *out)
{
	size_t count;
	const char *const *texts = tsig_algorithm_texts(&count);

	for (size_t i = 0; i < count; i++) fprintf(out, "%s%s", i ? " " : "", texts[i]);
}

/* Names of nouns and of commands of one word, each once. */
static void nouns_write(FILE *out)
{
	size_t count, len;
	const struct command_row *commands = command_rows(&count);

	for (size_t i = 0; i < count; i++) {
		if (!command_opens_noun(commands, i)) continue;
		command_verb(&commands[i], &len);
		fprintf(out, "%s%.*s", i ? " " : "", (int)len, commands[i].words);
	}
}

static void lines_write(FILE *out, const char *lines)
{
	for (size_t len; *lines; lines += len + 1) {
		len = strcspn(lines, "\n");
		fprintf(out, "%.*s%s", (int)len, lines, lines[len + 1] ? " " : "");
	}
}

/* The verb of commands[i] when its noun is that of commands[first], else NULL. */
static const char *verb_of_noun(const struct command_row *commands, size_t first, size_t i)
{
	size_t len, other_len;
	const char *verb = command_verb(&commands[i], &len);

	command_verb(&commands[first], &other_len);
	if (len != other_len || strncmp(commands[i].words, commands[first].words, len) != 0)
		return NULL;
	return verb;
}

static bool noun_has_verbs(const struct command_row *commands, size_t count, size_t first)
{
	for (size_t i = first; i < count; i++)
		if (verb_of_noun(commands, first, i)) return true;
	return false;
}

/* "list, status, reload": what a noun can be completed with. */
static void verbs_describe(FILE *out, const struct command_row *commands, size_t count,
			   size_t first)
{
	bool is_first = true;

	for (size_t i = first; i < count; i++) {
		const char *verb = verb_of_noun(commands, first, i);
		if (!verb) continue;
		fprintf(out, "%s%s", is_first ? "" : ", ", verb);
		is_first = false;
	}
}

/* Options that have a value, as patterns of a `case`: -c|--config|... */
static void value_options_write(FILE *out, bool (*fits)(const struct option_row *option))
{
	size_t count;
	const struct option_row *options = option_rows(&count);
	bool first = true;

	for (size_t i = 0; i < count; i++) {
		if (!options[i].value || (fits && !fits(&options[i]))) continue;
		if (options[i].short_form)
			fprintf(out, "%s%s", first ? "" : "|", options[i].short_form);
		else if (!first)
			fputc('|', out);
		fprintf(out, "%s%s", options[i].short_form ? "|" : "", options[i].long_form);
		first = false;
	}
}

static bool takes_else(const struct option_row *option)
{
	return option->value && !option_takes_file(option) && !option_takes_algorithm(option);
}

/* Options of a command, or with NULL those that go with all. */
static void options_write(FILE *out, const struct command_row *command)
{
	size_t count;
	const struct option_row *options = option_rows(&count);

	for (size_t i = 0; i < count; i++)
		if (command ? command_has_option(command, &options[i])
			    : option_is_general(&options[i]))
			fprintf(out, " %s", options[i].long_form);
}

static bool has_options(const struct command_row *command)
{
	size_t count;
	const struct option_row *options = option_rows(&count);

	for (size_t i = 0; i < count; i++)
		if (command_has_option(command, &options[i])) return true;
	return false;
}

/* Lines of a `case` over the words typed: the options of each command that has own ones. */
static void option_cases_write(FILE *out)
{
	size_t count;
	const struct command_row *commands = command_rows(&count);

	for (size_t i = 0; i < count; i++) {
		if (!has_options(&commands[i])) continue;
		fprintf(out, "\t\t'%s'*) options+='", commands[i].words);
		options_write(out, &commands[i]);
		fputs("' ;;\n", out);
	}
}

/* --- bash --- */

static void bash_cases(FILE *out)
{
	size_t count, len;
	const struct command_row *commands = command_rows(&count);

	for (size_t i = 0; i < count; i++) {
		command_verb(&commands[i], &len);
		if (command_opens_noun(commands, i) && noun_has_verbs(commands, count, i)) {
			fprintf(out, "\t'%.*s') words='", (int)len, commands[i].words);
			for (size_t k = i; k < count; k++)
				if (verb_of_noun(commands, i, k))
					fprintf(out, "%s ", verb_of_noun(commands, i, k));
			fputs("' ;;\n", out);
		}
	}
	for (size_t i = 0; i < count; i++) {
		enum argument_kind kind = command_argument(&commands[i]);
		if (kind == ARGUMENT_NONE) continue;
		fprintf(out, "\t'%s') ", commands[i].words);
		if (kind == ARGUMENT_FILE) {
			fputs("files=yes ;;\n", out);
			continue;
		}
		fputs("words='", out);
		if (kind == ARGUMENT_COMMAND)
			nouns_write(out);
		else
			lines_write(out, setting_names());
		fputs("' ;;\n", out);
	}
}

void completion_bash(FILE *out)
{
	fputs("# bash completion for lockstep; made from the tables of its commands.\n"
	      "_lockstep()\n{\n"
	      "\tlocal current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal typed='' words='' files='' options='' i\n\n"
	      "\tcase $before in\n\t",
	      out);
	value_options_write(out, option_takes_file);
	fputs(") compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); "
	      "return ;;\n\t",
	      out);
	value_options_write(out, option_takes_algorithm);
	fputs(") mapfile -t COMPREPLY < <(compgen -W '", out);
	algorithms_write(out);
	fputs("' -- \"$current\"); return ;;\n\t", out);
	value_options_write(out, takes_else);
	fputs(") return ;;\n\tesac\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in\n\t\t",
	      out);
	value_options_write(out, NULL);
	fputs(") ((i++)) ;;\n\t\t-*) ;;\n"
	      "\t\t*) typed+=${typed:+ }${COMP_WORDS[i]} ;;\n\t\tesac\n\tdone\n"
	      "\tif [[ $current == -* ]]; then\n\t\toptions='",
	      out);
	options_write(out, NULL);
	fputs("'\n\t\tcase $typed in\n", out);
	option_cases_write(out);
	fputs("\t\tesac\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
	      "\t\treturn\n\tfi\n"
	      "\tcase $typed in\n\t'') words='",
	      out);
	nouns_write(out);
	fputs("' ;;\n", out);
	bash_cases(out);
	fputs("\tesac\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
	      "\tif [[ $files ]]; then\n\t\tcompopt -o filenames\n"
	      "\t\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$current\")\n"
	      "\tfi\n}\ncomplete -F _lockstep lockstep\n",
	      out);
}

/* --- zsh --- */

static void zsh_described(FILE *out, const char *word, size_t len, const char *text)
{
	fprintf(out, " '%.*s:", (int)len, word);
	quoted(out, text, "'\\''");
	fputc('\'', out);
}

/* What comes first: commands of one word with their summary, nouns without. */
static void zsh_nouns(FILE *out)
{
	size_t count, len;
	const struct command_row *commands = command_rows(&count);

	for (size_t i = 0; i < count; i++) {
		if (!command_opens_noun(commands, i)) continue;
		if (!command_verb(&commands[i], &len)) {
			zsh_described(out, commands[i].words, len, commands[i].summary);
			continue;
		}
		fprintf(out, " '%.*s:", (int)len, commands[i].words);
		verbs_describe(out, commands, count, i);
		fputc('\'', out);
	}
}

static void zsh_cases(FILE *out)
{
	size_t count, len;
	const struct command_row *commands = command_rows(&count);

	for (size_t i = 0; i < count; i++) {
		command_verb(&commands[i], &len);
		if (!command_opens_noun(commands, i) || !noun_has_verbs(commands, count, i))
			continue;
		fprintf(out, "\t'%.*s') described=(", (int)len, commands[i].words);
		for (size_t k = i; k < count; k++) {
			const char *verb = verb_of_noun(commands, i, k);
			if (verb) zsh_described(out, verb, strlen(verb), commands[k].summary);
		}
		fputs(" )\n\t\t_describe command described ;;\n", out);
	}
	for (size_t i = 0; i < count; i++) {
		enum argument_kind kind = command_argument(&commands[i]);
		if (kind == ARGUMENT_NONE) continue;
		fprintf(out, "\t'%s') ", commands[i].words);
		if (kind == ARGUMENT_FILE) {
			fputs("_files", out);
		} else {
			fputs("compadd -- ", out);
			if (kind == ARGUMENT_COMMAND)
				nouns_write(out);
			else
				lines_write(out, setting_names());
		}
		fputs(" ;;\n", out);
	}
}

void completion_zsh(FILE *out)
{
	fputs("#compdef lockstep\n"
	      "# zsh completion for lockstep; made from the tables of its commands.\n\n"
	      "local typed='' options='' i\nlocal -a described\n\n"
	      "case $words[CURRENT-1] in\n",
	      out);
	value_options_write(out, option_takes_file);
	fputs(") _files; return ;;\n", out);
	value_options_write(out, option_takes_algorithm);
	fputs(") compadd -- ", out);
	algorithms_write(out);
	fputs("; return ;;\n", out);
	value_options_write(out, takes_else);
	fputs(") return ;;\nesac\n"
	      "for ((i = 2; i < CURRENT; i++)); do\n\tcase $words[i] in\n\t",
	      out);
	value_options_write(out, NULL);
	fputs(") ((i++)) ;;\n\t-*) ;;\n\t*) typed+=${typed:+ }$words[i] ;;\n\tesac\ndone\n"
	      "if [[ $words[CURRENT] == -* ]]; then\n\toptions='",
	      out);
	options_write(out, NULL);
	fputs("'\n\tcase $typed in\n", out);
	option_cases_write(out);
	fputs("\tesac\n\tcompadd -- ${=options}\n\treturn\nfi\n"
	      "case $typed in\n\t'') described=(",
	      out);
	zsh_nouns(out);
	fputs(" )\n\t\t_describe command described ;;\n", out);
	zsh_cases(out);
	fputs("esac\n", out);
}

/* --- fish --- */

/* `typed_len` octets of `typed` stand there, `len` of `word` may come next; leaves the line open.
 */
static void fish_word(FILE *out, const char *typed, size_t typed_len, const char *word, size_t len)
{
	fprintf(out, "complete -c lockstep -n \"__lockstep_typed '%.*s'\" -a '%.*s' -d '",
		(int)typed_len, typed, (int)len, word);
}

static void fish_commands(FILE *out)
{
	size_t count, len;
	const struct command_row *commands = command_rows(&count);

	for (size_t i = 0; i < count; i++) {
		const char *verb = command_verb(&commands[i], &len);
		enum argument_kind kind = command_argument(&commands[i]);
		if (command_opens_noun(commands, i)) {
			fish_word(out, "", 0, commands[i].words, len);
			if (verb)
				verbs_describe(out, commands, count, i);
			else
				quoted(out, commands[i].summary, "\\'");
			fputs("'\n", out);
		}
		if (verb) {
			fish_word(out, commands[i].words, len, verb, strlen(verb));
			quoted(out, commands[i].summary, "\\'");
			fputs("'\n", out);
		}
		if (kind == ARGUMENT_FILE)
			fprintf(out, "complete -c lockstep -n \"__lockstep_typed '%s'\" -F\n",
				commands[i].words);
		if (kind != ARGUMENT_COMMAND && kind != ARGUMENT_SETTING) continue;
		fprintf(out, "complete -c lockstep -n \"__lockstep_typed '%s'\" -a '",
			commands[i].words);
		if (kind == ARGUMENT_COMMAND)
			nouns_write(out);
		else
			lines_write(out, setting_names());
		fputs("'\n", out);
	}
}

static void fish_option(FILE *out, const struct command_row *command,
			const struct option_row *option)
{
	fputs("complete -c lockstep", out);
	if (command) fprintf(out, " -n \"__lockstep_typed '%s' more\"", command->words);
	fprintf(out, " -l %s", option->long_form + 2);
	if (option->short_form) fprintf(out, " -s %s", option->short_form + 1);
	if (option_takes_file(option))
		fputs(" -r -F", out);
	else if (option->value)
		fputs(" -x", out);
	if (option_takes_algorithm(option)) {
		fputs(" -a '", out);
		algorithms_write(out);
		fputc('\'', out);
	}
	fputs(" -d '", out);
	quoted(out, option->text, "\\'");
	fputs("'\n", out);
}

void completion_fish(FILE *out)
{
	size_t count, option_count;
	const struct command_row *commands = command_rows(&count);
	const struct option_row *options = option_rows(&option_count);

	fputs("# fish completion for lockstep; made from the tables of its commands.\n\n"
	      "# The words typed, options and their values aside, are these; with `more` they "
	      "may be\n# followed by others.\n"
	      "function __lockstep_typed\n"
	      "\tset -l typed\n\tset -l skip no\n"
	      "\tfor word in (commandline -opc)[2..-1]\n"
	      "\t\tif test $skip = yes\n\t\t\tset skip no\n\t\t\tcontinue\n\t\tend\n"
	      "\t\tswitch $word\n\t\t\tcase",
	      out);
	for (size_t i = 0; i < option_count; i++)
		if (options[i].value)
			fprintf(out, " %s%s%s", options[i].long_form,
				options[i].short_form ? " " : "",
				options[i].short_form ? options[i].short_form : "");
	fputs("\n\t\t\t\tset skip yes\n\t\t\tcase '-*'\n\t\t\tcase '*'\n"
	      "\t\t\t\tset -a typed $word\n\t\tend\n\tend\n"
	      "\tif test (count $argv) -gt 1\n"
	      "\t\tstring match -q -- \"$argv[1]*\" \"$typed\"\n"
	      "\telse\n\t\ttest \"$typed\" = \"$argv[1]\"\n\tend\nend\n\n"
	      "complete -c lockstep -f\n",
	      out);
	fish_commands(out);
	for (size_t i = 0; i < option_count; i++) {
		if (option_is_general(&options[i])) fish_option(out, NULL, &options[i]);
		for (size_t k = 0; k < count; k++)
			if (command_has_option(&commands[k], &options[i]))
				fish_option(out, &commands[k], &options[i]);
	}
}
