"""Signing up: a new account, which exists once its address is confirmed."""

from datetime import date

from api.accounts.address_confirmation import ask_for_confirmation
from api.accounts.passwords import new_hash
from api.auth.clients import accepted_language
from api.auth.tokens import forbidden
from api.ports.ports import ports
from api.problems import wrong
from api.roles import Role
from api.schemas.account import Account, NewAccount, SignUp


def sign_up(body: NewAccount, goal: str = "/") -> SignUp:
    """Mail a code and a link. No account is looked up, so response and time are the same for every address.

    The language of mail and account is that of the body, or else the browser's. ``goal`` is the path to return to.
    Refused: forbidden for fields of administrators, invalid-input, too-many-requests, passwords-busy.
    """
    ports().rate_limits.check_mail(ports().rate_limits.asker(body.email))
    if body.id is not None or body.roles is not None:
        raise forbidden()
    if body.password is None:
        raise wrong("/password", "is needed to sign up")
    account = new_account(body)
    if "locale" not in body.model_fields_set:
        account = account.model_copy(update={"locale": accepted_language()})
    return ask_for_confirmation(account, account.email, password_hash=password_hash(body), goal=goal)


def new_account(body: NewAccount) -> Account:
    """The account of a body. Refused: invalid-input."""
    now = ports().clock()
    check_birthday(body.birth_date)
    fields = body.model_dump(exclude={"id", "roles", "password"})
    roles = sorted({Role.BUYER, *(body.roles or ())})
    return Account(**fields, id=body.id or ports().new_id(), roles=roles, version=1, created_at=now, updated_at=now)


def password_hash(body: NewAccount) -> str | None:
    """The hash of its password, if it has one. Refused: invalid-input, passwords-busy."""
    if body.password is None:
        return None
    return new_hash("/password", body.password, body.email, body.first_name, body.last_name)


def check_birthday(birthday: date | None) -> None:
    """Refused: invalid-input for a day that is still to come."""
    if birthday is not None and birthday > ports().clock().date():
        raise wrong("/birthDate", "must not lie in the future")
