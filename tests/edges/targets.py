"""The input topics: who reads each, a good record for it, and where to see that a good record was taken.

Good records change nothing that other tests count on: an old definition, a rejected purchase, a mail to one account.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from connect.partitioning import partition_of
from connect.topics import (
    ACCOUNT_ROWS,
    COMMANDS,
    DELIVERIES,
    EVENT_ROWS,
    EVENT_STATUS,
    JOBS,
    OUTCOMES,
    PAYMENT_EVENTS,
    PAYMENT_REQUESTS,
    RESENDS,
    RETRIES,
    requests,
)
from tests.eventually import eventually
from tests.pipeline import PARTITIONS, Pipeline

Json = dict[str, Any]

PRODUCER: Final = "partner"
REQUESTS: Final = requests(PRODUCER)
STOCK: Final = 1_000_000
AT: Final = "2026-01-02T03:04:05Z"
STARTS: Final = "2031-05-17T18:00:00Z"
ENDS: Final = "2031-05-17T20:00:00Z"


class World(NamedTuple):
    """What good records speak of: an event with a large stock, and a purchase of an account that gets its mails."""

    event: str
    ticket_type: str
    account: str
    purchase: str
    position: int


def new_world(pipeline: Pipeline) -> World:
    """An event, its ticket type, an account, a purchase that was mailed, and a place in PostgreSQL's log."""
    event, [kind] = pipeline.event(STOCK, title=f"Edges {uuid4().hex[:8]}")
    account = pipeline.account()
    answer = pipeline.buy(event, kind, 1, account)
    assert answer.status_code == 201, answer.text
    eventually(lambda: pipeline.mails(pipeline.title(event)), within=60)
    return World(event, kind, account, answer.json()["id"].partition(".")[2], log_position(pipeline))


def log_position(pipeline: Pipeline) -> int:
    """Where PostgreSQL's log ends now (bytes)."""
    [[position]] = pipeline.rows("SELECT (pg_current_wal_lsn() - '0/0')::bigint")
    return int(position)


@dataclass(frozen=True, slots=True)
class Target:
    """An input topic. ``consumers`` are those with dead letters; ``keyed_by`` names the field of World that is its key.

    Records of a ``compact`` topic have keys of their own: under one, compaction would forget all but the last of them.
    ``good`` makes the value of a good record that can be told by its mark. ``odd`` are changes of its fields that are
    valid JSON, and nothing that anybody should have sent.
    """

    topic: str
    consumers: tuple[str, ...]
    keyed_by: str
    good: Callable[[World, UUID], Json]
    compact: bool = False
    odd: Mapping[str, Json] = field(default_factory=dict)

    def key(self, world: World, mark: UUID) -> bytes:
        """The key of the good record with that mark."""
        return str(mark if self.compact else getattr(world, self.keyed_by)).encode()

    def partition(self, world: World) -> int:
        """Where all good records lie."""
        return partition_of(str(getattr(world, self.keyed_by)).encode(), PARTITIONS)

    def value(self, world: World, mark: UUID, **changes: Any) -> bytes:
        """A good value, with some fields changed."""
        return json.dumps(self.good(world, mark) | changes).encode()


FACTS: Final = {
    "title": "Edges",
    "status": "ACTIVE",
    "startsAt": STARTS,
    "endsAt": ENDS,
    "timeZone": "Europe/Vienna",
    "version": 1,
}
HUGE: Final = 10**30
FAR: Final = {"9999": "9999-12-31T23:59:59.999999Z", "first": "0001-01-01T00:00:00+14:00", "never": "infinity"}


def _line(world: World, **more: Any) -> Json:
    return {"ticketType": world.ticket_type, "quantity": 1, **more}


def _command(world: World, mark: UUID) -> Json:
    body = {"kind": "purchase", "event": world.event, "purchase": str(mark), "account": world.account}
    return body | {"lines": [_line(world)]}


def _event_row(world: World, mark: UUID) -> Json:
    times = {"starts_at": STARTS, "ends_at": ENDS, "time_zone": "Europe/Vienna"}
    row = {"id": str(mark), "title": f"Edges {mark}", "status": "DRAFT", "organizer_id": world.account, **times}
    return row | {"__lsn": world.position, "__op": "u", "__deleted": "false"}


def _account_row(world: World, mark: UUID) -> Json:
    name = {"first_name": "Edge", "last_name": "Case", "email": f"{mark}@edges.example", "locale": "en"}
    return {"id": str(mark), **name, "__lsn": world.position, "__op": "u", "__deleted": "false"}


def _definition(world: World, mark: UUID) -> Json:
    definition = {name: value for name, value in FACTS.items() if name != "version"}
    return {"event": world.event, "version": 1, "definition": definition | {"title": str(mark), "ticketTypes": []}}


def _outcome(world: World, mark: UUID) -> Json:
    body = {"kind": "rejected", "event": world.event, "purchase": str(mark), "account": str(mark), "offset": 1}
    return body | {"status": "rejected", "reason": "sold-out", "at": AT}


def _job(world: World, mark: UUID) -> Json:
    body = {"id": str(mark), "kind": "cancelled", "account": world.account, "event": world.event}
    line = _line(world, name="Standing", price="10.50")
    return body | {
        "purchase": world.purchase,
        "at": AT,
        "facts": FACTS,
        "lines": [line],
        "total": {"amount": "10.50", "currency": "EUR"},
    }


def _resend(world: World, mark: UUID) -> Json:
    return {"id": str(mark), "event": world.event, "purchase": world.purchase, "at": AT}


def _delivery(world: World, mark: UUID) -> Json:
    body = {"id": str(mark), "kind": "confirmed", "status": "sent", "event": world.event}
    return body | {"purchase": world.purchase, "account": world.account, "at": AT}


_MONEY: Final[Json] = {"amount": "10.50", "currency": "EUR"}
_TINY: Final = "1E-999999999"
_ODD_LINE: Final[Json] = {"ticketType": str(UUID(int=1)), "name": "a", "quantity": 1, "price": "1"}
_ODD_HOLD: Final[Json] = {
    "kind": "held",
    "status": "held",
    "reason": None,
    "facts": FACTS,
    "total": {"amount": "1", "currency": "EUR"},
    "lines": [_ODD_LINE],
}
_ODD_AMOUNTS: Final[dict[str, Json]] = {
    f"amount {amount}": {"amount": amount} for amount in ("NaN", "Infinity", "1E+999999", "-1", "0.00001")
}


def _payment_event(world: World, mark: UUID) -> Json:
    body = {"id": str(mark), "kind": "held", "event": world.event, "purchase": str(mark), "at": AT}
    return body | {"account": world.account, "ledgerOffset": 1} | _MONEY


def _payment_request(world: World, mark: UUID) -> Json:
    body = {"id": str(mark), "kind": "authorize", "event": world.event, "purchase": str(mark)}
    return body | {"account": world.account, "provider": "paper"} | _MONEY


_ODD_JOBS: Final[dict[str, Json]] = {
    "zone of Mars": {"facts": FACTS | {"timeZone": "Mars/Phobos"}},
    "zone that is a path": {"facts": FACTS | {"timeZone": "../../etc/passwd"}},
    "zone with a zero byte": {"facts": FACTS | {"timeZone": "a\0b"}},
    **{f"begin {name}": {"facts": FACTS | {"startsAt": at, "endsAt": at}} for name, at in FAR.items()},
    **{f"time {name}": {"at": at} for name, at in FAR.items()},
    "total without a currency": {"total": {"amount": "1", "currency": ""}},
    "total of a million digits": {"total": {"amount": "1E+999999", "currency": "EUR"}},
    "total that is no number": {"total": {"amount": "NaN", "currency": "EUR"}},
    "total with a billion decimals": {"total": {"amount": _TINY, "currency": "EUR"}},
    "reminder without a deadline": {"kind": "hold-ending"},
    "reminder in the year 1": {"kind": "hold-ending", "deadline": "0001-01-01T00:00:00"},
    "title with line breaks": {"facts": FACTS | {"title": "a\r\nBcc: x@y.example\r\n\r\nb"}},
    "title of half a megabyte": {"facts": FACTS | {"title": "t" * 500_000}},
}

TARGETS: Final = (
    Target(
        COMMANDS,
        ("ledger",),
        "event",
        _command,
        odd={
            "quantity beyond all": {"lines": [{"ticketType": str(UUID(int=1)), "quantity": HUGE}]},
            "ticket type of nobody": {"lines": [{"ticketType": str(UUID(int=1)), "quantity": 1}]},
            "no lines": {"lines": []},
            "a thousand lines": {"lines": [{"ticketType": str(UUID(int=1)), "quantity": 1}] * 1_000},
            "confirm of nothing": {"kind": "confirm", "request": str(UUID(int=2))},
            "part of nothing given back": {
                "kind": "cancel",
                "lines": [{"ticketType": str(UUID(int=1)), "quantity": 1}],
            },
            "expiry of nothing": {"kind": "expire"},
            "end of another version": {"kind": "end-purchases", "version": 2**62},
            "hold for ever": {"kind": "hold", "seconds": HUGE},
        },
    ),
    Target(
        EVENT_ROWS,
        ("indexer",),
        "event",
        _event_row,
        compact=True,
        odd={
            "place below zero": {"__lsn": -1},
            "place zero": {"__lsn": 0},
            "place beyond 64 bits": {"__lsn": HUGE},
            "place as a text": {"__lsn": "7"},
            "deletion of the last revision of all": {"__deleted": "true", "revision": 2**63 - 1},
            "tags with a null": {"tags": ["a", None]},
            "tag of half a megabyte": {"tags": ["t" * 500_000]},
            "zone of Mars": {"time_zone": "Mars/Phobos"},
            "zone that is a path": {"time_zone": "../../etc/passwd"},
            **{f"begin {name}": {"starts_at": at, "ends_at": at} for name, at in FAR.items()},
            "begin of PostgreSQL": {"starts_at": "+294276-12-31T23:59:59Z", "ends_at": "-4713-01-01T00:00:00Z"},
            "latitude off the earth": {"latitude": 500.0, "longitude": 1e308},
            "latitude alone": {"latitude": 1.0, "longitude": None},
            "offers that are no JSON": {"offers": "[{"},
            "offers that are null": {"offers": "null"},
            "offers without end": {"offers": "[" * 100_000},
            "stock that is a list": {"stock": "[]"},
            "title with a zero byte": {"title": "a\0b"},
            "status of nothing": {"status": "WHATEVER"},
        },
    ),
    Target(
        ACCOUNT_ROWS,
        ("contacts",),
        "account",
        _account_row,
        compact=True,
        odd={
            "place below zero": {"__lsn": -1},
            "place beyond 64 bits": {"__lsn": HUGE},
            "no address": {"email": ""},
            "address of half a megabyte": {"email": "e" * 500_000},
            "name with line breaks": {"first_name": "a\r\nb", "last_name": "\0"},
            "language of nobody": {"locale": "xx-\U0001f4a5"},
        },
    ),
    Target(
        EVENT_STATUS,
        ("catalogue",),
        "event",
        _definition,
        odd={
            "version zero": {"version": 0},
            "version beyond 64 bits": {"version": HUGE},
            "definition of nothing": {"definition": {}},
            **{
                f"price {price}": {
                    "definition": {
                        **{name: value for name, value in FACTS.items() if name != "version"},
                        "ticketTypes": [
                            {"id": str(UUID(int=1)), "name": "a", "price": price, "currency": "EUR", "quantity": 1}
                        ],
                    }
                }
                for price in ("NaN", "1E+999999", "-1", "0.00001")
            },
        },
    ),
    Target(
        OUTCOMES,
        ("sales", "notifications"),
        "event",
        _outcome,
        odd={
            "offset beyond 64 bits": {"offset": HUGE},
            "offset below zero": {"offset": -5},
            **{f"time {name}": {"at": at} for name, at in FAR.items()},
            "no purchase": {"purchase": None},
            "no account": {"account": None},
            "no status": {"status": None},
            "sold without facts": {"kind": "confirmed", "status": "confirmed", "reason": None},
            "held without a deadline": _ODD_HOLD,
            "held at an offset beyond 64 bits": _ODD_HOLD | {"offset": HUGE},
            "held in a version beyond 64 bits": _ODD_HOLD | {"facts": FACTS | {"version": HUGE}},
            "held at a price with a billion decimals": _ODD_HOLD | {"lines": [_ODD_LINE | {"price": _TINY}]},
            "figures with a zero byte": {"figures": {"a": "\0"}},
            "figures without end": {"figures": {"a": HUGE**9}},
            **{
                f"price {price}": {
                    "lines": [{"ticketType": str(UUID(int=1)), "name": "a", "quantity": 1_000, "price": price}]
                }
                for price in ("NaN", "Infinity", "1E+999999")
            },
            "change without facts": {"kind": "changed", "purchase": None, "account": None, "status": None},
        },
    ),
    Target(JOBS, ("mailer",), "account", _job, odd=_ODD_JOBS),
    Target(
        RESENDS,
        ("resends",),
        "event",
        _resend,
        odd={"purchase of nobody": {"purchase": str(UUID(int=1))}}
        | {f"time {name}": {"at": at} for name, at in FAR.items()},
    ),
    Target(
        DELIVERIES,
        ("deliveries",),
        "account",
        _delivery,
        odd={f"time {name}": {"at": at} for name, at in FAR.items()} | {"kind of nothing": {"kind": "whatever"}},
    ),
    Target(RETRIES, ("retries",), "account", _job),
    Target(
        REQUESTS,
        ("gate",),
        "event",
        _command,
        odd={
            "quantity beyond all": {"lines": [{"ticketType": str(UUID(int=1)), "quantity": HUGE}]},
            "ticket type of nobody": {"lines": [{"ticketType": str(UUID(int=1)), "quantity": 1}]},
            "account of nobody": {"account": str(UUID(int=1))},
            "confirm of nothing": {"kind": "confirm"},
            "part given back without a request": {"kind": "cancel"},
            "expiry": {"kind": "expire"},
            "hold for ever": {"kind": "hold", "seconds": HUGE},
        },
    ),
    Target(
        PAYMENT_EVENTS,
        ("payments",),
        "purchase",
        _payment_event,
        odd=_ODD_AMOUNTS
        | {f"time {name}": {"at": at} for name, at in FAR.items()}
        | {f"deadline {name}": {"deadline": at} for name, at in FAR.items()}
        | {
            "payment of nobody": {"kind": "captured", "provider": "paper"},
            "kind of nothing": {"kind": "whatever"},
            "hold of nobody": {"account": None},
            "offset beyond 64 bits": {"ledgerOffset": HUGE},
            "currency in small letters": {"currency": "eur"},
        },
    ),
    Target(
        PAYMENT_REQUESTS,
        ("payment-requests",),
        "purchase",
        _payment_request,
        odd=_ODD_AMOUNTS
        | {f"deadline {name}": {"deadline": at} for name, at in FAR.items()}
        | {
            "provider of nobody": {"provider": "nobody"},
            "currency of nobody": {"currency": "ZZZ"},
            "currency of gold": {"currency": "XAU"},
        },
    ),
)
