/* SPDX-License-Identifier: Apache-2.0 */
#include "host/interfaces.h"
#include "server/log.h"
#include "server/supervisor/parts.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { DNS_PORT = 53 };

/* An address that is wanted, and whether the configuration named it itself. */
struct wish {
	struct endpoint at;
	bool is_named;
};

struct wishes {
	struct wish list[PLAN_LISTEN_MAX];
	size_t count;
};

static enum code wish_add(struct wishes *wishes, const struct endpoint *at, bool is_named,
			  struct error *err)
{
	for (size_t i = 0; i < wishes->count; i++)
		if (endpoint_equal(&wishes->list[i].at, at)) return OK;
	if (wishes->count == PLAN_LISTEN_MAX)
		return error_set(err, E_LIMIT, "more than %d addresses to listen on",
				 PLAN_LISTEN_MAX);
	wishes->list[wishes->count++] = (struct wish){*at, is_named};
	return OK;
}

/* Each address of one interface, or of all of them when `name` is NULL. */
static enum code interface_wish(struct wishes *wishes, const char *name, uint16_t port,
				struct error *err)
{
	static struct host_address list[HOST_ADDRESSES_MAX];
	size_t count, found = 0;
	enum code code = interfaces_list(list, HOST_ADDRESSES_MAX, &count, err);

	for (size_t i = 0; i < count && !code; i++) {
		struct endpoint at = {list[i].address, port};
		if (name && strcmp(list[i].interface, name) != 0) continue;
		found++;
		code = wish_add(wishes, &at, name != NULL, err);
	}
	if (!code && found == 0)
		return error_set(err, E_NOT_FOUND, "server: listen: %s has no address that is up",
				 name ? name : "this host");
	return code;
}

static enum code wishes_of_plan(const struct plan *plan, struct wishes *wishes, struct error *err)
{
	enum code code = OK;

	wishes->count = 0;
	if (plan->listen_count == 0 && plan->interface_count == 0)
		return interface_wish(wishes, NULL, DNS_PORT, err);
	for (uint32_t i = 0; i < plan->listen_count && !code; i++)
		code = wish_add(wishes, &plan->listen[i], true, err);
	for (uint32_t i = 0; i < plan->interface_count && !code; i++)
		code = interface_wish(wishes, plan->interfaces[i].name, plan->interfaces[i].port,
				      err);
	return code;
}

static void port_close(struct port *port, uint32_t worker_count)
{
	for (uint32_t i = 0; i < worker_count; i++) close(port->udp[i]);
	close(port->tcp);
	free(port);
}

static enum code port_open(const struct endpoint *at, uint32_t worker_count, struct port **out,
			   struct error *err)
{
	struct port *port = calloc(1, sizeof *port);
	enum code code;

	if (!port) return error_set(err, E_NOMEM, "no memory for a listening socket");
	port->at = *at;
	if ((code = socket_listen_tcp(at, &port->tcp, err))) {
		free(port);
		return code;
	}
	if ((code = socket_listen_udp(at, worker_count, port->udp, err))) {
		close(port->tcp);
		free(port);
		return code;
	}
	*out = port;
	return OK;
}

/* At boot an IPv6 address is not there until the kernel knows that nobody else has it. */
static enum code port_open_patiently(const struct endpoint *at, uint32_t worker_count,
				     struct port **port, struct error *err)
{
	static const struct timespec pause = {0, 200 * 1000 * 1000};
	enum code code = port_open(at, worker_count, port, err);

	for (int i = 0; i < ADDRESS_PATIENCE_S * 5 && code == E_NOT_FOUND; i++) {
		nanosleep(&pause, NULL);
		code = port_open(at, worker_count, port, err);
	}
	return code;
}

static bool is_open(const struct ports *ports, const struct endpoint *at)
{
	for (size_t i = 0; i < ports->count; i++)
		if (endpoint_equal(&ports->list[i]->at, at)) return true;
	return false;
}

static bool is_wished(const struct wishes *wishes, const struct endpoint *at)
{
	for (size_t i = 0; i < wishes->count; i++)
		if (endpoint_equal(&wishes->list[i].at, at)) return true;
	return false;
}

/* Closed first: a wildcard may come in the place of an address, or the other way round. */
static bool unwished_close(struct ports *ports, const struct wishes *wishes)
{
	size_t kept = 0;
	bool closed = false;

	for (size_t i = 0; i < ports->count; i++) {
		struct port *port = ports->list[i];
		if (is_wished(wishes, &port->at)) {
			ports->list[kept++] = port;
			continue;
		}
		LOG(EVENT_LISTEN_ENDED, log_endpoint("address", &port->at));
		port_close(port, ports->worker_count);
		closed = true;
	}
	ports->count = kept;
	return closed;
}

enum code ports_open(struct ports *ports, const struct plan *plan, bool first, bool *changed,
		     struct error *err)
{
	static struct wishes wishes;
	enum code code = wishes_of_plan(plan, &wishes, err);

	if (code) return code;
	*changed = unwished_close(ports, &wishes);
	for (size_t i = 0; i < wishes.count; i++) {
		const struct wish *wish = &wishes.list[i];
		struct port *port;
		if (is_open(ports, &wish->at)) continue;
		code = first && wish->is_named
			       ? port_open_patiently(&wish->at, ports->worker_count, &port, err)
			       : port_open(&wish->at, ports->worker_count, &port, err);
		if (code && first && wish->is_named) goto failed;
		if (code) {
			LOG(EVENT_LISTEN_SKIPPED, log_error(err));
			continue;
		}
		ports->list[ports->count++] = port;
		*changed = true;
		LOG(EVENT_LISTEN, log_endpoint("address", &wish->at),
		    log_uint("workers", ports->worker_count));
	}
	if (ports->count > 0) return OK;
	/* `err` tells of the last one that was tried. */
	code = error_prefix(err, "no address is left to answer on");
failed:
	ports_close(ports);
	return code;
}

void ports_close(struct ports *ports)
{
	while (ports->count > 0) port_close(ports->list[--ports->count], ports->worker_count);
}
