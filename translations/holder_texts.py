"""What holders are told of their tickets: the same words on pages, in mails and in calendar files."""

from typing import Final

from translations.catalogues import catalogue

DOMAIN: Final = "holders"


def returned_text(language: str, returned: int, left: int) -> str:
    """That so many tickets of a purchase were given back, and so many are left."""
    text = catalogue(language, DOMAIN).ngettext(
        "{returned} of {bought} tickets returned", "{returned} of {bought} tickets returned", returned
    )
    return text.format(returned=returned, bought=returned + left)


def postponed_text(language: str) -> str:
    """That an event is postponed, and what becomes of its tickets."""
    return catalogue(language, DOMAIN).gettext(
        "This event is postponed. Its date may no longer apply; we will e-mail you the new one. "
        "Your tickets stay valid."
    )


def calendar_notes(language: str, *, returned: int, left: int, is_postponed: bool) -> list[str]:
    """What the entry of a purchase says besides time and place."""
    notes = [returned_text(language, returned, left) + "."] if returned else []
    return [*notes, postponed_text(language)] if is_postponed else notes
