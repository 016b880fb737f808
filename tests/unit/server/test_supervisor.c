/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole server of toy processes: this very program, started again as supervisor and
 * by it as keeper, front and courier. Files in the state folder tell the toys how to
 * misbehave. Each test has a folder, a port and a server of its own.
 */
#include "unit.h"

#include "host/datagram.h"
#include "server/log.h"
#include "server/process.h"
#include "server/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, PAUSE_MS = 10 };

/* --- the toys, which run in processes of their own --- */

struct toy {
	struct process *process;
	struct message_processes states;
	struct timer timer;
	int keeper_ups;
	bool is_ready;
	struct datagrams *datagrams;
	struct watch watch;
};

static bool is_told(const struct toy *toy, const char *what)
{
	char path[PLAN_PATH_TEXT_MAX];

	snprintf(path, sizeof path, "%s/%s", toy->process->state_path, what);
	return access(path, F_OK) == 0;
}

static void keeper_received(void *context, struct channel_message *message)
{
	struct toy *toy = context;
	const struct message_empty body = {.head = {0}};
	char text[256];

	if (message->kind == MESSAGE_PROCESSES)
		memcpy(&toy->states, message->body, sizeof toy->states);
	if (message->kind == MESSAGE_RELOAD &&
	    channel_send(toy->process->peers[PROCESS_SUPERVISOR], MESSAGE_PLAN_AGAIN, &body,
			 span_of(NULL, 0), -1))
		abort();
	if (message->kind != MESSAGE_CONTROL_CLIENT) return;
	const struct process_state *states = toy->states.states;
	int len = snprintf(text, sizeof text, "%d %d %d %u [%s] [%s]\n", states[PROCESS_KEEPER].pid,
			   states[PROCESS_COURIER].pid, states[PROCESS_FRONT].pid,
			   states[PROCESS_FRONT].restart_count, states[PROCESS_FRONT].death,
			   states[PROCESS_FRONT].walls);
	if (write(message->fd, text, (size_t)len) != len) abort();
}

static void roster_send(const struct toy *toy)
{
	const struct message_generation body = {.generation = 1};
	struct channel *front = toy->process->peers[PROCESS_FRONT];

	if (front &&
	    channel_send(front, MESSAGE_ROSTER_END, &body, span_of(NULL, 0), -1) == E_LIMIT)
		abort();
}

/* Does its work as soon as it is not told to be slow. */
static void keeper_tick(void *context, instant_ns now)
{
	struct toy *toy = context;

	(void)now;
	if (is_told(toy, "slow")) {
		timer_set_after(toy->process->loop, &toy->timer, PAUSE_MS * NS_PER_MS);
		return;
	}
	process_ready(toy->process);
	toy->is_ready = true;
	roster_send(toy);
}

static void keeper_front_up(void *context, struct channel *channel)
{
	struct toy *toy = context;

	(void)channel;
	if (toy->is_ready) roster_send(toy);
}

/* Reads the file that it is told of; once it could, it leaves a file "read". */
static void keeper_read(struct toy *toy)
{
	char list[PLAN_PATH_TEXT_MAX], path[128] = "";

	snprintf(list, sizeof list, "%s/include", toy->process->state_path);
	FILE *file = fopen(list, "r");
	if (!file) return;
	if (fscanf(file, "%127s", path) != 1) abort();
	fclose(file);
	int fd = open(path, O_RDONLY);
	if (fd < 0) {
		if (!process_read_also(toy->process, path)) abort();
		return;
	}
	snprintf(list, sizeof list, "%s/read", toy->process->state_path);
	if (open(list, O_WRONLY | O_CREAT, 0600) < 0) abort();
}

static void keeper_stop(void *context)
{
	struct toy *toy = context;

	if (!is_told(toy, "deaf")) process_end(toy->process, PROCESS_EXIT_DONE);
}

static int keeper_main(struct process *process)
{
	struct toy toy = {.process = process, .timer = {.due = keeper_tick, .context = &toy}};
	const struct process_events events = {
		.peers[PROCESS_SUPERVISOR] = {.received = keeper_received},
		.peers[PROCESS_FRONT] = {.up = keeper_front_up},
		.stop = keeper_stop,
		.context = &toy,
	};

	if (is_told(&toy, "refuse")) process_refuse(process, "the toy was told to refuse");
	keeper_read(&toy);
	timer_set(process->loop, &toy.timer, 0);
	return process_run(process, &events);
}

static int courier_main(struct process *process)
{
	const struct process_events events = {.context = NULL};

	return process_run(process, &events);
}

static void front_keeper_up(void *context, struct channel *channel)
{
	struct toy *toy = context;

	(void)channel;
	toy->keeper_ups++;
}

static void front_keeper_received(void *context, struct channel_message *message)
{
	struct toy *toy = context;

	if (message->kind == MESSAGE_ROSTER_END) process_ready(toy->process);
}

/* Answers with who it is; "break" makes it break the rules towards the keeper. */
static void front_ready(void *context, unsigned events)
{
	struct toy *toy = context;
	const struct datagram *list;
	char text[64];
	int len = snprintf(text, sizeof text, "%d %d %u", getpid(), toy->keeper_ups,
			   (unsigned)getuid());

	(void)events;
	size_t count = datagrams_receive(toy->datagrams, &list);
	for (size_t i = 0; i < count; i++) {
		if (list[i].len == 5 && memcmp(list[i].ptr, "break", 5) == 0)
			for (int fd = 3; fd < 64; fd++) send(fd, "nonsense", 8, MSG_DONTWAIT);
		else
			datagrams_reply(toy->datagrams, i, (const uint8_t *)text, (size_t)len);
	}
	datagrams_send(toy->datagrams);
}

static int front_main(struct process *process)
{
	struct toy toy = {.process = process};
	const struct process_events events = {
		.peers[PROCESS_KEEPER] = {.up = front_keeper_up, .received = front_keeper_received},
		.context = &toy,
	};
	static uint8_t octets[DATAGRAMS_MAX][64];
	const struct datagram_room room = {octets[0], sizeof octets[0], sizeof octets[0]};
	struct error err;

	for (size_t i = 0; i < process->listener_count; i++) {
		const struct listener *l = &process->listeners[i];
		if (l->transport != TRANSPORT_UDP || toy.datagrams) continue;
		if (datagrams_new(l->fd, &room, &toy.datagrams, &err))
			process_fail(process, "%s", err.text);
		toy.watch = (struct watch){l->fd, LOOP_READ, front_ready, &toy};
		if (loop_add(process->loop, &toy.watch, &err))
			process_fail(process, "%s", err.text);
	}
	return process_run(process, &events);
}

/* The configuration of a toy server: "PORT STATE CONTROL USER", USER may be "-". */
static enum code toy_read(const char *path, struct plan *plan, int policy_fd)
{
	(void)policy_fd;
	FILE *file = fopen(path, "r");
	unsigned port;

	if (!file || fscanf(file, "%u %4000s %100s %60s", &port, plan->state, plan->control,
			    plan->user) != 4) {
		fprintf(stderr, "%s:1: the toy does not understand this\n", path);
		return E_SYNTAX;
	}
	fclose(file);
	if (strcmp(plan->user, "-") == 0) plan->user[0] = '\0';
	plan->workers = 1;
	plan->listen_count = 1;
	plan->listen[0] = (struct endpoint){{4, {127, 0, 0, 1}}, (uint16_t)port};
	return OK;
}

static const struct process_programs toys = {
	.mains = {[PROCESS_KEEPER] = keeper_main,
		  [PROCESS_COURIER] = courier_main,
		  [PROCESS_FRONT] = front_main},
	.read = toy_read,
};

/* --- a server under test --- */

struct server {
	char folder[64], config[96], control[96], log[96], out[96];
	uint16_t port;
	pid_t pid;
};

static void pause_briefly(void)
{
	static const struct timespec pause = {0, PAUSE_MS * 1000000};

	nanosleep(&pause, NULL);
}

static uint16_t free_port(void)
{
	struct endpoint any = {{4, {127, 0, 0, 1}}, 0};
	int fd;

	CHECK(socket_listen_tcp(&any, &fd, NULL) == OK);
	uint16_t port = socket_local(fd).port;
	close(fd);
	return port;
}

static void file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	CHECK(file != NULL);
	fputs(text, file);
	fclose(file);
}

static void config_write(const struct server *s, uint16_t port, const char *user)
{
	char text[256];

	snprintf(text, sizeof text, "%u %s/state %s %s\n", port, s->folder, s->control, user);
	file_write(s->config, text);
}

static void server_prepare(struct server *s)
{
	*s = (struct server){.port = free_port()};
	snprintf(s->folder, sizeof s->folder, "/tmp/lockstep-toys-XXXXXX");
	CHECK(mkdtemp(s->folder) && chmod(s->folder, 0755) == 0);
	snprintf(s->config, sizeof s->config, "%s/toy.conf", s->folder);
	snprintf(s->control, sizeof s->control, "%s/run/control.sock", s->folder);
	snprintf(s->log, sizeof s->log, "%s/log", s->folder);
	snprintf(s->out, sizeof s->out, "%s/out", s->folder);
	config_write(s, s->port, "-");
}

static void tell(const struct server *s, const char *what, bool on)
{
	char path[128];

	snprintf(path, sizeof path, "%s/state", s->folder);
	CHECK(mkdir(path, 0755) == 0 || errno == EEXIST);
	snprintf(path, sizeof path, "%s/state/%s", s->folder, what);
	if (on)
		file_write(path, "");
	else
		CHECK(unlink(path) == 0);
}

static void server_start(struct server *s)
{
	unlink(s->out);
	unlink(s->log);
	s->pid = fork();
	CHECK(s->pid >= 0);
	if (s->pid > 0) return;
	int out = open(s->out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int log = open(s->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	dup2(out, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close_range(3, ~0U, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody behind */
	execl("/proc/self/exe", "test", "--serve", s->config, (char *)NULL);
	_exit(127);
}

static bool file_says(const char *path, const char *what)
{
	static char text[1 << 18];
	int fd = open(path, O_RDONLY);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;

	if (fd >= 0) close(fd);
	text[len > 0 ? len : 0] = '\0';
	return strstr(text, what) != NULL;
}

/* Shows the server's log when what was waited for did not come. */
static void wait_for_file(const struct server *s, const char *path, const char *what)
{
	for (int i = 0; i < PATIENCE_MS / PAUSE_MS; i++) {
		if (file_says(path, what)) return;
		pause_briefly();
	}
	FILE *log = fopen(s->log, "r");
	char line[1024];
	while (log && fgets(line, sizeof line, log)) fputs(line, stderr);
	fail_msg("%s does not say \"%s\"", path, what);
}

static void wait_ready(const struct server *s)
{
	wait_for_file(s, s->out, "ready\n");
}

/* Its exit status; -1 for a signal. */
static int server_wait(struct server *s)
{
	int status = 0;

	for (int i = 0; i < PATIENCE_MS / PAUSE_MS; i++) {
		if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
			s->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		pause_briefly();
	}
	fail_msg("the server does not end");
	return -1;
}

static void server_clean(struct server *s)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", s->folder);
	CHECK(system(command) == 0);
}

static void server_stop(struct server *s)
{
	CHECK(kill(s->pid, SIGTERM) == 0);
	CHECK(server_wait(s) == 0);
	CHECK(access(s->control, F_OK) < 0);
	server_clean(s);
}

struct front {
	int pid, keeper_ups;
	unsigned uid;
};

/* Asks until it answers. */
static struct front front_ask(uint16_t port, const char *what)
{
	struct endpoint to = {{4, {127, 0, 0, 1}}, port};
	struct front front = {0};
	char text[64] = "";
	size_t done;
	int fd;

	CHECK(socket_connect(TRANSPORT_UDP, &to, NULL, &fd, NULL) == OK);
	for (int i = 0; i < PATIENCE_MS / PAUSE_MS && front.pid == 0; i++) {
		enum code code = socket_send(fd, span_of_text(what), &done);
		(void)code; /* refused while nothing is bound: asked again */
		pause_briefly();
		if (socket_receive(fd, text, sizeof text - 1, &done)) continue;
		text[done] = '\0';
		CHECK(sscanf(text, "%d %d %u", &front.pid, &front.keeper_ups, &front.uid) == 3);
	}
	close(fd);
	CHECK(front.pid > 0);
	return front;
}

/* One request and its answer through the control socket; "" when nobody is there. */
static void control_ask(const struct server *s, const char *request, char answer[static 4096])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%.100s", s->control);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
		send(fd, request, strlen(request), MSG_NOSIGNAL);
		for (ssize_t n; (n = read(fd, answer + len, 4095 - len)) > 0;) len += (size_t)n;
	}
	answer[len] = '\0';
	close(fd);
}

struct pids {
	int keeper, courier, front;
	unsigned front_restarts;
};

/* Asks the keeper, until `front_pid` is the one it knows (0: any). */
static struct pids pids_ask(const struct server *s, int front_pid)
{
	struct pids pids = {0};
	char answer[4096];

	for (int i = 0; i < PATIENCE_MS / PAUSE_MS; i++) {
		control_ask(s, "{}\n", answer);
		if (sscanf(answer, "%d %d %d %u", &pids.keeper, &pids.courier, &pids.front,
			   &pids.front_restarts) == 4 &&
		    (front_pid == 0 || pids.front == front_pid))
			return pids;
		pause_briefly();
	}
	fail_msg("the keeper does not answer");
	return pids;
}

static bool is_gone(int pid)
{
	for (int i = 0; i < PATIENCE_MS / PAUSE_MS; i++) {
		if (kill(pid, 0) < 0 && errno == ESRCH) return true;
		pause_briefly();
	}
	return false;
}

/* --- the claims --- */

TEST(a_front_that_dies_comes_back_and_the_others_do_not_notice)
{
	struct server s;
	char answer[4096];

	server_prepare(&s);
	server_start(&s);
	wait_ready(&s);
	struct front first = front_ask(s.port, "who");
	struct pids before = pids_ask(&s, first.pid);
	CHECK(before.front_restarts == 0);

	CHECK(kill(first.pid, SIGKILL) == 0);
	struct front second = front_ask(s.port, "who");
	CHECK(second.pid != first.pid && second.keeper_ups == 1);
	struct pids after = pids_ask(&s, second.pid);
	CHECK(after.keeper == before.keeper && after.courier == before.courier);
	CHECK(after.front_restarts == 1);
	control_ask(&s, "{}\n", answer);
	CHECK(strstr(answer, "[signal 9 (SIGKILL)]"));
	server_stop(&s);
}

TEST(without_a_keeper_the_front_answers_and_status_says_so)
{
	struct server s;
	char answer[4096];

	server_prepare(&s);
	server_start(&s);
	wait_ready(&s);
	struct front front = front_ask(s.port, "who");
	struct pids before = pids_ask(&s, 0);

	tell(&s, "slow", true);
	CHECK(kill(before.keeper, SIGKILL) == 0);
	CHECK(is_gone(before.keeper));
	wait_for_file(&s, s.log, "process-died");
	control_ask(&s, "{\"command\":\"status\"}\n", answer);
	CHECK(strstr(answer, "{\"result\":{\"version\":") == answer);
	CHECK(strstr(answer, "\"answering\":true") && strstr(answer, "signal 9"));
	CHECK(strstr(answer, "\"exit\":3}\n"));
	control_ask(&s, "{\"command\":\"zone status\"}\n", answer);
	CHECK(strstr(answer, "{\"error\":{\"code\":\"busy\"") == answer);
	CHECK(front_ask(s.port, "who").pid == front.pid);

	tell(&s, "slow", false);
	struct pids after = pids_ask(&s, front.pid);
	CHECK(after.keeper != before.keeper && after.front_restarts == 0);
	CHECK(front_ask(s.port, "who").keeper_ups == 2);
	server_stop(&s);
}

TEST(a_front_that_breaks_the_rules_is_replaced)
{
	struct server s;

	server_prepare(&s);
	server_start(&s);
	wait_ready(&s);
	struct front first = front_ask(s.port, "who");
	struct endpoint to = {{4, {127, 0, 0, 1}}, s.port};
	size_t done;
	int fd;

	CHECK(socket_connect(TRANSPORT_UDP, &to, NULL, &fd, NULL) == OK);
	CHECK(socket_send(fd, span_of_text("break"), &done) == OK);
	close(fd);
	CHECK(is_gone(first.pid));
	CHECK(front_ask(s.port, "who").pid != first.pid);
	CHECK(file_says(s.log, "process-broke"));
	server_stop(&s);
}

TEST(sigterm_ends_every_process)
{
	struct server s;

	server_prepare(&s);
	server_start(&s);
	wait_ready(&s);
	struct pids pids = pids_ask(&s, 0);
	server_stop(&s);
	CHECK(is_gone(pids.keeper) && is_gone(pids.front) && is_gone(pids.courier));
}

TEST(a_deaf_process_is_killed_when_the_end_is_asked_for_twice)
{
	struct server s;

	server_prepare(&s);
	server_start(&s);
	wait_ready(&s);
	tell(&s, "deaf", true);
	struct pids pids = pids_ask(&s, 0);
	CHECK(kill(s.pid, SIGTERM) == 0);
	CHECK(is_gone(pids.front) && kill(pids.keeper, 0) == 0);
	CHECK(kill(s.pid, SIGINT) == 0);
	CHECK(server_wait(&s) == 0 && is_gone(pids.keeper));
	CHECK(file_says(s.log, "process-killed"));
	server_clean(&s);
}

TEST(nobody_outlives_the_supervisor)
{
	struct server s;

	server_prepare(&s);
	server_start(&s);
	wait_ready(&s);
	struct pids pids = pids_ask(&s, 0);
	CHECK(kill(s.pid, SIGKILL) == 0);
	CHECK(server_wait(&s) == -1);
	CHECK(is_gone(pids.keeper) && is_gone(pids.front) && is_gone(pids.courier));
	/* The socket it left behind does not stand in the way of the next. */
	CHECK(access(s.control, F_OK) == 0);
	server_start(&s);
	wait_ready(&s);
	server_stop(&s);
}

TEST(a_reload_serves_another_address)
{
	struct server s;
	uint16_t other = free_port();

	server_prepare(&s);
	server_start(&s);
	wait_ready(&s);
	struct front first = front_ask(s.port, "who");
	config_write(&s, other, "-");
	CHECK(kill(s.pid, SIGHUP) == 0);
	struct front second = front_ask(other, "who");
	CHECK(second.pid != first.pid);
	struct endpoint old = {{4, {127, 0, 0, 1}}, s.port};
	int fd;
	CHECK(socket_listen_tcp(&old, &fd, NULL) == OK);
	close(fd);
	file_write(s.config, "nonsense");
	CHECK(kill(s.pid, SIGHUP) == 0);
	wait_for_file(&s, s.log, "plan-refused");
	CHECK(front_ask(other, "who").pid == second.pid);
	server_stop(&s);
}

TEST(the_keeper_comes_back_with_a_wider_wall_when_it_needs_one)
{
	struct server s;
	char path[128];

	server_prepare(&s);
	tell(&s, "include", true);
	snprintf(path, sizeof path, "%s/state/include", s.folder);
	file_write(path, s.config);
	server_start(&s);
	snprintf(path, sizeof path, "%s/state/read", s.folder);
	for (int i = 0; i < PATIENCE_MS / PAUSE_MS && access(path, F_OK) < 0; i++) pause_briefly();
	CHECK(access(path, F_OK) == 0);
	wait_ready(&s);
	CHECK(file_says(s.log, "read-also"));
	CHECK(!file_says(s.log, "process-died"));
	server_stop(&s);
}

TEST(a_taken_port_ends_the_start_and_names_the_holder)
{
	struct server s;
	struct endpoint at = {{4, {127, 0, 0, 1}}, 0};
	char expected[128];
	int fd;

	server_prepare(&s);
	at.port = s.port;
	CHECK(socket_listen_udp(&at, 1, &fd, NULL) == OK);
	server_start(&s);
	CHECK(server_wait(&s) == 1);
	snprintf(expected, sizeof expected, "127.0.0.1@%u (UDP) is taken by ", s.port);
	CHECK(file_says(s.log, expected));
	snprintf(expected, sizeof expected, "(pid %d)", getpid());
	CHECK(file_says(s.log, expected) && !file_says(s.out, "ready"));
	CHECK(access(s.control, F_OK) < 0);
	close(fd);
	server_clean(&s);
}

TEST(what_can_never_start_ends_the_server)
{
	struct server s;

	server_prepare(&s);
	tell(&s, "refuse", true);
	server_start(&s);
	CHECK(server_wait(&s) == 1);
	CHECK(file_says(s.log, "process-refused keeper: ") && !file_says(s.out, "ready"));

	file_write(s.config, "nonsense");
	server_start(&s);
	CHECK(server_wait(&s) == 1);
	CHECK(file_says(s.log, "toy.conf:1: the toy does not understand this"));
	server_clean(&s);
}

TEST(two_servers_do_not_share_a_control_socket)
{
	struct server s, second;

	server_prepare(&s);
	server_prepare(&second);
	server_start(&s);
	wait_ready(&s);
	memcpy(second.control, s.control, sizeof s.control);
	config_write(&second, second.port, "-");
	server_start(&second);
	CHECK(server_wait(&second) == 1);
	CHECK(file_says(second.log, "another server answers at "));
	CHECK(pids_ask(&s, 0).keeper > 0);
	server_clean(&second);
	server_stop(&s);
}

TEST(root_becomes_the_user_and_goes_on_as_him)
{
	struct server s;
	struct stat status;

	if (geteuid() != 0) skip();
	server_prepare(&s);
	config_write(&s, s.port, "nobody");
	server_start(&s);
	wait_ready(&s);
	struct front first = front_ask(s.port, "who");
	CHECK(first.uid == 65534);
	CHECK(stat(s.control, &status) == 0 && status.st_uid == 65534);
	CHECK((status.st_mode & 0777) == 0660);
	CHECK(kill(first.pid, SIGKILL) == 0);
	struct front second = front_ask(s.port, "who");
	CHECK(second.pid != first.pid && second.uid == 65534);
	server_stop(&s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_front_that_dies_comes_back_and_the_others_do_not_notice),
		cmocka_unit_test(without_a_keeper_the_front_answers_and_status_says_so),
		cmocka_unit_test(a_front_that_breaks_the_rules_is_replaced),
		cmocka_unit_test(sigterm_ends_every_process),
		cmocka_unit_test(a_deaf_process_is_killed_when_the_end_is_asked_for_twice),
		cmocka_unit_test(nobody_outlives_the_supervisor),
		cmocka_unit_test(a_reload_serves_another_address),
		cmocka_unit_test(the_keeper_comes_back_with_a_wider_wall_when_it_needs_one),
		cmocka_unit_test(a_taken_port_ends_the_start_and_names_the_holder),
		cmocka_unit_test(what_can_never_start_ends_the_server),
		cmocka_unit_test(two_servers_do_not_share_a_control_socket),
		cmocka_unit_test(root_becomes_the_user_and_goes_on_as_him),
	};

	if (process_is_meant(argc, argv)) process_main(&toys, argc, argv);
	if (argc == 3 && strcmp(argv[1], "--serve") == 0) supervisor_main(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
