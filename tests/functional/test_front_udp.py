# SPDX-License-Identifier: Apache-2.0
"""Sockets and threads of the front: who answers, from which address, on which processor."""
import ctypes
import os
import pathlib
import subprocess

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from conftest import ZONE
from harness import PATIENCE, free_port, wait_until

NAME = "example.org"
CLONE_NEWNET = 0x40000000
ADDRESSES = ["192.0.2.10", "192.0.2.11", "2001:db8::10", "2001:db8::11"]

libc = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def network():
    """A network of its own, with two addresses of each family; what is started is in it."""
    before = os.open("/proc/self/ns/net", os.O_RDONLY)
    if libc.unshare(CLONE_NEWNET):
        os.close(before)
        pytest.skip("no network namespace without privileges")
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for address in ADDRESSES:
            bits = 128 if ":" in address else 32
            more = ["nodad"] if ":" in address else []
            subprocess.run(["ip", "address", "add", f"{address}/{bits}", "dev", "lo", *more],
                           check=True)
        yield
    finally:
        libc.setns(before, CLONE_NEWNET)
        os.close(before)


@pytest.fixture
def serve(servers, tmp_path):
    def make(**server):
        path = tmp_path / "example.org.zone"
        path.write_text(ZONE)
        return servers({"server": server, "zones": [{"name": NAME, "role": "primary",
                                                      "file": str(path), "secondaries": []}]})

    return make


def ask(server, address, source, rdtype="A", **more):
    """Over UDP; fails where the answer comes from another address than was asked."""
    query = dns.message.make_query(f"www.{NAME}", rdtype, **more)
    return dns.query.udp(query, address, timeout=PATIENCE, port=server.port, source=source)


def pinned_threads(server):
    """The one processor of each thread of the front that may only run there."""
    tasks = pathlib.Path(f"/proc/{server.processes()['front']}/task")
    allowed = []
    for status in tasks.glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("Cpus_allowed_list:"):
                allowed.append(line.split()[1])
    return sorted(int(text) for text in allowed if text.isdigit())


@pytest.mark.parametrize("listen", [["0.0.0.0", "::"], ADDRESSES])
def test_an_answer_leaves_from_the_address_that_was_asked(network, serve, listen):
    server = serve()
    server.configure({"server": {"listen": [f"{a}@{server.port}" for a in listen], "workers": 2},
                      "zones": [{"name": NAME, "role": "primary", "secondaries": [],
                                 "file": str(server.folder.parent / "example.org.zone")}]})
    server.start().wait_good()
    for source, asked in [ADDRESSES[0:2], ADDRESSES[1::-1], ADDRESSES[2:4], ADDRESSES[:1:-1]]:
        for _ in range(8):  # from a new port each time, so that each worker gets some
            reply = ask(server, asked, source)
            assert reply.answer and reply.flags & dns.flags.AA
            # One that the general builder answers.
            assert ask(server, asked, source, "ANY").rcode() == dns.rcode.NOERROR
    query = dns.message.make_query(f"www.{NAME}", "A")
    for address in ADDRESSES:
        assert dns.query.tcp(query, address, timeout=PATIENCE, port=server.port).answer


def test_each_worker_has_a_socket_of_its_own_on_the_same_port(network, serve):
    server = serve(workers=2)
    server.configure({"server": {"workers": 2}, "zones": []})
    server.start()
    local = f"0100007F:{server.port:04X}"
    sockets = [line.split() for line in pathlib.Path("/proc/net/udp").read_text().splitlines()]
    assert [fields[1] for fields in sockets].count(local) == 2
    for _ in range(64):
        query = dns.message.make_query("elsewhere.test", "A")
        reply = dns.query.udp(query, "127.0.0.1", timeout=PATIENCE, port=server.port)
        assert reply.rcode() == dns.rcode.REFUSED


def test_workers_are_pinned_to_processors_that_the_server_was_given(serve):
    ours = os.sched_getaffinity(0)
    last = max(ours)
    server = serve(workers=2)
    server.start()
    wait_until(lambda: len(pinned_threads(server)) == 2, what="two pinned threads")
    assert len(set(pinned_threads(server))) == min(2, len(ours))
    server.stop()
    try:
        os.sched_setaffinity(0, {last})
        server.start()
    finally:
        os.sched_setaffinity(0, ours)
    wait_until(lambda: len(pinned_threads(server)) >= 2, what="pinned threads")
    assert set(pinned_threads(server)) == {last}


def test_what_is_counted_is_what_was_asked(serve):
    """The fast path sums per batch what the general builder counts one by one."""
    server = serve().start()
    server.wait_serial(NAME, 1)
    before = server.json("stats")
    for rdtype, name, tcp in [("A", f"www.{NAME}", False), ("A", f"no.{NAME}", False),
                              ("ANY", f"www.{NAME}", False), ("A", f"www.{NAME}", True),
                              ("A", f"no.{NAME}", True), ("A", "elsewhere.test", False)]:
        server.ask(name, rdtype, tcp=tcp)

    def counted(metric):
        return server.json("stats")[metric] - before[metric]

    wait_until(lambda: counted("queries-tcp") == 2, what="two requests over TCP")
    assert counted("queries-udp") == 4
    assert counted("replies-noerror") == 3
    assert counted("replies-nxdomain") == 2
    assert counted("replies-refused") == 1
