# SPDX-License-Identifier: Apache-2.0
"""A start answers from images that were packed before, and believes none of them blindly."""
import os
import shutil
import signal
import time

import pytest

from conftest import ZONE
from harness import Asker, edit, wait_until

NAME = "example.org"


def images(server):
    return server.json("status", check=False)["images"]


def wait_packed(server):
    """Every image lies in a pack, and nothing in memory is read any more."""
    def claim():
        now = images(server)
        return now["zones_to_pack"] == 0 and now["packs"] and not now["segment_octets_live"]
    wait_until(claim, what=lambda: f"images are packed: {images(server)}\n{server.log}")


def packs(server):
    return sorted((server.folder / "state" / "images").iterdir())


@pytest.fixture
def primary(servers, tmp_path):
    """A primary whose zone is packed; it runs."""
    zone_file = tmp_path / "example.org.zone"
    zone_file.write_text(ZONE)
    server = servers({"zones": [{"name": NAME, "role": "primary", "file": str(zone_file),
                                 "secondaries": []}]})
    server.zone_file = zone_file
    server.start()
    wait_packed(server)
    return server


def change(server, serial):
    """Another version from the zone file."""
    server.zone_file.write_text(ZONE.replace(" 1 3600", f" {serial} 3600")
                                + f"host{serial} IN A 192.0.2.{serial % 250}\n")
    server.run("zone", "reload", NAME)
    server.wait_serial(NAME, serial)


def address(server, name):
    return [record.address for rrset in server.ask(name).answer for record in rrset]


def test_a_start_answers_without_the_zone_file(primary):
    primary.stop()
    primary.zone_file.unlink()
    primary.start()
    assert primary.serial(NAME) == 1
    assert address(primary, "www.example.org") == ["192.0.2.80"]
    text = primary.run("status", check=False).stdout
    assert " in 1 pack " in text and " free\n" in text
    # Only then was the file looked for.
    wait_until(lambda: primary.zone_state(NAME) == "refused", what="the missing file is told")
    assert primary.serial(NAME) == 1


def test_changes_go_on_after_a_start_from_a_pack(primary):
    primary.stop()
    primary.start()
    change(primary, 2)
    assert address(primary, "host2.example.org") == ["192.0.2.2"]
    primary.stop()
    # The pack has the version before: it is not served.
    primary.start()
    assert primary.serial(NAME) == 2
    assert address(primary, "host2.example.org") == ["192.0.2.2"]
    wait_packed(primary)
    assert len(packs(primary)) == 1


def damage(path, change_octets):
    octets = bytearray(path.read_bytes())
    change_octets(octets)
    path.write_bytes(octets)


def flip(what):
    def change_octets(octets):
        at = octets.rindex(what)
        octets[at] ^= 0xff
    return change_octets


def test_a_damaged_image_is_named_and_healed(primary):
    primary.stop()
    old, = packs(primary)
    damage(old, flip(bytes([192, 0, 2, 80])))
    primary.start()
    primary.wait_log("image-damaged")
    assert "zone=example.org" in primary.log and old.name in primary.log
    wait_until(lambda: address(primary, "www.example.org") == ["192.0.2.80"],
               what="the answer is right again")
    wait_packed(primary)
    wait_until(lambda: old not in packs(primary), what="the damaged pack is removed")
    primary.stop()
    primary.log = ""
    primary.start()
    assert address(primary, "www.example.org") == ["192.0.2.80"]
    wait_packed(primary)
    assert "image-damaged" not in primary.log


def test_a_damaged_header_is_not_served(primary):
    primary.stop()
    old, = packs(primary)
    damage(old, lambda octets: octets.__setitem__(64 + 40, octets[64 + 40] ^ 1))
    primary.start()
    assert "image-damaged" in primary.log
    assert address(primary, "www.example.org") == ["192.0.2.80"]


@pytest.mark.parametrize("what, change_octets", [
    ("its table does not match", flip(b"\x07example\x03org\x00" + b"\0" * 3)),
    ("its end is not there", lambda octets: octets.__delitem__(slice(-100, None))),
    ("it is cut off", lambda octets: octets.__delitem__(slice(50, None))),
    ("it is empty", lambda octets: octets.clear()),
    ("has format", lambda octets: octets.__setitem__(12, 99)),
    ("byte order", lambda octets: octets.__setitem__(slice(8, 12), octets[11:7:-1])),
])
def test_a_pack_that_cannot_be_used_is_told_and_replaced(primary, what, change_octets):
    primary.stop()
    old, = packs(primary)
    damage(old, change_octets)
    primary.start()
    assert "pack-refused" in primary.log and what in primary.log
    assert address(primary, "www.example.org") == ["192.0.2.80"]
    wait_packed(primary)
    assert old not in packs(primary)


def test_a_store_from_a_backup_is_not_overridden_by_a_pack(primary, tmp_path):
    primary.stop()
    state = primary.folder / "state"
    shutil.copy(state / "lockstep.db", tmp_path / "backup.db")
    primary.start()
    change(primary, 2)
    change(primary, 3)
    wait_packed(primary)
    primary.stop()
    primary.zone_file.unlink()
    shutil.copy(tmp_path / "backup.db", state / "lockstep.db")
    primary.start()
    assert primary.serial(NAME) == 1
    assert "image-unknown" in primary.log
    assert not address(primary, "host3.example.org")


def test_an_empty_store_takes_nothing_from_packs(primary):
    primary.stop()
    (primary.folder / "state" / "lockstep.db").unlink()
    with pytest.raises(AssertionError):
        primary.start()
    assert "no lockstep.db" in primary.log


def test_a_keeper_that_is_killed_while_it_packs_loses_nothing(servers, tmp_path):
    zones = []
    for i in range(40):
        path = tmp_path / f"z{i}.zone"
        path.write_text(ZONE)
        zones.append({"name": f"z{i}.test", "role": "primary", "file": str(path),
                      "secondaries": []})
    server = servers({"zones": zones}).start()
    began = time.monotonic()
    with Asker(server, "www.z7.test") as asker:
        for turn, pause in enumerate((3.0, 3.005, 3.01, 0.2)):
            time.sleep(max(0.0, began + pause - time.monotonic()))
            keeper = server.processes()["keeper"]
            os.kill(keeper, signal.SIGKILL)
            wait_until(lambda: server.processes().get("keeper") not in (None, keeper),
                       what="another keeper")
            began = time.monotonic()
            edit(tmp_path / "z3.zone", f" {turn + 1} 3600", f" {turn + 2} 3600")
            server.run("zone", "reload", "z3.test")
            server.wait_serial("z3.test", turn + 2)
        wait_packed(server)
    assert asker.lost == []
    server.stop(signal.SIGTERM)
    server.start()
    for i in range(40):
        assert server.serial(f"z{i}.test") == (5 if i == 3 else 1)


def test_a_server_that_is_killed_starts_again_with_every_change(primary):
    for serial in range(2, 6):
        change(primary, serial)
        for pid in [*primary.processes().values(), primary.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        primary.process.wait()
        primary.start()
        assert primary.serial(NAME) == serial


def test_memory_returns_after_large_reloads(primary):
    records = "".join(f"n{i} IN A 10.0.{i >> 8}.{i & 255}\n" for i in range(20000))
    for serial in range(2, 9):
        primary.zone_file.write_text(ZONE.replace(" 1 3600", f" {serial} 3600") + records
                                     + f"x{serial} IN A 192.0.2.1\n")
        primary.run("zone", "reload", NAME)
        primary.wait_serial(NAME, serial)
    wait_packed(primary)
    now = images(primary)
    image = primary.json("zone", "status", NAME)["image_octets"]
    wait_until(lambda: images(primary)["segment_octets"] <= 1 << 20, what="memory is given back")
    assert now["pack_octets_live"] == image
    assert now["pack_octets"] <= 2 * image + (64 << 20)


def test_a_secondary_starts_without_its_primary(pair):
    primary, secondary = pair
    secondary.wait_serial(NAME, 1)
    wait_packed(secondary)
    secondary.stop()
    primary.stop()
    secondary.start()
    assert secondary.serial(NAME) == 1


def test_an_expired_copy_stays_expired(servers, tmp_path):
    zone_file = tmp_path / "short.zone"
    zone_file.write_text(ZONE.replace("3600 600 86400 300", "2 2 6 300"))
    remote = {"name": "east", "address": "127.0.0.1@1"}
    primary = servers({"zones": [{"name": NAME, "role": "primary", "file": str(zone_file),
                                  "allow-transfer": "any", "secondaries": []}]}, name="primary")
    primary.start()
    remote["address"] = f"127.0.0.1@{primary.port}"
    secondary = servers({"remotes": [remote],
                         "zones": [{"name": NAME, "role": "secondary", "primaries": "east",
                                    "secondaries": []}]}, name="secondary")
    secondary.start()
    secondary.wait_serial(NAME, 1)
    wait_packed(secondary)
    primary.stop()
    secondary.stop()
    time.sleep(7)
    secondary.start()
    assert secondary.serial(NAME) is None
    assert secondary.ask(NAME, "SOA").rcode() == 2


# --- a large zone: a change is a layer over what is there ---

HOSTS = 20000  # their image is far above what is written whole


@pytest.fixture
def large(servers, tmp_path):
    """A primary with a large zone, whose image is packed."""
    zone_file = tmp_path / "example.org.zone"
    zone_file.write_text(ZONE + "".join(f"h{n} IN A 192.0.2.{n % 250}\n" for n in range(HOSTS)))
    server = servers({"zones": [{"name": NAME, "role": "primary", "file": str(zone_file),
                                 "secondaries": []}]})
    server.zone_file = zone_file
    server.start()
    server.wait_serial(NAME, 1)
    wait_packed(server)
    return server


def image_octets(server):
    return server.json("zone", "status", NAME)["image_octets"]


def reload(server, serial):
    server.run("zone", "reload", NAME)
    server.wait_serial(NAME, serial)


def exported(server):
    """The zone's records in the order of their lines, without the SOA."""
    lines = server.run("zone", "export", NAME).stdout.splitlines()
    return sorted(line.split() for line in lines if line[:1] not in ";$" and " SOA " not in line
                  and "\tSOA\t" not in line)


def test_a_change_of_a_large_zone_is_a_layer_until_it_is_packed(large):
    whole = image_octets(large)
    before = exported(large)
    edit(large.zone_file, "h7 IN A 192.0.2.7\n", "h7 IN A 198.51.100.7\nnew.deep.h9 IN TXT new\n")
    edit(large.zone_file, "h8 IN A 192.0.2.8\n", "")
    reload(large, 2)
    # One layer more, and a small one.
    assert 0 < image_octets(large) - whole < 4096
    assert address(large, "h7.example.org") == ["198.51.100.7"]
    assert address(large, "h9.example.org") == ["192.0.2.9"]
    assert large.ask("h8.example.org").rcode() == 3
    assert large.ask("deep.h9.example.org").rcode() == 0
    edit(large.zone_file, "new.deep.h9 IN TXT new\n", "")
    reload(large, 3)
    assert large.ask("deep.h9.example.org").rcode() == 3
    edit(large.zone_file, "h7 IN A 198.51.100.7\n", "h7 IN A 192.0.2.7\nh8 IN A 192.0.2.8\n")
    reload(large, 4)
    assert exported(large) == before
    # The layers become one image in a pack, with which the next start begins.
    wait_packed(large)
    assert abs(image_octets(large) - whole) < 4096
    large.stop()
    large.zone_file.unlink()
    large.start()
    assert large.serial(NAME) == 4 and exported(large) == before


def test_many_changes_of_a_large_zone_keep_its_layers_small(large):
    whole = image_octets(large)
    with Asker(large, "h5.example.org") as asker:
        for serial in range(2, 42):
            edit(large.zone_file, f"h{serial} IN A 192.0.2.{serial % 250}\n",
                 f"h{serial} IN A 198.51.100.1\n" + "".join(
                     f"n{serial}-{n} IN A 203.0.113.1\n" for n in range(20)))
            reload(large, serial)
            assert image_octets(large) < 1.2 * whole
    assert not asker.lost
    assert address(large, "n41-19.example.org") == ["203.0.113.1"]
    assert len(exported(large)) == 5 + HOSTS + 40 * 20
