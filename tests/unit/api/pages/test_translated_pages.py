"""A walk over all pages: no text of theirs is left in English, whether it has no translation or was never marked."""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from gettext import NullTranslations
from typing import Final

import pytest
from werkzeug.test import TestResponse

from api.pages import board_texts, language
from api.ports.sales import Reached
from connect.topics import CONSUMERS
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus
from tests.documents import Document
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.pages.reader import Reader
from tests.unit.api.pages.test_hostile_texts import Stage
from translations import holder_texts
from translations.catalogues import TRANSLATED, read_catalogue

DATA: Final = "Winterreise"
# Names, which are the same in every language, and what English writes in times and amounts.
NAMES: Final = frozenset(
    {"Turnstile", "API", DATA, "EUR", "Vienna", "x", "eve", "buyer", "example", "org", "Ada", "Lovelace", "ada"}
    | {word for name in CONSUMERS for word in name.split("-")}
    | {"Kafka", "PostgreSQL", "Debezium", "Elasticsearch", "SMTP", "ms", "s"}
    | {name for names in language.NAMES.values() for name in names.split()}
)
TIMES: Final = re.compile(
    r"(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)(day)?|Wed|Thu|Tue|Sat|"
    r"January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|UTC"
)
WORD: Final = re.compile(r"[^\W\d_]+")
SHOWN_ATTRIBUTES: Final = frozenset({"aria-label", "placeholder", "title", "alt"})
# Values that are no text for people, and the page for programmers that keeps its English name.
HIDDEN_TAGS: Final = frozenset({"bdi", "option", "style", "script"})
MARKED: Final = re.compile("⟦[^⟦⟧]*⟧")
ENDS: Final = [
    ("expired", None),
    ("expired", Reason.HOLD_ENDED),
    ("expired", Reason.EVENT_CANCELED),
    ("cancelled", None),
    ("refunded", None),
    ("refunded", Reason.EVENT_CANCELED),
    ("rejected", Reason.SOLD_OUT),
    ("held", None),
    ("confirmed", None),
]


class Marked(NullTranslations):
    """A language that writes each text between brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def pgettext(self, context: str, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


def make_stage() -> Stage:
    made = Stage()
    made.type(DATA)
    made.world.attendance.reach = Reached(2, 3)
    return made


# All languages share one, with its caches.
stage: Final = cache(make_stage)


def pages(on: Stage, accepted: str) -> Iterator[tuple[str, str]]:
    """All pages for people, by a name, as a browser of that language gets them."""
    for name, answer in (*_forms(on, accepted), *_own_pages(on, accepted), *_purchases(on, accepted)):
        if answer.status_code != 303:
            yield name, answer.get_data(as_text=True)


def _forms(on: Stage, accepted: str) -> Iterator[tuple[str, TestResponse]]:
    visitor = Reader(on.world)
    paths = ("/sign-in", "/sign-up", "/confirm", "/confirm?email=x", "/forgotten-password", "/forgotten-password?sent=")
    for path in (*paths, "/sign-in?changed=", "/nowhere", "/links/hold?link=x", "/links/confirm?link=x", "/?cursor=x"):
        yield path, visitor.get(path, **{"Accept-Language": accepted})
    for path in ("/sign-in", "/sign-up", "/forgotten-password", "/confirm"):
        visitor.get(path)
        yield f"{path}, refused", visitor.send(path, {"email": "eve"}, **{"Accept-Language": accepted})


def _own_pages(on: Stage, accepted: str) -> Iterator[tuple[str, TestResponse]]:
    reader, event = on.reader, on.listing.event
    paths = dict(on.paths(DATA))
    edit = f"/organize/events/{event.id}"
    paths |= {
        "new": "/organize/new",
        "new type": f"{edit}/types/new",
        "refused": f"/events/{event.id}?refused=sold-out",
    }
    paths |= {status: f"{edit}/status/{status}" for status in EventStatus if status is not EventStatus.DRAFT}
    for name, path in paths.items():
        yield name, reader.get(path, **{"Accept-Language": accepted})
    for path in ("/organize/new", f"{edit}/types/new"):
        reader.get(path)
        wrong = {"endsAt": "never", "capacity": "x", "price": "x"}
        yield f"{path}, refused", reader.send(path, wrong, **{"Accept-Language": accepted})


def _purchases(on: Stage, accepted: str) -> Iterator[tuple[str, TestResponse]]:
    world, ids = on.world, on.ids
    bought, path = world.sales.rows[ids], on.paths(DATA)["purchase"]
    for status, reason in ENDS:
        changed = {"status": status, "reason": reason, "deadline": NOW + timedelta(minutes=5)}
        world.sales.rows[ids] = bought.model_copy(update=changed)
        for each in (path, "/tickets", f"{path}/cancel"):
            yield f"{each} {status} {reason}", on.reader.get(each, **{"Accept-Language": accepted})
    world.sales.rows[ids] = bought


def shown(page: str) -> Iterator[str]:
    """The texts that people read or hear."""
    for place in Document(page).places:
        if place.attribute in SHOWN_ATTRIBUTES or (not place.attribute and place.tag not in HIDDEN_TAGS):
            yield " ".join(place.value.split())


def unmarked(page: str) -> set[str]:
    """The words of a page that are neither texts of the catalogue nor data."""
    before = None
    while before != page:
        before, page = page, MARKED.sub(" ", page)
    words = {word for text in shown(page) for word in WORD.findall(TIMES.sub(" ", text))}
    return words - NAMES


def english(page: str, texts: re.Pattern[str]) -> set[str]:
    """The texts of a page that its catalogue has a translation for."""
    return {text for text in shown(page) if texts.fullmatch(text)}


@cache
def sources(tongue: str) -> re.Pattern[str]:
    """The English texts that read otherwise in that language."""
    found = []
    for message in read_catalogue(tongue, language.DOMAIN):
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        found += [text for text in ids if text and text not in strings and WORD.search(re.sub(r"%\(\w+\)s", "", text))]
    plain = sorted(set(found))
    return re.compile("|".join(re.sub(r"%\\\(\w+\\\)s", ".+", re.escape(text)) for text in plain if "<" not in text))


def test_every_text_of_every_page_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (language, holder_texts, board_texts):
        monkeypatch.setattr(module, "catalogue", lambda *_: Marked())
    left = {name: words for name, page in pages(make_stage(), "en") if (words := unmarked(page))}
    assert left == {}


@pytest.mark.parametrize("tongue", TRANSLATED)
def test_no_page_has_an_english_text_left(tongue: str) -> None:
    walked = list(pages(stage(), tongue))
    assert len(walked) >= 60
    assert all(f'<html lang="{tongue}">' in page for name, page in walked if name != "left")
    left = {name: texts for name, page in walked if (texts := english(page, sources(tongue)))}
    assert left == {}


def test_a_text_that_is_not_marked_is_found() -> None:
    assert unmarked('<p aria-label="Save">⟦one ⟦Fri⟧⟧ <a>17 May</a> Winterreise</p>') == {"Save"}
    assert english("<p>Sign in</p><p>Anmelden</p>", sources("de")) == {"Sign in"}
