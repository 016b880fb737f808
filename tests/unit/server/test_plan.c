/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "server/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct endpoint listen_at = {{4, {192, 0, 2, 53}}, 53};
static struct zone_policy zones[] = {
	{.file = "/zones/a/example.org.zone"},
	{.file = NULL},
	{.file = "/zones/a/example.com.zone"},
	{.file = "/zones/b/x"},
	{.file = "/root.zone"},
	{.file = "local.zone"},
};

static struct policy policy_with(void)
{
	return (struct policy){.server = {.state = "/var/lib/lockstep",
					  .control = "/run/lockstep/control.sock",
					  .listen = &listen_at,
					  .listen_count = 1,
					  .workers = 3},
			       .zones = zones,
			       .zone_count = sizeof zones / sizeof zones[0]};
}

static struct plan *plan_new(void)
{
	struct plan *plan = calloc(1, sizeof *plan);

	CHECK(plan != NULL);
	return plan;
}

TEST(each_folder_of_a_zone_file_stands_there_once)
{
	struct policy policy = policy_with();
	struct plan *plan = plan_new();

	CHECK(plan_of_policy(&policy, plan, NULL) == OK && plan_check(plan, NULL) == OK);
	assert_string_equal(plan_folder(plan, 0), "/zones/a");
	assert_string_equal(plan_folder(plan, 1), "/zones/b");
	assert_string_equal(plan_folder(plan, 2), "/");
	assert_string_equal(plan_folder(plan, 3), ".");
	CHECK(plan_folder(plan, 4) == NULL && !plan->reads_everything);
	CHECK(plan->workers == 3 && plan->listen_count == 1 && plan->user[0] == '\0');
	free(plan);
}

TEST(what_a_symbolic_link_means_may_be_read_too)
{
	char folder[] = "/tmp/lockstep-plan-XXXXXX", link[64];
	struct plan *plan = plan_new();

	CHECK(mkdtemp(folder));
	snprintf(link, sizeof link, "%s/passwd", folder);
	CHECK(symlink("/etc/passwd", link) == 0);
	plan_file_add(plan, link);
	assert_string_equal(plan_folder(plan, 0), folder);
	assert_string_equal(plan_folder(plan, 1), "/etc");
	CHECK(unlink(link) == 0 && rmdir(folder) == 0);
	free(plan);
}

TEST(too_many_folders_mean_every_folder)
{
	struct plan *plan = plan_new();
	char path[64];

	for (int i = 0; i <= PLAN_FOLDERS_MAX; i++) {
		CHECK(!plan->reads_everything);
		snprintf(path, sizeof path, "/zones/%d/x", i);
		plan_file_add(plan, path);
	}
	CHECK(plan->reads_everything && plan->folder_count == PLAN_FOLDERS_MAX);
	free(plan);
}

static void is_refused(struct policy policy, const char *setting)
{
	struct plan *plan = plan_new();
	struct error err;

	CHECK(plan_of_policy(&policy, plan, &err) != OK && strstr(err.text, setting));
	free(plan);
}

TEST(what_does_not_fit_names_its_setting)
{
	static char text[2 * PLAN_PATH_TEXT_MAX];
	struct policy policy = policy_with();

	memset(text, 'x', sizeof text - 1);
	text[0] = '/';
	policy.server.control = text;
	is_refused(policy, "server: control:");
	policy = policy_with();
	policy.server.state = text;
	is_refused(policy, "server: state:");
	policy = policy_with();
	policy.server.user = text;
	is_refused(policy, "server: user:");
	policy = policy_with();
	policy.server.workers = PLAN_WORKERS_MAX + 1;
	is_refused(policy, "server: workers:");
	policy = policy_with();
	policy.server.listen_count = PLAN_LISTEN_MAX + 1;
	is_refused(policy, "server: listen:");
}

/* The process that parsed the configuration may have fallen. */
TEST(a_plan_that_no_policy_gives_is_refused)
{
	struct policy policy = policy_with();
	struct plan *good = plan_new(), *bad = plan_new();

	CHECK(plan_of_policy(&policy, good, NULL) == OK);
#define BAD(change)                                                                                \
	*bad = *good;                                                                              \
	change;                                                                                    \
	CHECK(plan_check(bad, NULL) == E_DAMAGED)
	BAD(bad->workers = PLAN_WORKERS_MAX + 1);
	BAD(bad->listen_count = PLAN_LISTEN_MAX + 1);
	BAD(bad->interface_count = PLAN_INTERFACES_MAX + 1);
	BAD(bad->listen[0].address.family = 5);
	BAD(bad->listen[0].port = 0);
	BAD(bad->folder_count++);
	BAD(bad->folders_len++);
	BAD(bad->folders_len = PLAN_FOLDERS_TEXT_MAX + 1);
	BAD(bad->folders[bad->folders_len - 1] = 'x');
	BAD(memset(bad->state, '/', sizeof bad->state));
	BAD(memset(bad->control, '/', sizeof bad->control));
	BAD(memset(bad->user, 'x', sizeof bad->user));
	BAD(bad->state[0] = 'x');
	BAD(bad->control[0] = '\0');
	*bad = *good;
	CHECK(plan_check(bad, NULL) == OK);
	free(good);
	free(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_folder_of_a_zone_file_stands_there_once),
		cmocka_unit_test(what_a_symbolic_link_means_may_be_read_too),
		cmocka_unit_test(too_many_folders_mean_every_folder),
		cmocka_unit_test(what_does_not_fit_names_its_setting),
		cmocka_unit_test(a_plan_that_no_policy_gives_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
