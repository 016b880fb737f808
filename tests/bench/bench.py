#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Lockstep and its peers side by side on this machine: the same zones and questions, one run.

usage: bench.py [--build FOLDER] [WORD]...      `make bench BENCH="WORD..."`

A WORD is a part (udp, tcp, axfr, load, instructions) or a set of zones (see --list);
without words everything runs that need not be asked for by name. Each server answers on
core 0 with one thread, the generator asks from core 1, rounds are interleaved in random
order, and figures are medians with their range. Only ratios within one run mean anything.
"""
import argparse
import collections
import fcntl
import os
import pathlib
import random
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import report  # noqa: E402
from measure import Blast, memory_octets, start_timed  # noqa: E402
from servers import SERVERS, Failure, Lockstep, Server  # noqa: E402
from workloads import MIXES, PARTS, ZONES, ZoneFiles  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETTLE_SECONDS = 5.0  # after loading: what is done in the background ends
ROUNDS = {"full": 3, "small": 1}
SECONDS = {"full": (0.3, 1.5), "small": (0.1, 0.3)}  # warm, measured
STEP_COUNTS = {"full": (8, 32), "small": (1, 9)}
TCP_MODES = (
    ("pipelined", "tcp", ["--sockets", 32, "--outstanding", 16]),
    ("one outstanding", "tcp", ["--sockets", 128, "--outstanding", 1]),
    ("one per connection", "tcp-once", ["--sockets", 64]),
)


class Echo(Server):
    """No DNS server but the cheapest thing that a socket allows: the limit."""

    name = program = "echo"
    tools = None

    @classmethod
    def find(cls):
        return str(cls.tools / "blast")

    def config(self):
        return ""

    def arguments(self):
        return ["echo", "--port", str(self.port)]


class Bench:
    def __init__(self, options):
        self.options = options
        self.tools = options.build.resolve() / "tests" / "bench"
        self.work = pathlib.Path(options.work or options.build / "bench").resolve()
        self.lock = self._lock()
        Lockstep.executable = options.build.resolve() / "lockstep"
        Echo.tools = self.tools
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise Failure("two processor cores are needed: one for the server, one to ask from")
        self.server_core, self.blast_core = cores[:2]
        self.cores = {self.server_core, self.blast_core}
        self.blast = Blast(self.tools, self.blast_core)
        self.random = random.Random(options.seed)
        self.running = []
        self.results = report.Results()
        self.begin = time.monotonic()
        self.servers = [make for make in SERVERS if self._is_wanted(make)]

    def _lock(self):
        """Two benches at once would measure each other, and share these folders."""
        self.work.mkdir(parents=True, exist_ok=True)
        lock = (self.work / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"another bench runs in {self.work}") from None
        return lock

    def _is_wanted(self, make):
        if self.options.servers and make.name not in self.options.servers:
            return False
        if make.find():
            return True
        if make is Lockstep:
            raise Failure(f"{Lockstep.executable} is missing: run `make build`")
        self.say(f"{make.name} is not installed and left out (tools/setup bench)")
        return False

    def say(self, text):
        print(f"bench: {time.monotonic() - self.begin:4.0f} s  {text}", flush=True)

    def shuffled(self, things):
        return self.random.sample(things, len(things))

    # --- starting and stopping ---

    def make(self, make, files):
        server = make(self.work / "run" / make.name, files.list)
        self.running.append(server)
        return server

    def stop(self, server):
        server.stop()
        self.running.remove(server)
        shutil.rmtree(server.folder, ignore_errors=True)

    def stop_all(self):
        for server in list(self.running):
            self.stop(server)

    # --- the parts ---

    def load_once(self, make, files, with_restart):
        """Starts it in a fresh folder and, for the load part, again with what it kept."""
        server = self.make(make, files)
        probes = files.probes()
        seconds, cpu = start_timed(server, probes, self.cores)
        time.sleep(SETTLE_SECONDS if with_restart else 0)
        memory = memory_octets(server)
        row = {"start": seconds, "cpu": cpu, "memory": memory, "records": files.records}
        text = f"{files.zones.name}: {make.name} answers after {seconds:.2f} s"
        if with_restart:
            begin = time.monotonic()
            server.stop()
            row["stop"] = time.monotonic() - begin
            row["restart"], _ = start_timed(server, probes, self.cores)
            text += (f", again after {row['restart']:.2f} s (stopped in {row['stop']:.2f} s), "
                     f"{memory / 1e6:.0f} MB")
        self.results.load[files.zones.name, make.name].append(row)
        self.say(text)
        return server

    def load(self, files):
        """All servers of a set, measured as often as asked; returns those to be asked, running."""
        is_part = self.is_on("load", files.zones)
        rounds = self.options.load_rounds if is_part else 1
        asks = any(self.is_on(part, files.zones) for part in PARTS if part != "load")
        kept = []
        for turn in range(rounds):
            for make in self.shuffled(self.servers):
                if make.loads_only and not is_part:
                    continue
                try:
                    server = self.load_once(make, files, is_part)
                except Failure as failure:
                    self.results.failures.append(f"{files.zones.name}: {failure}")
                    self.say(str(failure))
                    self.stop(self.running[-1])
                    continue
                if asks and turn == rounds - 1 and not make.loads_only:
                    kept.append(server)
                else:
                    self.stop(server)
        return sorted(kept, key=lambda server: server.name)

    def ask(self, files, servers, label, mode, arguments, table):
        """Interleaved rounds of one workload; all servers run, one at a time is asked."""
        warm, seconds = SECONDS[self.options.scale]
        rows = collections.defaultdict(list)
        for _ in range(self.options.rounds):
            for server in self.shuffled(servers):
                more = ["--unchecked"] if isinstance(server, Echo) else []
                rows[server.name].append(self.blast.run(mode, server, [
                    *arguments, *more, "--warm", warm, "--seconds", seconds,
                    "--sample-cpu", self.server_core]))
        table[files.zones.name, label] = dict(rows)
        self.say(f"{files.zones.name}, {label}: " + report.rates_line(rows))

    def udp(self, files, servers):
        echo = self.make(Echo, files)
        echo.start({self.server_core})
        for mix in MIXES:
            self.ask(files, [*servers, echo], mix, "udp",
                     ["--questions", files.questions(mix),
                      *(["--do"] if files.zones.signed else [])], self.results.udp)
        self.stop(echo)

    def tcp(self, files, servers):
        for label, mode, arguments in TCP_MODES:
            self.ask(files, servers, label, mode,
                     ["--questions", files.questions("hits"), *arguments], self.results.tcp)

    def axfr(self, files, servers):
        zone = files.list[0][0]
        rows = collections.defaultdict(list)
        for _ in range(self.options.rounds):
            for server in self.shuffled(servers):
                rows[server.name].append(
                    self.blast.run("axfr", server, ["--zone", zone, "--timeout", 30]))
        self.results.axfr[files.zones.name] = dict(rows)
        self.say(f"{files.zones.name}, axfr: " + report.transfers_line(rows))

    def instructions(self, files, servers):
        few, many = STEP_COUNTS[self.options.scale]
        for server in servers:
            try:
                first, steps_few = self.blast.count_steps(server, files.questions("hits"), few)
                second, steps_many = self.blast.count_steps(server, files.questions("hits"), many)
            except Failure as failure:
                self.results.failures.append(str(failure))
                self.say(str(failure))
                continue
            answered = second["all_answered"] - first["all_answered"]
            per_query = (steps_many - steps_few) / max(answered, 1)
            self.results.instructions[files.zones.name, server.name] = per_query, answered
            self.say(f"{files.zones.name}, instructions: {server.name} {per_query:.0f} a query")

    # --- the run ---

    def is_on(self, part, zones):
        return part in self.options.parts and part in zones.parts

    def run_zones(self, zones):
        files = ZoneFiles(zones, self.work / "zones", self.tools, self.options.scale == "small")
        self.results.records[zones.name] = files.count, files.records
        servers = self.load(files)
        for server in servers:
            server.pin(self.server_core)
        for part in ("udp", "tcp", "axfr", "instructions"):
            if self.is_on(part, zones) and servers:
                getattr(self, part)(files, servers)
        self.stop_all()

    def run(self):
        try:
            for zones in self.options.zones:
                self.run_zones(zones)
        finally:
            self.stop_all()
            shutil.rmtree(self.work / "run", ignore_errors=True)
        self.results.seconds = time.monotonic() - self.begin
        self.results.versions = {make.name: make.version() for make in self.servers}
        return self.results


def options_read():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("words", nargs="*", help="parts and sets of zones")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build",
                        help="the build to measure (build)")
    parser.add_argument("--work", type=pathlib.Path,
                        help="where zones are kept and servers run (BUILD/bench)")
    parser.add_argument("--scale", default="full", choices=SECONDS,
                        help="small: a smoke test of two minutes whose figures mean nothing")
    parser.add_argument("--rounds", type=int, help="of each workload")
    parser.add_argument("--servers", type=lambda text: text.split(","), help="only these: A,B")
    parser.add_argument("--seed", type=int, default=None, help="of the order of rounds")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--list", action="store_true", help="show parts and sets")
    options = parser.parse_args()
    options.rounds = options.rounds or ROUNDS[options.scale]
    options.load_rounds = 1 if options.scale == "small" else 2
    sets = {zones.name: zones for zones in ZONES}
    if options.list:
        print("parts: " + ", ".join(PARTS))
        for zones in ZONES:
            print(f"{zones.name:14} {zones.count} {zones.about}; {', '.join(zones.parts)}"
                  + (" (only when named)" if zones.asked_for else ""))
        sys.exit(0)
    for word in options.words:
        if word not in PARTS and word not in sets:
            raise Failure(f'"{word}" is neither a part ({", ".join(PARTS)}) nor a set of zones '
                          f'({", ".join(sets)})')
    for name in options.servers or []:
        if name not in [make.name for make in SERVERS]:
            raise Failure(f'no server "{name}"; there are '
                          + ", ".join(make.name for make in SERVERS))
    options.parts = [part for part in PARTS if part in options.words] or list(PARTS)
    options.zones = [zones for zones in ZONES if zones.name in options.words] or \
        [zones for zones in ZONES if not zones.asked_for and set(zones.parts) & set(options.parts)]
    return options


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
    try:
        options = options_read()
        results = Bench(options).run()
        text = report.text(results, options)
        print()
        print(text)
        if options.save:
            path = ROOT / "docs" / "benchmarks.md"
            path.write_text(text)
            print(f"bench: wrote {path}")
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: stopped; every server was ended", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
