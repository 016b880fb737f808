# SPDX-License-Identifier: Apache-2.0
"""What broke other servers' parsers, sent to one that runs: each packet gets what it deserves, the
next question is answered, and no process ends.

A1 names, A2 counts, A3 EDNS, A4 TSIG, A5 TKEY and SIG(0), A6 data of every type, A7 meanings,
A8 what is no request, A9 texts that carry names from strangers.
"""
import json
import random
import socket
import string
import struct

import dns.message
import dns.rcode
import pytest

from conftest import KEY
from harness import Server, wait_until
from packets import (APEX, GOOD, GOOD_ID, ORIGIN, SILENCE, SOA, ZONE, connect,
                     exchange_udp, framed, header, is_good, ixfr, judge, opcode, opt, option, pointer, pointer_chain,
                     query, question, read_messages, record, tsig)
from rogue import Rogue

REQUEST_OCTETS_MAX = 4096  # of a datagram; one that is longer was made by nobody's client


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

SIG = struct.pack("!HBBIIIH", 0, 13, 0, 0, 2**31, 0, 1) + b"\0" + b"s" * 64
KEYS_OF_OTHERS = {
    "a question for TKEY": (query(rrtype=249), "REFUSED"),
    "TKEY and its record": (query(record(
        rrtype=249, rrclass=255, data=b"\x08gss-tsig\0" + b"\0" * 16), rrtype=249), "REFUSED"),
    "TKEY without end": (query(record(rrtype=249, rrclass=255, data=b"\x3f"), rrtype=249),
                         "REFUSED"),
    "SIG(0)": (query(record(rrtype=24, rrclass=255, data=SIG)), "NOERROR"),
    "SIG(0) cut off": (query(record(rrtype=24, rrclass=255, data=SIG[:10])), "NOERROR"),
    "a thousand SIG(0)": (query(*[record(rrtype=24, rrclass=255, data=SIG[:20])] * 100),
                          "NOERROR"),
    "SIG(0) that points at itself": (query(record(owner=pointer(HERE), rrtype=24, rrclass=255)),
                                     "NOERROR"),
}

GROUPS = {"A1": NAMES, "A2": COUNTS, "A3": EDNS, "A5": KEYS_OF_OTHERS, "A7": MEANINGS,
          "A8": SILENT}
CASES = {f"{group}: {name}": case
         for group, cases in GROUPS.items() for name, case in cases.items()}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    file = folder / "zone"
    file.write_text(ZONE)
    made = Server(folder / "server", {"keys": [KEY], "zones": [
        {"name": ORIGIN, "role": "primary", "file": str(file), "secondaries": [],
         "allow-transfer": [{"key": KEY["name"]}]}]})
    try:
        made.start().wait_serial(ORIGIN, 1)
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def everybody_lives(server):
    """Whatever a test sends, the processes are the same afterwards and answer."""
    before = server.processes()
    assert len(before) == 3
    yield
    assert server.serial(ORIGIN) == 1
    assert server.processes() == before
    assert "process-died" not in server.log


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
def test_A8_half_a_message_and_the_end_is_no_answer(server, sent):
    with connect(server) as tcp:
        tcp.sendall(sent)
        tcp.shutdown(socket.SHUT_WR)
        assert list(read_messages(tcp)) == []


def test_A8_a_message_may_come_octet_by_octet(server):
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


# case: (how the packet is made, rcode, error in the TSIG of the reply or None: there is none).
# RFC 8945 5.2: what is malformed is FORMERR, what does not prove anything NOTAUTH.
TSIGS = {
    "whole": (lambda p: tsig(p), "NOERROR", 0),
    "cut to half": (lambda p: tsig(p, mac_len=16), ("NOERROR", "NOTAUTH"), (0, 22)),
    "a MAC of no octets": (lambda p: tsig(p, mac_len=0), ("FORMERR", "NOTAUTH"), (None, 16)),
    "a MAC of one octet": (lambda p: tsig(p, mac_len=1), "FORMERR", None),
    "a MAC of 9 octets": (lambda p: tsig(p, mac_len=9), "FORMERR", None),
    "a MAC of 15 octets": (lambda p: tsig(p, mac_len=15), "FORMERR", None),
    "a MAC of 33 octets": (lambda p: tsig(p, mac_more=b"x"), "FORMERR", None),
    "a MAC of 200 octets": (lambda p: tsig(p, mac_more=b"x" * 168), "FORMERR", None),
    "a MAC beyond the end": (lambda p: tsig(p, mac_size=300), "FORMERR", None),
    "another secret": (lambda p: tsig(p, secret=b"another"), "NOTAUTH", 16),
    "a key that nobody knows": (lambda p: tsig(p, key=b"\7unknown\0"), "NOTAUTH", 17),
    "a key without end": (lambda p: tsig(p, key=b"\x3fxfer", data=b""), "FORMERR", None),
    "the known key, another algorithm": (lambda p: tsig(p, algorithm=b"\x0bhmac-sha512\0"),
                                         "NOTAUTH", 17),
    "an algorithm that nobody knows": (lambda p: tsig(p, algorithm=b"\4rot1\0"), "NOTAUTH", 17),
    "GSS-TSIG": (lambda p: tsig(p, algorithm=b"\x08gss-tsig\0"), "NOTAUTH", 17),
    "an algorithm that is a pointer": (lambda p: tsig(p, algorithm=pointer(12)), "FORMERR", None),
    "the root as algorithm": (lambda p: tsig(p, algorithm=b"\0"), "NOTAUTH", 17),
    "an hour late": (lambda p: tsig(p, late=3600), "NOTAUTH", 18),
    "an hour early": (lambda p: tsig(p, late=-3600), "NOTAUTH", 18),
    "the last second of all": (lambda p: tsig(p, at=2**48 - 1), "NOTAUTH", 18),
    "the first second of all": (lambda p: tsig(p, at=0), "NOTAUTH", 18),
    "no fudge, a second late": (lambda p: tsig(p, late=2, fudge=0), "NOTAUTH", 18),
    "class IN": (lambda p: tsig(p, rrclass=1), "FORMERR", None),
    "a TTL": (lambda p: tsig(p, ttl=1), "FORMERR", None),
    "other data that is cut off": (lambda p: tsig(p, other_size=6), "FORMERR", None),
    "other data of 1000 octets": (lambda p: tsig(p, other=b"x" * 1000), "NOERROR", 0),
    "an error in a request": (lambda p: tsig(p, error=18), "NOERROR", 0),
    "octets behind its data": (lambda p: tsig(p, more=b"x"), "FORMERR", None),
    "no data": (lambda p: tsig(p, data=b""), "FORMERR", None),
    "twice": (lambda p: tsig(tsig(p)), "FORMERR", None),
    "not last": (lambda p: behind(tsig(p), opt()), "FORMERR", None),
    "in the answer section": (lambda p: moved(tsig(p)), "FORMERR", None),
    "another id before": (lambda p: tsig(p, original_id=7), "NOERROR", 0),
}


def behind(packet, more):
    """The packet with one more additional record."""
    count = struct.unpack_from("!H", packet, 10)[0]
    return packet[:10] + struct.pack("!H", count + 1) + packet[12:] + more


def moved(packet):
    """The packet whose additional record stands in the answer section."""
    return packet[:6] + b"\0\1\0\0\0\0" + packet[12:]


def tsig_error(reply):
    """The error in a reply's TSIG; None: it has none."""
    at = reply.rfind(struct.pack("!2HI", 250, 255, 0))
    if at < 0:
        return None
    at += 10
    while reply[at]:
        at += 1 + reply[at]
    mac_size, = struct.unpack_from("!H", reply, at + 9)
    return struct.unpack_from("!H", reply, at + 13 + mac_size)[0]


def among(found, expected):
    return found in expected if isinstance(expected, tuple) else found == expected


@pytest.mark.parametrize("case", TSIGS)
def test_A4_a_signature_is_judged(server, case):
    build, rcode, error = TSIGS[case]
    packet = build(header() + question())
    with connect(server) as tcp:
        tcp.sendall(framed(packet) + framed(GOOD))
        messages = list(read_messages(tcp))
    assert is_good(messages[-1])
    for reply in [*exchange_udp(server, packet), *messages[:-1]]:
        assert among(dns.rcode.to_text(reply[3] & 15), rcode)
        assert among(tsig_error(reply), error)
        told_nothing = reply[6:8] == b"\0\0"
        assert told_nothing == (reply[3] & 15 != 0)
    assert len(messages) == 2


def test_A4_a_reply_is_no_request(server):
    """The signed reply that says BADTIME, sent back, is silence; as a request it proves nothing."""
    packet = tsig(header() + question(), late=3600)
    reply, = exchange_udp(server, packet)
    assert tsig_error(reply) == 18
    assert exchange_udp(server, reply) == []
    again, = exchange_udp(server, reply[:2] + bytes([reply[2] & 0x7F]) + reply[3:])
    assert again[3] & 15 != 0 and again[6:8] == b"\0\0"


def test_A4_only_a_good_signature_gets_the_zone(server):
    ask = header() + question(rrtype=252)
    for build, count in ((lambda p: p, 0), (lambda p: tsig(p, secret=b"x"), 0), (tsig, 4)):
        with connect(server) as tcp:
            tcp.sendall(framed(build(ask)))
            tcp.shutdown(socket.SHUT_WR)
            messages = list(read_messages(tcp))
        assert sum(int.from_bytes(message[6:8], "big") for message in messages) == count


# Data that leaves its record, or says something that its type cannot: (type, octets).
WINDOW = b"\0\1\x40"
BAD_DATA = {
    "A of 3 octets": (1, b"\xc0\0\2"),
    "A of 5 octets": (1, b"\xc0\0\2\1\1"),
    "AAAA of 15 octets": (28, b"\0" * 15),
    "NS of nothing": (2, b""),
    "CNAME with octets behind": (5, b"\1a\0x"),
    "MX without a name": (15, b"\0\1"),
    "MX that points beyond": (15, b"\0\1\xff\xff"),
    "TXT of nothing": (16, b""),
    "TXT beyond the end": (16, b"\5abc"),
    "HINFO of one text": (13, b"\3abc"),
    "SRV that is short": (33, b"\0\1\0\1\0"),
    "NAPTR whose text leaves it": (35, b"\0\1\0\1\1u\xffsip\0\0"),
    "NAPTR without a name": (35, b"\0\1\0\1\1u\0\0"),
    "LOC of 15 octets": (29, b"\0" * 15),
    "LOC of 17 octets": (29, b"\0" * 17),
    "DS of 3 octets": (43, b"\0\1\x08"),
    "SSHFP of one octet": (44, b"\1"),
    "IPSECKEY, half an address": (45, b"\1\1\2\xc0\0\2"),
    "DNSKEY of 3 octets": (48, b"\1\1\3"),
    "NSEC, a window of no octets": (47, b"\0\0\0"),
    "NSEC, a window of 33 octets": (47, b"\0\0\x21" + b"\1" * 33),
    "NSEC, a window beyond the end": (47, b"\0\0\x20\1"),
    "NSEC, windows in disorder": (47, b"\0\1" + WINDOW[1:] + WINDOW),
    "NSEC, the same window twice": (47, b"\0" + WINDOW * 2),
    "CSYNC, a window beyond the end": (62, b"\0" * 6 + b"\0\x20\1"),
    "NSEC3, a hash beyond the end": (50, b"\1\0\0\0\0\xff\1"),
    "NSEC3, a salt beyond the end": (50, b"\1\0\0\0\xff\1"),
    "NSEC3PARAM, a salt beyond the end": (51, b"\1\0\0\0\xff\1"),
    "RRSIG of 17 octets": (46, b"\0" * 17),
    "TLSA of 2 octets": (52, b"\3\1"),
    "HIP, an identity beyond the end": (55, b"\xff\2\0\4abcd"),
    "HIP, a key beyond the end": (55, b"\1\2\xff\xffabcd"),
    "SVCB without a target": (64, b"\0\1"),
    "SVCB, a value of 65509 octets beyond the end": (64, b"\0\1\0\0\1\xff\xe5abc"),
    "SVCB, keys in disorder": (64, b"\0\1\0\0\4\0\4\xc0\0\2\1\0\3\0\2\0\x35"),
    "SVCB, a key twice": (64, b"\0\1\0\0\3\0\2\0\x35\0\3\0\2\0\x35"),
    "HTTPS, half a key": (65, b"\0\1\0\0"),
    "APL, 5 octets of IPv4": (42, b"\0\1\x18\5\xc0\0\2\1\1"),
    "APL, 17 octets of IPv6": (42, b"\0\2\x80\x11" + b"\1" * 17),
    "APL, an address beyond the end": (42, b"\0\1\x18\x7f\xc0"),
    "L32 of 5 octets": (105, b"\0\1\0\0\0"),
    "CAA, a tag beyond the end": (257, b"\0\xffissue"),
    "CAA without a tag": (257, b"\0\0issue"),
    "EUI48 of 5 octets": (108, b"\0" * 5),
    "OPT as data": (41, b""),
    "TSIG as data": (250, b"\0" * 20),
    "ANY as data": (255, b""),
}


@pytest.fixture(scope="module")
def fooled(tmp_path_factory):
    """A secondary whose primary sends good zones first, and then each with a record that is not.
    """
    names = {f"z{number}.test": bad for number, bad in enumerate(BAD_DATA.values())}
    with Rogue() as rogue:
        made = Server(tmp_path_factory.mktemp("fooled"), {
            "remotes": [{"name": "rogue", "address": f"127.0.0.1@{rogue.port}"}],
            "zones": [{"name": name, "role": "secondary", "primaries": "rogue"}
                      for name in (*names, "good.test")]}, name="fooled")
        try:
            made.start()
            for name in (*names, "good.test"):
                made.wait_serial(name, 1)
            made.before = made.processes()
            rogue.records = {name: [record(b"\1x" + apex(name), *bad_record(bad))]
                             for name, bad in names.items()}
            rogue.serial = 2
            made.said = made.run("zone", "refresh", check=False).stderr.splitlines()
            made.wait_serial("good.test", 2)
            yield made
        finally:
            made.stop()


def apex(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def bad_record(bad):
    rrtype, data = bad
    return rrtype, 1, 300, data


@pytest.mark.parametrize("case", BAD_DATA)
def test_A6_a_transfer_with_bad_data_leaves_the_zone_as_it_was(fooled, case):
    name = f"z{list(BAD_DATA).index(case)}.test"
    assert any(line.startswith(f"{name}.: ") and "served" not in line for line in fooled.said)
    assert fooled.serial(name) == 1
    assert fooled.ask("x." + name).rcode() == dns.rcode.NXDOMAIN
    assert fooled.processes() == fooled.before


STRANGE = b'\n"$@;\\\x1b[31m<b>\xff\0{}%s'
PLAIN_TEXT = set(string.printable) - set("\x0b\x0c\r")
STRANGE_NAME = bytes([len(STRANGE)]) + STRANGE


def test_A9_names_of_strangers_are_harmless_in_the_log(server):
    """A line is a line, whatever a refused question asked for."""
    lines = len(server.log.splitlines())
    for packet in (query(name=STRANGE_NAME + APEX, flags=opcode(4)),
                   query(name=STRANGE_NAME + APEX, rrtype=252),
                   header() + question(rrtype=252),
                   tsig(header() + question(rrtype=252), key=STRANGE_NAME + b"\0")):
        with connect(server) as tcp:
            tcp.sendall(framed(packet) + framed(GOOD))
            assert is_good(list(read_messages(tcp))[-1])
    wait_until(lambda: len(server.log.splitlines()) > lines + 1, what="refusals in the log")
    for line in server.log.splitlines()[lines:]:
        assert set(line) <= PLAIN_TEXT, line


STRANGE_LABEL = "".join(f"\\{octet:03d}" for octet in STRANGE)


def test_A9_names_in_a_zone_come_out_as_they_went_in(servers, tmp_path):
    """Zone text and JSON say the same name again; no octet of it means anything."""
    file = tmp_path / "zone"
    file.write_text(ZONE + f'{STRANGE_LABEL} TXT "{STRANGE_LABEL}"\n'
                    f"{STRANGE_LABEL}.x CNAME {STRANGE_LABEL}\n")
    zone_name = STRANGE_LABEL.replace("\\", "\\") + ".test"
    made = servers({"zones": [{"name": name, "role": "primary", "file": str(file),
                               "secondaries": []} for name in (ORIGIN, zone_name)]})
    made.start().wait_serial(ORIGIN, 1)
    exported = made.run("zone", "export", ORIGIN).stdout
    again = tmp_path / "again"
    again.write_text(exported)
    made.run("check", again, "--origin", ORIGIN)
    reply = dns.message.from_wire(exchange_udp(made, query(name=STRANGE_NAME + APEX, rrtype=16))[0])
    assert reply.answer[0][0].strings == (STRANGE,)
    listed = json.loads(made.run("zone", "list", "--json").stdout)
    assert len(listed["zones"]) == 2
    for command in (["zone", "list"], ["status"], ["zone", "status", zone_name], ["stats"]):
        shown = made.run(*command, check=False).stdout
        assert set(shown) <= PLAIN_TEXT, command
