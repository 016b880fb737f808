# SPDX-License-Identifier: Apache-2.0
"""What keeps a server from starting, and what must not."""
import contextlib
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import tempfile

import dns.rcode
import pytest

from conftest import ZONE
from harness import free_port, is_alive, wait_until

NOBODY = 65534


@pytest.fixture
def zone(tmp_path):
    path = tmp_path / "example.org.zone"
    path.write_text(ZONE)
    return {"name": "example.org", "role": "primary", "file": str(path), "secondaries": []}


def refused(server):
    """Starts a server that must not start; what it says."""
    server.start(wait=False)
    assert server.process.wait(20) == 1
    for reader in server.readers:
        reader.join(20)
    assert not server.ready.is_set()
    return server.log


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a_taken_port_is_told_with_its_holder(servers, zone, transport):
    kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if transport == "TCP":
            holder.listen()
        port = holder.getsockname()[1]
        log = refused(servers({"zones": [zone]}, port=port))
    assert re.search(rf"127\.0\.0\.1@{port} \({transport}\) is taken by \S+ \(pid {os.getpid()}\)",
                     log)


def test_a_taken_port_among_others_is_told_when_the_configuration_changes(servers, zone):
    server = servers({"zones": [zone]}).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        listen = [f"127.0.0.1@{server.port}", f"127.0.0.1@{port}"]
        server.configure({"zones": [zone], "server": {"listen": listen}})
        server.run("config", "apply")
        server.wait_log(f"127.0.0.1@{port} (UDP) is taken by")
        assert server.serial("example.org") == 1


def test_a_state_folder_is_made_but_not_the_path_to_it(servers, zone, tmp_path):
    server = servers({"zones": [zone], "server": {"state": str(tmp_path / "made")}}).start()
    assert (tmp_path / "made" / "lockstep.db").exists()
    assert (tmp_path / "made").stat().st_mode & 0o007 == 0
    assert server.stop() == 0
    log = refused(servers({"zones": [zone], "server": {"state": str(tmp_path / "a" / "b")}},
                          name="second"))
    assert f"{tmp_path}/a/b" in log and "the folder above does not exist" in log


def test_a_state_folder_in_use_names_the_process_that_has_it(servers, zone):
    first = servers({"zones": [zone]}, name="first").start()
    first.wait_good()
    keeper = {p["name"]: p["pid"] for p in first.json("status")["processes"]}["keeper"]
    second = servers({"zones": [zone], "server": {"state": str(first.folder / "state")}},
                     name="second")
    assert f"is in use by process {keeper}" in refused(second)
    first.wait_good()


def test_a_control_socket_in_use_is_left_to_its_server(servers, zone):
    first = servers({"zones": [zone]}, name="first").start()
    second = servers({"zones": [zone], "server": {"control": str(first.control)}}, name="second")
    assert f"another server answers at {first.control}" in refused(second)
    first.wait_good()


def test_a_control_socket_that_a_crash_left_is_replaced(servers, zone):
    server = servers({"zones": [zone]})
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(server.control))
    server.start()
    server.wait_good()


def test_a_file_in_the_place_of_the_control_socket_is_not_removed(servers, zone):
    server = servers({"zones": [zone]})
    server.control.write_text("mine")
    assert "is no socket" in refused(server)
    assert server.control.read_text() == "mine"


def test_a_damaged_store_is_named_and_left_alone(servers, zone):
    server = servers({"zones": [zone]}).start()
    server.wait_serial("example.org", 1)
    assert server.stop() == 0
    database = server.folder / "state" / "lockstep.db"
    octets = database.read_bytes()
    database.write_bytes(b"x" * 100 + octets[100:])
    log = refused(server)
    assert str(database) in log and "restore it from a backup" in log
    assert database.read_bytes() == b"x" * 100 + octets[100:]
    database.write_bytes(octets)
    server.start()
    server.wait_serial("example.org", 1)


def damage_version(server, label):
    """Turns an octet of what the store has of a zone."""
    with contextlib.closing(sqlite3.connect(server.folder / "state" / "lockstep.db")) as database:
        ((number, body),) = database.execute("SELECT s.id, body FROM snapshots s"
                                             " JOIN zones z ON s.zone = z.id WHERE label = ?", [label])
        body = body[:-10] + bytes([body[-10] ^ 1]) + body[-9:]
        database.execute("UPDATE snapshots SET body = ? WHERE id = ?", [body, number])
        database.commit()


def test_a_damaged_zone_is_told_and_its_file_brings_it_back(servers, zone, tmp_path):
    other = {**zone, "name": "example.net", "file": str(tmp_path / "example.net.zone")}
    pathlib.Path(other["file"]).write_text(ZONE)
    server = servers({"zones": [zone, other]}).start()
    server.wait_serial("example.org", 1)
    server.wait_serial("example.net", 1)
    assert server.stop() == 0
    pathlib.Path(zone["file"]).write_text(ZONE + "broken\n")
    damage_version(server, "example.org.")

    server.start()
    assert server.serial("example.net") == 1
    assert server.ask("example.org", "SOA").rcode() == dns.rcode.SERVFAIL
    assert "zone-damaged" in server.log
    status = server.run("status", check=False)
    assert status.returncode == 3 and "example.org." in status.stdout

    pathlib.Path(zone["file"]).write_text(ZONE)
    server.run("zone", "reload", "example.org")
    assert server.serial("example.org") == 2, "a secondary may have seen the damaged one's 1"
    assert server.stop() == 0
    server.start()
    server.wait_serial("example.org", 2)


def test_a_missing_zone_file_is_told_and_read_when_it_is_there(servers, zone, tmp_path):
    path = tmp_path / "later.zone"
    server = servers({"zones": [zone, {**zone, "name": "later.example", "file": str(path)}]}).start()
    server.wait_serial("example.org", 1)
    assert server.ask("later.example", "SOA").rcode() == dns.rcode.SERVFAIL
    status = server.run("status", check=False)
    assert status.returncode == 3 and f"{path}: No such file" in status.stdout
    path.write_text(ZONE)
    assert server.run("zone", "reload", "later.example").stdout == (
        "later.example.: serial 1 is served\n")
    server.wait_good()


def test_a_zone_that_is_added_without_its_file_answers_servfail_too(servers, zone, tmp_path):
    server = servers({"zones": [zone]}).start()
    config = {"zones": [zone, {**zone, "name": "later.example", "file": str(tmp_path / "none")}]}
    server.configure(config)
    server.run("config", "apply")
    wait_until(lambda: server.ask("later.example", "SOA").rcode() == dns.rcode.SERVFAIL,
               what="SERVFAIL")


@pytest.fixture
def open_folder():
    """A folder that others can look into, unlike those of pytest."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-user-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
class TestUser:
    @pytest.fixture
    def server(self, servers, open_folder):
        """As in a package: root's files, the user's state, a port below 1024."""
        path = open_folder / "example.org.zone"
        path.write_text(ZONE)
        server = servers({"zones": [{"name": "example.org", "role": "primary", "file": str(path),
                                     "secondaries": []}],
                          "server": {"user": "nobody", "state": str(open_folder / "state")}},
                         port=free_port_below(1024))
        shutil.move(server.config_path, open_folder / "lockstep.yaml")
        server.config_path = open_folder / "lockstep.yaml"
        os.chown(server.config_path, 0, NOBODY)
        server.config_path.chmod(0o640)
        server.zone_file = path
        return server

    def test_every_process_becomes_the_user(self, server):
        server.start()
        server.wait_serial("example.org", 1)
        for process in server.json("status")["processes"]:
            status = pathlib.Path(f"/proc/{process['pid']}/status").read_text()
            assert re.search(rf"^Uid:(\t{NOBODY}){{4}}$", status, re.MULTILINE)
            assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
            assert re.search(r"^Groups:\t *$|^Groups:\t65534 *$", status, re.MULTILINE)
        assert server.stop() == 0

    def test_another_low_port_can_be_bound_later(self, server):
        server.start()
        port = free_port_below(server.port)
        text = server.config_path.read_text()
        listen = f'["127.0.0.1@{server.port}", "127.0.0.1@{port}"]'
        server.config_path.write_text(text.replace(f'"127.0.0.1@{server.port}"', listen))
        server.run("config", "apply")
        wait_until(lambda: server.serial("example.org", port) == 1, what="the new port answers")

    def test_a_file_that_the_user_may_not_read_is_told_with_his_id(self, server):
        server.start()
        server.wait_serial("example.org", 1)
        server.zone_file.write_text(ZONE.replace("192.0.2.80", "192.0.2.81"))
        server.zone_file.chmod(0o600)
        result = server.run("zone", "reload", check=False)
        assert result.returncode == 1
        assert f"Permission denied for user id {NOBODY}" in result.stderr
        assert server.serial("example.org") == 1
        server.zone_file.chmod(0o644)
        server.run("zone", "reload")
        server.wait_serial("example.org", 2)

    def test_a_configuration_that_the_user_may_not_read_is_told(self, server):
        server.config_path.chmod(0o600)
        assert f"Permission denied for user id {NOBODY}" in refused(server)

    def test_a_user_who_does_not_exist_is_told(self, server):
        text = server.config_path.read_text().replace('"nobody"', '"nobody-at-all"')
        server.config_path.write_text(text)
        assert "nobody-at-all" in refused(server)


def free_port_below(limit):
    for port in range(limit - 1, 512, -1):
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as s:
                    s.bind(("127.0.0.1", port))
            return port
        except OSError:
            continue
    raise RuntimeError(f"no free port below {limit}")


def test_ready_is_printed_only_when_it_answers(servers, zone):
    """Whoever waits for it asks at once, without patience, for what was served before."""
    server = servers({"zones": [zone]}).start()
    server.wait_serial("example.org", 1)
    assert server.stop() == 0
    for _ in range(5):
        server.start()
        assert server.serial("example.org") == 1
        pid = server.process.pid
        assert server.stop() == 0
        assert not is_alive(pid)
