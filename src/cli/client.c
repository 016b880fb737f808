/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"

#include "server/config_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONTROL_DEFAULT "/run/lockstep/control.sock"

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
	fprintf(stderr, "lockstep: no server answers at %s: %s\n", path,
		why == EACCES ? "permission denied (its group may use it)" : strerror(why));
	return CLI_NO_SERVER;
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

static int request_send(int fd, const struct invocation *invocation, json_t *request)
{
	char *line;
	size_t len, at = 0;

	json_object_set_new(request, "command", json_string(invocation->command->words));
	line = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (!line) return cli_failed("no memory");
	len = strlen(line);
	line[len++] = '\n';
	while (at < len) {
		ssize_t n = send(fd, line + at, len - at, MSG_NOSIGNAL);
		if (n <= 0) break;
		at += (size_t)n;
	}
	free(line);
	return at == len ? CLI_DONE : cli_failed("the server closed the connection");
}

/* The last line: a result, or an error. */
static int answer_take(const struct invocation *invocation, json_t *answer, json_t **result)
{
	const json_t *error = json_object_get(answer, "error");
	int status = (int)field_int(answer, "exit");

	if (invocation->options[OPTION_JSON]) {
		json_t *shown = error ? answer : json_object_get(answer, "result");
		json_dumpf(shown, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (error) {
		fprintf(stderr, "lockstep: %s\n", field_text(error, "message"));
	} else {
		*result = json_incref(json_object_get(answer, "result"));
	}
	return status;
}

static int answer_read(FILE *in, const struct invocation *invocation, json_t **result)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	int status = CLI_NO_SERVER;
	bool ended = false;

	while (!ended && (len = getline(&line, &cap, in)) > 0) {
		json_t *answer = json_loadb(line, (size_t)len, 0, NULL);
		const json_t *text = json_object_get(answer, "text");
		if (text) {
			fwrite(json_string_value(text), 1, json_string_length(text), stdout);
		} else if (answer) {
			status = answer_take(invocation, answer, result);
			ended = true;
		}
		json_decref(answer);
	}
	free(line);
	if (!ended) fputs("lockstep: the server ended before it answered\n", stderr);
	return status;
}

int client_ask(const struct invocation *invocation, json_t *request, json_t **result)
{
	char path[4096];
	int fd = -1;
	int status = socket_path(invocation, path, sizeof path);

	*result = NULL;
	if (!status) status = connect_to(path, &fd);
	if (status) {
		json_decref(request);
		return status;
	}
	status = request_send(fd, invocation, request);
	FILE *in = status ? NULL : fdopen(fd, "r");
	if (!in) {
		close(fd);
		return status ? status : cli_failed("no memory");
	}
	status = answer_read(in, invocation, result);
	fclose(in);
	if (fflush(stdout) || ferror(stdout))
		return cli_failed("standard output: %s", strerror(errno));
	return status;
}
