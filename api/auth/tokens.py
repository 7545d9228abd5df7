"""Access tokens (JWT): signed, short-lived, and verified without asking a server.

A token of any of the keys is valid, so that a key can be replaced without signing anybody out.
"""

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from hmac import compare_digest
from typing import Any, Final
from uuid import UUID

import jwt
import msgspec

from api.bounded_cache import BoundedCache
from api.problems import Refused
from api.roles import Role

ALGORITHM: Final = "HS256"
CACHED_MAX_TOKENS: Final = 20_000
# No token begins like that, so a seal is never the signature of a token.
_SEALED: Final = b"seal\0"
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="turnstile"'}

# Whether the caller may see what belongs to an account.
MaySee = Callable[[UUID], bool]


class Caller(msgspec.Struct, frozen=True, gc=False):
    """The account of a token. ``version`` is that of its sessions, ``expires`` is in seconds since 1970.

    ``language`` is the account's at sign-in, in the tokens of the pages.
    """

    account: UUID
    roles: frozenset[Role]
    version: int
    expires: float
    language: str = ""

    @property
    def is_administrator(self) -> bool:
        """Whether the caller may act for any account."""
        return Role.ADMINISTRATOR in self.roles

    def may_act_for(self, account: UUID) -> bool:
        """Whether what belongs to ``account`` may be read and changed."""
        return account == self.account or self.is_administrator


class Claims(msgspec.Struct, frozen=True):
    """The claims of a token."""

    sub: UUID
    roles: frozenset[Role]
    version: int
    exp: int
    language: str = ""


# Made before there are threads: msgspec crashes where two of them decode a type for the first time.
_decode_claims: Final = msgspec.json.Decoder(Claims).decode


class Tokens:
    """Signs tokens with the first key, and verifies those of all keys."""

    def __init__(self, keys: Sequence[str], seconds: int, clock: Callable[[], float] = time.time) -> None:
        if not keys:
            raise ValueError("there is no key to sign tokens with")
        self._keys = [key.encode() for key in keys]
        self._macs = [hmac.new(key, digestmod="sha256") for key in self._keys]
        self._seconds = seconds
        self._clock = clock
        self._header = jwt.encode({}, self._keys[0], ALGORITHM).partition(".")[0]
        self._known: BoundedCache[str, Caller] = BoundedCache(CACHED_MAX_TOKENS, seconds, clock)

    def issue(
        self,
        account: UUID,
        roles: frozenset[Role],
        version: int = 0,
        seconds: int | None = None,
        language: str = "",
    ) -> tuple[str, Caller]:
        """A token and its caller; valid for ``seconds`` if given, with the account's ``language`` for pages."""
        expires = int(self._clock()) + (seconds or self._seconds)
        claims: dict[str, Any] = {"sub": str(account), "roles": sorted(roles), "version": version, "exp": expires}
        if language:
            claims["language"] = language
        text = jwt.encode(claims, self._keys[0], ALGORITHM)
        return text, Caller(account, roles, version, expires, language)

    def read(self, text: str) -> Caller:
        """The caller of a token. Refused: unauthorized for an invalid or expired one."""
        caller = self._decode_own(text) or self._decode(text)
        if caller.expires <= self._clock():
            raise unauthorized("the token has expired")
        return caller

    def seal(self, text: str) -> str:
        """A signature of the text, which is never that of a token."""
        return _sign(_SEALED + text.encode(), self._macs[0]).decode()

    def is_sealed(self, text: str, seal: str) -> bool:
        """Whether this is the text's seal."""
        return self._is_signed(_SEALED + text.encode(), seal.encode())

    def _decode(self, text: str) -> Caller:
        """The caller of a token that another process made; cached, since decoding costs half a purchase."""
        caller = self._known.get(text)
        if caller is None:
            caller = self._decode_any(text)
            self._known.put(text, caller)
        return caller

    def _decode_any(self, text: str) -> Caller:
        for key in self._keys:
            try:
                payload = jwt.api_jws.decode(text, key, [ALGORITHM])
                claims = _decode_claims(payload)
            except (jwt.InvalidTokenError, msgspec.DecodeError):
                continue
            return Caller(claims.sub, claims.roles, claims.version, claims.exp, claims.language)
        raise unauthorized("the token is not valid")

    def _decode_own(self, text: str) -> Caller | None:
        """The caller of a token with the header of this process, at a tenth of a JWT library's cost; else None.

        Caching it would cost more, by the memory of all buyers' tokens.
        """
        signed, _, signature = text.rpartition(".")
        header, _, payload = signed.partition(".")
        if header != self._header:
            return None
        if not self._is_signed(signed.encode(), signature.encode()):
            return None
        try:
            claims = _decode_claims(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except (ValueError, msgspec.DecodeError):
            return None
        return Caller(claims.sub, claims.roles, claims.version, claims.exp, claims.language)

    def _is_signed(self, signed: bytes, signature: bytes) -> bool:
        return any(compare_digest(_sign(signed, mac), signature) for mac in self._macs)


def _sign(signed: bytes, mac: hmac.HMAC) -> bytes:
    """The signature by a key's unused ``mac``."""
    mac = mac.copy()
    mac.update(signed)
    return urlsafe_b64encode(mac.digest()).rstrip(b"=")


def unauthorized(detail: str) -> Refused:
    """The refusal of a request without a valid token."""
    return Refused("unauthorized", detail, headers=CHALLENGE)


def forbidden() -> Refused:
    """The refusal of what the caller may not do. It doesn't tell whether the thing exists."""
    return Refused("forbidden", "this belongs to somebody else, or needs a role that you do not have")


def read_caller(tokens: Tokens, version: Callable[[UUID], int], header: str) -> Caller:
    """The caller by the value of an Authorization header. Refused: unauthorized.

    ``version`` tells the lowest version that an account's tokens must have.
    """
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise unauthorized("the header Authorization must be `Bearer` and a token")
    found = tokens.read(text)
    if found.version < version(found.account):
        raise unauthorized("this session has been ended")
    return found
