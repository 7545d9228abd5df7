"""Promises 1 and 4 in the projections: PostgreSQL and the workers' views agree with the log."""

from collections import Counter
from typing import Any, Final

from lab.chaos.checks.case import Case
from lab.chaos.checks.finding import Finding, Findings
from lab.chaos.reference_purchases import ModelPurchase

Json = dict[str, Any]

OPEN: Final = ("held", "confirmed")


def check(case: Case) -> Findings:
    """Compare rows, views and lists with the log."""
    yield from _rows(case)
    yield from _sold(case)
    yield from _views(case)
    yield from _viewed_purchases(case)
    yield from _lists(case)


def _rows(case: Case) -> Findings:
    rows = {(row["event_id"], row["id"]): row for row in case.evidence.tables["purchase"]}
    for key in sorted(rows.keys() | case.model.purchases.keys()):
        row, due = rows.get(key), case.model.purchases.get(key)
        where = f"table purchase, {key[0]}.{key[1]}"
        if row is None or due is None:
            yield Finding(4, f"{where}: {'is missing' if row is None else 'is not in the log'}")
            continue
        last = [told for told in due.history if told.kind != "refused"][-1]
        has = (row["account_id"], row["status"], row["reason"], row["ledger_offset"], _open_lines(row))
        should = (due.account, due.status, last.reason, last.offset, dict(due.lines))
        if has != should:
            yield Finding(4, f"{where}: is {has}, should be {should}")


def _open_lines(row: Json) -> dict[str, int]:
    return {line["ticketTypeId"]: line["quantity"] for line in row["lines"]} if row["status"] in OPEN else {}


def _sold(case: Case) -> Findings:
    """By the table no more tickets are out than the quantity."""
    out: Counter[str] = Counter()
    for row in case.evidence.tables["purchase"]:
        out.update(_open_lines(row))
    over = {kind["ticketType"] for view in case.evidence.views.values() for kind in (view or {}).get("ticketTypes", ())
            if kind["overcommitted"]}  # fmt: skip
    for row in case.evidence.tables["ticket_type"]:
        if out[row["id"]] > row["quantity"] and row["id"] not in over:
            yield Finding(
                1, f"table purchase: {out[row['id']]} of ticket type {row['id']} are out of {row['quantity']}"
            )


def _views(case: Case) -> Findings:
    """The ledger has every event as PostgreSQL has it, and the stock that follows from the log."""
    quantities = {row["id"]: row["quantity"] for row in case.evidence.tables["ticket_type"]}
    stock = case.model.stock()
    for row in case.evidence.tables["event"]:
        event, view = row["id"], case.evidence.views.get(row["id"])
        if view is None:
            yield Finding(4, f"event {event} is not known to the ledger")
            continue
        known, should = (view["version"], view["status"]), (row["version"], row["status"])
        if known != should:
            yield Finding(4, f"event {event} is {known} to the ledger, {should} in PostgreSQL")
        else:
            yield from _stock(view, quantities, stock.get(event, {}))


def _stock(view: Json, quantities: dict[str, int], stock: dict[str, tuple[int, int]]) -> Findings:
    for kind in view["ticketTypes"]:
        has = (kind["quantity"], kind["held"], kind["sold"])
        should = (quantities[kind["ticketType"]], *stock.get(kind["ticketType"], (0, 0)))
        if has != should:
            where = f"view of event {view['event']}, {kind['ticketType']}"
            yield Finding(1, f"{where}: (quantity, held, sold) is {has}, should be {should}")


def _viewed_purchases(case: Case) -> Findings:
    for key, view in case.evidence.purchases.items():
        event, _, purchase = key.partition(".")
        row = case.model.purchases.get((event, purchase))
        if view is None or row is None:
            yield Finding(4, f"purchase {key} has {'no view' if view is None else 'a view, but is not in the log'}")
        elif (view["status"], [each["offset"] for each in view["history"]]) != _history(row):
            yield Finding(4, f"view of purchase {key}: is {view}, should be {row.history}")


def _history(row: ModelPurchase) -> tuple[str, list[int]]:
    return row.status, [told.offset for told in row.history]


def _lists(case: Case) -> Findings:
    """Every buyer's list has all purchases of the account and no other's."""
    pages: dict[str, set[tuple[str, str]]] = {}
    for note in [note for note in case.notes("closing") if note["status"] == 200]:
        listed = {(item["id"], item["status"]) for item in note["answer"].get("items", ())}
        pages.setdefault(note["who"], set()).update(listed)
    for account, has in pages.items():
        should = {
            (f"{event}.{purchase}", row.status)
            for (event, purchase), row in case.model.purchases.items()
            if row.account == account
        }
        for key, status in sorted(has ^ should):
            side = "listed" if (key, status) in has else "not listed"
            yield Finding(4, f"purchases of account {account}: {key} as {status} is {side}")
