"""The demonstration catalogue, and loading it into an application on fakes."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest

from api.roles import Role
from api.schemas.event import NewEvent
from api.schemas.search import FoundEvent
from lab.demo.catalogue import NotLoaded, load, send, wait_until_found
from lab.demo_catalogue import DemoCatalogue, demo_catalogue
from lab.target import NOBODY
from tests.unit.api.fakes.world import World, make_world

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass
class InProcess(httpx.AsyncBaseTransport):
    """Hands requests to the application; ``refusals`` come first."""

    world: World
    refusals: list[httpx.Response] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.methods.append(request.method)
        if self.refusals:
            return self.refusals.pop()
        kept = {name: value for name, value in request.headers.items() if name == "content-type"}
        answer = self.world.client(NOBODY, Role.ADMINISTRATOR).open(
            str(request.url), method=request.method, data=request.content, headers=kept
        )
        return httpx.Response(answer.status_code, content=answer.data)


def within(transport: InProcess, work: Callable[[httpx.AsyncClient], Awaitable[object]]) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(base_url="http://api.test/api/v3", transport=transport) as client:
            await work(client)

    asyncio.run(run())


@pytest.fixture(scope="module")
def everything() -> DemoCatalogue:
    return demo_catalogue(NOW)


@pytest.fixture
def few(everything: DemoCatalogue) -> DemoCatalogue:
    return DemoCatalogue(everything.organizers, everything.events[::20])


def test_the_catalogue_is_large_and_comes_from_many_places(everything: DemoCatalogue) -> None:
    events = everything.events
    assert len({event["id"] for event in events}) == len(events) >= 200
    assert len(everything.organizers) >= 5
    assert len({event["city"] for event in events}) >= 40
    assert len({event["timeZone"] for event in events}) >= 20
    currencies = {ticket["price"]["currency"] for event in events for ticket in event["ticketTypes"]}
    assert {"EUR", "JPY", "KWD", "CLP"} < currencies


def test_everything_is_what_the_api_takes_and_lies_ahead(everything: DemoCatalogue) -> None:
    for body in everything.events:
        event = NewEvent.model_validate(body)
        assert event.starts_at > NOW + timedelta(days=13)
        assert len(event.description) > 60
        assert 2 <= len(event.ticket_types) <= 4
        assert all(ticket.quantity > 0 for ticket in event.ticket_types)


def test_tags_are_kinds_and_no_languages(everything: DemoCatalogue) -> None:
    tags = Counter(tag for event in everything.events for tag in event["tags"])
    assert tags.keys().isdisjoint(organizer["locale"] for organizer in everything.organizers)
    assert {tag for tag, _ in tags.most_common(3)} <= {"concert", "jazz", "rock", "festival", "música", "sport"}


def test_events_begin_at_an_hour_of_their_own_zone(everything: DemoCatalogue) -> None:
    for event in everything.events:
        starts = datetime.fromisoformat(event["startsAt"]).astimezone(ZoneInfo(event["timeZone"]))
        assert 11 <= starts.hour <= 21


def test_the_same_day_gives_the_same_catalogue(everything: DemoCatalogue) -> None:
    assert demo_catalogue(NOW) == everything


def test_loading_makes_everything(few: DemoCatalogue) -> None:
    world, ticks = make_world(), list[int]()
    within(InProcess(world), lambda client: load(client, few, ticks.append))
    assert len(world.events.rows) == len(few.events) == sum(ticks)
    for event in few.events:
        listing = world.events.rows[UUID(event["id"])]
        assert [str(ticket.id) for ticket in listing.tickets] == [ticket["id"] for ticket in event["ticketTypes"]]


def test_loading_again_changes_nothing(few: DemoCatalogue) -> None:
    world = make_world()
    within(InProcess(world), lambda client: load(client, few, lambda _: None))
    announced = len(world.events.announced)
    within(InProcess(world), lambda client: load(client, few, lambda _: None))
    assert len(world.events.announced) == announced


def test_loading_completes_what_was_interrupted(few: DemoCatalogue) -> None:
    world = make_world()
    half = DemoCatalogue(few.organizers[:5], [event for event in few.events if event["title"].isascii()])
    with contextlib.suppress(ExceptionGroup):
        within(InProcess(world), lambda client: load(client, half, lambda _: None))
    assert len(world.events.rows) < len(few.events)
    within(InProcess(world), lambda client: load(client, few, lambda _: None))
    assert len(world.events.rows) == len(world.events.announced) == len(few.events)


def test_a_server_that_is_not_there_yet_is_asked_again() -> None:
    transport = InProcess(make_world(), [httpx.Response(503), httpx.Response(503)])
    within(transport, lambda client: send(client, "GET", "/health/live"))
    assert len(transport.methods) == 3


def test_a_server_that_does_not_come_in_time_ends_the_loading_with_its_answer() -> None:
    transport = InProcess(make_world(), [httpx.Response(503, text="no search")] * 2)
    with pytest.raises(NotLoaded, match="GET /events/search was not served within 0 s: no search"):
        within(transport, lambda client: send(client, "GET", "/events/search", 0.0))
    assert len(transport.methods) == 1


def test_a_refusal_ends_the_loading_with_its_reason(few: DemoCatalogue) -> None:
    transport = InProcess(make_world(), [httpx.Response(422, text="birthDate is wrong")])
    with pytest.raises(NotLoaded, match="birthDate is wrong"):
        within(transport, lambda client: load(client, few, lambda _: None))


def test_the_loader_waits_until_the_search_finds_all() -> None:
    world, ticks = make_world(), list[int]()
    world.index.found = [
        FoundEvent(id=name, title=name, status="ACTIVE", starts_at="2030-01-01T00:00:00Z") for name in ("a", "b", "c")
    ]
    within(InProcess(world), lambda client: wait_until_found(client, {"a", "c"}, ticks.append))
    assert sum(ticks) == 2
