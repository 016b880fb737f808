# SPDX-License-Identifier: Apache-2.0
"""Finds a hash without collisions over the mnemonics of rrtypes.def and prints it as C."""

import re
import sys

BITS = 10
MASK = 0xDFDFDFDFDFDFDFDF


def octets(w):
    """The same octets as mnemonic_octets() of rdata_table.c."""
    if len(w) >= 4:
        return int.from_bytes(w[:4] + w[-4:], "little")
    return w[0] | w[len(w) // 2] << 8 | w[-1] << 16


def key(word):
    """The same sum as mnemonic_hash() of rdata_table.c."""
    return (octets(word.encode()) & MASK) + len(word)


def letters(word):
    """The bits in which a mnemonic may differ: those of the case of its letters."""
    return octets(bytes(0x20 if c.isalpha() else 0 for c in word))


def find_factor(keys):
    factor = 0x9E3779B97F4A7C15
    while True:
        slots = [(k * factor % 2**64) >> (64 - BITS) for k in keys]
        if len(set(slots)) == len(slots):
            return factor, slots
        factor = (factor * 6364136223846793005 + 1442695040888963407) % 2**64 | 1


def main():
    text = open(sys.argv[1], encoding="ascii").read()
    row = re.compile(r'^RR(?:\(|_NAMED\(\w+, ")([A-Z0-9-]+)', re.M)
    words = row.findall(text)
    factor, slots = find_factor([key(word) for word in words])
    table = [0] * 2**BITS
    for number, slot in enumerate(slots):
        table[slot] = number + 1
    print("/* Made from rrtypes.def by mnemonic_hash.py. */")
    print(f"#define MNEMONIC_FACTOR UINT64_C({factor:#x})")
    print(f"#define MNEMONIC_SHIFT  {64 - BITS}")
    print(f"static const unsigned char mnemonic_slots[{2**BITS}] = {{")
    for at in range(0, 2**BITS, 16):
        print("\t" + " ".join(f"{number}," for number in table[at:at + 16]))
    print("};")
    print("static const struct { uint64_t octets, letters; } mnemonic_octets_of[] = {")
    for word in words:
        print(f"\t{{{octets(word.encode()):#x}, {letters(word):#x}}}, /* {word} */")
    print("};")


main()
