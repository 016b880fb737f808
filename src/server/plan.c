/* SPDX-License-Identifier: Apache-2.0 */
#include "server/plan.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool text_put(char *to, size_t cap, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len >= cap) return false;
	if (len) memcpy(to, text, len);
	to[len] = '\0';
	return true;
}

static enum code listen_put(const struct server_policy *server, struct plan *plan,
			    struct error *err)
{
	if (server->listen_count > PLAN_LISTEN_MAX ||
	    server->listen_interface_count > PLAN_INTERFACES_MAX)
		return error_set(err, E_LIMIT,
				 "server: listen: has more than %d addresses or %d interfaces",
				 PLAN_LISTEN_MAX, PLAN_INTERFACES_MAX);
	plan->listen_count = (uint32_t)server->listen_count;
	for (size_t i = 0; i < server->listen_count; i++) plan->listen[i] = server->listen[i];
	plan->interface_count = (uint32_t)server->listen_interface_count;
	for (size_t i = 0; i < server->listen_interface_count; i++) {
		plan->interfaces[i].port = server->listen_interfaces[i].port;
		if (!text_put(plan->interfaces[i].name, PLAN_INTERFACE_TEXT_MAX,
			      server->listen_interfaces[i].name))
			return error_set(err, E_RANGE,
					 "server: listen: \"%s\" is longer than the name of an "
					 "interface",
					 server->listen_interfaces[i].name);
	}
	return OK;
}

enum code plan_of_policy(const struct policy *policy, struct plan *plan, struct error *err)
{
	const struct server_policy *server = &policy->server;
	enum code code;

	plan->workers = server->workers;
	if (server->workers > PLAN_WORKERS_MAX)
		return error_set(err, E_RANGE, "server: workers: %u is more than %d",
				 (unsigned)server->workers, PLAN_WORKERS_MAX);
	if ((code = listen_put(server, plan, err))) return code;
	if (!text_put(plan->user, sizeof plan->user, server->user))
		return error_set(err, E_RANGE, "server: user: \"%s\" is too long", server->user);
	if (!text_put(plan->state, sizeof plan->state, server->state))
		return error_set(err, E_RANGE, "server: state: the path is longer than %d octets",
				 PLAN_PATH_TEXT_MAX - 1);
	if (!text_put(plan->control, sizeof plan->control, server->control))
		return error_set(err, E_RANGE,
				 "server: control: \"%s\" is longer than the %d octets that the "
				 "path of a Unix socket may have",
				 server->control, PLAN_CONTROL_TEXT_MAX - 1);
	for (size_t i = 0; i < policy->zone_count; i++)
		if (policy->zones[i].file) plan_file_add(plan, policy->zones[i].file);
	return OK;
}

const char *plan_folder(const struct plan *plan, size_t n)
{
	const char *at = plan->folders;

	if (n >= plan->folder_count) return NULL;
	while (n-- > 0) at += strlen(at) + 1;
	return at;
}

static void folder_add(struct plan *plan, struct span folder)
{
	const char *at = plan->folders;

	if (plan->reads_everything) return;
	for (uint32_t i = 0; i < plan->folder_count; i++, at += strlen(at) + 1)
		if (span_is_text(folder, at)) return;
	if (plan->folder_count == PLAN_FOLDERS_MAX ||
	    folder.len + 1 > sizeof plan->folders - plan->folders_len) {
		plan->reads_everything = true;
		return;
	}
	memcpy(plan->folders + plan->folders_len, folder.ptr, folder.len);
	plan->folders[plan->folders_len + folder.len] = '\0';
	plan->folders_len += (uint32_t)folder.len + 1;
	plan->folder_count++;
}

static struct span folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	if (!slash) return span_of_text(".");
	return span_of(file, slash == file ? 1 : (size_t)(slash - file));
}

void plan_file_add(struct plan *plan, const char *file)
{
	char target[PATH_MAX];
	struct stat status;

	folder_add(plan, folder_of(file));
	if (lstat(file, &status) == 0 && S_ISLNK(status.st_mode) && realpath(file, target))
		folder_add(plan, folder_of(target));
}

static bool ends_in_zero(const char *text, size_t cap)
{
	return memchr(text, '\0', cap) != NULL;
}

static bool listen_is_sound(const struct plan *plan)
{
	if (plan->listen_count > PLAN_LISTEN_MAX || plan->interface_count > PLAN_INTERFACES_MAX)
		return false;
	for (uint32_t i = 0; i < plan->listen_count; i++) {
		uint8_t family = plan->listen[i].address.family;
		if ((family != 4 && family != 6) || plan->listen[i].port == 0) return false;
	}
	for (uint32_t i = 0; i < plan->interface_count; i++)
		if (!ends_in_zero(plan->interfaces[i].name, PLAN_INTERFACE_TEXT_MAX) ||
		    plan->interfaces[i].port == 0)
			return false;
	return true;
}

static bool folders_are_sound(const struct plan *plan)
{
	uint32_t zeros = 0;

	if (plan->folder_count > PLAN_FOLDERS_MAX || plan->folders_len > sizeof plan->folders)
		return false;
	for (uint32_t i = 0; i < plan->folders_len; i++) zeros += plan->folders[i] == '\0';
	return zeros == plan->folder_count &&
	       (plan->folders_len == 0 || plan->folders[plan->folders_len - 1] == '\0');
}

enum code plan_check(const struct plan *plan, struct error *err)
{
	if (plan->workers > PLAN_WORKERS_MAX || !listen_is_sound(plan) ||
	    !folders_are_sound(plan) || !ends_in_zero(plan->user, sizeof plan->user) ||
	    !ends_in_zero(plan->state, sizeof plan->state) || plan->state[0] != '/' ||
	    !ends_in_zero(plan->control, sizeof plan->control) || plan->control[0] != '/')
		return error_set(err, E_DAMAGED,
				 "the process that read the configuration handed on nonsense");
	return OK;
}
