# SPDX-License-Identifier: Apache-2.0
"""BIND, Knot and NSD as neighbours of lockstep: a folder, a free port and an end for each.

All of them are told in the same words what to do: a zone has a file or a primary, changes of
files are looked at on SIGHUP, every transfer and every NOTIFY is signed with one key.
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

KEY = {"name": "xfer", "algorithm": "hmac-sha256",
       "secret": "bG9ja3N0ZXAtdGVzdC1rZXktMzItb2N0ZXRzLWxvbmc="}
WRONG_KEY = {"name": "xfer", "algorithm": "hmac-sha256",
             "secret": "YW5vdGhlci1zZWNyZXQtb2YtdGhpcnR5LXR3by1vY3Q="}

# The root zone of the Internet, signed, some 20,000 records: not part of this tree.
ROOT_ZONE = pathlib.Path(os.environ.get("ROOT_ZONE", ROOT / "../shared/data/root.zone"))


def root_serial():
    """The serial in that file; skips the test where there is no such file."""
    if not ROOT_ZONE.exists():
        pytest.skip(f"there is no {ROOT_ZONE}")
    with ROOT_ZONE.open() as text:
        return int(next(line for line in text if "\tSOA\t" in line).split()[6])


@dataclass
class Zone:
    """It has a file, or the port of its primary; perhaps that of a secondary, too."""
    name: str
    file: pathlib.Path | None = None
    primary: int | None = None
    secondary: int | None = None


def ports_of(zones):
    """Of every server that the zones come from or go to."""
    return sorted({port for zone in zones for port in (zone.primary, zone.secondary) if port})


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
                       PATIENCE * 3, what=f"{self.name} answers")
            ended = self.process.poll() is not None
            assert not ended, f"{self.name} ended instead of starting:\n{self.log}"
        except BaseException:
            self.stop()
            raise
        return self

    def _answers(self):
        query = dns.message.make_query("id.server", "TXT", rdclass="CH")
        try:
            dns.query.udp(query, "127.0.0.1", timeout=0.5, port=self.port)
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
key {key} {{ algorithm {self.key['algorithm']}; secret "{self.key['secret']}"; }};
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
        below = f"127.0.0.1 port {zone.secondary} key {key};" if zone.secondary else ""
        words = f"also-notify {{ {below} }};"
        if zone.file:
            words += f' type primary; file "{zone.file}";'
        else:
            words += (f" type secondary; allow-notify {{ key {key}; }}; "
                      f"primaries {{ 127.0.0.1 port {zone.primary} key {key}; }};")
        return f'zone "{zone.name}" {{ {words} }};\n'


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
            f"    algorithm: {self.key['algorithm']}",
            f"    secret: {self.key['secret']}",
            "acl:",
            "  - id: other",
            f"    key: {self.key['name']}",
            "    action: [transfer, notify]",
            "remote:",
        ]
        for port in ports_of(self.zones):
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
            else:
                lines += [f"    master: at{zone.primary}", "    zonefile-sync: -1"]
            if zone.secondary:
                lines += [f"    notify: at{zone.secondary}"]
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
            "    rrl-ratelimit: 0",
            "remote-control:",
            "    control-enable: no",
            "key:",
            f"    name: {self.key['name']}",
            f"    algorithm: {self.key['algorithm']}",
            f"    secret: \"{self.key['secret']}\"",
        ]
        key = self.key["name"]
        for zone in self.zones:
            lines += ["zone:", f"    name: \"{zone.name}\"", f"    provide-xfr: 127.0.0.1 {key}"]
            if zone.file:
                lines += [f"    zonefile: \"{zone.file}\""]
            else:
                lines += [f"    request-xfr: AXFR 127.0.0.1@{zone.primary} {key}",
                          f"    allow-notify: 127.0.0.1 {key}"]
            if zone.secondary:
                lines += [f"    notify: 127.0.0.1@{zone.secondary} {key}"]
        return "\n".join(lines) + "\n"


PEERS = {"bind": Bind, "knot": Knot, "nsd": Nsd}


class Lockstep(Server):
    """Ours, configured from the same words as the others."""

    def __init__(self, folder, zones, key=None, port=None):
        super().__init__(folder, self.words(zones, key or KEY), port=port, name="lockstep")

    @staticmethod
    def words(zones, key):
        anyone = [{"key": key["name"]}]
        made = []
        for zone in zones:
            words = {"name": zone.name, "allow-transfer": anyone,
                     "secondaries": [f"at{zone.secondary}"] if zone.secondary else []}
            if zone.file:
                words |= {"role": "primary", "file": str(zone.file), "serial": "file"}
            else:
                words |= {"role": "secondary", "primaries": f"at{zone.primary}"}
            made.append(words)
        remotes = [{"name": f"at{port}", "address": f"127.0.0.1@{port}", "keys": key["name"]}
                   for port in ports_of(zones)]
        return {"keys": [key], "remotes": remotes, "zones": made}

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def tsig_key(key):
    return dns.tsig.Key(key["name"], key["secret"], key["algorithm"])


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
