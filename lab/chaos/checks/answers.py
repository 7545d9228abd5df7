"""Promises 2 to 4 at the client: every answer agrees with the log, and a key always gets the same answer."""

import json
from collections.abc import Iterable
from typing import Any, Final

from lab.chaos.checks.case import Case, wish
from lab.chaos.checks.finding import Finding, Findings
from lab.chaos.reference_purchases import ModelOutcome, ModelPurchase, request_kind, wanted_of

Json = dict[str, Any]

BUYING: Final = ("buy", "hold", "again", "other-body")
# How old the stock may be that an early refusal rests on.
STOCK_AGE_MAX_S: Final = 0.6
# A record's time is in whole milliseconds, and taken before the answer.
CLOCK_TOLERANCE_S: Final = 0.05
# Reads of a payment, and reads by those who may not see the purchase.
NOT_THE_BUYERS: Final = ("intrude", "pay", "confirm-elsewhere")
UNKNOWN: Final = frozenset({0, 202, 429, 503})
ENDED: Final = {
    "confirm": ("confirmed", ("not-held", "payment-required")),
    "cancel": ("cancelled", ("nothing-to-cancel", "seats-required")),
}


def check(case: Case) -> Findings:
    """Check every answer in the history."""
    yield from _faults(case)
    yield from _unanswered(case)
    yield from _purchases(case)
    yield from _same_answers(case)
    for verb in ENDED:
        yield from _changes(case, verb)
    yield from _reads(case)


def problem(note: Json) -> str:
    """The name of the problem in an answer."""
    return str(note["answer"].get("type", "")).rpartition("/")[2]


def place(note: Json) -> str:
    """Where an answer stands in the history."""
    return f"request {note['n']} try {note['try']} ({note['what']}), answered {note['status']} {problem(note)}".rstrip()


def _faults(case: Case) -> Findings:
    for note in case.evidence.history:
        if note.get("status", 0) == 500:
            yield Finding(4, f"{place(note)}: an internal error")


def _unanswered(case: Case) -> Findings:
    """After the faults every request that is repeated gets an answer."""
    asked = [note for note in case.evidence.history if "status" in note and note["n"] in case.operations]
    last = {note["n"]: note for note in sorted(asked, key=lambda it: it["until"])}
    for note in last.values():
        pending = note["followed"] and note["answer"].get("status") == "pending"
        if note["status"] in UNKNOWN or pending:
            yield Finding(4, f"{place(note)}: no answer in the end")


def _orders(case: Case) -> Iterable[tuple[Json, Json]]:
    for note in case.notes(*BUYING):
        if not note["followed"]:
            yield note, case.operations[note["n"]]


def _purchases(case: Case) -> Findings:
    created = {
        case.operations[note["n"]]["body"]["id"]: note["until"]
        for note in case.notes("make-event")
        if note["status"] == 201
    }
    for note, operation in _orders(case):
        event, purchase, row = case.row(operation)
        unknown = problem(note) == "unknown-event" and created.get(event, 0.0) > note["at"]
        if not unknown and (wrong := _wrong(case, note, operation, row)):
            yield Finding(3, f"{place(note)}, purchase {event}.{purchase}: {wrong}")


def _wrong(case: Case, note: Json, operation: Json, row: ModelPurchase | None) -> str:
    """What is wrong about an answer; empty if it is true."""
    status, name = note["status"], problem(note)
    if status in (0, 429, 503) or name == "still-running" or _is_early(case, note, operation, row):
        return ""
    if status == 202:
        return "" if row else "accepted, but not in the log"
    if row is not None and row.body != _asked(operation):
        return "" if name == "idempotency-key-reused" else "the key is another purchase's"
    first = row.history[0] if row else None
    if first is None:
        return "the log has no such purchase"
    said = (note["answer"]["status"], None) if status == 201 else ("rejected", name)
    return "" if (first.kind, first.reason) == said else f"the log says {first}"


def _is_early(case: Case, note: Json, operation: Json, row: ModelPurchase | None) -> bool:
    """Whether "sold out" was true of the stock that the API may have used, and nothing was decided before.

    Of seats that is so where the ledger refused the same wish with so few left.
    """
    if problem(note) != "sold-out" or (row is not None and _was_told(case, note, row.history[0])):
        return False
    wanted: dict[str, int] = {}
    for line in operation["body"]["lines"]:
        wanted[line["ticketTypeId"]] = wanted.get(line["ticketTypeId"], 0) + line["quantity"]
    begin, end = note["at"] - STOCK_AGE_MAX_S, note["until"] + CLOCK_TOLERANCE_S
    least = {kind: case.available.least(kind, begin, end) for kind in wanted}
    if any(left is not None and left < wanted[kind] for kind, left in least.items()):
        return True
    shortages = [case.shortages.get(wish(line), []) for line in operation["body"]["lines"]]
    return any(
        begin <= at <= end and left < line["quantity"]
        for line, times in zip(operation["body"]["lines"], shortages, strict=True)
        for at, left in times
    )


def _asked(operation: Json) -> tuple[str, str, tuple[tuple[str, int], ...]]:
    """What a request asks for, as the reference model remembers it."""
    body = operation["body"]
    lines = [line | {"ticketType": line["ticketTypeId"]} for line in body["lines"]]
    seconds = {"seconds": body["holdSeconds"]} if body.get("holdSeconds") else {"byDefault": True}
    kind = request_kind({"kind": "hold" if body.get("hold") else "purchase", "lines": lines, **seconds})
    return kind, operation["who"], tuple(sorted(wanted_of(lines).items()))


def _same_answers(case: Case) -> Findings:
    """A purchase that was answered with its decision always gets the same answer, whatever happened to it since."""
    first: dict[str, tuple[str, str]] = {}
    for note, _ in _orders(case):
        if note["status"] == 201:
            said = json.dumps(note["answer"], sort_keys=True)
            known, where = first.setdefault(note["answer"]["id"], (said, place(note)))
            if known != said:
                yield Finding(3, f"{place(note)} says {said}, {where} said {known}")


def _changes(case: Case, verb: str) -> Findings:
    done, refused = ENDED[verb]
    for note in case.notes(verb):
        operation = case.operations[note["n"]]
        event, _, purchase = operation["path"].split("/")[2].partition(".")
        row = case.model.purchases.get((event, purchase))
        kinds = {told.kind for told in row.history} if row else set()
        name = problem(note)
        if note["status"] == 200 and not note["followed"] and done not in kinds:
            yield Finding(3, f"{place(note)}: the log has no such decision on {event}.{purchase}")
        if name in refused and (event, purchase, name) not in case.refusals:
            yield Finding(3, f"{place(note)}: the log has no such refusal of {event}.{purchase}")
        if note["status"] == 404 and not note["followed"] and not _was_unknown(case, event, purchase):
            yield Finding(3, f"{place(note)}: the log knows {event}.{purchase}")


def _was_unknown(case: Case, event: str, purchase: str) -> bool:
    return (event, purchase, "unknown-purchase") in case.refusals


def _reads(case: Case) -> Findings:
    """A read of a purchase returns a state that it has been in; a decided purchase is found."""
    for note in [
        note for note in case.evidence.history if note.get("method") == "GET" and "/purchases/" in note["path"]
    ]:
        if note["what"] in NOT_THE_BUYERS:
            continue
        event, _, purchase = note["path"].split("/")[2].partition("?")[0].partition(".")
        row = case.model.purchases.get((event, purchase))
        if note["status"] == 200:
            states = {told.kind for told in row.history} if row else set()
            if note["answer"]["status"] not in states | {"pending"}:
                yield Finding(3, f"{place(note)}: {note['answer']['status']}, the log says {sorted(states)}")
        if note["status"] == 404 and row is not None and _was_told(case, note, row.history[0]):
            yield Finding(3, f"{place(note)}: {event}.{purchase} was decided before")


def _was_told(case: Case, note: Json, told: ModelOutcome) -> bool:
    """Whether the decision was on its topic before the request."""
    at = case.first_told.get((told.event, told.purchase or ""))
    return at is not None and at / 1000 + STOCK_AGE_MAX_S < note["at"]
