"""Signatures by ECDSA on the curve P-256 with SHA-256 (FIPS 186-5), in plain Python.

It makes one certificate on the operator's machine, where nothing but Python is installed. It does not take the same
time for every key: sign nothing with it that others can time.
"""

import hashlib
import secrets
from typing import Final

PRIME: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
GENERATOR: Final = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
KEY_BYTES: Final = 32

Point = tuple[int, int]


def new_key() -> int:
    """A private key."""
    return secrets.randbelow(ORDER - 1) + 1


def public_key(key: int) -> bytes:
    """The public key of a private one, uncompressed (SEC 1)."""
    x, y = _multiple(key)
    return b"\x04" + x.to_bytes(KEY_BYTES, "big") + y.to_bytes(KEY_BYTES, "big")


def sign(key: int, message: bytes) -> tuple[int, int]:
    """The signature of a message: r and s."""
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    nonce = new_key()
    r = _multiple(nonce)[0] % ORDER
    return r, pow(nonce, -1, ORDER) * (digest + r * key) % ORDER


def _multiple(factor: int) -> Point:
    """The generator added up ``factor`` times; the factor is 1 or more and less than the order."""
    found: Point | None = None
    point = GENERATOR
    while factor:
        if factor & 1:
            found = point if found is None else _add(found, point)
        point = _add(point, point)
        factor >>= 1
    assert found is not None
    return found


def _add(one: Point, other: Point) -> Point:
    """The sum of two points, neither of them the other's negative."""
    if one == other:
        slope = (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, PRIME) % PRIME
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, PRIME) % PRIME
    x = (slope**2 - one[0] - other[0]) % PRIME
    return x, (slope * (one[0] - x) - one[1]) % PRIME
