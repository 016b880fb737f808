# SPDX-License-Identifier: Apache-2.0
"""Many questions at once over raw sockets: a window of them is under way at any time."""
import socket
import struct
import time
from dataclasses import dataclass

import dns.name
import dns.rdatatype

from wire import name_octets

WINDOW = 64
PATIENCE = 20.0  # seconds without any answer; only a broken server needs them
RESEND = 0.5  # seconds until a datagram is taken for lost
EDNS_NONE = 0
UDP_OCTETS_MIN, UDP_OCTETS_MAX = 512, 1232


@dataclass(frozen=True)
class Asked:
    """A question as it goes out: `name` is in lower case, `octets` are as they are sent."""
    name: tuple
    type: int
    octets: bytes
    size: int = EDNS_NONE  # of the EDNS buffer
    do: bool = False
    tcp: bool = False
    flags: int = 0

    @property
    def body(self):
        """All of the message but its id."""
        more = struct.pack("!BHHIH", 0, 41, self.size, self.do << 15, 0) if self.size else b""
        return struct.pack("!5H", self.flags, 1, 0, 0, bool(more)) + self.question + more

    @property
    def octets_max(self):
        """Of the response: nobody here sends more over UDP than fits into one frame."""
        return 65535 if self.tcp else max(UDP_OCTETS_MIN, min(self.size, UDP_OCTETS_MAX))

    @property
    def question(self):
        return self.octets + struct.pack("!2H", self.type, 1)

    @property
    def text(self):
        return dns.name.Name((*reversed(self.name), b"")).to_text()

    @property
    def kind(self):
        return dns.rdatatype.to_text(self.type)

    def __str__(self):
        edns = f" +edns={self.size}{' +do' if self.do else ''}" if self.size else ""
        return f"{self.text} {self.kind}{edns}{' +tcp' if self.tcp else ''}"


def asked(name, rrtype, octets=None, **more):
    return Asked(name, rrtype, octets or name_octets(name), **more)


def ask_udp(port, questions):
    """The answer to each question; a datagram that is lost is sent again."""
    answers, under_way, following = {}, {}, iter(enumerate(questions))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        udp.connect(("127.0.0.1", port))
        udp.settimeout(RESEND)
        last = time.monotonic()
        while len(answers) < len(questions):
            while len(under_way) < WINDOW and (more := next(following, None)):
                number, question = more
                under_way[number & 0xFFFF] = number, question.body
                udp.send(struct.pack("!H", number & 0xFFFF) + question.body)
            try:
                octets = udp.recv(65535)
            except TimeoutError:
                if time.monotonic() - last > PATIENCE:
                    lost = questions[next(iter(under_way.values()))[0]]
                    raise AssertionError(f"no answer: {lost}") from None
                for number, (_, body) in under_way.items():
                    udp.send(struct.pack("!H", number) + body)
                continue
            found = under_way.pop(int.from_bytes(octets[:2], "big"), None)
            if found:
                last, answers[found[0]] = time.monotonic(), octets
    return [answers[number] for number in range(len(questions))]


class _Stream:
    """One connection; the server may close it when it likes, then the rest is asked anew."""

    def __init__(self, port):
        self.tcp = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.octets = b""

    def message(self):
        """The next one; None when the server has closed."""
        while True:
            length = int.from_bytes(self.octets[:2], "big")
            if len(self.octets) >= 2 + length > 2:
                message, self.octets = self.octets[2:2 + length], self.octets[2 + length:]
                return message
            try:
                more = self.tcp.recv(1 << 18)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self.octets += more


def ask_tcp(port, questions):
    """The answer to each question, sixteen at a time on a connection."""
    answers, stream, failed = [], None, 0
    while len(answers) < len(questions):
        some = questions[len(answers):len(answers) + 16]
        stream = stream or _Stream(port)
        got = {}
        try:
            stream.tcp.sendall(b"".join(struct.pack("!2H", 2 + len(question.body), number)
                                        + question.body for number, question in enumerate(some)))
            while len(got) < len(some) and (message := stream.message()):
                got[int.from_bytes(message[:2], "big")] = message
        except (BrokenPipeError, ConnectionResetError):
            pass
        if len(got) < len(some):
            failed += 1
            assert failed < 20, f"connections end before the answer, such as to {some[0]}"
            stream.tcp.close()
            stream = None
            continue
        failed = 0
        answers += [got[number] for number in range(len(some))]
    if stream:
        stream.tcp.close()
    return answers


def ask_all(port, questions):
    """Each question the way it wants, answers in the questions' order."""
    answers = [None] * len(questions)
    for ask, tcp in (ask_udp, False), (ask_tcp, True):
        numbers = [number for number, question in enumerate(questions) if question.tcp == tcp]
        for number, octets in zip(numbers, ask(port, [questions[number] for number in numbers])):
            answers[number] = octets
    return answers
