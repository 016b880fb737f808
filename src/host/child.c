/* SPDX-License-Identifier: Apache-2.0 */
#include "host/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_STARTED = 127 };

/* Signals for the whole group (Ctrl-C) or service (systemd) reach the parent, who tells us. */
static void signals_reset(void)
{
	static const int polite[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
	for (size_t i = 0; i < ARRAY_COUNT(polite); i++) signal(polite[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* First out of the way of each other, then to their places. */
static bool descriptors_place(const struct child_plan *plan)
{
	int moved[CHILD_FDS_MAX];
	int above = CHILD_FD_FIRST + (int)plan->descriptor_count;
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0) return false;
	for (size_t i = 0; i < plan->descriptor_count; i++) {
		moved[i] = fcntl(plan->descriptors[i], F_DUPFD, above);
		if (moved[i] < 0) return false;
	}
	for (size_t i = 0; i < plan->descriptor_count; i++)
		if (dup2(moved[i], CHILD_FD_FIRST + (int)i) < 0) return false;
	return close_range((unsigned)above, ~0U, 0) == 0;
}

static _Noreturn void child_run(const struct child_plan *plan, pid_t parent)
{
	signals_reset();
	/* The parent may be gone already, and then no signal would come. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
	    descriptors_place(plan) && unsetenv("NOTIFY_SOCKET") == 0)
		execv("/proc/self/exe", (char *const *)(uintptr_t)plan->arguments);
	_exit(EXIT_NOT_STARTED);
}

enum code child_start(const struct child_plan *plan, struct child *child, struct error *err)
{
	pid_t parent = getpid();
	sigset_t all, before;

	assert(plan->descriptor_count <= CHILD_FDS_MAX);
	/* None may reach the child before it ignores them, nor run a handler of ours in it. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0) child_run(plan, parent);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0) return error_set(err, E_LIMIT, "cannot start a process: %s", strerror(errno));

	int pid_fd = pidfd_open(pid, 0);
	if (pid_fd < 0) {
		enum code code = error_set(err, E_IO, "cannot watch process %d: %s", (int)pid,
					   strerror(errno));
		kill(pid, SIGKILL); /* not reaped yet, so the number still is its own */
		waitpid(pid, NULL, 0);
		return code;
	}
	fcntl(pid_fd, F_SETFD, FD_CLOEXEC);
	*child = (struct child){pid, pid_fd};
	return OK;
}

enum code child_reap(struct child *child, struct child_end *end)
{
	siginfo_t info = {.si_pid = 0};

	if (waitid(P_PIDFD, (id_t)child->pid_fd, &info, WEXITED | WNOHANG) < 0) {
		assert(errno == EINTR);
		return E_AGAIN;
	}
	if (info.si_pid == 0) return E_AGAIN;
	*end = (struct child_end){info.si_code != CLD_EXITED, info.si_status};
	close(child->pid_fd);
	*child = (struct child){0, -1};
	return OK;
}

void child_signal(const struct child *child, int signal_number)
{
	pidfd_send_signal(child->pid_fd, signal_number, NULL, 0);
}
