# SPDX-License-Identifier: Apache-2.0
"""Where others answer differently, and the sentence that makes us right.

A row fits a difference when its predicate says so; test_answers.py wants a row for every
difference and, of every row, that it still fits one for each peer that it names.
"""
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class View:
    """What is compared of a response; sections are sets of (owner, TTL, type, data)."""
    rcode: str
    flags: str
    answer: frozenset
    authority: frozenset
    glue: frozenset
    edns: bool


@dataclass(frozen=True)
class Difference:
    name: str
    peers: frozenset
    reason: str
    fits: Callable  # (question, ours, theirs, servers) -> bool


def path(question, answer):
    """The names that the aliases of an answer lead through, from the question's on."""
    targets = {owner: data for owner, _, rrtype, data in answer if rrtype == "CNAME"}
    names = [question.name]
    while names[-1] in targets and targets[names[-1]] not in names:
        names.append(targets[names[-1]])
    return names


def is_loop(question, answer):
    targets = {owner: data for owner, _, rrtype, data in answer if rrtype == "CNAME"}
    return path(question, answer)[-1] in targets


def stops_at_the_zone(question, ours, theirs, servers):
    end = path(question, theirs.answer)[-1]
    beyond = servers.zone_of(end)
    referral = all((owner, rrtype) == (f"{beyond}.", "NS")
                   for owner, _, rrtype, _ in theirs.authority)
    return (theirs.rcode == "NOERROR" and theirs.answer <= ours.answer and referral
            and beyond not in (None, servers.zone_of(question.name)))


def fails_at_loops(question, ours, theirs, _):
    return (theirs.rcode == "SERVFAIL" and ours.rcode == "NOERROR"
            and theirs.answer == ours.answer and is_loop(question, ours.answer))


def stops_early(question, ours, theirs, _):
    return (theirs.rcode == "NOERROR" and theirs.answer < ours.answer
            and len(path(question, ours.answer)) > 6 == len(path(question, theirs.answer)))


def does_not_follow_for_dnssec_types(question, ours, theirs, _):
    return (question.rrtype in ("RRSIG", "NSEC") and theirs.rcode == "NOERROR"
            and not theirs.answer and any(owner == question.name and rrtype == "CNAME"
                                          for owner, _, rrtype, _ in ours.answer))


def leaves_glue_out(question, ours, theirs, servers):
    whole = servers.whole(question)
    return ("TC" in ours.flags and "TC" not in theirs.flags and theirs.rcode == whole.rcode
            and theirs.answer == whole.answer and theirs.authority == whole.authority
            and theirs.glue < whole.glue)


def hides_ds_without_signature(question, ours, theirs, _):
    hidden = ours.authority - theirs.authority
    return (question.way[2] and ours.rcode == theirs.rcode and theirs.authority < ours.authority
            and {rrtype for _, _, rrtype, _ in hidden} == {"DS"}
            and all(rrtype != "RRSIG" for _, _, rrtype, _ in ours.authority))


def answers_nsec_at_cuts(question, ours, theirs, _):
    return (question.rrtype == "NSEC" and theirs.flags == "AA" and not ours.answer
            and {rrtype for _, _, rrtype, _ in theirs.answer} <= {"NSEC", "RRSIG"}
            and any(owner == question.name and rrtype == "NS"
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
        "an alias is not followed for RRSIG and NSEC",
        frozenset({"bind", "knot"}),
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


def explain(peer, question, ours, theirs, servers):
    """The row that explains the difference; None: nobody has explained it."""
    for row in DIFFERENCES:
        if peer in row.peers and row.fits(question, ours, theirs, servers):
            return row
    return None
