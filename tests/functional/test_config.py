# SPDX-License-Identifier: Apache-2.0
"""The configuration: every mistake at once, all or nothing, and no answer lost while it changes."""
import json
import re
import signal

import dns.rcode
import pytest

from conftest import KEY, ZONE
from harness import Asker, command, edit, free_port, wait_until

BROKEN = """\
server:
  listen: 127.0.0.1@{port}
  listne: 127.0.0.2
  state: {folder}/state
  control: {folder}/control.sock
  workers: many
  workers: 2
keys:
  - {{name: xfer, secret: "bG9ja3N0ZXAtdGVzdC1rZXktMzItb2N0ZXRzLWxvbmc="}}
remotes:
  - {{name: west, address: 192.0.2.1, keys: xferr}}
zones:
  - name: a.example
    role: primry
  - name: b.example
    role: primary
    secondaries: [wset]
"""


@pytest.fixture
def zone_file(tmp_path):
    path = tmp_path / "example.org.zone"
    path.write_text(ZONE)
    return path


def primary_of(*files, **more):
    return [{"name": path.name.removesuffix(".zone"), "role": "primary", "file": str(path),
             "secondaries": [], **more} for path in files]


def shown(text):
    """Messages with their places: {(line, column): message}."""
    return {(int(m[1]), int(m[2])): m[3]
            for m in re.finditer(r"^\S+\.yaml:(\d+):(\d+): (.*)$", text, re.MULTILINE)}


EXPECTED = {
    (3, 3): 'unknown key "listne" in server; did you mean "listen"?',
    (6, 12): 'workers: expected a number, found "many"',
    (11, 44): 'key "xferr" does not exist; did you mean "xfer"?',
    (14, 11): 'unknown role "primry"; did you mean "primary"?',
    (17, 19): 'remote "wset" does not exist; did you mean "west"?',
}


def test_every_mistake_is_told_at_once_with_its_place(tmp_path):
    path = tmp_path / "lockstep.yaml"
    path.write_text(BROKEN.format(port=free_port(), folder=tmp_path))
    path.chmod(0o600)
    result = command("config", "check", path, check=False)
    assert result.returncode == 1
    found = shown(result.stderr)
    for place, message in EXPECTED.items():
        assert found.get(place) == message
    assert re.search(r"a second time; the first is at \S+:6", found[7, 3])
    assert len(found) == len(EXPECTED) + 1
    assert "  listne: 127.0.0.2\n  ^~~~~~\n" in result.stderr
    assert "bG9ja3N0" not in result.stderr
    as_json = json.loads(command("config", "check", path, "--json", check=False).stdout)
    assert as_json["good"] is False
    assert {(d["line"], d["column"]) for d in as_json["diagnostics"]} == set(found)


def test_a_server_does_not_start_with_a_mistake(servers, zone_file):
    server = servers({"zones": primary_of(zone_file)})
    server.config_path.write_text(BROKEN.format(port=server.port, folder=server.folder))
    server.start(wait=False)
    assert server.process.wait(20) == 1
    for reader in server.readers:
        reader.join(20)
    assert len(shown(server.log)) == len(EXPECTED) + 1
    assert not server.ready.is_set()


@pytest.mark.parametrize("how", ["SIGHUP", "apply"])
def test_a_broken_configuration_leaves_the_one_before_in_force(servers, zone_file, how):
    server = servers({"zones": primary_of(zone_file)})
    server.start()
    server.wait_serial("example.org", 1)
    good = server.config_path.read_text()
    server.config_path.write_text(BROKEN.format(port=server.port, folder=server.folder))
    with Asker(server, "www.example.org") as asker:
        if how == "SIGHUP":
            server.process.send_signal(signal.SIGHUP)
            server.wait_log("config-refused")
        else:
            result = server.run("config", "apply", check=False)
            assert result.returncode == 1
            assert len(shown(result.stderr)) == len(EXPECTED) + 1
            assert "stays in force" in result.stderr
    assert not asker.lost
    # With the broken file still in place: that is when people ask.
    status = server.run("status", check=False)
    assert status.returncode == 3
    assert re.search(r"lockstep\.yaml:3:3: unknown key \"listne\"", status.stdout)
    assert server.json("status", check=False)["config"]["problem"]
    server.config_path.write_text(good)
    server.run("config", "apply")
    server.wait_good()


def test_what_is_no_yaml_at_all_does_not_hide_the_server(servers, zone_file):
    server = servers({"zones": primary_of(zone_file)})
    server.start()
    server.wait_serial("example.org", 1)
    server.config_path.write_text(f"server:\n  control: {server.control}\nzones: [\n")
    assert server.run("config", "apply", check=False).returncode == 1
    result = server.run("status", check=False)
    assert result.returncode == 3 and "not YAML" in result.stdout


def test_zones_come_and_go_and_no_answer_is_lost(servers, zone_file, tmp_path):
    other = tmp_path / "example.net.zone"
    other.write_text(ZONE)
    server = servers({"zones": primary_of(zone_file)})
    server.start()
    server.wait_serial("example.org", 1)
    with Asker(server, "www.example.org") as asker:
        server.configure({"zones": primary_of(zone_file, other)})
        assert server.run("config", "diff").stdout == "zone example.net added\n"
        assert server.ask("www.example.net").rcode() == dns.rcode.REFUSED
        assert "zone example.net added\n" in server.run("config", "apply").stdout
        server.wait_serial("example.net", 1)
        assert server.run("config", "diff").stdout == "no difference\n"

        server.configure({"zones": primary_of(zone_file)})
        assert server.json("config", "diff")["changes"] == ["zone example.net removed"]
        server.run("config", "apply")
        wait_until(lambda: server.ask("www.example.net").rcode() == dns.rcode.REFUSED,
                   what="a zone that is not configured any more is refused")
    assert not asker.lost


def test_no_answer_is_lost_whatever_of_a_zone_changes(servers, zone_file, tmp_path):
    """Its file, its secondaries, who may ask, and what the server listens on."""
    moved = tmp_path / "moved" / "example.org.zone"
    moved.parent.mkdir()
    moved.write_text(ZONE.replace("192.0.2.80", "192.0.2.81"))
    remotes = [{"name": "west", "address": f"127.0.0.1@{free_port()}"}]
    zone = primary_of(zone_file)[0]
    server = servers({"remotes": remotes, "zones": [zone]})
    server.start()
    server.wait_serial("example.org", 1)
    changes = [{"secondaries": "west"}, {"secondaries": []}, {"allow-query": "127.0.0.0/8"},
               {"file": str(moved)}]
    second = free_port()
    with Asker(server, "www.example.org") as asker:
        for change in changes:
            zone = {**zone, **change}
            server.configure({"remotes": remotes, "zones": [zone]})
            server.run("config", "apply")
        server.wait_serial("example.org", 2)
        for ports in ([server.port, second], [server.port]):
            listen = [f"127.0.0.1@{port}" for port in ports]
            server.configure({"remotes": remotes, "zones": [zone], "server": {"listen": listen}})
            server.run("config", "apply")
            wait_until(lambda: (server.serial("example.org", second) is None) == (len(ports) == 1),
                       what=f"it answers on {listen}")
    assert not asker.lost
    assert server.ask("www.example.org").answer[0][0].address == "192.0.2.81"


def test_a_zone_changes_its_role_and_no_answer_is_lost(servers, pair):
    primary, secondary = pair
    secondary.wait_serial("example.org", 1)
    role = {"name": "example.org", "role": "primary", "secondaries": [],
            "file": str(primary.zone_file)}
    with Asker(secondary, "www.example.org") as asker:
        secondary.configure({"zones": [role]})
        secondary.run("config", "apply")
        edit(primary.zone_file, "192.0.2.80", "192.0.2.81")
        wait_until(lambda: secondary.json("zone", "status", "example.org")["role"] == "primary",
                   what="the zone has its new role")
        secondary.run("zone", "reload", "example.org")
        secondary.wait_serial("example.org", 2)
    assert not asker.lost
    assert secondary.json("zone", "list")["zones"][0]["role"] == "primary"


def test_a_new_key_is_in_force_at_once(servers, pair):
    primary, secondary = pair
    secondary.wait_serial("example.org", 1)
    for server, text in ((primary, primary.config_path.read_text()),
                         (secondary, secondary.config_path.read_text())):
        server.config_path.write_text(
            text.replace(KEY["secret"], "YW5vdGhlci1zZWNyZXQtb2YtdGhpcnR5LXR3by1vY3Q="))
        result = server.run("config", "apply")
        assert result.stdout == "key xfer: secret changed\nin force\n"
    edit(primary.zone_file, "192.0.2.80", "192.0.2.81")
    primary.run("zone", "reload")
    secondary.wait_serial("example.org", 2)


def test_explain_tells_a_setting(tmp_path):
    text = command("config", "explain", "zones.primaries").stdout
    assert "order of preference" in text
    assert command("config", "explain", "zones").stdout.count("zones.") >= 8
    result = command("config", "explain", "zones.primarys", check=False)
    assert result.returncode == 1 and 'did you mean "zones.primaries"' in result.stderr


def test_an_export_loads_again_and_shows_no_secret(servers, zone_file, tmp_path):
    server = servers({"keys": [KEY], "zones": primary_of(zone_file),
                      "remotes": [{"name": "west", "address": "192.0.2.1", "keys": "xfer"}]})
    for more in ((), ("--json",)):
        text = command("config", "export", server.config_path, *more).stdout
        assert KEY["secret"] not in text
        path = tmp_path / "export.yaml"
        path.write_text(re.sub(r"(secret\"?: *).*?([,}\n])", rf'\1"{KEY["secret"]}"\2', text))
        path.chmod(0o600)
        assert command("config", "export", path, *more).stdout == text


def test_check_counts_zones_and_warns_of_readable_secrets(servers, zone_file):
    server = servers({"keys": [KEY], "zones": primary_of(zone_file)})
    assert command("config", "check", server.config_path).stdout.endswith(": good, 1 zone\n")
    server.config_path.chmod(0o644)
    result = command("config", "check", server.config_path, check=False)
    assert result.returncode == 1 and "chmod o= " in result.stderr
