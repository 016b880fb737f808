# SPDX-License-Identifier: Apache-2.0
"""What clients of TCP do to a server that trusts them.

D1 idle and slow connections fill the places, D2 a client asks and never reads, D3 descriptors
run out, D4 connections that ended stay open here.
"""
import contextlib
import os
import pathlib
import resource
import socket
import struct
import time

import dns.message
import pytest

from conftest import ZONE
from harness import PATIENCE, wait_until

CONNECTIONS = 64          # that the server may have in D1
STRANGERS = 400           # that come in D1 and D3
DESCRIPTORS = 128         # that the server may have in D3
CANARIES = 100
BIG = 200                 # TXT records of 255 octets at big.example.org
SOCKET_OCTETS = 4096      # what the kernel keeps for a client that does not read
QUESTIONS_MAX = 100000    # in D2: 5 MB; the server stops reading long before
PACE_SECONDS = 10         # in which a client must take something


@pytest.fixture
def server(servers, tmp_path, request):
    limits = getattr(request, "param", {})
    zone = tmp_path / "example.org.zone"
    zone.write_text(ZONE + "".join(f'big IN TXT "{n:03}{"x" * 250}"\n' for n in range(BIG)))
    made = servers({"limits": limits, "zones": [
        {"name": "example.org", "role": "primary", "file": str(zone), "secondaries": []}]})
    return made


def connect(server, source="127.0.0.1"):
    stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    stream.settimeout(PATIENCE)
    for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        stream.setsockopt(socket.SOL_SOCKET, buffer, SOCKET_OCTETS)
    stream.bind((source, 0))
    stream.connect(("127.0.0.1", server.port))
    return stream


def framed(name, rdtype):
    wire = dns.message.make_query(name, rdtype).to_wire()
    return struct.pack("!H", len(wire)) + wire


def canaries_answered(server):
    """Of a hundred questions, each on a connection of its own, all get their answer."""
    answered = 0
    for _ in range(CANARIES):
        with connect(server, "127.0.0.99") as stream:
            stream.sendall(framed("www.example.org", "A"))
            head = stream.recv(2, socket.MSG_WAITALL)
            answered += len(head) == 2 and len(stream.recv(struct.unpack("!H", head)[0],
                                                           socket.MSG_WAITALL)) > 12
    return answered


def front(server):
    return server.processes()["front"]


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def strangers(server, octets, count=STRANGERS):
    """Connections from many addresses that send these octets and then nothing."""
    with contextlib.ExitStack() as stack:
        streams = []
        for n in range(count):
            stream = stack.enter_context(connect(server, f"127.0.1.{1 + n % 250}"))
            with contextlib.suppress(OSError):
                stream.sendall(octets)
            streams.append(stream)
        yield streams


@pytest.mark.parametrize("server", [{"tcp-connections": CONNECTIONS}], indirect=True)
@pytest.mark.parametrize("octets", [b"", b"\x00", framed("www.example.org", "A")[:-1]],
                         ids=["idle", "one octet", "all but one octet"])
def test_d1_idle_and_slow_clients_keep_nobody_out(server, octets):
    server.start()
    with strangers(server, octets):
        assert canaries_answered(server) == CANARIES
        wait_until(lambda: descriptors(front(server)) < CONNECTIONS + 40,
                   what="the cap on connections holds")


def test_d2_a_client_that_never_reads_is_put_out(server):
    server.start()
    baseline = descriptors(front(server))
    with connect(server) as stream:
        stream.settimeout(1)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < QUESTIONS_MAX:
                stream.sendall(framed("big.example.org", "TXT"))
                sent += 1
        assert sent < QUESTIONS_MAX, "the server reads on although its answers are not taken"
        assert canaries_answered(server) == CANARIES
        wait_until(lambda: descriptors(front(server)) <= baseline, 2 * PACE_SECONDS + PATIENCE,
                   "the connection is closed")


def test_d3_without_descriptors_the_idlest_makes_room(server):
    few = (DESCRIPTORS, DESCRIPTORS)
    server.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few))
    with strangers(server, b""):
        assert descriptors(front(server)) <= DESCRIPTORS
        assert canaries_answered(server) == CANARIES
        started, spent = time.monotonic(), cpu_seconds(front(server))
        time.sleep(2)
        # Whoever spins takes all of it.
        assert cpu_seconds(front(server)) - spent < 0.5 * (time.monotonic() - started)


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_d4_no_descriptor_is_left_behind(server, how):
    server.start()
    baseline = descriptors(front(server))
    with strangers(server, framed("www.example.org", "A"), 100) as streams:
        wait_until(lambda: descriptors(front(server)) >= baseline + 100, what="they are open")
        if how == "reset":
            for stream in streams:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: descriptors(front(server)) <= baseline, 30, "descriptors are back")
    assert canaries_answered(server) == CANARIES
