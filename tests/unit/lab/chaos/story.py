"""A small run in which everything went well, as evidence: two buyers, three tickets, a record that nobody can read."""

import json
from typing import Any
from uuid import UUID, uuid5

import msgspec

from lab.chaos.evidence import Evidence, Record

Json = dict[str, Any]

EVENT = "11111111-1111-4111-8111-111111111111"
KIND = "22222222-2222-4222-8222-222222222222"
ADA = "33333333-3333-4333-8333-333333333333"
BOB = "44444444-4444-4444-8444-444444444444"
DRAFT = "55555555-5555-4555-8555-555555555555"
ORGANIZER = "66666666-6666-4666-8666-666666666666"
BOUGHT, REFUSED, HELD = str(uuid5(UUID(ADA), "a")), str(uuid5(UUID(BOB), "b")), str(uuid5(UUID(BOB), "c"))
BEGAN = 1_800_000_000
POISON = "not JSON"
NAMESPACE = UUID("5b1f0c1e-6f0f-5c0e-9d57-7e1b6f3a9c21")
KEY = EVENT.encode()


def mail_id(purchase: str, offset: int, kind: str, account: str) -> str:
    return str(uuid5(NAMESPACE, f"{EVENT}/{purchase}/{offset}/{kind}/{account}"))


def moment(seconds: float) -> str:
    return f"2027-01-15T08:00:{seconds:06.3f}Z"


DEFINITION = {
    "title": "Tempest",
    "status": "ACTIVE",
    "startsAt": "2031-05-17T18:00:00Z",
    "endsAt": "2031-05-17T20:00:00Z",
    "timeZone": "Europe/Vienna",
    "ticketTypes": [{"id": KIND, "name": "Floor", "price": "10.50", "currency": "EUR", "quantity": 3}],
}
FACTS = {name: DEFINITION[name] for name in ("title", "status", "startsAt", "endsAt", "timeZone")} | {"version": 1}


def buying(kind: str, purchase: str, account: str, quantity: int) -> Json:
    lines = [{"ticketType": KIND, "quantity": quantity}]
    return {"kind": kind, "event": EVENT, "purchase": purchase, "account": account, "lines": lines}


def outcome(kind: str, offset: int, purchase: str, account: str, quantity: int = 0, **more: Any) -> Json:
    codes = {"codes": [f"{purchase}-{number}" for number in range(quantity)]} if kind == "confirmed" else {}
    line = {"ticketType": KIND, "name": "Floor", "quantity": quantity, "price": "10.50"} | codes
    told = {"kind": kind, "event": EVENT, "offset": offset, "at": moment(offset), "purchase": purchase}
    return told | {"account": account, "status": kind, "lines": [line] if quantity else []} | more


def commands() -> list[bytes]:
    bodies: list[Json | str] = [
        {"kind": "define-event", "event": EVENT, "version": 1, "definition": DEFINITION},
        buying("purchase", BOUGHT, ADA, 2),
        buying("purchase", REFUSED, BOB, 2),
        buying("hold", HELD, BOB, 1) | {"seconds": 2},
        POISON,
        {"kind": "expire", "event": EVENT, "purchase": HELD},
    ]
    return [each.encode() if isinstance(each, str) else json.dumps(each).encode() for each in bodies]


def outcomes() -> list[bytes]:
    short = {"limit": 3, "requested": 2, "ticketType": KIND, "available": 1, "held": 0}
    told: list[Json] = [
        {"kind": "changed", "event": EVENT, "offset": 0, "at": moment(0), "facts": FACTS},
        outcome("confirmed", 1, BOUGHT, ADA, 2),
        outcome("rejected", 2, REFUSED, BOB, reason="sold-out", figures=short),
        outcome("held", 3, HELD, BOB, 1, deadline=moment(5)),
        outcome("expired", 5, HELD, BOB, 1),
    ]
    return [json.dumps(each).encode() for each in told]


def changelog() -> list[tuple[bytes, bytes]]:
    event, kind = UUID(EVENT).bytes, UUID(KIND).bytes
    encode = msgspec.msgpack.encode

    def purchase(identity: str, account: str, *history: tuple[int, str]) -> tuple[bytes, bytes]:
        decisions = [[offset, 0, told] for offset, told in history]
        record = [history[-1][0], UUID(account).bytes, "", "EUR", decisions]
        return event + b"p" + UUID(identity).bytes, encode(record)

    def stock(offset: int, held: int, sold: int) -> tuple[bytes, bytes]:
        return event + b"e", encode([offset, 1, json.dumps(DEFINITION).encode(), [[kind, held, sold]], None])

    return [
        purchase(BOUGHT, ADA, (1, "confirmed")),
        purchase(REFUSED, BOB, (2, "rejected")),
        purchase(HELD, BOB, (3, "held")),
        stock(3, 1, 2),
        (event + b"a" + UUID(ADA).bytes, encode([1, [[kind, 2]]])),
        purchase(HELD, BOB, (3, "held"), (5, "expired")),
        stock(5, 0, 2),
    ]


def records(values: list[bytes], key: bytes = KEY) -> list[Record]:
    """A topic's records, a second apart, the first at the beginning of the run."""
    return [Record(0, place, 1000 * (BEGAN + place), key, value) for place, value in enumerate(values)]


def operation(number: int, name: str, who: str = "", **more: Any) -> Json:
    return {"n": number, "name": name, "who": who, "key": "", "body": None, "headers": {}, "topic": ""} | more


def order(quantity: int, **more: Any) -> Json:
    return {"eventId": EVENT, "lines": [{"ticketTypeId": KIND, "quantity": quantity}], **more}


def note(number: int, what: str, at: float, status: int, answer: Json, **more: Any) -> Json:
    tried = {"n": number, "what": what, "at": BEGAN + at, "until": BEGAN + at + 0.4, "status": status}
    return tried | {"answer": answer, "try": 0, "followed": False, "method": "POST", "path": "/purchases"} | more


def bought() -> Json:
    return {"id": f"{EVENT}.{BOUGHT}", "status": "confirmed", "lines": [{"quantity": 2}]}


def history() -> list[Json]:
    listed = {"items": [{"id": f"{EVENT}.{BOUGHT}", "status": "confirmed"}]}
    return [
        note(0, "buy", 0.8, 201, bought()),
        note(1, "buy", 1.8, 409, {"type": "/problems/sold-out"}),
        note(2, "hold", 2.8, 201, {"id": f"{EVENT}.{HELD}", "status": "held"}),
        note(3, "again", 6.0, 201, bought()),
        note(4, "intrude", 6.0, 404, {}, method="GET", path=f"/purchases/{EVENT}.{BOUGHT}"),
        note(5, "search", 6.0, 200, {"items": [{"id": EVENT, "status": "ACTIVE"}]}, path="/events/search?q=x"),
        note(99, "closing", 9.0, 200, listed, who=ADA, method="GET", path=f"/accounts/{ADA}/purchases"),
        {"what": "poison", "n": 6, "at": BEGAN + 4, "until": BEGAN + 4.1, "partition": 0, "offset": 4},
    ]


def workload() -> list[Json]:
    first: Json = {"who": ADA, "key": "a", "body": order(2)}
    return [
        operation(0, "buy", **first),
        operation(1, "buy", BOB, key="b", body=order(2)),
        operation(2, "hold", BOB, key="c", body=order(1, hold=True, holdSeconds=2)),
        operation(3, "again", **first),
        operation(4, "intrude", BOB),
        operation(5, "search"),
        operation(6, "poison", key="k", topic="ticket-commands", value=POISON, headers={"mark": "m"}),
    ]


def mails() -> list[Json]:
    def mail(purchase: str, offset: int, kind: str, account: str, text: str = "") -> Json:
        address = f"{account}@chaos.example"
        identity = f"<{mail_id(purchase, offset, kind, account)}@turnstile.example>"
        return {"id": identity, "to": address, "delivered": [address], "subject": kind, "text": text, "received": 0.0}

    codes = f"{BOUGHT}-0 {BOUGHT}-1"
    return [
        mail(BOUGHT, 1, "confirmed", ADA, codes),
        mail(HELD, 3, "held", BOB),
        mail(HELD, 5, "expired", BOB),
    ]


def purchase_row(purchase: str, account: str, status: str, offset: int, quantity: int, reason: str | None) -> Json:
    lines = [{"ticketTypeId": KIND, "quantity": quantity}]
    ids = {"event_id": EVENT, "id": purchase, "account_id": account}
    return ids | {"status": status, "reason": reason, "ledger_offset": offset, "lines": lines}


def tables() -> dict[str, list[Json]]:
    event = {
        "id": EVENT,
        "organizer_id": ORGANIZER,
        "title": "Tempest",
        "description": "",
        "venue": "Hall",
        "city": "Graz",
        "status": "ACTIVE",
        "tags": [],
        "time_zone": "Europe/Vienna",
        "starts_at": "2031-05-17 18:00:00+00:00",
        "ends_at": "2031-05-17 20:00:00+00:00",
        "version": 1,
    }
    kind = {"id": KIND, "event_id": EVENT, "name": "Floor", "price": "10.50", "quantity": 3, "position": 0}
    return {
        "event": [event],
        "ticket_type": [kind],
        "purchase": [
            purchase_row(BOUGHT, ADA, "confirmed", 1, 2, None),
            purchase_row(REFUSED, BOB, "rejected", 2, 0, "sold-out"),
            purchase_row(HELD, BOB, "expired", 5, 1, None),
        ],
        "account": [{"id": ORGANIZER, "first_name": "Orla", "last_name": "Organizer"}],
        "notification": [],
        "payment": [],
    }


def book(purchase: str, state: str, captured: int = 0, refunded: int = 0) -> Json:
    return {"event": EVENT, "purchase": purchase, "state": state, "captured": captured, "refunded": refunded}


def payment_row(purchase: str, captured: str, refunded: str = "0") -> Json:
    return {"event_id": EVENT, "purchase_id": purchase, "captured": captured, "refunded": refunded}


def document() -> Json:
    kind = {"id": KIND, "name": "Floor", "quantity": 3, "available": 1, "price": {"amount": "10.50", "currency": "EUR"}}
    return {
        "id": EVENT,
        "deleted": False,
        "title": "Tempest",
        "description": "",
        "venue": "Hall",
        "city": "Graz",
        "status": "ACTIVE",
        "tags": [],
        "timeZone": "Europe/Vienna",
        "organizerId": ORGANIZER,
        "organizer": "Orla Organizer",
        "startsAt": "2031-05-17T18:00:00Z",
        "endsAt": "2031-05-17T20:00:00Z",
        "ticketTypes": [kind],
    }


def letter() -> Record:
    origin = (("dlq-topic", "ticket-commands"), ("dlq-partition", "0"), ("dlq-offset", "4"), ("dlq-error", "Malformed"))
    return Record(0, 0, 1000 * (BEGAN + 4), b"k", POISON.encode(), (("mark", "m"), *origin))


def job(purchase: str, offset: int, kind: str, account: str) -> bytes:
    return json.dumps({"id": mail_id(purchase, offset, kind, account)}).encode()


def true_run() -> Evidence:
    """The evidence of a run in which every promise held."""
    shelf = {"ticketType": KIND, "quantity": 3, "held": 0, "sold": 2, "overcommitted": False}
    rows = changelog()
    return Evidence(
        run={"partitions": 1, "failed": []},
        history=history(),
        workload=workload(),
        shows=[{"id": EVENT, "hidden": False}, {"id": DRAFT, "hidden": True}],
        people=[{"id": account, "email": f"{account}@chaos.example"} for account in (ADA, BOB)],
        topics={
            "ticket-commands": records(commands()),
            "ticket-purchase": records(outcomes()),
            "turnstile-ledger-changelog": [Record(0, n, 0, key, value) for n, (key, value) in enumerate(rows)],
            "notification-jobs": records([job(BOUGHT, 1, "confirmed", ADA)]),
            "dlq.ledger": [letter()],
        },
        tables=tables(),
        views={EVENT: {"event": EVENT, "version": 1, "status": "ACTIVE", "ticketTypes": [shelf]}},
        purchases={f"{EVENT}.{BOUGHT}": {"status": "confirmed", "history": [{"offset": 1}]}},
        documents={EVENT: document()},
        mails=mails(),
    )
