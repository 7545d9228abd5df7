"""Promise 7: each unreadable record is a dead letter with its bytes and origin, and nothing else is one."""

from typing import Any, Final

from lab.chaos.checks.case import Case
from lab.chaos.checks.finding import Finding, Findings
from lab.chaos.evidence import Record

Json = dict[str, Any]
Origin = tuple[str | None, str | None, str | None]

READERS: Final[dict[str, tuple[str, ...]]] = {
    "ticket-commands": ("ledger",),
    "event_ticket_db.public.event": ("indexer",),
    "event_ticket_db.public.account": ("contacts",),
    "outbox.event.event_status": ("catalogue",),
    "ticket-purchase": ("sales", "notifications"),
    "notification-jobs": ("mailer",),
    "notification-requests": ("resends",),
    "notification-log": ("deliveries",),
    "payment-events": ("payments",),
    "payment-requests": ("payment-requests",),
}
PREFIX: Final = "dlq."


def check(case: Case) -> Findings:
    """Compare the dead letters with the poison and the bombs that were written."""
    written: dict[bytes, Json] = {
        operation["value"].encode(): operation for operation in case.evidence.workload if operation["name"] == "poison"
    }
    dead_letters = {topic: rows for topic, rows in case.evidence.topics.items() if topic.startswith(PREFIX)}
    bombs: set[Origin] = set()
    for note in case.notes("poison", "bomb"):
        if note["offset"] is None:
            continue
        operation = case.operations[note["n"]]
        matches = _is_copy if operation["name"] == "poison" else _names
        bombs.update([_place(operation, note)] if operation["name"] == "bomb" else ())
        for reader in READERS[operation["topic"]]:
            if not any(matches(row, operation, note) for row in dead_letters.get(f"{PREFIX}{reader}", ())):
                place = f"{operation['topic']}[{note['partition']}]@{note['offset']}"
                yield Finding(7, f"{place} can't be read, and is not in {PREFIX}{reader} as it came")
    for topic, rows in dead_letters.items():
        for row in rows:
            if row.value not in written and _origin(row) not in bombs:
                yield Finding(7, f"{topic}[{row.partition}]@{row.offset} is no poison: {dict(row.headers)}")


def _is_copy(row: Record, operation: Json, note: Json) -> bool:
    """Whether a dead letter is that record: value, key, headers and origin."""
    headers = dict(row.headers)
    same = row.value == operation["value"].encode() and row.key == operation["key"].encode()
    kept = all(headers.get(name) == text for name, text in operation["headers"].items())
    return same and kept and _names(row, operation, note)


def _names(row: Record, operation: Json, note: Json) -> bool:
    """Whether a dead letter names that record as its origin, with an error."""
    return _origin(row) == _place(operation, note) and bool(dict(row.headers).get("dlq-error"))


def _origin(row: Record) -> Origin:
    headers = dict(row.headers)
    return headers.get("dlq-topic"), headers.get("dlq-partition"), headers.get("dlq-offset")


def _place(operation: Json, note: Json) -> Origin:
    return operation["topic"], str(note["partition"]), str(note["offset"])
