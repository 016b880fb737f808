# SPDX-License-Identifier: Apache-2.0
"""Lockstep, BIND, Knot and NSD with the same zones, asked the same questions."""
import concurrent.futures
import contextlib
from dataclasses import replace

import dns.name

from asking import ask_all
from differences import explain, fingerprint, unlike, view
from peers import PEERS, Lockstep, Zone
from wire import Message

STARTS_IN = 60.0  # seconds, on a machine that has other things to do


class Servers:
    """`files` and `serials` by zone name. `validator` and `owners`, the names that have records,
    are for the rows about signed zones."""

    def __init__(self, folder, files, serials, validator=None, owners=frozenset()):
        zones = [Zone(name, file) for name, file in files.items()]
        self.files, self.validator, self.owners = files, validator, owners
        with contextlib.ExitStack() as stack:
            self.ours = stack.enter_context(Lockstep(folder / "lockstep", zones))
            self.peers = {name: stack.enter_context(kind(folder / name, zones))
                          for name, kind in PEERS.items()}
            for server in self.ours, *self.peers.values():
                for name, serial in serials.items():
                    server.wait_serial(name, serial, STARTS_IN)
            self.stack = stack.pop_all()

    def zone_of(self, name):
        """The zone nearest above a name; None: nobody here serves it."""
        name = dns.name.from_text(name)
        found = [zone for zone in self.files if name.is_subdomain(dns.name.from_text(zone))]
        return max(found, key=lambda zone: len(dns.name.from_text(zone)), default=None)

    def whole(self, question, peer=None):
        """The answer where nothing has to be left out: ours, or that of a peer."""
        server = self.peers[peer] if peer else self.ours
        return view(Message(ask_all(server.port, [replace(question, tcp=True)])[0]))

    def ask(self, questions):
        """Messages of each server, ours under the name None, in the questions' order."""
        servers = {None: self.ours, **self.peers}
        with concurrent.futures.ThreadPoolExecutor(len(servers)) as pool:
            asked = {name: pool.submit(ask_all, server.port, questions)
                     for name, server in servers.items()}
            return {name: [Message(octets) for octets in each.result()]
                    for name, each in asked.items()}

    def compare(self, questions, answers=None):
        """What nobody has explained, and how often each (peer, row) explains what is."""
        answers = answers or self.ask(questions)
        wrong, used = [], {}
        for number, question in enumerate(questions):
            ours = answers[None][number]
            mark = fingerprint(ours)
            for peer in self.peers:
                theirs = answers[peer][number]
                if fingerprint(theirs) == mark:
                    continue
                row = explain(peer, question, view(ours), view(theirs), self)
                if row:
                    used[peer, row.name] = used.get((peer, row.name), 0) + 1
                else:
                    wrong.append(f"{question}: {peer}\n{unlike(view(ours), view(theirs))}")
        return wrong, used
