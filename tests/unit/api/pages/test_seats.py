"""The page of seats: drawn and listed, chosen by name or as the best that are left, lost to others."""

import gzip
import re
from html import unescape
from itertools import accumulate
from math import cos, sin
from random import Random
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from api.pages.assets import asset_of
from api.pages.seat_drawing import SHAPES
from api.problems import Unavailable
from api.schemas.purchase import BoughtLine, Purchase, public_id
from tables.messages.commands import Hold
from tables.messages.reasons import Reason
from tables.messages.sections import BestAvailable
from tests.unit.api.fakes.ledger import rejected
from tests.unit.api.pages.conftest import ticket
from tests.unit.api.pages.ledger import Ledger
from tests.unit.api.pages.reader import Reader

PAGE_MAX_BYTES = 100 * 1024


@pytest.fixture
def hall(client: FlaskClient, on_sale: dict[str, Any]) -> dict[str, Any]:
    """Stalls by seat, in two sections; the gallery is general admission."""
    stalls = {"category": on_sale["tickets"][0]["id"], "rows": 2, "seatsPerRow": 4, "wheelchairs": 1}
    sections = [stalls | {"name": "A", "title": "Left"}, stalls | {"name": "B"}]
    body = {"sections": sections, "general": [{"name": "G", "category": on_sale["tickets"][1]["id"]}]}
    answer = client.post(f"/api/v3/events/{on_sale['id']}/seating/generate", json=body)
    assert answer.status_code == 200, answer.get_json()
    return on_sale


def boxes(page: str) -> dict[str, str]:
    """The attributes of the check boxes by seat."""
    return dict(re.findall(r'name="seat" value="([^"]+)"([^>]*)>', page))


def test_free_seats_can_be_chosen_and_taken_ones_are_marked_on_drawing_and_list(
    reader: Reader, hall: dict[str, Any]
) -> None:
    reader.world.seating.taken[UUID(hall["id"])] = {"A-A-2", "B-A-1"}
    reader.get(f"/events/{hall['id']}/seats?seat=A-A-3&seat=A-A-2&near=A-A-1")
    found = boxes(reader.page)
    assert list(found) == [f"A-{row}-{seat}" for row in "AB" for seat in range(1, 5)]
    assert ["disabled" in found[name] for name in list(found)[:4]] == [False, True, False, False]
    assert ["checked" in found[name] for name in list(found)[:4]] == [False, False, True, False]
    drawn = re.findall(r'<path class="seat-([a-z0-9-]+) colour-0" d="([^"]+)"', reader.page)
    assert {look: path.count(SHAPES[look]) for look, path in drawn} == {
        "type-0": 4,
        "near": 1,
        "taken": 1,
        "full": 1,
        "check": 1,
        "wheelchair": 1,
        "companion": 1,
    }
    assert re.findall(r'<bdi>(Left|B)</bdi> <span class="muted">(\d) free', reader.page) == [("Left", "7"), ("B", "7")]
    reader.get(f"/events/{hall['id']}/seats?section=B")
    assert "disabled" in boxes(reader.page)["B-A-1"]


def test_chosen_seats_are_held_by_name(reader: Reader, ledger: Ledger, hall: dict[str, Any]) -> None:
    reader.get(f"/events/{hall['id']}/seats")
    answer = reader.send(f"/events/{hall['id']}/hold", {"seat": ["A-A-1", "A-A-2", "A-A-1"]})
    assert answer.location.startswith("/purchases/")
    [command] = reader.world.ledger.handed_in
    assert isinstance(command, Hold)
    [line] = command.lines
    assert (line.ticket_type, line.quantity, line.seats) == (ticket(hall), 2, ("A-A-1", "A-A-2"))


def test_a_number_of_seats_is_the_best_available_and_others_are_only_counted(
    reader: Reader, ledger: Ledger, hall: dict[str, Any]
) -> None:
    reader.get(f"/events/{hall['id']}")
    assert "Choose seats" in reader.page
    chosen = {f"n-{ticket(hall)}": 2, f"n-{ticket(hall, 1)}": 1, "accessible": "1"}
    reader.send(f"/events/{hall['id']}/hold", chosen)
    [command] = reader.world.ledger.handed_in
    assert [line.best for line in command.lines] == [BestAvailable(together=True, accessible=True), None]


def test_who_lost_a_seat_is_told_so_and_offered_the_nearest(reader: Reader, hall: dict[str, Any]) -> None:
    reader.world.ledger.rule = rejected(Reason.SEAT_TAKEN, seats=["A-A-1"], nearest=["A-A-3"])
    reader.get(f"/events/{hall['id']}/seats")
    answer = reader.send(f"/events/{hall['id']}/hold", {"seat": ["A-A-1", "A-A-2"]})
    target = urlsplit(answer.location)
    assert target.path == f"/events/{hall['id']}/seats"
    assert parse_qsl(target.query) == [
        ("section", "A"),
        ("refused", "seat-taken"),
        ("gone", "A-A-1"),
        ("near", "A-A-3"),
        ("seat", "A-A-2"),
    ]
    reader.get(answer.location)
    assert "Somebody else was faster" in reader.page
    [instead] = re.findall(r'href="([^"]+)">Choose this seat instead', reader.page)
    before = boxes(reader.page)
    assert ("checked" in before["A-A-3"], "checked" in before["A-A-1"]) == (False, False)
    assert "Section A, row A, seat 3" in reader.page.partition("<form id")[0]
    assert "checked" in boxes(reader.page)["A-A-2"]
    reader.get(unescape(instead))
    assert [name for name, box in boxes(reader.page).items() if "checked" in box] == ["A-A-2", "A-A-3"]


def test_an_order_takes_seats_of_several_sections_and_tickets_without_a_seat(
    reader: Reader, ledger: Ledger, hall: dict[str, Any]
) -> None:
    page, number = f"/events/{hall['id']}/seats", f"n-{ticket(hall, 1)}"
    reader.get(page)
    assert f'name="{number}"' in reader.page
    answer = reader.send(page, reader.hidden(f"/events/{hall['id']}/hold") | {"seat": ["A-A-1"], number: 2, "to": "B"})
    assert answer.location == f"{page}?section=B&seat=A-A-1&{number}=2#choose"
    reader.world.seating.taken[UUID(hall["id"])] = {"B-A-1"}
    reader.get(answer.location)
    assert "Your seats in other sections" in reader.page
    assert "checked" in boxes(reader.page)["A-A-1"]
    assert re.search(rf'value="2"[^>]*name="{number}"', reader.page)
    reader.send(f"/events/{hall['id']}/hold", {"seat": ["B-A-2", "A-A-1"], number: 2})
    [command] = reader.world.ledger.handed_in
    assert [(line.quantity, line.seats) for line in command.lines] == [(2, ()), (2, ("B-A-2", "A-A-1"))]


def test_the_section_with_the_lost_seat_is_shown_and_a_chosen_seat_elsewhere_that_is_gone_is_named(
    reader: Reader, hall: dict[str, Any]
) -> None:
    reader.world.ledger.rule = rejected(Reason.SEAT_TAKEN, seats=["B-A-1"], nearest=["B-A-2"])
    reader.get(f"/events/{hall['id']}/seats")
    answer = reader.send(f"/events/{hall['id']}/hold", {"seat": ["A-A-1", "B-A-1"]})
    reader.world.seating.taken[UUID(hall["id"])] = {"A-A-1", "B-A-1"}
    reader.get(answer.location)
    found = boxes(reader.page)
    assert "B-B-1" in found
    assert "A-B-1" not in found
    assert ("disabled" in found["A-A-1"], "checked" in found["A-A-1"]) == (True, False)


def test_an_order_of_unknown_end_is_tried_again_with_its_key_and_its_seats(
    reader: Reader, hall: dict[str, Any]
) -> None:
    def fail(command: object) -> NoReturn:
        raise Unavailable("kafka", "no acknowledgement")

    reader.world.ledger.rule = fail
    reader.get(f"/events/{hall['id']}/seats")
    key = reader.hidden(f"/events/{hall['id']}/hold")["order_key"]
    answer = reader.send(f"/events/{hall['id']}/hold", {"seat": ["A-A-1"]})
    reader.get(answer.location)
    assert reader.hidden(f"/events/{hall['id']}/hold")["order_key"] == key
    assert "trying again never orders twice" in reader.page
    assert "checked" in boxes(reader.page)["A-A-1"]


def test_the_page_of_the_largest_section_is_light(reader: Reader, client: FlaskClient, hall: dict[str, Any]) -> None:
    section = {"name": "A", "category": str(ticket(hall)), "rows": 100, "seatsPerRow": 100, "aislesAfter": [30, 70]}
    body = {"sections": [section]}
    assert client.post(f"/api/v3/events/{hall['id']}/seating/generate", json=body).status_code == 200
    page, text = compressed_page(reader, hall)
    assert len(boxes(text)) == 10_000
    assert len(page) + files_bytes(text) <= PAGE_MAX_BYTES


def compressed_page(reader: Reader, hall: dict[str, Any]) -> tuple[bytes, str]:
    page = reader.client.get(f"/events/{hall['id']}/seats", headers={"Accept-Encoding": "gzip"}).data
    return page, gzip.decompress(page).decode()


def files_bytes(page: str) -> int:
    """The size of a page's styles and scripts over the wire."""
    files = re.findall(r'(?:src|href)="/static/[^/"]+/([^"]+)"', page)
    return sum(len(asset_of(name).compressed) for name in files)


def curved_row(number: int) -> dict[str, Any]:
    """A hundred seats on a circle; each row has its own radius, slope and distance between seats."""
    random = Random(number)
    radius, slope, step = random.uniform(300, 3_000), random.uniform(-0.3, 0.3), random.uniform(9, 12)
    angles = [(seat - 49.5) * step / radius + slope for seat in range(100)]
    places = [
        (round(3_000 + radius * sin(angle)), round(4_000 + 12 * number + radius * cos(angle))) for angle in angles
    ]
    return {"label": f"{number}", "seats": [{"label": f"{at}", "x": x, "y": y} for at, (x, y) in enumerate(places)]}


def test_the_page_of_the_largest_section_is_light_if_its_rows_are_curved(
    reader: Reader, client: FlaskClient, hall: dict[str, Any]
) -> None:
    rows = [curved_row(number) for number in range(100)]
    body = {"sections": [{"name": "A", "category": str(ticket(hall)), "rows": rows}]}
    assert client.put(f"/api/v3/events/{hall['id']}/seating", json=body).status_code == 200
    page, text = compressed_page(reader, hall)
    assert len(page) + files_bytes(text) <= PAGE_MAX_BYTES
    assert listed_places(text) == [(seat["x"], seat["y"]) for row in rows for seat in row["seats"]]


def listed_places(page: str) -> list[tuple[int, int]]:
    """The places of the seats, as the page's script reads them from its list."""
    places: list[tuple[int, int]] = []
    for across, down in re.findall(r'data-x="([^"]+)" data-y="([^"]+)"', page):
        xs, ys = ([*accumulate(map(int, steps.split()))] for steps in (across, down))
        places += zip(xs, ys if len(ys) > 1 else ys * len(xs), strict=True)
    return places


@pytest.mark.parametrize("look", SHAPES)
def test_a_shape_ends_where_it_begins_so_that_the_next_seat_is_in_its_place(look: str) -> None:
    at = start = 0j
    for letter, numbers in re.findall(r"([a-z])([^a-z]*)", SHAPES[look]):
        given = [float(number) for number in re.findall(r"-?[0-9.]+", numbers)]
        if letter == "z":
            at = start
        elif letter in "hv":
            at += sum(given) * (1 if letter == "h" else 1j)
        else:
            step = 7 if letter == "a" else 2
            at += sum(complex(*given[place + step - 2 : place + step]) for place in range(0, len(given), step))
            start = at if letter == "m" else start
    assert abs(at) < 1e-9


@pytest.mark.parametrize("seat", ["A-A-99", "Z-1-1", "", "<b>-1-1"])
def test_a_seat_that_is_not_there_is_refused(reader: Reader, hall: dict[str, Any], seat: str) -> None:
    reader.get(f"/events/{hall['id']}/seats")
    answer = reader.send(f"/events/{hall['id']}/hold", {"seat": [seat]})
    assert "refused=unknown-seat" in answer.location
    assert reader.world.ledger.handed_in == []


def test_who_signs_in_first_finds_the_chosen_seats_again(reader: Reader, hall: dict[str, Any]) -> None:
    answer = reader.get(f"/events/{hall['id']}/choose?section=A&seat=A-A-1")
    assert answer.location == f"/events/{hall['id']}/seats?section=A&seat=A-A-1"


def test_an_event_without_seats_has_no_page_of_them(reader: Reader, on_sale: dict[str, Any]) -> None:
    assert reader.get(f"/events/{on_sale['id']}/seats").status_code == 404
    reader.get(f"/events/{on_sale['id']}")
    assert "Choose seats" not in reader.page


def test_tickets_say_where_their_seats_are_and_are_returned_by_seat(
    reader: Reader, ledger: Ledger, hall: dict[str, Any]
) -> None:
    event, purchase = UUID(hall["id"]), uuid4()
    account = next(each.id for each in reader.world.accounts.rows.values() if each.email == "ada@buyer.example")
    price = {"amount": "49.90", "currency": "EUR"}
    line = BoughtLine(
        ticket_type_id=ticket(hall),
        name="Stalls",
        quantity=2,
        price=price,
        codes=["A" * 16, "B" * 16],
        seats=["A-A-1", "A-A-2"],
    )
    public = public_id(event, purchase)
    reader.world.sales.rows[event, purchase] = Purchase(
        id=public,
        event_id=event,
        account_id=account,
        status="confirmed",
        lines=[line],
        total=price,
    )
    reader.get(f"/purchases/{public}")
    assert reader.page.count("Section A, row A, seat 2") == 2
    assert "Section A\\, row A\\, seat 2" in reader.get(f"/purchases/{public}/event.ics").get_data(as_text=True)
    reader.get(f"/purchases/{public}/cancel")
    assert list(boxes(reader.page)) == ["A-A-1", "A-A-2"]
    reader.world.ledger.rule = rejected(Reason.UNKNOWN_SEAT)
    reader.send(f"/purchases/{public}/cancel", {"seat": ["A-A-2"]})
    [command] = reader.world.ledger.handed_in
    assert (command.lines, command.seats) == ([], ("A-A-2",))
