"""An event's page: the availability of its tickets, and holding them through its form."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.pages.numbers import money
from api.pages.refusal_texts import REFUSAL_TEXTS, refusal_text
from api.ports.sales import Left
from api.problem_kinds import REFUSALS
from api.problems import Refused
from api.roles import Role
from api.schemas.fields import Money
from tables.messages.availability import Availability
from tables.messages.commands import Hold
from tables.messages.reasons import Reason
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.ledger import rejected
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.conftest import ticket
from tests.unit.api.pages.ledger import Ledger
from tests.unit.api.pages.reader import Reader


def choice(event: dict[str, Any], *numbers: int) -> dict[str, Any]:
    return {f"n-{ticket(event, place)}": number for place, number in enumerate(numbers)}


def hold(reader: Reader, event: dict[str, Any], *numbers: int, **more: str) -> Any:
    reader.get(f"/events/{event['id']}")
    return reader.send(f"/events/{event['id']}/hold", choice(event, *numbers) | more)


def test_the_page_tells_what_when_where_and_for_how_much(reader: Reader, on_sale: dict[str, Any]) -> None:
    assert reader.get(f"/events/{on_sale['id']}").status_code == 200
    for said in ("Winterreise", "Friday 17 May 2030, 20:00 (Vienna time)", "Musikverein", "Stalls", "€49.90", "€19.00"):
        assert said in reader.page


@pytest.mark.parametrize(
    ("state", "available", "words"),
    [
        (Availability.AVAILABLE, 50, "Available"),
        (Availability.LOW, 7, "Few left: 7"),
        (Availability.HELD, 0, "All held: try again soon"),
        (Availability.SOLD_OUT, 0, "Sold out"),
        (Availability.NOT_ON_SALE_YET, 50, "Not on sale yet"),
        (Availability.SALE_OVER, 50, "Sale ended"),
        (Availability.EVENT_CANCELED, 50, "Cancelled"),
        (Availability.EVENT_ON_HOLD, 50, "Not on sale at the moment"),
        (Availability.EVENT_POSTPONED, 50, "Postponed"),
        (Availability.EVENT_SOLD_OUT, 50, "Sold out"),
        (Availability.EVENT_DONE, 50, "Over"),
        (Availability.EVENT_DRAFT, 50, "Not published yet"),
    ],
)
def test_what_is_left_is_said_in_words_and_chosen_where_it_can_be(
    reader: Reader, on_sale: dict[str, Any], state: Availability, available: int, words: str
) -> None:
    reader.world.stock.shelves = {ticket(on_sale): Left(state, available)}
    reader.get(f"/events/{on_sale['id']}")
    assert f">{words}</p>" in reader.page
    can_choose = state in (Availability.AVAILABLE, Availability.LOW, Availability.HELD)
    assert (f'name="n-{ticket(on_sale)}"' in reader.page) is can_choose


def test_no_more_can_be_chosen_than_one_may_have_or_is_left(reader: Reader, on_sale: dict[str, Any]) -> None:
    low, plenty = Left(Availability.LOW, 3), Left(Availability.AVAILABLE, 50)
    reader.world.stock.shelves = {ticket(on_sale): low, ticket(on_sale, 1): plenty}
    reader.get(f"/events/{on_sale['id']}?n-{ticket(on_sale)}=7")
    assert re.findall(r'max="(\d+)" step="1" value="(\d+)"', reader.page) == [("3", "3"), ("8", "0")]


def test_a_sale_to_come_says_when_it_opens(reader: Reader, client: Any, on_sale: dict[str, Any]) -> None:
    opens = {"saleStartsAt": "2030-03-04T10:00:00+01:00"}
    assert client.patch(f"/api/v3/tickets/{ticket(on_sale)}", json=opens).status_code == 200
    reader.world.stock.shelves = {ticket(on_sale): Left(Availability.NOT_ON_SALE_YET, 100)}
    reader.get(f"/events/{on_sale['id']}")
    assert "On sale from Monday 4 March, 10:00" in reader.page


def test_where_nobody_can_tell_what_is_left_one_may_try(reader: Reader, on_sale: dict[str, Any]) -> None:
    reader.world.stock.shelves = None
    reader.get(f"/events/{on_sale['id']}")
    assert reader.page.count("Availability unknown") == 2
    assert f'name="n-{ticket(on_sale)}"' in reader.page


@pytest.mark.parametrize("status", ["ON_HOLD", "POSTPONED", "SOLD_OUT", "DONE", "CANCELED"])
def test_an_event_that_sells_nothing_offers_no_form(
    reader: Reader, client: Any, on_sale: dict[str, Any], status: str
) -> None:
    assert client.put(f"/api/v3/events/{on_sale['id']}/status", json={"status": status}).status_code == 200
    reader.get(f"/events/{on_sale['id']}")
    assert "Hold these tickets" not in reader.page
    assert "n-" + str(ticket(on_sale)) not in reader.page


def test_a_draft_is_shown_to_its_organizer_alone(world: World, event: dict[str, Any]) -> None:
    stranger, owner = Reader(world), Reader(world)
    token, _ = world.tokens.issue(UUID(event["organizerId"]), frozenset({Role.BUYER, Role.ORGANIZER}))
    owner.client.set_cookie("turnstile", token)
    assert stranger.get(f"/events/{event['id']}").status_code == 404
    assert owner.get(f"/events/{event['id']}").status_code == 200
    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        assert owner.get(f"/events/{event['id']}/left", **headers).status_code == 404


def test_markup_in_what_the_organizer_wrote_is_text(reader: Reader, client: Any, on_sale: dict[str, Any]) -> None:
    nasty = '"><script>alert(1)</script>'
    changes = {"title": nasty, "description": nasty, "venue": nasty, "city": nasty, "tags": [nasty]}
    assert client.patch(f"/api/v3/events/{on_sale['id']}", json=changes).status_code == 200
    assert client.patch(f"/api/v3/tickets/{ticket(on_sale)}", json={"name": nasty}).status_code == 200
    reader.get(f"/events/{on_sale['id']}")
    assert "<script>alert" not in reader.page
    assert reader.page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 6


def test_chosen_tickets_are_held_and_the_way_leads_to_them(
    reader: Reader, ledger: Ledger, on_sale: dict[str, Any]
) -> None:
    answer = hold(reader, on_sale, 2)
    [command] = reader.world.ledger.handed_in
    assert isinstance(command, Hold)
    assert [(line.ticket_type, line.quantity) for line in command.lines] == [(ticket(on_sale), 2)]
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"/purchases/{on_sale['id']}.{command.purchase}?since=")
    reader.get(answer.headers["Location"])
    assert "Held for you" in reader.page


def test_a_form_that_is_sent_twice_is_one_order(reader: Reader, ledger: Ledger, on_sale: dict[str, Any]) -> None:
    reader.get(f"/events/{on_sale['id']}")
    form = reader.hidden(f"/events/{on_sale['id']}/hold") | choice(on_sale, 2)
    answers = [reader.client.post(f"/events/{on_sale['id']}/hold", data=form) for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert len({command.purchase for command in reader.world.ledger.handed_in}) == 1


def test_a_page_that_is_loaded_anew_has_another_key(reader: Reader, ledger: Ledger, on_sale: dict[str, Any]) -> None:
    first, second = (hold(reader, on_sale, 1).headers["Location"] for _ in range(2))
    assert first.partition("?")[0] != second.partition("?")[0]


def test_a_second_click_while_the_first_is_on_its_way_leads_to_the_same_order(
    reader: Reader, on_sale: dict[str, Any]
) -> None:
    def running(command: Any) -> None:
        reader.world.ledger.last = command  # type: ignore[attr-defined]
        raise Refused("still-running")

    reader.world.ledger.rule = running
    answer = hold(reader, on_sale, 1)
    purchase = reader.world.ledger.last.purchase  # type: ignore[attr-defined]
    assert answer.headers["Location"].startswith(f"/purchases/{on_sale['id']}.{purchase}?since=")
    assert reader.get(answer.headers["Location"]).status_code == 200
    assert "being processed" in reader.page


def test_an_order_that_takes_long_is_waited_for(reader: Reader, on_sale: dict[str, Any]) -> None:
    answer = hold(reader, on_sale, 1)
    assert reader.world.ledger.waits == [1.5]
    assert reader.get(answer.headers["Location"]).status_code == 200
    assert "Your order is being processed" in reader.page
    assert '<noscript><meta http-equiv="refresh"' in reader.page


def test_an_order_that_another_process_accepted_is_waited_for_as_long_as_it_takes(
    reader: Reader, on_sale: dict[str, Any]
) -> None:
    answer = hold(reader, on_sale, 1)
    reader.world.ledger.handed_in.clear()
    assert reader.get(answer.headers["Location"].partition("?")[0]).status_code == 200
    assert "Your order is being processed" in reader.page


@pytest.mark.parametrize("reason", REFUSALS)
def test_every_refusal_is_said_in_plain_words_beside_the_same_choice(
    reader: Reader, on_sale: dict[str, Any], reason: Reason
) -> None:
    reader.world.ledger.rule = rejected(reason, available=0)
    answer = hold(reader, on_sale, 3)
    assert answer.status_code == 303
    reader.get(answer.headers["Location"])
    words = refusal_text(REFUSALS[reason]).replace("'", "&#39;")
    assert words in reader.page
    assert REFUSALS[reason] not in words
    assert 'value="3"' in reader.page


def test_every_reason_that_a_buyer_can_meet_has_words() -> None:
    assert set(REFUSALS.values()) | {"busy", "unavailable", "still-running", "nothing-chosen"} <= set(REFUSAL_TEXTS)


def test_where_nobody_knows_what_became_of_an_order_the_next_try_is_the_same_one(
    reader: Reader, ledger: Ledger, on_sale: dict[str, Any]
) -> None:
    reader.get(f"/events/{on_sale['id']}")
    key = reader.hidden(f"/events/{on_sale['id']}/hold")["order_key"]
    reader.world.ledger.down = True
    answer = reader.send(f"/events/{on_sale['id']}/hold", choice(on_sale, 1))
    reader.get(answer.headers["Location"])
    assert "never orders twice" in reader.page
    assert reader.hidden(f"/events/{on_sale['id']}/hold")["order_key"] == key


def test_a_key_in_the_address_is_a_key_or_nothing(reader: Reader, on_sale: dict[str, Any]) -> None:
    reader.get(f"/events/{on_sale['id']}?key=%22%3E%3Cb%3E")
    assert len(reader.hidden(f"/events/{on_sale['id']}/hold")["order_key"]) == 32
    assert "<b>" not in reader.page


@pytest.mark.parametrize("numbers", [{}, {"n-": ""}])
def test_choosing_nothing_is_told(reader: Reader, on_sale: dict[str, Any], numbers: dict[str, str]) -> None:
    reader.get(f"/events/{on_sale['id']}")
    answer = reader.send(f"/events/{on_sale['id']}/hold", numbers)
    reader.get(answer.headers["Location"])
    assert "choose at least one" in reader.page
    assert not reader.world.ledger.handed_in


@pytest.mark.parametrize("value", ["-1", "x", "1.5", "99999", "²", "1e3"])
def test_a_number_that_is_none_orders_nothing(reader: Reader, on_sale: dict[str, Any], value: str) -> None:
    answer = hold(reader, on_sale, **{f"n-{ticket(on_sale)}": value})
    assert answer.status_code == 422
    assert not reader.world.ledger.handed_in


def test_more_than_a_purchase_may_have_is_refused_by_the_rule_of_the_api(
    reader: Reader, on_sale: dict[str, Any]
) -> None:
    answer = hold(reader, on_sale, 1_001)
    assert answer.headers["Location"].startswith(f"/events/{on_sale['id']}?refused=invalid-input")
    assert not reader.world.ledger.handed_in


def test_a_stranger_signs_in_first_and_finds_the_choice_as_it_was(world: World, on_sale: dict[str, Any]) -> None:
    stranger = Reader(world)
    stranger.get(f"/events/{on_sale['id']}")
    assert "Sign in to hold tickets" in stranger.page
    assert "Set-Cookie" not in stranger.get(f"/events/{on_sale['id']}").headers
    path = f"/events/{on_sale['id']}/choose?n-{ticket(on_sale)}=2"
    answer = stranger.get(path)
    assert answer.headers["Location"].startswith("/sign-in?next=%2Fevents%2F")
    stranger.get(answer.headers["Location"])
    assert stranger.hidden("/sign-in")["next"] == path


def test_the_way_back_from_signing_in_keeps_the_choice(reader: Reader, on_sale: dict[str, Any]) -> None:
    answer = reader.get(f"/events/{on_sale['id']}/choose?n-{ticket(on_sale)}=2")
    assert answer.headers["Location"] == f"/events/{on_sale['id']}?n-{ticket(on_sale)}=2"
    reader.get(answer.headers["Location"])
    assert 'value="2"' in reader.page


def test_only_a_signed_in_reader_holds_tickets(world: World, ledger: Ledger, on_sale: dict[str, Any]) -> None:
    stranger = Reader(world)
    stranger.get("/sign-in")
    form = stranger.hidden("/sign-in") | choice(on_sale, 1)
    answer = stranger.client.post(f"/events/{on_sale['id']}/hold", data=form)
    assert answer.headers["Location"].startswith("/sign-in")
    assert not world.ledger.handed_in


def test_what_changes_while_one_looks_is_sent_as_pieces(reader: Reader, on_sale: dict[str, Any]) -> None:
    shelves = {ticket(on_sale, place): Left(Availability.AVAILABLE, 50) for place in range(2)}
    reader.world.stock.shelves = shelves | {ticket(on_sale): Left(Availability.SOLD_OUT, 0)}
    answer = reader.get(f"/events/{on_sale['id']}/left?open=11")
    assert "Set-Cookie" not in answer.headers
    assert "<html" not in reader.page
    assert f'<p id="left-{ticket(on_sale)}" class="state bad" hx-swap-oob="true">Sold out</p>' in reader.page
    assert f'id="choice-{ticket(on_sale)}" hx-swap-oob="true"' in reader.page
    assert f'id="choice-{ticket(on_sale, 1)}"' not in reader.page
    assert f"/events/{on_sale['id']}/left?open=01" in reader.page


def test_a_crowd_that_looks_asks_once_a_second(reader: Reader, on_sale: dict[str, Any]) -> None:
    asked: list[UUID] = []

    def left(event: UUID) -> dict[UUID, Left]:
        asked.append(event)
        return {}

    reader.world.stock.left = left  # type: ignore[method-assign]
    for _ in range(5):
        reader.get(f"/events/{on_sale['id']}/left?open=11")
    assert len(asked) == 1


def test_an_event_that_is_not_there_is_a_page(reader: Reader) -> None:
    for path in (f"/events/{uuid4()}", f"/events/{uuid4()}/left", "/events/x"):
        assert reader.get(path).status_code == 404
        assert "Page not found" in reader.page


def test_the_time_is_that_of_the_place(reader: Reader, client: Any, on_sale: dict[str, Any]) -> None:
    tokyo = {"timeZone": "Asia/Tokyo", "startsAt": datetime(2030, 5, 17, 10, tzinfo=UTC).isoformat()}
    assert client.patch(f"/api/v3/events/{on_sale['id']}", json=tokyo).status_code == 200
    reader.get(f"/events/{on_sale['id']}")
    assert "Friday 17 May 2030, 19:00 (Tokyo time)" in reader.page


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("49.90", "EUR", "€49.90"),
        ("0.00", "EUR", "free"),
        ("2700.00", "SRD", "SRD\u00a02,700.00"),
        ("1200", "JPY", "JP¥1,200"),
        ("0.350", "KWD", "KWD\u00a00.350"),
    ],
)
def test_money_is_written_as_its_currency_is(amount: str, currency: str, written: str) -> None:
    assert money(Money(amount=amount, currency=currency)) == written


@pytest.mark.parametrize("state", [Availability.SOLD_OUT, Availability.NOT_ON_SALE_YET, Availability.SALE_OVER])
def test_there_is_no_button_for_what_cannot_be_had(
    reader: Reader, on_sale: dict[str, Any], state: Availability
) -> None:
    path = f"/events/{on_sale['id']}"
    reader.world.stock.shelves = {ticket(on_sale, place): Left(state, 0) for place in (0, 1)}
    reader.get(path)
    assert "Hold these tickets" not in reader.page
    assert "HX-Refresh" not in reader.get(f"{path}/left?open=00").headers
    assert reader.get(f"{path}/left?open=10").headers["HX-Refresh"] == "true"
    reader.world.stock.shelves = {ticket(on_sale, place): Left(Availability.AVAILABLE, 1) for place in (0, 1)}
    reader.world.app.extensions.pop("pieces of events")
    assert reader.get(f"{path}/left?open=00").headers["HX-Refresh"] == "true"
    reader.get(path)
    assert "Hold these tickets" in reader.page


def test_an_event_that_has_ended_is_over_and_sells_nothing(
    reader: Reader, client: Any, on_sale: dict[str, Any]
) -> None:
    times = {"startsAt": (NOW - timedelta(days=1)).isoformat(), "endsAt": NOW.isoformat()}
    assert client.patch(f"/api/v3/events/{on_sale['id']}", json=times).status_code == 200
    reader.world.stock.shelves = {ticket(on_sale, place): Left(Availability.AVAILABLE, 9) for place in (0, 1)}
    reader.get(f"/events/{on_sale['id']}")
    assert ">Over</p>" in reader.page
    assert "Hold these tickets" not in reader.page
    assert "n-" + str(ticket(on_sale)) not in reader.page


def test_an_event_of_several_days_shows_its_last_one(reader: Reader, client: Any, on_sale: dict[str, Any]) -> None:
    times = {"startsAt": "2030-07-05T16:00:00+02:00", "endsAt": "2030-07-08T02:00:00+02:00"}
    assert client.patch(f"/api/v3/events/{on_sale['id']}", json=times).status_code == 200
    reader.get(f"/events/{on_sale['id']}")
    assert "Friday 5 July 2030, 16:00" in reader.page
    assert "until Monday 8 July 2030, 02:00" in reader.page
