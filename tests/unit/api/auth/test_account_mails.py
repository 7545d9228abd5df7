"""Mails about accounts, in every language."""

import tomllib
from typing import Any

import pytest

from api.auth import account_mails
from api.auth.account_mails import LANGUAGES, AccountMail, compose, language_of
from api.roles import Role
from streams.mail.i18n import LANGUAGES as OTHER_MAILS

LINK = "https://tickets.example/links/x?link=a.b"


def words(language: str) -> dict[str, Any]:
    return tomllib.loads((account_mails._WORDS / f"{language}.toml").read_text())


@pytest.mark.parametrize("about", AccountMail)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mail_is_there_in_every_language(about: AccountMail, language: str) -> None:
    said, english = words(language)[about.value], words("en")[about.value]
    assert said.keys() == english.keys()
    mail = compose(about, language, link=LINK, code="ABCDE", email="new@buyer.example", roles=Role)
    assert (mail.subject, mail.language) == (said["subject"], language)
    assert (said["subject"] == english["subject"]) is (language == "en")
    for part in (mail.text, mail.html):
        assert {"ABCDE", LINK, said["note"]} <= {piece for piece in ("ABCDE", LINK, said["note"]) if piece in part}
        assert "{" not in part.replace("{{", "")


def test_the_languages_are_those_of_the_other_mails() -> None:
    assert set(LANGUAGES) == set(OTHER_MAILS)


@pytest.mark.parametrize(
    ("tag", "language"),
    [("de-AT", "de"), ("fr", "fr"), ("pt-BR", "en"), ("", "en"), ("xx-yy-zz", "en"), ("../x", "en")],
)
def test_the_nearest_language(tag: str, language: str) -> None:
    assert language_of(tag) == language


def test_of_several_languages_the_first_that_there_is() -> None:
    assert language_of("it", "fr-CA", "de") == "fr"
    assert language_of() == "en"


def test_a_mail_without_a_link_or_a_code_speaks_of_none() -> None:
    mail = compose(AccountMail.ADDRESS_ASKED, "en", email="new@buyer.example")
    assert "code" not in mail.text
    assert "<a " not in mail.html
    assert mail.text.startswith("Somebody, probably you, asked to change the address of your Turnstile account to: new")


def test_an_address_that_looks_like_something_else_is_shown_as_text() -> None:
    mail = compose(AccountMail.ADDRESS_ASKED, "en", email="\u202e<b>&{why}@x.example\r\nBcc: y")
    assert "account to: <b>&{why}@x.example  Bcc: y\n" in mail.text
    assert "&lt;b&gt;&amp;{why}@x.example" in mail.html
