"""The headers of every mail."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from tables.mail.message import new_mail, sender_of

AT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_mail_begins_with_one_of_each_header() -> None:
    made = new_mail(
        sender_of("Türnstile <a@büro.example>"), "ada@buyer.example", "Hi =?x", AT, "7", name="Ada\r\nBcc: x"
    )
    mail = message_from_bytes(made.as_bytes(), policy=policy.default)
    assert [(name, str(value)) for name, value in mail.items()] == [
        ("Message-ID", "<7@xn--bro-hoa.example>"),
        ("Date", "Wed, 02 Jan 2030 03:04:05 +0000"),
        ("From", "Türnstile <a@xn--bro-hoa.example>"),
        ("To", '"Ada Bcc: x" <ada@buyer.example>'),
        ("Subject", "Hi =?x"),
        ("Auto-Submitted", "auto-generated"),
    ]


@pytest.mark.parametrize("text", ["", "Turnstile", "Turnstile <a b@c.example>", "a@"])
def test_a_sender_has_an_address(text: str) -> None:
    with pytest.raises(ValueError, match="not exactly one"):
        sender_of(text)
