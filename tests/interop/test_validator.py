# SPDX-License-Identifier: Apache-2.0
"""The validator believes what is proven, and nothing else: zones signed by hand, responses with
whole and with broken proofs."""
import hashlib
import struct
from base64 import b32hexencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from validator import (ED25519, Bogus, Validator, key_tag, label_count, nsec3_hash, signed_octets,
                       superfluous)
from wire import (A, ANY, CNAME, DNAME, DS, NOERROR, NS, NSEC, NSEC3, NXDOMAIN, RRSIG, SOA, TXT,
                  YXDOMAIN, Malformed, Message, RRset, Signature, name_octets, name_of, read_name)

NOW = 2_000_000_000
SECURE, WEAK = True, False  # weak: nothing is signed, or opt-out leaves it open


def bitmap(types):
    windows = {}
    for rrtype in types:
        octets = windows.setdefault(rrtype >> 8, bytearray(32))
        octets[(rrtype & 255) >> 3] |= 0x80 >> (rrtype & 7)
    return b"".join(bytes([window, len(octets.rstrip(b"\0"))]) + octets.rstrip(b"\0")
                    for window, octets in sorted(windows.items()))


class Zone:
    """Signs what it is told, true or not."""

    def __init__(self, origin, salt=b"", iterations=0):
        self.apex = name_of(origin)
        self.key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(origin.encode()).digest())
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.dnskey = struct.pack("!HBB", 257, 3, ED25519) + public
        self.salt, self.iterations = salt, iterations

    def name(self, text):
        return self.apex if text == "@" else self.apex + name_of(text)

    def sign(self, owner, rrtype, *rdatas, labels=None, ttl=300, start=NOW - 9, end=NOW + 9,
             signer=None):
        """[(owner, type, data, TTL)]: the set and its signature."""
        owner = self.name(owner) if isinstance(owner, str) else owner
        labels = label_count(owner) if labels is None else labels
        fields = struct.pack("!HBBIIIH", rrtype, ED25519, labels, ttl, end, start,
                             key_tag(self.dnskey)) + name_octets(signer or self.apex)
        rrset = RRset(owner, rrtype, ttl, tuple(sorted(rdatas)), ())
        octets = self.key.sign(signed_octets(rrset, Signature.of(fields)))
        return [*((owner, rrtype, rdata, ttl) for rdata in rdatas),
                (owner, RRSIG, fields + octets, ttl)]

    def nsec(self, owner, after, *types, **more):
        data = name_octets(self.name(after)) + bitmap({NSEC, RRSIG, *types})
        return self.sign(owner, NSEC, data, **more)

    def hash(self, text):
        digest = hashlib.sha1(name_octets(self.name(text)) + self.salt).digest()
        for _ in range(self.iterations):
            digest = hashlib.sha1(digest + self.salt).digest()
        return digest

    def nsec3(self, first, after, types=(), opt_out=False, iterations=None, algorithm=1):
        """The record from one hash to the next."""
        iterations = self.iterations if iterations is None else iterations
        data = struct.pack("!BBHB", algorithm, opt_out, iterations, len(self.salt)) + self.salt + \
            bytes([len(after)]) + after + bitmap(types)
        return self.sign(self.apex + (b32hexencode(first).lower(),), NSEC3, data)

    def match(self, text, *types, **more):
        """An NSEC3 of this name."""
        return self.nsec3(self.hash(text), step(self.hash(text), 1), types, **more)

    def cover(self, text, **more):
        """An NSEC3 that denies this name."""
        return self.nsec3(step(self.hash(text), -1), step(self.hash(text), 1), **more)

    def soa(self):
        return self.sign("@", SOA, name_octets(self.apex) * 2 + struct.pack("!5I", 1, 2, 3, 4, 5))


def step(digest, by):
    return (int.from_bytes(digest, "big") + by).to_bytes(20, "big")


def response(qname, qtype, answer=(), authority=(), rcode=NOERROR, flags=0x8400):
    octets = struct.pack("!6H", 1, flags | rcode, 1, len(answer), len(authority), 0)
    octets += name_octets(qname) + struct.pack("!2H", qtype, 1)
    for owner, rrtype, rdata, ttl in (*answer, *authority):
        octets += name_octets(owner) + struct.pack("!2HIH", rrtype, 1, ttl, len(rdata)) + rdata
    return Message(octets)


Z = Zone("example")
CHILD = Zone("child.example")
PLAIN = Zone("plain.example")  # not signed
H = Zone("hashed", salt=b"\xaa\xbb", iterations=3)
VALIDATOR = Validator({zone.apex: [zone.dnskey] for zone in (Z, CHILD, H)} | {PLAIN.apex: []}, NOW)
ADDRESS = b"\xc0\0\2\1"
TARGET = name_octets(Z.name("www"))


def ask(text, qtype=A, answer=(), authority=(), rcode=NOERROR, zone=Z, **more):
    return response(zone.name(text), qtype, answer, authority, rcode, **more)


def no(text, *proofs, qtype=A, rcode=NOERROR, zone=Z, answer=()):
    """A negative response."""
    return ask(text, qtype, answer, sum(proofs, zone.soa()), rcode, zone)


def plain(text, rrtype, data, zone=Z):
    return [(zone.name(text), rrtype, data, 300)]


def cut(text, *proofs, qtype=A, zone=Z, below=None):
    return ask(below or "x." + text, qtype, (),
               plain(text, NS, TARGET, zone) + sum(proofs, []), zone=zone, flags=0x8000)


def wildcard(text, labels, *proofs, zone=Z):
    return ask(text, A, zone.sign(text, A, ADDRESS, labels=labels), sum(proofs, []), zone=zone)


# The zone: @ SOA NS, a A, *.a TXT, b.c A, cut NS, d DNAME, e CNAME, www A.
APEX_NSEC = Z.nsec("@", "a", SOA, NS)
A_NSEC = Z.nsec("a", "*.a", A)
STAR_NSEC = Z.nsec("*.a", "b.c", TXT)
CUT_NSEC = Z.nsec("cut", "d", NS)
DNAME_NSEC = Z.nsec("d", "e", DNAME)
LAST_NSEC = Z.nsec("www", "@", A)
OPTED = dict(opt_out=True)

PROVEN = {
    "an answer": (ask("www", A, Z.sign("www", A, ADDRESS)), SECURE),
    "two records": (ask("www", A, Z.sign("www", A, ADDRESS, b"\1\2\3\4")), SECURE),
    "an answer of a zone without keys": (ask("w", A, plain("w", A, ADDRESS, PLAIN), zone=PLAIN),
                                         WEAK),
    "an alias that leads out": (ask("e", A, Z.sign("e", CNAME, name_octets((b"out",)))), SECURE),
    "an alias and its end": (ask("e", A, Z.sign("e", CNAME, TARGET) + Z.sign("www", A, ADDRESS)),
                             SECURE),
    "an alias to nothing": (no("e", LAST_NSEC, APEX_NSEC, rcode=NXDOMAIN, answer=Z.sign(
        "e", CNAME, name_octets(Z.name("zzz")))), SECURE),
    "a DNAME": (ask("x.d", A, Z.sign("d", DNAME, name_octets(Z.name("c"))) + plain(
        "x.d", CNAME, name_octets(Z.name("x.c")))), SECURE),
    "a DNAME that grows too long": (ask(".".join(["x" * 60] * 3) + ".d", A, Z.sign(
        "d", DNAME, name_octets((b"y" * 63, b"z" * 63))), rcode=YXDOMAIN), SECURE),
    "ANY": (ask("www", ANY, Z.sign("www", A, ADDRESS) + Z.sign("www", TXT, b"\0")), SECURE),
    "NSEC, no name": (no("zzz", LAST_NSEC, APEX_NSEC, rcode=NXDOMAIN), SECURE),
    "NSEC, no name, one record": (no("0", APEX_NSEC, rcode=NXDOMAIN), SECURE),
    "NSEC, no name below one": (no("x.www", LAST_NSEC, rcode=NXDOMAIN), SECURE),
    "NSEC, no type": (no("www", LAST_NSEC, qtype=TXT), SECURE),
    "NSEC, no DS at a cut": (no("cut", CUT_NSEC, qtype=DS), SECURE),
    "NSEC, no DS at an apex": (no("@", APEX_NSEC, qtype=DS), SECURE),
    "NSEC, an empty non-terminal": (no("c", STAR_NSEC), SECURE),
    "NSEC, no type at a wildcard": (no("x.a", STAR_NSEC), SECURE),
    "NSEC, an empty wildcard": (no("x.a", Z.nsec("a", "y.*.a", A), Z.nsec("y.*.a", "b", A)),
                                SECURE),
    "NSEC, a wildcard's answer": (wildcard("x.a", 2, STAR_NSEC), SECURE),
    "NSEC, a wildcard's signature": (ask("x.a", RRSIG, Z.sign("x.a", A, ADDRESS, labels=2)[1:],
                                         STAR_NSEC), SECURE),
    "NSEC, a wildcard's answer two labels below": (wildcard("y.x.a", 2, STAR_NSEC), SECURE),
    "NSEC, a referral without DS": (cut("cut", CUT_NSEC), SECURE),
    "a referral with DS": (cut("cut", Z.sign("cut", DS, b"\0\1\x0d\2" + b"\0" * 32)), SECURE),
    "a referral to a zone that is here": (cut("child", Z.sign("child", DS, b"\0" * 36)), SECURE),
    "NSEC3, no name": (no("x.a", H.match("a"), H.cover("x.a"), H.cover("*.a"), rcode=NXDOMAIN,
                          zone=H), SECURE),
    "NSEC3, no name two labels below": (no("y.x.a", H.match("a"), H.cover("x.a"), H.cover("*.a"),
                                           rcode=NXDOMAIN, zone=H), SECURE),
    "NSEC3, no name, under opt-out": (no("x.a", H.match("a"), H.cover("x.a", **OPTED), H.cover(
        "*.a"), rcode=NXDOMAIN, zone=H), WEAK),
    "NSEC3, no type": (no("a", H.match("a", A), qtype=TXT, zone=H), SECURE),
    "NSEC3, no DS": (no("a", H.match("a", NS), qtype=DS, zone=H), SECURE),
    "NSEC3, no DS, under opt-out": (no("cut", H.match("@"), H.cover("cut", **OPTED), qtype=DS,
                                       zone=H), WEAK),
    "NSEC3, no type at a wildcard": (no("x.a", H.match("a"), H.cover("x.a"), H.match("*.a", TXT),
                                        zone=H), SECURE),
    "NSEC3, a wildcard's answer": (wildcard("y.x.a", 2, H.cover("x.a"), zone=H), SECURE),
    "NSEC3, a wildcard's answer, under opt-out": (wildcard("x.a", 2, H.cover("x.a", **OPTED),
                                                           zone=H), WEAK),
    "NSEC3, a referral without DS": (cut("cut", H.match("cut", NS), zone=H), SECURE),
    "NSEC3, a referral under opt-out": (cut("cut", H.match("@"), H.cover("cut", **OPTED), zone=H),
                                        WEAK),
    "NSEC3, the last record": (no("a", H.match("a"), zone=H, qtype=TXT), SECURE),
}

BROKEN = {
    "no signature": ask("www", A, plain("www", A, ADDRESS)),
    "a signature of other data": ask("www", A, plain("www", A, b"\1\1\1\1") + Z.sign(
        "www", A, ADDRESS)[1:]),
    "one record more than was signed": ask("www", A, plain("www", A, b"\1\1\1\1") + Z.sign(
        "www", A, ADDRESS)),
    "another zone's signature": ask("www", A, CHILD.sign(Z.name("www"), A, ADDRESS)),
    "another zone's key": ask("www", A, CHILD.sign(Z.name("www"), A, ADDRESS, signer=Z.apex)),
    "the parent's signature over the child's data": ask("x.child", A, Z.sign(
        "x.child", A, ADDRESS)),
    "a signature that ran out": ask("www", A, Z.sign("www", A, ADDRESS, end=NOW - 1)),
    "a signature from tomorrow": ask("www", A, Z.sign("www", A, ADDRESS, start=NOW + 1)),
    "more labels than the name has": ask("www", A, Z.sign("www", A, ADDRESS, labels=3)),
    "a signature in a zone without keys": ask("w", A, PLAIN.sign("w", A, ADDRESS), zone=PLAIN),
    "a signature of nothing": ask("www", A, Z.sign("www", A, ADDRESS) + Z.sign(
        "www", TXT, b"\0")[1:]),
    "a set that nobody asked for": ask("www", A, Z.sign("www", A, ADDRESS) + Z.sign(
        "www", TXT, b"\0")),
    "an answer and NXDOMAIN": ask("www", A, Z.sign("www", A, ADDRESS), rcode=NXDOMAIN),
    "nothing at all": ask("www"),
    "a TTL above the signed one": ask("www", A, [(*Z.sign("www", A, ADDRESS)[0][:3], 301),
                                                 Z.sign("www", A, ADDRESS)[1]]),
    "a CNAME that does not follow from DNAME": ask("x.d", A, Z.sign(
        "d", DNAME, name_octets(Z.name("c"))) + plain("x.d", CNAME, name_octets(Z.name("y.c")))),
    "a DNAME that nobody signed": ask("x.d", A, plain("d", DNAME, name_octets(Z.name("c"))) + plain(
        "x.d", CNAME, name_octets(Z.name("x.c")))),
    "YXDOMAIN of a name that is short enough": ask("x.d", A, Z.sign(
        "d", DNAME, name_octets(Z.name("c"))), rcode=YXDOMAIN),
    "the SOA of another zone": ask("zzz", A, (), CHILD.soa() + LAST_NSEC + APEX_NSEC, NXDOMAIN),
    "an SOA that nobody signed": ask("zzz", A, (), Z.soa()[:1] + LAST_NSEC + APEX_NSEC, NXDOMAIN),
    "a denial without proof": no("zzz", rcode=NXDOMAIN),
    "NSEC that nobody signed": no("www", LAST_NSEC[:1], qtype=TXT),
    # RFC 4035 5.4
    "NSEC, no name, the wildcard is not denied": no("zzz", LAST_NSEC, rcode=NXDOMAIN),
    "NSEC, no name, only the wildcard is denied": no("zzz", APEX_NSEC, rcode=NXDOMAIN),
    "NSEC, no name, but it is the record's own": no("www", LAST_NSEC, APEX_NSEC, rcode=NXDOMAIN),
    "NSEC, no name, but it is the next": no("a", APEX_NSEC, rcode=NXDOMAIN),
    "NSEC, no name, but it is an empty non-terminal": no("c", STAR_NSEC, APEX_NSEC, rcode=NXDOMAIN),
    "NSEC, no name, but its wildcard is an empty one": no(
        "x.a", Z.nsec("a", "y.*.a", A), Z.nsec("y.*.a", "b", A), rcode=NXDOMAIN),
    "NSEC, no name, the wildcard's own record": no("x.a", STAR_NSEC, rcode=NXDOMAIN),
    "NSEC, no type, but it is in the bitmap": no("www", LAST_NSEC),
    "NSEC, no type, but there is a CNAME": no("e", Z.nsec("e", "www", CNAME), qtype=TXT),
    "NSEC, no type, but it denies the name": no("zzz", LAST_NSEC, APEX_NSEC),
    "NSEC, no type at a wildcard that has it": no("x.a", STAR_NSEC, qtype=TXT),
    "NSEC, no type at a wildcard, the name is not denied": no("b.c", STAR_NSEC),
    "NSEC, a wildcard's signature without proof": ask("x.a", RRSIG, Z.sign(
        "x.a", A, ADDRESS, labels=2)[1:]),
    "NSEC, a wildcard's answer without proof": wildcard("x.a", 2),
    "NSEC, a wildcard's answer, the name exists": wildcard("b.c", 1, Z.nsec("b.c", "cut", A)),
    "NSEC, a wildcard's answer, a closer name exists": wildcard("x.a", 1, STAR_NSEC),
    "NSEC from a wildcard": no("zzz", Z.nsec("www", "@", A, labels=1), APEX_NSEC, rcode=NXDOMAIN),
    # RFC 6840 4.1
    "NSEC of a cut denies what is below it": no("x.cut", CUT_NSEC, APEX_NSEC, rcode=NXDOMAIN),
    "NSEC of a DNAME denies what is below it": no("x.d", DNAME_NSEC, APEX_NSEC, rcode=NXDOMAIN),
    "NSEC of a cut denies a type": no("cut", CUT_NSEC),
    "NSEC of the child denies DS": no("child", CHILD.nsec("@", "a", SOA, NS), qtype=DS),
    "NSEC, a referral, but the DS bit is set": cut("cut", Z.nsec("cut", "d", NS, DS)),
    "NSEC, a referral, but it is no delegation": cut("www", LAST_NSEC),
    "NSEC, a referral, but it is an apex": cut("cut", Z.nsec("cut", "d", NS, SOA)),
    "NSEC, a referral, the cut is denied": cut("zzz", LAST_NSEC, APEX_NSEC),
    "a referral without proof": cut("cut"),
    "a referral elsewhere": cut("cut", CUT_NSEC, below="www"),
    "a referral to the zone itself": ask("www", A, (), Z.sign("@", NS, TARGET), flags=0x8000),
    # RFC 5155 8.4 to 8.9
    "NSEC3, no name, no closest encloser": no("x.a", H.cover("x.a"), H.cover("*.a"),
                                              rcode=NXDOMAIN, zone=H),
    "NSEC3, no name, the next closer name is not denied": no("x.a", H.match("a"), H.cover("*.a"),
                                                             rcode=NXDOMAIN, zone=H),
    "NSEC3, no name, the wildcard is not denied": no("x.a", H.match("a"), H.cover("x.a"),
                                                     rcode=NXDOMAIN, zone=H),
    "NSEC3, no name, but it exists": no("x.a", H.match("x.a"), H.match("a"), H.cover("*.a"),
                                        rcode=NXDOMAIN, zone=H),
    "NSEC3, no name, but the wildcard exists": no(
        "x.a", H.match("a"), H.cover("x.a"), H.match("*.a"), rcode=NXDOMAIN, zone=H),
    "NSEC3, no name, the encloser is a cut": no("x.a", H.match("a", NS), H.cover("x.a"), H.cover(
        "*.a"), rcode=NXDOMAIN, zone=H),
    "NSEC3, no name, the encloser is a DNAME": no("x.a", H.match("a", DNAME), H.cover(
        "x.a"), H.cover("*.a"), rcode=NXDOMAIN, zone=H),
    "NSEC3, no name, the encloser is not the closest": no(
        "y.x.a", H.match("x.a"), H.match("a"), H.cover("x.a"), H.cover("*.a"), rcode=NXDOMAIN,
        zone=H),
    "NSEC3, no type, but it is in the bitmap": no("a", H.match("a", A), zone=H),
    "NSEC3, no type, but there is a CNAME": no("a", H.match("a", CNAME), zone=H, qtype=TXT),
    "NSEC3, no type at a cut": no("a", H.match("a", NS), zone=H),
    "NSEC3, no type, nothing matches": no("a", H.match("@"), H.cover("a"), zone=H),
    "NSEC3, no DS, no opt-out": no("cut", H.match("@"), H.cover("cut"), qtype=DS, zone=H),
    "NSEC3, no type at a wildcard that has it": no("x.a", H.match("a"), H.cover("x.a"), H.match(
        "*.a", A), zone=H),
    "NSEC3, no type at a wildcard, no opt-out": no("x.a", H.match("a"), H.cover("x.a"), H.cover(
        "*.a"), zone=H),
    "NSEC3, a wildcard's answer without proof": wildcard("x.a", 2, zone=H),
    "NSEC3, a wildcard's answer, another name is denied": wildcard("y.x.a", 2, H.cover("y.x.a"),
                                                                   zone=H),
    "NSEC3, a referral, but the DS bit is set": cut("cut", H.match("cut", NS, DS), zone=H),
    "NSEC3, a referral, but it is no delegation": cut("cut", H.match("cut", A), zone=H),
    "NSEC3, a referral, no opt-out": cut("cut", H.match("@"), H.cover("cut"), zone=H),
    # RFC 5155 8.1, 8.2
    "NSEC3 of two parameters": no("x.a", H.match("a"), H.cover("x.a", iterations=4), H.cover("*.a"),
                                  rcode=NXDOMAIN, zone=H),
    "NSEC3 of an unknown hash": no("a", H.match("a", algorithm=2), qtype=TXT, zone=H),
    "NSEC3 below a name of the zone": no("a", H.sign("0" * 32 + ".a", NSEC3, H.match(
        "a")[0][2]), qtype=TXT, zone=H),
    "NSEC and NSEC3": no("a", H.match("a"), H.nsec("a", "@"), qtype=TXT, zone=H),
    "NSEC3 of another zone": no("www", H.match("a"), qtype=TXT),
}


@pytest.mark.parametrize("case", PROVEN)
def test_a_proof_is_believed(case):
    message, secure = PROVEN[case]
    assert VALIDATOR.check(message) == secure


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_proof_is_not(case):
    with pytest.raises(Bogus):
        VALIDATOR.check(BROKEN[case])


@pytest.mark.parametrize("case", PROVEN)
def test_no_record_of_a_proof_can_be_spared(case):
    """Without any record of the authority section, or with any octet of a signature changed,
    nothing is believed that was secure."""
    message, secure = PROVEN[case]
    if not secure:
        return
    whole = message.authority
    for record in whole:
        message.authority = [other for other in whole if other is not record]
        if record.type != NS:
            with pytest.raises(Bogus):
                VALIDATOR.check(message)
        message.authority = [other._replace(rdata=other.rdata[:-1] + bytes([other.rdata[-1] ^ 1]))
                             if other is record else other for other in whole]
        if record.type == RRSIG:
            with pytest.raises(Bogus):
                VALIDATOR.check(message)
    message.authority = whole


def test_what_nobody_needs_is_seen():
    needed = no("www", LAST_NSEC, qtype=TXT)
    more = no("www", LAST_NSEC, APEX_NSEC, qtype=TXT)
    assert superfluous(VALIDATOR, needed) == []
    assert [record.owner for record in superfluous(VALIDATOR, more)] == [Z.apex]


def test_canonical_order_is_that_of_rfc_4034():
    """RFC 4034 6.1 has this very list."""
    names = [b"\7example\0", b"\1a\7example\0", b"\x08yljkjljk\1a\7example\0",
             b"\1Z\1a\7example\0", b"\4zABC\1a\7EXAMPLE\0", b"\1z\7example\0",
             b"\1\1\1z\7example\0", b"\1*\1z\7example\0", b"\1\xc8\1z\7example\0"]
    read = [read_name(name, 0)[0] for name in names]
    assert sorted(read) == read


def test_nsec3_hashes_are_those_of_rfc_5155():
    """RFC 5155 appendix A."""
    salt = bytes.fromhex("aabbccdd")
    for name, text in (("example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
                       ("*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en")):
        assert b32hexencode(nsec3_hash(name_of(name), salt, 12)).lower().decode() == text


@pytest.mark.parametrize("octets", [
    b"", b"\0" * 11, b"\0" * 13, b"\0\0\0\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1",
    b"\0\0\0\0\0\1\0\0\0\0\0\0\1", b"\0\0\0\0\0\2\0\0\0\0\0\0\0\0\1\0\1\0\0\1\0\1",
    b"\0\0\0\0\0\0\0\1\0\0\0\0\0\0\1\0\1\0\0\0\0\0\4abc"])
def test_what_is_no_message_is_malformed(octets):
    with pytest.raises(Malformed):
        Message(octets)
