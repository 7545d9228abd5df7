"""The organizer's forms for a seating plan: a section from its fields, a whole plan from a file, changes of seats."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
from pydantic import ValidationError

from api.organizing.plan_edits import SeatChange, removed, with_category, with_kind, with_view
from api.organizing.seating import Section, sections_of
from api.organizing.seating_generator import general_section, seated_section
from api.pages.field_texts import INVALID, MISSING, WHOLE_NUMBER, Unreadable, error_text
from api.pages.forms import Reader, UnreadableForm, read_form, whole_number
from api.pages.language import LazyText, gettext, lazy_gettext
from api.problems import Refused
from api.schemas.base import errors_of
from api.schemas.seating import SECTION_PATTERN, GeneralSection, GeneratedSection, NewSeating

# How many errors of a file are shown.
ERRORS_SHOWN_MAX: Final = 10
SECTION_NAME: Final = lazy_gettext("Up to 16 letters or digits, without blanks, commas and hyphens.")
# What can be made of the chosen seats, besides another ticket type.
SEAT_CHANGES: Final[Mapping[str, tuple[LazyText, SeatChange]]] = {
    "standard": (lazy_gettext("standard seats"), with_kind("standard")),
    "wheelchair": (lazy_gettext("places for wheelchairs"), with_kind("wheelchair")),
    "companion": (lazy_gettext("companions’ seats"), with_kind("companion")),
    "obstructed": (lazy_gettext("seats with an obstructed view"), with_view(is_obstructed=True)),
    "clear": (lazy_gettext("seats with a clear view"), with_view(is_obstructed=False)),
    "remove": (lazy_gettext("nothing: remove them"), removed),
}
# By the name of a list in the body of a plan: an item of it.
_PLACES: Final[Mapping[str, LazyText]] = {
    "sections": lazy_gettext("section %(name)s"),
    "rows": lazy_gettext("row %(name)s"),
    "seats": lazy_gettext("seat %(name)s"),
}
_NAME: Final = re.compile(SECTION_PATTERN)
_BYTE: Final = re.compile(r"\(byte (\d+)\)")

Fields = Mapping[str, str]


class UnreadablePlan(Refused):
    """A file that is no plan: ``texts`` say why."""

    def __init__(self, *texts: str) -> None:
        super().__init__("invalid-input")
        self.texts = texts


def typed_section(sent: Fields) -> Section:
    """The section of a filled-in form; without rows and seats, one of general admission.

    Refused: invalid-input, with a text for each wrong field.
    """
    if not any(sent.get(name, "").strip() for name in ("rows", "seatsPerRow")):
        return general_section(read_form(GeneralSection, _FIELDS, ("name", "title", "category"), sent))
    return seated_section(read_form(GeneratedSection, _FIELDS, _FIELDS, sent))


def typed_drawing(sent: Fields) -> GeneralSection:
    """The name of a drawn section, and the ticket type for a new one. Refused: invalid-input, with a text by field."""
    try:
        return read_form(GeneralSection, _DRAWN_FIELDS, _DRAWN_FIELDS, sent)
    except UnreadableForm as error:
        raise UnreadableForm({_DRAWN.get(name, name): text for name, text in error.texts.items()}) from error


def read_plan(content: bytes) -> list[Section]:
    """The sections of a JSON file. Raises UnreadablePlan."""
    try:
        given = msgspec.json.decode(content)
        body = NewSeating.model_validate(given)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise UnreadablePlan(_syntax_text(content, str(error))) from error
    except ValidationError as error:
        raise UnreadablePlan(*(_place_text(given, item) for item in errors_of(error)[:ERRORS_SHOWN_MAX])) from error
    return sections_of(body)


def seat_change(asked: str, section: Section) -> SeatChange:
    """The change that a form asks for: a key of SEAT_CHANGES, or a ticket type's id. Refused: invalid-input."""
    if asked in SEAT_CHANGES:
        return SEAT_CHANGES[asked][1]
    try:
        return with_category(UUID(asked), section)
    except ValueError as error:
        raise Refused("invalid-input") from error


def _syntax_text(content: bytes, message: str) -> str:
    place = _BYTE.search(message)
    if place is None:
        return gettext("This file is not JSON.")
    return gettext("This file is not JSON: please check line %(line)s.") % {
        "line": content[: int(place[1])].count(b"\n") + 1
    }


def _place_text(given: Any, item: Any) -> str:
    """Where something is wrong, by the names of section, row and seat, and what."""
    places = list(_named_places(given, item["loc"]))
    text = gettext("This field is not known.") if item["type"] == "extra_forbidden" else error_text(item)
    return f"{', '.join(places)}: {text}" if places else text


def _named_places(given: Any, path: tuple[int | str, ...]) -> Iterator[str]:
    """The parts of a path in words: sections, rows and seats by name, else by number; the field as it is."""
    parts = iter(path)
    for part in parts:
        given = _at(given, part)
        words = _PLACES.get(str(part))
        number = next(parts, None) if words else None
        if words is None or not isinstance(number, int):
            yield str(part)
            continue
        given = _at(given, number)
        named = given if isinstance(given, dict) else {}
        name = named.get("name") or named.get("label")
        yield str(words) % {"name": name[:16] if isinstance(name, str) and name else str(number + 1)}


def _at(given: Any, part: int | str) -> Any:
    try:
        return given[part]
    except (KeyError, IndexError, TypeError):
        return None


def _section_name(field: str) -> Reader:
    def read(sent: Fields) -> str:
        name = sent.get(field, "").strip()
        if not name:
            raise Unreadable(MISSING)
        if not _NAME.search(name):
            raise Unreadable(SECTION_NAME)
        return name

    return read


def _count(name: str) -> Reader:
    def read(sent: Fields) -> int:
        number = whole_number(name)(sent)
        if number is None:
            raise Unreadable(MISSING)
        return int(number)

    return read


def _aisles(sent: Fields) -> list[int]:
    numbers = sent.get("aislesAfter", "").replace(",", " ").replace(";", " ").split()
    if not all(number.isascii() and number.isdecimal() and len(number) < len("1000") for number in numbers):
        raise Unreadable(WHOLE_NUMBER)
    return [int(number) for number in numbers]


def _choice(name: str, usual: str) -> Reader:
    return lambda sent: sent.get(name) or usual


def _category(field: str) -> Reader:
    def read(sent: Fields) -> UUID:
        try:
            return UUID(sent.get(field, ""))
        except ValueError as error:
            raise Unreadable(INVALID) from error

    return read


_FIELDS: Final[dict[str, Reader]] = {
    "name": _section_name("name"),
    "title": lambda sent: sent.get("title", "").strip() or None,
    "category": _category("category"),
    "rows": _count("rows"),
    "seatsPerRow": _count("seatsPerRow"),
    "aislesAfter": _aisles,
    "numbering": _choice("numbering", "all"),
    "numberedFrom": _choice("numberedFrom", "left"),
    "rowsBy": _choice("rowsBy", "letters"),
    "wheelchairs": lambda sent: whole_number("wheelchairs")(sent) or 0,
}
_DRAWN: Final = {"name": "drawnName", "category": "drawnCategory"}
_DRAWN_FIELDS: Final[dict[str, Reader]] = {
    "name": _section_name(_DRAWN["name"]),
    "category": _category(_DRAWN["category"]),
}
