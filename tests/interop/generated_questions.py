# SPDX-License-Identifier: Apache-2.0
"""Questions made from a seed about generated zones: at, below, above and beside every name."""
import random

from asking import EDNS_NONE, asked
from wire import (A, ANY, CNAME, DNAME, DNSKEY, DS, NS, NSEC, NSEC3, NSEC3PARAM, RRSIG, SOA, TXT,
                  name_octets)

TYPES = [A] * 6 + [TXT] * 4 + [DS] * 4 + [NS] * 3 + [CNAME] * 2 + [DNAME, SOA, SOA, ANY, RRSIG] + \
    [NSEC, NSEC3, NSEC3PARAM, DNSKEY, 28, 15, 33, 12, 35, 17, 13, 257, 65280, 65279]
SIZES = [512, 513, 800, 1232, 1232, 1232, 1400, 4096, 65535]
NAME_OCTETS_MAX, LABEL_OCTETS_MAX = 255, 63
BELOW = [b"x", b"*", b"a", b"zz", b"\0", b"\xff", b"www", b"ns", b"ent", b"there", b"_tcp"]


class Names:
    """What there is to ask about."""

    def __init__(self, zones, chance):
        self.chance = chance
        self.owners = [owner for zone in zones for owner in zone.owners]
        self.cuts = [cut for zone in zones for cut in zone.cuts]
        self.apexes = [zone.apex for zone in zones]
        self.stars = [owner for owner in self.owners if b"*" in owner]
        self.empty = sorted({owner[:length] for owner in self.owners
                             for length in range(1, len(owner))} - set(self.owners))
        self.hashes = [owner for zone in zones for owner in zone.nsec3_owners]
        self.redirects = [owner for zone in zones for owner, _, rrtype, _ in zone.records
                          if rrtype == "DNAME"]
        self.aliases = [owner for zone in zones for owner, _, rrtype, _ in zone.records
                        if rrtype == "CNAME"]

    def below(self, name):
        """One to three labels more."""
        count = self.chance.choice([1, 1, 1, 2, 3])
        return name + tuple(self.chance.choice(BELOW) for _ in range(count))

    def beside(self, name):
        """The name's neighbours in canonical order, and names not far from it."""
        if not name:
            return (b"nothing",)
        label = name[-1]
        near = [label + b"\0", label[:-1] or b"!", label[:-1] + bytes([max(label[-1] - 1, 0)]),
                label[:-1] + bytes([min(label[-1] + 1, 255)]), b"\0" + label]
        return name[:-1] + (self.chance.choice(near)[:LABEL_OCTETS_MAX],)

    def pick(self):
        """A name, sometimes changed a little."""
        chance = self.chance
        groups = [self.owners] * 5 + [self.cuts] * 2 + [self.stars] * 2 + [self.empty] * 2 + \
            [self.redirects] * 2 + [self.aliases, self.apexes, self.hashes]
        name = chance.choice(chance.choice([group for group in groups if group]))
        kind = chance.random()
        if kind < 0.4:
            return name
        if kind < 0.6:
            return self.below(name)
        if kind < 0.75:
            return self.beside(name)
        if kind < 0.85:  # where a wildcard may stand for it, or is asked for by itself
            return name[:-1] + (chance.choice(BELOW),)
        if kind < 0.95:
            return self.below(name[:-1])
        return chance.choice([name[:-1], name[:-2], self.beside(self.below(name))])


def fits(name):
    return len(name_octets(name)) <= NAME_OCTETS_MAX


def mixed(chance, octets):
    """Letters in any case (0x20); a length is below every letter."""
    return bytes(octet ^ 0x20 if chr(octet).isalpha() and octet < 128 and chance.random() < 0.5
                 else octet for octet in octets)


def questions(zones, seed, count):
    chance = random.Random(f"questions {seed}")
    names, made = Names(zones, chance), []
    while len(made) < count:
        name = tuple(label.lower() for label in names.pick())
        if not fits(name):
            continue
        octets = name_octets(name)
        if chance.random() < 0.4:
            octets = mixed(chance, octets)
        size = chance.choice(SIZES) if chance.random() < 0.85 else EDNS_NONE
        made.append(asked(name, chance.choice(TYPES), octets, size=size,
                          do=bool(size) and chance.random() < 0.75, tcp=chance.random() < 0.2,
                          flags=chance.choice([0, 0x0100, 0x0110, 0x0010])))
    return made
