# SPDX-License-Identifier: Apache-2.0
"""Zone files are loaded beside everything else: many, broken, edited and removed meanwhile."""
import os
import pty
import subprocess
import time

import pytest

from conftest import ZONE
from harness import LOCKSTEP, Asker, edit, wait_until


def many(tmp_path, count, broken=()):
    """Zone files of their own, and zones of the configuration that name them."""
    zones = []
    for n in range(count):
        path = tmp_path / f"zone{n}.zone"
        path.write_text(ZONE + ("www IN A 192.0.2\n" if n in broken else "www IN A 192.0.2.7\n"))
        zones.append({"name": f"zone{n}.test", "role": "primary", "file": str(path),
                      "secondaries": []})
    return zones


def good_count(server):
    return server.json("status", check=False)["zones_good"]


def large_zone(path, count):
    """A zone file of some MB, in no order."""
    names = ((n * 7919) % count for n in range(count))
    path.write_text(ZONE + "".join(f"h{n} 3600 IN A 192.0.2.{n % 250 + 1}\n" for n in names))
    return path


def test_a_broken_file_among_many_keeps_nobody_back(servers, tmp_path):
    server = servers({"zones": many(tmp_path, 300, broken=(0, 150, 299))}).start()
    wait_until(lambda: good_count(server) == 297, what="297 zones")
    status = server.run("status", check=False)
    assert status.returncode == 3
    for n in (0, 150, 299):
        assert f"zone{n}.zone" in status.stdout
    assert server.ask("www.zone298.test").answer[0][0].address == "192.0.2.7"


def test_many_files_are_looked_at_again_and_only_the_changed_are_loaded(servers, tmp_path):
    server = servers({"zones": many(tmp_path, 300)}).start()
    wait_until(lambda: good_count(server) == 300, what="300 zones")
    edit(tmp_path / "zone7.zone", "192.0.2.7", "192.0.2.8")
    server.run("zone", "reload")
    assert server.ask("www.zone7.test").answer[0][0].address == "192.0.2.8"
    assert server.serial("zone7.test") == 2 and server.serial("zone8.test") == 1


def test_an_edit_while_the_file_is_loaded_is_loaded_as_well(servers, tmp_path):
    path = large_zone(tmp_path / "large.zone", 200000)
    server = servers({"zones": [{"name": "large.test", "role": "primary", "file": str(path),
                                 "secondaries": []}]}).start()
    server.wait_serial("large.test", 1)
    for last in range(1, 5):
        edit(path, "h0 3600 IN A ", f"n{last} 3600 IN A 192.0.2.9\nh0 3600 IN A ")
        server.run("zone", "reload", "large.test")
        assert server.ask(f"n{last}.large.test").answer, last


def test_what_is_loaded_keeps_neither_answers_nor_other_zones_back(servers, tmp_path):
    path = large_zone(tmp_path / "large.zone", 400000)
    zones = many(tmp_path, 1)
    server = servers({"zones": zones}).start()
    server.wait_serial("zone0.test", 1)
    server.configure({"zones": zones + [{"name": "large.test", "role": "primary",
                                         "file": str(path), "secondaries": []}]})
    with Asker(server, "www.zone0.test") as asker:
        server.run("config", "apply")
        edit(tmp_path / "zone0.zone", "192.0.2.7", "192.0.2.8")
        server.run("zone", "reload", "zone0.test")
        assert server.ask("www.zone0.test").answer[0][0].address == "192.0.2.8"
        server.wait_serial("large.test", 1)
    assert not asker.lost


def test_a_zone_that_is_removed_while_it_is_loaded_is_gone(servers, tmp_path):
    path = large_zone(tmp_path / "large.zone", 300000)
    zones = many(tmp_path, 1)
    large = {"name": "large.test", "role": "primary", "file": str(path), "secondaries": []}
    server = servers({"zones": zones}).start()
    server.wait_serial("zone0.test", 1)
    for _ in range(3):
        server.configure({"zones": zones + [large]})
        server.run("config", "apply")
        server.configure({"zones": zones})
        server.run("config", "apply")
        assert server.json("status", check=False)["zones"] == 1
    server.configure({"zones": zones + [large]})
    server.run("config", "apply")
    server.wait_serial("large.test", 1)


def test_a_server_that_is_stopped_while_it_loads_ends(servers, tmp_path):
    path = large_zone(tmp_path / "large.zone", 300000)
    server = servers({"zones": many(tmp_path, 100) + [
        {"name": "large.test", "role": "primary", "file": str(path), "secondaries": []}]}).start()
    assert server.stop() == 0
    server.start()
    server.wait_serial("large.test", 1)
    wait_until(lambda: good_count(server) == 101, what="101 zones")


@pytest.mark.parametrize("depth", [1, 3])
def test_includes_are_loaded_with_their_zone(servers, tmp_path, depth):
    for n in range(depth):
        more = f"$INCLUDE part{n + 1}.zone\n" if n + 1 < depth else ""
        (tmp_path / f"part{n}.zone").write_text(f"part{n} IN A 192.0.2.{n + 1}\n{more}")
    path = tmp_path / "main.zone"
    path.write_text(ZONE + "$INCLUDE part0.zone\n")
    server = servers({"zones": [{"name": "main.test", "role": "primary", "file": str(path),
                                 "secondaries": []}]}).start()
    server.wait_serial("main.test", 1)
    for n in range(depth):
        assert server.ask(f"part{n}.main.test").answer[0][0].address == f"192.0.2.{n + 1}"
    edit(tmp_path / f"part{depth - 1}.zone", f"192.0.2.{depth}", "192.0.2.99")
    server.run("zone", "reload", "main.test")
    assert server.ask(f"part{depth - 1}.main.test").answer[0][0].address == "192.0.2.99"


def loading_percents(server, zone, until):
    """Percents that status tells of while `zone` is loaded."""
    found = []
    while not until():
        for one in server.json("status", check=False)["problems"]:
            if one["name"] == zone and "loading_percent" in one:
                found.append(one["loading_percent"])
    return found


def test_status_tells_how_far_a_large_zone_is(servers, tmp_path):
    path = large_zone(tmp_path / "large.zone", 600000)
    server = servers({"zones": [{"name": "large.test", "role": "primary", "file": str(path),
                                 "secondaries": []}]}).start()
    found = loading_percents(server, "large.test.", lambda: server.serial("large.test") == 1)
    assert found == sorted(found)
    server.wait_good()

    # A zone that is served is good while it is loaded again, and listed.
    shown = []
    for n in range(20):
        edit(path, "h0 3600", f"n{n} 3600 IN A 192.0.2.9\nh0 3600")
        reload = subprocess.Popen([LOCKSTEP, "zone", "reload", "large.test", "-c",
                                   server.config_path], stdout=subprocess.DEVNULL)
        found += loading_percents(server, "large.test.", lambda: reload.poll() is not None or
                                  shown.append(server.run("status").stdout))
        assert reload.returncode == 0 and server.ask(f"n{n}.large.test").answer
        if found and any("LOADING" in text for text in shown):
            break
    assert found and all(0 <= percent < 100 for percent in found)
    assert any("LOADING" in text and "%" in text for text in shown)
    assert "LOADING" not in server.run("status").stdout


def check_on_terminal(*arguments):
    """`lockstep check` with standard error on a terminal: what it drew, and seconds taken."""
    terminal, end = pty.openpty()
    begun = time.monotonic()
    process = subprocess.Popen([LOCKSTEP, "check", *map(str, arguments)], stderr=end,
                               stdout=subprocess.DEVNULL)
    os.close(end)
    drawn = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        drawn += piece
    assert process.wait() == 0
    os.close(terminal)
    return drawn.decode(), time.monotonic() - begun


def test_a_check_that_takes_its_time_shows_a_bar_on_a_terminal_only(tmp_path):
    path = large_zone(tmp_path / "large.zone", 1200000)
    drawn, seconds = check_on_terminal(path, "--origin", "large.test")
    if seconds > 0.8:
        assert "%" in drawn
    if drawn:
        assert drawn.endswith("\r\033[K"), "it is not erased"
    assert check_on_terminal(path, "--origin", "large.test", "--json")[0] == ""
    quiet = subprocess.run([LOCKSTEP, "check", path, "--origin", "large.test"], capture_output=True,
                           text=True, timeout=60)
    assert quiet.returncode == 0 and quiet.stderr == ""
    small = tmp_path / "small.zone"
    small.write_text(ZONE)
    assert check_on_terminal(small, "--origin", "small.test")[0] == ""
