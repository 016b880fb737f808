#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints tsig_vectors.h: messages signed by dnspython (dns.tsig).

usage: make_tsig_vectors.py > tsig_vectors.h

The file is checked in, so that the tests need no Python; run this again only to add
a vector. Time, key and message ids are fixed: the output never varies.
"""
import struct

import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.rrset
import dns.tsig

TIME = 1700000000
SECRET = bytes(range(1, 33))
KEY_NAME = dns.name.from_text("Transfer.Key.test.")
ALGORITHMS = [
    "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512",
    "hmac-sha256-128", "hmac-sha384-192", "hmac-sha512-256",
]


def blank_tsig(key, wire, error=0, other=b"", time=TIME):
    original_id = struct.unpack("!H", wire[:2])[0]
    return dns.rdtypes.ANY.TSIG.TSIG(
        dns.rdataclass.ANY, dns.rdatatype.TSIG, key.algorithm, time, 300, b"",
        original_id, error, other)


def append(wire, key, tsig):
    rdata = tsig.to_wire()
    record = key.name.to_wire() + struct.pack(
        "!HHIH", dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, len(rdata)) + rdata
    arcount = struct.unpack("!H", wire[10:12])[0] + 1
    return wire[:10] + struct.pack("!H", arcount) + wire[12:] + record


def sign(wire, key, prior=b"", error=0, other=b"", ctx=None, multi=False, time=TIME):
    tsig, ctx = dns.tsig.sign(wire, key, blank_tsig(key, wire, error, other, time), time, prior,
                              ctx, multi)
    return append(wire, key, tsig), tsig.mac, ctx


def query():
    return dns.message.make_query("Example.com.", "AXFR", id=0x1234)


def response(number):
    message = dns.message.make_response(query())
    message.answer.append(dns.rrset.from_text(f"h{number}.Example.com.", 3600, "IN", "A",
                                              f"192.0.2.{number}"))
    return message.to_wire()


def emit(name, wire):
    text = wire.hex()
    print(f"static const char {name}[] =")
    lines = [text[i:i + 80] for i in range(0, len(text), 80)]
    print("\n".join(f'\t"{line}"' for line in lines) + ";\n")


print("""/* SPDX-License-Identifier: Apache-2.0 */
/* Printed by make_tsig_vectors.py: what dnspython signs. */
/* clang-format off */
#ifndef TESTS_TSIG_VECTORS_H
#define TESTS_TSIG_VECTORS_H
""")
for algorithm in ALGORITHMS:
    key = dns.tsig.Key(KEY_NAME, SECRET, algorithm)
    name = algorithm.replace("-", "_")
    wire, mac, _ = sign(query().to_wire(), key)
    emit(f"{name}_request", wire)
    emit(f"{name}_response", sign(response(1), key, mac)[0])

key = dns.tsig.Key(KEY_NAME, SECRET, "hmac-sha256")
mac = sign(query().to_wire(), key)[1]
wire, _, ctx = sign(response(1), key, mac, multi=True)
emit("stream_1_signed", wire)
for number in (2, 3):
    emit(f"stream_{number}_unsigned", response(number))
    ctx.update(response(number))
wire, _, ctx = sign(response(4), key, ctx=ctx, multi=True, time=TIME + 1)
emit("stream_4_signed", wire)
wire, _, ctx = sign(response(5), key, ctx=ctx, multi=True, time=TIME + 2)
emit("stream_5_signed", wire)

failed = dns.message.make_response(query())
failed.set_rcode(dns.rcode.NOTAUTH)
server_time = struct.pack("!HI", 0, TIME + 412)
emit("badtime_response", sign(failed.to_wire(), key, mac, dns.rcode.BADTIME, server_time)[0])
print("#endif")
