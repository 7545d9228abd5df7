"""Signing in: the account of an address and a password, against guessing."""

from api.auth.clients import client
from api.auth.tokens import CHALLENGE
from api.ports.credentials import Credential
from api.ports.ports import ports
from api.problems import Refused
from api.schemas.session import NewSession


def credential_of(body: NewSession, device: str | None = None) -> Credential:
    """The account that signs in, from a ``device`` with a cookie or without.

    Refused: wrong-credentials, too-many-requests, passwords-busy.
    """
    rate_limits = ports().rate_limits
    rate_limits.take("sign_in")
    asker = rate_limits.asker(body.email, device)
    rate_limits.guesses.check(asker)
    found = ports().credentials.find(body.email)
    with ports().passwords.turn(client(), asker.address) as hasher:
        rate_limits.guesses.check(asker)  # again, since many requests may have come at once
        if not hasher.fits(found.password_hash if found else None, body.password) or found is None:
            rate_limits.guesses.count(asker)
            raise Refused("wrong-credentials", headers=CHALLENGE)
        if hasher.is_outdated(found.password_hash):  # only now the password is available
            ports().credentials.rehash(found, hasher.hash(body.password))
    rate_limits.guesses.forget(asker)
    rate_limits.known.remember(asker)
    return found
