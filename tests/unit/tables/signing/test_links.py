"""Signed links: only the signed text is accepted, for its kind and until its expiry."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.signing.links import SUBJECT_MAX_BYTES, LinkExpired, LinkInvalid, LinkKind, LinkSigner

KEY, OLDER_KEY = "k" * 32, "o" * 32
LINKS = LinkSigner([KEY, OLDER_KEY])
END = datetime(2030, 7, 1, 20, tzinfo=UTC)
BEFORE = END - timedelta(seconds=1)

kinds = st.sampled_from(LinkKind)
subjects = st.binary(max_size=SUBJECT_MAX_BYTES)


@given(kinds, subjects)
def test_a_link_gives_its_subject_until_its_end(kind: LinkKind, subject: bytes) -> None:
    text = LINKS.sign(kind, subject, END)
    assert LINKS.verify(kind, text, BEFORE) == subject
    assert len(text) <= 400
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@given(kinds, subjects, st.timedeltas(min_value=timedelta(), max_value=timedelta(days=10_000)))
def test_from_its_end_on_it_has_expired_and_still_says_what_it_was_for(
    kind: LinkKind, subject: bytes, later: timedelta
) -> None:
    with pytest.raises(LinkExpired) as told:
        LINKS.verify(kind, LINKS.sign(kind, subject, END), END + later)
    assert told.value.subject == subject


@given(kinds, kinds, subjects)
def test_it_is_good_for_no_other_kind(kind: LinkKind, other: LinkKind, subject: bytes) -> None:
    text = LINKS.sign(kind, subject, END)
    if other is not kind:
        with pytest.raises(LinkInvalid):
            LINKS.verify(other, text, BEFORE)


@given(subjects, st.data())
def test_any_changed_character_makes_it_no_link(subject: bytes, data: st.DataObject) -> None:
    text = LINKS.sign(LinkKind.SEE_PURCHASE, subject, END)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters().filter(lambda letter: letter != text[place]))
    with pytest.raises(LinkInvalid):
        LINKS.verify(LinkKind.SEE_PURCHASE, text[:place] + other + text[place + 1 :], BEFORE)


@given(subjects, st.data())
def test_what_is_cut_or_longer_is_no_link(subject: bytes, data: st.DataObject) -> None:
    text = LINKS.sign(LinkKind.SEE_PURCHASE, subject, END)
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    longer = text + data.draw(st.text(min_size=1))
    for changed in (cut, longer):
        with pytest.raises(LinkInvalid):
            LINKS.verify(LinkKind.SEE_PURCHASE, changed, BEFORE)


@given(st.text())
def test_no_other_text_is_a_link(text: str) -> None:
    with pytest.raises(LinkInvalid, match="not one of our links"):
        LINKS.verify(LinkKind.SEE_PURCHASE, text, BEFORE)


def test_a_link_of_the_key_before_is_good_and_one_of_a_foreign_key_is_not() -> None:
    kind = LinkKind.FINISH_HOLD
    assert LINKS.verify(kind, LinkSigner([OLDER_KEY]).sign(kind, b"hold", END), BEFORE) == b"hold"
    with pytest.raises(LinkInvalid):
        LINKS.verify(kind, LinkSigner(["x" * 32]).sign(kind, b"hold", END), BEFORE)
    with pytest.raises(LinkInvalid):
        LinkSigner([OLDER_KEY]).verify(kind, LINKS.sign(kind, b"hold", END), BEFORE)


def test_links_need_a_key_and_a_short_subject() -> None:
    with pytest.raises(ValueError, match="no key"):
        LinkSigner([])
    with pytest.raises(ValueError, match="257 bytes; it may have 256"):
        LINKS.sign(LinkKind.FINISH_HOLD, b"x" * (SUBJECT_MAX_BYTES + 1), END)
