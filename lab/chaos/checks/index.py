"""Promise 5: the search index equals PostgreSQL and the ledger's stock, and a search never finds a draft."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from lab.chaos.checks.case import Case
from lab.chaos.checks.finding import Finding, Findings

Json = dict[str, Any]

SAME: Final = {
    "title": "title",
    "description": "description",
    "venue": "venue",
    "city": "city",
    "status": "status",
    "tags": "tags",
    "timeZone": "time_zone",
    "organizerId": "organizer_id",
}


def check(case: Case) -> Findings:
    """Compare documents with rows; check every search of the run."""
    rows = {row["id"]: row for row in case.evidence.tables["event"]}
    found = {key: document for key, document in case.evidence.documents.items() if not document["deleted"]}
    for key in sorted(rows.keys() ^ found.keys()):
        yield Finding(5, f"event {key} is {'not in the index' if key in rows else 'in the index alone'}")
    for key in sorted(rows.keys() & found.keys()):
        yield from _document(case, rows[key], found[key])
    yield from _drafts(case)


def _document(case: Case, row: Json, document: Json) -> Findings:
    has = {name: document.get(name) for name in SAME}
    should = {name: row[column] for name, column in SAME.items()}
    times = {"startsAt": _moment(row["starts_at"]), "endsAt": _moment(row["ends_at"])}
    has |= {name: _moment(document[name]) for name in times}
    should |= times | {"organizer": _name(case, row["organizer_id"]), "ticketTypes": _types(case, row["id"])}
    has |= {"organizer": document["organizer"], "ticketTypes": [_type(kind) for kind in document["ticketTypes"]]}
    for name in should:
        if has[name] != should[name]:
            yield Finding(5, f"document {row['id']}: {name} is {has[name]!r}, should be {should[name]!r}")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _name(case: Case, account: str) -> str:
    return next(
        f"{row['first_name']} {row['last_name']}" for row in case.evidence.tables["account"] if row["id"] == account
    )


def _types(case: Case, event: str) -> list[Json]:
    """The ticket types as a document has them."""
    stock = case.model.stock_of(event)
    kinds = [row for row in case.evidence.tables["ticket_type"] if row["event_id"] == event]
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "price": Decimal(row["price"]),
            "quantity": row["quantity"],
            "available": max(0, row["quantity"] - sum(stock.get(row["id"], (0, 0)))),
        }
        for row in sorted(kinds, key=lambda row: (row["position"], row["id"]))
    ]


def _type(kind: Json) -> Json:
    shown = {name: kind[name] for name in ("id", "name", "quantity", "available")}
    return shown | {"price": Decimal(kind["price"]["amount"])}


def _drafts(case: Case) -> Findings:
    """No search has found a draft."""
    hidden = {show["id"] for show in case.evidence.shows if show["hidden"]}
    for note in case.notes("search", "closing-search"):
        for item in note["answer"].get("items", ()):
            if item["id"] in hidden or item.get("status") == "DRAFT":
                yield Finding(5, f"{note['path']} found the draft {item['id']}")
