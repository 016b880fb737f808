# SPDX-License-Identifier: Apache-2.0
"""What a run of the bench found, as lines while it runs and as one page of tables."""
import collections
import datetime
import os
import pathlib
import platform
import subprocess
from statistics import median

US = "lockstep"
NO_PEER = (US, "echo")
BOTTLENECK_CORES = 0.95
RCODES = {0: "noerror", 2: "servfail", 3: "nxdomain", 5: "refused"}


class Results:
    def __init__(self):
        self.udp, self.tcp, self.axfr = {}, {}, {}
        self.load = collections.defaultdict(list)
        self.instructions = {}
        self.records = {}
        self.failures = []
        self.versions = {}
        self.seconds = 0
        self.load_average = os.getloadavg()[0]  # what others do here, before we begin


# --- figures of the rounds of one server and workload ---

def rate(rows):
    return median(row["rate"] for row in rows)


def server_ns(rows):
    return median(row["server_ns"] for row in rows)


def user_share(rows):
    """Of the server's time: by samples where the kernel gave them, else by ticks."""
    kind = "samples" if sum(row["samples"] for row in rows) else "ticks"
    whole = sum(row[kind] for row in rows)
    return sum(row[f"user_{kind}"] for row in rows) / whole if whole else 0


def user_ns(rows):
    return server_ns(rows) * user_share(rows)


def percent(rows, key, of="all_sent"):
    return 100 * sum(row[key] for row in rows) / max(sum(row[of] for row in rows), 1)


def best_peer(by_name, figure, better=max):
    """Name and figure of the best one that is not us."""
    peers = {name: figure(rows) for name, rows in by_name.items() if name not in NO_PEER and rows}
    if not peers:
        return None, None
    name = better(peers, key=peers.get)
    return name, peers[name]


def rcode_shares(rows):
    counts = [sum(row["rcodes"][i] for row in rows) for i in range(16)]
    whole = max(sum(counts), 1)
    return ", ".join(f"{100 * count / whole:.0f} % {RCODES.get(i, f'rcode {i}')}"
                     for i, count in enumerate(counts) if count)


def span(values, places):
    low, high = min(values), max(values)
    return f"{median(values):.{places}f} ({low:.{places}f}–{high:.{places}f})"


# --- lines while it runs ---

def rates_line(by_name):
    parts = []
    for name, rows in sorted(by_name.items()):
        bad = sum(row["all_bad"] for row in rows)
        parts.append(f"{name} {rate(rows) / 1000:.1f}" + (f" ({bad} BAD)" if bad else ""))
    return "thousand a second: " + ", ".join(parts)


def transfers_line(by_name):
    return "million records a second: " + ", ".join(
        f"{name} {median(row['records'] / row['seconds'] for row in rows) / 1e6:.2f}"
        for name, rows in sorted(by_name.items()))


# --- tables ---

def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def rates_table(workloads):
    rows, complaints = [], []
    for (zones, label), by_name in workloads.items():
        best = best_peer(by_name, rate)[1]
        for name, runs in sorted(by_name.items(), key=lambda item: -rate(item[1])):
            cores = median(row["server_cores"] for row in runs)
            bad = sum(row["all_bad"] for row in runs)
            rows.append([
                f"{zones}, {label}", name, span([row["rate"] / 1000 for row in runs], 1),
                f"{rate(runs) / best:.2f}" if best else "",
                f"{server_ns(runs):.0f}", f"{user_ns(runs):.0f}",
                f"{server_ns(runs) - user_ns(runs):.0f}",
                f"{cores:.2f}" + ("" if cores >= BOTTLENECK_CORES else " *"),
                f"{percent(runs, 'all_lost'):.2f}", bad, f"{median(r['octets'] for r in runs):.0f}",
                rcode_shares(runs)])
            if bad:
                text = next(row["complaint"] for row in runs if row["complaint"])
                complaints.append(f"- {zones}, {label}, {name}: {text}")
    head = ["workload", "server", "thousand queries/s", "of best peer", "CPU ns/query", "user",
            "system", "cores used", "lost %", "bad", "octets", "rcodes"]
    text = table(head, rows)
    own = max((row["own_cores"] for by_name in workloads.values() for runs in by_name.values()
               for row in runs), default=0)
    text += f"\nThe generator needed at most {own:.2f} of its core.\n"
    if any(" *" in row[7] for row in rows):
        text += ("\n\\* Less than 0.95 of a core: the server was not the bottleneck (or others "
                 "used its core); compare the CPU columns.\n")
    if complaints:
        text += "\nWrong answers, the first of each:\n\n" + "\n".join(complaints) + "\n"
    return text


def load_table(results):
    rows = []
    for (zones, name), runs in results.load.items():
        if "restart" not in runs[0]:
            continue
        records = runs[0]["records"]
        memory = median(row["memory"] for row in runs)
        rows.append([zones, name, span([row["start"] for row in runs], 2),
                     f"{median(row['cpu'] for row in runs):.2f}",
                     span([row["restart"] for row in runs], 3),
                     f"{median(row['stop'] for row in runs):.2f}",
                     f"{memory / 1e6:.0f}", f"{memory / records:.0f}"])
    rows.sort(key=lambda row: (row[0], float(row[2].split()[0])))
    return table(["zones", "server", "start to first answer s", "CPU s",
                  "the same after a restart s", "stop s", "memory MB", "octets/record"], rows)


def axfr_table(results):
    rows = []
    for zones, by_name in results.axfr.items():
        for name, runs in by_name.items():
            records = runs[0]["records"]
            complaint = next((row["complaint"] for row in runs if row["complaint"]), "")
            rows.append([zones, name, span([row["records"] / row["seconds"] / 1e6 for row in runs],
                                           2),
                         f"{median(row['server_ns'] for row in runs) / max(records, 1):.0f}",
                         records, f"{runs[0]['octets'] / 1e6:.1f}", runs[0]["messages"], complaint])
    rows.sort(key=lambda row: -float(row[2].split()[0]))
    return table(["zone", "server", "million records/s", "CPU ns/record", "records", "MB",
                  "messages", "complaint"], rows)


def instructions_table(results):
    rows = [[zones, name, f"{per_query:.0f}", answered]
            for (zones, name), (per_query, answered) in results.instructions.items()]
    return table(["workload", "server", "user instructions/query", "counted over"],
                 sorted(rows, key=lambda row: (row[0], float(row[2]))))


# --- against the targets ---

class Verdicts:
    """Rows of: what, ours, the best peer's, ratio, wanted, reached."""

    def __init__(self):
        self.rows = []

    def add(self, what, ours, peer, limit, places=1, unit=""):
        """`limit` is of ours to the peer's: (">=", 1.5) or ("<=", 0.33)."""
        name, theirs = peer
        if ours is None or not theirs:
            return
        ratio = ours / theirs
        reached = ratio >= limit[1] if limit[0] == ">=" else ratio <= limit[1]
        self.rows.append([what, f"{ours:.{places}f}{unit}", f"{name} {theirs:.{places}f}{unit}",
                          f"{ratio:.2f}", f"{limit[0]} {limit[1]:.2f}", "yes" if reached else "NO"])

    def add_limit(self, what, ours, limit, unit, places=0):
        self.rows.append([what, f"{ours:.{places}f}{unit}", "", "", f"<= {limit}{unit}",
                          "yes" if ours <= limit else "NO"])


FASTER = {("root", "hits"): 1.2, ("delegations", "hits"): 1.5, ("zones-100k", "hits"): 1.5}
THIRD = 1 / 3


def verdict_rates(results, verdicts):
    for workload, by_name in results.udp.items():
        if US not in by_name:
            continue
        ours = by_name[US]
        title = f"UDP {workload[0]}, {workload[1]}"
        verdicts.add(f"{title}: thousand/s", rate(ours) / 1000,
                     best_peer(by_name, lambda rows: rate(rows) / 1000),
                     (">=", FASTER.get(workload, 1.0)))
        verdicts.add(f"{title}: user ns/query", user_ns(ours), best_peer(by_name, user_ns, min),
                     ("<=", THIRD), 0)
    wanted = {"pipelined": 2.0, "one per connection": 1.0}
    for (zones, label), by_name in results.tcp.items():
        if US in by_name and label in wanted:
            verdicts.add(f"TCP {zones}, {label}: thousand/s", rate(by_name[US]) / 1000,
                         best_peer(by_name, lambda rows: rate(rows) / 1000), (">=", wanted[label]))
    for (zones, name), (per_query, _) in results.instructions.items():
        if name == US:
            verdicts.add_limit(f"user instructions/query, {zones}", per_query, 1000, "")


def verdict_load(results, verdicts):
    sets = {zones for zones, name in results.load if "restart" in results.load[zones, name][0]}
    for zones in sorted(sets):
        by_name = {name: runs for (of, name), runs in results.load.items() if of == zones}
        if US not in by_name:
            continue
        is_one = zones == "delegations"

        def figure(key):
            return lambda runs: median(row[key] for row in runs)

        def per_record(runs):
            return median(row["memory"] / row["records"] for row in runs)

        verdicts.add(f"load {zones}", figure("start")(by_name[US]),
                     best_peer(by_name, figure("start"), min), ("<=", 0.5 if is_one else 1.0), 2,
                     " s")
        verdicts.add_limit(f"restart {zones}", 1000 * figure("restart")(by_name[US]),
                           50 if is_one else 500, " ms")
        peers = {"knot": by_name["knot"]} if is_one and "knot" in by_name else by_name
        verdicts.add(f"memory {zones}: octets/record", per_record(by_name[US]),
                     best_peer(peers, per_record, min), ("<=", THIRD if is_one else 1.0), 0)


def verdict_axfr(results, verdicts):
    for zones, by_name in results.axfr.items():
        def per_record(runs):
            return median(row["server_ns"] / max(row["records"], 1) for row in runs)

        if US in by_name and "knot" in by_name:
            verdicts.add(f"AXFR {zones}: CPU ns/record", per_record(by_name[US]),
                         ("knot", per_record(by_name["knot"])), ("<=", THIRD), 0)


def verdict_table(results):
    verdicts = Verdicts()
    verdict_rates(results, verdicts)
    verdict_load(results, verdicts)
    verdict_axfr(results, verdicts)
    return table(["measure", US, "best peer", "ratio", "wanted", "reached"], verdicts.rows)


# --- the page ---

def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = next((line.split(":", 1)[1].strip() for line in info.splitlines()
                  if line.startswith("model name")), platform.machine())
    octets = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (f"{os.cpu_count()} × {model}, {octets / 2**30:.0f} GiB, Linux {platform.release()}, "
            "everything over loopback")


def commit():
    result = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True,
                            text=True, check=False, cwd=pathlib.Path(__file__).parent)
    return result.stdout.strip() or "?"


def head(results, options):
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    words = " ".join(options.words)
    command = "make bench" + (f' BENCH="{words}"' if words else "") + (
        f" BENCH_SCALE={options.scale}" if options.scale != "full" else "") + (
        f" BENCH_SERVERS={','.join(options.servers)}" if options.servers else "")
    lines = [
        "# Benchmarks\n",
        "Written by `make bench BENCH_SAVE=yes`; the method stands at the end. Figures are of one",
        "run on one machine: compare within a table only.\n",
        table(["", ""], [
            ["when", f"{datetime.date.today()}, {results.seconds / 60:.0f} minutes"],
            ["machine", machine() + f"; load average {results.load_average:.1f} before it began"],
            ["versions", f"{versions} (lockstep at commit {commit()})"],
            ["command", f"`{command}`, {options.rounds} rounds"],
            ["zones", "; ".join(f"{name}: {count} ({records} records)" for name, (count, records)
                                in results.records.items())]]),
    ]
    if results.load_average > 1:
        lines.append("**The machine was busy with other work: rates and seconds suffer, CPU times less.**\n")
    if options.scale != "full":
        lines.append("**A small run, to see that everything works: its figures mean nothing.**\n")
    return lines


METHOD = """\
- Each server answers with one thread (or process) pinned to one core; the generator
  (`tests/bench/blast`) asks from another. Rounds of all servers are interleaved in random
  order; a figure is the median of its rounds, with the range. Before each round it warms up.
- All servers load the same files, log nothing, limit no rates, keep no journal: Knot
  `udp-workers: 1, tcp-workers: 1, background-workers: 2`; NSD `server-count: 1`; BIND `-n 1`,
  with its `minimal-responses` as it comes, so it adds authority to positive answers.
  YADIFA and PowerDNS are started for the load figures only.
- UDP: 8 connected sockets with 16 outstanding questions each (more would not fit the socket
  buffer that Knot and BIND have), sent in trains of up to 8
  (`UDP_SEGMENT`), EDNS with 1232 octets. Every answer is held to its question's rcode, AA and
  sections; one in 61 also to the question itself, whole records, and with DO to its RRSIG
  and NSEC. `echo` flips one bit and sends the packet back: nothing that goes through a
  socket is faster.
- TCP: 32 connections with 16 outstanding questions each, 128 with one each, and 64 at a time
  with one question per connection. Answers may come in any order.
- CPU is the time of all processes of a server (their CPU clocks, to the nanosecond) per
  answer; user and system are split by 5,000 samples a second of its core, or, where
  perf_event_open is not allowed, by the kernel's 4 ms tick.
- Start is from exec until a question for the SOA is answered with authority (of many zones:
  for twenty of them), both cores free, files in the page cache; restart is the same with
  what the server kept on disk. Its time to stop stands beside.
- Memory is PSS summed over all processes five seconds later; memfds and mapped files of the
  server's own count once and whole, touched or not.
- AXFR is read by a client that walks all records, over one connection.
- User instructions are counted by single steps (`tests/bench/count_steps`) of the whole
  server, as the slope between two runs: all of it counts, a sandbox is no obstacle.
"""


def text(results, options):
    parts = head(results, options)
    if results.failures:
        parts.append("Failed:\n\n" + "\n".join(
            "- " + failure.replace("\n", " ") for failure in results.failures) + "\n")
    sections = [
        ("Against the targets", verdict_table(results), results.versions.get(US)),
        ("UDP, one core", rates_table(results.udp), results.udp),
        ("TCP, one core", rates_table(results.tcp), results.tcp),
        ("Loading, restarting, memory", load_table(results),
         any("restart" in runs[0] for runs in results.load.values())),
        ("AXFR out", axfr_table(results), results.axfr),
        ("User instructions", instructions_table(results), results.instructions),
        ("Method", METHOD, True),
    ]
    parts += [f"## {title}\n\n{body}" for title, body, is_there in sections if is_there]
    return "\n".join(parts)
