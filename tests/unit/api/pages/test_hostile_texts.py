"""What people type, on every page that shows it: read back as typed, in the same places, and turning nothing around."""

from dataclasses import replace
from functools import cache
from typing import Final
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit
from uuid import uuid4

import msgspec
from hypothesis import example, given, settings

from api.board.board_text import NOTHING
from api.board.components import unknown_components
from api.board.invariants import invariants
from api.board.pipeline_state import PipelineState
from api.board.rates import DecisionRates
from api.board.snapshot import BoardSnapshot, EventShown, TypeShown, frame
from api.board.stock_bounds import StockBounds
from api.pages.board_texts import said_in
from api.ports.sales import Curve
from api.ports.seating import StoredPlan
from api.roles import Role
from api.schemas.fields import Money
from api.schemas.purchase import BoughtLine, Purchase, public_id
from api.schemas.search import Count, Facets, FoundEvent, FoundEvents
from tables.text.sanitize import BIDI_CONTROLS, sanitize
from tests.documents import Document, Place
from tests.hostile import TEXTS
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.world import World, make_world
from tests.unit.api.pages.reader import Reader, make_account
from tests.unit.api.pages.test_permissions import make_event

# What stands in the harmless pages where people typed.
TYPED: Final = "Winterreise"
# What no field takes (NUL), or cuts off (what is not seen at both ends), or is longer than it takes.
FIELDS: Final = TEXTS.map(lambda text: f"x{text.replace(chr(0), '')[:180]}x")
EURO: Final = Money(amount="10.00", currency="EUR")


class Stage:
    """One event with one ticket type and one purchase, and its organizer, who is an administrator too."""

    def __init__(self) -> None:
        self.world: World = make_world()
        owner = make_account(self.world, Role.ORGANIZER, Role.ADMINISTRATOR)
        self.listing = make_event(self.world, owner)
        self.ids = self.listing.event.id, uuid4()
        self.kind = self.listing.tickets[0].id
        self.owner = owner
        roles = frozenset({Role.BUYER, Role.ORGANIZER, Role.ADMINISTRATOR})
        self.reader = Reader(self.world)
        self.reader.client.set_cookie("turnstile", self.world.tokens.issue(owner, roles)[0])

    def type(self, text: str) -> None:
        """Let the text stand in every field."""
        fields = dict.fromkeys(("title", "venue", "city"), text)
        event = self.listing.event.model_copy(
            update=fields | {"description": " ".join(text.split()) or "x", "tags": [text]}
        )
        tickets = tuple(each.model_copy(update={"name": text}) for each in self.listing.tickets)
        self.world.events.rows[event.id] = replace(self.listing, event=event, tickets=tickets)
        seats = [{"label": "1", "x": 0, "y": 0}, {"label": "2", "x": 10, "y": 0, "kind": "wheelchair"}]
        rows = [{"label": "1", "seats": seats}]
        hall = [{"name": "A", "title": text, "category": str(self.kind), "rows": rows}]
        self.world.seating.plans[event.id] = StoredPlan(1, hall)
        account = self.world.accounts.rows[self.owner]
        self.world.accounts.rows[self.owner] = account.model_copy(update={"first_name": text, "last_name": text})
        line = BoughtLine(ticket_type_id=self.kind, name=text, quantity=2, price=EURO)
        self.world.sales.rows[self.ids] = Purchase(
            id=public_id(*self.ids), event_id=event.id, account_id=self.owner, status="confirmed",
            lines=[line], total=EURO, decided_at=NOW,
        )  # fmt: skip
        self.world.attendance.grown = Curve(NOW, NOW, {self.kind: ((1.0, 2),)})
        found = FoundEvent(
            id=str(event.id), title=text, venue=text, city=text, tags=[text], status="ACTIVE",
            starts_at="2030-05-17T18:00:00Z", time_zone="Europe/Vienna", price_from=EURO, availability="low",
        )  # fmt: skip
        counts = [Count(value=text, count=1)]
        facets = Facets(**{name: [] for name in Facets.model_fields} | {"city": counts, "tag": counts})
        self.world.index.search = lambda asked: FoundEvents(  # type: ignore[method-assign]
            items=[found], total=1, facets=facets
        )
        self.world.app.extensions.pop("found at the box office", None)
        self.world.app.extensions.pop("pieces of events", None)
        shown = EventShown(event.id, text, NOTHING, 3, (TypeShown(self.kind, text, 100, 15, 60, 25),))
        parts = unknown_components()
        rules = invariants(StockBounds(), PipelineState(at=0.0), parts)
        self.world.board.now = BoardSnapshot(NOW, DecisionRates().report(NOW.timestamp()), (shown,), parts, rules)

    def page(self, path: str) -> list[Place]:
        answer = self.reader.get(path)
        assert answer.status_code in (200, 409, 422), path
        return Document(self.reader.page).places

    def paths(self, text: str) -> dict[str, str]:
        """The pages that show what was typed, by a name; some by what the address says."""
        event, (_, purchase) = self.listing.event.id, self.ids
        public = public_id(event, purchase)
        return {
            "event": f"/events/{event}",
            "seats": f"/events/{event}/seats?refused=seat-taken&gone=A-1-1&near=A-1-2&seat=A-1-1",
            "plan": f"/organize/events/{event}/seating",
            "section": f"/organize/events/{event}/seating/section?section=A",
            "left": f"/events/{event}/left",
            "found": f"/?{urlencode({'q': text})}",
            "narrowed": f"/?{urlencode({'city': text, 'tag': text})}",
            "tickets": "/tickets",
            "account": "/account",
            "purchase": f"/purchases/{public}",
            "cancel": f"/purchases/{public}/cancel",
            "organize": "/organize",
            "organized": f"/organize/events/{event}",
            "edit": f"/organize/events/{event}/edit",
            "status": f"/organize/events/{event}/status/CANCELED",
            "impossible": f"/organize/events/{event}/status/ACTIVE",
            "type": f"/organize/events/{event}/types/{self.kind}",
            "board": "/board",
            "confirm": f"/confirm?{urlencode({'email': text})}",
        }


@cache
def stage() -> Stage:
    return Stage()


@cache
def harmless() -> dict[str, list[Place]]:
    stage().type(TYPED)
    return {name: stage().page(path) for name, path in stage().paths(TYPED).items()}


def wanted(place: Place, typed: str) -> tuple[str, ...]:
    """What may stand in a place of the harmless page when that was typed."""
    if place.tag in ("title", "option") or place.attribute == "aria-label":
        return (place.value.replace(TYPED, sanitize(typed)),)
    quoted = '"' + typed.replace('"', '""') + '"'  # a tag, in the form
    return tuple(place.value.replace(TYPED, text) for text in (typed, quoted, " ".join(typed.split())))


def read(place: Place) -> Place:
    """The place as a browser reads it: addresses are decoded once more."""
    is_address = place.attribute in ("href", "hx-get", "id")
    return place._replace(value=unquote_plus(place.value)) if is_address else place


def turns_what_stands_beside_it(place: Place) -> bool:
    """Whether a control of the direction of text is where it takes effect beyond its element."""
    is_shown = place.attribute in ("", "aria-label") and place.tag not in ("bdi", "textarea")
    return is_shown and any(ord(letter) in BIDI_CONTROLS for letter in place.value)


@settings(max_examples=40)
@given(FIELDS)
@example('"><script>alert(1)</script>')
@example("safe\u202egnp\u2066 {{ 7 * 7 }} &lt;")
@example("safe\u202egnp.exe\u2066")
def test_every_page_shows_what_was_typed_as_text_that_turns_nothing_beside_it(typed: str) -> None:
    before = harmless()
    stage().type(typed)
    for name, path in stage().paths(typed).items():
        places = stage().page(path)
        assert [each for each in places if turns_what_stands_beside_it(each)] == [], name
        if name == "narrowed" and len(typed) > 50:  # no tag is so long
            continue
        assert [each[:2] for each in places] == [each[:2] for each in before[name]]
        shown = [
            (read(was), read(now).value) for was, now in zip(before[name], places, strict=True) if TYPED in was.value
        ]
        assert shown, name
        wrong = [(was, now) for was, now in shown if now not in wanted(was, typed)]
        assert not wrong, name


@settings(max_examples=20)
@given(FIELDS)
def test_a_search_and_the_board_are_read_back_by_their_scripts(typed: str) -> None:
    stage().type(typed)
    answer = stage().reader.get(f"/?{urlencode({'q': typed})}", **{"HX-Request": "true"})
    replaced = answer.headers["HX-Replace-Url"]
    assert replaced.isascii()
    assert parse_qs(urlsplit(replaced).query) == {"q": [typed]}
    news = frame(stage().world.board.now, said_in("en"))
    assert news.endswith(b"\n\n")
    assert b"\n" not in news[:-2]
    assert b"\r" not in news
    assert msgspec.json.decode(news.removeprefix(b"data: "))["events"][0]["title"] == typed
