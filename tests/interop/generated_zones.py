# SPDX-License-Identifier: Apache-2.0
"""Zones made from a seed: whatever a name can be, in families that are signed in every way.

Each family is a zone below `test.` with two zones below it on the same servers: one that is
signed and one that is not. The same seed makes the same zones; keys and signatures differ.
"""
import random
import re
import subprocess
from dataclasses import dataclass, field

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from peers import need
from wire import name_of, name_text

SERIAL = 7
TLD = name_of("test")
OUTSIDE = name_of("elsewhere.invalid")
# How each family's zone is signed: arguments of dnssec-signzone; None: it is not.
NSEC_SIGNED, NSEC3_SIGNED = [], ["-3", "-", "-H", "0"]
FAMILIES = {"plain": None, "nsec": NSEC_SIGNED, "hashed": NSEC3_SIGNED,
            "salted": ["-3", "aabbccdd", "-H", "5"], "optout": [*NSEC3_SIGNED, "-A"]}
# Zones that redirect all names.
MOVED = {b"gone": NSEC_SIGNED, b"away": NSEC3_SIGNED, b"left": None}
ALGORITHMS = ["ECDSAP256SHA256", "ED25519", "RSASHA256"]
LABELS = [b"a", b"b", b"c", b"x", b"y", b"z", b"0", b"1", b"-", b"_", b"aa", b"ab", b"a-b", b"zz",
          b"Mixed", b"UPPER", b"www", b"ns", b"mail", b"\0", b"\x01", b"\xff", b"a.b", b"*x", b"x*",
          b"a\0", b"a\xff", b"@", b" ", b"\"", b";",
          b"l" * 63, b"k" * 40]
HOST_DATA = [("A", "192.0.2.{n}"), ("AAAA", "2001:db8::{n}"), ("TXT", '"text {n}"'),
             ("MX", "{n} {target}"), ("SRV", "0 {n} 5060 {target}"), ("CAA", '0 issue "ca{n}"'),
             ("HINFO", '"cpu" "os{n}"'), ("PTR", "{target}"), ("TYPE65280", "\\# 3 0102{n:02x}"),
             ("NAPTR", '{n} 1 "u" "sip" "" {target}'), ("TLSA", "3 1 1 {n:064x}"),
             ("RP", "{target} {target}"), ("AFSDB", "1 {target}"), ("SSHFP", "1 1 {n:040x}")]


@dataclass
class ZoneMade:
    apex: tuple
    signing: list | None  # None: not signed
    records: list = field(default_factory=list)  # (owner, TTL, type, data)
    cuts: list = field(default_factory=list)
    used: set = field(default_factory=set)  # first labels below the apex
    dnskey: bytes | None = None
    key: str | None = None
    algorithm: str = ALGORITHMS[0]
    file: object = None
    nsec3_owners: list = field(default_factory=list)

    @property
    def text(self):
        return name_text(self.apex)

    @property
    def owners(self):
        return sorted({owner for owner, *_ in self.records})

    def add(self, owner, rrtype, data, ttl=3600):
        self.records.append((owner, ttl, rrtype, data))


class Maker:
    """Fills one zone with every kind of name; `elsewhere` are names of other zones."""

    def __init__(self, zone, chance, elsewhere):
        self.zone, self.chance, self.elsewhere = zone, chance, elsewhere
        self.aliases = []

    def label(self):
        return self.chance.choice(LABELS)

    def place(self):
        """A name that nothing else is below or above, sometimes deep."""
        while True:
            label = self.label()
            if self.chance.random() < 0.6:
                label = (label[:30] + b"%d" % self.chance.randrange(100))
            if label.lower() not in self.zone.used:
                break
        self.zone.used.add(label.lower())
        depth = self.chance.choice([0, 0, 0, 1, 2])
        return self.zone.apex + (label,) + tuple(self.label() for _ in range(depth))

    def data(self, owner, count=1):
        """Some sets at a name."""
        for rrtype, text in self.chance.sample(HOST_DATA, count):
            ttl = self.chance.choice([60, 300, 3600, 86400])
            for _ in range(self.chance.choice([1, 1, 1, 2, 3])):
                target = name_text(self.chance.choice(self.targets()))
                record = text.format(n=self.chance.randrange(1, 250), target=target)
                self.zone.add(owner, rrtype, record, ttl)

    def targets(self):
        return [*self.zone.owners, *self.zone.cuts, self.zone.apex + (b"missing",), OUTSIDE]

    def apex(self):
        zone = self.zone
        zone.used |= {b"ns1", b"ns2", b"kid", b"bare", b"island"}
        negative = self.chance.choice([60, 300, 7200])
        soa = f"ns1.{zone.text} hostmaster.{zone.text} {SERIAL} 3600 600 86400 {negative}"
        zone.add(zone.apex, "SOA", soa)
        for host, number in (b"ns1", 1), (b"ns2", 2):
            zone.add(zone.apex, "NS", name_text(zone.apex + (host,)))
            zone.add(zone.apex + (host,), "A", f"192.0.2.{number}")
        zone.add(zone.apex + (b"ns1",), "AAAA", "2001:db8::1")
        self.data(zone.apex, 2)

    def host(self):
        self.data(self.place(), self.chance.choice([1, 2, 3]))

    def large(self):
        """Sets about as large as a response, and larger."""
        owner, size = self.place(), self.chance.choice([300, 450, 900, 1100, 1180, 1300, 3000])
        for i in range(0, size, 200):
            self.zone.add(owner, "TXT", f'"{i:04d}{"t" * min(190, size - i)}"')

    def empty(self):
        owner = self.place()
        self.data(owner + (self.label(), self.label()))
        self.data(owner + (b"other", self.label()))

    def wildcard(self):
        owner = self.place()
        star = owner + (b"*",)
        kind = self.chance.choice(["data", "data", "alias", "loop", "empty", "deep", "star"])
        if kind == "data":
            self.data(star, 2)
        elif kind == "alias":
            self.aliases.append(star)
        elif kind == "loop":
            self.zone.add(star, "CNAME", name_text(owner + (b"again",)))
        elif kind == "empty":
            self.data(star + (self.label(),))
        elif kind == "deep":
            self.data(owner + (b"ent", b"*"))
            self.data(star)
        else:
            self.data(star + (b"*",))
        if self.chance.random() < 0.7:
            self.data(owner + (b"there",))
            self.data(owner + (b"above", b"below"))
        if self.chance.random() < 0.3:
            self.data(owner)
        if self.chance.random() < 0.3:
            self.delegate(owner + (b"cut",))

    def alias(self):
        self.aliases.append(self.place())

    def chain(self):
        names = [self.place() for _ in range(self.chance.choice([2, 3, 7, 8, 9]))]
        for name, target in zip(names, names[1:]):
            self.zone.add(name, "CNAME", name_text(target))
        if self.chance.random() < 0.3:
            self.zone.add(names[-1], "CNAME", name_text(self.chance.choice(names)))
        else:
            self.aliases.append(names[-1])

    def redirect(self):
        owner = self.place()
        inside = self.chance.choice(self.zone.owners)[:6]
        kind = self.chance.random()
        target = inside if kind < 0.5 else self.chance.choice(self.elsewhere) if kind < 0.8 else \
            OUTSIDE if kind < 0.9 else self.zone.apex + (b"d" * 60, b"e" * 60, b"f" * 60)
        self.zone.add(owner, "DNAME", name_text(target))
        if self.chance.random() < 0.5:
            self.data(owner)

    def delegation(self):
        self.delegate(self.place())

    def delegate(self, cut):
        zone = self.zone
        zone.cuts.append(cut)
        hosts = [cut + (b"ns",), cut + (b"a", b"ns"), cut, zone.apex + (b"ns1",), OUTSIDE,
                 *(other + (b"ns",) for other in zone.cuts[:-1]),
                 self.chance.choice(self.elsewhere)]
        for host in self.chance.sample(hosts, self.chance.choice([1, 2, 3])):
            zone.add(cut, "NS", name_text(host), 7200)
            if any(host[:len(other)] == other for other in zone.cuts):
                self.glue(host)
        if self.chance.random() < 0.5:
            for _ in range(self.chance.choice([1, 1, 2])):
                digest = self.chance.randbytes(32).hex()
                zone.add(cut, "DS", f"{self.chance.randrange(65536)} 13 2 {digest}", 900)
        if self.chance.random() < 0.5:
            self.occluded(cut)

    def glue(self, host):
        have = {(owner, rrtype) for owner, _, rrtype, _ in self.zone.records}
        for rrtype, text in ("A", "192.0.2.{n}"), ("AAAA", "2001:db8::{n}"):
            if (host, rrtype) not in have and self.chance.random() < 0.8:
                self.zone.add(host, rrtype, text.format(n=self.chance.randrange(250)))

    def occluded(self, cut):
        """What stands below a cut and is nobody's to tell."""
        kind = self.chance.choice(["host", "star", "alias", "cut", "here"])
        if kind == "host":
            self.zone.add(cut + (b"www",), "TXT", '"below"')
        elif kind == "star":
            self.zone.add(cut + (b"*",), "A", "192.0.2.9")
        elif kind == "alias":
            self.zone.add(cut + (b"alias",), "CNAME", self.zone.text)
        elif kind == "cut":
            self.zone.add(cut + (b"low",), "NS", name_text(OUTSIDE))
        else:
            self.zone.add(cut, "TXT", '"at the cut"')

    def finish_aliases(self):
        """Where the aliases lead to is known at the end."""
        zone = self.zone
        for alias in self.aliases:
            owners, cuts = zone.owners, zone.cuts or [zone.apex]
            target = self.chance.choice([
                self.chance.choice(owners), self.chance.choice(owners),
                self.chance.choice(owners) + (b"nothing",), self.chance.choice(owners)[:-1],
                self.chance.choice(cuts), self.chance.choice(cuts) + (b"www",),
                zone.apex + (b"missing",), self.chance.choice(self.elsewhere),
                self.chance.choice(self.elsewhere) + (b"nothing",), OUTSIDE, alias])
            zone.add(alias, "CNAME", name_text(target))

    def fill(self, amount):
        self.apex()
        kinds = [self.host, self.host, self.empty, self.wildcard, self.wildcard, self.alias,
                 self.alias, self.chain, self.redirect, self.delegation, self.delegation]
        for kind in kinds * amount + [self.large] * 3:
            kind()
        if zone_is_small(self.zone) and self.chance.random() < 0.5:
            self.data(self.zone.apex + (b"*",), 2)
        self.finish_aliases()
        cut = self.zone.apex + (b"starcut",)
        self.zone.cuts.append(cut)
        self.zone.add(cut, "NS", name_text(cut + (b"ns",)))
        self.zone.add(cut + (b"*",), "A", "192.0.2.9")

    def redirect_all(self):
        """A zone that is a DNAME at its apex, and nothing below."""
        zone = self.zone
        zone.add(zone.apex, "SOA", f"{name_text(OUTSIDE)} . {SERIAL} 3600 600 86400 300")
        zone.add(zone.apex, "NS", name_text(self.chance.choice(self.elsewhere)))
        zone.add(zone.apex, "DNAME", name_text(self.chance.choice(self.elsewhere)[:2]))
        zone.add(zone.apex, "TXT", '"here"')


def zone_is_small(zone):
    """It is below a family's zone."""
    return len(zone.apex) > 2


def outline(chance):
    """The zones with nothing in them, parents first."""
    zones = [ZoneMade(TLD, NSEC_SIGNED)]
    for name, signing in FAMILIES.items():
        apex = TLD + (name.encode(),)
        kid = chance.choice([way for way in FAMILIES.values() if way is not None])
        zones += [ZoneMade(apex, signing), ZoneMade(apex + (b"kid",), kid),
                  ZoneMade(apex + (b"bare", b"in"), None), ZoneMade(apex + (b"island",), kid)]
    return [*zones, *(ZoneMade(TLD + (name,), signing) for name, signing in MOVED.items())]


def make(seed):
    """Every zone's records, without keys and what comes of them."""
    chance = random.Random(seed)
    zones = outline(chance)
    hosts = [zone.apex + (label,) for zone in zones for label in (b"ns1", b"kid", b"missing")]
    for zone in zones:
        maker = Maker(zone, chance, hosts)
        if zone.apex[-1] in MOVED:
            maker.redirect_all()
        else:
            maker.fill(3 if len(zone.apex) == 2 else 1)
        for child in zones:
            if child is not zone and parent_of(child, zones) is zone:
                delegate_child(zone, child)
    return zones


def delegate_child(zone, child):
    zone.cuts.append(child.apex)
    if child.apex[-1] in MOVED:
        zone.add(child.apex, "NS", name_text(OUTSIDE))
        return
    zone.add(child.apex, "NS", name_text(child.apex + (b"ns1",)))
    zone.add(child.apex + (b"ns1",), "A", "192.0.2.1")


def parent_of(zone, zones):
    above = [other for other in zones if other is not zone
             and zone.apex[:len(other.apex)] == other.apex]
    return max(above, key=lambda other: len(other.apex), default=None)


def has_ds(zone):
    """Islands are signed, and nobody above says so."""
    return zone.signing is not None and zone.apex[-1] != b"island"


def zone_text(zone):
    return "".join(f"{name_text(owner)} {ttl} IN {rrtype} {data}\n"
                   for owner, ttl, rrtype, data in dict.fromkeys(zone.records))


def run(*words, folder):
    done = subprocess.run([str(word) for word in words], cwd=folder, capture_output=True,
                          text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def make_key(zone, folder, number):
    """One key for all; its DS stands in the parent before that is signed."""
    zone.algorithm = ALGORITHMS[number % len(ALGORITHMS)]
    size = ["-b", "1024"] if zone.algorithm == "RSASHA256" else []
    zone.key = run(need("dnssec-keygen"), "-q", "-f", "KSK", "-a", zone.algorithm, *size,
                   zone.text, folder=folder).strip()
    line = next(line for line in (folder / f"{zone.key}.key").read_text().splitlines()
                if not line.startswith(";"))
    rdata = dns.rdata.from_text("IN", "DNSKEY", line.split("DNSKEY", 1)[1].strip())
    zone.dnskey = rdata.to_wire()
    return dns.dnssec.make_ds(dns.name.Name((*reversed(zone.apex), b"")), rdata, "SHA256").to_text()


def sign(zone, folder):
    """Signed by dnssec-signzone, with the NSEC3 owners noted."""
    plain = folder / f"zone{len(list(folder.iterdir()))}"
    plain.write_text(zone_text(zone))
    zone.file = plain
    if zone.signing is None:
        return
    zone.file = plain.with_suffix(".signed")
    with plain.open("a") as text:
        text.write((folder / f"{zone.key}.key").read_text())
    run(need("dnssec-signzone"), "-q", "-z", "-P", "-n", "1", *zone.signing, "-o", zone.text,
        "-f", zone.file, plain, folder / f"{zone.key}.private", folder=folder)
    zone.nsec3_owners = [zone.apex + (label.lower().encode(),) for label in
                         re.findall(r"^([0-9A-V]{32})\.\S*\s+\d+\s+IN\s+NSEC3\s",
                                    zone.file.read_text(), re.M)]


def make_signed(seed, folder):
    """The zones as files in the folder."""
    zones = make(seed)
    for number, zone in enumerate(zones):
        if zone.signing is None:
            continue
        ds = make_key(zone, folder, number)
        if has_ds(zone) and parent_of(zone, zones):
            parent_of(zone, zones).add(zone.apex, "DS", ds)
    for zone in zones:
        sign(zone, folder)
    return zones
