"""The mails about an account, in its language: what its owner has to confirm, and what was changed.

They contain no name that a user typed, since they go to addresses that nobody has confirmed yet.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api.auth.account_mail_texts import AccountMail, account_mail_text, role_name
from api.roles import Role
from tables.text.sanitize import sanitize
from translations.catalogues import catalogue, language_of

DOMAIN: Final = "account_mails"
FOLDER: Final = Path(__file__).parent / "mail_templates"


class ComposedMail(NamedTuple):
    """A mail as text and HTML, in a language (BCP 47)."""

    subject: str
    text: str
    html: str
    language: str


def compose(
    about: AccountMail, locale: str, *, link: str = "", code: str = "", email: str = "", roles: Sequence[Role] = ()
) -> ComposedMail:
    """The mail, with a button for the ``link`` and with the ``code``, if they are given."""
    language = language_of(locale)
    into = catalogue(language, DOMAIN)
    said = account_mail_text(about, into, len(roles))
    values = {
        "language": language,
        "subject": said.subject,
        "message": said.message.format(email=sanitize(email), roles=", ".join(role_name(role, into) for role in roles)),
        "link": link,
        "action": said.action,
        "code": code,
        "code_label": into.gettext("Or enter this code where you asked for it:"),
        "note": said.note,
        "why": into.gettext("You receive this e-mail because somebody entered this address at Turnstile."),
    }
    text, html = (_templates().get_template(name).render(values) for name in ("mail.txt", "mail.html"))
    return ComposedMail(said.subject, text, html, language)


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
