# SPDX-License-Identifier: Apache-2.0
"""A crash's way: each process may die; answers go on or come back, and nothing is lost."""
import os
import pathlib
import signal
import threading

import dns.message
import dns.query
import pytest

from harness import wait_until

ZONE = "example.org"


def processes(server):
    return {p["name"]: p for p in server.json("status", check=False)["processes"]}


def kill(server, name):
    """SIGKILL to the process of that name; returns when another one does its work."""
    before = processes(server)[name]
    os.kill(before["pid"], signal.SIGKILL)

    def is_back():
        status = server.run("status", "--json", check=False)
        if status.returncode not in (0, 3):
            return False
        now = processes(server)[name]
        return now["pid"] not in (0, before["pid"]) and now["restarts"] > before["restarts"]

    wait_until(is_back, what=f"{name} is back")


class Asking:
    """Asks without a pause in a thread of its own, and counts what came of it."""

    def __init__(self, port):
        self.port, self.good, self.bad, self.ended = port, 0, [], threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def _run(self):
        while not self.ended.is_set():
            query = dns.message.make_query(f"www.{ZONE}", "A")
            try:
                reply = dns.query.udp(query, "127.0.0.1", timeout=1, port=self.port)
                if reply.answer and not reply.rcode():
                    self.good += 1
                else:
                    self.bad.append(reply.to_text())
            except Exception as error:  # pylint: disable=broad-except
                self.bad.append(repr(error))


@pytest.mark.parametrize("name", ["keeper", "courier"])
def test_no_answer_is_lost_when_it_is_killed(pair, name):
    primary, secondary = pair
    secondary.wait_serial(ZONE, 1)
    with Asking(secondary.port) as asking:
        for _ in range(3):
            kill(secondary, name)
    assert asking.good > 10
    assert not asking.bad, asking.bad[:3]
    assert secondary.serial(ZONE) == 1 and primary.serial(ZONE) == 1


def test_a_killed_front_answers_again(pair):
    _, secondary = pair
    secondary.wait_serial(ZONE, 1)
    kill(secondary, "front")
    secondary.wait_serial(ZONE, 1)


def test_a_change_arrives_although_every_process_was_killed(pair):
    primary, secondary = pair
    secondary.wait_serial(ZONE, 1)
    for server in pair:
        for name in ("courier", "keeper", "front"):
            kill(server, name)
    text = primary.zone_file.read_text()
    primary.zone_file.write_text(text.replace("192.0.2.80", "192.0.2.83"))
    primary.run("zone", "reload", ZONE)
    primary.wait_serial(ZONE, 2)
    secondary.wait_serial(ZONE, 2)


def test_status_says_who_died(pair):
    primary, _ = pair
    kill(primary, "courier")
    status = primary.run("status", check=False).stdout
    assert "courier restarted 1 time" in status and "signal 9" in status


def children_of(pid):
    return [int(child) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_running(pair, how):
    primary, _ = pair
    children = children_of(primary.process.pid)
    assert len(children) >= 3
    assert primary.stop(how) == 0
    for child in children:
        assert not pathlib.Path(f"/proc/{child}").exists(), child


def test_the_others_end_with_a_killed_supervisor(pair):
    primary, _ = pair
    children = children_of(primary.process.pid)
    primary.process.kill()
    primary.process.wait()
    wait_until(lambda: not any(pathlib.Path(f"/proc/{c}").exists() and
                               "Z" not in pathlib.Path(f"/proc/{c}/stat").read_text().split(")")[1][:3]
                               for c in children), what="the children end")


def test_each_process_stands_behind_its_walls(pair):
    primary, _ = pair
    for name in ("keeper", "courier", "front"):
        walls = processes(primary)[name]["walls"]
        assert "no_new_privs" in walls and "seccomp" in walls, (name, walls)


def test_a_crash_between_two_changes_loses_neither(pair):
    """Promise 1 and 4: what was told as served is there after SIGKILL; serials do not go back."""
    primary, secondary = pair
    secondary.wait_serial(ZONE, 1)
    for serial in range(2, 8):
        text = primary.zone_file.read_text()
        primary.zone_file.write_text(text + f"n{serial} IN A 192.0.2.{serial}\n")
        primary.run("zone", "reload", ZONE)
        os.kill(processes(primary)["keeper"]["pid"], signal.SIGKILL)
        wait_until(lambda: primary.run("zone", "list", check=False).returncode == 0, what="keeper")
        assert primary.serial(ZONE) == serial
    secondary.wait_serial(ZONE, 7)
    assert secondary.ask(f"n7.{ZONE}").answer[0][0].address == "192.0.2.7"


def test_status_without_a_keeper_says_so_and_nothing_made_up(pair):
    _, secondary = pair
    secondary.wait_serial(ZONE, 1)
    before = processes(secondary)["keeper"]
    database = secondary.folder / "state" / "lockstep.db"
    database.rename(database.with_suffix(".away"))
    database.mkdir()  # a keeper that starts finds no store
    os.kill(before["pid"], signal.SIGKILL)
    wait_until(lambda: processes(secondary)["keeper"]["restarts"] > 1, what="the keeper falls again")
    status = secondary.run("status", check=False)
    assert status.returncode == 3
    assert "KEEPER " in status.stdout and "keeper restarted" in status.stdout
    assert "0 zones" not in status.stdout and "up " not in status.stdout
    assert "lockstep.db" in secondary.log
    assert secondary.serial(ZONE) == 1
    database.rmdir()
    database.with_suffix(".away").rename(database)
    wait_until(lambda: "KEEPER" not in secondary.run("status", check=False).stdout,
               what="the keeper is back")
