# SPDX-License-Identifier: Apache-2.0
"""A primary that sends whatever it is told to."""
import contextlib
import socket
import struct
import threading

from harness import free_port
from packets import framed, pointer, read_exactly, record

AXFR, IXFR, SOA, NS = 252, 251, 6, 2


class Rogue:
    """Serves every zone that it is asked for with `serial`; `records` by the zone's name come
    before the closing SOA. `transferred` collects (zone, serial) of what it sent."""

    def __init__(self):
        self.port, self.serial, self.records, self.transferred = free_port(), 1, {}, set()
        self.ended = threading.Event()
        self.tcp = socket.create_server(("127.0.0.1", self.port), backlog=500)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.threads = [threading.Thread(target=target, daemon=True)
                        for target in (self._serve_udp, self._serve_tcp)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for each in self.tcp, self.udp:
            each.close()

    def _serve_udp(self):
        with contextlib.suppress(OSError):
            while not self.ended.is_set():
                packet, sender = self.udp.recvfrom(65535)
                self.udp.sendto(self.reply(packet), sender)

    def _serve_tcp(self):
        with contextlib.suppress(OSError):
            while not self.ended.is_set():
                client = self.tcp.accept()[0]
                threading.Thread(target=self._serve_client, args=(client,), daemon=True).start()

    def _serve_client(self, client):
        with client, contextlib.suppress(OSError):
            client.settimeout(10)
            while len(length := read_exactly(client, 2)) == 2:
                packet = read_exactly(client, int.from_bytes(length, "big"))
                client.sendall(framed(self.reply(packet)))

    def reply(self, packet):
        """To a question for SOA or a transfer; EDNS is passed over."""
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode())
            at += 1 + packet[at]
        name, (rrtype,) = ".".join(labels), struct.unpack_from("!H", packet, at + 1)
        serial = self.serial
        timers = struct.pack("!5I", serial, 3600, 600, 86400, 300)
        soa = record(pointer(12), SOA, 1, 300, b"\2ns" + pointer(12) + pointer(12) + timers)
        records = [soa]
        if rrtype in (AXFR, IXFR):
            self.transferred.add((name, serial))
            records += [record(pointer(12), NS, 1, 300, b"\2ns" + pointer(12)),
                        record(b"\2ns" + pointer(12), 1, 1, 300, b"\xc0\0\2\1"),
                        *(self.records.get(name, []) if serial > 1 else []), soa]
        head = packet[:2] + struct.pack("!5H", 0x8400, 1, len(records), 0, 0)
        return head + packet[12:at + 5] + b"".join(records)
