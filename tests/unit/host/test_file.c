/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "host/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char place[64];
static struct folder *folder;
static struct error err;

static int set_up(void **state)
{
	(void)state;
	strcpy(place, "/tmp/lockstep-file-XXXXXX");
	CHECK(mkdtemp(place));
	CHECK(folder_open(place, &folder, &err) == OK);
	return 0;
}

static enum code remove_each(void *context, const char *name, struct error *e)
{
	(void)context;
	return folder_remove(folder, name, e);
}

static int tear_down(void **state)
{
	(void)state;
	folder_set_fault(folder, NULL, NULL);
	CHECK(folder_list(folder, remove_each, NULL, &err) == OK);
	folder_close(folder);
	rmdir(place);
	return 0;
}

static enum code write_file(const char *name, const char *text)
{
	struct new_file *file = NULL;
	enum code code = new_file_create(folder, name, &file, &err);

	if (!code) code = new_file_append(file, span_of_text(text), &err);
	if (!code) code = new_file_sync(file, &err);
	if (!code) code = folder_sync(folder, &err);
	new_file_close(file);
	return code;
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", place, name);
	return path;
}

TEST(what_is_written_is_read_and_mapped)
{
	struct old_file *file = NULL;
	uint8_t octets[5];
	struct span map;

	CHECK(write_file("a", "hello") == OK);
	CHECK(old_file_open(folder, "a", &file, &err) == OK);
	CHECK(old_file_len(file) == 5);
	CHECK(folder_remove(folder, "a", &err) == OK);
	CHECK(old_file_read(file, 1, octets, 4, &err) == OK && memcmp(octets, "ello", 4) == 0);
	CHECK(old_file_map(file, &map, &err) == OK && span_is_text(map, "hello"));
	CHECK(old_file_read(file, 1, octets, 5, &err) == E_DAMAGED);
	CHECK(strstr(err.text, "1 octets early"));
	old_file_close(file);
	CHECK(old_file_open(folder, "a", &file, &err) == E_NOT_FOUND);
	CHECK(folder_remove(folder, "a", &err) == OK);
}

TEST(a_name_is_never_written_twice)
{
	CHECK(write_file("a", "first") == OK);
	CHECK(write_file("a", "second") == E_EXISTS);
	CHECK(strstr(err.text, path_of("a")));
}

static int disk_full(void *context, enum file_step step, const char *name)
{
	(void)name;
	return step == *(enum file_step *)context ? ENOSPC : 0;
}

TEST(each_step_that_fails_says_what_and_where)
{
	static const struct {
		enum file_step step;
		const char *words;
	} rows[] = {
		{FILE_STEP_CREATE, "cannot create"},
		{FILE_STEP_WRITE, "cannot write"},
		{FILE_STEP_SYNC, "cannot sync"},
		{FILE_STEP_FOLDER_SYNC, "cannot sync folder"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		enum file_step step = rows[i].step;
		char name[8];
		snprintf(name, sizeof name, "f%zu", i);
		folder_set_fault(folder, disk_full, &step);
		CHECK(write_file(name, "x") == E_IO);
		CHECK(strstr(err.text, rows[i].words) && strstr(err.text, place));
	}
}

TEST(a_locked_folder_names_its_holder)
{
	struct folder *second = NULL;
	char words[64];

	CHECK(folder_lock(folder, "lock", &err) == OK);
	CHECK(folder_open(place, &second, &err) == OK);
	CHECK(folder_lock(second, "lock", &err) == E_BUSY);
	snprintf(words, sizeof words, "in use by process %ld;", (long)getpid());
	CHECK(strstr(err.text, words));
	folder_close(second);
}

TEST(a_lock_ends_with_its_process_however_it_ends)
{
	int ready[2];
	char octet;

	CHECK(pipe(ready) == 0);
	pid_t child = fork();
	if (child == 0) {
		struct folder *mine = NULL;
		if (folder_open(place, &mine, &err) || folder_lock(mine, "lock", &err)) _exit(1);
		if (write(ready[1], "x", 1) != 1) _exit(1);
		pause();
		_exit(0);
	}
	CHECK(read(ready[0], &octet, 1) == 1);
	CHECK(folder_lock(folder, "lock", &err) == E_BUSY);
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
	CHECK(folder_lock(folder, "lock", &err) == OK);
	close(ready[0]);
	close(ready[1]);
}

TEST(a_file_of_strangers_is_read_whole_or_not_at_all)
{
	struct arena *arena = arena_new(1 << 20);
	struct file_identity first, second;
	struct span octets;

	CHECK(write_file("zone", "one line\n") == OK);
	CHECK(file_read(path_of("zone"), 9, arena, &octets, &first, &err) == OK);
	CHECK(span_is_text(octets, "one line\n") && first.len == 9);
	CHECK(file_identify(path_of("zone"), &second, &err) == OK);
	CHECK(file_identity_equal(&first, &second));
	CHECK(file_read(path_of("zone"), 8, arena, &octets, &second, &err) == E_LIMIT);
	CHECK(file_read(path_of("none"), 8, arena, &octets, &second, &err) == E_NOT_FOUND);
	CHECK(file_read(place, 8, arena, &octets, &second, &err) == E_RANGE);
	CHECK(mkfifo(path_of("pipe"), 0600) == 0);
	CHECK(file_read(path_of("pipe"), 8, arena, &octets, &second, &err) == E_RANGE);
	CHECK(folder_remove(folder, "zone", &err) == OK &&
	      write_file("zone", "other line\n") == OK);
	CHECK(file_identify(path_of("zone"), &second, &err) == OK);
	CHECK(!file_identity_equal(&first, &second));
	arena_free(arena);
}

TEST(an_inner_folder_is_made_once)
{
	struct folder *inner = NULL, *again = NULL;
	uint64_t octets = 0;

	CHECK(folder_open_inside(folder, "inner", &inner, &err) == OK);
	CHECK(folder_open_inside(folder, "inner", &again, &err) == OK);
	CHECK(strcmp(folder_path(again), path_of("inner")) == 0);
	CHECK(folder_free_space(inner, &octets, &err) == OK && octets > 0);
	folder_close(inner);
	folder_close(again);
	CHECK(rmdir(path_of("inner")) == 0);
	CHECK(folder_open(path_of("inner"), &inner, &err) == E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read_and_mapped, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_name_is_never_written_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_step_that_fails_says_what_and_where, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_locked_folder_names_its_holder, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_lock_ends_with_its_process_however_it_ends,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_of_strangers_is_read_whole_or_not_at_all,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_inner_folder_is_made_once, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
