"""Mails about accounts, in every language."""

import pytest

from api.auth.account_mail_texts import AccountMail, account_mail_text
from api.auth.account_mails import DOMAIN, compose
from api.roles import Role
from translations.catalogues import LANGUAGES, catalogue

LINK = "https://tickets.example/links/x?link=a.b"


@pytest.mark.parametrize("about", AccountMail)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mail_is_there_in_every_language(about: AccountMail, language: str) -> None:
    said, english = (account_mail_text(about, catalogue(tag, DOMAIN), len(Role)) for tag in (language, "en"))
    mail = compose(about, language, link=LINK, code="ABCDE", email="new@buyer.example", roles=list(Role))
    assert (mail.subject, mail.language) == (said.subject, language)
    assert not set(said) & set(english) - {""} or language == "en"
    for part in (mail.text, mail.html):
        assert all(piece in part for piece in (said.message.partition("{")[0], said.note, said.action, "ABCDE", LINK))
        assert "{" not in part


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("about", AccountMail)
def test_an_address_stays_text_in_every_mail(about: AccountMail, language: str) -> None:
    typed = "{why}<b>&%(x)s@x.example"
    mail = compose(about, language, email=typed)
    assert (typed in mail.text) is ("{email}" in account_mail_text(about, catalogue(language, DOMAIN)).message)
    assert "<b>" not in mail.html


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ([Role.BUYER], "Twoje konto Turnstile ma teraz tę rolę: kupujący\n"),
        ([Role.BUYER, Role.ORGANIZER], "Twoje konto Turnstile ma teraz te role: kupujący, organizator\n"),
    ],
)
def test_a_mail_speaks_of_one_role_or_of_several(roles: list[Role], said: str) -> None:
    assert said in compose(AccountMail.ROLES_CHANGED, "pl-PL", roles=roles).text


def test_a_mail_without_a_link_or_a_code_speaks_of_none() -> None:
    mail = compose(AccountMail.ADDRESS_ASKED, "en", email="new@buyer.example")
    assert "code" not in mail.text
    assert "<a " not in mail.html
    assert mail.text.startswith("Somebody, probably you, asked to change the address of your Turnstile account to: new")


def test_an_address_that_looks_like_something_else_is_shown_as_text() -> None:
    mail = compose(AccountMail.ADDRESS_ASKED, "en", email="\u202e<b>&{why}@x.example\r\nBcc: y")
    assert "account to: <b>&{why}@x.example  Bcc: y\n" in mail.text
    assert "&lt;b&gt;&amp;{why}@x.example" in mail.html
