/* SPDX-License-Identifier: Apache-2.0 */
/* Children are this very program; what they do stands behind "--child". */
#include "unit.h"

#include "host/child.h"
#include "host/machine.h"
#include "host/notify.h"
#include "host/unix_socket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* --- in the child --- */

static int descriptors_open(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = -1; /* not that of the folder itself */

	while (readdir(folder)) count++;
	closedir(folder);
	return count - 2; /* "." and ".." */
}

/* Two pipes came along, the first as 3, the second as 4, and nothing else. */
static int child_pipes(void)
{
	sigset_t mask;

	if (write(3, "3", 1) != 1 || write(4, "4", 1) != 1) return 1;
	if (descriptors_open() != 5) return 2;
	if (sigprocmask(0, NULL, &mask) < 0 || sigismember(&mask, SIGUSR1)) return 3;
	if (getenv("NOTIFY_SOCKET")) return 4;
	return 42;
}

static int child_main(const char *what)
{
	if (strcmp(what, "pipes") == 0) return child_pipes();
	if (strcmp(what, "wait") == 0) pause();
	return 1;
}

/* --- in the test --- */

static void child_wait(struct child *child, struct child_end *end)
{
	struct pollfd ended = {child->pid_fd, POLLIN, 0};

	CHECK(poll(&ended, 1, 20000) == 1);
	CHECK(child_reap(child, end) == OK && child->pid == 0 && child->pid_fd == -1);
}

TEST(a_child_has_exactly_the_descriptors_it_was_given)
{
	const char *arguments[] = {"test", "--child", "pipes", NULL};
	int first[2], second[2];
	struct child_end end;
	struct child child;
	sigset_t usr1;
	char c;

	CHECK(pipe(first) == 0 && pipe(second) == 0);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &usr1, NULL) == 0);
	CHECK(setenv("NOTIFY_SOCKET", "/nonexistent", 1) == 0);
	/* Numbers that stand in each other's way: the second is where the first is to go. */
	for (int i = 0; i < 2; i++) {
		first[i] = fcntl(first[i], F_DUPFD, 20);
		second[i] = fcntl(second[i], F_DUPFD, 20);
	}
	CHECK(dup2(first[1], 4) == 4 && dup2(second[1], 3) == 3);
	const int given[] = {4, 3};
	struct child_plan plan = {arguments, given, 2};
	CHECK(child_start(&plan, &child, NULL) == OK);
	child_wait(&child, &end);
	CHECK(!end.was_signal && end.value == 42);
	CHECK(read(first[0], &c, 1) == 1 && c == '3');
	CHECK(read(second[0], &c, 1) == 1 && c == '4');
	CHECK(unsetenv("NOTIFY_SOCKET") == 0);
}

TEST(a_polite_signal_does_not_end_a_child_but_kill_does)
{
	const char *arguments[] = {"test", "--child", "wait", NULL};
	struct child_plan plan = {arguments, NULL, 0};
	struct child_end end;
	struct child child;

	CHECK(child_start(&plan, &child, NULL) == OK);
	CHECK(child_reap(&child, &end) == E_AGAIN);
	child_signal(&child, SIGTERM);
	child_signal(&child, SIGINT);
	child_signal(&child, SIGKILL);
	child_wait(&child, &end);
	CHECK(end.was_signal && end.value == SIGKILL);
}

TEST(a_socket_that_nobody_answers_is_replaced_and_no_other_file)
{
	char folder[] = "/tmp/lockstep-socket-XXXXXX", path[64];
	struct stat status;
	struct error err;
	int fd, second;

	CHECK(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/control.sock", folder);
	CHECK(unix_socket_listen(path, NULL, &fd, NULL) == OK);
	CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0660);
	CHECK(unix_socket_listen(path, NULL, &second, &err) == E_EXISTS);
	CHECK(strstr(err.text, "another server answers at"));
	close(fd);
	CHECK(unix_socket_listen(path, NULL, &fd, NULL) == OK);
	close(fd);
	CHECK(unlink(path) == 0);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	close(fd);
	CHECK(unix_socket_listen(path, NULL, &fd, &err) == E_EXISTS);
	CHECK(strstr(err.text, "is no socket") && access(path, F_OK) == 0);
	CHECK(unlink(path) == 0 && rmdir(folder) == 0);
}

TEST(a_folder_is_made_once_and_not_its_parents)
{
	char folder[] = "/tmp/lockstep-folder-XXXXXX", path[64];

	CHECK(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/a/b", folder);
	CHECK(folder_ensure(path, NULL, NULL) == E_NOT_FOUND);
	snprintf(path, sizeof path, "%s/a", folder);
	CHECK(folder_ensure(path, NULL, NULL) == OK && folder_ensure(path, NULL, NULL) == OK);
	CHECK(rmdir(path) == 0);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	CHECK(folder_ensure(path, NULL, NULL) == E_EXISTS);
	CHECK(unlink(path) == 0 && rmdir(folder) == 0);
}

static int manager_open(const char *name, socklen_t name_len)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, name, name_len);
	CHECK(bind(fd, (struct sockaddr *)&address,
		   (socklen_t)offsetof(struct sockaddr_un, sun_path) + name_len) == 0);
	return fd;
}

TEST(the_service_manager_is_told_by_path_and_by_abstract_name)
{
	char name[64], told[64], got[64];

	snprintf(name, sizeof name, "%clockstep-notify-%d", '\0', getpid());
	snprintf(told, sizeof told, "@lockstep-notify-%d", getpid());
	int manager = manager_open(name, (socklen_t)strlen(told));
	CHECK(setenv("NOTIFY_SOCKET", told, 1) == 0);
	int fd = notify_open();
	CHECK(fd >= 0 && !getenv("NOTIFY_SOCKET"));
	notify_send(fd, "READY=1");
	CHECK(recv(manager, got, sizeof got, 0) == 7 && memcmp(got, "READY=1", 7) == 0);
	close(fd);
	close(manager);

	CHECK(notify_open() == -1);
	notify_send(-1, "READY=1");
	CHECK(setenv("NOTIFY_SOCKET", "relative", 1) == 0 && notify_open() == -1);
	CHECK(setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1) == 0 && notify_open() == -1);
	CHECK(unsetenv("NOTIFY_SOCKET") == 0);
}

TEST(threads_are_pinned_round_the_processors)
{
	unsigned count = processor_count();

	CHECK(count >= 1);
	CHECK(thread_pin(count + 1));
	CHECK(processor_count() == 1);
	CHECK(descriptors_raise() > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_has_exactly_the_descriptors_it_was_given),
		cmocka_unit_test(a_polite_signal_does_not_end_a_child_but_kill_does),
		cmocka_unit_test(a_socket_that_nobody_answers_is_replaced_and_no_other_file),
		cmocka_unit_test(a_folder_is_made_once_and_not_its_parents),
		cmocka_unit_test(the_service_manager_is_told_by_path_and_by_abstract_name),
		cmocka_unit_test(threads_are_pinned_round_the_processors),
	};

	if (argc == 3 && strcmp(argv[1], "--child") == 0) _exit(child_main(argv[2]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
