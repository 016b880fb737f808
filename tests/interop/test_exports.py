# SPDX-License-Identifier: Apache-2.0
"""Zone files around ours: what `make run` begins with and what `zone export` prints, load
elsewhere and mean the same there."""
import pytest

from peers import PEERS, ROOT, Lockstep, Zone, records

RUN_ZONE = (ROOT / "tools/run.zone").read_text()

# Names and strings that need every kind of escape, or look like something else.
ODD_ZONE = r"""
$TTL 1h
@ SOA ns1 host\.master 7 1h 10m 1w 5m
  NS ns1
ns1 A 192.0.2.1
\@ TXT "an at sign"
a\.b.c\\d TXT "a dot and a backslash in labels"
sp\032ace\"quo\;te\(s\) TXT x
\000\001\009\127\128\255 TXT "no letters at all"
\$TTL A 192.0.2.2
\# TXT \# 3 026823
a!b\"c#d$e%f&g'h+i,j:k<l=m>n?o[p]q^r`s{t|u}v~w/x TXT "every sign"
in A 192.0.2.3
soa.txt TXT IN
*.*.wild CNAME *.wild
\*.wild TXT "the same as a wildcard"
a.\*x TXT "a star that is no wildcard"
_dmarc.\095x TXT "v=DMARC1; p=none" "" " " "\\" "\"" "\000\255"
abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789- MX 0 .
1.2.3.4 PTR 4.3.2.1
0 TYPE65280 \# 0
h HTTPS 1 . alpn="a\\,b,c" key65000="\001\" ;"
"""

ZONES = {"run.zone": ("example.net", RUN_ZONE, 2026112201), "odd": ("odd.example", ODD_ZONE, 7)}


@pytest.fixture(params=ZONES)
def exported(request, tmp_path):
    """The zone's name, the text that lockstep exports of it, and the records it transfers."""
    name, text, serial = ZONES[request.param]
    file = tmp_path / "source.zone"
    file.write_text(text)
    with Lockstep(tmp_path / "lockstep", [Zone(name, file)]) as lockstep:
        lockstep.wait_serial(name, serial)
        text = lockstep.run("zone", "export", name).stdout
        return name, serial, text, records(lockstep.port, name)


def held(peer, folder, name, serial, text):
    """The records that a peer serves of the text."""
    file = folder / "copy.zone"
    file.write_text(text)
    with PEERS[peer](folder / peer, [Zone(name, file)]) as server:
        server.wait_serial(name, serial)
        return records(server.port, name)


@pytest.mark.parametrize("peer", PEERS)
def test_an_export_means_the_same_to_others(exported, peer, tmp_path):
    name, serial, text, sent = exported
    assert len(sent) > 15
    assert held(peer, tmp_path, name, serial, text) == sent


def test_an_export_exports_as_itself(exported, tmp_path):
    name, serial, text, sent = exported
    file = tmp_path / "again.zone"
    file.write_text(text)
    with Lockstep(tmp_path / "again", [Zone(name, file)]) as lockstep:
        lockstep.wait_serial(name, serial)
        assert lockstep.run("zone", "export", name).stdout == text
        assert records(lockstep.port, name) == sent


@pytest.mark.parametrize("peer", PEERS)
def test_the_zone_to_play_with_loads_elsewhere(peer, tmp_path):
    text = RUN_ZONE
    if peer != "bind":  # nobody else knows $GENERATE
        text = text.replace("$GENERATE", ";$GENERATE")
    sent = held(peer, tmp_path, "example.net", 2026112201, "$ORIGIN example.net.\n" + text)
    assert ("www.example.net.", 3600, 1, "c0000250") in sent
