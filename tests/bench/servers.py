# SPDX-License-Identifier: Apache-2.0
"""The servers of the bench: each with a folder, a free port, and an end by its own process id.

All are set up alike: one thread (or process) that answers, nothing logged, no rate limit, no
journal where that can be chosen, zones from files, transfers to this machine allowed.
"""
import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

STOP_SECONDS = 60
SEARCH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
PR_SET_PDEATHSIG = 1
TICK = os.sysconf("SC_CLK_TCK")
libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """Something the person at the terminal has to know, in one sentence."""


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
    raise Failure("no free port on 127.0.0.1")


def process_tree(root):
    """The process and all below it."""
    parents = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            text = pathlib.Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue
        fields = text[text.rindex(")") + 2:].split()
        if fields[0] not in "ZX":
            parents.setdefault(int(fields[1]), []).append(int(entry))
    found, at = [root], 0
    while at < len(found):
        found += parents.get(found[at], [])
        at += 1
    return found


class Server:
    """One server of one make; the subclasses say how theirs is configured and started."""

    name = program = None
    process = None
    loads_only = False  # answers are not compared: only loading is

    def __init__(self, folder, zones):
        self.path = self.find()
        self.folder = pathlib.Path(folder).resolve()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.zones = zones
        self.port = free_port()
        self.config_path = self.folder / "config"
        self.config_path.write_text(self.config())

    @classmethod
    def find(cls):
        """The program's path; None: not installed."""
        return shutil.which(cls.program, path=SEARCH)

    @classmethod
    def version(cls):
        """As the program itself tells it."""
        result = subprocess.run([cls.find(), *cls.version_arguments], capture_output=True,
                                text=True, timeout=20, check=False)
        found = re.search(r"\d+\.\d+[\w.]*", result.stdout + result.stderr)
        return found.group() if found else "?"

    version_arguments = ["-V"]

    def start(self, cores):
        """Starts it; it answers later."""
        def prepare():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            os.sched_setaffinity(0, cores)

        with (self.folder / "output").open("ab") as log:
            self.process = subprocess.Popen(
                [self.path, *self.arguments()], cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=prepare)

    def ensure_alive(self):
        if self.process.poll() is not None:
            log = (self.folder / "output").read_text(errors="replace")[-600:]
            raise Failure(f"{self.name} ended with status {self.process.returncode}:\n{log}")

    def processes(self):
        return process_tree(self.process.pid)

    def pin(self, core):
        """All threads onto one core."""
        for pid in self.processes():
            try:
                for thread in os.listdir(f"/proc/{pid}/task"):
                    os.sched_setaffinity(int(thread), {core})
            except (FileNotFoundError, ProcessLookupError):
                continue

    def cpu_seconds(self):
        """Of all its processes and of children that have ended, to 10 ms."""
        ticks = 0
        for pid in self.processes():
            try:
                text = pathlib.Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                continue
            ticks += sum(int(field) for field in text[text.rindex(")") + 2:].split()[11:15])
        return ticks / TICK

    def stop(self):
        """Ends it by its process id; what does not end in a minute is killed, with its children."""
        if not self.process:
            return
        tree = self.processes()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in tree:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait()
        self.process = None


class Lockstep(Server):
    name, program = "lockstep", "lockstep"
    version_arguments = ["version"]
    executable = None  # the build to measure

    @classmethod
    def find(cls):
        return str(cls.executable) if cls.executable and cls.executable.exists() else None

    def arguments(self):
        return ["serve", "-c", self.config_path]

    def config(self):
        (self.folder / "state").mkdir()
        return "\n".join([
            "server:",
            "  name: bench.test",
            f"  listen: 127.0.0.1@{self.port}",
            f"  state: {self.folder}/state",
            f"  control: {self.folder}/control",
            "  workers: 1",
            "templates:",
            "  - {name: default, role: primary, serial: file, allow-transfer: 127.0.0.1}",
            "zones:",
            *(f'  - {{name: "{name}", file: "{file}"}}' for name, file in self.zones),
        ]) + "\n"


class Knot(Server):
    name, program = "knot", "knotd"

    def arguments(self):
        return ["-c", self.config_path]

    def config(self):
        return "\n".join([
            "server:",
            f"    rundir: {self.folder}",
            f"    listen: 127.0.0.1@{self.port}",
            "    udp-workers: 1",
            "    tcp-workers: 1",
            "    background-workers: 2",
            "    tcp-max-clients: 1000",
            "log:",
            "  - target: stderr",
            "    any: error",
            "database:",
            f"    storage: {self.folder}",
            "acl:",
            "  - id: here",
            "    address: 127.0.0.1",
            "    action: transfer",
            "template:",
            "  - id: default",
            f"    storage: {self.folder}",
            "    journal-content: none",
            "    zonefile-load: whole",
            "    zonefile-sync: -1",
            "    acl: here",
            "zone:",
            *(f'  - domain: "{name}"\n    file: "{file}"' for name, file in self.zones),
        ]) + "\n"


class Nsd(Server):
    name, program = "nsd", "nsd"
    version_arguments = ["-v"]

    def arguments(self):
        return ["-d", "-c", self.config_path]

    def config(self):
        lines = [
            "server:",
            f"    ip-address: 127.0.0.1@{self.port}",
            "    server-count: 1",
            "    tcp-count: 1000",
            "    rrl-ratelimit: 0",
            f'    zonesdir: "{self.folder}"',
            f'    xfrdfile: "{self.folder}/xfrd.state"',
            f'    zonelistfile: "{self.folder}/zone.list"',
            f'    xfrdir: "{self.folder}"',
            '    pidfile: ""',
            '    database: ""',
            '    username: ""',
            "    verbosity: 0",
            "remote-control:",
            "    control-enable: no",
        ]
        for name, file in self.zones:
            lines += ["zone:", f'    name: "{name}"', f'    zonefile: "{file}"',
                      "    provide-xfr: 127.0.0.1 NOKEY"]
        return "\n".join(lines) + "\n"


class Bind(Server):
    name, program = "bind", "named"
    version_arguments = ["-v"]

    def arguments(self):
        return ["-f", "-n", "1", "-c", self.config_path]

    def config(self):
        return f"""options {{
    directory "{self.folder}"; pid-file none; session-keyfile none;
    managed-keys-directory "{self.folder}";
    listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; empty-zones-enable no; notify no;
    allow-transfer {{ 127.0.0.1; }}; tcp-clients 1000; tcp-listen-queue 1000;
}};
controls {{ }};
logging {{ category default {{ null; }}; }};
""" + "".join(f'zone "{name}" {{ type primary; file "{file}"; }};\n' for name, file in self.zones)


class Yadifa(Server):
    name, program, loads_only = "yadifa", "yadifad", True

    def arguments(self):
        return ["--nodaemon", "-c", self.config_path]

    def config(self):
        for folder in ("keys", "xfr", "log"):
            (self.folder / folder).mkdir()
        return f"""<main>
    daemon off
    chroot off
    logpath "{self.folder}/log"
    pidfile "{self.folder}/pid"
    datapath "{self.folder}"
    keyspath "{self.folder}/keys"
    xfrpath "{self.folder}/xfr"
    user root
    group root
    port {self.port}
    listen 127.0.0.1
    statistics off
    queries-log-type 0
    thread-count-by-address 1
</main>
""" + "".join(f"<zone>\n    domain {name}\n    type primary\n    file {file}\n</zone>\n"
              for name, file in self.zones)


class Pdns(Server):
    name, program, loads_only = "pdns", "pdns_server", True
    version_arguments = ["--version"]

    def arguments(self):
        return [f"--config-dir={self.folder}", "--guardian=no", "--daemon=no"]

    def config(self):
        (self.folder / "zones.conf").write_text("".join(
            f'zone "{name}" {{ type native; file "{file}"; }};\n' for name, file in self.zones))
        (self.folder / "pdns.conf").write_text("\n".join([
            "launch=bind", f"bind-config={self.folder}/zones.conf", "bind-check-interval=0",
            "local-address=127.0.0.1", f"local-port={self.port}", f"socket-dir={self.folder}",
            "receiver-threads=1", "distributor-threads=1", "loglevel=0", "security-poll-suffix=",
            "allow-axfr-ips=127.0.0.1", "version-string=bench"]) + "\n")
        return ""


SERVERS = (Lockstep, Knot, Nsd, Bind, Yadifa, Pdns)
