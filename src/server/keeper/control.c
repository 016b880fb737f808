/* SPDX-License-Identifier: Apache-2.0 */
#include "server/keeper/control.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_PIECE = 64 << 10 };

/* One request at a time: the next one is looked at when the answer is out. */
static bool is_busy(const struct client *client)
{
	return client->pending || client->exporting || client->copying || client->wants_stats ||
	       client->out_len;
}

static bool request_waits(const struct client *client)
{
	return !is_busy(client) && memchr(client->in, '\n', client->in_len);
}

void client_sink(void *context, struct span chunk)
{
	struct client *client = context;
	size_t need = client->out_len + chunk.len;

	if (need > CONTROL_ANSWER_OCTETS_MAX) {
		client->closing = true;
		return;
	}
	if (need > client->out_cap) {
		size_t cap = need + OUT_PIECE;
		char *grown = realloc(client->out, cap);
		if (!grown) {
			client->closing = true;
			return;
		}
		client->out = grown;
		client->out_cap = cap;
	}
	memcpy(client->out + client->out_len, chunk.ptr, chunk.len);
	client->out_len += chunk.len;
}

/* Nothing that is ready may be left lying there: it would be told again at once, for ever. */
static void wishes_tell(struct client *client)
{
	bool may_read = !client->input_ended && client->in_len < sizeof client->in;
	bool may_write = client->out_len || client->exporting || request_waits(client);

	loop_change(client->keeper->loop, &client->watch,
		    (may_read ? LOOP_READ : 0) | (may_write ? LOOP_WRITE : 0));
}

/* Sends what the socket takes. */
static void flush(struct client *client)
{
	while (client->out_at < client->out_len) {
		ssize_t n = send(client->watch.fd, client->out + client->out_at,
				 client->out_len - client->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n <= 0) break;
		client->out_at += (size_t)n;
	}
	if (client->out_at == client->out_len) client->out_at = client->out_len = 0;
	wishes_tell(client);
}

struct json *reply_begin(struct client *client)
{
	json_init(&client->json, client_sink, client);
	json_object_begin(&client->json);
	json_key(&client->json, "result");
	return &client->json;
}

static void reply_close(struct client *client, int exit)
{
	json_key(&client->json, "exit");
	json_int(&client->json, exit);
	json_object_end(&client->json);
	json_end(&client->json);
	client_sink(client, span_of("\n", 1));
	flush(client);
}

void reply_end(struct client *client, int exit)
{
	reply_close(client, exit);
}

void reply_error(struct client *client, enum code code, const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	json_init(&client->json, client_sink, client);
	json_object_begin(&client->json);
	json_key(&client->json, "error");
	json_object_begin(&client->json);
	json_key(&client->json, "code");
	json_text(&client->json, code_name(code));
	json_key(&client->json, "message");
	json_text(&client->json, text);
	json_object_end(&client->json);
	reply_close(client, code == E_SYNTAX ? EXIT_USAGE : EXIT_FAILED);
}

/* --- waiting for zones --- */

void client_wait_for(struct client *client, struct zone *zone, bool after_this)
{
	struct waiter *waiter = calloc(1, sizeof *waiter);

	if (!waiter) return;
	*waiter = (struct waiter){client, after_this, zone->waiting};
	zone->waiting = waiter;
	client->pending++;
}

static void outcome_write(struct client *client, const struct zone *zone, const char *state)
{
	struct json *j = &client->json;

	json_object_begin(j);
	json_key(j, "name");
	json_text(j, zone->machine.policy->label);
	json_key(j, "state");
	json_text(j, state);
	if (zone->machine.head.exists) {
		json_key(j, "serial");
		json_uint(j, zone->machine.head.serial);
	}
	if (zone->machine.problem_since) {
		json_key(j, "problem");
		json_text(j, zone->machine.problem);
	}
	json_key(j, "diagnostics");
	diagnostics_json(&zone->diagnostics, j);
	json_object_end(j);
}

/* Everybody who waits for this zone hears `state`; the last zone ends the answer. */
static void outcome(struct zone *zone, const char *state, int exit)
{
	struct waiter **link = &zone->waiting;

	while (*link) {
		struct waiter *waiter = *link;
		struct client *client = waiter->client;
		if (waiter->after_this) {
			waiter->after_this = false;
			link = &waiter->next;
			continue;
		}
		*link = waiter->next;
		free(waiter);
		if (!client) continue;
		outcome_write(client, zone, state);
		if (exit > client->exit) client->exit = exit;
		if (--client->pending) continue;
		json_array_end(&client->json);
		json_object_end(&client->json);
		reply_end(client, client->exit);
	}
}

void zone_answer_served(struct zone *zone)
{
	outcome(zone, "served", EXIT_DONE);
}

void zone_answer_gone(struct zone *zone)
{
	for (struct waiter *w = zone->waiting; w; w = w->next) w->after_this = false;
	outcome(zone, "removed", EXIT_FAILED);
}

void zone_answer_waiting(struct zone *zone, enum keeper_tell tell)
{
	switch (tell) {
	case TELL_REFUSED: outcome(zone, "refused", EXIT_FAILED); break;
	case TELL_UNCHANGED: outcome(zone, "unchanged", EXIT_DONE); break;
	case TELL_CURRENT: outcome(zone, "current", EXIT_DONE); break;
	case TELL_EXCHANGE_FAILED:
		/* Unless the next primary is being asked already. */
		if (zone->machine.secondary.waiting == SECONDARY_IDLE)
			outcome(zone, "failed", EXIT_FAILED);
		break;
	default: break;
	}
}

/* --- the connection --- */

static void client_leave(struct client *client)
{
	struct keeper *k = client->keeper;

	for (size_t i = 0; client->pending && i < k->zone_count; i++)
		for (struct waiter *w = k->zones[i]->waiting; w; w = w->next)
			if (w->client == client) w->client = NULL;
	if (client->copying) *client->copying = NULL;
	export_end(client);
}

void client_free(struct client *client)
{
	struct client **link = &client->keeper->clients;

	client_leave(client);
	while (*link != client) link = &(*link)->next;
	*link = client->next;
	loop_remove(client->keeper->loop, &client->watch);
	close(client->watch.fd);
	free(client->out);
	free(client);
}

void clients_free(struct keeper *k)
{
	while (k->clients) client_free(k->clients);
}

static void request_take(struct client *client, const char *line, size_t len)
{
	json_error_t at;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &at);

	if (!json_is_object(request))
		reply_error(client, E_SYNTAX, "the request is not a JSON object: %s", at.text);
	else
		command_run(client, request);
	json_decref(request);
}

static void requests_take(struct client *client)
{
	while (!is_busy(client) && !client->closing) {
		char *end = memchr(client->in, '\n', client->in_len);
		if (!end) break;
		size_t len = (size_t)(end - client->in);
		char line[CONTROL_REQUEST_OCTETS_MAX];
		memcpy(line, client->in, len);
		client->in_len -= len + 1;
		memmove(client->in, end + 1, client->in_len);
		request_take(client, line, len);
	}
	if (!is_busy(client) && client->in_len == sizeof client->in &&
	    !memchr(client->in, '\n', client->in_len)) {
		reply_error(client, E_LIMIT, "a request of more than %d octets",
			    CONTROL_REQUEST_OCTETS_MAX);
		client->closing = true;
	}
}

static void client_ready(void *context, unsigned events)
{
	struct client *client = context;

	if (events & LOOP_READ && client->in_len < sizeof client->in) {
		ssize_t n = recv(client->watch.fd, client->in + client->in_len,
				 sizeof client->in - client->in_len, MSG_DONTWAIT);
		if (n == 0) client->input_ended = true;
		if (n > 0) client->in_len += (size_t)n;
	}
	if (events & LOOP_HANGUP) client->closing = true;
	if (events & LOOP_WRITE) flush(client);
	if (client->exporting && !client->out_len) export_continue(client);
	requests_take(client);
	flush(client);
	if (client->closing || (client->input_ended && !is_busy(client))) client_free(client);
}

void client_new(struct keeper *k, int fd)
{
	struct client *client = NULL;
	struct ucred who;
	socklen_t len = sizeof who;
	size_t count = 0;

	for (struct client *c = k->clients; c; c = c->next) count++;
	if (count < CLIENTS_MAX) client = calloc(1, sizeof *client);
	if (!client || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len)) {
		free(client);
		close(fd);
		return;
	}
	client->keeper = k;
	snprintf(client->who, sizeof client->who, "uid %u", (unsigned)who.uid);
	client->watch = (struct watch){
		.fd = fd, .wishes = LOOP_READ, .ready = client_ready, .context = client};
	if (loop_add(k->loop, &client->watch, NULL)) {
		free(client);
		close(fd);
		return;
	}
	client->next = k->clients;
	k->clients = client;
}
