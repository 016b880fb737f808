# SPDX-License-Identifier: Apache-2.0
"""The commands: words, exit statuses, JSON."""
import json
import sqlite3

import pytest

from conftest import ZONE
from harness import ROOT, command, to_yaml


def test_an_unknown_command_is_usage_and_something_is_suggested():
    result = command("zone", "relod", check=False)
    assert result.returncode == 2 and 'did you mean "zone reload"' in result.stderr


def test_a_noun_alone_tells_its_verbs():
    verbs = "list, status, reload, refresh, notify, export"
    for words in (["zone"], ["zone", "frobnicate"], ["zone", "--help"]):
        result = command(*words, check=False)
        assert result.returncode == 2 and verbs in result.stderr
    assert command("help", "key").stdout.count("usage: lockstep key ") == 3


@pytest.mark.parametrize("words", [["version"], ["help"], ["help", "zone"], ["limits"],
                                   ["config", "explain", "zones.file"], ["key", "generate", "a.b"],
                                   ["check", ROOT / "tools" / "run.zone", "--origin", "a.test"]])
def test_what_needs_no_server_answers_in_json_too(words):
    assert json.loads(command(*words, "--json").stdout)


@pytest.mark.parametrize("words, status", [
    (["status", "-s", "/nowhere/control.sock"], 4), (["zone", "relod"], 2), (["status", "--jsn"], 2),
    (["zone", "status"], 2), (["config", "explain", "nothing"], 1), (["key", "import", "/nowhere"], 1),
    (["config", "check", "/nowhere"], 1), (["config", "export", "/nowhere"], 1),
    (["check", "/nowhere", "--origin", "a.test"], 1), (["check", "/nowhere"], 2)])
def test_what_goes_wrong_is_told_in_json_too(words, status):
    result = command(*words, "--json", check=False)
    assert result.returncode == status
    answer = json.loads(result.stdout)
    assert answer["diagnostics"] if "good" in answer else answer["error"]["message"]


def test_a_missing_argument_shows_the_usage():
    result = command("zone", "status", check=False)
    assert result.returncode == 2 and "usage: lockstep zone status NAME" in result.stderr


@pytest.mark.parametrize("option", ["--jsn", "--orign"])
def test_an_unknown_option_is_usage_and_something_is_suggested(option):
    result = command("status", option, check=False)
    assert result.returncode == 2 and "did you mean" in result.stderr


def test_no_server_is_exit_status_4(tmp_path):
    result = command("status", "-s", tmp_path / "none.sock", check=False)
    assert result.returncode == 4 and "no server answers at" in result.stderr


def test_help_lists_every_command():
    text = command("help").stdout
    for words in ("serve", "status", "zone reload", "config explain", "key import", "store copy"):
        assert words in text
    assert "usage: lockstep zone reload [NAME]" in command("help", "zone", "reload").stdout


def test_check_needs_no_server(tmp_path):
    zone = tmp_path / "good.zone"
    zone.write_text(ZONE)
    assert "good, serial 1, 6 records" in command("check", zone, "--origin", "example.org").stdout
    zone.write_text(ZONE + "www IN CNAME ns1\nmx IN MX ten ns1\n")
    result = command("check", zone, "--origin", "example.org", check=False)
    assert result.returncode == 1 and f"{zone}:9:10: " in result.stderr and "^~~" in result.stderr
    answer = json.loads(command("check", zone, "--origin", "example.org", "--json", check=False).stdout)
    assert answer["good"] is False and answer["diagnostics"][0]["line"] == 9


def test_check_finds_data_beside_a_cname(tmp_path):
    zone = tmp_path / "cname.zone"
    zone.write_text(ZONE + "www IN CNAME ns1\n")
    result = command("check", zone, "--origin", "example.org", check=False)
    assert result.returncode == 1 and "CNAME" in result.stderr and f"{zone}:" in result.stderr


def test_every_answer_can_be_json(pair):
    primary, _ = pair
    primary.wait_serial("example.org", 1)
    assert primary.json("status")["zones"] == 1
    assert primary.json("zone", "list")["zones"][0]["name"] == "example.org."
    status = primary.json("zone", "status", "example.org")
    assert status["serial"] == 1 and status["records"] == 6 and len(status["digest"]) == 12
    assert primary.json("key", "list")["keys"][0]["remotes"] == ["west"]
    assert primary.json("stats")["queries-udp"] >= 1
    assert primary.json("config", "diff")["changes"] == []
    assert primary.json("zone", "reload", "example.org")["zones"][0]["state"] == "unchanged"


def test_errors_in_json_too(pair):
    primary, _ = pair
    result = primary.run("zone", "status", "nowhere.test", "--json", check=False)
    assert result.returncode == 1
    assert json.loads(result.stdout)["error"]["code"] == "not-found"


def test_primary_and_secondary_show_the_same_digest(pair):
    primary, secondary = pair
    secondary.wait_serial("example.org", 1)
    shown = [server.json("zone", "status", "example.org")["digest"] for server in pair]
    assert shown[0] == shown[1]


def test_an_export_is_a_zone_file_with_the_same_content(pair, tmp_path):
    _, secondary = pair
    secondary.wait_serial("example.org", 1)
    zone = tmp_path / "exported.zone"
    zone.write_text(secondary.run("zone", "export", "example.org").stdout)
    assert "6 records" in command("check", zone, "--origin", "example.org").stdout


def test_a_refresh_says_that_the_copy_is_current(pair):
    primary, secondary = pair
    secondary.wait_serial("example.org", 1)
    assert "serial 1 is current" in secondary.run("zone", "refresh", "example.org").stdout
    result = primary.run("zone", "refresh", "example.org", check=False)
    assert result.returncode == 1 and "is the primary" in result.stderr


def test_a_generated_key_works_in_a_configuration(tmp_path):
    config = tmp_path / "lockstep.yaml"
    config.write_text("server: {name: x, listen: 127.0.0.1@5300, state: /tmp}\n"
                      + command("key", "generate", "xfer").stdout)
    config.chmod(0o600)
    assert "good" in command("config", "check", config).stdout
    assert command("key", "generate", "a b", check=False).returncode in (0, 2)
    result = command("key", "generate", "k", "--algorithm", "hmac-sha265", check=False)
    assert result.returncode == 2 and "hmac-sha256" in result.stderr


def test_a_key_file_of_bind_is_read(tmp_path):
    bind = tmp_path / "bind.key"
    bind.write_text('// made by tsig-keygen\nkey "transfer.example" {\n\talgorithm hmac-sha256;\n'
                    '\tsecret "bG9ja3N0ZXAtdGVzdC1rZXktMzItb2N0ZXRzLWxvbmc=";\n};\n')
    text = command("key", "import", bind).stdout
    assert "name: transfer.example" in text and "bG9ja3N0ZXAtdGVzdC1rZXk" in text
    bind.write_text('key "old" { algorithm hmac-md5; secret "AAAA"; };')
    result = command("key", "import", bind, check=False)
    assert result.returncode == 1 and "hmac-md5" in result.stderr
    bind.write_text('/* two { */ key one { algorithm hmac-sha256; secret "AAAA"; };\n'
                    'key "two" { algorithm hmac-sha512; secret AAAABBBB; };\n')
    keys = json.loads(command("key", "import", bind, "--json").stdout)["keys"]
    assert [(k["name"], k["secret"]) for k in keys] == [("one", "AAAA"), ("two", "AAAABBBB")]
    assert command("key", "import", bind).stdout.count("keys:") == 1
    bind.write_text(bind.read_text() + 'key three { algorithm hmac-sha256; secret "?"; };')
    result = command("key", "import", bind, check=False)
    assert result.returncode == 1 and not result.stdout
    bind.write_text("nothing here")
    assert command("key", "import", bind, check=False).returncode == 1


def test_a_copy_of_the_store_can_be_looked_into(pair, tmp_path):
    primary, _ = pair
    primary.wait_serial("example.org", 1)
    # The keeper may write its state folder only; a copy elsewhere is refused in words.
    copy = primary.folder / "state" / "copy.db"
    primary.run("store", "copy", copy)
    with sqlite3.connect(copy) as database:
        assert database.execute("SELECT count(*) FROM zones").fetchone() == (1,)
    again = primary.run("store", "copy", copy, check=False)
    assert again.returncode == 1 and "copy.db" in again.stderr


def test_export_shows_defaults_and_hides_secrets(pair):
    primary, _ = pair
    text = command("config", "export", primary.config_path).stdout
    assert "bG9ja3N0ZXA" not in text and "tcp-connections" in text
    assert json.loads(command("config", "export", primary.config_path, "--json").stdout)["zones"]


def test_a_secret_that_others_can_read_is_refused(tmp_path):
    config = tmp_path / "open.yaml"
    config.write_text(to_yaml({"keys": [{"name": "a", "secret": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}]}))
    config.chmod(0o644)
    result = command("config", "check", config, check=False)
    assert result.returncode == 1 and "chmod o=" in result.stderr and "c2VjcmV0" not in result.stderr
