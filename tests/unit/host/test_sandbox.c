/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each deed runs in a process of its own behind the walls of a profile; its exit
 * status is what it returned: 0, or the errno that it met.
 */
#include "unit.h"

#include "host/memfd.h"
#include "host/sandbox.h"
#include "host/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_NO_SANDBOX = 200, STATUS_WRONG = 201 };

static char folder[64], inside[96], outside[96];
static int listen_fd;
static struct endpoint listen_at;

/* Runs `deed` behind the walls; its status as of waitpid(2). */
static int confined(enum sandbox_profile profile, const struct user *user, int (*deed)(void))
{
	const struct sandbox_path paths[] = {
		{folder, profile == SANDBOX_KEEP ? SANDBOX_PATH_WRITE : SANDBOX_PATH_READ},
		{"/nonexistent", SANDBOX_PATH_READ},
	};
	struct sandbox_plan plan = {profile, user, paths, ARRAY_COUNT(paths)};
	struct walls walls;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (sandbox_enter(&plan, &walls, NULL)) _exit(STATUS_NO_SANDBOX);
		_exit(deed());
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status;
}

static bool ends_with(int status, int expected)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == expected;
}

static bool is_killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static int open_for(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd < 0) return errno;
	close(fd);
	return 0;
}

static int read_inside(void)
{
	return open_for(inside, O_RDONLY);
}

static int read_outside(void)
{
	return open_for(outside, O_RDONLY);
}

static int write_inside(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s.new", inside);
	int failed = open_for(path, O_WRONLY | O_CREAT | O_EXCL);
	if (failed) return failed;
	return rename(path, inside) < 0 ? errno : 0;
}

static int write_outside(void)
{
	return open_for(outside, O_WRONLY | O_TRUNC);
}

static int connect_out(void)
{
	struct endpoint source = {{4, {127, 0, 0, 3}}, 0};
	struct pollfd wish = {.events = POLLOUT};
	struct error err;

	if (socket_connect(TRANSPORT_TCP, &listen_at, &source, &wish.fd, &err)) return errno;
	if (poll(&wish, 1, 5000) != 1) return STATUS_WRONG;
	return socket_connect_result(wish.fd, &listen_at, NULL) ? STATUS_WRONG : 0;
}

static int listen_anew(void)
{
	struct endpoint any = {{4, {127, 0, 0, 1}}, 0};
	struct error err;
	int fd;

	return socket_listen_tcp(&any, &fd, &err) ? errno : 0;
}

static int packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) < 0 ? errno : 0;
}

static int run_program(void)
{
	execl("/bin/true", "true", NULL);
	return errno;
}

static int trace_parent(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 ? errno : 0;
}

static int become_root(void)
{
	return syscall(SYS_setuid, 0) < 0 ? errno : 0;
}

static int split_off(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0 ? errno : 0;
}

static int signal_parent(void)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static int code_from_data(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED) return STATUS_WRONG;
	if (mprotect(at, 4096, PROT_READ | PROT_EXEC) == 0) return 0;
	int reason = errno;
	at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? reason : 0;
}

static const enum sandbox_profile children[] = {SANDBOX_NETWORK, SANDBOX_CONNECT, SANDBOX_KEEP,
						SANDBOX_READ};

TEST(files_are_where_the_profile_has_them_and_nowhere_else)
{
	static const struct {
		enum sandbox_profile profile;
		int read_inside, write_inside;
	} rows[] = {
		{SANDBOX_NETWORK, EPERM, EPERM},
		{SANDBOX_CONNECT, EPERM, EPERM},
		{SANDBOX_KEEP, 0, 0},
		{SANDBOX_READ, 0, EACCES},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		int refusal = rows[i].read_inside == EPERM ? EPERM : EACCES;
		CHECK(ends_with(confined(rows[i].profile, NULL, read_inside), rows[i].read_inside));
		CHECK(ends_with(confined(rows[i].profile, NULL, write_inside),
				rows[i].write_inside));
		CHECK(ends_with(confined(rows[i].profile, NULL, read_outside), refusal));
		CHECK(ends_with(confined(rows[i].profile, NULL, write_outside), refusal));
	}
}

TEST(only_the_profile_that_connects_has_new_sockets)
{
	for (size_t i = 0; i < ARRAY_COUNT(children); i++) {
		bool connects = children[i] == SANDBOX_CONNECT;
		CHECK(ends_with(confined(children[i], NULL, connect_out), connects ? 0 : EPERM));
		CHECK(ends_with(confined(children[i], NULL, listen_anew), EPERM));
		CHECK(ends_with(confined(children[i], NULL, packet_socket), EPERM));
	}
}

TEST(another_program_identity_or_memory_is_death)
{
	for (size_t i = 0; i < ARRAY_COUNT(children); i++) {
		CHECK(is_killed(confined(children[i], NULL, run_program)));
		CHECK(is_killed(confined(children[i], NULL, trace_parent)));
		CHECK(is_killed(confined(children[i], NULL, become_root)));
	}
	CHECK(is_killed(confined(SANDBOX_SUPERVISE, NULL, trace_parent)));
	CHECK(ends_with(confined(SANDBOX_SUPERVISE, NULL, run_program), 0));
}

TEST(no_new_process_no_signal_outside_no_code_from_data)
{
	for (size_t i = 0; i < ARRAY_COUNT(children); i++) {
		CHECK(ends_with(confined(children[i], NULL, split_off), EPERM));
		CHECK(ends_with(confined(children[i], NULL, signal_parent), EPERM));
		CHECK(ends_with(confined(children[i], NULL, code_from_data), EPERM));
	}
}

static void *add_one(void *count)
{
	++*(int *)count;
	return NULL;
}

/* What every process does all day must go on working. */
static int daily_work(void)
{
	pthread_t thread;
	int count = 0;
	void *memory = malloc(1 << 24);

	if (!memory) return STATUS_WRONG;
	memset(memory, 1, 1 << 24);
	free(memory);
	for (int i = 0; i < 3; i++)
		if (pthread_create(&thread, NULL, add_one, &count) || pthread_join(thread, NULL))
			return STATUS_WRONG;
	thread_pin(1);
	return count == 3 && fcntl(listen_fd, F_DUPFD_CLOEXEC, 0) >= 0 ? 0 : STATUS_WRONG;
}

static int accept_one(void)
{
	struct acceptor acceptor;
	struct endpoint peer, local;
	int fd;

	acceptor_open(&acceptor, listen_fd);
	enum code code = acceptor_take(&acceptor, &fd, &peer, &local);
	return code == OK || code == E_AGAIN ? 0 : STATUS_WRONG;
}

static int shared_memory(void)
{
	int fd, reader;
	struct span map;

	if (memfd_open("test", 4096, &fd, NULL) || memfd_reader(fd, &reader, NULL) ||
	    memfd_write(fd, 0, span_of_text("x"), NULL) || memfd_map(reader, 4096, &map, NULL))
		return STATUS_WRONG;
	return map.ptr[0] == 'x' ? 0 : STATUS_WRONG;
}

static int give_up(void)
{
	close(STDERR_FILENO);
	abort();
}

TEST(daily_work_goes_on_behind_the_walls)
{
	for (size_t i = 0; i < ARRAY_COUNT(children); i++) {
		CHECK(ends_with(confined(children[i], NULL, daily_work), 0));
		int status = confined(children[i], NULL, give_up);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
	CHECK(ends_with(confined(SANDBOX_NETWORK, NULL, accept_one), 0));
	CHECK(ends_with(confined(SANDBOX_KEEP, NULL, shared_memory), 0));
}

/* The user that root becomes in these tests. */
static struct user other;

static int is_other_without_rights(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	FILE *status;
	char line[128];
	unsigned long long bounding = 1;

	if (getuid() != other.uid || geteuid() != other.uid || getgid() != other.gid)
		return STATUS_WRONG;
	if (syscall(SYS_capget, &head, data) < 0) return STATUS_WRONG;
	uint32_t low = data[0].permitted | data[0].effective | data[0].inheritable;
	if ((low & ~(1U << CAP_NET_BIND_SERVICE)) || data[1].permitted) return STATUS_WRONG;
	if (!(status = fopen("/proc/self/status", "r"))) return STATUS_WRONG;
	while (fgets(line, sizeof line, status)) sscanf(line, "CapBnd: %llx", &bounding);
	fclose(status);
	return bounding == 0 ? 0 : STATUS_WRONG;
}

static int bind_low_port(void)
{
	struct endpoint low = {{4, {127, 0, 0, 1}}, 1021};
	int fd;

	return socket_listen_udp(&low, 1, &fd, NULL) ? STATUS_WRONG : 0;
}

TEST(root_becomes_a_user_without_rights)
{
	if (geteuid() != 0) skip();
	CHECK(user_find("nobody", &other, NULL) == OK);
	CHECK(ends_with(confined(SANDBOX_SUPERVISE, &other, is_other_without_rights), 0));
	CHECK(ends_with(confined(SANDBOX_SUPERVISE, &other, bind_low_port), 0));
	CHECK(ends_with(confined(SANDBOX_KEEP, &other, shared_memory), 0));
	CHECK(ends_with(confined(SANDBOX_KEEP, &other, read_inside), EACCES));
}

static int become_third(void)
{
	struct user third = {other.uid - 1, other.gid};
	struct sandbox_plan plan = {SANDBOX_KEEP, &third, NULL, 0};
	struct walls walls;
	struct error err;

	if (sandbox_enter(&plan, &walls, &err) != E_REFUSED) return STATUS_WRONG;
	return strstr(err.text, "only root can become user") ? 0 : STATUS_WRONG;
}

TEST(who_is_not_root_stays_who_he_is)
{
	if (geteuid() != 0) skip();
	CHECK(user_find("nobody", &other, NULL) == OK);
	CHECK(ends_with(confined(SANDBOX_SUPERVISE, &other, become_third), 0));
}

TEST(users_are_found_by_name_and_number)
{
	struct user user;
	struct error err;

	CHECK(user_find("root", &user, NULL) == OK && user.uid == 0);
	CHECK(user_find("0", &user, NULL) == OK && user.uid == 0);
	CHECK(user_find("no-such-user", &user, &err) == E_NOT_FOUND);
	CHECK(strstr(err.text, "\"no-such-user\" does not exist"));
	CHECK(user_find("0x0", &user, NULL) == E_NOT_FOUND);
}

TEST(walls_are_named)
{
	char text[128];
	struct walls walls = {WALL_NO_NEW_PRIVS | WALL_LANDLOCK, 7};

	assert_string_equal(walls_print(&walls, text, sizeof text), "no_new_privs landlock(7)");
	assert_string_equal(walls_missing_print(&walls, SANDBOX_KEEP, text, sizeof text),
			    "capabilities seccomp");
	assert_string_equal(walls_missing_print(&walls, SANDBOX_SUPERVISE, text, sizeof text),
			    "capabilities seccomp");
	walls.standing = 0;
	assert_string_equal(walls_print(&walls, text, sizeof text), "none");
	walls.standing = WALL_NO_NEW_PRIVS | WALL_CAPABILITIES | WALL_LANDLOCK | WALL_SECCOMP;
	assert_string_equal(walls_missing_print(&walls, SANDBOX_KEEP, text, sizeof text), "");
	walls_print(&walls, text, 20);
	CHECK(strlen(text) < 20);
}

static void file_make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	CHECK(fd >= 0);
	close(fd);
}

static int prepare(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/lockstep-sandbox-XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
	snprintf(inside, sizeof inside, "%s/inside", folder);
	snprintf(outside, sizeof outside, "%s.outside", folder);
	file_make(inside);
	file_make(outside);
	listen_at = (struct endpoint){{4, {127, 0, 0, 1}}, 0};
	CHECK(socket_listen_tcp(&listen_at, &listen_fd, NULL) == OK);
	listen_at = socket_local(listen_fd);
	return 0;
}

static int clean_up(void **state)
{
	(void)state;
	close(listen_fd);
	unlink(inside);
	unlink(outside);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_where_the_profile_has_them_and_nowhere_else),
		cmocka_unit_test(only_the_profile_that_connects_has_new_sockets),
		cmocka_unit_test(another_program_identity_or_memory_is_death),
		cmocka_unit_test(no_new_process_no_signal_outside_no_code_from_data),
		cmocka_unit_test(daily_work_goes_on_behind_the_walls),
		cmocka_unit_test(root_becomes_a_user_without_rights),
		cmocka_unit_test(who_is_not_root_stays_who_he_is),
		cmocka_unit_test(users_are_found_by_name_and_number),
		cmocka_unit_test(walls_are_named),
	};
	return cmocka_run_group_tests(tests, prepare, clean_up);
}
