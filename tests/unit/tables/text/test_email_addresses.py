"""E-mail addresses have one normal form, so the account and the recipient of a mail are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.text.email_addresses import address_spellings, normal_address, smtp_address


@pytest.mark.parametrize(
    ("given", "kept", "sent"),
    [
        ("user@straße.example", "user@straße.example", "user@xn--strae-oqa.example"),
        ("user@strasse.example", "user@strasse.example", "user@strasse.example"),
        ("user@faß.example", "user@faß.example", "user@xn--fa-hia.example"),
        ("user@FAẞ.example", "user@faß.example", "user@xn--fa-hia.example"),
        ("user@XN--Strae-Oqa.Example", "user@straße.example", "user@xn--strae-oqa.example"),
        ("user@σίγμας.example", "user@σίγμας.example", "user@xn--kxaef0b5ab.example"),
        ("user@ΣΊΓΜΑΣ.example", "user@σίγμασ.example", "user@xn--kxaef0b6ae.example"),
        ("Ada@BÜYER.example", "Ada@büyer.example", "Ada@xn--byer-0ra.example"),
        ("u\u0308@bu\u0308yer.example", "ü@büyer.example", "ü@xn--byer-0ra.example"),
        ("user@ｂuyer．example", "user@buyer.example", "user@buyer.example"),
        ("Ada+tickets@Buyer.test", "Ada+tickets@buyer.test", "Ada+tickets@buyer.test"),
    ],
)
def test_an_address_has_one_form_to_be_kept_and_one_to_be_sent_to(given: str, kept: str, sent: str) -> None:
    assert normal_address(given) == kept
    assert smtp_address(kept) == sent
    assert normal_address(kept) == normal_address(sent) == kept


@pytest.mark.parametrize(
    "address", ["ada@stra\u200dße.example", "a\u200dda@buyer.example", "ada", "ada@", "ada@buyer", "a b@buyer.example"]
)
def test_what_is_no_address_or_has_letters_that_nobody_sees_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        normal_address(address)
    assert address_spellings(address) == (address, address)


@pytest.mark.parametrize("domain", ["x" * 64 + ".example", "..", "ß" * 64 + ".example", "a\u200d.ß"])
def test_a_domain_that_is_none_is_sent_no_mail(domain: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        smtp_address(f"ada@{domain}")


@pytest.mark.parametrize(
    "address",
    ["ada", "a@b@c.example", "a@b.example\r\nBcc: x", "a@b.example, c@d.example", "A <a@b.example>", "a@b\u202e"],
)
def test_what_is_not_exactly_one_address_is_sent_no_mail(address: str) -> None:
    with pytest.raises(ValueError, match="not exactly one"):
        smtp_address(address)


def test_a_row_that_is_older_than_the_form_is_sent_to_where_it_always_was() -> None:
    assert smtp_address("root@Mail.Local") == "root@mail.local"
    assert smtp_address("ada@BÜYER.example") == "ada@xn--byer-0ra.example"
    assert address_spellings("ada@xn--byer-0ra.example") == ("ada@xn--byer-0ra.example", "ada@büyer.example")


@given(st.text("aßẞsσςΣéİıΐ\u0301\u0308\u0345\u200c\u200dｘ-.ǅﬀ", min_size=1, max_size=20))
def test_whatever_is_kept_is_a_form_of_its_own(name: str) -> None:
    try:
        kept = normal_address(f"ada@{name}.example")
    except ValueError:
        return
    assert normal_address(kept) == normal_address(smtp_address(kept)) == kept
    assert smtp_address(kept).isascii()
