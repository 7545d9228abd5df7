"""What each mail about an account says, translated. ``{email}`` and ``{roles}`` stay for the values."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from gettext import NullTranslations
from typing import Final, NamedTuple

from api.roles import Role


class AccountMail(StrEnum):
    """What a mail is about."""

    SIGN_UP = "sign-up"
    NEW_ADDRESS = "new-address"
    ADDRESS_ASKED = "address-asked"
    ADDRESS_CHANGED = "address-changed"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 (the name of a mail)
    ROLES_CHANGED = "roles-changed"
    PASSWORD_RESET = "password-reset"  # noqa: S105 (the name of a mail)
    NO_ACCOUNT = "no-account"


class AccountMailText(NamedTuple):
    """The texts that differ from mail to mail; ``action`` is that of the button, if there is one."""

    subject: str
    message: str
    note: str
    action: str = ""


def account_mail_text(about: AccountMail, into: NullTranslations, roles: int = 0) -> AccountMailText:
    """The texts of a mail; the one about roles depends on their number."""
    return _roles_changed(into, roles) if about is AccountMail.ROLES_CHANGED else _TEXTS[about](into)


def role_name(role: Role, into: NullTranslations) -> str:
    """A role as its owner knows it."""
    return _ROLES[role](into)


_ROLES: Final[Mapping[Role, Callable[[NullTranslations], str]]] = {
    Role.BUYER: lambda into: into.gettext("buyer"),
    Role.ORGANIZER: lambda into: into.gettext("organizer"),
    Role.ADMINISTRATOR: lambda into: into.gettext("administrator"),
}


def _confirm_note(into: NullTranslations) -> str:
    return into.gettext(
        "The link and the code are valid for 24 hours. If this was not you, ignore this e-mail: nothing happens "
        "without confirmation."
    )


def _set_password(into: NullTranslations) -> str:
    return into.pgettext("button", "Set a new password")


def _roles_changed(into: NullTranslations, count: int) -> AccountMailText:
    return AccountMailText(
        into.gettext("Your roles were changed"),
        into.ngettext(
            "Your Turnstile account now has this role: {roles}",
            "Your Turnstile account now has these roles: {roles}",
            count,
        ),
        into.gettext(
            "You have been signed out everywhere; please sign in again. If you did not expect this, contact the "
            "operator of Turnstile."
        ),
    )


_TEXTS: Final[Mapping[AccountMail, Callable[[NullTranslations], AccountMailText]]] = {
    AccountMail.SIGN_UP: lambda into: AccountMailText(
        into.gettext("Confirm your address"),
        into.gettext(
            "Somebody, probably you, signed up at Turnstile with this address. Confirm it to create your account."
        ),
        _confirm_note(into),
        into.pgettext("button", "Confirm address"),
    ),
    AccountMail.NEW_ADDRESS: lambda into: AccountMailText(
        into.gettext("Confirm your new address"),
        into.gettext("Somebody, probably you, asked to use this address for a Turnstile account."),
        _confirm_note(into),
        into.pgettext("button", "Confirm address"),
    ),
    AccountMail.ADDRESS_ASKED: lambda into: AccountMailText(
        into.gettext("Request to change your account’s address"),
        into.gettext("Somebody, probably you, asked to change the address of your Turnstile account to: {email}"),
        into.gettext(
            "The address changes as soon as it is confirmed. If this was not you, somebody knows your password: set a "
            "new one now. This signs you out everywhere and cancels the request."
        ),
        _set_password(into),
    ),
    AccountMail.ADDRESS_CHANGED: lambda into: AccountMailText(
        into.gettext("Your account’s address was changed"),
        into.gettext("The address of your Turnstile account is now: {email}"),
        into.gettext(
            "From now on we send e-mails there, and you sign in with that address. If this was not you, contact the "
            "operator of Turnstile."
        ),
    ),
    AccountMail.PASSWORD_CHANGED: lambda into: AccountMailText(
        into.gettext("Your password was changed"),
        into.gettext("Your Turnstile account has a new password. You have been signed out everywhere."),
        into.gettext("If this was not you, set a new password now."),
        _set_password(into),
    ),
    AccountMail.PASSWORD_RESET: lambda into: AccountMailText(
        into.gettext("Set a new password"),
        into.gettext("Somebody, probably you, asked for a new password for your Turnstile account."),
        into.gettext(
            "The link is valid for one hour and works once. If this was not you, ignore this e-mail: your password "
            "stays the same."
        ),
        _set_password(into),
    ),
    AccountMail.NO_ACCOUNT: lambda into: AccountMailText(
        into.gettext("Set a new password"),
        into.gettext(
            "Somebody, probably you, asked for a new password, but there is no Turnstile account with this address."
        ),
        into.gettext("Perhaps you signed up with another address. If this was not you, ignore this e-mail."),
        into.pgettext("button", "Sign up"),
    ),
}
