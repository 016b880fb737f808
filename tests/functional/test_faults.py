# SPDX-License-Identifier: Apache-2.0
"""What must go on while processes die, configurations change and clients leave."""
import os
import shutil
import signal
import socket
import threading
import time

import dns.rcode
import pytest

from conftest import KEY, ZONE
from harness import PATIENCE, free_port, wait_until


def processes(server):
    return {p["name"]: p for p in server.json("status", check=False)["processes"]}


def pid(server, name):
    return processes(server)[name]["pid"]


def wait_new(server, name, before):
    def is_new():
        result = server.run("status", "--json", check=False)
        return result.returncode in (0, 3) and pid(server, name) not in (0, before)
    wait_until(is_new, what=f"a new {name}\n{server.log}")


class Asking:
    """Asks for a zone's SOA all the time; collects every rcode that is not NOERROR."""

    def __init__(self, server, names):
        self.server, self.names, self.bad, self.count = server, names, [], 0
        self.ended = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        while not self.ended.is_set():
            for name in self.names:
                rcode = self.server.ask(name, "SOA").rcode()
                self.count += 1
                if rcode != dns.rcode.NOERROR:
                    self.bad.append((name, dns.rcode.to_text(rcode)))

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def many_zones(tmp_path, count):
    names = [f"z{i}.test" for i in range(count)]
    file = tmp_path / "all.zone"
    file.write_text(ZONE)
    return names, [{"name": n, "role": "primary", "file": str(file), "secondaries": []}
                   for n in names]


def test_a_new_keeper_takes_no_answer_away(servers, tmp_path):
    names, zones = many_zones(tmp_path, 500)
    server = servers({"zones": zones}).start()
    wait_until(lambda: server.serial(names[-1]) == 1)
    before = pid(server, "keeper")
    with Asking(server, [names[0], names[250], names[-1]]) as asking:
        os.kill(before, signal.SIGKILL)
        wait_new(server, "keeper", before)
        wait_until(lambda: server.json("status", check=False)["answering"])
        time.sleep(0.2)
    assert asking.count > 10 and asking.bad == []


def test_a_zone_that_never_had_a_version_comes_and_goes(servers, pair, tmp_path):
    primary, secondary = pair
    secondary.wait_serial("example.org", 1)
    keeper = pid(secondary, "keeper")
    config = {
        "keys": [KEY],
        "remotes": [{"name": "east", "address": f"127.0.0.1@{primary.port}", "keys": "xfer"}],
        "zones": [{"name": "example.org", "role": "secondary", "primaries": "east"}],
    }
    more = config["zones"] + [{"name": "nobody.test", "role": "secondary", "primaries": "east"}]
    secondary.configure({**config, "zones": more})
    secondary.run("config", "apply")
    wait_until(lambda: secondary.ask("nobody.test", "SOA").rcode() == dns.rcode.SERVFAIL)
    secondary.configure(config)
    secondary.run("config", "apply")
    wait_until(lambda: secondary.ask("nobody.test", "SOA").rcode() == dns.rcode.REFUSED)
    time.sleep(0.3)
    assert pid(secondary, "keeper") == keeper
    assert secondary.serial("example.org") == 1


def test_a_zone_whose_file_moved_is_read_from_there(servers, tmp_path):
    files = tmp_path / "one.zone", tmp_path / "two.zone"
    files[0].write_text(ZONE)
    files[1].write_text(ZONE.replace("192.0.2.80", "192.0.2.81"))

    def config(file):
        return {"zones": [{"name": "example.org", "role": "primary", "file": str(file),
                           "secondaries": []}]}
    server = servers(config(files[0])).start()
    server.wait_serial("example.org", 1)
    with Asking(server, ["example.org"]) as asking:
        server.configure(config(files[1]))
        server.run("config", "apply")
        server.wait_serial("example.org", 2)
        time.sleep(0.1)
    assert asking.bad == []
    assert server.ask("www.example.org").answer[0][0].address == "192.0.2.81"
    assert server.stop() == 0
    server.configure(config(files[0]))
    server.start()
    server.wait_serial("example.org", 3)


def test_a_new_secondary_costs_no_answer_and_is_told(servers, tmp_path):
    ports = free_port(), free_port()
    file = tmp_path / "example.org.zone"
    file.write_text(ZONE)
    remotes = [{"name": "west", "address": f"127.0.0.1@{ports[1]}", "keys": "xfer"}]
    zone = {"name": "example.org", "role": "primary", "file": str(file), "allow-transfer": "west"}
    primary = servers({"keys": [KEY], "remotes": remotes,
                       "zones": [{**zone, "secondaries": []}]}, name="primary", port=ports[0])
    primary.start().wait_serial("example.org", 1)
    secondary = servers({
        "keys": [KEY],
        "remotes": [{"name": "east", "address": f"127.0.0.1@{ports[0]}", "keys": "xfer"}],
        "zones": [{"name": "example.org", "role": "secondary", "primaries": "east"}],
    }, name="secondary", port=ports[1]).start()
    with Asking(primary, ["example.org"]) as asking:
        primary.configure({"keys": [KEY], "remotes": remotes,
                           "zones": [{**zone, "secondaries": "west"}]})
        primary.run("config", "apply")
        wait_until(lambda: "answered" in str(primary.json("zone", "status", "example.org",
                                                         check=False)["secondaries"]))
    assert asking.bad == []
    secondary.wait_serial("example.org", 1)


def large_zone(count):
    lines = [ZONE.replace("hostmaster 1 ", "hostmaster 7 ")]
    lines += [f"h{i} IN TXT \"{'x' * 150}\"\n" for i in range(count)]
    return "".join(lines)


def test_a_large_zone_arrives_though_the_keeper_sleeps(servers, pair):
    primary, secondary = pair
    secondary.wait_serial("example.org", 1)
    primary.zone_file.write_text(large_zone(60000))
    keeper = pid(secondary, "keeper")
    primary.run("zone", "reload", "example.org")
    try:
        for _ in range(40):  # it wakes for a moment, again and again
            os.kill(keeper, signal.SIGSTOP)
            time.sleep(0.1)
            os.kill(keeper, signal.SIGCONT)
            time.sleep(0.005)
    finally:
        os.kill(keeper, signal.SIGCONT)
    secondary.wait_serial("example.org", 7)
    assert "went silent" not in secondary.log


def test_many_records_of_a_long_name_in_one_message_arrive(servers, tmp_path):
    ports = free_port(), free_port()
    name = ".".join(c * 50 for c in "abcd") + ".test"
    file = tmp_path / "long.zone"
    file.write_text(ZONE + "".join(f"h{i} IN A 192.0.2.1\n" for i in range(3000)))
    servers({
        "keys": [KEY],
        "remotes": [{"name": "west", "address": f"127.0.0.1@{ports[1]}", "keys": "xfer"}],
        "zones": [{"name": name, "role": "primary", "file": str(file), "secondaries": "west"}],
    }, name="primary", port=ports[0]).start().wait_serial(name, 1)
    servers({
        "keys": [KEY],
        "remotes": [{"name": "east", "address": f"127.0.0.1@{ports[0]}", "keys": "xfer"}],
        "zones": [{"name": name, "role": "secondary", "primaries": "east"}],
    }, name="secondary", port=ports[1]).start().wait_serial(name, 1)


def test_an_export_is_whole_and_a_transfer_is_the_same(pair):
    primary, secondary = pair
    primary.zone_file.write_text(large_zone(20000))
    primary.run("zone", "reload", "example.org")
    secondary.wait_serial("example.org", 7)
    texts = [s.run("zone", "export", "example.org").stdout for s in pair]
    assert texts[0] == texts[1] and texts[0].count("TXT") == 20000


def cpu_ticks(process):
    with open(f"/proc/{process}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


@pytest.fixture
def mute():
    """A primary that takes connections and says nothing; what it says in a configuration."""
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", port))
        udp.bind(("127.0.0.1", port))
        tcp.listen()
        tcp.settimeout(PATIENCE)
        yield tcp, {
            "remotes": [{"name": "mute", "address": f"127.0.0.1@{port}"}],
            "zones": [{"name": "example.org", "role": "secondary", "primaries": "mute"}],
        }


def test_a_new_configuration_fails_no_exchange(servers, mute):
    tcp, config = mute
    server = servers(config).start()
    first = tcp.accept()[0]
    server.configure({**config, "server": {"name": "another.test"}})
    server.run("config", "apply")
    second = tcp.accept()[0]  # asked again, at once
    status = server.json("zone", "status", "example.org", check=False)
    assert "problem" not in status and status["refresh"] == "transferring"
    first.close()
    second.close()


def test_a_client_that_leaves_while_it_waits_costs_nothing(servers, mute):
    server = servers(mute[1]).start()
    keeper = pid(server, "keeper")
    for _ in range(3):
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(server.control))
        client.sendall(b'{"command": "zone refresh", "name": "example.org"}\n')
        time.sleep(0.05)
        client.close()
    before = cpu_ticks(keeper)
    time.sleep(1)
    assert cpu_ticks(keeper) - before < 20


def test_a_client_may_shut_its_sending_half(servers, tmp_path):
    file = tmp_path / "example.org.zone"
    file.write_text(large_zone(5000))
    server = servers({"zones": [{"name": "example.org", "role": "primary", "file": str(file),
                                 "secondaries": []}]}).start()
    server.wait_serial("example.org", 7)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(str(server.control))
    client.sendall(b'{"command": "zone export", "name": "example.org"}\n')
    client.shutdown(socket.SHUT_WR)
    got = b""
    while piece := client.recv(65536):
        got += piece
    assert got.count(b"TXT") == 5000 and got.rstrip().endswith(b'"exit":0}')


def test_a_primary_that_lags_is_named(servers, pair, tmp_path):
    primary, secondary = pair
    secondary.wait_serial("example.org", 1)
    primary.zone_file.write_text(ZONE.replace("hostmaster 1 ", "hostmaster 100 "))
    primary.run("zone", "reload", "example.org")
    secondary.wait_serial("example.org", 100)
    primary.stop()
    shutil.rmtree(primary.folder / "state")
    (primary.folder / "state").mkdir()
    primary.zone_file.write_text(ZONE)
    primary.start()
    primary.wait_serial("example.org", 1)
    result = secondary.run("zone", "refresh", "example.org", check=False)
    assert result.returncode == 1
    status = secondary.json("zone", "status", "example.org", check=False)
    assert "serial 1" in status["problem"] and "100" in status["problem"]
    secondary.run("zone", "refresh", "--force", "example.org")
    secondary.wait_serial("example.org", 1)
    secondary.run("zone", "refresh", "--force", "example.org")


def test_what_is_told_of_an_included_file_stays_readable(servers, tmp_path):
    part = tmp_path / "part.zone"
    file = tmp_path / "example.org.zone"
    file.write_text(ZONE + "$INCLUDE part.zone\n")
    part.write_text("broken IN A 192.0.2.280\n")
    server = servers({"zones": [{"name": "example.org", "role": "primary", "file": str(file),
                                 "secondaries": []}]}).start()
    for _ in range(3):
        status = server.json("zone", "status", "example.org", check=False)
        if status["diagnostics"]:
            break
        time.sleep(0.1)
    server.run("config", "apply")
    status = server.json("zone", "status", "example.org", check=False)
    assert status["diagnostics"][0]["file"] == str(part)


@pytest.mark.parametrize("process", ["front", "courier", "keeper"])
def test_a_change_goes_its_way_whoever_dies(pair, process):
    primary, secondary = pair
    secondary.wait_serial("example.org", 1)
    for serial in (10, 11, 12):
        primary.zone_file.write_text(ZONE.replace("hostmaster 1 ", f"hostmaster {serial} "))
        for server in pair:
            os.kill(pid(server, process), signal.SIGKILL)
        wait_until(lambda: primary.run("zone", "reload", "example.org", check=False).returncode
                   == 0)
        primary.wait_serial("example.org", serial)
        wait_until(lambda: secondary.run("zone", "refresh", "example.org", check=False).returncode
                   == 0)
        secondary.wait_serial("example.org", serial)
