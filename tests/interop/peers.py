# SPDX-License-Identifier: Apache-2.0
"""BIND, Knot and NSD as neighbours of lockstep: a folder, a free port and an end for each.

All three speak the same words here: a zone is primary (it has a file) or secondary (it has
the port of its primary), changes of files are looked at on SIGHUP, every transfer and
every NOTIFY is signed with one key.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import types
from dataclasses import dataclass

import dns.message
import dns.query
import dns.rdata
import dns.rdatatype
import dns.rdtypes.ANY.RP
import dns.rdtypes.nsbase
import dns.tsig
import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "functional"))
from harness import PATIENCE, ROOT, Server, free_port, wait_until  # noqa: E402,F401

KEY = {"name": "xfer", "secret": "bG9ja3N0ZXAtdGVzdC1rZXktMzItb2N0ZXRzLWxvbmc="}
WRONG_KEY = {"name": "xfer", "secret": "YW5vdGhlci1zZWNyZXQtb2YtdGhpcnR5LXR3by1vY3Q="}


@dataclass
class Zone:
    """`other` is the port of the server at the zone's other end; None: there is none."""
    name: str
    file: pathlib.Path | None = None  # None: secondary
    other: int | None = None


def need(program):
    """The program's path; skips the test where it is not installed."""
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"{program} is not installed")
    return path


class Peer:
    """One server of another make; the subclasses say how theirs is configured and started."""

    ask, serial, wait_serial = Server.ask, Server.serial, Server.wait_serial

    def __init__(self, folder, zones, key=None, port=None):
        self.program = need(self.PROGRAM)
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.zones, self.key, self.port = zones, key or KEY, port or free_port()
        self.name = self.PROGRAM
        self.log_path = self.folder / "log"
        self.process = None

    @property
    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def start(self):
        """Returns when it answers, whatever it answers."""
        config = self.folder / "config"
        config.write_text(self.config())
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen([self.program, *self.arguments(config)],
                                            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        try:
            wait_until(lambda: self.process.poll() is not None or self._answers(),
                       what=f"{self.name} answers")
            ended = self.process.poll() is not None
            assert not ended, f"{self.name} ended instead of starting:\n{self.log}"
        except BaseException:
            self.stop()
            raise
        return self

    def _answers(self):
        query = dns.message.make_query("id.server", "TXT", rdclass="CH")
        try:
            dns.query.udp(query, "127.0.0.1", timeout=0.05, port=self.port)
        except (dns.exception.Timeout, OSError):
            return False
        return True

    def reload(self):
        """Has it look at its zone files."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        """Ends it by its process id; what it started ends with it."""
        if not self.process:
            return
        self.process.terminate()
        try:
            self.process.wait(PATIENCE / 4)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Bind(Peer):
    PROGRAM = "named"

    def arguments(self, config):
        return ["-g", "-n", "1", "-c", config]

    def config(self):
        key = self.key["name"]
        return f"""
key {key} {{ algorithm hmac-sha256; secret "{self.key['secret']}"; }};
options {{
    directory "{self.folder}";
    pid-file none; session-keyfile none; managed-keys-directory "{self.folder}";
    listen-on port {self.port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; empty-zones-enable no;
    minimal-responses no-auth; zero-no-soa-ttl no;
    allow-query {{ any; }}; allow-transfer {{ key {key}; }};
    notify explicit; notify-delay 0; serial-query-rate 1000; notify-rate 1000;
    transfers-in 100; check-integrity no; check-names primary ignore; check-names secondary ignore;
    check-mx ignore; check-srv-cname ignore; check-mx-cname ignore;
    minimal-any no; max-cache-size 8M; max-records-per-type 0; max-types-per-name 0;
}};
controls {{ }};
logging {{ category default {{ default_stderr; }}; }};
""" + "".join(self._zone(zone, key) for zone in self.zones)

    @staticmethod
    def _zone(zone, key):
        if zone.file:
            to = f"127.0.0.1 port {zone.other} key {key};" if zone.other else ""
            return (f'zone "{zone.name}" {{ type primary; file "{zone.file}"; '
                    f"also-notify {{ {to} }}; }};\n")
        return (f'zone "{zone.name}" {{ type secondary; allow-notify {{ key {key}; }}; '
                f"primaries {{ 127.0.0.1 port {zone.other} key {key}; }}; }};\n")


class Knot(Peer):
    PROGRAM = "knotd"

    def arguments(self, config):
        return ["-c", config]

    def config(self):
        lines = [
            "server:",
            f"    rundir: {self.folder}",
            f"    listen: 127.0.0.1@{self.port}",
            "    udp-workers: 1",
            "    tcp-workers: 1",
            "    background-workers: 1",
            "log:",
            "  - target: stderr",
            "    any: info",
            "key:",
            f"  - id: {self.key['name']}",
            "    algorithm: hmac-sha256",
            f"    secret: {self.key['secret']}",
            "acl:",
            "  - id: other",
            f"    key: {self.key['name']}",
            "    action: [transfer, notify]",
            "remote:",
        ]
        for port in {zone.other for zone in self.zones if zone.other}:
            lines += [f"  - id: at{port}", f"    address: 127.0.0.1@{port}",
                      f"    key: {self.key['name']}"]
        lines += ["database:", f"    storage: {self.folder}", "    journal-db-max-size: 64M",
                  "    timer-db-max-size: 8M", "    catalog-db-max-size: 8M",
                  "    kasp-db-max-size: 8M", "zone:"]
        for zone in self.zones:
            lines += [f"  - domain: \"{zone.name}\"", f"    storage: {self.folder}",
                      "    semantic-checks: off", "    acl: other"]
            if zone.file:
                lines += [f"    file: {zone.file}"]
                lines += [f"    notify: at{zone.other}"] if zone.other else []
            else:
                lines += [f"    master: at{zone.other}", "    zonefile-sync: -1"]
        return "\n".join(lines) + "\n"


class Nsd(Peer):
    PROGRAM = "nsd"

    def arguments(self, config):
        return ["-d", "-c", config]

    def config(self):
        lines = [
            "server:",
            f"    ip-address: 127.0.0.1@{self.port}",
            f"    port: {self.port}",
            "    server-count: 1",
            f"    zonesdir: \"{self.folder}\"",
            f"    xfrdfile: \"{self.folder}/xfrd.state\"",
            f"    zonelistfile: \"{self.folder}/zone.list\"",
            f"    xfrdir: \"{self.folder}\"",
            "    pidfile: \"\"",
            "    database: \"\"",
            "    username: \"\"",
            "    verbosity: 2",
            "    xfrd-reload-timeout: 0",
            "    round-robin: no",
            "    minimal-responses: yes",
            "    refuse-any: no",
            "remote-control:",
            "    control-enable: no",
            "key:",
            f"    name: {self.key['name']}",
            "    algorithm: hmac-sha256",
            f"    secret: \"{self.key['secret']}\"",
        ]
        key = self.key["name"]
        for zone in self.zones:
            lines += ["zone:", f"    name: \"{zone.name}\""]
            if zone.file:
                lines += [f"    zonefile: \"{zone.file}\"", f"    provide-xfr: 127.0.0.1 {key}"]
                lines += [f"    notify: 127.0.0.1@{zone.other} {key}"] if zone.other else []
            else:
                lines += [f"    request-xfr: AXFR 127.0.0.1@{zone.other} {key}",
                          f"    allow-notify: 127.0.0.1 {key}", f"    provide-xfr: 127.0.0.1 {key}"]
        return "\n".join(lines) + "\n"


PEERS = {"bind": Bind, "knot": Knot, "nsd": Nsd}


class Lockstep(Server):
    """Ours, configured from the same words as the others."""

    def __init__(self, folder, zones, key=None, port=None):
        super().__init__(folder, self.words(zones, key or KEY), port=port, name="lockstep")

    @staticmethod
    def words(zones, key):
        ports = sorted({zone.other for zone in zones if zone.other})
        anyone = [{"key": key["name"]}]
        made = []
        for zone in zones:
            words = {"name": zone.name, "allow-transfer": anyone}
            if zone.file:
                words |= {"role": "primary", "file": str(zone.file), "serial": "file"}
                words["secondaries"] = [f"at{zone.other}"] if zone.other else []
            else:
                words |= {"role": "secondary", "primaries": f"at{zone.other}"}
            made.append(words)
        remotes = [{"name": f"at{port}", "address": f"127.0.0.1@{port}", "keys": key["name"]}
                   for port in ports]
        return {"keys": [key], "remotes": remotes, "zones": made}

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def tsig_key(key):
    return dns.tsig.Key(key["name"], key["secret"], "hmac-sha256")


def axfr(port, zone, key=None):
    """The messages of a signed transfer; dnspython proves their signatures."""
    name = dns.name.from_text((key or KEY)["name"])
    return list(dns.query.xfr("127.0.0.1", zone, port=port, keyring={name: tsig_key(key or KEY)},
                              keyname=name, relativize=False, timeout=PATIENCE, lifetime=PATIENCE))


def records(port, zone):
    """What a server holds: (owner, TTL, type, wire form) of each record, names in lower case."""
    sent = [(rrset.name.to_text().lower(), rrset.ttl, int(rrset.rdtype),
             rdata.to_digestable().hex())
            for message in axfr(port, zone) for rrset in message.answer for rdata in rrset]
    assert sent[0] == sent[-1] and sent[0][2] == dns.rdatatype.SOA
    return sorted(sent[:-1])


def know_compressed_types():
    """Tells dnspython the types of RFC 1035 that peers may compress and it does not know."""
    kinds = [("MD", 3), ("MF", 4), ("MB", 7), ("MG", 8), ("MR", 9)]
    for name, number in kinds:
        made = types.SimpleNamespace(**{name: type(name, (dns.rdtypes.nsbase.NSBase,), {})})
        dns.rdata.register_type(made, number, name)
    minfo = type("MINFO", (dns.rdtypes.ANY.RP.RP,), {})
    dns.rdata.register_type(types.SimpleNamespace(MINFO=minfo), 14, "MINFO")


know_compressed_types()
