"""Promise 6: every due mail was received by its account and by no other; a repeat is the same mail.

Which mails are due follows from the outcomes alone: each decision on a purchase, and each change of an event's time or
place for the accounts that had tickets then. A mail about a payment is due once it was asked for.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from lab.chaos.checks.case import JOBS, OUTCOMES, Case
from lab.chaos.checks.finding import Finding, Findings

Json = dict[str, Any]

# Message-IDs must not change between versions, so the namespace is repeated here.
NAMESPACE: Final = UUID("5b1f0c1e-6f0f-5c0e-9d57-7e1b6f3a9c21")
KINDS: Final = frozenset({"held", "confirmed", "cancelled", "expired", "refunded"})
OPEN: Final = frozenset({"held", "confirmed"})
TOLD_OTHERWISE: Final = frozenset({"CANCELED", "DONE"})
ABOUT_PAYMENTS: Final = frozenset({"paid", "paid-back", "payment-declined", "payment-failed"})
PLACE: Final = ("startsAt", "endsAt", "timeZone", "venue", "city")
REMINDED_FROM_S: Final = 5.0
PUT_BACK: Final = "first-seen"


@dataclass(frozen=True, slots=True)
class Due:
    """A mail: its account, and whether it must come or may. ``codes`` are the tickets in it."""

    account: str
    must: bool
    codes: tuple[str, ...] = ()


def check(case: Case) -> Findings:
    """Compare the mails received with those that were due."""
    due = dict(_due(case)) | dict(_about_payments(case))
    received: dict[str, list[Json]] = defaultdict(list)
    for mail in case.evidence.mails:
        received[mail["id"].strip("<>").partition("@")[0]].append(mail)
    for number, each in due.items():
        if each.must and number not in received:
            yield Finding(6, f"mail {number} to account {each.account} never came")
    for number, mails in received.items():
        if number not in due:
            yield Finding(6, f"mail {number} ({mails[0]['subject']}) was not due")
            continue
        yield from _mail(case, number, due[number], mails)
    yield from _jobs(case)


def repeats(case: Case) -> int:
    """How many mails are repeats."""
    return len(case.evidence.mails) - len({mail["id"] for mail in case.evidence.mails})


def _mail(case: Case, number: str, due: Due, mails: list[Json]) -> Findings:
    for mail in mails:
        address = case.emails[due.account]
        if mail["delivered"] != [address] or address not in mail["to"]:
            yield Finding(6, f"mail {number} went to {mail['delivered']}, is for {address}")
        if (mail["subject"], mail["text"]) != (mails[0]["subject"], mails[0]["text"]):
            yield Finding(6, f"mail {number} came twice, not the same")
    if missing := [code for code in due.codes if code not in mails[0]["text"]]:
        yield Finding(6, f"mail {number} lacks the tickets {missing}")


def _due(case: Case) -> Iterator[tuple[str, Due]]:
    """The due mails by Message-ID, in the order of the outcomes."""
    bookings: dict[tuple[str, str], Json] = {}
    since: dict[tuple[str, str], int] = {}
    notes: dict[str, Json] = {}
    for _, outcome in case.outcomes:
        event, offset = outcome["event"], outcome["offset"]
        if outcome["kind"] == "changed":
            before, facts = notes.get(event), outcome["facts"]
            if before and (before["offset"] >= offset or before["facts"]["version"] >= facts["version"]):
                continue
            notes[event] = {"offset": offset, "facts": facts}
            if before and (kind := _news(before["facts"], facts)):
                for (of, purchase), booking in bookings.items():
                    if of == event and booking["status"] in OPEN and since[of, purchase] <= offset:
                        yield _id(event, purchase, offset, kind, booking["account"]), Due(booking["account"], must=True)
            continue
        key = (event, outcome["purchase"])
        if outcome["kind"] not in KINDS or (key in bookings and bookings[key]["offset"] >= offset):
            continue
        is_extension = outcome["kind"] == "held" and key in bookings
        bookings[key] = outcome
        since.setdefault(key, offset)
        if not outcome.get("repeated"):
            yield from _later_reminder(outcome) if is_extension else _of_outcome(outcome)


def _about_payments(case: Case) -> Iterator[tuple[str, Due]]:
    """The mails about payments, which are for those who bought."""
    for row in case.readable(JOBS):
        job: Json = json.loads(row.value or b"")
        purchase = case.model.purchases.get((str(job.get("event")), str(job.get("purchase"))))
        if job.get("kind") in ABOUT_PAYMENTS and purchase is not None:
            yield job["id"], Due(purchase.account, must=True)


def _of_outcome(outcome: Json) -> Iterator[tuple[str, Due]]:
    ids = (outcome["event"], outcome["purchase"], outcome["offset"])
    account = outcome["account"]
    reason = outcome.get("reason")
    kind = reason if reason in ("event-canceled", "hold-ended") else outcome["kind"]
    if kind == "cancelled" and outcome.get("request") == str(uuid5(UUID(outcome["purchase"]), "payment failed")):
        kind = "payment-failed"
    confirmed = outcome["kind"] == "confirmed"
    codes = tuple(code for line in outcome["lines"] for code in line.get("codes", ())) if confirmed else ()
    yield _id(*ids, kind, account), Due(account, must=True, codes=codes)
    if outcome["kind"] == "held":
        yield from _reminder(outcome)
    if outcome["kind"] == "cancelled" and outcome["status"] == "held":
        yield from _later_reminder(outcome)


def _reminder(outcome: Json) -> Iterator[tuple[str, Due]]:
    """The reminder that may come before a hold ends."""
    lasts = datetime.fromisoformat(outcome["deadline"]) - datetime.fromisoformat(outcome["at"])
    if lasts.total_seconds() >= REMINDED_FROM_S:
        ids = (outcome["event"], outcome["purchase"], outcome["offset"])
        yield _id(*ids, "hold-ending", outcome["account"]), Due(outcome["account"], must=False)


def _later_reminder(outcome: Json) -> Iterator[tuple[str, Due]]:
    """The reminder of a hold that got longer, other seats or fewer tickets: its time stays, so it may come late."""
    ids = (outcome["event"], outcome["purchase"], outcome["offset"])
    yield _id(*ids, "hold-ending", outcome["account"]), Due(outcome["account"], must=False)


def _news(before: Json, after: Json) -> str | None:
    """The kind of mail that a change of an event sends to the holders of tickets."""
    if after["status"] in TOLD_OTHERWISE:
        return None
    was_postponed, is_postponed = (facts["status"] == "POSTPONED" for facts in (before, after))
    if is_postponed and not was_postponed:
        return "event-postponed"
    moved = [before.get(name) for name in PLACE] != [after.get(name) for name in PLACE]
    return "event-changed" if moved or was_postponed != is_postponed else None


def _id(event: str, purchase: str, offset: int, kind: str, account: str) -> str:
    return str(uuid5(NAMESPACE, f"{event}/{purchase}/{offset}/{kind}/{account}"))


def _jobs(case: Case) -> Findings:
    """A copy of an outcome that was handled asks for no second mail."""
    written: dict[str, list[int]] = defaultdict(list)
    for row in case.readable(JOBS):
        if PUT_BACK not in dict(row.headers):
            written[_job(row.value or b"")].append(row.at)
    outcomes = {(row.partition, row.offset): outcome for row, outcome in case.outcomes}
    for note in case.notes("copy"):
        outcome = outcomes.get((note["partition"], note["original"])) if note["topic"] == OUTCOMES else None
        if outcome is None or outcome["kind"] not in KINDS or outcome.get("repeated"):
            continue
        [(number, _), *_] = _of_outcome(outcome)
        again = [at for at in written[number] if at > note["at"] * 1000]
        if again:
            yield Finding(6, f"mail {number} was asked for again, long after its outcome was dealt with")


def _job(value: bytes) -> str:
    found: Json = json.loads(value)
    return str(found["id"])
