# SPDX-License-Identifier: Apache-2.0
"""DNS messages from their octets, for tests that read tens of thousands of them.

A name is a tuple of labels in lower case, the root's side first: then the order of tuples is
the canonical order (RFC 4034 6.1), and an ancestor is a prefix. Data is in canonical form
(RFC 4034 6.2): no compression, names in lower case where that is the rule.
"""
import struct
from typing import NamedTuple

A, NS, CNAME, SOA, TXT, AAAA = 1, 2, 5, 6, 16, 28
DNAME, OPT, DS, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM = 39, 41, 43, 46, 47, 48, 50, 51
ANY = 255
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, YXDOMAIN = range(7)

# Where names stand in data: octets before them, how many. Of the types of RFC 4034 6.2.
NAMES_IN = {NS: (0, 1), 3: (0, 1), 4: (0, 1), CNAME: (0, 1), SOA: (0, 2), 7: (0, 1), 8: (0, 1),
            9: (0, 1), 12: (0, 1), 14: (0, 2), 15: (2, 1), 17: (0, 2), 18: (2, 1), 21: (2, 1),
            26: (2, 2), 33: (6, 1), 36: (2, 1), DNAME: (0, 1), RRSIG: (18, 1)}
NAPTR = 35
POINTERS_MAX = 128


class Malformed(Exception):
    """The octets are no message."""


class Record(NamedTuple):
    owner: tuple
    ttl: int
    type: int
    rdata: bytes


def read_name(wire, at):
    """The name at an offset, and the offset behind it."""
    labels, end, jumps = [], None, 0
    try:
        while length := wire[at]:
            if length < 64:
                labels.append(wire[at + 1:at + 1 + length].lower())
                at += 1 + length
                continue
            if length < 192 or jumps == POINTERS_MAX:
                raise Malformed(f"a label of {length} octets, {jumps} pointers")
            end = at + 2 if end is None else end
            target = (length & 63) << 8 | wire[at + 1]
            if target >= at:
                raise Malformed(f"at {at} a pointer to {target}")
            at, jumps = target, jumps + 1
    except IndexError:
        raise Malformed("a name leaves the message") from None
    return tuple(reversed(labels)), at + 1 if end is None else end


def name_octets(name):
    return b"".join(bytes([len(label)]) + label for label in reversed(name)) + b"\0"


def name_text(name):
    """For people: dots between labels, what is not plain as \\DDD."""
    shown = ("".join(chr(c) if 0x21 <= c < 0x7f and chr(c) not in '.\\"();@$' else f"\\{c:03d}"
                     for c in label) for label in reversed(name))
    return ".".join(shown) + "."


def name_of(text):
    """The name that a text without backslashes means."""
    return tuple(label.encode().lower() for label in reversed(text.rstrip(".").split(".")) if label)


def is_below(name, ancestor):
    """True too when they are the same."""
    return name[:len(ancestor)] == ancestor


def rdata_of(wire, at, length, rrtype):
    """Canonical data of a record."""
    if rrtype == NAPTR:
        skip = 4
        for _ in range(3):
            skip += 1 + wire[at + skip]
        count = 1
    elif rrtype in NAMES_IN:
        skip, count = NAMES_IN[rrtype]
    else:
        return wire[at:at + length]
    end, names, place = at + length, b"", at + skip
    for _ in range(count):
        name, place = read_name(wire, place)
        names += name_octets(name)
    if place > end:
        raise Malformed(f"data of type {rrtype} leaves its record")
    return wire[at:at + skip] + names + wire[place:end]


class Message:
    """A response: records of each section, and what OPT says. `question` is as it came."""

    def __init__(self, wire):
        if len(wire) < 12:
            raise Malformed(f"{len(wire)} octets")
        self.id, flags, questions, *counts = struct.unpack_from("!6H", wire)
        self.flags, self.rcode, self.edns, self.octets = flags, flags & 15, False, len(wire)
        self.aa, self.tc, self.ra = bool(flags & 0x400), bool(flags & 0x200), bool(flags & 0x80)
        at, self.qname, self.qtype = 12, None, None
        if questions == 1:
            self.qname, at = read_name(wire, at)
            self.qtype = struct.unpack_from("!H", wire, at)[0]
            at += 4
        elif questions:
            raise Malformed(f"{questions} questions")
        self.question = wire[12:at]
        self.answer, self.authority, self.additional = [], [], []
        for section, count in zip((self.answer, self.authority, self.additional), counts):
            for _ in range(count):
                at = self._read_record(wire, at, section)
        if at != len(wire):
            raise Malformed(f"{len(wire) - at} octets behind the last record")

    def _read_record(self, wire, at, section):
        try:
            owner, at = read_name(wire, at)
            rrtype, rrclass, ttl, length = struct.unpack_from("!2HIH", wire, at)
        except struct.error:
            raise Malformed("a record is cut off") from None
        at += 10
        if at + length > len(wire):
            raise Malformed("data leaves the message")
        if rrtype == OPT:
            self.edns, self.rcode = True, self.rcode | ttl >> 24 << 4
        elif rrclass != 1:
            raise Malformed(f"class {rrclass}")
        else:
            section.append(Record(owner, ttl, rrtype, rdata_of(wire, at, length, rrtype)))
        return at + length


class Signature(NamedTuple):
    """RRSIG, RFC 4034 3.1."""
    covered: int
    algorithm: int
    labels: int
    ttl: int
    expiration: int
    inception: int
    tag: int
    signer: tuple
    signed: bytes  # the data without the signature
    signature: bytes

    @classmethod
    def of(cls, rdata):
        signer, end = read_name(rdata, 18)
        return cls(*struct.unpack_from("!HBBIIIH", rdata), signer, rdata[:end], rdata[end:])


class RRset(NamedTuple):
    owner: tuple
    type: int
    ttl: int
    rdatas: tuple
    signatures: tuple


def rrsets_of(records):
    """RRsets by (owner, type); signatures stand with what they cover."""
    data, signatures, ttls = {}, {}, {}
    for record in records:
        if record.type == RRSIG:
            signature = Signature.of(record.rdata)
            signatures.setdefault((record.owner, signature.covered), []).append(signature)
        else:
            data.setdefault((record.owner, record.type), []).append(record.rdata)
            ttls[record.owner, record.type] = record.ttl
    return {key: RRset(*key, ttls[key], tuple(sorted(rdatas)), tuple(signatures.get(key, ())))
            for key, rdatas in data.items()}


def types_of(bitmap):
    """The types of an NSEC or NSEC3 bitmap, RFC 4034 4.1.2."""
    types, at = set(), 0
    while at < len(bitmap):
        window, length = bitmap[at], bitmap[at + 1]
        for i, octet in enumerate(bitmap[at + 2:at + 2 + length]):
            types |= {window << 8 | i << 3 | bit for bit in range(8) if octet & 0x80 >> bit}
        at += 2 + length
    return types
