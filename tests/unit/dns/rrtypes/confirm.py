#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Asks other implementations whether the rows of good.tsv are right.

A row is: type, text, wire form in hexadecimal, the text lockstep prints for it ("=" when
it is the same), and who makes the same wire form: "bind" of both texts, "bind/text" of
the first only, "rfcNNNN" or "draft-..." when it is worked out from the document by hand,
since none of these implementations knows the form.

confirm.py          recomputes what the rows claim; exit code 1 when one is not confirmed
confirm.py --write  fills in who confirms a row, and wire forms that are missing
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

try:
    import dns.name
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
except ImportError:
    dns = None

ORIGIN = "example.net."
ROWS = pathlib.Path(__file__).with_name("good.tsv")


def generic_octets(line):
    r"""The octets of a record printed as \# LENGTH HEX."""
    found = re.search(r"\\# (\d+)((?: [0-9a-fA-F]+)*)\s*(?:;.*)?$", line.strip())
    return found and found[2].replace(" ", "").lower()


def ask_dnspython(rrtype, text):
    try:
        code = dns.rdatatype.from_text(rrtype.replace("-", "_"))
        data = dns.rdata.from_text(dns.rdataclass.IN, code, text,
                                   origin=dns.name.from_text(ORIGIN), relativize=False)
    except Exception:  # whatever it is, dnspython does not confirm the row
        return None
    if isinstance(data, dns.rdata.GenericRdata) and not text.startswith("\\#"):
        return None
    return data.to_wire().hex()


def ask_bind(rrtype, text):
    done = subprocess.run(["named-rrchecker", "-o", ORIGIN, "-u"], input=f"IN {rrtype} {text}\n",
                          capture_output=True, text=True, check=False)
    return generic_octets(done.stdout) if done.returncode == 0 else None


def ask_ldns(rrtype, text):
    with tempfile.NamedTemporaryFile("w", suffix=".zone") as zone:
        zone.write(f"$ORIGIN {ORIGIN}\nx.{ORIGIN} 1 IN {rrtype} {text}\n")
        zone.flush()
        done = subprocess.run(["ldns-read-zone", "-u", rrtype, zone.name],
                              capture_output=True, text=True, check=False)
    return generic_octets(done.stdout) if done.returncode == 0 else None


WITNESSES = {}
if dns:
    WITNESSES["dnspython"] = ask_dnspython
if shutil.which("named-rrchecker"):
    WITNESSES["bind"] = ask_bind
if shutil.which("ldns-read-zone"):
    WITNESSES["ldns"] = ask_ldns


def read_rows():
    rows = []
    for number, line in enumerate(ROWS.read_text(encoding="ascii").splitlines(), 1):
        if line and not line.startswith("#"):
            rows.append((number, line.split("\t")))
    return rows


def is_document(claim):
    return claim.startswith(("rfc", "draft-"))


def confirm(rows):
    wrong = missing = asked = 0
    for number, (rrtype, text, wire, printed, who) in rows:
        for claim in who.split():
            name, _, only_text = claim.partition("/")
            if is_document(name):
                continue
            if name not in WITNESSES:
                missing += 1
                continue
            texts = [text] if only_text or printed == "=" else [text, printed]
            for one in texts:
                asked += 1
                answer = WITNESSES[name](rrtype, one)
                if answer != wire:
                    wrong += 1
                    print(f"{ROWS.name}:{number}: {name} makes {answer} of {rrtype} {one}")
        if not who:
            wrong += 1
            print(f"{ROWS.name}:{number}: nobody confirms {rrtype} {text}")
    print(f"{asked} wire forms compared, {wrong} wrong; {missing} claims of absent tools")
    return wrong


def witness(row):
    rrtype, text, wire, printed, who = row
    claims = [claim for claim in who.split() if is_document(claim)]
    for name, ask in WITNESSES.items():
        answer = ask(rrtype, text)
        if not wire and answer:
            wire = answer
        if answer != wire:
            if answer:
                print(f"{name} disagrees: {rrtype} {text}: {answer}, not {wire}")
            continue
        again = printed == "=" or ask(rrtype, printed) == wire
        claims.append(name if again else name + "/text")
    return [rrtype, text, wire, printed, " ".join(claims)]


def write():
    lines = []
    for line in ROWS.read_text(encoding="ascii").splitlines():
        if line and not line.startswith("#"):
            line = "\t".join(witness((line.split("\t") + [""] * 5)[:5]))
        lines.append(line)
    ROWS.write_text("\n".join(lines) + "\n", encoding="ascii")


def main():
    os.environ["LC_ALL"] = "C"
    if sys.argv[1:] == ["--write"]:
        write()
        return 0
    return 1 if confirm(read_rows()) else 0


sys.exit(main())
