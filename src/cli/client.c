/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"

#include "server/config_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_DEFAULT "/run/lockstep/control.sock"

enum { PATIENCE_S = 5, TRIES_PER_SECOND = 20 };

const char *field_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

json_int_t field_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* The socket that the configuration names; the default's where there is none to read. */
static int socket_path(const struct invocation *invocation, char *path, size_t cap)
{
	const char *file = config_path(invocation->options[OPTION_CONFIG]), *control;
	struct error err = {0};

	if (invocation->options[OPTION_SOCKET]) {
		snprintf(path, cap, "%s", invocation->options[OPTION_SOCKET]);
		return CLI_DONE;
	}
	struct arena *arena = arena_new(CONFIG_SCRATCH_MAX);
	if (!arena) return cli_failed("no memory");
	enum code code = config_files_control(file, arena, &control, &err);
	snprintf(path, cap, "%s", code ? CONTROL_DEFAULT : control);
	arena_free(arena);
	if (!code || !invocation->options[OPTION_CONFIG]) return CLI_DONE;
	return cli_failed("%s, so it does not say where the control socket is; --socket PATH does",
			  err.text);
}

static int no_server(const char *path, int why)
{
	return cli_no_server("no server answers at %s: %s", path,
			     why == EACCES ? "permission denied (its group may use it)"
					   : strerror(why));
}

static int connect_to(const char *path, int *fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof address.sun_path)
		return cli_failed("the path of the control socket is too long: %s", path);
	memcpy(address.sun_path, path, strlen(path));
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0) return cli_failed("no socket: %s", strerror(errno));
	if (connect(*fd, (struct sockaddr *)&address, sizeof address) == 0) return CLI_DONE;
	int why = errno;
	close(*fd);
	*fd = -1;
	return no_server(path, why);
}

/* One connection: what was sent and what came back of it. */
struct asking {
	const struct invocation *invocation;
	const char *line;
	json_t *answer;    /* the last line: a result, or an error */
	bool text_printed; /* pieces of text came before it */
};

static bool wants_json(const struct asking *asking)
{
	return asking->invocation->options[OPTION_JSON] != NULL;
}

static bool request_send(int fd, const char *line)
{
	size_t len = strlen(line), at = 0;

	while (at < len) {
		ssize_t n = send(fd, line + at, len - at, MSG_NOSIGNAL);
		if (n <= 0) break;
		at += (size_t)n;
	}
	return at == len;
}

/* A piece of text as it is, or as a part of one JSON string. */
static void text_print(struct asking *asking, const json_t *text)
{
	if (wants_json(asking)) {
		char *quoted = json_dumps(text, JSON_ENCODE_ANY);
		if (!asking->text_printed) fputs("{\"text\":\"", stdout);
		if (quoted) fwrite(quoted + 1, 1, strlen(quoted) - 2, stdout);
		free(quoted);
	} else {
		fwrite(json_string_value(text), 1, json_string_length(text), stdout);
	}
	asking->text_printed = true;
}

static void answer_read(struct asking *asking, FILE *in)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	while (!asking->answer && (len = getline(&line, &cap, in)) > 0) {
		json_t *answer = json_loadb(line, (size_t)len, 0, NULL);
		const json_t *text = json_object_get(answer, "text");
		if (text) {
			text_print(asking, text);
			json_decref(answer);
		} else {
			asking->answer = answer;
		}
	}
	free(line);
}

static int ask_once(struct asking *asking, const char *path)
{
	FILE *in = NULL;
	int fd = -1;
	int status = connect_to(path, &fd);

	if (status) return status;
	if (request_send(fd, asking->line)) in = fdopen(fd, "r");
	if (in) {
		answer_read(asking, in);
		fclose(in);
	} else {
		close(fd);
	}
	return CLI_DONE;
}

/* Whether the keeper was just being started: then it is there in a moment. */
static bool try_again(const struct asking *asking)
{
	const json_t *error = json_object_get(asking->answer, "error");

	if (asking->text_printed) return false;
	return !asking->answer || strcmp(field_text(error, "code"), code_name(E_BUSY)) == 0;
}

/*
 * While a process is started again the server says that it is busy, or ends a connection
 * that the old process had. Each command does the same when it is said twice.
 */
static int ask_patiently(struct asking *asking, const char *path)
{
	static const struct timespec pause = {0, 1000000000 / TRIES_PER_SECOND};
	int status = ask_once(asking, path);

	for (int i = 0; !status && try_again(asking) && i < PATIENCE_S * TRIES_PER_SECOND; i++) {
		json_decref(asking->answer);
		asking->answer = NULL;
		nanosleep(&pause, NULL);
		status = ask_once(asking, path);
	}
	return status;
}

static int answer_take(struct asking *asking, json_t **result)
{
	const json_t *error = json_object_get(asking->answer, "error");

	if (!asking->answer) return cli_no_server("the server ended before it answered");
	if (wants_json(asking) && asking->text_printed) {
		fputs("\"}\n", stdout);
	} else if (wants_json(asking)) {
		json_dumpf(error ? asking->answer : json_object_get(asking->answer, "result"),
			   stdout, JSON_COMPACT);
		putchar('\n');
	} else if (error) {
		fprintf(stderr, "lockstep: %s\n", field_text(error, "message"));
	} else {
		*result = json_incref(json_object_get(asking->answer, "result"));
	}
	return (int)field_int(asking->answer, "exit");
}

/* The request as the server reads it; the caller frees it. Takes over `request`. */
static char *request_line(const struct invocation *invocation, json_t *request)
{
	char *compact, *line = NULL;

	json_object_set_new(request, "command", json_string(invocation->command->words));
	compact = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (compact && asprintf(&line, "%s\n", compact) < 0) line = NULL;
	free(compact);
	return line;
}

int client_ask(const struct invocation *invocation, json_t *request, json_t **result)
{
	char path[4096], *line = request_line(invocation, request);
	struct asking asking = {.invocation = invocation, .line = line};
	int status = line ? socket_path(invocation, path, sizeof path) : cli_failed("no memory");

	*result = NULL;
	if (!status) status = ask_patiently(&asking, path);
	if (!status) status = answer_take(&asking, result);
	json_decref(asking.answer);
	free(line);
	if (fflush(stdout) || ferror(stdout))
		return cli_failed("standard output: %s", strerror(errno));
	return status;
}
