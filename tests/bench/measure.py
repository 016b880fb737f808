# SPDX-License-Identifier: Apache-2.0
"""What is measured of one server: when it answers, its memory, and what blast says of it."""
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import time

from servers import Failure

LOAD_SECONDS_MAX = 300


def soa_query(zone):
    labels = [] if zone == "." else zone.rstrip(".").split(".")
    name = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    return struct.pack("!6H", 0x4242, 0, 1, 0, 0, 0) + name + struct.pack("!2H", 6, 1)


def answers_for(sock, zone, patience):
    """Whether it answers the SOA question with authority."""
    try:
        sock.send(soa_query(zone))
        sock.settimeout(patience)
        reply = sock.recv(4096)
    except OSError:
        return False
    flags, _, answers = struct.unpack("!3H", reply[2:8])
    return len(reply) > 12 and flags & 0x840f == 0x8400 and answers > 0


def wait_for_answers(server, probes, begin):
    """Seconds from `begin` until it answers for all these zones, to a hundredth of them."""
    waiting = list(probes)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", server.port))
        while True:
            now = time.monotonic()
            pause = min(max((now - begin) / 100, 0.0005), 0.05)
            if answers_for(sock, waiting[-1], max(pause, 0.005)):
                waiting.pop()
                if not waiting:
                    return time.monotonic() - begin
                continue
            server.ensure_alive()
            if now - begin > LOAD_SECONDS_MAX:
                raise Failure(f"{server.name} does not answer for {waiting[-1]} after "
                              f"{LOAD_SECONDS_MAX} s")
            time.sleep(pause)


def start_timed(server, probes, cores):
    """Starts it; seconds and processor seconds until it answers for all."""
    begin = time.monotonic()
    server.start(cores)
    seconds = wait_for_answers(server, probes, begin)
    return seconds, server.cpu_seconds()


MAPPING = re.compile(r"^([0-9a-f]+-[0-9a-f]+) \S+ \S+ \S+ (\d+)\s*(.*)$")


def mappings(pid):
    """[range, path, PSS in octets] of each mapping of a process."""
    found = []
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        head = MAPPING.match(line)
        if head:
            found.append([head.group(1), head.group(3), 0])
        elif line.startswith("Pss:"):
            found[-1][2] = int(line.split()[1]) * 1024
    return found


def memory_octets(server):
    """Memory of all its processes: PSS, but data that is shared (memfd) or mapped from files of
    the server's own counts once and whole, whether its pages were touched yet or not."""
    total, data = 0, {}

    def count_whole(link):
        status = os.stat(link)
        data[status.st_dev, status.st_ino] = status.st_blocks * 512

    for pid in server.processes():
        try:
            for where, path, pss in mappings(pid):
                if path.startswith(("/memfd:", str(server.folder))):
                    count_whole(f"/proc/{pid}/map_files/{where}")
                else:
                    total += pss
            for handle in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                if os.readlink(handle).startswith("/memfd:"):
                    count_whole(handle)
        except FileNotFoundError:
            continue
    return total + sum(data.values())


class Blast:
    """The load generator, on a core of its own."""

    def __init__(self, tools, core):
        self.tools, self.core = tools, core

    def run(self, mode, server, arguments, watch=True):
        command = [self.tools / "blast", mode, "--port", server.port, *arguments]
        for pid in server.processes() if watch else []:
            command += ["--watch", pid]
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                                check=False,
                                preexec_fn=lambda: os.sched_setaffinity(0, {self.core}))
        server.ensure_alive()
        if result.returncode != 0:
            raise Failure(f"blast {mode} on {server.name}: {result.stderr.strip()}")
        return json.loads(result.stdout)

    def count_steps(self, server, questions, count):
        """User instructions of the whole server while it answers so many questions."""
        command = [self.tools / "count_steps", *server.processes(), "--", self.tools / "blast",
                   "udp", "--port", server.port, "--questions", questions, "--count", count,
                   "--sockets", 1, "--outstanding", 8, "--train", 8, "--timeout", 60]
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                                check=False)
        server.ensure_alive()
        if result.returncode != 0:
            raise Failure(f"counting the instructions of {server.name}: {result.stderr.strip()}")
        report, _, steps = result.stdout.rpartition("steps ")
        return json.loads(report), int(steps)
