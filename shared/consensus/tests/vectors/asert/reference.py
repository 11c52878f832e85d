"""The ASERT rule (aserti3-2d) in Python's unlimited integers, apart from the code that it tests.

`check FILE…` recomputes published vectors; `make DIR` writes the vectors `tallystick-*`, which cover what the
published ones do not: limits up to 2^255, other spacings and half-lives, jumps that clamp at both ends.
"""

import random
import sys


def to_target(bits):
    size, mantissa = bits >> 24, bits & 0x7FFFFF
    return mantissa >> 8 * (3 - size) if size <= 3 else mantissa << 8 * (size - 3)


def to_compact(target):
    size = (target.bit_length() + 7) // 8
    mantissa = target << 8 * (3 - size) if size <= 3 else target >> 8 * (size - 3)
    if mantissa & 0x800000:
        mantissa, size = mantissa >> 8, size + 1
    return size << 24 | mantissa


def next_bits(anchor_bits, spacing, half_life, limit_bits, time_difference, height_difference):
    numerator = (time_difference - spacing * (height_difference + 1)) * 65536
    exponent = abs(numerator) // half_life * (1 if numerator >= 0 else -1)
    shifts, fraction = exponent >> 16, exponent & 0xFFFF
    factor = 65536 + (
        (195766423245049 * fraction + 971821376 * fraction**2 + 5127 * fraction**3 + 2**47) >> 48
    )
    target = to_target(anchor_bits) * factor
    shifts -= 16
    target = target >> -shifts if shifts <= 0 else target << min(shifts, 1024)
    return to_compact(max(1, min(target, to_target(limit_bits))))


def read(path):
    facts, rows = {}, []
    for line in open(path):
        if line.startswith("##"):
            name, value = line[2:].split(":", 1)
            facts[name.strip()] = value.strip()
        elif line.strip() and not line.startswith("#"):
            rows.append(line.split())
    return facts, rows


def check(paths):
    for path in paths:
        facts, rows = read(path)
        spacing, half_life = int(facts.get("spacing", 600)), int(facts.get("half-life", 172800))
        limit = int(facts.get("limit nBits", "0x1d00ffff"), 16)
        anchor, height, time = (
            int(facts["anchor nBits"], 16), int(facts["anchor height"]), int(facts["anchor ancestor time"])
        )
        for _, at, now, bits in rows:
            computed = next_bits(anchor, spacing, half_life, limit, int(now) - time, int(at) - height)
            assert computed == int(bits, 16), (path, at, hex(computed), bits)
        print(path, len(rows), "rows")


def make(directory):
    networks = [
        ("mainnet", 0x1E00FFFF, 60, 7200), ("testnet", 0x1F00FFFF, 10, 600), ("easiest", 0x207FFFFF, 10, 600),
    ]
    for name, limit, spacing, half_life in networks:
        random.seed(name)
        for kind, anchor in [("limit", limit), ("hard", 0x1B0404CB)]:
            start, height, rows = 1_800_000_000, 1, []
            parent_time = start - spacing
            for iteration in range(1, 201):
                height += random.choice([1, 1, 1, 2, random.randrange(1, 100_000)])
                reach = random.choice([spacing, half_life, 10 * half_life, 100 * half_life, 250 * half_life])
                time = start + spacing * (height - 1) + random.randint(-reach, reach)
                bits = next_bits(anchor, spacing, half_life, limit, time - parent_time, height - 1)
                rows.append(f"{iteration} {height} {time} 0x{bits:08x}")
            with open(f"{directory}/tallystick-{name}-{kind}", "w") as file:
                print(f"## description: {name}'s limit, from an anchor at 0x{anchor:08x}, made by reference.py", file=file)
                for fact, value in [
                    ("anchor height", 1), ("anchor ancestor time", parent_time), ("anchor nBits", f"0x{anchor:08x}"),
                    ("spacing", spacing), ("half-life", half_life), ("limit nBits", f"0x{limit:08x}"),
                ]:
                    print(f"##   {fact}: {value}", file=file)
                print("# iteration,height,time,target", *rows, sep="\n", file=file)


if __name__ == "__main__":
    {"check": check, "make": lambda rest: make(rest[0])}[sys.argv[1]](sys.argv[2:])
