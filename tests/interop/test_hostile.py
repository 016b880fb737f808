# SPDX-License-Identifier: Apache-2.0
"""Packets that broke others, sent to a server that runs: each gets what it deserves, the next
question is answered, and no process ends."""
import random
import socket
import struct

import dns.message
import dns.rcode
import pytest

from peers import PATIENCE, Lockstep, Zone

ZONE = """\
$TTL 3600
@ SOA ns1 hostmaster 1 3600 600 86400 300
@ NS  ns1
ns1 A 192.0.2.1
"""
ORIGIN = "example.net"
APEX = b"\7example\3net\0"
SILENCE = None
REQUEST_OCTETS_MAX = 4096  # of a datagram; one that is longer was made by nobody's client
GOOD_ID = 0x600D
NSID = b"lockstep.test"


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


LABEL63 = b"\x3f" + b"x" * 63
LONG = LABEL63 * 3 + b"\x32" + b"x" * 50 + pointer(12)  # 256 octets with what it points at
HERE = 12 + len(question())  # where the first record begins

# case: (packet, rcode or SILENCE)
NAMES = {
    "a pointer to itself": (query(name=pointer(12)), "FORMERR"),
    "a pointer forward": (query(name=pointer(14)) + b"\0" * 8, "FORMERR"),
    "a pointer beyond the end": (query(name=pointer(0x3FFF)), "FORMERR"),
    "a pointer into the header": (query(name=pointer(4)), "FORMERR"),
    "a label and a pointer back to it": (query(name=b"\1a" + pointer(12)), "FORMERR"),
    "256 octets": (query(name=LABEL63 * 3 + b"\x3e" + b"x" * 62 + b"\0"), "FORMERR"),
    "128 labels": (query(name=b"\1a" * 128 + b"\0"), "FORMERR"),
    "no end": (header() + LABEL63, "FORMERR"),
    "a label beyond the end": (header() + b"\x3fabc", "FORMERR"),
    "a label of type 01": (query(name=b"\x41a\0"), "FORMERR"),
    "a label of type 10": (query(name=b"\x81a\0"), "FORMERR"),
    "half a pointer": (header() + b"\xc0", "FORMERR"),
    "no type": (header() + APEX, "FORMERR"),
    # Of a record that nobody asks for, nobody reads the name.
    "an owner that points at itself": (query(record(owner=pointer(HERE))), "NOERROR"),
    "an owner of 256 octets": (query(record(owner=LONG)), "NOERROR"),
    "an owner at the end of 2000 pointers": (query(*pointer_chain(2000)), "NOERROR"),
    "IXFR, an owner that points at itself": (ixfr(owner=pointer(HERE)), "FORMERR"),
    "IXFR, an owner that points forward": (ixfr(owner=pointer(HERE + 2)), "FORMERR"),
    "IXFR, an owner of 256 octets": (ixfr(owner=LONG), "FORMERR"),
    "IXFR, data that points at itself": (ixfr(data=pointer(HERE + 12) + SOA), "FORMERR"),
    "IXFR, data whose name leaves it": (ixfr(data=b"\x3fabc"), "FORMERR"),
    "IXFR, data cut short": (ixfr(data=SOA[:-1]), "FORMERR"),
    "IXFR, data too long": (ixfr(data=SOA + b"\0"), "FORMERR"),
}

COUNTS = {
    "no question": (header((0, 0, 0, 0)), "FORMERR"),
    "two questions": (header((2, 0, 0, 0)) + question() * 2, "FORMERR"),
    "65535 questions, one is there": (header((65535, 0, 0, 0)) + question(), "FORMERR"),
    "65535 answers, none is there": (query(counts=(1, 65535, 0, 0)), "FORMERR"),
    "65535 of everything": (query(counts=(1, 65535, 65535, 65535)), "FORMERR"),
    "65535 additional records, one is there": (query(opt(), counts=(1, 0, 0, 65535)), "FORMERR"),
    "thousands of tiny records": (query(*[record()] * 5000), "NOERROR"),
    "thousands of names": (query(*[record(owner=b"\4%04x\0" % i) for i in range(3500)]), "NOERROR"),
    "data beyond the end": (query(record(data=b"abcd")[:-1]), "FORMERR"),
    "trailing octets": (query() + b"junk", "FORMERR"),
    "trailing octets after OPT": (query(opt()) + b"\0", "FORMERR"),
}

EDNS = {
    "two OPTs": (query(opt(), opt()), "FORMERR"),
    "OPT in the answer section": (query(opt(), counts=(1, 1, 0, 0)), "FORMERR"),
    "OPT of a name": (query(opt(owner=b"\1a\0")), "FORMERR"),
    "an option beyond the end": (query(opt(struct.pack("!2H", 3, 9) + b"abc")), "FORMERR"),
    "half an option": (query(opt(b"\0\3\0")), "FORMERR"),
    "data beyond the end": (query(opt(length=12)), "FORMERR"),
    "2000 empty options": (query(opt(option(65001) * 2000)), "NOERROR"),
    "NSID a hundred times": (query(opt(option(3) * 100)), "NOERROR"),
    "client subnet of no family": (query(opt(option(8, b"\0\x63\xff\xff"))), "FORMERR"),
    "a cookie of one octet": (query(opt(option(10, b"x"))), "FORMERR"),
    "padding of 60000 octets": (query(opt(option(12, b"\0" * 60000))), "NOERROR"),
    "version 1": (query(opt(version=1)), "BADVERS"),
    "version 255 with a broken option": (query(opt(b"\0", version=255)), "BADVERS"),
    "a size of 0": (query(opt(size=0)), "NOERROR"),
    "a size of 65535": (query(opt(size=65535)), "NOERROR"),
}

MEANINGS = {
    **{f"class {rrclass}": (query(rrclass=rrclass), "REFUSED")
       for rrclass in (0, 2, 3, 4, 254, 255)},
    **{f"opcode {number}": (query(flags=opcode(number)), "NOTIMP")
       for number in (1, 2, 3, *range(6, 16))},
    "UPDATE": (query(flags=opcode(5)), "NOTIMP"),
    "NOTIFY from a stranger": (query(flags=opcode(4)), "REFUSED"),
    "type 0": (query(rrtype=0), "FORMERR"),
    "type OPT": (query(rrtype=41), "FORMERR"),
    "type TSIG": (query(rrtype=250), "FORMERR"),
    "type TKEY": (query(rrtype=249), "REFUSED"),
    "type MAILB": (query(rrtype=253), "NOTIMP"),
    "type MAILA": (query(rrtype=254), "NOTIMP"),
    "type 65535": (query(rrtype=65535), "NOERROR"),
    "IXFR without SOA": (query(rrtype=251), "FORMERR"),
    "the root": (query(name=b"\0"), "REFUSED"),
    "a name of one dot": (query(name=b"\1.\0"), "REFUSED"),
    "rcode and Z set": (query(flags=0x007F), "NOERROR"),
    "AA, TC and RA set": (query(flags=0x0680), "NOERROR"),
}

SILENT = {
    "a response": (query(flags=0x8000), SILENCE),
    "a response of NOTIFY": (query(flags=0x8000 | opcode(4)), SILENCE),
    "a response that is broken": (header((9, 9, 9, 9), flags=0x8000), SILENCE),
    **{f"{octets} octets": (header()[:octets], SILENCE) for octets in (0, 1, 2, 11)},
}

GROUPS = {"names": NAMES, "counts": COUNTS, "edns": EDNS, "meaning": MEANINGS, "silence": SILENT}
CASES = {f"{group}: {name}": case
         for group, cases in GROUPS.items() for name, case in cases.items()}
GOOD = header(number=GOOD_ID) + question()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    file = folder / "zone"
    file.write_text(ZONE)
    with Lockstep(folder / "lockstep", [Zone(ORIGIN, file)]) as lockstep:
        lockstep.wait_serial(ORIGIN, 1)
        yield lockstep


@pytest.fixture(autouse=True)
def everybody_lives(server):
    """Whatever a test sends, the processes are the same afterwards and answer."""
    before = server.processes()
    assert len(before) == 3
    yield
    assert server.serial(ORIGIN) == 1
    assert server.processes() == before
    assert "process-died" not in server.log


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


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_datagram_gets_what_it_deserves(server, case):
    packet, expected = CASES[case]
    if len(packet) > REQUEST_OCTETS_MAX:
        expected = SILENCE
    replies = exchange_udp(server, packet)
    assert len(replies) == (expected is not SILENCE)
    for reply in replies:
        judge(packet, reply, expected, 1232)


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_message_over_tcp_gets_the_same(server, case):
    packet, expected = CASES[case]
    with connect(server) as tcp:
        tcp.sendall(framed(packet) + framed(GOOD))
        messages = list(read_messages(tcp))
    if expected is not SILENCE:
        judge(packet, messages.pop(0), expected, 65535)
    # Who sends no header speaks something else than DNS: there is nothing to go on with.
    assert [is_good(message) for message in messages] == [True] * (len(packet) >= 12)


@pytest.mark.parametrize("sent", [b"", b"\0", b"\xff\xff", b"\xff\xff" + GOOD,
                                  framed(GOOD)[:-1]])
def test_half_a_message_and_the_end_is_no_answer(server, sent):
    with connect(server) as tcp:
        tcp.sendall(sent)
        tcp.shutdown(socket.SHUT_WR)
        assert list(read_messages(tcp)) == []


def test_a_message_may_come_octet_by_octet(server):
    with connect(server) as tcp:
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in framed(GOOD):
            tcp.sendall(bytes([octet]))
        assert [is_good(message) for message in read_messages(tcp)] == [True]


def test_connections_that_say_nothing_keep_nobody_out(server):
    silent = [connect(server) for _ in range(50)]
    half = [connect(server) for _ in range(50)]
    try:
        for tcp in half:
            tcp.sendall(b"\xff\xff" + GOOD)
        with connect(server) as tcp:
            tcp.sendall(framed(GOOD))
            assert [is_good(message) for message in read_messages(tcp)] == [True]
    finally:
        for tcp in silent + half:
            tcp.close()


def test_connections_that_are_reset_in_the_middle_leave_nothing(server):
    for sent in range(0, len(GOOD) + 2, 3):
        tcp = connect(server)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        tcp.sendall(framed(GOOD)[:sent])
        tcp.close()


def test_five_hundred_questions_at_once_get_their_answers(server):
    with connect(server) as tcp:
        tcp.sendall(b"".join(framed(header(number=i) + question()) for i in range(500)))
        tcp.sendall(framed(GOOD))
        messages = list(read_messages(tcp))
    numbers = [struct.unpack("!H", message[:2])[0] for message in messages]
    assert sorted(numbers) == [*range(500), GOOD_ID]


def mutated(seed):
    """One of the packets above with some octets changed, taken out, doubled or cut off."""
    chance = random.Random(seed)
    packet = bytearray(chance.choice(MUTABLE))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(packet) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            packet[at:at + 1] = bytes([chance.choice((0, 1, 63, 64, 192, 255, at & 255))])
        elif kind == 1:
            del packet[at:at + chance.randint(1, 8)]
        elif kind == 2:
            packet[at:at] = packet[at:at + chance.randint(1, 20)]
        elif kind == 3:
            packet[at:at] = pointer(chance.randrange(len(packet) + 12))
        else:
            packet[:] = packet[:max(at, 1)]
    return bytes(packet)


MUTABLE = [packet for packet, _ in CASES.values() if 12 <= len(packet) < 1000]


def test_mutated_packets_get_one_answer_or_none(server):
    for seed in range(2000):
        packet = mutated(seed)
        if packet[:2] == GOOD[:2]:
            continue
        replies = exchange_udp(server, packet)
        assert len(replies) <= 1, seed
        assert not replies or replies[0][:2] == packet[:2] and replies[0][2] & 0x80, seed
        assert not replies or len(packet) >= 12 and not packet[2] & 0x80, seed
