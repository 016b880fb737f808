# SPDX-License-Identifier: Apache-2.0
"""The same questions about the same zones to lockstep, BIND, Knot and NSD: what is answered
differently is explained in differences.py, or wrong."""
from dataclasses import replace

import dns.name
import dns.rdatatype
import dns.zone
import pytest

from asking import asked
from differences import DIFFERENCES
from peers import ROOT, ROOT_ZONE, root_serial
from together import Servers

TYPES = ["A", "NS", "SOA", "MX", "TXT", "CNAME", "DNAME", "DS", "SRV", "RRSIG", "NSEC", "NSEC3",
         "TYPE65280"]
# How a question is asked besides the plain way, each in its turn: TCP, EDNS, DO, buffer size.
WAYS = [dict(size=1232), dict(size=1232, do=True), dict(tcp=True), dict(size=512),
        dict(tcp=True, size=1232, do=True), dict(size=4096, do=True)]


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
        labels = tuple(label.lower() for label in reversed(name.labels[:-1]))
        plain = asked(labels, int(dns.rdatatype.from_text(rrtype)))
        yield plain
        if number % 3 == 0:
            yield replace(plain, **WAYS[number // 3 % len(WAYS)])


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
    wrong, used = three_zones.compare(list(questions(names, TYPES)))
    assert not wrong, "\n".join(wrong[:10]) + f"\n{len(wrong)} in all"
    expected = {(peer, row.name) for row in DIFFERENCES for peer in row.peers}
    assert set(used) == expected, "rows of differences.py that fit nothing (any more)"


def test_the_root_zone_is_answered_alike(root_zone):
    names = names_of(root_zone.files)
    assert len(names) > 1000
    nowhere = [dns.name.from_text(name) for name in ("nothing.here.", "zzz.")]
    some = [dns.name.root, *names[::60], *nowhere]
    types = ["A", "NS", "DS", "SOA", "DNSKEY", "NSEC"]
    wrong, _ = root_zone.compare(list(questions(some, types)))
    assert not wrong, "\n".join(wrong[:10]) + f"\n{len(wrong)} in all"
