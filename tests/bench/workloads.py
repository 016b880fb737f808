# SPDX-License-Identifier: Apache-2.0
"""The zones of the bench, what is asked of them, and where both are kept once they are made."""
import pathlib
import shutil
import subprocess
from dataclasses import dataclass

from servers import Failure

SIGNED_UNTIL = "20360101000000"


@dataclass(frozen=True)
class Zones:
    """One set of zones that all servers load. Counts are of delegations, hosts or zones."""
    name: str
    kind: str  # of make_zones
    count: int
    small_count: int
    about: str
    parts: tuple  # which parts of the bench use it
    signed: bool = False
    asked_for: bool = False  # runs only when named


ZONES = (
    Zones("root", "root", 1500, 150,
          "like the root zone: delegations with 5 or 6 servers, glue and DS",
          ("udp", "instructions")),
    Zones("root-signed", "root", 1500, 150, "the same, signed (NSEC), asked with DO",
          ("udp",), signed=True),
    Zones("delegations", "delegations", 1000000, 5000,
          "delegations with two servers each, every tenth with glue",
          ("udp", "tcp", "axfr", "load", "instructions")),
    Zones("hosts", "hosts", 1000000, 5000, "names with A, every second with AAAA", ("udp",)),
    Zones("hosts-signed", "hosts", 100000, 1000, "the same, signed (NSEC), asked with DO",
          ("udp",), signed=True),
    Zones("zones-10k", "zones", 10000, 200, "small zones of 13 records", ("udp",)),
    Zones("zones-100k", "zones", 100000, 1000, "small zones of 13 records", ("udp", "load")),
    Zones("zones-1m", "zones", 1000000, 2000, "small zones of 13 records", ("udp", "load"),
          asked_for=True),
)
PARTS = ("udp", "tcp", "axfr", "load", "instructions")
MIXES = {"hits": "all exist", "misses": "every second name does not exist"}


class ZoneFiles:
    """A set on disk: made once under `cache`, used by every run after that."""

    def __init__(self, zones, cache, tools, small):
        self.zones, self.tools = zones, tools
        self.count = zones.small_count if small else zones.count
        signed = "-signed" if zones.signed else ""
        self.folder = pathlib.Path(cache) / f"{zones.kind}{signed}-{self.count}"
        maker = tools / "make_zones"
        if not self._is_newer(maker):
            self._make(maker)
        self.records = int((self.folder / "records").read_text())
        self.list = [(name, str((self.folder / file).resolve())) for name, file in
                     (line.split() for line in (self.folder / "names").read_text().splitlines())]

    def _is_newer(self, maker):
        done = self.folder / "done"
        return done.exists() and done.stat().st_mtime >= maker.stat().st_mtime

    def _make(self, maker):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        print(f"bench: making {self.zones.kind} {self.count}"
              f"{', signed' if self.zones.signed else ''}", flush=True)
        run([maker, self.zones.kind, self.folder, str(self.count)])
        if self.zones.signed:
            self._sign()
        (self.folder / "done").touch()

    def _sign(self):
        """With NSEC, by ldns-signzone; the keys' randomness is the only one in the bench."""
        name, file = (self.folder / "names").read_text().split()
        keys = [run(["ldns-keygen", "-a", "ECDSAP256SHA256", *flags, name], cwd=self.folder).strip()
                for flags in (["-k"], [])]
        run(["ldns-signzone", "-e", SIGNED_UNTIL, "-o", name, "-f", f"{file}.signed", file, *keys],
            cwd=self.folder)
        signed = self.folder / f"{file}.signed"
        lines = sum(1 for line in signed.open() if line.strip() and line[0] not in ";$")
        signed.replace(self.folder / file)
        (self.folder / "records").write_text(f"{lines}\n")

    def questions(self, mix):
        return self.folder / mix

    def probes(self):
        """Zones whose answer says that all are loaded: all, or twenty of many."""
        names = [name for name, _ in self.list]
        step = max(1, len(names) // 20)
        return names[::-step][:20]


def run(command, **more):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                            check=False, **more)
    if result.returncode != 0:
        raise Failure(f"{command[0]} gave {result.returncode}: {result.stderr.strip()}")
    return result.stdout
