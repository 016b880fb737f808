# SPDX-License-Identifier: Apache-2.0
"""What we print as a zone file, BIND, Knot and NSD load, and read as the same records."""
import os
import pathlib
import shutil
import subprocess

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
    "services": r"""
h HTTPS 1 . alpn="h2,h3" no-default-alpn port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1
h2 HTTPS 0 target
s SVCB 1 target mandatory=alpn,port alpn=h2 port=53
u SVCB 1 . key65280="a b\;\"c" key65281
e SVCB 2 . ech=AEn+DQBFKwAgACABWIHUGj4u+PIggYXcR5JF0gYk3dCRioBW8uJq9H4mKAAIAAEAAQABAANAEnB1YmxpYy50bHMtZWNoLmRldgAA
""",
    "rare": r"""
l LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
a APL 1:192.168.32.0/21 !1:192.168.38.0/28 2:2001:db8::/32
i IPSECKEY 10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
p CERT PKIX 65535 RSASHA256 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
o OPENPGPKEY AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
y CSYNC 66 3 A NS AAAA TYPE65280
e48 EUI48 00-00-5e-00-53-2a
id NID 10 0014:4fff:ff20:ee64
uri URI 10 1 "ftp://ftp1.example.com/public"
rp RP joe\.x.example.com. .
dn DNAME a.example.org.
cd CDS 0 0 0 00
ck CDNSKEY 0 3 0 AA==
zm ZONEMD 1 1 1 B0D2C9A1D23E0F4E8E5C0E0E1D4A1F5C3F8C8B5A6C7D8E9F0A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F6071
""",
    "forgotten": r"""
mb MB a
wk WKS 192.0.2.1 6 25 80
w WALLET "BTC" "x"
n NSEC o A WKS NSEC
nx TYPE65300 \# 3 010203
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


def bind_dump(folder, text):
    """The records as BIND understands them, in its own words."""
    source, dump = folder / "source.zone", folder / "dump.zone"
    source.write_text(text)
    run(need("named-checkzone"), "-k", "ignore", "-m", "ignore", "-n", "ignore", "-i", "none",
        "-r", "ignore", "-S", "ignore", "-s", "full", "-D", "-o", dump, "example.com.", source)
    return {" ".join(line.split()) for line in dump.read_text().splitlines()}


@pytest.mark.parametrize("zone", ZONES)
def test_bind_reads_our_print_as_it_reads_the_source(tmp_path, zone):
    text = HEAD + ZONES[zone]
    expected = bind_dump(tmp_path, "$ORIGIN example.com.\n" + text)
    assert len(expected) > 4
    assert bind_dump(tmp_path, reprint(text, "example.com.")) == expected


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
