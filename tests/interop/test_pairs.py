# SPDX-License-Identifier: Apache-2.0
"""Pairs of lockstep and another: zones arrive record for record, edits follow, keys decide."""
import re

import dns.name
import dns.query
import dns.rdata
import dns.message
import dns.opcode
import dns.tsig
import pytest

from peers import (KEY, PEERS, ROOT, ROOT_ZONE, WRONG_KEY, Lockstep, Zone, axfr, free_port,
                   records, root_serial, tsig_key, wait_until)

ORIGIN = "example.net"
HEAD = """\
$ORIGIN example.net.
$TTL 3600
@   SOA ns1 hostmaster 1 3600 600 86400 300
    NS  ns1
ns1 A   192.0.2.1
"""

# Rows of good.tsv that a peer does not take, and why it should.
NOT_TAKEN = {
    "bind": {("IPSECKEY", "0a0100c0000226")},  # RFC 4025 2.4: "A value of 0 indicates that no key
                                               # is present"; BIND 9.18 wants one
    "knot": {("NULL", "")},  # RFC 1035 3.3.10: "Anything at all may be in the RDATA field"
    "nsd": set(),
}
# What a peer refuses in a zone file, but takes from a primary.
NOT_IN_FILES = {"bind": {"MD", "MF"}, "knot": set(), "nsd": set()}


def type_numbers():
    table = (ROOT / "src/dns/rrtypes.def").read_text()
    rows = re.finditer(r'^RR(?:_NAMED)?\((\w+),\s*(?:"([^"]+)",\s*)?(\d+),', table, re.M)
    return {row[2] or row[1]: int(row[3]) for row in rows}


NUMBERS = type_numbers()


def rows_for(peer, in_file):
    """(owner, type, text, wire form): each row of good.tsv under a name of its own."""
    lines = (ROOT / "tests/unit/dns/rrtypes/good.tsv").read_text().splitlines()
    for number, line in enumerate(lines, 1):
        rrtype, text, wire = (line.split("\t") + ["", "", ""])[:3]
        # SOA stands at the apex only; letters' case in names is nobody's to keep (RFC 4343 3).
        if line.startswith("#") or rrtype == "SOA" or "UPPER" in text:
            continue
        if (rrtype, wire) in NOT_TAKEN[peer] or in_file and rrtype in NOT_IN_FILES[peer]:
            continue
        owner = f"row{number}" if rrtype != "NSEC3" else f"{number:032d}"  # a hash's form
        yield owner, rrtype, text, wire


def ttl_of(rrtype, wire):
    """RRSIG carries the TTL of what it covers, and Knot gives it that one (RFC 4034 3.1.4)."""
    return int(wire[8:16], 16) if rrtype == "RRSIG" else 3600


def every_type(peer, in_file):
    """The zone as we write it, as anybody reads it (RFC 3597 5), and what it means."""
    rows = list(rows_for(peer, in_file))
    assert len(rows) > 150
    ours = HEAD + "".join(f"{owner} {ttl_of(rrtype, wire)} {rrtype} {text}\n"
                          for owner, rrtype, text, wire in rows)
    theirs = HEAD + "".join(f"{owner} {ttl_of(rrtype, wire)} TYPE{NUMBERS[rrtype]} "
                            f"\\# {len(wire) // 2} {wire}\n" for owner, rrtype, _, wire in rows)
    meant = {(f"{owner}.{ORIGIN}.", ttl_of(rrtype, wire), NUMBERS[rrtype],
              canonical(NUMBERS[rrtype], wire))
             for owner, rrtype, _, wire in rows}
    return ours, theirs, meant


def canonical(rrtype, wire):
    octets = bytes.fromhex(wire)
    return dns.rdata.from_wire("IN", rrtype, octets, 0, len(octets)).to_digestable().hex()


@pytest.fixture(params=PEERS)
def peer(request):
    return request.param


@pytest.fixture(params=["to", "from"])
def direction(request):
    return request.param


@pytest.fixture
def pair(tmp_path, peer, direction):
    """Makes the primary and the secondary, of which one is ours; ends them with the test."""
    started = []

    def make(text, primary_key=KEY, secondary_key=None):
        kinds = (Lockstep, PEERS[peer]) if direction == "to" else (PEERS[peer], Lockstep)
        ports = free_port(), free_port()
        file = tmp_path / "zone"
        file.write_text(text)
        primary = kinds[0](tmp_path / "primary", [Zone(ORIGIN, file, secondary=ports[1])],
                           primary_key, ports[0])
        secondary = kinds[1](tmp_path / "secondary", [Zone(ORIGIN, primary=ports[0])],
                             secondary_key or primary_key, ports[1])
        primary.zone_file = file
        started.append(primary.start())
        # BIND that asked too early, and is notified while it still asks, waits for long.
        primary.wait_serial(ORIGIN, 1)
        started.append(secondary.start())
        return primary, secondary

    yield make
    for server in started:
        server.stop()


def test_every_type_arrives_as_it_left(pair, peer, direction):
    in_file = direction == "from"
    ours, theirs, meant = every_type(peer, in_file)
    primary, secondary = pair(theirs if in_file else ours)
    secondary.wait_serial(ORIGIN, 1)
    sent, held = records(primary.port, ORIGIN), records(secondary.port, ORIGIN)
    assert held == sent
    assert meant < set(held) and len(held) == len(meant) + 3


def test_edits_follow_by_notify(pair):
    primary, secondary = pair(HEAD)
    secondary.wait_serial(ORIGIN, 1)
    for serial in 2, 3:
        text = HEAD.replace(" 1 3600", f" {serial} 3600") + f"www A 192.0.2.{serial}\n"
        primary.zone_file.write_text(text)
        primary.reload()
        primary.wait_serial(ORIGIN, serial)
        secondary.wait_serial(ORIGIN, serial)  # long before the refresh interval of an hour
        assert secondary.ask(f"www.{ORIGIN}").answer[0][0].address == f"192.0.2.{serial}"


@pytest.mark.parametrize("algorithm", ["hmac-sha1", "hmac-sha224", "hmac-sha384", "hmac-sha512"])
def test_every_algorithm_signs(pair, algorithm):
    _, secondary = pair(HEAD, {**KEY, "algorithm": algorithm})
    secondary.wait_serial(ORIGIN, 1)


def test_a_wrong_key_gets_no_zone(pair, direction):
    primary, secondary = pair(HEAD, secondary_key=WRONG_KEY)
    primary.wait_serial(ORIGIN, 1)
    ours = primary if direction == "to" else secondary
    wait_until(lambda: "BADSIG" in ours.log, what="our log names BADSIG")
    assert secondary.serial(ORIGIN) is None
    with pytest.raises(dns.tsig.PeerBadSignature):
        axfr(primary.port, ORIGIN, WRONG_KEY)


def test_a_notify_with_a_wrong_key_is_refused(pair):
    _, secondary = pair(HEAD)
    secondary.wait_serial(ORIGIN, 1)
    notify = dns.message.make_query(ORIGIN, "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    notify.use_tsig(tsig_key(WRONG_KEY))
    with pytest.raises(dns.tsig.PeerBadSignature):
        dns.query.udp(notify, "127.0.0.1", timeout=5, port=secondary.port)


def test_a_large_signed_zone_goes_through_another_and_comes_back_the_same(tmp_path, peer):
    zone, serial = ".", root_serial()
    ports = [free_port() for _ in range(3)]
    first = Lockstep(tmp_path / "first", [Zone(zone, ROOT_ZONE, secondary=ports[1])], port=ports[0])
    middle = PEERS[peer](tmp_path / "middle",
                         [Zone(zone, primary=ports[0], secondary=ports[2])], port=ports[1])
    last = Lockstep(tmp_path / "last", [Zone(zone, primary=ports[1])], port=ports[2])
    # Each is started when its primary serves the zone, as in `pair`.
    with first:
        first.wait_serial(zone, serial)
        with middle:
            middle.wait_serial(zone, serial)
            with last:
                last.wait_serial(zone, serial)
                came_back = last.run("zone", "export", zone).stdout
        went_out = first.run("zone", "export", zone).stdout
    assert came_back.count("\n") > 20000
    assert came_back == went_out
