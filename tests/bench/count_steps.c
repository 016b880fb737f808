/* SPDX-License-Identifier: Apache-2.0 */
/*
 * count_steps - the user instructions that processes carry out while a command runs.
 *
 *   count_steps PID... -- COMMAND [ARGUMENT]...
 *
 * Goes through all threads of the processes instruction by instruction (ptrace), so it
 * counts what really ran: no simulated processor, and a process in a sandbox as any other.
 * A system call is one instruction. They run some thousand times slower meanwhile. The
 * command keeps its stdout; the last line is "steps N".
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS_MAX = 1024, PATH_TEXT_MAX = 64 };

static pid_t threads[THREADS_MAX];
static size_t thread_count;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "count_steps: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void thread_seize(pid_t thread)
{
	if (thread_count == THREADS_MAX) die("too many threads");
	if (ptrace(PTRACE_SEIZE, thread, NULL, (void *)(uintptr_t)PTRACE_O_TRACECLONE) < 0 ||
	    ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) < 0)
		die("a thread cannot be traced (root may)");
	threads[thread_count++] = thread;
}

static void process_seize(const char *text)
{
	char path[PATH_TEXT_MAX];

	snprintf(path, sizeof path, "/proc/%.20s/task", text);
	DIR *folder = opendir(path);
	if (!folder) die(path);
	for (const struct dirent *entry; (entry = readdir(folder));)
		if (entry->d_name[0] != '.') thread_seize((pid_t)atoi(entry->d_name));
	closedir(folder);
}

static pid_t command_start(char **arguments)
{
	pid_t pid = fork();

	if (pid < 0) die("no process");
	if (pid > 0) return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(arguments[0], arguments);
	_exit(127);
}

/* One stop of one thread: counts it if it was a step, and lets the thread take the next. */
static uint64_t stop_handle(pid_t thread, int status)
{
	int signal_number = WSTOPSIG(status);
	bool is_step = signal_number == SIGTRAP && status >> 16 == 0;
	bool is_event = status >> 16 != 0;

	ptrace(PTRACE_SINGLESTEP, thread, NULL,
	       (void *)(uintptr_t)(is_step || is_event ? 0 : signal_number));
	return is_step;
}

/* The end of a system call may have left a trap behind, which would kill it once it is free. */
static bool trap_is_pending(pid_t thread)
{
	char path[PATH_TEXT_MAX], line[PATH_TEXT_MAX];
	unsigned long long pending = 0;

	snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "SigPnd: %llx", &pending) == 1) break;
	if (file) fclose(file);
	return pending >> (SIGTRAP - 1) & 1;
}

/* A thread has to stand still before it can be let go. */
static void threads_release(void)
{
	for (size_t i = 0; i < thread_count; i++) {
		int status;
		if (ptrace(PTRACE_INTERRUPT, threads[i], NULL, NULL) < 0) continue;
		if (waitpid(threads[i], &status, __WALL) < 0 || !WIFSTOPPED(status)) continue;
		if (trap_is_pending(threads[i])) {
			ptrace(PTRACE_CONT, threads[i], NULL, NULL);
			if (waitpid(threads[i], &status, __WALL) < 0) continue;
		}
		ptrace(PTRACE_DETACH, threads[i], NULL, NULL);
	}
}

int main(int argc, char **argv)
{
	uint64_t steps = 0;
	int status, at = 1;

	for (; at < argc && strcmp(argv[at], "--") != 0; at++) process_seize(argv[at]);
	if (at == 1 || at + 1 >= argc) {
		fputs("usage: count_steps PID... -- COMMAND [ARGUMENT]...\n", stderr);
		return 2;
	}
	pid_t command = command_start(argv + at + 1);
	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0) die("nothing to wait for");
		if (pid == command && !WIFSTOPPED(status)) break;
		if (WIFSTOPPED(status)) steps += stop_handle(pid, status);
	}
	threads_release();
	printf("steps %llu\n", (unsigned long long)steps);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
