"""What an account is reached and secured by: its password, and its address, confirmed with a code mailed there."""

import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from flask import Response

from api.account_mails import AccountMail, compose
from api.answers import BASE, WITH_BODY, answer, answers, blueprint, ports
from api.bodies.account import (
    Account,
    AccountEmail,
    AccountPath,
    Confirmation,
    NewEmail,
    PasswordChange,
    SignUp,
)
from api.clients import Asker, address_key, client
from api.common_passwords import weakness_of
from api.conditional import tagged
from api.identity import require_to_act_for
from api.notices import tell_address, tell_asked, tell_password
from api.ports import Wish
from api.problems import Refused, wrong
from api.tokens import Caller

addresses = blueprint("addresses", "accounts")


@addresses.get(
    "/accounts/<uuid:accountId>/email",
    summary="Read an account's address",
    responses=answers({200: AccountEmail}, "not-found"),
)
def read_email(path: AccountPath) -> Response:
    """For the account itself and administrators."""
    require_to_act_for(path.account_id)
    account = ports().accounts.get(path.account_id)
    if account is None:
        raise no_account(path)
    return answer(AccountEmail(id=account.id, email=account.email))


@addresses.put(
    "/accounts/<uuid:accountId>/email",
    summary="Change an account's address",
    responses=answers(
        {200: Account, 202: SignUp}, *WITH_BODY, "not-found", "email-taken", "too-many-requests", "passwords-busy"
    ),
)
def change_email(path: AccountPath, body: NewEmail) -> Response:
    """202: a code is mailed to the new address, and with that it becomes the account's. The old one is told.

    The code is good for nothing once the account's sessions end. An administrator's change takes effect at once (200).
    """
    found = _secured(path, body.current_password)
    before = ports().accounts.get(path.account_id)
    if before is None:
        raise no_account(path)
    if found.is_administrator:
        changed = change_account_row(path, lambda account: account.model_copy(update={"email": body.email}))
        tell_address(ports().post, changed.before.email, changed.after)
        return tagged(changed.after, changed.after.version)
    ports().quotas.take_mail(ports().quotas.asker(body.email))
    tell_asked(ports().post, before, body.email)
    return answer(ask_for_confirmation(before, body.email, sessions=found.version), 202)


def ask_for_confirmation(
    account: Account, email: str, *, password_hash: str | None = None, sessions: int | None = None
) -> SignUp:
    """Mail a code to the address, with which the account is made; or, asked in ``sessions``, gets this address.

    Others may have asked for codes to the same address. Its reader can't tell them apart, so each is good with the
    request that it was asked for with, which no mail has. Refused: invalid-input for a dead address.
    """
    code, request = (secrets.token_urlsafe(24) for _ in range(2))
    made = account if sessions is None else None
    ports().accounts.keep(Wish(_digest(code, request), account.id, email, made, password_hash, sessions or 0))
    about = AccountMail.SIGN_UP if made else AccountMail.NEW_ADDRESS
    ports().post(email, compose(about, account.locale, code=code))
    return SignUp(email=email, request=request)


@addresses.post(
    "/accounts/confirmations",
    summary="Confirm an address",
    responses=answers({201: Account}, *WITH_BODY, "unknown-code", "email-taken", "too-many-requests"),
)
def confirm_address(body: Confirmation) -> Response:
    """With the code from the mail: the account is made, or gets its new address. A code is good once, for a day.

    It is good with the `request` that it was asked for with. One of another request is refused and stays good there.

    Only here, to whoever reads the address's mails, it is told that the address has an account already.
    """
    account = confirmed(body)
    return tagged(account, account.version, 201, Location=f"{BASE}/accounts/{account.id}")


def confirmed(body: Confirmation) -> Account:
    """The account that the code makes or changes. Refused: unknown-code, email-taken, too-many-requests."""
    guesses, asker = ports().quotas.guesses, Asker(body.request, client())
    guesses.check(asker)
    granted = ports().accounts.grant(_digest(body.code, body.request), ports().clock())
    if granted is None:
        guesses.count(asker)
        raise Refused("unknown-code")
    if granted.old_email is not None:
        tell_address(ports().post, granted.old_email, granted.account)
    return granted.account


@addresses.put(
    "/accounts/<uuid:accountId>/password",
    summary="Change an account's password",
    responses=answers({204: None}, *WITH_BODY, "not-found", "too-many-requests", "passwords-busy"),
)
def change_password(path: AccountPath, body: PasswordChange) -> Response:
    """The account's sessions end, and with them a change of its address that waits for its code."""
    _secured(path, body.current_password)
    account = ports().accounts.get(path.account_id)
    if account is None:
        raise no_account(path)
    new = new_hash("/newPassword", body.new_password, account.first_name, account.last_name, account.email)
    if not ports().accounts.set_password(path.account_id, new):
        raise no_account(path)
    tell_password(ports().post, account)
    return Response(status=204)


def new_hash(pointer: str, password: str, *own_words: str) -> str:
    """The hash of a password that is chosen now. Refused: invalid-input if it is easy to guess, passwords-busy."""
    with ports().passwords.turn(client()) as hasher:
        if weakness := weakness_of(password, own_words):
            raise wrong(pointer, weakness)
        return hasher.hash(password)


def _secured(path: AccountPath, password: str | None) -> Caller:
    """Who asks: an administrator, or the account's owner with its present password. Refused: invalid-input."""
    found = require_to_act_for(path.account_id)
    if path.account_id == found.account:
        _check_password(path, password)
    return found


def _check_password(path: AccountPath, password: str | None) -> None:
    account = ports().accounts.get(path.account_id)
    known = ports().credentials.find(account.email) if account else None
    guesses = ports().quotas.guesses
    asker = Asker(address_key(account.email) if account else "", client(), is_known=True)  # by the token
    guesses.check(asker)
    with ports().passwords.turn(client()) as hasher:
        guesses.check(asker)
        if not hasher.fits(known.password_hash if known else None, password or ""):
            guesses.count(asker)
            raise wrong("/currentPassword", "is not the account's password")


class Changed(NamedTuple):
    """An account before and after a change."""

    before: Account
    after: Account


def change_account_row(path: AccountPath, decide: Callable[[Account], Account]) -> Changed:
    """Change an account as ``decide`` says. Refused: not-found, what ``decide`` refuses."""
    seen: list[Account] = []

    def decided(before: Account) -> Account:
        seen.append(before)
        return decide(before).model_copy(update={"updated_at": ports().clock()})

    after = ports().accounts.change(path.account_id, decided)
    if after is None:
        raise no_account(path)
    return Changed(seen[-1], after)


def no_account(path: AccountPath) -> Refused:
    """The refusal for an id that no account has."""
    return Refused("not-found", f"there is no account {path.account_id}")


def _digest(code: str, request: str) -> bytes:
    return sha256(f"{request}{code}".encode()).digest()
