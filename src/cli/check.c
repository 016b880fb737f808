/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - a zone file looked at without a server: what would a reload say? */
#include "cli/cli.h"

#include "cli/show.h"
#include "host/loop.h"
#include "host/machine.h"
#include "host/workers.h"
#include "server/config_files.h"
#include "server/zone_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHECK_OCTETS_MAX ((size_t)64 << 30)

struct checking {
	struct work work; /* first: the load, on a thread */
	struct arena *arena;
	struct diagnostics diagnostics;
	struct zone_progress progress;
	struct zone_load load;
	enum code code;
	struct error err;
	struct workers *workers;
	struct loop *loop;
	struct timer timer;
	bool bar_is_drawn;
};

static void result_json(const struct checking *checking, bool good, const struct soa *soa)
{
	struct json json, *j = &json;

	json_begin_stdout(j);
	json_object_begin(j);
	json_key(j, "good");
	json_bool(j, good);
	if (good) {
		json_key(j, "serial");
		json_uint(j, soa->serial);
		json_key(j, "records");
		json_uint(j, checking->load.records->count);
	}
	json_key(j, "diagnostics");
	diagnostics_json(&checking->diagnostics, j);
	json_object_end(j);
	json_end_stdout(j);
}

/* --- on threads, with a bar for those who wait --- */

#define BAR_AFTER (NS_PER_S / 2)
#define BAR_EVERY (NS_PER_S / 10)

enum { BAR_WIDTH = 40 };

static void load_run(struct work *work)
{
	struct checking *checking = (struct checking *)(void *)work;

	checking->code = zone_load(&checking->load, &checking->err);
}

static void bar_draw(void *context, instant_ns now)
{
	struct checking *checking = context;
	unsigned percent = zone_progress_percent(&checking->progress);
	unsigned full = percent * BAR_WIDTH / 100;

	(void)now;
	fprintf(stderr, "\r[%.*s%*s] %2u %%", (int)full, "########################################",
		BAR_WIDTH - (int)full, "", percent);
	checking->bar_is_drawn = true;
	timer_set_after(checking->loop, &checking->timer, BAR_EVERY);
}

static void load_done(void *context)
{
	struct checking *checking = context;

	if (workers_next(checking->workers)) loop_stop(checking->loop);
}

/* Without threads it takes longer, and nothing else is different. */
static void check(struct checking *checking, bool with_bar)
{
	struct wakeup wakeup = {.rung = load_done, .context = checking};

	checking->work.run = load_run;
	checking->timer = (struct timer){.due = bar_draw, .context = checking};
	if (loop_new(&checking->loop, NULL)) {
		load_run(&checking->work);
		return;
	}
	if (wakeup_open(checking->loop, &wakeup, NULL)) {
		load_run(&checking->work);
	} else if (workers_start(processor_count(), &wakeup, &checking->workers, NULL)) {
		load_run(&checking->work);
		wakeup_close(checking->loop, &wakeup);
	} else {
		checking->load.parallel = workers_parallel(checking->workers);
		if (with_bar) timer_set_after(checking->loop, &checking->timer, BAR_AFTER);
		workers_submit(checking->workers, &checking->work);
		loop_run(checking->loop);
		workers_stop(checking->workers);
		workers_free(checking->workers);
		wakeup_close(checking->loop, &wakeup);
	}
	if (checking->bar_is_drawn) fputs("\r\033[K", stderr);
	loop_free(checking->loop);
}

int command_CHECK(const struct invocation *invocation)
{
	const char *path = invocation->arguments[0], *text = invocation->options[OPTION_ORIGIN];
	bool as_json = invocation->options[OPTION_JSON] != NULL;
	struct checking checking = {.arena = arena_new(CHECK_OCTETS_MAX)};
	struct name_buffer origin;
	struct name root = name_root();
	struct soa soa = {0};
	char number[NUMBER_TEXT_MAX];

	if (!checking.arena) return cli_failed("no memory");
	if (!text || name_from_text(span_of_text(text), &root, &origin, &checking.err)) {
		arena_free(checking.arena);
		return text ? cli_usage("--origin \"%s\" is not a name: %s", text,
					checking.err.text)
			    : cli_usage("which zone is it? --origin NAME");
	}
	checking.diagnostics.arena = checking.arena;
	checking.load = (struct zone_load){
		.path = path,
		.origin = name_of(&origin),
		.work = checking.arena,
		.diagnostics = &checking.diagnostics,
		.progress = &checking.progress,
	};
	check(&checking, !as_json && isatty(STDERR_FILENO));
	bool good = checking.code == OK;
	if (good) records_soa(checking.load.records, name_of(&origin), &soa);
	if (!good && !checking.diagnostics.error_count) {
		cli_failed("%s", checking.err.text);
	} else if (as_json) {
		result_json(&checking, good, &soa);
	} else {
		diagnostics_show(&checking.diagnostics);
		if (good)
			printf("%s: good, serial %u, %s records\n", path, soa.serial,
			       number_show(checking.load.records->count, number));
	}
	zone_files_clear(&checking.load.files);
	free(checking.load.denied);
	arena_free(checking.arena);
	return good ? CLI_DONE : CLI_FAILED;
}
