# SPDX-License-Identifier: Apache-2.0
"""A change's way: file -> change -> store -> image -> answer -> NOTIFY -> AXFR -> the other server."""
import re
import signal

from conftest import ZONE


def edit(primary, old, new):
    text = primary.zone_file.read_text()
    assert old in text
    primary.zone_file.write_text(text.replace(old, new))


def test_both_servers_answer_the_zone(pair):
    primary, secondary = pair
    primary.wait_serial("example.org", 1)
    secondary.wait_serial("example.org", 1)
    for server in pair:
        reply = server.ask("www.example.org")
        assert reply.answer[0][0].address == "192.0.2.80"
        assert reply.flags & 0x0400  # AA


def test_an_edit_with_the_same_serial_reaches_the_secondary(pair):
    primary, secondary = pair
    secondary.wait_serial("example.org", 1)
    edit(primary, "192.0.2.80", "192.0.2.81")
    primary.run("zone", "reload", "example.org")
    primary.wait_serial("example.org", 2)
    secondary.wait_serial("example.org", 2)
    assert secondary.ask("www.example.org").answer[0][0].address == "192.0.2.81"


def test_a_broken_edit_changes_nothing_and_is_shown_with_its_place(pair):
    primary, secondary = pair
    secondary.wait_serial("example.org", 1)
    edit(primary, "192.0.2.80", "192.0.2.280")
    result = primary.run("zone", "reload", "example.org", check=False)
    assert result.returncode == 1
    assert re.search(r"example\.org\.zone:7:\d+: .*192\.0\.2\.280", result.stdout + result.stderr)
    assert "^" in result.stdout + result.stderr
    for server in pair:
        assert server.ask("www.example.org").answer[0][0].address == "192.0.2.80"
        assert server.serial("example.org") == 1
    status = primary.run("status", check=False)
    assert status.returncode == 3 and "192.0.2.280" in status.stdout


def test_a_restart_serves_what_was_served_before(pair):
    primary, secondary = pair
    edit(primary, "192.0.2.80", "192.0.2.81")
    primary.run("zone", "reload", "example.org")
    secondary.wait_serial("example.org", 2)
    assert primary.stop() == 0
    assert secondary.stop(signal.SIGINT) == 0
    secondary.start()  # its primary is down: the copy in the store answers
    secondary.wait_serial("example.org", 2)
    assert secondary.ask("www.example.org").answer[0][0].address == "192.0.2.81"
    primary.start()
    primary.wait_serial("example.org", 2)


def test_sighup_looks_at_changed_files(pair):
    primary, secondary = pair
    secondary.wait_serial("example.org", 1)
    edit(primary, "192.0.2.80", "192.0.2.82")
    primary.process.send_signal(signal.SIGHUP)
    secondary.wait_serial("example.org", 2)


def test_a_wrong_key_is_refused_and_named(servers, pair, tmp_path):
    primary, secondary = pair
    thief = servers({
        "keys": [{"name": "xfer", "secret": "YW5vdGhlci1zZWNyZXQtb2YtdGhpcnR5LXR3by1vY3Q="}],
        "remotes": [{"name": "east", "address": f"127.0.0.1@{primary.port}", "keys": "xfer"}],
        "zones": [{"name": "example.org", "role": "secondary", "primaries": "east"}],
    }, name="thief")
    thief.start()
    status = thief.json("zone", "status", "example.org", check=False)
    for _ in range(100):
        if status.get("problem"):
            break
        status = thief.json("zone", "status", "example.org", check=False)
    assert "BADSIG" in status["problem"]
    assert thief.serial("example.org") is None
