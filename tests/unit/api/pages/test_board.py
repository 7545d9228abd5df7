"""The board's page and its stream, on a feed that does not change."""

import re
from html import unescape
from uuid import uuid4

import pytest

from api.board.board_text import NOTHING, board_text, counted_text
from api.board.components import unknown_components
from api.board.invariants import invariants
from api.board.pipeline_state import PipelineState
from api.board.rates import DecisionRates
from api.board.snapshot import (
    BoardSnapshot,
    Component,
    ComponentHealth,
    EventShown,
    Invariant,
    InvariantVerdict,
    TypeShown,
)
from api.board.stock_bounds import StockBounds
from api.pages.board_texts import said_in
from api.roles import Role
from connect.topics import CONSUMERS
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import Reader, make_account


@pytest.fixture
def watcher(world: World) -> Reader:
    """An administrator who is signed in."""
    account = make_account(world, Role.ADMINISTRATOR)
    token, _ = world.tokens.issue(account, frozenset({Role.BUYER, Role.ADMINISTRATOR}))
    reader = Reader(world)
    reader.client.set_cookie("turnstile", token)
    return reader


def snapshot(title: str = "Winterreise") -> BoardSnapshot:
    kind = TypeShown(uuid4(), "Stalls", 100, 15, 60, 25)
    return BoardSnapshot(
        NOW,
        DecisionRates().report(NOW.timestamp()),
        (EventShown(uuid4(), title, board_text("few left"), 3, (kind,)),),
        (
            Component(
                "ledger",
                board_text("Ledger"),
                ComponentHealth.BEHIND,
                12.5,
                board_text("{number} waiting", number=4_200),
                counted_text("{number} worker", "{number} workers", 1),
            ),
        ),
        (
            Invariant(
                "stock",
                board_text("No ticket is sold twice: 0 ≤ held + sold ≤ quantity"),
                InvariantVerdict.BROKEN,
                board_text("{documents} of {rows} events are found", documents=11, rows=1_000),
            ),
        ),
        {"mailer": 7},
    )


def test_the_page_shows_everything_without_script(world: World, watcher: Reader) -> None:
    world.board.now = snapshot()
    assert watcher.get("/board").status_code == 200
    for text in (
        "Winterreise",
        "Stalls",
        "few left",
        "behind",
        "12.5/s",
        "4,200 waiting",
        "broken",
        "11 of 1,000",
        "mailer",
    ):
        assert text in watcher.page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in watcher.page


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("de", ("nur noch wenige", "im Rückstand", "12,5/s", "4.200 warten", "11 von 1.000", "Entscheidet Befehle.")),
        ("pl", ("zostało niewiele", "opóźnione", "12,5/s", "1 worker", "Rozstrzyga polecenia.", "Gwarancje")),
    ],
)
def test_page_and_stream_are_in_the_language_of_the_reader(
    world: World, watcher: Reader, language: str, texts: tuple[str, ...]
) -> None:
    world.board.now = snapshot()
    answer = watcher.get("/board", **{"Accept-Language": language})
    assert f'lang="{language}" tabindex' in watcher.page
    assert answer.headers["Content-Language"] == language
    assert [text for text in texts if text not in unescape(watcher.page)] == []
    watcher.get("/board/live", **{"Accept-Language": language})
    assert texts[0] in watcher.page
    assert '"health":"behind"' in watcher.page


def test_a_text_has_its_values_in_the_language_and_another_text_within_it() -> None:
    inner = counted_text("{number} worker", "{number} workers", 1_200)
    text = board_text("{workers}, rebalancing", workers=inner)
    assert [said_in(each)(text) for each in ("en", "de")] == [
        "1,200 workers, rebalancing",
        "1.200 Worker, Rebalancing läuft",
    ]
    assert said_in("de")(NOTHING) == ""
    assert said_in("de") is said_in("de")


def test_a_bar_is_as_long_as_what_is_sold_and_held(world: World, watcher: Reader) -> None:
    world.board.now = snapshot()
    watcher.get("/board")
    widths = dict(re.findall(r'<rect class="(bar-\w+)"[^>]* width="([\d.]+)"', watcher.page.split("<template")[0]))
    assert widths == {"bar-sold": "600.0", "bar-held": "150.0"}


def test_every_name_leads_to_its_section_of_the_runbook_and_has_a_text_about_it(world: World, watcher: Reader) -> None:
    parts = unknown_components()
    drawn = invariants(StockBounds(), PipelineState(at=0.0), parts)
    world.board.now = BoardSnapshot(NOW, DecisionRates().report(NOW.timestamp()), (), parts, drawn, {"mailer": 7})
    watcher.get("/board")
    assert re.findall(r'data-consumer="([^"]+)">', watcher.page) == list(CONSUMERS)
    described = set(re.findall(r'aria-describedby="(about-[^"]+)"', watcher.page))
    assert described == set(re.findall(r'role="tooltip" id="([^"]+)" class="about">\w', watcher.page))
    assert described >= {f"about-{part.id}" for part in parts} | {f"about-dlq-{name}" for name in CONSUMERS}
    sections = set(re.findall(r'href="/board/runbook#([^"]+)"', watcher.page))
    watcher.get("/board/runbook")
    assert sections <= set(re.findall(r'<h3 id="([^"]+)">', watcher.page))


def test_the_runbook_is_the_one_of_the_documentation_without_links_that_lead_nowhere(watcher: Reader) -> None:
    watcher.get("/board/runbook")
    assert '<h3 id="salediffers">SaleDiffers</h3>' in watcher.page
    inner = set(re.findall(r'href="#([^"]+)"', watcher.page)) - {"main"}
    assert inner <= set(re.findall(r'<h[23] id="([^"]+)">', watcher.page))
    assert ".md)" not in watcher.page
    assert not re.search(r'href="[\w-]+\.md', watcher.page)


def test_a_title_is_text_and_nothing_else(world: World, watcher: Reader) -> None:
    world.board.now = snapshot("<script>alert(1)</script>")
    watcher.get("/board")
    assert "<script>alert" not in watcher.page


def test_the_stream_is_never_kept_and_never_packed(world: World, watcher: Reader) -> None:
    answer = watcher.get("/board/live", **{"Accept-Encoding": "gzip"})
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("text/event-stream", "private, no-store")
    assert "Content-Encoding" not in answer.headers
    assert watcher.page.count("data: ") == 2


def test_who_is_no_administrator_sees_no_board(world: World) -> None:
    reader = Reader(world)
    assert reader.get("/board").headers["Location"].startswith("/sign-in?next=")
    account = make_account(world, Role.ORGANIZER, email="org@owner.example")
    token, _ = world.tokens.issue(account, frozenset({Role.BUYER, Role.ORGANIZER}))
    reader.client.set_cookie("turnstile", token)
    assert reader.get("/board").status_code == 403
    assert reader.get("/board/live").status_code == 403
    assert reader.get("/board/runbook").status_code == 403
