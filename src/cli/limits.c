/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - every cap: the settings of `limits:`, and the constants of each layer. */
#include "cli/limits.h"

#include "base/diagnostic.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "dns/edns.h"
#include "dns/message_writer.h"
#include "dns/nsec3.h"
#include "dns/tsig.h"
#include "dns/zone_text.h"
#include "engine/courier/exchange.h"
#include "engine/primary/notify.h"
#include "host/datagram.h"
#include "host/interfaces.h"
#include "server/brief.h"
#include "server/config_files.h"
#include "server/courier/courier.h"
#include "server/front/mailbox.h"
#include "server/front/roster.h"
#include "server/front/worker.h"
#include "server/keeper/control.h"
#include "server/keeper/packer.h"
#include "server/keeper/segments.h"
#include "server/log.h"
#include "store/state.h"
#include "store/thread.h"
#include "zone/change.h"
#include "zone/checks.h"
#include "zone/delta.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

static const struct limit limits[] = {
#define LIMIT(name, constant, unit, text) {name, (uint64_t)(constant), LIMIT_##unit, text},
#include "base/limits.def"

#include "dns/limits.def"

#include "zone/limits.def"

#include "engine/limits.def"

#include "config/reading_limits.def"

#include "host/limits.def"

#include "store/limits.def"

#include "server/limits.def"
#undef LIMIT
};

const struct limit *limits_fixed(size_t *count)
{
	*count = ARRAY_COUNT(limits);
	return limits;
}

static enum code read_nothing(void *context, const char *path, struct config_file *file,
			      struct error *err)
{
	(void)context, (void)path, (void)err;
	*file = (struct config_file){0};
	return OK;
}

/* The policy of a file without a word in it. */
static enum code standard_policy(struct arena *arena, const struct policy **policy)
{
	const struct config_loader loader = {.read = read_nothing, .folder = "/"};
	struct diagnostics diagnostics = {.arena = arena};

	return config_load(&loader, "nothing", arena, &diagnostics, policy);
}

/* What is configured; where no file is named and none is to be read, what is standard. */
static enum code policy_in_force(const struct invocation *invocation, struct arena *arena,
				 const struct policy *standard, const struct policy **policy)
{
	const char *path = config_path(invocation->options[OPTION_CONFIG]);
	struct diagnostics diagnostics = {.arena = arena};

	*policy = standard;
	if (!invocation->options[OPTION_CONFIG] && access(path, R_OK)) return OK;
	enum code code = config_files_load(path, arena, &diagnostics, policy);
	if (code) diagnostics_show(&diagnostics);
	return code;
}

static struct limit limit_of_setting(const struct setting *setting, const struct policy *policy)
{
	return (struct limit){
		.name = setting->key,
		.value = setting_quantity(setting, &policy->limits),
		.unit = setting->kind == KIND_SIZE       ? LIMIT_OCTETS
			: setting->kind == KIND_DURATION ? LIMIT_DURATION
							 : LIMIT_COUNT,
		.text = setting->doc,
	};
}

/* --- what is shown, and how --- */

static_assert((int)SIZE_TEXT_MAX >= (int)DURATION_TEXT_MAX, "a value of each unit fits");

static void row_table(void *context, const struct limit *limit, const char *from)
{
	char value[SIZE_TEXT_MAX];

	if (limit->unit == LIMIT_OCTETS)
		size_print(limit->value, value);
	else if (limit->unit == LIMIT_DURATION)
		duration_print((duration_ns)limit->value, value);
	else
		snprintf(value, sizeof value, "%llu", (unsigned long long)limit->value);
	table_row(context, (const char *[]){limit->name, value, from, limit->text});
}

static void row_json(void *context, const struct limit *limit, const char *from)
{
	static const char *const units[] = {
		[LIMIT_COUNT] = "count", [LIMIT_OCTETS] = "octets", [LIMIT_DURATION] = "ns"};
	struct json *j = context;

	json_object_begin(j);
	json_key(j, "name");
	json_text(j, limit->name);
	json_key(j, "value");
	json_uint(j, limit->value);
	json_key(j, "unit");
	json_text(j, units[limit->unit]);
	json_key(j, "from");
	json_text(j, from);
	json_key(j, "text");
	json_text(j, limit->text);
	json_object_end(j);
}

static void rows(const struct policy *policy, const struct policy *standard,
		 void (*row)(void *context, const struct limit *limit, const char *from),
		 void *context)
{
	size_t count;
	const struct setting *settings = chapter_settings(CHAPTER_LIMITS, &count);

	for (size_t i = 0; i < count; i++) {
		struct limit limit = limit_of_setting(&settings[i], policy);
		bool is_standard = limit.value == setting_quantity(&settings[i], &standard->limits);
		row(context, &limit, is_standard ? "default" : "set");
	}
	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) row(context, &limits[i], "fixed");
}

static void show_json(const struct policy *policy, const struct policy *standard)
{
	struct json json, *j = &json;

	json_begin_stdout(j);
	json_object_begin(j);
	json_key(j, "limits");
	json_array_begin(j);
	rows(policy, standard, row_json, j);
	json_array_end(j);
	json_object_end(j);
	json_end_stdout(j);
}

static void show_table(const struct policy *policy, const struct policy *standard)
{
	struct table table;

	table_begin(&table, 4, (const char *[]){"NAME", "VALUE", "FROM", "WHAT IT BOUNDS"});
	rows(policy, standard, row_table, &table);
	table_end(&table);
}

int command_LIMITS(const struct invocation *invocation)
{
	struct arena *arena = arena_new(POLICY_OCTETS_MAX);
	const struct policy *standard, *policy;
	int status = CLI_DONE;

	if (!arena || standard_policy(arena, &standard)) {
		arena_free(arena);
		return cli_failed("no memory");
	}
	if (policy_in_force(invocation, arena, standard, &policy))
		status = CLI_FAILED;
	else if (invocation->options[OPTION_JSON])
		show_json(policy, standard);
	else
		show_table(policy, standard);
	arena_free(arena);
	return status;
}
