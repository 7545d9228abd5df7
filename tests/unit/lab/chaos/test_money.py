"""What a provider is to be paid follows from the log: tickets that are confirmed with its payment, and no others."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from lab.chaos.checks.case import Case
from lab.chaos.checks.money import check
from lab.chaos.evidence import Evidence
from tests.unit.lab.chaos.story import ADA, BOUGHT, DEFINITION, EVENT, KIND, book, buying, payment_row, records

Json = dict[str, Any]
PAID = book(BOUGHT, "captured", captured=2100)
DEFINE = {"kind": "define-event", "event": EVENT, "version": 1, "definition": DEFINITION | {"payment": "online"}}
IDS = {"event": EVENT, "purchase": BOUGHT, "account": ADA}
ONE_BACK = {"kind": "cancel", **IDS, "request": EVENT, "lines": [{"ticketType": KIND, "quantity": 1}]}


def run(
    books: list[Json],
    *more: Json,
    reference: str | None = "paper-1",
    rows: tuple[Json, ...] = (),
    orders: Sequence[tuple[Json, Json]] = (),
) -> list[str]:
    """What is found where two tickets for 21.00 were bought and confirmed, and then what ``more`` says happened."""
    confirm = [{"kind": "confirm", **IDS, "payment": reference}] if reference else []
    commands = [json.dumps(each).encode() for each in (DEFINE, buying("purchase", BOUGHT, ADA, 2), *confirm, *more)]
    topics = {"ticket-commands": records(commands), "ticket-purchase": [], "turnstile-ledger-changelog": []}
    evidence = Evidence(run={"partitions": 1}, topics=topics, tables={"payment": list(rows)}, books=books)
    evidence.workload, evidence.history = [order for order, _ in orders], [note for _, note in orders]
    return [str(finding) for finding in check(Case(evidence))]


def test_nothing_is_found_where_the_books_fit() -> None:
    assert run([PAID], rows=(payment_row(BOUGHT, "21.00"),)) == []
    assert run([PAID | {"refunded": 1050}], ONE_BACK) == []
    assert run([book(BOUGHT, "voided")], reference=None) == []
    assert run([], reference="elsewhere-1") == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (run([]), "0 was charged, less than its tickets' worth of 2100"),
        (run([PAID | {"refunded": 1050}]), "1050 was charged, less than"),
        (run([PAID], ONE_BACK), "2100 was charged, more than its tickets' worth of 1050"),
        (run([PAID], reference=None), "2100 was charged, more than its tickets' worth of 0"),
        (run([PAID], reference="elsewhere-1"), "2100 was charged, more than"),
        (run([PAID | {"state": "authorized"}]), "its payment is still authorized"),
        (run([PAID], rows=(payment_row(BOUGHT, "21.00", "1.00"),)), "table payment"),
    ],
)
def test_every_difference_is_found(found: list[str], words: str) -> None:
    [finding] = found
    assert finding.startswith("promise 10: ")
    assert words in finding


def refunded(key: str, amount: str | None, status: int = 201) -> tuple[Json, Json]:
    """An organizer's request and the note of its answer."""
    what: Json = {"lines": []} if amount is None else {"amount": {"amount": amount, "currency": "EUR"}}
    body = {"reason": "why"} | what
    operation = {
        "n": len(key),
        "name": "refund",
        "path": f"/purchases/{EVENT}.{BOUGHT}/refunds",
        "body": body,
        "key": key,
    }
    return operation, {"what": "refund", "n": len(key), "at": 0.0, "status": status}


@pytest.mark.parametrize(
    ("orders", "kept"),
    [
        ([refunded("a", "1.50"), refunded("a", "1.50")], 1950),
        ([refunded("a", "1.50"), refunded("bb", "2.00")], 1750),
        ([refunded("a", "1.50", 409), refunded("bb", "2.00", 202)], 2100),
        ([refunded("a", None)], 2100),
        ([refunded("a", "30.00")], 0),
    ],
)
def test_goodwill_is_what_organizers_were_told_once_by_key(orders: list[tuple[Json, Json]], kept: int) -> None:
    for refund, found in ((2100 - kept, 0), (2100 - kept + 1, 1)):
        assert len(run([PAID | {"refunded": refund}], orders=orders)) == found
