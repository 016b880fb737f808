# SPDX-License-Identifier: Apache-2.0
"""Where others answer differently, and the sentence that makes us right.

A row fits a difference when its predicate says so; test_answers.py wants a row for every
difference and, of every row, that it still fits one for each peer that it names.
"""
import re
from dataclasses import dataclass, field, fields, replace
from typing import Callable

import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype

from validator import Bogus, superfluous
from wire import NS, Message, is_below


@dataclass(frozen=True)
class View:
    """What is compared of a response; sections are sets of (owner, TTL, type, data)."""
    rcode: str
    flags: str
    answer: frozenset
    authority: frozenset
    glue: frozenset
    edns: bool
    message: Message = field(compare=False, repr=False)


def text_of(name):
    return dns.name.Name((*reversed(name), b"")).to_text()


def shown(records):
    return frozenset(
        (text_of(owner), ttl, dns.rdatatype.to_text(rrtype),
         dns.rdata.from_wire("IN", rrtype, data, 0, len(data)).to_text().lower())
        for owner, ttl, rrtype, data in records)


def glue_of(message):
    """Of the additional section what stands below the cut."""
    cuts = [record.owner for record in message.authority if record.type == NS]
    return [record for record in message.additional
            if any(is_below(record.owner, cut) for cut in cuts)]


def fingerprint(message):
    """Equal when two views are, and cheap: from the octets, not from texts."""
    head = message.rcode, message.aa, message.tc, message.ra, message.edns
    if message.tc:
        return head
    return (*head, frozenset(message.answer), frozenset(message.authority),
            frozenset(glue_of(message)))


def view(message):
    """A truncated response is as good with fewer records."""
    flags = [name for name in ("AA", "TC", "RA") if getattr(message, name.lower())]
    whole = not message.tc
    return View(dns.rcode.to_text(message.rcode), " ".join(flags),
                shown(whole and message.answer or ()), shown(whole and message.authority or ()),
                shown(whole and glue_of(message) or ()), message.edns, message)


def unlike(ours, theirs):
    """What differs, a line for each: what is ours alone with -, what is theirs alone with +."""
    told = []
    for name in (each.name for each in fields(View) if each.compare):
        a, b = getattr(ours, name), getattr(theirs, name)
        if a == b:
            continue
        if not isinstance(a, frozenset):
            a, b = {(str(a),)}, {(str(b),)}
        told += [f"    {sign} {name}: {' '.join(map(str, record))}"
                 for sign, alone in (("-", a - b), ("+", b - a)) for record in sorted(alone)]
    return "\n".join(told)


@dataclass(frozen=True)
class Difference:
    name: str
    peers: frozenset
    reason: str
    fits: Callable  # (question, ours, theirs, servers) -> bool


def path(question, answer):
    """The names that the aliases of an answer lead through, from the question's on."""
    targets = {owner: data for owner, _, rrtype, data in answer if rrtype == "CNAME"}
    names = [question.text]
    while names[-1] in targets and targets[names[-1]] not in names:
        names.append(targets[names[-1]])
    return names


def is_loop(question, answer):
    targets = {owner: data for owner, _, rrtype, data in answer if rrtype == "CNAME"}
    return path(question, answer)[-1] in targets


def types_in(records):
    return {rrtype for _, _, rrtype, _ in records}


def stops_at_the_zone(question, ours, theirs, servers):
    end = path(question, theirs.answer)[-1]
    beyond = servers.zone_of(end)
    cuts = {owner for owner, _, rrtype, _ in theirs.authority if rrtype == "NS"}
    above = {f"{zone}." for zone in servers.files if f".{end}".endswith(f".{zone}.")}
    return (theirs.rcode == "NOERROR" and theirs.answer <= ours.answer and end != question.text
            and types_in(theirs.authority) <= {"NS", "DS", "NSEC", "NSEC3", "RRSIG"}
            and cuts <= above and beyond not in (None, servers.zone_of(question.text)))


def asks_the_child_for_ds(question, ours, theirs, servers):
    end = path(question, ours.answer)[-1]
    return (question.kind == "DS" and end.rstrip(".") in servers.files and end != question.text
            and aliases(theirs.answer) == aliases(ours.answer)
            and "SOA" in types_in(theirs.authority))


def fails_at_loops(question, ours, theirs, _):
    return (theirs.rcode == "SERVFAIL" and ours.rcode == "NOERROR"
            and theirs.answer == ours.answer and is_loop(question, ours.answer))


def aliases(answer):
    return {record for record in answer if record[2] == "CNAME"}


def stops_early(question, ours, theirs, _):
    return (theirs.rcode == "NOERROR" and theirs.answer < ours.answer
            and len(aliases(theirs.answer)) == 5 < len(aliases(ours.answer)))


def goes_on(question, ours, theirs, _):
    return (ours.rcode == "NOERROR" and ours.answer <= theirs.answer and not ours.authority
            and len(aliases(ours.answer)) == 9)


def does_not_follow_for_dnssec_types(question, ours, theirs, _):
    end = path(question, theirs.answer)[-1]
    return (question.kind in ("RRSIG", "NSEC", "NSEC3") and theirs.rcode == "NOERROR"
            and len(aliases(theirs.answer)) < len(aliases(ours.answer))
            and any(owner == end for owner, *_ in aliases(ours.answer)))


def leaves_glue_out(question, ours, theirs, servers):
    whole = servers.whole(question)
    return ("TC" not in theirs.flags and theirs.rcode == whole.rcode
            and theirs.answer == whole.answer and theirs.authority == whole.authority
            and theirs.glue < whole.glue)


def denies_without_soa(question, ours, theirs, _):
    return (theirs.rcode == ours.rcode == "NXDOMAIN" and not theirs.flags and not theirs.authority
            and any(rrtype == "SOA" for _, _, rrtype, _ in ours.authority))


def without_proofs(authority):
    """An authority section without NSEC, NSEC3 and their signatures."""
    kinds = ("NSEC", "NSEC3")
    return {record for record in authority if record[2] not in kinds
            and not (record[2] == "RRSIG" and record[3].split()[0].upper() in kinds)}


def is_like_but_for_proofs(ours, theirs):
    return ((ours.rcode, ours.flags, ours.answer, ours.glue)
            == (theirs.rcode, theirs.flags, theirs.answer, theirs.glue)
            and without_proofs(ours.authority) == without_proofs(theirs.authority))


def is_proven(validator, response):
    try:
        validator.check(response.message)
    except Bogus:
        return False
    return True


def proves_nothing(question, ours, theirs, servers):
    return (servers.validator and question.do and is_like_but_for_proofs(ours, theirs)
            and is_proven(servers.validator, ours) and not is_proven(servers.validator, theirs))


def proves_too_much(question, ours, theirs, servers):
    return (servers.validator and question.do and is_like_but_for_proofs(ours, theirs)
            and ours.authority < theirs.authority and is_proven(servers.validator, ours)
            and superfluous(servers.validator, theirs.message))


def hides_ds_without_signature(question, ours, theirs, _):
    hidden = ours.authority - theirs.authority
    return (question.do and ours.rcode == theirs.rcode and theirs.authority < ours.authority
            and {rrtype for _, _, rrtype, _ in hidden} == {"DS"}
            and all(rrtype != "RRSIG" for _, _, rrtype, _ in ours.authority))


def answers_nsec_at_cuts(question, ours, theirs, _):
    return (question.kind == "NSEC" and theirs.flags == "AA" and not ours.answer
            and {rrtype for _, _, rrtype, _ in theirs.answer} <= {"NSEC", "RRSIG"}
            and any(owner == question.text and rrtype == "NS"
                    for owner, _, rrtype, _ in ours.authority))


def owners_of(records):
    return {owner for owner, *_ in records}


def answers_other_sets(question, ours, theirs, _):
    return (question.kind == "ANY" and ours.rcode == theirs.rcode == "NOERROR"
            and ours.answer and theirs.answer and aliases(ours.answer) == aliases(theirs.answer)
            and owners_of(ours.answer) == owners_of(theirs.answer)
            and without_proofs(ours.authority) == without_proofs(theirs.authority))


def answers_other_signatures(question, ours, theirs, _):
    return (question.kind == "RRSIG" and ours.rcode == theirs.rcode == "NOERROR"
            and ours.answer and theirs.answer and aliases(ours.answer) == aliases(theirs.answer)
            and types_in(ours.answer ^ theirs.answer) == {"RRSIG"}
            and without_proofs(ours.authority) == without_proofs(theirs.authority))


def follows_a_synthesized_alias(question, ours, theirs, _):
    return (question.kind == "ANY" and "DNAME" in types_in(ours.answer)
            and ours.rcode == "NOERROR" and not ours.authority
            and {owner for owner, *_ in aliases(ours.answer)} == {question.text}
            and aliases(ours.answer) <= aliases(theirs.answer)
            and (theirs.authority or ours.answer < theirs.answer))


HASH_LABEL = re.compile(r"[^.]\.[0-9a-v]{32}\.")


def takes_hashes_for_names(question, ours, theirs, _):
    return (theirs.rcode == "NXDOMAIN" and aliases(ours.answer) >= aliases(theirs.answer)
            and any(HASH_LABEL.search(name) for name in path(question, ours.answer)))


def synthesizes_glue(question, ours, theirs, servers):
    made = owners_of(theirs.glue - ours.glue)
    return (made and ours.glue < theirs.glue and not made & servers.owners
            and (ours.rcode, ours.answer, ours.authority)
            == (theirs.rcode, theirs.answer, theirs.authority))


def is_below_a_cut(question, ours, theirs, _):
    return (theirs.rcode == "NXDOMAIN" and ours.rcode == "NOERROR" and theirs.flags == "AA"
            and not ours.flags and not ours.answer and any(
                rrtype == "NS" and question.text.endswith(f".{owner}")
                for owner, _, rrtype, _ in ours.authority))


DIFFERENCES = [
    Difference(
        "an alias into another zone of the same server is not followed",
        frozenset({"bind", "knot"}),
        """RFC 1034 4.3.2, step 3a: "change QNAME to the canonical name in the CNAME RR, and go
        back to step 1", and step 2: "Search the available zones for the zone which is the nearest
        ancestor to QNAME." Without recursion they stay in the first zone, which is safe too: who
        asks will ask again.""",
        stops_at_the_zone),
    Difference(
        "a loop of aliases is SERVFAIL, with the loop in the answer",
        frozenset({"bind"}),
        """RFC 6604 3: "The RCODE in the ultimate DNS response MUST BE set based on the final query
        cycle leading to that response": that one found an alias, which is no error. In RFC
        1034 5.2.2 it is the resolver that catches "alias loops" for its client.""",
        fails_at_loops),
    Difference(
        "five aliases are followed, not eight",
        frozenset({"knot"}),
        """RFC 1034 3.6.2: "CNAME chains should be followed"; how far is left to each server.""",
        stops_early),
    Difference(
        "an alias is not followed for RRSIG, NSEC and NSEC3",
        frozenset({"bind", "knot", "nsd"}),
        """RFC 1034 4.3.2, step 3a: "If the data at the node is a CNAME, and QTYPE doesn't match
        CNAME, copy the CNAME RR into the answer section of the response, change QNAME to the
        canonical name in the CNAME RR, and go back to step 1." RFC 4035 2.5 has RRSIG and NSEC
        stand beside the CNAME in a signed zone, where we answer with them; here there are none.""",
        does_not_follow_for_dnssec_types),
    Difference(
        "glue is left out without TC",
        frozenset({"bind", "nsd"}),
        """RFC 9471: "If message size constraints prevent the inclusion of all glue records for
        in-domain name servers, the server must set the TC (Truncated) flag".""",
        leaves_glue_out),
    Difference(
        "a zone without signatures does not tell DS with its referrals",
        frozenset({"bind", "knot", "nsd"}),
        """RFC 4035 3.1.4: "If a DS RRset is present at the delegation point, the name server MUST
        return both the DS RRset and its associated RRSIG RR(s) in the Authority section".""",
        hides_ds_without_signature),
    Difference(
        "NSEC is answered at a delegation, not referred",
        frozenset({"bind"}),
        """RFC 1034 4.3.2, step 3b: "If a match would take us out of the authoritative data, we have
        a referral"; RFC 4035 3.1 has a server treat NSEC "as it would any other RRset", and makes
        an exception for DS alone.""",
        answers_nsec_at_cuts),
]

# Those that it takes signed zones, or many, to see.
IN_SIGNED_ZONES = [
    Difference(
        "more aliases are followed than eight",
        frozenset({"bind", "nsd"}),
        """RFC 1034 3.6.2: "CNAME chains should be followed"; how far is left to each server.""",
        goes_on),
    Difference(
        "a name that does not exist is denied without SOA and AA",
        frozenset({"knot"}),
        """RFC 2308 3: "Name servers authoritative for a zone MUST include the SOA record of the
        zone in the authority section of the response when reporting an NXDOMAIN".""",
        denies_without_soa),
    Difference(
        "an alias' target is asked of the child for its DS",
        frozenset({"bind", "knot"}),
        """RFC 4035 3.1.4.1: "the name server can return either the DS RRset or an error response
        according to the normal processing rules" where it has the parent. They answer for the
        target from the zone that the alias is in.""",
        asks_the_child_for_ds),
    Difference(
        "ANY is answered with all or with others of the sets",
        frozenset({"bind", "knot", "nsd"}),
        """RFC 8482 4.1: "A DNS responder that receives an ANY query MAY decline to provide a
        conventional ANY response or MAY instead send a response with a single RRset (or a larger
        subset of available RRsets) in the answer section".""",
        answers_other_sets),
    Difference(
        "ANY goes on behind a DNAME",
        frozenset({"knot", "nsd"}),
        """RFC 6672 3.1: "Servers MUST be able to answer a query for a synthesized CNAME." It is
        what stands at the name, and RFC 1034 3.6.2 follows an alias for types that it is not.""",
        follows_a_synthesized_alias),
    Difference(
        "RRSIG is answered with all or with others of the signatures",
        frozenset({"bind", "knot", "nsd"}),
        """RFC 4035 2.2: "RRSIG RRs, unlike all other DNS RR types, do not form RRsets": none has
        to be whole, and over UDP we send those of one set, for the reason of RFC 8482.""",
        answers_other_signatures),
    Difference(
        "names below the owners of NSEC3 do not exist, wildcards or not",
        frozenset({"nsd"}),
        """RFC 5155 7.2.8: "each NSEC3 owner name is covered by another NSEC3 RR, effectively
        negating the existence of the NSEC3 RR." What does not exist encloses nothing (RFC 4592
        3.3.1).""",
        takes_hashes_for_names),
    Difference(
        "a wildcard below a cut stands for its name servers",
        frozenset({"knot", "nsd"}),
        """RFC 1034 4.3.2: wildcards are looked for in step 3c, where "a match is impossible"; below
        a cut, step 3b has ended the search, and what it adds is "whatever addresses are
        available".""",
        synthesizes_glue),
    Difference(
        "a name below a cut is denied, not referred",
        frozenset({"knot"}),
        """RFC 1034 4.3.2, step 3b: "If a match would take us out of the authoritative data, we have
        a referral." There are octets 0 in labels nearby, which its order takes for dots.""",
        is_below_a_cut),
    Difference(
        "a proof that proves nothing",
        frozenset({"bind", "knot", "nsd"}),
        """RFC 4035 3.1.3 and RFC 5155 7.2 say which records "MUST" be there; the validator, and
        with it every resolver that validates, finds that theirs deny neither name nor type.""",
        proves_nothing),
    Difference(
        "more proof than is needed",
        frozenset({"knot", "nsd"}),
        """RFC 4035 3.1.3 and RFC 5155 7.2 list the records of each response; the validator believes
        ours, and theirs without what is theirs alone.""",
        proves_too_much),
]


# What is larger is truncated first; the rows are about what is left when all of it may come.
SIZE = Difference(
    "a response of another size is truncated",
    frozenset({"bind", "knot", "nsd"}),
    """RFC 2181 9: "The TC bit should be set in responses only when an RRSet is required as a part
    of the response, but could not be included in its entirety." Ours is set when the whole is
    larger than was asked for; theirs differs from it in size.""",
    None)


def explain(peer, question, ours, theirs, servers):
    """The row that explains the difference; None: nobody has explained it."""
    for row in DIFFERENCES + IN_SIGNED_ZONES:
        if peer in row.peers and row.fits(question, ours, theirs, servers):
            return row
    if "TC" in ours.flags + theirs.flags and not question.tcp:
        return explain_size(peer, question, ours, servers)
    return None


def explain_size(peer, question, ours, servers):
    whole, theirs = servers.whole(question), servers.whole(question, peer)
    if "TC" in ours.flags and whole.message.octets <= question.octets_max:
        return None
    if whole == theirs:
        return SIZE
    return explain(peer, replace(question, tcp=True), whole, theirs, servers)
