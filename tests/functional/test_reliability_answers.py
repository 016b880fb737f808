# SPDX-License-Identifier: Apache-2.0
"""What broke other servers' answers: zones and questions made to hurt, asked of one that runs.

B1 aliases without end, B2 sets without end, B3 answers that do not fit, B4 NSEC3 records that are
none, B5 answers to somebody else's question, B8 zones that are replaced or expire.
"""
import json
import random
import socket
import struct
import threading

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from harness import PATIENCE, Server, command, free_port, wait_until
from packets import ORIGIN, ZONE, connect, exchange_udp, framed, header, question, read_messages

UDP_OCTETS, TCP_OCTETS = 1232, 65535
CHAIN = 1000
INVALID_DATA = 24  # RFC 8914 4.25
ADDITIONAL = 1000
LONG_LABEL = "x" * 60


def limit(name):
    rows = json.loads(command("limits", "--json").stdout)["limits"]
    return next(row["value"] for row in rows if row["name"] == name)


def packet(name, rrtype, size=UDP_OCTETS, do=False, flags=0):
    octets = dns.name.from_text(name).to_wire() if isinstance(name, str) else name
    more = struct.pack("!BHHBBHH", 0, 41, size, 0, 0, do << 15, 0) if size else b""
    return header((1, 0, 0, bool(size)), flags) + question(
        octets, dns.rdatatype.from_text(rrtype)) + more


def exchange(server, octets, tcp):
    """The reply's octets; over UDP the canary behind the question is answered as well."""
    if not tcp:
        reply, = exchange_udp(server, octets)
        return reply
    with connect(server) as stream:
        stream.sendall(framed(octets))
        stream.shutdown(socket.SHUT_WR)
        reply, = read_messages(stream)
        return reply


def ask(server, name, rrtype, tcp=False, **more):
    reply = exchange(server, packet(name, rrtype, **more), tcp)
    size = more.get("size", UDP_OCTETS)
    assert len(reply) <= (TCP_OCTETS if tcp else max(min(size, UDP_OCTETS), 512))
    return dns.message.from_wire(reply)


def aliases_zone():
    chain = "".join(f"chain{i} CNAME chain{i + 1}\n" for i in range(CHAIN))
    return ZONE + f"""\
self CNAME self
one CNAME two
two CNAME three
three CNAME one
*.star CNAME again.star
{chain}chain{CHAIN} A 192.0.2.9
d DNAME target
www.target A 192.0.2.8
grow DNAME a.grow
long DNAME {LONG_LABEL}.{LONG_LABEL}.{LONG_LABEL}
back DNAME forth
forth DNAME back
mixed CNAME x.mixed2
mixed2 DNAME mixed3
x.mixed3 CNAME mixed
"""


def sets_zone():
    lines = [f"host{i} A 192.0.2.{i % 250}\nhost{i} AAAA 2001:db8::{i}" for i in range(ADDITIONAL)]
    lines += [f"mx MX 1 host{i}\nsrv SRV 1 1 1 host{i}\ncut NS host{i}" for i in range(ADDITIONAL)]
    lines += [f"types TYPE{65280 + i} \\# 1 00" for i in range(200)]
    return ZONE + "\n".join(lines) + "\n"


def sizes_zone():
    """Sets around each size that a message can have, and one record that fills a message."""
    lines = []
    for size in (400, 1100, 1200, 1300, 4000, 16000, 60000, 64000, 65000, 66000, 200000):
        lines += [f't{size} TXT "{i:06d}{"x" * 190}"' for i in range(max(size // 210, 1))]
    lines += [f"whole TYPE65280 \\# {limit('record-data')} {'99' * limit('record-data')}"]
    return ZONE + "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers")
    texts = {ORIGIN: ZONE, "b1.test": aliases_zone(), "b2.test": sets_zone(),
             "b3.test": sizes_zone()}
    zones = []
    for name, text in texts.items():
        (folder / name).write_text(text)
        zones.append({"name": name, "role": "primary", "file": str(folder / name),
                      "secondaries": [], "allow-transfer": "any"})
    made = Server(folder / "server", {"zones": zones})
    try:
        made.start()
        for name in texts:
            made.wait_serial(name, 1)
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def everybody_lives(request):
    """Whatever a test asks, the processes are the same afterwards and answer."""
    if "server" not in request.fixturenames:
        yield
        return
    server = request.getfixturevalue("server")
    before = server.processes()
    assert len(before) == 3
    yield
    assert server.serial(ORIGIN) == 1
    assert server.processes() == before
    assert "process-died" not in server.log


@pytest.fixture(params=["udp", "tcp"])
def tcp(request):
    return request.param == "tcp"


def aliases(reply):
    return [rrset.name for rrset in reply.answer if rrset.rdtype == dns.rdatatype.CNAME]


LOOPS = {"self": 1, "one": 3, "two": 3, "x.star": 2, "chain0": 9, f"chain{CHAIN - 3}": 3,
         f"chain{CHAIN - 8}": 8, "x.back": 2, "mixed": 3, "x.grow": 9}


@pytest.mark.parametrize("name", LOOPS)
def test_B1_aliases_end(server, name, tcp):
    """Each name is followed once, nine aliases are told at most, and that is no error."""
    reply = ask(server, f"{name}.b1.test", "A", tcp)
    found = aliases(reply)
    assert reply.rcode() == dns.rcode.NOERROR
    assert len(found) == LOOPS[name] <= limit("alias-steps") + 1
    assert len(set(found)) == len(found)


def test_B1_a_chain_of_just_the_limit_reaches_its_end(server, tcp):
    steps = limit("alias-steps")
    reached = ask(server, f"chain{CHAIN - steps}.b1.test", "A", tcp)
    assert reached.answer[-1].rdtype == dns.rdatatype.A
    cut_off = ask(server, f"chain{CHAIN - steps - 1}.b1.test", "A", tcp)
    assert cut_off.answer[-1].rdtype == dns.rdatatype.CNAME


def test_B1_a_name_that_grows_too_long_is_yxdomain(server, tcp):
    """RFC 6672 2.2, and with it the DNAME that did it; one octet less is a name."""
    target = dns.name.from_text(f"{LONG_LABEL}.{LONG_LABEL}.{LONG_LABEL}.b1.test")
    room = 255 - len(target.to_wire())
    fits, grows = "y" * (room - 1), "y" * room
    reply = ask(server, f"{grows}.long.b1.test", "A", tcp)
    assert reply.rcode() == dns.rcode.YXDOMAIN
    assert [rrset.rdtype for rrset in reply.answer] == [dns.rdatatype.DNAME]
    reply = ask(server, f"{fits}.long.b1.test", "A", tcp)
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert len(reply.answer[1][0].target.to_wire()) == 255


@pytest.mark.parametrize("rrtype", ["DNAME", "CNAME", "ANY", "RRSIG", "DS"])
def test_B1_dname_as_the_last_answer(server, rrtype, tcp):
    at = ask(server, "d.b1.test", rrtype, tcp)
    assert (rrtype in ("DNAME", "ANY")) == bool(at.answer)
    below = ask(server, "www.d.b1.test", rrtype, tcp)
    assert [rrset.rdtype for rrset in below.answer][:2] == [dns.rdatatype.DNAME,
                                                            dns.rdatatype.CNAME]


@pytest.mark.parametrize("name, rrtype", [("mx", "MX"), ("srv", "SRV")])
def test_B2_additional_names_are_counted(server, name, rrtype, tcp):
    reply = ask(server, f"{name}.b2.test", rrtype, tcp)
    if not tcp:
        assert reply.flags & dns.flags.TC and not reply.answer
    else:
        assert len(reply.answer[0]) == ADDITIONAL
        assert len({rrset.name for rrset in reply.additional}) == limit("additional-names")


def test_B2_a_referral_to_a_thousand_servers(server, tcp):
    reply = ask(server, "x.cut.b2.test", "A", tcp)
    if not tcp:
        assert reply.flags & dns.flags.TC and not reply.authority
    else:
        assert len(reply.authority[0]) == ADDITIONAL


@pytest.mark.parametrize("rrtype", ["ANY", "RRSIG", "TYPE65479", "TYPE65480"])
def test_B2_two_hundred_types_at_one_name(server, rrtype, tcp):
    reply = ask(server, "types.b2.test", rrtype, tcp)
    assert reply.rcode() == dns.rcode.NOERROR
    told = bool(reply.answer or reply.flags & dns.flags.TC)
    assert told == (rrtype in ("ANY", "TYPE65479"))


def check(tmp_path, text):
    file = tmp_path / "zone"
    file.write_text(text)
    return command("check", file, "--origin", ORIGIN, check=False)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_B2_records_of_a_set_have_a_limit(tmp_path, more):
    count = limit("rrset-records") + more
    done = check(tmp_path, ZONE + "".join(f"a A 10.{i >> 16}.{i >> 8 & 255}.{i & 255}\n"
                                          for i in range(count)))
    assert done.returncode == (more > 0)
    assert (str(limit("rrset-records")) in done.stdout + done.stderr.replace(",", "")) or more <= 0


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_B2_types_of_a_name_have_a_limit(tmp_path, more):
    count = limit("name-types") + more
    done = check(tmp_path, ZONE + "".join(f"a TYPE{60000 + i} \\# 1 00\n" for i in range(count)))
    assert done.returncode == (more > 0)


@pytest.mark.parametrize("size", [0, 512, 1232, 4096, 65535])
@pytest.mark.parametrize("name", ["t400", "t1100", "t1200", "t1300", "t4000", "t16000", "t60000",
                                  "t64000", "t65000", "t66000", "t200000"])
def test_B3_an_answer_is_whole_or_says_that_it_is_not(server, name, size, tcp):
    reply = ask(server, f"{name}.b3.test", "TXT", tcp, size=size)
    truncated = bool(reply.flags & dns.flags.TC)
    assert truncated == (not reply.answer)
    if not truncated:
        assert len(reply.answer[0]) == max(int(name[1:]) // 210, 1)
    assert reply.rcode() == dns.rcode.NOERROR


def test_B3_the_largest_record_is_answered(server):
    reply = ask(server, "whole.b3.test", "TYPE65280", tcp=True)
    assert len(reply.answer[0][0].data) == limit("record-data")
    assert not reply.flags & dns.flags.TC
    assert ask(server, "whole.b3.test", "TYPE65280").flags & dns.flags.TC


def test_B3_what_fits_no_answer_ends_no_transfer(server):
    """Every record goes out in an AXFR, the one that nearly fills a message too."""
    with connect(server) as stream:
        stream.sendall(framed(packet("b3.test", "AXFR", size=0)))
        stream.shutdown(socket.SHUT_WR)
        replies = [dns.message.from_wire(octets, one_rr_per_rrset=True)
                   for octets in read_messages(stream)]
    count = sum(len(reply.answer) for reply in replies)
    assert count == len(sizes_zone().splitlines())  # $TTL is none, the SOA comes twice


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_B3_a_record_that_fits_no_message_is_refused(tmp_path, more):
    octets = limit("record-data") + more
    done = check(tmp_path, ZONE + f"a TYPE65280 \\# {octets} {'00' * octets}\n")
    assert done.returncode == (more > 0)


HASH = "0" * 32
NSEC3_DATA = "1 0 {iterations} {salt} {next} A RRSIG"


def nsec3(owner=HASH, iterations=0, salt="-", after="1" * 32):
    data = NSEC3_DATA.format(iterations=iterations, salt=salt, next=after)
    return f"{owner} NSEC3 {data}\n"


DEEP = ".".join(["d" * 63, "e" * 63, "f" * 63, "g" * 30])  # 223 octets and its end
PARAMETERS = "@ NSEC3PARAM 1 0 0 -\n"
# Zones that may be loaded or refused, but have to be answered for: (apex, records).
CHAINS = {
    "an owner that is no hash": ("no-hash.test", PARAMETERS + nsec3("nothash")),
    "an owner that is too short": ("short.test", PARAMETERS + nsec3("0" * 31)),
    "an owner with letters behind v": ("letters.test", PARAMETERS + nsec3("z" * 32)),
    "an owner of 63 octets": ("label.test", PARAMETERS + nsec3("0" * 63)),
    "an owner two labels down": ("deep.test", PARAMETERS + nsec3(HASH + ".x")),
    "an owner that is the apex": ("apex.test", PARAMETERS + nsec3("@")),
    "an owner that is a wildcard": ("star.test", PARAMETERS + nsec3("*")),
    "one alone": ("alone.test", PARAMETERS + nsec3()),
    "one alone, next is itself": ("itself.test", PARAMETERS + nsec3(after=HASH)),
    "one without NSEC3PARAM": ("without.test", nsec3()),
    "NSEC3PARAM without any": ("none.test", PARAMETERS),
    "a hundred NSEC3PARAM": ("hundred.test", "".join(
        f"@ NSEC3PARAM 1 0 {i} -\n" for i in range(100)) + nsec3()),
    "a hash of one octet": ("tiny.test", PARAMETERS + nsec3("00", after="00")),
    "a hash of 100 octets": ("huge.test", PARAMETERS + nsec3(after="0" * 160)),
    "65535 iterations": ("many.test", "@ NSEC3PARAM 1 0 65535 -\n" + nsec3(iterations=65535)),
    "a salt of 255 octets": ("salt.test", f"@ NSEC3PARAM 1 0 0 {'ab' * 255}\n" + nsec3(
        salt="ab" * 255)),
    "two salts": ("salts.test", PARAMETERS + nsec3() + nsec3("1" * 32, salt="ab")),
    "an unknown hash": ("hash9.test", "@ NSEC3PARAM 9 0 0 -\n" + nsec3().replace(
        " NSEC3 1", " NSEC3 9")),
    "an apex of 224 octets": (DEEP, PARAMETERS + "x A 192.0.2.1\n"),
    "NSEC that points outside": ("out.test", "@ NSEC elsewhere.invalid. A\n"),
    "NSEC that points backwards": ("loop.test", "@ NSEC a A\na NSEC @ A\nb NSEC a A\n"),
    "NSEC at the apex alone": ("nsec1.test", "@ NSEC @ A\n"),
    "NSEC and NSEC3": ("both.test", "@ NSEC a A\n" + PARAMETERS + nsec3()),
}


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chains")
    zones = []
    for number, (name, records) in enumerate([(ORIGIN, ""), *CHAINS.values()]):
        file = folder / f"zone{number}"
        file.write_text(ZONE + records)
        zones.append({"name": name, "role": "primary", "file": str(file), "secondaries": []})
    made = Server(folder / "server", {"zones": zones}, name="chains")
    try:
        made.start().wait_serial(ORIGIN, 1)
        made.before = made.processes()
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("case", CHAINS)
def test_B4_a_broken_chain_proves_nothing_and_breaks_nothing(chains, case, tcp):
    """Loaded or refused, every question has an answer; one without proofs is as before."""
    zone = CHAINS[case][0]
    room = 250 - len(dns.name.from_text(zone).to_wire())
    below = [label for label in ("nothing", "a.b", HASH, "z" * 63, "x" * min(room, 63), "*")
             if len(label) < room]
    for name in (zone, *(f"{label}.{zone}" for label in below)):
        for rrtype in "A", "DS", "NSEC3", "TYPE65280":
            plain, proven = (ask(chains, name, rrtype, tcp, do=do) for do in (False, True))
            assert plain.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL)
            assert proven.rcode() in (plain.rcode(), dns.rcode.SERVFAIL)
    assert chains.processes() == chains.before


WAYS = [dict(size=size, do=do, flags=flags) for size in (0, 512, 1232, 65535)
        for do in ((False, True) if size else (False,)) for flags in (0, 0x0100, 0x0010)]


def test_B5_every_reply_is_to_its_own_question(server):
    """Nothing that somebody else asked, and how, changes what one gets: many ways in any order."""
    asked = [(name, rrtype, way, tcp) for name, rrtype in (
        ("www.d.b1.test", "A"), ("WWW.D.b1.TEST", "A"), ("d.b1.test", "DNAME"),
        ("nothing.b1.test", "A"), ("mx.b2.test", "MX"), ("t1200.b3.test", "TXT"))
        for way in WAYS for tcp in (False, True)]
    alone = [exchange(server, packet(name, rrtype, **way), tcp) for name, rrtype, way, tcp in asked]
    for seed in range(2):
        order = list(range(len(asked)))
        random.Random(seed).shuffle(order)
        for number in order:
            name, rrtype, way, tcp = asked[number]
            octets = packet(name, rrtype, **way)
            reply = exchange(server, octets, tcp)
            assert reply == alone[number], asked[number]
            assert reply[12:12 + len(dns.name.from_text(name).to_wire())] == octets[
                12:12 + len(dns.name.from_text(name).to_wire())]
            edns = dns.message.from_wire(reply).edns >= 0
            assert edns == bool(way["size"]), asked[number]
            assert (reply[2] & 1, reply[3] & 0x10) == (octets[2] & 1, octets[3] & 0x10)


def version(number):
    """A zone in which every record tells the version, in more sets than one."""
    many = "".join(f"v TXT \"{number} {i}\"\nv A 10.{number >> 8}.{number & 255}.{i}\n"
                   for i in range(20))
    return ZONE.replace(" 1 3600", f" {number} 3600") + many


def test_B8_while_a_zone_is_replaced_each_answer_is_of_one_version(servers, tmp_path):
    file = tmp_path / "zone"
    file.write_text(version(1))
    made = servers({"zones": [{"name": ORIGIN, "role": "primary", "file": str(file),
                               "serial": "file", "secondaries": []}]})
    made.start().wait_serial(ORIGIN, 1)
    seen, wrong, ended = set(), [], threading.Event()

    def ask_on(tcp):
        while not ended.is_set():
            for rrtype in "TXT", "A":
                reply = ask(made, f"v.{ORIGIN}", rrtype, tcp)
                told = {str(rdata).strip('"').split()[0] if rrtype == "TXT" else
                        str(rdata.address.split(".")[1:3]) for rdata in reply.answer[0]}
                if len(told) != 1 or len(reply.answer[0]) != 20:
                    wrong.append(reply.to_text())
                seen.update(told)

    askers = [threading.Thread(target=ask_on, args=(tcp,)) for tcp in (False, True)]
    for asker in askers:
        asker.start()
    try:
        for number in range(2, 22):
            file.write_text(version(number))
            made.run("zone", "reload", ORIGIN)
    finally:
        ended.set()
        for asker in askers:
            asker.join(PATIENCE)
    assert not wrong
    assert len(seen) > 10
    made.wait_serial(ORIGIN, 21)


def test_B8_an_expired_zone_is_servfail_and_says_why(servers, tmp_path):
    """RFC 1035 3.3.13 EXPIRE; RFC 8914 4.25. It comes back with its primary."""
    file, port = tmp_path / "zone", free_port()
    file.write_text(ZONE.replace("3600 600 86400", "1 1 3"))
    primary = servers({"zones": [{
        "name": ORIGIN, "role": "primary", "file": str(file), "secondaries": [],
        "allow-transfer": "any"}]}, name="primary", port=port)
    secondary = servers({
        "remotes": [{"name": "east", "address": f"127.0.0.1@{port}"}],
        "zones": [{"name": ORIGIN, "role": "secondary", "primaries": "east"}]}, name="secondary")
    primary.start().wait_serial(ORIGIN, 1)
    secondary.start().wait_serial(ORIGIN, 1)
    assert primary.stop() == 0
    wait_until(lambda: secondary.ask(ORIGIN, "SOA").rcode() == dns.rcode.SERVFAIL,
               what="the zone expires")
    for name in ORIGIN, f"ns1.{ORIGIN}", f"nothing.{ORIGIN}":
        for tcp in False, True:
            reply = secondary.ask(name, "A", tcp=tcp, use_edns=0)
            assert reply.rcode() == dns.rcode.SERVFAIL
            assert not reply.answer and not reply.authority
            assert [option.code for option in reply.options
                    if option.otype == dns.edns.EDE] == [INVALID_DATA]
    primary.start()
    secondary.wait_serial(ORIGIN, 1)
