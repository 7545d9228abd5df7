"""The mails about an account, in its language: what its owner has to confirm, and what was changed.

They contain no name that a user typed, since they go to addresses that nobody has confirmed yet.
"""

import tomllib
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from babel import Locale, UnknownLocaleError
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from tables.text.sanitize import sanitize

_HERE: Final = Path(__file__).parent
_WORDS: Final = _HERE / "mail_words"
LANGUAGES: Final = tuple(sorted(path.stem for path in _WORDS.glob("*.toml")))
FALLBACK: Final = "en"


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


class ComposedMail(NamedTuple):
    """A mail as text and HTML, in a language (BCP 47)."""

    subject: str
    text: str
    html: str
    language: str


def language_of(*tags: str) -> str:
    """The language of the first tag that there are mails in."""
    return next(filter(LANGUAGES.__contains__, map(_language, tags)), FALLBACK)


def _language(tag: str) -> str:
    try:
        return str(Locale.parse(tag, sep="-").language)
    except (ValueError, UnknownLocaleError):
        return ""


def compose(
    about: AccountMail, locale: str, *, link: str = "", code: str = "", email: str = "", roles: Iterable[str] = ()
) -> ComposedMail:
    """The mail, with a button for the ``link`` and with the ``code``, if they are given."""
    words = _words(language_of(locale))
    texts = words[about.value]
    values: dict[str, str] = {
        "language": language_of(locale),
        "subject": texts["subject"],
        "message": texts["message"].format(
            email=sanitize(email), roles=", ".join(words["roles"][role] for role in roles)
        ),
        "link": link,
        "action": texts.get("action", ""),
        "code": code,
        "code_label": words["code"],
        "note": texts["note"],
        "why": words["why"],
    }
    text, html = (_templates().get_template(name).render(values) for name in ("mail.txt", "mail.html"))
    return ComposedMail(values["subject"], text, html, values["language"])


@cache
def _words(language: str) -> dict[str, Any]:
    return tomllib.loads((_WORDS / f"{language}.toml").read_text(encoding="utf-8"))


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "mail_templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
