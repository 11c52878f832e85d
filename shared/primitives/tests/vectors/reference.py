"""The formats of Tallystick once more in Python, apart from the code that it tests. Prints the file `known-answers`."""

import hashlib
from struct import pack


def sha256(data):
    return hashlib.sha256(data).digest()


def sha256d(data):
    return sha256(sha256(data))


def tagged(tag, data):
    return sha256(sha256(tag.encode()) * 2 + data)


def sequence(items):
    return pack("<Q", len(items)) + b"".join(items)


# Policies are tuples: ("key", bytes), ("threshold", required, [policies]), ("preimage", bytes), ("after", n), ("older", n), ("opaque", bytes).
KINDS = ["key", "threshold", "preimage", "after", "older", "opaque"]


def fields(policy, child):
    kind = policy[0]
    if kind == "threshold":
        return pack("<B", policy[1]) + sequence([child(branch) for branch in policy[2]])
    return pack("<I", policy[1]) if kind in ("after", "older") else policy[1]


def encode_policy(policy):
    return pack("<I", KINDS.index(policy[0])) + fields(policy, encode_policy)


def hash_policy(policy):
    if policy[0] == "opaque":
        return policy[1]
    return tagged("tallystick/policy", pack("<I", KINDS.index(policy[0])) + fields(policy, hash_policy))


def bech32m(prefix, payload):
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

    def polymod(values):
        check = 1
        for value in values:
            top = check >> 25
            check = (check & 0x1FFFFFF) << 5 ^ value
            for bit, constant in enumerate([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]):
                check ^= constant if top >> bit & 1 else 0
        return check

    number, bits = int.from_bytes(payload, "big"), 8 * len(payload)
    pad = -bits % 5
    digits = [0] + [(number << pad) >> at & 31 for at in range(bits + pad - 5, -1, -5)]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = polymod(expanded + digits + [0] * 6) ^ 0x2BC830A3
    return prefix + "1" + "".join(alphabet[d] for d in digits + [check >> 5 * (5 - i) & 31 for i in range(6)])


def transaction(version, inputs, outputs, memo, with_witness):
    def one_input(item):
        txid, index, policy, signatures, preimages = item
        witness = encode_policy(policy) + sequence(signatures) + sequence(preimages)
        return txid + pack("<I", index) + (witness if with_witness else b"")

    return (
        pack("<I", version)
        + sequence([one_input(item) for item in inputs])
        + sequence([pack("<Q", value) + lock for value, lock in outputs])
        + pack("<Q", len(memo)) + memo
    )


POLICIES = {
    "key": ("key", bytes([1] * 32)),
    "preimage": ("preimage", bytes([2] * 32)),
    "after": ("after", 0x01020304),
    "older": ("older", 144),
    "opaque": ("opaque", bytes([3] * 32)),
}
POLICIES["threshold"] = ("threshold", 2, [POLICIES[kind] for kind in ("key", "preimage", "after")])
POLICIES["nested"] = ("threshold", 1, [POLICIES["threshold"], ("threshold", 1, [POLICIES["older"], POLICIES["opaque"]])])


def main():
    for name, policy in POLICIES.items():
        print("policy", name, encode_policy(policy).hex(), hash_policy(policy).hex())
    inputs = [
        (bytes([0x11] * 32), 7, POLICIES["nested"], [bytes([0x22] * 64)], [bytes([0x33] * 32)] * 2),
        (bytes([0x44] * 32), 0xFFFFFFFF, POLICIES["key"], [], []),
    ]
    outputs = [(1, bytes([0x55] * 32)), (2_100_000_000_000_000, hash_policy(POLICIES["key"]))]
    full, bare = (transaction(1, inputs, outputs, b"memo", flag) for flag in (True, False))
    genesis, spent = bytes([0x66] * 32), [(5, bytes([0x77] * 32)), (6, bytes([0x88] * 32))]
    sighash = tagged("tallystick/sighash", genesis + bare + b"".join(pack("<Q", value) + lock for value, lock in spent))
    coinbase = transaction(1, [], [(5_000_000_000, bytes([0x99] * 32))], pack("<Q", 123456) + b"hi", True)
    print("transaction", full.hex(), bare.hex())
    print("ids", sha256d(bare)[::-1].hex(), sha256d(full)[::-1].hex(), sighash.hex())
    print("coinbase", coinbase.hex(), sha256d(coinbase)[::-1].hex())
    for prefix in ("tally", "ttally", "dtally"):
        for lock in (bytes(32), bytes(range(32)), bytes([0xFF] * 32)):
            print("address", prefix, lock.hex(), bech32m(prefix, lock))


main()
