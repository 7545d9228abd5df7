"""Resets a forgotten password by a mailed link, which is valid once and for an hour.

A request does the same for every address: it stores a row and sends a mail, also to an address without an account. So
neither the answer nor its time tells whether there is an account.
"""

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Final

from api.accounts.links import account_link, sign_up_address
from api.accounts.notices import tell_password
from api.accounts.passwords import new_hash
from api.auth.account_mail_texts import AccountMail
from api.auth.account_mails import ComposedMail, compose
from api.ports.accounts import PasswordReset
from api.ports.ports import ports
from api.problems import Refused
from api.schemas.account import Account
from tables.signing.links import LinkExpired, LinkInvalid, LinkKind
from tables.text.email_addresses import address_spellings

VALID_FOR: Final = timedelta(hours=1)
_SECRET_BYTES: Final = 32


def ask_for_reset(email: str, language: str, device: str | None = None) -> None:
    """Mail a link to the address, whether it has an account or not; without one, in that ``language``.

    Refused: too-many-requests; invalid-input for an address that the mail server refuses.
    """
    asker = ports().rate_limits.asker(email, device)
    ports().rate_limits.take("sign_up")
    ports().rate_limits.take_mail(asker)
    account = ports().accounts.find(email)
    secret = secrets.token_bytes(_SECRET_BYTES)
    whose, address = (account.id, account.email) if account else (ports().new_id(), address_spellings(email)[1])
    ports().password_resets.keep(PasswordReset(_digest(secret), whose, address))
    ports().mailer(address, _mail(account, secret, language))


def account_to_reset(link: str) -> Account:
    """The account of the link, which stays valid. Refused: unknown-code, too-many-requests."""
    account = ports().password_resets.find(_digest(_secret(link)))
    if account is None:
        raise Refused("unknown-code")
    return account


def reset_password(link: str, pointer: str, password: str) -> Account:
    """Set the password of the link's account, end its sessions and mail it.

    Refused: unknown-code, too-many-requests, passwords-busy; invalid-input at ``pointer`` for a weak password.
    """
    account = account_to_reset(link)
    new = new_hash(pointer, password, account.email, account.first_name, account.last_name)
    changed = ports().password_resets.grant(_digest(_secret(link)), new)
    if changed is None:
        raise Refused("unknown-code")
    _unlock(changed.email)
    tell_password(ports().mailer, changed)
    return changed


def _unlock(email: str) -> None:
    """Let this client sign in, though others guess and though it mistyped before: it reads the account's mails."""
    rate_limits = ports().rate_limits
    asker = rate_limits.asker(email)
    rate_limits.guesses.forget(asker)
    rate_limits.known.remember(asker)


def _mail(account: Account | None, secret: bytes, language: str) -> ComposedMail:
    if account is None:
        return compose(AccountMail.NO_ACCOUNT, language, link=sign_up_address(language))
    link = account_link(LinkKind.RESET_PASSWORD, secret, ports().clock() + VALID_FOR, account.locale)
    return compose(AccountMail.PASSWORD_RESET, account.locale, link=link)


def _secret(link: str) -> bytes:
    try:
        return ports().links.verify(LinkKind.RESET_PASSWORD, link, ports().clock())
    except (LinkInvalid, LinkExpired) as error:
        ports().rate_limits.take("link")
        raise Refused("unknown-code") from error


def _digest(secret: bytes) -> bytes:
    return sha256(secret).digest()
