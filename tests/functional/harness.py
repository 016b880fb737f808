# SPDX-License-Identifier: Apache-2.0
"""Real servers on loopback for the functional tests.

Every server has a folder, free ports and an end: whatever a test starts is stopped by
its own process id, also when the test fails.
"""
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCKSTEP = pathlib.Path(os.environ.get("LOCKSTEP", ROOT / "build" / "lockstep"))
PATIENCE = 20.0  # seconds; only a broken server needs them


def free_port():
    """A port that is free for UDP and TCP on 127.0.0.1 at this moment."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                try:
                    udp.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port
    raise RuntimeError("no free port on 127.0.0.1")


def wait_until(claim, seconds=PATIENCE, what="it"):
    """Asks `claim` until it is true; its last value. `what` is a text, or makes one, for when it
    never is."""
    deadline = time.monotonic() + seconds
    while True:
        value = claim()
        if value:
            return value
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise AssertionError(f"{text}: still not so after {seconds:.0f} s")
        time.sleep(0.02)


def edit(path, old, new):
    """Another text in a file; the claim that the old one is there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def children(pid):
    """Names and process ids of a process's children."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
        if int(rest[1]) == pid and rest[0] != "Z":
            found.append((name, int(stat.parent.name)))
    return found


def is_alive(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat[stat.rindex(")") + 2] != "Z"


class Asker:
    """Asks the same question in a loop while the body of `with` runs; keeps what went wrong."""

    def __init__(self, server, name, rdtype="A"):
        self.port, self.name, self.rdtype = server.port, name, rdtype
        self.count, self.lost = 0, []
        self.stop = threading.Event()

    def _ask(self):
        while not self.stop.is_set():
            query = dns.message.make_query(self.name, self.rdtype)
            try:
                reply = dns.query.udp(query, "127.0.0.1", timeout=1, port=self.port)
                self.count += 1
                if reply.rcode() != dns.rcode.NOERROR or not reply.answer:
                    self.lost.append(dns.rcode.to_text(reply.rcode()))
            except (dns.exception.Timeout, OSError) as error:
                self.lost.append(repr(error))
            time.sleep(0.0005)

    def __enter__(self):
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()
        wait_until(lambda: self.count or self.lost, what="an answer")
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(PATIENCE)


def to_yaml(value):
    """JSON is YAML: the tests write their configurations this way."""
    return json.dumps(value, indent=1)


class Server:
    """One `lockstep serve` in a folder of its own."""

    def __init__(self, folder, config, port=None, name="server"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "state").mkdir(exist_ok=True)
        self.port = port or free_port()
        self.name = name
        self.config_path = self.folder / "lockstep.yaml"
        self.control = self.folder / "control.sock"
        self.process = None
        self.log = ""
        self.configure(config)

    def configure(self, config):
        """Writes the configuration; the server section is filled in."""
        server = {"name": f"{self.name}.test", "listen": f"127.0.0.1@{self.port}",
                  "state": str(self.folder / "state"), "control": str(self.control), "workers": 1}
        server.update(config.get("server", {}))
        self.config_path.write_text(to_yaml({**config, "server": server}))
        self.config_path.chmod(0o600)

    def start(self, wait=True, **more):
        self.process = subprocess.Popen(
            [LOCKSTEP, "serve", "-c", self.config_path], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
        self.ready = threading.Event()
        self.readers = [threading.Thread(target=self._read_out, daemon=True),
                        threading.Thread(target=self._read_err, daemon=True)]
        for reader in self.readers:
            reader.start()
        if wait:
            wait_until(lambda: self.ready.is_set() or self.process.poll() is not None,
                       what=f"{self.name} prints ready")
            assert self.ready.is_set(), f"{self.name} ended instead of starting:\n{self.log}"
        return self

    def _read_out(self):
        for line in self.process.stdout:
            if line.strip() == "ready":
                self.ready.set()

    def _read_err(self):
        for line in self.process.stderr:
            self.log += line

    def processes(self):
        """Process ids of keeper, courier and front, by their names."""
        return {name.removeprefix("lockstep-"): pid for name, pid in children(self.process.pid)
                if name.startswith("lockstep-")}

    def zone_state(self, zone):
        return self.json("zone", "status", zone)["state"]

    def wait_log(self, text, seconds=PATIENCE):
        wait_until(lambda: text in self.log, seconds,
                   lambda: f"{self.name} logs {text!r}\n{self.log}")

    def stop(self, how=signal.SIGTERM):
        """Ends the server; its exit status."""
        if not self.process:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not end on {how!r}:\n{self.log}") from None
        for reader in self.readers:
            reader.join(PATIENCE)
        self.process = None
        for trace in ("Sanitizer", "runtime error:", "Assertion"):
            assert trace not in self.log, f"{self.name}:\n{self.log}"
        return status

    def run(self, *arguments, check=True, **more):
        """A command against this server."""
        return command(*arguments, "-c", self.config_path, check=check, **more)

    def json(self, *arguments, check=True):
        return json.loads(self.run(*arguments, "--json", check=check).stdout)

    def ask(self, name, rdtype="A", tcp=False, **more):
        query = dns.message.make_query(name, rdtype, **more)
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, "127.0.0.1", timeout=PATIENCE, port=self.port)

    def serial(self, zone, port=None):
        """What it answers for the zone's SOA; None when it does not answer with one."""
        try:
            query = dns.message.make_query(zone, "SOA")
            reply = dns.query.udp(query, "127.0.0.1", timeout=1, port=port or self.port)
        except (dns.exception.Timeout, OSError):
            return None
        for rrset in reply.answer:
            if rrset.rdtype == dns.rdatatype.SOA:
                return rrset[0].serial
        return None

    def wait_good(self):
        """Every zone is loaded, and nothing is wrong."""
        wait_until(lambda: self.run("status", check=False).returncode == 0,
                   what=lambda: self.run("status", check=False).stdout)

    def wait_serial(self, zone, serial, seconds=PATIENCE):
        wait_until(lambda: self.serial(zone) == serial, seconds,
                   lambda: f"{self.name} serves {zone} {serial} (now {self.serial(zone)})\n{self.log}")


def command(*arguments, check=True, **more):
    """Runs build/lockstep; with check, a status other than 0 fails the test."""
    result = subprocess.run([LOCKSTEP, *map(str, arguments)], capture_output=True, text=True,
                            timeout=60, **more)
    if check:
        assert result.returncode == 0, (f"lockstep {' '.join(map(str, arguments))} gave "
                                        f"{result.returncode}:\n{result.stdout}{result.stderr}")
    return result
