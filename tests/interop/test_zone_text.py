# SPDX-License-Identifier: Apache-2.0
"""What we print as a zone file, BIND, Knot and NSD load, and read as the same records."""
import os
import pathlib
import shutil
import subprocess

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

BUILD = pathlib.Path(os.environ.get("LOCKSTEP_BUILD", pathlib.Path(__file__).parents[2] / "build"))
REPRINT = BUILD / "tests/interop/zone_text_reprint"

HEAD = """\
$TTL 3600
@ SOA ns1 host\\.master 1 1h 10m 1w 300
@ NS ns1
ns1 A 192.0.2.1
"""

# Each a group of lines that belong together; all of them valid in all servers.
ZONES = {
    "names": r"""
\@ TXT "an at sign"
a\.b.c\\d TXT "a dot and a backslash in labels"
sp\032ace\"quo\;te\(s\) TXT x
\000\255\009 TXT "no letters at all"
\$ORIGIN TXT "a dollar"
*.wild A 192.0.2.2
UPPER.Case A 192.0.2.3
_sip._tcp SRV 0 5 5060 SIP.Server\.x
abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789- CNAME @
""",
    "strings": r"""
t TXT "" "quo\"te" "back\\slash" "semi;colon" "(par)" "\000\001\127\200\255" a\ b
t TXT "caf""" + "é" + r"""" v=spf1
h HINFO "AMD EPYC" Linux
c CAA 0 issue "ca.example; account=1"
n NAPTR 100 50 "s" "z3950+I2L+I2C" "" _z3950._tcp.gatech.edu.
""",
    "numbers": r"""
ttl 0 A 192.0.2.1
ttl2 2147483647 A 192.0.2.1
a6 AAAA 2001:db8::1
a6 AAAA ::ffff:192.0.2.1
a6 AAAA ::
mx MX 65535 .
tlsa TLSA 3 1 1 0D6FCE3320315023FFDE0AA4F1B5BD4A5EDC4BE2D6E31DDBE3E4A8D2E4D3F0A1
sshfp SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
u TYPE65280 \# 4 0A 00 00 01
u TYPE65281 \# 0
""",
    "dnssec": r"""
d NS ns.d
ns.d A 192.0.2.4
d DS 60485 8 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
k DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==
""",
    "generated": r"""
$GENERATE 0-3 g$ A 10.0.0.$
$GENERATE 16-48/16 ${0,2,x}.${-16,3,o}.${0,5,n}.${1,0,N} TXT "n $"
$GENERATE 1-2 m$$${0} MX "0 ."
""",
}


def reprint(text, origin):
    done = subprocess.run([REPRINT, origin], input=text.encode(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def knot_check(folder, origin, path):
    conf = folder / "knot.conf"
    conf.write_text(f"server:\n  rundir: {folder}\ndatabase:\n  storage: {folder}\n"
                    f"zone:\n  - domain: {origin}\n    file: {path}\n    semantic-checks: off\n")
    run("knotc", "-c", conf, "zone-check", origin)


def need(program):
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"{program} is not installed")
    return path


def bind_dump(folder, origin, text):
    """The zone as BIND understands it, canonical wire form of each record."""
    source, dump = folder / "source.zone", folder / "dump.zone"
    source.write_text(text)
    run(need("named-checkzone"), "-k", "ignore", "-m", "ignore", "-n", "ignore", "-i", "none",
        "-r", "ignore", "-S", "ignore", "-s", "full", "-D", "-o", dump, origin, source)
    records = set()
    for line in dump.read_text().splitlines():
        if line.strip() and not line.startswith(";"):
            records.add(record_of(line))
    return records


def record_of(line):
    owner, ttl, _, type_text, data = line.split(None, 4) if len(line.split(None, 4)) == 5 \
        else (*line.split(None, 3), "")
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(type_text), data)
    return (dns.name.from_text(owner).to_wire(), int(ttl), int(rdata.rdtype), rdata.to_wire())


@pytest.mark.parametrize("zone", ZONES)
def test_bind_reads_our_print_as_it_reads_the_source(tmp_path, zone):
    text = HEAD + ZONES[zone]
    printed = reprint(text, "example.com.")
    assert bind_dump(tmp_path, "example.com.", "$ORIGIN example.com.\n" + text) == \
        bind_dump(tmp_path, "example.com.", printed)


@pytest.mark.parametrize("zone", ZONES)
def test_we_read_what_bind_reads(tmp_path, zone):
    text = HEAD + ZONES[zone]
    ours = {record_of(line) for line in reprint(text, "example.com.").splitlines()}
    assert ours == bind_dump(tmp_path, "example.com.", text)


@pytest.mark.parametrize("zone", ZONES)
def test_knot_loads_our_print(tmp_path, zone):
    need("knotc")
    path = tmp_path / "printed.zone"
    path.write_text(reprint(HEAD + ZONES[zone], "example.com."))
    knot_check(tmp_path, "example.com.", path)


@pytest.mark.parametrize("zone", ZONES)
def test_nsd_loads_our_print(tmp_path, zone):
    path = tmp_path / "printed.zone"
    path.write_text(reprint(HEAD + ZONES[zone], "example.com."))
    run(need("nsd-checkzone"), "example.com.", path)
