# SPDX-License-Identifier: Apache-2.0
"""Packets octet by octet, and the way to a server and back."""
import base64
import hashlib
import hmac
import socket
import struct
import time

import dns.message
import dns.rcode

from conftest import KEY
from harness import PATIENCE

ZONE = """\
$TTL 3600
@ SOA ns1 hostmaster 1 3600 600 86400 300
@ NS  ns1
ns1 A 192.0.2.1
"""
ORIGIN = "example.net"
APEX = b"\7example\3net\0"
SILENCE = None
GOOD_ID = 0x600D
NSID = b"server.test"


def header(counts=(1, 0, 0, 0), flags=0, number=0xBAD0):
    return struct.pack("!6H", number, flags, *counts)


SOA = b"\0\0" + struct.pack("!5I", 1, 2, 3, 4, 5)


def question(name=APEX, rrtype=6, rrclass=1):
    return name + struct.pack("!2H", rrtype, rrclass)


def record(owner=b"\0", rrtype=1, rrclass=1, ttl=0, data=b""):
    return owner + struct.pack("!2HIH", rrtype, rrclass, ttl, len(data)) + data


def opt(options=b"", size=1232, version=0, owner=b"\0", length=None):
    data = struct.pack("!2HBBHH", 41, size, 0, version, 0,
                       len(options) if length is None else length)
    return owner + data + options


def option(code, data=b""):
    return struct.pack("!2H", code, len(data)) + data


def query(*more, counts=None, name=APEX, rrtype=6, rrclass=1, flags=0):
    counts = counts or (1, 0, 0, len(more))
    return header(counts, flags) + question(name, rrtype, rrclass) + b"".join(more)


def opcode(number):
    return number << 11


def pointer(at):
    return struct.pack("!H", 0xC000 | at)


def pointer_chain(links, rrtype=1):
    """A record of `links` pointers, each to the one before, and one whose owner is the last."""
    start = 12 + len(question()) + 11
    chain = b"".join(pointer(start - 2 + 2 * i if i else 12) for i in range(links))
    return record(rrtype=65280, data=chain), record(owner=pointer(start + 2 * (links - 1)),
                                                    rrtype=rrtype, data=SOA)


def ixfr(*more, owner=pointer(12), data=None):
    """A question for IXFR with the client's SOA, both records that have to be read."""
    soa = record(owner, rrtype=6, data=SOA if data is None else data)
    return query(*more, soa, counts=(1, 0, len(more) + 1, 0), rrtype=251)


XFER = b"\4xfer\0"
SHA256 = b"\x0bhmac-sha256\0"
SECRET = base64.b64decode(KEY["secret"])


def tsig(packet, key=XFER, algorithm=SHA256, secret=SECRET, late=0, at=None, fudge=300,
         mac_len=None, mac_more=b"", mac_size=None, original_id=None, error=0, other=b"",
         other_size=None, rrclass=255, ttl=0, more=b"", data=None):
    """The packet with a TSIG record behind it (RFC 8945 4.2), right unless it is told otherwise."""
    at = int(time.time()) - late if at is None else at
    when = at.to_bytes(6, "big") + struct.pack("!H", fudge)
    end = struct.pack("!2H", error, len(other)) + other
    number = packet[:2] if original_id is None else struct.pack("!H", original_id)
    octets = number + packet[2:] + key + struct.pack("!HI", rrclass, ttl) + algorithm + when + end
    mac = hmac.digest(secret, octets, hashlib.sha256)[:mac_len] + mac_more
    if data is None:
        data = algorithm + when + struct.pack("!H", len(mac) if mac_size is None else mac_size)
        data += mac + number + struct.pack("!H", error)
        data += struct.pack("!H", len(other) if other_size is None else other_size) + other + more
    count = struct.unpack_from("!H", packet, 10)[0] + 1
    return packet[:10] + struct.pack("!H", count) + packet[12:] + record(
        key, rrtype=250, rrclass=rrclass, ttl=ttl, data=data)


GOOD = header(number=GOOD_ID) + question()


def is_good(reply):
    message = dns.message.from_wire(reply)
    return message.id == GOOD_ID and message.rcode() == 0 and len(message.answer) == 1


def exchange_udp(server, packet):
    """The replies that come before the one to a good question behind it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(PATIENCE)
        udp.connect(("127.0.0.1", server.port))
        udp.send(packet)
        udp.send(GOOD)
        replies = []
        while True:
            reply = udp.recv(65535)
            if reply[:2] == GOOD[:2]:
                assert is_good(reply)
                return replies
            replies.append(reply)


def read_exactly(tcp, size):
    data = b""
    while len(data) < size:
        more = tcp.recv(size - len(data))
        if not more:
            break
        data += more
    return data


def read_messages(tcp):
    """Every message until the server closes, or until the reply to the good question."""
    while True:
        length = read_exactly(tcp, 2)
        if len(length) < 2:
            return
        message = read_exactly(tcp, struct.unpack("!H", length)[0])
        yield message
        if message[:2] == GOOD[:2]:
            return


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)


def framed(packet):
    return struct.pack("!H", len(packet)) + packet


def rcode_of(reply):
    """All twelve bits; OPT is the last record where there is one."""
    at = reply.rfind(b"\0\0\x29\x04\xd0")
    return dns.rcode.to_text(reply[3] & 15 | (reply[at + 5] << 4 if at > 0 else 0))


def judge(packet, reply, expected, limit):
    """The reply is one to the packet, small enough, and says what is expected."""
    assert len(reply) <= limit
    assert reply[:2] == packet[:2] and reply[2] & 0x80
    assert (reply[2] >> 3) & 15 == (packet[2] >> 3) & 15
    assert rcode_of(reply) == expected
    assert reply.count(option(3, NSID)) <= 1
