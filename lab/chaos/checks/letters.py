"""Promise 7: what nobody can read is put aside as it came, says where from, and nothing else is put aside."""

from typing import Any, Final

from lab.chaos.checks.case import Case
from lab.chaos.checks.finding import Finding, Findings
from lab.chaos.evidence import Record

Json = dict[str, Any]
Place = tuple[str | None, str | None, str | None]

READERS: Final[dict[str, tuple[str, ...]]] = {
    "ticket-commands": ("ledger",),
    "event_ticket_db.public.event": ("indexer",),
    "event_ticket_db.public.account": ("contacts",),
    "outbox.event.event_status": ("catalogue",),
    "ticket-purchase": ("sales", "notifications"),
    "notification-jobs": ("mailer",),
    "notification-requests": ("resends",),
    "notification-log": ("deliveries",),
}
PREFIX: Final = "dlq."


def check(case: Case) -> Findings:
    """Compare the letters with the poison and the bombs that were written."""
    written: dict[bytes, Json] = {act["value"].encode(): act for act in case.evidence.plan if act["name"] == "poison"}
    letters = {topic: rows for topic, rows in case.evidence.topics.items() if topic.startswith(PREFIX)}
    bombs: set[Place] = set()
    for note in case.notes("poison", "bomb"):
        if note["offset"] is None:
            continue
        act = case.acts[note["n"]]
        is_letter = _is_letter if act["name"] == "poison" else _is_of
        bombs.update([_place(act, note)] if act["name"] == "bomb" else ())
        for reader in READERS[act["topic"]]:
            if not any(is_letter(row, act, note) for row in letters.get(f"{PREFIX}{reader}", ())):
                place = f"{act['topic']}[{note['partition']}]@{note['offset']}"
                yield Finding(7, f"{place} can't be read, and is not in {PREFIX}{reader} as it came")
    for topic, rows in letters.items():
        for row in rows:
            if row.value not in written and _origin(row) not in bombs:
                yield Finding(7, f"{topic}[{row.partition}]@{row.offset} is no poison: {dict(row.headers)}")


def _is_letter(row: Record, act: Json, note: Json) -> bool:
    """Whether a letter is that record: bytes, key, headers, and where it was."""
    headers = dict(row.headers)
    same = row.value == act["value"].encode() and row.key == act["key"].encode()
    kept = all(headers.get(name) == text for name, text in act["headers"].items())
    return same and kept and _is_of(row, act, note)


def _is_of(row: Record, act: Json, note: Json) -> bool:
    """Whether a letter says that it is of that record, and what was wrong."""
    return _origin(row) == _place(act, note) and bool(dict(row.headers).get("dlq-error"))


def _origin(row: Record) -> Place:
    headers = dict(row.headers)
    return headers.get("dlq-topic"), headers.get("dlq-partition"), headers.get("dlq-offset")


def _place(act: Json, note: Json) -> Place:
    return act["topic"], str(note["partition"]), str(note["offset"])
