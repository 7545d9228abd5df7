"""The organizer's pages of a seating plan: made, copied, uploaded, drawn, changed, and refused in people's words."""

import json
import re
from enum import StrEnum
from html import unescape
from io import BytesIO
from string import Formatter
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.organizing.changes import new_listing
from api.organizing.seating import check_plan
from api.organizing.section_drawing import DrawingFault
from api.pages import plan_texts
from api.ports.events import Listing
from api.problems import Refused
from api.roles import Role
from api.schemas.event import NewEvent
from tables.seating.plan_faults import PlanFault
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import Reader, make_account

CONCERT = {
    "title": "Winterreise",
    "startsAt": "2030-05-17T20:00:00+02:00",
    "endsAt": "2030-05-17T22:30:00+02:00",
    "timeZone": "Europe/Vienna",
}


@pytest.fixture
def owner(world: World) -> UUID:
    return make_account(world, Role.ORGANIZER, email="ada@owner.example")


@pytest.fixture
def organizer(world: World, owner: UUID) -> Reader:
    reader = Reader(world)
    token, _ = world.tokens.issue(owner, frozenset({Role.BUYER, Role.ORGANIZER}))
    reader.client.set_cookie("turnstile", token)
    return reader


@pytest.fixture
def event(world: World, owner: UUID) -> UUID:
    return make_event(world, owner).event.id


def make_event(world: World, owner: UUID, *names: str) -> Listing:
    price = {"amount": "49.90", "currency": "EUR"}
    types = [{"name": name, "price": price, "quantity": 100} for name in names or ("Stalls", "Gallery")]
    listing = new_listing(NewEvent.model_validate(CONCERT | {"ticketTypes": types}), owner, uuid4, NOW)
    world.events.add(listing)
    return listing


def kind(world: World, event: UUID, place: int = 0) -> str:
    return str(world.events.rows[event].tickets[place].id)


def sections(world: World, event: UUID) -> list[dict[str, Any]]:
    plan = world.seating.plans.get(event)
    return list(plan.sections) if plan else []


def send(organizer: Reader, event: UUID, action: str, page: str = "", **given: Any) -> int:
    """Send a form of the plan's page, or of a section's; the status."""
    path = f"/organize/events/{event}/seating"
    organizer.get(f"{path}/section?section={page}" if page else path)
    answer = organizer.client.post(
        f"{path}/{action}",
        data=organizer.hidden(f"{path}/{action}") | given,
        headers={"Accept": "text/html"},
        content_type="multipart/form-data" if action in ("upload", "draw") else None,
    )
    organizer.page = answer.get_data(as_text=True)
    return answer.status_code


def generate(organizer: Reader, world: World, event: UUID, **more: str) -> int:
    given = {"name": "A", "category": kind(world, event), "rows": "2", "seatsPerRow": "4"} | more
    return send(organizer, event, "generate", **given)


def upload(organizer: Reader, event: UUID, content: Any) -> int:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return send(organizer, event, "upload", plan=(BytesIO(text), "plan.json"))


def alerts(organizer: Reader) -> str:
    return unescape(" ".join(re.findall(r'role="alert">(.*?)</p>', organizer.page, re.DOTALL)))


def test_sections_are_generated_one_by_one_and_one_is_made_anew(world: World, organizer: Reader, event: UUID) -> None:
    assert generate(organizer, world, event, title="Left", aislesAfter="2, 3", numbering="odd", wheelchairs="1") == 303
    assert generate(organizer, world, event, name="B", rowsBy="numbers", numberedFrom="right") == 303
    assert send(organizer, event, "generate", name="G", category=kind(world, event, 1)) == 303
    first, second, third = sections(world, event)
    assert [seat["label"] for seat in first["rows"][0]["seats"]] == ["1", "3", "5", "7"]
    assert [seat.get("gapBefore", False) for seat in first["rows"][0]["seats"]] == [False, False, True, True]
    assert first["rows"][1]["seats"][0]["kind"] == "wheelchair"
    assert (second["rows"][0]["label"], second["rows"][0]["seats"][0]["label"]) == ("1", "4")
    assert third == {"name": "G", "category": kind(world, event, 1)}
    organizer.get(f"/organize/events/{event}/seating")
    assert re.findall(r'class="number">(8|general admission)<', organizer.page) == ["8", "8", "general admission"]
    assert generate(organizer, world, event, rows="1") == 303
    assert [len(each.get("rows", ())) for each in sections(world, event)] == [1, 2, 0]


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("name", "", "Please fill this in."),
        ("name", "A-1", "without blanks, commas and hyphens"),
        ("rows", "many", "Please enter a whole number."),
        ("rows", "501", "At most 500, please."),
        ("seatsPerRow", "", "Please fill this in."),
        ("aislesAfter", "two", "Please enter a whole number."),
        ("wheelchairs", "3", "no room for so many wheelchairs"),
        ("category", "x", "This is not valid"),
    ],
)
def test_a_wrong_field_is_told_and_what_was_typed_stays(
    world: World, organizer: Reader, event: UUID, field: str, value: str, text: str
) -> None:
    assert generate(organizer, world, event, **({"title": "The left one"} | {field: value})) == 422
    assert text in organizer.page
    assert 'value="The left one"' in organizer.page
    assert sections(world, event) == []


def test_a_section_is_at_most_ten_thousand_seats(world: World, organizer: Reader, event: UUID) -> None:
    assert generate(organizer, world, event, rows="101", seatsPerRow="100") == 422
    assert "at most 10,000 seats" in alerts(organizer)


def test_a_plan_is_copied_from_another_event_of_ones_own(
    world: World, organizer: Reader, owner: UUID, event: UUID
) -> None:
    generate(organizer, world, event)
    other = make_event(world, owner, "Gallery", "Stalls").event.id
    organizer.get(f"/organize/events/{other}/seating")
    assert re.findall(r'<option value="([^"]+)">Winterreise', organizer.page) == [str(event)]
    assert send(organizer, other, "copy", **{"from": str(event)}) == 303
    assert sections(world, other)[0]["category"] == kind(world, other, 1)
    lacking = make_event(world, owner, "Gallery").event.id
    assert send(organizer, lacking, "copy", **{"from": str(event)}) == 422
    assert "This event has no ticket type “Stalls”" in alerts(organizer)
    assert send(organizer, lacking, "copy", **{"from": "x"}) == 422


def test_the_plan_of_a_stranger_is_not_copied(world: World, organizer: Reader, event: UUID) -> None:
    stranger = make_event(world, make_account(world, Role.ORGANIZER, email="eve@other.example")).event.id
    path = f"/organize/events/{event}/seating"
    organizer.get(path)
    given = organizer.hidden(f"{path}/generate") | {"from": str(stranger)}
    assert organizer.client.post(f"{path}/copy", data=given).status_code == 404


def test_a_plan_goes_out_as_a_file_and_comes_back(world: World, organizer: Reader, event: UUID) -> None:
    generate(organizer, world, event, wheelchairs="1")
    before = sections(world, event)
    file = organizer.client.get(f"/organize/events/{event}/seating.json")
    assert "attachment" in file.headers["Content-Disposition"]
    assert send(organizer, event, "remove") == 303
    assert sections(world, event) == []
    assert upload(organizer, event, file.data) == 303
    assert sections(world, event) == before


def test_the_schema_of_an_upload_is_published(organizer: Reader, event: UUID) -> None:
    organizer.get(f"/organize/events/{event}/seating")
    [link] = re.findall(r'href="([^"]+)">JSON schema', organizer.page)
    schema = organizer.client.get(link).get_json()
    assert schema["properties"].keys() == {"sections"}
    assert "gapBefore" in schema["$defs"]["SeatOnPlan"]["properties"]


def plan_of(world: World, event: UUID, **more: Any) -> dict[str, Any]:
    seats = [{"label": "1", "x": 0, "y": 0} | more, {"label": "2", "x": 10, "y": 0}]
    rows = [{"label": "1", "seats": seats}]
    return {"sections": [{"name": "A", "category": kind(world, event), "rows": rows}]}


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"x": -1}, "section A, row 1, seat 1, x: At least 0, please."),
        ({"x": 1e300}, "section A, row 1, seat 1, x: "),
        ({"colour": "red"}, "section A, row 1, seat 1, colour: This field is not known."),
        ({"label": "2"}, "There are two seats: Section A, row 1, seat 2."),
        ({"category": str(UUID(int=9))}, "Section A has a category that is not a ticket type of this event."),
    ],
)
def test_what_is_wrong_in_a_file_is_told_by_section_row_and_seat(
    world: World, organizer: Reader, event: UUID, wrong: dict[str, Any], text: str
) -> None:
    assert upload(organizer, event, plan_of(world, event, **wrong)) == 422
    assert text in alerts(organizer)
    assert sections(world, event) == []


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b'{"sections":\n[{"name": "A",}]}', "not JSON: please check line 2."),
        (b"", "This file is not JSON"),
        (b"\xff\xfe", "This file is not JSON"),
        (b"[" * 100_000, "This file is not JSON"),
        (b"[]", "This is not valid"),
        (b'{"sections": []}', "sections: "),
    ],
)
def test_a_file_that_is_no_plan_is_told_so(organizer: Reader, event: UUID, content: bytes, text: str) -> None:
    assert upload(organizer, event, content) == 422
    assert text in alerts(organizer)


def test_every_reason_against_a_plan_has_its_text(world: World, event: UUID) -> None:
    listing = world.events.rows[event]
    stalls, gallery = (str(ticket.id) for ticket in listing.tickets)
    seat = {"label": "1", "x": 0, "y": 0}

    def hall(*rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        named = [{"label": str(number), "seats": seats} for number, seats in enumerate(rows)]
        return {"name": "A", "category": stalls, "rows": named} | more

    many = [{"label": str(n), "x": n, "y": 0} for n in range(500)]
    plans = [
        [hall([seat], name=f"S{n}") for n in range(501)],
        [hall([seat]), hall([seat])],
        [hall(*[many] * 20, name=f"S{n}") for n in range(11)],
        [hall(*[many] * 21)],
        [hall([seat]), {"name": "G", "category": stalls}],
        [hall([seat], category=str(UUID(int=9)))],
        [{"name": "A", "category": stalls, "rows": [{"label": "1", "seats": [seat]}] * 2}],
        [hall([seat, seat])],
    ]
    for plan in plans:
        with pytest.raises(Refused) as refused:
            check_plan(plan, listing)
        with world.app.test_request_context():
            [text] = plan_texts.plan_errors(refused.value)
        assert text != str(plan_texts.INVALID_PLAN), refused.value.faults
    assert gallery


@pytest.mark.parametrize("fault", [*PlanFault, *DrawingFault])
def test_every_fault_that_a_form_can_lead_to_has_its_text(fault: PlanFault | DrawingFault) -> None:
    no_form_leads_to = {PlanFault.SEVERAL_CATEGORIES, PlanFault.UNLISTED_CATEGORY, PlanFault.TWO_KINDS}
    assert (fault in plan_texts.FAULT_TEXTS) is (fault not in no_form_leads_to)


@pytest.mark.parametrize("fault", plan_texts.FAULT_TEXTS)
def test_the_text_about_a_fault_has_only_figures_that_come_with_it(fault: StrEnum) -> None:
    figures = {name for _, name, _, _ in Formatter().parse(fault) if name}
    assert set(re.findall(r"%\((\w+)\)s", str(plan_texts.FAULT_TEXTS[fault]))) <= figures


def test_a_seat_that_is_sold_stays_and_is_named(world: World, organizer: Reader, event: UUID) -> None:
    generate(organizer, world, event)
    world.seating.taken[event] = {"A-B-4"}
    before = sections(world, event)
    asked: dict[str, dict[str, Any]] = {
        "generate": {"name": "A", "category": kind(world, event), "rows": "1", "seatsPerRow": "4"},
        "remove": {"section": "A"},
        "upload": {"plan": (BytesIO(json.dumps(plan_of(world, event)).encode()), "plan.json")},
        "draw": {
            "drawnName": "A",
            "drawnCategory": kind(world, event),
            "drawing": (BytesIO(b'<svg><circle data-seat="B-4" cx="99" cy="9" r="5"/></svg>'), "a.svg"),
        },
    }
    for action, given in asked.items():
        assert send(organizer, event, action, **given) == 409, action
        assert "Nothing was changed" in alerts(organizer)
        assert "Section A, row B, seat 4" in alerts(organizer)
    for become in ("wheelchair", "remove", kind(world, event, 1)):
        assert send(organizer, event, "section", "A", seat=["A-B-4"], become=become) == 409
        assert "Section A, row B, seat 4" in alerts(organizer)
    assert sections(world, event) == before
    # Its neighbour may go.
    assert send(organizer, event, "section", "A", seat=["A-B-3"], become="remove") == 303


def test_seats_of_a_section_are_marked_sold_as_another_type_and_removed(
    world: World, organizer: Reader, event: UUID
) -> None:
    generate(organizer, world, event)
    assert send(organizer, event, "section", "A", seat=["A-A-1"], become="wheelchair") == 303
    assert send(organizer, event, "section", "A", seat=["A-A-2"], become="remove") == 303
    assert send(organizer, event, "section", "A", seat=["A-B-1", "A-B-2"], become=kind(world, event, 1)) == 303
    assert send(organizer, event, "section", "A", all="1", become="obstructed") == 303
    first, second = sections(world, event)[0]["rows"]
    assert [(seat["label"], seat.get("kind"), seat["obstructed"]) for seat in first["seats"]] == [
        ("1", "wheelchair", True),
        ("3", None, True),
        ("4", None, True),
    ]
    assert [seat.get("category") for seat in second["seats"]] == [kind(world, event, 1)] * 2 + [None] * 2
    organizer.get(f"/organize/events/{event}/seating/section?section=A")
    assert organizer.page.count('class="seat-type-1 colour-1"') == 1
    assert send(organizer, event, "section", "A", become="remove") == 422
    assert "Please choose at least one seat." in alerts(organizer)
    assert send(organizer, event, "section", "A", all="1", become="remove") == 422
    assert "Please remove the section instead" in alerts(organizer)
    assert send(organizer, event, "remove", "A") == 303
    assert sections(world, event) == []


def test_a_section_has_a_name_for_people(world: World, organizer: Reader, event: UUID) -> None:
    generate(organizer, world, event)
    assert send(organizer, event, "title", "A", title="Left <b>") == 303
    organizer.get(f"/organize/events/{event}/seating")
    assert "Left &lt;b&gt;" in organizer.page
    assert send(organizer, event, "title", "A", title="x" * 201) == 422
    assert send(organizer, event, "title", "A", title="") == 303
    assert "title" not in sections(world, event)[0]


def test_a_drawing_makes_a_section_and_a_hostile_one_is_refused(world: World, organizer: Reader, event: UUID) -> None:
    def draw(content: bytes) -> int:
        file = BytesIO(content), "a.svg"
        return send(organizer, event, "draw", drawnName="A", drawnCategory=kind(world, event), drawing=file)

    assert draw(b'<!DOCTYPE svg [<!ENTITY x "y">]><svg/>') == 422
    assert "declares entities" in alerts(organizer)
    assert draw(b"<svg><script>alert(1)</script></svg>") == 422
    assert sections(world, event) == []
    assert draw(b'<svg><circle data-seat="1-1" cx="9" cy="9" r="5"/><script>alert(1)</script></svg>') == 303
    rows = [{"label": "1", "seats": [{"label": "1", "x": 9, "y": 9}]}]
    assert sections(world, event) == [{"name": "A", "category": kind(world, event), "rows": rows}]
    organizer.get(f"/organize/events/{event}/seating/section?section=A")
    assert "alert(1)" not in organizer.page


def test_a_plan_that_changed_meanwhile_is_not_overwritten(world: World, organizer: Reader, event: UUID) -> None:
    generate(organizer, world, event)
    assert send(organizer, event, "remove", version="1") == 412
    assert "Somebody else changed this in the meantime" in alerts(organizer)
    assert len(sections(world, event)) == 1


def test_a_file_is_taken_by_the_forms_that_have_one_alone(organizer: Reader, world: World, event: UUID) -> None:
    path = f"/organize/events/{event}/seating"
    organizer.get(path)
    kept = organizer.hidden(f"{path}/generate")
    for action, media_type in (("generate", "multipart/form-data"), ("upload", "application/x-www-form-urlencoded")):
        answer = organizer.client.post(f"{path}/{action}", data=kept, content_type=media_type)
        assert answer.status_code == 415, action
    answer = organizer.client.post(f"{path}/upload", data={"version": "1"}, content_type="multipart/form-data")
    assert answer.status_code == 403
    assert world.seating.plans == {}
