# SPDX-License-Identifier: Apache-2.0
"""Zone files and their serials, copies and their age, chains of servers."""
import time

import dns.rcode
import pytest

from conftest import KEY, ZONE
from harness import free_port, wait_until

NAME = "example.org"


@pytest.fixture
def primary(servers, tmp_path):
    """A primary alone, and a way to write its zone file."""

    def make(text=ZONE, **more):
        path = tmp_path / "example.org.zone"
        if text is not None:
            path.write_text(text)
        server = servers({"zones": [{"name": NAME, "role": "primary", "file": str(path),
                                     "secondaries": [], **more}]}, name="primary")
        server.zone_file = path
        return server.start()

    return make


def reload_zone(server, text, check=True):
    server.zone_file.write_text(text)
    return server.run("zone", "reload", NAME, check=check)


def test_a_broken_file_keeps_the_last_good_version_over_a_restart(primary):
    server = primary()
    server.wait_serial(NAME, 1)
    assert reload_zone(server, ZONE + "www IN A 192.0.2\n", check=False).returncode == 1
    assert server.stop() == 0
    server.start()
    server.wait_serial(NAME, 1)
    status = wait_until(lambda: server.json("zone", "status", NAME).get("problem"), what="the problem")
    assert "example.org.zone:8" in status


def test_all_errors_of_a_file_are_told_at_once(primary):
    server = primary()
    server.wait_serial(NAME, 1)
    result = reload_zone(server, ZONE + "a IN A 1\nb IN MX x ns1\nc IN BOGUS y\n", check=False)
    for line in (8, 9, 10):
        assert f"example.org.zone:{line}:" in result.stderr
    assert "serial 1 is served on" in result.stderr


def test_an_included_file_that_is_missing_is_told_where_it_is_named(primary):
    server = primary()
    server.wait_serial(NAME, 1)
    result = reload_zone(server, ZONE + "$INCLUDE hosts.zone\n", check=False)
    assert result.returncode == 1 and "hosts.zone" in result.stderr and ":8:" in result.stderr


def test_an_included_file_belongs_to_the_zone(primary, tmp_path):
    server = primary()
    hosts = tmp_path / "hosts.zone"
    hosts.write_text("h1 IN A 192.0.2.101\n")
    reload_zone(server, ZONE + "$INCLUDE hosts.zone\n")
    assert server.ask(f"h1.{NAME}").answer[0][0].address == "192.0.2.101"
    hosts.write_text("h1 IN A 192.0.2.102\n")
    server.run("zone", "reload", NAME)
    assert server.ask(f"h1.{NAME}").answer[0][0].address == "192.0.2.102"


def test_an_unchanged_file_is_nothing_new(primary):
    server = primary()
    server.wait_serial(NAME, 1)
    assert "nothing new; serial 1 stays" in server.run("zone", "reload", NAME).stdout
    assert "nothing new" in reload_zone(server, ZONE + "; a comment\n").stdout


def test_a_missing_file_leaves_one_zone_without_answers_and_the_others_with(servers, tmp_path):
    good = tmp_path / "good.zone"
    good.write_text(ZONE)
    server = servers({"zones": [
        {"name": "good.test", "role": "primary", "file": str(good), "secondaries": []},
        {"name": "bad.test", "role": "primary", "file": str(tmp_path / "none.zone"), "secondaries": []},
    ]}).start()
    server.wait_serial("good.test", 1)
    assert server.ask("bad.test", "SOA").rcode() == dns.rcode.SERVFAIL
    status = server.run("status", check=False)
    assert status.returncode == 3 and "EMPTY" in status.stdout and "none.zone" in status.stdout


@pytest.mark.parametrize("policy, expected", [
    ("increment", lambda s: s == 2),
    ("unixtime", lambda s: abs(s - time.time()) < 60),
    ("dateserial", lambda s: str(s).startswith(time.strftime("%Y%m%d", time.gmtime()))),
])
def test_a_changed_file_with_its_old_serial_gets_the_next_by_policy(primary, policy, expected):
    server = primary(serial=policy)
    server.wait_serial(NAME, 1)
    reload_zone(server, ZONE + "n IN A 192.0.2.9\n")
    assert expected(server.serial(NAME)), server.serial(NAME)


def test_serial_file_refuses_a_change_under_the_old_serial_and_names_both(primary):
    server = primary(serial="file")
    server.wait_serial(NAME, 1)
    result = reload_zone(server, ZONE + "n IN A 192.0.2.9\n", check=False)
    assert result.returncode == 1 and "serial 1 is not newer than 1" in result.stderr
    reload_zone(server, ZONE.replace("hostmaster 1 ", "hostmaster 5 ") + "n IN A 192.0.2.9\n")
    assert server.serial(NAME) == 5


def test_a_reload_is_a_change_and_a_restart_finds_every_one(primary):
    server = primary()
    text = ZONE
    for n in range(2, 12):
        text += f"n{n} IN A 192.0.2.{n}\n"
        reload_zone(server, text)
    digest = server.json("zone", "status", NAME)["digest"]
    assert server.stop() == 0
    server.start()
    server.wait_serial(NAME, 11)
    assert server.json("zone", "status", NAME)["digest"] == digest


FAST = ZONE.replace("3600 600 86400 300", "2 1 4 1")


def remote(name, port):
    return {"name": name, "address": f"127.0.0.1@{port}", "keys": KEY["name"]}


def make_pair(servers, tmp_path, text):
    path = tmp_path / "example.org.zone"
    path.write_text(text)
    ports = free_port(), free_port()
    one = servers({"keys": [KEY], "remotes": [remote("two", ports[1])],
                   "zones": [{"name": NAME, "role": "primary", "file": str(path), "secondaries": "two"}]},
                  name="one", port=ports[0])
    two = servers({"keys": [KEY], "remotes": [remote("one", ports[0])],
                   "zones": [{"name": NAME, "role": "secondary", "primaries": "one"}]},
                  name="two", port=ports[1])
    one.zone_file = path
    return one.start(), two.start()


def test_a_copy_expires_without_its_primary_and_lives_again_with_it(servers, tmp_path):
    """RFC 1034 4.3.5: refresh 2, retry 1, expire 4 seconds."""
    one, two = make_pair(servers, tmp_path, FAST)
    two.wait_serial(NAME, 1)
    one.stop()
    wait_until(lambda: two.ask(NAME, "SOA").rcode() == dns.rcode.SERVFAIL, what="SERVFAIL")
    status = two.run("status", check=False)
    assert status.returncode == 3 and "EXPIRED" in status.stdout
    one.start()
    two.wait_serial(NAME, 1)
    assert "good" in two.run("status").stdout


def test_an_expired_copy_stays_expired_over_a_restart(servers, tmp_path):
    one, two = make_pair(servers, tmp_path, FAST)
    two.wait_serial(NAME, 1)
    one.stop()
    two.stop()
    time.sleep(5)  # longer than expire
    two.start()
    assert two.ask(NAME, "SOA").rcode() == dns.rcode.SERVFAIL


def test_refresh_finds_a_change_although_no_notify_came(servers, tmp_path):
    one, two = make_pair(servers, tmp_path, FAST)
    two.wait_serial(NAME, 1)
    # Under another address it is nobody's secondary: no NOTIFY.
    one.configure({"keys": [KEY], "remotes": [remote("two", two.port)],
                   "zones": [{"name": NAME, "role": "primary", "file": str(one.zone_file),
                              "secondaries": [], "allow-transfer": {"key": KEY["name"]}}]})
    one.run("config", "apply")
    reload_zone(one, FAST + "n IN A 192.0.2.9\n")
    two.wait_serial(NAME, 2)


def test_force_takes_an_older_serial_and_nothing_else_does(servers, tmp_path):
    one, two = make_pair(servers, tmp_path, ZONE.replace("hostmaster 1 ", "hostmaster 100 "))
    two.wait_serial(NAME, 100)
    one.stop()
    for path in sorted((one.folder / "state").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    one.zone_file.write_text(ZONE)  # serial 1: as from an old backup
    one.start()
    one.wait_serial(NAME, 1)
    result = two.run("zone", "refresh", NAME, check=False)
    assert result.returncode == 1 and "serial 1, which is not newer than 100" in result.stderr
    assert two.serial(NAME) == 100
    two.run("zone", "refresh", NAME, "--force")
    assert two.serial(NAME) == 1


def test_a_chain_of_three_passes_a_change_on(servers, tmp_path):
    path = tmp_path / "example.org.zone"
    path.write_text(ZONE)
    ports = [free_port() for _ in range(3)]
    zone = {"name": NAME}
    one = servers({"keys": [KEY], "remotes": [remote("two", ports[1])],
                   "zones": [{**zone, "role": "primary", "file": str(path), "secondaries": "two"}]},
                  name="one", port=ports[0])
    two = servers({"keys": [KEY], "remotes": [remote("one", ports[0]), remote("three", ports[2])],
                   "zones": [{**zone, "role": "secondary", "primaries": "one", "secondaries": "three"}]},
                  name="two", port=ports[1])
    three = servers({"keys": [KEY], "remotes": [remote("two", ports[1])],
                     "zones": [{**zone, "role": "secondary", "primaries": "two"}]},
                    name="three", port=ports[2])
    one.zone_file = path
    for server in (one, two, three):
        server.start()
    three.wait_serial(NAME, 1)
    reload_zone(one, ZONE + "n IN A 192.0.2.9\n")
    three.wait_serial(NAME, 2)
    digests = {s.json("zone", "status", NAME)["digest"] for s in (one, two, three)}
    assert len(digests) == 1


def test_each_is_primary_for_one_zone_and_secondary_for_the_other(servers, tmp_path):
    ports = free_port(), free_port()
    made = []
    for me, other in ((0, 1), (1, 0)):
        path = tmp_path / f"{me}.zone"
        path.write_text(ZONE)
        made.append(servers({
            "keys": [KEY], "remotes": [remote("peer", ports[other])],
            "zones": [{"name": f"zone{me}.test", "role": "primary", "file": str(path), "secondaries": "peer"},
                      {"name": f"zone{other}.test", "role": "secondary", "primaries": "peer"}],
        }, name=f"server{me}", port=ports[me]).start())
    for server in made:
        for zone in ("zone0.test", "zone1.test"):
            server.wait_serial(zone, 1)


def test_a_transfer_needs_address_and_key(pair):
    primary, _ = pair
    primary.wait_serial(NAME, 1)
    from dns import query, zone as dnszone, tsigkeyring, xfr
    ring = tsigkeyring.from_text({"xfer": KEY["secret"]})
    signed = dnszone.from_xfr(query.xfr("127.0.0.1", NAME, port=primary.port, keyring=ring, keyname="xfer"))
    assert len(signed.nodes) == 4
    with pytest.raises(xfr.TransferError):
        list(query.xfr("127.0.0.1", NAME, port=primary.port))
    wait_until(lambda: "transfer-refused" in primary.log and "xfer" in primary.log, what="a line in the log")
