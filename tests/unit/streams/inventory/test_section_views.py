"""The views of seats: sections with the seats that are out, and the seats of purchases."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tables.messages.commands import Buy, Cancel, DefineEvent, Exchange, Hold, TicketLine
from tables.messages.sections import BestAvailable
from tests.unit.streams.inventory.view_workers import PARTITIONS, ViewWorker, home_of, serving
from tests.unit.tables.halls import hall_pieces
from tests.unit.tables.ledger_driver import (
    ADA,
    BOX,
    EVENT,
    FLOOR,
    STAND,
    LedgerDriver,
    definition,
    purchase_id,
    ticket_type,
)

HALL = {"A": ["fff|ff", "fff"], "B": ["fff"], "C": ["fff"]}
SMALLER = {"A": ["fff|ff"], "B": ["fff"], "C": ["fff"]}
SOLD, HELD = ("A-1-1", "A-1-4", "A-2-3"), ("A-1-2",)


def plan(driver: LedgerDriver, number: int, sections: dict[str, list[str]]) -> None:
    """Put a plan into force."""
    for piece in hall_pieces(number, sections, EVENT):
        driver.send(piece)
    types = [ticket_type(key, 100) for key in (FLOOR, STAND, BOX)]
    driver.send(DefineEvent(EVENT, number, definition(*types, plan=number)))


def hall() -> LedgerDriver:
    """Three sections: A with three seats sold and one held, B with one sold, C as it was."""
    driver = LedgerDriver(batch=1)
    plan(driver, 1, HALL)
    driver.send(Buy(EVENT, purchase_id(1), ADA, [TicketLine(FLOOR, 3, SOLD)]))
    driver.send(Hold(EVENT, purchase_id(2), ADA, [TicketLine(FLOOR, 1, HELD), TicketLine(BOX, 2)]))
    driver.send(Buy(EVENT, purchase_id(3), ADA, [TicketLine(FLOOR, 1, best=BestAvailable(section="B"))]))
    return driver


@pytest.fixture
def driver() -> LedgerDriver:
    return hall()


@pytest.fixture
def workers(tmp_path: Path, driver: LedgerDriver) -> Iterator[tuple[ViewWorker, ViewWorker]]:
    """The owner of the event's partition, and the owner of all others."""
    mine = {home_of(EVENT)}
    group: dict[str, dict[str, list[int]]] = {}
    pair = (
        ViewWorker(tmp_path / "0", mine, group),
        ViewWorker(tmp_path / "1", set(range(PARTITIONS)) - mine, group),
    )
    pair[0].store(driver.table)
    with serving(*pair):
        yield pair


@pytest.fixture(params=["owner", "other"])
def worker(request: Any, workers: tuple[ViewWorker, ViewWorker]) -> ViewWorker:
    return workers[0 if request.param == "owner" else 1]


def bits(text: str) -> int:
    return int.from_bytes(b64decode(text), "little")


def test_any_worker_shows_the_seats_of_a_section_bit_by_bit(worker: ViewWorker) -> None:
    """Bits 3 and 6 belong to no seat: the aisle, and the end of the row."""
    shown = worker.get_json(f"/api/section/{EVENT}/A/")
    assert (shown["section"], shown["plan"], shown["held"], shown["sold"]) == ("A", 1, 1, 3)
    assert bits(shown["heldSeats"]) == 0b10
    assert bits(shown["soldSeats"]) == 1 << 0 | 1 << 4 | 1 << 9
    assert shown["removed"] == []


@pytest.mark.parametrize("path", [f"{EVENT}/C", f"{EVENT}/Z", f"{ADA}/A", f"{EVENT}/A%2FB", "x/A"])
def test_a_section_without_seats_that_are_out_is_not_known(worker: ViewWorker, path: str) -> None:
    assert worker.get(f"/api/section/{path}/").status_code == 404


@pytest.mark.parametrize("limit", [1, 100])
def test_the_sections_of_an_event_are_listed_once(worker: ViewWorker, limit: int) -> None:
    listed = worker.listed(f"/api/sections/{EVENT}/?", limit)
    assert [(each["section"], each["held"], each["sold"]) for each in listed] == [("A", 1, 3), ("B", 0, 1)]
    assert listed[0] == worker.get_json(f"/api/section/{EVENT}/A/")
    assert worker.get_json(f"/api/sections/{ADA}/") == {"items": [], "next": None}


def test_a_section_is_known_by_its_tag_until_a_seat_of_it_changes(
    worker: ViewWorker, workers: tuple[ViewWorker, ViewWorker], driver: LedgerDriver
) -> None:
    path = f"/api/section/{EVENT}/A/"
    tag = {"If-None-Match": worker.get(path).headers["ETag"]}
    assert worker.get(path, headers=tag).status_code == 304
    driver.send(Cancel(EVENT, purchase_id(1), ADA, purchase_id(9), seats=SOLD[:1]))
    workers[0].store(driver.table)
    changed = worker.get(path, headers=tag)
    assert (changed.status_code, changed.json()["sold"]) == (200, 2)


def test_sold_seats_that_a_later_plan_lacks_are_shown_by_name(
    worker: ViewWorker, workers: tuple[ViewWorker, ViewWorker], driver: LedgerDriver
) -> None:
    plan(driver, 2, SMALLER)
    driver.send(Buy(EVENT, purchase_id(4), ADA, [TicketLine(FLOOR, 1, ("A-1-3",))]))
    workers[0].store(driver.table)
    shown = worker.get_json(f"/api/section/{EVENT}/A/")
    assert (shown["plan"], shown["held"], shown["sold"]) == (2, 1, 4)
    assert shown["removed"] == [{"seat": "A-2-3", "sold": True}]


def test_a_purchase_shows_the_seats_that_it_has(
    worker: ViewWorker, workers: tuple[ViewWorker, ViewWorker], driver: LedgerDriver
) -> None:
    driver.send(Exchange(EVENT, purchase_id(1), ADA, purchase_id(8), ("A-1-4",), ("A-1-5",)))
    workers[0].store(driver.table)
    [line] = worker.get_json(f"/api/purchase/{EVENT}/{purchase_id(1)}/")["lines"]
    assert (line["quantity"], line["seats"]) == (3, ["A-1-1", "A-2-3", "A-1-5"])
    seated, counted = worker.get_json(f"/api/purchase/{EVENT}/{purchase_id(2)}/")["lines"]
    assert (seated["seats"], "seats" in counted) == (["A-1-2"], False)
