"""Promise 10: the provider's own books agree with what the log has confirmed, and table ``payment`` with the books.

Goodwill is what the answers to the organizers' requests say: neither our log nor our tables are asked.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from lab.chaos.checks.case import Case
from lab.chaos.checks.finding import Finding, Findings
from lab.chaos.reference_purchases import ModelPurchase
from lab.chaos.workload.payers import ELSEWHERE

Json = dict[str, Any]

# All prices of the workload are in a currency with so many minor units.
MINOR_UNITS: Final = 100
OPEN: Final = frozenset({"open", "declined", "authorized"})
CREATED: Final = 201


def check(case: Case) -> Findings:
    """Compare Paper's books with the log, and the table with the books."""
    goodwill = _goodwill(case)
    worth = {
        purchase: max(0, _worth(row) - goodwill[purchase])
        for row in case.model.purchases.values()
        for purchase in [f"{row.event}.{row.id}"]
    }
    yield from compare(case.evidence.books, worth)
    yield from _rows(case)


def compare(books: Iterable[Json], worth: Mapping[str, int]) -> Findings:
    """Compare a provider's books with what it is to be paid for each purchase (minor units)."""
    by_purchase = _by_purchase(books)
    for purchase in sorted(by_purchase.keys() | worth.keys()):
        book, should = by_purchase.get(purchase), worth.get(purchase, 0)
        kept = book["captured"] - book["refunded"] if book else 0
        if kept != should:
            side = "more" if kept > should else "less"
            yield Finding(10, f"purchase {purchase}: {kept} was charged, {side} than its tickets' worth of {should}")
        if book and book["state"] in OPEN:
            yield Finding(10, f"purchase {purchase}: its payment is still {book['state']}")


def _by_purchase(books: Iterable[Json]) -> dict[str, Json]:
    return {f"{book['event']}.{book['purchase']}": book for book in books}


def _worth(row: ModelPurchase) -> int:
    """What the provider is to be paid for a purchase."""
    confirmed = next((told for told in row.history if told.kind == "confirmed"), None)
    if row.status != "confirmed" or confirmed is None or (confirmed.reference or "").startswith(ELSEWHERE):
        return 0
    return int((row.worth(row.tickets) or 0) * MINOR_UNITS)


def _goodwill(case: Case) -> Counter[str]:
    """What organizers were told that they have refunded of tickets that are kept, each order once."""
    orders: dict[tuple[str, str], int] = {}
    for note in case.notes("refund"):
        operation = case.operations[note["n"]]
        if note["status"] == CREATED and "amount" in operation["body"]:
            _, _, purchase, _ = operation["path"].split("/")
            orders[purchase, operation["key"]] = int(Decimal(operation["body"]["amount"]["amount"]) * MINOR_UNITS)
    refunded = Counter[str]()
    for (purchase, _), amount in orders.items():
        refunded[purchase] += amount
    return refunded


def _rows(case: Case) -> Findings:
    books = _by_purchase(case.evidence.books)
    for row in case.evidence.tables["payment"]:
        purchase = f"{row['event_id']}.{row['purchase_id']}"
        book = books.get(purchase, {"captured": 0, "refunded": 0})
        has = {name: Decimal(row[name]) * MINOR_UNITS for name in ("captured", "refunded")}
        if any(book[name] != amount for name, amount in has.items()):
            yield Finding(10, f"table payment, purchase {purchase}: is {row}, the provider has {book}")
