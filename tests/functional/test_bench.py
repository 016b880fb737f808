# SPDX-License-Identifier: Apache-2.0
"""The bench measures nothing here: its generator counts right and finds a server that lies."""
import collections
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from harness import LOCKSTEP, PATIENCE, ROOT, wait_until

TOOLS = pathlib.Path(os.environ.get("LOCKSTEP_BUILD", LOCKSTEP.parent)) / "tests" / "bench"
BENCH = ROOT / "tests" / "bench" / "bench.py"
COUNT = 600  # questions of one run: some nine are sampled


def make_zones(kind, folder, count):
    subprocess.run([TOOLS / "make_zones", kind, folder, str(count)], check=True, timeout=PATIENCE)
    return folder


def blast(mode, port, *arguments):
    result = subprocess.run([TOOLS / "blast", mode, "--port", str(port), *map(str, arguments)],
                            capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    return make_zones("hosts", tmp_path_factory.mktemp("zones") / "hosts", 200)


@pytest.fixture(scope="module")
def delegations(tmp_path_factory):
    return make_zones("delegations", tmp_path_factory.mktemp("zones") / "delegations", 200)


def serve(servers, folder):
    """A lockstep with the zones of a folder, and how many records they have."""
    zones = [line.split() for line in (folder / "names").read_text().splitlines()]
    server = servers({"zones": [
        {"name": name, "role": "primary", "file": str(folder / file), "serial": "file",
         "allow-transfer": "127.0.0.1"} for name, file in zones]}).start()
    wait_until(lambda: server.serial(zones[-1][0]), what="the zone is served")
    return server, int((folder / "records").read_text())


# --- a server that is right is found right ---

@pytest.mark.parametrize("mix, shares", [("hits", {0: 1.0}), ("misses", {0: 0.5, 3: 0.5})])
def test_right_answers_are_counted_and_none_is_bad(servers, hosts, mix, shares):
    server, _ = serve(servers, hosts)
    found = blast("udp", server.port, "--questions", hosts / mix, "--count", 6000,
                  "--watch", server.processes()["front"])
    assert found["all_sent"] == found["all_answered"] == found["answered"] >= 6000
    assert (found["all_bad"], found["all_stray"], found["complaint"]) == (0, 0, "")
    assert found["all_sampled"] == found["all_answered"] // 61
    for rcode, share in shares.items():
        assert abs(found["rcodes"][rcode] / found["answered"] - share) < 0.1
    assert found["server_ns"] > 0


def test_referrals_are_right_answers(servers, delegations):
    server, _ = serve(servers, delegations)
    found = blast("udp", server.port, "--questions", delegations / "misses", "--count", COUNT)
    assert found["all_answered"] >= COUNT and found["all_bad"] == 0, found["complaint"]


@pytest.mark.parametrize("mode, connections, outstanding",
                         [("tcp", 32, 16), ("tcp", 64, 1), ("tcp-once", 16, 1)])
def test_right_answers_over_tcp(servers, hosts, mode, connections, outstanding):
    server, _ = serve(servers, hosts)
    found = blast(mode, server.port, "--questions", hosts / "hits", "--count", 2000,
                  "--sockets", connections, "--outstanding", outstanding)
    assert found["all_answered"] >= 2000 and found["all_bad"] == 0, found["complaint"]
    assert found["all_lost"] == 0


def test_a_transfer_is_read_to_its_last_record(servers, hosts):
    server, records = serve(servers, hosts)
    found = blast("axfr", server.port, "--zone", "hosts.test")
    assert (found["records"], found["complaint"]) == (records + 1, "")
    assert blast("axfr", server.port, "--zone", "other.test")["complaint"] == "refused"


# --- a server that lies is found bad ---

def honest(query):
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    question = query.question[0]
    text = {"A": "192.0.2.1", "AAAA": "2001:db8::1"}[dns.rdatatype.to_text(question.rdtype)]
    reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", question.rdtype, text))
    return reply


def altered(change):
    def lie(query):
        reply = honest(query)
        change(reply)
        return reply.to_wire()
    return lie


def another_question(query):
    wire = bytearray(honest(query).to_wire())
    wire[13] ^= 1
    return bytes(wire)


LIES = {
    "another rcode": altered(lambda reply: reply.set_rcode(dns.rcode.SERVFAIL)),
    "AA is not set": altered(lambda reply: setattr(reply, "flags", reply.flags & ~dns.flags.AA)),
    "QR is not set": altered(lambda reply: setattr(reply, "flags", reply.flags & ~dns.flags.QR)),
    "the answer section is empty": altered(lambda reply: reply.answer.clear()),
    "no question": altered(lambda reply: reply.question.clear()),
    "another question": another_question,
    "a record is cut off": lambda query: honest(query).to_wire()[:-1],
    "octets after the last record": lambda query: honest(query).to_wire() + b"\0",
}


class Liar:
    """Answers over UDP as `answer` says (octets; None: not at all) while `with` runs."""

    def __init__(self, answer):
        self.answer = answer
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        while True:
            try:
                wire, peer = self.socket.recvfrom(512)
            except OSError:
                return
            if not wire:
                return
            reply = self.answer(dns.message.from_wire(wire))
            if reply is not None:
                self.socket.sendto(reply, peer)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", ("127.0.0.1", self.port))
        self.thread.join(PATIENCE)
        self.socket.close()


def ask_liar(answer, hosts, *more):
    with Liar(answer) as liar:
        return blast("udp", liar.port, "--questions", hosts / "hits", "--count", COUNT,
                     "--sockets", 1, *more)


def test_an_honest_server_in_the_liars_place_is_right(hosts):
    found = ask_liar(lambda query: honest(query).to_wire(), hosts)
    assert (found["all_answered"], found["all_bad"]) == (COUNT, 0), found["complaint"]


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found(hosts, lie):
    found = ask_liar(LIES[lie], hosts)
    assert found["all_bad"] >= COUNT // 61 and lie in found["complaint"]


def test_what_is_not_answered_is_lost(hosts):
    turn = random.Random(1)
    found = ask_liar(lambda query: None if turn.random() < 0.5 else honest(query).to_wire(), hosts,
                     "--timeout", 0.1)
    assert found["all_lost"] + found["all_answered"] == COUNT
    assert found["all_lost"] > COUNT // 4 and found["all_bad"] == 0


def test_an_id_that_nobody_waits_for_is_stray(hosts):
    def wrong_id(query):
        wire = bytearray(honest(query).to_wire())
        wire[0] ^= 0x80
        return bytes(wire)

    found = ask_liar(wrong_id, hosts, "--timeout", 0.1, "--outstanding", 300)
    assert (found["all_answered"], found["all_lost"]) == (0, COUNT)
    assert found["all_stray"] > 0


def test_with_do_a_missing_signature_is_found(hosts):
    plain = ask_liar(lambda query: honest(query).to_wire(), hosts, "--do")
    assert plain["all_bad"] == plain["all_sampled"] > 0 and "no RRSIG" in plain["complaint"]


class TcpServer:
    """One connection at a time: gathers questions and answers them, the last one first."""

    def __init__(self, gathered, closes_after=None):
        self.gathered, self.closes_after = gathered, closes_after
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                self._converse(connection, stream)

    def _converse(self, connection, stream):
        served = 0
        while True:
            queries = []
            for _ in range(self.gathered):
                size = stream.read(2)
                if len(size) < 2:
                    return
                queries.append(stream.read(int.from_bytes(size, "big")))
            for wire in reversed(queries):
                reply = honest(dns.message.from_wire(wire)).to_wire()
                connection.sendall(len(reply).to_bytes(2, "big") + reply)
            served += len(queries)
            if self.closes_after and served >= self.closes_after:
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(PATIENCE)


def ask_over_tcp(server, hosts, *more):
    return blast("tcp", server.port, "--questions", hosts / "hits", "--count", COUNT,
                 "--sockets", 1, "--outstanding", 4, *more)


def test_answers_out_of_order_are_right(hosts):
    with TcpServer(gathered=4) as server:
        found = ask_over_tcp(server, hosts)
    assert found["all_answered"] >= COUNT - 4 and found["all_bad"] == 0, found["complaint"]


def test_a_closed_connection_is_counted_and_opened_again(hosts):
    with TcpServer(gathered=4, closes_after=40) as server:
        found = ask_over_tcp(server, hosts)
    assert found["all_closed"] > 5
    assert found["all_lost"] + found["all_answered"] == found["all_sent"]


# --- its other tools ---

def test_the_same_count_gives_the_same_zones(tmp_path, hosts):
    again = make_zones("hosts", tmp_path / "again", 200)
    for name in ("hosts.test.zone", "hits", "misses"):
        assert (again / name).read_bytes() == (hosts / name).read_bytes()


@pytest.mark.parametrize("kind, zones", [("root", 1), ("delegations", 1), ("hosts", 1),
                                         ("zones", 100)])
def test_zones_are_zones(servers, tmp_path, kind, zones):
    folder = make_zones(kind, tmp_path / kind, 100)
    assert len((folder / "names").read_text().splitlines()) == zones
    server, records = serve(servers, folder)
    names = [line.split()[0] for line in (folder / "names").read_text().splitlines()]
    wait_until(lambda: all(server.serial(name) == 1 for name in names), what="all zones are served")
    total = sum(blast("axfr", server.port, "--zone", name)["records"] - 1 for name in names)
    assert total == records


@pytest.mark.skipif(os.geteuid() != 0, reason="other processes may be traced by root only")
def test_instructions_are_counted_and_the_server_goes_on(servers, hosts):
    server, _ = serve(servers, hosts)

    def steps(count):
        result = subprocess.run(
            [TOOLS / "count_steps", str(server.processes()["front"]), "--", TOOLS / "blast", "udp",
             "--port", str(server.port), "--questions", hosts / "hits", "--count", str(count),
             "--sockets", "1", "--outstanding", "1", "--timeout", "30"],
            capture_output=True, text=True, timeout=120, check=False)
        assert result.returncode == 0, result.stderr
        report, _, number = result.stdout.rpartition("steps ")
        assert json.loads(report)["all_answered"] == count
        return int(number)

    assert steps(3) > steps(1) > 100
    assert server.serial("hosts.test") == 1


# --- the bench itself ---

def bench(*arguments, **more):
    return subprocess.run([sys.executable, BENCH, "--build", LOCKSTEP.parent, *map(str, arguments)],
                          capture_output=True, text=True, timeout=240, check=False, **more)


needs_two_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")


@pytest.mark.parametrize("arguments, said", [
    (["upd"], '"upd" is neither a part'),
    (["--servers", "dnsmasq"], 'no server "dnsmasq"'),
])
def test_a_wrong_name_is_named(arguments, said):
    result = bench(*arguments)
    assert result.returncode == 1 and said in result.stderr


@needs_two_cores
def test_a_small_run_shows_each_table(tmp_path):
    result = bench("--scale", "small", "--work", tmp_path, "--servers", "lockstep,nsd",
                   "udp", "axfr", "load", "delegations")
    assert result.returncode == 0, result.stdout + result.stderr
    tables = collections.Counter(
        re.findall(r"^\| delegations[^|]*\| (\w+) \|", result.stdout, re.M))
    assert tables["lockstep"] == 4 and tables["echo"] == 2  # two mixes, loading, AXFR
    assert "Wrong answers" not in result.stdout and "Failed" not in result.stdout
    assert not list((tmp_path / "run").glob("*")) if (tmp_path / "run").exists() else True


@needs_two_cores
def test_ctrl_c_ends_every_server(tmp_path):
    process = subprocess.Popen(
        [sys.executable, BENCH, "--build", LOCKSTEP.parent, "--scale", "small", "--work", tmp_path,
         "--servers", "lockstep", "--rounds", "50", "udp", "hosts"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "lockstep answers" in line:
            break
    folder = str(tmp_path / "run").encode()

    def left():
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes()
            except OSError:
                continue
            if folder in words and int(path.parent.name) != process.pid:
                found.append(words)
        return found

    assert left()
    second = bench("--work", tmp_path, "udp", "hosts")
    assert second.returncode == 1 and "another bench runs in" in second.stderr
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "every server was ended" in said
    wait_until(lambda: not left(), what="every server is gone")
