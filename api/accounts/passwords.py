"""Passwords: new ones must not be easy to guess, and the present one is needed to change an account's security."""

from api.accounts.changes import account_of
from api.auth.clients import Asker, address_key, client
from api.auth.common_passwords import weakness_of
from api.auth.tokens import Caller
from api.ports.ports import ports
from api.problems import wrong
from api.schemas.account import AccountPath
from api.web.authentication import require_to_act_for


def new_hash(pointer: str, password: str, email: str, *names: str) -> str:
    """The hash of a new password. Refused: invalid-input if it is easy to guess, passwords-busy."""
    with ports().passwords.turn(client(), address_key(email)) as hasher:
        if weakness := weakness_of(password, (email, *names)):
            raise wrong(pointer, weakness)
        return hasher.hash(password)


def require_password(path: AccountPath, password: str | None) -> Caller:
    """The caller: an administrator, or the account's owner with the present password.

    Refused: not-found, invalid-input, too-many-requests, passwords-busy.
    """
    found = require_to_act_for(path.account_id)
    if path.account_id == found.account:
        _check_password(path, password)
    return found


def _check_password(path: AccountPath, password: str | None) -> None:
    email = account_of(path).email
    known, guesses = ports().credentials.find(email), ports().rate_limits.guesses
    asker = Asker(address_key(email), client(), is_shown=True)
    guesses.check(asker)
    with ports().passwords.turn(client(), asker.address) as hasher:
        guesses.check(asker)
        if not hasher.fits(known.password_hash if known else None, password or ""):
            guesses.count(asker)
            raise wrong("/currentPassword", "is not the account's password")
