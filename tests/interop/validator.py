# SPDX-License-Identifier: Apache-2.0
"""Is everything in a response signed, and is what it denies proven?

After RFC 4035 5 with RFC 6840 4 (NSEC), RFC 5155 8 (NSEC3) and RFC 7129. It knows the keys
of every zone and believes nothing else; it takes one response by itself, as a resolver does
that has the zones' keys. What a response may leave unsaid (an alias that is not followed) is
for the comparison with other servers to judge.
"""
import hashlib
import struct
import time
from base64 import b32hexdecode
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256

from wire import (ANY, CNAME, DNAME, DS, NOERROR, NS, NSEC, NSEC3, NXDOMAIN, RRSIG, SOA, YXDOMAIN,
                  Signature, is_below, name_octets, name_text, read_name, rrsets_of, types_of)

RSASHA256, ECDSAP256SHA256, ED25519 = 8, 13, 15
NAME_OCTETS_MAX = 255
OPT_OUT = 1
WILDCARD = b"*"


class Bogus(Exception):
    """What is wrong with a response."""


class Nsec(NamedTuple):
    owner: tuple
    next: tuple
    types: frozenset


class Nsec3(NamedTuple):
    owner: bytes
    next: bytes
    types: frozenset
    opt_out: bool


class Link(NamedTuple):
    """A wildcard stood for a name: `encloser_len` labels of it come from the zone."""
    zone: tuple
    name: tuple
    encloser_len: int


def public_key(algorithm, octets):
    """The key of a DNSKEY record as something that verifies."""
    if algorithm == ED25519:
        return ed25519.Ed25519PublicKey.from_public_bytes(octets)
    if algorithm == ECDSAP256SHA256:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + octets)
    if algorithm == RSASHA256:
        end = 1 + octets[0]  # RFC 3110 2; nobody has an exponent of 256 octets
        return rsa.RSAPublicNumbers(int.from_bytes(octets[1:end], "big"),
                                    int.from_bytes(octets[end:], "big")).public_key()
    raise ValueError(f"algorithm {algorithm}")


def is_signed_by(key, algorithm, signature, data):
    try:
        if algorithm == ED25519:
            key.verify(signature, data)
        elif algorithm == ECDSAP256SHA256:
            if len(signature) != 64:
                return False
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(SHA256()))
        else:
            key.verify(signature, data, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def key_tag(rdata):
    """RFC 4034 appendix B."""
    total = sum(octet << 8 if i % 2 == 0 else octet for i, octet in enumerate(rdata))
    return (total + (total >> 16)) & 0xFFFF


def signed_octets(rrset, signature):
    """What the signature is over, RFC 4034 3.1.8.1."""
    owner = rrset.owner
    if signature.labels < label_count(owner):
        owner = owner[:signature.labels] + (WILDCARD,)
    head = name_octets(owner) + struct.pack("!2HI", rrset.type, 1, signature.ttl)
    return signature.signed + b"".join(head + struct.pack("!H", len(rdata)) + rdata
                                       for rdata in rrset.rdatas)


def label_count(name):
    """RFC 4034 3.1.3: a wildcard's first label does not count."""
    return len(name) - (name[-1:] == (WILDCARD,))


@lru_cache(maxsize=None)
def nsec3_hash(name, salt, iterations):
    digest = hashlib.sha1(name_octets(name) + salt).digest()
    for _ in range(iterations):
        digest = hashlib.sha1(digest + salt).digest()
    return digest


def common_len(a, b):
    """Labels that two names share, from the root's side."""
    shared = 0
    for x, y in zip(a, b):
        if x != y:
            break
        shared += 1
    return shared


def is_delegation(types):
    return NS in types and SOA not in types


class NsecProofs:
    """NSEC records of one zone in one response."""

    def __init__(self, apex, rrsets, keys_at_parent):
        self.apex, self.ds_is_here = apex, keys_at_parent
        self.records = []
        for rrset in rrsets:
            if len(rrset.rdatas) != 1:
                raise Bogus(f"{len(rrset.rdatas)} NSEC at {name_text(rrset.owner)}")
            after, end = read_name(rrset.rdatas[0], 0)
            types = frozenset(types_of(rrset.rdatas[0][end:]))
            self.records.append(Nsec(rrset.owner, after, types))

    def _covers(self, record, name):
        if not record.owner < name or not is_below(name, self.apex):
            return False
        if name >= record.next and record.next != self.apex:
            return False
        # RFC 6840 4.1: what is below a cut or a DNAME is not this record's to deny.
        below = is_below(name, record.owner)
        return not (below and (is_delegation(record.types) or DNAME in record.types))

    def _covering(self, name):
        return next((record for record in self.records if self._covers(record, name)), None)

    def _is_empty(self, name):
        """An empty non-terminal: the next name is below it."""
        record = self._covering(name)
        return bool(record) and is_below(record.next, name)

    def _encloser_len(self, name):
        """Labels of the closest encloser; None: the name is not denied."""
        record = self._covering(name)
        if not record or is_below(record.next, name):
            return None
        return max(common_len(name, record.owner), common_len(name, record.next))

    def _is_without(self, name, rrtype):
        return any(record.owner == name and self._lacks(record, rrtype)
                   for record in self.records)

    def _lacks(self, record, rrtype):
        if rrtype in record.types or CNAME in record.types:
            return False
        if is_delegation(record.types):
            return rrtype == DS
        return rrtype != DS or SOA not in record.types or self.ds_is_here

    def no_name(self, name):
        encloser_len = self._encloser_len(name)
        if encloser_len is None:
            raise Bogus(f"no NSEC denies {name_text(name)}")
        wildcard = name[:encloser_len] + (WILDCARD,)
        if not self._covering(wildcard) or self._is_empty(wildcard):
            raise Bogus(f"no NSEC denies {name_text(wildcard)}")
        return True

    def no_type(self, name, rrtype):
        if self._is_without(name, rrtype) or self._is_empty(name):
            return True
        encloser_len = self._encloser_len(name)
        if encloser_len is None:
            raise Bogus(f"no NSEC denies {name_text(name)} type {rrtype}")
        wildcard = name[:encloser_len] + (WILDCARD,)
        if not self._is_without(wildcard, rrtype) and not self._is_empty(wildcard):
            raise Bogus(f"no NSEC denies {name_text(wildcard)} type {rrtype}")
        return True

    def no_closer_name(self, link):
        encloser_len = self._encloser_len(link.name)
        if encloser_len != link.encloser_len:
            raise Bogus(f"no NSEC denies {name_text(link.name)}, for which a wildcard stands")
        return True

    def no_ds(self, cut):
        if not any(record.owner == cut and is_delegation(record.types) and DS not in record.types
                   for record in self.records):
            raise Bogus(f"no NSEC says that {name_text(cut)} is a delegation without DS")
        return True


class Nsec3Proofs:
    """NSEC3 records of one zone in one response. Proofs are False where opt-out weakens them."""

    def __init__(self, apex, rrsets, keys_at_parent):
        self.apex, self.ds_is_here = apex, keys_at_parent
        self.records, parameters = [], set()
        for rrset in rrsets:
            if len(rrset.rdatas) != 1 or len(rrset.owner) != len(apex) + 1:
                raise Bogus(f"NSEC3 at {name_text(rrset.owner)}")
            rdata = rrset.rdatas[0]
            algorithm, flags, iterations, salt_len = struct.unpack_from("!BBHB", rdata)
            salt, at = rdata[5:5 + salt_len], 5 + salt_len
            end = at + 1 + rdata[at]
            parameters.add((algorithm, iterations, salt))
            self.records.append(Nsec3(b32hexdecode(rrset.owner[-1].upper()), rdata[at + 1:end],
                                      frozenset(types_of(rdata[end:])), bool(flags & OPT_OUT)))
        if len(parameters) != 1 or next(iter(parameters))[0] != 1:
            raise Bogus(f"NSEC3 with parameters {parameters}")
        _, self.iterations, self.salt = parameters.pop()

    def _hash(self, name):
        return nsec3_hash(name, self.salt, self.iterations)

    def _match(self, name):
        wanted = self._hash(name)
        return next((record for record in self.records if record.owner == wanted), None)

    def _cover(self, name):
        wanted = self._hash(name)
        for record in self.records:
            last = record.next <= record.owner
            if record.owner < wanted and (last or wanted < record.next) or \
                    last and wanted < record.next:
                return record
        return None

    def _encloser(self, name):
        """RFC 5155 8.3: labels of the closest encloser, and what covers the next closer name."""
        for length in range(len(name), len(self.apex) - 1, -1):
            record = self._match(name[:length])
            if not record:
                continue
            if length == len(name):
                raise Bogus(f"an NSEC3 says that {name_text(name)} exists")
            if is_delegation(record.types) or DNAME in record.types:
                raise Bogus(f"{name_text(name[:length])} encloses nothing")
            cover = self._cover(name[:length + 1])
            if not cover:
                raise Bogus(f"no NSEC3 denies {name_text(name[:length + 1])}")
            return length, cover
        raise Bogus(f"no NSEC3 tells the closest encloser of {name_text(name)}")

    def _lacks(self, record, rrtype):
        if rrtype in record.types or CNAME in record.types:
            return False
        if is_delegation(record.types):
            return rrtype == DS
        return rrtype != DS or SOA not in record.types or self.ds_is_here

    def no_name(self, name):
        encloser_len, cover = self._encloser(name)
        wildcard = name[:encloser_len] + (WILDCARD,)
        if not self._cover(wildcard):
            raise Bogus(f"no NSEC3 denies {name_text(wildcard)}")
        return not cover.opt_out

    def no_type(self, name, rrtype):
        record = self._match(name)
        if record:
            if not self._lacks(record, rrtype):
                raise Bogus(f"the NSEC3 of {name_text(name)} does not deny type {rrtype}")
            return True
        encloser_len, cover = self._encloser(name)
        wildcard = name[:encloser_len] + (WILDCARD,)
        record = self._match(wildcard)
        if record:
            if not self._lacks(record, rrtype):
                raise Bogus(f"the NSEC3 of {name_text(wildcard)} does not deny type {rrtype}")
            return not cover.opt_out
        # RFC 5155 8.6; and empty non-terminals over insecure delegations alone (erratum 3441).
        if not cover.opt_out:
            raise Bogus(f"no NSEC3 denies {name_text(name)} type {rrtype}")
        return False

    def no_closer_name(self, link):
        closer = link.name[:link.encloser_len + 1]
        cover = self._cover(closer)
        if not cover:
            raise Bogus(f"no NSEC3 denies {name_text(closer)}, for which a wildcard stands")
        return not cover.opt_out

    def no_ds(self, cut):
        record = self._match(cut)
        if record:
            if not is_delegation(record.types) or DS in record.types:
                raise Bogus(f"the NSEC3 of {name_text(cut)} is of no delegation without DS")
            return True
        _, cover = self._encloser(cut)
        if not cover.opt_out:
            raise Bogus(f"no NSEC3 says that {name_text(cut)} is a delegation without DS")
        return False


class Validator:
    """`zones`: for every zone that the servers have its DNSKEY data; none: it is not signed."""

    def __init__(self, zones, now=None):
        self.keys = {apex: [(rdata[3], key_tag(rdata), public_key(rdata[3], rdata[4:]))
                            for rdata in keys] for apex, keys in zones.items()}
        self.now = int(time.time()) if now is None else now
        self.verified = {}

    def zone_of(self, name, rrtype=None):
        """The zone that speaks for a name: of DS its parent (RFC 4035 3.1.4.1), if it is here."""
        for length in range(len(name), -1, -1):
            apex = name[:length]
            if apex not in self.keys:
                continue
            if rrtype == DS and length == len(name) and length:
                return self.zone_of(name[:-1]) if self.zone_of(name[:-1]) is not None else apex
            return apex
        return None

    def check(self, message):
        """Raises Bogus; else whether all of it is secure (signed, and not under opt-out)."""
        if message.tc or message.rcode not in (NOERROR, NXDOMAIN, YXDOMAIN):
            return False
        return _Check(self, message).whole()

    def verify(self, rrset, zone):
        """Raises Bogus unless a key of the zone signed the set; labels from the zone."""
        named = f"{name_text(rrset.owner)} type {rrset.type}"
        if not rrset.signatures:
            raise Bogus(f"{named} is not signed")
        for signature in rrset.signatures:
            if signature.signer != zone:
                raise Bogus(f"{named} is signed by {name_text(signature.signer)}, "
                            f"not {name_text(zone)}")
            if signature.labels > label_count(rrset.owner):
                raise Bogus(f"{named}: {signature.labels} labels are signed")
            if not signature.inception <= self.now <= signature.expiration:
                raise Bogus(f"{named}: the signature's time is not now")
            if rrset.ttl > signature.ttl:
                raise Bogus(f"{named}: TTL {rrset.ttl}, signed {signature.ttl}")
            if not self._is_genuine(rrset, signature):
                raise Bogus(f"{named}: the signature is wrong")
        return min(signature.labels for signature in rrset.signatures)

    def _is_genuine(self, rrset, signature):
        octets = signed_octets(rrset, signature)
        memo = octets, signature.signature
        if memo not in self.verified:
            self.verified[memo] = any(
                is_signed_by(key, algorithm, signature.signature, octets)
                for algorithm, tag, key in self.keys[signature.signer]
                if (algorithm, tag) == (signature.algorithm, signature.tag))
        return self.verified[memo]


class _Check:
    """One response on its way through the validator."""

    def __init__(self, validator, message):
        self.validator, self.message = validator, message
        self.answer = rrsets_of(message.answer)
        self.authority = rrsets_of(message.authority)
        self.links, self.secure = [], True
        self.proofs = self._read_proofs()
        self.told = set()  # sets of the answer that the search came by

    def _zone_of(self, name, rrtype=None):
        return self.validator.zone_of(name, rrtype)

    def _is_signed(self, zone):
        return bool(self.validator.keys.get(zone))

    def _read_proofs(self):
        """What the authority section denies, by zone; each record's signature is verified."""
        kinds = {}
        for rrset in self.authority.values():
            if rrset.type not in (NSEC, NSEC3):
                continue
            if not rrset.signatures:
                raise Bogus(f"{name_text(rrset.owner)} type {rrset.type} is not signed")
            zone = rrset.signatures[0].signer
            if not self._is_signed(zone) or not is_below(rrset.owner, zone):
                raise Bogus(f"{name_text(zone)} signs {name_text(rrset.owner)}")
            labels = self.validator.verify(rrset, zone)
            if labels != label_count(rrset.owner):
                raise Bogus(f"{name_text(rrset.owner)}: a wildcard's NSEC")
            kinds.setdefault(zone, {}).setdefault(rrset.type, []).append(rrset)
        proofs = {}
        for zone, by_type in kinds.items():
            if len(by_type) > 1:
                raise Bogus(f"{name_text(zone)} has NSEC and NSEC3")
            kind = NsecProofs if NSEC in by_type else Nsec3Proofs
            proofs[zone] = kind(zone, *by_type.values(), self._zone_of(zone, DS) == zone)
        return proofs

    def _proofs(self, zone):
        if zone not in self.proofs:
            raise Bogus(f"nothing is proven about {name_text(zone)}")
        return self.proofs[zone]

    def _take(self, rrset):
        """A set of the answer, or DNAME above: verified, and a wildcard's proof asked for."""
        self.told.add((rrset.owner, rrset.type))
        zone = self._zone_of(rrset.owner, rrset.type)
        if rrset.type == NSEC and rrset.signatures and zone == rrset.owner:
            zone = self._nsec_zone(rrset, zone)
        if not self._is_signed(zone):
            self._is_plain(rrset)
            return
        labels = self.validator.verify(rrset, zone)
        if labels < label_count(rrset.owner):
            self.links.append(Link(zone, rrset.owner, labels))

    def _nsec_zone(self, rrset, zone):
        """Of two NSEC at a cut, the one of a delegation is the parent's."""
        _, end = read_name(rrset.rdatas[0], 0)
        parent = self._zone_of(rrset.owner[:-1])
        return parent if is_delegation(types_of(rrset.rdatas[0][end:])) else zone

    def _is_plain(self, rrset):
        self.secure = False
        if rrset.signatures:
            raise Bogus(f"{name_text(rrset.owner)}: a signature from a zone that is not signed")

    def whole(self):
        self._search()
        for link in self.links:
            self.secure &= self._proofs(link.zone).no_closer_name(link)
        for key in set(self.answer) - self.told:
            raise Bogus(f"{name_text(key[0])} type {key[1]} is no answer")
        if self.message.qtype not in (RRSIG, ANY):
            self._no_stray_signatures()
        return self.secure

    def _no_stray_signatures(self):
        for records, sets in ((self.message.answer, self.answer),
                              (self.message.authority, self.authority)):
            for record in records:
                if record.type == RRSIG and (record.owner, covered_type(record)) not in sets:
                    raise Bogus(f"{name_text(record.owner)}: a signature of nothing")

    def _search(self):
        """Follows the aliases of the answer from the question to the end."""
        qtype, name, seen = self.message.qtype, self.message.qname, set()
        while True:
            seen.add(name)
            if self._found(name, qtype):
                return self._want(NOERROR)
            target = self._alias(name)
            if target is None:
                return self._end(name, qtype, aliases=len(seen) - 1)
            if target in seen:
                return self._want(NOERROR)
            name = target

    def _want(self, rcode):
        if self.message.rcode != rcode:
            raise Bogus(f"rcode {self.message.rcode}, not {rcode}")

    def _found(self, name, qtype):
        if qtype == RRSIG:
            return self._found_signatures(name)
        sets = [rrset for rrset in self.answer.values() if rrset.owner == name
                and (rrset.type == qtype or qtype == ANY)]
        if any(self._is_synthesized(rrset) for rrset in sets):
            self._alias(name)
            return True
        for rrset in sets:
            self._take(rrset)
        return bool(sets)

    def _found_signatures(self, name):
        """They say themselves whether a wildcard stood for the name."""
        found = [Signature.of(record.rdata) for record in self.message.answer
                 if record.owner == name and record.type == RRSIG]
        labels = min((signature.labels for signature in found), default=0)
        if found and labels < label_count(name):
            self.links.append(Link(found[0].signer, name, labels))
        return bool(found)

    def _dname_above(self, name):
        for length in range(len(name)):
            if (name[:length], DNAME) in self.answer:
                return self.answer[name[:length], DNAME]
        return None

    def _is_synthesized(self, rrset):
        return (rrset.type == CNAME and not rrset.signatures
                and self._dname_above(rrset.owner) is not None)

    def _alias(self, name):
        """Where the name leads to; None: it is no alias."""
        cname, dname = self.answer.get((name, CNAME)), self._dname_above(name)
        if not cname:
            if dname and self.message.rcode == YXDOMAIN:
                self._take(dname)
            return None
        if len(cname.rdatas) != 1:
            raise Bogus(f"{len(cname.rdatas)} CNAME at {name_text(name)}")
        target = read_name(cname.rdatas[0], 0)[0]
        if not self._is_synthesized(cname):
            self._take(cname)
            return target
        self.told.add((name, CNAME))
        self._take(dname)
        if target != read_name(dname.rdatas[0], 0)[0] + name[len(dname.owner):]:
            raise Bogus(f"the CNAME at {name_text(name)} does not follow from its DNAME")
        return target

    def _end(self, name, qtype, aliases):
        if self.message.rcode == YXDOMAIN:
            return self._too_long(name)
        zone = self._zone_of(name, qtype)
        soa = next((rrset for rrset in self.authority.values() if rrset.type == SOA), None)
        cuts = [rrset for rrset in self.authority.values() if rrset.type == NS]
        if soa:
            return self._negative(name, qtype, zone, soa)
        if cuts:
            return self._referral(name, cuts)
        # An alias that is not followed ends an answer with nothing said about its target.
        if not aliases:
            raise Bogus(f"nothing is said about {name_text(name)}")
        return self._want(NOERROR)

    def _too_long(self, name):
        dname = self._dname_above(name)
        if not dname:
            raise Bogus("YXDOMAIN without DNAME")
        target = read_name(dname.rdatas[0], 0)[0] + name[len(dname.owner):]
        if len(name_octets(target)) <= NAME_OCTETS_MAX:
            raise Bogus(f"{name_text(target)} is not too long")
        return None

    def _negative(self, name, qtype, zone, soa):
        if soa.owner != zone:
            raise Bogus(f"the SOA of {name_text(soa.owner)} denies {name_text(name)}")
        if not self._is_signed(zone):
            return self._is_plain(soa)
        self.validator.verify(soa, zone)
        if self.message.rcode == NXDOMAIN:
            self.secure &= self._proofs(zone).no_name(name)
        else:
            self.secure &= self._proofs(zone).no_type(name, qtype)
        return None

    def _referral(self, name, cuts):
        cut = cuts[0].owner
        zone = self._zone_of(cut[:-1])
        if len(cuts) != 1 or not is_below(name, cut) or zone in (None, cut):
            raise Bogus(f"no referral for {name_text(name)}: {name_text(cut)}")
        self._want(NOERROR)
        if not self._is_signed(zone):
            self.secure = False
            return None
        ds = self.authority.get((cut, DS))
        if ds:
            self.validator.verify(ds, zone)
        else:
            self.secure &= self._proofs(zone).no_ds(cut)
        return None


def covered_type(record):
    """The record's type; of a signature, what it covers."""
    is_signature = record.type == RRSIG
    return int.from_bytes(record.rdata[:2], "big") if is_signature else record.type


def superfluous(validator, message):
    """The denying records without which a response that is believed would be so too."""
    found, whole = [], message.authority
    for record in whole:
        if record.type not in (NSEC, NSEC3):
            continue
        message.authority = [other for other in whole if other.owner != record.owner
                             or covered_type(other) != record.type]
        try:
            validator.check(message)
            found.append(record)
        except Bogus:
            pass
    message.authority = whole
    return found
