"""Mails about changes of an account, to the address that it had before: somebody else may have made them."""

import logging
from contextlib import suppress

from api.accounts.links import forgotten_address
from api.auth.account_mail_texts import AccountMail
from api.auth.account_mails import ComposedMail, compose
from api.ports.mail import AccountMailer
from api.problems import Refused, Unavailable
from api.schemas.account import Account

log = logging.getLogger(__name__)


def tell_asked(mailer: AccountMailer, before: Account, email: str) -> None:
    """That a new address was requested. A dead old address stops no change. Raises Unavailable."""
    with suppress(Refused):
        mailer(
            before.email,
            compose(AccountMail.ADDRESS_ASKED, before.locale, email=email, link=forgotten_address(before.locale)),
        )


def tell_address(mailer: AccountMailer, old: str, account: Account) -> None:
    """That the account has a new address, to the ``old`` one."""
    _tell(mailer, old, compose(AccountMail.ADDRESS_CHANGED, account.locale, email=account.email))


def tell_password(mailer: AccountMailer, account: Account) -> None:
    """That the account has a new password."""
    _tell(
        mailer,
        account.email,
        compose(AccountMail.PASSWORD_CHANGED, account.locale, link=forgotten_address(account.locale)),
    )


def tell_roles(mailer: AccountMailer, account: Account) -> None:
    """That the account has these roles now."""
    _tell(mailer, account.email, compose(AccountMail.ROLES_CHANGED, account.locale, roles=account.roles))


def _tell(mailer: AccountMailer, address: str, mail: ComposedMail) -> None:
    """The change is made already, so a mail that can't be sent is only logged."""
    try:
        mailer(address, mail)
    except (Refused, Unavailable):
        log.warning("a mail about a change of an account could not be sent")
