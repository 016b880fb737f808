/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "host/datagram.h"
#include "host/interfaces.h"
#include "host/memfd.h"
#include "host/port_holder.h"
#include "host/sockaddr.h"
#include "host/socket.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static struct endpoint at(const char *text)
{
	struct endpoint endpoint;

	CHECK(endpoint_parse(span_of_text(text), 0, &endpoint));
	return endpoint;
}

static void wait_for(int fd, short events)
{
	struct pollfd wish = {fd, events, 0};

	CHECK(poll(&wish, 1, 5000) == 1);
}

/* Both families, or only IPv4 where the host has no IPv6. */
static bool has_ipv6(void)
{
	struct endpoint loopback = at("::1");
	int fd;

	if (socket_listen_udp(&loopback, 1, &fd, NULL)) return false;
	close(fd);
	return true;
}

/* Asks `asked` on a server bound to `bound`; the answer must come from there. */
static void ask_and_answer(const char *bound, const char *asked)
{
	struct endpoint where = at(bound), to = at(asked);
	static uint8_t octets[DATAGRAMS_MAX][32];
	static const uint8_t reply[1 << 17] = "reply";
	const struct datagram_room room = {octets[0], sizeof octets[0], sizeof octets[0]};
	const struct datagram *list;
	struct datagrams *server, *client;
	int server_fd, client_fd;

	CHECK(socket_listen_udp(&where, 1, &server_fd, NULL) == OK);
	to.port = socket_local(server_fd).port;
	CHECK(socket_connect(TRANSPORT_UDP, &to, NULL, &client_fd, NULL) == OK);
	CHECK(datagrams_new(server_fd, &room, &server, NULL) == OK);
	CHECK(datagrams_new(client_fd, &room, &client, NULL) == OK);

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++) CHECK(send(client_fd, "ask", 3, 0) == 3);
		CHECK(send(client_fd, reply, 40, 0) == 40);
		wait_for(server_fd, POLLIN);
		CHECK(datagrams_receive(server, &list) == 4);
		for (size_t i = 0; i < 4; i++) {
			struct endpoint local = datagrams_local(server, i);
			struct endpoint peer = datagrams_peer(server, i);
			CHECK(list[i].was_cut == (i == 3) && list[i].len == (i == 3 ? 32 : 3));
			CHECK(endpoint_equal(&local, &to));
			CHECK(peer.port == socket_local(client_fd).port);
			/* One that no datagram can hold is skipped, the others are sent. */
			datagrams_reply(server, i, reply, i == 1 ? sizeof reply : 5);
		}
		CHECK(datagrams_send(server) == 1);
		wait_for(client_fd, POLLIN);
		CHECK(datagrams_receive(client, &list) == 3);
		CHECK(list[0].len == 5 && memcmp(list[0].ptr, "reply", 5) == 0);
		CHECK(datagrams_receive(client, &list) == 0);
	}

	datagrams_free(server);
	datagrams_free(client);
	close(server_fd);
	close(client_fd);
}

TEST(answers_leave_from_the_address_that_was_asked)
{
	ask_and_answer("127.0.0.1", "127.0.0.1@1");
	ask_and_answer("0.0.0.0", "127.0.0.7@1");
	if (has_ipv6()) {
		ask_and_answer("::1", "::1@1");
		ask_and_answer("::", "::1@1");
	}
}

TEST(a_taken_port_names_its_holder)
{
	char expected[128];
	struct error err;
	struct endpoint where = at("127.0.0.1"), wildcard = at("0.0.0.0");
	int fds[2], tcp, other;
	FILE *comm = fopen("/proc/self/comm", "r");
	char name[32] = "";

	CHECK(comm && fgets(name, sizeof name, comm));
	name[strcspn(name, "\n")] = '\0';
	fclose(comm);
	CHECK(socket_listen_udp(&where, 2, fds, NULL) == OK);
	wildcard.port = where.port = socket_local(fds[0]).port;
	CHECK(socket_local(fds[1]).port == where.port);
	CHECK(socket_listen_udp(&where, 1, &other, &err) == E_EXISTS);
	snprintf(expected, sizeof expected, "127.0.0.1@%d (UDP) is taken by %s (pid %d)",
		 where.port, name, getpid());
	assert_string_equal(err.text, expected);
	CHECK(socket_listen_udp(&wildcard, 1, &other, &err) == E_EXISTS);
	snprintf(expected, sizeof expected, "%s (pid %d)", name, getpid());
	CHECK(strstr(err.text, expected));

	CHECK(socket_listen_tcp(&where, &tcp, NULL) == OK);
	CHECK(socket_listen_tcp(&where, &other, &err) == E_EXISTS);
	CHECK(strstr(err.text, "(TCP) is taken by") && strstr(err.text, expected));
	close(tcp);
	close(fds[0]);
	close(fds[1]);
}

TEST(an_address_of_somebody_else_is_refused)
{
	struct endpoint foreign = at("192.0.2.1");
	struct error err;
	int fd;

	CHECK(socket_listen_tcp(&foreign, &fd, &err) == E_NOT_FOUND);
	CHECK(strstr(err.text, "this host has no address 192.0.2.1"));
}

TEST(a_connection_is_made_from_the_source_that_was_asked_for)
{
	struct endpoint where = at("127.0.0.1"), source = at("127.0.0.9"), peer, local;
	struct acceptor acceptor;
	int listen_fd, client, fd;
	size_t done;
	char bytes[8];

	CHECK(socket_listen_tcp(&where, &listen_fd, NULL) == OK);
	acceptor_open(&acceptor, listen_fd);
	CHECK(acceptor_take(&acceptor, &fd, &peer, &local) == E_AGAIN);
	where.port = socket_local(listen_fd).port;
	CHECK(socket_connect(TRANSPORT_TCP, &where, &source, &client, NULL) == OK);
	wait_for(client, POLLOUT);
	CHECK(socket_connect_result(client, &where, NULL) == OK);
	wait_for(listen_fd, POLLIN);
	CHECK(acceptor_take(&acceptor, &fd, &peer, &local) == OK);
	CHECK(address_equal(&peer.address, &source.address) && endpoint_equal(&local, &where));
	CHECK(socket_receive(fd, bytes, sizeof bytes, &done) == E_AGAIN);
	CHECK(socket_send(client, span_of_text("hello"), &done) == OK && done == 5);
	wait_for(fd, POLLIN);
	CHECK(socket_receive(fd, bytes, sizeof bytes, &done) == OK && done == 5);
	close(client);
	wait_for(fd, POLLIN);
	CHECK(socket_receive(fd, bytes, sizeof bytes, &done) == OK && done == 0);
	close(fd);
	acceptor_close(&acceptor);
	close(listen_fd);
}

TEST(a_refused_connection_says_why)
{
	struct endpoint where = at("127.0.0.1");
	struct error err;
	int fd;

	CHECK(socket_listen_tcp(&where, &fd, NULL) == OK);
	where.port = socket_local(fd).port;
	close(fd);
	enum code code = socket_connect(TRANSPORT_TCP, &where, NULL, &fd, &err);
	if (code == OK) {
		wait_for(fd, POLLOUT);
		code = socket_connect_result(fd, &where, &err);
		close(fd);
	}
	CHECK(code == E_IO && strstr(err.text, "Connection refused"));
}

/* reliability.md D3: without descriptors the queue still moves, and nothing spins. */
TEST(without_descriptors_the_queue_still_moves)
{
	struct endpoint where = at("127.0.0.1"), peer, local;
	struct acceptor acceptor;
	struct rlimit before, tight;
	int listen_fd, clients[2], fd, filler[64];
	size_t fillers = 0;

	CHECK(socket_listen_tcp(&where, &listen_fd, NULL) == OK);
	acceptor_open(&acceptor, listen_fd);
	where.port = socket_local(listen_fd).port;
	for (int i = 0; i < 2; i++) {
		CHECK(socket_connect(TRANSPORT_TCP, &where, NULL, &clients[i], NULL) == OK);
		wait_for(clients[i], POLLOUT);
	}
	wait_for(listen_fd, POLLIN);
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	tight = before;
	tight.rlim_cur = (rlim_t)clients[1] + 8;
	CHECK(setrlimit(RLIMIT_NOFILE, &tight) == 0);
	while (fillers < 64 && (filler[fillers] = dup(listen_fd)) >= 0) fillers++;

	CHECK(acceptor_take(&acceptor, &fd, &peer, &local) == E_LIMIT);
	CHECK(acceptor_refuse(&acceptor));
	CHECK(acceptor.reserve_fd >= 0);
	CHECK(acceptor_take(&acceptor, &fd, &peer, &local) == E_LIMIT);
	close(filler[--fillers]);
	CHECK(acceptor_take(&acceptor, &fd, &peer, &local) == OK);
	close(fd);
	CHECK(acceptor_take(&acceptor, &fd, &peer, &local) == E_AGAIN);

	while (fillers > 0) close(filler[--fillers]);
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	acceptor_close(&acceptor);
	close(clients[0]);
	close(clients[1]);
	close(listen_fd);
}

TEST(the_host_has_a_loopback_and_no_link_local)
{
	static struct host_address list[HOST_ADDRESSES_MAX];
	size_t count, one;
	bool loopback = false;

	CHECK(interfaces_list(list, HOST_ADDRESSES_MAX, &count, NULL) == OK && count >= 1);
	for (size_t i = 0; i < count; i++) {
		loopback = loopback || (list[i].is_loopback && list[i].address.octets[0] == 127);
		CHECK(!address_is_link_local(&list[i].address) && list[i].interface[0]);
	}
	CHECK(loopback);
	if (count > 1) CHECK(interfaces_list(list, 1, &one, NULL) == E_LIMIT && one == 1);
}

TEST(readers_of_a_memfd_see_what_is_written_and_cannot_write)
{
	struct span map;
	int fd, reader;

	CHECK(memfd_open("test", 10000, &fd, NULL) == OK);
	CHECK(memfd_reader(fd, &reader, NULL) == OK);
	CHECK(memfd_map(reader, 10001, &map, NULL) == E_DAMAGED);
	CHECK(memfd_map(reader, 10000, &map, NULL) == OK && map.len == 10000);
	CHECK(memfd_write(fd, 9995, span_of_text("zones"), NULL) == OK);
	CHECK(memcmp(map.ptr + 9995, "zones", 5) == 0);
	CHECK(memfd_write(fd, 9996, span_of_text("zones"), NULL) == E_RANGE);
	CHECK(memfd_write(fd, UINT64_MAX - 1, span_of_text("zones"), NULL) == E_RANGE);
	CHECK(memfd_write(reader, 0, span_of_text("zones"), NULL) == E_IO);
	CHECK(mmap(NULL, 10000, PROT_WRITE, MAP_SHARED, reader, 0) == MAP_FAILED);
	CHECK(ftruncate(fd, 1) < 0 && ftruncate(fd, 20000) < 0);
	close(fd);
	close(reader);
	CHECK(memcmp(map.ptr + 9995, "zones", 5) == 0);
	memfd_unmap(map);
}

TEST(memory_that_may_shrink_is_not_mapped)
{
	struct span map;
	int fd = memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
	CHECK(memfd_map(fd, 4096, &map, NULL) == E_DAMAGED);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_leave_from_the_address_that_was_asked),
		cmocka_unit_test(a_taken_port_names_its_holder),
		cmocka_unit_test(an_address_of_somebody_else_is_refused),
		cmocka_unit_test(a_connection_is_made_from_the_source_that_was_asked_for),
		cmocka_unit_test(a_refused_connection_says_why),
		cmocka_unit_test(without_descriptors_the_queue_still_moves),
		cmocka_unit_test(the_host_has_a_loopback_and_no_link_local),
		cmocka_unit_test(readers_of_a_memfd_see_what_is_written_and_cannot_write),
		cmocka_unit_test(memory_that_may_shrink_is_not_mapped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
