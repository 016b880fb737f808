/* SPDX-License-Identifier: Apache-2.0 */
/* lockstep(1) and lockstep.yaml(5), in man(7) macros. */
#include "gen_docs.h"

#include "config/config.h"
#include "server/config_files.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

enum { SETTINGS_OCTETS_MAX = 256 << 10 };

/* Text for roff: hyphens and backslashes as themselves, `so` in bold, no line a request. */
static void text_write(FILE *out, const char *text)
{
	bool bold = false, at_start = true;

	for (; *text; text++) {
		if (at_start && (*text == '.' || *text == '\'')) fputs("\\&", out);
		at_start = *text == '\n';
		if (*text == '`') {
			bold = !bold;
			fputs(bold ? "\\fB" : "\\fP", out);
		} else if (*text == '-' || *text == '\\') {
			fputs(*text == '-' ? "\\-" : "\\e", out);
		} else {
			fputc(*text, out);
		}
	}
}

static void line_write(FILE *out, const char *text)
{
	text_write(out, text);
	fputc('\n', out);
}

static void section(FILE *out, const char *title)
{
	fprintf(out, ".SH %s\n", title);
}

/* An entry of a list: what it is about, in bold, and its text below. */
static void entry(FILE *out, const char *title, const char *text)
{
	fputs(".TP\n.B ", out);
	line_write(out, title);
	line_write(out, text);
}

static void title(FILE *out, const char *name, int number)
{
	fprintf(out, ".TH %s %d \"\" \"lockstep " LOCKSTEP_VERSION "\" \"Lockstep\"\n", name,
		number);
}

/* A synopsis: CAPITALS are values and slanted, the rest is typed as it stands. */
static void synopsis_write(FILE *out, const char *words, const char *arguments)
{
	fputs("\\fB", out);
	text_write(out, words);
	fputs("\\fP", out);
	for (const char *p = arguments; *p;) {
		size_t len = strspn(p, " []|");
		fprintf(out, "%s%.*s", p == arguments ? " " : "", (int)len, p);
		p += len;
		len = strcspn(p, " []|");
		if (!len) continue;
		char word[64];
		snprintf(word, sizeof word, "%.*s", (int)len, p);
		fputs(isupper((unsigned char)*word) ? "\\fI" : "\\fB", out);
		text_write(out, word);
		fputs("\\fP", out);
		p += len;
	}
	fputc('\n', out);
}

static void sentence_write(FILE *out, const char *text)
{
	size_t len = strlen(text);

	if (!len) return;
	fputc(toupper((unsigned char)*text), out);
	text_write(out, text + 1);
	fputs(strchr(".?", text[len - 1]) ? "\n" : ".\n", out);
}

static void commands_write(FILE *out)
{
	size_t count;
	const struct command_row *commands = command_rows(&count);

	section(out, "COMMANDS");
	line_write(out, "A command whose text ends in (server) asks the running server through its "
			"control socket; the others need no server.");
	for (size_t i = 0; i < count; i++) {
		fputs(".TP\n", out);
		synopsis_write(out, commands[i].words, commands[i].arguments);
		sentence_write(out, commands[i].summary);
		if (*commands[i].text) line_write(out, commands[i].text);
		if (commands[i].asks_server) line_write(out, "(server)");
	}
}

static void options_write(FILE *out)
{
	size_t count;
	const struct option_row *options = option_rows(&count);

	section(out, "OPTIONS");
	line_write(out,
		   "Options may stand before, between and behind the words of a command; behind "
		   "-- there are none.");
	for (size_t i = 0; i < count; i++) {
		fputs(".TP\n", out);
		if (options[i].short_form) {
			fputs("\\fB", out);
			text_write(out, options[i].short_form);
			fputs("\\fP, ", out);
		}
		synopsis_write(out, options[i].long_form, options[i].value ? options[i].value : "");
		sentence_write(out, options[i].text);
	}
}

static void exit_statuses_write(FILE *out)
{
	static const char *const statuses[][2] = {
#define EXIT_STATUS(identifier, number, text) {#number, text},
#include "server/commands.def"
	};

	section(out, "EXIT STATUS");
	for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
		fprintf(out, ".TP\n.B %s\n", statuses[i][0]);
		sentence_write(out, statuses[i][1]);
	}
}

/* What the log tells: one line an event. */
static void log_write(FILE *out)
{
	static const char *const events[][3] = {
#define EVENT(identifier, name, level, text) {name, #level, text},
#include "server/events.def"
#undef EVENT
	};

	section(out, "LOG");
	line_write(out,
		   "The server logs to standard error, one line an event. Each event has an id "
		   "that stays the same; behind its sentence stand its values as key=value.");
	for (size_t i = 0; i < ARRAY_COUNT(events); i++) {
		char level[16];
		size_t len = 0;
		for (; events[i][1][len] && len + 1 < sizeof level; len++)
			level[len] = (char)tolower((unsigned char)events[i][1][len]);
		level[len] = '\0';
		fprintf(out, ".TP\n\\fB");
		text_write(out, events[i][0]);
		fprintf(out, "\\fP (%s)\n", level);
		sentence_write(out, events[i][2]);
	}
}

static void counters_write(FILE *out)
{
	static const char *const metrics[][2] = {
#define METRIC(identifier, name, kind, text) {name, text},
#include "server/metrics.def"
#undef METRIC
	};

	section(out, "COUNTERS");
	line_write(out, "What `lockstep stats` shows of the front; it counts from the front's "
			"start.");
	for (size_t i = 0; i < ARRAY_COUNT(metrics); i++) {
		fputs(".TP\n.B ", out);
		line_write(out, metrics[i][0]);
		sentence_write(out, metrics[i][1]);
	}
}

static void promise_write(FILE *out)
{
	static const char *const lines[] = {
		"A change that was answered \"done\" survives any crash or power cut.",
		"Nobody sees a version before it is durable.",
		"A reader sees one whole version, never a mix of two.",
		"Serials never go back unless you order it.",
		"A secondary serves its last good version until expire, and says aloud when it is "
		"behind, and why.",
		"No input ends the service; every resource has a cap, and every cap has a name "
		"(`lockstep limits`).",
	};

	section(out, "THE PROMISE");
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		fprintf(out, ".IP %zu. 4\n", i + 1);
		line_write(out, lines[i]);
	}
}

static const char *server_default(const char *key)
{
	const struct setting *setting = setting_find(CHAPTER_SERVER, span_of_text(key));

	assert(setting && setting->standard);
	return setting->standard;
}

void manual_lockstep(FILE *out)
{
	title(out, "LOCKSTEP", 1);
	section(out, "NAME");
	line_write(out, "lockstep - primary and secondary DNS server");
	section(out, "SYNOPSIS");
	synopsis_write(out, "lockstep", "COMMAND [ARGUMENT ...] [OPTION ...]");
	section(out, "DESCRIPTION");
	line_write(out,
		   "Lockstep serves zones as their primary, from zone files, and as a secondary of "
		   "other servers (AXFR with TSIG, NOTIFY). `lockstep serve` is the server; the "
		   "other commands ask it, change what it does, or check files. Its "
		   "configuration is described in `lockstep.yaml`(5).");
	commands_write(out);
	options_write(out);
	exit_statuses_write(out);
	section(out, "SIGNALS");
	entry(out, "SIGHUP", "Applies the configuration and looks at changed zone files.");
	entry(out, "SIGTERM, SIGINT",
	      "End the server; nothing that was answered \"done\" is lost.");
	section(out, "ENVIRONMENT");
	entry(out, "LOCKSTEP_CONFIG", "The configuration, where no --config names one.");
	section(out, "FILES");
	entry(out, CONFIG_FILE_DEFAULT, "The configuration.");
	entry(out, server_default("state"),
	      "The state folder, which the setting server.state names. It holds the store: "
	      "lockstep.db and the snapshots of large zones.");
	entry(out, server_default("control"), "The control socket, which server.control names.");
	log_write(out);
	counters_write(out);
	promise_write(out);
	section(out, "SEE ALSO");
	line_write(out, "`lockstep.yaml`(5), `dig`(1)");
}

/* --- lockstep.yaml(5) --- */

static void rules_write(FILE *out)
{
	static const char *const rules[] = {
		"One item may stand where a list stands.",
		"A key is written once. Every error is told, all of them at once, with its line; a "
		"configuration with an error is not taken.",
		"A text that begins with *, @, &, !, % or a back quote stands in quotes. Anchors "
		"and aliases "
		"are not taken; templates fill in what zones share.",
		"Sizes are octets: 65536, 512K, 64M, 2G. Durations: 500ms, 30s, 1h30m, 2w.",
		"A file that holds a secret must not be readable by others; its group may be "
		"the server's.",
		"An allow list is read in order, the first item that fits decides, and where none "
		"fits it is refused. An item is an address or prefix, the name of an acl or a "
		"remote, any, or a map whose conditions must all hold (address, key, transport); "
		"{deny: ITEM} refuses.",
		"A remote in an allow list is one condition: an address of its from and, if it has "
		"keys, signed by one of them.",
		"A template fills in what a zone leaves out; a value of the zone replaces the "
		"whole "
		"value of the template, lists too. A zone takes its template, else the one named "
		"default. A template's file, serial and secondaries reach zones of role primary "
		"only.",
		"In the file of a template {zone} stands for the zone's name, without its last "
		"dot; "
		"every octet but letters, digits, -, _ and inner dots becomes %XX, and the root is "
		"root.",
	};

	section(out, "RULES");
	for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
		fputs(".IP \\(bu 2\n", out);
		line_write(out, rules[i]);
	}
}

static void settings_write(FILE *out)
{
	static uint8_t text[SETTINGS_OCTETS_MAX];
	struct writer w = writer_of(text, sizeof text);

	config_manual(&w);
	assert(!w.overflow);
	section(out, "SETTINGS");
	fwrite(text, 1, w.len, out);
}

void manual_lockstep_yaml(FILE *out, const char *example)
{
	title(out, "LOCKSTEP.YAML", 5);
	section(out, "NAME");
	line_write(out, "lockstep.yaml - configuration of lockstep");
	section(out, "DESCRIPTION");
	line_write(out,
		   "The configuration is YAML. `lockstep config check` says whether it is right, "
		   "`lockstep config diff` what it would change, `lockstep config apply` puts it "
		   "into force, all of it or nothing, and `lockstep config explain` tells what a "
		   "setting means.");
	rules_write(out);
	settings_write(out);
	section(out, "EXAMPLE");
	fputs(".nf\n", out);
	text_write(out, example);
	fputs(".fi\n", out);
	section(out, "SEE ALSO");
	line_write(out, "`lockstep`(1)");
}
