"""The organizer's pages: creating, editing, publishing, cancelling, and who gets a mail."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from api.ports.events import Listing
from api.ports.sales import Curve, Reached
from api.roles import Role
from api.schemas.event import Event
from api.schemas.fields import Money
from api.schemas.sales import EventSales, PaymentTotals, TypeSales
from tables.messages.payment_modes import PaymentMode
from tables.messages.statuses import EVENT_TRANSITIONS, EventStatus
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.reader import Reader, make_account

CONCERT = {
    "title": "Winterreise",
    "venue": "Musikverein",
    "city": "Vienna",
    "country": "at",
    "tags": "lied, winter , lied",
    "startsAt": "2030-01-17T20:00",
    "endsAt": "2030-01-17T22:30",
    "timeZone": "Europe/Vienna",
    "capacity": "1,700",
    "maxPerOrder": "",
}
STALLS = {"name": "Stalls", "price": "49.9", "currency": "eur", "quantity": "100", "position": "2"}


@pytest.fixture
def owner(world: World) -> UUID:
    return make_account(world, Role.ORGANIZER, email="ada@owner.example")


@pytest.fixture
def organizer(world: World, owner: UUID) -> Reader:
    """An organizer who is signed in."""
    return signed_in(world, owner)


@pytest.fixture
def event(world: World, organizer: Reader) -> str:
    """The path of an event that was made through the form."""
    organizer.get("/organize/new")
    answer = organizer.send("/organize/new", CONCERT)
    assert answer.status_code == 303, organizer.page
    return answer.headers["Location"]


def signed_in(world: World, account: UUID) -> Reader:
    reader = Reader(world)
    token, _ = world.tokens.issue(account, frozenset({Role.BUYER, Role.ORGANIZER}))
    reader.client.set_cookie("turnstile", token)
    return reader


def only(world: World) -> Listing:
    [listing] = world.events.rows.values()
    return listing


def publish(organizer: Reader, event: str) -> None:
    organizer.get(f"{event}/status/ACTIVE")
    assert organizer.send(f"{event}/status/ACTIVE").status_code == 303


def add_type(organizer: Reader, event: str, **more: str) -> str:
    organizer.get(f"{event}/types/new")
    assert organizer.send(f"{event}/types/new", STALLS | more).status_code == 303, organizer.page
    organizer.get(event)
    return str(re.findall(rf'href="({event}/types/[^"n][^"]*)"', organizer.page)[-1])


def test_a_quantity_below_what_is_sold_is_told_before_and_after(world: World, organizer: Reader, event: str) -> None:
    kind = add_type(organizer, event, quantity="30")
    revenue = Money(amount="1447.10", currency="EUR")
    ticket = UUID(kind.rpartition("/")[2])
    world.sales.types = [TypeSales(ticket_type_id=ticket, name="Stalls", held=1, sold=29, revenue=revenue)]
    organizer.get(kind)
    assert "30 tickets are sold or held. With a lower quantity they stay valid, and no more are sold." in organizer.page
    assert organizer.send(kind, STALLS | {"quantity": "1"}).status_code == 303
    organizer.get(event)
    assert "29 more than this quantity are sold or held. They stay valid; no more are sold." in organizer.page


def test_an_event_is_made_as_a_draft_of_ones_own(world: World, owner: UUID, event: str) -> None:
    made = only(world).event
    assert (made.organizer_id, made.status, made.title) == (owner, "DRAFT", "Winterreise")
    assert made.starts_at == datetime(2030, 1, 17, 19, tzinfo=UTC)
    assert (made.country, made.tags, made.capacity, made.max_per_order) == ("AT", ["lied", "winter"], 1_700, None)
    assert event == f"/organize/events/{made.id}"


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [
        ("title", " ", "title"),
        ("endsAt", "2030-01-17T19:00", "endsAt"),
        ("startsAt", "soon", "startsAt"),
        ("timeZone", "Mars/Olympus", "timeZone"),
        ("capacity", "many", "capacity"),
        ("country", "QQ", "country"),
        ("tags", "x" * 140_000, "tags"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_made(
    world: World, organizer: Reader, field: str, value: str, place: str
) -> None:
    organizer.get("/organize/new")
    assert organizer.send("/organize/new", CONCERT | {field: value}).status_code == 422
    assert not world.events.rows
    assert 'value="Musikverein"' in organizer.page
    assert re.search(rf'is-wrong">\s*<label for="{place}"', organizer.page)


def test_a_tag_after_very_many_commas_is_read(world: World, organizer: Reader) -> None:
    organizer.get("/organize/new")
    assert organizer.send("/organize/new", CONCERT | {"tags": "," * 140_000 + "last"}).status_code == 303
    assert only(world).event.tags == ["last"]


def test_the_longest_description_fits_into_the_form(world: World, organizer: Reader, event: str) -> None:
    organizer.get(f"{event}/edit")
    answer = organizer.send(f"{event}/edit", CONCERT | {"description": "🎻" * 20_000})
    assert answer.status_code == 303
    assert len(only(world).event.description) == 20_000


def test_the_form_shows_the_event_on_its_own_clocks_and_leaves_the_rest_alone(
    world: World, organizer: Reader, event: str
) -> None:
    before = only(world).event
    kept = before.model_copy(update={"latitude": 48.2, "longitude": 16.4})
    world.events.rows[before.id] = Listing(kept, ())
    organizer.get(f"{event}/edit")
    assert 'value="2030-01-17T20:00"' in organizer.page
    sent = CONCERT | {"title": "Schwanengesang", "capacity": "", "startsAt": "2030-01-17T21:00"}
    assert organizer.send(f"{event}/edit", sent).status_code == 303
    after = only(world).event
    assert (after.title, after.capacity, after.latitude) == ("Schwanengesang", None, 48.2)
    assert after.starts_at == before.starts_at + timedelta(hours=1)


def test_how_an_event_is_paid_is_chosen_in_its_form(world: World, organizer: Reader, event: str) -> None:
    assert only(world).event.payment is PaymentMode.NONE
    organizer.get(f"{event}/edit")
    assert organizer.send(f"{event}/edit", CONCERT | {"payment": "online"}).status_code == 303
    assert only(world).event.payment is PaymentMode.ONLINE
    organizer.get(f"{event}/edit")
    assert '<option value="online" selected>' in organizer.page
    world.stock.out.add(only(world).event.id)
    assert organizer.send(f"{event}/edit", CONCERT | {"payment": "none"}).status_code == 409
    assert "while no tickets are held or sold" in organizer.page


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(world: World, organizer: Reader, event: str) -> None:
    other = signed_in(world, only(world).event.organizer_id)
    organizer.get(f"{event}/edit")
    publish(other, event)
    assert organizer.send(f"{event}/edit", CONCERT | {"title": "Late"}).status_code == 412
    assert "Somebody else changed this" in organizer.page
    assert only(world).event.title == "Winterreise"


def test_ticket_types_are_made_changed_and_removed(world: World, organizer: Reader, event: str) -> None:
    path = add_type(organizer, event, saleStartsAt="2029-06-01T10:00")
    [ticket] = only(world).tickets
    assert (ticket.name, ticket.price.amount, ticket.price.currency, ticket.quantity) == ("Stalls", "49.90", "EUR", 100)
    assert ticket.sale_starts_at == datetime(2029, 6, 1, 8, tzinfo=UTC)
    organizer.get(path)
    assert organizer.send(path, STALLS | {"quantity": "120", "saleStartsAt": ""}).status_code == 303
    [ticket] = only(world).tickets
    assert (ticket.quantity, ticket.sale_starts_at, ticket.version) == (120, None, 2)
    organizer.get(path)
    assert organizer.send(f"{path}/remove").status_code == 303
    assert only(world).tickets == ()


@pytest.mark.parametrize(
    ("field", "value", "place"),
    [("price", "free", "price"), ("currency", "xyz", "currency"), ("quantity", "", "quantity"), ("name", "", "name")],
)
def test_a_ticket_type_that_makes_no_sense_is_not_made(
    world: World, organizer: Reader, event: str, field: str, value: str, place: str
) -> None:
    organizer.get(f"{event}/types/new")
    assert organizer.send(f"{event}/types/new", STALLS | {field: value}).status_code == 422
    assert re.search(rf'is-wrong">\s*<label for="{place}"', organizer.page)
    assert only(world).tickets == ()


@pytest.mark.parametrize("is_looked_up", [True, False], ids=["before", "since purchases were looked up"])
def test_a_ticket_type_that_was_bought_stays(
    world: World, organizer: Reader, event: str, *, is_looked_up: bool
) -> None:
    path = add_type(organizer, event)
    (world.stock.bought if is_looked_up else world.stock.out).add(only(world).tickets[0].id)
    organizer.get(path)
    assert organizer.send(f"{path}/remove").status_code == 409
    assert "It has purchases" in organizer.page
    assert len(only(world).tickets) == 1


def test_a_ticket_type_of_an_event_that_has_changed_is_told_so_before_its_purchases(
    world: World, organizer: Reader, event: str
) -> None:
    path = add_type(organizer, event)
    world.stock.bought.add(only(world).tickets[0].id)
    organizer.get(path)
    assert organizer.send(f"{path}/remove", {"version": "99"}).status_code == 412


def test_before_an_event_is_cancelled_it_is_said_how_many_people_get_a_mail(
    world: World, organizer: Reader, event: str
) -> None:
    publish(organizer, event)
    world.attendance.reach = Reached(312, 340)
    organizer.get(f"{event}/status/CANCELED")
    assert "312 people with 340 purchases</b> will get an e-mail" in organizer.page
    assert only(world).event.status == "ACTIVE"
    assert organizer.send(f"{event}/status/CANCELED").status_code == 303
    assert only(world).event.status == "CANCELED"


def test_pausing_mails_nobody_and_says_so(world: World, organizer: Reader, event: str) -> None:
    publish(organizer, event)
    world.attendance.reach = Reached(312, 340)
    organizer.get(f"{event}/status/ON_HOLD")
    assert "Nobody will be e-mailed" in organizer.page


def test_a_postponed_event_that_takes_place_after_all_is_told(world: World, organizer: Reader, event: str) -> None:
    world.attendance.reach = Reached(1, 1)
    publish(organizer, event)
    organizer.get(f"{event}/status/POSTPONED")
    assert "1 person with 1 purchase</b> will get an e-mail." in organizer.page
    organizer.send(f"{event}/status/POSTPONED")
    organizer.get(f"{event}/status/ACTIVE")
    assert "will get an e-mail" in organizer.page


def test_a_question_that_was_read_before_a_change_is_asked_again(world: World, organizer: Reader, event: str) -> None:
    publish(organizer, event)
    organizer.get(f"{event}/status/CANCELED")
    key = organizer.hidden(f"{event}/status/CANCELED")
    add_type(organizer, event)
    answer = organizer.client.post(f"{event}/status/CANCELED", data=key)
    assert answer.status_code == 409
    assert only(world).event.status == "ACTIVE"


def test_what_cannot_become_of_an_event_is_not_offered_and_not_done(
    world: World, organizer: Reader, event: str
) -> None:
    organizer.get(event)
    offered = set(re.findall(rf'{event}/status/(\w+)"', organizer.page))
    assert offered == {status.value for status in EVENT_TRANSITIONS[EventStatus.DRAFT]}
    assert organizer.get(f"{event}/status/POSTPONED").status_code == 409
    assert organizer.get(f"{event}/status/EXPLODED").status_code == 404


def test_only_ones_own_events_are_listed(world: World, organizer: Reader, event: str) -> None:
    other = signed_in(world, make_account(world, Role.ORGANIZER, email="eve@owner.example"))
    assert other.get(event).status_code == 404
    publish(organizer, event)
    organizer.get("/organize")
    other.get("/organize")
    assert ("Winterreise" in organizer.page, "Winterreise" in other.page) == (True, False)
    assert other.get(event).status_code == 404
    for cursor in ("x", "x" * 200, "%00", "%ff"):
        assert other.get(f"/organize?cursor={cursor}").status_code == 422


def test_sales_are_drawn_as_lines_that_grow(world: World, organizer: Reader, event: str) -> None:
    add_type(organizer, event)
    [ticket] = only(world).tickets
    begins = datetime(2029, 1, 1, tzinfo=UTC)
    steps = ((0.5, 10), (1.0, 40))
    world.attendance.grown = Curve(begins, begins + timedelta(days=7), {ticket.id: steps, uuid4(): steps[:1]})
    organizer.get(event)
    assert "Stalls 40" in organizer.page
    assert '<path class="line-1" d="M0,120' in organizer.page
    assert "1 Jan 2029, 01:00" in organizer.page


def test_what_is_paid_online_is_summed_up_with_the_way_to_its_list(world: World, organizer: Reader, event: str) -> None:
    organizer.get(event)
    assert "Online payments" not in organizer.page
    amounts = {"sold": "63", "captured": "84", "refunded": "21", "goodwill": "0", "fees": "2.5", "payout": "60.5"}
    sums = {name: Money.of(Decimal(amount), "EUR") for name, amount in amounts.items()}
    world.sales.payments = [PaymentTotals(**sums, disputed=2)]
    world.sales.table = [("p-1", "21.00")]
    organizer.get(event)
    for shown in ("€63.00", "€84.00", "€21.00", "€2.50", "€60.50", "Buyers dispute 2 payments"):
        assert shown in organizer.page
    assert f'href="{event}/payments"' in organizer.page
    assert f'href="{event}/payments.csv"' in organizer.page
    organizer.get(f"{event}/payments.csv")
    assert "p-1,21.00" in organizer.page


def test_the_list_of_attendees_runs_nothing_in_a_spreadsheet(world: World, organizer: Reader, event: str) -> None:
    world.attendance.rows = [("=cmd()", "Eve"), ("Lovelace", "Ada")]
    answer = organizer.get(f"{event}/attendees.csv")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="attendees-')
    assert organizer.page.removeprefix("\ufeff").splitlines() == ["lastName,firstName", "'=cmd(),Eve", "Lovelace,Ada"]


def test_every_status_can_be_told_in_words(organizer: Reader, world: World, event: str) -> None:
    known = only(world).event
    for status in EventStatus:
        changed: Event = known.model_copy(update={"status": status})
        world.events.rows[known.id] = Listing(changed, ())
        assert organizer.get(event).status_code == 200
        assert organizer.get("/organize").status_code == 200


def test_a_quantity_below_what_is_out_is_told_before_and_after(world: World, organizer: Reader, event: str) -> None:
    path = add_type(organizer, event)
    [ticket] = only(world).tickets
    sold = TypeSales(ticket_type_id=ticket.id, name="Stalls", held=1, sold=28, revenue=Money.of(Decimal(0), "EUR"))
    sales = EventSales(event_id=ticket.event_id, ticket_types=[sold], items=[])
    world.sales.of_event = lambda event, limit, cursor: sales  # type: ignore[method-assign]
    organizer.get(event)
    assert "more than this quantity" not in organizer.page
    organizer.get(path)
    assert "29 tickets are sold or held" in organizer.page
    assert organizer.send(path, {"quantity": "1"}).status_code == 303
    organizer.get(event)
    assert "28 more than this quantity are sold or held" in organizer.page
