# SPDX-License-Identifier: Apache-2.0
"""`make run` as somebody meets it who has just cloned: tools/run on a terminal."""
import contextlib
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import dns.message
import dns.query
import pytest

from harness import LOCKSTEP, PATIENCE, ROOT, children, edit, is_alive, wait_until

AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]
IN_STEP = r"primary serial (\d+)   secondary serial \1   in step"


class Terminal:
    """tools/run on a pseudo-terminal; what it shows is kept in `screen`."""

    def __init__(self, folder, *arguments, before=(), environment=None):
        self.folder = pathlib.Path(folder)
        self.screen = ""
        pid, self.fd = pty.fork()
        if pid == 0:
            command = [*before, str(ROOT / "tools" / "run"), "--lockstep", str(LOCKSTEP),
                       "--folder", str(self.folder), *arguments]
            os.execvpe(command[0], command, environment or os.environ)
        self.pid, self.status = pid, None
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            select.select([self.fd], [], [])
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return  # EIO: nobody writes to it any more
            if not data:
                return
            self.screen += data.decode(errors="replace")

    def shows(self, pattern, since=0):
        """Waits until the screen shows the pattern behind the offset; the match."""
        return wait_until(lambda: re.search(pattern, self.screen[since:]),
                          what=lambda: f"the screen shows {pattern!r}:\n{self.screen}\n")

    def ports(self):
        return [int(self.shows(rf"{name} +127\.0\.0\.1 port (\d+)").group(1))
                for name in ("primary", "secondary")]

    def serial(self):
        return int(self.shows(IN_STEP).group(1))

    def servers(self):
        """Every process of both servers."""
        supervisors = [pid for _, pid in children(self.pid)]
        return {*supervisors, *(pid for s in supervisors for _, pid in children(s))}

    def press(self, data):
        os.write(self.fd, data)

    def end(self):
        """Its exit status, when it has ended by itself."""
        def ended():
            if self.status is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.status = os.waitstatus_to_exitcode(status)
            return self.status is not None
        wait_until(ended, what=lambda: f"tools/run ends:\n{self.screen}\n")
        self.reader.join(PATIENCE)
        return self.status

    def close(self):
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            self.end()
        os.close(self.fd)


@pytest.fixture
def terminal():
    made = []

    def make(*arguments, **more):
        made.append(Terminal(*arguments, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def address(port, name="www.lockstep.test"):
    reply = dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", port=port,
                          timeout=PATIENCE)
    return sorted(a.address for a in reply.answer[0])


def test_an_edit_moves_both_and_a_mistake_moves_nothing(terminal, tmp_path):
    run = terminal(tmp_path / "run")
    ports = run.ports()
    first = run.serial()
    zone = pathlib.Path(run.shows(r"EDITOR (\S+)").group(1))
    servers = run.servers()
    assert len(servers) == 8

    edit(zone, "192.0.2.80", "192.0.2.99")
    run.shows(rf"secondary serial {first + 1}   in step")
    assert [address(port) for port in ports] == [["192.0.2.81", "192.0.2.99"]] * 2

    before = len(run.screen)
    edit(zone, "192.0.2.99", "192.0.2.999")
    run.shows(r"lockstep\.test\.zone:\d+:\d+: .*192\.0\.2\.999", before)
    run.shows(r"\n +\^~+", before)
    assert [address(port) for port in ports] == [["192.0.2.81", "192.0.2.99"]] * 2

    edit(zone, "192.0.2.999", "192.0.2.98")
    run.shows(rf"secondary serial {first + 2}   in step")

    run.press(b"\x03")
    assert run.end() == 0
    assert "both servers have ended" in run.screen
    assert not any(is_alive(pid) for pid in servers)

    again = terminal(tmp_path / "run")
    assert again.serial() == first + 2
    assert address(again.ports()[1]) == ["192.0.2.81", "192.0.2.98"]


def test_other_ports_are_taken_when_the_usual_ones_are_busy(terminal, tmp_path):
    with contextlib.ExitStack() as stack:
        for port, kind in ((5300, socket.SOCK_STREAM), (5301, socket.SOCK_DGRAM)):
            s = stack.enter_context(socket.socket(socket.AF_INET, kind))
            with contextlib.suppress(OSError):  # then it is taken by somebody else
                s.bind(("127.0.0.1", port))
        run = terminal(tmp_path / "run")
        assert not {5300, 5301} & set(run.ports())
        run.shows(IN_STEP)


def test_edits_made_while_it_did_not_run_are_served(terminal, tmp_path):
    run = terminal(tmp_path / "run")
    first = run.serial()
    run.press(b"\x03")
    assert run.end() == 0
    edit(tmp_path / "run" / "lockstep.test.zone", "192.0.2.80", "192.0.2.79")
    again = terminal(tmp_path / "run")
    again.shows(rf"secondary serial {first + 1}   in step")
    assert address(again.ports()[1]) == ["192.0.2.79", "192.0.2.81"]


def test_a_mistake_made_meanwhile_is_shown_and_the_good_version_served(terminal, tmp_path):
    run = terminal(tmp_path / "run")
    first = run.serial()
    run.press(b"\x03")
    assert run.end() == 0
    edit(tmp_path / "run" / "lockstep.test.zone", "192.0.2.80", "192.0.2.800")
    again = terminal(tmp_path / "run")
    again.shows(r"lockstep\.test\.zone:\d+:\d+: .*192\.0\.2\.800")
    again.shows(rf"secondary serial {first}   in step")


def test_a_zone_of_ones_own_is_read_and_never_written(terminal, tmp_path):
    zone = tmp_path / "mine.zone"
    text = ("$TTL 300\n@ SOA ns hostmaster 7 3600 600 86400 300\n  NS ns\nns A 192.0.2.1\n"
            "www A 192.0.2.5\n")
    zone.write_text(text)
    run = terminal(tmp_path / "run", "--zone", str(zone), "--origin", "my.example")
    assert run.serial() == 7
    assert address(run.ports()[1], "www.my.example") == ["192.0.2.5"]
    assert zone.read_text() == text


def test_a_second_one_in_the_same_folder_leaves_the_first_alone(terminal, tmp_path):
    run = terminal(tmp_path / "run")
    run.shows(IN_STEP)
    second = terminal(tmp_path / "run")
    assert second.end() == 1
    assert re.search(r"another one runs in \S+", second.screen)
    edit(tmp_path / "run" / "lockstep.test.zone", "192.0.2.80", "192.0.2.79")
    before = len(run.screen)
    run.shows(IN_STEP, before)
    assert address(run.ports()[1]) == ["192.0.2.79", "192.0.2.81"]


def test_names_with_spaces_and_marks(terminal, tmp_path):
    zone = tmp_path / "it's: a #zone.txt"
    zone.write_text("$TTL 300\n@ SOA ns hostmaster 7 3600 600 86400 300\n  NS ns\nns A 192.0.2.1\n")
    run = terminal(tmp_path / "my run: #1", "--zone", str(zone), "--origin", "my.example")
    assert run.serial() == 7


def test_a_zone_without_its_name_and_a_name_without_its_zone_are_refused(terminal, tmp_path):
    zone = tmp_path / "mine.zone"
    zone.write_text("")
    for arguments in (["--zone", str(zone)], ["--origin", "a.example"],
                      ["--zone", str(tmp_path / "none"), "--origin", "a.example"]):
        run = terminal(tmp_path / "run", *arguments)
        assert run.end() == 2
        assert "usage" in run.screen
        assert "Traceback" not in run.screen


def test_the_root_zone(terminal, tmp_path):
    zone = ROOT.parent / "shared" / "data" / "root.zone"
    if not zone.exists():
        pytest.skip("no copy of the root zone here")
    run = terminal(tmp_path / "run", "--zone", str(zone), "--origin", ".")
    run.shows(IN_STEP)
    port = run.ports()[1]
    reply = dns.query.udp(dns.message.make_query("www.example.org", "A"), "127.0.0.1", port=port,
                          timeout=PATIENCE)
    assert {rrset.name.to_text() for rrset in reply.authority} == {"org."}


def nobody_can_read(*paths):
    test = " && ".join(f"test -r '{path}'" for path in paths)
    return subprocess.run([*AS_NOBODY, "sh", "-c", test]).returncode == 0


@pytest.fixture
def folder_of_nobody():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-run-"))
    os.chown(folder, 65534, 65534)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run without root already")
def test_it_needs_no_root(terminal, folder_of_nobody):
    if not shutil.which("setpriv") or not nobody_can_read(LOCKSTEP, ROOT / "tools" / "run"):
        pytest.skip("another user cannot read this folder")
    run = terminal(folder_of_nobody / "run", before=AS_NOBODY)
    run.shows(IN_STEP)
    run.press(b"\x03")
    assert run.end() == 0


def test_its_own_end_by_signal_ends_the_servers(terminal, tmp_path):
    run = terminal(tmp_path / "run")
    run.shows(IN_STEP)
    servers = run.servers()
    os.kill(run.pid, signal.SIGTERM)
    assert run.end() == 0
    assert servers and not any(is_alive(pid) for pid in servers)


def test_a_server_that_ends_by_itself_is_told(terminal, tmp_path):
    run = terminal(tmp_path / "run")
    run.shows(IN_STEP)
    servers = run.servers()
    victim = min(pid for _, pid in children(run.pid))
    os.kill(victim, signal.SIGKILL)
    assert run.end() == 1
    assert re.search(r"the (primary|secondary) has ended by itself; see \S+\.log", run.screen)
    wait_until(lambda: not any(is_alive(pid) for pid in servers), what="no process is left")
