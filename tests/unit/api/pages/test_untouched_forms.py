"""A form changes what was changed in it, and nothing else, whatever an event or a ticket type has."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.ports.events import Listing
from api.roles import Role
from api.schemas.event import Event
from api.schemas.fields import Money
from api.schemas.ticket import TicketType
from tables.messages.statuses import EventStatus
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.world import World, make_world
from tests.unit.api.pages.browser_form import sent_by_browser
from tests.unit.api.pages.reader import Reader, make_account

YEAR_2000 = datetime(2000, 1, 1, tzinfo=UTC)
ZONES = sorted(available_timezones())
LIMITS = st.none() | st.integers(1, 10_000_000)
AMOUNTS = {"EUR": 2, "JPY": 0, "KWD": 3}


def texts(most: int, least: int = 0) -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=least, max_size=most)


MOMENTS = st.integers(0, 6_300_000_000_000_000).map(
    lambda later: YEAR_2000 + timedelta(microseconds=later)
) | st.builds(
    # Around the hour that Vienna's clocks show twice, and the one that they skip.
    lambda begins, minutes: begins + timedelta(minutes=minutes),
    st.sampled_from([datetime(2030, 10, 26, 23, tzinfo=UTC), datetime(2030, 3, 31, 0, tzinfo=UTC)]),
    st.integers(0, 180),
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    starts, length = draw(MOMENTS), draw(st.timedeltas(timedelta(microseconds=1), timedelta(days=300)))
    return Event(
        id=uuid4(),
        organizer_id=uuid4(),
        title=draw(texts(30, 1)),
        description=draw(texts(60)),
        venue=draw(texts(20)),
        city=draw(texts(20)),
        country=draw(st.none() | st.sampled_from(["AT", "DE"])),
        tags=draw(st.lists(texts(12, 1) | st.sampled_from(["Rock, Pop", '"Live"', '12" vinyl', "a\nb"]), max_size=5)),
        status=draw(st.sampled_from(EventStatus)),
        starts_at=starts,
        ends_at=starts + length,
        time_zone=draw(st.sampled_from(ZONES) | st.sampled_from(["Japan", "UTC", "Europe/Vienna", "Etc/GMT+12"])),
        capacity=draw(st.none() | st.integers(0, 10_000_000)),
        max_per_order=draw(LIMITS),
        max_per_account=draw(LIMITS),
        version=draw(st.integers(1, 9)),
        created_at=NOW,
        updated_at=NOW,
    )


@st.composite
def ticket_types(draw: st.DrawFn, event: UUID) -> TicketType:
    starts = draw(st.none() | MOMENTS)
    currency = draw(st.sampled_from(sorted(AMOUNTS)))
    return TicketType(
        id=uuid4(),
        event_id=event,
        name=draw(texts(30, 1)),
        price=Money.of(Decimal(draw(st.integers(0, 10**9))).scaleb(-AMOUNTS[currency]), currency),
        quantity=draw(st.integers(0, 10_000_000)),
        sale_starts_at=starts,
        sale_ends_at=draw(st.none() | MOMENTS.filter(lambda ends: starts is None or ends > starts)),
        max_per_order=draw(LIMITS),
        max_per_account=draw(LIMITS),
        position=draw(st.integers(0, 10_000)),
        created_at=NOW,
        updated_at=NOW,
    )


@st.composite
def listings(draw: st.DrawFn) -> Listing:
    event = draw(events())
    return Listing(event, (draw(ticket_types(event.id)),))


class Desk:
    """An administrator's browser, on a world with one event."""

    def __init__(self) -> None:
        self.world: World = make_world()
        self.reader = Reader(self.world)
        account = make_account(self.world, Role.ADMINISTRATOR)
        token, _ = self.world.tokens.issue(account, frozenset({Role.BUYER, Role.ADMINISTRATOR}))
        self.reader.client.set_cookie("turnstile", token)

    def put(self, listing: Listing) -> None:
        """Have this event and no other."""
        self.world.events.rows = {listing.event.id: listing}
        self.world.events.announced.clear()

    def send(self, path: str, **changes: str) -> None:
        """Open the form, change these fields and send all of them, as a browser does."""
        assert self.reader.get(path).status_code == 200
        sent = sent_by_browser(self.reader.page, path) | changes
        answer = self.reader.client.post(path, data=sent)
        assert answer.status_code == 303, answer.get_data(as_text=True)

    @property
    def listing(self) -> Listing:
        """The event as it is now."""
        [found] = self.world.events.rows.values()
        return found


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


def paths(listing: Listing) -> tuple[str, str]:
    event = f"/organize/events/{listing.event.id}"
    return f"{event}/edit", f"{event}/types/{listing.tickets[0].id}"


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(listing=listings())
def test_forms_that_nobody_touched_change_nothing_and_announce_nothing(desk: Desk, listing: Listing) -> None:
    desk.put(listing)
    for path in paths(listing):
        desk.send(path)
    assert desk.listing == listing
    assert desk.world.events.announced == []


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(listing=listings())
def test_one_touched_field_changes_alone(desk: Desk, listing: Listing) -> None:
    desk.put(listing)
    event_form, type_form = paths(listing)
    desk.send(event_form, description="Another text")
    desk.send(type_form, maxPerOrder="7")
    event, ticket = desk.listing.event, desk.listing.tickets[0]
    assert changes(listing.event, event) <= {"description", "version", "updated_at"}
    assert changes(listing.tickets[0], ticket) <= {"max_per_order", "version", "updated_at"}
    assert (event.description, ticket.max_per_order) == ("Another text", 7)


def changes(before: Event | TicketType, after: Event | TicketType) -> set[str]:
    old, new = before.model_dump(), after.model_dump()
    return {name for name in old if old[name] != new[name]}


def plain(**more: Any) -> Listing:
    event = Event(
        id=uuid4(),
        organizer_id=uuid4(),
        title="Winterreise",
        status=EventStatus.ACTIVE,
        starts_at=datetime(2030, 1, 17, 19, tzinfo=UTC),
        ends_at=datetime(2031, 1, 17, 21, tzinfo=UTC),
        time_zone="Europe/Vienna",
        created_at=NOW,
        updated_at=NOW,
    )
    return Listing(event.model_copy(update=more), ())


def test_a_tag_with_a_comma_stays_when_another_is_added(desk: Desk) -> None:
    desk.put(plain(tags=["Rock, Pop", 'the "Live"', "a\nb"]))
    path = f"/organize/events/{desk.listing.event.id}/edit"
    desk.reader.get(path)
    shown = sent_by_browser(desk.reader.page, path)["tags"]
    desk.send(path, tags=f"{shown}, Jazz")
    assert desk.listing.event.tags == ["Rock, Pop", 'the "Live"', "a\nb", "Jazz"]


@pytest.mark.parametrize(("choice", "hour"), [("0", 0), ("1", 1)])
def test_a_time_that_comes_twice_is_asked_for(desk: Desk, choice: str, hour: int) -> None:
    desk.put(plain())
    path = f"/organize/events/{desk.listing.event.id}/edit"
    desk.reader.get(path)
    sent = sent_by_browser(desk.reader.page, path) | {"startsAt": "2030-10-27T02:30"}
    asked = desk.reader.client.post(path, data=sent)
    assert asked.status_code == 422
    page = asked.get_data(as_text=True)
    assert "this time comes twice" in page
    assert "The second, CET" in page
    assert sent_by_browser(page, path)["startsAt"] == "2030-10-27T02:30"
    assert desk.reader.client.post(path, data=sent | {"startsAtFold": choice}).status_code == 303
    assert desk.listing.event.starts_at == datetime(2030, 10, 27, hour, 30, tzinfo=UTC)
    desk.send(path, startsAtFold="0")
    assert desk.listing.event.starts_at == datetime(2030, 10, 27, 0, 30, tzinfo=UTC)


def test_a_time_that_never_comes_is_refused(desk: Desk) -> None:
    desk.put(plain())
    path = f"/organize/events/{desk.listing.event.id}/edit"
    desk.reader.get(path)
    sent = sent_by_browser(desk.reader.page, path) | {"startsAt": "2030-03-31T02:30"}
    answer = desk.reader.client.post(path, data=sent)
    assert answer.status_code == 422
    assert "This time does not exist" in answer.get_data(as_text=True)
    assert desk.listing.event.starts_at == datetime(2030, 1, 17, 19, tzinfo=UTC)


def test_another_time_zone_keeps_the_time_on_the_clock(desk: Desk) -> None:
    desk.put(plain())
    desk.send(f"/organize/events/{desk.listing.event.id}/edit", timeZone="Europe/London")
    assert desk.listing.event.starts_at == datetime(2030, 1, 17, 20, tzinfo=UTC)
