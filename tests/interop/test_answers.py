# SPDX-License-Identifier: Apache-2.0
"""The same questions about the same zones to lockstep, BIND, Knot and NSD: what is answered
differently is explained in differences.py, or wrong."""
import contextlib
from dataclasses import dataclass, fields, replace

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone
import pytest

from differences import DIFFERENCES, View, explain
from peers import PATIENCE, PEERS, ROOT, ROOT_ZONE, Lockstep, Zone, root_serial

TYPES = ["A", "NS", "SOA", "MX", "TXT", "CNAME", "DNAME", "DS", "SRV", "RRSIG", "NSEC",
         "TYPE65280"]
# How a question is asked besides the plain way, each in its turn: TCP, EDNS, DO, buffer size.
WAYS = [(False, True, False, 1232), (False, True, True, 1232), (True, False, False, 0),
        (False, True, False, 512), (True, True, True, 1232), (False, True, True, 4096)]
PLAIN = (False, False, False, 0)


@dataclass(frozen=True)
class Question:
    name: str
    rrtype: str
    way: tuple

    def message(self):
        _, edns, do, size = self.way
        options = {"use_edns": 0, "want_dnssec": do, "payload": size} if edns else {}
        return dns.message.make_query(self.name, self.rrtype, **options)


def ask(server, question):
    send = dns.query.tcp if question.way[0] else dns.query.udp
    return view(send(question.message(), "127.0.0.1", timeout=PATIENCE, port=server.port))


def shown(rrsets, wanted=lambda rrset: True):
    return frozenset((rrset.name.to_text().lower(), rrset.ttl, dns.rdatatype.to_text(rrset.rdtype),
                      rdata.to_text().lower())
                     for rrset in rrsets if wanted(rrset) for rdata in rrset)


def is_compared(rrset):
    """Proofs of denial are not: NSEC and what signs it."""
    kinds = (dns.rdatatype.SOA, dns.rdatatype.NS, dns.rdatatype.DS)
    return rrset.rdtype in kinds or rrset.covers in kinds


def view(reply):
    """A truncated response is as good with fewer records; glue is what stands below the cut."""
    tc = bool(reply.flags & dns.flags.TC)
    cuts = [rrset.name for rrset in reply.authority if rrset.rdtype == dns.rdatatype.NS]
    flags = dns.flags.to_text(reply.flags & (dns.flags.AA | dns.flags.TC | dns.flags.RA))
    return View(rcode=dns.rcode.to_text(reply.rcode()), flags=flags, edns=reply.edns >= 0,
                answer=frozenset() if tc else shown(reply.answer),
                authority=frozenset() if tc else shown(reply.authority, is_compared),
                glue=frozenset() if tc else shown(reply.additional, lambda rrset: any(
                    rrset.name.is_subdomain(cut) for cut in cuts)))


def unlike(ours, theirs):
    """What differs: our side, then theirs."""
    told = []
    for field in fields(View):
        a, b = getattr(ours, field.name), getattr(theirs, field.name)
        if a != b and isinstance(a, frozenset):
            told.append(f"{field.name}: {sorted(a - b)} / {sorted(b - a)}")
        elif a != b:
            told.append(f"{field.name}: {a!r} / {b!r}")
    return "; ".join(told)


def below(name):
    return [dns.name.Name((b"x",) + name.labels)] if len(name.to_wire()) < 253 else []


def names_of(files):
    """Every name of the zones, the empty non-terminals above it and a name below it."""
    names = set()
    for origin, file in files.items():
        zone = dns.zone.from_file(str(file), origin=origin, relativize=False, check_origin=False)
        for name in zone.nodes:
            names.update(below(name))
            while name.is_subdomain(zone.origin):
                names.add(name)
                if name == dns.name.root:
                    break
                name = name.parent()
    return sorted(names)


def questions(names, types):
    """All of them the plain way, every third in another way too."""
    for number, (name, rrtype) in enumerate((name, rrtype) for name in names for rrtype in types):
        text = name.to_text().lower()
        yield Question(text, rrtype, PLAIN)
        if number % 3 == 0:
            yield Question(text, rrtype, WAYS[number // 3 % len(WAYS)])


class Servers:
    """Lockstep and every peer that is installed, with the same zones."""

    def __init__(self, folder, files, serials):
        zones = [Zone(name, file) for name, file in files.items()]
        self.files, self.stack = files, contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            self.ours = stack.enter_context(Lockstep(folder / "lockstep", zones))
            self.peers = {name: stack.enter_context(kind(folder / name, zones))
                          for name, kind in PEERS.items()}
            for server in self.ours, *self.peers.values():
                for name, serial in serials.items():
                    server.wait_serial(name, serial)
            self.stack = stack.pop_all()

    def zone_of(self, name):
        """The zone nearest above a name; None: nobody here serves it."""
        name = dns.name.from_text(name)
        found = [zone for zone in self.files if name.is_subdomain(dns.name.from_text(zone))]
        return max(found, key=lambda zone: zone.count("."), default=None)

    def whole(self, question):
        """Our answer where nothing has to be left out."""
        return ask(self.ours, replace(question, way=(True, *question.way[1:])))

    def compare(self, asked):
        """What nobody has explained, and (peer, row) of what is."""
        wrong, used = [], set()
        for question in asked:
            ours = ask(self.ours, question)
            for peer, server in self.peers.items():
                theirs = ask(server, question)
                if theirs == ours:
                    continue
                row = explain(peer, question, ours, theirs, self)
                if row:
                    used.add((peer, row.name))
                else:
                    wrong.append(f"{question}: {peer}: {unlike(ours, theirs)}")
        return wrong, used


@pytest.fixture(scope="module")
def three_zones(tmp_path_factory):
    folder = ROOT / "tests/interop/zones"
    serials = {"example.test": 1, "child.example.test": 2, "other.test": 3}
    files = {name: folder / f"{name}.zone" for name in serials}
    servers = Servers(tmp_path_factory.mktemp("three"), files, serials)
    yield servers
    servers.stack.close()


@pytest.fixture(scope="module")
def root_zone(tmp_path_factory):
    serial = root_serial()
    servers = Servers(tmp_path_factory.mktemp("root"), {".": ROOT_ZONE}, {".": serial})
    yield servers
    servers.stack.close()


def test_every_name_and_type_is_answered_alike(three_zones):
    outside = [dns.name.from_text(name) for name in (".", "test", "elsewhere.invalid")]
    names = names_of(three_zones.files) + outside
    wrong, used = three_zones.compare(questions(names, TYPES))
    assert not wrong, "\n".join(wrong[:10]) + f"\n{len(wrong)} in all"
    expected = {(peer, row.name) for row in DIFFERENCES for peer in row.peers}
    assert used == expected, "rows of differences.py that fit nothing (any more)"


def test_the_root_zone_is_answered_alike(root_zone):
    names = names_of(root_zone.files)
    assert len(names) > 1000
    nowhere = [dns.name.from_text(name) for name in ("nothing.here.", "zzz.")]
    some = [dns.name.root, *names[::60], *nowhere]
    wrong, _ = root_zone.compare(questions(some, ["A", "NS", "DS", "SOA", "DNSKEY", "NSEC"]))
    assert not wrong, "\n".join(wrong[:10]) + f"\n{len(wrong)} in all"
