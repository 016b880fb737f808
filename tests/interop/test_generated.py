# SPDX-License-Identifier: Apache-2.0
"""Twenty thousand questions made from a seed, asked of lockstep, BIND, Knot and NSD about zones
made from it too: every difference is explained in differences.py, every proof is valid.

INTEROP_SEED and INTEROP_QUESTIONS choose other ones.
"""
import os
from collections import Counter
from dataclasses import replace

import pytest

from asking import ask_all
from differences import IN_SIGNED_ZONES, text_of
from generated_questions import questions
from generated_zones import SERIAL, make, make_signed, zone_text
from together import Servers
from validator import Bogus, Validator, superfluous
from wire import ANY, NSEC, NSEC3, NXDOMAIN, RRSIG

DEFAULTS = 1, 20000
SEED = int(os.environ.get("INTEROP_SEED", DEFAULTS[0]))
COUNT = int(os.environ.get("INTEROP_QUESTIONS", DEFAULTS[1]))
SHOWN_MAX = 12


class Round:
    """The zones, the servers, the questions and what was answered."""

    def __init__(self, folder):
        (folder / "zones").mkdir()
        self.zones = make_signed(SEED, folder / "zones")
        self.validator = Validator({zone.apex: [zone.dnskey] if zone.dnskey else []
                                    for zone in self.zones})
        files = {zone.text.rstrip("."): zone.file for zone in self.zones}
        owners = {text_of(owner).lower() for zone in self.zones for owner in zone.owners}
        self.servers = Servers(folder, files, dict.fromkeys(files, SERIAL), self.validator, owners)
        self.questions = questions(self.zones, SEED, COUNT)
        self.answers = self.servers.ask(self.questions)

    def ours(self):
        return zip(self.questions, self.answers[None])


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    made = Round(tmp_path_factory.mktemp("generated"))
    yield made
    made.servers.stack.close()


def nothing(wrong):
    """Fails with some of what is wrong, and with the seed that brings it back."""
    shown = "\n".join(map(str, wrong[:SHOWN_MAX]))
    assert not wrong, f"INTEROP_SEED={SEED}, {len(wrong)} times:\n{shown}"


def test_a_seed_makes_the_same_zones_and_questions_again():
    first, second = make(SEED), make(SEED)
    assert [zone_text(zone) for zone in first] == [zone_text(zone) for zone in second]
    assert questions(first, SEED, 500) == questions(second, SEED, 500)
    assert questions(first, SEED, 500) != questions(first, SEED + 1, 500)


def test_questions_come_back_in_their_own_case(played):
    nothing([f"{question}: {answer.question}" for question, answer in played.ours()
             if answer.question != question.question])


def test_answers_are_no_larger_than_was_asked_for(played):
    nothing([f"{question}: {answer.octets} octets" for question, answer in played.ours()
             if answer.octets > question.octets_max])


def test_what_is_truncated_did_not_fit(played):
    cut = [question for question, answer in played.ours() if answer.tc]
    whole = ask_all(played.servers.ours.port, [replace(question, tcp=True) for question in cut])
    assert len(cut) > COUNT / 100
    nothing([f"{question}: the whole has {len(octets)} octets"
             for question, octets in zip(cut, whole) if len(octets) <= question.octets_max])


def test_edns_comes_to_who_speaks_it(played):
    nothing([question for question, answer in played.ours()
             if answer.edns != bool(question.size)])


def test_signatures_and_proofs_come_to_who_wants_them(played):
    unasked = {RRSIG, NSEC, NSEC3}
    nothing([question for question, answer in played.ours()
             if not question.do and question.type not in {ANY, *unasked}
             and unasked & {record.type for record in answer.answer + answer.authority}])


def test_every_answer_is_signed_and_every_denial_proven(played):
    wrong, verdicts = [], Counter()
    for question, answer in played.ours():
        if not question.do:
            continue
        try:
            verdicts[played.validator.check(answer), answer.rcode == NXDOMAIN] += 1
        except Bogus as why:
            wrong.append(f"{question}: {why}")
    nothing(wrong)
    assert all(verdicts[secure, nxdomain] > COUNT / 100 for secure in (True, False)
               for nxdomain in (True, False)), verdicts


def test_no_proof_says_more_than_it_needs_to(played):
    wrong = []
    for question, answer in played.ours():
        # Under opt-out less is asked of a proof than RFC 5155 7.2 asks of a server.
        if question.do and played.validator.check(answer):
            wrong += [f"{question}: {record.owner}"
                      for record in superfluous(played.validator, answer)]
    nothing(wrong)


def test_what_others_answer_otherwise_is_explained(played):
    wrong, used = played.servers.compare(played.questions, played.answers)
    nothing(wrong)
    unused = {row.name for row in IN_SIGNED_ZONES} - {row for _, row in used}
    assert not unused or (SEED, COUNT) != DEFAULTS, f"rows that fit nothing (any more): {unused}"


def test_others_prove_as_the_validator_wants(played):
    """It was not made to please us: nearly everything that the others prove is valid."""
    for peer in played.servers.peers:
        whole = bogus = 0
        for question, answer in zip(played.questions, played.answers[peer]):
            whole += question.do
            try:
                question.do and played.validator.check(answer)
            except Bogus:
                bogus += 1
        assert bogus < whole / 20, f"{peer}: {bogus} of {whole}"
