"""A first certificate for the proxy. It is self-signed, so browsers warn of it. Made by the standard library alone."""

import base64
import secrets
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import Final

from ops.elliptic_curve import KEY_BYTES, new_key, public_key, sign

HOST: Final = "localhost"
VALID_DAYS: Final = 365
LINE_CHARACTERS: Final = 64
# A content of this length or more has a length of several bytes.
LONG_BYTES: Final = 0x80

# Tags of DER (X.690). SEQUENCE and SET are constructed; so are the context's own, but for the names of the host.
INTEGER, BIT_STRING, OCTET_STRING, OBJECT_ID, TEXT, TIME, SEQUENCE, SET = 2, 3, 4, 6, 12, 23, 48, 49
DNS_NAME, IP_ADDRESS, VERSION, PUBLIC_KEY, EXTENSIONS = 0x82, 0x87, 0xA0, 0xA1, 0xA3


def self_signed() -> str:
    """A certificate for this host, valid for a year, and its key, as one PEM text."""
    key = new_key()
    public = public_key(key)
    body = _body(public, datetime.now(UTC))
    signature = _der(SEQUENCE, *map(_integer, sign(key, body)))
    certificate = _der(SEQUENCE, body, SIGNED_BY, _bits(signature))
    return _pem("CERTIFICATE", certificate) + _pem("PRIVATE KEY", _private(key, public))


def _body(public: bytes, now: datetime) -> bytes:
    """What is signed (RFC 5280, TBSCertificate)."""
    name = _der(SEQUENCE, _der(SET, _der(SEQUENCE, COMMON_NAME, _der(TEXT, HOST.encode()))))
    hosts = _der(SEQUENCE, _der(DNS_NAME, HOST.encode()), _der(IP_ADDRESS, IPv4Address("127.0.0.1").packed))
    return _der(
        SEQUENCE,
        _der(VERSION, _integer(2)),
        _integer(secrets.randbits(120)),
        SIGNED_BY,
        name,
        _der(SEQUENCE, _time(now), _time(now + timedelta(days=VALID_DAYS))),
        name,
        _der(SEQUENCE, CURVE, _bits(public)),
        _der(EXTENSIONS, _der(SEQUENCE, _der(SEQUENCE, ALTERNATIVE_NAMES, _der(OCTET_STRING, hosts)))),
    )


def _private(key: int, public: bytes) -> bytes:
    """The private key (RFC 5208 with RFC 5915)."""
    secret = _der(OCTET_STRING, key.to_bytes(KEY_BYTES, "big"))
    inner = _der(SEQUENCE, _integer(1), secret, _der(PUBLIC_KEY, _bits(public)))
    return _der(SEQUENCE, _integer(0), CURVE, _der(OCTET_STRING, inner))


def _pem(label: str, content: bytes) -> str:
    text = base64.b64encode(content).decode()
    lines = [text[start : start + LINE_CHARACTERS] for start in range(0, len(text), LINE_CHARACTERS)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < LONG_BYTES:
        return bytes([tag, size]) + content
    count = (size.bit_length() + 7) // 8
    return bytes([tag, LONG_BYTES | count]) + size.to_bytes(count, "big") + content


def _integer(number: int) -> bytes:
    return _der(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _bits(content: bytes) -> bytes:
    return _der(BIT_STRING, b"\0", content)


def _time(moment: datetime) -> bytes:
    return _der(TIME, moment.strftime("%y%m%d%H%M%SZ").encode())


def _object_id(hexadecimal: str) -> bytes:
    return _der(OBJECT_ID, bytes.fromhex(hexadecimal))


COMMON_NAME: Final = _object_id("55 04 03")
ALTERNATIVE_NAMES: Final = _object_id("55 1d 11")
# ecdsa-with-SHA256; id-ecPublicKey on prime256v1.
SIGNED_BY: Final = _der(SEQUENCE, _object_id("2a 86 48 ce 3d 04 03 02"))
CURVE: Final = _der(SEQUENCE, _object_id("2a 86 48 ce 3d 02 01"), _object_id("2a 86 48 ce 3d 03 01 07"))
